// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What CAs do and the test CA does not: rate limits, renewal windows, faults at the worst moment.
//! Here the CA is a script.

use std::convert::Infallible;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use data_encoding::BASE64URL_NOPAD;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use instant_acme::CertificateIdentifier;
use rcgen::KeyPair;
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use sealgate_control::dns::{Dns, DnsError};
use sealgate_control::issuer::acme::{
    AcmeIssuer, AcmeSettings, AcmeSettingsError, ChallengeKind, Challenges, external_key,
};
use sealgate_control::issuer::development::{DEFAULT_VALIDITY, DevelopmentAuthority};
use sealgate_control::issuer::{IssueError, Issuer, Order, RenewalWindow};
use sealgate_control::name::DnsName;
use sealgate_control::store::Store;
use sealgate_frontend::Publications;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

const HOST: &str = "scoreab12cd.eu.example.net";

/// The chain that the script gives out; nobody verifies it here.
const CHAIN: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

/// What the CA answers.
struct Answer {
    status: u16,
    retry_after: Option<&'static str>,
    body: String,
}

impl Answer {
    fn new(status: u16, body: &impl ToString) -> Self {
        Self { status, retry_after: None, body: body.to_string() }
    }

    fn problem(status: u16, kind: &str) -> Self {
        let kind = format!("urn:ietf:params:acme:error:{kind}");
        Self::new(status, &json!({ "type": kind, "detail": "as the script says" }))
    }

    fn retry_after(mut self, after: &'static str) -> Self {
        self.retry_after = Some(after);
        self
    }
}

/// What a resource was asked with, and how often it had been asked before.
struct Asked<'a> {
    path: &'a str,
    payload: Value,
    before: usize,
}

type Script = dyn Fn(&Asked<'_>) -> Option<Answer> + Send + Sync;

/// A CA that issues at once, unless its script says otherwise. It ends when dropped.
struct Ca {
    directory: String,
    root_pem: String,
    folder: TempDir,
    asked: Asks,
    task: JoinHandle<()>,
}

type Asks = Arc<Mutex<Vec<(String, Value)>>>;

impl Ca {
    async fn start(script: impl Fn(&Asked<'_>) -> Option<Answer> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let base = format!("https://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let (acceptor, root_pem) = tls();
        let asked = Asks::default();
        let directory = format!("{base}/directory");
        let serve = serve(listener, acceptor, base, Arc::new(script), Arc::clone(&asked));
        let folder = TempDir::new().unwrap();
        Self { directory, root_pem, folder, asked, task: tokio::spawn(serve) }
    }

    fn issuer(&self) -> AcmeIssuer {
        let root = self.folder.path().join("root.pem");
        fs::write(&root, &self.root_pem).unwrap();
        let settings = AcmeSettings { root: Some(root), ..settings(&self.directory) };
        issuer(settings, &self.folder.path().join("state")).unwrap()
    }

    /// What was sent to `path`, in order.
    fn sent_to(&self, path: &str) -> Vec<Value> {
        let asked = self.asked.lock().unwrap();
        let sent = asked.iter().filter(|(to, _)| to == path);
        sent.map(|(_, payload)| payload.clone()).collect()
    }
}

impl Drop for Ca {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A zone that nothing is published in.
struct NoDns(DnsName);

impl Dns for NoDns {
    fn zone(&self) -> &DnsName {
        &self.0
    }

    fn publish<'a>(
        &'a self,
        _: &'a DnsName,
        _: &'a [IpAddr],
        _: bool,
    ) -> BoxFuture<'a, Result<(), DnsError>> {
        ready(Ok(())).boxed()
    }

    fn withdraw<'a>(&'a self, _: &'a DnsName) -> BoxFuture<'a, Result<(), DnsError>> {
        ready(Ok(())).boxed()
    }

    fn add_txt<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<(), DnsError>> {
        ready(Ok(())).boxed()
    }

    fn remove_txt<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<(), DnsError>> {
        ready(Ok(())).boxed()
    }
}

fn zone() -> DnsName {
    DnsName::parse("example.net").unwrap()
}

/// What the settings make, with a state in `folder`.
fn issuer(settings: AcmeSettings, folder: &Path) -> Result<AcmeIssuer, AcmeSettingsError> {
    let dns = Arc::new(NoDns(zone()));
    let challenges = Challenges { publications: Publications::default(), dns };
    AcmeIssuer::new(settings, challenges, Store::open(folder).unwrap())
}

fn settings(directory: &str) -> AcmeSettings {
    AcmeSettings {
        directory: directory.to_owned(),
        contact: Vec::new(),
        root: None,
        external_account: None,
        challenges: vec![ChallengeKind::Http01],
    }
}

fn order() -> Order {
    Order { name: DnsName::parse(HOST).unwrap(), replaces: None }
}

fn tls() -> (TlsAcceptor, String) {
    let key = KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), certificate.pem())
}

