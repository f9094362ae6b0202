// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Bytes per second and processor time of TLS streams over loopback TCP, stacks side by side.
//!
//! The stack under measurement is the server, on one thread; the peer is the same for all, on another thread, and its
//! processor time is not counted. Everything else of the process is: the software device has threads of its own.

use std::io;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use rustls::CipherSuite;
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use crate::BenchError;
use crate::openssl;
use crate::tls::{Acceptor, Identity, Stack, Stream, connect, connector, runtime};

/// Connections at a time.
const CONNECTIONS: [usize; 2] = [1, 16];

const SUITES: [CipherSuite; 3] = [
    CipherSuite::TLS13_AES_128_GCM_SHA256,
    CipherSuite::TLS13_AES_256_GCM_SHA384,
    CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
];

/// Bytes of content of one run, all connections together.
const BYTES: usize = 48 << 20;

/// Bytes that are written and read at a time.
const PIECE: usize = 1 << 16;

/// Runs of each case, of which the fastest counts. The stacks take turns.
const RUNS: usize = 2;

/// What a stack did.
#[derive(Clone, Debug, Serialize)]
pub struct Throughput {
    /// The stack.
    pub stack: &'static str,
    /// The suite, of TLS 1.3.
    pub suite: &'static str,
    /// What the stack does: `send` or `receive`.
    pub direction: &'static str,
    /// Connections at a time.
    pub connections: usize,
    /// Megabytes of content per second, all connections together.
    pub mb_per_s: f64,
    /// Seconds of processor time of the stack for a gigabyte of content, all its threads.
    pub cpu_s_per_gb: f64,
    /// The part of it that is not the thread of the connections: the software device does the cryptography there.
    pub device_cpu_s_per_gb: Option<f64>,
}

/// Which way the content goes, as the stack sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Send,
    Receive,
}

/// What all stacks have to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) suite: CipherSuite,
    pub(crate) direction: Direction,
    pub(crate) connections: usize,
}

impl Case {
    pub(crate) const fn bytes_per_connection(self) -> usize {
        BYTES / self.connections
    }
}

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
    pub(crate) of_it_device: Option<Duration>,
}

/// Measures every stack of this build in every case; says which are left out.
pub fn measure() -> Result<Vec<Throughput>, BenchError> {
    let identity = Identity::new().map_err(BenchError::Stream)?;
    let openssl = openssl::is_there();
    if !openssl {
        eprintln!("openssl is left out: the program is missing");
    }
    let stacks: Vec<_> =
        Stack::ALL.iter().copied().filter(|&stack| stack != Stack::Openssl || openssl).collect();
    let mut rows = Vec::new();
    for suite in SUITES {
        for direction in [Direction::Send, Direction::Receive] {
            for connections in CONNECTIONS {
                let case = Case { suite, direction, connections };
                rows.extend(case_of(&stacks, &identity, case).map_err(BenchError::Stream)?);
            }
        }
    }
    Ok(rows)
}

