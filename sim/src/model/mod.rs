// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The software device: the contract of `docs/device.md` in Rust, written to be checked against that page line by line.
//! It is the reference for the RTL and the device of machines without Verilator.
//!
//! It serves one entry after the other, so nothing is in flight when a register is accessed: a reset and a zeroize are
//! done when they are asked for. It has no clock; its cycles count the beats of 16 bytes that an entry moves.

mod counters;
mod queue;
mod record;
mod registers;
mod selftest;

use std::array;
use std::hint;
use std::mem;
use std::sync::Arc;

use sealgate_abi::regs::{
    Control, Errors, Features, IrqEnable, IrqStatus, Page, QUEUES, QueueControl, QueueErrors,
    Register, SealMax, SelftestState, Shape, Snapshot, Status as DeviceStatus,
};
use sealgate_abi::{
    Completion, ContextEntry, Direction, ENTRY_BYTES, MAX_FRAGMENT_BYTES, MAX_RECORD_BYTES,
    MIN_RECORD_BYTES, Opcode, RECORD_HEADER_BYTES, RecordEntry, SEAL_SEQUENCE_LIMIT, Status, Suite,
    TAG_BYTES, TlsVersion, sealed_bytes,
};
use zeroize::Zeroize;

use crate::device::{Activity, Device, InterruptCounts};
use crate::iommu::HostMemory;
use counters::Counters;
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
    contexts: Vec<Option<Context>>,
    selftest: SelftestState,
    counters: Counters,
    /// Cycles before the last reset, which the counter no longer holds.
    past_cycles: u64,
    interrupts: InterruptCounts,
    /// The bits of `IRQ_STATUS` whose message was sent.
    signalled: u32,
    frozen: bool,
    /// The record under way; wiped after each entry.
    staging: Vec<u8>,
}

/// A loaded key context.
struct Context {
    /// The queue that loaded it.
    owner: usize,
    keys: Keys,
}

/// What a completion tells of an entry that succeeded.
#[derive(Default)]
struct Done {
    written: usize,
    consumed: usize,
    records: u16,
    content_type: u8,
}

