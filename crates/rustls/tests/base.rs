// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Bases other than ring: one whose encrypters hold sequence numbers against each other, as AWS-LC's do.

mod support;

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
use sealgate_rustls::{Operation, Provider, Reason};

use support::{DEVICE_SUITES, Pair, device, random_bytes, rng};

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
fn monotonic_base() -> CryptoProvider {
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

#[test]
fn software_that_wants_sequence_numbers_from_0_takes_over_later() {
    let mut rng = rng();
    for suite in DEVICE_SUITES {
        let (device, transport) = device();
        let builder = Provider::new(&device).base(monotonic_base());
        let (on_device, counters) = builder.build();
        let mut pair = Pair::with_suite(on_device.clone(), on_device, suite);
        pair.echo(&random_bytes(&mut rng, 30_000));
        assert_eq!(counters.snapshot().software_total(Operation::Seal).records, 0);
        transport.control().vanish();
        pair.echo(&random_bytes(&mut rng, 30_000));
        let failed = counters.snapshot().software(Operation::Seal, Reason::DeviceFailed);
        assert!(failed.bytes > 40_000, "client and server: {failed:?}");
    }
}

#[test]
fn records_of_one_connection_alternate_between_device_and_software() {
    let mut rng = rng();
    let (device, _) = device();
    for suite in DEVICE_SUITES {
        let builder = Provider::new(&device).base(monotonic_base()).software_below(1_000);
        let (on_device, counters) = builder.build();
        let mut pair = Pair::with_suite(on_device.clone(), on_device, suite);
        for size in [2_000, 10, 3_000, 999, 1_000, 1, 5_000] {
            pair.echo(&random_bytes(&mut rng, size));
        }
        let counts = counters.snapshot();
        assert!(counts.software(Operation::Seal, Reason::BelowThreshold).records >= 6);
        assert!(counts.device(Operation::Seal).records >= 8);
    }
}
