// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Certificates from files and for development, as clients see them.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::Arc;

use crate::common::{Running, settings};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sealgate_frontend::{Certificate, CertificateError, development_certificate, server_config};
use tempfile::TempDir;
use tokio::process::Command;

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Files in a folder that goes away with it.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

fn pair() -> (String, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    (cert.pem(), signing_key.serialize_pem())
}

#[test]
fn a_chain_and_its_key_are_loaded() {
    let files = Files::new();
    let (cert, key) = pair();
    let (issuer, _) = pair();
    let chain = files.write("chain.pem", format!("some text\n{cert}{issuer}"));
    let key_file = files.write("key.pem", &key);
    let certificate = Certificate::load(&chain, &key_file).unwrap();
    assert_eq!(certificate.chain().len(), 2);
    assert_eq!(format!("{certificate:?}"), "Certificate { chain: 2, .. }");
    let config = server_config(provider(), certificate).unwrap();
    assert_eq!(config.alpn_protocols, [b"http/1.1"]);

    let both = files.write("both.pem", format!("{key}{cert}"));
    server_config(provider(), Certificate::load(&both, &both).unwrap()).unwrap();
}

#[test]
fn each_fault_of_the_files_is_told_apart() {
    let files = Files::new();
    let (cert, key) = pair();
    let chain = files.write("chain.pem", &cert);
    let key_file = files.write("key.pem", &key);
    let legacy = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n\
                  AAAA\n-----END EC PRIVATE KEY-----\n";
    let pkcs8 =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\r\nAAAA\r\n-----END ENCRYPTED PRIVATE KEY-----";
    let missing = Path::new("/nonexistent/chain.pem");
    let cases = [
        (missing.to_owned(), key_file.clone(), "cannot read /nonexistent/chain.pem"),
        (chain.clone(), missing.to_owned(), "cannot read /nonexistent/chain.pem"),
        (files.0.path().to_owned(), key_file.clone(), "cannot read"),
        (files.write("empty.pem", ""), key_file.clone(), "holds no certificate"),
        (key_file.clone(), key_file.clone(), "holds no certificate"),
        (chain.clone(), chain.clone(), "holds no private key"),
        (chain.clone(), files.write("text", "hello"), "holds no private key"),
        (chain.clone(), files.write("two", format!("{key}{key}")), "several private keys"),
        (chain.clone(), files.write("legacy", legacy), "protected by a passphrase"),
        (chain.clone(), files.write("pkcs8", pkcs8), "protected by a passphrase"),
        (chain.clone(), files.write("cut", &key[..80]), "is damaged"),
        (files.write("cut_chain", &cert[..80]), key_file.clone(), "is damaged"),
        (files.write("large", vec![b'\n'; (1 << 20) + 1]), key_file.clone(), "larger than 1 MiB"),
        (PathBuf::from("/dev/zero"), key_file.clone(), "larger than 1 MiB"),
    ];
    for (chain, key, expected) in cases {
        let message = Certificate::load(&chain, &key).unwrap_err().to_string();
        assert!(message.contains(expected), "{message} for {chain:?}, {key:?}");
    }
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let files = Files::new();
    let (cert, _) = pair();
    let (_, other_key) = pair();
    let chain = files.write("chain.pem", &cert);
    let loaded = Certificate::load(&chain, &files.write("key.pem", &other_key)).unwrap();
    let refused = server_config(provider(), loaded);
    assert!(matches!(refused, Err(CertificateError::KeyMismatch)), "{refused:?}");
}

#[test]
fn what_is_no_certificate_inside_is_refused() {
    let files = Files::new();
    let (_, key) = pair();
    let hollow = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let chain = files.write("chain.pem", hollow);
    let loaded = Certificate::load(&chain, &files.write("key.pem", &key)).unwrap();
    let refused = server_config(provider(), loaded);
    assert!(matches!(refused, Err(CertificateError::Unusable(_))), "{refused:?}");
}

