// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Records in software are byte for byte those that ring makes, and what ring has made is opened.

use ring::aead::{
    AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use rustls::{ContentType, Error, InvalidMessage, PeerMisbehaved, SupportedCipherSuite};
use sealgate_abi::{Direction, Key, Suite, TlsVersion};

use super::{ROOMY, configs_of, default_base, establish, key_bytes, suites};
use crate::record::{SoftwareOpener, SoftwareSealer, session_config, tls_version};
use crate::stream::control::Fault;

const SIZES: [usize; 8] = [0, 1, 16, 255, 1_024, 4_095, 16_383, 16_384];

/// The first of a run of sequence numbers, each above the last: AWS-LC seals in that order only.
const SEQUENCES: [u64; 3] = [0, 252, 0x0123_4567_89ab];

/// A key in three copies: for a sealer, for an opener, and for ring itself.
struct Copies {
    suite: SupportedCipherSuite,
    sealer: SoftwareSealer,
    opener: SoftwareOpener,
    kind: Suite,
    key: LessSafeKey,
    iv: [u8; 12],
}

impl Copies {
    /// A fresh key for `suite`, from a handshake with a suite of the same AEAD.
    async fn new(suite: SupportedCipherSuite) -> Self {
        let name = format!("{suite:?}").replace("_RSA_", "_ECDSA_");
        let sibling = suites().into_iter().find(|other| format!("{other:?}") == name);
        let configs = configs_of(sibling.expect("a suite with the same AEAD"));
        let ((_, client), (_, server)) = establish(&configs, ROOMY).await;
        let config = session_config(suite, Direction::Seal, &client.tx.1).expect("served");
        let algorithm = match config.key {
            Key::Aes128(_) => &AES_128_GCM,
            Key::Aes256(_) => &AES_256_GCM,
            Key::Chacha20(_) => &CHACHA20_POLY1305,
        };
        let key = UnboundKey::new(algorithm, &key_bytes(config.key)).expect("key fits");
        let (kind, iv) = (config.key.suite(), config.iv);
        Self {
            suite,
            sealer: SoftwareSealer::new(suite, client.tx.1).expect("sealer"),
            opener: SoftwareOpener::new(suite, server.rx.1).expect("opener"),
            kind,
            key: LessSafeKey::new(key),
            iv,
        }
    }

    fn is_tls13(&self) -> bool {
        tls_version(self.suite) == TlsVersion::Tls13
    }

    fn has_explicit_nonce(&self) -> bool {
        !self.is_tls13() && self.kind != Suite::Chacha20Poly1305
    }

    /// The static IV and the sequence number, one `XORed` into the other.
    fn nonce(&self, sequence: u64) -> [u8; 12] {
        let mut nonce = self.iv;
        for (byte, sequence) in nonce[4..].iter_mut().zip(sequence.to_be_bytes()) {
            *byte ^= sequence;
        }
        nonce
    }

    /// A whole record by ring.
    fn by_ring(&self, typ: ContentType, sequence: u64, nonce: [u8; 12], content: &[u8]) -> Vec<u8> {
        if self.is_tls13() {
            return self.by_ring_tls13(sequence, &[content, &[typ.into()]].concat());
        }
        let mut aad = sequence.to_be_bytes().to_vec();
        aad.extend([typ.into(), 3, 3]);
        aad.extend((content.len() as u16).to_be_bytes());
        let sealed = self.seal(nonce, &aad, content);
        let explicit = if self.has_explicit_nonce() { &nonce[4..] } else { &[] };
        let payload = [explicit, &sealed].concat();
        record(typ, &payload)
    }

    /// A whole record of TLS 1.3 with any `TLSInnerPlaintext`, lawful or not.
    fn by_ring_tls13(&self, sequence: u64, inner: &[u8]) -> Vec<u8> {
        let length = ((inner.len() + 16) as u16).to_be_bytes();
        let sealed = self.seal(self.nonce(sequence), &[23, 3, 3, length[0], length[1]], inner);
        record(ContentType::ApplicationData, &sealed)
    }

    fn seal(&self, nonce: [u8; 12], aad: &[u8], text: &[u8]) -> Vec<u8> {
        let mut sealed = text.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.key.seal_in_place_append_tag(nonce, Aad::from(aad), &mut sealed).expect("ring seals");
        sealed
    }

    fn open(&mut self, sequence: u64, record: &[u8]) -> Result<(ContentType, Vec<u8>), Error> {
        let (header, payload) = record.split_first_chunk().expect("a header");
        let mut payload = payload.to_vec();
        let opened = self.opener.open(sequence, *header, &mut payload)?;
        payload.truncate(opened.length);
        Ok((opened.content_type.into(), payload))
    }
}

fn record(typ: ContentType, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u16).to_be_bytes();
    [&[typ.into(), 3, 3, length[0], length[1]], payload].concat()
}

fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|i| (i * 7) as u8).collect()
}

#[tokio::test]
async fn records_are_those_of_ring() {
    for suite in default_base().cipher_suites {
        let mut copies = Copies::new(suite).await;
        for first in SEQUENCES {
            for (sequence, size) in (first..).zip(SIZES) {
                let (typ, content) = (ContentType::ApplicationData, content(size));
                let mut sealed = b"before".to_vec();
                let halves = content.split_at(size / 3);
                let pieces: [&[u8]; 3] = [halves.0, &[], halves.1];
                copies.sealer.seal(typ.into(), sequence, &pieces, &mut sealed).expect("seals");
                let expected = copies.by_ring(typ, sequence, copies.nonce(sequence), &content);
                assert!(sealed[6..] == expected, "{suite:?}, {sequence}, {size}");
                assert_eq!(copies.open(sequence, &expected), Ok((typ, content)));
            }
        }
    }
}

