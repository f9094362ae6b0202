// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Device addresses: which device a program is told to use.

use std::fmt;
use std::str::FromStr;

/// Which device to use, as people and configuration files write it.
///
/// The driver only parses it: the composition root, which knows every transport, turns it into one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DeviceAddress {
    /// `auto`: the first healthy card, else software.
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
}

impl DeviceAddress {
    /// Every address, in the order in which help texts list them.
    pub const ALL: [Self; 5] =
        [Self::Auto, Self::None, Self::SimRtl, Self::SimRtlWide, Self::SimModel];

    /// The address as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::None => "none",
            Self::SimRtl => "sim:rtl",
            Self::SimRtlWide => "sim:rtl:4x512",
            Self::SimModel => "sim:model",
        }
    }
}

impl fmt::Display for DeviceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DeviceAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Some(address) = Self::ALL.into_iter().find(|address| address.as_str() == text) {
            return Ok(address);
        }
        match text.strip_prefix("pci:") {
            Some(function) if is_pci_function(function) => {
                Err(AddressError::PciNotServed { function: function.to_owned() })
            }
            Some(function) => Err(AddressError::PciMalformed { function: function.to_owned() }),
            None => Err(AddressError::Unknown { address: text.to_owned() }),
        }
    }
}

/// Whether `text` names a PCI function as `lspci -D` prints it: `0000:3b:00.0`.
fn is_pci_function(text: &str) -> bool {
    let hex = |part: &str, digits: usize| {
        part.len() == digits && part.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let mut parts = text.split(':');
    let (Some(domain), Some(bus), Some(slot), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let Some((device, function)) = slot.split_once('.') else {
        return false;
    };
    hex(domain, 4) && hex(bus, 2) && hex(device, 2) && matches!(function.as_bytes(), [b'0'..=b'7'])
}

/// A device address could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// A PCI function was named; this build has no transport for cards.
    #[error(
        "device address pci:{function}: this build does not serve PCI cards; \
         use sim:rtl, sim:rtl:4x512, sim:model, auto or none"
    )]
    PciNotServed {
        /// The function, as `lspci -D` prints it.
        function: String,
    },
    /// A PCI address that names no function.
    #[error(
        "device address pci:{function} names no PCI function; \
         write it as lspci -D prints it, for example pci:0000:3b:00.0"
    )]
    PciMalformed {
        /// What stands behind `pci:`.
        function: String,
    },
    /// Not an address.
    #[error(
        "{address:?} is not a device address; use sim:rtl, sim:rtl:4x512, sim:model, auto or none"
    )]
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
        for address in DeviceAddress::ALL {
            assert_eq!(address.to_string().parse(), Ok(address));
        }
    }

    #[test]
    fn a_card_is_recognised_and_told_apart_from_a_typing_error() {
        let not_served = "pci:0000:3b:00.0".parse::<DeviceAddress>();
        assert_eq!(
            not_served,
            Err(AddressError::PciNotServed { function: "0000:3b:00.0".to_owned() })
        );
        for function in
            ["", "3b:00.0", "0000:3b:00.8", "0000:3b:00", "0000:3b:00.0:1", "0000:3g:00.0"]
        {
            let malformed = format!("pci:{function}").parse::<DeviceAddress>();
            assert_eq!(
                malformed,
                Err(AddressError::PciMalformed { function: function.to_owned() }),
                "{function}"
            );
        }
    }

    #[test]
    fn anything_else_is_refused_with_the_choices() {
        let error = "SIM:RTL".parse::<DeviceAddress>().unwrap_err();
        assert!(
            error.to_string().contains("sim:rtl, sim:rtl:4x512, sim:model, auto or none"),
            "{error}"
        );
    }
}
