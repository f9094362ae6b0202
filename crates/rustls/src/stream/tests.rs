// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Handshakes with rustls's own connections and with each other, and records in software on what they leave.

mod software;

use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::{
    AlertDescription, ClientConfig, ClientConnection, ContentType, Error, HandshakeKind,
    RootCertStore, ServerConfig, ServerConnection, SignatureAlgorithm, SupportedCipherSuite,
};
use sealgate_abi::{Direction, Suite, TlsVersion};
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::control::{AlertLevel, Control, Event, Fault, encode_alert, encode_key_update};
use super::handshake::{Established, HandshakeError, Kernel, client, server};
use crate::provider::{Provider, default_base};
use crate::record::{SoftwareOpener, SoftwareSealer, session_config, tls_version};

/// Room in a pipe for everything that a test sends.
const ROOMY: usize = 1 << 20;

/// A pipe that takes and gives at most so many bytes at a time, and has to be asked twice for them.
struct Pipe {
    inner: DuplexStream,
    at_a_time: usize,
    ready: bool,
}

/// Both ends of a pipe.
fn pipe(at_a_time: usize) -> (Pipe, Pipe) {
    let (one, other) = duplex(ROOMY);
    let end = |inner| Pipe { inner, at_a_time, ready: false };
    (end(one), end(other))
}

impl Pipe {
    fn get_ready(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.ready = !self.ready;
        if self.ready {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.get_ready(cx));
        let mut bytes = vec![0; self.at_a_time.min(buffer.remaining())];
        let mut part = ReadBuf::new(&mut bytes);
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut part))?;
        buffer.put_slice(part.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.get_ready(cx));
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

/// The suites of the default base that go with the key of the tests' certificates.
fn suites() -> Vec<SupportedCipherSuite> {
    let mut suites = default_base().cipher_suites;
    suites.retain(|suite| suite.usable_for_signature_algorithm(SignatureAlgorithm::ECDSA));
    assert_eq!(suites.len(), 6, "three of each version");
    suites
}

/// A suite of each version.
fn suite_of_each_version() -> Vec<SupportedCipherSuite> {
    let suites = suites();
    [TlsVersion::Tls12, TlsVersion::Tls13]
        .map(|version| *suites.iter().find(|&&s| tls_version(s) == version).unwrap())
        .to_vec()
}

fn only(suite: SupportedCipherSuite) -> CryptoProvider {
    CryptoProvider { cipher_suites: vec![suite], ..default_base() }
}

fn certificate() -> (CertificateDer<'static>, PrivateKeyDer<'static>, Arc<RootCertStore>) {
    let certified = rcgen::generate_simple_self_signed(["localhost".into()]).expect("certificate");
    let certificate = certified.cert.der().clone();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).expect("certificate is a trust anchor");
    let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
    (certificate, key, Arc::new(roots))
}

/// Configurations of both sides, the client trusting the server. Neither hands out secrets.
fn configs(client: CryptoProvider, server: CryptoProvider) -> (ClientConfig, ServerConfig) {
    let (certificate, key, roots) = certificate();
    let client = ClientConfig::builder_with_provider(client.into())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let server = ServerConfig::builder_with_provider(server.into())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("certificate");
    (client, server)
}

fn configs_of(suite: SupportedCipherSuite) -> (ClientConfig, ServerConfig) {
    configs(only(suite), only(suite))
}

fn localhost() -> ServerName<'static> {
    ServerName::try_from("localhost").expect("name")
}

/// What rustls says is wrong, by way of tokio-rustls.
fn tls_error(error: &io::Error) -> &Error {
    error.get_ref().expect("an error within").downcast_ref().expect("an error of rustls")
}

