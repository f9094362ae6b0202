// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `cargo xtask vm-test`: the driver on the kernel's own VFIO, in a virtual machine whose card is the record engine's
//! RTL.
//!
//! The device's server (`sealgate-sim serve`) is the card. QEMU, whose client of such servers it takes, boots a stock
//! kernel of Debian with an IOMMU; `tests/vm/init` is its first process, and says what happens on the console.

mod initramfs;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::result;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::process::{Ended, cargo, output};
use crate::scratch::Scratch;
use crate::timing::Parts;
use crate::{Failure, Result, setup, workspace};

/// The longest that the machine may say nothing: what waits longest inside is told to give up before.
const SILENCE_LIMIT: Duration = Duration::from_secs(180);

/// The check that prints what the way to the card costs.
const MEASURED: &str = "device measure";

/// Lines of what QEMU complains of that are shown of a machine that ended early.
const COMPLAINTS_MAX: usize = 20;

/// What the first process prints in front of what is meant for us.
const PREFIX: &str = "vm: ";

/// Boots the machine and counts what it tells.
pub(crate) fn run() -> Result<()> {
    let mut parts = Parts::default();
    let told = match session(&mut parts)? {
        Ok(told) => told,
        Err(reason) => {
            println!("0 passed, 0 failed");
            return Err(Failure::new(format!("there is no virtual machine to be had: {reason}")));
        }
    };
    parts.print();
    let Told { passed, failed, done, .. } = told;
    for name in &failed {
        println!("failed: {name}");
    }
    println!("{passed} passed, {} failed", failed.len());
    match (failed.len(), done) {
        (0, true) => Ok(()),
        (0, false) => {
            Err(Failure::new("the virtual machine ended before its tests did; see above"))
        }
        _ => Err(Failure::new("tests in the virtual machine failed; see above")),
    }
}

/// What the way to the card costs inside, as `sealgate device measure --json` prints it. `None`: there is no virtual
/// machine to be had.
pub(crate) fn figures() -> Result<Option<String>> {
    Ok(session(&mut Parts::default())?.ok().map(|told| told.figures))
}

/// Gets everything, boots and listens; or says in words why there is no virtual machine to be had.
fn session(parts: &mut Parts) -> Result<result::Result<Told, String>> {
    let tools = parts.run("setup", || {
        setup::simulation()?;
        setup::virtual_machine()
    })?;
    let tools = match tools {
        Ok(tools) => tools,
        Err(reason) => return Ok(Err(reason)),
    };
    let programs = parts.run("build", Programs::build)?;
    let scratch = Scratch::new("vm")?;
    let initramfs =
        parts.run("initramfs", || initramfs::pack(&tools, &programs, scratch.path()))?;
    let told = parts.run("machine", || boot(&tools, &programs, scratch.path(), &initramfs))?;
    Ok(Ok(told))
}

