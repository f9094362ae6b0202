// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Cards through their files in sysfs: `sysfs:0000:3b:00.0`.
//!
//! For bring-up, and for boards behind the driver of a vendor's shell. Registers are mapped and nothing else is touched:
//! there are no interrupts, so rings are polled, and no memory is mapped. [`UnsafeDma`] adds memory, by its physical
//! address: nothing stands between the card and all memory of the machine then.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::mm::{mlock, munlock};
use sealgate_abi::pci::{COMMAND, COMMAND_BUS_MASTER, COMMAND_MEMORY, REGISTER_BAR_BYTES};
use sealgate_abi::regs::RegisterIo;

use super::bar::Bar;
use super::pci::{PciBus, PciError, PciFunction};
use super::{DmaAccess, Iova, Transport, TransportError, reset_by_register};
use crate::PciAddress;
use crate::memory::{DmaMemory, PAGE_BYTES};

/// Pause between two looks at a ring.
const POLL_INTERVAL: Duration = Duration::from_micros(200);

/// How long an entry may take.
const COMPLETION_TIMEOUT: Duration = Duration::from_secs(5);

/// In an entry of `/proc/self/pagemap`: the page is in memory, and its number (Documentation/admin-guide/mm/pagemap.rst).
const PAGE_PRESENT: u64 = 1 << 63;
const PAGE_NUMBER: u64 = (1 << 55) - 1;

/// Says that a card may reach memory by physical addresses, without an IOMMU. A fault in the card, in its shell or here
/// can then overwrite anything, the kernel too. Needs root.
#[derive(Clone, Copy, Debug)]
pub struct UnsafeDma;

/// A card whose registers are mapped from sysfs.
#[derive(Debug)]
pub struct SysfsTransport {
    address: String,
    function: PciFunction,
    bar: Bar,
    /// The pages of this process, where the user asked for DMA.
    pages: Option<File>,
    /// What the device may reach, by its physical address.
    mapped: Mutex<Vec<(Iova, Arc<DmaMemory>)>>,
}

impl SysfsTransport {
    /// Maps the registers of the function at `address`. Without `dma` memory cannot be mapped, so a device can be looked
    /// at and not be used.
    pub fn open(address: PciAddress, dma: Option<UnsafeDma>) -> Result<Arc<Self>, SysfsError> {
        Self::open_on(&PciBus::default(), address, dma)
    }

    fn open_on(
        bus: &PciBus,
        address: PciAddress,
        dma: Option<UnsafeDma>,
    ) -> Result<Arc<Self>, SysfsError> {
        let function = bus.function(address)?;
        let bar = map_registers(&function)?;
        let pages = dma.map(|UnsafeDma| reach_memory(&function)).transpose()?;
        Ok(Arc::new(Self {
            address: format!("sysfs:{address}"),
            function,
            bar,
            pages,
            mapped: Mutex::default(),
        }))
    }

    fn not_mapped(&self, bytes: usize, source: io::Error) -> TransportError {
        TransportError::Map { address: self.address.clone(), bytes, source }
    }
}

fn map_registers(function: &PciFunction) -> Result<Bar, SysfsError> {
    let path = function.folder().join("resource0");
    let map = || {
        let file = File::options().read(true).write(true).open(&path)?;
        if file.metadata()?.len() < REGISTER_BAR_BYTES.into() {
            let what = "BAR 0 is smaller than the registers of a sealgate engine";
            return Err(io::Error::other(what));
        }
        // A function that no driver has taken may not answer on its BARs.
        enable(function, COMMAND_MEMORY)?;
        Bar::map(&file, 0, REGISTER_BAR_BYTES as usize)
    };
    map().map_err(|source| SysfsError::Registers { address: function.address(), source })
}

