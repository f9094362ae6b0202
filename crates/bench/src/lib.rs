// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Measures the record engine in clock cycles, simulated: the RTL under Verilator behind a bus model with a stated read
//! latency, fed by a host that costs nothing and is never late.
//!
//! A [`Sweep`] names values for each axis; every combination is a [`Point`]; [`measure`] turns a point into a [`Figure`],
//! and [`report`] draws figures as a page.
#![cfg(feature = "rtl")]
#![allow(clippy::cast_precision_loss, reason = "counts of a bench are far below 2^52")]

mod bottleneck;
mod host;
mod point;
pub mod report;
mod sweep;

use sealgate_abi::Status;
use sealgate_driver::DeviceError;
use sealgate_driver::OpenError;
use sealgate_driver::memory::OutOfBounds;
use sealgate_driver::ring::RingError;
use sealgate_driver::transport::TransportError;
use sealgate_sim::SimError;

pub use bottleneck::Bottleneck;
pub use host::measure;
pub use point::{Figure, Point};
pub use sweep::{Sweep, SweepError};

/// A point could not be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The simulation could not be started.
    #[error("the simulated device could not be started")]
    Simulation(#[from] SimError),
    /// A queue could not be set up.
    #[error("a queue of the simulated device could not be opened")]
    Queue(#[from] OpenError),
    /// Memory could not be mapped.
    #[error("memory for the records could not be mapped")]
    Memory(#[from] TransportError),
    /// Memory for the records could not be had.
    #[error(
        "{bytes} bytes of memory for the records could not be had; use fewer connections or shorter records"
    )]
    Allocation {
        /// The bytes asked for.
        bytes: usize,
        /// What the system said.
        source: std::io::Error,
    },
    /// A record does not fit its place; an error of this crate.
    #[error("a record does not fit the memory that was set aside for it")]
    Bounds(#[from] OutOfBounds),
    /// The ring took no entry; an error of this crate.
    #[error("the ring took no entry")]
    Ring(#[from] RingError),
    /// The device broke the protocol of the rings.
    #[error("the device broke the protocol of the rings")]
    Device(#[from] DeviceError),
    /// An entry was refused.
    #[error("{operation} ended with status {status}, and only success can be measured")]
    Status {
        /// What was asked.
        operation: &'static str,
        /// What the device answered.
        status: Status,
    },
    /// The device made no progress.
    #[error("the device did not {what} within {cycles} cycles")]
    Stalled {
        /// What it was to do.
        what: &'static str,
        /// How long it was given.
        cycles: u64,
    },
    /// The device broke the rules of its bus.
    #[error("the device broke the rules of its bus: {0}")]
    Protocol(String),
}
