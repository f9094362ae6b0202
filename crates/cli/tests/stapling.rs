// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The status of a certificate, asked of its responder and given to clients with the handshake.

mod support;

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use support::responder::Responder;
use support::targets::{Server, until};
use support::text;

const NAME: &str = "one.example.com";

/// What OpenSSL says of the server's handshake, without a request.
fn openssl_client(https: SocketAddr, responder: &Responder) -> String {
    let authority = responder.path("authority.pem");
    let output = Command::new("openssl")
        .args(["s_client", "-status", "-verify_return_error", "-servername", NAME])
        .args(["-CAfile", text(&authority), "-connect", &https.to_string()])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The flags that name the certificate of `responder`.
fn flags(responder: &Responder) -> Vec<String> {
    let (chain, key) = (responder.path("chain.pem"), responder.path("key.pem"));
    ["--ssl-cname", NAME, "--ssl-cert-file", text(&chain), "--ssl-key-file", text(&key)]
        .map(str::to_owned)
        .to_vec()
}

fn create(server: &Server, responder: &Responder) -> (i32, String, String) {
    let flags = flags(responder);
    let flags = flags.iter().map(String::as_str);
    server.try_cli(&["target", "create", "one"].into_iter().chain(flags).collect::<Vec<_>>())
}

#[test]
fn openssl_clients_get_the_status_until_the_certificate_is_revoked() {
    let responder = Responder::new(NAME, false);
    let mut server = Server::start(&[]);
    assert_eq!(create(&server, &responder).0, 0);
    until(|| openssl_client(server.https, &responder).contains("Cert Status: good"));
    assert!(server.cli(&["status"]).starts_with("ready"));

    // What was had lasts over a restart, and over a change to the same certificate, while nobody answers.
    responder.answer(false);
    server.end(Signal::KILL);
    server.run();
    assert!(openssl_client(server.https, &responder).contains("Cert Status: good"));
    let update = flags(&responder);
    let update = update.iter().map(String::as_str);
    server.cli(&["target", "update", "one"].into_iter().chain(update).collect::<Vec<_>>());
    assert!(openssl_client(server.https, &responder).contains("Cert Status: good"));

    // It is asked about again when the server starts.
    responder.answer(true);
    responder.revoke();
    server.end(Signal::TERM);
    server.run();
    let revoked = "was revoked at 2026-01-01T00:00:00Z (its key was compromised)";
    until(|| server.try_cli(&["status"]).1.contains(revoked));
    let shown = openssl_client(server.https, &responder);
    assert!(shown.contains("OCSP response: no response sent"), "{shown}");
    assert!(shown.contains("Verify return code: 0"), "it is served all the same: {shown}");
}

#[test]
fn openssl_answers_for_a_certificate_that_is_not_to_be_served_without() {
    let responder = Responder::new(NAME, true);
    let server = Server::start(&[]);
    responder.answer(false);
    let (code, _, error) = create(&server, &responder);
    assert_eq!(code, 15, "{error}");
    assert!(error.contains("answered with HTTP status 503"), "{error}");
    assert!(!openssl_client(server.https, &responder).contains("BEGIN CERTIFICATE"));

    responder.answer(true);
    assert_eq!(create(&server, &responder).0, 0);
    let shown = openssl_client(server.https, &responder);
    assert!(shown.contains("Cert Status: good"), "from the first handshake on: {shown}");
}
