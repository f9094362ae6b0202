// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the embedded server answers: a request's octets in, a response's out, without sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::ops::Bound;

use hickory_proto::op::{
    Edns, Header, Message, MessageType, Metadata, OpCode, Query, ResponseCode,
};
use hickory_proto::rr::rdata::{NS, SOA};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder, BinEncodable, BinEncoder};

use super::records;

/// Longest response over UDP without EDNS, in octets (RFC 1035, section 4.2.1).
const PLAIN_UDP_OCTETS: u16 = 512;

/// Longest response over UDP at all, in octets: what passes most networks in one piece.
const MAX_UDP_OCTETS: u16 = 1232;

/// Seconds between two looks of a secondary, and until one that gets no answer stops serving. There are none, for
/// zone transfers are refused; RFC 1912, section 2.2, wants sensible values all the same.
const REFRESH_SECONDS: i32 = 3600;
const RETRY_SECONDS: i32 = 600;
const EXPIRE_SECONDS: i32 = 604_800;

/// How a request came, which bounds its response.
#[derive(Debug, Clone, Copy)]
pub(super) enum Transport {
    Udp,
    Tcp,
}

/// The records of one zone.
#[derive(Debug)]
pub(super) struct Zone {
    origin: Name,
    name_server: Name,
    ttl_seconds: u32,
    serial: u32,
    names: BTreeMap<Name, Node>,
}

/// The records at one name; a node without any is not kept.
#[derive(Debug, Default)]
struct Node {
    addresses: BTreeSet<IpAddr>,
    texts: BTreeSet<String>,
}

impl Zone {
    /// A zone that has nothing but its SOA and NS records.
    pub(super) fn new(origin: Name, name_server: Name, ttl_seconds: u32, serial: u32) -> Self {
        Self { origin, name_server, ttl_seconds, serial, names: BTreeMap::new() }
    }

    /// Puts `addresses` in the place of those at `name`; none takes them away.
    pub(super) fn set_addresses(&mut self, name: &Name, addresses: &[IpAddr]) {
        let addresses = addresses.iter().map(IpAddr::to_canonical).collect();
        self.change(name, |node| {
            let differ = node.addresses != addresses;
            node.addresses = addresses;
            differ
        });
    }

    /// Adds a TXT record beside those that are there.
    pub(super) fn add_text(&mut self, name: &Name, value: &str) {
        self.change(name, |node| node.texts.insert(value.to_owned()));
    }

    /// Takes a TXT record away.
    pub(super) fn remove_text(&mut self, name: &Name, value: &str) {
        self.change(name, |node| node.texts.remove(value));
    }

    /// Raises the serial if `edit` says that it changed something (RFC 1982).
    fn change(&mut self, name: &Name, edit: impl FnOnce(&mut Node) -> bool) {
        let node = self.names.entry(name.clone()).or_default();
        if edit(node) {
            self.serial = self.serial.wrapping_add(1);
        }
        if node.addresses.is_empty() && node.texts.is_empty() {
            self.names.remove(name);
        }
    }

    /// The response to `request`; none to what is no request, lest two servers answer each other for ever.
    pub(super) fn respond(&self, request: &[u8], transport: Transport) -> Option<Vec<u8>> {
        let header = Header::read(&mut BinDecoder::new(request)).ok()?;
        if header.message_type == MessageType::Response {
            return None;
        }
        let mut response = Message::new(header.id, MessageType::Response, header.op_code);
        response.metadata = Metadata::response_from_request(&header.metadata);
        let mut octets = PLAIN_UDP_OCTETS;
        match read(request, &header) {
            Err(code) => response.metadata.response_code = code,
            Ok((query, edns)) => {
                self.answer(&query, &mut response);
                response.add_query(query);
                if let Some(edns) = edns {
                    octets = edns.max_payload().clamp(PLAIN_UDP_OCTETS, MAX_UDP_OCTETS);
                    add_edns(&edns, &mut response);
                }
            }
        }
        encode(
            &response,
            match transport {
                Transport::Udp => octets,
                Transport::Tcp => u16::MAX,
            },
        )
    }

