// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What resolvers answer, and what is made of it.

use std::net::{Ipv4Addr, SocketAddr};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::CNAME;
use hickory_proto::rr::{RData, Record, RecordType};
use sealgate_control::dns::Dns;
use sealgate_control::dns::check::{Answer, Trouble, check};
use sealgate_control::dns::embedded::{EmbeddedDns, Settings};

use crate::ask::{Scripted, dns_name, ip, response_to, wire_name};

const NAME: &str = "a.example.net";

/// What one server's answer to [`NAME`], expected at 192.0.2.1, comes to.
async fn answer_of(server: SocketAddr) -> Answer {
    let mut report = check(&dns_name(NAME), &[ip("192.0.2.1")], &[server]).await;
    assert_eq!(report.matches, report.answers[0].matches);
    report.answers.remove(0)
}

fn record(name: &str, ttl: u32, data: RData) -> Record {
    Record::from_rdata(wire_name(name), ttl, data)
}

fn address(last: u8) -> RData {
    RData::A(Ipv4Addr::new(192, 0, 2, last).into())
}

/// The records of the wanted type, and aliases, as resolvers answer.
fn answering(records: Vec<Record>) -> impl Fn(&Message) -> Option<Message> + Clone {
    move |request| {
        let wanted = [request.queries[0].query_type, RecordType::CNAME];
        let mut response = response_to(request);
        let of_type = records.iter().filter(|record| wanted.contains(&record.record_type()));
        response.add_answers(of_type.cloned());
        Some(response)
    }
}

#[tokio::test]
async fn each_resolver_is_told_apart() {
    let new = Scripted::start(answering(vec![record(NAME, 60, address(1))])).await;
    let old = Scripted::start(answering(vec![record(NAME, 212, address(7))])).await;
    let resolvers = [new.address, old.address];
    let report = check(&dns_name(NAME), &[ip("192.0.2.1")], &resolvers).await;
    assert!(!report.matches);
    assert_eq!(
        report.answers.iter().map(|answer| answer.matches).collect::<Vec<_>>(),
        [true, false]
    );
    assert_eq!(
        report.to_string(),
        format!(
            "a.example.net points at 192.0.2.1 at {} (as expected, 60 s left)\n\
             a.example.net points at 192.0.2.7 at {} (old, 212 s left); expected 192.0.2.1",
            new.address, old.address
        )
    );
    assert!(check(&dns_name(NAME), &[ip("192.0.2.1")], &resolvers[..1]).await.matches);
    assert!(!check(&dns_name(NAME), &[ip("192.0.2.1")], &[]).await.matches);
}

#[tokio::test]
async fn an_answer_through_aliases_lives_as_long_as_the_shortest() {
    let chain = vec![
        record("c.example.org", 40, address(1)),
        record("b.example.org", 30, RData::CNAME(CNAME(wire_name("c.example.org")))),
        record(NAME, 50, RData::CNAME(CNAME(wire_name("b.example.org")))),
        record("unrelated.example.org", 1, address(9)),
    ];
    let answer = answer_of(Scripted::start(answering(chain)).await.address).await;
    assert!(answer.matches, "{answer:?}");
    assert_eq!(answer.cname.as_deref(), Some("c.example.org"));
    assert_eq!(answer.ttl_seconds, Some(30));
}

#[tokio::test]
async fn aliases_in_a_circle_end() {
    let circle = vec![
        record(NAME, 50, RData::CNAME(CNAME(wire_name("b.example.org")))),
        record("b.example.org", 30, RData::CNAME(CNAME(wire_name(NAME)))),
    ];
    let answer = answer_of(Scripted::start(answering(circle)).await.address).await;
    assert_eq!(answer.error, Some(Trouble::NoAddress));
}

#[tokio::test]
async fn an_address_too_many_is_no_match() {
    let both = vec![record(NAME, 60, address(1)), record(NAME, 60, address(2))];
    let answer = answer_of(Scripted::start(answering(both)).await.address).await;
    assert!(!answer.matches);
    assert_eq!(answer.addresses, [ip("192.0.2.1"), ip("192.0.2.2")]);
}

#[tokio::test]
async fn long_answers_are_fetched_over_tcp() {
    let many = (1..=100).map(|last| record(NAME, 60, address(last))).collect();
    let answer = answer_of(Scripted::start(answering(many)).await.address).await;
    assert_eq!(answer.addresses.len(), 100);
}

#[tokio::test]
async fn troubles_are_told_apart() {
    for (code, trouble) in [
        (ResponseCode::NXDomain, Trouble::NoSuchName),
        (ResponseCode::NoError, Trouble::NoAddress),
        (ResponseCode::ServFail, Trouble::ServerFailure),
        (ResponseCode::Refused, Trouble::Refused),
        (ResponseCode::NotImp, Trouble::Malformed),
    ] {
        let server = Scripted::start(move |request| {
            let mut response = response_to(request);
            response.metadata.response_code = code;
            Some(response)
        })
        .await;
        assert_eq!(answer_of(server.address).await.error, Some(trouble));
    }
    let silent = Scripted::start(|_| None).await;
    assert_eq!(answer_of(silent.address).await.error, Some(Trouble::Timeout));
    let closed = Scripted::start(|_| None).await.address;
    assert_eq!(answer_of(closed).await.error, Some(Trouble::Unreachable));
}

#[tokio::test]
async fn a_resolver_that_fails_for_one_kind_of_address_is_no_match() {
    let one = answering(vec![record(NAME, 60, address(1))]);
    let server = Scripted::start(move |request| {
        let mut response = one(request)?;
        if request.queries[0].query_type == RecordType::AAAA {
            response.metadata.response_code = ResponseCode::ServFail;
        }
        Some(response)
    })
    .await;
    let report = check(&dns_name(NAME), &[ip("192.0.2.1")], &[server.address]).await;
    assert!(!report.matches);
    assert_eq!(report.answers[0].error, Some(Trouble::ServerFailure));
    assert!(report.to_string().contains("points at 192.0.2.1"), "{report}");
}

#[tokio::test]
async fn the_embedded_server_is_what_was_published() {
    let settings =
        Settings { listen: vec![(Ipv4Addr::LOCALHOST, 0).into()], ..Settings::default() };
    let server = EmbeddedDns::start(dns_name("example.net"), &settings).await.unwrap();
    let at = server.addresses()[0];
    assert_eq!(answer_of(at).await.error, Some(Trouble::NoSuchName));
    server.publish(&dns_name(NAME), &[ip("192.0.2.1")], false).await.unwrap();
    let answer = answer_of(at).await;
    assert!(answer.matches);
    assert_eq!(answer.ttl_seconds, Some(60));
}
