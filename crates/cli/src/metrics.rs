// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What `/metrics` says about the device and about the path of each record. `docs/metrics.md` lists it.

use std::sync::Arc;

use sealgate_driver::{Device, DeviceCounters, Health, Identity};
use sealgate_frontend::{Kind, MetricsSource, Sample, Value};
use sealgate_rustls::{Operation, Reason, RecordCounters, RecordCounts, Tally};
use tracing::debug;

/// Numbers of a device: its own counters, and what the driver knows about it.
pub(crate) struct DeviceMetrics {
    device: Device,
}

impl DeviceMetrics {
    pub(crate) fn new(device: Device) -> Self {
        Self { device }
    }
}

impl MetricsSource for DeviceMetrics {
    /// Of a device that does not answer only what the driver knows: its own counters are missing, not wrong.
    fn samples(&self) -> Vec<Sample> {
        let mut samples = driver_samples(self.device.identity(), &self.device.health());
        match self.device.counters() {
            Ok(counters) => samples.extend(device_samples(&counters)),
            Err(error) => debug!(%error, "the counters of the device could not be read"),
        }
        samples
    }
}

fn driver_samples(identity: &Identity, health: &Health) -> Vec<Sample> {
    let info = vec![
        ("device", identity.address.clone()),
        ("version", identity.version.to_string()),
        ("build", format!("{:#010x}", identity.build)),
        ("lanes", identity.lanes.to_string()),
        ("simulated", identity.simulated.to_string()),
    ];
    let healthy = u64::from(health.state.is_healthy());
    let mut samples = vec![
        gauge("sealgate_device_info", "Which device serves", info, 1),
        gauge(
            "sealgate_device_healthy",
            "1 if the device works, 0 if it has failed",
            vec![],
            healthy,
        ),
    ];
    samples.extend(health.counters.named().map(|(event, count)| {
        let labels = vec![("event", event.to_owned())];
        counter("sealgate_driver_events_total", "What the driver has counted", labels, count)
    }));
    samples.extend(health.counters.refused_by_status().map(|(status, count)| {
        let labels = vec![("status", status.name().to_owned())];
        let help = "Entries that the device has refused";
        counter("sealgate_driver_refused_entries_total", help, labels, count)
    }));
    samples
}

fn device_samples(counters: &DeviceCounters) -> Vec<Sample> {
    let plain = |name, help, value| counter(name, help, vec![], value);
    let stall = |cause: &str, cycles| {
        let help = "Cycles in which an open record waited: for input, or for room behind the lane";
        let labels = vec![("cause", cause.to_owned())];
        counter("sealgate_device_lane_stall_cycles_total", help, labels, cycles)
    };
    vec![
        plain("sealgate_device_cycles_total", "Clock cycles since the reset", counters.cycles),
        plain(
            "sealgate_device_busy_cycles_total",
            "Clock cycles with entries in flight",
            counters.busy,
        ),
        plain(
            "sealgate_device_lane_beats_total",
            "Clock cycles in which a lane took a beat of text",
            counters.lane_beats,
        ),
        stall("input", counters.lane_stall_in),
        stall("output", counters.lane_stall_out),
        plain("sealgate_device_records_sealed_total", "Records sealed", counters.sealed_records),
        plain("sealgate_device_records_opened_total", "Records opened", counters.opened_records),
        plain(
            "sealgate_device_records_rejected_total",
            "Records found not to be authentic or not to be lawful",
            counters.rejected_records,
        ),
        plain(
            "sealgate_device_sealed_bytes_total",
            "Bytes of content of the records sealed",
            counters.sealed_bytes,
        ),
        plain(
            "sealgate_device_opened_bytes_total",
            "Bytes of content of the records opened",
            counters.opened_bytes,
        ),
    ]
}

/// Which path the records of the TLS provider took.
pub(crate) struct RecordMetrics {
    counters: Arc<RecordCounters>,
}

impl RecordMetrics {
    pub(crate) fn new(counters: Arc<RecordCounters>) -> Self {
        Self { counters }
    }
}

impl MetricsSource for RecordMetrics {
    fn samples(&self) -> Vec<Sample> {
        let counts = self.counters.snapshot();
        let mut samples = vec![
            counter(
                "sealgate_provider_records_rejected_total",
                "Inbound records refused, by the device or by software",
                vec![],
                counts.rejected,
            ),
            counter(
                "sealgate_provider_disagreements_total",
                "Inbound records that the device refused and software opened",
                vec![],
                counts.disagreements,
            ),
        ];
        for operation in Operation::ALL {
            samples.extend(software_samples(&counts, operation));
        }
        samples
    }
}

fn software_samples(counts: &RecordCounts, operation: Operation) -> impl Iterator<Item = Sample> {
    Reason::ALL.into_iter().flat_map(move |reason| {
        let Tally { records, bytes } = counts.software(operation, reason);
        let labels = || {
            vec![("operation", operation.name().to_owned()), ("reason", reason.name().to_owned())]
        };
        [
            counter(
                "sealgate_software_records_total",
                "Records sealed and opened in software, by reason",
                labels(),
                records,
            ),
            counter(
                "sealgate_software_bytes_total",
                "Bytes of content of the records sealed and opened in software, by reason",
                labels(),
                bytes,
            ),
        ]
    })
}

type Labels = Vec<(&'static str, String)>;

fn counter(name: &'static str, help: &'static str, labels: Labels, value: u64) -> Sample {
    Sample { name, help, kind: Kind::Counter, labels, value: Value::Integer(value) }
}

fn gauge(name: &'static str, help: &'static str, labels: Labels, value: u64) -> Sample {
    Sample { name, help, kind: Kind::Gauge, labels, value: Value::Integer(value) }
}
