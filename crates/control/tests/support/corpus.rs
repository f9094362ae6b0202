// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Inputs that are refused and inputs that are taken, for every way in that takes certificates, names, labels and
//! configurations.
#![expect(clippy::too_many_lines, reason = "tables are as long as they are")]

use std::fs;
use std::process::Command;

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SanType, SigningKey,
};
use tempfile::TempDir;

/// The name that all are for, unless they say so.
pub(crate) const NAME: &str = "score.example.com";

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

/// One input that is refused: what it is, chain, key, and the code and part of the message of its refusal.
pub(crate) struct Case(
    pub(crate) &'static str,
    pub(crate) String,
    pub(crate) String,
    pub(crate) &'static str,
    pub(crate) &'static str,
);

/// One input that is taken: what it is, the name it is for, chain, key, and parts of its warnings.
pub(crate) struct Taken(
    pub(crate) &'static str,
    pub(crate) &'static str,
    pub(crate) String,
    pub(crate) String,
    pub(crate) &'static [&'static str],
);

/// A configuration that is refused: what it is, as JSON, for a target that is `disabled`, `own` or `managed` (with
/// the label `contoso`), and part of the message.
pub(crate) struct Configuration(
    pub(crate) &'static str,
    pub(crate) &'static str,
    pub(crate) &'static str,
    pub(crate) &'static str,
);

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

/// All certificates, chains and keys that are refused.
pub(crate) fn refused() -> Vec<Case> {
    let tables = [texts(), certificates(), chains(), authorities(), odd(), weak_keys(), old()];
    tables.into_iter().flatten().collect()
}

/// Everything that is taken.
pub(crate) fn taken() -> Vec<Taken> {
    [issued(), written(), of_openssl()].into_iter().flatten().collect()
}

/// Texts that are no PEM of the kind.
fn texts() -> Vec<Case> {
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
    vec![
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
        Case("cut in the midst", cut, key.clone(), "damaged-pem", "no end, is not base64"),
        Case("no base64", garbled, key.clone(), "damaged-pem", "no end, is not base64"),
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
    ]
}

/// Certificates that clients would refuse.
fn certificates() -> Vec<Case> {
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
    cases
}

/// Chains that do not hold.
fn chains() -> Vec<Case> {
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
    cases
}

/// What OpenSSL makes that is weak or unknown.
fn weak_keys() -> Vec<Case> {
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
    cases
}

/// Authorities that clients would not follow.
fn authorities() -> Vec<Case> {
    let good = Good::new();
    let mut cases = Vec::new();
    let mut with = |what, change: fn(&mut CertificateParams), code, message| {
        let (chain, key) = good.under(change);
        cases.push(Case(what, chain, key, code, message));
    };
    with(
        "issuer for clients",
        |p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
        "not-an-authority",
        "extended key usage excludes servers",
    );
    with(
        "issuer for any purpose",
        |p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any],
        "not-an-authority",
        "extended key usage excludes servers",
    );
    with(
        "issuer with something unknown",
        |p| p.custom_extensions = vec![critical(&[1, 3, 6, 1, 4, 1, 99999, 2])],
        "unknown-critical",
        "1.3.6.1.4.1.99999.2",
    );
    with(
        "issuer with two purposes",
        |p| {
            p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            p.custom_extensions = vec![purpose_again()];
        },
        "bad-extension",
        "certificate 2 of the chain",
    );
    with(
        "issuer of two lines",
        |p| {
            p.distinguished_name = named("first\nsecond\u{1b}[31m");
            p.not_before = days_from_now(-9);
            p.not_after = days_from_now(-1);
        },
        "expired",
        "(CN=first second [31m)",
    );
    let issuer = Authority::under(&good.root, |p| p.name_constraints = Some(only("example.com")));
    let (leaf, key) = issuer.leaf(|p| {
        p.subject_alt_names = dns(&[NAME, "score.example.org"]);
    });
    cases.push(Case(
        "one name of two outside",
        format!("{leaf}{}", issuer.pem),
        key,
        "not-an-authority",
        "its name constraints exclude score.example.org",
    ));
    let wordy = Authority::under(&good.root, |p| p.distinguished_name = named(&"x".repeat(9000)));
    let (leaf, key) = wordy.leaf(|_| {});
    cases.push(Case("issuer of a long name", leaf, key, "chain-incomplete", "xxx..., is missing"));
    cases
}

