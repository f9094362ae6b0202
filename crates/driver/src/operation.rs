// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Operations under way, and what their completions must say.

use std::task::{Context, Poll, ready};

use sealgate_abi::{
    Direction, MAX_FRAGMENT_BYTES, RECORD_HEADER_BYTES, Segments, Status, TlsVersion,
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
    asked: Seal,
    state: State<DeviceError>,
}

/// How far an operation is. An error is boxed, as it is rare and large.
#[derive(Debug)]
enum State<E> {
    UnderWay,
    Done,
    Failed(Box<E>),
}

impl<E: Clone> State<E> {
    fn of(started: Result<(), E>) -> Self {
        started.map_or_else(|error| Self::Failed(Box::new(error)), |()| Self::UnderWay)
    }

    /// Takes note of the end; returns it.
    fn end<T>(&mut self, result: Result<T, E>) -> Poll<Result<T, E>> {
        *self = match &result {
            Ok(_) => Self::Done,
            Err(error) => Self::Failed(Box::new(error.clone())),
        };
        Poll::Ready(result)
    }
}

impl Sealing {
    pub(crate) fn new(buffer: Buffer, asked: Seal, started: Result<(), DeviceError>) -> Self {
        Self { buffer, asked, state: State::of(started) }
    }

    /// How it has ended. After an error the content is still there to be sealed in software.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Segments, DeviceError>> {
        match &self.state {
            State::UnderWay => {
                let outcome = ready!(self.buffer.poll(Direction::Seal, context.waker()));
                let result = outcome.and_then(|outcome| self.check(&outcome));
                self.state.end(result)
            }
            State::Done => Poll::Ready(Ok(self.asked.segments)),
            State::Failed(error) => Poll::Ready(Err((**error).clone())),
        }
    }

    fn check(&self, outcome: &Outcome) -> Result<Segments, DeviceError> {
        self.asked.check(&self.buffer, outcome)?;
        let segments = self.asked.segments;
        let counters = &self.buffer.queue().core().counters;
        counters.sealed_records.add(segments.records as u64);
        Ok(segments)
    }

    /// The content.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        self.buffer.source()
    }

    /// The records, back to back with their headers, once [`Self::poll`] has returned them; else nothing.
    #[must_use]
    pub fn records(&self) -> &[u8] {
        match self.state {
            State::Done => self.buffer.destination(self.asked.segments.bytes),
            State::UnderWay | State::Failed(_) => &[],
        }
    }
}

/// Records on their way to become content. Dropping it lets go of it at any time.
#[derive(Debug)]
pub struct Opening {
    buffer: Buffer,
    asked: Open,
    /// What was found, once it is done.
    run: OpenedRun,
    state: State<RecordError>,
}

impl Opening {
    pub(crate) fn new(buffer: Buffer, asked: Open, started: Result<(), RecordError>) -> Self {
        let run = OpenedRun { content_type: 0, records: 0, consumed: 0, length: 0 };
        Self { buffer, asked, run, state: State::of(started) }
    }

