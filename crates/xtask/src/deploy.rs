// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `cargo xtask deploy-check`: what `deploy` installs, looked at by the programs that will read it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{output, succeeds};
use crate::scratch::Scratch;
use crate::timing::Parts;
use crate::{Failure, Result, setup, workspace};

const UNIT: &str = "sealgate.service";

/// The unit, alone and with a drop-in, and the most exposure that `systemd-analyze security` may find, in tenths. What it
/// finds less is to be committed here.
const EXPOSURES: [(Option<&str>, u32); 2] = [(None, 12), (Some("port-443.conf"), 16)];

/// Checks what there are programs for, and says what was not checked.
pub(crate) fn check() -> Result<()> {
    let mut parts = Parts::default();
    if !parts.run("setup", setup::deployment)? {
        println!("skipped: systemd-analyze is missing, units and users are not checked");
        return Ok(());
    }
    parts.run("unit", || {
        EXPOSURES.into_iter().try_for_each(|(drop_in, most)| unit(drop_in, most))
    })?;
    parts.run("user", user)?;
    parts.run("udev rule", udev_rule)?;
    parts.print();
    Ok(())
}

/// That the unit is one, and how much it leaves open.
fn unit(drop_in: Option<&str>, most: u32) -> Result<()> {
    let folder = Scratch::new("deploy")?;
    let unit = folder.path().join(UNIT);
    let text = read(&deploy().join("systemd").join(UNIT))?;
    // The program is not installed here, and the check of a unit wants it to be.
    let present = env::current_exe().map_err(Failure::at("this program's path"))?;
    write(&unit, &text.replace("/usr/bin/sealgate", &present.display().to_string()))?;
    if let Some(name) = drop_in {
        let drop_ins = folder.path().join(format!("{UNIT}.d"));
        fs::create_dir(&drop_ins).map_err(Failure::at(drop_ins.display()))?;
        write(&drop_ins.join(name), &read(&deploy().join("systemd").join(name))?)?;
    }
    let name = drop_in.map_or(UNIT.to_owned(), |drop_in| format!("{UNIT} with {drop_in}"));
    verify(&unit, &name)?;
    let report =
        output(Command::new("systemd-analyze").args(["security", "--offline=true"]).arg(&unit))?;
    let exposure = exposure(&report).ok_or_else(|| {
        Failure::new(format!("systemd-analyze tells no exposure of {name}: {report}"))
    })?;
    println!("{name}: exposure {}.{}", exposure / 10, exposure % 10);
    if exposure > most {
        let open: Vec<_> = report.lines().filter(|line| line.starts_with('✗')).collect();
        let open = open.join("\n");
        return Err(Failure::new(format!("{name} is open to more than {most} tenths:\n{open}")));
    }
    if exposure < most {
        println!("it is less than the {most} tenths of crates/xtask/src/deploy.rs: commit it");
    }
    Ok(())
}

/// That systemd takes every line: one that it does not know it only warns of.
fn verify(unit: &Path, name: &str) -> Result<()> {
    let run = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(unit)
        .output()
        .map_err(Failure::at("systemd-analyze verify"))?;
    let said = String::from_utf8_lossy(&run.stderr);
    let ours: Vec<_> = said.lines().filter(|line| line.contains(UNIT)).collect();
    if run.status.success() && ours.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("{name} is not a sound unit:\n{said}")))
}

/// In tenths, from a line such as "Overall exposure level for sealgate.service: 1.2 OK".
fn exposure(report: &str) -> Option<u32> {
    let (_, level) =
        report.lines().find_map(|line| line.split_once("Overall exposure level for "))?;
    let (_, level) = level.split_once(": ")?;
    level.split_whitespace().next()?.replace('.', "").parse().ok()
}

/// That the user and the group are made.
fn user() -> Result<()> {
    let folder = Scratch::new("deploy")?;
    let etc = folder.path().join("etc");
    fs::create_dir(&etc).map_err(Failure::at(etc.display()))?;
    output(
        Command::new("systemd-sysusers")
            .arg(format!("--root={}", folder.path().display()))
            .arg(deploy().join("sysusers.d/sealgate.conf")),
    )?;
    for file in ["passwd", "group"] {
        if !read(&etc.join(file))?.lines().any(|line| line.starts_with("sealgate:")) {
            return Err(Failure::new(format!("systemd-sysusers makes no sealgate in {file}")));
        }
    }
    Ok(())
}

/// Where udev is new enough to check rules (254).
fn udev_rule() -> Result<()> {
    if !succeeds(Command::new("udevadm").args(["verify", "--help"])) {
        println!("skipped: there is no udevadm verify, the udev rule is not checked");
        return Ok(());
    }
    output(Command::new("udevadm").arg("verify").arg(deploy().join("udev/70-sealgate.rules")))
        .map(drop)
}

fn deploy() -> PathBuf {
    workspace::root().join("deploy")
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(Failure::at(path.display()))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(Failure::at(path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exposure_is_read_from_the_report() {
        let report =
            "✗ PrivateNetwork= 0.5\n\n→ Overall exposure level for sealgate.service: 1.2 OK 🙂\n";
        assert_eq!(exposure(report), Some(12));
        assert_eq!(exposure("→ Overall exposure level for a: 10.0 DANGEROUS"), Some(100));
        assert_eq!(exposure("no such unit"), None);
    }
}
