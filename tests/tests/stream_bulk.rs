// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The asynchronous stream and rustls on ring send each other a lot at once, with hashes that run along.
//!
//! `SEALGATE_STREAM_BYTES` says how much goes each way; `cargo xtask soak --stream` sends a GiB.

use std::env;
use std::sync::Arc;

use rand::RngExt;
use ring::digest::{Context, SHA256};
use rustls::CipherSuite;
use rustls_pki_types::ServerName;
use sealgate_tests::device::Simulation;
use sealgate_tests::peer::Party;
use sealgate_tests::random;
use sealgate_tests::tls::TLS13_SUITES;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;

/// What goes each way by default.
const BYTES: u64 = 64 << 20;

/// What is written at once.
const BLOCK_BYTES: usize = 1 << 18;

fn bytes() -> u64 {
    env::var("SEALGATE_STREAM_BYTES")
        .map_or(BYTES, |bytes| bytes.parse().expect("SEALGATE_STREAM_BYTES is a number of 64 bits"))
}

/// Sends so much, no two blocks alike, and the end; the hash of it.
async fn send(mut to: impl AsyncWrite + Unpin, mut block: Vec<u8>, bytes: u64) -> Vec<u8> {
    let mut hash = Context::new(&SHA256);
    let mut left = bytes;
    while left > 0 {
        block[..8].copy_from_slice(&left.to_le_bytes());
        let part = &block[..block.len().min(usize::try_from(left).expect("64 bits"))];
        hash.update(part);
        to.write_all(part).await.expect("content is taken");
        left -= part.len() as u64;
    }
    to.shutdown().await.expect("the end is sent");
    hash.finish().as_ref().to_vec()
}

/// Receives to the end: how much it was, and the hash of it.
async fn receive(mut from: impl AsyncRead + Unpin) -> (u64, Vec<u8>) {
    let mut hash = Context::new(&SHA256);
    let mut block = vec![0; BLOCK_BYTES];
    let mut received = 0;
    loop {
        let read = from.read(&mut block).await.expect("content, and the end in order");
        if read == 0 {
            return (received, hash.finish().as_ref().to_vec());
        }
        hash.update(&block[..read]);
        received += read as u64;
    }
}

fn much_both_ways(suite: CipherSuite) {
    let mut rng = random::rng();
    let bytes = bytes() + rng.random_range(0..1_000);
    let blocks = [(); 2].map(|()| random::bytes(&mut rng, BLOCK_BYTES));
    let party = Arc::new(Party::new(Simulation::Model, suite));
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let [ours, theirs] = blocks;
        let (listener, address) = party.listen().await;
        let client = TlsConnector::from(Arc::clone(&party.client));
        let peer = tokio::spawn(async move {
            let socket = TcpStream::connect(address).await.expect("a connection");
            let name = ServerName::try_from("localhost").expect("a name");
            let stream = client.connect(name, socket).await.expect("a handshake");
            let (read, write) = split(stream);
            let sender = tokio::spawn(send(write, theirs, bytes));
            let received = receive(read).await;
            (sender.await.expect("it sends"), received)
        });
        let (read, write) = split(party.accept(&listener).await);
        let sender = tokio::spawn(send(write, ours, bytes));
        let received = receive(read).await;
        let sent = sender.await.expect("it sends");
        let (peer_sent, peer_received) = peer.await.expect("the peer gets on");
        assert_eq!(peer_received, (bytes, sent), "what we sent arrived otherwise");
        assert_eq!(received, (bytes, peer_sent), "what they sent arrived otherwise");
    });
    party.assert_on_device(usize::try_from(bytes).expect("64 bits"));
    println!("{suite:?}: {bytes} bytes each way, {:?} records", party.records());
}

#[test]
fn much_goes_both_ways_with_running_hashes() {
    much_both_ways(TLS13_SUITES[0]);
}
