// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Device addresses, turned into devices: the one place that knows every transport.

use std::error::Error as _;
use std::sync::Arc;

use sealgate_driver::{Device, DeviceAddress, OpenError, Settings, Transport, vfio};
use sealgate_sim::{Shape, SimConfig, SimError, SimTransport};
use tracing::info;

/// Opens the device at `address`. `None`: records are sealed and opened in software.
pub(crate) fn open(address: DeviceAddress) -> Result<Option<Device>, DeviceOpenError> {
    let transport: Arc<dyn Transport> = match address {
        DeviceAddress::Auto => {
            match vfio::probe() {
                Ok(()) => info!("device auto: this build drives no card yet, though VFIO is here"),
                Err(error) => {
                    let cause = error.source().map(ToString::to_string).unwrap_or_default();
                    info!(cause, "device auto: no card: {error}");
                }
            }
            info!("device auto: software seals and opens all records");
            return Ok(None);
        }
        DeviceAddress::None => return Ok(None),
        DeviceAddress::SimModel => SimTransport::model(SimConfig::default())?,
        DeviceAddress::SimRtl => rtl(Shape::NARROWEST)?,
        DeviceAddress::SimRtlWide => rtl(Shape::WIDEST)?,
    };
    Ok(Some(Device::open(transport, Settings::default())?))
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
    #[error("the device could not be opened")]
    Open(#[from] OpenError),
}
