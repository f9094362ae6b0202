// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The host memory as an AXI4 slave of 128, 256 or 512 bits.
//!
//! Order within an ID is kept; between IDs it is anything when [`BusConfig::reorder`] says so. Memory is read when a
//! beat is offered and written when a beat is taken, so an engine that relies on more than AXI promises is found out.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::config::BusConfig;
use crate::iommu::HostMemory;

use super::monitor::{Monitor, Stable};
use super::{MAX_BEAT_BYTES, Whim, response};

/// Most reads, and most writes, that are under way before addresses have to wait.
const MAX_OUTSTANDING: usize = 256;

/// Most beats of write data taken before their address.
const MAX_EARLY_DATA: usize = 64;

/// Longest burst that the device's contract allows, in bytes.
const MAX_BURST_BYTES: u64 = 1024;

/// IDs have 11 bits.
const IDS: usize = 1 << 11;

/// A write burst is asked for when its data is there; these many cycles may pass between its beats.
const MAX_DATA_GAP: u32 = 8;

const BURST_INCR: u8 = 1;
const BORDER: u64 = 4096;

/// What a failed read carries instead of data: anything, so something that is noticed.
const POISON: [u8; MAX_BEAT_BYTES] = [0xDB; MAX_BEAT_BYTES];

/// What AR or AW carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// Transaction ID, of 11 bits.
    pub id: u16,
    /// Address of the first byte.
    pub address: u64,
    /// Beats less one.
    pub len: u8,
    /// log2 of the bytes of a beat.
    pub size: u8,
    /// Burst type; INCR is 1.
    pub burst: u8,
}

/// What W carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteBeat {
    /// The bytes.
    pub data: [u8; MAX_BEAT_BYTES],
    /// A bit per byte: whether it is written.
    pub strobes: u64,
    /// Whether the burst ends here.
    pub last: bool,
}

/// What R carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadBeat {
    /// Transaction ID, of 11 bits.
    pub id: u16,
    /// The bytes.
    pub data: [u8; MAX_BEAT_BYTES],
    /// Response code.
    pub response: u8,
    /// Whether the burst ends here.
    pub last: bool,
}

/// What B carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteResponse {
    /// Transaction ID, of 11 bits.
    pub id: u16,
    /// Response code.
    pub response: u8,
}

/// The wires that the engine drives.
#[derive(Clone, Copy, Debug, Default)]
pub struct MasterSignals {
    /// Read address channel.
    pub ar: Option<Address>,
    /// Write address channel.
    pub aw: Option<Address>,
    /// Write data channel.
    pub w: Option<WriteBeat>,
    /// RREADY.
    pub r_ready: bool,
    /// BREADY.
    pub b_ready: bool,
}

/// The wires that memory drives.
#[derive(Clone, Copy, Debug, Default)]
pub struct SlaveSignals {
    /// ARREADY.
    pub ar_ready: bool,
    /// AWREADY.
    pub aw_ready: bool,
    /// WREADY.
    pub w_ready: bool,
    /// Read data channel.
    pub r: Option<ReadBeat>,
    /// Write response channel.
    pub b: Option<WriteResponse>,
}

/// Host memory behind an AXI4 bus.
#[derive(Debug)]
pub struct AxiSlave {
    memory: Arc<HostMemory>,
    config: BusConfig,
    beat_bytes: usize,
    whim: Whim,
    cycle: u64,
    frozen: bool,
    driven: SlaveSignals,
    /// Reads under way, in the order of their addresses.
    reads: VecDeque<Read>,
    /// A bit per ID: whether a read of it is under way.
    read_ids: IdSet,
    /// The read whose beats must not be interrupted, by its serial number.
    streaming: Option<u64>,
    next_serial: u64,
    /// Writes whose data is not complete, in the order of their addresses.
    writes: VecDeque<Write>,
    early_data: VecDeque<WriteBeat>,
    /// Writes to be acknowledged, in the order of their last beats.
    acknowledgements: VecDeque<Acknowledgement>,
    data_gap: u32,
    ar: Stable<Address>,
    aw: Stable<Address>,
    w: Stable<WriteBeat>,
}

