// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The asynchronous stream against rustls's own record layer, on the software device and without one: every suite, both
//! sides, key updates, endings, bad peers, failing devices, and letting go at any point.

mod support;

use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use rustls::crypto::{CryptoProvider, ring as rustls_ring};
use rustls::{CipherSuite, ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::{PrivateKeyDer, ServerName};
use sealgate_driver::Settings;
use sealgate_rustls::{
    Offload, Operation, Reason, Thresholds, TlsAcceptor, TlsConnector, TlsStream,
};
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt,
    DuplexStream, ReadBuf, duplex, split,
};

use support::{DEVICE_SUITES, TLS12_SUITES, TLS13_SUITES, device, device_with, rng};

const NAME: &str = "localhost";

/// Either end of a connection, as a test uses it.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

struct Configs {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

fn configs(suite: CipherSuite) -> Configs {
    let mut provider = rustls_ring::default_provider();
    provider.cipher_suites.retain(|candidate| candidate.suite() == suite);
    let provider: Arc<CryptoProvider> = provider.into();
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

fn name() -> ServerName<'static> {
    ServerName::try_from(NAME).unwrap()
}

/// Our stream, and rustls's.
type Ours = TlsStream<Pipe>;
type Theirs = tokio_rustls::TlsStream<Pipe>;

/// A pipe that takes and gives at most so many bytes at a time.
struct Pipe {
    inner: DuplexStream,
    at_a_time: usize,
}

/// Both ends of one that has room for `room` bytes.
fn pipe(room: usize, at_a_time: usize) -> (Pipe, Pipe) {
    let (one, other) = duplex(room);
    (Pipe { inner: one, at_a_time }, Pipe { inner: other, at_a_time })
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
        Poll::Ready(Ok(()))
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
async fn connect(
    configs: &Configs,
    offload: &Offload,
    we_serve: bool,
    room: usize,
) -> (Ours, Theirs) {
    connect_over(configs, offload, we_serve, pipe(room, usize::MAX)).await
}

async fn connect_over(
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

/// Has rustls change its key with its next record.
fn refresh(theirs: &mut Theirs) {
    match theirs {
        Theirs::Client(stream) => stream.get_mut().1.refresh_traffic_keys().unwrap(),
        Theirs::Server(stream) => stream.get_mut().1.refresh_traffic_keys().unwrap(),
    }
}

/// Runs a test's only task; a minute is longer than any takes that works.
fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(60), test).await.expect("the test gets on")
    })
}

