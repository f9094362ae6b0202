// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Targets as they are shown: everything but keys.

use std::net::IpAddr;
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use sealgate_frontend::{Kind as SampleKind, MetricsSource, Sample, Value};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ControlError, Controller, Entry, Settings};
use crate::certificate::{Checked, rfc3339};
use crate::name::DnsName;
use crate::ssl::{Change, SslConfiguration, Status};
use crate::target::{Kind, Target, TargetName, Tls};

/// An own certificate that expires this soon is warned about, ...
const EXPIRY_WARNING: Duration = Duration::from_secs(21 * 24 * 3600);

/// ... or when this part of its lifetime is left, if that is less.
const EXPIRY_WARNING_PART: u32 = 3;

/// A target.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetView {
    /// Its name.
    #[schema(value_type = String)]
    pub name: TargetName,
    /// Where it came from.
    #[serde(flatten)]
    pub kind: Kind,
    /// `Succeeded`, `Updating` or `Failed`.
    pub provisioning_state: &'static str,
    /// How it is published.
    pub ssl_configuration: SslView,
    /// Where its service is scored, once it is published.
    pub scoring_uri: Option<String>,
    /// The addresses that its name should point at.
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<IpAddr>,
    /// The certificate that it is published with.
    pub certificate: Option<CertificateView>,
    /// Why the last change failed.
    pub last_error: Option<String>,
}

/// How a target is published.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SslView {
    /// `Enabled`, `Auto` or `Disabled`; nothing before the first certificate.
    pub status: Option<Status>,
    /// The name.
    pub cname: Option<String>,
    /// The label of its managed name.
    pub leaf_domain_label: Option<String>,
}

/// What is public of a certificate.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CertificateView {
    /// The names it is for.
    pub names: Vec<String>,
    /// Who issued it.
    pub issuer: String,
    /// The kind of its key and the size.
    pub key: String,
    /// Its first moment (RFC 3339).
    pub not_before: String,
    /// Its last moment (RFC 3339).
    pub not_after: String,
    /// SHA-256 of the certificate, in hexadecimal.
    pub fingerprint_sha256: String,
    /// When it is renewed (RFC 3339), if it is managed.
    pub renew_at: Option<String>,
}

/// Whether the server is ready, and what will need a person.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Readiness {
    /// Whether every target is published.
    pub ready: bool,
    /// One line each.
    pub warnings: Vec<String>,
}

impl Controller {
    /// All targets, by name.
    pub fn views(&self) -> Vec<TargetView> {
        self.entries().values().map(|entry| view(entry, &self.shared.settings)).collect()
    }

    /// One target.
    ///
    /// # Errors
    ///
    /// [`ControlError`] when there is none.
    pub fn view(&self, name: &TargetName) -> Result<TargetView, ControlError> {
        let entries = self.entries();
        let entry = entries.get(name).ok_or_else(|| super::unknown(name))?;
        Ok(view(entry, &self.shared.settings))
    }

    /// The targets that the declared file made.
    pub fn declared(&self) -> Vec<TargetName> {
        let entries = self.entries();
        let declared = entries.values().filter(|entry| entry.target.declared);
        declared.map(|entry| entry.target.name.clone()).collect()
    }

    /// Notes that the declared file has this target, and may take it away.
    pub fn mark_declared(&self, name: &TargetName) {
        let mut entries = self.entries();
        let Some(entry) = entries.get_mut(name).filter(|entry| !entry.target.declared) else {
            return;
        };
        entry.target.declared = true;
        if let Err(error) = self.shared.parts.store.keep(&[&entry.target], &[]) {
            tracing::error!(target = %name, %error, "the declaration could not be kept");
        }
    }

