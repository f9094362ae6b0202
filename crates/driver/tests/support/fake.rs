// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A device that does as it is told by a test: honest, forgetful, hung, gone or lying.
//!
//! It keeps the protocol of registers, rings and contexts but does no cryptography: its cipher is an XOR and its tag a
//! sum. It works inside the register write that rings its doorbell, so that tests are deterministic.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use sealgate_abi::regs::{self, Page, QUEUES, Register, RegisterInfo, RegisterIo};
use sealgate_abi::{
    Completion, ContextEntry, Direction, ENTRY_BYTES, Opcode, RecordEntry, Status, SubmissionEntry,
    sealed_bytes,
};
use sealgate_driver::memory::DmaMemory;
use sealgate_driver::transport::{DmaAccess, Iova, Transport, TransportError};

const TAG_BYTES: usize = 16;

/// Longer than any test takes that works.
const A_MINUTE: Duration = Duration::from_secs(60);

/// What the device is about to answer to one entry. A test may change it.
pub struct Answer {
    /// The entry.
    pub entry: RecordEntry,
    /// The completion; `None`: it is never written.
    pub completion: Option<Completion>,
    /// What is written to the destination.
    pub output: Vec<u8>,
}

type Script = Box<dyn FnMut(&mut Answer) + Send>;

/// A device under the control of a test.
pub struct Fake {
    state: Mutex<State>,
    interrupt: Condvar,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a fault of its own, on or off")]
struct State {
    registers: Vec<u32>,
    queues: [QueueState; QUEUES],
    contexts: HashMap<u16, Context>,
    contexts_log2: u8,
    mappings: BTreeMap<u64, (Arc<DmaMemory>, DmaAccess)>,
    next_iova: u64,
    interrupts: [bool; QUEUES],
    script: Option<Script>,
    chaos: Option<StdRng>,
    gone: bool,
    hung: bool,
    sleepers: usize,
    only_interrupts_wake: bool,
    resets_fail: bool,
    resets: usize,
    self_test: u32,
    version: u32,
    opcodes: Vec<u8>,
    doorbells: usize,
}

#[derive(Clone, Copy, Default)]
struct QueueState {
    sq_head: u16,
    cq_tail: u16,
}

struct Context {
    queue: usize,
    direction: u8,
    key: u8,
}

impl Fake {
    /// An honest device with 2^`contexts_log2` contexts.
    pub fn new(contexts_log2: u8) -> Arc<Self> {
        let mut state = State {
            registers: vec![0; regs::REGISTER_BYTES as usize / 4],
            queues: [QueueState::default(); QUEUES],
            contexts: HashMap::new(),
            contexts_log2,
            mappings: BTreeMap::new(),
            next_iova: 0x1_0000_0000,
            interrupts: [false; QUEUES],
            script: None,
            chaos: None,
            gone: false,
            hung: false,
            sleepers: 0,
            only_interrupts_wake: false,
            resets_fail: false,
            resets: 0,
            self_test: regs::SelftestState::Passed as u32,
            version: regs::Version::RESET,
            opcodes: Vec::new(),
            doorbells: 0,
        };
        state.reset();
        Arc::new(Self { state: Mutex::new(state), interrupt: Condvar::new() })
    }

    /// Lets `script` change every answer from now on.
    pub fn script(&self, script: impl FnMut(&mut Answer) + Send + 'static) {
        self.lock().script = Some(Box::new(script));
    }

    /// Answers honestly again.
    pub fn honest(&self) {
        let mut state = self.lock();
        state.script = None;
        state.chaos = None;
        state.resets_fail = false;
    }

    /// Lies about everything at random from now on.
    pub fn chaos(&self, seed: u64) {
        self.lock().chaos = Some(StdRng::seed_from_u64(seed));
    }

    /// Takes the card out, or puts it back.
    pub fn set_gone(&self, gone: bool) {
        self.lock().gone = gone;
    }

    /// Stops fetching entries, or goes on with those that come.
    pub fn set_hung(&self, hung: bool) {
        self.lock().hung = hung;
    }

    /// Threads that wait for an interrupt now.
    pub fn sleepers(&self) -> usize {
        self.lock().sleepers
    }

    /// Lets nobody who waits for an interrupt go before it comes.
    pub fn let_only_interrupts_wake(&self) {
        self.lock().only_interrupts_wake = true;
    }

