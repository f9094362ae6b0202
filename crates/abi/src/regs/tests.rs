// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The registers over a memory that keeps what is written.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::*;

/// Words that keep what is written, and the order of the accesses.
#[derive(Default)]
struct Words {
    words: RefCell<BTreeMap<u32, u32>>,
    written: RefCell<Vec<u32>>,
}

impl RegisterIo for Words {
    fn read32(&self, offset: u32) -> u32 {
        self.words.borrow().get(&offset).copied().unwrap_or(0)
    }

    fn write32(&self, offset: u32, value: u32) {
        self.words.borrow_mut().insert(offset, value);
        self.written.borrow_mut().push(offset);
    }
}

#[test]
fn fields_are_placed_as_the_description_says() {
    let ring_size = RingSize::default().with_sq_log2(9).with_cq_log2(10);
    assert_eq!(ring_size.bits(), 0x0a09);
    assert_eq!((ring_size.sq_log2(), ring_size.cq_log2()), (9, 10));

    let shape = Shape::from_bits(0xfa_04_10_01);
    assert_eq!((shape.lanes(), shape.bus_bytes(), shape.queues()), (1, 16, 4));
    assert_eq!((shape.contexts_log2(), shape.ring_log2_max()), (10, 15));
}

#[test]
fn a_setter_changes_its_own_field_only() {
    let all = RingSize::from_bits(u32::MAX).with_cq_log2(0);
    assert_eq!(all.bits(), 0xffff_f0ff);
    let dropped = RingSize::default().with_sq_log2(0xff);
    assert_eq!(dropped.bits(), 0x0000_000f);
}

#[test]
fn modify_keeps_the_other_fields() {
    let io = Words::default();
    let control = Sealgate::new(&io).device().control();
    control.write(Control::default().with_selftest_fault(true));
    control.modify(|value| value.with_enable(true));
    assert_eq!(control.read(), Control::from_bits(0b1001));
}

#[test]
fn queue_registers_stand_in_the_page_of_their_queue() {
    let io = Words::default();
    let registers = Sealgate::new(&io);
    for (queue, page) in QUEUE_PAGES.into_iter().enumerate() {
        let tail = registers.queue(queue).unwrap().sq_tail();
        tail.write(SqTail::default().with_index(7));
        assert_eq!(io.read32(page + 0x40), 7);
        assert_eq!(tail.address(), page + 0x40);
    }
    assert!(registers.queue(QUEUES).is_none());
}

#[test]
fn lane_registers_stand_in_the_device_page() {
    let io = Words::default();
    let registers = Sealgate::new(&io);
    for (lane, base) in LANE_REGISTERS.into_iter().enumerate() {
        io.write32(base + LaneStallSourceLo::OFFSET, 7);
        io.write32(base + LaneStallSourceHi::OFFSET, 1);
        let page = registers.lane(lane).unwrap();
        assert_eq!(page.lane_stall_source_u64(), 0x1_0000_0007);
        assert_eq!(base & !(PAGE_BYTES - 1), DEVICE_PAGE);
        let info = RegisterInfo::at(page.lane_stall_source_lo().address()).unwrap();
        assert_eq!((info.name, info.page), (LaneStallSourceLo::NAME, Page::Lane(lane as u8)));
    }
    assert!(registers.lane(LANES).is_none());
}

#[test]
fn wide_values_join_both_halves() {
    let io = Words::default();
    let queue = Sealgate::new(&io).queue(1).unwrap();
    queue.write_sq_base_u64(0x1234_5678_9abc_d000);
    assert_eq!(queue.sq_base_hi().read().addr(), 0x1234_5678);
    assert_eq!(queue.sq_base_lo().read().addr(), 0x9abcd);
    assert_eq!(queue.sq_base_u64(), 0x1234_5678_9abc_d000);
    assert_eq!(*io.written.borrow(), [QUEUE_PAGES[1] + 4, QUEUE_PAGES[1]]);
}

#[test]
fn an_encoding_without_meaning_is_told() {
    assert_eq!(Status::from_bits(0b01).selftest(), Ok(SelftestState::Passed));
    assert_eq!(Status::default().with_selftest(SelftestState::Failed).bits(), 0b10);
    let error = Status::from_bits(u32::MAX).selftest().unwrap_err();
    assert_eq!(error, UnknownEncoding { field: "selftest", value: 3 });
    assert!(format!("{error}").contains("selftest holds 3"));
}

#[test]
fn debug_shows_the_fields() {
    let status = Status::from_bits(0b101);
    assert_eq!(format!("{status:?}"), "Status { selftest: Ok(Passed), ready: true, busy: false }");
}

#[test]
fn the_table_lists_every_register_once_in_order() {
    assert!(REGISTERS.is_sorted_by(|a, b| a.address() < b.address()));
    for info in REGISTERS {
        assert_eq!(RegisterInfo::at(info.address()), Some(info));
        assert_eq!(info.address() % 4, 0, "{}", info.name);
        assert!(info.offset < PAGE_BYTES && info.address() < REGISTER_BYTES, "{}", info.name);
        assert_eq!(info.write_one_to_clear & !info.writable, 0, "{}", info.name);
        assert_eq!(info.single_pulse & !info.writable, 0, "{}", info.name);
    }
    assert_eq!(RegisterInfo::at(0x0c), None);
}

#[test]
fn the_table_agrees_with_the_types() {
    let errors = RegisterInfo::at(0x28).unwrap();
    assert_eq!((errors.name, errors.page), (Errors::NAME, Page::Device));
    assert_eq!((errors.writable, errors.write_one_to_clear, errors.stored()), (7, 7, 0));

    let control = RegisterInfo::at(Control::OFFSET).unwrap();
    assert_eq!((control.single_pulse, control.stored()), (0b0110, 0b1001));

    let magic = RegisterInfo::at(Magic::OFFSET).unwrap();
    assert_eq!((magic.reset, magic.writable), (0x5ea1_6a7e, 0));
    assert_eq!(Magic::default().value(), 0x5ea1_6a7e);
}
