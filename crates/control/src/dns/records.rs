// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Names and records as messages carry them.

use std::net::IpAddr;

use hickory_proto::rr::rdata::TXT;
use hickory_proto::rr::{Name, RData, Record};

use super::DnsError;
use crate::name::DnsName;

/// Longest character string of a TXT record, in octets (RFC 1035, section 3.3); longer texts are several of them.
const MAX_CHARACTER_STRING: usize = 255;

/// How long a TXT record may be remembered, in seconds: a challenge's is asked for once, and the next has another value.
const TEXT_TTL_SECONDS: u32 = 1;

/// The zone whose records are ours, and its name in messages.
#[derive(Debug, Clone)]
pub(super) struct OwnZone {
    pub(super) name: DnsName,
    pub(super) origin: Name,
}

impl OwnZone {
    pub(super) fn new(name: DnsName) -> Result<Self, DnsError> {
        let origin = absolute(name.as_str()).ok_or_else(|| DnsError::OutsideZone {
            name: name.to_string(),
            zone: name.to_string(),
        })?;
        Ok(Self { name, origin })
    }

    /// A name of the zone; it may have labels that only DNS has, such as `_acme-challenge`.
    pub(super) fn within(&self, text: &str) -> Result<Name, DnsError> {
        absolute(text).filter(|name| self.origin.zone_of(name)).ok_or_else(|| {
            DnsError::OutsideZone { name: text.to_owned(), zone: self.name.to_string() }
        })
    }
}

/// `text` as a fully qualified name, if it can be one.
pub(super) fn absolute(text: &str) -> Option<Name> {
    let mut name = Name::from_ascii(text).ok()?;
    name.set_fqdn(true);
    Some(name)
}

/// An A or AAAA record.
pub(super) fn address(name: Name, ttl_seconds: u32, address: IpAddr) -> Record {
    let data = match address.to_canonical() {
        IpAddr::V4(address) => RData::A(address.into()),
        IpAddr::V6(address) => RData::AAAA(address.into()),
    };
    Record::from_rdata(name, ttl_seconds, data)
}

/// What [`address`] made a record of.
pub(super) fn address_in(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    }
}

/// A TXT record.
pub(super) fn text(name: Name, value: &str) -> Record {
    let strings = value.as_bytes().chunks(MAX_CHARACTER_STRING).collect();
    Record::from_rdata(name, TEXT_TTL_SECONDS, RData::TXT(TXT::from_bytes(strings)))
}