/// Makes the function a bus master; the result tells the physical addresses of this process's pages.
fn reach_memory(function: &PciFunction) -> Result<File, SysfsError> {
    let pages =
        enable(function, COMMAND_BUS_MASTER).and_then(|()| File::open("/proc/self/pagemap"));
    let pages = pages.map_err(|source| SysfsError::Dma { address: function.address(), source })?;
    tracing::warn!(
        device = %function.address(),
        "the card reaches memory by physical addresses and nothing limits it: a fault can overwrite anything"
    );
    Ok(pages)
}

/// Sets bits of the function's command register.
fn enable(function: &PciFunction, bits: u16) -> io::Result<()> {
    change_command(function, |command| command | bits)
}

fn change_command(function: &PciFunction, change: impl FnOnce(u16) -> u16) -> io::Result<()> {
    let config = File::options().read(true).write(true).open(function.folder().join("config"))?;
    let mut command = [0; 2];
    config.read_exact_at(&mut command, COMMAND.into())?;
    let command = change(u16::from_le_bytes(command));
    config.write_all_at(&command.to_le_bytes(), COMMAND.into())
}

/// Nothing else keeps the card from memory that is about to be freed.
impl Drop for SysfsTransport {
    fn drop(&mut self) {
        if self.pages.is_none() {
            return;
        }
        if let Err(error) = change_command(&self.function, |it| it & !COMMAND_BUS_MASTER) {
            tracing::error!(device = self.address, %error, "the card may still reach memory: take it out of service");
        }
    }
}

impl RegisterIo for SysfsTransport {
    fn read32(&self, offset: u32) -> u32 {
        self.bar.read32(offset)
    }

    fn write32(&self, offset: u32, value: u32) {
        self.bar.write32(offset, value);
    }
}

impl Transport for SysfsTransport {
    fn address(&self) -> &str {
        &self.address
    }

    fn is_simulated(&self) -> bool {
        self.function.is_simulated()
    }

    fn completion_timeout(&self) -> Duration {
        COMPLETION_TIMEOUT
    }

    fn needs_contiguous_memory(&self) -> bool {
        self.pages.is_some()
    }

    fn map(&self, memory: &Arc<DmaMemory>, _: DmaAccess) -> Result<Iova, TransportError> {
        let Some(pages) = &self.pages else {
            return Err(TransportError::NoDma { address: self.address.clone() });
        };
        let iova = pin(memory, pages).map_err(|source| self.not_mapped(memory.len(), source))?;
        let mut mapped = self.mapped.lock().unwrap_or_else(PoisonError::into_inner);
        mapped.push((iova, Arc::clone(memory)));
        Ok(iova)
    }

    fn unmap(&self, iova: Iova) -> Result<(), TransportError> {
        let mut mapped = self.mapped.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(at) = mapped.iter().position(|(start, _)| *start == iova) else {
            return Err(TransportError::NotMapped { address: self.address.clone(), iova });
        };
        let (_, memory) = mapped.swap_remove(at);
        // SAFETY: the range is that of the memory; unlocking changes nothing that can be seen.
        let _ = unsafe { munlock(memory.as_ptr().cast(), memory.len()) };
        Ok(())
    }

    fn has_interrupts(&self) -> bool {
        false
    }

    fn wait_for_interrupt(&self, _: usize, timeout: Duration) -> Result<bool, TransportError> {
        // Nothing tells: whoever waits looks at the ring.
        thread::sleep(timeout.min(POLL_INTERVAL));
        Ok(true)
    }

    fn reset(&self) -> Result<(), TransportError> {
        reset_by_register(self)
    }
}

