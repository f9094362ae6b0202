// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `sealgate serve`, seen by its clients.

mod support;

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;
use std::{fs, thread};

use rustix::process::Signal;
use tempfile::TempDir;

use support::targets::until;
use support::{Serving, TlsStream, answer, score_request, text};

#[test]
fn a_score_over_tls_whose_records_the_device_sealed_and_opened() {
    let mut serving = Serving::start(&["--device", "sim:model"]);
    let (head, body) = serving.request(&score_request());
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}\n{body}");
    let answer: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(answer["result"].as_array().map(Vec::len), Some(1), "{body}");

    assert!(serving.metric("sealgate_device_opened_records_total") > 0);
    assert!(serving.metric("sealgate_device_sealed_bytes_total") > body.len() as u64);
    assert_eq!(serving.metric("sealgate_device_healthy"), 1);
    for operation in ["seal", "open"] {
        for reason in ["timeout", "device_failed", "tls12", "suite", "below_threshold"] {
            let labels = format!("{{operation=\"{operation}\",reason=\"{reason}\"}}");
            assert_eq!(serving.metric(&format!("sealgate_software_records_total{labels}")), 0);
        }
    }
    serving.signal(Signal::TERM);
    assert!(serving.ended().success(), "{}", serving.log());
}

#[test]
fn without_a_device_every_record_is_counted_as_software() {
    let serving = Serving::start(&["--device", "none"]);
    let (head, _) = serving.request(&score_request());
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let opened = "sealgate_software_records_total{operation=\"open\",reason=\"no_device\"}";
    assert!(serving.metric(opened) > 0);
    let (_, metrics) = serving.get("/metrics");
    assert!(!metrics.contains("sealgate_device_"), "{metrics}");
}

#[test]
fn auto_says_which_it_took() {
    let serving = Serving::start(&[]);
    assert!(
        serving.log().contains("device auto: software seals and opens all records"),
        "{}",
        serving.log()
    );
    let (head, _) = serving.get("/");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
}

#[test]
fn small_records_go_to_software_when_asked() {
    let serving = Serving::start(&["--device", "sim:model", "--software-below", "100000"]);
    let (head, _) = serving.request(&score_request());
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let sealed = "sealgate_software_records_total{operation=\"seal\",reason=\"below_threshold\"}";
    assert!(serving.metric(sealed) > 0);
    assert_eq!(serving.metric("sealgate_device_sealed_records_total"), 0);
}

#[test]
fn a_threshold_can_be_measured() {
    let serving = Serving::start(&["--device", "sim:model", "--software-below", "measured"]);
    let (head, _) = serving.request(&score_request());
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
}

#[test]
fn own_certificates_are_served() {
    let directory = TempDir::new().expect("temporary directory");
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("certificate");
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| directory.path().join(name));
    fs::write(&cert, own.cert.pem()).expect("written");
    fs::write(&key, own.signing_key.serialize_pem()).expect("written");
    let serving = Serving::start(&["--tls-cert", text(&cert), "--tls-key", text(&key)]);
    assert_eq!(serving.certificate, cert);
    assert!(serving.get("/").0.starts_with("HTTP/1.1 200 "));
    assert!(!serving.log().contains("development"), "{}", serving.log());
}

#[test]
fn own_certificates_are_followed_when_their_files_change() {
    let directory = TempDir::new().expect("temporary directory");
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| directory.path().join(name));
    let write = || {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("own");
        fs::write(&cert, own.cert.pem()).expect("written");
        fs::write(&key, own.signing_key.serialize_pem()).expect("written");
    };
    write();
    // Clients trust what stands in the file, and nothing else.
    let serving = Serving::start(&["--tls-cert", text(&cert), "--tls-key", text(&key)]);
    write();
    until(|| serving.log().contains("the certificate was replaced"));
    assert!(serving.get("/").0.starts_with("HTTP/1.1 200 "));

    // What does not fit together is not served.
    fs::write(&key, rcgen::KeyPair::generate().expect("key").serialize_pem()).expect("written");
    until(|| serving.log().contains("the certificate stays as it is"));
    assert!(serving.get("/").0.starts_with("HTTP/1.1 200 "));
}

