// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What an operator may ask for, and what it means: decided without I/O.
//!
//! The fields, the statuses and the precedence are those of the public SDK of the service that
//! sealgate stands in for. Where that accepts anything (any status, any label, contradictions) this is strict
//! and says what is wrong.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::name::{DnsName, LeafLabel, NameError, shown};

/// A change of a target's TLS, as asked for.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SslConfiguration {
    /// `Enabled` (own certificate), `Auto` (managed certificate) or `Disabled`.
    pub status: Option<String>,
    /// Full certificate chain in PEM, the server's own certificate first.
    pub cert: Option<String>,
    /// Private key of the certificate, in PEM, without passphrase.
    #[schema(value_type = Option<String>, write_only)]
    pub key: Option<Zeroizing<String>>,
    /// Fully qualified name that the own certificate is for.
    pub cname: Option<String>,
    /// First label of a managed name, without its six random characters.
    pub leaf_domain_label: Option<String>,
    /// Take the label over when another target has it.
    pub overwrite_existing_domain: Option<bool>,
    /// Get a new managed certificate although the present one is valid.
    pub renew: Option<bool>,
}

impl fmt::Debug for SslConfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SslConfiguration")
            .field("status", &self.status)
            .field("cert", &self.cert.as_ref().map(String::len))
            .field("cname", &self.cname)
            .field("leaf_domain_label", &self.leaf_domain_label)
            .field("overwrite_existing_domain", &self.overwrite_existing_domain)
            .field("renew", &self.renew)
            .finish_non_exhaustive()
    }
}

/// How a target is published now, as far as a decision depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Current<'a> {
    /// Without TLS.
    Disabled,
    /// With an own certificate.
    Own,
    /// With a managed certificate under this label.
    Managed(&'a LeafLabel),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Leave everything as it is.
    Nothing,
    /// Publish without TLS.
    Disable,
    /// Get a new certificate for the managed name that is there.
    Renew,
    /// Publish with an own certificate, once it has passed its checks.
    Own {
        /// The name it is for.
        cname: DnsName,
        /// The chain in PEM.
        cert: String,
        /// The key in PEM.
        key: Zeroizing<String>,
    },
    /// Publish under a managed name.
    Managed {
        /// Its label.
        label: LeafLabel,
        /// Whether the label may be another target's.
        overwrite: bool,
    },
}

/// The three statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Status {
    /// An own certificate.
    Enabled,
    /// A managed certificate.
    Auto,
    /// No TLS.
    Disabled,
}

impl SslConfiguration {
    /// What this asks for, given how the target is published now.
    ///
    /// First everything that contradicts itself is refused; then the first of these holds:
    /// `Disabled`, `renew`, an own certificate, a label, nothing.
    ///
    /// # Errors
    ///
    /// [`SslError`] that says what is wrong.
    pub fn decide(&self, current: Current<'_>) -> Result<Change, SslError> {
        self.check_filled()?;
        let status = self.status()?;
        let own = self.own()?;
        let label = self.leaf_domain_label.as_deref();
        let label = label.map(LeafLabel::parse).transpose().map_err(SslError::Label)?;
        let overwrite = self.overwrite_existing_domain.unwrap_or(false);
        let renew = self.renew.unwrap_or(false);

        if own.is_some() && label.is_some() {
            return Err(SslError::OwnAndManaged);
        }
        if own.is_some() && overwrite {
            return Err(SslError::OwnAndOverwrite);
        }
        match status {
            Some(Status::Disabled) => return Ok(Change::Disable),
            Some(Status::Enabled) if renew || label.is_some() => {
                return Err(SslError::EnabledIsOwn);
            }
            Some(Status::Enabled) if own.is_none() => return Err(SslError::EnabledWithoutOwn),
            Some(Status::Auto) if own.is_some() => return Err(SslError::AutoIsManaged),
            Some(Status::Auto) if label.is_none() && !renew => {
                return Err(SslError::AutoWithoutLabel);
            }
            _ => {}
        }
        if renew {
            return Self::renew(current, own.is_some(), label, overwrite);
        }
        if let Some(change) = own {
            return Ok(change);
        }
        match label {
            Some(label) => Ok(Change::Managed { label, overwrite }),
            None if overwrite => Err(SslError::OverwriteWithoutLabel),
            None => Ok(Change::Nothing),
        }
    }

