// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the simulated transport adds to a device: its thread, its mappings, its faults, its waveform.

mod rig;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rig::{nop, on_each_device, wait_until};
use sealgate_abi::regs::{QUEUES, RegisterIo};
use sealgate_driver::memory::DmaMemory;
use sealgate_driver::transport::{DmaAccess, Iova, Transport, TransportError};
use sealgate_sim::{Shape, SimConfig, SimTransport};

#[test]
fn the_transport_says_that_it_is_simulated_and_how_patient_to_be() {
    on_each_device(|rig| {
        assert!(rig.transport.is_simulated());
        let expected = match (rig.is_model(), rig.shape) {
            (true, _) => "sim:model".to_owned(),
            (_, Shape::NARROWEST) => "sim:rtl".to_owned(),
            (_, shape) => format!("sim:rtl:{shape}"),
        };
        assert_eq!(rig.transport.address(), expected);
        assert!(rig.transport.completion_timeout() >= Duration::from_secs(5));
    });
    let timeout = Duration::from_millis(100);
    let config = SimConfig { completion_timeout: Some(timeout), ..SimConfig::default() };
    let hasty = SimTransport::model(config).expect("the software device starts");
    assert_eq!(hasty.completion_timeout(), timeout);
}

#[test]
fn the_clock_stands_while_there_is_nothing_to_do() {
    on_each_device(|rig| {
        let mut queue = rig.any_queue();
        assert_eq!(queue.run(nop(1)).cookie, 1);
        let control = rig.transport.control();
        let mut before = control.cycles();
        wait_until("the clock stands", || {
            thread::sleep(Duration::from_millis(20));
            let now = control.cycles();
            std::mem::replace(&mut before, now) == now
        });
        assert_eq!(queue.run(nop(2)).cookie, 2);
        assert!(control.cycles() > before);
    });
}

#[test]
fn a_transport_that_is_dropped_takes_its_thread_along() {
    for rig in rig::devices(1) {
        println!("device: {}", rig.name);
        rig.wait_for_selftest();
        let buffer = rig.buffer(4096);
        let control = rig.transport.control();
        assert!(control.cycles() > 0 || rig.is_model());
        drop(rig);
        assert_eq!(control.cycles(), 0, "the thread still answers");
        assert_eq!(Arc::strong_count(&buffer.memory), 1, "the device still holds memory");
    }
}

#[test]
fn mappings_are_taken_back_by_their_start_and_once() {
    on_each_device(|rig| {
        let memory = DmaMemory::allocate(8192).expect("memory");
        let iova = rig.transport.map(&memory, DmaAccess::Read).expect("a mapping");
        let inside = iova.offset(4096);
        for wrong in [inside, Iova(0), Iova(u64::MAX)] {
            let error = rig.transport.unmap(wrong);
            assert!(matches!(error, Err(TransportError::NotMapped { iova, .. }) if iova == wrong));
        }
        rig.transport.unmap(iova).expect("it was mapped");
        assert!(rig.transport.unmap(iova).is_err());
        assert_eq!(Arc::strong_count(&memory), 1);
    });
}

#[test]
fn a_queue_that_does_not_exist_sends_no_interrupt() {
    on_each_device(|rig| {
        let came = rig.transport.wait_for_interrupt(QUEUES, Duration::from_millis(1));
        assert!(!came.expect("a device"));
    });
}

#[test]
fn a_device_that_hangs_can_be_reset_but_does_not_come_back_before_it_is_revived() {
    on_each_device(|rig| {
        rig.transport.control().hang();
        rig.transport.reset().expect("a reset");
        let reset = rig.transport.read32(0x24);
        thread::sleep(Duration::from_millis(20));
        assert_eq!(rig.transport.read32(0x24) & 4, 0, "ready, from {reset:#x}");
        rig.transport.control().revive();
        rig.wait_for_selftest();
        assert_eq!(rig.any_queue().run(nop(1)).cookie, 1);
    });
}

#[cfg(feature = "rtl")]
#[test]
fn a_waveform_is_written_where_it_was_asked_for() {
    use sealgate_sim::SimError;

    let folder = std::env::temp_dir().join(format!("sealgate-trace-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let with_trace = |path| SimConfig { trace: Some(path), ..SimConfig::default() };
    for _ in 0..2 {
        let transport = SimTransport::rtl(with_trace(folder.join("wave.fst"))).expect("the RTL");
        let rig = rig::Rig::of(transport);
        rig.wait_for_selftest();
        assert_eq!(rig.any_queue().run(nop(1)).cookie, 1);
    }
    let sizes: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder")
        .map(|file| file.expect("a file").metadata().expect("its size").len())
        .collect();
    assert_eq!(sizes.len(), 2, "a file for each device");
    assert!(sizes.iter().all(|&size| size > 10_000), "{sizes:?}");
    std::fs::remove_dir_all(&folder).expect("the folder goes");

    let nowhere = SimTransport::rtl(with_trace(folder.join("wave.fst")));
    let message = match nowhere {
        Err(error @ SimError::Rtl(_)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(message.contains("wave"), "{message}");
}
