// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Records that are altered on their way: refused with the alert that rustls over ring gives, without a byte of
//! plaintext, and without harm to the next connection.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

use rustls::crypto::CryptoProvider;
use rustls::{AlertDescription, CipherSuite, Error};
use sealgate_abi::{Direction, Opcode, RecordEntry};
use sealgate_driver::{Device, Status, TlsVersion};
use sealgate_rustls::{Offload, Provider};
use sealgate_tests::device::Simulation;
use sealgate_tests::digits::Scorer;
use sealgate_tests::http::{Client, score_request};
use sealgate_tests::proxy::{Alteration, Delivery, Proxy, Way};
use sealgate_tests::random;
use sealgate_tests::raw::RawDevice;
use sealgate_tests::record::{APPLICATION_DATA, HEADER_BYTES, TrafficKey, inner_plaintext};
use sealgate_tests::server::InProcess;
use sealgate_tests::tls::{
    DEVICE_SUITES, TLS13_SUITES, client_config, client_with, device_suite, only, parts,
    record_version, ring, traffic_key, version_of,
};

/// How an exchange ended for the client.
#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    /// With an answer of this status.
    Answered(u16),
    /// With this alert from the server.
    Alert(AlertDescription),
    /// With this verdict of its own.
    Refused(Error),
    /// With the end of the connection, after `close_notify`.
    Closed,
    /// With the end of the connection, without one.
    Cut,
}

impl Outcome {
    fn of(answer: io::Result<sealgate_tests::http::Answer>) -> Self {
        let error = match answer {
            Ok(answer) => return Self::Answered(answer.status),
            Err(error) => error,
        };
        match (error.kind(), error.get_ref().and_then(|inner| inner.downcast_ref::<Error>())) {
            (_, Some(Error::AlertReceived(alert))) => Self::Alert(*alert),
            (_, Some(verdict)) => Self::Refused(verdict.clone()),
            (ErrorKind::UnexpectedEof, _) => Self::Cut,
            (ErrorKind::ConnectionAborted, _) => Self::Closed,
            _ => panic!("an end that no test wants: {error:?}"),
        }
    }
}

/// Alterations of one record, by what they change.
const ALTERATIONS: [(&str, Alteration); 10] = [
    ("tag", |mut record| {
        *record.last_mut().expect("not empty") ^= 1;
        Delivery::Bytes(record)
    }),
    ("ciphertext", |mut record| {
        record[HEADER_BYTES] ^= 0x80;
        Delivery::Bytes(record)
    }),
    ("length, longer, with bytes to match", |mut record| {
        record.extend([0; 8]);
        Delivery::Bytes(with_length(record, 8))
    }),
    ("length, shorter, with bytes to match", |mut record| {
        record.truncate(record.len() - 8);
        Delivery::Bytes(with_length(record, -8))
    }),
    ("length, shorter, all bytes sent", |record| Delivery::Bytes(with_length(record, -8))),
    ("length, shorter than a tag", |record| {
        Delivery::Bytes([&record[..3], &[0, 15], &record[HEADER_BYTES..HEADER_BYTES + 15]].concat())
    }),
    ("truncated, then the end", |mut record| {
        record.truncate(record.len() / 2);
        Delivery::Last(record)
    }),
    ("a record longer than any of rustls", |mut record| {
        record[3..HEADER_BYTES].copy_from_slice(&u16::MAX.to_be_bytes());
        Delivery::Bytes(record)
    }),
    ("a version that does not exist", |mut record| {
        record[1] = 2;
        Delivery::Bytes(record)
    }),
    ("a type that does not exist", |mut record| {
        record[0] = 99;
        Delivery::Bytes(record)
    }),
];

/// Alterations that with TLS 1.3 are judged more strictly than by rustls over ring, each with its alert. The header is
/// additional data (RFC 8446, section 5.2): where rustls puts in what it should be and opens the record, with a device each byte
/// counts. And a record above the limit of that section is an overflow before it is looked into.
const STRICTER: [(&str, Alteration, AlertDescription, Error); 3] = [
    (
        "type",
        |mut record| {
            record[0] = 22;
            Delivery::Bytes(record)
        },
        AlertDescription::BadRecordMac,
        Error::DecryptError,
    ),
    (
        "version",
        |mut record| {
            record[2] = 1;
            Delivery::Bytes(record)
        },
        AlertDescription::BadRecordMac,
        Error::DecryptError,
    ),
    (
        "a record of 2^14 + 256 + 1 bytes",
        |mut record| {
            record.resize(HEADER_BYTES + (1 << 14) + 257, 0);
            record[3..HEADER_BYTES].copy_from_slice(&((1_u16 << 14) + 257).to_be_bytes());
            Delivery::Bytes(record)
        },
        AlertDescription::RecordOverflow,
        Error::PeerSentOversizedRecord,
    ),
];

