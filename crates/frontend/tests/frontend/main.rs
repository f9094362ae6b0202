// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The front end from outside: a server on 127.0.0.1 and its clients.

mod certificate;
mod common;
mod connections;
mod https;
mod publication;
