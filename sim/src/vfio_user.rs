// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The simulated device as a PCI Express function behind a socket, for a virtual machine or another process.
//!
//! The protocol is that of VFIO in messages (vfio-user). The client maps its memory by descriptor, so the device reads
//! and writes it in place, through the same IOMMU as every simulated device: what is not mapped faults. Interrupt messages
//! leave through the event descriptors that the client hands over for the MSI-X vectors.

mod config_space;
mod memory;

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::vfio_user::{DmaMapFlags, DmaUnmapFlags, IrqInfo, Server, ServerBackend, ServerRegion};
use sealgate_abi::pci::{REGISTER_BAR, REGISTER_BAR_BYTES};
use sealgate_abi::regs::{QUEUES, RegisterIo};
use sealgate_driver::Transport;
use sealgate_driver::transport::Iova;
use vfio_bindings::bindings::vfio::{
    VFIO_IRQ_INFO_EVENTFD, VFIO_IRQ_INFO_NORESIZE, VFIO_IRQ_SET_ACTION_TRIGGER,
    VFIO_IRQ_SET_DATA_EVENTFD, VFIO_PCI_CONFIG_REGION_INDEX, VFIO_PCI_MSIX_IRQ_INDEX,
    VFIO_PCI_NUM_IRQS, VFIO_PCI_NUM_REGIONS, VFIO_REGION_INFO_FLAG_READ,
    VFIO_REGION_INFO_FLAG_WRITE, vfio_region_info,
};

use self::config_space::{CONFIG_BYTES, ConfigSpace, Effect, MSIX_BAR, MSIX_BAR_BYTES};
use self::memory::ClientMemory;
use crate::transport::SimTransport;

/// A simulated device at a socket. It serves one client at a time.
pub struct DeviceServer {
    server: Server,
    device: Arc<SimTransport>,
    socket: PathBuf,
}

impl DeviceServer {
    /// Makes the socket, in the place of one that a server before has left behind. Clients may connect from now on, and
    /// wait for [`Self::serve`].
    pub fn bind(socket: &Path, device: Arc<SimTransport>) -> Result<Self, ServeError> {
        let failed = |source| ServeError::Socket { socket: socket.to_owned(), source };
        if let Ok(about) = std::fs::symlink_metadata(socket) {
            if !about.file_type().is_socket() {
                return Err(ServeError::NoSocket { socket: socket.to_owned() });
            }
            if UnixStream::connect(socket).is_ok() {
                return Err(ServeError::InUse { socket: socket.to_owned() });
            }
            std::fs::remove_file(socket).map_err(failed)?;
        }
        let listener = OwnedFd::from(UnixListener::bind(socket).map_err(failed)?);
        let server = Server::from_owned_fd(listener, true, interrupts(), regions());
        Ok(Self { server, device, socket: socket.to_owned() })
    }

    /// Serves the next client until it leaves. Nothing of it is left then: the device is reset and reaches no memory.
    pub fn serve(&self) -> Result<(), ServeError> {
        let mut function = Function::new(&self.device);
        function.start_over();
        // The library panics at messages that are shorter than they must be. Only its own state is lost with it, that of
        // this connection.
        let served = panic::catch_unwind(AssertUnwindSafe(|| self.server.run(&mut function)));
        function.leave();
        match served {
            Ok(served) => served.map_err(|source| ServeError::Client { source }),
            Err(_) => Err(ServeError::Message),
        }
    }
}

