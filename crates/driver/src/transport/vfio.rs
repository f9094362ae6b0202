// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Cards through VFIO: `pci:0000:3b:00.0`.
//!
//! Two interfaces of the kernel lead there. Where there is the newer one, a descriptor per device with iommufd, and this
//! user may open it, it is taken; else the groups with a type 1 IOMMU that every kernel has.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::fmt;
use std::fs::File;
use std::io;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Once};
use std::time::Duration;

use iommufd_bindings::iommufd::{
    iommu_ioas_map, iommufd_ioas_map_flags_IOMMU_IOAS_MAP_FIXED_IOVA as FIXED_IOVA,
    iommufd_ioas_map_flags_IOMMU_IOAS_MAP_READABLE as READABLE,
    iommufd_ioas_map_flags_IOMMU_IOAS_MAP_WRITEABLE as WRITEABLE,
};
use iommufd_ioctls::{IommuFd, IommufdError};
use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, ioctl, opcode};
use rustix::process::{Resource, getrlimit};
use sealgate_abi::pci::{
    CLASS_CODE_AND_REVISION, COMMAND, COMMAND_BUS_MASTER, COMMAND_MEMORY, REGISTER_BAR,
    REGISTER_BAR_BYTES,
};
use sealgate_abi::regs::{QUEUES, RegisterIo};
use vfio_bindings::bindings::vfio::{
    VFIO_BASE, VFIO_DEVICE_FLAGS_RESET, VFIO_DMA_MAP_FLAG_READ, VFIO_DMA_MAP_FLAG_WRITE,
    VFIO_PCI_CONFIG_REGION_INDEX, VFIO_PCI_MSIX_IRQ_INDEX, VFIO_TYPE, vfio_device_info,
    vfio_iommu_type1_dma_map,
};
use vfio_ioctls::{VfioContainer, VfioDevice, VfioIommufd, VfioOps};

use super::bar::Bar;
use super::interrupts::EventFds;
use super::iova::Mappings;
use super::pci::{PciBus, PciError, PciFunction, VFIO_PCI};
use super::{DmaAccess, Iova, Transport, TransportError, reset_by_register};
use crate::PciAddress;
use crate::memory::{DmaMemory, HUGE_PAGE_BYTES};

/// The numbers of requests, counted from `VFIO_BASE` (linux/vfio.h).
const DEVICE_GET_INFO: u32 = 7;
const DEVICE_RESET: u32 = 11;
const MAP_DMA: u32 = 13;

/// How long an entry may take. A record takes a card about 10 us; the rest is for full rings and for functions that are
/// simulated.
const COMPLETION_TIMEOUT: Duration = Duration::from_secs(5);

/// A card that the kernel has handed to this process. What is open of the device is closed first, the memory that it may
/// reach freed last: fields are dropped in their order.
pub struct VfioTransport {
    address: String,
    simulated: bool,
    bar: Bar,
    config: Config,
    _device: Opened,
    resets: bool,
    interrupts: EventFds,
    iommu: Iommu,
    mappings: Mappings,
    /// Told once.
    no_huge_pages: Once,
}

impl VfioTransport {
    /// Opens the function at `address`, which must be bound to vfio-pci and behind an IOMMU.
    pub fn open(address: PciAddress) -> Result<Arc<Self>, VfioError> {
        Self::open_on(&PciBus::default(), address)
    }

