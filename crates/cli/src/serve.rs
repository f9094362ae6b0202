// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `sealgate serve`: device, provider, certificates and front end put together.

mod control;
mod follow;

use std::fs;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sealgate_driver::Device;
use sealgate_frontend::model::ModelError;
use sealgate_frontend::{
    Certificate, CertificateError, EmbeddedModel, Gate, Metrics, Publications, Router,
    ServedCertificate, Server, ServerError, Settings, Summary, development_certificate,
    published_config, served_config,
};
use sealgate_rustls::{Offload, RecordCounters, Thresholds, TlsAcceptor, measure};
use serde::Serialize;
use tempfile::NamedTempFile;
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::metrics::{DeviceMetrics, RecordMetrics};
use crate::shutdown::Signals;
use crate::transport::{self, Chosen, DeviceOpenError};
use control::{ControlArguments, ControlStartError};
use follow::{follow_certificate, outside_validity};

/// What `sealgate serve` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    chosen: Chosen,
    /// Address to listen on; may be given several times. Port 0 takes a free one.
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8443")]
    listen: Vec<SocketAddr>,
    /// Certificate chain in PEM, the server's own certificate first; followed when it changes. Without it a development
    /// certificate is made.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Where to write the development certificate, for clients to trust. Default: a temporary file.
    #[arg(long, value_name = "FILE", conflicts_with = "tls_cert")]
    dev_cert: Option<PathBuf>,
    /// Written once the server listens, and removed when it stops: one line of JSON with its addresses and the file of
    /// its certificate.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Less content than this at a time is sealed and opened in software: a number of bytes, or `measured`.
    /// Default: 0 for a simulated device, measured for a card.
    #[arg(long, value_name = "BYTES|measured")]
    software_below: Option<SoftwareBelow>,
    /// Time that requests in flight have to finish after a SIGINT or SIGTERM.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    drain_seconds: u32,
    #[command(flatten)]
    control: ControlArguments,
}

/// Which records software is asked to do although there is a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SoftwareBelow {
    /// Those with less content than this many bytes.
    Bytes(usize),
    /// Those for which it is faster.
    Measured,
}

impl FromStr for SoftwareBelow {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "measured" => Ok(Self::Measured),
            bytes => {
                bytes.parse().map(Self::Bytes).map_err(|_| "not a number of bytes, nor `measured`")
            }
        }
    }
}

/// Threads that serve connections, per core. In a handshake a thread waits while the device works on its record, and others
/// go on.
const WORKERS_PER_CORE: usize = 4;

/// Serves until a signal asks for the end.
pub(crate) fn run(arguments: Arguments) -> Result<(), ServeError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores * WORKERS_PER_CORE)
        .enable_all()
        .build();
    runtime.map_err(ServeError::Runtime)?.block_on(serve(arguments))
}

async fn serve(arguments: Arguments) -> Result<(), ServeError> {
    // From here on a signal is a request to stop, not a sudden end.
    let signals = Signals::catch().map_err(ServeError::Signals)?;
    let device = transport::open(&arguments.chosen)?;
    let offload = offload(device.as_ref(), arguments.software_below);
    let summary = match arguments.control.state.clone() {
        Some(state) => serve_targets(arguments, &state, offload, device.clone(), signals).await?,
        None => serve_certificate(arguments, offload, device.clone(), signals).await?,
    };
    info!(connections = summary.connections, aborted = summary.aborted, "stopped");
    // A provider lives as long as the program and holds the device; its keys go now.
    if let Some(device) = device {
        device.close();
    }
    Ok(())
}

