// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Host driver of the sealgate record engine.
//!
//! [`Device::open`] brings up the device behind a [`Transport`]; [`Device::session`] takes the keys of one direction of a
//! connection, and [`Session::seal`] and [`Session::open`] turn plaintext into TLS records and back, one at a time, or
//! many with [`Session::seal_records`] and [`Session::open_run`]; from as many threads as there are sessions. Tasks have
//! many of them under way at once, with [`Session::start_seal`] and [`Session::start_open`].
//!
//! The device may be slow, hang, vanish or lie. Nothing that it writes is used unchecked, every wait has a deadline, and
//! an operation that it did not do leaves the caller's buffers as they were, so that software can do it instead. A device
//! that was caught is [`HealthState::Failed`] from then on: operations fail at once until a reset in the background has
//! brought it back.
//!
//! From the bottom up: [`transport`] reaches the device, [`memory`] is what it shares with the host, [`ring`] is the
//! protocol between them, and [`queue`] adds doorbells to it.

mod address;
mod bring_up;
mod buffer;
mod contexts;
mod core;
mod counters;
mod device;
mod dma;
mod error;
mod health;
pub mod memory;
mod monitor;
mod operation;
pub mod queue;
mod reaper;
pub mod ring;
mod session;
mod settings;
mod shared;
mod sigbus;
mod slots;
pub mod transport;

pub use sealgate_abi::{Direction, Key, Segments, Status, Suite, TlsVersion};

pub use self::address::{AddressError, DeviceAddress, PciAddress};
pub use self::bring_up::{Identity, Version, reset};
pub use self::buffer::Buffer;
pub use self::counters::{DeviceCounters, LaneCounters, QueueCounters};
pub use self::device::Device;
pub use self::error::{DeviceError, Failure, OpenError, RecordError};
pub use self::health::{Health, HealthState, HostCounters};
pub use self::operation::{Opening, Sealing};
pub use self::session::{Opened, OpenedRun, Plaintext, PlaintextHead, Session, SessionConfig};
pub use self::settings::Settings;
pub use self::transport::Transport;
