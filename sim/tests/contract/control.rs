// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Reset, zeroize, self test, counters; and a device that hangs or vanishes.

use std::thread;
use std::time::Duration;

use sealgate_abi::regs::{Magic, QueueControl, Register, RegisterIo, SelftestState};
use sealgate_abi::{RecordEntry, Status};
use sealgate_driver::transport::{Transport, TransportError};

use crate::rig::tls::{load_both, open_entry, pattern, seal_entry, suites};
use crate::rig::{Buffer, Queue, Rig, nop, on_each_device, wait_until};

/// Records under way in a queue.
struct Traffic {
    queue: Queue,
    _source: Buffer,
    destination: Buffer,
    seal: RecordEntry,
}

impl Traffic {
    /// 100 records of 16 KiB were asked for and the first is done.
    fn start(rig: &Rig) -> Self {
        let mut queue = rig.queue(2, 7, 7);
        let keys = suites()[0];
        load_both(&mut queue, 0, &keys);
        let (source, destination) = (rig.buffer_of(&pattern(16_384)), rig.buffer(17_000));
        let seal = seal_entry(0, 1, source.at(0), 16_384, destination.at(0));
        (0..100).for_each(|_| queue.push(seal.to_bytes()));
        queue.ring();
        assert_eq!(queue.reap().status(), Ok(Status::Success));
        Self { queue, _source: source, destination, seal }
    }

    /// Spoils all that the device might still write to, and sees that it does not.
    fn assert_no_dma(&self, rig: &Rig) {
        self.destination.fill(0x3C);
        self.queue.cq.fill(0x3C);
        for _ in 0..100 {
            let _ = rig.registers().device().magic().read();
        }
        thread::sleep(Duration::from_millis(5));
        for buffer in [&self.destination, &self.queue.cq] {
            assert!(buffer.contents().iter().all(|&byte| byte == 0x3C), "DMA after a reset");
        }
    }
}

#[test]
fn a_reset_in_flight_stops_everything_and_wipes_the_contexts() {
    on_each_device(|rig| {
        let mut traffic = Traffic::start(rig);
        rig.soft_reset();
        traffic.assert_no_dma(rig);
        let queue = &mut traffic.queue;
        let page = queue.page();
        assert_eq!((page.sq_head().read().index(), page.cq_tail().read().index()), (0, 0));
        assert_eq!(page.sq_base_lo().read().bits(), queue.sq.at(0) as u32, "bases are kept");

        // An enable from before the reset does not count, nor does writing it again.
        page.queue_control().write(QueueControl::default().with_enable(true));
        rig.registers().device().control().modify(|control| control.with_enable(true));
        for _ in 0..50 {
            assert_eq!(page.sq_head().read().index(), 0);
        }
        queue.start();
        assert_eq!(queue.status(traffic.seal.to_bytes()), Status::ContextMissing);
        load_both(queue, 0, &suites()[0]);
        assert_eq!(queue.status(traffic.seal.to_bytes()), Status::Success);
    });
}

#[test]
fn a_reset_clears_the_counters() {
    on_each_device(|rig| {
        let mut queue = rig.any_queue();
        assert_eq!(queue.run(nop(0)).cookie, 0);
        rig.soft_reset();
        rig.snapshot();
        assert_eq!(queue.page().entries_u64(), 0);
        assert_eq!(rig.registers().device().sealed_records_u64(), 0);
    });
}

#[test]
fn a_hard_reset_in_flight_stops_everything() {
    on_each_device(|rig| {
        let mut traffic = Traffic::start(rig);
        rig.transport.reset().expect("a reset");
        traffic.assert_no_dma(rig);
        rig.wait_for_selftest();
        traffic.queue.start();
        let status = traffic.queue.status(traffic.seal.to_bytes());
        assert_eq!(status, Status::ContextMissing);
    });
}