    /// A value with nothing in it is most often a variable that was not set: no change is meant by it.
    fn check_filled(&self) -> Result<(), SslError> {
        let key = self.key.as_ref().map(|key| key.as_str());
        let fields = [
            ("cname", self.cname.as_deref()),
            ("cert", self.cert.as_deref()),
            ("key", key),
            ("leafDomainLabel", self.leaf_domain_label.as_deref()),
        ];
        let blank = |value: Option<&str>| value.is_some_and(|value| value.trim().is_empty());
        match fields.into_iter().find(|(_, value)| blank(*value)) {
            Some((field, _)) => Err(SslError::Blank { field }),
            None => Ok(()),
        }
    }

    fn renew(
        current: Current<'_>,
        own: bool,
        label: Option<LeafLabel>,
        overwrite: bool,
    ) -> Result<Change, SslError> {
        let Current::Managed(present) = current else { return Err(SslError::RenewNotManaged) };
        if own {
            return Err(SslError::RenewWithOwn);
        }
        match label {
            // A new label brings a new certificate anyway.
            Some(label) if label != *present => Ok(Change::Managed { label, overwrite }),
            _ => Ok(Change::Renew),
        }
    }

    fn status(&self) -> Result<Option<Status>, SslError> {
        match self.status.as_deref() {
            None | Some("") => Ok(None),
            Some("Enabled") => Ok(Some(Status::Enabled)),
            Some("Auto") => Ok(Some(Status::Auto)),
            Some("Disabled") => Ok(Some(Status::Disabled)),
            Some(other) => Err(SslError::UnknownStatus(shown(other))),
        }
    }

    /// The own certificate, of which all three parts are there or none.
    fn own(&self) -> Result<Option<Change>, SslError> {
        let (cname, cert) = (self.cname.as_deref(), self.cert.as_deref());
        let key = self.key.as_ref().map(|key| key.as_str());
        let missing: Vec<&'static str> = [("cname", cname), ("cert", cert), ("key", key)]
            .into_iter()
            .filter_map(|(field, value)| value.is_none().then_some(field))
            .collect();
        match (cname, cert, key) {
            (None, None, None) => Ok(None),
            (Some(cname), Some(cert), Some(key)) => Ok(Some(Change::Own {
                cname: DnsName::parse(cname).map_err(SslError::Cname)?,
                cert: cert.to_owned(),
                key: Zeroizing::new(key.to_owned()),
            })),
            _ => Err(SslError::Partial { missing: missing.join(" and ") }),
        }
    }
}