    /// Fetches the entries that came while it was hung.
    pub fn catch_up(&self) {
        let mut state = self.lock();
        state.hung = false;
        for queue in 0..QUEUES {
            let tail = state.get(Page::Queue(queue as u8), regs::SqTail::OFFSET);
            state.serve(queue, tail as u16);
        }
        drop(state);
        self.interrupt.notify_all();
    }

    /// Makes resets fail, or succeed.
    pub fn set_resets_fail(&self, fail: bool) {
        self.lock().resets_fail = fail;
    }

    /// What the self test says from now on.
    pub fn set_self_test(&self, state: regs::SelftestState) {
        let mut fake = self.lock();
        fake.self_test = state as u32;
        fake.set(Page::Device, regs::Status::OFFSET, state as u32 | 4);
    }

    /// The version of the contract that the device says it keeps, from the next reset on.
    pub fn set_version_after_reset(&self, version: regs::Version) {
        self.lock().version = version.bits();
    }

    /// Overwrites a register.
    pub fn set_register(&self, page: Page, offset: u32, value: u32) {
        self.lock().set(page, offset, value);
    }

    /// Resets so far.
    pub fn resets(&self) -> usize {
        self.lock().resets
    }

    /// Blocks of memory that the device can reach.
    pub fn mappings(&self) -> usize {
        self.lock().mappings.len()
    }

    /// Whether anything that the device can reach holds `needle`.
    pub fn remembers(&self, needle: &[u8]) -> bool {
        self.lock().mappings.values().any(|(memory, _)| {
            let mut bytes = vec![0; memory.len()];
            memory.read(0, &mut bytes).expect("all of it");
            bytes.windows(needle.len()).any(|window| window == needle)
        })
    }

    /// Contexts that are loaded.
    pub fn loaded_contexts(&self) -> usize {
        self.lock().contexts.len()
    }

    /// The operations so far, and how many doorbells they took; counted from here on again.
    pub fn take_log(&self) -> (Vec<u8>, usize) {
        let mut state = self.lock();
        let doorbells = std::mem::take(&mut state.doorbells);
        (std::mem::take(&mut state.opcodes), doorbells)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics inside the device")
    }

    fn gone(&self) -> TransportError {
        TransportError::Gone { address: self.address().to_owned() }
    }
}

impl RegisterIo for Fake {
    fn read32(&self, offset: u32) -> u32 {
        let mut state = self.lock();
        if state.gone {
            return u32::MAX;
        }
        let honest = state.registers[offset as usize / 4];
        let Some(rng) = &mut state.chaos else { return honest };
        match rng.random_range(0..150) {
            0 => u32::MAX,
            1 => rng.next_u32(),
            2 => 0,
            _ => honest,
        }
    }

    fn write32(&self, offset: u32, value: u32) {
        let mut state = self.lock();
        if state.gone {
            return;
        }
        state.write(offset, value);
        state.misbehave();
        drop(state);
        self.interrupt.notify_all();
    }
}

impl Transport for Fake {
    fn address(&self) -> &'static str {
        "fake"
    }

    fn is_simulated(&self) -> bool {
        true
    }

    fn completion_timeout(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn map(&self, memory: &Arc<DmaMemory>, access: DmaAccess) -> Result<Iova, TransportError> {
        let mut state = self.lock();
        let iova = state.next_iova;
        state.next_iova += memory.len() as u64 + 0x10_0000;
        state.mappings.insert(iova, (Arc::clone(memory), access));
        Ok(Iova(iova))
    }

    fn unmap(&self, iova: Iova) -> Result<(), TransportError> {
        match self.lock().mappings.remove(&iova.0) {
            Some(_) => Ok(()),
            None => Err(TransportError::NotMapped { address: self.address().to_owned(), iova }),
        }
    }

    fn wait_for_interrupt(&self, queue: usize, timeout: Duration) -> Result<bool, TransportError> {
        let mut state = self.lock();
        state.misbehave();
        if let Some(rng) = &mut state.chaos {
            match rng.random_range(0..100) {
                0 => return Err(self.gone()),
                1..20 => return Ok(true),
                _ => {}
            }
        }
        let timeout = if state.only_interrupts_wake { A_MINUTE } else { timeout };
        state.sleepers += 1;
        let (mut state, _) = self
            .interrupt
            .wait_timeout_while(state, timeout, |state| !state.interrupts[queue])
            .expect("no test panics inside the device");
        state.sleepers -= 1;
        Ok(std::mem::take(&mut state.interrupts[queue]))
    }

    fn reset(&self) -> Result<(), TransportError> {
        let mut state = self.lock();
        state.resets += 1;
        let lost = state.chaos.as_mut().is_some_and(|rng| rng.random_ratio(1, 4));
        if state.gone || state.resets_fail || lost {
            return Err(self.gone());
        }
        state.reset();
        Ok(())
    }
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fake").finish_non_exhaustive()
    }
}

