// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a connection carries beside application data once the handshake is over: alerts, key updates, session tickets.
//!
//! No I/O and no keys: opened records go in, in order, and what they ask for comes out. The limits are those of rustls,
//! and so are the errors. Where rustls ends a connection without an alert, the peer is sent the one of RFC 8446.

use rustls::{
    AlertDescription, ContentType, Error, HandshakeType, InvalidMessage, PeerMisbehaved, Side,
};
use sealgate_abi::{RECORD_HEADER_BYTES, TlsVersion, max_record_bytes};

/// Largest handshake message that is put together, without its header.
const MAX_HANDSHAKE_BYTES: usize = 0xffff;

/// Type and length of a handshake message (RFC 8446, section 4).
const HANDSHAKE_HEADER_BYTES: usize = 4;

/// Key updates that the peer may send without application data in between.
const KEY_UPDATES: u8 = 32;

/// Warnings that the peer may send in the life of a connection.
const WARNINGS: u8 = 4;

/// Times that the peer of a TLS 1.2 connection may ask for another handshake.
const RENEGOTIATIONS: u8 = 1;

/// Records without content that the peer may send one after the other.
const EMPTY_RECORDS: u8 = 32;

/// How grave an alert is (RFC 8446, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum AlertLevel {
    Warning = 1,
    Fatal = 2,
}

/// The content of an alert.
pub(crate) fn encode_alert(level: AlertLevel, description: AlertDescription) -> [u8; 2] {
    [level as u8, description.into()]
}

/// The content of a key update, which is the last record under the old key (RFC 8446, section 4.6.3).
pub(crate) fn encode_key_update(request_update: bool) -> [u8; 5] {
    [HandshakeType::KeyUpdate.into(), 0, 0, 1, request_update.into()]
}

/// What a record asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Everything behind this record is under the peer's next key. If `update_requested`, an update of this side's key
    /// is to be sent before any more application data; one for all requests that came since the last is enough.
    KeyUpdate { update_requested: bool },
    /// Content of a ticket of TLS 1.3, for the kernel connection of a client.
    NewSessionTicket(Vec<u8>),
    /// The peer has sent all; whatever follows is to be ignored.
    CloseNotify,
    /// The peer says something that changes nothing.
    Warning(AlertDescription),
    /// The peer of a TLS 1.2 connection wants another handshake; it gets a warning, `no_renegotiation`.
    RefuseRenegotiation,
}

/// Why a connection ends, and what the peer is to be told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    pub(crate) error: Error,
    /// The fatal alert to send. `None` if the peer has sent one.
    pub(crate) alert: Option<AlertDescription>,
}

impl Fault {
    fn new(error: impl Into<Error>, alert: AlertDescription) -> Self {
        Self { error: error.into(), alert: Some(alert) }
    }

    fn unexpected(error: impl Into<Error>) -> Self {
        Self::new(error, AlertDescription::UnexpectedMessage)
    }
}

/// The alert that belongs to an error: of a record that could not be opened, or of a ticket that the kernel connection
/// refused.
impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let alert = match &error {
            Error::AlertReceived(_) => return Self { error, alert: None },
            Error::InvalidMessage(invalid) => (*invalid).into(),
            Error::PeerSentOversizedRecord => AlertDescription::RecordOverflow,
            Error::DecryptError => AlertDescription::BadRecordMac,
            Error::InappropriateMessage { .. }
            | Error::InappropriateHandshakeMessage { .. }
            | Error::PeerMisbehaved(_) => AlertDescription::UnexpectedMessage,
            _ => AlertDescription::InternalError,
        };
        Self::new(error, alert)
    }
}

/// The state that inbound records leave behind.
#[derive(Debug)]
pub(crate) struct Control {
    version: TlsVersion,
    side: Side,
    /// The beginning of a handshake message that goes on in the next record.
    partial: Vec<u8>,
    key_updates: u8,
    warnings: u8,
    renegotiations: u8,
    empty_records: u8,
}

impl Control {
    /// For the `side` of a connection that has shaken hands.
    pub(crate) fn new(version: TlsVersion, side: Side) -> Self {
        Self {
            version,
            side,
            partial: Vec::new(),
            key_updates: KEY_UPDATES,
            warnings: WARNINGS,
            renegotiations: RENEGOTIATIONS,
            empty_records: EMPTY_RECORDS,
        }
    }

