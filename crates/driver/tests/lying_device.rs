// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The device may be slow, hang, vanish or lie: what the driver makes of it.

mod support;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use sealgate_abi::regs::{Magic, Page, QUEUES, Register, SelftestState, Version};
use sealgate_abi::{Completion, Opcode, Status};
use sealgate_driver::{
    Device, DeviceError, Direction, Failure, HealthState, Key, OpenError, RecordError, Session,
    SessionConfig, Settings, TlsVersion,
};

use support::fake::{Answer, Fake};
use support::{eventually, impatient, open, recovered, seal, seal_padded};

const KEY: [u8; 16] = *b"sixteen byte key";
const IV: [u8; 12] = *b"twelve bytes";
const CONTEXTS_LOG2: u8 = 5;

/// Two rings, sources and destinations for each queue.
const MAPPINGS: usize = 4 * QUEUES;

/// A change to a completion, and what it is.
type Lie = (&'static str, fn(&mut Completion));

fn device(fake: &Arc<Fake>) -> Device {
    Device::open(Arc::clone(fake) as _, impatient()).unwrap()
}

/// Settings under which nothing times out while a test runs.
fn patient() -> Settings {
    Settings { completion_timeout: Some(Duration::from_secs(3600)), ..impatient() }
}

fn sessions(device: &Device) -> (Session, Session) {
    let session = |direction| device.session(direction, Key::Aes128(&KEY), IV);
    (session(Direction::Seal), session(Direction::Open))
}

fn is_record(answer: &Answer) -> bool {
    answer.entry.opcode == Opcode::Seal as u8 || answer.entry.opcode == Opcode::Open as u8
}

/// A device that changes each completion of a record.
fn liar(change: fn(&mut Completion)) -> Arc<Fake> {
    let fake = Fake::new(CONTEXTS_LOG2);
    fake.script(move |answer| {
        if is_record(answer)
            && let Some(completion) = &mut answer.completion
        {
            change(completion);
        }
    });
    fake
}

#[test]
fn an_honest_device_seals_and_opens() {
    let fake = Fake::new(CONTEXTS_LOG2);
    let device = device(&fake);
    let (mut sealer, mut opener) = sessions(&device);
    for (sequence, (length, padding)) in
        [(0, 0), (1, 0), (16_384, 0), (100, 256), (0, 16_384), (16_384, 64)].into_iter().enumerate()
    {
        let content = vec![7; length];
        let record = seal_padded(&mut sealer, sequence as u64, &content, padding).unwrap();
        let found = open(&mut opener, sequence as u64, &record).unwrap();
        assert_eq!(found, (23, content), "{length} bytes padded to {padding}");
    }
}

#[test]
fn one_doorbell_loads_the_context_and_seals() {
    let fake = Fake::new(CONTEXTS_LOG2);
    let device = device(&fake);
    let (mut sealer, _) = sessions(&device);
    seal(&mut sealer, 0, b"first").unwrap();
    let load_and_seal = vec![Opcode::ContextLoad as u8, Opcode::Seal as u8];
    assert_eq!(fake.take_log(), (load_and_seal, 1));
    seal(&mut sealer, 1, b"second").unwrap();
    assert_eq!(fake.take_log(), (vec![Opcode::Seal as u8], 1));
    drop(sealer);
    assert_eq!(fake.take_log(), (vec![Opcode::ContextDrop as u8], 1));
    assert_eq!(fake.loaded_contexts(), 0);
}

#[test]
fn more_sessions_than_contexts_take_turns() {
    let fake = Fake::new(3);
    let device = device(&fake);
    let mut sessions: Vec<_> = (0..32).map(|_| sessions(&device)).collect();
    for sequence in 0..3 {
        for (sealer, opener) in &mut sessions {
            let record = seal(sealer, sequence, b"content").unwrap();
            assert_eq!(open(opener, sequence, &record).unwrap(), (23, b"content".to_vec()));
        }
    }
    let counters = device.health().counters;
    assert_eq!(counters.sealed_records, 96);
    assert!(counters.evictions > 0 && counters.no_context == 0, "{counters:?}");
    assert!(device.health().state.is_healthy());
    drop(sessions);
    assert_eq!(fake.loaded_contexts(), 0);
}

#[test]
fn neither_keys_nor_plaintext_stay_in_dma_memory() {
    let fake = Fake::new(CONTEXTS_LOG2);
    let device = device(&fake);
    let (mut sealer, mut opener) = sessions(&device);
    let content = b"the plaintext of a record".repeat(100);
    let seen = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    fake.script(move |answer| {
        if answer.output.windows(13).any(|window| window == b"the plaintext") {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    });
    let record = seal(&mut sealer, 0, &content).unwrap();
    assert_eq!(open(&mut opener, 0, &record).unwrap().1, content);
    assert_eq!(seen.load(std::sync::atomic::Ordering::Relaxed), 1, "it was there");
    assert!(!fake.remembers(b"the plaintext"));
    assert!(!fake.remembers(&KEY));
    assert!(!fake.remembers(&IV));
}

#[test]
fn closing_wipes_the_contexts_and_unmaps_everything() {
    let fake = Fake::new(CONTEXTS_LOG2);
    let device = device(&fake);
    let (mut sealer, _) = sessions(&device);
    seal(&mut sealer, 0, b"content").unwrap();
    assert_eq!(fake.mappings(), MAPPINGS);
    drop(device);
    seal(&mut sealer, 1, b"a session keeps its device open").unwrap();
    drop(sealer);
    assert_eq!((fake.mappings(), fake.loaded_contexts(), fake.resets()), (0, 0, 1));
}

#[test]
fn a_forged_record_is_the_peers_fault_and_leaves_the_buffer_alone() {
    let fake = Fake::new(CONTEXTS_LOG2);
    let device = device(&fake);
    let (mut sealer, mut opener) = sessions(&device);
    let mut record = seal(&mut sealer, 0, b"content").unwrap();
    record[9] ^= 1;
    let forged = record.clone();
    let (header, buffer) = record.split_first_chunk_mut().unwrap();
    let error = opener.open(0, *header, buffer).unwrap_err();
    assert!(matches!(error, RecordError::Rejected(Status::BadTag)), "{error}");
    assert_eq!(record, forged);
    for length in [0, 16, 16_641, 70_000] {
        let error = opener.open(0, *b"\x17\x03\x03\0\0", &mut vec![0; length]).unwrap_err();
        assert!(matches!(error, RecordError::Rejected(Status::BadLength)), "{length}: {error}");
    }
    let health = device.health();
    assert!(health.state.is_healthy());
    assert_eq!(health.counters.rejected_records, 1);
    assert!(health.counters.refused_by_status().any(|count| count == (Status::BadTag, 1)));
}

#[test]
fn every_lie_in_a_completion_is_noticed() {
    let lies: [Lie; 13] = [
        ("unknown cookie", |completion| completion.cookie = completion.cookie.wrapping_add(9)),
        ("cookie of a pass before", |completion| {
            completion.cookie = completion.cookie.wrapping_sub(256);
        }),
        ("all that of a pass before", |completion| {
            completion.cookie = completion.cookie.wrapping_sub(256);
            completion.sq_head = completion.sq_head.wrapping_sub(1);
        }),
        ("entries never written", |completion| {
            completion.sq_head = completion.sq_head.wrapping_add(1);
        }),
        ("entries given back", |completion| {
            completion.sq_head = completion.sq_head.wrapping_sub(1);
        }),
        ("more written", |completion| completion.written += 1),
        ("less written", |completion| completion.written -= 1),
        ("far too much written", |completion| completion.written = u32::MAX),
        ("less consumed", |completion| completion.consumed -= 1),
        ("no record", |completion| completion.records = 0),
        ("two records", |completion| completion.records = 2),
        ("no content type", |completion| completion.content_type = 0),
        ("a status that does not exist", |completion| completion.status_phase |= 0x7F),
    ];
    for (name, lie) in lies {
        let fake = liar(lie);
        let device = device(&fake);
        let (mut sealer, _) = sessions(&device);
        let error = seal(&mut sealer, 0, b"content").unwrap_err();
        assert!(matches!(error, DeviceError::Inconsistent { .. }), "{name}: {error}");
        fake.honest();
        recovered(&device);
        seal(&mut sealer, 0, b"content").unwrap();
        let counters = device.health().counters;
        let counted = (counters.inconsistencies, counters.failures, counters.recoveries);
        assert_eq!(counted, (1, 1, 1), "{name}");
    }
}

#[test]
fn a_lie_about_an_opened_record_is_noticed() {
    let lies: [Lie; 3] = [
        ("more content than fits", |completion| completion.written = 25),
        ("a record of another length", |completion| completion.consumed += 1),
        ("no content type", |completion| completion.content_type = 0),
    ];
    for (name, lie) in lies {
        let fake = Fake::new(CONTEXTS_LOG2);
        let device = device(&fake);
        let (mut sealer, mut opener) = sessions(&device);
        let mut record = seal_padded(&mut sealer, 0, b"content", 16).unwrap();
        let before = record.clone();
        fake.script(move |answer| {
            if let (true, Some(completion)) = (is_record(answer), &mut answer.completion) {
                lie(completion);
            }
        });
        let (header, buffer) = record.split_first_chunk_mut().unwrap();
        let error = opener.open(0, *header, buffer).unwrap_err();
        let noticed = matches!(error, RecordError::Device(DeviceError::Inconsistent { .. }));
        assert!(noticed, "{name}: {error}");
        assert_eq!(record, before, "{name}");
    }
}

/// The fake knows no records of TLS 1.2: the script says all of what is opened.
fn open_tls12(
    run: bool,
    header_type: u8,
    lie: fn(&mut Completion),
) -> Result<(u8, usize), RecordError> {
    const CONTENT: usize = 7;
    const RECORD_MIN: usize = 5 + 8 + 16;

    let fake = Fake::new(CONTEXTS_LOG2);
    let device = device(&fake);
    let (version, direction) = (TlsVersion::Tls12, Direction::Open);
    let config = SessionConfig { version, direction, key: Key::Aes128(&KEY), iv: IV };
    let mut opener = device.session_with(config);
    fake.script(move |answer| {
        let opcode = answer.entry.opcode;
        if let (true, Some(completion)) =
            (opcode != Opcode::ContextLoad as u8, &mut answer.completion)
        {
            completion.status_phase = Status::Success as u8;
            completion.content_type = header_type;
            completion.records = 1;
            completion.consumed = answer.entry.length;
            completion.written = CONTENT as u32;
            lie(completion);
        }
    });
    let mut record = [0; RECORD_MIN + CONTENT];
    record[0] = header_type;
    record[4] = (record.len() - 5) as u8;
    let before = record;
    let outcome = if run {
        opener.open_run(0, &mut record).map(|opened| (opened.content_type, opened.length))
    } else {
        let (header, buffer) = record.split_first_chunk_mut().unwrap();
        opener.open(0, *header, buffer).map(|opened| (opened.content_type, opened.length))
    };
    if outcome.is_err() {
        assert_eq!(record, before);
    }
    outcome
}

#[test]
fn a_lie_about_an_opened_record_of_tls12_is_noticed() {
    let lies: [Lie; 3] = [
        ("not the type of the header", |completion| completion.content_type ^= 1),
        ("no content type", |completion| completion.content_type = 0),
        ("more content than fits", |completion| completion.written += 1),
    ];
    let is_lie = |outcome: &Result<_, _>| {
        matches!(outcome, Err(RecordError::Device(DeviceError::Inconsistent { .. })))
    };
    for (header_type, run) in [(22, false), (23, false), (22, true), (23, true)] {
        assert_eq!(open_tls12(run, header_type, |_| ()).unwrap(), (header_type, 7));
        for (name, lie) in lies {
            let outcome = open_tls12(run, header_type, lie);
            assert!(is_lie(&outcome), "{name}, run: {run}: {outcome:?}");
        }
    }
    let shorter = open_tls12(false, 23, |completion| completion.written -= 1);
    assert!(is_lie(&shorter), "{shorter:?}");
    // A run ends where a record ends.
    let within = open_tls12(true, 23, |completion| completion.consumed -= 1);
    assert!(is_lie(&within), "{within:?}");
}

#[test]
fn a_wrong_header_of_a_sealed_record_is_noticed() {
    for byte in 0..5 {
        let fake = Fake::new(CONTEXTS_LOG2);
        fake.script(move |answer| {
            if let Some(byte) = answer.output.get_mut(byte) {
                *byte ^= 0x40;
            }
        });
        let (mut sealer, _) = sessions(&device(&fake));
        let error = seal(&mut sealer, 0, b"content").unwrap_err();
        assert!(matches!(error, DeviceError::Inconsistent { .. }), "byte {byte}: {error}");
    }
}

#[test]
fn a_refusal_that_cannot_be_fails_the_device_until_it_was_reset() {
    for status in [Status::ContextMissing, Status::SourceFault, Status::NotReady, Status::BadTag] {
        let fake = Fake::new(CONTEXTS_LOG2);
        fake.script(move |answer| {
            if let (true, Some(completion)) = (is_record(answer), &mut answer.completion) {
                let Completion { cookie, sq_head, .. } = *completion;
                let status_phase = status as u8;
                *completion = Completion { cookie, sq_head, status_phase, ..Completion::default() };
            }
        });
        let device = device(&fake);
        let (mut sealer, _) = sessions(&device);
        let error = seal(&mut sealer, 0, b"content").unwrap_err();
        assert!(matches!(error, DeviceError::Refused(refused) if refused == status), "{error}");
        fake.honest();
        recovered(&device);
        seal(&mut sealer, 0, b"content").unwrap();
        assert_eq!(device.health().counters.resets, 1, "{status}");
    }
}

#[test]
fn the_end_of_a_keys_life_is_no_failure() {
    let fake = liar(|completion| {
        let Completion { cookie, sq_head, .. } = *completion;
        let status_phase = Status::SequenceExhausted as u8;
        *completion = Completion { cookie, sq_head, status_phase, ..Completion::default() };
    });
    let device = device(&fake);
    let (mut sealer, _) = sessions(&device);
    let error = seal(&mut sealer, 0, b"content").unwrap_err();
    assert!(matches!(error, DeviceError::Refused(Status::SequenceExhausted)), "{error}");
    assert!(device.health().state.is_healthy());
}

#[test]
fn a_hung_device_times_out_once_then_fails_at_once_and_comes_back() {
    let fake = Fake::new(CONTEXTS_LOG2);
    let device = device(&fake);
    let (mut sealer, mut opener) = sessions(&device);
    seal(&mut sealer, 0, b"before").unwrap();
    fake.set_hung(true);
    fake.set_resets_fail(true);
    let error = seal(&mut sealer, 1, b"the plaintext while it hangs").unwrap_err();
    assert!(matches!(error, DeviceError::Timeout { .. }), "{error}");
    for _ in 0..100 {
        let error = open(&mut opener, 0, &[0; 64]).unwrap_err();
        assert_eq!(error.reason(), "device_failed", "{error}");
    }
    assert_eq!(device.health().counters.timeouts, 1);
    // The device may still read the slot: it is out of service, and wiped when the device has been reset.
    assert!(fake.remembers(b"the plaintext while it hangs"));
    eventually("an attempt to reset fails", || device.health().counters.resets > 2);
    fake.set_hung(false);
    fake.set_resets_fail(false);
    recovered(&device);
    assert!(!fake.remembers(b"the plaintext while it hangs"));
    let record = seal(&mut sealer, 1, b"after").unwrap();
    assert_eq!(open(&mut opener, 1, &record).unwrap(), (23, b"after".to_vec()));
    assert_eq!(fake.mappings(), MAPPINGS);
}

#[test]
fn a_lost_completion_times_out() {
    let fake = Fake::new(CONTEXTS_LOG2);
    let device = device(&fake);
    fake.script(|answer| answer.completion = None);
    let (mut sealer, _) = sessions(&device);
    let error = seal(&mut sealer, 0, b"content").unwrap_err();
    assert!(matches!(error, DeviceError::Timeout { .. }), "{error}");
}

#[test]
fn a_drop_that_never_completes_is_noticed() {
    let fake = Fake::new(CONTEXTS_LOG2);
    let settings = Settings { ring_entries: 4, ..impatient() };
    let device = Device::open(Arc::clone(&fake) as _, settings).unwrap();
    let (mut first, _) = sessions(&device);
    seal(&mut first, 0, b"content").unwrap();
    fake.script(|answer| answer.completion = None);
    drop(first);
    fake.honest();
    // One session in four is on the same queue, where nothing completes any more when the ring has come round.
    let reasons = (0..16).filter_map(|_| {
        let mut another = device.session(Direction::Seal, Key::Aes128(&KEY), IV);
        seal(&mut another, 0, b"content").err().map(|error| error.reason())
    });
    assert_eq!(reasons.take(1).collect::<Vec<_>>(), ["timeout"]);
    recovered(&device);
    seal(&mut sessions(&device).0, 0, b"content").unwrap();
}

#[test]
fn a_vanished_device_is_told_from_a_hung_one() {
    let fake = Fake::new(CONTEXTS_LOG2);
    let device = Device::open(Arc::clone(&fake) as _, patient()).unwrap();
    fake.set_gone(true);
    let state = device.health().state;
    assert!(matches!(state, HealthState::Failed { reason: Failure::Gone }), "{state:?}");
    assert!(device.counters().is_err());
    fake.set_gone(false);
    recovered(&device);
    fake.set_gone(true);
    let (mut sealer, _) = sessions(&device);
    // Noticed long before the operation would time out.
    assert_eq!(seal(&mut sealer, 0, b"content").unwrap_err().reason(), "device_failed");
    let state = device.health().state;
    let HealthState::Failed { reason } = state else { panic!("still healthy") };
    assert_eq!(reason.reason(), "gone");
    assert_eq!(device.health().counters.timeouts, 0);
}

#[test]
fn every_interrupt_is_waited_for_anew() {
    let fake = Fake::new(CONTEXTS_LOG2);
    let device = Device::open(Arc::clone(&fake) as _, patient()).unwrap();
    let (mut sealer, _) = sessions(&device);
    fake.let_only_interrupts_wake();
    for sequence in 0..3 {
        fake.set_hung(true);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| seal(&mut sealer, sequence, b"content"));
            eventually("it sleeps", || fake.sleepers() == 1);
            fake.catch_up();
            waiting.join().unwrap().unwrap();
        });
    }
}

