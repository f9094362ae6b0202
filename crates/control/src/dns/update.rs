// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Updates of a zone on another server: RFC 2136, signed by TSIG (RFC 8945).

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::BoxFuture;
use hickory_proto::op::{Message, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::TXT;
use hickory_proto::rr::rdata::tsig::TsigAlgorithm;
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType, TSigner};
use thiserror::Error;

use super::embedded::absolute;
use super::{Dns, DnsError, exchange};
use crate::name::DnsName;

/// How long resolvers may keep an address, in seconds.
const ADDRESS_TTL: u32 = 60;

/// The values of challenges are asked for once.
const TXT_TTL: u32 = 1;

/// How far clocks may be apart, in seconds (RFC 8945, section 10).
const FUDGE_SECONDS: u16 = 300;

/// How often, and how long apart, the server is asked whether it answers with a new record.
const POLLS: usize = 40;
const POLL_PAUSE: Duration = Duration::from_millis(250);

/// A zone on another server, changed by signed updates.
pub struct UpdateDns {
    zone: DnsName,
    origin: Name,
    server: SocketAddr,
    signer: TSigner,
}

impl std::fmt::Debug for UpdateDns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpdateDns")
            .field("zone", &self.zone)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl UpdateDns {
    /// Changes `zone` at `server`, signed with the key in the file, which holds `name:algorithm:secret` (secret in
    /// base64), or a `key` clause as `tsig-keygen` and `keymgr -t` write it.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when the file does not hold such a key.
    pub fn new(zone: DnsName, server: SocketAddr, key_file: &Path) -> Result<Self, KeyError> {
        let unreadable = |source| KeyError::Read { path: key_file.to_owned(), source };
        let malformed = || KeyError::Malformed { path: key_file.to_owned() };
        let text = zeroize::Zeroizing::new(fs::read_to_string(key_file).map_err(unreadable)?);
        let (name, algorithm, secret) = key_parts(&text).ok_or_else(malformed)?;
        let algorithm = match algorithm.to_ascii_lowercase().as_str() {
            "hmac-sha256" => TsigAlgorithm::HmacSha256,
            "hmac-sha384" => TsigAlgorithm::HmacSha384,
            "hmac-sha512" => TsigAlgorithm::HmacSha512,
            other => return Err(KeyError::Algorithm { algorithm: other.to_owned() }),
        };
        let secret = data_encoding::BASE64.decode(secret.as_bytes()).map_err(|_| malformed())?;
        let name = absolute(name).map_err(|_| malformed())?;
        let origin = absolute(zone.as_str()).map_err(|_| malformed())?;
        let signer =
            TSigner::new(secret, algorithm, name, FUDGE_SECONDS).map_err(|_| malformed())?;
        Ok(Self { zone, origin, server, signer })
    }

    fn within(&self, name: &str) -> Result<Name, DnsError> {
        let absolute = absolute(name).ok().filter(|name| self.origin.zone_of(name));
        absolute.ok_or_else(|| DnsError::OutsideZone {
            name: name.to_owned(),
            zone: self.zone.to_string(),
        })
    }

    /// Sends a signed update; its changes happen all or none, and only if `absent` are not there.
    async fn update(
        &self,
        name: &Name,
        absent: Vec<Record>,
        changes: Vec<Record>,
    ) -> Result<(), DnsError> {
        let mut message = Message::query();
        message.metadata.op_code = OpCode::Update;
        message.metadata.recursion_desired = false;
        message.add_query(Query::query(self.origin.clone(), RecordType::SOA));
        message.add_answers(absent);
        message.add_authorities(changes);
        let unreachable =
            |why: String| DnsError::Unreachable { server: self.server.to_string(), why };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let signed = message.finalize(&self.signer, now);
        let mut verifier = signed.map_err(|error| unreachable(error.to_string()))?;
        let question = message.to_vec().map_err(|error| unreachable(error.to_string()))?;
        let answer = exchange::ask(self.server, &question).await;
        let answer = answer.map_err(|error| unreachable(error.to_string()))?;
        let code = Message::from_vec(&answer).map(|answer| answer.metadata.response_code);
        let code = code.map_err(|_| unreachable("its answer is no DNS message".to_owned()))?;
        if code == ResponseCode::NoError
            && let Some(verifier) = &mut verifier
            && verifier.verify(&answer).is_err()
        {
            return Err(unreachable("its answer is not signed with the key".to_owned()));
        }
        self.judge(name, code)
    }

    fn judge(&self, name: &Name, code: ResponseCode) -> Result<(), DnsError> {
        let mend = match code {
            ResponseCode::NoError => return Ok(()),
            ResponseCode::YXRRSet | ResponseCode::YXDomain => {
                return Err(DnsError::Taken { name: text(name) });
            }
            ResponseCode::NotAuth | ResponseCode::BADSIG | ResponseCode::BADKEY => {
                "it does not know the key, or not for this zone"
            }
            ResponseCode::BADTIME => "the clocks are more than five minutes apart",
            ResponseCode::Refused => "the key may not update the zone",
            ResponseCode::NotZone => "the name is not in the zone",
            _ => "see its log",
        };
        Err(DnsError::Refused {
            server: self.server.to_string(),
            name: text(name),
            code: format!("{code} ({mend})"),
        })
    }

    /// Records of `name` as the zone's server has them.
    async fn look(&self, name: &Name, kind: RecordType) -> Result<Vec<RData>, DnsError> {
        let unreachable =
            |why: String| DnsError::Unreachable { server: self.server.to_string(), why };
        let mut message = Message::query();
        message.metadata.recursion_desired = false;
        message.add_query(Query::query(name.clone(), kind));
        let question = message.to_vec().map_err(|error| unreachable(error.to_string()))?;
        let answer = exchange::ask(self.server, &question).await;
        let answer = answer.map_err(|error| unreachable(error.to_string()))?;
        let answer = Message::from_vec(&answer);
        let answer = answer.map_err(|_| unreachable("its answer is no DNS message".to_owned()))?;
        let found = answer.answers.into_iter().filter(|record| record.record_type() == kind);
        Ok(found.map(|record| record.data).collect())
    }

    /// Whether the name has exactly these addresses.
    async fn has(&self, name: &Name, addresses: &[IpAddr]) -> Result<bool, DnsError> {
        let mut found = self.look(name, RecordType::A).await?;
        found.extend(self.look(name, RecordType::AAAA).await?);
        let wanted: Vec<RData> = addresses.iter().map(|address| RData::from(*address)).collect();
        Ok(found.len() == wanted.len() && wanted.iter().all(|one| found.contains(one)))
    }
}

