// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The report as a person reads it.

use std::fmt::Write as _;

use sealgate_bench::{Figure, report};

use crate::device::SimulationSpeed;
use crate::host::HostCost;

/// Three tables: the engine in cycles, how fast it simulates, and the host beside ring.
#[must_use]
pub fn render(device: &[Figure], speed: &[SimulationSpeed], host: &[HostCost]) -> String {
    let mut text = String::from("The engine, simulated; with one entry in flight: its latency\n");
    text.push_str(&report::table(device));
    text.push_str("\nSimulation speed, sealing records of 16 KiB\n");
    for row in speed {
        let _ = writeln!(
            text,
            "{:>10} {:>8.0} kcycles/s {:>6.2} of the bare lane",
            row.model,
            row.cycles_per_s / 1e3,
            row.share_of_bare_lane
        );
    }
    text.push_str(&host_cost(host));
    text
}

fn host_cost(rows: &[HostCost]) -> String {
    let mut text = String::from(
        "\nThe host, from submission to reaping, on a device that does no cryptography, AES-128-GCM; copies apart; beside \
         ring's seal of the same record\n",
    );
    let _ = writeln!(
        text,
        "{:>8} {:>8} {:>8} {:>12} {:>10} {:>10} {:>10} {:>6}",
        "record B",
        "doorbell",
        "an entry",
        "instructions",
        "ns/record",
        "copy ns",
        "ring ns",
        "ratio"
    );
    for row in rows {
        let instructions =
            row.instructions_per_record.map_or("not counted".to_owned(), |count| count.to_string());
        let _ = writeln!(
            text,
            "{:>8} {:>8} {:>8} {instructions:>12} {:>10.0} {:>10.0} {:>10.0} {:>6.2}",
            row.load.record_bytes,
            row.load.batch,
            row.load.records_per_entry,
            row.ns_per_record,
            row.copy_ns_per_record,
            row.ring_seal_ns_per_record,
            row.ns_per_record / row.ring_seal_ns_per_record
        );
    }
    text
}
