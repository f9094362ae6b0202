// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Interrupt messages: one for each rise of an enabled bit.

use std::thread;
use std::time::Duration;

use sealgate_abi::regs::{IrqEnable, IrqModeration, IrqStatus, QUEUES, Register};
use sealgate_driver::transport::Transport;

use crate::rig::{PATIENCE, Queue, Rig, nop, on_each_device, wait_until};

fn clear(rig: &Rig, queue: usize) {
    let device = rig.registers().device();
    device.irq_status().write(IrqStatus::from_bits(1 << queue));
    // Reading makes sure that the write has arrived.
    assert_eq!(device.irq_status().read().bits() & 1 << queue, 0);
}

/// A completion, and its bit. It counts when its write is acknowledged; the host may see it long before.
fn complete(rig: &Rig, queue: &mut Queue) {
    queue.run(nop(0));
    wait_until("the completion is acknowledged", || {
        queue.page().cq_tail().read().index() == queue.cq_head
    });
    wait_until("the bit rises", || {
        rig.registers().device().irq_status().read().bits() & 1 << queue.number != 0
    });
}

/// Whether a message comes. One that is on its way arrives while registers are read.
fn message_comes(rig: &Rig, queue: usize) -> bool {
    for _ in 0..20 {
        let _ = rig.registers().device().magic().read();
    }
    rig.transport.wait_for_interrupt(queue, Duration::ZERO).expect("a device")
}

#[test]
fn one_message_comes_for_each_rise_of_the_bit() {
    on_each_device(|rig| {
        for number in 0..QUEUES {
            let mut queue = rig.queue(number, 3, 3);
            complete(rig, &mut queue);
            assert!(rig.transport.wait_for_interrupt(number, PATIENCE).expect("a device"));
            complete(rig, &mut queue);
            assert!(!message_comes(rig, number), "the bit was high already");
            clear(rig, number);
            assert!(!message_comes(rig, number), "clearing is no reason for a message");
            complete(rig, &mut queue);
            assert!(rig.transport.wait_for_interrupt(number, PATIENCE).expect("a device"));
            for other in (0..QUEUES).filter(|other| *other != number) {
                assert!(!message_comes(rig, other));
            }
            clear(rig, number);
        }
    });
}

#[test]
fn a_bit_that_is_not_enabled_sends_nothing() {
    on_each_device(|rig| {
        let mut queue = rig.queue(1, 3, 3);
        rig.registers().device().irq_enable().write(IrqEnable::from_bits(!0b0010));
        complete(rig, &mut queue);
        assert!(!message_comes(rig, 1));
        clear(rig, 1);
        rig.registers().device().irq_enable().write(IrqEnable::from_bits(0b0010));
        complete(rig, &mut queue);
        assert!(rig.transport.wait_for_interrupt(1, PATIENCE).expect("a device"));
    });
}

#[test]
fn a_bit_that_is_high_when_it_is_enabled_sends_its_message() {
    on_each_device(|rig| {
        let mut queue = rig.queue(3, 3, 3);
        let enable = rig.registers().device().irq_enable();
        enable.write(IrqEnable::from_bits(0));
        complete(rig, &mut queue);
        assert!(!message_comes(rig, 3));
        enable.write(IrqEnable::from_bits(0b1000));
        assert!(rig.transport.wait_for_interrupt(3, PATIENCE).expect("a device"));
        enable.write(IrqEnable::from_bits(0));
        enable.write(IrqEnable::from_bits(0b1000));
        assert!(!message_comes(rig, 3), "its message was sent already");
    });
}

#[test]
fn clearing_one_bit_sends_no_message_of_another() {
    on_each_device(|rig| {
        let mut queues = [rig.queue(0, 3, 3), rig.queue(1, 3, 3)];
        for queue in &mut queues {
            complete(rig, queue);
            assert!(rig.transport.wait_for_interrupt(queue.number, PATIENCE).expect("a device"));
        }
        clear(rig, 0);
        assert!(!message_comes(rig, 0) && !message_comes(rig, 1));
        rig.registers().device().irq_status().write(IrqStatus::from_bits(0));
        assert!(!message_comes(rig, 0) && !message_comes(rig, 1));
    });
}

/// As a driver does it: clear the bit, look at the ring, sleep. Nothing may get lost however the two sides fall out.
#[test]
fn a_host_that_sleeps_is_always_woken() {
    on_each_device(|rig| {
        let mut queue = rig.queue(2, 5, 5);
        let mut reaped = 0_u16;
        for round in 0..300_u16 {
            let entries = 1 + round % 7;
            (0..entries).for_each(|at| queue.push(nop(at)));
            queue.ring();
            let mut left = entries;
            while left > 0 {
                clear_and_flush(rig, 2);
                while queue.peek().is_some() {
                    queue.reap();
                    left -= 1;
                    reaped += 1;
                }
                if left > 0 {
                    let woken = rig.transport.wait_for_interrupt(2, PATIENCE).expect("a device");
                    assert!(woken, "nobody woke the host in round {round}");
                }
            }
        }
        wait_until("all completions are acknowledged", || {
            queue.page().cq_tail().read().index() == reaped
        });
    });
}

fn clear_and_flush(rig: &Rig, queue: usize) {
    let device = rig.registers().device();
    device.irq_status().write(IrqStatus::from_bits(1 << queue));
    let _ = device.irq_status().read();
}

/// A message is held back until enough completions were written.
#[test]
fn a_message_can_wait_for_more_completions() {
    on_each_device(|rig| {
        let mut queue = rig.queue(6, 5, 5);
        let moderation = IrqModeration::default().with_count(4).with_cycles(AGES);
        rig.registers().device().irq_moderation().write(moderation);
        for round in 0..5 {
            for at in 1..=4 {
                complete(rig, &mut queue);
                let came = message_comes(rig, 6);
                // The software device, whose time goes on only when nothing else happens, waits for nothing.
                assert!(came == (at == 4) || rig.is_model(), "round {round}, completion {at}");
                if came {
                    break;
                }
            }
            clear(rig, 6);
            assert!(!message_comes(rig, 6));
        }
    });
}

/// More cycles than a test of the RTL runs while it looks whether a message comes.
const AGES: u32 = 0xFF_FFFF;

#[test]
fn a_message_waits_no_longer_than_its_time() {
    on_each_device(|rig| {
        let mut queue = rig.queue(7, 5, 5);
        let moderation = IrqModeration::default().with_count(200).with_cycles(2000);
        rig.registers().device().irq_moderation().write(moderation);
        for _ in 0..5 {
            complete(rig, &mut queue);
            assert!(rig.transport.wait_for_interrupt(7, PATIENCE).expect("a device"));
            clear(rig, 7);
        }
    });
}

#[test]
fn a_message_that_is_held_back_leaves_when_moderation_ends() {
    on_each_device(|rig| {
        let mut queue = rig.queue(5, 5, 5);
        let moderation = rig.registers().device().irq_moderation();
        moderation.write(IrqModeration::default().with_count(200).with_cycles(AGES));
        complete(rig, &mut queue);
        moderation.write(IrqModeration::default());
        assert!(rig.transport.wait_for_interrupt(5, PATIENCE).expect("a device"));
    });
}

#[test]
fn a_device_that_is_taken_out_wakes_whoever_waits() {
    on_each_device(|rig| {
        let transport = rig.transport.clone();
        let waiter = thread::spawn(move || transport.wait_for_interrupt(0, PATIENCE));
        rig.transport.control().vanish();
        assert!(waiter.join().expect("the waiter").is_err());
        rig.transport.control().revive();
    });
}
