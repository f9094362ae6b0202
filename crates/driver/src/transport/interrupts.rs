// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Interrupt messages that arrive through descriptors of the kernel, one for each queue.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use sealgate_abi::regs::QUEUES;
use vmm_sys_util::eventfd::{EFD_CLOEXEC, EFD_NONBLOCK, EventFd};

/// One event descriptor for the messages of each queue.
#[derive(Debug)]
pub(super) struct EventFds(Vec<EventFd>);

impl EventFds {
    pub(super) fn new() -> io::Result<Self> {
        let make = |_| EventFd::new(EFD_CLOEXEC | EFD_NONBLOCK);
        (0..QUEUES).map(make).collect::<io::Result<_>>().map(Self)
    }

    /// Those of the first so many queues.
    pub(super) fn first(&self, queues: usize) -> Vec<&EventFd> {
        self.0.iter().take(queues).collect()
    }

    /// The descriptor of a queue, which is readable while there is a message.
    pub(super) fn of(&self, queue: usize) -> Option<BorrowedFd<'_>> {
        #![allow(unsafe_code)]
        // SAFETY: the descriptor is open for as long as `self`, which the result borrows.
        self.0.get(queue).map(|event| unsafe { BorrowedFd::borrow_raw(event.as_raw_fd()) })
    }

    /// Waits for a message, at most `timeout`. `true`: one came since the last call.
    pub(super) fn wait(&self, queue: usize, timeout: Duration) -> io::Result<bool> {
        let (Some(event), Some(descriptor)) = (self.0.get(queue), self.of(queue)) else {
            return Ok(false);
        };
        let timeout = Timespec {
            tv_sec: timeout.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        };
        match poll(&mut [PollFd::new(&descriptor, PollFlags::IN)], Some(&timeout)) {
            // Whoever waits looks at the ring and waits again.
            Err(rustix::io::Errno::INTR) => return Ok(false),
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
        match event.read() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_a_queue_wake_those_who_wait_for_it_once() {
        let events = EventFds::new().unwrap();
        assert!(!events.wait(1, Duration::ZERO).unwrap());
        events.first(2)[1].write(1).unwrap();
        events.first(2)[1].write(1).unwrap();
        assert!(!events.wait(0, Duration::ZERO).unwrap());
        assert!(events.wait(1, Duration::from_secs(60)).unwrap());
        assert!(!events.wait(1, Duration::from_millis(1)).unwrap());
        assert!(!events.wait(QUEUES, Duration::ZERO).unwrap(), "there is no such queue");
    }
}
