// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What host and device agree on: registers, ring entries and status codes.
//!
//! This crate is the one source of the layouts. The RTL's package `sealgate_abi_pkg.sv` is generated from [`layout`],
//! the register API in [`regs`] from `hdl/regs/sealgate.rdl`; CI compares both with what is committed. The rules that
//! go with the layouts are told in `docs/device.md`.
//!
//! No `std`, no allocation, no `unsafe`.
#![cfg_attr(not(test), no_std)]

mod completion;
mod entry;
pub mod layout;
pub mod regs;
mod status;

pub use completion::Completion;
pub use entry::{
    ContextEntry, Direction, ENTRY_BYTES, Key, Opcode, RESERVED_BYTES, RecordEntry,
    SubmissionEntry, Suite, TlsVersion,
};
pub use status::{Status, UnknownStatus};

/// Largest content of a TLS record, in bytes (RFC 8446, section 5.1; RFC 5246, section 6.2.1).
pub const MAX_FRAGMENT_BYTES: usize = 1 << 14;

/// Largest `TLSInnerPlaintext` in bytes: content, content type and padding (RFC 8446, section 5.4).
pub const MAX_INNER_PLAINTEXT_BYTES: usize = MAX_FRAGMENT_BYTES + 1;

/// Largest `encrypted_record` of a TLS 1.3 record in bytes (RFC 8446, section 5.2).
pub const MAX_ENCRYPTED_RECORD_BYTES: usize = MAX_FRAGMENT_BYTES + 256;

/// Bytes of a record header: type, legacy version, length (RFC 8446, section 5.1).
pub const RECORD_HEADER_BYTES: usize = 5;

/// Bytes of the authentication tag of every suite served (RFC 5116, section 5.1).
pub const TAG_BYTES: usize = 16;

/// Largest TLS 1.3 record on the wire in bytes, header included.
pub const MAX_RECORD_BYTES: usize = RECORD_HEADER_BYTES + MAX_ENCRYPTED_RECORD_BYTES;

/// Smallest TLS 1.3 record that OPEN accepts, header included: an inner content type and a tag.
pub const MIN_RECORD_BYTES: usize = RECORD_HEADER_BYTES + 1 + TAG_BYTES;

/// SEAL accepts sequence numbers below this one: 2^24.5 records is how many one AES-GCM key may protect
/// (RFC 8446, section 5.5). The sequence number starts at 0 with each key, so it is the count of records.
pub const SEAL_SEQUENCE_LIMIT: u64 = 23_726_566;

/// Bytes of a TLS 1.3 record made of `content` bytes, padded so that content and type fill a multiple of
/// `padding_multiple` bytes (0: not padded), but never past the limit of RFC 8446, section 5.4.
#[must_use]
pub const fn sealed_bytes(content: usize, padding_multiple: u16) -> usize {
    let inner = content + 1;
    let padded = match padding_multiple as usize {
        0 | 1 => inner,
        multiple => inner.div_ceil(multiple) * multiple,
    };
    let limited = if padded <= MAX_INNER_PLAINTEXT_BYTES {
        padded
    } else if inner > MAX_INNER_PLAINTEXT_BYTES {
        inner
    } else {
        MAX_INNER_PLAINTEXT_BYTES
    };
    RECORD_HEADER_BYTES + limited + TAG_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_size_follows_the_record_limits() {
        assert_eq!(sealed_bytes(0, 0), 22);
        assert_eq!(sealed_bytes(15, 16), 5 + 16 + 16);
        assert_eq!(sealed_bytes(16, 16), 5 + 32 + 16);
        assert_eq!(sealed_bytes(MAX_FRAGMENT_BYTES, 0), 5 + 16_385 + 16);
        assert_eq!(sealed_bytes(MAX_FRAGMENT_BYTES, 16_384), 5 + 16_385 + 16);
        assert_eq!(sealed_bytes(16_383, 16_384), 5 + 16_384 + 16);
    }
}
