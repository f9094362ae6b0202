// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Programs that come from the system's packages.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::process::{on_path, output, succeeds};
use crate::{Failure, Result};

/// A program and the Debian packages that bring it.
pub(super) struct Program {
    name: &'static str,
    packages: &'static [&'static str],
    present: fn() -> bool,
}

impl Program {
    /// What it is called.
    pub(super) const fn name(&self) -> &'static str {
        self.name
    }
}

/// The C++ compiler.
pub(super) const CXX: Program = Program {
    name: "g++",
    packages: &["g++"],
    present: || std::env::var_os("CXX").is_some() || on_path("g++") || on_path("c++"),
};

/// Python with what makes virtual environments.
pub(super) const PYTHON: Program = Program {
    name: "python3 with venv",
    packages: &["python3", "python3-venv"],
    present: || succeeds(Command::new("python3").args(["-c", "import venv, ensurepip"])),
};

/// The TLS client of OpenSSL.
pub(super) const OPENSSL: Program =
    Program { name: "openssl", packages: &["openssl"], present: || on_path("openssl") };

/// The HTTP client.
pub(super) const CURL: Program =
    Program { name: "curl", packages: &["curl"], present: || on_path("curl") };

/// What takes symbols out of programs.
pub(super) const BINUTILS: Program =
    Program { name: "strip", packages: &["binutils"], present: || on_path("strip") };

/// The TLS client of `GnuTLS`.
pub(super) const GNUTLS: Program =
    Program { name: "gnutls", packages: &["gnutls-bin"], present: || on_path("gnutls-cli") };

/// The test CA that speaks ACME.
pub(super) const PEBBLE: Program =
    Program { name: "pebble", packages: &["pebble"], present: || on_path("pebble") };

/// What finds lost memory and counts instructions.
pub(super) const VALGRIND: Program =
    Program { name: "valgrind", packages: &["valgrind"], present: || on_path("valgrind") };

/// The DNS server that takes signed updates, and a client of another make than ours.
pub(super) const KNOT: Program = Program {
    name: "knot",
    packages: &["knot", "knot-dnsutils"],
    present: || {
        // Few users have the folder of the system's servers in their path.
        let installed =
            |program| on_path(program) || Path::new("/usr/sbin").join(program).is_file();
        ["knotd", "keymgr", "kdig"].into_iter().all(installed)
    },
};

/// What testssl.sh is written for, beside a shell and OpenSSL. It does not start without a program that asks DNS servers,
/// even when it has none to ask.
pub(super) const TESTSSL_NEEDS: Program = Program {
    name: "hexdump, ps and host",
    packages: &["bsdextrautils", "procps", "bind9-host"],
    present: || {
        let asks = ["host", "dig", "drill", "nslookup"].into_iter().any(on_path);
        asks && on_path("hexdump") && on_path("ps")
    },
};

/// What reads units and makes users.
pub(super) const SYSTEMD: Program = Program {
    name: "systemd-analyze",
    packages: &["systemd"],
    present: || on_path("systemd-analyze") && on_path("systemd-sysusers"),
};

/// Gets programs that nothing goes without.
pub(super) fn require(programs: &[Program]) -> Result<()> {
    let missing = install(programs)?;
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|program| program.name).collect();
    Err(Failure::new(format!("missing: {}; to get it: {}", names.join(", "), by_hand(&missing))))
}

/// Gets programs where that is possible; the result names those that are still missing.
pub(super) fn wish(programs: &[Program]) -> Result<Vec<&'static str>> {
    let missing = install(programs)?;
    if !missing.is_empty() {
        eprintln!("setup: to have every test and measurement run: {}", by_hand(&missing));
    }
    Ok(missing.iter().map(|program| program.name).collect())
}

/// Installs what is missing if we may, and returns what is missing afterwards.
fn install(programs: &[Program]) -> Result<Vec<&Program>> {
    let missing: Vec<_> = programs.iter().filter(|program| !(program.present)()).collect();
    if missing.is_empty() || !is_root() || !on_path("apt-get") {
        return Ok(missing);
    }
    let packages = packages(&missing);
    eprintln!("setup: installing {} from the system's packages", packages.join(" "));
    let start = Instant::now();
    output(apt_get().args(["update", "-qq"]))?;
    output(apt_get().args(["install", "-qq", "--no-install-recommends"]).args(packages))?;
    eprintln!("setup: installed in {:.1} s", start.elapsed().as_secs_f64());
    Ok(missing.into_iter().filter(|program| !(program.present)()).collect())
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").arg("--assume-yes");
    command
}

fn by_hand(programs: &[&Program]) -> String {
    format!("sudo apt-get install {}", packages(programs).join(" "))
}

fn packages(programs: &[&Program]) -> Vec<&'static str> {
    programs.iter().flat_map(|program| program.packages).copied().collect()
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}
