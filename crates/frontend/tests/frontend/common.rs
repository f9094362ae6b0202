// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A server on 127.0.0.1 and a client that writes its HTTP by hand.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use sealgate_frontend::{
    EmbeddedModel, Metrics, ReplicaError, Router, ScoreRequest, ScoreResponse, Server, Settings,
    Summary, development_certificate, server_config,
};
use sealgate_rustls::{Offload, TlsAcceptor};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower::Service;

/// The defaults, on a free port.
pub(crate) fn settings() -> Settings {
    Settings { listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))], ..Settings::default() }
}

/// A server in a task of this test.
pub(crate) struct Running {
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) root_pem: String,
    pub(crate) metrics: Metrics,
    stop: oneshot::Sender<()>,
    summary: JoinHandle<Summary>,
}

impl Running {
    pub(crate) async fn start(settings: Settings) -> Self {
        Self::start_with(settings, EmbeddedModel::load().unwrap()).await
    }

    pub(crate) async fn start_with<R>(settings: Settings, replica: R) -> Self
    where
        R: Service<ScoreRequest, Response = ScoreResponse, Error = ReplicaError>
            + Clone
            + Send
            + Sync
            + Unpin
            + 'static,
        R::Future: Send,
    {
        let development = development_certificate().unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = server_config(provider, development.certificate).unwrap();
        let tls = TlsAcceptor::new(config, Offload::without_device());
        let metrics = Metrics::new(Vec::new());
        let router = Router::new(replica, metrics.clone());
        let server = Server::bind(settings, tls, router, metrics.clone()).await.unwrap();
        let addresses = server.local_addrs().to_vec();
        let (stop, stopped) = oneshot::channel();
        let summary = tokio::spawn(server.serve(async { drop(stopped.await) }));
        Self { addresses, root_pem: development.pem, metrics, stop, summary }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    pub(crate) async fn connect(&self) -> Client {
        let tcp = TcpStream::connect(self.address()).await.unwrap();
        self.handshake(tcp, rustls::ALL_VERSIONS).await.unwrap()
    }

    pub(crate) async fn handshake(
        &self,
        tcp: TcpStream,
        versions: &[&'static SupportedProtocolVersion],
    ) -> io::Result<Client> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.root_pem.as_bytes()).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let tls = TlsConnector::from(Arc::new(config)).connect(name, tcp).await?;
        Ok(Client { tls, unread: Vec::new() })
    }

    /// Begins the shutdown; the summary comes with the handle.
    pub(crate) fn shut_down(self) -> JoinHandle<Summary> {
        self.stop.send(()).unwrap();
        self.summary
    }

    /// Waits until the metrics have `line`.
    pub(crate) async fn until(&self, line: &str) {
        until(&self.metrics, line).await;
    }
}

/// Waits until `metrics` have `line`.
pub(crate) async fn until(metrics: &Metrics, line: &str) {
    while !metrics.encode().unwrap().lines().any(|found| found == line) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// One TLS connection to the server.
pub(crate) struct Client {
    pub(crate) tls: TlsStream<TcpStream>,
    unread: Vec<u8>,
}

/// An answer, as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in small letters.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.tls.write_all(bytes.as_ref()).await.unwrap();
        self.tls.flush().await.unwrap();
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
        self.answer().await
    }

    pub(crate) async fn post(&mut self, path: &str, body: &str) -> Answer {
        self.send(post(path, body)).await;
        self.answer().await
    }

    /// Reads one answer that has a body.
    pub(crate) async fn answer(&mut self) -> Answer {
        let mut answer = self.head().await;
        let length: usize = answer.headers["content-length"].parse().unwrap();
        while self.unread.len() < length {
            self.read_more().await;
        }
        answer.body = self.unread.drain(..length).collect();
        answer
    }

    /// Reads one answer that has none.
    pub(crate) async fn head(&mut self) -> Answer {
        let end = loop {
            if let Some(end) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            self.read_more().await;
        };
        let head: Vec<u8> = self.unread.drain(..end + 4).collect();
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_lowercase(), value.trim().to_owned())
        });
        Answer { status, headers: headers.collect(), body: Vec::new() }
    }

    async fn read_more(&mut self) {
        let read = self.tls.read_buf(&mut self.unread).await.unwrap();
        assert_ne!(read, 0, "the server closed before the answer was whole");
    }

    /// Reads up to the end of the stream; an end without `close_notify` is an error.
    pub(crate) async fn rest(&mut self) -> io::Result<Vec<u8>> {
        self.tls.read_to_end(&mut self.unread).await?;
        Ok(std::mem::take(&mut self.unread))
    }
}

/// A request with a body.
pub(crate) fn post(path: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// A body that scores one blank image.
pub(crate) fn one_image() -> String {
    serde_json::json!({ "data": [vec![0; 64]] }).to_string()
}
