// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the host spends on a record, from its submission to its reaping, beside ring's seal of the same record.
//!
//! The device moves entries and does no cryptography, and what it does is not counted. Neither are copies, which are
//! measured apart: the content into DMA memory, and the wiping of it afterwards.

use std::collections::VecDeque;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use sealgate_abi::{MAX_FRAGMENT_BYTES, Suite};
use sealgate_driver::memory::DmaMemory;
use sealgate_driver::{
    Buffer, Device, Direction, Key, PlaintextHead, Sealing, Session, SessionConfig, Settings,
    TlsVersion,
};
use serde::{Deserialize, Serialize};

use crate::mover::Mover;
use crate::software::Software;
use crate::{BenchError, RECORD_BYTES};

/// What is submitted at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Bytes of content of a record.
    pub record_bytes: usize,
    /// Records submitted with one doorbell.
    pub batch: usize,
    /// Records that one SEAL entry is segmented into. A stream has four of full size in each.
    pub records_per_entry: usize,
}

impl Load {
    /// All loads that are measured.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut loads = Vec::new();
        for record_bytes in RECORD_BYTES {
            let load = |batch, records_per_entry| Self { record_bytes, batch, records_per_entry };
            loads.extend([load(1, 1), load(32, 1)]);
            // Only content of more than a full record is segmented.
            if record_bytes == MAX_FRAGMENT_BYTES {
                loads.push(load(32, 4));
            }
        }
        loads
    }

    fn entries(self) -> usize {
        self.batch / self.records_per_entry
    }
}

/// Bytes of plaintext sealed per measurement, at least.
const BYTES_PER_RUN: usize = 16 << 20;

/// Records sealed per measurement, at most.
const RECORDS_PER_RUN: usize = 8_192;

/// Parts of a batch that are timed each by itself: buffers taken, entries submitted, completions reaped.
const TIMED_PARTS: f64 = 3.0;

/// Measurements per figure; the smallest counts, as everything else on the machine only adds.
const RUNS: usize = 5;

const KEY: [u8; 16] = [0x42; 16];
const IV: [u8; 12] = [0x24; 12];

/// What one load costs.
#[derive(Clone, Debug, Serialize)]
pub struct HostCost {
    /// The load.
    #[serde(flatten)]
    pub load: Load,
    /// Instructions of the host per record, copies aside, counted by callgrind; none without valgrind.
    pub instructions_per_record: Option<u64>,
    /// The same in nanoseconds.
    pub ns_per_record: f64,
    /// The copy of the content into DMA memory and its wiping, in nanoseconds.
    pub copy_ns_per_record: f64,
    /// ring's seal of the same record, AES-128-GCM, in nanoseconds.
    pub ring_seal_ns_per_record: f64,
}

/// Measures every load. `counter` is the program that counts instructions, see [`count_instructions`].
pub fn measure(counter: Option<&Path>) -> Result<Vec<HostCost>, BenchError> {
    let mut costs = Vec::new();
    for record_bytes in RECORD_BYTES {
        let copy = copy(&vec![0x5A; record_bytes])?;
        let ring_seal_ns_per_record = ring_seal(record_bytes)?;
        for load in Load::all().into_iter().filter(|load| load.record_bytes == record_bytes) {
            let with_wiping = host_ns(load)?;
            costs.push(HostCost {
                load,
                instructions_per_record: counter.and_then(|program| counted(program, load)),
                ns_per_record: (with_wiping - copy.wiping_ns).max(0.0),
                copy_ns_per_record: copy.copying_ns + copy.wiping_ns,
                ring_seal_ns_per_record,
            });
        }
    }
    Ok(costs)
}

/// What callgrind counts, if it can: there are processors with instructions that it does not know.
fn counted(program: &Path, load: Load) -> Option<u64> {
    count(program, load).inspect_err(|error| eprintln!("{error}")).ok()
}

