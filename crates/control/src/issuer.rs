// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Who issues managed certificates.

pub mod acme;
pub mod development;

use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use rustls_pki_types::CertificateDer;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::name::DnsName;

/// A certificate authority that certificates are asked of.
pub trait Issuer: Send + Sync {
    /// What operators call it, for state and messages: `development`, `acme`.
    fn name(&self) -> &str;

    /// Gets a certificate with a new key. Tries again within its own bounds; does not panic and may
    /// be dropped at any time.
    fn issue<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Issued, IssueError>>;

    /// When the authority wants this certificate renewed (RFC 9773), if it says so.
    fn renewal_window<'a>(
        &'a self,
        certificate: &'a CertificateDer<'a>,
    ) -> BoxFuture<'a, Option<RenewalWindow>>;

    /// The root that clients need and do not have, in PEM: that of the development authority.
    fn root_pem(&self) -> Option<String>;

    /// What a person should know of the authority at `now`, if there is anything.
    fn warning(&self, _now: SystemTime) -> Option<String> {
        None
    }
}

/// What is ordered.
#[derive(Debug, Clone)]
pub struct Order {
    /// The name, never a wildcard.
    pub name: DnsName,
    /// The certificate that this one is in the place of, if any.
    pub replaces: Option<CertificateDer<'static>>,
}

/// A certificate and its key.
#[derive(Clone)]
pub struct Issued {
    /// The chain in PEM, the server's own certificate first.
    pub chain_pem: String,
    /// The private key in PEM (PKCS #8).
    pub key_pem: Zeroizing<String>,
}

/// A time for renewal, of which one is to take a random point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenewalWindow {
    /// Its first moment.
    pub start: SystemTime,
    /// Its last moment.
    pub end: SystemTime,
}

/// Why there is no certificate.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct IssueError {
    /// What happened, to what, and the mend. One line, nothing secret.
    pub message: String,
    /// How long the authority asks to be left alone, as with a rate limit.
    pub retry_after: Option<Duration>,
    /// Whether a later try may succeed with nothing changed by a person.
    pub temporary: bool,
}
