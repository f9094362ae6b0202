// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `sealgate device selftest`: whether everything between this program and the device's lanes works.
//!
//! The device's own known answers come first. Then records of every suite and version go through rings, memory and
//! interrupts: sealed by the device, opened by it again, and refused when a byte was changed on the way.

use std::sync::Arc;
use std::time::Instant;

use sealgate_abi::RecordEntry;
use sealgate_driver::queue::Submission;
use sealgate_driver::{
    Device, Direction, Key, Plaintext, RecordError, SessionConfig, Settings, Status, Suite,
    TlsVersion, Transport,
};
use serde::Serialize;

use super::info::{suite_name, version_name};
use super::{CommandError, lone_queue, print};
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

/// What was found. Whatever is not as it should be is an error, and no report.
#[derive(Serialize)]
struct Report {
    device: String,
    /// The device's own known answers.
    known_answers: &'static str,
    /// Queues whose message arrived when an entry completed; 0 where none can arrive.
    interrupts: usize,
    /// Records that came back as they were, and were refused when they had been changed.
    suites: Vec<SuiteReport>,
    self_test: &'static str,
}

#[derive(Serialize)]
struct SuiteReport {
    suite: &'static str,
    version: &'static str,
    records: usize,
}

impl Report {
    fn rows(&self) -> Vec<(String, String)> {
        let interrupts = match self.interrupts {
            0 => "none come this way: rings are polled".to_owned(),
            queues => format!("of {queues} queues"),
        };
        let mut rows = vec![
            ("device".to_owned(), self.device.clone()),
            ("known answers".to_owned(), self.known_answers.to_owned()),
            ("interrupts".to_owned(), interrupts),
        ];
        rows.extend(self.suites.iter().map(|it| {
            let name = format!("{} {}", it.version, it.suite);
            (name, format!("{} records sealed, opened, and refused when changed", it.records))
        }));
        rows.push(("self test".to_owned(), self.self_test.to_owned()));
        rows
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<(), CommandError> {
    let transport = transport::reach(&arguments.chosen)?;
    let identity = sealgate_driver::reset(&*transport)?;
    let has_interrupts = transport.has_interrupts();
    for queue in 0..identity.queues {
        try_interrupt(&transport, queue)?;
    }
    let settings = Settings { slots_per_queue: 2, ..transport::settings(&*transport) };
    let device = Device::open(transport, settings)?;
    let mut suites = Vec::new();
    for &version in &identity.versions {
        for &suite in &identity.suites {
            suites.push(try_suite(&device, version, suite)?);
        }
    }
    let report = Report {
        device: identity.address,
        known_answers: "passed",
        interrupts: if has_interrupts { identity.queues } else { 0 },
        suites,
        self_test: "passed",
    };
    print(&report, arguments.json, Report::rows)
}

/// Has one queue complete an entry that does nothing, and waits for its message.
fn try_interrupt(transport: &Arc<dyn Transport>, index: usize) -> Result<(), CommandError> {
    let failed = |what: &str| CommandError::NotPassed {
        address: transport.address().to_owned(),
        what: format!("queue {index}: {what}"),
    };
    let mut queue = lone_queue(transport, index)?;
    queue.arm_interrupt();
    let nop = Submission::record(&RecordEntry::nop(0), ());
    queue.submit([nop]).map_err(|error| failed(&error.to_string()))?;
    let timeout = transport.completion_timeout();
    let deadline = Instant::now() + timeout;
    let mut came = false;
    loop {
        came |= transport.wait_for_interrupt(index, timeout)?;
        match queue.reap(|(), _, _| {})? {
            0 if Instant::now() < deadline => {}
            0 => {
                return Err(failed(
                    "its entry did not complete: check bus mastering and the IOMMU",
                ));
            }
            _ if came => return Ok(()),
            _ => return Err(failed("its entry completed and no message arrived: check MSI-X")),
        }
    }
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
        let run = opener.open_run(sequence, &mut record);
        let run = run.map_err(|error| failed(&error.to_string()))?;
        if run.content_type != 23 || record.get(..run.length) != Some(&content[..]) {
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
