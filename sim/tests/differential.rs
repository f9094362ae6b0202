// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The same random entries, good and bad, to the software device and to the RTL behind a hostile bus: every completion,
//! every byte of memory and every counter must come out the same.
//!
//! Replay a run with the seed that it printed: `SEALGATE_SEED=... cargo test --features rtl --test differential`.
#![cfg(feature = "rtl")]

mod rig;

use std::ops::Range;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use rig::tls::{KeyBytes, Keys, kinds, pattern};
use rig::{Buffer, Queue, Rig, devices};
use sealgate_abi::regs::{QUEUES, Register};
use sealgate_abi::{Completion, Direction, Opcode, RecordEntry, Status, SubmissionEntry};

const BATCHES: usize = 100;
const ENTRIES_PER_QUEUE: usize = 12;

/// Room at the destination of each entry: the most that `capacity` allows, at any offset, and guard bytes.
const SLOT_BYTES: usize = 24_576;
const SOURCE_BYTES: usize = 1 << 18;
const GUARD: u8 = 0xC3;

/// Contexts of a queue: from this many times its number on, two for good and some that come and go.
const SHARE: u16 = 128;
const SEAL: u16 = 0;
const OPEN: u16 = 1;
const FIRST_CHANGING: u16 = 2;
const CHANGING: u16 = 4;

/// A device with the memory that the entries speak of. The IOVAs are the same on every device of one seed.
struct Side {
    rig: Rig,
    queues: Vec<Queue>,
    source: Buffer,
    read_only: Buffer,
    slots: Buffer,
    nowhere: u64,
}

impl Side {
    fn new(rig: Rig, keys: &[Keys]) -> Self {
        rig.wait_for_selftest();
        let source = rig.buffer(SOURCE_BYTES);
        let read_only =
            rig.buffer_with_access(SLOT_BYTES, sealgate_driver::transport::DmaAccess::Read);
        let slots = rig.buffer(SLOT_BYTES * QUEUES * ENTRIES_PER_QUEUE);
        let nowhere = rig.nowhere();
        let queues = (0..QUEUES)
            .map(|number| {
                let mut queue = rig.queue(number, 4, 4);
                let (base, keys) = (number as u16 * SHARE, keys[number]);
                queue.load(base + SEAL, Direction::Seal, &keys);
                queue.load(base + OPEN, Direction::Open, &keys);
                queue
            })
            .collect();
        Self { rig, queues, source, read_only, slots, nowhere }
    }

    /// Runs a batch in all queues at once.
    fn run(&mut self, source: &[u8], batch: &[Vec<SubmissionEntry>]) -> Vec<Vec<Completion>> {
        self.source.write(0, source);
        self.slots.fill(GUARD);
        for (queue, entries) in self.queues.iter_mut().zip(batch) {
            queue.push_all(entries);
        }
        self.queues.iter().for_each(Queue::ring);
        let reap =
            |queue: &mut Queue, entries: &Vec<_>| entries.iter().map(|_| queue.reap()).collect();
        self.queues.iter_mut().zip(batch).map(|(queue, entries)| reap(queue, entries)).collect()
    }

    fn counters(&self) -> Vec<u64> {
        self.rig.snapshot();
        let device = self.rig.registers().device();
        let mut counters = vec![
            device.sealed_records_u64(),
            device.sealed_bytes_u64(),
            device.opened_records_u64(),
            device.opened_bytes_u64(),
            device.rejected_records_u64(),
            u64::from(device.errors().read().bits()),
        ];
        for queue in &self.queues {
            let page = queue.page();
            counters.extend([page.entries_u64(), page.refused_u64()]);
            counters.push(u64::from(page.queue_errors().read().bits()));
        }
        counters
    }
}

/// Makes the source memory of a batch and its entries.
struct Generator<'a> {
    rng: StdRng,
    keys: &'a [Keys],
    source: Vec<u8>,
    /// Where the next prepared record goes in the source memory.
    next_record: usize,
}

/// The addresses that entries may name.
struct Places {
    source: u64,
    read_only: u64,
    slots: u64,
    nowhere: u64,
}

