// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Simulated devices, opened by the driver.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sealgate_driver::{Device, Settings};
use sealgate_sim::{SimConfig, SimTransport};

/// How long a device may take to come back from a failure, on a busy machine.
const RECOVERY_PATIENCE: Duration = Duration::from_secs(60);

/// Which device is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simulation {
    /// The software device.
    Model,
    /// The verilated RTL.
    #[cfg(feature = "rtl")]
    Rtl,
}

impl Simulation {
    /// Every device of this build.
    pub const ALL: &[Self] = &[
        Self::Model,
        #[cfg(feature = "rtl")]
        Self::Rtl,
    ];

    /// The device that the program of this build serves with in tests: the RTL if it is there.
    #[must_use]
    pub const fn best() -> Self {
        Self::ALL[Self::ALL.len() - 1]
    }

    /// The device address.
    #[must_use]
    pub const fn address(self) -> &'static str {
        match self {
            Self::Model => "sim:model",
            #[cfg(feature = "rtl")]
            Self::Rtl => "sim:rtl",
        }
    }

    /// Starts it.
    #[must_use]
    pub fn start(self, config: SimConfig) -> Arc<SimTransport> {
        let transport = match self {
            Self::Model => SimTransport::model(config),
            #[cfg(feature = "rtl")]
            Self::Rtl => SimTransport::rtl(config),
        };
        transport.expect("the simulation starts")
    }

    /// Starts and opens it with defaults.
    #[must_use]
    pub fn open(self) -> (Device, Arc<SimTransport>) {
        self.open_with(SimConfig::default(), Settings::default())
    }

    /// Starts and opens it.
    #[must_use]
    pub fn open_with(self, config: SimConfig, settings: Settings) -> (Device, Arc<SimTransport>) {
        let transport = self.start(config);
        let device = Device::open(transport.clone(), settings).expect("the device opens");
        (device, transport)
    }
}

/// Waits until a device that has failed is healthy again.
pub fn await_recovery(device: &Device) {
    let begun = Instant::now();
    while !device.health().state.is_healthy() {
        assert!(begun.elapsed() < RECOVERY_PATIENCE, "not recovered: {:?}", device.health());
        std::thread::sleep(Duration::from_millis(20));
    }
}
