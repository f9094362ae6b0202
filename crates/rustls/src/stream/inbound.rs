// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a connection receives: the socket is read into DMA memory, whole records are opened a run at a time, several runs
//! at once, and what they hold is delivered in order.
//!
//! Records are numbered when they arrive, as if all were under the same key. A key update in their midst makes the numbers
//! of those behind it wrong; they are still at their source, and are opened again when it is their turn.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustls::{ConnectionTrafficSecrets, ContentType, Error, SupportedCipherSuite};
use sealgate_abi::{RECORD_HEADER_BYTES, min_record_bytes};
use sealgate_driver::{Buffer, DeviceError, OpenedRun, Opening, RecordError};
use tokio::io::{AsyncRead, ReadBuf};
use tracing::error;

use super::control::{Control, Event, Fault};
use super::offload::Keys;
use crate::counters::{Operation, Reason};
use crate::record::{SoftwareOpener, device_suite, tls_version};

const APPLICATION_DATA: u8 = 23;

/// Runs of one connection that are opened at once.
const RUNS_MAX: usize = 16;

/// Bytes read from the socket at a time when no DMA memory is to be had: two full records.
const HEAP_BYTES: usize = 1 << 15;

/// Whole records as they arrived, from `start` on still to be opened.
struct Run {
    source: Source,
    start: usize,
    /// Of the record at `start`, as it was when the operation began.
    number: Number,
    /// Records from `start` on.
    records: u64,
}

/// Where the records of a run are.
enum Source {
    /// The device opens them.
    Device(Opening),
    /// They are opened in software, one after the other, for this reason.
    Heap(Vec<u8>, Reason),
    /// The device will open them when it is clear under which key.
    Waiting(Buffer),
}

/// Which record of the connection it is: under which of the peer's keys, and its sequence number.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Number {
    epoch: u64,
    sequence: u64,
}

/// Content that was opened and is being delivered, from `at` on.
enum Content {
    None,
    /// In the DMA memory of the first run.
    Device {
        at: usize,
        length: usize,
    },
    /// In the memory of the first run, where it was opened in place.
    Heap {
        at: usize,
        end: usize,
    },
}

/// The receiving side of a connection.
pub(super) struct Inbound {
    keys: Keys<SoftwareOpener>,
    suite: SupportedCipherSuite,
    control: Control,
    /// What has arrived of a record that is not complete.
    partial: Vec<u8>,
    runs: VecDeque<Run>,
    content: Content,
    /// Of the next record to be delivered; what `keys` count is that of the next to arrive.
    next: Number,
    /// What the records before those of `runs` have asked for.
    events: VecDeque<Event>,
    /// What is wrong with the record behind those of `runs`, by its header.
    fault: Option<Fault>,
    /// The socket has failed, which is told when everything that arrived before was delivered.
    broken: Option<io::Error>,
    /// The socket has come to its end.
    ended: bool,
    /// The peer has said that nothing follows.
    closed: bool,
}

/// What is to be done, besides delivering content.
pub(super) enum Progress {
    /// There is content.
    Content,
    /// The connection has come to its end, in order.
    Closed,
    /// A record that asks for this.
    Event(Event),
}

impl Inbound {
    /// `input` is what arrived behind the handshake.
    pub(super) fn new(
        keys: Keys<SoftwareOpener>,
        suite: SupportedCipherSuite,
        control: Control,
        input: Vec<u8>,
    ) -> Self {
        let next = Number { epoch: 0, sequence: keys.sequence };
        Self {
            keys,
            suite,
            control,
            partial: input,
            runs: VecDeque::new(),
            content: Content::None,
            next,
            events: VecDeque::new(),
            fault: None,
            broken: None,
            ended: false,
            closed: false,
        }
    }

