// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Long sessions of records through the driver, of every version and suite: byte for byte what rustls with ring makes,
//! and back.

use std::thread;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustls::crypto::cipher::{InboundOpaqueMessage, OutboundChunks, OutboundPlainMessage};
use rustls::{CipherSuite, ContentType, ProtocolVersion};
use sealgate_abi::seal_sequence_limit;
use sealgate_driver::{Device, Direction, Plaintext, Session, SessionConfig, Suite, TlsVersion};
use sealgate_sim::SimTransport;
use sealgate_tests::device::Simulation;
use sealgate_tests::random;
use sealgate_tests::record::{APPLICATION_DATA, HEADER_BYTES, TrafficKey, header, inner_plaintext};
use sealgate_tests::tls::{DEVICE_SUITES, RustlsKey, device_suite, record_version, version_of};

/// Lengths of content at the edges of beats, pages and the record limit.
const EDGES: [usize; 9] = [0, 1, 15, 16, 17, 255, 1_024, 16_383, 16_384];

const CONTENT_MAX: usize = 1 << 14;

/// What one record is made of.
#[derive(Debug)]
struct Record {
    content: Vec<u8>,
    content_type: u8,
    sequence: u64,
    padding_multiple: u16,
}

/// A session for each direction, with the same key.
struct Sessions {
    seal: Session,
    open: Session,
}

impl Sessions {
    fn new(device: &Device, key: &TrafficKey) -> Self {
        let (version, key, iv) = (key.version(), key.for_driver(), key.iv());
        let session =
            |direction| device.session_with(SessionConfig { version, direction, key, iv });
        Self { seal: session(Direction::Seal), open: session(Direction::Open) }
    }

    /// Seals on the device, the content in random pieces; the result has its header.
    fn seal(&mut self, record: &Record, rng: &mut StdRng) -> Vec<u8> {
        let chunks = random_chunks(&record.content, rng);
        let plaintext = Plaintext {
            content_type: record.content_type,
            sequence: record.sequence,
            padding_multiple: record.padding_multiple,
            chunks: &chunks,
        };
        let record_bytes = self.seal.segments(&plaintext, 0).bytes;
        let mut encrypted = vec![0; record_bytes - HEADER_BYTES];
        self.seal.seal(plaintext, &mut encrypted).expect("the device seals");
        let outer_type = match self.seal.version() {
            TlsVersion::Tls13 => APPLICATION_DATA,
            TlsVersion::Tls12 => record.content_type,
        };
        let mut sealed = header(outer_type, encrypted.len()).to_vec();
        sealed.append(&mut encrypted);
        sealed
    }

    /// Opens on the device: content type and content.
    fn open(&mut self, sequence: u64, record: &[u8]) -> (u8, Vec<u8>) {
        let (header, encrypted) = record.split_first_chunk::<HEADER_BYTES>().expect("a header");
        let mut encrypted = encrypted.to_vec();
        let opened = self.open.open(sequence, *header, &mut encrypted).expect("the device opens");
        encrypted.truncate(opened.length);
        (opened.content_type, encrypted)
    }
}

fn random_chunks<'a>(mut content: &'a [u8], rng: &mut StdRng) -> Vec<&'a [u8]> {
    let mut chunks = Vec::new();
    while !content.is_empty() && chunks.len() < 4 {
        let (chunk, rest) = content.split_at(rng.random_range(0..=content.len()));
        chunks.push(chunk);
        content = rest;
    }
    chunks.push(content);
    chunks
}

/// Names the record of a failure without printing 16 KiB.
fn name(record: &Record) -> String {
    let Record { content, content_type, sequence, padding_multiple } = record;
    format!(
        "{} bytes of type {content_type}, sequence number {sequence}, padded to {padding_multiple}",
        content.len()
    )
}

/// A connection's worth of records in order, without padding, as rustls makes them: the edges with each type that
/// rustls names, then as many random ones.
fn rustls_session(suite: CipherSuite, device: &Device, random_records: usize, rng: &mut StdRng) {
    const TYPES: [u8; 5] = [20, 21, 22, 23, 24];
    let RustlsKey { key, mut encrypter, mut decrypter } = RustlsKey::from_handshake(suite);
    let mut sessions = Sessions::new(device, &key);
    let edges = EDGES.into_iter().flat_map(|length| TYPES.map(|typ| (length, typ)));
    let mut plan: Vec<_> = edges.collect();
    plan.extend(
        (0..random_records)
            .map(|_| (random::length(rng, CONTENT_MAX), TYPES[rng.random_range(0..TYPES.len())])),
    );
    for (sequence, (length, content_type)) in plan.into_iter().enumerate() {
        let content = random::bytes(rng, length);
        let record =
            Record { content, content_type, sequence: sequence as u64, padding_multiple: 0 };
        let message = OutboundPlainMessage {
            typ: ContentType::from(content_type),
            version: version_of(suite).version,
            payload: OutboundChunks::Single(&record.content),
        };
        let by_rustls = encrypter.encrypt(message, record.sequence).expect("rustls seals").encode();
        let by_device = sessions.seal(&record, rng);
        assert!(by_device == by_rustls, "{suite:?}: sealed differently: {}", name(&record));

        let opened = sessions.open(record.sequence, &by_rustls);
        assert!(opened == (content_type, record.content.clone()), "{suite:?}: {}", name(&record));
        // rustls refuses a protected change_cipher_spec in TLS 1.3, which has no place there.
        if key.version() == TlsVersion::Tls12
            || content_type != u8::from(ContentType::ChangeCipherSpec)
        {
            let mut encrypted = by_device[HEADER_BYTES..].to_vec();
            let (outer, version) = (ContentType::from(by_device[0]), ProtocolVersion::TLSv1_2);
            let message = InboundOpaqueMessage::new(outer, version, &mut encrypted);
            let by_rustls = decrypter.decrypt(message, record.sequence).expect("rustls opens");
            assert!(u8::from(by_rustls.typ) == content_type && by_rustls.payload == record.content);
        }
    }
}

