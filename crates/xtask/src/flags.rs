// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Flags of programs that a chore builds before they can look at them.

use crate::{Failure, Result};

/// The flags of a program, without their dashes: those that stand alone and those that a value follows.
pub(crate) struct Flags {
    pub(crate) alone: &'static [&'static str],
    pub(crate) with_value: &'static [&'static str],
}

impl Flags {
    /// Fails for what the program would not take, minutes before it could say so itself. What a value means, and the
    /// text of `--help`, are the program's own.
    pub(crate) fn check(&self, command: &str, arguments: &[String]) -> Result<()> {
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let flag = argument.strip_prefix("--").unwrap_or_default();
            let (name, value) =
                flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
            let known = if self.with_value.contains(&name) {
                value.or_else(|| rest.next().map(String::as_str)).is_some()
            } else {
                argument == "-h"
                    || (value.is_none() && (flag == "help" || self.alone.contains(&flag)))
            };
            if !known {
                return Err(self.unknown(command, argument));
            }
        }
        Ok(())
    }

    fn unknown(&self, command: &str, argument: &str) -> Failure {
        let alone = self.alone.iter().map(|flag| format!("--{flag}"));
        let with_value = self.with_value.iter().map(|flag| format!("--{flag} VALUE"));
        let all: Vec<_> = alone.chain(with_value).collect();
        Failure::new(format!("{command} does not take {argument}; it takes {}", all.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::workspace::root;
    use crate::{bench, demo};

    #[test]
    fn what_the_program_would_refuse_is_refused_at_once() {
        let flags = Flags { alone: &["stay"], with_value: &["json"] };
        let check = |line: &str| {
            let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
            flags.check("demo", &words).is_ok()
        };
        for right in ["", "--stay", "--json a --stay", "--json=a", "--json --stay", "--help", "-h"]
        {
            assert!(check(right), "{right}");
        }
        for wrong in ["--jsn a", "--json", "--stay=1", "--stay a", "stay", "-j", "--", "--server a"]
        {
            assert!(!check(wrong), "{wrong}");
        }
    }

    /// The programs stand in crates of their own, which this one is not to wait for.
    #[test]
    fn the_flags_are_those_of_the_programs() {
        for (source, flags) in
            [("crates/demo/src/main.rs", demo::FLAGS), ("benches/src/bin/report.rs", bench::FLAGS)]
        {
            let text = fs::read_to_string(root().join(source)).unwrap();
            let mut lines = text.lines().map(str::trim);
            let mut found = Vec::new();
            while let Some(line) = lines.next() {
                if line.starts_with("#[arg(") && !line.contains("hide") {
                    let field = lines.next().and_then(|line| line.split_once(':')).unwrap();
                    found.push((field.0.replace('_', "-"), field.1.trim() != "bool,"));
                }
            }
            let alone = flags.alone.iter().map(|&flag| (flag.to_owned(), false));
            let with_value = flags.with_value.iter().map(|&flag| (flag.to_owned(), true));
            let mut listed: Vec<_> = alone.chain(with_value).collect();
            found.sort_unstable();
            listed.sort_unstable();
            assert_eq!(found, listed, "{source}");
        }
    }
}
