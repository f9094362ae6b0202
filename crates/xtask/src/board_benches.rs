// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Runs the C++ test benches of the board wrappers, `hdl/boards/*/*_test.cpp`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::output;
use crate::rtl_benches::compile;
use crate::scratch::Scratch;
use crate::{Result, setup, workspace};

/// Sboxes and multipliers as simulation likes them.
const SIMULATION: [&str; 2] = ["-GSboxStyle=0", "-GGfMulStyle=0"];

#[test]
fn the_engine_serves_behind_an_amd_bridge() {
    bench("amd_bridge", "sealgate_amd_bridge", None)
        .unwrap_or_else(|failure| panic!("{}", failure.0));
}

#[test]
fn the_engine_serves_behind_the_aws_f2_shell() {
    bench("aws_f2", "sealgate_aws_f2", None).unwrap_or_else(|failure| panic!("{}", failure.0));
}

#[test]
fn the_engine_serves_behind_litepcie() {
    bench("litepcie", "sealgate_litepcie", None).unwrap_or_else(|failure| panic!("{}", failure.0));
}

#[test]
fn a_wrapper_that_breaks_a_rule_of_its_shell_is_found() {
    for (board, top, mutant) in [
        (
            "amd_bridge",
            "sealgate_amd_bridge",
            Mutant {
                file: "common/sealgate_board_irq_lines.sv",
                from: "(serviced_q | serviced_i | owed_q);",
                to: "'1;",
                found: "an interrupt line lowered before its service",
            },
        ),
        (
            "aws_f2",
            "sealgate_aws_f2",
            Mutant {
                file: "aws_f2/sealgate_f2_write_start.sv",
                from: "{burst.address[63:OffsetWidth], start, 2'b00}",
                to: "burst.address",
                found: "an address that is not of the first doubleword",
            },
        ),
        (
            "litepcie",
            "sealgate_litepcie",
            Mutant {
                file: "litepcie/sealgate_litepcie_bus.sv",
                from: "if (completion || (write_q == WriteMerged)) begin",
                to: "if (write_q == WriteMerged) begin",
                found: "an interrupt before its completion",
            },
        ),
    ] {
        let found = mutant.found;
        match bench(board, top, Some(mutant)) {
            Ok(()) => panic!("{top}: not found: {found}"),
            Err(failure) => assert!(failure.0.contains(found), "{top}: {}", failure.0),
        }
    }
}

#[test]
fn vectors_stay_until_they_are_sent_and_none_is_forgotten() {
    let scratch = Scratch::new("irq-vector").unwrap_or_else(|failure| panic!("{}", failure.0));
    let sources = ["../rtl/common/sealgate_abi_pkg.sv", "../rtl/common/sealgate_pkg.sv"];
    let program =
        verilate("sealgate_board_irq_vector", &["-GRetryCycles=40"], scratch.path(), |command| {
            command.args(["-y", "../rtl/common", "../rtl/sealgate.vlt"]).args(sources);
            command.arg("common/sealgate_board_irq_vector.sv");
        })
        .and_then(|verilator| {
            build("common", "sealgate_board_irq_vector", &verilator, scratch.path())
        })
        .unwrap_or_else(|failure| panic!("{}", failure.0));
    output(&mut Command::new(&program)).unwrap_or_else(|failure| panic!("{}", failure.0));
    let spoilt = output(Command::new(&program).arg("spoil"));
    assert!(spoilt.is_err_and(|failure| failure.0.contains("a vector is withdrawn")));
}

/// A change of the wrappers that a bench has to find.
struct Mutant {
    file: &'static str,
    from: &'static str,
    to: &'static str,
    found: &'static str,
}

/// Verilates a wrapper, with a change or without, and runs its bench.
fn bench(board: &str, top: &str, mutant: Option<Mutant>) -> Result<()> {
    let scratch = Scratch::new(board)?;
    let mut options = SIMULATION.to_vec();
    if board != "litepcie" {
        options.push("-GLANES=2");
    }
    if mutant.is_some() {
        // What the change leaves unused.
        options.push("-Wno-fatal");
    }
    let changed = mutant.map(|mutant| {
        let path = boards().join(mutant.file);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(mutant.from).count(), 1, "{}: {}", mutant.file, mutant.from);
        let copy = scratch.path().join("mutant.sv");
        fs::write(&copy, text.replace(mutant.from, mutant.to)).unwrap();
        (mutant.file, copy)
    });
    let made = scratch.path().join("made");
    let verilator = verilate(top, &options, &made, |command| {
        command.args(["-F", "../rtl/sealgate.f"]);
        for file in sources() {
            match &changed {
                Some((name, copy)) if *name == file => command.arg(copy),
                _ => command.arg(file),
            };
        }
    })?;
    let program = build(board, top, &verilator, &made)?;
    output(&mut Command::new(program)).map(drop)
}

/// The files of the wrappers, in their order.
pub(crate) fn sources() -> Vec<String> {
    let list = fs::read_to_string(boards().join("boards.f")).unwrap();
    list.lines().map(str::to_owned).collect()
}

fn boards() -> PathBuf {
    workspace::root().join("hdl/boards")
}

/// Makes C++ of `top` in `made`; the result is Verilator's folder.
fn verilate(
    top: &str,
    options: &[&str],
    made: &Path,
    add_sources: impl FnOnce(&mut Command),
) -> Result<PathBuf> {
    let verilator = setup::simulation()?;
    let mut command = Command::new(verilator.join("bin/verilator_bin"));
    command
        .current_dir(boards())
        .env("VERILATOR_ROOT", &verilator)
        .args([
            "--cc",
            "-O3",
            "--quiet-stats",
            "-Wall",
            "--x-assign",
            "fast",
            "--x-initial",
            "fast",
        ])
        .args(["--no-timing", "-fno-split", "-fno-table", "--top-module", top])
        .args(options)
        .arg("--Mdir")
        .arg(made);
    add_sources(&mut command);
    output(&mut command)?;
    gather(made);
    Ok(verilator)
}

/// Puts what Verilator made into one file: its headers are long, and read once that way.
fn gather(made: &Path) {
    let mut all = String::new();
    for entry in fs::read_dir(made).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "cpp") {
            all += &fs::read_to_string(&path).unwrap();
            fs::remove_file(&path).unwrap();
        }
    }
    fs::write(made.join("all.cpp"), all).unwrap();
}

fn build(folder: &str, top: &str, verilator: &Path, made: &Path) -> Result<PathBuf> {
    let bench = boards().join(folder).join(format!("{top}_test.cpp"));
    let folders = [&*boards().join("common"), &*workspace::root().join("hdl/regs")];
    compile(&bench, &folders, verilator, made)
}
