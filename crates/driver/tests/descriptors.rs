// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Tasks on a device whose interrupt messages come through descriptors: one thread takes the completions of all queues.
#![cfg(feature = "vfio-user")]

mod support;

use std::collections::VecDeque;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sealgate_driver::transport::vfio_user::VfioUserTransport;
use sealgate_driver::{Device, DeviceError, Direction, Key, Sealing, Session, Settings};
use sealgate_sim::vfio_user::DeviceServer;
use sealgate_sim::{SimConfig, SimTransport};

use support::tasks::{IV, random_content, sealed, start, task_session};
use support::{eventually, impatient, recovered, seal, seed};

/// Where the test that is a server makes its socket.
const SOCKET: &str = "SEALGATE_TEST_SOCKET";

/// One test at a time: they count threads.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The threads of this process with such a name.
fn threads(name: &str) -> usize {
    let comm = |task: fs::DirEntry| fs::read_to_string(task.path().join("comm"));
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    // Some end meanwhile.
    tasks.flatten().flat_map(comm).filter(|comm| comm.starts_with(name)).count()
}

/// Settings that notice a hung device soon, but no busy machine: behind a socket each register takes two switches.
fn not_so_patient() -> Settings {
    Settings { completion_timeout: Some(Duration::from_secs(1)), ..impatient() }
}

/// Connects as soon as there is a server.
fn connect(socket: &Path, settings: Settings) -> Device {
    let mut transport = None;
    eventually("there is a server", || {
        transport = VfioUserTransport::open(socket).ok();
        transport.is_some()
    });
    Device::open(transport.unwrap(), settings).unwrap()
}

/// Runs a test on a device behind a socket, which the test can spoil.
fn behind_a_socket(settings: Settings, test: impl FnOnce(&SimTransport, Device)) {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("device.sock");
    let transport = SimTransport::model(SimConfig::default()).unwrap();
    let server = DeviceServer::bind(&socket, Arc::clone(&transport)).unwrap();
    let server = thread::spawn(move || server.serve());
    test(&transport, connect(&socket, settings));
    server.join().unwrap().expect("the client leaves in order");
    eventually("the reapers are gone", || threads("sealgate-reaper") == 0);
}

/// A server in a process of its own, killed when dropped.
struct Server {
    process: Child,
    socket: PathBuf,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("device.sock");
        let mut this = Command::new(env::current_exe().unwrap());
        this.args(["--exact", "a_server_of_its_own"]).env(SOCKET, &socket).stdout(Stdio::null());
        Self { process: this.spawn().unwrap(), socket, _folder: folder }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// No test, but what [`Server`] starts.
#[test]
fn a_server_of_its_own() {
    let Some(socket) = env::var_os(SOCKET) else { return };
    let device = SimTransport::model(SimConfig::default()).unwrap();
    let _ = DeviceServer::bind(Path::new(&socket), device).unwrap().serve();
}

/// So many sessions, on several queues.
fn sessions(device: &Device, number: u8) -> Vec<Session> {
    (0..number).map(|key| task_session(device, Direction::Seal, &[key; 16])).collect()
}

/// Starts a record in each session.
fn start_all(sessions: &mut [Session], sequence: u64) -> Vec<Sealing> {
    sessions.iter_mut().filter_map(|session| start(session, sequence, b"content").ok()).collect()
}

/// A task with records under way, which are to be as a thread of its own makes them.
struct Sealer {
    session: Session,
    thread_session: Session,
    under_way: VecDeque<(u64, Vec<u8>, Sealing)>,
    sequence: u64,
    /// Content and records to compare.
    samples: Vec<(u64, Vec<u8>, Vec<u8>)>,
}

impl Sealer {
    fn new(device: &Device, key: u8) -> Self {
        Self {
            session: task_session(device, Direction::Seal, &[key; 16]),
            thread_session: device.session(Direction::Seal, Key::Aes128(&[key; 16]), IV),
            under_way: VecDeque::new(),
            sequence: 0,
            samples: Vec::new(),
        }
    }

    fn start(&mut self, content: Vec<u8>) {
        match start(&mut self.session, self.sequence, &content) {
            Ok(sealing) => {
                self.under_way.push_back((self.sequence, content, sealing));
                self.sequence += 1;
            }
            Err(DeviceError::Busy { .. }) if self.under_way.is_empty() => {
                thread::sleep(Duration::from_micros(50));
            }
            Err(DeviceError::Busy { .. }) => self.finish(false),
            Err(error) => panic!("{error}"),
        }
    }

    fn finish(&mut self, sample: bool) {
        let Some((sequence, content, mut sealing)) = self.under_way.pop_front() else { return };
        sealed(&mut sealing).unwrap();
        if sample {
            self.samples.push((sequence, content, sealing.records().to_vec()));
        }
    }

