// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The handshake, which is rustls's from the first byte to the keys.
//!
//! Memory is bounded. Of input there is never more than [`MAX_INPUT_BYTES`]; of output what this side has to say at
//! once, which its own certificates and tickets determine; and of early data what the configuration allows.
//!
//! rustls gets to see one record at a time, and none behind the one that ends the handshake: so nothing is opened that
//! belongs to the record layer which takes over, and the sequence numbers point at the first byte that is left.

use std::fmt;
use std::io;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::crypto::SupportedKxGroup;
use rustls::kernel::KernelConnection;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::{
    ClientHello, ResolvesServerCert, ServerConnectionData, UnbufferedServerConnection,
};
use rustls::sign::CertifiedKey;
use rustls::unbuffered::{
    AppDataRecord, ConnectionState, EncodeError, EncodeTlsData, ReadEarlyData, UnbufferedStatus,
};
use rustls::{
    ClientConfig, CommonState, ConnectionTrafficSecrets, Error, ExtractedSecrets, HandshakeKind,
    HandshakeType, NamedGroup, PeerMisbehaved, ServerConfig, Side, SupportedCipherSuite,
};
use sealgate_abi::{MAX_TLS12_RECORD_BYTES, RECORD_HEADER_BYTES, TlsVersion};
use thiserror::Error as ThisError;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::exporter::{KeepingKeyLog, Secret};

/// Most bytes of input that are held: the largest handshake message that rustls puts together, 64 KiB, in records that
/// are not unreasonably small, and one record more.
const MAX_INPUT_BYTES: usize = 0x1_0000 + MAX_TLS12_RECORD_BYTES;

/// Bytes that are asked for at a time.
const READ_BYTES: usize = 4_096;

/// Why there is no connection.
#[derive(Debug, ThisError)]
pub(crate) enum HandshakeError {
    /// The peer has closed the connection, or the transport has failed.
    #[error("the connection broke off in the TLS handshake: {0}")]
    Io(#[from] io::Error),
    /// rustls says what is wrong. The peer has been sent the alert that goes with it.
    #[error("the TLS handshake failed: {0}")]
    Tls(#[source] Error),
    /// A handshake message came in pieces so small that they do not fit the buffer.
    #[error(
        "the peer's handshake needs more than {MAX_INPUT_BYTES} bytes: it must not cut messages that small"
    )]
    InputLimit,
    /// rustls shook hands but does not hand out the keys.
    #[error(
        "the keys cannot be taken over from rustls ({0}): use a CryptoProvider whose suites hand them out"
    )]
    Secrets(#[source] Error),
}

/// As tokio-rustls reports it: what rustls says can be had with `get_ref` and `downcast_ref`.
impl From<HandshakeError> for io::Error {
    fn from(error: HandshakeError) -> Self {
        match error {
            HandshakeError::Io(error) => error,
            HandshakeError::Tls(error) => Self::new(io::ErrorKind::InvalidData, error),
            HandshakeError::InputLimit => Self::new(io::ErrorKind::InvalidData, error),
            HandshakeError::Secrets(_) => Self::new(io::ErrorKind::Unsupported, error),
        }
    }
}

/// What rustls keeps of a connection: the secrets that keys are made from.
pub(crate) enum Kernel {
    Server(KernelConnection<ServerConnectionData>),
    Client(KernelConnection<ClientConnectionData>),
}

impl Kernel {
    /// The side of the connection that this is.
    pub(crate) fn side(&self) -> Side {
        match self {
            Self::Server(_) => Side::Server,
            Self::Client(_) => Side::Client,
        }
    }

    /// The next key for what is sent, and its first sequence number. TLS 1.3 only.
    pub(crate) fn update_tx_secret(&mut self) -> Result<(u64, ConnectionTrafficSecrets), Error> {
        match self {
            Self::Server(kernel) => kernel.update_tx_secret(),
            Self::Client(kernel) => kernel.update_tx_secret(),
        }
    }

    /// The next key for what is received, and its first sequence number. TLS 1.3 only.
    pub(crate) fn update_rx_secret(&mut self) -> Result<(u64, ConnectionTrafficSecrets), Error> {
        match self {
            Self::Server(kernel) => kernel.update_rx_secret(),
            Self::Client(kernel) => kernel.update_rx_secret(),
        }
    }

