// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A TLS stream whose record layer is ours: rustls shakes hands and hands over the keys, and from then on many records
//! of a connection can be under way at once.

mod control;
mod exporter;
mod handshake;
mod inbound;
mod offload;
mod outbound;
mod tasks;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{
    AlertDescription, CipherSuite, ClientConfig, Error, HandshakeKind, NamedGroup, ProtocolVersion,
    ServerConfig, SupportedCipherSuite,
};
use sealgate_abi::TlsVersion;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

pub use offload::Offload;

use control::{Control, Event, Fault};
use exporter::Secret;
use handshake::{Established, Kernel};
use inbound::{Inbound, InboundError, Progress};
use offload::Keys;
use outbound::Outbound;
use tasks::{Does, Tasks};

/// Accepts TLS connections as a server.
///
/// ```
/// # async fn serve(
/// #     socket: tokio::io::DuplexStream, config: rustls::ServerConfig, device: &sealgate_driver::Device,
/// # ) -> std::io::Result<()> {
/// use sealgate_rustls::{Offload, TlsAcceptor};
/// use tokio::io::AsyncWriteExt;
///
/// let acceptor = TlsAcceptor::new(config.into(), Offload::new(device));
/// let mut stream = acceptor.accept(socket).await?;
/// stream.write_all(b"hello").await?;
/// stream.shutdown().await
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TlsAcceptor {
    config: Arc<ServerConfig>,
    offload: Offload,
}

impl TlsAcceptor {
    /// An acceptor whose connections are as `config` says. Their handshakes, and the records of those, are rustls's.
    #[must_use]
    pub fn new(config: Arc<ServerConfig>, offload: Offload) -> Self {
        Self { config, offload }
    }

    /// Shakes hands with the client behind `io`. The future does not borrow the acceptor, so it can be a task of its own.
    ///
    /// # Errors
    ///
    /// Those of `io`; and [`io::ErrorKind::InvalidData`] with the [`rustls::Error`] inside, after the client was sent the
    /// alert that goes with it.
    pub fn accept<IO>(
        &self,
        mut io: IO,
    ) -> impl Future<Output = io::Result<TlsStream<IO>>> + use<IO>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let Self { config, offload } = self.clone();
        async move {
            let established = handshake::server(&mut io, &config).await?;
            TlsStream::new(io, established, &offload)
        }
    }
}

/// Makes TLS connections as a client.
#[derive(Clone, Debug)]
pub struct TlsConnector {
    config: Arc<ClientConfig>,
    offload: Offload,
}

impl TlsConnector {
    /// A connector whose connections are as `config` says. Their handshakes, and the records of those, are rustls's.
    #[must_use]
    pub fn new(config: Arc<ClientConfig>, offload: Offload) -> Self {
        Self { config, offload }
    }

    /// Shakes hands with the server behind `io`, which has to be the one called `name`. The future does not borrow the
    /// connector. No early data is sent, whatever the configuration says.
    ///
    /// # Errors
    ///
    /// As those of [`TlsAcceptor::accept`].
    pub fn connect<IO>(
        &self,
        name: ServerName<'static>,
        mut io: IO,
    ) -> impl Future<Output = io::Result<TlsStream<IO>>> + use<IO>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let Self { config, offload } = self.clone();
        async move {
            let established = handshake::client(&mut io, &config, name).await?;
            TlsStream::new(io, established, &offload)
        }
    }
}

/// A TLS connection that has shaken hands.
///
/// What is written is taken at once, up to some 64 records, and sealed while the caller goes on; as with any buffered
/// writer, [`flush`](tokio::io::AsyncWriteExt::flush) or [`shutdown`](tokio::io::AsyncWriteExt::shutdown) sees to it that
/// it is sent. Whoever waits for an answer need not: reading sends, too. What is read ahead is opened meanwhile, and
/// [`AsyncBufRead`] shows it where it was opened, without a copy.
///
/// Dropping the stream lets go of whatever is under way, at any point.
pub struct TlsStream<IO> {
    io: IO,
    kernel: Kernel,
    inbound: Inbound,
    outbound: Outbound,
    about: Box<About>,
    /// Why nothing more can be read; it is told each time.
    failed: Option<Error>,
    /// Those who wait for something to be sent.
    tasks: Tasks,
}

/// What is known of the connection and its peer.
struct About {
    version: TlsVersion,
    suite: SupportedCipherSuite,
    key_exchange_group: Option<NamedGroup>,
    alpn: Option<Vec<u8>>,
    peer_certificates: Option<Vec<CertificateDer<'static>>>,
    server_name: Option<String>,
    handshake_kind: Option<HandshakeKind>,
    exporter: Secret,
    early_data: Vec<u8>,
}

