// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Keys of one direction of one connection, and the records that go through them.

use std::fmt;
use std::ops::RangeInclusive;

use sealgate_abi::{
    ContextEntry, Direction, Key, MAX_FRAGMENT_BYTES, MAX_SEAL_BYTES, MIN_FRAGMENT_LIMIT, Opcode,
    RECORD_HEADER_BYTES, RecordEntry, Segments, Status, Suite, TlsVersion, max_record_bytes,
    min_record_bytes, sealed_bytes,
};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::contexts::SessionId;
use crate::device::Device;
use crate::error::{DeviceError, RecordError};
use crate::shared::{Outcome, SlotGuard};

/// The content type of application data (RFC 8446, section 5.1).
const APPLICATION_DATA: u8 = 23;

/// The largest padding multiple that a device serves.
const PADDING_MULTIPLE_MAX: u16 = 1 << 14;

/// Keys of one direction of one connection, for [`Device::session_with`].
#[derive(Clone, Copy, Debug)]
pub struct SessionConfig<'a> {
    /// The record format.
    pub version: TlsVersion,
    /// Which way the session works.
    pub direction: Direction,
    /// The key; it tells the suite.
    pub key: Key<'a>,
    /// The static IV. With AES-GCM and TLS 1.2 its first 4 bytes are the implicit part of the nonce and its last 8 what
    /// the sequence number is `XORed` into to make the explicit part (RFC 5288, section 3).
    pub iv: [u8; 12],
}

/// What [`Session::seal`] and [`Session::seal_records`] make records of.
#[derive(Clone, Copy)]
pub struct Plaintext<'a> {
    /// The content type (RFC 8446, section 5.2; RFC 5246, section 6.2.1), not 0.
    pub content_type: u8,
    /// Sequence number of the first record (RFC 8446, section 5.3). Never use one twice with different content.
    pub sequence: u64,
    /// Content, type and padding fill a multiple of this many bytes: 0 for no padding, or a power of two up to 16,384.
    /// TLS 1.2 has no padding.
    pub padding_multiple: u16,
    /// The content, one piece after the other.
    pub chunks: &'a [&'a [u8]],
}

impl Plaintext<'_> {
    /// Bytes of content.
    #[must_use]
    pub fn content_bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.len()).sum()
    }

    /// Bytes of the TLS 1.3 record behind its header. For other versions see [`Session::segments`].
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
    /// The content type (RFC 8446, section 5.2; RFC 5246, section 6.2.1).
    pub content_type: u8,
    /// Bytes of content, which stand at the front of the buffer.
    pub length: usize,
}

