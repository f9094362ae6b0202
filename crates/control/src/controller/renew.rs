// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Managed certificates are renewed before they expire, and tried again where that failed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Semaphore;

use super::{Asked, ControlError, Controller, Entry};
use crate::renewal::{Validity, first_retry_after};
use crate::target::{TargetName, Tls};

/// Renewals at once.
const MAX_CONCURRENT: usize = 4;

/// The longest sleep: the clock may be set, and the host may have slept.
const MAX_SLEEP: Duration = Duration::from_secs(60);

/// How often the authority is asked about each certificate (RFC 9773, section 4.3).
const WINDOW_PAUSE: Duration = Duration::from_secs(6 * 3600);

/// How often the log tells again of what will need a person.
const WARNING_PAUSE: Duration = Duration::from_secs(12 * 3600);

/// A renewal that says nothing for so long is looked at again; its issuer has bounds of its own.
const MAX_RENEWAL: Duration = Duration::from_secs(3600);

impl Controller {
    /// Renews what is due, for as long as it is polled.
    pub async fn renew_for_ever(self) {
        let slots = Arc::new(Semaphore::new(MAX_CONCURRENT));
        loop {
            let now = SystemTime::now();
            let (due, next) = self.due(now);
            for name in due {
                // Never closed.
                let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
                let controller = self.clone();
                tokio::spawn(async move {
                    controller.attempt(&name).await;
                    drop(slot);
                });
            }
            let sleep = next.map_or(MAX_SLEEP, |next| {
                next.duration_since(SystemTime::now()).unwrap_or_default().min(MAX_SLEEP)
            });
            tokio::select! {
                () = tokio::time::sleep(sleep) => {}
                () = self.shared.changed.notified() => {}
            }
        }
    }

    /// What is to be renewed now, which is then no longer due, and when the next one is.
    fn due(&self, now: SystemTime) -> (Vec<TargetName>, Option<SystemTime>) {
        let mut entries = self.entries();
        let mut due = Vec::new();
        for (name, entry) in entries.iter_mut() {
            if entry.renew_at.is_some_and(|renew_at| renew_at <= now) {
                entry.renew_at = None;
                due.push(name.clone());
            }
        }
        (due, entries.values().filter_map(|entry| entry.renew_at).min())
    }

    async fn attempt(&self, name: &TargetName) {
        tracing::info!(target = %name, "renewing the managed certificate");
        let Ok(operation) = self.begin(name, Asked::Renewal) else {
            self.postpone(name, None);
            return;
        };
        // A failure sets the time of the next attempt by itself.
        self.operation(operation.id, MAX_RENEWAL).await;
    }

    /// Sets the time of the next attempt after one that failed, unless there is one.
    pub(super) fn postpone(&self, name: &TargetName, asked: Option<Duration>) {
        let mut entries = self.entries();
        let Some(entry) = entries.get_mut(name) else { return };
        let managed = match entry.target.tls {
            Tls::Managed { .. } => true,
            Tls::Pending => entry.target.managed.is_some(),
            Tls::Own { .. } | Tls::Disabled { .. } => false,
        };
        if !managed || entry.renew_at.is_some() {
            return;
        }
        entry.failures += 1;
        let chance = rand::random();
        let wait = match validity(entry) {
            Some(validity) => validity.retry_after(entry.failures, asked, chance),
            None => first_retry_after(entry.failures, asked, chance),
        };
        tracing::warn!(target = %name, seconds = wait.as_secs(), "trying again later");
        entry.renew_at = Some(SystemTime::now() + wait);
        drop(entries);
        self.shared.changed.notify_one();
    }

    /// How long the authority asked to be left alone.
    pub(super) fn asked_wait(error: &ControlError) -> Option<Duration> {
        match error {
            ControlError::Issue(error) => error.retry_after,
            _ => None,
        }
    }

    /// Sets the time of the next renewal after a change that succeeded; the authority's wish comes later.
    pub(super) fn reschedule(&self, name: &TargetName) {
        {
            let mut entries = self.entries();
            let Some(entry) = entries.get_mut(name) else { return };
            schedule(entry);
            entry.failures = 0;
        }
        self.shared.changed.notify_one();
        let (controller, name) = (self.clone(), name.clone());
        tokio::spawn(async move { controller.ask_window(&name).await });
    }

    /// Asks the authority when it wants each certificate renewed, for as long as it is polled.
    pub async fn ask_windows_for_ever(self) {
        loop {
            let names: Vec<TargetName> = self.entries().keys().cloned().collect();
            for name in names {
                self.ask_window(&name).await;
            }
            tokio::time::sleep(WINDOW_PAUSE).await;
        }
    }

    /// Says in the log what will need a person, for as long as it is polled.
    pub async fn warn_for_ever(self) {
        loop {
            let (mut told, start) = (BTreeSet::new(), Instant::now());
            while start.elapsed() < WARNING_PAUSE {
                let warnings: BTreeSet<String> = self.readiness().warnings.into_iter().collect();
                for warning in warnings.difference(&told) {
                    tracing::warn!("{warning}");
                }
                told = warnings;
                tokio::time::sleep(MAX_SLEEP).await;
            }
        }
    }

    async fn ask_window(&self, name: &TargetName) {
        let leaf = {
            let entries = self.entries();
            let managed = entries.get(name).filter(|entry| is_managed(entry));
            managed.and_then(|entry| Some(entry.summary.as_ref()?.leaf.clone()))
        };
        let Some(leaf) = leaf else { return };
        let Some(window) = self.shared.parts.issuer.renewal_window(&leaf).await else { return };
        {
            let mut entries = self.entries();
            let Some(entry) = entries.get_mut(name) else { return };
            // Another certificate by now, or one that is being tried again, goes by its own time.
            let same = entry.summary.as_ref().is_some_and(|summary| summary.leaf == leaf);
            let (true, 0, Some(validity)) = (same, entry.failures, validity(entry)) else { return };
            entry.renew_at = Some(validity.renew_at(Some(window), rand::random()));
        }
        self.shared.changed.notify_one();
    }
}

fn is_managed(entry: &Entry) -> bool {
    matches!(entry.target.tls, Tls::Managed { .. })
}

/// When the target's managed certificate is due, by its own lifetime.
pub(super) fn schedule(entry: &mut Entry) {
    entry.renew_at = match (&entry.target.tls, validity(entry)) {
        (Tls::Managed { .. }, Some(validity)) => Some(validity.renew_at(None, rand::random())),
        (Tls::Pending, _) if entry.target.managed.is_some() => Some(SystemTime::now()),
        _ => None,
    };
}

fn validity(entry: &Entry) -> Option<Validity> {
    entry
        .summary
        .as_ref()
        .map(|summary| Validity { not_before: summary.not_before, not_after: summary.not_after })
}
