// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Memory of a server per idle connection: after the handshake and one small exchange over loopback TCP, what the process
//! has grown by. The peers are in another process. The runtime's task and socket are in the figure, for every stack.

use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustls::CipherSuite;
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::BenchError;
use crate::tls::{Acceptor, Identity, Stack, Stream, connect, connector, runtime};

/// Connections, if the process may have so many sockets.
pub const CONNECTIONS: usize = 10_000;

/// Connections before memory is looked at for the first time: whatever is once for all is there then, such as rustls's
/// cache of 256 sessions.
const BEFORE: usize = 512;

/// Files that are open besides.
const OTHER_FILES: u64 = 64;

/// Connections that shake hands at a time.
const HANDSHAKES: usize = 8;

/// How long one stack may take.
const LIMIT: Duration = Duration::from_secs(60);

const SUITE: CipherSuite = CipherSuite::TLS13_AES_128_GCM_SHA256;

/// Those that serve in a process of ours.
const STACKS: [Stack; 3] = [Stack::RustlsRing, Stack::SealgateModel, Stack::SealgateSoftware];

/// What an idle connection needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IdleMemory {
    /// The stack.
    pub stack: String,
    /// Connections at a time: 10,000, or as many as the limit of open files lets be.
    pub connections: usize,
    /// Bytes of resident memory of the server per connection.
    pub bytes_per_connection: u64,
}

/// Measures the stacks one after the other; `program` is `sealgate-idle-memory`.
pub fn measure(program: &Path) -> Result<Vec<IdleMemory>, BenchError> {
    STACKS
        .iter()
        .map(|stack| {
            let output = Command::new(program)
                .args(["serve", stack.name()])
                .stderr(Stdio::inherit())
                .output()
                .map_err(BenchError::Stream)?;
            serde_json::from_slice(&output.stdout)
                .map_err(|error| BenchError::Stream(io::Error::other(error)))
        })
        .collect()
}

/// Serves idle connections with the stack of this name, and starts the peer.
pub fn serve(name: &str) -> io::Result<IdleMemory> {
    let stack = STACKS
        .into_iter()
        .find(|stack| stack.name() == name)
        .ok_or_else(|| io::Error::other(format!("there is no stack {name}")))?;
    let files = most_files()?.saturating_sub(OTHER_FILES);
    let connections = CONNECTIONS.min(usize::try_from(files).unwrap_or(CONNECTIONS));
    if connections <= 2 * BEFORE {
        return Err(io::Error::other("the limit of open files is too low: raise it (ulimit -n)"));
    }
    let identity = Identity::new()?;
    let acceptor = Acceptor::new(stack, &identity, SUITE)?;
    let bytes = runtime()?.block_on(async {
        tokio::time::timeout(LIMIT, grown(acceptor, &identity, connections)).await?
    })?;
    let bytes_per_connection = bytes / (connections - BEFORE) as u64;
    Ok(IdleMemory { stack: name.to_owned(), connections, bytes_per_connection })
}

/// Bytes that the process grows by with the connections behind the first.
async fn grown(acceptor: Acceptor, identity: &Identity, connections: usize) -> io::Result<u64> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let mut certificate = String::new();
    for byte in identity.certificate().iter() {
        let _ = write!(certificate, "{byte:02x}");
    }
    let mut peer = Command::new(std::env::current_exe()?)
        .args(["peer", &listener.local_addr()?.port().to_string(), &connections.to_string()])
        .arg(certificate)
        .stdin(Stdio::piped())
        .spawn()?;
    let (idle, mut now_idle) = mpsc::unbounded_channel();
    let mut before = 0;
    let mut tasks = JoinSet::new();
    for connection in 0..connections {
        let (socket, _) = listener.accept().await?;
        let (acceptor, idle) = (acceptor.clone(), idle.clone());
        tasks.spawn(async move { echo(acceptor.accept(socket).await?, idle).await });
        if connection >= HANDSHAKES {
            now_idle.recv().await;
        }
        if connection == BEFORE {
            before = resident_bytes()?;
        }
    }
    for _ in 0..HANDSHAKES {
        now_idle.recv().await;
    }
    // Whatever was under way is over.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let after = resident_bytes()?;
    drop(peer.stdin.take());
    peer.wait()?;
    Ok(after.saturating_sub(before))
}

async fn echo(mut stream: Box<dyn Stream>, idle: mpsc::UnboundedSender<()>) -> io::Result<()> {
    let mut idle = Some(idle);
    loop {
        // Not across the wait: what the task holds counts.
        let byte = stream.read_u8().await?;
        stream.write_u8(byte).await?;
        stream.flush().await?;
        if let Some(idle) = idle.take() {
            let _ = idle.send(());
        }
    }
}

/// Connects so many times, has a byte echoed on each, and holds all until standard input ends.
pub fn peer(port: u16, connections: usize, certificate: &str) -> io::Result<()> {
    most_files()?;
    let byte =
        |at: usize| certificate.get(at..at + 2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
    let der: Vec<u8> = (0..certificate.len()).step_by(2).filter_map(byte).collect();
    let connector = connector(CertificateDer::from(der), SUITE)?;
    let streams = runtime()?.block_on(async {
        let mut tasks = JoinSet::new();
        let mut streams = Vec::new();
        for connection in 0..connections {
            let connector = connector.clone();
            tasks.spawn(async move {
                let mut stream = connect(&connector, port).await?;
                stream.write_u8(7).await?;
                stream.flush().await?;
                stream.read_u8().await?;
                io::Result::Ok(stream)
            });
            if connection >= HANDSHAKES
                && let Some(stream) = tasks.join_next().await
            {
                streams.push(stream.map_err(io::Error::other)??);
            }
        }
        while let Some(stream) = tasks.join_next().await {
            streams.push(stream.map_err(io::Error::other)??);
        }
        io::Result::Ok(streams)
    })?;
    io::stdin().read_to_end(&mut Vec::new())?;
    drop(streams);
    Ok(())
}

/// Raises the limit of open files as far as it goes; returns it.
fn most_files() -> io::Result<u64> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    Ok(maximum.unwrap_or(u64::MAX))
}

fn resident_bytes() -> io::Result<u64> {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup")?;
    let kilobytes = text
        .lines()
        .find_map(|line| line.strip_prefix("Rss:"))
        .and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok())
        .ok_or_else(|| io::Error::other("the kernel does not tell the resident memory"))?;
    Ok(kilobytes << 10)
}
