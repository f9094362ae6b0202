// SPDX-License-Identifier: Apache-2.0 OR MIT
// Made from hdl/regs/sealgate.rdl by `cargo xtask codegen`; edit that file, not this one.

use core::fmt;

use super::{
    Access, Modifiable, Page, Register, RegisterInfo, RegisterIo, UnknownEncoding, Writable, bits,
    read_wide, row, write_wide,
};

/// Number of queue pages.
pub const QUEUES: usize = 8;

/// Number of lanes that the device page has registers for.
pub const LANES: usize = 4;

/// Offset of the device page in BAR 0.
pub const DEVICE_PAGE: u32 = 0x0000;

/// Offset of each lane's registers in BAR 0.
pub const LANE_REGISTERS: [u32; LANES] = [0x0100, 0x0120, 0x0140, 0x0160];

/// Offset of each queue's page in BAR 0.
pub const QUEUE_PAGES: [u32; QUEUES] =
    [0x1000, 0x2000, 0x3000, 0x4000, 0x5000, 0x6000, 0x7000, 0x8000];

/// Every register of every page, in the order of their addresses.
pub const REGISTERS: &[RegisterInfo] = &[
    row(Page::Device, "MAGIC", 0x00, [0x0, 0x0, 0x0], 0x5ea1_6a7e),
    row(Page::Device, "VERSION", 0x04, [0x0, 0x0, 0x0], 0x200),
    row(Page::Device, "BUILD", 0x08, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "SHAPE", 0x10, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "FEATURES", 0x14, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "SEAL_MAX", 0x18, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "CONTROL", 0x20, [0xf, 0x0, 0x6], 0x0),
    row(Page::Device, "STATUS", 0x24, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "ERRORS", 0x28, [0x7, 0x7, 0x0], 0x0),
    row(Page::Device, "IRQ_STATUS", 0x30, [0xff, 0xff, 0x0], 0x0),
    row(Page::Device, "IRQ_ENABLE", 0x34, [0xff, 0x0, 0x0], 0x0),
    row(Page::Device, "IRQ_MODERATION", 0x38, [0xffff_ffff, 0x0, 0x0], 0x0),
    row(Page::Device, "SNAPSHOT", 0x40, [0x1, 0x0, 0x1], 0x0),
    row(Page::Device, "CYCLES_LO", 0x80, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "CYCLES_HI", 0x84, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "BUSY_LO", 0x88, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "BUSY_HI", 0x8c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "SEALED_RECORDS_LO", 0xa8, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "SEALED_RECORDS_HI", 0xac, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "SEALED_BYTES_LO", 0xb0, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "SEALED_BYTES_HI", 0xb4, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "OPENED_RECORDS_LO", 0xb8, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "OPENED_RECORDS_HI", 0xbc, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "OPENED_BYTES_LO", 0xc0, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "OPENED_BYTES_HI", 0xc4, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "REJECTED_RECORDS_LO", 0xc8, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "REJECTED_RECORDS_HI", 0xcc, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "READ_BEATS_LO", 0xd0, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "READ_BEATS_HI", 0xd4, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "READ_STALL_LO", 0xd8, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "READ_STALL_HI", 0xdc, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "WRITE_BEATS_LO", 0xe0, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "WRITE_BEATS_HI", 0xe4, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "WRITE_STALL_LO", 0xe8, [0x0, 0x0, 0x0], 0x0),
    row(Page::Device, "WRITE_STALL_HI", 0xec, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(0), "LANE_BUSY_LO", 0x00, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(0), "LANE_BUSY_HI", 0x04, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(0), "LANE_BEATS_LO", 0x08, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(0), "LANE_BEATS_HI", 0x0c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(0), "LANE_STALL_SOURCE_LO", 0x10, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(0), "LANE_STALL_SOURCE_HI", 0x14, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(0), "LANE_STALL_DESTINATION_LO", 0x18, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(0), "LANE_STALL_DESTINATION_HI", 0x1c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(1), "LANE_BUSY_LO", 0x00, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(1), "LANE_BUSY_HI", 0x04, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(1), "LANE_BEATS_LO", 0x08, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(1), "LANE_BEATS_HI", 0x0c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(1), "LANE_STALL_SOURCE_LO", 0x10, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(1), "LANE_STALL_SOURCE_HI", 0x14, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(1), "LANE_STALL_DESTINATION_LO", 0x18, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(1), "LANE_STALL_DESTINATION_HI", 0x1c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(2), "LANE_BUSY_LO", 0x00, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(2), "LANE_BUSY_HI", 0x04, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(2), "LANE_BEATS_LO", 0x08, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(2), "LANE_BEATS_HI", 0x0c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(2), "LANE_STALL_SOURCE_LO", 0x10, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(2), "LANE_STALL_SOURCE_HI", 0x14, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(2), "LANE_STALL_DESTINATION_LO", 0x18, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(2), "LANE_STALL_DESTINATION_HI", 0x1c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(3), "LANE_BUSY_LO", 0x00, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(3), "LANE_BUSY_HI", 0x04, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(3), "LANE_BEATS_LO", 0x08, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(3), "LANE_BEATS_HI", 0x0c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(3), "LANE_STALL_SOURCE_LO", 0x10, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(3), "LANE_STALL_SOURCE_HI", 0x14, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(3), "LANE_STALL_DESTINATION_LO", 0x18, [0x0, 0x0, 0x0], 0x0),
    row(Page::Lane(3), "LANE_STALL_DESTINATION_HI", 0x1c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(0), "SQ_BASE_LO", 0x00, [0xffff_f000, 0x0, 0x0], 0x0),
    row(Page::Queue(0), "SQ_BASE_HI", 0x04, [0xffff_ffff, 0x0, 0x0], 0x0),
    row(Page::Queue(0), "CQ_BASE_LO", 0x08, [0xffff_f000, 0x0, 0x0], 0x0),
    row(Page::Queue(0), "CQ_BASE_HI", 0x0c, [0xffff_ffff, 0x0, 0x0], 0x0),
    row(Page::Queue(0), "RING_SIZE", 0x10, [0xf0f, 0x0, 0x0], 0x0),
    row(Page::Queue(0), "QUEUE_CONTROL", 0x14, [0x1, 0x0, 0x0], 0x0),
    row(Page::Queue(0), "SQ_TAIL", 0x40, [0xffff, 0x0, 0x0], 0x0),
    row(Page::Queue(0), "CQ_HEAD", 0x44, [0xffff, 0x0, 0x0], 0x0),
    row(Page::Queue(0), "SQ_HEAD", 0x48, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(0), "CQ_TAIL", 0x4c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(0), "QUEUE_ERRORS", 0x50, [0x7, 0x7, 0x0], 0x0),
    row(Page::Queue(0), "ENTRIES_LO", 0x80, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(0), "ENTRIES_HI", 0x84, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(0), "REFUSED_LO", 0x88, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(0), "REFUSED_HI", 0x8c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(0), "WAIT_COMPLETION_LO", 0x90, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(0), "WAIT_COMPLETION_HI", 0x94, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(0), "WAIT_FETCH_LO", 0x98, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(0), "WAIT_FETCH_HI", 0x9c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(0), "WAIT_LANE_LO", 0xa0, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(0), "WAIT_LANE_HI", 0xa4, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(0), "WAIT_CONTEXT_LO", 0xa8, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(0), "WAIT_CONTEXT_HI", 0xac, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(1), "SQ_BASE_LO", 0x00, [0xffff_f000, 0x0, 0x0], 0x0),
    row(Page::Queue(1), "SQ_BASE_HI", 0x04, [0xffff_ffff, 0x0, 0x0], 0x0),
    row(Page::Queue(1), "CQ_BASE_LO", 0x08, [0xffff_f000, 0x0, 0x0], 0x0),
    row(Page::Queue(1), "CQ_BASE_HI", 0x0c, [0xffff_ffff, 0x0, 0x0], 0x0),
    row(Page::Queue(1), "RING_SIZE", 0x10, [0xf0f, 0x0, 0x0], 0x0),
    row(Page::Queue(1), "QUEUE_CONTROL", 0x14, [0x1, 0x0, 0x0], 0x0),
    row(Page::Queue(1), "SQ_TAIL", 0x40, [0xffff, 0x0, 0x0], 0x0),
    row(Page::Queue(1), "CQ_HEAD", 0x44, [0xffff, 0x0, 0x0], 0x0),
    row(Page::Queue(1), "SQ_HEAD", 0x48, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(1), "CQ_TAIL", 0x4c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(1), "QUEUE_ERRORS", 0x50, [0x7, 0x7, 0x0], 0x0),
    row(Page::Queue(1), "ENTRIES_LO", 0x80, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(1), "ENTRIES_HI", 0x84, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(1), "REFUSED_LO", 0x88, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(1), "REFUSED_HI", 0x8c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(1), "WAIT_COMPLETION_LO", 0x90, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(1), "WAIT_COMPLETION_HI", 0x94, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(1), "WAIT_FETCH_LO", 0x98, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(1), "WAIT_FETCH_HI", 0x9c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(1), "WAIT_LANE_LO", 0xa0, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(1), "WAIT_LANE_HI", 0xa4, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(1), "WAIT_CONTEXT_LO", 0xa8, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(1), "WAIT_CONTEXT_HI", 0xac, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(2), "SQ_BASE_LO", 0x00, [0xffff_f000, 0x0, 0x0], 0x0),
    row(Page::Queue(2), "SQ_BASE_HI", 0x04, [0xffff_ffff, 0x0, 0x0], 0x0),
    row(Page::Queue(2), "CQ_BASE_LO", 0x08, [0xffff_f000, 0x0, 0x0], 0x0),
    row(Page::Queue(2), "CQ_BASE_HI", 0x0c, [0xffff_ffff, 0x0, 0x0], 0x0),
    row(Page::Queue(2), "RING_SIZE", 0x10, [0xf0f, 0x0, 0x0], 0x0),
    row(Page::Queue(2), "QUEUE_CONTROL", 0x14, [0x1, 0x0, 0x0], 0x0),
    row(Page::Queue(2), "SQ_TAIL", 0x40, [0xffff, 0x0, 0x0], 0x0),
    row(Page::Queue(2), "CQ_HEAD", 0x44, [0xffff, 0x0, 0x0], 0x0),
    row(Page::Queue(2), "SQ_HEAD", 0x48, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(2), "CQ_TAIL", 0x4c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(2), "QUEUE_ERRORS", 0x50, [0x7, 0x7, 0x0], 0x0),
    row(Page::Queue(2), "ENTRIES_LO", 0x80, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(2), "ENTRIES_HI", 0x84, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(2), "REFUSED_LO", 0x88, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(2), "REFUSED_HI", 0x8c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(2), "WAIT_COMPLETION_LO", 0x90, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(2), "WAIT_COMPLETION_HI", 0x94, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(2), "WAIT_FETCH_LO", 0x98, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(2), "WAIT_FETCH_HI", 0x9c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(2), "WAIT_LANE_LO", 0xa0, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(2), "WAIT_LANE_HI", 0xa4, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(2), "WAIT_CONTEXT_LO", 0xa8, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(2), "WAIT_CONTEXT_HI", 0xac, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(3), "SQ_BASE_LO", 0x00, [0xffff_f000, 0x0, 0x0], 0x0),
    row(Page::Queue(3), "SQ_BASE_HI", 0x04, [0xffff_ffff, 0x0, 0x0], 0x0),
    row(Page::Queue(3), "CQ_BASE_LO", 0x08, [0xffff_f000, 0x0, 0x0], 0x0),
    row(Page::Queue(3), "CQ_BASE_HI", 0x0c, [0xffff_ffff, 0x0, 0x0], 0x0),
    row(Page::Queue(3), "RING_SIZE", 0x10, [0xf0f, 0x0, 0x0], 0x0),
    row(Page::Queue(3), "QUEUE_CONTROL", 0x14, [0x1, 0x0, 0x0], 0x0),
    row(Page::Queue(3), "SQ_TAIL", 0x40, [0xffff, 0x0, 0x0], 0x0),
    row(Page::Queue(3), "CQ_HEAD", 0x44, [0xffff, 0x0, 0x0], 0x0),
    row(Page::Queue(3), "SQ_HEAD", 0x48, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(3), "CQ_TAIL", 0x4c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(3), "QUEUE_ERRORS", 0x50, [0x7, 0x7, 0x0], 0x0),
    row(Page::Queue(3), "ENTRIES_LO", 0x80, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(3), "ENTRIES_HI", 0x84, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(3), "REFUSED_LO", 0x88, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(3), "REFUSED_HI", 0x8c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(3), "WAIT_COMPLETION_LO", 0x90, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(3), "WAIT_COMPLETION_HI", 0x94, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(3), "WAIT_FETCH_LO", 0x98, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(3), "WAIT_FETCH_HI", 0x9c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(3), "WAIT_LANE_LO", 0xa0, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(3), "WAIT_LANE_HI", 0xa4, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(3), "WAIT_CONTEXT_LO", 0xa8, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(3), "WAIT_CONTEXT_HI", 0xac, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(4), "SQ_BASE_LO", 0x00, [0xffff_f000, 0x0, 0x0], 0x0),
    row(Page::Queue(4), "SQ_BASE_HI", 0x04, [0xffff_ffff, 0x0, 0x0], 0x0),
    row(Page::Queue(4), "CQ_BASE_LO", 0x08, [0xffff_f000, 0x0, 0x0], 0x0),
    row(Page::Queue(4), "CQ_BASE_HI", 0x0c, [0xffff_ffff, 0x0, 0x0], 0x0),
    row(Page::Queue(4), "RING_SIZE", 0x10, [0xf0f, 0x0, 0x0], 0x0),
    row(Page::Queue(4), "QUEUE_CONTROL", 0x14, [0x1, 0x0, 0x0], 0x0),
    row(Page::Queue(4), "SQ_TAIL", 0x40, [0xffff, 0x0, 0x0], 0x0),
    row(Page::Queue(4), "CQ_HEAD", 0x44, [0xffff, 0x0, 0x0], 0x0),
    row(Page::Queue(4), "SQ_HEAD", 0x48, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(4), "CQ_TAIL", 0x4c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(4), "QUEUE_ERRORS", 0x50, [0x7, 0x7, 0x0], 0x0),
    row(Page::Queue(4), "ENTRIES_LO", 0x80, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(4), "ENTRIES_HI", 0x84, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(4), "REFUSED_LO", 0x88, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(4), "REFUSED_HI", 0x8c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(4), "WAIT_COMPLETION_LO", 0x90, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(4), "WAIT_COMPLETION_HI", 0x94, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(4), "WAIT_FETCH_LO", 0x98, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(4), "WAIT_FETCH_HI", 0x9c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(4), "WAIT_LANE_LO", 0xa0, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(4), "WAIT_LANE_HI", 0xa4, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(4), "WAIT_CONTEXT_LO", 0xa8, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(4), "WAIT_CONTEXT_HI", 0xac, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(5), "SQ_BASE_LO", 0x00, [0xffff_f000, 0x0, 0x0], 0x0),
    row(Page::Queue(5), "SQ_BASE_HI", 0x04, [0xffff_ffff, 0x0, 0x0], 0x0),
    row(Page::Queue(5), "CQ_BASE_LO", 0x08, [0xffff_f000, 0x0, 0x0], 0x0),
    row(Page::Queue(5), "CQ_BASE_HI", 0x0c, [0xffff_ffff, 0x0, 0x0], 0x0),
    row(Page::Queue(5), "RING_SIZE", 0x10, [0xf0f, 0x0, 0x0], 0x0),
    row(Page::Queue(5), "QUEUE_CONTROL", 0x14, [0x1, 0x0, 0x0], 0x0),
    row(Page::Queue(5), "SQ_TAIL", 0x40, [0xffff, 0x0, 0x0], 0x0),
    row(Page::Queue(5), "CQ_HEAD", 0x44, [0xffff, 0x0, 0x0], 0x0),
    row(Page::Queue(5), "SQ_HEAD", 0x48, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(5), "CQ_TAIL", 0x4c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(5), "QUEUE_ERRORS", 0x50, [0x7, 0x7, 0x0], 0x0),
    row(Page::Queue(5), "ENTRIES_LO", 0x80, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(5), "ENTRIES_HI", 0x84, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(5), "REFUSED_LO", 0x88, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(5), "REFUSED_HI", 0x8c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(5), "WAIT_COMPLETION_LO", 0x90, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(5), "WAIT_COMPLETION_HI", 0x94, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(5), "WAIT_FETCH_LO", 0x98, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(5), "WAIT_FETCH_HI", 0x9c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(5), "WAIT_LANE_LO", 0xa0, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(5), "WAIT_LANE_HI", 0xa4, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(5), "WAIT_CONTEXT_LO", 0xa8, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(5), "WAIT_CONTEXT_HI", 0xac, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(6), "SQ_BASE_LO", 0x00, [0xffff_f000, 0x0, 0x0], 0x0),
    row(Page::Queue(6), "SQ_BASE_HI", 0x04, [0xffff_ffff, 0x0, 0x0], 0x0),
    row(Page::Queue(6), "CQ_BASE_LO", 0x08, [0xffff_f000, 0x0, 0x0], 0x0),
    row(Page::Queue(6), "CQ_BASE_HI", 0x0c, [0xffff_ffff, 0x0, 0x0], 0x0),
    row(Page::Queue(6), "RING_SIZE", 0x10, [0xf0f, 0x0, 0x0], 0x0),
    row(Page::Queue(6), "QUEUE_CONTROL", 0x14, [0x1, 0x0, 0x0], 0x0),
    row(Page::Queue(6), "SQ_TAIL", 0x40, [0xffff, 0x0, 0x0], 0x0),
    row(Page::Queue(6), "CQ_HEAD", 0x44, [0xffff, 0x0, 0x0], 0x0),
    row(Page::Queue(6), "SQ_HEAD", 0x48, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(6), "CQ_TAIL", 0x4c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(6), "QUEUE_ERRORS", 0x50, [0x7, 0x7, 0x0], 0x0),
    row(Page::Queue(6), "ENTRIES_LO", 0x80, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(6), "ENTRIES_HI", 0x84, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(6), "REFUSED_LO", 0x88, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(6), "REFUSED_HI", 0x8c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(6), "WAIT_COMPLETION_LO", 0x90, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(6), "WAIT_COMPLETION_HI", 0x94, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(6), "WAIT_FETCH_LO", 0x98, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(6), "WAIT_FETCH_HI", 0x9c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(6), "WAIT_LANE_LO", 0xa0, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(6), "WAIT_LANE_HI", 0xa4, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(6), "WAIT_CONTEXT_LO", 0xa8, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(6), "WAIT_CONTEXT_HI", 0xac, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(7), "SQ_BASE_LO", 0x00, [0xffff_f000, 0x0, 0x0], 0x0),
    row(Page::Queue(7), "SQ_BASE_HI", 0x04, [0xffff_ffff, 0x0, 0x0], 0x0),
    row(Page::Queue(7), "CQ_BASE_LO", 0x08, [0xffff_f000, 0x0, 0x0], 0x0),
    row(Page::Queue(7), "CQ_BASE_HI", 0x0c, [0xffff_ffff, 0x0, 0x0], 0x0),
    row(Page::Queue(7), "RING_SIZE", 0x10, [0xf0f, 0x0, 0x0], 0x0),
    row(Page::Queue(7), "QUEUE_CONTROL", 0x14, [0x1, 0x0, 0x0], 0x0),
    row(Page::Queue(7), "SQ_TAIL", 0x40, [0xffff, 0x0, 0x0], 0x0),
    row(Page::Queue(7), "CQ_HEAD", 0x44, [0xffff, 0x0, 0x0], 0x0),
    row(Page::Queue(7), "SQ_HEAD", 0x48, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(7), "CQ_TAIL", 0x4c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(7), "QUEUE_ERRORS", 0x50, [0x7, 0x7, 0x0], 0x0),
    row(Page::Queue(7), "ENTRIES_LO", 0x80, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(7), "ENTRIES_HI", 0x84, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(7), "REFUSED_LO", 0x88, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(7), "REFUSED_HI", 0x8c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(7), "WAIT_COMPLETION_LO", 0x90, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(7), "WAIT_COMPLETION_HI", 0x94, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(7), "WAIT_FETCH_LO", 0x98, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(7), "WAIT_FETCH_HI", 0x9c, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(7), "WAIT_LANE_LO", 0xa0, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(7), "WAIT_LANE_HI", 0xa4, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(7), "WAIT_CONTEXT_LO", 0xa8, [0x0, 0x0, 0x0], 0x0),
    row(Page::Queue(7), "WAIT_CONTEXT_HI", 0xac, [0x0, 0x0, 0x0], 0x0),
];