/// One certificate, for as long as the program runs.
async fn serve_certificate(
    arguments: Arguments,
    offload: Offload,
    device: Option<Device>,
    signals: Signals,
) -> Result<Summary, ServeError> {
    let prepared = Prepared::new(&arguments)?;
    let metrics = metrics(device, Arc::clone(offload.counters()));
    let provider = Arc::new(offload.provider());
    let followed = Arc::new(ServedCertificate::new(provider, prepared.certificate)?);
    let tls = TlsAcceptor::new(served_config(Arc::clone(&followed))?, offload);
    let router = Router::new(EmbeddedModel::load()?, metrics.clone());
    let server = Server::bind(settings(&arguments), tls, router, metrics).await?;
    let addresses = server.local_addrs();
    info!(?addresses, certificate = %prepared.path.display(), "serving");
    let ready = Ready { certificate: Some(&prepared.path), ..Ready::at(addresses) };
    let _ready = ready.announce(arguments.ready_file)?;
    // Ends with the server.
    let mut tasks = JoinSet::new();
    if let (Some(chain), Some(key)) = (arguments.tls_cert, arguments.tls_key) {
        tasks.spawn(follow_certificate(chain, key, followed));
    }
    Ok(server.serve(signals.first()).await)
}

/// Targets that come, change and go.
async fn serve_targets(
    arguments: Arguments,
    state: &Path,
    offload: Offload,
    device: Option<Device>,
    signals: Signals,
) -> Result<Summary, ServeError> {
    let metrics = metrics(device, Arc::clone(offload.counters()));
    let publications = Publications::default();
    let config = published_config(Arc::new(offload.provider()), &publications)?;
    let tls = TlsAcceptor::new(config, offload);
    let router = Router::new(EmbeddedModel::load()?, metrics.clone());
    let gate = Gate::new(router, publications.clone());
    let gate = match arguments.control.hsts_seconds {
        Some(seconds) => gate.with_hsts(Duration::from_secs(seconds.into())),
        None => gate,
    };
    let server = Server::bind(settings(&arguments), tls, gate, metrics.clone()).await?;
    let (https, http) = (server.local_addrs(), server.plain_addrs());
    let started = arguments.control.start(state, &publications, https, http, &metrics);
    let control = started.await.map_err(Box::new)?;
    info!(addresses = ?https, plain = ?http, admin = %control.admin_socket.display(), "serving");
    let ready = Ready {
        plain_addresses: http,
        admin_socket: Some(&control.admin_socket),
        admin_address: control.admin_listen,
        dns_address: control.dns,
        ..Ready::at(https)
    };
    let _ready = ready.announce(arguments.ready_file)?;
    Ok(server.serve(signals.first()).await)
}

fn settings(arguments: &Arguments) -> Settings {
    Settings {
        listen: arguments.listen.clone(),
        plain_listen: arguments.control.http_listen.clone(),
        drain_timeout: Duration::from_secs(arguments.drain_seconds.into()),
        ..Settings::default()
    }
}

/// Records go to `device`, or to software alone.
fn offload(device: Option<&Device>, software_below: Option<SoftwareBelow>) -> Offload {
    let Some(device) = device else {
        return Offload::without_device();
    };
    // A simulated device is there to be used, however slow it is.
    let by_default =
        if device.identity().simulated { SoftwareBelow::Bytes(0) } else { SoftwareBelow::Measured };
    let thresholds = match software_below.unwrap_or(by_default) {
        SoftwareBelow::Bytes(bytes) => bytes.into(),
        SoftwareBelow::Measured => measure(device),
    };
    if thresholds == Thresholds::SOFTWARE_ONLY {
        warn!("software is faster than the device at every size; it gets no records");
    }
    info!(
        aes_gcm = thresholds.aes_gcm,
        chacha20_poly1305 = thresholds.chacha20_poly1305,
        "records with at least this much content go to the device"
    );
    Offload::new(device).software_below(thresholds)
}

fn metrics(device: Option<Device>, records: Arc<RecordCounters>) -> Metrics {
    let mut sources: Vec<Arc<dyn sealgate_frontend::MetricsSource>> =
        vec![Arc::new(RecordMetrics::new(records))];
    if let Some(device) = device {
        sources.push(Arc::new(DeviceMetrics::new(device)));
    }
    Metrics::new(sources)
}

/// A certificate to serve, and the file in which clients find it.
struct Prepared {
    certificate: Certificate,
    path: PathBuf,
    /// Removes the file when the server stops, if nobody asked for one.
    _temporary: Option<NamedTempFile>,
}

