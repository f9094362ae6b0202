// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Counters of the front end, and samples from outside, in one exposition.
//!
//! The text is that of `OpenMetrics` 1.0, which Prometheus reads.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, MetricEncoder, NoLabelSet, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

const PREFIX: &str = "sealgate_frontend";

/// Upper bound of the first bucket of scoring times, in seconds; each further one doubles.
const FIRST_SCORING_BUCKET_SECONDS: f64 = 10e-6;
const SCORING_BUCKETS: u16 = 20;

/// Something outside the front end whose numbers `/metrics` shows, such as a device.
pub trait MetricsSource: Send + Sync {
    /// The numbers as they are now.
    ///
    /// Called on each scrape, on a thread that also serves connections: it must not block.
    fn samples(&self) -> Vec<Sample>;
}

/// One number from a [`MetricsSource`].
///
/// Samples of one name make up a family, whose help and kind are those of its first sample; their
/// labels tell them apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Name in full, with its unit last (`sealgate_device_sealed_bytes`). A counter gets the suffix
    /// `_total` if it has none.
    pub name: &'static str,
    /// One sentence on what is counted, without its full stop.
    pub help: &'static str,
    /// Whether the number only grows.
    pub kind: Kind,
    /// Names and values of labels.
    pub labels: Vec<(&'static str, String)>,
    /// The number.
    pub value: Value,
}

/// Whether a number only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Grows from zero until the program ends.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// The number of a [`Sample`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// A whole number.
    Integer(u64),
    /// Any number.
    Float(f64),
}

/// The counters of the front end; clones count into the same numbers.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    sources: Sources,
    connections: Counter,
    open_connections: Gauge,
    accept_errors: Counter,
    handshakes: Family<HandshakeLabels, Counter>,
    sessions: Family<SessionLabels, Counter>,
    connection_ends: Family<EndLabels, Counter>,
    requests: Family<RequestLabels, Counter>,
    requests_in_flight: Gauge,
    scoring_seconds: Histogram,
    images: Counter,
}

impl Metrics {
    /// The media type of the encoded text.
    pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// Counters at zero, to be shown together with what `sources` say.
    pub fn new(sources: Vec<Arc<dyn MetricsSource>>) -> Self {
        let buckets = exponential_buckets(FIRST_SCORING_BUCKET_SECONDS, 2.0, SCORING_BUCKETS);
        let mut metrics = Self {
            registry: Arc::default(),
            sources: Sources(sources),
            connections: Counter::default(),
            open_connections: Gauge::default(),
            accept_errors: Counter::default(),
            handshakes: Family::default(),
            sessions: Family::default(),
            connection_ends: Family::default(),
            requests: Family::default(),
            requests_in_flight: Gauge::default(),
            scoring_seconds: Histogram::new(buckets),
            images: Counter::default(),
        };
        metrics.registry = Arc::new(metrics.register());
        metrics
    }

    /// The same counters, shown together with what `source` says too: for those who may know more.
    #[must_use]
    pub fn with_source(&self, source: Arc<dyn MetricsSource>) -> Self {
        let mut metrics = self.clone();
        metrics.sources.0.push(source);
        metrics.registry = Arc::new(metrics.register());
        metrics
    }

    fn register(&self) -> Registry {
        let mut root = Registry::default();
        let registry = root.sub_registry_with_prefix(PREFIX);
        registry.register("connections", "TCP connections accepted", self.connections.clone());
        registry.register(
            "open_connections",
            "TCP connections that are open now",
            self.open_connections.clone(),
        );
        registry.register(
            "accept_errors",
            "Times that the system did not hand out a connection",
            self.accept_errors.clone(),
        );
        registry.register("tls_handshakes", "TLS handshakes by result", self.handshakes.clone());
        registry.register(
            "tls_sessions",
            "Completed TLS handshakes by version and cipher suite",
            self.sessions.clone(),
        );
        registry.register(
            "connection_ends",
            "HTTP connections that ended, by reason",
            self.connection_ends.clone(),
        );
        registry.register(
            "requests",
            "HTTP requests answered, by route and status code",
            self.requests.clone(),
        );
        registry.register(
            "requests_in_flight",
            "HTTP requests that are being answered now",
            self.requests_in_flight.clone(),
        );
        registry.register_with_unit(
            "scoring",
            "Time that the replica took for a request",
            Unit::Seconds,
            self.scoring_seconds.clone(),
        );
        registry.register("images", "Images scored", self.images.clone());
        root.register_collector(Box::new(self.sources.clone()));
        root
    }

    /// All numbers as `OpenMetrics` 1.0 text.
    ///
    /// # Errors
    ///
    /// [`fmt::Error`] when the encoder fails, which writing to memory does not.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut encoded = String::new();
        text::encode(&mut encoded, &self.registry)?;
        Ok(encoded)
    }

    /// Counts a connection, and as open until the guard is dropped.
    pub(crate) fn connection(&self) -> GaugeGuard {
        self.connections.inc();
        GaugeGuard::new(&self.open_connections)
    }

    pub(crate) fn accept_error(&self) {
        self.accept_errors.inc();
    }

    pub(crate) fn handshake(&self, result: &'static str) {
        self.handshakes.get_or_create(&HandshakeLabels { result }).inc();
    }

    pub(crate) fn session(&self, version: &'static str, cipher_suite: &'static str) {
        self.sessions.get_or_create(&SessionLabels { version, cipher_suite }).inc();
    }

    pub(crate) fn connection_end(&self, reason: &'static str) {
        self.connection_ends.get_or_create(&EndLabels { reason }).inc();
    }

    /// Counts a request as in flight until the guard is dropped.
    pub(crate) fn request(&self) -> GaugeGuard {
        GaugeGuard::new(&self.requests_in_flight)
    }

    pub(crate) fn answered(&self, route: &'static str, code: u16) {
        self.requests.get_or_create(&RequestLabels { route, code }).inc();
    }

    pub(crate) fn scored(&self, images: usize, elapsed: Duration) {
        self.images.inc_by(images as u64);
        self.scoring_seconds.observe(elapsed.as_secs_f64());
    }
}

