// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Streams of ours, and programs of others that speak TLS with them over the loopback interface.

use std::fs;
use std::future::Future;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use rustls::{CipherSuite, ClientConfig, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use sealgate_driver::Device;
use sealgate_rustls::{Offload, Operation, Reason, TlsAcceptor, TlsConnector, TlsStream};
use sealgate_sim::SimTransport;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use crate::device::Simulation;
use crate::tls::{client_config, ring_with};

/// How long a conversation may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// How long a server may take to come up.
const READY_TRIES: usize = 600;

/// How long to wait between two tries to connect.
const READY_PAUSE: Duration = Duration::from_millis(50);

/// Our side: a device, and configurations with one suite and a certificate that both sides know.
pub struct Party {
    /// What its streams go to.
    pub offload: Offload,
    /// What it accepts with.
    pub server: Arc<ServerConfig>,
    /// What it connects with.
    pub client: Arc<ClientConfig>,
    /// What seals and opens.
    pub device: Device,
    /// The simulation behind it.
    pub transport: Arc<SimTransport>,
    suite: CipherSuite,
    folder: TempDir,
}

impl Party {
    /// With a fresh device.
    #[must_use]
    pub fn new(simulation: Simulation, suite: CipherSuite) -> Self {
        let signed = rcgen::generate_simple_self_signed(["localhost".into(), "127.0.0.1".into()])
            .expect("a certificate is made");
        Self::with_certificate(
            simulation,
            suite,
            &signed.cert.pem(),
            &signed.signing_key.serialize_pem(),
        )
    }

    /// With a fresh device, and certificate and key in PEM.
    #[must_use]
    pub fn with_certificate(
        simulation: Simulation,
        suite: CipherSuite,
        root_pem: &str,
        key_pem: &str,
    ) -> Self {
        let (device, transport) = simulation.open();
        let folder = TempDir::new().expect("a temporary folder");
        fs::write(folder.path().join("root.pem"), root_pem).expect("a file");
        fs::write(folder.path().join("key.pem"), key_pem).expect("a file");
        let versions = rustls::ALL_VERSIONS;
        let client = Arc::new(client_config(ring_with(suite), versions, root_pem));
        let certificate = CertificateDer::from_pem_slice(root_pem.as_bytes()).expect("PEM");
        let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).expect("PEM");
        let mut server = ServerConfig::builder_with_provider(Arc::new(ring_with(suite)))
            .with_protocol_versions(versions)
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("the certificate is served");
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        let offload = Offload::new(&device);
        Self { offload, server: server.into(), client, device, transport, suite, folder }
    }

    /// The path of a file in its folder; there are `root.pem` and `key.pem`.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A socket to accept on, and its address.
    pub async fn listen(&self) -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        (listener, address)
    }

    /// Accepts the next connection.
    pub async fn accept(&self, listener: &TcpListener) -> TlsStream<TcpStream> {
        let (socket, _) = listener.accept().await.expect("a connection");
        socket.set_nodelay(true).expect("an option");
        let acceptor = TlsAcceptor::new(Arc::clone(&self.server), self.offload.clone());
        let stream = acceptor.accept(socket).await.expect("a handshake");
        assert_eq!(stream.cipher_suite(), self.suite);
        stream
    }

    /// Connects to a server that may be still coming up.
    pub async fn connect(&self, address: SocketAddr) -> TlsStream<TcpStream> {
        let socket = connect(address).await;
        let connector = TlsConnector::new(Arc::clone(&self.client), self.offload.clone());
        let name = ServerName::try_from("localhost").expect("a name");
        let stream = connector.connect(name, socket).await.expect("a handshake");
        assert_eq!(stream.cipher_suite(), self.suite);
        assert!(stream.peer_certificates().is_some_and(|chain| chain.len() == 1));
        stream
    }

    /// So many records that the device has sealed, and opened.
    #[must_use]
    pub fn records(&self) -> [u64; 2] {
        Operation::ALL.map(|operation| self.offload.counts().device(operation).records)
    }

    /// The device has sealed and opened so many bytes of content, none went to software, and nothing was wrong.
    pub fn assert_on_device(&self, bytes: usize) {
        let counts = self.offload.counts();
        for operation in Operation::ALL {
            assert!(counts.device(operation).bytes >= bytes as u64, "{:?}: {counts:?}", self.suite);
        }
        self.assert_nothing_in_software();
    }

    /// No content went to software, and nothing was wrong.
    pub fn assert_nothing_in_software(&self) {
        let counts = self.offload.counts();
        for operation in Operation::ALL {
            // Key updates are sealed in software on purpose.
            for reason in Reason::ALL.into_iter().filter(|it| *it != Reason::BelowThreshold) {
                assert_eq!(counts.software(operation, reason).records, 0, "{counts:?}");
            }
        }
        assert_eq!((counts.rejected, counts.disagreements), (0, 0), "{counts:?}");
        let health = self.device.health();
        assert!(health.state.is_healthy(), "{health:?}");
        assert_eq!(health.counters.failures, 0, "{health:?}");
    }
}

