// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One queue as many sessions use it at once: who waits for what, and which context and slot are whose.
//!
//! The lock of a queue is held for a batch or a look at the ring, never while waiting and never while copying. Of the
//! threads that wait at one queue a single one sleeps until its interrupt; it takes the completions of all and wakes the
//! others.

use std::hint;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sealgate_abi::{Completion, Direction, RecordEntry, Status};

use crate::contexts::{ContextTable, Preparation};
use crate::core::Core;
use crate::error::{DeviceError, Failure, OpenError};
use crate::monitor::Generation;
use crate::queue::{Queue, Submission};
use crate::session::Owner;
use crate::settings::deadline_in;
use crate::slots::{Slot, SlotPool};

/// The longest sleep before a waiting thread looks again whether the device is still there.
const SLEEP_MAX: Duration = Duration::from_millis(10);

/// Entries that one operation may need: the drop of another session's context, a load and the record.
const OPERATION_ENTRIES: usize = 3;

/// A queue and the way to share it.
#[derive(Debug)]
pub(crate) struct SharedQueue {
    core: Arc<Core>,
    index: usize,
    /// `None` while the device is being recovered.
    state: Mutex<Option<Running>>,
    /// Completions were taken, a slot came back, or the thread that slept until the interrupt is awake.
    progress: Condvar,
}

/// A queue that is set up, from one reset of the device to the next.
#[derive(Debug)]
pub(crate) struct Running {
    generation: Generation,
    /// Disabled when dropped; hence before the slots, whose memory goes with them.
    queue: Queue<Tag>,
    slots: SlotPool,
    /// By slot: the completion of its record, until the waiting thread takes it.
    results: Vec<Option<Outcome>>,
    contexts: ContextTable,
    /// Completions taken so far.
    reaped: u64,
    /// Whether a thread sleeps until the queue's interrupt.
    sleeper: bool,
}

/// How a record's entry ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub(crate) status: Status,
    pub(crate) completion: Completion,
}

/// What an entry in flight is.
#[derive(Clone, Copy, Debug)]
enum Tag {
    /// A load or drop. Nobody waits for it, and it must succeed.
    Context,
    /// A record in this slot.
    Record(u16),
}

impl Running {
    /// Sets a queue up. The device must have been reset.
    pub(crate) fn set_up(
        core: &Core,
        generation: Generation,
        index: usize,
        entries_log2: u8,
        contexts: Range<u16>,
    ) -> Result<Self, OpenError> {
        let slots_max = 1_u16 << (entries_log2 - 2);
        let slots = core.settings.slots_per_queue.clamp(1, slots_max);
        Ok(Self {
            generation,
            slots: SlotPool::allocate(&core.transport, slots, core.settings.slot_content_bytes)?,
            queue: Queue::open(&core.transport, index, entries_log2)?,
            results: vec![None; usize::from(slots)],
            contexts: ContextTable::new(contexts),
            reaped: 0,
            sleeper: false,
        })
    }

    /// Takes all completions. Returns how many there were.
    fn reap(&mut self, core: &Core) -> Result<usize, DeviceError> {
        let mut refused = None;
        let results = &mut self.results;
        let reaped = self.queue.reap(|tag, status, completion| {
            if status != Status::Success {
                core.counters.refuse(status);
            }
            match tag {
                Tag::Record(slot) => {
                    if let Some(result) = results.get_mut(usize::from(slot)) {
                        *result = Some(Outcome { status, completion });
                    }
                }
                Tag::Context if status == Status::Success => {}
                Tag::Context => refused = Some(status),
            }
        });
        if let Err(DeviceError::Refused(status)) = reaped {
            core.counters.refuse(status);
        }
        let reaped = reaped?;
        self.reaped += reaped as u64;
        core.counters.completed.add(reaped as u64);
        match refused {
            Some(status) => Err(DeviceError::Refused(status)),
            None => Ok(reaped),
        }
    }

    /// Submits a batch and counts it.
    fn submit(&mut self, core: &Core, batch: Vec<Submission<Tag>>) -> Result<(), DeviceError> {
        let entries = self.queue.submit(batch)?;
        core.counters.submitted.add(entries as u64);
        core.counters.doorbells.increment();
        Ok(())
    }

    /// Drops the contexts of sessions that are gone, as far as there is room.
    fn drop_abandoned(&mut self, core: &Core) -> Result<(), DeviceError> {
        let mut batch = Vec::new();
        while self.queue.has_room(batch.len() + 1)
            && let Some(context) = self.contexts.next_abandoned()
        {
            batch.push(drop_entry(context));
            self.contexts.dropped();
        }
        if batch.is_empty() { Ok(()) } else { self.submit(core, batch) }
    }
}

fn drop_entry(context: u16) -> Submission<Tag> {
    Submission::record(&RecordEntry::context_drop(0, context), Tag::Context)
}

impl SharedQueue {
    pub(crate) fn new(core: Arc<Core>, index: usize) -> Self {
        Self { core, index, state: Mutex::new(None), progress: Condvar::new() }
    }