impl Dns for UpdateDns {
    fn zone(&self) -> &DnsName {
        &self.zone
    }

    /// A name that has these addresses already counts as ours.
    fn publish<'a>(
        &'a self,
        name: &'a DnsName,
        addresses: &'a [IpAddr],
        overwrite: bool,
    ) -> BoxFuture<'a, Result<(), DnsError>> {
        Box::pin(async move {
            let name = self.within(name.as_str())?;
            let both = [RecordType::A, RecordType::AAAA];
            let absent = if overwrite || self.has(&name, addresses).await? {
                Vec::new()
            } else {
                both.map(|kind| marker(&name, kind, DNSClass::NONE)).to_vec()
            };
            let mut changes = both.map(|kind| marker(&name, kind, DNSClass::ANY)).to_vec();
            changes.extend(addresses.iter().map(|address| {
                Record::from_rdata(name.clone(), ADDRESS_TTL, RData::from(*address))
            }));
            self.update(&name, absent, changes).await
        })
    }

    fn withdraw<'a>(&'a self, name: &'a DnsName) -> BoxFuture<'a, Result<(), DnsError>> {
        Box::pin(async move {
            let name = self.within(name.as_str())?;
            let both = [RecordType::A, RecordType::AAAA];
            let changes = both.map(|kind| marker(&name, kind, DNSClass::ANY)).to_vec();
            self.update(&name, Vec::new(), changes).await
        })
    }

    fn add_txt<'a>(&'a self, name: &'a str, value: &'a str) -> BoxFuture<'a, Result<(), DnsError>> {
        Box::pin(async move {
            let name = self.within(name)?;
            let data = RData::TXT(TXT::new(vec![value.to_owned()]));
            let record = Record::from_rdata(name.clone(), TXT_TTL, data.clone());
            self.update(&name, Vec::new(), vec![record]).await?;
            for _ in 0..POLLS {
                if self.look(&name, RecordType::TXT).await?.contains(&data) {
                    return Ok(());
                }
                tokio::time::sleep(POLL_PAUSE).await;
            }
            Err(DnsError::Unreachable {
                server: self.server.to_string(),
                why: format!("it took the record for {} and does not answer with it", text(&name)),
            })
        })
    }

    fn remove_txt<'a>(
        &'a self,
        name: &'a str,
        value: &'a str,
    ) -> BoxFuture<'a, Result<(), DnsError>> {
        Box::pin(async move {
            let name = self.within(name)?;
            let data = RData::TXT(TXT::new(vec![value.to_owned()]));
            let mut record = Record::from_rdata(name.clone(), 0, data);
            record.dns_class = DNSClass::NONE;
            self.update(&name, Vec::new(), vec![record]).await
        })
    }
}

