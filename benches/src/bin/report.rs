// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Measures and prints the tables; `--json FILE` writes the figures too. Needs the feature `rtl`.

use std::process::ExitCode;

#[cfg(feature = "rtl")]
fn main() -> ExitCode {
    use clap::Parser;

    match rtl::report(&rtl::Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {}", rtl::chain(&*error));
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(feature = "rtl"))]
fn main() -> ExitCode {
    eprintln!("bench: built without the feature `rtl`; run it as `cargo xtask bench`");
    ExitCode::FAILURE
}

#[cfg(feature = "rtl")]
mod rtl {
    use std::path::PathBuf;
    use std::process::Command;

    use clap::Parser;
    use sealgate_benches::idle::{self, IdleMemory};
    use sealgate_benches::table::{self, Report};
    use sealgate_benches::{card, device, host, throughput, transports};

    /// Device cycles and host nanoseconds per record, beside ring's own.
    #[derive(Parser)]
    pub(super) struct Arguments {
        /// Writes the figures to this file as JSON.
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
    }

    pub(super) fn report(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
        eprintln!("measuring the host's cost ...");
        let host_cost = host::measure(counter()?.as_deref())?;
        eprintln!("measuring streams ...");
        let tls_throughput = throughput::measure()?;
        eprintln!("measuring idle connections ...");
        let idle_memory = idle_memory()?;
        eprintln!("measuring the verilated engine ...");
        let device = device::figures()?;
        let simulation_speed = device::simulation_speed()?;
        let card_model = card::model(&host_cost, &device);
        let transports = transports::figures()?;
        let report = Report {
            device,
            simulation_speed,
            host_cost,
            tls_throughput,
            idle_memory,
            card_model,
            transports,
        };
        print!("{}", table::render(&report));
        if let Some(path) = &arguments.json {
            std::fs::write(path, serde_json::to_string_pretty(&report)? + "\n")
                .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        }
        Ok(())
    }

    fn idle_memory() -> Result<Vec<IdleMemory>, Box<dyn std::error::Error>> {
        let program = std::env::current_exe()?.with_file_name("sealgate-idle-memory");
        if !program.is_file() {
            eprintln!("idle connections are left out: {} is not built", program.display());
            return Ok(Vec::new());
        }
        Ok(idle::measure(&program)?)
    }

    /// The program that counts instructions, where it and valgrind are there.
    fn counter() -> std::io::Result<Option<PathBuf>> {
        let program = std::env::current_exe()?.with_file_name("sealgate-host-cost");
        if !program.is_file() {
            eprintln!("instructions are not counted: {} is not built", program.display());
            return Ok(None);
        }
        let valgrind = Command::new("valgrind").arg("--version").output();
        if !valgrind.is_ok_and(|output| output.status.success()) {
            eprintln!("instructions are not counted: valgrind is missing");
            return Ok(None);
        }
        Ok(Some(program))
    }

    pub(super) fn chain(error: &dyn std::error::Error) -> String {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        text
    }
}
