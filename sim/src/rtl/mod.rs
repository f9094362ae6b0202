// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The hardware itself: the RTL of `hdl/rtl`, verilated, clock by clock.

mod aead;
mod device;
mod ffi;
#[cfg(feature = "rtl-lane")]
mod lane;

use std::io;
use std::path::PathBuf;

use crate::config::{Shape, ShapeError};

pub use aead::{AadBytes, Aead, AeadError, Job, MAX_AAD_BYTES, MAX_TEXT_BYTES, Operation, Output};
pub(crate) use device::RtlDevice;
pub use ffi::{Top, TopInputs, TopOutputs, shapes};
#[cfg(feature = "rtl-lane")]
pub use lane::{Lane, LaneError, MAX_CONTENT_BYTES};

/// A verilated module could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RtlError {
    /// C++ returned no model.
    #[error("the verilated RTL could not be made: memory may be short")]
    NoModel,
    /// There is no engine of such a shape.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The shape is not part of this build.
    #[error("the RTL is not built as {shape}; build with --features rtl-shapes")]
    NotBuilt {
        /// The shape asked for.
        shape: Shape,
    },
    /// A model with pipelined lanes is not part of this build, is not of this shape, or cannot write a waveform.
    #[error(
        "there is no such RTL as {shape} with pipelined lanes: build with --features rtl-shapes, use 1x128, no waveform"
    )]
    NotPipelined {
        /// The shape asked for.
        shape: Shape,
    },
    /// This shape's model cannot write a waveform.
    #[error("the RTL built as {shape} writes no waveform; only 1x128 does")]
    NoTrace {
        /// The shape asked for.
        shape: Shape,
    },
    /// The waveform cannot be written.
    #[error("the waveform {path} cannot be written: name a file in a folder that exists")]
    Trace {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
