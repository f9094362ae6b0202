// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Outbound records.

use rustls::crypto::cipher::{
    MessageEncrypter, OutboundChunks, OutboundOpaqueMessage, OutboundPlainMessage, PrefixedPayload,
};
use rustls::{ContentType, Error, ProtocolVersion};
use sealgate_abi::{RECORD_HEADER_BYTES, TlsVersion};
use sealgate_driver::Plaintext;

use super::Protection;
use crate::counters::{Operation, Reason};

/// Seals the records of one direction of a connection.
pub(super) struct RecordEncrypter {
    pub(super) protection: Protection,
    pub(super) software: SoftwareEncrypter,
}

impl RecordEncrypter {
    pub(super) fn seal_on_device(
        &mut self,
        message: &OutboundPlainMessage<'_>,
        sequence: u64,
    ) -> Result<OutboundOpaqueMessage, Reason> {
        let content_bytes = message.payload.len();
        let session = self.protection.session_for(|_| content_bytes)?;
        let outer_type = match session.version() {
            TlsVersion::Tls13 => ContentType::ApplicationData,
            TlsVersion::Tls12 => message.typ,
        };
        let sealed = with_chunks(&message.payload, |chunks| {
            let content_type = message.typ.into();
            let record = Plaintext { content_type, sequence, padding_multiple: 0, chunks };
            let encrypted_bytes = session.segments(&record, 0).bytes - RECORD_HEADER_BYTES;
            let mut payload = PrefixedPayload::with_capacity(encrypted_bytes);
            payload.extend(std::iter::repeat_n(&0, encrypted_bytes));
            session.seal(record, payload.as_mut()).map(|()| payload)
        });
        match sealed {
            // The version is that of TLS 1.2, and in TLS 1.3 the legacy_record_version (RFC 8446, section 5.2).
            Ok(payload) => {
                Ok(OutboundOpaqueMessage::new(outer_type, ProtocolVersion::TLSv1_2, payload))
            }
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
/// AWS-LC holds the sequence numbers of an AES-GCM key against each other: they must rise, and it takes that of the first
/// record to be 0 (`aead_aes_gcm_tls13_seal_scatter`, which rustls uses for TLS 1.2 too). An error here would be a panic
/// in rustls. So an encrypter that comes in later is first shown a record with sequence number 0, which goes nowhere.
pub(super) struct SoftwareEncrypter {
    base: Box<dyn MessageEncrypter>,
    used: bool,
}

impl SoftwareEncrypter {
    pub(super) fn new(base: Box<dyn MessageEncrypter>) -> Self {
        Self { base, used: false }
    }

    pub(super) fn encrypt(
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

/// A record of application data that has yet to be sealed.
pub(super) fn plain_message(content: &[u8]) -> OutboundPlainMessage<'_> {
    OutboundPlainMessage {
        typ: ContentType::ApplicationData,
        version: ProtocolVersion::TLSv1_3,
        payload: OutboundChunks::Single(content),
    }
}
