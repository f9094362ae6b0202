// SPDX-License-Identifier: Apache-2.0 OR MIT
//! From one way of being published to another.

use std::time::SystemTime;

use sealgate_frontend::Access;
use zeroize::Zeroizing;

use super::{ControlError, Controller, Entry};
use crate::certificate::{Checked, Summary};
use crate::dns::DnsError;
use crate::issuer::Order;
use crate::name::{DnsName, LeafLabel, random_suffix};
use crate::ssl::Change;
use crate::target::{KeptCertificate, ManagedName, Target, TargetName, Tls};

/// Suffixes that are tried for a label before it counts as taken in the zone.
const MAX_SUFFIXES: usize = 3;

/// A target as it should become, and what comes with it.
struct Next {
    target: Target,
    checked: Checked,
    /// Who loses the managed name by it.
    loser: Option<TargetName>,
}

impl Controller {
    /// Brings `change` about, or changes nothing.
    pub(super) async fn switch(
        &self,
        name: &TargetName,
        change: Change,
    ) -> Result<Vec<String>, ControlError> {
        let target = self.target(name)?;
        self.check(&target, &change)?;
        match change {
            Change::Nothing => Ok(Vec::new()),
            Change::Disable => self.disable(target),
            Change::Own { cname, cert, key } => self.own(target, cname, &cert, &key).await,
            Change::Managed { label, overwrite } => self.managed(target, label, overwrite).await,
            Change::Renew => self.renew(target).await,
        }
    }

    /// Ends a target and gives its names back.
    pub(super) async fn remove(&self, name: &TargetName) -> Result<Vec<String>, ControlError> {
        let target = self.target(name)?;
        self.shared.parts.store.keep(&[], &[name])?;
        self.shared.parts.publications.withdraw(name.as_str());
        self.entries().remove(name);
        self.shared.changed.notify_one();
        Ok(self.withdraw_name(target.managed_name()).await.into_iter().collect())
    }

    /// Kept before it is published: nothing is ever served plain that no state tells of.
    fn disable(&self, mut target: Target) -> Result<Vec<String>, ControlError> {
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
        mut target: Target,
        cname: DnsName,
        cert: &str,
        key: &Zeroizing<String>,
    ) -> Result<Vec<String>, ControlError> {
        let _claim = self.claim(&target.name, cname.as_str())?;
        let checked = Checked::own(&cname, cert, key, SystemTime::now())?;
        let warnings = checked.warnings().iter().map(ToString::to_string).collect();
        target.tls = Tls::Own { cname, certificate: kept(&checked) };
        self.establish(Next { target, checked, loser: None }).await?;
        Ok(warnings)
    }

