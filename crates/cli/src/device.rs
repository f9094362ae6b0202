// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `sealgate device`: finds devices, looks at them and brings them up.

mod info;
mod list;
mod measure;
mod owner;
mod registers;
mod reset;
mod selftest;

use std::io::{self, Write};
use std::sync::Arc;

use sealgate_abi::regs::{Control, IrqEnable, Register, Sealgate};
use sealgate_driver::queue::Queue;
use sealgate_driver::transport::TransportError;
use sealgate_driver::transport::pci::PciError;
use sealgate_driver::{DeviceAddress, DeviceError, OpenError, Transport};
use serde::Serialize;

use crate::stats::{self, StatsError};
use crate::transport::DeviceOpenError;

/// What `sealgate device` does.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List the cards of this machine, and what each still lacks to be used.
    List(list::Arguments),
    /// Print identity, capabilities, self test and counters of a device.
    Info(info::Arguments),
    /// Have a device prove itself: known answers, memory, interrupts, and records of every suite.
    Selftest(selftest::Arguments),
    /// Measure what the way to a device costs: registers, doorbells, interrupts and memory.
    Measure(measure::Arguments),
    /// Watch what a device is doing: use of buses and lanes, and what each queue waits for.
    Stats(stats::Arguments),
    /// Reset a device and wait for its self test.
    Reset(reset::Arguments),
    /// Print all registers of a device.
    Dump(registers::DumpArguments),
    /// Print one register of a device.
    Peek(registers::PeekArguments),
    /// Write one register of a device.
    Poke(registers::PokeArguments),
    /// Hand a card to vfio-pci, for programs to drive it. Needs root.
    Bind(owner::Arguments),
    /// Hand a card back to the kernel. Needs root.
    Unbind(owner::Arguments),
}

pub(crate) fn run(command: &Command) -> Result<(), CommandError> {
    match command {
        Command::List(arguments) => list::run(arguments),
        Command::Info(arguments) => info::run(arguments),
        Command::Selftest(arguments) => selftest::run(arguments),
        Command::Measure(arguments) => measure::run(arguments),
        Command::Stats(arguments) => Ok(stats::run(arguments)?),
        Command::Reset(arguments) => reset::run(arguments),
        Command::Dump(arguments) => registers::dump(arguments),
        Command::Peek(arguments) => registers::peek(arguments),
        Command::Poke(arguments) => registers::poke(arguments),
        Command::Bind(arguments) => owner::bind(arguments),
        Command::Unbind(arguments) => owner::unbind(arguments),
    }
}

/// A small queue on a device that was reset, with its interrupt and nothing else.
fn lone_queue(transport: &Arc<dyn Transport>, index: usize) -> Result<Queue<()>, OpenError> {
    const RING_LOG2: u8 = 4;

    let queue = Queue::open(transport, index, RING_LOG2)?;
    let page = Sealgate::new(&**transport).device();
    page.irq_enable().write(IrqEnable::from_bits(1 << index));
    page.control().write(Control::default().with_enable(true));
    Ok(queue)
}

/// Prints an answer as one JSON object, or as rows of a name and a value.
fn print<T: Serialize>(
    answer: &T,
    json: bool,
    rows: impl FnOnce(&T) -> Vec<(String, String)>,
) -> Result<(), CommandError> {
    let mut stdout = io::stdout().lock();
    let printed = if json {
        serde_json::to_writer_pretty(&mut stdout, answer)
            .map_err(io::Error::from)
            .and_then(|()| writeln!(stdout))
    } else {
        let rows = rows(answer);
        let width = rows.iter().map(|(name, _)| name.len() + 2).max().unwrap_or(0).max(24);
        rows.into_iter().try_for_each(|(name, value)| writeln!(stdout, "{name:<width$}{value}"))
    };
    printed.and_then(|()| stdout.flush()).map_err(CommandError::Output)
}

/// Why a command about devices ends early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error(
        "there is no device behind the address {address}; name one, such as --device sim:model"
    )]
    NoDevice { address: DeviceAddress },
    #[error(transparent)]
    Open(#[from] DeviceOpenError),
    #[error(transparent)]
    Opening(#[from] OpenError),
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error(transparent)]
    Pci(#[from] PciError),
    #[error("the state of the device could not be read")]
    State(#[from] DeviceError),
    #[error("device {address} has not passed: {what}")]
    NotPassed { address: String, what: String },
    #[error("only cards are bound and unbound; name one as pci:0000:3b:00.0")]
    NoCard,
    #[error(
        "{register:?} is no register; use its name in docs/registers.md, such as STATUS or QUEUE0.SQ_TAIL, or its offset, such as 0x24"
    )]
    NoRegister { register: String },
    #[error("{register} cannot be written")]
    ReadOnly { register: String },
    #[error(
        "writing {register} can stop a device that serves, or make it reach memory that it should not; add --force to write it all the same"
    )]
    Guarded { register: String },
    #[error(transparent)]
    Stats(#[from] StatsError),
    #[error("the answer could not be printed")]
    Output(#[source] io::Error),
}
