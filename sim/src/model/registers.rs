// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The register file of the software device, driven by the generated table of registers.

use sealgate_abi::regs::{Page, REGISTER_BYTES, REGISTERS, Register, RegisterInfo};

/// The words of BAR 0. The host goes through [`RegisterFile::host_read`] and [`RegisterFile::host_write`], which keep
/// the access rules; the device itself through the typed rest.
pub(super) struct RegisterFile {
    words: Vec<u32>,
}

/// What a register write of the host did.
pub(super) struct Written {
    pub(super) page: Page,
    /// Offset of the register inside its page.
    pub(super) offset: u32,
    /// The value before.
    pub(super) before: u32,
    /// The value now, and the ones written to fields that only start something.
    pub(super) after: u32,
}

impl RegisterFile {
    pub(super) fn new() -> Self {
        let mut words = vec![0; REGISTER_BYTES as usize / 4];
        for register in REGISTERS {
            words[index(register.address())] = register.reset;
        }
        Self { words }
    }

    /// What the host reads; 0 where there is no register.
    pub(super) fn host_read(&self, address: u32) -> u32 {
        RegisterInfo::at(address).map_or(0, |register| self.words[index(register.address())])
    }

    /// Applies a write of the host; `None` where there is no register.
    pub(super) fn host_write(&mut self, address: u32, value: u32) -> Option<Written> {
        let register = RegisterInfo::at(address)?;
        let word = &mut self.words[index(address)];
        let before = *word;
        *word = (before & !register.stored() & !(value & register.write_one_to_clear))
            | (value & register.stored());
        let after = *word | (value & register.single_pulse);
        Some(Written { page: register.page, offset: register.offset, before, after })
    }

    pub(super) fn get<R: Register>(&self, page: Page) -> R {
        R::from_bits(self.words[index(page.base() + R::OFFSET)])
    }

    pub(super) fn set<R: Register>(&mut self, page: Page, value: R) {
        self.words[index(page.base() + R::OFFSET)] = value.bits();
    }

    pub(super) fn update<R: Register>(&mut self, page: Page, change: impl FnOnce(R) -> R) {
        self.set(page, change(self.get(page)));
    }
}

const fn index(address: u32) -> usize {
    address as usize / 4
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every register of the table keeps its rules, whatever the rest of the device makes of the values.
    #[test]
    fn every_register_keeps_its_access_rules() {
        for register in REGISTERS {
            let mut file = RegisterFile::new();
            let address = register.address();
            assert_eq!(file.host_read(address), register.reset, "{}", register.name);

            let written = file.host_write(address, u32::MAX).unwrap();
            assert_eq!(written.before, register.reset);
            assert_eq!(written.after, register.reset | register.stored() | register.single_pulse);
            assert_eq!(file.host_read(address), register.reset | register.stored());

            file.words[index(address)] |= register.write_one_to_clear;
            file.host_write(address, 0);
            assert_eq!(
                file.host_read(address),
                (register.reset & !register.stored()) | register.write_one_to_clear,
                "{}: writing 0 must not clear",
                register.name
            );
            file.host_write(address, u32::MAX);
            assert_eq!(file.host_read(address) & register.write_one_to_clear, 0);
        }
    }

    #[test]
    fn where_no_register_is_reads_are_zero_and_writes_are_lost() {
        let mut file = RegisterFile::new();
        let before = file.words.clone();
        for address in [0x0C, 0x02, 0xFFC, 0x1018, REGISTER_BYTES, u32::MAX] {
            assert_eq!(file.host_read(address), 0);
            assert!(file.host_write(address, u32::MAX).is_none());
        }
        assert_eq!(file.words, before);
    }
}