/// The smallest record layer that works on what a handshake has left.
struct Stream<IO> {
    io: IO,
    kernel: Kernel,
    suite: SupportedCipherSuite,
    control: Control,
    sealer: SoftwareSealer,
    tx: u64,
    opener: SoftwareOpener,
    rx: u64,
    input: Vec<u8>,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Stream<IO> {
    fn new(io: IO, established: Established) -> Self {
        let Established { kernel, version, suite, tx, rx, input, .. } = established;
        Self {
            io,
            control: Control::new(version, kernel.side()),
            kernel,
            suite,
            sealer: SoftwareSealer::new(suite, tx.1).expect("sealer"),
            tx: tx.0,
            opener: SoftwareOpener::new(suite, rx.1).expect("opener"),
            rx: rx.0,
            input,
        }
    }

    async fn send(&mut self, typ: ContentType, content: &[u8]) {
        let mut wire = Vec::new();
        self.sealer.seal(typ.into(), self.tx, &[content], &mut wire).expect("seals");
        self.tx += 1;
        self.io.write_all(&wire).await.expect("peer reads");
    }

    async fn send_data(&mut self, content: &[u8]) {
        for fragment in content.chunks(16_384) {
            self.send(ContentType::ApplicationData, fragment).await;
        }
    }

    async fn update_key(&mut self, request_update: bool) {
        self.send(ContentType::Handshake, &encode_key_update(request_update)).await;
        let (sequence, secrets) = self.kernel.update_tx_secret().expect("next key");
        self.sealer = SoftwareSealer::new(self.suite, secrets).expect("sealer");
        self.tx = sequence;
    }

    /// Waits for the next record.
    async fn record(&mut self) -> Result<(ContentType, Vec<u8>), Fault> {
        self.fill(5).await;
        let header = *self.input.first_chunk().expect("5 bytes");
        let length = self.control.header(header)?;
        self.fill(5 + length).await;
        let mut payload: Vec<u8> = self.input.drain(..5 + length).skip(5).collect();
        let opened = self.opener.open(self.rx, header, &mut payload)?;
        self.rx += 1;
        payload.truncate(opened.length);
        Ok((opened.content_type.into(), payload))
    }

    async fn fill(&mut self, bytes: usize) {
        while self.input.len() < bytes {
            let read = self.io.read_buf(&mut self.input).await.expect("peer sends");
            assert!(read > 0, "the peer is still there");
        }
    }

    /// Waits for application data, does what comes before it, and returns it with that. Empty after a `close_notify`.
    async fn data(&mut self) -> Result<(Vec<u8>, Vec<Event>), Fault> {
        let mut all = Vec::new();
        loop {
            let (typ, content) = self.record().await?;
            let events = self.control.record(typ, &content)?;
            for event in &events {
                match event {
                    Event::NewSessionTicket(ticket) => {
                        self.kernel.handle_new_session_ticket(ticket)?;
                    }
                    Event::KeyUpdate { update_requested } => {
                        let (sequence, secrets) = self.kernel.update_rx_secret()?;
                        self.opener = SoftwareOpener::new(self.suite, secrets)?;
                        self.rx = sequence;
                        if *update_requested {
                            self.update_key(false).await;
                        }
                    }
                    _ => {}
                }
            }
            let closed = events.contains(&Event::CloseNotify);
            all.extend(events);
            if closed || typ == ContentType::ApplicationData {
                return Ok((if closed { Vec::new() } else { content }, all));
            }
        }
    }

    async fn expect_data(&mut self, expected: &[u8]) {
        let mut arrived = Vec::new();
        while arrived.len() < expected.len() {
            arrived.extend(self.data().await.expect("data").0);
        }
        assert!(arrived == expected, "what arrived is what was sent");
    }
}

/// Both sides by our handshake, over a pipe that does so many bytes at a time.
async fn connect(
    configs: (ClientConfig, ServerConfig),
    at_a_time: usize,
) -> (Stream<Pipe>, Stream<Pipe>) {
    let (client, server) = establish(&configs, at_a_time).await;
    (Stream::new(client.0, client.1), Stream::new(server.0, server.1))
}

type Side = (Pipe, Established);

async fn establish(
    (ours, theirs): &(ClientConfig, ServerConfig),
    at_a_time: usize,
) -> (Side, Side) {
    let (mut near, mut far) = pipe(at_a_time);
    let (established, accepted) =
        tokio::join!(client(&mut near, ours, localhost()), server(&mut far, theirs),);
    ((near, established.expect("client")), (far, accepted.expect("server")))
}

fn take_tls(connection: &mut ClientConnection) -> Vec<u8> {
    let mut wire = Vec::new();
    while connection.wants_write() {
        connection.write_tls(&mut wire).expect("write to memory");
    }
    wire
}

/// Has a buffered client shake hands; what `last` makes it send goes out in one piece with its last flight.
async fn shake_hands(
    io: &mut DuplexStream,
    connection: &mut ClientConnection,
    last: impl FnOnce(&mut ClientConnection),
) {
    while connection.is_handshaking() {
        io.write_all(&take_tls(connection)).await.expect("server reads");
        let mut buffer = [0; 4_096];
        let read = io.read(&mut buffer).await.expect("server sends");
        assert!(read > 0, "the server is still there");
        connection.read_tls(&mut &buffer[..read]).expect("read from memory");
        connection.process_new_packets().expect("server shakes hands");
    }
    last(connection);
    io.write_all(&take_tls(connection)).await.expect("server reads");
}

#[tokio::test]
async fn both_sides_end_up_with_the_same_keys_in_every_suite() {
    for suite in suites() {
        for at_a_time in [1, ROOMY] {
            let (mut ours, mut theirs) = configs_of(suite);
            ours.alpn_protocols = vec![b"score".to_vec(), b"other".to_vec()];
            theirs.alpn_protocols = vec![b"score".to_vec()];
            let ((_, client), (_, server)) = establish(&(ours, theirs), at_a_time).await;
            for side in [&client, &server] {
                assert_eq!(side.suite, suite);
                assert_eq!(side.version, tls_version(suite));
                assert_eq!(side.handshake_kind, Some(HandshakeKind::Full));
                assert_eq!(side.alpn.as_deref(), Some(&b"score"[..]));
            }
            assert_eq!(server.server_name.as_deref(), Some("localhost"));
            assert_eq!(client.server_name, None);
            assert_eq!(client.peer_certificates.as_ref().map(Vec::len), Some(1));
            assert_eq!(server.peer_certificates, None);
            assert_eq!(client.tx.0, server.rx.0);
            for (one, other) in [(&client.tx.1, &server.rx.1), (&client.rx.1, &server.tx.1)] {
                let keys = [one, other].map(|secrets| {
                    let config = session_config(suite, Direction::Seal, secrets).expect("served");
                    assert_eq!(config.version, tls_version(suite));
                    format!("{:?}", (key_bytes(config.key), config.iv))
                });
                assert_eq!(keys[0], keys[1]);
            }
        }
    }
}

fn key_bytes(key: sealgate_abi::Key<'_>) -> Vec<u8> {
    match key {
        sealgate_abi::Key::Aes128(key) => key.to_vec(),
        sealgate_abi::Key::Aes256(key) | sealgate_abi::Key::Chacha20(key) => key.to_vec(),
    }
}

#[tokio::test]
async fn data_goes_both_ways_in_every_suite() {
    let data: Vec<u8> = (0..100_000_u32).map(|i| i as u8).collect();
    for suite in suites() {
        let (mut client, mut server) = connect(configs_of(suite), ROOMY).await;
        client.send_data(&data).await;
        server.expect_data(&data).await;
        server.send_data(&data).await;
        client.expect_data(&data).await;
    }
}

#[tokio::test]
async fn our_server_serves_rustls_over_any_pipe() {
    for suite in suites() {
        for at_a_time in [1, ROOMY] {
            let (ours, theirs) = configs_of(suite);
            let (near, mut far) = pipe(at_a_time);
            let connector = TlsConnector::from(Arc::new(ours));
            let rustls_side = tokio::spawn(async move {
                let mut stream = connector.connect(localhost(), near).await.expect("client");
                stream.write_all(b"question").await.expect("server reads");
                stream.flush().await.expect("server reads");
                let mut answer = [0; 6];
                stream.read_exact(&mut answer).await.expect("server answers");
                assert_eq!(&answer, b"answer");
                stream.shutdown().await.expect("server reads");
            });
            let established = server(&mut far, &theirs).await.expect("server");
            let mut stream = Stream::new(far, established);
            stream.expect_data(b"question").await;
            stream.send_data(b"answer").await;
            let (_, events) = stream.data().await.expect("the end");
            assert_eq!(events, [Event::CloseNotify]);
            rustls_side.await.expect("client is content");
        }
    }
}

#[tokio::test]
async fn our_client_is_served_by_rustls_over_any_pipe() {
    for suite in suites() {
        for at_a_time in [1, ROOMY] {
            let (ours, theirs) = configs_of(suite);
            let (mut near, far) = pipe(at_a_time);
            let acceptor = TlsAcceptor::from(Arc::new(theirs));
            let rustls_side = tokio::spawn(async move {
                let mut stream = acceptor.accept(far).await.expect("server");
                let mut question = [0; 8];
                stream.read_exact(&mut question).await.expect("client asks");
                stream.write_all(b"answer").await.expect("client reads");
                stream.flush().await.expect("client reads");
                let end = stream.read(&mut question).await.expect("client closes");
                assert_eq!(end, 0);
            });
            let established = client(&mut near, &ours, localhost()).await.expect("client");
            let mut stream = Stream::new(near, established);
            stream.send_data(b"question").await;
            stream.expect_data(b"answer").await;
            let close = encode_alert(AlertLevel::Warning, AlertDescription::CloseNotify);
            stream.send(ContentType::Alert, &close).await;
            rustls_side.await.expect("server is content");
        }
    }
}

#[tokio::test]
async fn what_comes_in_one_piece_with_the_handshake_is_left_to_the_record_layer() {
    for suite in suites() {
        let (ours, theirs) = configs_of(suite);
        let (mut near, mut far) = duplex(ROOMY);
        let mut connection = ClientConnection::new(Arc::new(ours), localhost()).expect("client");
        let eager = shake_hands(&mut near, &mut connection, |connection| {
            connection.writer().write_all(b"at once").expect("buffered");
            if tls_version(suite) == TlsVersion::Tls13 {
                connection.refresh_traffic_keys().expect("next key");
                connection.writer().write_all(b" and more").expect("buffered");
            }
            connection.send_close_notify();
        });
        let (established, ()) = tokio::join!(server(&mut far, &theirs), eager);
        let established = established.expect("server");
        // With TLS 1.2 it is the server that finishes last, before the client may send anything.
        assert_eq!(established.input.is_empty(), tls_version(suite) == TlsVersion::Tls12);
        let mut stream = Stream::new(far, established);
        stream.expect_data(b"at once").await;
        if tls_version(suite) == TlsVersion::Tls13 {
            stream.expect_data(b" and more").await;
        }
        assert_eq!(stream.data().await.expect("the end").1, [Event::CloseNotify]);
    }
}

#[tokio::test]
async fn what_a_server_sends_in_one_piece_with_the_handshake_is_left_to_the_record_layer() {
    for suite in suites() {
        let (ours, mut theirs) = configs_of(suite);
        // With TLS 1.3 a server may speak before the client has finished.
        theirs.send_half_rtt_data = true;
        let half_rtt = tls_version(suite) == TlsVersion::Tls13;
        let (mut near, mut far) = duplex(ROOMY);
        let rustls_side = async {
            let mut connection = ServerConnection::new(Arc::new(theirs)).expect("server");
            let mut spoken = false;
            while !spoken {
                let mut buffer = [0; 4_096];
                let read = far.read(&mut buffer).await.expect("client sends");
                connection.read_tls(&mut &buffer[..read]).expect("read from memory");
                connection.process_new_packets().expect("client shakes hands");
                if half_rtt || !connection.is_handshaking() {
                    connection.writer().write_all(b"at once").expect("buffered");
                    spoken = true;
                }
                let mut wire = Vec::new();
                while connection.wants_write() {
                    connection.write_tls(&mut wire).expect("write to memory");
                }
                far.write_all(&wire).await.expect("client reads");
            }
        };
        let handshake = client(&mut near, &ours, localhost());
        let (established, ()) = tokio::join!(handshake, rustls_side);
        let established = established.expect("client");
        assert!(!established.input.is_empty(), "{suite:?}");
        Stream::new(near, established).expect_data(b"at once").await;
    }
}

#[tokio::test]
async fn early_data_is_kept_apart() {
    let suite = suite_of_each_version()[1];
    let (mut ours, mut theirs) = configs_of(suite);
    ours.enable_early_data = true;
    theirs.max_early_data_size = 1_000;
    theirs.session_storage = ServerSessionMemoryCache::new(8);
    let ours = Arc::new(ours);
    for round in 0..2 {
        let (mut near, mut far) = duplex(ROOMY);
        let mut connection = ClientConnection::new(Arc::clone(&ours), localhost()).expect("client");
        if let Some(mut early) = connection.early_data() {
            early.write_all(b"early").expect("buffered");
        }
        let rustls_side = shake_hands(&mut near, &mut connection, |connection| {
            connection.writer().write_all(b"late").expect("buffered");
        });
        let (established, ()) = tokio::join!(server(&mut far, &theirs), rustls_side);
        let established = established.expect("server");
        let expected: &[u8] = if round == 0 { b"" } else { b"early" };
        assert_eq!(established.early_data, expected);
        Stream::new(far, established).expect_data(b"late").await;
        // Tickets for the next round.
        let mut buffer = [0; 4_096];
        let read = near.read(&mut buffer).await.expect("server sends");
        connection.read_tls(&mut &buffer[..read]).expect("read from memory");
        connection.process_new_packets().expect("tickets");
    }
}

#[tokio::test]
async fn keys_change_as_either_side_asks() {
    let (mut client, mut server) = connect(configs_of(suite_of_each_version()[1]), ROOMY).await;
    for request_update in [false, true, true] {
        client.update_key(request_update).await;
        client.send_data(b"from the client").await;
        server.expect_data(b"from the client").await;
        server.update_key(request_update).await;
        server.send_data(b"from the server").await;
        client.expect_data(b"from the server").await;
    }
    assert_eq!((client.tx, server.tx), (0, 1), "sequence numbers began anew, the client's last");
}

#[tokio::test]
async fn rustls_follows_a_change_of_keys() {
    let (ours, theirs) = configs_of(suite_of_each_version()[1]);
    let (mut near, mut far) = duplex(ROOMY);
    let mut connection = ClientConnection::new(Arc::new(ours), localhost()).expect("client");
    let handshake = shake_hands(&mut near, &mut connection, |_| {});
    let (established, ()) = tokio::join!(server(&mut far, &theirs), handshake);
    let mut stream = Stream::new(far, established.expect("server"));
    stream.update_key(true).await;
    stream.send_data(b"new key").await;
    let mut buffer = [0; 4_096];
    let read = near.read(&mut buffer).await.expect("server sends");
    connection.read_tls(&mut &buffer[..read]).expect("read from memory");
    connection.process_new_packets().expect("key update");
    connection.writer().write_all(b"new key too").expect("buffered");
    near.write_all(&take_tls(&mut connection)).await.expect("server reads");
    let (data, events) = stream.data().await.expect("data");
    assert_eq!(events, [Event::KeyUpdate { update_requested: false }]);
    assert_eq!(data, b"new key too");
}

#[tokio::test]
async fn sessions_are_resumed() {
    for suite in suite_of_each_version() {
        let configs = configs_of(suite);
        for expected in [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed] {
            let (client, server) = establish(&configs, ROOMY).await;
            for side in [&client.1, &server.1] {
                assert_eq!(side.handshake_kind, Some(expected), "{suite:?}");
            }
            assert_eq!(server.1.server_name.as_deref(), Some("localhost"));
            assert!(client.1.peer_certificates.is_some(), "as it was in the first handshake");
            let mut client = Stream::new(client.0, client.1);
            let mut server = Stream::new(server.0, server.1);
            server.send_data(b"behind the tickets").await;
            let (_, events) = client.data().await.expect("data");
            let tickets =
                events.iter().filter(|event| matches!(event, Event::NewSessionTicket(_))).count();
            assert_eq!(tickets > 0, suite == suite_of_each_version()[1]);
        }
    }
}

#[tokio::test]
async fn a_hello_is_retried() {
    let mut picky = only(suite_of_each_version()[1]);
    let (mut ours, theirs) = configs(picky.clone(), picky.clone());
    ours.resumption = Resumption::disabled();
    // The server takes only the group of which the client sends no share at first.
    picky.kx_groups = vec![*picky.kx_groups.last().expect("groups")];
    let (_, mut retrying) = configs(picky.clone(), picky);
    retrying.cert_resolver = theirs.cert_resolver;
    for at_a_time in [1, ROOMY] {
        let (client, server) = establish(&(ours.clone(), retrying.clone()), at_a_time).await;
        for side in [&client.1, &server.1] {
            assert_eq!(side.handshake_kind, Some(HandshakeKind::FullWithHelloRetryRequest));
        }
        assert_eq!(server.1.server_name.as_deref(), Some("localhost"));
    }
}

/// A client that has a certificate, one that has none, and a server that wants to see one.
fn mutual(suite: SupportedCipherSuite) -> (ClientConfig, ClientConfig, ServerConfig) {
    let (server_certificate, server_key, server_roots) = certificate();
    let (client_certificate, client_key, client_roots) = certificate();
    let provider = Arc::new(only(suite));
    let client = || {
        ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(Arc::clone(&server_roots))
    };
    let known = client()
        .with_client_auth_cert(vec![client_certificate], client_key)
        .expect("certificate of the client");
    let verifier =
        WebPkiClientVerifier::builder_with_provider(client_roots, Arc::clone(&provider)).build();
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier.expect("verifier"))
        .with_single_cert(vec![server_certificate], server_key)
        .expect("certificate of the server");
    (known, client().with_no_client_auth(), server)
}

