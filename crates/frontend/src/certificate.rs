// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Certificates: loaded from PEM files, or made for development, and put into a TLS configuration.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::Ticketer;
use rustls::server::{ClientHello, ResolvesServerCert, WantsServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ConfigBuilder, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::publication::{ALPN_ACME_TLS_1, Publications};

/// Largest PEM file that is read, in bytes; a long chain has a few thousand.
const MAX_PEM_BYTES: u64 = 1 << 20;

/// How long a development certificate is valid.
const DEVELOPMENT_VALIDITY: Duration = Duration::from_secs(30 * 24 * 3600);

/// How far before now its validity begins, for clients whose clock is late.
const DEVELOPMENT_BACKDATE: Duration = Duration::from_secs(3600);

/// The only application protocol that the listener speaks (RFC 7301, section 6).
const ALPN_HTTP_1_1: &[u8] = b"http/1.1";

/// A certificate chain with the private key of its first certificate.
///
/// The key is wiped from memory on drop and never shown. What [`ServedCertificate`] hands to the
/// provider is a copy, which is the provider's to keep.
pub struct Certificate {
    chain: Vec<CertificateDer<'static>>,
    key: Zeroizing<PrivateKeyDer<'static>>,
}

impl Certificate {
    /// Loads the full chain (the server's own certificate first) and its private key.
    ///
    /// The key may be PKCS #8, PKCS #1 (RSA) or SEC 1 (EC), without passphrase; it may share a file
    /// with the chain. Whether it belongs to the chain is found by [`ServedCertificate`].
    ///
    /// # Errors
    ///
    /// [`CertificateError`] when a file cannot be read or does not hold what it should.
    pub fn load(chain: &Path, key: &Path) -> Result<Self, CertificateError> {
        let chain_pem = read_bounded(chain)?;
        let key_pem = read_bounded(key)?;
        Ok(Self { chain: parse_chain(chain, &chain_pem)?, key: parse_key(key, &key_pem)? })
    }

    /// The chain, the server's own certificate first.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    fn certified(self, provider: &CryptoProvider) -> Result<CertifiedKey, CertificateError> {
        let key = self.key.clone_key();
        CertifiedKey::from_der(self.chain, key, provider).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => CertificateError::KeyMismatch,
            other => CertificateError::Unusable(other),
        })
    }

    /// A copy of the private key, for another configuration; to be wiped by who takes it.
    pub fn key(&self) -> PrivateKeyDer<'static> {
        self.key.clone_key()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("chain", &self.chain.len()).finish_non_exhaustive()
    }
}

/// A self-signed certificate that no public client trusts.
#[derive(Debug)]
pub struct DevelopmentCertificate {
    /// The certificate with its key, to serve with.
    pub certificate: Certificate,
    /// The certificate alone, in PEM: what a client takes as its root to trust this server.
    pub pem: String,
}

/// Makes a certificate for `localhost`, `127.0.0.1` and `::1`, for development only.
///
/// ECDSA on P-256, valid for 30 days. It is its own issuer but no authority: a client that takes it
/// as a root trusts this one key for these names and nothing else.
///
/// # Errors
///
/// [`CertificateError::Generate`] when the key cannot be made or does not sign.
pub fn development_certificate() -> Result<DevelopmentCertificate, CertificateError> {
    let key = KeyPair::generate().map_err(CertificateError::Generate)?;
    let signed = development_params()?.self_signed(&key).map_err(CertificateError::Generate)?;
    let key_der =
        Zeroizing::new(PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())));
    Ok(DevelopmentCertificate {
        pem: signed.pem(),
        certificate: Certificate { chain: vec![signed.der().clone()], key: key_der },
    })
}

