// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Many operations under way at once, started and polled for, on the software device: order, doorbells, contexts, letting
//! go, and a device that fails meanwhile.

mod support;

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sealgate_driver::{
    Device, DeviceError, Direction, Key, RecordError, Sealing, Session, Settings, Status,
};
use sealgate_sim::{SimConfig, SimTransport};

use support::tasks::{IV, opened, random_content, sealed, start, task_session};
use support::{eventually, impatient, recovered, seal, seed};

fn device(settings: Settings) -> (Arc<SimTransport>, Device) {
    let transport = SimTransport::model(SimConfig::default()).unwrap();
    let device = Device::open(Arc::clone(&transport) as _, settings).unwrap();
    (transport, device)
}

#[test]
fn sealed_and_opened_by_tasks_is_as_by_threads() {
    let mut rng = StdRng::seed_from_u64(seed());
    let (_, device) = device(Settings::default());
    let key = rng.random();
    let mut sealer = task_session(&device, Direction::Seal, &key);
    let mut opener = task_session(&device, Direction::Open, &key);
    let mut thread_sealer = device.session(Direction::Seal, Key::Aes128(&key), IV);
    let mut under_way = VecDeque::new();
    let mut sequence = 0;
    for round in 0..300 {
        let content = random_content(&mut rng, if round % 7 == 0 { 60_000 } else { 2_000 });
        let started = loop {
            match start(&mut sealer, sequence, &content) {
                Err(DeviceError::Busy { .. }) => {
                    check(&mut under_way, &mut opener, &mut thread_sealer);
                }
                started => break started.unwrap(),
            }
        };
        let records = content.len().div_ceil(16_384).max(1) as u64;
        under_way.push_back((sequence, content, started));
        sequence += records;
    }
    while !under_way.is_empty() {
        check(&mut under_way, &mut opener, &mut thread_sealer);
    }
    assert_eq!(device.health().counters.sealed_records, 2 * sequence);
    assert_eq!(device.health().counters.opened_records, sequence);
}

/// Waits for the oldest SEAL, compares its records with those of a thread, and opens them.
fn check(
    under_way: &mut VecDeque<(u64, Vec<u8>, Sealing)>,
    opener: &mut Session,
    thread_sealer: &mut Session,
) {
    let (sequence, content, mut sealing) = under_way.pop_front().unwrap();
    let segments = sealed(&mut sealing).unwrap();
    let fragments: Vec<&[u8]> =
        if content.is_empty() { vec![&[]] } else { content.chunks(16_384).collect() };
    assert_eq!(segments.records, fragments.len());
    let mut buffer = opener.buffer();
    while buffer.is_err() {
        buffer = opener.buffer();
    }
    let mut buffer = buffer.unwrap();
    buffer.append(sealing.records()).unwrap();
    let mut opening = opener.start_open(buffer, 0, sequence);
    let run = opened(&mut opening).unwrap();
    assert_eq!((run.records, run.consumed), (segments.records, segments.bytes));
    assert_eq!(opening.content(), content);
    let mut records = sealing.records();
    for (fragment, sequence) in fragments.into_iter().zip(sequence..) {
        let record = seal(thread_sealer, sequence, fragment).unwrap();
        assert_eq!(records[..record.len()], record, "record {sequence}");
        records = &records[record.len()..];
    }
}

#[test]
fn sixty_four_records_are_under_way_with_few_doorbells() {
    let (transport, device) = device(Settings::default());
    let mut session = task_session(&device, Direction::Seal, &[1; 16]);
    transport.control().hang();
    let before = device.health().counters;
    let content = vec![0x5A; 4 * 16_384];
    let mut under_way: Vec<_> =
        (0..16).map(|entry| start(&mut session, 4 * entry, &content).unwrap()).collect();
    session.ring();
    transport.control().revive();
    for sealing in &mut under_way {
        assert_eq!(sealed(sealing).unwrap().records, 4);
    }
    let after = device.health().counters;
    assert_eq!(after.sealed_records - before.sealed_records, 64);
    assert_eq!(after.submitted - before.submitted, 17, "a load and 16 entries");
    assert!(after.doorbells - before.doorbells <= 2, "{before:?} {after:?}");
}

