// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The embedded server, asked over real sockets.

use std::io::{ErrorKind, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::thread;

use hickory_proto::op::{Edns, Message, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, RData, RecordType};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sealgate_control::dns::embedded::{EmbeddedDns, Settings, StartError};
use sealgate_control::dns::{Dns, DnsError};

use crate::ask::{addresses, ask, ask_with, dns_name, exchange, ip, question, texts, udp};

async fn server() -> EmbeddedDns {
    let settings = Settings {
        listen: vec![(Ipv4Addr::LOCALHOST, 0).into()],
        name_server_addresses: vec![ip("127.0.0.1")],
        ..Settings::default()
    };
    EmbeddedDns::start(dns_name("example.net"), &settings).await.unwrap()
}

fn at(server: &EmbeddedDns) -> SocketAddr {
    server.addresses()[0]
}

async fn serial(server: &EmbeddedDns) -> u32 {
    let soa = ask(at(server), "example.net", RecordType::SOA).await;
    let RData::SOA(soa) = &soa.answers[0].data else { panic!("{soa}") };
    soa.serial
}

#[tokio::test]
async fn a_published_name_is_answered_with_its_addresses_and_ttl() {
    let server = server().await;
    let name = dns_name("score1a2b3c.west.example.net");
    let published = [ip("192.0.2.1"), ip("192.0.2.2"), ip("2001:db8::1")];
    server.publish(&name, &published, false).await.unwrap();
    assert_eq!(addresses(at(&server), name.as_str()).await, published);

    let answer = ask(at(&server), "SCORE1A2B3C.West.example.net", RecordType::A).await;
    assert!(answer.authoritative && !answer.recursion_available);
    assert_eq!(answer.response_code, ResponseCode::NoError);
    assert!(answer.answers.iter().all(|record| record.ttl == 60), "{answer}");
    assert!(answer.queries[0].name.to_ascii().starts_with("SCORE1A2B3C.West"), "{answer}");

    server.publish(&name, &[ip("192.0.2.9")], false).await.unwrap();
    assert_eq!(addresses(at(&server), name.as_str()).await, [ip("192.0.2.9")]);
    server.withdraw(&name).await.unwrap();
    server.withdraw(&name).await.unwrap();
    let gone = ask(at(&server), name.as_str(), RecordType::A).await;
    assert_eq!(gone.response_code, ResponseCode::NXDomain);
}

#[tokio::test]
async fn what_is_not_there_is_told_with_the_soa() {
    let server = server().await;
    let name = dns_name("a.west.example.net");
    server.publish(&name, &[ip("192.0.2.1")], false).await.unwrap();
    let cases = [
        ("b.west.example.net", RecordType::A, ResponseCode::NXDomain),
        ("x.a.west.example.net", RecordType::A, ResponseCode::NXDomain),
        ("a.west.example.net", RecordType::AAAA, ResponseCode::NoError),
        ("a.west.example.net", RecordType::CNAME, ResponseCode::NoError),
        // Nothing is there, and something below it.
        ("west.example.net", RecordType::A, ResponseCode::NoError),
        ("example.net", RecordType::A, ResponseCode::NoError),
    ];
    for (name, kind, code) in cases {
        let answer = ask(at(&server), name, kind).await;
        assert_eq!(answer.response_code, code, "{name} {kind}");
        assert!(answer.authoritative && answer.answers.is_empty(), "{answer}");
        let [record] = &answer.authorities[..] else { panic!("{answer}") };
        let RData::SOA(soa) = &record.data else { panic!("{answer}") };
        assert_eq!((record.ttl, soa.minimum), (60, 60));
    }
}

#[tokio::test]
async fn the_zone_names_its_server() {
    let server = server().await;
    let answer = ask(at(&server), "example.net", RecordType::NS).await;
    assert_eq!(answer.answers[0].data.to_string(), "ns.example.net.");
    assert_eq!(addresses(at(&server), "ns.example.net").await, [ip("127.0.0.1")]);
    let name = dns_name("ns.example.net");
    let taken = server.publish(&name, &[ip("192.0.2.1")], false).await.unwrap_err();
    assert!(matches!(taken, DnsError::Taken { .. }), "{taken}");
}

#[tokio::test]
async fn texts_stand_beside_each_other() {
    let server = server().await;
    let name = "_acme-challenge.a.example.net";
    let long = "x".repeat(300);
    for value in ["first", "second", "first", &long] {
        server.add_txt(name, value).await.unwrap();
    }
    assert_eq!(texts(at(&server), name).await, ["first", "second", &long]);
    server.remove_txt(name, "first").await.unwrap();
    server.remove_txt(name, "never there").await.unwrap();
    assert_eq!(texts(at(&server), name).await, ["second", &long]);
}

#[tokio::test]
async fn the_serial_rises_with_each_change_and_with_nothing_else() {
    let server = server().await;
    let name = dns_name("a.example.net");
    let first = serial(&server).await;
    for (last, rise) in [(1, 1), (1, 1), (2, 2)] {
        server.publish(&name, &[ip(&format!("192.0.2.{last}"))], false).await.unwrap();
        assert_eq!(serial(&server).await - first, rise);
    }
    for (value, rise) in [("x", 3), ("x", 3), ("y", 4)] {
        server.add_txt(name.as_str(), value).await.unwrap();
        assert_eq!(serial(&server).await - first, rise);
    }
    server.remove_txt(name.as_str(), "never there").await.unwrap();
    assert_eq!(serial(&server).await - first, 4);
    for _ in 0..2 {
        server.withdraw(&name).await.unwrap();
        assert_eq!(serial(&server).await - first, 5);
    }
}

#[tokio::test]
async fn other_zones_transfers_and_updates_are_refused() {
    let server = server().await;
    let mut chaos = question("example.net", RecordType::TXT);
    chaos.queries[0].query_class = DNSClass::CH;
    let mut update = question("example.net", RecordType::SOA);
    update.metadata.op_code = OpCode::Update;
    let mut twice = question("example.net", RecordType::SOA);
    twice.add_query(Query::new());
    let cases = [
        (question("example.org", RecordType::A), ResponseCode::Refused),
        (question("net", RecordType::NS), ResponseCode::Refused),
        (question("notexample.net", RecordType::A), ResponseCode::Refused),
        (question("example.net", RecordType::AXFR), ResponseCode::Refused),
        (question("example.net", RecordType::IXFR), ResponseCode::Refused),
        (chaos, ResponseCode::Refused),
        (update, ResponseCode::NotImp),
        (twice, ResponseCode::FormErr),
    ];
    for (request, code) in cases {
        let text = request.to_string();
        let answer = ask_with(at(&server), request).await;
        assert_eq!(answer.response_code, code, "{text}");
        assert!(!answer.authoritative && answer.answers.is_empty(), "{answer}");
    }
    for outside in ["a.example.org", "example.net.evil", "a..example.net"] {
        let error = server.add_txt(outside, "x").await.unwrap_err();
        assert!(matches!(error, DnsError::OutsideZone { .. }), "{error}");
    }
}

#[tokio::test]
async fn edns_is_answered_with_edns_and_a_later_version_is_refused() {
    let server = server().await;
    let mut request = question("example.net", RecordType::NS);
    request.set_edns(Edns::new());
    let answer = ask_with(at(&server), request.clone()).await;
    assert_eq!(answer.response_code, ResponseCode::NoError);
    assert_eq!(answer.edns.unwrap().version(), 0);
    request.edns.as_mut().unwrap().set_version(1);
    let answer = ask_with(at(&server), request).await;
    // 16 is BADSIG too, which only the place tells apart.
    assert_eq!(u16::from(answer.response_code), u16::from(ResponseCode::BADVERS));
    assert!(answer.answers.is_empty());
}

#[tokio::test]
async fn what_does_not_fit_a_datagram_is_to_be_had_over_tcp() {
    let server = server().await;
    let name = dns_name("many.example.net");
    let published: Vec<_> = (1..=100).map(|last| ip(&format!("192.0.2.{last}"))).collect();
    server.publish(&name, &published, false).await.unwrap();
    let address = at(&server);
    let asking = move || {
        let mut request = question("many.example.net", RecordType::A);
        let plain = udp(address, &request.to_vec().unwrap());
        request.set_edns(Edns::new()).edns.as_mut().unwrap().set_max_payload(4096);
        let extended = udp(address, &request.to_vec().unwrap());
        for (response, limit) in [(plain, 512), (extended, 1232)] {
            assert!(response.len() <= limit, "{}", response.len());
            assert!(Message::from_vec(&response).unwrap().truncation);
        }
        let mut stream = TcpStream::connect(address).unwrap();
        for _ in 0..3 {
            let response = exchange(&mut stream, &request.to_vec().unwrap());
            let response = Message::from_vec(&response).unwrap();
            assert!(!response.truncation);
            assert_eq!(response.answers.len(), 100);
        }
    };
    tokio::task::spawn_blocking(asking).await.unwrap();
}

#[tokio::test]
async fn nonsense_is_answered_with_an_error_or_not_at_all() {
    let server = server().await;
    let seed = std::env::var("SEALGATE_SEED")
        .map_or_else(|_| rand::random(), |seed| seed.parse().expect("SEALGATE_SEED is a number"));
    println!("SEALGATE_SEED={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let address = at(&server);
    let socket = tokio::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    for _ in 0..2000 {
        let mut request = question("a.example.net", RecordType::A).to_vec().unwrap();
        for _ in 0..rng.random_range(1..6) {
            let place = rng.random_range(0..request.len());
            request[place] = rng.random();
        }
        request.truncate(rng.random_range(0..=request.len()));
        socket.send_to(&request, address).await.unwrap();
    }
    let answer = ask(address, "example.net", RecordType::SOA).await;
    assert_eq!(answer.response_code, ResponseCode::NoError);
}

#[tokio::test]
async fn connections_beyond_the_bound_wait_and_silent_ones_are_ended() {
    let server = server().await;
    let address = at(&server);
    let asking = move || {
        let silent: Vec<_> = (0..64).map(|_| TcpStream::connect(address).unwrap()).collect();
        // It is answered only after one of the silent ones has been ended.
        let mut stream = TcpStream::connect(address).unwrap();
        exchange(&mut stream, &question("example.net", RecordType::SOA).to_vec().unwrap());
        let ended = silent.into_iter().map(|mut stream| {
            thread::spawn(move || match stream.read(&mut [0]) {
                Ok(octets) => octets == 0,
                Err(error) => error.kind() == ErrorKind::ConnectionReset,
            })
        });
        assert!(ended.collect::<Vec<_>>().into_iter().all(|ended| ended.join().unwrap()));
    };
    tokio::task::spawn_blocking(asking).await.unwrap();
}

#[tokio::test]
async fn a_stopped_server_leaves_its_address_to_another() {
    let first = server().await;
    let address = at(&first);
    let settings = Settings { listen: vec![address], ..Settings::default() };
    let taken = EmbeddedDns::start(dns_name("example.org"), &settings).await.unwrap_err();
    assert!(matches!(taken, StartError::Bind { .. }), "{taken}");
    assert!(taken.to_string().contains(&address.to_string()), "{taken}");
    first.stop().await;
    let second = EmbeddedDns::start(dns_name("example.org"), &settings).await.unwrap();
    let answer = ask(at(&second), "example.org", RecordType::SOA).await;
    assert_eq!(answer.response_code, ResponseCode::NoError);
}

/// Another implementation reads what ours writes.
#[tokio::test]
async fn knot_kdig_reads_the_embedded_server() {
    let server = server().await;
    let name = dns_name("a.example.net");
    server.publish(&name, &[ip("192.0.2.1"), ip("2001:db8::1")], false).await.unwrap();
    let port = at(&server).port().to_string();
    let kdig = move |arguments: &'static [&'static str]| {
        let port = port.clone();
        async move {
            let mut command = Command::new("kdig");
            command.args(["@127.0.0.1", "-p", &port]).args(arguments);
            let output = tokio::task::spawn_blocking(move || command.output().unwrap());
            let output = output.await.unwrap();
            String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
        }
    };
    assert_eq!(kdig(&["+short", "a.example.net", "A"]).await, "192.0.2.1\n");
    assert_eq!(kdig(&["+short", "+tcp", "a.example.net", "AAAA"]).await, "2001:db8::1\n");
    assert!(kdig(&["b.example.net"]).await.contains("status: NXDOMAIN"));
    assert!(
        kdig(&["+edns", "+bufsize=1232", "a.example.net"]).await.contains("EDNS PSEUDOSECTION")
    );
    assert!(kdig(&["example.net", "AXFR"]).await.contains("REFUSED"));
    assert!(kdig(&["example.org"]).await.contains("status: REFUSED"));
}
