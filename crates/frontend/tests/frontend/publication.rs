// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Targets that come, change and go on a server that runs.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use sealgate_frontend::{
    Access, EmbeddedModel, Gate, Metrics, Publication, Publications, Router, Server, Settings,
    Summary, published_config,
};
use sealgate_rustls::{Offload, TlsAcceptor};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A server without targets, over TLS and without.
struct Running {
    publications: Publications,
    tls: SocketAddr,
    plain: SocketAddr,
    stop: oneshot::Sender<()>,
    summary: JoinHandle<Summary>,
}

impl Running {
    async fn start() -> Self {
        let publications = Publications::default();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = published_config(provider, &publications).unwrap();
        let acceptor = TlsAcceptor::new(config, Offload::without_device());
        let metrics = Metrics::new(Vec::new());
        let router = Router::new(EmbeddedModel::load().unwrap(), metrics.clone());
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let settings =
            Settings { listen: vec![any], plain_listen: vec![any], ..Settings::default() };
        let gate = Gate::new(router, publications.clone()).with_hsts(Duration::from_secs(600));
        let server = Server::bind(settings, acceptor, gate, metrics).await.unwrap();
        let (tls, plain) = (server.local_addrs()[0], server.plain_addrs()[0]);
        let (stop, stopped) = oneshot::channel();
        let summary = tokio::spawn(server.serve(async { drop(stopped.await) }));
        Self { publications, tls, plain, stop, summary }
    }

    /// Publishes `target` with TLS under `name`; returns what clients trust.
    fn enable(&self, target: &str, name: &str) -> CertificateDer<'static> {
        let (certificate, root) = certificate(name);
        let access = Access::Tls { certificate, redirect: Some(self.tls.port()) };
        self.publish(target, name, access);
        root
    }

    fn publish(&self, target: &str, name: &str, access: Access) {
        let publication = Publication { names: vec![name.to_owned()], access };
        self.publications.publish(target, publication);
    }

    async fn connect(
        &self,
        name: &str,
        root: &CertificateDer<'static>,
    ) -> io::Result<TlsStream<TcpStream>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(root.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let tcp = TcpStream::connect(self.tls).await.unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, tcp).await
    }

    async fn plain(&self, host: &str, path: &str) -> String {
        self.plain_request(&format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        ))
        .await
    }

    async fn plain_request(&self, request: &str) -> String {
        let mut tcp = TcpStream::connect(self.plain).await.unwrap();
        exchange(&mut tcp, request).await
    }
}

/// A self-signed certificate as the front end takes it and as clients trust it.
fn certificate(name: &str) -> (Arc<CertifiedKey>, CertificateDer<'static>) {
    let key = KeyPair::generate().unwrap();
    let signed = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
    let der = signed.der().clone();
    let provider = rustls::crypto::ring::default_provider();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let certified = CertifiedKey::from_der(vec![der.clone()], key, &provider).unwrap();
    (Arc::new(certified), der)
}

/// The whole answer to a GET that ends its connection.
async fn ask(
    io: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin),
    host: &str,
    path: &str,
) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    exchange(io, &request).await
}

/// The whole answer to a request that ends its connection.
async fn exchange(io: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin), request: &str) -> String {
    io.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    io.read_to_string(&mut answer).await.unwrap();
    answer
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or(answer)
}

#[tokio::test]
async fn each_name_has_its_certificate_and_others_are_refused() {
    let running = Running::start().await;
    let one = running.enable("one", "one.example.com");
    let wild = running.enable("wild", "*.example.org");
    for (name, root) in [("one.example.com", &one), ("a.example.org", &wild)] {
        let mut tls = running.connect(name, root).await.unwrap();
        assert_eq!(status(&ask(&mut tls, name, "/").await), "200", "{name}");
    }
    for name in ["two.example.com", "example.org", "a.b.example.org"] {
        assert!(running.connect(name, &one).await.is_err(), "{name}");
    }
    // Whoever connected to one service does not get another's through its host.
    let mut tls = running.connect("one.example.com", &one).await.unwrap();
    assert_eq!(status(&ask(&mut tls, "a.example.org", "/").await), "421");
}

