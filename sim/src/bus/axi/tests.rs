// SPDX-License-Identifier: Apache-2.0 OR MIT
//! An engine of a few lines against the bus model: what the model does to it, and what it notices of it.

use sealgate_driver::memory::DmaMemory;
use sealgate_driver::transport::{DmaAccess, Iova};

use super::*;

/// Memory with a bus in front, and whoever drives the bus.
struct Bench {
    slave: AxiSlave,
    monitor: Monitor,
    memory: Arc<DmaMemory>,
    base: u64,
    /// Beats and responses as they came, with their cycles.
    reads: Vec<(u64, ReadBeat)>,
    responses: Vec<(u64, WriteResponse)>,
    cycle: u64,
    beat_bytes: usize,
}

/// The widths of a bus, in bytes of a beat.
const WIDTHS: [usize; 3] = [16, 32, 64];

impl Bench {
    fn new(config: BusConfig, beat_bytes: usize, seed: u64) -> Self {
        let host = Arc::new(HostMemory::new(seed));
        let memory = DmaMemory::allocate(64 * 4096).unwrap();
        let Iova(base) = host.map(&memory, DmaAccess::ReadWrite).unwrap();
        Self {
            slave: AxiSlave::new(host, config, beat_bytes, seed),
            monitor: Monitor::default(),
            memory,
            base,
            reads: Vec::new(),
            responses: Vec::new(),
            cycle: 0,
            beat_bytes,
        }
    }

    fn calm(beat_bytes: usize) -> Self {
        Self::new(BusConfig::default(), beat_bytes, 1)
    }

    fn address(&self, id: u16, address: u64, beats: u8) -> Address {
        let size = self.beat_bytes.trailing_zeros() as u8;
        Address { id, address, len: beats - 1, size, burst: BURST_INCR }
    }

    /// A beat of which every byte is written.
    fn beat(&self, fill: u8, last: bool) -> WriteBeat {
        WriteBeat { data: [fill; MAX_BEAT_BYTES], strobes: self.all(), last }
    }

    fn all(&self) -> u64 {
        u64::MAX >> (64 - self.beat_bytes)
    }

    fn contents<const N: usize>(&self, offset: usize) -> [u8; N] {
        let mut bytes = [0; N];
        self.memory.read(offset, &mut bytes).unwrap();
        bytes
    }

    /// One cycle; tells what was taken of AR, AW and W.
    fn cycle(&mut self, signals: MasterSignals) -> [bool; 3] {
        self.cycle += 1;
        let slave = *self.slave.drive();
        self.slave.observe(&signals, &mut self.monitor);
        self.reads.extend(slave.r.filter(|_| signals.r_ready).map(|beat| (self.cycle, beat)));
        let response = slave.b.filter(|_| signals.b_ready);
        self.responses.extend(response.map(|response| (self.cycle, response)));
        [
            signals.ar.is_some() && slave.ar_ready,
            signals.aw.is_some() && slave.aw_ready,
            signals.w.is_some() && slave.w_ready,
        ]
    }

    fn idle(&mut self, cycles: u32) {
        for _ in 0..cycles {
            self.cycle(ready());
        }
    }

    /// Asks for a burst and holds the address until it is taken.
    fn read(&mut self, id: u16, offset: u64, beats: u8) {
        let ar = Some(self.address(id, self.base + offset, beats));
        while !self.cycle(MasterSignals { ar, ..ready() })[0] {}
    }

    /// Writes a burst of whole beats, each filled with its number, the data behind the address.
    fn write(&mut self, id: u16, offset: u64, beats: u8) {
        let aw = Some(self.address(id, self.base.wrapping_add(offset), beats));
        while !self.cycle(MasterSignals { aw, ..ready() })[1] {}
        for beat in 0..beats {
            let w = Some(self.beat(beat, beat + 1 == beats));
            while !self.cycle(MasterSignals { w, ..ready() })[2] {}
        }
    }

    /// Takes no answers for a while.
    fn sulk(&mut self, cycles: u32) {
        for _ in 0..cycles {
            self.cycle(MasterSignals::default());
        }
    }

