// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The driver's way to a simulated device.
//!
//! One thread owns the device. Register writes are posted to it, register reads wait for its answer, and it sleeps while
//! the device has nothing to do. Dropping the transport ends the thread.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender, TryRecvError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use sealgate_abi::regs::{QUEUES, RegisterIo};
use sealgate_driver::memory::DmaMemory;
use sealgate_driver::transport::{DmaAccess, Iova, Transport, TransportError};

#[cfg(feature = "rtl")]
use crate::config::Shape;
use crate::config::SimConfig;
use crate::device::{Activity, Device, InterruptCounts};
use crate::iommu::HostMemory;
use crate::model::Model;
#[cfg(feature = "rtl")]
use crate::rtl::{RtlDevice, RtlError};

/// What a register of a device that is gone reads.
const GONE: u32 = u32::MAX;

/// A simulated device as the driver sees it.
pub struct SimTransport {
    address: String,
    completion_timeout: Duration,
    memory: Arc<HostMemory>,
    interrupts: Arc<Interrupts>,
    commands: Sender<Command>,
    thread: Option<JoinHandle<()>>,
}

/// What the device thread is asked to do.
enum Command {
    Read {
        offset: u32,
        answer: SyncSender<u32>,
    },
    Write {
        offset: u32,
        value: u32,
    },
    /// Answers whether there was a device to reset.
    Reset {
        answer: SyncSender<bool>,
    },
    SetCondition {
        condition: Condition,
        answer: SyncSender<()>,
    },
    Cycles {
        answer: SyncSender<u64>,
    },
    ProtocolErrors {
        answer: SyncSender<Vec<String>>,
    },
    Stop,
}

/// How well the device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    Well,
    Hung,
    Gone,
}

impl SimTransport {
    /// Starts the software device, address `sim:model`.
    #[expect(clippy::needless_pass_by_value, reason = "each kind of device is started alike")]
    pub fn model(config: SimConfig) -> Result<Arc<Self>, SimError> {
        const TIMEOUT: Duration = Duration::from_secs(5);

        let timeout = config.completion_timeout.unwrap_or(TIMEOUT);
        Self::start("sim:model".to_owned(), timeout, config.seed, |memory| Ok(Model::new(memory)))
    }

    /// Starts the verilated RTL in the shape that `config` asks for, address `sim:rtl`, or `sim:rtl:4x512` and the like
    /// for others than the narrowest.
    #[cfg(feature = "rtl")]
    pub fn rtl(config: SimConfig) -> Result<Arc<Self>, SimError> {
        // A record of 16 KiB takes some thousand cycles, and a cycle a fraction of a microsecond on a free processor;
        // the rest is for processors that are not free and for full rings.
        const TIMEOUT: Duration = Duration::from_secs(10);

        let timeout = config.completion_timeout.unwrap_or(TIMEOUT);
        let trace = config.trace.as_deref().map(trace::path_of_next_device);
        let shape = config.shape().map_err(RtlError::from).map_err(SimError::Rtl)?;
        let address = match shape {
            Shape::NARROWEST => "sim:rtl".to_owned(),
            _ => format!("sim:rtl:{shape}"),
        };
        Self::start(address, timeout, config.seed, move |memory| {
            RtlDevice::new(memory, &config, trace.as_deref()).map_err(SimError::Rtl)
        })
    }

