// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A certificate with its chain and key: everything that is checked before it is served.
//!
//! What is asked of it is RFC 5280, sections 4 and 6, RFC 6125 for names, and what clients are
//! known to refuse. Nothing is asked of the network and no root store is consulted: whether clients
//! trust the root is theirs to say.

mod chain;
mod client;
mod leaf;
mod pem;
mod refusal;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::sign::{CertifiedKey, SigningKey};
use rustls_pki_types::CertificateDer;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use x509_parser::prelude::{FromDer, X509Certificate};
use zeroize::Zeroizing;

use crate::name::DnsName;

pub use refusal::Refusal;

/// An own certificate that expires within this is warned about.
const EXPIRES_SOON: Duration = Duration::from_secs(14 * DAY_SECONDS);

/// Browsers refuse public certificates that are valid for longer.
const LONGEST_PUBLIC: Duration = Duration::from_secs(398 * DAY_SECONDS);

const DAY_SECONDS: u64 = 24 * 3600;

/// A certificate that has passed its checks.
pub struct Checked {
    chain: Vec<CertificateDer<'static>>,
    key_pem: Zeroizing<String>,
    signing: Arc<dyn SigningKey>,
    summary: Summary,
    warnings: Vec<Warning>,
}

/// What is public of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The certificate itself.
    pub leaf: CertificateDer<'static>,
    /// The DNS names it is for.
    pub names: Vec<String>,
    /// Who issued it, as a distinguished name.
    pub issuer: String,
    /// Its first moment.
    pub not_before: SystemTime,
    /// Its last moment.
    pub not_after: SystemTime,
    /// SHA-256 of it, in lower case hexadecimal.
    pub fingerprint_sha256: String,
    /// The kind of its key and the size, such as `RSA 2048` or `ECDSA P-256`.
    pub key: String,
    /// Where its revocation can be asked (RFC 6960), over HTTP.
    pub responder: Option<String>,
    /// Whether clients are told to refuse it without a stapled status (RFC 7633).
    pub must_staple: bool,
}

/// What an operator should know of a certificate that is served all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// It is its own issuer.
    SelfSigned,
    /// It is marked as an authority, as self-signed ones often are.
    MarkedAuthority,
    /// The chain holds its root, which clients have or do not trust.
    RootIncluded,
    /// A certificate is there more than once.
    Duplicate,
    /// It expires within a few days.
    ExpiresSoon {
        /// Days left.
        days: u64,
    },
    /// It is valid for longer than browsers take of a public authority.
    LongLived {
        /// Days of validity.
        days: u64,
    },
}

impl Checked {
    /// Checks an own certificate for `cname` at the moment `now`.
    ///
    /// # Errors
    ///
    /// The first [`Refusal`], in the order key, extensions and dates, use, names, chain.
    pub fn own(
        cname: &DnsName,
        chain_pem: &str,
        key_pem: &str,
        now: SystemTime,
    ) -> Result<Self, Refusal> {
        let mut checked = Self::kept(chain_pem, key_pem)?;
        checked.check(cname, now)?;
        Ok(checked)
    }

    /// Checks what an issuer gave for `name`. The chain may end at any authority, as the development authority's
    /// ends at once.
    ///
    /// # Errors
    ///
    /// The first [`Refusal`].
    pub fn issued(
        name: &DnsName,
        chain_pem: &str,
        key_pem: &str,
        now: SystemTime,
    ) -> Result<Self, Refusal> {
        let mut checked = Self::kept(chain_pem, key_pem)?;
        match checked.check(name, now) {
            Ok(()) | Err(Refusal::ChainIncomplete { .. }) => Ok(checked),
            Err(refusal) => Err(refusal),
        }
    }

    /// Takes what was checked before and kept: only that the key is the certificate's.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when it cannot be served at all.
    pub fn kept(chain_pem: &str, key_pem: &str) -> Result<Self, Refusal> {
        let (chain, duplicate) = pem::chain(chain_pem)?;
        let key = pem::key(key_pem)?;
        let parsed = parse(&chain)?;
        let (Some(leaf), Some(leaf_der)) = (parsed.first(), chain.first()) else {
            return Err(Refusal::NoCertificate);
        };
        leaf::check_key_kind(leaf)?;
        let signing = rustls::crypto::ring::sign::any_supported_type(&key)
            .map_err(|_| Refusal::KeyUnsupported)?;
        check_match(&parsed, signing.as_ref())?;
        let summary = Summary::of(leaf, leaf_der);
        let mut warnings = Vec::new();
        if duplicate {
            warnings.push(Warning::Duplicate);
        }
        let key_pem = pem::key_section(key_pem);
        Ok(Self { chain, key_pem, signing, summary, warnings })
    }

    fn check(&mut self, cname: &DnsName, now: SystemTime) -> Result<(), Refusal> {
        let parsed = parse(&self.chain)?;
        let Some(leaf) = parsed.first() else { return Err(Refusal::NoCertificate) };
        let self_signed = chain::is_self_signed(leaf);
        for (place, certificate) in parsed.iter().enumerate() {
            leaf::check_extensions(certificate, place)?;
            leaf::check_dates(certificate, place, now)?;
        }
        leaf::check_use(leaf, self_signed, self.summary.responder.is_some())?;
        leaf::check_names(leaf, &self.summary.names, cname)?;
        chain::check(&parsed, &self.summary.names)?;
        client::check(&self.chain, cname, now)?;
        let warnings = self.find_warnings(&parsed, self_signed, now);
        drop(parsed);
        self.warnings.extend(warnings);
        Ok(())
    }