#[tokio::test]
async fn a_client_shows_its_certificate() {
    for suite in suite_of_each_version() {
        let (known, _, theirs) = mutual(suite);
        let (_, (_, server)) = establish(&(known, theirs), ROOMY).await;
        assert_eq!(server.peer_certificates.map(|chain| chain.len()), Some(1));
    }
}

#[tokio::test]
async fn a_client_without_certificate_gets_the_alert() {
    for suite in suite_of_each_version() {
        let (_, unknown, theirs) = mutual(suite);
        let (near, mut far) = duplex(ROOMY);
        let connector = TlsConnector::from(Arc::new(unknown));
        let rustls_side = async {
            let mut stream = connector.connect(localhost(), near).await?;
            stream.read_u8().await
        };
        let (refused, told) = tokio::join!(server(&mut far, &theirs), rustls_side);
        let refused = refused.expect_err("no certificate");
        assert!(
            matches!(refused, HandshakeError::Tls(Error::NoCertificatesPresented)),
            "{refused:?}"
        );
        let told = told.expect_err("no certificate");
        let alert = Error::AlertReceived(AlertDescription::CertificateRequired);
        assert_eq!(tls_error(&told), &alert);
    }
}

#[tokio::test]
async fn a_server_that_is_not_trusted_gets_the_alert() {
    for suite in suite_of_each_version() {
        let ((ours, _), (_, theirs)) = (configs_of(suite), configs_of(suite));
        let (mut near, far) = duplex(ROOMY);
        let acceptor = TlsAcceptor::from(Arc::new(theirs));
        let rustls_side = async { acceptor.accept(far).await.map(drop) };
        let (refused, told) = tokio::join!(client(&mut near, &ours, localhost()), rustls_side);
        let refused = io::Error::from(refused.expect_err("unknown certificate"));
        assert!(matches!(tls_error(&refused), Error::InvalidCertificate(_)), "{refused:?}");
        let told = told.expect_err("unknown certificate");
        assert!(matches!(tls_error(&told), Error::AlertReceived(_)), "{told:?}");
    }
}

