// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a device counts itself.

use sealgate_abi::regs::{DevicePage, LaneRegisters, QueuePage, RegisterIo, Sealgate, Snapshot};

/// A struct of counters, each with what reads it from `$page`; and of what stands besides, in brackets.
macro_rules! counters {
    (
        $(#[$struct_doc:meta])* $counters:ident of $page:ident;
        $($(#[$doc:meta])* $name:ident: $register:ident,)*
        $([$(#[$also_doc:meta])* $also:ident: $also_type:ty])*
    ) => {
        $(#[$struct_doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $counters {
            $($(#[$doc])* pub $name: u64,)*
            $($(#[$also_doc])* pub $also: $also_type,)*
        }

        impl $counters {
            /// Each counter of this struct itself with its name.
            pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name)),*].into_iter()
            }

            fn of(registers: &$page<'_, impl RegisterIo + ?Sized>) -> Self {
                Self { $($name: registers.$register(),)* $($also: Default::default(),)* }
            }
        }
    };
}

counters! {
    /// What a device has counted since its last reset, all of it as of one clock cycle. The names are those of the
    /// registers and of the metrics.
    DeviceCounters of DevicePage;
    /// Clock cycles.
    cycles: cycles_u64,
    /// Cycles with entries in flight.
    busy: busy_u64,
    /// Beats of data that the memory bus delivered.
    read_beats: read_beats_u64,
    /// Cycles in which the address of a read was offered and not taken.
    read_stall: read_stall_u64,
    /// Beats of data that the memory bus took.
    write_beats: write_beats_u64,
    /// Cycles in which a beat of data was offered and not taken.
    write_stall: write_stall_u64,
    /// Records sealed.
    sealed_records: sealed_records_u64,
    /// Plaintext bytes sealed.
    sealed_bytes: sealed_bytes_u64,
    /// Records opened.
    opened_records: opened_records_u64,
    /// Plaintext bytes opened.
    opened_bytes: opened_bytes_u64,
    /// Records that were found not to be valid.
    rejected_records: rejected_records_u64,
    [
        /// What each lane has counted.
        lanes: Vec<LaneCounters>
    ]
    [
        /// What each queue has counted.
        queues: Vec<QueueCounters>
    ]
}

counters! {
    /// What a lane of a device has counted since the device's last reset.
    LaneCounters of LaneRegisters;
    /// Cycles with a record inside the lane.
    lane_busy: lane_busy_u64,
    /// Cycles in which the lane took a word of text.
    lane_beats: lane_beats_u64,
    /// Cycles in which a record waited for its source.
    lane_stall_source: lane_stall_source_u64,
    /// Cycles in which a record waited for room on its way out.
    lane_stall_destination: lane_stall_destination_u64,
}

counters! {
    /// What a queue of a device has counted since the device's last reset.
    QueueCounters of QueuePage;
    /// Entries completed.
    entries: entries_u64,
    /// Entries completed with a status other than success.
    refused: refused_u64,
    /// Cycles in which entries were pending and their completions had no place.
    wait_completion: wait_completion_u64,
    /// Cycles in which entries were pending and none had arrived from memory.
    wait_fetch: wait_fetch_u64,
    /// Cycles in which a record of the queue waited for a lane.
    wait_lane: wait_lane_u64,
    /// Cycles in which the queue waited for a context to be loaded or dropped.
    wait_context: wait_context_u64,
}

impl DeviceCounters {
    /// Takes a snapshot and reads it. Nobody else may take one meanwhile.
    pub(crate) fn read(
        registers: &Sealgate<'_, impl RegisterIo + ?Sized>,
        lanes: usize,
        queues: usize,
    ) -> Self {
        let page = registers.device();
        page.snapshot().write(Snapshot::default().with_take(true));
        let lanes = (0..lanes).filter_map(|lane| registers.lane(lane));
        let queues = (0..queues).filter_map(|queue| registers.queue(queue));
        Self {
            lanes: lanes.map(|lane| LaneCounters::of(&lane)).collect(),
            queues: queues.map(|queue| QueueCounters::of(&queue)).collect(),
            ..Self::of(&page)
        }
    }
}
