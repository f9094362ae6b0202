// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the world answers to a name: whether it points where it should, and how long an old answer lives on.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use futures_util::future::join_all;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use super::exchange::{self, ExchangeError};
use super::records;
use crate::name::DnsName;

/// Where the system's resolvers are written.
pub const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Resolvers that are asked; more are left out.
pub const MAX_RESOLVERS: usize = 16;

/// Aliases that one answer may lead through.
const MAX_ALIASES: usize = 16;

/// The port of DNS.
const PORT: u16 = 53;

/// Asks each of `resolvers` for the addresses of `name`, all at a time.
pub async fn check(name: &DnsName, expected: &[IpAddr], resolvers: &[SocketAddr]) -> Report {
    let expected: BTreeSet<IpAddr> = expected.iter().map(IpAddr::to_canonical).collect();
    let asked = resolvers.iter().take(MAX_RESOLVERS).map(|&server| ask(name, server, &expected));
    let answers = join_all(asked).await;
    Report {
        name: name.clone(),
        expected: expected.into_iter().collect(),
        matches: !answers.is_empty() && answers.iter().all(|answer| answer.matches),
        answers,
    }
}

/// The resolvers of this system, by [`RESOLV_CONF`]; the local one where it names none, as the C library has it.
pub fn system_resolvers() -> Vec<SocketAddr> {
    resolvers_in(&fs::read_to_string(RESOLV_CONF).unwrap_or_default())
}

/// The `nameserver` lines of a `resolv.conf`.
fn resolvers_in(text: &str) -> Vec<SocketAddr> {
    let named = text.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let address = words.next().filter(|word| *word == "nameserver").and(words.next())?;
        address.parse().ok().map(|address: IpAddr| SocketAddr::from((address, PORT)))
    });
    let mut resolvers: Vec<_> = named.take(MAX_RESOLVERS).collect();
    if resolvers.is_empty() {
        resolvers.push((Ipv4Addr::LOCALHOST, PORT).into());
    }
    resolvers
}

/// What all resolvers answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The name that was asked for.
    #[schema(value_type = String)]
    pub name: DnsName,
    /// Where it should point, in order.
    #[schema(value_type = Vec<String>)]
    pub expected: Vec<IpAddr>,
    /// An answer of each resolver.
    pub answers: Vec<Answer>,
    /// Whether all of them are as expected.
    pub matches: bool,
}

/// One line for each answer.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.answers.is_empty() {
            return write!(f, "no resolver was asked for {}", self.name);
        }
        for (index, answer) in self.answers.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            answer.describe(&self.name, f)?;
            if !answer.matches {
                write!(f, "; expected {}", listed(&self.expected))?;
            }
        }
        Ok(())
    }
}

/// What one resolver answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The resolver.
    #[schema(value_type = String)]
    pub server: SocketAddr,
    /// Where it says that the name points, in order.
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<IpAddr>,
    /// The name that ours is an alias of in the end, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cname: Option<String>,
    /// How long this resolver goes on answering so, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u32>,
    /// Why there is no address, or not both kinds of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Trouble>,
    /// Whether these are the expected addresses, all of them and no others.
    pub matches: bool,
}

impl Answer {
    fn describe(&self, name: &DnsName, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = self.server;
        if self.addresses.is_empty() {
            let trouble = self.error.unwrap_or(Trouble::NoAddress);
            write!(f, "{name} has no address at {server}: {trouble}")?;
        } else {
            write!(f, "{name} points at {} at {server}", listed(&self.addresses))?;
        }
        let verdict = if self.matches { "as expected" } else { "old" };
        if let Some(ttl) = self.ttl_seconds {
            write!(f, " ({verdict}, {ttl} s left)")?;
        }
        if let Some(cname) = &self.cname {
            write!(f, ", by its CNAME {cname}")?;
        }
        match self.error {
            Some(trouble) if !self.addresses.is_empty() => write!(f, ", but {trouble}"),
            _ => Ok(()),
        }
    }
}

/// Why a resolver gave no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Trouble {
    /// NXDOMAIN.
    #[error("the name does not exist (NXDOMAIN)")]
    NoSuchName,
    /// The name exists and has other records.
    #[error("the name has no A and no AAAA record")]
    NoAddress,
    /// Nothing came.
    #[error("the resolver did not answer in time")]
    Timeout,
    /// Nobody listens there, or there is no way.
    #[error("the resolver cannot be reached")]
    Unreachable,
    /// SERVFAIL: often the zone's own servers, or its DNSSEC.
    #[error("the resolver could not find out (SERVFAIL)")]
    ServerFailure,
    /// REFUSED.
    #[error("the resolver does not answer us (REFUSED)")]
    Refused,
    /// Something that cannot be understood.
    #[error("the resolver's answer makes no sense")]
    Malformed,
}

impl From<ExchangeError> for Trouble {
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::Silent => Self::Timeout,
            ExchangeError::Network(_) => Self::Unreachable,
            ExchangeError::Malformed => Self::Malformed,
        }
    }
}

