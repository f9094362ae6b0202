// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the function on PCI Express of a record engine is known by, and where its parts are.

/// Vendor of the function: that of the FPGA's maker, as of all cards whose builder has no number of its own.
pub const VENDOR_ID: u16 = 0x10EE;

/// The function is a record engine.
pub const DEVICE_ID: u16 = 0x5347;

/// Subsystem of a function that is simulated, so that its speed says nothing about hardware.
pub const SUBSYSTEM_SIMULATED: u16 = 0x0051;

/// Network and computing, encryption and decryption.
pub const CLASS_CODE: u32 = 0x0010_0000;

/// The BAR with the registers.
pub const REGISTER_BAR: u8 = 0;

/// Bytes of BAR 0: a power of two that has room for all registers.
pub const REGISTER_BAR_BYTES: u32 = crate::regs::REGISTER_BYTES.next_power_of_two();

/// The command register in the configuration space (PCI Local Bus 3.0, section 6.2.2).
pub const COMMAND: u16 = 0x04;

/// In the command register: the function answers on its BARs.
pub const COMMAND_MEMORY: u16 = 1 << 1;

/// In the command register: the function may ask for memory and send interrupt messages.
pub const COMMAND_BUS_MASTER: u16 = 1 << 2;

/// The class code and the revision in the configuration space (PCI Local Bus 3.0, section 6.2.1).
pub const CLASS_CODE_AND_REVISION: u16 = 0x08;
