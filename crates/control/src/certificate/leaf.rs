// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The server's own certificate: its key, dates, names and use.

use std::time::{SystemTime, UNIX_EPOCH};

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_PKCS1_RSAENCRYPTION,
    OID_PKIX_ACCESS_DESCRIPTOR_OCSP, OID_SIG_ED25519, OID_X509_EXT_BASIC_CONSTRAINTS,
    OID_X509_EXT_EXTENDED_KEY_USAGE, OID_X509_EXT_KEY_USAGE, OID_X509_EXT_NAME_CONSTRAINTS,
    OID_X509_EXT_SUBJECT_ALT_NAME, Oid,
};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::X509Version;

use super::{Refusal, moment, rfc3339};
use crate::name::DnsName;

/// RSA keys that are signed with: shorter ones are weak, longer ones the provider does not take.
pub(super) const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// Extensions that say what a certificate is for.
const JUDGED: [Oid<'static>; 5] = [
    OID_X509_EXT_BASIC_CONSTRAINTS,
    OID_X509_EXT_EXTENDED_KEY_USAGE,
    OID_X509_EXT_KEY_USAGE,
    OID_X509_EXT_NAME_CONSTRAINTS,
    OID_X509_EXT_SUBJECT_ALT_NAME,
];

/// Longest name that a message repeats, in characters.
const MAX_SAID: usize = 100;

/// Names that a message lists.
const NAMES_LISTED: usize = 8;

/// TLS features (RFC 7633), of which `status_request` is called must-staple.
const OID_TLS_FEATURE: &str = "1.3.6.1.5.5.7.1.24";

/// Whether the key is of a kind and strength that is served.
pub(super) fn check_key_kind(leaf: &X509Certificate<'_>) -> Result<(), Refusal> {
    let key = leaf.public_key();
    let kind = &key.algorithm.algorithm;
    if *kind == OID_PKCS1_RSAENCRYPTION {
        let Ok(PublicKey::RSA(rsa)) = key.parsed() else { return Err(Refusal::KeyUnsupported) };
        let bits = rsa.key_size();
        return match bits {
            _ if RSA_BITS.contains(&bits) => Ok(()),
            _ if bits < *RSA_BITS.start() => Err(Refusal::WeakKey { bits }),
            _ => Err(Refusal::KeyTooLong { bits }),
        };
    }
    if *kind == OID_KEY_TYPE_EC_PUBLIC_KEY {
        let parameters = key.algorithm.parameters.as_ref();
        let curve = parameters.and_then(|parameters| parameters.as_oid().ok());
        let known = curve.is_some_and(|curve| curve == OID_EC_P256 || curve == OID_NIST_EC_P384);
        return if known { Ok(()) } else { Err(Refusal::KeyUnsupported) };
    }
    if *kind == OID_SIG_ED25519 { Ok(()) } else { Err(Refusal::KeyUnsupported) }
}

/// Whether `now` lies within the validity of the certificate at `place`.
pub(super) fn check_dates(
    certificate: &X509Certificate<'_>,
    place: usize,
    now: SystemTime,
) -> Result<(), Refusal> {
    let validity = certificate.validity();
    let (first, last) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().cast_signed();
    let subject = || subject(certificate, place);
    if last < first {
        return Err(Refusal::BadValidity { subject: subject() });
    }
    if now > last {
        return Err(Refusal::Expired { subject: subject(), when: rfc3339(moment(last)) });
    }
    if now < first {
        return Err(Refusal::NotYetValid { subject: subject(), when: rfc3339(moment(first)) });
    }
    Ok(())
}

/// What a certificate says, in one line that is not long: nobody has checked it.
pub(super) fn line(said: &impl ToString) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let said = said.to_string();
    let mut line: String = said.chars().take(MAX_SAID).map(clean).collect();
    if said.chars().nth(MAX_SAID).is_some() {
        line.push_str("...");
    }
    line
}

/// How messages call the certificate at `place`.
pub(super) fn subject(certificate: &X509Certificate<'_>, place: usize) -> String {
    if place == 0 {
        return "the server's certificate".to_owned();
    }
    format!("certificate {} of the chain ({})", place + 1, line(certificate.subject()))
}

/// The DNS names of the certificate, in lower case.
pub(super) fn names(leaf: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = leaf.subject_alternative_name() else { return Vec::new() };
    let names = names.value.general_names.iter();
    names
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}