/// The host's nanoseconds per record, the wiping of its content among them.
fn host_ns(load: Load) -> Result<f64, BenchError> {
    let mut host = Host::new(load)?;
    let content = vec![0x5A; load.record_bytes];
    let batches = records_per_run(load.record_bytes) / load.batch;
    let per_batch = cheapest(batches, || host.batch(&content))? - TIMED_PARTS * timer_ns()?;
    Ok(per_batch / f64::from(load.batch as u32))
}

/// What a look at the clock before and one after cost by themselves, in nanoseconds.
fn timer_ns() -> Result<f64, BenchError> {
    cheapest(RECORDS_PER_RUN, || Ok(Instant::now().elapsed()))
}

fn ring_seal(record_bytes: usize) -> Result<f64, BenchError> {
    let software = Software::new(Suite::Aes128Gcm, &KEY, IV)?;
    let content = vec![0x5A; record_bytes];
    let mut record = Vec::with_capacity(record_bytes + 64);
    let mut sequence = 0;
    let timed = cheapest(records_per_run(record_bytes), || {
        sequence += 1;
        let start = Instant::now();
        software.seal(sequence, &content, &mut record)?;
        Ok(start.elapsed())
    })?;
    Ok(timed - timer_ns()?)
}

/// Seals so many batches, for a program that runs under callgrind.
pub fn run(load: Load, batches: usize) -> Result<(), BenchError> {
    let mut host = Host::new(load)?;
    let content = vec![0x5A; load.record_bytes];
    for _ in 0..batches {
        host.batch(&content)?;
    }
    Ok(())
}

/// A session on a device that does no cryptography.
struct Host {
    mover: Arc<Mover>,
    session: Session,
    load: Load,
    sequence: u64,
    buffers: Vec<Buffer>,
    under_way: VecDeque<Sealing>,
}

impl Host {
    fn new(load: Load) -> Result<Self, BenchError> {
        let mover = Mover::new();
        let entries = load.entries();
        // One queue would do; the reaper is to sleep at once, as nothing here is to wait for it.
        let settings = Settings {
            slots_per_queue: entries as u16,
            spin: Duration::ZERO,
            ..Settings::default()
        };
        let device = Device::open(Arc::clone(&mover) as _, settings)?;
        let (version, direction) = (TlsVersion::Tls13, Direction::Seal);
        let key = Key::Aes128(&KEY);
        let session = device.task_session(SessionConfig { version, direction, key, iv: IV })?;
        let (buffers, under_way) = (Vec::with_capacity(entries), VecDeque::with_capacity(entries));
        let mut host = Self { mover, session, load, sequence: 0, buffers, under_way };
        // The first record brings the key, and starts the reaper.
        for _ in 0..load.batch {
            host.batch(&vec![0; load.record_bytes])?;
        }
        Ok(host)
    }

    /// Seals a batch; returns the host's time for it, copies aside but for the wiping.
    fn batch(&mut self, content: &[u8]) -> Result<Duration, BenchError> {
        let start = Instant::now();
        self.host_takes()?;
        let taken = start.elapsed();
        for buffer in &mut self.buffers {
            for _ in 0..self.load.records_per_entry {
                buffer.append(content)?;
            }
        }
        let start = Instant::now();
        self.host_submits();
        let submitted = start.elapsed();
        let mut spent = taken + submitted;
        // The reaper may have rung for a part of the batch, and the rest waited for that to complete.
        while !self.under_way.is_empty() {
            self.mover.work();
            let start = Instant::now();
            self.host_reaps()?;
            spent += start.elapsed();
        }
        Ok(spent)
    }

    #[inline(never)]
    fn host_takes(&mut self) -> Result<(), BenchError> {
        for _ in 0..self.load.entries() {
            self.buffers.push(self.session.buffer()?);
        }
        Ok(())
    }

    #[inline(never)]
    fn host_submits(&mut self) {
        for buffer in self.buffers.drain(..) {
            let sequence = self.sequence;
            let head = PlaintextHead { content_type: 23, sequence, padding_multiple: 0 };
            self.under_way.push_back(self.session.start_seal(buffer, head, 0));
            self.sequence += self.load.records_per_entry as u64;
        }
        self.session.ring();
    }

