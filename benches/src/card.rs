// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A model, not a measurement: what a card of so many Gb/s would give, from the host's measured cost and the engine's
//! simulated cycles.

use sealgate_abi::{Direction, Suite};
use sealgate_bench::Figure;
use serde::Serialize;

use crate::RECORD_BYTES;
use crate::host::HostCost;

/// Clock of the engine.
const CLOCK_MHZ: f64 = 250.0;

/// A posted write across `PCIe`, one way: the doorbell, and the completion. Reads are in the engine's cycles already.
const PCIE_POSTED_NS: f64 = 500.0;

/// Rates of cards.
const CARDS_GBIT_PER_S: [f64; 4] = [10.0, 25.0, 50.0, 100.0];

/// What one card would give, sealing with AES-128-GCM.
#[derive(Clone, Debug, Serialize)]
pub struct CardModel {
    /// Always true: no card was measured.
    pub model: bool,
    /// The card's rate of content, an assumption.
    pub card_gbit_per_s: f64,
    /// Bytes of content of a record.
    pub record_bytes: usize,
    /// The clock that turns the engine's simulated cycles into time, an assumption.
    pub clock_mhz: f64,
    /// One way of a posted write across `PCIe`, an assumption.
    pub pcie_posted_ns: f64,
    /// Measured: the host and its copies, batches of 32, entries as long as a stream makes them.
    pub host_ns_per_record: f64,
    /// What one core of the host and the card reach together.
    pub gbit_per_s_of_one_core: f64,
    /// Cores of the host that fill the card.
    pub cores_to_fill: f64,
    /// The same rate with ring on the same cores, without a card.
    pub ring_cores_for_that: f64,
    /// From submission to reaping of one record alone; none where the engine was not measured.
    pub latency_us: Option<f64>,
}

/// Every card with every size of record.
#[must_use]
pub fn model(host: &[HostCost], device: &[Figure]) -> Vec<CardModel> {
    let mut rows = Vec::new();
    for record_bytes in RECORD_BYTES {
        // The last row of a size is that of the largest batch and the longest entries, the first that of a record alone.
        let mut costs = host.iter().filter(|row| row.load.record_bytes == record_bytes);
        let Some(alone) = costs.next() else { continue };
        let busy = costs.next_back().unwrap_or(alone);
        let latency_cycles = device.iter().find_map(|figure| {
            let is_alone = figure.in_flight == 1 && figure.record_bytes == record_bytes;
            let is_it = figure.suite == Suite::Aes128Gcm && figure.direction == Direction::Seal;
            (is_alone && is_it).then_some(figure.latency_cycles_p50)
        });
        rows.extend(CARDS_GBIT_PER_S.map(|card| row(card, alone, busy, latency_cycles)));
    }
    rows
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn row(card: f64, alone: &HostCost, busy: &HostCost, latency_cycles: Option<u64>) -> CardModel {
    let bits = busy.load.record_bytes as f64 * 8.0;
    let host_ns_per_record = total_ns(busy);
    let record_ns_of_card = bits / card;
    let cycles_ns = |cycles: u64| cycles as f64 * 1e3 / CLOCK_MHZ;
    CardModel {
        model: true,
        card_gbit_per_s: card,
        record_bytes: busy.load.record_bytes,
        clock_mhz: CLOCK_MHZ,
        pcie_posted_ns: PCIE_POSTED_NS,
        host_ns_per_record,
        gbit_per_s_of_one_core: card.min(bits / host_ns_per_record),
        cores_to_fill: host_ns_per_record / record_ns_of_card,
        ring_cores_for_that: busy.ring_seal_ns_per_record / record_ns_of_card,
        latency_us: latency_cycles
            .map(|cycles| (total_ns(alone) + 2.0 * PCIE_POSTED_NS + cycles_ns(cycles)) / 1e3),
    }
}

fn total_ns(cost: &HostCost) -> f64 {
    cost.ns_per_record + cost.copy_ns_per_record
}
