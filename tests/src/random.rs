// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Randomness that can be replayed.

use std::hash::{BuildHasher, RandomState};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// A generator seeded by `SEALGATE_SEED`, else by chance; prints the seed, which a failed test shows.
pub fn rng() -> StdRng {
    let seed = match std::env::var("SEALGATE_SEED") {
        Ok(seed) => seed.parse().expect("SEALGATE_SEED is a number of 64 bits"),
        Err(_) => RandomState::new().hash_one("seed"),
    };
    println!("SEALGATE_SEED={seed}");
    StdRng::seed_from_u64(seed)
}

/// `length` random bytes.
pub fn bytes(rng: &mut StdRng, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rng.fill(&mut bytes[..]);
    bytes
}

/// A length up to `max`, small ones as likely as large ones: its number of bits is chosen first.
pub fn length(rng: &mut StdRng, max: usize) -> usize {
    let bits = rng.random_range(0..=usize::BITS - max.leading_zeros());
    rng.random_range(0..1_usize << bits).min(max)
}
