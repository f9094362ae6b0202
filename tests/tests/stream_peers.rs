// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The asynchronous stream against the TLS of others: OpenSSL on both sides, `GnuTLS` and curl as clients.
//!
//! A test that needs a program of the system bears its name: `cargo xtask test` leaves it out where the program is
//! missing.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustls::{CipherSuite, HandshakeKind};
use sealgate_tests::device::Simulation;
use sealgate_tests::peer::{Party, Program, converse, expect, free_address, send_last};
use sealgate_tests::program::installed;
use sealgate_tests::random;
use sealgate_tests::tls::{DEVICE_SUITES, TLS12_SUITES, TLS13_SUITES};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

type Stream = sealgate_rustls::TlsStream<TcpStream>;

/// Most content of a record.
const RECORD_BYTES: usize = 1 << 14;

/// Rounds of a storm of key updates, and of one of short records.
const ROUNDS: usize = 200;

/// Content of many full records and a rest.
fn content(simulation: Simulation, rng: &mut StdRng) -> Vec<u8> {
    let records = if simulation == Simulation::Model { 100 } else { 20 };
    let rest = rng.random_range(1..RECORD_BYTES);
    random::bytes(rng, records * RECORD_BYTES + rest)
}

/// `openssl s_client` that trusts the certificate of `party`.
fn openssl_client(party: &Party, address: SocketAddr, arguments: &[&str]) -> Command {
    let mut command = Command::new("openssl");
    command
        .args(["s_client", "-verify_quiet", "-verify_return_error"])
        .args(["-verify_hostname", "localhost", "-servername", "localhost"])
        .args(["-connect", &address.to_string()])
        .arg("-CAfile")
        .arg(party.file("root.pem"))
        .args(arguments);
    command
}

/// `openssl s_server` with the certificate of `party`.
fn openssl_server(party: &Party, address: SocketAddr, arguments: &[&str]) -> Command {
    let mut command = Command::new("openssl");
    command
        .args(["s_server", "-accept", &address.to_string()])
        .arg("-cert")
        .arg(party.file("root.pem"))
        .arg("-key")
        .arg(party.file("key.pem"))
        .args(arguments);
    command
}

/// `gnutls-cli` that trusts the certificate of `party`, and says on its standard output only what it receives.
fn gnutls_client(party: &Party, address: SocketAddr, arguments: &[&str]) -> Command {
    let mut command = Command::new("gnutls-cli");
    command
        .args(["--verify-hostname", "localhost", "--sni-hostname", "localhost"])
        .args(["--port", &address.port().to_string()])
        .arg("--x509cafile")
        .arg(party.file("root.pem"))
        .arg("--logfile")
        .arg(party.file("log"))
        .args(arguments)
        .arg("127.0.0.1");
    command
}

/// Sends back what comes, each piece as it comes, until the peer has said that nothing follows; `before_each` is called
/// before each.
async fn echo(mut stream: Stream, mut before_each: impl FnMut(&mut Stream)) {
    loop {
        let piece = stream.fill_buf().await.expect("content or the end").to_vec();
        if piece.is_empty() {
            return stream.shutdown().await.expect("the end is sent");
        }
        stream.consume(piece.len());
        before_each(&mut stream);
        stream.write_all(&piece).await.expect("content is taken");
        stream.flush().await.expect("content is sent");
    }
}

/// The client of `command` sends content from a file, gets it back and the end after it.
async fn exchange_with_client(
    party: &Party,
    content: &[u8],
    command: impl FnOnce(&Party, SocketAddr) -> Command,
) {
    let (listener, address) = party.listen().await;
    fs::write(party.file("content"), content).expect("a file");
    let file = File::open(party.file("content")).expect("a file");
    let program = Program::start_with(&mut command(party, address), file.into());
    let mut stream = party.accept(&listener).await;
    assert_eq!(stream.server_name(), Some("localhost"));
    expect(&mut stream, content).await;
    send_last(&mut stream, content).await;
    let (status, output, errors) = program.end().await;
    assert!(output == content, "what we sent arrived otherwise: {errors}");
    assert!(status.success(), "{status}: {errors}");
}

