// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `cargo xtask tls-report`: what scanners of TLS servers say of a published service.

use crate::process::run as run_command;
use crate::test::on_workspace;
use crate::timing::Parts;
use crate::{Result, setup};

/// Runs the scanners' tests, which print what they found and fail where that is a weakness.
pub(crate) fn run() -> Result<()> {
    let mut parts = Parts::default();
    let scanners = parts.run("setup", || {
        setup::simulation()?;
        setup::scanners()
    })?;
    let scanners = match scanners {
        Ok(scanners) => scanners,
        Err(reason) => {
            println!("skipped: {reason}");
            return Ok(());
        }
    };
    // As the tests build it, so that nothing is built twice.
    parts.run("build", || run_command(on_workspace("build").args(["--bins", "--tests"])))?;
    parts.run("scan", || {
        let mut scan = on_workspace("test");
        scan.args(["--test", "scanners", "--", "--ignored", "--nocapture", "--test-threads=2"])
            .env("SEALGATE_TESTSSL", scanners.testssl.join("usr/bin/testssl"))
            .env("TESTSSL_INSTALL_DIR", scanners.testssl.join("etc/testssl"))
            .env("SEALGATE_SSLYZE", scanners.sslyze);
        run_command(&mut scan)
    })?;
    parts.print();
    Ok(())
}
