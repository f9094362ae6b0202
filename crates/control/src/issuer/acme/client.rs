// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The way to the CA: HTTPS with bounds, and refusals as [`Trouble`].

use std::error::Error as StdError;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{HeaderMap, RETRY_AFTER};
use hyper::{Request, Response, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient, Problem};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::time::timeout;

use super::AcmeSettingsError;
use super::trouble::{Refusal, Trouble, one_line};

/// How long a request may take, from the connection to the last octet.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Largest answer that is read, in octets; a long chain has some ten thousand.
const MAX_BODY: usize = 1 << 20;

/// A problem that the ACME library deals with itself at first.
const BAD_NONCE: &str = "urn:ietf:params:acme:error:badNonce";

/// A client of one CA; clones share its connections.
#[derive(Clone)]
pub(super) struct Client(legacy::Client<HttpsConnector<HttpConnector>, BodyWrapper<Bytes>>);

impl Client {
    /// Trusts the root in the file `root` alone if it is given, else what the system trusts.
    pub(super) fn new(root: Option<&Path>) -> Result<Self, AcmeSettingsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let none = |why: String| AcmeSettingsError::Trust(one_line(&why));
        let builder = HttpsConnectorBuilder::new();
        let builder = match root {
            Some(path) => builder.with_tls_config(
                ClientConfig::builder_with_provider(provider)
                    .with_safe_default_protocol_versions()
                    .map_err(|error| none(error.to_string()))?
                    .with_root_certificates(read_roots(path)?)
                    .with_no_client_auth(),
            ),
            None => builder
                .with_provider_and_platform_verifier(provider)
                .map_err(|error| none(error.to_string()))?,
        };
        let connector = builder.https_only().enable_http1().build();
        Ok(Self(legacy::Client::builder(TokioExecutor::new()).build(connector)))
    }
}

impl HttpClient for Client {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let answer = answer(self.0.request(request));
        Box::pin(async {
            let late = || Trouble::Unreachable("it does not answer".to_owned());
            let answer = timeout(REQUEST_TIMEOUT, answer).await.unwrap_or_else(|_| Err(late()));
            // The library hands it back to us as it is.
            answer.map(BytesResponse::from).map_err(|trouble| Error::Other(Box::new(trouble)))
        })
    }
}

/// The whole answer, unless it is a refusal.
async fn answer(sent: legacy::ResponseFuture) -> Result<Response<Full<Bytes>>, Trouble> {
    let (parts, body) = sent.await.map_err(|error| unreachable(&error))?.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await;
    let body = body.map_err(|error| unreachable(error.as_ref()))?.to_bytes();
    if parts.status.is_client_error() || parts.status.is_server_error() {
        let problem = serde_json::from_slice::<Problem>(&body).ok();
        let nonce = problem.as_ref().is_some_and(|it| it.r#type.as_deref() == Some(BAD_NONCE));
        if !(nonce && parts.status == StatusCode::BAD_REQUEST) {
            return Err(Trouble::Refused(Refusal {
                status: Some(parts.status.as_u16()),
                retry_after: retry_after(&parts.headers),
                ..problem.map(Refusal::from).unwrap_or_default()
            }));
        }
    }
    Ok(Response::from_parts(parts, Full::new(body)))
}

/// Seconds, or a date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

/// The innermost reason says most.
fn unreachable(error: &(dyn StdError + 'static)) -> Trouble {
    let mut reason = error;
    // Bounded, as nothing says that there is no circle.
    for _ in 0..16 {
        // What an `io::Error` wraps is not its source.
        let inner = reason.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        match inner.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| reason.source()) {
            Some(inner) => reason = inner,
            None => break,
        }
    }
    let said = one_line(&reason.to_string());
    match reason.downcast_ref() {
        Some(rustls::Error::InvalidCertificate(_)) => Trouble::Untrusted(said),
        _ => Trouble::Unreachable(said),
    }
}

fn read_roots(path: &Path) -> Result<RootCertStore, AcmeSettingsError> {
    let failed = |why: String| AcmeSettingsError::Root { path: path.to_owned(), why };
    let mut roots = RootCertStore::empty();
    let pem = CertificateDer::pem_file_iter(path).map_err(|error| failed(error.to_string()))?;
    for root in pem {
        let root = root.map_err(|error| failed(error.to_string()))?;
        roots.add(root).map_err(|error| failed(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(failed("there is no certificate in it".to_owned()));
    }
    Ok(roots)
}
