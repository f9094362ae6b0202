// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Signed updates, to knot and to servers that are not what they should be.

use std::path::Path;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::tsig::{TsigAlgorithm, TsigError, make_tsig_record};
use hickory_proto::rr::{RecordType, TSigner};
use sealgate_control::dns::tsig::TsigKey;
use sealgate_control::dns::update::UpdateDns;
use sealgate_control::dns::{Dns, DnsError};

use crate::ask::{Scripted, addresses, ask, dns_name, ip, response_to, texts, wire_name};
use crate::knot::Knot;

const ZONE: &str = "example.net";

const SOME_KEY: &str = "update-256:hmac-sha256:bm90IHRoZSBrZXkgb2YgdGhlIHNlcnZlcg==";

fn client(knot: &Knot, key: &Path) -> UpdateDns {
    UpdateDns::new(dns_name(ZONE), knot.address(), TsigKey::read(key).unwrap()).unwrap()
}

fn client_of(server: &Scripted) -> UpdateDns {
    UpdateDns::new(dns_name(ZONE), server.address, TsigKey::parse(SOME_KEY).unwrap()).unwrap()
}

#[tokio::test]
async fn knot_publishes_replaces_and_withdraws_with_every_algorithm() {
    let knot = Knot::start(ZONE);
    for key in knot.key_files() {
        let dns = client(&knot, &key).with_ttl_seconds(30);
        let name = dns_name("a1b2c3.west.example.net");
        let published = [ip("192.0.2.1"), ip("192.0.2.2"), ip("2001:db8::1")];
        dns.publish(&name, &published, false).await.unwrap();
        assert_eq!(addresses(knot.address(), name.as_str()).await, published);
        let answer = ask(knot.address(), name.as_str(), RecordType::A).await;
        assert!(answer.answers.iter().all(|record| record.ttl == 30), "{answer}");
        // What is ours may change, also from one kind of address to the other.
        for next in ["192.0.2.3", "2001:db8::2", "192.0.2.4"] {
            dns.publish(&name, &[ip(next)], false).await.unwrap();
            assert_eq!(addresses(knot.address(), name.as_str()).await, [ip(next)]);
        }
        dns.withdraw(&name).await.unwrap();
        dns.withdraw(&name).await.unwrap();
        let gone = ask(knot.address(), name.as_str(), RecordType::A).await;
        assert_eq!(gone.response_code, ResponseCode::NXDomain);
    }
}

#[tokio::test]
async fn knot_keeps_what_others_published_unless_told_to_overwrite() {
    let knot = Knot::start(ZONE);
    let dns = client(&knot, &knot.key_file());
    let before = "192.0.2.80";
    for name in ["alias.example.net", "www.example.net"] {
        let name = dns_name(name);
        let taken = dns.publish(&name, &[ip("192.0.2.1")], false).await.unwrap_err();
        assert!(matches!(taken, DnsError::Taken { .. }), "{taken}");
        let answer = ask(knot.address(), name.as_str(), RecordType::A).await;
        assert!(answer.to_string().contains(before), "{answer}");
        dns.publish(&name, &[ip("192.0.2.1")], true).await.unwrap();
        assert_eq!(addresses(knot.address(), name.as_str()).await, [ip("192.0.2.1")]);
        // It is ours from now on.
        dns.publish(&name, &[ip("192.0.2.2")], false).await.unwrap();
        assert_eq!(addresses(knot.address(), name.as_str()).await, [ip("192.0.2.2")]);
    }
}

#[tokio::test]
async fn knot_has_the_same_addresses_already() {
    let knot = Knot::start(ZONE);
    let name = dns_name("a.example.net");
    let published = [ip("192.0.2.1"), ip("2001:db8::1")];
    client(&knot, &knot.key_file()).publish(&name, &published, false).await.unwrap();
    // As after a restart: nothing is remembered.
    let later = client(&knot, &knot.key_file());
    later.publish(&name, &published, false).await.unwrap();
    let other = client(&knot, &knot.key_file());
    for fewer in [&published[..1], &published[1..]] {
        let taken = other.publish(&name, fewer, false).await.unwrap_err();
        assert!(matches!(taken, DnsError::Taken { .. }), "{taken}");
    }
    // Somebody has come in between: what we remember is no licence.
    other.publish(&name, &[ip("192.0.2.7")], true).await.unwrap();
    let taken = later.publish(&name, &[ip("192.0.2.8")], false).await.unwrap_err();
    assert!(matches!(taken, DnsError::Taken { .. }), "{taken}");
    assert_eq!(addresses(knot.address(), name.as_str()).await, [ip("192.0.2.7")]);
}

#[tokio::test]
async fn knot_answers_with_a_text_once_it_is_added() {
    let knot = Knot::start(ZONE);
    let dns = client(&knot, &knot.key_file()).with_secondaries(vec![knot.address()]);
    let name = "_acme-challenge.a.example.net";
    for value in ["first", "second", "first"] {
        dns.add_txt(name, value).await.unwrap();
    }
    assert_eq!(texts(knot.address(), name).await, ["first", "second"]);
    dns.remove_txt(name, "first").await.unwrap();
    dns.remove_txt(name, "never there").await.unwrap();
    assert_eq!(texts(knot.address(), name).await, ["second"]);
}

