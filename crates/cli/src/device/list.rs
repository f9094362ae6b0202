// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `sealgate device list`.

use sealgate_driver::transport::pci::{PciBus, PciFunction, VFIO_PCI};
use serde::Serialize;

use super::{CommandError, print};

/// What `sealgate device list` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// List all PCI functions, not record engines alone.
    #[arg(long)]
    all: bool,
    /// Print one JSON array.
    #[arg(long)]
    json: bool,
}

/// A card.
#[derive(Serialize)]
struct Card {
    device: String,
    vendor_id: String,
    device_id: String,
    sealgate: bool,
    simulated: bool,
    driver: Option<String>,
    iommu_group: Option<u32>,
    /// What keeps it from being used; empty if nothing does.
    lacks: Vec<String>,
}

impl Card {
    fn of(function: &PciFunction) -> Self {
        let [vendor, device] = function.ids();
        let (driver, iommu_group) = (function.driver(), function.iommu_group());
        let address = format!("pci:{}", function.address());
        let mut lacks = Vec::new();
        if driver.as_deref() != Some(VFIO_PCI) {
            lacks.push(format!("vfio-pci: sealgate device bind {address}"));
        }
        if iommu_group.is_none() {
            lacks.push("an IOMMU: turn it on in the firmware and with intel_iommu=on".to_owned());
        }
        Self {
            device: address,
            vendor_id: format!("{vendor:#06x}"),
            device_id: format!("{device:#06x}"),
            sealgate: function.is_sealgate(),
            simulated: function.is_simulated(),
            driver,
            iommu_group,
            lacks,
        }
    }

    fn row(&self) -> (String, String) {
        let driver = self.driver.as_deref().unwrap_or("no driver");
        let group =
            self.iommu_group.map_or("no IOMMU".to_owned(), |group| format!("group {group}"));
        let kind = match (self.sealgate, self.simulated) {
            (true, true) => "sealgate, simulated",
            (true, false) => "sealgate",
            (false, _) => "not a record engine",
        };
        let mut text = format!("{kind}, {driver}, {group}");
        if self.sealgate && !self.lacks.is_empty() {
            text = format!("{text}; lacks {}", self.lacks.join("; "));
        }
        (self.device.clone(), text)
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<(), CommandError> {
    let functions = PciBus::default().functions()?;
    let cards: Vec<_> = functions
        .iter()
        .filter(|function| arguments.all || function.is_sealgate())
        .map(Card::of)
        .collect();
    if cards.is_empty() && !arguments.json {
        eprintln!("sealgate: this machine has no record engine; --device sim:rtl simulates one");
    }
    print(&cards, arguments.json, |cards| cards.iter().map(Card::row).collect())
}
