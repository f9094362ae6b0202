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
    use sealgate_bench::Figure;
    use sealgate_benches::device::{self, SimulationSpeed};
    use sealgate_benches::host::{self, HostCost};
    use sealgate_benches::table;
    use serde::Serialize;

    /// Device cycles and host nanoseconds per record, beside ring's own.
    #[derive(Parser)]
    pub(super) struct Arguments {
        /// Writes the figures to this file as JSON.
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
    }

    #[derive(Serialize)]
    struct Report {
        device: Vec<Figure>,
        simulation_speed: Vec<SimulationSpeed>,
        host_cost: Vec<HostCost>,
    }

    pub(super) fn report(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
        eprintln!("measuring the host's cost ...");
        let host_cost = host::measure(counter()?.as_deref())?;
        eprintln!("measuring the verilated engine ...");
        let device = device::figures()?;
        let simulation_speed = device::simulation_speed()?;
        print!("{}", table::render(&device, &simulation_speed, &host_cost));
        if let Some(path) = &arguments.json {
            let report = Report { device, simulation_speed, host_cost };
            std::fs::write(path, serde_json::to_string_pretty(&report)? + "\n")
                .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        }
        Ok(())
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
