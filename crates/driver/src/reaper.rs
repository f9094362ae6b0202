// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The threads that take completions for tasks: one for each queue that has any, started with the first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::error::DeviceError;
use crate::shared::SharedQueue;

/// The reapers of a device, by queue.
#[derive(Debug, Default)]
pub(crate) struct Reapers {
    threads: Mutex<HashMap<usize, JoinHandle<()>>>,
}

impl Reapers {
    /// Sees to it that a queue has a reaper.
    pub(crate) fn serve(&self, queue: &Arc<SharedQueue>) -> Result<(), DeviceError> {
        let mut threads = self.lock();
        if threads.contains_key(&queue.index()) {
            return Ok(());
        }
        let name = format!("sealgate-queue-{}", queue.index());
        let served = Arc::clone(queue);
        let thread = thread::Builder::new().name(name).spawn(move || served.serve_tasks());
        let thread = thread.map_err(|source| DeviceError::Thread { source: Arc::new(source) })?;
        threads.insert(queue.index(), thread);
        Ok(())
    }

    /// Ends all reapers.
    pub(crate) fn end(&self, queues: &[Arc<SharedQueue>]) {
        for queue in queues {
            queue.close();
        }
        for (_, thread) in self.lock().drain() {
            // The last user of a device may be a task that a reaper has just woken; that reaper ends by itself.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<usize, JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
