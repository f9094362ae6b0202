// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Changes of targets on a live server: checked, published, proved, kept, in this order.

mod error;
mod names;
mod renew;
mod staple;
mod switch;
mod view;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use sealgate_frontend::{Access, Publication, Publications};
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;

use crate::certificate::{Checked, Summary};
use crate::dns::Dns;
use crate::issuer::Issuer;
use crate::name::{DnsName, LeafLabel};
use crate::ocsp::Staple;
use crate::operation::{Operation, Operations};
use crate::proof::Prover;
use crate::ssl::{Change, SslConfiguration};
use crate::store::Store;
use crate::target::{Kind, Target, TargetName, Tls};

pub use error::ControlError;
use names::Troubled;
use staple::Stapling;
use switch::Work;
pub use view::{CertificateView, Readiness, SslView, TargetView};

/// Targets of one server.
pub const MAX_TARGETS: usize = 1024;

/// Changes of one target that may wait for another.
const MAX_WAITING: usize = 8;

/// What the controller works with.
pub struct Parts {
    /// Where state is kept.
    pub store: Store,
    /// What the front end serves.
    pub publications: Publications,
    /// Who issues managed certificates.
    pub issuer: Arc<dyn Issuer>,
    /// Where managed names are published.
    pub dns: Arc<dyn Dns>,
    /// Who proves that a change is served.
    pub prover: Prover,
}

/// What an operator sets for all targets.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What managed names end in: `<region>.<zone>`.
    pub domain: DnsName,
    /// The addresses that names should point at.
    pub addresses: Vec<IpAddr>,
    /// Whether plain requests for targets with TLS are sent on to https, or refused.
    pub redirect: bool,
    /// The port in URIs with TLS.
    pub https_port: u16,
    /// The port in URIs without, if that is listened on.
    pub http_port: Option<u16>,
}

/// All targets of a server; clones are the same.
#[derive(Clone)]
pub struct Controller {
    shared: Arc<Shared>,
}

struct Shared {
    parts: Parts,
    settings: Settings,
    entries: Mutex<BTreeMap<TargetName, Entry>>,
    /// Held while a change is published, proved and kept.
    committing: tokio::sync::Mutex<()>,
    operations: Operations,
    /// Told whenever the next renewal may have moved.
    changed: Notify,
    /// Whose records in the DNS are not as they should be.
    troubled: Mutex<Troubled>,
    /// Held for a label while a target comes under it, so that those who overwrite each other take turns.
    labels: Mutex<BTreeMap<LeafLabel, Arc<tokio::sync::Mutex<()>>>>,
    /// Why the targets are not as they are declared.
    undeclared: Mutex<Option<String>>,
}

/// A target and what follows from it.
#[derive(Debug, Clone)]
struct Entry {
    target: Target,
    /// Of its certificate.
    summary: Option<Summary>,
    /// When its managed certificate is to be renewed, or had.
    renew_at: Option<SystemTime>,
    /// Attempts at that in a row that failed.
    failures: u32,
    /// One change at a time.
    turn: Arc<Semaphore>,
    /// Changes that run or wait.
    pending: usize,
    /// Another whenever the target is.
    version: u64,
    /// Asks the responder of its certificate.
    stapling: Option<Arc<Stapling>>,
    /// Why there is nothing new to staple.
    staple_error: Option<String>,
}

/// A version that none had before.
fn next_version() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}

impl fmt::Debug for Controller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controller")
            .field("settings", &self.shared.settings)
            .finish_non_exhaustive()
    }
}

impl Entry {
    fn new(target: Target) -> Self {
        Self {
            target,
            summary: None,
            renew_at: None,
            failures: 0,
            turn: Arc::new(Semaphore::new(1)),
            pending: 0,
            version: next_version(),
            stapling: None,
            staple_error: None,
        }
    }
}

