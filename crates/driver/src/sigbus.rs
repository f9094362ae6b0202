// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Mappings that can lose what is behind them: the registers of a card that is pulled, the memory of a client that cuts its
//! file short.
//!
//! From then on the kernel answers an access with SIGBUS. The handler here puts memory in the place of what was lost, so
//! that no process dies.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::io;
use std::mem;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use memmap2::MmapRaw;

use crate::memory::PAGE_BYTES;

/// Mappings that the handler can know of at the same time.
const MAPPINGS: usize = 256;

/// What stands in for what was lost.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Substitute {
    /// The whole mapping reads ones: a device is gone as a whole.
    Ones,
    /// Each page that is lost reads zeroes.
    Zeroes,
}

/// Start and size of a mapping, and whether ones stand in for it. A start of 0: there is none.
struct Place {
    start: AtomicUsize,
    bytes: AtomicUsize,
    ones: AtomicUsize,
}

static MAPPED: [Place; MAPPINGS] = [const {
    Place { start: AtomicUsize::new(0), bytes: AtomicUsize::new(0), ones: AtomicUsize::new(0) }
}; MAPPINGS];

/// What SIGBUS did before.
static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

/// As long as it lives, losing what is behind a mapping is no end of the process. It must be dropped before the mapping.
pub(crate) struct Guard {
    place: &'static Place,
}

impl Guard {
    pub(crate) fn new(map: &MmapRaw, substitute: Substitute) -> io::Result<Self> {
        handle_sigbus()?;
        let start = map.as_mut_ptr() as usize;
        let free = |place: &&Place| {
            place.start.compare_exchange(0, start, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        };
        let place = MAPPED.iter().find(free);
        let place = place.ok_or_else(|| io::Error::other("too many devices are mapped"))?;
        place.ones.store((substitute == Substitute::Ones).into(), Ordering::Relaxed);
        // Only now does the handler find it.
        place.bytes.store(map.len(), Ordering::Release);
        Ok(Self { place })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.place.bytes.store(0, Ordering::Release);
        self.place.start.store(0, Ordering::Release);
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

/// Puts memory in the place of what could not be reached.
extern "C" fn on_sigbus(signal: c_int, info: *mut libc::siginfo_t, _: *mut c_void) {
    // SAFETY: the kernel hands a valid `info` to handlers that ask for it.
    let is_fault = unsafe { (*info).si_code } > 0;
    if is_fault {
        // SAFETY: as above; and of a fault it holds the address.
        let fault = unsafe { (*info).si_addr() } as usize;
        for place in &MAPPED {
            // A size is there only while start and kind are.
            let bytes = place.bytes.load(Ordering::Acquire);
            let start = place.start.load(Ordering::Acquire);
            let ones = place.ones.load(Ordering::Relaxed) != 0;
            if fault.wrapping_sub(start) < bytes && replace(start, bytes, fault, ones) {
                return;
            }
        }
    }
    // Not ours: what was there before gets it, as the access is tried again.
    if let Some(before) = BEFORE.get() {
        // SAFETY: sets back what was there.
        unsafe { libc::sigaction(signal, ptr::from_ref(before), ptr::null_mut()) };
        if !is_fault {
            // SAFETY: sends the signal once more: another process sent it, and no access is tried again.
            unsafe { libc::raise(signal) };
        }
    }
}

fn replace(start: usize, bytes: usize, fault: usize, ones: bool) -> bool {
    if ones {
        if !map_memory(start, bytes) {
            return false;
        }
        // SAFETY: so many bytes were just mapped there.
        unsafe { ptr::write_bytes(start as *mut u8, u8::MAX, bytes) };
        return true;
    }
    // A huge page is replaced with all others or not at all.
    map_memory(fault & !(PAGE_BYTES - 1), PAGE_BYTES) || map_memory(start, bytes)
}

fn map_memory(start: usize, bytes: usize) -> bool {
    let address = start as *mut c_void;
    let (access, kind) =
        (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: the range lies in the mapping of a `Guard`, which nobody has a Rust reference into; what was mapped there is
    // lost anyway.
    let mapped = unsafe { libc::mmap(address, bytes, access, kind | libc::MAP_FIXED, -1, 0) };
    mapped == address
}
