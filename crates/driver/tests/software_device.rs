// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The driver with the software device, whose records are compared with ones put together from RFC 8446 and an AEAD.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use ring::aead;
use sealgate_abi::regs::Sealgate;
use sealgate_driver::{
    Device, DeviceError, Direction, HealthState, Key, Plaintext, RecordError, Session,
    SessionConfig, Settings, Status, Suite, TlsVersion,
};
use sealgate_sim::{SimConfig, SimTransport};

use support::{impatient, open, recovered, seal, seal_padded, seed};

const IV: [u8; 12] = *b"twelve bytes";

fn device(settings: Settings) -> (Arc<SimTransport>, Device) {
    let transport = SimTransport::model(SimConfig::default()).unwrap();
    let device = Device::open(Arc::clone(&transport) as _, settings).unwrap();
    (transport, device)
}

fn key(suite: Suite, bytes: &[u8; 32]) -> Key<'_> {
    match suite {
        Suite::Aes128Gcm => Key::Aes128(bytes.first_chunk().unwrap()),
        Suite::Aes256Gcm => Key::Aes256(bytes),
        Suite::Chacha20Poly1305 => Key::Chacha20(bytes),
    }
}

fn sessions(device: &Device, key: Key<'_>) -> (Session, Session) {
    (device.session(Direction::Seal, key, IV), device.session(Direction::Open, key, IV))
}

/// What tells one record from another, besides its content.
#[derive(Clone, Copy)]
struct Kind<'a> {
    version: TlsVersion,
    suite: Suite,
    key: &'a [u8; 32],
}

impl Kind<'_> {
    fn sessions(&self, device: &Device) -> (Session, Session) {
        let Self { version, suite, key: bytes } = *self;
        assert!(device.supports_version(version, suite));
        let session = |direction| {
            let key = key(suite, bytes);
            device.session_with(SessionConfig { version, direction, key, iv: IV })
        };
        (session(Direction::Seal), session(Direction::Open))
    }

    /// The record of RFC 8446, section 5.2, or of RFC 5246, section 6.2.3.3, with RFC 5288 or RFC 7905.
    fn record(&self, sequence: u64, content: &[u8], padded: usize) -> Vec<u8> {
        let algorithm = match self.suite {
            Suite::Aes128Gcm => &aead::AES_128_GCM,
            Suite::Aes256Gcm => &aead::AES_256_GCM,
            Suite::Chacha20Poly1305 => &aead::CHACHA20_POLY1305,
        };
        let key = aead::UnboundKey::new(algorithm, &self.key[..algorithm.key_len()]).unwrap();
        let mut nonce = IV;
        for (byte, sequence) in nonce[4..].iter_mut().zip(sequence.to_be_bytes()) {
            *byte ^= sequence;
        }
        let mut text = content.to_vec();
        let mut explicit = Vec::new();
        let mut data = Vec::new();
        if self.version == TlsVersion::Tls13 {
            text.push(23);
            text.resize(padded.max(text.len()), 0);
        } else {
            data.extend(sequence.to_be_bytes());
            data.extend([23, 3, 3]);
            data.extend((content.len() as u16).to_be_bytes());
            if self.suite != Suite::Chacha20Poly1305 {
                explicit.extend(&nonce[4..]);
            }
        }
        let [high, low] = ((explicit.len() + text.len() + 16) as u16).to_be_bytes();
        let header = [23, 3, 3, high, low];
        if self.version == TlsVersion::Tls13 {
            data.extend(header);
        }
        let nonce = aead::Nonce::assume_unique_for_key(nonce);
        let key = aead::LessSafeKey::new(key);
        key.seal_in_place_append_tag(nonce, aead::Aad::from(data), &mut text).unwrap();
        [header.as_slice(), &explicit, &text].concat()
    }
}

/// Each version and suite with a key of its own.
fn kinds(keys: &[[u8; 32]; 6]) -> impl Iterator<Item = Kind<'_>> {
    let pairs = TlsVersion::ALL
        .into_iter()
        .flat_map(|version| Suite::ALL.into_iter().map(move |suite| (version, suite)));
    pairs.zip(keys).map(|((version, suite), key)| Kind { version, suite, key })
}

fn random_bytes(rng: &mut StdRng, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rng.fill_bytes(&mut bytes);
    bytes
}