/// The registers of the device itself.
#[derive(Debug)]
pub struct DevicePage<'a, IO: ?Sized> {
    io: &'a IO,
    base: u32,
}

impl<'a, IO: RegisterIo + ?Sized> DevicePage<'a, IO> {
    pub(super) const fn new(io: &'a IO, base: u32) -> Self {
        Self { io, base }
    }

    /// Tells a sealgate device from anything else; all ones means that the card is gone.
    pub fn magic(&self) -> Access<'a, IO, Magic> {
        Access::new(self.io, self.base)
    }

    /// Version of the device's contract. A driver accepts its own major version and any minor one.
    pub fn version(&self) -> Access<'a, IO, Version> {
        Access::new(self.io, self.base)
    }

    /// Which build of the engine this is.
    pub fn build(&self) -> Access<'a, IO, Build> {
        Access::new(self.io, self.base)
    }

    /// Shape of the engine.
    pub fn shape(&self) -> Access<'a, IO, Shape> {
        Access::new(self.io, self.base)
    }

    /// What the engine can do.
    pub fn features(&self) -> Access<'a, IO, Features> {
        Access::new(self.io, self.base)
    }

    /// The largest plaintext of one SEAL entry.
    pub fn seal_max(&self) -> Access<'a, IO, SealMax> {
        Access::new(self.io, self.base)
    }

    /// Device control.
    pub fn control(&self) -> Access<'a, IO, Control> {
        Access::new(self.io, self.base)
    }

    /// Device state.
    pub fn status(&self) -> Access<'a, IO, Status> {
        Access::new(self.io, self.base)
    }

    /// Sticky errors of the device; write 1 to clear.
    pub fn errors(&self) -> Access<'a, IO, Errors> {
        Access::new(self.io, self.base)
    }

    /// A bit per queue: completions were written since the bit was cleared; write 1 to clear. One interrupt message is sent per rise of an enabled bit, or when a bit is enabled that has risen; `IRQ_MODERATION` may hold it back.
    pub fn irq_status(&self) -> Access<'a, IO, IrqStatus> {
        Access::new(self.io, self.base)
    }

    /// A bit per queue: 1 lets its interrupt messages out.
    pub fn irq_enable(&self) -> Access<'a, IO, IrqEnable> {
        Access::new(self.io, self.base)
    }

    /// How long interrupt messages are held back, to send fewer. A queue's message leaves when enough completions were written since its bit rose, or when the first of them is old enough.
    pub fn irq_moderation(&self) -> Access<'a, IO, IrqModeration> {
        Access::new(self.io, self.base)
    }

    /// Write 1 to copy all counters into the registers below and in the queue pages, all in one cycle, so that a set is consistent.
    pub fn snapshot(&self) -> Access<'a, IO, Snapshot> {
        Access::new(self.io, self.base)
    }

    /// Clock cycles since reset, low half.
    pub fn cycles_lo(&self) -> Access<'a, IO, CyclesLo> {
        Access::new(self.io, self.base)
    }

    /// Clock cycles since reset, high half.
    pub fn cycles_hi(&self) -> Access<'a, IO, CyclesHi> {
        Access::new(self.io, self.base)
    }

    /// Cycles with entries in flight, low half.
    pub fn busy_lo(&self) -> Access<'a, IO, BusyLo> {
        Access::new(self.io, self.base)
    }

    /// Cycles with entries in flight, high half.
    pub fn busy_hi(&self) -> Access<'a, IO, BusyHi> {
        Access::new(self.io, self.base)
    }

    /// Records sealed, low half.
    pub fn sealed_records_lo(&self) -> Access<'a, IO, SealedRecordsLo> {
        Access::new(self.io, self.base)
    }

    /// Records sealed, high half.
    pub fn sealed_records_hi(&self) -> Access<'a, IO, SealedRecordsHi> {
        Access::new(self.io, self.base)
    }

    /// Plaintext bytes sealed, low half.
    pub fn sealed_bytes_lo(&self) -> Access<'a, IO, SealedBytesLo> {
        Access::new(self.io, self.base)
    }

    /// Plaintext bytes sealed, high half.
    pub fn sealed_bytes_hi(&self) -> Access<'a, IO, SealedBytesHi> {
        Access::new(self.io, self.base)
    }

    /// Records opened, low half.
    pub fn opened_records_lo(&self) -> Access<'a, IO, OpenedRecordsLo> {
        Access::new(self.io, self.base)
    }

    /// Records opened, high half.
    pub fn opened_records_hi(&self) -> Access<'a, IO, OpenedRecordsHi> {
        Access::new(self.io, self.base)
    }

    /// Plaintext bytes opened, low half.
    pub fn opened_bytes_lo(&self) -> Access<'a, IO, OpenedBytesLo> {
        Access::new(self.io, self.base)
    }

    /// Plaintext bytes opened, high half.
    pub fn opened_bytes_hi(&self) -> Access<'a, IO, OpenedBytesHi> {
        Access::new(self.io, self.base)
    }

    /// Records that OPEN rejected (tag, header or padding), low half.
    pub fn rejected_records_lo(&self) -> Access<'a, IO, RejectedRecordsLo> {
        Access::new(self.io, self.base)
    }

    /// Records that OPEN rejected (tag, header or padding), high half.
    pub fn rejected_records_hi(&self) -> Access<'a, IO, RejectedRecordsHi> {
        Access::new(self.io, self.base)
    }

    /// Beats of data that the memory bus delivered, low half.
    pub fn read_beats_lo(&self) -> Access<'a, IO, ReadBeatsLo> {
        Access::new(self.io, self.base)
    }

    /// Beats of data that the memory bus delivered, high half.
    pub fn read_beats_hi(&self) -> Access<'a, IO, ReadBeatsHi> {
        Access::new(self.io, self.base)
    }

    /// Cycles in which the address of a read was offered and not taken, low half.
    pub fn read_stall_lo(&self) -> Access<'a, IO, ReadStallLo> {
        Access::new(self.io, self.base)
    }

    /// Cycles in which the address of a read was offered and not taken, high half.
    pub fn read_stall_hi(&self) -> Access<'a, IO, ReadStallHi> {
        Access::new(self.io, self.base)
    }

    /// Beats of data that the memory bus took, low half.
    pub fn write_beats_lo(&self) -> Access<'a, IO, WriteBeatsLo> {
        Access::new(self.io, self.base)
    }

    /// Beats of data that the memory bus took, high half.
    pub fn write_beats_hi(&self) -> Access<'a, IO, WriteBeatsHi> {
        Access::new(self.io, self.base)
    }

    /// Cycles in which a beat of data was offered and not taken, low half.
    pub fn write_stall_lo(&self) -> Access<'a, IO, WriteStallLo> {
        Access::new(self.io, self.base)
    }

    /// Cycles in which a beat of data was offered and not taken, high half.
    pub fn write_stall_hi(&self) -> Access<'a, IO, WriteStallHi> {
        Access::new(self.io, self.base)
    }

    /// Clock cycles since reset: both halves, low one read first; they belong together until the next snapshot.
    pub fn cycles_u64(&self) -> u64 {
        read_wide(self.cycles_lo(), self.cycles_hi())
    }

    /// Cycles with entries in flight: both halves, low one read first; they belong together until the next snapshot.
    pub fn busy_u64(&self) -> u64 {
        read_wide(self.busy_lo(), self.busy_hi())
    }

    /// Records sealed: both halves, low one read first; they belong together until the next snapshot.
    pub fn sealed_records_u64(&self) -> u64 {
        read_wide(self.sealed_records_lo(), self.sealed_records_hi())
    }

    /// Plaintext bytes sealed: both halves, low one read first; they belong together until the next snapshot.
    pub fn sealed_bytes_u64(&self) -> u64 {
        read_wide(self.sealed_bytes_lo(), self.sealed_bytes_hi())
    }

    /// Records opened: both halves, low one read first; they belong together until the next snapshot.
    pub fn opened_records_u64(&self) -> u64 {
        read_wide(self.opened_records_lo(), self.opened_records_hi())
    }

    /// Plaintext bytes opened: both halves, low one read first; they belong together until the next snapshot.
    pub fn opened_bytes_u64(&self) -> u64 {
        read_wide(self.opened_bytes_lo(), self.opened_bytes_hi())
    }

    /// Records that OPEN rejected (tag, header or padding): both halves, low one read first; they belong together until the next snapshot.
    pub fn rejected_records_u64(&self) -> u64 {
        read_wide(self.rejected_records_lo(), self.rejected_records_hi())
    }

    /// Beats of data that the memory bus delivered: both halves, low one read first; they belong together until the next snapshot.
    pub fn read_beats_u64(&self) -> u64 {
        read_wide(self.read_beats_lo(), self.read_beats_hi())
    }

    /// Cycles in which the address of a read was offered and not taken: both halves, low one read first; they belong together until the next snapshot.
    pub fn read_stall_u64(&self) -> u64 {
        read_wide(self.read_stall_lo(), self.read_stall_hi())
    }

    /// Beats of data that the memory bus took: both halves, low one read first; they belong together until the next snapshot.
    pub fn write_beats_u64(&self) -> u64 {
        read_wide(self.write_beats_lo(), self.write_beats_hi())
    }

    /// Cycles in which a beat of data was offered and not taken: both halves, low one read first; they belong together until the next snapshot.
    pub fn write_stall_u64(&self) -> u64 {
        read_wide(self.write_stall_lo(), self.write_stall_hi())
    }
}

