// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Identifiers by which client, server and logs speak of one request.

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use super::refusal::Refusal;

/// Longest request identifier that is taken from a client, in characters.
pub const MAX_REQUEST_ID_CHARS: usize = 100;

const REQUEST_ID: &str = "x-request-id";
const MS_REQUEST_ID: &str = "x-ms-request-id";
const MS_CLIENT_REQUEST_ID: &str = "x-ms-client-request-id";

/// The identifiers of one request, as they go into its answer.
#[derive(Debug)]
pub(super) struct RequestIds {
    /// The client's, else made here.
    request: HeaderValue,
    /// The client's, else the same as `request`.
    ms_request: HeaderValue,
    /// The client's, if there is one.
    ms_client_request: Option<HeaderValue>,
}

impl RequestIds {
    /// Takes the client's identifiers; one that is too long is left out and refused.
    pub(super) fn of(headers: &HeaderMap) -> (Self, Option<Refusal>) {
        let mut refusal = None;
        let mut take = |header: &'static str| {
            let value = headers.get(header).filter(|value| !value.is_empty())?;
            if value.len() > MAX_REQUEST_ID_CHARS {
                refusal = Some(Refusal::RequestIdTooLong { header });
                return None;
            }
            Some(value.clone())
        };
        let ms_client_request = take(MS_CLIENT_REQUEST_ID);
        let ms_request = take(MS_REQUEST_ID);
        let request = take(REQUEST_ID).unwrap_or_else(made);
        let ms_request = ms_request.unwrap_or_else(|| request.clone());
        (Self { request, ms_request, ms_client_request }, refusal)
    }

    pub(super) fn stamp(self, headers: &mut HeaderMap) {
        headers.insert(HeaderName::from_static(REQUEST_ID), self.request);
        headers.insert(HeaderName::from_static(MS_REQUEST_ID), self.ms_request);
        if let Some(id) = self.ms_client_request {
            headers.insert(HeaderName::from_static(MS_CLIENT_REQUEST_ID), id);
        }
    }
}

/// A random UUID (RFC 9562, section 5.4).
fn made() -> HeaderValue {
    let mut buffer = Uuid::encode_buffer();
    let text: &str = Uuid::new_v4().hyphenated().encode_lower(&mut buffer);
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("unknown"))
}