impl Prepared {
    fn new(arguments: &Arguments) -> Result<Self, ServeError> {
        match (&arguments.tls_cert, &arguments.tls_key) {
            (Some(chain), Some(key)) => {
                let certificate = Certificate::load(chain, key)?;
                if let Some(why) = outside_validity(&certificate) {
                    warn!("{} {why}: clients will refuse it", chain.display());
                }
                Ok(Self { certificate, path: chain.clone(), _temporary: None })
            }
            _ => Self::for_development(arguments.dev_cert.as_deref()),
        }
    }

    fn for_development(path: Option<&Path>) -> Result<Self, ServeError> {
        let made = development_certificate()?;
        let (path, temporary) = match path {
            Some(path) => {
                let unwritten = |source| ServeError::Write { path: path.to_owned(), source };
                fs::write(path, &made.pem).map_err(unwritten)?;
                (path.to_owned(), None)
            }
            None => write_temporary(&made.pem).map(|file| (file.path().to_owned(), Some(file)))?,
        };
        warn!(
            certificate = %path.display(),
            "serving with a development certificate that no client trusts by itself; \
             for anything else give --tls-cert and --tls-key"
        );
        Ok(Self { certificate: made.certificate, path, _temporary: temporary })
    }
}

fn write_temporary(pem: &str) -> Result<NamedTempFile, ServeError> {
    let unwritten = |source| ServeError::Write { path: std::env::temp_dir(), source };
    let mut file = tempfile::Builder::new()
        .prefix("sealgate-development-")
        .suffix(".pem")
        .tempfile()
        .map_err(unwritten)?;
    file.write_all(pem.as_bytes()).map_err(unwritten)?;
    Ok(file)
}

/// What other programs are told when the server listens.
#[derive(Serialize)]
struct Ready<'a> {
    addresses: &'a [SocketAddr],
    #[serde(skip_serializing_if = "<[SocketAddr]>::is_empty")]
    plain_addresses: &'a [SocketAddr],
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<&'a Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_socket: Option<&'a Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_address: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dns_address: Option<SocketAddr>,
}

impl<'a> Ready<'a> {
    fn at(addresses: &'a [SocketAddr]) -> Self {
        Self {
            addresses,
            plain_addresses: &[],
            certificate: None,
            admin_socket: None,
            admin_address: None,
            dns_address: None,
        }
    }

    /// Writes it to the file, if there is to be one.
    fn announce(&self, path: Option<PathBuf>) -> Result<Option<ReadyFile>, ServeError> {
        let Some(path) = path else { return Ok(None) };
        let unwritten = |source| ServeError::Write { path: path.clone(), source };
        let mut line = serde_json::to_string(self).map_err(|error| unwritten(error.into()))?;
        line.push('\n');
        // Renamed into place, so that nobody reads half a line.
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let mut file =
            NamedTempFile::new_in(directory.unwrap_or(Path::new("."))).map_err(unwritten)?;
        file.write_all(line.as_bytes()).map_err(unwritten)?;
        file.persist(&path).map_err(|error| unwritten(error.error))?;
        Ok(Some(ReadyFile { path }))
    }
}

/// The file that says so; gone when the server does not listen.
struct ReadyFile {
    path: PathBuf,
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            warn!(file = %self.path.display(), %error, "the ready file could not be removed");
        }
    }
}

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error("the asynchronous runtime could not be started")]
    Runtime(#[source] io::Error),
    #[error("signals could not be caught")]
    Signals(#[source] io::Error),
    #[error(transparent)]
    Device(#[from] DeviceOpenError),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error(transparent)]
    Control(#[from] Box<ControlStartError>),
    #[error("the embedded model could not be loaded")]
    Model(#[from] ModelError),
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("{} could not be written", path.display())]
    Write { path: PathBuf, source: io::Error },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_a_number_of_bytes_or_measured() {
        assert_eq!("measured".parse(), Ok(SoftwareBelow::Measured));
        assert_eq!("1024".parse(), Ok(SoftwareBelow::Bytes(1024)));
        for wrong in ["", "-1", "1k", "Measured"] {
            assert!(wrong.parse::<SoftwareBelow>().is_err(), "{wrong}");
        }
    }
}
