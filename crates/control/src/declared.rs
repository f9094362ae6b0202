// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Targets declared in a file: the server is brought to what it says, again whenever it changes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::controller::{ControlError, Controller};
use crate::operation::{Operation, OperationState};
use crate::ssl::SslConfiguration;
use crate::target::{Kind, TargetName};

/// How long one change is waited for before the next begins.
const PATIENCE: Duration = Duration::from_secs(600);

/// Largest file.
const MAX_BYTES: u64 = 1 << 20;

/// What a file declares. Targets that it declared before and does not any more are ended.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    /// By name.
    pub targets: BTreeMap<TargetName, DeclaredTarget>,
}

/// One target.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeclaredTarget {
    /// `provisioned` (the default) or `container`.
    pub kind: DeclaredKind,
    /// How it is published; by default with a managed certificate under its own name.
    pub ssl: DeclaredSsl,
}

/// Kinds that can be declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DeclaredKind {
    /// A cluster.
    #[default]
    Provisioned,
    /// A single container.
    Container,
}

/// How a declared target is published: certificates by their files, which are watched.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DeclaredSsl {
    /// `Enabled`, `Auto` or `Disabled`.
    pub status: Option<String>,
    /// Name of the own certificate.
    pub cname: Option<String>,
    /// Its chain.
    pub cert_file: Option<PathBuf>,
    /// Its key.
    pub key_file: Option<PathBuf>,
    /// Label of a managed name.
    pub leaf_domain_label: Option<String>,
    /// Whether the label may be another target's.
    pub overwrite_existing_domain: Option<bool>,
}

impl Declared {
    /// Reads a file. Paths in it are relative to its folder.
    ///
    /// # Errors
    ///
    /// [`DeclaredError`] when it cannot be read or is not what it should be.
    pub fn read(path: &Path) -> Result<Self, DeclaredError> {
        let failed = |source| DeclaredError::Read { path: path.to_owned(), source };
        if fs::metadata(path).map_err(failed)?.len() > MAX_BYTES {
            return Err(DeclaredError::TooLarge { path: path.to_owned() });
        }
        let text = fs::read_to_string(path).map_err(failed)?;
        let mut declared: Self = serde_saphyr::from_str(&text).map_err(|error| {
            let why = error.to_string().lines().next().unwrap_or_default().to_owned();
            DeclaredError::Malformed { path: path.to_owned(), why }
        })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        for target in declared.targets.values_mut() {
            for file in [&mut target.ssl.cert_file, &mut target.ssl.key_file].into_iter().flatten()
            {
                *file = folder.join(&*file);
            }
        }
        Ok(declared)
    }

    /// The files of certificates and keys, which are to be watched.
    pub fn files(&self) -> Vec<PathBuf> {
        let pairs = self.targets.values().map(|target| &target.ssl);
        pairs.flat_map(|ssl| ssl.cert_file.iter().chain(&ssl.key_file).cloned()).collect()
    }
}

impl DeclaredSsl {
    fn configuration(&self) -> Result<SslConfiguration, DeclaredError> {
        let read = |path: &Option<PathBuf>| {
            let read = |path: &PathBuf| {
                let failed = |source| DeclaredError::Read { path: path.clone(), source };
                fs::read_to_string(path).map_err(failed)
            };
            path.as_ref().map(read).transpose()
        };
        Ok(SslConfiguration {
            status: self.status.clone(),
            cert: read(&self.cert_file)?,
            key: read(&self.key_file)?.map(Zeroizing::new),
            cname: self.cname.clone(),
            leaf_domain_label: self.leaf_domain_label.clone(),
            overwrite_existing_domain: self.overwrite_existing_domain,
            renew: None,
        })
    }
}

/// Brings the server to what `declared` says, one target after the other. What fails is told, and the rest goes on.
///
/// # Errors
///
/// One [`DeclaredError`] for each target that is not as declared.
pub async fn reconcile(
    controller: &Controller,
    declared: &Declared,
) -> Result<(), Vec<DeclaredError>> {
    let mut errors = Vec::new();
    for name in controller.declared() {
        if !declared.targets.contains_key(&name) {
            tracing::info!(target = %name, "no longer declared");
            let deleted = controller.delete(&name);
            errors.extend(end(controller, &name, deleted).await.err());
        }
    }
    for (name, target) in &declared.targets {
        errors.extend(bring(controller, name, target).await.err());
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

async fn bring(
    controller: &Controller,
    name: &TargetName,
    target: &DeclaredTarget,
) -> Result<(), DeclaredError> {
    let kind = match target.kind {
        DeclaredKind::Provisioned => Kind::Provisioned,
        DeclaredKind::Container => Kind::Container,
    };
    let mut ssl = target.ssl.configuration()?;
    if target.ssl == DeclaredSsl::default() {
        // Said of a target that is there, nothing would mean to leave it as it is.
        ssl.leaf_domain_label = Some(name.to_string());
    }
    let Ok(present) = controller.view(name) else {
        let created = controller.create(name, kind, &ssl, true);
        return end(controller, name, created).await;
    };
    if present.kind != kind {
        return Err(DeclaredError::Target {
            target: name.to_string(),
            why: "it is of another kind, which cannot be changed: delete it first".to_owned(),
        });
    }
    controller.mark_declared(name);
    if controller.is_published_so(name, &ssl) {
        return Ok(());
    }
    let updated = controller.update(name, &ssl);
    end(controller, name, updated).await
}

/// Waits for the end of an operation that may not have begun.
async fn end(
    controller: &Controller,
    name: &TargetName,
    begun: Result<Operation, ControlError>,
) -> Result<(), DeclaredError> {
    let failed = |why| DeclaredError::Target { target: name.to_string(), why };
    let operation = begun.map_err(|error| failed(error.problem().message))?;
    match controller.operation(operation.id, PATIENCE).await {
        Some(Operation { state: OperationState::Succeeded, .. }) => Ok(()),
        Some(Operation { error: Some(problem), .. }) => Err(failed(problem.message)),
        _ => Err(failed("the change has not ended yet".to_owned())),
    }
}

/// Why a target is not as declared.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DeclaredError {
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is far too large.
    #[error("{} is larger than 1 MiB: it should declare targets", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file is not what it should be.
    #[error("{} does not declare targets: {why}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and what.
        why: String,
    },
    /// A change was refused or failed.
    #[error("target {target} is not as declared: {why}")]
    Target {
        /// Its name.
        target: String,
        /// What is wrong.
        why: String,
    },
}