/// Certificates and keys that are not quite what they say.
fn odd() -> Vec<Case> {
    let good = Good::new();
    let mut cases = Vec::new();
    let mut with = |what, change: fn(&mut CertificateParams), code, message| {
        let (chain, key) = good.changed(change);
        cases.push(Case(what, chain, key, code, message));
    };
    with(
        "for any purpose",
        |p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any],
        "not-for-servers",
        "serverAuth",
    );
    with(
        "a responder's",
        |p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning],
        "not-for-servers",
        "serverAuth",
    );
    with(
        "purposes twice",
        |p| p.custom_extensions = vec![purpose_again()],
        "bad-extension",
        "2.5.29.37 more than once",
    );
    with(
        "names that cannot be read",
        |p| {
            p.subject_alt_names = Vec::new();
            let names = CustomExtension::from_oid_content(&[2, 5, 29, 17], vec![0x30, 9, 1]);
            p.custom_extensions = vec![names];
        },
        "bad-extension",
        "2.5.29.17 in a way that cannot be read",
    );
    with(
        "a name of a thousand lines",
        |p| p.subject_alt_names = dns(&["a\n".repeat(1000).as_str()]),
        "not-covered",
        "a a a",
    );
    let mut pem = |what, chain: &[u8], key: &[u8], code, message| {
        let chain = section("CERTIFICATE", chain) + &good.issuer.pem;
        cases.push(Case(what, chain, section("PRIVATE KEY", key), code, message));
    };
    let (leaf, key) = (contents(&good.leaf), contents(&good.key));
    let flipped = [&leaf[..leaf.len() - 1], &[leaf[leaf.len() - 1] ^ 1]].concat();
    let longer = [&leaf[..], &[0]].concat();
    let shorter = &leaf[..leaf.len() - 1];
    pem("bytes behind", &longer, &key, "trailing-data", "certificate 1");
    pem("bytes missing", shorter, &key, "malformed", "certificate 1");
    pem("signature changed", &flipped, &key, "bad-signature", "the server's certificate");
    pem("nothing in it", &[], &key, "malformed", "certificate 1");
    pem("key cut short", &leaf, &key[..key.len() - 9], "damaged-pem", "cut short");
    pem("key of zeroes", &leaf, &[0; 32], "damaged-pem", "cut short");
    pem("key of another kind", &leaf, &[0x30, 3, 2, 1, 0], "key-unsupported", "ECDSA on P-256");
    let resigned = Resigned::new();
    // The tag of the purpose within its list: no object identifier any more.
    let purpose = [0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1];
    let place = resigned.signed.windows(purpose.len()).position(|part| part == purpose);
    let mut signed = resigned.signed.clone();
    signed[place.unwrap() + 2] = 0x43;
    let chain = resigned.sign(&signed);
    cases.push(Case("no DER", chain, resigned.key, "clients-refuse", "have it issued again"));
    let openssh = section("OPENSSH PRIVATE KEY", b"openssh-key-v1\0");
    cases.push(Case("OpenSSH", good.chain(), openssh, "key-unsupported", "ECDSA on P-256"));
    let wide: String = good.chain().chars().flat_map(|c| [c, '\0']).collect();
    cases.push(Case("UTF-16", wide, good.key.clone(), "not-pem", "-----BEGIN"));
    cases
}

/// What OpenSSL makes as of old: without extensions, or with issuers of long ago.
fn old() -> Vec<Case> {
    let openssl = Openssl::new();
    let (_, key) = openssl.self_signed(&["rsa:2048"], &[]);
    let first = openssl.version_1();
    let mut cases = vec![Case("version 1", first, key, "old-version", "version 3")];
    let (chain, key) = openssl.below(&["rsa:1024"], &[]);
    cases.push(Case("issuer of 1024 bits", chain, key, "not-an-authority", "2048 bits"));
    let (chain, key) = openssl.below(&["rsa:2048"], &["-sha1"]);
    cases.push(Case("by SHA-1", chain, key, "weak-signature", "SHA-1"));
    cases
}

