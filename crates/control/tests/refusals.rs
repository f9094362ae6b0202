// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Everything that is refused of an operator, each with its code and its message; and what is not.

#[path = "support/corpus.rs"]
mod corpus;

use std::collections::BTreeSet;
use std::error::Error;
use std::iter::successors;
use std::sync::Arc;
use std::time::SystemTime;

use corpus::{CONFIGURATIONS, Case, Configuration, LABELS, NAME, NAMES, Resigned, Taken};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::{CertificateError, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sealgate_control::certificate::{Checked, Refusal};
use sealgate_control::name::{DnsName, LeafLabel};
use sealgate_control::ssl::{Current, SslConfiguration};

const PAGE: &str = include_str!("../../../docs/certificates.md");

fn check(chain: &str, key: &str) -> Result<Checked, Refusal> {
    check_for(NAME, chain, key)
}

fn check_for(name: &str, chain: &str, key: &str) -> Result<Checked, Refusal> {
    Checked::own(&DnsName::parse(name).unwrap(), chain, key, SystemTime::now())
}

/// All that is said of an error, as the admin API and the command line say it.
fn told(error: &(dyn Error + 'static)) -> String {
    let all: Vec<_> = successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source())
        .map(ToString::to_string)
        .collect();
    all.join(": ")
}

#[test]
fn openssl_and_others_make_what_is_refused_for_its_reason() {
    let (cases, mut met) = (corpus::refused(), BTreeSet::new());
    assert!(cases.len() >= 90, "only {} inputs are refused", cases.len());
    for Case(what, chain, key, code, message) in cases {
        let refusal = check(&chain, &key).expect_err(what);
        assert_eq!(refusal.code(), code, "{what}: {refusal}");
        let text = refusal.to_string();
        assert!(text.contains(message), "{what}: {text}");
        assert!(!text.contains(char::is_control) && text.len() < 500, "{what}: {text}");
        let line = format!("| `{code}` | {} |", refusal.exit_code());
        assert!(PAGE.contains(&line), "{line} is not in docs/certificates.md");
        met.insert(code);
    }
    let documented = PAGE.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    assert_eq!(met, documented.collect(), "documented codes without an input that has it");
}

#[test]
fn exit_codes_of_refusals_are_documented_once() {
    let mut codes = BTreeSet::new();
    for line in PAGE.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let exit: u8 = cells[2].parse().unwrap();
        assert!(codes.insert(exit), "exit code {exit} is there twice");
    }
    assert_eq!(codes, (20..=59).collect());
}

#[test]
fn openssl_and_others_make_what_is_taken_with_its_warnings() {
    for Taken(what, name, chain, key, expected) in corpus::taken() {
        let checked = check_for(name, &chain, &key).unwrap_or_else(|why| panic!("{what}: {why}"));
        let warnings: Vec<_> = checked.warnings().iter().map(ToString::to_string).collect();
        assert_eq!(warnings.len(), expected.len(), "{what}: {warnings:?}");
        for (warning, expected) in warnings.iter().zip(expected) {
            assert!(warning.contains(expected), "{what}: {warning}");
        }
        assert!(!checked.chain_pem().contains("PRIVATE"), "{what}");
        assert!(checked.key_pem().starts_with("-----BEGIN"), "{what}");
        // What is kept of it is taken again.
        check_for(name, &checked.chain_pem(), checked.key_pem()).unwrap();
        if !expected.iter().any(|warning| warning.contains("authority")) {
            assert_eq!(verified_by_a_client(&checked.chain_pem()), Ok(()), "{what}");
        }
        corpus::verified_by_openssl(&checked.chain_pem());
    }
}

