// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Stapled answers, made by OpenSSL as a responder and fetched over HTTP from 127.0.0.1.

use std::convert::Infallible;
use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use data_encoding::BASE64;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P384_SHA384,
    SerialNumber,
};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, ServerConfig};
use rustls::{ServerConnection, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sealgate_control::certificate::Checked;
use sealgate_control::name::DnsName;
use sealgate_control::ocsp::{News, OcspError, Query, Staple, Stapler};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const NAME: &str = "score.example.com";

/// Where nobody is asked.
const NOWHERE: &str = "http://127.0.0.1:9/ocsp";

const MINUTES: &[&str] = &["-nmin", "60"];

/// A certificate and its key, as files.
struct Signer {
    certificate: Certificate,
    key: KeyPair,
    name: &'static str,
}

/// An authority that answers about what it has issued, by OpenSSL.
struct Authority {
    folder: TempDir,
    params: CertificateParams,
    own: Signer,
    serial: AtomicU32,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let certificate = params.self_signed(&key).unwrap();
        let own = Signer { certificate, key, name: "authority" };
        let folder = TempDir::new().unwrap();
        let authority = Self { folder, params, own, serial: AtomicU32::new(1000) };
        authority.write(&authority.own);
        authority
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn write(&self, signer: &Signer) {
        fs::write(self.path(&format!("{}.pem", signer.name)), signer.certificate.pem()).unwrap();
        let key = signer.key.serialize_pem();
        fs::write(self.path(&format!("{}.key", signer.name)), key).unwrap();
    }

    /// Issues a certificate as `change` wants it.
    fn issue(&self, name: &'static str, change: impl FnOnce(&mut CertificateParams)) -> Signer {
        let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        params.serial_number = Some(SerialNumber::from(u64::from(serial)));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.not_before = time::OffsetDateTime::now_utc() - time::Duration::days(1);
        params.not_after = time::OffsetDateTime::now_utc() + time::Duration::days(30);
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&self.params, &self.own.key);
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let signer = Signer { certificate, key, name };
        self.write(&signer);
        signer
    }

    /// A server's certificate that names `responder`.
    fn server(&self, responder: &str) -> Signer {
        self.issue("server", |params| {
            params.custom_extensions = vec![authority_information(responder)];
        })
    }

    fn query(&self, server: &Signer) -> Query {
        Query::new(server.certificate.der(), self.own.certificate.der(), NOWHERE).unwrap()
    }

    /// What OpenSSL answers to `request`, signed by `signer`, with `status` for the certificate of that `serial`.
    fn answer(&self, request: &[u8], signer: &str, index: &str, extra: &[&str]) -> Vec<u8> {
        let turn = self.serial.fetch_add(1, Ordering::Relaxed);
        let files =
            ["index", "request", "response"].map(|name| self.path(&format!("{name}{turn}")));
        let [index_file, request_file, response_file] = &files;
        fs::write(index_file, index).unwrap();
        fs::write(request_file, request).unwrap();
        let (pem, key) = (self.path(&format!("{signer}.pem")), self.path(&format!("{signer}.key")));
        let authority = self.path("authority.pem");
        let output = Command::new("openssl")
            .args(["ocsp", "-index", index_file, "-CA", &authority, "-rsigner", &pem])
            .args(["-rkey", &key, "-reqin", request_file, "-respout", response_file])
            .args(extra)
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl ocsp: {error}");
        fs::read(response_file).unwrap()
    }

    /// A good answer about `server`.
    fn good(&self, server: &Signer, signer: &str, extra: &[&str]) -> Vec<u8> {
        self.answer(self.query(server).request(), signer, &entry(server, "V", ""), extra)
    }
}

/// A line of OpenSSL's index about `signer`.
fn entry(signer: &Signer, status: &str, revoked: &str) -> String {
    let (_, parsed) = x509_parser::parse_x509_certificate(signer.certificate.der()).unwrap();
    let serial = data_encoding::HEXUPPER.encode(parsed.raw_serial());
    format!("{status}\t491231235959Z\t{revoked}\t{serial}\tunknown\t/CN={}\n", signer.name)
}

/// Where the certificate's status can be asked (RFC 5280, section 4.2.2.1).
fn authority_information(responder: &str) -> CustomExtension {
    let oid = [6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 1];
    let location = tagged(0x86, responder.as_bytes());
    let access = tagged(0x30, &tagged(0x30, &[&oid[..], &location].concat()));
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], access)
}

fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
}

fn for_answers(params: &mut CertificateParams) {
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
}

#[test]
fn openssl_as_a_responder_of_every_kind_is_believed() {
    let authority = Authority::new();
    authority.issue("delegate", for_answers);
    let server = authority.server(NOWHERE);
    let query = authority.query(&server);
    for (signer, extra) in [
        ("authority", &[][..]),
        ("authority", &["-resp_key_id"]),
        ("authority", &["-resp_no_certs"]),
        ("delegate", &[]),
        ("delegate", &["-resp_key_id"]),
        ("authority", &["-rmd", "sha384"]),
    ] {
        let response = authority.good(&server, signer, &[MINUTES, extra].concat());
        let now = SystemTime::now();
        let staple = query.verify(response.clone(), now).unwrap();
        assert_eq!(staple.response, response, "{signer} {extra:?}");
        assert!(now < staple.refresh_at && staple.refresh_at < staple.expires, "{staple:?}");
    }
    let response = authority.good(&server, "authority", &[]);
    let staple = query.verify(response, SystemTime::now()).unwrap();
    assert!(staple.expires <= SystemTime::now() + Duration::from_secs(3600), "no next update");
}

#[test]
fn openssl_answers_that_are_not_to_be_stapled_say_why() {
    let authority = Authority::new();
    let stranger = Authority::new();
    fs::copy(stranger.path("authority.key"), authority.path("stranger.key")).unwrap();
    fs::copy(stranger.path("authority.pem"), authority.path("stranger.pem")).unwrap();
    // By the same name, as the authority of another is called as ours.
    let foreign = stranger.issue("foreign", for_answers);
    authority.write(&foreign);
    authority.issue("late", |params| {
        for_answers(params);
        params.not_after = time::OffsetDateTime::now_utc() - time::Duration::hours(1);
    });
    let server = authority.server(NOWHERE);
    let other = authority.server(NOWHERE);
    let query = authority.query(&server);
    let good = entry(&server, "V", "");
    let ask = |signer, index: &str| authority.answer(query.request(), signer, index, MINUTES);
    let revoked =
        |why: &str| ask("authority", &entry(&server, "R", &format!("261001120000Z{why}")));
    for (response, message) in [
        (revoked(""), "revoked at 2026-10-01T12:00:00Z (no reason given)"),
        (revoked(",keyCompromise"), "its key was compromised): clients may refuse it; replace it"),
        (revoked(",superseded"), "another has taken its place"),
        (ask("authority", ""), "does not know the certificate"),
        (ask("stranger", &good), "it does not verify"),
        (ask("foreign", &good), "the issuer has not issued who signed it"),
        (ask("late", &good), "not valid now"),
        (ask("server", &good), "may not sign answers (OCSPSigning)"),
        (authority.good(&server, "authority", &["-badsig"]), "it does not verify"),
        (authority.good(&other, "authority", MINUTES), "about another certificate"),
        (vec![0x30, 3, 10, 1, 3], "it asks to try later"),
        (vec![0x30, 3, 10, 1, 6], "not authorized"),
        (vec![0x30, 3, 10, 1, 0], "it is empty"),
        (Vec::new(), "malformed: the outermost part"),
        (b"<html>captive portal</html>".to_vec(), "malformed: the outermost part"),
        ([&ask("authority", &good)[..], &[0]].concat(), "malformed: the outermost part"),
    ] {
        let error = query.verify(response, SystemTime::now()).expect_err(message);
        let text = error.to_string();
        assert!(text.contains(message), "{message}: {text}");
        assert!(!text.contains('\n') && error.is_temporary(), "{text}");
    }
}

#[test]
fn openssl_answers_are_good_in_their_time_only() {
    let authority = Authority::new();
    let server = authority.server(NOWHERE);
    let query = authority.query(&server);
    let response = authority.good(&server, "authority", MINUTES);
    let now = SystemTime::now();
    let hours = Duration::from_secs(2 * 3600);
    let late = query.verify(response.clone(), now + hours).unwrap_err();
    assert!(matches!(late, OcspError::TooOld { .. }), "{late}");
    let early = query.verify(response, now - hours).unwrap_err();
    assert!(matches!(early, OcspError::TooNew { .. }), "{early}");
}

