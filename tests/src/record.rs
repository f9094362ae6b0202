// SPDX-License-Identifier: Apache-2.0 OR MIT
//! TLS records (RFC 8446, section 5.2; RFC 5246, section 6.2.3.3) made and opened by ring's AEAD alone: what devices are
//! compared with.

use std::fmt;

use rand::rngs::StdRng;
use ring::aead::{
    AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use sealgate_abi::{EXPLICIT_NONCE_BYTES, Key, Suite, TlsVersion};

use crate::random;

/// Bytes of a record header.
pub const HEADER_BYTES: usize = 5;

/// The content type of application data, and of every protected record of TLS 1.3 on the outside.
pub const APPLICATION_DATA: u8 = 23;

/// Largest inner plaintext: content, type and padding.
const INNER_BYTES_MAX: usize = (1 << 14) + 1;

/// Bytes of the tag of every suite.
const TAG_BYTES: usize = 16;

/// Key and static IV of one direction of one connection.
#[derive(Clone)]
pub struct TrafficKey {
    version: TlsVersion,
    suite: Suite,
    key: Vec<u8>,
    iv: [u8; 12],
}

impl TrafficKey {
    /// The key of a suite, and its IV.
    #[must_use]
    pub fn new(version: TlsVersion, suite: Suite, key: &[u8], iv: &[u8]) -> Self {
        assert_eq!(key.len(), suite.key_bytes(), "{suite:?}");
        Self { version, suite, key: key.to_vec(), iv: iv.try_into().expect("IVs have 12 bytes") }
    }

    /// A random key of `suite`.
    #[must_use]
    pub fn random(rng: &mut StdRng, version: TlsVersion, suite: Suite) -> Self {
        let (key, iv) = (random::bytes(rng, suite.key_bytes()), random::bytes(rng, 12));
        Self::new(version, suite, &key, &iv)
    }

    /// The key as the driver takes it.
    #[must_use]
    pub fn for_driver(&self) -> Key<'_> {
        match self.suite {
            Suite::Aes128Gcm => Key::Aes128(self.key.first_chunk().expect("16 bytes")),
            Suite::Aes256Gcm => Key::Aes256(self.key.first_chunk().expect("32 bytes")),
            Suite::Chacha20Poly1305 => Key::Chacha20(self.key.first_chunk().expect("32 bytes")),
        }
    }

    /// The IV.
    #[must_use]
    pub const fn iv(&self) -> [u8; 12] {
        self.iv
    }

    /// The format of the records.
    #[must_use]
    pub const fn version(&self) -> TlsVersion {
        self.version
    }

    /// Seals any inner plaintext of TLS 1.3, lawful or not: the record with its header.
    #[must_use]
    pub fn seal(&self, sequence: u64, inner: &[u8]) -> Vec<u8> {
        assert_eq!(self.version, TlsVersion::Tls13);
        let header = header(APPLICATION_DATA, inner.len() + TAG_BYTES);
        [&header, &self.seal_raw(self.nonce(sequence), &header, inner)[..]].concat()
    }

    /// Seals content of TLS 1.2, of a lawful length or not: the record with its header. The explicit part of the nonce,
    /// if the suite has one, is that of [`Self::explicit_nonce`] for the sequence number `explicit`: a sender may choose
    /// as it likes (RFC 5288, section 3).
    #[must_use]
    pub fn seal_tls12(
        &self,
        sequence: u64,
        explicit: u64,
        content_type: u8,
        content: &[u8],
    ) -> Vec<u8> {
        assert_eq!(self.version, TlsVersion::Tls12);
        let aad = tls12_aad(sequence, content_type, content.len());
        let (explicit_nonce, nonce) = match self.suite {
            Suite::Chacha20Poly1305 => (Vec::new(), self.nonce(sequence)),
            _ => (self.explicit_nonce(explicit).to_vec(), self.nonce(explicit)),
        };
        let text = self.seal_raw(nonce, &aad, content);
        let header = header(content_type, explicit_nonce.len() + text.len());
        [&header, &explicit_nonce[..], &text].concat()
    }

    /// Opens a record, or `None` if it is not authentic. TLS 1.3: its inner plaintext. TLS 1.2: what would be that, the
    /// content with its type behind it.
    #[must_use]
    pub fn open(&self, sequence: u64, record: &[u8]) -> Option<Vec<u8>> {
        let (header, text) = record.split_at(HEADER_BYTES);
        match (self.version, self.suite) {
            (TlsVersion::Tls13, _) => self.open_raw(self.nonce(sequence), header, text),
            (TlsVersion::Tls12, Suite::Chacha20Poly1305) => {
                self.open_tls12(sequence, self.nonce(sequence), header[0], text)
            }
            (TlsVersion::Tls12, _) => {
                let (explicit, text) = text.split_at_checked(EXPLICIT_NONCE_BYTES)?;
                let nonce = [&self.iv[..4], explicit].concat().try_into().expect("12 bytes");
                self.open_tls12(sequence, nonce, header[0], text)
            }
        }
    }

    fn open_tls12(
        &self,
        sequence: u64,
        nonce: [u8; 12],
        content_type: u8,
        text: &[u8],
    ) -> Option<Vec<u8>> {
        let content_bytes = text.len().checked_sub(TAG_BYTES)?;
        let aad = tls12_aad(sequence, content_type, content_bytes);
        let mut content = self.open_raw(nonce, &aad, text)?;
        content.push(content_type);
        Some(content)
    }

    /// The explicit part of the nonce that rustls and the device choose for a record (RFC 5288, section 3).
    #[must_use]
    pub fn explicit_nonce(&self, sequence: u64) -> [u8; EXPLICIT_NONCE_BYTES] {
        *self.nonce(sequence).last_chunk().expect("8 of 12 bytes")
    }

    /// Ciphertext and tag.
    fn seal_raw(&self, nonce: [u8; 12], aad: &[u8], text: &[u8]) -> Vec<u8> {
        let (nonce, mut sealed) = (Nonce::assume_unique_for_key(nonce), text.to_vec());
        self.aead()
            .seal_in_place_append_tag(nonce, Aad::from(aad), &mut sealed)
            .expect("ring seals a record");
        sealed
    }

    fn open_raw(&self, nonce: [u8; 12], aad: &[u8], text: &[u8]) -> Option<Vec<u8>> {
        let (nonce, mut text) = (Nonce::assume_unique_for_key(nonce), text.to_vec());
        let opened = self.aead().open_in_place(nonce, Aad::from(aad), &mut text);
        opened.ok().map(|opened| opened.to_vec())
    }

    fn aead(&self) -> LessSafeKey {
        let algorithm = match self.suite {
            Suite::Aes128Gcm => &AES_128_GCM,
            Suite::Aes256Gcm => &AES_256_GCM,
            Suite::Chacha20Poly1305 => &CHACHA20_POLY1305,
        };
        LessSafeKey::new(UnboundKey::new(algorithm, &self.key).expect("a key of the suite's size"))
    }

    /// The static IV with the sequence number `XORed` into it.
    fn nonce(&self, sequence: u64) -> [u8; 12] {
        let mut nonce = self.iv;
        for (byte, sequence) in nonce[4..].iter_mut().zip(sequence.to_be_bytes()) {
            *byte ^= sequence;
        }
        nonce
    }
}

