// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `OPEN_RUN`: records that stand back to back, opened up to the first that does not belong to the run.

use sealgate_abi::{Completion, RecordEntry, Status};
use sealgate_driver::transport::DmaAccess;

use crate::rig::tls::{Keys, kinds, load_both, pattern, run_entry, suites};
use crate::rig::{Buffer, Queue, Rig, on_each_device};

const GUARD: u8 = 0x96;
const APPLICATION_DATA: u8 = 23;
const ALERT: u8 = 21;
const SEQUENCE: u64 = 40;

struct Bench {
    queue: Queue,
    keys: Keys,
    /// Sequence number of the first record.
    sequence: u64,
    source: Buffer,
    destination: Buffer,
}

/// What a run is expected to give.
#[derive(Default)]
struct Run {
    records: usize,
    consumed: usize,
    content: Vec<u8>,
    content_type: u8,
}

impl Bench {
    fn new(rig: &Rig, keys: Keys) -> Self {
        let mut queue = rig.queue(5, 4, 4);
        load_both(&mut queue, 0, &keys);
        let (source, destination) = (rig.buffer(1 << 17), rig.buffer(1 << 17));
        Self { queue, keys, sequence: SEQUENCE, source, destination }
    }

    /// The record at this place of the run.
    fn record(&self, place: usize, content: &[u8], content_type: u8) -> Vec<u8> {
        let zeroes = (place * 37 % 50).min(16_384 - content.len());
        self.keys.seal(self.sequence + place as u64, content, content_type, zeroes)
    }

    /// Opens `bytes` as a run and compares with what is expected.
    fn check(&mut self, bytes: &[u8], (source, destination): (usize, usize), expected: &Run) {
        self.source.fill(!GUARD);
        self.source.write(source, bytes);
        self.destination.fill(GUARD);
        let entry = RecordEntry {
            destination: self.destination.at(destination),
            ..run_entry(&self.keys, 1, self.sequence, self.source.at(source), bytes.len())
        };
        let completion = self.queue.run(entry.to_bytes());
        assert_eq!(completion.status(), Ok(Status::Success), "{entry:?}");
        let told = Completion {
            written: expected.content.len() as u32,
            consumed: expected.consumed as u32,
            records: expected.records as u16,
            content_type: expected.content_type,
            ..completion
        };
        assert_eq!(completion, told, "{entry:?}");
        let contents = self.destination.contents();
        let (before, rest) = contents.split_at(destination);
        let (written, after) = rest.split_at(expected.content.len());
        assert!(written == expected.content, "other content: {entry:?}");
        assert!(before.iter().chain(after).all(|&byte| byte == GUARD), "beside: {entry:?}");
    }

    /// A run of application data with these sizes: its bytes, and what it gives.
    fn good(&self, sizes: &[usize]) -> (Vec<u8>, Run) {
        let mut run = Run { content_type: APPLICATION_DATA, ..Run::default() };
        let mut bytes = Vec::new();
        for (place, &size) in sizes.iter().enumerate() {
            let content = pattern(size + place)[place..].to_vec();
            bytes.extend(self.record(place, &content, APPLICATION_DATA));
            run.content.extend(content);
        }
        run.records = sizes.len();
        run.consumed = bytes.len();
        (bytes, run)
    }
}

#[test]
fn the_records_of_a_run_are_opened_and_packed() {
    on_each_device(|rig| {
        for keys in kinds() {
            let mut bench = Bench::new(rig, keys);
            for (at, sizes) in [
                &[100][..],
                &[0],
                &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
                &[16_384, 16_384, 1, 16_384],
                &[0, 0, 17, 0, 300, 0],
                &[64; 40],
                &[1460; 12],
                &[4000, 15, 16, 17, 31, 32, 33, 5],
            ]
            .into_iter()
            .enumerate()
            {
                let (bytes, run) = bench.good(sizes);
                bench.check(&bytes, (at * 5, at * 11), &run);
            }
            rig.soft_reset();
        }
    });
}

/// A sequence number has 64 bits, and each record's is one more than that of the record before.
#[test]
fn the_sequence_number_of_a_run_carries_into_its_upper_half() {
    on_each_device(|rig| {
        for keys in kinds() {
            let mut bench = Bench::new(rig, keys);
            for sequence in [0xFFFF_FFFD, 0xFFFF_FFFF, 0x0000_FFFF_FFFF_FFFE, 0x7FFF_FFFF] {
                bench.sequence = sequence;
                let (bytes, run) = bench.good(&[20, 0, 300, 1, 64]);
                bench.check(&bytes, (1, 2), &run);
            }
            rig.soft_reset();
        }
    });
}

