// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One connection: the TLS handshake where there is one, HTTP/1.1 on it, and an orderly end.

mod stall;

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ProtocolVersion;
use sealgate_rustls::{TlsAcceptor, TlsStream};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tower::{Service, ServiceExt};

use crate::publication::ALPN_ACME_TLS_1;
use crate::{Metrics, Settings};
use stall::StallGuard;

/// Largest head of a request, in bytes. A larger one is answered with 431.
const MAX_HEAD_BYTES: usize = 32 << 10;

/// Time for `close_notify` and the end of the stream to leave.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Time for which bytes that a client still sends are read and dropped after the last answer.
///
/// Without it the system would reset the connection, which may destroy the answer on its way (RFC
/// 9112, section 9.6).
const LINGER_TIMEOUT: Duration = Duration::from_secs(1);

type Tcp = StallGuard<TcpStream>;

/// How a connection came in; an extension of each of its requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// With TLS.
    Tls {
        /// The name in the client's hello (RFC 6066, section 3), in lower case.
        server_name: Option<String>,
    },
    /// Without.
    Plain,
}

/// A connection that was accepted.
#[derive(Debug)]
pub struct Arrival {
    /// The connection.
    pub tcp: TcpStream,
    /// Whether a TLS handshake comes first.
    pub tls: bool,
}

/// Serves one TCP connection: handshake, requests, close.
///
/// A [`Service`] from [`Arrival`] to the end of the connection. `S` answers the requests.
#[derive(Clone)]
pub struct Listener<S> {
    acceptor: TlsAcceptor,
    service: S,
    handshake_timeout: Duration,
    header_timeout: Duration,
    write_timeout: Duration,
    metrics: Metrics,
    stopped: watch::Receiver<bool>,
}

impl<S> std::fmt::Debug for Listener<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").finish_non_exhaustive()
    }
}

impl<S> Listener<S>
where
    S: Service<Request<Incoming>, Response = Response<Full<Bytes>>, Error = Infallible>
        + Clone
        + Send
        + Unpin
        + 'static,
    S::Future: Send,
{
    /// A listener with the timeouts of `settings`; `stopped` turns true when draining begins.
    pub fn new(
        settings: &Settings,
        tls: TlsAcceptor,
        service: S,
        metrics: Metrics,
        stopped: watch::Receiver<bool>,
    ) -> Self {
        Self {
            acceptor: tls,
            service,
            handshake_timeout: settings.handshake_timeout,
            header_timeout: settings.header_timeout,
            write_timeout: settings.write_timeout,
            metrics,
            stopped,
        }
    }

    async fn converse(self, arrival: Arrival) -> Result<(), ConnectionError> {
        let _open = self.metrics.connection();
        // Answers leave as soon as they are made. A socket that refuses the option still serves.
        drop(arrival.tcp.set_nodelay(true));
        let tcp = StallGuard::new(arrival.tcp, self.write_timeout);
        if !arrival.tls {
            return self.serve_http(tcp, Scheme::Plain).await;
        }
        let tls = shake_hands(&self.acceptor, tcp, self.handshake_timeout, &self.metrics).await?;
        if tls.alpn_protocol() == Some(ALPN_ACME_TLS_1) {
            // The certificate was all that a validation looks at (RFC 8737, section 3).
            close(tls, false).await;
            return Ok(());
        }
        let server_name = tls.server_name().map(str::to_ascii_lowercase);
        self.serve_http(tls, Scheme::Tls { server_name }).await
    }

    async fn serve_http<IO: Stream>(
        mut self,
        io: IO,
        scheme: Scheme,
    ) -> Result<(), ConnectionError> {
        let service = self.service;
        // The router never holds the connection up by not being ready: oneshot waits for it.
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(scheme.clone());
            Box::pin(ServiceExt::oneshot(service.clone(), request))
        });
        let mut connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.header_timeout)
            .max_header_size(MAX_HEAD_BYTES)
            .serve_connection(TokioIo::new(io), service);
        let mut draining = false;
        let ended = loop {
            tokio::select! {
                // First the connection: a request that has arrived counts as in flight.
                biased;
                ended = poll_fn(|context| connection.poll_without_shutdown(context)) => break ended,
                _ = self.stopped.wait_for(|stopped| *stopped), if !draining => {
                    draining = true;
                    Pin::new(&mut connection).graceful_shutdown();
                }
            }
        };
        let result = ended.map_err(ConnectionError::of_http);
        self.metrics
            .connection_end(result.as_ref().err().map_or("finished", ConnectionError::label));
        close(connection.into_parts().io.into_inner(), !draining).await;
        match result {
            // An idle connection that was closed is no error.
            Err(ConnectionError::HttpTimeout) => Ok(()),
            other => other,
        }
    }
}

