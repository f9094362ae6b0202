// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A device on the bench: registers, rings and buffers, at the level at which a test can also do everything wrong.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

pub mod tls;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use sealgate_abi::regs::{
    Control, CqBaseHi, CqBaseLo, CqHead, IrqEnable, LANES, QueueControl, QueuePage, Register,
    RingSize, Sealgate, SelftestState, SqBaseHi, SqBaseLo, SqTail,
};
use sealgate_abi::{Completion, Direction, ENTRY_BYTES, RecordEntry, Status, SubmissionEntry};
use sealgate_driver::memory::DmaMemory;
use sealgate_driver::transport::{DmaAccess, Iova, Transport};
#[cfg(feature = "rtl")]
use sealgate_sim::BusConfig;
use sealgate_sim::{Shape, SimConfig, SimTransport};
use tls::Keys;

/// Nothing that a test waits for takes nearly as long; only a device that hangs does.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Runs `test` on every device: the software device and, with feature `rtl`, the RTL behind a calm bus and, in every
/// shape that was built, behind a hostile one. Whatever a test did, the RTL must have kept to the bus protocol.
pub fn on_each_device(test: impl Fn(&Rig)) {
    on_each_device_with_seed(seed(), test);
}

/// As [`on_each_device`], with the seed that the test itself uses.
pub fn on_each_device_with_seed(seed: u64, test: impl Fn(&Rig)) {
    for rig in devices(seed) {
        println!("device: {}, seed: {seed}", rig.name);
        rig.wait_for_selftest();
        test(&rig);
        let errors = rig.transport.control().protocol_errors();
        assert!(errors.is_empty(), "bus protocol: {errors:#?}");
    }
}

/// Every device that this build has, started.
pub fn devices(seed: u64) -> Vec<Rig> {
    let config = SimConfig { seed, ..SimConfig::default() };
    let rig = |name, shape, transport| Rig { name, shape, transport };
    let model = SimTransport::model(config.clone()).expect("the software device starts");
    #[cfg_attr(not(feature = "rtl"), expect(unused_mut, reason = "there is no other device"))]
    let mut devices = vec![rig("software device".to_owned(), Shape::NARROWEST, model)];
    #[cfg(feature = "rtl")]
    {
        let start = |config| SimTransport::rtl(config).expect("the RTL starts");
        let calm = start(config.clone());
        devices.push(rig("RTL, calm bus".to_owned(), Shape::NARROWEST, calm));
        for shape in sealgate_sim::rtl::shapes() {
            let hostile = SimConfig { bus: BusConfig::hostile(), ..config.clone() };
            let transport = start(hostile.with_shape(shape));
            devices.push(rig(format!("RTL {shape}, hostile bus"), shape, transport));
        }
        if cfg!(feature = "rtl-shapes") {
            let bus = BusConfig::hostile();
            let transport = start(SimConfig { pipelined: true, bus, ..config.clone() });
            let name = "RTL with pipelined lanes, hostile bus".to_owned();
            devices.push(rig(name, Shape::NARROWEST, transport));
        }
    }
    devices
}

/// The seed of a random test: `SEALGATE_SEED`, else a new one. It is printed when a test fails.
pub fn seed() -> u64 {
    match std::env::var("SEALGATE_SEED") {
        Ok(seed) => seed.parse().expect("SEALGATE_SEED is a number"),
        Err(_) => RandomState::new().build_hasher().finish(),
    }
}

/// A device and the memory that it was given.
pub struct Rig {
    pub name: String,
    pub shape: Shape,
    pub transport: Arc<SimTransport>,
}

impl Rig {
    /// A device of the narrowest shape.
    pub fn of(transport: Arc<SimTransport>) -> Self {
        Self { name: transport.address().to_owned(), shape: Shape::NARROWEST, transport }
    }

    /// Whether this is the software device.
    pub fn is_model(&self) -> bool {
        self.transport.address() == "sim:model"
    }

