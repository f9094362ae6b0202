// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `sealgate device bind` and `unbind`: who has a card.

use sealgate_driver::DeviceAddress;
use sealgate_driver::transport::pci::{PciBus, PciFunction};
use serde::Serialize;

use super::{CommandError, print};

/// What `sealgate device bind` and `unbind` take.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The card, such as pci:0000:3b:00.0.
    #[arg(value_name = "ADDRESS")]
    device: DeviceAddress,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Who has a card now.
#[derive(Serialize)]
struct Owner {
    device: String,
    driver: Option<String>,
}

impl Arguments {
    fn function(&self) -> Result<PciFunction, CommandError> {
        match self.device {
            DeviceAddress::Pci(address) | DeviceAddress::Sysfs(address) => {
                Ok(PciBus::default().function(address)?)
            }
            _ => Err(CommandError::NoCard),
        }
    }

    fn tell(&self, function: &PciFunction) -> Result<(), CommandError> {
        let device = format!("pci:{}", function.address());
        print(&Owner { device, driver: function.driver() }, self.json, |owner| {
            let driver = owner.driver.as_deref().unwrap_or("none");
            vec![("device".into(), owner.device.clone()), ("driver".into(), driver.into())]
        })
    }
}

pub(super) fn bind(arguments: &Arguments) -> Result<(), CommandError> {
    let function = arguments.function()?;
    function.bind()?;
    arguments.tell(&function)
}

pub(super) fn unbind(arguments: &Arguments) -> Result<(), CommandError> {
    let function = arguments.function()?;
    function.unbind()?;
    arguments.tell(&function)
}
