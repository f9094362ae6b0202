// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What each way to a device costs: registers, doorbells, interrupts, memory. Measured by `sealgate device measure`, on
//! this machine and, for `pci:`, in a virtual one; `cargo xtask bench` runs it and hands the figures over.

use std::env;

use serde::{Deserialize, Serialize};

/// The variable that holds the figures: a JSON array of them.
const FIGURES: &str = "SEALGATE_TRANSPORTS";

/// Mean times of one transport, in microseconds.
#[derive(Debug, Deserialize, Serialize)]
pub struct TransportCost {
    /// The device address.
    pub device: String,
    /// Whether the device is simulated: then the times say nothing about hardware.
    pub simulated: bool,
    /// To read a register.
    pub register_read_us: f64,
    /// To write one.
    pub register_write_us: f64,
    /// From the doorbell to the completion of an entry that does nothing, polled.
    pub completion_us: f64,
    /// From the doorbell until its interrupt message has woken the program.
    pub interrupt_us: f64,
    /// To map and unmap 64 KiB.
    pub map_and_unmap_us: f64,
    /// To seal a record of 16 KiB, waited for.
    pub seal_us: f64,
    /// Megabytes of content a second, one such record after the other.
    pub seal_mb_per_s: f64,
}

/// The figures that were handed over.
pub fn figures() -> Result<Vec<TransportCost>, serde_json::Error> {
    env::var(FIGURES).map_or_else(|_| Ok(Vec::new()), |text| serde_json::from_str(&text))
}
