// SPDX-License-Identifier: Apache-2.0 OR MIT
//! TLS records made and taken apart in place, by ring's AEADs: TLS 1.3 (RFC 8446, section 5.2) and TLS 1.2 (RFC 5246,
//! section 6.2.3.3, with RFC 5288 or RFC 7905).

use ring::aead::{
    AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use sealgate_abi::{
    ContextEntry, Direction, EXPLICIT_NONCE_BYTES, MAX_FRAGMENT_BYTES, MAX_INNER_PLAINTEXT_BYTES,
    RECORD_HEADER_BYTES, Status, Suite, TAG_BYTES, TlsVersion, max_record_bytes, min_record_bytes,
    sealed_bytes,
};

pub(super) const APPLICATION_DATA: u8 = 23;
const LEGACY_VERSION: [u8; 2] = [3, 3];
const NONCE_BYTES: usize = 12;

/// Bytes of the implicit part of a nonce of AES-GCM in TLS 1.2 (RFC 5288, section 3).
const SALT_BYTES: usize = NONCE_BYTES - EXPLICIT_NONCE_BYTES;

/// A record's header.
pub(super) type Header = [u8; RECORD_HEADER_BYTES];

/// The keys of one direction of one connection.
pub(super) struct Keys {
    key: LessSafeKey,
    iv: [u8; NONCE_BYTES],
    pub(super) version: TlsVersion,
    pub(super) suite: Suite,
    pub(super) direction: Direction,
}

/// The content of an opened record: its place in the record, and its type.
#[expect(clippy::struct_field_names, reason = "the content type is called so in TLS")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) content_type: u8,
    pub(super) start: usize,
    pub(super) length: usize,
}

impl Keys {
    /// The keys in a `CTX_LOAD`; `None` when a field holds what the device does not know.
    pub(super) fn of(entry: &ContextEntry) -> Option<Self> {
        let suite = Suite::ALL.into_iter().find(|&suite| suite as u8 == entry.suite)?;
        let version =
            TlsVersion::ALL.into_iter().find(|&version| version as u8 == entry.version)?;
        let direction = [Direction::Seal, Direction::Open]
            .into_iter()
            .find(|&direction| direction as u8 == entry.direction)?;
        let algorithm = match suite {
            Suite::Aes128Gcm => &AES_128_GCM,
            Suite::Aes256Gcm => &AES_256_GCM,
            Suite::Chacha20Poly1305 => &CHACHA20_POLY1305,
        };
        let key = UnboundKey::new(algorithm, &entry.key[..suite.key_bytes()])
            .expect("each algorithm takes keys of exactly Suite::key_bytes");
        Some(Self { key: LessSafeKey::new(key), iv: entry.iv, version, suite, direction })
    }

    /// Bytes between the header and the text: the explicit nonce.
    fn explicit_bytes(&self) -> usize {
        match (self.version, self.suite) {
            (TlsVersion::Tls12, Suite::Aes128Gcm | Suite::Aes256Gcm) => EXPLICIT_NONCE_BYTES,
            (TlsVersion::Tls12, Suite::Chacha20Poly1305) | (TlsVersion::Tls13, _) => 0,
        }
    }

    /// Where the text of a record begins: what is sealed stands there.
    pub(super) fn text_start(&self) -> usize {
        RECORD_HEADER_BYTES + self.explicit_bytes()
    }

    /// The bytes that a whole record of this version and suite may have.
    pub(super) fn record_bytes(&self) -> std::ops::RangeInclusive<usize> {
        min_record_bytes(self.version, self.suite)..=max_record_bytes(self.version)
    }

    /// The sequence number, padded to the left, XOR the IV (RFC 8446, section 5.3; RFC 7905, section 2).
    fn nonce(&self, sequence: u64) -> [u8; NONCE_BYTES] {
        let mut nonce = self.iv;
        for (byte, sequence) in nonce[SALT_BYTES..].iter_mut().zip(sequence.to_be_bytes()) {
            *byte ^= sequence;
        }
        nonce
    }

    /// The nonce to open `record` with: one with an explicit part brings it along (RFC 5288, section 3).
    fn nonce_of(&self, record: &[u8], sequence: u64) -> [u8; NONCE_BYTES] {
        if self.explicit_bytes() == 0 {
            return self.nonce(sequence);
        }
        let mut nonce = self.iv;
        nonce[SALT_BYTES..].copy_from_slice(&record[RECORD_HEADER_BYTES..self.text_start()]);
        nonce
    }