    fn wait_until_idle(&mut self) {
        for _ in 0..100_000 {
            if self.slave.is_idle() {
                return;
            }
            self.idle(1);
        }
        panic!("the bus model is stuck");
    }

    fn errors(&self) -> String {
        self.monitor.errors().join("\n")
    }
}

fn ready() -> MasterSignals {
    MasterSignals { r_ready: true, b_ready: true, ..MasterSignals::default() }
}

#[test]
fn a_calm_bus_answers_in_order_after_its_latency_without_gaps() {
    for width in WIDTHS {
        let mut bench = Bench::calm(width);
        bench.memory.write(4096, &[1; 256]).unwrap();
        bench.memory.write(8192, &[2; 256]).unwrap();
        bench.read(3, 4096, 4);
        bench.read(0x7FF, 8192, 4);
        bench.wait_until_idle();
        let first = bench.reads[0].0;
        assert_eq!(first, 1 + 250);
        for (at, (cycle, beat)) in bench.reads.iter().enumerate() {
            assert_eq!(*cycle, first + at as u64);
            assert_eq!((beat.id, beat.data[width - 1]), if at < 4 { (3, 1) } else { (0x7FF, 2) });
            assert_eq!((beat.last, beat.response), (at % 4 == 3, response::OKAY));
        }
        assert_eq!(bench.reads.len(), 8);

        bench.write(2, 64, 3);
        let last_beat = bench.cycle;
        bench.wait_until_idle();
        assert_eq!(bench.responses, [(last_beat + 100, WriteResponse { id: 2, response: 0 })]);
        let bytes: [u8; 192] = bench.contents(64);
        assert!(
            bytes[..3 * width].iter().enumerate().all(|(at, &byte)| byte == (at / width) as u8)
        );
        assert_eq!(bench.errors(), "");
    }
}

#[test]
fn a_hostile_bus_reorders_and_interleaves_reads() {
    let (mut reordered, mut interleaved, mut gaps) = (false, false, false);
    for seed in 0..20 {
        let width = WIDTHS[seed as usize % 3];
        let mut bench = Bench::new(BusConfig::hostile(), width, seed);
        for at in 0..30 {
            bench.memory.write(at * 1024, &[at as u8; 1024]).unwrap();
        }
        (0..30).for_each(|at| bench.read(64 * at, u64::from(at) * 1024, 16));
        bench.wait_until_idle();
        assert_eq!(bench.reads.len(), 30 * 16);
        for burst in 0..30 {
            let own: Vec<_> =
                bench.reads.iter().filter(|(_, beat)| beat.id == 64 * burst).collect();
            for (at, (_, beat)) in own.iter().enumerate() {
                assert_eq!((beat.data[0], beat.last), (burst as u8, at == 15));
            }
        }
        let bursts_seen = bench.reads.iter().map(|(_, beat)| beat.data[0]);
        reordered |= !bursts_seen.is_sorted();
        interleaved |= bench.reads.windows(2).any(|w| !w[0].1.last && w[0].1.id != w[1].1.id);
        gaps |= bench.reads.windows(2).any(|pair| pair[0].0 + 1 < pair[1].0);
        assert_eq!(bench.errors(), "");
    }
    assert!(reordered && interleaved && gaps);
}

#[test]
fn without_interleaving_bursts_are_reordered_as_a_whole() {
    let config = BusConfig { interleave: false, ..BusConfig::hostile() };
    let mut bench = Bench::new(config, 32, 3);
    (0..20).for_each(|at| bench.read(at, u64::from(at) * 1024, 8));
    bench.wait_until_idle();
    for burst in bench.reads.chunks(8) {
        assert!(burst.iter().all(|(_, beat)| beat.id == burst[0].1.id));
    }
    assert!(!bench.reads.iter().map(|(_, beat)| beat.id).is_sorted());
}

