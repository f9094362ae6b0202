// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Keys of one direction of one connection, and the records that go through them.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use sealgate_abi::{
    ContextEntry, Direction, Key, MAX_FRAGMENT_BYTES, MAX_SEAL_BYTES, MIN_FRAGMENT_LIMIT, Opcode,
    RECORD_HEADER_BYTES, RecordEntry, Segments, Status, Suite, TlsVersion, max_record_bytes,
    min_record_bytes, sealed_bytes,
};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::buffer::Buffer;
use crate::contexts::SessionId;
use crate::device::Device;
use crate::error::{DeviceError, RecordError};
use crate::operation::{self, Open, Opening, Seal, Sealing};
use crate::shared::{Outcome, SharedQueue};

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
    /// All but the content.
    #[must_use]
    pub const fn head(&self) -> PlaintextHead {
        let Self { content_type, sequence, padding_multiple, .. } = *self;
        PlaintextHead { content_type, sequence, padding_multiple }
    }

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

/// What [`Session::start_seal`] has to know of the content besides: a [`Plaintext`] without it.
#[derive(Clone, Copy, Debug)]
pub struct PlaintextHead {
    /// The content type.
    pub content_type: u8,
    /// Sequence number of the first record.
    pub sequence: u64,
    /// Content, type and padding fill a multiple of this many bytes.
    pub padding_multiple: u16,
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
    queue: Arc<SharedQueue>,
    owner: Owner,
    /// Whether the device serves records of this version and suite. A device does not change: one that comes back otherwise
    /// is not recovered.
    is_served: bool,
}

impl Session {
    pub(crate) fn new(
        device: Device,
        queue: Arc<SharedQueue>,
        session: SessionId,
        config: SessionConfig<'_>,
    ) -> Self {
        let key = TrafficKey::new(config.version, config.key, config.iv);
        let owner = Owner { session, key, direction: config.direction, context: None };
        let is_served = device.supports_version(config.version, config.key.suite());
        Self { device, queue, owner, is_served }
    }

    /// A session for the next keys of the same connection: on the same queue, so that buffers of this one serve it too.
    #[must_use]
    pub fn successor(&self, config: SessionConfig<'_>) -> Self {
        self.device.session_on(&self.queue, config)
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
        self.check_seal(&plaintext.head(), plaintext.content_bytes(), fragment_limit)?;
        let segments = self.segments(&plaintext, fragment_limit);
        if start + buffer.len() != segments.bytes {
            let what = "the buffer has not the size of what is sealed";
            return Err(DeviceError::InvalidArgument { what });
        }
        let mut slot = self.queue.take()?;
        for chunk in plaintext.chunks {
            slot.append(chunk)?;
        }
        let asked = self.seal_of(slot.len(), &plaintext.head(), segments);
        let mut entry = seal_entry(&mut slot, &plaintext.head(), fragment_limit, segments)?;
        let outcome = self.queue.execute(&mut slot, &mut self.owner, &mut entry)?;
        asked.check(&slot, &outcome)?;
        buffer.copy_from_slice(&slot.destination(segments.bytes)[start..]);
        self.device.core().counters.sealed_records.add(segments.records as u64);
        Ok(segments)
    }

    /// A buffer for one of the session's operations, at once or not at all: [`DeviceError::Busy`]. It goes to
    /// [`Self::start_seal`] or [`Self::start_open`], of this session or a [`Self::successor`].
    pub fn buffer(&self) -> Result<Buffer, DeviceError> {
        self.queue.try_take()
    }

    /// Has the content at the source of `buffer` sealed, as [`Self::seal_records`] does, by and by. What goes wrong, even
    /// at once, is told by [`Sealing::poll`].
    ///
    /// Operations of one session take effect in the order in which they are started. Those of several sessions share a
    /// doorbell if the device is busy; [`Self::ring`] or [`Sealing::poll`] sees to it that it is rung.
    pub fn start_seal(
        &mut self,
        mut buffer: Buffer,
        plaintext: PlaintextHead,
        fragment_limit: u16,
    ) -> Sealing {
        let content = buffer.len();
        let (version, suite) = (self.version(), self.suite());
        let padding = plaintext.padding_multiple;
        let segments = Segments::of(version, suite, content, fragment_limit, padding);
        let asked = self.seal_of(content, &plaintext, segments);
        let started = self
            .check_seal(&plaintext, content, fragment_limit)
            .and_then(|()| seal_entry(&mut buffer, &plaintext, fragment_limit, segments))
            .and_then(|mut entry| self.queue.start(&mut buffer, &mut self.owner, &mut entry));
        Sealing::new(buffer, asked, started)
    }

    fn seal_of(&self, content: usize, plaintext: &PlaintextHead, segments: Segments) -> Seal {
        Seal { segments, content, content_type: plaintext.content_type, version: self.version() }
    }