/// The registers of one lane.
#[derive(Debug)]
pub struct LaneRegisters<'a, IO: ?Sized> {
    io: &'a IO,
    base: u32,
}

impl<'a, IO: RegisterIo + ?Sized> LaneRegisters<'a, IO> {
    pub(super) const fn new(io: &'a IO, base: u32) -> Self {
        Self { io, base }
    }

    /// Cycles with a record inside the lane, low half.
    pub fn lane_busy_lo(&self) -> Access<'a, IO, LaneBusyLo> {
        Access::new(self.io, self.base)
    }

    /// Cycles with a record inside the lane, high half.
    pub fn lane_busy_hi(&self) -> Access<'a, IO, LaneBusyHi> {
        Access::new(self.io, self.base)
    }

    /// Cycles in which the lane took a word of text, 16 bytes, low half.
    pub fn lane_beats_lo(&self) -> Access<'a, IO, LaneBeatsLo> {
        Access::new(self.io, self.base)
    }

    /// Cycles in which the lane took a word of text, 16 bytes, high half.
    pub fn lane_beats_hi(&self) -> Access<'a, IO, LaneBeatsHi> {
        Access::new(self.io, self.base)
    }

    /// Cycles in which a record in the lane waited for its source, low half.
    pub fn lane_stall_source_lo(&self) -> Access<'a, IO, LaneStallSourceLo> {
        Access::new(self.io, self.base)
    }

    /// Cycles in which a record in the lane waited for its source, high half.
    pub fn lane_stall_source_hi(&self) -> Access<'a, IO, LaneStallSourceHi> {
        Access::new(self.io, self.base)
    }

    /// Cycles in which a record in the lane waited for room on its way out, low half.
    pub fn lane_stall_destination_lo(&self) -> Access<'a, IO, LaneStallDestinationLo> {
        Access::new(self.io, self.base)
    }

    /// Cycles in which a record in the lane waited for room on its way out, high half.
    pub fn lane_stall_destination_hi(&self) -> Access<'a, IO, LaneStallDestinationHi> {
        Access::new(self.io, self.base)
    }

    /// Cycles with a record inside the lane: both halves, low one read first; they belong together until the next snapshot.
    pub fn lane_busy_u64(&self) -> u64 {
        read_wide(self.lane_busy_lo(), self.lane_busy_hi())
    }

    /// Cycles in which the lane took a word of text, 16 bytes: both halves, low one read first; they belong together until the next snapshot.
    pub fn lane_beats_u64(&self) -> u64 {
        read_wide(self.lane_beats_lo(), self.lane_beats_hi())
    }

    /// Cycles in which a record in the lane waited for its source: both halves, low one read first; they belong together until the next snapshot.
    pub fn lane_stall_source_u64(&self) -> u64 {
        read_wide(self.lane_stall_source_lo(), self.lane_stall_source_hi())
    }

    /// Cycles in which a record in the lane waited for room on its way out: both halves, low one read first; they belong together until the next snapshot.
    pub fn lane_stall_destination_u64(&self) -> u64 {
        read_wide(self.lane_stall_destination_lo(), self.lane_stall_destination_hi())
    }
}

