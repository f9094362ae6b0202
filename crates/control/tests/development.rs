// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The built-in authority, as clients of the certificates see it.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::{CertificateError, Error, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use sealgate_control::certificate::Checked;
use sealgate_control::issuer::development::{
    AuthorityError, DEFAULT_VALIDITY, DevelopmentAuthority,
};
use sealgate_control::issuer::{Issued, Issuer, Order};
use sealgate_control::name::DnsName;
use x509_parser::prelude::{FromDer, X509Certificate};
use zeroize::Zeroizing;

const ZONE: &str = "eu.example.net";
const HOST: &str = "scoreab12cd.eu.example.net";

fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

fn authority() -> DevelopmentAuthority {
    authority_for(DEFAULT_VALIDITY)
}

fn authority_for(validity: Duration) -> DevelopmentAuthority {
    DevelopmentAuthority::new(&name(ZONE), validity).unwrap()
}

fn from_pem(root: &str, key: &str) -> Result<DevelopmentAuthority, AuthorityError> {
    let key = Zeroizing::new(key.to_owned());
    DevelopmentAuthority::from_pem(root.to_owned(), key, DEFAULT_VALIDITY)
}

async fn issue(authority: &DevelopmentAuthority, host: &str) -> Issued {
    authority.issue(&Order { name: name(host), replaces: None }).await.unwrap()
}

fn first(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

fn verified_by_rustls(root_pem: &str, leaf: &CertificateDer<'_>, host: &str) -> Result<(), Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(first(root_pem)).unwrap();
    let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider);
    let verifier = verifier.build().unwrap();
    let host = ServerName::try_from(host.to_owned()).unwrap();
    verifier.verify_server_cert(leaf, &[], &host, &[], UnixTime::now()).map(drop)
}

/// What `openssl verify` says of a leaf as a server for `host`.
fn verified_by_openssl(root_pem: &str, leaf_pem: &str, host: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let (root, leaf) = (folder.path().join("root.pem"), folder.path().join("leaf.pem"));
    fs::write(&root, root_pem).unwrap();
    fs::write(&leaf, leaf_pem).unwrap();
    let answer = Command::new("openssl")
        .args(["verify", "-x509_strict", "-purpose", "sslserver", "-no-CApath"])
        .args(["-verify_hostname", host, "-CAfile"])
        .args([&root, &leaf])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&answer.stderr).into_owned();
    if answer.status.success() { Ok(()) } else { Err(said) }
}

#[tokio::test]
async fn rustls_verifies_a_leaf_with_the_root_alone() {
    let authority = authority();
    let root = authority.root_pem().unwrap();
    let issued = issue(&authority, HOST).await;
    let leaf = first(&issued.chain_pem);
    verified_by_rustls(&root, &leaf, HOST).unwrap();
    let other = verified_by_rustls(&root, &leaf, "other.eu.example.net");
    let reason = match other {
        Err(Error::InvalidCertificate(reason)) => reason,
        other => panic!("{other:?}"),
    };
    assert!(matches!(reason, CertificateError::NotValidForNameContext { .. }), "{reason:?}");
    PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
}

#[tokio::test]
async fn openssl_verifies_a_leaf_with_the_root_alone() {
    let authority = authority();
    let root = authority.root_pem().unwrap();
    let issued = issue(&authority, HOST).await;
    verified_by_openssl(&root, &issued.chain_pem, HOST).unwrap();
    assert!(verified_by_openssl(&root, &issued.chain_pem, "example.net").is_err());
}

#[tokio::test]
async fn a_leaf_is_for_its_name_alone_and_its_serial_is_random() {
    let authority = authority();
    let one = first(&issue(&authority, HOST).await.chain_pem);
    let two = first(&issue(&authority, HOST).await.chain_pem);
    let (_, one) = X509Certificate::from_der(&one).unwrap();
    let (_, two) = X509Certificate::from_der(&two).unwrap();
    let names = &one.subject_alternative_name().unwrap().unwrap().value.general_names;
    assert_eq!(format!("{names:?}"), format!("[DNSName({HOST:?})]"));
    let usage = one.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.server_auth && !usage.client_auth && !usage.any);
    assert!(!one.is_ca());
    assert_ne!(one.raw_serial(), two.raw_serial());
    assert_ne!(one.public_key().raw, two.public_key().raw);
    assert_eq!(one.raw_serial().len(), 16);
}