#[tokio::test]
async fn every_content_type_is_sealed_and_opened() {
    for suite in default_base().cipher_suites {
        let mut copies = Copies::new(suite).await;
        let types = [ContentType::Alert, ContentType::Handshake, ContentType::ApplicationData];
        for (sequence, typ) in (3..).zip(types) {
            let mut sealed = Vec::new();
            copies.sealer.seal(typ.into(), sequence, &[b"content"], &mut sealed).expect("seals");
            assert_eq!(sealed, copies.by_ring(typ, sequence, copies.nonce(sequence), b"content"));
            assert_eq!(copies.open(sequence, &sealed), Ok((typ, b"content".to_vec())));
        }
    }
}

#[tokio::test]
async fn the_explicit_nonce_of_a_peer_may_be_anything() {
    for suite in default_base().cipher_suites {
        let mut copies = Copies::new(suite).await;
        if copies.has_explicit_nonce() {
            let mut nonce = copies.iv;
            nonce[4..].copy_from_slice(b"whatever");
            let record = copies.by_ring(ContentType::ApplicationData, 9, nonce, b"content");
            let expected = (ContentType::ApplicationData, b"content".to_vec());
            assert_eq!(copies.open(9, &record), Ok(expected));
        }
    }
}

#[tokio::test]
async fn records_are_opened_in_any_order_and_with_padding() {
    let mut copies = Copies::new(suites()[0]).await;
    assert!(copies.is_tls13());
    for sequence in [7, 3, 5] {
        let record = copies.by_ring_tls13(sequence, b"content\x17\0\0\0");
        let expected = (ContentType::ApplicationData, b"content".to_vec());
        assert_eq!(copies.open(sequence, &record), Ok(expected));
    }
}

#[tokio::test]
async fn bad_records_are_refused_as_rustls_does() {
    for suite in default_base().cipher_suites {
        let mut copies = Copies::new(suite).await;
        let good =
            copies.by_ring(ContentType::ApplicationData, 1, copies.nonce(1), &content(16_384));
        let decrypt_error = Err(Error::DecryptError);
        for byte in [1, 2, 3, 5, 13, good.len() - 1] {
            let mut bad = good.clone();
            bad[byte] ^= 1;
            assert_eq!(copies.open(1, &bad), decrypt_error, "{suite:?}, byte {byte}");
        }
        let mut wrong_type = good.clone();
        wrong_type[0] = 22;
        assert_eq!(copies.open(1, &wrong_type), decrypt_error);
        assert_eq!(copies.open(2, &good), decrypt_error, "another number");
        for length in [0, 1, 15, 16] {
            let short = record(ContentType::ApplicationData, &good[5..5 + length]);
            assert_eq!(copies.open(1, &short), decrypt_error, "{suite:?}, {length} bytes");
        }
        let oversized = copies.by_ring(
            ContentType::ApplicationData,
            1,
            copies.nonce(1),
            &content(if copies.is_tls13() { 16_385 } else { 18_000 }),
        );
        assert_eq!(copies.open(1, &oversized), Err(Error::PeerSentOversizedRecord));
        let beyond = record(ContentType::ApplicationData, &vec![0; 18_433]);
        assert_eq!(copies.open(1, &beyond), Err(Error::PeerSentOversizedRecord));
        assert!(copies.open(1, &good).is_ok(), "none of these has spoilt anything");
    }
}

#[tokio::test]
async fn the_inside_of_a_record_is_judged_too() {
    let mut copies = Copies::new(suites()[0]).await;
    let cases: [(Vec<u8>, Error); 5] = [
        (vec![], PeerMisbehaved::IllegalTlsInnerPlaintext.into()),
        (vec![0; 100], PeerMisbehaved::IllegalTlsInnerPlaintext.into()),
        (vec![1, 20], PeerMisbehaved::IllegalMiddleboxChangeCipherSpec.into()),
        ([&content(16_385)[..], &[23]].concat(), Error::PeerSentOversizedRecord),
        ([vec![23], vec![0; 16_385]].concat(), Error::PeerSentOversizedRecord),
    ];
    for (inner, expected) in cases {
        let record = copies.by_ring_tls13(4, &inner);
        let error = copies.open(4, &record).expect_err("unlawful");
        assert_eq!(error, expected);
        assert!(Fault::from(error).alert.is_some());
    }
    let oversized = content(16_385);
    let sealed = copies.sealer.seal(23, 5, &[&oversized], &mut Vec::new());
    assert_eq!(sealed, Err(Error::EncryptError));
    let other = Error::InvalidMessage(InvalidMessage::MessageTooLarge);
    assert!(Fault::from(other).alert.is_some());
}

#[tokio::test]
async fn secrets_of_another_suite_are_refused() {
    for suite in suites() {
        for other in suites() {
            let ((_, client), _) = establish(&configs_of(suite), ROOMY).await;
            // Of the same length they do no harm.
            let fits = format!("{suite:?}").contains("128") == format!("{other:?}").contains("128");
            assert_eq!(SoftwareSealer::new(other, client.tx.1).is_ok(), fits);
            assert_eq!(SoftwareOpener::new(other, client.rx.1).is_ok(), fits);
        }
    }
}
