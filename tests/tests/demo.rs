// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The demo, started as `cargo xtask demo` starts it, and the figures that it writes.

use std::fs;
use std::process::Command;

use sealgate_tests::device::Simulation;
use sealgate_tests::program;
use serde_json::Value;
use tempfile::TempDir;

#[test]
fn the_demo_scores_digits_on_the_device_and_writes_its_figures() {
    let folder = TempDir::new().expect("a temporary folder");
    let json = folder.path().join("figures.json");
    let device = Simulation::best().address();
    let output = Command::new(program::path("sealgate-demo"))
        .arg("--server")
        .arg(program::path("sealgate"))
        .args(["--device", device, "--json"])
        .arg(&json)
        .output()
        .expect("the demo runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}\n{errors}");

    let figures = fs::read(&json).expect("the figures are written");
    let figures: Value = serde_json::from_slice(&figures).expect("the figures are JSON");
    let number = |name: &str| figures[name].as_u64().unwrap_or_else(|| panic!("{name}: {figures}"));
    let images = number("images");
    assert!(images > 0 && number("correct") <= images, "{figures}");
    // The held-out images are recognised in more than 97 of 100 cases.
    assert!(number("correct") * 10 >= images * 9, "{figures}");
    assert!(number("records_sealed_device") > images, "one for each answer: {figures}");
    assert!(number("records_opened_device") > images, "one for each request: {figures}");
    assert_eq!(number("records_software"), 0, "{figures}");
    assert_eq!(figures["device"], device);
    assert!(number("device_cycles") > 0, "{figures}");
    assert!(printed.contains("image  1: a "), "each image is shown: {printed}");
}
