// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Device addresses: which device a program is told to use.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Which device to use, as people and configuration files write it.
///
/// The driver only parses it: the composition root, which knows every transport, turns it into one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum DeviceAddress {
    /// `auto`: the first card that works, else software.
    #[default]
    Auto,
    /// `none`: no device; software seals and opens.
    None,
    /// `sim:rtl`: the RTL of the device, simulated: one lane on a bus of 128 bits.
    SimRtl,
    /// `sim:rtl:4x512`: the same with four lanes on a bus of 512 bits.
    SimRtlWide,
    /// `sim:model`: the software device.
    SimModel,
    /// `pci:0000:3b:00.0`: a card, through VFIO.
    Pci(PciAddress),
    /// `sysfs:0000:3b:00.0`: a card, through its files in sysfs, for bring-up.
    Sysfs(PciAddress),
    /// `vfio-user:/run/sealgate.sock`: the server of a device, at its socket.
    VfioUser(PathBuf),
}

/// What can be written, for messages.
const CHOICES: &str = "pci:0000:3b:00.0, sysfs:0000:3b:00.0, vfio-user:/path/of/socket, \
                       sim:rtl, sim:rtl:4x512, sim:model, auto or none";

impl DeviceAddress {
    /// The addresses that are a word each.
    const WORDS: [(&str, Self); 5] = [
        ("auto", Self::Auto),
        ("none", Self::None),
        ("sim:rtl", Self::SimRtl),
        ("sim:rtl:4x512", Self::SimRtlWide),
        ("sim:model", Self::SimModel),
    ];
}

impl fmt::Display for DeviceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pci(function) => write!(f, "pci:{function}"),
            Self::Sysfs(function) => write!(f, "sysfs:{function}"),
            Self::VfioUser(socket) => write!(f, "vfio-user:{}", socket.display()),
            word => Self::WORDS
                .iter()
                .filter(|(_, address)| address == word)
                .try_for_each(|(text, _)| f.write_str(text)),
        }
    }
}

impl FromStr for DeviceAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Some((_, address)) = Self::WORDS.into_iter().find(|(word, _)| *word == text) {
            return Ok(address);
        }
        let unknown = || AddressError::Unknown { address: text.to_owned() };
        match text.split_once(':').ok_or_else(unknown)? {
            ("pci", function) => Ok(Self::Pci(function.parse()?)),
            ("sysfs", function) => Ok(Self::Sysfs(function.parse()?)),
            ("vfio-user", "") => Err(AddressError::NoSocket),
            ("vfio-user", socket) => Ok(Self::VfioUser(socket.into())),
            _ => Err(unknown()),
        }
    }
}

/// A PCI function, as `lspci -D` prints it: `0000:3b:00.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PciAddress {
    domain: u16,
    bus: u8,
    device: u8,
    function: u8,
}

/// Devices of a bus.
const DEVICES: u8 = 32;

/// Functions of a device.
const FUNCTIONS: u8 = 8;

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, bus, device, function } = self;
        write!(f, "{domain:04x}:{bus:02x}:{device:02x}.{function}")
    }
}

impl FromStr for PciAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        parse_function(text).ok_or_else(|| AddressError::Pci { function: text.to_owned() })
    }
}

fn parse_function(text: &str) -> Option<PciAddress> {
    let hex = |part: &str, digits: usize| {
        // from_str_radix takes signs, too.
        let is_hex = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| u16::from_str_radix(part, 16).ok()).flatten()
    };
    let byte = |part: &str, digits, end: u8| {
        hex(part, digits).and_then(|value| u8::try_from(value).ok()).filter(|&value| value < end)
    };
    let (slot, function) = text.split_once('.')?;
    let mut parts = slot.split(':');
    let address = PciAddress {
        domain: hex(parts.next()?, 4)?,
        bus: hex(parts.next()?, 2)? as u8,
        device: byte(parts.next()?, 2, DEVICES)?,
        function: byte(function, 1, FUNCTIONS)?,
    };
    parts.next().is_none().then_some(address)
}

/// A device address could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// A PCI address that names no function.
    #[error(
        "{function:?} names no PCI function; \
         write it as lspci -D prints it, for example pci:0000:3b:00.0"
    )]
    Pci {
        /// What stands where a function should.
        function: String,
    },
    /// A server without its socket.
    #[error("vfio-user: lacks the path of the server's socket, as in vfio-user:/run/sealgate.sock")]
    NoSocket,
    /// Not an address.
    #[error("{address:?} is not a device address; use {CHOICES}")]
    Unknown {
        /// What was given.
        address: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_parses_back() {
        let cards = ["pci:0000:3b:00.0", "sysfs:ffff:ff:1f.7", "vfio-user:/run/a b.sock"];
        let words = DeviceAddress::WORDS.iter().map(|(word, _)| *word);
        for text in words.chain(cards) {
            assert_eq!(text.parse::<DeviceAddress>().map(|it| it.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn a_function_is_told_apart_from_a_typing_error() {
        for function in [
            "",
            "3b:00.0",
            "0000:3b:00.8",
            "0000:3b:00",
            "0000:3b:00.0:1",
            "0000:3g:00.0",
            "0000:3b:20.0",
            "0000:3b:+1.0",
            "0000:3b:00.00",
            "0000:3b:00.0.0",
        ] {
            for transport in ["pci", "sysfs"] {
                let malformed = format!("{transport}:{function}").parse::<DeviceAddress>();
                let expected = AddressError::Pci { function: function.to_owned() };
                assert_eq!(malformed, Err(expected), "{function}");
            }
        }
    }

    #[test]
    fn anything_else_is_refused_with_the_choices() {
        for text in ["SIM:RTL", "", "pcie:0000:3b:00.0", "vfio:x"] {
            let error = text.parse::<DeviceAddress>().unwrap_err();
            assert!(error.to_string().contains(CHOICES), "{error}");
        }
        assert_eq!("vfio-user:".parse::<DeviceAddress>(), Err(AddressError::NoSocket));
    }
}