#[test]
fn write_responses_of_one_id_keep_their_order() {
    let mut bench = Bench::new(BusConfig::hostile(), 64, 5);
    let outside = 64 * 4096;
    // The second of each pair goes where nothing is mapped.
    for pair in 0..10 {
        bench.write(7, pair * 256, 2);
        bench.write(7, outside + pair * 256, 2);
    }
    bench.wait_until_idle();
    let codes: Vec<_> = bench.responses.iter().map(|(_, response)| response.response).collect();
    assert_eq!(codes, [response::OKAY, response::DECERR].repeat(10));
}

#[test]
fn what_is_not_mapped_is_answered_with_an_error_beat_by_beat() {
    for width in WIDTHS {
        let mut bench = Bench::calm(width);
        let end = 64 * 4096;
        bench.read(0, end - 2 * width as u64, 2);
        bench.read(1, end, 2);
        bench.wait_until_idle();
        let codes: Vec<_> = bench.reads.iter().map(|(_, beat)| beat.response).collect();
        assert_eq!(codes, [0, 0, response::DECERR, response::DECERR]);
        assert_eq!(bench.reads[2].1.data, POISON);
        assert_eq!(bench.errors(), "");
    }
}

#[test]
fn only_strobed_bytes_are_written() {
    for width in WIDTHS {
        let mut bench = Bench::calm(width);
        bench.memory.write(0, &[0xEE; 128]).unwrap();
        let aw = Some(bench.address(0, bench.base, 2));
        bench.cycle(MasterSignals { aw, ..ready() });
        let strobes = bench.all() & !7;
        let w = Some(WriteBeat { data: [1; MAX_BEAT_BYTES], strobes, last: false });
        bench.cycle(MasterSignals { w, ..ready() });
        let w = Some(WriteBeat { data: [2; MAX_BEAT_BYTES], strobes: 1, last: true });
        bench.cycle(MasterSignals { w, ..ready() });
        bench.wait_until_idle();
        let bytes: [u8; 128] = bench.contents(0);
        assert_eq!(bytes[..3], [0xEE; 3]);
        assert!(bytes[3..width].iter().all(|&byte| byte == 1));
        assert_eq!(bytes[width], 2);
        assert!(bytes[width + 1..].iter().all(|&byte| byte == 0xEE));
        assert_eq!(bench.errors(), "");
    }
}

#[test]
fn data_may_come_before_its_address() {
    let mut bench = Bench::calm(16);
    let w = Some(bench.beat(9, true));
    assert!(bench.cycle(MasterSignals { w, ..ready() })[2]);
    let aw = Some(bench.address(1, bench.base + 32, 1));
    assert!(bench.cycle(MasterSignals { aw, ..ready() })[1]);
    bench.wait_until_idle();
    assert_eq!((bench.contents(32), bench.responses.len()), ([9; 16], 1));
    assert_eq!(bench.errors(), "");
}

#[test]
fn a_frozen_bus_does_nothing_until_it_thaws() {
    let mut bench = Bench::calm(16);
    bench.read(0, 0, 4);
    bench.slave.freeze(true);
    bench.idle(1000);
    let ar = Some(bench.address(1, bench.base, 1));
    assert_eq!(bench.cycle(MasterSignals { ar, ..ready() }), [false; 3]);
    assert!(bench.reads.is_empty());
    bench.slave.freeze(false);
    while !bench.cycle(MasterSignals { ar, ..ready() })[0] {}
    bench.wait_until_idle();
    assert_eq!(bench.reads.len(), 5);
    assert_eq!(bench.errors(), "");
}

#[test]
fn a_reset_forgets_what_was_under_way() {
    let mut bench = Bench::calm(16);
    bench.read(0, 0, 4);
    bench.write(0, 0, 4);
    bench.slave.reset();
    assert!(bench.slave.is_idle());
    bench.idle(1000);
    assert!(bench.reads.is_empty() && bench.responses.is_empty());
    bench.read(0, 0, 4);
    assert_eq!(bench.errors(), "");
}

/// Every rule, broken once on a bus of every width.
#[test]
fn violations_of_the_protocol_are_noticed() {
    for width in WIDTHS {
        address_rules(width);
        data_rules(width);
        handshake_rules(width);
    }
}

