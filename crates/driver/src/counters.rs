// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a device counts itself.

use sealgate_abi::regs::{DevicePage, RegisterIo, Sealgate, Snapshot};

macro_rules! device_counters {
    ($($(#[$doc:meta])* $name:ident: $register:ident,)*) => {
        /// What a device has counted since its last reset, all of it as of one clock cycle. The names are those of the
        /// metrics.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct DeviceCounters {
            $($(#[$doc])* pub $name: u64,)*
            /// What each queue has counted.
            pub queues: Vec<QueueCounters>,
        }

        impl DeviceCounters {
            /// Each counter but those of [`Self::queues`] with its name.
            pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name)),*].into_iter()
            }

            fn of_device(page: &DevicePage<'_, impl RegisterIo + ?Sized>) -> Self {
                Self { $($name: page.$register(),)* queues: Vec::new() }
            }
        }
    };
}

device_counters! {
    /// Clock cycles.
    cycles: cycles_u64,
    /// Cycles with entries in flight.
    busy: busy_u64,
    /// Cycles in which the lane took a beat of text.
    lane_beats: lane_beats_u64,
    /// Cycles in which an open record waited for text to be read.
    lane_stall_in: lane_stall_in_u64,
    /// Cycles in which an open record waited for room behind the lane.
    lane_stall_out: lane_stall_out_u64,
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
}

/// What a queue of a device has counted since the device's last reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounters {
    /// Entries completed.
    pub entries: u64,
    /// Entries completed with a status other than success.
    pub refused: u64,
}

impl DeviceCounters {
    /// Takes a snapshot and reads it. Nobody else may take one meanwhile.
    pub(crate) fn read(registers: &Sealgate<'_, impl RegisterIo + ?Sized>, queues: usize) -> Self {
        let page = registers.device();
        page.snapshot().write(Snapshot::default().with_take(true));
        let queues = (0..queues)
            .filter_map(|index| registers.queue(index))
            .map(|queue| QueueCounters {
                entries: queue.entries_u64(),
                refused: queue.refused_u64(),
            })
            .collect();
        Self { queues, ..Self::of_device(&page) }
    }
}