    /// Has a client's session store keep a ticket of TLS 1.3, given without the header of its message.
    pub(crate) fn handle_new_session_ticket(&mut self, payload: &[u8]) -> Result<(), Error> {
        match self {
            Self::Client(kernel) => kernel.handle_new_session_ticket(payload),
            Self::Server(_) => Err(Error::InappropriateHandshakeMessage {
                expect_types: vec![HandshakeType::KeyUpdate],
                got_type: HandshakeType::NewSessionTicket,
            }),
        }
    }
}

/// A connection that has shaken hands: everything that the record layer takes over.
pub(crate) struct Established {
    pub(crate) kernel: Kernel,
    pub(crate) version: TlsVersion,
    pub(crate) suite: SupportedCipherSuite,
    /// The sequence number of the next record to be sent, and its keys.
    pub(crate) tx: (u64, ConnectionTrafficSecrets),
    /// The sequence number of the next record in `input`, and its keys.
    pub(crate) rx: (u64, ConnectionTrafficSecrets),
    /// What has arrived behind the handshake; begins with the header of a record, and may end in the middle of one.
    pub(crate) input: Vec<u8>,
    /// What the client sent in its first flight (0-RTT), if the configuration allows it. Others may replay it.
    pub(crate) early_data: Vec<u8>,
    pub(crate) alpn: Option<Vec<u8>>,
    pub(crate) peer_certificates: Option<Vec<CertificateDer<'static>>>,
    /// The name that the client asked a server for.
    pub(crate) server_name: Option<String>,
    pub(crate) handshake_kind: Option<HandshakeKind>,
    pub(crate) key_exchange_group: Option<NamedGroup>,
    pub(crate) exporter: Secret,
}

impl fmt::Debug for Established {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Established")
            .field("side", &self.kernel.side())
            .field("version", &self.version)
            .field("suite", &self.suite)
            .field("tx_sequence", &self.tx.0)
            .field("rx_sequence", &self.rx.0)
            .field("input_bytes", &self.input.len())
            .field("early_data_bytes", &self.early_data.len())
            .field("server_name", &self.server_name)
            .field("handshake_kind", &self.handshake_kind)
            .finish_non_exhaustive()
    }
}

/// Shakes hands with a client. Whether `config` lets secrets be extracted does not matter.
///
/// A future that is dropped leaves the connection of no use.
pub(crate) async fn server<IO>(
    io: &mut IO,
    config: &ServerConfig,
) -> Result<Established, HandshakeError>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    // A copy for each connection: in it, a resolver of its own notes what name the client asks for. Most of the
    // configuration is shared behind `Arc`s, tickets and sessions among it.
    let mut config = config.clone();
    let server_name = Arc::new(OnceLock::new());
    let (key_log, exporter) = KeepingKeyLog::new(config.key_log);
    config.key_log = Arc::new(key_log);
    config.enable_secret_extraction = true;
    config.cert_resolver = Arc::new(NotingResolver {
        resolver: config.cert_resolver,
        server_name: Arc::clone(&server_name),
    });
    let connection = UnbufferedServerConnection::new(config.into()).map_err(HandshakeError::Tls)?;
    let mut established = Handshake::new(connection).run(io).await?;
    established.server_name = server_name.get().cloned();
    established.exporter = exporter;
    Ok(established)
}

/// Shakes hands with a server that goes by `name`. Whether `config` lets secrets be extracted does not matter.
///
/// A future that is dropped leaves the connection of no use.
pub(crate) async fn client<IO>(
    io: &mut IO,
    config: &ClientConfig,
    name: ServerName<'static>,
) -> Result<Established, HandshakeError>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    // A copy for each connection, as for a server; sessions are shared.
    let mut config = config.clone();
    let (key_log, exporter) = KeepingKeyLog::new(config.key_log);
    config.key_log = Arc::new(key_log);
    config.enable_secret_extraction = true;
    let connection =
        UnbufferedClientConnection::new(config.into(), name).map_err(HandshakeError::Tls)?;
    let mut established = Handshake::new(connection).run(io).await?;
    established.exporter = exporter;
    Ok(established)
}

/// Notes the server name that a client asks for. rustls's unbuffered connection does not tell it, but asks for a
/// certificate in every handshake, resumed ones too.
#[derive(Debug)]
struct NotingResolver {
    resolver: Arc<dyn ResolvesServerCert>,
    server_name: Arc<OnceLock<String>>,
}

impl ResolvesServerCert for NotingResolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if let Some(name) = hello.server_name() {
            // The second hello of one handshake has the same name as the first, or rustls refuses it.
            self.server_name.get_or_init(|| name.to_owned());
        }
        self.resolver.resolve(hello)
    }

    fn only_raw_public_keys(&self) -> bool {
        self.resolver.only_raw_public_keys()
    }
}

