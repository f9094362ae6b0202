// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Running other programs.

use std::env;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::{Failure, Result, workspace};

/// Cargo, to be run in the workspace.
///
/// The build script of sealgate-sim finds the tools by the same rules as setup. Nothing is put into its environment that
/// a plain cargo would not have: either would build the simulation again after the other.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace::root());
    if env::var_os("SEALGATE_TOOLS").is_some() {
        command.env("SEALGATE_TOOLS", workspace::tools());
    }
    command
}

/// A process that does not outlive its owner: it is ended when this is dropped.
pub(crate) struct Ended(pub(crate) Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It has ended already, or ends now.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a program to its end; its output goes where ours goes.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(Failure::at(shown(command)))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("{} failed ({status})", shown(command))))
}

/// Runs a program to its end and returns what it printed; on failure that is part of the message.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(Failure::at(shown(command)))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let status = output.status;
    Err(Failure::new(format!("{} failed ({status})\n{text}{errors}", shown(command))))
}

/// Whether a program runs and ends well; its output is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Whether a program of this name is on the path.
pub(crate) fn on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// The command as one would type it, with the name of the program only.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