    fn open_on(bus: &PciBus, address: PciAddress) -> Result<Arc<Self>, VfioError> {
        let function = bus.function(address)?;
        let driver = function.driver();
        if driver.as_deref() != Some(VFIO_PCI) {
            return Err(VfioError::NotBound { address, driver });
        }
        let group = function.iommu_group().ok_or(VfioError::NoIommu { address })?;
        let iommu = Iommu::open(&function)?;
        let explain = |source| VfioError::of(address, group, source);
        let device = Opened::open(function, &iommu).map_err(explain)?;
        let step = |what| move |source| VfioError::Device { address, what, source };
        let file = duplicate(&device).map_err(step("its descriptor could not be duplicated"))?;
        let bar = {
            let index = REGISTER_BAR.into();
            let bytes = u64::from(REGISTER_BAR_BYTES);
            if device.get_region_size(index) < bytes {
                return Err(VfioError::Registers { address, bytes });
            }
            Bar::map(&file, device.get_region_offset(index), REGISTER_BAR_BYTES as usize)
                .map_err(step("its registers could not be mapped"))?
        };
        let config =
            Config { offset: device.get_region_offset(VFIO_PCI_CONFIG_REGION_INDEX), file };
        config.enable().map_err(step("it could not be made a bus master"))?;
        let resets = can_reset(&config.file).map_err(step("it could not be asked what it is"))?;
        let interrupts = EventFds::new().map_err(step("there is no event descriptor"))?;
        let vectors = device.get_irq_info(VFIO_PCI_MSIX_IRQ_INDEX).map_or(0, |irq| irq.count);
        if (vectors as usize) < QUEUES {
            return Err(VfioError::Interrupts { address, vectors });
        }
        device.enable_msix(interrupts.first(QUEUES)).map_err(explain)?;
        Ok(Arc::new(Self {
            address: format!("pci:{address}"),
            simulated: device.function.is_simulated(),
            bar,
            config,
            resets,
            interrupts,
            mappings: Mappings::new(device.function.reserved_regions()),
            _device: device,
            iommu,
            no_huge_pages: Once::new(),
        }))
    }

    fn failed(&self, what: &'static str, source: io::Error) -> TransportError {
        TransportError::System { address: self.address.clone(), what, source }
    }

    fn not_mapped(&self, bytes: usize, source: io::Error) -> TransportError {
        let address = self.address.clone();
        let limit = getrlimit(Resource::Memlock).current;
        match (source.kind(), limit) {
            (io::ErrorKind::OutOfMemory, Some(limit)) => {
                TransportError::Memlock { address, bytes, limit }
            }
            _ => TransportError::Map { address, bytes, source },
        }
    }
}

impl RegisterIo for VfioTransport {
    fn read32(&self, offset: u32) -> u32 {
        self.bar.read32(offset)
    }

    fn write32(&self, offset: u32, value: u32) {
        self.bar.write32(offset, value);
    }
}

impl Transport for VfioTransport {
    fn address(&self) -> &str {
        &self.address
    }

    fn is_simulated(&self) -> bool {
        self.simulated
    }

    fn completion_timeout(&self) -> Duration {
        COMPLETION_TIMEOUT
    }

    fn map(&self, memory: &Arc<DmaMemory>, access: DmaAccess) -> Result<Iova, TransportError> {
        if memory.len() >= HUGE_PAGE_BYTES && memory.page_bytes() < HUGE_PAGE_BYTES {
            self.no_huge_pages.call_once(|| {
                let device = &self.address;
                tracing::info!(device, "no huge pages are free: memory is mapped in pages of 4 KiB; more with sysctl vm.nr_hugepages");
            });
        }
        let mapped = self.mappings.add(memory, |iova| self.iommu.map(iova, memory, access));
        let full = || io::Error::new(io::ErrorKind::StorageFull, "the IOVAs are used up");
        mapped
            .unwrap_or_else(|| Err(full()))
            .map_err(|source| self.not_mapped(memory.len(), source))
    }

    fn unmap(&self, iova: Iova) -> Result<(), TransportError> {
        let unmapped = self.mappings.remove(iova, |bytes| self.iommu.unmap(iova, bytes));
        let none = || TransportError::NotMapped { address: self.address.clone(), iova };
        unmapped.ok_or_else(none)?.map_err(|source| self.failed("memory stays mapped", source))
    }

    fn wait_for_interrupt(&self, queue: usize, timeout: Duration) -> Result<bool, TransportError> {
        let waited = self.interrupts.wait(queue, timeout);
        waited.map_err(|source| self.failed("its interrupts cannot be waited for", source))
    }

    fn interrupt_descriptor(&self, queue: usize) -> Option<BorrowedFd<'_>> {
        self.interrupts.of(queue)
    }

    fn reset(&self) -> Result<(), TransportError> {
        // The kernel waits a minute for a card that was pulled to come out of its reset.
        if !self.config.answers() {
            return Err(TransportError::Gone { address: self.address.clone() });
        }
        if self.resets {
            // SAFETY: the request takes no argument and touches no memory of this process.
            unsafe { ioctl(&self.config.file, Request { number: DEVICE_RESET, argument: () }) }
                .map_err(|error| self.failed("it could not be reset", error.into()))?;
        } else {
            reset_by_register(self)?;
        }
        self.config
            .enable()
            .map_err(|source| self.failed("it could not be made a bus master", source))
    }
}

