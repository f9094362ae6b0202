// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Names published on a real DNS server, such as knot or BIND, by signed updates (RFC 2136, RFC 8945).
//!
//! Each change is one message, which the server makes whole or not at all, under conditions that the server checks;
//! nothing is read first and changed afterwards. The records at a name are ours when this process has published
//! them, or when they are the very ones that are to be published; whoever knows of others from an earlier run asks
//! to overwrite them.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::{BoxFuture, FutureExt};
use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::tsig::TsigError;
use hickory_proto::rr::{DNSClass, Name, Record, RecordType, TSigVerifier};
use tokio::time::{sleep, timeout};
use tracing::debug;

use super::embedded::DEFAULT_TTL_SECONDS;
use super::exchange::{self, ExchangeError};
use super::records::{self, OwnZone};
use super::tsig::{FUDGE_SECONDS, TsigKey};
use super::{Dns, DnsError};
use crate::name::DnsName;

/// Times that an update is sent to a server that cannot be reached.
const ATTEMPTS: usize = 3;

/// Rest between two of them, and between two looks whether a record is there.
const PAUSE: Duration = Duration::from_millis(250);

/// How long one server is given to answer with a record that it has accepted.
const SEEN_WAIT: Duration = Duration::from_secs(30);

/// A zone on a server that takes updates signed with a key.
#[derive(Debug)]
pub struct UpdateDns {
    zone: OwnZone,
    server: SocketAddr,
    secondaries: Vec<SocketAddr>,
    key: TsigKey,
    ttl_seconds: u32,
    published: Mutex<BTreeMap<Name, BTreeSet<IpAddr>>>,
}

impl UpdateDns {
    /// Changes `zone` on its primary server. Nothing is sent as yet.
    ///
    /// # Errors
    ///
    /// [`DnsError::OutsideZone`] when the zone's name cannot be one.
    pub fn new(zone: DnsName, server: SocketAddr, key: TsigKey) -> Result<Self, DnsError> {
        Ok(Self {
            zone: OwnZone::new(zone)?,
            server,
            secondaries: Vec::new(),
            key,
            ttl_seconds: DEFAULT_TTL_SECONDS,
            published: Mutex::default(),
        })
    }

    /// How long resolvers may remember what is published, in seconds; 60 by default.
    #[must_use]
    pub fn with_ttl_seconds(mut self, ttl_seconds: u32) -> Self {
        self.ttl_seconds = ttl_seconds;
        self
    }

    /// Other servers of the zone, that [`Dns::add_txt`] waits for too: an authority may ask any of them.
    #[must_use]
    pub fn with_secondaries(mut self, secondaries: Vec<SocketAddr>) -> Self {
        self.secondaries = secondaries;
        self
    }

    async fn publish(
        &self,
        name: &DnsName,
        addresses: &[IpAddr],
        overwrite: bool,
    ) -> Result<(), DnsError> {
        let owner = self.zone.within(name.as_str())?;
        let wanted: BTreeSet<IpAddr> = addresses.iter().map(IpAddr::to_canonical).collect();
        let mut updates = removal(&owner, &[RecordType::A, RecordType::AAAA]);
        if overwrite {
            // An address beside a CNAME would be passed over in silence (RFC 2136, section 3.4.2.2).
            updates.extend(removal(&owner, &[RecordType::CNAME]));
        }
        updates
            .extend(wanted.iter().map(|&a| records::address(owner.clone(), self.ttl_seconds, a)));
        for condition in self.conditions(&owner, &wanted, overwrite) {
            if self.send(&owner, &condition, &updates).await? == Outcome::Made {
                self.published().insert(owner, wanted);
                return Ok(());
            }
        }
        Err(DnsError::Taken { name: name.to_string() })
    }

    /// What may be at a name that is published: one of these, tried in turn.
    fn conditions(
        &self,
        owner: &Name,
        wanted: &BTreeSet<IpAddr>,
        overwrite: bool,
    ) -> Vec<Vec<Record>> {
        if overwrite {
            return vec![Vec::new()];
        }
        let ours = self.published().get(owner).map(|addresses| exactly(owner, addresses));
        let free = absence(owner, &[RecordType::A, RecordType::AAAA, RecordType::CNAME]);
        ours.into_iter().chain([free, exactly(owner, wanted)]).collect()
    }

    async fn withdraw(&self, name: &DnsName) -> Result<(), DnsError> {
        let owner = self.zone.within(name.as_str())?;
        self.send(&owner, &[], &removal(&owner, &[RecordType::A, RecordType::AAAA])).await?;
        self.published().remove(&owner);
        Ok(())
    }

