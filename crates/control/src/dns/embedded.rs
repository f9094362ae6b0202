// SPDX-License-Identifier: Apache-2.0 OR MIT
//! An authoritative DNS server for the managed zone, within this process.
//!
//! It knows what its owner published since it started and nothing else: the owner keeps the state, and publishes all
//! of it again at each start. So every name of the zone is ours but that of the name server itself, and a name is
//! taken only when that one is asked for. Nothing is recursive, transferred or updated from outside.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::{BoxFuture, FutureExt};
use hickory_proto::rr::Name;
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use super::records::{OwnZone, absolute};
use super::zone::{Transport, Zone};
use super::{Dns, DnsError};
use crate::name::DnsName;

/// Seconds that answers may be remembered unless told otherwise: a changed address is everywhere within a minute.
pub const DEFAULT_TTL_SECONDS: u32 = 60;

/// Connections that one listener serves at a time; others wait to be accepted.
const MAX_CONNECTIONS: usize = 64;

/// Requests of one connection.
const MAX_REQUESTS: usize = 256;

/// How long a connection may be silent, or leave its response unread.
const IDLE: Duration = Duration::from_secs(5);

/// How long a connection lives at most, however busy it is.
const LIFETIME: Duration = Duration::from_secs(30);

/// Rest after a socket's error, such as too many open files, lest it is a loop without pause.
const PAUSE: Duration = Duration::from_millis(100);

/// Longest request over UDP that is read whole, in octets.
const MAX_REQUEST_OCTETS: usize = 4096;

/// Free ports of UDP that are tried until one is free for TCP too.
const PORT_ATTEMPTS: usize = 16;

/// How the embedded server is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Addresses to listen on, each for UDP and TCP; port 0 takes a free one. A host with several addresses names
    /// those that are asked: behind 0.0.0.0 the system would choose which of them answers.
    pub listen: Vec<SocketAddr>,
    /// How long answers, also that there is nothing, may be remembered, in seconds.
    pub ttl_seconds: u32,
    /// What the zone's NS record names; by default `ns.<zone>`.
    pub name_server: Option<DnsName>,
    /// Where the world reaches that name server; served when its name lies in the zone.
    pub name_server_addresses: Vec<IpAddr>,
}

impl Default for Settings {
    /// Port 53 of the loopback address.
    fn default() -> Self {
        Self {
            listen: vec![(Ipv4Addr::LOCALHOST, 53).into()],
            ttl_seconds: DEFAULT_TTL_SECONDS,
            name_server: None,
            name_server_addresses: Vec::new(),
        }
    }
}

/// The embedded server. Its sockets close when it is dropped.
#[derive(Debug)]
pub struct EmbeddedDns {
    zone: OwnZone,
    name_server: String,
    served: Arc<RwLock<Zone>>,
    addresses: Vec<SocketAddr>,
    tasks: JoinSet<()>,
}

impl EmbeddedDns {
    /// Binds the addresses and serves `zone` from now on, empty as yet. To be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`StartError`] when an address cannot be bound or the zone leaves no room for names.
    pub async fn start(zone: DnsName, settings: &Settings) -> Result<Self, StartError> {
        let unusable = || StartError::Zone { zone: zone.to_string() };
        let own = OwnZone::new(zone.clone()).map_err(|_| unusable())?;
        let name_server = match &settings.name_server {
            Some(name) => name.clone(),
            None => DnsName::parse(&format!("ns.{zone}")).map_err(|_| unusable())?,
        };
        let target = absolute(name_server.as_str()).ok_or_else(unusable)?;
        let mut records =
            Zone::new(own.origin.clone(), target.clone(), settings.ttl_seconds, first_serial());
        if name_server.is_within(&zone) {
            records.set_addresses(&target, &settings.name_server_addresses);
        }
        let mut server = Self {
            zone: own,
            name_server: name_server.to_string(),
            served: Arc::new(RwLock::new(records)),
            addresses: Vec::new(),
            tasks: JoinSet::new(),
        };
        for &address in &settings.listen {
            server.listen(address).await.map_err(|source| StartError::Bind { address, source })?;
        }
        Ok(server)
    }

    /// The addresses it listens on, in the order of the settings and with their real ports.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Closes the sockets and all connections; returns when that is done.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }

    async fn listen(&mut self, address: SocketAddr) -> io::Result<()> {
        let (udp, tcp) = bind(address).await?;
        self.addresses.push(udp.local_addr()?);
        self.tasks.spawn(serve_udp(udp, Arc::clone(&self.served)));
        self.tasks.spawn(serve_tcp(tcp, Arc::clone(&self.served)));
        Ok(())
    }

    /// A change is made at once, and the next answer has it.
    fn change(&self, name: &str, edit: impl FnOnce(&mut Zone, &Name)) -> Result<(), DnsError> {
        let name = self.zone.within(name)?;
        edit(&mut self.served.write().unwrap_or_else(PoisonError::into_inner), &name);
        Ok(())
    }
}