impl fmt::Debug for VfioTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VfioTransport").field("address", &self.address).finish_non_exhaustive()
    }
}

/// A function that was opened.
struct Opened {
    device: ManuallyDrop<VfioDevice>,
    function: PciFunction,
}

impl Opened {
    fn open(function: PciFunction, iommu: &Iommu) -> Result<Self, vfio_ioctls::VfioError> {
        let device = VfioDevice::new(function.folder(), iommu.ops(), true)?;
        Ok(Self { device: ManuallyDrop::new(device), function })
    }
}

impl Deref for Opened {
    type Target = VfioDevice;

    fn deref(&self) -> &VfioDevice {
        &self.device
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // Closing a device of a group looks its group up again, and panics where that has gone together with the card.
        if self.function.iommu_group().is_some() {
            // SAFETY: dropped once, here, and used by nobody after.
            unsafe { ManuallyDrop::drop(&mut self.device) };
        }
    }
}

/// The configuration space of a function.
#[derive(Debug)]
struct Config {
    file: File,
    /// Where it begins in the file.
    offset: u64,
}

impl Config {
    /// Whether there is a function: without one, all ones are read. VFIO remembers the numbers of vendor and device, and
    /// asks the function for its class.
    fn answers(&self) -> bool {
        let mut class = [0; 4];
        let place = self.offset + u64::from(CLASS_CODE_AND_REVISION);
        let read = self.file.read_exact_at(&mut class, place);
        read.is_ok() && class != [0xFF; 4]
    }

    /// Lets the function answer on its BARs and reach memory. A reset takes that back on some cards.
    fn enable(&self) -> io::Result<()> {
        let place = self.offset + u64::from(COMMAND);
        let mut command = [0; 2];
        self.file.read_exact_at(&mut command, place)?;
        let command = u16::from_le_bytes(command) | COMMAND_MEMORY | COMMAND_BUS_MASTER;
        self.file.write_all_at(&command.to_le_bytes(), place)
    }
}

/// Who translates the addresses of a device.
enum Iommu {
    Type1(Arc<VfioContainer>),
    Iommufd(Arc<VfioIommufd>),
}

impl Iommu {
    fn open(function: &PciFunction) -> Result<Self, VfioError> {
        if has_own_descriptor(function) {
            let iommufd = IommuFd::new().map_err(|source| VfioError::Iommufd { source })?;
            let made = VfioIommufd::new(Arc::new(iommufd), None, None);
            let made = made.map_err(|source| VfioError::of(function.address(), 0, source))?;
            return Ok(Self::Iommufd(Arc::new(made)));
        }
        let container = VfioContainer::new(None);
        let group = function.iommu_group().unwrap_or(0);
        let container =
            container.map_err(|source| VfioError::of(function.address(), group, source))?;
        Ok(Self::Type1(Arc::new(container)))
    }

    fn ops(&self) -> Arc<dyn VfioOps> {
        match self {
            Self::Type1(container) => Arc::clone(container) as _,
            Self::Iommufd(iommufd) => Arc::clone(iommufd) as _,
        }
    }

    /// The libraries map everything for reading and writing; what the device only reads shall stay so.
    fn map(&self, iova: Iova, memory: &DmaMemory, access: DmaAccess) -> io::Result<()> {
        let (user_va, bytes) = (memory.as_ptr() as u64, memory.len() as u64);
        let writes = access == DmaAccess::ReadWrite;
        match self {
            Self::Type1(container) => {
                let write = if writes { VFIO_DMA_MAP_FLAG_WRITE } else { 0 };
                let argument = vfio_iommu_type1_dma_map {
                    argsz: size_of::<vfio_iommu_type1_dma_map>() as u32,
                    flags: VFIO_DMA_MAP_FLAG_READ | write,
                    vaddr: user_va,
                    iova: iova.0,
                    size: bytes,
                };
                // SAFETY: a container's descriptor is open while the container lives.
                let descriptor = unsafe { BorrowedFd::borrow_raw(container.as_raw_fd()) };
                // SAFETY: the argument is what the request takes. The device may write the memory from now on, which
                // `DmaMemory` is made for, and which `Mappings` keeps alive until it is unmapped.
                unsafe { ioctl(descriptor, Request { number: MAP_DMA, argument }) }?;
                Ok(())
            }
            Self::Iommufd(vfio) => {
                let write = if writes { WRITEABLE } else { 0 };
                let map = iommu_ioas_map {
                    size: size_of::<iommu_ioas_map>() as u32,
                    flags: FIXED_IOVA | READABLE | write,
                    ioas_id: vfio.ioas().id(),
                    __reserved: 0,
                    user_va,
                    length: bytes,
                    iova: iova.0,
                };
                vfio.iommufd().map_iommu_ioas(&map).map_err(|error| match error {
                    IommufdError::IommuIoasMap(error) => {
                        io::Error::from_raw_os_error(error.errno())
                    }
                    other => io::Error::other(other),
                })
            }
        }
    }

