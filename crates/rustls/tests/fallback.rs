// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What goes to software, and that it is counted with its reason.

mod support;

use std::thread;
use std::time::Duration;

use rustls::crypto::cipher::{AeadKey, Iv, OutboundChunks, OutboundPlainMessage};
use rustls::crypto::ring;
use rustls::{CipherSuite, ContentType, ProtocolVersion, SupportedProtocolVersion};
use sealgate_driver::Settings;
use sealgate_rustls::{Operation, Provider, Reason, RecordCounts, Tally, measure};

use support::{
    DEVICE_SUITES, Pair, assert_all_on_device, configs, device, device_with, only, random_bytes,
    rng, tls13,
};

/// Every record in software went there for `reason`; there were some of both operations.
fn assert_only(counts: &RecordCounts, reason: Reason) {
    for operation in Operation::ALL {
        let expected = counts.software(operation, reason);
        assert!(expected.records > 0, "{reason:?} {operation:?}: {counts:?}");
        assert_eq!(counts.software_total(operation), expected, "{reason:?}: {counts:?}");
    }
    assert_eq!((counts.rejected, counts.disagreements), (0, 0));
}

#[test]
fn a_device_that_hangs_in_the_middle_of_a_connection() {
    let mut rng = rng();
    for suite in DEVICE_SUITES {
        let (device, transport) = device();
        let (on_device, counters) = Provider::new(&device).build();
        let mut pair = Pair::tls13(on_device.clone(), on_device, suite);
        pair.echo(&random_bytes(&mut rng, 30_000));
        let before = counters.snapshot();
        transport.control().hang();
        pair.echo(&random_bytes(&mut rng, 30_000));
        let after = counters.snapshot();

        let timeouts = Operation::ALL.map(|it| after.software(it, Reason::Timeout).records);
        assert!(timeouts.iter().sum::<u64>() > 0, "{after:?}");
        for operation in Operation::ALL {
            assert_eq!(after.device(operation), before.device(operation));
            let went = after.software_total(operation).bytes;
            assert_eq!(went, 60_000, "client and server: {after:?}");
        }
        assert_eq!((after.rejected, after.disagreements), (0, 0));
    }
}

#[test]
fn a_device_that_vanishes() {
    let mut rng = rng();
    let (device, transport) = device();
    let (on_device, counters) = Provider::new(&device).build();
    let mut pair = Pair::tls13(on_device.clone(), on_device, DEVICE_SUITES[0]);
    transport.control().vanish();
    pair.echo(&random_bytes(&mut rng, 30_000));
    let counts = counters.snapshot();
    let failed = Operation::ALL.map(|it| counts.software(it, Reason::DeviceFailed).records);
    assert!(failed.iter().sum::<u64>() > 0, "{counts:?}");
    assert_eq!((counts.rejected, counts.disagreements), (0, 0));

    // A connection made afterwards works too.
    let (on_device, counters) = Provider::new(&device).build();
    Pair::tls13(on_device.clone(), on_device, DEVICE_SUITES[0])
        .echo(&random_bytes(&mut rng, 30_000));
    assert_only(&counters.snapshot(), Reason::DeviceFailed);
}

#[test]
fn records_below_the_threshold() {
    let (device, _) = device();
    let (on_device, counters) = Provider::new(&device).software_below(1_000).build();
    let mut pair = Pair::tls13(on_device.clone(), ring::default_provider(), DEVICE_SUITES[0]);
    let before = counters.snapshot();
    pair.echo(&[1; 999]);
    pair.echo(&[1; 1_000]);
    let after = counters.snapshot();
    for operation in Operation::ALL {
        let below = |counts: &RecordCounts| counts.software(operation, Reason::BelowThreshold);
        assert_eq!(below(&after).records - below(&before).records, 1);
        assert_eq!(below(&after).bytes - below(&before).bytes, 999);
        let device = |counts: &RecordCounts| counts.device(operation);
        assert_eq!(device(&after).records - device(&before).records, 1);
        assert_eq!(device(&after).bytes - device(&before).bytes, 1_000);
    }
}

/// The counts after an echo over one suite of one version, both sides on a healthy device.
fn counts_of(suite: CipherSuite, version: &'static SupportedProtocolVersion) -> RecordCounts {
    let (device, _) = device();
    let (on_device, counters) = Provider::new(&device).build();
    let on_device = only(on_device, suite);
    let mut pair = Pair::connected(configs(on_device.clone(), on_device, version));
    pair.echo(&random_bytes(&mut rng(), 30_000));
    counters.snapshot()
}

