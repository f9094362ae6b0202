// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `openssl s_server` as one of the stacks: a process for each connection, as it serves one at a time. Sending, it reads a
//! file; receiving, it writes to `/dev/null`.

use std::fs;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;

use crate::throughput::{Case, Direction, Taken, transfer};
use crate::tls::{Identity, connect, connector, runtime};

const FILE: &str = "data";

/// How long a server may take until it listens.
const START: Duration = Duration::from_secs(5);

/// Whether there is such a program.
pub(crate) fn is_there() -> bool {
    Command::new("openssl").arg("version").output().is_ok_and(|output| output.status.success())
}

pub(crate) fn run(identity: &Identity, case: Case) -> io::Result<Taken> {
    let folder = Folder::new(identity, case)?;
    let servers = (0..case.connections)
        .map(|_| Server::start(&folder.0, case))
        .collect::<io::Result<Vec<_>>>()?;
    let connector = connector(identity.certificate(), case.suite)?;
    runtime()?.block_on(async {
        let mut streams = Vec::new();
        for server in &servers {
            streams.push(connect(&connector, server.port).await?);
        }
        let (start, cpu) = (Instant::now(), cpu(&servers)?);
        let direction = match case.direction {
            Direction::Receive => Direction::Send,
            Direction::Send => {
                for stream in &mut streams {
                    stream.write_all(format!("GET /{FILE} HTTP/1.0\r\n\r\n").as_bytes()).await?;
                    stream.flush().await?;
                }
                Direction::Receive
            }
        };
        transfer(streams, case, direction).await?;
        let wall = start.elapsed();
        let cpu = self::cpu(&servers)?.saturating_sub(cpu);
        Ok(Taken { wall, cpu, of_it_device: None })
    })
}

/// Certificate, key and file.
struct Folder(PathBuf);

impl Folder {
    fn new(identity: &Identity, case: Case) -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("sealgate-openssl-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        let folder = Self(path);
        let (certificate, key) = identity.pem();
        fs::write(folder.0.join("cert.pem"), certificate)?;
        fs::write(folder.0.join("key.pem"), key)?;
        fs::write(folder.0.join(FILE), vec![0x5A; case.bytes_per_connection()])?;
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Server {
    /// Its standard input stays open: at its end the server would spin.
    child: Child,
    port: u16,
}

impl Server {
    fn start(folder: &Path, case: Case) -> io::Result<Self> {
        // It cannot be asked for a free port; that of a socket just closed is one.
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mode = if case.direction == Direction::Send { "-WWW" } else { "-quiet" };
        let child = Command::new("openssl")
            .args(["s_server", "-cert", "cert.pem", "-key", "key.pem", "-tls1_3", mode])
            .args(["-ciphersuites", openssl_name(case)])
            .args(["-accept", &format!("127.0.0.1:{port}")])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let server = Self { child, port };
        let start = Instant::now();
        // The connection that finds it listening is its first, and over at once.
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if start.elapsed() > START {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "openssl does not listen"));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// OpenSSL calls the suites of TLS 1.3 as the RFC does, rustls puts the version in between.
fn openssl_name(case: Case) -> &'static str {
    match case.suite {
        rustls::CipherSuite::TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
        rustls::CipherSuite::TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
        _ => "TLS_CHACHA20_POLY1305_SHA256",
    }
}

/// Processor time of the servers so far; each has one thread.
fn cpu(servers: &[Server]) -> io::Result<Duration> {
    servers.iter().try_fold(Duration::ZERO, |sum, server| {
        let text = fs::read_to_string(format!("/proc/{}/schedstat", server.child.id()))?;
        let nanoseconds = text.split_whitespace().next().and_then(|number| number.parse().ok());
        Ok(sum + Duration::from_nanos(nanoseconds.unwrap_or(0)))
    })
}
