// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Runs the test bench of the generated register block, `hdl/regs/sealgate_regs_test.cpp`.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::process::output;
use crate::{Result, setup, workspace};

#[test]
fn the_register_block_behaves_as_its_page_says() {
    let folder = env::temp_dir().join(format!("sealgate-regs-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let result = build_and_run(&folder);
    fs::remove_dir_all(&folder).unwrap();
    if let Err(failure) = result {
        panic!("{}", failure.0);
    }
}

fn build_and_run(folder: &Path) -> Result<()> {
    let verilator = setup::simulation()?;
    let (include, root) = (verilator.join("include"), workspace::root());
    output(
        Command::new(verilator.join("bin/verilator_bin"))
            .env("VERILATOR_ROOT", &verilator)
            .args(["--cc", "--quiet-stats", "-Wall", "--Mdir"])
            .arg(folder)
            .arg(root.join("hdl/rtl/sealgate.vlt"))
            .arg(root.join("hdl/rtl/csr/sealgate_regs.sv")),
    )?;
    let made = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let bench = folder.join("bench");
    let cxx = env::var_os("CXX").unwrap_or_else(|| "g++".into());
    output(
        Command::new(cxx)
            .arg("-std=c++17")
            .arg("-I")
            .arg(folder)
            .arg("-I")
            .arg(&include)
            .arg("-I")
            .arg(include.join("vltstd"))
            .args(made.filter(|path| path.extension().is_some_and(|kind| kind == "cpp")))
            .arg(include.join("verilated.cpp"))
            .arg(include.join("verilated_threads.cpp"))
            .arg(root.join("hdl/regs/sealgate_regs_test.cpp"))
            .args(["-pthread", "-o"])
            .arg(&bench),
    )?;
    output(&mut Command::new(bench)).map(drop)
}