impl<IO> TlsStream<IO> {
    fn new(io: IO, established: Established, offload: &Offload) -> io::Result<Self> {
        let Established { kernel, version, suite, tx, rx, input, early_data, .. } = established;
        let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
        let sealer = Keys::new(offload, suite, tx).map_err(invalid)?;
        let opener = Keys::new(offload, suite, rx).map_err(invalid)?;
        let control = Control::new(version, kernel.side());
        let about = About {
            version,
            suite,
            key_exchange_group: established.key_exchange_group,
            alpn: established.alpn,
            peer_certificates: established.peer_certificates,
            server_name: established.server_name,
            handshake_kind: established.handshake_kind,
            exporter: established.exporter,
            early_data,
        };
        Ok(Self {
            io,
            kernel,
            inbound: Inbound::new(opener, suite, control, input),
            outbound: Outbound::new(sealer, suite),
            about: Box::new(about),
            failed: None,
            tasks: Tasks::new(),
        })
    }

    /// What the connection runs over.
    pub fn get_ref(&self) -> &IO {
        &self.io
    }

    /// What the connection runs over, to set options. To read or write there breaks the connection.
    pub fn get_mut(&mut self) -> &mut IO {
        &mut self.io
    }

    /// What the connection runs over, which is let go of as it stands.
    pub fn into_inner(self) -> IO {
        self.io
    }

    /// The version of TLS.
    #[must_use]
    pub fn protocol_version(&self) -> ProtocolVersion {
        match self.about.version {
            TlsVersion::Tls12 => ProtocolVersion::TLSv1_2,
            TlsVersion::Tls13 => ProtocolVersion::TLSv1_3,
        }
    }

    /// The cipher suite.
    #[must_use]
    pub fn cipher_suite(&self) -> CipherSuite {
        self.about.suite.suite()
    }

    /// The group of the key exchange. `None` if there was none, as where a session of TLS 1.2 was resumed.
    #[must_use]
    pub fn key_exchange_group(&self) -> Option<NamedGroup> {
        self.about.key_exchange_group
    }

    /// The application protocol that both sides agreed on (RFC 7301).
    #[must_use]
    pub fn alpn_protocol(&self) -> Option<&[u8]> {
        self.about.alpn.as_deref()
    }

    /// The certificates that the peer has shown, its own first.
    #[must_use]
    pub fn peer_certificates(&self) -> Option<&[CertificateDer<'static>]> {
        self.about.peer_certificates.as_deref()
    }

