// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The boundary to the verilated C++: the structs of `shim.h`, and owners of the models.
//!
//! Everything unsafe of the crate is here and in `ffi/lane.rs`. Ports have the names that they have in the RTL, less `_i`
//! and `_o`; what they mean stands in `sealgate_top.sv`, `sealgate_aead.sv` and `sealgate_bare_lane.sv`. Vectors of more
//! than 64 bits are 64-bit words, the lowest first; those as wide as the memory bus have room for the widest.
#![allow(unsafe_code)]
#![allow(missing_docs, reason = "ports are documented where they are declared, in SystemVerilog")]

#[cfg(feature = "rtl-lane")]
pub(super) mod lane;

use std::ffi::{CStr, CString, c_char};
use std::fmt;
use std::fs::{File, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::ptr::{self, NonNull};

use super::RtlError;
use crate::bus::MAX_BEAT_BYTES;
use crate::config::Shape;

/// 64-bit words of a beat on the widest bus.
const BUS_WORDS_MAX: usize = MAX_BEAT_BYTES / 8;

/// Inputs of `sealgate_top` in one cycle.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct TopInputs {
    /// Looked at only while `m_axi_rvalid` is high.
    pub m_axi_rdata: [u64; BUS_WORDS_MAX],
    pub s_axil_wdata: u32,
    pub s_axil_awaddr: u16,
    pub s_axil_araddr: u16,
    pub m_axi_rid: u16,
    pub m_axi_bid: u16,
    pub rst_n: bool,
    pub s_axil_awprot: u8,
    pub s_axil_awvalid: bool,
    pub s_axil_wstrb: u8,
    pub s_axil_wvalid: bool,
    pub s_axil_bready: bool,
    pub s_axil_arprot: u8,
    pub s_axil_arvalid: bool,
    pub s_axil_rready: bool,
    pub m_axi_arready: bool,
    pub m_axi_rresp: u8,
    pub m_axi_rlast: bool,
    pub m_axi_rvalid: bool,
    pub m_axi_awready: bool,
    pub m_axi_wready: bool,
    pub m_axi_bresp: u8,
    pub m_axi_bvalid: bool,
    pub irq_ready: bool,
    pub reserved: [u8; 10],
}

/// Outputs of `sealgate_top` in one cycle, just before its edge.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct TopOutputs {
    pub m_axi_araddr: u64,
    pub m_axi_awaddr: u64,
    /// Given only while `m_axi_wvalid` is high.
    pub m_axi_wdata: [u64; BUS_WORDS_MAX],
    pub m_axi_wstrb: u64,
    pub s_axil_rdata: u32,
    pub m_axi_arid: u16,
    pub m_axi_awid: u16,
    // Bits are bytes here, not `bool`: what C++ wrote is not for Rust to vouch for.
    pub s_axil_awready: u8,
    pub s_axil_wready: u8,
    pub s_axil_bresp: u8,
    pub s_axil_bvalid: u8,
    pub s_axil_arready: u8,
    pub s_axil_rresp: u8,
    pub s_axil_rvalid: u8,
    pub m_axi_arlen: u8,
    pub m_axi_arsize: u8,
    pub m_axi_arburst: u8,
    pub m_axi_arvalid: u8,
    pub m_axi_rready: u8,
    pub m_axi_awlen: u8,
    pub m_axi_awsize: u8,
    pub m_axi_awburst: u8,
    pub m_axi_awvalid: u8,
    pub m_axi_wlast: u8,
    pub m_axi_wvalid: u8,
    pub m_axi_bready: u8,
    pub irq_valid: u8,
    pub irq_index: u8,
    pub reserved: [u8; 3],
}

/// Inputs of `sealgate_aead` in one cycle.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub(super) struct AeadInputs {
    pub key_data: [u64; 4],
    pub cmd_aad: [u64; 2],
    pub in_data: [u64; 2],
    pub cmd_nonce: [u32; 3],
    pub key_ctx: u16,
    pub wipe_ctx: u16,
    pub cmd_ctx: u16,
    pub cmd_text_bytes: u16,
    pub rst_n: bool,
    pub key_valid: bool,
    pub key_suite: u8,
    pub wipe_valid: bool,
    pub cmd_valid: bool,
    pub cmd_suite: u8,
    pub cmd_open: bool,
    pub cmd_aad_bytes: u8,
    pub in_valid: bool,
    pub in_error: bool,
    pub out_ready: bool,
    pub tag_ready: bool,
}

/// Outputs of `sealgate_aead` in one cycle, just before its edge.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub(super) struct AeadOutputs {
    pub out_data: [u64; 2],
    pub tag: [u64; 2],
    pub key_ready: u8,
    pub key_done: u8,
    pub wipe_ready: u8,
    pub cmd_ready: u8,
    pub in_ready: u8,
    pub out_valid: u8,
    pub out_last: u8,
    pub tag_valid: u8,
    pub tag_error: u8,
    pub busy: u8,
    pub stat_beat: u8,
    pub stat_stall_in: u8,
    pub stat_stall_out: u8,
    pub reserved: [u8; 3],
}

// The same sizes are asserted in shim.cpp.
const _: () = {
    assert!(size_of::<TopInputs>() == 104);
    assert!(size_of::<TopOutputs>() == 120);
    assert!(size_of::<AeadInputs>() == 96);
    assert!(size_of::<AeadOutputs>() == 48);
};

/// A verilated `sealgate_top`.
pub struct Top(NonNull<TopModel>);

/// A verilated `sealgate_aead`.
pub(super) struct AeadModel(NonNull<AeadState>);

/// A [`Shape`] in C++.
#[derive(Clone, Copy)]
#[repr(C)]
struct ShapeWords {
    lanes: u32,
    data_width: u32,
}

