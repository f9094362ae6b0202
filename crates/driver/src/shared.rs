// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One queue as many sessions use it at once: who waits for what, and which context and slot are whose.
//!
//! Threads wait in [`SharedQueue::execute`], tasks in [`SharedQueue::poll`]. The lock of a queue is held for a batch or a
//! look at the ring, never while waiting, copying or waking. Whoever looks takes the completions of all. Of the threads
//! that wait at one queue a single one sleeps until its interrupt and wakes the others. For tasks the queue's
//! [reaper](crate::reaper) waits, in the same ways as a thread.

mod tasks;

use std::hint;
use std::mem;
use std::ops::Range;
use std::ptr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use sealgate_abi::{Completion, Direction, RecordEntry, Status};
use tokio::sync::Notify;
use zeroize::Zeroize;

use crate::buffer::Buffer;
use crate::contexts::{ContextTable, Preparation, SessionId};
use crate::core::Core;
use crate::error::{DeviceError, Failure, OpenError};
use crate::monitor::Generation;
use crate::queue::Queue;
use crate::session::Owner;
use crate::settings::deadline_in;
use crate::slots::{Plaintext, Slot, SlotPool};
use crate::transport::TransportError;

/// The longest sleep before a waiting thread looks again whether the device is still there.
pub(crate) const SLEEP_MAX: Duration = Duration::from_millis(10);

/// Entries that one operation may need: the drop of another session's context, a load and the record.
const OPERATION_ENTRIES: usize = 3;

/// While the device has at least so many entries, others wait for a doorbell that they share: it has work, and its next
/// completion brings somebody who rings. Enough that four lanes do not run dry meanwhile.
const BUSY_ENTRIES: usize = 8;

/// Entries that are not kept waiting for more, however busy the device is.
const BATCH_ENTRIES: usize = 32;

/// A queue and the way to share it.
#[derive(Debug)]
pub(crate) struct SharedQueue {
    core: Arc<Core>,
    index: usize,
    state: Mutex<State>,
    /// Completions were taken, a slot came back, or whoever slept until the interrupt is awake.
    progress: Condvar,
    /// The same for the reaper, which also rests until there is work. A call that comes early is kept for it.
    call: Notify,
}

/// What the lock of a queue guards.
#[derive(Debug, Default)]
struct State {
    /// `None` while the device is being recovered.
    running: Option<Running>,
    /// Counts what threads wait for: completions taken, slots given back, a sleeper awake.
    progress: u64,
    /// Threads that wait for progress, and the reaper if it does.
    waiters: usize,
    /// Tasks to wake when the lock is given back.
    woken: Vec<Waker>,
    /// Whether the reaper waits until there is work.
    reaper_rests: bool,
    /// Whether the reaper waits for progress.
    reaper_waits: bool,
    /// Whether the device is being closed.
    closing: bool,
}

/// A queue that is set up, from one reset of the device to the next.
#[derive(Debug)]
pub(crate) struct Running {
    generation: Generation,
    /// Disabled when dropped; hence before the slots, whose memory goes with them.
    queue: Queue<Tag>,
    slots: SlotPool,
    /// By slot: who has it.
    holders: Vec<Holder>,
    contexts: ContextTable,
    /// Completions taken so far.
    reaped: u64,
    /// Whether a thread or the reaper sleeps until the queue's interrupt.
    sleeper: bool,
    /// Operations with the device that a task waits for, or nobody any more.
    awaited: usize,
}

