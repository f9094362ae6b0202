// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `sealgate device info` and `sealgate device stats`.

mod support;

use serde_json::Value;

use support::sealgate;

#[test]
fn the_text_tells_identity_capabilities_self_test_and_counters() {
    let output = sealgate(&["device", "info", "--device", "sim:model"]);
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "{stdout}");
    let value = |name: &str| {
        let line = stdout.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.trim().to_owned()
    };
    assert_eq!(value("device "), "sim:model");
    assert_eq!(value("simulated "), "yes");
    assert_eq!(value("suites "), "aes_128_gcm, aes_256_gcm, chacha20_poly1305");
    assert_eq!(value("versions "), "tls12, tls13");
    assert_eq!(value("self test "), "passed");
    assert!(value("version ").contains('.'), "{stdout}");
    assert_eq!(value("sealed_records "), "0", "{stdout}");
}

#[test]
fn the_json_tells_the_same() {
    let output = sealgate(&["device", "info", "--device", "sim:model", "--json"]);
    assert!(output.status.success());
    let info: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(info["device"], "sim:model");
    assert_eq!(info["simulated"], true);
    assert_eq!(
        info["suites"],
        serde_json::json!(["aes_128_gcm", "aes_256_gcm", "chacha20_poly1305"])
    );
    assert_eq!(info["self_test"], "passed");
    assert!(info["contexts"].as_u64().is_some_and(|contexts| contexts > 0), "{info}");
    assert_eq!(info["counters"]["opened_records"], 0);
}

#[test]
fn the_stats_tell_of_device_lanes_and_queues() {
    let arguments = ["device", "stats", "--device", "sim:model", "--count", "2"];
    let output = sealgate(&[&arguments[..], &["--interval", "0.01", "--json"]].concat());
    assert!(output.status.success());
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    let looks: Vec<Value> =
        stdout.lines().map(|line| serde_json::from_str(line).expect("a JSON object")).collect();
    assert_eq!(looks.len(), 2, "{stdout}");
    let look = &looks[1];
    assert!(look["device"]["cycles"].is_u64(), "{look}");
    assert!(look["lanes"][0]["lane_stall_source_cycles"].is_u64(), "{look}");
    assert!(look["queues"][7]["queue_wait_fetch_cycles"].is_u64(), "{look}");
}

#[test]
fn the_stats_show_a_table_to_people() {
    let output = sealgate(&["device", "stats", "--device", "sim:model", "--count", "1"]);
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "{stdout}");
    for word in ["cycles", "bus", "sealed", "opened", "rejected", "lane", "queue"] {
        assert!(stdout.lines().any(|line| line.starts_with(word)), "{word}: {stdout}");
    }
}
