// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The server as a child process.

use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tempfile::TempDir;
use thiserror::Error;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// The engine runs its self test before the server listens.
const READY_TIMEOUT: Duration = Duration::from_secs(120);
const READY_POLL: Duration = Duration::from_millis(50);

/// The server finishes what is in flight before it ends.
const STOP_TIMEOUT: Duration = Duration::from_secs(40);

/// Lines of the server's log that an error shows.
const LOG_LINES: usize = 20;

/// Why there is no server.
#[derive(Debug, Error)]
pub(crate) enum ServerError {
    #[error("cannot make a folder for the server's certificate: {0}")]
    Folder(io::Error),
    #[error("cannot start {program}: {cause}")]
    Start { program: PathBuf, cause: io::Error },
    #[error("the server ended ({status}); the end of its log:\n{log}")]
    Ended { status: ExitStatus, log: String },
    #[error("the server was not ready within {} s; the end of its log:\n{log}", READY_TIMEOUT.as_secs())]
    NotReady { log: String },
    #[error("the server names no address to connect to")]
    NoAddress,
    #[error("cannot wait for the server: {0}")]
    Wait(io::Error),
    #[error("the server did not stop within {} s and was killed", STOP_TIMEOUT.as_secs())]
    Killed,
}

/// A running `sealgate serve` and the folder of its files.
pub(crate) struct Server {
    child: Child,
    folder: TempDir,
}

/// What the server writes when it listens.
#[derive(Deserialize)]
struct Ready {
    addresses: Vec<SocketAddr>,
}

impl Server {
    /// Starts `program` on a free port of the loopback interface.
    pub(crate) fn start(program: &Path, device: &str) -> Result<Self, ServerError> {
        let folder = tempfile::Builder::new()
            .prefix("sealgate-demo-")
            .tempdir()
            .map_err(ServerError::Folder)?;
        let log = File::create(folder.path().join("server.log")).map_err(ServerError::Folder)?;
        let log_too = log.try_clone().map_err(ServerError::Folder)?;
        let child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--device", device, "--dev-cert"])
            .arg(folder.path().join("certificate.pem"))
            .arg("--ready-file")
            .arg(folder.path().join("ready.json"))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(log_too)
            // An interrupt from the terminal is for the demo, which then stops the server in its own way.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|cause| ServerError::Start { program: program.to_owned(), cause })?;
        Ok(Self { child, folder })
    }

    /// The file of the server's certificate, in PEM; it goes when the server is stopped.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// Waits until the server listens; the result is where.
    pub(crate) async fn ready(&mut self) -> Result<SocketAddr, ServerError> {
        let path = self.folder.path().join("ready.json");
        let listening = async {
            loop {
                if let Some(status) = self.child.try_wait().map_err(ServerError::Wait)? {
                    return Err(ServerError::Ended { status, log: self.log() });
                }
                let text = fs::read(&path).unwrap_or_default();
                if let Ok(ready) = serde_json::from_slice::<Ready>(&text) {
                    return ready.addresses.first().copied().ok_or(ServerError::NoAddress);
                }
                sleep(READY_POLL).await;
            }
        };
        let listening = timeout(READY_TIMEOUT, listening).await;
        listening.unwrap_or_else(|_| Err(ServerError::NotReady { log: self.log() }))
    }

    /// Waits until the server ends by itself, which it should not.
    pub(crate) async fn ended(&mut self) -> ServerError {
        match self.child.wait().await {
            Ok(status) => ServerError::Ended { status, log: self.log() },
            Err(cause) => ServerError::Wait(cause),
        }
    }

    /// Asks the server to end, and kills it if it does not.
    pub(crate) async fn stop(mut self) -> Result<(), ServerError> {
        let pid = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let Some(pid) = pid else { return Ok(()) };
        // The server may have ended by itself meanwhile; waiting for it tells.
        let _ = kill_process(pid, Signal::TERM);
        match timeout(STOP_TIMEOUT, self.child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(ServerError::Ended { status, log: self.log() }),
            Ok(Err(cause)) => Err(ServerError::Wait(cause)),
            Err(_) => {
                self.child.kill().await.map_err(ServerError::Wait)?;
                Err(ServerError::Killed)
            }
        }
    }

    /// The last lines of what the server printed.
    fn log(&self) -> String {
        let text = fs::read(self.folder.path().join("server.log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }
}
