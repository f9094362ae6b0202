// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Seals records on a device that does no cryptography, for callgrind to count the host's instructions: `sealgate-host-cost
//! RECORD_BYTES BATCH RECORDS_PER_ENTRY BATCHES`. Otherwise it runs itself under callgrind for every load: `--check FILE`
//! compares with the counts in FILE, `--accept FILE` writes them there, and without arguments they are printed.

use std::env;
use std::path::Path;
use std::process::ExitCode;

use sealgate_benches::host::{self, InstructionCount, Load};
use sealgate_benches::ratchet;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("host-cost: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [] => {
            print!("{}", ratchet::to_text(&counts()?)?);
            Ok(())
        }
        ["--accept", file] => {
            let text = ratchet::to_text(&counts()?)?;
            std::fs::write(file, text).map_err(|error| format!("cannot write {file}: {error}").into())
        }
        ["--check", file] => check(Path::new(file)),
        [record_bytes, batch, records_per_entry, batches] => {
            let load = Load {
                record_bytes: record_bytes.parse()?,
                batch: batch.parse()?,
                records_per_entry: records_per_entry.parse()?,
            };
            Ok(host::run(load, batches.parse()?)?)
        }
        _ => Err("give RECORD_BYTES BATCH RECORDS_PER_ENTRY BATCHES, --check FILE, --accept FILE or nothing".into()),
    }
}

fn counts() -> Result<Vec<InstructionCount>> {
    Ok(host::count_instructions(&env::current_exe()?)?)
}

fn check(file: &Path) -> Result<()> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let verdict = ratchet::compare(&serde_json::from_str::<Vec<_>>(&text)?, &counts()?);
    print!("{}", verdict.text);
    if verdict.grew {
        return Err("the host does more for a record than is committed: mend it, or commit what cargo xtask host-cost \
                    --accept writes and say why it is worth it; another compiler also makes other counts"
            .into());
    }
    Ok(())
}
