// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Memory that is not there: each kind of access ends in its own report, and the engine goes on.

use sealgate_abi::regs::{Errors, QueueErrors, Register};
use sealgate_abi::{RecordEntry, Status};
use sealgate_driver::transport::{DmaAccess, Transport};

use crate::rig::tls::{load_both, open_entry, pattern, seal_entry, suites};
use crate::rig::{Buffer, Queue, Rig, nop, on_each_device, wait_until};

/// Reads the sticky errors of the device and clears them.
fn take_errors(rig: &Rig) -> Errors {
    let register = rig.registers().device().errors();
    let errors = register.read();
    register.write(errors);
    errors
}

fn take_queue_errors(queue: &Queue) -> QueueErrors {
    let register = queue.page().queue_errors();
    let errors = register.read();
    register.write(errors);
    errors
}

/// A mapped page with nothing mapped before and behind it.
fn lone_page(rig: &Rig) -> Buffer {
    let page = rig.buffer(4096);
    page.fill(0xA5);
    page
}

/// Where `bytes` would begin to reach over the end or the start of a page, a little and a lot.
fn torn_places(page: &Buffer, bytes: usize) -> [u64; 5] {
    [
        page.at(0).wrapping_sub(1),
        page.at(0).wrapping_sub(bytes as u64 - 1),
        page.at(4096 - bytes + 1),
        page.at(4096 - bytes / 2),
        page.at(4095),
    ]
}

#[test]
fn an_entry_that_cannot_be_read_is_reported() {
    on_each_device(|rig| {
        let mut queue = rig.queue(1, 7, 7);
        assert_eq!(queue.run(nop(9)).cookie, 9);
        // 128 entries are two pages; the ring is mapped anew with one.
        let half = rig.buffer(4096);
        let sq = std::mem::replace(&mut queue.sq, half);
        queue.start();
        for _ in 0..66 {
            queue.sq_tail += 1;
        }
        queue.ring();
        for at in 1..=66 {
            let completion = queue.reap();
            assert_eq!((completion.cookie, completion.sq_head), (0, at));
            // The page is all zero, which is not an operation.
            let expected = if at <= 64 { Status::UnknownOpcode } else { Status::EntryFault };
            assert_eq!(completion.status(), Ok(expected), "entry {at}");
        }
        assert!(take_queue_errors(&queue).entry_fault());
        assert!(take_errors(rig).read_fault());

        queue.sq = sq;
        queue.start();
        assert_eq!(queue.run(nop(10)).cookie, 10);
        assert_eq!(take_queue_errors(&queue).bits(), 0);
        assert_eq!(take_errors(rig).bits(), 0);
    });
}

#[test]
fn a_source_that_cannot_be_read_is_reported() {
    on_each_device(|rig| {
        let mut queue = rig.any_queue();
        let keys = suites()[0];
        load_both(&mut queue, 0, &keys);
        let page = lone_page(rig);
        let destination = rig.buffer(8192);
        for source in torn_places(&page, 300).into_iter().chain([rig.nowhere()]) {
            let seal = seal_entry(0, 1, source, 300, destination.at(0));
            assert_eq!(queue.status(seal.to_bytes()), Status::SourceFault);
            assert!(take_errors(rig).read_fault());
            let open = open_entry(1, 1, source, 300, destination.at(0));
            destination.fill(0x5A);
            assert_eq!(queue.status(open.to_bytes()), Status::SourceFault);
            assert!(destination.contents().iter().all(|&byte| byte == 0x5A));
            assert!(take_errors(rig).read_fault());
            let seal = seal_entry(0, 1, page.at(0), 300, destination.at(0));
            assert_eq!(queue.status(seal.to_bytes()), Status::Success);
            assert_eq!(take_errors(rig).bits(), 0);
            assert!(destination.read(0, 322) == keys.seal(1, &page.read(0, 300), 23, 0));
        }
    });
}

