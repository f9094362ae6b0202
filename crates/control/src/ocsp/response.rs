// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Whether an answer is to be believed (RFC 6960, section 3.2), and what it says.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode, Header, Reader, SliceReader, Tag};
use x509_cert::ext::Extensions;
use x509_cert::ext::pkix::CrlReason;
use x509_ocsp::{
    BasicOcspResponse, CertId, CertStatus, OcspGeneralizedTime, OcspResponse, OcspResponseStatus,
    ResponderId, RevokedInfo, SingleResponse,
};
use x509_parser::asn1_rs::BitString;
use x509_parser::error::X509Error;
use x509_parser::oid_registry::{OID_PKCS1_SHA1WITHRSA, OID_SHA1_WITH_RSA};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::verify::verify_signature;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use super::{OcspError, Query};
use crate::certificate::rfc3339;

/// id-pkix-ocsp-basic (RFC 6960, section 4.2.1).
const OCSP_BASIC: &str = "1.3.6.1.5.5.7.48.1.1";

/// Certificates that are looked through for the signer's.
const MAX_CERTIFICATES: usize = 8;

/// How far the responder's clock may be before ours.
const CLOCK_SKEW: Duration = Duration::from_secs(300);

/// How long an answer is good that says that there is news at any time (RFC 6960, section 4.2.2.1).
const WITHOUT_NEXT_UPDATE: Duration = Duration::from_secs(3600);

/// The first and the last moment of a good answer.
pub(super) fn verify(
    query: &Query,
    response: &[u8],
    now: SystemTime,
) -> Result<(SystemTime, SystemTime), OcspError> {
    let encoded = successful(response)?;
    let answer = BasicOcspResponse::from_der(&encoded).map_err(|_| malformed("the basic part"))?;
    check_signature(query, &encoded, &answer, now)?;
    let data = &answer.tbs_response_data;
    let single = data.responses.iter().find(|single| is_same(&single.cert_id, &query.id));
    let single = single.ok_or(OcspError::AnotherCertificate)?;
    check_critical(data.response_extensions.as_ref())?;
    check_critical(single.single_extensions.as_ref())?;
    let validity = check_dates(single, now)?;
    match &single.cert_status {
        CertStatus::Good(_) => Ok(validity),
        CertStatus::Revoked(info) => Err(revoked(info)),
        CertStatus::Unknown(_) => Err(OcspError::Unknown),
    }
}

fn malformed(why: &'static str) -> OcspError {
    OcspError::Malformed { why }
}

/// The basic response within one that has no error.
fn successful(response: &[u8]) -> Result<Vec<u8>, OcspError> {
    let response = OcspResponse::from_der(response).map_err(|_| malformed("the outermost part"))?;
    let status = match response.response_status {
        OcspResponseStatus::Successful => {
            let bytes = response.response_bytes.ok_or(malformed("it is empty"))?;
            if bytes.response_type.to_string() != OCSP_BASIC {
                return Err(malformed("it is not of the basic type"));
            }
            return Ok(bytes.response.into_bytes());
        }
        OcspResponseStatus::MalformedRequest => "it does not understand the request",
        OcspResponseStatus::InternalError => "it has an internal error",
        OcspResponseStatus::TryLater => "it asks to try later",
        OcspResponseStatus::SigRequired => "it wants the request to be signed",
        OcspResponseStatus::Unauthorized => "it is not authorized to answer for it",
    };
    Err(OcspError::Declined { status })
}

/// Whether the issuer has signed, or one to whom it has delegated that (RFC 6960, section 4.2.2.2).
fn check_signature(
    query: &Query,
    encoded: &[u8],
    answer: &BasicOcspResponse,
    now: SystemTime,
) -> Result<(), OcspError> {
    let id = &answer.tbs_response_data.responder_id;
    let signed = signed_part(encoded).ok_or(malformed("the signed part"))?;
    let (_, issuer) = X509Certificate::from_der(&query.issuer)
        .map_err(|_| malformed("the issuer's certificate"))?;
    if is_named(id, &issuer) {
        return check_signed_by(issuer.public_key(), answer, signed);
    }
    let certificates = answer.certs.iter().flatten().take(MAX_CERTIFICATES);
    for der in certificates.filter_map(|certificate| Certificate::to_der(certificate).ok()) {
        let Ok((_, certificate)) = X509Certificate::from_der(&der) else { continue };
        if is_named(id, &certificate) {
            check_delegate(&certificate, &issuer, now)?;
            return check_signed_by(certificate.public_key(), answer, signed);
        }
    }
    Err(bad_signature("the certificate of who signed it is not there"))
}

fn bad_signature(why: &'static str) -> OcspError {
    OcspError::BadSignature { why }
}

/// The first part of a basic response as it came: what was signed are these octets.
fn signed_part(basic: &[u8]) -> Option<&[u8]> {
    let mut reader = SliceReader::new(basic).ok()?;
    Header::decode(&mut reader).ok()?.tag.assert_eq(Tag::Sequence).ok()?;
    reader.tlv_bytes().ok()
}

