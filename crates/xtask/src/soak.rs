// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `cargo xtask soak`: random traffic on the RTL for a long time, against the software device.

use std::process::Command;

use crate::process::{cargo, run as run_command};
use crate::{Failure, Result, setup};

/// A night's worth; a few minutes on a quiet machine.
const CYCLES: u64 = 100_000_000;

/// A GiB.
const STREAM_BYTES: u64 = 1 << 30;

/// What is soaked, and for how long.
#[derive(Debug, PartialEq, Eq)]
struct Soak {
    /// Cycles of all RTL together.
    cycles: u64,
    /// Seed of a run to be repeated.
    seed: Option<u64>,
    /// Every shape of the engine and pipelined lanes, else the narrowest shape and the widest.
    shapes: bool,
    /// Not the RTL, but a stream over the software device, with [`STREAM_BYTES`] each way.
    stream: bool,
}

/// Runs the differential test until the RTL has simulated so many cycles.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let soak = Soak::parse(arguments)?;
    if soak.stream {
        return run_command(&mut soak.of_stream());
    }
    setup::simulation()?;
    let mut test = cargo();
    test.args(["test", "--package", "sealgate-sim"])
        .args(["--features", if soak.shapes { "rtl-shapes" } else { "rtl" }])
        .args(["--test", "differential", "--", "--exact", "soak", "--nocapture"])
        .env("SEALGATE_SOAK_CYCLES", soak.cycles.to_string());
    if let Some(seed) = soak.seed {
        test.env("SEALGATE_SEED", seed.to_string());
    }
    run_command(&mut test)
}

impl Soak {
    /// The test of a lot of bytes through a stream.
    fn of_stream(&self) -> Command {
        let mut test = cargo();
        test.args(["test", "--package", "sealgate-tests", "--test", "stream_bulk"])
            .args(["--", "--nocapture"])
            .env("SEALGATE_STREAM_BYTES", STREAM_BYTES.to_string());
        if let Some(seed) = self.seed {
            test.env("SEALGATE_SEED", seed.to_string());
        }
        test
    }

    /// `--cycles N`, `--seed N`, `--shapes` and `--stream`, in any order.
    fn parse(arguments: &[String]) -> Result<Self> {
        let mut soak = Self { cycles: CYCLES, seed: None, shapes: false, stream: false };
        let mut rest = arguments.iter();
        while let Some(flag) = rest.next() {
            let mut number = || {
                let value = rest.next().map_or("", String::as_str);
                value.parse().map_err(Failure::at(format!("{flag} takes a number, not {value:?}")))
            };
            match flag.as_str() {
                "--cycles" => soak.cycles = number()?,
                "--seed" => soak.seed = Some(number()?),
                "--shapes" => soak.shapes = true,
                "--stream" => soak.stream = true,
                _ => return Err(unknown(flag)),
            }
        }
        Ok(soak)
    }
}

fn unknown(flag: &str) -> Failure {
    Failure::new(format!(
        "soak does not know {flag}; it takes --cycles N, --seed N, --shapes and --stream"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn arguments_are_numbers_behind_their_flags() {
        let soak = |line| Soak::parse(&words(line)).ok();
        let default = Soak { cycles: CYCLES, seed: None, shapes: false, stream: false };
        assert_eq!(soak(""), Some(default));
        let asked = Soak { cycles: 1_000, seed: Some(7), shapes: true, stream: false };
        assert_eq!(soak("--seed 7 --shapes --cycles 1000"), Some(asked));
        let stream = Soak { cycles: CYCLES, seed: None, shapes: false, stream: true };
        assert_eq!(soak("--stream"), Some(stream));
        for wrong in ["--cycles", "--cycles many", "--speed 3", "7"] {
            assert_eq!(soak(wrong), None, "{wrong}");
        }
    }
}