    /// The name that the client asked this server for (RFC 6066, section 3).
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.about.server_name.as_deref()
    }

    /// Whether the handshake was a full one or a session was resumed.
    #[must_use]
    pub fn handshake_kind(&self) -> Option<HandshakeKind> {
        self.about.handshake_kind
    }

    /// What the client has sent in its first flight (RFC 8446, section 2.3), if the configuration lets it. It may have been
    /// replayed, and is not among what is read.
    #[must_use]
    pub fn early_data(&self) -> &[u8] {
        &self.about.early_data
    }

    /// Keying material for another protocol, bound to this connection (RFC 8446, section 7.5), into `output`. Both sides
    /// get the same for the same label, context and length. TLS 1.3 only: what rustls hands over of a connection of TLS 1.2
    /// has not what it is made from.
    pub fn export_keying_material<T: AsMut<[u8]>>(
        &self,
        mut output: T,
        label: &[u8],
        context: Option<&[u8]>,
    ) -> Result<T, Error> {
        let About { suite, exporter, .. } = &*self.about;
        exporter::export(*suite, exporter, output.as_mut(), label, context)?;
        Ok(output)
    }

    /// Changes the key for what is written from now on (RFC 8446, section 4.6.3). TLS 1.3 only; with TLS 1.2 nothing is
    /// done. Keys change by themselves before they are worn out.
    pub fn update_key(&mut self) {
        if self.about.version == TlsVersion::Tls13 {
            self.outbound.want_key_update();
        }
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> TlsStream<IO> {
    /// Waits for content. `Ready`: there is some, or the connection has come to its end.
    fn poll_content(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if let Some(error) = self.failure() {
                self.send_from_reader(cx);
                return Poll::Ready(Err(error));
            }
            let Poll::Ready(progress) = self.inbound.poll(&mut self.io, cx) else {
                // The peer may be waiting for it before it says anything.
                self.send_from_reader(cx);
                return Poll::Pending;
            };
            match progress {
                Ok(Progress::Content | Progress::Closed) => return Poll::Ready(Ok(())),
                Ok(Progress::Event(event)) => {
                    if let Err(error) = self.follow(event) {
                        self.fail(error.into());
                    }
                }
                Err(InboundError::Io(error)) => return Poll::Ready(Err(error)),
                Err(InboundError::Tls(fault)) => self.fail(fault),
            }
        }
    }

    /// The error that has ended the connection.
    fn failure(&self) -> Option<io::Error> {
        let error = self.failed.as_ref()?;
        Some(io::Error::new(io::ErrorKind::InvalidData, error.clone()))
    }

    /// Does what the peer has asked for.
    fn follow(&mut self, event: Event) -> Result<(), Error> {
        match event {
            Event::KeyUpdate { update_requested } => {
                if update_requested {
                    self.outbound.want_key_update();
                }
                self.inbound.change_key(self.kernel.update_rx_secret()?)
            }
            Event::NewSessionTicket(ticket) => self.kernel.handle_new_session_ticket(&ticket),
            Event::RefuseRenegotiation => self.outbound.warn(AlertDescription::NoRenegotiation),
            Event::CloseNotify | Event::Warning(_) => Ok(()),
        }
    }

    /// Ends the connection with the alert that tells the peer why.
    fn fail(&mut self, fault: Fault) {
        self.failed = Some(fault.error);
        self.inbound.let_go();
        if let Some(alert) = fault.alert {
            // A connection that cannot even seal an alert ends without one.
            let _ = self.outbound.fail(alert);
        }
    }

    /// Sends what can be sent without waiting, on behalf of a task that reads, which is woken when more can be.
    fn send_from_reader(&mut self, cx: &Context<'_>) {
        let before = self.outbound.pieces();
        if before == 0 {
            return;
        }
        let sent = self.poll_send(Does::Read, cx);
        if let Poll::Ready(Ok(())) = sent {
            let mut cx = Context::from_waker(self.tasks.waker());
            let _: Poll<_> = Pin::new(&mut self.io).poll_flush(&mut cx);
        }
        // There is room now, or an error, of which the one that writes is to know.
        if sent.is_ready() || self.outbound.pieces() < before {
            self.tasks.wake(Does::Write);
        }
    }

    /// Sends what was taken, for a task that does this.
    fn poll_send(&mut self, does: Does, cx: &Context<'_>) -> Poll<io::Result<()>> {
        self.tasks.note(does, cx.waker());
        self.outbound.poll_send(&mut self.io, &mut Context::from_waker(self.tasks.waker()))
    }

    /// Takes what is written, and begins to send it.
    fn poll_take(&mut self, cx: &Context<'_>, content: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if content.iter().all(|slice| slice.is_empty()) {
            return Poll::Ready(Ok(0));
        }
        if let Some(error) = self.failure() {
            return Poll::Ready(Err(error));
        }
        loop {
            if self.outbound.is_key_due() {
                ready!(self.poll_renew_key(cx))?;
            }
            let taken = self.outbound.take(content)?;
            let sent = self.poll_send(Does::Write, cx);
            match taken {
                Some(bytes) => {
                    if let Poll::Ready(Err(error)) = sent {
                        return Poll::Ready(Err(error));
                    }
                    return Poll::Ready(Ok(bytes));
                }
                None => ready!(sent)?,
            }
        }
    }

    fn poll_renew_key(&mut self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(Does::Write, cx))?;
        Poll::Ready(self.outbound.renew_key(&mut self.kernel).map_err(io::Error::other))
    }

    /// Sends all that was written.
    fn poll_send_all(&mut self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(Does::Write, cx))?;
        if self.about.version == TlsVersion::Tls13 && self.outbound.is_key_due() {
            ready!(self.poll_renew_key(cx))?;
            ready!(self.poll_send(Does::Write, cx))?;
        }
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if into.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        ready!(this.poll_content(cx))?;
        // As much as there is: what was opened meanwhile costs no more than a look.
        loop {
            let content = this.inbound.content();
            let bytes = content.len().min(into.remaining());
            into.put_slice(&content[..bytes]);
            this.inbound.consume(bytes);
            if bytes == 0 || into.remaining() == 0 || !this.inbound.is_ready() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncBufRead for TlsStream<IO> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        ready!(this.poll_content(cx))?;
        Poll::Ready(Ok(this.inbound.content()))
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        self.inbound.consume(amount);
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        content: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_take(cx, &[IoSlice::new(content)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        content: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_take(cx, content)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(this.poll_send_all(cx))?;
        Pin::new(&mut this.io).poll_flush(&mut Context::from_waker(this.tasks.waker()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.outbound.close().map_err(io::Error::other)?;
        ready!(this.poll_send(Does::Write, cx))?;
        let mut cx = Context::from_waker(this.tasks.waker());
        match ready!(Pin::new(&mut this.io).poll_shutdown(&mut cx)) {
            // Then there is nothing to shut down any more.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Poll::Ready(Ok(())),
            result => Poll::Ready(result),
        }
    }
}

impl<IO> fmt::Debug for TlsStream<IO> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsStream")
            .field("side", &self.kernel.side())
            .field("version", &self.about.version)
            .field("suite", &self.about.suite.suite())
            .finish_non_exhaustive()
    }
}