#[tokio::test]
async fn a_service_is_reached_by_its_path_under_its_own_name_only() {
    let running = Running::start().await;
    let root = running.enable("one", "one.example.com");
    running.enable("two", "two.example.com");
    for (path, expected) in [
        ("/api/v1/service/one/score", "405"),
        ("/api/v1/service/two/score", "404"),
        ("/api/v1/service/one/other", "404"),
    ] {
        let mut tls = running.connect("one.example.com", &root).await.unwrap();
        assert_eq!(status(&ask(&mut tls, "one.example.com", path).await), expected, "{path}");
    }
}

#[tokio::test]
async fn a_target_with_tls_is_never_served_plain() {
    let running = Running::start().await;
    running.enable("one", "one.example.com");
    let answer = running.plain("ONE.example.com", "/swagger.json?version=3").await;
    assert_eq!(status(&answer), "308");
    let port = running.tls.port();
    let location = format!("location: https://one.example.com:{port}/swagger.json?version=3\r\n");
    assert!(answer.contains(&location), "{answer}");
    // Not to a name of the client's choice.
    assert_eq!(status(&running.plain("evil.test", "/").await), "404");
    assert_eq!(status(&running.plain("evil.test", "/api/v1/service/one/score").await), "403");
    let (certificate, _) = certificate("one.example.com");
    running.publish("one", "one.example.com", Access::Tls { certificate, redirect: None });
    assert_eq!(status(&running.plain("one.example.com", "/").await), "403");
}

#[tokio::test]
async fn a_connection_to_a_target_that_is_gone_is_not_another_targets() {
    let running = Running::start().await;
    let root = running.enable("one", "one.example.com");
    running.enable("two", "two.example.com");
    let mut tls = running.connect("one.example.com", &root).await.unwrap();
    running.publications.withdraw("one");
    assert_eq!(status(&ask(&mut tls, "one.example.com", "/").await), "421");

    let root = running.enable("one", "one.example.com");
    let mut tls = running.connect("one.example.com", &root).await.unwrap();
    assert_eq!(status(&ask(&mut tls, "nobody.example.com", "/").await), "421");
}

#[tokio::test]
async fn a_request_names_one_host() {
    let running = Running::start().await;
    running.publish("one", "one.example.com", Access::Plain);
    let one = "Host: one.example.com\r\n";
    let two = format!("{one}{one}");
    for (version, hosts, expected) in [
        ("1.1", one, "200"),
        ("1.1", "Host: one.example.com.:80\r\n", "200"),
        // A health check that knows no name, as there is one service alone.
        ("1.1", "Host:\r\n", "200"),
        ("1.0", "", "200"),
        ("1.1", "", "400"),
        ("1.1", &two, "400"),
        ("1.1", "Host: one example com\r\n", "400"),
        ("1.1", "Host: user@one.example.com\r\n", "400"),
        ("1.1", "Host: one.example.com/\r\n", "400"),
        ("1.1", "Host: one.example.com:port\r\n", "400"),
        ("1.1", "Host: one.example.com:99999\r\n", "400"),
        // Where it is, in the place of a name.
        ("1.1", "Host: 127.0.0.1:80\r\n", "200"),
        ("1.1", "Host: [::1]:80\r\n", "200"),
        ("1.1", "Host: localhost\r\n", "200"),
        // A name that is nobody's.
        ("1.1", "Host: two.example.com\r\n", "404"),
    ] {
        let request = format!("GET / HTTP/{version}\r\n{hosts}Connection: close\r\n\r\n");
        assert_eq!(status(&running.plain_request(&request).await), expected, "{request}");
    }
}

#[tokio::test]
async fn only_clients_with_tls_are_told_to_keep_to_it() {
    let running = Running::start().await;
    let root = running.enable("one", "one.example.com");
    let header = "strict-transport-security: max-age=600\r\n";
    let mut tls = running.connect("one.example.com", &root).await.unwrap();
    assert!(ask(&mut tls, "one.example.com", "/").await.contains(header));
    assert!(!running.plain("one.example.com", "/").await.contains("strict-transport"));
}

