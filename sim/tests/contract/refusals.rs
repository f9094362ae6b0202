// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Entries that must not succeed: each status code, which check comes first, and that nothing is written.

use sealgate_abi::{
    ContextEntry, Direction, Key, MAX_FRAGMENT_BYTES, MAX_SEAL_BYTES, Opcode, RESERVED_BYTES,
    RecordEntry, SEAL_SEQUENCE_LIMIT, Status,
};
use sealgate_driver::transport::Transport;

use crate::rig::tls::{KeyBytes, Keys, kinds, load_both, open_entry, pattern, seal_entry, suites};
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
        Self::with(rig, suites()[1])
    }

    fn with(rig: &Rig, keys: Keys) -> Self {
        let mut queue = rig.queue(2, 4, 4);
        load_both(&mut queue, SEAL_CONTEXT, &keys);
        let (source, destination) = (rig.buffer(20_000), rig.buffer(20_000));
        Self { keys, queue, source, destination }
    }

    /// A SEAL of 64 bytes that would succeed, with room for exactly its record.
    fn seal(&self) -> RecordEntry {
        RecordEntry {
            capacity: 64 + self.keys.overhead() as u32,
            ..seal_entry(SEAL_CONTEXT, 1, self.source.at(0), 64, self.destination.at(0))
        }
    }

    /// An OPEN of `record` with room for any content.
    fn open(&self, record: &[u8]) -> RecordEntry {
        self.source.write(0, record);
        RecordEntry {
            capacity: MAX_SEAL_BYTES as u32,
            ..open_entry(OPEN_CONTEXT, 1, self.source.at(0), record.len(), self.destination.at(0))
        }
    }

    /// As [`Self::open`], of a run.
    fn open_run(&self, records: &[u8]) -> RecordEntry {
        RecordEntry { opcode: Opcode::OpenRun as u8, ..self.open(records) }
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
        for opcode in (0..=255).filter(|opcode| !(1..=6).contains(opcode)) {
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
        for padding_multiple in [3, 5, 6, 24, 16_383, 16_385, 0x8000, u16::MAX] {
            bench.refuses(RecordEntry { padding_multiple, ..seal }, Status::InvalidField);
        }
        for fragment_limit in [1, 2, 63, 16_385, 0x8000, u16::MAX] {
            bench.refuses(RecordEntry { fragment_limit, ..seal }, Status::InvalidField);
        }
        let run = RecordEntry { opcode: Opcode::OpenRun as u8, ..open };
        for open in [open, run] {
            bench.refuses(RecordEntry { content_type: 23, ..open }, Status::InvalidField);
            for value in [1, 64, 16_384, u16::MAX] {
                let padding_multiple = RecordEntry { padding_multiple: value, ..open };
                let fragment_limit = RecordEntry { fragment_limit: value, ..open };
                bench.refuses(padding_multiple, Status::InvalidField);
                bench.refuses(fragment_limit, Status::InvalidField);
            }
        }
        for byte in 0..seal.reserved.len() {
            let mut reserved = [0; RESERVED_BYTES];
            reserved[byte] = 1 << (byte % 8);
            for entry in [seal, open, run] {
                bench.refuses(RecordEntry { reserved, ..entry }, Status::InvalidField);
            }
        }
        bench.accepts(open);
        bench.accepts(run);
        for fragment_limit in [64, 65, 16_383, 16_384] {
            bench.accepts(RecordEntry { fragment_limit, ..seal });
        }
    });
}

