// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The peer: TLS 1.3 record protection by ring alone (RFC 8446, section 5.2).

use ring::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use sealgate_abi::{RECORD_HEADER_BYTES, Suite, TAG_BYTES};

use crate::BenchError;

/// A key that seals records in software.
pub struct Software {
    key: LessSafeKey,
    iv: [u8; 12],
}

impl Software {
    /// Takes the key that a session of the device has.
    pub fn new(suite: Suite, key: &[u8], iv: [u8; 12]) -> Result<Self, BenchError> {
        let algorithm = match suite {
            Suite::Aes128Gcm => &aead::AES_128_GCM,
            Suite::Aes256Gcm => &aead::AES_256_GCM,
            Suite::Chacha20Poly1305 => &aead::CHACHA20_POLY1305,
        };
        let key = UnboundKey::new(algorithm, key)
            .map_err(|_| BenchError::Software { what: "the key" })?;
        Ok(Self { key: LessSafeKey::new(key), iv })
    }

    /// Writes the record of `content` into `record`, which keeps its allocation.
    pub fn seal(
        &self,
        sequence: u64,
        content: &[u8],
        record: &mut Vec<u8>,
    ) -> Result<(), BenchError> {
        let encrypted = content.len() + 1 + TAG_BYTES;
        let [high, low] = u16::try_from(encrypted)
            .map_err(|_| BenchError::Software { what: "a record of that length" })?
            .to_be_bytes();
        let header = [23, 3, 3, high, low];
        let mut nonce = self.iv;
        for (byte, number) in nonce[4..].iter_mut().zip(sequence.to_be_bytes()) {
            *byte ^= number;
        }

        record.clear();
        record.extend_from_slice(&header);
        record.extend_from_slice(content);
        record.push(23);
        let tag = self
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(header),
                &mut record[RECORD_HEADER_BYTES..],
            )
            .map_err(|_| BenchError::Software { what: "a record" })?;
        record.extend_from_slice(tag.as_ref());
        Ok(())
    }
}
