// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A device that refuses good records: the connection goes on, and the disagreement is counted.

mod support;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sealgate_abi::regs::RegisterIo;
use sealgate_abi::{ENTRY_BYTES, Opcode, RecordEntry};
use sealgate_driver::memory::DmaMemory;
use sealgate_driver::transport::{DmaAccess, Iova, TransportError};
use sealgate_driver::{Device, Settings, Transport};
use sealgate_rustls::{Operation, Provider, Reason};
use sealgate_sim::{SimConfig, SimTransport};

use support::{DEVICE_SUITES, Pair, random_bytes, rng};

const OPEN: u8 = Opcode::Open as u8;

/// Spoils the tag of every record on its way to the device, as a defective memory bus would.
#[derive(Debug)]
struct SpoilsTags {
    device: Arc<SimTransport>,
    memory: Mutex<BTreeMap<Iova, Arc<DmaMemory>>>,
    /// Entries whose records were spoiled: they stay in the ring for a while, and their sources serve others.
    spoiled: Mutex<HashSet<[u8; ENTRY_BYTES]>>,
}

impl SpoilsTags {
    fn spoil_all(&self) {
        let memory = self.memory.lock().expect("lock");
        for ring in memory.values() {
            for offset in (0..ring.len()).step_by(ENTRY_BYTES) {
                let mut bytes = [0; ENTRY_BYTES];
                ring.read(offset, &mut bytes).expect("inside");
                let entry = RecordEntry::from_bytes(bytes);
                let source = memory.range(..=Iova(entry.source)).next_back();
                // What is no ring hardly ever looks like an OPEN entry with a source that is mapped.
                if let (OPEN, Some((base, block))) = (entry.opcode, source)
                    && self.spoiled.lock().expect("lock").insert(bytes)
                {
                    let end = (entry.source - base.0) as usize + entry.length as usize;
                    let _ = block.write(end - 4, &[0xA5; 4]);
                }
            }
        }
    }
}

impl RegisterIo for SpoilsTags {
    fn read32(&self, offset: u32) -> u32 {
        self.device.read32(offset)
    }

    fn write32(&self, offset: u32, value: u32) {
        // Doorbells are among the writes; all the others do no harm.
        self.spoil_all();
        self.device.write32(offset, value);
    }
}

impl Transport for SpoilsTags {
    fn address(&self) -> &'static str {
        "test:spoils-tags"
    }

    fn is_simulated(&self) -> bool {
        true
    }

    fn completion_timeout(&self) -> Duration {
        self.device.completion_timeout()
    }

    fn map(&self, memory: &Arc<DmaMemory>, access: DmaAccess) -> Result<Iova, TransportError> {
        let iova = self.device.map(memory, access)?;
        self.memory.lock().expect("lock").insert(iova, Arc::clone(memory));
        Ok(iova)
    }

    fn unmap(&self, iova: Iova) -> Result<(), TransportError> {
        self.memory.lock().expect("lock").remove(&iova);
        self.device.unmap(iova)
    }

    fn wait_for_interrupt(&self, queue: usize, timeout: Duration) -> Result<bool, TransportError> {
        self.device.wait_for_interrupt(queue, timeout)
    }

    fn reset(&self) -> Result<(), TransportError> {
        self.device.reset()
    }
}

#[test]
fn good_records_that_the_device_refuses_are_delivered_and_counted() {
    let mut rng = rng();
    let device = SimTransport::model(SimConfig::default()).expect("the software device starts");
    let transport =
        Arc::new(SpoilsTags { device, memory: Mutex::default(), spoiled: Mutex::default() });
    let device = Device::open(transport, Settings::default()).expect("the device opens");
    for suite in DEVICE_SUITES {
        let (on_device, counters) = Provider::new(&device).build();
        Pair::with_suite(on_device.clone(), on_device, suite).echo(&random_bytes(&mut rng, 20_000));
        let counts = counters.snapshot();
        assert_eq!(counts.device(Operation::Open).records, 0);
        let opened = counts.software(Operation::Open, Reason::Inconsistent);
        assert!(opened.bytes > 40_000, "client and server: {counts:?}");
        assert_eq!(counts.disagreements, opened.records);
        assert_eq!(counts.rejected, 0, "nothing was wrong with any record");
        assert_eq!(counts.software_total(Operation::Seal).records, 0);
    }
}