    fn unmap(&self, iova: Iova, bytes: usize) -> io::Result<()> {
        self.ops().vfio_dma_unmap(iova.0, bytes).map_err(io::Error::other)
    }
}

/// Whether the kernel offers a descriptor for the device itself, and this user may open it.
fn has_own_descriptor(function: &PciFunction) -> bool {
    File::options().read(true).write(true).open("/dev/iommu").is_ok()
        && VfioDevice::open_cdev(function.folder()).is_ok()
}

/// A file for the descriptor that the library keeps to itself.
fn duplicate(device: &VfioDevice) -> io::Result<File> {
    // SAFETY: a device's descriptor is open while the device lives.
    let descriptor = unsafe { BorrowedFd::borrow_raw(device.as_raw_fd()) };
    Ok(descriptor.try_clone_to_owned()?.into())
}

/// Whether the kernel can reset the function alone.
fn can_reset(device: &impl AsFd) -> io::Result<bool> {
    let argument = vfio_device_info {
        argsz: size_of::<vfio_device_info>() as u32,
        ..vfio_device_info::default()
    };
    let request = Request { number: DEVICE_GET_INFO, argument };
    // SAFETY: the argument is what the request takes, and fills.
    let info = unsafe { ioctl(device, request) }?;
    Ok(info.flags & VFIO_DEVICE_FLAGS_RESET != 0)
}

/// A request to VFIO with an argument in memory, or none. The answer is the argument as it then is.
struct Request<T> {
    number: u32,
    argument: T,
}

// SAFETY: VFIO's requests carry no size and no direction in their number; `argument` is the memory that they read and
// write, of the type that whoever makes a request vouches for.
unsafe impl<T> Ioctl for Request<T> {
    type Output = T;

    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        opcode::none(VFIO_TYPE, (VFIO_BASE + self.number) as u8)
    }

    fn as_ptr(&mut self) -> *mut c_void {
        (&raw mut self.argument).cast()
    }

    unsafe fn output_from_ptr(_: IoctlOutput, argument: *mut c_void) -> rustix::io::Result<T> {
        // SAFETY: it is the pointer that `as_ptr` gave, and the argument is not used again.
        Ok(unsafe { argument.cast::<T>().read() })
    }
}

/// Why a card cannot be driven.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VfioError {
    /// The function cannot be found or looked at.
    #[error(transparent)]
    Pci(#[from] PciError),
    /// Another driver has it, or none.
    #[error(
        "PCI function {address} is bound to {}, not to vfio-pci; bind it with: sealgate device bind pci:{address}",
        driver.as_deref().map_or_else(|| "no driver".to_owned(), |name| format!("the driver {name}"))
    )]
    NotBound {
        /// The function.
        address: PciAddress,
        /// The driver that has it.
        driver: Option<String>,
    },
    /// Nothing limits what the device can reach.
    #[error(
        "PCI function {address} has no IOMMU in front of it, so it could reach all memory; turn the IOMMU on in the \
         firmware and on the kernel's command line (intel_iommu=on), or, knowing that, use sysfs:{address} with --unsafe-dma"
    )]
    NoIommu {
        /// The function.
        address: PciAddress,
    },
    /// VFIO itself cannot be used.
    #[error("{} cannot be opened; load the module vfio-pci and give this user access to it", path.display())]
    Container {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The group of the function cannot be opened.
    #[error("/dev/vfio/{group} of PCI function {address} cannot be opened: {}", mend_of_group(source.kind()))]
    Group {
        /// The function.
        address: PciAddress,
        /// The group's number.
        group: u32,
        /// What the system said.
        source: io::Error,
    },
    /// Another function of the group has a driver of the kernel.
    #[error(
        "PCI function {address} shares IOMMU group {group} with functions that are not bound to vfio-pci; \
         bind or unbind those that ls /sys/kernel/iommu_groups/{group}/devices shows"
    )]
    NotViable {
        /// The function.
        address: PciAddress,
        /// The group's number.
        group: u32,
    },
    /// The newer interface of the kernel cannot be used.
    #[error("iommufd cannot be used")]
    Iommufd {
        /// What the library said.
        source: IommufdError,
    },
    /// The function has no registers where they should be.
    #[error(
        "PCI function {address} has no BAR 0 of {bytes} bytes: it is no sealgate engine; sealgate device list shows those"
    )]
    Registers {
        /// The function.
        address: PciAddress,
        /// Bytes that it should have.
        bytes: u64,
    },
    /// The function cannot send a message for each queue.
    #[error(
        "PCI function {address} has {vectors} MSI-X vectors, and {QUEUES} are needed; check the shell of the board"
    )]
    Interrupts {
        /// The function.
        address: PciAddress,
        /// Vectors that it has.
        vectors: u32,
    },
    /// A step of opening the device failed.
    #[error("PCI function {address}: {what}")]
    Device {
        /// The function.
        address: PciAddress,
        /// What could not be done.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Anything else that the kernel refused.
    #[error("PCI function {address} cannot be opened through VFIO")]
    Refused {
        /// The function.
        address: PciAddress,
        /// What the library said.
        source: vfio_ioctls::VfioError,
    },
}

