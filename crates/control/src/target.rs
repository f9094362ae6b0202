// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A target: what is published under names of its own, and what is kept of it.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::name::{DnsName, LeafLabel, NameError, shown};
use crate::ssl::Current;

/// Longest name of a target, in characters.
const MAX_TARGET_NAME: usize = 32;

/// What operators call a target: letters, digits and hyphens, a letter first. Also the name of its
/// service in paths.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TargetName(String);

impl TargetName {
    /// Takes a name.
    ///
    /// # Errors
    ///
    /// [`TargetNameError`] when it breaks the rule.
    pub fn parse(text: &str) -> Result<Self, TargetNameError> {
        let characters = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let letter = text.bytes().next().is_some_and(|first| first.is_ascii_alphabetic());
        if !characters || !letter || text.len() > MAX_TARGET_NAME || text.ends_with('-') {
            return Err(TargetNameError(shown(text)));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for TargetName {
    type Error = TargetNameError;

    fn try_from(text: String) -> Result<Self, TargetNameError> {
        Self::parse(&text)
    }
}

impl From<TargetName> for String {
    fn from(name: TargetName) -> Self {
        name.0
    }
}

/// A text that is no name of a target.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0:?} cannot name a target: take up to {MAX_TARGET_NAME} letters, digits and hyphens, a letter first \
     and no hyphen last"
)]
pub struct TargetNameError(String);

/// Where a target came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Kind {
    /// A cluster that was made for the purpose.
    Provisioned,
    /// A cluster that was there before.
    #[serde(rename_all = "camelCase")]
    Attached {
        /// Its group and name, or its identifier, as the operator wrote them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resource_group: Option<String>,
        /// Name of the cluster.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cluster_name: Option<String>,
        /// Identifier in the place of the two.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resource_id: Option<String>,
    },
    /// A single container.
    Container,
}

/// Everything that is kept of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Its name.
    pub name: TargetName,
    /// Where it came from.
    #[serde(flatten)]
    pub kind: Kind,
    /// How it is published.
    pub tls: Tls,
    /// The managed name that is kept for it, published or not, so that its random characters stay.
    pub managed: Option<ManagedName>,
    /// Why the last change failed; nothing after one that succeeded.
    pub last_error: Option<String>,
    /// Whether the file of declared targets made it, and may take it away.
    #[serde(default)]
    pub declared: bool,
}

/// How a target is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tls {
    /// Not at all: it waits for its first certificate.
    Pending,
    /// Without TLS, as an operator asked.
    Disabled {
        /// The names that it had with TLS.
        names: Vec<DnsName>,
    },
    /// With an own certificate.
    Own {
        /// The name it is for.
        cname: DnsName,
        /// Chain and key.
        certificate: KeptCertificate,
    },
    /// With a managed certificate, under the managed name.
    Managed {
        /// Chain and key.
        certificate: KeptCertificate,
        /// Who issued it.
        issuer: String,
    },
}

/// A certificate with its key, as it is kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptCertificate {
    /// The chain in PEM, the server's own certificate first.
    pub chain_pem: String,
    /// The private key in PEM.
    pub key_pem: Zeroizing<String>,
}

impl fmt::Debug for KeptCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptCertificate").finish_non_exhaustive()
    }
}

/// A label with its random characters and the domain they were chosen for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagedName {
    /// What the operator calls it.
    pub label: LeafLabel,
    /// The six random characters.
    pub suffix: String,
    /// `<region>.<zone>`.
    pub domain: DnsName,
}

impl ManagedName {
    /// `<label><suffix>.<region>.<zone>`.
    ///
    /// # Errors
    ///
    /// [`NameError`] when that is too long.
    pub fn name(&self) -> Result<DnsName, NameError> {
        self.label.under(&self.suffix, &self.domain)
    }
}

impl Target {
    /// A target that nothing was asked for yet.
    pub fn new(name: TargetName, kind: Kind) -> Self {
        Self { name, kind, tls: Tls::Pending, managed: None, last_error: None, declared: false }
    }

    /// What a decision depends on.
    pub fn current(&self) -> Current<'_> {
        match (&self.tls, &self.managed) {
            (Tls::Own { .. }, _) => Current::Own,
            // One that waits for its first managed certificate can be told to go on.
            (Tls::Managed { .. } | Tls::Pending, Some(managed)) => Current::Managed(&managed.label),
            (Tls::Disabled { .. } | Tls::Managed { .. } | Tls::Pending, _) => Current::Disabled,
        }
    }

    /// The host that its clients ask for: its name, or under a wildcard the target's own name.
    pub fn host(&self) -> Option<DnsName> {
        let names = self.names();
        let own = |wildcard: &DnsName| {
            let domain = wildcard.as_str().strip_prefix("*.")?;
            DnsName::parse(&format!("{}.{domain}", self.name)).ok()
        };
        let exact = names.iter().find(|name| !name.is_wildcard()).cloned();
        exact.or_else(|| names.iter().find_map(own))
    }

    /// The names that it is published under.
    pub fn names(&self) -> Vec<DnsName> {
        match &self.tls {
            Tls::Pending => Vec::new(),
            Tls::Disabled { names } => names.clone(),
            Tls::Own { cname, .. } => vec![cname.clone()],
            Tls::Managed { .. } => self.managed_name().into_iter().collect(),
        }
    }

    /// The managed name that is kept for it.
    pub fn managed_name(&self) -> Option<DnsName> {
        self.managed.as_ref().and_then(|managed| managed.name().ok())
    }

    /// The certificate that it is published with.
    pub fn certificate(&self) -> Option<&KeptCertificate> {
        match &self.tls {
            Tls::Own { certificate, .. } | Tls::Managed { certificate, .. } => Some(certificate),
            Tls::Pending | Tls::Disabled { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_letters_digits_and_hyphens() {
        for good in ["a", "aks-1", "MyCluster", &"a".repeat(MAX_TARGET_NAME)] {
            assert!(TargetName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "1a", "-a", "a-", "a_b", "a/b", "a b", &"a".repeat(MAX_TARGET_NAME + 1)] {
            assert!(TargetName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_kept_comes_back_and_shows_no_key() {
        let mut target = Target::new(TargetName::parse("aks").unwrap(), Kind::Container);
        target.tls = Tls::Own {
            cname: DnsName::parse("a.example.com").unwrap(),
            certificate: KeptCertificate {
                chain_pem: "chain".to_owned(),
                key_pem: Zeroizing::new("very secret".to_owned()),
            },
        };
        let kept = serde_json::to_string(&target).unwrap();
        assert_eq!(serde_json::from_str::<Target>(&kept).unwrap(), target);
        assert!(!format!("{target:?}").contains("secret"));
    }
}
