// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The software device: the contract of `docs/device.md` in Rust, written to be checked against that page line by line.
//! It is the reference for the RTL and the device of machines without Verilator.
//!
//! It serves the queues in turn, one record a turn, and does nothing between two turns, so a reset is done when it is
//! asked for. It has no clock: its cycles count the beats of 16 bytes that an entry moves, and go on by themselves when
//! the device has nothing to do but to wait for the age of an interrupt message.

mod counters;
mod entry;
mod interrupts;
mod queue;
mod record;
mod registers;
mod selftest;

use std::array;
use std::hint;
use std::sync::Arc;

use sealgate_abi::regs::{
    Control, Errors, Features, IrqEnable, IrqModeration, IrqStatus, Page, QUEUES, QueueControl,
    QueueErrors, Register, SealMax, SelftestState, Shape, Snapshot, Status as DeviceStatus,
};
use sealgate_abi::{
    Completion, ENTRY_BYTES, MAX_SEAL_BYTES, MAX_TLS12_RECORD_BYTES, RecordEntry, Status,
};
use zeroize::Zeroize;

use crate::device::{Activity, Device, InterruptCounts};
use crate::iommu::HostMemory;
use counters::Counters;
use entry::{Done, Progress, Sealing};
use interrupts::Interrupts;
use queue::Queue;
use record::Keys;
use registers::{RegisterFile, Written};

const CONTEXTS_LOG2: u8 = 10;
const CONTEXTS: usize = 1 << CONTEXTS_LOG2;
const RING_LOG2_MAX: u8 = 15;
const BUS_BYTES: usize = 16;

/// The software device.
pub(crate) struct Model {
    memory: Arc<HostMemory>,
    registers: RegisterFile,
    queues: [Queue; QUEUES],
    /// The queue whose turn it is.
    turn: usize,
    /// By queue: the entry whose records are being made.
    sealing: [Option<Sealing>; QUEUES],
    contexts: Vec<Option<Context>>,
    selftest: SelftestState,
    /// `CONTROL.zeroize` was written and waits for the entries in flight.
    zeroizing: bool,
    counters: Counters,
    /// Cycles before the last reset, which the counter no longer holds.
    past_cycles: u64,
    interrupts: Interrupts,
    frozen: bool,
    /// The record under way; wiped after each turn.
    staging: Vec<u8>,
}

/// A loaded key context.
struct Context {
    /// The queue that loaded it.
    owner: usize,
    keys: Keys,
}

impl Model {
    pub(crate) fn new(memory: Arc<HostMemory>) -> Self {
        let mut model = Self {
            memory,
            registers: RegisterFile::new(),
            queues: array::from_fn(|queue| Queue::new(queue as u8)),
            turn: 0,
            sealing: array::from_fn(|_| None),
            contexts: (0..CONTEXTS).map(|_| None).collect(),
            selftest: SelftestState::Running,
            zeroizing: false,
            counters: Counters::default(),
            past_cycles: 0,
            interrupts: Interrupts::default(),
            frozen: false,
            staging: Vec::with_capacity(MAX_TLS12_RECORD_BYTES),
        };
        model.describe();
        model
    }

    /// Fills in the registers that say what the device is.
    fn describe(&mut self) {
        let shape = Shape::default()
            .with_lanes(1)
            .with_bus_bytes(BUS_BYTES as u8)
            .with_queues(QUEUES as u8)
            .with_contexts_log2(CONTEXTS_LOG2)
            .with_ring_log2_max(RING_LOG2_MAX);
        let features = Features::default()
            .with_aes_128_gcm(true)
            .with_aes_256_gcm(true)
            .with_chacha20_poly1305(true)
            .with_tls12(true)
            .with_tls13(true)
            .with_padding(true)
            .with_segmentation(true)
            .with_open_run(true);
        let seal_max = SealMax::default().with_bytes(MAX_SEAL_BYTES as u32);
        self.registers.set(Page::Device, shape);
        self.registers.set(Page::Device, features);
        self.registers.set(Page::Device, seal_max);
    }

