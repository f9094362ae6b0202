// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the engine spends on a record, in clock cycles of the verilated RTL, and how fast it simulates.
//!
//! Cycles come from the sweeps of `sealgate bench device`, here on one lane and a bus of 128 bits.

use std::time::Instant;

use sealgate_abi::{Key, Suite};
use sealgate_bench::{Figure, Sweep, measure};
use sealgate_sim::Shape;
use sealgate_sim::rtl::{AadBytes, Aead, Job, Lane, Operation};
use serde::Serialize;

use crate::{BenchError, RECORD_BYTES};

/// Records that the lane alone seals, and its AEAD; some hundred thousand cycles.
const RECORDS: usize = 256;

/// Rates and idle latencies of every size, direction and suite on the narrowest engine.
pub fn figures() -> Result<Vec<Figure>, BenchError> {
    let sweep = Sweep {
        record_bytes: RECORD_BYTES.to_vec(),
        shapes: vec![Shape::NARROWEST],
        connections: vec![64],
        jitter: 0,
        ..Sweep::default()
    };
    let alone =
        Sweep { connections: vec![1], queues: vec![1], in_flight: Some(1), ..sweep.clone() };
    let mut points = sweep.points()?;
    points.extend(alone.points()?);
    Ok(points.iter().map(measure).collect::<Result<_, _>>()?)
}

/// How fast a verilated model runs, its surroundings in Rust included.
#[derive(Clone, Debug, Serialize)]
pub struct SimulationSpeed {
    /// `bare AEAD` and `bare lane`: these alone; else lanes and width of the bus.
    pub model: String,
    /// Clock cycles simulated per second of wall time while it seals records of 16 KiB.
    pub cycles_per_s: f64,
    /// The same as a share of the bare lane's, measured in the same run.
    pub share_of_bare_lane: f64,
}

/// Measures the AEAD of a lane alone, a lane alone and the two outermost shapes of the engine one after the other.
pub fn simulation_speed() -> Result<Vec<SimulationSpeed>, BenchError> {
    let lane = bare_lane()?;
    let mut speeds = vec![("bare AEAD".to_owned(), bare_aead()?), ("bare lane".to_owned(), lane)];
    for shape in [Shape::NARROWEST, Shape::WIDEST] {
        let sweep = Sweep {
            record_bytes: vec![RECORD_BYTES[0]],
            suites: vec![Suite::Aes128Gcm],
            shapes: vec![shape],
            ..Sweep::default()
        };
        let point = sweep.points()?.swap_remove(0);
        speeds.push((shape.to_string(), measure(&point)?.simulated_cycles_per_s));
    }
    let speed = |(model, cycles_per_s)| SimulationSpeed {
        model,
        cycles_per_s,
        share_of_bare_lane: cycles_per_s / lane,
    };
    Ok(speeds.into_iter().map(speed).collect())
}

/// Cycles per second of a lane that seals records of 16 KiB, whose source and destination never wait.
fn bare_lane() -> Result<f64, BenchError> {
    let mut lane = Lane::new()?;
    lane.load_key(Key::Aes128(&[7; 16]))?;
    let content = vec![0xA5; RECORD_BYTES[0]];
    let contents = vec![content.as_slice(); RECORDS];
    let (start, before) = (Instant::now(), lane.cycles());
    lane.seal([7; 12], 0, &contents)?;
    Ok(per_second(lane.cycles() - before, start))
}

/// Cycles per second of the AEAD of a lane, a word in and a word out per cycle.
fn bare_aead() -> Result<f64, BenchError> {
    let mut aead = Aead::new()?;
    aead.load_key(0, Key::Aes128(&[7; 16]))?;
    let text = vec![0xA5; RECORD_BYTES[0]];
    let jobs: Vec<_> = (0..RECORDS)
        .map(|record| Job {
            context: 0,
            suite: Suite::Aes128Gcm,
            operation: Operation::Seal,
            nonce: [record as u8; 12],
            aad: AadBytes::default(),
            text: &text,
            error_beat: None,
        })
        .collect();
    let (start, before) = (Instant::now(), aead.cycles());
    aead.run(&jobs)?;
    Ok(per_second(aead.cycles() - before, start))
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn per_second(cycles: u64, start: Instant) -> f64 {
    cycles as f64 / start.elapsed().as_secs_f64()
}
