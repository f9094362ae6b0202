// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Keying material for other protocols (RFC 8446, section 7.5).
//!
//! What rustls leaves of a connection whose keys it has handed over makes none. But it tells a key log the secret that all
//! of it is made from; so each handshake has a key log of its own, in front of that of the configuration.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::crypto::tls13::OkmBlock;
use rustls::{Error, KeyLog, SupportedCipherSuite, Tls13CipherSuite};

/// What rustls calls the secret in a key log.
const SECRET_LABEL: &str = "EXPORTER_SECRET";

/// What TLS 1.3 puts before each label (RFC 8446, section 7.1).
const LABEL_PREFIX: &[u8] = b"tls13 ";

/// Where a handshake leaves the secret.
pub(super) type Secret = Arc<OnceLock<OkmBlock>>;

/// Hands everything on to another key log, and keeps the exporter's secret.
pub(super) struct KeepingKeyLog {
    secret: Secret,
    next: Arc<dyn KeyLog>,
}

impl KeepingKeyLog {
    /// In front of `next`; and where the secret will be.
    pub(super) fn new(next: Arc<dyn KeyLog>) -> (Self, Secret) {
        let secret = Secret::default();
        (Self { secret: Arc::clone(&secret), next }, secret)
    }
}

impl KeyLog for KeepingKeyLog {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        if label == SECRET_LABEL && secret.len() <= OkmBlock::MAX_LEN {
            self.secret.get_or_init(|| OkmBlock::new(secret));
        }
        if self.next.will_log(label) {
            self.next.log(label, client_random, secret);
        }
    }

    fn will_log(&self, label: &str) -> bool {
        label == SECRET_LABEL || self.next.will_log(label)
    }
}

impl fmt::Debug for KeepingKeyLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeepingKeyLog").field("next", &self.next).finish_non_exhaustive()
    }
}

/// Fills `output` as rustls's `export_keying_material` does.
pub(super) fn export(
    suite: SupportedCipherSuite,
    secret: &Secret,
    output: &mut [u8],
    label: &[u8],
    context: Option<&[u8]>,
) -> Result<(), Error> {
    let (SupportedCipherSuite::Tls13(suite), Some(secret)) = (suite, secret.get()) else {
        return Err(refused("only connections of TLS 1.3 export keying material"));
    };
    if output.is_empty() {
        return Err(refused("no keying material was asked for"));
    }
    let Tls13CipherSuite { common, hkdf_provider, .. } = suite;
    let empty = common.hash_provider.hash(&[]);
    let secret = expand_label(label, empty.as_ref(), empty.as_ref().len(), |info| {
        hkdf_provider.expander_for_okm(secret).expand_block(info)
    })?;
    let context = common.hash_provider.hash(context.unwrap_or(&[]));
    expand_label(b"exporter", context.as_ref(), output.len(), |info| {
        hkdf_provider.expander_for_okm(&secret).expand_slice(info, output)
    })?
    .map_err(|_| refused("so much keying material cannot be exported"))
}

/// `HKDF-Expand-Label` for so many bytes (RFC 8446, section 7.1): has `expand` called with its `HkdfLabel`.
fn expand_label<T>(
    label: &[u8],
    context: &[u8],
    length: usize,
    expand: impl FnOnce(&[&[u8]]) -> T,
) -> Result<T, Error> {
    let too_long = |_| refused("label or keying material is too long");
    let length = u16::try_from(length).map_err(too_long)?.to_be_bytes();
    let label_length = [u8::try_from(LABEL_PREFIX.len() + label.len()).map_err(too_long)?];
    let context_length = [u8::try_from(context.len()).map_err(too_long)?];
    Ok(expand(&[&length, &label_length, LABEL_PREFIX, label, &context_length, context]))
}

fn refused(why: &str) -> Error {
    Error::General(why.into())
}
