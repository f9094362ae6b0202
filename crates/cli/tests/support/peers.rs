// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The real servers that the program works with: pebble, an ACME authority, and knot, a DNS server.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::targets::PATIENCE;
use super::text;

/// An ACME authority on 127.0.0.1.
pub(crate) struct Pebble {
    child: Option<Child>,
    folder: TempDir,
    acme: SocketAddr,
    management: SocketAddr,
    dns: Option<SocketAddr>,
    /// Of a hundred nonces so many are refused.
    pub(crate) rejected_nonces: u32,
}

impl Pebble {
    /// Prepares one whose certificates are valid for so many seconds; it does not run yet.
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let signed = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        fs::write(folder.path().join("https.pem"), signed.pem()).unwrap();
        fs::write(folder.path().join("https.key"), key.serialize_pem()).unwrap();
        let (acme, management) = (free_port(), free_port());
        Self { child: None, folder, acme, management, dns: None, rejected_nonces: 0 }
    }

    pub(crate) fn directory(&self) -> String {
        format!("https://localhost:{}/dir", self.acme.port())
    }

    /// The root of its own HTTPS.
    pub(crate) fn https_root(&self) -> PathBuf {
        self.folder.path().join("https.pem")
    }

    /// Runs it: validations go to these ports of whatever address `dns` answers with.
    pub(crate) fn configure(
        &mut self,
        https: u16,
        http: u16,
        dns: SocketAddr,
        validity_seconds: u64,
    ) {
        let path = |name: &str| self.folder.path().join(name);
        let config = serde_json::json!({ "pebble": {
            "listenAddress": self.acme.to_string(),
            "managementListenAddress": self.management.to_string(),
            "certificate": path("https.pem"),
            "privateKey": path("https.key"),
            "httpPort": http,
            "tlsPort": https,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
            "certificateValidityPeriod": validity_seconds,
        }});
        fs::write(path("config.json"), config.to_string()).unwrap();
        self.dns = Some(dns);
    }

    pub(crate) fn run(&mut self) {
        let config = self.folder.path().join("config.json");
        let dns = self.dns.expect("configured").to_string();
        let mut command = bound_to_test("pebble");
        command
            .args(["-config", text(&config), "-dnsserver", &dns])
            .env("PEBBLE_VA_NOSLEEP", "1")
            .env("PEBBLE_WFE_NONCEREJECT", self.rejected_nonces.to_string());
        self.child = Some(spawn(command));
        wait_for(self.management);
        wait_for(self.acme);
    }

    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// The root that clients trust, in PEM.
    pub(crate) fn root(&self) -> String {
        let url = format!("https://localhost:{}/roots/0", self.management.port());
        let output = Command::new("curl")
            .args(["-s", "--cacert", text(&self.https_root()), &url])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A DNS server on 127.0.0.1 that takes signed updates of one zone.
pub(crate) struct Knot {
    child: Option<Child>,
    folder: TempDir,
    pub(crate) address: SocketAddr,
}

/// A TSIG key for tests.
const TSIG_SECRET: &str = "Zm91cnR5LXR3by1ieXRlcy1vZi1hLXRlc3Qta2V5ISE=";

impl Knot {
    pub(crate) fn start(zone: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let address = free_port();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let config = format!(
            "server:\n  listen: 127.0.0.1@{port}\n  rundir: {run}\n  pidfile: {run}/knot.pid\n\
             database:\n  storage: {run}\n\
             log:\n  - target: stderr\n    any: warning\n\
             key:\n  - id: sealgate\n    algorithm: hmac-sha256\n    secret: {TSIG_SECRET}\n\
             acl:\n  - id: update\n    address: 127.0.0.1\n    action: update\n    key: sealgate\n\
             zone:\n  - domain: {zone}\n    storage: {run}\n    file: zone\n    acl: update\n",
            port = address.port(),
            run = folder.path().display(),
        );
        fs::write(path("knot.conf"), config).unwrap();
        let records = format!(
            "$ORIGIN {zone}.\n@ 60 SOA ns hostmaster 1 3600 600 86400 1\n@ 60 NS ns\nns 60 A 127.0.0.1\n"
        );
        fs::write(path("zone"), records).unwrap();
        fs::write(path("tsig"), format!("sealgate:hmac-sha256:{TSIG_SECRET}\n")).unwrap();
        let other = "b3RoZXIta2V5LW90aGVyLWtleS1vdGhlci1rZXktMTI=";
        fs::write(path("wrong"), format!("sealgate:hmac-sha256:{other}\n")).unwrap();
        let mut knot = Self { child: None, folder, address };
        knot.run();
        knot
    }

    fn run(&mut self) {
        let mut command = bound_to_test("knotd");
        command.args(["-c", text(&self.folder.path().join("knot.conf"))]);
        self.child = Some(spawn(command));
        wait_for(self.address);
    }

    /// The address of `name`, or nothing.
    pub(crate) fn ask(&self, name: &str) -> String {
        let (host, port) = (self.address.ip().to_string(), self.address.port().to_string());
        let output = Command::new("kdig")
            .args(["+short", &format!("@{host}"), "-p", &port, name, "A"])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The file of the key that may update the zone.
    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("tsig")
    }

    /// One with another secret.
    pub(crate) fn wrong_key(&self) -> PathBuf {
        self.folder.path().join("wrong")
    }
}

impl Drop for Knot {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A command that ends with the test, however that ends.
fn bound_to_test(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--", program]);
    command
}

fn spawn(mut command: Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// A port of 127.0.0.1 that is free for TCP and UDP.
fn free_port() -> SocketAddr {
    loop {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = tcp.local_addr().unwrap();
        if UdpSocket::bind(address).is_ok() {
            return address;
        }
    }
}

fn wait_for(address: SocketAddr) {
    let start = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(start.elapsed() < PATIENCE, "nobody listens on {address}");
        thread::sleep(Duration::from_millis(20));
    }
}
