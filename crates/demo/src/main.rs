// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Starts `sealgate serve`, scores digits over one TLS connection and shows which records the device sealed and opened.

mod client;
mod figures;
mod report;
mod server;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use sealgate_frontend::model::{ModelError, digits};
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};

use client::{Client, ClientError};
use figures::{Figures, FiguresError};
use report::Summary;
use server::{Server, ServerError};

/// Images scored; the model never saw them in training.
const IMAGES: usize = 32;

/// Scores handwritten digits over TLS and shows what the device did.
#[derive(Parser)]
#[command(bin_name = "cargo xtask demo")]
struct Options {
    /// The `sealgate` program.
    #[arg(long, value_name = "PATH", hide = true)]
    server: PathBuf,

    /// Device that seals and opens the records.
    #[arg(long, value_name = "ADDRESS", default_value = "sim:rtl")]
    device: String,

    /// Keep serving until Ctrl-C, and print a curl command to try.
    #[arg(long)]
    stay: bool,

    /// Write the figures to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Why the demo did not get to its end.
#[derive(Debug, Error)]
enum DemoError {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Figures(#[from] FiguresError),
    #[error(transparent)]
    Images(#[from] ModelError),
    #[error("cannot write {path}: {cause}")]
    Json { path: PathBuf, cause: std::io::Error },
    #[error("cannot listen for signals: {0}")]
    Signal(std::io::Error),
    #[error("interrupted")]
    Interrupted,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the server for as long as the demo lasts, and stops it whatever happens.
async fn run(options: &Options) -> Result<(), DemoError> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(DemoError::Signal)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(DemoError::Signal)?;
    let mut server = Server::start(&options.server, &options.device)?;
    let result = tokio::select! {
        result = demonstrate(&mut server, options) => result,
        _ = interrupt.recv() => Err(DemoError::Interrupted),
        _ = terminate.recv() => Err(DemoError::Interrupted),
    };
    let result = match result {
        Ok(()) if options.stay => {
            tokio::select! {
                error = server.ended() => Err(error.into()),
                _ = interrupt.recv() => Ok(()),
                _ = terminate.recv() => Ok(()),
            }
        }
        result => result,
    };
    let stopped = server.stop().await;
    result?;
    Ok(stopped?)
}

/// The demo itself, against a server that is starting.
async fn demonstrate(server: &mut Server, options: &Options) -> Result<(), DemoError> {
    let begun = Instant::now();
    println!("starting sealgate serve with device {}", options.device);
    let address = server.ready().await?;
    println!("serving on https://{address}, ready after {:.1} s\n", begun.elapsed().as_secs_f64());

    let mut images = digits::held_out()?;
    images.truncate(IMAGES);
    report::print_samples(&images);

    let mut client = Client::connect(address, server.certificate()).await?;
    println!("{}\n", client.session());
    let mut correct = 0;
    for (index, image) in images.iter().enumerate() {
        let recognised = client.score(&image.image).await?;
        correct += usize::from(recognised.digit == image.label);
        report::print_recognised(index + 1, image.label, recognised);
    }
    let figures = Figures::parse(&client.metrics().await?)?;
    let summary = Summary::new(images.len(), correct, figures);
    print!("\n{summary}");
    if let Some(path) = &options.json {
        write_json(&summary, path)?;
    }
    if options.stay {
        report::print_invitation(address, &server.certificate(), &images[0].image);
    }
    Ok(())
}

fn write_json(summary: &Summary, path: &Path) -> Result<(), DemoError> {
    let text = format!("{:#}\n", summary.to_json());
    std::fs::write(path, text).map_err(|cause| DemoError::Json { path: path.to_owned(), cause })
}