/// What the unbuffered connections of both sides have in common.
trait Unbuffered: Deref<Target: Deref<Target = CommonState>> {
    /// rustls's data of the side.
    type Data;

    fn process<'c, 'i>(&'c mut self, tls: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data>;

    /// Appends what there is of early data; only servers have any.
    fn take_early_data(
        data: ReadEarlyData<'_, '_, Self::Data>,
        into: &mut Vec<u8>,
    ) -> Result<(), Error>;

    fn into_kernel(self) -> Result<(ExtractedSecrets, Kernel), Error>;
}

impl Unbuffered for UnbufferedServerConnection {
    type Data = ServerConnectionData;

    fn process<'c, 'i>(
        &'c mut self,
        tls: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, ServerConnectionData> {
        self.process_tls_records(tls)
    }

    fn take_early_data(
        mut data: ReadEarlyData<'_, '_, ServerConnectionData>,
        into: &mut Vec<u8>,
    ) -> Result<(), Error> {
        while let Some(record) = data.next_record() {
            let AppDataRecord { payload, .. } = record?;
            into.extend_from_slice(payload);
        }
        Ok(())
    }

    fn into_kernel(self) -> Result<(ExtractedSecrets, Kernel), Error> {
        let (secrets, kernel) = self.dangerous_into_kernel_connection()?;
        Ok((secrets, Kernel::Server(kernel)))
    }
}

impl Unbuffered for UnbufferedClientConnection {
    type Data = ClientConnectionData;

    fn process<'c, 'i>(
        &'c mut self,
        tls: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, ClientConnectionData> {
        self.process_tls_records(tls)
    }

    fn take_early_data(
        _: ReadEarlyData<'_, '_, ClientConnectionData>,
        _: &mut Vec<u8>,
    ) -> Result<(), Error> {
        Err(unknown_state())
    }

    fn into_kernel(self) -> Result<(ExtractedSecrets, Kernel), Error> {
        let (secrets, kernel) = self.dangerous_into_kernel_connection()?;
        Ok((secrets, Kernel::Client(kernel)))
    }
}

/// What is to be done before rustls goes on.
enum Step {
    /// Nothing.
    Again,
    /// The output has to be sent.
    Send,
    /// rustls has done all it can with the input that it was shown.
    Idle,
}

/// A handshake under way.
struct Handshake<C> {
    connection: C,
    /// What has arrived and rustls has not done with yet.
    input: Vec<u8>,
    /// Bytes of `input` that make up records shown to rustls as a whole.
    complete: usize,
    /// Bytes of `input` shown to rustls: `complete`, and what there is of the next record if that has not all arrived.
    shown: usize,
    output: Vec<u8>,
    early_data: Vec<u8>,
}

impl<C: Unbuffered> Handshake<C> {
    fn new(connection: C) -> Self {
        let (input, output, early_data) = (Vec::new(), Vec::new(), Vec::new());
        Self { connection, input, complete: 0, shown: 0, output, early_data }
    }

    async fn run<IO>(mut self, io: &mut IO) -> Result<Established, HandshakeError>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            match self.step() {
                Ok(Step::Again) => {}
                Ok(Step::Send) => self.send(io).await?,
                Ok(Step::Idle) if !self.connection.is_handshaking() => return self.finish(),
                Ok(Step::Idle) => {
                    while !self.show_more() {
                        self.receive(io).await?;
                    }
                }
                Err(error) => {
                    self.send_alert(io).await;
                    return Err(HandshakeError::Tls(error));
                }
            }
        }
    }

    /// Has rustls go on until it wants something.
    fn step(&mut self) -> Result<Step, Error> {
        let UnbufferedStatus { discard, state } =
            self.connection.process(&mut self.input[..self.shown]);
        let step = match state {
            Ok(ConnectionState::EncodeTlsData(data)) => encode(data, &mut self.output),
            Ok(ConnectionState::TransmitTlsData(data)) => {
                data.done();
                Ok(Step::Send)
            }
            Ok(ConnectionState::ReadEarlyData(data)) => {
                C::take_early_data(data, &mut self.early_data).map(|()| Step::Again)
            }
            Ok(ConnectionState::BlockedHandshake | ConnectionState::WriteTraffic(_)) => {
                Ok(Step::Idle)
            }
            // Application data and its end come after the handshake, and nothing that does is shown to rustls.
            Ok(_) => Err(unknown_state()),
            Err(error) => Err(error),
        };
        self.input.drain(..discard);
        self.complete = self.complete.saturating_sub(discard);
        self.shown -= discard;
        step
    }

