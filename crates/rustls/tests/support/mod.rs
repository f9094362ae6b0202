// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the tests of this crate share: a device, connections in memory, keys.
#![allow(dead_code, reason = "each test program uses a part")]

pub(crate) mod monotonic;
pub(crate) mod stream;

use std::hash::{BuildHasher, RandomState};
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use ring::aead::{
    AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use rustls::crypto::CryptoProvider;
use rustls::crypto::cipher::{AeadKey, Iv, MessageDecrypter, MessageEncrypter};
use rustls::crypto::ring as rustls_ring;
use rustls::{
    CipherSuite, ClientConfig, ClientConnection, ConnectionTrafficSecrets, ContentType, Error,
    ProtocolVersion, RootCertStore, ServerConfig, ServerConnection, SupportedCipherSuite,
    SupportedProtocolVersion, Tls13CipherSuite,
};
use rustls_pki_types::{PrivateKeyDer, ServerName};
use sealgate_driver::{Device, Settings};
use sealgate_rustls::{Operation, RecordCounts};
use sealgate_sim::{SimConfig, SimTransport};

/// The suites of TLS 1.3 that the device serves.
pub(crate) const TLS13_SUITES: [CipherSuite; 3] = [
    CipherSuite::TLS13_AES_128_GCM_SHA256,
    CipherSuite::TLS13_AES_256_GCM_SHA384,
    CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
];

/// The suites of TLS 1.2 that the device serves, as far as they go with the key of the tests' certificate.
pub(crate) const TLS12_SUITES: [CipherSuite; 3] = [
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
];

/// Both.
pub(crate) const DEVICE_SUITES: [CipherSuite; 6] = {
    let ([a, b, c], [d, e, f]) = (TLS13_SUITES, TLS12_SUITES);
    [a, b, c, d, e, f]
};

/// How long a record may take before the device counts as hung: enough for a machine that is busy otherwise.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The software device, ready, and the transport, whose control makes it misbehave.
pub(crate) fn device() -> (Device, Arc<SimTransport>) {
    device_with(TIMEOUT, Settings::default())
}

pub(crate) fn device_with(timeout: Duration, settings: Settings) -> (Device, Arc<SimTransport>) {
    let config = SimConfig { completion_timeout: Some(timeout), ..SimConfig::default() };
    let transport = SimTransport::model(config).expect("the software device starts");
    (Device::open(transport.clone(), settings).expect("the device opens"), transport)
}

/// A generator seeded by `SEALGATE_SEED`, or else at random; the seed is printed.
pub(crate) fn rng() -> StdRng {
    let seed = match std::env::var("SEALGATE_SEED") {
        Ok(seed) => seed.parse().expect("SEALGATE_SEED is a number"),
        Err(_) => RandomState::new().hash_one("seed"),
    };
    println!("SEALGATE_SEED={seed}");
    StdRng::seed_from_u64(seed)
}

pub(crate) fn random_bytes(rng: &mut StdRng, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    rng.fill(&mut bytes[..]);
    bytes
}

/// rustls over what this build of the library is over.
pub(crate) fn base() -> CryptoProvider {
    #[cfg(feature = "aws-lc-rs")]
    return rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(not(feature = "aws-lc-rs"))]
    return rustls_ring::default_provider();
}

/// `provider` with only `suite`.
pub(crate) fn only(mut provider: CryptoProvider, suite: CipherSuite) -> CryptoProvider {
    provider.cipher_suites.retain(|candidate| candidate.suite() == suite);
    assert_eq!(provider.cipher_suites.len(), 1, "{suite:?}");
    provider
}

pub(crate) fn tls13(provider: &CryptoProvider, suite: CipherSuite) -> &'static Tls13CipherSuite {
    let found = provider.cipher_suites.iter().find(|candidate| candidate.suite() == suite);
    match found {
        Some(SupportedCipherSuite::Tls13(tls13)) => tls13,
        _ => panic!("the provider has no {suite:?}"),
    }
}

/// The version of TLS that a suite of [`DEVICE_SUITES`] belongs to.
pub(crate) fn version_of(suite: CipherSuite) -> &'static SupportedProtocolVersion {
    if TLS12_SUITES.contains(&suite) { &rustls::version::TLS12 } else { &rustls::version::TLS13 }
}

/// Parts of a static IV as TLS 1.2 hands them out: what comes from the key block, and what the explicit nonce starts from.
fn tls12_iv(suite: CipherSuite, iv: &[u8; 12]) -> (&[u8], &[u8]) {
    let chacha20 = suite == CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256;
    iv.split_at(if chacha20 { 12 } else { 4 })
}

