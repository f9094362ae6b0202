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
pub mod pci;
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

/// Bytes of the explicit nonce that an AES-GCM record of TLS 1.2 carries behind its header (RFC 5288, section 3).
pub const EXPLICIT_NONCE_BYTES: usize = 8;

/// Largest `TLSCiphertext.fragment` of TLS 1.2 in bytes (RFC 5246, section 6.2.3).
pub const MAX_TLS12_CIPHERTEXT_BYTES: usize = MAX_FRAGMENT_BYTES + 2048;

/// Largest TLS 1.2 record on the wire in bytes, header included.
pub const MAX_TLS12_RECORD_BYTES: usize = RECORD_HEADER_BYTES + MAX_TLS12_CIPHERTEXT_BYTES;

/// Smallest AES-GCM record of TLS 1.2, header included: an explicit nonce and a tag.
pub const MIN_TLS12_GCM_RECORD_BYTES: usize =
    RECORD_HEADER_BYTES + EXPLICIT_NONCE_BYTES + TAG_BYTES;

/// Smallest ChaCha20-Poly1305 record of TLS 1.2, header included: a tag (RFC 7905, section 2).
pub const MIN_TLS12_CHACHA_RECORD_BYTES: usize = RECORD_HEADER_BYTES + TAG_BYTES;

/// Most bytes at the source of one SEAL, which cuts them into records; and of one `OPEN_RUN`.
pub const MAX_SEAL_BYTES: usize = 1 << 20;

/// Smallest limit of a fragment that SEAL accepts, in bytes (RFC 8449, section 4).
pub const MIN_FRAGMENT_LIMIT: u16 = 64;

/// SEAL with AES-GCM accepts sequence numbers below this one: 2^24.5 records is how many one AES-GCM key may protect
/// (RFC 8446, section 5.5). The sequence number starts at 0 with each key, so it is the count of records.
pub const SEAL_SEQUENCE_LIMIT: u64 = 23_726_566;

/// `OPEN_RUN` accepts sequence numbers below 2^64 less this: more records than a run can hold.
pub const OPEN_RUN_SEQUENCE_MARGIN: u64 = 1 << 16;

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

/// Bytes of a TLS 1.2 record made of `content` bytes (RFC 5288, section 3; RFC 7905, section 2).
#[must_use]
pub const fn tls12_sealed_bytes(suite: Suite, content: usize) -> usize {
    min_record_bytes(TlsVersion::Tls12, suite) + content
}

/// Bytes of the smallest record of a version and suite that OPEN accepts, header included.
#[must_use]
pub const fn min_record_bytes(version: TlsVersion, suite: Suite) -> usize {
    match (version, suite) {
        (TlsVersion::Tls13, _) => MIN_RECORD_BYTES,
        (TlsVersion::Tls12, Suite::Chacha20Poly1305) => MIN_TLS12_CHACHA_RECORD_BYTES,
        (TlsVersion::Tls12, Suite::Aes128Gcm | Suite::Aes256Gcm) => MIN_TLS12_GCM_RECORD_BYTES,
    }
}

/// Bytes of the largest record of a version that OPEN accepts, header included.
#[must_use]
pub const fn max_record_bytes(version: TlsVersion) -> usize {
    match version {
        TlsVersion::Tls13 => MAX_RECORD_BYTES,
        TlsVersion::Tls12 => MAX_TLS12_RECORD_BYTES,
    }
}

/// SEAL of a suite accepts records with sequence numbers below this one: [`SEAL_SEQUENCE_LIMIT`] for AES-GCM; for
/// ChaCha20-Poly1305 the number must only not wrap (RFC 8446, sections 5.3 and 5.5).
#[must_use]
pub const fn seal_sequence_limit(suite: Suite) -> u64 {
    match suite {
        Suite::Aes128Gcm | Suite::Aes256Gcm => SEAL_SEQUENCE_LIMIT,
        Suite::Chacha20Poly1305 => u64::MAX,
    }
}

/// What a SEAL of several records makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segments {
    /// Records, at least one.
    pub records: usize,
    /// Bytes of all records, headers included.
    pub bytes: usize,
}

impl Segments {
    /// What becomes of `length` bytes cut into fragments of `fragment_limit` bytes (0: 16,384) and a last one of the
    /// rest. No bytes make one record without content. TLS 1.2 has no padding: `padding_multiple` is not looked at.
    #[must_use]
    pub const fn of(
        version: TlsVersion,
        suite: Suite,
        length: usize,
        fragment_limit: u16,
        padding_multiple: u16,
    ) -> Self {
        let limit = if fragment_limit == 0 { MAX_FRAGMENT_BYTES } else { fragment_limit as usize };
        let full = if length == 0 { 0 } else { (length - 1) / limit };
        let rest = length - full * limit;
        Self {
            records: full + 1,
            bytes: full * record_bytes(version, suite, limit, padding_multiple)
                + record_bytes(version, suite, rest, padding_multiple),
        }
    }
}

const fn record_bytes(
    version: TlsVersion,
    suite: Suite,
    content: usize,
    padding_multiple: u16,
) -> usize {
    match version {
        TlsVersion::Tls13 => sealed_bytes(content, padding_multiple),
        TlsVersion::Tls12 => tls12_sealed_bytes(suite, content),
    }
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
        assert_eq!(tls12_sealed_bytes(Suite::Aes128Gcm, 100), 129);
        assert_eq!(tls12_sealed_bytes(Suite::Chacha20Poly1305, 0), 21);
    }

    #[test]
    fn segments_are_full_records_and_a_rest_of_at_least_a_byte() {
        let tls13 = |length, limit, padding| {
            let it = Segments::of(TlsVersion::Tls13, Suite::Aes128Gcm, length, limit, padding);
            (it.records, it.bytes)
        };
        assert_eq!(tls13(0, 0, 0), (1, 22));
        assert_eq!(tls13(16_384, 0, 0), (1, 16_406));
        assert_eq!(tls13(16_385, 0, 0), (2, 16_406 + 23));
        assert_eq!(tls13(128, 64, 0), (2, 2 * 86));
        assert_eq!(tls13(129, 64, 16), (3, 2 * (5 + 80 + 16) + 5 + 16 + 16));
        assert_eq!(tls13(1 << 20, 64, 0), (16_384, 16_384 * 86));
        let tls12 = Segments::of(TlsVersion::Tls12, Suite::Aes256Gcm, 250, 100, 0);
        assert_eq!(tls12, Segments { records: 3, bytes: 250 + 3 * 29 });
    }
}
