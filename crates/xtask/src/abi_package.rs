// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Prints the layouts of sealgate-abi as the RTL's package `sealgate_abi_pkg`.

use std::fmt::Write;

use sealgate_abi::layout;

/// Where the package stands in the repository.
pub(crate) const PATH: &str = "hdl/rtl/common/sealgate_abi_pkg.sv";

const HEAD: &str = "\
// SPDX-License-Identifier: Apache-2.0 OR MIT
// Made from crates/abi/src/layout.rs by `cargo xtask codegen`; edit that file, not this one.
//
// What host and device agree on besides the registers: entries of the rings, their codes, limits.
// Places are counted in bits from bit 0 of byte 0.

`default_nettype none

package sealgate_abi_pkg;
";

const TAIL: &str = "
endpackage

`default_nettype wire
";

/// The text of the package.
pub(crate) fn text() -> String {
    let statuses: Vec<_> =
        layout::STATUSES.iter().map(|status| (status.name(), *status as u8)).collect();
    [
        HEAD,
        &fields(),
        &enumeration("opcode", width_of("entry", "opcode"), layout::OPCODES),
        &enumeration("suite", width_of("load", "suite"), layout::SUITES),
        &enumeration("version", width_of("load", "version"), layout::VERSIONS),
        &enumeration("direction", width_of("load", "direction"), layout::DIRECTIONS),
        &enumeration("status", width_of("completion", "status"), &statuses),
        &limits(),
        TAIL,
    ]
    .concat()
}

fn fields() -> String {
    let mut text = String::new();
    let mut entry = "";
    for field in layout::FIELDS {
        if field.entry != entry {
            entry = field.entry;
            let _ = writeln!(text, "\n  // {}.", title(entry));
        }
        let name = camel(&[field.entry, field.name]);
        let _ = writeln!(text, "  localparam int unsigned {name}Lsb = {};", field.lsb);
        let _ = writeln!(text, "  localparam int unsigned {name}Width = {};", field.width);
    }
    text
}

fn enumeration(name: &str, width: usize, members: &[(&str, u8)]) -> String {
    let rows: Vec<_> = members
        .iter()
        .map(|(member, code)| format!("    {} = {width}'d{code}", camel(&[name, member])))
        .collect();
    format!("\n  typedef enum logic [{}:0] {{\n{}\n  }} {name}_e;\n", width - 1, rows.join(",\n"))
}

fn limits() -> String {
    let mut text = String::from("\n  // Limits.\n");
    for (name, value) in layout::LIMITS {
        let _ = writeln!(text, "  localparam int unsigned {} = {value};", camel(&[name]));
    }
    text
}

/// The kinds of entry as `docs/device.md` calls them.
fn title(entry: &str) -> &str {
    match entry {
        "entry" => {
            "Records, NOP and CTX_DROP; opcode, context and cookie stand there in every entry"
        }
        "load" => "CTX_LOAD",
        "completion" => "Completions",
        other => other,
    }
}

fn width_of(entry: &str, name: &str) -> usize {
    layout::FIELDS
        .iter()
        .find(|field| field.entry == entry && field.name == name)
        .expect("every coded field is in layout::FIELDS")
        .width
}

/// `["status", "bad_tag"]` as `StatusBadTag`.
fn camel(names: &[&str]) -> String {
    let words = names.iter().flat_map(|name| name.split('_'));
    words.map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_joined_in_upper_camel_case() {
        assert_eq!(camel(&["status", "bad_tag"]), "StatusBadTag");
        assert_eq!(camel(&["suite", "aes_128_gcm"]), "SuiteAes128Gcm");
    }

    #[test]
    fn every_name_of_the_package_is_declared_once() {
        let text = text();
        let mut names: Vec<_> = text
            .lines()
            .filter_map(|line| line.split_once(" = "))
            .filter_map(|(declaration, _)| declaration.split_whitespace().last())
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(names.contains(&"StatusBadTag") && names.contains(&"CompletionPhaseLsb"));
    }
}
