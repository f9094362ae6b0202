// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a queue's reaper does: it takes completions for the tasks that wait.
//!
//! It is a task itself, and there is only one of a queue, so that [`SharedQueue::call`] always finds the right one.

use std::time::{Duration, Instant};

use tokio::task::yield_now;
use tokio::time::timeout;

use super::{Running, SLEEP_MAX, SharedQueue, State};
use crate::error::DeviceError;
use crate::monitor::Generation;
use crate::settings::deadline_in;
use crate::transport::messages::Messages;

/// Completions taken so far, and since which reset.
type Progress = (Generation, u64);

impl SharedQueue {
    /// Serves tasks until [`Self::close`].
    pub(crate) async fn serve_tasks(&self, messages: Messages) {
        while self.wait_for_tasks().await {
            let timeout = self.core.completion_timeout();
            let mut first = None;
            let served = self.watch(&messages, deadline_in(timeout), &mut first).await;
            match (served, first) {
                (Ok(true), _) => {}
                (Ok(false), Some((generation, _))) => {
                    self.time_out(generation, timeout);
                }
                (Ok(false), None) | (Err(_), _) => self.dismiss_tasks().await,
            }
        }
    }

    /// Ends [`Self::serve_tasks`].
    pub(crate) fn close(&self) {
        self.with(|state| state.closing = true);
        self.call.notify_one();
    }

    /// Rests until tasks wait for the device. `false`: the queue is being closed.
    async fn wait_for_tasks(&self) -> bool {
        loop {
            let (closing, awaited) = self.with(|state| {
                let awaited = state.running.as_ref().map_or(0, |running| running.awaited);
                state.reaper_rests = !state.closing && awaited == 0;
                (state.closing, awaited)
            });
            if closing || awaited > 0 {
                return !closing;
            }
            self.call.notified().await;
        }
    }

    /// Takes completions until there are others than at first, or no task waits any more: polls for a while, then
    /// sleeps. `false`: there were none by `deadline`.
    async fn watch(
        &self,
        messages: &Messages,
        deadline: Instant,
        first: &mut Option<Progress>,
    ) -> Result<bool, DeviceError> {
        let mut look = |state: &mut State| {
            let running = self.advance(state, None)?;
            let now = (running.generation, running.reaped);
            let done = running.awaited == 0 || *first.get_or_insert(now) != now;
            Ok::<_, DeviceError>((done, state.progress))
        };
        let spin_until = deadline.min(deadline_in(self.core.settings.spin));
        while Instant::now() < spin_until {
            if let Some(looked) = self.try_with(&mut look)
                && let (true, _) = looked?
            {
                return Ok(true);
            }
            // The reapers of other queues may be on this thread.
            yield_now().await;
        }
        loop {
            let (done, seen) = self.with(&mut look)?;
            if done {
                return Ok(true);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            self.sleep_as_task(messages, seen, left.min(SLEEP_MAX)).await?;
        }
    }

    /// What [`Self::sleep`] does for threads.
    async fn sleep_as_task(
        &self,
        messages: &Messages,
        seen: u64,
        longest: Duration,
    ) -> Result<(), DeviceError> {
        if let Some(generation) = self.lie_down(seen)? {
            let woken = messages.wait(longest).await;
            return self.get_up(generation, woken);
        }
        let waits = self.with(|state| {
            state.reaper_waits = state.progress == seen;
            state.waiters += usize::from(state.reaper_waits);
            state.reaper_waits
        });
        if waits {
            // Whether it was called or not, it looks.
            let _ = timeout(longest, self.call.notified()).await;
            self.with(|state| {
                state.reaper_waits = false;
                state.waiters -= 1;
            });
        }
        Ok(())
    }

    /// The device has failed: every task that waits for it finds out.
    async fn dismiss_tasks(&self) {
        let closing = self.with(|state| {
            let State { running, woken, closing, .. } = state;
            woken.extend(running.iter_mut().flat_map(Running::take_wakers));
            *closing
        });
        if !closing {
            // Until they have let go of their buffers, or the device is back.
            let _ = timeout(SLEEP_MAX, self.call.notified()).await;
        }
    }
}
