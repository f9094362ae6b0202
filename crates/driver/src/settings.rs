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
    /// Operations that may be under way in one queue at the same time, each with a DMA slot for its source and its
    /// destination. Limited to a quarter of the ring, as one operation takes up to three entries. An operation that
    /// finds no slot waits.
    pub slots_per_queue: u16,
    /// Bytes of content that one operation may have, at least a record's 16,384 and at most 2^20: a slot has room for
    /// them twice, as plaintext and as records of 16,384 bytes each.
    pub slot_content_bytes: u32,
    /// A queue's interrupt message leaves when so many completions were written since the last one; 0 and 1: with each.
    pub interrupt_completions: u8,
    /// It leaves, too, when the first of them is so many device cycles old, at most 2^24 - 1; 0: at once.
    pub interrupt_cycles: u32,
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
            slots_per_queue: 64,
            slot_content_bytes: 1 << 16,
            interrupt_completions: 0,
            interrupt_cycles: 0,
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
