// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Seals records on a device that does no cryptography, for callgrind to count the host's instructions: `sealgate-host-cost
//! RECORD_BYTES BATCH BATCHES`. Without arguments it runs itself under callgrind for every size and prints JSON.

use std::env;
use std::process::ExitCode;

use sealgate_benches::host;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("host-cost: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = env::args().skip(1).map(|argument| argument.parse());
    let numbers = arguments.collect::<Result<Vec<usize>, _>>()?;
    match numbers[..] {
        [] => {
            let counts = host::count_instructions(&env::current_exe()?)?;
            println!("{}", serde_json::to_string_pretty(&counts)?);
            Ok(())
        }
        [record_bytes, batch, batches] => Ok(host::run(record_bytes, batch, batches)?),
        _ => Err("give RECORD_BYTES BATCH BATCHES, or nothing".into()),
    }
}
