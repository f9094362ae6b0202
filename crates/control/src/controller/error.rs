// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Why a change is refused or failed.

use std::error::Error as _;

use thiserror::Error;

use crate::certificate::Refusal;
use crate::dns::DnsError;
use crate::issuer::IssueError;
use crate::name::NameError;
use crate::ocsp::OcspError;
use crate::operation::Problem;
use crate::proof::ProofError;
use crate::ssl::SslError;
use crate::store::StoreError;
use crate::target::TargetNameError;

/// Why a change was refused, before it began, or failed; nothing has changed then.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ControlError {
    /// What was asked for contradicts itself.
    #[error(transparent)]
    Ssl(#[from] SslError),
    /// Which cluster?
    #[error(
        "an attached cluster is named by its resource group and its name, or by its resource identifier; no other target has any of these"
    )]
    ClusterNames,
    /// The own certificate is not fit.
    #[error(transparent)]
    Certificate(#[from] Refusal),
    /// A name breaks a rule.
    #[error(transparent)]
    Name(NameError),
    /// The target's name breaks a rule.
    #[error(transparent)]
    TargetName(#[from] TargetNameError),
    /// There is no such target.
    #[error("there is no target {target}: `sealgate target list` shows those there are")]
    UnknownTarget {
        /// Its name.
        target: String,
    },
    /// There is such a target.
    #[error("there is a target {target} already: update it, or delete it first")]
    Exists {
        /// Its name.
        target: String,
    },
    /// No more targets.
    #[error(
        "there are {} targets, as many as one server keeps: delete one first",
        super::MAX_TARGETS
    )]
    TooManyTargets,
    /// Too many changes wait.
    #[error("changes of {target} are under way and wait: try again when they have ended")]
    Busy {
        /// The target.
        target: String,
    },
    /// Another change came first.
    #[error("another change of target {target} came in between: look at it, and ask again")]
    Overtaken {
        /// The target.
        target: String,
    },
    /// Nowhere to serve without TLS.
    #[error("the server listens nowhere without TLS: start it with --http-listen first")]
    NoPlainListener,
    /// The label is another target's.
    #[error(
        "the label {label} is that of target {holder}: choose another, or ask to overwrite the existing domain"
    )]
    LabelTaken {
        /// The label.
        label: String,
        /// Who has it.
        holder: String,
    },
    /// The name is another target's.
    #[error("{name} is published by target {holder}: change that first")]
    NameTaken {
        /// The name.
        name: String,
        /// Who has it.
        holder: String,
    },
    /// The name could not be published.
    #[error(transparent)]
    Dns(#[from] DnsError),
    /// The responder did not give the status that the certificate asks for.
    #[error(transparent)]
    Ocsp(#[from] OcspError),
    /// The authority gave no certificate.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// The server did not show the new certificate; the old one is served.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The change could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no name to ask for.
    #[error("target {target} has no name yet: give it a certificate")]
    Nameless {
        /// The target.
        target: String,
    },
}

impl ControlError {
    /// The error for programs and people, its causes in the line.
    pub fn problem(&self) -> Problem {
        let mut message = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !message.ends_with(&text) {
                message = format!("{message}: {text}");
            }
            cause = error.source();
        }
        Problem { code: self.code(), message, exit_code: self.exit_code() }
    }

    /// Which kind, in words that stay.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Ssl(error) => error.code(),
            Self::Certificate(refusal) => refusal.code(),
            Self::ClusterNames => "cluster-names",
            Self::Name(_) => "bad-name",
            Self::TargetName(_) => "bad-target-name",
            Self::UnknownTarget { .. } => "unknown-target",
            Self::Exists { .. } => "target-exists",
            Self::TooManyTargets => "too-many-targets",
            Self::Busy { .. } => "busy",
            Self::Overtaken { .. } => "overtaken",
            Self::NoPlainListener => "no-plain-listener",
            Self::LabelTaken { .. } => "label-taken",
            Self::NameTaken { .. } => "name-taken",
            Self::Dns(_) => "dns",
            Self::Issue(_) => "issuer",
            Self::Ocsp(_) => "ocsp",
            Self::Proof(_) => "not-served",
            Self::Store(_) => "not-kept",
            Self::Nameless { .. } => "nameless",
        }
    }

    /// The exit code of the command line: 3 to 9 for what is asked, 10 to 19 for what surrounds it, from 20 the
    /// certificate's own.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Certificate(refusal) => refusal.exit_code(),
            Self::Ssl(SslError::Label(_) | SslError::Cname(_))
            | Self::Name(_)
            | Self::TargetName(_) => 4,
            Self::Ssl(_) | Self::ClusterNames => 3,
            Self::UnknownTarget { .. } => 5,
            Self::Exists { .. } => 6,
            Self::LabelTaken { .. } | Self::NameTaken { .. } => 7,
            Self::Busy { .. } | Self::Overtaken { .. } | Self::TooManyTargets => 8,
            Self::Nameless { .. } | Self::NoPlainListener => 9,
            Self::Dns(_) => 10,
            Self::Issue(_) => 11,
            Self::Proof(_) => 12,
            Self::Store(_) => 13,
            Self::Ocsp(_) => 15,
        }
    }

    /// The status of the answer over HTTP (RFC 9110, section 15).
    pub fn status(&self) -> u16 {
        match self {
            Self::Ssl(_)
            | Self::ClusterNames
            | Self::Certificate(_)
            | Self::Name(_)
            | Self::TargetName(_) => 422,
            Self::UnknownTarget { .. } | Self::Nameless { .. } => 404,
            Self::Exists { .. }
            | Self::LabelTaken { .. }
            | Self::NameTaken { .. }
            | Self::NoPlainListener
            | Self::Overtaken { .. } => 409,
            Self::Busy { .. } | Self::TooManyTargets => 503,
            Self::Dns(_) | Self::Issue(_) | Self::Ocsp(_) => 502,
            Self::Proof(_) | Self::Store(_) => 500,
        }
    }
}
