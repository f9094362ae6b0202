// SPDX-License-Identifier: Apache-2.0 OR MIT
//! From one way of being published to another.

use std::sync::{Arc, PoisonError};
use std::time::SystemTime;

use sealgate_frontend::Access;
use zeroize::Zeroizing;

use super::{ControlError, Controller, next_version};
use crate::certificate::{Checked, Summary};
use crate::issuer::Order;
use crate::name::{DnsName, LeafLabel};
use crate::ssl::Change;
use crate::target::{KeptCertificate, Target, TargetName, Tls};

/// A target as a change found it. What happened to it since is noticed by its version.
pub(super) struct Work {
    pub(super) target: Target,
    pub(super) version: u64,
}

/// A target as it should become, and what comes with it.
struct Next {
    work: Work,
    checked: Checked,
    /// Who loses the managed name by it.
    loser: Option<TargetName>,
}

impl Controller {
    /// Brings `change` about, or changes nothing. The result is its warnings, if there was anything to do.
    pub(super) async fn switch(
        &self,
        work: Work,
        change: Change,
    ) -> Result<Option<Vec<String>>, ControlError> {
        let turn = match &change {
            Change::Managed { label, .. } => Some(self.turn_of(label)),
            _ => None,
        };
        let _turn = match &turn {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        // Only now: somebody may have come under the label while this waited.
        self.check(&work.target, &change)?;
        let warnings = match change {
            Change::Nothing => return Ok(None),
            Change::Disable => self.disable(work).await,
            Change::Own { cname, cert, key } => self.own(work, cname, &cert, &key).await,
            Change::Managed { label, overwrite } => self.managed(work, label, overwrite).await,
            Change::Renew => self.renew(work).await,
        };
        warnings.map(Some)
    }

    /// Who holds its lock may come under the label.
    fn turn_of(&self, label: &LeafLabel) -> Arc<tokio::sync::Mutex<()>> {
        let mut labels = self.shared.labels.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody waits for what is held here alone.
        labels.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(labels.entry(label.clone()).or_default())
    }

    /// Ends a target and gives its names back.
    pub(super) async fn remove(&self, work: Work) -> Result<Vec<String>, ControlError> {
        let _committing = self.shared.committing.lock().await;
        self.check_unchanged(&work)?;
        let name = &work.target.name;
        self.shared.parts.store.keep(&[], &[name])?;
        self.shared.parts.publications.withdraw(name.as_str());
        self.entries().remove(name);
        self.shared.changed.notify_one();
        self.forget_staple(name);
        Ok(self.withdraw_name(work.target.managed_name()).await.into_iter().collect())
    }

    /// Kept before it is published: nothing is ever served plain that no state tells of.
    async fn disable(&self, work: Work) -> Result<Vec<String>, ControlError> {
        let _committing = self.shared.committing.lock().await;
        self.check_unchanged(&work)?;
        let mut target = work.target;
        if let Tls::Disabled { .. } = target.tls {
            return Ok(Vec::new());
        }
        target.tls = Tls::Disabled { names: target.names() };
        target.last_error = None;
        self.shared.parts.store.keep(&[&target], &[])?;
        self.publish(&target, Access::Plain);
        self.install(target, None);
        self.shared.changed.notify_one();
        let warning = "TLS is off: what clients send is readable on its way".to_owned();
        Ok(vec![warning])
    }

    async fn own(
        &self,
        mut work: Work,
        cname: DnsName,
        cert: &str,
        key: &Zeroizing<String>,
    ) -> Result<Vec<String>, ControlError> {
        let checked = Checked::own(&cname, cert, key, SystemTime::now())?;
        let warnings = checked.warnings().iter().map(ToString::to_string).collect();
        work.target.tls = Tls::Own { cname, certificate: kept(&checked) };
        self.establish(Next { work, checked, loser: None }).await?;
        Ok(warnings)
    }

    async fn managed(
        &self,
        mut work: Work,
        label: LeafLabel,
        overwrite: bool,
    ) -> Result<Vec<String>, ControlError> {
        if self.is_good(&work.target, &label) {
            let name = work.target.managed_name().map(String::from).unwrap_or_default();
            return Ok(vec![format!(
                "the certificate of {name} is valid and stays: ask for renew to replace it"
            )]);
        }
        let before = work.target.managed_name();
        let loser = self.holder(&work.target, &label);
        let same = self.keeps(&work.target, &label);
        if let Some(loser) = &loser {
            work.target.managed.clone_from(&loser.managed);
        } else if !same {
            // The random characters stay where only the region or the zone is another.
            let kept = work.target.managed.take().filter(|managed| managed.label == label);
            let suffix = kept.map(|managed| managed.suffix);
            work.target.managed = Some(self.new_name(label, suffix, overwrite).await?);
        }
        let Some(name) = work.target.managed_name() else { return Ok(Vec::new()) };
        if same {
            self.dns().publish(&name, &self.shared.settings.addresses, true).await?;
        }
        let pending = matches!(work.target.tls, Tls::Pending);
        if pending && loser.is_none() {
            // A first attempt that fails goes on later, under the same name.
            let _committing = self.shared.committing.lock().await;
            self.check_unchanged(&work)?;
            self.shared.parts.store.keep(&[&work.target], &[])?;
            work.version = self.install(work.target.clone(), None);
        }
        let fresh = before.as_ref() != Some(&name) && loser.is_none();
        let loser = loser.map(|loser| loser.name);
        match self.issue_and_establish(work, &name, loser).await {
            Ok(()) => {
                let left = before.filter(|before| *before != name);
                Ok(self.withdraw_name(left).await.into_iter().collect())
            }
            Err(error) => {
                if fresh && !pending {
                    self.withdraw_name(Some(name)).await;
                }
                Err(error)
            }
        }
    }

    async fn renew(&self, work: Work) -> Result<Vec<String>, ControlError> {
        let Tls::Managed { .. } = work.target.tls else { return Ok(Vec::new()) };
        let Some(managed) = work.target.managed.clone() else { return Ok(Vec::new()) };
        if managed.domain != self.shared.settings.domain {
            // The region or the zone is another since: the name changes with the certificate.
            return self.managed(work, managed.label, false).await;
        }
        let name = managed.name().map_err(ControlError::Name)?;
        self.dns().publish(&name, &self.shared.settings.addresses, true).await?;
        self.issue_and_establish(work, &name, None).await?;
        Ok(Vec::new())
    }

    async fn issue_and_establish(
        &self,
        mut work: Work,
        name: &DnsName,
        loser: Option<TargetName>,
    ) -> Result<(), ControlError> {
        let replaces = match (&work.target.tls, work.target.managed_name()) {
            (Tls::Managed { certificate, .. }, Some(present)) if present == *name => {
                Checked::kept(&certificate.chain_pem, &certificate.key_pem)
                    .ok()
                    .map(|checked| checked.leaf().clone())
            }
            _ => None,
        };
        // An authority counts what it issues: nothing is ordered that could not be kept.
        self.shared.parts.store.probe()?;
        let authority = &self.shared.parts.issuer;
        let order = Order { name: name.clone(), replaces };
        let issued = authority.issue(&order).await?;
        let now = SystemTime::now();
        let checked = Checked::issued(name, &issued.chain_pem, &issued.key_pem, now)?;
        work.target.tls =
            Tls::Managed { certificate: kept(&checked), issuer: authority.name().to_owned() };
        self.establish(Next { work, checked, loser }).await
    }

    /// Publishes, proves, keeps; on failure the old one is published again. One change at a time does this, and only if
    /// nothing has come between since it began.
    async fn establish(&self, mut next: Next) -> Result<(), ControlError> {
        let name = &next.work.target.name;
        let staple = match self.kept_staple(name, &next.checked) {
            Some(kept) => Some(kept),
            None => Self::required_staple(&next.checked).await?,
        };
        let _committing = self.shared.committing.lock().await;
        self.check_unchanged(&next.work)?;
        self.check_names(&next)?;
        let target = &mut next.work.target;
        target.last_error = None;
        let loser = next.loser.as_ref().and_then(|loser| self.target(loser).ok());
        let loser = loser.filter(|loser| loser.managed == target.managed);
        let loser = loser.map(|loser| robbed(loser, target));
        let before = self.publish(target, self.access(&next.checked, staple));
        let result = match self.prove(target, &next.checked).await {
            Ok(()) => {
                let targets: Vec<&Target> = [&*target].into_iter().chain(&loser).collect();
                self.shared.parts.store.keep(&targets, &[]).map_err(ControlError::from)
            }
            Err(error) => Err(error),
        };
        let publications = &self.shared.parts.publications;
        if let Err(error) = result {
            match before {
                Some(before) => publications.publish(target.name.as_str(), (*before).clone()),
                None => publications.withdraw(target.name.as_str()),
            };
            return Err(error);
        }
        let (target, took_over) = (next.work.target, next.loser.is_some());
        let (name, managed) = (target.name.clone(), target.managed_name());
        self.install(target, Some(next.checked.summary().clone()));
        if let Some(loser) = loser {
            self.lose(loser);
        }
        self.staple(&name, &next.checked);
        self.reschedule(&name);
        if let (true, Some(managed)) = (took_over, managed) {
            // Whoever had it may have given it back in the meantime.
            let publish = self.dns().publish(&managed, &self.shared.settings.addresses, true);
            self.note_name(&managed, publish.await.err().as_ref());
        }
        Ok(())
    }

    /// Shows a target that has lost its managed name.
    fn lose(&self, loser: Target) {
        if matches!(loser.tls, Tls::Disabled { .. }) {
            self.publish(&loser, Access::Plain);
        } else if loser.certificate().is_none() {
            self.shared.parts.publications.withdraw(loser.name.as_str());
            self.install(loser, None);
            return;
        }
        let summary = self.entries().get(&loser.name).and_then(|entry| entry.summary.clone());
        self.install(loser, summary);
    }

    /// Whether the target is as the change found it.
    fn check_unchanged(&self, work: &Work) -> Result<(), ControlError> {
        let name = &work.target.name;
        let version = self.entries().get(name).map(|entry| entry.version);
        match version {
            Some(version) if version == work.version => Ok(()),
            Some(_) => Err(ControlError::Overtaken { target: name.to_string() }),
            None => Err(super::unknown(name)),
        }
    }

    /// Whether the names are still free, or their loser's.
    fn check_names(&self, next: &Next) -> Result<(), ControlError> {
        let target = &next.work.target;
        if let (Tls::Managed { .. }, Some(managed)) = (&target.tls, &target.managed) {
            let holder = self.holder(target, &managed.label).map(|holder| holder.name);
            if let Some(holder) = holder.filter(|holder| Some(holder) != next.loser.as_ref()) {
                let (label, holder) = (managed.label.to_string(), holder.to_string());
                return Err(ControlError::LabelTaken { label, holder });
            }
            return Ok(());
        }
        target.names().iter().try_for_each(|name| self.check_free(target, name))
    }

    async fn prove(&self, target: &Target, checked: &Checked) -> Result<(), ControlError> {
        for name in target.names() {
            self.shared.parts.prover.prove(&name, checked.leaf()).await?;
        }
        Ok(())
    }

    /// Whether the managed certificate under this label may be left as it is.
    fn is_good(&self, target: &Target, label: &LeafLabel) -> bool {
        let Tls::Managed { .. } = target.tls else { return false };
        if !self.keeps(target, label) {
            return false;
        }
        let entries = self.entries();
        let summary = entries.get(&target.name).and_then(|entry| entry.summary.as_ref());
        summary.is_some_and(|summary| summary.not_after > SystemTime::now())
    }

    /// Whether the target has a name under the label, in the region and zone of now.
    fn keeps(&self, target: &Target, label: &LeafLabel) -> bool {
        let domain = &self.shared.settings.domain;
        let kept = target.managed.as_ref();
        kept.is_some_and(|managed| managed.label == *label && managed.domain == *domain)
    }

    /// Shows the target as it is now, if it is there; the result is its version.
    fn install(&self, mut target: Target, summary: Option<Summary>) -> u64 {
        let version = next_version();
        if let Some(entry) = self.entries().get_mut(&target.name) {
            target.declared = entry.target.declared;
            entry.target = target;
            entry.summary = summary;
            entry.renew_at = None;
            entry.version = version;
            entry.stapling = None;
            entry.staple_error = None;
        }
        version
    }
}

fn kept(checked: &Checked) -> KeptCertificate {
    KeptCertificate { chain_pem: checked.chain_pem(), key_pem: checked.key_pem().clone() }
}

/// The target that had the managed name before, without it.
fn robbed(mut loser: Target, winner: &Target) -> Target {
    let lost = loser.managed_name();
    loser.managed = None;
    match &mut loser.tls {
        Tls::Managed { .. } => {
            loser.tls = Tls::Pending;
            loser.last_error = Some(format!(
                "its label was taken over by target {}: give it another",
                winner.name
            ));
        }
        Tls::Disabled { names } => names.retain(|name| Some(name) != lost.as_ref()),
        Tls::Own { .. } | Tls::Pending => {}
    }
    loser
}