/// A record by ring itself; `explicit` stands for the explicit nonce, where there is one.
fn seal_by_ring(key: &TrafficKey, record: &Record, explicit: u64) -> Vec<u8> {
    let Record { content, content_type, sequence, padding_multiple } = record;
    match key.version() {
        TlsVersion::Tls12 => key.seal_tls12(*sequence, explicit, *content_type, content),
        TlsVersion::Tls13 => {
            key.seal(*sequence, &inner_plaintext(content, *content_type, *padding_multiple))
        }
    }
}

/// Every version with every suite.
fn formats() -> impl Iterator<Item = (TlsVersion, Suite)> {
    TlsVersion::ALL.into_iter().flat_map(|version| Suite::ALL.map(|suite| (version, suite)))
}

/// Records of every kind that the device serves, against ring itself: type, padding and sequence number of each by
/// chance, except for the types that are given.
fn ring_session(
    (version, suite): (TlsVersion, Suite),
    device: &Device,
    types: &[u8],
    rng: &mut StdRng,
) {
    let key = TrafficKey::random(rng, version, suite);
    let mut sessions = Sessions::new(device, &key);
    for &content_type in types {
        let length = if rng.random_bool(0.2) {
            EDGES[rng.random_range(0..EDGES.len())]
        } else {
            random::length(rng, CONTENT_MAX)
        };
        let padded = version == TlsVersion::Tls13 && rng.random_bool(0.5);
        let record = Record {
            content: random::bytes(rng, length),
            content_type,
            sequence: rng.random_range(0..seal_sequence_limit(suite)),
            padding_multiple: if padded { 1 << rng.random_range(0..15) } else { 0 },
        };
        let by_ring = seal_by_ring(&key, &record, record.sequence);
        let by_device = sessions.seal(&record, rng);
        assert!(by_device == by_ring, "{suite:?}: sealed differently: {}", name(&record));

        // A peer may seal up to the last sequence number but one, and choose any explicit nonce.
        let record = Record { sequence: rng.random_range(0..u64::MAX), ..record };
        let by_peer = seal_by_ring(&key, &record, rng.random());
        let opened = sessions.open(record.sequence, &by_peer);
        assert!(opened == (content_type, record.content.clone()), "{suite:?}: {}", name(&record));
    }
}

/// Every content type once for each version and suite, on sessions in more threads than the device has queues.
fn all_types_at_once(device: &Device, rng: &mut StdRng) {
    let types: Vec<u8> = (1..=255).collect();
    thread::scope(|scope| {
        for format in formats() {
            for types in types.chunks(128) {
                let mut rng = StdRng::seed_from_u64(rng.random());
                scope.spawn(move || ring_session(format, device, types, &mut rng));
            }
        }
    });
}

/// The device worked, alone, and by the rules of its bus.
fn assert_flawless(device: &Device, transport: &SimTransport) {
    let health = device.health();
    assert!(health.state.is_healthy(), "{health:?}");
    assert_eq!((health.counters.failures, health.counters.rejected_records), (0, 0));
    assert_eq!(transport.control().protocol_errors(), Vec::<String>::new());
    let counters = device.counters().expect("the counters are readable");
    assert_eq!(counters.sealed_records, health.counters.sealed_records, "the device counts alike");
    assert_eq!(counters.opened_records, health.counters.opened_records);
    println!(
        "{}: {} records sealed, {} opened, {} bytes sealed, {} cycles",
        device.identity().address,
        counters.sealed_records,
        counters.opened_records,
        counters.sealed_bytes,
        transport.control().cycles()
    );
}

#[test]
fn consecutive_records_are_those_of_rustls_with_ring() {
    const RANDOM_RECORDS: usize = 500;
    let mut rng = random::rng();
    for &simulation in Simulation::ALL {
        let (device, transport) = simulation.open();
        for suite in DEVICE_SUITES {
            assert!(device.supports_version(record_version(suite), device_suite(suite)));
            rustls_session(suite, &device, RANDOM_RECORDS, &mut rng);
        }
        assert_flawless(&device, &transport);
    }
}

#[test]
fn every_content_type_with_any_padding_and_sequence_number_is_that_of_ring() {
    let mut rng = random::rng();
    for &simulation in Simulation::ALL {
        let (device, transport) = simulation.open();
        all_types_at_once(&device, &mut rng);
        assert_flawless(&device, &transport);
    }
}

#[cfg(feature = "rtl")]
#[test]
fn a_hostile_bus_changes_no_byte() {
    use sealgate_driver::Settings;
    use sealgate_sim::{BusConfig, SimConfig};

    const SEEDS: usize = 8;
    const RECORDS: usize = 60;
    let mut rng = random::rng();
    for _ in 0..SEEDS {
        let seed = rng.random();
        let config = SimConfig { seed, bus: BusConfig::hostile(), ..SimConfig::default() };
        let (device, transport) = Simulation::Rtl.open_with(config, Settings::default());
        thread::scope(|scope| {
            for format in formats() {
                let mut rng = StdRng::seed_from_u64(rng.random());
                let device = &device;
                scope.spawn(move || {
                    let types = [23; RECORDS];
                    ring_session(format, device, &types, &mut rng);
                });
            }
        });
        assert_flawless(&device, &transport);
    }
}