#[test]
fn a_run_ends_before_a_bad_record_and_the_rest_is_still_there() {
    let (_, device) = device(Settings::default());
    let mut sealer = device.session(Direction::Seal, Key::Aes128(&[2; 16]), IV);
    let mut opener = task_session(&device, Direction::Open, &[2; 16]);
    let good = seal(&mut sealer, 0, b"good").unwrap();
    let mut bad = seal(&mut sealer, 1, b"bad").unwrap();
    *bad.last_mut().unwrap() ^= 1;
    let mut buffer = opener.buffer().unwrap();
    buffer.append(&good).unwrap();
    buffer.append(&bad).unwrap();
    let mut opening = opener.start_open(buffer, 0, 0);
    let run = opened(&mut opening).unwrap();
    assert_eq!((run.records, run.consumed, opening.content()), (1, good.len(), &b"good"[..]));
    let mut rest = opener.start_open(opening.into_buffer(), run.consumed, 1);
    let verdict = opened(&mut rest);
    assert!(matches!(verdict, Err(RecordError::Rejected(Status::BadTag))), "{verdict:?}");
    assert_eq!(rest.records()[run.consumed..], bad);
    assert!(rest.content().is_empty());
}

#[test]
fn what_is_let_go_of_comes_back_wiped() {
    let mut rng = StdRng::seed_from_u64(seed());
    let settings = Settings::default();
    let slots = usize::from(settings.slots_per_queue);
    let (_, device) = device(settings);
    let mut session = task_session(&device, Direction::Seal, &[3; 16]);
    let mut under_way = Vec::new();
    for sequence in 0..10_000 {
        match start(&mut session, sequence, &random_content(&mut rng, 3_000)) {
            Ok(sealing) => under_way.push(sealing),
            Err(error) => {
                assert!(matches!(error, DeviceError::Busy { .. }), "{error}");
                session.ring();
            }
        }
        if rng.random_bool(0.5) && !under_way.is_empty() {
            let index = rng.random_range(0..under_way.len());
            drop(under_way.swap_remove(index));
        }
    }
    drop(under_way);
    let mut buffers = Vec::new();
    eventually("all slots are back", || {
        buffers.extend(session.buffer());
        buffers.len() == slots
    });
    for buffer in &mut buffers {
        assert!(buffer.is_empty());
        assert!(buffer.spare().iter().all(|&byte| byte == 0), "plaintext was left");
    }
    assert!(device.health().state.is_healthy());
}

#[test]
fn a_session_that_goes_takes_nothing_from_its_records_under_way() {
    let (transport, device) = device(Settings::default());
    transport.control().hang();
    let mut under_way: Vec<_> = (0..8)
        .map(|number| {
            let mut session = task_session(&device, Direction::Seal, &[number; 16]);
            start(&mut session, 0, &[number; 100]).unwrap()
        })
        .collect();
    transport.control().revive();
    for (sealing, number) in under_way.iter_mut().zip(0..) {
        sealed(sealing).unwrap();
        let mut session = device.session(Direction::Seal, Key::Aes128(&[number; 16]), IV);
        assert_eq!(sealing.records(), seal(&mut session, 0, &[number; 100]).unwrap());
    }
}

#[test]
fn a_device_that_hangs_or_goes_lets_go_of_its_tasks_with_their_content() {
    for gone in [false, true] {
        let (transport, device) = device(impatient());
        let mut session = task_session(&device, Direction::Seal, &[4; 16]);
        let mut first = start(&mut session, 0, b"before").unwrap();
        sealed(&mut first).unwrap();
        if gone {
            transport.control().vanish();
        } else {
            transport.control().hang();
        }
        // One that is started after that was noticed fails at once.
        let mut under_way: Vec<_> =
            (1..5).filter_map(|sequence| start(&mut session, sequence, b"content").ok()).collect();
        assert!(!under_way.is_empty());
        for sealing in &mut under_way {
            let error = sealed(sealing).unwrap_err();
            assert!(["timeout", "device_failed"].contains(&error.reason()), "{error}");
            assert_eq!(sealing.content(), b"content");
            assert!(sealing.records().is_empty());
        }
        transport.control().revive();
        recovered(&device);
        drop(under_way);
        let mut after = start(&mut session, 5, b"after").unwrap();
        sealed(&mut after).unwrap();
    }
}