impl Drop for DeviceServer {
    fn drop(&mut self) {
        // It is gone already, or the next server takes its place.
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// Bytes of a region of the function.
fn region_bytes(index: u32) -> u64 {
    match index {
        _ if index == u32::from(REGISTER_BAR) => REGISTER_BAR_BYTES.into(),
        MSIX_BAR => MSIX_BAR_BYTES.into(),
        VFIO_PCI_CONFIG_REGION_INDEX => CONFIG_BYTES as u64,
        _ => 0,
    }
}

/// Whether an access lies inside its region. What does not is an error: its size is the client's, and so would be the
/// work that it makes.
fn check(region: u32, offset: u64, bytes: usize) -> io::Result<()> {
    let end = offset.checked_add(bytes as u64);
    if end.is_some_and(|end| end <= region_bytes(region)) {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "an access past the end of its region"))
}

/// What VFIO calls the regions of a PCI function: six BARs, the ROM, the configuration space, and VGA.
fn regions() -> Vec<ServerRegion> {
    let region = |index| {
        let size = region_bytes(index);
        let access = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
        let region_info = vfio_region_info {
            argsz: size_of::<vfio_region_info>() as u32,
            index,
            flags: if size > 0 { access } else { 0 },
            size,
            ..vfio_region_info::default()
        };
        ServerRegion { region_info, sparse_areas: Vec::new(), mmap_fd: None }
    };
    (0..VFIO_PCI_NUM_REGIONS).map(region).collect()
}

/// The kinds of interrupts of a PCI function, of which this one has MSI-X.
fn interrupts() -> Vec<IrqInfo> {
    let kind = |index| match index {
        VFIO_PCI_MSIX_IRQ_INDEX => {
            let flags = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
            IrqInfo { index, flags, count: QUEUES as u32 }
        }
        _ => IrqInfo { index, flags: 0, count: 0 },
    };
    (0..VFIO_PCI_NUM_IRQS).map(kind).collect()
}

/// The function as one client sees it. No request is answered with an error, but accesses outside a region: the protocol's
/// errors say nothing of why.
struct Function<'a> {
    device: &'a SimTransport,
    config: ConfigSpace,
    memory: ClientMemory,
}

impl<'a> Function<'a> {
    fn new(device: &'a SimTransport) -> Self {
        Self { device, config: ConfigSpace::default(), memory: ClientMemory::default() }
    }

    /// As after power-on.
    fn start_over(&mut self) {
        if self.device.reset().is_err() {
            tracing::warn!("the device is gone and cannot be reset");
        }
        self.config = ConfigSpace::default();
        self.device.set_bus_master(self.config.is_bus_master());
    }

    fn leave(&mut self) {
        (0..QUEUES).for_each(|queue| self.device.signal_to(queue, None));
        self.start_over();
        self.memory.unmap_all(self.device.memory());
    }
}

