// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Trying again: exponentially later, with jitter, within bounds.

use std::time::Duration;

use instant_acme::{Error, RetryPolicy};
use tokio::time::{Instant, sleep};

use super::trouble::Trouble;

/// The wait after a first failure; each further one is twice as long, ...
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// ... up to this.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// How often a request is made before its failure is that of the order.
const MAX_TRIES: u32 = 9;

/// The wait before an order's state is first asked for; ...
const FIRST_POLL: Duration = Duration::from_millis(200);

/// ... each further one is so much longer.
const POLL_GROWTH: f32 = 1.2;

/// The patience that an order is given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    deadline: Instant,
}

impl Patience {
    pub(super) fn until(deadline: Instant) -> Self {
        Self { deadline }
    }

    pub(super) fn tries(self) -> Tries {
        Tries { patience: self, made: 0, wait: FIRST_WAIT }
    }

    /// How often to ask for the state of an order.
    pub(super) fn poll(&self) -> RetryPolicy {
        RetryPolicy::new().initial_delay(FIRST_POLL).backoff(POLL_GROWTH).timeout(self.left())
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// The tries of one request.
#[derive(Debug)]
pub(super) struct Tries {
    patience: Patience,
    made: u32,
    wait: Duration,
}

impl Tries {
    /// Waits until the request may be made again after `error`; an error says that it may not.
    pub(super) async fn again(&mut self, error: Error) -> Result<(), Trouble> {
        self.made += 1;
        let trouble = Trouble::from(error);
        let jittered = self.wait.mul_f64(0.5 + rand::random::<f64>() / 2.0);
        let pause = jittered.max(trouble.retry_after().unwrap_or_default());
        if self.made == MAX_TRIES || !trouble.passes_soon() || pause >= self.patience.left() {
            return Err(trouble);
        }
        tracing::debug!(%trouble, tries = self.made, "the CA is asked again");
        sleep(pause).await;
        self.wait = (self.wait * 2).min(MAX_WAIT);
        Ok(())
    }
}

/// Makes a request until it succeeds, fails for good, or patience ends.
///
/// No function, as the compiler does not see that futures of closures that borrow are `Send`.
macro_rules! patiently {
    ($patience:expr, $request:expr) => {{
        let mut tries = $patience.tries();
        loop {
            match $request {
                Ok(answer) => break Ok(answer),
                Err(error) => {
                    if let Err(trouble) = tries.again(error).await {
                        break Err(trouble);
                    }
                }
            }
        }
    }};
}

pub(super) use patiently;
