// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Packages of another Debian release, unpacked into a folder of ours and run from there.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::result;

use crate::process::{on_path, output};
use crate::{Failure, Result, workspace};

/// What vouches for Debian's packages.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Packages that are unpacked into one folder.
struct Foreign {
    /// The folder among the tools.
    folder: &'static str,
    suites: &'static str,
    /// What is installed together, each time from this suite where it has it.
    rounds: &'static [(&'static str, &'static [&'static str])],
    needs: Needs,
}

/// What packages need that are not named.
#[derive(Clone, Copy)]
enum Needs {
    /// Everything comes along, the C library too.
    ComeAlong,
    /// The system has them.
    AreThere,
}

const NEXTPNR_XILINX: Foreign = Foreign {
    folder: "nextpnr-xilinx",
    suites: "forky",
    rounds: &[("forky", &["nextpnr-himbaechel-xilinx", "nextpnr-himbaechel-xilinx-chipdb"])],
    needs: Needs::ComeAlong,
};

/// A QEMU that can be the client of a device server, which came with version 10.1, and what boots in it.
const VIRTUAL_MACHINE: Foreign = Foreign {
    folder: "virtual-machine",
    suites: "trixie trixie-backports",
    rounds: &[
        ("trixie-backports", &["qemu-system-x86"]),
        ("trixie", &["linux-image-cloud-amd64", "busybox-static"]),
    ],
    needs: Needs::ComeAlong,
};

/// The scanner of TLS servers, a script, in a version that grades.
const TESTSSL: Foreign = Foreign {
    folder: "testssl",
    suites: "trixie",
    rounds: &[("trixie", &["testssl.sh"])],
    needs: Needs::AreThere,
};

/// The folder with nextpnr for Artix-7, or in words why it cannot be had here. The caller holds the lock of the tools.
pub(super) fn nextpnr_xilinx() -> Result<result::Result<PathBuf, String>> {
    NEXTPNR_XILINX.get()
}

/// The folder with QEMU, a kernel and busybox, or in words why they cannot be had here. The caller holds the lock of the
/// tools.
pub(super) fn virtual_machine() -> Result<result::Result<PathBuf, String>> {
    VIRTUAL_MACHINE.get()
}

/// The folder with testssl.sh, or in words why it cannot be had here. The caller holds the lock of the tools.
pub(super) fn testssl() -> Result<result::Result<PathBuf, String>> {
    TESTSSL.get()
}

impl Foreign {
    /// Nothing of the system is changed: apt works on lists and an archive of ours, with the mirror and the keys that the
    /// system uses.
    fn get(&self) -> Result<result::Result<PathBuf, String>> {
        let folder = workspace::tools().join(self.folder);
        let root = folder.join("root");
        if root.join("complete").is_file() {
            return Ok(Ok(root));
        }
        let mirror = match mirror() {
            Ok(mirror) => mirror,
            Err(reason) => return Ok(Err(reason)),
        };
        let configuration = configure(&folder, &mirror, self.suites)?;
        output(apt(&configuration).args(["update", "-qq"]))?;
        let archives = folder.join("cache/archives");
        for &(suite, packages) in self.rounds {
            eprintln!("setup: getting {} of Debian {suite}", packages.join(" and "));
            let mut get = apt(&configuration);
            get.current_dir(&archives).args(["-qq", "--target-release", suite]);
            match self.needs {
                Needs::ComeAlong => {
                    get.args(["install", "--yes", "--download-only", "--no-install-recommends"])
                }
                Needs::AreThere => get.arg("download"),
            };
            output(get.args(packages))?;
        }
        unpack(&archives, &root)?;
        let complete = root.join("complete");
        fs::write(&complete, "").map_err(Failure::at(complete.display()))?;
        Ok(Ok(root))
    }
}

/// Where the system gets Debian's packages from.
fn mirror() -> result::Result<String, String> {
    let is_debian = on_path("apt-get") && on_path("dpkg-deb") && Path::new(KEYRING).is_file();
    if !is_debian || env::consts::ARCH != "x86_64" {
        return Err("it comes as packages of Debian for x86_64, and this is none".into());
    }
    let mut command = Command::new("apt-get");
    command.args(["indextargets", "--format", "$(ORIGIN) $(CODENAME) $(REPO_URI)"]);
    let targets = output(&mut command).map_err(|Failure(what)| what)?;
    let mut uris = targets.lines().filter_map(|line| {
        let (codename, uri) = line.strip_prefix("Debian ")?.split_once(' ')?;
        // The main archive: updates and security have a suffix.
        (!codename.contains('-')).then(|| uri.to_owned())
    });
    uris.next().ok_or_else(|| {
        "apt knows no archive of Debian: run apt-get update, and then this again".into()
    })
}

/// Writes a configuration of apt that stays inside a folder; the result is its file.
fn configure(folder: &Path, mirror: &str, suites: &str) -> Result<PathBuf> {
    for name in ["lists/partial", "cache/archives/partial", "sources"] {
        let part = folder.join(name);
        fs::create_dir_all(&part).map_err(Failure::at(part.display()))?;
    }
    let sources = format!(
        "Types: deb\nURIs: {mirror}\nSuites: {suites}\nComponents: main\nSigned-By: {KEYRING}\n"
    );
    let here = folder.display();
    // Nothing counts as installed.
    let configuration = format!(
        "Dir::Etc::SourceList \"/dev/null\";\nDir::Etc::SourceParts \"{here}/sources\";\n\
         Dir::State::Lists \"{here}/lists\";\nDir::State::status \"{here}/status\";\n\
         Dir::Cache \"{here}/cache\";\nAcquire::Languages \"none\";\nDebug::NoLocking \"true\";\n"
    );
    let file = folder.join("apt.conf");
    let files = [
        (folder.join("sources/release.sources"), sources.as_str()),
        (folder.join("status"), ""),
        (file.clone(), configuration.as_str()),
    ];
    for (path, text) in files {
        fs::write(&path, text).map_err(Failure::at(path.display()))?;
    }
    Ok(file)
}

fn apt(configuration: &Path) -> Command {
    let mut command = Command::new("apt-get");
    command.env("APT_CONFIG", configuration).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn unpack(archives: &Path, root: &Path) -> Result<()> {
    for entry in fs::read_dir(archives).map_err(Failure::at(archives.display()))? {
        let path = entry.map_err(Failure::at(archives.display()))?.path();
        if path.extension().is_some_and(|kind| kind == "deb") {
            output(Command::new("dpkg-deb").arg("--extract").arg(&path).arg(root))?;
        }
    }
    Ok(())
}
