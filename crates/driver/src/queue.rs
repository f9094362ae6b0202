// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One queue pair of a device: rings, doorbells and the table of entries in flight.

use std::ops::Range;
use std::sync::Arc;

use bytemuck::NoUninit;
use sealgate_abi::regs::{
    CqHead, IrqStatus, QueueControl, QueuePage, Register, RingSize, Sealgate, SqTail,
};
use sealgate_abi::{Completion, ContextEntry, ENTRY_BYTES, RecordEntry, Status, SubmissionEntry};
use zeroize::Zeroize;

use crate::dma::Mapping;
use crate::error::{DeviceError, OpenError};
use crate::memory::DmaMemory;
use crate::ring::{CompletionRing, RING_LOG2_MAX, RingError, SubmissionRing};
use crate::transport::{DmaAccess, Transport};

/// Bytes of an entry, of either kind, that hold the cookie.
const COOKIE: Range<usize> = 4..6;

/// An entry to submit and what to remember of it while it is in flight. The queue sets its cookie.
pub struct Submission<T> {
    entry: Entry,
    tag: T,
}

impl<T> Submission<T> {
    /// A NOP, `CTX_DROP`, SEAL or OPEN.
    pub fn record(entry: &RecordEntry, tag: T) -> Self {
        Self { entry: Entry::new(entry), tag }
    }

    /// A `CTX_LOAD`. Key and IV in `entry` are wiped.
    pub fn load(mut entry: ContextEntry, tag: T) -> Self {
        let submission = Self { entry: Entry::new(&entry), tag };
        entry.key.zeroize();
        entry.iv.zeroize();
        submission
    }
}

/// The bytes of an entry, wiped when dropped, as they may hold a key. Boxed: a move leaves no copy behind.
struct Entry(Box<SubmissionEntry>);

impl Entry {
    fn new(entry: &impl NoUninit) -> Self {
        let mut bytes = Box::new([0; ENTRY_BYTES]);
        bytes.copy_from_slice(bytemuck::bytes_of(entry));
        Self(bytes)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
    }
}

/// An enabled queue pair. `T` is what the owner remembers of an entry in flight.
///
/// The device must be up; dropping the queue disables it and takes its memory back.
#[derive(Debug)]
pub struct Queue<T> {
    transport: Arc<dyn Transport>,
    index: usize,
    submissions: SubmissionRing<Arc<DmaMemory>>,
    completions: CompletionRing<Arc<DmaMemory>>,
    in_flight: InFlight<T>,
    /// Entries written since the last doorbell.
    staged: usize,
    /// Dropped after `drop` has disabled the queue.
    _rings: [Mapping; 2],
}

impl<T> Queue<T> {
    /// Sets queue `index` up with rings of 2^`entries_log2` entries each, and enables it.
    pub fn open(
        transport: &Arc<dyn Transport>,
        index: usize,
        entries_log2: u8,
    ) -> Result<Self, OpenError> {
        let address = || transport.address().to_owned();
        let page = Sealgate::new(&**transport).queue(index).ok_or_else(|| OpenError::Unusable {
            address: address(),
            what: "it has no page for one of its queues",
        })?;
        let ring_error = |source| OpenError::Ring { address: address(), source };
        let bytes = |entry_bytes: usize| entry_bytes << entries_log2.min(RING_LOG2_MAX);

        let sq = Mapping::allocate(transport, bytes(ENTRY_BYTES), DmaAccess::Read)?;
        let cq = Mapping::allocate(transport, bytes(Completion::BYTES), DmaAccess::ReadWrite)?;
        let submissions =
            SubmissionRing::new(Arc::clone(sq.memory()), entries_log2).map_err(ring_error)?;
        let completions =
            CompletionRing::new(Arc::clone(cq.memory()), entries_log2).map_err(ring_error)?;

        page.queue_control().write(QueueControl::default());
        page.write_sq_base_u64(sq.iova().0);
        page.write_cq_base_u64(cq.iova().0);
        let size = RingSize::default().with_sq_log2(entries_log2).with_cq_log2(entries_log2);
        page.ring_size().write(size);
        page.sq_tail().write(SqTail::default());
        page.cq_head().write(CqHead::default());
        page.queue_control().write(QueueControl::default().with_enable(true));
        Ok(Self {
            transport: Arc::clone(transport),
            index,
            submissions,
            completions,
            in_flight: InFlight::new(entries_log2),
            staged: 0,
            _rings: [sq, cq],
        })
    }

    /// Which queue of the device this is.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Whether a batch of `entries` can be submitted now.
    pub fn has_room(&self, entries: usize) -> bool {
        entries <= usize::from(self.submissions.room())
            && self.in_flight.has_room(self.submissions.tail(), entries)
    }

    /// Entries that have not completed yet.
    pub fn in_flight(&self) -> usize {
        self.in_flight.count
    }

    /// Submits a batch with one doorbell: all of it or, without room, none. Returns how many entries it had.
    pub fn submit(
        &mut self,
        batch: impl IntoIterator<Item = Submission<T>, IntoIter: ExactSizeIterator>,
    ) -> Result<usize, RingError> {
        let batch = batch.into_iter();
        let entries = batch.len();
        if !self.has_room(entries) {
            return Err(RingError::Full);
        }
        for mut submission in batch.take(entries) {
            self.stage_secret(&mut submission.entry.0, submission.tag)?;
        }
        self.ring();
        Ok(entries)
    }

