// SPDX-License-Identifier: Apache-2.0 OR MIT
//! An open device: its queues, its sessions, its health.

use std::fmt;
use std::num::NonZero;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::thread::sched_getcpu;
use sealgate_abi::regs::{Control, IrqEnable, IrqModeration, Sealgate, SelftestState};
use sealgate_abi::{Direction, Key, Suite, TlsVersion};

use crate::bring_up::{Identity, bring_up, check_magic, poll};
use crate::contexts::SessionId;
use crate::core::Core;
use crate::counters::DeviceCounters;
use crate::error::{DeviceError, Failure, OpenError};
use crate::health::{Health, HealthState};
use crate::monitor::Generation;
use crate::reaper::Reapers;
use crate::ring::RING_LOG2_MAX;
use crate::session::{Session, SessionConfig};
use crate::settings::Settings;
use crate::shared::{Running, SharedQueue};
use crate::transport::Transport;

/// The longest time that closing a device waits for its keys to be wiped.
const CLOSE_TIMEOUT_MAX: Duration = Duration::from_secs(2);

/// What the field `IRQ_MODERATION.cycles` holds.
const IRQ_CYCLES_MAX: u32 = (1 << 24) - 1;

/// The shortest pause between two attempts to recover, whatever the settings say.
const RECOVERY_DELAY_MIN: Duration = Duration::from_millis(1);

/// A device that is up. Clones are the same device; it is closed when the last one and the last session are gone.
#[derive(Clone)]
pub struct Device {
    handle: Arc<Handle>,
}

impl Device {
    /// Resets the device behind `transport`, waits for its self test and sets its queues up.
    pub fn open(transport: Arc<dyn Transport>, settings: Settings) -> Result<Self, OpenError> {
        check_magic(&*transport)?;
        let core = Arc::new(Core::new(transport, settings));
        let identity = bring_up(&*core.transport, core.settings.self_test_timeout, &core.monitor)?;
        let queues =
            (0..identity.queues).map(|index| Arc::new(SharedQueue::new(Arc::clone(&core), index)));
        let queues = queues.collect();
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let engine = Arc::new(Engine { core, identity, queues, cores, snapshot: Mutex::new(()) });
        engine.set_up(Generation::default())?;
        let supervisor = supervise(&engine).map_err(|source| {
            engine.close();
            OpenError::Thread { address: engine.identity.address.clone(), source }
        })?;
        tracing::info!(
            device = engine.identity.address,
            version = %engine.identity.version,
            build = engine.identity.build,
            simulated = engine.identity.simulated,
            "the record engine is up"
        );
        Ok(Self {
            handle: Arc::new(Handle {
                engine,
                next_queue: AtomicUsize::new(0),
                next_session: AtomicU64::new(0),
                reapers: Reapers::default(),
                supervisor: Mutex::new(Some(supervisor)),
            }),
        })
    }

