// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A base whose encrypters hold sequence numbers against each other, as AWS-LC's do.

use rustls::crypto::CryptoProvider;
use rustls::crypto::cipher::{
    AeadKey, Iv, KeyBlockShape, MessageDecrypter, MessageEncrypter, OutboundOpaqueMessage,
    OutboundPlainMessage, Tls12AeadAlgorithm, Tls13AeadAlgorithm, UnsupportedOperationError,
};
use rustls::crypto::ring;
use rustls::{
    CipherSuiteCommon, ConnectionTrafficSecrets, Error, SupportedCipherSuite, Tls12CipherSuite,
    Tls13CipherSuite,
};

/// ring's record protection, for sequence numbers that start at 0 and rise.
struct Monotonic<A: ?Sized + 'static>(&'static A);

impl Tls13AeadAlgorithm for Monotonic<dyn Tls13AeadAlgorithm> {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        Box::new(MonotonicEncrypter { base: self.0.encrypter(key, iv), next: None })
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        self.0.decrypter(key, iv)
    }

    fn key_len(&self) -> usize {
        self.0.key_len()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.0.extract_keys(key, iv)
    }
}

impl Tls12AeadAlgorithm for Monotonic<dyn Tls12AeadAlgorithm> {
    fn encrypter(&self, key: AeadKey, iv: &[u8], extra: &[u8]) -> Box<dyn MessageEncrypter> {
        Box::new(MonotonicEncrypter { base: self.0.encrypter(key, iv, extra), next: None })
    }

    fn decrypter(&self, key: AeadKey, iv: &[u8]) -> Box<dyn MessageDecrypter> {
        self.0.decrypter(key, iv)
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        self.0.key_block_shape()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: &[u8],
        explicit: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.0.extract_keys(key, iv, explicit)
    }
}

struct MonotonicEncrypter {
    base: Box<dyn MessageEncrypter>,
    next: Option<u64>,
}

impl MessageEncrypter for MonotonicEncrypter {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        sequence: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let in_order = self.next.map_or(sequence == 0, |next| sequence >= next);
        if !in_order {
            return Err(Error::EncryptError);
        }
        self.next = Some(sequence + 1);
        self.base.encrypt(message, sequence)
    }

    fn encrypted_payload_len(&self, payload_len: usize) -> usize {
        self.base.encrypted_payload_len(payload_len)
    }
}

/// ring with [`Monotonic`] encrypters.
pub(crate) fn monotonic_base() -> CryptoProvider {
    let ring = ring::default_provider();
    let wrap = |suite: &SupportedCipherSuite| match *suite {
        SupportedCipherSuite::Tls13(base) => {
            SupportedCipherSuite::Tls13(Box::leak(Box::new(Tls13CipherSuite {
                common: CipherSuiteCommon { ..base.common },
                hkdf_provider: base.hkdf_provider,
                aead_alg: Box::leak(Box::new(Monotonic(base.aead_alg))),
                quic: None,
            })))
        }
        SupportedCipherSuite::Tls12(base) => {
            SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite {
                common: CipherSuiteCommon { ..base.common },
                prf_provider: base.prf_provider,
                kx: base.kx,
                sign: base.sign,
                aead_alg: Box::leak(Box::new(Monotonic(base.aead_alg))),
            })))
        }
    };
    let cipher_suites = ring.cipher_suites.iter().map(wrap).collect();
    CryptoProvider { cipher_suites, ..ring }
}
