// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Records that were altered on the way: the device's path ends as ring's does, in error and in alert.

mod support;

use std::io::Write;

use rustls::crypto::CryptoProvider;
use rustls::crypto::cipher::{InboundOpaqueMessage, MessageDecrypter};
use rustls::crypto::ring;
use rustls::{CipherSuite, ContentType, Error, PeerMisbehaved, ProtocolVersion};
use sealgate_rustls::{Operation, Provider};

use support::{
    DEVICE_SUITES, Pair, TLS12_SUITES, TLS13_SUITES, Tls12Header, TrafficKey, decrypter, device,
    random_bytes, rng, version_of,
};

const SEQUENCE: u64 = 7;

/// What happens to the bytes on the wire.
type Alteration = fn(&mut Vec<u8>);

/// What a decrypter makes of a record: content type and content, or the error.
fn open(
    decrypter: &mut dyn MessageDecrypter,
    typ: ContentType,
    version: ProtocolVersion,
    record: &[u8],
) -> Result<(ContentType, Vec<u8>), Error> {
    let mut record = record.to_vec();
    let message = InboundOpaqueMessage::new(typ, version, &mut record);
    decrypter.decrypt(message, SEQUENCE).map(|plain| (plain.typ, plain.payload.to_vec()))
}

/// Records that are not authentic, made of a good one and one of another sequence number.
fn altered_records(good: &[u8], other: Vec<u8>) -> Vec<(String, Vec<u8>, Error)> {
    let mut bad = Vec::new();
    for position in [0, 1, 7, 8, good.len() / 2, good.len() - 17, good.len() - 16, good.len() - 1] {
        let mut flipped = good.to_vec();
        flipped[position] ^= 0x40;
        bad.push((format!("bit of byte {position} flipped"), flipped, Error::DecryptError));
    }
    for length in [0, 1, 15, 16, 17, 18, 23, 24, 25, good.len() - 17, good.len() - 1] {
        bad.push((format!("cut to {length}"), good[..length].to_vec(), Error::DecryptError));
    }
    for more in [1, 16] {
        let longer = [good, &vec![0; more]].concat();
        bad.push((format!("{more} more bytes"), longer, Error::DecryptError));
    }
    bad.push(("record of another sequence number".into(), other, Error::DecryptError));
    bad
}

/// Altered records of TLS 1.3, and unlawful ones that are authentic, each with its name and the error that ring gives.
fn bad_tls13_records(key: &TrafficKey, content: &[u8]) -> Vec<(String, Vec<u8>, Error)> {
    let data = u8::from(ContentType::ApplicationData);
    let good = key.seal_inner(SEQUENCE, &[content, &[data]].concat());
    let other = key.seal_inner(SEQUENCE + 1, &[content, &[data]].concat());
    let mut bad = altered_records(&good, other);
    let no_type = Error::PeerMisbehaved(PeerMisbehaved::IllegalTlsInnerPlaintext);
    for padding in [0, 1, 100, 16_385] {
        let record = key.seal_inner(SEQUENCE, &vec![0; padding]);
        bad.push((format!("{padding} bytes of padding alone"), record, no_type.clone()));
    }
    let change_cipher_spec = key.seal_inner(SEQUENCE, &[1, 20]);
    let refused = Error::PeerMisbehaved(PeerMisbehaved::IllegalMiddleboxChangeCipherSpec);
    bad.push(("change_cipher_spec".into(), change_cipher_spec, refused));
    for (name, inner) in [
        ("content too long", [&vec![7; 16_385], &[data][..]].concat()),
        ("padding too long", [&[7, data][..], &vec![0; 16_384]].concat()),
        ("longest record on the wire", [&vec![7; 16_623], &[data][..]].concat()),
        ("longer than any record may be", [&vec![7; 17_000], &[data][..]].concat()),
    ] {
        let record = key.seal_inner(SEQUENCE, &inner);
        bad.push((name.into(), record, Error::PeerSentOversizedRecord));
    }
    bad
}

/// What good records of TLS 1.2 say of themselves.
const TLS12_HEADER: Tls12Header = Tls12Header {
    typ: ContentType::ApplicationData,
    version: ProtocolVersion::TLSv1_2,
    explicit_nonce: [0x5A; 8],
};

