// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The seam below the driver: how registers are reached, memory is mapped and interrupts arrive.

mod bar;
mod interrupts;
mod iova;
pub(crate) mod messages;
pub mod pci;
pub mod sysfs;
pub mod vfio;
#[cfg(feature = "vfio-user")]
pub mod vfio_user;

use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use sealgate_abi::regs::{Control, RegisterIo, Sealgate, Snapshot};

use crate::bring_up;
use crate::memory::DmaMemory;

/// How long a device may take to get its bus quiet and answer after a reset by its register.
const REGISTER_RESET_TIMEOUT: Duration = Duration::from_secs(1);

/// A way to a device. One implementation per kind of address: `pci:...`, `sysfs:...`, `vfio-user:...`, and in the crate
/// of the simulation `sim:...`.
///
/// Register reads of a device that is gone return all ones; they never block for long and never fail otherwise.
pub trait Transport: RegisterIo + fmt::Debug + Send + Sync {
    /// The device address this transport was opened with, for logs, metrics and people.
    fn address(&self) -> &str;

    /// Whether the device is a simulation, so that its speed says nothing about hardware.
    fn is_simulated(&self) -> bool;

    /// How long one submitted entry may take before the device counts as hung.
    fn completion_timeout(&self) -> Duration;

    /// Whether memory that it is to reach must be in huge pages, and so in one piece, as no IOMMU makes it look so.
    fn needs_contiguous_memory(&self) -> bool {
        false
    }

    /// Lets the device reach `memory`, from the returned IOVA on. The transport keeps the memory alive until
    /// [`Self::unmap`] returns.
    fn map(&self, memory: &Arc<DmaMemory>, access: DmaAccess) -> Result<Iova, TransportError>;

    /// Takes a mapping back. After it returns the device can no longer reach the memory.
    fn unmap(&self, iova: Iova) -> Result<(), TransportError>;

    /// Whether interrupt messages arrive. If not, [`Self::wait_for_interrupt`] ends after a pause, for another look.
    fn has_interrupts(&self) -> bool {
        true
    }

    /// Waits for an interrupt message of `queue`, at most `timeout`. `true`: one came since the last call.
    fn wait_for_interrupt(&self, queue: usize, timeout: Duration) -> Result<bool, TransportError>;

    /// The descriptor that is readable while a message of `queue` waits, for those who wait for many things at once.
    /// `None`: there is only [`Self::wait_for_interrupt`], which also takes the message.
    fn interrupt_descriptor(&self, queue: usize) -> Option<BorrowedFd<'_>> {
        let _ = queue;
        None
    }

    /// Resets the whole device (a function-level reset): after it returns no DMA is under way.
    fn reset(&self) -> Result<(), TransportError>;
}

/// Resets a device that nothing else can reset. The engine waits for a quiet bus before, so no DMA comes after.
fn reset_by_register(transport: &dyn Transport) -> Result<(), TransportError> {
    let address = || transport.address().to_owned();
    let device = Sealgate::new(transport).device();
    // They begin anew with the reset, and nothing else sets them back.
    let cycles = || {
        device.snapshot().write(Snapshot::default().with_take(true));
        device.cycles_u64()
    };
    let mut before = cycles();
    device.control().write(Control::default().with_reset(true));
    let done = bring_up::poll(REGISTER_RESET_TIMEOUT, None, || {
        let now = cycles();
        let is_reset = now < before;
        before = now;
        is_reset.then_some(())
    });
    match done {
        Some(()) => Ok(()),
        None if !bring_up::answers(transport) => Err(TransportError::Gone { address: address() }),
        None => {
            let waited_ms = REGISTER_RESET_TIMEOUT.as_millis();
            Err(TransportError::Reset { address: address(), waited_ms })
        }
    }
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
    /// Memory could not be kept in place for DMA: it counts against a limit.
    #[error(
        "device {address}: {bytes} bytes of DMA memory exceed the limit of locked memory, {limit} bytes; \
         raise it (ulimit -l, LimitMEMLOCK= of a unit, memlock in /etc/security/limits.d) or use fewer slots"
    )]
    Memlock {
        /// The device address.
        address: String,
        /// Size of the mapping asked for.
        bytes: usize,
        /// The limit, `RLIMIT_MEMLOCK`, in bytes.
        limit: u64,
    },
    /// Registers can be reached and memory cannot.
    #[error(
        "device {address} has no DMA: its registers can be looked at and no more; use its address with pci: instead, \
         or, knowing that nothing limits the card then, --unsafe-dma"
    )]
    NoDma {
        /// The device address.
        address: String,
    },
    /// The system refused something.
    #[error("device {address}: {what}")]
    System {
        /// The device address.
        address: String,
        /// What could not be done.
        what: &'static str,
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
