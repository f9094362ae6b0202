// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Where managed names are published.

pub mod check;
pub mod embedded;
mod exchange;
mod records;
pub mod tsig;
pub mod update;
mod zone;

use std::net::IpAddr;

use futures_util::future::BoxFuture;
use thiserror::Error;

use crate::name::DnsName;

/// A zone whose records are ours to change.
pub trait Dns: Send + Sync {
    /// The zone that names lie in, such as `example.net`.
    fn zone(&self) -> &DnsName;

    /// Makes `name` point at `addresses`, in the place of those it had from us.
    ///
    /// Without `overwrite` a name that others have published already is refused.
    fn publish<'a>(
        &'a self,
        name: &'a DnsName,
        addresses: &'a [IpAddr],
        overwrite: bool,
    ) -> BoxFuture<'a, Result<(), DnsError>>;

    /// Takes the addresses of `name` away; none is no error.
    fn withdraw<'a>(&'a self, name: &'a DnsName) -> BoxFuture<'a, Result<(), DnsError>>;

    /// Adds a TXT record beside those that are there, as for `_acme-challenge` (RFC 8555, section 8.4); returns
    /// when the zone's own servers answer with it.
    fn add_txt<'a>(&'a self, name: &'a str, value: &'a str) -> BoxFuture<'a, Result<(), DnsError>>;

    /// Takes that record away; none is no error.
    fn remove_txt<'a>(
        &'a self,
        name: &'a str,
        value: &'a str,
    ) -> BoxFuture<'a, Result<(), DnsError>>;
}

/// Why a name could not be changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DnsError {
    /// Somebody else's records are there.
    #[error("{name} is taken: choose another label, or ask to overwrite the existing domain")]
    Taken {
        /// The name.
        name: String,
    },
    /// The name lies outside the zone.
    #[error("{name} is not in the zone {zone}")]
    OutsideZone {
        /// The name.
        name: String,
        /// The zone.
        zone: String,
    },
    /// The server refused the change.
    #[error("the DNS server {server} refused to change {name}: {code}")]
    Refused {
        /// The server's address.
        server: String,
        /// The name.
        name: String,
        /// The response code (RFC 6895, section 2.3) and what it most often means.
        code: String,
    },
    /// The server did not answer.
    #[error("the DNS server {server} cannot be reached: {why}")]
    Unreachable {
        /// The server's address.
        server: String,
        /// What happened.
        why: String,
    },
    /// The server took the change, and it is not certain that it was made.
    #[error("the DNS server {server} did not confirm the change of {name}: {why}")]
    Unconfirmed {
        /// The server's address.
        server: String,
        /// The name.
        name: String,
        /// What is missing.
        why: String,
    },
}