/// What [`Session::open_run`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenedRun {
    /// The content type of all its records.
    pub content_type: u8,
    /// Records opened, at least one.
    pub records: usize,
    /// Bytes of these records: what follows in the buffer was not looked at, or does not belong to the run.
    pub consumed: usize,
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
        config: SessionConfig<'_>,
    ) -> Self {
        let key = TrafficKey::new(config.version, config.key, config.iv);
        let owner = Owner { session, key, direction: config.direction, context: None };
        Self { device, queue, owner }
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

    /// The format of the session's records.
    #[must_use]
    pub fn version(&self) -> TlsVersion {
        self.owner.key.version
    }

    /// The records that [`Self::seal_records`] makes of `plaintext` with this limit of a fragment.
    #[must_use]
    pub fn segments(&self, plaintext: &Plaintext<'_>, fragment_limit: u16) -> Segments {
        let (content, padding) = (plaintext.content_bytes(), plaintext.padding_multiple);
        Segments::of(self.version(), self.suite(), content, fragment_limit, padding)
    }

    /// Seals one record of at most 2^14 bytes of content. `encrypted_record` takes what stands behind the record's
    /// header and must have exactly its size, [`Plaintext::encrypted_record_bytes`] with TLS 1.3; the header is that of
    /// the content type (TLS 1.3: 23), 0x0303 and that length.
    ///
    /// On any error `encrypted_record` is unchanged.
    pub fn seal(
        &mut self,
        plaintext: Plaintext<'_>,
        encrypted_record: &mut [u8],
    ) -> Result<(), DeviceError> {
        if plaintext.content_bytes() > MAX_FRAGMENT_BYTES {
            let what = "the content is longer than a record's 2^14 bytes";
            return Err(DeviceError::InvalidArgument { what });
        }
        self.seal_from(RECORD_HEADER_BYTES, plaintext, 0, encrypted_record).map(|_| ())
    }

    /// Seals content of any length up to what the device and a DMA slot take as records of at most `fragment_limit`
    /// bytes of content each: from 64 to 16,384, or 0 for 16,384. `records` takes them back to back, headers included,
    /// and must have exactly the bytes of [`Self::segments`].
    ///
    /// On any error `records` is unchanged.
    pub fn seal_records(
        &mut self,
        plaintext: Plaintext<'_>,
        fragment_limit: u16,
        records: &mut [u8],
    ) -> Result<Segments, DeviceError> {
        self.seal_from(0, plaintext, fragment_limit, records)
    }

    /// Seals, and copies what the device wrote from byte `start` on to `buffer`, which it must fill.
    fn seal_from(
        &mut self,
        start: usize,
        plaintext: Plaintext<'_>,
        fragment_limit: u16,
        buffer: &mut [u8],
    ) -> Result<Segments, DeviceError> {
        self.check_seal(&plaintext, fragment_limit)?;
        let segments = self.segments(&plaintext, fragment_limit);
        if start + buffer.len() != segments.bytes {
            let what = "the buffer has not the size of what is sealed";
            return Err(DeviceError::InvalidArgument { what });
        }
        let queue = self.device.queue(self.queue)?;
        let mut guard = queue.take_slot()?;
        for chunk in plaintext.chunks {
            guard.slot.source.append(chunk).map_err(out_of_slot)?;
        }
        guard.slot.destination.reserve(segments.bytes).map_err(out_of_slot)?;
        let entry = RecordEntry {
            content_type: plaintext.content_type,
            padding_multiple: plaintext.padding_multiple,
            fragment_limit,
            ..record_entry(Opcode::Seal, plaintext.sequence, &guard)
        };
        let outcome = queue.execute(&mut guard, &mut self.owner, entry)?;
        if outcome.status != Status::Success {
            return Err(DeviceError::Refused(outcome.status));
        }
        check_sealed(&guard, &outcome, segments, &entry, self.owner.key.version)?;
        guard.slot.destination.read(start, buffer).map_err(out_of_slot)?;
        self.device.core().counters.sealed_records.add(segments.records as u64);
        Ok(segments)
    }

    /// Opens one record: its header as received, and what stands behind it. On success the content stands at the front
    /// of `encrypted_record`, and the rest of it is as before.
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
        let limits = self.record_bytes();
        if !limits.contains(&record_bytes) {
            return Err(RecordError::Rejected(Status::BadLength));
        }
        let pieces = [&header, &*encrypted_record];
        let version = self.version();
        let room = record_bytes - limits.start();
        let Self { device, queue, owner } = self;
        let (outcome, guard) =
            open_entry(device, *queue, owner, Opcode::Open, sequence, &pieces, room)?;
        let opened = check_opened(&guard, &outcome, version, header[0], room)?;
        let content = &mut encrypted_record[..opened.length];
        guard.slot.destination.read(0, content).map_err(out_of_slot)?;
        device.core().counters.opened_records.increment();
        Ok(opened)
    }

    /// Opens records that stand back to back in `records`, headers included, the first with this sequence number and
    /// each other with the next. The run ends before a record that is cut off, is not valid or is no application data;
    /// only the first may have another content type, and then it is all of the run.
    ///
    /// On success the content stands at the front of `records` without gaps, and from [`OpenedRun::consumed`] on the
    /// buffer is as before. On any error all of it is; [`RecordError::Rejected`] is the verdict on the first record.
    pub fn open_run(
        &mut self,
        sequence: u64,
        records: &mut [u8],
    ) -> Result<OpenedRun, RecordError> {
        self.check_usable(Direction::Open)?;
        if !self.device.identity().open_run {
            return Err(DeviceError::Unsupported { what: "runs of records" }.into());
        }
        let record_min = *self.record_bytes().start();
        if records.len() < record_min {
            return Err(RecordError::Rejected(Status::BadLength));
        }
        if records.len() > MAX_SEAL_BYTES {
            let what = "the run is longer than 2^20 bytes";
            return Err(DeviceError::InvalidArgument { what }.into());
        }
        let version = self.version();
        let Self { device, queue, owner } = self;
        let (pieces, room) = ([&*records], records.len() - record_min);
        let (outcome, guard) =
            open_entry(device, *queue, owner, Opcode::OpenRun, sequence, &pieces, room)?;
        let run = check_run(&guard, &outcome, version, records[0], record_min)?;
        guard.slot.destination.read(0, &mut records[..run.length]).map_err(out_of_slot)?;
        device.core().counters.opened_records.add(run.records as u64);
        Ok(run)
    }

    /// The bytes that a whole record may have.
    fn record_bytes(&self) -> RangeInclusive<usize> {
        min_record_bytes(self.version(), self.suite())..=max_record_bytes(self.version())
    }

    fn check_usable(&self, direction: Direction) -> Result<(), DeviceError> {
        if self.owner.direction != direction {
            let what = "the session is for the other direction";
            return Err(DeviceError::InvalidArgument { what });
        }
        if !self.device.supports_version(self.version(), self.suite()) {
            return Err(DeviceError::Unsupported { what: "records of this version and suite" });
        }
        Ok(())
    }

    fn check_seal(
        &self,
        plaintext: &Plaintext<'_>,
        fragment_limit: u16,
    ) -> Result<(), DeviceError> {
        self.check_usable(Direction::Seal)?;
        let content = plaintext.content_bytes();
        let padding = plaintext.padding_multiple;
        let identity = self.device.identity();
        let invalid = |what| Err(DeviceError::InvalidArgument { what });
        let limit_is_valid = fragment_limit == 0
            || (MIN_FRAGMENT_LIMIT..=MAX_FRAGMENT_BYTES as u16).contains(&fragment_limit);
        if plaintext.content_type == 0 {
            invalid("no content type is 0")
        } else if padding != 0 && (!padding.is_power_of_two() || padding > PADDING_MULTIPLE_MAX) {
            invalid("the padding multiple is neither 0 nor a power of two up to 16,384")
        } else if padding != 0 && self.version() == TlsVersion::Tls12 {
            invalid("TLS 1.2 has no padding")
        } else if !limit_is_valid {
            invalid("the limit of a fragment is neither 0 nor from 64 to 16,384")
        } else if content > identity.seal_max as usize {
            Err(DeviceError::Unsupported { what: "plaintext of this length" })
        } else if padding > 1 && !identity.padding {
            Err(DeviceError::Unsupported { what: "padding" })
        } else if fragment_limit != 0 && !identity.segmentation {
            Err(DeviceError::Unsupported { what: "several records of one plaintext" })
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
            .field("version", &self.owner.key.version)
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
    version: TlsVersion,
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
    fn new(version: TlsVersion, key: Key<'_>, iv: [u8; 12]) -> Self {
        let mut secret = Box::new(Secret { key: [0; 32], iv });
        match key {
            Key::Aes128(bytes) => secret.key[..16].copy_from_slice(bytes),
            Key::Aes256(bytes) | Key::Chacha20(bytes) => secret.key.copy_from_slice(bytes),
        }
        Self { version, suite: key.suite(), secret }
    }

    /// The entry that loads the key; its cookie is set by the queue.
    pub(crate) fn load_entry(&self, context: u16, direction: Direction) -> ContextEntry {
        let Secret { key, iv } = &*self.secret;
        let key = match (self.suite, key.first_chunk()) {
            (Suite::Aes128Gcm, Some(first_half)) => Key::Aes128(first_half),
            (Suite::Chacha20Poly1305, _) => Key::Chacha20(key),
            _ => Key::Aes256(key),
        };
        ContextEntry::load(0, context, direction, key, *iv).with_version(self.version)
    }
}

/// Has the device open what is in `pieces`, with room for `room` bytes of content.
fn open_entry<'a>(
    device: &'a Device,
    queue: usize,
    owner: &mut Owner,
    opcode: Opcode,
    sequence: u64,
    pieces: &[&[u8]],
    room: usize,
) -> Result<(Outcome, SlotGuard<'a>), RecordError> {
    let queue = device.queue(queue)?;
    let mut guard = queue.take_slot()?;
    for piece in pieces {
        guard.slot.source.append(piece).map_err(out_of_slot)?;
    }
    guard.slot.destination.reserve(room).map_err(out_of_slot)?;
    let entry = record_entry(opcode, sequence, &guard);
    let outcome = queue.execute(&mut guard, owner, entry)?;
    match outcome.status {
        Status::Success => Ok((outcome, guard)),
        verdict if verdict.is_verdict() => {
            device.core().counters.rejected_records.increment();
            Err(RecordError::Rejected(verdict))
        }
        status => Err(DeviceError::Refused(status).into()),
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

/// Compares what the device says and wrote with what records of this size must be.
fn check_sealed(
    guard: &SlotGuard<'_>,
    outcome: &Outcome,
    segments: Segments,
    entry: &RecordEntry,
    version: TlsVersion,
) -> Result<(), DeviceError> {
    let completion = outcome.completion;
    let agrees = completion.written as usize == segments.bytes
        && completion.consumed == entry.length
        && usize::from(completion.records) == segments.records
        && completion.content_type == entry.content_type;
    if !agrees {
        return Err(guard.inconsistent("the completion of a SEAL is not that of its entry"));
    }
    let header_type = match version {
        TlsVersion::Tls13 => APPLICATION_DATA,
        TlsVersion::Tls12 => entry.content_type,
    };
    let mut place = 0;
    for _ in 0..segments.records {
        let mut header = [0; RECORD_HEADER_BYTES];
        if place < segments.bytes {
            guard.slot.destination.read(place, &mut header).map_err(out_of_slot)?;
        }
        let [content_type, major, minor, high, low] = header;
        if [content_type, major, minor] != [header_type, 3, 3] {
            return Err(guard.inconsistent("a sealed record has not the header of its kind"));
        }
        place += RECORD_HEADER_BYTES + usize::from(u16::from_be_bytes([high, low]));
    }
    if place == segments.bytes {
        return Ok(());
    }
    Err(guard.inconsistent("the headers of sealed records are not those of their lengths"))
}

/// Whether a record whose header has this type may be of that content type: TLS 1.2 has it in the header, which stands in
/// the clear, TLS 1.3 inside, where it is never 0.
fn type_agrees(version: TlsVersion, header_type: u8, content_type: u8) -> bool {
    match version {
        TlsVersion::Tls13 => content_type != 0,
        TlsVersion::Tls12 => content_type == header_type,
    }
}

/// Compares what the device says with what can come out of a record with this type in its header and `room` bytes for
/// content. In TLS 1.2 nothing but content stands there.
fn check_opened(
    guard: &SlotGuard<'_>,
    outcome: &Outcome,
    version: TlsVersion,
    header_type: u8,
    room: usize,
) -> Result<Opened, DeviceError> {
    let completion = outcome.completion;
    let length = completion.written as usize;
    let agrees = length <= room.min(MAX_FRAGMENT_BYTES)
        && (length == room || version == TlsVersion::Tls13)
        && completion.consumed as usize == guard.slot.source.used()
        && completion.records == 1
        && type_agrees(version, header_type, completion.content_type);
    if !agrees {
        return Err(
            guard.inconsistent("the completion of an opened record is not that of its entry")
        );
    }
    Ok(Opened { content_type: completion.content_type, length })
}

/// Compares what the device says with what can come out of a run of this size, whose records have `record_min` bytes at
/// least and whose first has this type in its header.
fn check_run(
    guard: &SlotGuard<'_>,
    outcome: &Outcome,
    version: TlsVersion,
    header_type: u8,
    record_min: usize,
) -> Result<OpenedRun, DeviceError> {
    let completion = outcome.completion;
    let run = OpenedRun {
        content_type: completion.content_type,
        records: usize::from(completion.records),
        consumed: completion.consumed as usize,
        length: completion.written as usize,
    };
    let overhead = run.records * record_min;
    let agrees = run.records > 0
        && (run.records == 1 || run.content_type == APPLICATION_DATA)
        && type_agrees(version, header_type, run.content_type)
        && run.consumed <= guard.slot.source.used()
        && run.consumed >= overhead
        && run.length <= run.consumed - overhead
        && run.length <= run.records * MAX_FRAGMENT_BYTES;
    if !agrees {
        return Err(guard.inconsistent("the completion of an opened run is not that of its entry"));
    }
    Ok(run)
}

/// Slots fit the largest record; more content than [`crate::Settings::slot_content_bytes`], or many short records of it,
/// may not fit.
fn out_of_slot(_: crate::memory::OutOfBounds) -> DeviceError {
    DeviceError::InvalidArgument { what: "the records do not fit a DMA slot" }
}