/// Keeps memory where it is and finds its physical address. It must be in one piece, which takes a huge page if it is
/// longer than a page.
fn pin(memory: &DmaMemory, pages: &File) -> io::Result<Iova> {
    // SAFETY: the range is that of the memory; locking changes nothing that can be seen.
    unsafe { mlock(memory.as_ptr().cast(), memory.len()) }?;
    let first = memory.as_ptr() as usize / PAGE_BYTES;
    let mut start = 0;
    for page in 0..memory.len().div_ceil(PAGE_BYTES) {
        let mut entry = [0; size_of::<u64>()];
        pages.read_exact_at(&mut entry, ((first + page) * size_of::<u64>()) as u64)?;
        let entry = u64::from_le_bytes(entry);
        let number = entry & PAGE_NUMBER;
        if entry & PAGE_PRESENT == 0 || number == 0 {
            return Err(io::Error::other("the kernel does not tell where its pages are; be root"));
        }
        if page == 0 {
            start = number;
        } else if number != start + page as u64 {
            return Err(io::Error::other(
                "it is not in one piece; reserve huge pages: sysctl vm.nr_hugepages=64",
            ));
        }
    }
    Ok(Iova(start * PAGE_BYTES as u64))
}

/// Why the registers of a card cannot be reached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SysfsError {
    /// The function cannot be found or looked at.
    #[error(transparent)]
    Pci(#[from] PciError),
    /// BAR 0 cannot be mapped.
    #[error(
        "BAR 0 of PCI function {address} cannot be mapped from sysfs; that needs root, and a kernel without lockdown"
    )]
    Registers {
        /// The function.
        address: PciAddress,
        /// What the system said.
        source: io::Error,
    },
    /// The card cannot be made a bus master, or physical addresses are not told.
    #[error("PCI function {address} cannot be given DMA by physical addresses; that needs root")]
    Dma {
        /// The function.
        address: PciAddress,
        /// What the system said.
        source: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A function of a tree like that of sysfs, whose BAR 0 has so many bytes.
    fn tree(bar_bytes: u64) -> (tempfile::TempDir, PciBus) {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("devices/0000:02:00.0");
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in
            [("vendor", "0x10ee"), ("device", "0x5347"), ("config", "\0\0\0\0\0\0\0\0")]
        {
            fs::write(folder.join(name), text).unwrap();
        }
        File::create(folder.join("resource0")).unwrap().set_len(bar_bytes).unwrap();
        let bus = PciBus::at(root.path());
        (root, bus)
    }

    #[test]
    fn registers_are_reached_and_memory_is_not_unless_it_was_asked_for() {
        let (root, bus) = tree(REGISTER_BAR_BYTES.into());
        let transport = SysfsTransport::open_on(&bus, "0000:02:00.0".parse().unwrap(), None);
        let transport = transport.unwrap();
        transport.write32(0x40, 7);
        assert_eq!(transport.read32(0x40), 7);
        assert_eq!(command_of(&root), COMMAND_MEMORY, "no bus master");
        let memory = DmaMemory::allocate(1).unwrap();
        let refused = transport.map(&memory, DmaAccess::Read);
        assert!(matches!(refused, Err(TransportError::NoDma { .. })), "{refused:?}");
        assert!(transport.wait_for_interrupt(0, Duration::ZERO).unwrap(), "rings are polled");
    }

    fn command_of(root: &tempfile::TempDir) -> u16 {
        let config = fs::read(root.path().join("devices/0000:02:00.0/config")).unwrap();
        u16::from_le_bytes([config[4], config[5]])
    }

    #[test]
    fn a_card_is_a_bus_master_only_while_it_is_open_with_dma() {
        let (root, bus) = tree(REGISTER_BAR_BYTES.into());
        let address = "0000:02:00.0".parse().unwrap();
        let transport = SysfsTransport::open_on(&bus, address, Some(UnsafeDma)).unwrap();
        assert_eq!(command_of(&root), COMMAND_MEMORY | COMMAND_BUS_MASTER);
        drop(transport);
        assert_eq!(command_of(&root), COMMAND_MEMORY);
    }

    #[test]
    fn a_bar_that_is_too_small_is_refused() {
        let (_root, bus) = tree(4096);
        let refused = SysfsTransport::open_on(&bus, "0000:02:00.0".parse().unwrap(), None);
        assert!(matches!(refused, Err(SysfsError::Registers { .. })), "{refused:?}");
    }
}