fn random_bytes(rng: &mut StdRng, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// Writes all of it in pieces of random size, some of them gathered, and says that nothing follows.
async fn write_in_pieces(mut to: impl AsyncWrite + Unpin, content: &[u8], rng: &mut StdRng) {
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
async fn read_in_pieces(mut from: impl AsyncRead + Unpin, rng: &mut StdRng) -> Vec<u8> {
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
async fn exchange(ours: impl Stream, theirs: impl Stream, bytes: usize, rng: &mut StdRng) {
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

#[test]
fn every_suite_both_sides_with_and_without_a_device() {
    let mut rng = rng();
    let (device, _) = device();
    for suite in DEVICE_SUITES {
        let configs = configs(suite);
        for we_serve in [false, true] {
            for offload in [Offload::new(&device), Offload::without_device()] {
                let has_device = offload.counts().software_total(Operation::Seal).records == 0;
                run(async {
                    let (ours, theirs) = connect(&configs, &offload, we_serve, 1 << 16).await;
                    assert_eq!(ours.cipher_suite(), suite);
                    assert_eq!(ours.alpn_protocol(), Some(&b"sealgate"[..]));
                    assert_eq!(ours.server_name(), we_serve.then_some(NAME));
                    assert_eq!(ours.peer_certificates().is_some(), !we_serve);
                    exchange(ours, theirs, 600_000, &mut rng).await;
                });
                let counts = offload.counts();
                let by_device = Operation::ALL.map(|operation| counts.device(operation).bytes);
                let no_device = counts.software(Operation::Seal, Reason::NoDevice).records > 0;
                assert!(
                    has_device && (no_device || by_device.iter().all(|&bytes| bytes >= 500_000))
                );
                assert_eq!((counts.rejected, counts.disagreements), (0, 0));
            }
        }
    }
    let health = device.health();
    assert!(health.state.is_healthy());
    assert_eq!((health.counters.failures, health.counters.rejected_records), (0, 0));
}

#[test]
fn records_of_any_size_through_a_narrow_pipe() {
    let mut rng = rng();
    let (device, _) = device();
    for suite in [TLS13_SUITES[0], TLS12_SUITES[2]] {
        let configs = configs(suite);
        for at_a_time in [1, 7, 1_000] {
            run(async {
                let offload = Offload::new(&device).software_below(200);
                let pipe = pipe(1 << 16, at_a_time);
                let (ours, theirs) = connect_over(&configs, &offload, true, pipe).await;
                exchange(ours, theirs, 40_000, &mut rng).await;
            });
        }
    }
}

#[test]
fn short_records_are_sealed_on_the_spot_and_in_order() {
    let (device, _) = device();
    let offload = Offload::new(&device).software_below(Thresholds::from(1_000));
    run(async {
        let (mut ours, mut theirs) =
            connect(&configs(TLS13_SUITES[1]), &offload, true, 1 << 20).await;
        let mut expected = Vec::new();
        for round in 0..200_usize {
            let piece = vec![round as u8; if round % 3 == 0 { 5_000 } else { 10 }];
            ours.write_all(&piece).await.unwrap();
            expected.extend(piece);
            if round % 50 == 49 {
                ours.flush().await.unwrap();
                ours.write_all(b"alone").await.unwrap();
                ours.flush().await.unwrap();
                expected.extend(b"alone");
            }
        }
        let mut got = vec![0; expected.len()];
        theirs.read_exact(&mut got).await.unwrap();
        assert!(got == expected);
    });
    let counts = offload.counts();
    assert!(counts.software(Operation::Seal, Reason::BelowThreshold).records >= 4, "{counts:?}");
    assert!(counts.device(Operation::Seal).records >= 60, "{counts:?}");
}

#[test]
fn keys_change_both_ways_again_and_again() {
    let mut rng = rng();
    let (device, _) = device();
    for (suite, offload) in [
        (TLS13_SUITES[0], Offload::new(&device)),
        (TLS13_SUITES[2], Offload::new(&device).software_below(3_000)),
        (TLS13_SUITES[1], Offload::without_device()),
    ] {
        run(async {
            let (mut ours, mut theirs) = connect(&configs(suite), &offload, false, 1 << 22).await;
            for round in 0..50 {
                let sizes = [0, 1, 3_000, 50_000].map(|most| rng.random_range(0..=most));
                let there: Vec<_> = sizes.iter().flat_map(|&n| random_bytes(&mut rng, n)).collect();
                let mut back = there.clone();
                back.reverse();
                if round % 2 == 0 {
                    ours.update_key();
                }
                ours.write_all(&there).await.unwrap();
                ours.flush().await.unwrap();
                // Records under several keys arrive at once.
                let half = back.len() / 2;
                refresh(&mut theirs);
                theirs.write_all(&back[..half]).await.unwrap();
                refresh(&mut theirs);
                theirs.write_all(&back[half..]).await.unwrap();
                theirs.flush().await.unwrap();
                let (mut got_there, mut got_back) = (vec![0; there.len()], vec![0; back.len()]);
                theirs.read_exact(&mut got_there).await.unwrap();
                ours.read_exact(&mut got_back).await.unwrap();
                assert!(got_there == there && got_back == back, "round {round}");
            }
        });
        assert_eq!((offload.counts().rejected, offload.counts().disagreements), (0, 0));
    }
}

#[test]
fn a_reader_sees_what_was_opened_without_a_copy() {
    let (device, _) = device();
    run(async {
        let offload = Offload::new(&device);
        let (mut ours, mut theirs) =
            connect(&configs(TLS13_SUITES[0]), &offload, true, 1 << 20).await;
        theirs.write_all(b"first line\nsecond line\nrest").await.unwrap();
        theirs.shutdown().await.unwrap();
        let mut line = String::new();
        ours.read_line(&mut line).await.unwrap();
        assert_eq!(line, "first line\n");
        let seen = poll_fn(|cx| Pin::new(&mut ours).poll_fill_buf(cx).map_ok(<[u8]>::to_vec)).await;
        assert_eq!(seen.unwrap(), b"second line\nrest");
        Pin::new(&mut ours).consume(12);
        let mut rest = String::new();
        ours.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "rest");
    });
}

#[test]
fn each_direction_ends_by_itself_and_a_cut_is_no_end() {
    let (device, _) = device();
    for suite in [TLS13_SUITES[0], TLS12_SUITES[0]] {
        run(async {
            let offload = Offload::new(&device);
            let (mut ours, mut theirs) = connect(&configs(suite), &offload, true, 1 << 20).await;
            ours.write_all(b"all there is").await.unwrap();
            ours.shutdown().await.unwrap();
            assert!(ours.write_all(b"more").await.is_err(), "nothing follows the end");
            let mut got = [0; 12];
            theirs.read_exact(&mut got).await.unwrap();
            // The other direction goes on.
            theirs.write_all(b"still here").await.unwrap();
            theirs.flush().await.unwrap();
            let mut got = [0; 10];
            ours.read_exact(&mut got).await.unwrap();
            assert_eq!(&got, b"still here");
            drop(theirs);
            let error = ours.read(&mut got).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{error}");
        });
    }
}

#[test]
fn a_record_that_was_tampered_with_ends_the_connection_with_the_alert() {
    let (device, _) = device();
    for (suite, offload) in DEVICE_SUITES
        .into_iter()
        .flat_map(|suite| [(suite, Offload::new(&device)), (suite, Offload::without_device())])
    {
        run(async {
            // Our client, a pipe that we hold in the middle, rustls's server.
            let configs = configs(suite);
            let (client, mut client_end) = duplex(1 << 20);
            let (server, mut server_end) = duplex(1 << 20);
            let connector = TlsConnector::new(Arc::clone(&configs.client), offload.clone());
            let acceptor = tokio_rustls::TlsAcceptor::from(Arc::clone(&configs.server));
            let handshakes =
                async { tokio::join!(connector.connect(name(), client), acceptor.accept(server)) };
            let mut handshakes = pin!(handshakes);
            let (ours, theirs) = loop {
                let copied = tokio::select! {
                    done = &mut handshakes => break done,
                    copied = tokio::io::copy_bidirectional(&mut client_end, &mut server_end) => copied,
                };
                copied.unwrap();
            };
            let (mut ours, mut theirs) = (ours.unwrap(), theirs.unwrap());
            theirs.write_all(b"good").await.unwrap();
            theirs.flush().await.unwrap();
            theirs.write_all(b"bad").await.unwrap();
            theirs.flush().await.unwrap();
            let mut bytes = vec![0; 1 << 16];
            let read = server_end.read(&mut bytes).await.unwrap();
            bytes[read - 1] ^= 1;
            client_end.write_all(&bytes[..read]).await.unwrap();
            let mut got = [0; 4];
            ours.read_exact(&mut got).await.unwrap();
            assert_eq!(&got, b"good");
            for _ in 0..2 {
                let error = ours.read(&mut got).await.unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
            }
            let read = client_end.read(&mut bytes).await.unwrap();
            server_end.write_all(&bytes[..read]).await.unwrap();
            let error = theirs.read(&mut got).await.unwrap_err();
            assert!(error.to_string().contains("BadRecordMac"), "{error}");
        });
        assert_eq!(offload.counts().rejected, 1);
    }
}

#[test]
fn a_device_that_fails_in_the_middle_is_not_noticed_by_the_peer() {
    let mut rng = rng();
    for gone in [false, true] {
        let settings = Settings { recovery_delay: Duration::from_secs(60), ..Settings::default() };
        let (device, transport) = device_with(Duration::from_millis(100), settings);
        let offload = Offload::new(&device);
        run(async {
            let (ours, theirs) = connect(&configs(TLS13_SUITES[0]), &offload, true, 1 << 14).await;
            let mut exchange = pin!(exchange(ours, theirs, 2_000_000, &mut rng));
            let mut broken = false;
            poll_fn(|cx| {
                let counts = offload.counts();
                let is_amid = Operation::ALL.iter().all(|&it| counts.device(it).records > 10);
                if is_amid && !broken {
                    broken = true;
                    let control = transport.control();
                    if gone { control.vanish() } else { control.hang() }
                }
                exchange.as_mut().poll(cx)
            })
            .await;
        });
        let counts = offload.counts();
        assert!(!device.health().state.is_healthy());
        for operation in Operation::ALL {
            assert!(counts.device(operation).records > 0, "{counts:?}");
            let software = counts.software_total(operation);
            assert!(software.records > 0, "{counts:?}");
        }
        assert_eq!((counts.rejected, counts.disagreements), (0, 0));
    }
}

#[test]
fn streams_are_dropped_at_any_point() {
    let mut rng = rng();
    let (device, _) = device();
    let offload = Offload::new(&device);
    let configs = configs(TLS13_SUITES[0]);
    run(async {
        for _ in 0..300 {
            let (ours, theirs) = connect(&configs, &offload, rng.random(), 1 << 14).await;
            let polls = rng.random_range(0..30);
            let mut exchange = Box::pin(exchange(ours, theirs, 200_000, &mut rng));
            for _ in 0..polls {
                let mut cx = Context::from_waker(std::task::Waker::noop());
                if exchange.as_mut().poll(&mut cx) == Poll::Ready(()) {
                    break;
                }
            }
            drop(exchange);
        }
        // What was under way took nothing with it.
        let (ours, theirs) = connect(&configs, &offload, true, 1 << 16).await;
        exchange(ours, theirs, 1_000_000, &mut rng).await;
    });
    let health = device.health();
    assert!(health.state.is_healthy(), "{health:?}");
}
