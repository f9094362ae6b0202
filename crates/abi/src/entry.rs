// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Submission entries: 64 bytes, little-endian, one operation each.

use core::fmt;

use bytemuck::{Pod, Zeroable};

/// Bytes of a submission entry.
pub const ENTRY_BYTES: usize = 64;

/// Bytes at the end of a [`RecordEntry`] that must be zero in SEAL, OPEN and `OPEN_RUN` entries.
pub const RESERVED_BYTES: usize = 22;

/// A submission entry as it stands in the ring.
pub type SubmissionEntry = [u8; ENTRY_BYTES];

/// What an entry asks for. A zeroed entry is not an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// Completes and does nothing else.
    Nop = 1,
    /// Loads a key context: suite, version, direction, key and IV travel in the entry.
    ContextLoad = 2,
    /// Wipes a key context when the entries before it have completed.
    ContextDrop = 3,
    /// Makes TLS records of a plaintext.
    Seal = 4,
    /// Verifies one TLS record and writes its content.
    Open = 5,
    /// Verifies TLS records that stand back to back and writes their content without gaps.
    OpenRun = 6,
}

/// The AEAD of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Suite {
    /// `AEAD_AES_128_GCM` (RFC 5116, section 5.1).
    Aes128Gcm = 1,
    /// `AEAD_AES_256_GCM` (RFC 5116, section 5.2).
    Aes256Gcm = 2,
    /// `AEAD_CHACHA20_POLY1305` (RFC 8439, section 2.8).
    Chacha20Poly1305 = 3,
}

impl Suite {
    /// Every suite.
    pub const ALL: [Self; 3] = [Self::Aes128Gcm, Self::Aes256Gcm, Self::Chacha20Poly1305];

    /// Bytes of a key.
    #[must_use]
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::Aes128Gcm => 16,
            Self::Aes256Gcm | Self::Chacha20Poly1305 => 32,
        }
    }
}

/// The record format of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246, section 6.2.3.3).
    Tls12 = 3,
    /// TLS 1.3 (RFC 8446, section 5.2).
    Tls13 = 4,
}

impl TlsVersion {
    /// Every version.
    pub const ALL: [Self; 2] = [Self::Tls12, Self::Tls13];
}

/// Which way a context works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Direction {
    /// Plaintext to records.
    Seal = 1,
    /// Records to plaintext.
    Open = 2,
}

/// A traffic key for a [`ContextEntry`].
#[derive(Clone, Copy)]
pub enum Key<'a> {
    /// Key of AES-128-GCM.
    Aes128(&'a [u8; 16]),
    /// Key of AES-256-GCM.
    Aes256(&'a [u8; 32]),
    /// Key of ChaCha20-Poly1305.
    Chacha20(&'a [u8; 32]),
}

impl Key<'_> {
    /// The suite that the key is for.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        match self {
            Self::Aes128(_) => Suite::Aes128Gcm,
            Self::Aes256(_) => Suite::Aes256Gcm,
            Self::Chacha20(_) => Suite::Chacha20Poly1305,
        }
    }
}

impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.suite()).finish()
    }
}

/// NOP, `CTX_DROP`, SEAL, OPEN and `OPEN_RUN`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct RecordEntry {
    /// [`Opcode`].
    pub opcode: u8,
    /// SEAL: the content type of the records (RFC 8446, section 5.2; RFC 5246, section 6.2.1), not 0. Else 0.
    pub content_type: u8,
    /// The key context.
    pub context: u16,
    /// Returned in the completion.
    pub cookie: u16,
    /// SEAL with TLS 1.3: content, type and padding fill a multiple of this many bytes: 0 for no padding, or a power of
    /// two up to 16,384. Else 0.
    pub padding_multiple: u16,
    /// Sequence number of the first record (RFC 8446, section 5.3).
    pub sequence: u64,
    /// IOVA of the plaintext (SEAL) or of the first record's header (OPEN, `OPEN_RUN`). Any alignment.
    pub source: u64,
    /// IOVA of the records (SEAL) or of the content (OPEN, `OPEN_RUN`). Any alignment.
    pub destination: u64,
    /// Bytes at the source.
    pub length: u32,
    /// Bytes that may be written at the destination. An entry whose result might not fit is refused.
    pub capacity: u32,
    /// SEAL: most bytes of content in a record, from 64 to 16,384; 0 stands for 16,384. Else 0.
    pub fragment_limit: u16,
    /// Zero.
    pub reserved: [u8; RESERVED_BYTES],
}

