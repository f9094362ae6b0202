// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Managed certificates of a real ACME authority (pebble), names in a real DNS server (knot).

#[path = "../../control/tests/support/knot.rs"]
mod knot;
#[path = "../../control/tests/support/pebble.rs"]
mod pebble;
mod support;

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use knot::Knot;
use pebble::{Options, Pebble};
use serde_json::Value;
use support::targets::{Server, host, is_ok, until_within};
use support::text;

/// A server that asks `pebble`, and how that is to run for it.
fn start(pebble: &Pebble, flags: &[&str]) -> (Server, Options) {
    let (directory, root) = (pebble.directory(), pebble.root_file());
    let acme = ["--acme-directory", &directory, "--acme-root", text(&root)];
    let server = Server::start_at("127.0.0.1", &[&acme, flags].concat());
    let dns = server.dns().unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 9)));
    let options = Options::new(dns, server.http.port(), server.https.port());
    (server, options)
}

/// The address of `name` at a DNS server, or nothing.
fn kdig(server: SocketAddr, name: &str) -> String {
    let (host, port) = (format!("@{}", server.ip()), server.port().to_string());
    let output = Command::new("kdig").args(["+short", &host, "-p", &port, name, "A"]).output();
    String::from_utf8(output.unwrap().stdout).unwrap().trim().to_owned()
}

#[test]
fn pebble_issues_by_each_challenge() {
    for challenge in ["http-01", "tls-alpn-01", "dns-01"] {
        let mut pebble = Pebble::prepare();
        let (server, options) = start(&pebble, &["--acme-challenge", challenge]);
        pebble.run(Options { nonce_reject_percent: 50, ..options });
        server.cli(&["target", "create", "aks", "--ssl-leaf-domain-label", "contoso"]);
        let uri = server.uri("aks");
        let answer = server.https(host(&uri), &pebble.issuing_root_pem(), "/");
        assert!(is_ok(&answer), "{challenge}: {answer:?}");
        let target = server.target("aks");
        let renew_at = target["certificate"]["renewAt"].as_str().unwrap();
        assert!(renew_at < target["certificate"]["notAfter"].as_str().unwrap(), "{target}");
    }
}

#[test]
fn pebble_and_knot_issue_by_signed_updates() {
    let mut knot = Knot::start("example.net");
    let mut pebble = Pebble::prepare();
    let address = knot.address().to_string();
    let key = knot.key_file();
    let dns = ["--dns-update", &address, "--dns-key-file", text(&key)];
    let flags = [&dns[..], &["--acme-challenge", "dns-01"]].concat();
    let (server, options) = start(&pebble, &flags);
    pebble.run(Options { dns_server: knot.address(), ..options });
    server.cli(&["target", "create", "aks"]);
    let uri = server.uri("aks");
    assert!(is_ok(&server.https(host(&uri), &pebble.issuing_root_pem(), "/")));
    assert_eq!(kdig(knot.address(), host(&uri)), "127.0.0.1");
    server.cli(&["target", "delete", "aks"]);
    assert_eq!(kdig(knot.address(), host(&uri)), "");

    // A name that could not be given back is given back later.
    server.cli(&["target", "create", "shop"]);
    let uri = server.uri("shop");
    knot.stop();
    server.cli(&["target", "delete", "shop"]);
    let status = || server.try_cli(&["status"]).1;
    assert!(status().contains("is not used any more, but its records"), "{}", status());
    knot.restart();
    until_within(Duration::from_secs(120), || kdig(knot.address(), host(&uri)).is_empty());
    until_within(Duration::from_secs(60), || status() == "ready\n");
}

#[test]
fn knot_refuses_a_key_that_may_not_update_and_the_message_says_so() {
    let knot = Knot::start("example.net");
    let (address, key) = (knot.address().to_string(), knot.onlooker_key_file());
    let server = Server::start(&["--dns-update", &address, "--dns-key-file", text(&key)]);
    let (code, _, error) = server.try_cli(&["target", "create", "aks"]);
    assert_eq!((code, error.contains("refused to change aks")), (10, true), "{error}");
}

#[test]
fn pebble_that_cannot_be_reached_is_asked_again_and_the_old_certificate_stays() {
    let mut pebble = Pebble::prepare();
    let (server, options) = start(&pebble, &[]);
    let (code, _, error) = server.try_cli(&["target", "create", "aks"]);
    assert_eq!((code, error.contains("cannot be reached")), (11, true), "{error}");
    assert!(server.http("127.0.0.1", "/").starts_with("HTTP/1.1 404"), "never plain");
    pebble.run(options);
    until_within(Duration::from_secs(60), || server.uri("aks").starts_with("https://"));
    let uri = server.uri("aks");
    let root = pebble.issuing_root_pem();
    assert!(is_ok(&server.https(host(&uri), &root, "/")));

    pebble.stop();
    let update = ["target", "update", "aks", "--ssl-leaf-domain-label", "aks", "--ssl-renew"];
    let (code, _, _) = server.try_cli(&update);
    assert_eq!(code, 11);
    assert!(is_ok(&server.https(host(&uri), &root, "/")));
    let (_, status, _) = server.try_cli(&["status"]);
    assert!(status.contains("its last change, which failed: no certificate"), "{status}");
}

#[test]
fn pebble_renews_five_times_under_load_with_an_outage_in_between() {
    // `SEALGATE_CERTIFICATE_SECONDS=120` for the long run.
    let seconds = std::env::var("SEALGATE_CERTIFICATE_SECONDS").ok();
    let seconds: u64 = seconds.and_then(|seconds| seconds.parse().ok()).unwrap_or(12);
    let lifetime = Duration::from_secs(seconds);
    let mut pebble = Pebble::prepare();
    let (server, options) = start(&pebble, &[]);
    let server = Arc::new(server);
    pebble.run(Options { nonce_reject_percent: 20, validity: Some(lifetime), ..options });
    server.cli(&["target", "create", "aks"]);
    let name = host(&server.uri("aks")).to_owned();
    // Pebble has another root after each start; the client trusts all that there were.
    let roots = Arc::new(std::sync::Mutex::new(pebble.issuing_root_pem()));
    let over = Arc::new(AtomicBool::new(false));
    let load = {
        let (server, over, roots) = (Arc::clone(&server), Arc::clone(&over), Arc::clone(&roots));
        let name = name.clone();
        thread::spawn(move || {
            let mut requests = 0;
            while !over.load(Ordering::Relaxed) {
                let trusted = roots.lock().unwrap().clone();
                let answer = server.https(&name, &trusted, "/");
                assert!(is_ok(&answer), "request {requests}: {answer:?}");
                requests += 1;
            }
            requests
        })
    };
    let fingerprint = || server.target("aks")["certificate"]["fingerprintSha256"].clone();
    for renewal in 1..=5 {
        let before: Value = fingerprint();
        if renewal == 3 {
            // Longer than the authority is asked in vain once, shorter than what is left.
            pebble.stop();
            thread::sleep(lifetime / 4);
            pebble.start_again();
            let mut trusted = roots.lock().unwrap();
            trusted.push_str(&pebble.issuing_root_pem());
        }
        until_within(lifetime * 2 + Duration::from_secs(30), || fingerprint() != before);
    }
    over.store(true, Ordering::Relaxed);
    let requests = load.join().unwrap();
    println!("5 renewals of certificates valid for {seconds} s, {requests} requests");
    assert!(requests > 0);
}
