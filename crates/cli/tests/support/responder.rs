// SPDX-License-Identifier: Apache-2.0 OR MIT
//! An authority that answers about its certificates: OpenSSL's answers over HTTP on 127.0.0.1, as its own
//! server listens on all addresses.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, SerialNumber,
};
use tempfile::TempDir;

/// What must not be served without a status says so with this: `status_request` (RFC 7633, section 4).
const MUST_STAPLE: [u8; 5] = [0x30, 3, 2, 1, 5];

/// The serial number of the only certificate, as long as an authority's are.
const SERIAL: u128 = 0x1001_2002_3003_4004_5005_6006_7007_8008;

/// Days that it is valid.
const VALIDITY: i64 = 90;

/// Issues one certificate and answers about it until it is dropped.
pub(crate) struct Responder {
    pub(crate) root: String,
    folder: TempDir,
    address: SocketAddr,
    answering: Arc<AtomicBool>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Responder {
    /// Issues the certificate for `name`, which names this responder.
    pub(crate) fn new(name: &str, must_staple: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let folder = TempDir::new().unwrap();
        let root = issue(folder.path(), name, address, must_staple);
        let (answering, ended) =
            (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
        let thread = {
            let (path, answering, ended) =
                (folder.path().to_owned(), answering.clone(), ended.clone());
            thread::spawn(move || serve(&listener, &path, &answering, &ended))
        };
        let responder = Self { root, folder, address, answering, ended, thread: Some(thread) };
        responder.say("V", "");
        responder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// From now on it has been revoked, because its key was compromised.
    pub(crate) fn revoke(&self) {
        self.say("R", "260101000000Z,keyCompromise");
    }

    /// Whether it answers, or fails as one does that is overloaded.
    pub(crate) fn answer(&self, answering: bool) {
        self.answering.store(answering, Ordering::Relaxed);
    }

    /// What the authority knows of the certificate, as a line of OpenSSL's index.
    fn say(&self, status: &str, revoked: &str) {
        let line = format!("{status}\t491231235959Z\t{revoked}\t{SERIAL:032X}\tunknown\t/CN=one\n");
        let written = self.path("index.new");
        fs::write(&written, line).unwrap();
        fs::rename(written, self.path("index")).unwrap();
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Writes the authority and the certificate to `folder`; the authority in PEM.
fn issue(folder: &Path, name: &str, responder: SocketAddr, must_staple: bool) -> String {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let now = time::OffsetDateTime::now_utc();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    // Who has the name of its issuer is taken for self-signed by OpenSSL.
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(SerialNumber::from(SERIAL.to_be_bytes().to_vec()));
    (params.not_before, params.not_after) =
        (now - time::Duration::HOUR, now + time::Duration::days(VALIDITY));
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.custom_extensions.push(authority_information(&format!("http://{responder}")));
    if must_staple {
        let oid = [1, 3, 6, 1, 5, 5, 7, 1, 24];
        params
            .custom_extensions
            .push(CustomExtension::from_oid_content(&oid, MUST_STAPLE.to_vec()));
    }
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let write = |name: &str, text: String| fs::write(folder.join(name), text).unwrap();
    write("authority.pem", authority.pem());
    write("authority.key", authority.key().serialize_pem());
    write("chain.pem", certificate.pem() + &authority.pem());
    write("key.pem", key.serialize_pem());
    authority.pem()
}

/// Where the status can be asked (RFC 5280, section 4.2.2.1).
fn authority_information(uri: &str) -> CustomExtension {
    let tagged =
        |tag: u8, content: &[u8]| [&[tag, u8::try_from(content.len()).unwrap()], content].concat();
    let ocsp = [6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 1];
    let location = tagged(0x86, uri.as_bytes());
    let access = tagged(0x30, &tagged(0x30, &[&ocsp[..], &location].concat()));
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], access)
}

fn serve(listener: &TcpListener, folder: &Path, answering: &AtomicBool, ended: &AtomicBool) {
    for stream in listener.incoming() {
        if ended.load(Ordering::Relaxed) {
            return;
        }
        // Whoever asks and goes away is nobody to answer.
        let _ = stream.and_then(|stream| respond(stream, folder, answering));
    }
}

fn respond(mut stream: TcpStream, folder: &Path, answering: &AtomicBool) -> io::Result<()> {
    let (is_post, request) = read_request(&mut stream)?;
    let (status, answer) = match (answering.load(Ordering::Relaxed), is_post) {
        (false, _) => ("503 Service Unavailable", Vec::new()),
        (true, false) => ("405 Method Not Allowed", Vec::new()),
        (true, true) => ("200 OK", openssl(folder, &request)),
    };
    let length = answer.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(&[head.as_bytes(), &answer].concat())
}

/// Whether a request is a POST, and its body.
fn read_request(stream: &mut TcpStream) -> io::Result<(bool, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((first.starts_with("POST "), body))
}

/// What OpenSSL answers to `request`.
fn openssl(folder: &Path, request: &[u8]) -> Vec<u8> {
    fs::write(folder.join("request"), request).unwrap();
    let output = Command::new("openssl")
        .args(["ocsp", "-index", "index", "-CA", "authority.pem", "-rsigner", "authority.pem"])
        .args(["-rkey", "authority.key", "-reqin", "request", "-respout", "response"])
        .args(["-nmin", "60"])
        .current_dir(folder)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl ocsp: {error}");
    fs::read(folder.join("response")).unwrap()
}