    async fn add_txt(&self, name: &str, value: &str) -> Result<(), DnsError> {
        let owner = self.zone.within(name)?;
        let record = records::text(owner.clone(), value);
        self.send(&owner, &[], std::slice::from_ref(&record)).await?;
        for &server in iter::once(&self.server).chain(&self.secondaries) {
            self.wait_for(server, &record).await?;
        }
        Ok(())
    }

    async fn remove_txt(&self, name: &str, value: &str) -> Result<(), DnsError> {
        let owner = self.zone.within(name)?;
        let mut record = records::text(owner.clone(), value);
        record.ttl = 0;
        record.dns_class = DNSClass::NONE;
        self.send(&owner, &[], &[record]).await?;
        Ok(())
    }

    fn published(&self) -> MutexGuard<'_, BTreeMap<Name, BTreeSet<IpAddr>>> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends one update until there is a response.
    async fn send(
        &self,
        owner: &Name,
        prerequisites: &[Record],
        updates: &[Record],
    ) -> Result<Outcome, DnsError> {
        let mut failure = ExchangeError::Silent;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                sleep(PAUSE).await;
            }
            match self.attempt(prerequisites, updates).await {
                Ok(response) => return self.outcome(owner, &response),
                Err(error) => failure = error,
            }
            debug!(server = %self.server, %failure, "a DNS update was not answered");
        }
        Err(DnsError::Unreachable {
            server: self.server.to_string(),
            why: format!("{failure}; updates go to its TCP port"),
        })
    }

    /// TCP: an update is too dear to be lost or sent twice.
    async fn attempt(
        &self,
        prerequisites: &[Record],
        updates: &[Record],
    ) -> Result<Response, ExchangeError> {
        let mut zone = Query::new();
        zone.set_name(self.zone.origin.clone()).set_query_type(RecordType::SOA);
        let mut request = Message::query();
        request.metadata.op_code = OpCode::Update;
        request.metadata.recursion_desired = false;
        request.add_query(zone);
        request.add_answers(prerequisites.iter().cloned());
        request.add_authorities(updates.iter().cloned());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let verifier = request
            .finalize(self.key.signer(), now)
            .map_err(|_| ExchangeError::Malformed)?
            .ok_or(ExchangeError::Malformed)?;
        let octets = request.to_vec().map_err(|_| ExchangeError::Malformed)?;
        let octets = exchange::over_tcp(self.server, &octets).await?;
        let message = Message::from_vec(&octets).map_err(|_| ExchangeError::Malformed)?;
        if message.id != request.id || message.message_type != MessageType::Response {
            return Err(ExchangeError::Malformed);
        }
        Ok(Response { signed: is_signed(&message, &octets, verifier), message })
    }

    fn outcome(&self, owner: &Name, response: &Response) -> Result<Outcome, DnsError> {
        let outcome = match response.message.response_code {
            ResponseCode::NoError => Outcome::Made,
            ResponseCode::YXDomain
            | ResponseCode::YXRRSet
            | ResponseCode::NXDomain
            | ResponseCode::NXRRSet => Outcome::Unmet,
            code => {
                return Err(DnsError::Refused {
                    server: self.server.to_string(),
                    name: shown(owner),
                    code: self.meaning(code, &response.message),
                });
            }
        };
        if response.signed {
            return Ok(outcome);
        }
        Err(unconfirmed(
            self.server,
            owner,
            "its response is not signed with our key: look who answers at that address".to_owned(),
        ))
    }

    /// A refusal and its mend. It is believed without a signature, as a server that does not know the key has none.
    fn meaning(&self, code: ResponseCode, response: &Message) -> String {
        let (key, zone) = (&self.key, &self.zone.name);
        let error = response.signature().and_then(|signature| signature.data.error.as_ref());
        match (code, error) {
            // Knot says the same of a key that it knows and that has no right to update the zone.
            (ResponseCode::NotAuth, Some(TsigError::BadKey)) => format!(
                "BADKEY: it does not know the key {key}, or not for this; add it there, with this \
                 algorithm, and allow it to update the zone"
            ),
            (ResponseCode::NotAuth, Some(TsigError::BadSig)) => {
                format!("BADSIG: its secret of the key {key} is another; copy it from there again")
            }
            (ResponseCode::NotAuth, Some(TsigError::BadTime)) => format!(
                "BADTIME: its clock and ours differ by more than {FUDGE_SECONDS} s; set both by NTP"
            ),
            (ResponseCode::NotAuth, _) => {
                format!(
                    "NOTAUTH: it is not the primary server of the zone {zone}; name the primary"
                )
            }
            (ResponseCode::Refused, _) => format!(
                "REFUSED: the key {key} may not update this name; allow it in the server's rules \
                 for updates"
            ),
            (ResponseCode::NotZone, _) => {
                format!("NOTZONE: the name is in another zone there than {zone}; name that zone")
            }
            (ResponseCode::ServFail, _) => {
                "SERVFAIL: it could not make the change; its log tells why".to_owned()
            }
            (ResponseCode::NotImp, _) => "NOTIMP: it takes no updates; enable them".to_owned(),
            (code, _) => format!("{code}; its log tells why"),
        }
    }

    /// Asks `server` until it answers with `record`.
    async fn wait_for(&self, server: SocketAddr, record: &Record) -> Result<(), DnsError> {
        let mut last = "it did not answer".to_owned();
        let look = async {
            loop {
                let asked = exchange::query(server, record.name.clone(), RecordType::TXT, false);
                match asked.await {
                    Ok(response) if response.answers.iter().any(|a| a.data == record.data) => {
                        return;
                    }
                    Ok(response) => last = absent(&response),
                    Err(error) => last = error.to_string(),
                }
                sleep(PAUSE).await;
            }
        };
        let seen = timeout(SEEN_WAIT, look).await;
        seen.map_err(|_| {
            let waited = SEEN_WAIT.as_secs();
            let why = format!("the record is not there after {waited} s: {last}");
            unconfirmed(server, &record.name, why)
        })
    }
}