#[test]
fn a_context_is_loaded_only_with_fields_that_have_a_meaning() {
    on_each_device(|rig| {
        let mut bench = Bench::new(rig);
        let good = ContextEntry::load(0, 9, Direction::Open, Key::Aes256(&[3; 32]), [4; 12]);
        let mut bad = Vec::new();
        bad.extend([0, 4, 5, 0x81, 255].map(|suite| ContextEntry { suite, ..good }));
        bad.extend([0, 3, 4, 0x81, 255].map(|direction| ContextEntry { direction, ..good }));
        bad.extend([0, 2, 5, 0x83, 255].map(|version| ContextEntry { version, ..good }));
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

/// The number of the last record counts, and what comes first: a number past the end, the length, the last number.
#[test]
fn sequence_numbers_end() {
    on_each_device(|rig| {
        for keys in kinds() {
            let mut bench = Bench::with(rig, keys);
            let limit = match keys.key {
                KeyBytes::Chacha20(_) => u64::MAX,
                _ => SEAL_SEQUENCE_LIMIT,
            };
            let seal = bench.seal();
            let exhausted = Status::SequenceExhausted;
            for sequence in [limit, limit.saturating_add(1), u64::MAX] {
                bench.refuses(RecordEntry { sequence, ..seal }, exhausted);
                bench.refuses(RecordEntry { sequence, length: u32::MAX, ..seal }, exhausted);
            }
            bench.accepts(RecordEntry { sequence: limit - 1, ..seal });

            let three = RecordEntry { length: 130, fragment_limit: 64, capacity: 1000, ..seal };
            bench.refuses(RecordEntry { sequence: limit - 2, ..three }, exhausted);
            bench.refuses(RecordEntry { sequence: limit - 2, capacity: 0, ..three }, exhausted);
            let long = RecordEntry { sequence: limit - 2, length: (1 << 20) + 1, ..three };
            bench.refuses(long, Status::BadLength);
            bench.accepts(RecordEntry { sequence: limit - 3, ..three });

            let open = bench.open(&bench.good_record());
            bench.refuses(RecordEntry { sequence: u64::MAX, ..open }, exhausted);
            bench.refuses(RecordEntry { sequence: u64::MAX - 1, ..open }, Status::BadTag);
            let run = bench.open_run(&bench.good_record());
            let limit = 0_u64.wrapping_sub(1 << 16);
            for sequence in [limit, limit + 1, u64::MAX] {
                bench.refuses(RecordEntry { sequence, ..run }, exhausted);
            }
            bench.refuses(RecordEntry { sequence: limit - 1, ..run }, Status::BadTag);
            rig.soft_reset();
        }
    });
}

#[test]
fn lengths_outside_the_limits_are_refused() {
    on_each_device(|rig| {
        for keys in kinds() {
            let mut bench = Bench::with(rig, keys);
            let overhead = keys.overhead() as u32;
            let seal = bench.seal();
            let roomy = RecordEntry { capacity: u32::MAX, ..seal };
            for length in [(1 << 20) + 1, 1 << 21, 0x8000_0040, u32::MAX] {
                bench.refuses(RecordEntry { length, ..roomy }, Status::BadLength);
            }
            for capacity in [0, 22, 64 + overhead - 1] {
                bench.refuses(RecordEntry { capacity, ..seal }, Status::BadLength);
            }
            bench.accepts(RecordEntry { length: 16_384, capacity: 16_384 + overhead, ..seal });

            let good = bench.good_record();
            let open = bench.open(&good);
            let max = if keys.is_tls12() { 18_437 } else { 16_645 };
            let too_long = [max + 1, 1 << 15, 1 << 16, 0x8000_0020, u32::MAX];
            for length in [0, 1, 5, overhead - 1].into_iter().chain(too_long) {
                bench.refuses(RecordEntry { length, ..open }, Status::BadLength);
            }
            let run = bench.open_run(&good);
            for length in [0, 5, overhead - 1, (1 << 20) + 1, 0x8000_0020, u32::MAX] {
                bench.refuses(RecordEntry { length, ..run }, Status::BadLength);
            }
            // The device does not know how much of it is padding.
            let capacity = good.len() as u32 - overhead;
            for entry in [open, run] {
                let short = RecordEntry { capacity: capacity - 1, ..entry };
                bench.refuses(short, Status::BadLength);
                bench.accepts(RecordEntry { capacity, ..entry });
            }
            rig.soft_reset();
        }
    });
}

#[test]
fn padding_counts_in_the_room_that_a_record_needs_and_tls_1_2_has_none() {
    on_each_device(|rig| {
        let mut bench = Bench::new(rig);
        // 64 bytes of content and the type are padded to 128.
        let padded = RecordEntry { padding_multiple: 128, capacity: 148, ..bench.seal() };
        bench.refuses(padded, Status::BadLength);
        bench.accepts(RecordEntry { capacity: 149, ..padded });
        for keys in kinds().into_iter().filter(Keys::is_tls12) {
            rig.soft_reset();
            let mut bench = Bench::with(rig, keys);
            let roomy = RecordEntry { capacity: 1 << 15, ..bench.seal() };
            for padding_multiple in [1, 16, 16_384] {
                let padded = RecordEntry { padding_multiple, ..roomy };
                bench.refuses(padded, Status::InvalidField);
                bench.refuses(RecordEntry { sequence: u64::MAX, ..padded }, Status::InvalidField);
                let opening = RecordEntry { context: OPEN_CONTEXT, ..padded };
                bench.refuses(opening, Status::ContextDirection);
            }
            bench.accepts(roomy);
        }
    });
}

#[test]
fn a_header_that_is_not_that_of_a_protected_record_is_refused() {
    on_each_device(|rig| {
        for keys in kinds() {
            let mut bench = Bench::with(rig, keys);
            let good = bench.good_record();
            let mut changes =
                vec![(1, 2), (2, 1), (2, 4), (3, 1), (3, 0xFF), (4, good[4] - 1), (4, good[4] + 1)];
            if !keys.is_tls12() {
                changes.extend([(0, 22), (0, 0)]);
            }
            for (byte, value) in changes {
                let mut record = good.clone();
                record[byte] = value;
                bench.refuses_record(&record, Status::BadHeader);
                // In a run a length that is too short is that of a record that is not authentic.
                if (byte, value) != (4, good[4] - 1) {
                    let entry = bench.open_run(&record);
                    bench.refuses(entry, Status::BadHeader);
                }
            }
            if keys.is_tls12() {
                let mut record = good.clone();
                record[0] = 22;
                bench.refuses_record(&record, Status::BadTag);
            }
            let entry = bench.open(&good);
            bench.accepts(entry);
            rig.soft_reset();
        }
    });
}

#[test]
fn a_run_whose_first_record_has_an_impossible_length_is_refused() {
    on_each_device(|rig| {
        for keys in kinds() {
            let mut bench = Bench::with(rig, keys);
            let good = bench.good_record();
            let (min, max) = (keys.overhead() - 5, if keys.is_tls12() { 18_432 } else { 16_640 });
            for length in [0, min - 1, max + 1, 0xFFFF] {
                let mut record = vec![0; 20_000];
                record[..good.len()].copy_from_slice(&good);
                record[3..5].copy_from_slice(&(length as u16).to_be_bytes());
                let entry = bench.open_run(&record);
                bench.refuses(entry, Status::BadHeader);
            }
            // One byte of the record is missing.
            let entry = bench.open_run(&good[..good.len() - 1]);
            bench.refuses(entry, Status::BadHeader);
            rig.soft_reset();
        }
    });
}

/// One bit anywhere behind the header, in records of several sizes.
#[test]
fn a_record_that_is_not_authentic_is_refused_and_not_one_byte_is_written() {
    on_each_device(|rig| {
        for (at, keys) in kinds().into_iter().enumerate() {
            let mut bench = Bench::with(rig, keys);
            let sizes = [0, 1, 15, 16, 31, 64, 300, 5000, MAX_FRAGMENT_BYTES];
            for size in sizes.into_iter().skip(at).step_by(if at == 0 { 1 } else { 4 }) {
                bench.refuses_all_that_is_not_authentic(size);
            }
            rig.soft_reset();
        }
    });
}

impl Bench {
    fn refuses_all_that_is_not_authentic(&mut self, size: usize) {
        let good = self.keys.seal(1, &pattern(size), 23, 0);
        for place in 0..12 {
            let mut record = good.clone();
            let byte = 5 + (record.len() - 6) * place / 11;
            record[byte] ^= 1 << (place % 8);
            self.refuses_record(&record, Status::BadTag);
            let run = self.open_run(&record);
            self.refuses(run, Status::BadTag);
        }
        let mut truncated = good.clone();
        truncated.pop();
        let length = (truncated.len() - 5) as u16;
        truncated[3..5].copy_from_slice(&length.to_be_bytes());
        let refused = if size == 0 { Status::BadLength } else { Status::BadTag };
        self.refuses_record(&truncated, refused);
        let other_sequence = RecordEntry { sequence: 2, ..self.open(&good) };
        self.refuses(other_sequence, Status::BadTag);
        let entry = self.open(&good);
        self.accepts(entry);
    }
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
        for keys in kinds().into_iter().filter(Keys::is_tls12) {
            rig.soft_reset();
            let mut bench = Bench::with(rig, keys);
            for text in [16_385, 16_400, 18_432 + 5 - keys.overhead()] {
                let record = bench.keys.protect(1, &pattern(text));
                bench.refuses_record(&record, Status::BadLength);
                let run = bench.open_run(&record);
                bench.refuses(run, Status::BadLength);
            }
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
            reserved: [1; RESERVED_BYTES],
            ..RecordEntry::default()
        };
        bench.refuses(everything, Status::UnknownOpcode);
        for mut entry in [
            RecordEntry { content_type: 23, opcode: 4, ..everything },
            RecordEntry { opcode: 5, ..everything },
            RecordEntry { opcode: 6, ..everything },
        ] {
            let (own, wrong_direction, foreign) = match entry.opcode {
                4 => (SEAL_CONTEXT, OPEN_CONTEXT, 21),
                _ => (OPEN_CONTEXT, SEAL_CONTEXT, 20),
            };
            bench.refuses(entry, Status::InvalidField);
            entry.reserved = [0; RESERVED_BYTES];
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
