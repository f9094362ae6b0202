// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `sealgate device reset`.

use serde::Serialize;

use super::{CommandError, print};
use crate::transport::{self, Chosen};

/// What `sealgate device reset` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    chosen: Chosen,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Reset {
    device: String,
    self_test: &'static str,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), CommandError> {
    let transport = transport::reach(&arguments.chosen)?;
    // A device that has not passed its self test is an error.
    let identity = sealgate_driver::reset(&*transport)?;
    print(&Reset { device: identity.address, self_test: "passed" }, arguments.json, |reset| {
        vec![("device".into(), reset.device.clone()), ("self test".into(), reset.self_test.into())]
    })
}
