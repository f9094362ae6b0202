// SPDX-License-Identifier: Apache-2.0 OR MIT
//! When a managed certificate is renewed: decided without a clock.

use std::time::{Duration, SystemTime};

use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::certificate::moment;
use crate::issuer::RenewalWindow;

/// A certificate is renewed when this part of its lifetime is left.
const PART_LEFT: u32 = 3;

/// The time before that is spread over this part of the lifetime, so that many certificates of one
/// day are not all renewed in one hour.
const JITTER_PART: u32 = 30;

/// The first wait after a failure; each further one is twice as long.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// A failed renewal waits no longer than this part of the lifetime, ...
const RETRY_PART: u32 = 20;

/// ... and no longer than this.
const MAX_RETRY: Duration = Duration::from_secs(3600);

/// The validity of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// Its first moment.
    pub not_before: SystemTime,
    /// Its last moment.
    pub not_after: SystemTime,
}

impl Validity {
    /// That of `certificate`, if it is one.
    pub fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
        let validity = parsed.validity();
        Some(Self {
            not_before: moment(validity.not_before.timestamp()),
            not_after: moment(validity.not_after.timestamp()),
        })
    }

    /// How long it lasts.
    pub fn lifetime(&self) -> Duration {
        self.not_after.duration_since(self.not_before).unwrap_or_default()
    }

    /// When to renew: at a random point of the authority's window, else when a third of the
    /// lifetime is left, a little earlier by chance. `chance` is from 0 to below 1.
    pub fn renew_at(&self, window: Option<RenewalWindow>, chance: f64) -> SystemTime {
        if let Some(window) = window {
            let length = window.end.duration_since(window.start).unwrap_or_default();
            return window.start + length.mul_f64(chance);
        }
        let lifetime = self.lifetime();
        let jitter = (lifetime / JITTER_PART).mul_f64(chance);
        self.not_after - lifetime / PART_LEFT - jitter
    }

    /// How long to wait after the `failures`th failure in a row, the first being 1. The authority's
    /// own wish is met where it is longer. `chance` is from 0 to below 1.
    pub fn retry_after(&self, failures: u32, asked: Option<Duration>, chance: f64) -> Duration {
        retry_after(failures, self.lifetime() / RETRY_PART, asked, chance)
    }
}

/// The same for a first certificate, of which there is no lifetime yet.
pub fn first_retry_after(failures: u32, asked: Option<Duration>, chance: f64) -> Duration {
    retry_after(failures, MAX_RETRY, asked, chance)
}

fn retry_after(failures: u32, bound: Duration, asked: Option<Duration>, chance: f64) -> Duration {
    let doubled = FIRST_RETRY.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let wait = doubled.min(bound).min(MAX_RETRY).max(FIRST_RETRY);
    // Between three quarters and the whole.
    wait.mul_f64(0.75 + chance / 4.0).max(asked.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn days(count: u32) -> SystemTime {
        SystemTime::UNIX_EPOCH + DAY * count
    }

    fn ninety_days() -> Validity {
        Validity { not_before: days(100), not_after: days(190) }
    }

    #[test]
    fn a_third_is_left_at_renewal_or_a_little_more() {
        assert_eq!(ninety_days().renew_at(None, 0.0), days(160));
        assert_eq!(ninety_days().renew_at(None, 0.5), days(160) - DAY * 3 / 2);
    }

    #[test]
    fn the_authoritys_window_counts() {
        let window = RenewalWindow { start: days(130), end: days(132) };
        assert_eq!(ninety_days().renew_at(Some(window), 0.5), days(131));
    }

    #[test]
    fn retries_wait_longer_each_time_within_bounds() {
        let waits: Vec<u64> = (1..=14)
            .map(|failures| ninety_days().retry_after(failures, None, 0.999_999).as_secs())
            .collect();
        assert_eq!(waits[..4], [0, 1, 3, 7]);
        assert_eq!(waits[13], 3599);
        let two_minutes =
            Validity { not_before: days(0), not_after: days(0) + Duration::from_secs(120) };
        assert!(two_minutes.retry_after(20, None, 0.5) <= Duration::from_secs(6));
        let asked = Some(Duration::from_secs(7200));
        assert_eq!(ninety_days().retry_after(1, asked, 0.0), Duration::from_secs(7200));
        assert!(first_retry_after(u32::MAX, None, 0.0) <= MAX_RETRY);
    }
}