    /// Waits for a slot, as threads do.
    fn check(&mut self) {
        for (sequence, content, record) in self.samples.drain(..) {
            let expected = seal(&mut self.thread_session, sequence, &content).unwrap();
            assert_eq!(record, expected, "record {sequence}");
        }
    }
}

/// Two tasks on each of eight threads, each with so many records under way. With few of them threads seal beside the
/// tasks: else the tasks might have all slots that a thread waits for, and that thread be the one to finish them.
fn all_get_on(settings: Settings, under_way: usize) {
    let seed = seed();
    let mixed = under_way < 4;
    let run = |device: &Device, key: u8| {
        let mut rng = StdRng::seed_from_u64(seed ^ u64::from(key));
        let mut sealers = [Sealer::new(device, key), Sealer::new(device, key + 100)];
        for _ in 0..600 {
            let sealer = &mut sealers[rng.random_range(0..2)];
            if sealer.under_way.len() < under_way && rng.random_bool(0.7) {
                sealer.start(random_content(&mut rng, 4_000));
            } else {
                sealer.finish(mixed || rng.random_bool(0.1));
            }
            if mixed {
                sealer.check();
            }
        }
        for sealer in &mut sealers {
            while !sealer.under_way.is_empty() {
                sealer.finish(true);
            }
        }
        sealers.iter_mut().for_each(Sealer::check);
    };
    behind_a_socket(settings, |_, device| {
        thread::scope(|scope| {
            for key in 0..8 {
                let (device, run) = (&device, &run);
                scope.spawn(move || run(device, key));
            }
        });
        let queues = device.counters().unwrap().queues;
        assert!(queues.iter().filter(|queue| queue.entries > 0).count() > 1);
        assert_eq!((threads("sealgate-reaper"), threads("sealgate-queue")), (1, 0));
        assert_eq!(device.health().counters.failures, 0);
    });
}

#[test]
fn tasks_of_many_queues_get_on_with_one_reaper_thread() {
    all_get_on(Settings::default(), 64);
}

#[test]
fn tasks_and_threads_that_sleep_at_once_wake_each_other() {
    all_get_on(Settings { spin: Duration::ZERO, ..Settings::default() }, 3);
}

#[test]
fn a_device_that_hangs_or_goes_fails_all_queues_and_comes_back() {
    for gone in [false, true] {
        behind_a_socket(not_so_patient(), |transport, device| {
            let mut sessions = sessions(&device, 8);
            for sealing in &mut start_all(&mut sessions, 0) {
                sealed(sealing).unwrap();
            }
            if gone {
                transport.control().vanish();
            } else {
                transport.control().hang();
            }
            let mut under_way = start_all(&mut sessions, 1);
            assert!(!under_way.is_empty());
            for sealing in &mut under_way {
                let error = sealed(sealing).unwrap_err();
                assert!(["timeout", "device_failed"].contains(&error.reason()), "{error}");
                assert_eq!(sealing.content(), b"content");
            }
            let counters = device.health().counters;
            assert!(counters.failures > 0 && (gone || counters.timeouts > 0), "{counters:?}");
            transport.control().revive();
            recovered(&device);
            drop(under_way);
            let mut after = start_all(&mut sessions, 2);
            assert_eq!(after.len(), sessions.len());
            for sealing in &mut after {
                sealed(sealing).unwrap();
            }
        });
    }
}

#[test]
fn a_server_that_is_killed_fails_its_tasks() {
    let _alone = alone();
    let mut server = Server::start();
    let device = connect(&server.socket, not_so_patient());
    let mut sessions = sessions(&device, 8);
    for sealing in &mut start_all(&mut sessions, 0) {
        sealed(sealing).unwrap();
    }
    server.process.kill().unwrap();
    server.process.wait().unwrap();
    let mut under_way = start_all(&mut sessions, 1);
    assert!(!under_way.is_empty());
    for sealing in &mut under_way {
        let error = sealed(sealing).unwrap_err();
        assert!(["timeout", "device_failed", "transport"].contains(&error.reason()), "{error}");
        assert_eq!(sealing.content(), b"content");
    }
    assert!(!device.health().state.is_healthy());
    device.close();
    assert_eq!(threads("sealgate-reaper"), 0);
}

#[test]
fn a_closed_device_ends_what_is_under_way_in_all_queues() {
    behind_a_socket(Settings::default(), |transport, device| {
        let mut sessions = sessions(&device, 8);
        transport.control().hang();
        let under_way = start_all(&mut sessions, 0);
        assert_eq!(under_way.len(), sessions.len());
        let waiting = under_way.into_iter().map(|mut sealing| {
            thread::spawn(move || {
                assert_eq!(sealed(&mut sealing).unwrap_err().reason(), "device_failed");
            })
        });
        let waiting: Vec<_> = waiting.collect();
        thread::sleep(Duration::from_millis(30));
        device.close();
        assert_eq!(threads("sealgate-reaper"), 0);
        for task in waiting {
            task.join().unwrap();
        }
    });
}

#[test]
fn reapers_outlive_the_runtime_that_started_them() {
    behind_a_socket(Settings::default(), |_, device| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut session = runtime.block_on(async {
            let mut session = task_session(&device, Direction::Seal, &[1; 16]);
            let mut sealing = start(&mut session, 0, b"content").unwrap();
            std::future::poll_fn(|context| sealing.poll(context)).await.unwrap();
            session
        });
        drop(runtime);
        sealed(&mut start(&mut session, 1, b"content").unwrap()).unwrap();
    });
}

/// A task that ends when it is woken, and with it the last user of a device.
struct LastUser(Mutex<Option<Device>>);

impl Wake for LastUser {
    fn wake(self: Arc<Self>) {
        let device = self.0.lock().unwrap().take();
        drop(device);
    }
}

#[test]
fn a_reaper_may_wake_the_last_user_of_its_device() {
    behind_a_socket(Settings::default(), |transport, device| {
        let mut session = task_session(&device, Direction::Seal, &[1; 16]);
        transport.control().hang();
        let mut sealing = start(&mut session, 0, b"content").unwrap();
        drop(session);
        let user = Arc::new(LastUser(Mutex::new(Some(device))));
        let waker = Waker::from(Arc::clone(&user));
        assert!(matches!(sealing.poll(&mut Context::from_waker(&waker)), Poll::Pending));
        transport.control().revive();
        eventually("the device is closed", || user.0.lock().unwrap().is_none());
    });
}