fn development_params() -> Result<CertificateParams, CertificateError> {
    let localhost = "localhost".try_into().map_err(CertificateError::Generate)?;
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "sealgate development certificate");

    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    params.subject_alt_names = vec![
        SanType::DnsName(localhost),
        SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)),
    ];
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = rcgen::date_time_ymd(1970, 1, 1) + since_epoch;
    params.not_before = now - DEVELOPMENT_BACKDATE;
    params.not_after = now + DEVELOPMENT_VALIDITY;
    Ok(params)
}

/// A certificate that may be replaced while it is served.
///
/// Connections keep the one that they began with.
#[derive(Debug)]
pub struct ServedCertificate {
    provider: Arc<CryptoProvider>,
    present: ArcSwap<CertifiedKey>,
}

impl ServedCertificate {
    /// Serves `certificate`, whose key signs with the cryptography of `provider`.
    ///
    /// # Errors
    ///
    /// [`CertificateError`] when the key does not match the first certificate, or when the provider
    /// does not support it.
    pub fn new(
        provider: Arc<CryptoProvider>,
        certificate: Certificate,
    ) -> Result<Self, CertificateError> {
        let present = ArcSwap::from_pointee(certificate.certified(&provider)?);
        Ok(Self { provider, present })
    }

    /// Serves `certificate` to who comes from now on; says whether it is another than before.
    ///
    /// # Errors
    ///
    /// Those of [`Self::new`]; the present one stays.
    pub fn replace(&self, certificate: Certificate) -> Result<bool, CertificateError> {
        let next = Arc::new(certificate.certified(&self.provider)?);
        let before = self.present.swap(Arc::clone(&next));
        Ok(before.cert != next.cert)
    }
}

impl ResolvesServerCert for ServedCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.present.load_full())
    }
}

/// A TLS configuration that serves `certificate` with the cryptography of `provider`.
///
/// TLS 1.3 and 1.2, without client certificates; ALPN `http/1.1`. Of the cipher suites that the
/// client offers the first of the provider's is taken.
///
/// # Errors
///
/// [`CertificateError`] when the key does not match the first certificate, when the provider does
/// not support it, or when the provider supports neither version.
pub fn server_config(
    provider: Arc<CryptoProvider>,
    certificate: Certificate,
) -> Result<Arc<ServerConfig>, CertificateError> {
    served_config(Arc::new(ServedCertificate::new(provider, certificate)?))
}

/// The same for a certificate that may be replaced.
///
/// # Errors
///
/// [`CertificateError`] when the provider supports neither version.
pub fn served_config(
    certificate: Arc<ServedCertificate>,
) -> Result<Arc<ServerConfig>, CertificateError> {
    let provider = Arc::clone(&certificate.provider);
    let mut config = builder(provider)?.with_cert_resolver(certificate);
    config.alpn_protocols = vec![ALPN_HTTP_1_1.to_vec()];
    config.ignore_client_order = true;
    Ok(Arc::new(config))
}

/// The same for all names of `publications`, as they are when a client comes.
///
/// The keys of session tickets change every few hours; a session is resumed under its own name only, and
/// not after that was withdrawn.
///
/// # Errors
///
/// [`CertificateError`] when the provider supports neither version or cannot make tickets.
pub fn published_config(
    provider: Arc<CryptoProvider>,
    publications: &Publications,
) -> Result<Arc<ServerConfig>, CertificateError> {
    let mut config = builder(provider)?.with_cert_resolver(Arc::new(publications.clone()));
    config.alpn_protocols = vec![ALPN_HTTP_1_1.to_vec(), ALPN_ACME_TLS_1.to_vec()];
    config.ignore_client_order = true;
    config.ticketer = Ticketer::new().map_err(CertificateError::Unusable)?;
    Ok(Arc::new(config))
}

fn builder(
    provider: Arc<CryptoProvider>,
) -> Result<ConfigBuilder<ServerConfig, WantsServerCert>, CertificateError> {
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(CertificateError::Provider)?;
    Ok(builder.with_no_client_auth())
}