    /// The additional data: in TLS 1.3 the header (RFC 8446, section 5.2), in TLS 1.2 the sequence number and the header
    /// with the length of the plaintext (RFC 5246, section 6.2.3.3).
    fn additional_data(&self, sequence: u64, header: Header, text: usize) -> Vec<u8> {
        match self.version {
            TlsVersion::Tls13 => header.to_vec(),
            TlsVersion::Tls12 => {
                let mut data = sequence.to_be_bytes().to_vec();
                data.extend_from_slice(&header[..3]);
                data.extend_from_slice(&(text as u16).to_be_bytes());
                data
            }
        }
    }

    /// Makes a record of the content that stands in `record` from [`Self::text_start`] on, at most 2^14 bytes; `record`
    /// is resized to the record's length.
    pub(super) fn seal(
        &self,
        record: &mut Vec<u8>,
        content_type: u8,
        padding_multiple: u16,
        sequence: u64,
    ) {
        let start = self.text_start();
        let header_type = match self.version {
            TlsVersion::Tls13 => {
                let total = sealed_bytes(record.len() - start, padding_multiple);
                record.push(content_type);
                record.resize(total - TAG_BYTES, 0);
                APPLICATION_DATA
            }
            TlsVersion::Tls12 => content_type,
        };
        let header = header(header_type, record.len() + TAG_BYTES);
        let nonce = self.nonce(sequence);
        record[..RECORD_HEADER_BYTES].copy_from_slice(&header);
        record[RECORD_HEADER_BYTES..start]
            .copy_from_slice(&nonce[NONCE_BYTES - self.explicit_bytes()..]);
        let data = self.additional_data(sequence, header, record.len() - start);
        let tag = self
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(data),
                &mut record[start..],
            )
            .expect("every AEAD served seals up to 2^36 - 32 bytes and a record is far shorter");
        record.extend_from_slice(tag.as_ref());
    }

    /// Whether `header` begins a protected record of `total` bytes.
    pub(super) fn begins(&self, header: Header, total: usize) -> bool {
        let [content_type, ..] = header;
        let type_is_served = self.version == TlsVersion::Tls12 || content_type == APPLICATION_DATA;
        type_is_served && header == self::header(content_type, total)
    }

    /// Opens `record`, of at least as many bytes as the smallest has, in place. The checks are those of the group
    /// "record" in the contract, in its order.
    pub(super) fn open(&self, record: &mut [u8], sequence: u64) -> Result<Content, Status> {
        let start = self.text_start();
        let (header, _) = record.split_first_chunk().ok_or(Status::BadHeader)?;
        let header = *header;
        if !self.begins(header, record.len()) {
            return Err(Status::BadHeader);
        }
        let text = record.len() - start - TAG_BYTES;
        let nonce = Nonce::assume_unique_for_key(self.nonce_of(record, sequence));
        let data = self.additional_data(sequence, header, text);
        let text = self
            .key
            .open_in_place(nonce, Aad::from(data), &mut record[start..])
            .map_err(|_| Status::BadTag)?;
        match self.version {
            TlsVersion::Tls12 if text.len() > MAX_FRAGMENT_BYTES => Err(Status::BadLength),
            TlsVersion::Tls12 => Ok(Content { content_type: header[0], start, length: text.len() }),
            TlsVersion::Tls13 if text.len() > MAX_INNER_PLAINTEXT_BYTES => Err(Status::BadLength),
            TlsVersion::Tls13 => {
                let end = text.iter().rposition(|&byte| byte != 0);
                let length = end.ok_or(Status::PaddingWithoutContent)?;
                Ok(Content { content_type: text[length], start, length })
            }
        }
    }
}

/// Bytes of the record that `header` begins, header included.
pub(super) fn record_bytes(header: Header) -> usize {
    let [.., high, low] = header;
    RECORD_HEADER_BYTES + usize::from(u16::from_be_bytes([high, low]))
}

/// The header of a protected record of `total` bytes, header included.
fn header(content_type: u8, total: usize) -> Header {
    let length = ((total - RECORD_HEADER_BYTES) as u16).to_be_bytes();
    [content_type, LEGACY_VERSION[0], LEGACY_VERSION[1], length[0], length[1]]
}
