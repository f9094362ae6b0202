// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A SEAL of more than one record: cut at the limit, numbered on, one completion; and it holds nobody up.

use sealgate_abi::{Completion, RecordEntry, Status};
use sealgate_driver::transport::DmaAccess;

use crate::rig::tls::{Keys, kinds, load_both, pattern, seal_entry, suites, zeroes};
use crate::rig::{Buffer, Queue, Rig, on_each_device};

const GUARD: u8 = 0x69;
const APPLICATION_DATA: u8 = 23;
const MOST: usize = 1 << 20;

/// A queue with keys, a source of 1 MiB and room for its records.
struct Bench {
    queue: Queue,
    keys: Keys,
    source: Buffer,
    content: Vec<u8>,
    destination: Buffer,
}

impl Bench {
    fn new(rig: &Rig, keys: Keys, bytes: usize) -> Self {
        let mut queue = rig.queue(4, 4, 4);
        load_both(&mut queue, 0, &keys);
        let content = pattern(bytes + 16);
        let destination = rig.buffer(2 * bytes + 8192);
        Self { queue, keys, source: rig.buffer_of(&content), content, destination }
    }

    fn entry(&self, length: usize, limit: u16, padding: u16, at: usize) -> RecordEntry {
        RecordEntry {
            fragment_limit: limit,
            padding_multiple: padding,
            capacity: (self.destination.memory.len() - at) as u32,
            ..seal_entry(0, 7, self.source.at(3), length, self.destination.at(at))
        }
    }

    fn records(&self, length: usize, limit: u16, padding: u16) -> Vec<u8> {
        let limit = if limit == 0 { 16_384 } else { usize::from(limit) };
        self.keys.seal_all(7, &self.content[3..3 + length], limit, padding)
    }

    /// Seals from byte 3 of the source on, and compares with ring's records.
    fn check(&mut self, length: usize, limit: u16, padding: u16, at: usize) {
        let expected = self.records(length, limit, padding);
        let count = length.div_ceil(if limit == 0 { 16_384 } else { usize::from(limit) }).max(1);
        // Room for exactly the records; with a byte less the entry is refused.
        let entry = RecordEntry {
            capacity: expected.len() as u32,
            ..self.entry(length, limit, padding, at)
        };
        self.destination.fill(GUARD);
        let short = RecordEntry { capacity: entry.capacity - 1, ..entry };
        assert_eq!(self.queue.status(short.to_bytes()), Status::BadLength, "{short:?}");
        assert!(self.destination.contents().iter().all(|&byte| byte == GUARD), "{short:?}");

        let completion = self.queue.run(entry.to_bytes());
        let told = Completion {
            written: expected.len() as u32,
            consumed: length as u32,
            records: count as u16,
            content_type: APPLICATION_DATA,
            ..completion
        };
        assert_eq!(completion, told, "{entry:?}");
        assert_eq!(completion.status(), Ok(Status::Success), "{entry:?}");
        let contents = self.destination.contents();
        let (before, rest) = contents.split_at(at);
        let (written, after) = rest.split_at(expected.len());
        assert!(written == expected, "other bytes than ring's: {entry:?}");
        assert!(before.iter().chain(after).all(|&byte| byte == GUARD), "beside: {entry:?}");
    }
}

#[test]
fn content_is_cut_at_the_limit() {
    on_each_device(|rig| {
        for keys in kinds() {
            let mut bench = Bench::new(rig, keys, 80_000);
            for limit in [64, 65, 100, 128, 1000, 16_383, 16_384, 0] {
                let size = if limit == 0 { 16_384 } else { usize::from(limit) };
                for length in [0, 1, size - 1, size, size + 1, 2 * size, 3 * size + 17] {
                    bench.check(length, limit, 0, length % 67);
                }
            }
            rig.soft_reset();
        }
    });
}

#[test]
fn each_record_is_padded_by_itself() {
    on_each_device(|rig| {
        let mut bench = Bench::new(rig, suites()[2], 80_000);
        for (limit, padding) in [(64, 16), (100, 256), (1000, 4096), (16_384, 16_384), (0, 64)] {
            for length in [0, 63, 250, 5000, 40_000] {
                if length / usize::from(limit).max(64) < 40 {
                    bench.check(length, limit, padding, 9);
                }
            }
        }
        assert_eq!(zeroes(100, 256), 155);
    });
}

#[test]
fn the_longest_entries_are_served() {
    on_each_device(|rig| {
        for keys in [kinds()[0], kinds()[4]] {
            let mut bench = Bench::new(rig, keys, MOST);
            bench.check(MOST, 0, 0, 1);
            bench.check(MOST - 1, 1400, 0, 0);
            rig.soft_reset();
        }
        let mut bench = Bench::new(rig, suites()[0], MOST);
        bench.check(MOST, 64, 0, 0);
    });
}

