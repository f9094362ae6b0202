// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The last check: a client's own, of one who trusts the end of the chain.
//!
//! Those before it say better what is wrong. This one sees what they do not: whoever wrote the
//! certificates may have had any notion of DER.

use std::time::{SystemTime, UNIX_EPOCH};

use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::ring;
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::Refusal;
use super::leaf::line;
use crate::name::DnsName;

pub(super) fn check(
    chain: &[CertificateDer<'static>],
    cname: &DnsName,
    now: SystemTime,
) -> Result<(), Refusal> {
    match verify(chain, cname, now) {
        Err(Error::InvalidCertificate(error)) if !is_a_matter_of_taste(&error) => {
            Err(Refusal::ClientsRefuse { why: line(&error) })
        }
        _ => Ok(()),
    }
}

fn verify(
    chain: &[CertificateDer<'static>],
    cname: &DnsName,
    now: SystemTime,
) -> Result<(), Error> {
    let Some((leaf, rest)) = chain.split_first() else { return Ok(()) };
    let leaf = ParsedCertificate::try_from(leaf)?;
    // A wildcard is asked for by no client.
    if let Ok(name) = ServerName::try_from(cname.as_str()) {
        verify_server_name(&leaf, &name)?;
    }
    let Some((last, between)) = rest.split_last() else { return Ok(()) };
    let mut roots = RootCertStore::empty();
    roots.add(last.clone())?;
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let algorithms = ring::default_provider().signature_verification_algorithms.all;
    let now = UnixTime::since_unix_epoch(now);
    verify_server_cert_signed_by_trust_anchor(&leaf, &roots, between, now, algorithms)
}

/// What this client does not know and others do: curves, and extensions for policies.
#[expect(deprecated, reason = "it may be given all the same")]
fn is_a_matter_of_taste(error: &CertificateError) -> bool {
    matches!(
        error,
        CertificateError::UnsupportedSignatureAlgorithm
            | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. }
            | CertificateError::UnhandledCriticalExtension
    )
}