impl Generator<'_> {
    fn batch(&mut self, places: &Places) -> Vec<Vec<SubmissionEntry>> {
        self.rng.fill_bytes(&mut self.source);
        self.next_record = 0;
        let slot = |queue: usize, at: usize| (queue * ENTRIES_PER_QUEUE + at) * SLOT_BYTES;
        let mut queues = Vec::new();
        for queue in 0..QUEUES {
            let entries = (0..ENTRIES_PER_QUEUE)
                .map(|at| {
                    let entry = self.entry(queue, places, places.slots + slot(queue, at) as u64);
                    apart(queue, entry)
                })
                .collect();
            queues.push(entries);
        }
        queues
    }

    fn entry(&mut self, queue: usize, places: &Places, slot: u64) -> SubmissionEntry {
        let base = queue as u16 * SHARE;
        let cookie = self.rng.random();
        let changing = base + FIRST_CHANGING + self.rng.random_range(0..CHANGING);
        match self.rng.random_range(0..100) {
            0..5 => RecordEntry::nop(cookie).to_bytes(),
            5..10 => self.noise(),
            10..20 => {
                let direction = *[Direction::Seal, Direction::Open].choose(&mut self.rng).unwrap();
                let load = self.keys[queue].load(cookie, changing, direction);
                self.spoil(load, 3)
            }
            20..28 => self.spoil(RecordEntry::context_drop(cookie, changing).to_bytes(), 3),
            28..60 => {
                let context = self.context(base + SEAL, changing);
                let entry = RecordEntry { cookie, context, ..self.seal(places, slot) };
                self.spoil(entry.to_bytes(), 5)
            }
            _ => {
                let context = self.context(base + OPEN, changing);
                let entry = self.open(queue, places, slot);
                self.spoil(RecordEntry { cookie, context, ..entry }.to_bytes(), 5)
            }
        }
    }

    /// Mostly the own one; else one that comes and goes, or one of any queue.
    fn context(&mut self, own: u16, changing: u16) -> u16 {
        match self.rng.random_range(0..10) {
            0..7 => own,
            7..9 => changing,
            _ => self.rng.random_range(0..QUEUES as u16) * SHARE + own % SHARE,
        }
    }

    /// Anything, though with an operation now and then.
    fn noise(&mut self) -> SubmissionEntry {
        let mut entry: SubmissionEntry = [0; 64];
        self.rng.fill_bytes(&mut entry);
        entry[0] = self.rng.random_range(0..8);
        entry
    }

    fn length(&mut self) -> usize {
        match self.rng.random_range(0..10) {
            0 => 0,
            1..6 => self.rng.random_range(0..200),
            6..9 => self.rng.random_range(0..3000),
            _ => self.rng.random_range(0..=16_385),
        }
    }

    /// Somewhere in the slot of an entry, and seldom where it may not write.
    fn destination(&mut self, places: &Places, slot: u64) -> u64 {
        let offset = self.rng.random_range(0..4096);
        match self.rng.random_range(0..20) {
            0 => places.read_only + offset,
            1 => places.nowhere + offset,
            _ => slot + offset,
        }
    }

    fn seal(&mut self, places: &Places, slot: u64) -> RecordEntry {
        let fragment_limit = self.fragment_limit();
        let length = match fragment_limit {
            0 => self.length(),
            limit => self.rng.random_range(0..=16_000.min(12 * usize::from(limit))),
        };
        let at = self.rng.random_range(0..SOURCE_BYTES - length) as u64;
        let reach_out = self.rng.random_range(0..20) == 0;
        let end = SOURCE_BYTES as u64 - length as u64 / 2;
        RecordEntry {
            opcode: Opcode::Seal as u8,
            content_type: self.rng.random_range(1..=255),
            padding_multiple: self.padding(),
            sequence: self.rng.random_range(0..1 << 24),
            source: places.source + if reach_out { end } else { at },
            destination: self.destination(places, slot),
            length: length as u32,
            capacity: self.capacity(),
            fragment_limit,
            ..RecordEntry::default()
        }
    }

    fn fragment_limit(&mut self) -> u16 {
        match self.rng.random_range(0..6) {
            0..3 => 0,
            3 => 1 << self.rng.random_range(6..=14),
            4 => self.rng.random_range(64..=16_384),
            _ => self.rng.random_range(60..300),
        }
    }

    fn padding(&mut self) -> u16 {
        if self.rng.random_range(0..4) != 0 { 0 } else { 1 << self.rng.random_range(0..=14) }
    }

    /// Mostly enough, and never more than the slot has.
    fn capacity(&mut self) -> u32 {
        if self.rng.random_range(0..8) == 0 {
            return self.rng.random_range(0..16_384);
        }
        16_384
    }

    /// An OPEN of a record, or an `OPEN_RUN` of several, that stand in the source memory as they were made or not.
    fn open(&mut self, queue: usize, places: &Places, slot: u64) -> RecordEntry {
        let sequence = if self.rng.random() { self.rng.random() } else { 5 };
        let run = self.rng.random_range(0..3) == 0;
        let bytes = if run { self.run(queue, sequence) } else { self.record(queue, sequence) };
        let mut at = self.next_record;
        if at + bytes.len() > SOURCE_BYTES {
            // No more room: some bytes that are no record.
            at = 0;
        } else {
            self.source[at..at + bytes.len()].copy_from_slice(&bytes);
            self.next_record += bytes.len() + self.rng.random_range(0..20);
        }
        RecordEntry {
            opcode: if run { Opcode::OpenRun } else { Opcode::Open } as u8,
            sequence,
            source: places.source + at as u64,
            destination: self.destination(places, slot),
            length: bytes.len() as u32,
            capacity: self.capacity(),
            ..RecordEntry::default()
        }
    }

    /// Mostly a run of application data, seldom with a record that is spoiled.
    fn run(&mut self, queue: usize, sequence: u64) -> Vec<u8> {
        let keys = self.keys[queue];
        let mut bytes = Vec::new();
        for place in 0..self.rng.random_range(1..8) {
            let sequence = sequence.wrapping_add(place);
            if self.rng.random_range(0..10) == 0 {
                bytes.extend(self.record(queue, sequence));
            } else {
                let content = pattern(self.rng.random_range(0..600));
                bytes.extend(keys.seal(sequence, &content, 23, self.rng.random_range(0..40)));
            }
        }
        bytes
    }

    fn record(&mut self, queue: usize, sequence: u64) -> Vec<u8> {
        let keys = self.keys[queue];
        let content = pattern(self.length().min(4000));
        let content_type = self.rng.random_range(1..=255);
        let mut record = match self.rng.random_range(0..12) {
            0 => keys.protect(sequence, &vec![0; content.len() + 1]),
            1 if keys.is_tls12() => keys.protect(sequence, &pattern(16_385 + content.len() % 1900)),
            1 => keys.protect(sequence, &pattern(16_386 + content.len() % 239)),
            _ => {
                let zeroes = self.rng.random_range(0..300);
                keys.seal(sequence, &content, content_type, zeroes)
            }
        };
        match self.rng.random_range(0..12) {
            0 => {
                let byte = self.rng.random_range(0..record.len());
                record[byte] ^= 1 << self.rng.random_range(0..8);
            }
            1 => record.truncate(self.rng.random_range(0..record.len())),
            _ => {}
        }
        record
    }

    /// Flips one bit of every so many entries, where that cannot make two entries meddle with each other: a destination
    /// in memory that is not the entry's own, a source in memory that is being written, or a context that another queue
    /// uses.
    fn spoil(&mut self, mut entry: SubmissionEntry, one_in: u32) -> SubmissionEntry {
        const CONTEXT: Range<usize> = 16..32;
        const OWNER: Range<usize> = 23..26;
        const DESTINATION: Range<usize> = 192..256;
        // With more room the records of many fragments would reach into the slots of other entries.
        const MORE_ROOM: Range<usize> = 288 + 14..320;
        // Within its page the source stays in memory that is only read; far away nothing is mapped.
        const NEAR_SOURCE: Range<usize> = 128 + 12..128 + 36;
        let bit = self.rng.random_range(0..512);
        let meddles = if changes_contexts(&entry) {
            CONTEXT.contains(&bit)
        } else {
            [OWNER, DESTINATION, NEAR_SOURCE, MORE_ROOM].iter().any(|bits| bits.contains(&bit))
        };
        if self.rng.random_range(0..one_in) == 0 && !meddles {
            entry[bit / 8] ^= 1 << (bit % 8);
        }
        entry
    }
}