pub(super) fn check_names(
    leaf: &X509Certificate<'_>,
    names: &[String],
    cname: &DnsName,
) -> Result<(), Refusal> {
    if names.is_empty() {
        return Err(match leaf.subject_alternative_name() {
            Ok(Some(_)) => Refusal::NoDnsName,
            _ => Refusal::NoAlternativeName,
        });
    }
    let covers = |name: &String| DnsName::parse(name).is_ok_and(|name| name.covers(cname));
    if names.iter().any(covers) {
        return Ok(());
    }
    let mut listed: Vec<_> = names.iter().take(NAMES_LISTED).map(line).collect();
    if names.len() > NAMES_LISTED {
        listed.push(format!("{} more", names.len() - NAMES_LISTED));
    }
    Err(Refusal::NotCovered { cname: cname.to_string(), names: listed.join(", ") })
}

/// Whether clients take the certificate for that of a server.
pub(super) fn check_use(
    leaf: &X509Certificate<'_>,
    self_signed: bool,
    responder: bool,
) -> Result<(), Refusal> {
    if leaf.version() != X509Version::V3 {
        return Err(Refusal::OldVersion);
    }
    if leaf.is_ca() && !self_signed {
        return Err(Refusal::LeafIsAuthority);
    }
    if !is_for_servers(leaf) {
        return Err(Refusal::NotForServers);
    }
    if let Ok(Some(usage)) = leaf.key_usage()
        && !usage.value.digital_signature()
    {
        return Err(Refusal::NotForSigning);
    }
    check_critical(leaf)?;
    if must_staple(leaf) && !responder {
        return Err(Refusal::MustStaple);
    }
    Ok(())
}

/// Whether servers are among its purposes. "Any" is not enough for OpenSSL and rustls.
pub(super) fn is_for_servers(certificate: &X509Certificate<'_>) -> bool {
    let purposes = certificate.extended_key_usage().ok().flatten();
    purposes.is_none_or(|purposes| purposes.value.server_auth)
}

/// Whether each extension is there once, and those that are judged by here can be read.
pub(super) fn check_extensions(
    certificate: &X509Certificate<'_>,
    place: usize,
) -> Result<(), Refusal> {
    let extensions = certificate.extensions();
    for (index, extension) in extensions.iter().enumerate() {
        let again = extensions[..index].iter().any(|other| other.oid == extension.oid);
        let broken = matches!(extension.parsed_extension(), ParsedExtension::ParseError { .. })
            && JUDGED.contains(&extension.oid);
        if again || broken {
            let why = if again { "more than once" } else { "in a way that cannot be read" };
            let (subject, oid) = (subject(certificate, place), extension.oid.to_id_string());
            return Err(Refusal::BadExtension { subject, oid, why });
        }
    }
    Ok(())
}

/// Whether all that clients must understand is something that they do.
pub(super) fn check_critical(certificate: &X509Certificate<'_>) -> Result<(), Refusal> {
    for extension in certificate.extensions() {
        let parsed = extension.parsed_extension();
        let known = !matches!(
            parsed,
            ParsedExtension::UnsupportedExtension { .. } | ParsedExtension::ParseError { .. }
        );
        if extension.critical && !known {
            return Err(Refusal::UnknownCritical { oid: extension.oid.to_id_string() });
        }
    }
    Ok(())
}

/// Whether clients are told to refuse it without a stapled status.
pub(super) fn must_staple(leaf: &X509Certificate<'_>) -> bool {
    leaf.extensions().iter().any(|one| one.oid.to_id_string() == OID_TLS_FEATURE)
}

/// The kind of the key and its size, for people.
pub(super) fn key_name(leaf: &X509Certificate<'_>) -> String {
    match leaf.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => format!("RSA {}", key.key_size()),
        Ok(PublicKey::EC(point)) => format!("ECDSA P-{}", point.key_size()),
        _ => "Ed25519".to_owned(),
    }
}

/// The responder of the certificate, if it is asked over HTTP.
pub(super) fn responder(leaf: &X509Certificate<'_>) -> Option<String> {
    leaf.extensions().iter().find_map(|extension| {
        let ParsedExtension::AuthorityInfoAccess(access) = extension.parsed_extension() else {
            return None;
        };
        access.accessdescs.iter().find_map(|description| match description.access_location {
            GeneralName::URI(uri)
                if description.access_method == OID_PKIX_ACCESS_DESCRIPTOR_OCSP
                    && uri.starts_with("http://") =>
            {
                Some(uri.to_owned())
            }
            _ => None,
        })
    })
}