#[test]
fn records_are_those_of_the_rfcs() {
    let mut rng = StdRng::seed_from_u64(seed());
    let (_, device) = device(Settings::default());
    let keys = rng.random();
    for kind in kinds(&keys) {
        let (mut sealer, mut opener) = kind.sessions(&device);
        let lengths = (0..=65).chain([255, 256, 257, 1460, 4096, 16_383, 16_384]);
        for (sequence, length) in (0..).zip(lengths) {
            let content = random_bytes(&mut rng, length);
            let plaintext =
                Plaintext { content_type: 23, sequence, padding_multiple: 0, chunks: &[&content] };
            let mut record = kind.record(sequence, &content, 0);
            let mut made = vec![0; record.len() - 5];
            sealer.seal(plaintext, &mut made).unwrap();
            assert!(made == record[5..], "{:?} {:?} {length}", kind.version, kind.suite);
            let (header, body) = record.split_at_mut(5);
            let found = opener.open(sequence, header.try_into().unwrap(), body).unwrap();
            assert_eq!((found.content_type, found.length), (23, length));
            assert!(body[..length] == content);
        }
        if kind.version == TlsVersion::Tls13 {
            let record = seal_padded(&mut sealer, 1 << 20, b"padded", 64).unwrap();
            assert_eq!(record, kind.record(1 << 20, b"padded", 64));
            assert_eq!(open(&mut opener, 1 << 20, &record).unwrap(), (23, b"padded".to_vec()));
        }
    }
    assert!(device.health().state.is_healthy());
}

#[test]
fn many_records_are_sealed_and_opened_with_one_entry() {
    let mut rng = StdRng::seed_from_u64(seed());
    let (_, device) = device(Settings::default());
    let keys = rng.random();
    for kind in kinds(&keys) {
        let (mut sealer, mut opener) = kind.sessions(&device);
        for (length, limit) in [(0, 0), (1, 64), (65, 64), (5000, 700), (16_385, 0), (65_536, 0)] {
            let content = random_bytes(&mut rng, length);
            let (front, back) = content.split_at(length / 3);
            let chunks = [front, back];
            let plaintext =
                Plaintext { content_type: 23, sequence: 7, padding_multiple: 0, chunks: &chunks };
            let segments = sealer.segments(&plaintext, limit);
            let mut records = vec![0; segments.bytes];
            assert_eq!(sealer.seal_records(plaintext, limit, &mut records).unwrap(), segments);

            let size = if limit == 0 { 16_384 } else { usize::from(limit) };
            let fragments =
                if length == 0 { vec![&[][..]] } else { content.chunks(size).collect() };
            assert_eq!(fragments.len(), segments.records);
            let expected: Vec<_> = (7..)
                .zip(fragments)
                .flat_map(|(sequence, fragment)| kind.record(sequence, fragment, 0))
                .collect();
            assert!(records == expected, "{length} bytes in {:?}", kind.suite);

            // What follows behind the run stays as it is.
            records.extend([0x17, 3, 3, 0, 40, 0x55]);
            let run = opener.open_run(7, &mut records).unwrap();
            assert_eq!((run.records, run.consumed), (segments.records, segments.bytes));
            assert_eq!((run.length, run.content_type), (length, 23));
            assert!(records[..length] == content);
            assert_eq!(records[segments.bytes..], [0x17, 3, 3, 0, 40, 0x55]);
        }
        let mut forged = kind.record(1, &[7; 40], 0);
        forged[20] ^= 2;
        let before = forged.clone();
        let error = opener.open_run(1, &mut forged).unwrap_err();
        assert!(matches!(error, RecordError::Rejected(Status::BadTag)), "{error}");
        assert_eq!(forged, before);
    }
    let counters = device.counters().unwrap();
    assert_eq!(counters.sealed_records, counters.opened_records);
    assert_eq!(counters.rejected_records, 6);
    assert!(device.health().state.is_healthy());
}

#[test]
fn what_does_not_fit_a_slot_is_refused_without_the_device() {
    let (_, device) = device(Settings { slot_content_bytes: 1, ..Settings::default() });
    let (mut sealer, _) = sessions(&device, Key::Aes128(&[1; 16]));
    let content = vec![1; 30_000];
    let chunks: [&[u8]; 1] = [&content];
    let plaintext =
        Plaintext { content_type: 23, sequence: 9, padding_multiple: 0, chunks: &chunks };
    let mut records = vec![0x33; sealer.segments(&plaintext, 0).bytes];
    let error = sealer.seal_records(plaintext, 0, &mut records).unwrap_err();
    assert!(matches!(error, DeviceError::InvalidArgument { .. }), "{error}");
    assert!(records.iter().all(|&byte| byte == 0x33));
    for limit in [1, 63, 16_385] {
        let error = sealer.seal_records(plaintext, limit, &mut records).unwrap_err();
        assert!(matches!(error, DeviceError::InvalidArgument { .. }), "{error}");
    }
    assert!(device.health().state.is_healthy());
}

