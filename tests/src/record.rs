// SPDX-License-Identifier: Apache-2.0 OR MIT
//! TLS 1.3 records (RFC 8446, section 5.2) made and opened by ring's AEAD alone: what devices are compared with.

use std::fmt;

use rand::rngs::StdRng;
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sealgate_abi::{Key, Suite};

use crate::random;

/// Bytes of a record header.
pub const HEADER_BYTES: usize = 5;

/// Largest inner plaintext: content, type and padding.
const INNER_BYTES_MAX: usize = (1 << 14) + 1;

/// Key and static IV of one direction of one connection.
#[derive(Clone)]
pub struct TrafficKey {
    key: Vec<u8>,
    iv: [u8; 12],
}

impl TrafficKey {
    /// The key of either length, and its IV.
    #[must_use]
    pub fn new(key: &[u8], iv: &[u8]) -> Self {
        Self { key: key.to_vec(), iv: iv.try_into().expect("IVs have 12 bytes") }
    }

    /// A random key of `suite`.
    #[must_use]
    pub fn random(rng: &mut StdRng, suite: Suite) -> Self {
        Self::new(&random::bytes(rng, suite.key_bytes()), &random::bytes(rng, 12))
    }

    /// The key as the driver takes it.
    #[must_use]
    pub fn for_driver(&self) -> Key<'_> {
        match self.key.len() {
            16 => Key::Aes128(self.key.first_chunk().expect("16 bytes")),
            _ => Key::Aes256(self.key.first_chunk().expect("32 bytes")),
        }
    }

    /// The IV.
    #[must_use]
    pub const fn iv(&self) -> [u8; 12] {
        self.iv
    }

    /// Seals any inner plaintext, lawful or not: the record with its header.
    #[must_use]
    pub fn seal(&self, sequence: u64, inner: &[u8]) -> Vec<u8> {
        let mut record = header(inner.len() + 16).to_vec();
        record.extend_from_slice(inner);
        let (header, text) = record.split_at_mut(HEADER_BYTES);
        let tag = self
            .aead()
            .seal_in_place_separate_tag(self.nonce(sequence), Aad::from(&*header), text)
            .expect("ring seals a record");
        record.extend_from_slice(tag.as_ref());
        record
    }

    /// Opens a record: its inner plaintext, or `None` if it is not authentic.
    #[must_use]
    pub fn open(&self, sequence: u64, record: &[u8]) -> Option<Vec<u8>> {
        let (header, text) = record.split_at(HEADER_BYTES);
        let mut text = text.to_vec();
        let inner = self.aead().open_in_place(self.nonce(sequence), Aad::from(header), &mut text);
        inner.ok().map(|inner| inner.to_vec())
    }

    fn aead(&self) -> LessSafeKey {
        let algorithm = if self.key.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
        LessSafeKey::new(UnboundKey::new(algorithm, &self.key).expect("a key of 16 or 32 bytes"))
    }

    fn nonce(&self, sequence: u64) -> Nonce {
        let mut nonce = self.iv;
        for (byte, sequence) in nonce[4..].iter_mut().zip(sequence.to_be_bytes()) {
            *byte ^= sequence;
        }
        Nonce::assume_unique_for_key(nonce)
    }
}

impl fmt::Debug for TrafficKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrafficKey").field("bytes", &self.key.len()).finish_non_exhaustive()
    }
}

/// The header of a protected record with `length` bytes behind it.
#[must_use]
pub fn header(length: usize) -> [u8; HEADER_BYTES] {
    let [high, low] = u16::try_from(length).expect("a record's length has 16 bits").to_be_bytes();
    [23, 3, 3, high, low]
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