    pub fn registers(&self) -> Sealgate<'_, SimTransport> {
        Sealgate::new(&*self.transport)
    }

    pub fn selftest(&self) -> SelftestState {
        self.registers().device().status().read().selftest().expect("a state of the self test")
    }

    /// Waits for the end of the self test and lets the device fetch.
    pub fn wait_for_selftest(&self) {
        wait_until("the self test ends", || self.selftest() != SelftestState::Running);
        self.registers().device().control().modify(|control| control.with_enable(true));
    }

    /// Writes `CONTROL.reset` and waits until the device is there again.
    pub fn soft_reset(&self) {
        self.control(|control| control.with_reset(true));
        self.wait_for_selftest();
    }

    /// Writes `CONTROL` with fetching enabled.
    pub fn control(&self, change: impl FnOnce(Control) -> Control) {
        self.registers().device().control().modify(|control| change(control.with_enable(true)));
    }

    pub fn buffer(&self, bytes: usize) -> Buffer {
        self.buffer_with_access(bytes, DmaAccess::ReadWrite)
    }

    pub fn buffer_with_access(&self, bytes: usize, access: DmaAccess) -> Buffer {
        let memory = DmaMemory::allocate(bytes).expect("memory");
        let iova = self.transport.map(&memory, access).expect("a mapping");
        Buffer { memory, iova }
    }

    /// A buffer that holds `bytes`, at its start.
    pub fn buffer_of(&self, bytes: &[u8]) -> Buffer {
        let buffer = self.buffer(bytes.len());
        buffer.write(0, bytes);
        buffer
    }

    /// An address at which nothing is mapped, nor as far behind it as any record reaches.
    pub fn nowhere(&self) -> u64 {
        let buffer = self.buffer(1 << 16);
        self.transport.unmap(buffer.iova).expect("it was mapped");
        buffer.at(0)
    }

    /// Sets a queue up with rings of `2^sq_log2` and `2^cq_log2` entries, and its interrupt.
    pub fn queue(&self, number: usize, sq_log2: u8, cq_log2: u8) -> Queue {
        let sq = self.buffer(ENTRY_BYTES << sq_log2);
        let cq = self.buffer(Completion::BYTES << cq_log2);
        let mut queue = Queue {
            transport: Arc::clone(&self.transport),
            number,
            sq,
            cq,
            sq_log2,
            cq_log2,
            sq_tail: 0,
            cq_head: 0,
        };
        queue.start();
        let device = self.registers().device();
        let enabled = device.irq_enable().read().bits() | 1 << number;
        device.irq_enable().write(IrqEnable::from_bits(enabled));
        queue
    }

    /// A queue large enough for what most tests do.
    pub fn any_queue(&self) -> Queue {
        self.queue(0, 6, 6)
    }

    /// The beats of text that all lanes have taken, as of the last snapshot.
    pub fn lane_beats(&self) -> u64 {
        (0..LANES)
            .filter_map(|lane| self.registers().lane(lane))
            .map(|it| it.lane_beats_u64())
            .sum()
    }

    /// Takes a snapshot of the counters.
    pub fn snapshot(&self) {
        let take = sealgate_abi::regs::Snapshot::default().with_take(true);
        self.registers().device().snapshot().write(take);
    }
}

/// Memory that the device may reach.
pub struct Buffer {
    pub memory: Arc<DmaMemory>,
    pub iova: Iova,
}

impl Buffer {
    /// IOVA of a byte.
    pub fn at(&self, offset: usize) -> u64 {
        self.iova.offset(offset).0
    }

    pub fn write(&self, offset: usize, bytes: &[u8]) {
        self.memory.write(offset, bytes).expect("inside the buffer");
    }

    pub fn read(&self, offset: usize, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.memory.read(offset, &mut bytes).expect("inside the buffer");
        bytes
    }

    pub fn fill(&self, byte: u8) {
        self.write(0, &vec![byte; self.memory.len()]);
    }

    pub fn contents(&self) -> Vec<u8> {
        self.read(0, self.memory.len())
    }
}

/// A queue pair as a host that knows no caution drives it.
pub struct Queue {
    transport: Arc<SimTransport>,
    pub number: usize,
    pub sq: Buffer,
    pub cq: Buffer,
    sq_log2: u8,
    cq_log2: u8,
    pub sq_tail: u16,
    pub cq_head: u16,
}

