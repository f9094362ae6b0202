// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `sealgate serve` and the clients of others: who sealed and opened the records of each.
//!
//! A test that needs a program of the system bears its name: `cargo xtask test` leaves it out where the program is
//! missing.

use std::io::Write;
use std::process::{Command, Stdio};

use rustls::CipherSuite;
use sealgate_tests::device::Simulation;
use sealgate_tests::digits::{ScoreBody, Scorer};
use sealgate_tests::http::{Client, last_score_request};
use sealgate_tests::program::{Serving, installed};
use sealgate_tests::server::metric;
use sealgate_tests::tls::{
    DEVICE_SUITES, TLS12_SUITES, TLS13_SUITES, client_config, client_with, ring,
};

/// Images in a request: enough that its bytes cannot be mistaken for those of a handshake or of reading the metrics.
const IMAGES: usize = 150;

/// A served device, and a connection of our own that reads its counters.
struct Bench {
    serving: Serving,
    reader: Client,
    body: ScoreBody,
}

/// What the counters of the server say.
#[derive(Clone, Copy, Debug)]
struct Counts {
    /// Bytes of content sealed and opened by the device, as the device itself counts.
    device: [u64; 2],
    /// Records sealed and opened in software, for the reason in question.
    reason: [u64; 2],
    /// Bytes of content of those.
    reason_bytes: [u64; 2],
    /// Records in software, for any reason.
    software: u64,
}

impl Bench {
    fn start(arguments: &[&str]) -> Self {
        let serving = Serving::start(Simulation::best().address(), arguments);
        let root_pem = serving.root_pem();
        let config = client_config(ring(), &[&rustls::version::TLS13], &root_pem);
        let reader = Client::connect(serving.address, config).expect("a connection");
        Self { serving, reader, body: Scorer::new().body(0, IMAGES) }
    }

    fn counts(&mut self, reason: &str) -> Counts {
        let answer = self.reader.get("/metrics").expect("the metrics");
        let text = String::from_utf8(answer.body).expect("text");
        let of_reason = |name: &str| {
            ["seal", "open"].map(|operation| {
                let labels = format!("{{operation=\"{operation}\",reason=\"{reason}\"}}");
                metric(&text, &format!("sealgate_software_{name}_total{labels}"))
            })
        };
        let software = text
            .lines()
            .filter(|line| line.starts_with("sealgate_software_records_total{"))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
        Counts {
            device: ["sealed", "opened"]
                .map(|done| metric(&text, &format!("sealgate_device_{done}_bytes_total"))),
            reason: of_reason("records"),
            reason_bytes: of_reason("bytes"),
            software: software.sum(),
        }
    }

    /// A client that is given the request and returns all that it has received was served by the device alone.
    fn assert_on_device(&mut self, name: &str, client: impl FnOnce(&Self) -> Vec<u8>) {
        let before = self.counts("no_device");
        let answer = client(self);
        let after = self.counts("no_device");
        let answered = self.check(name, &answer);
        let grown = [0, 1].map(|at| after.device[at] - before.device[at]);
        assert!(grown[0] > answered as u64, "{name}: the device sealed {} bytes", grown[0]);
        assert!(grown[1] > self.body.json.len() as u64, "{name}: it opened {} bytes", grown[1]);
        assert_eq!(after.software, 0, "{name}: records in software: {after:?}");
    }

    /// A client was served in software, each record for `reason`.
    fn assert_in_software(
        &mut self,
        name: &str,
        reason: &str,
        client: impl FnOnce(&Self) -> Vec<u8>,
    ) {
        let before = self.counts(reason);
        let answer = client(self);
        let after = self.counts(reason);
        let answered = self.check(name, &answer);
        let records = [0, 1].map(|at| after.reason[at] - before.reason[at]);
        let bytes = [0, 1].map(|at| after.reason_bytes[at] - before.reason_bytes[at]);
        assert!(records.iter().all(|&records| records > 0), "{name}: {records:?}");
        assert!(bytes[0] > answered as u64, "{name}: sealed for {reason}: {}", bytes[0]);
        assert!(bytes[1] > self.body.json.len() as u64, "{name}: opened: {}", bytes[1]);
        let of_reason: u64 = records.iter().sum();
        assert_eq!(after.software - before.software, of_reason, "{name}: no other reason");
        let by_device = after.device[1] - before.device[1];
        assert!(by_device < self.body.json.len() as u64, "{name}: the device opened {by_device}");
    }

