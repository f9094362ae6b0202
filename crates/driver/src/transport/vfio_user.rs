// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The server of a device at a socket: `vfio-user:/run/sealgate.sock`.
//!
//! The protocol is that of VFIO in messages: registers are read and written by message, memory is handed over by its
//! descriptor, interrupts come through event descriptors. What serves a virtual machine so serves a process without one.

use std::fmt;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use sealgate_abi::pci::{COMMAND, COMMAND_BUS_MASTER, COMMAND_MEMORY, REGISTER_BAR};
use sealgate_abi::regs::{QUEUES, RegisterIo};
use vfio_bindings::bindings::vfio::{
    VFIO_IRQ_SET_ACTION_TRIGGER, VFIO_IRQ_SET_DATA_EVENTFD, VFIO_PCI_CONFIG_REGION_INDEX,
    VFIO_PCI_MSIX_IRQ_INDEX,
};
use vfio_user::{Client, Error};

use super::bar::GONE;
use super::interrupts::EventFds;
use super::iova::Mappings;
use super::{DmaAccess, Iova, Transport, TransportError};
use crate::memory::DmaMemory;

/// How long an entry may take: what is behind the socket is a simulation.
const COMPLETION_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a server may take to answer. One that serves another client says nothing.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// A device behind a socket. A server that ends, or no longer answers, is a card that was pulled.
pub struct VfioUserTransport {
    address: String,
    /// Taken when the server is gone: nothing is asked any more.
    questions: Mutex<Option<Sender<Question>>>,
    /// How long it may take to answer.
    patience: Duration,
    interrupts: EventFds,
    mappings: Mappings,
}

/// Something to ask the server, and to pass its answer on.
type Question = Box<dyn FnOnce(&mut Client) + Send>;

impl VfioUserTransport {
    /// Connects to the server at `socket`. The server serves one client at a time.
    pub fn open(socket: &Path) -> Result<Arc<Self>, VfioUserError> {
        let failed = |source| VfioUserError { socket: socket.to_owned(), source };
        let questions = connect(socket, ANSWER_TIMEOUT).map_err(failed)?;
        let interrupts = EventFds::new().map_err(Error::Backend).map_err(failed)?;
        let transport = Self {
            address: format!("vfio-user:{}", socket.display()),
            questions: Mutex::new(Some(questions)),
            patience: ANSWER_TIMEOUT,
            interrupts,
            mappings: Mappings::new(Vec::new()),
        };
        let is_ready = transport.take_interrupts().and_then(|()| transport.enable());
        let silent = || Error::Connect(io::Error::other("the server has gone"));
        is_ready.ok_or_else(silent).map_err(failed)?;
        Ok(Arc::new(transport))
    }

    /// Asks the server something. `None`: it is gone, and it is not asked again, as what follows on the connection could
    /// be the answer to something else.
    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Client) -> Result<T, Error> + Send + 'static,
    ) -> Option<T> {
        let mut questions = self.questions.lock().unwrap_or_else(PoisonError::into_inner);
        let (sender, answer) = mpsc::sync_channel(1);
        let asked = Box::new(move |client: &mut Client| {
            // Whoever asked may have given up.
            let _ = sender.send(question(client));
        });
        questions.as_ref()?.send(asked).ok();
        match answer.recv_timeout(self.patience) {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => tracing::debug!(device = self.address, %error, "the server is gone"),
            Err(error) => tracing::debug!(device = self.address, %error, "the server is silent"),
        }
        *questions = None;
        None
    }

    /// Has the server send the messages of each queue to its descriptor.
    fn take_interrupts(&self) -> Option<()> {
        let events = self.interrupts.first(QUEUES);
        let descriptors: Vec<_> = events.iter().map(|event| event.as_raw_fd()).collect();
        let flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
        self.ask(move |client| {
            client.set_irqs(VFIO_PCI_MSIX_IRQ_INDEX, flags, 0, QUEUES as u32, &descriptors)
        })
    }

    /// Lets the function answer and reach memory, which a reset takes back.
    fn enable(&self) -> Option<()> {
        self.ask(|client| {
            let command = (COMMAND_MEMORY | COMMAND_BUS_MASTER).to_le_bytes();
            client.region_write(VFIO_PCI_CONFIG_REGION_INDEX, COMMAND.into(), &command)
        })
    }

    fn is_gone(&self) -> bool {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn gone(&self) -> TransportError {
        TransportError::Gone { address: self.address.clone() }
    }
}

/// Connects, and has questions asked, on a thread of its own: the library waits for answers without a limit, and panics at
/// those that are shorter than they must be. The thread ends with the last question, or when a silent server goes.
fn connect(socket: &Path, timeout: Duration) -> Result<Sender<Question>, Error> {
    let (questions, asked) = mpsc::channel::<Question>();
    let (sender, connected) = mpsc::sync_channel(1);
    let path = socket.to_owned();
    let serve = move || match Client::new(&path) {
        Ok(mut client) => {
            let _ = sender.send(Ok(()));
            for question in asked {
                question(&mut client);
            }
        }
        Err(error) => {
            let _ = sender.send(Err(error));
        }
    };
    thread::Builder::new()
        .name("vfio-user client".to_owned())
        .spawn(serve)
        .map_err(Error::Connect)?;
    connected.recv_timeout(timeout).unwrap_or_else(|error| {
        let (kind, what) = match error {
            RecvTimeoutError::Timeout => {
                (io::ErrorKind::TimedOut, "the server does not answer; it may serve another client")
            }
            RecvTimeoutError::Disconnected => {
                (io::ErrorKind::InvalidData, "the server's answer is malformed")
            }
        };
        Err(Error::Connect(io::Error::new(kind, what)))
    })?;
    Ok(questions)
}