impl ServerBackend for Function<'_> {
    fn region_read(&mut self, region: u32, offset: u64, data: &mut [u8]) -> io::Result<()> {
        check(region, offset, data.len())?;
        data.fill(0);
        match region {
            VFIO_PCI_CONFIG_REGION_INDEX => self.config.read(offset, data),
            // Registers have 32 bits; a client may ask for several.
            _ if region == u32::from(REGISTER_BAR) && offset.is_multiple_of(4) => {
                for (word, bytes) in data.chunks_mut(4).enumerate() {
                    let value = self.device.read32(offset as u32 + 4 * word as u32);
                    bytes.copy_from_slice(&value.to_le_bytes()[..bytes.len()]);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn region_write(&mut self, region: u32, offset: u64, data: &[u8]) -> io::Result<()> {
        check(region, offset, data.len())?;
        match region {
            VFIO_PCI_CONFIG_REGION_INDEX => match self.config.write(offset, data) {
                Some(Effect::Reset) => self.start_over(),
                Some(Effect::Command) => self.device.set_bus_master(self.config.is_bus_master()),
                None => {}
            },
            _ if region == u32::from(REGISTER_BAR) && offset.is_multiple_of(4) => {
                for (word, bytes) in data.chunks_exact(4).enumerate() {
                    let value = bytes.try_into().map_or(0, u32::from_le_bytes);
                    self.device.write32(offset as u32 + 4 * word as u32, value);
                }
            }
            // The table of MSI-X vectors is the client's affair.
            _ => {}
        }
        Ok(())
    }

    fn dma_map(
        &mut self,
        flags: DmaMapFlags,
        offset: u64,
        address: u64,
        size: u64,
        file: Option<File>,
    ) -> io::Result<()> {
        let writable = flags.contains(DmaMapFlags::WRITE);
        let mapped = self.memory.map(self.device.memory(), file, [offset, address, size], writable);
        if let Err(error) = mapped {
            // Such as the ROMs of a virtual machine. A device that reaches for it gets a fault.
            tracing::debug!(address, size, %error, "memory of the client is not mapped");
        }
        Ok(())
    }

    fn dma_unmap(&mut self, flags: DmaUnmapFlags, address: u64, size: u64) -> io::Result<()> {
        if flags.contains(DmaUnmapFlags::UNMAP_ALL) {
            self.memory.unmap_all(self.device.memory());
        } else {
            self.device.memory().unmap_range(Iova(address), size);
        }
        Ok(())
    }

    fn reset(&mut self) -> io::Result<()> {
        self.start_over();
        Ok(())
    }

    fn set_irqs(
        &mut self,
        index: u32,
        flags: u32,
        start: u32,
        count: u32,
        files: Vec<File>,
    ) -> io::Result<()> {
        if index != VFIO_PCI_MSIX_IRQ_INDEX || flags & VFIO_IRQ_SET_ACTION_TRIGGER == 0 {
            return Ok(());
        }
        if flags & VFIO_IRQ_SET_DATA_EVENTFD == 0 || count == 0 {
            (0..QUEUES).for_each(|queue| self.device.signal_to(queue, None));
            return Ok(());
        }
        // Vectors without a descriptor are switched off.
        let files = files.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
        let (start, count) = (start as usize, count as usize);
        for (vector, file) in (start..QUEUES.min(start.saturating_add(count))).zip(files) {
            self.device.signal_to(vector, file);
        }
        Ok(())
    }
}

/// A device could not be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// There is a server at the socket.
    #[error("{} is the socket of a server that runs; stop it or choose another", socket.display())]
    InUse {
        /// The socket.
        socket: PathBuf,
    },
    /// There is something else where the socket should be made.
    #[error("{} is there and no socket; choose another path", socket.display())]
    NoSocket {
        /// The path.
        socket: PathBuf,
    },
    /// The client sent what is no message of the protocol.
    #[error("the client sent a malformed message, and was left")]
    Message,
    /// The socket could not be made.
    #[error("the socket {} could not be made", socket.display())]
    Socket {
        /// The socket.
        socket: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The connection with a client ended early.
    #[error("the client was lost")]
    Client {
        /// What the library said.
        source: ::vfio_user::Error,
    },
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::time::Duration;

    use sealgate_abi::regs::Sealgate;

    use super::*;
    use crate::SimConfig;

    fn model() -> Arc<SimTransport> {
        SimTransport::model(SimConfig::default()).unwrap()
    }

    #[test]
    fn accesses_past_the_end_of_a_region_are_refused() {
        let device = model();
        let mut function = Function::new(&device);
        for (region, offset, bytes) in [
            (REGISTER_BAR.into(), 0xffff_fffc, 8),
            (REGISTER_BAR.into(), 1 << 32, 4),
            (REGISTER_BAR.into(), u64::MAX - 3, 4),
            (VFIO_PCI_CONFIG_REGION_INDEX, CONFIG_BYTES as u64 - 2, 4),
            (1, 0, 4),
        ] {
            let mut data = vec![0; bytes];
            assert!(function.region_read(region, offset, &mut data).is_err(), "{region} {offset}");
            assert!(function.region_write(region, offset, &data).is_err(), "{region} {offset}");
        }
        let magic = Sealgate::new(&*device).device().magic().address();
        let mut word = [0; 4];
        function.region_read(REGISTER_BAR.into(), magic.into(), &mut word).unwrap();
        assert_ne!(word, [0; 4]);
    }

    #[test]
    fn vectors_that_do_not_exist_make_no_work() {
        let device = model();
        let mut function = Function::new(&device);
        let flags = VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_EVENTFD;
        for start in [0, 3, u32::MAX] {
            function.set_irqs(VFIO_PCI_MSIX_IRQ_INDEX, flags, start, u32::MAX, Vec::new()).unwrap();
        }
    }

    #[test]
    fn a_malformed_message_ends_the_connection_and_not_the_server() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("device.sock");
        let server = DeviceServer::bind(&socket, model()).unwrap();
        // Messages of the command VERSION: shorter than it must be, and without the byte of zeroes behind its text.
        let short = [&[1, 0, 1, 0, 4, 0, 0, 0], &[0; 12][..]].concat();
        let open_ended = [&[1, 0, 1, 0, 24, 0, 0, 0], &[0; 12][..], b"abcd"].concat();
        for message in [short, open_ended] {
            let mut client = UnixStream::connect(&socket).unwrap();
            client.write_all(&message).unwrap();
            assert!(matches!(server.serve(), Err(ServeError::Message)));
            client.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            assert_eq!(client.read(&mut [0; 16]).unwrap(), 0, "the connection is closed");
        }
    }

    #[test]
    fn what_is_no_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        std::fs::write(&path, "precious").unwrap();
        let refused = DeviceServer::bind(&path, model());
        assert!(matches!(refused, Err(ServeError::NoSocket { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    }
}
