// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The two rings of a queue pair, without input or output: no clock, no file descriptor, no register.
//!
//! Everything that the order of memory accesses decides about the protocol stands in this file.
//!
//! - To the device: entries are written, then [`RingMemory::publish`], then the doorbell. The barrier keeps a device that
//!   has seen the doorbell from fetching what stood in the ring before.
//! - From the device: a completion is new when its phase bit is that of the pass that the host is in. Phase and status
//!   are the last byte of a completion, which the device writes in one beat, so the word that holds them is read first,
//!   with [`RingMemory::acquire`], and the other word after it. Read the other way round, the first word could be that of
//!   the pass before.
//!
//! Indices are kept in host memory and never read back from the ring. What the device says about its own position is
//! bounded before it is used.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use sealgate_abi::{Completion, ENTRY_BYTES, SubmissionEntry};

use crate::memory::{DmaMemory, OutOfBounds, dma_read_barrier, dma_write_barrier};

/// log2 of the largest ring, in entries: indices are 16 bits wide and a full ring must differ from an empty one.
pub const RING_LOG2_MAX: u8 = 15;

/// Memory that a ring stands in. Offsets are in bytes; every access may race with the device.
pub trait RingMemory {
    /// Size in bytes.
    fn size(&self) -> usize;

    /// Copies bytes in.
    fn write(&self, offset: usize, bytes: &[u8]) -> Result<(), OutOfBounds>;

    /// Orders every write before it ahead of every later one, as the device sees them.
    fn publish(&self);

    /// Reads an aligned little-endian word, ordered ahead of every later read.
    fn acquire(&self, offset: usize) -> Result<u64, OutOfBounds>;

    /// Reads an aligned little-endian word.
    fn load(&self, offset: usize) -> Result<u64, OutOfBounds>;
}

impl RingMemory for DmaMemory {
    fn size(&self) -> usize {
        self.len()
    }

    fn write(&self, offset: usize, bytes: &[u8]) -> Result<(), OutOfBounds> {
        Self::write(self, offset, bytes)
    }

    fn publish(&self) {
        dma_write_barrier();
    }

    fn acquire(&self, offset: usize) -> Result<u64, OutOfBounds> {
        let word = self.load_u64(offset, Ordering::Acquire)?;
        dma_read_barrier();
        Ok(word)
    }

    fn load(&self, offset: usize) -> Result<u64, OutOfBounds> {
        self.load_u64(offset, Ordering::Relaxed)
    }
}

impl<M: RingMemory + ?Sized> RingMemory for Arc<M> {
    fn size(&self) -> usize {
        (**self).size()
    }

    fn write(&self, offset: usize, bytes: &[u8]) -> Result<(), OutOfBounds> {
        (**self).write(offset, bytes)
    }

    fn publish(&self) {
        (**self).publish();
    }

    fn acquire(&self, offset: usize) -> Result<u64, OutOfBounds> {
        (**self).acquire(offset)
    }

    fn load(&self, offset: usize) -> Result<u64, OutOfBounds> {
        (**self).load(offset)
    }
}

/// The host's end of a submission ring. The memory is zeroed or holds entries of no meaning when it begins.
#[derive(Debug)]
pub struct SubmissionRing<M> {
    memory: M,
    mask: u16,
    /// Behind the last entry that the device has taken, as far as the host was told.
    head: u16,
    /// Behind the last entry that was written.
    tail: u16,
    /// Behind the last entry with a secret, while there is one in the ring.
    secrets: Option<u16>,
}

impl<M: RingMemory> SubmissionRing<M> {
    /// A ring of 2^`entries_log2` entries at the start of `memory`.
    pub fn new(memory: M, entries_log2: u8) -> Result<Self, RingError> {
        let mask = mask_of(&memory, entries_log2, ENTRY_BYTES)?;
        Ok(Self { memory, mask, head: 0, tail: 0, secrets: None })
    }

    /// Entries that can be written now.
    pub fn room(&self) -> u16 {
        self.mask + 1 - self.tail.wrapping_sub(self.head)
    }

    /// Free-running index of the entry that is written next.
    pub fn tail(&self) -> u16 {
        self.tail
    }

    /// Writes one entry. The device must not look at it before [`Self::publish`].
    pub fn write(&mut self, entry: &SubmissionEntry) -> Result<(), RingError> {
        if self.room() == 0 {
            return Err(RingError::Full);
        }
        self.memory.write(self.offset(self.tail), entry)?;
        self.tail = self.tail.wrapping_add(1);
        Ok(())
    }

