// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The `sealgate` program: the composition root, which knows every transport and puts the rooms together.

mod admin;
#[cfg(feature = "rtl")]
mod bench;
mod device;
mod metrics;
mod names;
mod serve;
mod shutdown;
mod stats;
mod target;
mod transport;

use std::error::Error as _;
use std::fmt::Write as _;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use tracing_subscriber::EnvFilter;

/// TLS for scoring services, its records sealed and opened by an FPGA.
#[derive(Debug, Parser)]
#[command(name = "sealgate", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the embedded digits model over HTTPS.
    Serve(Box<serve::Arguments>),
    /// Make, change and end the targets of a running server, with their certificates and names.
    #[command(subcommand)]
    Target(target::Command),
    /// The documented spelling of `target update`.
    #[command(subcommand, name = "computetarget")]
    ComputeTarget(target::ComputeTarget),
    /// Look at the names of targets.
    #[command(subcommand)]
    Dns(names::Dns),
    /// Print the root of the development authority, for clients to trust.
    Authority(target::Shown),
    /// Whether the server is ready, and what will need a person.
    Status(target::Shown),
    /// Look at devices.
    #[command(subcommand)]
    Device(device::Command),
    /// Measure the record engine, simulated.
    #[cfg(feature = "rtl")]
    #[command(subcommand)]
    Bench(bench::Command),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    start_logging();
    match run(arguments.command) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("sealgate: {}", with_causes(&error));
            ExitCode::from(error.exit_code())
        }
    }
}

/// Does what was asked; the result is the exit code.
fn run(command: Command) -> Result<u8, Error> {
    forbid_core_dumps()?;
    match command {
        Command::Serve(arguments) => serve::run(*arguments)?,
        Command::Target(command) => target::run(&command)?,
        Command::ComputeTarget(command) => target::run_computetarget(&command)?,
        Command::Dns(command) => return Ok(names::check(&command)?),
        Command::Authority(shown) => return Ok(names::authority(&shown)?),
        Command::Status(shown) => return Ok(names::status(&shown)?),
        Command::Device(command) => device::run(&command)?,
        #[cfg(feature = "rtl")]
        Command::Bench(command) => bench::run(&command)?,
    }
    Ok(0)
}

/// Logs go to standard error; `RUST_LOG` chooses what, by default everything from `info` on.
fn start_logging() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
}

/// Traffic keys and plaintext are in memory: a crash must not write them to a disk.
fn forbid_core_dumps() -> Result<(), Error> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // The limit does not hold where dumps go to a program; such a process is not dumped to one either.
    setrlimit(Resource::Core, none)
        .and_then(|()| set_dumpable_behavior(DumpableBehavior::NotDumpable))
        .map_err(|errno| Error::CoreDumps(errno.into()))
}

/// The error and its causes in one line. An error that shows its cause in its own words is not repeated.
fn with_causes(error: &Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.ends_with(&text) {
            // Writing to a String cannot fail.
            let _ = write!(line, ": {text}");
        }
        cause = error.source();
    }
    line
}

/// Why the program ends early.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("core dumps could not be switched off, and they would hold keys")]
    CoreDumps(#[source] io::Error),
    #[error(transparent)]
    Serve(#[from] serve::ServeError),
    #[error(transparent)]
    Target(#[from] target::CommandError),
    #[error(transparent)]
    Admin(#[from] admin::AdminError),
    #[error(transparent)]
    Device(#[from] device::CommandError),
    #[cfg(feature = "rtl")]
    #[error(transparent)]
    Bench(#[from] bench::DeviceBenchError),
}

impl Error {
    /// 1, but for refusals of the control plane, which have codes of their own.
    fn exit_code(&self) -> u8 {
        match self {
            Self::Target(error) => error.exit_code(),
            Self::Admin(error) => error.exit_code(),
            _ => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn causes_follow_in_one_line_and_once() {
        let inner = io::Error::other("disk on fire");
        let error = Error::CoreDumps(inner);
        let expected =
            "core dumps could not be switched off, and they would hold keys: disk on fire";
        assert_eq!(with_causes(&error), expected);
    }
}