#[test]
fn openssl_as_client_sends_and_gets_full_records() {
    if !installed("openssl") {
        return;
    }
    let mut rng = random::rng();
    for &simulation in Simulation::ALL {
        for suite in DEVICE_SUITES {
            let party = Party::new(simulation, suite);
            let content = content(simulation, &mut rng);
            converse(exchange_with_client(&party, &content, |party, address| {
                openssl_client(party, address, &["-quiet", "-nocommands"])
            }));
            party.assert_on_device(content.len());
            // It sends 8 KiB at a time. We send full records, and the end.
            let records = content.len().div_ceil(RECORD_BYTES) as u64;
            assert_eq!(party.records()[0], records + 1, "{suite:?}");
        }
    }
}

#[test]
fn openssl_as_server_sends_and_gets_full_records() {
    if !installed("openssl") {
        return;
    }
    let mut rng = random::rng();
    for &simulation in Simulation::ALL {
        for suite in DEVICE_SUITES {
            let party = Party::new(simulation, suite);
            let content = content(simulation, &mut rng);
            converse(async {
                let address = free_address();
                let arguments = ["-quiet", "-naccept", "1"];
                let server = Program::start(&mut openssl_server(&party, address, &arguments));
                let mut stream = party.connect(address).await;
                stream.write_all(&content).await.expect("content is taken");
                stream.flush().await.expect("content is sent");
                server.send(&content);
                expect(&mut stream, &content).await;
                stream.shutdown().await.expect("the end is sent");
                let mut nothing = [0];
                let end = stream.read(&mut nothing).await;
                assert_eq!(end.expect("the end is answered"), 0, "{suite:?}");
                let (_, output, errors) = server.end().await;
                assert!(output == content, "{suite:?}: it arrived otherwise: {errors}");
            });
            party.assert_on_device(content.len());
        }
    }
}

#[test]
fn openssl_with_a_certificate_of_rsa() {
    const SUITES: [CipherSuite; 3] = [
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ];
    if !installed("openssl") {
        return;
    }
    let mut rng = random::rng();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [key, root] = ["key", "root"].map(|name| folder.path().join(name));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&root)
        .output()
        .expect("openssl runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let [key, root] = [key, root].map(|path| fs::read_to_string(path).expect("PEM"));
    for suite in SUITES {
        let party = Party::with_certificate(Simulation::Model, suite, &root, &key);
        let content = random::bytes(&mut rng, 100_000);
        converse(exchange_with_client(&party, &content, |party, address| {
            openssl_client(party, address, &["-quiet", "-nocommands"])
        }));
        party.assert_on_device(content.len());
    }
}

#[test]
fn openssl_as_client_in_a_storm_of_key_updates() {
    if !installed("openssl") {
        return;
    }
    let mut rng = random::rng();
    for suite in TLS13_SUITES {
        let party = Party::new(Simulation::Model, suite);
        let mut sent = 0;
        converse(async {
            let (listener, address) = party.listen().await;
            let mut client = Program::start(&mut openssl_client(&party, address, &["-brief"]));
            let stream = party.accept(&listener).await;
            let mut both = StdRng::seed_from_u64(rng.random());
            let ours = echo(stream, |stream| {
                if both.random() {
                    stream.update_key();
                }
            });
            let theirs = async {
                for round in 0..ROUNDS {
                    // With `K` it asks for an update of ours, too.
                    client.send(if rng.random() { b"K\n" } else { b"k\n" });
                    client.errors.until(b"KEYUPDATE").await;
                    let line =
                        format!("line {round} {}\n", "x".repeat(rng.random_range(0..20_000)));
                    client.send(line.as_bytes());
                    assert!(client.output.take(line.len()).await == line.as_bytes(), "{round}");
                    sent += line.len();
                }
                client.end().await
            };
            let ((), (status, _, errors)) = tokio::join!(ours, theirs);
            assert!(status.success(), "{status}: {errors}");
        });
        party.assert_on_device(sent);
    }
}

