// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Completion entries: 16 bytes, little-endian, written by the device in one beat.

use bytemuck::{Pod, Zeroable};

use crate::status::{Status, UnknownStatus};

/// What became of one submission entry.
///
/// Lengths and indices come from the device: bound them before use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Completion {
    /// The entry's cookie; 0 when the entry itself could not be read.
    pub cookie: u16,
    /// Free-running index behind the entry in the submission ring: all entries before it have been taken.
    pub sq_head: u16,
    /// Bytes written at the destination.
    pub written: u32,
    /// Bytes of the source that were used.
    pub consumed: u32,
    /// Records sealed or opened.
    pub records: u16,
    /// The inner content type of the record; 0 if none was sealed or opened.
    pub content_type: u8,
    /// Bit 7: the phase, 1 in the first pass of the ring, then inverted with each pass. Bits 6:0: [`Status`].
    pub status_phase: u8,
}

impl Completion {
    /// Bytes of a completion entry.
    pub const BYTES: usize = 16;

    /// The bit of [`Self::status_phase`] that holds the phase.
    pub const PHASE: u8 = 0x80;

    /// The phase bit: a completion is new when it equals the phase of the pass that the host is in.
    #[must_use]
    pub const fn phase(&self) -> bool {
        self.status_phase & Self::PHASE != 0
    }

    /// How the entry ended.
    pub fn status(&self) -> Result<Status, UnknownStatus> {
        Status::try_from(self.status_phase & !Self::PHASE)
    }

    /// The entry as it stands in the ring.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        bytemuck::cast(self)
    }

    /// Reads an entry.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        bytemuck::cast(bytes)
    }
}
