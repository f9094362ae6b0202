// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The way to the responder: plain HTTP with bounds (RFC 6960, appendix A; RFC 5019, section 5).

use std::error::Error;
use std::time::Duration;

use data_encoding::BASE64;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{ACCEPT, CONTENT_TYPE};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

use super::OcspError;

/// How long all of it may take, from the connection to the last octet.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Largest answer in octets; one with a responder's certificate has some two thousand.
const MAX_RESPONSE: usize = 64 << 10;

/// Longest URI that is asked with GET, which caches can answer (RFC 5019, section 5).
const MAX_GET: usize = 255;

/// Asks with GET where that is short enough, and with POST where it is not or GET is not served.
pub(super) async fn fetch(responder: &Uri, request: &[u8]) -> Result<Vec<u8>, OcspError> {
    let asked = async {
        if let Some(uri) = get_uri(responder, request) {
            match send(responder, Method::GET, &uri, &[]).await {
                Err(OcspError::Http { status: 400..500, .. }) => {}
                answered => return answered,
            }
        }
        send(responder, Method::POST, responder, request).await
    };
    let late = |_| unreachable(responder, "it does not answer".to_owned());
    timeout(TIMEOUT, asked).await.map_err(late)?
}

fn get_uri(responder: &Uri, request: &[u8]) -> Option<Uri> {
    if responder.query().is_some() {
        return None;
    }
    let encoded = BASE64.encode(request);
    let encoded = encoded.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let uri = responder.to_string();
    let uri = format!("{}/{encoded}", uri.trim_end_matches('/'));
    (uri.len() <= MAX_GET).then(|| uri.parse().ok()).flatten()
}

async fn send(
    responder: &Uri,
    method: Method,
    uri: &Uri,
    body: &[u8],
) -> Result<Vec<u8>, OcspError> {
    let failed = |error: &(dyn Error + 'static)| unreachable(responder, innermost(error));
    let request = Request::builder()
        .method(method)
        .uri(uri)
        .header(CONTENT_TYPE, "application/ocsp-request")
        .header(ACCEPT, "application/ocsp-response")
        .body(Full::new(Bytes::copy_from_slice(body)))
        .map_err(|error| failed(&error))?;
    // Days lie between two questions: no connection is kept.
    let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
    let response = client.request(request).await.map_err(|error| failed(&error))?;
    let status = response.status();
    if status != StatusCode::OK {
        return Err(OcspError::Http { responder: responder.to_string(), status: status.as_u16() });
    }
    let body = Limited::new(response.into_body(), MAX_RESPONSE).collect().await;
    Ok(body.map_err(|error| failed(error.as_ref()))?.to_bytes().into())
}

fn unreachable(responder: &Uri, why: String) -> OcspError {
    OcspError::Unreachable { responder: responder.to_string(), why }
}

/// The reason behind all others, which says most.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut reason = error;
    // Bounded, as nothing says that there is no circle.
    for _ in 0..16 {
        let Some(source) = reason.source() else { break };
        reason = source;
    }
    reason.to_string()
}
