// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `cargo xtask sdk-test`: the Python package, built, checked and run against a server.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::process::{output, run as run_command};
use crate::scratch::Scratch;
use crate::test::on_workspace;
use crate::timing::Parts;
use crate::{Failure, Result, setup, workspace};

/// Builds the wheel, and tests what it installs: what is missing in it is missed.
pub(crate) fn run() -> Result<()> {
    let mut parts = Parts::default();
    let python = parts.run("setup", || {
        setup::simulation()?;
        setup::sdk()
    })?;
    // As the tests build it, so that nothing is built twice: without tests the features of dependencies are others.
    parts.run("build", || run_command(on_workspace("build").args(["--bins", "--tests"])))?;
    let folder = Scratch::new("sdk")?;
    let installed = folder.path().join("installed");
    parts.run("wheel", || install(&python, folder.path(), &installed))?;
    parts.run("types", || {
        let mut mypy = Command::new(&python);
        mypy.args(["-m", "mypy", "--strict", "--cache-dir=/dev/null", "--package", "sealgate"]);
        run_command(mypy.current_dir(&installed))
    })?;
    parts.run("tests", || {
        let mut tests = Command::new(&python);
        tests
            .args(["-B", "-m", "unittest", "discover", "--verbose", "--start-directory"])
            .arg(workspace::root().join("sdk/python/tests"))
            .env("PYTHONPATH", &installed)
            .env("SEALGATE", workspace::target().join("debug/sealgate"));
        run_command(&mut tests)
    })?;
    parts.print();
    Ok(())
}

/// Makes the wheel of a copy, as the tools leave things beside what they build, and installs it.
fn install(python: &Path, folder: &Path, installed: &Path) -> Result<()> {
    let (source, wheels) = (folder.join("source"), folder.join("wheels"));
    output(Command::new("cp").arg("-r").arg(workspace::root().join("sdk/python")).arg(&source))?;
    let pip = || {
        let mut pip = Command::new(python);
        pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]);
        pip
    };
    let build = ["wheel", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir"];
    output(pip().args(build).arg(&wheels).arg(&source))?;
    let wheel = fs::read_dir(&wheels)
        .map_err(Failure::at(wheels.display()))?
        .filter_map(std::result::Result::ok)
        .map(|entry| entry.path())
        .next()
        .ok_or_else(|| Failure::new("no wheel was made"))?;
    output(
        pip().args(["install", "--no-index", "--no-deps", "--target"]).arg(installed).arg(wheel),
    )?;
    Ok(())
}
