// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Entries that must not succeed: each status code, which check comes first, and that nothing is written.

use sealgate_abi::{
    ContextEntry, Direction, Key, MAX_FRAGMENT_BYTES, MAX_RECORD_BYTES, RecordEntry,
    SEAL_SEQUENCE_LIMIT, Status,
};
use sealgate_driver::transport::Transport;

use crate::rig::tls::{Keys, both_suites, load_both, open_entry, pattern, seal_entry};
use crate::rig::{Buffer, Queue, Rig, on_each_device};

const SEAL_CONTEXT: u16 = 0;
const OPEN_CONTEXT: u16 = 1;
const GUARD: u8 = 0x5A;

/// A queue with both contexts loaded, and buffers.
struct Bench {
    keys: Keys,
    queue: Queue,
    source: Buffer,
    destination: Buffer,
}

impl Bench {
    fn new(rig: &Rig) -> Self {
        let keys = both_suites()[1];
        let mut queue = rig.queue(2, 4, 4);
        load_both(&mut queue, SEAL_CONTEXT, &keys);
        let (source, destination) = (rig.buffer(20_000), rig.buffer(20_000));
        Self { keys, queue, source, destination }
    }

    /// A SEAL of 64 bytes that would succeed.
    fn seal(&self) -> RecordEntry {
        seal_entry(SEAL_CONTEXT, 1, self.source.at(0), 64, self.destination.at(0))
    }

    /// An OPEN of `record` with room for any content.
    fn open(&self, record: &[u8]) -> RecordEntry {
        self.source.write(0, record);
        RecordEntry {
            capacity: MAX_RECORD_BYTES as u32,
            ..open_entry(OPEN_CONTEXT, 1, self.source.at(0), record.len(), self.destination.at(0))
        }
    }

    fn good_record(&self) -> Vec<u8> {
        self.keys.seal(1, &pattern(64), 23, 3)
    }

    /// The entry ends in `status` and not one byte is written.
    fn refuses(&mut self, entry: RecordEntry, status: Status) {
        self.destination.fill(GUARD);
        assert_eq!(self.queue.status(entry.to_bytes()), status, "{entry:?}");
        assert!(self.destination.contents().iter().all(|&byte| byte == GUARD), "{entry:?}");
    }

    fn accepts(&mut self, entry: RecordEntry) {
        assert_eq!(self.queue.status(entry.to_bytes()), Status::Success, "{entry:?}");
    }

    fn refuses_record(&mut self, record: &[u8], status: Status) {
        let entry = self.open(record);
        self.refuses(entry, status);
    }
}

#[test]
fn unknown_operations_are_refused() {
    on_each_device(|rig| {
        let mut bench = Bench::new(rig);
        for opcode in (0..=255).filter(|opcode| !(1..=5).contains(opcode)) {
            let entry = RecordEntry { opcode, ..bench.seal() };
            bench.refuses(entry, Status::UnknownOpcode);
        }
        bench.accepts(bench.seal());
    });
}

#[test]
fn fields_without_meaning_are_refused() {
    on_each_device(|rig| {
        let mut bench = Bench::new(rig);
        let seal = bench.seal();
        let open = bench.open(&bench.good_record());
        bench.refuses(RecordEntry { content_type: 0, ..seal }, Status::InvalidField);
        bench.refuses(RecordEntry { content_type: 23, ..open }, Status::InvalidField);
        for padding_multiple in [3, 5, 6, 24, 16_383, 16_385, 0x8000, u16::MAX] {
            bench.refuses(RecordEntry { padding_multiple, ..seal }, Status::InvalidField);
        }
        for padding_multiple in [1, 2, 0x8000, u16::MAX] {
            bench.refuses(RecordEntry { padding_multiple, ..open }, Status::InvalidField);
        }
        for byte in 0..seal.reserved.len() {
            let mut reserved = [0; 24];
            reserved[byte] = 1 << (byte % 8);
            bench.refuses(RecordEntry { reserved, ..seal }, Status::InvalidField);
            bench.refuses(RecordEntry { reserved, ..open }, Status::InvalidField);
        }
        bench.accepts(open);
    });
}