#[test]
fn interrupts_can_be_moderated() {
    let settings = Settings {
        spin: Duration::ZERO,
        interrupt_completions: 8,
        interrupt_cycles: u32::MAX,
        ..Settings::default()
    };
    let (transport, device) = device(settings);
    let moderation = Sealgate::new(&*transport).device().irq_moderation().read();
    assert_eq!((moderation.count(), moderation.cycles()), (8, (1 << 24) - 1));
    let (mut sealer, mut opener) = sessions(&device, Key::Chacha20(&[1; 32]));
    for sequence in 0..20 {
        let record = seal(&mut sealer, sequence, b"held back").unwrap();
        assert_eq!(open(&mut opener, sequence, &record).unwrap().1, b"held back");
    }
}

#[test]
fn content_may_come_in_pieces() {
    let (_, device) = device(Settings::default());
    let (mut sealer, mut opener) = sessions(&device, Key::Aes128(&[1; 16]));
    let chunks: [&[u8]; 4] = [b"one ", b"", b"record of ", b"four chunks"];
    let plaintext =
        Plaintext { content_type: 22, sequence: 9, padding_multiple: 0, chunks: &chunks };
    let mut buffer = vec![0; plaintext.encrypted_record_bytes()];
    sealer.seal(plaintext, &mut buffer).unwrap();
    let found = opener.open(9, [23, 3, 3, 0, buffer.len() as u8], &mut buffer).unwrap();
    assert_eq!(found.content_type, 22);
    assert_eq!(&buffer[..found.length], b"one record of four chunks");
}

#[test]
fn a_record_that_was_touched_is_rejected() {
    let mut rng = StdRng::seed_from_u64(seed());
    let (_, device) = device(Settings::default());
    let (mut sealer, mut opener) = sessions(&device, Key::Aes256(&[2; 32]));
    let record = seal(&mut sealer, 0, b"content").unwrap();
    for _ in 0..50 {
        let mut forged = record.clone();
        forged[rng.random_range(0..record.len())] ^= 1 << rng.random_range(0..8);
        let error = open(&mut opener, 0, &forged).unwrap_err();
        let verdict = matches!(error, RecordError::Rejected(Status::BadTag | Status::BadHeader));
        assert!(verdict, "{error}");
    }
    let error = open(&mut opener, 1, &record).unwrap_err();
    assert!(matches!(error, RecordError::Rejected(Status::BadTag)), "{error}");
    assert_eq!(open(&mut opener, 0, &record).unwrap().1, b"content");
    assert!(device.health().state.is_healthy());
}

#[test]
fn a_key_seals_no_more_records_than_its_limit() {
    let (_, device) = device(Settings::default());
    let (mut sealer, _) = sessions(&device, Key::Aes256(&[2; 32]));
    seal(&mut sealer, 23_726_565, b"the last one").unwrap();
    let error = seal(&mut sealer, 23_726_566, b"one too many").unwrap_err();
    assert!(matches!(error, DeviceError::Refused(Status::SequenceExhausted)), "{error}");
    assert!(device.health().state.is_healthy());
}

#[test]
fn more_sessions_than_contexts_from_many_threads() {
    let (_, device) = device(Settings::default());
    let contexts = device.identity().contexts;
    thread::scope(|scope| {
        for worker in 0..4_u8 {
            let device = &device;
            scope.spawn(move || {
                let suite = if worker % 2 == 0 { Suite::Aes128Gcm } else { Suite::Aes256Gcm };
                let mut all: Vec<_> = (0..contexts / 4)
                    .map(|number| sessions(device, key(suite, &[number as u8 ^ worker; 32])))
                    .collect();
                for sequence in 0..2 {
                    for (number, (sealer, opener)) in all.iter_mut().enumerate() {
                        let content = [number as u8, worker, sequence as u8];
                        let record = seal(sealer, sequence, &content).unwrap();
                        let opened = open(opener, sequence, &record).unwrap();
                        assert_eq!(opened, (23, content.to_vec()));
                    }
                }
            });
        }
    });
    let health = device.health();
    assert!(health.state.is_healthy());
    assert!(health.counters.evictions > 0);
    let counters = device.counters().unwrap();
    assert_eq!(counters.sealed_records, 2 * contexts as u64);
    assert_eq!(counters.opened_records, 2 * contexts as u64);
    let refused: u64 = counters.queues.iter().map(|queue| queue.refused).sum();
    assert_eq!(refused, 0);
    let entries: u64 = counters.queues.iter().map(|queue| queue.entries).sum();
    assert!(entries > 4 * contexts as u64 && entries <= health.counters.submitted);
}