fn is_named(id: &ResponderId, certificate: &X509Certificate<'_>) -> bool {
    match id {
        ResponderId::ByName(name) => {
            name.to_der().is_ok_and(|name| name == certificate.subject().as_raw())
        }
        ResponderId::ByKey(hash) => {
            let key = &certificate.public_key().subject_public_key.data;
            digest(&SHA1_FOR_LEGACY_USE_ONLY, key).as_ref() == hash.as_bytes()
        }
    }
}

/// Whether `issuer` lets `delegate` answer for it. Whether that one was revoked is not asked: who
/// answers would be the issuer again, and its certificate lives for a short time.
fn check_delegate(
    delegate: &X509Certificate<'_>,
    issuer: &X509Certificate<'_>,
    now: SystemTime,
) -> Result<(), OcspError> {
    let by_issuer = delegate.issuer() == issuer.subject()
        && !is_weak(&delegate.signature_algorithm)
        && delegate.verify_signature(Some(issuer.public_key())).is_ok();
    if !by_issuer {
        return Err(bad_signature("the issuer has not issued who signed it"));
    }
    let purpose = delegate.extended_key_usage().ok().flatten();
    if !purpose.is_some_and(|purpose| purpose.value.ocsp_signing) {
        return Err(bad_signature("who signed it may not sign answers (OCSPSigning)"));
    }
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().cast_signed();
    let validity = delegate.validity();
    if !(validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&now) {
        return Err(bad_signature("the certificate of who signed it is not valid now"));
    }
    Ok(())
}

fn check_signed_by(
    key: &SubjectPublicKeyInfo<'_>,
    answer: &BasicOcspResponse,
    signed: &[u8],
) -> Result<(), OcspError> {
    let algorithm = answer.signature_algorithm.to_der().map_err(|_| malformed("the algorithm"))?;
    let (_, algorithm) =
        AlgorithmIdentifier::from_der(&algorithm).map_err(|_| malformed("the algorithm"))?;
    if is_weak(&algorithm) {
        return Err(bad_signature("it is made with SHA-1"));
    }
    let octets = answer.signature.as_bytes().ok_or(malformed("the signature"))?;
    let signature = BitString::new(0, octets);
    verify_signature(key, &algorithm, &signature, signed).map_err(|error| match error {
        X509Error::SignatureUnsupportedAlgorithm => bad_signature("its algorithm is not known"),
        _ => bad_signature("it does not verify"),
    })
}

fn is_weak(algorithm: &AlgorithmIdentifier<'_>) -> bool {
    [OID_PKCS1_SHA1WITHRSA, OID_SHA1_WITH_RSA].contains(&algorithm.algorithm)
}

/// Whether both name the same certificate; the hash may have its parameters left out.
fn is_same(id: &CertId, other: &CertId) -> bool {
    id.serial_number == other.serial_number
        && id.issuer_key_hash == other.issuer_key_hash
        && id.issuer_name_hash == other.issuer_name_hash
        && id.hash_algorithm.oid == other.hash_algorithm.oid
}

/// What must be understood is not: there is nothing of that kind in answers today.
fn check_critical(extensions: Option<&Extensions>) -> Result<(), OcspError> {
    let critical = extensions.into_iter().flatten().any(|extension| extension.critical);
    if critical { Err(malformed("a critical extension is not known")) } else { Ok(()) }
}

fn check_dates(
    single: &SingleResponse,
    now: SystemTime,
) -> Result<(SystemTime, SystemTime), OcspError> {
    let this_update = moment(single.this_update);
    let expires = single.next_update.map_or(this_update + WITHOUT_NEXT_UPDATE, moment);
    if this_update > now + CLOCK_SKEW {
        return Err(OcspError::TooNew { when: rfc3339(this_update) });
    }
    if expires <= now {
        return Err(OcspError::TooOld { when: rfc3339(expires) });
    }
    Ok((this_update, expires))
}

fn moment(time: OcspGeneralizedTime) -> SystemTime {
    // No later than the year 9999, which fits.
    UNIX_EPOCH + time.0.to_unix_duration()
}

fn revoked(info: &RevokedInfo) -> OcspError {
    let reason = match info.revocation_reason {
        None | Some(CrlReason::Unspecified) => "no reason given",
        Some(CrlReason::KeyCompromise) => "its key was compromised",
        Some(CrlReason::CaCompromise) => "its authority was compromised",
        Some(CrlReason::AffiliationChanged) => "its owner's affiliation changed",
        Some(CrlReason::Superseded) => "another has taken its place",
        Some(CrlReason::CessationOfOperation) => "its use has ceased",
        Some(CrlReason::CertificateHold) => "it is on hold",
        Some(CrlReason::RemoveFromCRL) => "a hold was lifted",
        Some(CrlReason::PrivilegeWithdrawn) => "its privilege was withdrawn",
        Some(CrlReason::AaCompromise) => "its attribute authority was compromised",
    };
    OcspError::Revoked { when: rfc3339(moment(info.revocation_time)), reason }
}
