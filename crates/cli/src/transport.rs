// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Device addresses, turned into devices: the one place that knows every transport.

use std::error::Error as _;
use std::sync::Arc;

use sealgate_driver::transport::pci::{PciBus, PciFunction};
use sealgate_driver::transport::sysfs::{SysfsError, SysfsTransport, UnsafeDma};
use sealgate_driver::transport::vfio::{VfioError, VfioTransport};
use sealgate_driver::transport::vfio_user::{VfioUserError, VfioUserTransport};
use sealgate_driver::{Device, DeviceAddress, OpenError, Settings, Transport};
use sealgate_sim::{Shape, SimConfig, SimError, SimTransport};
use tracing::{info, warn};

use crate::device::CommandError;

/// Slots of a queue whose memory must be in one piece: they fit a huge page.
const CONTIGUOUS_SLOTS: u16 = 16;

/// The device that a command is told to use.
#[derive(Debug, clap::Args)]
pub(crate) struct Chosen {
    /// Device: pci:0000:3b:00.0, sysfs:0000:3b:00.0, vfio-user:SOCKET, sim:rtl, sim:rtl:4x512, sim:model, none, or auto:
    /// the first card that works, else software.
    #[arg(long, value_name = "ADDRESS", default_value_t)]
    device: DeviceAddress,
    /// With sysfs: let the card reach memory by physical addresses. Nothing limits it then: a fault can overwrite
    /// anything, the kernel too.
    #[arg(long)]
    unsafe_dma: bool,
}

impl Chosen {
    pub(crate) fn no_device(&self) -> CommandError {
        CommandError::NoDevice { address: self.device.clone() }
    }
}

/// Opens the device that was chosen. `None`: records are sealed and opened in software.
pub(crate) fn open(chosen: &Chosen) -> Result<Option<Device>, DeviceOpenError> {
    if chosen.device == DeviceAddress::Auto {
        return Ok(first_card(|transport| Ok(Device::open(transport, Settings::default())?)));
    }
    let Some(transport) = transport(chosen)? else { return Ok(None) };
    let settings = settings(&*transport);
    Ok(Some(Device::open(transport, settings)?))
}

/// The way to the device that was chosen; the device is left as it is.
pub(crate) fn reach(chosen: &Chosen) -> Result<Arc<dyn Transport>, CommandError> {
    let found = match chosen.device {
        DeviceAddress::Auto => first_card(Ok),
        _ => transport(chosen)?,
    };
    found.ok_or_else(|| chosen.no_device())
}

/// The settings that serve a device behind such a transport.
pub(crate) fn settings(transport: &dyn Transport) -> Settings {
    let settings = Settings::default();
    if transport.needs_contiguous_memory() {
        return Settings { slots_per_queue: CONTIGUOUS_SLOTS, ..settings };
    }
    settings
}

fn transport(chosen: &Chosen) -> Result<Option<Arc<dyn Transport>>, DeviceOpenError> {
    let unsafe_dma = chosen.unsafe_dma.then_some(UnsafeDma);
    Ok(Some(match &chosen.device {
        DeviceAddress::Auto | DeviceAddress::None => return Ok(None),
        DeviceAddress::SimModel => SimTransport::model(SimConfig::default())?,
        DeviceAddress::SimRtl => rtl(Shape::NARROWEST)?,
        DeviceAddress::SimRtlWide => rtl(Shape::WIDEST)?,
        DeviceAddress::Pci(function) => VfioTransport::open(*function)?,
        DeviceAddress::Sysfs(function) => SysfsTransport::open(*function, unsafe_dma)?,
        DeviceAddress::VfioUser(socket) => VfioUserTransport::open(socket)?,
    }))
}

/// The first card that can be opened, of those that are there; what is wrong with the others is told.
fn first_card<T>(open: impl Fn(Arc<dyn Transport>) -> Result<T, DeviceOpenError>) -> Option<T> {
    let functions = PciBus::default().functions().unwrap_or_else(|error| {
        warn!("device auto: {error}");
        Vec::new()
    });
    let cards = functions.iter().filter(|it| it.is_sealgate()).map(PciFunction::address);
    let cards: Vec<_> = cards.collect();
    if cards.is_empty() {
        info!("device auto: software seals and opens all records; no card is there");
        return None;
    }
    for card in cards {
        match VfioTransport::open(card).map_err(Into::into).and_then(|transport| open(transport)) {
            Ok(opened) => return Some(opened),
            Err(error) => {
                let cause = error.source().map(ToString::to_string).unwrap_or_default();
                warn!(cause, "device auto: {error}");
            }
        }
    }
    warn!("device auto: software seals and opens all records; no card can be used");
    None
}

#[cfg(feature = "rtl")]
fn rtl(shape: Shape) -> Result<Arc<SimTransport>, DeviceOpenError> {
    Ok(SimTransport::rtl(SimConfig::default().with_shape(shape))?)
}

#[cfg(not(feature = "rtl"))]
fn rtl(_shape: Shape) -> Result<Arc<SimTransport>, DeviceOpenError> {
    Err(DeviceOpenError::WithoutRtl)
}

/// Why there is no device at an address.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeviceOpenError {
    #[cfg(not(feature = "rtl"))]
    #[error(
        "device sim:rtl is not part of this build; \
         use sim:model, or build with --features rtl (needs Verilator and a C++ compiler)"
    )]
    WithoutRtl,
    #[error("the simulated device could not be started")]
    Simulation(#[from] SimError),
    #[error(transparent)]
    Vfio(#[from] VfioError),
    #[error(transparent)]
    Sysfs(#[from] SysfsError),
    #[error(transparent)]
    VfioUser(#[from] VfioUserError),
    #[error("the device could not be opened")]
    Open(#[from] OpenError),
}
