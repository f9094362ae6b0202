// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The listening sockets: accepts connections within a bound, and drains them at shutdown.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use sealgate_rustls::TlsAcceptor;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tower::{Service, ServiceExt};

use crate::listener::Arrival;
use crate::{ConnectionError, Listener, Metrics};

/// Wait after the system could not hand out a connection, most often for want of file descriptors.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// How to listen. The defaults serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Addresses to listen on with TLS; port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// Addresses to listen on without TLS. The service says what is answered there.
    pub plain_listen: Vec<SocketAddr>,
    /// Connections open at once. Further ones wait in the system's backlog.
    pub max_connections: usize,
    /// Time that a client has for the TLS handshake.
    pub handshake_timeout: Duration,
    /// Time that a client has for the head of a request, and that a connection may stay idle.
    pub header_timeout: Duration,
    /// Time that a client may take nothing of what is sent to it.
    pub write_timeout: Duration,
    /// Time that requests in flight have to finish after shutdown began.
    pub drain_timeout: Duration,
}

impl Default for Settings {
    /// `127.0.0.1:8443`, 1,024 connections, 10 s for a handshake, 30 s for everything else.
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 8443))],
            plain_listen: Vec::new(),
            max_connections: 1024,
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(30),
        }
    }
}

/// Listening sockets whose connections go to a [`Listener`].
#[derive(Debug)]
pub struct Server<S> {
    sockets: Vec<Socket>,
    local_addrs: Vec<SocketAddr>,
    plain_addrs: Vec<SocketAddr>,
    listener: Listener<S>,
    permits: Arc<Semaphore>,
    drain_timeout: Duration,
    metrics: Metrics,
    stop: watch::Sender<bool>,
}

/// What a server did until it stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// TCP connections accepted.
    pub connections: u64,
    /// Connections that were cut because their requests did not finish within the drain time.
    pub aborted: usize,
}

impl<S> Server<S>
where
    S: Service<Request<Incoming>, Response = Response<Full<Bytes>>, Error = Infallible>
        + Clone
        + Send
        + Unpin
        + 'static,
    S::Future: Send,
{
    /// Listens on all addresses of `settings`; requests go to `router`.
    ///
    /// # Errors
    ///
    /// [`ServerError`] when an address cannot be bound, or a setting makes no sense.
    pub async fn bind(
        settings: Settings,
        tls: TlsAcceptor,
        router: S,
        metrics: Metrics,
    ) -> Result<Self, ServerError> {
        if settings.listen.is_empty() {
            return Err(ServerError::NoAddress);
        }
        if !(1..=Semaphore::MAX_PERMITS).contains(&settings.max_connections) {
            return Err(ServerError::MaxConnections(settings.max_connections));
        }
        let mut sockets = Vec::new();
        let local_addrs = bind(&settings.listen, true, &mut sockets).await?;
        let plain_addrs = bind(&settings.plain_listen, false, &mut sockets).await?;
        let (stop, stopped) = watch::channel(false);
        Ok(Self {
            sockets,
            local_addrs,
            plain_addrs,
            permits: Arc::new(Semaphore::new(settings.max_connections)),
            drain_timeout: settings.drain_timeout,
            listener: Listener::new(&settings, tls, router, metrics.clone(), stopped),
            metrics,
            stop,
        })
    }

    /// The addresses listened on, in the order of the settings, with the ports that were taken.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.local_addrs
    }

    /// The same of those without TLS.
    pub fn plain_addrs(&self) -> &[SocketAddr] {
        &self.plain_addrs
    }

    /// Serves until `shutdown` completes, then drains.
    ///
    /// Draining: no connection is accepted any more; idle connections are closed; requests whose
    /// first byte has arrived are answered in full, within the drain time; then the connection is
    /// closed with a `close_notify` alert. What is not finished by then is cut.
    pub async fn serve(mut self, shutdown: impl Future<Output = ()>) -> Summary {
        let mut shutdown = std::pin::pin!(shutdown);
        let mut open = JoinSet::new();
        let mut connections = 0;
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(ended) = open.join_next() => note_end(&self.metrics, ended),
                (permit, arrival) = next_connection(
                    &mut self.sockets, &self.permits, &self.metrics,
                ) => {
                    connections += 1;
                    let listener = self.listener.clone();
                    open.spawn(async move {
                        let _permit = permit;
                        listener.oneshot(arrival).await
                    });
                }
            }
        }
        let aborted = self.drain(open).await;
        Summary { connections, aborted }
    }

    /// Lets open connections finish; returns how many had to be cut.
    async fn drain(self, mut open: JoinSet<Result<(), ConnectionError>>) -> usize {
        drop(self.sockets);
        self.stop.send_replace(true);
        tracing::info!(connections = open.len(), "draining");
        let drained = async {
            while let Some(ended) = open.join_next().await {
                note_end(&self.metrics, ended);
            }
        };
        if tokio::time::timeout(self.drain_timeout, drained).await.is_ok() {
            return 0;
        }
        let aborted = open.len();
        tracing::warn!(connections = aborted, "cut: not finished within the drain time");
        open.shutdown().await;
        aborted
    }
}

