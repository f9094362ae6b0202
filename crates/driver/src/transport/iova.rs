// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Where mappings stand in the address space that the IOMMU gives a device.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Iova;
use crate::memory::{self, DmaMemory};

const PAGE_BYTES: u64 = memory::PAGE_BYTES as u64;

/// Mappings of that size and more begin at a border of a huge page, which saves an IOMMU most of its work.
const HUGE_PAGE_BYTES: u64 = memory::HUGE_PAGE_BYTES as u64;

/// Addresses that every IOMMU translates, whatever its width: VT-d has at least 39 bits. Below the first, devices and
/// drivers that lose an address are found out.
const ADDRESSES: RangeInclusive<u64> = 1 << 20..=(1 << 39) - 1;

/// The mappings of a device, and the memory that they keep alive.
#[derive(Debug)]
pub(super) struct Mappings {
    /// By the address that each begins at.
    table: Mutex<BTreeMap<u64, Arc<DmaMemory>>>,
    /// Nothing may stand there: the doorbells of interrupts, what firmware wants.
    reserved: Vec<RangeInclusive<u64>>,
}

impl Mappings {
    pub(super) fn new(reserved: Vec<RangeInclusive<u64>>) -> Self {
        Self { table: Mutex::default(), reserved }
    }

    /// Finds a place for `memory`, has `map` put it there, and keeps it alive from then on.
    ///
    /// `None`: there is no place.
    pub(super) fn add<E>(
        &self,
        memory: &Arc<DmaMemory>,
        map: impl FnOnce(Iova) -> Result<(), E>,
    ) -> Option<Result<Iova, E>> {
        let mut table = self.lock();
        let start = find_place(&table, &self.reserved, memory.len() as u64)?;
        let mapped = map(Iova(start));
        if mapped.is_ok() {
            table.insert(start, Arc::clone(memory));
        }
        Some(mapped.map(|()| Iova(start)))
    }

    /// Takes back the mapping that begins at `iova`; `unmap` gets its size. `None`: there is none. After an error the
    /// memory stays where it is.
    pub(super) fn remove<E>(
        &self,
        iova: Iova,
        unmap: impl FnOnce(usize) -> Result<(), E>,
    ) -> Option<Result<(), E>> {
        let mut table = self.lock();
        let unmapped = unmap(table.get(&iova.0)?.len());
        // The memory itself is wiped and freed after the lock is given back.
        let memory = unmapped.is_ok().then(|| table.remove(&iova.0));
        drop(table);
        drop(memory);
        Some(unmapped)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<DmaMemory>>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The lowest place for `bytes`, with an unmapped page behind every mapping.
fn find_place(
    table: &BTreeMap<u64, Arc<DmaMemory>>,
    reserved: &[RangeInclusive<u64>],
    bytes: u64,
) -> Option<u64> {
    let alignment = if bytes >= HUGE_PAGE_BYTES { HUGE_PAGE_BYTES } else { PAGE_BYTES };
    let mapped = table.iter().map(|(&start, memory)| start..=start + memory.len() as u64);
    let mut taken: Vec<_> = mapped.chain(reserved.iter().cloned()).collect();
    taken.sort_unstable_by_key(|range| *range.start());
    let mut place = ADDRESSES.start().next_multiple_of(alignment);
    for range in taken {
        // With the page behind it.
        if place.checked_add(bytes)? < *range.start() {
            break;
        }
        if *range.end() >= place {
            place = range.end().checked_add(1)?.checked_next_multiple_of(alignment)?;
        }
    }
    (place.checked_add(bytes)? <= *ADDRESSES.end()).then_some(place)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// Where interrupts are written to.
    const MSI: RangeInclusive<u64> = 0xfee0_0000..=0xfeef_ffff;

    fn add(mappings: &Mappings, pages: usize) -> Option<(u64, u64)> {
        let memory = DmaMemory::allocate(pages * PAGE_BYTES as usize).unwrap();
        let added = mappings.add(&memory, |_| Ok::<_, Infallible>(()))?;
        let Ok(Iova(start)) = added;
        Some((start, start + memory.len() as u64))
    }

    proptest! {
        #[test]
        fn mappings_are_apart_from_each_other_and_from_what_is_reserved(
            steps in prop::collection::vec((1_usize..1200, any::<bool>(), any::<prop::sample::Index>()), 1..40),
        ) {
            let mappings = Mappings::new(vec![MSI, 0..=0xf_ffff, 0x20_0000..=0x20_0fff]);
            let mut there: Vec<(u64, u64)> = Vec::new();
            for (pages, goes, which) in steps {
                if goes && !there.is_empty() {
                    let (start, end) = there.swap_remove(which.index(there.len()));
                    let removed = mappings.remove(Iova(start), |bytes| {
                        assert_eq!(bytes as u64, end - start);
                        Ok::<_, Infallible>(())
                    });
                    prop_assert_eq!(removed, Some(Ok(())));
                    continue;
                }
                let (start, end) = add(&mappings, pages).unwrap();
                prop_assert_eq!(start % PAGE_BYTES, 0);
                prop_assert!(end - start < HUGE_PAGE_BYTES || start % HUGE_PAGE_BYTES == 0);
                for range in &mappings.reserved {
                    prop_assert!(end <= *range.start() || start > *range.end());
                }
                for other in &there {
                    prop_assert!(end < other.0 || other.1 < start, "no page between them");
                }
                there.push((start, end));
            }
        }
    }

    #[test]
    fn what_could_not_be_mapped_takes_no_place() {
        let mappings = Mappings::new(Vec::new());
        let memory = DmaMemory::allocate(1).unwrap();
        assert_eq!(mappings.add(&memory, |_| Err("full")), Some(Err("full")));
        let (start, _) = add(&mappings, 1).unwrap();
        assert_eq!(start, *ADDRESSES.start());
        assert_eq!(mappings.remove(Iova(start), |_| Err("busy")), Some(Err("busy")));
        assert_eq!(mappings.remove(Iova(start), |_| Ok::<_, &str>(())), Some(Ok(())));
        assert_eq!(mappings.remove(Iova(start), |_| Ok::<_, &str>(())), None);
    }

    #[test]
    fn a_full_address_space_is_told() {
        let mappings = Mappings::new(vec![0..=u64::MAX]);
        assert_eq!(add(&mappings, 1), None);
        let mappings = Mappings::new(vec![0..=(1 << 39) - 8192 - 1]);
        assert_eq!(add(&mappings, 2), None);
        assert_eq!(add(&mappings, 1), Some(((1 << 39) - 8192, (1 << 39) - 4096)));
    }
}
