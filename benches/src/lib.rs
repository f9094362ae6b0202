// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a record costs: the engine in cycles, the host in nanoseconds, and ring's own beside both. What a stream does and
//! needs, beside those of other TLS stacks.
//!
//! `cargo xtask bench` runs the report; `cargo bench -p sealgate-benches` the criterion benches.

#[cfg(feature = "rtl")]
pub mod card;
#[cfg(feature = "rtl")]
pub mod device;
pub mod host;
#[cfg(feature = "tls")]
pub mod idle;
pub mod mover;
#[cfg(feature = "tls")]
mod openssl;
pub mod ratchet;
pub mod software;
#[cfg(feature = "rtl")]
pub mod table;
#[cfg(feature = "tls")]
pub mod throughput;
#[cfg(feature = "tls")]
pub mod tls;
pub mod transports;

/// Sizes of content that are compared, in bytes.
pub const RECORD_BYTES: [usize; 3] = [16_384, 1_024, 64];

/// A measurement that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The simulated device could not be started.
    #[error("the simulated device did not start")]
    Simulation(#[from] sealgate_sim::SimError),
    /// The driver could not bring the device up.
    #[error("the device did not come up")]
    Open(#[from] sealgate_driver::OpenError),
    /// The transport refused a mapping.
    #[error("memory could not be mapped for the device")]
    Transport(#[from] sealgate_driver::transport::TransportError),
    /// Memory could not be had.
    #[error("no memory for the device")]
    Memory(#[from] std::io::Error),
    /// A ring did not take what it was given.
    #[error("a ring did not take an entry")]
    Ring(#[from] sealgate_driver::ring::RingError),
    /// The driver reported a failure.
    #[error("the device failed")]
    Device(#[from] sealgate_driver::DeviceError),
    /// The device ended an entry in another way than with success.
    #[error("the device ended {operation} with {status}")]
    Status {
        /// What was asked for.
        operation: &'static str,
        /// How it ended.
        status: sealgate_driver::Status,
    },
    /// The device did not answer in time.
    #[error("the device did not {what} in time")]
    Timeout {
        /// What was waited for.
        what: &'static str,
    },
    /// The verilated engine could not be measured.
    #[cfg(feature = "rtl")]
    #[error("the engine could not be measured")]
    Engine(#[from] sealgate_bench::BenchError),
    /// The points of a sweep lie outside what can be measured.
    #[cfg(feature = "rtl")]
    #[error(transparent)]
    Sweep(#[from] sealgate_bench::SweepError),
    /// The bare lane, or its AEAD, could not be made.
    #[cfg(feature = "rtl")]
    #[error("the bare lane or its AEAD could not be made")]
    Rtl(#[from] sealgate_sim::rtl::RtlError),
    /// The bare lane failed.
    #[cfg(feature = "rtl")]
    #[error("the bare lane failed")]
    Lane(#[from] sealgate_sim::rtl::LaneError),
    /// The bare AEAD failed.
    #[cfg(feature = "rtl")]
    #[error("the bare AEAD failed")]
    Aead(#[from] sealgate_sim::rtl::AeadError),
    /// DMA memory is smaller than what is copied.
    #[error("a copy does not fit its memory")]
    Copy(#[from] sealgate_driver::memory::OutOfBounds),
    /// Instructions could not be counted.
    #[error("instructions could not be counted: {what}")]
    Callgrind {
        /// What was said.
        what: String,
    },
    /// A TLS connection, or the other side of one, failed.
    #[cfg(feature = "tls")]
    #[error("TLS streams could not be measured")]
    Stream(#[source] std::io::Error),
    /// ring refused a key or a record.
    #[error("ring refused {what}")]
    Software {
        /// What it was asked for.
        what: &'static str,
    },
}
