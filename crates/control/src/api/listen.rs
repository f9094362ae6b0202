// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Where the admin API listens: a Unix socket for the owner, TCP for who has a client certificate.

use std::fs::{self, Permissions};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use sealgate_frontend::Certificate;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Time that a client has for its handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// Handshakes at once; further connections wait in the system's backlog.
const MAX_HANDSHAKES: usize = 16;

/// Wait after the system could not hand out a connection.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// For the owner of the server alone.
const SOCKET_MODE: u32 = 0o600;

/// A place where the admin API listens.
#[derive(Debug)]
pub enum AdminListener {
    /// A Unix socket; its file goes with it.
    Unix {
        /// The socket.
        listener: UnixListener,
        /// Its file.
        path: PathBuf,
    },
    /// TCP, for clients with a certificate.
    Tls(AdminTls),
}

/// A TCP socket for clients with a certificate of an authority that was named.
#[derive(Debug)]
pub struct AdminTls {
    tcp: TcpListener,
    config: Arc<ServerConfig>,
    handshakes: JoinSet<io::Result<(TlsStream<TcpStream>, SocketAddr)>>,
}

impl AdminTls {
    fn begin(&mut self, tcp: TcpStream, peer: SocketAddr) {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.config));
        self.handshakes.spawn(async move {
            let shaken = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(tcp)).await;
            shaken.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map(|tls| (tls, peer))
        });
    }
}

impl AdminListener {
    /// Listens on a socket at `path` that the owner alone may use. A socket that nobody listens on any more makes place.
    ///
    /// # Errors
    ///
    /// [`ListenError`] when there is something else, or somebody listens.
    pub fn unix(path: &Path) -> Result<Self, ListenError> {
        let failed = |source| ListenError::Unix { path: path.to_owned(), source };
        if let Ok(found) = fs::symlink_metadata(path) {
            let dead = std::os::unix::net::UnixStream::connect(path).is_err();
            if !found.file_type().is_socket() || !dead {
                return Err(ListenError::Occupied { path: path.to_owned() });
            }
            fs::remove_file(path).map_err(failed)?;
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        // Until here the folder, which is the owner's alone, keeps others out.
        fs::set_permissions(path, Permissions::from_mode(SOCKET_MODE)).map_err(failed)?;
        Ok(Self::Unix { listener, path: path.to_owned() })
    }

    /// Listens on `address` with `certificate`, for clients whose certificate `client_ca` (PEM) has issued.
    ///
    /// # Errors
    ///
    /// [`ListenError`] when the address is taken, or the certificates are not fit.
    pub async fn tls(
        address: SocketAddr,
        certificate: &Certificate,
        client_ca: &Path,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, ListenError> {
        let unfit = |why: String| ListenError::ClientCa { path: client_ca.to_owned(), why };
        let mut roots = RootCertStore::empty();
        for root in
            CertificateDer::pem_file_iter(client_ca).map_err(|error| unfit(error.to_string()))?
        {
            let root = root.map_err(|error| unfit(error.to_string()))?;
            roots.add(root).map_err(|error| unfit(error.to_string()))?;
        }
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(|error| unfit(error.to_string()))?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(ListenError::Certificate)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(certificate.chain().to_vec(), certificate.key())
            .map_err(ListenError::Certificate)?;
        let failed = |source| ListenError::Tcp { address, source };
        let tcp = TcpListener::bind(address).await.map_err(failed)?;
        Ok(Self::Tls(AdminTls { tcp, config: Arc::new(config), handshakes: JoinSet::new() }))
    }

    /// The TCP address listened on.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        match self {
            Self::Unix { .. } => None,
            Self::Tls(tls) => tls.tcp.local_addr().ok(),
        }
    }

    /// Serves `router` until the future is dropped.
    ///
    /// # Errors
    ///
    /// Whatever the system says when it can no longer be listened.
    pub async fn serve(self, router: Router) -> io::Result<()> {
        match self {
            Self::Unix { listener, path } => {
                let _file = SocketFile(path);
                axum::serve(UnixSocket(listener), router).await
            }
            Self::Tls(tls) => axum::serve(tls, router).await,
        }
    }
}

struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = fs::remove_file(&self.0);
    }
}

struct UnixSocket(UnixListener);

impl Listener for UnixSocket {
    type Io = UnixStream;
    type Addr = ();

    async fn accept(&mut self) -> (UnixStream, ()) {
        loop {
            match self.0.accept().await {
                Ok((stream, _)) => return (stream, ()),
                Err(_) => tokio::time::sleep(ACCEPT_BACKOFF).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Listener for AdminTls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    /// Handshakes go on side by side, so that a client that does none holds up nobody.
    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            tokio::select! {
                Some(shaken) = self.handshakes.join_next() => match shaken {
                    Ok(Ok(arrival)) => return arrival,
                    Ok(Err(error)) => tracing::warn!(%error, "admin connection refused"),
                    Err(error) => tracing::error!(%error, "admin handshake failed: this is a defect"),
                },
                accepted = self.tcp.accept(), if self.handshakes.len() < MAX_HANDSHAKES => {
                    match accepted {
                        Ok((tcp, peer)) => self.begin(tcp, peer),
                        Err(_) => tokio::time::sleep(ACCEPT_BACKOFF).await,
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// Why the admin API cannot be listened for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The socket cannot be made.
    #[error("the admin socket {} cannot be made", path.display())]
    Unix {
        /// Its file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is something at the path.
    #[error("{} is in use: another sealgate listens there, or it is no socket", path.display())]
    Occupied {
        /// The path.
        path: PathBuf,
    },
    /// The address is taken, not local, or not permitted.
    #[error("cannot listen on {address}")]
    Tcp {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The authority of clients is not fit.
    #[error("{} does not hold the authority of admin clients in PEM: {why}", path.display())]
    ClientCa {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The admin API's own certificate is not fit.
    #[error("the certificate of the admin API cannot be used")]
    Certificate(#[source] rustls::Error),
}
