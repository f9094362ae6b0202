// SPDX-License-Identifier: Apache-2.0 OR MIT
//! SEAL and OPEN, byte for byte as ring makes and takes records, and not a byte beside them.

use sealgate_abi::regs::QUEUES;
use sealgate_abi::{Completion, RecordEntry, SEAL_SEQUENCE_LIMIT, Status};

use crate::rig::tls::{
    KeyBytes, Keys, kinds, load_both, open_entry, pattern, seal_entry, suites, zeroes,
};
use crate::rig::{Buffer, Queue, Rig, on_each_device};

const SIZES: [usize; 9] = [0, 1, 15, 16, 17, 255, 1024, 16_383, 16_384];
const PADDING: [u16; 9] = [0, 1, 2, 16, 64, 512, 4096, 8192, 16_384];
const APPLICATION_DATA: u8 = 23;
const GUARD: u8 = 0xA5;
const SEAL_CONTEXT: u16 = 2;
const OPEN_CONTEXT: u16 = 3;

/// A queue with keys, and one buffer on each side whose surroundings are watched.
struct Bench {
    queue: Queue,
    keys: Keys,
    source: Buffer,
    destination: Buffer,
}

impl Bench {
    fn new(rig: &Rig, keys: Keys) -> Self {
        let mut queue = rig.queue(1, 4, 4);
        load_both(&mut queue, SEAL_CONTEXT, &keys);
        Self { queue, keys, source: rig.buffer(20_000), destination: rig.buffer(20_000) }
    }

    /// Runs an entry whose source is `bytes` at an offset in a page, and checks what stands at its destination.
    fn check(
        &mut self,
        bytes: &[u8],
        (source, destination): (usize, usize),
        expected: &[u8],
        entry: impl FnOnce(u64, u64) -> RecordEntry,
    ) -> Completion {
        self.source.fill(!GUARD);
        self.source.write(source, bytes);
        self.destination.fill(GUARD);
        let entry = entry(self.source.at(source), self.destination.at(destination));
        let completion = self.queue.run(entry.to_bytes());
        assert_eq!(completion.status(), Ok(Status::Success), "{entry:?}");
        assert_eq!(completion.written as usize, expected.len());
        assert_eq!(completion.consumed as usize, bytes.len());
        assert_eq!(completion.records, 1);

        let contents = self.destination.contents();
        let (before, rest) = contents.split_at(destination);
        let (written, after) = rest.split_at(expected.len());
        assert!(written == expected, "other bytes than ring's: {entry:?}");
        assert!(before.iter().chain(after).all(|&byte| byte == GUARD), "beside: {entry:?}");
        completion
    }

    fn seal(
        &mut self,
        content: &[u8],
        content_type: u8,
        padding: u16,
        sequence: u64,
        at: (usize, usize),
    ) {
        let padding = if self.keys.is_tls12() { 0 } else { padding };
        let zeroes = zeroes(content.len(), padding);
        let record = self.keys.seal(sequence, content, content_type, zeroes);
        let completion = self.check(content, at, &record, |source, destination| RecordEntry {
            content_type,
            padding_multiple: padding,
            capacity: record.len() as u32,
            ..seal_entry(SEAL_CONTEXT, sequence, source, content.len(), destination)
        });
        assert_eq!(completion.content_type, content_type);
    }

    fn open(
        &mut self,
        content: &[u8],
        content_type: u8,
        zeroes: usize,
        sequence: u64,
        at: (usize, usize),
    ) {
        let record = self.keys.seal(sequence, content, content_type, zeroes);
        let capacity = (record.len() - self.keys.overhead()) as u32;
        let completion = self.check(&record, at, content, |source, destination| RecordEntry {
            capacity,
            ..open_entry(OPEN_CONTEXT, sequence, source, record.len(), destination)
        });
        assert_eq!(completion.content_type, content_type);
    }
}

#[test]
fn records_of_every_size_and_padding_are_those_of_ring() {
    on_each_device(|rig| {
        for keys in kinds() {
            let mut bench = Bench::new(rig, keys);
            for (at, size) in SIZES.into_iter().enumerate() {
                let paddings = if keys.is_tls12() { &PADDING[..1] } else { &PADDING };
                for (sequence, &padding) in (0x0102_0300 * at as u64..).zip(paddings) {
                    let sequence = sequence % SEAL_SEQUENCE_LIMIT;
                    let content = pattern(size);
                    bench.seal(&content, APPLICATION_DATA, padding, sequence, (0, 0));
                    let zeroes = zeroes(size, padding);
                    bench.open(&content, APPLICATION_DATA, zeroes, sequence, (0, 0));
                }
            }
            rig.soft_reset();
        }
    });
}

#[test]
fn every_content_type_is_sealed_and_told_when_opened() {
    on_each_device(|rig| {
        for (keys, step) in [(suites()[1], 1), (kinds()[4], 17), (kinds()[5], 13)] {
            let mut bench = Bench::new(rig, keys);
            for content_type in (1..=255).step_by(step) {
                let content = pattern(usize::from(content_type) % 37);
                bench.seal(&content, content_type, 16, u64::from(content_type), (3, 5));
                bench.open(&content, content_type, 7, u64::from(content_type), (6, 9));
            }
            rig.soft_reset();
        }
    });
}

