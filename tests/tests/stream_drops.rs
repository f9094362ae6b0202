// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Streams that are dropped at random points with operations under way take nothing with them. One test alone in its
//! program, as it counts what the whole program holds.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use sealgate_driver::{Direction, Key, Session, SessionConfig, Settings, TlsVersion};
use sealgate_tests::device::Simulation;
use sealgate_tests::drops::{CONTENT, drop_streams};
use sealgate_tests::peer::{Party, converse};
use sealgate_tests::random;
use sealgate_tests::tls::TLS13_SUITES;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How many it is about, and how many before, that fill every cache.
const STREAMS: usize = 10_000;
const STREAMS_BEFORE: usize = 1_500;

/// Memory that may be more afterwards. One that were lost with each stream, with as little as a session's keys, would be
/// more.
const GROWTH_KIB: u64 = 4_096;

/// How long what was let go of may take to come back on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Threads of this program.
fn threads() -> usize {
    fs::read_dir("/proc/self/task").expect("Linux").count()
}

/// Memory of this program in KiB, without what it shares with devices: that is allotted once, and told of when it is first
/// used, which depends on the queues that the scheduler has streams use.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Waits until every slot of every queue that serves tasks is to be had again.
fn await_slots(party: &Party) {
    let queues = party.device.identity().queues;
    let config = SessionConfig {
        version: TlsVersion::Tls13,
        direction: Direction::Seal,
        key: Key::Aes128(&[1; 16]),
        iv: [2; 12],
    };
    let sessions: Vec<Session> =
        (0..queues).map(|_| party.device.task_session(config).expect("a session")).collect();
    let slots = usize::from(Settings::default().slots_per_queue);
    let begun = Instant::now();
    let mut buffers = Vec::new();
    // On which queues they are is not told: each that gives one must give all.
    while buffers.len() < slots || buffers.len() % slots != 0 {
        assert!(begun.elapsed() < PATIENCE, "{} buffers came back", buffers.len());
        thread::sleep(Duration::from_millis(1));
        for session in &sessions {
            buffers.extend(session.buffer());
        }
    }
    for buffer in &mut buffers {
        // Records that were never opened may be left, but no content.
        let is_content = |run: &[u8]| run.iter().all(|&byte| byte == CONTENT);
        assert!(!buffer.spare().chunks(16).any(is_content), "content was left");
    }
}

#[test]
fn ten_thousand_streams_dropped_with_operations_under_way() {
    let mut rng = random::rng();
    let party = Party::new(Simulation::Model, TLS13_SUITES[0]);
    converse(async {
        drop_streams(&party, &mut rng, STREAMS_BEFORE).await;
        await_slots(&party);
        let before = (threads(), memory());
        let made = drop_streams(&party, &mut rng, STREAMS).await;
        await_slots(&party);
        let after = (threads(), memory());
        println!(
            "{STREAMS} of {made} had something under way; threads and KiB: {before:?}, {after:?}"
        );
        // A queue has a thread from its first use on, and which are used is up to the scheduler.
        let queues = party.device.identity().queues;
        assert!(after.0 <= before.0 + queues, "threads: {} and {}", before.0, after.0);
        assert!(after.1 <= before.1 + GROWTH_KIB, "KiB: {before:?}, {after:?}");
        let health = party.device.health();
        assert!(health.state.is_healthy(), "{health:?}");
        let counters = health.counters;
        assert_eq!((counters.failures, counters.timeouts, counters.no_context), (0, 0, 0));

        // A stream after all of them has the device for itself.
        let (listener, address) = party.listen().await;
        let (mut ours, mut theirs) = tokio::join!(party.accept(&listener), party.connect(address));
        let content = random::bytes(&mut rng, 200_000);
        let mut got = vec![0; content.len()];
        let sending = async {
            ours.write_all(&content).await?;
            ours.flush().await
        };
        let (sent, received) = tokio::join!(sending, theirs.read_exact(&mut got));
        sent.expect("content is taken");
        received.expect("content arrives");
        assert!(got == content, "it arrived otherwise");
    });
}
