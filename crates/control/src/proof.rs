// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A handshake with the server itself, which shows that it serves what it should.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::name::{DnsName, random_suffix};

/// Time for the connection and the handshake.
const PATIENCE: Duration = Duration::from_secs(10);

/// In the place of the `*` of a wildcard, before characters of chance: no other name should be met.
const WILDCARD_HOST: &str = "sealgate-proof-";

/// Proves that a name is served with a certificate.
#[derive(Debug, Clone)]
pub struct Prover {
    address: SocketAddr,
    provider: Arc<CryptoProvider>,
}

impl Prover {
    /// Proofs go to `address`, one that the server listens on with TLS; an unspecified one is
    /// reached through loopback.
    pub fn new(mut address: SocketAddr, provider: Arc<CryptoProvider>) -> Self {
        if address.ip().is_unspecified() {
            match address {
                SocketAddr::V4(_) => address.set_ip(Ipv4Addr::LOCALHOST.into()),
                SocketAddr::V6(_) => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            }
        }
        Self { address, provider }
    }

    /// Shakes hands under `name`. The server must show `leaf` and sign with its key.
    ///
    /// # Errors
    ///
    /// [`ProofError`] when it does not.
    pub async fn prove(
        &self,
        name: &DnsName,
        leaf: &CertificateDer<'static>,
    ) -> Result<(), ProofError> {
        let failed = |why| ProofError { name: name.to_string(), address: self.address, why };
        let host = name.as_str().replacen('*', &format!("{WILDCARD_HOST}{}", random_suffix()), 1);
        let host = ServerName::try_from(host).map_err(|error| failed(io::Error::other(error)))?;
        let verifier = OnlyThis { leaf: leaf.clone(), provider: Arc::clone(&self.provider) };
        let config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(io::Error::other(error)))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        let handshake = async {
            let tcp = TcpStream::connect(self.address).await?;
            TlsConnector::from(Arc::new(config)).connect(host, tcp).await
        };
        let timeout = |_| io::Error::from(io::ErrorKind::TimedOut);
        let shaken = tokio::time::timeout(PATIENCE, handshake).await.map_err(timeout);
        shaken.and_then(|result| result).map(drop).map_err(failed)
    }
}

/// Accepts one certificate and checks that the peer has its key. Trust is no question here: the
/// certificate is known.
#[derive(Debug)]
struct OnlyThis {
    leaf: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for OnlyThis {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *end_entity == self.leaf {
            return Ok(ServerCertVerified::assertion());
        }
        Err(rustls::Error::General("the server shows another certificate".to_owned()))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// A handshake that proved nothing.
#[derive(Debug, Error)]
#[error("a handshake for {name} at {address} did not show the new certificate: {why}")]
pub struct ProofError {
    name: String,
    address: SocketAddr,
    why: io::Error,
}