impl State {
    fn reset(&mut self) {
        self.registers.fill(0);
        for info in regs::REGISTERS {
            self.registers[info.address() as usize / 4] = info.reset;
        }
        let shape = regs::Shape::default()
            .with_lanes(1)
            .with_bus_bytes(16)
            .with_queues(QUEUES as u8)
            .with_contexts_log2(self.contexts_log2)
            .with_ring_log2_max(15);
        let features = regs::Features::default()
            .with_aes_128_gcm(true)
            .with_aes_256_gcm(true)
            .with_tls12(true)
            .with_tls13(true)
            .with_padding(true)
            .with_open_run(true);
        self.set(Page::Device, regs::Shape::OFFSET, shape.bits());
        self.set(Page::Device, regs::Features::OFFSET, features.bits());
        self.set(Page::Device, regs::SealMax::OFFSET, 1 << 14);
        self.set(Page::Device, regs::Version::OFFSET, self.version);
        self.set(Page::Device, regs::Status::OFFSET, self.self_test | 4);
        self.queues = [QueueState::default(); QUEUES];
        self.contexts.clear();
    }

    fn get(&self, page: Page, offset: u32) -> u32 {
        self.registers[(page.base() + offset) as usize / 4]
    }

    fn set(&mut self, page: Page, offset: u32, value: u32) {
        self.registers[(page.base() + offset) as usize / 4] = value;
    }

    fn write(&mut self, address: u32, value: u32) {
        let Some(info) = RegisterInfo::at(address) else { return };
        let word = &mut self.registers[address as usize / 4];
        *word = (*word & !info.stored()) | (value & info.stored());
        *word &= !(value & info.write_one_to_clear);
        match info.page {
            Page::Device
                if info.offset == regs::Control::OFFSET
                    && regs::Control::from_bits(value).zeroize() =>
            {
                self.contexts.clear();
            }
            Page::Queue(queue) if info.offset == regs::QueueControl::OFFSET => {
                self.queues[usize::from(queue)] = QueueState::default();
            }
            Page::Queue(queue) if info.offset == regs::SqTail::OFFSET => {
                let page = Page::Queue(queue);
                let control = self.get(page, regs::QueueControl::OFFSET);
                if !self.hung && regs::QueueControl::from_bits(control).enable() {
                    self.doorbells += 1;
                    self.serve(usize::from(queue), value as u16);
                }
            }
            _ => {}
        }
    }

    fn serve(&mut self, queue: usize, tail: u16) {
        let page = Page::Queue(queue as u8);
        let size = regs::RingSize::from_bits(self.get(page, regs::RingSize::OFFSET));
        assert!(tail.wrapping_sub(self.queues[queue].sq_head) <= 1 << size.sq_log2());
        while self.queues[queue].sq_head != tail {
            let head = self.queues[queue].sq_head;
            let place = u64::from(head & ((1 << size.sq_log2()) - 1));
            let base = self.wide(page, regs::SqBaseLo::OFFSET, regs::SqBaseHi::OFFSET);
            let mut entry: SubmissionEntry = [0; ENTRY_BYTES];
            self.dma_read(base + place * ENTRY_BYTES as u64, &mut entry);
            self.queues[queue].sq_head = head.wrapping_add(1);
            self.opcodes.push(entry[0]);
            let mut answer = self.answer(queue, entry);
            if let Some(mut script) = self.script.take() {
                script(&mut answer);
                self.script = Some(script);
            }
            self.dma_write(answer.entry.destination, &answer.output);
            if let Some(completion) = answer.completion {
                self.complete(queue, completion);
            }
        }
    }