    fn find_warnings(
        &self,
        parsed: &[X509Certificate<'_>],
        self_signed: bool,
        now: SystemTime,
    ) -> Vec<Warning> {
        let marked = parsed.first().is_some_and(|leaf| leaf.is_ca());
        let root = parsed.len() > 1 && parsed.last().is_some_and(chain::is_self_signed);
        let left = self.summary.not_after.duration_since(now).unwrap_or_default();
        let lifetime = self.summary.not_after.duration_since(self.summary.not_before);
        let lifetime = lifetime.unwrap_or_default();
        let days = |time: Duration| time.as_secs() / DAY_SECONDS;
        let warnings = [
            self_signed.then_some(Warning::SelfSigned),
            marked.then_some(Warning::MarkedAuthority),
            root.then_some(Warning::RootIncluded),
            (left < EXPIRES_SOON).then(|| Warning::ExpiresSoon { days: days(left) }),
            (lifetime > LONGEST_PUBLIC).then(|| Warning::LongLived { days: days(lifetime) }),
        ];
        warnings.into_iter().flatten().collect()
    }

    /// What is public of it.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// What an operator should know.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The certificate itself, without its chain.
    pub fn leaf(&self) -> &CertificateDer<'static> {
        &self.summary.leaf
    }

    /// The certificate of who issued it, if it came with the chain.
    pub fn issuer(&self) -> Option<&CertificateDer<'static>> {
        self.chain.get(1)
    }

    /// The chain in PEM, the server's own certificate first, nothing else in it.
    pub fn chain_pem(&self) -> String {
        pem::encode_chain(&self.chain)
    }

    /// The key in PEM, nothing else in it.
    pub fn key_pem(&self) -> &Zeroizing<String> {
        &self.key_pem
    }

    /// What the front end serves.
    pub fn certified_key(&self) -> CertifiedKey {
        CertifiedKey::new(self.chain.clone(), Arc::clone(&self.signing))
    }
}

impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checked").field("summary", &self.summary).finish_non_exhaustive()
    }
}

impl Summary {
    fn of(leaf: &X509Certificate<'_>, der: &CertificateDer<'static>) -> Self {
        Self {
            names: leaf::names(leaf),
            issuer: leaf::line(leaf.issuer()),
            not_before: moment(leaf.validity().not_before.timestamp()),
            not_after: moment(leaf.validity().not_after.timestamp()),
            fingerprint_sha256: fingerprint(der),
            key: leaf::key_name(leaf),
            responder: leaf::responder(leaf),
            must_staple: leaf::must_staple(leaf),
            leaf: der.clone(),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SelfSigned => f.write_str(
                "the certificate is self-signed: clients trust it only if they were given it; for development",
            ),
            Self::MarkedAuthority => f.write_str(
                "the certificate is marked as an authority, which some clients refuse: make it without CA:TRUE",
            ),
            Self::RootIncluded => f.write_str(
                "the chain ends with a self-signed root, which clients have already or do not trust: leave it out",
            ),
            Self::Duplicate => f.write_str("a certificate is in the chain more than once; it is sent once"),
            Self::ExpiresSoon { days } => {
                write!(f, "the certificate expires within {} days", days + 1)
            }
            Self::LongLived { days } => write!(
                f,
                "the certificate is valid for {days} days: browsers take no more than 398 of a public authority"
            ),
        }
    }
}

/// A time as RFC 3339 writes it, in whole seconds of UTC.
pub fn rfc3339(time: SystemTime) -> String {
    let time = OffsetDateTime::from(time).replace_nanosecond(0);
    // The years of a certificate are within those that it can write.
    time.ok().and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default()
}

/// A moment given in seconds of Unix time; what cannot be told is the beginning of time.
pub(crate) fn moment(seconds: i64) -> SystemTime {
    let magnitude = Duration::from_secs(seconds.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    let time =
        if seconds < 0 { epoch.checked_sub(magnitude) } else { epoch.checked_add(magnitude) };
    time.unwrap_or(epoch)
}

fn fingerprint(der: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, der);
    data_encoding::HEXLOWER.encode(digest.as_ref())
}

fn parse<'a>(chain: &'a [CertificateDer<'static>]) -> Result<Vec<X509Certificate<'a>>, Refusal> {
    let parse =
        |(place, der): (usize, &'a CertificateDer<'static>)| match X509Certificate::from_der(der) {
            Ok(([], certificate)) => Ok(certificate),
            Ok(_) => Err(Refusal::TrailingData { place: place + 1 }),
            Err(_) => Err(Refusal::Malformed { place: place + 1 }),
        };
    chain.iter().enumerate().map(parse).collect()
}

/// Whether the key is that of the first certificate.
fn check_match(parsed: &[X509Certificate<'_>], signing: &dyn SigningKey) -> Result<(), Refusal> {
    // Every key that the provider takes tells its public half.
    let public = signing.public_key().ok_or(Refusal::KeyUnsupported)?;
    match parsed.iter().position(|one| one.public_key().raw == public.as_ref()) {
        Some(0) => Ok(()),
        Some(place) => Err(Refusal::LeafNotFirst { place: place + 1 }),
        None => Err(Refusal::KeyMismatch),
    }
}
