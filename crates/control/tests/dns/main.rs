// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Names as the world sees them: each way of publishing them, against real sockets and real servers.

mod ask;
mod check;
mod embedded;
#[path = "../support/knot.rs"]
mod knot;
mod update;
