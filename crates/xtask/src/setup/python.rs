// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Virtual environments with pinned packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use super::system;
use crate::process::{output, succeeds};
use crate::{Failure, Result, workspace};

/// A virtual environment, and the file that names its packages with versions and hashes.
pub(crate) struct Environment {
    name: &'static str,
    requirements: &'static str,
}

impl Environment {
    /// Verilator. The build script of sealgate-sim looks for it in this very folder.
    pub(crate) const VERILATOR: Self =
        Self { name: "venv-verilator", requirements: "tools/requirements-verilator.txt" };

    /// The generators of the registers, and the linter of the RTL's style.
    pub(crate) const CODEGEN: Self =
        Self { name: "venv-codegen", requirements: "tools/requirements-codegen.txt" };

    /// yosys with its `SystemVerilog` front end, and nextpnr for ECP5.
    pub(crate) const SYNTHESIS: Self =
        Self { name: "venv-synth", requirements: "tools/requirements-synth.txt" };

    /// yosys with its `SystemVerilog` front end, `SymbiYosys`, and the solver z3.
    pub(crate) const FORMAL: Self =
        Self { name: "venv-formal", requirements: "tools/requirements-formal.txt" };

    /// What builds the Python package and checks its types.
    pub(crate) const SDK: Self =
        Self { name: "venv-sdk", requirements: "tools/requirements-sdk.txt" };

    /// A scanner of TLS servers.
    pub(crate) const TLS: Self =
        Self { name: "venv-tls", requirements: "tools/requirements-tls.txt" };

    /// The folder of the environment, made if it is not there or its requirements have changed. The caller holds the
    /// lock of the tools.
    pub(crate) fn get(&self) -> Result<PathBuf> {
        let folder = workspace::tools().join(self.name);
        let requirements = workspace::root().join(self.requirements);
        let wanted =
            fs::read_to_string(&requirements).map_err(Failure::at(requirements.display()))?;
        if !is_complete(&folder, &wanted) {
            system::require(&[system::PYTHON])?;
            self.make(&folder, &requirements)?;
            let stamp = stamp(&folder);
            fs::write(&stamp, wanted).map_err(Failure::at(stamp.display()))?;
        }
        Ok(folder)
    }

    fn make(&self, folder: &Path, requirements: &Path) -> Result<()> {
        eprintln!("setup: making {} from {}", folder.display(), self.requirements);
        let start = Instant::now();
        output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
        output(
            Command::new(folder.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .args(["--no-input", "--only-binary=:all:", "--require-hashes", "--requirement"])
                .arg(requirements),
        )?;
        eprintln!("setup: made in {:.1} s", start.elapsed().as_secs_f64());
        Ok(())
    }
}

/// The file that is written last and holds the requirements that were met.
fn stamp(folder: &Path) -> PathBuf {
    folder.join("requirements-met.txt")
}

/// Whether all packages are there, and the interpreter that they were installed for still runs.
fn is_complete(folder: &Path, wanted: &str) -> bool {
    fs::read_to_string(stamp(folder)).is_ok_and(|met| met == wanted)
        && succeeds(Command::new(folder.join("bin/python")).args(["-c", ""]))
}
