// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a certificate authority is answered that wants to see who has a name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::sign::CertifiedKey;

/// The path under which HTTP-01 looks for a token (RFC 8555, section 8.3).
pub(super) const WELL_KNOWN: &str = "/.well-known/acme-challenge/";

/// Answers to HTTP-01, by token; clones are the same.
#[derive(Debug, Clone, Default)]
pub struct HttpChallenges(Answers<String>);

impl HttpChallenges {
    /// Answers `token` with `key_authorization` until the guard is dropped.
    #[must_use = "the answer is gone when the guard is dropped"]
    pub fn put(&self, token: &str, key_authorization: &str) -> ChallengeGuard {
        self.0.put(token.to_owned(), key_authorization.to_owned())
    }

    pub(super) fn get(&self, token: &str) -> Option<String> {
        self.0.get(token)
    }
}

/// Certificates for TLS-ALPN-01, by name; clones are the same.
#[derive(Debug, Clone, Default)]
pub struct AlpnChallenges(Answers<Arc<CertifiedKey>>);

impl AlpnChallenges {
    /// Shows `certificate` for `name` to who offers `acme-tls/1` alone, until the guard is dropped.
    #[must_use = "the answer is gone when the guard is dropped"]
    pub fn put(&self, name: &str, certificate: Arc<CertifiedKey>) -> ChallengeGuard {
        self.0.put(name.to_ascii_lowercase(), certificate)
    }

    pub(super) fn get(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        self.0.get(name)
    }
}

/// Takes an answer back when dropped.
pub struct ChallengeGuard(Option<Box<dyn FnOnce() + Send + Sync>>);

impl std::fmt::Debug for ChallengeGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChallengeGuard").finish_non_exhaustive()
    }
}

impl Drop for ChallengeGuard {
    fn drop(&mut self) {
        if let Some(remove) = self.0.take() {
            remove();
        }
    }
}

#[derive(Debug)]
struct Answers<V>(Arc<Mutex<HashMap<String, V>>>);

impl<V> Clone for Answers<V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<V> Default for Answers<V> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<V: Clone + Send + 'static> Answers<V> {
    fn put(&self, key: String, value: V) -> ChallengeGuard {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), value);
        let answers = Arc::clone(&self.0);
        ChallengeGuard(Some(Box::new(move || {
            answers.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        })))
    }

    fn get(&self, key: &str) -> Option<V> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }
}