impl Controller {
    /// Publishes all that `parts.store` keeps, as it was.
    ///
    /// A certificate that has expired since is served on: clients are told by it what is wrong. Needs a
    /// tokio runtime.
    ///
    /// # Errors
    ///
    /// [`ControlError`] when the state cannot be read or a kept certificate cannot be served.
    pub fn start(parts: Parts, settings: Settings) -> Result<Self, ControlError> {
        let targets = parts.store.targets()?;
        let shared = Shared {
            parts,
            settings,
            entries: Mutex::default(),
            committing: tokio::sync::Mutex::default(),
            operations: Operations::default(),
            changed: Notify::new(),
            troubled: Mutex::default(),
            labels: Mutex::default(),
            undeclared: Mutex::default(),
        };
        let controller = Self { shared: Arc::new(shared) };
        for target in targets.into_values() {
            controller.restore(target)?;
        }
        Ok(controller)
    }

    fn restore(&self, target: Target) -> Result<(), ControlError> {
        if never_came_to_be(&target) && target.last_error.is_none() {
            // The program ended in the midst of making it.
            return Ok(self.shared.parts.store.keep(&[], &[&target.name])?);
        }
        let mut entry = Entry::new(target);
        let name = entry.target.name.clone();
        let kept = entry.target.certificate();
        let kept = kept.map(|kept| Checked::kept(&kept.chain_pem, &kept.key_pem)).transpose()?;
        if let Some(checked) = &kept {
            let staple = self.kept_staple(&name, checked);
            self.publish(&entry.target, self.access(checked, staple));
            entry.summary = Some(checked.summary().clone());
        } else if matches!(entry.target.tls, Tls::Disabled { .. }) {
            self.publish(&entry.target, Access::Plain);
        }
        renew::schedule(&mut entry);
        self.entries().insert(name.clone(), entry);
        if let Some(checked) = kept {
            self.staple(&name, &checked);
        }
        Ok(())
    }

    /// Makes a target, which the declared file may have asked for. Without a configuration it gets a managed
    /// certificate under its own name.
    ///
    /// # Errors
    ///
    /// [`ControlError`] when it exists or what is asked for is refused: then there is no target.
    pub fn create(
        &self,
        name: &TargetName,
        kind: Kind,
        ssl: &SslConfiguration,
        declared: bool,
    ) -> Result<Operation, ControlError> {
        let target = Target { declared, ..Target::new(name.clone(), kind) };
        let change = match ssl.decide(target.current())? {
            Change::Nothing => Change::Managed { label: default_label(name)?, overwrite: false },
            change => change,
        };
        self.check(&target, &change)?;
        {
            let mut entries = self.entries();
            if entries.contains_key(name) {
                return Err(ControlError::Exists { target: name.to_string() });
            }
            if entries.len() == MAX_TARGETS {
                return Err(ControlError::TooManyTargets);
            }
            self.shared.parts.store.keep(&[&target], &[])?;
            entries.insert(name.clone(), Entry::new(target));
        }
        self.begin(name, Asked::Create(change))
    }

    /// Changes a target's TLS.
    ///
    /// # Errors
    ///
    /// [`ControlError`] when there is no such target or what is asked for is refused: then nothing
    /// changes.
    pub fn update(
        &self,
        name: &TargetName,
        ssl: &SslConfiguration,
    ) -> Result<Operation, ControlError> {
        let target = self.target(name)?;
        let change = ssl.decide(target.current())?;
        self.check(&target, &change)?;
        self.begin(name, Asked::Configuration(ssl.clone()))
    }

    /// Ends a target and gives its names back.
    ///
    /// # Errors
    ///
    /// [`ControlError`] when there is no such target.
    pub fn delete(&self, name: &TargetName) -> Result<Operation, ControlError> {
        self.target(name)?;
        self.begin(name, Asked::Delete)
    }

    /// How far an operation is, once it has ended or `wait` is over; nothing if it is not known.
    pub async fn operation(&self, id: Uuid, wait: Duration) -> Option<Operation> {
        self.shared.operations.wait(id, wait).await
    }