    /// Has the records at the source of `buffer`, from byte `start` on, opened, as [`Self::open_run`] does, by and by. What
    /// goes wrong, even at once, is told by [`Opening::poll`].
    pub fn start_open(&mut self, mut buffer: Buffer, start: usize, sequence: u64) -> Opening {
        let mut asked = self.open_of(buffer.source().get(start..).unwrap_or(&[]));
        asked.start = start;
        let started = self.check_run(asked.length).and_then(|()| {
            let mut entry = buffer.entry(Opcode::OpenRun, sequence, start, asked.room())?;
            Ok(self.queue.start(&mut buffer, &mut self.owner, &mut entry)?)
        });
        Opening::new(buffer, asked, started)
    }

    fn open_of(&self, records: &[u8]) -> Open {
        self.open_of_bytes(records.len(), records.first().copied().unwrap_or(0))
    }

    fn open_of_bytes(&self, length: usize, header_type: u8) -> Open {
        let record_min = *self.record_bytes().start();
        Open { start: 0, length, record_min, version: self.version(), header_type }
    }

    /// The most content that one operation takes, by what the device serves and a buffer holds.
    #[must_use]
    pub fn content_max(&self) -> usize {
        let settings = &self.device.core().settings;
        let slot = (settings.slot_content_bytes as usize).max(MAX_FRAGMENT_BYTES);
        slot.min(self.device.identity().seal_max as usize)
    }

    /// Whether few buffers are left, so that none should be held that is not under way.
    #[must_use]
    pub fn buffers_are_scarce(&self) -> bool {
        self.queue.slots_are_scarce()
    }

    /// Tells the device of all that was started.
    pub fn ring(&self) {
        self.queue.ring();
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
        if !self.record_bytes().contains(&record_bytes) {
            return Err(RecordError::Rejected(Status::BadLength));
        }
        let pieces = [&header, &*encrypted_record];
        let asked = self.open_of_bytes(record_bytes, header[0]);
        let (outcome, slot) = self.open_pieces(Opcode::Open, sequence, &pieces, &asked)?;
        let opened = asked.check_record(&slot, &outcome)?;
        encrypted_record[..opened.length].copy_from_slice(slot.destination(opened.length));
        self.device.core().counters.opened_records.increment();
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
        self.check_run(records.len())?;
        let asked = self.open_of(records);
        let (outcome, slot) = self.open_pieces(Opcode::OpenRun, sequence, &[&*records], &asked)?;
        let run = asked.check_run(&slot, &outcome)?;
        records[..run.length].copy_from_slice(slot.destination(run.length));
        self.device.core().counters.opened_records.add(run.records as u64);
        Ok(run)
    }

    /// Has the device open what is in `pieces`.
    fn open_pieces(
        &mut self,
        opcode: Opcode,
        sequence: u64,
        pieces: &[&[u8]],
        asked: &Open,
    ) -> Result<(Outcome, Buffer), RecordError> {
        let mut slot = self.queue.take()?;
        for piece in pieces {
            slot.append(piece)?;
        }
        let mut entry = slot.entry(opcode, sequence, 0, asked.room())?;
        let outcome = self.queue.execute(&mut slot, &mut self.owner, &mut entry)?;
        operation::check_verdict(&slot, &outcome)?;
        Ok((outcome, slot))
    }

    /// Whether so many bytes can be opened as a run.
    fn check_run(&self, bytes: usize) -> Result<(), RecordError> {
        self.check_usable(Direction::Open)?;
        if !self.device.identity().open_run {
            return Err(DeviceError::Unsupported { what: "runs of records" }.into());
        }
        if bytes < *self.record_bytes().start() {
            return Err(RecordError::Rejected(Status::BadLength));
        }
        if bytes > MAX_SEAL_BYTES {
            let what = "the run is longer than 2^20 bytes";
            return Err(DeviceError::InvalidArgument { what }.into());
        }
        Ok(())
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
        if !self.is_served {
            return Err(DeviceError::Unsupported { what: "records of this version and suite" });
        }
        Ok(())
    }

    fn check_seal(
        &self,
        plaintext: &PlaintextHead,
        content: usize,
        fragment_limit: u16,
    ) -> Result<(), DeviceError> {
        self.check_usable(Direction::Seal)?;
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
        self.queue.abandon(&self.owner);
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("queue", &self.queue.index())
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

/// The SEAL of what is at the source of `buffer`.
fn seal_entry(
    buffer: &mut Buffer,
    plaintext: &PlaintextHead,
    fragment_limit: u16,
    segments: Segments,
) -> Result<RecordEntry, DeviceError> {
    Ok(RecordEntry {
        content_type: plaintext.content_type,
        padding_multiple: plaintext.padding_multiple,
        fragment_limit,
        ..buffer.entry(Opcode::Seal, plaintext.sequence, 0, segments.bytes)?
    })
}
