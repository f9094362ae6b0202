// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The key contexts of one queue as a cache in front of its sessions.

use std::ops::Range;

/// Identifies a session for as long as its device is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionId(pub(crate) u64);

/// Which session holds which context of the device.
#[derive(Debug)]
pub(crate) struct ContextTable {
    first: u16,
    contexts: Vec<Option<Holder>>,
    /// Contexts that are not loaded.
    free: Vec<u16>,
    /// Contexts whose session is gone, still loaded in the device: each needs a `CTX_DROP`.
    abandoned: Vec<u16>,
    /// Counts claims, to tell which context was used least recently.
    clock: u64,
}

#[derive(Debug)]
struct Holder {
    session: SessionId,
    last_use: u64,
    /// Operations of the session under way. A context that has any keeps its keys.
    in_flight: u32,
}

/// What has to be done before a claimed context can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Preparation {
    /// Nothing: the session's keys are in it.
    None,
    /// Load the session's keys.
    Load,
    /// Drop the keys of a session that is gone, then load.
    Replace,
    /// Drop the keys of the session that used its context least recently, then load.
    Evict,
}

/// A context for one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) context: u16,
    pub(crate) preparation: Preparation,
}

impl ContextTable {
    /// A table over contexts none of which is loaded.
    pub(crate) fn new(contexts: Range<u16>) -> Self {
        Self {
            first: contexts.start,
            free: contexts.clone().rev().collect(),
            contexts: contexts.map(|_| None).collect(),
            abandoned: Vec::new(),
            clock: 0,
        }
    }

    /// Finds a context for `session`, which had `last` the last time, and counts one more operation on it. `None`: all have operations under way.
    pub(crate) fn claim(&mut self, session: SessionId, last: Option<u16>) -> Option<Claim> {
        self.clock += 1;
        let last_use = self.clock;
        if let Some(context) = last
            && let Some(holder) = self.held_by(session, context)
        {
            holder.last_use = last_use;
            holder.in_flight += 1;
            return Some(Claim { context, preparation: Preparation::None });
        }
        let (context, preparation) = if let Some(context) = self.free.pop() {
            (context, Preparation::Load)
        } else if let Some(context) = self.abandoned.pop() {
            (context, Preparation::Replace)
        } else {
            (self.least_recently_used()?, Preparation::Evict)
        };
        let holder = Holder { session, last_use, in_flight: 1 };
        *self.contexts.get_mut(usize::from(context - self.first))? = Some(holder);
        Some(Claim { context, preparation })
    }

    /// An operation that claimed `context` is over.
    pub(crate) fn finish(&mut self, session: SessionId, context: u16) {
        if let Some(holder) = self.held_by(session, context) {
            holder.in_flight = holder.in_flight.saturating_sub(1);
        }
    }

    /// The session is gone. Its context, if it still has it, must be dropped: see [`Self::next_abandoned`].
    pub(crate) fn abandon(&mut self, session: SessionId, context: u16) {
        if self.held_by(session, context).is_some() {
            self.contexts[usize::from(context - self.first)] = None;
            self.abandoned.push(context);
        }
    }

    /// A context that the device still has to drop.
    pub(crate) fn next_abandoned(&self) -> Option<u16> {
        self.abandoned.last().copied()
    }

    /// The drop of [`Self::next_abandoned`] was submitted. Entries of a queue take effect in order, so a load that comes
    /// after it finds the context free.
    pub(crate) fn dropped(&mut self) {
        self.free.extend(self.abandoned.pop());
    }

    fn held_by(&mut self, session: SessionId, context: u16) -> Option<&mut Holder> {
        let index = usize::from(context.checked_sub(self.first)?);
        self.contexts.get_mut(index)?.as_mut().filter(|holder| holder.session == session)
    }

    fn least_recently_used(&self) -> Option<u16> {
        let idle = (self.first..).zip(&self.contexts).filter_map(|(context, holder)| {
            let holder = holder.as_ref().filter(|holder| holder.in_flight == 0)?;
            Some((holder.last_use, context))
        });
        idle.min().map(|(_, context)| context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: SessionId = SessionId(1);
    const B: SessionId = SessionId(2);
    const C: SessionId = SessionId(3);

    fn claim(
        table: &mut ContextTable,
        session: SessionId,
        last: Option<u16>,
    ) -> (u16, Preparation) {
        let claim = table.claim(session, last).unwrap();
        (claim.context, claim.preparation)
    }

    #[test]
    fn a_session_loads_once_and_keeps_its_context() {
        let mut table = ContextTable::new(4..6);
        assert_eq!(claim(&mut table, A, None), (4, Preparation::Load));
        table.finish(A, 4);
        assert_eq!(claim(&mut table, A, Some(4)), (4, Preparation::None));
    }

    #[test]
    fn the_least_recently_used_idle_session_is_evicted_and_notices() {
        let mut table = ContextTable::new(4..6);
        for session in [A, B, A] {
            let (context, _) = claim(&mut table, session, (session == A).then_some(4));
            table.finish(session, context);
        }
        assert_eq!(claim(&mut table, C, None), (5, Preparation::Evict));
        table.finish(C, 5);
        assert_eq!(claim(&mut table, B, Some(5)), (4, Preparation::Evict));
    }

    #[test]
    fn a_context_in_use_is_never_taken_away() {
        let mut table = ContextTable::new(0..2);
        claim(&mut table, A, None);
        claim(&mut table, B, None);
        assert_eq!(table.claim(C, None), None);
        table.finish(A, 0);
        assert_eq!(claim(&mut table, C, None), (0, Preparation::Evict));
    }

    #[test]
    fn an_abandoned_context_is_dropped_before_it_is_used_again() {
        let mut table = ContextTable::new(0..1);
        claim(&mut table, A, None);
        table.abandon(A, 0);
        assert_eq!(claim(&mut table, B, None), (0, Preparation::Replace));
        table.abandon(B, 0);
        assert_eq!(table.next_abandoned(), Some(0));
        table.dropped();
        assert_eq!(table.next_abandoned(), None);
        assert_eq!(claim(&mut table, C, None), (0, Preparation::Load));
    }

    #[test]
    fn a_session_that_lost_its_context_cannot_abandon_it() {
        let mut table = ContextTable::new(0..1);
        claim(&mut table, A, None);
        table.finish(A, 0);
        claim(&mut table, B, None);
        table.abandon(A, 0);
        assert_eq!(table.next_abandoned(), None);
    }
}
