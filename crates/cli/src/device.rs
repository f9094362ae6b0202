// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `sealgate device`: what a device says about itself.

use std::collections::BTreeMap;
use std::io::{self, Write};

use sealgate_abi::layout::{SUITES, VERSIONS};
use sealgate_abi::regs::SelftestState;
use sealgate_abi::{Suite, TlsVersion};
use sealgate_driver::{Device, DeviceAddress, DeviceError};
use serde::Serialize;

use crate::stats::{self, StatsError};
use crate::transport::{self, DeviceOpenError};

/// What `sealgate device` does.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Print identity, capabilities, self test and counters of a device.
    Info(InfoArguments),
    /// Watch what a device is doing: use of buses and lanes, and what each queue waits for.
    Stats(stats::Arguments),
}

/// What `sealgate device info` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct InfoArguments {
    /// Device to ask: sim:rtl, sim:rtl:4x512, sim:model, or auto: the first card.
    #[arg(long, value_name = "ADDRESS", default_value_t)]
    device: DeviceAddress,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &Command) -> Result<(), CommandError> {
    match command {
        Command::Info(arguments) => Ok(info(arguments)?),
        Command::Stats(arguments) => Ok(stats::run(arguments)?),
    }
}

fn info(arguments: &InfoArguments) -> Result<(), InfoError> {
    let address = arguments.device;
    let device = transport::open(address)?.ok_or(InfoError::NoDevice { address })?;
    let info = Info::of(&device)?;
    let mut stdout = io::stdout().lock();
    let printed =
        if arguments.json { info.print_json(&mut stdout) } else { info.print(&mut stdout) };
    printed.and_then(|()| stdout.flush()).map_err(InfoError::Output)
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
    fn of(device: &Device) -> Result<Self, InfoError> {
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
            suites: suite_names(&identity.suites),
            versions: version_names(&identity.versions),
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

    fn print_json(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        writeln!(out)
    }

    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let yes_or_no = |yes| if yes { "yes" } else { "no" }.to_owned();
        let mut rows = vec![
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
        rows.extend(self.counters.iter().map(|(&name, value)| (name, value.to_string())));
        rows.into_iter().try_for_each(|(name, value)| writeln!(out, "{name:<24}{value}"))
    }
}

/// Names of suites as the contract writes them.
fn suite_names(suites: &[Suite]) -> Vec<&'static str> {
    let named = |suite: &Suite| SUITES.iter().find(|(_, code)| *code == *suite as u8);
    suites.iter().filter_map(named).map(|(name, _)| *name).collect()
}

/// Names of versions as the contract writes them.
fn version_names(versions: &[TlsVersion]) -> Vec<&'static str> {
    let named = |version: &TlsVersion| VERSIONS.iter().find(|(_, code)| *code == *version as u8);
    versions.iter().filter_map(named).map(|(name, _)| *name).collect()
}

/// Why a command about devices ends early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error(transparent)]
    Info(#[from] InfoError),
    #[error(transparent)]
    Stats(#[from] StatsError),
}

/// Why nothing is told about a device.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InfoError {
    #[error(
        "there is no device behind the address {address}; name one, such as --device sim:model"
    )]
    NoDevice { address: DeviceAddress },
    #[error(transparent)]
    Open(#[from] DeviceOpenError),
    #[error("the state of the device could not be read")]
    Counters(#[from] DeviceError),
    #[error("the answer could not be printed")]
    Output(#[source] io::Error),
}