/// Who has a slot.
#[derive(Debug)]
enum Holder {
    /// The pool, or a [`Buffer`].
    Host,
    /// The device; if a task waits, its waker.
    Device { awaited: bool, waker: Option<Waker> },
    /// The device, and nobody waits any more.
    Abandoned(Plaintext),
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
    /// A record in this slot, under the keys of this session in this context.
    Record { slot: u16, context: u16, session: SessionId },
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
            holders: (0..slots).map(|_| Holder::Host).collect(),
            contexts: ContextTable::new(contexts),
            reaped: 0,
            sleeper: false,
            awaited: 0,
        })
    }

    /// Takes all completions, and rings for entries that waited for one. Returns how many there were.
    fn reap(&mut self, core: &Core, woken: &mut Vec<Waker>) -> Result<usize, DeviceError> {
        let mut refused = None;
        let Self { queue, slots, holders, contexts, awaited, .. } = self;
        let reaped = queue.reap(|tag, status, completion| {
            if status != Status::Success {
                core.counters.refuse(status);
            }
            match tag {
                Tag::Record { slot, context, session } => {
                    contexts.finish(session, context);
                    let Some(holder) = holders.get_mut(usize::from(slot)) else { return };
                    match mem::replace(holder, Holder::Host) {
                        Holder::Device { awaited: by_task, waker } => {
                            *awaited -= usize::from(by_task);
                            if let Some(slot) = slots.get(slot) {
                                slot.end(completion);
                            }
                            woken.extend(waker);
                        }
                        Holder::Abandoned(plaintext) => {
                            *awaited -= 1;
                            slots.wipe_and_put(slot, plaintext);
                        }
                        Holder::Host => {}
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
        match refused {
            Some(status) => Err(DeviceError::Refused(status)),
            None if reaped > 0 => {
                core.counters.completed.add(reaped as u64);
                self.ring(core);
                Ok(reaped)
            }
            None => Ok(0),
        }
    }

    /// Writes the entries of one operation into the ring. `false`: no context is free.
    fn stage(
        &mut self,
        core: &Core,
        owner: &mut Owner,
        entry: &mut RecordEntry,
        slot: u16,
    ) -> Result<bool, DeviceError> {
        let Some(claim) = self.contexts.claim(owner.session, owner.context) else {
            return Ok(false);
        };
        let context = claim.context;
        owner.context = Some(context);
        if matches!(claim.preparation, Preparation::Replace | Preparation::Evict) {
            if claim.preparation == Preparation::Evict {
                core.counters.evictions.increment();
            }
            self.stage_drop(context)?;
        }
        if claim.preparation != Preparation::None {
            core.counters.context_loads.increment();
            let mut load = owner.key.load_entry(context, owner.direction);
            let staged = self.queue.stage_secret(bytemuck::cast_mut(&mut load), Tag::Context);
            load.key.zeroize();
            load.iv.zeroize();
            staged?;
        }
        entry.context = context;
        let tag = Tag::Record { slot, context, session: owner.session };
        self.queue.stage(bytemuck::cast_mut(entry), tag)?;
        Ok(true)
    }

    fn stage_drop(&mut self, context: u16) -> Result<(), DeviceError> {
        let mut entry = RecordEntry::context_drop(0, context);
        Ok(self.queue.stage(bytemuck::cast_mut(&mut entry), Tag::Context)?)
    }

    /// Rings the doorbell for what was staged.
    fn ring(&mut self, core: &Core) {
        let staged = self.queue.staged();
        if staged > 0 {
            core.counters.submitted.add(staged as u64);
            core.counters.doorbells.increment();
            self.queue.ring();
        }
    }

    /// Rings, unless the device is so busy that more entries can share the doorbell.
    fn ring_if_due(&mut self, core: &Core) {
        let staged = self.queue.staged();
        if staged >= BATCH_ENTRIES || self.queue.in_flight() - staged < BUSY_ENTRIES {
            self.ring(core);
        }
    }

    /// Drops the contexts of sessions that are gone, as far as there is room.
    fn drop_abandoned(&mut self, core: &Core) -> Result<(), DeviceError> {
        if self.contexts.next_abandoned().is_none() {
            return Ok(());
        }
        while let Some(context) = self.contexts.next_abandoned()
            && self.queue.has_room(1)
        {
            self.stage_drop(context)?;
            self.contexts.dropped();
        }
        self.ring_if_due(core);
        Ok(())
    }

    /// The tasks that wait for the device.
    fn take_wakers(&mut self) -> impl Iterator<Item = Waker> {
        self.holders.iter_mut().filter_map(|holder| match holder {
            Holder::Device { waker, .. } => waker.take(),
            _ => None,
        })
    }
}

impl SharedQueue {
    pub(crate) fn new(core: Arc<Core>, index: usize) -> Self {
        let (progress, call) = (Condvar::new(), Notify::new());
        Self { core, index, state: Mutex::default(), progress, call }
    }

    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    pub(crate) fn index(&self) -> usize {
        self.index
    }

    /// Puts a queue that was set up in the place of the one before, which is handed back.
    pub(crate) fn replace(&self, running: Option<Running>) -> Option<Running> {
        self.with(|state| {
            state.progress += 1;
            let State { running: place, woken, .. } = state;
            woken.extend(place.iter_mut().flat_map(Running::take_wakers));
            mem::replace(place, running)
        })
    }

    /// Takes a slot if one is free.
    pub(crate) fn try_take(self: &Arc<Self>) -> Result<Buffer, DeviceError> {
        let taken = self.with(|state| {
            let take = |running: &mut Running| Some((running.slots.take()?, running.generation));
            if let Some(taken) = take(self.running(state, None)?) {
                return Ok(Some(taken));
            }
            // What has completed may bring slots back.
            Ok::<_, DeviceError>(take(self.advance(state, None)?))
        })?;
        let Some((slot, generation)) = taken else {
            self.core.counters.busy.increment();
            return Err(DeviceError::Busy { waited_ms: 0 });
        };
        Ok(Buffer::new(self, generation, slot))
    }

    /// Whether less than a quarter of the slots are free.
    pub(crate) fn slots_are_scarce(&self) -> bool {
        self.with(|state| state.running.as_ref().is_none_or(|running| running.slots.are_scarce()))
    }

    /// Waits for a slot.
    pub(crate) fn take(self: &Arc<Self>) -> Result<Buffer, DeviceError> {
        let (slot, generation) = self.wait_for_room(None, |running| {
            running.slots.take().map(|slot| (slot, running.generation))
        })?;
        Ok(Buffer::new(self, generation, slot))
    }

    /// Does one operation on the record in `buffer`: submits it, with a load of the session's keys if need be, and waits.
    ///
    /// The outcome is success, or a refusal that is no fault of the device.
    pub(crate) fn execute(
        &self,
        buffer: &mut Buffer,
        owner: &mut Owner,
        entry: &mut RecordEntry,
    ) -> Result<Outcome, DeviceError> {
        let generation = buffer.generation();
        self.wait_for_room(Some(generation), |running| {
            let holder = Holder::Device { awaited: false, waker: None };
            let submitted = self.submit(running, owner, entry, buffer.slot(), holder);
            if submitted.is_ok() {
                running.ring(&self.core);
            }
            Some(submitted)
        })??;
        buffer.is_with_device();
        let timeout = self.core.completion_timeout();
        let found = self
            .wait_until(Some(generation), deadline_in(timeout), |_| buffer.slot().completion())?;
        let completion = found.ok_or_else(|| self.time_out(generation, timeout))?;
        buffer.is_back();
        self.judge(generation, completion, owner.direction)
    }

    /// Submits one operation that a task will [`Self::poll`] for. Fails at once if there is no room.
    pub(crate) fn start(
        &self,
        buffer: &mut Buffer,
        owner: &mut Owner,
        entry: &mut RecordEntry,
    ) -> Result<(), DeviceError> {
        if !ptr::eq(self, &raw const **buffer.queue()) {
            let what = "the buffer is of another queue than the session";
            return Err(DeviceError::InvalidArgument { what });
        }
        self.with(|state| {
            let running = self.running(state, Some(buffer.generation()))?;
            if !running.queue.has_room(OPERATION_ENTRIES) {
                self.core.counters.busy.increment();
                return Err(DeviceError::Busy { waited_ms: 0 });
            }
            let holder = Holder::Device { awaited: true, waker: None };
            self.submit(running, owner, entry, buffer.slot(), holder)?;
            running.awaited += 1;
            if mem::take(&mut state.reaper_rests) {
                self.call.notify_one();
            }
            Ok(())
        })?;
        buffer.is_with_device();
        Ok(())
    }

    /// Rings the doorbell for what was started, now or, if the device is busy, together with what others start.
    pub(crate) fn ring(&self) {
        self.with(|state| {
            if let Some(running) = &mut state.running {
                running.ring_if_due(&self.core);
            }
        });
    }

    /// Looks whether an operation that was started has ended; if not, `waker` is woken when it has.
    pub(crate) fn wait_for(
        &self,
        generation: Generation,
        slot: &Slot,
        waker: &Waker,
    ) -> Result<Option<Completion>, DeviceError> {
        self.with(|state| {
            self.running(state, Some(generation))?.ring_if_due(&self.core);
            let running = self.advance(state, Some(generation))?;
            let completion = slot.completion();
            if completion.is_none()
                && let Some(Holder::Device { waker: registered, .. }) =
                    running.holders.get_mut(usize::from(slot.index()))
                && !registered.as_ref().is_some_and(|before| before.will_wake(waker))
            {
                *registered = Some(waker.clone());
            }
            Ok(completion)
        })
    }

    /// Takes the slot of a buffer back that is dropped. While the device has it, it stays out of service; then `plaintext`
    /// is wiped.
    pub(crate) fn give_back(&self, generation: Generation, slot: u16, plaintext: Plaintext) {
        self.with(|state| {
            let Some(running) = state.running.as_mut().filter(|it| it.generation == generation)
            else {
                return;
            };
            let Some(holder) = running.holders.get_mut(usize::from(slot)) else { return };
            if let Holder::Device { awaited, .. } = holder {
                // The reaper waits for it now.
                running.awaited += usize::from(!*awaited);
                *holder = Holder::Abandoned(plaintext);
                return;
            }
            *holder = Holder::Host;
            running.slots.wipe_and_put(slot, plaintext);
            state.progress += 1;
        });
    }

    /// A session is gone: its context is dropped now, or with the next batch if there is no room. Never waits for the
    /// device.
    pub(crate) fn abandon(&self, owner: &Owner) {
        let Some(context) = owner.context else { return };
        self.with(|state| {
            if self.core.monitor.check().is_err() {
                return;
            }
            let Some(running) = state.running.as_mut() else { return };
            running.contexts.abandon(owner.session, context);
            // An error has marked the device as failed, which all others notice.
            let _ = self.advance(state, None);
        });
    }

    /// Marks the device as failed because of what it has written.
    pub(crate) fn inconsistent(&self, generation: Generation, what: &'static str) -> DeviceError {
        self.core.fail(generation, DeviceError::Inconsistent { what })
    }

    fn submit(
        &self,
        running: &mut Running,
        owner: &mut Owner,
        entry: &mut RecordEntry,
        slot: &Slot,
        holder: Holder,
    ) -> Result<(), DeviceError> {
        slot.begin();
        if !running.stage(&self.core, owner, entry, slot.index())? {
            self.core.counters.no_context.increment();
            return Err(DeviceError::NoContext);
        }
        if let Some(place) = running.holders.get_mut(usize::from(slot.index())) {
            *place = holder;
        }
        Ok(())
    }

    /// The driver submits only what the device must accept. What is left is what a peer can bring about with a record,
    /// and the end of a key's life; anything else means that host and device no longer agree on the device's state.
    pub(crate) fn judge(
        &self,
        generation: Generation,
        completion: Completion,
        direction: Direction,
    ) -> Result<Outcome, DeviceError> {
        let outcome = Outcome { status: completion.status()?, completion };
        let accepted = match outcome.status {
            Status::Success | Status::SequenceExhausted => true,
            verdict => verdict.is_verdict() && direction == Direction::Open,
        };
        if accepted {
            return Ok(outcome);
        }
        Err(self.core.fail(generation, DeviceError::Refused(outcome.status)))
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
        let mut look = |state: &mut State| {
            let found = ready(self.advance(state, generation)?);
            Ok::<_, DeviceError>((found, state.progress))
        };
        while Instant::now() < spin_until {
            // Whoever holds the lock takes this thread's completion, too.
            if let Some(looked) = self.try_with(&mut look)
                && let (Some(found), _) = looked?
            {
                return Ok(Some(found));
            }
            hint::spin_loop();
        }
        loop {
            let (found, seen) = self.with(&mut look)?;
            if found.is_some() {
                return Ok(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.sleep(seen, left.min(SLEEP_MAX))?;
        }
    }

    /// The queue as it is set up now, or, with a generation, as it was then.
    fn running<'a>(
        &self,
        state: &'a mut State,
        generation: Option<Generation>,
    ) -> Result<&'a mut Running, DeviceError> {
        self.core.monitor.check()?;
        match &mut state.running {
            _ if state.closing => Err(DeviceError::Failed(Failure::Reset)),
            Some(running) if generation.is_none_or(|mine| mine == running.generation) => {
                Ok(running)
            }
            _ => Err(DeviceError::Failed(Failure::Reset)),
        }
    }

    /// Takes all completions.
    fn advance<'a>(
        &self,
        state: &'a mut State,
        generation: Option<Generation>,
    ) -> Result<&'a mut Running, DeviceError> {
        self.running(state, generation)?;
        self.reap(state)?;
        self.running(state, generation)
    }

    /// Takes all completions. Returns how many there were.
    fn reap(&self, state: &mut State) -> Result<usize, DeviceError> {
        let State { running: Some(running), woken, progress, .. } = state else { return Ok(0) };
        let reaped = running.reap(&self.core, woken).and_then(|reaped| {
            running.drop_abandoned(&self.core)?;
            Ok(reaped)
        });
        match reaped {
            Ok(0) => self.core.counters.idle_polls.increment(),
            Ok(_) => *progress += 1,
            Err(error) => return Err(self.core.fail(running.generation, error)),
        }
        reaped
    }

    /// Sleeps until there may be progress beyond `seen`, at most `longest`: on the interrupt, or behind whoever does
    /// already.
    fn sleep(&self, seen: u64, longest: Duration) -> Result<(), DeviceError> {
        if let Some(generation) = self.lie_down(seen)? {
            let woken = self.core.transport.wait_for_interrupt(self.index, longest);
            return self.get_up(generation, woken);
        }
        let mut state = self.lock();
        state.waiters += 1;
        let (mut state, _) = self
            .progress
            .wait_timeout_while(state, longest, |state| state.progress == seen)
            .unwrap_or_else(PoisonError::into_inner);
        state.waiters -= 1;
        Ok(())
    }

    /// Before a sleep: arms the interrupt for the caller to sleep on, and then to [`Self::get_up`]. `None`: somebody
    /// else sleeps on it, or there is progress beyond `seen`.
    fn lie_down(&self, seen: u64) -> Result<Option<Generation>, DeviceError> {
        self.with(|state| {
            let Some(running) = state.running.as_mut().filter(|_| state.progress == seen) else {
                return Ok(None);
            };
            // Nobody may be left who would ring for what was started.
            running.ring(&self.core);
            if running.sleeper || running.queue.in_flight() == 0 {
                return Ok(None);
            }
            // Clear, look, sleep: what completes after the look sends a message.
            running.queue.arm_interrupt();
            if self.reap(state)? > 0 {
                return Ok(None);
            }
            let sleeper = state.running.as_mut().map(|running| {
                running.sleeper = true;
                running.generation
            });
            Ok(sleeper)
        })
    }

    /// After a sleep on the interrupt, which a message has ended or not: those behind look now, too, and one of them is
    /// the next to sleep on it.
    fn get_up(
        &self,
        generation: Generation,
        woken: Result<bool, TransportError>,
    ) -> Result<(), DeviceError> {
        self.core.counters.sleeps.increment();
        self.with(|state| {
            state.progress += 1;
            if let Some(running) = &mut state.running
                && running.generation == generation
            {
                running.sleeper = false;
            }
        });
        match woken {
            Ok(true) => Ok(()),
            Ok(false) => self.core.probe(generation),
            Err(error) => Err(self.core.fail(generation, error.into())),
        }
    }

    /// Does something under the lock, then wakes whom it concerns.
    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        self.work_on(self.lock(), work)
    }

    /// The same, if the lock is free.
    fn try_with<T>(&self, work: impl FnOnce(&mut State) -> T) -> Option<T> {
        self.state.try_lock().ok().map(|state| self.work_on(state, work))
    }

    fn work_on<T>(
        &self,
        mut state: MutexGuard<'_, State>,
        work: impl FnOnce(&mut State) -> T,
    ) -> T {
        let before = state.progress;
        let result = work(&mut state);
        let progressed = state.progress != before && state.waiters > 0;
        if !progressed && state.woken.is_empty() {
            return result;
        }
        if progressed && mem::take(&mut state.reaper_waits) {
            self.call.notify_one();
        }
        let woken = mem::take(&mut state.woken);
        drop(state);
        if progressed {
            self.progress.notify_all();
        }
        woken.into_iter().for_each(Waker::wake);
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that holds the lock can panic half way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