impl Model {
    pub(crate) fn new(memory: Arc<HostMemory>) -> Self {
        let mut model = Self {
            memory,
            registers: RegisterFile::new(),
            queues: array::from_fn(|queue| Queue::new(queue as u8)),
            turn: 0,
            contexts: (0..CONTEXTS).map(|_| None).collect(),
            selftest: SelftestState::Running,
            counters: Counters::default(),
            past_cycles: 0,
            interrupts: InterruptCounts::default(),
            signalled: 0,
            frozen: false,
            staging: Vec::with_capacity(MAX_RECORD_BYTES),
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
            .with_tls13(true)
            .with_padding(true);
        let seal_max = SealMax::default().with_bytes(MAX_FRAGMENT_BYTES as u32);
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
                    self.wipe_contexts();
                }
            }
            (Page::Device, IrqStatus::OFFSET | IrqEnable::OFFSET) => self.send_interrupts(),
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
        self.wipe_contexts();
        self.past_cycles += self.counters.cycles;
        self.counters = Counters::default();
        self.turn = 0;
        self.set_selftest(SelftestState::Running);
    }

    fn wipe_contexts(&mut self) {
        self.contexts.fill_with(|| None);
    }

    fn run_selftest(&mut self) {
        let fault = self.registers.get::<Control>(Page::Device).selftest_fault();
        if selftest::passes(fault) {
            self.set_selftest(SelftestState::Passed);
        } else {
            self.wipe_contexts();
            self.registers
                .update::<Errors>(Page::Device, |errors| errors.with_selftest_failed(true));
            self.set_selftest(SelftestState::Failed);
        }
    }

    fn set_selftest(&mut self, state: SelftestState) {
        self.selftest = state;
        let ready = state == SelftestState::Passed;
        let status = DeviceStatus::default().with_selftest(state).with_ready(ready);
        self.registers.set(Page::Device, status);
    }

    /// Serves one entry of the next queue that has one.
    fn serve(&mut self) -> Activity {
        if !self.registers.get::<Control>(Page::Device).enable() {
            return Activity::Quiet;
        }
        for offset in 0..QUEUES {
            let number = (self.turn + offset) % QUEUES;
            if let Some(slot) = self.queues[number].fetch(&mut self.registers) {
                self.turn = (number + 1) % QUEUES;
                let mut entry = [0; ENTRY_BYTES];
                let result = match self.fetch(number, slot.iova, &mut entry) {
                    Ok(()) => self.execute(number, &entry),
                    Err(status) => Err(status),
                };
                self.wipe_staging();
                let cookie = RecordEntry::from_bytes(entry).cookie;
                entry.zeroize();
                self.complete(number, cookie, slot.next, result);
                return Activity::Busy;
            }
        }
        Activity::Quiet
    }

    /// Leaves nothing of the last record behind. `zeroize` would go byte by byte.
    fn wipe_staging(&mut self) {
        self.staging.fill(0);
        hint::black_box(&mut self.staging).clear();
    }

    fn fetch(&mut self, number: usize, iova: u64, entry: &mut [u8]) -> Result<(), Status> {
        self.count_beats(ENTRY_BYTES);
        self.memory.read(iova, entry).map_err(|_| {
            let page = Page::Queue(number as u8);
            self.registers.update::<QueueErrors>(page, |errors| errors.with_entry_fault(true));
            self.registers.update::<Errors>(Page::Device, |errors| errors.with_read_fault(true));
            Status::EntryFault
        })
    }

    fn execute(&mut self, queue: usize, entry: &[u8; ENTRY_BYTES]) -> Result<Done, Status> {
        const NOP: u8 = Opcode::Nop as u8;
        const CONTEXT_LOAD: u8 = Opcode::ContextLoad as u8;
        const CONTEXT_DROP: u8 = Opcode::ContextDrop as u8;
        const SEAL: u8 = Opcode::Seal as u8;
        const OPEN: u8 = Opcode::Open as u8;

        if self.selftest != SelftestState::Passed {
            return Err(Status::NotReady);
        }
        match entry[0] {
            NOP => Ok(Done::default()),
            CONTEXT_LOAD => self.context_load(queue, ContextEntry::from_bytes(*entry)),
            CONTEXT_DROP => self.context_drop(queue, RecordEntry::from_bytes(*entry)),
            SEAL => self.seal(queue, RecordEntry::from_bytes(*entry)),
            OPEN => self.open(queue, RecordEntry::from_bytes(*entry)),
            _ => Err(Status::UnknownOpcode),
        }
    }

    fn context_load(&mut self, owner: usize, mut entry: ContextEntry) -> Result<Done, Status> {
        let suite = suite(entry.suite).ok_or(Status::InvalidField)?;
        let direction = direction(entry.direction).ok_or(Status::InvalidField)?;
        if entry.version != TlsVersion::Tls13 as u8 || entry.reserved != [0; 12] {
            return Err(Status::InvalidField);
        }
        let context =
            self.contexts.get_mut(usize::from(entry.context)).ok_or(Status::ContextMissing)?;
        if context.is_some() {
            return Err(Status::ContextBusy);
        }
        let keys = Keys::new(suite, direction, &entry.key, entry.iv);
        entry.key.zeroize();
        *context = Some(Context { owner, keys });
        Ok(Done::default())
    }

    fn context_drop(&mut self, queue: usize, entry: RecordEntry) -> Result<Done, Status> {
        self.context(queue, entry.context)?;
        self.contexts[usize::from(entry.context)] = None;
        Ok(Done::default())
    }

    fn seal(&mut self, queue: usize, entry: RecordEntry) -> Result<Done, Status> {
        let padding_is_valid = entry.padding_multiple == 0
            || (entry.padding_multiple.is_power_of_two()
                && usize::from(entry.padding_multiple) <= MAX_FRAGMENT_BYTES);
        if entry.content_type == 0 || !padding_is_valid || !reserved_is_zero(&entry) {
            return Err(Status::InvalidField);
        }
        self.keys(queue, entry.context, Direction::Seal)?;
        if entry.sequence >= SEAL_SEQUENCE_LIMIT {
            return Err(Status::SequenceExhausted);
        }
        let length = entry.length as usize;
        if length > MAX_FRAGMENT_BYTES
            || sealed_bytes(length, entry.padding_multiple) > entry.capacity as usize
        {
            return Err(Status::BadLength);
        }

        self.read_source(RECORD_HEADER_BYTES, entry.source, length)?;
        let mut record = mem::take(&mut self.staging);
        let keys = self.keys(queue, entry.context, Direction::Seal)?;
        keys.seal(&mut record, entry.content_type, entry.padding_multiple, entry.sequence);
        self.count_text(record.len() - RECORD_HEADER_BYTES - TAG_BYTES);
        self.staging = record;
        self.write_destination(entry.destination, 0, self.staging.len())?;

        self.counters.sealed_records += 1;
        self.counters.sealed_bytes += length as u64;
        let written = self.staging.len();
        Ok(Done { written, consumed: length, records: 1, content_type: entry.content_type })
    }

    fn open(&mut self, queue: usize, entry: RecordEntry) -> Result<Done, Status> {
        if entry.content_type != 0 || entry.padding_multiple != 0 || !reserved_is_zero(&entry) {
            return Err(Status::InvalidField);
        }
        self.keys(queue, entry.context, Direction::Open)?;
        if entry.sequence == u64::MAX {
            return Err(Status::SequenceExhausted);
        }
        let length = entry.length as usize;
        if !(MIN_RECORD_BYTES..=MAX_RECORD_BYTES).contains(&length)
            || length - MIN_RECORD_BYTES > entry.capacity as usize
        {
            return Err(Status::BadLength);
        }

        self.read_source(0, entry.source, length)?;
        let mut record = mem::take(&mut self.staging);
        self.count_text(length - RECORD_HEADER_BYTES - TAG_BYTES);
        let keys = self.keys(queue, entry.context, Direction::Open)?;
        let opened = keys.open(&mut record, entry.sequence);
        self.staging = record;
        let content = opened.inspect_err(|_| self.counters.rejected_records += 1)?;
        self.write_destination(entry.destination, RECORD_HEADER_BYTES, content.length)?;

        self.counters.opened_records += 1;
        self.counters.opened_bytes += content.length as u64;
        let content_type = content.content_type;
        Ok(Done { written: content.length, consumed: length, records: 1, content_type })
    }

    /// The context of this number, if `queue` may use it.
    fn context(&self, queue: usize, number: u16) -> Result<&Context, Status> {
        let context = self.contexts.get(usize::from(number)).and_then(Option::as_ref);
        let context = context.ok_or(Status::ContextMissing)?;
        if context.owner != queue {
            return Err(Status::ContextForeign);
        }
        Ok(context)
    }

    /// The keys of a context that works in `direction`.
    fn keys(&self, queue: usize, number: u16, direction: Direction) -> Result<&Keys, Status> {
        let context = self.context(queue, number)?;
        if context.keys.direction != direction {
            return Err(Status::ContextDirection);
        }
        Ok(&context.keys)
    }

    /// Reads `length` bytes into the staging buffer, behind `room` bytes.
    fn read_source(&mut self, room: usize, source: u64, length: usize) -> Result<(), Status> {
        self.count_beats(length);
        self.staging.clear();
        self.staging.resize(room + length, 0);
        self.memory.read(source, &mut self.staging[room..]).map_err(|_| {
            self.registers.update::<Errors>(Page::Device, |errors| errors.with_read_fault(true));
            Status::SourceFault
        })
    }

    /// Writes `length` bytes of the staging buffer, from `start` on.
    fn write_destination(&mut self, iova: u64, start: usize, length: usize) -> Result<(), Status> {
        self.count_beats(length);
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
        self.count_beats(Completion::BYTES);
        if self.memory.write_beat(iova, completion.to_bytes()).is_err() {
            let page = Page::Queue(number as u8);
            self.registers.update::<QueueErrors>(page, |errors| errors.with_completion_fault(true));
            self.registers.update::<Errors>(Page::Device, |errors| errors.with_write_fault(true));
        }
        self.queues[number].completed(&mut self.registers);
        self.counters.queues[number].entries += 1;
        self.counters.queues[number].refused += u64::from(status != Status::Success);
        self.interrupt(number);
    }

    /// The queue's bit in `IRQ_STATUS` rises, or is high already.
    fn interrupt(&mut self, number: usize) {
        let before = self.registers.get::<IrqStatus>(Page::Device).bits();
        self.registers.set(Page::Device, IrqStatus::from_bits(before | 1 << number));
        self.send_interrupts();
    }

    /// Sends the message of each bit that is high and enabled and did not send one since it rose.
    fn send_interrupts(&mut self) {
        let high = self.registers.get::<IrqStatus>(Page::Device).bits();
        let enabled = self.registers.get::<IrqEnable>(Page::Device).bits();
        self.signalled &= high;
        let owed = high & enabled & !self.signalled;
        self.signalled |= owed;
        for (queue, count) in self.interrupts.iter_mut().enumerate() {
            *count += owed >> queue & 1;
        }
    }

    /// The bus moved `bytes`.
    fn count_beats(&mut self, bytes: usize) {
        let beats = bytes.div_ceil(BUS_BYTES) as u64;
        self.counters.cycles += beats;
        self.counters.busy += beats;
    }

    /// The lane took `bytes` of text.
    fn count_text(&mut self, bytes: usize) {
        self.counters.lane_beats += bytes.div_ceil(BUS_BYTES) as u64;
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
        mem::take(&mut self.interrupts)
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

fn reserved_is_zero(entry: &RecordEntry) -> bool {
    entry.reserved.iter().all(|&byte| byte == 0)
}

fn suite(code: u8) -> Option<Suite> {
    [Suite::Aes128Gcm, Suite::Aes256Gcm].into_iter().find(|&suite| suite as u8 == code)
}

fn direction(code: u8) -> Option<Direction> {
    [Direction::Seal, Direction::Open].into_iter().find(|&direction| direction as u8 == code)
}
