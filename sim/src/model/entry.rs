// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Operations: the checks of an entry in the order of the contract, and what is done if all hold.

use std::mem;

use sealgate_abi::{
    ContextEntry, Direction, ENTRY_BYTES, MAX_FRAGMENT_BYTES, MAX_SEAL_BYTES, MIN_FRAGMENT_LIMIT,
    OPEN_RUN_SEQUENCE_MARGIN, Opcode, RECORD_HEADER_BYTES, RecordEntry, Segments, Status, Suite,
    TAG_BYTES, TlsVersion, seal_sequence_limit,
};
use zeroize::Zeroize;

use super::record::{APPLICATION_DATA, Content, Header, Keys, record_bytes};
use super::{Context, Model};

/// What a completion tells of an entry that succeeded.
#[derive(Clone, Copy, Default)]
pub(super) struct Done {
    pub(super) written: usize,
    pub(super) consumed: usize,
    pub(super) records: u16,
    pub(super) content_type: u8,
}

/// Where an entry stands after its first turn.
pub(super) enum Progress {
    Done(Done),
    Sealing(Sealing),
}

/// A SEAL whose records are made, one in each turn of its queue.
pub(super) struct Sealing {
    /// What is left of the entry.
    rest: RecordEntry,
    version: TlsVersion,
    suite: Suite,
    sq_head: u16,
    /// What the completion tells if all goes well.
    done: Done,
    /// The lowest code of the faults so far.
    fault: Option<Status>,
}

impl Model {
    /// Checks an entry, and does what it asks for except for the records of a SEAL.
    pub(super) fn execute(
        &mut self,
        queue: usize,
        sq_head: u16,
        entry: &[u8; ENTRY_BYTES],
    ) -> Result<Progress, Status> {
        const NOP: u8 = Opcode::Nop as u8;
        const CONTEXT_LOAD: u8 = Opcode::ContextLoad as u8;
        const CONTEXT_DROP: u8 = Opcode::ContextDrop as u8;
        const SEAL: u8 = Opcode::Seal as u8;
        const OPEN: u8 = Opcode::Open as u8;
        const OPEN_RUN: u8 = Opcode::OpenRun as u8;

        if !self.is_ready() {
            return Err(Status::NotReady);
        }
        let record = RecordEntry::from_bytes(*entry);
        let done = match entry[0] {
            NOP => Done::default(),
            CONTEXT_LOAD => self.context_load(queue, ContextEntry::from_bytes(*entry))?,
            CONTEXT_DROP => self.context_drop(queue, record)?,
            SEAL => return self.seal(queue, sq_head, record).map(Progress::Sealing),
            OPEN => self.open(queue, record)?,
            OPEN_RUN => self.open_run(queue, record)?,
            _ => return Err(Status::UnknownOpcode),
        };
        Ok(Progress::Done(done))
    }

    fn context_load(&mut self, owner: usize, mut entry: ContextEntry) -> Result<Done, Status> {
        let keys = Keys::of(&entry).filter(|_| entry.reserved == [0; 12]);
        entry.key.zeroize();
        let keys = keys.ok_or(Status::InvalidField)?;
        let context =
            self.contexts.get_mut(usize::from(entry.context)).ok_or(Status::ContextMissing)?;
        if context.is_some() {
            return Err(Status::ContextBusy);
        }
        *context = Some(Context { owner, keys });
        Ok(Done::default())
    }

    fn context_drop(&mut self, queue: usize, entry: RecordEntry) -> Result<Done, Status> {
        self.context(queue, entry.context)?;
        self.contexts[usize::from(entry.context)] = None;
        Ok(Done::default())
    }

