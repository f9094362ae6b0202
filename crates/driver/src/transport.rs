// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The seam below the driver: how registers are reached, memory is mapped and interrupts arrive.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use sealgate_abi::regs::RegisterIo;

use crate::memory::DmaMemory;

/// A way to a device. One implementation per kind of address: `sim:rtl`, `sim:model`, later `pci:...`.
///
/// Register reads of a device that is gone return all ones; they never block for long and never fail otherwise.
pub trait Transport: RegisterIo + fmt::Debug + Send + Sync {
    /// The device address this transport was opened with, for logs, metrics and people.
    fn address(&self) -> &str;

    /// Whether the device is a simulation, so that its speed says nothing about hardware.
    fn is_simulated(&self) -> bool;

    /// How long one submitted entry may take before the device counts as hung.
    fn completion_timeout(&self) -> Duration;

    /// Lets the device reach `memory`, from the returned IOVA on. The transport keeps the memory alive until
    /// [`Self::unmap`] returns.
    fn map(&self, memory: &Arc<DmaMemory>, access: DmaAccess) -> Result<Iova, TransportError>;

    /// Takes a mapping back. After it returns the device can no longer reach the memory.
    fn unmap(&self, iova: Iova) -> Result<(), TransportError>;

    /// Waits for an interrupt message of `queue`, at most `timeout`. `true`: one came since the last call.
    fn wait_for_interrupt(&self, queue: usize, timeout: Duration) -> Result<bool, TransportError>;

    /// Resets the whole device (a function-level reset): after it returns no DMA is under way.
    fn reset(&self) -> Result<(), TransportError>;
}

/// An address as the device sees it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Iova(pub u64);

impl Iova {
    /// The address `bytes` further on.
    #[must_use]
    pub const fn offset(self, bytes: usize) -> Self {
        Self(self.0.wrapping_add(bytes as u64))
    }
}

impl fmt::Debug for Iova {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Iova({:#x})", self.0)
    }
}

/// What a device may do with a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DmaAccess {
    /// The device only reads.
    Read,
    /// The device reads and writes.
    ReadWrite,
}

/// A transport could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The device does not answer any more.
    #[error(
        "device {address} is gone: it no longer answers; check that the card is seated and its driver bound"
    )]
    Gone {
        /// The device address.
        address: String,
    },
    /// Memory could not be mapped for DMA.
    #[error("device {address}: {bytes} bytes of DMA memory could not be mapped")]
    Map {
        /// The device address.
        address: String,
        /// Size of the mapping asked for.
        bytes: usize,
        /// What the system said.
        source: io::Error,
    },
    /// No mapping starts there.
    #[error("device {address}: no DMA mapping starts at {iova:?}")]
    NotMapped {
        /// The device address.
        address: String,
        /// The address asked for.
        iova: Iova,
    },
    /// The device did not come back from a reset.
    #[error("device {address} did not come back from a reset within {waited_ms} ms")]
    Reset {
        /// The device address.
        address: String,
        /// How long the driver waited.
        waited_ms: u128,
    },
}