    /// Whether a target is published as `ssl` asks, so that nothing is to be done.
    pub fn is_published_so(&self, name: &TargetName, ssl: &SslConfiguration) -> bool {
        let Ok(target) = self.target(name) else { return false };
        match (ssl.decide(target.current()), &target.tls) {
            (Ok(Change::Disable), Tls::Disabled { .. }) => true,
            (Ok(Change::Managed { label, .. }), Tls::Managed { .. }) => {
                target.managed.is_some_and(|managed| managed.label == label)
            }
            (Ok(Change::Own { cname, cert, key }), Tls::Own { cname: present, certificate }) => {
                let same = || {
                    let checked = Checked::kept(&cert, &key).ok()?;
                    let kept = Checked::kept(&certificate.chain_pem, &certificate.key_pem).ok()?;
                    Some(checked.leaf() == kept.leaf() && checked.chain_pem() == kept.chain_pem())
                };
                cname == *present && same().unwrap_or(false)
            }
            _ => false,
        }
    }

    /// The name of a target and the addresses that it should point at.
    ///
    /// # Errors
    ///
    /// [`ControlError`] when there is no such target, or it has no name yet.
    pub fn expected_addresses(
        &self,
        name: &TargetName,
    ) -> Result<(DnsName, Vec<IpAddr>), ControlError> {
        let target = self.target(name)?;
        let published = target.host().or_else(|| target.managed_name());
        let published =
            published.ok_or_else(|| ControlError::Nameless { target: name.to_string() })?;
        Ok((published, self.shared.settings.addresses.clone()))
    }

    /// The root that clients need for managed certificates, in PEM, if it is not one they have.
    pub fn authority_pem(&self) -> Option<String> {
        self.shared.parts.issuer.root_pem()
    }

    /// Whether the server is ready, and what will need a person.
    pub fn readiness(&self) -> Readiness {
        let now = SystemTime::now();
        let (ready, mut warnings): (_, Vec<String>) = {
            let entries = self.entries();
            let ready = entries.values().all(|entry| !matches!(entry.target.tls, Tls::Pending));
            (ready, entries.values().filter_map(|entry| warning(entry, now)).collect())
        };
        warnings.extend(self.name_warnings());
        warnings.extend(self.undeclared().clone());
        warnings.extend(self.shared.parts.issuer.warning(now));
        Readiness { ready, warnings }
    }

    /// Notes why the targets are not as they are declared, or that they are.
    pub fn note_undeclared(&self, why: Option<String>) {
        *self.undeclared() = why;
    }

