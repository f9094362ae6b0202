// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The known-answer self test: seal and open with both suites, through the code that serves entries.

use sealgate_abi::{Direction, RECORD_HEADER_BYTES, Suite};

use super::record::{Content, Keys};

const APPLICATION_DATA: u8 = 23;

/// A record whose every byte is known.
struct KnownRecord {
    suite: Suite,
    key: [u8; 32],
    iv: [u8; 12],
    sequence: u64,
    record: &'static [u8; 72],
}

/// The content of both known records: 0, 1, ... 49.
fn content() -> [u8; 50] {
    std::array::from_fn(|at| at as u8)
}

/// The client's first application record of RFC 8448, section 3, and one of AES-256-GCM with a sequence number above
/// 2^32, calculated with OpenSSL.
fn known_records() -> [KnownRecord; 2] {
    let mut aes_128_key = [0; 32];
    aes_128_key[..16]
        .copy_from_slice(b"\x17\x42\x2d\xda\x59\x6e\xd5\xd9\xac\xd8\x90\xe3\xc6\x3f\x50\x51");
    [
        KnownRecord {
            suite: Suite::Aes128Gcm,
            key: aes_128_key,
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
            suite: Suite::Aes256Gcm,
            key: std::array::from_fn(|at| at as u8),
            iv: std::array::from_fn(|at| 0xa0 + at as u8),
            sequence: 0x1_0000_0001,
            record: b"\x17\x03\x03\x00\x43\
                \x78\x74\x59\x99\x83\x90\x51\xd9\x11\xc6\xab\x9a\x8d\xf2\xb1\x03\
                \x89\x97\xb8\x88\x42\xdc\xf1\xf6\x40\x05\xd5\xfc\x8f\x46\xc3\xf6\
                \xc3\xea\xe2\x4a\x85\x75\x47\x63\x9b\xb4\x53\xe3\x68\x8c\x06\xe1\
                \x03\xc6\x51\x32\x8a\x28\xa9\xcd\x96\xf3\xcc\xaa\x1f\x95\xf8\x87\
                \x9c\xa0\x2e",
        },
    ]
}

/// Whether all known answers are met. `fault` spoils one bit of the last one.
pub(super) fn passes(fault: bool) -> bool {
    known_records().iter().all(|known| seals(known, fault) && opens(known))
}

fn seals(known: &KnownRecord, fault: bool) -> bool {
    let keys = Keys::new(known.suite, Direction::Seal, &known.key, known.iv);
    let mut record = vec![0; RECORD_HEADER_BYTES];
    record.extend_from_slice(&content());
    keys.seal(&mut record, APPLICATION_DATA, 0, known.sequence);
    if fault && let Some(byte) = record.last_mut() {
        *byte ^= 1;
    }
    record == known.record
}

fn opens(known: &KnownRecord) -> bool {
    let keys = Keys::new(known.suite, Direction::Open, &known.key, known.iv);
    let mut record = known.record.to_vec();
    let expected = Content { content_type: APPLICATION_DATA, length: content().len() };
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