#[test]
fn a_reset_ends_what_was_under_way() {
    let fake = Fake::new(CONTEXTS_LOG2);
    let device = Device::open(Arc::clone(&fake) as _, patient()).unwrap();
    let (mut lost, mut caught) = sessions(&device);
    let record = seal(&mut lost, 0, b"content").unwrap();
    fake.script(|answer| match &mut answer.completion {
        _ if answer.entry.opcode == Opcode::Seal as u8 => answer.completion = None,
        Some(completion) => completion.records += 1,
        None => {}
    });
    fake.let_only_interrupts_wake();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| seal(&mut lost, 1, b"content"));
        eventually("it sleeps", || fake.sleepers() == 1);
        let error = open(&mut caught, 0, &record).unwrap_err();
        assert_eq!(error.reason(), "inconsistent", "{error}");
        fake.honest();
        recovered(&device);
        // It sleeps still, and is woken by records of another session on its queue, one in eight.
        for _ in 0..QUEUES {
            let mut another = device.session(Direction::Seal, Key::Aes128(&KEY), IV);
            seal(&mut another, 0, b"content").unwrap();
        }
        assert_eq!(waiting.join().unwrap().unwrap_err().reason(), "device_failed");
    });
    assert_eq!(open(&mut caught, 0, &record).unwrap().1, b"content");
}