fn case_of(stacks: &[Stack], identity: &Identity, case: Case) -> io::Result<Vec<Throughput>> {
    let mut best: Vec<Option<Taken>> = vec![None; stacks.len()];
    for _ in 0..RUNS {
        for (&stack, best) in stacks.iter().zip(&mut best) {
            let taken = match stack {
                Stack::Openssl => openssl::run(identity, case)?,
                _ => run(stack, identity, case)?,
            };
            if best.is_none_or(|best| taken.wall < best.wall) {
                *best = Some(taken);
            }
        }
    }
    let row = |(&stack, taken): (&Stack, Option<Taken>)| Some(throughput(stack, case, taken?));
    Ok(stacks.iter().zip(best).filter_map(row).collect())
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn throughput(stack: Stack, case: Case, taken: Taken) -> Throughput {
    let gigabytes = (case.bytes_per_connection() * case.connections) as f64 / 1e9;
    Throughput {
        stack: stack.name(),
        suite: case.suite.as_str().unwrap_or("?"),
        direction: if case.direction == Direction::Send { "send" } else { "receive" },
        connections: case.connections,
        mb_per_s: gigabytes * 1e3 / taken.wall.as_secs_f64(),
        cpu_s_per_gb: taken.cpu.as_secs_f64() / gigabytes,
        device_cpu_s_per_gb: taken.of_it_device.map(|device| device.as_secs_f64() / gigabytes),
    }
}

fn run(stack: Stack, identity: &Identity, case: Case) -> io::Result<Taken> {
    let acceptor = Acceptor::new(stack, identity, case.suite)?;
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    let connector = connector(identity.certificate(), case.suite)?;
    let peer = thread::spawn(move || runtime()?.block_on(peer(&connector, port, case)));
    let stack_thread = thread::spawn(move || runtime()?.block_on(serve(&acceptor, listener, case)));
    // Both are waited for, whichever fails.
    let (spent, peer_cpu) = (joined(stack_thread), joined(peer));
    let (spent, peer_cpu) = (spent?, peer_cpu?);
    let cpu = spent.process_cpu.saturating_sub(peer_cpu);
    let device = cpu.saturating_sub(spent.thread_cpu);
    let of_it_device = (stack == Stack::SealgateModel).then_some(device);
    Ok(Taken { wall: spent.wall, cpu, of_it_device })
}

fn joined<T>(thread: thread::JoinHandle<io::Result<T>>) -> io::Result<T> {
    thread.join().map_err(|_| io::Error::other("a thread has panicked"))?
}

/// What serving took.
struct Spent {
    wall: Duration,
    process_cpu: Duration,
    thread_cpu: Duration,
}

async fn serve(acceptor: &Acceptor, listener: TcpListener, case: Case) -> io::Result<Spent> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let mut streams = Vec::new();
    for _ in 0..case.connections {
        let (socket, _) = listener.accept().await?;
        streams.push(acceptor.accept(socket).await?);
    }
    for stream in &mut streams {
        stream.read_u8().await?;
    }
    let (start, process, thread) =
        (Instant::now(), clock(ClockId::ProcessCPUTime), clock(ClockId::ThreadCPUTime));
    for stream in &mut streams {
        stream.write_u8(0).await?;
        stream.flush().await?;
    }
    transfer(streams, case, case.direction).await?;
    Ok(Spent {
        wall: start.elapsed(),
        process_cpu: clock(ClockId::ProcessCPUTime).saturating_sub(process),
        thread_cpu: clock(ClockId::ThreadCPUTime).saturating_sub(thread),
    })
}

/// Returns the processor time that does not count.
async fn peer(
    connector: &tokio_rustls::TlsConnector,
    port: u16,
    case: Case,
) -> io::Result<Duration> {
    let mut streams = Vec::new();
    for _ in 0..case.connections {
        streams.push(connect(connector, port).await?);
    }
    // A byte there and one back: all connections stand when the clocks start.
    for stream in &mut streams {
        stream.write_u8(0).await?;
        stream.flush().await?;
    }
    for stream in &mut streams {
        stream.read_u8().await?;
    }
    let start = clock(ClockId::ThreadCPUTime);
    let direction = match case.direction {
        Direction::Send => Direction::Receive,
        Direction::Receive => Direction::Send,
    };
    transfer(streams, case, direction).await?;
    Ok(clock(ClockId::ThreadCPUTime).saturating_sub(start))
}

/// Sends or receives everything on all connections.
pub(crate) async fn transfer(
    streams: Vec<Box<dyn Stream>>,
    case: Case,
    direction: Direction,
) -> io::Result<()> {
    let mut tasks = JoinSet::new();
    for mut stream in streams {
        tasks.spawn(async move {
            let bytes = case.bytes_per_connection();
            if direction == Direction::Send {
                send(&mut stream, bytes).await?;
                stream.shutdown().await?;
                // The other side ends when it has everything.
                receive(&mut stream).await.map(drop)
            } else {
                let received = receive(&mut stream).await?;
                if received < bytes {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                stream.shutdown().await
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.map_err(io::Error::other)??;
    }
    Ok(())
}

async fn send(stream: &mut Box<dyn Stream>, bytes: usize) -> io::Result<()> {
    let piece = vec![0x5A; PIECE];
    let mut left = bytes;
    while left > 0 {
        let bytes = left.min(PIECE);
        stream.write_all(&piece[..bytes]).await?;
        left -= bytes;
    }
    Ok(())
}

async fn receive(stream: &mut Box<dyn Stream>) -> io::Result<usize> {
    let mut piece = vec![0; PIECE];
    let mut received = 0;
    loop {
        match stream.read(&mut piece).await? {
            0 => return Ok(received),
            bytes => received += bytes,
        }
    }
}

fn clock(id: ClockId) -> Duration {
    Duration::try_from(clock_gettime(id)).unwrap_or_default()
}