/// What a provider seals the records of one direction with.
pub(crate) fn encrypter(
    provider: &CryptoProvider,
    suite: CipherSuite,
    key: AeadKey,
    iv: [u8; 12],
) -> Box<dyn MessageEncrypter> {
    match only(provider.clone(), suite).cipher_suites[0] {
        SupportedCipherSuite::Tls13(tls13) => tls13.aead_alg.encrypter(key, Iv::from(iv)),
        SupportedCipherSuite::Tls12(tls12) => {
            let (fixed, explicit) = tls12_iv(suite, &iv);
            tls12.aead_alg.encrypter(key, fixed, explicit)
        }
    }
}

/// What a provider opens the records of one direction with.
pub(crate) fn decrypter(
    provider: &CryptoProvider,
    suite: CipherSuite,
    key: AeadKey,
    iv: [u8; 12],
) -> Box<dyn MessageDecrypter> {
    match only(provider.clone(), suite).cipher_suites[0] {
        SupportedCipherSuite::Tls13(tls13) => tls13.aead_alg.decrypter(key, Iv::from(iv)),
        SupportedCipherSuite::Tls12(tls12) => tls12.aead_alg.decrypter(key, tls12_iv(suite, &iv).0),
    }
}

/// Configurations of both sides, the client trusting the server.
pub(crate) fn configs(
    client: CryptoProvider,
    server: CryptoProvider,
    version: &'static SupportedProtocolVersion,
) -> (ClientConfig, ServerConfig) {
    let certified = rcgen::generate_simple_self_signed(["localhost".into()]).expect("certificate");
    let mut roots = RootCertStore::empty();
    roots.add(certified.cert.der().clone()).expect("certificate is a trust anchor");
    let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
    let client = ClientConfig::builder_with_provider(Arc::new(client))
        .with_protocol_versions(&[version])
        .expect("client version")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let server = ServerConfig::builder_with_provider(Arc::new(server))
        .with_protocol_versions(&[version])
        .expect("server version")
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .expect("server certificate");
    (client, server)
}

/// Both ends of a connection; what one sends the other gets when the test says so.
pub(crate) struct Pair {
    pub(crate) client: ClientConnection,
    pub(crate) server: ServerConnection,
}

impl Pair {
    /// Not yet shaken hands.
    pub(crate) fn new(configs: (ClientConfig, ServerConfig)) -> Self {
        let name = ServerName::try_from("localhost").expect("name");
        Self {
            client: ClientConnection::new(Arc::new(configs.0), name).expect("client"),
            server: ServerConnection::new(Arc::new(configs.1)).expect("server"),
        }
    }

    /// Shaken hands, with all tickets delivered.
    pub(crate) fn connected(configs: (ClientConfig, ServerConfig)) -> Self {
        let mut pair = Self::new(configs);
        while pair.client.is_handshaking() || pair.server.is_handshaking() {
            pair.client_to_server().expect("server accepts the handshake");
            pair.server_to_client().expect("client accepts the handshake");
        }
        pair.client_to_server().expect("nothing is left");
        pair.server_to_client().expect("tickets");
        pair
    }

    /// Connected with one suite.
    pub(crate) fn with_suite(
        client: CryptoProvider,
        server: CryptoProvider,
        suite: CipherSuite,
    ) -> Self {
        let providers = (only(client, suite), only(server, suite));
        Self::connected(configs(providers.0, providers.1, version_of(suite)))
    }

    pub(crate) fn client_to_server(&mut self) -> Result<(), Error> {
        let wire = self.client_sends();
        self.server_gets(&wire)
    }

    pub(crate) fn server_to_client(&mut self) -> Result<(), Error> {
        let mut wire = Vec::new();
        while self.server.wants_write() {
            self.server.write_tls(&mut wire).expect("write to memory");
        }
        let mut wire = &wire[..];
        while !wire.is_empty() {
            self.client.read_tls(&mut wire).expect("read from memory");
            self.client.process_new_packets()?;
        }
        Ok(())
    }

    pub(crate) fn client_sends(&mut self) -> Vec<u8> {
        let mut wire = Vec::new();
        while self.client.wants_write() {
            self.client.write_tls(&mut wire).expect("write to memory");
        }
        wire
    }

    pub(crate) fn server_gets(&mut self, mut wire: &[u8]) -> Result<(), Error> {
        while !wire.is_empty() {
            self.server.read_tls(&mut wire).expect("read from memory");
            self.server.process_new_packets()?;
        }
        Ok(())
    }

    /// Sends `bytes` from the client and has the server send them back; what arrived at either must be `bytes`.
    pub(crate) fn echo(&mut self, bytes: &[u8]) {
        // Below what rustls buffers of received plaintext.
        for part in bytes.chunks(8_192) {
            self.client.writer().write_all(part).expect("client writes");
            self.client_to_server().expect("server opens");
            let mut arrived = vec![0; part.len()];
            self.server.reader().read_exact(&mut arrived).expect("server reads");
            assert!(arrived == part, "the server got what the client sent");
            self.server.writer().write_all(&arrived).expect("server writes");
            self.server_to_client().expect("client opens");
            let mut returned = vec![0; part.len()];
            self.client.reader().read_exact(&mut returned).expect("client reads");
            assert!(returned == part, "the client got what the server sent");
        }
    }
}