#[test]
fn zeroize_wipes_every_context_when_the_entries_in_flight_have_completed() {
    on_each_device(|rig| {
        let mut traffic = Traffic::start(rig);
        rig.control(|control| control.with_zeroize(true));
        let queue = &mut traffic.queue;
        // First what was in flight, then what was refused, then what finds its context gone; nothing else.
        let rank = |status| match status {
            Status::Success => 0,
            Status::NotReady => 1,
            Status::ContextMissing => 2,
            other => panic!("{other} in a zeroize"),
        };
        let ranks: Vec<_> = (1..100)
            .map(|_| rank(queue.reap().status().expect("a status of the contract")))
            .collect();
        assert!(ranks.is_sorted(), "{ranks:?}");
        wait_until("the zeroize is over", || rig.registers().device().status().read().ready());
        assert_eq!(queue.status(traffic.seal.to_bytes()), Status::ContextMissing);
        load_both(queue, 0, &suites()[1]);
        assert_eq!(queue.status(traffic.seal.to_bytes()), Status::Success);
        assert_eq!(rig.selftest(), SelftestState::Passed);
    });
}

/// Wherever in the engine the record is when the zeroize comes, it is not sealed with what the wipe leaves of its key.
#[test]
fn a_record_that_meets_a_zeroize_has_its_key_or_is_refused() {
    const MOST_TRIES: usize = 5_000;

    on_each_device(|rig| {
        let mut queue = rig.queue(1, 4, 4);
        let keys = suites()[0];
        let plaintext = pattern(64);
        let (source, destination) = (rig.buffer_of(&plaintext), rig.buffer(128));
        let sealed = keys.seal(1, &plaintext, 23, 0);
        let seal = seal_entry(0, 1, source.at(0), 64, destination.at(0));
        // Later when the last one was refused, earlier when it was sealed: most meet the engine between the two. The
        // device has a thread of its own, and how far it gets in the meantime is the machine's affair: so the tries go
        // on until enough were sealed.
        let mut reads = 0_usize;
        let mut sealed_ones = 0;
        for tried in 1..=MOST_TRIES {
            load_both(&mut queue, 0, &keys);
            destination.fill(0);
            queue.push(seal.to_bytes());
            queue.ring();
            for _ in 0..reads {
                let _ = rig.registers().device().magic().read();
            }
            rig.control(|control| control.with_zeroize(true));
            match queue.reap().status().expect("a status of the contract") {
                Status::Success => {
                    assert!(destination.contents().starts_with(&sealed), "after {reads} reads");
                    sealed_ones += 1;
                    reads = reads.saturating_sub(1);
                }
                Status::NotReady | Status::ContextMissing => {
                    reads += if sealed_ones == 0 { 8 } else { 1 };
                }
                other => panic!("{other} in a zeroize"),
            }
            wait_until("the zeroize is over", || rig.registers().device().status().read().ready());
            if tried >= 150 && sealed_ones >= 50 {
                return;
            }
        }
        panic!("{sealed_ones} of {MOST_TRIES} were sealed");
    });
}

#[test]
fn a_failed_self_test_is_noticed_and_refuses_everything_until_a_reset() {
    on_each_device(|rig| {
        let mut queue = rig.any_queue();
        load_both(&mut queue, 0, &suites()[0]);
        rig.control(|control| control.with_selftest_fault(true));
        assert_eq!(rig.selftest(), SelftestState::Passed, "the fault is for tests that follow");
        rig.soft_reset();
        assert_eq!(rig.selftest(), SelftestState::Failed);
        let device = rig.registers().device();
        assert!(!device.status().read().ready());
        assert!(device.errors().read().selftest_failed());
        queue.start();
        for entry in [nop(1), RecordEntry::context_drop(0, 0).to_bytes(), [0xFF; 64]] {
            assert_eq!(queue.status(entry), Status::NotReady);
        }
        assert_eq!(queue.run(nop(0xBEEF)).cookie, 0xBEEF);

        rig.control(|control| control.with_selftest_fault(false));
        assert_eq!(rig.selftest(), SelftestState::Failed);
        rig.soft_reset();
        assert_eq!(rig.selftest(), SelftestState::Passed);
        queue.start();
        assert_eq!(queue.status(nop(2)), Status::Success);
        device.errors().write(device.errors().read());
        assert_eq!(device.errors().read().bits(), 0);
    });
}

