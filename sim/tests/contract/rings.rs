// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Submission and completion rings: order, wrap, phase, room, doorbells.

use sealgate_abi::regs::{QUEUES, QueueControl, Register, SqTail};
use sealgate_abi::{Direction, RecordEntry, Status};

use crate::rig::tls::{load_both, pattern, seal_entry, suites};
use crate::rig::{Queue, nop, on_each_device, wait_until};

#[test]
fn a_completion_tells_of_its_entry() {
    on_each_device(|rig| {
        let mut queue = rig.queue(3, 1, 1);
        for turn in 1..=5 {
            let completion = queue.run(nop(0xFF00 + turn));
            assert_eq!(completion.status(), Ok(Status::Success));
            assert_eq!((completion.cookie, completion.sq_head), (0xFF00 + turn, turn));
            let results = (completion.written, completion.consumed, completion.records);
            assert_eq!((results, completion.content_type), ((0, 0, 0), 0));
        }
    });
}

/// Rings of different sizes, so that their wraps meet in every way, and far enough for the indices to wrap at 2^16.
#[test]
fn rings_wrap_with_their_phases_and_indices() {
    on_each_device(|rig| {
        for (number, (sq_log2, cq_log2, entries)) in
            [(1, 1, 40), (1, 3, 100), (4, 2, 200), (3, 8, 700), (9, 9, 70_000)]
                .into_iter()
                .enumerate()
        {
            let mut queue = rig.queue(number % QUEUES, sq_log2, cq_log2);
            let entries: Vec<_> = (0..entries).map(|at: u32| nop(at as u16)).collect();
            let completions = queue.run_all(&entries);
            for (at, completion) in completions.iter().enumerate() {
                assert_eq!(completion.status(), Ok(Status::Success));
                assert_eq!(completion.cookie, at as u16);
                assert_eq!(completion.sq_head, (at + 1) as u16);
            }
            let page = queue.page();
            assert_eq!(page.sq_head().read().index(), entries.len() as u16);
            wait_until("all completions are acknowledged", || {
                page.cq_tail().read().index() == entries.len() as u16
            });
        }
    });
}

#[test]
fn the_largest_rings_work() {
    on_each_device(|rig| {
        let mut queue = rig.queue(0, 15, 15);
        let entries: Vec<_> = (0..40_000_u32).map(|at| nop(at as u16)).collect();
        let completions = queue.run_all(&entries);
        let cookies = completions.iter().map(|completion| completion.cookie);
        assert!(cookies.eq(0..40_000));
    });
}

#[test]
fn an_entry_is_fetched_only_when_its_completion_has_a_place() {
    on_each_device(|rig| {
        let (mut full, mut other) = (rig.queue(0, 5, 2), rig.queue(1, 3, 3));
        (0..20).for_each(|cookie| full.push(nop(cookie)));
        full.ring();
        let page = full.page();
        wait_until("the completion ring is full", || page.cq_tail().read().index() == 4);
        // The other queue is not held up, and while it works the full one stands.
        for cookie in 0..50 {
            assert_eq!(other.run(nop(cookie)).cookie, cookie);
        }
        assert_eq!(page.sq_head().read().index(), 4);
        assert_eq!(page.cq_tail().read().index(), 4);

        full.cq_head = 1;
        full.return_places();
        wait_until("one more is served", || full.page().cq_tail().read().index() == 5);
        assert_eq!(full.page().sq_head().read().index(), 5);
        let cookies: Vec<_> = (1..20).map(|_| full.reap().cookie).collect();
        assert_eq!(cookies, (1..20).collect::<Vec<_>>());
    });
}

