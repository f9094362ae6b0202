// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One combination of values, and what was measured there.

use sealgate_abi::{Direction, Suite, TlsVersion};
use serde::{Serialize, Serializer};

use crate::bottleneck::Bottleneck;

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct Point {
    /// The AEAD.
    pub suite: Suite,
    /// The record format.
    pub version: TlsVersion,
    /// Whether records are sealed or opened.
    pub direction: Direction,
    /// Bytes of content of each record.
    pub record_bytes: usize,
    /// Records of one SEAL entry: more than one makes the device cut a long plaintext.
    pub records_per_entry: usize,
    /// AEAD lanes.
    pub lanes: usize,
    /// Width of the memory bus in bits.
    pub bus_bits: usize,
    /// Connections that take turns, each with a key context of its own.
    pub connections: usize,
    /// Queue pairs used.
    pub queues: usize,
    /// Entries in flight, of all queues together.
    pub in_flight: usize,
    /// Cycles from the address of a read to its first beat.
    pub read_latency: u32,
    /// How far that latency may be off in either direction, at random.
    pub jitter: u32,
    /// Cycles from the last beat of a write to its acknowledgement.
    pub write_latency: u32,
    /// Seed of everything random.
    pub seed: u64,
}

/// What was measured at a point.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// The AEAD.
    #[serde(serialize_with = "suite")]
    pub suite: Suite,
    /// The record format.
    #[serde(serialize_with = "version")]
    pub tls_version: TlsVersion,
    /// `seal` or `open`.
    #[serde(serialize_with = "direction")]
    pub direction: Direction,
    /// Bytes of content of each record.
    pub record_bytes: usize,
    /// Records of one entry.
    pub records_per_entry: usize,
    /// AEAD lanes.
    pub lanes: usize,
    /// Width of the memory bus in bits.
    pub bus_bits: usize,
    /// Connections that took turns.
    pub connections: usize,
    /// Queue pairs used.
    pub queues: usize,
    /// Entries in flight.
    pub in_flight: usize,
    /// Cycles from the address of a read to its first beat.
    pub read_latency_cycles: u32,
    /// How far that latency was off in either direction.
    pub read_jitter_cycles: u32,
    /// Cycles from the last beat of a write to its acknowledgement.
    pub write_latency_cycles: u32,
    /// Bytes of content per cycle.
    pub payload_bytes_per_cycle: f64,
    /// Records per cycle.
    pub records_per_cycle: f64,
    /// Cycles from the doorbell to the completion in host memory: the median.
    pub latency_cycles_p50: u64,
    /// The same: 99 of 100 entries were not slower.
    pub latency_cycles_p99: u64,
    /// What the device's counters name as the limit.
    pub limited_by: Bottleneck,
    /// Gigabits of content per second at `clock_mhz`.
    pub gbit_per_s: f64,
    /// The clock assumed for `gbit_per_s`.
    pub clock_mhz: f64,
    /// Share of cycles in which the read channel of the bus carried a beat.
    pub read_bus_use: f64,
    /// The same of the write channel.
    pub write_bus_use: f64,
    /// Share of cycles in which a lane took a word of text, the mean of the lanes.
    pub lane_use: f64,
    /// Clock cycles simulated per second of wall time, bus models included.
    pub simulated_cycles_per_s: f64,
    /// Always true: nothing here was measured on hardware.
    pub simulated: bool,
    /// Seed of everything random.
    pub seed: u64,
}

/// A suite as the contract writes it.
#[must_use]
pub(crate) fn suite_name(suite: Suite) -> &'static str {
    match suite {
        Suite::Aes128Gcm => "AES-128-GCM",
        Suite::Aes256Gcm => "AES-256-GCM",
        Suite::Chacha20Poly1305 => "ChaCha20-Poly1305",
    }
}

/// A version as people write it.
#[must_use]
pub(crate) fn version_name(version: TlsVersion) -> &'static str {
    match version {
        TlsVersion::Tls12 => "1.2",
        TlsVersion::Tls13 => "1.3",
    }
}

/// A direction in lower case.
#[must_use]
pub(crate) fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Seal => "seal",
        Direction::Open => "open",
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn suite<S: Serializer>(value: &Suite, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(suite_name(*value))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn version<S: Serializer>(value: &TlsVersion, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(version_name(*value))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn direction<S: Serializer>(value: &Direction, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(direction_name(*value))
}