impl Dns for UpdateDns {
    fn zone(&self) -> &DnsName {
        &self.zone.name
    }

    fn publish<'a>(
        &'a self,
        name: &'a DnsName,
        addresses: &'a [IpAddr],
        overwrite: bool,
    ) -> BoxFuture<'a, Result<(), DnsError>> {
        self.publish(name, addresses, overwrite).boxed()
    }

    fn withdraw<'a>(&'a self, name: &'a DnsName) -> BoxFuture<'a, Result<(), DnsError>> {
        self.withdraw(name).boxed()
    }

    fn add_txt<'a>(&'a self, name: &'a str, value: &'a str) -> BoxFuture<'a, Result<(), DnsError>> {
        self.add_txt(name, value).boxed()
    }

    fn remove_txt<'a>(
        &'a self,
        name: &'a str,
        value: &'a str,
    ) -> BoxFuture<'a, Result<(), DnsError>> {
        self.remove_txt(name, value).boxed()
    }
}

/// What came of an update that the server understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It is made.
    Made,
    /// A prerequisite does not hold, so nothing was changed.
    Unmet,
}

/// A response, and whether it has the signature of our key over our request.
struct Response {
    message: Message,
    signed: bool,
}

fn is_signed(response: &Message, octets: &[u8], mut verifier: TSigVerifier) -> bool {
    // The verifier takes the one from the other, and a clock at 1970 would make that overflow.
    let datable = |time: u64, fudge: u16| time >= u64::from(fudge);
    response.signature().is_some_and(|record| datable(record.data.time, record.data.fudge))
        && verifier.verify(octets).is_ok()
}

/// No records of these types (RFC 2136, section 2.4.3).
fn absence(owner: &Name, types: &[RecordType]) -> Vec<Record> {
    types.iter().map(|&kind| empty(owner, kind, DNSClass::NONE)).collect()
}

/// These addresses and no others (RFC 2136, section 2.4.2).
fn exactly(owner: &Name, addresses: &BTreeSet<IpAddr>) -> Vec<Record> {
    let mut prerequisites = absence(owner, &[RecordType::CNAME]);
    if !addresses.iter().any(IpAddr::is_ipv4) {
        prerequisites.extend(absence(owner, &[RecordType::A]));
    }
    if !addresses.iter().any(IpAddr::is_ipv6) {
        prerequisites.extend(absence(owner, &[RecordType::AAAA]));
    }
    prerequisites.extend(addresses.iter().map(|&a| records::address(owner.clone(), 0, a)));
    prerequisites
}

/// Takes all records of these types away (RFC 2136, section 2.5.2).
fn removal(owner: &Name, types: &[RecordType]) -> Vec<Record> {
    types.iter().map(|&kind| empty(owner, kind, DNSClass::ANY)).collect()
}

fn empty(owner: &Name, kind: RecordType, class: DNSClass) -> Record {
    let mut record = Record::update0(owner.clone(), 0, kind);
    record.dns_class = class;
    record
}

/// Why a response that lacks the record may lack it.
fn absent(response: &Message) -> String {
    let is_alias = |record: &Record| record.record_type() == RecordType::CNAME;
    if response.answers.iter().any(is_alias) {
        return "the name has a CNAME, beside which nothing is added; remove it".to_owned();
    }
    format!("it answers {}", response.response_code)
}

fn unconfirmed(server: SocketAddr, owner: &Name, why: String) -> DnsError {
    DnsError::Unconfirmed { server: server.to_string(), name: shown(owner), why }
}

/// A name as people write it, without the final dot.
fn shown(name: &Name) -> String {
    let text = name.to_ascii();
    text.strip_suffix('.').map_or_else(|| text.clone(), str::to_owned)
}
