// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The counters of the software device and their snapshot in the registers.

use sealgate_abi::regs::{
    BusyHi, BusyLo, CyclesHi, CyclesLo, EntriesHi, EntriesLo, LaneBeatsHi, LaneBeatsLo, LaneBusyHi,
    LaneBusyLo, OpenedBytesHi, OpenedBytesLo, OpenedRecordsHi, OpenedRecordsLo, Page, QUEUES,
    ReadBeatsHi, ReadBeatsLo, RefusedHi, RefusedLo, Register, RejectedRecordsHi, RejectedRecordsLo,
    SealedBytesHi, SealedBytesLo, SealedRecordsHi, SealedRecordsLo, WriteBeatsHi, WriteBeatsLo,
};

use super::registers::RegisterFile;

/// Counts since the last reset. Nothing of this device ever waits or stalls, so it does not count that.
#[derive(Clone, Debug, Default)]
pub(super) struct Counters {
    pub(super) cycles: u64,
    pub(super) busy: u64,
    pub(super) read_beats: u64,
    pub(super) write_beats: u64,
    pub(super) lane_busy: u64,
    pub(super) lane_beats: u64,
    pub(super) sealed_records: u64,
    pub(super) sealed_bytes: u64,
    pub(super) opened_records: u64,
    pub(super) opened_bytes: u64,
    pub(super) rejected_records: u64,
    pub(super) queues: [QueueCounters; QUEUES],
}

/// Counts of one queue.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct QueueCounters {
    pub(super) entries: u64,
    pub(super) refused: u64,
}

impl Counters {
    /// Copies all counters into their registers.
    pub(super) fn snapshot(&self, registers: &mut RegisterFile) {
        let device = Page::Device;
        set::<CyclesLo, CyclesHi>(registers, device, self.cycles);
        set::<BusyLo, BusyHi>(registers, device, self.busy);
        set::<ReadBeatsLo, ReadBeatsHi>(registers, device, self.read_beats);
        set::<WriteBeatsLo, WriteBeatsHi>(registers, device, self.write_beats);
        set::<LaneBusyLo, LaneBusyHi>(registers, Page::Lane(0), self.lane_busy);
        set::<LaneBeatsLo, LaneBeatsHi>(registers, Page::Lane(0), self.lane_beats);
        set::<SealedRecordsLo, SealedRecordsHi>(registers, device, self.sealed_records);
        set::<SealedBytesLo, SealedBytesHi>(registers, device, self.sealed_bytes);
        set::<OpenedRecordsLo, OpenedRecordsHi>(registers, device, self.opened_records);
        set::<OpenedBytesLo, OpenedBytesHi>(registers, device, self.opened_bytes);
        set::<RejectedRecordsLo, RejectedRecordsHi>(registers, device, self.rejected_records);
        for (queue, counters) in self.queues.iter().enumerate() {
            let page = Page::Queue(queue as u8);
            set::<EntriesLo, EntriesHi>(registers, page, counters.entries);
            set::<RefusedLo, RefusedHi>(registers, page, counters.refused);
        }
    }
}

fn set<L: Register, H: Register>(registers: &mut RegisterFile, page: Page, value: u64) {
    registers.set(page, L::from_bits(value as u32));
    registers.set(page, H::from_bits((value >> 32) as u32));
}