/// The same for TLS 1.2.
fn bad_tls12_records(key: &TrafficKey, content: &[u8]) -> Vec<(String, Vec<u8>, Error)> {
    let good = key.seal_tls12(SEQUENCE, TLS12_HEADER, content);
    let other = key.seal_tls12(SEQUENCE + 1, TLS12_HEADER, content);
    let mut bad = altered_records(&good, other);
    let handshake = Tls12Header { typ: ContentType::Handshake, ..TLS12_HEADER };
    let record = key.seal_tls12(SEQUENCE, handshake, content);
    bad.push(("record of another type".into(), record, Error::DecryptError));
    let older = Tls12Header { version: ProtocolVersion::TLSv1_0, ..TLS12_HEADER };
    let record = key.seal_tls12(SEQUENCE, older, content);
    bad.push(("record of another version".into(), record, Error::DecryptError));
    for (name, bytes) in [
        ("content too long", 16_385),
        ("about the longest record on the wire", 18_408),
        ("longer than any record may be", 19_000),
    ] {
        let record = key.seal_tls12(SEQUENCE, TLS12_HEADER, &vec![7; bytes]);
        bad.push((name.into(), record, Error::PeerSentOversizedRecord));
    }
    bad
}

#[test]
fn a_bad_record_gives_the_error_that_ring_gives() {
    let mut rng = rng();
    let (device, _) = device();
    for suite in DEVICE_SUITES {
        let (provider, counters) = Provider::new(&device).build();
        let key = TrafficKey::fresh(suite);
        let content = random_bytes(&mut rng, 1_000);
        let (bad, last) = match version_of(suite).version {
            ProtocolVersion::TLSv1_3 => {
                (bad_tls13_records(&key, &content), key.seal_inner(SEQUENCE, &[1, 2, 3, 23]))
            }
            _ => (
                bad_tls12_records(&key, &content),
                key.seal_tls12(SEQUENCE, TLS12_HEADER, &[1, 2, 3]),
            ),
        };
        let (iv, [one, two]) = (key.iv, key.copies);
        let mut on_device = decrypter(&provider, suite, one, iv);
        let mut in_ring = decrypter(&ring::default_provider(), suite, two, iv);

        let (typ, version) = (ContentType::ApplicationData, ProtocolVersion::TLSv1_2);
        for (name, record, error) in &bad {
            let expected = open(&mut *in_ring, typ, version, record);
            assert_eq!(expected, Err(error.clone()), "{suite:?} ring: {name}");
            let found = open(&mut *on_device, typ, version, record);
            assert_eq!(found, expected, "{suite:?} device: {name}");
        }
        let counts = counters.snapshot();
        assert_eq!(counts.rejected, bad.len() as u64);
        assert_eq!(counts.disagreements, 0);

        let good = open(&mut *on_device, typ, version, &last);
        assert_eq!(good, Ok((ContentType::ApplicationData, vec![1, 2, 3])), "the key still serves");
        assert_eq!(counters.snapshot().device(Operation::Open).records, 1);
    }
}

/// ring's record protection does not look at the header; it would open these.
#[test]
fn a_header_that_is_not_that_of_a_protected_record_is_not_authentic() {
    let (device, _) = device();
    for suite in TLS13_SUITES {
        // The same for records on the device and for records in software.
        for builder in [Provider::new(&device), Provider::new(&device).software_below(1 << 20)] {
            let (provider, counters) = builder.build();
            let key = TrafficKey::fresh(suite);
            let record = key.seal_inner(SEQUENCE, &[1, 2, 3, 23]);
            let (iv, [copy, _]) = (key.iv, key.copies);
            let mut decrypter = decrypter(&provider, suite, copy, iv);
            let (typ, version) = (ContentType::ApplicationData, ProtocolVersion::TLSv1_2);
            for (typ, version) in [
                (ContentType::Handshake, version),
                (ContentType::Alert, version),
                (typ, ProtocolVersion::TLSv1_0),
                (typ, ProtocolVersion::TLSv1_3),
            ] {
                let found = open(&mut *decrypter, typ, version, &record);
                assert_eq!(found, Err(Error::DecryptError), "{typ:?} {version:?}");
            }
            assert_eq!(counters.snapshot().rejected, 4);
            assert!(open(&mut *decrypter, typ, version, &record).is_ok());
        }
    }
}

