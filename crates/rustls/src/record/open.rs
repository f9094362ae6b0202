// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Inbound records.

use rustls::crypto::cipher::{InboundOpaqueMessage, InboundPlainMessage, MessageDecrypter};
use rustls::{ContentType, Error, ProtocolVersion};
use sealgate_abi::{RECORD_HEADER_BYTES, Status, TlsVersion, max_record_bytes, min_record_bytes};
use sealgate_driver::{RecordError, Session};
use tracing::error;

use super::Protection;
use crate::counters::{Operation, Reason};

/// Opens the records of one direction of a connection.
pub(super) struct RecordDecrypter {
    pub(super) protection: Protection,
    pub(super) version: TlsVersion,
    pub(super) software: Box<dyn MessageDecrypter>,
}

/// Why a record was not opened on the device.
enum NotOpened {
    /// The record was not given to the device, or the device did not do its part.
    Path(Reason),
    /// The device found the record bad.
    Rejected(Status),
}

impl RecordDecrypter {
    /// Opens a record in place: what is left is the content, in TLS 1.3 with its type behind it, as in a
    /// `TLSInnerPlaintext` without padding. Unless it succeeds the record is as it was.
    fn open_on_device(
        &mut self,
        record: &mut InboundOpaqueMessage<'_>,
        sequence: u64,
    ) -> Result<(), NotOpened> {
        let record_bytes = record_bytes(record);
        let content_bytes = |session: &Session| {
            record_bytes.saturating_sub(min_record_bytes(session.version(), session.suite()))
        };
        let session = self.protection.session_for(content_bytes).map_err(NotOpened::Path)?;
        match session.open(sequence, header(record), &mut record.payload) {
            Ok(opened) if self.version == TlsVersion::Tls12 => {
                record.payload.truncate(opened.length);
                Ok(())
            }
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
        check_outside(&record, self.version)?;
        match self.open_on_device(&mut record, sequence) {
            Ok(()) => {
                let plain = match self.version {
                    TlsVersion::Tls13 => record.into_tls13_unpadded_message()?,
                    TlsVersion::Tls12 => record.into_plain_message(),
                };
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

/// Judges a record by its header and length, before anything looks into it.
pub(super) fn check_outside(
    record: &InboundOpaqueMessage<'_>,
    version: TlsVersion,
) -> Result<(), Error> {
    if !has_lawful_header(record, version) {
        return Err(Error::DecryptError);
    }
    // Such a record ends the connection with record_overflow, whatever is in it (RFC 8446, section 5.2; RFC 5246,
    // section 7.2.2).
    if record_bytes(record) > max_record_bytes(version) {
        return Err(Error::PeerSentOversizedRecord);
    }
    Ok(())
}

/// Whether a header may be that of a protected record.
///
/// It is additional data (RFC 8446, section 5.2; RFC 5246, section 6.2.3.3). For TLS 1.3 software puts in what the header
/// should be, for TLS 1.2 it takes any version of a record, and so would open records that the device refuses; both
/// paths must judge alike.
fn has_lawful_header(record: &InboundOpaqueMessage<'_>, version: TlsVersion) -> bool {
    record.version == ProtocolVersion::TLSv1_2
        && (version == TlsVersion::Tls12 || record.typ == ContentType::ApplicationData)
}

/// Bytes of the record on the wire.
fn record_bytes(record: &InboundOpaqueMessage<'_>) -> usize {
    RECORD_HEADER_BYTES + record.payload.len()
}

/// The header as it came over the wire.
fn header(record: &InboundOpaqueMessage<'_>) -> [u8; RECORD_HEADER_BYTES] {
    let version = u16::from(record.version).to_be_bytes();
    // rustls reads the length from a field of 16 bits.
    let length = (record.payload.len() as u16).to_be_bytes();
    [record.typ.into(), version[0], version[1], length[0], length[1]]
}
