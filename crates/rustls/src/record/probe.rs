// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The same records on the device and in software, to compare their speed.

use std::sync::Arc;

use rustls::SupportedCipherSuite;
use rustls::crypto::CryptoProvider;
use rustls::crypto::cipher::{AeadKey, Iv};
use sealgate_abi::{Direction, MAX_FRAGMENT_BYTES, Suite, TlsVersion};
use sealgate_driver::Device;

use super::seal::{RecordEncrypter, SoftwareEncrypter, plain_message};
use super::{IV_BYTES, RecordPath, device_suite};

/// Seals records of zeroes under a throw-away key, on the device and in software, to compare their speed.
pub(crate) struct Probe {
    device: RecordEncrypter,
    software: SoftwareEncrypter,
    zeroes: Vec<u8>,
    sequence: u64,
}

impl Probe {
    /// `None` if device and base don't both have this suite, with TLS 1.3 and a key of 32 bytes.
    pub(crate) fn new(device: &Device, base: &CryptoProvider, suite: Suite) -> Option<Self> {
        // The only length of key that rustls lets others make.
        let new_key = || AeadKey::from([0; 32]);
        let (iv, new_iv) = ([0; IV_BYTES], || Iv::from([0; IV_BYTES]));
        let software = base.cipher_suites.iter().find_map(|candidate| match candidate {
            SupportedCipherSuite::Tls13(tls13)
                if device_suite(tls13.common.suite) == Some(suite) =>
            {
                Some(tls13.aead_alg)
            }
            _ => None,
        })?;
        let path = RecordPath {
            device: Some(device.clone()),
            software_below: 0.into(),
            counters: Arc::default(),
        };
        let (version, direction) = (TlsVersion::Tls13, Direction::Seal);
        let session = path.session(version, Some(suite), direction, &new_key(), Some(iv)).ok()?;
        Some(Self {
            device: RecordEncrypter {
                protection: path.protection(Ok(session)),
                software: SoftwareEncrypter::new(software.encrypter(new_key(), new_iv())),
            },
            software: SoftwareEncrypter::new(software.encrypter(new_key(), new_iv())),
            zeroes: vec![0; MAX_FRAGMENT_BYTES],
            sequence: 0,
        })
    }

    /// Seals `bytes` of content on the device; `None` if it could not.
    pub(crate) fn seal_on_device(&mut self, bytes: usize) -> Option<()> {
        self.sequence += 1;
        let message = plain_message(self.zeroes.get(..bytes)?);
        self.device.seal_on_device(&message, self.sequence).ok().map(drop)
    }

    /// Seals `bytes` of content in software; `None` if it could not.
    pub(crate) fn seal_in_software(&mut self, bytes: usize) -> Option<()> {
        let message = plain_message(self.zeroes.get(..bytes)?);
        self.software.encrypt(message, self.sequence).ok().map(drop)
    }
}