    /// Writes an entry that holds a secret: its place is wiped when the device has taken it.
    pub fn write_secret(&mut self, entry: &SubmissionEntry) -> Result<(), RingError> {
        self.write(entry)?;
        self.secrets = Some(self.tail);
        Ok(())
    }

    /// Hands everything that was written over to the device: `doorbell` gets the tail.
    pub fn publish(&self, doorbell: impl FnOnce(u16)) {
        self.memory.publish();
        doorbell(self.tail);
    }

    /// The device says that it has taken every entry before `head`. Takes their places back, and wipes them up to the last
    /// that holds a secret. Returns how many there were.
    pub fn release(&mut self, head: u16) -> Result<u16, RingError> {
        let taken = head.wrapping_sub(self.head);
        if taken > self.tail.wrapping_sub(self.head) {
            return Err(RingError::Head { head });
        }
        if let Some(secrets) = self.secrets {
            while self.head != head && self.head != secrets {
                self.memory.write(self.offset(self.head), &[0; ENTRY_BYTES])?;
                self.head = self.head.wrapping_add(1);
            }
            self.secrets = self.secrets.filter(|&secrets| secrets != self.head);
        }
        self.head = head;
        Ok(taken)
    }

    fn offset(&self, index: u16) -> usize {
        usize::from(index & self.mask) * ENTRY_BYTES
    }
}

/// The host's end of a completion ring. The memory is zeroed when it begins.
#[derive(Debug)]
pub struct CompletionRing<M> {
    memory: M,
    mask: u16,
    /// Of the completion that is taken next.
    head: u16,
    /// What the device was told last.
    returned: u16,
}

impl<M: RingMemory> CompletionRing<M> {
    /// A ring of 2^`entries_log2` completions at the start of `memory`.
    pub fn new(memory: M, entries_log2: u8) -> Result<Self, RingError> {
        let mask = mask_of(&memory, entries_log2, Completion::BYTES)?;
        Ok(Self { memory, mask, head: 0, returned: 0 })
    }

    /// Takes the next completion, if the device has written it.
    ///
    /// It is what stood in memory: nothing in it has been checked but the phase.
    pub fn take(&mut self) -> Result<Option<Completion>, RingError> {
        let offset = usize::from(self.head & self.mask) * Completion::BYTES;
        let last = self.memory.acquire(offset + 8)?;
        let mut bytes = [0; Completion::BYTES];
        bytes[8..].copy_from_slice(&last.to_le_bytes());
        if Completion::from_bytes(bytes).phase() != self.phase() {
            return Ok(None);
        }
        bytes[..8].copy_from_slice(&self.memory.load(offset)?.to_le_bytes());
        self.head = self.head.wrapping_add(1);
        Ok(Some(Completion::from_bytes(bytes)))
    }

    /// Gives the places of taken completions back to the device: `doorbell` gets the new head, once a quarter of the ring
    /// has been taken since the last time. A device that waits for a place has written the rest of the ring, and taking
    /// that reaches the quarter, so nothing waits for ever.
    pub fn give_back(&mut self, doorbell: impl FnOnce(u16)) {
        let taken = self.head.wrapping_sub(self.returned);
        if taken > self.mask / 4 {
            self.returned = self.head;
            doorbell(self.head);
        }
    }

    /// The phase of the pass that the host is in: 1 in the first.
    fn phase(&self) -> bool {
        self.head & (self.mask + 1) == 0
    }
}

fn mask_of(
    memory: &impl RingMemory,
    entries_log2: u8,
    entry_bytes: usize,
) -> Result<u16, RingError> {
    if entries_log2 == 0 || entries_log2 > RING_LOG2_MAX {
        return Err(RingError::Size { entries_log2 });
    }
    let bytes = entry_bytes << entries_log2;
    if memory.size() < bytes {
        return Err(OutOfBounds { offset: 0, len: bytes, size: memory.size() }.into());
    }
    Ok((1 << entries_log2) - 1)
}

/// A ring could not do what was asked, or the device said what cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    /// There is no room for the entry or the batch.
    #[error("the submission ring is full; reap completions first")]
    Full,
    /// The device says that it has taken entries that were never written.
    #[error("the device says that it took submission entries up to {head}, which were not written")]
    Head {
        /// The index that the device gave.
        head: u16,
    },
    /// Not the size of a ring.
    #[error("a ring cannot have 2^{entries_log2} entries; choose 2^1 to 2^15")]
    Size {
        /// log2 of the size asked for.
        entries_log2: u8,
    },
    /// The ring does not fit its memory.
    #[error(transparent)]
    Memory(#[from] OutOfBounds),
}
