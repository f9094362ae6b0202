// SPDX-License-Identifier: Apache-2.0 OR MIT
//! OCSP stapling: what the responder of a certificate says of it, for clients to get with the
//! handshake (RFC 6066, section 8) in the place of asking by themselves.
//!
//! A [`Query`] is what is asked for one certificate; it is sent over plain HTTP as RFC 5019 has it,
//! because the answer is signed. A [`Stapler`] asks again and again, in time. Only the answer "good"
//! makes a [`Staple`]. A certificate that is revoked is served without one: clients that insist
//! refuse it anyway, and who should know is the operator, by [`OcspError::Revoked`].
//!
//! An answer is believed if it is about this certificate, valid now, and signed by the issuer or by
//! one whom the issuer has certified for that, with something better than SHA-1.
//!
//! Nothing here is on the way of a handshake: without an answer a certificate is served as it would
//! be otherwise, and a staple until it expires.

mod error;
mod fetch;
mod response;
mod stapler;

use std::time::{Duration, SystemTime};

use hyper::Uri;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rustls_pki_types::CertificateDer;
use x509_cert::der::asn1::{ObjectIdentifier, OctetString};
use x509_cert::der::{self, Decode, Encode};
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_ocsp::{CertId, OcspRequest, Request, TbsRequest};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::certificate::Checked;

pub use error::OcspError;
pub use stapler::{News, Stapler};

/// SHA-1 (RFC 3279, section 2.2.1), by which certificates are named here and all responders know
/// them (RFC 5019, section 2.1.1). Nothing rests on it: the answer names the serial number too.
const ID_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");

/// Longest serial number in octets (RFC 5280, section 4.1.2.2), with one for its sign.
const MAX_SERIAL: usize = 21;

/// A new answer is not asked for before so long.
const SHORTEST_REFRESH: Duration = Duration::from_secs(60);

/// A new answer is asked for after so long at most, however long the present one is valid.
const LONGEST_REFRESH: Duration = Duration::from_secs(3 * 24 * 3600);

/// What is asked of a responder about one certificate.
#[derive(Debug, Clone)]
pub struct Query {
    responder: Uri,
    id: CertId,
    request: Vec<u8>,
    issuer: CertificateDer<'static>,
}

/// A response that says "good", to be stapled as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staple {
    /// The response in DER, for [`rustls::sign::CertifiedKey::ocsp`].
    pub response: Vec<u8>,
    /// When a newer one is to be asked for: half of the validity, within bounds.
    pub refresh_at: SystemTime,
    /// From when on it is not to be sent.
    pub expires: SystemTime,
}