#[test]
fn suites_that_the_device_does_not_serve() {
    let suite = CipherSuite::TLS13_CHACHA20_POLY1305_SHA256;
    let counts = counts_of(suite, &rustls::version::TLS13);
    assert_only(&counts, Reason::Suite);
    assert_eq!(counts.device(Operation::Seal).records, 0);
}

#[test]
fn tls12() {
    for suite in [
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ] {
        let counts = counts_of(suite, &rustls::version::TLS12);
        assert_only(&counts, Reason::Tls12);
        assert_eq!(counts.device(Operation::Seal).records, 0);
    }
}

#[test]
fn a_provider_without_a_device() {
    let (software, counters) = Provider::without_device().build();
    let mut rng = rng();
    for suite in DEVICE_SUITES {
        Pair::tls13(software.clone(), software.clone(), suite)
            .echo(&random_bytes(&mut rng, 30_000));
    }
    assert_only(&counters.snapshot(), Reason::NoDevice);
}

#[test]
fn more_connections_than_the_device_has_contexts_take_turns() {
    let mut rng = rng();
    let (device, _) = device();
    let (on_device, counters) = Provider::new(&device).build();
    // Each connection keeps two keys on each side.
    let connections = device.identity().contexts / 4 + 20;
    let mut pairs: Vec<_> = (0..connections)
        .map(|_| Pair::tls13(on_device.clone(), on_device.clone(), DEVICE_SUITES[0]))
        .collect();
    let bytes = random_bytes(&mut rng, 100);
    for pair in &mut pairs {
        pair.echo(&bytes);
    }
    assert_all_on_device(&counters.snapshot());
    assert!(device.health().counters.evictions > 0, "{:?}", device.health());
}

#[test]
fn more_records_at_once_than_a_queue_has_contexts() {
    const WITHOUT_CONTEXT: usize = 4;
    // Nothing times out while the device hangs: it goes on as soon as it has been noticed that contexts ran out.
    let settings = Settings { ring_entries: 4_096, slots_per_queue: 512, ..Settings::default() };
    let (device, transport) = device_with(Duration::from_secs(300), settings);
    let (on_device, counters) = Provider::new(&device).build();
    let suite = tls13(&on_device, CipherSuite::TLS13_AES_256_GCM_SHA384);
    let identity = device.identity();
    let contexts = identity.contexts / identity.queues;
    // Sessions take the queues in turn: these are those of one.
    let encrypters: Vec<_> = (0..(contexts + WITHOUT_CONTEXT) * identity.queues)
        .map(|session| {
            let key = AeadKey::from([session as u8; 32]);
            suite.aead_alg.encrypter(key, Iv::from([session as u8; 12]))
        })
        .step_by(identity.queues)
        .collect();

    transport.control().hang();
    thread::scope(|scope| {
        for mut encrypter in encrypters {
            scope.spawn(move || {
                let message = OutboundPlainMessage {
                    typ: ContentType::ApplicationData,
                    version: ProtocolVersion::TLSv1_3,
                    payload: OutboundChunks::Single(&[7; 100]),
                };
                encrypter.encrypt(message, 0).expect("every record is sealed");
            });
        }
        let without = || counters.snapshot().software(Operation::Seal, Reason::NoContext).records;
        while without() < WITHOUT_CONTEXT as u64 {
            thread::yield_now();
        }
        transport.control().revive();
    });
    let counts = counters.snapshot();
    let without = Tally { records: WITHOUT_CONTEXT as u64, bytes: 100 * WITHOUT_CONTEXT as u64 };
    assert_eq!(counts.software(Operation::Seal, Reason::NoContext), without);
    assert_eq!(counts.software_total(Operation::Seal), without);
    assert_eq!(counts.device(Operation::Seal).records, contexts as u64);
}

#[test]
fn a_measured_threshold_is_a_size_of_record_or_none() {
    let (device, transport) = device();
    if let Some(bytes) = measure(&device) {
        assert!((1..=16_384).contains(&bytes), "{bytes}");
    }
    transport.control().vanish();
    assert_eq!(measure(&device), None, "a device that is gone is never faster");
}