fn changes_contexts(entry: &SubmissionEntry) -> bool {
    [Opcode::ContextLoad as u8, Opcode::ContextDrop as u8].contains(&entry[0])
}

/// Leads an entry away from a context that another queue is loading and dropping, and keeps the ones that all queues
/// may name as they are: between queues there is no order, so the devices would not have to agree on how it ends.
fn apart(queue: usize, mut entry: SubmissionEntry) -> SubmissionEntry {
    let context = u16::from_le_bytes([entry[2], entry[3]]);
    let own = usize::from(context / SHARE) == queue;
    let changing = (FIRST_CHANGING..FIRST_CHANGING + CHANGING).contains(&(context % SHARE));
    let place = if changing && !own {
        SEAL
    } else if own && !changing && changes_contexts(&entry) {
        FIRST_CHANGING
    } else {
        context % SHARE
    };
    entry[2..4].copy_from_slice(&(context - context % SHARE + place).to_le_bytes());
    entry
}

/// What is undefined at the destination of a refused entry is made equal.
fn mask_undefined(slot: &mut [u8], entry: &SubmissionEntry, completion: &Completion) {
    let seal = entry[0] == Opcode::Seal as u8;
    match completion.status() {
        Ok(Status::DestinationFault) => slot.fill(0),
        Ok(Status::SourceFault) if seal => slot.fill(0),
        _ => {}
    }
}

/// A batch and what the software device made of it.
struct Reference<'a> {
    number: usize,
    batch: &'a [Vec<SubmissionEntry>],
    completions: Vec<Vec<Completion>>,
    memory: Vec<u8>,
}