    /// Writes one entry into the ring, with a cookie of the queue's. The device learns of it with [`Self::ring`].
    pub fn stage(&mut self, entry: &mut SubmissionEntry, tag: T) -> Result<(), RingError> {
        self.stage_with(entry, tag, SubmissionRing::write)
    }

    /// The same for an entry with a key, whose place is wiped when the device has taken it.
    pub fn stage_secret(&mut self, entry: &mut SubmissionEntry, tag: T) -> Result<(), RingError> {
        self.stage_with(entry, tag, SubmissionRing::write_secret)
    }

    fn stage_with(
        &mut self,
        entry: &mut SubmissionEntry,
        tag: T,
        write: fn(&mut SubmissionRing<Arc<DmaMemory>>, &SubmissionEntry) -> Result<(), RingError>,
    ) -> Result<(), RingError> {
        let cookie = self.submissions.tail();
        if !self.in_flight.has_room(cookie, 1) {
            return Err(RingError::Full);
        }
        entry[COOKIE].copy_from_slice(&cookie.to_le_bytes());
        write(&mut self.submissions, entry)?;
        self.in_flight.insert(cookie, tag);
        self.staged += 1;
        Ok(())
    }

    /// Entries that the device has not been told of.
    pub fn staged(&self) -> usize {
        self.staged
    }

    /// Rings the doorbell for all entries that were staged.
    pub fn ring(&mut self) {
        if self.staged == 0 {
            return;
        }
        self.staged = 0;
        if let Some(page) = page(&*self.transport, self.index) {
            self.submissions.publish(|tail| {
                page.sq_tail().write(SqTail::default().with_index(tail));
            });
        }
    }

    /// Takes every completion that the device has written, and hands each to `done` with what was remembered of its
    /// entry. Returns how many there were: at most one ring full.
    ///
    /// On an error the queue is of no use any more: the device must be reset.
    pub fn reap(
        &mut self,
        mut done: impl FnMut(T, Status, Completion),
    ) -> Result<usize, DeviceError> {
        let mut reaped = 0;
        while let Some(completion) = self.completions.take()? {
            let (tag, status) = self.check(&completion)?;
            done(tag, status, completion);
            reaped += 1;
            if reaped == self.in_flight.tags.len() {
                break;
            }
        }
        if let Some(page) = page(&*self.transport, self.index) {
            self.completions.give_back(|head| {
                page.cq_head().write(CqHead::default().with_index(head));
            });
        }
        Ok(reaped)
    }

    /// Clears the queue's interrupt bit. What completes from now on sends an interrupt message; what completed before
    /// may not: look at the ring once more before sleeping.
    pub fn arm_interrupt(&self) {
        let status = Sealgate::new(&*self.transport).device().irq_status();
        status.write(IrqStatus::from_bits(1 << self.index));
        // Writes are posted: only after a read has the device seen this one.
        let _ = status.read();
    }

    /// Lets the device fetch no further entry.
    pub fn disable(&self) {
        if let Some(page) = page(&*self.transport, self.index) {
            page.queue_control().write(QueueControl::default());
        }
    }

    /// Bounds what the device has written about one entry, and finds that entry.
    fn check(&mut self, completion: &Completion) -> Result<(T, Status), DeviceError> {
        let status = completion.status()?;
        if status == Status::EntryFault {
            // The device could not read the ring: it does not know which entry this was, and no other will fare better.
            return Err(DeviceError::Refused(status));
        }
        let behind = completion.sq_head.wrapping_sub(completion.cookie.wrapping_add(1));
        if usize::from(behind) >= self.in_flight.tags.len() {
            return Err(DeviceError::Inconsistent {
                what: "it completed a submission entry that it has not taken",
            });
        }
        self.submissions.release(completion.sq_head)?;
        let tag = self.in_flight.remove(completion.cookie).ok_or(DeviceError::Inconsistent {
            what: "it completed a submission entry that was not in flight",
        })?;
        Ok((tag, status))
    }
}

impl<T> Drop for Queue<T> {
    fn drop(&mut self) {
        self.disable();
    }
}

fn page(transport: &dyn Transport, index: usize) -> Option<QueuePage<'_, dyn Transport + '_>> {
    Sealgate::new(transport).queue(index)
}

/// Entries in flight by cookie. The cookie is the free-running index of the entry, so that it tells an entry from the one
/// that stood in its place a pass before.
#[derive(Debug)]
struct InFlight<T> {
    tags: Vec<Option<(u16, T)>>,
    count: usize,
}

impl<T> InFlight<T> {
    fn new(entries_log2: u8) -> Self {
        Self { tags: (0..1 << entries_log2).map(|_| None).collect(), count: 0 }
    }

    /// Whether the next `entries` cookies from `first` on can be given out.
    fn has_room(&self, first: u16, entries: usize) -> bool {
        (0..entries).all(|ahead| self.tags[self.place(first.wrapping_add(ahead as u16))].is_none())
    }

    fn insert(&mut self, cookie: u16, tag: T) {
        let place = self.place(cookie);
        self.tags[place] = Some((cookie, tag));
        self.count += 1;
    }

    fn remove(&mut self, cookie: u16) -> Option<T> {
        let place = self.place(cookie);
        let (_, tag) = self.tags[place].take_if(|(holder, _)| *holder == cookie)?;
        self.count -= 1;
        Some(tag)
    }

    fn place(&self, cookie: u16) -> usize {
        // Their number is a power of two, and this is cheaper than to divide.
        usize::from(cookie) & (self.tags.len() - 1)
    }
}
