// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Where violations of a bus protocol are noted.

use std::fmt;

/// Violations kept; a broken design breaks a rule in every cycle.
const MAX_ERRORS: usize = 64;

/// Notes violations with the cycle in which they were seen. It never stops a simulation: a test reads them at its end.
#[derive(Debug, Default)]
pub struct Monitor {
    errors: Vec<String>,
}

impl Monitor {
    /// What was noted so far, the oldest first, and not more than 64 of them.
    pub fn errors(&self) -> &[String] {
        &self.errors
    }

    /// Notes that `channel` broke a rule.
    pub fn note(&mut self, cycle: u64, channel: &str, what: fmt::Arguments<'_>) {
        if self.errors.len() < MAX_ERRORS {
            tracing::error!(cycle, channel, "bus protocol: {what}");
            self.errors.push(format!("cycle {cycle}: {channel}: {what}"));
        }
    }

    /// Notes a violation unless the rule holds.
    pub(super) fn check(
        &mut self,
        holds: bool,
        cycle: u64,
        channel: &str,
        what: fmt::Arguments<'_>,
    ) {
        if !holds {
            self.note(cycle, channel, what);
        }
    }
}

/// Watches that what a channel offers stays until it is taken.
#[derive(Debug)]
pub(super) struct Stable<T> {
    held: Option<T>,
}

impl<T> Default for Stable<T> {
    fn default() -> Self {
        Self { held: None }
    }
}

impl<T: Copy + PartialEq + fmt::Debug> Stable<T> {
    /// Whether nothing is offered that has to stay.
    #[inline]
    pub(super) fn is_free(&self) -> bool {
        self.held.is_none()
    }

    /// One cycle of the channel. Returns whether what was offered was transferred.
    #[inline]
    pub(super) fn cycle(
        &mut self,
        offered: Option<&T>,
        ready: bool,
        (monitor, cycle, channel): (&mut Monitor, u64, &str),
    ) -> bool {
        if let Some(held) = &self.held
            && offered != Some(held)
        {
            let what = format_args!("offered {held:x?}, then {offered:x?} before it was taken");
            monitor.note(cycle, channel, what);
        }
        if ready {
            self.held = None;
        } else {
            self.held = offered.copied();
        }
        ready && offered.is_some()
    }
}