#[tokio::test]
async fn sides_with_nothing_in_common_both_learn_it() {
    let [tls12, tls13] = suite_of_each_version()[..] else { unreachable!("two versions") };
    let (ours, theirs) = configs(only(tls13), only(tls12));
    let (mut near, mut far) = pipe(1);
    let (one, other) =
        tokio::join!(client(&mut near, &ours, localhost()), server(&mut far, &theirs));
    let (one, other) = (one.expect_err("nothing in common"), other.expect_err("nothing in common"));
    assert!(matches!(one, HandshakeError::Tls(Error::AlertReceived(_))), "{one:?}");
    assert!(matches!(other, HandshakeError::Tls(Error::PeerIncompatible(_))), "{other:?}");
}

#[tokio::test]
async fn what_is_no_tls_is_told_so_at_once() {
    let (_, theirs) = configs_of(suites()[0]);
    let (mut near, mut far) = duplex(ROOMY);
    // Less than the length that these bytes would stand for in a header.
    near.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("server reads");
    let error = server(&mut far, &theirs).await.expect_err("not TLS");
    assert!(matches!(error, HandshakeError::Tls(Error::InvalidMessage(_))), "{error:?}");
    let mut alert = [0; 7];
    near.read_exact(&mut alert).await.expect("server answers");
    let decode_error = encode_alert(AlertLevel::Fatal, AlertDescription::DecodeError);
    assert_eq!(alert[..1], [21]);
    assert_eq!(alert[5..], decode_error);
}