#[test]
fn a_failed_self_test_after_a_reset_keeps_the_device_out() {
    let fake = Fake::new(CONTEXTS_LOG2);
    let device = device(&fake);
    let (mut sealer, _) = sessions(&device);
    fake.script(|answer| answer.completion = None);
    fake.set_self_test(SelftestState::Failed);
    assert!(seal(&mut sealer, 0, b"content").is_err());
    eventually("the self test is the reason", || match device.health().state {
        HealthState::Failed { reason } => reason.reason() == "self_test",
        HealthState::Healthy => false,
    });
    fake.honest();
    fake.set_self_test(SelftestState::Passed);
    recovered(&device);
    seal(&mut sealer, 0, b"content").unwrap();
}

#[test]
fn nobody_waits_for_a_recovery() {
    let fake = Fake::new(CONTEXTS_LOG2);
    let settings = Settings { self_test_timeout: Duration::from_secs(3600), ..impatient() };
    let device = Device::open(Arc::clone(&fake) as _, settings).unwrap();
    let (mut sealer, _) = sessions(&device);
    fake.script(|answer| answer.completion = None);
    fake.set_self_test(SelftestState::Running);
    assert!(seal(&mut sealer, 0, b"content").is_err());
    eventually("the device is reset", || fake.resets() == 2);
    for _ in 0..100 {
        assert_eq!(seal(&mut sealer, 0, b"content").unwrap_err().reason(), "device_failed");
    }
    drop((sealer, device));
    assert_eq!(fake.mappings(), 0, "closed in the middle of it");
}

