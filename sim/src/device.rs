// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the device thread needs of a device.

use sealgate_abi::regs::QUEUES;

/// Interrupt messages by queue.
pub(crate) type InterruptCounts = [u32; QUEUES];

/// A device: registers on one side, work on the other.
pub(crate) trait Device {
    /// Reads a register of BAR 0.
    fn read(&mut self, offset: u32) -> u32;

    /// Writes a register of BAR 0.
    fn write(&mut self, offset: u32, value: u32);

    /// Works for a short while.
    fn run(&mut self) -> Activity;

    /// The interrupt messages sent since the last call.
    fn take_interrupts(&mut self) -> InterruptCounts;

    /// Resets everything, as the reset pin does. No memory access comes after it of what was under way.
    fn reset(&mut self);

    /// While frozen the device answers registers and does nothing else.
    fn freeze(&mut self, frozen: bool);

    /// Clock cycles since the device was made.
    fn cycles(&self) -> u64;

    /// Violations of the bus protocol seen so far.
    fn protocol_errors(&self) -> Vec<String>;
}

/// Whether a device has anything left to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    /// There is, or may be, work: run it again.
    Busy,
    /// Nothing happens until a register is written.
    Quiet,
}
