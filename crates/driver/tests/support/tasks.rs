// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Operations as tasks do them, without a runtime.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use rand::rngs::StdRng;
use rand::{Rng, RngExt};
use sealgate_driver::{
    Device, DeviceError, Direction, Key, OpenedRun, Opening, PlaintextHead, RecordError, Sealing,
    Segments, Session, SessionConfig, TlsVersion,
};

/// The IV of all keys.
pub const IV: [u8; 12] = *b"twelve bytes";

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs one task on this thread.
pub fn block_on<T>(task: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut task = pin!(task);
    loop {
        match task.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => return result,
            Poll::Pending => thread::park(),
        }
    }
}

/// Waits for a SEAL.
pub fn sealed(sealing: &mut Sealing) -> Result<Segments, DeviceError> {
    block_on(poll_fn(|context| sealing.poll(context)))
}

/// Waits for an OPEN.
pub fn opened(opening: &mut Opening) -> Result<OpenedRun, RecordError> {
    block_on(poll_fn(|context| opening.poll(context)))
}

/// Keys for tasks.
pub fn task_session(device: &Device, direction: Direction, key: &[u8; 16]) -> Session {
    let key = Key::Aes128(key);
    let config = SessionConfig { version: TlsVersion::Tls13, direction, key, iv: IV };
    device.task_session(config).unwrap()
}

/// Application data without padding.
pub fn head(sequence: u64) -> PlaintextHead {
    PlaintextHead { content_type: 23, sequence, padding_multiple: 0 }
}

/// Starts to seal `content`; `Err` if the queue is full.
pub fn start(session: &mut Session, sequence: u64, content: &[u8]) -> Result<Sealing, DeviceError> {
    let mut buffer = session.buffer()?;
    buffer.append(content).unwrap();
    Ok(session.start_seal(buffer, head(sequence), 0))
}

/// At most so many bytes.
pub fn random_content(rng: &mut StdRng, most: usize) -> Vec<u8> {
    let mut content = vec![0; rng.random_range(0..=most)];
    rng.fill_bytes(&mut content);
    content
}
