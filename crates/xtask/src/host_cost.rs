// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `cargo xtask host-cost`: the host's instructions per record.

use crate::process::{cargo, run as run_command};
use crate::workspace::root;
use crate::{Result, setup};

/// Counts, and prints, compares with or writes `benches/host-cost.json`. Says so where nothing can be counted.
pub(crate) fn run(mode: Option<&str>) -> Result<()> {
    if !setup::valgrind()? {
        println!("skipped: valgrind is missing, and nothing else counts instructions");
        return Ok(());
    }
    let mut counter = cargo();
    counter.args(["run", "--release", "--package", "sealgate-benches"]);
    counter.args(["--bin", "sealgate-host-cost", "--"]);
    if let Some(mode) = mode {
        counter.arg(mode).arg(root().join("benches/host-cost.json"));
    }
    run_command(&mut counter)
}
