// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Record protection: the only module that implements or calls the traits of `rustls::crypto::cipher`.
//!
//! Each record goes to the device or to the base provider's software, decided record by record. Both have the same
//! key, the same static IV and are given the same sequence number, so that for one record both make the same bytes:
//! a record that the device did not finish is made again in software without a nonce ever protecting two contents.

mod open;
mod probe;
mod seal;
mod software;

use std::ptr;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::CryptoProvider;
use rustls::crypto::cipher::{
    AeadKey, Iv, KeyBlockShape, MessageDecrypter, MessageEncrypter, Tls12AeadAlgorithm,
    Tls13AeadAlgorithm, UnsupportedOperationError,
};
use rustls::{
    CipherSuite, CipherSuiteCommon, ConnectionTrafficSecrets, SupportedCipherSuite,
    Tls12CipherSuite, Tls13CipherSuite,
};
use sealgate_abi::{Direction, EXPLICIT_NONCE_BYTES, Key, Suite, TlsVersion};
use sealgate_driver::{Device, Session, SessionConfig};
use tracing::{debug, warn};

use crate::counters::{Operation, Reason, RecordCounters};
use crate::threshold::Thresholds;

use open::RecordDecrypter;
pub(crate) use probe::Probe;
use seal::{RecordEncrypter, SoftwareEncrypter};
pub(crate) use software::{SoftwareOpener, SoftwareSealer, session_config, tls_version};

/// Bytes of the static IV of every suite served (RFC 8446, section 5.3; RFC 7905, section 2; RFC 5288, section 3).
const IV_BYTES: usize = 12;

/// Where the records of a provider go.
#[derive(Clone, Debug)]
pub(crate) struct RecordPath {
    pub(crate) device: Option<Device>,
    pub(crate) software_below: Thresholds,
    pub(crate) counters: Arc<RecordCounters>,
}

impl RecordPath {
    /// The provider with the record protection of all its suites behind this path.
    pub(crate) fn wrap_provider(&self, base: CryptoProvider) -> CryptoProvider {
        let cipher_suites = base.cipher_suites.iter().map(|&suite| self.wrap(suite)).collect();
        CryptoProvider { cipher_suites, ..base }
    }

    /// The suite with its record protection behind this path. Leaks a few dozen bytes: rustls wants suites that live
    /// as long as the program.
    fn wrap(&self, suite: SupportedCipherSuite) -> SupportedCipherSuite {
        let wrapped = self.wrap_unnoted(suite);
        WRAPPED.write().unwrap_or_else(PoisonError::into_inner).push((wrapped, suite));
        wrapped
    }

    fn wrap_unnoted(&self, suite: SupportedCipherSuite) -> SupportedCipherSuite {
        match suite {
            SupportedCipherSuite::Tls13(base) => {
                SupportedCipherSuite::Tls13(Box::leak(Box::new(Tls13CipherSuite {
                    common: copy_common(&base.common),
                    hkdf_provider: base.hkdf_provider,
                    aead_alg: Box::leak(Box::new(Tls13Aead {
                        software: base.aead_alg,
                        suite: device_suite(base.common.suite),
                        path: self.clone(),
                    })),
                    quic: base.quic,
                })))
            }
            SupportedCipherSuite::Tls12(base) => {
                SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite {
                    common: copy_common(&base.common),
                    prf_provider: base.prf_provider,
                    kx: base.kx,
                    sign: base.sign,
                    aead_alg: Box::leak(Box::new(Tls12Aead {
                        software: base.aead_alg,
                        suite: device_suite(base.common.suite),
                        path: self.clone(),
                    })),
                })))
            }
        }
    }

    /// A session on the device for one direction of a connection, or why there is none.
    fn session(
        &self,
        version: TlsVersion,
        suite: Option<Suite>,
        direction: Direction,
        key: &AeadKey,
        iv: Option<[u8; IV_BYTES]>,
    ) -> Result<Session, Reason> {
        let device = self.device.as_ref().ok_or(Reason::NoDevice)?;
        if version == TlsVersion::Tls12 && !device.identity().versions.contains(&version) {
            return Err(Reason::Tls12);
        }
        let served = suite.filter(|&suite| device.supports_version(version, suite));
        let (suite, iv) = served.zip(iv).ok_or(Reason::Suite)?;
        // The driver keeps its own copy, which it wipes; here the key is only borrowed.
        let key = device_key(suite, key).ok_or(Reason::Suite)?;
        Ok(device.session_with(SessionConfig { version, direction, key, iv }))
    }

    fn protection(&self, session: Result<Session, Reason>) -> Protection {
        let served = session.as_ref();
        Protection {
            software_below: served.map_or(0, |session| self.software_below.of(session.suite())),
            session,
            counters: Arc::clone(&self.counters),
            warned: false,
        }
    }
}

