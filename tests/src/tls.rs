// SPDX-License-Identifier: Apache-2.0 OR MIT
//! TLS with rustls over ring alone: client configurations, and traffic keys out of real handshakes.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::cipher::{AeadKey, Iv, MessageDecrypter, MessageEncrypter};
use rustls::{
    CipherSuite, ClientConfig, ClientConnection, ConnectionTrafficSecrets, RootCertStore,
    ServerConfig, ServerConnection, SupportedCipherSuite, SupportedProtocolVersion,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use sealgate_abi::{Suite, TlsVersion};
use sealgate_frontend::{development_certificate, server_config};

use crate::record::TrafficKey;

/// The suites of TLS 1.3 whose records the device takes.
pub const TLS13_SUITES: [CipherSuite; 3] = [
    CipherSuite::TLS13_AES_128_GCM_SHA256,
    CipherSuite::TLS13_AES_256_GCM_SHA384,
    CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
];

/// The suites of TLS 1.2 whose records the device takes, as far as they go with the key of a development certificate.
pub const TLS12_SUITES: [CipherSuite; 3] = [
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
];

/// Both.
pub const DEVICE_SUITES: [CipherSuite; 6] = {
    let ([a, b, c], [d, e, f]) = (TLS13_SUITES, TLS12_SUITES);
    [a, b, c, d, e, f]
};

/// rustls over ring.
#[must_use]
pub fn ring() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

/// rustls over ring with one suite.
#[must_use]
pub fn ring_with(suite: CipherSuite) -> CryptoProvider {
    only(ring(), suite)
}

/// `provider` with one suite.
#[must_use]
pub fn only(mut provider: CryptoProvider, suite: CipherSuite) -> CryptoProvider {
    provider.cipher_suites.retain(|candidate| candidate.suite() == suite);
    assert_eq!(provider.cipher_suites.len(), 1, "{suite:?}");
    provider
}

/// A client that trusts the one certificate of `root_pem`.
#[must_use]
pub fn client_config(
    provider: CryptoProvider,
    versions: &[&'static SupportedProtocolVersion],
    root_pem: &str,
) -> ClientConfig {
    let root = CertificateDer::from_pem_slice(root_pem.as_bytes()).expect("a certificate in PEM");
    let mut roots = RootCertStore::empty();
    roots.add(root).expect("the certificate is a trust anchor");
    ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .expect("the provider has a suite of the version")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// A client with one suite.
#[must_use]
pub fn client_with(suite: CipherSuite, root_pem: &str) -> ClientConfig {
    client_config(ring_with(suite), &[version_of(suite)], root_pem)
}

/// The version of TLS that a suite of [`DEVICE_SUITES`] belongs to.
#[must_use]
pub fn version_of(suite: CipherSuite) -> &'static SupportedProtocolVersion {
    match record_version(suite) {
        TlsVersion::Tls12 => &rustls::version::TLS12,
        TlsVersion::Tls13 => &rustls::version::TLS13,
    }
}

/// The format of the records of a suite of [`DEVICE_SUITES`], as the driver names it.
#[must_use]
pub fn record_version(suite: CipherSuite) -> TlsVersion {
    if TLS12_SUITES.contains(&suite) { TlsVersion::Tls12 } else { TlsVersion::Tls13 }
}

/// The traffic key of one direction of a real connection, and rustls's own record protection with it.
pub struct RustlsKey {
    /// Key and IV.
    pub key: TrafficKey,
    /// What rustls with ring seals with.
    pub encrypter: Box<dyn MessageEncrypter>,
    /// What rustls with ring opens with.
    pub decrypter: Box<dyn MessageDecrypter>,
}

impl RustlsKey {
    /// Does a handshake with one suite, in memory, and takes the client's key from both sides.
    #[must_use]
    pub fn from_handshake(suite: CipherSuite) -> Self {
        let (client, server) = handshake(suite);
        let sent = client.dangerous_extract_secrets().expect("the client's secrets").tx.1;
        let received = server.dangerous_extract_secrets().expect("the server's secrets").rx.1;
        let ((seal_key, iv), (open_key, open_iv)) = (parts(sent), parts(received));
        let key = traffic_key(suite, &seal_key, &iv);
        let (encrypter, decrypter) = match ring_with(suite).cipher_suites[0] {
            SupportedCipherSuite::Tls13(tls13) => {
                let aead = tls13.aead_alg;
                (aead.encrypter(seal_key, iv), aead.decrypter(open_key, open_iv))
            }
            SupportedCipherSuite::Tls12(tls12) => {
                let aead = tls12.aead_alg;
                let (fixed, explicit) = iv.as_ref().split_at(aead.key_block_shape().fixed_iv_len);
                (aead.encrypter(seal_key, fixed, explicit), aead.decrypter(open_key, fixed))
            }
        };
        Self { key, encrypter, decrypter }
    }
}

/// A key that came out of a handshake.
#[must_use]
pub fn traffic_key(suite: CipherSuite, key: &AeadKey, iv: &Iv) -> TrafficKey {
    TrafficKey::new(record_version(suite), device_suite(suite), key.as_ref(), iv.as_ref())
}

/// The driver's name of a suite.
#[must_use]
pub fn device_suite(suite: CipherSuite) -> Suite {
    match suite {
        CipherSuite::TLS13_AES_128_GCM_SHA256
        | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => Suite::Aes128Gcm,
        CipherSuite::TLS13_AES_256_GCM_SHA384
        | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => Suite::Aes256Gcm,
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
        | CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => Suite::Chacha20Poly1305,
        other => panic!("the device does not serve {other:?}"),
    }
}

/// Key and IV of one direction.
pub fn parts(secrets: ConnectionTrafficSecrets) -> (AeadKey, Iv) {
    match secrets {
        ConnectionTrafficSecrets::Aes128Gcm { key, iv }
        | ConnectionTrafficSecrets::Aes256Gcm { key, iv }
        | ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => (key, iv),
        _ => panic!("the secrets of an AEAD that the device does not serve"),
    }
}

fn handshake(suite: CipherSuite) -> (ClientConnection, ServerConnection) {
    let development = development_certificate().expect("a certificate is made");
    let mut client = client_with(suite, &development.pem);
    client.enable_secret_extraction = true;
    let server = server_config(Arc::new(ring_with(suite)), development.certificate)
        .expect("the certificate is served");
    let mut server = ServerConfig::clone(&server);
    server.enable_secret_extraction = true;

    let name = ServerName::try_from("localhost").expect("a name");
    let mut client = ClientConnection::new(Arc::new(client), name).expect("a client");
    let mut server = ServerConnection::new(Arc::new(server)).expect("a server");
    loop {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).expect("memory is written");
        }
        let mut wire_back = Vec::new();
        feed(&wire, |bytes| server.read_tls(bytes).map(|_| drop(server.process_new_packets())));
        while server.wants_write() {
            server.write_tls(&mut wire_back).expect("memory is written");
        }
        feed(&wire_back, |bytes| {
            client.read_tls(bytes).map(|_| drop(client.process_new_packets()))
        });
        if wire.is_empty() && wire_back.is_empty() {
            assert!(!client.is_handshaking() && !server.is_handshaking(), "a handshake");
            return (client, server);
        }
    }
}

fn feed(mut wire: &[u8], mut take: impl FnMut(&mut &[u8]) -> std::io::Result<()>) {
    while !wire.is_empty() {
        take(&mut wire).expect("memory is read");
    }
}