#[test]
fn a_context_is_loaded_only_with_fields_that_have_a_meaning() {
    on_each_device(|rig| {
        let mut bench = Bench::new(rig);
        let good = ContextEntry::load(0, 9, Direction::Open, Key::Aes256(&[3; 32]), [4; 12]);
        let mut bad = Vec::new();
        for value in [0, 3, 4, 0x81, 255] {
            bad.push(ContextEntry { suite: value, ..good });
            bad.push(ContextEntry { direction: value, ..good });
        }
        bad.extend([0, 3, 5, 255].map(|version| ContextEntry { version, ..good }));
        for byte in 0..12 {
            let mut reserved = [0; 12];
            reserved[byte] = 0x80 >> (byte % 8);
            bad.push(ContextEntry { reserved, ..good });
        }
        for entry in bad {
            assert_eq!(bench.queue.status(entry.to_bytes()), Status::InvalidField, "{entry:?}");
        }
        let drop = RecordEntry::context_drop(0, 9);
        bench.refuses(drop, Status::ContextMissing);
        assert_eq!(bench.queue.status(good.to_bytes()), Status::Success);
    });
}

#[test]
fn sequence_numbers_end() {
    on_each_device(|rig| {
        let mut bench = Bench::new(rig);
        let open = bench.open(&bench.good_record());
        for sequence in [SEAL_SEQUENCE_LIMIT, SEAL_SEQUENCE_LIMIT + 1, 1 << 32, u64::MAX] {
            bench.refuses(RecordEntry { sequence, ..bench.seal() }, Status::SequenceExhausted);
        }
        bench.refuses(RecordEntry { sequence: u64::MAX, ..open }, Status::SequenceExhausted);
        let sequence = SEAL_SEQUENCE_LIMIT - 1;
        bench.accepts(RecordEntry { sequence, ..bench.seal() });
    });
}

#[test]
fn lengths_outside_the_limits_are_refused() {
    on_each_device(|rig| {
        let mut bench = Bench::new(rig);
        let seal = bench.seal();
        let roomy = RecordEntry { capacity: u32::MAX, ..seal };
        for length in [16_385, 16_645, 1 << 15, 1 << 16, 1 << 20, 0x8000_0040, u32::MAX] {
            bench.refuses(RecordEntry { length, ..roomy }, Status::BadLength);
        }
        for capacity in [0, 22, 85] {
            bench.refuses(RecordEntry { capacity, ..seal }, Status::BadLength);
        }
        // 64 bytes of content and the type are padded to 128.
        let padded = RecordEntry { padding_multiple: 128, capacity: 148, ..seal };
        bench.refuses(padded, Status::BadLength);
        bench.accepts(RecordEntry { capacity: 149, ..padded });

        let open = bench.open(&bench.good_record());
        for length in [0, 1, 5, 21, 16_646, 1 << 15, 1 << 16, 0x8000_0020, u32::MAX] {
            bench.refuses(RecordEntry { length, ..open }, Status::BadLength);
        }
        // The device does not know how much of the 67 bytes is padding.
        bench.refuses(RecordEntry { capacity: 66, ..open }, Status::BadLength);
        bench.accepts(RecordEntry { capacity: 67, ..open });
        bench.accepts(RecordEntry { length: 16_384, capacity: 16_406, ..seal });
    });
}

#[test]
fn a_header_that_is_not_that_of_a_protected_record_is_refused() {
    on_each_device(|rig| {
        let mut bench = Bench::new(rig);
        let good = bench.good_record();
        for (byte, value) in [(0, 22), (0, 0), (1, 2), (2, 1), (2, 4), (3, 1), (4, 0), (4, 255)] {
            let mut record = good.clone();
            record[byte] = value;
            bench.refuses_record(&record, Status::BadHeader);
        }
        for change in [1_u8, 255] {
            let mut record = good.clone();
            record[4] = record[4].wrapping_add(change);
            bench.refuses_record(&record, Status::BadHeader);
        }
        let entry = bench.open(&good);
        bench.accepts(entry);
    });
}

/// One bit anywhere behind the header, in records of several sizes; also with the source at an odd place.
#[test]
fn a_record_that_is_not_authentic_is_refused_and_not_one_byte_is_written() {
    on_each_device(|rig| {
        let mut bench = Bench::new(rig);
        for size in [0, 1, 15, 16, 31, 64, 300, 5000, MAX_FRAGMENT_BYTES] {
            let good = bench.keys.seal(1, &pattern(size), 23, 0);
            for place in 0..12 {
                let mut record = good.clone();
                let byte = 5 + (record.len() - 6) * place / 11;
                record[byte] ^= 1 << (place % 8);
                bench.refuses_record(&record, Status::BadTag);
            }
            let mut truncated = good.clone();
            truncated.pop();
            let length = (truncated.len() - 5) as u16;
            truncated[3..5].copy_from_slice(&length.to_be_bytes());
            let refused = if size == 0 { Status::BadLength } else { Status::BadTag };
            bench.refuses_record(&truncated, refused);
            let other_sequence = RecordEntry { sequence: 2, ..bench.open(&good) };
            bench.refuses(other_sequence, Status::BadTag);
            let entry = bench.open(&good);
            bench.accepts(entry);
        }
    });
}

