// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The project's own chores, started as `cargo xtask <command>`.

mod abi_package;
mod bench;
#[cfg(all(test, feature = "rtl"))]
mod board_benches;
mod codegen;
mod demo;
mod deploy;
mod flags;
mod formal;
mod hang;
mod host_cost;
mod leaks;
mod lint;
mod process;
#[cfg(all(test, feature = "rtl"))]
mod rtl_benches;
mod scratch;
mod sdk;
mod setup;
mod soak;
mod synth;
mod test;
mod timing;
mod vm;
mod workspace;

use std::fmt;
use std::process::ExitCode;

const HELP: &str = "\
usage: cargo xtask <command>

  setup             get the pinned tools that are missing
  demo              score digits over TLS, with the record engine's RTL in the server
                    [--stay] [--json FILE] [--help]
  test [ARGS]       every test; ARGS go to cargo test
  lint              format, clippy, rustdoc, RTL lint
  codegen           write again what is made from hdl/regs and crates/abi
  codegen --check   only compare, and fail where something differs
  bench [--json FILE]
                    device, host and streams beside ring's own and other stacks
  host-cost         count the host's instructions per record; needs valgrind
  host-cost --check only compare, and fail where they have grown
  host-cost --accept
                    write the counts that host-cost --check compares with
  soak [--cycles N] [--seed N] [--shapes]
                    random traffic on the RTL, in every shape or the two outermost, against the software device
  soak --stream     a GiB each way between a stream on the software device and rustls
  sdk-test          the Python package: its wheel, its types, its samples against a server
  tls-report        what testssl.sh and sslyze say of a published service, with the grade
  deploy-check      the unit, its exposure, the user and the udev rule of deploy
  leaks             streams that come and go, under valgrind
  vm-test           the driver on the kernel's VFIO, in a virtual machine with the RTL as its card
  formal [NAME...]  the proofs of hdl/formal, and that each finds the faults it should
  synth [--top NAME] [--family artix7|ecp5|ultrascale+] [--seed N]
                    place and route, and write hdl/synth/results.md; minutes to an hour
  synth --check     only synthesise, and fail where area or depth has grown
  synth --accept    write the area and depth that synth --check compares with

Tools go to .tools, or to the folder that SEALGATE_TOOLS names.
";

/// The tests that tell what scanners of TLS servers find, with all that they print.
const TLS_REPORT: [&str; 4] = ["--test", "scanners", "--", "--nocapture"];

/// Why a chore failed, and where possible the mend, in words.
struct Failure(String);

type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    /// For `map_err`: puts what was tried before the cause.
    fn at<E: fmt::Display>(what: impl fmt::Display) -> impl FnOnce(E) -> Self {
        move |cause| Self(format!("{what}: {cause}"))
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(what)) => {
            eprintln!("error: {what}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let Some((command, rest)) = arguments.split_first() else {
        print!("{HELP}");
        return Ok(());
    };
    match (command.as_str(), rest) {
        ("help" | "--help" | "-h", _) => {
            print!("{HELP}");
            Ok(())
        }
        ("setup", []) => setup::everything(),
        ("demo", arguments) => demo::run(arguments),
        ("test", arguments) => test::run(arguments),
        ("lint", []) => lint::run(),
        ("codegen", []) => codegen::write(),
        ("codegen", [flag]) if flag == "--check" => codegen::check(),
        ("deploy-check", []) => deploy::check(),
        ("sdk-test", []) => sdk::run(),
        ("tls-report", []) => test::run(&TLS_REPORT.map(str::to_owned)),
        ("leaks", []) => leaks::run(),
        ("vm-test", []) => vm::run(),
        ("soak", arguments) => soak::run(arguments),
        ("formal", names) => formal::run(names),
        ("synth", [flag]) if flag == "--check" => synth::check(),
        ("synth", [flag]) if flag == "--accept" => synth::accept(),
        ("synth", arguments) => synth::route(arguments),
        ("host-cost", []) => host_cost::run(None),
        ("host-cost", [flag]) if flag == "--check" || flag == "--accept" => {
            host_cost::run(Some(flag))
        }
        ("bench", arguments) => bench::run(arguments),
        _ => Err(Failure::new(format!("no such command: {}\n\n{HELP}", arguments.join(" ")))),
    }
}