/// Entries of several records in flight together stay whole and in order, with others in between.
#[test]
fn entries_of_several_records_complete_in_their_order() {
    on_each_device(|rig| {
        let keys = kinds()[3];
        let mut bench = Bench::new(rig, keys, 40_000);
        let places: Vec<_> = (0..12).map(|_| rig.buffer(60_000)).collect();
        let lengths = [40_000, 1, 0, 16_385, 64, 20_000, 39_999, 300, 33_000, 2, 1000, 16_384];
        let entries: Vec<_> = (0_u16..)
            .zip(places.iter().zip(lengths))
            .map(|(cookie, (place, length))| RecordEntry {
                cookie,
                destination: place.at(5),
                capacity: 59_000,
                ..bench.entry(length, 700, 0, 0)
            })
            .collect();
        let bytes: Vec<_> = entries.iter().map(|entry| entry.to_bytes()).collect();
        for (completion, entry) in bench.queue.run_all(&bytes).iter().zip(&entries) {
            assert_eq!(completion.status(), Ok(Status::Success));
            assert_eq!((completion.cookie, completion.consumed), (entry.cookie, entry.length));
        }
        for (place, length) in places.iter().zip(lengths) {
            let expected = bench.records(length, 700, 0);
            assert!(place.read(5, expected.len()) == expected, "{length} bytes");
        }
    });
}

/// One record of many fails, or two in different ways: the entry reports the lowest code, and nothing else.
#[test]
fn a_fault_in_one_record_is_that_of_the_entry() {
    on_each_device(|rig| {
        let keys = suites()[0];
        let mut queue = rig.any_queue();
        load_both(&mut queue, 0, &keys);
        let length = 16 * 1024;
        let (source, destination) = (rig.buffer(length), rig.buffer(2 * length));
        let read_only = rig.buffer_with_access(length, DmaAccess::Read);
        // Only the last quarter of the content, or of its records, is where it may be.
        let torn_source = source.at(0).wrapping_sub(3 * length as u64 / 4);
        let torn_destination = destination.at(0).wrapping_sub(3 * length as u64 / 4);
        for (source, destination, expected) in [
            (torn_source, destination.at(0), Status::SourceFault),
            (source.at(length / 4), destination.at(0), Status::SourceFault),
            (source.at(0), torn_destination, Status::DestinationFault),
            (source.at(0), read_only.at(0), Status::DestinationFault),
            (source.at(length / 4), torn_destination, Status::SourceFault),
            (torn_source, read_only.at(0), Status::SourceFault),
            (source.at(0), destination.at(0), Status::Success),
        ] {
            let entry = RecordEntry {
                fragment_limit: 1000,
                capacity: 2 * length as u32,
                ..seal_entry(0, 1, source, length, destination)
            };
            assert_eq!(queue.status(entry.to_bytes()), expected, "{entry:?}");
        }
    });
}

/// A queue with a long entry does not hold up another's short ones: each short record seals what the long entry has
/// written of its own last record, so its result tells whether that was there.
#[test]
fn a_long_entry_holds_no_other_queue_up() {
    on_each_device(|rig| {
        let keys = suites()[0];
        let (mut long, mut short) = (rig.queue(2, 3, 3), rig.queue(3, 6, 6));
        load_both(&mut long, 0, &keys);
        load_both(&mut short, 2, &keys);
        let content = pattern(MOST);
        let (source, destination) = (rig.buffer_of(&content), rig.buffer(MOST + 8192));
        let entry = RecordEntry {
            capacity: destination.memory.len() as u32,
            ..seal_entry(0, 0, source.at(0), MOST, destination.at(0))
        };
        let expected = keys.seal_all(0, &content, 16_384, 0);
        let last = expected.len() - 64;
        destination.write(last, &[0; 64]);
        let results: Vec<_> = (0..32).map(|_| rig.buffer(4096)).collect();
        let device = rig.registers().device();
        device.control().modify(|control| control.with_enable(false));
        long.push(entry.to_bytes());
        for (sequence, result) in (0..).zip(&results) {
            let seal = seal_entry(2, sequence, destination.at(last), 64, result.at(0));
            short.push(seal.to_bytes());
        }
        long.ring();
        short.ring();
        device.control().modify(|control| control.with_enable(true));
        for (sequence, result) in (0..).zip(&results) {
            assert_eq!(short.reap().status(), Ok(Status::Success));
            let early = keys.seal(sequence, &[0; 64], APPLICATION_DATA, 0);
            let came_first = result.read(0, early.len()) == early;
            assert!(came_first, "record {sequence} waited for 64 records of another queue");
        }
        assert_eq!(long.reap().status(), Ok(Status::Success));
        assert!(destination.read(0, expected.len()) == expected);
    });
}