    /// Puts a queue that was set up in the place of the one before, which is handed back.
    pub(crate) fn replace(&self, running: Option<Running>) -> Option<Running> {
        let before = std::mem::replace(&mut *self.lock(), running);
        self.progress.notify_all();
        before
    }

    /// Waits for a slot.
    pub(crate) fn take_slot(&self) -> Result<SlotGuard<'_>, DeviceError> {
        let (slot, generation) = self.wait_for_room(None, |running| {
            let slot = running.slots.take()?;
            running.results[usize::from(slot.index())] = None;
            Some((slot, running.generation))
        })?;
        Ok(SlotGuard { queue: self, generation, slot, with_device: false })
    }

    /// Does one operation on the record in `guard`: submits it, with a load of the session's keys if need be, and waits.
    ///
    /// The outcome is success, or a refusal that is no fault of the device.
    pub(crate) fn execute(
        &self,
        guard: &mut SlotGuard<'_>,
        owner: &mut Owner,
        entry: RecordEntry,
    ) -> Result<Outcome, DeviceError> {
        self.submit(guard, owner, entry)?;
        let timeout = self.core.completion_timeout();
        let slot = usize::from(guard.slot.index());
        let found = self.wait_until(Some(guard.generation), deadline_in(timeout), |running| {
            let outcome = running.results.get_mut(slot)?.take()?;
            if let Some(context) = owner.context {
                running.contexts.idle(owner.session, context);
            }
            Some(outcome)
        })?;
        let Some(outcome) = found else {
            return Err(self.time_out(guard.generation, timeout));
        };
        guard.with_device = false;
        if must_not_be_refused_with(outcome.status, owner.direction) {
            return Err(self.core.fail(guard.generation, DeviceError::Refused(outcome.status)));
        }
        Ok(outcome)
    }

    /// A session is gone: its context is dropped now, or with the next batch if there is no room. Never waits for the
    /// device.
    pub(crate) fn abandon(&self, owner: &Owner) {
        let Some(context) = owner.context else { return };
        let mut state = self.lock();
        if self.core.monitor.check().is_err() {
            return;
        }
        let Some(running) = state.as_mut() else { return };
        running.contexts.abandon(owner.session, context);
        let done = running.reap(&self.core).and_then(|_| running.drop_abandoned(&self.core));
        if let Err(error) = done {
            self.core.fail(running.generation, error);
        }
        self.progress.notify_all();
    }

    fn submit(
        &self,
        guard: &mut SlotGuard<'_>,
        owner: &mut Owner,
        entry: RecordEntry,
    ) -> Result<(), DeviceError> {
        let slot = guard.slot.index();
        let generation = Some(guard.generation);
        let with_device = &mut guard.with_device;
        self.wait_for_room(generation, |running| {
            let Some(batch) = operation(&self.core, running, owner, entry, slot) else {
                self.core.counters.no_context.increment();
                return Some(Err(DeviceError::NoContext));
            };
            *with_device = true;
            Some(running.submit(&self.core, batch))
        })?
    }

    /// Waits until there is room for the entries of one operation and `ready` finds what the caller needs besides.
    fn wait_for_room<T>(
        &self,
        generation: Option<Generation>,
        mut ready: impl FnMut(&mut Running) -> Option<T>,
    ) -> Result<T, DeviceError> {
        let timeout = self.core.completion_timeout();
        let mut first = None;
        let mut hung = None;
        let found = self.wait_until(generation, deadline_in(timeout), |running| {
            let now = (running.generation, running.reaped);
            let (first, in_flight) = *first.get_or_insert((now, running.queue.in_flight()));
            hung = (first == now && in_flight > 0).then_some(running.generation);
            let room = running.queue.has_room(OPERATION_ENTRIES);
            room.then(|| ready(running)).flatten()
        })?;
        match (found, hung) {
            (Some(found), _) => Ok(found),
            // Entries were in flight all the time and none completed, perhaps drops, for which nobody waits.
            (None, Some(generation)) => Err(self.time_out(generation, timeout)),
            (None, None) => {
                self.core.counters.busy.increment();
                Err(DeviceError::Busy { waited_ms: timeout.as_millis() })
            }
        }
    }

    fn time_out(&self, generation: Generation, waited: Duration) -> DeviceError {
        let error = DeviceError::Timeout { queue: self.index, waited_ms: waited.as_millis() };
        self.core.fail(generation, error)
    }

    /// Takes completions until `ready` finds what the caller waits for: polls for a while, then sleeps. `None`: it did
    /// not by `deadline`.
    fn wait_until<T>(
        &self,
        generation: Option<Generation>,
        deadline: Instant,
        mut ready: impl FnMut(&mut Running) -> Option<T>,
    ) -> Result<Option<T>, DeviceError> {
        let spin_until = deadline.min(deadline_in(self.core.settings.spin));
        while Instant::now() < spin_until {
            // Whoever holds the lock takes this thread's completion, too.
            if let Ok(mut state) = self.state.try_lock()
                && let Some(found) = ready(self.advance(&mut state, generation)?)
            {
                return Ok(Some(found));
            }
            hint::spin_loop();
        }
        let mut state = self.lock();
        loop {
            let running = self.advance(&mut state, generation)?;
            if let Some(found) = ready(running) {
                return Ok(Some(found));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            state = self.sleep(state, left.min(SLEEP_MAX))?;
        }
    }

    /// Takes all completions and wakes whom they concern.
    fn advance<'a>(
        &self,
        state: &'a mut Option<Running>,
        generation: Option<Generation>,
    ) -> Result<&'a mut Running, DeviceError> {
        self.core.monitor.check()?;
        let reset = DeviceError::Failed(Failure::Reset);
        let running = match state {
            Some(running) if generation.is_none_or(|mine| mine == running.generation) => running,
            _ => return Err(reset),
        };
        let reaped = running.reap(&self.core);
        match reaped.and_then(|reaped| running.drop_abandoned(&self.core).map(|()| reaped)) {
            Ok(0) => self.core.counters.idle_polls.increment(),
            Ok(_) => self.progress.notify_all(),
            Err(error) => return Err(self.core.fail(running.generation, error)),
        }
        Ok(running)
    }

    /// Sleeps until there may be progress, at most `longest`: on the interrupt, or behind the thread that does already.
    fn sleep<'a>(
        &'a self,
        mut state: MutexGuard<'a, Option<Running>>,
        longest: Duration,
    ) -> Result<MutexGuard<'a, Option<Running>>, DeviceError> {
        let Some(running) = state.as_mut() else { return Ok(state) };
        if running.sleeper || running.queue.in_flight() == 0 {
            let (state, _) =
                self.progress.wait_timeout(state, longest).unwrap_or_else(PoisonError::into_inner);
            return Ok(state);
        }
        // Clear, look, sleep: what completes after the look sends a message.
        running.queue.arm_interrupt();
        let generation = running.generation;
        match running.reap(&self.core) {
            Ok(0) => {}
            Ok(_) => {
                self.progress.notify_all();
                return Ok(state);
            }
            Err(error) => return Err(self.core.fail(generation, error)),
        }
        running.sleeper = true;
        drop(state);
        let woken = self.core.transport.wait_for_interrupt(self.index, longest);
        self.core.counters.sleeps.increment();
        let mut state = self.lock();
        if let Some(running) = state.as_mut().filter(|running| running.generation == generation) {
            running.sleeper = false;
        }
        self.progress.notify_all();
        match woken {
            Ok(true) => {}
            Ok(false) => self.core.probe(generation)?,
            Err(error) => return Err(self.core.fail(generation, error.into())),
        }
        Ok(state)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        // No code that holds the lock can panic half way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The batch of one operation. `None`: no context is free.