/// What our record layer says of a header where rustls says `decode_error`: RFC 8446, sections 5 and 5.2, has an alert for a
/// type that is out of place, and one for a record above the limit.
fn by_header(alteration: &str) -> Option<AlertDescription> {
    match alteration {
        "a record longer than any of rustls" => Some(AlertDescription::RecordOverflow),
        "a type that does not exist" => Some(AlertDescription::UnexpectedMessage),
        _ => None,
    }
}

/// The alterations that end with a suite as they do for rustls over ring: with TLS 1.2 all of them.
fn judged_alike(suite: CipherSuite) -> Vec<(&'static str, Alteration)> {
    let stricter = STRICTER.map(|(name, alteration, ..)| (name, alteration));
    match record_version(suite) {
        TlsVersion::Tls13 => ALTERATIONS.to_vec(),
        TlsVersion::Tls12 => [&ALTERATIONS[..], &stricter].concat(),
    }
}

/// Adds to the length that the header says.
fn with_length(mut record: Vec<u8>, more: i16) -> Vec<u8> {
    let length = u16::from_be_bytes([record[3], record[4]]).wrapping_add_signed(more);
    record[3..HEADER_BYTES].copy_from_slice(&length.to_be_bytes());
    record
}

/// One request that gets its answer, then one of which a record is altered, its own or that of its answer. The result
/// is how that one ended for the client.
fn exchange(
    server: &InProcess,
    (client, suite): (&CryptoProvider, CipherSuite),
    way: Way,
    alteration: Alteration,
    scorer: &Scorer,
) -> Outcome {
    let proxy = Proxy::start(server.address);
    let client = only(client.clone(), suite);
    let config = client_config(client, &[version_of(suite)], &server.root_pem);
    let mut client = Client::connect(proxy.address, config).expect("a connection");
    let body = scorer.body(0, 3);
    body.check(&client.score(&body.json).expect("an answer").body);
    proxy.alter_next(way, alteration);
    let outcome = Outcome::of(client.score(&body.json));
    assert!(!proxy.is_pending(), "a record was altered");
    outcome
}

/// A new connection, straight to the server, is served.
fn assert_serves(server: &InProcess, suite: CipherSuite, scorer: &Scorer) {
    let config = client_with(suite, &server.root_pem);
    let mut client = Client::connect(server.address, config).expect("a connection");
    let body = scorer.body(9, 2);
    body.check(&client.score(&body.json).expect("an answer").body);
}

/// Images that a failed exchange and the connection after it have scored.
const IMAGES_SCORED: u64 = 3 + 2;

#[test]
fn the_client_gets_the_alert_of_rustls_with_ring_and_nothing_is_scored() {
    let scorer = Scorer::new();
    let plain = InProcess::start_plain(ring());
    let (device, _transport) = Simulation::best().open();
    let offload = Offload::new(&device);
    let served = InProcess::start(&offload);
    let ring = ring();
    for suite in DEVICE_SUITES {
        let client = (&ring, suite);
        for (name, alteration) in judged_alike(suite) {
            let before = served.images();
            let outcome = exchange(&served, client, Way::ToServer, alteration, &scorer);
            let expected = exchange(&plain, client, Way::ToServer, alteration, &scorer);
            let expected = by_header(name).map_or(expected, Outcome::Alert);
            println!("{suite:?}, {name}: {outcome:?}");
            assert_eq!(outcome, expected, "{suite:?}, {name}");
            assert!(!matches!(outcome, Outcome::Answered(_)), "{suite:?}, {name}");
            assert_serves(&served, suite, &scorer);
            assert_eq!(served.images(), before + IMAGES_SCORED, "{suite:?}, {name}");
        }
    }
    for suite in TLS13_SUITES {
        for (name, alteration, alert, _) in STRICTER {
            let before = served.images();
            let outcome = exchange(&served, (&ring, suite), Way::ToServer, alteration, &scorer);
            let alert = if name == "type" { AlertDescription::UnexpectedMessage } else { alert };
            assert_eq!(outcome, Outcome::Alert(alert), "{suite:?}, {name}");
            assert_serves(&served, suite, &scorer);
            assert_eq!(served.images(), before + IMAGES_SCORED, "{suite:?}, {name}");
        }
    }
    assert_eq!(offload.counts().disagreements, 0, "device and software judge alike");
    assert_device_did_all(&device);
}