/// Why a configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SslError {
    /// One or two parts of an own certificate.
    #[error("an own certificate takes cname, cert and key together: {missing} missing")]
    Partial {
        /// What is not there.
        missing: String,
    },
    /// A value with nothing in it.
    #[error("{field} is empty: leave it out, or give it a value")]
    Blank {
        /// Which.
        field: &'static str,
    },
    /// Own and managed at once.
    #[error("give either an own certificate (cname, cert, key) or a leaf domain label, not both")]
    OwnAndManaged,
    /// Overwriting belongs to labels.
    #[error(
        "overwriting an existing domain goes with a leaf domain label, not with an own certificate"
    )]
    OwnAndOverwrite,
    /// Overwriting what?
    #[error("overwriting an existing domain needs the leaf domain label that is to be taken over")]
    OverwriteWithoutLabel,
    /// A status nobody knows.
    #[error("status {0:?} is unknown: it is Enabled (own certificate), Auto (managed) or Disabled")]
    UnknownStatus(String),
    /// `Enabled` beside a label or `renew`.
    #[error(
        "status Enabled means an own certificate (cname, cert, key); a leaf domain label or renew goes with Auto"
    )]
    EnabledIsOwn,
    /// `Enabled` alone.
    #[error("status Enabled needs an own certificate: cname, cert and key")]
    EnabledWithoutOwn,
    /// `Auto` beside an own certificate.
    #[error("status Auto means a managed certificate; cname, cert and key go with Enabled")]
    AutoIsManaged,
    /// `Auto` alone.
    #[error("status Auto needs a leaf domain label")]
    AutoWithoutLabel,
    /// Nothing to renew.
    #[error(
        "only a managed certificate is renewed, and this target has none: give a leaf domain label, or a new own certificate"
    )]
    RenewNotManaged,
    /// A new own certificate needs no renewal.
    #[error(
        "renew is for managed certificates: leave it out to replace this one by an own certificate"
    )]
    RenewWithOwn,
    /// The label breaks a rule.
    #[error("the leaf domain label cannot be used")]
    Label(#[source] NameError),
    /// The cname breaks a rule.
    #[error("the cname cannot be used")]
    Cname(#[source] NameError),
}

impl SslError {
    /// Which kind, in words that stay.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Partial { .. } => "ssl-partial",
            Self::Blank { .. } => "ssl-blank",
            Self::OwnAndManaged => "ssl-own-and-managed",
            Self::OwnAndOverwrite => "ssl-own-and-overwrite",
            Self::OverwriteWithoutLabel => "ssl-overwrite-without-label",
            Self::UnknownStatus(_) => "ssl-unknown-status",
            Self::EnabledIsOwn => "ssl-enabled-is-own",
            Self::EnabledWithoutOwn => "ssl-enabled-without-own",
            Self::AutoIsManaged => "ssl-auto-is-managed",
            Self::AutoWithoutLabel => "ssl-auto-without-label",
            Self::RenewNotManaged => "ssl-renew-not-managed",
            Self::RenewWithOwn => "ssl-renew-with-own",
            Self::Label(_) => "ssl-label",
            Self::Cname(_) => "ssl-cname",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABEL: &str = "contoso";

    /// A request in a few letters: `c`name, c`e`rt, `k`ey, `l`abel, an`o`ther label, over`w`rite, `r`enew.
    fn request(fields: &str, status: &str) -> SslConfiguration {
        let when = |letter, value: &str| fields.contains(letter).then(|| value.to_owned());
        SslConfiguration {
            status: Some(status.to_owned()),
            cert: when('e', "chain"),
            key: when('k', "key").map(Zeroizing::new),
            cname: when('c', "score.example.com"),
            leaf_domain_label: when('l', LABEL).or(when('o', "other")),
            overwrite_existing_domain: Some(fields.contains('w')),
            renew: Some(fields.contains('r')),
        }
    }

    fn summary(decision: &Result<Change, SslError>) -> &'static str {
        match decision {
            Ok(Change::Nothing) => "nothing",
            Ok(Change::Disable) => "disable",
            Ok(Change::Renew) => "renew",
            Ok(Change::Own { .. }) => "own",
            Ok(Change::Managed { overwrite: false, .. }) => "managed",
            Ok(Change::Managed { overwrite: true, .. }) => "take over",
            Err(SslError::Partial { .. }) => "partial",
            Err(SslError::Blank { .. }) => "blank",
            Err(SslError::OwnAndManaged) => "own and managed",
            Err(SslError::OwnAndOverwrite) => "own and overwrite",
            Err(SslError::OverwriteWithoutLabel) => "overwrite what",
            Err(SslError::UnknownStatus(_)) => "unknown status",
            Err(SslError::EnabledIsOwn) => "enabled is own",
            Err(SslError::EnabledWithoutOwn) => "enabled without own",
            Err(SslError::AutoIsManaged) => "auto is managed",
            Err(SslError::AutoWithoutLabel) => "auto without label",
            Err(SslError::RenewNotManaged) => "renew what",
            Err(SslError::RenewWithOwn) => "renew with own",
            Err(SslError::Label(_)) => "label",
            Err(SslError::Cname(_)) => "cname",
        }
    }

    #[test]
    fn every_combination_has_its_meaning() {
        // Fields, status, and what it means for a target that is disabled, has its own
        // certificate, has a managed one.
        let table = [
            ("", "", ["nothing"; 3]),
            ("cek", "", ["own"; 3]),
            ("cek", "Enabled", ["own"; 3]),
            ("l", "", ["managed"; 3]),
            ("l", "Auto", ["managed"; 3]),
            ("lw", "", ["take over"; 3]),
            ("r", "", ["renew what", "renew what", "renew"]),
            ("r", "Auto", ["renew what", "renew what", "renew"]),
            ("lr", "", ["renew what", "renew what", "renew"]),
            ("lwr", "", ["renew what", "renew what", "renew"]),
            ("wr", "", ["renew what", "renew what", "renew"]),
            ("or", "", ["renew what", "renew what", "managed"]),
            ("owr", "", ["renew what", "renew what", "take over"]),
            ("", "Disabled", ["disable"; 3]),
            ("cek", "Disabled", ["disable"; 3]),
            ("lr", "Disabled", ["disable"; 3]),
            ("c", "", ["partial"; 3]),
            ("e", "", ["partial"; 3]),
            ("k", "", ["partial"; 3]),
            ("ce", "", ["partial"; 3]),
            ("ck", "", ["partial"; 3]),
            ("ek", "", ["partial"; 3]),
            ("cl", "", ["partial"; 3]),
            ("ce", "Disabled", ["partial"; 3]),
            ("cekl", "", ["own and managed"; 3]),
            ("ceklwr", "", ["own and managed"; 3]),
            ("cekl", "Disabled", ["own and managed"; 3]),
            ("cekw", "", ["own and overwrite"; 3]),
            ("cekr", "", ["renew what", "renew what", "renew with own"]),
            ("w", "", ["overwrite what"; 3]),
            ("", "Enabled", ["enabled without own"; 3]),
            ("l", "Enabled", ["enabled is own"; 3]),
            ("cekr", "Enabled", ["enabled is own"; 3]),
            ("", "Auto", ["auto without label"; 3]),
            ("cek", "Auto", ["auto is managed"; 3]),
            ("", "enabled", ["unknown status"; 3]),
            ("l", "On", ["unknown status"; 3]),
        ];
        let label = LeafLabel::parse(LABEL).unwrap();
        let currents = [Current::Disabled, Current::Own, Current::Managed(&label)];
        for (fields, status, meanings) in table {
            for (current, meaning) in currents.into_iter().zip(meanings) {
                let found = summary(&request(fields, status).decide(current));
                assert_eq!(found, meaning, "{fields:?} with status {status:?} for {current:?}");
            }
        }
    }

    #[test]
    fn names_are_checked() {
        let mut asked = request("cek", "");
        asked.cname = Some("localhost".to_owned());
        assert_eq!(summary(&asked.decide(Current::Disabled)), "cname");
        let mut asked = request("l", "");
        asked.leaf_domain_label = Some("con_toso".to_owned());
        assert_eq!(summary(&asked.decide(Current::Disabled)), "label");
    }

    #[test]
    fn what_is_missing_is_said() {
        let error = request("e", "").decide(Current::Disabled).unwrap_err();
        let expected =
            "an own certificate takes cname, cert and key together: cname and key missing";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn json_is_the_sdks() {
        let text = r#"{"status": null, "cert": null, "key": null, "cname": null,
            "leafDomainLabel": "contoso", "overwriteExistingDomain": true, "renew": false}"#;
        let asked: SslConfiguration = serde_json::from_str(text).unwrap();
        assert_eq!(summary(&asked.decide(Current::Disabled)), "take over");
        assert!(serde_json::from_str::<SslConfiguration>(r#"{"certificate": ""}"#).is_err());
    }

    #[test]
    fn a_key_is_never_shown() {
        let asked = SslConfiguration {
            key: Some(Zeroizing::new("very secret".to_owned())),
            ..SslConfiguration::default()
        };
        assert!(!format!("{asked:?}").contains("secret"));
    }
}
