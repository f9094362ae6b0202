// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The known-answer self test: seal and open with each suite, through the code that serves entries.

use sealgate_abi::{ContextEntry, Direction, Key, RECORD_HEADER_BYTES};

use super::record::{APPLICATION_DATA, Content, Keys};

/// A record whose every byte is known.
struct KnownRecord {
    key: Key<'static>,
    iv: [u8; 12],
    sequence: u64,
    record: &'static [u8; 72],
}

/// The content of all known records: 0, 1, ... 49.
fn content() -> [u8; 50] {
    consecutive(0)
}

const fn consecutive<const N: usize>(first: u8) -> [u8; N] {
    let mut bytes = [0; N];
    let mut at = 0;
    while at < N {
        bytes[at] = first + at as u8;
        at += 1;
    }
    bytes
}

/// The client's first application record of RFC 8448, section 3; and one each of AES-256-GCM and of ChaCha20-Poly1305
/// with sequence numbers above 2^32, calculated with OpenSSL.
const KNOWN_RECORDS: [KnownRecord; 3] = [
    KnownRecord {
        key: Key::Aes128(b"\x17\x42\x2d\xda\x59\x6e\xd5\xd9\xac\xd8\x90\xe3\xc6\x3f\x50\x51"),
        iv: *b"\x5b\x78\x92\x3d\xee\x08\x57\x90\x33\xe5\x23\xd9",
        sequence: 0,
        record: b"\x17\x03\x03\x00\x43\
            \xa2\x3f\x70\x54\xb6\x2c\x94\xd0\xaf\xfa\xfe\x82\x28\xba\x55\xcb\
            \xef\xac\xea\x42\xf9\x14\xaa\x66\xbc\xab\x3f\x2b\x98\x19\xa8\xa5\
            \xb4\x6b\x39\x5b\xd5\x4a\x9a\x20\x44\x1e\x2b\x62\x97\x4e\x1f\x5a\
            \x62\x92\xa2\x97\x70\x14\xbd\x1e\x3d\xea\xe6\x3a\xee\xbb\x21\x69\
            \x49\x15\xe4",
    },
    KnownRecord {
        key: Key::Aes256(&consecutive(0)),
        iv: consecutive(0xa0),
        sequence: 0x1_0000_0001,
        record: b"\x17\x03\x03\x00\x43\
            \x78\x74\x59\x99\x83\x90\x51\xd9\x11\xc6\xab\x9a\x8d\xf2\xb1\x03\
            \x89\x97\xb8\x88\x42\xdc\xf1\xf6\x40\x05\xd5\xfc\x8f\x46\xc3\xf6\
            \xc3\xea\xe2\x4a\x85\x75\x47\x63\x9b\xb4\x53\xe3\x68\x8c\x06\xe1\
            \x03\xc6\x51\x32\x8a\x28\xa9\xcd\x96\xf3\xcc\xaa\x1f\x95\xf8\x87\
            \x9c\xa0\x2e",
    },
    KnownRecord {
        key: Key::Chacha20(&consecutive(0x80)),
        iv: consecutive(0xc0),
        sequence: 0x1_0000_0002,
        record: b"\x17\x03\x03\x00\x43\
            \x9d\x7c\xb0\x4d\x47\x0f\x6d\x4a\x6f\x83\xf1\xfd\xd6\xa9\xb7\x00\
            \xca\x38\x48\xe0\xac\x8c\x7d\xf8\xba\x15\x91\xce\xc9\x9f\xf8\xca\
            \x71\x4e\xd0\x19\x02\x0f\x7e\x2a\x20\x97\x26\xc0\xce\x59\xf8\x35\
            \x63\x0c\x0f\xbd\x9c\x2c\xf8\x00\x00\x53\x98\x88\xa8\xdf\xfc\xf7\
            \xfd\x8a\x8f",
    },
];

/// Whether all known answers are met. `fault` spoils one bit of the last one.
pub(super) fn passes(fault: bool) -> bool {
    KNOWN_RECORDS.iter().all(|known| {
        let sealed = known.keys(Direction::Seal).is_some_and(|keys| seals(&keys, known, fault));
        sealed && known.keys(Direction::Open).is_some_and(|keys| opens(&keys, known))
    })
}

impl KnownRecord {
    fn keys(&self, direction: Direction) -> Option<Keys> {
        Keys::of(&ContextEntry::load(0, 0, direction, self.key, self.iv))
    }
}

fn seals(keys: &Keys, known: &KnownRecord, fault: bool) -> bool {
    let mut record = vec![0; RECORD_HEADER_BYTES];
    record.extend_from_slice(&content());
    keys.seal(&mut record, APPLICATION_DATA, 0, known.sequence);
    if fault && let Some(byte) = record.last_mut() {
        *byte ^= 1;
    }
    record == known.record
}

fn opens(keys: &Keys, known: &KnownRecord) -> bool {
    let mut record = known.record.to_vec();
    let (start, length) = (RECORD_HEADER_BYTES, content().len());
    let expected = Content { content_type: APPLICATION_DATA, start, length };
    keys.open(&mut record, known.sequence) == Ok(expected)
        && record[RECORD_HEADER_BYTES..][..expected.length] == content()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_answers_are_met_and_a_fault_is_noticed() {
        assert!(passes(false));
        assert!(!passes(true));
    }
}
