// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The rates that the engine is built for, in simulated cycles: with one seed they come out the same on every machine.
//!
//! Four lanes, a bus of 512 bits, 250 cycles of read latency give or take 50, 256 connections that take turns.
#![cfg(feature = "rtl")]

use sealgate_abi::{Direction, Suite, TlsVersion};
use sealgate_bench::{Figure, Sweep, measure};

/// Bytes of content, and the least bytes per cycle with AES-GCM and with ChaCha20-Poly1305. At 64 bytes these are 0.2 and
/// 0.15 records a cycle.
const TARGETS: [(usize, f64, f64); 5] = [
    (16_384, 62.0, 62.0),
    (4_096, 60.0, 58.0),
    (1_460, 54.0, 48.0),
    (256, 36.0, 28.0),
    (64, 0.2 * 64.0, 0.15 * 64.0),
];

/// Most cycles from the doorbell to the completion of one record of 16 KiB on an idle engine that seals: the text itself,
/// two reads one after the other (the entry, the source), and what the engine may add.
const IDLE_LATENCY: u64 = 1_024 + 2 * 250 + 200;

/// Twice the lanes give at least this much more.
const SCALING: f64 = 1.95;

fn figures(sweep: &Sweep) -> Vec<Figure> {
    let points = sweep.points().expect("the sweep can be measured");
    points.iter().map(|point| measure(point).expect("a figure")).collect()
}

fn check(suite: Suite, version: TlsVersion) {
    let sweep = Sweep { suites: vec![suite], versions: vec![version], ..Sweep::default() };
    for figure in figures(&sweep) {
        let (_, aes, chacha) = TARGETS
            .into_iter()
            .find(|(bytes, ..)| *bytes == figure.record_bytes)
            .expect("a target for every size of the default sweep");
        let least = if suite == Suite::Chacha20Poly1305 { chacha } else { aes };
        let reached = figure.payload_bytes_per_cycle;
        assert!(reached >= least, "{reached} bytes a cycle, {least} are wanted: {figure:?}");
    }
}

#[test]
fn aes_128_gcm_reaches_its_rates() {
    check(Suite::Aes128Gcm, TlsVersion::Tls13);
}

#[test]
fn aes_256_gcm_reaches_the_rates_of_aes_128_gcm() {
    check(Suite::Aes256Gcm, TlsVersion::Tls13);
}

#[test]
fn chacha20_poly1305_reaches_its_rates() {
    check(Suite::Chacha20Poly1305, TlsVersion::Tls13);
}

#[test]
fn tls_1_2_is_as_fast() {
    check(Suite::Aes128Gcm, TlsVersion::Tls12);
}

#[test]
fn one_long_entry_is_as_fast_as_many_records() {
    let sweep = Sweep {
        record_bytes: vec![16_384],
        records_per_entry: vec![64],
        directions: vec![Direction::Seal],
        ..Sweep::default()
    };
    for figure in figures(&sweep) {
        assert!(figure.payload_bytes_per_cycle >= 62.0, "{figure:?}");
    }
}

#[test]
fn an_idle_engine_answers_in_time() {
    let sweep = Sweep {
        record_bytes: vec![16_384],
        directions: vec![Direction::Seal],
        connections: vec![1],
        queues: vec![1],
        in_flight: Some(1),
        jitter: 0,
        ..Sweep::default()
    };
    for figure in figures(&sweep) {
        assert!(figure.latency_cycles_p50 <= IDLE_LATENCY, "{figure:?}");
    }
}

#[test]
fn lanes_add_up_until_the_bus_is_full() {
    let rate = |lanes| {
        let shape = sealgate_sim::Shape::new(lanes, 128 * lanes).expect("a shape of the engine");
        let sweep = Sweep {
            record_bytes: vec![16_384],
            suites: vec![Suite::Aes128Gcm],
            directions: vec![Direction::Seal],
            shapes: vec![shape],
            ..Sweep::default()
        };
        figures(&sweep)[0].payload_bytes_per_cycle
    };
    let (one, four) = (rate(1), rate(4));
    assert!(four >= SCALING * SCALING * one, "one lane: {one}, four: {four} bytes a cycle");
}
