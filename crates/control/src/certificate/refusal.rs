// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Why a certificate is not served: each kind with its message, its code and its exit code.

use thiserror::Error;

/// What is wrong with a certificate, its chain or its key. Places count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum Refusal {
    #[error("the {what} is not PEM: it should begin with -----BEGIN")]
    NotPem { what: &'static str },
    #[error(
        "the {what} is binary (DER or PKCS #12): convert it to PEM first (openssl x509, pkey or pkcs12)"
    )]
    Binary { what: &'static str },
    #[error(
        "the PEM of the {what} is damaged: a section has no end, is not base64 or is cut short"
    )]
    Damaged { what: &'static str },
    #[error("the PEM of the {what} is larger than 1 MiB")]
    TooLarge { what: &'static str },
    #[error(
        "the chain has more than {most} certificates: give the server's own and its issuers only"
    )]
    TooMany { most: usize },
    #[error("the certificate's PEM holds no certificate (-----BEGIN CERTIFICATE-----)")]
    NoCertificate,
    #[error(
        "the certificate's PEM holds a private key and no certificate: are the two files swapped?"
    )]
    KeyAsCertificate,
    #[error("the key's PEM holds no private key (-----BEGIN PRIVATE KEY-----)")]
    NoKey,
    #[error("the key's PEM holds a certificate and no private key: are the two files swapped?")]
    CertificateAsKey,
    #[error("the key's PEM holds a public key: the private one is needed")]
    PublicKey,
    #[error("the key's PEM holds several private keys: leave only that of the certificate")]
    SeveralKeys,
    #[error(
        "the private key is protected by a passphrase, which is not supported: decrypt it first (openssl pkey -in KEY -out DECRYPTED)"
    )]
    Passphrase,
    #[error(
        "the key is of a kind that is not supported: take ECDSA on P-256 or P-384, RSA of 2048, 3072 or 4096 bits, or Ed25519"
    )]
    KeyUnsupported,
    #[error(
        "the RSA key has {bits} bits, which is too weak: take 2048, 3072 or 4096, or ECDSA on P-256"
    )]
    WeakKey { bits: usize },
    #[error(
        "the RSA key has {bits} bits, more than is supported: take 2048, 3072 or 4096, or ECDSA on P-256"
    )]
    KeyTooLong { bits: usize },
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
    #[error(
        "the private key belongs to certificate {place} of the chain: the server's own certificate comes first, its issuers after it"
    )]
    LeafNotFirst { place: usize },
    #[error("certificate {place} of the chain is no X.509 certificate")]
    Malformed { place: usize },
    #[error("certificate {place} of the chain has bytes behind its end")]
    TrailingData { place: usize },
    #[error("{subject} has expired at {when}: renew it first")]
    Expired { subject: String, when: String },
    #[error("{subject} is not valid before {when}: check the clock, or wait")]
    NotYetValid { subject: String, when: String },
    #[error("{subject} ends before it begins: have it issued again")]
    BadValidity { subject: String },
    #[error(
        "the certificate has no subject alternative name, and clients do not look at its common name: have it issued with the name as a DNS name"
    )]
    NoAlternativeName,
    #[error(
        "the certificate's subject alternative names hold no DNS name: have it issued with one"
    )]
    NoDnsName,
    #[error(
        "the certificate does not cover {cname}: it is for {names}; get one for this name first"
    )]
    NotCovered { cname: String, names: String },
    #[error("the certificate is of X.509 version 1 or 2: have it issued as version 3")]
    OldVersion,
    #[error(
        "the server's certificate is that of an authority (CA:TRUE): the server's own certificate comes first"
    )]
    LeafIsAuthority,
    #[error("the certificate's extended key usage does not allow servers (serverAuth)")]
    NotForServers,
    #[error(
        "the certificate's key usage does not allow signatures (digitalSignature), which every handshake needs"
    )]
    NotForSigning,
    #[error(
        "the certificate has a critical extension that is not known ({oid}): clients would refuse it"
    )]
    UnknownCritical { oid: String },
    #[error(
        "the certificate asks for a stapled status (must-staple) and names no OCSP responder over http to get it from"
    )]
    MustStaple,
    #[error(
        "the chain is incomplete: the issuer of the certificate, {issuer}, is missing; add the issuer's certificate behind it"
    )]
    ChainIncomplete { issuer: String },
    #[error("the chain has a gap: {subject} was issued by {issuer}, which is not behind it")]
    ChainGap { subject: String, issuer: String },
    #[error(
        "the chain is out of order at certificate {place}: each certificate is followed by its issuer"
    )]
    WrongOrder { place: usize },
    #[error("certificate {place} of the chain has nothing to do with those before it: take it out")]
    Unrelated { place: usize },
    #[error(
        "the signature of {subject} is not by the certificate behind it: it has the right name and another key"
    )]
    BadSignature { subject: String },
    #[error(
        "the signature of {subject} is made with {digest}, which clients refuse: have it issued with SHA-256"
    )]
    WeakSignature { subject: String, digest: &'static str },
    #[error("{subject} cannot issue certificates: {why}")]
    NotAnAuthority { subject: String, why: String },
    #[error("{subject} has the extension {oid} {why}, which clients refuse: have it issued again")]
    BadExtension { subject: String, oid: String, why: &'static str },
    #[error("clients would refuse the certificate ({why}): have it issued again")]
    ClientsRefuse { why: String },
}

impl Refusal {
    /// Which kind, in words that stay.
    pub fn code(&self) -> &'static str {
        self.codes().0
    }

    /// The exit code of the command line for this kind.
    pub fn exit_code(&self) -> u8 {
        self.codes().1
    }

    fn codes(&self) -> (&'static str, u8) {
        match self {
            Self::NotPem { .. } => ("not-pem", 20),
            Self::Binary { .. } => ("binary", 21),
            Self::Damaged { .. } => ("damaged-pem", 22),
            Self::TooLarge { .. } => ("too-large", 23),
            Self::TooMany { .. } => ("too-many-certificates", 24),
            Self::NoCertificate => ("no-certificate", 25),
            Self::KeyAsCertificate => ("key-as-certificate", 26),
            Self::NoKey => ("no-key", 27),
            Self::CertificateAsKey => ("certificate-as-key", 28),
            Self::PublicKey => ("public-key", 29),
            Self::SeveralKeys => ("several-keys", 30),
            Self::Passphrase => ("passphrase", 31),
            Self::KeyUnsupported => ("key-unsupported", 32),
            Self::WeakKey { .. } => ("weak-key", 33),
            Self::KeyTooLong { .. } => ("key-too-long", 34),
            Self::KeyMismatch => ("key-mismatch", 35),
            Self::LeafNotFirst { .. } => ("leaf-not-first", 36),
            Self::Malformed { .. } => ("malformed", 37),
            Self::TrailingData { .. } => ("trailing-data", 38),
            Self::Expired { .. } => ("expired", 39),
            Self::NotYetValid { .. } => ("not-yet-valid", 40),
            Self::BadValidity { .. } => ("bad-validity", 41),
            Self::NoAlternativeName => ("no-alternative-name", 42),
            Self::NoDnsName => ("no-dns-name", 43),
            Self::NotCovered { .. } => ("not-covered", 44),
            Self::OldVersion => ("old-version", 45),
            Self::LeafIsAuthority => ("leaf-is-authority", 46),
            Self::NotForServers => ("not-for-servers", 47),
            Self::NotForSigning => ("not-for-signing", 48),
            Self::UnknownCritical { .. } => ("unknown-critical", 49),
            Self::MustStaple => ("must-staple", 50),
            Self::ChainIncomplete { .. } => ("chain-incomplete", 51),
            Self::ChainGap { .. } => ("chain-gap", 52),
            Self::WrongOrder { .. } => ("wrong-order", 53),
            Self::Unrelated { .. } => ("unrelated", 54),
            Self::BadSignature { .. } => ("bad-signature", 55),
            Self::WeakSignature { .. } => ("weak-signature", 56),
            Self::NotAnAuthority { .. } => ("not-an-authority", 57),
            Self::BadExtension { .. } => ("bad-extension", 58),
            Self::ClientsRefuse { .. } => ("clients-refuse", 59),
        }
    }
}
