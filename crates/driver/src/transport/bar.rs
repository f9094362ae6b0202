// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Registers that are mapped into the process.
//!
//! A card that vanishes takes the mapping of its registers with it: from then on the kernel answers an access with
//! SIGBUS. The handler here puts a page of ones in its place, which is what a bus without a card reads, so the driver
//! sees "gone" and no process dies.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::fmt;
use std::fs::File;
use std::io;
use std::mem;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use memmap2::{MmapOptions, MmapRaw};
use sealgate_abi::regs::RegisterIo;

/// What a register of a device that is gone reads.
pub(super) const GONE: u32 = u32::MAX;

/// Mappings that the handler can know of at the same time.
const MAPPINGS: usize = 64;

/// Where registers are mapped: start and size of each, 0 where there is none.
static MAPPED: [[AtomicUsize; 2]; MAPPINGS] =
    [const { [const { AtomicUsize::new(0) }; 2] }; MAPPINGS];

/// What SIGBUS did before.
static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

/// The mapped registers of a device.
pub(super) struct Bar {
    map: MmapRaw,
    /// Its place in [`MAPPED`].
    place: usize,
}

impl Bar {
    /// Maps `bytes` of `file`, from `offset` on.
    pub(super) fn map(file: &File, offset: u64, bytes: usize) -> io::Result<Self> {
        handle_sigbus()?;
        let map = MmapOptions::new().offset(offset).len(bytes).map_raw(file)?;
        let start = map.as_mut_ptr() as usize;
        let place = MAPPED.iter().position(|[place, _]| {
            place.compare_exchange(0, start, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        });
        let place = place.ok_or_else(|| io::Error::other("too many devices are mapped"))?;
        MAPPED[place][1].store(bytes, Ordering::Release);
        Ok(Self { map, place })
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

impl Drop for Bar {
    fn drop(&mut self) {
        MAPPED[self.place][1].store(0, Ordering::Release);
        MAPPED[self.place][0].store(0, Ordering::Release);
    }
}

impl fmt::Debug for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bar").field("bytes", &self.map.len()).finish_non_exhaustive()
    }
}

/// Has SIGBUS handled, once in the life of the process.
fn handle_sigbus() -> io::Result<()> {
    if BEFORE.get().is_some() {
        return Ok(());
    }
    // SAFETY: a signal action of zeroes is a valid one, and gets its fields here.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = on_sigbus as extern "C" fn(_, _, _) as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: as above.
    let mut before: libc::sigaction = unsafe { mem::zeroed() };
    // SAFETY: the handler does only what a handler may: it reads atomics and makes system calls. Two threads that come
    // here at once set the same action, and the second finds it as the one before, which it throws away.
    if unsafe { libc::sigaction(libc::SIGBUS, &raw const action, &raw mut before) } != 0 {
        return Err(io::Error::last_os_error());
    }
    if before.sa_sigaction != action.sa_sigaction {
        let _ = BEFORE.set(before);
    }
    Ok(())
}

/// Puts ones in the place of the registers that could not be reached.
extern "C" fn on_sigbus(signal: c_int, info: *mut libc::siginfo_t, _: *mut c_void) {
    // SAFETY: the kernel hands a valid `info` to handlers that ask for it, and for SIGBUS it holds an address.
    let fault = unsafe { (*info).si_addr() } as usize;
    let hit = MAPPED
        .iter()
        .map(|[start, bytes]| (start.load(Ordering::Acquire), bytes.load(Ordering::Acquire)));
    for (start, bytes) in hit {
        if fault.wrapping_sub(start) < bytes && replace_with_ones(start, bytes) {
            return;
        }
    }
    // Not ours: what was there before gets it, as the access is tried again.
    if let Some(before) = BEFORE.get() {
        // SAFETY: sets back what was there.
        unsafe { libc::sigaction(signal, ptr::from_ref(before), ptr::null_mut()) };
    }
}

fn replace_with_ones(start: usize, bytes: usize) -> bool {
    let address = start as *mut c_void;
    let (access, kind) =
        (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: the range is that of a `Bar`, which nobody has a Rust reference into; what was mapped there is lost anyway.
    let mapped = unsafe { libc::mmap(address, bytes, access, kind | libc::MAP_FIXED, -1, 0) };
    if mapped != address {
        return false;
    }
    // SAFETY: so many bytes were just mapped there.
    unsafe { ptr::write_bytes(address.cast::<u8>(), u8::MAX, bytes) };
    true
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
        for _ in 0..2 * MAPPINGS {
            Bar::map(&file, 0, 4096).unwrap().write32(0, 1);
        }
    }
}