#[tokio::test]
async fn validity_is_as_set_and_never_past_the_end_of_the_root() {
    let authority = authority_for(Duration::from_secs(120));
    let short = first(&issue(&authority, HOST).await.chain_pem);
    let short = X509Certificate::from_der(&short).unwrap().1.validity().clone();
    assert_eq!(short.not_after.timestamp() - short.not_before.timestamp(), 120 + 12);

    let authority = authority_for(Duration::from_secs(100 * 365 * 24 * 3600));
    let long = first(&issue(&authority, HOST).await.chain_pem);
    let root = first(&authority.root_pem().unwrap());
    let end = |der| X509Certificate::from_der(der).unwrap().1.validity().not_after;
    assert_eq!(end(&long), end(&root));
}

#[tokio::test]
async fn openssl_and_rustls_verify_what_a_root_that_was_kept_signs() {
    let before = authority();
    let (root, key) = before.to_pem();
    let after = from_pem(root, key).unwrap();
    assert_eq!((after.root_pem(), after.zone()), (before.root_pem(), &name(ZONE)));
    let issued = issue(&after, HOST).await;
    verified_by_rustls(root, &first(&issued.chain_pem), HOST).unwrap();
    verified_by_openssl(root, &issued.chain_pem, HOST).unwrap();
}

/// With the root behind it, a leaf is as good as an own certificate of an operator.
#[tokio::test]
async fn certificates_pass_the_checks_of_own_ones() {
    let authority = authority();
    let issued = issue(&authority, HOST).await;
    let chain = format!("{}{}", issued.chain_pem, authority.to_pem().0);
    let checked = Checked::own(&name(HOST), &chain, &issued.key_pem, SystemTime::now()).unwrap();
    assert_eq!(checked.summary().names, [HOST]);
}

#[tokio::test]
async fn a_name_outside_the_zone_is_refused() {
    let order = Order { name: name("score.example.org"), replaces: None };
    let error = authority().issue(&order).await.err().unwrap();
    assert!(!error.temporary);
    assert_eq!(
        error.to_string(),
        "the development authority signs for names in eu.example.net and score.example.org is none: choose a name there, or another issuer"
    );
}

/// Whoever gets at the key of the root still gets no certificate for other names.
#[test]
fn clients_refuse_what_the_root_signs_outside_its_zone() {
    let authority = authority();
    let (root, key) = authority.to_pem();
    let key = rcgen::KeyPair::from_pem(key).unwrap();
    let stolen = rcgen::Issuer::from_ca_cert_pem(root, key).unwrap();
    for host in ["www.example.org", "127.0.0.1"] {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new([host.to_owned()]).unwrap();
        let leaf = params.signed_by(&key, &stolen).unwrap();
        let refused = verified_by_rustls(root, leaf.der(), host);
        assert!(matches!(refused, Err(Error::InvalidCertificate(_))), "{host}: {refused:?}");
    }
}

#[test]
fn what_was_kept_is_looked_at_before_it_is_used() {
    let (one, two) = (authority(), authority());
    let (root, key) = one.to_pem();
    let refused = |root: &str, key: &str| from_pem(root, key).err().unwrap();
    assert!(matches!(refused(root, two.to_pem().1), AuthorityError::KeyMismatch));
    assert!(matches!(refused("", key), AuthorityError::Damaged));
    assert!(matches!(refused(root, "nonsense"), AuthorityError::Damaged));

    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new([HOST.to_owned()]).unwrap();
    let own = params.self_signed(&key).unwrap().pem();
    assert!(matches!(refused(&own, &key.serialize_pem()), AuthorityError::Foreign));

    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
    let permitted_subtrees = vec![rcgen::GeneralSubtree::DnsName(ZONE.to_owned())];
    params.name_constraints =
        Some(rcgen::NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
    params.not_after = params.not_before + Duration::from_secs(1);
    let past = params.self_signed(&key).unwrap().pem();
    assert!(matches!(refused(&past, &key.serialize_pem()), AuthorityError::Expired));
}
