// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Test programs that hang: which there are, and their end.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::process::succeeds;

/// A running process.
struct Process {
    parent: u32,
    program: PathBuf,
}

/// Ends the test programs that `runner` started, with all that they started themselves, and returns their names.
///
/// A test program is one that stands in a folder `deps`, as cargo puts them. Compilers don't, and may be silent for long.
pub(crate) fn end_test_programs(runner: u32) -> Vec<String> {
    let processes = processes();
    let is_test = |process: &Process| {
        process.parent == runner
            && process.program.parent().and_then(|folder| folder.file_name())
                == Some(OsStr::new("deps"))
    };
    let mut names = Vec::new();
    for (&id, process) in processes.iter().filter(|(_, process)| is_test(process)) {
        for victim in family(&processes, id) {
            // Whoever ended meanwhile needs no end.
            succeeds(Command::new("kill").args(["-KILL", &victim.to_string()]));
        }
        let name = process.program.file_name().unwrap_or_default();
        names.push(name.to_string_lossy().into_owned());
    }
    names
}

/// A process and all below it.
fn family(processes: &HashMap<u32, Process>, id: u32) -> Vec<u32> {
    let mut found = vec![id];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        let children = processes.iter().filter(|(_, process)| process.parent == parent);
        found.extend(children.map(|(&child, _)| child));
        next += 1;
    }
    found
}

/// The processes of this machine whose program may be seen.
fn processes() -> HashMap<u32, Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter_map(|id| Some((id, process(id)?))).collect()
}

fn process(id: u32) -> Option<Process> {
    // The name of the program stands in brackets and may hold any; behind it are the state and the parent.
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
    let program = fs::read_link(format!("/proc/{id}/exe")).ok()?;
    Some(Process { parent, program })
}
