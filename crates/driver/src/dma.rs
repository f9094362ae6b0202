// SPDX-License-Identifier: Apache-2.0 OR MIT
//! DMA memory together with its mapping, so that memory is never freed while a device can reach it.

use std::sync::Arc;

use crate::error::OpenError;
use crate::memory::DmaMemory;
use crate::transport::{DmaAccess, Iova, Transport};

/// A block of DMA memory that a device can reach for as long as this lives.
#[derive(Debug)]
pub(crate) struct Mapping {
    transport: Arc<dyn Transport>,
    memory: Arc<DmaMemory>,
    iova: Iova,
}

impl Mapping {
    /// Allocates `bytes` and lets the device reach them.
    pub(crate) fn allocate(
        transport: &Arc<dyn Transport>,
        bytes: usize,
        access: DmaAccess,
    ) -> Result<Self, OpenError> {
        let allocate = if transport.needs_contiguous_memory() {
            DmaMemory::allocate_huge
        } else {
            DmaMemory::allocate
        };
        let memory = allocate(bytes).map_err(|source| OpenError::Memory {
            address: transport.address().to_owned(),
            bytes,
            source,
        })?;
        let iova = transport.map(&memory, access)?;
        Ok(Self { transport: Arc::clone(transport), memory, iova })
    }

    pub(crate) fn memory(&self) -> &Arc<DmaMemory> {
        &self.memory
    }

    pub(crate) fn iova(&self) -> Iova {
        self.iova
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if let Err(error) = self.transport.unmap(self.iova) {
            // The transport keeps the memory alive until it is unmapped, so nothing is freed under the device's feet.
            tracing::warn!(device = self.transport.address(), %error, "DMA memory stays mapped");
        }
    }
}
