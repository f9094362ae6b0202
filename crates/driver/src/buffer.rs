// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A DMA slot on loan.
#![allow(unsafe_code)]

use std::fmt;
use std::sync::Arc;
use std::task::{Poll, Waker};

use sealgate_abi::{Direction, Opcode, RecordEntry};

use crate::error::{DeviceError, Failure};
use crate::memory::OutOfBounds;
use crate::monitor::Generation;
use crate::shared::{Outcome, SharedQueue};
use crate::slots::{Plaintext, Slot};

/// Memory for one operation: a source that the device reads, and a destination that it writes.
///
/// Wiped and given back when dropped. If the device may still use it then, that is done when the device is through with
/// it, or has been reset.
pub struct Buffer {
    queue: Arc<SharedQueue>,
    generation: Generation,
    slot: Arc<Slot>,
    /// Bytes at the source.
    len: u32,
    plaintext: Plaintext,
    with_device: bool,
}

impl Buffer {
    pub(crate) fn new(queue: &Arc<SharedQueue>, generation: Generation, slot: Arc<Slot>) -> Self {
        let (queue, plaintext) = (Arc::clone(queue), Plaintext::default());
        Self { queue, generation, slot, len: 0, plaintext, with_device: false }
    }

    /// Bytes that the source has room for.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.slot.source.size()
    }

    /// Bytes at the source, as [`Self::append`] and [`Self::fill`] have put them there.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether nothing is at the source.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Copies content behind what is at the source.
    pub fn append(&mut self, content: &[u8]) -> Result<(), DeviceError> {
        if self.with_device {
            return Err(with_device());
        }
        self.slot.source.write(self.len(), content).map_err(out_of_slot)?;
        self.len += content.len() as u32;
        self.plaintext.source = self.plaintext.source.max(self.len);
        Ok(())
    }

    /// The free part of the source, for a socket to read records into; what it wrote there counts with [`Self::fill`].
    pub fn spare(&mut self) -> &mut [u8] {
        if self.with_device {
            return &mut [];
        }
        // SAFETY: the buffer is the host's: no entry in flight names it; and it is borrowed for as long as the slice lives.
        unsafe { self.slot.source.bytes_mut(self.len()) }.unwrap_or(&mut [])
    }

    /// Counts `bytes` more of records at the source.
    pub fn fill(&mut self, bytes: usize) -> Result<(), DeviceError> {
        self.slot.source.bounded(self.len(), bytes).map_err(out_of_slot)?;
        self.len += bytes as u32;
        Ok(())
    }

    /// Forgets what is at the source behind the first `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(u32::try_from(len).unwrap_or(u32::MAX));
    }

    /// The bytes at the source.
    #[must_use]
    pub fn source(&self) -> &[u8] {
        // SAFETY: no device writes a source, it is mapped for reading only; and whoever writes it here borrows the buffer
        // for that.
        unsafe { self.slot.source.bytes(self.len()) }.unwrap_or(&[])
    }

    /// The first bytes at the destination; none while the device may write there.
    pub(crate) fn destination(&self, len: usize) -> &[u8] {
        if self.with_device {
            return &[];
        }
        // SAFETY: the buffer is the host's: the entry that named it has completed.
        unsafe { self.slot.destination.bytes(len) }.unwrap_or(&[])
    }

    /// An operation on bytes of the source, with room for `room` bytes at the destination.
    pub(crate) fn entry(
        &mut self,
        opcode: Opcode,
        sequence: u64,
        start: usize,
        room: usize,
    ) -> Result<RecordEntry, DeviceError> {
        if self.with_device {
            return Err(with_device());
        }
        self.slot.destination.bounded(0, room).map_err(out_of_slot)?;
        if opcode != Opcode::Seal {
            self.plaintext.destination = self.plaintext.destination.max(room as u32);
        }
        Ok(RecordEntry {
            opcode: opcode as u8,
            sequence,
            source: self.slot.source.iova() + start as u64,
            length: self.len.saturating_sub(start as u32),
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
        let completion = match self.slot.completion() {
            Some(completion) => completion,
            None => match self.queue.wait_for(self.generation, &self.slot, waker) {
                Ok(Some(completion)) => completion,
                Ok(None) => return Poll::Pending,
                // It was this operation, or one of others like it, that did not complete.
                Err(DeviceError::Failed(Failure::Timeout { queue, waited_ms })) => {
                    return Poll::Ready(Err(DeviceError::Timeout { queue, waited_ms }));
                }
                Err(error) => return Poll::Ready(Err(error)),
            },
        };
        self.with_device = false;
        Poll::Ready(self.queue.judge(self.generation, completion, direction))
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
        let plaintext = if self.with_device {
            self.plaintext
        } else {
            self.slot.wipe(self.plaintext);
            Plaintext::default()
        };
        self.queue.give_back(self.generation, self.slot.index(), plaintext);
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

fn with_device() -> DeviceError {
    DeviceError::InvalidArgument { what: "the device still has the buffer" }
}

/// Slots fit the largest record; more content than [`crate::Settings::slot_content_bytes`], or many short records of it,
/// may not fit.
pub(crate) fn out_of_slot(_: OutOfBounds) -> DeviceError {
    DeviceError::InvalidArgument { what: "the records do not fit a DMA slot" }
}