#[test]
fn openssl_answers_that_are_damaged_do_no_harm() {
    let seed = std::env::var("SEALGATE_SEED").ok().and_then(|seed| seed.parse().ok());
    let mut state: u64 = seed.unwrap_or_else(|| std::process::id().into());
    println!("SEALGATE_SEED={state}");
    let mut random = move || {
        // SplitMix64: every place and value comes up.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)) as usize
    };
    let authority = Authority::new();
    let server = authority.server(NOWHERE);
    let query = authority.query(&server);
    // Without certificates all is signed, but for what says how.
    let response = authority.good(&server, "authority", &[MINUTES, &["-resp_no_certs"]].concat());
    for _ in 0..2000 {
        let mut damaged = response.clone();
        let place = random() % damaged.len();
        match random() % 3 {
            0 => damaged[place] ^= 1 << (random() % 8),
            1 => damaged.truncate(place),
            _ => damaged.insert(place, random().to_le_bytes()[0]),
        }
        let verified = query.verify(damaged.clone(), SystemTime::now());
        assert!(verified.is_err(), "at {place}: {}", BASE64.encode(&damaged));
    }
}

/// What a test's responder does with a request.
type Behaviour = Box<dyn Fn(&Method, &[u8]) -> (u16, Vec<u8>) + Send + Sync>;

/// A responder on a free port of 127.0.0.1; it ends when dropped.
struct Responder {
    uri: String,
    behaviour: Arc<Mutex<Behaviour>>,
    asked: Arc<Mutex<Vec<Method>>>,
    task: JoinHandle<()>,
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Responder {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/ocsp", listener.local_addr().unwrap());
        let refuse: Behaviour = Box::new(|_, _| (503, Vec::new()));
        let behaviour = Arc::new(Mutex::new(refuse));
        let asked = Arc::<Mutex<Vec<Method>>>::default();
        let (does, notes) = (Arc::clone(&behaviour), Arc::clone(&asked));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service_fn(|request| {
                    let (does, notes) = (Arc::clone(&does), Arc::clone(&notes));
                    async move { Ok::<_, Infallible>(respond(request, &does, &notes).await) }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                // A client may leave at any time.
                let _ = connection.await;
            }
        });
        Self { uri, behaviour, asked, task }
    }

    fn does(&self, behaviour: impl Fn(&Method, &[u8]) -> (u16, Vec<u8>) + Send + Sync + 'static) {
        *self.behaviour.lock().unwrap() = Box::new(behaviour);
        self.asked.lock().unwrap().clear();
    }

    fn asked(&self) -> Vec<Method> {
        self.asked.lock().unwrap().clone()
    }
}

async fn respond(
    request: Request<Incoming>,
    does: &Mutex<Behaviour>,
    asked: &Mutex<Vec<Method>>,
) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let asked_for = if parts.method == Method::GET {
        let encoded = parts.uri.path().strip_prefix("/ocsp/").unwrap();
        let encoded = encoded.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
        BASE64.decode(encoded.as_bytes()).unwrap()
    } else {
        assert_eq!(parts.headers["content-type"], "application/ocsp-request");
        body.to_vec()
    };
    asked.lock().unwrap().push(parts.method.clone());
    let (status, answer) = (does.lock().unwrap())(&parts.method, &asked_for);
    Response::builder().status(status).body(Full::new(answer.into())).unwrap()
}

fn checked(server: &Signer, authority: &Authority) -> Checked {
    let chain = format!("{}{}", server.certificate.pem(), authority.own.certificate.pem());
    let name = DnsName::parse(NAME).unwrap();
    Checked::own(&name, &chain, &server.key.serialize_pem(), SystemTime::now()).unwrap()
}

#[tokio::test]
async fn openssl_is_asked_over_http_and_its_answer_is_stapled() {
    let responder = Responder::start().await;
    let authority = Arc::new(Authority::new());
    let server = authority.server(&responder.uri);
    let checked = checked(&server, &authority);
    assert_eq!(checked.summary().responder.as_deref(), Some(&*responder.uri));
    let query = Query::of(&checked).unwrap().unwrap();

    let (index, answers) = (entry(&server, "V", ""), Arc::clone(&authority));
    let answer = move |request: &[u8]| answers.answer(request, "authority", &index, MINUTES);
    let answer = Arc::new(answer);
    let always = Arc::clone(&answer);
    responder.does(move |_, request| (200, always(request)));
    let staple = query.ask().await.unwrap();
    assert_eq!(responder.asked(), [Method::GET]);
    assert_stapled(&checked, &staple);

    responder.does(move |method, request| match *method {
        Method::GET => (405, Vec::new()),
        _ => (200, answer(request)),
    });
    let mut stapler = Stapler::new(query);
    assert!(matches!(stapler.next().await, News::Fresh(_)));
    assert_eq!(responder.asked(), [Method::GET, Method::POST]);
}