#[test]
fn addresses_may_have_any_alignment() {
    on_each_device(|rig| {
        // With odd steps every offset in a beat of the widest bus comes up on either side.
        for (keys, step) in kinds().into_iter().zip([31, 97, 61, 67, 103, 89]) {
            let mut bench = Bench::new(rig, keys);
            for pair in (0..64 * 64).step_by(step) {
                let (source, destination) = (pair / 64, pair % 64);
                // Close before the end of a page, so that bursts are cut as well.
                let at = (4096 - 100 + source, 8192 - 120 + destination);
                let content = pattern(61 + 5 * source + 3 * destination);
                bench.seal(&content, APPLICATION_DATA, 0, 9, at);
                bench.open(&content, APPLICATION_DATA, 0, 9, at);
            }
            rig.soft_reset();
        }
    });
}

#[test]
fn lengths_around_beats_bursts_and_pages_are_right() {
    on_each_device(|rig| {
        let near = |middle: usize| middle - 30..=middle + 2;
        for (at, keys) in kinds().into_iter().enumerate() {
            let mut bench = Bench::new(rig, keys);
            let sizes = (0..=34).chain(near(1024)).chain(near(4096)).chain(near(8192));
            for size in sizes.skip(at).step_by(if at == 0 { 1 } else { 5 }) {
                bench.seal(&pattern(size), APPLICATION_DATA, 0, 5, (1, 11));
                bench.open(&pattern(size), APPLICATION_DATA, size % 3, 5, (7, 2));
            }
            rig.soft_reset();
        }
    });
}

/// Content that ends in zeroes is not padding; padding that fills the record up to its limit is.
#[test]
fn padding_is_told_from_content() {
    on_each_device(|rig| {
        let mut bench = Bench::new(rig, suites()[0]);
        let mut content = pattern(100);
        content.extend_from_slice(&[0; 50]);
        for zeroes in [0, 1, 15, 16, 17, 1000, 16_384 - 150] {
            bench.open(&content, APPLICATION_DATA, zeroes, 1, (0, 0));
        }
        bench.open(&[], 21, 16_384, 1, (0, 0));
        bench.open(&[0; 300], 22, 20, 1, (0, 0));
    });
}

#[test]
fn the_nonce_takes_the_whole_sequence_number() {
    on_each_device(|rig| {
        for keys in kinds() {
            let mut bench = Bench::new(rig, keys);
            for bit in 0..64 {
                let sequence = 1_u64 << bit;
                bench.open(b"nonce", APPLICATION_DATA, 0, sequence, (0, 0));
                if sequence < SEAL_SEQUENCE_LIMIT {
                    bench.seal(b"nonce", APPLICATION_DATA, 0, sequence, (0, 0));
                }
            }
            let last = match keys.key {
                KeyBytes::Chacha20(_) => u64::MAX - 1,
                _ => SEAL_SEQUENCE_LIMIT - 1,
            };
            bench.seal(b"last", APPLICATION_DATA, 0, last, (0, 0));
            bench.open(b"last", APPLICATION_DATA, 0, u64::MAX - 1, (0, 0));
            rig.soft_reset();
        }
    });
}

/// Many records of several connections under way at once, in all queues, with every change of key, size and direction.
#[test]
fn records_under_way_together_do_not_mix() {
    on_each_device(|rig| {
        let kinds = kinds();
        let mut queues: Vec<_> = (0..QUEUES).map(|number| rig.queue(number, 5, 5)).collect();
        let mut expected = Vec::new();
        for (number, queue) in queues.iter_mut().enumerate() {
            let contexts: Vec<_> = (0..6).map(|pair| 100 * number as u16 + 2 * pair).collect();
            for (keys, &context) in kinds.iter().zip(&contexts) {
                load_both(queue, context, keys);
            }
            for at in 0..32 {
                let pair = at % 6;
                let keys = &kinds[pair];
                let content = pattern((at * 577 + number * 131) % 5000);
                let record = keys.seal(at as u64, &content, APPLICATION_DATA, 0);
                let open = (at / 6) % 2 == 1;
                let (bytes, result) = if open { (record, content) } else { (content, record) };
                let source = rig.buffer_of(&bytes);
                let destination = rig.buffer(result.len());
                let (sequence, length) = (at as u64, bytes.len());
                let (from, to) = (source.at(0), destination.at(0));
                let entry = if open {
                    open_entry(contexts[pair] + 1, sequence, from, length, to)
                } else {
                    seal_entry(contexts[pair], sequence, from, length, to)
                };
                let capacity = destination.memory.len() as u32;
                queue.push(RecordEntry { capacity, ..entry }.to_bytes());
                expected.push((source, destination, result));
            }
        }
        queues.iter().for_each(Queue::ring);
        for queue in &mut queues {
            for at in 0..32 {
                let completion = queue.reap();
                assert_eq!(completion.status(), Ok(Status::Success), "entry {at}");
            }
        }
        for (_, destination, result) in expected {
            assert!(destination.read(0, result.len()) == result);
        }
    });
}
