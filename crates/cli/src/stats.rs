// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `sealgate device stats`: what a device is doing, live: use of the buses and of each lane, and what each queue waits
//! for, from one look at the counters to the next.

mod reading;
mod server;
mod view;

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use sealgate_driver::{Device, DeviceError};

use crate::metrics::device_samples;
use crate::transport::{self, Chosen, DeviceOpenError};
use reading::{Reading, ReadingError};
use server::{Server, ServerError};

/// What `sealgate device stats` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Watch the device of a running server, by its address: the server holds the device. Without it a device of this
    /// command's own is opened.
    #[arg(long, value_name = "IP:PORT", requires = "cert", conflicts_with = "device")]
    server: Option<SocketAddr>,
    /// The certificate of that server, in PEM: the ready file of `serve` names it.
    #[arg(long, value_name = "FILE", requires = "server")]
    cert: Option<PathBuf>,
    #[command(flatten)]
    chosen: Chosen,
    /// Seconds from one look to the next.
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = interval)]
    interval: f64,
    /// Looks to take; without it as many as come before Ctrl-C.
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Print a line of JSON for each look: all counters since the reset of the device.
    #[arg(long)]
    json: bool,
}

fn interval(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.01..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("not a number of seconds from 0.01 to 86400".to_owned()),
    }
}

/// Where the counters come from.
enum Source {
    Device(Device),
    Server(Server),
}

impl Source {
    fn open(arguments: &Arguments) -> Result<Self, StatsError> {
        if let (Some(address), Some(certificate)) = (arguments.server, &arguments.cert) {
            return Ok(Self::Server(Server::new(address, certificate)?));
        }
        let device = transport::open(&arguments.chosen)?.ok_or(StatsError::NoDevice)?;
        Ok(Self::Device(device))
    }

    fn read(&self) -> Result<Reading, StatsError> {
        match self {
            Self::Device(device) => Ok(Reading::of(&device_samples(&device.counters()?))),
            Self::Server(server) => Ok(Reading::parse(&server.metrics()?)?),
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), StatsError> {
    let source = Source::open(arguments)?;
    let mut stdout = io::stdout().lock();
    let live = stdout.is_terminal() && arguments.count != Some(1);
    let mut before = Reading::default();
    let mut looks = 0;
    loop {
        let now = source.read()?;
        let printed = if arguments.json {
            view::json(&now, &mut stdout)
        } else {
            view::text(&now, &before, live, &mut stdout)
        };
        printed.and_then(|()| stdout.flush()).map_err(StatsError::Output)?;
        before = now;
        looks += 1;
        if arguments.count.is_some_and(|count| looks >= count) {
            return Ok(());
        }
        thread::sleep(Duration::from_secs_f64(arguments.interval));
    }
}

/// Why there is nothing to see.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StatsError {
    #[error(
        "there is no device behind this address; name one, such as --device sim:model, or a server that has one"
    )]
    NoDevice,
    #[error(transparent)]
    Open(#[from] DeviceOpenError),
    #[error("the counters of the device could not be read")]
    Counters(#[from] DeviceError),
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Reading(#[from] ReadingError),
    #[error("the answer could not be printed")]
    Output(#[source] io::Error),
}
