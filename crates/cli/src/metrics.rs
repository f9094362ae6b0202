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

/// What a counter of the device is called in `/metrics`: its own name, its family's name and help. The register, the
/// driver's field and the metric have one name, but for the unit that a metric carries.
type Family = (&'static str, &'static str, &'static str);

const DEVICE_FAMILIES: [Family; 11] = [
    ("cycles", "sealgate_device_cycles_total", "Clock cycles since the reset"),
    ("busy", "sealgate_device_busy_cycles_total", "Clock cycles with entries in flight"),
    ("read_beats", "sealgate_device_read_beats_total", "Beats that the memory bus delivered"),
    (
        "read_stall",
        "sealgate_device_read_stall_cycles_total",
        "Clock cycles in which a read was asked for and not taken",
    ),
    ("write_beats", "sealgate_device_write_beats_total", "Beats that the memory bus took"),
    (
        "write_stall",
        "sealgate_device_write_stall_cycles_total",
        "Clock cycles in which a beat was offered and not taken",
    ),
    ("sealed_records", "sealgate_device_sealed_records_total", "Records sealed"),
    (
        "sealed_bytes",
        "sealgate_device_sealed_bytes_total",
        "Bytes of content of the records sealed",
    ),
    ("opened_records", "sealgate_device_opened_records_total", "Records opened"),
    (
        "opened_bytes",
        "sealgate_device_opened_bytes_total",
        "Bytes of content of the records opened",
    ),
    (
        "rejected_records",
        "sealgate_device_rejected_records_total",
        "Records found not to be authentic or not to be lawful",
    ),
];

const LANE_FAMILIES: [Family; 4] = [
    (
        "lane_busy",
        "sealgate_device_lane_busy_cycles_total",
        "Clock cycles with a record inside the lane",
    ),
    (
        "lane_beats",
        "sealgate_device_lane_beats_total",
        "Clock cycles in which the lane took a word of text",
    ),
    (
        "lane_stall_source",
        "sealgate_device_lane_stall_source_cycles_total",
        "Clock cycles in which a record in the lane waited for its source",
    ),
    (
        "lane_stall_destination",
        "sealgate_device_lane_stall_destination_cycles_total",
        "Clock cycles in which a record in the lane waited for room on its way out",
    ),
];

const QUEUE_FAMILIES: [Family; 6] = [
    ("entries", "sealgate_device_queue_entries_total", "Entries completed"),
    (
        "refused",
        "sealgate_device_queue_refused_total",
        "Entries completed with a status other than success",
    ),
    (
        "wait_completion",
        "sealgate_device_queue_wait_completion_cycles_total",
        "Clock cycles in which entries were pending and their completions had no place",
    ),
    (
        "wait_fetch",
        "sealgate_device_queue_wait_fetch_cycles_total",
        "Clock cycles in which entries were pending and none had arrived from memory",
    ),
    (
        "wait_lane",
        "sealgate_device_queue_wait_lane_cycles_total",
        "Clock cycles in which a record of the queue waited for a lane",
    ),
    (
        "wait_context",
        "sealgate_device_queue_wait_context_cycles_total",
        "Clock cycles in which the queue waited for a context to be loaded or dropped",
    ),
];

/// What `/metrics` says about the counters of a device.
pub(crate) fn device_samples(counters: &DeviceCounters) -> Vec<Sample> {
    let mut samples = samples_of(counters.named(), &DEVICE_FAMILIES, &[]);
    for (number, lane) in counters.lanes.iter().enumerate() {
        let labels = [("lane", number.to_string())];
        samples.extend(samples_of(lane.named(), &LANE_FAMILIES, &labels));
    }
    for (number, queue) in counters.queues.iter().enumerate() {
        let labels = [("queue", number.to_string())];
        samples.extend(samples_of(queue.named(), &QUEUE_FAMILIES, &labels));
    }
    samples
}

fn samples_of(
    counters: impl Iterator<Item = (&'static str, u64)>,
    families: &[Family],
    labels: &[(&'static str, String)],
) -> Vec<Sample> {
    let sample = |(name, value)| {
        let (_, metric, help) = families.iter().find(|(counter, ..)| *counter == name)?;
        Some(counter(metric, help, labels.to_vec(), value))
    };
    counters.filter_map(sample).collect()
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

#[cfg(test)]
mod tests {
    use sealgate_driver::{LaneCounters, QueueCounters};

    use super::*;

    #[test]
    fn every_counter_of_the_device_has_a_metric() {
        let counters = DeviceCounters {
            lanes: vec![LaneCounters::default()],
            queues: vec![QueueCounters::default()],
            ..DeviceCounters::default()
        };
        let lanes = counters.lanes.iter().flat_map(LaneCounters::named);
        let queues = counters.queues.iter().flat_map(QueueCounters::named);
        let wanted = counters.named().chain(lanes).chain(queues).count();
        assert_eq!(device_samples(&counters).len(), wanted);
    }
}
