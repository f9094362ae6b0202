// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the end-to-end tests share: devices, servers, clients, and records made by ring alone.
//!
//! Tests run on every device of [`device::Simulation::ALL`]: the software device, and with the feature `rtl` the
//! verilated RTL. What is random comes from a seed that is printed; `SEALGATE_SEED` replays it.
#![allow(
    clippy::missing_panics_doc,
    reason = "a helper that panics is a test that fails, and says why"
)]

pub mod device;
pub mod digits;
pub mod drain;
pub mod drops;
pub mod http;
pub mod peer;
pub mod program;
pub mod proxy;
pub mod random;
pub mod raw;
pub mod record;
pub mod server;
pub mod tls;
