// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A host that is never late: the driver's queues over a device that stands still while the host works.

use std::sync::Arc;
use std::time::Instant;

use sealgate_abi::regs::{Control, Sealgate, SelftestState};
use sealgate_abi::{
    ContextEntry, Direction, Key, Opcode, RecordEntry, Status, Suite, min_record_bytes,
};
use sealgate_driver::memory::DmaMemory;
use sealgate_driver::queue::{Queue, Submission};
use sealgate_driver::transport::{DmaAccess, Iova, Transport};
use sealgate_sim::{BusConfig, SimConfig, SteppedTransport};

use crate::BenchError;
use crate::bottleneck::{Counts, bottleneck};
use crate::point::{Figure, Point};

/// Cycles between two looks of the host at its rings; of the latencies measured, half of it is due to that.
const POLL_CYCLES: u64 = 32;

/// The same where one entry is in flight, to measure what it takes.
const ALONE_POLL_CYCLES: u64 = 1;

/// Cycles without a completion after which the device counts as stuck.
const PATIENCE_CYCLES: u64 = 2_000_000;

/// Memory for sources, and for destinations.
const ARENA_BYTES: usize = 32 << 20;

/// Content measured, at least, and entries, at least.
const MEASURED_BYTES: usize = 4 << 20;
const MEASURED_ENTRIES: usize = 64;
const MAX_MEASURED_ENTRIES: usize = 4096;

/// The clock that figures in bits per second assume, in MHz.
const CLOCK_MHZ: f64 = 250.0;

/// Measures one point on a device of its own.
///
/// # Errors
///
/// When the device cannot be started, does not get on, or refuses an entry.
pub fn measure(point: &Point) -> Result<Figure, BenchError> {
    let mut host = Host::bring_up(point)?;
    host.prepare()?;
    host.run_until(point.in_flight.max(MEASURED_ENTRIES))?;

    let entry_bytes = point.record_bytes * point.records_per_entry;
    let wanted = (MEASURED_BYTES / entry_bytes).clamp(MEASURED_ENTRIES, MAX_MEASURED_ENTRIES);
    let before = host.counts()?;
    host.latencies.clear();
    let (start, start_cycle, start_entries) = (Instant::now(), host.cycle(), host.completed);
    host.run_until(start_entries + wanted)?;
    let wall = start.elapsed();
    let (cycles, entries) = (host.cycle() - start_cycle, host.completed - start_entries);
    let spent = host.counts()?.since(&before);
    host.check_protocol()?;
    Ok(host.figure(cycles, entries, wall.as_secs_f64(), &spent))
}

/// The device and all that it works on.
struct Host<'a> {
    point: &'a Point,
    device: Arc<SteppedTransport>,
    queues: Vec<Queue<Ticket>>,
    sources: Arena,
    destinations: Arena,
    /// The connection whose turn it is, for each queue.
    turns: Vec<usize>,
    completed: usize,
    latencies: Vec<u64>,
}

/// What is remembered of an entry in flight: the cycle of its doorbell.
type Ticket = u64;

impl<'a> Host<'a> {
    fn bring_up(point: &'a Point) -> Result<Self, BenchError> {
        let (least, most) = (point.read_latency - point.jitter, point.read_latency + point.jitter);
        let device = SteppedTransport::rtl(&SimConfig {
            seed: point.seed,
            lanes: point.lanes,
            bus_bits: point.bus_bits,
            bus: BusConfig {
                read_latency: least..=most,
                write_latency: point.write_latency..=point.write_latency,
                reorder: point.jitter > 0,
                ..BusConfig::default()
            },
            ..SimConfig::default()
        })?;
        let transport: Arc<dyn Transport> = Arc::clone(&device) as Arc<dyn Transport>;
        await_self_test(&device)?;
        Sealgate::new(&*transport).device().control().write(Control::default().with_enable(true));

        let per_queue = point.in_flight.div_ceil(point.queues).max(point.connections);
        let ring_log2 = per_queue.next_power_of_two().trailing_zeros().clamp(2, 14) as u8;
        let queues = (0..point.queues)
            .map(|index| Queue::open(&transport, index, ring_log2))
            .collect::<Result<_, _>>()?;
        let place = place_bytes(point);
        Ok(Self {
            point,
            device,
            queues,
            sources: Arena::new(&transport, point.connections, place, DmaAccess::ReadWrite)?,
            destinations: Arena::new(&transport, point.connections, place, DmaAccess::ReadWrite)?,
            turns: (0..point.queues).collect(),
            completed: 0,
            latencies: Vec::new(),
        })
    }

