// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The report as a person reads it.

use std::fmt::Write as _;

use sealgate_bench::{Figure, report};
use serde::Serialize;

use crate::card::CardModel;
use crate::device::SimulationSpeed;
use crate::host::HostCost;
use crate::idle::IdleMemory;
use crate::throughput::Throughput;
use crate::tls::Stack;
use crate::transports::TransportCost;

/// Everything that was measured.
#[derive(Serialize)]
pub struct Report {
    /// The engine, simulated.
    pub device: Vec<Figure>,
    /// How fast it simulates.
    pub simulation_speed: Vec<SimulationSpeed>,
    /// The host, beside ring.
    pub host_cost: Vec<HostCost>,
    /// Streams, beside other stacks.
    pub tls_throughput: Vec<Throughput>,
    /// Idle connections, beside another stack.
    pub idle_memory: Vec<IdleMemory>,
    /// A model of cards.
    pub card_model: Vec<CardModel>,
    /// The ways to a device.
    pub transports: Vec<TransportCost>,
}

/// A table for each part.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut text = String::from("The engine, simulated; with one entry in flight: its latency\n");
    text.push_str(&report::table(&report.device));
    text.push_str("\nSimulation speed, sealing records of 16 KiB\n");
    for row in &report.simulation_speed {
        let _ = writeln!(
            text,
            "{:>10} {:>8.0} kcycles/s {:>6.2} of the bare lane",
            row.model,
            row.cycles_per_s / 1e3,
            row.share_of_bare_lane
        );
    }
    text + &host_cost(&report.host_cost)
        + &throughput(&report.tls_throughput)
        + &idle_memory(&report.idle_memory)
        + &card_model(&report.card_model)
        + &transports(&report.transports)
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

fn throughput(rows: &[Throughput]) -> String {
    let mut text = String::from(
        "\nTLS 1.3 streams over loopback TCP; the peer, tokio-rustls on ring, is on another core and its processor time not \
         counted; sim:model is a simulation in software on further threads; openssl reads a file or drops what it gets\n",
    );
    let _ = writeln!(
        text,
        "{:<30} {:<8} {:>5} {:<18} {:>7} {:>7} {:>8} {:>7} {:>12}",
        "suite", "", "conns", "stack", "MB/s", "ratio", "cpu s/GB", "ratio", "of it device"
    );
    for row in rows {
        let is_ring = |it: &&Throughput| {
            it.stack == Stack::RustlsRing.name()
                && (it.suite, it.direction, it.connections)
                    == (row.suite, row.direction, row.connections)
        };
        let ring = rows.iter().find(is_ring).unwrap_or(row);
        let device = row.device_cpu_s_per_gb.map_or(String::new(), |cpu| format!("{cpu:.2}"));
        let _ = writeln!(
            text,
            "{:<30} {:<8} {:>5} {:<18} {:>7.0} {:>7.2} {:>8.2} {:>7.2} {device:>12}",
            row.suite,
            row.direction,
            row.connections,
            row.stack,
            row.mb_per_s,
            row.mb_per_s / ring.mb_per_s,
            row.cpu_s_per_gb,
            row.cpu_s_per_gb / ring.cpu_s_per_gb,
        );
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn idle_memory(rows: &[IdleMemory]) -> String {
    let mut text = String::from(
        "\nResident memory of a server for an idle connection, the runtime's task and socket included\n",
    );
    let ring = rows.iter().find(|row| row.stack == Stack::RustlsRing.name());
    for row in rows {
        let ratio = ring.map_or(1.0, |ring| {
            row.bytes_per_connection as f64 / ring.bytes_per_connection.max(1) as f64
        });
        let _ = writeln!(
            text,
            "{:<18} {:>6} connections {:>6} bytes each {ratio:>6.2}",
            row.stack, row.connections, row.bytes_per_connection
        );
    }
    text
}

fn card_model(rows: &[CardModel]) -> String {
    let mut text = String::new();
    if let Some(row) = rows.first() {
        let _ = writeln!(
            text,
            "\nA model, nothing of it measured on a card: the host's cost as above with its copies, the engine's simulated \
             cycles at {:.0} MHz, {:.0} ns for a posted write across PCIe, a card that keeps its rate",
            row.clock_mhz, row.pcie_posted_ns
        );
        let _ = writeln!(
            text,
            "{:>9} {:>8} {:>14} {:>13} {:>10} {:>12}",
            "card Gb/s", "record B", "one core Gb/s", "cores to fill", "with ring", "latency us"
        );
    }
    for row in rows {
        let latency = row.latency_us.map_or("-".to_owned(), |latency| format!("{latency:.1}"));
        let _ = writeln!(
            text,
            "{:>9.0} {:>8} {:>14.1} {:>13.2} {:>10.2} {latency:>12}",
            row.card_gbit_per_s,
            row.record_bytes,
            row.gbit_per_s_of_one_core,
            row.cores_to_fill,
            row.ring_cores_for_that
        );
    }
    text
}

fn transports(rows: &[TransportCost]) -> String {
    let mut text = String::new();
    if rows.is_empty() {
        return text;
    }
    let _ = writeln!(
        text,
        "\nThe ways to a device, microseconds; of pci: in a virtual machine without KVM, whose card is a simulation like the \
         others\n{:<24} {:>9} {:>9} {:>10} {:>9} {:>9} {:>11} {:>6}",
        "", "reg read", "reg write", "completion", "interrupt", "map 64Ki", "seal 16 KiB", "MB/s"
    );
    for row in rows {
        let device = row.device.split_once(":/").map_or(&row.device[..], |(kind, _)| kind);
        let device = if row.simulated { format!("{device} (simulated)") } else { device.into() };
        let _ = writeln!(
            text,
            "{device:<24} {:>9.1} {:>9.1} {:>10.1} {:>9.1} {:>9.1} {:>11.1} {:>6.1}",
            row.register_read_us,
            row.register_write_us,
            row.completion_us,
            row.interrupt_us,
            row.map_and_unmap_us,
            row.seal_us,
            row.seal_mb_per_s
        );
    }
    text
}