impl Query {
    /// What to ask about `checked`; nothing when it names no responder, or its issuer is not there.
    ///
    /// # Errors
    ///
    /// [`OcspError::NotAskable`] when it cannot be asked about.
    pub fn of(checked: &Checked) -> Result<Option<Self>, OcspError> {
        match (&checked.summary().responder, checked.issuer()) {
            (Some(responder), Some(issuer)) => {
                Self::new(checked.leaf(), issuer, responder).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// What to ask the `responder` (a URI with `http`) about `certificate`, issued by `issuer`.
    ///
    /// # Errors
    ///
    /// [`OcspError::NotAskable`] when one of them is not what it should be.
    pub fn new(
        certificate: &CertificateDer<'_>,
        issuer: &CertificateDer<'_>,
        responder: &str,
    ) -> Result<Self, OcspError> {
        let not_askable = |why| OcspError::NotAskable { responder: responder.to_owned(), why };
        let uri: Uri = responder.parse().map_err(|_| not_askable("it is no URI"))?;
        if uri.scheme_str() != Some("http") || uri.host().is_none_or(str::is_empty) {
            return Err(not_askable("it is not reached over http"));
        }
        let parse = |der| X509Certificate::from_der(der).map(|(_, parsed)| parsed);
        let certificate =
            parse(certificate).map_err(|_| not_askable("the certificate is no X.509"))?;
        let issuer_parsed = parse(issuer).map_err(|_| not_askable("the issuer is no X.509"))?;
        let asked = certificate_id(&certificate, &issuer_parsed)
            .and_then(|id| Ok((encode_request(&id)?, id)))
            .map_err(|_| not_askable("the certificate's serial number is too long"));
        let (request, id) = asked?;
        Ok(Self { responder: uri, id, request, issuer: issuer.clone().into_owned() })
    }

    /// The request in DER (RFC 6960, section 4.1), without a nonce: answers may be made beforehand.
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// Asks the responder once, bounded in time and size.
    ///
    /// # Errors
    ///
    /// [`OcspError`], of which [`OcspError::is_temporary`] says whether to ask again.
    pub async fn ask(&self) -> Result<Staple, OcspError> {
        let response = fetch::fetch(&self.responder, &self.request).await?;
        self.verify(response, SystemTime::now())
    }

    /// Takes `response` if it is about this certificate, by who may say so, valid at `now`, and good.
    ///
    /// # Errors
    ///
    /// [`OcspError`] that says which it is not.
    pub fn verify(&self, response: Vec<u8>, now: SystemTime) -> Result<Staple, OcspError> {
        let validity = response::verify(self, &response, now)?;
        let (this_update, expires) = validity;
        let refresh_at = refresh_at(this_update, expires, now);
        Ok(Staple { response, refresh_at, expires })
    }
}

fn refresh_at(this_update: SystemTime, expires: SystemTime, now: SystemTime) -> SystemTime {
    let validity = expires.duration_since(this_update).unwrap_or_default();
    let half = this_update + validity / 2;
    half.clamp(now + SHORTEST_REFRESH, now + LONGEST_REFRESH)
}

/// How responders know the certificate (RFC 6960, section 4.1.1).
fn certificate_id(
    certificate: &X509Certificate<'_>,
    issuer: &X509Certificate<'_>,
) -> der::Result<CertId> {
    let hash = |data: &[u8]| OctetString::new(digest(&SHA1_FOR_LEGACY_USE_ONLY, data).as_ref());
    let serial = certificate.raw_serial();
    let length = u8::try_from(serial.len()).ok().filter(|length| *length <= MAX_SERIAL as u8);
    let length = length.ok_or(der::ErrorKind::Overlength)?;
    // As it stands in the certificate, which is not always as it should be.
    let serial = SerialNumber::from_der(&[&[der::Tag::Integer.octet(), length], serial].concat())?;
    Ok(CertId {
        hash_algorithm: AlgorithmIdentifierOwned {
            oid: ID_SHA1,
            parameters: Some(der::asn1::Null.into()),
        },
        issuer_name_hash: hash(issuer.subject().as_raw())?,
        issuer_key_hash: hash(&issuer.public_key().subject_public_key.data)?,
        serial_number: serial,
    })
}

fn encode_request(id: &CertId) -> der::Result<Vec<u8>> {
    let request = Request { req_cert: id.clone(), single_request_extensions: None };
    let request = TbsRequest { request_list: vec![request], ..TbsRequest::default() };
    OcspRequest { tbs_request: request, optional_signature: None }.to_der()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_refreshed_at_half_of_its_validity_within_bounds() {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let now = SystemTime::UNIX_EPOCH + hours(1_000_000);
        // Hours since it was made, hours of validity, and what is left until the next one.
        for (age, validity, expected) in [
            (0, 8, hours(4)),
            (1, 8, hours(3)),
            (6, 8, SHORTEST_REFRESH),
            (0, 24 * 30, LONGEST_REFRESH),
            (0, 0, SHORTEST_REFRESH),
        ] {
            let made = now - hours(age);
            let refresh = refresh_at(made, made + hours(validity), now);
            assert_eq!(refresh, now + expected, "{age} of {validity} hours");
        }
    }
}