#[test]
fn entries_of_a_queue_complete_in_their_order() {
    on_each_device(|rig| {
        let mut queue = rig.queue(2, 6, 6);
        let keys = suites()[0];
        load_both(&mut queue, 0, &keys);
        let source = rig.buffer_of(&pattern(16_384));
        let destination = rig.buffer(17_000);
        let entries: Vec<_> = (0..120_u16)
            .map(|at| {
                let entry = match at % 4 {
                    0 => seal_entry(0, 1, source.at(0), 16_384, destination.at(0)),
                    1 => RecordEntry::nop(0),
                    2 => seal_entry(0, 1, source.at(0), 1, destination.at(0)),
                    _ => seal_entry(9, 1, source.at(0), 1, destination.at(0)),
                };
                RecordEntry { cookie: at, ..entry }.to_bytes()
            })
            .collect();
        for (at, completion) in queue.run_all(&entries).iter().enumerate() {
            assert_eq!(completion.cookie, at as u16);
            let expected = if at % 4 == 3 { Status::ContextMissing } else { Status::Success };
            assert_eq!(completion.status(), Ok(expected));
        }
    });
}

#[test]
fn a_doorbell_that_is_too_far_ahead_stops_its_queue_only() {
    on_each_device(|rig| {
        let (mut bad, mut good) = (rig.queue(0, 3, 3), rig.queue(1, 3, 3));
        assert_eq!(bad.run(nop(1)).cookie, 1);
        assert!(!bad.page().queue_errors().read().bad_doorbell());
        // One entry was taken: 8 more fit, 9 do not.
        bad.page().sq_tail().write(SqTail::default().with_index(1 + 9));
        wait_until("it is noticed", || bad.page().queue_errors().read().bad_doorbell());
        assert_eq!(good.run(nop(2)).cookie, 2);
        bad.page().sq_tail().write(SqTail::default().with_index(1 + 1));
        assert_eq!(good.run(nop(3)).cookie, 3);
        assert_eq!(bad.page().sq_head().read().index(), 1, "a stopped queue went on");

        let errors = bad.page().queue_errors().read();
        bad.page().queue_errors().write(errors);
        assert_eq!(bad.page().queue_errors().read().bits(), 0);
        bad.start();
        assert_eq!(bad.run(nop(4)).cookie, 4);
        assert_eq!(good.page().queue_errors().read().bits(), 0);
    });
}

#[test]
fn a_full_ring_is_no_bad_doorbell() {
    on_each_device(|rig| {
        let mut queue = rig.queue(0, 3, 4);
        for round in 0..5 {
            (0..8).for_each(|at| queue.push(nop(8 * round + at)));
            queue.ring();
            (0..8).for_each(|at| assert_eq!(queue.reap().cookie, 8 * round + at));
        }
        assert_eq!(queue.page().queue_errors().read().bits(), 0);
    });
}

#[test]
fn a_disabled_queue_finishes_what_was_fetched_and_fetches_no_more() {
    on_each_device(|rig| {
        let (mut queue, mut other) = (rig.queue(0, 7, 7), rig.queue(1, 3, 3));
        let source = rig.buffer_of(&pattern(16_384));
        let destination = rig.buffer(17_000);
        let keys = suites()[0];
        queue.load(0, Direction::Seal, &keys);
        let seal = seal_entry(0, 1, source.at(0), 16_384, destination.at(0));
        (0..100).for_each(|_| queue.push(seal.to_bytes()));
        queue.ring();
        queue.page().queue_control().write(QueueControl::default());
        wait_until("what was fetched is done", || {
            let page = queue.page();
            page.sq_head().read().index() == page.cq_tail().read().index()
                && !rig.registers().device().status().read().busy()
        });
        let fetched = queue.page().sq_head().read().index();
        for _ in 1..fetched {
            assert_eq!(queue.reap().status(), Ok(Status::Success));
        }
        assert_eq!(other.run(nop(5)).cookie, 5);
        assert_eq!(queue.page().sq_head().read().index(), fetched);
        assert!(queue.peek().is_none());

        queue.start();
        wait_until("the queue has begun anew", || queue.page().sq_head().read().index() == 0);
        assert_eq!(queue.run(seal.to_bytes()).sq_head, 1);
    });
}

