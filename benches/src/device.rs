// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the engine spends on a record, in clock cycles of the verilated RTL.
//!
//! All records of a measurement stand in the ring before the doorbell is rung, so that the host's speed does not show.
//! Cycles are the device's own counter of cycles with entries in flight.
#![allow(clippy::cast_precision_loss, reason = "counts of a bench are far below 2^52")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use sealgate_abi::regs::{Control, LANES, Sealgate, SelftestState, Snapshot};
use sealgate_abi::{
    ContextEntry, Direction, Key, MAX_FRAGMENT_BYTES, MIN_RECORD_BYTES, Opcode, RecordEntry,
    Status, Suite, sealed_bytes,
};
use sealgate_driver::memory::DmaMemory;
use sealgate_driver::queue::{Queue, Submission};
use sealgate_driver::transport::{DmaAccess, Iova, Transport};
use serde::Serialize;

use crate::software::Software;
use crate::{BenchError, RECORD_BYTES};

/// Entries of the ring.
const RING_LOG2: u8 = 12;

/// Connections that take turns, one context each per direction and suite.
const CONNECTIONS: usize = 64;

/// Bytes of host memory for one record.
const SLOT_BYTES: usize = 20 << 10;

/// How long the simulation may take for one measurement.
const PATIENCE: Duration = Duration::from_secs(120);

/// One size of record in one direction with one suite.
#[derive(Clone, Debug, Serialize)]
pub struct DeviceCost {
    /// The AEAD.
    pub suite: &'static str,
    /// The record format.
    pub tls_version: &'static str,
    /// `seal` or `open`.
    pub direction: &'static str,
    /// Bytes of content.
    pub record_bytes: usize,
    /// AEAD lanes of the engine.
    pub lanes: u8,
    /// Width of the memory bus.
    pub bus_bits: u32,
    /// Connections that took turns.
    pub connections: usize,
    /// Queue pairs used.
    pub queues: usize,
    /// Cycles from the address of a read to its first beat.
    pub read_latency_cycles: u32,
    /// Bytes of content per cycle, records one after the other.
    pub payload_bytes_per_cycle: f64,
    /// Records per cycle.
    pub records_per_cycle: f64,
    /// Cycles of one record on the idle engine, from the fetch of its entry to its completion.
    pub latency_cycles: u64,
    /// What the counters say held the lane up most: `source`, `sink` or `between records`.
    pub limited_by: &'static str,
    /// Cycles simulated per second of wall time.
    pub simulated_cycles_per_s: f64,
}

/// Measures every size, direction and suite on an engine behind `transport`.
pub fn measure(
    transport: Arc<dyn Transport>,
    read_latency_cycles: u32,
) -> Result<Vec<DeviceCost>, BenchError> {
    let mut engine = Engine::bring_up(transport, read_latency_cycles)?;
    let mut costs = Vec::new();
    for suite in [Suite::Aes128Gcm, Suite::Aes256Gcm] {
        for direction in [Direction::Seal, Direction::Open] {
            engine.load_contexts(suite, direction)?;
            for record_bytes in RECORD_BYTES {
                costs.push(engine.cost(suite, direction, record_bytes)?);
            }
            engine.drop_contexts()?;
        }
    }
    Ok(costs)
}

struct Engine {
    transport: Arc<dyn Transport>,
    queue: Queue<()>,
    memory: Arc<DmaMemory>,
    source: Iova,
    destination: Iova,
    read_latency_cycles: u32,
}

/// Counters of the device over one measurement.
struct Spent {
    busy: u64,
    beats: u64,
    stall_in: u64,
    stall_out: u64,
    wall: Duration,
}

