// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Whether a device works: noticed by whoever uses it, mended by its supervisor.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::{DeviceError, Failure};

/// Counts the resets of a device. What was under way in one generation means nothing in the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Generation(u64);

impl Generation {
    pub(crate) const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The state of a device, shared by all its users and its supervisor.
#[derive(Debug, Default)]
pub(crate) struct Monitor {
    /// Whether `state` holds a failure: what every operation looks at first.
    failed: AtomicBool,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    generation: Generation,
    failure: Option<Failure>,
    closed: bool,
}

impl Monitor {
    /// Fails at once while the device is failed.
    pub(crate) fn check(&self) -> Result<(), DeviceError> {
        if self.failed.load(Ordering::Acquire) {
            return Err(DeviceError::Failed(self.failure().unwrap_or(Failure::Reset)));
        }
        Ok(())
    }

    /// Why the device counts as failed.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.lock().failure.clone()
    }

    pub(crate) fn generation(&self) -> Generation {
        self.lock().generation
    }

    /// Marks the device as failed. `false`: it was already, or what failed has been reset meanwhile.
    pub(crate) fn fail(&self, generation: Generation, failure: Failure) -> bool {
        let mut state = self.lock();
        if state.failure.is_some() || state.generation != generation {
            return false;
        }
        state.failure = Some(failure);
        self.failed.store(true, Ordering::Release);
        self.changed.notify_all();
        true
    }

    /// The device has still failed, now for another reason.
    pub(crate) fn still_failed(&self, failure: Failure) {
        self.lock().failure = Some(failure);
    }

    /// The device works again, reset and set up anew.
    pub(crate) fn recovered(&self, generation: Generation) {
        let mut state = self.lock();
        state.generation = generation;
        state.failure = None;
        self.failed.store(false, Ordering::Release);
    }

    /// Nobody uses the device any more.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Sleeps until the device has failed. `false`: it was closed instead.
    pub(crate) fn wait_for_failure(&self) -> bool {
        let state = self
            .changed
            .wait_while(self.lock(), |state| state.failure.is_none() && !state.closed)
            .unwrap_or_else(PoisonError::into_inner);
        !state.closed
    }

    /// Sleeps for `pause`. `false`: the device was closed meanwhile.
    pub(crate) fn pause(&self, pause: Duration) -> bool {
        let (state, _) = self
            .changed
            .wait_timeout_while(self.lock(), pause, |state| !state.closed)
            .unwrap_or_else(PoisonError::into_inner);
        !state.closed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that holds the lock can panic half way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_news_once_and_only_in_its_own_generation() {
        let monitor = Monitor::default();
        let first = monitor.generation();
        assert!(monitor.check().is_ok());
        assert!(monitor.fail(first, Failure::Gone));
        assert!(!monitor.fail(first, Failure::Reset));
        assert!(matches!(monitor.check(), Err(DeviceError::Failed(Failure::Gone))));
        monitor.recovered(first.next());
        assert!(!monitor.fail(first, Failure::Gone));
        assert!(monitor.check().is_ok());
    }
}