/// A record without content, as prerequisites (RFC 2136, section 2.4) and deletions (section 2.5) have it.
fn marker(name: &Name, kind: RecordType, class: DNSClass) -> Record {
    let mut record = Record::from_rdata(name.clone(), 0, RData::Update0(kind));
    record.dns_class = class;
    record
}

fn text(name: &Name) -> String {
    name.to_string().trim_end_matches('.').to_owned()
}

/// Name, algorithm and secret.
fn key_parts(text: &str) -> Option<(&str, &str, &str)> {
    if !text.contains('{') && !text.contains("secret") {
        let mut parts = text.trim().splitn(3, ':');
        return Some((parts.next()?, parts.next()?, parts.next()?.trim()));
    }
    // Of a clause of BIND or of knot only the three values matter.
    let words = |key: &str| {
        let line = text
            .lines()
            .find(|line| line.trim_start().trim_start_matches("- ").starts_with(key))?;
        let value = line.trim_start().trim_start_matches("- ").strip_prefix(key)?;
        let value = value.trim_start_matches([':', ' ', '\t']).trim_end_matches(['{', ';', ' ']);
        Some(value.trim().trim_matches('"'))
    };
    Some((
        words("key").filter(|name| !name.is_empty()).or_else(|| words("id"))?,
        words("algorithm")?,
        words("secret")?,
    ))
}

/// Why a key cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file cannot be read.
    #[error("the key of DNS updates in {} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{} holds no key for DNS updates: write NAME:hmac-sha256:SECRET, the secret in base64", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// An algorithm that is weak or not known.
    #[error("keys of {algorithm} are not supported: take hmac-sha256, hmac-sha384 or hmac-sha512")]
    Algorithm {
        /// Its name.
        algorithm: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_in_the_forms_that_tools_write() {
        let expected = Some(("sealgate", "hmac-sha256", "c2VjcmV0"));
        assert_eq!(key_parts("sealgate:hmac-sha256:c2VjcmV0\n"), expected);
        let bind = "key \"sealgate\" {\n\talgorithm hmac-sha256;\n\tsecret \"c2VjcmV0\";\n};\n";
        assert_eq!(key_parts(bind), expected);
        let knot = "# hmac-sha256:sealgate:c2VjcmV0\nkey:\n  - id: sealgate\n    algorithm: hmac-sha256\n    secret: c2VjcmV0\n";
        assert_eq!(key_parts(knot), expected);
        assert_eq!(key_parts("nonsense"), None);
    }
}
