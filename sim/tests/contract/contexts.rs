// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Key contexts: loaded once, used by their queue in their direction, dropped in order.

use sealgate_abi::{ContextEntry, Direction, Key, RecordEntry, Status};

use crate::rig::tls::{load_both, open_entry, pattern, seal_entry, suites};
use crate::rig::{Rig, nop, on_each_device};

const CONTEXTS: u16 = 1024;

/// SEAL and OPEN entries for contexts, with memory that they may use.
fn entries(rig: &Rig, seal: u16, open: u16) -> [RecordEntry; 2] {
    let keys = suites()[0];
    let source = rig.buffer_of(&pattern(100));
    let record = rig.buffer_of(&keys.seal(0, &pattern(100), 23, 0));
    let destination = rig.buffer(4096);
    [
        seal_entry(seal, 0, source.at(0), 100, destination.at(0)),
        open_entry(open, 0, record.at(0), 122, destination.at(0)),
    ]
}

#[test]
fn a_context_that_is_not_loaded_is_missing() {
    on_each_device(|rig| {
        let mut queue = rig.any_queue();
        for number in [0, 1, CONTEXTS - 1, CONTEXTS, u16::MAX] {
            let [seal, open] = entries(rig, number, number);
            assert_eq!(queue.status(seal.to_bytes()), Status::ContextMissing);
            assert_eq!(queue.status(open.to_bytes()), Status::ContextMissing);
            let drop = RecordEntry::context_drop(0, number).to_bytes();
            assert_eq!(queue.status(drop), Status::ContextMissing);
        }
        for out_of_range in [CONTEXTS, 0x8000, u16::MAX] {
            let load = load(out_of_range);
            assert_eq!(queue.status(load.to_bytes()), Status::ContextMissing);
        }
    });
}

fn load(context: u16) -> ContextEntry {
    ContextEntry::load(0, context, Direction::Seal, Key::Aes128(&[1; 16]), [2; 12])
}

#[test]
fn every_context_can_be_loaded_once() {
    on_each_device(|rig| {
        let mut queue = rig.any_queue();
        let loads: Vec<_> = (0..CONTEXTS).map(|context| load(context).to_bytes()).collect();
        let statuses = queue.run_all(&loads);
        assert!(statuses.iter().all(|completion| completion.status() == Ok(Status::Success)));
        let statuses = queue.run_all(&loads);
        assert!(statuses.iter().all(|completion| completion.status() == Ok(Status::ContextBusy)));
    });
}

#[test]
fn a_loaded_context_is_busy_for_everybody_and_foreign_for_other_queues() {
    on_each_device(|rig| {
        let (mut owner, mut other) = (rig.queue(0, 4, 4), rig.queue(3, 4, 4));
        load_both(&mut owner, 6, &suites()[0]);
        assert_eq!(owner.status(load(6).to_bytes()), Status::ContextBusy);
        assert_eq!(other.status(load(6).to_bytes()), Status::ContextBusy);

        let [seal, open] = entries(rig, 6, 7);
        assert_eq!(other.status(seal.to_bytes()), Status::ContextForeign);
        assert_eq!(other.status(open.to_bytes()), Status::ContextForeign);
        let drop = RecordEntry::context_drop(0, 6).to_bytes();
        assert_eq!(other.status(drop), Status::ContextForeign);
        assert_eq!(owner.status(seal.to_bytes()), Status::Success);
        assert_eq!(owner.status(open.to_bytes()), Status::Success);
    });
}

#[test]
fn a_context_works_in_its_direction_only() {
    on_each_device(|rig| {
        let mut queue = rig.any_queue();
        load_both(&mut queue, 4, &suites()[0]);
        let [seal, open] = entries(rig, 5, 4);
        assert_eq!(queue.status(seal.to_bytes()), Status::ContextDirection);
        assert_eq!(queue.status(open.to_bytes()), Status::ContextDirection);
    });
}

#[test]
fn a_dropped_context_is_gone_and_free_for_any_queue() {
    on_each_device(|rig| {
        let (mut first, mut second) = (rig.queue(1, 4, 4), rig.queue(2, 4, 4));
        load_both(&mut first, 8, &suites()[0]);
        let [seal, _] = entries(rig, 8, 9);
        let drop = RecordEntry::context_drop(77, 8).to_bytes();
        let completion = first.run(drop);
        assert_eq!(completion.status(), Ok(Status::Success));
        assert_eq!((completion.cookie, completion.written, completion.records), (77, 0, 0));
        assert_eq!(first.status(seal.to_bytes()), Status::ContextMissing);
        assert_eq!(first.status(drop), Status::ContextMissing);

        let keys = suites()[0];
        second.load(8, Direction::Seal, &keys);
        assert_eq!(second.status(seal.to_bytes()), Status::Success);
        assert_eq!(first.status(seal.to_bytes()), Status::ContextForeign);
    });
}

/// Load, use and drop of one context in one batch: a load comes before, a drop after everything of that context, and
/// the next load of the same number brings another key.
#[test]
fn loads_and_drops_keep_their_place_among_the_records() {
    on_each_device(|rig| {
        let mut queue = rig.queue(0, 6, 6);
        let source = rig.buffer_of(&pattern(3000));
        let suites = suites();
        let mut entries = Vec::new();
        let mut destinations = Vec::new();
        for round in 0..10 {
            let keys = &suites[round % 2];
            entries.push(keys.load(0, 5, Direction::Seal));
            for sequence in 0..4 {
                let destination = rig.buffer(3022);
                let length = 3000 - 700 * sequence as usize;
                let seal = seal_entry(5, sequence, source.at(0), length, destination.at(0));
                entries.push(seal.to_bytes());
                destinations.push((destination, keys.seal(sequence, &pattern(length), 23, 0)));
            }
            entries.push(RecordEntry::context_drop(0, 5).to_bytes());
        }
        for completion in queue.run_all(&entries) {
            assert_eq!(completion.status(), Ok(Status::Success));
        }
        for (destination, record) in destinations {
            assert_eq!(destination.read(0, record.len()), record);
        }
        assert_eq!(queue.status(nop(0)), Status::Success);
    });
}
