// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The program `sealgate-sim`: a simulated device as a PCI Express function, for a virtual machine or another process.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand, ValueEnum};
use sealgate_sim::vfio_user::{DeviceServer, ServeError};
use sealgate_sim::{SimConfig, SimError, SimTransport};
use tracing::{info, warn};

/// A sealgate record engine without a card.
#[derive(Parser)]
#[command(name = "sealgate-sim", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve a device at a socket, as a PCI Express function in the protocol vfio-user.
    Serve(Serve),
}

#[derive(clap::Args)]
struct Serve {
    /// Socket to make; a client connects to vfio-user:PATH, QEMU with its device vfio-user-pci.
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
    /// Device to serve.
    #[arg(long, value_enum, default_value_t = Kind::Model)]
    device: Kind,
    /// End when the first client has left.
    #[arg(long)]
    once: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// The RTL, verilated: one lane on a bus of 128 bits.
    Rtl,
    /// The software device.
    Model,
}

fn main() -> ExitCode {
    let Arguments { command: Command::Serve(arguments) } = Arguments::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match serve(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            eprintln!("sealgate-sim: {error}{cause}");
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: &Serve) -> Result<(), Failure> {
    let device = device(arguments.device)?;
    let server = DeviceServer::bind(&arguments.socket, device)?;
    info!(socket = %arguments.socket.display(), "a device is served");
    loop {
        match server.serve() {
            Err(error) if arguments.once => return Err(error.into()),
            Err(error) => warn!("{error}"),
            Ok(()) => info!("the client has left"),
        }
        if arguments.once {
            return Ok(());
        }
    }
}

fn device(kind: Kind) -> Result<Arc<SimTransport>, Failure> {
    match kind {
        Kind::Model => Ok(SimTransport::model(SimConfig::default())?),
        #[cfg(feature = "rtl")]
        Kind::Rtl => Ok(SimTransport::rtl(SimConfig::default())?),
        #[cfg(not(feature = "rtl"))]
        Kind::Rtl => Err(Failure::WithoutRtl),
    }
}

/// Why the program ends early.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error("the simulated device could not be started")]
    Simulation(#[from] SimError),
    #[cfg(not(feature = "rtl"))]
    #[error("this build has no RTL; use --device model, or build with --features serve,rtl")]
    WithoutRtl,
}
