// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Records made by the device are byte for byte those that ring makes, and the device opens what ring has made.

mod support;

use rand::RngExt;
use rand::rngs::StdRng;
use rustls::crypto::cipher::{
    InboundOpaqueMessage, MessageEncrypter, OutboundChunks, OutboundPlainMessage,
};
use rustls::crypto::ring;
use rustls::{ContentType, ProtocolVersion, SupportedProtocolVersion};
use sealgate_rustls::{Operation, Provider};

use support::{
    DEVICE_SUITES, Tls12Header, TrafficKey, decrypter, device, encrypter, random_bytes, rng,
    version_of,
};

const SIZES: [usize; 12] = [0, 1, 15, 16, 17, 31, 255, 1_024, 4_095, 16_368, 16_383, 16_384];

const CONTENT_TYPES: [ContentType; 4] = [
    ContentType::Alert,
    ContentType::Handshake,
    ContentType::ApplicationData,
    ContentType::Heartbeat,
];

/// Sequence numbers that the device seals; the last is the limit less one.
fn sequences(rng: &mut StdRng) -> [u64; 4] {
    [0, 1, rng.random_range(2..23_726_565), 23_726_565]
}

/// What `encrypter` puts on the wire.
fn seal(
    encrypter: &mut dyn MessageEncrypter,
    (typ, version): (ContentType, ProtocolVersion),
    payload: OutboundChunks<'_>,
    sequence: u64,
) -> Vec<u8> {
    let message = OutboundPlainMessage { typ, version, payload };
    encrypter.encrypt(message, sequence).expect("the record is sealed").encode()
}

/// `bytes` in up to five chunks, some of which may be empty.
fn chunks<'a>(rng: &mut StdRng, mut bytes: &'a [u8]) -> Vec<&'a [u8]> {
    let mut chunks = Vec::new();
    for _ in 0..4 {
        let (chunk, rest) = bytes.split_at(rng.random_range(0..=bytes.len()));
        chunks.push(chunk);
        bytes = rest;
    }
    chunks.push(bytes);
    chunks
}

#[test]
fn the_device_seals_the_bytes_that_ring_seals() {
    let mut rng = rng();
    let (device, _) = device();
    let (provider, counters) = Provider::new(&device).build();
    let mut sealed = 0;
    for suite in DEVICE_SUITES {
        let key = TrafficKey::fresh(suite);
        let (iv, [one, two], version) = (key.iv, key.copies, version_of(suite).version);
        let mut on_device = encrypter(&provider, suite, one, iv);
        let mut in_ring = encrypter(&ring::default_provider(), suite, two, iv);
        for size in SIZES {
            let content = random_bytes(&mut rng, size);
            for (typ, sequence) in CONTENT_TYPES.into_iter().zip(sequences(&mut rng)) {
                let (kind, whole) = ((typ, version), OutboundChunks::Single(&content));
                let expected = seal(&mut *in_ring, kind, whole.clone(), sequence);
                let single = seal(&mut *on_device, kind, whole, sequence);
                assert!(single == expected, "{suite:?} {typ:?} {size} bytes, sequence {sequence}");

                let parts = chunks(&mut rng, &content);
                let several = seal(&mut *on_device, kind, OutboundChunks::new(&parts), sequence);
                assert!(several == expected, "{suite:?} {size} bytes in chunks");
                assert_eq!(on_device.encrypted_payload_len(size), expected.len() - 5);
                sealed += 2;
            }
        }
    }
    let counts = counters.snapshot();
    assert_eq!(counts.device(Operation::Seal).records, sealed);
    assert_eq!(counts.software_total(Operation::Seal).records, 0);
}

#[test]
fn a_cut_out_of_chunks_is_sealed_and_nothing_beside_it() {
    let mut rng = rng();
    let (device, _) = device();
    let (provider, _) = Provider::new(&device).build();
    let suite = DEVICE_SUITES[0];
    let key = TrafficKey::fresh(suite);
    let (iv, [one, two]) = (key.iv, key.copies);
    let mut on_device = encrypter(&provider, suite, one, iv);
    let mut in_ring = encrypter(&ring::default_provider(), suite, two, iv);

    let content = random_bytes(&mut rng, 3_000);
    for sequence in 0..200 {
        let parts = chunks(&mut rng, &content);
        let start = rng.random_range(0..=content.len());
        let end = rng.random_range(start..=content.len());
        let cut = OutboundChunks::Multiple { chunks: &parts, start, end };
        let expected = OutboundChunks::Single(&content[start..end]);
        let kind = (ContentType::ApplicationData, ProtocolVersion::TLSv1_3);
        assert!(
            seal(&mut *on_device, kind, cut, sequence)
                == seal(&mut *in_ring, kind, expected, sequence),
            "{start}..{end}"
        );
    }
}

/// A record as a peer may make it: in TLS 1.3 with as much padding as fits, up to 300 bytes (RFC 8446, section 5.4), in
/// TLS 1.2 with an explicit nonce of its own choice (RFC 5288, section 3).
fn seal_by_ring(
    key: &TrafficKey,
    version: &SupportedProtocolVersion,
    rng: &mut StdRng,
    (typ, sequence): (ContentType, u64),
    content: &[u8],
) -> Vec<u8> {
    if version.version == ProtocolVersion::TLSv1_2 {
        let version = ProtocolVersion::TLSv1_2;
        let header = Tls12Header { typ, version, explicit_nonce: rng.random() };
        return key.seal_tls12(sequence, header, content);
    }
    let padding = rng.random_range(0..=(16_384 - content.len()).min(300));
    key.seal_inner(sequence, &[content, &[u8::from(typ)], &vec![0; padding]].concat())
}

#[test]
fn the_device_opens_what_ring_has_sealed() {
    let mut rng = rng();
    let (device, _) = device();
    let (provider, counters) = Provider::new(&device).build();
    let mut opened = 0;
    for suite in DEVICE_SUITES {
        let key = TrafficKey::fresh(suite);
        let cases: Vec<_> = SIZES
            .into_iter()
            .flat_map(|size| CONTENT_TYPES.map(|typ| (size, typ)))
            .map(|(size, typ)| {
                let content = random_bytes(&mut rng, size);
                let sequence = rng.random_range(0..u64::MAX - 1);
                let record =
                    seal_by_ring(&key, version_of(suite), &mut rng, (typ, sequence), &content);
                (typ, content, sequence, record)
            })
            .collect();

        let version = version_of(suite).version;
        let (iv, [copy, _]) = (key.iv, key.copies);
        let mut on_device = decrypter(&provider, suite, copy, iv);
        for (typ, content, sequence, mut record) in cases {
            let outer_type = match version {
                ProtocolVersion::TLSv1_3 => ContentType::ApplicationData,
                _ => typ,
            };
            let message =
                InboundOpaqueMessage::new(outer_type, ProtocolVersion::TLSv1_2, &mut record);
            let plain = on_device.decrypt(message, sequence).expect("the record is opened");
            assert_eq!((plain.typ, plain.version), (typ, version));
            assert!(plain.payload == content, "{suite:?} {} bytes", content.len());
            opened += 1;
        }
    }
    let counts = counters.snapshot();
    assert_eq!(counts.device(Operation::Open).records, opened);
    assert_eq!(counts.software_total(Operation::Open).records, 0);
    assert_eq!(counts.rejected, 0);
}