#[test]
fn authentic_records_whose_inside_breaks_the_rules_are_refused() {
    on_each_device(|rig| {
        let mut bench = Bench::new(rig);
        for zeroes in [1, 15, 16, 17, 300, 16_384, 16_385] {
            let record = bench.keys.protect(1, &vec![0; zeroes]);
            bench.refuses_record(&record, Status::PaddingWithoutContent);
        }
        for inner in [16_386, 16_387, 16_400, 16_623, 16_624] {
            let record = bench.keys.protect(1, &pattern(inner));
            bench.refuses_record(&record, Status::BadLength);
            let record = bench.keys.protect(1, &vec![0; inner]);
            bench.refuses_record(&record, Status::BadLength);
            let mut record = bench.keys.protect(1, &pattern(inner));
            record[100] ^= 1;
            bench.refuses_record(&record, Status::BadTag);
        }
    });
}

/// Each entry breaks two rules or more; the one that the contract checks first is reported.
#[test]
fn the_first_check_that_applies_is_reported() {
    on_each_device(|rig| {
        let mut bench = Bench::new(rig);
        let nowhere = rig.nowhere();
        let mut foreign_queue = rig.queue(0, 2, 2);
        load_both(&mut foreign_queue, 20, &bench.keys);
        let exhausted = u64::MAX;
        let everything = RecordEntry {
            opcode: 99,
            context: 500,
            sequence: exhausted,
            length: u32::MAX,
            source: nowhere,
            destination: nowhere,
            reserved: [1; 24],
            ..RecordEntry::default()
        };
        bench.refuses(everything, Status::UnknownOpcode);
        for mut entry in [
            RecordEntry { content_type: 23, opcode: 4, ..everything },
            RecordEntry { opcode: 5, ..everything },
        ] {
            let (own, wrong_direction, foreign) = match entry.opcode {
                4 => (SEAL_CONTEXT, OPEN_CONTEXT, 21),
                _ => (OPEN_CONTEXT, SEAL_CONTEXT, 20),
            };
            bench.refuses(entry, Status::InvalidField);
            entry.reserved = [0; 24];
            bench.refuses(entry, Status::ContextMissing);
            entry.context = foreign;
            bench.refuses(entry, Status::ContextForeign);
            entry.context = wrong_direction;
            bench.refuses(entry, Status::ContextDirection);
            entry.context = own;
            bench.refuses(entry, Status::SequenceExhausted);
            entry.sequence = 1;
            bench.refuses(entry, Status::BadLength);
            (entry.length, entry.capacity) = (60, 5000);
            bench.refuses(entry, Status::SourceFault);
        }
    });
}

#[test]
fn what_is_found_in_a_record_has_its_order_too() {
    on_each_device(|rig| {
        let mut bench = Bench::new(rig);
        let nowhere = rig.nowhere();
        // The second page of the source is not mapped: the record is bad, but it was not even read.
        let page = rig.buffer(4096);
        let source = page.at(4096 - 10);
        page.write(4096 - 10, &[0xFF; 10]);
        let entry = RecordEntry { source, ..bench.open(&bench.good_record()) };
        bench.refuses(entry, Status::SourceFault);

        let mut bad_header_and_tag = bench.good_record();
        bad_header_and_tag[0] = 20;
        bad_header_and_tag[9] ^= 4;
        let to_nowhere = |entry: RecordEntry| RecordEntry { destination: nowhere, ..entry };
        let entry = to_nowhere(bench.open(&bad_header_and_tag));
        bench.refuses(entry, Status::BadHeader);
        bad_header_and_tag[0] = 23;
        let entry = to_nowhere(bench.open(&bad_header_and_tag));
        bench.refuses(entry, Status::BadTag);
        let entry = to_nowhere(bench.open(&bench.keys.protect(1, &pattern(16_386))));
        bench.refuses(entry, Status::BadLength);
        let entry = to_nowhere(bench.open(&bench.keys.protect(1, &[0; 40])));
        bench.refuses(entry, Status::PaddingWithoutContent);
        let entry = to_nowhere(bench.open(&bench.good_record()));
        bench.refuses(entry, Status::DestinationFault);
        rig.transport.unmap(page.iova).expect("it was mapped");
    });
}
