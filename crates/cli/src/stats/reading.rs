// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The counters of a device by the names of their metrics.

use std::collections::BTreeMap;

use sealgate_frontend::{Sample, Value};

/// A prefix that all metrics of a device have.
const PREFIX: &str = "sealgate_device_";

/// One look at all counters of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    /// Of the device itself: names without prefix and `_total`.
    pub(super) device: Counters,
    /// Of each lane.
    pub(super) lanes: Vec<Counters>,
    /// Of each queue.
    pub(super) queues: Vec<Counters>,
}

/// Counters by name.
pub(super) type Counters = BTreeMap<String, u64>;

impl Reading {
    /// From samples as `/metrics` would show them.
    pub(super) fn of(samples: &[Sample]) -> Self {
        let mut reading = Self::default();
        for sample in samples {
            let Value::Integer(value) = sample.value else { continue };
            let label = sample.labels.first().map(|(name, value)| (*name, value.as_str()));
            reading.add(sample.name, label, value);
        }
        reading
    }

    /// From the text of an exposition in the Prometheus or `OpenMetrics` format.
    pub(super) fn parse(text: &str) -> Result<Self, ReadingError> {
        let mut reading = Self::default();
        for line in text.lines().filter(|line| line.starts_with(PREFIX)) {
            let unreadable = || ReadingError::Line(line.to_owned());
            let (series, value) = line.rsplit_once(' ').ok_or_else(unreadable)?;
            let (name, label) = match series.split_once('{') {
                Some((name, labels)) => (name, labels.trim_end_matches('}').split_once('=')),
                None => (series, None),
            };
            if !name.ends_with("_total") {
                continue;
            }
            let value = value.parse().map_err(|_| unreadable())?;
            reading.add(name, label.map(|(label, text)| (label, text.trim_matches('"'))), value);
        }
        if reading.device.is_empty() {
            return Err(ReadingError::NoDevice);
        }
        Ok(reading)
    }

    fn add(&mut self, metric: &str, label: Option<(&str, &str)>, value: u64) {
        let name = metric.trim_start_matches(PREFIX).trim_end_matches("_total").to_owned();
        let counters = match label {
            None => Some(&mut self.device),
            Some(("lane", number)) => place(&mut self.lanes, number),
            Some(("queue", number)) => place(&mut self.queues, number),
            Some(_) => None,
        };
        if let Some(counters) = counters {
            counters.insert(name, value);
        }
    }
}

/// The counters of the lane or queue of this number; a device has only so many.
fn place<'a>(list: &'a mut Vec<Counters>, number: &str) -> Option<&'a mut Counters> {
    const MOST: usize = 256;

    let number = number.parse().ok().filter(|number| *number < MOST)?;
    if list.len() <= number {
        list.resize_with(number + 1, Counters::default);
    }
    list.get_mut(number)
}

/// Counters could not be read from what a server said.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadingError {
    #[error("a line of the server's metrics cannot be read: {0}")]
    Line(String),
    #[error(
        "the server has no device, or its device does not answer: its metrics hold no counters of one"
    )]
    NoDevice,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exposition_is_sorted_by_device_lanes_and_queues() {
        let text = "# HELP sealgate_device_cycles x\n\
            sealgate_device_info{device=\"sim:rtl\"} 1\n\
            sealgate_device_cycles_total 900\n\
            sealgate_device_lane_beats_total{lane=\"1\"} 7\n\
            sealgate_device_queue_entries_total{queue=\"0\"} 3\n\
            sealgate_software_records_total{reason=\"suite\"} 4\n";
        let reading = Reading::parse(text).unwrap();
        assert_eq!(reading.device, Counters::from([("cycles".to_owned(), 900)]));
        assert_eq!(reading.lanes.len(), 2);
        assert_eq!(reading.lanes[1]["lane_beats"], 7);
        assert_eq!(reading.queues[0]["queue_entries"], 3);
    }

    #[test]
    fn a_server_without_a_device_is_told_apart() {
        assert_eq!(
            Reading::parse("sealgate_frontend_images_total 1\n"),
            Err(ReadingError::NoDevice)
        );
        let broken = Reading::parse("sealgate_device_cycles_total many");
        assert!(matches!(broken, Err(ReadingError::Line(line)) if line.contains("many")));
    }
}