    async fn managed(
        &self,
        mut target: Target,
        label: LeafLabel,
        overwrite: bool,
    ) -> Result<Vec<String>, ControlError> {
        if self.is_good(&target, &label) {
            let name = target.managed_name().map(String::from).unwrap_or_default();
            return Ok(vec![format!(
                "the certificate of {name} is valid and stays: ask for renew to replace it"
            )]);
        }
        let _claim = self.claim(&target.name, label.as_str())?;
        let before = target.managed_name();
        let same = target.managed.as_ref().is_some_and(|managed| managed.label == label);
        let loser = self.holder(&target, &label);
        if let Some(loser) = &loser {
            target.managed.clone_from(&loser.managed);
        } else if !same {
            target.managed = Some(self.new_name(label, overwrite).await?);
        }
        let Some(name) = target.managed_name() else { return Ok(Vec::new()) };
        if same || loser.is_some() {
            self.dns().publish(&name, &self.shared.settings.addresses, true).await?;
        }
        if matches!(target.tls, Tls::Pending) && loser.is_none() {
            // A first attempt that fails goes on later, under the same name.
            self.shared.parts.store.keep(&[&target], &[])?;
            self.install(target.clone(), None);
        }
        let fresh = before.as_ref() != Some(&name) && loser.is_none();
        let pending = matches!(target.tls, Tls::Pending);
        let loser = loser.map(|loser| loser.name);
        match self.issue_and_establish(target, &name, loser).await {
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

    pub(super) async fn renew(&self, target: Target) -> Result<Vec<String>, ControlError> {
        let Some(name) = target.managed_name() else { return Ok(Vec::new()) };
        self.dns().publish(&name, &self.shared.settings.addresses, true).await?;
        self.issue_and_establish(target, &name, None).await?;
        Ok(Vec::new())
    }

    async fn issue_and_establish(
        &self,
        mut target: Target,
        name: &DnsName,
        loser: Option<TargetName>,
    ) -> Result<(), ControlError> {
        let replaces = match (&target.tls, target.managed_name()) {
            (Tls::Managed { certificate, .. }, Some(present)) if present == *name => {
                Checked::kept(&certificate.chain_pem, &certificate.key_pem)
                    .ok()
                    .map(|checked| checked.leaf().clone())
            }
            _ => None,
        };
        let authority = &self.shared.parts.issuer;
        let order = Order { name: name.clone(), replaces };
        let issued = authority.issue(&order).await?;
        let now = SystemTime::now();
        let checked = Checked::issued(name, &issued.chain_pem, &issued.key_pem, now)?;
        target.tls =
            Tls::Managed { certificate: kept(&checked), issuer: authority.name().to_owned() };
        self.establish(Next { target, checked, loser }).await
    }

    /// Publishes, proves, keeps; on failure the old one is published again.
    async fn establish(&self, mut next: Next) -> Result<(), ControlError> {
        next.target.last_error = None;
        let access = self.access(&next.checked);
        let before = self.publish(&next.target, access);
        let loser = next.loser.and_then(|loser| self.target(&loser).ok());
        let loser = loser.filter(|loser| loser.managed == next.target.managed);
        let loser = loser.map(|loser| robbed(loser, &next.target));
        let result = match self.prove(&next.target, &next.checked).await {
            Ok(()) => {
                let targets: Vec<&Target> = [&next.target].into_iter().chain(&loser).collect();
                self.shared.parts.store.keep(&targets, &[]).map_err(ControlError::from)
            }
            Err(error) => Err(error),
        };
        let publications = &self.shared.parts.publications;
        if let Err(error) = result {
            match before {
                Some(before) => publications.publish(next.target.name.as_str(), (*before).clone()),
                None => publications.withdraw(next.target.name.as_str()),
            };
            return Err(error);
        }
        if let Some(loser) = loser {
            if matches!(loser.tls, Tls::Disabled { .. }) {
                self.publish(&loser, Access::Plain);
            } else if loser.certificate().is_none() {
                publications.withdraw(loser.name.as_str());
            }
            self.install(loser, None);
        }
        let name = next.target.name.clone();
        self.install(next.target, Some(next.checked.summary().clone()));
        self.reschedule(&name);
        Ok(())
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
        if target.managed.as_ref().is_none_or(|managed| managed.label != *label) {
            return false;
        }
        let entries = self.entries();
        let summary = entries.get(&target.name).and_then(|entry| entry.summary.as_ref());
        summary.is_some_and(|summary| summary.not_after > SystemTime::now())
    }

    /// A name for the label that nobody has in the zone, published.
    async fn new_name(
        &self,
        label: LeafLabel,
        overwrite: bool,
    ) -> Result<ManagedName, ControlError> {
        let domain = self.shared.settings.domain.clone();
        let mut managed = ManagedName { label, suffix: random_suffix(), domain };
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

    /// Gives a managed name back; a DNS server that does not take that is worth a warning.
    async fn withdraw_name(&self, name: Option<DnsName>) -> Option<String> {
        let name = name?;
        let error = self.dns().withdraw(&name).await.err()?;
        Some(format!("{name} is not used any more, but its records are still there: {error}"))
    }

    /// Shows the target as it is now.
    fn install(&self, target: Target, summary: Option<Summary>) {
        let mut entries = self.entries();
        let entry =
            entries.entry(target.name.clone()).or_insert_with(|| Entry::new(target.clone()));
        entry.target = target;
        entry.summary = summary;
        entry.renew_at = None;
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
