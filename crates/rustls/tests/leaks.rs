// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Streams over a plain provider, those that come to their end and those that are dropped with operations under way. `cargo
//! xtask leaks` runs this under valgrind, which must find nothing lost.

mod support;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use rand::RngExt;
use rustls::CipherSuite;
use rustls::crypto::ring as rustls_ring;
use rustls_pki_types::ServerName;
use sealgate_rustls::{Offload, TlsAcceptor, TlsConnector, TlsStream};
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
};

use support::{TLS12_SUITES, TLS13_SUITES, configs, device, only, rng, version_of};

/// Pairs of streams of each suite: enough for what is lost with any of them to stand out.
const PAIRS: usize = 12;

type Stream = TlsStream<DuplexStream>;

async fn connect(suite: CipherSuite, offload: &Offload) -> (Stream, Stream) {
    let provider = only(rustls_ring::default_provider(), suite);
    let (client, server) = configs(provider.clone(), provider, version_of(suite));
    let connector = TlsConnector::new(Arc::new(client), offload.clone());
    let acceptor = TlsAcceptor::new(Arc::new(server), offload.clone());
    let (near, far) = duplex(1 << 16);
    let name = ServerName::try_from("localhost").unwrap();
    let (client, server) = tokio::join!(connector.connect(name, near), acceptor.accept(far));
    (client.unwrap(), server.unwrap())
}

#[tokio::test]
async fn streams_come_and_go() {
    let mut rng = rng();
    let (device, _) = device();
    let content = vec![0x5A; 100_000];
    for suite in [TLS13_SUITES[0], TLS12_SUITES[2]] {
        let offload = Offload::new(&device);
        for _ in 0..PAIRS {
            let (mut one, mut other) = connect(suite, &offload).await;
            one.update_key();
            one.write_all(&content[..20_000]).await.unwrap();
            one.shutdown().await.unwrap();
            let mut got = Vec::new();
            other.read_to_end(&mut got).await.unwrap();
            assert!(got == content[..20_000]);

            let (mut one, mut other) = connect(suite, &offload).await;
            let mut cx = Context::from_waker(Waker::noop());
            for _ in 0..rng.random_range(0..4) {
                let piece = &content[..rng.random_range(0..content.len())];
                let _: Poll<_> = Pin::new(&mut one).poll_write(&mut cx, piece);
                let _: Poll<_> = Pin::new(&mut one).poll_flush(&mut cx);
                let mut space = [0; 10];
                let mut space = ReadBuf::new(&mut space);
                let _: Poll<_> = Pin::new(&mut other).poll_read(&mut cx, &mut space);
            }
        }
    }
    device.close();
}