#[test]
fn a_client_on_the_device_judges_answers_as_rustls_with_ring_does() {
    let scorer = Scorer::new();
    let plain = InProcess::start_plain(ring());
    let (device, _transport) = Simulation::best().open();
    let (provider, counters) = Provider::new(&device).build();
    let ring = ring();
    for suite in DEVICE_SUITES {
        for (name, alteration) in judged_alike(suite) {
            let way = Way::ToClient;
            let outcome = exchange(&plain, (&provider, suite), way, alteration, &scorer);
            let expected = exchange(&plain, (&ring, suite), way, alteration, &scorer);
            println!("{suite:?}, {name}: {outcome:?}");
            assert_eq!(outcome, expected, "{suite:?}, {name}");
            assert!(!matches!(outcome, Outcome::Answered(_)), "{suite:?}, {name}");
        }
    }
    for suite in TLS13_SUITES {
        for (name, alteration, _, error) in STRICTER {
            let client = (&provider, suite);
            let outcome = exchange(&plain, client, Way::ToClient, alteration, &scorer);
            assert_eq!(outcome, Outcome::Refused(error), "{suite:?}, {name}");
        }
    }
    assert_eq!(counters.snapshot().disagreements, 0, "device and software judge alike");
    assert_device_did_all(&device);
}

fn assert_device_did_all(device: &Device) {
    let health = device.health();
    assert!(health.state.is_healthy(), "{health:?}");
    assert_eq!(health.counters.failures, 0, "a bad record is no fault of the device");
    assert!(health.counters.rejected_records > 0, "the device has judged: {health:?}");
}

/// Plaintexts that no lawful peer makes records of, though it could: inner plaintexts of TLS 1.3, content of TLS 1.2.
fn unlawful_plaintexts(version: TlsVersion) -> Vec<(&'static str, Vec<u8>, Status)> {
    match version {
        TlsVersion::Tls13 => unlawful_inner_plaintexts().to_vec(),
        TlsVersion::Tls12 => [("a byte too long", (1 << 14) + 1), ("far too long", 18_000)]
            .map(|(name, length)| (name, vec![7; length], Status::BadLength))
            .to_vec(),
    }
}

/// A record of such a plaintext, or of a lawful one.
fn seal(key: &TrafficKey, sequence: u64, plaintext: &[u8]) -> Vec<u8> {
    match key.version() {
        TlsVersion::Tls13 => key.seal(sequence, plaintext),
        TlsVersion::Tls12 => key.seal_tls12(sequence, sequence, APPLICATION_DATA, plaintext),
    }
}

