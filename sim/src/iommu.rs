// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Host memory as the device sees it: through an IOMMU that knows only what was mapped.
//!
//! IOVAs are no host addresses. Where the host leaves it to the IOMMU, they are handed out once and never again, with
//! unmapped pages around every mapping, and in places where a device that truncates, sign-extends or carries wrongly is
//! found out. A host that has an IOMMU of its own says where its mappings stand.

use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sealgate_driver::memory::{DmaMemory, OutOfBounds};
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
    /// Whether the device may ask for anything at all.
    bus_master: AtomicBool,
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
    /// Where in the memory it begins.
    offset: usize,
    access: DmaAccess,
}

impl HostMemory {
    /// An IOMMU without mappings; `seed` decides about the gaps between those to come.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let next = REGIONS.map(|(start, _)| start);
        let rng = StdRng::seed_from_u64(seed);
        let (mappings, found) = (Vec::new(), AtomicUsize::new(0));
        let table = RwLock::new(Table { mappings, found, next, region: 0, rng });
        Self { table, bus_master: AtomicBool::new(true) }
    }

    /// Lets the device ask for memory, or not: then everything is refused.
    pub fn set_bus_master(&self, on: bool) {
        // Whatever is under way ends before.
        let _table = self.exclusive();
        self.bus_master.store(on, Ordering::Relaxed);
    }

    /// Lets the device reach `memory` from the returned IOVA on; `None` when no region has room for it.
    pub fn map(&self, memory: &Arc<DmaMemory>, access: DmaAccess) -> Option<Iova> {
        let mut table = self.exclusive();
        let start = table.place(memory.len() as u64)?;
        let last = start + (memory.len() as u64).max(1) - 1;
        table.insert(Mapping { start, last, memory: Arc::clone(memory), offset: 0, access });
        Some(Iova(start))
    }

    /// Lets the device reach `bytes` of `memory`, from `offset` in it on, at an address that the host chose. `false`:
    /// something is mapped there, or there are no such bytes.
    pub fn map_at(
        &self,
        iova: Iova,
        memory: &Arc<DmaMemory>,
        [offset, bytes]: [usize; 2],
        access: DmaAccess,
    ) -> bool {
        let is_inside = offset.checked_add(bytes).is_some_and(|end| end <= memory.len());
        let last = (bytes as u64).checked_sub(1).and_then(|rest| iova.0.checked_add(rest));
        let (true, Some(last)) = (is_inside, last) else { return false };
        let mut table = self.exclusive();
        let is_free = table.mappings.iter().all(|it| it.last < iova.0 || last < it.start);
        if is_free {
            table.insert(Mapping {
                start: iova.0,
                last,
                memory: Arc::clone(memory),
                offset,
                access,
            });
        }
        is_free
    }

    /// Takes back all mappings that touch a range, however many there are, after the access under way has ended.
    pub fn unmap_range(&self, iova: Iova, bytes: u64) {
        let last = iova.0.saturating_add(bytes.saturating_sub(1));
        let mut table = self.exclusive();
        let (gone, left) = std::mem::take(&mut table.mappings)
            .into_iter()
            .partition(|it: &Mapping| it.start <= last && it.last >= iova.0);
        table.mappings = left;
        drop(table);
        drop::<Vec<_>>(gone);
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
        let access = Access { iova, bytes: bytes.len(), write: false };
        self.reach(access, |mapping, offset, part| mapping.memory.read(offset, &mut bytes[part]))
    }

    /// Writes as the device does. Nothing is written unless all of it may be.
    pub fn write(&self, iova: u64, bytes: &[u8]) -> Result<(), DmaFault> {
        let access = Access { iova, bytes: bytes.len(), write: true };
        self.reach(access, |mapping, offset, part| mapping.memory.write(offset, &bytes[part]))
    }

    /// Writes those bytes of an aligned beat whose bit in `strobes` is set. Whole words of 8 bytes become visible in
    /// their order and after everything that was written before: a host that acquires the last word of a completion
    /// sees the rest of it, and the data that it speaks of.
    pub fn write_beat(&self, iova: u64, beat: &[u8], strobes: u64) -> Result<(), DmaFault> {
        let access = Access { iova, bytes: beat.len(), write: true };
        // An aligned beat is in one page, and so in one mapping.
        self.reach(access, |mapping, offset, part| {
            for (word, bytes) in beat[part].chunks(WORD_BYTES).enumerate() {
                let at = offset + word * WORD_BYTES;
                let strobes = (strobes >> (word * WORD_BYTES)) as u8;
                if strobes == u8::MAX
                    && let Ok(bytes) = bytes.try_into()
                {
                    mapping.memory.store_u64(at, u64::from_le_bytes(bytes), Ordering::Release)?;
                    continue;
                }
                for (byte, value) in bytes.iter().enumerate() {
                    if strobes >> byte & 1 != 0 {
                        mapping.memory.write(at + byte, &[*value])?;
                    }
                }
            }
            Ok(())
        })
    }

    /// Does something with each part of a range, one for each mapping that it goes through, if all of it may be reached.
    fn reach(
        &self,
        access: Access,
        mut act: impl FnMut(&Mapping, usize, Range<usize>) -> Result<(), OutOfBounds>,
    ) -> Result<(), DmaFault> {
        let Access { iova, bytes, write } = access;
        let fault = DmaFault { iova, bytes, write };
        let table = self.shared();
        if !self.bus_master.load(Ordering::Relaxed) {
            return Err(fault);
        }
        let mut first = None;
        // One look says that all of it may be reached; mostly that is one mapping.
        let mut looked = table.parts(access, |mapping, offset, part| {
            if part.len() == bytes {
                first = Some(act(mapping, offset, part));
            }
            ControlFlow::Continue(())
        });
        if first.is_none() && looked.is_continue() {
            looked = table.parts(access, |mapping, offset, part| {
                act(mapping, offset, part).map_or(ControlFlow::Break(()), ControlFlow::Continue)
            });
        }
        match (looked, first) {
            (ControlFlow::Continue(()), None | Some(Ok(()))) => Ok(()),
            _ => Err(fault),
        }
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

    fn insert(&mut self, mapping: Mapping) {
        let at = self.mappings.partition_point(|it| it.start < mapping.start);
        self.mappings.insert(at, mapping);
    }

    /// Goes through the mappings of a range: each with where in its memory, and which bytes of the range. Breaks where
    /// there is none, or none for writing.
    fn parts(
        &self,
        Access { iova, bytes, write }: Access,
        mut act: impl FnMut(&Mapping, usize, Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut done = 0;
        while done < bytes {
            let Some(at) = iova.checked_add(done as u64) else { return ControlFlow::Break(()) };
            let may = |mapping: &&Mapping| !write || mapping.access == DmaAccess::ReadWrite;
            let Some(mapping) = self.find(at).filter(may) else { return ControlFlow::Break(()) };
            // A mapping's size is that of a block of memory, so these fit.
            let offset = mapping.offset + (at - mapping.start) as usize;
            let part = (mapping.last - at).saturating_add(1).min((bytes - done) as u64) as usize;
            act(mapping, offset, done..done + part)?;
            done += part;
        }
        ControlFlow::Continue(())
    }

    /// The mapping that holds `iova`.
    fn find(&self, iova: u64) -> Option<&Mapping> {
        let holds = |mapping: &&Mapping| (mapping.start..=mapping.last).contains(&iova);
        let hint = self.mappings.get(self.found.load(Ordering::Relaxed));
        hint.filter(holds).or_else(|| {
            let above = self.mappings.partition_point(|mapping| mapping.start <= iova);
            let at = above.checked_sub(1)?;
            self.found.store(at, Ordering::Relaxed);
            self.mappings.get(at).filter(holds)
        })
    }
}

/// What a device asks for.
#[derive(Clone, Copy)]
struct Access {
    iova: u64,
    bytes: usize,
    write: bool,
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
    fn a_host_with_an_iommu_of_its_own_maps_pages_side_by_side() {
        let host = HostMemory::new(1);
        let block = memory(4);
        // The pages in another order than in memory.
        for (iova, page) in [(0x1000, 2), (0x2000, 0), (0x3000, 3)] {
            let place = [page * 4096, 4096];
            assert!(host.map_at(Iova(iova), &block, place, DmaAccess::ReadWrite));
            assert!(!host.map_at(Iova(iova + 4095), &block, place, DmaAccess::ReadWrite));
        }
        assert!(
            !host.map_at(Iova(0x8000), &block, [4 * 4096, 4096], DmaAccess::Read),
            "past the end"
        );
        let bytes: Vec<u8> = (0..0x2100_u32).map(|at| at as u8).collect();
        host.write(0x1f80, &bytes[..0x1080]).unwrap();
        let mut page = [0; 4096];
        block.read(0, &mut page).unwrap();
        assert_eq!(page, bytes[0x80..0x1080]);
        let mut read = [0; 0x1080];
        host.read(0x1f80, &mut read).unwrap();
        assert_eq!(read, bytes[..0x1080]);
        assert!(host.write(0x3f80, &bytes[..0x100]).is_err(), "there is no page behind");
        assert!(host.read(0x0fff, &mut [0; 2]).is_err(), "nor before");
        host.unmap_range(Iova(0x2000), 0x2000);
        assert!(host.read(0x1000, &mut page).is_ok());
        assert!(host.read(0x2000, &mut page).is_err() && host.read(0x3000, &mut page).is_err());
    }

    #[test]
    fn a_device_that_is_no_bus_master_reaches_nothing() {
        let host = HostMemory::new(1);
        let Iova(start) = host.map(&memory(1), DmaAccess::ReadWrite).unwrap();
        host.set_bus_master(false);
        assert!(host.read(start, &mut [0]).is_err() && host.write(start, &[1]).is_err());
        assert!(host.write_beat(start, &[1; 16], 0xFFFF).is_err());
        host.set_bus_master(true);
        assert!(host.read(start, &mut [0]).is_ok());
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
