// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A client that asks once, and servers that answer what they are told to.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RData, RecordType};
use sealgate_control::name::DnsName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket as AsyncUdpSocket};
use tokio::task::JoinSet;

/// How long anything that should come may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Datagrams in that time, and free ports that are tried.
const ATTEMPTS: u32 = 20;

pub(crate) fn dns_name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

pub(crate) fn wire_name(text: &str) -> Name {
    Name::from_ascii(format!("{text}.")).unwrap()
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn question(name: &str, kind: RecordType) -> Message {
    let mut request = Message::query();
    request.add_query(Query::query(wire_name(name), kind));
    request
}

/// Sends octets over UDP, again when they are lost; the result is the response's.
pub(crate) fn udp(server: SocketAddr, request: &[u8]) -> Vec<u8> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_read_timeout(Some(PATIENCE / ATTEMPTS)).unwrap();
    socket.connect(server).unwrap();
    let mut response = vec![0; 65_535];
    for _ in 0..ATTEMPTS {
        socket.send(request).unwrap();
        if let Ok(octets) = socket.recv(&mut response) {
            response.truncate(octets);
            return response;
        }
    }
    panic!("{server} does not answer over UDP");
}

pub(crate) fn tcp(server: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    exchange(&mut stream, request)
}

/// One request on a connection that may see more of them.
pub(crate) fn exchange(stream: &mut TcpStream, request: &[u8]) -> Vec<u8> {
    stream.write_all(&u16::try_from(request.len()).unwrap().to_be_bytes()).unwrap();
    stream.write_all(request).unwrap();
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut response = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut response).unwrap();
    response
}

/// The response over UDP, which must be the same over TCP.
pub(crate) async fn ask(server: SocketAddr, name: &str, kind: RecordType) -> Message {
    ask_with(server, question(name, kind)).await
}

pub(crate) async fn ask_with(server: SocketAddr, request: Message) -> Message {
    let asking = move || {
        let octets = request.to_vec().unwrap();
        let response = udp(server, &octets);
        assert_eq!(response, tcp(server, &octets), "UDP and TCP differ");
        let response = Message::from_vec(&response).unwrap();
        assert_eq!(response.id, request.id);
        assert_eq!(response.message_type, MessageType::Response);
        response
    };
    tokio::task::spawn_blocking(asking).await.unwrap()
}

/// The addresses of `name` at `server`, in order.
pub(crate) async fn addresses(server: SocketAddr, name: &str) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for kind in [RecordType::A, RecordType::AAAA] {
        for record in ask(server, name, kind).await.answers {
            match record.data {
                RData::A(address) => found.push(address.0.into()),
                RData::AAAA(address) => found.push(address.0.into()),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// The texts of `name` at `server`, in order.
pub(crate) async fn texts(server: SocketAddr, name: &str) -> Vec<String> {
    let records = ask(server, name, RecordType::TXT).await.answers;
    let mut found: Vec<_> = records.iter().map(|record| record.data.to_string()).collect();
    found.sort();
    found
}

/// A response to `request` with nothing in it yet.
pub(crate) fn response_to(request: &Message) -> Message {
    let mut response = Message::response(request.id, request.op_code);
    response.add_queries(request.queries.clone());
    response
}

/// A server that answers as `script` says; none is silence.
pub(crate) struct Scripted {
    pub(crate) address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Scripted {
    pub(crate) async fn start(
        script: impl Fn(&Message) -> Option<Message> + Clone + Send + 'static,
    ) -> Self {
        let (udp, tcp) = bind().await;
        let address = udp.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        let by_udp = script.clone();
        tasks.spawn(async move {
            let mut request = vec![0; 65_535];
            loop {
                let (octets, client) = udp.recv_from(&mut request).await.unwrap();
                let request = Message::from_vec(&request[..octets]).unwrap();
                if let Some(mut response) = by_udp(&request) {
                    // A server whose answers are too long for datagrams.
                    if response.answers.len() > 8 {
                        response = response.truncate();
                    }
                    udp.send_to(&response.to_vec().unwrap(), client).await.unwrap();
                }
            }
        });
        tasks.spawn(async move {
            loop {
                let (mut stream, _) = tcp.accept().await.unwrap();
                let mut request = vec![0; usize::from(stream.read_u16().await.unwrap())];
                stream.read_exact(&mut request).await.unwrap();
                let request = Message::from_vec(&request).unwrap();
                if let Some(response) = script(&request) {
                    let response = response.to_vec().unwrap();
                    stream.write_u16(u16::try_from(response.len()).unwrap()).await.unwrap();
                    stream.write_all(&response).await.unwrap();
                }
            }
        });
        Self { address, _tasks: tasks }
    }

    /// One that answers updates only, with `code` and no signature.
    pub(crate) async fn unsigned() -> Self {
        Self::start(|request| (request.op_code == OpCode::Update).then(|| response_to(request)))
            .await
    }
}

/// A port that is free for UDP and TCP: other tests take them at the same time.
async fn bind() -> (AsyncUdpSocket, TcpListener) {
    for _ in 0..ATTEMPTS {
        let udp = AsyncUdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
    panic!("no port is free for UDP and TCP");
}