    /// Starts the device that `make` returns; it is made on the thread that will own it.
    fn start<D: Device>(
        address: String,
        completion_timeout: Duration,
        seed: u64,
        make: impl FnOnce(Arc<HostMemory>) -> Result<D, SimError> + Send + 'static,
    ) -> Result<Arc<Self>, SimError> {
        let memory = Arc::new(HostMemory::new(seed));
        let interrupts = Arc::new(Interrupts::default());
        let (commands, inbox) = mpsc::channel();
        let (announce, outcome) = mpsc::sync_channel(1);
        let thread = {
            let (memory, interrupts) = (Arc::clone(&memory), Arc::clone(&interrupts));
            let serve = move || match make(memory) {
                Ok(device) => {
                    // Whoever waits for this has not gone away: `start` is still running.
                    let _ = announce.send(Ok(()));
                    Server { device, inbox, interrupts, condition: Condition::Well }.run();
                }
                Err(error) => {
                    let _ = announce.send(Err(error));
                }
            };
            thread::Builder::new().name(address.clone()).spawn(serve).map_err(SimError::Thread)?
        };
        outcome.recv().unwrap_or(Err(SimError::Ended))?;
        tracing::debug!(address, seed, "simulated device started");
        Ok(Arc::new(Self {
            address,
            completion_timeout,
            memory,
            interrupts,
            commands,
            thread: Some(thread),
        }))
    }

    /// The hand that breaks the device, for tests, and measures it.
    pub fn control(&self) -> SimControl {
        SimControl { commands: self.commands.clone() }
    }

    fn gone(&self) -> TransportError {
        TransportError::Gone { address: self.address.clone() }
    }

    /// The memory that the device reaches.
    pub(crate) fn memory(&self) -> &HostMemory {
        &self.memory
    }

    /// Lets the device reach memory and send interrupt messages, or not.
    pub(crate) fn set_bus_master(&self, on: bool) {
        self.memory.set_bus_master(on);
        self.interrupts.set_bus_master(on);
    }

    /// Has the messages of a queue written to an event descriptor, or to nobody.
    pub(crate) fn signal_to(&self, queue: usize, event: Option<File>) {
        self.interrupts.signal_to(queue, event);
    }
}

impl RegisterIo for SimTransport {
    fn read32(&self, offset: u32) -> u32 {
        ask(&self.commands, |answer| Command::Read { offset, answer }).unwrap_or(GONE)
    }

    fn write32(&self, offset: u32, value: u32) {
        // A device whose thread has ended is gone: the write is lost.
        let _ = self.commands.send(Command::Write { offset, value });
    }
}

impl Transport for SimTransport {
    fn address(&self) -> &str {
        &self.address
    }

    fn is_simulated(&self) -> bool {
        true
    }

    fn completion_timeout(&self) -> Duration {
        self.completion_timeout
    }

    fn map(&self, memory: &Arc<DmaMemory>, access: DmaAccess) -> Result<Iova, TransportError> {
        self.memory.map(memory, access).ok_or_else(|| TransportError::Map {
            address: self.address.clone(),
            bytes: memory.len(),
            source: io::Error::new(io::ErrorKind::OutOfMemory, "the IOVA regions are used up"),
        })
    }

    fn unmap(&self, iova: Iova) -> Result<(), TransportError> {
        if self.memory.unmap(iova) {
            return Ok(());
        }
        Err(TransportError::NotMapped { address: self.address.clone(), iova })
    }

    fn wait_for_interrupt(&self, queue: usize, timeout: Duration) -> Result<bool, TransportError> {
        self.interrupts.wait(queue, timeout).ok_or_else(|| self.gone())
    }

    fn reset(&self) -> Result<(), TransportError> {
        match ask(&self.commands, |answer| Command::Reset { answer }) {
            Some(true) => Ok(()),
            Some(false) | None => Err(self.gone()),
        }
    }
}

impl fmt::Debug for SimTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimTransport").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for SimTransport {
    fn drop(&mut self) {
        let _ = self.commands.send(Command::Stop);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(address = self.address, "the thread of the simulated device panicked");
        }
    }
}

/// Posts a command and waits for its answer; `None` when the device thread has ended.
fn ask<T>(commands: &Sender<Command>, command: impl FnOnce(SyncSender<T>) -> Command) -> Option<T> {
    let (answer, reply) = mpsc::sync_channel(1);
    commands.send(command(answer)).ok()?;
    reply.recv().ok()
}

