// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A fixed pool of DMA slots: room for the source and the destination of one operation each.
#![allow(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sealgate_abi::{
    Completion, MAX_FRAGMENT_BYTES, MAX_SEAL_BYTES, MAX_TLS12_RECORD_BYTES, Segments, Suite,
    TlsVersion,
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
    slots: Vec<Arc<Slot>>,
    free: Vec<u16>,
    /// Dropped with the pool, while buffers may still hold the memory itself.
    _mappings: [Mapping; 2],
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
        let sources = Mapping::allocate(transport, bytes, DmaAccess::Read)?;
        let destinations = Mapping::allocate(transport, bytes, DmaAccess::ReadWrite)?;
        let slot = |index: u16| {
            let offset = usize::from(index) * half_bytes;
            let half = |mapping: &Mapping| Half {
                memory: Arc::clone(mapping.memory()),
                iova: mapping.iova().offset(offset),
                offset,
                size: half_bytes,
            };
            Arc::new(Slot {
                index,
                source: half(&sources),
                destination: half(&destinations),
                words: Default::default(),
                ended: AtomicBool::new(false),
            })
        };
        Ok(Self {
            slots: (0..slots).map(slot).collect(),
            free: (0..slots).rev().collect(),
            _mappings: [sources, destinations],
        })
    }

    /// Takes a slot, if one is free.
    pub(crate) fn take(&mut self) -> Option<Arc<Slot>> {
        let index = self.free.pop()?;
        self.slots.get(usize::from(index)).map(Arc::clone)
    }

    /// Whether less than a quarter of the slots are free.
    pub(crate) fn are_scarce(&self) -> bool {
        self.free.len() < self.slots.len() / 4
    }

    pub(crate) fn get(&self, index: u16) -> Option<&Slot> {
        self.slots.get(usize::from(index)).map(|slot| &**slot)
    }

    /// Takes a slot back that nobody has any more.
    pub(crate) fn wipe_and_put(&mut self, index: u16, plaintext: Plaintext) {
        if let Some(slot) = self.slots.get(usize::from(index)) {
            slot.wipe(plaintext);
            self.free.push(index);
        }
    }
}

/// How many of the first bytes of a slot's halves may be plaintext, which has to be wiped; records need not.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Plaintext {
    pub(crate) source: u32,
    pub(crate) destination: u32,
}

/// Memory for one operation on its way. Handed out once at a time.
#[derive(Debug)]
pub(crate) struct Slot {
    index: u16,
    /// What the device reads.
    pub(crate) source: Half,
    /// Where the device writes.
    pub(crate) destination: Half,
    /// Its completion, once its operation has ended: looked at without a lock.
    words: [AtomicU64; 2],
    ended: AtomicBool,
}

impl Slot {
    pub(crate) fn index(&self) -> u16 {
        self.index
    }

    /// Its operation begins.
    pub(crate) fn begin(&self) {
        self.ended.store(false, Ordering::Relaxed);
    }

    /// Its operation has ended.
    pub(crate) fn end(&self, completion: Completion) {
        let words: [u64; 2] = bytemuck::cast(completion.to_bytes());
        for (place, word) in self.words.iter().zip(words) {
            place.store(word, Ordering::Relaxed);
        }
        self.ended.store(true, Ordering::Release);
    }

    /// How its operation has ended, once it has.
    pub(crate) fn completion(&self) -> Option<Completion> {
        if !self.ended.load(Ordering::Acquire) {
            return None;
        }
        let words = [0, 1].map(|word: usize| self.words[word].load(Ordering::Relaxed));
        Some(Completion::from_bytes(bytemuck::cast(words)))
    }

    /// Overwrites what may be plaintext.
    pub(crate) fn wipe(&self, plaintext: Plaintext) {
        self.source.wipe(plaintext.source as usize);
        self.destination.wipe(plaintext.destination as usize);
    }
}

/// One half of a slot.
#[derive(Debug)]
pub(crate) struct Half {
    memory: Arc<DmaMemory>,
    iova: Iova,
    offset: usize,
    size: usize,
}

impl Half {
    pub(crate) fn iova(&self) -> u64 {
        self.iova.0
    }

    /// Bytes that it has room for.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Copies bytes in.
    pub(crate) fn write(&self, offset: usize, bytes: &[u8]) -> Result<(), OutOfBounds> {
        self.bounded(offset, bytes.len())?;
        self.memory.write(self.offset + offset, bytes)
    }

    /// The first `len` bytes.
    ///
    /// # Safety
    ///
    /// The half must be the host's, named by no entry in flight, and nobody may write it meanwhile.
    pub(crate) unsafe fn bytes(&self, len: usize) -> Result<&[u8], OutOfBounds> {
        self.bounded(0, len)?;
        // SAFETY: a slot is handed out once, so no other half has this range; the rest is the caller's promise.
        unsafe { self.memory.slice(self.offset, len) }
    }

    /// The bytes from `start` on, to write.
    ///
    /// # Safety
    ///
    /// The half must be the host's, named by no entry in flight, and nobody may read or write it meanwhile.
    #[expect(clippy::mut_from_ref, reason = "the caller promises that the range is its own")]
    pub(crate) unsafe fn bytes_mut(&self, start: usize) -> Result<&mut [u8], OutOfBounds> {
        let len = self.size.saturating_sub(start);
        // SAFETY: as in `bytes`.
        unsafe { self.memory.slice_mut(self.offset + start.min(self.size), len) }
    }

    fn wipe(&self, len: usize) {
        if len > 0 {
            let _ = self.memory.wipe(self.offset, len.min(self.size));
        }
    }

    /// Whether a range lies inside.
    pub(crate) fn bounded(&self, offset: usize, len: usize) -> Result<(), OutOfBounds> {
        match offset.checked_add(len) {
            Some(end) if end <= self.size => Ok(()),
            _ => Err(OutOfBounds { offset, len, size: self.size }),
        }
    }
}
