// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Status codes, in the order in which the device checks.

use core::fmt;

/// How an entry ended. Where several apply the device reports the one that it checks first: the order of the codes,
/// except that a fault on the source is reported before anything found in the record, and one on the destination last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Status {
    /// Done.
    Success = 0,
    /// The entry itself could not be read.
    EntryFault = 1,
    /// The device does not accept entries: self test running or failed, or a zeroize under way.
    NotReady = 2,
    /// No such operation.
    UnknownOpcode = 3,
    /// A field holds what the device does not know or serve, or a reserved one is not zero.
    InvalidField = 4,
    /// The context is not loaded, or there is none of that number.
    ContextMissing = 5,
    /// `CTX_LOAD`: the context is loaded already.
    ContextBusy = 6,
    /// The context was loaded through another queue.
    ContextForeign = 7,
    /// SEAL on a context that opens, or OPEN on one that seals.
    ContextDirection = 8,
    /// SEAL: as many records as the suite allows were sealed; OPEN: the sequence number would wrap.
    SequenceExhausted = 9,
    /// The length is outside the limits, the result might not fit the destination, or the opened text is longer than
    /// RFC 8446, section 5.4, or RFC 5246, section 6.2.1, allows.
    BadLength = 10,
    /// The source could not be read.
    SourceFault = 11,
    /// OPEN: the header's type, version or length is not that of a protected record of this length.
    BadHeader = 12,
    /// OPEN: the record is not authentic. Nothing was written.
    BadTag = 13,
    /// OPEN: the inner plaintext is all zero: there is no content type.
    PaddingWithoutContent = 14,
    /// The destination could not be written; what stands there is undefined.
    DestinationFault = 15,
    /// A memory inside the device lost a bit.
    InternalParity = 16,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 17] = [
        Self::Success,
        Self::EntryFault,
        Self::NotReady,
        Self::UnknownOpcode,
        Self::InvalidField,
        Self::ContextMissing,
        Self::ContextBusy,
        Self::ContextForeign,
        Self::ContextDirection,
        Self::SequenceExhausted,
        Self::BadLength,
        Self::SourceFault,
        Self::BadHeader,
        Self::BadTag,
        Self::PaddingWithoutContent,
        Self::DestinationFault,
        Self::InternalParity,
    ];

    /// The status in lower-case words joined by underscores, as metrics and the RTL name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::EntryFault => "entry_fault",
            Self::NotReady => "not_ready",
            Self::UnknownOpcode => "unknown_opcode",
            Self::InvalidField => "invalid_field",
            Self::ContextMissing => "context_missing",
            Self::ContextBusy => "context_busy",
            Self::ContextForeign => "context_foreign",
            Self::ContextDirection => "context_direction",
            Self::SequenceExhausted => "sequence_exhausted",
            Self::BadLength => "bad_length",
            Self::SourceFault => "source_fault",
            Self::BadHeader => "bad_header",
            Self::BadTag => "bad_tag",
            Self::PaddingWithoutContent => "padding_without_content",
            Self::DestinationFault => "destination_fault",
            Self::InternalParity => "internal_parity",
        }
    }

    /// Whether the status is a verdict on the record that the peer sent, not a fault of the host or of the device.
    #[must_use]
    pub const fn is_verdict(self) -> bool {
        matches!(
            self,
            Self::BadLength | Self::BadHeader | Self::BadTag | Self::PaddingWithoutContent
        )
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A status code that the contract does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownStatus(pub u8);

impl fmt::Display for UnknownStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the device answered with status {}, which this version does not know", self.0)
    }
}

impl core::error::Error for UnknownStatus {}

impl TryFrom<u8> for Status {
    type Error = UnknownStatus;

    fn try_from(code: u8) -> Result<Self, UnknownStatus> {
        Self::ALL.get(usize::from(code)).copied().ok_or(UnknownStatus(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_table_agree() {
        for (code, status) in Status::ALL.into_iter().enumerate() {
            assert_eq!(status as usize, code);
            assert_eq!(Status::try_from(code as u8), Ok(status));
        }
        assert_eq!(Status::try_from(17), Err(UnknownStatus(17)));
    }
}
