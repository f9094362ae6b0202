// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Instructions per record against those that are committed, `benches/host-cost.json`.

use std::fmt::Write as _;

use crate::host::InstructionCount;

/// Per cent by which a count may differ: compilers and C libraries are not the same everywhere.
const TOLERANCE_PERCENT: u64 = 3;

/// What the comparison has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// A load costs more than it did, or is not among what is committed.
    pub grew: bool,
    /// A line for each load.
    pub text: String,
}

/// Compares counts with those that are committed.
#[must_use]
pub fn compare(committed: &[InstructionCount], counted: &[InstructionCount]) -> Verdict {
    let mut verdict = Verdict { grew: false, text: String::new() };
    for count in counted {
        let before = committed.iter().find(|before| before.load == count.load);
        let before = before.map(|before| before.instructions_per_record);
        let now = count.instructions_per_record;
        let grew = before.is_none_or(|before| now * 100 > before * (100 + TOLERANCE_PERCENT));
        let said = match before {
            None => "not committed yet".to_owned(),
            Some(before) if grew => format!("has grown from {before}"),
            Some(before) if now * (100 + TOLERANCE_PERCENT) < before * 100 => {
                format!("has shrunk from {before}: cargo xtask host-cost --accept keeps it there")
            }
            Some(before) => format!("as committed ({before})"),
        };
        verdict.grew |= grew;
        let load = count.load;
        let _ = writeln!(
            verdict.text,
            "{:>6} B, {:>2} a doorbell, {} an entry: {now:>5} instructions a record, {said}",
            load.record_bytes, load.batch, load.records_per_entry
        );
    }
    verdict
}

/// Counts as they are committed.
pub fn to_text(counts: &[InstructionCount]) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(counts)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Load;

    fn count(batch: usize, instructions_per_record: u64) -> InstructionCount {
        let load = Load { record_bytes: 64, batch, records_per_entry: 1 };
        InstructionCount { load, instructions_per_record }
    }

    #[test]
    fn only_growth_beyond_the_tolerance_fails() {
        let committed = [count(1, 1_000)];
        for (now, grew) in [(500, false), (1_000, false), (1_030, false), (1_031, true)] {
            assert_eq!(compare(&committed, &[count(1, now)]).grew, grew, "{now}");
        }
    }

    #[test]
    fn a_load_that_is_not_committed_fails() {
        let verdict = compare(&[count(1, 1_000)], &[count(1, 1_000), count(32, 1)]);
        assert!(verdict.grew);
        assert!(verdict.text.contains("not committed"), "{}", verdict.text);
    }

    #[test]
    fn what_is_written_can_be_read() {
        let counts = vec![count(1, 1_000), count(32, 700)];
        let text = to_text(&counts).unwrap();
        assert_eq!(serde_json::from_str::<Vec<InstructionCount>>(&text).unwrap(), counts);
    }
}
