// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The host's side of the register bus: an AXI4-Lite master of 32 bits that has one access under way at a time.

use std::collections::VecDeque;

use super::Whim;
use super::monitor::{Monitor, Stable};

/// The wires that the host drives.
#[derive(Clone, Copy, Debug, Default)]
pub struct LiteMasterSignals {
    /// Write address channel.
    pub aw: Option<u32>,
    /// Write data channel; all bytes are written.
    pub w: Option<u32>,
    /// BREADY.
    pub b_ready: bool,
    /// Read address channel.
    pub ar: Option<u32>,
    /// RREADY.
    pub r_ready: bool,
}

/// The wires that the engine drives.
#[derive(Clone, Copy, Debug, Default)]
pub struct LiteSlaveSignals {
    /// AWREADY.
    pub aw_ready: bool,
    /// WREADY.
    pub w_ready: bool,
    /// Response code on the write response channel.
    pub b: Option<u8>,
    /// ARREADY.
    pub ar_ready: bool,
    /// Data and response code on the read data channel.
    pub r: Option<(u32, u8)>,
}

/// The host at the registers. Accesses are done in the order in which they were asked for.
#[derive(Debug)]
pub struct AxiLiteMaster {
    whim: Whim,
    cycle: u64,
    waiting: VecDeque<Access>,
    current: Option<Access>,
    driven: LiteMasterSignals,
    answer: Option<u32>,
    b: Stable<u8>,
    r: Stable<(u32, u8)>,
}

/// An access; parts that the engine has taken are gone.
#[derive(Clone, Copy, Debug)]
enum Access {
    Write { address: Option<u32>, data: Option<u32> },
    Read { address: Option<u32> },
}

impl AxiLiteMaster {
    /// A host that makes pauses with this chance in each cycle.
    #[must_use]
    pub fn new(seed: u64, pauses: f64) -> Self {
        Self {
            whim: Whim::new(seed, pauses),
            cycle: 0,
            waiting: VecDeque::new(),
            current: None,
            driven: LiteMasterSignals::default(),
            answer: None,
            b: Stable::default(),
            r: Stable::default(),
        }
    }

    /// Asks for a write.
    pub fn write(&mut self, address: u32, data: u32) {
        self.waiting.push_back(Access::Write { address: Some(address), data: Some(data) });
    }

    /// Asks for a read; the answer comes out of [`Self::take_answer`].
    pub fn read(&mut self, address: u32) {
        self.waiting.push_back(Access::Read { address: Some(address) });
    }

    /// The answer to the last read.
    pub fn take_answer(&mut self) -> Option<u32> {
        self.answer.take()
    }

    /// Whether nothing is under way or waiting.
    pub fn is_idle(&self) -> bool {
        self.current.is_none() && self.waiting.is_empty()
    }

    /// Forgets all that is under way or waiting, because the engine was reset.
    pub fn reset(&mut self) {
        self.waiting.clear();
        self.current = None;
        self.driven = LiteMasterSignals::default();
        self.answer = None;
        self.b = Stable::default();
        self.r = Stable::default();
    }

    /// Begins a cycle: what the host puts on its wires.
    pub fn drive(&mut self) -> LiteMasterSignals {
        self.cycle += 1;
        if self.current.is_none() && !self.whim.holds() {
            self.current = self.waiting.pop_front();
        }
        let before = self.driven;
        // What was offered and not taken stays; the rest may wait.
        let mut offer = |offered: Option<u32>, part: Option<u32>| {
            offered.or_else(|| part.filter(|_| !self.whim.holds()))
        };
        self.driven = match self.current {
            None => LiteMasterSignals::default(),
            Some(Access::Write { address, data }) => LiteMasterSignals {
                aw: offer(before.aw, address),
                w: offer(before.w, data),
                b_ready: !self.whim.holds(),
                ..LiteMasterSignals::default()
            },
            Some(Access::Read { address }) => LiteMasterSignals {
                ar: offer(before.ar, address),
                r_ready: !self.whim.holds(),
                ..LiteMasterSignals::default()
            },
        };
        self.driven
    }