fn read_bounded(path: &Path) -> Result<Zeroizing<Vec<u8>>, CertificateError> {
    let unreadable = |source| CertificateError::Read { path: path.to_owned(), source };
    // As large as it can get, so that no reallocation leaves a copy of a key behind.
    let mut content = Zeroizing::new(Vec::with_capacity(MAX_PEM_BYTES as usize + 1));
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_PEM_BYTES + 1).read_to_end(&mut content).map_err(unreadable)?;
    if content.len() as u64 > MAX_PEM_BYTES {
        return Err(CertificateError::TooLarge { path: path.to_owned() });
    }
    Ok(content)
}

fn parse_chain(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let chain = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| CertificateError::Damaged { path: path.to_owned() })?;
    if chain.is_empty() {
        return Err(CertificateError::NoCertificate { path: path.to_owned() });
    }
    Ok(chain)
}

fn parse_key(
    path: &Path,
    pem: &[u8],
) -> Result<Zeroizing<PrivateKeyDer<'static>>, CertificateError> {
    if has_passphrase(pem) {
        return Err(CertificateError::Passphrase { path: path.to_owned() });
    }
    let mut keys = PrivateKeyDer::pem_slice_iter(pem).map(|key| key.map(Zeroizing::new));
    match (keys.next(), keys.next()) {
        (None, _) => Err(CertificateError::NoKey { path: path.to_owned() }),
        (Some(Ok(key)), None) => Ok(key),
        (Some(Ok(_)), Some(Ok(_))) => Err(CertificateError::SeveralKeys { path: path.to_owned() }),
        (Some(Err(_)), _) | (_, Some(Err(_))) => {
            Err(CertificateError::Damaged { path: path.to_owned() })
        }
    }
}

/// Encrypted PKCS #8 (RFC 7468, section 11), or the older headers of RFC 1421, section 4.6.1.1.
fn has_passphrase(pem: &[u8]) -> bool {
    pem.split(|byte| matches!(byte, b'\n' | b'\r')).any(|line| {
        line.starts_with(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
            || line.starts_with(b"Proc-Type: 4,ENCRYPTED")
    })
}

/// Why a certificate cannot be served.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// A file is missing or not readable.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is far larger than a chain or a key can be.
    #[error(
        "{} is larger than 1 MiB: it should hold a certificate chain or a key in PEM",
        path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A section of PEM has no end or is not base64.
    #[error("{} is damaged: one of its PEM sections cannot be decoded", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The chain file holds no certificate.
    #[error(
        "{} holds no certificate: it should hold the full chain in PEM (-----BEGIN \
         CERTIFICATE-----), the server's own certificate first",
        path.display()
    )]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The key file holds no private key.
    #[error(
        "{} holds no private key: it should hold one in PEM (-----BEGIN PRIVATE KEY-----)",
        path.display()
    )]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The key file holds more than one private key.
    #[error("{} holds several private keys: leave only the one of the certificate", path.display())]
    SeveralKeys {
        /// The file.
        path: PathBuf,
    },
    /// The private key is encrypted.
    #[error(
        "the private key in {} is protected by a passphrase, which is not supported: decrypt it \
         first (openssl pkey -in KEY -out DECRYPTED)",
        path.display()
    )]
    Passphrase {
        /// The file.
        path: PathBuf,
    },
    /// The key is not that of the first certificate.
    #[error(
        "the private key does not match the first certificate of the chain: the server's own \
         certificate comes first, its issuers after it"
    )]
    KeyMismatch,
    /// The provider does not take the certificate or the key.
    #[error("the certificate or its private key cannot be used")]
    Unusable(#[source] rustls::Error),
    /// The provider has no cipher suite of TLS 1.3 or 1.2.
    #[error("the cryptography provider supports neither TLS 1.3 nor TLS 1.2")]
    Provider(#[source] rustls::Error),
    /// A development certificate could not be made.
    #[error("cannot make a development certificate")]
    Generate(#[source] rcgen::Error),
}
