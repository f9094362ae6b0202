// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Out of PEM and back (RFC 7468).

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_cert::der::Decode;
use x509_cert::der::asn1::AnyRef;
use zeroize::Zeroizing;

use super::Refusal;

/// Certificates in a chain.
const MAX_CERTIFICATES: usize = 10;

/// Largest chain or key, in bytes of PEM.
const MAX_PEM_BYTES: usize = 1 << 20;

const BEGIN: &str = "-----BEGIN ";

/// What the label of every kind of private key ends in.
const KEY_LABEL: &str = "PRIVATE KEY-----";

/// The chain, each certificate once, and whether one was there more than once.
pub(super) fn chain(text: &str) -> Result<(Vec<CertificateDer<'static>>, bool), Refusal> {
    check_text(text, "certificate")?;
    let mut chain = Vec::new();
    let mut duplicate = false;
    for section in CertificateDer::pem_slice_iter(text.as_bytes()) {
        let der = section.map_err(|_| Refusal::Damaged { what: "certificate" })?;
        if chain.contains(&der) {
            duplicate = true;
        } else if chain.len() == MAX_CERTIFICATES {
            return Err(Refusal::TooMany { most: MAX_CERTIFICATES });
        } else {
            chain.push(der);
        }
    }
    if chain.is_empty() {
        let key = text.contains(KEY_LABEL);
        return Err(if key { Refusal::KeyAsCertificate } else { Refusal::NoCertificate });
    }
    Ok((chain, duplicate))
}

/// The one key.
pub(super) fn key(text: &str) -> Result<Zeroizing<PrivateKeyDer<'static>>, Refusal> {
    // Some editors begin with a byte order mark.
    let text = text.trim_start_matches('\u{feff}');
    check_text(text, "key")?;
    if has_passphrase(text) {
        return Err(Refusal::Passphrase);
    }
    let mut keys = PrivateKeyDer::pem_slice_iter(text.as_bytes())
        .map(|key| key.map(Zeroizing::new).map_err(|_| Refusal::Damaged { what: "key" }));
    match (keys.next().transpose()?, keys.next().transpose()?) {
        (Some(key), None) if is_whole(key.secret_der()) => Ok(key),
        (Some(_), None) => Err(Refusal::Damaged { what: "key" }),
        (Some(_), Some(_)) => Err(Refusal::SeveralKeys),
        (None, _) if text.contains("-----BEGIN CERTIFICATE-----") => Err(Refusal::CertificateAsKey),
        (None, _) if text.contains("-----BEGIN PUBLIC KEY-----") => Err(Refusal::PublicKey),
        (None, _) if text.contains(KEY_LABEL) => Err(Refusal::KeyUnsupported),
        (None, _) => Err(Refusal::NoKey),
    }
}

/// Whether `der` is one value, as long as it says.
fn is_whole(der: &[u8]) -> bool {
    AnyRef::from_der(der).is_ok()
}

fn check_text(text: &str, what: &'static str) -> Result<(), Refusal> {
    if text.len() > MAX_PEM_BYTES {
        return Err(Refusal::TooLarge { what });
    }
    if !text.contains(BEGIN) {
        // DER begins with a SEQUENCE; a store of PKCS #12 or a request does too.
        let binary = text.starts_with('0') && text.contains('\u{fffd}');
        return Err(if binary { Refusal::Binary { what } } else { Refusal::NotPem { what } });
    }
    Ok(())
}

/// Encrypted PKCS #8 (RFC 7468, section 11), or the older headers of RFC 1421, section 4.6.1.1.
fn has_passphrase(text: &str) -> bool {
    text.lines().any(|line| {
        line.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----")
            || line.starts_with("Proc-Type: 4,ENCRYPTED")
    })
}

/// The section of the key alone, as it was written.
pub(super) fn key_section(text: &str) -> Zeroizing<String> {
    let lines = text.lines().map(str::trim_end);
    let lines = lines.skip_while(|line| !(line.starts_with(BEGIN) && line.ends_with(KEY_LABEL)));
    let mut section = Zeroizing::new(String::with_capacity(text.len() + 1));
    for line in lines {
        section.push_str(line);
        section.push('\n');
        if line.starts_with("-----END ") {
            break;
        }
    }
    section
}

/// Certificates in PEM.
pub(super) fn encode_chain(chain: &[CertificateDer<'static>]) -> String {
    let sections: Vec<_> =
        chain.iter().map(|der| pem::Pem::new("CERTIFICATE", der.to_vec())).collect();
    pem::encode_many_config(
        &sections,
        pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
    )
}