#[test]
fn a_context_under_way_is_not_taken_away() {
    let fake = Fake::new(QUEUES.ilog2() as u8);
    let device = Device::open(Arc::clone(&fake) as _, patient()).unwrap();
    // One context for each queue: the first and the last session share one.
    let mut all: Vec<_> =
        (0..=QUEUES).map(|_| device.session(Direction::Seal, Key::Aes128(&KEY), IV)).collect();
    let (first, rest) = all.split_first_mut().unwrap();
    fake.set_hung(true);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| seal(first, 0, b"content"));
        eventually("it is under way", || device.health().counters.submitted == 2);
        let error = seal(&mut rest[QUEUES - 1], 0, b"content").unwrap_err();
        assert!(matches!(error, DeviceError::NoContext), "{error}");
        eventually("it sleeps", || device.health().counters.sleeps > 0);
        fake.catch_up();
        waiting.join().unwrap().unwrap();
    });
    seal(&mut rest[QUEUES - 1], 0, b"content").unwrap();
    let counters = device.health().counters;
    assert_eq!((counters.no_context, counters.evictions), (1, 1));
}

#[test]
fn drops_that_find_no_room_are_made_later() {
    let fake = Fake::new(CONTEXTS_LOG2);
    let settings = Settings { ring_entries: 4, ..patient() };
    let device = Device::open(Arc::clone(&fake) as _, settings).unwrap();
    let session = || device.session(Direction::Seal, Key::Aes128(&KEY), IV);
    // Every fourth session is on the first queue.
    let mut all: Vec<_> = (0..28).map(|_| session()).collect();
    for sealer in &mut all {
        seal(sealer, 0, b"content").unwrap();
    }
    assert_eq!(fake.loaded_contexts(), 28);
    let mut first = session();
    fake.set_hung(true);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| seal(&mut first, 0, b"content"));
        eventually("it is under way", || device.health().counters.submitted == 58);
        drop(all);
        fake.catch_up();
        waiting.join().unwrap().unwrap();
    });
    for _ in 0..8 {
        seal(&mut session(), 0, b"content").unwrap();
    }
    drop(first);
    assert_eq!(fake.loaded_contexts(), 0);
    assert!(device.health().state.is_healthy());
}