/// The registers of one queue.
#[derive(Debug)]
pub struct QueuePage<'a, IO: ?Sized> {
    io: &'a IO,
    base: u32,
}

impl<'a, IO: RegisterIo + ?Sized> QueuePage<'a, IO> {
    pub(super) const fn new(io: &'a IO, base: u32) -> Self {
        Self { io, base }
    }

    /// IOVA of the submission ring, low half. Change only while the queue is disabled.
    pub fn sq_base_lo(&self) -> Access<'a, IO, SqBaseLo> {
        Access::new(self.io, self.base)
    }

    /// IOVA of the submission ring, high half.
    pub fn sq_base_hi(&self) -> Access<'a, IO, SqBaseHi> {
        Access::new(self.io, self.base)
    }

    /// IOVA of the completion ring, low half. Change only while the queue is disabled.
    pub fn cq_base_lo(&self) -> Access<'a, IO, CqBaseLo> {
        Access::new(self.io, self.base)
    }

    /// IOVA of the completion ring, high half.
    pub fn cq_base_hi(&self) -> Access<'a, IO, CqBaseHi> {
        Access::new(self.io, self.base)
    }

    /// Sizes of the rings as powers of two. Change only while the queue is disabled.
    pub fn ring_size(&self) -> Access<'a, IO, RingSize> {
        Access::new(self.io, self.base)
    }

    /// Queue control.
    pub fn queue_control(&self) -> Access<'a, IO, QueueControl> {
        Access::new(self.io, self.base)
    }

    /// Submission doorbell: the free-running index (modulo 2^16) behind the last entry the host wrote.
    pub fn sq_tail(&self) -> Access<'a, IO, SqTail> {
        Access::new(self.io, self.base)
    }

    /// Completion doorbell: the free-running index (modulo 2^16) behind the last completion the host took. An entry is fetched only when its completion has a place.
    pub fn cq_head(&self) -> Access<'a, IO, CqHead> {
        Access::new(self.io, self.base)
    }

    /// How far the device has fetched submission entries (free-running, modulo 2^16).
    pub fn sq_head(&self) -> Access<'a, IO, SqHead> {
        Access::new(self.io, self.base)
    }

    /// How far the device has written completions (free-running, modulo 2^16).
    pub fn cq_tail(&self) -> Access<'a, IO, CqTail> {
        Access::new(self.io, self.base)
    }

    /// Sticky errors of the queue; write 1 to clear.
    pub fn queue_errors(&self) -> Access<'a, IO, QueueErrors> {
        Access::new(self.io, self.base)
    }

    /// Entries completed, low half.
    pub fn entries_lo(&self) -> Access<'a, IO, EntriesLo> {
        Access::new(self.io, self.base)
    }

    /// Entries completed, high half.
    pub fn entries_hi(&self) -> Access<'a, IO, EntriesHi> {
        Access::new(self.io, self.base)
    }

    /// Entries completed with a status other than SUCCESS, low half.
    pub fn refused_lo(&self) -> Access<'a, IO, RefusedLo> {
        Access::new(self.io, self.base)
    }

    /// Entries completed with a status other than SUCCESS, high half.
    pub fn refused_hi(&self) -> Access<'a, IO, RefusedHi> {
        Access::new(self.io, self.base)
    }

    /// Cycles in which entries were pending and their completions had no place, in the ring or among those under way, low half.
    pub fn wait_completion_lo(&self) -> Access<'a, IO, WaitCompletionLo> {
        Access::new(self.io, self.base)
    }

    /// Cycles in which entries were pending and their completions had no place, in the ring or among those under way, high half.
    pub fn wait_completion_hi(&self) -> Access<'a, IO, WaitCompletionHi> {
        Access::new(self.io, self.base)
    }

    /// Cycles in which entries were pending and none had arrived from memory, low half.
    pub fn wait_fetch_lo(&self) -> Access<'a, IO, WaitFetchLo> {
        Access::new(self.io, self.base)
    }

    /// Cycles in which entries were pending and none had arrived from memory, high half.
    pub fn wait_fetch_hi(&self) -> Access<'a, IO, WaitFetchHi> {
        Access::new(self.io, self.base)
    }

    /// Cycles in which a record of the queue waited for a lane, low half.
    pub fn wait_lane_lo(&self) -> Access<'a, IO, WaitLaneLo> {
        Access::new(self.io, self.base)
    }

    /// Cycles in which a record of the queue waited for a lane, high half.
    pub fn wait_lane_hi(&self) -> Access<'a, IO, WaitLaneHi> {
        Access::new(self.io, self.base)
    }

    /// Cycles in which the queue waited for a context to be loaded or dropped, low half.
    pub fn wait_context_lo(&self) -> Access<'a, IO, WaitContextLo> {
        Access::new(self.io, self.base)
    }

    /// Cycles in which the queue waited for a context to be loaded or dropped, high half.
    pub fn wait_context_hi(&self) -> Access<'a, IO, WaitContextHi> {
        Access::new(self.io, self.base)
    }

    /// IOVA of the submission ring: both halves, low one read first.
    pub fn sq_base_u64(&self) -> u64 {
        read_wide(self.sq_base_lo(), self.sq_base_hi())
    }

    /// IOVA of the submission ring: writes both halves, high one first. Bits that no field names are lost.
    pub fn write_sq_base_u64(&self, value: u64) {
        write_wide(self.sq_base_lo(), self.sq_base_hi(), value);
    }

    /// IOVA of the completion ring: both halves, low one read first.
    pub fn cq_base_u64(&self) -> u64 {
        read_wide(self.cq_base_lo(), self.cq_base_hi())
    }

    /// IOVA of the completion ring: writes both halves, high one first. Bits that no field names are lost.
    pub fn write_cq_base_u64(&self, value: u64) {
        write_wide(self.cq_base_lo(), self.cq_base_hi(), value);
    }

    /// Entries completed: both halves, low one read first; they belong together until the next snapshot.
    pub fn entries_u64(&self) -> u64 {
        read_wide(self.entries_lo(), self.entries_hi())
    }

    /// Entries completed with a status other than SUCCESS: both halves, low one read first; they belong together until the next snapshot.
    pub fn refused_u64(&self) -> u64 {
        read_wide(self.refused_lo(), self.refused_hi())
    }

    /// Cycles in which entries were pending and their completions had no place, in the ring or among those under way: both halves, low one read first; they belong together until the next snapshot.
    pub fn wait_completion_u64(&self) -> u64 {
        read_wide(self.wait_completion_lo(), self.wait_completion_hi())
    }

    /// Cycles in which entries were pending and none had arrived from memory: both halves, low one read first; they belong together until the next snapshot.
    pub fn wait_fetch_u64(&self) -> u64 {
        read_wide(self.wait_fetch_lo(), self.wait_fetch_hi())
    }

    /// Cycles in which a record of the queue waited for a lane: both halves, low one read first; they belong together until the next snapshot.
    pub fn wait_lane_u64(&self) -> u64 {
        read_wide(self.wait_lane_lo(), self.wait_lane_hi())
    }

    /// Cycles in which the queue waited for a context to be loaded or dropped: both halves, low one read first; they belong together until the next snapshot.
    pub fn wait_context_u64(&self) -> u64 {
        read_wide(self.wait_context_lo(), self.wait_context_hi())
    }
}

/// The known-answer self test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum SelftestState {
    /// The known-answer self test has not finished; entries are refused.
    Running = 0,
    /// All known answers were met; entries are accepted.
    Passed = 1,
    /// A known answer was missed; every context is wiped and entries are refused until a reset.
    Failed = 2,
}

impl SelftestState {
    const fn decode(value: u32) -> Result<Self, UnknownEncoding> {
        match value {
            0 => Ok(Self::Running),
            1 => Ok(Self::Passed),
            2 => Ok(Self::Failed),
            _ => Err(UnknownEncoding { field: "selftest", value }),
        }
    }
}

/// Tells a sealgate device from anything else; all ones means that the card is gone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Magic(u32);

impl Magic {
    /// Always 0x5EA16A7E.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for Magic {
    const NAME: &'static str = "MAGIC";
    const OFFSET: u32 = 0x00;
    const RESET: u32 = 0x5ea1_6a7e;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for Magic {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for Magic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Magic").field("value", &self.value()).finish()
    }
}

/// Version of the device's contract. A driver accepts its own major version and any minor one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Version(u32);

impl Version {
    /// Patch.
    #[must_use]
    pub const fn patch(self) -> u8 {
        bits::get(self.0, 0, 8) as u8
    }

    /// The register with [`Self::patch`] set to `value`.
    #[must_use]
    pub const fn with_patch(self, value: u8) -> Self {
        Self(bits::set(self.0, 0, 8, value as u32))
    }

    /// Minor: additions.
    #[must_use]
    pub const fn minor(self) -> u8 {
        bits::get(self.0, 8, 8) as u8
    }

    /// The register with [`Self::minor`] set to `value`.
    #[must_use]
    pub const fn with_minor(self, value: u8) -> Self {
        Self(bits::set(self.0, 8, 8, value as u32))
    }

    /// Major: changes that break a driver.
    #[must_use]
    pub const fn major(self) -> u8 {
        bits::get(self.0, 16, 8) as u8
    }

    /// The register with [`Self::major`] set to `value`.
    #[must_use]
    pub const fn with_major(self, value: u8) -> Self {
        Self(bits::set(self.0, 16, 8, value as u32))
    }
}

impl Register for Version {
    const NAME: &'static str = "VERSION";
    const OFFSET: u32 = 0x04;
    const RESET: u32 = 0x200;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for Version {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Version")
            .field("patch", &self.patch())
            .field("minor", &self.minor())
            .field("major", &self.major())
            .finish()
    }
}

/// Which build of the engine this is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Build(u32);

impl Build {
    /// Set by the build: for a bitstream the first 32 bits of the commit.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for Build {
    const NAME: &'static str = "BUILD";
    const OFFSET: u32 = 0x08;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for Build {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Build").field("value", &self.value()).finish()
    }
}

/// Shape of the engine.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Shape(u32);

impl Shape {
    /// Number of AEAD lanes.
    #[must_use]
    pub const fn lanes(self) -> u8 {
        bits::get(self.0, 0, 8) as u8
    }

    /// The register with [`Self::lanes`] set to `value`.
    #[must_use]
    pub const fn with_lanes(self, value: u8) -> Self {
        Self(bits::set(self.0, 0, 8, value as u32))
    }

    /// Width of the memory bus in bytes.
    #[must_use]
    pub const fn bus_bytes(self) -> u8 {
        bits::get(self.0, 8, 8) as u8
    }

