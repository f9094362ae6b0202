// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What all parts of an open device share.

use std::sync::Arc;
use std::time::Duration;

use crate::bring_up;
use crate::error::{DeviceError, Failure};
use crate::health::Counters;
use crate::monitor::{Generation, Monitor};
use crate::settings::Settings;
use crate::transport::{Transport, TransportError};

#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) settings: Settings,
    pub(crate) counters: Counters,
    pub(crate) monitor: Monitor,
}

impl Core {
    pub(crate) fn new(transport: Arc<dyn Transport>, settings: Settings) -> Self {
        Self { transport, settings, counters: Counters::default(), monitor: Monitor::default() }
    }

    /// How long one entry may take before the device counts as hung.
    pub(crate) fn completion_timeout(&self) -> Duration {
        self.settings.completion_timeout.unwrap_or_else(|| self.transport.completion_timeout())
    }

    /// Marks the device as failed because of `error`, if it is the device's fault, and hands the error back.
    pub(crate) fn fail(&self, generation: Generation, error: DeviceError) -> DeviceError {
        let failure = match &error {
            DeviceError::Timeout { queue, waited_ms } => {
                self.counters.timeouts.increment();
                if self.answers() {
                    Failure::Timeout { queue: *queue, waited_ms: *waited_ms }
                } else {
                    Failure::Gone
                }
            }
            DeviceError::Refused(status) => Failure::Refused(*status),
            DeviceError::Inconsistent { what } => {
                self.counters.inconsistencies.increment();
                Failure::Inconsistent { what }
            }
            DeviceError::Transport(error) => match **error {
                TransportError::Gone { .. } => Failure::Gone,
                _ => Failure::Transport(Arc::clone(error)),
            },
            DeviceError::Failed(failure) => failure.clone(),
            DeviceError::NoContext
            | DeviceError::Busy { .. }
            | DeviceError::Thread { .. }
            | DeviceError::Unsupported { .. }
            | DeviceError::InvalidArgument { .. } => return error,
        };
        if self.monitor.fail(generation, failure.clone()) {
            self.counters.failures.increment();
            tracing::error!(
                device = self.transport.address(),
                reason = failure.reason(),
                "the record engine has failed: {failure}; it is reset in the background"
            );
        }
        error
    }

    /// Looks whether the device still answers, and marks it as failed if not.
    pub(crate) fn probe(&self, generation: Generation) -> Result<(), DeviceError> {
        if self.answers() {
            return Ok(());
        }
        Err(self.fail(generation, DeviceError::Failed(Failure::Gone)))
    }

    fn answers(&self) -> bool {
        bring_up::answers(&*self.transport)
    }
}