    /// The host wrote a register.
    fn written(&mut self, written: &Written) {
        match (written.page, written.offset) {
            (Page::Device, Control::OFFSET) => {
                let control = Control::from_bits(written.after);
                if control.reset() {
                    self.soft_reset();
                }
                if control.zeroize() {
                    self.zeroizing = true;
                    self.finish_zeroize();
                }
            }
            (Page::Device, IrqStatus::OFFSET | IrqEnable::OFFSET | IrqModeration::OFFSET) => {
                self.send_interrupts();
            }
            (Page::Device, Snapshot::OFFSET) if Snapshot::from_bits(written.after).take() => {
                self.counters.snapshot(&mut self.registers);
            }
            (Page::Queue(queue), QueueControl::OFFSET) => {
                let queue = &mut self.queues[usize::from(queue)];
                let was = QueueControl::from_bits(written.before).enable();
                match (was, QueueControl::from_bits(written.after).enable()) {
                    (false, true) => queue.start(&mut self.registers),
                    (_, false) => queue.stop(),
                    (true, true) => {}
                }
            }
            _ => {}
        }
    }

    /// `CONTROL.reset`: queues disabled and empty, contexts wiped, counters 0, the self test to be run again.
    fn soft_reset(&mut self) {
        for queue in &mut self.queues {
            queue.reset(&mut self.registers);
        }
        self.sealing.fill_with(|| None);
        self.zeroizing = false;
        self.wipe_contexts();
        self.past_cycles += self.counters.cycles;
        self.counters = Counters::default();
        self.interrupts.forget_age();
        self.turn = 0;
        self.selftest = SelftestState::Running;
        self.show_status();
    }

    /// Wipes all contexts once nothing is in flight, if that was asked for.
    fn finish_zeroize(&mut self) {
        if self.zeroizing && !self.is_busy() {
            self.wipe_contexts();
            self.zeroizing = false;
        }
        self.show_status();
    }

    fn wipe_contexts(&mut self) {
        self.contexts.fill_with(|| None);
    }

    fn run_selftest(&mut self) {
        let fault = self.registers.get::<Control>(Page::Device).selftest_fault();
        if selftest::passes(fault) {
            self.selftest = SelftestState::Passed;
        } else {
            self.wipe_contexts();
            self.registers
                .update::<Errors>(Page::Device, |errors| errors.with_selftest_failed(true));
            self.selftest = SelftestState::Failed;
        }
        self.show_status();
    }

    /// Whether an entry is in flight.
    fn is_busy(&self) -> bool {
        self.sealing.iter().any(Option::is_some)
    }

    /// Whether the device takes entries.
    fn is_ready(&self) -> bool {
        self.selftest == SelftestState::Passed && !self.zeroizing
    }

    fn show_status(&mut self) {
        let status = DeviceStatus::default()
            .with_selftest(self.selftest)
            .with_ready(self.is_ready())
            .with_busy(self.is_busy());
        self.registers.set(Page::Device, status);
    }

    /// Makes one record, or serves one entry, of the next queue that has one.
    fn serve(&mut self) -> Activity {
        for offset in 0..QUEUES {
            let number = (self.turn + offset) % QUEUES;
            if self.take_turn(number) {
                self.turn = (number + 1) % QUEUES;
                self.wipe_staging();
                self.finish_zeroize();
                self.send_interrupts();
                return Activity::Busy;
            }
        }
        self.await_interrupts()
    }

    /// One turn of a queue. `false`: it has nothing to do.
    fn take_turn(&mut self, number: usize) -> bool {
        if let Some(sealing) = self.sealing[number].take() {
            self.seal_record(number, sealing);
            return true;
        }
        if !self.registers.get::<Control>(Page::Device).enable() {
            return false;
        }
        let Some(slot) = self.queues[number].fetch(&mut self.registers) else { return false };
        let mut entry = [0; ENTRY_BYTES];
        let result = match self.fetch(number, slot.iova, &mut entry) {
            Ok(()) => self.execute(number, slot.next, &entry),
            Err(status) => Err(status),
        };
        let cookie = RecordEntry::from_bytes(entry).cookie;
        entry.zeroize();
        match result {
            Ok(Progress::Sealing(sealing)) => self.seal_record(number, sealing),
            Ok(Progress::Done(done)) => self.complete(number, cookie, slot.next, Ok(done)),
            Err(status) => self.complete(number, cookie, slot.next, Err(status)),
        }
        true
    }

    /// Leaves nothing of the last record behind. `zeroize` would go byte by byte.
    fn wipe_staging(&mut self) {
        self.staging.fill(0);
        hint::black_box(&mut self.staging).clear();
    }

    fn fetch(&mut self, number: usize, iova: u64, entry: &mut [u8]) -> Result<(), Status> {
        self.count_read(ENTRY_BYTES);
        self.memory.read(iova, entry).map_err(|_| {
            let page = Page::Queue(number as u8);
            self.registers.update::<QueueErrors>(page, |errors| errors.with_entry_fault(true));
            self.registers.update::<Errors>(Page::Device, |errors| errors.with_read_fault(true));
            Status::EntryFault
        })
    }

