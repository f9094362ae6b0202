// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A real DNS server, knot, for one zone and with keys that may and may not update it.
//!
//! Nothing of it is outside a temporary folder. It ends with the value, and with the thread that started it: start it
//! on the test's own thread.
#![allow(dead_code, reason = "each test program uses a part")]

use std::env;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use tempfile::TempDir;

/// The keys: one of each algorithm that may update the zone, and one that the server knows and that may not.
const KEYS: [(&str, &str); 4] = [
    ("update-256", "hmac-sha256"),
    ("update-384", "hmac-sha384"),
    ("update-512", "hmac-sha512"),
    ("onlooker", "hmac-sha256"),
];

/// Free ports that are tried, for another program may take one first.
const PORT_ATTEMPTS: usize = 10;

/// Looks whether the server answers, and the rest between two.
const LOOKS: usize = 600;
const PAUSE: Duration = Duration::from_millis(100);

/// A running knot.
pub(crate) struct Knot {
    folder: TempDir,
    zone: String,
    address: SocketAddr,
    server: Option<Child>,
}

impl Knot {
    /// Starts a server of `zone` (no final dot), which has its SOA, its NS, `ns` and `www` at 192.0.2.80.
    pub(crate) fn start(zone: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("database")).expect("a folder for its journal");
        for (name, algorithm) in KEYS {
            let made = program("keymgr").args(["-t", name, algorithm]).output();
            let made = made.expect("keymgr runs");
            assert!(made.status.success(), "keymgr: {}", String::from_utf8_lossy(&made.stderr));
            fs::write(folder.path().join(format!("{name}.key")), made.stdout).expect("a key file");
        }
        let records = format!(
            "$ORIGIN {zone}.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 5\n@ NS ns\n\
             ns A 127.0.0.1\nwww A 192.0.2.80\nalias CNAME www\n"
        );
        fs::write(folder.path().join("zone"), records).expect("a zone file");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut knot = Self { folder, zone: zone.to_owned(), address, server: None };
        for _ in 0..PORT_ATTEMPTS {
            knot.address = free_port();
            if knot.launch() {
                return knot;
            }
        }
        panic!("knot does not start: {}", knot.log());
    }

    /// Where it answers, over UDP and TCP.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The file of a key that may update the zone, as `keymgr -t` writes it.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.key_file_of("update-256")
    }

    /// The files of all keys that may update the zone.
    pub(crate) fn key_files(&self) -> Vec<PathBuf> {
        let may = KEYS.iter().filter(|(name, _)| name.starts_with("update"));
        may.map(|(name, _)| self.key_file_of(name)).collect()
    }

    /// The file of the key that the server knows and that may change nothing.
    pub(crate) fn onlooker_key_file(&self) -> PathBuf {
        self.key_file_of("onlooker")
    }

    /// Kills it; what it has acknowledged stays.
    pub(crate) fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // It has ended already, or ends now.
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    /// Starts it again at the same address, with the records it had.
    pub(crate) fn restart(&mut self) {
        self.stop();
        assert!(self.launch(), "knot does not start again: {}", self.log());
    }

    fn key_file_of(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.key"))
    }

    /// Starts the program; the result is whether it lives and answers.
    fn launch(&mut self) -> bool {
        let folder = self.folder.path();
        fs::write(folder.join("knot.conf"), self.configuration()).expect("a configuration");
        let log = File::create(folder.join("log")).expect("a log");
        let server = program("setpriv")
            .args(["--pdeathsig", "KILL", "--", "knotd", "--config"])
            .arg(folder.join("knot.conf"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log again"))
            .stderr(log)
            .spawn()
            .expect("setpriv starts knotd");
        let server = self.server.insert(server);
        for _ in 0..LOOKS {
            if server.try_wait().expect("the server's state").is_some() {
                return false;
            }
            if serves(self.address, &self.zone) {
                return true;
            }
            thread::sleep(PAUSE);
        }
        false
    }

    fn configuration(&self) -> String {
        let folder = self.folder.path().display();
        let (address, port, zone) = (self.address.ip(), self.address.port(), &self.zone);
        let keys: String = KEYS.iter().map(|(name, _)| read(&self.key_file_of(name))).collect();
        format!(
            "server:\n  rundir: {folder}\n  listen: {address}@{port}\n  udp-workers: 1\n  \
             tcp-workers: 1\n  background-workers: 1\n\
             database:\n  storage: {folder}/database\n\
             log:\n  - target: stderr\n    any: info\n\
             {keys}\
             acl:\n  - id: updates\n    address: {address}\n    \
             key: [update-256, update-384, update-512]\n    action: update\n\
             zone:\n  - domain: {zone}\n    storage: {folder}\n    file: zone\n    acl: updates\n"
        )
    }

    fn log(&self) -> String {
        read(&self.folder.path().join("log"))
    }
}

impl Drop for Knot {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A program, also of the folder of servers, which few users have in their path.
fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.env("PATH", format!("{}:/usr/sbin", env::var("PATH").unwrap_or_default()));
    command
}

/// A port that is free for UDP and TCP just now.
fn free_port() -> SocketAddr {
    loop {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = tcp.local_addr().expect("its address");
        if UdpSocket::bind(address).is_ok() {
            return address;
        }
    }
}

/// Whether the server at `address` answers for `zone`, and takes connections.
fn serves(address: SocketAddr, zone: &str) -> bool {
    let mut request = Message::query();
    let zone = Name::from_ascii(format!("{zone}.")).expect("a zone's name");
    request.add_query(Query::query(zone, RecordType::SOA));
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    socket.set_read_timeout(Some(PAUSE)).expect("a timeout");
    let mut response = [0; 512];
    let octets = socket
        .send_to(&request.to_vec().expect("a request"), address)
        .and_then(|_| socket.recv(&mut response));
    let Some(response) = octets.ok().and_then(|octets| Message::from_vec(&response[..octets]).ok())
    else {
        return false;
    };
    response.id == request.id
        && response.response_code == ResponseCode::NoError
        && response.authoritative
        && TcpStream::connect(address).is_ok()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
