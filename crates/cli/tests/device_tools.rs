// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The tools of `sealgate device` for bring-up, on the software device.

mod support;

use serde_json::Value;
use support::{error_line, sealgate};

/// What a command prints as JSON.
fn json(arguments: &[&str]) -> Value {
    let device = ["--device", "sim:model", "--json"];
    let output = sealgate(&[&["device"], arguments, &device].concat());
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON value")
}

#[test]
fn a_device_proves_itself() {
    let report = json(&["selftest"]);
    assert_eq!((&report["self_test"], &report["interrupts"]), (&"passed".into(), &8.into()));
    let suites = report["suites"].as_array().expect("suites");
    assert_eq!(suites.len(), 6, "three suites, two versions");
    assert!(suites.iter().all(|suite| suite["records"] == 8), "{report}");
    assert_eq!(json(&["reset"])["self_test"], "passed");
}

#[test]
fn what_the_way_to_a_device_costs_is_measured() {
    let costs = json(&["measure", "--rounds", "3"]);
    assert_eq!(costs["simulated"], true);
    for what in ["register_read_us", "completion_us", "interrupt_us", "map_and_unmap_us", "seal_us"]
    {
        assert!(costs[what].as_f64().is_some_and(|us| us > 0.0), "{what}: {costs}");
    }
}

#[test]
fn registers_are_read_by_name_and_by_offset() {
    let all = json(&["dump"]);
    let all = all.as_array().expect("registers");
    assert!(all.len() > 100 && all[0]["register"] == "MAGIC", "{all:?}");
    let by_name = json(&["peek", "queue1.sq_tail"]);
    assert_eq!(by_name["register"], "QUEUE1.SQ_TAIL");
    let offset = by_name["offset"].as_str().expect("an offset");
    assert_eq!(json(&["peek", offset]), by_name);
}

#[test]
fn registers_are_written_on_demand_only() {
    let cases: [(&str, Option<&str>, &str); 3] = [
        ("IRQ_MODERATION", None, "--force"),
        ("MAGIC", Some("--force"), "MAGIC cannot be written"),
        ("NOTHING", Some("--force"), "docs/registers.md"),
    ];
    for (register, force, told) in cases {
        let mut arguments = vec!["device", "poke", register, "1", "--device", "sim:model"];
        arguments.extend(force);
        let line = error_line(&arguments);
        assert!(line.contains(register) && line.contains(told), "{line}");
    }
    let written = json(&["poke", "IRQ_MODERATION", "0x7", "--force"]);
    assert_eq!(written["value"], "0x00000007");
}

#[test]
fn cards_are_listed_and_named_where_they_are_missing() {
    let output = sealgate(&["device", "list", "--json"]);
    assert!(output.status.success());
    let cards: Value = serde_json::from_slice(&output.stdout).expect("one JSON value");
    assert!(cards.is_array());
    for command in ["bind", "unbind"] {
        let line = error_line(&["device", command, "pci:ffff:ff:1f.7"]);
        assert!(line.contains("no PCI function ffff:ff:1f.7"), "{line}");
        let line = error_line(&["device", command, "sim:model"]);
        assert!(line.contains("pci:0000:3b:00.0"), "{line}");
    }
    for address in ["pci:ffff:ff:1f.7", "sysfs:ffff:ff:1f.7", "vfio-user:/nowhere/card.sock"] {
        let line = error_line(&["device", "info", "--device", address]);
        let named = address.split_once(':').map_or("", |(_, rest)| rest);
        assert!(line.contains(named), "{line}");
    }
}
