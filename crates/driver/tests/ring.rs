// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The rings against a model of a device that keeps the contract, over random sequences of what both sides can do.

mod support;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use sealgate_abi::{Completion, ENTRY_BYTES, SubmissionEntry};
use sealgate_driver::memory::OutOfBounds;
use sealgate_driver::ring::{CompletionRing, RING_LOG2_MAX, RingError, RingMemory, SubmissionRing};

use support::seed;

/// Memory of one thread. Every access is checked.
#[derive(Clone, Debug)]
struct Memory(Rc<RefCell<Vec<u8>>>);

impl Memory {
    fn new(bytes: usize) -> Self {
        Self(Rc::new(RefCell::new(vec![0; bytes])))
    }

    fn read(&self, offset: usize, len: usize) -> Vec<u8> {
        self.0.borrow()[offset..offset + len].to_vec()
    }
}

impl RingMemory for Memory {
    fn size(&self) -> usize {
        self.0.borrow().len()
    }

    fn write(&self, offset: usize, bytes: &[u8]) -> Result<(), OutOfBounds> {
        self.0.borrow_mut()[offset..offset + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn publish(&self) {}

    fn acquire(&self, offset: usize) -> Result<u64, OutOfBounds> {
        self.load(offset)
    }

    fn load(&self, offset: usize) -> Result<u64, OutOfBounds> {
        Ok(u64::from_le_bytes(self.read(offset, 8).try_into().expect("8 bytes")))
    }
}

/// Both ends of a queue pair, and what must be true of them.
struct Pair {
    size: u16,
    sq_memory: Memory,
    cq_memory: Memory,
    submissions: SubmissionRing<Memory>,
    completions: CompletionRing<Memory>,
    device: Device,
    /// Number of the entry that is submitted next, taken by the device next, and completed next.
    next: [u64; 3],
}

/// The device's indices.
#[derive(Default)]
struct Device {
    sq_tail: u16,
    sq_head: u16,
    cq_head: u16,
    cq_tail: u16,
    fetched: VecDeque<u64>,
}

impl Pair {
    fn new(log2: u8) -> Self {
        let sq_memory = Memory::new(ENTRY_BYTES << log2);
        let cq_memory = Memory::new(Completion::BYTES << log2);
        Self {
            size: 1 << log2,
            submissions: SubmissionRing::new(sq_memory.clone(), log2).unwrap(),
            completions: CompletionRing::new(cq_memory.clone(), log2).unwrap(),
            sq_memory,
            cq_memory,
            device: Device::default(),
            next: [0; 3],
        }
    }

    /// The host submits up to `entries` with one doorbell.
    fn submit(&mut self, entries: u16) {
        let room = self.submissions.room();
        for _ in 0..entries.min(room) {
            self.submissions.write_secret(&entry(self.next[0])).unwrap();
            self.next[0] += 1;
        }
        if entries > room {
            assert_eq!(self.submissions.write(&entry(u64::MAX)), Err(RingError::Full));
        }
        self.submissions.publish(|tail| self.device.sq_tail = tail);
        assert!(self.device.sq_tail.wrapping_sub(self.device.sq_head) <= self.size);
    }

    /// The device takes up to `entries`, each only if its completion has a place. Returns how many it took.
    fn fetch(&mut self, entries: u16) -> u16 {
        let device = &mut self.device;
        for taken in 0..entries {
            let places = device.cq_tail.wrapping_sub(device.cq_head) + device.fetched.len() as u16;
            if device.sq_head == device.sq_tail || places >= self.size {
                return taken;
            }
            let offset = usize::from(device.sq_head % self.size) * ENTRY_BYTES;
            assert_eq!(self.sq_memory.read(offset, ENTRY_BYTES), entry(self.next[1]));
            device.fetched.push_back(self.next[1]);
            device.sq_head = device.sq_head.wrapping_add(1);
            self.next[1] += 1;
        }
        entries
    }

    /// The device completes up to `entries`. Returns how many it completed.
    fn complete(&mut self, entries: u16) -> u16 {
        for completed in 0..entries {
            let device = &mut self.device;
            let Some(number) = device.fetched.pop_front() else { return completed };
            assert!(device.cq_tail.wrapping_sub(device.cq_head) < self.size);
            let first_pass = (device.cq_tail / self.size).is_multiple_of(2);
            let completion = Completion {
                cookie: number as u16,
                sq_head: device.sq_head,
                written: number as u32,
                consumed: !number as u32,
                status_phase: if first_pass { Completion::PHASE } else { 0 },
                ..Completion::default()
            };
            let offset = usize::from(device.cq_tail % self.size) * Completion::BYTES;
            self.cq_memory.write(offset, &completion.to_bytes()).unwrap();
            device.cq_tail = device.cq_tail.wrapping_add(1);
        }
        entries
    }

    /// The host takes all that is there, and nothing else.
    fn reap(&mut self) -> u64 {
        let before = self.next[2];
        while let Some(completion) = self.completions.take().unwrap() {
            let number = self.next[2];
            assert!(number < self.next[1], "took a completion that was not written");
            assert_eq!(completion.cookie, number as u16);
            assert_eq!((completion.written, completion.consumed), (number as u32, !number as u32));
            self.submissions.release(completion.sq_head).unwrap();
            self.next[2] += 1;
        }
        assert_eq!(self.next[2] + self.device.fetched.len() as u64, self.next[1]);
        self.completions.give_back(|head| self.device.cq_head = head);
        self.next[2] - before
    }

    /// Entries that the host knows to be taken are wiped.
    fn check_wiped(&self) {
        let occupied = self.size - self.submissions.room();
        let tail = self.submissions.tail();
        for behind in occupied..self.size {
            let index = tail.wrapping_sub(behind + 1) % self.size;
            let offset = usize::from(index) * ENTRY_BYTES;
            assert_eq!(self.sq_memory.read(offset, ENTRY_BYTES), [0; ENTRY_BYTES]);
        }
    }

    /// Whatever state both are in: if each does its part, all that was submitted completes.
    fn drain(&mut self) {
        while self.next[2] < self.next[0] {
            let progress = u64::from(self.fetch(1) + self.complete(1)) + self.reap();
            assert!(progress > 0, "both sides wait for each other");
        }
    }
}

fn entry(number: u64) -> SubmissionEntry {
    let mut entry = [0xEE; ENTRY_BYTES];
    entry[..8].copy_from_slice(&number.to_le_bytes());
    entry
}

#[derive(Clone, Debug)]
enum Step {
    Submit(u16),
    Fetch(u16),
    Complete(u16),
    Reap,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..20_u16).prop_map(Step::Submit),
        (0..20_u16).prop_map(Step::Fetch),
        (0..20_u16).prop_map(Step::Complete),
        Just(Step::Reap),
    ]
}

