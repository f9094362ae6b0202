// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The embedded server: authoritative for the managed zone, and for nothing else.
//!
//! What it publishes is in memory: the controller publishes everything again when it starts.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::BoxFuture;
use hickory_proto::rr::rdata::{NS, SOA, TXT};
use hickory_proto::rr::{LowerName, Name, RData, Record, RecordSet, RecordType, RrKey};
use hickory_server::Server;
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneType};
use tokio::net::{TcpListener, UdpSocket};

use super::{Dns, DnsError};
use crate::name::DnsName;

/// How long resolvers may keep an address, in seconds.
const ADDRESS_TTL: u32 = 60;

/// How long they may keep that there is none, in seconds (RFC 2308).
const NEGATIVE_TTL: u32 = 30;

/// The records that tell of the zone itself change hardly ever.
const ZONE_TTL: u32 = 3600;

/// The values of challenges are asked for once.
const TXT_TTL: u32 = 1;

/// A TCP connection that asks nothing is ended after this.
const TCP_IDLE: Duration = Duration::from_secs(5);

/// Answers that wait on one TCP connection.
const TCP_ANSWERS: usize = 16;

/// A server for one zone; it answers until it is dropped.
pub struct EmbeddedDns {
    zone: DnsName,
    origin: Name,
    records: Arc<InMemoryZoneHandler>,
    address: SocketAddr,
    _server: Server<Catalog>,
}

impl std::fmt::Debug for EmbeddedDns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmbeddedDns")
            .field("zone", &self.zone)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl EmbeddedDns {
    /// Answers for `zone` on `address`, over UDP and TCP; port 0 takes a free one. `ns` are the addresses under which the
    /// world reaches this server, for its own name in the zone.
    ///
    /// # Errors
    ///
    /// [`io::Error`] when the address is taken, not local, or not permitted.
    pub async fn bind(zone: DnsName, address: SocketAddr, ns: &[IpAddr]) -> io::Result<Self> {
        let (udp, tcp) = bind_both(address).await?;
        let address = tcp.local_addr()?;
        let origin = absolute(zone.as_str())?;
        let records = zone_records(&origin, ns)?;
        let handler = InMemoryZoneHandler::new(
            origin.clone(),
            records,
            ZoneType::Primary,
            AxfrPolicy::Deny,
            None,
        );
        let records = Arc::new(handler.map_err(io::Error::other)?);
        let mut catalog = Catalog::new();
        catalog.upsert(LowerName::new(&origin), vec![records.clone()]);
        let mut server = Server::new(catalog);
        server.register_socket(udp);
        server.register_listener(tcp, TCP_IDLE, TCP_ANSWERS);
        Ok(Self { zone, origin, records, address, _server: server })
    }

    /// The address that is answered on.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    fn within(&self, name: &str) -> Result<Name, DnsError> {
        let absolute = absolute(name).ok().filter(|name| self.origin.zone_of(name));
        absolute.ok_or_else(|| DnsError::OutsideZone {
            name: name.to_owned(),
            zone: self.zone.to_string(),
        })
    }

    /// Puts `values` in the place of all records of this type; none takes them away.
    async fn set(&self, name: &Name, kind: RecordType, ttl: u32, values: Vec<RData>) {
        let serial = self.records.serial().await.wrapping_add(1);
        let key = RrKey::new(LowerName::new(name), kind);
        let mut records = self.records.records_mut().await;
        if values.is_empty() {
            records.remove(&key);
        } else {
            let mut set = RecordSet::with_ttl(name.clone(), kind, ttl);
            for value in values {
                set.add_rdata(value);
            }
            records.insert(key, Arc::new(set));
        }
        let soa = RrKey::new(LowerName::new(&self.origin), RecordType::SOA);
        records.insert(soa, Arc::new(soa_set(&self.origin, serial)));
    }

    async fn texts(&self, name: &Name) -> Vec<RData> {
        let key = RrKey::new(LowerName::new(name), RecordType::TXT);
        let records = self.records.records().await;
        let texts = records
            .get(&key)
            .map(|set| set.records_without_rrsigs().map(|record| record.data.clone()).collect());
        texts.unwrap_or_default()
    }
}

impl Dns for EmbeddedDns {
    fn zone(&self) -> &DnsName {
        &self.zone
    }