impl Engine {
    fn bring_up(
        transport: Arc<dyn Transport>,
        read_latency_cycles: u32,
    ) -> Result<Self, BenchError> {
        let registers = Sealgate::new(&*transport);
        let deadline = Instant::now() + PATIENCE;
        while registers.device().status().read().selftest() != Ok(SelftestState::Passed) {
            if Instant::now() > deadline {
                return Err(BenchError::Timeout { what: "pass its self test" });
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        registers.device().control().write(Control::default().with_enable(true));

        let queue = Queue::open(&transport, 0, RING_LOG2)?;
        let memory = DmaMemory::allocate(CONNECTIONS * SLOT_BYTES)?;
        let results = DmaMemory::allocate(CONNECTIONS * SLOT_BYTES)?;
        let source = transport.map(&memory, DmaAccess::Read)?;
        let destination = transport.map(&results, DmaAccess::ReadWrite)?;
        Ok(Self { transport, queue, memory, source, destination, read_latency_cycles })
    }

    fn load_contexts(&mut self, suite: Suite, direction: Direction) -> Result<(), BenchError> {
        let loads: Vec<_> = (0..CONNECTIONS)
            .map(|connection| {
                let (key, iv) = secrets(connection);
                let context = connection as u16;
                let load = match suite {
                    Suite::Aes128Gcm => {
                        let short: [u8; 16] = std::array::from_fn(|i| key[i]);
                        ContextEntry::load(0, context, direction, Key::Aes128(&short), iv)
                    }
                    Suite::Aes256Gcm => {
                        ContextEntry::load(0, context, direction, Key::Aes256(&key), iv)
                    }
                    Suite::Chacha20Poly1305 => {
                        ContextEntry::load(0, context, direction, Key::Chacha20(&key), iv)
                    }
                };
                Submission::load(load, ())
            })
            .collect();
        self.run("CTX_LOAD", loads)
    }

    fn drop_contexts(&mut self) -> Result<(), BenchError> {
        let drops = (0..CONNECTIONS)
            .map(|context| Submission::record(&RecordEntry::context_drop(0, context as u16), ()))
            .collect();
        self.run("CTX_DROP", drops)
    }

    fn cost(
        &mut self,
        suite: Suite,
        direction: Direction,
        record_bytes: usize,
    ) -> Result<DeviceCost, BenchError> {
        self.fill_source(suite, direction, record_bytes)?;
        let records = (1 << 21) / record_bytes.max(1_024);
        let latency = self.spend(direction, record_bytes, 1)?.busy;
        let spent = self.spend(direction, record_bytes, records)?;

        let shape = Sealgate::new(&*self.transport).device().shape().read();
        let busy = spent.busy as f64;
        let idle_slots = spent.busy.saturating_sub(spent.beats + spent.stall_in + spent.stall_out);
        let limited_by = match spent.stall_in.max(spent.stall_out).max(idle_slots) {
            most if most == spent.stall_in => "source",
            most if most == spent.stall_out => "sink",
            _ => "between records",
        };
        Ok(DeviceCost {
            suite: match suite {
                Suite::Aes128Gcm => "AES-128-GCM",
                Suite::Aes256Gcm => "AES-256-GCM",
                Suite::Chacha20Poly1305 => "ChaCha20-Poly1305",
            },
            tls_version: "1.3",
            direction: match direction {
                Direction::Seal => "seal",
                Direction::Open => "open",
            },
            record_bytes,
            lanes: shape.lanes(),
            bus_bits: 8 * u32::from(shape.bus_bytes()),
            connections: CONNECTIONS,
            queues: 1,
            read_latency_cycles: self.read_latency_cycles,
            payload_bytes_per_cycle: (records * record_bytes) as f64 / busy,
            records_per_cycle: records as f64 / busy,
            latency_cycles: latency,
            limited_by,
            simulated_cycles_per_s: busy / spent.wall.as_secs_f64(),
        })
    }

    /// Puts a plaintext, or a record made by ring, where each connection's entry will point.
    fn fill_source(
        &self,
        suite: Suite,
        direction: Direction,
        record_bytes: usize,
    ) -> Result<(), BenchError> {
        let content = vec![0xA5; record_bytes];
        let mut record = Vec::new();
        for connection in 0..CONNECTIONS {
            let bytes = match direction {
                Direction::Seal => &content,
                Direction::Open => {
                    let (key, iv) = secrets(connection);
                    Software::new(suite, &key[..suite.key_bytes()], iv)?.seal(
                        0,
                        &content,
                        &mut record,
                    )?;
                    &record
                }
            };
            self.memory
                .write(connection * SLOT_BYTES, bytes)
                .map_err(|_| BenchError::Timeout { what: "fit its source" })?;
        }
        Ok(())
    }

    /// Runs `records` records and tells what the device counted meanwhile.
    fn spend(
        &mut self,
        direction: Direction,
        record_bytes: usize,
        records: usize,
    ) -> Result<Spent, BenchError> {
        let entries = (0..records)
            .map(|record| {
                let slot = record % CONNECTIONS;
                Submission::record(&self.entry(direction, record_bytes, slot), ())
            })
            .collect();
        let before = self.counters();
        let start = Instant::now();
        self.run("a record", entries)?;
        let wall = start.elapsed();
        let after = self.counters();
        let [busy, beats, stall_in, stall_out] = std::array::from_fn(|i| after[i] - before[i]);
        Ok(Spent { busy, beats, stall_in, stall_out, wall })
    }

    fn entry(&self, direction: Direction, record_bytes: usize, slot: usize) -> RecordEntry {
        let common = RecordEntry {
            context: slot as u16,
            source: self.source.offset(slot * SLOT_BYTES).0,
            destination: self.destination.offset(slot * SLOT_BYTES).0,
            ..RecordEntry::default()
        };
        match direction {
            Direction::Seal => RecordEntry {
                opcode: Opcode::Seal as u8,
                content_type: 23,
                length: record_bytes as u32,
                capacity: sealed_bytes(record_bytes, 0) as u32,
                ..common
            },
            Direction::Open => RecordEntry {
                opcode: Opcode::Open as u8,
                length: sealed_bytes(record_bytes, 0) as u32,
                capacity: (sealed_bytes(record_bytes, 0) - MIN_RECORD_BYTES) as u32,
                ..common
            },
        }
    }

    /// Submits all entries with one doorbell and waits until they have completed.
    fn run(
        &mut self,
        operation: &'static str,
        entries: Vec<Submission<()>>,
    ) -> Result<(), BenchError> {
        let mut left = self.queue.submit(entries)?;
        let deadline = Instant::now() + PATIENCE;
        let mut refused = None;
        while left > 0 {
            left -= self.queue.reap(|(), status, _| {
                if status != Status::Success {
                    refused = Some(status);
                }
            })?;
            if Instant::now() > deadline {
                return Err(BenchError::Timeout { what: "complete its entries" });
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        match refused {
            Some(status) => Err(BenchError::Status { operation, status }),
            None => Ok(()),
        }
    }

    fn counters(&self) -> [u64; 4] {
        let registers = Sealgate::new(&*self.transport);
        let device = registers.device();
        device.snapshot().write(Snapshot::default().with_take(true));
        let mut counters = [device.busy_u64(), 0, 0, 0];
        for lane in (0..LANES).filter_map(|lane| registers.lane(lane)) {
            counters[1] += lane.lane_beats_u64();
            counters[2] += lane.lane_stall_source_u64();
            counters[3] += lane.lane_stall_destination_u64();
        }
        counters
    }
}

const _: () = assert!(sealed_bytes(MAX_FRAGMENT_BYTES, 0) <= SLOT_BYTES);

/// Key material of a connection; the device and ring are given the same.
fn secrets(connection: usize) -> ([u8; 32], [u8; 12]) {
    let seed = connection as u8;
    (
        std::array::from_fn(|i| seed.wrapping_mul(37).wrapping_add(i as u8)),
        std::array::from_fn(|i| seed ^ (i as u8 + 1)),
    )
}
