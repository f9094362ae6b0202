// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The authority that is built in: certificates without an account, for clients that take its root.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints,
    PublicKeyData, SerialNumber,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use thiserror::Error;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use zeroize::Zeroizing;

use super::{IssueError, Issued, Issuer, Order, RenewalWindow};
use crate::certificate::{moment, rfc3339};
use crate::name::DnsName;

/// The end of the root is told so long before.
const ROOT_WARNING: Duration = Duration::from_secs(90 * DAY);

/// How long certificates are valid if nothing else is asked for.
pub const DEFAULT_VALIDITY: Duration = Duration::from_secs(90 * DAY);

/// How long a root is valid.
const ROOT_VALIDITY: Duration = Duration::from_secs(3650 * DAY);

/// How far before now validity begins, for clients whose clock is late; ...
const BACKDATE: Duration = Duration::from_secs(3600);

/// ... but no more than this part of the whole: renewal goes by that.
const BACKDATE_PART: u32 = 10;

/// What the root is called, at its clients' too.
const ROOT_NAME: &str = "sealgate development authority";

/// Random octets of a serial number; the first has its top bit clear, as the number is positive
/// (RFC 5280, section 4.1.2.2).
const SERIAL_OCTETS: usize = 16;

/// Seconds.
const DAY: u64 = 24 * 3600;

/// A root of our own that signs for the names of one zone.
///
/// The root may sign nothing but certificates of servers, directly and for names in the zone (path
/// length 0, critical name constraints), so a client that takes it trusts this authority with no
/// other name.
pub struct DevelopmentAuthority {
    root_pem: String,
    key_pem: Zeroizing<String>,
    root: CertificateDer<'static>,
    key: Zeroizing<KeyPair>,
    zone: DnsName,
    ends: SystemTime,
    validity: Duration,
}

impl fmt::Debug for DevelopmentAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevelopmentAuthority").field("zone", &self.zone).finish_non_exhaustive()
    }
}

impl DevelopmentAuthority {
    /// Makes a new root for the names of `zone`; certificates are valid for `validity`.
    ///
    /// # Errors
    ///
    /// [`AuthorityError::Make`] when the key cannot be made or does not sign.
    pub fn new(zone: &DnsName, validity: Duration) -> Result<Self, AuthorityError> {
        let key = Zeroizing::new(KeyPair::generate()?);
        let root = root_params(zone)?.self_signed(&*key)?;
        Self::from_pem(root.pem(), Zeroizing::new(key.serialize_pem()), validity)
    }

    /// Takes up the root that [`Self::to_pem`] gave.
    ///
    /// # Errors
    ///
    /// [`AuthorityError`] when that is not a root of ours with its key, or is past its end.
    pub fn from_pem(
        root_pem: String,
        key_pem: Zeroizing<String>,
        validity: Duration,
    ) -> Result<Self, AuthorityError> {
        let root = CertificateDer::from_pem_slice(root_pem.as_bytes());
        let root = root.map_err(|_| AuthorityError::Damaged)?;
        let key = KeyPair::from_pem(&key_pem).map_err(|_| AuthorityError::Damaged)?;
        let key = Zeroizing::new(key);
        let (_, parsed) = X509Certificate::from_der(&root).map_err(|_| AuthorityError::Damaged)?;
        if parsed.public_key().raw != key.subject_public_key_info() {
            return Err(AuthorityError::KeyMismatch);
        }
        let zone = zone_of(&parsed).ok_or(AuthorityError::Foreign)?;
        let ends = moment(parsed.validity().not_after.timestamp());
        if ends <= SystemTime::now() {
            return Err(AuthorityError::Expired);
        }
        Ok(Self { root_pem, key_pem, root, key, zone, ends, validity })
    }

    /// The root and its key, to be kept: clients that have the root need no other after a restart.
    pub fn to_pem(&self) -> (&str, &Zeroizing<String>) {
        (&self.root_pem, &self.key_pem)
    }

    /// The zone whose names it signs for.
    pub fn zone(&self) -> &DnsName {
        &self.zone
    }

