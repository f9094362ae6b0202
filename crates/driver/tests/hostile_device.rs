// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A device that writes random completions, lengths, indices, cookies and phases, reads as all ones and loses resets:
//! nothing panics, nothing waits for ever, and afterwards all is well.

mod support;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use sealgate_driver::{Device, Direction, HostCounters, Key, Plaintext, Settings};

use support::fake::Fake;
use support::{impatient, open, recovered, seal, seed};

const ROUNDS: usize = 24;
const THREADS: usize = 4;
/// Failures after which a round ends, and the most connections that a thread spends on them.
const FAILURES: u64 = 25;
const CONNECTIONS: usize = 5000;

#[test]
fn nothing_that_the_device_does_harms_the_host() {
    let mut rng = StdRng::seed_from_u64(seed());
    let mut seen = Seen::default();
    for _ in 0..ROUNDS {
        let fake = Fake::new(rng.random_range(3..8));
        let settings = Settings {
            ring_entries: 1 << rng.random_range(2..8),
            slots_per_queue: rng.random_range(1..20),
            completion_timeout: Some(Duration::from_millis(3)),
            recovery_delay: Duration::ZERO,
            recovery_delay_max: Duration::from_millis(2),
            ..impatient()
        };
        let device = Device::open(Arc::clone(&fake) as _, settings).unwrap();
        fake.chaos(rng.next_u64());
        thread::scope(|scope| {
            for _ in 0..THREADS {
                let mut rng = StdRng::seed_from_u64(rng.next_u64());
                let device = &device;
                scope.spawn(move || work(device, &mut rng));
            }
        });
        seen.add(&device.health().counters);
        fake.honest();
        fake.set_hung(false);
        recovered(&device);
        let key = Key::Aes256(&[7; 32]);
        let mut sealer = device.session(Direction::Seal, key, [1; 12]);
        let mut opener = device.session(Direction::Open, key, [1; 12]);
        // A lie of before may still be found now, once.
        let record = seal(&mut sealer, 0, b"content").or_else(|_| {
            recovered(&device);
            seal(&mut sealer, 0, b"content")
        });
        let record = record.unwrap();
        let content = open(&mut opener, 0, &record).or_else(|_| {
            recovered(&device);
            open(&mut opener, 0, &record)
        });
        assert_eq!(content.unwrap(), (23, b"content".to_vec()));
        drop((sealer, opener, device));
        assert_eq!(fake.mappings(), 0);
    }
    println!("{seen:?}");
    let Seen { sealed, refused, inconsistencies, timeouts, recoveries } = seen;
    assert!(
        [sealed, refused, inconsistencies, timeouts, recoveries].iter().all(|&count| count > 0)
    );
}

/// What the device was caught at, and what it did all the same.
#[derive(Debug, Default)]
struct Seen {
    sealed: u64,
    refused: u64,
    inconsistencies: u64,
    timeouts: u64,
    recoveries: u64,
}

impl Seen {
    fn add(&mut self, counters: &HostCounters) {
        self.sealed += counters.sealed_records;
        self.refused += counters.refused.iter().sum::<u64>();
        self.inconsistencies += counters.inconsistencies;
        self.timeouts += counters.timeouts;
        self.recoveries += counters.recoveries;
    }
}

/// Seals and opens; a failure leaves the buffers as they were.
fn work(device: &Device, rng: &mut StdRng) {
    for _ in 0..CONNECTIONS {
        let health = device.health();
        if health.counters.failures >= FAILURES {
            break;
        }
        if !health.state.is_healthy() {
            thread::sleep(Duration::from_micros(300));
            continue;
        }
        let key = Key::Aes128(&[3; 16]);
        let mut sealer = device.session(Direction::Seal, key, [1; 12]);
        let mut opener = device.session(Direction::Open, key, [1; 12]);
        for sequence in 0..rng.random_range(1..5) {
            let content = vec![0xC5; rng.random_range(0..3000)];
            let chunks = [content.as_slice()];
            let plaintext =
                Plaintext { content_type: 23, sequence, padding_multiple: 0, chunks: &chunks };
            let mut buffer = vec![0xA5; plaintext.encrypted_record_bytes()];
            if sealer.seal(plaintext, &mut buffer).is_err() {
                assert!(buffer.iter().all(|byte| *byte == 0xA5));
            }
            let [high, low] = (buffer.len() as u16).to_be_bytes();
            let before = buffer.clone();
            match opener.open(sequence, [23, 3, 3, high, low], &mut buffer) {
                Ok(content) => assert!(content.length <= before.len() - 17),
                Err(_) => assert_eq!(buffer, before),
            }
        }
        let _ = device.counters();
    }
}