#[test]
fn openssl_as_server_in_a_storm_of_key_updates() {
    if !installed("openssl") {
        return;
    }
    let mut rng = random::rng();
    for suite in TLS13_SUITES {
        let party = Party::new(Simulation::Model, suite);
        let mut sent = 0;
        converse(async {
            let address = free_address();
            let arguments = ["-naccept", "1"];
            let mut server = Program::start(&mut openssl_server(&party, address, &arguments));
            let mut stream = party.connect(address).await;
            for round in 0..ROUNDS {
                if rng.random() {
                    stream.update_key();
                }
                // One record, so that it shows it in one piece among what else it has to say.
                let padding = "x".repeat(rng.random_range(0..16_000));
                let line = format!("from the client {round} {padding}.\n");
                stream.write_all(line.as_bytes()).await.expect("content is taken");
                stream.flush().await.expect("content is sent");
                server.output.until(line.as_bytes()).await;
                // It says nothing of it; what it sends afterwards is under the next key.
                server.send(if rng.random() { b"K\n" } else { b"k\n" });
                sent += line.len();
            }
            stream.shutdown().await.expect("the end is sent");
        });
        assert!(sent > 0);
    }
}

#[test]
fn openssl_as_client_with_records_of_one_byte() {
    if !installed("openssl") {
        return;
    }
    for suite in [TLS13_SUITES[0], TLS12_SUITES[2]] {
        let party = Party::new(Simulation::Model, suite);
        converse(async {
            let (listener, address) = party.listen().await;
            let arguments = ["-quiet", "-nocommands"];
            let mut client = Program::start(&mut openssl_client(&party, address, &arguments));
            let mut stream = party.accept(&listener).await;
            for round in 0..ROUNDS {
                client.send(&[round as u8]);
                expect(&mut stream, &[round as u8]).await;
            }
            // Many are on their way at once: each is a record of its own.
            for round in 0..10 * ROUNDS {
                stream.write_all(&[round as u8]).await.expect("content is taken");
            }
            stream.shutdown().await.expect("the end is sent");
            let output = client.output.take(10 * ROUNDS).await;
            assert!(output.iter().zip(0_usize..).all(|(&byte, round)| byte == round as u8));
        });
        let [sealed, opened] = party.records();
        assert!(sealed >= 10 * ROUNDS as u64 && opened >= ROUNDS as u64, "{sealed}, {opened}");
        party.assert_on_device(ROUNDS);
    }
}

#[test]
fn openssl_as_client_resumes_sessions() {
    if !installed("openssl") {
        return;
    }
    for suite in [TLS13_SUITES[1], TLS12_SUITES[1]] {
        let party = Party::new(Simulation::Model, suite);
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed] {
            converse(async {
                let (listener, address) = party.listen().await;
                let session = party.file("session");
                let mut command = openssl_client(&party, address, &["-quiet", "-nocommands"]);
                command.arg("-sess_out").arg(&session);
                if kind == HandshakeKind::Resumed {
                    command.arg("-sess_in").arg(&session);
                }
                let client = Program::start(&mut command);
                let mut stream = party.accept(&listener).await;
                assert_eq!(stream.handshake_kind(), Some(kind), "{suite:?}");
                send_last(&mut stream, b"behind the tickets").await;
                let (status, output, errors) = client.end().await;
                assert_eq!(output, b"behind the tickets", "{errors}");
                assert!(status.success(), "{status}: {errors}");
            });
        }
    }
}

#[test]
fn openssl_as_server_gives_tickets_that_the_stream_takes() {
    if !installed("openssl") {
        return;
    }
    for suite in [TLS13_SUITES[0], TLS12_SUITES[0]] {
        let party = Party::new(Simulation::Model, suite);
        converse(async {
            let address = free_address();
            let _server = Program::start(&mut openssl_server(&party, address, &["-rev"]));
            for kind in [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed] {
                let mut stream = party.connect(address).await;
                assert_eq!(stream.handshake_kind(), Some(kind), "{suite:?}");
                stream.write_all(b"drawer\n").await.expect("content is taken");
                stream.flush().await.expect("content is sent");
                // The tickets of TLS 1.3 come before it.
                expect(&mut stream, b"reward\n").await;
                stream.shutdown().await.expect("the end is sent");
            }
        });
    }
}

