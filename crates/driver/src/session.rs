// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Keys of one direction of one connection, and the records that go through them.

use std::fmt;

use sealgate_abi::{
    ContextEntry, Direction, Key, MAX_FRAGMENT_BYTES, MAX_RECORD_BYTES, MIN_RECORD_BYTES, Opcode,
    RECORD_HEADER_BYTES, RecordEntry, Status, Suite, TAG_BYTES, sealed_bytes,
};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::contexts::SessionId;
use crate::device::Device;
use crate::error::{DeviceError, RecordError};
use crate::shared::{Outcome, SlotGuard};

/// The largest padding multiple that a device serves.
const PADDING_MULTIPLE_MAX: u16 = 1 << 14;

/// Bytes of a record that are neither header nor content, without padding: the inner content type and the tag.
const OVERHEAD_BYTES: usize = 1 + TAG_BYTES;

/// What [`Session::seal`] makes a record of.
#[derive(Clone, Copy)]
pub struct Plaintext<'a> {
    /// The inner content type (RFC 8446, section 5.2), not 0.
    pub content_type: u8,
    /// Sequence number of the record (RFC 8446, section 5.3). Never use one twice with different content.
    pub sequence: u64,
    /// Content, type and padding fill a multiple of this many bytes: 0 for no padding, or a power of two up to 16,384.
    pub padding_multiple: u16,
    /// The content, one piece after the other, together at most 2^14 bytes.
    pub chunks: &'a [&'a [u8]],
}

impl Plaintext<'_> {
    /// Bytes of content.
    #[must_use]
    pub fn content_bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.len()).sum()
    }

    /// Bytes of the record behind its header.
    #[must_use]
    pub fn encrypted_record_bytes(&self) -> usize {
        sealed_bytes(self.content_bytes(), self.padding_multiple) - RECORD_HEADER_BYTES
    }
}

impl fmt::Debug for Plaintext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plaintext")
            .field("content_type", &self.content_type)
            .field("sequence", &self.sequence)
            .field("padding_multiple", &self.padding_multiple)
            .field("content_bytes", &self.content_bytes())
            .finish_non_exhaustive()
    }
}

/// What [`Session::open`] found in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The inner content type (RFC 8446, section 5.2).
    pub content_type: u8,
    /// Bytes of content, which stand at the front of the buffer.
    pub length: usize,
}

/// Keys of one direction of one connection.
///
/// The device learns them with the first record, and forgets them when the session is dropped or when another session
/// needs the place; then the next record brings them back.
pub struct Session {
    device: Device,
    queue: usize,
    owner: Owner,
}

impl Session {
    pub(crate) fn new(
        device: Device,
        queue: usize,
        session: SessionId,
        direction: Direction,
        key: TrafficKey,
    ) -> Self {
        Self { device, queue, owner: Owner { session, key, direction, context: None } }
    }