    /// Every name of the zone is ours, so none is ever another's.
    fn publish<'a>(
        &'a self,
        name: &'a DnsName,
        addresses: &'a [IpAddr],
        _overwrite: bool,
    ) -> BoxFuture<'a, Result<(), DnsError>> {
        Box::pin(async move {
            let name = self.within(name.as_str())?;
            let (v4, v6): (Vec<_>, Vec<_>) = addresses
                .iter()
                .map(|address| RData::from(*address))
                .partition(|data| matches!(data, RData::A(_)));
            self.set(&name, RecordType::A, ADDRESS_TTL, v4).await;
            self.set(&name, RecordType::AAAA, ADDRESS_TTL, v6).await;
            Ok(())
        })
    }

    fn withdraw<'a>(&'a self, name: &'a DnsName) -> BoxFuture<'a, Result<(), DnsError>> {
        self.publish(name, &[], true)
    }

    fn add_txt<'a>(&'a self, name: &'a str, value: &'a str) -> BoxFuture<'a, Result<(), DnsError>> {
        Box::pin(async move {
            let name = self.within(name)?;
            let mut texts = self.texts(&name).await;
            texts.push(RData::TXT(TXT::new(vec![value.to_owned()])));
            self.set(&name, RecordType::TXT, TXT_TTL, texts).await;
            Ok(())
        })
    }

    fn remove_txt<'a>(
        &'a self,
        name: &'a str,
        value: &'a str,
    ) -> BoxFuture<'a, Result<(), DnsError>> {
        Box::pin(async move {
            let name = self.within(name)?;
            let gone = RData::TXT(TXT::new(vec![value.to_owned()]));
            let mut texts = self.texts(&name).await;
            texts.retain(|text| *text != gone);
            self.set(&name, RecordType::TXT, TXT_TTL, texts).await;
            Ok(())
        })
    }
}

/// Ports tried for one that is free for both.
const PORT_TRIES: usize = 16;

/// UDP and TCP on the same port.
async fn bind_both(address: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    for attempt in 1.. {
        let tcp = TcpListener::bind(address).await?;
        match UdpSocket::bind(tcp.local_addr()?).await {
            Ok(udp) => return Ok((udp, tcp)),
            Err(_) if address.port() == 0 && attempt < PORT_TRIES => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}

pub(super) fn absolute(name: &str) -> io::Result<Name> {
    let mut name = Name::from_ascii(name).map_err(io::Error::other)?;
    name.set_fqdn(true);
    Ok(name)
}

fn zone_records(origin: &Name, ns: &[IpAddr]) -> io::Result<BTreeMap<RrKey, RecordSet>> {
    let host = Name::from_ascii("ns").and_then(|host| host.append_domain(origin));
    let host = host.map_err(io::Error::other)?;
    // Seconds, so that a server that starts again goes on with a later one.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut sets = vec![
        soa_set(origin, now as u32),
        RecordSet::from(Record::from_rdata(origin.clone(), ZONE_TTL, RData::NS(NS(host.clone())))),
    ];
    for kind in [RecordType::A, RecordType::AAAA] {
        let mut set = RecordSet::with_ttl(host.clone(), kind, ZONE_TTL);
        for address in ns.iter().filter(|address| address.is_ipv4() == (kind == RecordType::A)) {
            set.add_rdata(RData::from(*address));
        }
        if !set.is_empty() {
            sets.push(set);
        }
    }
    let keyed = |set: RecordSet| (RrKey::new(LowerName::new(set.name()), set.record_type()), set);
    Ok(sets.into_iter().map(keyed).collect())
}

fn soa_set(origin: &Name, serial: u32) -> RecordSet {
    let within = |label: &str| {
        let host = Name::from_ascii(label).and_then(|host| host.append_domain(origin));
        host.unwrap_or_else(|_| origin.clone())
    };
    let (refresh, retry, expire) = (3600, 600, 7 * 24 * 3600);
    let soa =
        SOA::new(within("ns"), within("hostmaster"), serial, refresh, retry, expire, NEGATIVE_TTL);
    RecordSet::from(Record::from_rdata(origin.clone(), ZONE_TTL, RData::SOA(soa)))
}