/// Every suite that was wrapped, with its base. Both live as long as the program does, and a program has few.
static WRAPPED: RwLock<Vec<(SupportedCipherSuite, SupportedCipherSuite)>> = RwLock::new(Vec::new());

/// The suite whose record protection is in software throughout: what was wrapped, for a suite of a [`RecordPath`], else
/// the suite itself. rustls hands out the suite that was negotiated and no way to see what is behind its AEAD.
fn software_suite(mut suite: SupportedCipherSuite) -> SupportedCipherSuite {
    let wrapped = WRAPPED.read().unwrap_or_else(PoisonError::into_inner);
    // A base may itself have been wrapped, and that was earlier: each turn goes back in the list.
    while let Some((_, base)) = wrapped.iter().find(|(wrapped, _)| is_same(*wrapped, suite)) {
        suite = *base;
    }
    suite
}

/// Whether two suites are one and the same object. rustls compares them by their number only.
fn is_same(one: SupportedCipherSuite, other: SupportedCipherSuite) -> bool {
    match (one, other) {
        (SupportedCipherSuite::Tls13(one), SupportedCipherSuite::Tls13(other)) => {
            ptr::eq(one, other)
        }
        (SupportedCipherSuite::Tls12(one), SupportedCipherSuite::Tls12(other)) => {
            ptr::eq(one, other)
        }
        _ => false,
    }
}

fn copy_common(base: &CipherSuiteCommon) -> CipherSuiteCommon {
    CipherSuiteCommon {
        suite: base.suite,
        hash_provider: base.hash_provider,
        confidentiality_limit: base.confidentiality_limit,
    }
}

/// The AEAD of a suite, if it is one that devices may serve. TLS 1.2 has the same AEAD in several suites.
pub(crate) const fn device_suite(suite: CipherSuite) -> Option<Suite> {
    match suite {
        CipherSuite::TLS13_AES_128_GCM_SHA256
        | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
        | CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => Some(Suite::Aes128Gcm),
        CipherSuite::TLS13_AES_256_GCM_SHA384
        | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
        | CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => Some(Suite::Aes256Gcm),
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
        | CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
        | CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => Some(Suite::Chacha20Poly1305),
        _ => None,
    }
}

/// A key as the device takes it. `None` if it has not the length that its suite says.
fn device_key(suite: Suite, key: &AeadKey) -> Option<Key<'_>> {
    let bytes = key.as_ref();
    match suite {
        Suite::Aes128Gcm => bytes.try_into().ok().map(Key::Aes128),
        Suite::Aes256Gcm => bytes.try_into().ok().map(Key::Aes256),
        Suite::Chacha20Poly1305 => bytes.try_into().ok().map(Key::Chacha20),
    }
}

/// TLS 1.3 record protection on the device, with the base's beside it.
struct Tls13Aead {
    software: &'static dyn Tls13AeadAlgorithm,
    suite: Option<Suite>,
    path: RecordPath,
}

impl Tls13Aead {
    fn session(&self, direction: Direction, key: &AeadKey, iv: &Iv) -> Result<Session, Reason> {
        let iv = static_iv(iv.as_ref(), &[]);
        self.path.session(TlsVersion::Tls13, self.suite, direction, key, iv)
    }
}

impl Tls13AeadAlgorithm for Tls13Aead {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        let session = self.session(Direction::Seal, &key, &iv);
        Box::new(RecordEncrypter {
            protection: self.path.protection(session),
            software: SoftwareEncrypter::new(self.software.encrypter(key, iv)),
        })
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        let session = self.session(Direction::Open, &key, &iv);
        Box::new(RecordDecrypter {
            protection: self.path.protection(session),
            version: TlsVersion::Tls13,
            software: self.software.decrypter(key, iv),
        })
    }

    fn key_len(&self) -> usize {
        self.software.key_len()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.software.extract_keys(key, iv)
    }

    /// The device is not validated; without it the answer is the base's.
    fn fips(&self) -> bool {
        self.path.device.is_none() && self.software.fips()
    }
}

