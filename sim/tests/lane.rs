// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A lane alone against ring: what the bench measures seals records of TLS 1.3.
#![cfg(feature = "rtl-lane")]

mod rig;

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use ring::aead::{
    AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use sealgate_abi::{Key, Suite};
use sealgate_sim::rtl::{Lane, LaneError, MAX_CONTENT_BYTES};

/// The record of application data (RFC 8446, section 5.2).
fn record(key: &LessSafeKey, iv: [u8; 12], sequence_number: u64, content: &[u8]) -> Vec<u8> {
    let mut nonce = iv;
    for (byte, number) in nonce[4..].iter_mut().zip(sequence_number.to_be_bytes()) {
        *byte ^= number;
    }
    let mut text = content.to_vec();
    text.push(23);
    let length = (text.len() + 16) as u16;
    let mut record = vec![23, 3, 3];
    record.extend(length.to_be_bytes());
    key.seal_in_place_append_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::from(record.clone()),
        &mut text,
    )
    .expect("ring seals");
    record.extend(text);
    record
}

#[test]
fn a_lane_alone_seals_what_ring_does() {
    let seed = rig::seed();
    println!("seed: {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let bytes: [u8; 32] = rng.random();
    let short = bytes.first_chunk().expect("32 bytes hold 16");
    for (key, algorithm) in [
        (Key::Aes128(short), &AES_128_GCM),
        (Key::Aes256(&bytes), &AES_256_GCM),
        (Key::Chacha20(&bytes), &CHACHA20_POLY1305),
    ] {
        let suite = key.suite();
        let mut lane = Lane::new().expect("the lane");
        lane.load_key(key).expect("the key is taken");
        let software = UnboundKey::new(algorithm, &bytes[..algorithm.key_len()]).expect("it fits");
        let software = LessSafeKey::new(software);
        let (iv, first) = (rng.random(), rng.random::<u32>().into());
        let lengths = [1, 15, 16, 17, rng.random_range(1..=MAX_CONTENT_BYTES), MAX_CONTENT_BYTES];
        let contents = lengths.map(|length| {
            let mut content = vec![0; length];
            rng.fill_bytes(&mut content);
            content
        });
        let records =
            lane.seal(iv, first, &contents.each_ref().map(Vec::as_slice)).expect("they are sealed");
        let expected =
            contents.iter().zip(first..).map(|(it, number)| record(&software, iv, number, it));
        assert!(records.into_iter().eq(expected), "{suite:?}");
    }
}

#[test]
fn a_key_of_another_suite_is_refused() {
    let mut lane = Lane::new().expect("the lane");
    lane.load_key(Key::Aes128(&[1; 16])).expect("the first key decides");
    lane.load_key(Key::Aes128(&[2; 16])).expect("the same suite again");
    let refused = lane.load_key(Key::Aes256(&[3; 32]));
    assert_eq!(refused, Err(LaneError::Suite { suite: Suite::Aes128Gcm }));
}

#[test]
fn a_content_that_no_record_holds_is_refused() {
    let mut lane = Lane::new().expect("the lane");
    for bytes in [0, MAX_CONTENT_BYTES + 1] {
        let sealed = lane.seal([0; 12], 0, &[&vec![0; bytes]]);
        assert_eq!(sealed, Err(LaneError::ContentLength { bytes }));
    }
}
