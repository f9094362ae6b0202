// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Many streams open at once, many more than the device has contexts, used in random order and dropped.
//!
//! `SEALGATE_STREAMS` says how many; each takes some kilobytes of memory.

use std::env;

use rand::RngExt;
use sealgate_rustls::TlsStream;
use sealgate_tests::device::Simulation;
use sealgate_tests::drain::{Drain, accept, drained};
use sealgate_tests::peer::{Party, converse};
use sealgate_tests::random;
use sealgate_tests::tls::TLS13_SUITES;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How many by default.
const STREAMS: usize = 10_000;

/// Of how many streams one has a peer that sees what arrives.
const SEEN_OF: usize = 100;

fn streams() -> usize {
    env::var("SEALGATE_STREAMS")
        .map_or(STREAMS, |streams| streams.parse().expect("SEALGATE_STREAMS is a number"))
}

async fn send(stream: &mut TlsStream<Drain>, number: usize) {
    stream.write_all(&number.to_le_bytes()).await.expect("content is taken");
    stream.flush().await.expect("content is sent");
}

#[test]
fn many_streams_share_the_contexts() {
    let mut rng = random::rng();
    let party = Party::new(Simulation::Model, TLS13_SUITES[0]);
    let count = streams();
    let contexts = party.device.identity().contexts;
    assert!(count > 2 * contexts, "{count} streams, {contexts} contexts");
    converse(async {
        let mut streams = Vec::new();
        let mut peers = Vec::new();
        for number in 0..count {
            if number % SEEN_OF == 0 {
                let (stream, peer, _) = accept(&party).await;
                streams.push(stream);
                peers.push((number, peer, 0_u64));
            } else {
                streams.push(drained(&party).await);
            }
        }
        for _ in 0..count {
            let number = rng.random_range(0..count);
            send(&mut streams[number], number).await;
            if number % SEEN_OF == 0 {
                peers[number / SEEN_OF].2 += 1;
            }
        }
        for (number, peer, sent) in &mut peers {
            for _ in 0..*sent {
                let got = peer.read_u64_le().await.expect("content arrives");
                assert_eq!(got, *number as u64);
            }
        }
        while !streams.is_empty() {
            drop(streams.swap_remove(rng.random_range(0..streams.len())));
        }
    });
    party.assert_nothing_in_software();
    let counters = party.device.health().counters;
    assert!(counters.evictions > (count - contexts) as u64 / 4, "{counters:?}");
    assert_eq!(counters.no_context, 0, "{counters:?}");
    println!("{count} streams, {contexts} contexts, {} evictions", counters.evictions);
}
