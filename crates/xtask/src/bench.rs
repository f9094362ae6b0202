// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `cargo xtask bench`: the side-by-side report.

use std::process::Command;

use crate::flags::Flags;
use crate::process::{cargo, run as run_command};
use crate::{Result, setup};

/// What the report takes.
pub(crate) const FLAGS: Flags = Flags { alone: &[], with_value: &["json"] };

/// Builds the report with optimisation and runs it; `arguments` are its own.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    FLAGS.check("bench", arguments)?;
    setup::simulation()?;
    // Without it the report says that it counts no instructions.
    setup::valgrind()?;
    setup::test_programs()?;
    // The report starts the other programs, and finds them beside itself. What valgrind runs goes without the verilated
    // engine: that is built for this very processor, whose newest instructions valgrind does not know.
    let features = ["--features", "rtl,aws-lc-rs"];
    let programs = ["--bin", "report", "--bin", "sealgate-idle-memory"];
    run_command(from_benches("build").args(["--bin", "sealgate-host-cost"]))?;
    run_command(from_benches("build").args(features).args(programs))?;
    let report = ["--bin", "report", "--"];
    run_command(from_benches("run").args(features).args(report).args(arguments))
}

fn from_benches(command: &str) -> Command {
    let mut cargo = cargo();
    cargo.args([command, "--release", "--package", "sealgate-benches"]);
    cargo
}