    /// Ends a cycle: what the engine put on the other wires meanwhile.
    pub fn observe(&mut self, slave: &LiteSlaveSignals, monitor: &mut Monitor) {
        let (cycle, driven) = (self.cycle, self.driven);
        let answers = slave.b.is_some() || slave.r.is_some();
        if self.current.is_none() && !answers && self.b.is_free() && self.r.is_free() {
            // Almost every cycle is like this.
            return;
        }
        let b = self.b.cycle(slave.b.as_ref(), driven.b_ready, (monitor, cycle, "AXI4-Lite B"));
        let r = self.r.cycle(slave.r.as_ref(), driven.r_ready, (monitor, cycle, "AXI4-Lite R"));
        self.check_answers(slave, monitor);
        self.driven.aw = driven.aw.filter(|_| !slave.aw_ready);
        self.driven.w = driven.w.filter(|_| !slave.w_ready);
        self.driven.ar = driven.ar.filter(|_| !slave.ar_ready);
        match &mut self.current {
            Some(Access::Write { address, data }) => {
                *address = address.filter(|_| driven.aw.is_none() || !slave.aw_ready);
                *data = data.filter(|_| driven.w.is_none() || !slave.w_ready);
                if b {
                    self.current = None;
                }
            }
            Some(Access::Read { address }) => {
                *address = address.filter(|_| driven.ar.is_none() || !slave.ar_ready);
                if r {
                    self.answer = slave.r.map(|(data, _)| data);
                    self.current = None;
                }
            }
            None => {}
        }
    }

    /// An answer comes only to what was asked, and not before all of it was taken.
    fn check_answers(&self, slave: &LiteSlaveSignals, monitor: &mut Monitor) {
        let write_asked = matches!(self.current, Some(Access::Write { address: None, data: None }));
        let read_asked = matches!(self.current, Some(Access::Read { address: None }));
        let unasked = format_args!("an answer to nothing");
        monitor.check(write_asked || slave.b.is_none(), self.cycle, "AXI4-Lite B", unasked);
        let unasked = format_args!("an answer to nothing");
        monitor.check(read_asked || slave.r.is_none(), self.cycle, "AXI4-Lite R", unasked);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A register block of a few lines that takes what comes and answers in the next cycle.
    #[derive(Default)]
    struct Block {
        words: [u32; 8],
        address: Option<u32>,
        data: Option<u32>,
        signals: LiteSlaveSignals,
        /// What was done, in order: writes with their data, reads with what they gave.
        log: Vec<(bool, u32, u32)>,
    }

    impl Block {
        fn cycle(&mut self, host: &LiteMasterSignals, at: u64) {
            let shown = self.signals;
            self.address = self.address.or(host.aw.filter(|_| shown.aw_ready));
            self.data = self.data.or(host.w.filter(|_| shown.w_ready));
            self.signals.b = shown.b.filter(|_| !host.b_ready);
            self.signals.r = shown.r.filter(|_| !host.r_ready);
            if let (Some(address), Some(data)) = (self.address, self.data) {
                self.words[address as usize / 4] = data;
                self.log.push((true, address, data));
                (self.address, self.data, self.signals.b) = (None, None, Some(0));
            }
            if let Some(address) = host.ar.filter(|_| shown.ar_ready) {
                let data = self.words[address as usize / 4];
                self.log.push((false, address, data));
                self.signals.r = Some((data, 0));
            }
            self.signals.aw_ready = !at.is_multiple_of(3);
            self.signals.w_ready = at.is_multiple_of(2);
            self.signals.ar_ready = !at.is_multiple_of(4);
        }
    }

    #[test]
    fn accesses_are_done_one_by_one_in_their_order() {
        for pauses in [0.0, 0.5] {
            let (mut block, mut monitor) = (Block::default(), Monitor::default());
            let mut host = AxiLiteMaster::new(4, pauses);
            let mut answers = Vec::new();
            for turn in 0..50 {
                host.write(turn % 8 * 4, turn);
                host.read(turn % 8 * 4);
            }
            for at in 0..10_000 {
                let driven = host.drive();
                let shown = block.signals;
                block.cycle(&driven, at);
                host.observe(&shown, &mut monitor);
                answers.extend(host.take_answer());
            }
            assert!(host.is_idle());
            assert_eq!(answers, (0..50).collect::<Vec<_>>());
            for (turn, pair) in (0..).zip(block.log.chunks(2)) {
                let address = turn % 8 * 4;
                assert_eq!(pair, [(true, address, turn), (false, address, turn)]);
            }
            assert!(monitor.errors().is_empty(), "{:?}", monitor.errors());
        }
    }

    #[test]
    fn violations_of_the_protocol_are_noticed() {
        let mut monitor = Monitor::default();
        let mut host = AxiLiteMaster::new(0, 0.0);
        host.drive();
        host.observe(&LiteSlaveSignals { b: Some(0), ..Default::default() }, &mut monitor);
        host.drive();
        host.observe(&LiteSlaveSignals { r: Some((1, 0)), ..Default::default() }, &mut monitor);
        host.drive();
        host.observe(&LiteSlaveSignals { r: Some((2, 0)), ..Default::default() }, &mut monitor);
        let errors = monitor.errors().join("\n");
        for expected in ["B: an answer to nothing", "B: offered", "R: an answer", "R: offered"] {
            assert!(errors.contains(expected), "expected {expected:?}, noted: {errors}");
        }
    }
}
