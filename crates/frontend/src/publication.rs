// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which names are served, and how: changed at once and whole, while connections come in.

mod challenge;
mod gate;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

pub use challenge::{AlpnChallenges, ChallengeGuard, HttpChallenges};
pub use gate::{Gate, Target};

/// The application protocol of TLS-ALPN-01 (RFC 8737, section 4).
pub(crate) const ALPN_ACME_TLS_1: &[u8] = b"acme-tls/1";

/// How one target is published.
#[derive(Debug, Clone)]
pub struct Publication {
    /// Its names in lower case, without a final dot; the first label may be `*`.
    pub names: Vec<String>,
    /// Whether there is TLS.
    pub access: Access,
}

/// How clients reach a target.
#[derive(Clone)]
pub enum Access {
    /// Over TLS only.
    Tls {
        /// The chain and the key that signs.
        certificate: Arc<CertifiedKey>,
        /// The port that a plain request is sent on to under https; without one it is refused.
        redirect: Option<u16>,
    },
    /// Without TLS, because an operator asked for that.
    Plain,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tls { redirect, .. } => {
                f.debug_struct("Tls").field("redirect", redirect).finish_non_exhaustive()
            }
            Self::Plain => f.write_str("Plain"),
        }
    }
}

/// The publications of all targets; clones are the same table.
///
/// A reader sees the table before a change or after it, never between, and never waits. As a
/// [`ResolvesServerCert`] it chooses the certificate by the name in the client's hello; a client
/// that names none is served where a single target has TLS.
#[derive(Clone, Default)]
pub struct Publications {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    table: ArcSwap<Table>,
    /// Held while a changed copy of the table is made.
    writer: Mutex<()>,
    http: HttpChallenges,
    alpn: AlpnChallenges,
}

impl fmt::Debug for Publications {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publications").field("targets", &self.shared.table.load().targets).finish()
    }
}

impl Publications {
    /// Publishes `target` so, in the place of how it was published; returns that.
    ///
    /// A name that another target has goes to this one, and back when this one leaves it.
    pub fn publish(&self, target: &str, publication: Publication) -> Option<Arc<Publication>> {
        self.change(|targets| {
            let before = targets.iter().position(|(name, _)| **name == *target);
            let before = before.map(|place| targets.remove(place).1);
            targets.push((target.into(), Arc::new(publication)));
            before
        })
    }

    /// Ends the publication of `target`; returns how it was.
    pub fn withdraw(&self, target: &str) -> Option<Arc<Publication>> {
        self.change(|targets| {
            let place = targets.iter().position(|(name, _)| **name == *target)?;
            Some(targets.remove(place).1)
        })
    }

    /// How `target` is published.
    pub fn publication(&self, target: &str) -> Option<Arc<Publication>> {
        let table = self.shared.table.load();
        let found = table.targets.iter().find(|(name, _)| **name == *target);
        found.map(|(_, publication)| Arc::clone(publication))
    }

    /// What to answer to validations of HTTP-01.
    pub fn http_challenges(&self) -> &HttpChallenges {
        &self.shared.http
    }

    /// What to answer to validations of TLS-ALPN-01.
    pub fn alpn_challenges(&self) -> &AlpnChallenges {
        &self.shared.alpn
    }

    fn change<R>(&self, change: impl FnOnce(&mut Targets) -> R) -> R {
        let _writer = self.shared.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut targets = self.shared.table.load().targets.clone();
        let result = change(&mut targets);
        self.shared.table.store(Arc::new(Table::new(targets)));
        result
    }

    /// The target that has `host` as its name, or as the name of its wildcard.
    fn named(&self, host: &str) -> Option<Published> {
        self.shared.table.load().named(host).cloned()
    }

    fn of_target(&self, target: &str) -> Option<Published> {
        let publication = self.publication(target)?;
        Some(Published { target: target.into(), publication })
    }

    /// The target that a client means who names none.
    fn single(&self, wanted: impl Fn(&Access) -> bool) -> Option<Published> {
        let table = self.shared.table.load();
        let mut targets = table.targets.iter().filter(|(_, found)| wanted(&found.access));
        let (target, publication) = targets.next()?;
        let published = Published { target: target.clone(), publication: publication.clone() };
        targets.next().is_none().then_some(published)
    }
}

impl ResolvesServerCert for Publications {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().map(str::to_ascii_lowercase);
        if hello.alpn().is_some_and(|mut offered| offered.all(|one| one == ALPN_ACME_TLS_1)) {
            return self.shared.alpn.get(&name?);
        }
        let published = match name {
            Some(name) => self.named(&name)?,
            None => self.single(|access| matches!(access, Access::Tls { .. }))?,
        };
        match &published.publication.access {
            Access::Tls { certificate, .. } => Some(Arc::clone(certificate)),
            Access::Plain => None,
        }
    }
}

/// By the time of publication: of two targets with one name the later has it.
type Targets = Vec<(Arc<str>, Arc<Publication>)>;

/// One target's entry, as found by a name.
#[derive(Debug, Clone)]
struct Published {
    target: Arc<str>,
    publication: Arc<Publication>,
}

/// All publications, with an index of their names.
#[derive(Default)]
struct Table {
    targets: Targets,
    exact: HashMap<String, Published>,
    /// By what follows `*.`.
    wildcard: HashMap<String, Published>,
}

impl Table {
    fn new(targets: Targets) -> Self {
        let mut table = Self { targets, ..Self::default() };
        for (target, publication) in &table.targets {
            let published = Published { target: target.clone(), publication: publication.clone() };
            for name in &publication.names {
                match name.strip_prefix("*.") {
                    Some(parent) => table.wildcard.insert(parent.to_owned(), published.clone()),
                    None => table.exact.insert(name.clone(), published.clone()),
                };
            }
        }
        table
    }

    fn named(&self, host: &str) -> Option<&Published> {
        let wildcard = || self.wildcard.get(host.split_once('.')?.1);
        self.exact.get(host).or_else(wildcard)
    }
}