/// Faults that a test gives to the device, and what it can ask about the simulation itself. After the transport was
/// dropped there is nothing left to control, and all answers are empty.
#[derive(Clone, Debug)]
pub struct SimControl {
    commands: Sender<Command>,
}

impl SimControl {
    /// Stops all progress: registers still answer, but nothing is fetched, written or signalled, not after a reset
    /// either, until [`Self::revive`].
    pub fn hang(&self) {
        self.set(Condition::Hung);
    }

    /// Takes the card out: registers read all ones, writes are lost, no memory access comes, and waiting for interrupts
    /// fails.
    pub fn vanish(&self) {
        self.set(Condition::Gone);
    }

    /// Ends [`Self::hang`] and [`Self::vanish`]. The device goes on where it stood.
    pub fn revive(&self) {
        self.set(Condition::Well);
    }

    /// Clock cycles since the start, those of the self test included. The clock stands while the device has nothing to
    /// do. The software device counts beats of the bus instead.
    pub fn cycles(&self) -> u64 {
        ask(&self.commands, |answer| Command::Cycles { answer }).unwrap_or(0)
    }

    /// Violations of the bus protocol by the RTL, in words; empty is what a test wants to see.
    pub fn protocol_errors(&self) -> Vec<String> {
        ask(&self.commands, |answer| Command::ProtocolErrors { answer }).unwrap_or_default()
    }

    fn set(&self, condition: Condition) {
        ask(&self.commands, |answer| Command::SetCondition { condition, answer }).unwrap_or(());
    }
}

/// The device thread.
struct Server<D> {
    device: D,
    inbox: Receiver<Command>,
    interrupts: Arc<Interrupts>,
    condition: Condition,
}

impl<D: Device> Server<D> {
    fn run(mut self) {
        let mut activity = Activity::Busy;
        loop {
            let command = match activity {
                Activity::Busy => self.inbox.try_recv(),
                Activity::Quiet => self.inbox.recv().map_err(|_| TryRecvError::Disconnected),
            };
            activity = match command {
                Ok(Command::Stop) | Err(TryRecvError::Disconnected) => break,
                Ok(command) => {
                    self.obey(command);
                    Activity::Busy
                }
                Err(TryRecvError::Empty) => self.work(),
            };
        }
    }

    fn work(&mut self) -> Activity {
        if self.condition != Condition::Well {
            return Activity::Quiet;
        }
        let activity = self.device.run();
        self.signal();
        activity
    }

    /// Passes on the interrupt messages that the device has sent.
    fn signal(&mut self) {
        self.interrupts.add(self.device.take_interrupts());
    }

    /// Whoever asked may have stopped waiting; then the answer is dropped.
    fn obey(&mut self, command: Command) {
        let gone = self.condition == Condition::Gone;
        match command {
            Command::Read { offset, answer } => {
                let value = if gone { GONE } else { self.device.read(offset) };
                // A read pushes messages ahead of its answer, as it does on PCIe.
                self.signal();
                let _ = answer.send(value);
            }
            Command::Write { offset, value } => {
                if !gone {
                    self.device.write(offset, value);
                }
            }
            Command::Reset { answer } => {
                if !gone {
                    self.device.reset();
                }
                let _ = answer.send(!gone);
            }
            Command::SetCondition { condition, answer } => {
                self.condition = condition;
                self.device.freeze(condition != Condition::Well);
                self.interrupts.set_gone(condition == Condition::Gone);
                let _ = answer.send(());
            }
            Command::Cycles { answer } => {
                let _ = answer.send(self.device.cycles());
            }
            Command::ProtocolErrors { answer } => {
                let _ = answer.send(self.device.protocol_errors());
            }
            // Ends the loop in `run`.
            Command::Stop => {}
        }
    }
}

/// On a panic of the device too, so that nobody waits for its interrupts in vain.
impl<D> Drop for Server<D> {
    fn drop(&mut self) {
        self.interrupts.close();
    }
}

