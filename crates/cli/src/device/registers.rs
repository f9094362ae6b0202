// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `sealgate device dump`, `peek` and `poke`: registers as they are, for bring-up.

use sealgate_abi::regs::{Page, REGISTERS, RegisterInfo, RegisterIo};
use serde::Serialize;

use super::{CommandError, print};
use crate::transport::{self, Chosen};

/// What `sealgate device dump` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct DumpArguments {
    #[command(flatten)]
    chosen: Chosen,
    /// Print one JSON array.
    #[arg(long)]
    json: bool,
}

/// What `sealgate device peek` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct PeekArguments {
    /// Name or offset of the register, such as STATUS, `QUEUE0.SQ_TAIL` or 0x24.
    register: String,
    #[command(flatten)]
    chosen: Chosen,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What `sealgate device poke` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct PokeArguments {
    /// Name or offset of the register, such as SNAPSHOT or 0x40.
    register: String,
    /// What to write: a number, or in hexadecimal as 0x1.
    #[arg(value_parser = number)]
    value: u32,
    /// Write it although it can stop a device that serves.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    chosen: Chosen,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

fn number(text: &str) -> Result<u32, String> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.map_err(|_| "not a number of 32 bits such as 1 or 0x1".to_owned())
}

/// What a register holds.
#[derive(Serialize)]
struct Reading {
    register: String,
    offset: String,
    value: String,
}

impl Reading {
    fn of(register: &RegisterInfo, io: &(impl RegisterIo + ?Sized)) -> Self {
        let address = register.address();
        Self {
            register: name(register),
            offset: format!("{address:#06x}"),
            value: format!("{:#010x}", io.read32(address)),
        }
    }

    fn row(&self) -> (String, String) {
        (format!("{} {}", self.offset, self.register), self.value.clone())
    }
}

/// A register's name with its page, if there are several of it.
fn name(register: &RegisterInfo) -> String {
    match register.page {
        Page::Device => register.name.to_owned(),
        Page::Lane(lane) => format!("LANE{lane}.{}", register.name),
        Page::Queue(queue) => format!("QUEUE{queue}.{}", register.name),
    }
}

fn find(text: &str) -> Result<&'static RegisterInfo, CommandError> {
    let by_name = || REGISTERS.iter().find(|register| name(register).eq_ignore_ascii_case(text));
    let by_offset = || number(text).ok().and_then(RegisterInfo::at);
    by_name()
        .or_else(by_offset)
        .ok_or_else(|| CommandError::NoRegister { register: text.to_owned() })
}

pub(super) fn dump(arguments: &DumpArguments) -> Result<(), CommandError> {
    let transport = transport::reach(&arguments.chosen)?;
    let readings: Vec<_> =
        REGISTERS.iter().map(|register| Reading::of(register, &*transport)).collect();
    print(&readings, arguments.json, |readings| readings.iter().map(Reading::row).collect())
}

pub(super) fn peek(arguments: &PeekArguments) -> Result<(), CommandError> {
    let register = find(&arguments.register)?;
    let transport = transport::reach(&arguments.chosen)?;
    let reading = Reading::of(register, &*transport);
    print(&reading, arguments.json, |reading| vec![reading.row()])
}

/// Writes, and prints what the register holds then.
pub(super) fn poke(arguments: &PokeArguments) -> Result<(), CommandError> {
    let register = find(&arguments.register)?;
    if register.writable == 0 {
        return Err(CommandError::ReadOnly { register: name(register) });
    }
    if !arguments.force {
        return Err(CommandError::Guarded { register: name(register) });
    }
    let transport = transport::reach(&arguments.chosen)?;
    transport.write32(register.address(), arguments.value);
    let reading = Reading::of(register, &*transport);
    print(&reading, arguments.json, |reading| vec![reading.row()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_register_is_found_by_its_name_and_its_offset() {
        for register in REGISTERS {
            for text in [
                name(register),
                name(register).to_lowercase(),
                format!("{:#x}", register.address()),
            ] {
                assert_eq!(find(&text).unwrap(), register, "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_register_is_told() {
        for text in ["", "SQ_TAIL", "QUEUE8.SQ_TAIL", "0x3", "0x", "99999999999"] {
            assert!(matches!(find(text), Err(CommandError::NoRegister { .. })), "{text}");
        }
    }
}