    /// Checks a SEAL.
    fn seal(&mut self, queue: usize, sq_head: u16, entry: RecordEntry) -> Result<Sealing, Status> {
        if entry.content_type == 0
            || !padding_is_valid(entry.padding_multiple)
            || !fragment_limit_is_valid(entry.fragment_limit)
            || !reserved_is_zero(&entry)
        {
            return Err(Status::InvalidField);
        }
        let keys = self.keys(queue, entry.context, Direction::Seal)?;
        if keys.version == TlsVersion::Tls12 && entry.padding_multiple != 0 {
            return Err(Status::InvalidField);
        }
        let limit = seal_sequence_limit(keys.suite);
        if entry.sequence >= limit {
            return Err(Status::SequenceExhausted);
        }
        let length = entry.length as usize;
        if length > MAX_SEAL_BYTES {
            return Err(Status::BadLength);
        }
        let (fragment_limit, padding) = (entry.fragment_limit, entry.padding_multiple);
        let made = Segments::of(keys.version, keys.suite, length, fragment_limit, padding);
        if entry.sequence.checked_add(made.records as u64).is_none_or(|end| end > limit) {
            return Err(Status::SequenceExhausted);
        }
        if made.bytes > entry.capacity as usize {
            return Err(Status::BadLength);
        }
        let done = Done {
            written: made.bytes,
            consumed: length,
            records: made.records as u16,
            content_type: entry.content_type,
        };
        let (version, suite) = (keys.version, keys.suite);
        Ok(Sealing { rest: entry, version, suite, sq_head, done, fault: None })
    }

    /// Makes the next record of a SEAL, and completes the entry after its last.
    pub(super) fn seal_record(&mut self, number: usize, mut sealing: Sealing) {
        let rest = sealing.rest;
        let fragment = sealing.next_fragment();
        if let Err(status) = self.seal_fragment(number, &rest, fragment) {
            let lowest =
                |before: Status| if (status as u8) < before as u8 { status } else { before };
            sealing.fault = Some(sealing.fault.map_or(status, lowest));
        }
        let written =
            Segments::of(sealing.version, sealing.suite, fragment, 0, rest.padding_multiple).bytes;
        sealing.rest = RecordEntry {
            source: rest.source.wrapping_add(fragment as u64),
            destination: rest.destination.wrapping_add(written as u64),
            sequence: rest.sequence.wrapping_add(1),
            length: rest.length - fragment as u32,
            ..rest
        };
        if sealing.rest.length > 0 {
            self.sealing[number] = Some(sealing);
            return;
        }
        let result = sealing.fault.map_or(Ok(sealing.done), Err);
        if result.is_ok() {
            self.counters.sealed_records += u64::from(sealing.done.records);
            self.counters.sealed_bytes += sealing.done.consumed as u64;
        }
        self.complete(number, rest.cookie, sealing.sq_head, result);
    }

    /// Makes the record of the first `length` bytes of an entry.
    fn seal_fragment(
        &mut self,
        queue: usize,
        entry: &RecordEntry,
        length: usize,
    ) -> Result<(), Status> {
        let start = self.keys(queue, entry.context, Direction::Seal)?.text_start();
        self.read_source(start, entry.source, length)?;
        let mut record = mem::take(&mut self.staging);
        let keys = self.keys(queue, entry.context, Direction::Seal)?;
        keys.seal(&mut record, entry.content_type, entry.padding_multiple, entry.sequence);
        self.count_text(record.len() - start - TAG_BYTES);
        self.staging = record;
        self.write_destination(entry.destination, 0, self.staging.len())
    }

    fn open(&mut self, queue: usize, entry: RecordEntry) -> Result<Done, Status> {
        let keys = self.check_open_fields(queue, &entry)?;
        if entry.sequence == u64::MAX {
            return Err(Status::SequenceExhausted);
        }
        let (length, limits) = (entry.length as usize, keys.record_bytes());
        if !limits.contains(&length) || length - limits.start() > entry.capacity as usize {
            return Err(Status::BadLength);
        }
        self.read_source(0, entry.source, length)?;
        let content = self
            .open_staged(queue, entry.context, entry.sequence)
            .inspect_err(|_| self.counters.rejected_records += 1)?;
        self.write_destination(entry.destination, content.start, content.length)?;
        let content_type = content.content_type;
        let done = Done { written: content.length, consumed: length, records: 1, content_type };
        self.count_opened(&done);
        Ok(done)
    }

    /// Opens the records of a run, up to the first that does not belong to it.
    fn open_run(&mut self, queue: usize, entry: RecordEntry) -> Result<Done, Status> {
        let keys = self.check_open_fields(queue, &entry)?;
        if entry.sequence >= u64::MAX - (OPEN_RUN_SEQUENCE_MARGIN - 1) {
            return Err(Status::SequenceExhausted);
        }
        let (length, min) = (entry.length as usize, *keys.record_bytes().start());
        if length < min || length > MAX_SEAL_BYTES || length - min > entry.capacity as usize {
            return Err(Status::BadLength);
        }
        let mut done = Done::default();
        while done.consumed < length {
            let (content, total) = match self.open_next(queue, &entry, done) {
                Ok((content, _))
                    if done.records > 0 && content.content_type != APPLICATION_DATA =>
                {
                    break;
                }
                Ok(next) => next,
                Err(_) if done.records > 0 => break,
                Err(status) => {
                    self.counters.rejected_records += u64::from(status.is_verdict());
                    return Err(status);
                }
            };
            let destination = entry.destination.wrapping_add(done.written as u64);
            self.write_destination(destination, content.start, content.length)?;
            if done.records == 0 {
                done.content_type = content.content_type;
            }
            done.written += content.length;
            done.consumed += total;
            done.records += 1;
            if done.content_type != APPLICATION_DATA {
                break;
            }
        }
        self.count_opened(&done);
        Ok(done)
    }