#[test]
fn configurations_names_and_labels_are_refused_for_their_reason() {
    let contoso = LeafLabel::parse("contoso").unwrap();
    for Configuration(what, json, current, message) in CONFIGURATIONS {
        let current = match *current {
            "disabled" => Current::Disabled,
            "own" => Current::Own,
            _ => Current::Managed(&contoso),
        };
        let text = match serde_json::from_str::<SslConfiguration>(json) {
            Ok(asked) => told(&asked.decide(current).expect_err(what)),
            Err(error) => told(&error),
        };
        assert!(text.contains(message), "{what}: {text}");
    }
    let asked = SslConfiguration {
        cert: Some("x".to_owned()),
        key: Some("x".to_owned().into()),
        ..SslConfiguration::default()
    };
    for (name, message) in NAMES {
        let asked = SslConfiguration { cname: Some((*name).to_owned()), ..asked.clone() };
        let text = told(&asked.decide(Current::Disabled).expect_err(name));
        assert!(text.contains("the cname cannot be used") && text.contains(message), "{text}");
    }
    for (label, message) in LABELS {
        let leaf_domain_label = Some((*label).to_owned());
        let asked = SslConfiguration { leaf_domain_label, ..SslConfiguration::default() };
        let text = told(&asked.decide(Current::Disabled).expect_err(label));
        assert!(text.contains("leaf domain label cannot") && text.contains(message), "{text}");
    }
}

/// Numbers that a seed decides, and `SEALGATE_SEED` with it.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let seed = std::env::var("SEALGATE_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| std::process::id().into());
        println!("SEALGATE_SEED={seed}");
        Self(seed)
    }

    /// `SplitMix64`: every place and value comes up.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize % bound
    }

    /// Changes, adds or takes away an octet or more.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(3) {
            let place = self.below(bytes.len());
            match self.below(8) {
                0 => bytes.insert(place, self.below(256) as u8),
                1 if bytes.len() > 1 => drop(bytes.remove(place)),
                2 => bytes.truncate(place + 1),
                3 => bytes[place] = self.below(256) as u8,
                _ => bytes[place] ^= 1 << self.below(8),
            }
        }
    }
}

#[test]
fn nothing_panics_on_text_that_is_damaged_anywhere() {
    let mut random = Random::new();
    let Resigned { chain, key, .. } = Resigned::new();
    for _ in 0..1000 {
        let of_key = random.below(4) == 0;
        let mut bytes = if of_key { key.clone() } else { chain.clone() }.into_bytes();
        random.damage(&mut bytes);
        let text = String::from_utf8_lossy(&bytes);
        // A change that the signature does not cover may go unnoticed; none may do harm.
        let _ = if of_key { check(&chain, &text) } else { check(&text, &key) };
    }
}

/// Whatever an authority may have signed: what is taken of it clients take as well.
#[test]
fn what_is_taken_of_damaged_certificates_a_client_takes() {
    let mut random = Random::new();
    let resigned = Resigned::new();
    let mut taken = 0;
    for _ in 0..20_000 {
        let mut signed = resigned.signed.clone();
        random.damage(&mut signed);
        let chain = resigned.sign(&signed);
        if let Ok(checked) = check(&chain, &resigned.key) {
            taken += 1;
            let verified = verified_by_a_client(&checked.chain_pem());
            assert_eq!(verified, Ok(()), "a client refuses\n{chain}");
        }
    }
    println!("{taken} were taken");
    assert!(taken > 0, "nothing was taken of what is damaged where it does not matter");
}

/// Whether rustls takes the chain as far as it knows what is in it, when it trusts the last certificate.
fn verified_by_a_client(chain: &str) -> Result<(), rustls::Error> {
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(chain.as_bytes()).map(Result::unwrap).collect();
    let mut roots = RootCertStore::empty();
    roots.add(chain.last().unwrap().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider);
    let name = ServerName::try_from(NAME).unwrap();
    let (leaf, rest) = chain.split_first().unwrap();
    let verifier = verifier.build().unwrap();
    match verifier.verify_server_cert(leaf, rest, &name, &[], UnixTime::now()) {
        // Policies and curves that most clients know, and this one does not.
        Err(rustls::Error::InvalidCertificate(
            CertificateError::UnhandledCriticalExtension
            | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. },
        )) => Ok(()),
        other => other.map(drop),
    }
}
