// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Host memory as the device sees it: through an IOMMU that knows only what was mapped.
//!
//! IOVAs are no host addresses. They are handed out once and never again, with unmapped pages around every mapping, and
//! in places where a device that truncates, sign-extends or carries wrongly is found out.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sealgate_driver::memory::DmaMemory;
use sealgate_driver::transport::{DmaAccess, Iova};

const PAGE: u64 = 4096;

/// Bytes of the words that memory takes at once.
const WORD_BYTES: usize = 8;

/// Where mappings are placed, in turn: from the first address up, below the second.
const REGIONS: [(u64, u64); 5] = [
    // Below 4 GiB.
    (0x0000_0000_1000_0000, 0x0000_0000_8000_0000),
    // Across the 4 GiB line: a carry into the high half, from the first mapping on.
    (0x0000_0000_ffff_f000, 0x0000_0100_0000_0000),
    // Low half all zero, high half not.
    (0x0000_2000_0000_0000, 0x0000_4000_0000_0000),
    // Across the top of 47 bits.
    (0x0000_7fff_ffff_f000, 0x0001_0000_0000_0000),
    // The top of 64 bits, where the end of a mapping is near to wrapping.
    (0xffff_ff00_0000_0000, 0xffff_ffff_ffff_f000),
];

/// Most unmapped pages left between two mappings of a region.
const MAX_GUARD_PAGES: u64 = 16;

/// The memory that was mapped for a device.
#[derive(Debug)]
pub struct HostMemory {
    table: RwLock<Table>,
}

#[derive(Debug)]
struct Table {
    /// By their first IOVA.
    mappings: Vec<Mapping>,
    /// The mapping that was found last: a burst stays in one, and mostly so does the next.
    found: AtomicUsize,
    next: [u64; REGIONS.len()],
    region: usize,
    rng: StdRng,
}

#[derive(Debug)]
struct Mapping {
    start: u64,
    /// The last IOVA; there is none behind the last of 64 bits.
    last: u64,
    memory: Arc<DmaMemory>,
    access: DmaAccess,
}

