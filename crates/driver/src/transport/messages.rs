// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Interrupt messages as a task waits for them.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::timeout;

use super::{Transport, TransportError};

/// The messages of one queue: at their descriptor or, where there is none, inside the transport, with the whole thread.
pub(crate) struct Messages {
    transport: Arc<dyn Transport>,
    queue: usize,
    descriptor: Option<AsyncFd<OwnedFd>>,
}

impl Messages {
    /// Those of `queue`. Must be called inside the runtime that waits for them.
    pub(crate) fn of(transport: &Arc<dyn Transport>, queue: usize) -> io::Result<Self> {
        let descriptor = transport.interrupt_descriptor(queue).map(|descriptor| {
            // One of its own for the same messages: it stays open for as long as the runtime knows of it.
            let descriptor = descriptor.try_clone_to_owned()?;
            #[allow(unsafe_code)]
            // SAFETY: the descriptor is open and always the same, and closed only after it was deregistered, as its
            // `OwnedFd` is in the `AsyncFd` and goes with it.
            let registered =
                unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) };
            registered.map_err(io::Error::from)
        });
        let descriptor = descriptor.transpose()?;
        Ok(Self { transport: Arc::clone(transport), queue, descriptor })
    }

    /// Waits for a message, at most `longest`. `true`: one came since the last call.
    pub(crate) async fn wait(&self, longest: Duration) -> Result<bool, TransportError> {
        let Some(descriptor) = &self.descriptor else {
            return self.transport.wait_for_interrupt(self.queue, longest);
        };
        let message = async {
            while let Ok(mut ready) = descriptor.readable().await {
                // Before the message is taken: of one that comes in between the runtime tells again.
                ready.clear_ready();
                if self.transport.wait_for_interrupt(self.queue, Duration::ZERO)? {
                    return Ok(true);
                }
                // A thread has taken it, while it was the one to sleep.
            }
            Ok(false)
        };
        timeout(longest, message).await.unwrap_or(Ok(false))
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").field("queue", &self.queue).finish_non_exhaustive()
    }
}