async fn connect(address: SocketAddr) -> TcpStream {
    for _ in 0..READY_TRIES {
        if let Ok(socket) = TcpStream::connect(address).await {
            socket.set_nodelay(true).expect("an option");
            return socket;
        }
        tokio::time::sleep(READY_PAUSE).await;
    }
    panic!("nobody listens at {address}");
}

/// An address that nobody listens at, for a program that cannot choose one itself.
#[must_use]
pub fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address")
}

/// Runs a conversation, which must end.
pub fn converse<T>(conversation: impl Future<Output = T>) -> T {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        timeout(PATIENCE, conversation).await.expect("the conversation gets on")
    })
}

/// Receives as many bytes as `content` has, which must be these.
pub async fn expect(stream: &mut TlsStream<TcpStream>, content: &[u8]) {
    let mut got = vec![0; content.len()];
    stream.read_exact(&mut got).await.expect("content arrives");
    assert!(got == content, "it arrived otherwise");
}

/// Sends content and says that nothing follows.
pub async fn send_last(stream: &mut TlsStream<TcpStream>, content: &[u8]) {
    stream.write_all(content).await.expect("content is taken");
    stream.shutdown().await.expect("the end is sent");
}

/// A program that talks through its standard streams; ended when dropped.
pub struct Program {
    child: Child,
    input: Option<mpsc::Sender<Vec<u8>>>,
    /// Its standard output.
    pub output: Output,
    /// Its standard error.
    pub errors: Output,
}

impl Program {
    /// Starts it.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        Self::start_with(command, Stdio::piped())
    }

    /// Starts it with this as its standard input.
    #[must_use]
    pub fn start_with(command: &mut Command, input: Stdio) -> Self {
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let input = child.stdin.take().map(|mut stdin| {
            let (input, inputs) = mpsc::channel::<Vec<u8>>();
            // A program that ends early closes the pipe, and its own words say more about it.
            thread::spawn(move || inputs.iter().try_for_each(|bytes| stdin.write_all(&bytes)));
            input
        });
        let output = Output::of(child.stdout.take().expect("a pipe"));
        let errors = Output::of(child.stderr.take().expect("a pipe"));
        Self { child, input, output, errors }
    }

    /// Writes to its standard input, without waiting.
    pub fn send(&self, bytes: &[u8]) {
        let input = self.input.as_ref().expect("its input has not ended");
        // If it has gone, what it said before tells why.
        let _ = input.send(bytes.to_vec());
    }

    /// Ends its standard input behind what was written.
    pub fn end_input(&mut self) {
        self.input = None;
    }

    /// Waits until it ends by itself: how, what else it has written, and what it has said.
    pub async fn end(mut self) -> (ExitStatus, Vec<u8>, String) {
        self.input = None;
        let output = self.output.rest().await;
        let errors = self.errors.rest().await;
        let status = self.child.wait().expect("its status");
        (status, output, String::from_utf8_lossy(&errors).into_owned())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Fails if it has ended, and then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a program writes.
pub struct Output {
    chunks: UnboundedReceiver<Vec<u8>>,
    held: Vec<u8>,
}

impl Output {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let (sender, chunks) = unbounded_channel();
        thread::spawn(move || -> io::Result<()> {
            let mut chunk = vec![0; 1 << 16];
            loop {
                let read = pipe.read(&mut chunk)?;
                if read == 0 || sender.send(chunk[..read].to_vec()).is_err() {
                    return Ok(());
                }
            }
        });
        Self { chunks, held: Vec::new() }
    }

    async fn receive(&mut self) -> bool {
        let chunk = self.chunks.recv().await;
        self.held.extend(chunk.iter().flatten());
        chunk.is_some()
    }

    /// The next `length` bytes.
    pub async fn take(&mut self, length: usize) -> Vec<u8> {
        while self.held.len() < length {
            assert!(self.receive().await, "it ended: {}", String::from_utf8_lossy(&self.held));
        }
        self.held.drain(..length).collect()
    }

    /// Waits for these bytes, and skips all before and with them.
    pub async fn until(&mut self, bytes: &[u8]) {
        loop {
            if let Some(at) = self.held.windows(bytes.len()).position(|found| found == bytes) {
                self.held.drain(..at + bytes.len());
                return;
            }
            assert!(self.receive().await, "it ended: {}", String::from_utf8_lossy(&self.held));
        }
    }

    /// All that comes until it ends.
    pub async fn rest(&mut self) -> Vec<u8> {
        while self.receive().await {}
        std::mem::take(&mut self.held)
    }
}