/// Both kinds of addresses: clients take either.
async fn ask(name: &DnsName, server: SocketAddr, expected: &BTreeSet<IpAddr>) -> Answer {
    let kinds = [RecordType::A, RecordType::AAAA];
    let mut found = Found::default();
    let mut error = None;
    for result in join_all(kinds.map(|kind| ask_kind(name, server, kind))).await {
        match result {
            Ok(more) => found.add(more),
            Err(trouble) => error = error.or(Some(trouble)),
        }
    }
    if found.addresses.is_empty() {
        error = error.or(Some(Trouble::NoAddress));
    }
    Answer {
        server,
        matches: error.is_none() && found.addresses == *expected,
        addresses: found.addresses.into_iter().collect(),
        cname: found.alias,
        ttl_seconds: found.ttl_seconds,
        error,
    }
}

async fn ask_kind(name: &DnsName, server: SocketAddr, kind: RecordType) -> Result<Found, Trouble> {
    let name = records::absolute(name.as_str()).ok_or(Trouble::Malformed)?;
    let response = exchange::query(server, name.clone(), kind, true).await?;
    match response.response_code {
        ResponseCode::NoError => Ok(Found::follow(&response, name)),
        ResponseCode::NXDomain => Err(Trouble::NoSuchName),
        ResponseCode::ServFail => Err(Trouble::ServerFailure),
        ResponseCode::Refused => Err(Trouble::Refused),
        _ => Err(Trouble::Malformed),
    }
}

/// What an answer says of a name.
#[derive(Default)]
struct Found {
    addresses: BTreeSet<IpAddr>,
    alias: Option<String>,
    ttl_seconds: Option<u32>,
}

impl Found {
    /// Goes from alias to alias as far as the answer itself leads.
    fn follow(response: &Message, mut name: Name) -> Self {
        let mut found = Self::default();
        for _ in 0..MAX_ALIASES {
            let alias =
                response.answers.iter().filter(|record| record.name == name).find_map(|record| {
                    match &record.data {
                        RData::CNAME(target) => Some((target.0.clone(), record.ttl)),
                        _ => None,
                    }
                });
            let Some((target, ttl)) = alias else { break };
            found.alias = Some(target.to_ascii().trim_end_matches('.').to_owned());
            found.lives(ttl);
            name = target;
        }
        for record in response.answers.iter().filter(|record| record.name == name) {
            if let Some(address) = records::address_in(&record.data) {
                found.addresses.insert(address);
                found.lives(record.ttl);
            }
        }
        found
    }

    fn add(&mut self, more: Self) {
        self.addresses.extend(more.addresses);
        self.alias = self.alias.take().or(more.alias);
        if let Some(ttl) = more.ttl_seconds {
            self.lives(ttl);
        }
    }

    /// An answer lives as long as the shortest of its records.
    fn lives(&mut self, ttl_seconds: u32) {
        self.ttl_seconds = Some(self.ttl_seconds.map_or(ttl_seconds, |ttl| ttl.min(ttl_seconds)));
    }
}

fn listed(addresses: &[IpAddr]) -> String {
    if addresses.is_empty() {
        return "no address".to_owned();
    }
    addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolvers_are_those_of_the_file() {
        let text = "# nameserver 1.1.1.1\nsearch example\nnameserver 10.0.0.1\nnameserver  fe80::1%2\n\
                    nameserver 2001:db8::1 # second\noptions edns0\n";
        let expected: [SocketAddr; 2] =
            ["10.0.0.1:53".parse().unwrap(), "[2001:db8::1]:53".parse().unwrap()];
        assert_eq!(resolvers_in(text), expected);
        assert_eq!(resolvers_in("nameserver\n"), ["127.0.0.1:53".parse().unwrap()]);
    }

    #[test]
    fn a_report_reads_as_documented() {
        let name = DnsName::parse("a.example.com").unwrap();
        let answer = Answer {
            server: "127.0.0.1:53".parse().unwrap(),
            addresses: vec!["203.0.113.7".parse().unwrap()],
            cname: None,
            ttl_seconds: Some(212),
            error: None,
            matches: false,
        };
        let expected = vec!["198.51.100.1".parse().unwrap()];
        let report = Report { name, expected, answers: vec![answer], matches: false };
        assert_eq!(
            report.to_string(),
            "a.example.com points at 203.0.113.7 at 127.0.0.1:53 (old, 212 s left); expected \
             198.51.100.1"
        );
        let json = serde_json::json!({
            "name": "a.example.com",
            "expected": ["198.51.100.1"],
            "answers": [{
                "server": "127.0.0.1:53",
                "addresses": ["203.0.113.7"],
                "ttlSeconds": 212,
                "matches": false,
            }],
            "matches": false,
        });
        assert_eq!(serde_json::to_value(&report).unwrap(), json);
    }
}