#[test]
fn nothing_is_lost_doubled_or_overtaken() {
    let config = Config {
        cases: 300,
        rng_seed: RngSeed::Fixed(seed()),
        failure_persistence: None,
        ..Config::default()
    };
    let cases = (1..=6_u8, prop::collection::vec(step(), 0..400));
    let tested = TestRunner::new(config).run(&cases, |(log2, steps)| {
        let mut pair = Pair::new(log2);
        for step in steps {
            match step {
                Step::Submit(entries) => pair.submit(entries),
                Step::Fetch(entries) => drop(pair.fetch(entries)),
                Step::Complete(entries) => drop(pair.complete(entries)),
                Step::Reap => drop(pair.reap()),
            }
            pair.check_wiped();
        }
        pair.drain();
        Ok(())
    });
    tested.unwrap();
}

#[test]
fn rings_of_every_size_outlive_the_wrap_of_their_indices() {
    for log2 in 1..=RING_LOG2_MAX {
        let mut pair = Pair::new(log2);
        while pair.next[2] < 150_000 {
            pair.submit(pair.size);
            pair.fetch(pair.size);
            pair.complete(pair.size);
            pair.reap();
        }
        pair.check_wiped();
    }
}

#[test]
fn a_head_that_cannot_be_is_refused() {
    let mut pair = Pair::new(3);
    pair.submit(5);
    for head in [6, 7, u16::MAX, 0x8000] {
        assert_eq!(pair.submissions.release(head), Err(RingError::Head { head }));
    }
    assert_eq!(pair.submissions.release(5), Ok(5));
    assert_eq!(pair.submissions.release(4), Err(RingError::Head { head: 4 }));
}

#[test]
fn a_ring_fits_its_memory_and_has_a_size() {
    let memory = Memory::new(ENTRY_BYTES * 4);
    assert!(SubmissionRing::new(memory.clone(), 2).is_ok());
    let too_large = SubmissionRing::new(memory.clone(), 3).unwrap_err();
    assert!(matches!(too_large, RingError::Memory(_)));
    for entries_log2 in [0, 16] {
        let error = CompletionRing::new(memory.clone(), entries_log2).unwrap_err();
        assert_eq!(error, RingError::Size { entries_log2 });
    }
}
