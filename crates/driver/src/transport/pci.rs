// SPDX-License-Identifier: Apache-2.0 OR MIT
//! PCI functions as the kernel shows them in sysfs: which there are, whose they are, and whose they become.

use std::fs;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use sealgate_abi::pci::{DEVICE_ID, SUBSYSTEM_SIMULATED, VENDOR_ID};

use crate::PciAddress;

/// The driver of the kernel that hands a function to a program.
pub const VFIO_PCI: &str = "vfio-pci";

/// All PCI functions of a system.
#[derive(Clone, Debug)]
pub struct PciBus {
    /// Where sysfs shows it.
    root: PathBuf,
}

impl Default for PciBus {
    fn default() -> Self {
        Self { root: "/sys/bus/pci".into() }
    }
}

impl PciBus {
    /// The functions that `root` shows, in place of `/sys/bus/pci`.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// All functions, in the order of their addresses. A system without PCI has none.
    pub fn functions(&self) -> Result<Vec<PciFunction>, PciError> {
        let folder = self.root.join("devices");
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(PciError::read(&folder))?,
        };
        let addresses = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let mut addresses: Vec<PciAddress> = addresses.collect();
        addresses.sort_unstable();
        addresses.into_iter().map(|address| self.function(address)).collect()
    }

    /// What is at an address.
    pub fn function(&self, address: PciAddress) -> Result<PciFunction, PciError> {
        let folder = self.root.join("devices").join(address.to_string());
        if !folder.exists() {
            return Err(PciError::Missing { address });
        }
        let id = |name: &str| read_hex(&folder.join(name));
        Ok(PciFunction {
            address,
            bus: self.clone(),
            vendor: id("vendor")?,
            device: id("device")?,
            // Bridges have none.
            subsystem: id("subsystem_device").unwrap_or(0),
            folder,
        })
    }
}

/// A PCI function.
#[derive(Clone, Debug)]
pub struct PciFunction {
    address: PciAddress,
    bus: PciBus,
    folder: PathBuf,
    vendor: u16,
    device: u16,
    subsystem: u16,
}

impl PciFunction {
    /// Where it is.
    #[must_use]
    pub fn address(&self) -> PciAddress {
        self.address
    }

    /// Its vendor and device number.
    #[must_use]
    pub fn ids(&self) -> [u16; 2] {
        [self.vendor, self.device]
    }

    /// Whether it says that it is a record engine.
    #[must_use]
    pub fn is_sealgate(&self) -> bool {
        self.ids() == [VENDOR_ID, DEVICE_ID]
    }

    /// Whether it says that it is a simulation.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        self.is_sealgate() && self.subsystem == SUBSYSTEM_SIMULATED
    }

    /// Where sysfs shows it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The driver of the kernel that it is bound to.
    #[must_use]
    pub fn driver(&self) -> Option<String> {
        link_name(&self.folder.join("driver"))
    }

    /// The number of its IOMMU group, that of `/dev/vfio/NUMBER`. `None`: no IOMMU is in front of it.
    #[must_use]
    pub fn iommu_group(&self) -> Option<u32> {
        // VFIO makes up groups for functions that have none, if it was told to do without an IOMMU.
        let name = fs::read_to_string(self.folder.join("iommu_group/name")).unwrap_or_default();
        if name.trim_end() == "vfio-noiommu" {
            return None;
        }
        link_name(&self.folder.join("iommu_group"))?.parse().ok()
    }

    /// Addresses that the IOMMU does not translate for it.
    pub(super) fn reserved_regions(&self) -> Vec<RangeInclusive<u64>> {
        let path = self.folder.join("iommu_group/reserved_regions");
        let text = fs::read_to_string(path).unwrap_or_default();
        // Such as "0x00000000fee00000 0x00000000feefffff msi".
        let range = |line: &str| {
            let mut ends = line
                .split(' ')
                .map_while(|end| u64::from_str_radix(end.strip_prefix("0x")?, 16).ok());
            Some(ends.next()?..=ends.next()?)
        };
        text.lines().filter_map(range).collect()
    }

    /// Takes the function from the driver that has it and hands it to vfio-pci, for a program to drive it. Needs root.
    pub fn bind(&self) -> Result<(), PciError> {
        if self.driver().as_deref() == Some(VFIO_PCI) {
            return Ok(());
        }
        if !self.bus.root.join("drivers").join(VFIO_PCI).exists() {
            return Err(PciError::NoVfioPci);
        }
        self.write("driver_override", VFIO_PCI)?;
        self.unbind_now()?;
        self.probe()?;
        match self.driver() {
            Some(driver) if driver == VFIO_PCI => Ok(()),
            _ => Err(PciError::NotBound { address: self.address }),
        }
    }

    /// Hands the function back to the driver that the kernel picks for it, if it has one. Needs root.
    pub fn unbind(&self) -> Result<(), PciError> {
        // An empty line takes the choice back.
        self.write("driver_override", "\n")?;
        self.unbind_now()?;
        self.probe()
    }

    fn unbind_now(&self) -> Result<(), PciError> {
        if self.driver().is_none() {
            return Ok(());
        }
        self.write("driver/unbind", &self.address.to_string())
    }

    fn probe(&self) -> Result<(), PciError> {
        let path = self.bus.root.join("drivers_probe");
        fs::write(&path, self.address.to_string()).map_err(PciError::write(&path))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), PciError> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(PciError::write(&path))
    }
}