#[tokio::test]
async fn a_peer_that_leaves_is_noticed() {
    let (ours, theirs) = configs_of(suites()[0]);
    let (mut near, mut far) = duplex(ROOMY);
    let leaving = async {
        let mut hello = [0; 64];
        near.read_exact(&mut hello).await.expect("client sends");
        near.write_all(&[22, 3, 3]).await.expect("client reads");
        drop(near);
    };
    let (error, ()) = tokio::join!(client(&mut far, &ours, localhost()), leaving);
    let error = io::Error::from(error.expect_err("half a header"));
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);

    let (near, mut far) = duplex(ROOMY);
    drop(near);
    let error = io::Error::from(server(&mut far, &theirs).await.expect_err("nobody there"));
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn a_message_in_tiny_pieces_does_not_fill_memory() {
    let (_, theirs) = configs_of(suites()[0]);
    let (mut near, mut far) = duplex(4_096);
    let flood = async {
        // A client hello of nearly 64 KiB, a byte in each record.
        let mut message = vec![1, 0, 0xff, 0xff];
        message.resize(0xffff, 0);
        for byte in message {
            if near.write_all(&[22, 3, 1, 0, 1, byte]).await.is_err() {
                return;
            }
        }
    };
    let refuse = async {
        let error = server(&mut far, &theirs).await.expect_err("too much");
        drop(far);
        error
    };
    let (error, ()) = tokio::join!(refuse, flood);
    assert!(matches!(error, HandshakeError::InputLimit), "{error:?}");
}

