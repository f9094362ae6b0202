// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The configuration space of the function: header, PCI Express and MSI-X (PCI Local Bus 3.0, chapter 6; PCI Express Base
//! 3.0, chapter 7).

use sealgate_abi::pci::{
    self, CLASS_CODE, COMMAND_BUS_MASTER, COMMAND_MEMORY, DEVICE_ID, REGISTER_BAR_BYTES,
    SUBSYSTEM_SIMULATED, VENDOR_ID,
};
use sealgate_abi::regs::QUEUES;

/// Bytes of the configuration space of a PCI Express function. Behind the first 256 there is nothing.
pub(super) const CONFIG_BYTES: usize = 4096;

/// The BAR with the table of MSI-X vectors, and behind it that of pending ones.
pub(super) const MSIX_BAR: u32 = 2;
pub(super) const MSIX_BAR_BYTES: u32 = 4096;
const MSIX_PENDING: u32 = 0x800;

/// Registers of the header.
const COMMAND: usize = pci::COMMAND as usize;
const BARS: usize = 0x10;

/// The capabilities.
const EXPRESS: usize = 0x40;
const DEVICE_CONTROL: usize = EXPRESS + 0x08;
const MSIX: usize = 0x80;

/// Function-level reset: in the capability, and what starts one.
const CAN_RESET: u32 = 1 << 28;
const INITIATE_RESET: u16 = 1 << 15;

/// What a write brings about besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// The function is reset.
    Reset,
    /// The command register may have changed.
    Command,
}

/// The registers, and which of their bits can be written.
pub(super) struct ConfigSpace {
    bytes: Box<[u8; CONFIG_BYTES]>,
    writable: Box<[u8; CONFIG_BYTES]>,
}

impl Default for ConfigSpace {
    fn default() -> Self {
        let zeroes = || Box::new([0; CONFIG_BYTES]);
        let mut space = Self { bytes: zeroes(), writable: zeroes() };
        space.lay_header();
        space.lay_express();
        space.lay_msix();
        space
    }
}

impl ConfigSpace {
    fn lay_header(&mut self) {
        const STATUS_CAPABILITIES: u16 = 1 << 4;
        const MEMORY_64_BIT: u32 = 0b100;
        const NO_LEGACY_INTERRUPTS: u16 = 1 << 10;

        self.set(0x00, &VENDOR_ID.to_le_bytes());
        self.set(0x02, &DEVICE_ID.to_le_bytes());
        self.set(0x06, &STATUS_CAPABILITIES.to_le_bytes());
        self.set(0x09, &CLASS_CODE.to_le_bytes()[..3]);
        self.set(0x2C, &VENDOR_ID.to_le_bytes());
        self.set(0x2E, &SUBSYSTEM_SIMULATED.to_le_bytes());
        self.set(0x34, &[EXPRESS as u8]);
        let command = COMMAND_MEMORY | COMMAND_BUS_MASTER | NO_LEGACY_INTERRUPTS;
        self.allow(COMMAND, &command.to_le_bytes());
        // The cache line and the interrupt line mean nothing, and software expects to write them.
        self.allow(0x0C, &[0xFF]);
        self.allow(0x3C, &[0xFF]);
        self.set(BARS, &MEMORY_64_BIT.to_le_bytes());
        self.allow(BARS, &(u64::MAX - u64::from(REGISTER_BAR_BYTES) + 1).to_le_bytes());
        let msix = BARS + 4 * MSIX_BAR as usize;
        self.allow(msix, &(u32::MAX - MSIX_BAR_BYTES + 1).to_le_bytes());
    }

    /// An endpoint of 16 lanes at 8 GT/s, as far as software asks.
    fn lay_express(&mut self) {
        const ENDPOINT_OF_VERSION_2: u16 = 2;
        const LINK: u32 = 16 << 4 | 3;

        self.set(EXPRESS, &[0x10, MSIX as u8]);
        self.set(EXPRESS + 0x02, &ENDPOINT_OF_VERSION_2.to_le_bytes());
        self.set(EXPRESS + 0x04, &CAN_RESET.to_le_bytes());
        self.set(EXPRESS + 0x0C, &LINK.to_le_bytes());
        self.set(EXPRESS + 0x12, &(LINK as u16).to_le_bytes());
        self.allow(DEVICE_CONTROL, &0x78FF_u16.to_le_bytes());
    }

    fn lay_msix(&mut self) {
        self.set(MSIX, &[0x11, 0]);
        self.set(MSIX + 2, &(QUEUES as u16 - 1).to_le_bytes());
        self.set(MSIX + 4, &MSIX_BAR.to_le_bytes());
        self.set(MSIX + 8, &(MSIX_PENDING | MSIX_BAR).to_le_bytes());
        // Enable, and mask all.
        self.allow(MSIX + 2, &0xC000_u16.to_le_bytes());
    }