fn noticed(what: &str, width: usize, offend: &dyn Fn(&mut Bench)) {
    let mut bench = Bench::calm(width);
    offend(&mut bench);
    bench.idle(20);
    let errors = bench.errors();
    assert!(errors.contains(what), "expected {what:?}, noted: {errors:?}");
}

fn address_rules(width: usize) {
    let read = |change: fn(&mut Address)| {
        move |bench: &mut Bench| {
            let mut ar = bench.address(0, bench.base, 2);
            change(&mut ar);
            bench.cycle(MasterSignals { ar: Some(ar), ..ready() });
        }
    };
    noticed("AR: not INCR", width, &read(|ar| ar.size -= 1));
    noticed("AR: not INCR", width, &read(|ar| ar.burst = 2));
    noticed("AR: more than 1 KiB", width, &move |bench| {
        bench.read(0, 0, (MAX_BURST_BYTES as usize / width) as u8 + 1);
    });
    noticed("AR: crosses 4 KiB", width, &read(|ar| ar.address += 4096 - 1));
    noticed("AR: the ID is in use", width, &|bench| {
        bench.read(9, 0, 1);
        bench.read(9, 1024, 1);
    });
    let border = 4096 - 2 * width as u64;
    noticed("AW: crosses 4 KiB", width, &move |bench| bench.write(0, border, 3));
}

fn data_rules(width: usize) {
    let write = |strobes: [u64; 3], lasts: [bool; 3]| {
        move |bench: &mut Bench| {
            let aw = Some(bench.address(0, bench.base, 3));
            bench.cycle(MasterSignals { aw, ..ready() });
            for (strobes, last) in strobes.into_iter().zip(lasts) {
                let w = Some(WriteBeat { data: [0; MAX_BEAT_BYTES], strobes, last });
                bench.cycle(MasterSignals { w, ..ready() });
            }
        }
    };
    let all = u64::MAX >> (64 - width);
    let top = 1 << (width - 1);
    let end = [false, false, true];
    noticed("W: WLAST", width, &write([all; 3], [false; 3]));
    noticed("W: WLAST", width, &write([all; 3], [false, true, false]));
    noticed("W: gaps", width, &write([all, all & !1, all], end));
    noticed("W: gaps", width, &write([all, all & !top, all], end));
    noticed("W: gaps", width, &write([all >> 8, all, all], end));
    noticed("W: gaps", width, &write([all, all, all & !0xFF], end));
    noticed("W: gaps", width, &write([all & !0x200, all, all], end));
    noticed("W: gaps", width, &write([all, all, 0], end));
    noticed("W: no data", width, &|bench| {
        let aw = Some(bench.address(0, bench.base, 1));
        bench.cycle(MasterSignals { aw, ..ready() });
    });
}

fn handshake_rules(width: usize) {
    noticed("R: a beat has to wait", width, &|bench| {
        bench.read(0, 0, 1);
        bench.sulk(300);
    });
    noticed("B: a response has to wait", width, &|bench| {
        bench.write(0, 0, 1);
        bench.sulk(300);
    });
    let withdraw = |change: fn(&Bench, &mut MasterSignals)| {
        move |bench: &mut Bench| {
            bench.slave.freeze(true);
            let (ar, aw) = (bench.address(1, bench.base, 1), bench.address(2, bench.base, 1));
            let w = bench.beat(0, true);
            let mut signals = MasterSignals { ar: Some(ar), aw: Some(aw), w: Some(w), ..ready() };
            bench.cycle(signals);
            change(bench, &mut signals);
            bench.cycle(signals);
        }
    };
    noticed("AR: offered", width, &withdraw(|_, signals| signals.ar = None));
    let other_address = |bench: &Bench, signals: &mut MasterSignals| {
        signals.aw = Some(bench.address(2, 0, 1));
    };
    noticed("AW: offered", width, &withdraw(other_address));
    let other_data = |bench: &Bench, signals: &mut MasterSignals| {
        signals.w = Some(bench.beat(1, true));
    };
    noticed("W: offered", width, &withdraw(other_data));
}
