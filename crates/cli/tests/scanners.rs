// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What scanners of TLS servers say of a published service: testssl.sh and sslyze, which `cargo xtask setup` puts among
//! the tools. `cargo xtask tls-report` prints all that they say.

mod support;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use support::responder::Responder;
use support::targets::{Server, until};
use support::text;

const NAME: &str = "one.example.com";

/// Severities of testssl.sh that are no weakness.
const FINE: [&str; 2] = ["OK", "INFO"];

/// What testssl.sh says of a check that it could not make. On a busy machine it closes a connection before the ticket is
/// there that it wants to resume with.
const NOT_MADE: &str = "WARN";

/// How often testssl.sh scans at most until it has made every check.
const MOST_SCANS: usize = 3;

/// The folder of tools, by the rule of setup.
fn tools() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools");
    env::var_os("SEALGATE_TOOLS").map_or_else(beside, PathBuf::from)
}

/// A server as for the world: an own certificate with a status, https alone, and browsers are told so.
struct Published {
    server: Server,
    responder: Responder,
}

impl Published {
    fn new() -> Self {
        let responder = Responder::new(NAME, false);
        let server = Server::start(&["--hsts-seconds", "31536000"]);
        let (chain, key) = (responder.path("chain.pem"), responder.path("key.pem"));
        let files = ["--ssl-cert-file", text(&chain), "--ssl-key-file", text(&key)];
        server.cli(&[&["target", "create", "one", "--ssl-cname", NAME][..], &files].concat());
        let authority = responder.path("authority.pem");
        until(|| is_stapled(&server, text(&authority)));
        Self { server, responder }
    }

    fn authority(&self) -> PathBuf {
        self.responder.path("authority.pem")
    }
}

fn is_stapled(server: &Server, authority: &str) -> bool {
    let output = Command::new("openssl")
        .args(["s_client", "-status", "-servername", NAME, "-CAfile", authority])
        .args(["-connect", &server.https.to_string()])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).contains("Cert Status: good")
}

/// What testssl.sh found, in the words of its file.
fn scan(published: &Published, number: usize) -> Vec<Value> {
    let testssl = tools().join("testssl/root");
    let report = published.server.path(&format!("testssl-{number}.json"));
    let output = Command::new(testssl.join("usr/bin/testssl"))
        .env("TESTSSL_INSTALL_DIR", testssl.join("etc/testssl"))
        // Else it warns where OpenSSL comes without GOST, which nobody offers here.
        .env("NO_ENGINE", "true")
        .args(["--quiet", "--color", "0", "--warnings", "batch", "--ip", "127.0.0.1"])
        .args(["--nodns", "none", "--add-ca", text(&published.authority())])
        .args(["--jsonfile", text(&report)])
        .arg(format!("{NAME}:{}", published.server.https.port()))
        .output()
        .unwrap();
    print!("{}", String::from_utf8_lossy(&output.stdout));
    serde_json::from_str(&fs::read_to_string(&report).unwrap()).unwrap()
}

#[test]
fn testssl_finds_no_weakness() {
    let published = Published::new();
    let mut scans = (1..=MOST_SCANS).map(|number| scan(&published, number));
    let mut findings = scans.next().unwrap();
    while findings.iter().any(|finding| finding["severity"] == NOT_MADE) {
        findings = scans.next().expect("testssl.sh makes every check in one of its scans");
    }
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let (fine, weak): (Vec<_>, Vec<_>) =
        findings.iter().partition(|finding| FINE.contains(&text(finding, "severity").as_str()));
    let said =
        |finding: &&Value| ["severity", "id", "finding"].map(|key| text(finding, key)).join(" ");
    let weak: Vec<String> = weak.iter().map(said).collect();
    assert_eq!(weak, Vec::<String>::new());
    let grade = fine.iter().find(|finding| text(finding, "id") == "overall_grade").unwrap();
    println!(
        "testssl.sh: {} findings, none above OK; grade {}",
        fine.len(),
        text(grade, "finding")
    );
    assert_eq!(text(grade, "finding"), "A+");
}

#[test]
fn sslyze_finds_no_weakness() {
    let published = Published::new();
    let output = Command::new(tools().join("venv-tls/bin/sslyze"))
        .args(["--mozilla_config", "intermediate"])
        .args(["--certinfo_ca_file", text(&published.authority())])
        .arg(format!("{NAME}:{}{{127.0.0.1}}", published.server.https.port()))
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    print!("{shown}");
    // It takes every weakness that it looks for as a failure to comply.
    assert!(shown.contains("OK - Compliant") && output.status.success(), "{}", output.status);
    println!("sslyze: compliant with Mozilla's intermediate configuration");
}