#[derive(Clone, Copy, Debug)]
struct Read {
    serial: u64,
    id: u16,
    next: u64,
    beats_left: u16,
    due: u64,
}

#[derive(Clone, Copy, Debug)]
struct Write {
    id: u16,
    next: u64,
    beats: u16,
    beats_left: u16,
    error: bool,
}

#[derive(Clone, Copy, Debug)]
struct Acknowledgement {
    response: WriteResponse,
    due: u64,
}

impl AxiSlave {
    /// A bus that behaves as `config` says, in front of `memory`. A beat has 16, 32 or 64 bytes.
    #[must_use]
    pub fn new(memory: Arc<HostMemory>, config: BusConfig, beat_bytes: usize, seed: u64) -> Self {
        let whim = Whim::new(seed, config.back_pressure);
        Self {
            memory,
            config,
            beat_bytes,
            whim,
            cycle: 0,
            frozen: false,
            driven: SlaveSignals::default(),
            reads: VecDeque::with_capacity(MAX_OUTSTANDING),
            read_ids: IdSet::default(),
            streaming: None,
            next_serial: 0,
            writes: VecDeque::with_capacity(MAX_OUTSTANDING),
            early_data: VecDeque::with_capacity(MAX_EARLY_DATA),
            acknowledgements: VecDeque::with_capacity(MAX_OUTSTANDING),
            data_gap: 0,
            ar: Stable::default(),
            aw: Stable::default(),
            w: Stable::default(),
        }
    }

    /// A frozen bus takes nothing and answers nothing.
    pub fn freeze(&mut self, frozen: bool) {
        self.frozen = frozen;
    }

    /// Forgets all that is under way, because the engine was reset.
    pub fn reset(&mut self) {
        self.driven = SlaveSignals::default();
        self.reads.clear();
        self.read_ids = IdSet::default();
        self.streaming = None;
        self.writes.clear();
        self.early_data.clear();
        self.acknowledgements.clear();
        self.data_gap = 0;
        self.ar = Stable::default();
        self.aw = Stable::default();
        self.w = Stable::default();
    }