/// Certificates of every kind that is served.
fn issued() -> Vec<Taken> {
    let good = Good::new();
    let chain = good.chain();
    let with_root = format!("{chain}{}", good.root.pem);
    let twice = format!("{chain}{}", good.issuer.pem);
    let key = || good.key.clone();
    let mut taken = vec![
        Taken("a chain", NAME, chain, key(), &[]),
        Taken("with its root", NAME, with_root, key(), &["leave it out"]),
        Taken("issuer twice", NAME, twice, key(), &["more than once"]),
    ];
    let mut with = |what, name, change: fn(&mut CertificateParams), warnings| {
        let (chain, key) = good.changed(change);
        taken.push(Taken(what, name, chain, key, warnings));
    };
    let wild = |p: &mut CertificateParams| p.subject_alt_names = dns(&["*.example.com"]);
    with("wildcard", NAME, wild, &[]);
    with("wildcard for itself", "*.example.com", wild, &[]);
    with(
        "one of many names",
        NAME,
        |p| p.subject_alt_names = dns(&["example.org", "SCORE.example.com"]),
        &[],
    );
    with(
        "for clients too",
        NAME,
        |p| p.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth),
        &[],
    );
    with("for no purpose in particular", NAME, |p| p.extended_key_usages.clear(), &[]);
    with("for no use in particular", NAME, |p| p.key_usages.clear(), &[]);
    with("no longer for long", NAME, |p| p.not_after = days_from_now(3), &["within 3 days"]);
    with("for ten years", NAME, |p| p.not_after = days_from_now(3650), &["no more than 398"]);
    for algorithm in [&PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let (leaf, key) = good.issuer.leaf_with(&key, |_| {});
        taken.push(Taken("P-384, Ed25519", NAME, format!("{leaf}{}", good.issuer.pem), key, &[]));
    }
    let bounded = Authority::under(&good.root, |p| p.name_constraints = Some(only("example.com")));
    let (leaf, key) = bounded.leaf(|_| {});
    taken.push(Taken("within constraints", NAME, format!("{leaf}{}", bounded.pem), key, &[]));
    let key = KeyPair::generate().unwrap();
    let own = leaf_params().self_signed(&key).unwrap().pem();
    taken.push(Taken("self-signed", NAME, own, key.serialize_pem(), &["for development"]));
    taken
}

/// A good chain in every way in which tools write one.
fn written() -> Vec<Taken> {
    let good = Good::new();
    let (chain, key) = (good.chain(), good.key.clone());
    let dos = |text: &str| text.replace('\n', "\r\n");
    let both = format!("{key}{chain}");
    let said = format!("subject=/CN=x\n{chain}");
    let bag = format!("Bag Attributes\n    friendlyName: x\n{key}");
    let parameters = format!("{}{key}", section("EC PARAMETERS", &[6, 0]));
    let last = chain.trim_end().to_owned();
    vec![
        Taken("lines of DOS", NAME, dos(&chain), dos(&key), &[]),
        Taken("words before", NAME, said, bag, &[]),
        Taken("all in one file", NAME, both.clone(), both, &[]),
        Taken("parameters before the key", NAME, chain.clone(), parameters, &[]),
        Taken("no last line end", NAME, last, key.trim_end().to_owned(), &[]),
        Taken(
            "empty lines",
            NAME,
            chain.replace("-----BEGIN", "\n\n-----BEGIN"),
            key + "\n\n",
            &[],
        ),
    ]
}

/// Keys of OpenSSL in every form.
fn of_openssl() -> Vec<Taken> {
    // `openssl req -x509` marks what it makes as an authority.
    const WARNINGS: &[&str] = &["self-signed", "marked as an authority"];
    let openssl = Openssl::new();
    let mut taken = Vec::new();
    for (what, new_key) in [
        ("RSA of 2048 bits", &["rsa:2048"][..]),
        ("RSA of 4096 bits", &["rsa:4096"]),
        ("P-256", &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]),
        ("P-384", &["ec", "-pkeyopt", "ec_paramgen_curve:P-384"]),
        ("Ed25519", &["ed25519"]),
    ] {
        let (chain, key) = openssl.self_signed(new_key, &[]);
        if what != "Ed25519" {
            let key = openssl.traditional_key();
            taken.push(Taken("PKCS #1 or SEC 1", NAME, chain.clone(), key, WARNINGS));
        }
        taken.push(Taken("in words first", NAME, openssl.text(), key.clone(), WARNINGS));
        taken.push(Taken(what, NAME, chain, key, WARNINGS));
    }
    let (chain, key) = openssl.below(&["rsa:2048"], &[]);
    taken.push(Taken("RSA below RSA", NAME, chain, key, &["leave it out"]));
    let curve = ["ec", "-pkeyopt", "ec_paramgen_curve:P-521"];
    let (chain, key) = openssl.below(&curve, &["-sha512"]);
    taken.push(Taken("RSA below P-521", NAME, chain, key, &["leave it out"]));
    taken
}

