// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The client of the admin API.

use std::env;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

/// The socket of a server that was set up as `deploy` tells.
const DEFAULT_SOCKET: &str = "/var/lib/sealgate/admin.sock";

/// In the place of `--admin`.
const VARIABLE: &str = "SEALGATE_ADMIN";

/// An answer is waited for so long: longer than the server holds one back.
const PATIENCE: Duration = Duration::from_secs(90);

/// Seconds that the server may hold an answer back until an operation ends.
const WAIT_SECONDS: u64 = 30;

/// How long an operation is waited for: an authority may take its time.
const MAX_WAITS: u64 = 20;

/// Largest answer.
const MAX_ANSWER_BYTES: usize = 16 << 20;

/// How the admin API is reached.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ApiClient {
    /// Socket of the server's admin API, or HOST:PORT of one with client certificates. Default: that in
    /// `SEALGATE_ADMIN`, else /var/lib/sealgate/admin.sock.
    #[arg(long, value_name = "SOCKET|HOST:PORT", global = true)]
    admin: Option<String>,
    /// Certificate to show to the admin API, in PEM.
    #[arg(long, value_name = "FILE", requires = "admin_key", global = true)]
    admin_cert: Option<PathBuf>,
    /// Its private key, in PEM.
    #[arg(long, value_name = "FILE", requires = "admin_cert", global = true)]
    admin_key: Option<PathBuf>,
    /// Authority of the admin API's certificate, in PEM.
    #[arg(long, value_name = "FILE", global = true)]
    admin_ca: Option<PathBuf>,
}

impl ApiClient {
    /// Asks, and takes an answer of status 2xx as JSON; one that is text comes as a string.
    pub(crate) fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, AdminError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(AdminError::Runtime)?.block_on(async {
            let exchange = self.exchange(method, path, body);
            let answered = tokio::time::timeout(PATIENCE, exchange).await;
            answered.map_err(|_| AdminError::Timeout { place: self.place() })?
        })
    }

    /// Waits until `operation` has ended, and fails if it did.
    pub(crate) fn wait(&self, operation: &Value) -> Result<Value, AdminError> {
        let id = operation["id"].as_str().unwrap_or_default();
        let path = format!("/v1/operations/{id}?waitSeconds={WAIT_SECONDS}");
        for _ in 0..MAX_WAITS {
            let now = self.ask(Method::GET, &path, None)?;
            match now["state"].as_str() {
                Some("Running") => {}
                Some("Succeeded") => return Ok(now),
                _ => return Err(AdminError::of_problem(&now["error"])),
            }
        }
        Err(AdminError::StillRunning { id: id.to_owned() })
    }

    fn place(&self) -> String {
        let variable = || env::var(VARIABLE).ok().filter(|place| !place.is_empty());
        self.admin.clone().or_else(variable).unwrap_or_else(|| DEFAULT_SOCKET.to_owned())
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, AdminError> {
        let place = self.place();
        let failed = |source| AdminError::Connect { place: place.clone(), source };
        let content = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let host = if place.contains('/') { "localhost" } else { &place };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, host)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(content))?;
        if place.contains('/') {
            return send(UnixStream::connect(&place).await.map_err(failed)?, request).await;
        }
        let tcp = TcpStream::connect(&place).await.map_err(failed)?;
        let host = place.rsplit_once(':').map_or(place.as_str(), |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(|_| AdminError::Place(place.clone()))?;
        let tls = TlsConnector::from(Arc::new(self.tls()?));
        send(tls.connect(name, tcp).await.map_err(failed)?, request).await
    }

    fn tls(&self) -> Result<ClientConfig, AdminError> {
        let (Some(certificate), Some(key), Some(authority)) =
            (&self.admin_cert, &self.admin_key, &self.admin_ca)
        else {
            return Err(AdminError::NoCertificate);
        };
        let mut roots = RootCertStore::empty();
        for root in read_chain(authority)? {
            roots.add(root)?;
        }
        let key = PrivateKeyDer::from_pem_file(key)
            .map_err(|source| AdminError::Pem { path: key.clone(), source })?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_client_auth_cert(read_chain(certificate)?, key)?;
        Ok(config)
    }
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, AdminError> {
    let failed = |source| AdminError::Pem { path: path.to_owned(), source };
    CertificateDer::pem_file_iter(path).map_err(failed)?.map(|one| one.map_err(failed)).collect()
}

