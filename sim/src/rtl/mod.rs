// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The hardware itself: the RTL of `hdl/rtl`, verilated, clock by clock.

mod device;
mod ffi;
mod gcm_core;

use std::io;
use std::path::PathBuf;

pub(crate) use device::RtlDevice;
pub use ffi::{Top, TopInputs, TopOutputs};
pub use gcm_core::{
    AadBytes, GcmCore, GcmCoreError, Job, MAX_AAD_BYTES, MAX_TEXT_BYTES, Operation, Output,
};

/// A verilated module could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RtlError {
    /// C++ returned no model.
    #[error("the verilated RTL could not be made: memory may be short")]
    NoModel,
    /// The waveform cannot be written.
    #[error("the waveform {path} cannot be written: name a file in a folder that exists")]
    Trace {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