#[tokio::test]
async fn disabling_and_enabling_changes_the_scheme_and_cuts_nothing() {
    let running = Running::start().await;
    let root = running.enable("one", "one.example.com");
    let mut early = running.connect("one.example.com", &root).await.unwrap();
    running.publish("one", "one.example.com", Access::Plain);
    assert_eq!(status(&running.plain("one.example.com", "/").await), "200");
    assert_eq!(status(&running.plain("127.0.0.1", "/").await), "200");
    assert!(running.connect("one.example.com", &root).await.is_err());
    assert_eq!(status(&ask(&mut early, "one.example.com", "/").await), "200");
    let root = running.enable("one", "one.example.com");
    assert_eq!(status(&running.plain("one.example.com", "/").await), "308");
    running.connect("one.example.com", &root).await.unwrap();
    running.publications.withdraw("one");
    assert!(running.connect("one.example.com", &root).await.is_err());
    assert_eq!(status(&running.plain("one.example.com", "/").await), "404");
    running.stop.send(()).unwrap();
    assert_eq!(running.summary.await.unwrap().aborted, 0);
}

#[tokio::test]
async fn a_name_that_two_have_is_the_laters() {
    let running = Running::start().await;
    let first = running.enable("one", "one.example.com");
    let second = running.enable("two", "one.example.com");
    running.connect("one.example.com", &second).await.unwrap();
    running.publications.withdraw("two");
    running.connect("one.example.com", &first).await.unwrap();
}

#[tokio::test]
async fn a_thousand_swaps_fail_no_handshake_and_no_request() {
    const SWAPS: usize = 1000;
    let running = Arc::new(Running::start().await);
    // One key, as a client trusts one root: each certificate is another all the same.
    let key = KeyPair::generate().unwrap();
    let issuer = rcgen::CertifiedIssuer::self_signed(root_params(), KeyPair::generate().unwrap());
    let issuer = issuer.unwrap();
    let root = issuer.der().clone();
    let next = || {
        let params = CertificateParams::new(vec!["one.example.com".to_owned()]).unwrap();
        let signed = params.signed_by(&key, &issuer).unwrap();
        let provider = rustls::crypto::ring::default_provider();
        let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let certified =
            CertifiedKey::from_der(vec![signed.der().clone()], private, &provider).unwrap();
        Access::Tls { certificate: Arc::new(certified), redirect: None }
    };
    running.publish("one", "one.example.com", next());
    let (done, finished) = tokio::sync::watch::channel(false);
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (running, root, finished) = (Arc::clone(&running), root.clone(), finished.clone());
            tokio::spawn(async move {
                let mut requests = 0;
                while !*finished.borrow() {
                    let mut tls = running.connect("one.example.com", &root).await.unwrap();
                    assert_eq!(status(&ask(&mut tls, "one.example.com", "/").await), "200");
                    requests += 1;
                }
                requests
            })
        })
        .collect();
    for _ in 0..SWAPS {
        running.publish("one", "one.example.com", next());
        tokio::task::yield_now().await;
    }
    done.send(true).unwrap();
    for client in clients {
        assert!(client.await.unwrap() > 0);
    }
}

fn root_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params
}

#[tokio::test]
async fn validations_of_authorities_are_answered_while_they_last() {
    let running = Running::start().await;
    let path = "/.well-known/acme-challenge/token";
    let guard = running.publications.http_challenges().put("token", "token.thumbprint");
    let answer = running.plain("whatever.example.com", path).await;
    assert!(answer.ends_with("\r\n\r\ntoken.thumbprint"), "{answer}");
    drop(guard);
    assert_eq!(status(&running.plain("whatever.example.com", path).await), "404");

    let (shown, root) = certificate("new.example.com");
    let guard = running.publications.alpn_challenges().put("New.example.com", shown);
    let offer = |protocol: &str| {
        let mut roots = RootCertStore::empty();
        roots.add(root.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        TlsConnector::from(Arc::new(config))
    };
    let connect = async |protocol: &str| {
        let tcp = TcpStream::connect(running.tls).await.unwrap();
        let name = ServerName::try_from("new.example.com").unwrap();
        offer(protocol).connect(name, tcp).await
    };
    let mut tls = connect("acme-tls/1").await.unwrap();
    assert_eq!(tls.get_ref().1.alpn_protocol(), Some(&b"acme-tls/1"[..]));
    assert_eq!(tls.read(&mut [0; 1]).await.unwrap(), 0);
    assert!(connect("http/1.1").await.is_err());
    drop(guard);
    assert!(connect("acme-tls/1").await.is_err());
}
