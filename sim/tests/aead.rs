// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The AEAD of a lane alone against ring: any text, any additional data that fits its port, any pauses.
#![cfg(feature = "rtl")]

mod rig;

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use ring::aead::{
    AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use sealgate_abi::{Key, Suite};
use sealgate_sim::rtl::{AadBytes, Aead, Job, MAX_TEXT_BYTES, Operation, Output};

const CONTEXTS: [u16; 6] = [0, 1, 2, 511, 512, 1023];

/// What a job is made of.
struct Message {
    key: usize,
    suite: Suite,
    nonce: [u8; 12],
    aad: Vec<u8>,
    plaintext: Vec<u8>,
    sealed: Output,
}

fn key(bytes: &[u8; 32], number: usize) -> Key<'_> {
    match (number % 3, bytes.first_chunk()) {
        (0, Some(short)) => Key::Aes128(short),
        (1, _) => Key::Aes256(bytes),
        _ => Key::Chacha20(bytes),
    }
}

fn message(rng: &mut StdRng, keys: &[[u8; 32]], length: usize) -> Message {
    let number = rng.random_range(0..keys.len());
    let nonce = rng.random();
    let mut aad = vec![0; rng.random_range(0..=16)];
    rng.fill_bytes(&mut aad);
    let mut plaintext = vec![0; length];
    rng.fill_bytes(&mut plaintext);
    let (algorithm, bytes) = match key(&keys[number], number) {
        Key::Aes128(key) => (&AES_128_GCM, key.as_slice()),
        Key::Aes256(key) => (&AES_256_GCM, key.as_slice()),
        Key::Chacha20(key) => (&CHACHA20_POLY1305, key.as_slice()),
    };
    let software = LessSafeKey::new(UnboundKey::new(algorithm, bytes).expect("the key fits"));
    let mut text = plaintext.clone();
    let tag = software
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(&aad), &mut text)
        .expect("ring seals");
    let tag = tag.as_ref().try_into().expect("16 bytes");
    let sealed = Output { text, tag, error: false };
    let suite = key(&keys[number], number).suite();
    Message { key: number, suite, nonce, aad, plaintext, sealed }
}

impl Message {
    fn job(&self, operation: Operation) -> Job<'_> {
        let text = if operation == Operation::Seal { &self.plaintext } else { &self.sealed.text };
        Job {
            context: CONTEXTS[self.key],
            suite: self.suite,
            operation,
            nonce: self.nonce,
            aad: AadBytes::new(&self.aad).expect("at most 16 bytes"),
            text,
            error_beat: None,
        }
    }

    fn expected(&self, operation: Operation) -> Output {
        let text = if operation == Operation::Seal { &self.sealed.text } else { &self.plaintext };
        Output { text: text.clone(), ..self.sealed }
    }
}

fn lengths(rng: &mut StdRng) -> Vec<usize> {
    let mut lengths: Vec<_> =
        (0..=50).chain([16_385, MAX_TEXT_BYTES - 1, MAX_TEXT_BYTES]).collect();
    lengths.extend((0..100).map(|_| rng.random_range(0..400)));
    lengths.extend((0..20).map(|_| rng.random_range(0..5000)));
    lengths
}

#[test]
fn records_of_every_length_and_additional_data_are_those_of_ring() {
    let seed = rig::seed();
    println!("seed: {seed}");
    for stalls in [0.0, 0.3, 0.8] {
        let mut rng = StdRng::seed_from_u64(seed);
        let keys: [[u8; 32]; CONTEXTS.len()] = rng.random();
        let mut aead = Aead::new().expect("the AEAD").with_stalls(seed, stalls);
        for (number, (context, bytes)) in CONTEXTS.into_iter().zip(&keys).enumerate() {
            aead.load_key(context, key(bytes, number)).expect("a key is loaded");
        }
        let messages: Vec<_> =
            lengths(&mut rng).into_iter().map(|length| message(&mut rng, &keys, length)).collect();
        let operations: Vec<_> = messages
            .iter()
            .map(|_| if rng.random() { Operation::Seal } else { Operation::Open })
            .collect();
        let jobs: Vec<_> = messages.iter().zip(&operations).map(|(m, o)| m.job(*o)).collect();
        let outputs = aead.run(&jobs).expect("the AEAD keeps to its interface");
        for (output, (message, operation)) in outputs.iter().zip(messages.iter().zip(operations)) {
            let length = message.plaintext.len();
            assert!(*output == message.expected(operation), "{operation:?} of {length} bytes");
        }
    }
}

#[test]
fn a_spoiled_beat_spoils_its_record_and_no_other() {
    let seed = rig::seed();
    println!("seed: {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let keys: [[u8; 32]; 3] = rng.random();
    let mut aead = Aead::new().expect("the AEAD").with_stalls(seed, 0.2);
    for (number, (context, bytes)) in CONTEXTS.into_iter().zip(&keys).enumerate() {
        aead.load_key(context, key(bytes, number)).expect("a key is loaded");
    }
    let messages: Vec<_> = (0..60).map(|at| message(&mut rng, &keys, 16 * at + 5)).collect();
    let mut jobs: Vec<_> = messages.iter().map(|message| message.job(Operation::Seal)).collect();
    for (at, job) in jobs.iter_mut().enumerate().skip(1).step_by(3) {
        job.error_beat = Some(at / 2);
    }
    let outputs = aead.run(&jobs).expect("the AEAD keeps to its interface");
    for (at, (output, message)) in outputs.iter().zip(&messages).enumerate() {
        let expected = message.expected(Operation::Seal);
        let Some(beat) = jobs[at].error_beat else {
            assert!(*output == expected, "record {at}");
            continue;
        };
        let (before, after) = output.text.split_at(16 * beat);
        assert!(output.error && before == &expected.text[..16 * beat], "record {at}");
        assert!(after.iter().chain(&output.tag).all(|&byte| byte == 0), "record {at}");
    }
}

#[test]
fn a_wiped_key_is_gone() {
    let mut aead = Aead::new().expect("the AEAD");
    let mut rng = StdRng::seed_from_u64(7);
    let keys = [[0x5C; 32]; 3];
    for _ in 0..20 {
        let message = message(&mut rng, &keys, 100);
        let (number, context) = (message.key, CONTEXTS[message.key]);
        aead.load_key(context, key(&keys[number], number)).expect("a key is loaded");
        let job = message.job(Operation::Seal);
        assert!(aead.run_one(job).expect("a record") == message.sealed);
        aead.wipe(context).expect("a wipe");
        let after = aead.run_one(job).expect("a record");
        assert!(after.text != message.sealed.text && after.tag != message.sealed.tag);
    }
}
