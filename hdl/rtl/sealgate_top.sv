// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The sealgate TLS record engine behind the portable boundary: AXI4-Lite slave for the registers,
// AXI4 master for host memory, interrupt messages. Board wrappers (hdl/boards) fit it to a shell.
//
// Theory of operation, in the order of the data (docs/device.md is the contract):
//
//   queues -> decode -> record_in -> gcm_core -> record_out -> write engine -> completer
//                 \---> read engine ---^                                          |
//   csr, supervisor, interrupts  <------------------------------------------------/
//
// Everything passes in order, so completions are in the order of entries; each stage works on the
// next entry while the ones behind it are still busy with earlier ones.

`default_nettype none

module sealgate_top
  import sealgate_pkg::*;
#(
  parameter int unsigned NumContexts = 1024,
  parameter logic [31:0] Build = 32'd0
) (
  input  wire logic                  clk_i,
  input  wire logic                  rst_ni,

  input  wire logic [14:0]           s_axil_awaddr_i,
  input  wire logic [2:0]            s_axil_awprot_i,
  input  wire logic                  s_axil_awvalid_i,
  output      logic                  s_axil_awready_o,
  input  wire logic [31:0]           s_axil_wdata_i,
  input  wire logic [3:0]            s_axil_wstrb_i,
  input  wire logic                  s_axil_wvalid_i,
  output      logic                  s_axil_wready_o,
  output      logic [1:0]            s_axil_bresp_o,
  output      logic                  s_axil_bvalid_o,
  input  wire logic                  s_axil_bready_i,
  input  wire logic [14:0]           s_axil_araddr_i,
  input  wire logic [2:0]            s_axil_arprot_i,
  input  wire logic                  s_axil_arvalid_i,
  output      logic                  s_axil_arready_o,
  output      logic [31:0]           s_axil_rdata_o,
  output      logic [1:0]            s_axil_rresp_o,
  output      logic                  s_axil_rvalid_o,
  input  wire logic                  s_axil_rready_i,

  output      logic [BusIdWidth-1:0] m_axi_arid_o,
  output      logic [63:0]           m_axi_araddr_o,
  output      logic [7:0]            m_axi_arlen_o,
  output      logic [2:0]            m_axi_arsize_o,
  output      logic [1:0]            m_axi_arburst_o,
  output      logic                  m_axi_arvalid_o,
  input  wire logic                  m_axi_arready_i,
  input  wire logic [BusIdWidth-1:0] m_axi_rid_i,
  input  wire logic [BusWidth-1:0]   m_axi_rdata_i,
  input  wire logic [1:0]            m_axi_rresp_i,
  input  wire logic                  m_axi_rlast_i,
  input  wire logic                  m_axi_rvalid_i,
  output      logic                  m_axi_rready_o,
  output      logic [BusIdWidth-1:0] m_axi_awid_o,
  output      logic [63:0]           m_axi_awaddr_o,
  output      logic [7:0]            m_axi_awlen_o,
  output      logic [2:0]            m_axi_awsize_o,
  output      logic [1:0]            m_axi_awburst_o,
  output      logic                  m_axi_awvalid_o,
  input  wire logic                  m_axi_awready_i,
  output      logic [BusWidth-1:0]   m_axi_wdata_o,
  output      logic [BusBytes-1:0]   m_axi_wstrb_o,
  output      logic                  m_axi_wlast_o,
  output      logic                  m_axi_wvalid_o,
  input  wire logic                  m_axi_wready_i,
  input  wire logic [BusIdWidth-1:0] m_axi_bid_i,
  input  wire logic [1:0]            m_axi_bresp_i,
  input  wire logic                  m_axi_bvalid_i,
  output      logic                  m_axi_bready_o,

  output      logic                  irq_valid_o,
  output      queue_id_t             irq_index_o,
  input  wire logic                  irq_ready_i
);

  localparam int unsigned ContextWidth = $clog2(NumContexts);

  // Records between decode and the outbound side; deeper than the read latency is long in short ones.
  localparam int unsigned OpDepth = 32;

  // --- Control --------------------------------------------------------------------------------------

  logic       engine_rst_n;
  logic       enable;
  logic       reset_request;
  logic       zeroize_request;
  logic       selftest_fault;
  logic [1:0] selftest_state;
  logic       selftest_failed;
  logic       selftest_start;
  logic       selftest_active;
  logic       selftest_done;
  logic       selftest_passed;
  logic       fetch;
  logic       ready;
  logic       sweep;
  logic       contexts_done;
  logic       queues_busy;
  logic       decode_busy;
  logic       read_busy;
  logic       write_busy;
  logic       completer_busy;
  logic       entries_busy;

  assign entries_busy = queues_busy || completer_busy;

  sealgate_supervisor u_supervisor (
    .clk_i,
    .rst_ni,
    .reset_i          (reset_request),
    .zeroize_i        (zeroize_request),
    .busy_i           (entries_busy || read_busy || write_busy),
    .decode_busy_i    (decode_busy),
    .engine_rst_no    (engine_rst_n),
    .fetch_o          (fetch),
    .ready_o          (ready),
    .selftest_o       (selftest_state),
    .selftest_failed_o(selftest_failed),
    .sweep_o          (sweep),
    .sweep_done_i     (contexts_done),
    .selftest_start_o (selftest_start),
    .selftest_active_o(selftest_active),
    .selftest_done_i  (selftest_done),
    .selftest_passed_i(selftest_passed)
  );

  logic        irq_status  [QueueCount];
  logic        irq_written [QueueCount];
  logic        irq_enable  [QueueCount];
  logic        queue_enable[QueueCount];
  logic [63:0] sq_base     [QueueCount];
  logic [63:0] cq_base     [QueueCount];
  logic [3:0]  sq_log2     [QueueCount];
  logic [3:0]  cq_log2     [QueueCount];
  logic [15:0] sq_tail     [QueueCount];
  logic [15:0] cq_head     [QueueCount];
  logic [15:0] sq_head     [QueueCount];
  logic [15:0] cq_tail     [QueueCount];
  logic        queue_start [QueueCount];
  logic        entry_fault [QueueCount];
  logic        bad_doorbell[QueueCount];

  logic      complete;
  queue_id_t complete_queue;
  logic      complete_error;
  logic      stat_beat;
  logic      stat_stall_in;
  logic      stat_stall_out;
  logic      stat_valid;
  result_t   stat;

  sealgate_csr #(
    .NumContexts(NumContexts),
    .Build      (Build)
  ) u_csr (
    .clk_i,
    .rst_ni,
    .engine_rst_ni    (engine_rst_n),
    .s_axil_awaddr_i,
    .s_axil_awprot_i,
    .s_axil_awvalid_i,
    .s_axil_awready_o,
    .s_axil_wdata_i,
    .s_axil_wstrb_i,
    .s_axil_wvalid_i,
    .s_axil_wready_o,
    .s_axil_bresp_o,
    .s_axil_bvalid_o,
    .s_axil_bready_i,
    .s_axil_araddr_i,
    .s_axil_arprot_i,
    .s_axil_arvalid_i,
    .s_axil_arready_o,
    .s_axil_rdata_o,
    .s_axil_rresp_o,
    .s_axil_rvalid_o,
    .s_axil_rready_i,
    .enable_o         (enable),
    .reset_o          (reset_request),
    .zeroize_o        (zeroize_request),
    .selftest_fault_o (selftest_fault),
    .selftest_i       (selftest_state),
    .ready_i          (ready),
    .busy_i           (entries_busy),
    .selftest_failed_i(selftest_failed),
    .read_fault_i     (m_axi_rvalid_i && m_axi_rresp_i[1]),
    .write_fault_i    (m_axi_bvalid_i && m_axi_bresp_i[1]),
    .irq_status_o     (irq_status),
    .irq_written_o    (irq_written),
    .irq_enable_o     (irq_enable),
    .queue_enable_o   (queue_enable),
    .sq_base_o        (sq_base),
    .cq_base_o        (cq_base),
    .sq_log2_o        (sq_log2),
    .cq_log2_o        (cq_log2),
    .sq_tail_o        (sq_tail),
    .cq_head_o        (cq_head),
    .sq_head_i        (sq_head),
    .cq_tail_i        (cq_tail),
    .entry_fault_i    (entry_fault),
    .bad_doorbell_i   (bad_doorbell),
    .complete_i       (complete),
    .complete_queue_i (complete_queue),
    .complete_error_i (complete_error),
    .stat_beat_i      (stat_beat),
    .stat_stall_in_i  (stat_stall_in),
    .stat_stall_out_i (stat_stall_out),
    .stat_valid_i     (stat_valid),
    .stat_i           (stat)
  );

  sealgate_interrupts u_interrupts (
    .clk_i,
    .rst_ni,
    .status_i (irq_status),
    .enable_i (irq_enable),
    .written_i(irq_written),
    .irq_valid_o,
    .irq_index_o,
    .irq_ready_i
  );

  // --- Entries --------------------------------------------------------------------------------------

  logic        entry_ar_valid;
  logic        entry_ar_ready;
  logic [63:0] entry_ar_address;
  logic [7:0]  entry_ar_len;
  logic        entry_valid;
  logic        entry_ready;
  entry_t      entry;

  sealgate_queues u_queues (
    .clk_i,
    .rst_ni          (engine_rst_n),
    .fetch_enable_i  (fetch && enable),
    .enable_i        (queue_enable),
    .sq_base_i       (sq_base),
    .sq_log2_i       (sq_log2),
    .cq_log2_i       (cq_log2),
    .sq_tail_i       (sq_tail),
    .cq_head_i       (cq_head),
    .sq_head_o       (sq_head),
    .start_o         (queue_start),
    .bad_doorbell_o  (bad_doorbell),
    .entry_fault_o   (entry_fault),
    .ar_valid_o      (entry_ar_valid),
    .ar_ready_i      (entry_ar_ready),
    .ar_address_o    (entry_ar_address),
    .ar_len_o        (entry_ar_len),
    .r_valid_i       (m_axi_rvalid_i && (m_axi_rid_i == IdEntry)),
    .r_data_i        (m_axi_rdata_i),
    .r_error_i       (m_axi_rresp_i[1]),
    .entry_valid_o   (entry_valid),
    .entry_ready_i   (entry_ready),
    .entry_o         (entry),
    .complete_i      (complete),
    .complete_queue_i(complete_queue),
    .busy_o          (queues_busy)
  );

  logic                    lookup;
  logic [ContextWidth-1:0] decode_ctx;
  context_t                context_read;
  logic                    decode_load;
  logic                    decode_drop;
  context_t                decode_context;
  logic [255:0]            decode_key;
  logic                    op_in_valid;
  logic                    op_in_ready;
  op_t                     op_in;
  logic                    frame_in_valid;
  logic                    frame_in_ready;
  frame_t                  frame_in;
  logic                    source_in_valid;
  logic                    source_in_ready;
  span_t                   source_in;
  logic                    result_valid;
  logic                    result_ready;
  result_t                 result;

  sealgate_decode #(
    .NumContexts(NumContexts)
  ) u_decode (
    .clk_i,
    .rst_ni       (engine_rst_n),
    .ready_i      (ready),
    .entry_valid_i(entry_valid),
    .entry_ready_o(entry_ready),
    .entry_i      (entry),
    .lookup_o     (lookup),
    .ctx_o        (decode_ctx),
    .lookup_i     (context_read),
    .load_o       (decode_load),
    .drop_o       (decode_drop),
    .context_o    (decode_context),
    .key_o        (decode_key),
    .done_i       (contexts_done),
    .op_valid_o   (op_in_valid),
    .op_ready_i   (op_in_ready),
    .op_o         (op_in),
    .frame_valid_o(frame_in_valid),
    .frame_ready_i(frame_in_ready),
    .frame_o      (frame_in),
    .span_valid_o (source_in_valid),
    .span_ready_i (source_in_ready),
    .span_o       (source_in),
    .record_done_i(result_valid && result_ready && result.record),
    .busy_o       (decode_busy)
  );

  // --- Contexts: shared with the self test, which runs only while entries are refused ---------------

  logic                    test_load;
  logic                    test_drop;
  context_t                test_context;
  logic [255:0]            test_key;
  logic                    key_valid;
  logic                    key_ready;
  logic [ContextWidth-1:0] key_ctx;
  logic [255:0]            key_data;
  logic                    key_aes256;
  logic                    key_done;
  logic                    wipe_valid;
  logic                    wipe_ready;
  logic [ContextWidth-1:0] wipe_ctx;

  sealgate_contexts #(
    .NumContexts(NumContexts)
  ) u_contexts (
    .clk_i,
    .rst_ni      (engine_rst_n),
    .lookup_i    (lookup),
    .lookup_ctx_i(decode_ctx),
    .lookup_o    (context_read),
    .load_i      (selftest_active ? test_load : decode_load),
    .drop_i      (selftest_active ? test_drop : decode_drop),
    .sweep_i     (sweep),
    .ctx_i       (selftest_active ? '0 : decode_ctx),
    .context_i   (selftest_active ? test_context : decode_context),
    .key_i       (selftest_active ? test_key : decode_key),
    .done_o      (contexts_done),
    .key_valid_o (key_valid),
    .key_ready_i (key_ready),
    .key_ctx_o   (key_ctx),
    .key_data_o  (key_data),
    .key_aes256_o(key_aes256),
    .key_done_i  (key_done),
    .wipe_valid_o(wipe_valid),
    .wipe_ready_i(wipe_ready),
    .wipe_ctx_o  (wipe_ctx)
  );

  // --- Inbound --------------------------------------------------------------------------------------

  logic   op_valid;
  logic   op_ready;
  op_t    op;
  logic   frame_valid;
  logic   frame_ready;
  frame_t frame;
  logic   source_valid;
  logic   source_ready;
  span_t  source;

  sealgate_fifo #(
    .Width($bits(op_t)),
    .Depth(OpDepth)
  ) u_ops (
    .clk_i,
    .rst_ni (engine_rst_n),
    .clear_i(1'b0),
    .valid_i(op_in_valid),
    .ready_o(op_in_ready),
    .data_i (op_in),
    .valid_o(op_valid),
    .ready_i(op_ready),
    .data_o (op)
  );

  sealgate_fifo #(
    .Width($bits(frame_t)),
    .Depth(OpDepth)
  ) u_frames (
    .clk_i,
    .rst_ni (engine_rst_n),
    .clear_i(1'b0),
    .valid_i(frame_in_valid),
    .ready_o(frame_in_ready),
    .data_i (frame_in),
    .valid_o(frame_valid),
    .ready_i(frame_ready),
    .data_o (frame)
  );

  sealgate_fifo #(
    .Width($bits(span_t)),
    .Depth(OpDepth)
  ) u_sources (
    .clk_i,
    .rst_ni (engine_rst_n),
    .clear_i(1'b0),
    .valid_i(source_in_valid),
    .ready_o(source_in_ready),
    .data_i (source_in),
    .valid_o(source_valid),
    .ready_i(source_ready),
    .data_o (source)
  );

  logic                payload_ar_valid;
  logic                payload_ar_ready;
  logic [63:0]         payload_ar_address;
  logic [7:0]          payload_ar_len;
  logic                source_beat_valid;
  logic                source_beat_ready;
  logic [BusWidth-1:0] source_beat_data;
  logic                source_beat_error;

  sealgate_read_engine u_read_engine (
    .clk_i,
    .rst_ni      (engine_rst_n),
    .span_valid_i(source_valid),
    .span_ready_o(source_ready),
    .span_i      (source),
    .ar_valid_o  (payload_ar_valid),
    .ar_ready_i  (payload_ar_ready),
    .ar_address_o(payload_ar_address),
    .ar_len_o    (payload_ar_len),
    .r_valid_i   (m_axi_rvalid_i && (m_axi_rid_i == IdPayload)),
    .r_data_i    (m_axi_rdata_i),
    .r_error_i   (m_axi_rresp_i[1]),
    .beat_valid_o(source_beat_valid),
    .beat_ready_i(source_beat_ready),
    .beat_data_o (source_beat_data),
    .beat_error_o(source_beat_error),
    .busy_o      (read_busy)
  );

  assign m_axi_arsize_o  = 3'($clog2(BusBytes));
  assign m_axi_arburst_o = 2'b01;
  assign m_axi_rready_o  = 1'b1;

  sealgate_read_mux u_read_mux (
    .clk_i,
    .rst_ni              (engine_rst_n),
    .entry_ar_valid_i    (entry_ar_valid),
    .entry_ar_ready_o    (entry_ar_ready),
    .entry_ar_address_i  (entry_ar_address),
    .entry_ar_len_i      (entry_ar_len),
    .payload_ar_valid_i  (payload_ar_valid),
    .payload_ar_ready_o  (payload_ar_ready),
    .payload_ar_address_i(payload_ar_address),
    .payload_ar_len_i    (payload_ar_len),
    .ar_id_o             (m_axi_arid_o),
    .ar_address_o        (m_axi_araddr_o),
    .ar_len_o            (m_axi_arlen_o),
    .ar_valid_o          (m_axi_arvalid_o),
    .ar_ready_i          (m_axi_arready_i)
  );

  logic                    in_cmd_valid;
  logic                    cmd_ready;
  logic [ContextWidth-1:0] in_cmd_ctx;
  logic                    in_cmd_open;
  logic [95:0]             in_cmd_nonce;
  logic [127:0]            in_cmd_aad;
  logic [15:0]             in_cmd_text_bytes;
  logic                    in_text_valid;
  logic                    text_in_ready;
  logic [BusWidth-1:0]     in_text_data;
  logic                    in_text_error;
  logic                    received_in_valid;
  logic                    received_in_ready;
  received_t               received_in;
  logic                    received_valid;
  logic                    received_ready;
  received_t               received;

  sealgate_record_in #(
    .ContextWidth(ContextWidth)
  ) u_record_in (
    .clk_i,
    .rst_ni          (engine_rst_n),
    .frame_valid_i   (frame_valid),
    .frame_ready_o   (frame_ready),
    .frame_i         (frame),
    .beat_valid_i    (source_beat_valid),
    .beat_ready_o    (source_beat_ready),
    .beat_data_i     (source_beat_data),
    .beat_error_i    (source_beat_error),
    .cmd_valid_o     (in_cmd_valid),
    .cmd_ready_i     (cmd_ready),
    .cmd_ctx_o       (in_cmd_ctx),
    .cmd_open_o      (in_cmd_open),
    .cmd_nonce_o     (in_cmd_nonce),
    .cmd_aad_o       (in_cmd_aad),
    .cmd_text_bytes_o(in_cmd_text_bytes),
    .text_valid_o    (in_text_valid),
    .text_ready_i    (text_in_ready),
    .text_data_o     (in_text_data),
    .text_error_o    (in_text_error),
    .received_valid_o(received_in_valid),
    .received_ready_i(received_in_ready),
    .received_o      (received_in)
  );

  sealgate_fifo #(
    .Width($bits(received_t)),
    .Depth(OpDepth)
  ) u_received (
    .clk_i,
    .rst_ni (engine_rst_n),
    .clear_i(1'b0),
    .valid_i(received_in_valid),
    .ready_o(received_in_ready),
    .data_i (received_in),
    .valid_o(received_valid),
    .ready_i(received_ready),
    .data_o (received)
  );

  // --- Lane -----------------------------------------------------------------------------------------

  logic                test_cmd_valid;
  logic                test_cmd_open;
  logic [95:0]         test_cmd_nonce;
  logic [127:0]        test_cmd_aad;
  logic [15:0]         test_cmd_text_bytes;
  logic                test_text_valid;
  logic [BusWidth-1:0] test_text_data;
  logic                test_out_ready;
  logic                test_tag_ready;
  logic                text_valid;
  logic                text_ready;
  logic [BusWidth-1:0] text_data;
  logic                text_last;
  logic                tag_valid;
  logic                tag_ready;
  logic [127:0]        tag;
  logic                tag_error;
  logic                lane_busy;

  sealgate_gcm_core #(
    .NumContexts(NumContexts)
  ) u_gcm_core (
    .clk_i,
    .rst_ni          (engine_rst_n),
    .key_valid_i     (key_valid),
    .key_ready_o     (key_ready),
    .key_ctx_i       (key_ctx),
    .key_data_i      (key_data),
    .key_aes256_i    (key_aes256),
    .key_done_o      (key_done),
    .wipe_valid_i    (wipe_valid),
    .wipe_ready_o    (wipe_ready),
    .wipe_ctx_i      (wipe_ctx),
    .cmd_valid_i     (selftest_active ? test_cmd_valid : in_cmd_valid),
    .cmd_ready_o     (cmd_ready),
    .cmd_ctx_i       (selftest_active ? '0 : in_cmd_ctx),
    .cmd_open_i      (selftest_active ? test_cmd_open : in_cmd_open),
    .cmd_nonce_i     (selftest_active ? test_cmd_nonce : in_cmd_nonce),
    .cmd_aad_i       (selftest_active ? test_cmd_aad : in_cmd_aad),
    .cmd_aad_bytes_i (5'(sealgate_abi_pkg::RecordHeaderBytes)),
    .cmd_text_bytes_i(selftest_active ? test_cmd_text_bytes : in_cmd_text_bytes),
    .in_valid_i      (selftest_active ? test_text_valid : in_text_valid),
    .in_ready_o      (text_in_ready),
    .in_data_i       (selftest_active ? test_text_data : in_text_data),
    .in_error_i      (!selftest_active && in_text_error),
    .out_valid_o     (text_valid),
    .out_ready_i     (selftest_active ? test_out_ready : text_ready),
    .out_data_o      (text_data),
    .out_last_o      (text_last),
    .tag_valid_o     (tag_valid),
    .tag_ready_i     (selftest_active ? test_tag_ready : tag_ready),
    .tag_o           (tag),
    .tag_error_o     (tag_error),
    .busy_o          (lane_busy),
    .stat_beat_o     (stat_beat),
    .stat_stall_in_o (stat_stall_in),
    .stat_stall_out_o(stat_stall_out)
  );

  sealgate_selftest u_selftest (
    .clk_i,
    .rst_ni          (engine_rst_n),
    .start_i         (selftest_start),
    .fault_i         (selftest_fault),
    .done_o          (selftest_done),
    .passed_o        (selftest_passed),
    .load_o          (test_load),
    .drop_o          (test_drop),
    .context_o       (test_context),
    .key_o           (test_key),
    .request_done_i  (contexts_done),
    .cmd_valid_o     (test_cmd_valid),
    .cmd_ready_i     (cmd_ready),
    .cmd_open_o      (test_cmd_open),
    .cmd_nonce_o     (test_cmd_nonce),
    .cmd_aad_o       (test_cmd_aad),
    .cmd_text_bytes_o(test_cmd_text_bytes),
    .text_valid_o    (test_text_valid),
    .text_ready_i    (text_in_ready),
    .text_data_o     (test_text_data),
    .text_valid_i    (text_valid),
    .text_ready_o    (test_out_ready),
    .text_data_i     (text_data),
    .tag_valid_i     (tag_valid),
    .tag_ready_o     (test_tag_ready),
    .tag_i           (tag)
  );

  // --- Outbound -------------------------------------------------------------------------------------

  logic                span_valid;
  logic                span_ready;
  span_t               span;
  logic                chunk_valid;
  logic                chunk_ready;
  logic [BusWidth-1:0] chunk_data;
  logic [4:0]          chunk_bytes;
  logic                chunk_last;
  logic                out_beat_valid;
  logic                out_beat_ready;
  logic [BusWidth-1:0] out_beat_data;

  sealgate_record_out u_record_out (
    .clk_i,
    .rst_ni          (engine_rst_n),
    .op_valid_i      (op_valid),
    .op_ready_o      (op_ready),
    .op_i            (op),
    .text_valid_i    (!selftest_active && text_valid),
    .text_ready_o    (text_ready),
    .text_data_i     (text_data),
    .text_last_i     (text_last),
    .tag_valid_i     (!selftest_active && tag_valid),
    .tag_ready_o     (tag_ready),
    .tag_i           (tag),
    .tag_error_i     (tag_error),
    .received_valid_i(received_valid),
    .received_ready_o(received_ready),
    .received_i      (received),
    .span_valid_o    (span_valid),
    .span_ready_i    (span_ready),
    .span_o          (span),
    .chunk_valid_o   (chunk_valid),
    .chunk_ready_i   (chunk_ready),
    .chunk_data_o    (chunk_data),
    .chunk_bytes_o   (chunk_bytes),
    .chunk_last_o    (chunk_last),
    .result_valid_o  (result_valid),
    .result_ready_i  (result_ready),
    .result_o        (result)
  );

  sealgate_byte_pack u_byte_pack (
    .clk_i,
    .rst_ni       (engine_rst_n),
    .start_i      (span_valid && span_ready),
    .offset_i     (span.address[3:0]),
    .chunk_valid_i(chunk_valid),
    .chunk_ready_o(chunk_ready),
    .chunk_data_i (chunk_data),
    .chunk_bytes_i(chunk_bytes),
    .chunk_last_i (chunk_last),
    .beat_valid_o (out_beat_valid),
    .beat_ready_i (out_beat_ready),
    .beat_data_o  (out_beat_data)
  );

  logic                payload_aw_valid;
  logic                payload_aw_ready;
  logic [63:0]         payload_aw_address;
  logic [7:0]          payload_aw_len;
  logic                payload_w_valid;
  logic                payload_w_ready;
  logic [BusWidth-1:0] payload_w_data;
  logic [BusBytes-1:0] payload_w_strb;
  logic                payload_w_last;
  logic                ack_valid;
  logic                ack_ready;
  logic                ack_error;

  sealgate_write_engine u_write_engine (
    .clk_i,
    .rst_ni      (engine_rst_n),
    .span_valid_i(span_valid),
    .span_ready_o(span_ready),
    .span_i      (span),
    .beat_valid_i(out_beat_valid),
    .beat_ready_o(out_beat_ready),
    .beat_data_i (out_beat_data),
    .aw_valid_o  (payload_aw_valid),
    .aw_ready_i  (payload_aw_ready),
    .aw_address_o(payload_aw_address),
    .aw_len_o    (payload_aw_len),
    .w_valid_o   (payload_w_valid),
    .w_ready_i   (payload_w_ready),
    .w_data_o    (payload_w_data),
    .w_strb_o    (payload_w_strb),
    .w_last_o    (payload_w_last),
    .b_valid_i   (m_axi_bvalid_i && (m_axi_bid_i == IdPayload)),
    .b_error_i   (m_axi_bresp_i[1]),
    .ack_valid_o (ack_valid),
    .ack_ready_i (ack_ready),
    .ack_error_o (ack_error),
    .busy_o      (write_busy)
  );

  // --- Completion -----------------------------------------------------------------------------------

  logic    done_valid;
  logic    done_ready;
  result_t done;

  sealgate_fifo #(
    .Width($bits(result_t)),
    .Depth(OpDepth)
  ) u_results (
    .clk_i,
    .rst_ni (engine_rst_n),
    .clear_i(1'b0),
    .valid_i(result_valid),
    .ready_o(result_ready),
    .data_i (result),
    .valid_o(done_valid),
    .ready_i(done_ready),
    .data_o (done)
  );

  logic                completion_aw_valid;
  logic                completion_aw_ready;
  logic [63:0]         completion_aw_address;
  logic                completion_w_valid;
  logic                completion_w_ready;
  logic [BusWidth-1:0] completion_w_data;

  sealgate_completer u_completer (
    .clk_i,
    .rst_ni          (engine_rst_n),
    .result_valid_i  (done_valid),
    .result_ready_o  (done_ready),
    .result_i        (done),
    .ack_valid_i     (ack_valid),
    .ack_ready_o     (ack_ready),
    .ack_error_i     (ack_error),
    .start_i         (queue_start),
    .cq_base_i       (cq_base),
    .cq_log2_i       (cq_log2),
    .cq_tail_o       (cq_tail),
    .aw_valid_o      (completion_aw_valid),
    .aw_ready_i      (completion_aw_ready),
    .aw_address_o    (completion_aw_address),
    .w_valid_o       (completion_w_valid),
    .w_ready_i       (completion_w_ready),
    .w_data_o        (completion_w_data),
    .b_valid_i       (m_axi_bvalid_i && (m_axi_bid_i == IdCompletion)),
    .b_error_i       (m_axi_bresp_i[1]),
    .complete_o      (complete),
    .complete_queue_o(complete_queue),
    .complete_error_o(complete_error),
    .stat_valid_o    (stat_valid),
    .stat_o          (stat),
    .busy_o          (completer_busy)
  );

  sealgate_write_mux u_write_mux (
    .clk_i,
    .rst_ni                 (engine_rst_n),
    .payload_aw_valid_i     (payload_aw_valid),
    .payload_aw_ready_o     (payload_aw_ready),
    .payload_aw_address_i   (payload_aw_address),
    .payload_aw_len_i       (payload_aw_len),
    .payload_w_valid_i      (payload_w_valid),
    .payload_w_ready_o      (payload_w_ready),
    .payload_w_data_i       (payload_w_data),
    .payload_w_strb_i       (payload_w_strb),
    .payload_w_last_i       (payload_w_last),
    .completion_aw_valid_i  (completion_aw_valid),
    .completion_aw_ready_o  (completion_aw_ready),
    .completion_aw_address_i(completion_aw_address),
    .completion_w_valid_i   (completion_w_valid),
    .completion_w_ready_o   (completion_w_ready),
    .completion_w_data_i    (completion_w_data),
    .aw_id_o                (m_axi_awid_o),
    .aw_address_o           (m_axi_awaddr_o),
    .aw_len_o               (m_axi_awlen_o),
    .aw_valid_o             (m_axi_awvalid_o),
    .aw_ready_i             (m_axi_awready_i),
    .w_data_o               (m_axi_wdata_o),
    .w_strb_o               (m_axi_wstrb_o),
    .w_last_o               (m_axi_wlast_o),
    .w_valid_o              (m_axi_wvalid_o),
    .w_ready_i              (m_axi_wready_i)
  );

  assign m_axi_awsize_o  = 3'($clog2(BusBytes));
  assign m_axi_awburst_o = 2'b01;
  assign m_axi_bready_o  = 1'b1;

  // Bursts are counted by those who asked for them.
  logic unused;
  assign unused = ^{m_axi_rlast_i, m_axi_rresp_i[0], m_axi_bresp_i[0], lane_busy};

endmodule

`default_nettype wire
