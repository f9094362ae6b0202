// SPDX-License-Identifier: Apache-2.0 OR MIT
//! TLS 1.3 records made by ring, from RFC 8446 section 5.2 and by nothing of the devices under test.

use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sealgate_abi::{Direction, Key, Opcode, RecordEntry};

use super::Queue;

/// The keys of one direction.
#[derive(Clone, Copy)]
pub struct Keys {
    pub key: KeyBytes,
    pub iv: [u8; 12],
}

/// A key of either length.
#[derive(Clone, Copy)]
pub enum KeyBytes {
    Aes128([u8; 16]),
    Aes256([u8; 32]),
}

/// One key for each suite.
pub fn both_suites() -> [Keys; 2] {
    [
        Keys { key: KeyBytes::Aes128([0x61; 16]), iv: *b"0123456789ab" },
        Keys { key: KeyBytes::Aes256([0x72; 32]), iv: *b"ba9876543210" },
    ]
}

impl Keys {
    pub fn key(&self) -> Key<'_> {
        match &self.key {
            KeyBytes::Aes128(key) => Key::Aes128(key),
            KeyBytes::Aes256(key) => Key::Aes256(key),
        }
    }

    /// The record that protects `inner`, whatever stands in it.
    pub fn protect(&self, sequence: u64, inner: &[u8]) -> Vec<u8> {
        let (algorithm, key) = match &self.key {
            KeyBytes::Aes128(key) => (&AES_128_GCM, key.as_slice()),
            KeyBytes::Aes256(key) => (&AES_256_GCM, key.as_slice()),
        };
        let key = LessSafeKey::new(UnboundKey::new(algorithm, key).expect("the key fits"));
        let length = u16::try_from(inner.len() + 16).expect("a record");
        let mut record = vec![23, 3, 3];
        record.extend_from_slice(&length.to_be_bytes());
        let header = record.clone();

        let mut nonce = self.iv;
        for (byte, sequence) in nonce[4..].iter_mut().zip(sequence.to_be_bytes()) {
            *byte ^= sequence;
        }
        let mut body = inner.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(nonce, Aad::from(&header), &mut body).expect("ring seals");
        record.extend_from_slice(&body);
        record
    }

    /// The record with this content, type and number of zeroes behind it.
    pub fn seal(&self, sequence: u64, content: &[u8], content_type: u8, zeroes: usize) -> Vec<u8> {
        let mut inner = content.to_vec();
        inner.push(content_type);
        inner.resize(inner.len() + zeroes, 0);
        self.protect(sequence, &inner)
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

/// Loads the keys into context `context` to seal and into the next one to open.
pub fn load_both(queue: &mut Queue, context: u16, keys: &Keys) {
    queue.load(context, Direction::Seal, keys.key(), keys.iv);
    queue.load(context + 1, Direction::Open, keys.key(), keys.iv);
}
