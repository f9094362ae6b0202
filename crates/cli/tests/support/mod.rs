// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Runs the `sealgate` binary, and speaks HTTPS to it.
#![allow(dead_code, reason = "each test program uses a part")]

pub(crate) mod responder;
pub(crate) mod targets;

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
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

/// A client's side of a connection.
pub(crate) type TlsStream = StreamOwned<ClientConnection, TcpStream>;

/// How long anything that should happen may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs `sealgate` to its end.
pub(crate) fn sealgate(arguments: &[&str]) -> Output {
    command(arguments).output().expect("sealgate runs")
}

pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sealgate"));
    command.args(arguments).env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

/// Standard error of a run that failed with `code`.
pub(crate) fn failure(arguments: &[&str], code: i32) -> String {
    let output = sealgate(arguments);
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    stderr
}

/// The last line of standard error of a run that failed on an error of its own.
pub(crate) fn error_line(arguments: &[&str]) -> String {
    let stderr = failure(arguments, 1);
    stderr.lines().last().expect("an error is told").to_owned()
}

/// A `sealgate serve` that listens on a free port; ended when dropped.
pub(crate) struct Serving {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) certificate: PathBuf,
    pub(crate) ready_file: PathBuf,
    log: PathBuf,
    _directory: TempDir,
}

impl Serving {
    /// Starts it with further arguments and waits until it listens.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let directory = TempDir::new().expect("temporary directory");
        let ready_file = directory.path().join("ready.json");
        let log = directory.path().join("log");
        let mut child = command(&["serve", "--listen", "127.0.0.1:0", "--ready-file"])
            .arg(&ready_file)
            .args(arguments)
            .stderr(fs::File::create(&log).expect("log"))
            .spawn()
            .expect("sealgate starts");
        let start = Instant::now();
        let line = loop {
            if let Ok(line) = fs::read_to_string(&ready_file) {
                break line;
            }
            let ended = child.try_wait().expect("status");
            let log = || fs::read_to_string(&log).unwrap_or_default();
            assert!(ended.is_none(), "sealgate ended: {}", log());
            assert!(start.elapsed() < PATIENCE, "sealgate is not ready: {}", log());
            thread::sleep(Duration::from_millis(20));
        };
        assert_eq!(line.lines().count(), 1, "{line}");
        let ready: Value = serde_json::from_str(&line).expect("JSON");
        let address = ready["addresses"][0].as_str().expect("address").parse().expect("address");
        let certificate = PathBuf::from(ready["certificate"].as_str().expect("certificate"));
        Self { child, address, certificate, ready_file, log, _directory: directory }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("log")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("the process is there");
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("status") {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "sealgate does not end: {}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Connects with the served certificate as the only root.
    pub(crate) fn connect(&self) -> TlsStream {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(&self.certificate).expect("certificate") {
            roots.add(certificate.expect("PEM")).expect("certificate is a trust anchor");
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").expect("name");
        let connection = ClientConnection::new(Arc::new(config), name).expect("client");
        let socket = TcpStream::connect(self.address).expect("sealgate listens");
        socket.set_read_timeout(Some(PATIENCE)).expect("timeout");
        StreamOwned::new(connection, socket)
    }

    /// One request over a connection of its own: head and body of the answer.
    pub(crate) fn request(&self, request: &str) -> (String, String) {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).expect("request");
        answer(&mut stream)
    }

    pub(crate) fn get(&self, path: &str) -> (String, String) {
        self.request(&format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        ))
    }

    /// The value of a metric, its labels included in the name.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let (_, text) = self.get("/metrics");
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} is not in {text}")).parse().expect("a number")
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Fails if it has ended, and then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads until the server closes: head and body.
pub(crate) fn answer(stream: &mut impl Read) -> (String, String) {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer and a clean end of the connection");
    let (head, body) = text.split_once("\r\n\r\n").expect("head and body");
    (head.to_owned(), body.to_owned())
}

/// A request to score one image that is all zero.
pub(crate) fn score_request() -> String {
    let body = serde_json::json!({ "data": [vec![0; 64]] }).to_string();
    format!(
        "POST /score HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}