#[test]
fn a_device_that_cannot_be_used_is_not_opened() {
    let open = |fake: &Arc<Fake>| Device::open(Arc::clone(fake) as _, impatient()).unwrap_err();
    let fake = Fake::new(CONTEXTS_LOG2);
    fake.set_gone(true);
    assert!(matches!(open(&fake), OpenError::Gone { .. }));

    let fake = Fake::new(CONTEXTS_LOG2);
    fake.set_register(Page::Device, Magic::OFFSET, 0x1234);
    assert!(matches!(open(&fake), OpenError::NotSealgate { magic: 0x1234, .. }));

    let fake = Fake::new(CONTEXTS_LOG2);
    fake.set_self_test(SelftestState::Failed);
    assert!(matches!(open(&fake), OpenError::SelfTestFailed { .. }));

    let fake = Fake::new(CONTEXTS_LOG2);
    fake.set_self_test(SelftestState::Running);
    assert!(matches!(open(&fake), OpenError::SelfTestTimeout { .. }));

    let fake = Fake::new(1);
    assert!(matches!(open(&fake), OpenError::Unusable { .. }));

    let fake = Fake::new(CONTEXTS_LOG2);
    fake.set_resets_fail(true);
    assert!(matches!(open(&fake), OpenError::Transport(_)));

    let fake = Fake::new(CONTEXTS_LOG2);
    fake.set_version_after_reset(Version::default().with_major(1));
    let error = open(&fake);
    assert!(error.to_string().contains("version 1.2.0"), "{error}");
    assert_eq!(fake.mappings(), 0);
}

