// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One request to a DNS server and its response, over UDP or TCP, within bounds.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, Query};
use hickory_proto::rr::{Name, RecordType};
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// Times that a datagram is sent, for each may be lost.
const UDP_ATTEMPTS: usize = 3;

/// How long the response to a datagram is waited for.
const UDP_WAIT: Duration = Duration::from_secs(2);

/// How long connecting, sending and receiving take together at most.
const TCP_WAIT: Duration = Duration::from_secs(5);

/// Datagrams that are no response to ours and are passed over, per attempt.
const MAX_STRAYS: usize = 32;

/// Longest datagram that is read whole, in octets.
const MAX_DATAGRAM_OCTETS: usize = 4096;

/// Asks `server` for records of `name`; over TCP when they do not fit into a datagram.
pub(super) async fn query(
    server: SocketAddr,
    name: Name,
    kind: RecordType,
    recursion: bool,
) -> Result<Message, ExchangeError> {
    let mut request = Message::query();
    request.metadata.recursion_desired = recursion;
    request.add_query(Query::query(name, kind));
    let octets = request.to_vec().map_err(|_| ExchangeError::Malformed)?;
    let mut result = Err(ExchangeError::Silent);
    for _ in 0..UDP_ATTEMPTS {
        result = timeout(UDP_WAIT, over_udp(server, &request, &octets))
            .await
            .unwrap_or(Err(ExchangeError::Silent));
        if !matches!(result, Err(ExchangeError::Silent)) {
            break;
        }
    }
    let response = result?;
    if !response.truncation {
        return Ok(response);
    }
    let response = over_tcp(server, &octets).await?;
    let response = Message::from_vec(&response).map_err(|_| ExchangeError::Malformed)?;
    if answers(&response, &request) { Ok(response) } else { Err(ExchangeError::Malformed) }
}

/// Sends `request` over a connection of its own; the result is the response as it came.
pub(super) async fn over_tcp(server: SocketAddr, request: &[u8]) -> Result<Vec<u8>, ExchangeError> {
    let length = u16::try_from(request.len()).map_err(|_| ExchangeError::Malformed)?;
    let exchange = async {
        let mut stream = TcpStream::connect(server).await?;
        stream.write_all(&[&length.to_be_bytes(), request].concat()).await?;
        let mut response = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut response).await?;
        Ok(response)
    };
    timeout(TCP_WAIT, exchange).await.unwrap_or(Err(ExchangeError::Silent))
}

/// A port of the system's choice for each attempt: with the id, that is what a forger has to guess (RFC 5452).
async fn over_udp(
    server: SocketAddr,
    request: &Message,
    octets: &[u8],
) -> Result<Message, ExchangeError> {
    let any = match server {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    socket.send(octets).await?;
    let mut datagram = vec![0; MAX_DATAGRAM_OCTETS];
    for _ in 0..MAX_STRAYS {
        let octets = socket.recv(&mut datagram).await?;
        let response = Message::from_vec(&datagram[..octets]);
        if let Some(response) = response.ok().filter(|response| answers(response, request)) {
            return Ok(response);
        }
    }
    Err(ExchangeError::Malformed)
}

/// Servers that understood nothing leave the question out.
fn answers(response: &Message, request: &Message) -> bool {
    response.id == request.id
        && response.message_type == MessageType::Response
        && (response.queries.is_empty() || response.queries == request.queries)
}

/// Why there is no response.
#[derive(Debug, Error)]
pub(super) enum ExchangeError {
    /// Nothing came in time.
    #[error("it did not answer in time")]
    Silent,
    /// The system or the network said so.
    #[error(transparent)]
    Network(#[from] io::Error),
    /// Something came that is no response to this.
    #[error("what it answers is no DNS message, or not to this question")]
    Malformed,
}
