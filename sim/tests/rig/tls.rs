// SPDX-License-Identifier: Apache-2.0 OR MIT
//! TLS records made by ring, from RFC 8446 section 5.2, RFC 5246 section 6.2.3.3, RFC 5288 and RFC 7905, and by nothing
//! of the devices under test.

use ring::aead::{
    AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use sealgate_abi::{
    ContextEntry, Direction, Key, Opcode, RecordEntry, SubmissionEntry, TlsVersion,
};

use super::Queue;

/// The keys of one direction.
#[derive(Clone, Copy, Debug)]
pub struct Keys {
    pub version: TlsVersion,
    pub key: KeyBytes,
    pub iv: [u8; 12],
}

/// A key of any suite.
#[derive(Clone, Copy, Debug)]
pub enum KeyBytes {
    Aes128([u8; 16]),
    Aes256([u8; 32]),
    Chacha20([u8; 32]),
}

/// One key for each suite, all of TLS 1.3.
pub fn suites() -> [Keys; 3] {
    let keys = |key, iv| Keys { version: TlsVersion::Tls13, key, iv };
    [
        keys(KeyBytes::Aes128([0x61; 16]), *b"0123456789ab"),
        keys(KeyBytes::Aes256([0x72; 32]), *b"ba9876543210"),
        keys(KeyBytes::Chacha20([0x83; 32]), *b"5a4b3c2d1e0f"),
    ]
}

/// One key for each suite and version.
pub fn kinds() -> [Keys; 6] {
    let [a, b, c] = suites();
    let tls12 = |keys| Keys { version: TlsVersion::Tls12, ..keys };
    [a, b, c, tls12(a), tls12(b), tls12(c)]
}

impl Keys {
    pub fn key(&self) -> Key<'_> {
        match &self.key {
            KeyBytes::Aes128(key) => Key::Aes128(key),
            KeyBytes::Aes256(key) => Key::Aes256(key),
            KeyBytes::Chacha20(key) => Key::Chacha20(key),
        }
    }

    /// The entry that loads the keys.
    pub fn load(&self, cookie: u16, context: u16, direction: Direction) -> SubmissionEntry {
        let entry = ContextEntry::load(cookie, context, direction, self.key(), self.iv);
        entry.with_version(self.version).to_bytes()
    }

    pub fn is_tls12(&self) -> bool {
        self.version == TlsVersion::Tls12
    }

    /// Bytes of a record that are not content, with no padding.
    pub fn overhead(&self) -> usize {
        match (self.version, self.key) {
            (TlsVersion::Tls13, _) => 5 + 1 + 16,
            (TlsVersion::Tls12, KeyBytes::Chacha20(_)) => 5 + 16,
            (TlsVersion::Tls12, _) => 5 + 8 + 16,
        }
    }

    /// The record that protects `text`, whatever stands in it.
    pub fn protect_as(&self, sequence: u64, header_type: u8, text: &[u8]) -> Vec<u8> {
        let (algorithm, key) = match &self.key {
            KeyBytes::Aes128(key) => (&AES_128_GCM, key.as_slice()),
            KeyBytes::Aes256(key) => (&AES_256_GCM, key.as_slice()),
            KeyBytes::Chacha20(key) => (&CHACHA20_POLY1305, key.as_slice()),
        };
        let key = LessSafeKey::new(UnboundKey::new(algorithm, key).expect("the key fits"));
        let mut nonce = self.iv;
        for (byte, sequence) in nonce[4..].iter_mut().zip(sequence.to_be_bytes()) {
            *byte ^= sequence;
        }
        let explicit = if self.overhead() == 29 { nonce[4..].to_vec() } else { Vec::new() };
        let length = u16::try_from(explicit.len() + text.len() + 16).expect("a record");
        let mut record = vec![header_type, 3, 3];
        record.extend_from_slice(&length.to_be_bytes());
        let mut data = record.clone();
        if self.is_tls12() {
            data = sequence.to_be_bytes().to_vec();
            data.extend_from_slice(&[header_type, 3, 3]);
            data.extend_from_slice(&(text.len() as u16).to_be_bytes());
        }
        let mut body = text.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(nonce, Aad::from(&data), &mut body).expect("ring seals");
        record.extend_from_slice(&explicit);
        record.extend_from_slice(&body);
        record
    }

    /// The record that protects `text`, in TLS 1.3 an inner plaintext, whatever stands in it.
    pub fn protect(&self, sequence: u64, text: &[u8]) -> Vec<u8> {
        self.protect_as(sequence, 23, text)
    }

    /// The record with this content, type and, in TLS 1.3, number of zeroes behind it.
    pub fn seal(&self, sequence: u64, content: &[u8], content_type: u8, zeroes: usize) -> Vec<u8> {
        if self.is_tls12() {
            return self.protect_as(sequence, content_type, content);
        }
        let mut inner = content.to_vec();
        inner.push(content_type);
        inner.resize(inner.len() + zeroes, 0);
        self.protect(sequence, &inner)
    }

    /// The records of `content`, each with at most `limit` bytes of it and padded to `multiple`.
    pub fn seal_all(&self, sequence: u64, content: &[u8], limit: usize, multiple: u16) -> Vec<u8> {
        let mut fragments: Vec<_> = content.chunks(limit).collect();
        if fragments.is_empty() {
            fragments.push(&[]);
        }
        (sequence..)
            .zip(fragments)
            .flat_map(|(sequence, fragment)| {
                self.seal(sequence, fragment, 23, zeroes(fragment.len(), multiple))
            })
            .collect()
    }
}

/// The zeroes that a padding multiple asks for.
pub fn zeroes(content: usize, multiple: u16) -> usize {
    let inner = content + 1;
    let multiple = usize::from(multiple.max(1));
    (inner.next_multiple_of(multiple)).min((1 << 14) + 1).max(inner) - inner
}

/// Bytes that do not repeat within a beat or a page.
pub fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at.wrapping_mul(167) ^ (at >> 8).wrapping_mul(59)) as u8).collect()
}

/// A SEAL entry with room for exactly its record.
pub fn seal_entry(
    context: u16,
    sequence: u64,
    source: u64,
    length: usize,
    dest: u64,
) -> RecordEntry {
    RecordEntry {
        opcode: Opcode::Seal as u8,
        content_type: 23,
        context,
        sequence,
        source,
        destination: dest,
        length: length as u32,
        capacity: length as u32 + 22,
        ..RecordEntry::default()
    }
}

/// An OPEN entry with room for exactly what its record may hold.
pub fn open_entry(
    context: u16,
    sequence: u64,
    source: u64,
    length: usize,
    dest: u64,
) -> RecordEntry {
    RecordEntry {
        opcode: Opcode::Open as u8,
        context,
        sequence,
        source,
        destination: dest,
        length: length as u32,
        capacity: (length as u32).saturating_sub(22),
        ..RecordEntry::default()
    }
}

/// An `OPEN_RUN` entry with room for exactly what its records may hold.
pub fn run_entry(
    keys: &Keys,
    context: u16,
    sequence: u64,
    source: u64,
    length: usize,
) -> RecordEntry {
    RecordEntry {
        opcode: Opcode::OpenRun as u8,
        context,
        sequence,
        source,
        length: length as u32,
        capacity: (length - keys.overhead()) as u32,
        ..RecordEntry::default()
    }
}

/// Loads the keys into context `context` to seal and into the next one to open.
pub fn load_both(queue: &mut Queue, context: u16, keys: &Keys) {
    queue.load(context, Direction::Seal, keys);
    queue.load(context + 1, Direction::Open, keys);
}