#[test]
fn a_reset_ends_what_is_under_way() {
    let (transport, device) = device(impatient());
    let mut session = task_session(&device, Direction::Seal, &[5; 16]);
    let mut waits = start(&mut session, 0, b"content").unwrap();
    sealed(&mut waits).unwrap();
    transport.control().hang();
    let mut reset = start(&mut session, 1, b"content").unwrap();
    session.ring();
    eventually("the device is found to hang", || device.health().counters.failures > 0);
    transport.control().revive();
    recovered(&device);
    assert_eq!(sealed(&mut reset).unwrap_err().reason(), "device_failed");
    let mut stale = start(&mut session, 2, b"content").unwrap();
    sealed(&mut stale).unwrap();
}

#[test]
fn a_closed_device_ends_what_is_under_way() {
    let (transport, device) = device(Settings::default());
    let mut session = task_session(&device, Direction::Seal, &[6; 16]);
    transport.control().hang();
    let mut sealing = start(&mut session, 0, b"content").unwrap();
    let closer = thread::spawn(move || device.close());
    assert_eq!(sealed(&mut sealing).unwrap_err().reason(), "device_failed");
    closer.join().unwrap();
}

#[test]
fn a_hundred_thousand_sessions_share_the_contexts() {
    const SESSIONS: usize = 100_000;
    let mut rng = StdRng::seed_from_u64(seed());
    let (_, device) = device(Settings::default());
    let key_of = |index: usize| {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&index.to_le_bytes());
        key
    };
    let mut sessions: Vec<_> = (0..SESSIONS)
        .map(|index| (task_session(&device, Direction::Seal, &key_of(index)), 0_u64))
        .collect();
    let mut under_way = VecDeque::new();
    let mut samples = Vec::new();
    let mut finish = |under_way: &mut VecDeque<(usize, u64, Sealing)>| {
        let Some((index, sequence, mut sealing)) = under_way.pop_front() else { return };
        sealed(&mut sealing).unwrap();
        if index % 100 == 0 {
            samples.push((index, sequence, sealing.records().to_vec()));
        }
    };
    let mut used = 0;
    while used < SESSIONS {
        let index = rng.random_range(0..SESSIONS);
        let (session, sequence) = &mut sessions[index];
        match start(session, *sequence, &index.to_le_bytes()) {
            Ok(sealing) => {
                under_way.push_back((index, *sequence, sealing));
                *sequence += 1;
                used += 1;
            }
            Err(_) => finish(&mut under_way),
        }
    }
    while !under_way.is_empty() {
        finish(&mut under_way);
    }
    assert!(samples.len() > SESSIONS / 200);
    for (index, sequence, records) in samples {
        let mut session = device.session(Direction::Seal, Key::Aes128(&key_of(index)), IV);
        assert_eq!(records, seal(&mut session, sequence, &index.to_le_bytes()).unwrap());
    }
    let counters = device.health().counters;
    assert!(counters.evictions > SESSIONS as u64 / 2, "{counters:?}");
    assert_eq!((counters.failures, counters.no_context), (0, 0), "{counters:?}");
    while !sessions.is_empty() {
        sessions.swap_remove(rng.random_range(0..sessions.len()));
    }
    assert!(device.health().state.is_healthy());
}

#[test]
fn tasks_on_many_threads_all_get_on() {
    let seed = seed();
    let (_, device) = device(Settings::default());
    thread::scope(|scope| {
        for number in 0..8_u8 {
            let device = &device;
            scope.spawn(move || {
                let mut rng = StdRng::seed_from_u64(seed ^ u64::from(number));
                let mut session = task_session(device, Direction::Seal, &[number; 16]);
                let mut under_way = VecDeque::new();
                for sequence in 0..500 {
                    let content = random_content(&mut rng, 4_000);
                    match start(&mut session, sequence, &content) {
                        Ok(sealing) => under_way.push_back(sealing),
                        Err(_) if under_way.is_empty() => thread::sleep(Duration::from_micros(50)),
                        Err(_) => {
                            sealed(&mut under_way.pop_front().unwrap()).unwrap();
                        }
                    }
                }
                for mut sealing in under_way {
                    sealed(&mut sealing).unwrap();
                }
            });
        }
    });
    assert!(device.health().state.is_healthy());
}
