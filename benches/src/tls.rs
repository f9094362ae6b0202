// SPDX-License-Identifier: Apache-2.0 OR MIT
//! TLS stacks that are set side by side, as servers, and the peer of all of them: tokio-rustls on ring.

use std::io;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{CipherSuite, ClientConfig, RootCertStore, ServerConfig};
use sealgate_driver::{Device, Settings};
use sealgate_rustls::Offload;
use sealgate_sim::{SimConfig, SimTransport};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

const NAME: &str = "localhost";

/// A TLS stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stack {
    /// Our stream on the software device.
    SealgateModel,
    /// Our stream without a device.
    SealgateSoftware,
    /// tokio-rustls on ring.
    RustlsRing,
    /// tokio-rustls on aws-lc-rs.
    RustlsAwsLcRs,
    /// `openssl s_server`, a process of its own.
    Openssl,
}

impl Stack {
    /// Those of this build, what all are compared with first.
    pub const ALL: &[Self] = &[
        Self::RustlsRing,
        Self::SealgateModel,
        Self::SealgateSoftware,
        #[cfg(feature = "aws-lc-rs")]
        Self::RustlsAwsLcRs,
        Self::Openssl,
    ];

    /// As the report calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SealgateModel => "sealgate sim:model",
            Self::SealgateSoftware => "sealgate software",
            Self::RustlsRing => "rustls+ring",
            Self::RustlsAwsLcRs => "rustls+aws-lc-rs",
            Self::Openssl => "openssl",
        }
    }

    fn provider(self) -> CryptoProvider {
        match self {
            #[cfg(feature = "aws-lc-rs")]
            Self::RustlsAwsLcRs => rustls::crypto::aws_lc_rs::default_provider(),
            _ => rustls::crypto::ring::default_provider(),
        }
    }
}

/// A certificate and its key, made for one run.
pub struct Identity {
    signed: rcgen::CertifiedKey<rcgen::KeyPair>,
}

impl Identity {
    /// Makes one.
    pub fn new() -> io::Result<Self> {
        let signed =
            rcgen::generate_simple_self_signed([NAME.to_owned()]).map_err(io::Error::other)?;
        Ok(Self { signed })
    }

    /// The certificate.
    #[must_use]
    pub fn certificate(&self) -> CertificateDer<'static> {
        self.signed.cert.der().clone()
    }

    /// Certificate and key as PEM.
    #[must_use]
    pub fn pem(&self) -> (String, String) {
        (self.signed.cert.pem(), self.signed.signing_key.serialize_pem())
    }
}

/// Either end of a connection.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A stack that serves in this process.
#[derive(Clone)]
pub enum Acceptor {
    /// Our stream.
    Sealgate(sealgate_rustls::TlsAcceptor),
    /// tokio-rustls.
    Rustls(tokio_rustls::TlsAcceptor),
}

impl Acceptor {
    /// The stack with TLS 1.3 and one suite, and with a device of its own where it has any.
    pub fn new(stack: Stack, identity: &Identity, suite: CipherSuite) -> io::Result<Self> {
        let key = PrivateKeyDer::try_from(identity.signed.signing_key.serialize_der())
            .map_err(io::Error::other)?;
        let config = ServerConfig::builder_with_provider(only(stack.provider(), suite))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .and_then(|builder| {
                builder.with_no_client_auth().with_single_cert(vec![identity.certificate()], key)
            })
            .map_err(io::Error::other)?;
        let offload = match stack {
            Stack::SealgateModel => Offload::new(&software_device()?),
            Stack::SealgateSoftware => Offload::without_device(),
            _ => return Ok(Self::Rustls(Arc::new(config).into())),
        };
        Ok(Self::Sealgate(sealgate_rustls::TlsAcceptor::new(config.into(), offload)))
    }

    /// Shakes hands.
    pub async fn accept(&self, socket: TcpStream) -> io::Result<Box<dyn Stream>> {
        socket.set_nodelay(true)?;
        Ok(match self {
            Self::Sealgate(acceptor) => Box::new(acceptor.accept(socket).await?),
            Self::Rustls(acceptor) => Box::new(acceptor.accept(socket).await?),
        })
    }
}

/// The peer of every stack.
pub fn connector(
    certificate: CertificateDer<'static>,
    suite: CipherSuite,
) -> io::Result<tokio_rustls::TlsConnector> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).map_err(io::Error::other)?;
    let mut config = ClientConfig::builder_with_provider(only(Stack::RustlsRing.provider(), suite))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config).into())
}

/// Connects to a server on this machine.
pub async fn connect(
    connector: &tokio_rustls::TlsConnector,
    port: u16,
) -> io::Result<Box<dyn Stream>> {
    let socket = TcpStream::connect(("127.0.0.1", port)).await?;
    socket.set_nodelay(true)?;
    let name = ServerName::try_from(NAME).map_err(io::Error::other)?;
    Ok(Box::new(connector.connect(name, socket).await?))
}

/// A runtime of one thread.
pub fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn only(mut provider: CryptoProvider, suite: CipherSuite) -> Arc<CryptoProvider> {
    provider.cipher_suites.retain(|candidate| candidate.suite() == suite);
    provider.into()
}

fn software_device() -> io::Result<Device> {
    let transport = SimTransport::model(SimConfig::default()).map_err(io::Error::other)?;
    Device::open(transport, Settings::default()).map_err(io::Error::other)
}