impl RegisterIo for VfioUserTransport {
    fn read32(&self, offset: u32) -> u32 {
        let read = move |client: &mut Client| {
            let mut word = [0; 4];
            client.region_read(REGISTER_BAR.into(), offset.into(), &mut word)?;
            Ok(u32::from_le_bytes(word))
        };
        self.ask(read).unwrap_or(GONE)
    }

    fn write32(&self, offset: u32, value: u32) {
        // To a device that is gone a write is lost.
        let _ = self.ask(move |client| {
            client.region_write(REGISTER_BAR.into(), offset.into(), &value.to_le_bytes())
        });
    }
}

impl Transport for VfioUserTransport {
    fn address(&self) -> &str {
        &self.address
    }

    fn is_simulated(&self) -> bool {
        true
    }

    fn completion_timeout(&self) -> Duration {
        COMPLETION_TIMEOUT
    }

    /// The protocol's client maps everything for reading and writing.
    fn map(&self, memory: &Arc<DmaMemory>, _: DmaAccess) -> Result<Iova, TransportError> {
        let mapped = self.mappings.add(memory, |iova| {
            let memory = Arc::clone(memory);
            let map = move |client: &mut Client| {
                client.dma_map(0, iova.0, memory.len() as u64, memory.file().as_raw_fd())
            };
            self.ask(map).ok_or_else(|| self.gone())
        });
        mapped.unwrap_or_else(|| {
            Err(TransportError::Map {
                address: self.address.clone(),
                bytes: memory.len(),
                source: io::Error::new(io::ErrorKind::StorageFull, "the IOVAs are used up"),
            })
        })
    }

    fn unmap(&self, iova: Iova) -> Result<(), TransportError> {
        let unmapped = self.mappings.remove(iova, |bytes| {
            // A server that is gone reaches nothing any more.
            self.ask(move |client| client.dma_unmap(iova.0, bytes as u64));
            Ok(())
        });
        let none = || TransportError::NotMapped { address: self.address.clone(), iova };
        unmapped.ok_or_else(none)?
    }

    fn wait_for_interrupt(&self, queue: usize, timeout: Duration) -> Result<bool, TransportError> {
        if self.is_gone() {
            return Err(self.gone());
        }
        let what = "its interrupts cannot be waited for";
        self.interrupts.wait(queue, timeout).map_err(|source| TransportError::System {
            address: self.address.clone(),
            what,
            source,
        })
    }

    fn interrupt_descriptor(&self, queue: usize) -> Option<BorrowedFd<'_>> {
        self.interrupts.of(queue)
    }

    fn reset(&self) -> Result<(), TransportError> {
        self.ask(Client::reset).and_then(|()| self.enable()).ok_or_else(|| self.gone())
    }
}

impl fmt::Debug for VfioUserTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VfioUserTransport").field("address", &self.address).finish_non_exhaustive()
    }
}

/// There is no server of a device at a socket.
#[derive(Debug, thiserror::Error)]
#[error(
    "no device is served at {}; start one with: sealgate-sim serve --socket {} --device rtl",
    socket.display(),
    socket.display()
)]
pub struct VfioUserError {
    /// The socket.
    pub socket: PathBuf,
    /// What the library said.
    pub source: Error,
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_server_that_no_longer_answers_is_gone() {
        let (questions, unanswered) = mpsc::channel();
        let transport = VfioUserTransport {
            address: "vfio-user:/silent".to_owned(),
            questions: Mutex::new(Some(questions)),
            patience: Duration::from_millis(50),
            interrupts: EventFds::new().unwrap(),
            mappings: Mappings::new(Vec::new()),
        };
        assert_eq!(transport.read32(0), GONE);
        transport.write32(0, 1);
        assert_eq!(unanswered.iter().count(), 1, "it is asked once, and then no more");
        let waited = transport.wait_for_interrupt(0, Duration::ZERO);
        assert!(matches!(waited, Err(TransportError::Gone { .. })), "{waited:?}");
        let memory = DmaMemory::allocate(1).unwrap();
        assert!(transport.map(&memory, DmaAccess::Read).is_err() && transport.reset().is_err());
    }

    #[test]
    fn a_server_that_says_nothing_or_nonsense_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("device.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let silent = connect(&socket, Duration::from_millis(100)).map(|_| ()).unwrap_err();
        assert!(silent.to_string().contains("another client"), "{silent}");
        let _waiting = listener.accept().unwrap();
        // An answer to VERSION that says it is shorter than it must be.
        let server = thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            client.write_all(&[&[0, 0, 1, 0, 3, 0, 0, 0], &[0; 12][..]].concat()).unwrap();
            client
        });
        let malformed = connect(&socket, Duration::from_secs(60)).map(|_| ()).unwrap_err();
        assert!(malformed.to_string().contains("malformed"), "{malformed}");
        server.join().unwrap();
    }
}
