// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The staple of one certificate over time.

use std::time::{Duration, SystemTime};

use tokio::time::sleep;

use super::{OcspError, Query, Staple};

/// Where there was no answer, it is asked for again after so long, which doubles up to the second.
const FIRST_RETRY: Duration = Duration::from_secs(60);
const LAST_RETRY: Duration = Duration::from_secs(3600);

/// The clock is looked at again after so long: it may have been set, or the host have slept.
const LONGEST_SLEEP: Duration = Duration::from_secs(300);

/// Asks for a staple, and for the next one in time, for as long as it lives.
#[derive(Debug)]
pub struct Stapler {
    query: Query,
    /// Until when what was told last may be sent.
    expires: Option<SystemTime>,
    /// When to ask next.
    due: SystemTime,
    failures: u32,
}

/// What has come of asking.
#[derive(Debug)]
pub enum News {
    /// To be stapled from now on.
    Fresh(Staple),
    /// There is none. What was told before is stapled on until it expires; with
    /// [`OcspError::Revoked`] it is not.
    Failed(OcspError),
    /// What was told before is not to be sent any more.
    Expired,
}

impl Stapler {
    /// Asks at once when it is waited for.
    pub fn new(query: Query) -> Self {
        Self { query, expires: None, due: SystemTime::UNIX_EPOCH, failures: 0 }
    }

    /// Waits until there is something to tell. May be dropped at any time.
    pub async fn next(&mut self) -> News {
        loop {
            let now = SystemTime::now();
            if self.expires.is_some_and(|expires| expires <= now) {
                self.expires = None;
                return News::Expired;
            }
            if self.due <= now {
                let answer = self.query.ask().await;
                return self.take(answer, SystemTime::now());
            }
            sleep(self.pause(now)).await;
        }
    }

    fn take(&mut self, answer: Result<Staple, OcspError>, now: SystemTime) -> News {
        match answer {
            Ok(staple) => {
                self.failures = 0;
                self.due = staple.refresh_at;
                self.expires = Some(staple.expires);
                News::Fresh(staple)
            }
            Err(error) => {
                self.due = now + retry_after(self.failures);
                self.failures = self.failures.saturating_add(1);
                if matches!(error, OcspError::Revoked { .. }) {
                    self.expires = None;
                }
                News::Failed(error)
            }
        }
    }

    /// Until something is due, or the clock is to be looked at.
    fn pause(&self, now: SystemTime) -> Duration {
        let next = self.expires.map_or(self.due, |expires| expires.min(self.due));
        next.duration_since(now).unwrap_or_default().min(LONGEST_SLEEP)
    }
}

/// How long to wait after a failure, and as many `before` it in a row.
fn retry_after(before: u32) -> Duration {
    let doubled = 1_u32.checked_shl(before).unwrap_or(u32::MAX);
    FIRST_RETRY.saturating_mul(doubled).min(LAST_RETRY)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn stapler() -> Stapler {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["a.example.com".to_owned()]).unwrap();
        let certificate = certificate.self_signed(&key).unwrap();
        let query = Query::new(certificate.der(), certificate.der(), "http://127.0.0.1:9/");
        Stapler::new(query.unwrap())
    }

    fn staple(now: SystemTime, refresh: u64, expires: u64) -> Staple {
        let after = |seconds| now + Duration::from_secs(seconds);
        Staple { response: vec![1], refresh_at: after(refresh), expires: after(expires) }
    }

    #[test]
    fn retries_are_further_and_further_apart() {
        let minutes = [0, 1, 2, 5, 6, 31, 32, u32::MAX].map(|it| retry_after(it).as_secs() / 60);
        assert_eq!(minutes, [1, 2, 4, 32, 60, 60, 60, 60]);
    }

    #[test]
    fn it_waits_for_what_is_next() {
        let (mut stapler, now) = (stapler(), SystemTime::now());
        assert_eq!(stapler.pause(now), Duration::ZERO, "it asks at once");
        assert!(matches!(stapler.take(Ok(staple(now, 200, 400)), now), News::Fresh(_)));
        assert_eq!(stapler.pause(now), Duration::from_secs(200));
        stapler.take(Ok(staple(now, 9000, 20_000)), now);
        assert_eq!(stapler.pause(now), LONGEST_SLEEP);
    }

    #[test]
    fn a_failure_leaves_what_was_told_until_it_expires() {
        let (mut stapler, now) = (stapler(), SystemTime::now());
        stapler.take(Ok(staple(now, 200, 400)), now);
        let later = now + Duration::from_secs(380);
        stapler.take(Err(OcspError::Unknown), later);
        assert_eq!(stapler.pause(later), Duration::from_secs(20), "then it expires");
        assert_eq!(stapler.due, later + FIRST_RETRY);
        stapler.take(Err(OcspError::Unknown), later);
        assert_eq!(stapler.due, later + FIRST_RETRY * 2);
        stapler.take(Ok(staple(later, 200, 400)), later);
        stapler.take(Err(OcspError::Unknown), later);
        assert_eq!(stapler.due, later + FIRST_RETRY, "the count begins again");
    }

    #[test]
    fn a_revoked_certificate_has_no_staple_that_could_expire() {
        let (mut stapler, now) = (stapler(), SystemTime::now());
        stapler.take(Ok(staple(now, 200, 400)), now);
        let revoked = OcspError::Revoked { when: String::new(), reason: "" };
        assert!(matches!(stapler.take(Err(revoked), now), News::Failed(_)));
        assert_eq!(stapler.expires, None);
    }

    #[tokio::test]
    async fn what_has_expired_is_told_before_anything_is_asked() {
        let mut stapler = stapler();
        stapler.expires = Some(SystemTime::UNIX_EPOCH);
        assert!(matches!(stapler.next().await, News::Expired));
        assert!(matches!(stapler.next().await, News::Failed(OcspError::Unreachable { .. })));
    }
}
