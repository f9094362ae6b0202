// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The device's contract (`docs/device.md`), checked at registers and rings, on every device that the build has.

#[path = "../rig/mod.rs"]
mod rig;

mod contexts;
mod control;
mod faults;
mod interrupts;
mod records;
mod refusals;
mod registers;
mod rings;
mod runs;
mod segmentation;
