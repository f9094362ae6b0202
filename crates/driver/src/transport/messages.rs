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

#[cfg(test)]
mod tests {
    use std::os::fd::BorrowedFd;
    use std::thread;
    use std::time::Instant;

    use sealgate_abi::regs::RegisterIo;
    use tokio::runtime::{Builder, Runtime};

    use super::*;
    use crate::memory::DmaMemory;
    use crate::transport::interrupts::EventFds;
    use crate::transport::{DmaAccess, Iova};

    /// Longer than any test takes that works.
    const LONG: Duration = Duration::from_secs(60);

    /// Nothing but messages.
    #[derive(Debug)]
    struct Sender(EventFds);

    impl Sender {
        fn send(&self, queue: usize) {
            self.0.first(queue + 1)[queue].write(1).unwrap();
        }
    }

    impl RegisterIo for Sender {
        fn read32(&self, _: u32) -> u32 {
            u32::MAX
        }

        fn write32(&self, _: u32, _: u32) {}
    }

    impl Transport for Sender {
        fn address(&self) -> &'static str {
            "sender"
        }

        fn is_simulated(&self) -> bool {
            true
        }

        fn completion_timeout(&self) -> Duration {
            LONG
        }

        fn map(&self, _: &Arc<DmaMemory>, _: DmaAccess) -> Result<Iova, TransportError> {
            unreachable!("nothing is mapped")
        }

        fn unmap(&self, _: Iova) -> Result<(), TransportError> {
            unreachable!("nothing is mapped")
        }

        fn wait_for_interrupt(
            &self,
            queue: usize,
            longest: Duration,
        ) -> Result<bool, TransportError> {
            Ok(self.0.wait(queue, longest).unwrap())
        }

        fn interrupt_descriptor(&self, queue: usize) -> Option<BorrowedFd<'_>> {
            self.0.of(queue)
        }

        fn reset(&self) -> Result<(), TransportError> {
            Ok(())
        }
    }

    fn set_up() -> (Arc<Sender>, Runtime, [Messages; 2]) {
        let sender = Arc::new(Sender(EventFds::new().unwrap()));
        let transport: Arc<dyn Transport> = Arc::clone(&sender) as _;
        let runtime = Builder::new_current_thread().enable_io().enable_time().build().unwrap();
        let messages = {
            let _inside = runtime.enter();
            [0, 1].map(|queue| Messages::of(&transport, queue).unwrap())
        };
        (sender, runtime, messages)
    }

    #[test]
    fn a_message_wakes_the_task_of_its_queue() {
        let (sender, runtime, [first, second]) = set_up();
        for round in 0..100 {
            // It comes before the wait, or meanwhile.
            let pause = Duration::from_micros(if round % 2 == 0 { 0 } else { 500 });
            let sender = Arc::clone(&sender);
            let sending = thread::spawn(move || {
                thread::sleep(pause);
                sender.send(1);
            });
            let begin = Instant::now();
            assert!(runtime.block_on(second.wait(LONG)).unwrap());
            assert!(begin.elapsed() < LONG);
            sending.join().unwrap();
        }
        let other = runtime.block_on(first.wait(Duration::from_millis(1)));
        assert!(!other.unwrap(), "the messages were of another queue");
    }

    #[test]
    fn a_task_sleeps_on_when_a_thread_has_taken_its_message() {
        let (sender, runtime, [messages, _]) = set_up();
        for _ in 0..10 {
            sender.send(0);
            // The runtime takes note of it, and the thread has it.
            runtime.block_on(async { tokio::time::sleep(Duration::from_millis(1)).await });
            assert!(sender.wait_for_interrupt(0, LONG).unwrap());
            let short = Duration::from_millis(10);
            let begin = Instant::now();
            assert!(!runtime.block_on(messages.wait(short)).unwrap());
            assert!(begin.elapsed() >= short);
            sender.send(0);
            assert!(runtime.block_on(messages.wait(LONG)).unwrap());
        }
    }
}
