// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Answers to challenges: put where the authority looks, and taken back whatever happens.

use std::sync::Arc;

use instant_acme::{ChallengeHandle, ChallengeType};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sealgate_frontend::{ChallengeGuard, Publications};

use super::super::IssueError;
use crate::dns::Dns;
use crate::name::DnsName;

/// How to show who has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeKind {
    /// A file over plain HTTP, port 80 (RFC 8555, section 8.3).
    Http01,
    /// A certificate under a protocol of its own, port 443 (RFC 8737).
    TlsAlpn01,
    /// A record in DNS (RFC 8555, section 8.4).
    Dns01,
}

impl ChallengeKind {
    pub(super) fn acme(self) -> ChallengeType {
        match self {
            Self::Http01 => ChallengeType::Http01,
            Self::TlsAlpn01 => ChallengeType::TlsAlpn01,
            Self::Dns01 => ChallengeType::Dns01,
        }
    }
}

impl std::str::FromStr for ChallengeKind {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "http-01" => Ok(Self::Http01),
            "tls-alpn-01" => Ok(Self::TlsAlpn01),
            "dns-01" => Ok(Self::Dns01),
            _ => Err("a challenge is http-01, tls-alpn-01 or dns-01"),
        }
    }
}

/// Where answers are put.
#[derive(Clone)]
pub struct Challenges {
    /// What the front end serves.
    pub publications: Publications,
    /// The zone of managed names.
    pub dns: Arc<dyn Dns>,
}

/// A challenge that is to be answered.
pub(super) struct Wanted {
    pub(super) kind: ChallengeKind,
    token: String,
    key_authorization: String,
    digest: Vec<u8>,
    dns_value: String,
}

impl Wanted {
    pub(super) fn of(kind: ChallengeKind, challenge: &ChallengeHandle<'_>) -> Self {
        let authorization = challenge.key_authorization();
        Self {
            kind,
            token: challenge.token.clone(),
            key_authorization: authorization.as_str().to_owned(),
            digest: authorization.digest().as_ref().to_vec(),
            dns_value: authorization.dns_value(),
        }
    }
}

/// An answer that stands until this is dropped.
pub(super) enum Presented {
    Served(#[expect(dead_code, reason = "held for its drop")] ChallengeGuard),
    Published(#[expect(dead_code, reason = "held for its drop")] Record),
}

/// A TXT record that goes when this does.
pub(super) struct Record {
    dns: Arc<dyn Dns>,
    name: String,
    value: String,
}

impl Drop for Record {
    fn drop(&mut self) {
        let (dns, name, value) = (Arc::clone(&self.dns), self.name.clone(), self.value.clone());
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if let Err(error) = dns.remove_txt(&name, &value).await {
                tracing::warn!(%name, %error, "the record of a challenge is left behind");
            }
        });
    }
}

impl Challenges {
    pub(super) async fn present(
        &self,
        name: &DnsName,
        wanted: &Wanted,
    ) -> Result<Presented, IssueError> {
        match wanted.kind {
            ChallengeKind::Http01 => {
                let challenges = self.publications.http_challenges();
                Ok(Presented::Served(challenges.put(&wanted.token, &wanted.key_authorization)))
            }
            ChallengeKind::TlsAlpn01 => {
                let certificate = validation_certificate(name, &wanted.digest);
                let certificate = certificate.map_err(|error| IssueError {
                    message: format!("no certificate for the validation of {name}: {error}"),
                    retry_after: None,
                    temporary: false,
                })?;
                let challenges = self.publications.alpn_challenges();
                Ok(Presented::Served(challenges.put(name.as_str(), Arc::new(certificate))))
            }
            ChallengeKind::Dns01 => {
                let record = Record {
                    dns: Arc::clone(&self.dns),
                    name: format!("_acme-challenge.{name}"),
                    value: wanted.dns_value.clone(),
                };
                let added = self.dns.add_txt(&record.name, &record.value).await;
                added.map_err(|error| IssueError {
                    message: format!("the challenge for {name} cannot be answered: {error}"),
                    retry_after: None,
                    temporary: true,
                })?;
                Ok(Presented::Published(record))
            }
        }
    }
}

/// A self-signed certificate with the digest in it (RFC 8737, section 3).
fn validation_certificate(
    name: &DnsName,
    digest: &[u8],
) -> Result<CertifiedKey, Box<dyn std::error::Error>> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(vec![name.to_string()])?;
    params.distinguished_name = DistinguishedName::new();
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let signed = params.self_signed(&key)?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = rustls::crypto::ring::default_provider();
    Ok(CertifiedKey::from_der(vec![signed.der().clone()], private, &provider)?)
}