fn unlawful_inner_plaintexts() -> [(&'static str, Vec<u8>, Status); 6] {
    const INNER_BYTES_MAX: usize = (1 << 14) + 1;
    let data = APPLICATION_DATA;
    [
        ("all zero", vec![0; 100], Status::PaddingWithoutContent),
        ("all zero, of the largest size", vec![0; INNER_BYTES_MAX], Status::PaddingWithoutContent),
        ("no content, no type", vec![0], Status::PaddingWithoutContent),
        ("content too long", [vec![7; INNER_BYTES_MAX], vec![data]].concat(), Status::BadLength),
        ("padding too long", [&[7, data], &[0; 1 << 14][..]].concat(), Status::BadLength),
        ("all zero and too long", vec![0; INNER_BYTES_MAX + 1], Status::BadLength),
    ]
}

/// The alert, its level first, that such a record is answered with. For one without a type RFC 8446, section 5.4, asks for
/// `unexpected_message`; rustls 0.23, which is `plain`, closes the connection without an alert of its own.
fn alert_for(verdict: Status, is_plain: bool) -> [u8; 2] {
    const WARNING: u8 = 1;
    const FATAL: u8 = 2;
    match verdict {
        Status::BadLength => [FATAL, AlertDescription::RecordOverflow.into()],
        Status::PaddingWithoutContent if is_plain => {
            [WARNING, AlertDescription::CloseNotify.into()]
        }
        Status::PaddingWithoutContent => [FATAL, AlertDescription::UnexpectedMessage.into()],
        other => panic!("no alert is known for {other}"),
    }
}

/// A connection after one answered request, taken over: what is sent from here on is made by hand.
struct TakenOver {
    socket: TcpStream,
    sent: (u64, TrafficKey),
    received: (u64, TrafficKey),
}

impl TakenOver {
    fn connect(server: &InProcess, suite: CipherSuite, scorer: &Scorer) -> Self {
        let mut config = client_with(suite, &server.root_pem);
        config.enable_secret_extraction = true;
        let mut client = Client::connect(server.address, config).expect("a connection");
        let body = scorer.body(0, 3);
        body.check(&client.score(&body.json).expect("an answer").body);
        let (connection, socket) = client.into_parts();
        let secrets = connection.dangerous_extract_secrets().expect("the secrets");
        let key = |secrets| {
            let (key, iv) = parts(secrets);
            traffic_key(suite, &key, &iv)
        };
        Self {
            socket,
            sent: (secrets.tx.0, key(secrets.tx.1)),
            received: (secrets.rx.0, key(secrets.rx.1)),
        }
    }

    /// Sends one record, and reads the alert that comes back: level and description.
    fn alert(mut self, plaintext: &[u8]) -> [u8; 2] {
        let (sequence, key) = &self.sent;
        self.socket.write_all(&seal(key, *sequence, plaintext)).expect("the record is sent");
        let mut record = vec![0; HEADER_BYTES];
        self.socket.read_exact(&mut record).expect("a record comes back");
        record.resize(HEADER_BYTES + usize::from(record[4]), 0);
        self.socket.read_exact(&mut record[HEADER_BYTES..]).expect("an alert is short");
        let (sequence, key) = &self.received;
        let inner = key.open(*sequence, &record).expect("the alert is authentic");
        let [level, description, 21] = inner[..] else {
            panic!("not an alert: {}", String::from_utf8_lossy(&inner));
        };
        self.socket.shutdown(Shutdown::Both).expect("the socket is shut down");
        [level, description]
    }
}

#[test]
fn authentic_records_that_are_unlawful_get_the_alert_of_rustls_with_ring() {
    let scorer = Scorer::new();
    let plain = InProcess::start_plain(ring());
    let (device, _transport) = Simulation::best().open();
    let offload = Offload::new(&device);
    let served = InProcess::start(&offload);
    for suite in DEVICE_SUITES {
        for (name, plaintext, verdict) in unlawful_plaintexts(record_version(suite)) {
            let before = served.images();
            for (server, is_plain) in [(&plain, true), (&served, false)] {
                let alert = TakenOver::connect(server, suite, &scorer).alert(&plaintext);
                assert_eq!(alert, alert_for(verdict, is_plain), "{suite:?}, {name}");
            }
            assert_serves(&served, suite, &scorer);
            assert_eq!(served.images(), before + IMAGES_SCORED, "{suite:?}, {name}");
        }
    }
    assert_eq!(offload.counts().disagreements, 0, "device and software judge alike");
    assert_device_did_all(&device);
}

/// The same over a whole request, so that what is compared above could have been answered.
#[test]
fn a_taken_over_connection_serves_lawful_records() {
    let scorer = Scorer::new();
    let server = InProcess::start_plain(ring());
    let TakenOver { mut socket, sent: (sequence, key), received: (first, received) } =
        TakenOver::connect(&server, DEVICE_SUITES[0], &scorer);
    let inner = inner_plaintext(&score_request(&scorer.body(5, 1).json), 23, 512);
    socket.write_all(&key.seal(sequence, &inner)).expect("the request is sent");
    let mut record = vec![0; HEADER_BYTES];
    socket.read_exact(&mut record).expect("an answer comes");
    record.resize(HEADER_BYTES + usize::from(u16::from_be_bytes([record[3], record[4]])), 0);
    socket.read_exact(&mut record[HEADER_BYTES..]).expect("an answer comes");
    let answer = received.open(first, &record).expect("the answer is authentic");
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer));
}

const GUARD: u8 = 0xA5;
const CONTEXT: u16 = 5;
const SEQUENCE: u64 = 11;

/// A lawful record: in TLS 1.3 padded to a multiple of 64 bytes, if so wanted.
fn lawful_record(key: &TrafficKey, sequence: u64, content: &[u8], padded: bool) -> Vec<u8> {
    let inner = || inner_plaintext(content, APPLICATION_DATA, if padded { 64 } else { 0 });
    match key.version() {
        TlsVersion::Tls13 => seal(key, sequence, &inner()),
        TlsVersion::Tls12 => seal(key, sequence, content),
    }
}

