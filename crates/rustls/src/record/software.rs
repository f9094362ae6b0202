// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Whole records in software, under the secrets that a handshake has left; and the same secrets for the device.

use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, Iv, MessageDecrypter, OutboundChunks, OutboundPlainMessage,
    Tls12AeadAlgorithm,
};
use rustls::{ConnectionTrafficSecrets, ContentType, Error, ProtocolVersion, SupportedCipherSuite};
use sealgate_abi::{Direction, MAX_FRAGMENT_BYTES, RECORD_HEADER_BYTES, Suite, TlsVersion};
use sealgate_driver::{Opened, SessionConfig};

use super::open::check_outside;
use super::seal::SoftwareEncrypter;
use super::{device_key, device_suite, software_suite, static_iv};

/// Seals the records of one direction of a connection, each with a number that the caller gives.
pub(crate) struct SoftwareSealer {
    encrypter: SoftwareEncrypter,
    version: TlsVersion,
}

impl SoftwareSealer {
    /// A sealer under `secrets`, which are of `suite`; the software of its base, if devices are behind the suite.
    pub(crate) fn new(
        suite: SupportedCipherSuite,
        secrets: ConnectionTrafficSecrets,
    ) -> Result<Self, Error> {
        let (key, iv) = key_and_iv(suite, secrets)?;
        let encrypter = match software_suite(suite) {
            SupportedCipherSuite::Tls13(tls13) => tls13.aead_alg.encrypter(key, iv),
            SupportedCipherSuite::Tls12(tls12) => {
                let (fixed, explicit) = tls12_iv(tls12.aead_alg, &iv)?;
                tls12.aead_alg.encrypter(key, fixed, explicit)
            }
        };
        Ok(Self { encrypter: SoftwareEncrypter::new(encrypter), version: tls_version(suite) })
    }

    /// Appends one record to `out`, header and all: at most [`MAX_FRAGMENT_BYTES`] of content, in pieces.
    ///
    /// The sequence number must be above that of the last call: AWS-LC refuses to seal in any other order. What records
    /// are fit to be sealed at all, and when a key is worn out, is for the caller to know.
    pub(crate) fn seal(
        &mut self,
        content_type: u8,
        sequence: u64,
        content: &[&[u8]],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let payload = OutboundChunks::new(content);
        if payload.len() > MAX_FRAGMENT_BYTES {
            return Err(Error::EncryptError);
        }
        let version = match self.version {
            TlsVersion::Tls13 => ProtocolVersion::TLSv1_3,
            TlsVersion::Tls12 => ProtocolVersion::TLSv1_2,
        };
        let message = OutboundPlainMessage { typ: content_type.into(), version, payload };
        let record = self.encrypter.encrypt(message, sequence)?.encode();
        out.extend_from_slice(&record);
        Ok(())
    }
}

/// Opens the records of one direction of a connection, in any order.
pub(crate) struct SoftwareOpener {
    decrypter: Box<dyn MessageDecrypter>,
    version: TlsVersion,
}

impl SoftwareOpener {
    /// An opener under `secrets`, which are of `suite`; the software of its base, if devices are behind the suite.
    pub(crate) fn new(
        suite: SupportedCipherSuite,
        secrets: ConnectionTrafficSecrets,
    ) -> Result<Self, Error> {
        let (key, iv) = key_and_iv(suite, secrets)?;
        let decrypter = match software_suite(suite) {
            SupportedCipherSuite::Tls13(tls13) => tls13.aead_alg.decrypter(key, iv),
            SupportedCipherSuite::Tls12(tls12) => {
                let (fixed, _) = tls12_iv(tls12.aead_alg, &iv)?;
                tls12.aead_alg.decrypter(key, fixed)
            }
        };
        Ok(Self { decrypter, version: tls_version(suite) })
    }

