// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Runs the C++ test benches of single RTL modules, `hdl/regs/*_test.cpp`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::output;
use crate::scratch::Scratch;
use crate::{Result, setup, workspace};

/// What every module below needs, in the order of their use.
const PACKAGES: [&str; 3] =
    ["common/sealgate_abi_pkg.sv", "common/sealgate_pkg.sv", "csr/sealgate_regs_pkg.sv"];

#[test]
fn the_registers_behave_as_their_page_says() {
    // The bench looks into the module for what no port shows.
    let shape =
        ["-GLanes=2", "-GDataWidth=256", "-GChacha=0", "-GBuild=32'hc0ffee01", "--public-flat-rw"];
    run(&["csr"], "sealgate_csr", &shape, &[]);
}

#[test]
fn interrupts_are_moderated_and_none_is_lost() {
    run(&["queue"], "sealgate_interrupts", &[], &[]);
}

#[test]
fn a_build_without_chacha20_does_not_know_its_suite() {
    for (option, highest_suite) in [("-GChacha=1", "3"), ("-GChacha=0", "2")] {
        run(&["context", "common"], "sealgate_decode", &[option], &[highest_suite]);
    }
}

#[test]
fn a_lane_reads_with_few_tags_and_with_many() {
    // Simulated as a whole is an engine with 32 of them.
    for tags in ["4", "256"] {
        let shape = ["-GDataWidth=128", &format!("-GTags={tags}")];
        run(&["dma", "common"], "sealgate_read_port", &shape, &[tags]);
    }
}

/// Verilates `top`, which stands in the first of these folders of the RTL and needs modules of all, and runs its bench.
fn run(folders: &[&str], top: &str, options: &[&str], arguments: &[&str]) {
    let result = Scratch::new(top).and_then(|scratch| {
        let bench = build(folders, top, options, scratch.path())?;
        output(Command::new(bench).args(arguments))
    });
    if let Err(failure) = result {
        panic!("{}", failure.0);
    }
}

/// Verilates and compiles; the result is the program.
fn build(folders: &[&str], top: &str, options: &[&str], scratch: &Path) -> Result<PathBuf> {
    let verilator = setup::simulation()?;
    let rtl = workspace::root().join("hdl/rtl");
    output(
        Command::new(verilator.join("bin/verilator_bin"))
            .current_dir(&rtl)
            .env("VERILATOR_ROOT", &verilator)
            .args(["--cc", "--quiet-stats", "-Wall", "--top-module", top])
            .args(folders.iter().flat_map(|folder| ["-y", folder]))
            .args(options)
            .arg("--Mdir")
            .arg(scratch)
            .arg("sealgate.vlt")
            .args(PACKAGES)
            .arg(format!("{}/{top}.sv", folders[0])),
    )?;
    let regs = workspace::root().join("hdl/regs");
    compile(&regs.join(format!("{top}_test.cpp")), &[&regs], &verilator, scratch)
}

/// Compiles a bench, which includes from these folders, with what Verilator made; the result is the program.
pub(crate) fn compile(
    bench: &Path,
    folders: &[&Path],
    verilator: &Path,
    scratch: &Path,
) -> Result<PathBuf> {
    let include = verilator.join("include");
    let made = fs::read_dir(scratch).unwrap().map(|entry| entry.unwrap().path());
    let program = scratch.join("bench");
    let cxx = env::var_os("CXX").unwrap_or_else(|| "g++".into());
    output(
        Command::new(cxx)
            .args(["-std=c++17", "-O1", "-I"])
            .arg(scratch)
            .arg("-I")
            .arg(&include)
            .arg("-I")
            .arg(include.join("vltstd"))
            .args(folders.iter().flat_map(|folder| [Path::new("-I"), *folder]))
            .args(made.filter(|path| path.extension().is_some_and(|kind| kind == "cpp")))
            .arg(include.join("verilated.cpp"))
            .arg(include.join("verilated_threads.cpp"))
            .arg(bench)
            .args(["-pthread", "-o"])
            .arg(&program),
    )?;
    Ok(program)
}
