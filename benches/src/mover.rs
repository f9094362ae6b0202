// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A device that moves entries and does no cryptography: it takes SEAL entries, writes the headers of their records and
//! their completions, and no more. What is left of an operation is what the host spends on it.
//!
//! It works when it is told to, by [`Mover::work`], so that what it does can be left out of what is measured.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use sealgate_abi::regs::{self, Page, QUEUES, Register, RegisterInfo, RegisterIo};
use sealgate_abi::{
    Completion, ENTRY_BYTES, MAX_FRAGMENT_BYTES, Opcode, RECORD_HEADER_BYTES, RecordEntry,
    Segments, Suite, TlsVersion,
};
use sealgate_driver::memory::DmaMemory;
use sealgate_driver::transport::{DmaAccess, Iova, Transport, TransportError};

const REGISTERS: usize = regs::REGISTER_BYTES as usize / 4;

/// The device.
pub struct Mover {
    registers: Vec<AtomicU32>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    mappings: BTreeMap<u64, Arc<DmaMemory>>,
    next_iova: u64,
    queues: [Heads; QUEUES],
}

#[derive(Clone, Copy, Default)]
struct Heads {
    sq_head: u16,
    cq_tail: u16,
}

impl Mover {
    /// A device that has passed its self test.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let registers = (0..REGISTERS).map(|_| AtomicU32::new(0)).collect();
        let mover = Arc::new(Self { registers, state: Mutex::default() });
        mover.set_up();
        mover
    }

    fn set_up(&self) {
        for info in regs::REGISTERS {
            self.register(info.address()).store(info.reset, Ordering::Relaxed);
        }
        let shape = regs::Shape::default()
            .with_lanes(1)
            .with_bus_bytes(64)
            .with_queues(QUEUES as u8)
            .with_contexts_log2(10)
            .with_ring_log2_max(15);
        let features = regs::Features::default()
            .with_aes_128_gcm(true)
            .with_tls13(true)
            .with_segmentation(true);
        // Ready, and the self test has passed.
        let status = regs::SelftestState::Passed as u32 | 4;
        for (offset, value) in [
            (regs::Shape::OFFSET, shape.bits()),
            (regs::Features::OFFSET, features.bits()),
            (regs::SealMax::OFFSET, 1 << 20),
            (regs::Status::OFFSET, status),
        ] {
            self.register(Page::Device.base() + offset).store(value, Ordering::Relaxed);
        }
        self.lock().queues = <[Heads; QUEUES]>::default();
    }

    /// Takes every entry that a doorbell was rung for, and completes it.
    #[inline(never)]
    pub fn work(&self) {
        let mut state = self.lock();
        for queue in 0..QUEUES {
            while state.queues[queue].sq_head != self.queue(queue, regs::SqTail::OFFSET) as u16 {
                self.complete(&mut state, queue);
            }
        }
    }

    fn complete(&self, state: &mut State, queue: usize) {
        let wide = |low, high| {
            u64::from(self.queue(queue, high)) << 32 | u64::from(self.queue(queue, low))
        };
        let size = regs::RingSize::from_bits(self.queue(queue, regs::RingSize::OFFSET));
        let Heads { sq_head, cq_tail } = state.queues[queue];
        let place = u64::from(sq_head & ((1 << size.sq_log2()) - 1)) * ENTRY_BYTES as u64;
        let mut bytes = [0; ENTRY_BYTES];
        let base = wide(regs::SqBaseLo::OFFSET, regs::SqBaseHi::OFFSET);
        state.dma(base + place, |memory, offset| memory.read(offset, &mut bytes));
        let entry = RecordEntry::from_bytes(bytes);

        let phase = if cq_tail & (1 << size.cq_log2()) == 0 { Completion::PHASE } else { 0 };
        let common = Completion {
            cookie: entry.cookie,
            sq_head: sq_head.wrapping_add(1),
            status_phase: phase,
            ..Completion::default()
        };
        let completion = if entry.opcode == Opcode::Seal as u8 {
            Completion {
                written: state.write_headers(&entry),
                consumed: entry.length,
                records: records_of(&entry) as u16,
                content_type: entry.content_type,
                ..common
            }
        } else {
            common
        };
        let place = u64::from(cq_tail & ((1 << size.cq_log2()) - 1)) * Completion::BYTES as u64;
        let base = wide(regs::CqBaseLo::OFFSET, regs::CqBaseHi::OFFSET);
        let bytes = completion.to_bytes();
        state.dma(base + place, |memory, offset| memory.write(offset, &bytes));
        state.queues[queue] =
            Heads { sq_head: sq_head.wrapping_add(1), cq_tail: cq_tail.wrapping_add(1) };
    }

    fn queue(&self, queue: usize, offset: u32) -> u32 {
        self.read32(Page::Queue(queue as u8).base() + offset)
    }

    fn register(&self, address: u32) -> &AtomicU32 {
        &self.registers[address as usize / 4 % REGISTERS]
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn records_of(entry: &RecordEntry) -> usize {
    segments(entry.length as usize, entry.fragment_limit).records
}

fn segments(length: usize, fragment_limit: u16) -> Segments {
    Segments::of(TlsVersion::Tls13, Suite::Aes128Gcm, length, fragment_limit, 0)
}

impl State {
    /// Writes the header of each record; returns the bytes of all records.
    fn write_headers(&self, entry: &RecordEntry) -> u32 {
        let limit = match entry.fragment_limit {
            0 => MAX_FRAGMENT_BYTES,
            limit => usize::from(limit),
        };
        let (mut left, mut place) = (entry.length as usize, entry.destination);
        for _ in 0..records_of(entry) {
            let content = left.min(limit);
            let bytes = segments(content, 0).bytes;
            let [high, low] = ((bytes - RECORD_HEADER_BYTES) as u16).to_be_bytes();
            let header = [23, 3, 3, high, low];
            self.dma(place, |memory, offset| memory.write(offset, &header));
            place += bytes as u64;
            left -= content;
        }
        (place - entry.destination) as u32
    }

    fn dma<E>(&self, iova: u64, access: impl FnOnce(&DmaMemory, usize) -> Result<(), E>) {
        if let Some((start, memory)) = self.mappings.range(..=iova).next_back() {
            // The driver hands out no address that is not mapped.
            let _ = access(memory, (iova - start) as usize);
        }
    }
}

impl RegisterIo for Mover {
    fn read32(&self, offset: u32) -> u32 {
        self.register(offset).load(Ordering::Relaxed)
    }

    fn write32(&self, offset: u32, value: u32) {
        let Some(info) = RegisterInfo::at(offset) else { return };
        self.register(offset).store(value & info.stored(), Ordering::Relaxed);
    }
}

impl Transport for Mover {
    fn address(&self) -> &'static str {
        "mover"
    }

    fn is_simulated(&self) -> bool {
        true
    }

    fn completion_timeout(&self) -> Duration {
        Duration::from_secs(3600)
    }

    fn map(&self, memory: &Arc<DmaMemory>, _: DmaAccess) -> Result<Iova, TransportError> {
        let mut state = self.lock();
        let iova = state.next_iova;
        state.next_iova += memory.len() as u64;
        state.mappings.insert(iova, Arc::clone(memory));
        Ok(Iova(iova))
    }

    fn unmap(&self, iova: Iova) -> Result<(), TransportError> {
        match self.lock().mappings.remove(&iova.0) {
            Some(_) => Ok(()),
            None => Err(TransportError::NotMapped { address: self.address().to_owned(), iova }),
        }
    }

    /// It sends none: whoever measures polls.
    fn wait_for_interrupt(&self, _: usize, timeout: Duration) -> Result<bool, TransportError> {
        thread::sleep(timeout);
        Ok(false)
    }

    fn reset(&self) -> Result<(), TransportError> {
        self.set_up();
        Ok(())
    }
}

impl fmt::Debug for Mover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mover").finish_non_exhaustive()
    }
}
