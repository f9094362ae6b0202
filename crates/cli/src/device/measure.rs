// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `sealgate device measure`: what the way to a device costs: registers, doorbells and memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sealgate_abi::RecordEntry;
use sealgate_abi::regs::Sealgate;
use sealgate_driver::memory::DmaMemory;
use sealgate_driver::queue::Submission;
use sealgate_driver::transport::DmaAccess;
use sealgate_driver::{Device, Direction, Key, Plaintext, Settings, Transport};
use serde::Serialize;

use super::{CommandError, lone_queue, print};
use crate::transport::{self, Chosen};

/// Content of the records that are sealed.
const CONTENT_BYTES: u16 = 1 << 14;

/// What `sealgate device measure` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    chosen: Chosen,
    /// How often each is done.
    #[arg(long, value_name = "N", default_value_t = 200)]
    rounds: u32,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Mean times in microseconds.
#[derive(Serialize)]
struct Costs {
    device: String,
    /// Then the times say nothing about hardware.
    simulated: bool,
    register_read_us: f64,
    /// For the host; a write arrives later.
    register_write_us: f64,
    /// From the doorbell to the completion in memory, polled.
    completion_us: f64,
    /// From the doorbell until the interrupt message has woken this program.
    interrupt_us: f64,
    /// One block of 64 KiB.
    map_and_unmap_us: f64,
    /// One record of 16 KiB, waited for.
    seal_us: f64,
    seal_mb_per_s: f64,
}

impl Costs {
    fn rows(&self) -> Vec<(String, String)> {
        let us = |value: f64| format!("{value:.1} us");
        let kind = if self.simulated { " (simulated)" } else { "" };
        [
            ("device", format!("{}{kind}", self.device)),
            ("register read", us(self.register_read_us)),
            ("register write", us(self.register_write_us)),
            ("to completion", us(self.completion_us)),
            ("to interrupt", us(self.interrupt_us)),
            ("map and unmap 64 KiB", us(self.map_and_unmap_us)),
            ("seal 16 KiB", us(self.seal_us)),
            ("seal one by one", format!("{:.1} MB/s", self.seal_mb_per_s)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<(), CommandError> {
    let transport = transport::reach(&arguments.chosen)?;
    let rounds = arguments.rounds.max(1);
    let identity = sealgate_driver::reset(&*transport)?;
    let page = Sealgate::new(&*transport).device();
    let register_read_us = mean(rounds, || {
        let _ = page.status().read();
        Ok(())
    })?;
    // Writes are posted: this is what they cost the host.
    let register_write_us = mean(rounds, || {
        transport.write32(page.irq_moderation().address(), 0);
        Ok(())
    })?;
    let [completion_us, interrupt_us] = entries(&transport, rounds)?;
    let map_and_unmap_us = mean(rounds.min(20), || {
        let memory = DmaMemory::allocate(1 << 16).map_err(CommandError::Output)?;
        let iova = transport.map(&memory, DmaAccess::ReadWrite)?;
        Ok(transport.unmap(iova)?)
    })?;
    let settings = Settings { slots_per_queue: 2, ..transport::settings(&*transport) };
    let seal_us = seals(&Device::open(transport, settings)?, rounds)?;
    let costs = Costs {
        device: identity.address,
        simulated: identity.simulated,
        register_read_us,
        register_write_us,
        completion_us,
        interrupt_us,
        map_and_unmap_us,
        seal_us,
        seal_mb_per_s: f64::from(CONTENT_BYTES) / seal_us,
    };
    print(&costs, arguments.json, Costs::rows)
}

/// Mean time of one round.
fn mean(
    rounds: u32,
    mut round: impl FnMut() -> Result<(), CommandError>,
) -> Result<f64, CommandError> {
    let begun = Instant::now();
    for _ in 0..rounds {
        round()?;
    }
    Ok(begun.elapsed().as_secs_f64() * 1e6 / f64::from(rounds))
}

/// Times of entries that do nothing: polled, and waited for by interrupt.
fn entries(transport: &Arc<dyn Transport>, rounds: u32) -> Result<[f64; 2], CommandError> {
    let not_completed = || CommandError::NotPassed {
        address: transport.address().to_owned(),
        what: "an entry did not complete in time".to_owned(),
    };
    let mut queue = lone_queue(transport, 0)?;
    let mut times = [0.0; 2];
    for (sleeps, time) in [false, true].into_iter().zip(&mut times) {
        *time = mean(rounds, || {
            if sleeps {
                queue.arm_interrupt();
            }
            let nop = Submission::record(&RecordEntry::nop(0), ());
            queue.submit([nop]).map_err(|_| not_completed())?;
            let deadline = Instant::now() + transport.completion_timeout();
            while queue.reap(|(), _, _| {})? == 0 {
                if Instant::now() > deadline {
                    return Err(not_completed());
                }
                if sleeps {
                    transport.wait_for_interrupt(0, Duration::from_millis(100))?;
                }
            }
            Ok(())
        })?;
    }
    Ok(times)
}

fn seals(device: &Device, rounds: u32) -> Result<f64, CommandError> {
    let mut session = device.session(Direction::Seal, Key::Aes128(&[0x5A; 16]), [0xA5; 12]);
    let content = vec![0x5A; CONTENT_BYTES.into()];
    let mut record = Vec::new();
    let mut sequence = 0;
    mean(rounds, || {
        let plaintext =
            Plaintext { content_type: 23, sequence, padding_multiple: 0, chunks: &[&content] };
        record.resize(session.segments(&plaintext, 0).bytes, 0);
        session.seal_records(plaintext, 0, &mut record)?;
        sequence += 1;
        Ok(())
    })
}