/// Keeps a gauge one higher for as long as it lives, so that a cancelled task is counted off too.
#[derive(Debug)]
pub(crate) struct GaugeGuard(Gauge);

impl GaugeGuard {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HandshakeLabels {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SessionLabels {
    version: &'static str,
    cipher_suite: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    code: u16,
}

/// Shows the samples of all sources, family by family.
#[derive(Clone)]
struct Sources(Vec<Arc<dyn MetricsSource>>);

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sources({})", self.0.len())
    }
}

impl Collector for Sources {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let mut families = BTreeMap::<&'static str, Vec<Sample>>::new();
        for sample in self.0.iter().flat_map(|source| source.samples()) {
            families.entry(sample.family()).or_default().push(sample);
        }
        for (name, samples) in &families {
            // A family exists because a sample named it.
            let Some(first) = samples.first() else { continue };
            let kind = first.kind;
            let help = format!("{}.", first.help);
            let mut family = encoder.encode_descriptor(name, &help, None, kind.into())?;
            for sample in samples {
                sample.encode(kind, &mut family)?;
            }
        }
        Ok(())
    }
}

impl Sample {
    /// The name without the suffix that the exposition gives to each counter.
    fn family(&self) -> &'static str {
        match self.kind {
            Kind::Counter => self.name.strip_suffix("_total").unwrap_or(self.name),
            Kind::Gauge => self.name,
        }
    }

    fn encode(&self, kind: Kind, family: &mut MetricEncoder<'_>) -> fmt::Result {
        // A label set of no labels would be written as a pair of braces.
        if self.labels.is_empty() {
            return self.value.encode(kind, family);
        }
        self.value.encode(kind, &mut family.encode_family(&self.labels)?)
    }
}

impl Value {
    fn encode(self, kind: Kind, encoder: &mut MetricEncoder<'_>) -> fmt::Result {
        match (kind, self) {
            (Kind::Counter, Self::Integer(value)) => {
                encoder.encode_counter::<NoLabelSet, _, u64>(&value, None)
            }
            (Kind::Counter, Self::Float(value)) => {
                encoder.encode_counter::<NoLabelSet, _, f64>(&value, None)
            }
            (Kind::Gauge, Self::Integer(value)) => encoder.encode_gauge(&value),
            (Kind::Gauge, Self::Float(value)) => encoder.encode_gauge(&value),
        }
    }
}

impl From<Kind> for MetricType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Counter => Self::Counter,
            Kind::Gauge => Self::Gauge,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Device;

    impl MetricsSource for Device {
        fn samples(&self) -> Vec<Sample> {
            let records = |operation: &str, value| Sample {
                name: "sealgate_device_records",
                help: "Records by operation",
                kind: Kind::Counter,
                labels: vec![("operation", operation.to_owned())],
                value: Value::Integer(value),
            };
            vec![
                records("seal", u64::MAX),
                Sample {
                    name: "sealgate_device_temperature_celsius",
                    help: "Temperature",
                    kind: Kind::Gauge,
                    labels: Vec::new(),
                    value: Value::Float(41.5),
                },
                records("open \"quoted\"", 7),
            ]
        }
    }

    #[test]
    fn samples_of_one_name_share_one_head() {
        let text = Metrics::new(vec![Arc::new(Device)]).encode().unwrap();
        let expected = "# HELP sealgate_device_records Records by operation.\n\
            # TYPE sealgate_device_records counter\n\
            sealgate_device_records_total{operation=\"seal\"} 18446744073709551615\n\
            sealgate_device_records_total{operation=\"open \\\"quoted\\\"\"} 7\n\
            # HELP sealgate_device_temperature_celsius Temperature.\n\
            # TYPE sealgate_device_temperature_celsius gauge\n\
            sealgate_device_temperature_celsius 41.5\n";
        assert!(text.contains(expected) && text.ends_with("# EOF\n"), "{text}");
    }

    #[test]
    fn a_counter_named_with_its_suffix_gets_no_second_one() {
        struct Suffixed;
        impl MetricsSource for Suffixed {
            fn samples(&self) -> Vec<Sample> {
                vec![Sample {
                    name: "faults_total",
                    help: "Faults",
                    kind: Kind::Counter,
                    labels: Vec::new(),
                    value: Value::Integer(3),
                }]
            }
        }
        let text = Metrics::new(vec![Arc::new(Suffixed)]).encode().unwrap();
        assert!(text.contains("# TYPE faults counter\nfaults_total 3\n"), "{text}");
    }

    #[test]
    fn a_dropped_guard_counts_off() {
        let metrics = Metrics::new(Vec::new());
        let guard = metrics.connection();
        assert!(metrics.encode().unwrap().contains("sealgate_frontend_open_connections 1\n"));
        drop(guard);
        let text = metrics.encode().unwrap();
        assert!(text.contains("sealgate_frontend_open_connections 0\n"), "{text}");
        assert!(text.contains("sealgate_frontend_connections_total 1\n"), "{text}");
    }
}
