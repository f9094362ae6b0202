// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A device that stops in the middle of a connection: the connection goes on in software, counters say so, and the
//! device serves again once it is back.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use sealgate_driver::transport::Transport;
use sealgate_driver::{Device, Settings};
use sealgate_rustls::{Offload, Operation, Reason, RecordCounts};
use sealgate_sim::{SimConfig, SimTransport};
use sealgate_tests::device::{Simulation, await_recovery};
use sealgate_tests::digits::Scorer;
use sealgate_tests::http::Client;
use sealgate_tests::random;
use sealgate_tests::server::InProcess;
use sealgate_tests::tls::{DEVICE_SUITES, client_with};

use rand::RngExt;

/// How long an entry may take: no less than a busy machine needs for the simulation of one.
const COMPLETION_TIMEOUT: Duration = Duration::from_secs(1);

/// A server on a simulated device.
struct Bench {
    server: InProcess,
    device: Device,
    transport: Arc<SimTransport>,
    offload: Offload,
    scorer: Scorer,
}

impl Bench {
    fn start(simulation: Simulation) -> Self {
        let config =
            SimConfig { completion_timeout: Some(COMPLETION_TIMEOUT), ..SimConfig::default() };
        let settings = Settings {
            recovery_delay: Duration::from_millis(50),
            recovery_delay_max: Duration::from_millis(200),
            ..Settings::default()
        };
        let (device, transport) = simulation.open_with(config, settings);
        let offload = Offload::new(&device);
        let server = InProcess::start(&offload);
        Self { server, device, transport, offload, scorer: Scorer::new() }
    }

    fn connect(&self, suite: usize) -> Client {
        let config = client_with(DEVICE_SUITES[suite], &self.server.root_pem);
        Client::connect(self.server.address, config).expect("a connection")
    }

    /// Has images scored; the answer must be right.
    fn score(&self, client: &mut Client, images: usize) {
        let body = self.scorer.body(images, images);
        let answer = client.score(&body.json).expect("an answer");
        assert_eq!(answer.status, 200);
        body.check(&answer.body);
    }

    fn counts(&self) -> RecordCounts {
        self.offload.counts()
    }

    /// A request is served by the device alone.
    fn assert_device_serves(&self, client: &mut Client) {
        let before = self.counts();
        self.score(client, 5);
        let after = self.counts();
        for operation in Operation::ALL {
            assert_eq!(after.software_total(operation), before.software_total(operation));
            let [before, after] = [before, after].map(|it| it.device(operation).records);
            assert!(after > before, "{operation:?}");
        }
    }
}

/// Records that went to software for one reason, sealed and opened together.
fn software(counts: &RecordCounts, reason: Reason) -> u64 {
    Operation::ALL.map(|operation| counts.software(operation, reason).records).iter().sum()
}

/// Stops the device, has requests answered over an old and over a new connection, brings it back, and has it serve both
/// again. `first_reason` is why the first record went to software.
fn stop_and_go(bench: &Bench, stop: impl Fn(&SimTransport), first_reason: Reason) {
    let mut old = bench.connect(0);
    bench.assert_device_serves(&mut old);
    let before = bench.counts();
    stop(&bench.transport);
    bench.score(&mut old, 3);
    let after_one = bench.counts();
    assert!(
        software(&after_one, first_reason) > software(&before, first_reason),
        "{first_reason:?}: {after_one:?}"
    );
    bench.score(&mut old, 100);
    let mut new = bench.connect(1);
    bench.score(&mut new, 4);
    let stopped = bench.counts();
    assert!(
        software(&stopped, Reason::DeviceFailed) > software(&before, Reason::DeviceFailed),
        "{stopped:?}"
    );
    for operation in Operation::ALL {
        let [before, stopped] = [before, stopped].map(|it| it.device(operation));
        assert_eq!(before, stopped, "a device that stands still does nothing: {operation:?}");
    }
    assert_eq!((stopped.rejected, stopped.disagreements), (0, 0));
    assert!(!bench.device.health().state.is_healthy());

    bench.transport.control().revive();
    await_recovery(&bench.device);
    bench.assert_device_serves(&mut old);
    bench.assert_device_serves(&mut new);
    bench.assert_device_serves(&mut bench.connect(0));
    let health = bench.device.health();
    assert!(health.counters.recoveries > 0 && health.counters.failures > 0, "{health:?}");
}

#[test]
fn a_device_that_hangs() {
    for &simulation in Simulation::ALL {
        let bench = Bench::start(simulation);
        stop_and_go(&bench, |transport| transport.control().hang(), Reason::Timeout);
        // Once more: recovery leaves nothing behind that stands in the way of the next.
        stop_and_go(&bench, |transport| transport.control().hang(), Reason::Timeout);
    }
}

#[test]
fn a_device_that_vanishes() {
    for &simulation in Simulation::ALL {
        let bench = Bench::start(simulation);
        stop_and_go(&bench, |transport| transport.control().vanish(), Reason::DeviceFailed);
    }
}

/// Somebody else resets the device while records are under way: keys and queues are gone, and no answer is wrong.
#[test]
fn a_reset_in_flight() {
    const CLIENTS: usize = 4;
    const REQUESTS: usize = 6;
    let mut rng = random::rng();
    for &simulation in Simulation::ALL {
        let bench = Bench::start(simulation);
        let opened_before_reset = rng.random_range(1..CLIENTS * REQUESTS / 2) as u64;
        println!("{simulation:?}: reset after {opened_before_reset} records were opened");
        thread::scope(|scope| {
            for number in 0..CLIENTS {
                let bench = &bench;
                scope.spawn(move || {
                    let mut client = bench.connect(number % 2);
                    for request in 0..REQUESTS {
                        bench.score(&mut client, 1 + 20 * request);
                    }
                });
            }
            while bench.counts().device(Operation::Open).records < opened_before_reset {
                thread::yield_now();
            }
            bench.transport.reset().expect("the device is reset");
        });
        // Where no record was under way the driver learns of the reset with the next one.
        let mut client = bench.connect(0);
        bench.score(&mut client, 1);
        await_recovery(&bench.device);
        bench.assert_device_serves(&mut client);
        let counts = bench.counts();
        assert_eq!((counts.rejected, counts.disagreements), (0, 0), "{counts:?}");
        assert!(bench.device.health().counters.recoveries > 0, "{:?}", bench.device.health());
        let on_fault = Reason::ALL.into_iter().filter(|reason| reason.is_fault());
        assert!(on_fault.map(|reason| software(&counts, reason)).sum::<u64>() > 0, "{counts:?}");
    }
}
