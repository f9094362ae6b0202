// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A [`rustls::crypto::CryptoProvider`] whose TLS records are sealed and opened by a sealgate device.
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