    /// The content to deliver next.
    pub(super) fn content(&self) -> &[u8] {
        match (&self.content, self.runs.front()) {
            (Content::Device { at, .. }, Some(Run { source: Source::Device(opening), .. })) => {
                opening.content().get(*at..).unwrap_or(&[])
            }
            (Content::Heap { at, end }, Some(Run { source: Source::Heap(bytes, _), .. })) => {
                bytes.get(*at..*end).unwrap_or(&[])
            }
            _ => &[],
        }
    }

    /// Whether there is content.
    pub(super) fn is_ready(&self) -> bool {
        !self.content().is_empty()
    }

    /// So much of the content was delivered.
    pub(super) fn consume(&mut self, bytes: usize) {
        match &mut self.content {
            Content::None => {}
            Content::Device { at, length } => {
                *at += bytes;
                if *at >= *length {
                    self.go_on();
                }
            }
            Content::Heap { at, end } => {
                *at += bytes;
                if *at >= *end {
                    self.go_on();
                }
            }
        }
    }

    /// Nothing more is to be delivered: the memory is for others.
    pub(super) fn let_go(&mut self) {
        self.content = Content::None;
        self.runs.clear();
    }

    /// Goes on to the next records, in the first run or behind it.
    fn go_on(&mut self) {
        self.content = Content::None;
        match self.runs.pop_front() {
            // What the operation has not opened is begun anew, but behind what its last record has asked for.
            Some(Run { source: Source::Device(opening), start, records, number })
                if records > 0 =>
            {
                let buffer = opening.into_buffer();
                let run = if self.events.is_empty() {
                    self.start(buffer, start, records, self.next)
                } else {
                    Run { source: Source::Waiting(buffer), start, records, number }
                };
                self.runs.push_front(run);
            }
            Some(run) if run.records > 0 => self.runs.push_front(run),
            _ => {}
        }
    }

    /// Everything behind the record just delivered is under the next key.
    pub(super) fn change_key(
        &mut self,
        (sequence, secrets): (u64, ConnectionTrafficSecrets),
    ) -> Result<(), Error> {
        self.keys.change(self.suite, (sequence, secrets))?;
        self.next = Number { epoch: self.next.epoch + 1, sequence };
        self.keys.sequence += self.runs.iter().map(|run| run.records).sum::<u64>();
        Ok(())
    }

