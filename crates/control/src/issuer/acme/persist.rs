// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is tried again with an authority, and how its refusals are told.

use std::error::Error as _;
use std::time::Duration;

use instant_acme::{Error, Problem};

use super::super::IssueError;

/// Attempts at one step, and the pause after the first that failed; each further one is twice as long.
const ATTEMPTS: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// What an authority that limits rates and does not say for how long is left alone for.
const RATE_LIMIT_PAUSE: Duration = Duration::from_secs(3600);

/// How problem types begin (RFC 8555, section 6.7).
const PROBLEM: &str = "urn:ietf:params:acme:error:";

/// How often one step was tried.
#[derive(Debug)]
pub(super) struct Tries {
    left: u32,
    pause: Duration,
}

impl Tries {
    pub(super) fn new() -> Self {
        Self { left: ATTEMPTS - 1, pause: FIRST_PAUSE }
    }

    /// Whether to try again after this error; if so, once a pause is over.
    pub(super) async fn again(&mut self, error: &Error) -> bool {
        if self.left == 0 || !is_passing(error) {
            return false;
        }
        self.left -= 1;
        tracing::debug!(%error, "trying again with the authority");
        // Half of it by chance, so that many do not come back at once.
        tokio::time::sleep(self.pause.mul_f64(0.5 + rand::random::<f64>() / 2.0)).await;
        self.pause *= 2;
        true
    }
}

/// Whether the same may succeed in a moment.
fn is_passing(error: &Error) -> bool {
    match error {
        Error::Api(problem) => {
            matches!(kind(problem), "badNonce" | "serverInternal")
                || problem.status.is_some_and(|status| status >= 500)
        }
        // Among them a connection that could not be made, and an answer of something in between.
        Error::Http(_) | Error::Hyper(_) | Error::Other(_) | Error::Json(_) => true,
        _ => false,
    }
}

fn kind(problem: &Problem) -> &str {
    problem.r#type.as_deref().and_then(|kind| kind.strip_prefix(PROBLEM)).unwrap_or_default()
}

pub(super) fn is_order_not_ready(problem: &Problem) -> bool {
    kind(problem) == "orderNotReady"
}

pub(super) fn is_account_unknown(problem: &Problem) -> bool {
    kind(problem) == "accountDoesNotExist"
}

/// One line: what was wanted, what the authority said, and the mend.
pub(super) fn explain(what: &str, directory: &str, error: &Error) -> IssueError {
    let Error::Api(problem) = error else {
        let mut why = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !why.ends_with(&text) {
                why = format!("{why}: {text}");
            }
            cause = error.source();
        }
        let message = format!("{what}: the authority at {directory} cannot be asked: {why}");
        return IssueError { message, retry_after: None, temporary: true };
    };
    let (mend, temporary) = mend(kind(problem));
    let detail = problem.detail.as_deref().unwrap_or("it does not say why");
    // The detail is the authority's own text: one line of bounded length.
    let detail: String =
        detail.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
    let limited = kind(problem) == "rateLimited";
    IssueError {
        message: format!("{what}: {detail} ({mend})"),
        retry_after: limited.then_some(RATE_LIMIT_PAUSE),
        temporary,
    }
}

/// What helps against a kind of problem, and whether waiting does.
fn mend(kind: &str) -> (&'static str, bool) {
    match kind {
        "rateLimited" => ("the authority limits rates: it is asked again later", true),
        "dns" => ("the name has to point here, as the authority sees it", true),
        "connection" => ("the authority has to reach port 80 or 443 of this server", true),
        "unauthorized" | "incorrectResponse" => {
            ("the authority saw another answer: does the name point here?", true)
        }
        "tls" => ("the authority could not shake hands with port 443", true),
        "caa" => ("a CAA record of the domain forbids this authority", false),
        "rejectedIdentifier" => ("the authority does not issue for this name", false),
        "externalAccountRequired" => {
            ("give the key identifier and MAC key that the authority handed out", false)
        }
        "userActionRequired" => ("the authority's terms have to be agreed to anew", false),
        "accountDoesNotExist" => ("the account is not known any more", false),
        "badNonce" | "serverInternal" => ("the authority has trouble: it is asked again", true),
        _ => ("see the authority's documentation", true),
    }
}
