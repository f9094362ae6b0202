// SPDX-License-Identifier: Apache-2.0 OR MIT
//! TLS by rustls whose records are sealed and opened by a sealgate device: as an asynchronous stream, or as a
//! [`rustls::crypto::CryptoProvider`].
//!
//! # Streams
//!
//! With tokio, in the place of tokio-rustls: [`TlsAcceptor`] and [`TlsConnector`] make a [`TlsStream`], which has many records
//! under way at once. What tokio-rustls tells through rustls's connection, the stream tells itself, such as
//! [`TlsStream::alpn_protocol`]. Not there: early data that a client sends, and a look at the client's hello before the
//! configuration is chosen.
//!
//! ```
//! # async fn connect(
//! #     socket: tokio::io::DuplexStream, config: rustls::ClientConfig, device: &sealgate_driver::Device,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! use sealgate_rustls::{Offload, TlsConnector};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! let offload = Offload::new(device);
//! let connector = TlsConnector::new(config.into(), offload.clone());
//! let mut stream = connector.connect("localhost".try_into()?, socket).await?;
//! stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
//! let mut answer = Vec::new();
//! stream.read_to_end(&mut answer).await?;
//! println!("{:?}", offload.counts());
//! # Ok(())
//! # }
//! ```
//!
//! # The provider
//!
//! For any other program, a record at a time.
//!
//! ```
//! # fn client(device: &sealgate_driver::Device) -> Result<rustls::ClientConfig, rustls::Error> {
//! let (provider, counters) = sealgate_rustls::Provider::new(device).build();
//! let config = rustls::ClientConfig::builder_with_provider(provider.into())
//!     .with_safe_default_protocol_versions()?
//!     .with_root_certificates(rustls::RootCertStore::empty())
//!     .with_no_client_auth();
//! println!("{:?}", counters.snapshot());
//! # Ok(config)
//! # }
//! ```
//!
//! Handshakes stay with the base provider: ring, or aws-lc-rs with the feature of that name, or any other given to
//! [`Provider::base`]. Of the records, those of the versions and suites that the device serves go to it: TLS 1.3 and
//! TLS 1.2, each with AES-128-GCM, AES-256-GCM and ChaCha20-Poly1305, or fewer of them. All others, those below the
//! threshold, and those that the device could not do are sealed and opened by the base, and [`RecordCounters`] says how
//! many and why. QUIC packets are no TLS records; the base protects them and nothing counts them.
//!
//! rustls wants suites that live as long as the program. Each [`Provider::build`] therefore leaks less than 2 KiB, and
//! holds the device it was made for: build one provider per device and clone it, and end with `Device::close`.

mod counters;
mod provider;
mod record;
mod stream;
mod threshold;

pub use counters::{Operation, Reason, RecordCounters, RecordCounts, Tally};
pub use provider::{Provider, provider};
pub use stream::{Offload, TlsAcceptor, TlsConnector, TlsStream};
pub use threshold::{Thresholds, measure};