    fn set(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn allow(&mut self, at: usize, bits: &[u8]) {
        self.writable[at..at + bits.len()].copy_from_slice(bits);
    }

    /// Whether the function may ask for memory and send messages.
    pub(super) fn is_bus_master(&self) -> bool {
        u16::from_le_bytes([self.bytes[COMMAND], self.bytes[COMMAND + 1]]) & COMMAND_BUS_MASTER != 0
    }

    /// Reads; past the end there are zeroes.
    pub(super) fn read(&self, offset: u64, into: &mut [u8]) {
        let from = usize::try_from(offset).unwrap_or(CONFIG_BYTES).min(CONFIG_BYTES);
        for (byte, value) in into.iter_mut().zip(&self.bytes[from..]) {
            *byte = *value;
        }
    }

    /// Writes what can be written.
    pub(super) fn write(&mut self, offset: u64, data: &[u8]) -> Option<Effect> {
        let from = usize::try_from(offset).unwrap_or(CONFIG_BYTES).min(CONFIG_BYTES);
        for (at, value) in (from..CONFIG_BYTES).zip(data) {
            let writable = self.writable[at];
            self.bytes[at] = self.bytes[at] & !writable | value & writable;
        }
        let written = |at: usize| at.checked_sub(from).and_then(|at| data.get(at)).copied();
        let [_, initiate] = INITIATE_RESET.to_le_bytes();
        if written(DEVICE_CONTROL + 1).is_some_and(|value| value & initiate != 0) {
            return Some(Effect::Reset);
        }
        written(COMMAND).map(|_| Effect::Command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read32(space: &ConfigSpace, at: u64) -> u32 {
        let mut word = [0; 4];
        space.read(at, &mut word);
        u32::from_le_bytes(word)
    }

    #[test]
    fn the_header_names_the_function_and_its_capabilities() {
        let space = ConfigSpace::default();
        assert_eq!(read32(&space, 0), u32::from(DEVICE_ID) << 16 | u32::from(VENDOR_ID));
        assert_eq!(read32(&space, 8) >> 8, CLASS_CODE);
        let mut next = read32(&space, 0x34) & 0xFF;
        let mut found = Vec::new();
        while next != 0 {
            let capability = read32(&space, next.into());
            found.push(capability & 0xFF);
            next = capability >> 8 & 0xFF;
        }
        assert_eq!(found, [0x10, 0x11]);
        assert_eq!(read32(&space, 0x80) >> 16 & 0x7FF, QUEUES as u32 - 1);
    }

    #[test]
    fn bars_tell_their_size() {
        let mut space = ConfigSpace::default();
        for (at, bytes, kind) in [(0x10, REGISTER_BAR_BYTES, 4), (0x18, MSIX_BAR_BYTES, 0)] {
            assert_eq!(space.write(at, &[0xFF; 4]), None);
            assert_eq!(read32(&space, at), (u32::MAX - bytes + 1) | kind);
        }
        assert_eq!(space.write(0x1C, &[0xFF; 4]), None);
        assert_eq!(read32(&space, 0x1C), 0, "there is no such BAR");
    }

    #[test]
    fn the_command_register_makes_a_bus_master() {
        let mut space = ConfigSpace::default();
        assert!(!space.is_bus_master());
        assert_eq!(space.write(4, &0xFFFF_u16.to_le_bytes()), Some(Effect::Command));
        assert_eq!(read32(&space, 4) & 0xFFFF, 0x0406);
        assert!(space.is_bus_master());
    }

    #[test]
    fn a_function_level_reset_is_started_by_its_bit() {
        let mut space = ConfigSpace::default();
        assert_eq!(read32(&space, EXPRESS as u64 + 4) & CAN_RESET, CAN_RESET);
        let control = DEVICE_CONTROL as u64;
        assert_eq!(space.write(control, &0x2810_u16.to_le_bytes()), None);
        assert_eq!(space.write(control, &0xA810_u16.to_le_bytes()), Some(Effect::Reset));
        assert_eq!(read32(&space, control) & 0x8000, 0, "it reads 0");
    }

    #[test]
    fn past_the_end_there_is_nothing() {
        let mut space = ConfigSpace::default();
        let mut word = [0; 8];
        space.read(CONFIG_BYTES as u64 - 4, &mut word);
        space.read(u64::MAX, &mut word);
        assert_eq!(space.write(u64::MAX, &[1]), None);
        assert_eq!(space.write(CONFIG_BYTES as u64 - 1, &[1, 2]), None);
    }
}
