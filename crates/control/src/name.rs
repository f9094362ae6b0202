// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Names of targets and of services: DNS names (RFC 1035, RFC 1123), labels, managed names.

use std::fmt;

use rand::RngExt;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longest label of a DNS name, in octets (RFC 1035, section 2.3.4).
const MAX_LABEL: usize = 63;

/// Longest DNS name in its text form, without the final dot: 255 octets on the wire.
const MAX_NAME: usize = 253;

/// Random characters that make a managed name its target's own.
pub const SUFFIX_CHARS: usize = 6;

/// Characters of a suffix: lower case letters and digits, as labels may have.
const SUFFIX_ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// A DNS name in lower case, without a final dot; its first label may be `*`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DnsName(String);

impl DnsName {
    /// Takes a fully qualified name of two labels or more, in any case, with or without final dot.
    ///
    /// # Errors
    ///
    /// [`NameError`] that says which rule it breaks.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let error = |why| NameError { name: shown(text), why };
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        if name.is_empty() {
            return Err(error(NameFault::Empty));
        }
        if name.len() > MAX_NAME {
            return Err(error(NameFault::NameTooLong));
        }
        let host = name.strip_prefix("*.").unwrap_or(&name);
        if host.parse::<std::net::IpAddr>().is_ok() || name.parse::<std::net::IpAddr>().is_ok() {
            return Err(error(NameFault::Address));
        }
        for label in host.split('.') {
            check_label(label).map_err(error)?;
        }
        if !host.contains('.') {
            return Err(error(NameFault::NotQualified));
        }
        if host.rsplit('.').next().is_some_and(|top| top.bytes().all(|byte| byte.is_ascii_digit()))
        {
            return Err(error(NameFault::NumericTop));
        }
        Ok(Self(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the first label is `*`.
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with("*.")
    }

    /// Whether this name, perhaps a wildcard, stands for `host` (RFC 6125, section 6.4.3).
    pub fn covers(&self, host: &Self) -> bool {
        if self == host {
            return true;
        }
        let Some(parent) = self.0.strip_prefix("*.") else { return false };
        host.0.split_once('.').is_some_and(|(first, rest)| first != "*" && rest == parent)
    }

    /// Whether this name is `zone` or lies below it.
    pub fn is_within(&self, zone: &Self) -> bool {
        self == zone || self.0.strip_suffix(&zone.0).is_some_and(|front| front.ends_with('.'))
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for DnsName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<DnsName> for String {
    fn from(name: DnsName) -> Self {
        name.0
    }
}

/// What an operator calls a managed name: its first label without the six random characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LeafLabel(String);

impl LeafLabel {
    /// Takes a label that leaves room for the six random characters; upper case becomes lower.
    ///
    /// # Errors
    ///
    /// [`NameError`] that says which rule it breaks.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let error = |why| NameError { name: shown(text), why };
        let label = text.to_ascii_lowercase();
        if label.contains('.') {
            return Err(error(NameFault::NotOneLabel));
        }
        check_label(&label).map_err(error)?;
        if label.starts_with("xn--") {
            return Err(error(NameFault::Encoded));
        }
        if label.len() > MAX_LABEL - SUFFIX_CHARS {
            return Err(error(NameFault::NoRoomForSuffix));
        }
        Ok(Self(label))
    }

    /// The label as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name `<label><suffix>.<region>.<zone>`; `domain` is `<region>.<zone>`.
    ///
    /// # Errors
    ///
    /// [`NameError`] when it is too long for a DNS name.
    pub fn under(&self, suffix: &str, domain: &DnsName) -> Result<DnsName, NameError> {
        DnsName::parse(&format!("{}{suffix}.{domain}", self.0))
    }
}

impl fmt::Display for LeafLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for LeafLabel {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<LeafLabel> for String {
    fn from(label: LeafLabel) -> Self {
        label.0
    }
}

/// Characters of somebody else's text that a message repeats.
const SHOWN_CHARS: usize = 80;

/// The beginning of a text, for messages.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS).collect()
}

/// Six random characters for a managed name.
pub fn random_suffix() -> String {
    let mut rng = rand::rng();
    (0..SUFFIX_CHARS)
        .map(|_| char::from(SUFFIX_ALPHABET[rng.random_range(0..SUFFIX_ALPHABET.len())]))
        .collect()
}

/// RFC 1123, section 2.1: letters, digits, hyphens inside; RFC 5891, section 4.2.3.1 for `--`.
fn check_label(label: &str) -> Result<(), NameFault> {
    if label.is_empty() {
        return Err(NameFault::EmptyLabel);
    }
    if label.len() > MAX_LABEL {
        return Err(NameFault::LabelTooLong);
    }
    if !label.is_ascii() {
        return Err(NameFault::NotAscii);
    }
    if let Some(wrong) = label.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '-') {
        return Err(NameFault::Character(wrong));
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Err(NameFault::Hyphen);
    }
    if label.get(2..4) == Some("--") && !label.starts_with("xn--") {
        return Err(NameFault::ReservedHyphens);
    }
    Ok(())
}

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{:?} is no usable name: {why}", name)]
pub struct NameError {
    /// The text.
    pub name: String,
    /// The rule that it breaks.
    pub why: NameFault,
}

/// A rule of names that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NameFault {
    /// Nothing was given.
    #[error("it is empty")]
    Empty,
    /// Two dots in a row, or a dot at the front.
    #[error("one of its labels is empty")]
    EmptyLabel,
    /// More than 63 characters between dots.
    #[error("one of its labels has more than 63 characters")]
    LabelTooLong,
    /// More than 253 characters.
    #[error("it has more than 253 characters")]
    NameTooLong,
    /// A label for a managed name has more than 57 characters.
    #[error("more than 57 characters leave no room for the six random ones")]
    NoRoomForSuffix,
    /// A label for a managed name has a dot.
    #[error("give one label, without a dot; the region and the zone are added to it")]
    NotOneLabel,
    /// A label for a managed name in its ASCII form.
    #[error(
        "six random characters would make another international name of it: take letters of ASCII"
    )]
    Encoded,
    /// Not a letter of ASCII.
    #[error("write international names in their ASCII form (xn--...)")]
    NotAscii,
    /// Something that is neither letter, digit nor hyphen.
    #[error("{0:?} is neither a letter, a digit nor a hyphen")]
    Character(char),
    /// A hyphen at the edge.
    #[error("a label neither begins nor ends with a hyphen")]
    Hyphen,
    /// Hyphens in the third and fourth place.
    #[error("hyphens in the third and fourth place are reserved (xn--)")]
    ReservedHyphens,
    /// A single label where a fully qualified name is needed.
    #[error("give the fully qualified name, such as score.example.com")]
    NotQualified,
    /// An address.
    #[error("it is an address; certificates here are for names")]
    Address,
    /// The last label is a number.
    #[error("its last label is a number")]
    NumericTop,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DnsName {
        DnsName::parse(text).unwrap()
    }

    #[test]
    fn names_are_lower_case_without_final_dot() {
        assert_eq!(name("Score.Example.COM.").as_str(), "score.example.com");
        assert_eq!(name("*.example.com").as_str(), "*.example.com");
    }

    #[test]
    fn a_broken_rule_is_named() {
        let long = format!("{}.com", "a".repeat(64));
        let cases = [
            ("", NameFault::Empty),
            (".", NameFault::Empty),
            ("a..b", NameFault::EmptyLabel),
            (".example.com", NameFault::EmptyLabel),
            (long.as_str(), NameFault::LabelTooLong),
            ("score", NameFault::NotQualified),
            ("*.com", NameFault::NotQualified),
            ("a b.com", NameFault::Character(' ')),
            ("under_score.com", NameFault::Character('_')),
            ("a.*.com", NameFault::Character('*')),
            ("-a.com", NameFault::Hyphen),
            ("a-.com", NameFault::Hyphen),
            ("ab--c.com", NameFault::ReservedHyphens),
            ("b\u{fc}cher.de", NameFault::NotAscii),
            ("127.0.0.1", NameFault::Address),
            ("::1", NameFault::Address),
            ("a.b.1", NameFault::NumericTop),
        ];
        for (text, why) in cases {
            assert_eq!(DnsName::parse(text).unwrap_err().why, why, "{text:?}");
        }
        let parts = vec!["a".repeat(50); 6].join(".");
        assert_eq!(DnsName::parse(&parts).unwrap_err().why, NameFault::NameTooLong);
    }

    #[test]
    fn a_wildcard_covers_one_label() {
        assert!(name("*.example.com").covers(&name("a.example.com")));
        assert!(name("*.example.com").covers(&name("*.example.com")));
        for host in ["example.com", "a.b.example.com", "a.example.org", "b-example.com"] {
            assert!(!name("*.example.com").covers(&name(host)), "{host}");
        }
        assert!(!name("a.example.com").covers(&name("*.example.com")));
    }

    #[test]
    fn a_zone_holds_what_lies_below_it() {
        let zone = name("example.com");
        assert!(name("a.example.com").is_within(&zone) && zone.is_within(&zone));
        assert!(!name("notexample.com").is_within(&zone));
    }

    #[test]
    fn a_managed_name_keeps_its_label_and_suffix() {
        let label = LeafLabel::parse("Contoso").unwrap();
        let managed = label.under("a1b2c3", &name("west.example.net")).unwrap();
        assert_eq!(managed.as_str(), "contosoa1b2c3.west.example.net");
        for (text, why) in [
            ("", NameFault::EmptyLabel),
            ("a.b", NameFault::NotOneLabel),
            ("a_b", NameFault::Character('_')),
            ("contoso-", NameFault::Hyphen),
            ("xn--bcher-kva", NameFault::Encoded),
        ] {
            assert_eq!(LeafLabel::parse(text).unwrap_err().why, why, "{text:?}");
        }
        assert!(LeafLabel::parse(&"a".repeat(57)).is_ok());
        let long = LeafLabel::parse(&"a".repeat(58));
        assert_eq!(long.unwrap_err().why, NameFault::NoRoomForSuffix);
    }

    #[test]
    fn suffixes_are_six_characters_of_labels() {
        let suffix = random_suffix();
        assert_eq!(suffix.len(), SUFFIX_CHARS);
        assert!(suffix.bytes().all(|byte| SUFFIX_ALPHABET.contains(&byte)));
        assert_ne!(suffix, random_suffix());
    }
}
