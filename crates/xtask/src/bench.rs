// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `cargo xtask bench`: the side-by-side report.

use crate::flags::Flags;
use crate::process::{cargo, run as run_command};
use crate::{Result, setup};

/// What the report takes.
pub(crate) const FLAGS: Flags = Flags { alone: &[], with_value: &["json"] };

/// Builds the report with optimisation and runs it; `arguments` are its own.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    FLAGS.check("bench", arguments)?;
    setup::simulation()?;
    let mut report = cargo();
    report.args(["run", "--release", "--package", "sealgate-benches", "--features", "rtl"]);
    run_command(report.args(["--bin", "report", "--"]).args(arguments))
}
