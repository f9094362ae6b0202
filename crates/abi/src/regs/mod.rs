// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The registers of BAR 0, typed.
//!
//! Everything that names a register comes from `hdl/regs/sealgate.rdl`; this file holds what the generated code stands
//! on. The registers are reached through a [`RegisterIo`], so the same API drives a mapped BAR and a simulated device:
//!
//! ```
//! # struct Bar;
//! # impl sealgate_abi::regs::RegisterIo for Bar {
//! #     fn read32(&self, _: u32) -> u32 { 0 }
//! #     fn write32(&self, _: u32, _: u32) {}
//! # }
//! # let bar = Bar;
//! use sealgate_abi::regs::{Sealgate, SqTail};
//!
//! let registers = Sealgate::new(&bar);
//! registers.device().control().modify(|control| control.with_enable(true));
//! let selftest = registers.device().status().read().selftest();
//! if let Some(queue) = registers.queue(0) {
//!     queue.sq_tail().write(SqTail::default().with_index(5));
//! }
//! ```

use core::fmt;
use core::marker::PhantomData;

mod bits;
mod generated;

pub use generated::*;

/// Bytes of a page of BAR 0.
pub const PAGE_BYTES: u32 = 0x1000;

/// Bytes from the registers of one lane to those of the next.
const LANE_BYTES: u32 = LANE_REGISTERS[1] - LANE_REGISTERS[0];

/// Bytes of BAR 0 that hold registers.
pub const REGISTER_BYTES: u32 = QUEUE_PAGES[QUEUES - 1] + PAGE_BYTES;

/// Access to BAR 0 in aligned words of 32 bits.
///
/// Neither call can fail: a device that is gone reads as all ones, and a write to it is lost.
pub trait RegisterIo {
    /// Reads the word at `offset` bytes from the start of BAR 0.
    fn read32(&self, offset: u32) -> u32;

    /// Writes the word at `offset` bytes from the start of BAR 0.
    fn write32(&self, offset: u32, value: u32);
}

impl<T: RegisterIo + ?Sized> RegisterIo for &T {
    fn read32(&self, offset: u32) -> u32 {
        (**self).read32(offset)
    }

    fn write32(&self, offset: u32, value: u32) {
        (**self).write32(offset, value);
    }
}

/// The value of one register.
pub trait Register: Copy {
    /// Name as in the register page.
    const NAME: &'static str;
    /// Offset inside its page, in bytes.
    const OFFSET: u32;
    /// What reset leaves in it. Fields that the hardware drives count as 0.
    const RESET: u32;

    /// The register with these bits.
    fn from_bits(bits: u32) -> Self;

    /// The bits of the register.
    fn bits(self) -> u32;
}

/// A register with at least one field that the host writes.
pub trait Writable: Register {}

/// A writable register in which writing back what was read changes nothing: it has no write-one-to-clear field.
pub trait Modifiable: Writable {}

/// One register of one page, ready to be read and written.
#[must_use]
pub struct Access<'a, IO: ?Sized, R> {
    io: &'a IO,
    address: u32,
    register: PhantomData<R>,
}

impl<'a, IO: RegisterIo + ?Sized, R: Register> Access<'a, IO, R> {
    const fn new(io: &'a IO, page: u32) -> Self {
        Self { io, address: page + R::OFFSET, register: PhantomData }
    }

    /// Offset of the register in BAR 0, in bytes.
    #[must_use]
    pub const fn address(&self) -> u32 {
        self.address
    }

    /// Reads the register.
    #[must_use]
    pub fn read(&self) -> R {
        R::from_bits(self.io.read32(self.address))
    }
}

impl<IO: RegisterIo + ?Sized, R: Writable> Access<'_, IO, R> {
    /// Writes the register; in a write-one-to-clear register the ones clear.
    pub fn write(&self, value: R) {
        self.io.write32(self.address, value.bits());
    }
}

impl<IO: RegisterIo + ?Sized, R: Modifiable> Access<'_, IO, R> {
    /// Reads the register and writes what `change` makes of it. Not atomic.
    pub fn modify(&self, change: impl FnOnce(R) -> R) {
        self.write(change(self.read()));
    }
}

impl<IO: ?Sized, R> Clone for Access<'_, IO, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<IO: ?Sized, R> Copy for Access<'_, IO, R> {}

impl<IO: ?Sized, R: Register> fmt::Debug for Access<'_, IO, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:#06x}", R::NAME, self.address)
    }
}

/// Reads a 64-bit value, low half first. A counter's halves were latched together by the last snapshot.
fn read_wide<IO: RegisterIo + ?Sized>(
    low: Access<'_, IO, impl Register>,
    high: Access<'_, IO, impl Register>,
) -> u64 {
    u64::from(low.read().bits()) | u64::from(high.read().bits()) << 32
}

