// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Who waits for whom: a stream whose reader and writer are tasks of their own, or one task that does not flush; what is
//! under way when a connection ends; and connections that get on beside others that stand still.

mod support;

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use rustls::{AlertDescription, Error, NamedGroup};
use sealgate_driver::{
    Device, Direction, Key, Plaintext, Session, SessionConfig, Settings, TlsVersion,
};
use sealgate_rustls::{Offload, Operation, Reason, TlsAcceptor, TlsConnector};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex, split};

use support::monotonic::monotonic_base;
use support::stream::{Ours, Theirs, below, configs, configs_over, connect, exchange, name, run};
use support::{DEVICE_SUITES, TLS12_SUITES, TLS13_SUITES, device, device_with, random_bytes, rng};

/// One suite of each version.
const SUITES: [rustls::CipherSuite; 2] = [TLS13_SUITES[0], TLS12_SUITES[2]];

/// Content for several operations on the device, and less than a stream takes at once.
const CONTENT_BYTES: usize = 200_000;

/// More than a stream takes at once.
const MUCH: usize = 3_000_000;

/// Room in a pipe for all that a test sends.
const ROOMY: usize = 1 << 23;

/// Notes that a task was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Woken {
    /// Whether it was, since this was asked for the last time.
    fn take(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }

    /// Waits until it was.
    async fn wait(&self) {
        while !self.take() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Polls once for a task that nobody wakes.
fn poll_once<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// What rustls says is wrong.
fn tls_error(error: &io::Error) -> &Error {
    error.get_ref().expect("an error within").downcast_ref().expect("an error of rustls")
}

#[test]
fn what_was_written_is_sent_while_an_answer_is_awaited() {
    let mut rng = rng();
    let (device, _) = device();
    for suite in SUITES {
        for we_serve in [false, true] {
            let content = random_bytes(&mut rng, CONTENT_BYTES);
            run(async {
                let offload = Offload::new(&device);
                // The pipe is narrow: there is something left to send after each look at it.
                let (mut ours, theirs) =
                    connect(&configs(suite), &offload, we_serve, 1 << 12).await;
                let (from, mut to) = split(theirs);
                let answer = async {
                    let mut got = vec![0; CONTENT_BYTES];
                    let mut from = from;
                    from.read_exact(&mut got).await.unwrap();
                    to.write_all(&got).await.unwrap();
                    to.flush().await.unwrap();
                };
                let ask = async {
                    ours.write_all(&content).await.unwrap();
                    let mut got = vec![0; CONTENT_BYTES];
                    ours.read_exact(&mut got).await.unwrap();
                    assert!(got == content, "{suite:?}: it came back otherwise");
                };
                tokio::join!(ask, answer);
            });
        }
    }
}

#[test]
fn reader_and_writer_are_both_woken() {
    let (device, _) = device();
    for suite in SUITES {
        run(async {
            let offload = Offload::new(&device);
            let (ours, mut theirs) = connect(&configs(suite), &offload, true, 1 << 14).await;
            let (mut from, mut to) = split(ours);
            let (reader, writer) = (Arc::new(Woken::default()), Arc::new(Woken::default()));
            let wakers = [&reader, &writer].map(|woken| Waker::from(Arc::clone(woken)));
            let [mut read_cx, mut write_cx] = wakers.each_ref().map(Context::from_waker);
            let content = vec![0x5A; MUCH];
            let mut got = [0; 5];
            let mut reading = pin!(from.read_exact(&mut got));
            let mut writing = pin!(to.write_all(&content));
            for _ in 0..20 {
                assert!(writing.as_mut().poll(&mut write_cx).is_pending());
                // It looks later, and asks the same socket and the same device.
                assert!(reading.as_mut().poll(&mut read_cx).is_pending());
                let mut sent = [0; 1 << 14];
                while poll_once(theirs.read(&mut sent)).is_ready() {}
                writer.wait().await;
                reader.wait().await;
            }
            theirs.write_all(b"hello").await.unwrap();
            theirs.flush().await.unwrap();
            while reading.as_mut().poll(&mut read_cx).is_pending() {
                reader.wait().await;
            }
        });
    }
}

/// What the writer waits for is done by the reader, and nothing is left that would wake anybody.
#[test]
fn a_reader_that_sends_tells_the_writer_that_there_is_room() {
    const TIMEOUT: Duration = Duration::from_millis(200);
    let (device, transport) = device_with(TIMEOUT, Settings::default());
    let offload = Offload::new(&device);
    run(async {
        let (ours, _theirs) = connect(&configs(TLS13_SUITES[0]), &offload, true, ROOMY).await;
        let (mut from, mut to) = split(ours);
        let writer = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&writer));
        let mut write_cx = Context::from_waker(&waker);
        let content = vec![0x5A; MUCH];
        let mut writing = pin!(to.write_all(&content));
        transport.control().hang();
        // Finds out that the device has failed before any task is told.
        let failing = thread::spawn(move || {
            let mut session = session_on_each_queue(&device).remove(0);
            let record =
                Plaintext { content_type: 23, sequence: 0, padding_multiple: 0, chunks: &[] };
            session.seal(record, &mut [0; 17])
        });
        tokio::time::sleep(TIMEOUT / 2).await;
        assert!(writing.as_mut().poll(&mut write_cx).is_pending());
        failing.join().unwrap().unwrap_err();
        assert!(poll_once(from.read_u8()).is_pending());
        writer.wait().await;
        assert!(writing.as_mut().poll(&mut write_cx).is_ready());
    });
}

