// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Operations under way, and what their completions must say.

use std::task::{Context, Poll, ready};

use sealgate_abi::{
    Direction, MAX_FRAGMENT_BYTES, RECORD_HEADER_BYTES, RecordEntry, Segments, Status, TlsVersion,
};

use crate::buffer::Buffer;
use crate::error::{DeviceError, RecordError};
use crate::session::{Opened, OpenedRun};
use crate::shared::Outcome;

/// The content type of application data (RFC 8446, section 5.1).
const APPLICATION_DATA: u8 = 23;

/// Content on its way to become records. Dropping it lets go of it at any time.
#[derive(Debug)]
pub struct Sealing {
    buffer: Buffer,
    entry: RecordEntry,
    segments: Segments,
    version: TlsVersion,
    result: Option<Result<Segments, DeviceError>>,
}

impl Sealing {
    pub(crate) fn new(
        buffer: Buffer,
        entry: Result<RecordEntry, DeviceError>,
        segments: Segments,
        version: TlsVersion,
    ) -> Self {
        let (entry, result) = match entry {
            Ok(entry) => (entry, None),
            Err(error) => (RecordEntry::default(), Some(Err(error))),
        };
        Self { buffer, entry, segments, version, result }
    }

    /// How it has ended. After an error the content is still there to be sealed in software.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Segments, DeviceError>> {
        if self.result.is_none() {
            let outcome = ready!(self.buffer.poll(Direction::Seal, context.waker()));
            self.result = Some(outcome.and_then(|outcome| self.check(&outcome)));
        }
        self.result.clone().map_or(Poll::Pending, Poll::Ready)
    }

    fn check(&self, outcome: &Outcome) -> Result<Segments, DeviceError> {
        check_sealed(&self.buffer, outcome, self.segments, &self.entry, self.version)?;
        let counters = &self.buffer.queue().core().counters;
        counters.sealed_records.add(self.segments.records as u64);
        Ok(self.segments)
    }

    /// The content.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        self.buffer.source()
    }

    /// The records, back to back with their headers, once [`Self::poll`] has returned them; else nothing.
    #[must_use]
    pub fn records(&self) -> &[u8] {
        match self.result {
            Some(Ok(segments)) => self.buffer.destination(segments.bytes),
            _ => &[],
        }
    }
}

/// Records on their way to become content. Dropping it lets go of it at any time.
#[derive(Debug)]
pub struct Opening {
    buffer: Buffer,
    entry: RecordEntry,
    record_min: usize,
    result: Option<Result<OpenedRun, RecordError>>,
}

impl Opening {
    pub(crate) fn new(
        buffer: Buffer,
        entry: Result<RecordEntry, RecordError>,
        record_min: usize,
    ) -> Self {
        let (entry, result) = match entry {
            Ok(entry) => (entry, None),
            Err(error) => (RecordEntry::default(), Some(Err(error))),
        };
        Self { buffer, entry, record_min, result }
    }

    /// How it has ended. After an error, and for what the run has not consumed, the records are still there to be opened
    /// again or in software.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<OpenedRun, RecordError>> {
        if self.result.is_none() {
            let outcome = ready!(self.buffer.poll(Direction::Open, context.waker()));
            let outcome = outcome.map_err(RecordError::from);
            self.result = Some(outcome.and_then(|outcome| self.check(&outcome)));
        }
        self.result.clone().map_or(Poll::Pending, Poll::Ready)
    }

    fn check(&self, outcome: &Outcome) -> Result<OpenedRun, RecordError> {
        check_verdict(&self.buffer, outcome)?;
        let run = check_run(&self.buffer, outcome, &self.entry, self.record_min)?;
        self.buffer.queue().core().counters.opened_records.add(run.records as u64);
        Ok(run)
    }

    /// The records.
    #[must_use]
    pub fn records(&self) -> &[u8] {
        self.buffer.source()
    }

    /// The content, once [`Self::poll`] has told of it; else nothing.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        match self.result {
            Some(Ok(run)) => self.buffer.destination(run.length),
            _ => &[],
        }
    }

    /// The buffer with its records, for another [`Session::start_open`](crate::Session::start_open). One that the device
    /// still has is not to be started again: that ends with an error.
    #[must_use]
    pub fn into_buffer(self) -> Buffer {
        self.buffer
    }
}

/// What the device says about the record, or the first record of a run.
pub(crate) fn check_verdict(buffer: &Buffer, outcome: &Outcome) -> Result<(), RecordError> {
    match outcome.status {
        Status::Success => Ok(()),
        verdict if verdict.is_verdict() => {
            buffer.queue().core().counters.rejected_records.increment();
            Err(RecordError::Rejected(verdict))
        }
        status => Err(DeviceError::Refused(status).into()),
    }
}

/// Compares what the device says and wrote with what records of this size must be.
pub(crate) fn check_sealed(
    buffer: &Buffer,
    outcome: &Outcome,
    segments: Segments,
    entry: &RecordEntry,
    version: TlsVersion,
) -> Result<(), DeviceError> {
    if outcome.status != Status::Success {
        return Err(DeviceError::Refused(outcome.status));
    }
    let completion = outcome.completion;
    let agrees = completion.written as usize == segments.bytes
        && completion.consumed == entry.length
        && usize::from(completion.records) == segments.records
        && completion.content_type == entry.content_type;
    if !agrees {
        return Err(buffer.inconsistent("the completion of a SEAL is not that of its entry"));
    }
    let header_type = match version {
        TlsVersion::Tls13 => APPLICATION_DATA,
        TlsVersion::Tls12 => entry.content_type,
    };
    let mut records = buffer.destination(segments.bytes);
    for _ in 0..segments.records {
        let Some((&[content_type, major, minor, high, low], rest)) =
            records.split_first_chunk::<RECORD_HEADER_BYTES>()
        else {
            break;
        };
        if [content_type, major, minor] != [header_type, 3, 3] {
            return Err(buffer.inconsistent("a sealed record has not the header of its kind"));
        }
        let Some(rest) = rest.get(usize::from(u16::from_be_bytes([high, low]))..) else { break };
        records = rest;
    }
    if records.is_empty() {
        return Ok(());
    }
    Err(buffer.inconsistent("the headers of sealed records are not those of their lengths"))
}

/// Compares what the device says with what can come out of a record of this size.
pub(crate) fn check_opened(
    buffer: &Buffer,
    outcome: &Outcome,
    entry: &RecordEntry,
    version: TlsVersion,
) -> Result<Opened, DeviceError> {
    let completion = outcome.completion;
    let length = completion.written as usize;
    let agrees = length <= (entry.capacity as usize).min(MAX_FRAGMENT_BYTES)
        && completion.consumed == entry.length
        && completion.records == 1
        && (completion.content_type != 0 || version == TlsVersion::Tls12);
    if !agrees {
        return Err(
            buffer.inconsistent("the completion of an opened record is not that of its entry")
        );
    }
    Ok(Opened { content_type: completion.content_type, length })
}

/// Compares what the device says with what can come out of a run of this size, whose records have `record_min` bytes at
/// least.
pub(crate) fn check_run(
    buffer: &Buffer,
    outcome: &Outcome,
    entry: &RecordEntry,
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
        && run.consumed <= entry.length as usize
        && run.consumed >= overhead
        && run.length <= run.consumed - overhead
        && run.length <= run.records * MAX_FRAGMENT_BYTES;
    if !agrees {
        return Err(buffer.inconsistent("the completion of an opened run is not that of its entry"));
    }
    Ok(run)
}