    /// Opens one record in place, as [`sealgate_driver::Session::open`] does: `payload` is what follows the header, and
    /// at its front stands the content afterwards. Unless it succeeds nothing is known about what is in `payload`.
    pub(crate) fn open(
        &mut self,
        sequence: u64,
        header: [u8; RECORD_HEADER_BYTES],
        payload: &mut [u8],
    ) -> Result<Opened, Error> {
        let [typ, major, minor, length @ ..] = header;
        if usize::from(u16::from_be_bytes(length)) != payload.len() {
            return Err(Error::DecryptError);
        }
        let version = ProtocolVersion::from(u16::from_be_bytes([major, minor]));
        let (start, available) = (payload.as_ptr().addr(), payload.len());
        let record = InboundOpaqueMessage::new(ContentType::from(typ), version, payload);
        check_outside(&record, self.version)?;
        let plain = self.decrypter.decrypt(record, sequence)?;
        let (content_type, length) = (plain.typ.into(), plain.payload.len());
        // Some decrypters leave the content behind an explicit nonce.
        let offset = plain.payload.as_ptr().addr().wrapping_sub(start);
        if length > 0 {
            if offset.checked_add(length).is_none_or(|end| end > available) {
                return Err(Error::General("a decrypter has to work in place".into()));
            }
            payload.copy_within(offset..offset + length, 0);
        }
        Ok(Opened { content_type, length })
    }
}

/// What [`sealgate_driver::Device::session_with`] takes to go on with `secrets`, which are of `suite`. `None` if no device
/// serves it. To be called before the secrets go to a [`SoftwareSealer`] or [`SoftwareOpener`], as keys cannot be copied.
pub(crate) fn session_config(
    suite: SupportedCipherSuite,
    direction: Direction,
    secrets: &ConnectionTrafficSecrets,
) -> Option<SessionConfig<'_>> {
    let (kind, key, iv) = match secrets {
        ConnectionTrafficSecrets::Aes128Gcm { key, iv } => (Suite::Aes128Gcm, key, iv),
        ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (Suite::Aes256Gcm, key, iv),
        ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => {
            (Suite::Chacha20Poly1305, key, iv)
        }
        _ => return None,
    };
    if device_suite(suite.suite()) != Some(kind) {
        return None;
    }
    let (key, iv) = (device_key(kind, key)?, static_iv(iv.as_ref(), &[])?);
    Some(SessionConfig { version: tls_version(suite), direction, key, iv })
}

/// The version of TLS that a suite belongs to.
pub(crate) const fn tls_version(suite: SupportedCipherSuite) -> TlsVersion {
    match suite {
        SupportedCipherSuite::Tls13(_) => TlsVersion::Tls13,
        SupportedCipherSuite::Tls12(_) => TlsVersion::Tls12,
    }
}

/// The parts of the secrets, if the key has the length that the suite's AEAD takes; it would panic on any other.
fn key_and_iv(
    suite: SupportedCipherSuite,
    secrets: ConnectionTrafficSecrets,
) -> Result<(AeadKey, Iv), Error> {
    let (ConnectionTrafficSecrets::Aes128Gcm { key, iv }
    | ConnectionTrafficSecrets::Aes256Gcm { key, iv }
    | ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv }) = secrets
    else {
        return Err(mismatch());
    };
    let key_bytes = match suite {
        SupportedCipherSuite::Tls13(tls13) => tls13.aead_alg.key_len(),
        SupportedCipherSuite::Tls12(tls12) => tls12.aead_alg.key_block_shape().enc_key_len,
    };
    if key.as_ref().len() == key_bytes { Ok((key, iv)) } else { Err(mismatch()) }
}

/// The static IV as the suites of TLS 1.2 take it: what comes from the key block, and what the explicit nonce starts from.
fn tls12_iv<'a>(aead: &dyn Tls12AeadAlgorithm, iv: &'a Iv) -> Result<(&'a [u8], &'a [u8]), Error> {
    let shape = aead.key_block_shape();
    match iv.as_ref().split_at_checked(shape.fixed_iv_len) {
        Some((fixed, explicit)) if explicit.len() == shape.explicit_nonce_len => {
            Ok((fixed, explicit))
        }
        _ => Err(mismatch()),
    }
}

fn mismatch() -> Error {
    Error::General(
        "traffic secrets do not fit the suite: use both as one handshake gave them".into(),
    )
}
