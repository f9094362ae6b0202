// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `sealgate device selftest`: whether everything between this program and the device's lanes works.
//!
//! The device's own known answers come first. Then records of every suite and version go through rings, memory and
//! interrupts: sealed by the device, opened by it again, and refused when a byte was changed on the way.

use std::time::Duration;

use sealgate_driver::{
    Device, Direction, Key, Plaintext, RecordError, SessionConfig, Settings, Status, Suite,
    TlsVersion,
};
use serde::Serialize;

use super::info::{suite_name, version_name};
use super::{CommandError, print};
use crate::transport::{self, Chosen};

/// Bytes of content that records are tried with: none, less and more than a block, borders of pages, and the most.
const CONTENT_BYTES: [usize; 8] = [0, 1, 15, 16, 17, 1_460, 4_096, 16_384];

/// What `sealgate device selftest` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    chosen: Chosen,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Serialize)]
struct Report {
    device: String,
    /// The device's own known answers.
    known_answers: &'static str,
    /// Records that came back as they were, and were refused when they had been changed.
    suites: Vec<SuiteReport>,
    /// Times that a message of the device woke this program.
    interrupts: u64,
    passed: bool,
}

#[derive(Serialize)]
struct SuiteReport {
    suite: &'static str,
    version: &'static str,
    records: usize,
}

impl Report {
    fn rows(&self) -> Vec<(String, String)> {
        let mut rows = vec![
            ("device".to_owned(), self.device.clone()),
            ("known answers".to_owned(), self.known_answers.to_owned()),
        ];
        rows.extend(self.suites.iter().map(|it| {
            let name = format!("{} {}", it.version, it.suite);
            (name, format!("{} records sealed, opened, and refused when changed", it.records))
        }));
        rows.push(("interrupts".to_owned(), self.interrupts.to_string()));
        rows.push(("self test".to_owned(), if self.passed { "passed" } else { "failed" }.to_owned()));
        rows
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<(), CommandError> {
    let transport = transport::reach(&arguments.chosen)?;
    // Sleeping at once has every record wait for its interrupt message.
    let settings =
        Settings { slots_per_queue: 2, spin: Duration::ZERO, ..transport::settings(&*transport) };
    let device = Device::open(transport, settings)?;
    let identity = device.identity();
    let mut suites = Vec::new();
    for &version in &identity.versions {
        for &suite in &identity.suites {
            suites.push(try_suite(&device, version, suite)?);
        }
    }
    let interrupts = device.health().counters.sleeps;
    let report = Report {
        device: identity.address.clone(),
        known_answers: "passed",
        suites,
        interrupts,
        passed: true,
    };
    print(&report, arguments.json, Report::rows)
}

/// Sends records of every size through the device and back.
fn try_suite(
    device: &Device,
    version: TlsVersion,
    suite: Suite,
) -> Result<SuiteReport, CommandError> {
    let session = |direction| {
        let key = match suite {
            Suite::Aes128Gcm => Key::Aes128(&[0x5A; 16]),
            Suite::Aes256Gcm => Key::Aes256(&[0x5A; 32]),
            Suite::Chacha20Poly1305 => Key::Chacha20(&[0x5A; 32]),
        };
        device.session_with(SessionConfig { version, direction, key, iv: [0xA5; 12] })
    };
    let (mut sealer, mut opener) = (session(Direction::Seal), session(Direction::Open));
    for (sequence, &bytes) in CONTENT_BYTES.iter().enumerate() {
        let content: Vec<u8> = (0..bytes).map(|at| (at * 7 + sequence) as u8).collect();
        let failed = |what: &str| CommandError::NotPassed {
            address: device.identity().address.clone(),
            what: format!("{} {}, {bytes} bytes: {what}", version_name(version), suite_name(suite)),
        };
        let sequence = sequence as u64;
        let plaintext =
            Plaintext { content_type: 23, sequence, padding_multiple: 0, chunks: &[&content] };
        let mut record = vec![0; sealer.segments(&plaintext, 0).bytes];
        sealer.seal_records(plaintext, 0, &mut record)?;
        let mut changed = record.clone();
        if let Some(last) = changed.last_mut() {
            *last ^= 1;
        }
        let opened = opener.open_run(sequence, &mut record);
        let opened = opened.map_err(|error| failed(&error.to_string()))?;
        if opened.content_type != 23 || record.get(..opened.length) != Some(&content[..]) {
            return Err(failed("the content came back otherwise"));
        }
        match opener.open_run(sequence, &mut changed) {
            Err(RecordError::Rejected(Status::BadTag)) => {}
            Err(RecordError::Device(error)) => return Err(error.into()),
            _ => return Err(failed("a record that was changed was not refused")),
        }
    }
    Ok(SuiteReport {
        suite: suite_name(suite),
        version: version_name(version),
        records: CONTENT_BYTES.len(),
    })
}
