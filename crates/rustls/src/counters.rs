// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which path each record took, and why.

use std::sync::atomic::{AtomicU64, Ordering};

use sealgate_driver::DeviceError;

/// What is done to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Plaintext to record.
    Seal,
    /// Record to plaintext.
    Open,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 2] = [Self::Seal, Self::Open];

    /// The operation as metrics name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Open => "open",
        }
    }
}

/// Why a record was sealed or opened in software.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Its content is shorter than the provider's threshold, so that software is faster.
    BelowThreshold,
    /// The device does not serve the suite, in the version of TLS in question.
    Suite,
    /// The device does not serve TLS 1.2.
    Tls12,
    /// The provider has no device.
    NoDevice,
    /// Every key context of the device's queue was in use by a record under way.
    NoContext,
    /// The device's queue was full.
    Busy,
    /// The device has failed or cannot be reached.
    DeviceFailed,
    /// The device did not answer in time.
    Timeout,
    /// The device or its driver refused to do it, for a reason that does not lie in the record.
    Refused,
    /// The device's answer contradicts the entry or, for a record it took for bad, software.
    Inconsistent,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::BelowThreshold,
        Self::Suite,
        Self::Tls12,
        Self::NoDevice,
        Self::NoContext,
        Self::Busy,
        Self::DeviceFailed,
        Self::Timeout,
        Self::Refused,
        Self::Inconsistent,
    ];

    /// The reason as metrics name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BelowThreshold => "below_threshold",
            Self::Suite => "suite",
            Self::Tls12 => "tls12",
            Self::NoDevice => "no_device",
            Self::NoContext => "no_context",
            Self::Busy => "busy",
            Self::DeviceFailed => "device_failed",
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::Inconsistent => "inconsistent",
        }
    }

    /// Whether the device or its driver fell short, as against a decision not to use it.
    #[must_use]
    pub const fn is_fault(self) -> bool {
        matches!(self, Self::DeviceFailed | Self::Timeout | Self::Refused | Self::Inconsistent)
    }

    /// Whether a log should tell of it for each connection: that the device has failed was told when it did.
    pub(crate) const fn is_news(self) -> bool {
        self.is_fault() && !matches!(self, Self::DeviceFailed)
    }
}

impl From<&DeviceError> for Reason {
    fn from(error: &DeviceError) -> Self {
        match error {
            DeviceError::NoContext => Self::NoContext,
            DeviceError::Busy { .. } => Self::Busy,
            DeviceError::Timeout { .. } => Self::Timeout,
            DeviceError::Refused(_)
            | DeviceError::Unsupported { .. }
            | DeviceError::InvalidArgument { .. } => Self::Refused,
            DeviceError::Inconsistent { .. } => Self::Inconsistent,
            // Failed, Transport, and what a later driver adds.
            _ => Self::DeviceFailed,
        }
    }
}

/// Records, and the bytes of their content: without header, content type, padding and tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Number of records.
    pub records: u64,
    /// Bytes of content.
    pub bytes: u64,
}

/// Counts every record that a provider sealed or opened: exactly one of the tallies for each.
#[derive(Debug, Default)]
pub struct RecordCounters {
    device: [AtomicTally; Operation::ALL.len()],
    software: [[AtomicTally; Reason::ALL.len()]; Operation::ALL.len()],
    rejected: AtomicU64,
    disagreements: AtomicU64,
}

