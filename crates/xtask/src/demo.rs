// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `cargo xtask demo`: builds the server with the verilated engine and hands over to the demo's client.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::flags::Flags;
use crate::process::{cargo, run as run_command, shown};
use crate::timing::Parts;
use crate::{Failure, Result, setup};

/// What the demo takes.
pub(crate) const FLAGS: Flags = Flags { alone: &["stay"], with_value: &["device", "json"] };

/// Builds and starts the demo; `arguments` are the demo's own.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    FLAGS.check("demo", arguments)?;
    let mut parts = Parts::default();
    parts.run("setup", setup::simulation)?;
    parts.run("build", || {
        let mut build = cargo();
        build.args(["build", "--package", "sealgate-cli", "--package", "sealgate-demo"]);
        run_command(build.args(["--features", "sealgate-cli/rtl"]))
    })?;
    parts.print();
    let this = env::current_exe().map_err(Failure::at("the path of xtask"))?;
    let mut demo = Command::new(this.with_file_name("sealgate-demo"));
    demo.arg("--server").arg(this.with_file_name("sealgate")).args(arguments);
    // The demo takes our place, so that an interrupt from the terminal reaches it and nothing else waits on it.
    Err(Failure::new(format!("{}: {}", shown(&demo), demo.exec())))
}