/// Waits until a server has made its socket.
pub(crate) fn wait_for(socket: &Path) -> Result<()> {
    let begun = Instant::now();
    while !socket.exists() {
        if begun.elapsed() > SILENCE_LIMIT {
            return Err(Failure::new(format!("nobody makes the socket {}", socket.display())));
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// What runs inside the machine, and the card outside.
struct Programs {
    sealgate: PathBuf,
    transports: PathBuf,
    sealgate_sim: PathBuf,
}

impl Programs {
    fn build() -> Result<Self> {
        let sealgate_sim = built(
            ["--workspace", "--features", workspace::RTL_FEATURES, "--bin", "sealgate-sim"],
            "sealgate-sim",
        )?;
        // Without the RTL, whose simulation is compiled for this processor: the machine's has less.
        let transports = built(
            ["--package", "sealgate-tests", "--test", "transports", "--quiet"],
            "transports",
        )?;
        let sealgate =
            built(["--package", "sealgate-cli", "--bin", "sealgate", "--quiet"], "sealgate")?;
        Ok(Self { sealgate, transports, sealgate_sim })
    }
}

/// Builds a program; the result is its path.
fn built<const N: usize>(arguments: [&str; N], name: &str) -> Result<PathBuf> {
    let told = output(
        cargo()
            .arg("build")
            .args(arguments)
            .arg("--message-format=json-render-diagnostics")
            .stderr(Stdio::inherit()),
    )?;
    let key = r#""executable":""#;
    let paths = told.lines().filter_map(|line| line.split_once(key)?.1.split('"').next());
    let is_wanted = |path: &&str| {
        let file = Path::new(path).file_name().unwrap_or_default().to_string_lossy();
        // Tests have a hash behind their name.
        file == name || file.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'))
    };
    let path = paths.into_iter().find(is_wanted);
    path.map(PathBuf::from)
        .ok_or_else(|| Failure::new(format!("cargo did not tell where {name} is")))
}

/// What the machine told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    passed: usize,
    failed: Vec<String>,
    done: bool,
    /// What was printed by the check whose name is [`MEASURED`].
    figures: String,
    /// The check whose lines come.
    check: String,
}

/// Boots the machine with its card and listens to it until it ends.
fn boot(tools: &Path, programs: &Programs, scratch: &Path, initramfs: &Path) -> Result<Told> {
    let socket = scratch.join("card.sock");
    let mut card = Ended(
        Command::new(&programs.sealgate_sim)
            .args(["serve", "--device", "rtl", "--socket"])
            .arg(&socket)
            .spawn()
            .map_err(Failure::at("sealgate-sim"))?,
    );
    wait_for(&socket)?;
    // Of a card that was pulled QEMU complains thousands of times.
    let complaints = scratch.join("qemu.log");
    let file = fs::File::create(&complaints).map_err(Failure::at(complaints.display()))?;
    let mut machine = qemu(tools, &socket, initramfs)?;
    let machine = machine.stderr(file).spawn().map_err(Failure::at("qemu-system-x86_64"))?;
    let mut machine = Ended(machine);
    let Some(console) = machine.0.stdout.take() else {
        return Err(Failure::new("the virtual machine has no console"));
    };
    let lines = read_lines(console);
    let mut told = Told::default();
    loop {
        match lines.recv_timeout(SILENCE_LIMIT) {
            Ok(line) => {
                println!("{line}");
                if told.note(&line) {
                    // A card that is pulled: its server is gone from one moment to the next.
                    let _ = card.0.kill();
                }
                // The kernel would still wait for its card.
                if told.done {
                    return Ok(told);
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                let silence = SILENCE_LIMIT.as_secs();
                println!("the virtual machine has said nothing for {silence} s, and is ended");
                break;
            }
        }
    }
    let complaints = fs::read_to_string(&complaints).unwrap_or_default();
    complaints.lines().take(COMPLAINTS_MAX).for_each(|line| println!("{line}"));
    Ok(told)
}

impl Told {
    /// Notes one line of the console. The result is whether the card is to be pulled.
    fn note(&mut self, line: &str) -> bool {
        if let Some(name) = line.trim_end().strip_prefix("--- ") {
            name.clone_into(&mut self.check);
            return false;
        }
        let Some(news) = line.trim_end().strip_prefix(PREFIX) else {
            if self.check == MEASURED {
                self.figures.push_str(line);
            }
            return false;
        };
        match news.split_once(' ') {
            Some(("passed", _)) => self.passed += 1,
            Some(("failed", name)) => self.failed.push(name.to_owned()),
            None if news == "done" => self.done = true,
            _ => return news == "pull the card",
        }
        false
    }
}

/// QEMU out of another release runs with its own libraries. KVM is not asked for: machines like CI's have none, and what
/// is tested is no matter of speed.
fn qemu(tools: &Path, socket: &Path, initramfs: &Path) -> Result<Command> {
    let libraries = tools.join("usr/lib/x86_64-linux-gnu");
    let path = format!("{0}:{0}/pulseaudio", libraries.display());
    let kernel = only(&tools.join("boot"), "vmlinuz-")?;
    // A reply of the device may take long on a busy machine, and a late one breaks the connection for good.
    let card = format!(
        r#"{{"driver":"vfio-user-pci","bus":"root","x-msg-timeout":60000,"socket":{{"type":"unix","path":"{}"}}}}"#,
        socket.display()
    );
    let mut command = Command::new(tools.join("usr/lib64/ld-linux-x86-64.so.2"));
    command
        .arg("--library-path")
        .arg(path)
        .arg(tools.join("usr/bin/qemu-system-x86_64"))
        .arg("-L")
        .arg(tools.join("usr/share/qemu"))
        .arg("-L")
        .arg(tools.join("usr/share/seabios"))
        .args(["-machine", "q35,memory-backend=memory", "-accel", "tcg", "-cpu", "max"])
        .args(["-m", "1G", "-smp", "1", "-nodefaults", "-nographic", "-no-reboot"])
        .args(["-serial", "stdio"])
        // Shared, so that the device reaches it.
        .args(["-object", "memory-backend-memfd,id=memory,size=1G,share=on"])
        .args(["-device", "intel-iommu,intremap=on,caching-mode=on"])
        .args(["-device", "pcie-root-port,id=root,slot=1,chassis=1"])
        .args(["-device", &card])
        .arg("-kernel")
        .arg(kernel)
        .arg("-initrd")
        .arg(initramfs)
        .args(["-append", "console=ttyS0 panic=-1 intel_iommu=on iommu=pt quiet"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    Ok(command)
}

/// The one entry of a folder whose name begins so.
fn only(folder: &Path, prefix: &str) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).map_err(Failure::at(folder.display()))?;
    let mut found = entries.filter_map(|entry| {
        let path = entry.ok()?.path();
        path.file_name()?.to_str()?.starts_with(prefix).then_some(path)
    });
    found.next().ok_or_else(|| {
        Failure::new(format!(
            "{} holds no {prefix}: remove {} and run cargo xtask vm-test again",
            folder.display(),
            workspace::tools().join("virtual-machine").display()
        ))
    })
}

/// Reads on a thread of its own, so that one can wait for a line for a limited time.
fn read_lines(console: ChildStdout) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        let lines = BufReader::new(console).split(b'\n').map_while(result::Result::ok);
        for line in lines {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_machine_tells_is_counted() {
        let mut told = Told::default();
        let lines = [
            "booting",
            "--- device measure",
            "{",
            "}",
            "vm: passed device measure\r",
            "--- reset in flight",
            "1 request",
            "vm: failed reset in flight",
        ];
        for line in lines {
            assert!(!told.note(line), "{line}");
        }
        assert!(told.note("vm: pull the card"));
        assert!(!told.note("vm: done"));
        assert_eq!((told.passed, &told.figures[..], told.done), (1, "{}", true));
        assert_eq!(told.failed, ["reset in flight"]);
    }
}