impl HostMemory {
    /// An IOMMU without mappings; `seed` decides about the gaps between those to come.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let next = REGIONS.map(|(start, _)| start);
        let rng = StdRng::seed_from_u64(seed);
        let (mappings, found) = (Vec::new(), AtomicUsize::new(0));
        Self { table: RwLock::new(Table { mappings, found, next, region: 0, rng }) }
    }

    /// Lets the device reach `memory` from the returned IOVA on; `None` when no region has room for it.
    pub fn map(&self, memory: &Arc<DmaMemory>, access: DmaAccess) -> Option<Iova> {
        let mut table = self.exclusive();
        let start = table.place(memory.len() as u64)?;
        let last = start + (memory.len() as u64).max(1) - 1;
        let at = table.mappings.partition_point(|mapping| mapping.start < start);
        table.mappings.insert(at, Mapping { start, last, memory: Arc::clone(memory), access });
        Some(Iova(start))
    }

    /// Takes back the mapping that starts at `iova`, after the access under way has ended. `false`: there is none.
    pub fn unmap(&self, iova: Iova) -> bool {
        // The memory itself is freed, and wiped, after the lock is given back.
        let mut table = self.exclusive();
        let at = table.mappings.binary_search_by_key(&iova.0, |mapping| mapping.start);
        let mapping = at.map(|at| table.mappings.remove(at));
        drop(table);
        mapping.is_ok()
    }

    /// Reads as the device does. Nothing is read unless all of it may be.
    pub fn read(&self, iova: u64, bytes: &mut [u8]) -> Result<(), DmaFault> {
        if bytes.is_empty() {
            return Ok(());
        }
        let fault = DmaFault { iova, bytes: bytes.len(), write: false };
        let table = self.shared();
        let (mapping, offset) = table.find(iova).ok_or(fault)?;
        mapping.memory.read(offset, bytes).map_err(|_| fault)
    }

    /// Writes as the device does. Nothing is written unless all of it may be.
    pub fn write(&self, iova: u64, bytes: &[u8]) -> Result<(), DmaFault> {
        if bytes.is_empty() {
            return Ok(());
        }
        let fault = DmaFault { iova, bytes: bytes.len(), write: true };
        let table = self.shared();
        let (mapping, offset) = table.find_writable(iova).ok_or(fault)?;
        mapping.memory.write(offset, bytes).map_err(|_| fault)
    }

    /// Writes those bytes of an aligned beat whose bit in `strobes` is set. Whole words of 8 bytes become visible in
    /// their order and after everything that was written before: a host that acquires the last word of a completion
    /// sees the rest of it, and the data that it speaks of.
    pub fn write_beat(&self, iova: u64, beat: &[u8], strobes: u64) -> Result<(), DmaFault> {
        let fault = DmaFault { iova, bytes: beat.len(), write: true };
        let table = self.shared();
        let (mapping, offset) = table.find_writable(iova).ok_or(fault)?;
        for (word, bytes) in beat.chunks(WORD_BYTES).enumerate() {
            let at = offset + word * WORD_BYTES;
            let strobes = (strobes >> (word * WORD_BYTES)) as u8;
            if strobes == u8::MAX
                && let Ok(bytes) = bytes.try_into()
            {
                let value = u64::from_le_bytes(bytes);
                mapping.memory.store_u64(at, value, Ordering::Release).map_err(|_| fault)?;
                continue;
            }
            for (byte, value) in bytes.iter().enumerate() {
                if strobes >> byte & 1 != 0 {
                    mapping.memory.write(at + byte, &[*value]).map_err(|_| fault)?;
                }
            }
        }
        Ok(())
    }

    fn shared(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn exclusive(&self) -> RwLockWriteGuard<'_, Table> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Finds a place in the region whose turn it is, or in the next one that has room.
    fn place(&mut self, bytes: u64) -> Option<u64> {
        for _ in 0..REGIONS.len() {
            let region = self.region;
            self.region = (region + 1) % REGIONS.len();
            let start = self.next[region];
            let Some(end) = start.checked_add(bytes).filter(|&end| end <= REGIONS[region].1) else {
                continue;
            };
            let guard = PAGE * self.rng.random_range(1..=MAX_GUARD_PAGES);
            self.next[region] = end.saturating_add(guard);
            return Some(start);
        }
        None
    }

    /// The mapping that holds `iova`, and where in it. The memory's own bounds decide whether the access ends inside it.
    fn find(&self, iova: u64) -> Option<(&Mapping, usize)> {
        let holds = |mapping: &&Mapping| (mapping.start..=mapping.last).contains(&iova);
        let hint = self.mappings.get(self.found.load(Ordering::Relaxed));
        let mapping = hint.filter(holds).or_else(|| {
            let above = self.mappings.partition_point(|mapping| mapping.start <= iova);
            let at = above.checked_sub(1)?;
            self.found.store(at, Ordering::Relaxed);
            self.mappings.get(at).filter(holds)
        })?;
        Some((mapping, usize::try_from(iova - mapping.start).ok()?))
    }

    fn find_writable(&self, iova: u64) -> Option<(&Mapping, usize)> {
        self.find(iova).filter(|(mapping, _)| mapping.access == DmaAccess::ReadWrite)
    }
}

/// The device reached for memory that is not mapped, or not for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("DMA {} of {bytes} bytes at IOVA {iova:#x} is not mapped", if *write { "write" } else { "read" })]
pub struct DmaFault {
    /// First byte of the access.
    pub iova: u64,
    /// Bytes of the access.
    pub bytes: usize,
    /// Whether the device wanted to write.
    pub write: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(pages: usize) -> Arc<DmaMemory> {
        DmaMemory::allocate(pages * 4096).unwrap()
    }

