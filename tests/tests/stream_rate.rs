// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What one connection's stream gets out of the verilated engine, 1 lane and a bus of 128 bits, as the engine counts it.

#![cfg(feature = "rtl")]

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use sealgate_tests::device::Simulation;
use sealgate_tests::drain::drained;
use sealgate_tests::peer::{Party, converse};
use sealgate_tests::tls::TLS13_SUITES;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// Content of the records that are under way at once: 64 full ones.
const WINDOW_BYTES: usize = 64 << 14;

/// What a lane takes in each cycle: a word of text.
const LANE_BYTES_PER_CYCLE: u64 = 16;

#[test]
fn a_connection_has_64_records_under_way_at_once() {
    for &simulation in Simulation::ALL {
        let party = Party::new(simulation, TLS13_SUITES[0]);
        converse(async {
            let mut stream = drained(&party).await;
            stream.write_all(b"loads the key").await.expect("content is taken");
            stream.flush().await.expect("content is sent");
            let before = party.device.health().counters;
            let sent_before = stream.get_ref().taken();
            party.transport.control().hang();
            let content = vec![0x5A; WINDOW_BYTES];
            let mut cx = Context::from_waker(Waker::noop());
            let taken = Pin::new(&mut stream).poll_write(&mut cx, &content);
            assert!(matches!(taken, Poll::Ready(Ok(WINDOW_BYTES))), "{taken:?}");
            assert!(Pin::new(&mut stream).poll_flush(&mut cx).is_pending());
            // An entry stands for up to four records. The last may wait for company, until the queue's reaper has looked.
            let counters = || party.device.health().counters;
            while counters().submitted - before.submitted < 16 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let under_way = counters();
            assert_eq!(under_way.submitted - before.submitted, 16, "{under_way:?}");
            assert_eq!(under_way.completed, before.completed, "{under_way:?}");
            assert_eq!(stream.get_ref().taken(), sent_before, "nothing is sealed yet");
            party.transport.control().revive();
            stream.flush().await.expect("content is sent");
            let after = party.device.health().counters;
            assert_eq!(after.sealed_records - before.sealed_records, 64, "{after:?}");
            assert!(stream.get_ref().taken() - sent_before > WINDOW_BYTES);
        });
        party.assert_nothing_in_software();
    }
}

/// Bytes of content that were sealed for each cycle in which the engine had entries in flight. While this thread cannot
/// keep up with the simulation there may be none, and those cycles tell nothing of the stream; filling and running dry
/// each time count in full.
#[test]
fn a_connection_reaches_nine_tenths_of_the_rate_of_a_lane() {
    const CONTENT_BYTES: usize = 8 << 20;
    for suite in [TLS13_SUITES[0], TLS13_SUITES[1]] {
        let party = Party::new(Simulation::Rtl, suite);
        let [before, after] = converse(async {
            let mut stream = drained(&party).await;
            let content = vec![0x5A; 2 * WINDOW_BYTES];
            // The first have the window filled and the key loaded.
            stream.write_all(&content).await.expect("content is taken");
            stream.flush().await.expect("content is sent");
            let before = party.device.counters().expect("the counters");
            let mut left = CONTENT_BYTES;
            while left > 0 {
                let part = &content[..left.min(content.len())];
                left -= poll_fn(|cx| Pin::new(&mut stream).poll_write(cx, part))
                    .await
                    .expect("content is taken");
            }
            stream.flush().await.expect("content is sent");
            [before, party.device.counters().expect("the counters")]
        });
        let sealed = after.sealed_bytes - before.sealed_bytes;
        let busy = after.busy - before.busy;
        assert_eq!(sealed, CONTENT_BYTES as u64);
        let hundredths = sealed * 100 / busy;
        let rate = format!("{}.{:02} bytes a cycle", hundredths / 100, hundredths % 100);
        println!("{suite:?}: {rate}, busy {busy} cycles of {}", after.cycles - before.cycles);
        // Nine tenths, in whole numbers.
        assert!(10 * sealed >= 9 * LANE_BYTES_PER_CYCLE * busy, "{suite:?}: {rate}");
        party.assert_nothing_in_software();
    }
}