#[test]
fn nothing_is_fetched_while_the_device_is_not_enabled() {
    on_each_device(|rig| {
        let mut queue = rig.queue(0, 3, 3);
        let device = rig.registers().device();
        device.control().modify(|control| control.with_enable(false));
        queue.push(nop(1));
        queue.ring();
        for _ in 0..50 {
            assert_eq!(queue.page().sq_head().read().index(), 0);
        }
        device.control().modify(|control| control.with_enable(true));
        assert_eq!(queue.reap().cookie, 1);
    });
}

/// One queue is full of long records, another has one short one. Each long record leaves its number in the byte that
/// the short one seals, so the result tells how many of them the short one had to wait for.
#[test]
fn no_queue_has_to_wait_until_another_is_empty() {
    const FIRST_BYTE: usize = 5;
    // Records that a lane takes ahead: 4,096 words, of 257 each.
    const AHEAD: usize = 16;

    on_each_device(|rig| {
        let keys = suites()[0];
        // A hostile bus may be so late with the short entry that all lanes are full by then.
        let most = AHEAD * (rig.shape.lanes + 1);
        let (mut long, mut short) = (rig.queue(0, 7, 7), rig.queue(1, 3, 3));
        load_both(&mut long, 0, &keys);
        load_both(&mut short, 2, &keys);
        let shared = rig.buffer(8192);
        let result = rig.buffer(4096);
        let device = rig.registers().device();
        device.control().modify(|control| control.with_enable(false));
        let sources: Vec<_> = (0..120_u8)
            .map(|number| {
                let sequence = u64::from(number);
                let stream = keys.seal(sequence, &[0; 4096], 23, 0)[FIRST_BYTE];
                let mut content = pattern(4096);
                content[0] = number ^ stream;
                let source = rig.buffer_of(&content);
                let seal = seal_entry(0, sequence, source.at(0), 4096, shared.at(0));
                long.push(seal.to_bytes());
                source
            })
            .collect();
        shared.write(FIRST_BYTE, &[0]);
        let seal = seal_entry(2, 9, shared.at(FIRST_BYTE), 1, result.at(0));
        short.push(seal.to_bytes());
        long.ring();
        short.ring();
        device.control().modify(|control| control.with_enable(true));
        assert_eq!(short.reap().status(), Ok(Status::Success));
        let stream = keys.seal(9, &[0], 23, 0)[FIRST_BYTE];
        let before = result.read(FIRST_BYTE, 1)[0] ^ stream;
        println!("{before} of {} long records came before the short one", sources.len());
        assert!(usize::from(before) < most);
        for _ in &sources {
            assert_eq!(long.reap().status(), Ok(Status::Success));
        }
    });
}

/// A host that loads, uses and drops in all queues at once, each in its own contexts.
#[test]
fn all_queues_work_side_by_side() {
    on_each_device(|rig| {
        let mut queues: Vec<_> = (0..QUEUES).map(|number| rig.queue(number, 4, 5)).collect();
        let keys = suites()[1];
        let source = rig.buffer_of(&pattern(700));
        let destinations: Vec<_> = (0..QUEUES).map(|_| rig.buffer(722)).collect();
        for round in 0..20 {
            for (number, queue) in queues.iter_mut().enumerate() {
                let context = number as u16;
                let load = keys.load(1, context, Direction::Seal);
                let destination = destinations[number].at(0);
                let seal = seal_entry(context, round, source.at(0), 700, destination);
                queue.push(load);
                queue.push(RecordEntry { cookie: 2, ..seal }.to_bytes());
                queue.push(RecordEntry::context_drop(3, context).to_bytes());
            }
            queues.iter().for_each(Queue::ring);
            let record = keys.seal(round, &pattern(700), 23, 0);
            for (queue, destination) in queues.iter_mut().zip(&destinations) {
                for cookie in 1..=3 {
                    let completion = queue.reap();
                    assert_eq!(completion.status(), Ok(Status::Success));
                    assert_eq!(completion.cookie, cookie);
                }
                assert!(destination.read(0, 722) == record);
            }
        }
    });
}
