// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The part of the boundary that only builds with a lane alone have.

use std::ptr::NonNull;

use crate::rtl::RtlError;

/// Inputs of `sealgate_bare_lane` in one cycle.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub(in crate::rtl) struct LaneInputs {
    pub key_data: [u64; 4],
    pub source_word_data: [u64; 2],
    pub job_sequence_number: u64,
    pub job_iv: [u32; 3],
    pub job_length: u32,
    pub context: u16,
    pub rst_n: bool,
    pub key_valid: bool,
    pub suite: u8,
    pub job_valid: bool,
    pub source_word_valid: bool,
    pub ack_valid: bool,
}

/// Outputs of `sealgate_bare_lane` in one cycle, just before its edge.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub(in crate::rtl) struct LaneOutputs {
    pub destination_word_data: [u64; 2],
    pub destination_span_bytes: u32,
    pub key_ready: u8,
    pub key_done: u8,
    pub job_ready: u8,
    pub source_span_valid: u8,
    pub source_word_ready: u8,
    pub destination_span_valid: u8,
    pub destination_word_valid: u8,
    pub ack_ready: u8,
    pub result_valid: u8,
    pub result_status: u8,
    pub reserved: [u8; 2],
}

// The same sizes are asserted in shim.cpp.
const _: () = {
    assert!(size_of::<LaneInputs>() == 80);
    assert!(size_of::<LaneOutputs>() == 32);
};

/// A verilated `sealgate_bare_lane`.
pub(in crate::rtl) struct LaneModel(NonNull<LaneState>);

/// What C++ keeps behind the pointer.
#[repr(C)]
struct LaneState {
    opaque: [u8; 0],
}

// SAFETY: the signatures are those of shim.h.
unsafe extern "C" {
    fn sealgate_lane_new() -> *mut LaneState;
    fn sealgate_lane_step(
        lane: *mut LaneState,
        inputs: *const LaneInputs,
        outputs: *mut LaneOutputs,
    );
    fn sealgate_lane_delete(lane: *mut LaneState);
}

impl LaneModel {
    pub(in crate::rtl) fn new() -> Result<Self, RtlError> {
        // SAFETY: the function has no preconditions.
        let model = unsafe { sealgate_lane_new() };
        NonNull::new(model).map(Self).ok_or(RtlError::NoModel)
    }

    /// Runs one clock cycle, as [`Top::step`](super::Top::step).
    pub(in crate::rtl) fn step(&mut self, inputs: &LaneInputs, outputs: &mut LaneOutputs) {
        // SAFETY: the model is alive and `&mut self` makes this its only user; both structs are those of shim.h, and
        // C++ keeps neither pointer.
        unsafe { sealgate_lane_step(self.0.as_ptr(), inputs, outputs) }
    }
}

impl Drop for LaneModel {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `sealgate_lane_new` and is given back once.
        unsafe { sealgate_lane_delete(self.0.as_ptr()) }
    }
}