    /// Whether nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.reads.is_empty()
            && self.writes.is_empty()
            && self.early_data.is_empty()
            && self.acknowledgements.is_empty()
            && self.driven.r.is_none()
            && self.driven.b.is_none()
    }

    /// Begins a cycle: what the memory puts on its wires.
    pub fn drive(&mut self) -> &SlaveSignals {
        self.cycle += 1;
        let open = !self.frozen;
        let (reads, writes) = (self.reads.len(), self.writes.len() + self.acknowledgements.len());
        self.driven.ar_ready = open && reads < MAX_OUTSTANDING && !self.whim.holds();
        self.driven.aw_ready = open && writes < MAX_OUTSTANDING && !self.whim.holds();
        self.driven.w_ready = open && self.early_data.len() < MAX_EARLY_DATA && !self.whim.holds();
        if self.driven.r.is_none() {
            self.offer_read_beat();
        }
        if self.driven.b.is_none() {
            self.driven.b = self.next_acknowledgement();
        }
        &self.driven
    }

    /// Ends a cycle: what the engine put on the other wires meanwhile.
    pub fn observe(&mut self, master: &MasterSignals, monitor: &mut Monitor) {
        let cycle = self.cycle;
        if self.ar.cycle(master.ar.as_ref(), self.driven.ar_ready, (monitor, cycle, "AR"))
            && let Some(address) = &master.ar
        {
            self.check_address(address, "AR", monitor);
            let fresh = self.read_ids.insert(address.id);
            monitor.check(fresh, cycle, "AR", format_args!("the ID is in use: {address:x?}"));
            self.accept_read(address);
        }
        if self.aw.cycle(master.aw.as_ref(), self.driven.aw_ready, (monitor, cycle, "AW"))
            && let Some(address) = &master.aw
        {
            self.check_address(address, "AW", monitor);
            let beats = u16::from(address.len) + 1;
            let next = self.aligned(address.address);
            let write = Write { id: address.id, next, beats, beats_left: beats, error: false };
            self.writes.push_back(write);
        }
        let taken = self.w.cycle(master.w.as_ref(), self.driven.w_ready, (monitor, cycle, "W"));
        self.take_data(master.w.as_ref().filter(|_| taken), monitor);
        self.check_data_gap(master.w.is_some(), monitor);
        self.finish_answers(master, monitor);
    }

    /// Writes what came on W into memory, or keeps it until its address comes.
    fn take_data(&mut self, taken: Option<&WriteBeat>, monitor: &mut Monitor) {
        while !self.writes.is_empty()
            && let Some(beat) = self.early_data.pop_front()
        {
            self.apply(&beat, monitor);
        }
        match taken {
            Some(beat) if self.writes.is_empty() => self.early_data.push_back(*beat),
            Some(beat) => self.apply(beat, monitor),
            None => {}
        }
    }

    fn accept_read(&mut self, address: &Address) {
        let due = self.cycle + u64::from(self.whim.pick(&self.config.read_latency));
        self.reads.push_back(Read {
            serial: self.next_serial,
            id: address.id,
            next: self.aligned(address.address),
            beats_left: u16::from(address.len) + 1,
            due,
        });
        self.next_serial += 1;
    }

    /// Reads the next beat and offers it on R.
    fn offer_read_beat(&mut self) {
        if self.frozen || self.reads.is_empty() || self.whim.holds() {
            return;
        }
        let Some(at) = self.choose_read() else { return };
        let read = &mut self.reads[at];
        let last = read.beats_left == 1;
        let beat = self.driven.r.insert(ReadBeat {
            id: read.id,
            data: POISON,
            response: response::OKAY,
            last,
        });
        if self.memory.read(read.next, &mut beat.data[..self.beat_bytes]).is_err() {
            beat.response = response::DECERR;
        }
        read.next = read.next.wrapping_add(self.beat_bytes as u64);
        read.beats_left -= 1;
        self.streaming = (!self.config.interleave && !last).then_some(read.serial);
        if last {
            self.read_ids.remove(read.id);
            self.reads.remove(at);
        }
    }

    /// The read that the next beat belongs to: of those that are due, and the oldest of their ID, any one.
    fn choose_read(&mut self) -> Option<usize> {
        if let Some(serial) = self.streaming {
            return self.reads.iter().position(|read| read.serial == serial);
        }
        if !self.config.reorder {
            return self.reads.front().filter(|read| read.due <= self.cycle).map(|_| 0);
        }
        let ids = self.reads.iter().map(|read| (read.id, read.due <= self.cycle));
        choose(&ids, &mut self.whim)
    }

    fn next_acknowledgement(&mut self) -> Option<WriteResponse> {
        if self.frozen || self.acknowledgements.is_empty() || self.whim.holds() {
            return None;
        }
        if !self.config.reorder {
            let due = self.acknowledgements.front().is_some_and(|write| write.due <= self.cycle);
            return due.then(|| self.acknowledgements.pop_front())?.map(|write| write.response);
        }
        let ids =
            self.acknowledgements.iter().map(|write| (write.response.id, write.due <= self.cycle));
        let at = choose(&ids, &mut self.whim)?;
        self.acknowledgements.remove(at).map(|write| write.response)
    }

    /// Writes one beat of the oldest write into memory.
    fn apply(&mut self, beat: &WriteBeat, monitor: &mut Monitor) {
        let Some(write) = self.writes.front_mut() else { return };
        let cycle = self.cycle;
        let first = write.beats_left == write.beats;
        write.beats_left -= 1;
        let last = write.beats_left == 0;
        monitor.check(beat.last == last, cycle, "W", format_args!("WLAST at the wrong beat"));
        let strobes = beat.strobes;
        let contiguous = strobes_are_contiguous(strobes, self.beat_bytes, first, last);
        monitor.check(contiguous, cycle, "W", format_args!("gaps in the strobes {strobes:#06x}"));

        let data = &beat.data[..self.beat_bytes];
        write.error |= self.memory.write_beat(write.next, data, strobes).is_err();
        write.next = write.next.wrapping_add(self.beat_bytes as u64);
        if last {
            let response = if write.error { response::DECERR } else { response::OKAY };
            let response = WriteResponse { id: write.id, response };
            let due = cycle + u64::from(self.whim.pick(&self.config.write_latency));
            self.acknowledgements.push_back(Acknowledgement { response, due });
            self.writes.pop_front();
        }
    }

    fn aligned(&self, address: u64) -> u64 {
        address & !(self.beat_bytes as u64 - 1)
    }

    fn check_address(&self, address: &Address, channel: &str, monitor: &mut Monitor) {
        let cycle = self.cycle;
        let full_width = 1_usize << address.size == self.beat_bytes && address.burst == BURST_INCR;
        let first = self.aligned(address.address);
        let bytes = (u64::from(address.len) + 1) * self.beat_bytes as u64;
        let within = first % BORDER + bytes <= BORDER;
        let what = format_args!("not INCR of full width: {address:x?}");
        monitor.check(full_width, cycle, channel, what);
        monitor.check(within, cycle, channel, format_args!("crosses 4 KiB: {address:x?}"));
        let short = bytes <= MAX_BURST_BYTES;
        monitor.check(short, cycle, channel, format_args!("more than 1 KiB: {address:x?}"));
    }

    fn check_data_gap(&mut self, data_offered: bool, monitor: &mut Monitor) {
        let waiting = !self.writes.is_empty() && self.early_data.is_empty() && !data_offered;
        self.data_gap = if waiting { self.data_gap + 1 } else { 0 };
        if self.data_gap == MAX_DATA_GAP + 1 {
            let what = format_args!("no data for {MAX_DATA_GAP} cycles of a burst asked for");
            monitor.note(self.cycle, "W", what);
        }
    }

    /// R and B are always taken, says the device's contract.
    fn finish_answers(&mut self, master: &MasterSignals, monitor: &mut Monitor) {
        if self.driven.r.is_some() {
            monitor.check(master.r_ready, self.cycle, "R", format_args!("a beat has to wait"));
        }
        if self.driven.b.is_some() {
            monitor.check(master.b_ready, self.cycle, "B", format_args!("a response has to wait"));
        }
        if master.r_ready {
            self.driven.r = None;
        }
        if master.b_ready {
            self.driven.b = None;
        }
    }
}

