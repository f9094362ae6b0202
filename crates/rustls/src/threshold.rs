// SPDX-License-Identifier: Apache-2.0 OR MIT
//! From which size on the device is faster than software.

use std::time::{Duration, Instant};

use sealgate_abi::Suite;
use sealgate_driver::Device;
use tracing::debug;

use crate::provider::default_base;
use crate::record::Probe;

/// Bytes of content of the records that are timed, in rising order.
const SIZES: [usize; 7] = [64, 256, 1_024, 2_048, 4_096, 8_192, 16_384];

/// Records sealed for one figure, which is their median.
const ROUNDS: usize = 31;

/// Longest that measuring a suite may take. A device that is not done by then is no faster than software at any size.
const LIMIT: Duration = Duration::from_secs(2);

/// Bytes of content, suite by suite, below which a record is sealed and opened in software.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// For AES-GCM with either length of key.
    pub aes_gcm: usize,
    /// For ChaCha20-Poly1305.
    pub chacha20_poly1305: usize,
}

impl Thresholds {
    /// The device gets no record.
    pub const SOFTWARE_ONLY: Self = Self { aes_gcm: usize::MAX, chacha20_poly1305: usize::MAX };

    /// The threshold of a suite.
    #[must_use]
    pub const fn of(self, suite: Suite) -> usize {
        match suite {
            Suite::Aes128Gcm | Suite::Aes256Gcm => self.aes_gcm,
            Suite::Chacha20Poly1305 => self.chacha20_poly1305,
        }
    }
}

/// The same for all suites.
impl From<usize> for Thresholds {
    fn from(bytes: usize) -> Self {
        Self { aes_gcm: bytes, chacha20_poly1305: bytes }
    }
}

/// Times the device against the default base's software, one record after another of each suite, and returns the bytes of
/// content from which on the device is the faster; fit for
/// [`Provider::software_below`](crate::Provider::software_below). Of a suite for which it never is, or that it does not
/// serve, they are `usize::MAX`.
///
/// AES-GCM is measured with keys of 256 bits: rustls lets nobody else make the shorter ones.
#[must_use]
pub fn measure(device: &Device) -> Thresholds {
    let measured = |suite| measure_suite(device, suite).unwrap_or(usize::MAX);
    Thresholds {
        aes_gcm: measured(Suite::Aes256Gcm),
        chacha20_poly1305: measured(Suite::Chacha20Poly1305),
    }
}

/// `None`: the device is never the faster, or did not answer.
fn measure_suite(device: &Device, suite: Suite) -> Option<usize> {
    let mut probe = Probe::new(device, &default_base(), suite)?;
    let start = Instant::now();
    let mut timings = Vec::with_capacity(SIZES.len());
    for bytes in SIZES {
        let mut on_device = Vec::with_capacity(ROUNDS);
        let mut in_software = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            on_device.push(timed(|| probe.seal_on_device(bytes))?);
            in_software.push(timed(|| probe.seal_in_software(bytes))?);
            if start.elapsed() > LIMIT {
                return None;
            }
        }
        let timing = Timing { bytes, device: median(on_device), software: median(in_software) };
        debug!(?suite, ?timing, "device against software");
        timings.push(timing);
    }
    crossover(&timings)
}

fn timed(seal: impl FnOnce() -> Option<()>) -> Option<Duration> {
    let start = Instant::now();
    seal()?;
    Some(start.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// How long one record took.
#[derive(Clone, Copy, Debug)]
struct Timing {
    bytes: usize,
    device: Duration,
    software: Duration,
}

/// The smallest size at which, and above which, the device is faster throughout.
fn crossover(timings: &[Timing]) -> Option<usize> {
    let faster = timings.iter().rev().take_while(|timing| timing.device < timing.software);
    faster.last().map(|timing| timing.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timings(device_ns: [u64; 3]) -> [Timing; 3] {
        let software_ns = [100, 200, 300];
        std::array::from_fn(|i| Timing {
            bytes: SIZES[i],
            device: Duration::from_nanos(device_ns[i]),
            software: Duration::from_nanos(software_ns[i]),
        })
    }

    #[test]
    fn the_threshold_is_where_the_device_stays_ahead() {
        assert_eq!(crossover(&timings([50, 60, 70])), Some(64));
        assert_eq!(crossover(&timings([150, 160, 170])), Some(256));
        assert_eq!(crossover(&timings([50, 260, 270])), Some(1_024));
        assert_eq!(crossover(&timings([50, 60, 300])), None);
        assert_eq!(crossover(&[]), None);
    }

    #[test]
    fn the_median_ignores_an_outlier() {
        let times = [5, 900, 4].map(Duration::from_nanos);
        assert_eq!(median(times.to_vec()), Duration::from_nanos(5));
    }
}
