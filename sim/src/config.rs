// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a simulation can be told.

use std::env;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// Settings of a simulated device.
#[derive(Clone, Debug)]
pub struct SimConfig {
    /// Seed of everything random in the simulation: IOVAs, bus latencies, order, back-pressure.
    pub seed: u64,
    /// How the memory bus of the RTL behaves. The software device has no bus.
    pub bus: BusConfig,
    /// Where the RTL writes its waveform, in FST format. By default the value of `SEALGATE_TRACE`; the second and later
    /// devices of a process add their number to the file's name.
    pub trace: Option<PathBuf>,
    /// What the transport tells the driver as its completion timeout; `None` for a generous one, fit for the device.
    pub completion_timeout: Option<Duration>,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            bus: BusConfig::default(),
            trace: env::var_os("SEALGATE_TRACE").filter(|path| !path.is_empty()).map(PathBuf::from),
            completion_timeout: None,
        }
    }
}

/// How a simulated memory bus behaves. The default is calm: a fixed latency, everything in order, nothing held back.
#[derive(Clone, Debug)]
pub struct BusConfig {
    /// Cycles from the address of a read to its first beat of data.
    pub read_latency: RangeInclusive<u32>,
    /// Cycles from the last beat of a write to its response.
    pub write_latency: RangeInclusive<u32>,
    /// Chance of each ready to be low and of each response to be late by a cycle, from 0.0 to below 1.0.
    pub back_pressure: f64,
    /// Whether transactions of different IDs overtake each other.
    pub reorder: bool,
    /// Whether the data of reads of different IDs comes interleaved, beat by beat. Only together with `reorder`.
    pub interleave: bool,
}

impl Default for BusConfig {
    fn default() -> Self {
        Self {
            read_latency: 250..=250,
            write_latency: 100..=100,
            back_pressure: 0.0,
            reorder: false,
            interleave: false,
        }
    }
}

impl BusConfig {
    /// A bus that does everything it may: latencies from 1 to 400 cycles, order and interleaving at random, each ready
    /// low a quarter of the time.
    #[must_use]
    pub fn hostile() -> Self {
        Self {
            read_latency: 1..=400,
            write_latency: 1..=400,
            back_pressure: 0.25,
            reorder: true,
            interleave: true,
        }
    }
}