/// Where a record goes is worked out from where the run began, in 64 bits.
#[test]
fn a_run_is_written_across_a_line_of_four_gib() {
    on_each_device(|rig| {
        let mut bench = Bench::new(rig, suites()[0]);
        // The simulated IOMMU gives one such place in a few, as its first of a region.
        let crosses = |it: &Buffer| it.at(0) >> 32 != it.at(1 << 16) >> 32;
        for _ in 0..8 {
            if !crosses(&bench.destination) {
                bench.destination = rig.buffer(1 << 17);
            }
        }
        assert!(crosses(&bench.destination), "no such place was given");
        let line = (1 << 32) - (bench.destination.at(0) % (1 << 32)) as usize;
        let (bytes, run) = bench.good(&[100, 60, 0, 300, 1460, 7]);
        // In the first record, between two, and in the last.
        for before in [1, 100, 160, 300, run.content.len() - 3] {
            bench.check(&bytes, (3, line - before), &run);
        }
    });
}

/// The first record may be of any type and is then all of the run.
#[test]
fn a_first_record_of_another_type_stands_alone() {
    on_each_device(|rig| {
        for keys in kinds() {
            let mut bench = Bench::new(rig, keys);
            for content_type in [1, 20, ALERT, 22, 24, 255] {
                let mut bytes = bench.record(0, b"\x01\x00", content_type);
                let run = Run {
                    records: 1,
                    consumed: bytes.len(),
                    content: b"\x01\x00".to_vec(),
                    content_type,
                };
                bench.check(&bytes, (0, 0), &run);
                bytes.extend(bench.record(1, &pattern(50), APPLICATION_DATA));
                bench.check(&bytes, (3, 1), &run);
            }
            rig.soft_reset();
        }
    });
}

/// Whatever is wrong with a later record, the run ends before it and the records up to there are delivered.
#[test]
fn a_run_ends_before_what_does_not_belong_to_it() {
    on_each_device(|rig| {
        for keys in kinds() {
            let mut bench = Bench::new(rig, keys);
            let (good, run) = bench.good(&[300, 0, 65]);
            let next = bench.record(3, &pattern(200), APPLICATION_DATA);
            let mut tails = vec![
                bench.record(3, b"\x02\x28", ALERT),
                bench.record(4, &pattern(200), APPLICATION_DATA),
                next[..1].to_vec(),
                next[..4].to_vec(),
                next[..5].to_vec(),
                next[..next.len() - 1].to_vec(),
            ];
            for (byte, change) in [(0, 1), (1, 1), (2, 4), (3, 0x80), (5, 1), (40, 0x80)] {
                let mut bad = next.clone();
                bad[byte] ^= change;
                tails.push(bad);
            }
            let mut bad_tag = next.clone();
            *bad_tag.last_mut().expect("a tag") ^= 0x10;
            tails.push(bad_tag);
            let too_long = if keys.is_tls12() { 16_385 } else { 16_386 };
            tails.push(keys.protect(SEQUENCE + 3, &pattern(too_long)));
            if !keys.is_tls12() {
                tails.push(keys.protect(SEQUENCE + 3, &[0; 20]));
            }
            tails.push([&[APPLICATION_DATA, 3, 3, 0, 3][..], &[0; 40]].concat());
            for tail in tails {
                bench.check(&[&good[..], &tail].concat(), (7, 9), &run);
                // Good records behind it do not count either.
                bench.check(&[&good[..], &tail, &next].concat(), (2, 0), &run);
            }
            rig.soft_reset();
        }
    });
}

#[test]
fn a_first_record_that_is_refused_is_the_verdict_on_the_entry() {
    on_each_device(|rig| {
        for keys in kinds() {
            let mut bench = Bench::new(rig, keys);
            let (good, _) = bench.good(&[300, 20]);
            bench.destination.fill(GUARD);
            let mut bad = vec![(good.clone(), Status::BadTag)];
            bad[0].0[30] ^= 1;
            let mut header = good.clone();
            header[1] = 2;
            bad.push((header, Status::BadHeader));
            if !keys.is_tls12() {
                let padding = keys.protect(SEQUENCE, &[0; 33]);
                bad.push((padding, Status::PaddingWithoutContent));
            }
            for (bytes, expected) in bad {
                bench.source.write(0, &bytes);
                let entry = RecordEntry {
                    destination: bench.destination.at(0),
                    ..run_entry(&keys, 1, SEQUENCE, bench.source.at(0), bytes.len())
                };
                assert_eq!(bench.queue.status(entry.to_bytes()), expected);
                assert!(bench.destination.contents().iter().all(|&byte| byte == GUARD));
            }
            rig.soft_reset();
        }
    });
}

