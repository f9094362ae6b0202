// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Why there is nothing to staple.

use thiserror::Error;

/// What was wrong with a responder or its answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OcspError {
    /// There is no way to ask.
    #[error(
        "the OCSP responder {responder} cannot be asked: {why}; have the certificate issued again"
    )]
    NotAskable {
        /// Where it is, as the certificate says.
        responder: String,
        /// What hinders.
        why: &'static str,
    },
    /// No answer in time, or none that is whole.
    #[error(
        "the OCSP responder {responder} cannot be reached: {why}; let this host reach it over http"
    )]
    Unreachable {
        /// Where it is.
        responder: String,
        /// What happened.
        why: String,
    },
    /// It answered with an error of HTTP.
    #[error("the OCSP responder {responder} answered with HTTP status {status}")]
    Http {
        /// Where it is.
        responder: String,
        /// The status.
        status: u16,
    },
    /// It answered with an error of OCSP (RFC 6960, section 4.2.1).
    #[error("the OCSP responder does not answer for the certificate: {status}")]
    Declined {
        /// What it said.
        status: &'static str,
    },
    /// What it answered is not an answer.
    #[error("the OCSP responder's answer is malformed: {why}")]
    Malformed {
        /// Which part.
        why: &'static str,
    },
    /// It answered about something else.
    #[error("the OCSP responder's answer is about another certificate")]
    AnotherCertificate,
    /// Somebody else signed it, or it was changed.
    #[error("the signature of the OCSP responder's answer is wrong: {why}")]
    BadSignature {
        /// What is wrong.
        why: &'static str,
    },
    /// It is old, or the clock is wrong.
    #[error("the OCSP responder's answer was valid until {when}: check the clock of this host")]
    TooOld {
        /// Its last moment.
        when: String,
    },
    /// The clock is wrong.
    #[error("the OCSP responder's answer is not valid before {when}: check the clock of this host")]
    TooNew {
        /// Its first moment.
        when: String,
    },
    /// The certificate must not be used any more.
    #[error(
        "the certificate was revoked at {when} ({reason}): clients may refuse it; replace it, and its key"
    )]
    Revoked {
        /// When.
        when: String,
        /// Why (RFC 5280, section 5.3.1).
        reason: &'static str,
    },
    /// The responder does not know the certificate, as for a moment after it was issued.
    #[error("the OCSP responder does not know the certificate")]
    Unknown,
}

impl OcspError {
    /// Whether asking again may bring something to staple with nothing changed by the operator.
    ///
    /// A revocation may be one: a hold that is lifted. It is told as [`Self::Revoked`] all the same.
    pub fn is_temporary(&self) -> bool {
        !matches!(self, Self::NotAskable { .. })
    }
}
