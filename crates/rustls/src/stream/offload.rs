// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Where the records of streams go.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::{ConnectionTrafficSecrets, Error, SupportedCipherSuite};
use sealgate_driver::{Device, DeviceError, Direction, Session};
use tracing::{debug, warn};

use crate::counters::{Operation, Reason, RecordCounters};
use crate::provider::default_base;
use crate::record::{RecordPath, SoftwareOpener, SoftwareSealer, session_config};
use crate::threshold::Thresholds;

/// Where the records of streams go, and what counts them. Clones count together.
#[derive(Clone, Debug)]
pub struct Offload {
    device: Option<Device>,
    software_below: Thresholds,
    counters: Arc<RecordCounters>,
}

impl Offload {
    /// Every record that `device` serves goes to it, whatever its size.
    #[must_use]
    pub fn new(device: &Device) -> Self {
        Self { device: Some(device.clone()), ..Self::without_device() }
    }

    /// All records are sealed and opened in software, and counted.
    #[must_use]
    pub fn without_device() -> Self {
        Self { device: None, software_below: 0.into(), counters: Arc::default() }
    }

    /// Content of fewer bytes than this, one number for all suites or [`Thresholds`], is sealed and opened in software.
    /// 0, the default: none. See [`measure`](crate::measure).
    ///
    /// While earlier records of a connection are with the device, short ones follow them there: they would have to wait
    /// for them anyway.
    #[must_use]
    pub fn software_below(mut self, bytes: impl Into<Thresholds>) -> Self {
        self.software_below = bytes.into();
        self
    }

    /// A provider for the handshakes of such streams, over the default base, whose records go the same way and are counted
    /// with the rest. What it leaks is told at [`Provider::build`](crate::Provider::build).
    #[must_use]
    pub fn provider(&self) -> CryptoProvider {
        let path = RecordPath {
            device: self.device.clone(),
            software_below: self.software_below,
            counters: Arc::clone(&self.counters),
        };
        path.wrap_provider(default_base())
    }

    /// What counts the records.
    #[must_use]
    pub fn counters(&self) -> &Arc<RecordCounters> {
        &self.counters
    }

    /// What was counted so far, by all streams of this.
    #[must_use]
    pub fn counts(&self) -> crate::RecordCounts {
        self.counters.snapshot()
    }

    /// A session on the device, or why there is none.
    fn session(
        &self,
        suite: SupportedCipherSuite,
        direction: Direction,
        secrets: &ConnectionTrafficSecrets,
        before: Option<&Session>,
    ) -> Result<Session, Reason> {
        let device = self.device.as_ref().ok_or(Reason::NoDevice)?;
        let config = session_config(suite, direction, secrets).ok_or(Reason::Suite)?;
        if !device.identity().versions.contains(&config.version) {
            return Err(Reason::Tls12);
        }
        if !device.supports_version(config.version, config.key.suite()) {
            return Err(Reason::Suite);
        }
        match before {
            Some(before) => Ok(before.successor(config)),
            None => device.task_session(config).map_err(|error| Reason::from(&error)),
        }
    }
}

/// The keys of one direction: on the device, and beside it in software.
pub(super) struct Keys<S> {
    pub(super) session: Result<Session, Reason>,
    pub(super) software: S,
    /// The sequence number of the next record.
    pub(super) sequence: u64,
    software_below: usize,
    offload: Offload,
    /// Whether a fault of the device has been told of.
    warned: bool,
}

/// One direction in software.
pub(super) trait Software: Sized {
    /// Which way it is.
    const DIRECTION: Direction;

    fn new(suite: SupportedCipherSuite, secrets: ConnectionTrafficSecrets) -> Result<Self, Error>;
}

impl Software for SoftwareSealer {
    const DIRECTION: Direction = Direction::Seal;

    fn new(suite: SupportedCipherSuite, secrets: ConnectionTrafficSecrets) -> Result<Self, Error> {
        Self::new(suite, secrets)
    }
}

impl Software for SoftwareOpener {
    const DIRECTION: Direction = Direction::Open;

    fn new(suite: SupportedCipherSuite, secrets: ConnectionTrafficSecrets) -> Result<Self, Error> {
        Self::new(suite, secrets)
    }
}

impl<S: Software> Keys<S> {
    /// The keys that a handshake has left, and the sequence number to begin with.
    pub(super) fn new(
        offload: &Offload,
        suite: SupportedCipherSuite,
        (sequence, secrets): (u64, ConnectionTrafficSecrets),
    ) -> Result<Self, Error> {
        let session = offload.session(suite, S::DIRECTION, &secrets, None);
        let software_below = session.as_ref().map_or(0, |it| offload.software_below.of(it.suite()));
        let software = <S as Software>::new(suite, secrets)?;
        let offload = offload.clone();
        Ok(Self { session, software, sequence, software_below, offload, warned: false })
    }

    /// Goes on under the next keys of the connection.
    pub(super) fn change(
        &mut self,
        suite: SupportedCipherSuite,
        (sequence, secrets): (u64, ConnectionTrafficSecrets),
    ) -> Result<(), Error> {
        let before = self.session.as_ref().ok();
        self.session = self.offload.session(suite, S::DIRECTION, &secrets, before);
        self.software = <S as Software>::new(suite, secrets)?;
        self.sequence = sequence;
        Ok(())
    }

    /// Whether so many bytes of content are for software, and why. While the device has earlier ones, `is_behind`, only if
    /// it cannot be otherwise.
    pub(super) fn software_reason(&self, content_bytes: usize, is_behind: bool) -> Option<Reason> {
        match &self.session {
            Err(reason) => Some(*reason),
            Ok(_) if content_bytes < self.software_below && !is_behind => {
                Some(Reason::BelowThreshold)
            }
            Ok(_) => None,
        }
    }

    pub(super) fn counters(&self) -> &RecordCounters {
        &self.offload.counters
    }

    /// Says why software steps in: for a fault once for each connection, otherwise only to who debugs.
    pub(super) fn explain(&mut self, operation: Operation, reason: Reason, error: &DeviceError) {
        if reason.is_news() && !self.warned {
            self.warned = true;
            warn!(
                operation = operation.name(),
                reason = reason.name(),
                %error,
                "records of a connection are done in software"
            );
        } else {
            debug!(
                operation = operation.name(),
                reason = reason.name(),
                %error,
                "a record is done in software"
            );
        }
    }
}