/// The last part of what a link points at.
fn link_name(link: &Path) -> Option<String> {
    Some(fs::read_link(link).ok()?.file_name()?.to_str()?.to_owned())
}

/// A number such as 0x10ee.
fn read_hex(path: &Path) -> Result<u16, PciError> {
    let text = fs::read_to_string(path).map_err(PciError::read(path))?;
    let digits = text.trim_end().strip_prefix("0x").unwrap_or_default();
    u16::from_str_radix(digits, 16).map_err(|_| {
        let source =
            io::Error::new(io::ErrorKind::InvalidData, "it holds no number such as 0x10ee");
        PciError::Read { path: path.to_owned(), source }
    })
}

/// Something about a PCI function could not be found out or done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PciError {
    /// There is nothing at the address.
    #[error(
        "there is no PCI function {address}; sealgate device list, or lspci -D, shows those that there are"
    )]
    Missing {
        /// The address.
        address: PciAddress,
    },
    /// The kernel has no vfio-pci.
    #[error("the kernel driver vfio-pci is not there; load it with: modprobe vfio-pci")]
    NoVfioPci,
    /// vfio-pci did not take the function.
    #[error("vfio-pci did not take the PCI function {address}; dmesg says why")]
    NotBound {
        /// The address.
        address: PciAddress,
    },
    /// A file of sysfs could not be read.
    #[error("{} could not be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of sysfs could not be written.
    #[error("{} could not be written; binding and unbinding needs root", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl PciError {
    fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Read { path: path.to_owned(), source }
    }

    fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Write { path: path.to_owned(), source }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    /// A tree like that of sysfs, with one function for each address, whose driver is `driver`.
    fn tree(addresses: &[&str], driver: &str) -> (TempDir, PciBus) {
        let root = tempfile::tempdir().unwrap();
        for driver in [driver, VFIO_PCI] {
            fs::create_dir_all(root.path().join("drivers").join(driver)).unwrap();
        }
        for address in addresses {
            let folder = root.path().join("devices").join(address);
            fs::create_dir_all(folder.join("group/7")).unwrap();
            for (name, text) in
                [("vendor", "0x10ee\n"), ("device", "0x5347\n"), ("subsystem_device", "0x0051\n")]
            {
                fs::write(folder.join(name), text).unwrap();
            }
            let regions = "0x00000000fee00000 0x00000000feefffff msi\nnonsense\n";
            fs::write(folder.join("group/7/reserved_regions"), regions).unwrap();
            symlink(folder.join("group/7"), folder.join("iommu_group")).unwrap();
            symlink(root.path().join("drivers").join(driver), folder.join("driver")).unwrap();
        }
        let bus = PciBus::at(root.path());
        (root, bus)
    }

    #[test]
    fn functions_tell_what_they_are() {
        let (_root, bus) = tree(&["0000:3b:00.1", "0000:02:00.0"], "xdma");
        let functions = bus.functions().unwrap();
        let [first, second] = &functions[..] else { panic!("{functions:?}") };
        assert_eq!(
            [first, second].map(|it| it.address().to_string()),
            ["0000:02:00.0", "0000:3b:00.1"]
        );
        assert!(first.is_sealgate() && first.is_simulated());
        assert_eq!(first.driver().as_deref(), Some("xdma"));
        assert_eq!(first.iommu_group(), Some(7));
        assert_eq!(first.reserved_regions(), [0xfee0_0000..=0xfeef_ffff]);
    }

    #[test]
    fn a_system_without_pci_has_no_functions() {
        let root = tempfile::tempdir().unwrap();
        let bus = PciBus::at(root.path());
        assert!(bus.functions().unwrap().is_empty());
        let missing = bus.function("0000:3b:00.0".parse().unwrap());
        assert!(matches!(missing, Err(PciError::Missing { .. })), "{missing:?}");
    }

    #[test]
    fn binding_names_the_driver_and_asks_the_kernel_again() {
        let (root, bus) = tree(&["0000:02:00.0"], "xdma");
        let function = bus.function("0000:02:00.0".parse().unwrap()).unwrap();
        // This tree has no kernel that would change the driver.
        assert!(matches!(function.bind(), Err(PciError::NotBound { .. })));
        let written = |name: &str| fs::read_to_string(root.path().join(name)).unwrap();
        assert_eq!(written("devices/0000:02:00.0/driver_override"), VFIO_PCI);
        assert_eq!(written("drivers/xdma/unbind"), "0000:02:00.0");
        assert_eq!(written("drivers_probe"), "0000:02:00.0");
        function.unbind().unwrap();
        assert_eq!(written("devices/0000:02:00.0/driver_override"), "\n");
    }

    #[test]
    fn binding_says_when_vfio_pci_is_not_loaded_and_when_it_has_the_function_already() {
        let (root, bus) = tree(&["0000:02:00.0"], "xdma");
        fs::remove_dir(root.path().join("drivers").join(VFIO_PCI)).unwrap();
        let function = bus.function("0000:02:00.0".parse().unwrap()).unwrap();
        assert!(matches!(function.bind(), Err(PciError::NoVfioPci)));
        let (_root, bus) = tree(&["0000:02:00.0"], VFIO_PCI);
        bus.function("0000:02:00.0".parse().unwrap()).unwrap().bind().unwrap();
    }
}