#[test]
fn reader_and_writer_get_on_when_the_device_fails_again_and_again() {
    const ROUNDS: usize = 150;
    let settings = Settings {
        recovery_delay: Duration::from_millis(5),
        recovery_delay_max: Duration::from_millis(10),
        ..Settings::default()
    };
    let (device, transport) = device_with(Duration::from_millis(30), settings);
    let offload = Offload::new(&device);
    run(async {
        let (ours, theirs) = connect(&configs(TLS13_SUITES[0]), &offload, true, 1 << 16).await;
        let (mut from, mut to) = split(ours);
        let (mut their_from, mut their_to) = split(theirs);
        tokio::spawn(async move { tokio::io::copy(&mut their_from, &mut their_to).await });
        let fail = tokio::spawn(async move {
            loop {
                transport.control().hang();
                tokio::time::sleep(Duration::from_millis(50)).await;
                transport.control().revive();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let write = tokio::spawn(async move {
            let content = vec![0x5A; CONTENT_BYTES];
            for _ in 0..ROUNDS {
                to.write_all(&content).await.unwrap();
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            to
        });
        let mut got = vec![0; CONTENT_BYTES];
        for round in 0..ROUNDS {
            from.read_exact(&mut got).await.unwrap();
            assert!(got.iter().all(|&byte| byte == 0x5A), "round {round}");
        }
        fail.abort();
        drop(write.await.unwrap());
    });
    let counts = offload.counts();
    assert!(counts.software(Operation::Seal, Reason::Timeout).records > 0, "{counts:?}");
}

/// Their side sends a record that cannot be while ours has records with the device, which stands; then the device goes on,
/// or is gone.
#[test]
fn an_alert_leaves_behind_what_was_under_way() {
    let mut rng = rng();
    for suite in DEVICE_SUITES {
        for gone in [false, true] {
            let (device, transport) = device();
            let offload = Offload::new(&device);
            let content = random_bytes(&mut rng, CONTENT_BYTES);
            run(async {
                let configs = configs_over(monotonic_base(), suite);
                let (mut ours, mut theirs) = connect(&configs, &offload, true, ROOMY).await;
                transport.control().hang();
                ours.write_all(&content).await.unwrap();
                below(&mut theirs).write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
                for _ in 0..2 {
                    let error = ours.read_u8().await.unwrap_err();
                    assert!(matches!(tls_error(&error), Error::InvalidMessage(_)), "{error}");
                }
                let error = ours.write_all(b"more").await.unwrap_err();
                assert!(matches!(tls_error(&error), Error::InvalidMessage(_)), "{error}");
                assert!(poll_once(ours.shutdown()).is_pending(), "the device has the content");
                if gone {
                    transport.control().vanish();
                } else {
                    transport.control().revive();
                }
                ours.shutdown().await.unwrap();
                // rustls tells of an alert first, if it came along with the content before it.
                let (mut got, mut told) = (Vec::new(), Vec::new());
                while told.len() < 2 {
                    match theirs.read_buf(&mut got).await {
                        Ok(0) => break,
                        Ok(_) => {}
                        Err(error) => told.push(error),
                    }
                }
                assert!(got == content, "{suite:?}: it arrived otherwise");
                let alert = Error::AlertReceived(AlertDescription::DecodeError);
                assert_eq!(tls_error(&told[0]), &alert, "{suite:?}");
            });
            let sealed = offload.counts().device(Operation::Seal).bytes;
            assert_eq!(sealed >= CONTENT_BYTES as u64, !gone, "{suite:?}: {sealed}");
        }
    }
}

#[test]
fn an_alert_of_the_peer_ends_both_directions() {
    let (device, _) = device();
    for suite in SUITES {
        run(async {
            let offload = Offload::new(&device);
            let (mut ours, mut theirs) = connect(&configs(suite), &offload, true, ROOMY).await;
            ours.get_mut().write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
            theirs.read_u8().await.unwrap_err();
            let alert = Error::AlertReceived(AlertDescription::DecodeError);
            assert_eq!(tls_error(&ours.read_u8().await.unwrap_err()), &alert, "{suite:?}");
            assert_eq!(tls_error(&ours.write_all(b"more").await.unwrap_err()), &alert);
        });
    }
}

#[test]
fn nothing_can_be_written_behind_the_end() {
    run(async {
        let offload = Offload::without_device();
        let (mut ours, _theirs) = connect(&configs(SUITES[0]), &offload, true, ROOMY).await;
        ours.shutdown().await.unwrap();
        let error = ours.write(b"more").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "{error}");
        assert_eq!(ours.write(b"").await.unwrap(), 0);
        ours.shutdown().await.unwrap();
    });
}

#[test]
fn what_had_arrived_comes_before_the_error_of_the_socket() {
    let mut rng = rng();
    let (device, transport) = device();
    for suite in DEVICE_SUITES {
        let content = random_bytes(&mut rng, CONTENT_BYTES);
        run(async {
            let offload = Offload::new(&device);
            let (mut ours, mut theirs) = connect(&configs(suite), &offload, true, ROOMY).await;
            theirs.write_all(&content).await.unwrap();
            theirs.flush().await.unwrap();
            drop(theirs);
            ours.get_mut().broken = Some(io::ErrorKind::ConnectionReset);
            transport.control().hang();
            // All of it is read from the socket, the error too, and none was opened.
            assert!(poll_once(ours.read_u8()).is_pending());
            transport.control().revive();
            let mut got = vec![0; CONTENT_BYTES];
            ours.read_exact(&mut got).await.unwrap();
            assert!(got == content, "{suite:?}: it arrived otherwise");
            let error = ours.read_u8().await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{suite:?}: {error}");
        });
    }
}

/// A session on each queue of a device.
fn session_on_each_queue(device: &Device) -> Vec<Session> {
    let config = SessionConfig {
        version: TlsVersion::Tls13,
        direction: Direction::Seal,
        key: Key::Aes128(&[1; 16]),
        iv: [2; 12],
    };
    // They are handed out in turn.
    (0..device.identity().queues).map(|_| device.session_with(config)).collect()
}

/// A connection on which both sides have written more than the other will ever read.
async fn stand_still(suite: rustls::CipherSuite, offload: &Offload) -> (Ours, Theirs) {
    let (mut ours, mut theirs) = connect(&configs(suite), offload, true, 1 << 16).await;
    let content = vec![0x5A; MUCH];
    for _ in 0..3 {
        assert!(poll_once(theirs.write_all(&content)).is_pending());
        // It has some of theirs opened ahead, and no more of it is read.
        let _: Poll<_> = poll_once(ours.read_u8());
        assert!(poll_once(ours.write_all(&content)).is_pending());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    (ours, theirs)
}

#[test]
fn connections_get_on_beside_those_that_stand_still() {
    let mut rng = rng();
    for suite in SUITES {
        for slots_per_queue in [1, 4, 16] {
            let settings = Settings { slots_per_queue, ..Settings::default() };
            let (device, _) = device_with(Duration::from_secs(2), settings);
            let offload = Offload::new(&device);
            run(async {
                let mut still = Vec::new();
                for _ in 0..40 {
                    still.push(stand_still(suite, &offload).await);
                }
                let (ours, theirs) = connect(&configs(suite), &offload, true, 1 << 16).await;
                exchange(ours, theirs, 1_000_000, &mut rng).await;
            });
            let counts = offload.counts();
            for operation in Operation::ALL {
                let software = counts.software_total(operation).records;
                let busy = counts.software(operation, Reason::Busy).records;
                assert_eq!(software, busy, "{counts:?}");
            }
            assert_eq!((counts.rejected, counts.disagreements), (0, 0));
            assert_eq!(device.health().counters.failures, 0);
        }
    }
}

#[test]
fn a_writer_whose_peer_stands_still_gives_scarce_buffers_back() {
    const SLOTS: u16 = 8;
    let settings = Settings { slots_per_queue: SLOTS, ..Settings::default() };
    let (device, _) = device_with(Duration::from_secs(2), settings);
    let offload = Offload::new(&device);
    run(async {
        let content = vec![0x5A; MUCH];
        let mut still = Vec::new();
        for _ in 0..40 {
            let (mut ours, theirs) =
                connect(&configs(TLS13_SUITES[0]), &offload, true, 1 << 14).await;
            assert!(poll_once(ours.write_all(&content)).is_pending());
            still.push((ours, theirs));
        }
        let sessions = session_on_each_queue(&device);
        let has_room = |session: &Session| {
            let buffers: Vec<_> = (0..SLOTS / 4).map_while(|_| session.buffer().ok()).collect();
            buffers.len() == usize::from(SLOTS / 4)
        };
        // The device has to be through with it, and they have to look.
        while !sessions.iter().all(has_room) {
            for (ours, _) in &mut still {
                assert!(poll_once(ours.flush()).is_pending());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // Nothing was lost by it.
        let (mut ours, mut theirs) = still.swap_remove(0);
        drop(still);
        let mut got = Vec::new();
        let (ended, read) = tokio::join!(ours.shutdown(), theirs.read_to_end(&mut got));
        ended.unwrap();
        read.unwrap();
        assert!(got.iter().all(|&byte| byte == 0x5A), "it arrived otherwise");
        assert!(!got.is_empty() && got.len() % (1 << 14) == 0, "full records: {}", got.len());
    });
}

#[test]
fn handshakes_are_tasks_of_their_own() {
    let (device, _) = device();
    let offload = Offload::new(&device);
    let configs = configs(TLS13_SUITES[0]);
    let (client, server) = duplex(ROOMY);
    run(async {
        let acceptor = TlsAcceptor::new(Arc::clone(&configs.server), offload.clone());
        let accepted = tokio::spawn(acceptor.accept(server));
        drop(acceptor);
        let connector = TlsConnector::new(Arc::clone(&configs.client), offload.clone());
        let connected = tokio::spawn(connector.connect(name(), client));
        drop(connector);
        let (mut one, mut other) =
            (accepted.await.unwrap().unwrap(), connected.await.unwrap().unwrap());
        let group = one.key_exchange_group();
        assert!(matches!(group, Some(NamedGroup::X25519 | NamedGroup::X25519MLKEM768)));
        assert_eq!(group, other.key_exchange_group());
        one.write_all(b"from one of ours").await.unwrap();
        one.shutdown().await.unwrap();
        let mut got = String::new();
        Pin::new(&mut other).read_to_string(&mut got).await.unwrap();
        assert_eq!(got, "from one of ours");
    });
}
