// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `cargo xtask soak`: random traffic on the RTL for a long time, against the software device.

use crate::process::{cargo, run as run_command};
use crate::{Failure, Result, setup};

/// A night's worth; a few minutes on a quiet machine.
const CYCLES: u64 = 100_000_000;

/// Runs the differential test until the RTL has simulated so many cycles.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let (cycles, seed) = parse(arguments)?;
    setup::simulation()?;
    let mut soak = cargo();
    soak.args(["test", "--package", "sealgate-sim", "--features", "rtl"])
        .args(["--test", "differential", "--", "--exact", "soak", "--nocapture"])
        .env("SEALGATE_SOAK_CYCLES", cycles.to_string());
    if let Some(seed) = seed {
        soak.env("SEALGATE_SEED", seed.to_string());
    }
    run_command(&mut soak)
}

/// `--cycles N` and `--seed N`.
fn parse(arguments: &[String]) -> Result<(u64, Option<u64>)> {
    let (mut cycles, mut seed) = (CYCLES, None);
    let mut rest = arguments;
    while let [flag, value, tail @ ..] = rest {
        let number = value
            .parse()
            .map_err(Failure::at(format!("soak {flag} takes a number, not {value:?}")))?;
        match flag.as_str() {
            "--cycles" => cycles = number,
            "--seed" => seed = Some(number),
            _ => return Err(unknown(flag)),
        }
        rest = tail;
    }
    match rest {
        [] => Ok((cycles, seed)),
        [flag, ..] => Err(unknown(flag)),
    }
}

fn unknown(flag: &str) -> Failure {
    Failure::new(format!(
        "soak does not know {flag}, or lacks its value; it takes --cycles N and --seed N"
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
        assert!(matches!(parse(&[]), Ok((CYCLES, None))));
        assert!(matches!(parse(&words("--seed 7 --cycles 1000")), Ok((1_000, Some(7)))));
        for wrong in ["--cycles", "--cycles many", "--speed 3", "7"] {
            assert!(parse(&words(wrong)).is_err(), "{wrong}");
        }
    }
}