    /// Goes on until there is content, the end, or a record that asks for something.
    pub(super) fn poll<IO: AsyncRead + Unpin>(
        &mut self,
        io: &mut IO,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Progress, InboundError>> {
        loop {
            if self.is_ready() {
                return Poll::Ready(Ok(Progress::Content));
            }
            if let Some(event) = self.events.pop_front() {
                self.closed |= event == Event::CloseNotify;
                return Poll::Ready(Ok(Progress::Event(event)));
            }
            if self.closed {
                self.let_go();
                return Poll::Ready(Ok(Progress::Closed));
            }
            // As many runs as may be are on their way before the first is waited for.
            let filled = self.poll_fill(io, cx);
            if self.runs.is_empty() {
                if let Some(fault) = self.fault.take() {
                    return Poll::Ready(Err(fault.into()));
                }
                if let Some(error) = self.broken.take() {
                    return Poll::Ready(Err(error.into()));
                }
                ready!(filled);
                if self.runs.is_empty() && self.fault.is_none() && self.ended {
                    return Poll::Ready(Err(self.end()));
                }
                continue;
            }
            ready!(self.poll_first(cx))?;
        }
    }

    /// The error at the end of the socket: it came before the peer has said that nothing follows.
    fn end(&self) -> InboundError {
        let what = if self.partial.is_empty() {
            "peer closed connection without sending TLS close_notify"
        } else {
            "peer closed connection in the middle of a TLS record"
        };
        InboundError::Io(io::Error::new(io::ErrorKind::UnexpectedEof, what))
    }

    /// Reads what the socket has, and has whole records opened. `Ready`: something has arrived, or nothing more is to be
    /// read now.
    fn poll_fill<IO: AsyncRead + Unpin>(&mut self, io: &mut IO, cx: &mut Context<'_>) -> Poll<()> {
        while self.runs.len() < RUNS_MAX && !self.is_over() {
            let is_behind = !self.runs.is_empty();
            let read = match self.memory(is_behind) {
                // The device has enough of this connection, which will end.
                None => return Poll::Ready(()),
                Some(Memory::Dma(buffer)) => self.poll_read_dma(buffer, io, cx),
                Some(Memory::Heap(reason)) => self.poll_read_heap(reason, io, cx),
            };
            if let Err(error) = ready!(read) {
                self.broken = Some(error);
            }
        }
        Poll::Ready(())
    }

    /// Whether nothing more is to be read.
    fn is_over(&self) -> bool {
        self.ended || self.fault.is_some() || self.broken.is_some()
    }

    /// Memory to read into. `None`: other records of this connection have to be opened first.
    fn memory(&mut self, is_behind: bool) -> Option<Memory> {
        if let Some(reason) = self.keys.software_reason(usize::MAX, is_behind) {
            return Some(Memory::Heap(reason));
        }
        let session = self.keys.session.as_ref().ok()?;
        if is_behind && session.buffers_are_scarce() {
            return None;
        }
        match session.buffer() {
            Ok(buffer) => Some(Memory::Dma(buffer)),
            Err(DeviceError::Busy { .. }) if is_behind => None,
            Err(error) => {
                let reason = Reason::from(&error);
                self.keys.explain(Operation::Open, reason, &error);
                Some(Memory::Heap(reason))
            }
        }
    }

    fn poll_read_dma<IO: AsyncRead + Unpin>(
        &mut self,
        mut buffer: Buffer,
        io: &mut IO,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let held = self.partial.len();
        let Some(place) = buffer.spare().get_mut(..held) else {
            // More than a buffer holds arrived with the handshake; the configuration of the device is that small.
            let reason = Reason::Refused;
            return self.poll_read_heap(reason, io, cx);
        };
        place.copy_from_slice(&self.partial);
        buffer.fill(held).map_err(io::Error::other)?;
        if self.cut(&self.partial).is_nothing() {
            let mut space = ReadBuf::new(buffer.spare());
            let polled = Pin::new(io).poll_read(cx, &mut space);
            let read = space.filled().len();
            if polled.is_pending() {
                // An idle connection holds no more than it has to.
                self.partial.shrink_to_fit();
            }
            ready!(polled)?;
            self.ended = read == 0;
            buffer.fill(read).map_err(io::Error::other)?;
        }
        let Cut { whole, records, fault } = self.cut(buffer.source());
        self.fault = fault;
        self.partial.clear();
        self.partial.extend_from_slice(&buffer.source()[whole..]);
        if records == 0 {
            return Poll::Ready(Ok(()));
        }
        buffer.truncate(whole);
        let number = Number { epoch: self.next.epoch, sequence: self.keys.sequence };
        self.keys.sequence += records;
        let is_behind = !self.runs.is_empty();
        let run = match self.keys.software_reason(content_bytes(self.suite, whole), is_behind) {
            Some(reason) => {
                let source = Source::Heap(buffer.source().to_vec(), reason);
                Run { source, start: 0, number, records }
            }
            None => self.start(buffer, 0, records, number),
        };
        self.runs.push_back(run);
        Poll::Ready(Ok(()))
    }

    fn poll_read_heap<IO: AsyncRead + Unpin>(
        &mut self,
        reason: Reason,
        io: &mut IO,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if self.cut(&self.partial).is_nothing() {
            let held = self.partial.len();
            self.partial.resize(held + HEAP_BYTES, 0);
            let mut space = ReadBuf::new(&mut self.partial[held..]);
            let polled = Pin::new(io).poll_read(cx, &mut space);
            let read = space.filled().len();
            self.partial.truncate(held + read);
            if polled.is_pending() {
                // An idle connection holds no more than it has to.
                self.partial.shrink_to_fit();
            }
            ready!(polled)?;
            self.ended = read == 0;
        }
        let Cut { whole, records, fault } = self.cut(&self.partial);
        self.fault = fault;
        if records == 0 {
            return Poll::Ready(Ok(()));
        }
        let rest = self.partial.split_off(whole);
        let bytes = std::mem::replace(&mut self.partial, rest);
        let number = Number { epoch: self.next.epoch, sequence: self.keys.sequence };
        self.keys.sequence += records;
        self.runs.push_back(Run { source: Source::Heap(bytes, reason), start: 0, number, records });
        Poll::Ready(Ok(()))
    }

    /// Has the device begin to open records.
    fn start(&mut self, buffer: Buffer, start: usize, records: u64, number: Number) -> Run {
        let source = match &mut self.keys.session {
            Ok(session) => Source::Device(session.start_open(buffer, start, number.sequence)),
            Err(reason) => Source::Heap(buffer.source().to_vec(), *reason),
        };
        Run { source, start, number, records }
    }

    /// Waits for the first run, and takes what it has brought: content or events, or nothing.
    fn poll_first(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), InboundError>> {
        self.start_waiting();
        let Some(run) = self.runs.front_mut() else { return Poll::Ready(Ok(())) };
        let Source::Device(opening) = &mut run.source else {
            return Poll::Ready(self.open_first_in_software());
        };
        let result = ready!(opening.poll(cx));
        if run.number != self.next {
            // It was begun under another key than that which has come of it.
            let (start, records) = (run.start, run.records);
            if let Some(Run { source: Source::Device(opening), .. }) = self.runs.pop_front() {
                let run = self.start(opening.into_buffer(), start, records, self.next);
                self.runs.push_front(run);
            }
            return Poll::Ready(Ok(()));
        }
        Poll::Ready(match result {
            Ok(opened) => self.take_opened(opened),
            Err(why) => {
                let reason = match &why {
                    RecordError::Rejected(_) => Reason::Inconsistent,
                    RecordError::Device(error) => {
                        let reason = Reason::from(error);
                        self.keys.explain(Operation::Open, reason, error);
                        reason
                    }
                };
                self.open_device_run_in_software(&why, reason)
            }
        })
    }

    /// Has the device begin with the first run if that waits for it.
    fn start_waiting(&mut self) {
        match self.runs.pop_front() {
            Some(Run { source: Source::Waiting(buffer), start, records, .. }) => {
                let run = self.start(buffer, start, records, self.next);
                self.runs.push_front(run);
            }
            other => {
                if let Some(run) = other {
                    self.runs.push_front(run);
                }
            }
        }
    }

    /// Takes what the device has found in the first run.
    fn take_opened(&mut self, opened: OpenedRun) -> Result<(), InboundError> {
        let records = opened.records as u64;
        self.keys.counters().count_device_records(Operation::Open, records, opened.length);
        let Some(run) = self.runs.front_mut() else { return Ok(()) };
        run.start += opened.consumed;
        run.records = run.records.saturating_sub(records);
        self.next.sequence += records;
        if opened.content_type == APPLICATION_DATA && opened.length > 0 {
            self.control.record(ContentType::ApplicationData, &[0])?;
            self.content = Content::Device { at: 0, length: opened.length };
            return Ok(());
        }
        let Source::Device(opening) = &run.source else { return Ok(()) };
        let content = opening.content().to_vec();
        for _ in 0..records {
            // Several records are application data without content.
            self.events.extend(self.control.record(opened.content_type.into(), &content)?);
        }
        self.go_on();
        Ok(())
    }

    /// The device did not open the first run; software does. A verdict on its first record is judged again, so that the
    /// peer gets the alert that it would get without a device.
    fn open_device_run_in_software(
        &mut self,
        why: &RecordError,
        reason: Reason,
    ) -> Result<(), InboundError> {
        let Some(run) = self.runs.front_mut() else { return Ok(()) };
        let Source::Device(opening) = &run.source else { return Ok(()) };
        let bytes = opening.records()[run.start..].to_vec();
        (run.source, run.start) = (Source::Heap(bytes, reason), 0);
        let sequence = self.next.sequence;
        self.open_first_in_software()?;
        if let RecordError::Rejected(status) = why {
            self.keys.counters().count_disagreement();
            error!(sequence, %status, "the device refused a record that software finds authentic");
        }
        Ok(())
    }

    /// Opens the first record of the first run, which is in ordinary memory.
    fn open_first_in_software(&mut self) -> Result<(), InboundError> {
        let Some(run) = self.runs.front_mut() else { return Ok(()) };
        let Source::Heap(bytes, reason) = &mut run.source else { return Ok(()) };
        let reason = *reason;
        let rest = &mut bytes[run.start..];
        let Some((header, payload)) = rest.split_first_chunk_mut::<RECORD_HEADER_BYTES>() else {
            return Err(miscounted());
        };
        let length = self.control.header(*header)?;
        let payload = payload.get_mut(..length).ok_or_else(miscounted)?;
        let opened = self.keys.software.open(self.next.sequence, *header, payload);
        let opened = opened.inspect_err(|_| self.keys.counters().count_rejected())?;
        let content = &payload[..opened.length];
        self.keys.counters().count_software(Operation::Open, reason, opened.length);
        self.events.extend(self.control.record(opened.content_type.into(), content)?);
        let at = run.start + RECORD_HEADER_BYTES;
        run.start = at + length;
        run.records -= 1;
        self.next.sequence += 1;
        if opened.content_type == APPLICATION_DATA && opened.length > 0 {
            self.content = Content::Heap { at, end: at + opened.length };
        } else {
            self.go_on();
        }
        Ok(())
    }

    /// Finds the whole records at the front of `bytes`, as many as one operation takes.
    fn cut(&self, bytes: &[u8]) -> Cut {
        let mut cut = Cut { whole: 0, records: 0, fault: None };
        while let Some((header, rest)) = bytes[cut.whole..].split_first_chunk() {
            match self.control.header(*header) {
                Ok(length) if length <= rest.len() => {
                    cut.whole += RECORD_HEADER_BYTES + length;
                    cut.records += 1;
                }
                Ok(_) => break,
                Err(fault) => {
                    cut.fault = Some(fault);
                    break;
                }
            }
        }
        cut
    }
}

/// Runs are cut at the borders of records, and the driver holds the device to them.
fn miscounted() -> InboundError {
    InboundError::Io(io::Error::other("the records of a run are not where they were: a defect"))
}

/// Bytes and number of whole records, and what is wrong with the header of the next.
struct Cut {
    whole: usize,
    records: u64,
    fault: Option<Fault>,
}

impl Cut {
    /// Whether more has to arrive before anything can be said.
    fn is_nothing(&self) -> bool {
        self.records == 0 && self.fault.is_none()
    }
}

/// Memory to read into.
enum Memory {
    Dma(Buffer),
    Heap(Reason),
}

/// The most content of records of so many bytes.
fn content_bytes(suite: SupportedCipherSuite, bytes: usize) -> usize {
    device_suite(suite.suite())
        .map_or(bytes, |kind| bytes.saturating_sub(min_record_bytes(tls_version(suite), kind)))
}

/// Why nothing more can be received.
pub(super) enum InboundError {
    /// The socket's fault.
    Io(io::Error),
    /// The peer's.
    Tls(Fault),
}

impl From<io::Error> for InboundError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Fault> for InboundError {
    fn from(fault: Fault) -> Self {
        Self::Tls(fault)
    }
}

impl From<Error> for InboundError {
    fn from(error: Error) -> Self {
        Self::Tls(error.into())
    }
}
