// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a simulation can be told.

use std::env;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// How wide an engine is built: its parameters `LANES` and `DATA_WIDTH`. Written as `4x512`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// AEAD lanes: 1, 2 or 4.
    pub lanes: usize,
    /// Width of the memory bus in bits: 128, 256 or 512.
    pub bus_bits: usize,
}

impl Shape {
    /// One lane on a bus of 128 bits.
    pub const NARROWEST: Self = Self { lanes: 1, bus_bits: 128 };

    /// Four lanes on a bus of 512 bits.
    pub const WIDEST: Self = Self { lanes: 4, bus_bits: 512 };

    /// Every shape that the RTL can be built in.
    pub const ALL: [Self; 9] = [
        Self::NARROWEST,
        Self { lanes: 1, bus_bits: 256 },
        Self { lanes: 1, bus_bits: 512 },
        Self { lanes: 2, bus_bits: 128 },
        Self { lanes: 2, bus_bits: 256 },
        Self { lanes: 2, bus_bits: 512 },
        Self { lanes: 4, bus_bits: 128 },
        Self { lanes: 4, bus_bits: 256 },
        Self::WIDEST,
    ];

    /// A shape that the RTL can be built in.
    pub fn new(lanes: usize, bus_bits: usize) -> Result<Self, ShapeError> {
        let shape = Self { lanes, bus_bits };
        if Self::ALL.contains(&shape) { Ok(shape) } else { Err(ShapeError(shape.to_string())) }
    }

    /// Bytes of a beat of the memory bus.
    #[must_use]
    pub const fn bus_bytes(self) -> usize {
        self.bus_bits / 8
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.lanes, self.bus_bits)
    }
}

impl FromStr for Shape {
    type Err = ShapeError;

    fn from_str(text: &str) -> Result<Self, ShapeError> {
        let shape = Self::ALL.into_iter().find(|shape| shape.to_string() == text);
        shape.ok_or_else(|| ShapeError(text.to_owned()))
    }
}

/// There is no engine of such a shape.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no shape of the engine; use 1, 2 or 4 lanes on 128, 256 or 512 bits, as in 4x512"
)]
pub struct ShapeError(String);

/// Settings of a simulated device.
#[derive(Clone, Debug)]
pub struct SimConfig {
    /// Seed of everything random in the simulation: IOVAs, bus latencies, order, back-pressure.
    pub seed: u64,
    /// Lanes of the RTL. The software device has one.
    pub lanes: usize,
    /// Width of the RTL's memory bus in bits.
    pub bus_bits: usize,
    /// Whether the RTL's lanes have the queues between their parts that only hardware needs. In a build with
    /// `rtl-shapes` there is such a model, in the narrowest shape.
    pub pipelined: bool,
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
            lanes: Shape::NARROWEST.lanes,
            bus_bits: Shape::NARROWEST.bus_bits,
            pipelined: false,
            bus: BusConfig::default(),
            trace: env::var_os("SEALGATE_TRACE").filter(|path| !path.is_empty()).map(PathBuf::from),
            completion_timeout: None,
        }
    }
}

impl SimConfig {
    /// The settings for an engine of this shape.
    #[must_use]
    pub fn with_shape(self, shape: Shape) -> Self {
        Self { lanes: shape.lanes, bus_bits: shape.bus_bits, ..self }
    }

    /// The shape of the RTL.
    pub fn shape(&self) -> Result<Shape, ShapeError> {
        Shape::new(self.lanes, self.bus_bits)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_read_as_they_are_written() {
        for shape in Shape::ALL {
            assert_eq!(shape.to_string().parse(), Ok(shape));
            assert_eq!(Shape::new(shape.lanes, shape.bus_bits), Ok(shape));
        }
        assert_eq!("4x512".parse(), Ok(Shape::WIDEST));
        for other in ["", "4", "3x128", "1x1024", "4x512 ", "04x512", "+4x512"] {
            assert!(other.parse::<Shape>().unwrap_err().to_string().contains("4x512"), "{other}");
        }
    }
}
