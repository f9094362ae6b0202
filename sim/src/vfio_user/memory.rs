// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The memory of a client: the files behind it, each mapped once, and which parts of them the device may reach.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Weak};

use sealgate_driver::memory::DmaMemory;
use sealgate_driver::transport::{DmaAccess, Iova};

use crate::iommu::HostMemory;

/// Files that the client has handed over, by device and inode: a virtual machine has all its memory in one, and maps it
/// page by page.
#[derive(Default)]
pub(super) struct ClientMemory {
    files: HashMap<[u64; 2], Weak<DmaMemory>>,
}

impl ClientMemory {
    /// Lets the device reach `size` bytes of a file, from `offset` in it on, at `address`.
    pub(super) fn map(
        &mut self,
        host: &HostMemory,
        file: Option<File>,
        [offset, address, size]: [u64; 3],
        writable: bool,
    ) -> io::Result<()> {
        let invalid = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
        let file = file.ok_or_else(|| invalid("it has no descriptor"))?;
        let place = usize::try_from(offset).ok().zip(usize::try_from(size).ok());
        let (offset, size) = place.ok_or_else(|| invalid("it is too large"))?;
        let memory = self.whole(file)?;
        let access = if writable { DmaAccess::ReadWrite } else { DmaAccess::Read };
        if host.map_at(Iova(address), &memory, [offset, size], access) {
            return Ok(());
        }
        Err(invalid("something is mapped there, or the file ends before"))
    }

    fn whole(&mut self, file: File) -> io::Result<Arc<DmaMemory>> {
        let about = file.metadata()?;
        let key = [about.dev(), about.ino()];
        if let Some(memory) = self.files.get(&key).and_then(Weak::upgrade) {
            return Ok(memory);
        }
        self.files.retain(|_, memory| memory.strong_count() > 0);
        let bytes = usize::try_from(about.len()).unwrap_or(usize::MAX);
        let memory = DmaMemory::of_another(file, bytes)?;
        self.files.insert(key, Arc::downgrade(&memory));
        Ok(memory)
    }

    pub(super) fn unmap_all(&mut self, host: &HostMemory) {
        host.unmap_range(Iova(0), u64::MAX);
        self.files.clear();
    }
}
