// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A device without the driver's care: one queue, entries as they are, buffers that the test looks into.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use sealgate_abi::regs::{Control, Sealgate, SelftestState};
use sealgate_abi::{Completion, ContextEntry, Direction, RecordEntry};
use sealgate_driver::Status;
use sealgate_driver::memory::DmaMemory;
use sealgate_driver::queue::{Queue, Submission};
use sealgate_driver::transport::{DmaAccess, Iova, Transport};
use sealgate_sim::SimConfig;

use crate::device::Simulation;
use crate::record::TrafficKey;

/// How long a self test or an entry may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

const QUEUE: usize = 0;
const RING_LOG2: u8 = 4;

/// A device with one queue.
#[derive(Debug)]
pub struct RawDevice {
    queue: Queue<()>,
    transport: Arc<dyn Transport>,
}

/// Memory that the device may read and write.
#[derive(Debug)]
pub struct Buffer {
    memory: Arc<DmaMemory>,
    iova: Iova,
}

impl RawDevice {
    /// Starts a simulation, waits for its self test and enables the queue.
    #[must_use]
    pub fn start(simulation: Simulation) -> Self {
        let transport: Arc<dyn Transport> = simulation.start(SimConfig::default());
        transport.reset().expect("the device is reset");
        let page = Sealgate::new(&*transport).device();
        let begun = Instant::now();
        while page.status().read().selftest() != Ok(SelftestState::Passed) {
            assert!(begun.elapsed() < PATIENCE, "the self test has not passed");
            thread::sleep(Duration::from_millis(1));
        }
        let queue = Queue::open(&transport, QUEUE, RING_LOG2).expect("a queue");
        page.control().write(Control::default().with_enable(true));
        Self { queue, transport }
    }

    /// Maps a buffer that holds `content` and nothing else; its size is in whole pages.
    #[must_use]
    pub fn buffer(&self, content: &[u8]) -> Buffer {
        let memory = DmaMemory::allocate(content.len()).expect("memory");
        memory.write(0, content).expect("the content fits");
        let iova = self.transport.map(&memory, DmaAccess::ReadWrite).expect("a mapping");
        Buffer { memory, iova }
    }

    /// Loads a key.
    pub fn load(&mut self, context: u16, direction: Direction, key: &TrafficKey) {
        let entry = ContextEntry::load(0, context, direction, key.for_driver(), key.iv())
            .with_version(key.version());
        let (status, _) = self.execute(Submission::load(entry, ()));
        assert_eq!(status, Status::Success, "the key is loaded");
    }

    /// Has one NOP, drop, SEAL or OPEN done.
    pub fn run(&mut self, entry: &RecordEntry) -> (Status, Completion) {
        self.execute(Submission::record(entry, ()))
    }

    fn execute(&mut self, submission: Submission<()>) -> (Status, Completion) {
        self.queue.submit([submission]).expect("there is room");
        let begun = Instant::now();
        let mut result = None;
        while result.is_none() {
            assert!(begun.elapsed() < PATIENCE, "an entry has not completed");
            let take = |(), status, completion| result = Some((status, completion));
            self.queue.reap(take).expect("the completion is that of the entry");
            thread::yield_now();
        }
        result.expect("there is a result")
    }
}

impl Buffer {
    /// The IOVA of a byte.
    #[must_use]
    pub fn iova(&self, offset: usize) -> u64 {
        self.iova.offset(offset).0
    }

    /// Everything in it.
    #[must_use]
    pub fn content(&self) -> Vec<u8> {
        let mut content = vec![0; self.memory.len()];
        self.memory.read(0, &mut content).expect("in bounds");
        content
    }
}
