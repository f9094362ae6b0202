// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A TLS stream whose record layer is ours: rustls shakes hands and hands over the keys, and from then on many records
//! of a connection can be under way at once.

#![allow(dead_code, reason = "the stream that uses these parts is put together next")]

mod control;
mod handshake;
#[cfg(test)]
mod tests;