/// Records that OPEN must refuse: what was done to each, and the verdict.
fn refused_records(key: &TrafficKey, content: &[u8]) -> Vec<(String, Vec<u8>, Status)> {
    let good = lawful_record(key, SEQUENCE, content, false);
    let mut refused = Vec::new();
    let tag = good.len() - 16;
    // The first bit, with AES-GCM and TLS 1.2 that of the explicit nonce; one of the first byte of text; the last.
    let text_bits = [8 * HEADER_BYTES, 8 * (tag - content.len()) + 7, 8 * tag - 1];
    for bit in text_bits.into_iter().chain(8 * tag..8 * good.len()) {
        let mut record = good.clone();
        record[bit / 8] ^= 1 << (bit % 8);
        refused.push((format!("bit {bit}, the tag's from {}", 8 * tag), record, Status::BadTag));
    }
    for at in 0..HEADER_BYTES {
        let mut record = good.clone();
        record[at] ^= 0x01;
        // Any type may stand in the header of TLS 1.2, if it is that of the additional data.
        let verdict = match (key.version(), at) {
            (TlsVersion::Tls12, 0) => Status::BadTag,
            _ => Status::BadHeader,
        };
        refused.push((format!("byte {at} of the header"), record, verdict));
    }
    let cut = with_length(good[..good.len() - 1].to_vec(), -1);
    refused.push(("a byte cut off".into(), cut, Status::BadTag));
    let longer = with_length([&good[..], &[0]].concat(), 1);
    refused.push(("a byte more".into(), longer, Status::BadTag));
    let other = lawful_record(key, SEQUENCE + 1, content, false);
    refused.push(("another sequence number".into(), other, Status::BadTag));
    for (name, plaintext, verdict) in unlawful_plaintexts(key.version()) {
        refused.push((name.into(), seal(key, SEQUENCE, &plaintext), verdict));
    }
    refused
}

#[test]
fn a_refused_record_leaves_no_byte_in_the_destination() {
    let mut rng = random::rng();
    for &simulation in Simulation::ALL {
        for suite in DEVICE_SUITES {
            let mut device = RawDevice::start(simulation);
            let key = TrafficKey::random(&mut rng, record_version(suite), device_suite(suite));
            device.load(CONTEXT, Direction::Open, &key);
            for length in [1, 1_000, 16_384] {
                let content = random::bytes(&mut rng, length);
                let place = format!("{simulation:?}, {suite:?}, {length} bytes");
                for (name, record, expected) in refused_records(&key, &content) {
                    let (status, after, _) = open_raw(&mut device, &record);
                    assert_eq!(status, expected, "{place}, {name}");
                    let untouched = after.iter().all(|&byte| byte == GUARD);
                    assert!(untouched, "{place}, {name}: bytes were written");
                }
                let good = lawful_record(&key, SEQUENCE, &content, true);
                let (status, after, written) = open_raw(&mut device, &good);
                assert_eq!((status, written), (Status::Success, length), "the key still serves");
                let (before, rest) = after.split_at(OFFSET);
                let (found, behind) = rest.split_at(length);
                assert!(found == content, "{place}");
                let guarded = before.iter().chain(behind).all(|&byte| byte == GUARD);
                assert!(guarded, "{place}: bytes around the content were written");
            }
        }
    }
}

/// Place of the destination in its buffer: on no boundary of anything.
const OFFSET: usize = 4_099;

/// Opens `record` into a buffer of guard bytes: status, the buffer afterwards, and how many bytes are said to have been
/// written.
fn open_raw(device: &mut RawDevice, record: &[u8]) -> (Status, Vec<u8>, usize) {
    let source = device.buffer(record);
    let destination = device.buffer(&vec![GUARD; 8 * 4_096]);
    let entry = RecordEntry {
        opcode: Opcode::Open as u8,
        context: CONTEXT,
        sequence: SEQUENCE,
        source: source.iova(0),
        length: record.len() as u32,
        destination: destination.iova(OFFSET),
        capacity: record.len() as u32,
        ..RecordEntry::default()
    };
    let (status, completion) = device.run(&entry);
    if status != Status::Success {
        let said = (completion.written, completion.consumed, completion.content_type);
        assert_eq!(said, (0, 0, 0), "of a refused record nothing is told");
    }
    (status, destination.content(), completion.written as usize)
}
