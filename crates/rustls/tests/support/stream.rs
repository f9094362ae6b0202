// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Connections with our stream on one side and rustls's on the other.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustls::crypto::CryptoProvider;
use rustls::{CipherSuite, ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::{PrivateKeyDer, ServerName};
use sealgate_rustls::{Offload, TlsAcceptor, TlsConnector, TlsStream};
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex, split,
};

use super::{base, only, random_bytes};

pub(crate) const NAME: &str = "localhost";

/// Either end of a connection, as a test uses it.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

pub(crate) struct Configs {
    pub(crate) client: Arc<ClientConfig>,
    pub(crate) server: Arc<ServerConfig>,
}

/// Of the base of this build.
pub(crate) fn configs(suite: CipherSuite) -> Configs {
    configs_over(base(), suite)
}

pub(crate) fn configs_over(provider: CryptoProvider, suite: CipherSuite) -> Configs {
    let provider = Arc::new(only(provider, suite));
    let signed = rcgen::generate_simple_self_signed([NAME.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(signed.cert.der().clone()).unwrap();
    let versions = rustls::ALL_VERSIONS;
    let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .unwrap();
    server.alpn_protocols = vec![b"sealgate".to_vec()];
    let mut client = client;
    client.alpn_protocols = vec![b"sealgate".to_vec()];
    Configs { client: client.into(), server: server.into() }
}

pub(crate) fn name() -> ServerName<'static> {
    ServerName::try_from(NAME).unwrap()
}

/// Our stream, and rustls's.
pub(crate) type Ours = TlsStream<Pipe>;
pub(crate) type Theirs = tokio_rustls::TlsStream<Pipe>;

/// A pipe that takes and gives at most so many bytes at a time.
pub(crate) struct Pipe {
    inner: DuplexStream,
    at_a_time: usize,
    /// What it says at its end, if that is an error.
    pub(crate) broken: Option<io::ErrorKind>,
}

/// Both ends of one that has room for `room` bytes.
pub(crate) fn pipe(room: usize, at_a_time: usize) -> (Pipe, Pipe) {
    let (one, other) = duplex(room);
    let end = |inner| Pipe { inner, at_a_time, broken: None };
    (end(one), end(other))
}

impl AsyncRead for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut part = into.take(self.at_a_time);
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut part))?;
        let filled = part.filled().to_vec();
        into.put_slice(&filled);
        match self.broken {
            Some(kind) if filled.is_empty() => Poll::Ready(Err(kind.into())),
            _ => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let bytes = &bytes[..bytes.len().min(self.at_a_time)];
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// A connection with our stream on one side and rustls's on the other.
pub(crate) async fn connect(
    configs: &Configs,
    offload: &Offload,
    we_serve: bool,
    room: usize,
) -> (Ours, Theirs) {
    connect_over(configs, offload, we_serve, pipe(room, usize::MAX)).await
}

pub(crate) async fn connect_over(
    configs: &Configs,
    offload: &Offload,
    we_serve: bool,
    (client, server): (Pipe, Pipe),
) -> (Ours, Theirs) {
    if we_serve {
        let acceptor = TlsAcceptor::new(Arc::clone(&configs.server), offload.clone());
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(&configs.client));
        let (ours, theirs) =
            tokio::join!(acceptor.accept(server), connector.connect(name(), client));
        (ours.unwrap(), theirs.unwrap().into())
    } else {
        let connector = TlsConnector::new(Arc::clone(&configs.client), offload.clone());
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::clone(&configs.server));
        let (ours, theirs) =
            tokio::join!(connector.connect(name(), client), acceptor.accept(server));
        (ours.unwrap(), theirs.unwrap().into())
    }
}

/// The pipe below rustls, to send what no TLS stream would.
pub(crate) fn below(theirs: &mut Theirs) -> &mut Pipe {
    match theirs {
        Theirs::Client(stream) => stream.get_mut().0,
        Theirs::Server(stream) => stream.get_mut().0,
    }
}

/// Keying material as rustls exports it.
pub(crate) fn export<const N: usize>(
    theirs: &Theirs,
    output: [u8; N],
    label: &[u8],
    context: Option<&[u8]>,
) -> [u8; N] {
    let exported = match theirs {
        Theirs::Client(stream) => stream.get_ref().1.export_keying_material(output, label, context),
        Theirs::Server(stream) => stream.get_ref().1.export_keying_material(output, label, context),
    };
    exported.unwrap()
}

/// Has rustls change its key with its next record.
pub(crate) fn refresh(theirs: &mut Theirs) {
    match theirs {
        Theirs::Client(stream) => stream.get_mut().1.refresh_traffic_keys().unwrap(),
        Theirs::Server(stream) => stream.get_mut().1.refresh_traffic_keys().unwrap(),
    }
}

/// Runs a test's only task; a minute is longer than any takes that works.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(60), test).await.expect("the test gets on")
    })
}

/// Writes all of it in pieces of random size, some of them gathered, and says that nothing follows.
pub(crate) async fn write_in_pieces(
    mut to: impl AsyncWrite + Unpin,
    content: &[u8],
    rng: &mut StdRng,
) {
    let mut rest = content;
    while !rest.is_empty() {
        let most = [1, 100, 16_384, 70_000, 300_000][rng.random_range(0..5)];
        let piece = &rest[..rng.random_range(1..=most).min(rest.len())];
        let written = if rng.random_bool(0.3) {
            let (one, other) = piece.split_at(piece.len() / 3);
            let slices = [IoSlice::new(one), IoSlice::new(&[]), IoSlice::new(other)];
            to.write_vectored(&slices).await.unwrap()
        } else {
            to.write(piece).await.unwrap()
        };
        if rng.random_bool(0.2) {
            to.flush().await.unwrap();
        }
        rest = &rest[written..];
    }
    to.shutdown().await.unwrap();
}

/// Reads to the end, in pieces of random size.
pub(crate) async fn read_in_pieces(mut from: impl AsyncRead + Unpin, rng: &mut StdRng) -> Vec<u8> {
    let mut content = Vec::new();
    loop {
        let held = content.len();
        content.resize(held + rng.random_range(1..100_000), 0);
        let read = from.read(&mut content[held..]).await.unwrap();
        content.truncate(held + read);
        if read == 0 {
            return content;
        }
    }
}

/// Sends content both ways at once, and compares what arrives.
pub(crate) async fn exchange(
    ours: impl Stream,
    theirs: impl Stream,
    bytes: usize,
    rng: &mut StdRng,
) {
    let contents = [random_bytes(rng, bytes), random_bytes(rng, bytes)];
    let mut rngs: [StdRng; 4] = std::array::from_fn(|_| StdRng::seed_from_u64(rng.random()));
    let [a, b, c, d] = &mut rngs;
    let (our_read, our_write) = split(ours);
    let (their_read, their_write) = split(theirs);
    let ((), (), to_them, to_us) = tokio::join!(
        write_in_pieces(our_write, &contents[0], a),
        write_in_pieces(their_write, &contents[1], b),
        read_in_pieces(their_read, c),
        read_in_pieces(our_read, d),
    );
    assert!(to_them == contents[0], "what we sent arrived otherwise");
    assert!(to_us == contents[1], "what they sent arrived otherwise");
}
