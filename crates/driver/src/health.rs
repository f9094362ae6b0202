// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the host counts about a device, and whether the device works.

use std::sync::atomic::{AtomicU64, Ordering};

use sealgate_abi::Status;

use crate::error::Failure;

/// State of a device and what the host has counted since it was opened.
#[derive(Clone, Debug)]
pub struct Health {
    /// Whether the device works.
    pub state: HealthState,
    /// What the host has counted.
    pub counters: HostCounters,
}

/// Whether a device works.
#[derive(Clone, Debug)]
pub enum HealthState {
    /// It does.
    Healthy,
    /// It does not; operations fail at once until a reset has brought it back.
    Failed {
        /// Why.
        reason: Failure,
    },
}

impl HealthState {
    /// Whether the device works.
    #[must_use]
    pub const fn is_healthy(&self) -> bool {
        matches!(self, Self::Healthy)
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What the host has counted about a device since it was opened. The names are those of the metrics.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct HostCounters {
            $($(#[$doc])* pub $name: u64,)*
            /// Entries that the device refused, by [`Status`].
            pub refused: [u64; Status::ALL.len()],
        }

        impl HostCounters {
            /// Each counter but [`Self::refused`] with its name.
            pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name)),*].into_iter()
            }
        }

        /// The counters as they are counted.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: Counter,)*
            refused: [Counter; Status::ALL.len()],
        }

        impl Counters {
            pub(crate) fn snapshot(&self) -> HostCounters {
                HostCounters {
                    $($name: self.$name.value(),)*
                    refused: std::array::from_fn(|status| self.refused[status].value()),
                }
            }
        }
    };
}

counters! {
    /// Entries submitted.
    submitted,
    /// Entries completed, refused ones included.
    completed,
    /// Submission doorbells rung: one per batch.
    doorbells,
    /// Looks at a completion ring that found nothing.
    idle_polls,
    /// Times a thread slept until an interrupt.
    sleeps,
    /// Records sealed.
    sealed_records,
    /// Records opened.
    opened_records,
    /// Records that the device found not to be valid.
    rejected_records,
    /// Key contexts loaded.
    context_loads,
    /// Key contexts taken from an idle session for another one.
    evictions,
    /// Operations that found every key context in use.
    no_context,
    /// Operations that found no slot or no room in time.
    busy,
    /// Operations that did not complete in time.
    timeouts,
    /// Completions that contradicted what was asked.
    inconsistencies,
    /// Times the device changed from healthy to failed.
    failures,
    /// Resets made to recover the device, successful or not.
    resets,
    /// Times the device changed from failed to healthy.
    recoveries,
}

impl Counters {
    /// Counts a refused entry.
    pub(crate) fn refuse(&self, status: Status) {
        self.refused[status as usize].increment();
    }
}

impl HostCounters {
    /// Entries that the device refused, each status with its count.
    pub fn refused_by_status(&self) -> impl Iterator<Item = (Status, u64)> {
        Status::ALL.into_iter().zip(self.refused).skip(1)
    }
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn increment(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_holds_what_was_counted_under_the_name_of_the_metric() {
        let counters = Counters::default();
        counters.submitted.add(3);
        counters.refuse(Status::BadTag);
        let snapshot = counters.snapshot();
        assert!(snapshot.named().any(|counter| counter == ("submitted", 3)));
        assert!(snapshot.refused_by_status().any(|counter| counter == (Status::BadTag, 1)));
        assert!(snapshot.refused_by_status().all(|(status, _)| status != Status::Success));
    }
}
