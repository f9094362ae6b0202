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
}

impl Bench {
    fn new(config: BusConfig, seed: u64) -> Self {
        let host = Arc::new(HostMemory::new(seed));
        let memory = DmaMemory::allocate(64 * 4096).unwrap();
        let Iova(base) = host.map(&memory, DmaAccess::ReadWrite).unwrap();
        Self {
            slave: AxiSlave::new(host, config, seed),
            monitor: Monitor::default(),
            memory,
            base,
            reads: Vec::new(),
            responses: Vec::new(),
            cycle: 0,
        }
    }

    fn calm() -> Self {
        Self::new(BusConfig::default(), 1)
    }

    /// One cycle; tells what was taken of AR, AW and W.
    fn cycle(&mut self, signals: MasterSignals) -> [bool; 3] {
        self.cycle += 1;
        let slave = self.slave.drive();
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
    fn read(&mut self, id: u8, offset: u64, beats: u8) {
        let ar = Some(address(id, self.base + offset, beats));
        while !self.cycle(MasterSignals { ar, ..ready() })[0] {}
    }

    /// Writes a burst of whole beats, each filled with its number, the data behind the address.
    fn write(&mut self, id: u8, offset: u64, beats: u8) {
        let aw = Some(address(id, self.base.wrapping_add(offset), beats));
        while !self.cycle(MasterSignals { aw, ..ready() })[1] {}
        for beat in 0..beats {
            let w = Some(write_beat(beat, beat + 1 == beats));
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

fn address(id: u8, address: u64, beats: u8) -> Address {
    Address { id, address, len: beats - 1, size: SIZE_16_BYTES, burst: BURST_INCR }
}

fn write_beat(fill: u8, last: bool) -> WriteBeat {
    WriteBeat { data: [fill; BEAT_BYTES], strobes: u16::MAX, last }
}

#[test]
fn a_calm_bus_answers_in_order_after_its_latency_without_gaps() {
    let mut bench = Bench::calm();
    bench.memory.write(4096, &[1; 64]).unwrap();
    bench.memory.write(8192, &[2; 64]).unwrap();
    bench.read(3, 4096, 4);
    bench.read(5, 8192, 4);
    bench.wait_until_idle();
    let first = bench.reads[0].0;
    assert_eq!(first, 1 + 250);
    for (at, (cycle, beat)) in bench.reads.iter().enumerate() {
        assert_eq!(*cycle, first + at as u64);
        assert_eq!((beat.id, beat.data[0]), if at < 4 { (3, 1) } else { (5, 2) });
        assert_eq!((beat.last, beat.response), (at % 4 == 3, response::OKAY));
    }
    assert_eq!(bench.reads.len(), 8);

    bench.write(2, 64, 3);
    let last_beat = bench.cycle;
    bench.wait_until_idle();
    assert_eq!(bench.responses, [(last_beat + 100, WriteResponse { id: 2, response: 0 })]);
    let mut bytes = [0; 48];
    bench.memory.read(64, &mut bytes).unwrap();
    assert_eq!(bytes, std::array::from_fn(|at| (at / 16) as u8));
    assert_eq!(bench.errors(), "");
}

#[test]
fn a_hostile_bus_reorders_and_interleaves_ids_but_keeps_each_in_order() {
    let (mut reordered, mut interleaved, mut gaps) = (false, false, false);
    for seed in 0..20 {
        let mut bench = Bench::new(BusConfig::hostile(), seed);
        let bursts: Vec<_> = (0..30_u8).map(|at| (at % 3, u64::from(at) * 1024)).collect();
        for (at, (_, offset)) in bursts.iter().enumerate() {
            bench.memory.write(*offset as usize, &[at as u8; 256]).unwrap();
        }
        for (id, offset) in &bursts {
            bench.read(*id, *offset, 16);
        }
        bench.wait_until_idle();
        assert_eq!(bench.reads.len(), 30 * 16);
        for id in 0..3 {
            let own: Vec<_> = bench.reads.iter().filter(|(_, beat)| beat.id == id).collect();
            for (at, (_, beat)) in own.iter().enumerate() {
                assert_eq!(beat.data[0], (at / 16) as u8 * 3 + id, "order within ID {id}");
                assert_eq!(beat.last, at % 16 == 15);
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
    let mut bench = Bench::new(config, 3);
    (0..20).for_each(|at| bench.read(at % 4, u64::from(at) * 1024, 8));
    bench.wait_until_idle();
    for burst in bench.reads.chunks(8) {
        assert!(burst.iter().all(|(_, beat)| beat.id == burst[0].1.id));
    }
}

#[test]
fn write_responses_of_one_id_keep_their_order() {
    let mut bench = Bench::new(BusConfig::hostile(), 5);
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
    let mut bench = Bench::calm();
    let end = 64 * 4096;
    bench.read(0, end - 32, 2);
    bench.read(0, end, 2);
    bench.wait_until_idle();
    let codes: Vec<_> = bench.reads.iter().map(|(_, beat)| beat.response).collect();
    assert_eq!(codes, [0, 0, response::DECERR, response::DECERR]);
    assert_eq!(bench.reads[2].1.data, POISON);
    assert_eq!(bench.errors(), "");
}

#[test]
fn only_strobed_bytes_are_written() {
    let mut bench = Bench::calm();
    bench.memory.write(0, &[0xEE; 32]).unwrap();
    let aw = Some(address(0, bench.base, 2));
    bench.cycle(MasterSignals { aw, ..ready() });
    let w = Some(WriteBeat { data: [1; 16], strobes: 0xFFF8, last: false });
    bench.cycle(MasterSignals { w, ..ready() });
    let w = Some(WriteBeat { data: [2; 16], strobes: 0x0001, last: true });
    bench.cycle(MasterSignals { w, ..ready() });
    bench.wait_until_idle();
    let mut bytes = [0; 32];
    bench.memory.read(0, &mut bytes).unwrap();
    assert_eq!(bytes[..3], [0xEE; 3]);
    assert_eq!(bytes[3..16], [1; 13]);
    assert_eq!((bytes[16], &bytes[17..]), (2, &[0xEE; 15][..]));
    assert_eq!(bench.errors(), "");
}

#[test]
fn data_may_come_before_its_address() {
    let mut bench = Bench::calm();
    let w = Some(write_beat(9, true));
    assert!(bench.cycle(MasterSignals { w, ..ready() })[2]);
    let aw = Some(address(1, bench.base + 32, 1));
    assert!(bench.cycle(MasterSignals { aw, ..ready() })[1]);
    bench.wait_until_idle();
    let mut bytes = [0; 16];
    bench.memory.read(32, &mut bytes).unwrap();
    assert_eq!((bytes, bench.responses.len()), ([9; 16], 1));
    assert_eq!(bench.errors(), "");
}

#[test]
fn a_frozen_bus_does_nothing_until_it_thaws() {
    let mut bench = Bench::calm();
    bench.read(0, 0, 4);
    bench.slave.freeze(true);
    bench.idle(1000);
    let ar = Some(address(0, bench.base, 1));
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
    let mut bench = Bench::calm();
    bench.read(0, 0, 4);
    bench.write(0, 0, 4);
    bench.slave.reset();
    assert!(bench.slave.is_idle());
    bench.idle(1000);
    assert!(bench.reads.is_empty() && bench.responses.is_empty());
}

/// Every rule, broken once.
#[test]
fn violations_of_the_protocol_are_noticed() {
    let noticed = |what: &str, offend: &dyn Fn(&mut Bench)| {
        let mut bench = Bench::calm();
        offend(&mut bench);
        bench.idle(20);
        let errors = bench.errors();
        assert!(errors.contains(what), "expected {what:?}, noted: {errors:?}");
    };
    let read = |change: fn(&mut Address)| {
        move |bench: &mut Bench| {
            let mut ar = address(0, bench.base, 2);
            change(&mut ar);
            bench.cycle(MasterSignals { ar: Some(ar), ..ready() });
        }
    };
    noticed("AR: not INCR", &read(|ar| ar.size = 3));
    noticed("AR: not INCR", &read(|ar| ar.burst = 2));
    noticed("AR: more than 64", &read(|ar| ar.len = 64));
    noticed("AR: crosses 4 KiB", &read(|ar| ar.address += 4096 - 16));
    noticed("AW: crosses 4 KiB", &|bench| bench.write(0, 4096 - 32, 3));
    let write = |strobes: [u16; 3], lasts: [bool; 3]| {
        move |bench: &mut Bench| {
            let aw = Some(address(0, bench.base, 3));
            bench.cycle(MasterSignals { aw, ..ready() });
            for (strobes, last) in strobes.into_iter().zip(lasts) {
                let w = Some(WriteBeat { data: [0; 16], strobes, last });
                bench.cycle(MasterSignals { w, ..ready() });
            }
        }
    };
    let (all, end) = (u16::MAX, [false, false, true]);
    noticed("W: WLAST", &write([all; 3], [false; 3]));
    noticed("W: WLAST", &write([all; 3], [false, true, false]));
    noticed("W: gaps", &write([all, 0xFFFE, all], end));
    noticed("W: gaps", &write([all, 0x7FFF, all], end));
    noticed("W: gaps", &write([0x00FF, all, all], end));
    noticed("W: gaps", &write([all, all, 0xFF00], end));
    noticed("W: gaps", &write([0xFDFF, all, all], end));
    noticed("W: gaps", &write([all, all, 0], end));
    noticed("W: no data", &|bench| {
        let aw = Some(address(0, bench.base, 1));
        bench.cycle(MasterSignals { aw, ..ready() });
    });
    noticed("R: a beat has to wait", &|bench| {
        bench.read(0, 0, 1);
        bench.sulk(300);
    });
    noticed("B: a response has to wait", &|bench| {
        bench.write(0, 0, 1);
        bench.sulk(300);
    });
    let withdraw = |change: fn(&mut MasterSignals)| {
        move |bench: &mut Bench| {
            bench.slave.freeze(true);
            let (ar, aw) = (address(1, bench.base, 1), address(2, bench.base, 1));
            let w = write_beat(0, true);
            let mut signals = MasterSignals { ar: Some(ar), aw: Some(aw), w: Some(w), ..ready() };
            bench.cycle(signals);
            change(&mut signals);
            bench.cycle(signals);
        }
    };
    noticed("AR: offered", &withdraw(|signals| signals.ar = None));
    noticed("AW: offered", &withdraw(|signals| signals.aw = Some(address(2, 0, 1))));
    noticed("W: offered", &withdraw(|signals| signals.w = Some(write_beat(1, true))));
}
