// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One question to one DNS server: over UDP, or TCP where an answer does not fit (RFC 7766).

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// How long an answer over UDP is waited for.
const UDP_PATIENCE: Duration = Duration::from_secs(2);

/// How often a question is sent over UDP.
const UDP_TRIES: usize = 3;

/// How long an answer over TCP is waited for, with the connection.
const TCP_PATIENCE: Duration = Duration::from_secs(5);

/// Largest answer over UDP that is read: what EDNS may ask for.
const MAX_UDP_BYTES: usize = 4096;

/// The bit in the third octet that says an answer was cut (RFC 1035, section 4.1.1).
const TRUNCATED: u8 = 0b10;

/// Sends `question`, and takes the first answer with its identifier.
pub(super) async fn ask(server: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let answer = udp(server, question).await?;
    if answer.get(2).is_some_and(|flags| flags & TRUNCATED != 0) {
        return tcp(server, question).await;
    }
    Ok(answer)
}

async fn udp(server: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    // Answers of others do not arrive.
    socket.connect(server).await?;
    let mut buffer = vec![0; MAX_UDP_BYTES];
    for _ in 0..UDP_TRIES {
        socket.send(question).await?;
        let answer = async {
            loop {
                let length = socket.recv(&mut buffer).await?;
                if buffer.get(..2) == question.get(..2) {
                    return io::Result::Ok(length);
                }
            }
        };
        if let Ok(length) = timeout(UDP_PATIENCE, answer).await {
            buffer.truncate(length?);
            return Ok(buffer);
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

/// The same over TCP alone.
pub(super) async fn tcp(server: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let exchange = async {
        let mut tcp = TcpStream::connect(server).await?;
        let length = u16::try_from(question.len()).map_err(io::Error::other)?;
        let framed = [&length.to_be_bytes(), question].concat();
        tcp.write_all(&framed).await?;
        let mut answer = vec![0; tcp.read_u16().await?.into()];
        tcp.read_exact(&mut answer).await?;
        io::Result::Ok(answer)
    };
    let answer = timeout(TCP_PATIENCE, exchange).await.map_err(|_| io::ErrorKind::TimedOut)??;
    if answer.get(..2) == question.get(..2) {
        Ok(answer)
    } else {
        Err(io::ErrorKind::InvalidData.into())
    }
}
