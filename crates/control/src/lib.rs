// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The control plane: targets, their certificates and their names, changed on a live server.
//!
//! An operator asks for a [`ssl::SslConfiguration`]; what that means for a target is decided by
//! [`ssl`] without I/O. Own certificates are checked before anything changes; managed ones come from
//! an [`issuer::Issuer`] under a name that a [`dns::Dns`] publishes.

pub mod api;
pub mod certificate;
pub mod controller;
pub mod declared;
pub mod dns;
pub mod issuer;
pub mod name;
pub mod ocsp;
pub mod operation;
pub mod proof;
pub mod renewal;
pub mod ssl;
pub mod store;
pub mod target;
