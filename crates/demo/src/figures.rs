// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The figures that the demo shows, out of the server's `/metrics`.

use std::collections::BTreeMap;

use thiserror::Error;

/// Why the figures are not known.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum FiguresError {
    #[error("the server's metrics do not hold {0}")]
    Missing(&'static str),
    #[error("a line of the server's metrics cannot be read: {0}")]
    Unreadable(String),
}

/// Records and the bytes of their content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) records: u64,
    pub(crate) bytes: u64,
}

/// What device and software did since the server started.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    /// Address of the device; empty without one.
    pub(crate) device: String,
    pub(crate) sealed: Tally,
    pub(crate) opened: Tally,
    /// Clock cycles since the device was reset.
    pub(crate) cycles: u64,
    /// Those of them with entries in flight.
    pub(crate) busy_cycles: u64,
    /// Done in software, by operation and reason; nothing that is zero.
    pub(crate) software: BTreeMap<(String, String), Tally>,
}

impl Figures {
    /// Reads them from the text of an exposition in the Prometheus or `OpenMetrics` format.
    pub(crate) fn parse(text: &str) -> Result<Self, FiguresError> {
        let samples = text
            .lines()
            .filter(|line| {
                line.starts_with("sealgate_device_") || line.starts_with("sealgate_software_")
            })
            .map(|line| {
                Sample::parse(line).ok_or_else(|| FiguresError::Unreadable(line.to_owned()))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let find = |name: &'static str| {
            samples.iter().find(|sample| sample.name == name).ok_or(FiguresError::Missing(name))
        };
        let value = |name| find(name).map(|sample| sample.value);
        Ok(Self {
            device: find("sealgate_device_info")?.label("device"),
            sealed: Tally {
                records: value("sealgate_device_sealed_records_total")?,
                bytes: value("sealgate_device_sealed_bytes_total")?,
            },
            opened: Tally {
                records: value("sealgate_device_opened_records_total")?,
                bytes: value("sealgate_device_opened_bytes_total")?,
            },
            cycles: value("sealgate_device_cycles_total")?,
            busy_cycles: value("sealgate_device_busy_cycles_total")?,
            software: software(&samples),
        })
    }

    /// Records sealed or opened in software.
    pub(crate) fn records_software(&self) -> u64 {
        self.software.values().map(|tally| tally.records).sum()
    }

    /// Bytes of content that the device sealed and opened per cycle with entries in flight.
    pub(crate) fn bytes_per_cycle(&self) -> Option<f64> {
        let bytes = self.sealed.bytes + self.opened.bytes;
        (self.busy_cycles > 0).then(|| to_f64(bytes) / to_f64(self.busy_cycles))
    }
}

/// Exact below 2^53, and near enough to print beyond.
#[allow(clippy::cast_precision_loss)]
fn to_f64(value: u64) -> f64 {
    value as f64
}

fn software(samples: &[Sample]) -> BTreeMap<(String, String), Tally> {
    let mut tallies = BTreeMap::<_, Tally>::new();
    for sample in samples.iter().filter(|sample| sample.value > 0) {
        let count: fn(&mut Tally) -> &mut u64 = match sample.name.as_str() {
            "sealgate_software_records_total" => |tally| &mut tally.records,
            "sealgate_software_bytes_total" => |tally| &mut tally.bytes,
            _ => continue,
        };
        let key = (sample.label("operation"), sample.label("reason"));
        *count(tallies.entry(key).or_default()) = sample.value;
    }
    tallies
}

/// One line of an exposition: `name{label="value",...} number`.
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: u64,
}

impl Sample {
    fn parse(line: &str) -> Option<Self> {
        let (series, value) = line.rsplit_once(' ')?;
        let (name, labels) = match series.split_once('{') {
            Some((name, labels)) => (name, labels.strip_suffix('}')?),
            None => (series, ""),
        };
        // None of the values that the demo reads holds a comma or a quotation mark.
        let labels = labels
            .split(',')
            .filter(|label| !label.is_empty())
            .map(|label| {
                let (key, value) = label.split_once('=')?;
                Some((key.to_owned(), value.trim_matches('"').to_owned()))
            })
            .collect::<Option<_>>()?;
        let value = value.parse().ok().or_else(|| whole(value))?;
        Some(Self { name: name.to_owned(), labels, value })
    }

    fn label(&self, name: &str) -> String {
        self.labels.get(name).cloned().unwrap_or_default()
    }
}

/// A number that an encoder wrote with a fraction of zero.
fn whole(value: &str) -> Option<u64> {
    value.strip_suffix(".0")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: &str = r#"# HELP sealgate_device_info The device.
# TYPE sealgate_device_info gauge
sealgate_device_info{device="sim:rtl",version="0.1.0"} 1
sealgate_device_sealed_records_total 33
sealgate_device_opened_records_total 34
sealgate_device_sealed_bytes_total 6000
sealgate_device_opened_bytes_total 8000.0
sealgate_device_cycles_total 500000
sealgate_device_busy_cycles_total 7000
sealgate_software_records_total{operation="seal",reason="no_context"} 2
sealgate_software_bytes_total{operation="seal",reason="no_context"} 90
sealgate_software_records_total{operation="open",reason="timeout"} 0
sealgate_frontend_images_total 32
# EOF
"#;

    #[test]
    fn figures_are_read_from_the_exposition() {
        let figures = Figures::parse(METRICS).unwrap();
        assert_eq!(figures.device, "sim:rtl");
        assert_eq!(figures.sealed, Tally { records: 33, bytes: 6000 });
        assert_eq!(figures.opened, Tally { records: 34, bytes: 8000 });
        assert_eq!((figures.cycles, figures.busy_cycles), (500_000, 7000));
        assert_eq!(figures.records_software(), 2);
        let reason = ("seal".to_owned(), "no_context".to_owned());
        assert_eq!(figures.software.get(&reason), Some(&Tally { records: 2, bytes: 90 }));
        assert_eq!(figures.software.len(), 1);
        assert_eq!(figures.bytes_per_cycle(), Some(2.0));
    }

    #[test]
    fn a_missing_metric_is_named() {
        let without = METRICS.replace("sealgate_device_cycles_total", "sealgate_device_other");
        let error = Figures::parse(&without).unwrap_err();
        assert_eq!(error, FiguresError::Missing("sealgate_device_cycles_total"));
    }

    #[test]
    fn an_unreadable_line_is_shown() {
        let error = Figures::parse("sealgate_device_cycles_total many").unwrap_err();
        assert!(error.to_string().contains("many"), "{error}");
    }
}