#[test]
fn what_no_device_could_do_is_refused_without_one() {
    let fake = Fake::new(CONTEXTS_LOG2);
    let device = device(&fake);
    let (mut sealer, mut opener) = sessions(&device);
    let invalid = |result: Result<Vec<u8>, DeviceError>| {
        assert!(matches!(result, Err(DeviceError::InvalidArgument { .. })), "{result:?}");
    };
    invalid(seal(&mut sealer, 0, &vec![0; 16_385]));
    invalid(seal_padded(&mut sealer, 0, b"", 3));
    invalid(seal_padded(&mut sealer, 0, b"", 32_768));
    invalid(seal(&mut opener, 0, b""));
    let plaintext = sealgate_driver::Plaintext {
        content_type: 0,
        sequence: 0,
        padding_multiple: 0,
        chunks: &[b"content"],
    };
    let mut buffer = [0; 24];
    invalid(sealer.seal(plaintext, &mut buffer).map(|()| Vec::new()));
    let plaintext = sealgate_driver::Plaintext { content_type: 23, ..plaintext };
    invalid(sealer.seal(plaintext, &mut buffer[..23]).map(|()| Vec::new()));
    sealer.seal(plaintext, &mut buffer).unwrap();
    assert!(device.health().state.is_healthy());
}

#[test]
fn many_threads_share_the_queues() {
    let fake = Fake::new(CONTEXTS_LOG2);
    let device = device(&fake);
    thread::scope(|scope| {
        for worker in 0..8_u8 {
            let device = &device;
            scope.spawn(move || {
                for round in 0..20 {
                    let (mut sealer, mut opener) = sessions(device);
                    for sequence in 0..10 {
                        let content = vec![worker ^ round; 100 * usize::from(worker) + 1];
                        let record = seal(&mut sealer, sequence, &content).unwrap();
                        assert_eq!(open(&mut opener, sequence, &record).unwrap(), (23, content));
                    }
                }
            });
        }
    });
    assert_eq!(device.health().counters.opened_records, 8 * 20 * 10);
    assert_eq!(fake.loaded_contexts(), 0);
}
