// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// C interface of the verilated modules. Each has a struct for its inputs and one for its outputs, with the names of
// the ports less their suffixes; src/rtl/ffi.rs holds the same structs for Rust, and both sides assert their sizes.
//
// Timing: a call of `step` is one clock cycle. It applies the inputs while the clock is low, lets combinational paths
// settle, takes the outputs, and raises the clock. So inputs and outputs of one call are those of the same cycle, just
// before its edge: a transfer took place where valid and ready are both high. The caller decides on the inputs from
// earlier cycles only, which no AXI rule forbids: paths from inputs to outputs inside the module are followed, and
// there is none back.

#pragma once

#include <cstdint>

extern "C" {

// Vectors as wide as the memory bus: a narrower bus uses the first words. Data is looked at and given only where valid
// is high.
struct sealgate_top_inputs {
  uint64_t m_axi_rdata[8];
  uint32_t s_axil_wdata;
  uint16_t s_axil_awaddr;
  uint16_t s_axil_araddr;
  uint16_t m_axi_rid;
  uint16_t m_axi_bid;
  uint8_t rst_n;
  uint8_t s_axil_awprot;
  uint8_t s_axil_awvalid;
  uint8_t s_axil_wstrb;
  uint8_t s_axil_wvalid;
  uint8_t s_axil_bready;
  uint8_t s_axil_arprot;
  uint8_t s_axil_arvalid;
  uint8_t s_axil_rready;
  uint8_t m_axi_arready;
  uint8_t m_axi_rresp;
  uint8_t m_axi_rlast;
  uint8_t m_axi_rvalid;
  uint8_t m_axi_awready;
  uint8_t m_axi_wready;
  uint8_t m_axi_bresp;
  uint8_t m_axi_bvalid;
  uint8_t irq_ready;
  uint8_t reserved[10];
};

struct sealgate_top_outputs {
  uint64_t m_axi_araddr;
  uint64_t m_axi_awaddr;
  uint64_t m_axi_wdata[8];
  uint64_t m_axi_wstrb;
  uint32_t s_axil_rdata;
  uint16_t m_axi_arid;
  uint16_t m_axi_awid;
  uint8_t s_axil_awready;
  uint8_t s_axil_wready;
  uint8_t s_axil_bresp;
  uint8_t s_axil_bvalid;
  uint8_t s_axil_arready;
  uint8_t s_axil_rresp;
  uint8_t s_axil_rvalid;
  uint8_t m_axi_arlen;
  uint8_t m_axi_arsize;
  uint8_t m_axi_arburst;
  uint8_t m_axi_arvalid;
  uint8_t m_axi_rready;
  uint8_t m_axi_awlen;
  uint8_t m_axi_awsize;
  uint8_t m_axi_awburst;
  uint8_t m_axi_awvalid;
  uint8_t m_axi_wlast;
  uint8_t m_axi_wvalid;
  uint8_t m_axi_bready;
  uint8_t irq_valid;
  uint8_t irq_index;
  uint8_t reserved[3];
};

struct sealgate_aead_inputs {
  uint64_t key_data[4];
  uint64_t cmd_aad[2];
  uint64_t in_data[2];
  uint32_t cmd_nonce[3];
  uint16_t key_ctx;
  uint16_t wipe_ctx;
  uint16_t cmd_ctx;
  uint16_t cmd_text_bytes;
  uint8_t rst_n;
  uint8_t key_valid;
  uint8_t key_suite;
  uint8_t wipe_valid;
  uint8_t cmd_valid;
  uint8_t cmd_suite;
  uint8_t cmd_open;
  uint8_t cmd_aad_bytes;
  uint8_t in_valid;
  uint8_t in_error;
  uint8_t out_ready;
  uint8_t tag_ready;
};

struct sealgate_aead_outputs {
  uint64_t out_data[2];
  uint64_t tag[2];
  uint8_t key_ready;
  uint8_t key_done;
  uint8_t wipe_ready;
  uint8_t cmd_ready;
  uint8_t in_ready;
  uint8_t out_valid;
  uint8_t out_last;
  uint8_t tag_valid;
  uint8_t tag_error;
  uint8_t busy;
  uint8_t stat_beat;
  uint8_t stat_stall_in;
  uint8_t stat_stall_out;
  uint8_t reserved[3];
};

struct sealgate_lane_inputs {
  uint64_t key_data[4];
  uint64_t source_word_data[2];
  uint64_t job_sequence_number;
  uint32_t job_iv[3];
  uint32_t job_length;
  uint16_t context;
  uint8_t rst_n;
  uint8_t key_valid;
  uint8_t suite;
  uint8_t job_valid;
  uint8_t source_word_valid;
  uint8_t ack_valid;
};

struct sealgate_lane_outputs {
  uint64_t destination_word_data[2];
  uint32_t destination_span_bytes;
  uint8_t key_ready;
  uint8_t key_done;
  uint8_t job_ready;
  uint8_t source_span_valid;
  uint8_t source_word_ready;
  uint8_t destination_span_valid;
  uint8_t destination_word_valid;
  uint8_t ack_ready;
  uint8_t result_valid;
  uint8_t result_status;
  uint8_t reserved[2];
};

// A model is used by one thread at a time.

// The shapes of sealgate_top that were built, as pairs of lanes and data width, 0 and 0 behind the last.
struct sealgate_shape {
  uint32_t lanes;
  uint32_t data_width;
};
const sealgate_shape* sealgate_top_shapes();

// `new` takes the path of an FST file for the waveform, or null for none; `delete` closes it. It returns null for a
// shape that was not built; only one lane on 128 bits can write a waveform, as a model that can runs slower even when it
// does not.
struct sealgate_top;
sealgate_top* sealgate_top_new(sealgate_shape shape, const char* trace);
// The same with pipelined lanes, one on 128 bits; null if it was not built.
sealgate_top* sealgate_top_pipelined_new();
void sealgate_top_step(sealgate_top* top, const sealgate_top_inputs* in, sealgate_top_outputs* out);
void sealgate_top_flush(sealgate_top* top);
void sealgate_top_delete(sealgate_top* top);

struct sealgate_aead;
sealgate_aead* sealgate_aead_new();
void sealgate_aead_step(sealgate_aead* core, const sealgate_aead_inputs* in,
                            sealgate_aead_outputs* out);
void sealgate_aead_delete(sealgate_aead* core);

// A lane alone, sealgate_bare_lane; only in builds that have it.
struct sealgate_lane;
sealgate_lane* sealgate_lane_new();
void sealgate_lane_step(sealgate_lane* lane, const sealgate_lane_inputs* in,
                        sealgate_lane_outputs* out);
void sealgate_lane_delete(sealgate_lane* lane);

}  // extern "C"
