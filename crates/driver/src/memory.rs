// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Memory that host and device share.
//!
//! The rings are never behind a Rust reference: the device may write them at any time, so bytes are copied in and out
//! through raw pointers, and the words that carry the protocol's hand-over (the phase of a completion) are atomics.
//! Buffers change hands as a whole. Only while one is the host's, named by no entry in flight, is it lent as a slice, so
//! that sockets can read and write it in place.
#![allow(unsafe_code)]

use std::fmt;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, fence};

use memmap2::{Advice, MmapOptions, MmapRaw};
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};

use crate::sigbus::{Guard, Substitute};

/// An ordinary page.
pub(crate) const PAGE_BYTES: usize = 4096;

/// Huge pages keep an IOMMU's work small, and are in one piece.
pub(crate) const HUGE_PAGE_BYTES: usize = 2 << 20;

/// A page-aligned, zeroed block of shared memory, backed by a memfd so that other processes (a virtual machine, a
/// device server) can map it too. Wiped when dropped, unless it is another's.
pub struct DmaMemory {
    /// Another may cut its file short. Dropped before the mapping.
    guard: Option<Guard>,
    map: MmapRaw,
    file: File,
    page_bytes: usize,
}

impl DmaMemory {
    /// Allocates at least `bytes`, rounded up to whole pages: huge ones if one is filled and the system has some to give,
    /// else ordinary ones.
    pub fn allocate(bytes: usize) -> io::Result<Arc<Self>> {
        if bytes >= HUGE_PAGE_BYTES
            && let Ok(huge) = Self::allocate_huge(bytes)
        {
            return Ok(huge);
        }
        Self::allocate_pages(bytes, PAGE_BYTES, MemfdFlags::empty())
    }

    /// Allocates at least `bytes` of huge pages, each of which is in one piece of the machine's memory.
    pub fn allocate_huge(bytes: usize) -> io::Result<Arc<Self>> {
        Self::allocate_pages(bytes, HUGE_PAGE_BYTES, MemfdFlags::HUGETLB | MemfdFlags::HUGE_2MB)
    }

    fn allocate_pages(bytes: usize, page_bytes: usize, kind: MemfdFlags) -> io::Result<Arc<Self>> {
        let len = bytes.max(1).next_multiple_of(page_bytes);
        let file = File::from(memfd_create("sealgate-dma", MemfdFlags::CLOEXEC | kind)?);
        ftruncate(&file, len as u64)?;
        Self::map(file, len, page_bytes, true)
    }

    /// Maps the first `bytes` of a file that another process shares: the memory of a client, of a virtual machine. Pages
    /// that the other takes away by cutting its file short read zeroes, and what is written to them is lost.
    pub fn of_another(file: File, bytes: usize) -> io::Result<Arc<Self>> {
        Self::map(file, bytes, PAGE_BYTES, false)
    }

    fn map(file: File, len: usize, page_bytes: usize, is_ours: bool) -> io::Result<Arc<Self>> {
        let map = MmapOptions::new().len(len).map_raw(&file)?;
        // Plaintext and keys pass through: they have no place in a core dump.
        map.advise(Advice::DontDump)?;
        let guard = if is_ours { None } else { Some(Guard::new(&map, Substitute::Zeroes)?) };
        Ok(Arc::new(Self { guard, map, file, page_bytes }))
    }

    /// Bytes of each of its pages.
    pub fn page_bytes(&self) -> usize {
        self.page_bytes
    }

    /// Size in bytes.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether the block is empty; it never is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The memfd behind the block.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Where the block is mapped, for transports that hand its address to the kernel.
    pub fn as_ptr(&self) -> *mut u8 {
        self.map.as_mut_ptr()
    }

    /// Copies bytes out.
    #[inline]
    pub fn read(&self, offset: usize, bytes: &mut [u8]) -> Result<(), OutOfBounds> {
        let source = self.at(offset, bytes.len())?;
        // SAFETY: `at` checked that the range lies inside the mapping; `bytes` is a Rust slice and cannot overlap it, as
        // only whoever owns a buffer has slices of it, and borrows it for both. A device that writes meanwhile breaks the
        // contract, and then the bytes are arbitrary, which every caller treats them as anyway.
        unsafe { std::ptr::copy_nonoverlapping(source, bytes.as_mut_ptr(), bytes.len()) };
        Ok(())
    }

    /// Copies bytes in.
    #[inline]
    pub fn write(&self, offset: usize, bytes: &[u8]) -> Result<(), OutOfBounds> {
        let destination = self.at(offset, bytes.len())?;
        // SAFETY: as in `read`.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), destination, bytes.len()) };
        Ok(())
    }

    /// A range as a slice.
    ///
    /// # Safety
    ///
    /// Nobody writes the range while the slice lives: neither a device that keeps the contract, as no entry in flight
    /// names it as a destination, nor the host.
    pub(crate) unsafe fn slice(&self, offset: usize, len: usize) -> Result<&[u8], OutOfBounds> {
        let start = self.at(offset, len)?;
        // SAFETY: `at` checked that the range lies inside the mapping, which lives as long as `self` and is initialised,
        // zeroed at first; that nobody writes it is the caller's promise.
        Ok(unsafe { std::slice::from_raw_parts(start, len) })
    }

