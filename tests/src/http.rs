// SPDX-License-Identifier: Apache-2.0 OR MIT
//! An HTTPS client that keeps its connection and shows everything that goes wrong with it.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, ClientConnection, StreamOwned};
use rustls_pki_types::ServerName;

/// How long an answer may take from a simulated device on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// One connection.
#[derive(Debug)]
pub struct Client {
    stream: StreamOwned<ClientConnection, TcpStream>,
    unread: Vec<u8>,
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Body.
    pub body: Vec<u8>,
}

impl Client {
    /// Connects to `address` and does the handshake, with `localhost` as the server's name.
    pub fn connect(address: SocketAddr, config: ClientConfig) -> io::Result<Self> {
        let name = ServerName::try_from("localhost").expect("a name");
        let mut connection =
            ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        let mut socket = TcpStream::connect(address)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_nodelay(true)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut socket)?;
        }
        Ok(Self { stream: StreamOwned::new(connection, socket), unread: Vec::new() })
    }

    /// `GET path`.
    pub fn get(&mut self, path: &str) -> io::Result<Answer> {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())?;
        self.answer()
    }

    /// `POST /score`.
    pub fn score(&mut self, body: &str) -> io::Result<Answer> {
        self.send(&score_request(body))?;
        self.answer()
    }

    /// Sends bytes.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Receives one answer. An end of the connection before it is complete is an error:
    /// [`io::ErrorKind::ConnectionAborted`] after a `close_notify`, [`io::ErrorKind::UnexpectedEof`] without one.
    pub fn answer(&mut self) -> io::Result<Answer> {
        let head_end = loop {
            match self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(end) => break end + 4,
                None => self.receive()?,
            }
        };
        let head = String::from_utf8_lossy(&self.unread[..head_end]).to_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let (Some(status), Some(length)) = (status, length) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, head));
        };
        self.unread.drain(..head_end);
        while self.unread.len() < length {
            self.receive()?;
        }
        Ok(Answer { status, body: self.unread.drain(..length).collect() })
    }

    /// Takes the connection apart: TLS and socket. Everything that was received has been read.
    #[must_use]
    pub fn into_parts(self) -> (ClientConnection, TcpStream) {
        assert!(self.unread.is_empty(), "bytes behind the last answer");
        (self.stream.conn, self.stream.sock)
    }

    fn receive(&mut self) -> io::Result<()> {
        let mut bytes = [0; 1 << 14];
        let received = self.stream.read(&mut bytes)?;
        if received == 0 {
            let closed = "the server closed the connection before the answer was complete";
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, closed));
        }
        self.unread.extend_from_slice(&bytes[..received]);
        Ok(())
    }
}

/// `POST /score` with `body`, as it goes over the wire.
#[must_use]
pub fn score_request(body: &str) -> Vec<u8> {
    request_with("", body)
}

/// The same, after whose answer the server closes the connection.
#[must_use]
pub fn last_score_request(body: &str) -> Vec<u8> {
    request_with("Connection: close\r\n", body)
}

fn request_with(header: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST /score HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         {header}Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
