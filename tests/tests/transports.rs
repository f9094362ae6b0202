// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The driver on every way to a device: in this process, at a socket, and, where `SEALGATE_TEST_DEVICE` names one, a card.
//! A virtual machine runs this very program on `pci:` (`cargo xtask vm-test`).

use std::env;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rand::rngs::StdRng;
use sealgate_abi::regs::{Control, IrqEnable, QUEUES, Register, Sealgate};
use sealgate_abi::{ContextEntry, Opcode, RecordEntry, Status};
use sealgate_driver::memory::DmaMemory;
use sealgate_driver::queue::{Queue, Submission};
use sealgate_driver::transport::vfio::VfioTransport;
use sealgate_driver::transport::vfio_user::VfioUserTransport;
use sealgate_driver::transport::{DmaAccess, Iova, Transport};
use sealgate_driver::{
    Device, DeviceAddress, DeviceError, Direction, Key, Plaintext, PlaintextHead, RecordError,
    Session, SessionConfig, Settings, Suite, TlsVersion,
};
use sealgate_sim::SimConfig;
use sealgate_sim::vfio_user::DeviceServer;
use sealgate_tests::device::{Simulation, await_recovery};
use sealgate_tests::random;
use sealgate_tests::record::{HEADER_BYTES, TrafficKey, inner_plaintext};

/// Handshake: the content type of the records, which is not that of their headers.
const CONTENT_TYPE: u8 = 22;

/// A way to a device.
struct Way {
    name: String,
    transport: Arc<dyn Transport>,
    /// Whether it refuses writes to what was mapped for reading: the client of vfio-user maps all for both.
    knows_read_only: bool,
}

impl Way {
    fn open(&self, settings: Settings) -> Device {
        Device::open(Arc::clone(&self.transport), settings).expect("the device opens")
    }
}

/// Runs a test on every way there is, one after the other: a card serves one program at a time.
fn on_each_way(test: impl Fn(&Way)) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Ok(name) = env::var("SEALGATE_TEST_DEVICE") {
        let Ok(DeviceAddress::Pci(card)) = name.parse() else { panic!("{name} is no card") };
        let transport = VfioTransport::open(card).unwrap_or_else(|error| panic!("{error}"));
        test(&Way { name, transport, knows_read_only: true });
        return;
    }
    for &simulation in Simulation::ALL {
        let name = simulation.address().to_owned();
        let transport = simulation.start(SimConfig::default());
        test(&Way { name, transport, knows_read_only: true });

        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("device.sock");
        let server = DeviceServer::bind(&socket, simulation.start(SimConfig::default()));
        let server = server.expect("a server");
        let server = thread::spawn(move || server.serve());
        let name = format!("vfio-user: of {}", simulation.address());
        let transport = VfioUserTransport::open(&socket).expect("a connection");
        test(&Way { name, transport, knows_read_only: false });
        server.join().expect("a server").expect("the client leaves in order");
    }
}

/// Little memory: a card behind a simulated IOMMU maps it page by page.
fn settings() -> Settings {
    Settings { slots_per_queue: 4, ..Settings::default() }
}

/// Keys of both directions, and what seals under them besides.
fn keys(rng: &mut StdRng, suite: Suite) -> TrafficKey {
    TrafficKey::random(rng, TlsVersion::Tls13, suite)
}

fn session(device: &Device, keys: &TrafficKey, direction: Direction) -> Session {
    device.session(direction, keys.for_driver(), keys.iv())
}

/// Has the device make a record; on an error the buffer must be as it was.
fn seal(session: &mut Session, sequence: u64, content: &[u8]) -> Result<Vec<u8>, DeviceError> {
    let chunks: &[&[u8]] = &[content];
    let plaintext = Plaintext { content_type: CONTENT_TYPE, sequence, padding_multiple: 0, chunks };
    let mut record = vec![0; session.segments(&plaintext, 0).bytes];
    let sealed = session.seal_records(plaintext, 0, &mut record);
    assert!(sealed.is_ok() || record.iter().all(|&byte| byte == 0), "it was written to");
    sealed.map(|_| record)
}

fn seal_by_ring(keys: &TrafficKey, sequence: u64, content: &[u8]) -> Vec<u8> {
    keys.seal(sequence, &inner_plaintext(content, CONTENT_TYPE, 0))
}

#[test]
fn registers_tell_what_the_device_is() {
    on_each_way(|way| {
        let transport = &*way.transport;
        let identity = sealgate_driver::reset(transport).expect("a device");
        assert_eq!((identity.queues, identity.contexts), (QUEUES, 1024), "{}", way.name);
        assert_eq!(identity.suites.len(), 3, "{}", way.name);
        assert!(identity.simulated, "{}", way.name);
        // What is written stays until the next reset.
        let moderation = Sealgate::new(transport).device().irq_moderation();
        moderation.write(moderation.read().with_count(7));
        assert_eq!(moderation.read().count(), 7, "{}", way.name);
        sealgate_driver::reset(transport).expect("a device");
        assert_eq!(moderation.read().count(), 0, "{}", way.name);
    });
}