/// One traffic key in two copies: rustls makes keys of any other length than 32 bytes in a handshake only, and there
/// each key exists twice.
pub(crate) struct TrafficKey {
    /// One for each side of a comparison.
    pub(crate) copies: [AeadKey; 2],
    pub(crate) iv: [u8; 12],
    suite: CipherSuite,
}

/// What a record of TLS 1.2 says of itself.
#[derive(Clone, Copy)]
pub(crate) struct Tls12Header {
    pub(crate) typ: ContentType,
    pub(crate) version: ProtocolVersion,
    /// Only AES-GCM has one.
    pub(crate) explicit_nonce: [u8; 8],
}

impl TrafficKey {
    /// A fresh key of `suite`.
    pub(crate) fn fresh(suite: CipherSuite) -> Self {
        let provider = only(rustls_ring::default_provider(), suite);
        let (mut client, mut server) = configs(provider.clone(), provider, version_of(suite));
        client.enable_secret_extraction = true;
        server.enable_secret_extraction = true;
        let pair = Pair::connected((client, server));
        let client = pair.client.dangerous_extract_secrets().expect("secrets").tx.1;
        let server = pair.server.dangerous_extract_secrets().expect("secrets").rx.1;
        let ((one, iv), (two, _)) = (parts(client), parts(server));
        assert_eq!(one.as_ref(), two.as_ref());
        Self { copies: [one, two], iv: iv.as_ref().try_into().expect("IVs have 12 bytes"), suite }
    }

    /// Seals any inner plaintext of TLS 1.3, lawful or not, with ring itself: what follows the record header.
    pub(crate) fn seal_inner(&self, sequence: u64, inner: &[u8]) -> Vec<u8> {
        let length = ((inner.len() + 16) as u16).to_be_bytes();
        let header = [23, 3, 3, length[0], length[1]];
        self.seal_raw(self.nonce(sequence), &header, inner)
    }

    /// Seals content of TLS 1.2, of a lawful length or not, with ring itself: what follows the record header
    /// (RFC 5246, section 6.2.3.3; RFC 5288, section 3; RFC 7905, section 2).
    pub(crate) fn seal_tls12(&self, sequence: u64, header: Tls12Header, content: &[u8]) -> Vec<u8> {
        let mut aad = sequence.to_be_bytes().to_vec();
        aad.push(header.typ.into());
        aad.extend(u16::from(header.version).to_be_bytes());
        aad.extend((content.len() as u16).to_be_bytes());
        let (salt, explicit) = tls12_iv(self.suite, &self.iv);
        if explicit.is_empty() {
            return self.seal_raw(self.nonce(sequence), &aad, content);
        }
        let nonce = [salt, &header.explicit_nonce].concat().try_into().expect("12 bytes");
        [&header.explicit_nonce, &self.seal_raw(nonce, &aad, content)[..]].concat()
    }

    /// The static IV and the sequence number, one `XORed` into the other.
    fn nonce(&self, sequence: u64) -> [u8; 12] {
        let mut nonce = self.iv;
        for (byte, sequence) in nonce[4..].iter_mut().zip(sequence.to_be_bytes()) {
            *byte ^= sequence;
        }
        nonce
    }

    /// Ciphertext and tag.
    fn seal_raw(&self, nonce: [u8; 12], aad: &[u8], text: &[u8]) -> Vec<u8> {
        let algorithm = match self.suite {
            CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
            | CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => &CHACHA20_POLY1305,
            _ if self.copies[0].as_ref().len() == 16 => &AES_128_GCM,
            _ => &AES_256_GCM,
        };
        let key = UnboundKey::new(algorithm, self.copies[0].as_ref()).expect("key fits");
        let nonce = Nonce::assume_unique_for_key(nonce);
        let mut record = text.to_vec();
        LessSafeKey::new(key)
            .seal_in_place_append_tag(nonce, Aad::from(aad), &mut record)
            .expect("ring seals");
        record
    }
}

fn parts(secrets: ConnectionTrafficSecrets) -> (AeadKey, Iv) {
    match secrets {
        ConnectionTrafficSecrets::Aes128Gcm { key, iv }
        | ConnectionTrafficSecrets::Aes256Gcm { key, iv }
        | ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => (key, iv),
        _ => panic!("unknown kind of secrets"),
    }
}

/// No record went to software.
pub(crate) fn assert_all_on_device(counts: &RecordCounts) {
    for operation in Operation::ALL {
        assert_eq!(counts.software_total(operation).records, 0, "{operation:?}: {counts:?}");
        assert!(counts.device(operation).records > 0, "{operation:?}: {counts:?}");
    }
    assert_eq!((counts.rejected, counts.disagreements), (0, 0));
}
