// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The demo without a server to show. Together with one it is tested in `tests/tests/demo.rs`.

use std::process::Command;

/// Standard error of a demo that fails.
fn failure(server: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_sealgate-demo"))
        .args(["--server", server])
        .output()
        .expect("the demo runs");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).expect("UTF-8")
}

#[test]
fn a_server_that_is_not_there() {
    let error = failure("/no/such/sealgate");
    assert!(error.starts_with("error: cannot start /no/such/sealgate: "), "{error}");
}

#[test]
fn a_server_that_ends_before_it_serves() {
    let error = failure("false");
    assert!(error.starts_with("error: the server ended (exit status: 1)"), "{error}");
}
