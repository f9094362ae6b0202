// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The hand-over of entries and completions under every order of memory accesses that the memory model allows.
//!
//! loom runs each model once for every interleaving and every value that a relaxed load may return. Ring memory is an
//! array of its atomics, as the rings see memory only through [`RingMemory`]; no special build is needed.

use std::sync::Arc;

use loom::sync::atomic::{AtomicU16, AtomicU64, Ordering, fence};
use loom::thread;
use sealgate_abi::{Completion, ENTRY_BYTES};
use sealgate_driver::memory::OutOfBounds;
use sealgate_driver::ring::{CompletionRing, RingMemory, SubmissionRing};

/// Two entries or completions: every second one stands where one stood before.
const LOG2: u8 = 1;
const ROUNDS: u16 = 3;

#[derive(Debug)]
struct Words(Vec<AtomicU64>);

impl Words {
    fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self((0..bytes / 8).map(|_| AtomicU64::new(0)).collect()))
    }
}

impl RingMemory for Words {
    fn size(&self) -> usize {
        8 * self.0.len()
    }

    fn write(&self, offset: usize, bytes: &[u8]) -> Result<(), OutOfBounds> {
        for (word, bytes) in self.0[offset / 8..].iter().zip(bytes.chunks_exact(8)) {
            let value = u64::from_le_bytes(bytes.try_into().expect("8 bytes"));
            word.store(value, Ordering::Relaxed);
        }
        Ok(())
    }

    fn publish(&self) {
        fence(Ordering::Release);
    }

    fn acquire(&self, offset: usize) -> Result<u64, OutOfBounds> {
        Ok(self.0[offset / 8].load(Ordering::Acquire))
    }

    fn load(&self, offset: usize) -> Result<u64, OutOfBounds> {
        Ok(self.0[offset / 8].load(Ordering::Relaxed))
    }
}

#[test]
fn a_device_that_saw_the_doorbell_sees_the_entries() {
    loom::model(|| {
        let memory = Words::new(ENTRY_BYTES << LOG2);
        let doorbell = Arc::new(AtomicU16::new(0));
        let device = {
            let (memory, doorbell) = (Arc::clone(&memory), Arc::clone(&doorbell));
            thread::spawn(move || {
                // The device's reads come after its register was written: that is its side of the order.
                let tail = doorbell.load(Ordering::Acquire);
                for index in 0..tail {
                    for word in [0, 7] {
                        let at = usize::from(index) * ENTRY_BYTES / 8 + word;
                        assert_eq!(memory.0[at].load(Ordering::Relaxed), pattern(index));
                    }
                }
            })
        };
        let mut ring = SubmissionRing::new(memory, LOG2).unwrap();
        for index in 0..2 {
            let words = [pattern(index); ENTRY_BYTES / 8];
            let mut entry = [0; ENTRY_BYTES];
            for (bytes, word) in entry.chunks_exact_mut(8).zip(words) {
                bytes.copy_from_slice(&word.to_le_bytes());
            }
            ring.write(&entry).unwrap();
            ring.publish(|tail| doorbell.store(tail, Ordering::Relaxed));
        }
        device.join().unwrap();
    });
}

#[test]
fn a_host_that_saw_the_phase_sees_the_whole_completion() {
    loom::model(|| {
        let memory = Words::new(Completion::BYTES << LOG2);
        let head = Arc::new(AtomicU16::new(0));
        let device = {
            let (memory, head) = (Arc::clone(&memory), Arc::clone(&head));
            thread::spawn(move || {
                for index in 0..ROUNDS {
                    while index - head.load(Ordering::Acquire) >= 1 << LOG2 {
                        thread::yield_now();
                    }
                    let words = completion(index);
                    let at = usize::from(index % 2) * 2;
                    memory.0[at].store(words[0], Ordering::Relaxed);
                    memory.0[at + 1].store(words[1], Ordering::Release);
                }
            })
        };
        let mut ring = CompletionRing::new(memory, LOG2).unwrap();
        let mut index = 0;
        while index < ROUNDS {
            match ring.take().unwrap() {
                Some(taken) => {
                    let expected = Completion::from_bytes(bytes(completion(index)));
                    assert_eq!(taken, expected);
                    index += 1;
                    ring.give_back(|taken| head.store(taken, Ordering::Release));
                }
                None => thread::yield_now(),
            }
        }
        device.join().unwrap();
    });
}

fn pattern(index: u16) -> u64 {
    0x0101_0101_0101_0101 * u64::from(index + 1)
}

/// A completion of the pass that `index` lies in, as the two words of its beat.
fn completion(index: u16) -> [u64; 2] {
    let status_phase = if (index >> LOG2).is_multiple_of(2) { Completion::PHASE } else { 0 };
    let completion = Completion {
        cookie: index,
        sq_head: index + 1,
        written: 7 + u32::from(index),
        consumed: 9 + u32::from(index),
        status_phase,
        ..Completion::default()
    };
    let bytes = completion.to_bytes();
    [0, 8].map(|at| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes")))
}

fn bytes(words: [u64; 2]) -> [u8; Completion::BYTES] {
    let mut bytes = [0; Completion::BYTES];
    for (bytes, word) in bytes.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}
