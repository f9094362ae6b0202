// SPDX-License-Identifier: Apache-2.0 OR MIT
//! BAR 0: what stands in it, and who may write it.

use sealgate_abi::MAX_SEAL_BYTES;
use sealgate_abi::regs::{
    Magic, Page, QUEUES, REGISTER_BYTES, REGISTERS, Register, RegisterInfo, RegisterIo,
    SelftestState, Version,
};

use crate::rig::{Rig, on_each_device};

#[test]
fn the_device_says_what_it_is() {
    on_each_device(|rig| {
        let device = rig.registers().device();
        assert_eq!(device.magic().read().bits(), Magic::RESET);
        assert_eq!(device.version().read().bits(), Version::RESET);
        let shape = device.shape().read();
        assert_eq!(usize::from(shape.lanes()), rig.shape.lanes);
        assert_eq!(usize::from(shape.bus_bytes()), rig.shape.bus_bytes());
        assert_eq!(usize::from(shape.queues()), QUEUES);
        assert_eq!((shape.contexts_log2(), shape.ring_log2_max()), (10, 15));
        let features = device.features().read();
        assert!(features.aes_128_gcm() && features.aes_256_gcm() && features.chacha20_poly1305());
        assert!(features.tls12() && features.tls13());
        assert!(features.padding() && features.segmentation() && features.open_run());
        assert_eq!(device.seal_max().read().bytes() as usize, MAX_SEAL_BYTES);
        let status = device.status().read();
        assert_eq!(status.selftest(), Ok(SelftestState::Passed));
        assert!(status.ready() && !status.busy());
    });
}

#[test]
fn a_reset_leaves_every_register_as_the_table_says() {
    on_each_device(|rig| {
        for register in writable() {
            rig.transport.write32(register.address(), !register.single_pulse);
        }
        sealgate_driver::transport::Transport::reset(&*rig.transport).expect("a reset");
        for register in writable() {
            let value = rig.transport.read32(register.address());
            assert_eq!(value, register.reset, "{:?} {}", register.page, register.name);
        }
    });
}

#[test]
fn writes_reach_exactly_the_fields_that_are_writable() {
    on_each_device(|rig| {
        // Enabling a queue or the device is another matter than storing a bit.
        let untouched = ["CONTROL", "QUEUE_CONTROL"];
        for register in REGISTERS.iter().filter(|register| !untouched.contains(&register.name)) {
            let before = rig.transport.read32(register.address());
            for pattern in [u32::MAX, 0x5555_5555, 0xAAAA_AAAA, 0] {
                rig.transport.write32(register.address(), pattern);
                let expected = (before & !register.writable) | (pattern & register.stored());
                let value = rig.transport.read32(register.address());
                assert_eq!(value, expected, "{:?} {}", register.page, register.name);
            }
        }
    });
}

#[test]
fn where_no_register_is_the_bus_reads_zero_and_goes_on() {
    on_each_device(|rig| {
        let holes = [0x00C, 0x01C, 0x02C, 0x07C, 0xFFC, 0x1018, 0x1FFC, REGISTER_BYTES - 4];
        for hole in holes {
            assert!(RegisterInfo::at(hole).is_none());
            rig.transport.write32(hole, u32::MAX);
            assert_eq!(rig.transport.read32(hole), 0, "{hole:#x}");
        }
        assert_the_device_is_alive(rig);
    });
}

#[test]
fn a_queue_page_touches_no_other_queue() {
    on_each_device(|rig| {
        for queue in 0..QUEUES {
            let page = Page::Queue(queue as u8).base();
            rig.transport.write32(page + 0x04, 0x1000_0000 + queue as u32);
        }
        for queue in 0..QUEUES {
            let page = Page::Queue(queue as u8).base();
            assert_eq!(rig.transport.read32(page + 0x04), 0x1000_0000 + queue as u32);
        }
    });
}

fn assert_the_device_is_alive(rig: &Rig) {
    assert_eq!(rig.registers().device().magic().read().bits(), Magic::RESET);
}

/// The registers that keep what is written to them, and nothing else.
fn writable() -> impl Iterator<Item = &'static RegisterInfo> {
    REGISTERS.iter().filter(|register| register.stored() != 0)
}
