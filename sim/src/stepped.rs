// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A verilated device whose clock the host turns by hand, for measurements and for runs that must repeat exactly.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sealgate_abi::regs::{QUEUES, RegisterIo};
use sealgate_driver::memory::DmaMemory;
use sealgate_driver::transport::{DmaAccess, Iova, Transport, TransportError};

use crate::config::SimConfig;
use crate::device::{Device, InterruptCounts};
use crate::iommu::HostMemory;
use crate::rtl::RtlDevice;
use crate::transport::SimError;

const ADDRESS: &str = "sim:rtl";

/// What stands for a microsecond of a timeout: the clock of a card, 250 MHz.
const CYCLES_PER_US: u64 = 250;

/// The verilated RTL on the caller's thread: its clock runs in [`Self::run`], while a register is read, and while an
/// interrupt is waited for. The same calls with the same seed give the same cycles, on any machine.
pub struct SteppedTransport {
    memory: Arc<HostMemory>,
    inner: Mutex<Inner>,
}

struct Inner {
    device: RtlDevice,
    interrupts: InterruptCounts,
}

impl SteppedTransport {
    /// Makes a device; it stands still.
    pub fn rtl(config: &SimConfig) -> Result<Arc<Self>, SimError> {
        let memory = Arc::new(HostMemory::new(config.seed));
        let device = RtlDevice::new(Arc::clone(&memory), config, config.trace.as_deref())
            .map_err(SimError::Rtl)?;
        let inner = Inner { device, interrupts: InterruptCounts::default() };
        Ok(Arc::new(Self { memory, inner: Mutex::new(inner) }))
    }

    /// Runs the clock for so many cycles.
    pub fn run(&self, cycles: u64) {
        self.lock().device.run_cycles(cycles);
    }

    /// Clock cycles since the device was made.
    pub fn cycles(&self) -> u64 {
        self.lock().device.cycles()
    }

    /// Violations of the bus protocol by the RTL, in words; empty is what a test wants to see.
    pub fn protocol_errors(&self) -> Vec<String> {
        self.lock().device.protocol_errors()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RegisterIo for SteppedTransport {
    fn read32(&self, offset: u32) -> u32 {
        self.lock().device.read(offset)
    }

    fn write32(&self, offset: u32, value: u32) {
        self.lock().device.write(offset, value);
    }
}

impl Transport for SteppedTransport {
    fn address(&self) -> &str {
        ADDRESS
    }

    fn is_simulated(&self) -> bool {
        true
    }

    fn completion_timeout(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn map(&self, memory: &Arc<DmaMemory>, access: DmaAccess) -> Result<Iova, TransportError> {
        self.memory.map(memory, access).ok_or_else(|| TransportError::Map {
            address: ADDRESS.into(),
            bytes: memory.len(),
            source: io::Error::new(io::ErrorKind::OutOfMemory, "the IOVA regions are used up"),
        })
    }

    fn unmap(&self, iova: Iova) -> Result<(), TransportError> {
        if self.memory.unmap(iova) {
            return Ok(());
        }
        Err(TransportError::NotMapped { address: ADDRESS.into(), iova })
    }

    fn wait_for_interrupt(&self, queue: usize, timeout: Duration) -> Result<bool, TransportError> {
        const SLICE_CYCLES: u64 = 64;

        let limit = u64::try_from(timeout.as_micros()).unwrap_or(u64::MAX);
        let mut left = limit.saturating_mul(CYCLES_PER_US);
        let mut inner = self.lock();
        loop {
            inner.collect_interrupts();
            if queue >= QUEUES || left == 0 {
                return Ok(false);
            }
            if inner.interrupts[queue] > 0 {
                inner.interrupts[queue] = 0;
                return Ok(true);
            }
            inner.device.run_cycles(SLICE_CYCLES);
            left = left.saturating_sub(SLICE_CYCLES);
        }
    }

    fn reset(&self) -> Result<(), TransportError> {
        self.lock().device.reset();
        Ok(())
    }
}

impl Inner {
    fn collect_interrupts(&mut self) {
        for (sum, new) in self.interrupts.iter_mut().zip(self.device.take_interrupts()) {
            *sum = sum.saturating_add(new);
        }
    }
}

impl fmt::Debug for SteppedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SteppedTransport").finish_non_exhaustive()
    }
}