    /// The register with [`Self::bus_bytes`] set to `value`.
    #[must_use]
    pub const fn with_bus_bytes(self, value: u8) -> Self {
        Self(bits::set(self.0, 8, 8, value as u32))
    }

    /// Number of queue pairs.
    #[must_use]
    pub const fn queues(self) -> u8 {
        bits::get(self.0, 16, 8) as u8
    }

    /// The register with [`Self::queues`] set to `value`.
    #[must_use]
    pub const fn with_queues(self, value: u8) -> Self {
        Self(bits::set(self.0, 16, 8, value as u32))
    }

    /// log2 of the number of key contexts.
    #[must_use]
    pub const fn contexts_log2(self) -> u8 {
        bits::get(self.0, 24, 4) as u8
    }

    /// The register with [`Self::contexts_log2`] set to `value`.
    ///
    /// Bits of `value` above the field are dropped.
    #[must_use]
    pub const fn with_contexts_log2(self, value: u8) -> Self {
        Self(bits::set(self.0, 24, 4, value as u32))
    }

    /// log2 of the largest ring, in entries.
    #[must_use]
    pub const fn ring_log2_max(self) -> u8 {
        bits::get(self.0, 28, 4) as u8
    }

    /// The register with [`Self::ring_log2_max`] set to `value`.
    ///
    /// Bits of `value` above the field are dropped.
    #[must_use]
    pub const fn with_ring_log2_max(self, value: u8) -> Self {
        Self(bits::set(self.0, 28, 4, value as u32))
    }
}

impl Register for Shape {
    const NAME: &'static str = "SHAPE";
    const OFFSET: u32 = 0x10;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for Shape {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shape")
            .field("lanes", &self.lanes())
            .field("bus_bytes", &self.bus_bytes())
            .field("queues", &self.queues())
            .field("contexts_log2", &self.contexts_log2())
            .field("ring_log2_max", &self.ring_log2_max())
            .finish()
    }
}

/// What the engine can do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Features(u32);

impl Features {
    /// `TLS_AES_128_GCM_SHA256` records.
    #[must_use]
    pub const fn aes_128_gcm(self) -> bool {
        bits::get(self.0, 0, 1) != 0
    }

    /// The register with [`Self::aes_128_gcm`] set to `value`.
    #[must_use]
    pub const fn with_aes_128_gcm(self, value: bool) -> Self {
        Self(bits::set(self.0, 0, 1, value as u32))
    }

    /// `TLS_AES_256_GCM_SHA384` records.
    #[must_use]
    pub const fn aes_256_gcm(self) -> bool {
        bits::get(self.0, 1, 1) != 0
    }

    /// The register with [`Self::aes_256_gcm`] set to `value`.
    #[must_use]
    pub const fn with_aes_256_gcm(self, value: bool) -> Self {
        Self(bits::set(self.0, 1, 1, value as u32))
    }

    /// `TLS_CHACHA20_POLY1305_SHA256` records.
    #[must_use]
    pub const fn chacha20_poly1305(self) -> bool {
        bits::get(self.0, 2, 1) != 0
    }

    /// The register with [`Self::chacha20_poly1305`] set to `value`.
    #[must_use]
    pub const fn with_chacha20_poly1305(self, value: bool) -> Self {
        Self(bits::set(self.0, 2, 1, value as u32))
    }

    /// TLS 1.2 records.
    #[must_use]
    pub const fn tls12(self) -> bool {
        bits::get(self.0, 8, 1) != 0
    }

    /// The register with [`Self::tls12`] set to `value`.
    #[must_use]
    pub const fn with_tls12(self, value: bool) -> Self {
        Self(bits::set(self.0, 8, 1, value as u32))
    }

    /// TLS 1.3 records.
    #[must_use]
    pub const fn tls13(self) -> bool {
        bits::get(self.0, 9, 1) != 0
    }

    /// The register with [`Self::tls13`] set to `value`.
    #[must_use]
    pub const fn with_tls13(self, value: bool) -> Self {
        Self(bits::set(self.0, 9, 1, value as u32))
    }

    /// A SEAL entry may ask for padding.
    #[must_use]
    pub const fn padding(self) -> bool {
        bits::get(self.0, 16, 1) != 0
    }

    /// The register with [`Self::padding`] set to `value`.
    #[must_use]
    pub const fn with_padding(self, value: bool) -> Self {
        Self(bits::set(self.0, 16, 1, value as u32))
    }

    /// A SEAL entry may hold more than one fragment.
    #[must_use]
    pub const fn segmentation(self) -> bool {
        bits::get(self.0, 17, 1) != 0
    }

    /// The register with [`Self::segmentation`] set to `value`.
    #[must_use]
    pub const fn with_segmentation(self, value: bool) -> Self {
        Self(bits::set(self.0, 17, 1, value as u32))
    }

    /// `OPEN_RUN` opens several records with one entry.
    #[must_use]
    pub const fn open_run(self) -> bool {
        bits::get(self.0, 18, 1) != 0
    }

    /// The register with [`Self::open_run`] set to `value`.
    #[must_use]
    pub const fn with_open_run(self, value: bool) -> Self {
        Self(bits::set(self.0, 18, 1, value as u32))
    }
}

impl Register for Features {
    const NAME: &'static str = "FEATURES";
    const OFFSET: u32 = 0x14;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for Features {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Features")
            .field("aes_128_gcm", &self.aes_128_gcm())
            .field("aes_256_gcm", &self.aes_256_gcm())
            .field("chacha20_poly1305", &self.chacha20_poly1305())
            .field("tls12", &self.tls12())
            .field("tls13", &self.tls13())
            .field("padding", &self.padding())
            .field("segmentation", &self.segmentation())
            .field("open_run", &self.open_run())
            .finish()
    }
}

/// The largest plaintext of one SEAL entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SealMax(u32);

