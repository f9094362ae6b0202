// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What can be set about a device. The defaults serve.

use std::time::{Duration, Instant};

/// The longest that anything waits, whatever the settings say.
const WAIT_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Settings of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Entries of each ring; rounded up to a power of two and limited to what the device serves. 256 entries are a ring
    /// of 16 KiB and hold the most that [`Self::slots_per_queue`] records can have under way, with room to spare.
    pub ring_entries: u16,
    /// Records that may be under way in one queue at the same time, each with a DMA slot of 40 KiB. Limited to a quarter
    /// of the ring, as one record takes up to three entries. A record that finds no slot waits.
    pub slots_per_queue: u16,
    /// How long to poll for a completion before sleeping until the interrupt. A record takes a card about 10 us.
    pub spin: Duration,
    /// How long one entry may take before the device counts as hung; `None`: what the transport says.
    pub completion_timeout: Option<Duration>,
    /// How long the device may take for its self test after a reset.
    pub self_test_timeout: Duration,
    /// How long after a failure the device is reset for the first time. Doubles with each attempt that fails.
    pub recovery_delay: Duration,
    /// The longest pause between two attempts to recover.
    pub recovery_delay_max: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ring_entries: 256,
            slots_per_queue: 16,
            spin: Duration::from_micros(20),
            completion_timeout: None,
            self_test_timeout: Duration::from_secs(10),
            recovery_delay: Duration::from_millis(100),
            recovery_delay_max: Duration::from_secs(30),
        }
    }
}

/// When a wait that begins now and lasts `timeout` is over.
pub(crate) fn deadline_in(timeout: Duration) -> Instant {
    Instant::now() + timeout.min(WAIT_MAX)
}
