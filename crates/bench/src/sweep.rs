// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Values for each axis of a measurement, and the points that they span.

use sealgate_abi::{Direction, MAX_FRAGMENT_BYTES, MAX_SEAL_BYTES, Suite, TlsVersion};
use sealgate_sim::Shape;

use crate::point::Point;

/// Bytes of records in flight that keep the engine busy: the read latency of a wide bus and two of the longest records
/// in each lane.
const IN_FLIGHT_BYTES: usize = 1 << 20;

/// Values for each axis; [`Self::points`] combines all with all.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Bytes of content of a record.
    pub record_bytes: Vec<usize>,
    /// Records of one SEAL entry; OPEN takes one.
    pub records_per_entry: Vec<usize>,
    /// AEADs.
    pub suites: Vec<Suite>,
    /// Record formats.
    pub versions: Vec<TlsVersion>,
    /// Seal, open or both.
    pub directions: Vec<Direction>,
    /// Lanes and bus widths.
    pub shapes: Vec<Shape>,
    /// Connections.
    pub connections: Vec<usize>,
    /// Queue pairs.
    pub queues: Vec<usize>,
    /// Entries in flight; `None` for as many as keep the engine busy.
    pub in_flight: Option<usize>,
    /// Cycles of read latency.
    pub read_latencies: Vec<u32>,
    /// Its jitter.
    pub jitter: u32,
    /// Cycles of write latency.
    pub write_latency: u32,
    /// Seed of everything random.
    pub seed: u64,
}

impl Default for Sweep {
    /// The target table of the engine: four lanes, a bus of 512 bits, 250 cycles of read latency with jitter, 256
    /// connections.
    fn default() -> Self {
        Self {
            record_bytes: vec![64, 256, 1_460, 4_096, 16_384],
            records_per_entry: vec![1],
            suites: vec![Suite::Aes128Gcm, Suite::Aes256Gcm, Suite::Chacha20Poly1305],
            versions: vec![TlsVersion::Tls13],
            directions: vec![Direction::Seal, Direction::Open],
            shapes: vec![Shape::WIDEST],
            connections: vec![256],
            queues: vec![8],
            in_flight: None,
            read_latencies: vec![250],
            jitter: 50,
            write_latency: 100,
            seed: 0,
        }
    }
}

impl Sweep {
    /// Every combination of values, the record size moving fastest.
    ///
    /// # Errors
    ///
    /// When a value lies outside what the engine or the bench can do.
    pub fn points(&self) -> Result<Vec<Point>, SweepError> {
        let mut points = Vec::new();
        for &shape in &self.shapes {
            for &read_latency in &self.read_latencies {
                for &queues in &self.queues {
                    for &connections in &self.connections {
                        self.traffic(shape, read_latency, queues, connections, &mut points)?;
                    }
                }
            }
        }
        Ok(points)
    }

    /// The points of one engine and one set of connections.
    fn traffic(
        &self,
        shape: Shape,
        read_latency: u32,
        queues: usize,
        connections: usize,
        points: &mut Vec<Point>,
    ) -> Result<(), SweepError> {
        for &suite in &self.suites {
            for &version in &self.versions {
                for &direction in &self.directions {
                    for &records in &self.records_per_entry {
                        let records = if direction == Direction::Open { 1 } else { records };
                        for &record_bytes in &self.record_bytes {
                            let point = Point {
                                suite,
                                version,
                                direction,
                                record_bytes,
                                records_per_entry: records,
                                lanes: shape.lanes,
                                bus_bits: shape.bus_bits,
                                connections,
                                // A context belongs to one queue.
                                queues: queues.min(connections),
                                in_flight: self
                                    .in_flight
                                    .unwrap_or_else(|| enough_in_flight(record_bytes * records)),
                                read_latency,
                                jitter: self.jitter,
                                write_latency: self.write_latency,
                                seed: self.seed,
                            };
                            check(&point)?;
                            points.push(point);
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

fn enough_in_flight(entry_bytes: usize) -> usize {
    (IN_FLIGHT_BYTES / entry_bytes.max(1)).clamp(16, 512)
}

fn check(point: &Point) -> Result<(), SweepError> {
    let bounds = |axis, value: usize, least: usize, most: usize| {
        if (least..=most).contains(&value) {
            return Ok(());
        }
        Err(SweepError { axis, value, least, most })
    };
    bounds("record size", point.record_bytes, 1, MAX_FRAGMENT_BYTES)?;
    let most_records = MAX_SEAL_BYTES / point.record_bytes;
    bounds("records per entry", point.records_per_entry, 1, most_records)?;
    if point.records_per_entry > 1 {
        bounds("record size of a long entry", point.record_bytes, 64, MAX_FRAGMENT_BYTES)?;
    }
    bounds("number of connections", point.connections, 1, 1024)?;
    bounds("number of queues", point.queues, 1, sealgate_abi::regs::QUEUES)?;
    bounds("number of entries in flight", point.in_flight, 1, 1 << 14)?;
    bounds("read latency", point.read_latency as usize, 1, 100_000)?;
    bounds("jitter", point.jitter as usize, 0, point.read_latency as usize - 1)?;
    bounds("write latency", point.write_latency as usize, 1, 100_000)
}

/// A value lies outside what can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {axis} is {value}: it must be from {least} to {most}")]
pub struct SweepError {
    /// Which axis.
    pub axis: &'static str,
    /// The value.
    pub value: usize,
    /// The least that is possible.
    pub least: usize,
    /// The most that is possible.
    pub most: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_meets_every_other() {
        let sweep = Sweep { connections: vec![1, 256], ..Sweep::default() };
        let points = sweep.points().expect("the default can be measured");
        assert_eq!(points.len(), 2 * 3 * 2 * 5);
        assert_eq!(points.iter().filter(|point| point.connections == 1).count(), 30);
    }

    #[test]
    fn what_cannot_be_measured_is_named_with_its_bounds() {
        let sweep = Sweep { record_bytes: vec![16_385], ..Sweep::default() };
        let error = sweep.points().expect_err("the record is too long");
        assert_eq!(error.to_string(), "the record size is 16385: it must be from 1 to 16384");
    }
}
