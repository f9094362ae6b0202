// SPDX-License-Identifier: Apache-2.0 OR MIT
//! TLS 1.3 records (RFC 8446, section 5.2) made and taken apart in place, by ring's AEAD.

use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sealgate_abi::{
    Direction, MAX_INNER_PLAINTEXT_BYTES, RECORD_HEADER_BYTES, Status, Suite, TAG_BYTES,
    sealed_bytes,
};

const APPLICATION_DATA: u8 = 23;
const LEGACY_VERSION: [u8; 2] = [3, 3];

/// The keys of one direction of one connection.
pub(super) struct Keys {
    key: LessSafeKey,
    iv: [u8; 12],
    pub(super) direction: Direction,
}

/// The place of the content in an opened record, and its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) content_type: u8,
    pub(super) length: usize,
}

impl Keys {
    /// `key` begins with the suite's key.
    pub(super) fn new(suite: Suite, direction: Direction, key: &[u8; 32], iv: [u8; 12]) -> Self {
        let algorithm = match suite {
            Suite::Aes128Gcm => &AES_128_GCM,
            Suite::Aes256Gcm => &AES_256_GCM,
        };
        let key = UnboundKey::new(algorithm, &key[..suite.key_bytes()])
            .expect("both algorithms take keys of exactly Suite::key_bytes");
        Self { key: LessSafeKey::new(key), iv, direction }
    }

    /// The nonce of a record: its sequence number, padded to the left, XOR the IV (RFC 8446, section 5.3).
    fn nonce(&self, sequence: u64) -> Nonce {
        let mut nonce = self.iv;
        for (byte, sequence) in nonce[4..].iter_mut().zip(sequence.to_be_bytes()) {
            *byte ^= sequence;
        }
        Nonce::assume_unique_for_key(nonce)
    }

    /// Makes a record of the `content` bytes behind the header in `record`, which is resized to the record's length.
    /// `content` is at most 2^14.
    pub(super) fn seal(
        &self,
        record: &mut Vec<u8>,
        content_type: u8,
        padding_multiple: u16,
        sequence: u64,
    ) {
        let content = record.len() - RECORD_HEADER_BYTES;
        let total = sealed_bytes(content, padding_multiple);
        record.push(content_type);
        record.resize(total - TAG_BYTES, 0);

        let header = header(total);
        record[..RECORD_HEADER_BYTES].copy_from_slice(&header);
        let tag = self
            .key
            .seal_in_place_separate_tag(
                self.nonce(sequence),
                Aad::from(header),
                &mut record[RECORD_HEADER_BYTES..],
            )
            .expect("AES-GCM seals up to 2^36 - 32 bytes and a record is far shorter");
        record.extend_from_slice(tag.as_ref());
    }

    /// Opens `record`, of at least 22 bytes, in place: the content stands behind the header then. The checks are those
    /// of the group "record" in the contract, in its order.
    pub(super) fn open(&self, record: &mut [u8], sequence: u64) -> Result<Content, Status> {
        let header = header(record.len());
        if record[..RECORD_HEADER_BYTES] != header {
            return Err(Status::BadHeader);
        }
        let inner = self
            .key
            .open_in_place(
                self.nonce(sequence),
                Aad::from(header),
                &mut record[RECORD_HEADER_BYTES..],
            )
            .map_err(|_| Status::BadTag)?;
        if inner.len() > MAX_INNER_PLAINTEXT_BYTES {
            return Err(Status::BadLength);
        }
        let length =
            inner.iter().rposition(|&byte| byte != 0).ok_or(Status::PaddingWithoutContent)?;
        Ok(Content { content_type: inner[length], length })
    }
}

/// The header of a protected record of `total` bytes, header included; it is the additional data too.
fn header(total: usize) -> [u8; RECORD_HEADER_BYTES] {
    let length = ((total - RECORD_HEADER_BYTES) as u16).to_be_bytes();
    [APPLICATION_DATA, LEGACY_VERSION[0], LEGACY_VERSION[1], length[0], length[1]]
}
