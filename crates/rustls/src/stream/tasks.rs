// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Who waits for a stream to send: the task that writes and, as reading sends on the way, the one that reads.
//!
//! A socket and an operation on the device know one waker each, which would be that of whoever has looked last. So they
//! get one that wakes both tasks.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// What a task does with the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    /// It reads.
    Read,
    /// It writes, flushes or shuts down.
    Write,
}

/// The tasks that wait.
pub(super) struct Tasks {
    waiting: Arc<Waiting>,
    waker: Waker,
}

impl Tasks {
    pub(super) fn new() -> Self {
        let waiting = Arc::<Waiting>::default();
        Self { waker: Waker::from(Arc::clone(&waiting)), waiting }
    }

    /// The task of `waker` is woken with the next progress. To be called before looking whether there is any.
    pub(super) fn note(&self, does: Does, waker: &Waker) {
        let mut wakers = self.waiting.lock();
        let noted = &mut wakers[does as usize];
        if !noted.as_ref().is_some_and(|noted| noted.will_wake(waker)) {
            *noted = Some(waker.clone());
        }
    }

    /// Wakes those who were noted since it did last.
    pub(super) fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Wakes the one who does this: another has made the progress that it waits for.
    pub(super) fn wake(&self, does: Does) {
        let woken = self.waiting.lock()[does as usize].take();
        woken.into_iter().for_each(Waker::wake);
    }
}

/// By what they do.
#[derive(Default)]
struct Waiting {
    wakers: Mutex<[Option<Waker>; 2]>,
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, [Option<Waker>; 2]> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let woken = mem::take(&mut *self.lock());
        woken.into_iter().flatten().for_each(Waker::wake);
    }
}
