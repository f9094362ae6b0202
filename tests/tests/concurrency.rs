// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Many clients at once: every answer right, every record on the device, and a shutdown that loses nothing.

use std::thread;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sealgate_driver::Device;
use sealgate_rustls::{Offload, Operation, RecordCounts};
use sealgate_tests::device::Simulation;
use sealgate_tests::digits::{ScoreBody, Scorer};
use sealgate_tests::http::{Client, last_score_request};
use sealgate_tests::random;
use sealgate_tests::server::InProcess;
use sealgate_tests::tls::{DEVICE_SUITES, client_with};

const CLIENTS: usize = 32;

/// Clients that send one body of the largest size; the embedded model scores sixteen requests at once.
const LARGE: usize = 2;

const REQUESTS: usize = 4;

/// One client's requests over one connection.
fn converse(server: &InProcess, number: usize, scorer: &Scorer, rng: &mut StdRng) -> Client {
    let config = client_with(DEVICE_SUITES[number % DEVICE_SUITES.len()], &server.root_pem);
    let mut client = Client::connect(server.address, config).expect("a connection");
    for request in 0..REQUESTS {
        let first = rng.random_range(0..300);
        let body = if number < LARGE && request == 0 {
            scorer.largest_body(first)
        } else {
            scorer.body(first, 1 + random::length(rng, 60))
        };
        let answer = client.score(&body.json).expect("an answer");
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        body.check(&answer.body);
    }
    client
}

/// A request of which half was sent when the shutdown came.
struct Unfinished {
    client: Client,
    rest: Vec<u8>,
    body: ScoreBody,
}

impl Unfinished {
    fn begin(mut client: Client, body: ScoreBody) -> Self {
        let request = last_score_request(&body.json);
        let (begin, rest) = request.split_at(request.len() / 2);
        client.send(begin).expect("half a request");
        Self { client, rest: rest.to_vec(), body }
    }

    fn finish(mut self) {
        self.client.send(&self.rest).expect("the other half");
        let answer = self.client.answer().expect("an answer");
        assert_eq!(answer.status, 200);
        self.body.check(&answer.body);
    }
}

fn assert_no_software(counts: &RecordCounts, device: &Device) {
    for operation in Operation::ALL {
        assert_eq!(counts.software_total(operation).records, 0, "{operation:?}: {counts:?}");
        assert!(counts.device(operation).records as usize > CLIENTS * REQUESTS);
    }
    assert_eq!((counts.rejected, counts.disagreements), (0, 0));
    let health = device.health();
    assert_eq!((health.counters.failures, health.counters.timeouts), (0, 0), "{health:?}");
}

#[test]
fn many_clients_at_once_and_a_shutdown_in_their_midst() {
    let mut rng = random::rng();
    let scorer = Scorer::new();
    for &simulation in Simulation::ALL {
        let (device, transport) = simulation.open();
        let offload = Offload::new(&device);
        let server = InProcess::start(&offload);
        let clients: Vec<_> = thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|number| {
                    let mut rng = StdRng::seed_from_u64(rng.random());
                    let (server, scorer) = (&server, &scorer);
                    scope.spawn(move || converse(server, number, scorer, &mut rng))
                })
                .collect();
            clients.into_iter().map(|client| client.join().expect("a client")).collect()
        });
        let begun = clients.into_iter().map(|client| Unfinished::begin(client, scorer.body(0, 20)));
        let unfinished: Vec<_> = begun.collect();
        // Half a request counts as in flight once its head has been read.
        while server.metric("sealgate_frontend_requests_in_flight") < CLIENTS as u64 {
            thread::yield_now();
        }
        let summary = server.shut_down(|| unfinished.into_iter().for_each(Unfinished::finish));
        assert_eq!((summary.connections, summary.aborted), (CLIENTS as u64, 0));

        let counts = offload.counts();
        assert_no_software(&counts, &device);
        assert_eq!(transport.control().protocol_errors(), Vec::<String>::new());
        let [sealed, opened] = Operation::ALL.map(|operation| counts.device(operation));
        let cycles = transport.control().cycles();
        println!("{simulation:?}: sealed {sealed:?}, opened {opened:?}, {cycles} cycles");
    }
}
