// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The rings of one queue pair as the device walks them.

use sealgate_abi::regs::{
    CqBaseHi, CqBaseLo, CqHead, CqTail, Page, QueueErrors, Register, RingSize, SqBaseHi, SqBaseLo,
    SqHead, SqTail,
};
use sealgate_abi::{Completion, ENTRY_BYTES};

use super::registers::RegisterFile;

/// One queue pair. Bases, sizes, tail and head stand in the registers; here is what the device adds to them.
pub(super) struct Queue {
    page: Page,
    running: bool,
    sq_head: u16,
    cq_tail: u16,
}

/// An entry that is to be fetched.
pub(super) struct Slot {
    /// Its IOVA.
    pub(super) iova: u64,
    /// Free-running index behind it.
    pub(super) next: u16,
}

impl Queue {
    pub(super) fn new(queue: u8) -> Self {
        Self { page: Page::Queue(queue), running: false, sq_head: 0, cq_tail: 0 }
    }

    /// `QUEUE_CONTROL.enable` went from 0 to 1: both rings start at index 0.
    pub(super) fn start(&mut self, registers: &mut RegisterFile) {
        self.running = true;
        self.sq_head = 0;
        self.cq_tail = 0;
        self.publish(registers);
    }

    /// No further entry is fetched until the queue is started again.
    pub(super) fn stop(&mut self) {
        self.running = false;
    }

    /// Stops and empties the queue, as a reset does.
    pub(super) fn reset(&mut self, registers: &mut RegisterFile) {
        self.stop();
        self.sq_head = 0;
        self.cq_tail = 0;
        self.publish(registers);
    }

    /// Takes the next entry if there is one and its completion has a place.
    pub(super) fn fetch(&mut self, registers: &mut RegisterFile) -> Option<Slot> {
        if !self.running {
            return None;
        }
        let size = registers.get::<RingSize>(self.page);
        let (entries, places) = (1_u16 << size.sq_log2(), 1_u16 << size.cq_log2());

        let submitted = registers.get::<SqTail>(self.page).index().wrapping_sub(self.sq_head);
        if submitted > entries {
            registers.update::<QueueErrors>(self.page, |errors| errors.with_bad_doorbell(true));
            self.stop();
            return None;
        }
        let unreaped = self.cq_tail.wrapping_sub(registers.get::<CqHead>(self.page).index());
        if submitted == 0 || unreaped >= places {
            return None;
        }

        let base = wide::<SqBaseLo, SqBaseHi>(registers, self.page);
        let iova = element(base, self.sq_head & (entries - 1), ENTRY_BYTES);
        self.sq_head = self.sq_head.wrapping_add(1);
        self.publish(registers);
        Some(Slot { iova, next: self.sq_head })
    }

    /// The place of the next completion and its phase.
    pub(super) fn completion_place(&self, registers: &RegisterFile) -> (u64, bool) {
        let log2 = registers.get::<RingSize>(self.page).cq_log2();
        let base = wide::<CqBaseLo, CqBaseHi>(registers, self.page);
        let iova = element(base, self.cq_tail & ((1 << log2) - 1), Completion::BYTES);
        // Passes are counted from 0 and the first one has phase 1.
        (iova, (self.cq_tail >> log2) & 1 == 0)
    }

    /// The place was used.
    pub(super) fn completed(&mut self, registers: &mut RegisterFile) {
        self.cq_tail = self.cq_tail.wrapping_add(1);
        self.publish(registers);
    }

    fn publish(&self, registers: &mut RegisterFile) {
        registers.set(self.page, SqHead::default().with_index(self.sq_head));
        registers.set(self.page, CqTail::default().with_index(self.cq_tail));
    }
}

/// A 64-bit value that stands in two registers.
fn wide<L: Register, H: Register>(registers: &RegisterFile, page: Page) -> u64 {
    u64::from(registers.get::<L>(page).bits()) | u64::from(registers.get::<H>(page).bits()) << 32
}

/// IOVA of one element of a ring. A base near the top of the address space wraps as the hardware's adder does.
fn element(base: u64, index: u16, bytes: usize) -> u64 {
    base.wrapping_add(u64::from(index) * bytes as u64)
}