    /// Reads `length` bytes into the staging buffer, behind `room` bytes.
    fn read_source(&mut self, room: usize, source: u64, length: usize) -> Result<(), Status> {
        self.count_read(length);
        self.staging.clear();
        self.staging.resize(room + length, 0);
        self.memory.read(source, &mut self.staging[room..]).map_err(|_| {
            self.registers.update::<Errors>(Page::Device, |errors| errors.with_read_fault(true));
            Status::SourceFault
        })
    }

    /// Writes `length` bytes of the staging buffer, from `start` on.
    fn write_destination(&mut self, iova: u64, start: usize, length: usize) -> Result<(), Status> {
        self.count_write(length);
        self.memory.write(iova, &self.staging[start..start + length]).map_err(|_| {
            self.registers.update::<Errors>(Page::Device, |errors| errors.with_write_fault(true));
            Status::DestinationFault
        })
    }

    /// Writes the completion of an entry, counts it and says so.
    fn complete(&mut self, number: usize, cookie: u16, sq_head: u16, result: Result<Done, Status>) {
        let (status, done) = match result {
            Ok(done) => (Status::Success, done),
            Err(status) => (status, Done::default()),
        };
        let (iova, phase) = self.queues[number].completion_place(&self.registers);
        let completion = Completion {
            cookie,
            sq_head,
            written: done.written as u32,
            consumed: done.consumed as u32,
            records: done.records,
            content_type: done.content_type,
            status_phase: status as u8 | if phase { Completion::PHASE } else { 0 },
        };
        self.count_write(Completion::BYTES);
        let beat = completion.to_bytes();
        if self.memory.write_beat(iova, &beat, 0xFFFF).is_err() {
            let page = Page::Queue(number as u8);
            self.registers.update::<QueueErrors>(page, |errors| errors.with_completion_fault(true));
            self.registers.update::<Errors>(Page::Device, |errors| errors.with_write_fault(true));
        }
        self.queues[number].completed(&mut self.registers);
        self.counters.queues[number].entries += 1;
        self.counters.queues[number].refused += u64::from(status != Status::Success);
        self.interrupts.completed(&mut self.registers, number, self.counters.cycles);
    }

    fn send_interrupts(&mut self) {
        self.interrupts.send(&self.registers, self.counters.cycles);
    }

    /// With nothing else to do time goes on until the message that is held back longest is old enough.
    fn await_interrupts(&mut self) -> Activity {
        let Some(due) = self.interrupts.next_due(&self.registers) else { return Activity::Quiet };
        self.counters.cycles = self.counters.cycles.max(due);
        self.send_interrupts();
        Activity::Busy
    }

    /// The bus delivered `bytes`.
    fn count_read(&mut self, bytes: usize) {
        self.counters.read_beats += self.count_beats(bytes);
    }

    /// The bus took `bytes`.
    fn count_write(&mut self, bytes: usize) {
        self.counters.write_beats += self.count_beats(bytes);
    }

    fn count_beats(&mut self, bytes: usize) -> u64 {
        let beats = bytes.div_ceil(BUS_BYTES) as u64;
        self.counters.cycles += beats;
        self.counters.busy += beats;
        beats
    }

    /// The lane took `bytes` of text.
    fn count_text(&mut self, bytes: usize) {
        let words = bytes.div_ceil(BUS_BYTES) as u64;
        self.counters.lane_beats += words;
        self.counters.lane_busy += words;
    }
}

impl Device for Model {
    fn read(&mut self, offset: u32) -> u32 {
        self.registers.host_read(offset)
    }

    fn write(&mut self, offset: u32, value: u32) {
        if let Some(written) = self.registers.host_write(offset, value) {
            self.written(&written);
        }
    }

    fn run(&mut self) -> Activity {
        if self.frozen {
            return Activity::Quiet;
        }
        if self.selftest == SelftestState::Running {
            self.run_selftest();
        }
        self.serve()
    }

    fn take_interrupts(&mut self) -> InterruptCounts {
        self.interrupts.take()
    }

    fn reset(&mut self) {
        let cycles = self.cycles();
        let frozen = self.frozen;
        *self = Self::new(Arc::clone(&self.memory));
        self.past_cycles = cycles;
        self.frozen = frozen;
    }

    fn freeze(&mut self, frozen: bool) {
        self.frozen = frozen;
    }

    fn cycles(&self) -> u64 {
        self.past_cycles + self.counters.cycles
    }

    fn protocol_errors(&self) -> Vec<String> {
        Vec::new()
    }
}
