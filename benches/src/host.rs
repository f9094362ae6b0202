// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the host spends on a record: processor time of the thread that asks, beside ring's.
//!
//! The device is the software device on a thread of its own, so its work is not counted. The asking thread sleeps at once
//! instead of polling for a while: what is left is copies, rings, doorbell, and the sleep itself.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use sealgate_abi::Suite;
use sealgate_driver::{Device, Direction, Key, Plaintext, Settings};
use sealgate_sim::{SimConfig, SimTransport};
use serde::Serialize;

use crate::software::Software;
use crate::{BenchError, RECORD_BYTES};

/// Bytes of plaintext sealed per measurement, at least.
const BYTES_PER_RUN: usize = 16 << 20;

/// Records sealed per measurement, at most.
const RECORDS_PER_RUN: usize = 8_192;

/// Measurements per figure; the smallest counts, as everything else on the machine only adds.
const RUNS: usize = 5;

/// One size of record.
#[derive(Clone, Debug, Serialize)]
pub struct HostCost {
    /// Bytes of content.
    pub record_bytes: usize,
    /// Records submitted with one doorbell.
    pub batch: usize,
    /// Processor time of the asking thread, copies included, in nanoseconds.
    pub ns_per_record: f64,
    /// ring's seal of the same record, AES-128-GCM, in nanoseconds.
    pub ring_seal_ns_per_record: f64,
}

/// Measures every size.
pub fn measure() -> Result<Vec<HostCost>, BenchError> {
    let key = [0x42; 16];
    let iv = [0x24; 12];
    let transport = SimTransport::model(SimConfig::default())?;
    let settings = Settings { spin: Duration::ZERO, ..Settings::default() };
    let device = Device::open(transport, settings)?;
    let mut session = device.session(Direction::Seal, Key::Aes128(&key), iv);
    let software = Software::new(Suite::Aes128Gcm, &key, iv)?;

    RECORD_BYTES
        .into_iter()
        .map(|record_bytes| {
            let content = vec![0x5A; record_bytes];
            let mut record = vec![0; record_bytes + 1 + 16];
            let mut buffer = Vec::with_capacity(record_bytes + 64);
            let mut sequence = 0;
            let ns_per_record = cheapest(record_bytes, || {
                sequence += 1;
                let plaintext = Plaintext {
                    content_type: 23,
                    sequence,
                    padding_multiple: 0,
                    chunks: &[&content],
                };
                Ok(session.seal(plaintext, &mut record)?)
            })?;
            let ring_seal_ns_per_record = cheapest(record_bytes, || {
                sequence += 1;
                software.seal(sequence, &content, &mut buffer)
            })?;
            Ok(HostCost { record_bytes, batch: 1, ns_per_record, ring_seal_ns_per_record })
        })
        .collect()
}

/// Nanoseconds of this thread's processor time per call, the least of several runs.
fn cheapest(
    record_bytes: usize,
    mut seal: impl FnMut() -> Result<(), BenchError>,
) -> Result<f64, BenchError> {
    let records = (BYTES_PER_RUN / record_bytes).min(RECORDS_PER_RUN);
    let mut least = f64::INFINITY;
    for _ in 0..RUNS {
        let before = thread_time();
        for _ in 0..records {
            seal()?;
        }
        let spent = thread_time().saturating_sub(before);
        least = least.min(spent.as_secs_f64() * 1e9 / f64::from(records as u32));
    }
    Ok(least)
}

fn thread_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}