impl Queue {
    pub fn page(&self) -> QueuePage<'_, SimTransport> {
        Sealgate::new(&*self.transport).queue(self.number).expect("a queue of this number")
    }

    /// Zeroes the completion ring, writes all registers and enables the queue.
    pub fn start(&mut self) {
        self.cq.fill(0);
        self.sq_tail = 0;
        self.cq_head = 0;
        let page = self.page();
        page.queue_control().write(QueueControl::default());
        let (sq, cq) = (self.sq.at(0), self.cq.at(0));
        page.sq_base_lo().write(SqBaseLo::from_bits(sq as u32));
        page.sq_base_hi().write(SqBaseHi::from_bits((sq >> 32) as u32));
        page.cq_base_lo().write(CqBaseLo::from_bits(cq as u32));
        page.cq_base_hi().write(CqBaseHi::from_bits((cq >> 32) as u32));
        let size = RingSize::default().with_sq_log2(self.sq_log2).with_cq_log2(self.cq_log2);
        page.ring_size().write(size);
        page.sq_tail().write(SqTail::default());
        page.cq_head().write(CqHead::default());
        page.queue_control().write(QueueControl::default().with_enable(true));
    }

    /// Writes an entry; the device knows nothing of it yet.
    pub fn push(&mut self, entry: SubmissionEntry) {
        let slot = usize::from(self.sq_tail) % (1 << self.sq_log2);
        self.sq.write(slot * ENTRY_BYTES, &entry);
        self.sq_tail = self.sq_tail.wrapping_add(1);
    }

    /// Writes entries one behind the other.
    pub fn push_all(&mut self, entries: &[SubmissionEntry]) {
        for entry in entries {
            self.push(*entry);
        }
    }

    /// Rings the doorbell.
    pub fn ring(&self) {
        self.page().sq_tail().write(SqTail::default().with_index(self.sq_tail));
    }

    /// The next completion, if it is there. Its place is not returned to the device.
    pub fn peek(&self) -> Option<Completion> {
        let slot = usize::from(self.cq_head) % (1 << self.cq_log2) * Completion::BYTES;
        let last = self.cq.memory.load_u64(slot + 8, Ordering::Acquire).expect("inside the ring");
        let first = self.cq.memory.load_u64(slot, Ordering::Relaxed).expect("inside the ring");
        let completion: Completion = bytemuck::cast([first, last]);
        let phase = (self.cq_head >> self.cq_log2) & 1 == 0;
        (completion.phase() == phase).then_some(completion)
    }

    /// Waits for the next completion and returns its place.
    pub fn reap(&mut self) -> Completion {
        let mut completion = None;
        wait_until("a completion comes", || {
            completion = self.peek();
            completion.is_some()
        });
        self.cq_head = self.cq_head.wrapping_add(1);
        self.return_places();
        completion.expect("waited for it")
    }

    /// Tells the device how far completions were taken.
    pub fn return_places(&self) {
        self.page().cq_head().write(CqHead::default().with_index(self.cq_head));
    }

    /// Submits one entry and waits for its completion.
    pub fn run(&mut self, entry: SubmissionEntry) -> Completion {
        self.push(entry);
        self.ring();
        self.reap()
    }

    /// Submits one entry and tells how it ended.
    pub fn status(&mut self, entry: SubmissionEntry) -> Status {
        let completion = self.run(entry);
        let status = completion.status().expect("a status of the contract");
        if status != Status::Success {
            let nothing = Completion {
                cookie: completion.cookie,
                sq_head: completion.sq_head,
                status_phase: completion.status_phase,
                ..Completion::default()
            };
            assert_eq!(completion, nothing, "a refused entry reports results");
        }
        status
    }

    /// Loads a context; it must succeed.
    pub fn load(&mut self, context: u16, direction: Direction, keys: &Keys) {
        assert_eq!(self.status(keys.load(0, context, direction)), Status::Success);
    }

    /// Submits entries in as large batches as the rings allow and waits for all completions.
    pub fn run_all(&mut self, entries: &[SubmissionEntry]) -> Vec<Completion> {
        let room = 1 << self.sq_log2.min(self.cq_log2);
        let mut completions = Vec::with_capacity(entries.len());
        for batch in entries.chunks(room) {
            self.push_all(batch);
            self.ring();
            completions.extend(batch.iter().map(|_| self.reap()));
        }
        completions
    }
}

/// Waits until something is so, and fails when it does not come to be.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    let mut tries = 0_u32;
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        tries += 1;
        if tries < 100 {
            thread::yield_now();
        } else {
            thread::sleep(Duration::from_micros(100));
        }
    }
}

/// A NOP that can be told from others.
pub fn nop(cookie: u16) -> SubmissionEntry {
    RecordEntry::nop(cookie).to_bytes()
}
