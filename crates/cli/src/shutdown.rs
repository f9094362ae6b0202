// SPDX-License-Identifier: Apache-2.0 OR MIT
//! SIGINT and SIGTERM: the first drains, the second ends the program.

use std::io;
use std::process;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};

/// Exit code after a second signal: that of a program that a SIGINT has ended.
const EXIT_AT_ONCE: i32 = 128 + 2;

/// The two signals that ask for the end. They are caught from when this is made.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Catches the signals. Needs a tokio runtime.
    pub(crate) fn catch() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Completes at the first signal. From then on a second one ends the program at once.
    pub(crate) async fn first(mut self) {
        let name = self.next().await;
        info!(signal = name, "shutting down; a second signal ends at once");
        tokio::spawn(async move {
            let name = self.next().await;
            warn!(signal = name, "ended at once; requests in flight are lost");
            process::exit(EXIT_AT_ONCE);
        });
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}