#[test]
fn the_development_certificate_is_written_without_its_key() {
    let directory = TempDir::new().expect("temporary directory");
    let path = directory.path().join("dev.pem");
    let serving = Serving::start(&["--dev-cert", text(&path)]);
    assert_eq!(serving.certificate, path);
    let pem = fs::read_to_string(&path).expect("written");
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----") && !pem.contains("PRIVATE"), "{pem}");
    assert!(serving.log().contains("development certificate"), "{}", serving.log());
    assert!(serving.get("/").0.starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_crash_would_leave_no_core_dump() {
    let serving = Serving::start(&[]);
    let limits = fs::read_to_string(format!("/proc/{}/limits", serving.pid())).expect("limits");
    let core =
        limits.lines().find_map(|line| line.strip_prefix("Max core file size")).expect("core");
    assert_eq!(core.split_whitespace().take(2).collect::<Vec<_>>(), ["0", "0"]);
}

#[test]
fn several_addresses_are_listened_on() {
    let serving = Serving::start(&["--listen", "127.0.0.1:0"]);
    let ready = fs::read_to_string(&serving.ready_file).expect("ready file");
    let ready: serde_json::Value = serde_json::from_str(&ready).expect("JSON");
    let addresses = ready["addresses"].as_array().expect("addresses");
    assert_eq!(addresses.len(), 2, "{ready}");
    for address in addresses {
        TcpStream::connect(address.as_str().expect("address")).expect("sealgate listens");
    }
}

/// A request of which the server has the head and not all of the body, and what is missing.
fn half_a_request(serving: &Serving) -> (TlsStream, String) {
    let mut request = score_request();
    let rest = request.split_off(request.len() - 20);
    let mut stream = serving.connect();
    stream.write_all(request.as_bytes()).expect("most of the request");
    stream.flush().expect("sent");
    // The request that asks for the metrics is in flight too.
    while serving.metric("sealgate_frontend_requests_in_flight") < 2 {
        thread::sleep(Duration::from_millis(20));
    }
    (stream, rest)
}

#[test]
fn a_request_in_flight_is_answered_after_sigterm() {
    let mut serving = Serving::start(&["--device", "sim:model"]);
    let (mut stream, rest) = half_a_request(&serving);
    serving.signal(Signal::TERM);
    while TcpStream::connect(serving.address).is_ok() {
        thread::sleep(Duration::from_millis(20));
    }
    stream.write_all(rest.as_bytes()).expect("rest of the request");
    let (head, body) = answer(&mut stream);
    assert!(head.starts_with("HTTP/1.1 200 ") && body.contains("result"), "{head}\n{body}");
    assert!(serving.ended().success(), "{}", serving.log());
    assert!(!serving.ready_file.exists(), "the ready file is gone");
}

#[test]
fn requests_that_do_not_finish_are_cut_after_the_drain_time() {
    let mut serving = Serving::start(&["--drain-seconds", "1"]);
    let (_stream, _rest) = half_a_request(&serving);
    serving.signal(Signal::INT);
    assert!(serving.ended().success(), "{}", serving.log());
    assert!(serving.log().contains("aborted=1"), "{}", serving.log());
}

#[test]
fn a_second_signal_ends_at_once() {
    let mut serving = Serving::start(&["--drain-seconds", "1000"]);
    let (_stream, _rest) = half_a_request(&serving);
    serving.signal(Signal::INT);
    while !serving.log().contains("shutting down") {
        thread::sleep(Duration::from_millis(20));
    }
    serving.signal(Signal::TERM);
    assert_eq!(serving.ended().code(), Some(130), "{}", serving.log());
}