/// What C++ keeps behind the pointers.
#[repr(C)]
struct TopModel {
    opaque: [u8; 0],
}

#[repr(C)]
struct AeadState {
    opaque: [u8; 0],
}

// SAFETY: the signatures are those of shim.h.
unsafe extern "C" {
    fn sealgate_top_shapes() -> *const ShapeWords;
    fn sealgate_top_new(shape: ShapeWords, trace: *const c_char) -> *mut TopModel;
    fn sealgate_top_pipelined_new() -> *mut TopModel;
    fn sealgate_top_step(top: *mut TopModel, inputs: *const TopInputs, outputs: *mut TopOutputs);
    fn sealgate_top_flush(top: *mut TopModel);
    fn sealgate_top_delete(top: *mut TopModel);

    fn sealgate_aead_new() -> *mut AeadState;
    fn sealgate_aead_step(
        core: *mut AeadState,
        inputs: *const AeadInputs,
        outputs: *mut AeadOutputs,
    );
    fn sealgate_aead_delete(core: *mut AeadState);
}

/// The shapes of `sealgate_top` that this build has.
#[must_use]
pub fn shapes() -> Vec<Shape> {
    // SAFETY: the function has no preconditions.
    let mut next = unsafe { sealgate_top_shapes() };
    let mut shapes = Vec::new();
    loop {
        // SAFETY: C++ returned an array that lives for ever; this reads up to its last element, which is all zero.
        let words = unsafe { *next };
        if words.lanes == 0 {
            return shapes;
        }
        shapes.push(Shape { lanes: words.lanes as usize, bus_bits: words.data_width as usize });
        // SAFETY: what `next` points to was not the last element.
        next = unsafe { next.add(1) };
    }
}

impl Top {
    /// Makes the module in a shape that was built; its waveform goes to the FST file `trace`, if one is named.
    pub fn new(shape: Shape, trace: Option<&Path>) -> Result<Self, RtlError> {
        if !shapes().contains(&shape) {
            return Err(RtlError::NotBuilt { shape });
        }
        if trace.is_some() && shape != Shape::NARROWEST {
            return Err(RtlError::NoTrace { shape });
        }
        let path = trace.map(trace_file).transpose()?;
        let words = ShapeWords { lanes: shape.lanes as u32, data_width: shape.bus_bits as u32 };
        // SAFETY: null, or a C string that lives across the call.
        let model =
            unsafe { sealgate_top_new(words, path.as_deref().map_or(ptr::null(), CStr::as_ptr)) };
        NonNull::new(model).map(Self).ok_or(RtlError::NoModel)
    }

    /// Makes the module with the queues in its lanes that hardware has: in the narrowest shape, and without a waveform.
    pub fn pipelined(shape: Shape, trace: Option<&Path>) -> Result<Self, RtlError> {
        let built = cfg!(feature = "rtl-shapes") && shape == Shape::NARROWEST;
        if !built || trace.is_some() {
            return Err(RtlError::NotPipelined { shape });
        }
        // SAFETY: the function has no preconditions.
        let model = unsafe { sealgate_top_pipelined_new() };
        NonNull::new(model).map(Self).ok_or(RtlError::NoModel)
    }

    /// Runs one clock cycle. Inputs and outputs are those of the same cycle, just before its edge: a transfer took
    /// place where valid and ready are both high.
    pub fn step(&mut self, inputs: &TopInputs, outputs: &mut TopOutputs) {
        // SAFETY: the model is alive and `&mut self` makes this its only user; both structs are those of shim.h, and
        // C++ keeps neither pointer.
        unsafe { sealgate_top_step(self.0.as_ptr(), inputs, outputs) }
    }

    /// Writes out what was traced so far.
    pub fn flush(&mut self) {
        // SAFETY: as in `step`.
        unsafe { sealgate_top_flush(self.0.as_ptr()) }
    }
}

impl Drop for Top {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `sealgate_top_new` and is given back once.
        unsafe { sealgate_top_delete(self.0.as_ptr()) }
    }
}

// SAFETY: the model and its context belong to this owner alone and hold nothing of the thread that made them; shim.h asks
// for one thread at a time, and every use takes `&mut`.
unsafe impl Send for Top {}

impl fmt::Debug for Top {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Top").finish_non_exhaustive()
    }
}

impl AeadModel {
    pub(super) fn new() -> Result<Self, RtlError> {
        // SAFETY: the function has no preconditions.
        let model = unsafe { sealgate_aead_new() };
        NonNull::new(model).map(Self).ok_or(RtlError::NoModel)
    }

    /// As [`Top::step`].
    pub(super) fn step(&mut self, inputs: &AeadInputs, outputs: &mut AeadOutputs) {
        // SAFETY: as in `Top::step`.
        unsafe { sealgate_aead_step(self.0.as_ptr(), inputs, outputs) }
    }
}

impl Drop for AeadModel {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `sealgate_aead_new` and is given back once.
        unsafe { sealgate_aead_delete(self.0.as_ptr()) }
    }
}

/// The path for C++, which ends the process on a file that cannot be written: that is found out here. Entries with keys
/// and plaintext pass through the signals of a waveform, so nobody else may read it.
fn trace_file(path: &Path) -> Result<CString, RtlError> {
    let open = || {
        let file =
            File::options().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        file.set_permissions(Permissions::from_mode(0o600))
    };
    open().map_err(|source| RtlError::Trace { path: path.to_owned(), source })?;
    tracing::warn!(path = %path.display(), "the waveform will hold keys and plaintext");
    CString::new(path.as_os_str().as_encoded_bytes())
        .map_err(|error| RtlError::Trace { path: path.to_owned(), source: error.into() })
}
