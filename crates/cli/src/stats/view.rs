// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A look at the counters as a person reads it, and as a program does.
#![allow(clippy::cast_precision_loss, reason = "shares are shown with one decimal")]

use std::io::{self, Write};

use serde_json::json;

use super::reading::{Counters, Reading};

/// Moves the cursor of a terminal to its first line and clears what stands there.
const CLEAR: &str = "\x1b[H\x1b[J";

/// One line of JSON: all counters since the reset of the device.
pub(super) fn json(now: &Reading, out: &mut impl Write) -> io::Result<()> {
    let line = json!({ "device": now.device, "lanes": now.lanes, "queues": now.queues });
    writeln!(out, "{line}")
}

/// What happened since the look before, in per cent of the device's cycles.
pub(super) fn text(
    now: &Reading,
    before: &Reading,
    live: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    if live {
        write!(out, "{CLEAR}")?;
    }
    let device = Since { now: &now.device, before: Some(&before.device) };
    let cycles = device.of("cycles");
    writeln!(out, "cycles {:>14}   busy {}", cycles, device.share("busy_cycles", cycles))?;
    writeln!(
        out,
        "bus    read {} (held up {})   write {} (held up {})",
        device.share("read_beats", cycles),
        device.share("read_stall_cycles", cycles),
        device.share("write_beats", cycles),
        device.share("write_stall_cycles", cycles),
    )?;
    for operation in ["sealed", "opened"] {
        let (records, bytes) =
            (device.of(&format!("{operation}_records")), device.of(&format!("{operation}_bytes")));
        let rate = bytes as f64 / cycles.max(1) as f64;
        writeln!(
            out,
            "{operation} {records:>14} records {bytes:>14} bytes {rate:>7.2} bytes/cycle"
        )?;
    }
    writeln!(out, "rejected {:>12} records", device.of("rejected_records"))?;
    lanes(now, before, cycles, out)?;
    queues(now, before, cycles, out)
}

fn lanes(now: &Reading, before: &Reading, cycles: u64, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\nlane     busy    text   waits: source  destination")?;
    for (number, counters) in now.lanes.iter().enumerate() {
        let lane = Since { now: counters, before: before.lanes.get(number) };
        writeln!(
            out,
            "{number:>4}  {}  {}         {}       {}",
            lane.share("lane_busy_cycles", cycles),
            lane.share("lane_beats", cycles),
            lane.share("lane_stall_source_cycles", cycles),
            lane.share("lane_stall_destination_cycles", cycles),
        )?;
    }
    Ok(())
}

fn queues(now: &Reading, before: &Reading, cycles: u64, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\nqueue    entries    refused   waits: completion   fetch    lane context")?;
    for (number, counters) in now.queues.iter().enumerate() {
        let queue = Since { now: counters, before: before.queues.get(number) };
        writeln!(
            out,
            "{number:>5} {:>10} {:>10}             {} {} {} {}",
            queue.of("queue_entries"),
            queue.of("queue_refused"),
            queue.share("queue_wait_completion_cycles", cycles),
            queue.share("queue_wait_fetch_cycles", cycles),
            queue.share("queue_wait_lane_cycles", cycles),
            queue.share("queue_wait_context_cycles", cycles),
        )?;
    }
    Ok(())
}

/// Counters from one look to the next. A device that was reset between them starts at zero again.
struct Since<'a> {
    now: &'a Counters,
    before: Option<&'a Counters>,
}

impl Since<'_> {
    fn of(&self, name: &str) -> u64 {
        let now = self.now.get(name).copied().unwrap_or(0);
        let before = self.before.and_then(|counters| counters.get(name)).copied().unwrap_or(0);
        now.checked_sub(before).unwrap_or(now)
    }

    fn share(&self, name: &str, cycles: u64) -> String {
        let share = 100.0 * self.of(name) as f64 / cycles.max(1) as f64;
        format!("{share:>5.1} %")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(cycles: u64, beats: u64) -> Reading {
        Reading {
            device: Counters::from([("cycles".to_owned(), cycles)]),
            lanes: vec![Counters::from([("lane_beats".to_owned(), beats)])],
            queues: vec![Counters::default()],
        }
    }

    #[test]
    fn shares_are_those_since_the_look_before() {
        let mut out = Vec::new();
        text(&reading(3_000, 900), &reading(1_000, 400), false, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("25.0 %"), "{text}");
        assert!(text.starts_with("cycles           2000"), "{text}");
    }

    #[test]
    fn a_reset_between_two_looks_starts_anew() {
        let (now, before) = (reading(500, 50), reading(90_000, 400));
        let since = Since { now: &now.device, before: Some(&before.device) };
        assert_eq!(since.of("cycles"), 500);
    }
}
