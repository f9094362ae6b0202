// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Everything that is refused of an own certificate, each with its code and its message; and what is not.
#![expect(clippy::too_many_lines, reason = "tables are as long as they are")]

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::SystemTime;

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SanType,
};
use sealgate_control::certificate::{Checked, Refusal, Warning};
use sealgate_control::name::DnsName;
use tempfile::TempDir;

const NAME: &str = "score.example.com";

/// A certificate that may sign others.
struct Authority {
    params: CertificateParams,
    key: KeyPair,
    pem: String,
}

impl Authority {
    fn root() -> Self {
        let key = KeyPair::generate().unwrap();
        let params = authority_params("test root");
        let pem = params.clone().self_signed(&key).unwrap().pem();
        Self { params, key, pem }
    }

    fn under(issuer: &Self, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = authority_params("test intermediate");
        change(&mut params);
        let pem = params.clone().signed_by(&key, &issuer.signer()).unwrap().pem();
        Self { params, key, pem }
    }

    fn signer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }

    /// A certificate with its key, as `change` wants it.
    fn leaf(&self, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
        self.leaf_with(&KeyPair::generate().unwrap(), change)
    }

    fn leaf_with(
        &self,
        key: &KeyPair,
        change: impl FnOnce(&mut CertificateParams),
    ) -> (String, String) {
        let mut params = leaf_params();
        change(&mut params);
        (params.signed_by(key, &self.signer()).unwrap().pem(), key.serialize_pem())
    }
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn leaf_params() -> CertificateParams {
    let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    params.distinguished_name = named("test leaf");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = days_from_now(-1);
    params.not_after = days_from_now(90);
    params
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn days_from_now(days: i64) -> time::OffsetDateTime {
    time::OffsetDateTime::now_utc() + time::Duration::days(days)
}

fn check(chain: &str, key: &str) -> Result<Checked, Refusal> {
    check_for(NAME, chain, key)
}

fn check_for(name: &str, chain: &str, key: &str) -> Result<Checked, Refusal> {
    Checked::own(&DnsName::parse(name).unwrap(), chain, key, SystemTime::now())
}

/// One input that is refused: what it is, chain, key, and the code and part of the message of its refusal.
struct Case(&'static str, String, String, &'static str, &'static str);

/// A root, an authority below it, and a good certificate of that.
struct Good {
    root: Authority,
    issuer: Authority,
    leaf: String,
    key: String,
}

impl Good {
    fn new() -> Self {
        let root = Authority::root();
        let issuer = Authority::under(&root, |_| {});
        let (leaf, key) = issuer.leaf(|_| {});
        Self { root, issuer, leaf, key }
    }

    fn chain(&self) -> String {
        format!("{}{}", self.leaf, self.issuer.pem)
    }

    /// A chain whose own certificate is as `change` wants it.
    fn changed(&self, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
        let (leaf, key) = self.issuer.leaf(change);
        (format!("{leaf}{}", self.issuer.pem), key)
    }

    /// A chain whose authority is as `change` wants it.
    fn under(&self, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
        let issuer = Authority::under(&self.root, change);
        let (leaf, key) = issuer.leaf(|_| {});
        (format!("{leaf}{}", issuer.pem), key)
    }
}

#[test]
fn texts_that_are_no_pem_of_the_kind_are_refused() {
    let good = Good::new();
    let (chain, key) = (good.chain(), good.key.clone());
    let cut = chain[..chain.len() - 100].to_owned();
    let garbled = good.leaf.replacen("MII", "M!I", 1);
    let public = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", "MFkw");
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIH0\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let old_encrypted = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nMIH0\n-----END EC PRIVATE KEY-----\n";
    let dsa = "-----BEGIN DSA PRIVATE KEY-----\nMIH0\n-----END DSA PRIVATE KEY-----\n";
    let request = "-----BEGIN CERTIFICATE REQUEST-----\nMIH0\n-----END CERTIFICATE REQUEST-----\n";
    let many: String = (0..11).map(|_| good.issuer.leaf(|_| {}).0).collect();
    let huge = format!("{chain}{}", " ".repeat(1 << 20));
    refuse(vec![
        Case("no chain", String::new(), key.clone(), "not-pem", "the certificate is not PEM"),
        Case("no key", chain.clone(), String::new(), "not-pem", "the key is not PEM"),
        Case("words", "hello".to_owned(), key.clone(), "not-pem", "-----BEGIN"),
        Case("a path", "/etc/tls.crt".to_owned(), key.clone(), "not-pem", "not PEM"),
        Case("JSON", "{}".to_owned(), key.clone(), "not-pem", "not PEM"),
        Case("DER", "0\u{fffd}\u{3}".to_owned(), key.clone(), "binary", "convert it to PEM"),
        Case(
            "PKCS #12 as key",
            chain.clone(),
            "0\u{fffd}".to_owned(),
            "binary",
            "the key is binary",
        ),
        Case("cut in the midst", cut, key.clone(), "damaged-pem", "no end or is not base64"),
        Case("no base64", garbled, key.clone(), "damaged-pem", "no end or is not base64"),
        Case("key cut", chain.clone(), key[..60].to_owned(), "damaged-pem", "the key is damaged"),
        Case("too large", huge, key.clone(), "too-large", "larger than 1 MiB"),
        Case("many", many, key.clone(), "too-many-certificates", "more than 10"),
        Case(
            "a request",
            request.to_owned(),
            key.clone(),
            "no-certificate",
            "holds no certificate",
        ),
        Case("swapped", key.clone(), chain.clone(), "key-as-certificate", "swapped"),
        Case("key twice", key.clone(), key.clone(), "key-as-certificate", "swapped"),
        Case("chain twice", chain.clone(), chain.clone(), "certificate-as-key", "swapped"),
        Case("public key", chain.clone(), public, "public-key", "private one is needed"),
        Case("request as key", chain.clone(), request.to_owned(), "no-key", "holds no private key"),
        Case("two keys", chain.clone(), format!("{key}{key}"), "several-keys", "leave only that"),
        Case("passphrase", chain.clone(), encrypted.to_owned(), "passphrase", "openssl pkey"),
        Case(
            "old passphrase",
            chain.clone(),
            old_encrypted.to_owned(),
            "passphrase",
            "decrypt it first",
        ),
        Case("DSA", chain, dsa.to_owned(), "key-unsupported", "ECDSA on P-256"),
    ]);
}

#[test]
fn certificates_that_clients_would_refuse_are_refused() {
    let good = Good::new();
    let other = KeyPair::generate().unwrap().serialize_pem();
    let swapped = format!("{}{}", good.issuer.pem, good.leaf);
    let nonsense = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    let mut cases = vec![
        Case("another key", good.chain(), other, "key-mismatch", "does not belong"),
        Case(
            "issuer first",
            swapped,
            good.key.clone(),
            "leaf-not-first",
            "belongs to certificate 2",
        ),
        Case("no certificate", nonsense.to_owned(), good.key.clone(), "malformed", "certificate 1"),
        Case(
            "no certificate behind",
            format!("{}{nonsense}", good.leaf),
            good.key.clone(),
            "malformed",
            "certificate 2",
        ),
        Case(
            "issuer's key",
            good.issuer.pem.clone(),
            good.issuer.key.serialize_pem(),
            "leaf-is-authority",
            "CA:TRUE",
        ),
    ];
    let mut with = |what, change: fn(&mut CertificateParams), code, message| {
        let (chain, key) = good.changed(change);
        cases.push(Case(what, chain, key, code, message));
    };
    with(
        "expired",
        |p| p.not_after = days_from_now(-1) + time::Duration::hours(1),
        "expired",
        "has expired at 20",
    );
    with(
        "from tomorrow",
        |p| p.not_before = days_from_now(1),
        "not-yet-valid",
        "not valid before 20",
    );
    with(
        "ends before it begins",
        |p| p.not_after = days_from_now(-2),
        "bad-validity",
        "ends before it begins",
    );
    with(
        "another name",
        |p| p.subject_alt_names = dns(&["other.example.com"]),
        "not-covered",
        "does not cover score.example.com",
    );
    with(
        "parent only",
        |p| p.subject_alt_names = dns(&["example.com"]),
        "not-covered",
        "it is for example.com",
    );
    with(
        "wildcard of another level",
        |p| p.subject_alt_names = dns(&["*.com"]),
        "not-covered",
        "*.com",
    );
    with(
        "wildcard two levels up",
        |p| p.subject_alt_names = dns(&["*.org", "*.x.example.com"]),
        "not-covered",
        "*.org, *.x.example.com",
    );
    with(
        "wildcard inside",
        |p| p.subject_alt_names = dns(&["score.*.com"]),
        "not-covered",
        "score.*.com",
    );
    with(
        "many names",
        |p| {
            p.subject_alt_names =
                dns(&["a.x", "b.x", "c.x", "d.x", "e.x", "f.x", "g.x", "h.x", "i.x", "j.x"]);
        },
        "not-covered",
        "2 more",
    );
    with("no names", |p| p.subject_alt_names = Vec::new(), "no-alternative-name", "common name");
    with(
        "an address only",
        |p| p.subject_alt_names = vec![SanType::IpAddress([127, 0, 0, 1].into())],
        "no-dns-name",
        "no DNS name",
    );
    with(
        "a client's",
        |p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
        "not-for-servers",
        "serverAuth",
    );
    with(
        "for mail",
        |p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection],
        "not-for-servers",
        "serverAuth",
    );
    with(
        "encipherment only",
        |p| p.key_usages = vec![KeyUsagePurpose::KeyEncipherment],
        "not-for-signing",
        "digitalSignature",
    );
    with(
        "agreement only",
        |p| p.key_usages = vec![KeyUsagePurpose::KeyAgreement],
        "not-for-signing",
        "digitalSignature",
    );
    with(
        "an authority",
        |p| p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
        "leaf-is-authority",
        "CA:TRUE",
    );
    with(
        "unknown critical",
        |p| p.custom_extensions = vec![critical(&[1, 3, 6, 1, 4, 1, 99999, 1])],
        "unknown-critical",
        "1.3.6.1.4.1.99999.1",
    );
    with(
        "must-staple",
        |p| p.custom_extensions = vec![must_staple()],
        "must-staple",
        "no OCSP responder",
    );
    refuse(cases);
}

#[test]
fn chains_that_do_not_hold_are_refused() {
    let good = Good::new();
    let stranger = Good::new();
    let low = Authority::under(&good.issuer, |p| p.distinguished_name = named("test lower"));
    let (low_leaf, low_key) = low.leaf(|_| {});
    let chained = |parts: &[&str]| parts.concat();
    let mut cases = vec![
        Case(
            "alone",
            good.leaf.clone(),
            good.key.clone(),
            "chain-incomplete",
            "CN=test intermediate",
        ),
        Case(
            "gap",
            chained(&[&low_leaf, &low.pem, &good.root.pem]),
            low_key.clone(),
            "chain-gap",
            "CN=test intermediate",
        ),
        Case(
            "leaf and root",
            chained(&[&good.leaf, &good.root.pem]),
            good.key.clone(),
            "chain-gap",
            "the server's certificate was issued by",
        ),
        Case(
            "upside down",
            chained(&[&low_leaf, &good.issuer.pem, &low.pem]),
            low_key.clone(),
            "wrong-order",
            "out of order at certificate 2",
        ),
        Case(
            "root in the midst",
            chained(&[&good.leaf, &good.root.pem, &good.issuer.pem]),
            good.key.clone(),
            "wrong-order",
            "certificate 2",
        ),
        Case(
            "stranger behind the root",
            chained(&[&good.leaf, &good.issuer.pem, &good.root.pem, &low.pem]),
            good.key.clone(),
            "unrelated",
            "certificate 4",
        ),
        Case(
            "same name, another key",
            chained(&[&good.leaf, &stranger.issuer.pem]),
            good.key.clone(),
            "bad-signature",
            "right name and another key",
        ),
        Case(
            "root of the same name",
            chained(&[&good.leaf, &good.issuer.pem, &stranger.root.pem]),
            good.key.clone(),
            "bad-signature",
            "certificate 2",
        ),
    ];
    let mut with = |what, change: fn(&mut CertificateParams), code, message| {
        let (chain, key) = good.under(change);
        cases.push(Case(what, chain, key, code, message));
    };
    with("issuer is none", |p| p.is_ca = IsCa::ExplicitNoCa, "not-an-authority", "CA:TRUE");
    with("issuer says nothing", |p| p.is_ca = IsCa::NoCa, "not-an-authority", "CA:TRUE");
    with(
        "issuer may not sign",
        |p| p.key_usages = vec![KeyUsagePurpose::CrlSign],
        "not-an-authority",
        "key usage",
    );
    with(
        "issuer for others",
        |p| p.name_constraints = Some(only("example.org")),
        "not-an-authority",
        "name constraints",
    );
    with(
        "issuer not for it",
        |p| p.name_constraints = Some(excluded("score.example.com")),
        "not-an-authority",
        "name constraints",
    );
    with(
        "issuer expired",
        |p| {
            p.not_before = days_from_now(-9);
            p.not_after = days_from_now(-1);
        },
        "expired",
        "certificate 2 of the chain (CN=test intermediate)",
    );
    with(
        "issuer from tomorrow",
        |p| p.not_before = days_from_now(1),
        "not-yet-valid",
        "certificate 2",
    );
    let short =
        Authority::under(&good.root, |p| p.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
    let below = Authority::under(&short, |p| p.distinguished_name = named("test below"));
    let (leaf, key) = below.leaf(|_| {});
    cases.push(Case(
        "path too long",
        chained(&[&leaf, &below.pem, &short.pem]),
        key,
        "not-an-authority",
        "path length",
    ));
    refuse(cases);
}

#[test]
fn keys_and_signatures_of_openssl_that_are_weak_or_unknown_are_refused() {
    let openssl = Openssl::new();
    let mut cases = Vec::new();
    let mut with = |what, new_key: &[&str], extra: &[&str], code, message| {
        let (chain, key) = openssl.self_signed(new_key, extra);
        cases.push(Case(what, chain, key, code, message));
    };
    with("RSA of 1024 bits", &["rsa:1024"], &[], "weak-key", "1024 bits");
    with("RSA of 8192 bits", &["rsa:4104"], &[], "key-too-long", "4104 bits");
    with(
        "secp256k1",
        &["ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
        &[],
        "key-unsupported",
        "P-256",
    );
    with("P-521", &["ec", "-pkeyopt", "ec_paramgen_curve:P-521"], &[], "key-unsupported", "P-256");
    with("Ed448", &["ed448"], &[], "key-unsupported", "Ed25519");
    with("SHA-1", &["rsa:2048"], &["-sha1"], "weak-signature", "SHA-1");
    with(
        "ECDSA with SHA-1",
        &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        &["-sha1"],
        "weak-signature",
        "SHA-1",
    );
    with("MD5", &["rsa:2048"], &["-md5"], "weak-signature", "MD5");
    let (chain, _) = openssl.self_signed(&["rsa:2048"], &[]);
    let encrypted = openssl.encrypted_key(&["-aes256"]);
    cases.push(Case(
        "PKCS #8 with passphrase",
        chain.clone(),
        encrypted,
        "passphrase",
        "openssl pkey",
    ));
    let encrypted = openssl.encrypted_key(&["-aes256", "-traditional"]);
    cases.push(Case("PKCS #1 with passphrase", chain, encrypted, "passphrase", "openssl pkey"));
    refuse(cases);
}

#[test]
fn good_ones_of_every_kind_are_taken() {
    let good = Good::new();
    let chain = good.chain();
    assert_eq!(check(&chain, &good.key).unwrap().warnings(), []);
    let dos = |text: &str| text.replace('\n', "\r\n");
    check(&dos(&chain), &dos(&good.key)).unwrap();
    check(&format!("subject=/CN=x\n{chain}"), &format!("Bag Attributes\n{}", good.key)).unwrap();
    let both = format!("{}{chain}", good.key);
    let one_file = check(&both, &both).unwrap();
    assert!(!one_file.chain_pem().contains("PRIVATE"));
    assert_eq!(one_file.key_pem().as_str(), good.key);

    let rooted = check(&format!("{chain}{}", good.root.pem), &good.key).unwrap();
    assert_eq!(rooted.warnings(), [Warning::RootIncluded]);
    let twice = check(&format!("{chain}{}", good.issuer.pem), &good.key).unwrap();
    assert_eq!(twice.warnings(), [Warning::Duplicate]);
    let (wild, key) = good.changed(|p| p.subject_alt_names = dns(&["*.example.com"]));
    check(&wild, &key).unwrap();
    check_for("*.example.com", &wild, &key).unwrap();
    assert_eq!(check_for("example.com", &wild, &key).unwrap_err().code(), "not-covered");
    let (soon, key) = good.changed(|p| p.not_after = days_from_now(3) + time::Duration::hours(1));
    assert_eq!(check(&soon, &key).unwrap().warnings(), [Warning::ExpiresSoon { days: 3 }]);
    let (long, key) = good.changed(|p| p.not_after = days_from_now(3650));
    assert!(matches!(check(&long, &key).unwrap().warnings(), [Warning::LongLived { .. }]));

    for algorithm in [&PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let (leaf, key) = good.issuer.leaf_with(&key, |_| {});
        check(&format!("{leaf}{}", good.issuer.pem), &key).unwrap();
    }
    let key = KeyPair::generate().unwrap();
    let own = leaf_params().self_signed(&key).unwrap().pem();
    let own = check(&own, &key.serialize_pem()).unwrap();
    assert_eq!(own.warnings(), [Warning::SelfSigned]);
    assert!(own.warnings()[0].to_string().contains("for development"));
}

#[test]
fn keys_of_openssl_in_every_form_are_taken() {
    let openssl = Openssl::new();
    for new_key in [
        &["rsa:2048"][..],
        &["rsa:4096"],
        &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        &["ed25519"],
    ] {
        let (chain, key) = openssl.self_signed(new_key, &[]);
        let checked = check(&chain, &key).unwrap();
        // `openssl req -x509` marks what it makes as an authority.
        assert_eq!(checked.warnings(), [Warning::SelfSigned, Warning::MarkedAuthority]);
        if new_key[0] != "ed25519" {
            check(&chain, &openssl.traditional_key()).unwrap();
        }
        check(&openssl.text(), &key).unwrap();
    }
}

#[test]
fn nothing_panics_on_what_is_damaged_anywhere() {
    let seed = std::env::var("SEALGATE_SEED").ok().and_then(|seed| seed.parse().ok());
    let mut state: u64 = seed.unwrap_or_else(|| std::process::id().into());
    println!("SEALGATE_SEED={state}");
    let good = Good::new();
    let (chain, key) = (good.chain(), good.key.clone());
    for _ in 0..2000 {
        let mut random = || {
            // SplitMix64: every place and value comes up.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (mixed ^ (mixed >> 27)) as usize
        };
        let mut bytes = if random() % 4 == 0 { key.clone() } else { chain.clone() }.into_bytes();
        let of_key = bytes.len() == key.len();
        for _ in 0..=random() % 3 {
            let (place, value) = (random() % bytes.len(), random());
            bytes[place] = b"ABCabc019+/=\n-"[value % 14];
        }
        let text = String::from_utf8(bytes).unwrap();
        // A change that the signature does not cover may go unnoticed; none may do harm.
        let _ = if of_key { check(&chain, &text) } else { check(&text, &key) };
    }
}

#[test]
fn every_refusal_has_its_own_code_and_its_line_in_the_documents() {
    let page = include_str!("../../../docs/certificates.md");
    let mut codes = BTreeSet::new();
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let exit: u8 = cells[2].parse().unwrap();
        assert!(codes.insert(exit), "exit code {exit} is there twice");
    }
    assert_eq!(codes, (20..=57).collect());
}

/// Every case is refused as it says.
fn refuse(cases: Vec<Case>) {
    let page = include_str!("../../../docs/certificates.md");
    for Case(what, chain, key, code, message) in cases {
        let refusal = check(&chain, &key).expect_err(what);
        assert_eq!(refusal.code(), code, "{what}: {refusal}");
        let text = refusal.to_string();
        assert!(text.contains(message), "{what}: {text}");
        assert!(!text.contains('\n') && text.len() < 500, "{what}: {text}");
        let line = format!("| `{code}` | {} |", refusal.exit_code());
        assert!(page.contains(&line), "{line} is not in docs/certificates.md");
    }
}

fn dns(names: &[&str]) -> Vec<SanType> {
    names.iter().map(|name| SanType::DnsName((*name).try_into().unwrap())).collect()
}

fn only(zone: &str) -> NameConstraints {
    let permitted_subtrees = vec![GeneralSubtree::DnsName(zone.to_owned())];
    NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() }
}

fn excluded(zone: &str) -> NameConstraints {
    let excluded_subtrees = vec![GeneralSubtree::DnsName(zone.to_owned())];
    NameConstraints { permitted_subtrees: Vec::new(), excluded_subtrees }
}

fn critical(oid: &[u64]) -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(oid, vec![5, 0]);
    extension.set_criticality(true);
    extension
}