    /// Loads every connection's key; where records are to be opened the device seals them first.
    fn prepare(&mut self) -> Result<(), BenchError> {
        if self.point.direction == Direction::Open {
            self.load(Direction::Seal)?;
            for connection in 0..self.point.connections {
                let mut entry = self.seal_entry(connection);
                entry.source = self.destinations.iova(connection);
                entry.destination = self.sources.iova(connection);
                self.run_alone("SEAL", connection, Submission::record(&entry, 0))?;
            }
            for connection in 0..self.point.connections {
                let drop = RecordEntry::context_drop(0, connection as u16);
                self.run_alone("CTX_DROP", connection, Submission::record(&drop, 0))?;
            }
        }
        self.load(self.point.direction)
    }

    fn load(&mut self, direction: Direction) -> Result<(), BenchError> {
        for connection in 0..self.point.connections {
            let entry = load_entry(self.point.suite, connection, direction)
                .with_version(self.point.version);
            self.run_alone("CTX_LOAD", connection, Submission::load(entry, 0))?;
        }
        Ok(())
    }

    /// Submits one entry and waits for it.
    fn run_alone(
        &mut self,
        operation: &'static str,
        connection: usize,
        submission: Submission<Ticket>,
    ) -> Result<(), BenchError> {
        let queue = connection % self.queues.len();
        self.queues[queue].submit([submission])?;
        let start = self.cycle();
        let mut answer = None;
        while answer.is_none() {
            self.device.run(POLL_CYCLES);
            self.queues[queue].reap(|_, status, _| answer = Some(status))?;
            self.check_patience(start, "complete an entry")?;
        }
        match answer {
            Some(Status::Success) | None => Ok(()),
            Some(status) => Err(BenchError::Status { operation, status }),
        }
    }

    /// Keeps the device fed until so many entries have completed since the start.
    fn run_until(&mut self, completed: usize) -> Result<(), BenchError> {
        let poll_cycles = if self.point.in_flight == 1 { ALONE_POLL_CYCLES } else { POLL_CYCLES };
        let (mut last, mut last_cycle) = (self.completed, self.cycle());
        while self.completed < completed {
            self.feed()?;
            self.device.run(poll_cycles);
            self.reap()?;
            if self.completed != last {
                (last, last_cycle) = (self.completed, self.cycle());
            }
            self.check_patience(last_cycle, "complete any entry")?;
        }
        Ok(())
    }

    /// Fills every queue up to its share of the entries in flight.
    fn feed(&mut self) -> Result<(), BenchError> {
        let share = self.point.in_flight.div_ceil(self.queues.len());
        let now = self.cycle();
        let mut room = self.point.in_flight - self.in_flight();
        for queue in 0..self.queues.len() {
            let wanted = share.saturating_sub(self.queues[queue].in_flight()).min(room);
            let batch: Vec<_> =
                (0..wanted).map(|_| Submission::record(&self.next_entry(queue), now)).collect();
            room -= batch.len();
            if !batch.is_empty() {
                self.queues[queue].submit(batch)?;
            }
        }
        Ok(())
    }

    fn reap(&mut self) -> Result<(), BenchError> {
        let now = self.cycle();
        let (latencies, completed) = (&mut self.latencies, &mut self.completed);
        let mut refused = None;
        for queue in self.queues.iter_mut().filter(|queue| queue.in_flight() > 0) {
            queue.reap(|doorbell, status, _| {
                latencies.push(now - doorbell);
                *completed += 1;
                if status != Status::Success {
                    refused = Some(status);
                }
            })?;
        }
        match refused {
            Some(status) => Err(BenchError::Status { operation: "a record", status }),
            None => Ok(()),
        }
    }

    /// The next entry of a queue; its connections take turns.
    fn next_entry(&mut self, queue: usize) -> RecordEntry {
        let connection = self.turns[queue] % self.point.connections;
        let next = connection + self.queues.len();
        self.turns[queue] = if next < self.point.connections { next } else { queue };
        match self.point.direction {
            Direction::Seal => self.seal_entry(connection),
            Direction::Open => self.open_entry(connection),
        }
    }

    fn seal_entry(&self, connection: usize) -> RecordEntry {
        RecordEntry {
            opcode: Opcode::Seal as u8,
            content_type: 23,
            context: connection as u16,
            source: self.sources.iova(connection),
            destination: self.destinations.iova(connection),
            length: (self.point.record_bytes * self.point.records_per_entry) as u32,
            capacity: (sealed(self.point) * self.point.records_per_entry) as u32,
            fragment_limit: if self.point.records_per_entry > 1 {
                self.point.record_bytes as u16
            } else {
                0
            },
            ..RecordEntry::default()
        }
    }

    fn open_entry(&self, connection: usize) -> RecordEntry {
        RecordEntry {
            opcode: Opcode::Open as u8,
            context: connection as u16,
            source: self.sources.iova(connection),
            destination: self.destinations.iova(connection),
            length: sealed(self.point) as u32,
            capacity: self.point.record_bytes as u32,
            ..RecordEntry::default()
        }
    }

    /// The device's counters. The host goes on serving its rings while it reads them.
    fn counts(&mut self) -> Result<Counts, BenchError> {
        let device = Arc::clone(&self.device);
        Counts::take(&*device, self.point.lanes, self.point.queues, || {
            self.feed()?;
            self.reap()
        })
    }

