// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A fixed pool of DMA slots: room for the source and the destination of one operation each.
#![allow(unsafe_code)]

use std::sync::Arc;

use sealgate_abi::{
    MAX_FRAGMENT_BYTES, MAX_SEAL_BYTES, MAX_TLS12_RECORD_BYTES, Segments, Suite, TlsVersion,
};

use crate::dma::Mapping;
use crate::error::OpenError;
use crate::memory::{DmaMemory, OutOfBounds};
use crate::transport::{DmaAccess, Iova, Transport};

/// Bytes of each half of a slot for `content` bytes: as plaintext and as records, in whole pages, so that no two slots
/// share one.
fn half_bytes(content: u32) -> usize {
    let content = (content as usize).clamp(MAX_FRAGMENT_BYTES, MAX_SEAL_BYTES);
    // No other version and suite adds more to the content.
    let records = Segments::of(TlsVersion::Tls12, Suite::Aes128Gcm, content, 0, 0).bytes;
    records.max(MAX_TLS12_RECORD_BYTES).next_multiple_of(4096)
}

/// The slots of one queue. Sources and destinations are mapped apart: a device cannot write a source.
#[derive(Debug)]
pub(crate) struct SlotPool {
    sources: Mapping,
    destinations: Mapping,
    half_bytes: usize,
    free: Vec<u16>,
}

impl SlotPool {
    /// `slots` of them, each for `content` bytes.
    pub(crate) fn allocate(
        transport: &Arc<dyn Transport>,
        slots: u16,
        content: u32,
    ) -> Result<Self, OpenError> {
        let half_bytes = half_bytes(content);
        let bytes = usize::from(slots) * half_bytes;
        Ok(Self {
            half_bytes,
            sources: Mapping::allocate(transport, bytes, DmaAccess::Read)?,
            destinations: Mapping::allocate(transport, bytes, DmaAccess::ReadWrite)?,
            free: (0..slots).rev().collect(),
        })
    }

    /// Takes a slot, if one is free.
    pub(crate) fn take(&mut self) -> Option<Slot> {
        let index = self.free.pop()?;
        let offset = usize::from(index) * self.half_bytes;
        let half = |mapping: &Mapping| Half {
            memory: Arc::clone(mapping.memory()),
            iova: mapping.iova().offset(offset),
            offset,
            size: self.half_bytes,
            used: 0,
        };
        Some(Slot { index, source: half(&self.sources), destination: half(&self.destinations) })
    }

    /// Takes back a slot that nobody has any more, wiped as far as it was used.
    pub(crate) fn put_back(&mut self, slot: u16, used: Used) {
        let offset = usize::from(slot) * self.half_bytes;
        // In bounds: these are the lengths that the slot's halves have checked.
        let _ = self.sources.memory().wipe(offset, used.source);
        let _ = self.destinations.memory().wipe(offset, used.destination);
        self.put(slot);
    }

    /// Takes a wiped slot back.
    pub(crate) fn put(&mut self, index: u16) {
        self.free.push(index);
    }
}

/// How much of a slot may hold what has to be wiped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    source: usize,
    destination: usize,
}

/// Memory for one operation on its way.
#[derive(Debug)]
pub(crate) struct Slot {
    index: u16,
    /// What the device reads.
    pub(crate) source: Half,
    /// Where the device writes.
    pub(crate) destination: Half,
}

impl Slot {
    pub(crate) fn index(&self) -> u16 {
        self.index
    }

    /// Bytes that the host wrote, and bytes that the device was allowed to write.
    pub(crate) fn used(&self) -> Used {
        Used { source: self.source.used, destination: self.destination.used }
    }

    /// Overwrites what the host wrote and what the device was allowed to write.
    pub(crate) fn wipe(&mut self) {
        self.source.wipe();
        self.destination.wipe();
    }
}

/// One half of a slot.
#[derive(Debug)]
pub(crate) struct Half {
    memory: Arc<DmaMemory>,
    iova: Iova,
    offset: usize,
    size: usize,
    used: usize,
}

impl Half {
    pub(crate) fn iova(&self) -> u64 {
        self.iova.0
    }

    /// Bytes that hold something: written by the host, or reserved for the device.
    pub(crate) fn used(&self) -> usize {
        self.used
    }

    /// Appends bytes.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), OutOfBounds> {
        self.bounded(self.used, bytes.len())?;
        self.memory.write(self.offset + self.used, bytes)?;
        self.used += bytes.len();
        Ok(())
    }

    /// Sets aside `len` bytes for the device to write.
    pub(crate) fn reserve(&mut self, len: usize) -> Result<(), OutOfBounds> {
        self.bounded(0, len)?;
        self.used = len;
        Ok(())
    }

    /// Bytes that it has room for.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The first `len` bytes. The half must be the host's: named by no entry in flight.
    pub(crate) fn bytes(&self, len: usize) -> Result<&[u8], OutOfBounds> {
        self.bounded(0, len)?;
        // SAFETY: a slot is handed out once, so no other half has this range; it is the host's, as the caller sees to
        // (`Buffer` lends slices only while it is not with the device); and who writes it borrows the half for that.
        unsafe { self.memory.slice(self.offset, len) }
    }

    /// All of it, to write. The half must be the host's. What is written counts with [`Self::reserve`].
    pub(crate) fn bytes_mut(&mut self) -> Result<&mut [u8], OutOfBounds> {
        // SAFETY: as in `bytes`; and the half is borrowed for as long as the slice lives.
        unsafe { self.memory.slice_mut(self.offset, self.size) }
    }

    fn wipe(&mut self) {
        // In bounds, as `append` and `reserve` have checked.
        let _ = self.memory.wipe(self.offset, self.used);
        self.used = 0;
    }

    fn bounded(&self, offset: usize, len: usize) -> Result<(), OutOfBounds> {
        match offset.checked_add(len) {
            Some(end) if end <= self.size => Ok(()),
            _ => Err(OutOfBounds { offset, len, size: self.size }),
        }
    }
}
