// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the world is answered for a name, and how long an old answer lasts.

use std::fs;
use std::net::{IpAddr, SocketAddr};

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{RData, RecordType};
use serde::Serialize;
use utoipa::ToSchema;

use super::embedded::absolute;
use super::exchange;
use crate::name::DnsName;

/// Where the system's resolvers are named.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Resolvers that are asked.
const MAX_RESOLVERS: usize = 4;

const DNS_PORT: u16 = 53;

/// What was answered for a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Report {
    /// The name.
    pub name: String,
    /// Where it should point.
    #[schema(value_type = Vec<String>)]
    pub expected: Vec<IpAddr>,
    /// One for each resolver.
    pub answers: Vec<Answer>,
    /// Whether every resolver answers with what is expected.
    pub matches: bool,
}

/// What one resolver answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The resolver.
    #[schema(value_type = String)]
    pub server: SocketAddr,
    /// Where the name points.
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<IpAddr>,
    /// Seconds for which the resolver will go on answering so.
    pub ttl_seconds: u32,
    /// Why there is no address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Asks `resolvers` for the addresses of `name`.
pub async fn check(name: &DnsName, expected: &[IpAddr], resolvers: &[SocketAddr]) -> Report {
    let mut answers = Vec::with_capacity(resolvers.len());
    for server in resolvers {
        answers.push(ask(*server, name, expected).await);
    }
    let same = |answer: &Answer| {
        let among = |address: &IpAddr| expected.contains(address);
        !answer.addresses.is_empty() && answer.addresses.iter().all(among)
    };
    Report {
        name: name.to_string(),
        expected: expected.to_vec(),
        matches: !answers.is_empty() && answers.iter().all(same),
        answers,
    }
}

/// The system's resolvers (resolv.conf(5)).
pub fn system_resolvers() -> Vec<SocketAddr> {
    let text = fs::read_to_string(RESOLV_CONF).unwrap_or_default();
    let addresses = text.lines().filter_map(|line| {
        let address = line.trim().strip_prefix("nameserver")?.trim();
        // A zone index names an interface, which the parser does not take.
        address.split('%').next()?.parse::<IpAddr>().ok()
    });
    addresses.take(MAX_RESOLVERS).map(|address| SocketAddr::new(address, DNS_PORT)).collect()
}

async fn ask(server: SocketAddr, name: &DnsName, expected: &[IpAddr]) -> Answer {
    let mut answer = Answer { server, addresses: Vec::new(), ttl_seconds: 0, error: None };
    let mut kinds = vec![RecordType::A, RecordType::AAAA];
    kinds.retain(|kind| {
        let v4 = *kind == RecordType::A;
        expected.is_empty() || expected.iter().any(|address| address.is_ipv4() == v4)
    });
    for kind in kinds {
        match look(server, name, kind).await {
            Ok(found) => {
                for (address, ttl) in found {
                    answer.ttl_seconds = answer.ttl_seconds.max(ttl);
                    answer.addresses.push(address);
                }
            }
            Err(error) => answer.error = Some(error),
        }
    }
    if answer.addresses.is_empty() && answer.error.is_none() {
        answer.error = Some("the name has no address of this kind".to_owned());
    }
    answer
}

async fn look(
    server: SocketAddr,
    name: &DnsName,
    kind: RecordType,
) -> Result<Vec<(IpAddr, u32)>, String> {
    let name = absolute(name.as_str()).map_err(|error| error.to_string())?;
    let mut message = Message::query();
    message.add_query(Query::query(name, kind));
    let question = message.to_vec().map_err(|error| error.to_string())?;
    let answer = exchange::ask(server, &question).await;
    let answer = answer.map_err(|error| format!("no answer: {error}"))?;
    let answer = Message::from_vec(&answer).map_err(|_| "no DNS message came".to_owned())?;
    match answer.metadata.response_code {
        ResponseCode::NoError => {}
        ResponseCode::NXDomain => return Err("there is no such name (NXDOMAIN)".to_owned()),
        code => return Err(format!("the resolver failed: {code}")),
    }
    // Behind a CNAME the addresses come with it.
    let addresses = answer.answers.iter().filter_map(|record| match &record.data {
        RData::A(address) => Some((IpAddr::V4(address.0), record.ttl)),
        RData::AAAA(address) => Some((IpAddr::V6(address.0), record.ttl)),
        _ => None,
    });
    Ok(addresses.collect())
}