fn operation(
    core: &Core,
    running: &mut Running,
    owner: &mut Owner,
    mut entry: RecordEntry,
    slot: u16,
) -> Option<Vec<Submission<Tag>>> {
    let claim = running.contexts.claim(owner.session, owner.context)?;
    owner.context = Some(claim.context);
    entry.context = claim.context;
    let mut batch = Vec::with_capacity(OPERATION_ENTRIES);
    match claim.preparation {
        Preparation::None | Preparation::Load => {}
        Preparation::Replace => batch.push(drop_entry(claim.context)),
        Preparation::Evict => {
            core.counters.evictions.increment();
            batch.push(drop_entry(claim.context));
        }
    }
    if claim.preparation != Preparation::None {
        core.counters.context_loads.increment();
        let load = owner.key.load_entry(claim.context, owner.direction);
        batch.push(Submission::load(load, Tag::Context));
    }
    batch.push(Submission::record(&entry, Tag::Record(slot)));
    Some(batch)
}

/// The driver submits only what the device must accept. What is left is what a peer can bring about with a record, and
/// the end of a key's life; anything else means that host and device no longer agree on the device's state.
fn must_not_be_refused_with(status: Status, direction: Direction) -> bool {
    match status {
        Status::Success | Status::SequenceExhausted => false,
        verdict if verdict.is_verdict() => direction == Direction::Seal,
        _ => true,
    }
}

/// A slot on loan. Wiped and given back when dropped, unless the device may still use it: then it stays out of service
/// until the device has been reset, which replaces and wipes all slots.
pub(crate) struct SlotGuard<'a> {
    queue: &'a SharedQueue,
    generation: Generation,
    pub(crate) slot: Slot,
    with_device: bool,
}

impl SlotGuard<'_> {
    /// Marks the device as failed because of what it has written.
    pub(crate) fn inconsistent(&self, what: &'static str) -> DeviceError {
        self.queue.core.fail(self.generation, DeviceError::Inconsistent { what })
    }
}

impl Drop for SlotGuard<'_> {
    fn drop(&mut self) {
        if self.with_device {
            return;
        }
        self.slot.wipe();
        let mut state = self.queue.lock();
        if let Some(running) = state.as_mut().filter(|run| run.generation == self.generation) {
            running.slots.put(self.slot.index());
        }
        drop(state);
        self.queue.progress.notify_all();
    }
}
