// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What goes wrong on the way to a certificate, told in one line with the mend.

use std::fmt;
use std::time::{Duration, Instant};

use instant_acme::{Error, Problem};
use thiserror::Error as ThisError;

use super::challenge::ChallengeKind;
use crate::dns::DnsError;
use crate::issuer::IssueError;

/// What precedes the kinds of problems (RFC 8555, section 6.7).
const KIND_PREFIX: &str = "urn:ietf:params:acme:error:";

/// Characters of a text of the CA that are shown.
const MAX_SAID: usize = 300;

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Register,
    Order,
    Validate(ChallengeKind),
    Finalize,
}

/// A step that failed.
#[derive(Debug)]
pub(super) struct Failure {
    step: Step,
    trouble: Trouble,
}

/// Why it failed.
#[derive(Debug, ThisError)]
pub(super) enum Trouble {
    #[error("{0}")]
    Refused(Refusal),
    #[error("it cannot be reached ({0}): it is tried again")]
    Unreachable(String),
    #[error(
        "its certificate is not trusted ({0}): give the root of the directory, or correct its URL"
    )]
    Untrusted(String),
    #[error("it had not finished in time: it is tried again")]
    Slow(Option<Duration>),
    #[error("its answer makes no sense ({0}): check that the directory is that of an ACME server")]
    Odd(String),
    #[error(
        "it offers the challenges ({0}) and none that sealgate may use and can solve for this name: allow another of them"
    )]
    NoChallenge(String),
    #[error("{0}")]
    Dns(#[from] DnsError),
    #[error("the account could not be kept: {0}")]
    Account(String),
    #[error("the key, request or answer to the challenge could not be made: {0}")]
    Make(String),
}

/// An answer of the CA that says no.
#[derive(Debug, Clone, Default)]
pub(super) struct Refusal {
    /// The status of the response, if it was one's.
    pub(super) status: Option<u16>,
    /// The problem's kind, without what they all begin with; empty for an answer without a document.
    pub(super) kind: String,
    /// What the CA says about it.
    pub(super) said: String,
    /// When to ask again.
    pub(super) retry_after: Option<Duration>,
}

impl Trouble {
    /// Makes it known in which step it came up.
    pub(super) fn at(self, step: Step) -> Failure {
        Failure { step, trouble: self }
    }

    /// Whether the same request may succeed a moment later.
    pub(super) fn passes_soon(&self) -> bool {
        match self {
            Self::Refused(refusal) => {
                refusal.kind == "badNonce" || (!refusal.is_limit() && refusal.is_fault())
            }
            Self::Unreachable(_) => true,
            _ => false,
        }
    }

    /// How long the CA asks to be left alone.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.retry_after,
            Self::Slow(after) => *after,
            _ => None,
        }
    }

    /// Whether the CA refused with this kind of problem.
    pub(super) fn is(&self, kind: &str) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.kind == kind)
    }

    /// Whether the same order may be taken without an extension of it.
    pub(super) fn may_be_of_the_extension(&self) -> bool {
        match self {
            Self::Refused(refusal) => !refusal.is_temporary(),
            Self::Odd(_) => true,
            _ => false,
        }
    }

    /// Whether a later try may succeed with nothing changed by a person.
    fn is_temporary(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.is_temporary(),
            Self::Unreachable(_) | Self::Slow(_) | Self::Odd(_) => true,
            Self::Dns(error) => matches!(error, DnsError::Unreachable { .. }),
            Self::Untrusted(_) | Self::NoChallenge(_) | Self::Account(_) | Self::Make(_) => false,
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::Api(problem) => Self::Refused(problem.into()),
            Error::Timeout(next) => Self::Slow(next.map(|at| at - Instant::now())),
            // The client's own, see there.
            Error::Other(inner) => match inner.downcast::<Self>() {
                Ok(trouble) => *trouble,
                Err(other) => Self::Odd(one_line(&other.to_string())),
            },
            other => Self::Odd(one_line(&other.to_string())),
        }
    }
}

impl Failure {
    /// What those are told who asked for a certificate for `name` of the CA at `host`.
    pub(super) fn tell(&self, name: &impl fmt::Display, host: &str) -> IssueError {
        let mend = match &self.trouble {
            Trouble::Refused(refusal) => format!(": {}", refusal.mend(self.step)),
            _ => String::new(),
        };
        IssueError {
            message: format!("no certificate for {name} from {host}: {}{mend}", self.trouble),
            retry_after: self.trouble.retry_after(),
            temporary: self.trouble.is_temporary(),
        }
    }
}

impl Refusal {
    fn is_limit(&self) -> bool {
        self.kind == "rateLimited" || self.status == Some(429)
    }

    /// Whether the fault is the CA's own.
    fn is_fault(&self) -> bool {
        self.kind == "serverInternal" || self.status.is_some_and(|status| status >= 500)
    }

    fn is_temporary(&self) -> bool {
        // Names and their addresses take a while to be known everywhere.
        let spreads = matches!(&*self.kind, "connection" | "dns" | "tls");
        let passes = matches!(&*self.kind, "badNonce" | "orderNotReady" | "accountDoesNotExist");
        spreads || passes || self.is_limit() || self.is_fault()
    }

