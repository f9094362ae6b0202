// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The library has no way to panic on purpose: rustls calls it in the middle of a program that serves others.

use std::fs;
use std::path::{Path, PathBuf};

/// What may panic, as it is written.
const BANNED: [&str; 10] = [
    ".unwrap()",
    ".expect(",
    ".unwrap_err()",
    ".expect_err(",
    "panic!",
    "unreachable!",
    "todo!",
    "unimplemented!",
    "assert!(",
    "assert_eq!(",
];

/// Lines that are allowed all the same: file, text of the line.
const ALLOWED: [(&str, &str); 0] = [];

#[test]
fn no_line_of_the_library_panics_on_purpose() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut lines = 0;
    let mut found = Vec::new();
    for path in sources(&src) {
        let name = path.file_name().expect("name").to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("UTF-8");
        // Tests stand at the end of a file, or in one of their own, and may panic.
        let library = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in library.lines().enumerate() {
            lines += 1;
            let code = line.trim();
            let banned = BANNED.iter().any(|word| code.contains(word));
            if banned && !code.starts_with("//") && !ALLOWED.contains(&(&*name, code)) {
                found.push(format!("{name}:{}: {code}", number + 1));
            }
        }
    }
    assert!(lines > 300, "the sources were read: {lines} lines");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The files in a folder and in those below it, without those of modules called `tests`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the sources are there");
    let paths = entries.map(|entry| entry.expect("entry").path());
    let paths = paths.filter(|path| path.file_stem() != Some("tests".as_ref()));
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}