    /// Judges the header of a record that has yet to arrive; returns how many bytes follow it. A record that passes is
    /// judged again, with its content, where it is opened.
    pub(crate) fn header(&self, header: [u8; RECORD_HEADER_BYTES]) -> Result<usize, Fault> {
        let [typ, major, _, length @ ..] = header;
        let (typ, length) = (ContentType::from(typ), usize::from(u16::from_be_bytes(length)));
        if major != 3 {
            return Err(Error::from(InvalidMessage::UnknownProtocolVersion).into());
        }
        match typ {
            ContentType::ApplicationData => {}
            // Protected records of TLS 1.2 show their type.
            ContentType::Alert | ContentType::Handshake if self.version == TlsVersion::Tls12 => {}
            ContentType::Alert | ContentType::Handshake | ContentType::ChangeCipherSpec => {
                return Err(inappropriate(&[ContentType::ApplicationData], typ));
            }
            _ => return Err(Fault::unexpected(InvalidMessage::InvalidContentType)),
        }
        if RECORD_HEADER_BYTES + length > max_record_bytes(self.version) {
            return Err(Error::PeerSentOversizedRecord.into());
        }
        Ok(length)
    }

    /// Takes the content of the next record. What is application data is for the caller to deliver, unless this fails;
    /// it makes no events, and nothing here holds it up.
    pub(crate) fn record(&mut self, typ: ContentType, content: &[u8]) -> Result<Vec<Event>, Fault> {
        if !self.partial.is_empty() && typ != ContentType::Handshake {
            return Err(Fault::unexpected(PeerMisbehaved::MessageInterleavedWithHandshakeMessage));
        }
        match typ {
            ContentType::ApplicationData => self.application_data(content).map(|()| Vec::new()),
            // Only application data may be empty (RFC 8446, section 5.4; RFC 5246, section 6.2.1).
            ContentType::Alert | ContentType::Handshake if content.is_empty() => {
                Err(Fault::unexpected(InvalidMessage::InvalidEmptyPayload))
            }
            ContentType::Alert => {
                self.empty_records = EMPTY_RECORDS;
                self.alert(content).map(|event| vec![event])
            }
            ContentType::Handshake => {
                self.empty_records = EMPTY_RECORDS;
                self.handshake(content)
            }
            ContentType::ChangeCipherSpec if self.version == TlsVersion::Tls13 => {
                Err(Fault::unexpected(PeerMisbehaved::IllegalMiddleboxChangeCipherSpec))
            }
            ContentType::ChangeCipherSpec => {
                Err(inappropriate(&[ContentType::ApplicationData, ContentType::Handshake], typ))
            }
            _ => Err(Fault::unexpected(InvalidMessage::InvalidContentType)),
        }
    }

    fn application_data(&mut self, content: &[u8]) -> Result<(), Fault> {
        if content.is_empty() {
            spend(&mut self.empty_records, PeerMisbehaved::TooManyEmptyFragments)?;
        } else {
            self.empty_records = EMPTY_RECORDS;
        }
        self.key_updates = KEY_UPDATES;
        Ok(())
    }

    /// One record is one alert, never less or more (RFC 8446, section 5.1).
    fn alert(&mut self, content: &[u8]) -> Result<Event, Fault> {
        let (level, description) = match *content {
            [level, description] => (level, AlertDescription::from(description)),
            [_] => return Err(missing_data("AlertDescription")),
            _ => return Err(trailing_data("AlertMessagePayload")),
        };
        let received = Error::AlertReceived(description);
        let is_warning = level == AlertLevel::Warning as u8;
        if !is_warning && level != AlertLevel::Fatal as u8 {
            return Err(Fault::new(received, AlertDescription::IllegalParameter));
        }
        if description == AlertDescription::CloseNotify {
            return Ok(Event::CloseNotify);
        }
        if !is_warning {
            return Err(received.into());
        }
        spend(&mut self.warnings, PeerMisbehaved::TooManyWarningAlertsReceived)?;
        // TLS 1.3 has no warnings but this one (RFC 8446, section 6).
        if self.version == TlsVersion::Tls13 && description != AlertDescription::UserCanceled {
            return Err(Fault::new(received, AlertDescription::DecodeError));
        }
        Ok(Event::Warning(description))
    }