    fn sign(&self, name: &DnsName) -> Result<Issued, IssueError> {
        if !name.is_within(&self.zone) {
            return Err(refusal(format!(
                "the development authority signs for names in {} and {name} is none: choose a name there, or another issuer",
                self.zone
            )));
        }
        let now = SystemTime::now();
        if now >= self.ends {
            return Err(refusal(
                "the root of the development authority is past its end: restart sealgate, which makes a new one, and give that to the clients"
                    .to_owned(),
            ));
        }
        let failed = |error| refusal(format!("no certificate could be made for {name}: {error}"));
        let key = Zeroizing::new(KeyPair::generate().map_err(failed)?);
        let root = rcgen::Issuer::from_ca_cert_der(&self.root, &*self.key).map_err(failed)?;
        let params = self.leaf_params(name, now).map_err(failed)?;
        let signed = params.signed_by(&*key, &root).map_err(failed)?;
        // The root is what clients have: sending it would only cost octets in each handshake.
        Ok(Issued { chain_pem: signed.pem(), key_pem: Zeroizing::new(key.serialize_pem()) })
    }

    fn leaf_params(
        &self,
        name: &DnsName,
        now: SystemTime,
    ) -> Result<CertificateParams, rcgen::Error> {
        let mut params = CertificateParams::new([name.to_string()])?;
        params.distinguished_name = DistinguishedName::new();
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(random_serial());
        set_validity(&mut params, now, self.ends.min(now + self.validity));
        Ok(params)
    }
}

impl Issuer for DevelopmentAuthority {
    fn name(&self) -> &'static str {
        "development"
    }

    fn issue<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Issued, IssueError>> {
        ready(self.sign(&order.name)).boxed()
    }

    fn renewal_window<'a>(
        &'a self,
        _: &'a CertificateDer<'a>,
    ) -> BoxFuture<'a, Option<RenewalWindow>> {
        ready(None).boxed()
    }

    fn root_pem(&self) -> Option<String> {
        Some(self.root_pem.clone())
    }

    fn warning(&self, now: SystemTime) -> Option<String> {
        (now + ROOT_WARNING >= self.ends).then(|| {
            let end = rfc3339(self.ends);
            format!(
                "the root of the development authority ends at {end}: a restart after that makes a new one, to be given to the clients"
            )
        })
    }
}

fn root_params(zone: &DnsName) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new([])?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, ROOT_NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName(zone.to_string())],
        // A kind of name without a constraint may be signed freely: so none of the addresses.
        excluded_subtrees: vec![
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(
                Ipv4Addr::UNSPECIFIED.into(),
                0,
            )),
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(
                Ipv6Addr::UNSPECIFIED.into(),
                0,
            )),
        ],
    });
    params.serial_number = Some(random_serial());
    let now = SystemTime::now();
    set_validity(&mut params, now, now + ROOT_VALIDITY);
    Ok(params)
}

/// The zone that a root of ours is constrained to; none for certificates of others.
fn zone_of(root: &X509Certificate<'_>) -> Option<DnsName> {
    if !root.is_ca() {
        return None;
    }
    let constraints = root.name_constraints().ok()??.value;
    match constraints.permitted_subtrees.as_deref()? {
        [only] => match only.base {
            GeneralName::DNSName(zone) => DnsName::parse(zone).ok(),
            _ => None,
        },
        _ => None,
    }
}

fn random_serial() -> SerialNumber {
    let mut octets: [u8; SERIAL_OCTETS] = rand::random();
    octets[0] = octets[0] & 0x7f | 0x40;
    SerialNumber::from_slice(&octets)
}

/// From a little before `now` until `end`.
fn set_validity(params: &mut CertificateParams, now: SystemTime, end: SystemTime) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let since_epoch =
        |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let whole = end.duration_since(now).unwrap_or_default();
    params.not_before = epoch + since_epoch(now - BACKDATE.min(whole / BACKDATE_PART));
    params.not_after = epoch + since_epoch(end);
}

fn refusal(message: String) -> IssueError {
    IssueError { message, retry_after: None, temporary: false }
}

/// Why there is no development authority.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// The root cannot be made.
    #[error("the root of the development authority could not be made: {0}")]
    Make(#[from] rcgen::Error),
    /// What was kept is not PEM of a certificate and a key.
    #[error(
        "what was kept of the development authority is damaged: restore it, or remove it and give a new root to the clients"
    )]
    Damaged,
    /// The key is not the root's.
    #[error(
        "the key kept for the development authority is not that of its root: restore both from one backup"
    )]
    KeyMismatch,
    /// The certificate is no root with one zone.
    #[error(
        "the certificate kept for the development authority is no root for one zone: let sealgate make its own"
    )]
    Foreign,
    /// The root is past its end.
    #[error(
        "the root of the development authority is past its end: make a new one and give it to the clients"
    )]
    Expired,
}