async fn send(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Value, AdminError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(io)).await?;
    // What ends the connection ends the request under way too, which reports it.
    tokio::spawn(async { drop(connection.await) });
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES).collect().await;
    let body = body.map_err(|_| AdminError::Answer)?.to_bytes();
    let text = || Value::String(String::from_utf8_lossy(&body).into_owned());
    let value = serde_json::from_slice(&body).unwrap_or_else(|_| text());
    // A server that is not ready says in its answer why.
    if status.is_success() || value.get("ready").is_some() {
        return Ok(value);
    }
    match value.get("error") {
        Some(problem) => Err(AdminError::of_problem(problem)),
        None => Err(AdminError::Answer),
    }
}

/// Why the server did not do as it was told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdminError {
    #[error("the asynchronous runtime could not be started")]
    Runtime(#[source] io::Error),
    #[error(
        "no connection to the admin API at {place}: is `sealgate serve --state` running, and --admin its socket?"
    )]
    Connect {
        place: String,
        #[source]
        source: io::Error,
    },
    #[error("what was asked for was done, and cannot be printed")]
    Output(#[source] io::Error),
    #[error("{0} is neither the path of a socket nor HOST:PORT")]
    Place(String),
    #[error("an admin API on TCP takes --admin-cert, --admin-key and --admin-ca")]
    NoCertificate,
    #[error("{} cannot be read", path.display())]
    Pem {
        path: PathBuf,
        #[source]
        source: pem::Error,
    },
    #[error("the certificates for the admin API cannot be used")]
    Tls(#[from] rustls::Error),
    #[error("the connection to the admin API broke")]
    Http(#[from] hyper::Error),
    #[error("the request could not be put together")]
    Request(#[from] hyper::http::Error),
    #[error("the admin API at {place} did not answer within {} s", PATIENCE.as_secs())]
    Timeout { place: String },
    #[error("the admin API gave an answer that is none of its own")]
    Answer,
    #[error("operation {id} still runs: `sealgate target show` tells how it ends")]
    StillRunning { id: String },
    #[error("{message}")]
    Refused { message: String, exit_code: u8 },
}

impl AdminError {
    fn of_problem(problem: &Value) -> Self {
        let message = problem["message"].as_str().unwrap_or("the change failed").to_owned();
        let exit_code = problem["exitCode"].as_u64().and_then(|code| code.try_into().ok());
        Self::Refused { message, exit_code: exit_code.unwrap_or(1) }
    }

    /// What the program ends with: the server's code for each kind of refusal, else 1.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Refused { exit_code, .. } => *exit_code,
            _ => 1,
        }
    }
}

/// Prints what was asked for, line by line. Who has read enough and closed the pipe has got it.
pub(crate) fn print(lines: impl IntoIterator<Item = String>) -> Result<(), AdminError> {
    let mut stdout = io::stdout().lock();
    let printed = lines.into_iter().try_for_each(|line| writeln!(stdout, "{line}"));
    match printed.and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(AdminError::Output(error)),
        _ => Ok(()),
    }
}

/// The address that names should point at where none was given: what the server listens on, if that is an address.
pub(crate) fn addresses_of(listen: &[SocketAddr]) -> Vec<std::net::IpAddr> {
    let mut addresses: Vec<_> =
        listen.iter().map(SocketAddr::ip).filter(|ip| !ip.is_unspecified()).collect();
    addresses.dedup();
    addresses
}