    fn figure(&self, cycles: u64, entries: usize, wall: f64, spent: &Counts) -> Figure {
        let point = self.point;
        let records = entries * point.records_per_entry;
        let rate = ratio(records as u64, cycles);
        let payload = rate * point.record_bytes as f64;
        let mut latencies = self.latencies.clone();
        latencies.sort_unstable();
        let percentile =
            |share: usize| latencies.get(latencies.len() * share / 100).copied().unwrap_or(0);
        Figure {
            suite: point.suite,
            tls_version: point.version,
            direction: point.direction,
            record_bytes: point.record_bytes,
            records_per_entry: point.records_per_entry,
            lanes: point.lanes,
            bus_bits: point.bus_bits,
            connections: point.connections,
            queues: point.queues,
            in_flight: point.in_flight,
            read_latency_cycles: point.read_latency,
            read_jitter_cycles: point.jitter,
            write_latency_cycles: point.write_latency,
            payload_bytes_per_cycle: payload,
            records_per_cycle: rate,
            latency_cycles_p50: percentile(50),
            latency_cycles_p99: percentile(99),
            limited_by: bottleneck(spent, point),
            gbit_per_s: payload * 8.0 * CLOCK_MHZ / 1e3,
            clock_mhz: CLOCK_MHZ,
            read_bus_use: ratio(spent.read_beats, spent.cycles),
            write_bus_use: ratio(spent.write_beats, spent.cycles),
            lane_use: ratio(spent.lane_beats, spent.cycles * point.lanes as u64),
            simulated_cycles_per_s: cycles as f64 / wall,
            simulated: true,
            seed: point.seed,
        }
    }

    fn in_flight(&self) -> usize {
        self.queues.iter().map(Queue::in_flight).sum()
    }

    fn cycle(&self) -> u64 {
        self.device.cycles()
    }

    fn check_patience(&self, since: u64, what: &'static str) -> Result<(), BenchError> {
        if self.cycle() - since > PATIENCE_CYCLES {
            return Err(BenchError::Stalled { what, cycles: PATIENCE_CYCLES });
        }
        Ok(())
    }

    fn check_protocol(&self) -> Result<(), BenchError> {
        match self.device.protocol_errors().into_iter().next() {
            Some(error) => Err(BenchError::Protocol(error)),
            None => Ok(()),
        }
    }
}

/// Memory with a place for each connection, as far as it goes: with long entries connections share places.
struct Arena {
    start: Iova,
    places: usize,
    place_bytes: usize,
}

impl Arena {
    fn new(
        transport: &Arc<dyn Transport>,
        connections: usize,
        place_bytes: usize,
        access: DmaAccess,
    ) -> Result<Self, BenchError> {
        let places = (ARENA_BYTES / place_bytes).clamp(1, connections);
        let bytes = places * place_bytes;
        let memory = DmaMemory::allocate(bytes)
            .map_err(|source| BenchError::Allocation { bytes, source })?;
        memory.write(0, &(0..bytes).map(|at| ((at * 131) >> 3) as u8).collect::<Vec<_>>())?;
        Ok(Self { start: transport.map(&memory, access)?, places, place_bytes })
    }

    fn iova(&self, connection: usize) -> u64 {
        self.start.offset(connection % self.places * self.place_bytes).0
    }
}

/// Bytes of the place of one entry: content or records, whatever is longer, on a boundary of 4 KiB.
fn place_bytes(point: &Point) -> usize {
    (sealed(point) * point.records_per_entry).next_multiple_of(4096)
}

/// Bytes of one record on the wire.
fn sealed(point: &Point) -> usize {
    min_record_bytes(point.version, point.suite) + point.record_bytes
}

fn await_self_test(device: &SteppedTransport) -> Result<(), BenchError> {
    let status = Sealgate::new(device).device().status();
    while status.read().selftest() != Ok(SelftestState::Passed) {
        device.run(POLL_CYCLES);
        if device.cycles() > PATIENCE_CYCLES {
            return Err(BenchError::Stalled {
                what: "pass its self test",
                cycles: PATIENCE_CYCLES,
            });
        }
    }
    Ok(())
}

/// A connection's key in one direction. Which key it is does not change what is measured.
fn load_entry(suite: Suite, connection: usize, direction: Direction) -> ContextEntry {
    let key: [u8; 32] = std::array::from_fn(|at| (connection * 37 + at * 11) as u8);
    let short: [u8; 16] = std::array::from_fn(|at| key[at]);
    let key = match suite {
        Suite::Aes128Gcm => Key::Aes128(&short),
        Suite::Aes256Gcm => Key::Aes256(&key),
        Suite::Chacha20Poly1305 => Key::Chacha20(&key),
    };
    ContextEntry::load(0, connection as u16, direction, key, [connection as u8; 12])
}

fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}
