// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The scoring front end: TLS listeners, routing, replicas, metrics.
//!
//! Three rooms in the order of the data, each a [`tower::Service`]:
//!
//! 1. [`Listener`] takes a TCP connection, does the TLS handshake and speaks HTTP/1.1 on it;
//! 2. [`Router`] takes an HTTP request, checks it and answers it, asking a replica where one is
//!    needed;
//! 3. a replica takes a [`ScoreRequest`] and answers with a [`ScoreResponse`]; [`EmbeddedModel`]
//!    runs the digits model that is part of the program.
//!
//! Where targets come and go, [`Publications`] says which names are served and how, and a [`Gate`]
//! before the router holds each request to it.
//!
//! [`Server`] owns the listening sockets, accepts connections within a bound and drains them at
//! shutdown.
//!
//! Nothing here knows what protects the records: TLS comes as a
//! [`TlsAcceptor`](sealgate_rustls::TlsAcceptor) over a configuration made by [`server_config`], and
//! the composition root says where its records go; facts about a device reach `/metrics` through
//! [`MetricsSource`].
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//!
//! use sealgate_frontend::{
//!     EmbeddedModel, Metrics, Router, Server, Settings, development_certificate, server_config,
//! };
//!
//! use sealgate_rustls::{Offload, TlsAcceptor};
//!
//! let provider = Arc::new(rustls::crypto::ring::default_provider());
//! let development = development_certificate()?;
//! let config = server_config(provider, development.certificate)?;
//! let tls = TlsAcceptor::new(config, Offload::without_device());
//!
//! let metrics = Metrics::new(Vec::new());
//! let router = Router::new(EmbeddedModel::load()?, metrics.clone());
//! let server = Server::bind(Settings::default(), tls, router, metrics).await?;
//! println!("serving on {:?}", server.local_addrs());
//! let summary = server.serve(async { drop(tokio::signal::ctrl_c().await) }).await;
//! println!("served {} connections", summary.connections);
//! # Ok(())
//! # }
//! ```

mod certificate;
mod listener;
mod metrics;
pub mod model;
mod publication;
mod replica;
mod router;
mod server;

pub use certificate::{
    Certificate, CertificateError, DevelopmentCertificate, ServedCertificate,
    development_certificate, published_config, served_config, server_config,
};
pub use listener::{Arrival, ConnectionError, Listener, Scheme};
pub use metrics::{Kind, Metrics, MetricsSource, Sample, Value};
pub use publication::{
    Access, AlpnChallenges, ChallengeGuard, Gate, HttpChallenges, Publication, Publications, Target,
};
pub use replica::{EmbeddedModel, ReplicaError, ScoreRequest, ScoreResponse};
pub use router::{MAX_BODY_BYTES, MAX_IMAGES, MAX_REQUEST_ID_CHARS, Router};
pub use server::{Server, ServerError, Settings, Summary};