impl<'a> Reference<'a> {
    fn make(
        side: &mut Side,
        source: &[u8],
        number: usize,
        batch: &'a [Vec<SubmissionEntry>],
    ) -> Self {
        let completions = side.run(source, batch);
        let mut reference = Self { number, batch, completions, memory: Vec::new() };
        reference.memory = reference.defined(side.slots.contents());
        reference
    }

    /// The slots of all entries, less what is undefined.
    fn defined(&self, mut slots: Vec<u8>) -> Vec<u8> {
        let entries = self.batch.iter().flatten().zip(self.completions.iter().flatten());
        for (slot, (entry, completion)) in slots.chunks_mut(SLOT_BYTES).zip(entries) {
            mask_undefined(slot, entry, completion);
        }
        slots
    }

    fn compare(&self, side: &mut Side, source: &[u8]) {
        let place = format!("{}, batch {}", side.rig.name, self.number);
        let completions = side.run(source, self.batch);
        for (queue, entries) in self.batch.iter().enumerate() {
            for (at, entry) in entries.iter().enumerate() {
                let (got, expected) = (completions[queue][at], self.completions[queue][at]);
                let entry = RecordEntry::from_bytes(*entry);
                assert_eq!(got, expected, "{place}, queue {queue}, entry {at}: {entry:?}");
            }
        }
        let memory = self.defined(side.slots.contents());
        let differs = memory.iter().zip(&self.memory).position(|(got, expected)| got != expected);
        if let Some(at) = differs {
            let slot = at / SLOT_BYTES;
            let entry = self.batch[slot / ENTRIES_PER_QUEUE][slot % ENTRIES_PER_QUEUE];
            panic!("{place}: byte {} of {:?}", at % SLOT_BYTES, RecordEntry::from_bytes(entry));
        }
        assert!(side.source.contents() == source, "{place}: the source was written");
    }
}

/// Keys for each queue: every suite and version, some twice.
fn random_keys(rng: &mut StdRng) -> Vec<Keys> {
    let mut keys: Vec<_> = kinds().into_iter().cycle().take(QUEUES).collect();
    for keys in &mut keys {
        match &mut keys.key {
            KeyBytes::Aes128(key) => rng.fill_bytes(key),
            KeyBytes::Aes256(key) | KeyBytes::Chacha20(key) => rng.fill_bytes(key),
        }
        rng.fill_bytes(&mut keys.iv);
    }
    keys
}

/// Runs batch after batch until `enough` says so of their number and of the cycles that all RTL has simulated.
fn compare_until(enough: impl Fn(usize, u64) -> bool) {
    let seed = rig::seed();
    println!("seed: {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let keys = random_keys(&mut rng);
    let mut sides: Vec<_> = devices(seed).into_iter().map(|rig| Side::new(rig, &keys)).collect();
    let (model, others) = sides.split_first_mut().expect("the software device comes first");
    let places = Places {
        source: model.source.at(0),
        read_only: model.read_only.at(0),
        slots: model.slots.at(0),
        nowhere: model.nowhere,
    };
    let source = vec![0; SOURCE_BYTES];
    let mut generator = Generator { rng, keys: &keys, source, next_record: 0 };
    let mut statuses = [0_u32; Status::ALL.len()];
    let mut number = 0;
    let cycles = |sides: &[Side]| -> u64 {
        sides.iter().map(|side| side.rig.transport.control().cycles()).sum()
    };
    while !enough(number, cycles(others)) {
        let batch = generator.batch(&places);
        let reference = Reference::make(model, &generator.source, number, &batch);
        for completion in reference.completions.iter().flatten() {
            statuses[completion.status().expect("a status of the contract") as usize] += 1;
        }
        for side in &mut *others {
            reference.compare(side, &generator.source);
        }
        number += 1;
    }
    println!("{} cycles in {number} batches", cycles(others));
    println!("how often each status came: {statuses:?}");
    for side in others {
        assert_eq!(side.counters(), model.counters(), "{}", side.rig.name);
        let errors = side.rig.transport.control().protocol_errors();
        assert!(errors.is_empty(), "bus protocol: {errors:#?}");
    }
}

#[test]
fn the_rtl_and_the_software_device_agree() {
    compare_until(|batches, _| batches == BATCHES);
}

/// The same for so many cycles as `SEALGATE_SOAK_CYCLES` says; `cargo xtask soak` asks for a hundred million.
#[test]
fn soak() {
    const CYCLES: u64 = 2_000_000;

    let wanted = match std::env::var("SEALGATE_SOAK_CYCLES") {
        Ok(cycles) => cycles.parse().expect("SEALGATE_SOAK_CYCLES is a number"),
        Err(_) => CYCLES,
    };
    compare_until(|_, cycles| cycles >= wanted);
}