impl RecordCounters {
    /// The counts now. Each is exact; records that end meanwhile may be in one and not yet in another.
    #[must_use]
    pub fn snapshot(&self) -> RecordCounts {
        RecordCounts {
            device: Operation::ALL.map(|operation| self.device[operation as usize].load()),
            software: Operation::ALL.map(|operation| {
                Reason::ALL.map(|reason| self.software[operation as usize][reason as usize].load())
            }),
            rejected: self.rejected.load(Ordering::Relaxed),
            disagreements: self.disagreements.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn count_device(&self, operation: Operation, bytes: usize) {
        self.device[operation as usize].add(bytes);
    }

    pub(crate) fn count_device_records(&self, operation: Operation, records: u64, bytes: usize) {
        self.device[operation as usize].add_records(records, bytes);
    }

    pub(crate) fn count_software(&self, operation: Operation, reason: Reason, bytes: usize) {
        self.software[operation as usize][reason as usize].add(bytes);
    }

    pub(crate) fn count_rejected(&self) {
        self.rejected.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_disagreement(&self) {
        self.disagreements.fetch_add(1, Ordering::Relaxed);
    }
}

/// What [`RecordCounters`] held at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordCounts {
    device: [Tally; Operation::ALL.len()],
    software: [[Tally; Reason::ALL.len()]; Operation::ALL.len()],
    /// Inbound records that were refused, in whichever path: not authentic, or not a protected record.
    pub rejected: u64,
    /// Inbound records that the device refused and software opened. Anything but 0 is a defect of the device.
    pub disagreements: u64,
}

impl RecordCounts {
    /// Records sealed or opened by the device.
    #[must_use]
    pub const fn device(&self, operation: Operation) -> Tally {
        self.device[operation as usize]
    }

    /// Records sealed or opened in software for one reason.
    #[must_use]
    pub const fn software(&self, operation: Operation, reason: Reason) -> Tally {
        self.software[operation as usize][reason as usize]
    }

    /// Records sealed or opened in software, for whatever reason.
    #[must_use]
    pub fn software_total(&self, operation: Operation) -> Tally {
        self.software[operation as usize].iter().fold(Tally::default(), |sum, tally| Tally {
            records: sum.records + tally.records,
            bytes: sum.bytes + tally.bytes,
        })
    }
}

#[derive(Debug, Default)]
struct AtomicTally {
    records: AtomicU64,
    bytes: AtomicU64,
}

impl AtomicTally {
    fn add(&self, bytes: usize) {
        self.add_records(1, bytes);
    }

    fn add_records(&self, records: u64, bytes: usize) {
        self.records.fetch_add(records, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn load(&self) -> Tally {
        Tally {
            records: self.records.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use sealgate_abi::Status;
    use sealgate_driver::Failure;

    use super::*;

    #[test]
    fn tables_are_in_the_order_of_their_discriminants() {
        for (index, operation) in Operation::ALL.into_iter().enumerate() {
            assert_eq!(operation as usize, index);
        }
        for (index, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index);
        }
    }

    #[test]
    fn errors_of_the_driver_are_counted_under_the_names_it_gives_them() {
        for error in [
            DeviceError::NoContext,
            DeviceError::Busy { waited_ms: 5 },
            DeviceError::Failed(Failure::Gone),
            DeviceError::Timeout { queue: 0, waited_ms: 5 },
            DeviceError::Refused(Status::NotReady),
            DeviceError::Inconsistent { what: "length" },
        ] {
            assert_eq!(Reason::from(&error).name(), error.reason());
        }
    }

    #[test]
    fn each_count_shows_where_it_belongs_and_nowhere_else() {
        let counters = RecordCounters::default();
        counters.count_device(Operation::Seal, 100);
        counters.count_software(Operation::Open, Reason::Timeout, 7);
        counters.count_software(Operation::Open, Reason::Tls12, 0);
        let counts = counters.snapshot();

        assert_eq!(counts.device(Operation::Seal), Tally { records: 1, bytes: 100 });
        assert_eq!(counts.device(Operation::Open), Tally::default());
        assert_eq!(
            counts.software(Operation::Open, Reason::Timeout),
            Tally { records: 1, bytes: 7 }
        );
        assert_eq!(counts.software_total(Operation::Open), Tally { records: 2, bytes: 7 });
        assert_eq!(counts.software_total(Operation::Seal), Tally::default());
    }
}
