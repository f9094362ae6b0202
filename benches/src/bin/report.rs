// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Measures and prints one table; `--json FILE` writes the figures too.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use sealgate_benches::{BenchError, device::DeviceCost, host, table};
use serde::Serialize;

/// Device cycles and host nanoseconds per record, beside ring's own.
#[derive(Parser)]
struct Arguments {
    /// Writes the figures to this file as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report {
    device: Vec<DeviceCost>,
    host_cost: Vec<host::HostCost>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match report(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

fn report(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    eprintln!("measuring the host's cost on the software device ...");
    let host_cost = host::measure()?;
    eprintln!("measuring the verilated engine ...");
    let device = device_costs()?;

    println!("{}", table::render(&device, &host_cost));
    println!(
        "device: cycles of the verilated RTL with entries in flight; latency: cycles of one record alone."
    );
    println!(
        "host: processor time of the asking thread per record, one record at a time, copies included, AES-128-GCM;"
    );
    println!("ring: the same record sealed by ring. ratio: host / ring.");
    if let Some(rate) = device.iter().map(|cost| cost.simulated_cycles_per_s).reduce(f64::max) {
        println!("simulation speed: up to {:.0} kcycles/s.", rate / 1e3);
    }
    if let Some(path) = &arguments.json {
        let report = Report { device, host_cost };
        std::fs::write(path, serde_json::to_string_pretty(&report)? + "\n")
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}

#[cfg(feature = "rtl")]
fn device_costs() -> Result<Vec<DeviceCost>, BenchError> {
    use sealgate_sim::{SimConfig, SimTransport};

    let config = SimConfig::default();
    let read_latency_cycles = *config.bus.read_latency.start();
    sealgate_benches::device::measure(SimTransport::rtl(config)?, read_latency_cycles)
}

#[cfg(not(feature = "rtl"))]
#[expect(clippy::unnecessary_wraps, reason = "as with the feature `rtl`")]
fn device_costs() -> Result<Vec<DeviceCost>, BenchError> {
    eprintln!("built without the feature `rtl`: no device cycles");
    Ok(Vec::new())
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