    fn complete(&mut self, queue: usize, completion: Completion) {
        let page = Page::Queue(queue as u8);
        let size = regs::RingSize::from_bits(self.get(page, regs::RingSize::OFFSET)).cq_log2();
        let tail = self.queues[queue].cq_tail;
        let base = self.wide(page, regs::CqBaseLo::OFFSET, regs::CqBaseHi::OFFSET);
        let place = u64::from(tail & ((1 << size) - 1)) * Completion::BYTES as u64;
        let phase = if tail & (1 << size) == 0 { Completion::PHASE } else { 0 };
        let completion = Completion { status_phase: completion.status_phase ^ phase, ..completion };
        self.dma_write(base + place, &completion.to_bytes());
        self.queues[queue].cq_tail = tail.wrapping_add(1);
        let pending = self.get(Page::Device, regs::IrqStatus::OFFSET);
        if pending & (1 << queue) == 0 {
            self.set(Page::Device, regs::IrqStatus::OFFSET, pending | 1 << queue);
            self.interrupts[queue] = true;
        }
    }

    /// What an honest device says. The phase is added later.
    fn answer(&mut self, queue: usize, bytes: SubmissionEntry) -> Answer {
        let entry = RecordEntry::from_bytes(bytes);
        let result = match entry.opcode {
            opcode if opcode == Opcode::ContextLoad as u8 => self.load(queue, bytes),
            opcode if opcode == Opcode::ContextDrop as u8 => {
                let known = self.contexts.remove(&entry.context);
                known.map(|_| (0, Vec::new())).ok_or(Status::ContextMissing)
            }
            opcode if opcode == Opcode::Seal as u8 => self.seal(queue, &entry),
            opcode if opcode == Opcode::Open as u8 => self.open(queue, &entry),
            _ => Err(Status::UnknownOpcode),
        };
        let sq_head = self.queues[queue].sq_head;
        let common = Completion { cookie: entry.cookie, sq_head, ..Completion::default() };
        let (completion, output) = match result {
            Ok((0, output)) => (common, output),
            Ok((content_type, output)) => {
                let written = output.len() as u32;
                let consumed = entry.length;
                (Completion { written, consumed, records: 1, content_type, ..common }, output)
            }
            Err(status) => (Completion { status_phase: status as u8, ..common }, Vec::new()),
        };
        Answer { entry, completion: Some(completion), output }
    }

    fn load(&mut self, queue: usize, bytes: SubmissionEntry) -> Result<(u8, Vec<u8>), Status> {
        let entry = ContextEntry::from_bytes(bytes);
        if u32::from(entry.context) >= 1 << self.contexts_log2 {
            return Err(Status::ContextMissing);
        }
        if self.contexts.contains_key(&entry.context) {
            return Err(Status::ContextBusy);
        }
        let key = entry.key[0] ^ entry.iv[0];
        self.contexts.insert(entry.context, Context { queue, direction: entry.direction, key });
        Ok((0, Vec::new()))
    }

    fn key(&self, queue: usize, entry: &RecordEntry, direction: Direction) -> Result<u8, Status> {
        let context = self.contexts.get(&entry.context).ok_or(Status::ContextMissing)?;
        if context.queue != queue {
            return Err(Status::ContextForeign);
        }
        if context.direction != direction as u8 {
            return Err(Status::ContextDirection);
        }
        Ok(context.key ^ entry.sequence as u8)
    }

    fn seal(&self, queue: usize, entry: &RecordEntry) -> Result<(u8, Vec<u8>), Status> {
        let key = self.key(queue, entry, Direction::Seal)?;
        let mut inner = vec![0; entry.length as usize];
        self.dma_read(entry.source, &mut inner);
        let record_bytes = sealed_bytes(inner.len(), entry.padding_multiple);
        if record_bytes > entry.capacity as usize {
            return Err(Status::BadLength);
        }
        inner.push(entry.content_type);
        inner.resize(record_bytes - 5 - TAG_BYTES, 0);
        let tag = tag(&inner, key);
        let [high, low] = ((record_bytes - 5) as u16).to_be_bytes();
        let mut record = vec![23, 3, 3, high, low];
        record.extend(inner.iter().map(|byte| byte ^ key));
        record.extend(tag);
        Ok((entry.content_type, record))
    }