#[test]
fn webpki_takes_the_development_certificate_as_a_root_for_its_names_alone() {
    let development = development_certificate().unwrap();
    let root = CertificateDer::from_pem_slice(development.pem.as_bytes()).unwrap();
    assert_eq!(development.certificate.chain(), std::slice::from_ref(&root));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build().unwrap();
    let verify = |name: &str, after_days: u64| {
        let now = UnixTime::now().as_secs() + after_days * 24 * 3600;
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(now));
        let name = ServerName::try_from(name.to_owned()).unwrap();
        verifier.verify_server_cert(&root, &[], &name, &[], now).is_ok()
    };
    for name in ["localhost", "127.0.0.1", "::1"] {
        assert!(verify(name, 0) && verify(name, 29), "{name}");
        assert!(!verify(name, 31), "{name} is valid for too long");
    }
    assert!(!verify("example.org", 0) && !verify("127.0.0.2", 0));
}

/// Runs a program, or says that it is not there.
async fn run(program: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(program).args(arguments).stdin(Stdio::null()).output().await {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("left out: there is no {program} here");
            None
        }
        Err(error) => panic!("{program}: {error}"),
    }
}

#[tokio::test]
async fn curl_takes_the_development_certificate_as_a_root() {
    let server = Running::start(settings()).await;
    let files = Files::new();
    let root = files.write("root.pem", &server.root_pem);
    let port = server.address().port();
    let resolve = format!("localhost:{port}:127.0.0.1");
    for host in ["127.0.0.1", "localhost"] {
        for version in [["--tlsv1.3", "--tls-max", "1.3"], ["--tlsv1.2", "--tls-max", "1.2"]] {
            let url = format!("https://{host}:{port}/");
            let root = root.to_str().unwrap();
            let mut arguments =
                vec!["-sS", "--noproxy", "*", "--cacert", root, "--resolve", &resolve];
            arguments.extend(version);
            arguments.push(&url);
            let Some(output) = run("curl", &arguments).await else { return };
            let error = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.stdout, b"Healthy\n", "{arguments:?}: {error}");
        }
    }
}

#[tokio::test]
async fn curl_can_post_without_naming_a_type() {
    let server = Running::start(settings()).await;
    let files = Files::new();
    let root = files.write("root.pem", &server.root_pem);
    let url = format!("https://127.0.0.1:{}/score", server.address().port());
    let body = crate::common::one_image();
    let arguments =
        ["-sS", "--noproxy", "*", "--cacert", root.to_str().unwrap(), "-d", &body, &url];
    let Some(output) = run("curl", &arguments).await else { return };
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["result"].as_array().unwrap().len(), 1, "{answer}");
}

#[tokio::test]
async fn openssl_takes_the_development_certificate_as_a_root() {
    let server = Running::start(settings()).await;
    let files = Files::new();
    let root = files.write("root.pem", &server.root_pem);
    let root = root.to_str().unwrap();
    let address = server.address().to_string();
    for version in ["-tls1_3", "-tls1_2"] {
        let arguments = [
            "s_client",
            "-connect",
            &address,
            "-CAfile",
            root,
            "-verify_return_error",
            "-verify_ip",
            "127.0.0.1",
            "-alpn",
            "http/1.1",
            "-brief",
            version,
        ];
        let Some(output) = run("openssl", &arguments).await else { return };
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("Verification: OK"), "{said}");
    }
    let Some(output) = run("openssl", &["verify", "-CAfile", root, root]).await else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn a_key_that_openssl_encrypted_is_refused() {
    let files = Files::new();
    let (cert, key) = pair();
    let chain = files.write("chain.pem", &cert);
    let plain = files.write("key.pem", &key);
    let encrypted = files.0.path().join("encrypted.pem");
    let arguments = [
        "pkcs8",
        "-topk8",
        "-in",
        plain.to_str().unwrap(),
        "-passout",
        "pass:sealgate",
        "-out",
        encrypted.to_str().unwrap(),
    ];
    let Some(output) = run("openssl", &arguments).await else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let refused = Certificate::load(&chain, &encrypted);
    assert!(matches!(refused, Err(CertificateError::Passphrase { .. })), "{refused:?}");
}