impl fmt::Debug for TrafficKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrafficKey")
            .field("version", &self.version)
            .field("suite", &self.suite)
            .finish_non_exhaustive()
    }
}

/// The header of a protected record with `length` bytes behind it.
#[must_use]
pub fn header(content_type: u8, length: usize) -> [u8; HEADER_BYTES] {
    let [high, low] = u16::try_from(length).expect("a record's length has 16 bits").to_be_bytes();
    [content_type, 3, 3, high, low]
}

/// Additional data of TLS 1.2 (RFC 5246, section 6.2.3.3).
fn tls12_aad(sequence: u64, content_type: u8, content_bytes: usize) -> Vec<u8> {
    let length = u16::try_from(content_bytes).expect("a record's length has 16 bits");
    [&sequence.to_be_bytes()[..], &[content_type, 3, 3], &length.to_be_bytes()].concat()
}

/// Content, type, and zeroes up to a multiple of `padding_multiple` bytes (0: none), at most 2^14 + 1 bytes.
#[must_use]
pub fn inner_plaintext(content: &[u8], content_type: u8, padding_multiple: u16) -> Vec<u8> {
    let mut inner = content.to_vec();
    inner.push(content_type);
    assert!(inner.len() <= INNER_BYTES_MAX, "content of a record");
    let padded = inner.len().next_multiple_of(usize::from(padding_multiple.max(1)));
    inner.resize(padded.min(INNER_BYTES_MAX), 0);
    inner
}
