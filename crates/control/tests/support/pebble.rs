// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Starts pebble, the test CA, on 127.0.0.1: `#[path = "support/pebble.rs"] mod pebble;`.

// Each test program that has this as a module uses what it needs.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use serde_json::json;
use tempfile::TempDir;

/// How long pebble may take until it listens.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// How often free ports are looked for, as others may take them before pebble does.
const MAX_STARTS: u32 = 5;

/// How pebble behaves.
pub(crate) struct Options {
    /// Where it looks for names, over UDP.
    pub(crate) dns_server: SocketAddr,
    /// The port of 127.0.0.1 that stands for port 80 of every name.
    pub(crate) http_port: u16,
    /// The port of 127.0.0.1 that stands for port 443 of every name.
    pub(crate) tls_port: u16,
    /// How many of a hundred good nonces it refuses.
    pub(crate) nonce_reject_percent: u32,
    /// How many of a hundred valid authorizations serve for a later order too.
    pub(crate) authorization_reuse_percent: u32,
    /// How long its certificates are valid; its own default is five years.
    pub(crate) validity: Option<Duration>,
    /// External accounts by key id, with their HMAC keys in base64url; if there are any, one is
    /// required.
    pub(crate) external_accounts: BTreeMap<String, String>,
    /// Domains that it refuses.
    pub(crate) blocked: Vec<String>,
}

impl Options {
    /// A CA that refuses nothing.
    pub(crate) fn new(dns_server: SocketAddr, http_port: u16, tls_port: u16) -> Self {
        Self {
            dns_server,
            http_port,
            tls_port,
            nonce_reject_percent: 0,
            authorization_reuse_percent: 0,
            validity: None,
            external_accounts: BTreeMap::new(),
            blocked: Vec::new(),
        }
    }
}

/// A pebble; killed when dropped, and when the thread that started it ends.
pub(crate) struct Pebble {
    options: Option<Options>,
    folder: TempDir,
    directory_port: u16,
    management_port: u16,
    root_pem: String,
    process: Option<Child>,
}

impl Pebble {
    /// One that does not run yet, and where it will listen.
    pub(crate) fn prepare() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root_pem = write_certificate(folder.path());
        let [directory_port, management_port] = free_ports();
        Self { options: None, folder, directory_port, management_port, root_pem, process: None }
    }

    /// Starts one on free ports, and returns when it listens.
    pub(crate) fn start(options: Options) -> Self {
        let mut pebble = Self::prepare();
        pebble.options = Some(options);
        for _ in 0..MAX_STARTS {
            if pebble.try_start() {
                return pebble;
            }
            [pebble.directory_port, pebble.management_port] = free_ports();
        }
        panic!("pebble does not start: {}", pebble.log());
    }

    /// Starts what was prepared, where it said.
    pub(crate) fn run(&mut self, options: Options) {
        self.options = Some(options);
        self.start_again();
    }

    /// The URL of the directory.
    pub(crate) fn directory(&self) -> String {
        format!("https://127.0.0.1:{}/dir", self.directory_port)
    }

    /// The root that the directory's own certificate is verified with, in PEM.
    pub(crate) fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// The same in a file.
    pub(crate) fn root_file(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }

    /// The root of the certificates that it issues, in PEM: another one after each start.
    pub(crate) fn issuing_root_pem(&self) -> String {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.root_pem.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, self.management_port)).unwrap();
        let mut tls = StreamOwned::new(connection, tcp);
        tls.write_all(b"GET /roots/0 HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        match tls.read_to_string(&mut answer) {
            // Servers in Go may end a connection without telling TLS.
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => panic!("{error}"),
            _ => answer.split_once("\r\n\r\n").unwrap().1.to_owned(),
        }
    }

    /// Ends it at once; with it go its accounts, orders and keys.
    pub(crate) fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may have ended by itself.
            let _ = process.kill();
            process.wait().unwrap();
        }
    }

    /// Starts it again on the same ports.
    pub(crate) fn start_again(&mut self) {
        self.stop();
        assert!(self.try_start(), "pebble does not start again: {}", self.log());
    }

    /// What it has written.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn write_configuration(&self, options: &Options) {
        let file = |name: &str| self.folder.path().join(name);
        let mut pebble = json!({
            "listenAddress": format!("127.0.0.1:{}", self.directory_port),
            "managementListenAddress": format!("127.0.0.1:{}", self.management_port),
            "certificate": file("certificate.pem"),
            "privateKey": file("key.pem"),
            "httpPort": options.http_port,
            "tlsPort": options.tls_port,
            "externalAccountBindingRequired": !options.external_accounts.is_empty(),
            "externalAccountMACKeys": options.external_accounts,
            "domainBlocklist": options.blocked,
        });
        if let Some(validity) = options.validity {
            pebble["certificateValidityPeriod"] = validity.as_secs().into();
        }
        fs::write(file("config.json"), json!({ "pebble": pebble }).to_string()).unwrap();
    }

    /// Whether it listens in the end.
    fn try_start(&mut self) -> bool {
        let options = self.options.as_ref().expect("run before");
        self.write_configuration(options);
        let log = fs::File::create(self.folder.path().join("log")).unwrap();
        // setpriv becomes pebble, which the kernel then ends with the test.
        let process = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", "pebble"])
            .args(["-dnsserver", &options.dns_server.to_string()])
            .arg("-config")
            .arg(self.folder.path().join("config.json"))
            .env("PEBBLE_VA_NOSLEEP", "1")
            .env("PEBBLE_WFE_NONCEREJECT", options.nonce_reject_percent.to_string())
            .env("PEBBLE_AUTHZREUSE", options.authorization_reuse_percent.to_string())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("setpriv and pebble are needed (packages util-linux and pebble)");
        let process = self.process.insert(process);
        let end = Instant::now() + START_TIMEOUT;
        while Instant::now() < end && process.try_wait().unwrap().is_none() {
            let listens = |port| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
            if listens(self.directory_port) && listens(self.management_port) {
                return true;
            }
            sleep(Duration::from_millis(20));
        }
        self.stop();
        false
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A certificate for the directory, with its key; returns its root.
fn write_certificate(folder: &Path) -> String {
    let root_key = KeyPair::generate().unwrap();
    let mut root = CertificateParams::new([]).unwrap();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_pem = root.self_signed(&root_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
    let leaf = CertificateParams::new(names).unwrap();
    let leaf = leaf.signed_by(&key, &Issuer::new(root, root_key)).unwrap();
    fs::write(folder.join("root.pem"), &root_pem).unwrap();
    fs::write(folder.join("certificate.pem"), leaf.pem()).unwrap();
    fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    root_pem
}

/// Both are held until both are known, so that they differ.
fn free_ports() -> [u16; 2] {
    [(); 2]
        .map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap())
        .map(|listener| listener.local_addr().unwrap().port())
}
