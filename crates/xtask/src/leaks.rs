// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `cargo xtask leaks`: streams that come and go, under valgrind.

use crate::process::{cargo, run as run_command};
use crate::{Result, setup};

/// What tests are started with: memory that nothing points to any more ends them in failure, and so does access to memory
/// that is none. Values that nothing has set are not looked for: valgrind takes tags that ring's assembly made for such.
const RUNNER: &str = "target.'cfg(unix)'.runner = ['valgrind', '--leak-check=full', '--fair-sched=yes', \
    '--undef-value-errors=no', \
    '--show-leak-kinds=definite', '--errors-for-leak-kinds=definite', '--error-exitcode=99']";

/// Runs the test if valgrind is there or can be had.
///
/// It is built without the verilated engine, whose instructions are those of this machine's processor: valgrind does not
/// know them all.
pub(crate) fn run() -> Result<()> {
    if setup::test_programs()?.contains(&setup::VALGRIND) {
        println!("skipped: {} is missing", setup::VALGRIND);
        return Ok(());
    }
    let mut test = cargo();
    run_command(test.args(["test", "--workspace", "--test", "leaks", "--config", RUNNER]))
}
