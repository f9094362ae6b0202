// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the kernel offers for cards: VFIO with a type 1 IOMMU, asked for without touching a device.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::ptr;

use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, ioctl, opcode};
use vfio_bindings::bindings::vfio::{VFIO_API_VERSION, VFIO_BASE, VFIO_TYPE, VFIO_TYPE1v2_IOMMU};

/// The container device through which groups are opened.
const CONTAINER: &str = "/dev/vfio/vfio";

/// The numbers of the two requests, counted from `VFIO_BASE` (linux/vfio.h).
const GET_API_VERSION: u32 = 0;
const CHECK_EXTENSION: u32 = 1;

/// Asks whether a card could be driven on this host: VFIO is there, speaks the version known here, and has an IOMMU.
pub fn probe() -> Result<(), VfioError> {
    let container = File::options()
        .read(true)
        .write(true)
        .open(CONTAINER)
        .map_err(|source| VfioError::Container { source })?;
    let ask = |request, argument| {
        // SAFETY: `Question` describes the request truly: VFIO takes its argument by value and reads no memory.
        unsafe { ioctl(&container, Question { request, argument }) }
            .map_err(|error| VfioError::Container { source: error.into() })
    };
    let version = ask(GET_API_VERSION, 0)?;
    if u32::try_from(version) != Ok(VFIO_API_VERSION) {
        return Err(VfioError::ApiVersion { found: version });
    }
    if ask(CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU)? != 1 {
        return Err(VfioError::NoIommu);
    }
    Ok(())
}

/// A request without memory: the argument is a number, and so is the answer.
struct Question {
    request: u32,
    argument: u32,
}

// SAFETY: the opcode is that of a request whose argument is passed by value, and the output is the return value alone.
unsafe impl Ioctl for Question {
    type Output = i32;

    const IS_MUTATING: bool = false;

    fn opcode(&self) -> Opcode {
        opcode::none(VFIO_TYPE, (VFIO_BASE + self.request) as u8)
    }

    fn as_ptr(&mut self) -> *mut c_void {
        ptr::without_provenance_mut(self.argument as usize)
    }

    unsafe fn output_from_ptr(output: IoctlOutput, _: *mut c_void) -> rustix::io::Result<i32> {
        Ok(output)
    }
}

/// Why no card can be driven on this host.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VfioError {
    /// The container cannot be opened or asked.
    #[error("{CONTAINER} cannot be used; load the module vfio-pci and give this user access to it")]
    Container {
        /// What the system said.
        source: io::Error,
    },
    /// The kernel speaks another version of VFIO.
    #[error("VFIO has version {found}, this driver knows {VFIO_API_VERSION}")]
    ApiVersion {
        /// The kernel's version.
        found: i32,
    },
    /// There is no IOMMU.
    #[error(
        "VFIO has no type 1 IOMMU; turn the IOMMU on in the firmware and on the kernel's command line"
    )]
    NoIommu,
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_host_without_vfio_is_told_so_and_one_with_it_is_asked() {
        let missing = matches!(
            probe(),
            Err(VfioError::Container { source }) if source.kind() == io::ErrorKind::NotFound
        );
        assert_eq!(missing, !Path::new(CONTAINER).exists());
    }
}