#[test]
fn curl_posts_and_gets() {
    if !installed("curl") {
        return;
    }
    let mut rng = random::rng();
    for suite in DEVICE_SUITES {
        let party = Party::new(Simulation::Model, suite);
        let content = content(Simulation::Model, &mut rng);
        converse(async {
            let (listener, address) = party.listen().await;
            fs::write(party.file("content"), &content).expect("a file");
            let mut command = Command::new("curl");
            command
                .args(["--silent", "--show-error", "--http1.1", "--header", "Expect:"])
                .arg("--data-binary")
                .arg(format!("@{}", party.file("content").display()))
                .arg("--cacert")
                .arg(party.file("root.pem"))
                .args(["--resolve", &format!("localhost:{}:127.0.0.1", address.port())])
                .arg(format!("https://localhost:{}/", address.port()));
            let client = Program::start_with(&mut command, Stdio::null());
            let mut stream = party.accept(&listener).await;
            assert_eq!(stream.alpn_protocol(), Some(&b"http/1.1"[..]));
            let mut line = String::new();
            while line != "\r\n" {
                line.clear();
                stream.read_line(&mut line).await.expect("the head of a request");
            }
            expect(&mut stream, &content).await;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", content.len());
            stream.write_all(head.as_bytes()).await.expect("content is taken");
            send_last(&mut stream, &content).await;
            let (status, output, errors) = client.end().await;
            assert!(status.success(), "{suite:?}: {status}: {errors}");
            assert!(output == content, "{suite:?}: what we sent arrived otherwise");
        });
        party.assert_on_device(content.len());
    }
}

/// Its client sends all, and the end of its direction; only then we answer.
#[test]
fn gnutls_cli_closes_its_half_before_the_answer() {
    if !installed("gnutls-cli") {
        return;
    }
    let mut rng = random::rng();
    for &simulation in Simulation::ALL {
        for suite in DEVICE_SUITES {
            let party = Party::new(simulation, suite);
            let content = content(simulation, &mut rng);
            converse(async {
                let (listener, address) = party.listen().await;
                let mut client = Program::start(&mut gnutls_client(&party, address, &[]));
                client.send(&content);
                client.end_input();
                let mut stream = party.accept(&listener).await;
                let mut got = Vec::new();
                stream.read_to_end(&mut got).await.expect("content, and the end in order");
                assert!(got == content, "{suite:?}: what they sent arrived otherwise");
                send_last(&mut stream, &content).await;
                let (status, output, errors) = client.end().await;
                assert!(output == content, "{suite:?}: what we sent arrived otherwise: {errors}");
                assert!(status.success(), "{suite:?}: {status}: {errors}");
            });
            party.assert_on_device(content.len());
        }
    }
}

#[test]
fn gnutls_cli_in_a_storm_of_key_updates_and_short_records() {
    if !installed("gnutls-cli") {
        return;
    }
    let mut rng = random::rng();
    for suite in TLS13_SUITES {
        let party = Party::new(Simulation::Model, suite);
        let mut sent = 0;
        converse(async {
            let (listener, address) = party.listen().await;
            let mut client =
                Program::start(&mut gnutls_client(&party, address, &["--inline-commands"]));
            let stream = party.accept(&listener).await;
            let ours = echo(stream, |_| {});
            let theirs = async {
                for round in 0..ROUNDS {
                    // With the first it asks for an update of ours, too; of those it takes no more than eight a second.
                    let asks = round % (ROUNDS / 5) == 0;
                    client.send(if asks { b"^rekey^\n" } else { b"^rekey1^\n" });
                    let line = vec![b'a' + (round % 26) as u8; rng.random_range(0..10)];
                    let line = [&line[..], b"\n"].concat();
                    client.send(&line);
                    assert!(client.output.take(line.len()).await == line, "{round}");
                    sent += line.len();
                }
                client.end().await
            };
            let ((), (status, _, errors)) = tokio::join!(ours, theirs);
            assert!(status.success(), "{status}: {errors}");
        });
        party.assert_on_device(sent);
    }
}
