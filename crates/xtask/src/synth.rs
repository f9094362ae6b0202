// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `cargo xtask synth`: runs `hdl/synth/synth.py` with its tools.

use std::path::Path;
use std::process::Command;

use crate::process::run as run_command;
use crate::workspace::root;
use crate::{Result, setup};

/// Places and routes the tops, which takes from minutes to an hour, and writes `hdl/synth/results.md`; `arguments`
/// choose some.
pub(crate) fn route(arguments: &[String]) -> Result<()> {
    let python = setup::synthesis()?;
    let mut command = script(&python, "route");
    match setup::nextpnr_xilinx()? {
        Ok(files) => {
            command.arg("--xilinx").arg(files);
        }
        Err(reason) => eprintln!("synth: Artix-7 is left out: {reason}"),
    }
    run_command(command.args(arguments))
}

/// Proves the composite S-box, and compares area and depth of each module with `hdl/synth/ratchet.json`.
pub(crate) fn check() -> Result<()> {
    run_command(&mut script(&setup::synthesis()?, "check"))
}

/// Writes `hdl/synth/ratchet.json`.
pub(crate) fn accept() -> Result<()> {
    run_command(&mut script(&setup::synthesis()?, "accept"))
}

fn script(python: &Path, mode: &str) -> Command {
    let mut command = Command::new(python);
    command.arg("-B").arg(root().join("hdl/synth/synth.py")).arg(mode);
    command
}

#[cfg(all(test, feature = "rtl"))]
mod tests {
    use std::env;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use crate::process::output;
    use crate::scratch::Scratch;
    use crate::workspace::root;
    use crate::{Result, setup};

    /// The core under a prefix of its own, in the styles of its parameters.
    const MODELS: [(&str, [&str; 2]); 2] = [
        ("Vsimulation", ["-GSboxStyle=0", "-GGfMulStyle=0"]),
        ("Vsynthesis", ["-GSboxStyle=1", "-GGfMulStyle=1"]),
    ];

    #[test]
    fn the_styles_for_synthesis_give_what_those_for_simulation_give() {
        let result = Scratch::new("styles").and_then(|scratch| build_and_run(scratch.path()));
        match result {
            Ok(said) => print!("{said}"),
            Err(failure) => panic!("{}", failure.0),
        }
    }

    fn build_and_run(scratch: &Path) -> Result<String> {
        let verilator = setup::simulation()?;
        for (prefix, styles) in MODELS {
            output(
                Command::new(verilator.join("bin/verilator_bin"))
                    .current_dir(root().join("hdl/rtl"))
                    .env("VERILATOR_ROOT", &verilator)
                    .args(["--cc", "--quiet-stats", "-Wall", "-f", "sealgate.f"])
                    .args(["--top-module", "sealgate_gcm_core", "--prefix", prefix])
                    .args(styles)
                    .arg("--Mdir")
                    .arg(scratch),
            )?;
        }
        output(&mut Command::new(compile(&verilator, scratch)?))
    }

    fn compile(verilator: &Path, scratch: &Path) -> Result<PathBuf> {
        let include = verilator.join("include");
        let program = scratch.join("bench");
        let made = fs::read_dir(scratch).unwrap().map(|entry| entry.unwrap().path());
        output(
            Command::new(env::var_os("CXX").unwrap_or_else(|| "g++".into()))
                .args(["-std=c++20", "-O1", "-pthread", "-I"])
                .arg(scratch)
                .arg("-I")
                .arg(&include)
                .arg("-I")
                .arg(include.join("vltstd"))
                .args(made.filter(|path| path.extension().is_some_and(|kind| kind == "cpp")))
                .arg(include.join("verilated.cpp"))
                .arg(include.join("verilated_threads.cpp"))
                .arg(root().join("hdl/synth/sealgate_styles_test.cpp"))
                .arg("-o")
                .arg(&program),
        )?;
        Ok(program)
    }
}