    /// What is refused at once, before there is an operation.
    fn check(&self, target: &Target, change: &Change) -> Result<(), ControlError> {
        match change {
            Change::Own { cname, cert, key } => {
                Checked::own(cname, cert, key, SystemTime::now())?;
                self.check_free(target, cname)
            }
            Change::Managed { label, overwrite } => {
                label.under("000000", &self.shared.settings.domain).map_err(ControlError::Name)?;
                match self.holder(target, label) {
                    Some(holder) if !overwrite => Err(ControlError::LabelTaken {
                        label: label.to_string(),
                        holder: holder.name.to_string(),
                    }),
                    _ => Ok(()),
                }
            }
            Change::Disable if self.shared.settings.http_port.is_none() => {
                Err(ControlError::NoPlainListener)
            }
            Change::Nothing | Change::Disable | Change::Renew => Ok(()),
        }
    }

    /// Whether no other target is published under `name`.
    fn check_free(&self, target: &Target, name: &DnsName) -> Result<(), ControlError> {
        let entries = self.entries();
        let mut others = entries.values().filter(|entry| entry.target.name != target.name);
        let has = |entry: &&Entry| {
            entry.target.names().contains(name)
                || entry.target.managed_name().as_ref() == Some(name)
        };
        match others.find(has) {
            None => Ok(()),
            Some(other) => Err(ControlError::NameTaken {
                name: name.to_string(),
                holder: other.target.name.to_string(),
            }),
        }
    }

    /// The other target that keeps a managed name under this label.
    fn holder(&self, target: &Target, label: &LeafLabel) -> Option<Target> {
        let entries = self.entries();
        let mut others = entries.values().map(|entry| &entry.target);
        others
            .find(|other| {
                let kept = other.managed.as_ref().is_some_and(|managed| managed.label == *label);
                other.name != target.name && kept
            })
            .cloned()
    }

    /// Starts a change, which takes its turn behind those of the same target.
    fn begin(&self, name: &TargetName, asked: Asked) -> Result<Operation, ControlError> {
        let turn = {
            let mut entries = self.entries();
            let entry = entries.get_mut(name).ok_or_else(|| unknown(name))?;
            if entry.pending == MAX_WAITING {
                return Err(ControlError::Busy { target: name.to_string() });
            }
            entry.pending += 1;
            Arc::clone(&entry.turn)
        };
        let running = self.shared.operations.begin(name);
        let operation = running.now();
        let (controller, name) = (self.clone(), name.clone());
        tokio::spawn(async move {
            // Never closed; were it, there would be nobody to take turns with.
            let _turn = turn.acquire().await;
            let first = matches!(asked, Asked::Create(_));
            let result = match controller.work(&name, &turn) {
                Ok(work) => controller.perform(work, asked).await,
                Err(error) => Err(error),
            };
            controller.note(&name, &turn, &result);
            if let (true, Err(error)) = (first, &result) {
                controller.forget(&name, &turn, error).await;
            }
            let warnings = result.map(Option::unwrap_or_default);
            running.end(warnings.map_err(|error| error.problem()));
        });
        Ok(operation)
    }

    /// The target as it is now, if it is still the one whose turn this is and not another of its name.
    fn work(&self, name: &TargetName, turn: &Arc<Semaphore>) -> Result<Work, ControlError> {
        let entries = self.entries();
        let entry = entries.get(name).filter(|entry| Arc::ptr_eq(&entry.turn, turn));
        let entry = entry.ok_or_else(|| unknown(name))?;
        Ok(Work { target: entry.target.clone(), version: entry.version })
    }

    /// The warnings of what was done; nothing where nothing was to be done.
    async fn perform(&self, work: Work, asked: Asked) -> Result<Option<Vec<String>>, ControlError> {
        let change = match asked {
            Asked::Delete => return self.remove(work).await.map(Some),
            Asked::Create(change) => change,
            Asked::Configuration(ssl) => ssl.decide(work.target.current())?,
            Asked::Renewal => match (&work.target.tls, &work.target.managed) {
                (Tls::Managed { .. }, _) => Change::Renew,
                (Tls::Pending, Some(managed)) => {
                    Change::Managed { label: managed.label.clone(), overwrite: false }
                }
                // What was due has become something else.
                _ => Change::Nothing,
            },
        };
        self.switch(work, change).await
    }