    /// Reads and opens the record of a run that follows on what is `done`; returns its bytes, header included, too.
    fn open_next(
        &mut self,
        queue: usize,
        entry: &RecordEntry,
        done: Done,
    ) -> Result<(Content, usize), Status> {
        let source = entry.source.wrapping_add(done.consumed as u64);
        let rest = entry.length as usize - done.consumed;
        if rest < RECORD_HEADER_BYTES {
            return Err(Status::BadHeader);
        }
        self.read_source(0, source, RECORD_HEADER_BYTES)?;
        let header = Header::try_from(self.staging.as_slice()).map_err(|_| Status::BadHeader)?;
        let total = record_bytes(header);
        let keys = self.keys(queue, entry.context, Direction::Open)?;
        if !keys.begins(header, total) || !keys.record_bytes().contains(&total) || total > rest {
            return Err(Status::BadHeader);
        }
        self.read_source(0, source, total)?;
        let sequence = entry.sequence.wrapping_add(u64::from(done.records));
        Ok((self.open_staged(queue, entry.context, sequence)?, total))
    }

    /// Opens the record in the staging buffer.
    fn open_staged(&mut self, queue: usize, number: u16, sequence: u64) -> Result<Content, Status> {
        let mut record = mem::take(&mut self.staging);
        let keys = self.keys(queue, number, Direction::Open)?;
        let opened = keys.open(&mut record, sequence);
        let text = record.len() - keys.text_start() - TAG_BYTES;
        self.count_text(text);
        self.staging = record;
        opened
    }

    /// The checks that OPEN and `OPEN_RUN` have in common.
    fn check_open_fields(&self, queue: usize, entry: &RecordEntry) -> Result<&Keys, Status> {
        if entry.content_type != 0
            || entry.padding_multiple != 0
            || entry.fragment_limit != 0
            || !reserved_is_zero(entry)
        {
            return Err(Status::InvalidField);
        }
        self.keys(queue, entry.context, Direction::Open)
    }

    fn count_opened(&mut self, done: &Done) {
        self.counters.opened_records += u64::from(done.records);
        self.counters.opened_bytes += done.written as u64;
    }

    /// The context of this number, if `queue` may use it.
    fn context(&self, queue: usize, number: u16) -> Result<&Context, Status> {
        let context = self.contexts.get(usize::from(number)).and_then(Option::as_ref);
        let context = context.ok_or(Status::ContextMissing)?;
        if context.owner != queue {
            return Err(Status::ContextForeign);
        }
        Ok(context)
    }

    /// The keys of a context that works in `direction`.
    fn keys(&self, queue: usize, number: u16, direction: Direction) -> Result<&Keys, Status> {
        let context = self.context(queue, number)?;
        if context.keys.direction != direction {
            return Err(Status::ContextDirection);
        }
        Ok(&context.keys)
    }
}

impl Sealing {
    /// Bytes of the content of the next record.
    fn next_fragment(&self) -> usize {
        let limit = match self.rest.fragment_limit {
            0 => MAX_FRAGMENT_BYTES,
            limit => usize::from(limit),
        };
        limit.min(self.rest.length as usize)
    }
}

fn reserved_is_zero(entry: &RecordEntry) -> bool {
    entry.reserved.iter().all(|&byte| byte == 0)
}

fn padding_is_valid(multiple: u16) -> bool {
    multiple == 0 || (multiple.is_power_of_two() && usize::from(multiple) <= MAX_FRAGMENT_BYTES)
}

fn fragment_limit_is_valid(limit: u16) -> bool {
    limit == 0 || (limit >= MIN_FRAGMENT_LIMIT && usize::from(limit) <= MAX_FRAGMENT_BYTES)
}