    fn undeclared(&self) -> MutexGuard<'_, Option<String>> {
        self.shared.undeclared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn view(entry: &Entry, settings: &Settings) -> TargetView {
    let target = &entry.target;
    let provisioning_state = match (entry.pending, &target.last_error) {
        (1.., _) => "Updating",
        (0, Some(_)) => "Failed",
        (0, None) => "Succeeded",
    };
    let certificate = entry.summary.as_ref().map(|summary| CertificateView {
        names: summary.names.clone(),
        issuer: summary.issuer.clone(),
        key: summary.key.clone(),
        not_before: rfc3339(summary.not_before),
        not_after: rfc3339(summary.not_after),
        fingerprint_sha256: summary.fingerprint_sha256.clone(),
        renew_at: entry.renew_at.map(rfc3339),
    });
    TargetView {
        name: target.name.clone(),
        kind: target.kind.clone(),
        provisioning_state,
        ssl_configuration: ssl_view(target),
        scoring_uri: scoring_uri(target, settings),
        addresses: settings.addresses.clone(),
        certificate,
        last_error: target.last_error.clone(),
    }
}

fn ssl_view(target: &Target) -> SslView {
    let status = match target.tls {
        Tls::Pending => None,
        Tls::Disabled { .. } => Some(Status::Disabled),
        Tls::Own { .. } => Some(Status::Enabled),
        Tls::Managed { .. } => Some(Status::Auto),
    };
    let label = match target.tls {
        Tls::Managed { .. } | Tls::Pending => target.managed.as_ref(),
        Tls::Own { .. } | Tls::Disabled { .. } => None,
    };
    SslView {
        status,
        cname: target.names().first().map(ToString::to_string),
        leaf_domain_label: label.map(|managed| managed.label.to_string()),
    }
}

fn scoring_uri(target: &Target, settings: &Settings) -> Option<String> {
    let tls = match target.tls {
        Tls::Pending => return None,
        Tls::Disabled { .. } => false,
        Tls::Own { .. } | Tls::Managed { .. } => true,
    };
    let (scheme, port, usual) =
        if tls { ("https", settings.https_port, 443) } else { ("http", settings.http_port?, 80) };
    let address = || match settings.addresses.first()? {
        IpAddr::V4(address) => Some(address.to_string()),
        IpAddr::V6(address) => Some(format!("[{address}]")),
    };
    let host = target.host().map(String::from).or_else(address)?;
    let port = if port == usual { String::new() } else { format!(":{port}") };
    Some(format!("{scheme}://{host}{port}/api/v1/service/{}/score", target.name))
}

/// What a person should know of a target.
fn warning(entry: &Entry, now: SystemTime) -> Option<String> {
    let target = &entry.target;
    let name = &target.name;
    let error = target.last_error.as_ref();
    let Some(summary) = &entry.summary else {
        return match (&target.tls, error) {
            (Tls::Disabled { .. }, error) => Some(last_failed(name, error?)),
            (_, Some(error)) => Some(format!("target {name} is not published: {error}")),
            (_, None) => Some(format!("target {name} is not published yet")),
        };
    };
    let left = summary.not_after.duration_since(now).unwrap_or_default();
    let lifetime = summary.not_after.duration_since(summary.not_before).unwrap_or_default();
    let until = rfc3339(summary.not_after);
    let own = matches!(target.tls, Tls::Own { .. });
    // Other changes may have failed too; those that were due are counted.
    let renewal = error.filter(|_| entry.failures > 0);
    let renewal = renewal.map(|error| format!(" and is not renewed: {error}"));
    if left.is_zero() {
        let renewal = renewal.unwrap_or_default();
        return Some(format!("the certificate of target {name} has expired ({until}){renewal}"));
    }
    if summary.not_before > now {
        let since = rfc3339(summary.not_before);
        return Some(format!(
            "the certificate of target {name} is not valid before {since}: look at the clock"
        ));
    }
    if own && left < EXPIRY_WARNING.min(lifetime / EXPIRY_WARNING_PART) {
        return Some(format!("the certificate of target {name} expires at {until}: update it"));
    }
    if let Some(renewal) = renewal {
        return Some(format!("the certificate of target {name} expires at {until}{renewal}"));
    }
    if let Some(error) = &entry.staple_error {
        return Some(format!("the certificate of target {name} has no status to staple: {error}"));
    }
    Some(last_failed(name, error?))
}

fn last_failed(name: &TargetName, error: &str) -> String {
    format!("target {name} is published as before its last change, which failed: {error}")
}

impl MetricsSource for Controller {
    fn samples(&self) -> Vec<Sample> {
        let entries = self.entries();
        let mut samples = Vec::new();
        for entry in entries.values() {
            let labels = vec![("target", entry.target.name.to_string())];
            let mut gauge = |name, help, value| {
                let labels = labels.clone();
                samples.push(Sample { name, help, kind: SampleKind::Gauge, labels, value });
            };
            let tls = entry.summary.is_some();
            gauge("sealgate_target_tls", "Whether the target has TLS", Value::Integer(tls.into()));
            let failed = entry.target.last_error.is_some();
            gauge(
                "sealgate_target_failed",
                "Whether the last change of the target failed",
                Value::Integer(failed.into()),
            );
            if let Some(summary) = &entry.summary {
                let expiry = summary.not_after.duration_since(SystemTime::UNIX_EPOCH);
                gauge(
                    "sealgate_certificate_not_after_seconds",
                    "Last moment of the target's certificate, in seconds of Unix time",
                    Value::Float(expiry.unwrap_or_default().as_secs_f64()),
                );
            }
        }
        samples
    }
}