/// Memory that is not there: before the first record is whole the entry fails, afterwards the run ends; and a result
/// that cannot be written fails the entry.
#[test]
fn faults_in_a_run_are_reported_or_end_it() {
    on_each_device(|rig| {
        let mut bench = Bench::new(rig, suites()[1]);
        let (good, run) = bench.good(&[700, 900]);
        let next = bench.record(2, &pattern(600), APPLICATION_DATA);
        let bytes = [&good[..], &next].concat();
        let page = rig.buffer(4096);
        let mut torn = |mapped: usize| {
            page.write(4096 - mapped, &bytes[..mapped]);
            let source = page.at(4096 - mapped);
            let entry = run_entry(&bench.keys, 1, SEQUENCE, source, bytes.len());
            let destination = bench.destination.at(0);
            bench.queue.run(RecordEntry { destination, ..entry }.to_bytes())
        };
        let first = 700 + suites()[1].overhead();
        for mapped in [3, 100, first - 1] {
            assert_eq!(torn(mapped).status(), Ok(Status::SourceFault), "{mapped} bytes are there");
        }
        for mapped in [good.len() + 2, good.len() + 300] {
            let completion = torn(mapped);
            assert_eq!(completion.status(), Ok(Status::Success), "{mapped} bytes are there");
            assert_eq!(usize::from(completion.records), run.records);
            assert_eq!(completion.consumed as usize, run.consumed);
            assert!(bench.destination.read(0, run.content.len()) == run.content);
        }
        bench.source.write(0, &bytes);
        let read_only = rig.buffer_with_access(8192, DmaAccess::Read);
        let short = rig.buffer(4096);
        for destination in [rig.nowhere(), read_only.at(1), short.at(4096 - 800)] {
            let entry = run_entry(&bench.keys, 1, SEQUENCE, bench.source.at(0), bytes.len());
            let entry = RecordEntry { destination, ..entry };
            assert_eq!(bench.queue.status(entry.to_bytes()), Status::DestinationFault);
        }
        bench.check(&good, (0, 0), &run);
    });
}

#[test]
fn the_longest_runs_are_opened() {
    on_each_device(|rig| {
        for (keys, size) in [(suites()[0], 16_384), (kinds()[4], 64), (suites()[2], 1460)] {
            let mut queue = rig.any_queue();
            load_both(&mut queue, 0, &keys);
            let count = (1 << 20) / (size + keys.overhead());
            let content = pattern(count * size);
            let records = keys.seal_all(SEQUENCE, &content, size, 0);
            let (source, destination) = (rig.buffer_of(&records), rig.buffer(content.len()));
            let entry = RecordEntry {
                destination: destination.at(0),
                ..run_entry(&keys, 1, SEQUENCE, source.at(0), records.len())
            };
            let completion = queue.run(entry.to_bytes());
            assert_eq!(completion.status(), Ok(Status::Success));
            assert_eq!(usize::from(completion.records), count);
            assert_eq!(completion.consumed as usize, records.len());
            assert!(destination.read(0, content.len()) == content);
            rig.soft_reset();
        }
    });
}

/// Runs and single records of two directions under way together.
#[test]
fn runs_complete_in_the_order_of_their_queue() {
    on_each_device(|rig| {
        let mut bench = Bench::new(rig, kinds()[3]);
        let (bytes, run) = bench.good(&[500, 10, 1460, 0, 77]);
        bench.source.write(0, &bytes);
        let entries: Vec<_> = (0..14_u16)
            .map(|cookie| {
                let source = bench.source.at(0);
                let first = bench.record(0, &pattern(500), APPLICATION_DATA).len();
                let length = if cookie % 3 == 1 { first } else { bytes.len() };
                let destination = bench.destination.at(usize::from(cookie) * 4096);
                let entry = run_entry(&bench.keys, 1, SEQUENCE, source, length);
                RecordEntry { cookie, destination, ..entry }.to_bytes()
            })
            .collect();
        for (cookie, completion) in (0..).zip(bench.queue.run_all(&entries)) {
            assert_eq!(completion.status(), Ok(Status::Success));
            assert_eq!(completion.cookie, cookie);
            let records = if cookie % 3 == 1 { 1 } else { run.records };
            assert_eq!(usize::from(completion.records), records);
        }
    });
}
