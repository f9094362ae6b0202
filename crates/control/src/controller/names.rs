// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Managed names in the DNS: published while a target keeps them, given back after that, and tried again where the
//! server did not take it.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use super::{ControlError, Controller};
use crate::dns::DnsError;
use crate::name::{DnsName, LeafLabel, random_suffix};
use crate::target::ManagedName;

/// Suffixes that are tried for a label before it counts as taken in the zone.
const MAX_SUFFIXES: usize = 3;

/// How often what the DNS server did not take is tried again.
const TEND_PAUSE: Duration = Duration::from_secs(15);

/// Where the store keeps the names that are still to be given back, as JSON.
const LEFT_NAMES: &str = "left-names";

/// Names whose records are not as they should be, with the reason.
pub(super) type Troubled = BTreeMap<DnsName, String>;

impl Controller {
    /// Publishes the managed names of all targets again, as a DNS server may have lost them, or this one may have moved;
    /// and again what failed, for as long as it is polled.
    pub async fn tend_names_for_ever(self) {
        let mut names = self.managed_names();
        names.extend(self.left_names());
        loop {
            for name in names {
                self.tend(&name).await;
            }
            tokio::time::sleep(TEND_PAUSE).await;
            names = self.troubled().keys().cloned().collect();
        }
    }

    /// Brings the records of a name to what they should be: those of the target that keeps it, or none.
    async fn tend(&self, name: &DnsName) {
        if self.is_kept(name) {
            let addresses = &self.shared.settings.addresses;
            let error = self.dns().publish(name, addresses, true).await.err();
            self.note_name(name, error.as_ref());
        } else {
            self.give_back(name).await;
        }
    }

    /// A name for the label that nobody has in the zone, published.
    pub(super) async fn new_name(
        &self,
        label: LeafLabel,
        suffix: Option<String>,
        overwrite: bool,
    ) -> Result<ManagedName, ControlError> {
        let domain = self.shared.settings.domain.clone();
        let suffix = suffix.unwrap_or_else(random_suffix);
        let mut managed = ManagedName { label, suffix, domain };
        for attempt in 1.. {
            let name = managed.name().map_err(ControlError::Name)?;
            let addresses = &self.shared.settings.addresses;
            match self.dns().publish(&name, addresses, overwrite).await {
                Err(DnsError::Taken { .. }) if attempt < MAX_SUFFIXES => {
                    managed.suffix = random_suffix();
                }
                Err(error) => return Err(error.into()),
                Ok(()) => break,
            }
        }
        Ok(managed)
    }

    /// Gives a managed name back that nobody has any more; a DNS server that does not take that is worth a warning.
    pub(super) async fn withdraw_name(&self, name: Option<DnsName>) -> Option<String> {
        let name = name.filter(|name| !self.is_kept(name))?;
        let error = self.give_back(&name).await?;
        Some(left(&name, &error.to_string()))
    }

    async fn give_back(&self, name: &DnsName) -> Option<DnsError> {
        let error = self.dns().withdraw(name).await.err();
        // In another zone than that of now nothing can be taken away.
        let error = error.filter(|error| !matches!(error, DnsError::OutsideZone { .. }));
        self.note_name(name, error.as_ref());
        error
    }

    /// What a person should know of names in the DNS.
    pub(super) fn name_warnings(&self) -> Vec<String> {
        let troubled = self.troubled().clone();
        let warning = |(name, error): (&DnsName, &String)| {
            if self.is_kept(name) {
                return format!("{name} is not published: {error}");
            }
            left(name, error)
        };
        troubled.iter().map(warning).collect()
    }

    pub(super) fn note_name(&self, name: &DnsName, error: Option<&DnsError>) {
        let error = error.map(ToString::to_string);
        let before = match &error {
            Some(error) => self.troubled().insert(name.clone(), error.clone()),
            None => self.troubled().remove(name),
        };
        if before == error {
            return;
        }
        if let Some(error) = &error {
            tracing::warn!(%name, %error, "its records could not be changed: trying again later");
        }
        if !self.is_kept(name) {
            self.keep_left_names();
        }
    }

    fn keep_left_names(&self) {
        let troubled: Vec<DnsName> = self.troubled().keys().cloned().collect();
        let left: Vec<DnsName> = troubled.into_iter().filter(|name| !self.is_kept(name)).collect();
        let json = serde_json::to_vec(&left).unwrap_or_default();
        if let Err(error) = self.shared.parts.store.keep_secret(LEFT_NAMES, &json) {
            tracing::error!(%error, "the names to give back could not be kept");
        }
    }

    fn left_names(&self) -> Vec<DnsName> {
        let kept = self.shared.parts.store.secret(LEFT_NAMES).ok().flatten();
        kept.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
    }

    fn managed_names(&self) -> Vec<DnsName> {
        self.entries().values().filter_map(|entry| entry.target.managed_name()).collect()
    }

    fn is_kept(&self, name: &DnsName) -> bool {
        self.entries().values().any(|entry| entry.target.managed_name().as_ref() == Some(name))
    }

    fn troubled(&self) -> MutexGuard<'_, Troubled> {
        self.shared.troubled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn left(name: &DnsName, error: &str) -> String {
    format!("{name} is not used any more, but its records are still there: {error}")
}
