// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What goes to software, and that it is counted with its reason.

mod support;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::crypto::cipher::{AeadKey, Iv, OutboundChunks, OutboundPlainMessage};
use rustls::crypto::ring;
use rustls::{CipherSuite, ContentType, ProtocolVersion};
use sealgate_abi::Suite;
use sealgate_abi::regs::{Features, Register, RegisterIo};
use sealgate_driver::memory::DmaMemory;
use sealgate_driver::transport::{DmaAccess, Iova, TransportError};
use sealgate_driver::{Device, Settings, Transport};
use sealgate_rustls::{Operation, Provider, Reason, RecordCounts, Tally, Thresholds, measure};
use sealgate_sim::{SimConfig, SimTransport};

use support::{
    DEVICE_SUITES, Pair, TLS12_SUITES, TLS13_SUITES, assert_all_on_device, device, device_with,
    random_bytes, rng, tls13,
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
        let mut pair = Pair::with_suite(on_device.clone(), on_device, suite);
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
    let mut pair = Pair::with_suite(on_device.clone(), on_device, DEVICE_SUITES[0]);
    transport.control().vanish();
    pair.echo(&random_bytes(&mut rng, 30_000));
    let counts = counters.snapshot();
    let failed = Operation::ALL.map(|it| counts.software(it, Reason::DeviceFailed).records);
    assert!(failed.iter().sum::<u64>() > 0, "{counts:?}");
    assert_eq!((counts.rejected, counts.disagreements), (0, 0));

    // A connection made afterwards works too.
    let (on_device, counters) = Provider::new(&device).build();
    Pair::with_suite(on_device.clone(), on_device, DEVICE_SUITES[0])
        .echo(&random_bytes(&mut rng, 30_000));
    assert_only(&counters.snapshot(), Reason::DeviceFailed);
}

#[test]
fn records_below_the_threshold() {
    let (device, _) = device();
    for suite in DEVICE_SUITES {
        let (on_device, counters) = Provider::new(&device).software_below(1_000).build();
        let mut pair = Pair::with_suite(on_device.clone(), ring::default_provider(), suite);
        let before = counters.snapshot();
        pair.echo(&[1; 999]);
        pair.echo(&[1; 1_000]);
        let after = counters.snapshot();
        for operation in Operation::ALL {
            let below = |counts: &RecordCounts| counts.software(operation, Reason::BelowThreshold);
            assert_eq!(below(&after).records - below(&before).records, 1, "{suite:?}");
            assert_eq!(below(&after).bytes - below(&before).bytes, 999, "{suite:?}");
            let device = |counts: &RecordCounts| counts.device(operation);
            assert_eq!(device(&after).records - device(&before).records, 1, "{suite:?}");
            assert_eq!(device(&after).bytes - device(&before).bytes, 1_000, "{suite:?}");
        }
    }
}

/// The software device, which does not tell of some of its features: an engine that was built without them.
#[derive(Debug)]
struct Lacks {
    device: Arc<SimTransport>,
    features: Features,
}

impl RegisterIo for Lacks {
    fn read32(&self, offset: u32) -> u32 {
        let value = self.device.read32(offset);
        if offset == Features::OFFSET { value & !self.features.bits() } else { value }
    }

    fn write32(&self, offset: u32, value: u32) {
        self.device.write32(offset, value);
    }
}

impl Transport for Lacks {
    fn address(&self) -> &'static str {
        "test:lacks-features"
    }

    fn is_simulated(&self) -> bool {
        true
    }

    fn completion_timeout(&self) -> Duration {
        self.device.completion_timeout()
    }

    fn map(&self, memory: &Arc<DmaMemory>, access: DmaAccess) -> Result<Iova, TransportError> {
        self.device.map(memory, access)
    }

    fn unmap(&self, iova: Iova) -> Result<(), TransportError> {
        self.device.unmap(iova)
    }

    fn wait_for_interrupt(&self, queue: usize, timeout: Duration) -> Result<bool, TransportError> {
        self.device.wait_for_interrupt(queue, timeout)
    }

    fn reset(&self) -> Result<(), TransportError> {
        self.device.reset()
    }
}

/// The counts after an echo over one suite, both sides on a healthy device that lacks `features`.
fn counts_without(features: Features, suite: CipherSuite) -> RecordCounts {
    let device = SimTransport::model(SimConfig::default()).expect("the software device starts");
    let transport = Arc::new(Lacks { device, features });
    let device = Device::open(transport, Settings::default()).expect("the device opens");
    let (on_device, counters) = Provider::new(&device).build();
    let mut pair = Pair::with_suite(on_device.clone(), on_device, suite);
    pair.echo(&random_bytes(&mut rng(), 30_000));
    counters.snapshot()
}

#[test]
fn suites_that_the_device_does_not_serve() {
    let chacha20 = Features::default().with_chacha20_poly1305(true);
    for suites in [TLS13_SUITES, TLS12_SUITES] {
        let [aes_128, aes_256, unserved] = suites;
        for served in [aes_128, aes_256] {
            assert_all_on_device(&counts_without(chacha20, served));
        }
        let counts = counts_without(chacha20, unserved);
        assert_only(&counts, Reason::Suite);
        assert_eq!(counts.device(Operation::Seal).records, 0);
    }
}

#[test]
fn tls12_that_the_device_does_not_serve() {
    let tls12 = Features::default().with_tls12(true);
    for suite in TLS12_SUITES {
        let counts = counts_without(tls12, suite);
        assert_only(&counts, Reason::Tls12);
        assert_eq!(counts.device(Operation::Seal).records, 0);
    }
    for suite in TLS13_SUITES {
        assert_all_on_device(&counts_without(tls12, suite));
    }
}

#[test]
fn a_provider_without_a_device() {
    let (software, counters) = Provider::without_device().build();
    let mut rng = rng();
    for suite in DEVICE_SUITES {
        Pair::with_suite(software.clone(), software.clone(), suite)
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
        .map(|_| Pair::with_suite(on_device.clone(), on_device.clone(), DEVICE_SUITES[0]))
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
fn each_suite_has_its_threshold() {
    let (device, _) = device();
    let thresholds = Thresholds { aes_gcm: usize::MAX, chacha20_poly1305: 0 };
    for suite in DEVICE_SUITES {
        let (on_device, counters) = Provider::new(&device).software_below(thresholds).build();
        Pair::with_suite(on_device, ring::default_provider(), suite).echo(&[1; 1_000]);
        let counts = counters.snapshot();
        let is_chacha = format!("{suite:?}").contains("CHACHA20");
        for operation in Operation::ALL {
            let below = counts.software(operation, Reason::BelowThreshold).records;
            let on_device = counts.device(operation).records;
            assert_eq!((below == 0, on_device > 0), (is_chacha, is_chacha), "{suite:?}");
        }
    }
}

#[test]
fn a_measured_threshold_is_a_size_of_record_or_none() {
    let (device, transport) = device();
    let thresholds = measure(&device);
    for suite in [Suite::Aes128Gcm, Suite::Aes256Gcm, Suite::Chacha20Poly1305] {
        let bytes = thresholds.of(suite);
        assert!((1..=16_384).contains(&bytes) || bytes == usize::MAX, "{suite:?}: {bytes}");
    }
    transport.control().vanish();
    let gone = measure(&device);
    assert_eq!(gone, Thresholds::SOFTWARE_ONLY, "a device that is gone is never faster");
}