#[tokio::test]
async fn a_long_address_is_asked_by_post() {
    let responder = Responder::start().await;
    let authority = Authority::new();
    let server = authority.server(NOWHERE);
    let address = format!("{}/{}", responder.uri, "long".repeat(50));
    let own = authority.own.certificate.der();
    let query = Query::new(server.certificate.der(), own, &address).unwrap();
    responder.does(|_, _| (200, vec![0x30, 3, 10, 1, 3]));
    let declined = query.ask().await.unwrap_err();
    assert!(matches!(declined, OcspError::Declined { .. }), "{declined}");
    assert_eq!(responder.asked(), [Method::POST]);
}

#[tokio::test]
async fn a_responder_that_fails_is_an_error_and_no_harm() {
    let responder = Responder::start().await;
    let authority = Authority::new();
    let server = authority.server(&responder.uri);
    let query = Query::of(&checked(&server, &authority)).unwrap().unwrap();
    let failed = query.ask().await.unwrap_err();
    assert!(matches!(failed, OcspError::Http { status: 503, .. }), "{failed}");
    responder.does(|_, _| (404, Vec::new()));
    let failed = query.ask().await.unwrap_err();
    assert!(matches!(failed, OcspError::Http { status: 404, .. }), "{failed}");
    responder.does(|_, _| (200, vec![0; (64 << 10) + 1]));
    let large = query.ask().await.unwrap_err();
    assert!(large.to_string().contains("length limit"), "{large}");
    drop(responder);
    tokio::task::yield_now().await;
    let gone = query.ask().await.unwrap_err();
    assert!(matches!(gone, OcspError::Unreachable { .. }), "{gone}");
    assert!(gone.is_temporary());
}

#[test]
fn what_cannot_be_asked_is_told() {
    let authority = Authority::new();
    let server = authority.server(NOWHERE);
    let (certificate, issuer) = (server.certificate.der(), authority.own.certificate.der());
    for responder in ["https://example.com/", "ldap://example.com/", "http:///x", "", "\u{7f}"] {
        let error = Query::new(certificate, issuer, responder).expect_err(responder);
        assert!(!error.is_temporary(), "{error}");
    }
    let none = CertificateDer::from(vec![0x30, 0]);
    Query::new(&none, issuer, NOWHERE).unwrap_err();
    Query::new(certificate, &none, NOWHERE).unwrap_err();
    let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    let alone = CertificateParams::new(vec![NAME.to_owned()]).unwrap().self_signed(&key).unwrap();
    let name = DnsName::parse(NAME).unwrap();
    let alone = Checked::own(&name, &alone.pem(), &key.serialize_pem(), SystemTime::now()).unwrap();
    assert!(Query::of(&alone).unwrap().is_none());
}

/// A client gets the staple with the handshake.
fn assert_stapled(checked: &Checked, staple: &Staple) {
    let mut certified = checked.certified_key();
    certified.ocsp = Some(staple.response.clone());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Serves(Arc::new(certified))));
    let seen = Arc::new(Sees::default());
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(seen.clone())
        .with_no_client_auth();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    let name = ServerName::try_from(NAME).unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
    for _ in 0..8 {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        server.read_tls(&mut &wire[..]).unwrap();
        server.process_new_packets().unwrap();
        wire.clear();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        client.read_tls(&mut &wire[..]).unwrap();
        client.process_new_packets().unwrap();
    }
    assert!(!client.is_handshaking());
    assert_eq!(*seen.0.lock().unwrap(), staple.response);
}

#[derive(Debug)]
struct Serves(Arc<CertifiedKey>);

impl ResolvesServerCert for Serves {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// Keeps the stapled answer, and believes everything else.
#[derive(Debug, Default)]
struct Sees(Mutex<Vec<u8>>);

impl ServerCertVerifier for Sees {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.0.lock().unwrap() = ocsp.to_vec();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}