impl SealMax {
    /// In bytes.
    #[must_use]
    pub const fn bytes(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::bytes`] set to `value`.
    #[must_use]
    pub const fn with_bytes(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for SealMax {
    const NAME: &'static str = "SEAL_MAX";
    const OFFSET: u32 = 0x18;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for SealMax {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for SealMax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealMax").field("bytes", &self.bytes()).finish()
    }
}

/// Device control.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Control(u32);

impl Control {
    /// 1 lets entries be fetched.
    #[must_use]
    pub const fn enable(self) -> bool {
        bits::get(self.0, 0, 1) != 0
    }

    /// The register with [`Self::enable`] set to `value`.
    #[must_use]
    pub const fn with_enable(self, value: bool) -> Self {
        Self(bits::set(self.0, 0, 1, value as u32))
    }

    /// Write 1: waits for the bus to be quiet, then resets queues, contexts and counters, wipes all keys and runs the self test. Reads 0.
    #[must_use]
    pub const fn reset(self) -> bool {
        bits::get(self.0, 1, 1) != 0
    }

    /// The register with [`Self::reset`] set to `value`.
    #[must_use]
    pub const fn with_reset(self, value: bool) -> Self {
        Self(bits::set(self.0, 1, 1, value as u32))
    }

    /// Write 1: wipes every key context when the entries in flight have completed. Reads 0.
    #[must_use]
    pub const fn zeroize(self) -> bool {
        bits::get(self.0, 2, 1) != 0
    }

    /// The register with [`Self::zeroize`] set to `value`.
    #[must_use]
    pub const fn with_zeroize(self, value: bool) -> Self {
        Self(bits::set(self.0, 2, 1, value as u32))
    }

    /// 1 corrupts one answer of the self tests that follow, to prove that a failure is noticed.
    #[must_use]
    pub const fn selftest_fault(self) -> bool {
        bits::get(self.0, 3, 1) != 0
    }

    /// The register with [`Self::selftest_fault`] set to `value`.
    #[must_use]
    pub const fn with_selftest_fault(self, value: bool) -> Self {
        Self(bits::set(self.0, 3, 1, value as u32))
    }
}

impl Register for Control {
    const NAME: &'static str = "CONTROL";
    const OFFSET: u32 = 0x20;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for Control {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("enable", &self.enable())
            .field("reset", &self.reset())
            .field("zeroize", &self.zeroize())
            .field("selftest_fault", &self.selftest_fault())
            .finish()
    }
}

impl Writable for Control {}

impl Modifiable for Control {}

/// Device state.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Status(u32);

impl Status {
    /// The known-answer self test.
    pub const fn selftest(self) -> Result<SelftestState, UnknownEncoding> {
        SelftestState::decode(bits::get(self.0, 0, 2))
    }

    /// The register with [`Self::selftest`] set to `value`.
    #[must_use]
    pub const fn with_selftest(self, value: SelftestState) -> Self {
        Self(bits::set(self.0, 0, 2, value as u32))
    }

    /// Entries are accepted: the self test has passed, and neither a reset nor a zeroize is under way.
    #[must_use]
    pub const fn ready(self) -> bool {
        bits::get(self.0, 2, 1) != 0
    }

    /// The register with [`Self::ready`] set to `value`.
    #[must_use]
    pub const fn with_ready(self, value: bool) -> Self {
        Self(bits::set(self.0, 2, 1, value as u32))
    }

    /// Entries are in flight.
    #[must_use]
    pub const fn busy(self) -> bool {
        bits::get(self.0, 3, 1) != 0
    }

    /// The register with [`Self::busy`] set to `value`.
    #[must_use]
    pub const fn with_busy(self, value: bool) -> Self {
        Self(bits::set(self.0, 3, 1, value as u32))
    }
}

impl Register for Status {
    const NAME: &'static str = "STATUS";
    const OFFSET: u32 = 0x24;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for Status {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Status")
            .field("selftest", &self.selftest())
            .field("ready", &self.ready())
            .field("busy", &self.busy())
            .finish()
    }
}

/// Sticky errors of the device; write 1 to clear.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Errors(u32);

impl Errors {
    /// The self test failed.
    #[must_use]
    pub const fn selftest_failed(self) -> bool {
        bits::get(self.0, 0, 1) != 0
    }

    /// The register with [`Self::selftest_failed`] set to `value`.
    #[must_use]
    pub const fn with_selftest_failed(self, value: bool) -> Self {
        Self(bits::set(self.0, 0, 1, value as u32))
    }

    /// A read of the memory bus was answered with an error.
    #[must_use]
    pub const fn read_fault(self) -> bool {
        bits::get(self.0, 1, 1) != 0
    }

    /// The register with [`Self::read_fault`] set to `value`.
    #[must_use]
    pub const fn with_read_fault(self, value: bool) -> Self {
        Self(bits::set(self.0, 1, 1, value as u32))
    }

    /// A write of the memory bus was answered with an error.
    #[must_use]
    pub const fn write_fault(self) -> bool {
        bits::get(self.0, 2, 1) != 0
    }

    /// The register with [`Self::write_fault`] set to `value`.
    #[must_use]
    pub const fn with_write_fault(self, value: bool) -> Self {
        Self(bits::set(self.0, 2, 1, value as u32))
    }
}

impl Register for Errors {
    const NAME: &'static str = "ERRORS";
    const OFFSET: u32 = 0x28;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for Errors {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Errors")
            .field("selftest_failed", &self.selftest_failed())
            .field("read_fault", &self.read_fault())
            .field("write_fault", &self.write_fault())
            .finish()
    }
}

impl Writable for Errors {}

/// A bit per queue: completions were written since the bit was cleared; write 1 to clear. One interrupt message is sent per rise of an enabled bit, or when a bit is enabled that has risen; `IRQ_MODERATION` may hold it back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IrqStatus(u32);

impl IrqStatus {
    /// Queue 0.
    #[must_use]
    pub const fn queue0(self) -> bool {
        bits::get(self.0, 0, 1) != 0
    }

    /// The register with [`Self::queue0`] set to `value`.
    #[must_use]
    pub const fn with_queue0(self, value: bool) -> Self {
        Self(bits::set(self.0, 0, 1, value as u32))
    }

    /// Queue 1.
    #[must_use]
    pub const fn queue1(self) -> bool {
        bits::get(self.0, 1, 1) != 0
    }

    /// The register with [`Self::queue1`] set to `value`.
    #[must_use]
    pub const fn with_queue1(self, value: bool) -> Self {
        Self(bits::set(self.0, 1, 1, value as u32))
    }

    /// Queue 2.
    #[must_use]
    pub const fn queue2(self) -> bool {
        bits::get(self.0, 2, 1) != 0
    }

    /// The register with [`Self::queue2`] set to `value`.
    #[must_use]
    pub const fn with_queue2(self, value: bool) -> Self {
        Self(bits::set(self.0, 2, 1, value as u32))
    }

    /// Queue 3.
    #[must_use]
    pub const fn queue3(self) -> bool {
        bits::get(self.0, 3, 1) != 0
    }

    /// The register with [`Self::queue3`] set to `value`.
    #[must_use]
    pub const fn with_queue3(self, value: bool) -> Self {
        Self(bits::set(self.0, 3, 1, value as u32))
    }

    /// Queue 4.
    #[must_use]
    pub const fn queue4(self) -> bool {
        bits::get(self.0, 4, 1) != 0
    }

    /// The register with [`Self::queue4`] set to `value`.
    #[must_use]
    pub const fn with_queue4(self, value: bool) -> Self {
        Self(bits::set(self.0, 4, 1, value as u32))
    }

    /// Queue 5.
    #[must_use]
    pub const fn queue5(self) -> bool {
        bits::get(self.0, 5, 1) != 0
    }

    /// The register with [`Self::queue5`] set to `value`.
    #[must_use]
    pub const fn with_queue5(self, value: bool) -> Self {
        Self(bits::set(self.0, 5, 1, value as u32))
    }

    /// Queue 6.
    #[must_use]
    pub const fn queue6(self) -> bool {
        bits::get(self.0, 6, 1) != 0
    }

    /// The register with [`Self::queue6`] set to `value`.
    #[must_use]
    pub const fn with_queue6(self, value: bool) -> Self {
        Self(bits::set(self.0, 6, 1, value as u32))
    }

    /// Queue 7.
    #[must_use]
    pub const fn queue7(self) -> bool {
        bits::get(self.0, 7, 1) != 0
    }

    /// The register with [`Self::queue7`] set to `value`.
    #[must_use]
    pub const fn with_queue7(self, value: bool) -> Self {
        Self(bits::set(self.0, 7, 1, value as u32))
    }
}

impl Register for IrqStatus {
    const NAME: &'static str = "IRQ_STATUS";
    const OFFSET: u32 = 0x30;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for IrqStatus {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for IrqStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IrqStatus")
            .field("queue0", &self.queue0())
            .field("queue1", &self.queue1())
            .field("queue2", &self.queue2())
            .field("queue3", &self.queue3())
            .field("queue4", &self.queue4())
            .field("queue5", &self.queue5())
            .field("queue6", &self.queue6())
            .field("queue7", &self.queue7())
            .finish()
    }
}

impl Writable for IrqStatus {}

/// A bit per queue: 1 lets its interrupt messages out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IrqEnable(u32);

impl IrqEnable {
    /// Queues 0 to 7.
    #[must_use]
    pub const fn queues(self) -> u8 {
        bits::get(self.0, 0, 8) as u8
    }

    /// The register with [`Self::queues`] set to `value`.
    #[must_use]
    pub const fn with_queues(self, value: u8) -> Self {
        Self(bits::set(self.0, 0, 8, value as u32))
    }
}

impl Register for IrqEnable {
    const NAME: &'static str = "IRQ_ENABLE";
    const OFFSET: u32 = 0x34;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for IrqEnable {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for IrqEnable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IrqEnable").field("queues", &self.queues()).finish()
    }
}

impl Writable for IrqEnable {}

impl Modifiable for IrqEnable {}

/// How long interrupt messages are held back, to send fewer. A queue's message leaves when enough completions were written since its bit rose, or when the first of them is old enough.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IrqModeration(u32);

impl IrqModeration {
    /// Completions that are enough; 0 and 1: the first.
    #[must_use]
    pub const fn count(self) -> u8 {
        bits::get(self.0, 0, 8) as u8
    }

    /// The register with [`Self::count`] set to `value`.
    #[must_use]
    pub const fn with_count(self, value: u8) -> Self {
        Self(bits::set(self.0, 0, 8, value as u32))
    }

    /// Age that is enough, in clock cycles; 0: none is held back.
    #[must_use]
    pub const fn cycles(self) -> u32 {
        bits::get(self.0, 8, 24)
    }

    /// The register with [`Self::cycles`] set to `value`.
    ///
    /// Bits of `value` above the field are dropped.
    #[must_use]
    pub const fn with_cycles(self, value: u32) -> Self {
        Self(bits::set(self.0, 8, 24, value))
    }
}

impl Register for IrqModeration {
    const NAME: &'static str = "IRQ_MODERATION";
    const OFFSET: u32 = 0x38;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for IrqModeration {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for IrqModeration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IrqModeration")
            .field("count", &self.count())
            .field("cycles", &self.cycles())
            .finish()
    }
}

impl Writable for IrqModeration {}

impl Modifiable for IrqModeration {}

/// Write 1 to copy all counters into the registers below and in the queue pages, all in one cycle, so that a set is consistent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Snapshot(u32);

impl Snapshot {
    /// Write 1 to take a snapshot. Reads 0.
    #[must_use]
    pub const fn take(self) -> bool {
        bits::get(self.0, 0, 1) != 0
    }

    /// The register with [`Self::take`] set to `value`.
    #[must_use]
    pub const fn with_take(self, value: bool) -> Self {
        Self(bits::set(self.0, 0, 1, value as u32))
    }
}

impl Register for Snapshot {
    const NAME: &'static str = "SNAPSHOT";
    const OFFSET: u32 = 0x40;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for Snapshot {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("take", &self.take()).finish()
    }
}

impl Writable for Snapshot {}

impl Modifiable for Snapshot {}

/// Clock cycles since reset, low half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CyclesLo(u32);

impl CyclesLo {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for CyclesLo {
    const NAME: &'static str = "CYCLES_LO";
    const OFFSET: u32 = 0x80;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for CyclesLo {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for CyclesLo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CyclesLo").field("value", &self.value()).finish()
    }
}

/// Clock cycles since reset, high half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CyclesHi(u32);

impl CyclesHi {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for CyclesHi {
    const NAME: &'static str = "CYCLES_HI";
    const OFFSET: u32 = 0x84;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for CyclesHi {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for CyclesHi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CyclesHi").field("value", &self.value()).finish()
    }
}

/// Cycles with entries in flight, low half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BusyLo(u32);

impl BusyLo {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for BusyLo {
    const NAME: &'static str = "BUSY_LO";
    const OFFSET: u32 = 0x88;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for BusyLo {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for BusyLo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BusyLo").field("value", &self.value()).finish()
    }
}

/// Cycles with entries in flight, high half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BusyHi(u32);

impl BusyHi {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for BusyHi {
    const NAME: &'static str = "BUSY_HI";
    const OFFSET: u32 = 0x8c;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for BusyHi {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for BusyHi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BusyHi").field("value", &self.value()).finish()
    }
}

/// Records sealed, low half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SealedRecordsLo(u32);

impl SealedRecordsLo {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for SealedRecordsLo {
    const NAME: &'static str = "SEALED_RECORDS_LO";
    const OFFSET: u32 = 0xa8;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for SealedRecordsLo {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for SealedRecordsLo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedRecordsLo").field("value", &self.value()).finish()
    }
}

/// Records sealed, high half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SealedRecordsHi(u32);

impl SealedRecordsHi {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for SealedRecordsHi {
    const NAME: &'static str = "SEALED_RECORDS_HI";
    const OFFSET: u32 = 0xac;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for SealedRecordsHi {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for SealedRecordsHi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedRecordsHi").field("value", &self.value()).finish()
    }
}

/// Plaintext bytes sealed, low half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SealedBytesLo(u32);

impl SealedBytesLo {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for SealedBytesLo {
    const NAME: &'static str = "SEALED_BYTES_LO";
    const OFFSET: u32 = 0xb0;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for SealedBytesLo {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for SealedBytesLo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedBytesLo").field("value", &self.value()).finish()
    }
}

/// Plaintext bytes sealed, high half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SealedBytesHi(u32);

impl SealedBytesHi {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for SealedBytesHi {
    const NAME: &'static str = "SEALED_BYTES_HI";
    const OFFSET: u32 = 0xb4;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for SealedBytesHi {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for SealedBytesHi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedBytesHi").field("value", &self.value()).finish()
    }
}

/// Records opened, low half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OpenedRecordsLo(u32);

impl OpenedRecordsLo {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for OpenedRecordsLo {
    const NAME: &'static str = "OPENED_RECORDS_LO";
    const OFFSET: u32 = 0xb8;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for OpenedRecordsLo {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for OpenedRecordsLo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenedRecordsLo").field("value", &self.value()).finish()
    }
}

/// Records opened, high half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OpenedRecordsHi(u32);

impl OpenedRecordsHi {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for OpenedRecordsHi {
    const NAME: &'static str = "OPENED_RECORDS_HI";
    const OFFSET: u32 = 0xbc;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for OpenedRecordsHi {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for OpenedRecordsHi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenedRecordsHi").field("value", &self.value()).finish()
    }
}

/// Plaintext bytes opened, low half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OpenedBytesLo(u32);

impl OpenedBytesLo {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for OpenedBytesLo {
    const NAME: &'static str = "OPENED_BYTES_LO";
    const OFFSET: u32 = 0xc0;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for OpenedBytesLo {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for OpenedBytesLo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenedBytesLo").field("value", &self.value()).finish()
    }
}

/// Plaintext bytes opened, high half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OpenedBytesHi(u32);

impl OpenedBytesHi {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for OpenedBytesHi {
    const NAME: &'static str = "OPENED_BYTES_HI";
    const OFFSET: u32 = 0xc4;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for OpenedBytesHi {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for OpenedBytesHi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenedBytesHi").field("value", &self.value()).finish()
    }
}

/// Records that OPEN rejected (tag, header or padding), low half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RejectedRecordsLo(u32);

impl RejectedRecordsLo {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for RejectedRecordsLo {
    const NAME: &'static str = "REJECTED_RECORDS_LO";
    const OFFSET: u32 = 0xc8;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for RejectedRecordsLo {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for RejectedRecordsLo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RejectedRecordsLo").field("value", &self.value()).finish()
    }
}

/// Records that OPEN rejected (tag, header or padding), high half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RejectedRecordsHi(u32);

impl RejectedRecordsHi {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for RejectedRecordsHi {
    const NAME: &'static str = "REJECTED_RECORDS_HI";
    const OFFSET: u32 = 0xcc;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for RejectedRecordsHi {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for RejectedRecordsHi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RejectedRecordsHi").field("value", &self.value()).finish()
    }
}

/// Beats of data that the memory bus delivered, low half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ReadBeatsLo(u32);

impl ReadBeatsLo {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for ReadBeatsLo {
    const NAME: &'static str = "READ_BEATS_LO";
    const OFFSET: u32 = 0xd0;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for ReadBeatsLo {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for ReadBeatsLo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadBeatsLo").field("value", &self.value()).finish()
    }
}

/// Beats of data that the memory bus delivered, high half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ReadBeatsHi(u32);

impl ReadBeatsHi {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for ReadBeatsHi {
    const NAME: &'static str = "READ_BEATS_HI";
    const OFFSET: u32 = 0xd4;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for ReadBeatsHi {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for ReadBeatsHi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadBeatsHi").field("value", &self.value()).finish()
    }
}

/// Cycles in which the address of a read was offered and not taken, low half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ReadStallLo(u32);

impl ReadStallLo {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for ReadStallLo {
    const NAME: &'static str = "READ_STALL_LO";
    const OFFSET: u32 = 0xd8;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for ReadStallLo {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for ReadStallLo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadStallLo").field("value", &self.value()).finish()
    }
}

/// Cycles in which the address of a read was offered and not taken, high half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ReadStallHi(u32);

impl ReadStallHi {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for ReadStallHi {
    const NAME: &'static str = "READ_STALL_HI";
    const OFFSET: u32 = 0xdc;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for ReadStallHi {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for ReadStallHi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadStallHi").field("value", &self.value()).finish()
    }
}

/// Beats of data that the memory bus took, low half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WriteBeatsLo(u32);

impl WriteBeatsLo {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for WriteBeatsLo {
    const NAME: &'static str = "WRITE_BEATS_LO";
    const OFFSET: u32 = 0xe0;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for WriteBeatsLo {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for WriteBeatsLo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteBeatsLo").field("value", &self.value()).finish()
    }
}

/// Beats of data that the memory bus took, high half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WriteBeatsHi(u32);

impl WriteBeatsHi {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for WriteBeatsHi {
    const NAME: &'static str = "WRITE_BEATS_HI";
    const OFFSET: u32 = 0xe4;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for WriteBeatsHi {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for WriteBeatsHi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteBeatsHi").field("value", &self.value()).finish()
    }
}

/// Cycles in which a beat of data was offered and not taken, low half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WriteStallLo(u32);

impl WriteStallLo {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for WriteStallLo {
    const NAME: &'static str = "WRITE_STALL_LO";
    const OFFSET: u32 = 0xe8;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for WriteStallLo {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for WriteStallLo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteStallLo").field("value", &self.value()).finish()
    }
}

/// Cycles in which a beat of data was offered and not taken, high half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WriteStallHi(u32);

impl WriteStallHi {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for WriteStallHi {
    const NAME: &'static str = "WRITE_STALL_HI";
    const OFFSET: u32 = 0xec;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for WriteStallHi {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for WriteStallHi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteStallHi").field("value", &self.value()).finish()
    }
}

/// Cycles with a record inside the lane, low half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LaneBusyLo(u32);

impl LaneBusyLo {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for LaneBusyLo {
    const NAME: &'static str = "LANE_BUSY_LO";
    const OFFSET: u32 = 0x00;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for LaneBusyLo {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for LaneBusyLo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaneBusyLo").field("value", &self.value()).finish()
    }
}

/// Cycles with a record inside the lane, high half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LaneBusyHi(u32);

impl LaneBusyHi {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for LaneBusyHi {
    const NAME: &'static str = "LANE_BUSY_HI";
    const OFFSET: u32 = 0x04;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for LaneBusyHi {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for LaneBusyHi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaneBusyHi").field("value", &self.value()).finish()
    }
}

/// Cycles in which the lane took a word of text, 16 bytes, low half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LaneBeatsLo(u32);

impl LaneBeatsLo {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for LaneBeatsLo {
    const NAME: &'static str = "LANE_BEATS_LO";
    const OFFSET: u32 = 0x08;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for LaneBeatsLo {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for LaneBeatsLo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaneBeatsLo").field("value", &self.value()).finish()
    }
}

/// Cycles in which the lane took a word of text, 16 bytes, high half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LaneBeatsHi(u32);

impl LaneBeatsHi {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for LaneBeatsHi {
    const NAME: &'static str = "LANE_BEATS_HI";
    const OFFSET: u32 = 0x0c;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for LaneBeatsHi {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for LaneBeatsHi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaneBeatsHi").field("value", &self.value()).finish()
    }
}

/// Cycles in which a record in the lane waited for its source, low half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LaneStallSourceLo(u32);

impl LaneStallSourceLo {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for LaneStallSourceLo {
    const NAME: &'static str = "LANE_STALL_SOURCE_LO";
    const OFFSET: u32 = 0x10;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for LaneStallSourceLo {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for LaneStallSourceLo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaneStallSourceLo").field("value", &self.value()).finish()
    }
}

/// Cycles in which a record in the lane waited for its source, high half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LaneStallSourceHi(u32);

impl LaneStallSourceHi {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for LaneStallSourceHi {
    const NAME: &'static str = "LANE_STALL_SOURCE_HI";
    const OFFSET: u32 = 0x14;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for LaneStallSourceHi {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for LaneStallSourceHi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaneStallSourceHi").field("value", &self.value()).finish()
    }
}

/// Cycles in which a record in the lane waited for room on its way out, low half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LaneStallDestinationLo(u32);

impl LaneStallDestinationLo {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for LaneStallDestinationLo {
    const NAME: &'static str = "LANE_STALL_DESTINATION_LO";
    const OFFSET: u32 = 0x18;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for LaneStallDestinationLo {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for LaneStallDestinationLo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaneStallDestinationLo").field("value", &self.value()).finish()
    }
}

/// Cycles in which a record in the lane waited for room on its way out, high half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LaneStallDestinationHi(u32);

impl LaneStallDestinationHi {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for LaneStallDestinationHi {
    const NAME: &'static str = "LANE_STALL_DESTINATION_HI";
    const OFFSET: u32 = 0x1c;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for LaneStallDestinationHi {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for LaneStallDestinationHi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaneStallDestinationHi").field("value", &self.value()).finish()
    }
}

/// IOVA of the submission ring, low half. Change only while the queue is disabled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SqBaseLo(u32);

impl SqBaseLo {
    /// Bits 31:12 of the IOVA; rings start on a 4 KiB boundary.
    #[must_use]
    pub const fn addr(self) -> u32 {
        bits::get(self.0, 12, 20)
    }

    /// The register with [`Self::addr`] set to `value`.
    ///
    /// Bits of `value` above the field are dropped.
    #[must_use]
    pub const fn with_addr(self, value: u32) -> Self {
        Self(bits::set(self.0, 12, 20, value))
    }
}

impl Register for SqBaseLo {
    const NAME: &'static str = "SQ_BASE_LO";
    const OFFSET: u32 = 0x00;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for SqBaseLo {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for SqBaseLo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqBaseLo").field("addr", &self.addr()).finish()
    }
}

impl Writable for SqBaseLo {}

impl Modifiable for SqBaseLo {}

/// IOVA of the submission ring, high half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SqBaseHi(u32);

impl SqBaseHi {
    /// Bits 63:32 of the IOVA.
    #[must_use]
    pub const fn addr(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::addr`] set to `value`.
    #[must_use]
    pub const fn with_addr(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for SqBaseHi {
    const NAME: &'static str = "SQ_BASE_HI";
    const OFFSET: u32 = 0x04;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for SqBaseHi {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for SqBaseHi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqBaseHi").field("addr", &self.addr()).finish()
    }
}

impl Writable for SqBaseHi {}

impl Modifiable for SqBaseHi {}

/// IOVA of the completion ring, low half. Change only while the queue is disabled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CqBaseLo(u32);

impl CqBaseLo {
    /// Bits 31:12 of the IOVA; rings start on a 4 KiB boundary.
    #[must_use]
    pub const fn addr(self) -> u32 {
        bits::get(self.0, 12, 20)
    }

    /// The register with [`Self::addr`] set to `value`.
    ///
    /// Bits of `value` above the field are dropped.
    #[must_use]
    pub const fn with_addr(self, value: u32) -> Self {
        Self(bits::set(self.0, 12, 20, value))
    }
}

impl Register for CqBaseLo {
    const NAME: &'static str = "CQ_BASE_LO";
    const OFFSET: u32 = 0x08;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for CqBaseLo {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for CqBaseLo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CqBaseLo").field("addr", &self.addr()).finish()
    }
}

impl Writable for CqBaseLo {}

impl Modifiable for CqBaseLo {}

/// IOVA of the completion ring, high half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CqBaseHi(u32);

impl CqBaseHi {
    /// Bits 63:32 of the IOVA.
    #[must_use]
    pub const fn addr(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::addr`] set to `value`.
    #[must_use]
    pub const fn with_addr(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for CqBaseHi {
    const NAME: &'static str = "CQ_BASE_HI";
    const OFFSET: u32 = 0x0c;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for CqBaseHi {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for CqBaseHi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CqBaseHi").field("addr", &self.addr()).finish()
    }
}

impl Writable for CqBaseHi {}

impl Modifiable for CqBaseHi {}

/// Sizes of the rings as powers of two. Change only while the queue is disabled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RingSize(u32);

impl RingSize {
    /// log2 of the number of submission entries, 1 to 15.
    #[must_use]
    pub const fn sq_log2(self) -> u8 {
        bits::get(self.0, 0, 4) as u8
    }

    /// The register with [`Self::sq_log2`] set to `value`.
    ///
    /// Bits of `value` above the field are dropped.
    #[must_use]
    pub const fn with_sq_log2(self, value: u8) -> Self {
        Self(bits::set(self.0, 0, 4, value as u32))
    }

    /// log2 of the number of completion entries, 1 to 15.
    #[must_use]
    pub const fn cq_log2(self) -> u8 {
        bits::get(self.0, 8, 4) as u8
    }

    /// The register with [`Self::cq_log2`] set to `value`.
    ///
    /// Bits of `value` above the field are dropped.
    #[must_use]
    pub const fn with_cq_log2(self, value: u8) -> Self {
        Self(bits::set(self.0, 8, 4, value as u32))
    }
}

impl Register for RingSize {
    const NAME: &'static str = "RING_SIZE";
    const OFFSET: u32 = 0x10;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for RingSize {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for RingSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingSize")
            .field("sq_log2", &self.sq_log2())
            .field("cq_log2", &self.cq_log2())
            .finish()
    }
}

impl Writable for RingSize {}

impl Modifiable for RingSize {}

/// Queue control.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct QueueControl(u32);

impl QueueControl {
    /// 1 runs the queue. From 0 to 1 both rings start at index 0, phase 1. To 0: no further entry is fetched; fetched ones complete.
    #[must_use]
    pub const fn enable(self) -> bool {
        bits::get(self.0, 0, 1) != 0
    }

    /// The register with [`Self::enable`] set to `value`.
    #[must_use]
    pub const fn with_enable(self, value: bool) -> Self {
        Self(bits::set(self.0, 0, 1, value as u32))
    }
}

impl Register for QueueControl {
    const NAME: &'static str = "QUEUE_CONTROL";
    const OFFSET: u32 = 0x14;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for QueueControl {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for QueueControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueControl").field("enable", &self.enable()).finish()
    }
}

impl Writable for QueueControl {}

impl Modifiable for QueueControl {}

/// Submission doorbell: the free-running index (modulo 2^16) behind the last entry the host wrote.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SqTail(u32);

impl SqTail {
    /// Submission tail.
    #[must_use]
    pub const fn index(self) -> u16 {
        bits::get(self.0, 0, 16) as u16
    }

    /// The register with [`Self::index`] set to `value`.
    #[must_use]
    pub const fn with_index(self, value: u16) -> Self {
        Self(bits::set(self.0, 0, 16, value as u32))
    }
}

impl Register for SqTail {
    const NAME: &'static str = "SQ_TAIL";
    const OFFSET: u32 = 0x40;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for SqTail {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for SqTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqTail").field("index", &self.index()).finish()
    }
}

impl Writable for SqTail {}

impl Modifiable for SqTail {}

/// Completion doorbell: the free-running index (modulo 2^16) behind the last completion the host took. An entry is fetched only when its completion has a place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CqHead(u32);

impl CqHead {
    /// Completion head.
    #[must_use]
    pub const fn index(self) -> u16 {
        bits::get(self.0, 0, 16) as u16
    }

    /// The register with [`Self::index`] set to `value`.
    #[must_use]
    pub const fn with_index(self, value: u16) -> Self {
        Self(bits::set(self.0, 0, 16, value as u32))
    }
}

impl Register for CqHead {
    const NAME: &'static str = "CQ_HEAD";
    const OFFSET: u32 = 0x44;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for CqHead {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for CqHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CqHead").field("index", &self.index()).finish()
    }
}

impl Writable for CqHead {}

impl Modifiable for CqHead {}

/// How far the device has fetched submission entries (free-running, modulo 2^16).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SqHead(u32);

impl SqHead {
    /// Submission head.
    #[must_use]
    pub const fn index(self) -> u16 {
        bits::get(self.0, 0, 16) as u16
    }

    /// The register with [`Self::index`] set to `value`.
    #[must_use]
    pub const fn with_index(self, value: u16) -> Self {
        Self(bits::set(self.0, 0, 16, value as u32))
    }
}

impl Register for SqHead {
    const NAME: &'static str = "SQ_HEAD";
    const OFFSET: u32 = 0x48;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for SqHead {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for SqHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqHead").field("index", &self.index()).finish()
    }
}

/// How far the device has written completions (free-running, modulo 2^16).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CqTail(u32);

impl CqTail {
    /// Completion tail.
    #[must_use]
    pub const fn index(self) -> u16 {
        bits::get(self.0, 0, 16) as u16
    }

    /// The register with [`Self::index`] set to `value`.
    #[must_use]
    pub const fn with_index(self, value: u16) -> Self {
        Self(bits::set(self.0, 0, 16, value as u32))
    }
}

impl Register for CqTail {
    const NAME: &'static str = "CQ_TAIL";
    const OFFSET: u32 = 0x4c;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for CqTail {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for CqTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CqTail").field("index", &self.index()).finish()
    }
}

/// Sticky errors of the queue; write 1 to clear.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct QueueErrors(u32);

impl QueueErrors {
    /// A submission entry could not be read; its completion says `ENTRY_FAULT`.
    #[must_use]
    pub const fn entry_fault(self) -> bool {
        bits::get(self.0, 0, 1) != 0
    }

    /// The register with [`Self::entry_fault`] set to `value`.
    #[must_use]
    pub const fn with_entry_fault(self, value: bool) -> Self {
        Self(bits::set(self.0, 0, 1, value as u32))
    }

    /// A completion could not be written; the host never sees it.
    #[must_use]
    pub const fn completion_fault(self) -> bool {
        bits::get(self.0, 1, 1) != 0
    }

    /// The register with [`Self::completion_fault`] set to `value`.
    #[must_use]
    pub const fn with_completion_fault(self, value: bool) -> Self {
        Self(bits::set(self.0, 1, 1, value as u32))
    }

    /// `SQ_TAIL` was more than the ring's size ahead of `SQ_HEAD`; the queue stops until it is disabled and enabled.
    #[must_use]
    pub const fn bad_doorbell(self) -> bool {
        bits::get(self.0, 2, 1) != 0
    }

    /// The register with [`Self::bad_doorbell`] set to `value`.
    #[must_use]
    pub const fn with_bad_doorbell(self, value: bool) -> Self {
        Self(bits::set(self.0, 2, 1, value as u32))
    }
}

impl Register for QueueErrors {
    const NAME: &'static str = "QUEUE_ERRORS";
    const OFFSET: u32 = 0x50;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for QueueErrors {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for QueueErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueErrors")
            .field("entry_fault", &self.entry_fault())
            .field("completion_fault", &self.completion_fault())
            .field("bad_doorbell", &self.bad_doorbell())
            .finish()
    }
}

impl Writable for QueueErrors {}

/// Entries completed, low half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EntriesLo(u32);

impl EntriesLo {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for EntriesLo {
    const NAME: &'static str = "ENTRIES_LO";
    const OFFSET: u32 = 0x80;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for EntriesLo {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for EntriesLo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntriesLo").field("value", &self.value()).finish()
    }
}

/// Entries completed, high half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EntriesHi(u32);

impl EntriesHi {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for EntriesHi {
    const NAME: &'static str = "ENTRIES_HI";
    const OFFSET: u32 = 0x84;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for EntriesHi {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for EntriesHi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntriesHi").field("value", &self.value()).finish()
    }
}

/// Entries completed with a status other than SUCCESS, low half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RefusedLo(u32);

impl RefusedLo {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for RefusedLo {
    const NAME: &'static str = "REFUSED_LO";
    const OFFSET: u32 = 0x88;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for RefusedLo {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for RefusedLo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefusedLo").field("value", &self.value()).finish()
    }
}

/// Entries completed with a status other than SUCCESS, high half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RefusedHi(u32);

impl RefusedHi {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for RefusedHi {
    const NAME: &'static str = "REFUSED_HI";
    const OFFSET: u32 = 0x8c;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for RefusedHi {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for RefusedHi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefusedHi").field("value", &self.value()).finish()
    }
}

/// Cycles in which entries were pending and their completions had no place, in the ring or among those under way, low half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WaitCompletionLo(u32);

impl WaitCompletionLo {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for WaitCompletionLo {
    const NAME: &'static str = "WAIT_COMPLETION_LO";
    const OFFSET: u32 = 0x90;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for WaitCompletionLo {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for WaitCompletionLo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitCompletionLo").field("value", &self.value()).finish()
    }
}

/// Cycles in which entries were pending and their completions had no place, in the ring or among those under way, high half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WaitCompletionHi(u32);

impl WaitCompletionHi {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for WaitCompletionHi {
    const NAME: &'static str = "WAIT_COMPLETION_HI";
    const OFFSET: u32 = 0x94;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for WaitCompletionHi {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for WaitCompletionHi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitCompletionHi").field("value", &self.value()).finish()
    }
}

/// Cycles in which entries were pending and none had arrived from memory, low half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WaitFetchLo(u32);

impl WaitFetchLo {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for WaitFetchLo {
    const NAME: &'static str = "WAIT_FETCH_LO";
    const OFFSET: u32 = 0x98;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for WaitFetchLo {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for WaitFetchLo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitFetchLo").field("value", &self.value()).finish()
    }
}

/// Cycles in which entries were pending and none had arrived from memory, high half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WaitFetchHi(u32);

impl WaitFetchHi {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for WaitFetchHi {
    const NAME: &'static str = "WAIT_FETCH_HI";
    const OFFSET: u32 = 0x9c;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for WaitFetchHi {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for WaitFetchHi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitFetchHi").field("value", &self.value()).finish()
    }
}

/// Cycles in which a record of the queue waited for a lane, low half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WaitLaneLo(u32);

impl WaitLaneLo {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for WaitLaneLo {
    const NAME: &'static str = "WAIT_LANE_LO";
    const OFFSET: u32 = 0xa0;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for WaitLaneLo {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for WaitLaneLo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitLaneLo").field("value", &self.value()).finish()
    }
}

/// Cycles in which a record of the queue waited for a lane, high half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WaitLaneHi(u32);

impl WaitLaneHi {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for WaitLaneHi {
    const NAME: &'static str = "WAIT_LANE_HI";
    const OFFSET: u32 = 0xa4;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for WaitLaneHi {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for WaitLaneHi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitLaneHi").field("value", &self.value()).finish()
    }
}

/// Cycles in which the queue waited for a context to be loaded or dropped, low half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WaitContextLo(u32);

impl WaitContextLo {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for WaitContextLo {
    const NAME: &'static str = "WAIT_CONTEXT_LO";
    const OFFSET: u32 = 0xa8;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for WaitContextLo {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for WaitContextLo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitContextLo").field("value", &self.value()).finish()
    }
}

/// Cycles in which the queue waited for a context to be loaded or dropped, high half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WaitContextHi(u32);

impl WaitContextHi {
    /// As of the last snapshot.
    #[must_use]
    pub const fn value(self) -> u32 {
        bits::get(self.0, 0, 32)
    }

    /// The register with [`Self::value`] set to `value`.
    #[must_use]
    pub const fn with_value(self, value: u32) -> Self {
        Self(bits::set(self.0, 0, 32, value))
    }
}

impl Register for WaitContextHi {
    const NAME: &'static str = "WAIT_CONTEXT_HI";
    const OFFSET: u32 = 0xac;
    const RESET: u32 = 0x0;

    fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn bits(self) -> u32 {
        self.0
    }
}

impl Default for WaitContextHi {
    fn default() -> Self {
        Self(Self::RESET)
    }
}

impl fmt::Debug for WaitContextHi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitContextHi").field("value", &self.value()).finish()
    }
}
