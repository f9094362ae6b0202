// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Gets the tools that are missing: pinned, into a folder that git ignores.

mod foreign;
mod python;
mod system;

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::result;

pub(crate) use python::Environment;

use crate::{Failure, Result, workspace};

/// Gets everything that any chore needs.
pub(crate) fn everything() -> Result<()> {
    for program in test_programs()? {
        println!("{program} is missing: the tests that start it are skipped");
    }
    if !valgrind()? {
        println!("valgrind is missing: the host's instructions are not counted");
    }
    simulation()?;
    codegen()?;
    sdk()?;
    synthesis()?;
    formal()?;
    if let Err(reason) = virtual_machine()? {
        println!("there is no virtual machine to be had, and its tests are skipped: {reason}");
    }
    println!("the tools are in {}", workspace::tools().display());
    Ok(())
}

/// Gets what it takes to build the verilated record engine; the result is the folder that Verilator's `bin` and
/// `include` stand in.
pub(crate) fn simulation() -> Result<PathBuf> {
    let _lock = lock()?;
    system::require(&[system::CXX])?;
    verilator()
}

/// Gets what checks the files of `deploy`, if it can be had.
pub(crate) fn deployment() -> Result<bool> {
    let _lock = lock()?;
    Ok(system::wish(&[system::SYSTEMD])?.is_empty())
}

/// Gets what it takes to make the generated files; the result is the Python interpreter to run.
pub(crate) fn codegen() -> Result<PathBuf> {
    let _lock = lock()?;
    Ok(Environment::CODEGEN.get()?.join("bin/python"))
}

/// Gets what it takes to build and check the Python package; the result is the Python interpreter to run.
pub(crate) fn sdk() -> Result<PathBuf> {
    let _lock = lock()?;
    system::require(&[system::OPENSSL])?;
    Ok(Environment::SDK.get()?.join("bin/python"))
}

/// Gets what it takes to synthesise the record engine; the result is the Python interpreter to run.
pub(crate) fn synthesis() -> Result<PathBuf> {
    let _lock = lock()?;
    Ok(Environment::SYNTHESIS.get()?.join("bin/python"))
}

/// Gets what it takes to run the proofs; the result is the folder of their programs.
pub(crate) fn formal() -> Result<PathBuf> {
    let _lock = lock()?;
    Ok(Environment::FORMAL.get()?.join("bin"))
}

/// Gets nextpnr for Artix-7, some 300 MB with its device data; the result is the folder it is unpacked in, or in words
/// why it cannot be had.
pub(crate) fn nextpnr_xilinx() -> Result<result::Result<PathBuf, String>> {
    let _lock = lock()?;
    foreign::nextpnr_xilinx()
}

/// Gets QEMU, a kernel and busybox, and curl for inside; the result is the folder that the first three are unpacked in, or
/// in words why they cannot be had.
pub(crate) fn virtual_machine() -> Result<result::Result<PathBuf, String>> {
    let _lock = lock()?;
    system::require(&[system::CURL, system::BINUTILS])?;
    foreign::virtual_machine()
}

/// The program that finds lost memory.
pub(crate) const VALGRIND: &str = system::VALGRIND.name();

/// Gets the programs that tests start; the result names those that could not be had.
pub(crate) fn test_programs() -> Result<Vec<&'static str>> {
    let _lock = lock()?;
    let mut missing = system::wish(&[
        system::OPENSSL,
        system::CURL,
        system::GNUTLS,
        system::VALGRIND,
        system::PEBBLE,
        system::KNOT,
    ])?;
    // Both look at a service whose status OpenSSL gives.
    let openssl = !missing.contains(&system::OPENSSL.name());
    if !openssl || !testssl()? {
        missing.push("testssl");
    }
    if openssl {
        Environment::TLS.get()?;
    } else {
        missing.push("sslyze");
    }
    Ok(missing)
}

/// Gets testssl.sh with what it is written for; the result is whether it is there.
fn testssl() -> Result<bool> {
    let needs = system::wish(&[system::TESTSSL_NEEDS])?;
    let got = foreign::testssl()?;
    if let Err(reason) = &got {
        eprintln!("setup: there is no testssl.sh to be had: {reason}");
    }
    Ok(needs.is_empty() && got.is_ok())
}

/// Gets the program that counts instructions; the result is whether it is there.
pub(crate) fn valgrind() -> Result<bool> {
    let _lock = lock()?;
    Ok(system::wish(&[system::VALGRIND])?.is_empty())
}

/// The folder of Verilator: `VERILATOR_ROOT` where the user chose one, else ours.
fn verilator() -> Result<PathBuf> {
    if let Some(chosen) = env::var_os("VERILATOR_ROOT") {
        let root = PathBuf::from(chosen);
        return is_verilator(&root).then_some(root.clone()).ok_or_else(|| {
            Failure::new(format!(
                "VERILATOR_ROOT is {}, where there is no bin/verilator_bin: correct or unset it",
                root.display()
            ))
        });
    }
    let environment = Environment::VERILATOR.get()?;
    let packages = environment.join("lib");
    let found = fs::read_dir(&packages)
        .map_err(Failure::at(packages.display()))?
        .filter_map(|entry| Some(entry.ok()?.path().join("site-packages/verilator")))
        .find(|root| is_verilator(root));
    found.ok_or_else(|| {
        Failure::new(format!(
            "{} holds no Verilator: remove the folder and run cargo xtask setup",
            environment.display()
        ))
    })
}

fn is_verilator(root: &Path) -> bool {
    root.join("bin/verilator_bin").is_file()
}

/// Only one process at a time changes the tools; others wait here. Dropping the file lets the next one in.
fn lock() -> Result<File> {
    let folder = workspace::tools();
    fs::create_dir_all(&folder).map_err(Failure::at(folder.display()))?;
    let path = folder.join("lock");
    let file = File::create(&path).map_err(Failure::at(path.display()))?;
    if file.try_lock().is_err() {
        eprintln!("setup: waiting for another setup of {}", folder.display());
        file.lock().map_err(Failure::at(path.display()))?;
    }
    Ok(file)
}
