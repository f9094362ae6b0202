// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `cargo xtask lint`: format, clippy with and without the verilated engine, rustdoc, the RTL under `-Wall`.

use std::path::Path;
use std::process::Command;

use crate::process::{cargo, output, run as run_command};
use crate::timing::Parts;
use crate::workspace::{RTL_FEATURES, root};
use crate::{Result, setup};

/// The modules that are somebody's top level, each with its parameters: the engine from the narrowest to the widest, the
/// AEAD of a lane, which the vector tests drive, the lane alone that the bench measures, and the board wrappers.
const TOPS: [(&str, &[&str]); 9] = [
    ("sealgate_top", &[]),
    ("sealgate_top", &["-GLANES=2", "-GDATA_WIDTH=256"]),
    ("sealgate_top", &["-GLANES=4", "-GDATA_WIDTH=512", "-GREAD_TAGS=256"]),
    ("sealgate_aead", &[]),
    ("sealgate_bare_lane", &[]),
    ("sealgate_amd_bridge", &[]),
    ("sealgate_amd_bridge", &["-GVECTORS=1", "-GID_WIDTH=6", "-GDATA_WIDTH=256", "-GLANES=2"]),
    ("sealgate_aws_f2", &[]),
    ("sealgate_litepcie", &[]),
];

/// Runs every lint and stops at the first that finds something.
pub(crate) fn run() -> Result<()> {
    let mut parts = Parts::default();
    parts.run("format", || run_command(cargo().args(["fmt", "--all", "--check"])))?;
    let verilator = parts.run("setup", setup::simulation)?;
    parts.run("clippy without rtl", || clippy(&[]))?;
    parts.run("clippy with rtl", || clippy(&["--features", RTL_FEATURES]))?;
    parts.run("documentation", documentation)?;
    parts.run("rtl", || {
        TOPS.iter().try_for_each(|(top, parameters)| verilate(top, parameters, &verilator))
    })?;
    parts.print();
    Ok(())
}

fn clippy(features: &[&str]) -> Result<()> {
    let mut command = cargo();
    command.args(["clippy", "--workspace", "--all-targets"]).args(features);
    run_command(command.args(["--", "-D", "warnings"]))
}

/// Rustdoc without warnings: every link leads somewhere.
fn documentation() -> Result<()> {
    let mut command = cargo();
    command.env("RUSTDOCFLAGS", "-D warnings");
    run_command(command.args(["doc", "--workspace", "--no-deps", "--features", RTL_FEATURES]))
}

/// Lints everything below one top level; `sealgate.f` names the waivers too, and `boards.f` has the boards' wrappers.
fn verilate(top: &str, parameters: &[&str], verilator: &Path) -> Result<()> {
    let rtl = root().join("hdl/rtl");
    output(
        Command::new(verilator.join("bin/verilator_bin"))
            .current_dir(&rtl)
            .env("VERILATOR_ROOT", verilator)
            .args(["--lint-only", "-Wall", "--quiet-stats", "--top-module", top])
            .args(parameters)
            .args(["-f", "sealgate.f", "-F", "../boards/boards.f"])
            .arg("../../sim/src/rtl/sealgate_bare_lane.sv"),
    )
    .map(drop)
}