#[tokio::test]
async fn knot_says_which_key_it_wants() {
    let knot = Knot::start(ZONE);
    let name = dns_name("a.example.net");
    let server = knot.address();
    let unknown = SOME_KEY.replace("update-256", "nobody");
    let other_algorithm = SOME_KEY.replace("sha256", "sha512");
    let keys = [
        (
            TsigKey::read(&knot.onlooker_key_file()).unwrap(),
            "BADKEY: it does not know the key onlooker. (hmac-sha256), or not for this",
        ),
        (TsigKey::parse(SOME_KEY).unwrap(), "BADSIG: its secret of the key update-256."),
        (TsigKey::parse(&unknown).unwrap(), "BADKEY: it does not know the key nobody."),
        (
            TsigKey::parse(&other_algorithm).unwrap(),
            "BADKEY: it does not know the key update-256. (hmac-sha512)",
        ),
    ];
    for (key, message) in keys {
        let dns = UpdateDns::new(dns_name(ZONE), server, key).unwrap();
        let refused = dns.publish(&name, &[ip("192.0.2.1")], true).await.unwrap_err();
        assert!(matches!(refused, DnsError::Refused { .. }), "{refused}");
        assert!(refused.to_string().contains(message), "{refused}");
        assert!(refused.to_string().contains(&server.to_string()), "{refused}");
    }
    assert!(addresses(server, name.as_str()).await.is_empty());
}

#[tokio::test]
async fn knot_does_not_serve_another_zone() {
    let knot = Knot::start(ZONE);
    let key = || TsigKey::read(&knot.key_file()).unwrap();
    let other = UpdateDns::new(dns_name("example.org"), knot.address(), key()).unwrap();
    let name = dns_name("a.example.org");
    let refused = other.publish(&name, &[ip("192.0.2.1")], false).await.unwrap_err();
    assert!(refused.to_string().contains("NOTAUTH: it is not the primary"), "{refused}");
    let ours = client(&knot, &knot.key_file());
    let outside = ours.publish(&name, &[ip("192.0.2.1")], false).await.unwrap_err();
    assert!(matches!(outside, DnsError::OutsideZone { .. }), "{outside}");
}

#[tokio::test]
async fn knot_keeps_acknowledged_records_when_it_is_killed() {
    let mut knot = Knot::start(ZONE);
    let dns = client(&knot, &knot.key_file());
    let name = dns_name("a.example.net");
    dns.publish(&name, &[ip("192.0.2.1")], false).await.unwrap();
    knot.stop();
    let gone = dns.publish(&name, &[ip("192.0.2.2")], false).await.unwrap_err();
    assert!(matches!(gone, DnsError::Unreachable { .. }), "{gone}");
    assert!(gone.to_string().contains(&knot.address().to_string()), "{gone}");
    knot.restart();
    assert_eq!(addresses(knot.address(), name.as_str()).await, [ip("192.0.2.1")]);
    dns.publish(&name, &[ip("192.0.2.2")], false).await.unwrap();
    assert_eq!(addresses(knot.address(), name.as_str()).await, [ip("192.0.2.2")]);
}

#[tokio::test]
async fn a_response_without_our_signature_confirms_nothing() {
    let unsigned = Scripted::unsigned().await;
    let forged = Scripted::start(|request| {
        let name = wire_name("update-256");
        let key = b"another key than ours".to_vec();
        let signer = TSigner::new(key, TsigAlgorithm::HmacSha256, name, 300).unwrap();
        let mut response = response_to(request);
        let time = request.signature().unwrap().data.time;
        response.finalize(&signer, time).unwrap();
        Some(response)
    })
    .await;
    for server in [unsigned, forged] {
        let dns = client_of(&server);
        let name = dns_name("a.example.net");
        for error in [
            dns.publish(&name, &[ip("192.0.2.1")], false).await.unwrap_err(),
            dns.withdraw(&name).await.unwrap_err(),
            dns.add_txt("a.example.net", "x").await.unwrap_err(),
        ] {
            assert!(matches!(error, DnsError::Unconfirmed { .. }), "{error}");
            assert!(error.to_string().contains("not signed with our key"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_refusal_tells_its_mend() {
    let bad_time = |request: &Message| {
        let signature = request.signature().unwrap();
        let mut data = signature.data.clone();
        data.error = Some(TsigError::BadTime);
        let mut response = response_to(request);
        response.metadata.response_code = ResponseCode::NotAuth;
        response.set_signature(Box::new(make_tsig_record(signature.name.clone(), data)));
        Some(response)
    };
    let refused = refusal_of(&Scripted::start(bad_time).await).await;
    assert!(refused.contains("BADTIME: its clock and ours differ"), "{refused}");
    for (code, message) in [
        (ResponseCode::Refused, "REFUSED: the key update-256. (hmac-sha256) may not"),
        (ResponseCode::NotZone, "NOTZONE: the name is in another zone"),
        (ResponseCode::ServFail, "SERVFAIL: it could not make the change"),
        (ResponseCode::NotImp, "NOTIMP: it takes no updates"),
        (ResponseCode::FormErr, "its log tells why"),
    ] {
        let server = Scripted::start(move |request| {
            let mut response = response_to(request);
            response.metadata.response_code = code;
            Some(response)
        })
        .await;
        let refused = refusal_of(&server).await;
        assert!(refused.contains(message), "{refused}");
    }
}

async fn refusal_of(server: &Scripted) -> String {
    let name = dns_name("a.example.net");
    let refused = client_of(server).publish(&name, &[ip("192.0.2.1")], false).await.unwrap_err();
    assert!(matches!(refused, DnsError::Refused { .. }), "{refused}");
    let refused = refused.to_string();
    assert!(!refused.contains('\n') && !refused.contains("bm90IHRoZSBrZXk"), "{refused}");
    refused
}
