// SPDX-License-Identifier: Apache-2.0 OR MIT
//! An HTTPS client for one connection, which trusts one certificate.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, ServerName};
use sealgate_frontend::model::digits::Image;
use serde::Deserialize;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// A simulated engine is some thousand times slower than a card.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// Why there is no answer.
#[derive(Debug, Error)]
pub(crate) enum ClientError {
    #[error("cannot read the server's certificate {path}: {cause}")]
    Certificate { path: PathBuf, cause: pem::Error },
    #[error("cannot use the server's certificate: {0}")]
    Tls(#[from] rustls::Error),
    #[error("cannot connect to {address}: {cause}")]
    Connect { address: SocketAddr, cause: io::Error },
    #[error("the connection broke: {0}")]
    Http(#[from] hyper::Error),
    #[error("cannot put a request together: {0}")]
    Request(#[from] hyper::http::Error),
    #[error("no answer to {path} within {} s", ANSWER_TIMEOUT.as_secs())]
    Timeout { path: &'static str },
    #[error("{path} was answered with {status}: {body}")]
    Status { path: &'static str, status: StatusCode, body: String },
    #[error("the answer to {path} is not what it should be: {cause}")]
    Answer { path: &'static str, cause: serde_json::Error },
    #[error("the answer to an image holds no result for it")]
    NoResult,
}

/// One HTTP/1.1 connection over TLS.
pub(crate) struct Client {
    sender: http1::SendRequest<Full<Bytes>>,
    address: SocketAddr,
    session: String,
}

/// What the server makes of an image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recognised {
    /// The digit, 0 to 9.
    pub(crate) digit: u8,
    /// How sure the model is of it, 0 to 1.
    pub(crate) probability: f32,
}

#[derive(Deserialize)]
struct ScoreAnswer {
    result: Vec<u8>,
    probabilities: Vec<Vec<f32>>,
}

impl Client {
    /// Connects and does the handshake.
    pub(crate) async fn connect(
        address: SocketAddr,
        certificate: PathBuf,
    ) -> Result<Self, ClientError> {
        let connector = TlsConnector::from(Arc::new(trusting(certificate)?));
        let failed = |cause| ClientError::Connect { address, cause };
        let tcp = TcpStream::connect(address).await.map_err(failed)?;
        let name = ServerName::IpAddress(address.ip().into());
        let tls = connector.connect(name, tcp).await.map_err(failed)?;
        let session = session_of(tls.get_ref().1);
        let (sender, connection) = http1::handshake(TokioIo::new(tls)).await?;
        // What ends the connection ends the request under way too, which reports it.
        tokio::spawn(async { drop(connection.await) });
        Ok(Self { sender, address, session })
    }

    /// What was negotiated, in words.
    pub(crate) fn session(&self) -> &str {
        &self.session
    }

    /// Has one image recognised.
    pub(crate) async fn score(&mut self, image: &Image) -> Result<Recognised, ClientError> {
        let path = "/score";
        let request = Request::post(path)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(score_request(image)));
        let body = self.send(path, request).await?;
        let answer: ScoreAnswer =
            serde_json::from_slice(&body).map_err(|cause| ClientError::Answer { path, cause })?;
        let digit = *answer.result.first().ok_or(ClientError::NoResult)?;
        let probabilities = answer.probabilities.first().ok_or(ClientError::NoResult)?;
        let probability = *probabilities.get(usize::from(digit)).ok_or(ClientError::NoResult)?;
        Ok(Recognised { digit, probability })
    }

    /// The server's counters, as text.
    pub(crate) async fn metrics(&mut self) -> Result<String, ClientError> {
        let path = "/metrics";
        let body = self.send(path, Request::get(path).body(Full::default())).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    async fn send(
        &mut self,
        path: &'static str,
        request: hyper::http::Result<Request<Full<Bytes>>>,
    ) -> Result<Bytes, ClientError> {
        let mut request = request?;
        let host = self.address.to_string().parse().map_err(hyper::http::Error::from)?;
        request.headers_mut().insert(HOST, host);
        let answer = async {
            self.sender.ready().await?;
            let answer = self.sender.send_request(request).await?;
            let status = answer.status();
            Ok::<_, hyper::Error>((status, answer.into_body().collect().await?.to_bytes()))
        };
        let (status, body) =
            timeout(ANSWER_TIMEOUT, answer).await.map_err(|_| ClientError::Timeout { path })??;
        if status == StatusCode::OK {
            return Ok(body);
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        Err(ClientError::Status { path, status, body })
    }
}

/// The body of a request that has one image scored.
pub(crate) fn score_request(image: &Image) -> String {
    // Intensities are whole numbers and are shown as such, so that the request is easy to read.
    let pixels = image.map(|intensity| intensity.to_string()).join(",");
    format!("{{\"data\":[[{pixels}]]}}")
}

/// A client's configuration that trusts the one certificate in this file.
fn trusting(path: PathBuf) -> Result<ClientConfig, ClientError> {
    let certificate = CertificateDer::from_pem_file(&path)
        .map_err(|cause| ClientError::Certificate { path, cause })?;
    let mut roots = RootCertStore::empty();
    roots.add(certificate)?;
    Ok(ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn session_of(connection: &rustls::ClientConnection) -> String {
    let version = connection.protocol_version().and_then(|version| version.as_str());
    let suite = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
    format!("connected: {}, {}", version.unwrap_or("?"), suite.unwrap_or("?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_holds_whole_numbers() {
        let mut image = [0.0; 64];
        image[1] = 16.0;
        assert!(score_request(&image).starts_with(r#"{"data":[[0,16,0,"#));
    }
}