    /// Shows rustls more of the input, but not beyond the end of a record; returns whether there was more.
    fn show_more(&mut self) -> bool {
        let shown = self.shown;
        let next = &self.input[self.complete..];
        match record_bytes(next) {
            Some(bytes) if bytes <= next.len() => {
                self.complete += bytes;
                self.shown = self.complete;
            }
            // Also what is no record at all, which rustls knows by its header.
            _ => self.shown = self.input.len(),
        }
        self.shown > shown
    }

    async fn receive<IO: AsyncRead + Unpin>(&mut self, io: &mut IO) -> Result<(), HandshakeError> {
        let held = self.input.len();
        let room = READ_BYTES.min(MAX_INPUT_BYTES.saturating_sub(held));
        if room == 0 {
            return Err(HandshakeError::InputLimit);
        }
        self.input.resize(held + room, 0);
        let read = io.read(&mut self.input[held..]).await;
        self.input.truncate(held + read.as_ref().map_or(0, |&read| read));
        if read? == 0 {
            let what = "the peer has closed the connection before the handshake was done";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what).into());
        }
        Ok(())
    }

    async fn send<IO: AsyncWrite + Unpin>(&mut self, io: &mut IO) -> io::Result<()> {
        io.write_all(&self.output).await?;
        self.output.clear();
        io.flush().await
    }

    /// Sends what rustls has left to say after an error, if it can be sent: it is the error that counts.
    async fn send_alert<IO: AsyncWrite + Unpin>(&mut self, io: &mut IO) {
        while self.connection.wants_write() {
            if !matches!(self.step(), Ok(Step::Again)) {
                break;
            }
        }
        let _ = self.send(io).await;
    }

    fn finish(mut self) -> Result<Established, HandshakeError> {
        // What is left lives as long as the connection does; mostly it is nothing.
        self.input.shrink_to_fit();
        let common: &CommonState = &self.connection;
        let alpn = common.alpn_protocol().map(<[u8]>::to_vec);
        let peer_certificates = common.peer_certificates().map(<[_]>::to_vec);
        let handshake_kind = common.handshake_kind();
        let key_exchange_group = common.negotiated_key_exchange_group().map(SupportedKxGroup::name);
        // rustls does not end a handshake in the middle of a record; what is in these bytes has been opened.
        if self.complete > 0 {
            let why = PeerMisbehaved::KeyEpochWithPendingFragment;
            return Err(HandshakeError::Tls(why.into()));
        }
        let (secrets, kernel) = self.connection.into_kernel().map_err(HandshakeError::Secrets)?;
        let suite = match &kernel {
            Kernel::Server(kernel) => kernel.negotiated_cipher_suite(),
            Kernel::Client(kernel) => kernel.negotiated_cipher_suite(),
        };
        Ok(Established {
            kernel,
            version: crate::record::tls_version(suite),
            suite,
            tx: secrets.tx,
            rx: secrets.rx,
            input: self.input,
            early_data: self.early_data,
            alpn,
            peer_certificates,
            server_name: None,
            handshake_kind,
            key_exchange_group,
            exporter: Secret::default(),
        })
    }
}

/// Appends a record that rustls has made.
fn encode<D>(mut data: EncodeTlsData<'_, D>, output: &mut Vec<u8>) -> Result<Step, Error> {
    let held = output.len();
    // The first time rustls says how much room it needs.
    let mut encoded = data.encode(&mut []);
    if let Err(EncodeError::InsufficientSize(size)) = &encoded {
        output.resize(held + size.required_size, 0);
        encoded = data.encode(&mut output[held..]);
    }
    let written = encoded.map_err(|error| Error::General(error.to_string()))?;
    output.truncate(held + written);
    Ok(Step::Again)
}

/// Bytes of the record that begins here, if its header has arrived.
fn record_bytes(bytes: &[u8]) -> Option<usize> {
    let &[.., high, low] = bytes.first_chunk::<RECORD_HEADER_BYTES>()?;
    Some(RECORD_HEADER_BYTES + usize::from(u16::from_be_bytes([high, low])))
}

fn unknown_state() -> Error {
    Error::General("rustls is in a state that does not belong to a handshake".into())
}
