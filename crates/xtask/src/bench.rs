// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `cargo xtask bench`: the side-by-side report.

use std::process::Command;

use crate::flags::Flags;
use crate::process::{Ended, cargo, output, run as run_command};
use crate::scratch::Scratch;
use crate::{Failure, Result, setup, vm, workspace};

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
    let transports = transports()?;
    let report = ["--bin", "report", "--"];
    run_command(
        from_benches("run")
            .args(features)
            .args(report)
            .args(arguments)
            .env("SEALGATE_TRANSPORTS", transports),
    )
}

/// What each way to a device costs, as a JSON array.
fn transports() -> Result<String> {
    let build = |package: &str, features: &str| {
        let mut build = cargo();
        build.args(["build", "--release", "--bins", "--package", package, "--features", features]);
        run_command(&mut build)
    };
    build("sealgate-cli", "rtl")?;
    build("sealgate-sim", "serve,rtl")?;
    let programs = workspace::target().join("release");
    let measure = |device: &str| {
        output(
            Command::new(programs.join("sealgate"))
                .args(["device", "measure", "--json", "--device", device])
                .env("RUST_LOG", "warn"),
        )
    };
    let mut rows = vec![measure("sim:model")?, measure("sim:rtl")?];
    let scratch = Scratch::new("bench")?;
    let socket = scratch.path().join("card.sock");
    let server = Ended(
        Command::new(programs.join("sealgate-sim"))
            .args(["serve", "--device", "rtl", "--socket"])
            .arg(&socket)
            .env("RUST_LOG", "warn")
            .spawn()
            .map_err(Failure::at("sealgate-sim"))?,
    );
    vm::wait_for(&socket)?;
    rows.push(measure(&format!("vfio-user:{}", socket.display()))?);
    drop(server);
    rows.extend(vm::figures()?);
    Ok(format!("[{}]", rows.join(",")))
}

fn from_benches(command: &str) -> Command {
    let mut cargo = cargo();
    cargo.args([command, "--release", "--package", "sealgate-benches"]);
    cargo
}