    /// Which way the session works.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.owner.direction
    }

    /// The suite of the session's key.
    #[must_use]
    pub fn suite(&self) -> Suite {
        self.owner.key.suite
    }

    /// Seals one TLS 1.3 record. `encrypted_record` takes what stands behind the record's header and must have exactly
    /// [`Plaintext::encrypted_record_bytes`]; the header is 23, 0x0303 and that length.
    ///
    /// On any error `encrypted_record` is unchanged.
    pub fn seal(
        &mut self,
        plaintext: Plaintext<'_>,
        encrypted_record: &mut [u8],
    ) -> Result<(), DeviceError> {
        self.check_seal(&plaintext, encrypted_record.len())?;
        let queue = self.device.queue(self.queue)?;
        let mut guard = queue.take_slot()?;
        for chunk in plaintext.chunks {
            guard.slot.source.append(chunk).map_err(out_of_slot)?;
        }
        let record_bytes = RECORD_HEADER_BYTES + encrypted_record.len();
        guard.slot.destination.reserve(record_bytes).map_err(out_of_slot)?;
        let entry = RecordEntry {
            content_type: plaintext.content_type,
            padding_multiple: plaintext.padding_multiple,
            ..record_entry(Opcode::Seal, plaintext.sequence, &guard)
        };
        let outcome = queue.execute(&mut guard, &mut self.owner, entry)?;
        if outcome.status != Status::Success {
            return Err(DeviceError::Refused(outcome.status));
        }
        check_sealed(&guard, &outcome, plaintext.content_type)?;
        guard.slot.destination.read(RECORD_HEADER_BYTES, encrypted_record).map_err(out_of_slot)?;
        self.device.core().counters.sealed_records.increment();
        Ok(())
    }

    /// Opens one TLS 1.3 record: its header as received, and what stands behind it. On success the content stands at the
    /// front of `encrypted_record`, and the rest of it is as before.
    ///
    /// On any error `encrypted_record` is unchanged.
    pub fn open(
        &mut self,
        sequence: u64,
        header: [u8; RECORD_HEADER_BYTES],
        encrypted_record: &mut [u8],
    ) -> Result<Opened, RecordError> {
        self.check_usable(Direction::Open)?;
        let record_bytes = RECORD_HEADER_BYTES + encrypted_record.len();
        if !(MIN_RECORD_BYTES..=MAX_RECORD_BYTES).contains(&record_bytes) {
            return Err(RecordError::Rejected(Status::BadLength));
        }
        let queue = self.device.queue(self.queue)?;
        let mut guard = queue.take_slot()?;
        guard.slot.source.append(&header).map_err(out_of_slot)?;
        guard.slot.source.append(encrypted_record).map_err(out_of_slot)?;
        let content_max = encrypted_record.len() - OVERHEAD_BYTES;
        guard.slot.destination.reserve(content_max).map_err(out_of_slot)?;
        let entry = record_entry(Opcode::Open, sequence, &guard);
        let outcome = queue.execute(&mut guard, &mut self.owner, entry)?;
        match outcome.status {
            Status::Success => {}
            verdict if verdict.is_verdict() => {
                self.device.core().counters.rejected_records.increment();
                return Err(RecordError::Rejected(verdict));
            }
            status => return Err(DeviceError::Refused(status).into()),
        }
        let opened = check_opened(&guard, &outcome)?;
        guard
            .slot
            .destination
            .read(0, &mut encrypted_record[..opened.length])
            .map_err(out_of_slot)?;
        self.device.core().counters.opened_records.increment();
        Ok(opened)
    }

    fn check_usable(&self, direction: Direction) -> Result<(), DeviceError> {
        if self.owner.direction != direction {
            let what = "the session is for the other direction";
            return Err(DeviceError::InvalidArgument { what });
        }
        if !self.device.supports(self.owner.key.suite) {
            return Err(DeviceError::Unsupported { what: "records of this suite" });
        }
        Ok(())
    }

    fn check_seal(&self, plaintext: &Plaintext<'_>, buffer: usize) -> Result<(), DeviceError> {
        self.check_usable(Direction::Seal)?;
        let content = plaintext.content_bytes();
        let padding = plaintext.padding_multiple;
        let identity = self.device.identity();
        let invalid = |what| Err(DeviceError::InvalidArgument { what });
        if content > MAX_FRAGMENT_BYTES {
            invalid("the content is longer than a record's 2^14 bytes")
        } else if plaintext.content_type == 0 {
            invalid("no content type is 0")
        } else if padding != 0 && (!padding.is_power_of_two() || padding > PADDING_MULTIPLE_MAX) {
            invalid("the padding multiple is neither 0 nor a power of two up to 16,384")
        } else if buffer != plaintext.encrypted_record_bytes() {
            invalid("the buffer has not the size of the encrypted record")
        } else if content > identity.seal_max as usize {
            Err(DeviceError::Unsupported { what: "records of this length" })
        } else if padding > 1 && !identity.padding {
            Err(DeviceError::Unsupported { what: "padding" })
        } else {
            Ok(())
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Ok(queue) = self.device.queue(self.queue) {
            queue.abandon(&self.owner);
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("queue", &self.queue)
            .field("direction", &self.owner.direction)
            .field("suite", &self.owner.key.suite)
            .finish_non_exhaustive()
    }
}

/// Who an operation is for: what the queue needs to know of a session.
pub(crate) struct Owner {
    pub(crate) session: SessionId,
    pub(crate) key: TrafficKey,
    pub(crate) direction: Direction,
    /// The context that the session had the last time; it may have lost it.
    pub(crate) context: Option<u16>,
}

/// The host's copy of a key.
pub(crate) struct TrafficKey {
    suite: Suite,
    /// Boxed: a move leaves no copy behind.
    secret: Box<Secret>,
}

/// Wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Secret {
    key: [u8; 32],
    iv: [u8; 12],
}