/// TLS 1.2 record protection on the device, with the base's beside it.
struct Tls12Aead {
    software: &'static dyn Tls12AeadAlgorithm,
    suite: Option<Suite>,
    path: RecordPath,
}

impl Tls12Aead {
    fn session(
        &self,
        direction: Direction,
        key: &AeadKey,
        fixed_iv: &[u8],
        explicit: &[u8],
    ) -> Result<Session, Reason> {
        let iv = static_iv(fixed_iv, explicit);
        self.path.session(TlsVersion::Tls12, self.suite, direction, key, iv)
    }

    /// What stands in the static IV for the part of the nonce that comes with each inbound record.
    const fn unknown_explicit(&self) -> &'static [u8] {
        match self.suite {
            Some(Suite::Aes128Gcm | Suite::Aes256Gcm) => &[0; EXPLICIT_NONCE_BYTES],
            Some(Suite::Chacha20Poly1305) | None => &[],
        }
    }
}

impl Tls12AeadAlgorithm for Tls12Aead {
    fn encrypter(&self, key: AeadKey, iv: &[u8], extra: &[u8]) -> Box<dyn MessageEncrypter> {
        let session = self.session(Direction::Seal, &key, iv, extra);
        Box::new(RecordEncrypter {
            protection: self.path.protection(session),
            software: SoftwareEncrypter::new(self.software.encrypter(key, iv, extra)),
        })
    }

    fn decrypter(&self, key: AeadKey, iv: &[u8]) -> Box<dyn MessageDecrypter> {
        let session = self.session(Direction::Open, &key, iv, self.unknown_explicit());
        Box::new(RecordDecrypter {
            protection: self.path.protection(session),
            version: TlsVersion::Tls12,
            software: self.software.decrypter(key, iv),
        })
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        self.software.key_block_shape()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: &[u8],
        explicit: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.software.extract_keys(key, iv, explicit)
    }

    /// The device is not validated; without it the answer is the base's.
    fn fips(&self) -> bool {
        self.path.device.is_none() && self.software.fips()
    }
}

/// The static IV as rustls's providers build it: with AES-GCM and TLS 1.2 the first 4 bytes from the key block, then 8
/// more for the explicit part of the nonce; else all of it in one piece. `None` if it has not its length.
fn static_iv(fixed: &[u8], explicit: &[u8]) -> Option<[u8; IV_BYTES]> {
    if fixed.len() + explicit.len() != IV_BYTES {
        return None;
    }
    let mut iv = [0; IV_BYTES];
    for (byte, part) in iv.iter_mut().zip(fixed.iter().chain(explicit)) {
        *byte = *part;
    }
    Some(iv)
}

/// What both directions of a connection need to choose a path and to tell of it.
struct Protection {
    session: Result<Session, Reason>,
    software_below: usize,
    counters: Arc<RecordCounters>,
    warned: bool,
}

impl Protection {
    /// The session if a record goes to the device, whose bytes of content are found once there is one.
    fn session_for(
        &mut self,
        content_bytes: impl FnOnce(&Session) -> usize,
    ) -> Result<&mut Session, Reason> {
        match &mut self.session {
            Ok(session) if content_bytes(session) < self.software_below => {
                Err(Reason::BelowThreshold)
            }
            Ok(session) => Ok(session),
            Err(reason) => Err(*reason),
        }
    }

    /// Logs why the device did not do its part: a fault once per connection and direction, the rest for debugging.
    fn explain(&mut self, operation: Operation, error: &dyn std::error::Error, reason: Reason) {
        let (operation, reason_name) = (operation.name(), reason.name());
        if reason.is_news() && !self.warned {
            self.warned = true;
            warn!(operation, reason = reason_name, %error, "records of a connection continue in software");
        } else {
            debug!(operation, reason = reason_name, %error, "record goes to software");
        }
    }
}