    /// What to do about it (kinds of RFC 8555, section 6.7).
    fn mend(&self, step: Step) -> &'static str {
        use ChallengeKind::{Dns01, Http01, TlsAlpn01};
        match (&*self.kind, step) {
            _ if self.is_limit() => "it is left alone for a while; ask for fewer certificates",
            _ if self.is_fault() => "the fault is its own, and it is tried again",
            ("", _) if self.status.is_some() => "check the URL of its directory",
            ("connection", Step::Validate(Http01)) => {
                "let port 80 of the name's address reach sealgate"
            }
            (
                "connection" | "tls" | "unauthorized" | "incorrectResponse",
                Step::Validate(TlsAlpn01),
            ) => {
                "point the name at this sealgate, and let port 443 of its address reach it with no TLS proxy in between"
            }
            ("dns" | "unauthorized" | "incorrectResponse", Step::Validate(Dns01)) => {
                "let the zone be delegated to name servers that answer with the TXT record that sealgate adds"
            }
            ("dns", _) => "publish the name's address, and let the TTL of what was there pass",
            ("unauthorized" | "incorrectResponse", Step::Validate(_)) => {
                "point the name at this sealgate and nowhere else"
            }
            ("caa", _) => "let the CAA records of the name allow this CA, or take another CA",
            ("rejectedIdentifier" | "unsupportedIdentifier", _) => {
                "it never issues for this name; choose another name or another CA"
            }
            ("externalAccountRequired", _) => {
                "configure the key id and the HMAC key that it gives to its customers"
            }
            ("invalidContact" | "unsupportedContact", _) => {
                "configure an e-mail address that it takes as contact"
            }
            ("userActionRequired", _) => "do what it asks for, most often to agree to new terms",
            (_, Step::Register) => {
                "check the contact, and the external account's key id and HMAC key if it gave any"
            }
            ("badNonce" | "orderNotReady" | "accountDoesNotExist", _) => "it is tried again",
            _ => "do as it says, or ask it",
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let kind = problem.r#type.unwrap_or_default();
        let parts = problem.subproblems.into_iter().filter_map(|part| part.detail);
        let said: Vec<_> = problem.detail.into_iter().chain(parts).collect();
        Self {
            status: problem.status,
            kind: one_line(kind.strip_prefix(KIND_PREFIX).unwrap_or(&kind)),
            said: one_line(&said.join("; ")),
            retry_after: None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.kind, self.status) {
            ("", Some(status)) => write!(f, "it answered with HTTP status {status}"),
            ("", None) => f.write_str("it refused"),
            (kind, _) if self.said.is_empty() => write!(f, "it refused ({kind})"),
            (kind, _) => write!(f, "it refused ({kind}: {:?})", self.said),
        }
    }
}

/// What somebody else wrote, made fit for a message.
pub(super) fn one_line(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut line: String = text.trim().chars().take(MAX_SAID).map(clean).collect();
    if text.trim().chars().nth(MAX_SAID).is_some() {
        line.push_str("...");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(kind: &str, said: &str) -> Trouble {
        Trouble::Refused(Refusal {
            kind: kind.to_owned(),
            said: said.to_owned(),
            ..Refusal::default()
        })
    }

    #[test]
    fn each_kind_of_problem_names_its_mend() {
        use ChallengeKind::{Dns01, Http01, TlsAlpn01};
        let cases = [
            ("connection", Step::Validate(Http01), true, "port 80"),
            ("connection", Step::Validate(TlsAlpn01), true, "port 443"),
            ("tls", Step::Validate(TlsAlpn01), true, "no TLS proxy"),
            ("dns", Step::Validate(Http01), true, "publish the name's address"),
            ("dns", Step::Validate(Dns01), true, "TXT record"),
            ("unauthorized", Step::Validate(Http01), false, "point the name"),
            ("unauthorized", Step::Register, false, "key id and HMAC key"),
            ("incorrectResponse", Step::Validate(Dns01), false, "TXT record"),
            ("caa", Step::Order, false, "CAA"),
            ("caa", Step::Validate(Dns01), false, "CAA"),
            ("rejectedIdentifier", Step::Order, false, "another name"),
            ("externalAccountRequired", Step::Register, false, "key id"),
            ("invalidContact", Step::Register, false, "e-mail"),
            ("userActionRequired", Step::Order, false, "terms"),
            ("rateLimited", Step::Order, true, "left alone"),
            ("serverInternal", Step::Finalize, true, "tried again"),
            ("badNonce", Step::Order, true, "tried again"),
            ("somethingNew", Step::Finalize, false, "as it says"),
        ];
        for (kind, step, temporary, mend) in cases {
            let told = refused(kind, "for a reason").at(step).tell(&"a.example.net", "ca.example");
            let start = format!(
                "no certificate for a.example.net from ca.example: it refused ({kind}: \"for a reason\"): "
            );
            assert!(told.message.starts_with(&start), "{}", told.message);
            assert!(told.message.contains(mend), "{kind}: {}", told.message);
            assert_eq!(told.temporary, temporary, "{kind}");
        }
    }

    #[test]
    fn what_the_ca_says_cannot_break_the_line() {
        let said = format!("one\ntwo\u{1b}[31m {}", "x".repeat(1000));
        let problem = Problem {
            r#type: Some("urn:ietf:params:acme:error:malformed".to_owned()),
            detail: Some(said),
            status: Some(400),
            subproblems: Vec::new(),
        };
        let told = Trouble::Refused(problem.into()).at(Step::Order).tell(&"a.example.net", "ca");
        assert!(!told.message.chars().any(char::is_control), "{}", told.message);
        assert!(told.message.len() < 600);
    }
}