/// Writes a 64-bit value, high half first.
fn write_wide<IO: RegisterIo + ?Sized, L: Writable, H: Writable>(
    low: Access<'_, IO, L>,
    high: Access<'_, IO, H>,
    value: u64,
) {
    high.write(H::from_bits((value >> 32) as u32));
    low.write(L::from_bits(value as u32));
}

/// The registers of a device.
#[derive(Debug)]
pub struct Sealgate<'a, IO: ?Sized> {
    io: &'a IO,
}

impl<'a, IO: RegisterIo + ?Sized> Sealgate<'a, IO> {
    /// The registers behind `io`.
    pub const fn new(io: &'a IO) -> Self {
        Self { io }
    }

    /// The page of the device itself.
    pub const fn device(&self) -> DevicePage<'a, IO> {
        DevicePage::new(self.io, DEVICE_PAGE)
    }

    /// The registers of one lane; `None` if BAR 0 has none for it. Those of a lane that the device does not have read 0:
    /// see [`Shape::lanes`].
    pub fn lane(&self, lane: usize) -> Option<LaneRegisters<'a, IO>> {
        let base = *LANE_REGISTERS.get(lane)?;
        Some(LaneRegisters::new(self.io, base))
    }

    /// The page of one queue; `None` if BAR 0 has no page for it. A device may have fewer queues than BAR 0 has pages:
    /// see [`Shape::queues`].
    pub fn queue(&self, queue: usize) -> Option<QueuePage<'a, IO>> {
        let page = *QUEUE_PAGES.get(queue)?;
        Some(QueuePage::new(self.io, page))
    }
}

/// A field holds a value that its enumeration does not list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownEncoding {
    /// Name of the field.
    pub field: &'static str,
    /// What it holds.
    pub value: u32,
}

impl fmt::Display for UnknownEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the device's register field {} holds {}, which has no meaning",
            self.field, self.value
        )
    }
}

impl core::error::Error for UnknownEncoding {}

/// A page of BAR 0, or the part of one that belongs to a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// The device itself.
    Device,
    /// The lane of this number, below [`LANES`]: a part of the device's page.
    Lane(u8),
    /// The queue of this number, below [`QUEUES`].
    Queue(u8),
}

impl Page {
    /// Offset of its first register in BAR 0, in bytes.
    #[must_use]
    pub const fn base(self) -> u32 {
        match self {
            Self::Device => DEVICE_PAGE,
            Self::Lane(lane) => LANE_REGISTERS[0] + lane as u32 * LANE_BYTES,
            Self::Queue(queue) => QUEUE_PAGES[0] + queue as u32 * PAGE_BYTES,
        }
    }
}

/// How a register behaves: what a device model or a test needs to know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterInfo {
    /// The page that it stands in.
    pub page: Page,
    /// Name as in the register page.
    pub name: &'static str,
    /// Offset inside the page, in bytes.
    pub offset: u32,
    /// Bits of fields that the host writes, the two kinds below included.
    pub writable: u32,
    /// Bits that writing 1 clears and that the hardware sets.
    pub write_one_to_clear: u32,
    /// Bits that read 0 and start something when 1 is written.
    pub single_pulse: u32,
    /// What reset leaves in the register. Fields that the hardware drives count as 0.
    pub reset: u32,
}

impl RegisterInfo {
    /// Offset of the register in BAR 0, in bytes.
    #[must_use]
    pub const fn address(&self) -> u32 {
        self.page.base() + self.offset
    }

    /// The register at `address` of BAR 0, if there is one.
    #[must_use]
    pub fn at(address: u32) -> Option<&'static Self> {
        let row = REGISTERS.binary_search_by_key(&address, Self::address).ok()?;
        REGISTERS.get(row)
    }

    /// Bits that keep what the host writes.
    #[must_use]
    pub const fn stored(&self) -> u32 {
        self.writable & !self.write_one_to_clear & !self.single_pulse
    }
}

/// A row of [`REGISTERS`]; `masks` are those of the fields that are written, cleared and pulsed.
const fn row(
    page: Page,
    name: &'static str,
    offset: u32,
    masks: [u32; 3],
    reset: u32,
) -> RegisterInfo {
    let [writable, write_one_to_clear, single_pulse] = masks;
    RegisterInfo { page, name, offset, writable, write_one_to_clear, single_pulse, reset }
}

const _: () = {
    // Page::base multiplies; the pages, and the lanes in theirs, must be equally spaced for that.
    let mut lane = 0;
    while lane < LANES {
        assert!(Page::Lane(lane as u8).base() == LANE_REGISTERS[lane]);
        lane += 1;
    }
    let mut queue = 0;
    while queue < QUEUES {
        assert!(Page::Queue(queue as u8).base() == QUEUE_PAGES[queue]);
        queue += 1;
    }
};

#[cfg(test)]
mod tests;
