// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `sealgate dns`, `sealgate authority` and `sealgate status`.

use std::iter;

use hyper::Method;
use sealgate_control::dns::check::Report;

use crate::admin::{AdminError, print};
use crate::target::{Shown, path};

/// What can be asked about names.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Dns {
    /// Whether the world's answer for a target's name is this server, and how long an old one lasts.
    Check {
        /// Name of the target.
        name: String,
        #[command(flatten)]
        shown: Shown,
    },
}

/// Exit code of a name that points elsewhere, or of a server that is not ready.
const NOT_YET: u8 = 14;

/// Does what the command says; the result is the exit code.
pub(crate) fn check(command: &Dns) -> Result<u8, AdminError> {
    let Dns::Check { name, shown } = command;
    let report = shown.admin().ask(Method::GET, &format!("{}/dns", path(name)), None)?;
    let matches = report["matches"] == true;
    // A server of another version may tell what this one cannot put into words.
    let shown = match serde_json::from_value::<Report>(report.clone()) {
        Ok(report) if !shown.is_json() => report.to_string(),
        _ => format!("{report:#}"),
    };
    print([shown])?;
    Ok(if matches { 0 } else { NOT_YET })
}

/// Prints the root that clients need for managed certificates.
pub(crate) fn authority(shown: &Shown) -> Result<u8, AdminError> {
    let pem = shown.admin().ask(Method::GET, "/v1/authority", None)?;
    print([pem.as_str().unwrap_or_default().trim_end().to_owned()])?;
    Ok(0)
}

/// Prints whether the server is ready, and what will need a person.
pub(crate) fn status(shown: &Shown) -> Result<u8, AdminError> {
    let readiness = shown.admin().ask(Method::GET, "/v1/ready", None)?;
    let ready = readiness["ready"] == true;
    if shown.is_json() {
        print([format!("{readiness:#}")])?;
    } else {
        let first = if ready { "ready" } else { "not ready" };
        let warnings = readiness["warnings"].as_array().into_iter().flatten();
        let warnings = warnings.map(|one| format!("  {}", one.as_str().unwrap_or_default()));
        print(iter::once(first.to_owned()).chain(warnings))?;
    }
    Ok(if ready { 0 } else { NOT_YET })
}