    /// How it has ended. After an error, and for what the run has not consumed, the records are still there to be opened
    /// again or in software.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<OpenedRun, RecordError>> {
        match &self.state {
            State::UnderWay => {
                let outcome = ready!(self.buffer.poll(Direction::Open, context.waker()));
                let result =
                    outcome.map_err(RecordError::from).and_then(|outcome| self.check(&outcome));
                if let Ok(run) = result {
                    self.run = run;
                }
                self.state.end(result)
            }
            State::Done => Poll::Ready(Ok(self.run)),
            State::Failed(error) => Poll::Ready(Err((**error).clone())),
        }
    }

    fn check(&self, outcome: &Outcome) -> Result<OpenedRun, RecordError> {
        check_verdict(&self.buffer, outcome)?;
        let run = self.asked.check_run(&self.buffer, outcome)?;
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
        match self.state {
            State::Done => self.buffer.destination(self.run.length),
            State::UnderWay | State::Failed(_) => &[],
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

/// What was asked of a SEAL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seal {
    pub(crate) segments: Segments,
    pub(crate) content: usize,
    pub(crate) content_type: u8,
    pub(crate) version: TlsVersion,
}

impl Seal {
    /// Compares what the device says and wrote with what records of this size must be.
    pub(crate) fn check(&self, buffer: &Buffer, outcome: &Outcome) -> Result<(), DeviceError> {
        if outcome.status != Status::Success {
            return Err(DeviceError::Refused(outcome.status));
        }
        let completion = outcome.completion;
        let agrees = completion.written as usize == self.segments.bytes
            && completion.consumed as usize == self.content
            && usize::from(completion.records) == self.segments.records
            && completion.content_type == self.content_type;
        if !agrees {
            return Err(buffer.inconsistent("the completion of a SEAL is not that of its entry"));
        }
        let header_type = match self.version {
            TlsVersion::Tls13 => APPLICATION_DATA,
            TlsVersion::Tls12 => self.content_type,
        };
        let mut records = buffer.destination(self.segments.bytes);
        for _ in 0..self.segments.records {
            let Some((&[content_type, major, minor, high, low], rest)) =
                records.split_first_chunk::<RECORD_HEADER_BYTES>()
            else {
                break;
            };
            if [content_type, major, minor] != [header_type, 3, 3] {
                return Err(buffer.inconsistent("a sealed record has not the header of its kind"));
            }
            let length = usize::from(u16::from_be_bytes([high, low]));
            let Some(rest) = rest.get(length..) else { break };
            records = rest;
        }
        if records.is_empty() {
            return Ok(());
        }
        Err(buffer.inconsistent("the headers of sealed records are not those of their lengths"))
    }
}

/// What was asked of an OPEN or `OPEN_RUN`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Open {
    /// Where the records begin at the source.
    pub(crate) start: usize,
    /// Bytes of the records.
    pub(crate) length: usize,
    /// Bytes of a record without content.
    pub(crate) record_min: usize,
    pub(crate) version: TlsVersion,
    /// The type in the header of the first record.
    pub(crate) header_type: u8,
}

impl Open {
    /// The most content that there can be.
    pub(crate) fn room(&self) -> usize {
        self.length - self.record_min
    }

    /// Whether the first record may be of this content type: TLS 1.2 has it in the header, which stands in the clear, TLS
    /// 1.3 inside, where it is never 0.
    fn type_agrees(&self, content_type: u8) -> bool {
        match self.version {
            TlsVersion::Tls13 => content_type != 0,
            TlsVersion::Tls12 => content_type == self.header_type,
        }
    }

    /// Compares what the device says with what can come out of a record of this size.
    pub(crate) fn check_record(
        &self,
        buffer: &Buffer,
        outcome: &Outcome,
    ) -> Result<Opened, DeviceError> {
        let completion = outcome.completion;
        let length = completion.written as usize;
        // In TLS 1.2 nothing but content stands there.
        let agrees = length <= self.room().min(MAX_FRAGMENT_BYTES)
            && (length == self.room() || self.version == TlsVersion::Tls13)
            && completion.consumed as usize == self.length
            && completion.records == 1
            && self.type_agrees(completion.content_type);
        if agrees {
            return Ok(Opened { content_type: completion.content_type, length });
        }
        Err(buffer.inconsistent("the completion of an opened record is not that of its entry"))
    }

    /// Bytes of so many records, by their headers.
    fn bytes_of(&self, buffer: &Buffer, records: usize) -> Option<usize> {
        let source = buffer.source().get(self.start..)?;
        let mut bytes = 0_usize;
        for _ in 0..records {
            let &[.., high, low] = source.get(bytes..)?.first_chunk::<RECORD_HEADER_BYTES>()?;
            bytes += RECORD_HEADER_BYTES + usize::from(u16::from_be_bytes([high, low]));
        }
        Some(bytes)
    }

    /// Compares what the device says with what can come out of a run of this size.
    pub(crate) fn check_run(
        &self,
        buffer: &Buffer,
        outcome: &Outcome,
    ) -> Result<OpenedRun, DeviceError> {
        let completion = outcome.completion;
        let run = OpenedRun {
            content_type: completion.content_type,
            records: usize::from(completion.records),
            consumed: completion.consumed as usize,
            length: completion.written as usize,
        };
        let overhead = run.records * self.record_min;
        let agrees = run.records > 0
            && (run.records == 1 || run.content_type == APPLICATION_DATA)
            && self.type_agrees(run.content_type)
            && run.consumed <= self.length
            && run.consumed >= overhead
            && run.length <= run.consumed - overhead
            && run.length <= run.records * MAX_FRAGMENT_BYTES
            && self.bytes_of(buffer, run.records) == Some(run.consumed);
        if agrees {
            return Ok(run);
        }
        Err(buffer.inconsistent("the completion of an opened run is not that of its entry"))
    }
}