#[test]
fn more_threads_than_slots_wait_for_each_other() {
    let (_, device) =
        device(Settings { slots_per_queue: 1, ring_entries: 4, ..Settings::default() });
    thread::scope(|scope| {
        for worker in 0..12_u8 {
            let device = &device;
            scope.spawn(move || {
                let (mut sealer, mut opener) = sessions(device, Key::Aes128(&[worker; 16]));
                for sequence in 0..30 {
                    let content = vec![worker; 2000];
                    let record = seal(&mut sealer, sequence, &content).unwrap();
                    assert_eq!(open(&mut opener, sequence, &record).unwrap(), (23, content));
                }
            });
        }
    });
    assert_eq!(device.health().counters.busy, 0);
}

#[test]
fn a_device_that_hangs_in_the_middle_is_left_and_comes_back() {
    let (transport, device) = device(impatient());
    let stop = AtomicBool::new(false);
    let (done, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let reached = |count: &AtomicUsize, target| {
        support::eventually("progress", || count.load(Ordering::Relaxed) >= target);
    };
    thread::scope(|scope| {
        for worker in 0..4_u8 {
            let (device, stop, done, failed) = (&device, &stop, &done, &failed);
            scope.spawn(move || {
                let (mut sealer, mut opener) = sessions(device, Key::Aes128(&[worker; 16]));
                for sequence in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let content = [worker; 300];
                    let record = seal(&mut sealer, sequence, &content);
                    match record.map(|record| open(&mut opener, sequence, &record)) {
                        Ok(Ok(found)) => {
                            assert_eq!(found, (23, content.to_vec()));
                            done.fetch_add(1, Ordering::Relaxed);
                        }
                        Ok(Err(RecordError::Device(_))) | Err(_) => {
                            failed.fetch_add(1, Ordering::Relaxed);
                            thread::sleep(Duration::from_millis(1));
                        }
                        Ok(Err(RecordError::Rejected(verdict))) => panic!("{verdict}"),
                    }
                }
            });
        }
        reached(&done, 100);
        transport.control().hang();
        support::eventually("the device fails", || !device.health().state.is_healthy());
        let before = failed.load(Ordering::Relaxed);
        reached(&failed, before + 10);
        transport.control().revive();
        recovered(&device);
        let before = done.load(Ordering::Relaxed);
        reached(&done, before + 100);
        stop.store(true, Ordering::Relaxed);
    });
    let counters = device.health().counters;
    assert!(counters.timeouts >= 1 && counters.recoveries >= 1, "{counters:?}");
}

#[test]
fn a_card_that_is_pulled_and_put_back_is_used_again() {
    let (transport, device) = device(impatient());
    let (mut sealer, mut opener) = sessions(&device, Key::Aes256(&[5; 32]));
    seal(&mut sealer, 0, b"before").unwrap();
    transport.control().vanish();
    assert!(seal(&mut sealer, 1, b"meanwhile").is_err());
    let HealthState::Failed { reason } = device.health().state else { panic!("still healthy") };
    assert_eq!(reason.reason(), "gone");
    transport.control().revive();
    recovered(&device);
    let record = seal(&mut sealer, 1, b"after").unwrap();
    assert_eq!(open(&mut opener, 1, &record).unwrap(), (23, b"after".to_vec()));
}

#[test]
fn a_closed_device_leaves_records_to_software_and_can_be_opened_again() {
    let (transport, device) = device(Settings::default());
    let secret = [9; 32];
    let (mut sealer, _) = sessions(&device, key(Suite::Aes256Gcm, &secret));
    seal(&mut sealer, 0, b"while it is open").unwrap();

    device.close();
    device.close();

    assert!(matches!(seal(&mut sealer, 1, b"too late"), Err(DeviceError::Failed(_))));
    drop((sealer, device));
    // Whoever opens the device next finds it in order.
    let (again, secret) = (Device::open(transport, Settings::default()).unwrap(), [9; 32]);
    let (mut sealer, _) = sessions(&again, key(Suite::Aes256Gcm, &secret));
    seal(&mut sealer, 0, b"anew").unwrap();
}
