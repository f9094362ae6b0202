// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Challenges of a CA: chosen, solved, and always taken back.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use instant_acme::{ChallengeHandle, ChallengeType};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::sign::CertifiedKey;
use rustls_pki_types::PrivatePkcs8KeyDer;
use sealgate_frontend::{ChallengeGuard, Publications};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::AcmeSettingsError;
use super::trouble::Trouble;
use crate::dns::Dns;
use crate::name::DnsName;

/// How long a TXT record that nobody waits for any more is tried to be removed.
const REMOVAL_TIMEOUT: Duration = Duration::from_secs(30);

/// How a CA is shown that a name is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeKind {
    /// By an answer over plain HTTP on port 80 (RFC 8555, section 8.3).
    Http01,
    /// By a certificate on port 443 (RFC 8737).
    TlsAlpn01,
    /// By a TXT record in the zone (RFC 8555, section 8.4).
    Dns01,
}

impl ChallengeKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Http01, Self::TlsAlpn01, Self::Dns01];

    /// The name that the protocol has for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http01 => "http-01",
            Self::TlsAlpn01 => "tls-alpn-01",
            Self::Dns01 => "dns-01",
        }
    }
}

impl fmt::Display for ChallengeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ChallengeKind {
    type Err = AcmeSettingsError;

    fn from_str(text: &str) -> Result<Self, AcmeSettingsError> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| AcmeSettingsError::Challenge(text.to_owned()))
    }
}

impl From<ChallengeKind> for ChallengeType {
    fn from(kind: ChallengeKind) -> Self {
        match kind {
            ChallengeKind::Http01 => Self::Http01,
            ChallengeKind::TlsAlpn01 => Self::TlsAlpn01,
            ChallengeKind::Dns01 => Self::Dns01,
        }
    }
}

/// Where challenges are answered.
#[derive(Clone)]
pub struct Challenges {
    /// What the front end serves.
    pub publications: Publications,
    /// The zone of managed names.
    pub dns: Arc<dyn Dns>,
}

impl Challenges {
    /// Whether challenges of `kind` can be solved for `name`.
    pub(super) fn can_solve(&self, kind: ChallengeKind, name: &DnsName) -> bool {
        kind != ChallengeKind::Dns01 || name.is_within(self.dns.zone())
    }

    /// Puts up what the CA will look for; it stays until the solution is removed or dropped.
    pub(super) async fn solve(
        &self,
        kind: ChallengeKind,
        name: &DnsName,
        challenge: &ChallengeHandle<'_>,
    ) -> Result<Solution, Trouble> {
        let answer = challenge.key_authorization();
        match kind {
            ChallengeKind::Http01 => {
                let http = self.publications.http_challenges();
                Ok(Solution::Served(http.put(&challenge.token, answer.as_str())))
            }
            ChallengeKind::TlsAlpn01 => {
                let certificate = alpn_certificate(name, answer.digest().as_ref())?;
                let alpn = self.publications.alpn_challenges();
                Ok(Solution::Served(alpn.put(name.as_str(), Arc::new(certificate))))
            }
            ChallengeKind::Dns01 => {
                let txt = Txt {
                    dns: Arc::clone(&self.dns),
                    name: format!("_acme-challenge.{name}"),
                    value: answer.dns_value(),
                };
                // Made before the record, which may be there even if adding it fails.
                let record = Record(Some(txt.clone()));
                txt.dns.add_txt(&txt.name, &txt.value).await?;
                Ok(Solution::Published(record))
            }
        }
    }
}

/// What a CA looks for. Dropping it takes it back.
pub(super) enum Solution {
    Served(ChallengeGuard),
    Published(Record),
}

impl Solution {
    /// Takes it back and waits for that.
    pub(super) async fn remove(self) {
        match self {
            Self::Served(guard) => drop(guard),
            Self::Published(mut record) => {
                // Should this be dropped while it waits, the record is still the guard's.
                if let Some(txt) = record.0.clone() {
                    txt.remove().await;
                    record.0 = None;
                }
            }
        }
    }
}

#[derive(Clone)]
struct Txt {
    dns: Arc<dyn Dns>,
    name: String,
    value: String,
}

impl Txt {
    async fn remove(&self) {
        let removed = timeout(REMOVAL_TIMEOUT, self.dns.remove_txt(&self.name, &self.value)).await;
        let why = match removed {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the DNS server does not answer".to_owned(),
        };
        self.is_left_over(&why);
    }

    fn is_left_over(&self, why: &str) {
        let name = &self.name;
        tracing::warn!(name, why, "a TXT record of a challenge is left over: remove it by hand");
    }
}

/// A TXT record that is removed when this is dropped.
pub(super) struct Record(Option<Txt>);

impl Drop for Record {
    fn drop(&mut self) {
        let Some(txt) = self.0.take() else { return };
        if let Ok(runtime) = Handle::try_current() {
            drop(runtime.spawn(async move { txt.remove().await }));
        } else {
            txt.is_left_over("the program ends");
        }
    }
}

/// The certificate that proves a key authorization with this digest (RFC 8737, section 3).
fn alpn_certificate(name: &DnsName, digest: &[u8]) -> Result<CertifiedKey, Trouble> {
    let make = || -> Result<_, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new([name.to_string()])?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        Ok((params.self_signed(&key)?, key))
    };
    let (certificate, key) = make().map_err(|error| Trouble::Make(error.to_string()))?;
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let key = rustls::crypto::ring::sign::any_ecdsa_type(&key.into());
    let key = key.map_err(|error| Trouble::Make(error.to_string()))?;
    // Not checked against the key by rustls, which refuses the extension as critical and unknown.
    Ok(CertifiedKey::new(vec![certificate.der().clone()], key))
}