impl RecordEntry {
    /// An entry that completes and does nothing else.
    #[must_use]
    pub fn nop(cookie: u16) -> Self {
        Self { opcode: Opcode::Nop as u8, cookie, ..Self::default() }
    }

    /// An entry that wipes `context`.
    #[must_use]
    pub fn context_drop(cookie: u16, context: u16) -> Self {
        Self { opcode: Opcode::ContextDrop as u8, context, cookie, ..Self::default() }
    }

    /// The entry as it stands in the ring.
    #[must_use]
    pub fn to_bytes(self) -> SubmissionEntry {
        bytemuck::cast(self)
    }

    /// Reads an entry back.
    #[must_use]
    pub fn from_bytes(bytes: SubmissionEntry) -> Self {
        bytemuck::cast(bytes)
    }
}

/// `CTX_LOAD`. Holds a key: wipe every copy of it after use.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct ContextEntry {
    /// [`Opcode::ContextLoad`].
    pub opcode: u8,
    /// [`Suite`].
    pub suite: u8,
    /// The key context to load; it must not be loaded.
    pub context: u16,
    /// Returned in the completion.
    pub cookie: u16,
    /// [`TlsVersion`].
    pub version: u8,
    /// [`Direction`].
    pub direction: u8,
    /// The static IV that the sequence number is `XORed` into (RFC 8446, section 5.3; RFC 7905, section 2). With AES-GCM
    /// and TLS 1.2 the first 4 bytes are the implicit part of the nonce (RFC 5288, section 3).
    pub iv: [u8; 12],
    /// Zero.
    pub reserved: [u8; 12],
    /// The key; that of AES-128 stands in the first 16 bytes and zeroes follow.
    pub key: [u8; 32],
}

impl ContextEntry {
    /// An entry that loads a TLS 1.3 key into `context`.
    #[must_use]
    pub fn load(
        cookie: u16,
        context: u16,
        direction: Direction,
        key: Key<'_>,
        iv: [u8; 12],
    ) -> Self {
        let mut entry = Self {
            opcode: Opcode::ContextLoad as u8,
            suite: key.suite() as u8,
            context,
            cookie,
            version: TlsVersion::Tls13 as u8,
            direction: direction as u8,
            iv,
            reserved: [0; 12],
            key: [0; 32],
        };
        match key {
            Key::Aes128(bytes) => entry.key[..16].copy_from_slice(bytes),
            Key::Aes256(bytes) | Key::Chacha20(bytes) => entry.key = *bytes,
        }
        entry
    }

    /// The entry for records of another version.
    #[must_use]
    pub fn with_version(self, version: TlsVersion) -> Self {
        Self { version: version as u8, ..self }
    }

    /// The entry as it stands in the ring.
    #[must_use]
    pub fn to_bytes(self) -> SubmissionEntry {
        bytemuck::cast(self)
    }

    /// Reads an entry back.
    #[must_use]
    pub fn from_bytes(bytes: SubmissionEntry) -> Self {
        bytemuck::cast(bytes)
    }
}

impl fmt::Debug for ContextEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextEntry")
            .field("context", &self.context)
            .field("suite", &self.suite)
            .field("direction", &self.direction)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_never_shows_in_debug() {
        let entry = ContextEntry::load(1, 2, Direction::Seal, Key::Aes256(&[0xAB; 32]), [0xCD; 12]);
        let shown = format!("{entry:?} {:?}", Key::Aes256(&[0xAB; 32]));
        assert!(!shown.contains("171") && !shown.contains("205"), "{shown}");
    }

    #[test]
    fn entries_survive_the_ring() {
        let entry =
            RecordEntry { sequence: u64::MAX - 1, length: 7, ..RecordEntry::context_drop(3, 1023) };
        assert_eq!(RecordEntry::from_bytes(entry.to_bytes()), entry);
        assert_eq!(entry.to_bytes()[..6], [3, 0, 0xFF, 3, 3, 0]);
    }

    #[test]
    fn a_short_key_is_followed_by_zeroes() {
        let bytes =
            ContextEntry::load(0, 0, Direction::Open, Key::Aes128(&[7; 16]), [1; 12]).to_bytes();
        assert_eq!(bytes[32..48], [7; 16]);
        assert_eq!(bytes[48..], [0; 16]);
    }
}
