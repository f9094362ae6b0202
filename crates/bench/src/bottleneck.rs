// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What held the engine up, from its own counters.

use std::fmt;

use sealgate_abi::regs::{RegisterIo, Sealgate, Snapshot};
use serde::Serialize;

use crate::BenchError;
use crate::point::Point;

/// From this use on a bus or the lanes count as full.
const FULL: f64 = 0.95;

/// What limits the engine at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bottleneck {
    /// The read channel of the memory bus is full.
    ReadBus,
    /// The write channel of the memory bus is full.
    WriteBus,
    /// The lanes take a word of text in nearly every cycle, or are inside records all the time.
    Lanes,
    /// The lanes wait for their sources: read latency, with too few bursts under way to hide it.
    Source,
    /// The lanes wait for room on the way out.
    Destination,
    /// Queues wait for entries to be fetched.
    EntryFetch,
    /// Queues wait for places in the completion ring, or for tickets.
    CompletionRing,
    /// Queues wait for a context to be loaded or dropped.
    Context,
    /// The host submits too little: the engine is idle.
    Host,
}

impl fmt::Display for Bottleneck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReadBus => "read bus",
            Self::WriteBus => "write bus",
            Self::Lanes => "lanes",
            Self::Source => "source",
            Self::Destination => "destination",
            Self::EntryFetch => "entry fetch",
            Self::CompletionRing => "completions",
            Self::Context => "context",
            Self::Host => "host",
        })
    }
}

/// Counters of the device, summed over lanes and over queues.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) cycles: u64,
    pub(crate) read_beats: u64,
    pub(crate) write_beats: u64,
    pub(crate) lane_busy: u64,
    pub(crate) lane_beats: u64,
    pub(crate) stall_source: u64,
    pub(crate) stall_destination: u64,
    pub(crate) wait_completion: u64,
    pub(crate) wait_fetch: u64,
    pub(crate) wait_lane: u64,
    pub(crate) wait_context: u64,
}

impl Counts {
    /// Reads a consistent set; `between` runs between the reads.
    pub(crate) fn take(
        registers: &impl RegisterIo,
        lanes: usize,
        queues: usize,
        mut between: impl FnMut() -> Result<(), BenchError>,
    ) -> Result<Self, BenchError> {
        let device = Sealgate::new(registers).device();
        device.snapshot().write(Snapshot::default().with_take(true));
        let mut counts = Self {
            cycles: device.cycles_u64(),
            read_beats: device.read_beats_u64(),
            write_beats: device.write_beats_u64(),
            ..Self::default()
        };
        for lane in (0..lanes).filter_map(|lane| Sealgate::new(registers).lane(lane)) {
            between()?;
            counts.lane_busy += lane.lane_busy_u64();
            counts.lane_beats += lane.lane_beats_u64();
            counts.stall_source += lane.lane_stall_source_u64();
            counts.stall_destination += lane.lane_stall_destination_u64();
        }
        for queue in 0..queues {
            between()?;
            if let Some(page) = Sealgate::new(registers).queue(queue) {
                counts.wait_completion += page.wait_completion_u64();
                counts.wait_fetch += page.wait_fetch_u64();
                counts.wait_lane += page.wait_lane_u64();
                counts.wait_context += page.wait_context_u64();
            }
        }
        Ok(counts)
    }

    /// What was counted since `before`.
    pub(crate) fn since(self, before: &Self) -> Self {
        Self {
            cycles: self.cycles - before.cycles,
            read_beats: self.read_beats - before.read_beats,
            write_beats: self.write_beats - before.write_beats,
            lane_busy: self.lane_busy - before.lane_busy,
            lane_beats: self.lane_beats - before.lane_beats,
            stall_source: self.stall_source - before.stall_source,
            stall_destination: self.stall_destination - before.stall_destination,
            wait_completion: self.wait_completion - before.wait_completion,
            wait_fetch: self.wait_fetch - before.wait_fetch,
            wait_lane: self.wait_lane - before.wait_lane,
            wait_context: self.wait_context - before.wait_context,
        }
    }
}

/// Names what limits a point: a resource that is full, else what was waited for most.
pub(crate) fn bottleneck(counts: &Counts, point: &Point) -> Bottleneck {
    let cycles = counts.cycles.max(1) as f64;
    let lane_cycles = cycles * point.lanes as f64;
    if counts.read_beats as f64 / cycles >= FULL {
        return Bottleneck::ReadBus;
    }
    if counts.write_beats as f64 / cycles >= FULL {
        return Bottleneck::WriteBus;
    }
    let stalled = counts.stall_source + counts.stall_destination;
    if counts.lane_busy.saturating_sub(stalled) as f64 / lane_cycles >= FULL {
        return Bottleneck::Lanes;
    }
    let share = |count: u64, whole: f64| count as f64 / whole;
    let queue_cycles = cycles * point.queues as f64;
    let waits = [
        (share(counts.stall_source, lane_cycles), Bottleneck::Source),
        (share(counts.stall_destination, lane_cycles), Bottleneck::Destination),
        (share(counts.wait_lane, queue_cycles), Bottleneck::Lanes),
        (share(counts.wait_completion, queue_cycles), Bottleneck::CompletionRing),
        (share(counts.wait_fetch, queue_cycles), Bottleneck::EntryFetch),
        (share(counts.wait_context, queue_cycles), Bottleneck::Context),
        // Less than a twentieth of the cycles is no explanation.
        (1.0 - FULL, Bottleneck::Host),
    ];
    waits.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).map_or(Bottleneck::Host, |(_, it)| it)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sweep;

    fn point() -> Point {
        Sweep::default().points().expect("the default can be measured").remove(0)
    }

    #[test]
    fn a_full_bus_comes_before_whoever_waits_for_it() {
        let counts =
            Counts { cycles: 1_000, read_beats: 980, stall_source: 3_000, ..Counts::default() };
        assert_eq!(bottleneck(&counts, &point()), Bottleneck::ReadBus);
    }

    #[test]
    fn lanes_that_are_never_held_up_are_the_limit() {
        let counts = Counts { cycles: 1_000, lane_busy: 3_950, ..Counts::default() };
        assert_eq!(bottleneck(&counts, &point()), Bottleneck::Lanes);
    }

    #[test]
    fn nothing_to_do_is_the_fault_of_the_host() {
        let counts = Counts { cycles: 1_000, ..Counts::default() };
        assert_eq!(bottleneck(&counts, &point()), Bottleneck::Host);
    }
}