    #[inline(never)]
    fn host_reaps(&mut self) -> Result<(), BenchError> {
        let mut context = Context::from_waker(Waker::noop());
        while let Some(sealing) = self.under_way.front_mut() {
            let Poll::Ready(segments) = sealing.poll(&mut context) else { break };
            std::hint::black_box(segments?);
            self.under_way.pop_front();
        }
        Ok(())
    }
}

/// What copying costs, in nanoseconds per record.
struct Copy {
    copying_ns: f64,
    wiping_ns: f64,
}

fn copy(content: &[u8]) -> Result<Copy, BenchError> {
    let memory = DmaMemory::allocate(content.len())?;
    let records = records_per_run(content.len());
    let copying_ns = cheapest(records, || {
        let start = Instant::now();
        memory.write(0, std::hint::black_box(content))?;
        Ok(start.elapsed())
    })?;
    let wiping_ns = cheapest(records, || {
        let start = Instant::now();
        memory.wipe(0, std::hint::black_box(content.len()))?;
        Ok(start.elapsed())
    })?;
    let timer_ns = timer_ns()?;
    Ok(Copy { copying_ns: copying_ns - timer_ns, wiping_ns: wiping_ns - timer_ns })
}

fn records_per_run(record_bytes: usize) -> usize {
    (BYTES_PER_RUN / record_bytes).min(RECORDS_PER_RUN)
}

/// Nanoseconds per call, the least of several runs.
fn cheapest(
    calls: usize,
    mut call: impl FnMut() -> Result<Duration, BenchError>,
) -> Result<f64, BenchError> {
    let mut least = f64::INFINITY;
    for _ in 0..RUNS {
        let mut spent = Duration::ZERO;
        for _ in 0..calls {
            spent += call()?;
        }
        least = least.min(spent.as_secs_f64() * 1e9 / f64::from(calls as u32));
    }
    Ok(least)
}

/// What callgrind counted for one load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstructionCount {
    /// The load.
    #[serde(flatten)]
    pub load: Load,
    /// Instructions of the host per record, copies aside.
    pub instructions_per_record: u64,
}

/// Counts the instructions of every load under valgrind's callgrind. `program` is `sealgate-host-cost`, built with
/// optimisation.
pub fn count_instructions(program: &Path) -> Result<Vec<InstructionCount>, BenchError> {
    let counted = |load| {
        count(program, load)
            .map(|instructions_per_record| InstructionCount { load, instructions_per_record })
    };
    Load::all().into_iter().map(counted).collect()
}

/// Batches that are counted.
const COUNTED_BATCHES: usize = 64;

fn count(program: &Path, load: Load) -> Result<u64, BenchError> {
    let few = total(program, load, COUNTED_BATCHES)?;
    let many = total(program, load, 2 * COUNTED_BATCHES)?;
    // What was counted before the first batch is in both.
    Ok(many.saturating_sub(few).div_ceil((COUNTED_BATCHES * load.batch) as u64))
}

/// Instructions inside the functions that are the host's part, less the wiping.
fn total(program: &Path, load: Load, batches: usize) -> Result<u64, BenchError> {
    let failed = |what: String| BenchError::Callgrind { what };
    let folder = env::temp_dir();
    let file: PathBuf = folder.join(format!("sealgate-host-cost-{}.out", std::process::id()));
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no"])
        .args(
            ["Host::host_takes", "Host::host_submits", "Host::host_reaps", "DmaMemory::wipe"]
                .map(|function| format!("--toggle-collect=*{function}*")),
        )
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(program)
        .args(
            [load.record_bytes, load.batch, load.records_per_entry, batches]
                .map(|number| number.to_string()),
        )
        .output()
        .map_err(|error| failed(format!("valgrind did not start: {error}")))?;
    let text = std::fs::read_to_string(&file);
    let _ = std::fs::remove_file(&file);
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let text = text.map_err(|error| failed(format!("callgrind wrote nothing: {error}")))?;
    text.lines()
        .find_map(|line| line.strip_prefix("totals: ").or(line.strip_prefix("summary: ")))
        .and_then(|number| number.trim().parse().ok())
        .ok_or_else(|| failed("callgrind wrote no sum".to_owned()))
}
