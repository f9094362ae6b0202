// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Models of the buses around the RTL. They do what real buses may do and no other model would: answer late, out of
//! order, interleaved, with gaps and with errors; and they watch that the engine keeps the rules of AMBA AXI4.
//!
//! A model lives in cycles: `drive` says what it puts on its wires in this cycle, decided from earlier cycles only;
//! `observe` tells it what the engine put on the other wires in the same cycle. A valid signal and what goes with it is
//! an `Option`.

mod axi;
mod axi_lite;
mod monitor;

pub use axi::{Address, AxiSlave, MasterSignals, ReadBeat, SlaveSignals, WriteBeat, WriteResponse};
pub use axi_lite::{AxiLiteMaster, LiteMasterSignals, LiteSlaveSignals};
pub use monitor::Monitor;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Bytes of a beat on the widest bus; a narrower one uses the first of them.
pub const MAX_BEAT_BYTES: usize = 64;

/// Response codes of AXI4 (xRESP).
pub mod response {
    /// The access went well.
    pub const OKAY: u8 = 0;
    /// The interconnect found nothing at the address.
    pub const DECERR: u8 = 3;
}

/// Decides when to hold something back.
#[derive(Debug)]
struct Whim {
    rng: StdRng,
    chance: f64,
}

impl Whim {
    /// More than this and a simulation hardly moves.
    const MAX_CHANCE: f64 = 0.95;

    fn new(seed: u64, chance: f64) -> Self {
        let chance = if chance.is_finite() { chance.clamp(0.0, Self::MAX_CHANCE) } else { 0.0 };
        Self { rng: StdRng::seed_from_u64(seed), chance }
    }

    /// A calm bus draws no random number.
    fn holds(&mut self) -> bool {
        self.chance > 0.0 && self.rng.random_bool(self.chance)
    }

    fn pick(&mut self, range: &std::ops::RangeInclusive<u32>) -> u32 {
        if range.start() < range.end() {
            return self.rng.random_range(range.clone());
        }
        *range.start()
    }

    /// One of `count` things; `count` is at least 1.
    fn index(&mut self, count: usize) -> usize {
        if count > 1 { self.rng.random_range(0..count) } else { 0 }
    }
}