async fn serve(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    base: String,
    script: Arc<Script>,
    asked: Asks,
) {
    while let Ok((tcp, _)) = listener.accept().await {
        let (acceptor, base) = (acceptor.clone(), base.clone());
        let (script, asked) = (Arc::clone(&script), Arc::clone(&asked));
        tokio::spawn(async move {
            let Ok(tls) = acceptor.accept(tcp).await else { return };
            let service = service_fn(|request| answer(request, &base, &*script, &asked));
            let http = hyper::server::conn::http1::Builder::new();
            // The client may be gone.
            let _ = http.serve_connection(TokioIo::new(tls), service).await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    base: &str,
    script: &Script,
    asked: &Asks,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let payload = payload(&request.into_body().collect().await.unwrap().to_bytes());
    let before = {
        let mut asked = asked.lock().unwrap();
        asked.push((path.clone(), payload.clone()));
        asked.iter().filter(|(to, _)| *to == path).count() - 1
    };
    let asked = Asked { path: &path, payload, before };
    let answer = script(&asked).unwrap_or_else(|| usual(&asked, base));
    let mut response = Response::builder()
        .status(answer.status)
        .header("Replay-Nonce", "nonce")
        .header("Location", format!("{base}{}", if path == "/account" { "/me" } else { "/order" }));
    if let Some(after) = answer.retry_after {
        response = response.header("Retry-After", after);
    }
    Ok(response.body(Full::new(answer.body.into())).unwrap())
}

/// What is signed in a request; null if nothing is.
fn payload(body: &[u8]) -> Value {
    let jose: Value = serde_json::from_slice(body).unwrap_or_default();
    let payload = jose["payload"].as_str().unwrap_or_default();
    let payload = BASE64URL_NOPAD.decode(payload.as_bytes());
    serde_json::from_slice(&payload.unwrap()).unwrap_or_default()
}

/// The way of a CA that knows already whose the name is.
fn usual(asked: &Asked<'_>, base: &str) -> Answer {
    let order = |status: &str| {
        json!({
            "status": status, "finalize": format!("{base}/finalize"),
            "authorizations": [format!("{base}/authorization")],
            "certificate": format!("{base}/certificate"), "replaces": asked.payload["replaces"],
        })
    };
    match asked.path {
        "/directory" => Answer::new(
            200,
            &json!({
                "newNonce": format!("{base}/nonce"), "newAccount": format!("{base}/account"),
                "newOrder": format!("{base}/new-order"), "renewalInfo": format!("{base}/renewal"),
            }),
        ),
        "/account" => Answer::new(201, &json!({ "status": "valid" })),
        "/new-order" => Answer::new(201, &order("ready")),
        "/authorization" => Answer::new(
            200,
            &json!({
                "status": "valid", "challenges": [],
                "identifier": { "type": "dns", "value": HOST },
            }),
        ),
        "/order" | "/finalize" => Answer::new(200, &order("valid")),
        "/certificate" => Answer::new(200, &CHAIN),
        _ => Answer::new(200, &""),
    }
}

fn refused<T>(result: Result<T, IssueError>) -> IssueError {
    let error = result.err().expect("a certificate that should have been refused");
    assert!(!error.message.contains('\n'), "{error}");
    println!("{error}");
    error
}

/// A certificate that names its authority's key, as ARI needs it.
async fn old_certificate() -> CertificateDer<'static> {
    let authority = DevelopmentAuthority::new(&zone(), DEFAULT_VALIDITY).unwrap();
    let issued = authority.issue(&order()).await.unwrap();
    CertificateDer::from_pem_slice(issued.chain_pem.as_bytes()).unwrap()
}

#[tokio::test]
async fn a_rate_limit_is_temporary_and_not_asked_again() {
    let ca = Ca::start(|asked| {
        let limit = Answer::problem(429, "rateLimited").retry_after("120");
        (asked.path == "/new-order").then_some(limit)
    })
    .await;
    let error = refused(ca.issuer().issue(&order()).await);
    assert!(error.temporary);
    assert_eq!(error.retry_after, Some(Duration::from_secs(120)));
    assert!(error.message.contains("rateLimited"), "{error}");
    assert_eq!(ca.sent_to("/new-order").len(), 1);
}

/// A busy CA answers so (RFC 9110, section 15.6.4), with a date.
#[tokio::test]
async fn a_busy_ca_is_left_alone_for_as_long_as_it_asks() {
    let ca = Ca::start(|asked| {
        let busy = Answer::new(503, &"<html>").retry_after("Fri, 01 Jan 2100 00:00:00 GMT");
        (asked.path == "/new-order").then_some(busy)
    })
    .await;
    let error = refused(ca.issuer().issue(&order()).await);
    assert!(error.temporary);
    assert!(error.retry_after > Some(Duration::from_secs(24 * 3600)));
    assert_eq!(ca.sent_to("/new-order").len(), 1);
}

#[tokio::test]
async fn faults_of_the_ca_are_passed_by_trying_again() {
    let ca = Ca::start(|asked| match (asked.path, asked.before) {
        ("/directory" | "/certificate", 0) => Some(Answer::new(502, &"<html>bad gateway</html>")),
        ("/account" | "/new-order", 0 | 1) => Some(Answer::problem(500, "serverInternal")),
        ("/order", 0) => Some(Answer::problem(400, "badNonce")),
        _ => None,
    })
    .await;
    let issued = ca.issuer().issue(&order()).await.unwrap();
    assert_eq!(issued.chain_pem, CHAIN);
    assert_eq!(ca.sent_to("/new-order").len(), 3);
}

/// It finalizes, and then its answer is lost: it is not asked to do so twice.
#[tokio::test]
async fn an_order_is_finalized_once_even_if_the_answer_is_lost() {
    let ca = Ca::start(|asked| match (asked.path, asked.before) {
        ("/finalize", 0) => Some(Answer::new(504, &"")),
        ("/finalize", _) => Some(Answer::problem(403, "orderNotReady")),
        _ => None,
    })
    .await;
    ca.issuer().issue(&order()).await.unwrap();
    assert_eq!(ca.sent_to("/finalize").len(), 1);
}

#[tokio::test]
async fn a_ca_that_never_ends_meets_the_deadline() {
    let order_state = json!({
        "status": "processing", "finalize": "https://127.0.0.1/", "authorizations": [],
    });
    let ca = Ca::start(move |asked| {
        (asked.path == "/order").then(|| Answer::new(200, &order_state).retry_after("3600"))
    })
    .await;
    let error = refused(ca.issuer().with_deadline(Duration::from_secs(2)).issue(&order()).await);
    assert!(error.temporary);
    assert!(error.retry_after > Some(Duration::from_secs(3000)), "{:?}", error.retry_after);
}

#[tokio::test]
async fn what_is_no_directory_is_said_to_be_none() {
    let ca = Ca::start(|_| Some(Answer::new(200, &"<html>"))).await;
    let error = refused(ca.issuer().issue(&order()).await);
    assert!(error.message.contains("check that the directory is that of an ACME server"));

    let ca = Ca::start(|_| Some(Answer::new(404, &"<html>"))).await;
    let error = refused(ca.issuer().issue(&order()).await);
    assert!(error.message.ends_with("HTTP status 404: check the URL of its directory"), "{error}");
}

#[tokio::test]
async fn the_ca_is_told_which_certificate_is_replaced() {
    let old = old_certificate().await;
    let id = CertificateIdentifier::try_from(&old).unwrap().to_string();
    let ca = Ca::start(|_| None).await;
    ca.issuer().issue(&Order { replaces: Some(old), ..order() }).await.unwrap();
    assert_eq!(ca.sent_to("/new-order")[0]["replaces"], id);
}

/// RFC 9773, section 5: a CA refuses to replace a certificate twice.
#[tokio::test]
async fn a_certificate_that_was_replaced_already_does_not_stop_the_next() {
    let ca = Ca::start(|asked| {
        let told = asked.path == "/new-order" && !asked.payload["replaces"].is_null();
        told.then(|| Answer::problem(409, "alreadyReplaced"))
    })
    .await;
    ca.issuer().issue(&Order { replaces: Some(old_certificate().await), ..order() }).await.unwrap();
    assert_eq!(ca.sent_to("/new-order").len(), 2);
}

#[tokio::test]
async fn a_renewal_window_is_asked_for_by_the_certificates_identifier() {
    let window = |start: &str, end: &str| {
        let body = json!({ "suggestedWindow": { "start": start, "end": end } });
        Answer::new(200, &body).retry_after("21600")
    };
    let old = old_certificate().await;
    let path = format!("/renewal/{}", CertificateIdentifier::try_from(&old).unwrap());
    let ca = Ca::start(move |asked| match (asked.path == path, asked.before) {
        (true, 0) => Some(window("1970-01-02T00:00:00Z", "1970-01-03T00:00:00Z")),
        (true, 1) => Some(window("1970-01-03T00:00:00Z", "1970-01-02T00:00:00Z")),
        (true, _) => Some(Answer::problem(404, "malformed")),
        _ => None,
    })
    .await;
    let issuer = ca.issuer();
    // Without an account there is nothing that the CA could know.
    assert_eq!(issuer.renewal_window(&old).await, None);
    issuer.issue(&order()).await.unwrap();
    let day = |number: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(number * 24 * 3600);
    let expected = RenewalWindow { start: day(1), end: day(2) };
    assert_eq!(issuer.renewal_window(&old).await, Some(expected));
    assert_eq!(issuer.renewal_window(&old).await, None);
    assert_eq!(issuer.renewal_window(&old).await, None);
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let folder = TempDir::new().unwrap();
    let refused = |settings| issuer(settings, &folder.path().join("state")).err();
    for directory in ["http://ca.example.com/directory", "ca.example.com", ""] {
        let error = refused(settings(directory));
        assert!(matches!(error, Some(AcmeSettingsError::Directory(_))), "{directory}: {error:?}");
    }
    let url = "https://ca.example.com/directory";
    let root = folder.path().join("root.pem");
    for text in ["", "nonsense", CHAIN] {
        fs::write(&root, text).unwrap();
        let error = refused(AcmeSettings { root: Some(root.clone()), ..settings(url) });
        assert!(matches!(error, Some(AcmeSettingsError::Root { .. })), "{text}: {error:?}");
    }
    let error = refused(AcmeSettings { challenges: Vec::new(), ..settings(url) });
    assert!(matches!(error, Some(AcmeSettingsError::NoChallenge)), "{error:?}");
    for kind in ChallengeKind::ALL {
        assert_eq!(kind.to_string().parse::<ChallengeKind>().unwrap(), kind);
    }
    assert!("tls-sni-01".parse::<ChallengeKind>().is_err());
}

#[test]
fn a_mac_key_is_read_with_padding_and_without() {
    assert_eq!(*external_key(" AQI=\n").unwrap(), [1, 2]);
    assert_eq!(*external_key("_-8").unwrap(), [0xff, 0xef]);
    for text in ["", "=", "not base64!", "+/8"] {
        let error = external_key(text).unwrap_err().to_string();
        assert!(text.is_empty() || !error.contains(text), "{error}");
    }
}