    /// What the device is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.handle.engine.identity
    }

    /// Whether the device serves TLS 1.3 records of `suite`.
    #[must_use]
    pub fn supports(&self, suite: Suite) -> bool {
        self.supports_version(TlsVersion::Tls13, suite)
    }

    /// Whether the device serves records of `version` and `suite`.
    #[must_use]
    pub fn supports_version(&self, version: TlsVersion, suite: Suite) -> bool {
        let identity = self.identity();
        identity.versions.contains(&version) && identity.suites.contains(&suite)
    }

    /// Keys of one direction of one TLS 1.3 connection. The device learns them with the first record.
    #[must_use]
    pub fn session(&self, direction: Direction, key: Key<'_>, iv: [u8; 12]) -> Session {
        self.session_with(SessionConfig { version: TlsVersion::Tls13, direction, key, iv })
    }

    /// Keys of one direction of one connection. The device learns them with the first record.
    #[must_use]
    pub fn session_with(&self, config: SessionConfig<'_>) -> Session {
        let queues = self.handle.engine.queues.len();
        let queue = self.handle.next_queue.fetch_add(1, Ordering::Relaxed) % queues;
        self.session_on(&self.handle.engine.queues[queue], config)
    }

    /// The same for operations that are started and polled for, on a queue of the processor core that this is called on.
    /// The queues are shared out evenly among the cores, and the sessions of a core among its queues.
    pub fn task_session(&self, config: SessionConfig<'_>) -> Result<Session, DeviceError> {
        let engine = &self.handle.engine;
        let share = (engine.queues.len() / engine.cores).max(1);
        let turn = self.handle.next_queue.fetch_add(1, Ordering::Relaxed) % share;
        let queue = (sched_getcpu() * share + turn) % engine.queues.len();
        self.handle.reapers.serve(&engine.queues, &engine.queues[queue])?;
        Ok(self.session_on(&engine.queues[queue], config))
    }

    pub(crate) fn session_on(
        &self,
        queue: &Arc<SharedQueue>,
        config: SessionConfig<'_>,
    ) -> Session {
        let queue = Arc::clone(queue);
        let id = SessionId(self.handle.next_session.fetch_add(1, Ordering::Relaxed));
        Session::new(self.clone(), queue, id, config)
    }

    /// Whether the device works, and what the host has counted. Asks the device for a sign of life.
    #[must_use]
    pub fn health(&self) -> Health {
        let core = self.core();
        if core.monitor.check().is_ok() {
            // The answer is in the monitor.
            let _ = core.probe(core.monitor.generation());
        }
        let state = match core.monitor.failure() {
            None => HealthState::Healthy,
            Some(reason) => HealthState::Failed { reason },
        };
        Health { state, counters: core.counters.snapshot() }
    }

    /// What the device itself has counted since its last reset, all taken in the same cycle.
    pub fn counters(&self) -> Result<DeviceCounters, DeviceError> {
        self.handle.engine.counters()
    }

    /// The known-answer self test, as the device tells it now.
    pub fn self_test(&self) -> Result<SelftestState, DeviceError> {
        let core = self.core();
        core.monitor.check()?;
        let state = Sealgate::new(&*core.transport).device().status().read().selftest();
        core.probe(core.monitor.generation())?;
        state.map_err(|_| DeviceError::Inconsistent { what: "the self test has no such state" })
    }

    /// Closes the device while it may still have clones and sessions: keys in it are wiped and its memory is taken back.
    /// Records of those sessions fail from now on, for software to do.
    pub fn close(&self) {
        self.handle.close();
    }

    pub(crate) fn core(&self) -> &Core {
        &self.handle.engine.core
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device").field("identity", self.identity()).finish_non_exhaustive()
    }
}

/// What the users of a device hold. Dropping it closes the device.
struct Handle {
    engine: Arc<Engine>,
    next_queue: AtomicUsize,
    next_session: AtomicU64,
    reapers: Reapers,
    /// Taken by whoever closes the device.
    supervisor: Mutex<Option<JoinHandle<()>>>,
}