    /// Holds what a client received against what the model recognises; returns the bytes of the answer's body.
    fn check(&self, name: &str, received: &[u8]) -> usize {
        let text = String::from_utf8_lossy(received);
        let (head, body) = text
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("{name} received no answer: {text}\n{}", self.serving.log()));
        assert!(head.starts_with("HTTP/1.1 200 "), "{name}: {head}\n{body}");
        self.body.check(body.as_bytes());
        body.len()
    }

    fn rustls(&self, suite: CipherSuite) -> Vec<u8> {
        let config = client_with(suite, &self.serving.root_pem());
        let mut client = Client::connect(self.serving.address, config).expect("a connection");
        let answer = client.score(&self.body.json).expect("an answer");
        let head = format!("HTTP/1.1 {} \r\n\r\n", answer.status);
        [head.as_bytes(), &answer.body].concat()
    }

    /// `openssl s_client`, which reads the request from its standard input and writes what it receives.
    fn openssl(&self, arguments: &[&str]) -> Vec<u8> {
        let mut command = Command::new("openssl");
        command
            .args(["s_client", "-quiet", "-verify_quiet", "-verify_return_error"])
            .args(["-verify_hostname", "localhost", "-connect", &self.serving.address.to_string()])
            .arg("-CAfile")
            .arg(self.serving.root())
            .args(arguments);
        run(command, &last_score_request(&self.body.json))
    }

    /// `curl`, which reads the body from its standard input and writes head and body of the answer.
    fn curl(&self, arguments: &[&str]) -> Vec<u8> {
        let mut command = Command::new("curl");
        command
            .args(["--silent", "--show-error", "--include", "--http1.1", "--header", "Expect:"])
            .args(["--header", "Content-Type: application/json", "--data-binary", "@-"])
            .arg("--cacert")
            .arg(self.serving.root())
            .args(arguments)
            .arg(format!("https://{}/score", self.serving.address));
        run(command, self.body.json.as_bytes())
    }
}

/// Runs a program with this standard input; what it writes to its standard output. It must end well.
fn run(mut command: Command, input: &[u8]) -> Vec<u8> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let output = std::thread::scope(|scope| {
        // A program that ends early closes the pipe, and its own words say more about it.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().expect("its output")
    });
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {}: {errors}", output.status);
    output.stdout
}

/// The suite as OpenSSL calls it.
fn openssl_name(suite: CipherSuite) -> &'static str {
    match suite {
        CipherSuite::TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
        CipherSuite::TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => "ECDHE-ECDSA-AES128-GCM-SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => "ECDHE-ECDSA-AES256-GCM-SHA384",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => {
            "ECDHE-ECDSA-CHACHA20-POLY1305"
        }
        other => panic!("no name for {other:?}"),
    }
}

#[test]
fn rustls_on_the_device() {
    let mut bench = Bench::start(&[]);
    for suite in DEVICE_SUITES {
        bench.assert_on_device(&format!("rustls {suite:?}"), |bench| bench.rustls(suite));
    }
}

#[test]
fn rustls_in_software_below_the_threshold() {
    let mut bench = Bench::start(&["--software-below", "1000000"]);
    for suite in DEVICE_SUITES {
        let name = format!("rustls {suite:?}");
        bench.assert_in_software(&name, "below_threshold", |bench| bench.rustls(suite));
    }
}

#[test]
fn openssl_on_the_device() {
    if !installed("openssl") {
        return;
    }
    let mut bench = Bench::start(&[]);
    for suite in TLS13_SUITES.map(openssl_name) {
        let client = |bench: &Bench| bench.openssl(&["-tls1_3", "-ciphersuites", suite]);
        bench.assert_on_device(&format!("openssl {suite}"), client);
    }
    for suite in TLS12_SUITES.map(openssl_name) {
        let client = |bench: &Bench| bench.openssl(&["-tls1_2", "-cipher", suite]);
        bench.assert_on_device(&format!("openssl {suite}"), client);
    }
}

#[test]
fn curl_on_the_device() {
    if !installed("curl") {
        return;
    }
    let mut bench = Bench::start(&[]);
    for suite in TLS13_SUITES.map(openssl_name) {
        let client = |bench: &Bench| bench.curl(&["--tlsv1.3", "--tls13-ciphers", suite]);
        bench.assert_on_device(&format!("curl {suite}"), client);
    }
    for suite in TLS12_SUITES.map(openssl_name) {
        let client = |bench: &Bench| bench.curl(&["--tls-max", "1.2", "--ciphers", suite]);
        bench.assert_on_device(&format!("curl {suite}"), client);
    }
}