impl Dns for EmbeddedDns {
    fn zone(&self) -> &DnsName {
        &self.zone.name
    }

    fn publish<'a>(
        &'a self,
        name: &'a DnsName,
        addresses: &'a [IpAddr],
        overwrite: bool,
    ) -> BoxFuture<'a, Result<(), DnsError>> {
        async move {
            if name.as_str() == self.name_server && !overwrite {
                return Err(DnsError::Taken { name: name.to_string() });
            }
            self.change(name.as_str(), |zone, name| zone.set_addresses(name, addresses))
        }
        .boxed()
    }

    fn withdraw<'a>(&'a self, name: &'a DnsName) -> BoxFuture<'a, Result<(), DnsError>> {
        async { self.change(name.as_str(), |zone, name| zone.set_addresses(name, &[])) }.boxed()
    }

    fn add_txt<'a>(&'a self, name: &'a str, value: &'a str) -> BoxFuture<'a, Result<(), DnsError>> {
        async { self.change(name, |zone, name| zone.add_text(name, value)) }.boxed()
    }

    fn remove_txt<'a>(
        &'a self,
        name: &'a str,
        value: &'a str,
    ) -> BoxFuture<'a, Result<(), DnsError>> {
        async { self.change(name, |zone, name| zone.remove_text(name, value)) }.boxed()
    }
}

/// Why the embedded server did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// An address is not to be had.
    #[error(
        "cannot serve DNS on {address}: {source}; choose another address, free this one, or \
         allow ports below 1024 (CAP_NET_BIND_SERVICE)"
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The zone's name is so long that nothing fits below it.
    #[error("{zone} cannot be served as a zone: its name leaves no room for names below it")]
    Zone {
        /// The zone.
        zone: String,
    },
}

/// Seconds since 1970, so that a server that starts again goes on above its last serial.
fn first_serial() -> u32 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.as_secs() as u32)
}

/// Both sockets of an address, on the same port.
async fn bind(address: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let attempts = if address.port() == 0 { PORT_ATTEMPTS } else { 1 };
    let mut failure = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..attempts {
        let udp = UdpSocket::bind(address).await?;
        match TcpListener::bind(udp.local_addr()?).await {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn respond(zone: &RwLock<Zone>, request: &[u8], transport: Transport) -> Option<Vec<u8>> {
    zone.read().unwrap_or_else(PoisonError::into_inner).respond(request, transport)
}

/// Answers datagrams one after another: what comes faster than that waits in the socket's buffer, or is lost there.
async fn serve_udp(socket: UdpSocket, zone: Arc<RwLock<Zone>>) {
    let mut request = vec![0; MAX_REQUEST_OCTETS];
    loop {
        let (octets, client) = match socket.recv_from(&mut request).await {
            Ok(received) => received,
            Err(error) => {
                warn!(%error, "a DNS request could not be received");
                sleep(PAUSE).await;
                continue;
            }
        };
        if let Some(response) = respond(&zone, &request[..octets], Transport::Udp)
            && let Err(error) = socket.send_to(&response, client).await
        {
            debug!(%client, %error, "a DNS response could not be sent");
        }
    }
}

/// Accepts connections while there are fewer than [`MAX_CONNECTIONS`].
async fn serve_tcp(listener: TcpListener, zone: Arc<RwLock<Zone>>) {
    let free = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    // The semaphore is never closed.
    while let Ok(permit) = Arc::clone(&free).acquire_owned().await {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, client)) => {
                let zone = Arc::clone(&zone);
                connections.spawn(async move {
                    match timeout(LIFETIME, serve_connection(stream, &zone)).await {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => debug!(%client, %error, "a DNS connection failed"),
                        Err(_) => debug!(%client, "a DNS connection lived too long"),
                    }
                    drop(permit);
                });
            }
            Err(error) => {
                warn!(%error, "a DNS connection could not be accepted");
                sleep(PAUSE).await;
            }
        }
    }
}

/// RFC 7766: requests one after another, each with its length before it.
async fn serve_connection(mut stream: TcpStream, zone: &RwLock<Zone>) -> io::Result<()> {
    for _ in 0..MAX_REQUESTS {
        let Some(request) = timeout(IDLE, read_message(&mut stream)).await?? else { break };
        let Some(response) = respond(zone, &request, Transport::Tcp) else { break };
        let Ok(octets) = u16::try_from(response.len()) else { break };
        let framed = [&octets.to_be_bytes(), response.as_slice()].concat();
        timeout(IDLE, stream.write_all(&framed)).await??;
    }
    Ok(())
}

/// The next message, or none at the end of the stream.
async fn read_message(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let octets = match stream.read_u16().await {
        Ok(octets) => octets,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut message = vec![0; usize::from(octets)];
    stream.read_exact(&mut message).await?;
    Ok(Some(message))
}
