// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Record protection: the only module that implements or calls the traits of `rustls::crypto::cipher`.
//!
//! Each record goes to the device or to the base provider's software, decided record by record. Both have the same
//! key, the same static IV and are given the same sequence number, so that for one record both make the same bytes:
//! a record that the device did not finish is made again in software without a nonce ever protecting two contents.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, InboundPlainMessage, Iv, KeyBlockShape, MessageDecrypter,
    MessageEncrypter, OutboundChunks, OutboundOpaqueMessage, OutboundPlainMessage, PrefixedPayload,
    Tls12AeadAlgorithm, Tls13AeadAlgorithm, UnsupportedOperationError,
};
use rustls::{
    CipherSuite, CipherSuiteCommon, ConnectionTrafficSecrets, ContentType, Error, ProtocolVersion,
    SupportedCipherSuite, Tls12CipherSuite, Tls13CipherSuite,
};
use sealgate_abi::{
    Direction, Key, MAX_ENCRYPTED_RECORD_BYTES, MAX_FRAGMENT_BYTES, RECORD_HEADER_BYTES, Status,
    Suite, TAG_BYTES, sealed_bytes,
};
use sealgate_driver::{Device, Plaintext, RecordError, Session};
use tracing::{debug, error, warn};

use crate::counters::{Operation, Reason, RecordCounters};

/// Where the records of a provider go.
#[derive(Clone, Debug)]
pub(crate) struct RecordPath {
    pub(crate) device: Option<Device>,
    pub(crate) software_below: usize,
    pub(crate) counters: Arc<RecordCounters>,
}

impl RecordPath {
    /// The suite with its record protection behind this path. Leaks a few dozen bytes: rustls wants suites that live
    /// as long as the program.
    pub(crate) fn wrap(&self, suite: SupportedCipherSuite) -> SupportedCipherSuite {
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
                        path: self.clone(),
                    })),
                })))
            }
        }
    }

    /// A session on the device for one direction of a TLS 1.3 connection, or why there is none.
    fn session(
        &self,
        direction: Direction,
        suite: Option<Suite>,
        key: &AeadKey,
        iv: &Iv,
    ) -> Result<Session, Reason> {
        let device = self.device.as_ref().ok_or(Reason::NoDevice)?;
        let suite = suite.filter(|&suite| device.supports(suite)).ok_or(Reason::Suite)?;
        let iv = <[u8; 12]>::try_from(iv.as_ref()).map_err(|_| Reason::Suite)?;
        // The driver keeps its own copy, which it wipes; here the key is only borrowed.
        let key = match suite {
            Suite::Aes128Gcm => key.as_ref().try_into().map(Key::Aes128),
            Suite::Aes256Gcm => key.as_ref().try_into().map(Key::Aes256),
        };
        Ok(device.session(direction, key.map_err(|_| Reason::Suite)?, iv))
    }

    fn protection(&self, session: Result<Session, Reason>) -> Protection {
        Protection {
            session,
            software_below: self.software_below,
            counters: Arc::clone(&self.counters),
            warned: false,
        }
    }
}

fn copy_common(base: &CipherSuiteCommon) -> CipherSuiteCommon {
    CipherSuiteCommon {
        suite: base.suite,
        hash_provider: base.hash_provider,
        confidentiality_limit: base.confidentiality_limit,
    }
}

const fn device_suite(suite: CipherSuite) -> Option<Suite> {
    match suite {
        CipherSuite::TLS13_AES_128_GCM_SHA256 => Some(Suite::Aes128Gcm),
        CipherSuite::TLS13_AES_256_GCM_SHA384 => Some(Suite::Aes256Gcm),
        _ => None,
    }
}

/// TLS 1.3 record protection on the device, with the base's beside it.
struct Tls13Aead {
    software: &'static dyn Tls13AeadAlgorithm,
    suite: Option<Suite>,
    path: RecordPath,
}

