// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `sealgate device info`: what a device says about itself.

use std::collections::BTreeMap;

use sealgate_abi::layout::{SUITES, VERSIONS};
use sealgate_abi::regs::SelftestState;
use sealgate_abi::{Suite, TlsVersion};
use sealgate_driver::Device;
use serde::Serialize;

use super::{CommandError, print};
use crate::transport::{self, Chosen};

/// What `sealgate device info` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    chosen: Chosen,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), CommandError> {
    let device = transport::open(&arguments.chosen)?;
    let device = device.ok_or_else(|| arguments.chosen.no_device())?;
    print(&Info::of(&device)?, arguments.json, Info::rows)
}

/// What a device says about itself, in the order in which it is printed.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a line of its own in the answer")]
struct Info {
    device: String,
    version: String,
    build: String,
    simulated: bool,
    lanes: u8,
    bus_bytes: u8,
    queues: usize,
    contexts: usize,
    suites: Vec<&'static str>,
    versions: Vec<&'static str>,
    padding: bool,
    segmentation: bool,
    open_run: bool,
    seal_max_bytes: u32,
    self_test: &'static str,
    counters: BTreeMap<&'static str, u64>,
}

impl Info {
    fn of(device: &Device) -> Result<Self, CommandError> {
        let identity = device.identity();
        Ok(Self {
            device: identity.address.clone(),
            version: identity.version.to_string(),
            build: format!("{:#010x}", identity.build),
            simulated: identity.simulated,
            lanes: identity.lanes,
            bus_bytes: identity.bus_bytes,
            queues: identity.queues,
            contexts: identity.contexts,
            suites: identity.suites.iter().copied().map(suite_name).collect(),
            versions: identity.versions.iter().copied().map(version_name).collect(),
            padding: identity.padding,
            segmentation: identity.segmentation,
            open_run: identity.open_run,
            seal_max_bytes: identity.seal_max,
            self_test: match device.self_test()? {
                SelftestState::Running => "running",
                SelftestState::Passed => "passed",
                SelftestState::Failed => "failed",
            },
            counters: device.counters()?.named().collect(),
        })
    }

    fn rows(&self) -> Vec<(String, String)> {
        let yes_or_no = |yes| if yes { "yes" } else { "no" }.to_owned();
        let rows = [
            ("device", self.device.clone()),
            ("version", self.version.clone()),
            ("build", self.build.clone()),
            ("simulated", yes_or_no(self.simulated)),
            ("lanes", self.lanes.to_string()),
            ("bus", format!("{} bytes wide", self.bus_bytes)),
            ("queues", self.queues.to_string()),
            ("contexts", self.contexts.to_string()),
            ("suites", self.suites.join(", ")),
            ("versions", self.versions.join(", ")),
            ("padding", yes_or_no(self.padding)),
            ("segmentation", yes_or_no(self.segmentation)),
            ("open run", yes_or_no(self.open_run)),
            ("largest seal", format!("{} bytes", self.seal_max_bytes)),
            ("self test", self.self_test.to_owned()),
        ];
        let counters = self.counters.iter().map(|(&name, value)| (name, value.to_string()));
        rows.into_iter().chain(counters).map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// The name of a suite as the contract writes it.
pub(super) fn suite_name(suite: Suite) -> &'static str {
    SUITES.iter().find(|(_, code)| *code == suite as u8).map_or("unknown", |(name, _)| name)
}

/// The name of a version as the contract writes it.
pub(super) fn version_name(version: TlsVersion) -> &'static str {
    VERSIONS.iter().find(|(_, code)| *code == version as u8).map_or("unknown", |(name, _)| name)
}
