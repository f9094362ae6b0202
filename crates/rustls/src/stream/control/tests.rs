// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What comes of which records, as tables.

use rustls::{
    AlertDescription, ContentType, Error, HandshakeType, InvalidMessage, PeerMisbehaved, Side,
};
use sealgate_abi::TlsVersion::{self, Tls12, Tls13};

use super::{AlertLevel, Control, Event, Fault, encode_alert, encode_key_update};

const DATA: ContentType = ContentType::ApplicationData;
const ALERT: ContentType = ContentType::Alert;
const HANDSHAKE: ContentType = ContentType::Handshake;

const KEY_UPDATE: Event = Event::KeyUpdate { update_requested: false };

type Records<'a> = &'a [(ContentType, &'a [u8])];

/// What happens when these records come in: all events, or how it ends.
fn outcome(version: TlsVersion, side: Side, records: Records<'_>) -> Result<Vec<Event>, Fault> {
    let mut control = Control::new(version, side);
    let mut events = Vec::new();
    for (typ, content) in records {
        events.extend(control.record(*typ, content)?);
    }
    Ok(events)
}

/// A message of the handshake protocol.
fn message(typ: HandshakeType, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32).to_be_bytes();
    [&[typ.into()], &length[1..], body].concat()
}

fn fault(error: impl Into<Error>, alert: AlertDescription) -> Fault {
    Fault { error: error.into(), alert: Some(alert) }
}

fn unexpected(error: impl Into<Error>) -> Fault {
    fault(error, AlertDescription::UnexpectedMessage)
}

fn undecodable(error: InvalidMessage) -> Fault {
    fault(error, AlertDescription::DecodeError)
}

#[test]
fn messages_are_encoded_as_the_rfc_has_them() {
    let close = encode_alert(AlertLevel::Warning, AlertDescription::CloseNotify);
    assert_eq!(close, [1, 0]);
    assert_eq!(encode_alert(AlertLevel::Fatal, AlertDescription::BadRecordMac), [2, 20]);
    assert_eq!(encode_key_update(false), [24, 0, 0, 1, 0]);
    assert_eq!(encode_key_update(true), [24, 0, 0, 1, 1]);
}

#[test]
fn what_is_lawful_becomes_events() {
    let ticket = message(HandshakeType::NewSessionTicket, b"ticket");
    let tickets = [&ticket[..], &ticket, &encode_key_update(true)].concat();
    let hello = message(HandshakeType::ClientHello, b"whatever");
    let is_ticket = || Event::NewSessionTicket(b"ticket".to_vec());
    let requested = || Event::KeyUpdate { update_requested: true };
    let user_canceled = Event::Warning(AlertDescription::UserCanceled);
    let cases: &[(TlsVersion, Side, Records<'_>, &[Event])] = &[
        (Tls13, Side::Server, &[(DATA, b"data"), (DATA, b"")], &[]),
        (Tls13, Side::Server, &[(HANDSHAKE, &[24, 0, 0, 1, 0])], &[KEY_UPDATE]),
        (Tls13, Side::Server, &[(HANDSHAKE, &[24, 0]), (HANDSHAKE, &[0, 1, 0])], &[KEY_UPDATE]),
        (Tls13, Side::Client, &[(HANDSHAKE, &[24, 0, 0, 1, 1])], &[requested()]),
        (Tls13, Side::Client, &[(HANDSHAKE, &tickets)], &[is_ticket(), is_ticket(), requested()]),
        (
            Tls13,
            Side::Client,
            &[(HANDSHAKE, &ticket[..1]), (HANDSHAKE, &ticket[1..5]), (HANDSHAKE, &ticket[5..])],
            &[is_ticket()],
        ),
        (Tls13, Side::Client, &[(ALERT, &[1, 0])], &[Event::CloseNotify]),
        (Tls12, Side::Server, &[(ALERT, &[2, 0])], &[Event::CloseNotify]),
        (Tls13, Side::Client, &[(ALERT, &[1, 90])], &[user_canceled]),
        (
            Tls12,
            Side::Client,
            &[(ALERT, &[1, 42])],
            &[Event::Warning(AlertDescription::BadCertificate)],
        ),
        (Tls12, Side::Client, &[(HANDSHAKE, &[0, 0, 0, 0])], &[Event::RefuseRenegotiation]),
        (Tls12, Side::Server, &[(HANDSHAKE, &hello)], &[Event::RefuseRenegotiation]),
    ];
    for (i, (version, side, records, expected)) in cases.iter().enumerate() {
        let events = outcome(*version, *side, records);
        assert_eq!(events.as_deref(), Ok(*expected), "case {i}");
    }
}

#[test]
fn broken_alerts_end_a_connection() {
    let received = Error::AlertReceived;
    let cases: &[(TlsVersion, &[u8], Fault)] = &[
        (Tls13, &[], unexpected(InvalidMessage::InvalidEmptyPayload)),
        (Tls12, &[], unexpected(InvalidMessage::InvalidEmptyPayload)),
        (Tls13, &[2], undecodable(InvalidMessage::MissingData("AlertDescription"))),
        (Tls13, &[1, 0, 1], undecodable(InvalidMessage::TrailingData("AlertMessagePayload"))),
        (Tls12, &[1, 0, 1, 0], undecodable(InvalidMessage::TrailingData("AlertMessagePayload"))),
        (
            Tls13,
            &[3, 0],
            fault(received(AlertDescription::CloseNotify), AlertDescription::IllegalParameter),
        ),
        // Warnings went out with TLS 1.2.
        (
            Tls13,
            &[1, 42],
            fault(received(AlertDescription::BadCertificate), AlertDescription::DecodeError),
        ),
        (Tls13, &[2, 20], Fault { error: received(AlertDescription::BadRecordMac), alert: None }),
        (Tls12, &[2, 99], Fault { error: received(AlertDescription::Unknown(99)), alert: None }),
    ];
    for (i, (version, alert, expected)) in cases.iter().enumerate() {
        let end = outcome(*version, Side::Server, &[(ALERT, alert)]);
        assert_eq!(end.as_ref(), Err(expected), "case {i}");
    }
}

#[test]
fn broken_handshake_messages_end_a_connection() {
    let hello_with_body = message(HandshakeType::HelloRequest, b"x");
    let key_updates = [encode_key_update(false), encode_key_update(false)].concat();
    let cases: &[(TlsVersion, Side, Records<'_>, Fault)] = &[
        (Tls13, Side::Server, &[(HANDSHAKE, b"")], unexpected(InvalidMessage::InvalidEmptyPayload)),
        (
            Tls13,
            Side::Server,
            &[(HANDSHAKE, &[24]), (HANDSHAKE, b"")],
            unexpected(InvalidMessage::InvalidEmptyPayload),
        ),
        (
            Tls13,
            Side::Server,
            &[(HANDSHAKE, &[24, 0, 0, 1, 2])],
            fault(InvalidMessage::InvalidKeyUpdate, AlertDescription::IllegalParameter),
        ),
        (
            Tls13,
            Side::Server,
            &[(HANDSHAKE, &[24, 0, 0, 0])],
            undecodable(InvalidMessage::MissingData("KeyUpdateRequest")),
        ),
        (
            Tls13,
            Side::Server,
            &[(HANDSHAKE, &[24, 0, 0, 2, 0, 0])],
            undecodable(InvalidMessage::TrailingData("HandshakeMessagePayload")),
        ),
        // A change of key goes with the end of a record.
        (
            Tls13,
            Side::Server,
            &[(HANDSHAKE, &key_updates)],
            unexpected(PeerMisbehaved::KeyEpochWithPendingFragment),
        ),
        (
            Tls13,
            Side::Client,
            &[(HANDSHAKE, &key_updates[..6])],
            unexpected(PeerMisbehaved::KeyEpochWithPendingFragment),
        ),
        (
            Tls12,
            Side::Client,
            &[(HANDSHAKE, &hello_with_body)],
            undecodable(InvalidMessage::TrailingData("HelloRequest")),
        ),
    ];
    for (i, (version, side, records, expected)) in cases.iter().enumerate() {
        assert_eq!(outcome(*version, *side, records).as_ref(), Err(expected), "case {i}");
    }
}

#[test]
fn messages_that_do_not_belong_are_refused_by_their_first_byte() {
    let lawful = [
        (Tls13, Side::Client, 4),
        (Tls13, Side::Client, 24),
        (Tls13, Side::Server, 24),
        (Tls12, Side::Client, 0),
        (Tls12, Side::Server, 1),
    ];
    for version in [Tls12, Tls13] {
        for side in [Side::Client, Side::Server] {
            for typ in 0..=255 {
                let end = outcome(version, side, &[(HANDSHAKE, &[typ])]);
                if lawful.contains(&(version, side, typ)) {
                    assert_eq!(end, Ok(vec![]));
                    continue;
                }
                let fault = end.expect_err("it does not belong");
                assert_eq!(fault.alert, Some(AlertDescription::UnexpectedMessage));
                let Error::InappropriateHandshakeMessage { got_type, .. } = fault.error else {
                    panic!("{fault:?}");
                };
                assert_eq!(got_type, HandshakeType::from(typ));
            }
        }
    }
}

#[test]
fn nothing_comes_between_the_parts_of_a_message() {
    let error = unexpected(PeerMisbehaved::MessageInterleavedWithHandshakeMessage);
    let between: Records<'_> =
        &[(DATA, b"data"), (DATA, b""), (ALERT, &[1, 0]), (ContentType::ChangeCipherSpec, &[1])];
    for record in between {
        let records = [(HANDSHAKE, &[24, 0][..]), *record];
        assert_eq!(outcome(Tls13, Side::Server, &records).as_ref(), Err(&error));
    }
}

#[test]
fn other_content_types_are_refused() {
    for version in [Tls12, Tls13] {
        for typ in (0..=255).filter(|typ| !(21..=23).contains(typ)) {
            let end = outcome(version, Side::Server, &[(typ.into(), &[1])]);
            let fault = end.expect_err("no such record");
            assert_eq!(fault.alert, Some(AlertDescription::UnexpectedMessage), "{typ}");
        }
    }
}

#[test]
fn messages_are_put_together_up_to_a_limit() {
    let ticket = vec![7; 0xffff];
    let whole = message(HandshakeType::NewSessionTicket, &ticket);
    for fragment_bytes in [1, 1_000, 16_384] {
        let records: Vec<_> = whole.chunks(fragment_bytes).map(|part| (HANDSHAKE, part)).collect();
        let events = outcome(Tls13, Side::Client, &records);
        assert_eq!(events, Ok(vec![Event::NewSessionTicket(ticket.clone())]));
    }
    // Refused with the header, before anything is held.
    let end = outcome(Tls13, Side::Client, &[(HANDSHAKE, &[4, 1, 0, 0])]);
    assert_eq!(end, Err(undecodable(InvalidMessage::HandshakePayloadTooLarge)));
}

/// How many of these records are taken, and how it ends.
fn count(control: &mut Control, typ: ContentType, content: &[u8]) -> (usize, Fault) {
    for taken in 0..1_000 {
        if let Err(fault) = control.record(typ, content) {
            return (taken, fault);
        }
    }
    panic!("there is no limit");
}

#[test]
fn what_costs_the_peer_nothing_is_limited() {
    let key_update = encode_key_update(true);
    let cases: [(_, _, _, &[u8], _, _); 6] = [
        (Tls13, Side::Server, DATA, b"", 32, PeerMisbehaved::TooManyEmptyFragments),
        (Tls12, Side::Client, DATA, b"", 32, PeerMisbehaved::TooManyEmptyFragments),
        (Tls13, Side::Client, HANDSHAKE, &key_update, 32, PeerMisbehaved::TooManyKeyUpdateRequests),
        (Tls13, Side::Client, ALERT, &[1, 90], 4, PeerMisbehaved::TooManyWarningAlertsReceived),
        (Tls12, Side::Server, ALERT, &[1, 41], 4, PeerMisbehaved::TooManyWarningAlertsReceived),
        (Tls12, Side::Client, HANDSHAKE, &[0; 4], 1, PeerMisbehaved::TooManyRenegotiationRequests),
    ];
    for (version, side, typ, content, limit, error) in cases {
        let mut control = Control::new(version, side);
        assert_eq!(count(&mut control, typ, content), (limit, unexpected(error)));
    }
}

#[test]
fn application_data_renews_what_it_pays_for() {
    let key_update = encode_key_update(false);
    let mut control = Control::new(Tls13, Side::Server);
    for _ in 0..3 {
        for _ in 0..32 {
            assert_eq!(control.record(HANDSHAKE, &key_update), Ok(vec![KEY_UPDATE]));
        }
        assert_eq!(control.record(DATA, b"x"), Ok(vec![]));
    }
    for _ in 0..3 {
        for _ in 0..32 {
            assert_eq!(control.record(DATA, b""), Ok(vec![]));
        }
        assert_eq!(control.record(DATA, b"x"), Ok(vec![]));
    }
    for _ in 0..4 {
        assert!(control.record(ALERT, &[1, 90]).is_ok());
        assert_eq!(control.record(DATA, b"x"), Ok(vec![]));
    }
    assert!(control.record(ALERT, &[1, 90]).is_err(), "warnings are for a lifetime");
}

#[test]
fn headers_are_judged_before_a_record_arrives() {
    let tls13 = Control::new(Tls13, Side::Server);
    let tls12 = Control::new(Tls12, Side::Server);
    assert_eq!(tls13.header([23, 3, 3, 0x41, 0x00]), Ok(16_640));
    assert_eq!(tls12.header([23, 3, 3, 0x48, 0x00]), Ok(18_432));
    assert_eq!(tls12.header([21, 3, 3, 0, 26]), Ok(26));
    assert_eq!(tls12.header([22, 3, 3, 0, 40]), Ok(40));
    let overflow = fault(Error::PeerSentOversizedRecord, AlertDescription::RecordOverflow);
    assert_eq!(tls13.header([23, 3, 3, 0x41, 0x01]), Err(overflow.clone()));
    assert_eq!(tls12.header([23, 3, 3, 0x48, 0x01]), Err(overflow));
    let no_tls = undecodable(InvalidMessage::UnknownProtocolVersion);
    assert_eq!(tls13.header(*b"GET /"), Err(no_tls));
    for (control, types) in [(&tls13, &[20, 21, 22, 24, 0][..]), (&tls12, &[20, 24, 0][..])] {
        for &typ in types {
            let fault = control.header([typ, 3, 3, 0, 32]).expect_err("no such record");
            assert_eq!(fault.alert, Some(AlertDescription::UnexpectedMessage), "{typ}");
        }
    }
}

#[test]
fn every_error_has_its_alert() {
    let cases = [
        (Error::DecryptError, Some(AlertDescription::BadRecordMac)),
        (Error::PeerSentOversizedRecord, Some(AlertDescription::RecordOverflow)),
        (Error::EncryptError, Some(AlertDescription::InternalError)),
        (InvalidMessage::DuplicateExtension(7).into(), Some(AlertDescription::IllegalParameter)),
        (InvalidMessage::EmptyTicketValue.into(), Some(AlertDescription::DecodeError)),
        (Error::AlertReceived(AlertDescription::BadRecordMac), None),
        (
            PeerMisbehaved::IllegalTlsInnerPlaintext.into(),
            Some(AlertDescription::UnexpectedMessage),
        ),
    ];
    for (error, alert) in cases {
        assert_eq!(Fault::from(error.clone()), Fault { error, alert });
    }
}