/// What a SEAL leaves behind when its source cannot be read: anything, but no key stream. The record of zeroes is the
/// key stream, and so is the record of what a failed read carries, less that.
#[test]
fn a_seal_whose_source_fails_writes_no_key_stream() {
    on_each_device(|rig| {
        let mut queue = rig.any_queue();
        let keys = suites()[1];
        load_both(&mut queue, 0, &keys);
        let page = lone_page(rig);
        let destination = rig.buffer(8192);
        let length = 2048;
        let source = page.at(4096 - 1024);
        let seal = seal_entry(0, 7, source, length, destination.at(0));
        destination.fill(0);
        assert_eq!(queue.status(seal.to_bytes()), Status::SourceFault);
        let left = destination.contents();
        let stream = keys.seal(7, &vec![0; length], 0, 0);
        // Behind the readable part the plaintext is unknown, and constant byte by byte if it came from a failed read.
        for plain in [0x00, 0xDB] {
            let alike = (5 + 1024..5 + length).filter(|&at| left[at] == stream[at] ^ plain).count();
            assert!(alike < 64, "{alike} bytes of key stream were written");
        }
    });
}

#[test]
fn a_destination_that_cannot_be_written_is_reported() {
    on_each_device(|rig| {
        let mut queue = rig.any_queue();
        let keys = suites()[0];
        load_both(&mut queue, 0, &keys);
        let page = lone_page(rig);
        let source = rig.buffer_of(&pattern(300));
        let record = rig.buffer_of(&keys.seal(1, &pattern(300), 23, 0));
        let read_only = rig.buffer_with_access(4096, DmaAccess::Read);
        read_only.fill(0x77);
        let nowhere = [rig.nowhere(), read_only.at(0), read_only.at(100)];
        for destination in torn_places(&page, 300).into_iter().chain(nowhere) {
            let seal = seal_entry(0, 1, source.at(0), 300, destination);
            assert_eq!(queue.status(seal.to_bytes()), Status::DestinationFault);
            assert!(take_errors(rig).write_fault());
            let open = open_entry(1, 1, record.at(0), 322, destination);
            assert_eq!(queue.status(open.to_bytes()), Status::DestinationFault);
            assert!(take_errors(rig).write_fault());
            let open = open_entry(1, 1, record.at(0), 322, page.at(3));
            assert_eq!(queue.status(open.to_bytes()), Status::Success);
            assert_eq!(take_errors(rig).bits(), 0);
            assert!(page.read(3, 300) == pattern(300));
        }
        assert!(read_only.contents().iter().all(|&byte| byte == 0x77));
    });
}

#[test]
fn memory_that_is_not_needed_is_not_touched() {
    on_each_device(|rig| {
        let mut queue = rig.any_queue();
        let keys = suites()[0];
        load_both(&mut queue, 0, &keys);
        let nowhere = rig.nowhere();
        let buffer = rig.buffer(4096);
        let seal = seal_entry(0, 1, nowhere, 0, buffer.at(0));
        assert_eq!(queue.status(seal.to_bytes()), Status::Success);
        let empty = keys.seal(1, &[], 23, 30);
        buffer.write(0, &empty);
        let open = open_entry(1, 1, buffer.at(0), empty.len(), nowhere);
        assert_eq!(queue.status(open.to_bytes()), Status::Success);
        for entry in [RecordEntry::nop(0), RecordEntry::context_drop(0, 0)] {
            let entry = RecordEntry { source: nowhere, destination: nowhere, ..entry };
            assert_eq!(queue.status(entry.to_bytes()), Status::Success);
        }
        assert_eq!(take_errors(rig).bits(), 0);
    });
}

