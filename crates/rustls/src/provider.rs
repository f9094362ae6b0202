// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The provider, composed over a base.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use sealgate_driver::Device;

use crate::counters::RecordCounters;
use crate::record::RecordPath;
use crate::threshold::Thresholds;

/// A provider over the default base that gives the device every record that it serves, whatever its size.
#[must_use]
pub fn provider(device: &Device) -> CryptoProvider {
    Provider::new(device).build().0
}

/// Settings of a provider.
#[derive(Debug)]
pub struct Provider {
    device: Option<Device>,
    software_below: Thresholds,
    base: CryptoProvider,
}

impl Provider {
    /// A provider over the default base, with its records on `device`.
    #[must_use]
    pub fn new(device: &Device) -> Self {
        Self { device: Some(device.clone()), software_below: 0.into(), base: default_base() }
    }

    /// A provider over the default base, with its records in software and counted.
    #[must_use]
    pub fn without_device() -> Self {
        Self { device: None, software_below: 0.into(), base: default_base() }
    }

    /// Records with fewer bytes of content than this, one number for all suites or [`Thresholds`], are sealed and opened in
    /// software. 0, the default: none. See [`measure`](crate::measure).
    ///
    /// For an inbound record the content is taken to be what its length allows; how much of that is padding is known
    /// only afterwards.
    #[must_use]
    pub fn software_below(mut self, bytes: impl Into<Thresholds>) -> Self {
        self.software_below = bytes.into();
        self
    }

    /// The provider that does everything else, and the records that the device does not.
    ///
    /// With AES-GCM and TLS 1.2 the sender chooses the explicit part of the nonce (RFC 5288, section 3). A base that
    /// takes 8 bytes of the key block for it must do as those of rustls, which take these bytes `XORed` with the
    /// sequence number: so does the device, and records of both alternate under one key.
    #[must_use]
    pub fn base(mut self, base: CryptoProvider) -> Self {
        self.base = base;
        self
    }

    /// The provider for rustls, and what counts its records.
    #[must_use]
    pub fn build(self) -> (CryptoProvider, Arc<RecordCounters>) {
        let counters = Arc::new(RecordCounters::default());
        let path = RecordPath {
            device: self.device,
            software_below: self.software_below,
            counters: Arc::clone(&counters),
        };
        (path.wrap_provider(self.base), counters)
    }
}

#[cfg(feature = "aws-lc-rs")]
pub(crate) fn default_base() -> CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}

#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
pub(crate) fn default_base() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

#[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
compile_error!("sealgate-rustls needs a base provider: enable the feature `ring` or `aws-lc-rs`");
