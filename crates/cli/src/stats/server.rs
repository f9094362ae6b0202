// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The metrics of a running server, over HTTPS.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

const PATIENCE: Duration = Duration::from_secs(60);

/// A server and how to trust it.
pub(super) struct Server {
    address: SocketAddr,
    connector: TlsConnector,
    runtime: Runtime,
}

impl Server {
    pub(super) fn new(address: SocketAddr, certificate: &Path) -> Result<Self, ServerError> {
        let certificate = CertificateDer::from_pem_file(certificate)
            .map_err(|source| ServerError::Certificate { path: certificate.to_owned(), source })?;
        let mut roots = RootCertStore::empty();
        roots.add(certificate)?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let runtime =
            Builder::new_current_thread().enable_all().build().map_err(ServerError::Runtime)?;
        Ok(Self { address, connector: TlsConnector::from(Arc::new(config)), runtime })
    }

    /// The text of `/metrics`, on a connection of its own: one that stays open would hold up the server's end.
    pub(super) fn metrics(&self) -> Result<String, ServerError> {
        let address = self.address;
        self.runtime
            .block_on(async { timeout(PATIENCE, self.get()).await })
            .map_err(|_| ServerError::Timeout { address })?
    }

    async fn get(&self) -> Result<String, ServerError> {
        let address = self.address;
        let failed = |source| ServerError::Connect { address, source };
        let tcp = TcpStream::connect(address).await.map_err(failed)?;
        let name = ServerName::IpAddress(address.ip().into());
        let tls = self.connector.connect(name, tcp).await.map_err(failed)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(tls)).await?;
        // What ends the connection ends the request under way too, which reports it.
        tokio::spawn(async { drop(connection.await) });
        let request = Request::get("/metrics")
            .header(HOST, address.to_string())
            .body(Empty::<Bytes>::new())?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        if status != StatusCode::OK {
            return Err(ServerError::Status { address, status });
        }
        let body = answer.into_body().collect().await?.to_bytes();
        Ok(String::from_utf8_lossy(&body).into_owned())
    }
}

/// A server did not tell its metrics.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServerError {
    #[error("the server's certificate {} cannot be read", path.display())]
    Certificate {
        path: PathBuf,
        #[source]
        source: pem::Error,
    },
    #[error("the server's certificate cannot be used")]
    Tls(#[from] rustls::Error),
    #[error("the asynchronous runtime could not be started")]
    Runtime(#[source] io::Error),
    #[error(
        "no connection to {address}: is `sealgate serve` listening there, with this certificate?"
    )]
    Connect {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("the connection to the server broke")]
    Http(#[from] hyper::Error),
    #[error("the request could not be put together")]
    Request(#[from] hyper::http::Error),
    #[error("the server at {address} answered /metrics with {status}")]
    Status { address: SocketAddr, status: StatusCode },
    #[error("the server at {address} did not answer within {} s", PATIENCE.as_secs())]
    Timeout { address: SocketAddr },
}