/// TLS feature `status_request` (RFC 7633).
fn must_staple() -> CustomExtension {
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 24], vec![0x30, 3, 2, 1, 5])
}

/// What OpenSSL makes, in a folder of its own.
struct Openssl(TempDir);

impl Openssl {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn run(arguments: &[&str]) {
        let output = Command::new("openssl").args(arguments).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments:?}: {error}");
    }

    fn self_signed(&self, new_key: &[&str], extra: &[&str]) -> (String, String) {
        let (cert, key) = (self.path("cert.pem"), self.path("key.pem"));
        let name = format!("subjectAltName=DNS:{NAME}");
        let common = ["-nodes", "-x509", "-days", "90", "-subj", "/CN=test", "-addext", &name];
        let files = ["-keyout", &key, "-out", &cert];
        Self::run(&[&["req", "-newkey"][..], new_key, &common, extra, &files].concat());
        (fs::read_to_string(cert).unwrap(), fs::read_to_string(key).unwrap())
    }

    /// The last key, encrypted.
    fn encrypted_key(&self, how: &[&str]) -> String {
        let (key, encrypted) = (self.path("key.pem"), self.path("encrypted.pem"));
        let files = ["-in", &key, "-out", &encrypted, "-passout", "pass:secret"];
        Self::run(&[&["pkey"][..], how, &files].concat());
        fs::read_to_string(encrypted).unwrap()
    }

    /// The last key as PKCS #1 or SEC 1.
    fn traditional_key(&self) -> String {
        let (key, traditional) = (self.path("key.pem"), self.path("traditional.pem"));
        Self::run(&["pkey", "-traditional", "-in", &key, "-out", &traditional]);
        fs::read_to_string(traditional).unwrap()
    }

    /// The last certificate with what it says in words before it.
    fn text(&self) -> String {
        let (cert, text) = (self.path("cert.pem"), self.path("text.pem"));
        Self::run(&["x509", "-text", "-in", &cert, "-out", &text]);
        fs::read_to_string(text).unwrap()
    }
}
