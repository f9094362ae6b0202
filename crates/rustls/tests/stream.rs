// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The asynchronous stream against rustls's own record layer, on the software device and without one: every suite, both
//! sides, key updates, endings, bad peers, failing devices, and letting go at any point.

mod support;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use rand::RngExt;
use rustls::KeyLog;
use sealgate_driver::Settings;
use sealgate_rustls::{Offload, Operation, Reason, Thresholds, TlsConnector};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, duplex};

use support::monotonic::monotonic_base;
use support::stream::{
    NAME, configs, configs_over, connect, connect_over, exchange, export, name, pipe, refresh, run,
};
use support::{DEVICE_SUITES, TLS12_SUITES, TLS13_SUITES, device, device_with, random_bytes, rng};

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

/// Notes what rustls tells a key log.
#[derive(Debug, Default)]
struct Labels(Mutex<Vec<String>>);

impl KeyLog for Labels {
    fn log(&self, label: &str, _: &[u8], _: &[u8]) {
        self.0.lock().unwrap().push(label.to_owned());
    }
}

#[test]
fn both_sides_export_the_same_keying_material() {
    for suite in DEVICE_SUITES {
        for we_serve in [false, true] {
            let mut configs = configs(suite);
            let labels = Arc::new(Labels::default());
            if we_serve {
                Arc::make_mut(&mut configs.server).key_log = Arc::clone(&labels) as _;
            } else {
                Arc::make_mut(&mut configs.client).key_log = Arc::clone(&labels) as _;
            }
            run(async {
                let offload = Offload::without_device();
                let (ours, theirs) = connect(&configs, &offload, we_serve, 1 << 16).await;
                for (label, context) in
                    [(&b"EXPORTER-Channel-Binding"[..], None), (b"x", Some(&b"context"[..]))]
                {
                    let mine = ours.export_keying_material([0; 100], label, context);
                    if TLS12_SUITES.contains(&suite) {
                        mine.unwrap_err();
                        continue;
                    }
                    let other = export(&theirs, [0; 100], label, context);
                    assert_eq!(mine.unwrap(), other, "{suite:?}");
                }
                ours.export_keying_material([0; 0], b"x", None).unwrap_err();
                ours.export_keying_material([0; 1], &[0; 256], None).unwrap_err();
                ours.export_keying_material(vec![0; 1 << 16], b"x", None).unwrap_err();
            });
            // The key log of the configuration hears of everything all the same.
            let labels = labels.0.lock().unwrap();
            let is_there = |wanted: &str| labels.iter().any(|label| label == wanted);
            let wanted =
                if TLS12_SUITES.contains(&suite) { "CLIENT_RANDOM" } else { "EXPORTER_SECRET" };
            assert!(is_there(wanted), "{suite:?}: {labels:?}");
        }
    }
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
            connect(&configs_over(monotonic_base(), TLS13_SUITES[1]), &offload, true, 1 << 20)
                .await;
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
            let configs = configs_over(monotonic_base(), TLS13_SUITES[0]);
            let (ours, theirs) = connect(&configs, &offload, true, 1 << 14).await;
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
