// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Faults that a proof has to find: lines of the RTL, and what stands there instead.
//!
//! A file of them holds paragraphs: `# ` what is wrong, in words; the path of a file below `hdl`; `- ` the lines as they
//! stand, however they are spaced; `+ ` the lines instead.

use std::result::Result;

/// One fault.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mutant {
    /// What is wrong, in words.
    pub(super) what: String,
    /// The file that is changed, below `hdl`.
    pub(super) file: String,
    old: Vec<String>,
    new: Vec<String>,
}

/// Reads the paragraphs of a file; an error says which line is wrong, or which paragraph incomplete.
pub(super) fn parse(text: &str) -> Result<Vec<Mutant>, String> {
    let mut mutants = vec![Mutant::default()];
    for line in text.lines().map(str::trim) {
        let last = mutants.len() - 1;
        let mutant = &mut mutants[last];
        match line.split_once(' ') {
            _ if line.is_empty() => mutants.push(Mutant::default()),
            Some(("#", words)) => {
                let gap = if mutant.what.is_empty() { "" } else { " " };
                mutant.what = format!("{}{gap}{}", mutant.what, words.trim_end_matches('.'));
            }
            Some(("-", code)) => mutant.old.push(code.trim().to_owned()),
            Some(("+", code)) => mutant.new.push(code.trim().to_owned()),
            None => line.clone_into(&mut mutant.file),
            Some(_) => return Err(format!("what is this line: {line}")),
        }
    }
    mutants.retain(|mutant| *mutant != Mutant::default());
    let complete = |mutant: &Mutant| {
        !(mutant.what.is_empty() || mutant.file.is_empty() || mutant.old.is_empty())
    };
    match mutants.iter().find(|mutant| !complete(mutant)) {
        Some(mutant) => Err(format!("words, file or lines are missing: {mutant:?}")),
        None => Ok(mutants),
    }
}

impl Mutant {
    /// The source with the fault in it; the lines must stand there exactly once.
    pub(super) fn apply(&self, source: &str) -> Result<String, String> {
        let lines: Vec<&str> = source.lines().collect();
        let same =
            |(line, old): (&&str, &String)| line.split_whitespace().eq(old.split_whitespace());
        let stands = |window: &[&str]| window.iter().zip(&self.old).all(same);
        let places: Vec<usize> = lines
            .windows(self.old.len())
            .enumerate()
            .filter_map(|(place, window)| stands(window).then_some(place))
            .collect();
        let [place] = places[..] else {
            return Err(format!(
                "the lines stand {} times in {}, not once:\n{}",
                places.len(),
                self.file,
                self.old.join("\n")
            ));
        };
        let new = self.new.iter().map(String::as_str);
        let head = lines[..place].iter().copied();
        let tail = lines[place + self.old.len()..].iter().copied();
        Ok(head.chain(new).chain(tail).flat_map(|line| [line, "\n"]).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAGRAPH: &str =
        "# It never ends,\n# not even once.\nrtl/a.sv\n- x <= y;\n- z <= 1;\n+ x <= 0;\n";

    #[test]
    fn lines_are_replaced_however_they_are_spaced() {
        let mutants = parse(PARAGRAPH).unwrap_or_default();
        assert_eq!(mutants.len(), 1);
        assert_eq!(mutants[0].what, "It never ends, not even once");
        let changed = mutants[0].apply("a\n    x  <= y;\n  z <= 1;\nb\n");
        assert_eq!(changed.as_deref(), Ok("a\nx <= 0;\nb\n"));
    }

    #[test]
    fn lines_that_are_gone_or_stand_twice_are_an_error() {
        let mutants = parse(PARAGRAPH).unwrap_or_default();
        assert!(mutants[0].apply("x <= y;\n").is_err());
        assert!(mutants[0].apply("x <= y;\nz <= 1;\nx <= y;\nz <= 1;\n").is_err());
    }

    #[test]
    fn an_incomplete_paragraph_is_an_error() {
        assert!(parse("# No file.\n- x\n").is_err());
        assert!(parse("rtl/a.sv\n- x\n").is_err());
        assert!(parse("what is this\n").is_err());
        assert_eq!(parse("\n\n"), Ok(Vec::new()));
    }
}
