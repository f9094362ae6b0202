// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `sealgate bench`: how fast the record engine is, in clock cycles, simulated.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use sealgate_abi::{Direction, Suite, TlsVersion};
use sealgate_bench::report::{self, PlotError};
use sealgate_bench::{BenchError, Figure, Sweep, SweepError};
use sealgate_sim::{Shape, ShapeError};

/// What `sealgate bench` does.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Sweep over the record engine, verilated: bytes per cycle, latency, what limited it.
    Device(DeviceArguments),
}

/// What `sealgate bench device` takes. Every list is a comma-separated axis of the sweep; all combinations are measured.
#[derive(Debug, clap::Args)]
pub(crate) struct DeviceArguments {
    /// Bytes of content of a record, 1 to 16384.
    #[arg(long, value_name = "BYTES", value_delimiter = ',', default_values_t = [64, 256, 1_460, 4_096, 16_384])]
    record_bytes: Vec<usize>,
    /// Records of one SEAL entry: more than one makes the device cut a long plaintext.
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [1])]
    records_per_entry: Vec<usize>,
    /// Suites.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [SuiteName::Aes128Gcm, SuiteName::Aes256Gcm, SuiteName::Chacha20Poly1305])]
    suite: Vec<SuiteName>,
    /// TLS versions.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Version::Tls13])]
    tls: Vec<Version>,
    /// Directions.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [DirectionName::Seal, DirectionName::Open])]
    direction: Vec<DirectionName>,
    /// Lanes: 1, 2 or 4.
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [4])]
    lanes: Vec<usize>,
    /// Width of the memory bus in bits: 128, 256 or 512; by default 128 for each lane.
    #[arg(long, value_name = "BITS", value_delimiter = ',')]
    bus_bits: Vec<usize>,
    /// Connections that take turns, 1 to 1024.
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [256])]
    connections: Vec<usize>,
    /// Queue pairs, 1 to 8.
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [8])]
    queues: Vec<usize>,
    /// Entries in flight, of all queues together; by default as many as keep the engine busy. 1 shows the latency of the
    /// idle engine.
    #[arg(long, value_name = "N")]
    in_flight: Option<usize>,
    /// Cycles from the address of a read to its first beat.
    #[arg(long, value_name = "CYCLES", value_delimiter = ',', default_values_t = [250])]
    read_latency: Vec<u32>,
    /// How far the read latency may be off in either direction, at random.
    #[arg(long, value_name = "CYCLES", default_value_t = 50)]
    jitter: u32,
    /// Cycles from the last beat of a write to its acknowledgement.
    #[arg(long, value_name = "CYCLES", default_value_t = 100)]
    write_latency: u32,
    /// Seed of everything random.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print a JSON array, one element per point, instead of a table.
    #[arg(long)]
    json: bool,
    /// Write a page with a plot for each axis, index.html and SVG files, into this folder.
    #[arg(long, value_name = "FOLDER")]
    report: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SuiteName {
    Aes128Gcm,
    Aes256Gcm,
    Chacha20Poly1305,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Version {
    #[value(name = "1.2")]
    Tls12,
    #[value(name = "1.3")]
    Tls13,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DirectionName {
    Seal,
    Open,
}

pub(crate) fn run(command: &Command) -> Result<(), DeviceBenchError> {
    let Command::Device(arguments) = command;
    let points = sweep(arguments)?.points()?;
    let mut figures = Vec::with_capacity(points.len());
    for (number, point) in points.iter().enumerate() {
        if io::stderr().is_terminal() {
            eprint!("\rpoint {} of {}", number + 1, points.len());
        }
        figures.push(sealgate_bench::measure(point)?);
    }
    if io::stderr().is_terminal() {
        eprintln!();
    }
    if let Some(folder) = &arguments.report {
        write_report(folder, &figures)?;
    }
    print(&figures, arguments.json).map_err(DeviceBenchError::Output)
}

fn sweep(arguments: &DeviceArguments) -> Result<Sweep, DeviceBenchError> {
    Ok(Sweep {
        record_bytes: arguments.record_bytes.clone(),
        records_per_entry: arguments.records_per_entry.clone(),
        suites: arguments.suite.iter().map(|&suite| suite.into()).collect(),
        versions: arguments.tls.iter().map(|&version| version.into()).collect(),
        directions: arguments.direction.iter().map(|&direction| direction.into()).collect(),
        shapes: shapes(&arguments.lanes, &arguments.bus_bits)?,
        connections: arguments.connections.clone(),
        queues: arguments.queues.clone(),
        in_flight: arguments.in_flight,
        read_latencies: arguments.read_latency.clone(),
        jitter: arguments.jitter,
        write_latency: arguments.write_latency,
        seed: arguments.seed,
    })
}

/// All lanes with all widths; without widths each number of lanes with the bus that fits it.
fn shapes(lanes: &[usize], bus_bits: &[usize]) -> Result<Vec<Shape>, ShapeError> {
    lanes
        .iter()
        .flat_map(|&lanes| match bus_bits {
            [] => vec![(lanes, 128 * lanes)],
            widths => widths.iter().map(|&bits| (lanes, bits)).collect(),
        })
        .map(|(lanes, bits)| Shape::new(lanes, bits))
        .collect()
}

fn print(figures: &[Figure], json: bool) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut stdout, figures)?;
        writeln!(stdout)?;
    } else {
        write!(stdout, "{}", report::table(figures))?;
        writeln!(stdout, "simulated; Gb/s of content at 250 MHz")?;
    }
    stdout.flush()
}

fn write_report(folder: &Path, figures: &[Figure]) -> Result<(), DeviceBenchError> {
    let failed = |source| DeviceBenchError::Report { folder: folder.to_owned(), source };
    let plots = report::plots(figures)?;
    fs::create_dir_all(folder).map_err(failed)?;
    for plot in &plots {
        fs::write(folder.join(plot.name).with_extension("svg"), &plot.svg).map_err(failed)?;
    }
    fs::write(folder.join("index.html"), report::page(figures, &plots)).map_err(failed)
}

impl From<SuiteName> for Suite {
    fn from(name: SuiteName) -> Self {
        match name {
            SuiteName::Aes128Gcm => Self::Aes128Gcm,
            SuiteName::Aes256Gcm => Self::Aes256Gcm,
            SuiteName::Chacha20Poly1305 => Self::Chacha20Poly1305,
        }
    }
}

impl From<Version> for TlsVersion {
    fn from(version: Version) -> Self {
        match version {
            Version::Tls12 => Self::Tls12,
            Version::Tls13 => Self::Tls13,
        }
    }
}

impl From<DirectionName> for Direction {
    fn from(name: DirectionName) -> Self {
        match name {
            DirectionName::Seal => Self::Seal,
            DirectionName::Open => Self::Open,
        }
    }
}

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeviceBenchError {
    #[error(transparent)]
    Sweep(#[from] SweepError),
    #[error(transparent)]
    Shape(#[from] ShapeError),
    #[error("the device could not be measured")]
    Bench(#[from] BenchError),
    #[error(transparent)]
    Plot(#[from] PlotError),
    #[error("the report could not be written to {}", folder.display())]
    Report {
        folder: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the figures could not be printed")]
    Output(#[source] io::Error),
}
