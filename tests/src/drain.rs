// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A socket that takes all at once and forgets it, so that nothing but the stream above it is in the way.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use rustls_pki_types::ServerName;
use sealgate_rustls::{TlsAcceptor, TlsStream};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio_rustls::{TlsConnector, client};

use crate::peer::Party;

/// A pipe to a peer, until it was opened; from then on what is written goes nowhere.
#[derive(Debug)]
pub struct Drain {
    pipe: DuplexStream,
    is_open: Arc<AtomicBool>,
    taken: usize,
}

impl Drain {
    /// Bytes that went nowhere.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.taken
    }
}

/// A stream after its handshake, rustls's client at the other end, and what opens the drain.
pub async fn accept(
    party: &Party,
) -> (TlsStream<Drain>, client::TlsStream<DuplexStream>, Arc<AtomicBool>) {
    let (client, server) = duplex(1 << 16);
    let name = ServerName::try_from("localhost").expect("a name");
    let connector = TlsConnector::from(Arc::clone(&party.client));
    let acceptor = TlsAcceptor::new(Arc::clone(&party.server), party.offload.clone());
    let is_open = Arc::new(AtomicBool::new(false));
    let server = Drain { pipe: server, is_open: Arc::clone(&is_open), taken: 0 };
    let (client, server) = tokio::join!(connector.connect(name, client), acceptor.accept(server));
    (server.expect("a handshake"), client.expect("a handshake"), is_open)
}

/// A stream after its handshake, whose peer has gone and whose drain is open.
pub async fn drained(party: &Party) -> TlsStream<Drain> {
    let (stream, _, is_open) = accept(party).await;
    is_open.store(true, Ordering::Relaxed);
    stream
}

impl AsyncRead for Drain {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_read(cx, into)
    }
}

impl AsyncWrite for Drain {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_open.load(Ordering::Relaxed) {
            self.taken += bytes.len();
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.pipe).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_shutdown(cx)
    }
}