/// Interrupt messages on their way from the device thread to those who wait.
#[derive(Debug, Default)]
struct Interrupts {
    state: Mutex<InterruptState>,
    changed: [Condvar; QUEUES],
}

#[derive(Debug, Default)]
struct InterruptState {
    pending: InterruptCounts,
    gone: bool,
    closed: bool,
    is_no_bus_master: bool,
    /// Where the messages of a queue go instead.
    events: [Option<File>; QUEUES],
}

impl InterruptState {
    /// Sends a message to where it goes instead of to those who wait here. `false`: it goes there.
    fn signal(&self, queue: usize) -> bool {
        let Some(mut event) = self.events[queue].as_ref() else { return self.is_no_bus_master };
        // A message is a write to memory: it gets lost with the others. An event descriptor takes all but 2^64 of them;
        // one that takes none is readable already, and the device waits for nobody.
        if !self.is_no_bus_master && takes_more(event) {
            let _ = event.write_all(&1_u64.to_ne_bytes());
        }
        true
    }
}

/// Whether a write would not wait.
fn takes_more(event: &File) -> bool {
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(event, PollFlags::OUT)], Some(&at_once)).is_ok_and(|ready| ready > 0)
}

impl Interrupts {
    fn add(&self, counts: InterruptCounts) {
        if counts == InterruptCounts::default() {
            return;
        }
        let mut state = self.lock();
        for (queue, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
            if state.signal(queue) {
                continue;
            }
            state.pending[queue] = state.pending[queue].saturating_add(count);
            self.changed[queue].notify_all();
        }
    }

    fn set_bus_master(&self, on: bool) {
        self.lock().is_no_bus_master = !on;
    }

    fn signal_to(&self, queue: usize, event: Option<File>) {
        if let Some(place) = self.lock().events.get_mut(queue) {
            *place = event;
        }
    }

    fn set_gone(&self, gone: bool) {
        self.lock().gone = gone;
        self.changed.iter().for_each(Condvar::notify_all);
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.iter().for_each(Condvar::notify_all);
    }

    /// Waits for a message of `queue`; `None` when the device is gone. A queue that does not exist sends none.
    fn wait(&self, queue: usize, timeout: Duration) -> Option<bool> {
        let mut state = self.lock();
        let Some(changed) = self.changed.get(queue) else {
            return Some(false);
        };
        let deadline = Instant::now().checked_add(timeout);
        loop {
            if state.gone || state.closed {
                return None;
            }
            if state.pending[queue] > 0 {
                state.pending[queue] = 0;
                return Some(true);
            }
            let left = match deadline {
                Some(deadline) => deadline.saturating_duration_since(Instant::now()),
                None => timeout,
            };
            if left.is_zero() {
                return Some(false);
            }
            state = changed
                .wait_timeout(state, left)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
        }
    }

    fn lock(&self) -> MutexGuard<'_, InterruptState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A simulation could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// The system gave no thread.
    #[error("no thread for the simulated device: the system's limit of threads may be reached")]
    Thread(#[source] io::Error),
    /// The device thread ended while it made the device.
    #[error("the simulated device ended while it was starting; its message stands above")]
    Ended,
    /// The verilated RTL could not be made.
    #[cfg(feature = "rtl")]
    #[error(transparent)]
    Rtl(RtlError),
}

/// Waveforms of several devices in one process.
#[cfg(feature = "rtl")]
mod trace {
    use std::path::{Path, PathBuf};
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// The file for the next device: the first gets `path`, the second `path` with `-2` before the extension.
    pub(super) fn path_of_next_device(path: &Path) -> PathBuf {
        static DEVICES: AtomicUsize = AtomicUsize::new(0);

        let device = DEVICES.fetch_add(1, Ordering::Relaxed) + 1;
        if device == 1 {
            return path.to_owned();
        }
        let mut name = path.file_stem().unwrap_or_default().to_owned();
        name.push(format!("-{device}."));
        name.push(path.extension().unwrap_or_else(|| "fst".as_ref()));
        path.with_file_name(name)
    }
}
