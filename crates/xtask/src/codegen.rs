// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Makes the files that follow from others, or compares them.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::process::{output, shown};
use crate::scratch::Scratch;
use crate::{Failure, Result, abi_package, setup, workspace};

const REGISTER_FILES: [&str; 4] = [
    "hdl/rtl/csr/sealgate_regs_pkg.sv",
    "hdl/regs/sealgate_regs.h",
    "crates/abi/src/regs/generated.rs",
    "docs/registers.md",
];

/// A file that follows from others: its path in the repository and what it should hold.
struct Generated {
    path: &'static str,
    text: String,
}

/// Writes every generated file that is not as it should be.
pub(crate) fn write() -> Result<()> {
    for Generated { path, text } in generate()? {
        let target = workspace::root().join(path);
        if fs::read_to_string(&target).is_ok_and(|present| present == text) {
            println!("{path} is up to date");
            continue;
        }
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(Failure::at(folder.display()))?;
        }
        fs::write(&target, text).map_err(Failure::at(path))?;
        println!("{path} written");
    }
    Ok(())
}

/// Fails if a generated file is not as it should be, and prints the difference.
pub(crate) fn check() -> Result<()> {
    let scratch = Scratch::new("codegen")?;
    let mut stale = Vec::new();
    for Generated { path, text } in generate()? {
        let wanted = scratch.path().join("wanted");
        fs::write(&wanted, text).map_err(Failure::at(wanted.display()))?;
        let present = workspace::root().join(path);
        if let Some(difference) = difference(&present, &wanted)? {
            println!("{path}:\n{difference}");
            stale.push(path);
        }
    }
    if stale.is_empty() {
        println!("the generated files are what their sources say");
        return Ok(());
    }
    Err(Failure::new(format!(
        "not what their sources say: {}\nrun cargo xtask codegen, and commit the result",
        stale.join(", ")
    )))
}

fn generate() -> Result<Vec<Generated>> {
    let python = setup::codegen()?;
    let scratch = Scratch::new("codegen")?;
    let script = workspace::root().join("hdl/regs/generate.py");
    output(Command::new(python).arg("-B").arg(script).arg(scratch.path()))?;
    let mut files = vec![Generated { path: abi_package::PATH, text: abi_package::text() }];
    for path in REGISTER_FILES {
        let made = scratch.path().join(path);
        let text = fs::read_to_string(&made).map_err(Failure::at(made.display()))?;
        files.push(Generated { path, text });
    }
    Ok(files)
}

/// What `diff` says, if anything: lines with `-` are in the repository, lines with `+` should be.
fn difference(present: &Path, wanted: &Path) -> Result<Option<String>> {
    let mut command = Command::new("diff");
    command.args(["--unified", "--new-file"]).arg(present).arg(wanted);
    let diff = command.output().map_err(Failure::at(shown(&command)))?;
    match diff.status.code() {
        Some(0) => Ok(None),
        Some(1) => Ok(Some(String::from_utf8_lossy(&diff.stdout).into_owned())),
        _ => Err(Failure::new(String::from_utf8_lossy(&diff.stderr))),
    }
}
