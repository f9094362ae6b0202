// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The key that signs updates (TSIG, RFC 8945), as the tools of DNS servers write it.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use hickory_proto::rr::TSigner;
use hickory_proto::rr::rdata::tsig::TsigAlgorithm;
use thiserror::Error;
use zeroize::Zeroizing;

use super::records;

/// Seconds that our clock and the server's may differ (RFC 8945, section 10).
pub const FUDGE_SECONDS: u16 = 300;

/// Longest key file, in octets.
const MAX_FILE_OCTETS: u64 = 16 * 1024;

/// Shortest secret, in octets: what is shorter can be guessed.
const MIN_SECRET_OCTETS: usize = 16;

/// The algorithms that servers are asked to support and that are not broken (RFC 8945, section 6).
const ALGORITHMS: [(&str, TsigAlgorithm); 3] = [
    ("hmac-sha256", TsigAlgorithm::HmacSha256),
    ("hmac-sha384", TsigAlgorithm::HmacSha384),
    ("hmac-sha512", TsigAlgorithm::HmacSha512),
];

/// A key with its name, as both sides know it.
#[derive(Clone)]
pub struct TsigKey(TSigner);

impl TsigKey {
    /// Reads a key file. It holds one key: what `tsig-keygen` or `keymgr -t` printed, or one line
    /// `name:algorithm:secret` or `algorithm:name:secret`, the secret in base64.
    ///
    /// # Errors
    ///
    /// [`KeyError`], which names the file and nothing of what is in it.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let error = |why| KeyError { path: path.to_owned(), why };
        let mut text = Zeroizing::new(String::new());
        File::open(path)
            .and_then(|file| file.take(MAX_FILE_OCTETS + 1).read_to_string(&mut text))
            .map_err(|source| error(KeyFault::Unreadable(source)))?;
        if text.len() as u64 > MAX_FILE_OCTETS {
            return Err(error(KeyFault::NoKey));
        }
        Self::parse(&text).map_err(error)
    }

    /// Takes the text of such a file.
    ///
    /// # Errors
    ///
    /// [`KeyFault`] that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, KeyFault> {
        let [name, algorithm, secret] = fields(text)?;
        let name = records::absolute(name).ok_or(KeyFault::Name)?;
        let algorithm = algorithm_called(algorithm).ok_or(KeyFault::Algorithm)?;
        let secret = BASE64.decode(secret.as_bytes()).map_err(|_| KeyFault::Base64)?;
        if secret.len() < MIN_SECRET_OCTETS {
            return Err(KeyFault::Short);
        }
        TSigner::new(secret, algorithm, name, FUDGE_SECONDS)
            .map(Self)
            .map_err(|_| KeyFault::Algorithm)
    }

    pub(super) fn signer(&self) -> &TSigner {
        &self.0
    }
}

/// The name and the algorithm.
impl fmt::Display for TsigKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0.signer_name(), self.0.algorithm())
    }
}

impl fmt::Debug for TsigKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TsigKey({self})")
    }
}

/// Name, algorithm and secret. All forms have the same words once punctuation, of which none is in a word, is gone.
fn fields(text: &str) -> Result<[&str; 3], KeyFault> {
    let words: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with(['#', '/']))
        .flat_map(|line| line.split([' ', '\t', '\r', '{', '}', ';', '"', ':']))
        .filter(|word| !word.is_empty() && *word != "-")
        .collect();
    match (words.iter().filter(|word| **word == "secret").count(), &words[..]) {
        (0, &[first, second, secret]) if algorithm_called(first).is_some() => {
            return Ok([second, first, secret]);
        }
        (0, &[first, second, secret]) => return Ok([first, second, secret]),
        (0 | 1, _) => {}
        _ => return Err(KeyFault::Several),
    }
    let after = |keyword| {
        let place = words.iter().position(|word| *word == keyword)?;
        words.get(place + 1).copied()
    };
    let name = after("id").or_else(|| after("key"));
    match (name, after("algorithm"), after("secret")) {
        (Some(name), Some(algorithm), Some(secret)) => Ok([name, algorithm, secret]),
        _ => Err(KeyFault::NoKey),
    }
}

fn algorithm_called(name: &str) -> Option<TsigAlgorithm> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let found = ALGORITHMS.iter().find(|(known, _)| name.eq_ignore_ascii_case(known))?;
    Some(found.1.clone())
}

/// Why a key file cannot be used.
#[derive(Debug, Error)]
#[error("the TSIG key file {} cannot be used: {why}", path.display())]
pub struct KeyError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: KeyFault,
}

/// What is wrong with a key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyFault {
    /// The file cannot be read.
    #[error("{0}")]
    Unreadable(io::Error),
    /// It has none of the forms.
    #[error(
        "it holds no key for DNS updates; write what tsig-keygen prints, or name:algorithm:secret"
    )]
    NoKey,
    /// It holds more than one.
    #[error("it holds several keys; leave the one that is for updates")]
    Several,
    /// The key's name.
    #[error("the key's name is no DNS name")]
    Name,
    /// The algorithm.
    #[error("its algorithm is none of hmac-sha256, hmac-sha384 and hmac-sha512; make a new key")]
    Algorithm,
    /// The encoding of the secret.
    #[error("its secret is not in base64")]
    Base64,
    /// The length of the secret.
    #[error("its secret has fewer than 16 octets; make a new key with tsig-keygen")]
    Short,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "chLxx57SzGToanhXR0vj+gaiqCzZffd96drFTIlL+Z4=";

    #[test]
    fn every_form_of_a_key_file_is_read() {
        let forms = [
            format!("upd.example:hmac-sha384:{SECRET}\n"),
            format!("hmac-sha384:upd.example:{SECRET}"),
            format!(
                "key \"upd.example\" {{\n\talgorithm hmac-sha384;\n\tsecret \"{SECRET}\";\n}};\n"
            ),
            format!(
                "# hmac-sha384:upd.example:{SECRET}\nkey:\n  - id: upd.example\n    algorithm: \
                 HMAC-SHA384\n    secret: {SECRET}\n"
            ),
        ];
        for text in forms {
            let key = TsigKey::parse(&text).unwrap();
            assert_eq!(key.to_string(), "upd.example. (hmac-sha384)", "{text}");
            assert_eq!(BASE64.encode(key.signer().key()), SECRET, "{text}");
            assert!(!format!("{key:?}").contains(SECRET));
        }
    }

    #[test]
    fn a_fault_of_a_key_is_named_without_the_secret() {
        let twice = format!("key a {{ algorithm hmac-sha256; secret {SECRET}; }};").repeat(2);
        let cases = [
            (String::new(), "it holds no key"),
            (format!("key {{ secret {SECRET}; }}"), "it holds no key"),
            (twice, "several keys"),
            (format!("a..b:hmac-sha256:{SECRET}"), "no DNS name"),
            (format!("a:hmac-md5:{SECRET}"), "none of hmac-sha256"),
            (format!("a:{SECRET}:hmac-sha256"), "none of hmac-sha256"),
            ("a:hmac-sha256:???".to_owned(), "not in base64"),
            ("a:hmac-sha256:AAAA".to_owned(), "fewer than 16 octets"),
        ];
        for (text, message) in cases {
            let fault = TsigKey::parse(&text).unwrap_err().to_string();
            assert!(fault.contains(message), "{text}: {fault}");
            assert!(!fault.contains(SECRET), "{fault}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = TsigKey::read(Path::new("/nowhere/update.key")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/update.key"), "{error}");
    }
}