/// One of the transactions that are due and have no older one of their ID before them; `transactions` are the ID of
/// each and whether it is due, the oldest first.
fn choose(
    transactions: &(impl Iterator<Item = (u16, bool)> + Clone),
    whim: &mut Whim,
) -> Option<usize> {
    let eligible = || {
        let mut seen_ids = IdSet::default();
        let fresh_and_due =
            move |&(_, (id, due)): &(usize, (u16, bool))| seen_ids.insert(id) && due;
        transactions.clone().enumerate().filter(fresh_and_due).map(|(at, _)| at)
    };
    let count = eligible().count();
    if count == 0 {
        return None;
    }
    eligible().nth(whim.index(count))
}

/// A set of transaction IDs.
#[derive(Debug)]
struct IdSet([u64; IDS / 64]);

impl Default for IdSet {
    fn default() -> Self {
        Self([0; IDS / 64])
    }
}

impl IdSet {
    /// Adds an ID; `false`: it was there.
    fn insert(&mut self, id: u16) -> bool {
        let (word, bit) = Self::place(id);
        let fresh = self.0[word] & bit == 0;
        self.0[word] |= bit;
        fresh
    }

    fn remove(&mut self, id: u16) {
        let (word, bit) = Self::place(id);
        self.0[word] &= !bit;
    }

    fn place(id: u16) -> (usize, u64) {
        let id = usize::from(id) % IDS;
        (id / 64, 1 << (id % 64))
    }
}

/// Within a burst the bytes written are one run: all of a beat, but for the start of the first and the end of the last.
fn strobes_are_contiguous(strobes: u64, beat_bytes: usize, first: bool, last: bool) -> bool {
    let top = 1 << (beat_bytes - 1);
    let run = strobes.checked_shr(strobes.trailing_zeros()).unwrap_or(0);
    strobes != 0
        && run & run.wrapping_add(1) == 0
        && (first || strobes & 1 != 0)
        && (last || strobes & top != 0)
}

#[cfg(test)]
mod tests;