impl VfioError {
    /// What the library says, in our words where there is a mend.
    fn of(address: PciAddress, group: u32, error: vfio_ioctls::VfioError) -> Self {
        match error {
            vfio_ioctls::VfioError::OpenContainer(source) => {
                Self::Container { path: "/dev/vfio/vfio".into(), source }
            }
            vfio_ioctls::VfioError::OpenGroup(source, _) => Self::Group { address, group, source },
            vfio_ioctls::VfioError::GroupViable => Self::NotViable { address, group },
            vfio_ioctls::VfioError::VfioExtension => Self::NoIommu { address },
            source => Self::Refused { address, source },
        }
    }
}

fn mend_of_group(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::PermissionDenied => {
            "this user may not; a udev rule gives it away, such as SUBSYSTEM==\"vfio\", GROUP=\"sealgate\", MODE=\"0660\""
        }
        io::ErrorKind::ResourceBusy => "another process drives the card; stop it",
        _ => "load the module vfio-pci, and bind the function again",
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// Opens the function of a tree like that of sysfs, with this driver and IOMMU group.
    fn open(driver: Option<&str>, group: Option<&str>) -> VfioError {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("devices/0000:02:00.0");
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in
            [("vendor", "0x10ee"), ("device", "0x5347"), ("subsystem_device", "0x0")]
        {
            fs::write(folder.join(name), text).unwrap();
        }
        for (link, target) in [("driver", driver), ("iommu_group", group)] {
            if let Some(target) = target {
                symlink(root.path().join(target), folder.join(link)).unwrap();
            }
        }
        let address = "0000:02:00.0".parse().unwrap();
        VfioTransport::open_on(&PciBus::at(root.path()), address).unwrap_err()
    }

    #[test]
    fn a_function_of_another_driver_is_left_alone_and_the_mend_told() {
        let error = open(Some("xdma"), Some("7")).to_string();
        assert!(error.contains("the driver xdma") && error.contains("device bind"), "{error}");
        let error = open(None, Some("7")).to_string();
        assert!(error.contains("no driver"), "{error}");
    }

    #[test]
    fn a_function_without_an_iommu_is_refused() {
        let error = open(Some(VFIO_PCI), None);
        assert!(matches!(error, VfioError::NoIommu { .. }), "{error}");
    }

    #[test]
    fn a_group_that_cannot_be_opened_is_told_with_its_mend() {
        let address = "0000:02:00.0".parse().unwrap();
        for (kind, mend) in [
            (io::ErrorKind::PermissionDenied, "udev rule"),
            (io::ErrorKind::ResourceBusy, "another process"),
            (io::ErrorKind::NotFound, "vfio-pci"),
        ] {
            let opened = vfio_ioctls::VfioError::OpenGroup(kind.into(), "7".to_owned());
            let error = VfioError::of(address, 7, opened).to_string();
            assert!(error.contains("/dev/vfio/7") && error.contains(mend), "{error}");
        }
    }
}