impl TrafficKey {
    pub(crate) fn new(key: Key<'_>, iv: [u8; 12]) -> Self {
        let mut secret = Box::new(Secret { key: [0; 32], iv });
        match key {
            Key::Aes128(bytes) => secret.key[..16].copy_from_slice(bytes),
            Key::Aes256(bytes) => secret.key.copy_from_slice(bytes),
        }
        Self { suite: key.suite(), secret }
    }

    /// The entry that loads the key; its cookie is set by the queue.
    pub(crate) fn load_entry(&self, context: u16, direction: Direction) -> ContextEntry {
        let Secret { key, iv } = &*self.secret;
        let key = match (self.suite, key.first_chunk()) {
            (Suite::Aes128Gcm, Some(first_half)) => Key::Aes128(first_half),
            _ => Key::Aes256(key),
        };
        ContextEntry::load(0, context, direction, key, *iv)
    }
}

/// The parts of a SEAL or OPEN that follow from the slot.
fn record_entry(opcode: Opcode, sequence: u64, guard: &SlotGuard<'_>) -> RecordEntry {
    let slot = &guard.slot;
    RecordEntry {
        opcode: opcode as u8,
        sequence,
        source: slot.source.iova(),
        length: slot.source.used() as u32,
        destination: slot.destination.iova(),
        capacity: slot.destination.used() as u32,
        ..RecordEntry::default()
    }
}

/// Compares what the device says and wrote with what a record of this size must be.
fn check_sealed(
    guard: &SlotGuard<'_>,
    outcome: &Outcome,
    content_type: u8,
) -> Result<(), DeviceError> {
    let completion = outcome.completion;
    let record_bytes = guard.slot.destination.used();
    let agrees = completion.written as usize == record_bytes
        && completion.consumed as usize == guard.slot.source.used()
        && completion.records == 1
        && completion.content_type == content_type;
    if !agrees {
        return Err(
            guard.inconsistent("the completion of a sealed record is not that of its entry")
        );
    }
    let mut header = [0; RECORD_HEADER_BYTES];
    guard.slot.destination.read(0, &mut header).map_err(out_of_slot)?;
    let [high, low] = ((record_bytes - RECORD_HEADER_BYTES) as u16).to_be_bytes();
    if header != [23, 3, 3, high, low] {
        return Err(guard.inconsistent("the header of a sealed record is not that of its length"));
    }
    Ok(())
}

/// Compares what the device says with what can come out of a record of this size.
fn check_opened(guard: &SlotGuard<'_>, outcome: &Outcome) -> Result<Opened, DeviceError> {
    let completion = outcome.completion;
    let length = completion.written as usize;
    let agrees = length <= guard.slot.destination.used().min(MAX_FRAGMENT_BYTES)
        && completion.consumed as usize == guard.slot.source.used()
        && completion.records == 1
        && completion.content_type != 0;
    if !agrees {
        return Err(
            guard.inconsistent("the completion of an opened record is not that of its entry")
        );
    }
    Ok(Opened { content_type: completion.content_type, length })
}

/// Slots fit the largest record, and lengths are checked before: this does not happen.
fn out_of_slot(_: crate::memory::OutOfBounds) -> DeviceError {
    DeviceError::InvalidArgument { what: "the record does not fit a DMA slot" }
}
