// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The embedded development authority: certificates without an account, for clients that were
//! given its root.

use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer as Signer, KeyPair, KeyUsagePurpose,
    NameConstraints, SanType,
};
use rustls_pki_types::CertificateDer;
use thiserror::Error;
use zeroize::Zeroizing;

use super::{IssueError, Issued, Issuer, Order, RenewalWindow};
use crate::name::DnsName;

/// How long the root is valid.
const ROOT_VALIDITY: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// How long certificates are valid if nothing else is asked for.
pub const DEFAULT_VALIDITY: Duration = Duration::from_secs(90 * 24 * 3600);

/// How far before now validity begins, for clients whose clock is late.
const BACKDATE: Duration = Duration::from_secs(3600);

/// An authority whose root is good for one zone only.
pub struct DevelopmentAuthority {
    root_pem: String,
    root_key_pem: Zeroizing<String>,
    signer: Signer<'static, KeyPair>,
    validity: Duration,
}

impl std::fmt::Debug for DevelopmentAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DevelopmentAuthority")
            .field("validity", &self.validity)
            .finish_non_exhaustive()
    }
}

impl DevelopmentAuthority {
    /// Makes an authority for names in `zone` (RFC 5280, section 4.2.1.10): whoever gets hold of its key can stand in for
    /// no other name.
    ///
    /// # Errors
    ///
    /// [`AuthorityError`] when its key cannot be made.
    pub fn new(zone: &DnsName, validity: Duration) -> Result<Self, AuthorityError> {
        let key = KeyPair::generate()?;
        let root_key_pem = Zeroizing::new(key.serialize_pem());
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, format!("sealgate development authority for {zone}"));
        let mut params = CertificateParams::default();
        params.distinguished_name = name;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName(zone.to_string())],
            excluded_subtrees: Vec::new(),
        });
        set_validity(&mut params, ROOT_VALIDITY);
        let root_pem = CertifiedIssuer::self_signed(params, &key)?.pem();
        Self::from_pem(root_pem, root_key_pem, validity)
    }

    /// Takes up an authority that was made before.
    ///
    /// # Errors
    ///
    /// [`AuthorityError`] when these are not its root and key.
    pub fn from_pem(
        root_pem: String,
        root_key_pem: Zeroizing<String>,
        validity: Duration,
    ) -> Result<Self, AuthorityError> {
        let key = KeyPair::from_pem(&root_key_pem)?;
        let signer = Signer::from_ca_cert_pem(&root_pem, key)?;
        Ok(Self { root_pem, root_key_pem, signer, validity })
    }

    /// The root and its key, to be kept.
    pub fn to_pem(&self) -> (&str, &Zeroizing<String>) {
        (&self.root_pem, &self.root_key_pem)
    }

    fn sign(&self, name: &DnsName) -> Result<Issued, AuthorityError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        // The name stands where clients look for it, and is often too long for a common name.
        params.distinguished_name = DistinguishedName::new();
        params.subject_alt_names = vec![SanType::DnsName(name.as_str().try_into()?)];
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        set_validity(&mut params, self.validity);
        let signed = params.signed_by(&key, &self.signer)?;
        Ok(Issued { chain_pem: signed.pem(), key_pem: Zeroizing::new(key.serialize_pem()) })
    }
}

/// From a little before now until `validity` from now.
fn set_validity(params: &mut CertificateParams, validity: Duration) {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = rcgen::date_time_ymd(1970, 1, 1) + since_epoch;
    // A short validity must not lie in the past for the most part: renewal goes by the whole.
    params.not_before = now - BACKDATE.min(validity / 10);
    params.not_after = now + validity;
}

impl Issuer for DevelopmentAuthority {
    fn name(&self) -> &'static str {
        "development"
    }

    fn issue<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Issued, IssueError>> {
        let issued = self.sign(&order.name).map_err(|error| IssueError {
            message: format!("the development authority cannot sign for {}: {error}", order.name),
            retry_after: None,
            temporary: false,
        });
        Box::pin(std::future::ready(issued))
    }

    fn renewal_window<'a>(
        &'a self,
        _certificate: &'a CertificateDer<'a>,
    ) -> BoxFuture<'a, Option<RenewalWindow>> {
        Box::pin(std::future::ready(None))
    }

    fn root_pem(&self) -> Option<String> {
        Some(self.root_pem.clone())
    }
}

/// Why there is no authority.
#[derive(Debug, Error)]
#[error("a key or certificate of the development authority cannot be made or read: {0}")]
pub struct AuthorityError(#[from] rcgen::Error);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::Checked;

    fn name(text: &str) -> DnsName {
        DnsName::parse(text).unwrap()
    }

    #[tokio::test]
    async fn certificates_pass_the_checks_of_served_ones_and_outlive_a_restart() {
        let authority = DevelopmentAuthority::new(&name("example.net"), DEFAULT_VALIDITY).unwrap();
        let (root, key) = authority.to_pem();
        let again =
            DevelopmentAuthority::from_pem(root.to_owned(), key.clone(), DEFAULT_VALIDITY).unwrap();
        assert_eq!(again.root_pem(), authority.root_pem());
        let host = name("contosoabc123.west.example.net");
        let order = Order { name: host.clone(), replaces: None };
        let issued = again.issue(&order).await.unwrap();
        let with_root = format!("{}{root}", issued.chain_pem);
        let now = SystemTime::now();
        let checked = Checked::own(&host, &with_root, &issued.key_pem, now).unwrap();
        assert_eq!(checked.summary().names, [host.as_str()]);
    }

    #[tokio::test]
    async fn its_root_is_good_for_its_zone_only() {
        let authority = DevelopmentAuthority::new(&name("example.net"), DEFAULT_VALIDITY).unwrap();
        let host = name("www.example.com");
        let issued = authority.issue(&Order { name: host.clone(), replaces: None }).await.unwrap();
        let chain = format!("{}{}", issued.chain_pem, authority.root_pem);
        let refused = Checked::own(&host, &chain, &issued.key_pem, SystemTime::now());
        assert_eq!(refused.unwrap_err().code(), "not-an-authority");
    }
}