/// What HTTP is spoken on: a TCP connection, or TLS on one.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {
    /// The connection below, where the peer's remaining bytes come in.
    fn into_tcp(self) -> Tcp;
}

impl Stream for Tcp {
    fn into_tcp(self) -> Tcp {
        self
    }
}

impl Stream for TlsStream<Tcp> {
    fn into_tcp(self) -> Tcp {
        self.into_inner()
    }
}

/// Does the TLS handshake within its time, and counts how it went.
async fn shake_hands(
    acceptor: &TlsAcceptor,
    tcp: Tcp,
    timeout: Duration,
    metrics: &Metrics,
) -> Result<TlsStream<Tcp>, ConnectionError> {
    let result = match tokio::time::timeout(timeout, acceptor.accept(tcp)).await {
        Ok(Ok(tls)) => Ok(tls),
        Ok(Err(error)) => Err(ConnectionError::of_handshake(error)),
        Err(_) => Err(ConnectionError::HandshakeTimeout),
    };
    metrics.handshake(result.as_ref().err().map_or("completed", ConnectionError::label));
    if let Ok(tls) = &result {
        let suite = tls.cipher_suite().as_str().unwrap_or("unknown");
        metrics.session(version_name(tls.protocol_version()), suite);
    }
    result
}

/// Ends the connection: with TLS `close_notify`, FIN, then the client's remaining bytes if asked for.
///
/// A peer that is gone already makes each step fail, and there is nobody left to tell.
async fn close(mut io: impl Stream, linger: bool) {
    let closed = tokio::time::timeout(CLOSE_TIMEOUT, io.shutdown()).await;
    if !(linger && matches!(closed, Ok(Ok(())))) {
        return;
    }
    let mut tcp = io.into_tcp();
    let mut scrap = [0; 4096];
    let drain = async { while matches!(tcp.read(&mut scrap).await, Ok(1..)) {} };
    drop(tokio::time::timeout(LINGER_TIMEOUT, drain).await);
}

fn version_name(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::TLSv1_3 => "1.3",
        ProtocolVersion::TLSv1_2 => "1.2",
        _ => "unknown",
    }
}

impl<S> Service<Arrival> for Listener<S>
where
    S: Service<Request<Incoming>, Response = Response<Full<Bytes>>, Error = Infallible>
        + Clone
        + Send
        + Unpin
        + 'static,
    S::Future: Send,
{
    type Response = ();
    type Error = ConnectionError;
    type Future = Pin<Box<dyn Future<Output = Result<(), ConnectionError>> + Send>>;

    /// Always ready: how many connections there may be is the server's business.
    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), ConnectionError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, arrival: Arrival) -> Self::Future {
        Box::pin(self.clone().converse(arrival))
    }
}

/// Why a connection ended before its time.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The handshake did not finish in time.
    #[error("the TLS handshake took too long")]
    HandshakeTimeout,
    /// The client sent something that is not TLS.
    #[error("the client did not speak TLS")]
    NotTls(#[source] io::Error),
    /// Client and server did not agree, or the client refused the server.
    #[error("the TLS handshake failed")]
    Handshake(#[source] io::Error),
    /// The client went away within the handshake.
    #[error("the connection was lost in the TLS handshake")]
    HandshakeLost(#[source] io::Error),
    /// No request came in time: an idle connection, or a client that sends its request slowly.
    #[error("no complete request head came in time")]
    HttpTimeout,
    /// The client sent something that is not HTTP/1.
    #[error("the client did not speak HTTP")]
    NotHttp(#[source] hyper::Error),
    /// The connection was lost between requests or within one.
    #[error("the connection was lost")]
    Lost(#[source] hyper::Error),
}

impl ConnectionError {
    fn of_handshake(error: io::Error) -> Self {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match tls {
            Some(rustls::Error::InvalidMessage(_)) => Self::NotTls(error),
            Some(_) => Self::Handshake(error),
            None => Self::HandshakeLost(error),
        }
    }

    fn of_http(error: hyper::Error) -> Self {
        if error.is_timeout() {
            Self::HttpTimeout
        } else if error.is_parse() {
            Self::NotHttp(error)
        } else {
            Self::Lost(error)
        }
    }

    /// The value of the metrics' labels.
    fn label(&self) -> &'static str {
        match self {
            Self::HandshakeTimeout | Self::HttpTimeout => "timed_out",
            Self::NotTls(_) => "not_tls",
            Self::Handshake(_) => "refused",
            Self::HandshakeLost(_) | Self::Lost(_) => "lost",
            Self::NotHttp(_) => "not_http",
        }
    }
}
