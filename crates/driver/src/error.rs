// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What can go wrong with a device. No error holds a key, plaintext or a byte of a record.

use std::io;
use std::sync::Arc;

use sealgate_abi::{Status, UnknownStatus};

use crate::ring::RingError;
use crate::transport::TransportError;

/// A device could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Registers read all ones.
    #[error(
        "device {address} is gone: its registers read all ones; \
         check that the card is seated and its driver bound"
    )]
    Gone {
        /// The device address.
        address: String,
    },
    /// Something else answers there.
    #[error(
        "device {address} is not a sealgate engine: its magic reads {magic:#010x}; \
         choose another device address"
    )]
    NotSealgate {
        /// The device address.
        address: String,
        /// What the register reads.
        magic: u32,
    },
    /// The device keeps another contract.
    #[error(
        "device {address} has version {found} of the device contract, this driver serves {served}.x; \
         update the older of the two"
    )]
    Version {
        /// The device address.
        address: String,
        /// The device's version.
        found: crate::Version,
        /// The major version that this driver serves.
        served: u8,
    },
    /// The device describes itself in a way that the driver cannot use.
    #[error("device {address} cannot be used: {what}")]
    Unusable {
        /// The device address.
        address: String,
        /// What does not fit.
        what: &'static str,
    },
    /// A known answer was missed.
    #[error(
        "device {address} failed its self test; reset it, and replace it if that does not help"
    )]
    SelfTestFailed {
        /// The device address.
        address: String,
    },
    /// The self test did not finish.
    #[error("device {address} did not finish its self test within {waited_ms} ms")]
    SelfTestTimeout {
        /// The device address.
        address: String,
        /// How long the driver waited.
        waited_ms: u128,
    },
    /// DMA memory could not be allocated.
    #[error("{bytes} bytes of DMA memory for device {address} could not be allocated")]
    Memory {
        /// The device address.
        address: String,
        /// Bytes asked for.
        bytes: usize,
        /// What the system said.
        source: io::Error,
    },
    /// A ring could not be made.
    #[error("a ring for device {address} could not be set up")]
    Ring {
        /// The device address.
        address: String,
        /// Why not.
        source: RingError,
    },
    /// The thread that recovers the device could not be started.
    #[error("the thread that watches device {address} could not be started")]
    Thread {
        /// The device address.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// The device was closed while it came up.
    #[error("device {address} was closed while it came up")]
    Closed {
        /// The device address.
        address: String,
    },
    /// The transport failed.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

/// An operation was not done by the device. The caller's buffers are as before, so software can do it instead, with the
/// same keys and the same sequence number.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// Every key context of the queue is in use by an operation under way.
    #[error("no key context of the record engine is free; fewer records at once leave room")]
    NoContext,
    /// Every slot of the queue is in use.
    #[error(
        "the queue of the record engine was full for {waited_ms} ms; fewer records at once leave room"
    )]
    Busy {
        /// How long the caller waited.
        waited_ms: u128,
    },
    /// The device failed before; it is being recovered.
    #[error("the record engine has failed: {0}; it is reset in the background")]
    Failed(Failure),
    /// The operation did not complete in time.
    #[error("the record engine did not complete an entry of queue {queue} within {waited_ms} ms")]
    Timeout {
        /// The queue.
        queue: usize,
        /// How long the caller waited.
        waited_ms: u128,
    },
    /// The device refused the entry.
    #[error("the record engine refused an entry: {0}")]
    Refused(Status),
    /// The device said or wrote what cannot be.
    #[error("the record engine contradicts itself: {what}")]
    Inconsistent {
        /// What cannot be.
        what: &'static str,
    },
    /// The device does not serve what was asked.
    #[error("the record engine does not serve {what}")]
    Unsupported {
        /// What was asked.
        what: &'static str,
    },
    /// The caller asked for what no device could do.
    #[error("the operation cannot be done: {what}")]
    InvalidArgument {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The thread that takes completions for tasks could not be started.
    #[error("no thread for a queue of the record engine: the limit of threads may be reached")]
    Thread {
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The transport failed.
    #[error("the way to the record engine failed")]
    Transport(#[source] Arc<TransportError>),
}

impl DeviceError {
    /// The kind of error as a label for metrics, in lower-case words joined by underscores.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NoContext => "no_context",
            Self::Busy { .. } => "busy",
            Self::Failed(_) => "device_failed",
            Self::Timeout { .. } => "timeout",
            Self::Refused(_) => "refused",
            Self::Inconsistent { .. } => "inconsistent",
            Self::Unsupported { .. } => "unsupported",
            Self::InvalidArgument { .. } => "invalid_argument",
            Self::Thread { .. } => "thread",
            Self::Transport(_) => "transport",
        }
    }
}

impl From<TransportError> for DeviceError {
    fn from(error: TransportError) -> Self {
        Self::Transport(Arc::new(error))
    }
}

impl From<UnknownStatus> for DeviceError {
    fn from(_: UnknownStatus) -> Self {
        Self::Inconsistent { what: "a completion holds a status code that does not exist" }
    }
}

impl From<RingError> for DeviceError {
    fn from(error: RingError) -> Self {
        match error {
            RingError::Full => Self::Busy { waited_ms: 0 },
            RingError::Head { .. } => {
                Self::Inconsistent { what: "it took submission entries that were not written" }
            }
            RingError::Size { .. } | RingError::Memory(_) => {
                Self::InvalidArgument { what: "the ring does not fit its memory" }
            }
        }
    }
}

/// A record was not opened.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RecordError {
    /// The verdict on the record: it is not one that the peer made with these keys. Software would say the same.
    #[error("the record is not valid: {0}")]
    Rejected(Status),
    /// The device's fault; nothing is known about the record.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

impl RecordError {
    /// The kind of error as a label for metrics, in lower-case words joined by underscores.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Rejected(status) => status.name(),
            Self::Device(error) => error.reason(),
        }
    }
}

/// Why a device counts as failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// Registers read all ones.
    #[error("it no longer answers, its registers read all ones")]
    Gone,
    /// An entry did not complete in time.
    #[error("an entry of queue {queue} did not complete within {waited_ms} ms")]
    Timeout {
        /// The queue.
        queue: usize,
        /// How long the driver waited.
        waited_ms: u128,
    },
    /// It refused what it must accept: host and device no longer agree on its state.
    #[error("it refused an entry that it must accept: {0}")]
    Refused(Status),
    /// It said or wrote what cannot be.
    #[error("it contradicts itself: {what}")]
    Inconsistent {
        /// What cannot be.
        what: &'static str,
    },
    /// Its transport failed.
    #[error("its transport failed: {0}")]
    Transport(Arc<TransportError>),
    /// It did not come up after a reset.
    #[error("it did not come up again: {0}")]
    BringUp(Arc<OpenError>),
    /// It was reset while the operation was under way.
    #[error("it was reset while the operation was under way")]
    Reset,
}

impl Failure {
    /// The kind of failure as a label for metrics, in lower-case words joined by underscores.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Timeout { .. } => "timeout",
            Self::Refused(_) => "refused",
            Self::Inconsistent { .. } => "inconsistent",
            Self::Transport(_) => "transport",
            Self::BringUp(error) => match **error {
                OpenError::Gone { .. } | OpenError::Transport(TransportError::Gone { .. }) => {
                    "gone"
                }
                OpenError::SelfTestFailed { .. } | OpenError::SelfTestTimeout { .. } => "self_test",
                _ => "bring_up",
            },
            Self::Reset => "reset",
        }
    }
}
