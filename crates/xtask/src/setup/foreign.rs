// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Packages of another Debian release, unpacked into a folder of ours and run from there with their own libraries.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::result;

use crate::process::{on_path, output};
use crate::{Failure, Result, workspace};

/// The release whose packages bring nextpnr for Artix-7, and what vouches for it.
const RELEASE: &str = "forky";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
const PACKAGES: [&str; 2] = ["nextpnr-himbaechel-xilinx", "nextpnr-himbaechel-xilinx-chipdb"];

/// The folder with nextpnr for Artix-7, or in words why it cannot be had here. The caller holds the lock of the tools.
///
/// Nothing of the system is changed: apt works on lists and an archive of ours, with the mirror and the keys that the
/// system uses.
pub(super) fn nextpnr_xilinx() -> Result<result::Result<PathBuf, String>> {
    let folder = workspace::tools().join("nextpnr-xilinx");
    let root = folder.join("root");
    if root.join("complete").is_file() {
        return Ok(Ok(root));
    }
    let mirror = match mirror() {
        Ok(mirror) => mirror,
        Err(reason) => return Ok(Err(reason)),
    };
    eprintln!("setup: getting {} of Debian {RELEASE}", PACKAGES.join(" and "));
    let configuration = configure(&folder, &mirror)?;
    output(apt(&configuration).args(["update", "-qq"]))?;
    output(
        apt(&configuration)
            .args(["install", "-qq", "--yes", "--download-only", "--no-install-recommends"])
            .args(PACKAGES),
    )?;
    unpack(&folder.join("cache/archives"), &root)?;
    let complete = root.join("complete");
    fs::write(&complete, "").map_err(Failure::at(complete.display()))?;
    Ok(Ok(root))
}

/// Where the system gets Debian's packages from.
fn mirror() -> result::Result<String, String> {
    let is_debian = on_path("apt-get") && on_path("dpkg-deb") && Path::new(KEYRING).is_file();
    if !is_debian || env::consts::ARCH != "x86_64" {
        return Err("its nextpnr comes as packages of Debian for x86_64, and this is none".into());
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
        "apt knows no archive of Debian: run apt-get update, and cargo xtask synth again".into()
    })
}

/// Writes a configuration of apt that stays inside a folder; the result is its file.
fn configure(folder: &Path, mirror: &str) -> Result<PathBuf> {
    for name in ["lists/partial", "cache/archives/partial", "sources"] {
        let part = folder.join(name);
        fs::create_dir_all(&part).map_err(Failure::at(part.display()))?;
    }
    let sources = format!(
        "Types: deb\nURIs: {mirror}\nSuites: {RELEASE}\nComponents: main\nSigned-By: {KEYRING}\n"
    );
    let here = folder.display();
    // Without a list of what is installed, everything that is needed comes along, the C library too.
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