/// Configurations that are refused whatever the certificates in them are.
pub(crate) const CONFIGURATIONS: &[Configuration] = &[
    Configuration(
        "cname alone",
        r#"{"cname": "a.example.com"}"#,
        "disabled",
        "cert and key missing",
    ),
    Configuration("certificate alone", r#"{"cert": "x"}"#, "own", "cname and key missing"),
    Configuration("key alone", r#"{"key": "x"}"#, "managed", "cname and cert missing"),
    Configuration("no key", r#"{"cname": "a.b", "cert": "x"}"#, "disabled", "key missing"),
    Configuration("no cname", r#"{"cert": "x", "key": "x"}"#, "disabled", "cname missing"),
    Configuration(
        "empty key",
        r#"{"cname": "a.b", "cert": "x", "key": " "}"#,
        "disabled",
        "key is empty",
    ),
    Configuration(
        "empty label",
        r#"{"leafDomainLabel": ""}"#,
        "disabled",
        "leafDomainLabel is empty",
    ),
    Configuration("empty cname", r#"{"cname": ""}"#, "own", "cname is empty"),
    Configuration(
        "own and managed",
        r#"{"cname": "a.b", "cert": "x", "key": "x", "leafDomainLabel": "contoso"}"#,
        "disabled",
        "not both",
    ),
    Configuration(
        "own and overwrite",
        r#"{"cname": "a.b", "cert": "x", "key": "x", "overwriteExistingDomain": true}"#,
        "disabled",
        "overwriting an existing domain goes with a leaf domain label",
    ),
    Configuration(
        "own and renew",
        r#"{"cname": "a.b", "cert": "x", "key": "x", "renew": true}"#,
        "managed",
        "renew is for managed certificates",
    ),
    Configuration(
        "overwrite alone",
        r#"{"overwriteExistingDomain": true}"#,
        "managed",
        "needs the leaf domain label",
    ),
    Configuration(
        "renew without TLS",
        r#"{"renew": true}"#,
        "disabled",
        "only a managed certificate",
    ),
    Configuration("renew an own", r#"{"renew": true}"#, "own", "only a managed certificate"),
    Configuration("enabled alone", r#"{"status": "Enabled"}"#, "own", "needs an own certificate"),
    Configuration(
        "enabled and managed",
        r#"{"status": "Enabled", "leafDomainLabel": "contoso"}"#,
        "managed",
        "goes with Auto",
    ),
    Configuration("auto alone", r#"{"status": "Auto"}"#, "managed", "needs a leaf domain label"),
    Configuration(
        "auto and own",
        r#"{"status": "Auto", "cname": "a.b", "cert": "x", "key": "x"}"#,
        "disabled",
        "go with Enabled",
    ),
    Configuration("a status of another case", r#"{"status": "auto"}"#, "own", "is unknown"),
    Configuration("a status of nobody", r#"{"status": "On"}"#, "own", "is unknown"),
    Configuration("a field of nobody", r#"{"certificate": "x"}"#, "own", "unknown field"),
    Configuration("a number for a name", r#"{"cname": 1}"#, "own", "invalid type"),
];

/// Names that an own certificate cannot be for, and why.
pub(crate) const NAMES: &[(&str, &str)] = &[
    ("localhost", "fully qualified"),
    ("127.0.0.1", "it is an address"),
    ("::1", "it is an address"),
    ("a..example.com", "one of its labels is empty"),
    (".example.com", "one of its labels is empty"),
    ("score.example.com:443", "':' is neither"),
    ("https://score.example.com", "is neither"),
    ("sc_ore.example.com", "'_' is neither"),
    ("-score.example.com", "with a hyphen"),
    ("score-.example.com", "with a hyphen"),
    ("ab--cd.example.com", "third and fourth place"),
    ("bücher.example.com", "ASCII form"),
    ("score.*.com", "'*' is neither"),
    ("score.example.1", "last label is a number"),
    ("score example.com", "' ' is neither"),
    (
        concat!("a23456789012345678901234567890123456789012345678901234567890", "1234.x.y"),
        "63 characters",
    ),
];

/// Labels that no managed name begins with, and why.
pub(crate) const LABELS: &[(&str, &str)] = &[
    ("con.toso", "give one label"),
    ("con_toso", "'_' is neither"),
    ("-contoso", "with a hyphen"),
    ("con toso", "' ' is neither"),
    ("xn--bcher-kva", "would make another international name"),
    ("a*", "'*' is neither"),
    ("a2345678901234567890123456789012345678901234567890123456789", "six random ones"),
    ("bücher", "ASCII form"),
];

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

/// A second extended key usage, which says `serverAuth`.
fn purpose_again() -> CustomExtension {
    let server_auth = vec![0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1];
    CustomExtension::from_oid_content(&[2, 5, 29, 37], server_auth)
}

/// One section of PEM.
pub(crate) fn section(label: &str, der: &[u8]) -> String {
    pem::encode_config(
        &pem::Pem::new(label, der),
        pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
    )
}

/// What stands in the first section.
pub(crate) fn contents(text: &str) -> Vec<u8> {
    pem::parse(text).unwrap().into_contents()
}

/// TLS feature `status_request` (RFC 7633).
fn must_staple() -> CustomExtension {
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 24], vec![0x30, 3, 2, 1, 5])
}

/// A good certificate whose contents may be changed before they are signed.
pub(crate) struct Resigned {
    /// The chain as it was.
    pub(crate) chain: String,
    /// Its key.
    pub(crate) key: String,
    /// What is signed of the first certificate, in DER.
    pub(crate) signed: Vec<u8>,
    issuer: Authority,
}

impl Resigned {
    pub(crate) fn new() -> Self {
        let good = Good::new();
        let leaf = contents(&good.leaf);
        let (_, parsed) = x509_parser::parse_x509_certificate(&leaf).unwrap();
        let signed = parsed.tbs_certificate.as_ref().to_vec();
        Self { chain: good.chain(), key: good.key, signed, issuer: good.issuer }
    }

    /// The chain with `signed` in its first certificate, and a signature that is right.
    pub(crate) fn sign(&self, signed: &[u8]) -> String {
        // ecdsa-with-SHA256 (RFC 5758, section 3.2).
        let algorithm = tagged(0x30, &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]);
        let signature = [&[0], &*self.issuer.key.sign(signed).unwrap()].concat();
        let signature = tagged(3, &signature);
        let leaf = tagged(0x30, &[signed, &algorithm, &signature].concat());
        section("CERTIFICATE", &leaf) + &self.issuer.pem
    }
}

/// One value in DER.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    let [high, low] = length.to_be_bytes();
    match length {
        0..128 => [&[tag, low], content].concat(),
        128..256 => [&[tag, 0x81, low], content].concat(),
        _ => [&[tag, 0x82, high, low], content].concat(),
    }
}

/// OpenSSL takes the chain for a server's, when it trusts the last certificate of it.
pub(crate) fn verified_by_openssl(chain: &str) {
    let openssl = Openssl::new();
    let [all, trusted] = ["all.pem", "trusted.pem"].map(|name| openssl.path(name));
    let last = chain.rfind("-----BEGIN").unwrap();
    fs::write(&all, chain).unwrap();
    fs::write(&trusted, &chain[last..]).unwrap();
    let trust = ["-partial_chain", "-trusted", &trusted, "-untrusted", &all];
    Openssl::run(&[&["verify", "-purpose", "sslserver"][..], &trust, &[&all]].concat());
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

    /// A certificate of version 1 for the last key.
    fn version_1(&self) -> String {
        let [key, request, cert] =
            ["key.pem", "request.pem", "first.pem"].map(|name| self.path(name));
        Self::run(&["req", "-new", "-key", &key, "-subj", "/CN=test", "-out", &request]);
        Self::run(&["x509", "-req", "-in", &request, "-signkey", &key, "-out", &cert]);
        fs::read_to_string(cert).unwrap()
    }

    /// A certificate for a key of its own, signed as `extra` says by an authority with a key as `new_key` says.
    fn below(&self, new_key: &[&str], extra: &[&str]) -> (String, String) {
        let (authority, _) = self.self_signed(new_key, &[]);
        let [cert, key, request, own_key, own_cert, extensions] =
            ["cert.pem", "key.pem", "request.pem", "own.key", "own.pem", "extensions"]
                .map(|name| self.path(name));
        fs::write(&extensions, format!("subjectAltName=DNS:{NAME}\n")).unwrap();
        let subject = ["-subj", "/CN=below", "-keyout", &own_key, "-out", &request];
        Self::run(&[&["req", "-new", "-nodes", "-newkey", "rsa:2048"][..], &subject].concat());
        let signer = ["-CA", &cert, "-CAkey", &key, "-CAcreateserial", "-days", "90"];
        let files = ["-in", &request, "-extfile", &extensions, "-out", &own_cert];
        Self::run(&[&["x509", "-req"][..], &signer, &files, extra].concat());
        let chain = fs::read_to_string(own_cert).unwrap() + &authority;
        (chain, fs::read_to_string(own_key).unwrap())
    }
}