    fn answer(&self, query: &Query, response: &mut Message) {
        let transfer = matches!(query.query_type, RecordType::AXFR | RecordType::IXFR);
        if transfer || query.query_class != DNSClass::IN || !self.origin.zone_of(&query.name) {
            response.metadata.response_code = ResponseCode::Refused;
            return;
        }
        response.metadata.authoritative = true;
        let mut records = self.records(&query.name);
        let wanted = match query.query_type {
            // RFC 8482, section 4.1: one of the sets is enough, and small.
            RecordType::ANY => records.first().map_or(RecordType::ANY, Record::record_type),
            wanted => wanted,
        };
        records.retain(|record| record.record_type() == wanted);
        if records.is_empty() {
            // RFC 2308, section 3: the SOA tells how long this may be remembered.
            response.add_authority(self.start_of_authority(self.origin.clone()));
            if !self.exists(&query.name) {
                response.metadata.response_code = ResponseCode::NXDomain;
            }
        }
        response.add_answers(records);
    }

    /// A name exists when it or a name below it has records (RFC 8020). The map's order is the canonical one: the
    /// names below another follow it at once.
    fn exists(&self, name: &Name) -> bool {
        let from_here = (Bound::Included(name), Bound::Unbounded);
        *name == self.origin
            || self.names.range(from_here).next().is_some_and(|(next, _)| name.zone_of(next))
    }

    /// All records at a name, which is written as it was asked for.
    fn records(&self, name: &Name) -> Vec<Record> {
        let mut records = Vec::new();
        if *name == self.origin {
            let name_server = RData::NS(NS(self.name_server.clone()));
            records.push(self.start_of_authority(name.clone()));
            records.push(Record::from_rdata(name.clone(), self.ttl_seconds, name_server));
        }
        if let Some(node) = self.names.get(name) {
            let addresses = node.addresses.iter();
            records.extend(addresses.map(|&a| records::address(name.clone(), self.ttl_seconds, a)));
            let texts = node.texts.iter();
            records.extend(texts.map(|text| records::text(name.clone(), text)));
        }
        records
    }

    fn start_of_authority(&self, name: Name) -> Record {
        let mailbox = Name::from_ascii("hostmaster")
            .and_then(|label| label.append_domain(&self.origin))
            .unwrap_or_else(|_| self.origin.clone());
        let soa = SOA::new(
            self.name_server.clone(),
            mailbox,
            self.serial,
            REFRESH_SECONDS,
            RETRY_SECONDS,
            EXPIRE_SECONDS,
            self.ttl_seconds,
        );
        Record::from_rdata(name, self.ttl_seconds, RData::SOA(soa))
    }
}

/// The one question of a request, and its EDNS.
fn read(request: &[u8], header: &Header) -> Result<(Query, Option<Edns>), ResponseCode> {
    if header.op_code != OpCode::Query {
        return Err(ResponseCode::NotImp);
    }
    // Before anything is read: the count would be believed when memory is taken.
    if header.counts.queries != 1 {
        return Err(ResponseCode::FormErr);
    }
    let mut message = Message::from_vec(request).map_err(|_| ResponseCode::FormErr)?;
    let query = message.queries.pop().ok_or(ResponseCode::FormErr)?;
    Ok((query, message.edns))
}

/// RFC 6891, sections 6.1.1 and 6.1.3: EDNS is answered with EDNS, and a later version with BADVERS.
fn add_edns(asked: &Edns, response: &mut Message) {
    let mut edns = Edns::new();
    edns.set_max_payload(MAX_UDP_OCTETS).set_version(0);
    response.set_edns(edns);
    if asked.version() > 0 {
        response.metadata.response_code = ResponseCode::BADVERS;
        response.metadata.authoritative = false;
        response.answers.clear();
        response.authorities.clear();
    }
}

/// The message in at most `octets`, with TC set where that took records away.
fn encode(response: &Message, octets: u16) -> Option<Vec<u8>> {
    let mut message = Vec::with_capacity(usize::from(PLAIN_UDP_OCTETS));
    let mut encoder = BinEncoder::new(&mut message);
    encoder.set_max_size(octets);
    response.emit(&mut encoder).ok()?;
    Some(message)
}