    #[test]
    fn the_device_reaches_exactly_what_is_mapped() {
        let host = HostMemory::new(1);
        let block = memory(2);
        let Iova(start) = host.map(&block, DmaAccess::ReadWrite).unwrap();
        let end = start + 8192;
        let mut bytes = [0; 16];
        host.write(end - 16, &[7; 16]).unwrap();
        host.read(end - 16, &mut bytes).unwrap();
        assert_eq!(bytes, [7; 16]);
        for outside in [start - 16, start - 1, end - 15, end, end + 4096] {
            let fault = host.read(outside, &mut [0; 16]).unwrap_err();
            assert_eq!(fault, DmaFault { iova: outside, bytes: 16, write: false });
            assert!(host.write(outside, &[1; 16]).is_err());
        }
        block.read(8176, &mut bytes).unwrap();
        assert_eq!(bytes, [7; 16], "a refused write changed memory");
        assert!(host.unmap(Iova(start)));
        assert!(host.read(start, &mut bytes).is_err());
        assert!(!host.unmap(Iova(start)));
    }

    #[test]
    fn a_read_only_mapping_refuses_writes() {
        let host = HostMemory::new(1);
        let block = memory(1);
        let Iova(start) = host.map(&block, DmaAccess::Read).unwrap();
        assert!(host.write(start, &[1]).is_err());
        assert!(host.write_beat(start, &[1; 16], 0xFFFF).is_err());
        let mut bytes = [1; 16];
        host.read(start, &mut bytes).unwrap();
        assert_eq!(bytes, [0; 16]);
    }

    #[test]
    fn a_beat_changes_the_strobed_bytes_only() {
        let host = HostMemory::new(1);
        let block = memory(1);
        let Iova(start) = host.map(&block, DmaAccess::ReadWrite).unwrap();
        let beat: [u8; 64] = std::array::from_fn(|at| at as u8 + 1);
        for strobes in [u64::MAX, 1, 1 << 63, 0xFFFF, 0x00FF_FFF0, 0xFFFF_0000_0000_0000] {
            block.wipe(0, 64).unwrap();
            host.write_beat(start, &beat, strobes).unwrap();
            let mut bytes = [0; 64];
            host.read(start, &mut bytes).unwrap();
            for (at, byte) in bytes.into_iter().enumerate() {
                assert_eq!(byte, if strobes >> at & 1 != 0 { beat[at] } else { 0 }, "{strobes:#x}");
            }
        }
        assert!(host.write_beat(start + 4096, &beat, u64::MAX).is_err());
    }

    #[test]
    fn mappings_are_page_aligned_apart_and_in_all_regions() {
        let host = HostMemory::new(7);
        let blocks: Vec<_> = (1..=40).map(memory).collect();
        let mut ranges: Vec<_> = blocks
            .iter()
            .map(|block| {
                let Iova(start) = host.map(block, DmaAccess::Read).unwrap();
                assert_eq!(start % PAGE, 0);
                (start, start + block.len() as u64)
            })
            .collect();
        ranges.sort_unstable();
        assert!(ranges.windows(2).all(|pair| pair[0].1 + PAGE <= pair[1].0), "{ranges:x?}");
        for (start, end) in REGIONS {
            assert!(ranges.iter().any(|range| range.0 >= start && range.1 <= end), "{start:#x}");
        }
        assert!(ranges.iter().any(|range| range.0 < 1 << 32 && range.1 > 1 << 32));
    }

    #[test]
    fn iovas_are_not_handed_out_twice() {
        let host = HostMemory::new(3);
        let block = memory(1);
        let mut seen = Vec::new();
        for _ in 0..100 {
            let iova = host.map(&block, DmaAccess::Read).unwrap();
            assert!(host.unmap(iova));
            assert!(!seen.contains(&iova));
            seen.push(iova);
        }
    }
}
