// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The front end inside the test's own process, so that the device behind it is at hand.

mod plain;

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use sealgate_frontend::{
    EmbeddedModel, Metrics, Router, Server, Settings, Summary, development_certificate,
    server_config,
};
use sealgate_rustls::{Offload, TlsAcceptor};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Threads that serve: more than cores, as each waits for a simulated device most of its time.
const WORKERS: usize = 8;

/// How long a connection may stay idle: while other clients wait for a simulated device.
const IDLE_PATIENCE: Duration = Duration::from_secs(300);

/// A server's life, and its beginning.
type Serving = Pin<Box<dyn Future<Output = Summary> + Send>>;
type Binding<'a> = Pin<Box<dyn Future<Output = (SocketAddr, Serving)> + 'a>>;

/// A front end on a free port of the loopback interface.
#[derive(Debug)]
pub struct InProcess {
    /// Where it listens.
    pub address: SocketAddr,
    /// The certificate to trust, in PEM.
    pub root_pem: String,
    metrics: Metrics,
    stop: oneshot::Sender<()>,
    summary: JoinHandle<Summary>,
    runtime: Runtime,
}

impl InProcess {
    /// Serves the digits model; records go where `offload` says.
    #[must_use]
    pub fn start(offload: &Offload) -> Self {
        Self::start_with(offload.provider(), |settings, config, router, metrics, stopped| {
            let tls = TlsAcceptor::new(config, offload.clone());
            Box::pin(async move {
                let server =
                    Server::bind(settings, tls, router, metrics).await.expect("a free port");
                let address = server.local_addrs()[0];
                let serving: Serving = Box::pin(server.serve(async { drop(stopped.await) }));
                (address, serving)
            })
        })
    }

    /// Serves it as others would: with rustls's own record layer, by `provider`, and hyper. What ours is compared with.
    #[must_use]
    pub fn start_plain(provider: CryptoProvider) -> Self {
        Self::start_with(provider, |settings, config, router, _, stopped| {
            Box::pin(async move {
                let socket = TcpListener::bind(settings.listen[0]).await.expect("a free port");
                let address = socket.local_addr().expect("it is bound");
                let serving: Serving = Box::pin(plain::serve(socket, config, router, stopped));
                (address, serving)
            })
        })
    }

    fn start_with<'a>(
        provider: CryptoProvider,
        bind: impl FnOnce(
            Settings,
            Arc<ServerConfig>,
            Router<EmbeddedModel>,
            Metrics,
            oneshot::Receiver<()>,
        ) -> Binding<'a>,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .enable_all()
            .build()
            .expect("a runtime");
        let development = development_certificate().expect("a certificate is made");
        let config = server_config(Arc::new(provider), development.certificate)
            .expect("the certificate is served");
        let metrics = Metrics::new(Vec::new());
        let router = Router::new(EmbeddedModel::load().expect("the model loads"), metrics.clone());
        let listen = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
        let settings = Settings { listen, header_timeout: IDLE_PATIENCE, ..Settings::default() };
        let (stop, stopped) = oneshot::channel();
        let bound = bind(settings, config, router, metrics.clone(), stopped);
        let (address, serving) = runtime.block_on(bound);
        let summary = runtime.spawn(serving);
        Self { address, root_pem: development.pem, metrics, stop, summary, runtime }
    }

    /// The value of a counter or gauge of the front end, labels included in the name.
    #[must_use]
    pub fn metric(&self, name: &str) -> u64 {
        metric(&self.metrics.encode().expect("metrics are encoded"), name)
    }

    /// Images scored so far.
    #[must_use]
    pub fn images(&self) -> u64 {
        self.metric("sealgate_frontend_images_total")
    }

    /// Begins the shutdown, and lets the test do what it wants while requests are finished.
    pub fn shut_down(self, meanwhile: impl FnOnce()) -> Summary {
        self.stop.send(()).expect("the server is running");
        meanwhile();
        self.runtime.block_on(self.summary).expect("the server ends well")
    }
}

/// The value of one metric in an exposition, labels included in the name.
#[must_use]
pub fn metric(exposition: &str, name: &str) -> u64 {
    let value = exposition.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let value = value.unwrap_or_else(|| panic!("no {name} in:\n{exposition}"));
    value.parse().unwrap_or_else(|_| panic!("{name} is {value}"))
}