/// A peer with the keys may authenticate any version; ring would open these too.
#[test]
fn a_tls12_record_that_names_another_version_is_refused_on_both_paths() {
    let (device, _) = device();
    for suite in TLS12_SUITES {
        for builder in [Provider::new(&device), Provider::new(&device).software_below(1 << 20)] {
            let (provider, counters) = builder.build();
            let key = TrafficKey::fresh(suite);
            let older = Tls12Header { version: ProtocolVersion::TLSv1_0, ..TLS12_HEADER };
            let record = key.seal_tls12(SEQUENCE, older, &[1, 2, 3]);
            let good = key.seal_tls12(SEQUENCE, TLS12_HEADER, &[1, 2, 3]);
            let (iv, [copy, _]) = (key.iv, key.copies);
            let mut decrypter = decrypter(&provider, suite, copy, iv);
            let found = open(&mut *decrypter, older.typ, older.version, &record);
            assert_eq!(found, Err(Error::DecryptError), "{suite:?}");
            let counts = counters.snapshot();
            assert_eq!((counts.rejected, counts.disagreements), (1, 0), "{suite:?}");
            assert!(open(&mut *decrypter, older.typ, TLS12_HEADER.version, &good).is_ok());
        }
    }
}

/// What a server says to a record of the client's, and the client to the server's answer.
fn verdicts(server: CryptoProvider, suite: CipherSuite, alter: Alteration) -> (Error, Error) {
    let mut pair = Pair::with_suite(ring::default_provider(), server, suite);
    pair.client.writer().write_all(&[9; 500]).expect("client writes");
    let mut wire = pair.client_sends();
    alter(&mut wire);
    let at_server = pair.server_gets(&wire).expect_err("the server refuses the record");
    let at_client = pair.server_to_client().expect_err("the server sends an alert");
    (at_server, at_client)
}

#[test]
fn the_peer_gets_the_alert_that_it_gets_without_a_device() {
    let (device, _) = device();
    let alterations: [(&str, Alteration); 6] = [
        ("tag", |wire| *wire.last_mut().expect("not empty") ^= 1),
        ("content", |wire| wire[5] ^= 0x80),
        ("shorter", |wire| {
            wire.truncate(wire.len() - 8);
            let length = (wire.len() - 5) as u16;
            wire[3..5].copy_from_slice(&length.to_be_bytes());
        }),
        ("longer", |wire| {
            wire.extend([0; 8]);
            let length = (wire.len() - 5) as u16;
            wire[3..5].copy_from_slice(&length.to_be_bytes());
        }),
        ("longer than a record", |wire| {
            wire[3..5].copy_from_slice(&[0xFF, 0xFF]);
        }),
        ("unknown type", |wire| wire[0] = 99),
    ];
    for suite in DEVICE_SUITES {
        for (name, alter) in alterations {
            let expected = verdicts(ring::default_provider(), suite, alter);
            let (on_device, counters) = Provider::new(&device).build();
            assert_eq!(verdicts(on_device, suite, alter), expected, "{suite:?} {name}");
            assert_eq!(counters.snapshot().disagreements, 0);
        }
    }
}

#[test]
fn an_altered_header_ends_in_bad_record_mac_and_the_next_connection_works() {
    let (device, _) = device();
    let alterations: [(&str, Alteration); 2] =
        [("type", |wire| wire[0] = 22), ("version", |wire| wire[2] = 1)];
    for suite in DEVICE_SUITES {
        for (name, alter) in alterations {
            let (on_device, _) = Provider::new(&device).build();
            let (at_server, at_client) = verdicts(on_device.clone(), suite, alter);
            assert_eq!(at_server, Error::DecryptError, "{name}");
            let alert = rustls::AlertDescription::BadRecordMac;
            assert_eq!(at_client, Error::AlertReceived(alert), "{name}");
            Pair::with_suite(ring::default_provider(), on_device, suite).echo(&[1; 5_000]);
        }
    }
}
