// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the tests share. Not every test uses all of it.
#![allow(dead_code, unreachable_pub, reason = "each test is a crate of its own and uses a part")]

pub mod fake;
pub mod tasks;

use std::env;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::thread;
use std::time::{Duration, Instant};

use sealgate_driver::{Device, DeviceError, Plaintext, RecordError, Session, Settings};

/// The seed of a random test: `SEALGATE_SEED`, or another one each time. Printed, so that a failure can be replayed.
pub fn seed() -> u64 {
    let seed = match env::var("SEALGATE_SEED") {
        Ok(text) => text.parse().expect("SEALGATE_SEED is a number"),
        Err(_) => RandomState::new().build_hasher().finish(),
    };
    println!("replay with SEALGATE_SEED={seed}");
    seed
}

/// Settings that notice a hung device and come back soon.
pub fn impatient() -> Settings {
    Settings {
        completion_timeout: Some(Duration::from_millis(50)),
        self_test_timeout: Duration::from_millis(200),
        recovery_delay: Duration::from_millis(1),
        recovery_delay_max: Duration::from_millis(20),
        ..Settings::default()
    }
}

/// Seals `content` as application data into a record with its header.
pub fn seal(session: &mut Session, sequence: u64, content: &[u8]) -> Result<Vec<u8>, DeviceError> {
    seal_padded(session, sequence, content, 0)
}

/// As [`seal`], with padding.
pub fn seal_padded(
    session: &mut Session,
    sequence: u64,
    content: &[u8],
    padding_multiple: u16,
) -> Result<Vec<u8>, DeviceError> {
    let chunks = [content];
    let plaintext = Plaintext { content_type: 23, sequence, padding_multiple, chunks: &chunks };
    let length = plaintext.encrypted_record_bytes();
    let mut record = vec![0; 5 + length];
    session.seal(plaintext, &mut record[5..])?;
    let [high, low] = (length as u16).to_be_bytes();
    record[..5].copy_from_slice(&[23, 3, 3, high, low]);
    Ok(record)
}

/// Opens a record with its header. Returns the content type and the content.
pub fn open(
    session: &mut Session,
    sequence: u64,
    record: &[u8],
) -> Result<(u8, Vec<u8>), RecordError> {
    let (header, encrypted_record) = record.split_first_chunk().expect("a header");
    let mut buffer = encrypted_record.to_vec();
    let opened = session.open(sequence, *header, &mut buffer)?;
    assert_eq!(buffer[opened.length..], encrypted_record[opened.length..]);
    buffer.truncate(opened.length);
    Ok((opened.content_type, buffer))
}

/// Waits until `done`. Gives up after a time that no working test needs.
pub fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Waits until the device works again.
pub fn recovered(device: &Device) {
    eventually("the device recovers", || device.health().state.is_healthy());
}