#[test]
fn records_of_every_size_and_suite_are_those_of_ring() {
    on_each_way(|way| {
        let mut rng = random::rng();
        let device = way.open(settings());
        for suite in [Suite::Aes128Gcm, Suite::Aes256Gcm, Suite::Chacha20Poly1305] {
            let keys = keys(&mut rng, suite);
            let mut sealer = session(&device, &keys, Direction::Seal);
            let mut opener = session(&device, &keys, Direction::Open);
            for (sequence, size) in (0..).zip([0, 1, 16, 100, 1460, 4095, 16_384]) {
                let content = random::bytes(&mut rng, size);
                let mut record = seal(&mut sealer, sequence, &content).expect("a record");
                let expected = seal_by_ring(&keys, sequence, &content);
                assert!(record == expected, "{}: {suite:?}, {size} bytes", way.name);
                let mut changed = record.clone();
                changed[size / 2 + HEADER_BYTES] ^= 1;
                let run = opener.open_run(sequence, &mut record).expect("the content");
                assert_eq!((run.content_type, run.length), (CONTENT_TYPE, size));
                assert!(record[..size] == content, "{}: {suite:?}, {size} bytes", way.name);
                let refused = opener.open_run(sequence, &mut changed);
                assert!(matches!(refused, Err(RecordError::Rejected(Status::BadTag))));
            }
        }
        assert_eq!(device.health().counters.failures, 0, "{}", way.name);
    });
}

#[test]
fn threads_share_a_device() {
    const THREADS: u64 = 2 * QUEUES as u64;
    const RECORDS: u64 = 40;

    on_each_way(|way| {
        let device = way.open(settings());
        let mut rng = random::rng();
        thread::scope(|scope| {
            for _ in 0..THREADS {
                let (device, keys) = (&device, keys(&mut rng, Suite::Aes128Gcm));
                scope.spawn(move || {
                    let mut sealer = session(device, &keys, Direction::Seal);
                    for sequence in 0..RECORDS {
                        let content = [sequence as u8; 300];
                        let record = seal(&mut sealer, sequence, &content).expect("a record");
                        assert!(record == seal_by_ring(&keys, sequence, &content));
                    }
                });
            }
        });
        let sealed = device.counters().expect("counters").sealed_records;
        assert_eq!(sealed, THREADS * RECORDS, "{}", way.name);
    });
}

/// Many records under way at once: where messages come through descriptors, one thread waits for all.
#[test]
fn tasks_share_a_device() {
    const RECORDS: u64 = 40;

    on_each_way(|way| {
        let device = way.open(settings());
        let mut rng = random::rng();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let mut tasks: Vec<_> = (0..QUEUES)
                .map(|_| {
                    let keys = keys(&mut rng, Suite::Aes128Gcm);
                    let (key, iv) = (keys.for_driver(), keys.iv());
                    let (version, direction) = (TlsVersion::Tls13, Direction::Seal);
                    let config = SessionConfig { version, direction, key, iv };
                    (device.task_session(config).expect("a session"), keys)
                })
                .collect();
            for sequence in 0..RECORDS {
                let content = [sequence as u8; 300];
                let mut under_way = Vec::new();
                for (session, keys) in &mut tasks {
                    // A queue has few slots here, and may serve all.
                    let Ok(mut buffer) = session.buffer() else { continue };
                    buffer.append(&content).expect("room");
                    let head =
                        PlaintextHead { content_type: CONTENT_TYPE, sequence, padding_multiple: 0 };
                    under_way.push((session.start_seal(buffer, head, 0), keys));
                }
                assert!(under_way.len() > 1, "{}", way.name);
                for (sealing, keys) in &mut under_way {
                    std::future::poll_fn(|context| sealing.poll(context)).await.expect("a record");
                    assert!(sealing.records() == seal_by_ring(keys, sequence, &content));
                }
            }
        });
        assert_eq!(device.health().counters.failures, 0, "{}", way.name);
    });
}

#[test]
fn every_queue_sends_its_own_message() {
    on_each_way(|way| {
        let transport = Arc::clone(&way.transport);
        sealgate_driver::reset(&*transport).expect("a device");
        enable(&*transport);
        let mut queues: Vec<_> = (0..QUEUES).map(|index| queue(&transport, index)).collect();
        for queue in &mut queues {
            let index = queue.index();
            queue.arm_interrupt();
            let nop = Submission::record(&RecordEntry::nop(0), Opcode::Nop);
            queue.submit([nop]).expect("room");
            let timeout = transport.completion_timeout();
            assert!(transport.wait_for_interrupt(index, timeout).expect("a wait"), "{}", way.name);
            assert_eq!(queue.reap(|_, _, _| {}).expect("a completion"), 1, "{}", way.name);
            for other in (0..QUEUES).filter(|&other| other != index) {
                let waited = transport.wait_for_interrupt(other, Duration::ZERO);
                assert!(!waited.expect("a wait"), "{}: {other} of {index}", way.name);
            }
        }
    });
}

