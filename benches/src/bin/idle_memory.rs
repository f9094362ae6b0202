// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What an idle connection needs: `sealgate-idle-memory serve STACK` prints it as JSON. It starts itself as the peer.

use std::io;
use std::process::ExitCode;

use sealgate_benches::idle;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("idle-memory: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> io::Result<()> {
    match *arguments {
        ["serve", stack] => {
            println!("{}", serde_json::to_string(&idle::serve(stack)?)?);
            Ok(())
        }
        ["peer", port, connections, certificate] => idle::peer(
            port.parse().map_err(io::Error::other)?,
            connections.parse().map_err(io::Error::other)?,
            certificate,
        ),
        _ => Err(io::Error::other("give serve STACK")),
    }
}