#[test]
fn entries_during_the_self_test_are_refused_and_later_ones_served() {
    on_each_device(|rig| {
        let mut queue = rig.queue(0, 4, 4);
        rig.control(|control| control.with_reset(true));
        queue.start();
        let mut refused = 0;
        wait_until("an entry is served", || match queue.status(nop(0)) {
            Status::Success => true,
            Status::NotReady => {
                refused += 1;
                false
            }
            other => panic!("{other} during the self test"),
        });
        println!("{refused} entries came before the self test had passed");
        assert_eq!(rig.selftest(), SelftestState::Passed);
    });
}

#[test]
fn counters_count_what_was_done() {
    on_each_device(|rig| {
        let mut queue = rig.queue(3, 6, 6);
        let keys = suites()[0];
        load_both(&mut queue, 0, &keys);
        let source = rig.buffer_of(&pattern(1000));
        let record = rig.buffer_of(&keys.seal(1, &pattern(500), 23, 11));
        let forged = rig.buffer_of(&pattern(522));
        let destination = rig.buffer(4096);
        rig.snapshot();
        let device = rig.registers().device();
        let beats = rig.lane_beats();
        assert_eq!(device.sealed_records_u64(), 0);

        let seal = |length| seal_entry(0, 1, source.at(0), length, destination.at(0)).to_bytes();
        let open = |source: &Buffer, length| {
            open_entry(1, 1, source.at(0), length, destination.at(0)).to_bytes()
        };
        let entries = [
            seal(1000),
            seal(0),
            seal(1 << 21),
            open(&record, 533),
            open(&forged, 522),
            nop(0),
            RecordEntry { opcode: 77, ..RecordEntry::default() }.to_bytes(),
        ];
        queue.run_all(&entries);
        assert_eq!(device.sealed_records_u64(), 0, "a snapshot stands until the next");
        rig.snapshot();
        assert_eq!(device.sealed_records_u64(), 2);
        assert_eq!(device.sealed_bytes_u64(), 1000);
        assert_eq!(device.opened_records_u64(), 1);
        assert_eq!(device.opened_bytes_u64(), 500);
        assert_eq!(device.rejected_records_u64(), 1);
        // Content, type and padding of the four records that went through the lane, in beats of 16 bytes.
        assert_eq!(rig.lane_beats() - beats, 63 + 1 + 32 + 32);
        assert_eq!(queue.page().entries_u64(), 2 + entries.len() as u64);
        assert_eq!(queue.page().refused_u64(), 3);
        assert!(device.busy_u64() > 0 && device.busy_u64() <= device.cycles_u64());
        assert_eq!(rig.queue(0, 1, 1).page().entries_u64(), 0);
    });
}

#[test]
fn a_device_that_hangs_answers_registers_and_does_nothing_else() {
    on_each_device(|rig| {
        let mut queue = rig.any_queue();
        assert_eq!(queue.run(nop(1)).cookie, 1);
        rig.transport.control().hang();
        queue.push(nop(2));
        queue.ring();
        assert_eq!(rig.registers().device().magic().read().bits(), Magic::RESET);
        assert_eq!(queue.page().sq_tail().read().index(), 2);
        thread::sleep(Duration::from_millis(20));
        assert!(queue.peek().is_none());
        rig.transport.control().revive();
        assert_eq!(queue.reap().cookie, 2);
    });
}

#[test]
fn a_device_that_vanishes_reads_all_ones_and_cannot_be_reset() {
    on_each_device(|rig| {
        let mut traffic = Traffic::start(rig);
        rig.transport.control().vanish();
        traffic.assert_no_dma(rig);
        for offset in [0, 0x24, 0x1000, 0x4050, 0x7FFC] {
            assert_eq!(rig.transport.read32(offset), u32::MAX);
        }
        assert!(matches!(rig.transport.reset(), Err(TransportError::Gone { .. })));
        rig.transport.control().revive();
        rig.transport.reset().expect("a reset");
        rig.wait_for_selftest();
        traffic.queue.start();
        assert_eq!(traffic.queue.run(nop(3)).cookie, 3);
    });
}
