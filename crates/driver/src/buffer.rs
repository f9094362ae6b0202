// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A DMA slot on loan.

use std::fmt;
use std::sync::Arc;
use std::task::{Poll, Waker};

use sealgate_abi::{Direction, Opcode, RecordEntry};

use crate::error::DeviceError;
use crate::memory::OutOfBounds;
use crate::monitor::Generation;
use crate::shared::{Outcome, SharedQueue};
use crate::slots::Slot;

/// Memory for one operation: a source that the device reads, and a destination that it writes.
///
/// Wiped and given back when dropped. If the device may still use it then, that is done when the device is through with
/// it, or has been reset.
pub struct Buffer {
    queue: Arc<SharedQueue>,
    generation: Generation,
    slot: Slot,
    with_device: bool,
}

impl Buffer {
    pub(crate) fn new(queue: &Arc<SharedQueue>, generation: Generation, slot: Slot) -> Self {
        Self { queue: Arc::clone(queue), generation, slot, with_device: false }
    }

    /// Bytes that the source has room for.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.slot.source.size()
    }

    /// Bytes at the source, as [`Self::append`] and [`Self::fill`] have put them there.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slot.source.used()
    }

    /// Whether nothing is at the source.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies bytes behind those at the source.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), DeviceError> {
        self.slot.source.append(bytes).map_err(out_of_slot)
    }

    /// The free part of the source, for a socket to read into; what it wrote there counts with [`Self::fill`].
    pub fn spare(&mut self) -> &mut [u8] {
        let used = self.slot.source.used();
        // A buffer that somebody can call this on is the host's: `Sealing` and `Opening` lend none that is under way.
        self.slot.source.bytes_mut().map_or(&mut [], |bytes| &mut bytes[used..])
    }

    /// Counts `bytes` more at the source.
    pub fn fill(&mut self, bytes: usize) -> Result<(), DeviceError> {
        let used = self.slot.source.used().saturating_add(bytes);
        self.slot.source.reserve(used).map_err(out_of_slot)
    }

    /// The bytes at the source.
    #[must_use]
    pub fn source(&self) -> &[u8] {
        self.slot.source.bytes(self.len()).unwrap_or(&[])
    }

    /// The first bytes at the destination; none while the device may write there.
    pub(crate) fn destination(&self, len: usize) -> &[u8] {
        if self.with_device {
            return &[];
        }
        self.slot.destination.bytes(len).unwrap_or(&[])
    }

    /// An operation on bytes of the source, with room for `room` bytes at the destination.
    pub(crate) fn entry(
        &mut self,
        opcode: Opcode,
        sequence: u64,
        start: usize,
        room: usize,
    ) -> Result<RecordEntry, DeviceError> {
        self.slot.destination.reserve(room).map_err(out_of_slot)?;
        Ok(RecordEntry {
            opcode: opcode as u8,
            sequence,
            source: self.slot.source.iova() + start as u64,
            length: self.len().saturating_sub(start) as u32,
            destination: self.slot.destination.iova(),
            capacity: room as u32,
            ..RecordEntry::default()
        })
    }

    /// How the operation that was started on it has ended.
    pub(crate) fn poll(
        &mut self,
        direction: Direction,
        waker: &Waker,
    ) -> Poll<Result<Outcome, DeviceError>> {
        let polled = self.queue.poll(self.generation, self.slot.index(), direction, waker);
        if matches!(polled, Poll::Ready(Ok(_))) {
            self.with_device = false;
        }
        polled
    }

    pub(crate) fn queue(&self) -> &Arc<SharedQueue> {
        &self.queue
    }

    pub(crate) fn slot(&self) -> &Slot {
        &self.slot
    }

    pub(crate) fn generation(&self) -> Generation {
        self.generation
    }

    /// The device may use it from now on.
    pub(crate) fn is_with_device(&mut self) {
        self.with_device = true;
    }

    /// The device is done with it.
    pub(crate) fn is_back(&mut self) {
        self.with_device = false;
    }

    /// Marks the device as failed because of what it has written.
    pub(crate) fn inconsistent(&self, what: &'static str) -> DeviceError {
        self.queue.inconsistent(self.generation, what)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.queue.give_back(self.generation, &mut self.slot, self.with_device);
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer")
            .field("queue", &self.queue.index())
            .field("len", &self.len())
            .field("with_device", &self.with_device)
            .finish_non_exhaustive()
    }
}

/// Slots fit the largest record; more content than [`crate::Settings::slot_content_bytes`], or many short records of it,
/// may not fit.
pub(crate) fn out_of_slot(_: OutOfBounds) -> DeviceError {
    DeviceError::InvalidArgument { what: "the records do not fit a DMA slot" }
}