impl Handle {
    fn close(&self) {
        let mut supervisor = self.supervisor.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(running) = supervisor.take() else { return };
        self.engine.core.monitor.close();
        // It ends after at most one attempt to recover, which notices that the device was closed.
        let _ = running.join();
        self.reapers.end(&self.engine.queues);
        self.engine.close();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}

/// The device as its users and its supervisor share it.
struct Engine {
    core: Arc<Core>,
    identity: Identity,
    queues: Vec<Arc<SharedQueue>>,
    /// Processor cores that the queues are shared out among.
    cores: usize,
    /// Held while the snapshot registers are taken and read.
    snapshot: Mutex<()>,
}

impl Engine {
    /// Sets all queues up on a device that has been reset, and enables it.
    fn set_up(&self, generation: Generation) -> Result<(), OpenError> {
        let running = (0..self.queues.len())
            .map(|index| {
                let contexts = self.contexts_of(index);
                Running::set_up(&self.core, generation, index, self.ring_log2(), contexts)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let page = Sealgate::new(&*self.core.transport).device();
        let all_queues = ((1_u16 << self.queues.len()) - 1) as u8;
        let settings = &self.core.settings;
        let moderation = IrqModeration::default()
            .with_count(settings.interrupt_completions)
            .with_cycles(settings.interrupt_cycles.min(IRQ_CYCLES_MAX));
        page.irq_moderation().write(moderation);
        page.irq_enable().write(IrqEnable::default().with_queues(all_queues));
        page.control().write(Control::default().with_enable(true));
        for (queue, running) in self.queues.iter().zip(running) {
            queue.replace(Some(running));
        }
        Ok(())
    }

    /// Resets the device and sets it up anew.
    fn recover(&self, generation: Generation) -> Result<(), OpenError> {
        self.core.counters.resets.increment();
        let identity = bring_up(
            &*self.core.transport,
            self.core.settings.self_test_timeout,
            &self.core.monitor,
        )?;
        if identity != self.identity {
            return Err(OpenError::Unusable {
                address: identity.address,
                what: "it came back as another device; open it anew",
            });
        }
        // The device has been reset and does no DMA: memory that it might have been using can go.
        for queue in &self.queues {
            drop(queue.replace(None));
        }
        self.set_up(generation)
    }

    /// Wipes the keys in the device, and takes its memory back.
    fn close(&self) {
        let core = &self.core;
        let wiped = core.monitor.check().is_ok() && self.quiesce();
        if !wiped && let Err(error) = core.transport.reset() {
            let device = core.transport.address();
            tracing::warn!(device, %error, "the record engine was closed but not reset");
        }
        for queue in &self.queues {
            drop(queue.replace(None));
        }
    }

    /// Stops all queues and has all contexts wiped. `false`: the device did not do it in time.
    fn quiesce(&self) -> bool {
        let sealgate = Sealgate::new(&*self.core.transport);
        for queue in (0..self.queues.len()).filter_map(|index| sealgate.queue(index)) {
            queue.queue_control().modify(|control| control.with_enable(false));
        }
        let page = sealgate.device();
        page.irq_enable().write(IrqEnable::default());
        page.control().write(Control::default().with_zeroize(true));
        let timeout = self.core.completion_timeout().min(CLOSE_TIMEOUT_MAX);
        let quiet = poll(timeout, None, || {
            let status = page.status().read();
            (status.ready() && !status.busy()).then_some(())
        });
        quiet.is_some() && self.core.probe(self.core.monitor.generation()).is_ok()
    }

    fn counters(&self) -> Result<DeviceCounters, DeviceError> {
        let core = &self.core;
        core.monitor.check()?;
        let generation = core.monitor.generation();
        let counters = {
            let _snapshot = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
            let lanes = usize::from(self.identity.lanes);
            DeviceCounters::read(&Sealgate::new(&*core.transport), lanes, self.queues.len())
        };
        core.probe(generation)?;
        Ok(counters)
    }

    /// The contexts of the device are split evenly over its queues.
    fn contexts_of(&self, queue: usize) -> Range<u16> {
        let share = self.identity.contexts / self.queues.len();
        (queue * share) as u16..((queue + 1) * share) as u16
    }

    fn ring_log2(&self) -> u8 {
        let wanted = u32::from(self.core.settings.ring_entries).next_power_of_two();
        let max = self.identity.ring_log2_max.min(RING_LOG2_MAX);
        (wanted.trailing_zeros() as u8).clamp(2, max)
    }
}

/// Starts the thread that brings a failed device back.
fn supervise(engine: &Arc<Engine>) -> std::io::Result<JoinHandle<()>> {
    let engine = Arc::clone(engine);
    thread::Builder::new().name("sealgate-device".to_owned()).spawn(move || {
        let settings = &engine.core.settings;
        let (first, max) = (settings.recovery_delay, settings.recovery_delay_max);
        let mut delay = first;
        let mut up_since = Instant::now();
        while engine.core.monitor.wait_for_failure() {
            // A device that fails again soon is given longer and longer pauses, too.
            if up_since.elapsed() > max {
                delay = first;
            }
            if !recover(&engine, &mut delay) {
                break;
            }
            up_since = Instant::now();
        }
    })
}

/// Tries to recover a failed device until it works, each attempt after `delay`, which grows. `false`: it was closed
/// instead.
fn recover(engine: &Engine, delay: &mut Duration) -> bool {
    let core = &engine.core;
    let device = core.transport.address();
    let generation = core.monitor.generation().next();
    while core.monitor.pause(*delay) {
        *delay =
            delay.saturating_mul(2).max(RECOVERY_DELAY_MIN).min(core.settings.recovery_delay_max);
        match engine.recover(generation) {
            Ok(()) => {
                core.counters.recoveries.increment();
                core.monitor.recovered(generation);
                tracing::info!(device, "the record engine is up again");
                return true;
            }
            Err(OpenError::Closed { .. }) => return false,
            Err(error) => {
                tracing::warn!(device, %error, next_attempt_in = ?*delay, "recovery failed");
                core.monitor.still_failed(Failure::BringUp(Arc::new(error)));
            }
        }
    }
    false
}
