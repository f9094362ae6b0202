// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A server with targets, and its clients.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustls::crypto::ring;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use serde_json::Value;
use tempfile::TempDir;

use super::command;

/// How long anything that should happen may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A server with a state, which may be stopped and started again.
pub(crate) struct Server {
    child: Option<Child>,
    folder: TempDir,
    address: String,
    pub(crate) flags: Vec<String>,
    pub(crate) https: SocketAddr,
    pub(crate) http: SocketAddr,
}

impl Server {
    /// Starts it; the addresses that its names point at are in documentation (RFC 5737).
    pub(crate) fn start(flags: &[&str]) -> Self {
        Self::start_at("203.0.113.7", flags)
    }

    /// The same with another address.
    pub(crate) fn start_at(address: &str, flags: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let address = address.to_owned();
        let mut server = Self { child: None, folder, address, flags, https: any, http: any };
        server.run();
        server
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn run(&mut self) {
        let ready = self.path("ready.json");
        let _ = fs::remove_file(&ready);
        let log = fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        let (https, http) = (self.https.to_string(), self.http.to_string());
        let child = command(&["serve", "--device", "none", "--listen", &https])
            .args(["--http-listen", &http, "--redirect", "--zone", "example.net"])
            .args(["--region", "west", "--address", &self.address])
            .arg("--state")
            .arg(self.path("state"))
            .arg("--ready-file")
            .arg(&ready)
            .args(&self.flags)
            .stderr(log)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        let start = Instant::now();
        let line = loop {
            if let Ok(line) = fs::read_to_string(&ready) {
                break line;
            }
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none() && start.elapsed() < PATIENCE, "not ready: {}", self.log());
            thread::sleep(Duration::from_millis(10));
        };
        let ready: Value = serde_json::from_str(&line).unwrap();
        let address = |key: &str| ready[key][0].as_str().unwrap().parse().unwrap();
        (self.https, self.http) = (address("addresses"), address("plain_addresses"));
    }

    pub(crate) fn end(&mut self, signal: Signal) {
        let Some(mut child) = self.child.take() else { return };
        kill_process(Pid::from_child(&child), signal).unwrap();
        child.wait().unwrap();
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Runs `sealgate` against this server: exit code, standard output, last line of standard error.
    pub(crate) fn try_cli(&self, arguments: &[&str]) -> (i32, String, String) {
        let socket = self.path("state/admin.sock");
        let output = command(arguments).env("SEALGATE_ADMIN", socket).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let last = stderr.lines().last().unwrap_or_default().to_owned();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap(), last)
    }

    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        let (code, stdout, stderr) = self.try_cli(arguments);
        assert_eq!(code, 0, "{arguments:?}: {stderr}\n{}", self.log());
        stdout
    }

    pub(crate) fn target(&self, name: &str) -> Value {
        serde_json::from_str(&self.cli(&["target", "show", name, "--json"])).unwrap()
    }

    pub(crate) fn uri(&self, name: &str) -> String {
        self.target(name)["scoringUri"].as_str().unwrap_or_default().to_owned()
    }

    /// What it said when it was ready.
    pub(crate) fn ready(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(self.path("ready.json")).unwrap()).unwrap()
    }

    /// Where the embedded DNS server answers.
    pub(crate) fn dns(&self) -> Option<SocketAddr> {
        Some(self.ready()["dns_address"].as_str()?.parse().unwrap())
    }

    pub(crate) fn root(&self) -> String {
        self.cli(&["authority"])
    }

    /// The answer to a request over TLS under `name`, for a client that trusts `root`.
    pub(crate) fn https(&self, name: &str, root: &str, path: &str) -> io::Result<String> {
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(root.as_bytes()) {
            roots.add(root.unwrap()).unwrap();
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let server_name = ServerName::try_from(name.to_owned()).unwrap();
        let connection = ClientConnection::new(Arc::new(config), server_name).unwrap();
        let mut tls = StreamOwned::new(connection, TcpStream::connect(self.https)?);
        exchange(&mut tls, name, path)
    }

    pub(crate) fn http(&self, name: &str, path: &str) -> String {
        exchange(&mut TcpStream::connect(self.http).unwrap(), name, path).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end(Signal::KILL);
    }
}

pub(crate) fn exchange(io: &mut (impl Read + Write), host: &str, path: &str) -> io::Result<String> {
    write!(io, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    io.read_to_string(&mut answer)?;
    Ok(answer)
}

pub(crate) fn is_ok(answer: &io::Result<String>) -> bool {
    answer.as_ref().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// The host of a URI.
pub(crate) fn host(uri: &str) -> &str {
    uri.split("://").nth(1).unwrap().split([':', '/']).next().unwrap()
}

/// Waits for what should happen.
pub(crate) fn until(happened: impl Fn() -> bool) {
    until_within(PATIENCE, happened);
}

/// The same for what takes long.
pub(crate) fn until_within(patience: Duration, happened: impl Fn() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < patience, "it does not happen");
        thread::sleep(Duration::from_millis(50));
    }
}
