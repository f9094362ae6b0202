// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Interrupt messages: when a queue's bit rises, whether its message is held back, when it leaves.

use std::mem;

use sealgate_abi::regs::{IrqEnable, IrqModeration, IrqStatus, Page, QUEUES, Register};

use super::registers::RegisterFile;
use crate::device::InterruptCounts;

/// What became of the bits of `IRQ_STATUS`.
#[derive(Default)]
pub(super) struct Interrupts {
    sent: InterruptCounts,
    /// The bits whose message was sent since they rose.
    signalled: u32,
    queues: [SinceRise; QUEUES],
}

/// What happened in a queue since its bit rose.
#[derive(Clone, Copy, Default)]
struct SinceRise {
    completions: u32,
    /// The cycle of the first of them.
    first: u64,
}

impl Interrupts {
    /// A completion was written: the queue's bit rises, or is high already.
    pub(super) fn completed(&mut self, registers: &mut RegisterFile, number: usize, cycle: u64) {
        let status = registers.get::<IrqStatus>(Page::Device).bits();
        let queue = &mut self.queues[number];
        if status >> number & 1 == 0 {
            *queue = SinceRise { completions: 0, first: cycle };
        }
        queue.completions = queue.completions.saturating_add(1);
        registers.set(Page::Device, IrqStatus::from_bits(status | 1 << number));
    }

    /// Sends the message of each bit that is high and enabled, did not send one since it rose, and is held back no
    /// longer.
    pub(super) fn send(&mut self, registers: &RegisterFile, cycle: u64) {
        let moderation = registers.get::<IrqModeration>(Page::Device);
        self.signalled &= registers.get::<IrqStatus>(Page::Device).bits();
        for number in self.owed(registers) {
            let queue = self.queues[number];
            let enough = queue.completions >= u32::from(moderation.count());
            if enough || cycle >= due(queue, moderation) {
                self.signalled |= 1 << number;
                self.sent[number] += 1;
            }
        }
    }

    /// The cycle in which the next message that is held back is old enough; `None`: none is held back.
    pub(super) fn next_due(&self, registers: &RegisterFile) -> Option<u64> {
        let moderation = registers.get::<IrqModeration>(Page::Device);
        self.owed(registers).map(|number| due(self.queues[number], moderation)).min()
    }

    /// The clock starts anew.
    pub(super) fn forget_age(&mut self) {
        for queue in &mut self.queues {
            queue.first = 0;
        }
    }

    /// The messages sent since the last call.
    pub(super) fn take(&mut self) -> InterruptCounts {
        mem::take(&mut self.sent)
    }

    /// The queues whose message is still to be sent.
    fn owed(&self, registers: &RegisterFile) -> impl Iterator<Item = usize> + use<> {
        let high = registers.get::<IrqStatus>(Page::Device).bits();
        let enabled = registers.get::<IrqEnable>(Page::Device).bits();
        let owed = high & enabled & !self.signalled;
        (0..QUEUES).filter(move |number| owed >> number & 1 != 0)
    }
}

/// When the message of a queue is old enough.
fn due(queue: SinceRise, moderation: IrqModeration) -> u64 {
    queue.first.saturating_add(u64::from(moderation.cycles()))
}
