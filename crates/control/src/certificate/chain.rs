// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The chain: complete, in order, each certificate signed by the next, which may do that.

use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Error;
use x509_parser::extensions::{GeneralName, NameConstraints};
use x509_parser::oid_registry::{OID_PKCS1_MD5WITHRSAENC, OID_PKCS1_SHA1WITHRSA};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::Refusal;
use super::leaf::{self, line, subject};

/// ecdsa-with-SHA1 (RFC 3279, section 2.2.3).
const ECDSA_WITH_SHA1: &str = "1.2.840.10045.4.1";

pub(super) fn is_self_signed(certificate: &X509Certificate<'_>) -> bool {
    certificate.issuer() == certificate.subject() && verifies(certificate, certificate.public_key())
}

/// Checks what comes after the server's own certificate.
///
/// A chain is complete when each certificate has its issuer behind it, up to a root or to an
/// authority whose issuer is a root. A certificate alone is complete only if it is its own issuer:
/// one that a root has issued at once is given with that root.
///
/// What issuers allow has to hold for all `names` of the certificate: clients refuse it for any.
pub(super) fn check(chain: &[X509Certificate<'_>], names: &[String]) -> Result<(), Refusal> {
    let Some(last) = chain.last() else { return Err(Refusal::NoCertificate) };
    for (place, certificate) in chain.iter().enumerate() {
        check_strength(certificate, place)?;
    }
    for (place, pair) in chain.windows(2).enumerate() {
        check_link(chain, place, &pair[0], &pair[1])?;
        check_authority(&pair[1], place + 1, names)?;
    }
    if chain.len() == 1 && !is_self_signed(last) {
        return Err(Refusal::ChainIncomplete { issuer: line(last.issuer()) });
    }
    Ok(())
}

/// The signature of a root is nobody's to check; those of all others are.
fn check_strength(certificate: &X509Certificate<'_>, place: usize) -> Result<(), Refusal> {
    let algorithm = &certificate.signature_algorithm.algorithm;
    let weak = [(OID_PKCS1_MD5WITHRSAENC, "MD5"), (OID_PKCS1_SHA1WITHRSA, "SHA-1")];
    let named = weak.into_iter().find(|(oid, _)| oid == algorithm).map(|(_, digest)| digest);
    let ecdsa = (algorithm.to_id_string() == ECDSA_WITH_SHA1).then_some("SHA-1");
    let found = named.or(ecdsa);
    let root = place > 0 && certificate.issuer() == certificate.subject();
    match found {
        Some(digest) if !root => {
            Err(Refusal::WeakSignature { subject: subject(certificate, place), digest })
        }
        _ => Ok(()),
    }
}

/// Whether `issuer` has issued `certificate`, which is at `place`.
fn check_link(
    chain: &[X509Certificate<'_>],
    place: usize,
    certificate: &X509Certificate<'_>,
    issuer: &X509Certificate<'_>,
) -> Result<(), Refusal> {
    if certificate.issuer() != issuer.subject() {
        let elsewhere = chain.iter().any(|other| other.subject() == certificate.issuer());
        return Err(if is_self_signed(certificate) {
            Refusal::Unrelated { place: place + 2 }
        } else if elsewhere {
            Refusal::WrongOrder { place: place + 2 }
        } else {
            let issuer = line(certificate.issuer());
            Refusal::ChainGap { subject: subject(certificate, place), issuer }
        });
    }
    if is_weak_rsa(issuer.public_key()) {
        let why = "its RSA key is shorter than 2048 bits, which clients refuse".to_owned();
        return Err(Refusal::NotAnAuthority { subject: subject(issuer, place + 1), why });
    }
    if !verifies(certificate, issuer.public_key()) {
        return Err(Refusal::BadSignature { subject: subject(certificate, place) });
    }
    Ok(())
}

fn is_weak_rsa(key: &SubjectPublicKeyInfo<'_>) -> bool {
    matches!(key.parsed(), Ok(PublicKey::RSA(rsa)) if rsa.key_size() < *leaf::RSA_BITS.start())
}

/// A signature of a kind that is not known here is the clients' to judge.
fn verifies(certificate: &X509Certificate<'_>, key: &SubjectPublicKeyInfo<'_>) -> bool {
    let verified = certificate.verify_signature(Some(key));
    matches!(verified, Ok(()) | Err(X509Error::SignatureUnsupportedAlgorithm))
}

/// Whether the certificate at `place` may issue those before it.
fn check_authority(
    authority: &X509Certificate<'_>,
    place: usize,
    names: &[String],
) -> Result<(), Refusal> {
    let refused =
        |why: &str| Refusal::NotAnAuthority { subject: subject(authority, place), why: why.into() };
    let constraints = authority.basic_constraints().ok().flatten();
    let Some(constraints) = constraints.filter(|constraints| constraints.value.ca) else {
        return Err(refused("it is not marked as an authority (CA:TRUE)"));
    };
    // Authorities between this one and the server's certificate.
    let between = place - 1;
    if constraints.value.path_len_constraint.is_some_and(|most| (most as usize) < between) {
        return Err(refused("its path length allows fewer authorities below it"));
    }
    if let Ok(Some(usage)) = authority.key_usage()
        && !usage.value.key_cert_sign()
    {
        return Err(refused("its key usage does not allow to sign certificates"));
    }
    if !leaf::is_for_servers(authority) {
        return Err(refused("its extended key usage excludes servers"));
    }
    leaf::check_critical(authority)?;
    let Ok(Some(constraints)) = authority.name_constraints() else { return Ok(()) };
    match names.iter().find(|name| !permits(constraints.value, name)) {
        Some(name) => Err(refused(&format!("its name constraints exclude {}", line(name)))),
        None => Ok(()),
    }
}

/// Whether the DNS names of the constraints let `name` through (RFC 5280, section 4.2.1.10).
fn permits(constraints: &NameConstraints<'_>, name: &str) -> bool {
    let host = name.trim_start_matches("*.");
    let within = |base: &str| {
        let base = base.trim_start_matches('.').to_ascii_lowercase();
        base.is_empty()
            || host == base
            || host.strip_suffix(&base).is_some_and(|front| front.ends_with('.'))
    };
    let dns = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(base) => Some(within(base)),
        _ => None,
    };
    let excluded = constraints.excluded_subtrees.iter().flatten();
    let mut permitted = constraints
        .permitted_subtrees
        .iter()
        .flatten()
        .filter_map(|tree| dns(&tree.base))
        .peekable();
    let allowed = permitted.peek().is_none() || permitted.any(|within| within);
    allowed && !excluded.filter_map(|tree| dns(&tree.base)).any(|within| within)
}
