// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The programs of the project as child processes, and those of others that serve as clients.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use serde_json::Value;
use tempfile::TempDir;

/// How long a server may take to come up on a busy machine.
const READY_PATIENCE: Duration = Duration::from_secs(120);

/// The path of a program of this workspace. `cargo test --workspace` builds it beside the tests.
#[must_use]
pub fn path(name: &str) -> PathBuf {
    let test = env::current_exe().expect("the path of the test");
    let folder = test.ancestors().nth(2).expect("tests stand in target/<profile>/deps");
    let path = folder.join(name);
    assert!(
        path.is_file(),
        "{} is not built: run `cargo xtask test`, or build sealgate-cli and sealgate-demo first",
        path.display()
    );
    path
}

/// Whether a program of the system is there. If not, says that its test is skipped.
#[must_use]
pub fn installed(name: &str) -> bool {
    let present = env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(name).is_file()));
    if !present {
        println!("skipped: {name} is not installed");
    }
    present
}

/// `sealgate serve` on a free port of the loopback interface; ended when dropped.
#[derive(Debug)]
pub struct Serving {
    child: Child,
    folder: TempDir,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Serving {
    /// Starts it with the device at an address, and further arguments, and waits until it listens.
    #[must_use]
    pub fn start(device: &str, arguments: &[&str]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let file = |name: &str| folder.path().join(name);
        let log = fs::File::create(file("log")).expect("a log");
        let child = Command::new(path("sealgate"))
            .args(["serve", "--listen", "127.0.0.1:0", "--device", device, "--dev-cert"])
            .arg(file("root.pem"))
            .arg("--ready-file")
            .arg(file("ready.json"))
            .args(arguments)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("sealgate starts");
        let mut serving = Self { child, folder, address: SocketAddr::from(([0; 4], 0)) };
        serving.address = serving.await_ready();
        serving
    }

    /// The file of the certificate to trust, in PEM.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }

    /// The certificate to trust, in PEM.
    #[must_use]
    pub fn root_pem(&self) -> String {
        fs::read_to_string(self.root()).expect("the certificate is readable")
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).expect("the log is readable")
    }

    fn await_ready(&mut self) -> SocketAddr {
        let ready_file = self.folder.path().join("ready.json");
        let begun = Instant::now();
        loop {
            if let Some(address) = ready_address(&ready_file) {
                return address;
            }
            let ended = self.child.try_wait().expect("its status is known");
            assert!(ended.is_none(), "sealgate ended: {}", self.log());
            assert!(begun.elapsed() < READY_PATIENCE, "sealgate is not ready: {}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Fails if it has ended, and then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ready_address(ready_file: &Path) -> Option<SocketAddr> {
    let ready: Value = serde_json::from_slice(&fs::read(ready_file).ok()?).ok()?;
    ready["addresses"][0].as_str()?.parse().ok()
}
