// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Registers that are mapped into the process.
//!
//! A card that vanishes takes the mapping of its registers with it. A page of ones is put in its place then, which is what
//! a bus without a card reads, so the driver sees "gone" and no process dies.
#![allow(unsafe_code)]

use std::fmt;
use std::fs::File;
use std::io;

use memmap2::{MmapOptions, MmapRaw};
use sealgate_abi::regs::RegisterIo;

use crate::sigbus::{Guard, Substitute};

/// What a register of a device that is gone reads.
pub(super) const GONE: u32 = u32::MAX;

/// The mapped registers of a device.
pub(super) struct Bar {
    /// Dropped before the mapping.
    _guard: Guard,
    map: MmapRaw,
}

impl Bar {
    /// Maps `bytes` of `file`, from `offset` on.
    pub(super) fn map(file: &File, offset: u64, bytes: usize) -> io::Result<Self> {
        let map = MmapOptions::new().offset(offset).len(bytes).map_raw(file)?;
        let guard = Guard::new(&map, Substitute::Ones)?;
        Ok(Self { _guard: guard, map })
    }

    /// The register at an offset; `None` outside the mapping.
    fn register(&self, offset: u32) -> Option<*mut u32> {
        let offset = offset as usize;
        let inside = offset.is_multiple_of(4) && offset.checked_add(4)? <= self.map.len();
        // SAFETY: the result points into the mapping.
        inside.then(|| unsafe { self.map.as_mut_ptr().add(offset) }.cast())
    }
}

impl RegisterIo for Bar {
    fn read32(&self, offset: u32) -> u32 {
        // SAFETY: `register` returns aligned pointers into the mapping, which lives as long as `self`. Nobody has a Rust
        // reference to it. If the card is gone the handler has made it memory.
        self.register(offset).map_or(GONE, |register| unsafe { register.read_volatile() })
    }

    fn write32(&self, offset: u32, value: u32) {
        if let Some(register) = self.register(offset) {
            // SAFETY: as in `read32`.
            unsafe { register.write_volatile(value) };
        }
    }
}

impl fmt::Debug for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bar").field("bytes", &self.map.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::{MemfdFlags, memfd_create};

    use super::*;

    #[test]
    fn registers_of_a_device_that_vanished_read_all_ones() {
        let file = File::from(memfd_create("registers", MemfdFlags::CLOEXEC).unwrap());
        file.set_len(8192).unwrap();
        let bar = Bar::map(&file, 4096, 4096).unwrap();
        bar.write32(8, 7);
        assert_eq!((bar.read32(8), bar.read32(12)), (7, 0));
        assert_eq!((bar.read32(4096), bar.read32(u32::MAX), bar.read32(2)), (GONE, GONE, GONE));
        // What the kernel does when the card is pulled: the mapping has nothing behind it.
        file.set_len(0).unwrap();
        assert_eq!((bar.read32(8), bar.read32(0)), (GONE, GONE));
        bar.write32(8, 7);
    }

    #[test]
    fn places_of_devices_that_were_closed_are_used_again() {
        let file = File::from(memfd_create("registers", MemfdFlags::CLOEXEC).unwrap());
        file.set_len(4096).unwrap();
        for _ in 0..1000 {
            Bar::map(&file, 0, 4096).unwrap().write32(0, 1);
        }
    }
}
