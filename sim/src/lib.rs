// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The device, simulated: what the driver talks to when there is no card.
//!
//! Two devices keep the contract of `docs/device.md`. The software device (`sim:model`) is the contract written in Rust
//! and needs nothing but Rust. The verilated RTL (`sim:rtl`, feature `rtl`) is the hardware itself, clock by clock,
//! behind bus models that delay, reorder and refuse as real buses do. Its [`Shape`] is chosen in [`SimConfig`]; the
//! feature builds the narrowest and the widest, `rtl-shapes` all nine, and one with pipelined lanes; `rtl-lane` adds a
//! lane alone.
//!
//! [`SimTransport`] runs either on a thread of its own and implements the driver's `Transport`. The device reaches only
//! memory that was mapped: [`iommu`] answers everything else with a fault. [`SimControl`] breaks the device on purpose.
//! [`vfio_user`] serves it as a PCI Express function, to a virtual machine or another process.

pub mod bus;
mod config;
mod device;
pub mod iommu;
mod model;
#[cfg(feature = "rtl")]
pub mod rtl;
#[cfg(feature = "rtl")]
mod stepped;
mod transport;
pub mod vfio_user;

pub use config::{BusConfig, Shape, ShapeError, SimConfig};
#[cfg(feature = "rtl")]
pub use stepped::SteppedTransport;
pub use transport::{SimControl, SimError, SimTransport};

// Nothing in Rust calls them: the waveform writer in C++ does, and this makes sure that they are linked.
#[cfg(feature = "rtl")]
use {libz_sys as _, lz4_sys as _};