    /// Forgets a target that never came to be, unless its certificate or its name are tried for again.
    async fn forget(&self, name: &TargetName, turn: &Arc<Semaphore>, error: &ControlError) {
        let again = matches!(error, ControlError::Issue(_) | ControlError::Dns(_));
        let entry = {
            let mut entries = self.entries();
            let entry = entries.get(name).filter(|entry| Arc::ptr_eq(&entry.turn, turn));
            let over = |entry: &&Entry| {
                matches!(entry.target.tls, Tls::Pending)
                    && !(again && entry.target.managed.is_some())
            };
            if entry.as_ref().is_none_or(|entry| !over(entry)) {
                return;
            }
            entries.remove(name)
        };
        if let Err(error) = self.shared.parts.store.keep(&[], &[name]) {
            tracing::error!(target = %name, %error, "it could not be forgotten");
        }
        self.withdraw_name(entry.and_then(|entry| entry.target.managed_name())).await;
    }

    /// What became of a change goes to the log and to the target.
    fn note(
        &self,
        name: &TargetName,
        turn: &Arc<Semaphore>,
        result: &Result<Option<Vec<String>>, ControlError>,
    ) {
        match result {
            Ok(None) => {}
            Ok(Some(warnings)) => {
                tracing::info!(target = %name, "changed");
                for warning in warnings {
                    tracing::warn!(target = %name, "{warning}");
                }
            }
            Err(error) => {
                tracing::error!(target = %name, error = error.problem().message, "not changed");
            }
        }
        if let Err(error) = result {
            self.postpone(name, Self::asked_wait(error));
        }
        let mut entries = self.entries();
        let entry = entries.get_mut(name).filter(|entry| Arc::ptr_eq(&entry.turn, turn));
        let Some(entry) = entry else { return };
        entry.pending = entry.pending.saturating_sub(1);
        // What was wrong before is still wrong where nothing was done.
        if let Ok(None) = result {
            return;
        }
        let error = result.as_ref().err().map(|error| error.problem().message);
        if entry.target.last_error == error {
            return;
        }
        entry.target.last_error = error;
        if let Err(error) = self.shared.parts.store.keep(&[&entry.target], &[]) {
            tracing::error!(target = %name, %error, "the outcome could not be kept");
        }
    }

    fn target(&self, name: &TargetName) -> Result<Target, ControlError> {
        self.entries().get(name).map(|entry| entry.target.clone()).ok_or_else(|| unknown(name))
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<TargetName, Entry>> {
        self.shared.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn dns(&self) -> &dyn Dns {
        self.shared.parts.dns.as_ref()
    }

    fn access(&self, checked: &Checked, staple: Option<Staple>) -> Access {
        let mut certificate = checked.certified_key();
        certificate.ocsp = staple.map(|staple| staple.response);
        let certificate = Arc::new(certificate);
        let settings = &self.shared.settings;
        let redirect = settings.redirect.then_some(settings.https_port);
        Access::Tls { certificate, redirect }
    }

    fn publish(&self, target: &Target, access: Access) -> Option<Arc<Publication>> {
        let names = target.names().into_iter().map(String::from).collect();
        let publication = Publication { names, access };
        self.shared.parts.publications.publish(target.name.as_str(), publication)
    }
}

/// What an operation is to do, decided again when its turn comes.
enum Asked {
    /// The first change of a target, without which there is none.
    Create(Change),
    Configuration(SslConfiguration),
    /// Whatever its managed certificate needs.
    Renewal,
    Delete,
}

/// Neither published nor with a name to be tried again for.
fn never_came_to_be(target: &Target) -> bool {
    matches!(target.tls, Tls::Pending) && target.managed.is_none()
}

fn default_label(name: &TargetName) -> Result<LeafLabel, ControlError> {
    LeafLabel::parse(name.as_str()).map_err(ControlError::Name)
}

fn unknown(name: &TargetName) -> ControlError {
    ControlError::UnknownTarget { target: name.to_string() }
}