    /// Handshake messages may be cut and joined at will; only a change of key has to come at the end of a record.
    fn handshake(&mut self, content: &[u8]) -> Result<Vec<Event>, Fault> {
        let mut joined = std::mem::take(&mut self.partial);
        let mut rest = if joined.is_empty() {
            content
        } else {
            joined.extend_from_slice(content);
            &joined
        };
        let mut events = Vec::new();
        while let Some((&typ, _)) = rest.split_first() {
            let typ = HandshakeType::from(typ);
            self.check_type(typ)?;
            let Some(message) = message_bytes(rest)? else {
                self.partial = rest.to_vec();
                break;
            };
            let (message, behind) = rest.split_at(message);
            let body = &message[HANDSHAKE_HEADER_BYTES..];
            events.push(self.message(typ, body, behind.is_empty())?);
            rest = behind;
        }
        Ok(events)
    }

    /// Refuses a message by its type, before it is put together.
    fn check_type(&self, typ: HandshakeType) -> Result<(), Fault> {
        let expected: &[HandshakeType] = match (self.version, self.side) {
            (TlsVersion::Tls13, Side::Client) => {
                &[HandshakeType::NewSessionTicket, HandshakeType::KeyUpdate]
            }
            (TlsVersion::Tls13, Side::Server) => &[HandshakeType::KeyUpdate],
            (TlsVersion::Tls12, Side::Client) => &[HandshakeType::HelloRequest],
            (TlsVersion::Tls12, Side::Server) => &[HandshakeType::ClientHello],
        };
        if expected.contains(&typ) {
            return Ok(());
        }
        let expect_types = expected.to_vec();
        Err(Error::InappropriateHandshakeMessage { expect_types, got_type: typ }.into())
    }

    fn message(&mut self, typ: HandshakeType, body: &[u8], is_last: bool) -> Result<Event, Fault> {
        match typ {
            HandshakeType::KeyUpdate => self.key_update(body, is_last),
            HandshakeType::NewSessionTicket => Ok(Event::NewSessionTicket(body.to_vec())),
            HandshakeType::HelloRequest if !body.is_empty() => Err(trailing_data("HelloRequest")),
            // What the new handshake would be about does not matter.
            _ => {
                spend(&mut self.renegotiations, PeerMisbehaved::TooManyRenegotiationRequests)?;
                Ok(Event::RefuseRenegotiation)
            }
        }
    }

    fn key_update(&mut self, body: &[u8], is_last: bool) -> Result<Event, Fault> {
        let request = match *body {
            [request] => request,
            [] => return Err(missing_data("KeyUpdateRequest")),
            _ => return Err(trailing_data("HandshakeMessagePayload")),
        };
        if !is_last {
            return Err(Fault::unexpected(PeerMisbehaved::KeyEpochWithPendingFragment));
        }
        spend(&mut self.key_updates, PeerMisbehaved::TooManyKeyUpdateRequests)?;
        match request {
            0 | 1 => Ok(Event::KeyUpdate { update_requested: request == 1 }),
            _ => {
                let alert = AlertDescription::IllegalParameter;
                Err(Fault::new(InvalidMessage::InvalidKeyUpdate, alert))
            }
        }
    }
}

/// Bytes of the message that begins here; `None` if some of it is still to come.
fn message_bytes(bytes: &[u8]) -> Result<Option<usize>, Fault> {
    let Some(&[_, high, middle, low]) = bytes.first_chunk::<HANDSHAKE_HEADER_BYTES>() else {
        return Ok(None);
    };
    let body = u32::from_be_bytes([0, high, middle, low]) as usize;
    if body > MAX_HANDSHAKE_BYTES {
        return Err(Error::from(InvalidMessage::HandshakePayloadTooLarge).into());
    }
    let message = HANDSHAKE_HEADER_BYTES + body;
    Ok((message <= bytes.len()).then_some(message))
}

/// Takes one of what a peer is allowed.
fn spend(left: &mut u8, or: PeerMisbehaved) -> Result<(), Fault> {
    *left = left.checked_sub(1).ok_or_else(|| Fault::unexpected(or))?;
    Ok(())
}

fn inappropriate(expect_types: &[ContentType], got_type: ContentType) -> Fault {
    let expect_types = expect_types.to_vec();
    Error::InappropriateMessage { expect_types, got_type }.into()
}

fn missing_data(what: &'static str) -> Fault {
    Error::from(InvalidMessage::MissingData(what)).into()
}

fn trailing_data(what: &'static str) -> Fault {
    Error::from(InvalidMessage::TrailingData(what)).into()
}

#[cfg(test)]
mod tests;