impl Tls13AeadAlgorithm for Tls13Aead {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        let session = self.path.session(Direction::Seal, self.suite, &key, &iv);
        Box::new(RecordEncrypter {
            protection: self.path.protection(session),
            software: SoftwareEncrypter::new(self.software.encrypter(key, iv)),
        })
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        let session = self.path.session(Direction::Open, self.suite, &key, &iv);
        Box::new(RecordDecrypter {
            protection: self.path.protection(session),
            version: ProtocolVersion::TLSv1_3,
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

/// TLS 1.2 record protection by the base, counted.
struct Tls12Aead {
    software: &'static dyn Tls12AeadAlgorithm,
    path: RecordPath,
}

impl Tls12Aead {
    fn protection(&self) -> Protection {
        let reason = if self.path.device.is_some() { Reason::Tls12 } else { Reason::NoDevice };
        self.path.protection(Err(reason))
    }
}

impl Tls12AeadAlgorithm for Tls12Aead {
    fn encrypter(&self, key: AeadKey, iv: &[u8], extra: &[u8]) -> Box<dyn MessageEncrypter> {
        Box::new(RecordEncrypter {
            protection: self.protection(),
            software: SoftwareEncrypter::new(self.software.encrypter(key, iv, extra)),
        })
    }

    fn decrypter(&self, key: AeadKey, iv: &[u8]) -> Box<dyn MessageDecrypter> {
        Box::new(RecordDecrypter {
            protection: self.protection(),
            version: ProtocolVersion::TLSv1_2,
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

    fn fips(&self) -> bool {
        self.software.fips()
    }
}

/// What both directions of a connection need to choose a path and to tell of it.
struct Protection {
    session: Result<Session, Reason>,
    software_below: usize,
    counters: Arc<RecordCounters>,
    warned: bool,
}

impl Protection {
    /// The session if a record with this much content goes to the device.
    fn session_for(&mut self, content_bytes: usize) -> Result<&mut Session, Reason> {
        match &mut self.session {
            Ok(_) if content_bytes < self.software_below => Err(Reason::BelowThreshold),
            Ok(session) => Ok(session),
            Err(reason) => Err(*reason),
        }
    }

    /// Logs why the device did not do its part: a fault once per connection and direction, the rest for debugging.
    fn explain(&mut self, operation: Operation, error: &dyn std::error::Error, reason: Reason) {
        let (operation, reason_name) = (operation.name(), reason.name());
        if reason.is_fault() && !self.warned {
            self.warned = true;
            warn!(operation, reason = reason_name, %error, "records of a connection continue in software");
        } else {
            debug!(operation, reason = reason_name, %error, "record goes to software");
        }
    }
}

struct RecordEncrypter {
    protection: Protection,
    software: SoftwareEncrypter,
}

impl RecordEncrypter {
    fn seal_on_device(
        &mut self,
        message: &OutboundPlainMessage<'_>,
        sequence: u64,
    ) -> Result<OutboundOpaqueMessage, Reason> {
        let content_bytes = message.payload.len();
        let session = self.protection.session_for(content_bytes)?;
        let encrypted_bytes = sealed_bytes(content_bytes, 0) - RECORD_HEADER_BYTES;
        let mut payload = PrefixedPayload::with_capacity(encrypted_bytes);
        payload.extend(std::iter::repeat_n(&0, encrypted_bytes));
        let sealed = with_chunks(&message.payload, |chunks| {
            let content_type = message.typ.into();
            let record = Plaintext { content_type, sequence, padding_multiple: 0, chunks };
            session.seal(record, payload.as_mut())
        });
        match sealed {
            Ok(()) => Ok(OutboundOpaqueMessage::new(
                ContentType::ApplicationData,
                // legacy_record_version, RFC 8446, section 5.2.
                ProtocolVersion::TLSv1_2,
                payload,
            )),
            Err(error) => {
                let reason = Reason::from(&error);
                self.protection.explain(Operation::Seal, &error, reason);
                Err(reason)
            }
        }
    }
}

impl MessageEncrypter for RecordEncrypter {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        sequence: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let content_bytes = message.payload.len();
        match self.seal_on_device(&message, sequence) {
            Ok(record) => {
                self.protection.counters.count_device(Operation::Seal, content_bytes);
                Ok(record)
            }
            Err(reason) => {
                let record = self.software.encrypt(message, sequence)?;
                self.protection.counters.count_software(Operation::Seal, reason, content_bytes);
                Ok(record)
            }
        }
    }

    fn encrypted_payload_len(&self, payload_len: usize) -> usize {
        self.software.base.encrypted_payload_len(payload_len)
    }
}

/// The base's encrypter, given only some of a connection's records.
///
/// AWS-LC holds the sequence numbers of a TLS 1.3 key against each other: they must rise, and it takes that of the first
/// record to be 0 (`aead_aes_gcm_tls13_seal_scatter`). An error here would be a panic in rustls. So an encrypter that
/// comes in later is first shown a record with sequence number 0, which goes nowhere.
struct SoftwareEncrypter {
    base: Box<dyn MessageEncrypter>,
    used: bool,
}

impl SoftwareEncrypter {
    fn new(base: Box<dyn MessageEncrypter>) -> Self {
        Self { base, used: false }
    }

    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        sequence: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        if !self.used && sequence > 0 {
            self.base.encrypt(plain_message(&[]), 0)?;
        }
        self.used = true;
        self.base.encrypt(message, sequence)
    }
}

/// Calls `f` with the slices that make up a payload. The cursors of [`OutboundChunks::Multiple`] cut its first and
/// last chunks.
fn with_chunks<T>(payload: &OutboundChunks<'_>, f: impl FnOnce(&[&[u8]]) -> T) -> T {
    match *payload {
        OutboundChunks::Single(chunk) => f(&[chunk]),
        OutboundChunks::Multiple { chunks, start, end } => {
            let mut offset = 0;
            let mut cut = Vec::with_capacity(chunks.len());
            for chunk in chunks {
                let from = start.saturating_sub(offset).min(chunk.len());
                let to = end.saturating_sub(offset).min(chunk.len());
                if from < to {
                    cut.push(&chunk[from..to]);
                }
                offset += chunk.len();
            }
            f(&cut)
        }
    }
}

struct RecordDecrypter {
    protection: Protection,
    version: ProtocolVersion,
    software: Box<dyn MessageDecrypter>,
}

/// Why a record was not opened on the device.
enum NotOpened {
    /// The record was not given to the device, or the device did not do its part.
    Path(Reason),
    /// The device found the record bad.
    Rejected(Status),
}

impl RecordDecrypter {
    /// Opens a record in place: behind the content stands its type, as in a `TLSInnerPlaintext` without padding.
    /// Unless it succeeds the record is as it was.
    fn open_on_device(
        &mut self,
        record: &mut InboundOpaqueMessage<'_>,
        sequence: u64,
    ) -> Result<(), NotOpened> {
        let encrypted_bytes = record.payload.len();
        let content_bytes = encrypted_bytes.saturating_sub(TAG_BYTES + 1);
        let session = self.protection.session_for(content_bytes).map_err(NotOpened::Path)?;
        match session.open(sequence, header(record), &mut record.payload) {
            Ok(opened) => {
                // The driver holds the length below that of the record less type and tag.
                if let Some(content_type) = record.payload.get_mut(opened.length) {
                    *content_type = opened.content_type;
                }
                record.payload.truncate(opened.length + 1);
                Ok(())
            }
            Err(RecordError::Rejected(status)) => Err(NotOpened::Rejected(status)),
            Err(RecordError::Device(error)) => {
                let reason = Reason::from(&error);
                self.protection.explain(Operation::Open, &error, reason);
                Err(NotOpened::Path(reason))
            }
        }
    }

    /// Opens a record in software. A record that the device has refused is judged again, so that rustls gets the error,
    /// and the peer the alert, that it would get without a device.
    fn open_in_software<'a>(
        &mut self,
        record: InboundOpaqueMessage<'a>,
        sequence: u64,
        why: &NotOpened,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let plain = self.software.decrypt(record, sequence)?;
        let counters = &self.protection.counters;
        let reason = match why {
            NotOpened::Path(reason) => *reason,
            NotOpened::Rejected(status) => {
                counters.count_disagreement();
                error!(sequence, %status, "the device refused a record that software finds authentic");
                Reason::Inconsistent
            }
        };
        counters.count_software(Operation::Open, reason, plain.payload.len());
        Ok(plain)
    }

    fn open<'a>(
        &mut self,
        mut record: InboundOpaqueMessage<'a>,
        sequence: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        // The header is additional data (RFC 8446, section 5.2). Software puts in what the header should be, and would
        // open a record whose header was altered; the device does not, and both paths must judge alike.
        if self.version == ProtocolVersion::TLSv1_3
            && (record.typ, record.version)
                != (ContentType::ApplicationData, ProtocolVersion::TLSv1_2)
        {
            return Err(Error::DecryptError);
        }
        // RFC 8446, section 5.2: such a record ends the connection with record_overflow, whatever is in it.
        if self.version == ProtocolVersion::TLSv1_3
            && record.payload.len() > MAX_ENCRYPTED_RECORD_BYTES
        {
            return Err(Error::PeerSentOversizedRecord);
        }
        match self.open_on_device(&mut record, sequence) {
            Ok(()) => {
                let plain = record.into_tls13_unpadded_message()?;
                self.protection.counters.count_device(Operation::Open, plain.payload.len());
                Ok(plain)
            }
            Err(why) => self.open_in_software(record, sequence, &why),
        }
    }
}

impl MessageDecrypter for RecordDecrypter {
    fn decrypt<'a>(
        &mut self,
        record: InboundOpaqueMessage<'a>,
        sequence: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let opened = self.open(record, sequence);
        if opened.is_err() {
            self.protection.counters.count_rejected();
        }
        opened
    }
}

/// Seals records of zeroes under a throw-away key, on the device and in software, to compare their speed.
pub(crate) struct Probe {
    device: RecordEncrypter,
    software: SoftwareEncrypter,
    zeroes: Vec<u8>,
    sequence: u64,
}

impl Probe {
    /// `None` if device and base have no suite of TLS 1.3 in common.
    pub(crate) fn new(device: &Device, base: &CryptoProvider) -> Option<Self> {
        // The only length of key that rustls lets others make.
        let (suite, new_key) = (Suite::Aes256Gcm, || AeadKey::from([0; 32]));
        let new_iv = || Iv::from([0; 12]);
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
            software_below: 0,
            counters: Arc::default(),
        };
        let session = path.session(Direction::Seal, Some(suite), &new_key(), &new_iv()).ok()?;
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

fn plain_message(content: &[u8]) -> OutboundPlainMessage<'_> {
    OutboundPlainMessage {
        typ: ContentType::ApplicationData,
        version: ProtocolVersion::TLSv1_3,
        payload: OutboundChunks::Single(content),
    }
}

/// The header as it came over the wire.
fn header(record: &InboundOpaqueMessage<'_>) -> [u8; RECORD_HEADER_BYTES] {
    let version = u16::from(record.version).to_be_bytes();
    // rustls reads the length from a field of 16 bits.
    let length = (record.payload.len() as u16).to_be_bytes();
    [record.typ.into(), version[0], version[1], length[0], length[1]]
}
