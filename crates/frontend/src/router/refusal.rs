// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Why a request is not answered as asked, and how the client is told.

use hyper::StatusCode;
use hyper::header::{ALLOW, CONNECTION, HeaderMap, HeaderValue, RETRY_AFTER};
use thiserror::Error;

use super::{Answer, MAX_BODY_BYTES, MAX_REQUEST_ID_CHARS, RUN_FUNCTION_FAILED, json};
use crate::ReplicaError;

/// Seconds after which a client that met an overload may try again.
const RETRY_AFTER_SECONDS: &str = "1";

/// One variant for each thing that can be wrong; the text is for the client.
#[derive(Debug, Error)]
pub(super) enum Refusal {
    #[error("there is nothing at this path; see /swagger.json for what there is")]
    UnknownPath,
    #[error("this path takes {allow}")]
    Method { allow: &'static str },
    #[error("the header {header} is longer than {MAX_REQUEST_ID_CHARS} characters")]
    RequestIdTooLong { header: &'static str },
    #[error("the body is larger than {MAX_BODY_BYTES} bytes")]
    BodyTooLarge,
    #[error("the body did not arrive in time")]
    BodyTimeout,
    #[error("the body ended early or its framing is broken")]
    BodyBroken,
    #[error("the body is said not to be JSON: send it as application/json")]
    MediaType,
    #[error("the body has a content coding: send it without Content-Encoding")]
    ContentCoding,
    #[error("{0}")]
    Malformed(String),
    #[error("version is neither 2 nor 3")]
    SwaggerVersion,
    #[error("the answer cannot be written")]
    Unwritable,
    #[error("the model is busy: try again later")]
    Overloaded,
    #[error("the model failed on this request")]
    ScoringFailed,
    #[error("the model did not answer in time")]
    ScoringTimeout,
}

impl Refusal {
    /// Tells the client no more than the kind of failure; the cause goes to the log.
    pub(super) fn of_replica(error: ReplicaError) -> Self {
        match error {
            ReplicaError::Overloaded => Self::Overloaded,
            ReplicaError::Failed(cause) => {
                tracing::error!(%cause, "the replica failed");
                Self::ScoringFailed
            }
        }
    }

    pub(super) fn into_answer(self) -> Answer {
        let mut answer = json(serde_json::json!({ "error": self.to_string() }).to_string());
        *answer.status_mut() = self.status();
        self.add_headers(answer.headers_mut());
        answer
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::UnknownPath => StatusCode::NOT_FOUND,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestIdTooLong { .. } => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::BodyBroken | Self::Malformed(_) | Self::SwaggerVersion => StatusCode::BAD_REQUEST,
            Self::MediaType | Self::ContentCoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unwritable => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::ScoringFailed => StatusCode::BAD_GATEWAY,
            Self::ScoringTimeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    fn add_headers(&self, headers: &mut HeaderMap) {
        match self {
            Self::Method { allow } => {
                headers.insert(ALLOW, HeaderValue::from_static(allow));
            }
            Self::Overloaded => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
            }
            Self::ScoringFailed | Self::ScoringTimeout => {
                headers.insert(RUN_FUNCTION_FAILED, HeaderValue::from_static("true"));
            }
            // The rest of the body is not waited for: RFC 9110, section 15.5.9 and 15.5.14.
            Self::BodyTooLarge | Self::BodyTimeout => {
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
    }
}
