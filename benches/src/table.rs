// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The report as a person reads it.

use std::fmt::Write as _;

use crate::RECORD_BYTES;
use crate::device::DeviceCost;
use crate::host::HostCost;

/// One line per size of record; device columns are simulated, and empty without the RTL.
#[must_use]
pub fn render(device: &[DeviceCost], host: &[HostCost]) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{:>8} | {:>32} | {:>32} | {:>9} {:>9} {:>6}",
        "", "AES-128-GCM, simulated device", "AES-256-GCM, simulated device", "host", "ring", ""
    );
    let _ = writeln!(
        text,
        "{:>8} | {:>10} {:>10} {:>10} | {:>10} {:>10} {:>10} | {:>9} {:>9} {:>6}",
        "record B",
        "seal B/cyc",
        "open B/cyc",
        "latency",
        "seal B/cyc",
        "open B/cyc",
        "latency",
        "ns/record",
        "ns/record",
        "ratio"
    );
    for record_bytes in RECORD_BYTES {
        let _ = write!(text, "{record_bytes:>8} |");
        for suite in ["AES-128-GCM", "AES-256-GCM"] {
            let find = |direction| {
                device.iter().find(|cost| {
                    cost.suite == suite
                        && cost.direction == direction
                        && cost.record_bytes == record_bytes
                })
            };
            let rate = |direction| {
                find(direction)
                    .map_or("-".to_owned(), |cost| format!("{:.2}", cost.payload_bytes_per_cycle))
            };
            let latency =
                find("seal").map_or("-".to_owned(), |cost| cost.latency_cycles.to_string());
            let _ = write!(text, " {:>10} {:>10} {latency:>10} |", rate("seal"), rate("open"));
        }
        if let Some(cost) = host.iter().find(|cost| cost.record_bytes == record_bytes) {
            let ratio = cost.ns_per_record / cost.ring_seal_ns_per_record;
            let _ = write!(
                text,
                " {:>9.0} {:>9.0} {ratio:>6.2}",
                cost.ns_per_record, cost.ring_seal_ns_per_record
            );
        }
        text.push('\n');
    }
    text
}
