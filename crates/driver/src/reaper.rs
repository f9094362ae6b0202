// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Who takes completions for tasks: a reaper for each queue, itself a task, on a thread of the device's own, as the
//! program's runtimes may end before the device does.
//!
//! Where interrupt messages come through descriptors, all reapers of a device share one thread, which sleeps until a
//! message of any. Where they do not, a reaper sleeps inside the transport, and each has its own.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::slice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};

use tokio::runtime::{self, Runtime};
use tokio::task;

use crate::error::DeviceError;
use crate::shared::SharedQueue;
use crate::transport::messages::Messages;

/// The threads with the reapers of a device, by the first queue that each serves.
#[derive(Debug, Default)]
pub(crate) struct Reapers {
    threads: Mutex<HashMap<usize, JoinHandle<()>>>,
}

impl Reapers {
    /// Sees to it that `queue` has a reaper, or all `queues` of the device where these share a thread.
    pub(crate) fn serve(
        &self,
        queues: &[Arc<SharedQueue>],
        queue: &Arc<SharedQueue>,
    ) -> Result<(), DeviceError> {
        let transport = &queue.core().transport;
        let is_shared =
            queues.iter().all(|queue| transport.interrupt_descriptor(queue.index()).is_some());
        let (name, served) = if is_shared {
            ("sealgate-reaper".to_owned(), queues)
        } else {
            (format!("sealgate-queue-{}", queue.index()), slice::from_ref(queue))
        };
        let Some(first) = served.first() else { return Ok(()) };
        if let Entry::Vacant(place) = self.lock().entry(first.index()) {
            let thread = start(name, served.to_vec());
            place
                .insert(thread.map_err(|source| DeviceError::Thread { source: Arc::new(source) })?);
        }
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

/// Starts a thread with the reapers of `queues`, which ends with the last of them.
fn start(name: String, queues: Vec<Arc<SharedQueue>>) -> io::Result<JoinHandle<()>> {
    let (tell, told) = mpsc::channel();
    // The runtime is made there: the caller may be in another, and there none can be dropped.
    let thread = thread::Builder::new().name(name).spawn(move || match spawn_all(queues) {
        Ok((runtime, reapers)) => {
            let _ = tell.send(Ok(()));
            runtime.block_on(async {
                for reaper in reapers {
                    let _ = reaper.await;
                }
            });
        }
        Err(error) => {
            let _ = tell.send(Err(error));
        }
    })?;
    told.recv().unwrap_or_else(|_| Err(io::Error::other("the thread has panicked")))?;
    Ok(thread)
}

fn spawn_all(queues: Vec<Arc<SharedQueue>>) -> io::Result<(Runtime, Vec<task::JoinHandle<()>>)> {
    let runtime = runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let messages = {
        let _inside = runtime.enter();
        let messages_of =
            |queue: &Arc<SharedQueue>| Messages::of(&queue.core().transport, queue.index());
        queues.iter().map(messages_of).collect::<io::Result<Vec<_>>>()?
    };
    let reapers = queues
        .into_iter()
        .zip(messages)
        .map(|(queue, messages)| runtime.spawn(async move { queue.serve_tasks(messages).await }));
    let reapers = reapers.collect();
    Ok((runtime, reapers))
}