fn enable(transport: &dyn Transport) {
    let page = Sealgate::new(transport).device();
    page.irq_enable().write(IrqEnable::from_bits((1 << QUEUES) - 1));
    page.control().write(Control::default().with_enable(true));
}

fn queue(transport: &Arc<dyn Transport>, index: usize) -> Queue<Opcode> {
    Queue::open(transport, index, 4).expect("a queue")
}

/// Submits one entry and waits for what becomes of it.
fn run(
    transport: &Arc<dyn Transport>,
    queue: &mut Queue<Opcode>,
    submission: Submission<Opcode>,
) -> Status {
    queue.submit([submission]).expect("room");
    let mut ended = None;
    for _ in 0..10_000 {
        queue.reap(|_, status, _| ended = Some(status)).expect("a completion");
        if let Some(status) = ended {
            return status;
        }
        transport.wait_for_interrupt(queue.index(), Duration::from_millis(1)).expect("a wait");
    }
    panic!("an entry does not complete")
}

/// What the device may not reach it does not reach: such an entry ends in its own report, and the next is served.
#[test]
fn memory_that_is_not_mapped_is_not_reached() {
    const PAGE: usize = 4096;

    on_each_way(|way| {
        let transport = Arc::clone(&way.transport);
        sealgate_driver::reset(&*transport).expect("a device");
        enable(&*transport);
        let mut queue = queue(&transport, 0);
        let map = |access| {
            let memory = DmaMemory::allocate(PAGE).expect("memory");
            let iova = transport.map(&memory, access).expect("a mapping");
            (memory, iova)
        };
        let (source, read_only) = map(DmaAccess::Read);
        source.write(0, &[0x5A; 100]).expect("inside");
        let (_destination, writable) = map(DmaAccess::ReadWrite);
        let load = ContextEntry::load(0, 0, Direction::Seal, Key::Aes128(&[1; 16]), [2; 12]);
        let loaded = run(&transport, &mut queue, Submission::load(load, Opcode::ContextLoad));
        assert_eq!(loaded, Status::Success, "{}", way.name);
        let seal = |from: Iova, to: Iova| {
            let entry = RecordEntry {
                opcode: Opcode::Seal as u8,
                content_type: 23,
                source: from.0,
                length: 100,
                destination: to.0,
                capacity: 200,
                ..RecordEntry::default()
            };
            Submission::record(&entry, Opcode::Seal)
        };
        let nowhere = Iova(0x7_0000_0000);
        let mut ends_in = |what: &str, from, to, status| {
            let ended = run(&transport, &mut queue, seal(from, to));
            assert_eq!(ended, status, "{}: {what}", way.name);
        };
        ends_in("mapped", read_only, writable, Status::Success);
        ends_in("no source", nowhere, writable, Status::SourceFault);
        ends_in("no destination", read_only, nowhere, Status::DestinationFault);
        ends_in("past the end", read_only.offset(PAGE - 50), writable, Status::SourceFault);
        if way.knows_read_only {
            ends_in(
                "only for reading",
                read_only,
                read_only.offset(2048),
                Status::DestinationFault,
            );
        }
        ends_in("mapped again", read_only, writable, Status::Success);
        transport.unmap(writable).expect("a mapping");
        ends_in("taken back", read_only, writable, Status::DestinationFault);
        transport.unmap(read_only).expect("a mapping");
        ends_in("both taken back", read_only, writable, Status::SourceFault);
    });
}

/// A reset under the driver's feet: what was under way ends in an error with the content as it was, for software to do,
/// and the device comes back.
#[test]
fn a_reset_in_flight_loses_nothing() {
    on_each_way(|way| {
        let settings = Settings {
            completion_timeout: Some(Duration::from_millis(500)),
            recovery_delay: Duration::from_millis(10),
            ..settings()
        };
        let device = way.open(settings);
        let keys = keys(&mut random::rng(), Suite::Aes128Gcm);
        let mut sealer = session(&device, &keys, Direction::Seal);
        let content = [7; 1000];
        seal(&mut sealer, 0, &content).expect("a record");
        way.transport.reset().expect("a reset");
        seal(&mut sealer, 1, &content).expect_err("the key is gone");
        await_recovery(&device);
        let record = seal(&mut sealer, 1, &content).expect("a record");
        assert!(record == seal_by_ring(&keys, 1, &content), "{}", way.name);
        assert!(device.health().counters.recoveries > 0, "{}", way.name);
    });
}