#[test]
fn a_completion_that_cannot_be_written_is_lost_and_the_engine_goes_on() {
    on_each_device(|rig| {
        let (mut queue, mut other) = (rig.queue(0, 3, 3), rig.queue(1, 3, 3));
        rig.transport.unmap(queue.cq.iova).expect("it was mapped");
        queue.push(nop(1));
        queue.ring();
        wait_until("it is noticed", || queue.page().queue_errors().read().completion_fault());
        assert!(take_queue_errors(&queue).completion_fault());
        assert!(take_errors(rig).write_fault());
        assert_eq!(queue.page().cq_tail().read().index(), 1);
        assert_eq!(other.run(nop(2)).cookie, 2);
        assert_eq!(take_queue_errors(&other).bits(), 0);

        queue.cq = rig.buffer(4096);
        queue.start();
        assert_eq!(queue.run(nop(3)).cookie, 3);
        assert_eq!(take_errors(rig).bits(), 0);
    });
}

#[test]
fn memory_that_was_unmapped_in_flight_is_not_touched_again() {
    on_each_device(|rig| {
        let mut queue = rig.queue(0, 6, 6);
        let keys = suites()[0];
        load_both(&mut queue, 0, &keys);
        let source = rig.buffer_of(&pattern(16_384));
        for _ in 0..3 {
            let destination = rig.buffer(17_000);
            let seal = seal_entry(0, 1, source.at(0), 16_384, destination.at(0));
            (0..40).for_each(|_| queue.push(seal.to_bytes()));
            queue.ring();
            assert_eq!(queue.reap().status(), Ok(Status::Success));
            rig.transport.unmap(destination.iova).expect("it was mapped");
            destination.fill(0x99);
            // A last one, for the case that all others were done by now.
            queue.push(seal.to_bytes());
            queue.ring();
            let statuses: Vec<_> = (1..41).map(|_| queue.reap().status()).collect();
            assert!(destination.contents().iter().all(|&byte| byte == 0x99), "use after unmap");
            let done = statuses.iter().take_while(|status| **status == Ok(Status::Success)).count();
            let (_, rest) = statuses.split_at(done);
            assert!(!rest.is_empty(), "nothing was refused");
            // Other lanes may have been a record ahead when the memory went.
            let count = |wanted| rest.iter().filter(|status| **status == Ok(wanted)).count();
            let late = count(Status::Success);
            assert!(late <= 2 * (rig.shape.lanes - 1), "{statuses:?}");
            assert_eq!(late + count(Status::DestinationFault), rest.len(), "{statuses:?}");
        }
    });
}

/// Everything fails at once, between good entries, and each gets what it deserves.
#[test]
fn faults_under_way_together_do_not_mix() {
    on_each_device(|rig| {
        let mut queue = rig.queue(3, 6, 6);
        let keys = suites()[1];
        load_both(&mut queue, 0, &keys);
        let nowhere = rig.nowhere();
        let source = rig.buffer_of(&pattern(2000));
        let destinations: Vec<_> = (0..60).map(|_| rig.buffer(2022)).collect();
        let entries: Vec<_> = destinations
            .iter()
            .enumerate()
            .map(|(at, destination)| {
                let (from, to) = (source.at(0), destination.at(0));
                let entry = match at % 6 {
                    1 => seal_entry(0, at as u64, nowhere, 2000, to),
                    3 => seal_entry(0, at as u64, from, 2000, nowhere),
                    4 => open_entry(1, at as u64, from, 2000, to),
                    5 => open_entry(1, at as u64, nowhere, 2000, to),
                    _ => seal_entry(0, at as u64, from, 2000, to),
                };
                entry.to_bytes()
            })
            .collect();
        let completions = queue.run_all(&entries);
        for (at, (completion, destination)) in completions.iter().zip(&destinations).enumerate() {
            let expected = match at % 6 {
                1 | 5 => Status::SourceFault,
                3 => Status::DestinationFault,
                4 => Status::BadHeader,
                _ => Status::Success,
            };
            assert_eq!(completion.status(), Ok(expected), "entry {at}");
            if expected == Status::Success {
                let record = keys.seal(at as u64, &pattern(2000), 23, 0);
                assert!(destination.read(0, 2022) == record, "entry {at}");
            }
        }
    });
}