    fn open(&self, queue: usize, entry: &RecordEntry) -> Result<(u8, Vec<u8>), Status> {
        let key = self.key(queue, entry, Direction::Open)?;
        let mut record = vec![0; entry.length as usize];
        self.dma_read(entry.source, &mut record);
        if record[..3] != [23, 3, 3] {
            return Err(Status::BadHeader);
        }
        let (encrypted, given) = record[5..].split_at(record.len() - 5 - TAG_BYTES);
        let mut inner: Vec<u8> = encrypted.iter().map(|byte| byte ^ key).collect();
        if given != tag(&inner, key) {
            return Err(Status::BadTag);
        }
        let end = inner.iter().rposition(|byte| *byte != 0);
        let end = end.ok_or(Status::PaddingWithoutContent)?;
        let content_type = inner[end];
        inner.truncate(end);
        Ok((content_type, inner))
    }

    fn wide(&self, page: Page, low: u32, high: u32) -> u64 {
        u64::from(self.get(page, low)) | u64::from(self.get(page, high)) << 32
    }

    fn dma_read(&self, iova: u64, bytes: &mut [u8]) {
        let (base, (memory, _)) = self.mapping(iova);
        memory.read((iova - base) as usize, bytes).expect("inside the mapping");
    }

    fn dma_write(&self, iova: u64, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let (base, (memory, access)) = self.mapping(iova);
        assert_eq!(*access, DmaAccess::ReadWrite);
        memory.write((iova - base) as usize, bytes).expect("inside the mapping");
    }

    fn mapping(&self, iova: u64) -> (u64, &(Arc<DmaMemory>, DmaAccess)) {
        let (base, mapping) = self.mappings.range(..=iova).next_back().expect("mapped");
        (*base, mapping)
    }

    /// Writes nonsense wherever the device may write.
    fn misbehave(&mut self) {
        let Some(mut rng) = self.chaos.take() else { return };
        if rng.random_ratio(1, 40) {
            for _ in 0..rng.random_range(1..8) {
                self.scribble(&mut rng);
            }
        }
        self.hung = rng.random_ratio(1, 150);
        let mut lies = StdRng::seed_from_u64(rng.next_u64());
        self.script = Some(Box::new(move |answer| lie(answer, &mut lies)));
        self.chaos = Some(rng);
    }

    fn scribble(&self, rng: &mut StdRng) {
        let writable: Vec<_> = self
            .mappings
            .values()
            .filter(|(_, access)| *access == DmaAccess::ReadWrite)
            .map(|(memory, _)| memory)
            .collect();
        let Some(memory) = writable.get(rng.random_range(0..writable.len().max(1))) else { return };
        let queue = self.queues[rng.random_range(0..QUEUES)];
        let completion = Completion {
            cookie: near(queue.sq_head, rng),
            sq_head: near(queue.sq_head, rng),
            written: rng.next_u32() >> rng.random_range(0..32),
            consumed: rng.next_u32() >> rng.random_range(0..32),
            records: rng.random(),
            content_type: rng.random(),
            status_phase: rng.random::<u8>() & rng.random::<u8>(),
        };
        let place = near(queue.cq_tail, rng) as usize * Completion::BYTES;
        memory.write(place % memory.len(), &completion.to_bytes()).expect("whole blocks");
    }
}

/// Spoils an answer, most of the time.
fn lie(answer: &mut Answer, rng: &mut StdRng) {
    let Some(completion) = &mut answer.completion else { return };
    match rng.random_range(0..150) {
        0 => completion.cookie = rng.random(),
        1 => completion.cookie = near(completion.cookie, rng),
        2 => completion.sq_head = rng.random(),
        3 => completion.sq_head = near(completion.sq_head, rng),
        4 => completion.written = rng.next_u32(),
        5 => completion.written = completion.written.wrapping_add(1),
        6 => completion.consumed = rng.next_u32(),
        7 => completion.records = rng.random(),
        8 => completion.content_type = rng.random(),
        9 => completion.status_phase = rng.random(),
        10 | 14..20 => answer.completion = None,
        11 => answer.output.iter_mut().for_each(|byte| *byte = rng.random()),
        12 => answer.output.clear(),
        13 => completion.status_phase = rng.random_range(0..20),
        _ => {}
    }
}

fn near(index: u16, rng: &mut StdRng) -> u16 {
    index.wrapping_add(rng.random_range(0..6)).wrapping_sub(3)
}

fn tag(inner: &[u8], key: u8) -> [u8; TAG_BYTES] {
    let sum = inner.iter().fold(u64::from(key), |sum, byte| {
        sum.wrapping_mul(0x0100_0000_01B3).wrapping_add(u64::from(*byte))
    });
    let mut tag = [key; TAG_BYTES];
    tag[..8].copy_from_slice(&sum.to_le_bytes());
    tag
}