/// A socket that connections come from.
#[derive(Debug)]
struct Socket {
    tcp: TcpListener,
    tls: bool,
}

/// Binds `addresses`, adds them to `sockets`, and says what they became.
async fn bind(
    addresses: &[SocketAddr],
    tls: bool,
    sockets: &mut Vec<Socket>,
) -> Result<Vec<SocketAddr>, ServerError> {
    let mut bound = Vec::with_capacity(addresses.len());
    for address in addresses {
        let unbound = |source| ServerError::Bind { address: *address, source };
        let tcp = TcpListener::bind(address).await.map_err(unbound)?;
        bound.push(tcp.local_addr().map_err(unbound)?);
        sockets.push(Socket { tcp, tls });
    }
    Ok(bound)
}

/// Accepts one connection from any socket, once there is a permit for it.
async fn next_connection(
    sockets: &mut [Socket],
    permits: &Arc<Semaphore>,
    metrics: &Metrics,
) -> (OwnedSemaphorePermit, Arrival) {
    loop {
        let Ok(permit) = Arc::clone(permits).acquire_owned().await else {
            // The semaphore is never closed; waiting for ever would be its meaning.
            std::future::pending::<()>().await;
            continue;
        };
        // The next search starts with another socket, so that a busy one starves none.
        sockets.rotate_left(1);
        match poll_fn(|context| {
            let mut accepted = sockets.iter().map(|socket| {
                let accepted = socket.tcp.poll_accept(context);
                accepted.map_ok(|(tcp, _peer)| Arrival { tcp, tls: socket.tls })
            });
            accepted.find(Poll::is_ready).unwrap_or(Poll::Pending)
        })
        .await
        {
            Ok(arrival) => return (permit, arrival),
            Err(error) => {
                metrics.accept_error();
                tracing::warn!(%error, "cannot accept a connection");
                if !concerns_one_connection(&error) {
                    tokio::time::sleep(ACCEPT_BACKOFF).await;
                }
            }
        }
    }
}

/// Whether the error came with the connection, so that the next one may be accepted at once.
fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}

fn note_end(metrics: &Metrics, ended: Result<Result<(), ConnectionError>, JoinError>) {
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            let cause = std::error::Error::source(&error).map(tracing::field::display);
            tracing::debug!(%error, cause, "connection ended early");
        }
        Err(error) => {
            metrics.connection_end("failed");
            tracing::error!(%error, "connection failed: this is a defect");
        }
    }
}

/// Why a server cannot listen.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The settings name no address.
    #[error("no address to listen on: name at least one")]
    NoAddress,
    /// The bound on connections is zero or beyond what can be counted.
    #[error("{0} connections at once make no sense: allow at least one")]
    MaxConnections(usize),
    /// An address is taken, not local, or not permitted.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}
