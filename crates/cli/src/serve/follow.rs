// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Files that are followed while the server runs: the declared targets, and the certificate without them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use sealgate_control::certificate::rfc3339;
use sealgate_control::controller::Controller;
use sealgate_control::declared::{Declared, reconcile};
use sealgate_control::renewal::Validity;
use sealgate_frontend::{Certificate, ServedCertificate};
use tokio::time::sleep;
use tracing::{error, info};
use zeroize::Zeroizing;

/// How often the files are looked at. Mounted secrets change by a swap of links, which this sees as it sees everything
/// else, and so it does on file systems that notify nobody.
const LOOK: Duration = Duration::from_secs(2);

/// What could not be brought about is tried again after so long, which doubles up to the second.
const FIRST_RETRY: Duration = Duration::from_secs(2);
const LAST_RETRY: Duration = Duration::from_secs(300);

/// What stands in files; one that cannot be read is none.
type Contents = Vec<Option<Zeroizing<Vec<u8>>>>;

fn contents<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> Contents {
    files.into_iter().map(|file| fs::read(file).ok().map(Zeroizing::new)).collect()
}

/// What is wrong, logged once for as long as it is the same.
#[derive(Default)]
struct Told(String);

impl Told {
    fn tell(&mut self, what: String) {
        if self.0 != what {
            error!("{what}");
            self.0 = what;
        }
    }
}

/// Serves what stands in the files `chain` and `key`, and the old certificate for as long as that cannot be served.
pub(super) async fn follow_certificate(
    chain: PathBuf,
    key: PathBuf,
    served: Arc<ServedCertificate>,
) {
    let (mut seen, mut told) = (Contents::new(), Told::default());
    loop {
        let now = contents([&chain, &key]);
        if now != seen {
            match replace(&chain, &key, &served) {
                Ok(true) => info!(certificate = %chain.display(), "the certificate was replaced"),
                Ok(false) => {}
                Err(why) => told.tell(format!("{why}; the certificate stays as it is")),
            }
            seen = now;
        }
        sleep(LOOK).await;
    }
}

fn replace(chain: &Path, key: &Path, served: &ServedCertificate) -> Result<bool, String> {
    let next = Certificate::load(chain, key).map_err(|error| error.to_string())?;
    if let Some(why) = outside_validity(&next) {
        return Err(format!("{} {why}", chain.display()));
    }
    served.replace(next).map_err(|error| error.to_string())
}

/// Whether the server's own certificate is past its end, or not valid yet, in words.
pub(super) fn outside_validity(certificate: &Certificate) -> Option<String> {
    let Validity { not_before, not_after } = Validity::of(certificate.chain().first()?)?;
    let now = SystemTime::now();
    if not_after <= now {
        return Some(format!("has expired ({})", rfc3339(not_after)));
    }
    (not_before > now).then(|| format!("is not valid before {}", rfc3339(not_before)))
}

/// Brings the server to what the file declares, again whenever something changes, or has failed.
pub(super) async fn follow_targets(controller: Controller, path: PathBuf) {
    let mut following = Following::default();
    loop {
        following.look(&controller, &path).await;
        sleep(LOOK).await;
    }
}

/// The declared targets with their files.
#[derive(PartialEq)]
struct Seen(Declared, Contents);

/// What could not be brought about.
struct Attempt {
    seen: Seen,
    again: Instant,
    pause: Duration,
}

#[derive(Default)]
struct Following {
    done: Option<Seen>,
    failed: Option<Attempt>,
    told: Told,
}

impl Following {
    async fn look(&mut self, controller: &Controller, path: &Path) {
        let declared = match Declared::read(path) {
            Ok(declared) => declared,
            Err(error) => {
                let what = format!("{error}; the targets stay as they are");
                controller.note_undeclared(Some(what.clone()));
                return self.told.tell(what);
            }
        };
        let files = contents(&declared.files());
        let seen = Seen(declared, files);
        if self.done.as_ref() == Some(&seen) || self.is_waiting(&seen) {
            return;
        }
        let Err(errors) = reconcile(controller, &seen.0).await else {
            info!(file = %path.display(), "the targets are as declared");
            controller.note_undeclared(None);
            *self = Self { done: Some(seen), ..Self::default() };
            return;
        };
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        controller.note_undeclared(Some(errors.join("; ")));
        self.told.tell(errors.join("; "));
        self.done = None;
        self.try_again(seen);
    }

    fn is_waiting(&self, seen: &Seen) -> bool {
        self.failed
            .as_ref()
            .is_some_and(|failed| failed.seen == *seen && Instant::now() < failed.again)
    }

    fn try_again(&mut self, seen: Seen) {
        let same = self.failed.take().filter(|failed| failed.seen == seen);
        let pause = same.map_or(FIRST_RETRY, |failed| (failed.pause * 2).min(LAST_RETRY));
        self.failed = Some(Attempt { seen, again: Instant::now() + pause, pause });
    }
}