#[tokio::test]
async fn the_software_of_a_wrapped_suite_is_its_base() {
    for suite in suites() {
        let provider = || {
            let (wrapped, counters) = Provider::without_device().base(only(suite)).build();
            // Once more around, as a provider may be the base of another.
            let (twice, outer) = Provider::without_device().base(wrapped).build();
            (twice, [counters, outer])
        };
        let ((ours, one), (theirs, other)) = (provider(), provider());
        let (mut client, mut server) = connect(configs(ours, theirs), ROOMY).await;
        let counters = || [&one, &other].map(|both| both.each_ref().map(|one| one.snapshot()));
        let after_handshake = format!("{:?}", counters());
        client.send_data(b"past the counters").await;
        server.expect_data(b"past the counters").await;
        assert_eq!(format!("{:?}", counters()), after_handshake);
    }
}

#[tokio::test]
async fn nothing_secret_is_shown() {
    let ((_, client), _) = establish(&configs_of(suites()[0]), ROOMY).await;
    let shown = format!("{client:?}");
    assert!(shown.contains("tx_sequence") && !shown.contains("key"), "{shown}");
}

#[tokio::test]
async fn secrets_of_a_suite_become_a_session_of_that_suite() {
    for suite in suites() {
        let ((_, client), _) = establish(&configs_of(suite), ROOMY).await;
        let config = session_config(suite, Direction::Open, &client.rx.1).expect("served");
        let name = format!("{suite:?}");
        let expected = match config.key.suite() {
            Suite::Aes128Gcm => "AES_128_GCM",
            Suite::Aes256Gcm => "AES_256_GCM",
            Suite::Chacha20Poly1305 => "CHACHA20_POLY1305",
        };
        assert!(name.contains(expected), "{name}");
        assert_eq!(config.direction, Direction::Open);
        for other in suites().into_iter().filter(|&other| other != suite) {
            let same_key = session_config(other, Direction::Open, &client.rx.1)
                .is_some_and(|other| other.key.suite() == config.key.suite());
            let same_aead = format!("{other:?}").contains(expected);
            assert_eq!(same_key, same_aead, "{other:?}");
        }
    }
}
