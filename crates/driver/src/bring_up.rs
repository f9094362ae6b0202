// SPDX-License-Identifier: Apache-2.0 OR MIT
//! From a reset to a device that has passed its self test: on opening, and on recovery.

use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use sealgate_abi::regs::{Magic, Register, Sealgate, SelftestState};
use sealgate_abi::{Suite, TlsVersion};

use crate::error::OpenError;
use crate::monitor::Monitor;
use crate::settings::{Settings, deadline_in};
use crate::transport::Transport;

/// Major version of the device's contract that this driver serves.
const CONTRACT_MAJOR: u8 = 0;

/// log2 of the smallest ring that holds what one record may need: a drop, a load and the record.
const RING_LOG2_MIN: u8 = 2;

/// Pause between two looks at a register that is going to change.
const POLL_INTERVAL: Duration = Duration::from_micros(200);

/// What a device is.
#[expect(clippy::struct_excessive_bools, reason = "each tells of a feature of its own")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The address that it was opened with.
    pub address: String,
    /// Version of the device's contract.
    pub version: Version,
    /// Which build of the engine it is: for a bitstream the first 32 bits of the commit.
    pub build: u32,
    /// Number of AEAD lanes.
    pub lanes: u8,
    /// Width of its memory bus in bytes.
    pub bus_bytes: u8,
    /// Number of queue pairs.
    pub queues: usize,
    /// Number of key contexts.
    pub contexts: usize,
    /// log2 of its largest ring, in entries.
    pub ring_log2_max: u8,
    /// Suites that it serves.
    pub suites: Vec<Suite>,
    /// Record formats that it serves.
    pub versions: Vec<TlsVersion>,
    /// Whether it pads records.
    pub padding: bool,
    /// Whether it makes several records of one SEAL entry.
    pub segmentation: bool,
    /// Whether it opens several records with one entry.
    pub open_run: bool,
    /// The largest plaintext of one SEAL entry in bytes.
    pub seal_max: u32,
    /// Whether it is a simulation, so that its speed says nothing about hardware.
    pub simulated: bool,
}

/// Version of the device's contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// Changes that break a driver.
    pub major: u8,
    /// Additions.
    pub minor: u8,
    /// Corrections.
    pub patch: u8,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Whether the device still answers as a sealgate engine.
pub(crate) fn answers(transport: &dyn Transport) -> bool {
    magic(transport) == Magic::RESET
}

/// Resets the device, which must be known to be one, waits for its self test and reads what it is. No queue is enabled afterwards.
///
/// Gives up early when `monitor` is closed.
pub(crate) fn bring_up(
    transport: &dyn Transport,
    self_test_timeout: Duration,
    monitor: &Monitor,
) -> Result<Identity, OpenError> {
    transport.reset()?;
    check_magic(transport)?;
    let identity = identify(transport)?;
    await_self_test(transport, self_test_timeout, monitor)?;
    Ok(identity)
}

/// Resets the device behind `transport` and waits for its self test. It takes no memory, so it is also for devices that
/// can only be looked at; [`Device::open`](crate::Device::open) does the same and then sets up the queues.
pub fn reset(transport: &dyn Transport) -> Result<Identity, OpenError> {
    check_magic(transport)?;
    bring_up(transport, Settings::default().self_test_timeout, &Monitor::default())
}

/// Looks at the device until `look` finds something, `timeout` has passed or `monitor` was closed.
pub(crate) fn poll<T>(
    timeout: Duration,
    monitor: Option<&Monitor>,
    mut look: impl FnMut() -> Option<T>,
) -> Option<T> {
    let deadline = deadline_in(timeout);
    loop {
        let found = look();
        let closed = monitor.is_some_and(Monitor::is_closed);
        if found.is_some() || closed || Instant::now() >= deadline {
            return found;
        }
        thread::sleep(POLL_INTERVAL);
    }
}

fn magic(transport: &dyn Transport) -> u32 {
    Sealgate::new(transport).device().magic().read().bits()
}

/// Checks that a sealgate engine answers.
pub(crate) fn check_magic(transport: &dyn Transport) -> Result<(), OpenError> {
    let address = || transport.address().to_owned();
    match magic(transport) {
        Magic::RESET => Ok(()),
        u32::MAX => Err(OpenError::Gone { address: address() }),
        magic => Err(OpenError::NotSealgate { address: address(), magic }),
    }
}

fn identify(transport: &dyn Transport) -> Result<Identity, OpenError> {
    let page = Sealgate::new(transport).device();
    let address = || transport.address().to_owned();
    let version = page.version().read();
    let version =
        Version { major: version.major(), minor: version.minor(), patch: version.patch() };
    if version.major != CONTRACT_MAJOR {
        return Err(OpenError::Version {
            address: address(),
            found: version,
            served: CONTRACT_MAJOR,
        });
    }
    let shape = page.shape().read();
    let features = page.features().read();
    let suites = [
        (Suite::Aes128Gcm, features.aes_128_gcm()),
        (Suite::Aes256Gcm, features.aes_256_gcm()),
        (Suite::Chacha20Poly1305, features.chacha20_poly1305()),
    ];
    let versions = [(TlsVersion::Tls12, features.tls12()), (TlsVersion::Tls13, features.tls13())];
    let identity = Identity {
        address: address(),
        version,
        build: page.build().read().value(),
        lanes: shape.lanes(),
        bus_bytes: shape.bus_bytes(),
        queues: usize::from(shape.queues()),
        contexts: 1 << shape.contexts_log2(),
        ring_log2_max: shape.ring_log2_max(),
        suites: served(suites),
        versions: served(versions),
        padding: features.padding(),
        segmentation: features.segmentation(),
        open_run: features.open_run(),
        seal_max: page.seal_max().read().bytes(),
        simulated: transport.is_simulated(),
    };
    match unusable(&identity) {
        Some(what) => Err(OpenError::Unusable { address: address(), what }),
        None => Ok(identity),
    }
}

fn served<T>(all: impl IntoIterator<Item = (T, bool)>) -> Vec<T> {
    all.into_iter().filter_map(|(it, served)| served.then_some(it)).collect()
}

fn unusable(identity: &Identity) -> Option<&'static str> {
    if identity.queues == 0 || identity.queues > sealgate_abi::regs::QUEUES {
        Some("it has no queue, or more than BAR 0 has pages for")
    } else if identity.contexts < identity.queues {
        Some("it has fewer key contexts than queues")
    } else if identity.ring_log2_max < RING_LOG2_MIN {
        Some("its rings are too small for one record")
    } else {
        None
    }
}

fn await_self_test(
    transport: &dyn Transport,
    timeout: Duration,
    monitor: &Monitor,
) -> Result<(), OpenError> {
    let address = || transport.address().to_owned();
    let status = Sealgate::new(transport).device().status();
    let verdict = poll(timeout, Some(monitor), || match status.read().selftest() {
        Ok(SelftestState::Running) => None,
        verdict => Some(verdict),
    });
    match verdict {
        Some(Ok(SelftestState::Passed)) => Ok(()),
        Some(Ok(_)) => Err(OpenError::SelfTestFailed { address: address() }),
        Some(Err(_)) => {
            check_magic(transport)?;
            Err(OpenError::Unusable { address: address(), what: "its self test has no state" })
        }
        None if monitor.is_closed() => Err(OpenError::Closed { address: address() }),
        None => {
            Err(OpenError::SelfTestTimeout { address: address(), waited_ms: timeout.as_millis() })
        }
    }
}