    /// A range as a slice to write.
    ///
    /// # Safety
    ///
    /// Nobody else reads or writes the range while the slice lives: neither a device that keeps the contract, as no entry
    /// in flight names it, nor the host.
    #[expect(clippy::mut_from_ref, reason = "the caller promises that the range is its own")]
    pub(crate) unsafe fn slice_mut(
        &self,
        offset: usize,
        len: usize,
    ) -> Result<&mut [u8], OutOfBounds> {
        let start = self.at(offset, len)?;
        // SAFETY: as in `slice`; and that the range is nobody else's is the caller's promise.
        Ok(unsafe { std::slice::from_raw_parts_mut(start, len) })
    }

    /// Overwrites a range with zeroes, in a way that is not optimised away. A function of its own: so profiles, and the
    /// count of instructions that CI compares, tell it from the rest.
    #[inline(never)]
    pub fn wipe(&self, offset: usize, len: usize) -> Result<(), OutOfBounds> {
        let start = self.at(offset, len)?;
        // SAFETY: `at` checked that the range lies inside the mapping.
        unsafe { std::ptr::write_bytes(start, 0, len) };
        std::sync::atomic::compiler_fence(Ordering::SeqCst);
        Ok(())
    }

    /// Reads an aligned word; `Ordering::Acquire` makes what the other side wrote before it visible.
    pub fn load_u64(&self, offset: usize, ordering: Ordering) -> Result<u64, OutOfBounds> {
        Ok(self.atomic(offset)?.load(ordering))
    }

    /// Writes an aligned word; `Ordering::Release` makes what was written before it visible to who acquires it.
    #[inline]
    pub fn store_u64(
        &self,
        offset: usize,
        value: u64,
        ordering: Ordering,
    ) -> Result<(), OutOfBounds> {
        self.atomic(offset)?.store(value, ordering);
        Ok(())
    }

    #[inline]
    fn atomic(&self, offset: usize) -> Result<&AtomicU64, OutOfBounds> {
        if !offset.is_multiple_of(8) {
            return Err(OutOfBounds { offset, len: 8, size: self.len() });
        }
        let word = self.at(offset, 8)?;
        // SAFETY: inside the mapping, which is page-aligned, so the word is aligned; it lives as long as `self`; and an
        // atomic may be shared with whoever else accesses the memory.
        Ok(unsafe { AtomicU64::from_ptr(word.cast()) })
    }

    #[inline]
    fn at(&self, offset: usize, len: usize) -> Result<*mut u8, OutOfBounds> {
        let size = self.len();
        match offset.checked_add(len) {
            // SAFETY: the result points into the mapping or one past its end.
            Some(end) if end <= size => Ok(unsafe { self.map.as_mut_ptr().add(offset) }),
            _ => Err(OutOfBounds { offset, len, size }),
        }
    }
}

impl Drop for DmaMemory {
    fn drop(&mut self) {
        if self.guard.is_none() {
            let _ = self.wipe(0, self.len());
        }
    }
}

impl fmt::Debug for DmaMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DmaMemory").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// Orders writes to DMA memory ahead of later writes, to memory or to a register, as a device sees them.
///
/// A release fence orders them for other CPUs, which on x86-64 is the same thing. On arm64 a device observes from the
/// outer shareable domain, which Rust's fences do not reach.
pub(crate) fn dma_write_barrier() {
    fence(Ordering::Release);
    #[cfg(target_arch = "aarch64")]
    // SAFETY: a barrier; it touches no register, memory or flag.
    unsafe {
        std::arch::asm!("dmb oshst", options(nostack, preserves_flags));
    }
}

/// Orders reads of DMA memory ahead of later reads, against the writes of a device: see [`dma_write_barrier`].
pub(crate) fn dma_read_barrier() {
    fence(Ordering::Acquire);
    #[cfg(target_arch = "aarch64")]
    // SAFETY: a barrier; it touches no register, memory or flag.
    unsafe {
        std::arch::asm!("dmb oshld", options(nostack, preserves_flags));
    }
}

/// A range that does not lie inside the memory, or a word that is not aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{len} bytes at offset {offset} are not (aligned) inside a DMA block of {size} bytes")]
pub struct OutOfBounds {
    /// First byte asked for.
    pub offset: usize,
    /// Bytes asked for.
    pub len: usize,
    /// Size of the block.
    pub size: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_another_cuts_short_reads_zeroes() {
        let file = File::from(memfd_create("another", MemfdFlags::CLOEXEC).unwrap());
        file.set_len(4 * PAGE_BYTES as u64).unwrap();
        let memory = DmaMemory::of_another(file.try_clone().unwrap(), 4 * PAGE_BYTES).unwrap();
        let mut bytes = vec![0; 4 * PAGE_BYTES];
        memory.write(0, &vec![7; 4 * PAGE_BYTES]).unwrap();
        file.set_len(2 * PAGE_BYTES as u64).unwrap();
        memory.read(0, &mut bytes).unwrap();
        assert!(bytes[..2 * PAGE_BYTES].iter().all(|&byte| byte == 7), "what is left stays");
        assert!(bytes[2 * PAGE_BYTES..].iter().all(|&byte| byte == 0));
        file.set_len(0).unwrap();
        memory.write(PAGE_BYTES - 1, &[7; 2]).unwrap();
        assert_eq!(memory.load_u64(0, Ordering::Acquire).unwrap(), 0);
    }
}
