// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Names as a CA sees them: every one is at 127.0.0.1, and has the TXT records that were added.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use hickory_proto::op::{Message, MessageType};
use hickory_proto::rr::rdata::{A, TXT};
use hickory_proto::rr::{RData, Record, RecordType};
use sealgate_control::dns::{Dns, DnsError};
use sealgate_control::name::DnsName;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// A DNS server over UDP; it ends when dropped.
pub(crate) struct Names {
    zone: DnsName,
    address: SocketAddr,
    txt: Table,
    task: JoinHandle<()>,
}

type Table = Arc<Mutex<HashMap<String, Vec<String>>>>;

impl Names {
    /// Answers on a free port; its records are those of `zone`.
    pub(crate) async fn start(zone: &DnsName) -> Arc<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        let txt = Table::default();
        let task = tokio::spawn(serve(socket, Arc::clone(&txt)));
        Arc::new(Self { zone: zone.clone(), address, txt, task })
    }

    /// Where it answers.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many TXT records there are.
    pub(crate) fn txt_count(&self) -> usize {
        self.txt.lock().unwrap().values().map(Vec::len).sum()
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Dns for Names {
    fn zone(&self) -> &DnsName {
        &self.zone
    }

    fn publish<'a>(
        &'a self,
        _: &'a DnsName,
        _: &'a [IpAddr],
        _: bool,
    ) -> BoxFuture<'a, Result<(), DnsError>> {
        ready(Ok(())).boxed()
    }

    fn withdraw<'a>(&'a self, _: &'a DnsName) -> BoxFuture<'a, Result<(), DnsError>> {
        ready(Ok(())).boxed()
    }

    fn add_txt<'a>(&'a self, name: &'a str, value: &'a str) -> BoxFuture<'a, Result<(), DnsError>> {
        let mut txt = self.txt.lock().unwrap();
        txt.entry(name.to_owned()).or_default().push(value.to_owned());
        ready(Ok(())).boxed()
    }

    fn remove_txt<'a>(
        &'a self,
        name: &'a str,
        value: &'a str,
    ) -> BoxFuture<'a, Result<(), DnsError>> {
        let mut txt = self.txt.lock().unwrap();
        txt.entry(name.to_owned()).or_default().retain(|there| there != value);
        ready(Ok(())).boxed()
    }
}

async fn serve(socket: UdpSocket, txt: Table) {
    let mut packet = [0; 4096];
    while let Ok((length, peer)) = socket.recv_from(&mut packet).await {
        if let Some(answer) = answer(&packet[..length], &txt) {
            let _ = socket.send_to(&answer, peer).await;
        }
    }
}

fn answer(packet: &[u8], txt: &Table) -> Option<Vec<u8>> {
    let mut message = Message::from_vec(packet).ok()?;
    let query = message.queries.first()?.clone();
    let name = query.name().to_ascii().trim_end_matches('.').to_ascii_lowercase();
    let found = match query.query_type() {
        RecordType::A => vec![RData::A(A(Ipv4Addr::LOCALHOST))],
        RecordType::TXT => {
            let values = txt.lock().unwrap().get(&name).cloned().unwrap_or_default();
            values.into_iter().map(|value| RData::TXT(TXT::new(vec![value]))).collect()
        }
        _ => Vec::new(),
    };
    message.metadata.message_type = MessageType::Response;
    message.metadata.authoritative = true;
    message.additionals.clear();
    message.edns = None;
    for data in found {
        message.answers.push(Record::from_rdata(query.name().clone(), 0, data));
    }
    message.to_vec().ok()
}
