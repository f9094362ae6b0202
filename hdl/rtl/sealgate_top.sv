// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The sealgate TLS record engine behind the portable boundary: AXI4-Lite slave for the registers,
// AXI4 master for host memory, interrupt messages. Board wrappers (hdl/boards) fit it to a shell.
//
// Theory of operation, in the order of the data (docs/device.md is the contract):
//
//   queues -> decode -> dispatch -+-> lane 0: read port -> record in -> AEAD -> record out -> ...
//                                 +-> lane 1: ...
//   csr, supervisor, interrupts <- completer <- ... write port
//
// Decode serves the queues in turn, one record a turn, and cuts long entries into records. A record
// goes to the lane with the least work, so those of one entry are sealed side by side. The
// completer holds a ticket for each entry: it puts the results of the lanes back into the order of
// each queue. Nothing in front of the lanes waits for a lane except decode, and that only when all
// are full.

`default_nettype none

module sealgate_top
  import sealgate_pkg::*;
  import sealgate_gf128_pkg::mul_style_e;
#(
  parameter int unsigned LANES = 1,         // 1, 2 or 4
  parameter int unsigned DATA_WIDTH = 128,  // of the memory bus: 128, 256 or 512
  parameter int unsigned READ_TAGS = 32,    // read bursts that a lane may have under way: 4 to 256
  parameter int unsigned NumContexts = 1024,
  parameter bit Chacha = 1'b1,              // 0 leaves ChaCha20-Poly1305 out
  // As simulation likes it: tables and integer products. Hardware takes SboxComposite and MulXor.
  parameter sealgate_aes_pkg::sbox_style_e SboxStyle = sealgate_aes_pkg::SboxTable,
  parameter mul_style_e GfMulStyle = sealgate_gf128_pkg::MulInteger,
  // Short queues between the parts of a lane; simulation has them only to test them.
  parameter bit Pipelined = (SboxStyle == sealgate_aes_pkg::SboxComposite),
  parameter logic [31:0] Build = 32'd0
) (
  input  wire logic                    clk_i,
  input  wire logic                    rst_ni,

  input  wire logic [15:0]             s_axil_awaddr_i,
  input  wire logic [2:0]              s_axil_awprot_i,
  input  wire logic                    s_axil_awvalid_i,
  output      logic                    s_axil_awready_o,
  input  wire logic [31:0]             s_axil_wdata_i,
  input  wire logic [3:0]              s_axil_wstrb_i,
  input  wire logic                    s_axil_wvalid_i,
  output      logic                    s_axil_wready_o,
  output      logic [1:0]              s_axil_bresp_o,
  output      logic                    s_axil_bvalid_o,
  input  wire logic                    s_axil_bready_i,
  input  wire logic [15:0]             s_axil_araddr_i,
  input  wire logic [2:0]              s_axil_arprot_i,
  input  wire logic                    s_axil_arvalid_i,
  output      logic                    s_axil_arready_o,
  output      logic [31:0]             s_axil_rdata_o,
  output      logic [1:0]              s_axil_rresp_o,
  output      logic                    s_axil_rvalid_o,
  input  wire logic                    s_axil_rready_i,

  output      bus_id_t                 m_axi_arid_o,
  output      logic [63:0]             m_axi_araddr_o,
  output      logic [7:0]              m_axi_arlen_o,
  output      logic [2:0]              m_axi_arsize_o,
  output      logic [1:0]              m_axi_arburst_o,
  output      logic                    m_axi_arvalid_o,
  input  wire logic                    m_axi_arready_i,
  input  wire bus_id_t                 m_axi_rid_i,
  input  wire logic [DATA_WIDTH-1:0]   m_axi_rdata_i,
  input  wire logic [1:0]              m_axi_rresp_i,
  input  wire logic                    m_axi_rlast_i,
  input  wire logic                    m_axi_rvalid_i,
  output      logic                    m_axi_rready_o,
  output      bus_id_t                 m_axi_awid_o,
  output      logic [63:0]             m_axi_awaddr_o,
  output      logic [7:0]              m_axi_awlen_o,
  output      logic [2:0]              m_axi_awsize_o,
  output      logic [1:0]              m_axi_awburst_o,
  output      logic                    m_axi_awvalid_o,
  input  wire logic                    m_axi_awready_i,
  output      logic [DATA_WIDTH-1:0]   m_axi_wdata_o,
  output      logic [DATA_WIDTH/8-1:0] m_axi_wstrb_o,
  output      logic                    m_axi_wlast_o,
  output      logic                    m_axi_wvalid_o,
  input  wire logic                    m_axi_wready_i,
  input  wire bus_id_t                 m_axi_bid_i,
  input  wire logic [1:0]              m_axi_bresp_i,
  input  wire logic                    m_axi_bvalid_i,
  output      logic                    m_axi_bready_o,

  output      logic                    irq_valid_o,
  output      queue_id_t               irq_index_o,
  input  wire logic                    irq_ready_i
);

  localparam int unsigned ContextWidth = $clog2(NumContexts);

  // --- Control -----------------------------------------------------------------------------------

  logic             engine_rst_n;
  logic             written;
  logic             enable;
  logic             reset_request;
  logic             zeroize_request;
  logic             selftest_fault;
  logic [1:0]       selftest_state;
  logic             selftest_failed;
  logic             selftest_start;
  logic             selftest_active;
  logic             selftest_done;
  logic             selftest_passed;
  logic             fetch;
  logic             ready;
  logic             sweep;
  logic             sweep_done;
  logic             queues_busy;
  logic             decode_busy;
  logic             completer_busy;
  logic [LANES-1:0] read_busy;
  logic [LANES-1:0] write_busy;
  logic             entries_busy;
  logic             records_busy;

  // Queues, decode and completer have something to do a few times per record, and the contexts what
  // decode asks for: when there is nothing, their clock rests (sealgate_clock_gate). Until the engine
  // is ready there is always something, and the self test belongs to that time.
  logic control_clk;
  logic queues_active;
  logic decode_active;
  logic completer_active;

  sealgate_clock_gate u_control_clock_gate (
    .clk_i,
    .enable_i(!engine_rst_n || !ready || queues_active || decode_active || completer_active),
    .clk_o   (control_clk)
  );

  assign entries_busy = queues_busy || completer_busy;
  assign records_busy = decode_busy || (write_busy != '0);

  sealgate_supervisor u_supervisor (
    .clk_i,
    .rst_ni,
    .reset_i          (reset_request),
    .zeroize_i        (zeroize_request),
    .busy_i           (entries_busy || records_busy || (read_busy != '0)),
    .decode_busy_i    (records_busy),
    .engine_rst_no    (engine_rst_n),
    .fetch_o          (fetch),
    .ready_o          (ready),
    .selftest_o       (selftest_state),
    .selftest_failed_o(selftest_failed),
    .sweep_o          (sweep),
    .sweep_done_i     (sweep_done),
    .selftest_start_o (selftest_start),
    .selftest_active_o(selftest_active),
    .selftest_done_i  (selftest_done),
    .selftest_passed_i(selftest_passed)
  );

  logic [QueueCount-1:0] irq_status;
  logic [QueueCount-1:0] irq_rearm;
  logic [QueueCount-1:0] irq_enable;
  logic [7:0]            irq_count;
  logic [23:0]           irq_cycles;
  logic [QueueCount-1:0] queue_enable;
  logic [63:0]           sq_base[QueueCount];
  logic [63:0]           cq_base[QueueCount];
  logic [3:0]            sq_log2[QueueCount];
  logic [3:0]            cq_log2[QueueCount];
  logic [15:0]           sq_tail[QueueCount];
  logic [15:0]           cq_head[QueueCount];
  logic [15:0]           sq_head[QueueCount];
  logic [15:0]           cq_tail[QueueCount];
  logic [QueueCount-1:0] queue_start;
  logic [QueueCount-1:0] entry_fault;
  logic [QueueCount-1:0] bad_doorbell;
  logic [QueueCount-1:0] wait_completion;
  logic [QueueCount-1:0] wait_fetch;
  logic [QueueCount-1:0] wait_lane;
  logic [QueueCount-1:0] wait_context;

  logic         complete_valid;
  queue_id_t    complete_queue;
  logic [2:0]   complete_count;
  logic         complete_error;
  logic         stat_valid;
  stat_t        stat;
  lane_events_t lane_events[LANES];

  // What happens on the bus is counted a cycle later: little hangs on its pins that way.
  logic read_beat_q;
  logic read_stall_q;
  logic write_beat_q;
  logic write_stall_q;

  always_ff @(posedge clk_i) begin
    if (!engine_rst_n) begin
      read_beat_q   <= 1'b0;
      read_stall_q  <= 1'b0;
      write_beat_q  <= 1'b0;
      write_stall_q <= 1'b0;
    end else begin
      read_beat_q   <= m_axi_rvalid_i;
      read_stall_q  <= m_axi_arvalid_o && !m_axi_arready_i;
      write_beat_q  <= m_axi_wvalid_o && m_axi_wready_i;
      write_stall_q <= m_axi_wvalid_o && !m_axi_wready_i;
    end
  end

  sealgate_csr #(
    .NumContexts(NumContexts),
    .Lanes      (LANES),
    .DataWidth  (DATA_WIDTH),
    .Chacha     (Chacha),
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
    .written_o        (written),
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
    .irq_enable_o     (irq_enable),
    .irq_rearm_o      (irq_rearm),
    .irq_count_o      (irq_count),
    .irq_cycles_o     (irq_cycles),
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
    .complete_valid_i (complete_valid),
    .complete_queue_i (complete_queue),
    .complete_error_i (complete_error),
    .read_beat_i      (read_beat_q),
    .read_stall_i     (read_stall_q),
    .write_beat_i     (write_beat_q),
    .write_stall_i    (write_stall_q),
    .lane_events_i    (lane_events),
    .wait_completion_i(wait_completion),
    .wait_fetch_i     (wait_fetch),
    .wait_lane_i      (wait_lane),
    .wait_context_i   (wait_context),
    .stat_valid_i     (stat_valid),
    .stat_i           (stat)
  );

  sealgate_interrupts u_interrupts (
    .clk_i,
    .rst_ni,
    .status_i        (irq_status),
    .enable_i        (irq_enable),
    .rearm_i         (irq_rearm),
    .count_i         (irq_count),
    .cycles_i        (irq_cycles),
    .complete_valid_i(complete_valid),
    .complete_queue_i(complete_queue),
    .complete_count_i(complete_count),
    .irq_valid_o,
    .irq_index_o,
    .irq_ready_i
  );

  // --- Entries -----------------------------------------------------------------------------------

  logic                   entry_ar_valid;
  logic                   entry_ar_ready;
  logic [BusTagWidth-1:0] entry_ar_tag;
  logic [63:0]            entry_ar_address;
  logic [7:0]             entry_ar_len;
  logic [QueueCount-1:0]  present;
  logic                   read_entry;
  queue_id_t              read_queue;
  entry_t                 entry;
  logic [TicketWidth-1:0] entry_index;
  logic                   advance;
  logic                   rewrite;
  logic [511:0]           rewrite_bytes;

  logic [BusPortWidth-1:0] r_port;
  logic [BusTagWidth-1:0]  r_tag;
  logic [BusPortWidth-1:0] b_port;
  assign {r_port, r_tag} = m_axi_rid_i;
  assign b_port          = m_axi_bid_i[BusIdWidth-1:BusTagWidth];

  sealgate_queues #(
    .DataWidth(DATA_WIDTH)
  ) u_queues (
    .clk_i            (control_clk),
    .rst_ni           (engine_rst_n),
    .written_i        (written),
    .fetch_enable_i   (fetch && enable),
    .enable_i         (queue_enable),
    .sq_base_i        (sq_base),
    .sq_log2_i        (sq_log2),
    .cq_log2_i        (cq_log2),
    .sq_tail_i        (sq_tail),
    .cq_head_i        (cq_head),
    .sq_head_o        (sq_head),
    .start_o          (queue_start),
    .bad_doorbell_o   (bad_doorbell),
    .entry_fault_o    (entry_fault),
    .ar_valid_o       (entry_ar_valid),
    .ar_ready_i       (entry_ar_ready),
    .ar_tag_o         (entry_ar_tag),
    .ar_address_o     (entry_ar_address),
    .ar_len_o         (entry_ar_len),
    .r_valid_i        (m_axi_rvalid_i && (r_port == PortQueues)),
    .r_tag_i          (r_tag),
    .r_data_i         (m_axi_rdata_i),
    .r_error_i        (m_axi_rresp_i[1]),
    .present_o        (present),
    .read_i           (read_entry),
    .read_queue_i     (read_queue),
    .entry_o          (entry),
    .index_o          (entry_index),
    .advance_i        (advance),
    .rewrite_i        (rewrite),
    .rewrite_bytes_i  (rewrite_bytes),
    .complete_valid_i (complete_valid),
    .complete_queue_i (complete_queue),
    .complete_count_i (complete_count),
    .wait_completion_o(wait_completion),
    .wait_fetch_o     (wait_fetch),
    .busy_o           (queues_busy),
    .active_o         (queues_active)
  );

  logic         lookup;
  ctx_t         lookup_ctx;
  context_t     context_read;
  logic         request_valid;
  logic         request_ready;
  logic         request_load;
  ctx_t         request_ctx;
  context_t     request_context;
  logic [255:0] request_key;
  logic         request_done;
  logic         opening_valid;
  opening_t     opening;
  logic         cut_valid;
  logic         cut_ready;
  job_t         cut;
  logic         job_done;
  queue_id_t    job_done_queue;

  sealgate_decode #(
    .NumContexts(NumContexts),
    .Chacha     (Chacha),
    .Pipelined  (Pipelined)
  ) u_decode (
    .clk_i            (control_clk),
    .rst_ni           (engine_rst_n),
    .ready_i          (ready),
    .present_i        (present),
    .read_o           (read_entry),
    .read_queue_o     (read_queue),
    .entry_i          (entry),
    .index_i          (entry_index),
    .advance_o        (advance),
    .rewrite_o        (rewrite),
    .rewrite_bytes_o  (rewrite_bytes),
    .lookup_o         (lookup),
    .lookup_ctx_o     (lookup_ctx),
    .lookup_i         (context_read),
    .request_valid_o  (request_valid),
    .request_ready_i  (request_ready),
    .request_load_o   (request_load),
    .request_ctx_o    (request_ctx),
    .request_context_o(request_context),
    .request_key_o    (request_key),
    .request_done_i   (request_done),
    .opening_valid_o  (opening_valid),
    .opening_o        (opening),
    .job_valid_o      (cut_valid),
    .job_ready_i      (cut_ready),
    .job_o            (cut),
    .job_done_i       (job_done),
    .job_done_queue_i (job_done_queue),
    .wait_lane_o      (wait_lane),
    .wait_context_o   (wait_context),
    .busy_o           (decode_busy),
    .active_o         (decode_active)
  );

  logic [LANES-1:0] job_valid;
  logic [LANES-1:0] job_ready;
  job_t             job;
  logic [LANES-1:0] result_valid;
  logic [LANES-1:0] result_ready;
  result_t          result[LANES];

  sealgate_dispatch #(
    .Lanes(LANES)
  ) u_dispatch (
    .clk_i,
    .rst_ni        (engine_rst_n),
    .job_valid_i   (cut_valid),
    .job_ready_o   (cut_ready),
    .job_i         (cut),
    .job_valid_o   (job_valid),
    .job_ready_i   (job_ready),
    .job_o         (job),
    .result_valid_i(result_valid & result_ready)
  );

  // --- Contexts: shared with the self test, which runs only while entries are refused ------------

  logic                    test_load;
  logic                    test_drop;
  context_t                test_context;
  logic [255:0]            test_key;
  logic                    test_request_done;
  logic                    key_valid;
  logic                    key_ready;
  logic                    key_done;
  logic [LANES-1:0]        lane_key_valid;
  logic [LANES-1:0]        lane_key_ready;
  logic [LANES-1:0]        lane_key_done;
  logic [ContextWidth-1:0] key_ctx;
  logic [255:0]            key_data;
  suite_t                  key_suite;
  logic                    wipe_valid;
  logic                    wipe_ready;
  logic [LANES-1:0]        lane_wipe_valid;
  logic [LANES-1:0]        lane_wipe_ready;
  logic [ContextWidth-1:0] wipe_ctx;

  sealgate_contexts #(
    .NumContexts(NumContexts),
    .Pipelined  (Pipelined)
  ) u_contexts (
    .clk_i            (control_clk),
    .rst_ni           (engine_rst_n),
    .lookup_i         (lookup),
    .lookup_ctx_i     (lookup_ctx),
    .lookup_o         (context_read),
    .request_valid_i  (request_valid),
    .request_ready_o  (request_ready),
    .request_load_i   (request_load),
    .request_ctx_i    (request_ctx),
    .request_context_i(request_context),
    .request_key_i    (request_key),
    .request_done_o   (request_done),
    .sweep_i          (sweep),
    .sweep_done_o     (sweep_done),
    .test_load_i      (test_load),
    .test_drop_i      (test_drop),
    .test_context_i   (test_context),
    .test_key_i       (test_key),
    .test_done_o      (test_request_done),
    .key_valid_o      (key_valid),
    .key_ready_i      (key_ready),
    .key_ctx_o        (key_ctx),
    .key_data_o       (key_data),
    .key_suite_o      (key_suite),
    .key_done_i       (key_done),
    .wipe_valid_o     (wipe_valid),
    .wipe_ready_i     (wipe_ready),
    .wipe_ctx_o       (wipe_ctx)
  );

  // All lanes hold the same keys.
  sealgate_key_fanout #(
    .Lanes(LANES)
  ) u_key_fanout (
    .clk_i,
    .rst_ni      (engine_rst_n),
    .key_valid_i (key_valid),
    .key_ready_o (key_ready),
    .key_done_o  (key_done),
    .wipe_valid_i(wipe_valid),
    .wipe_ready_o(wipe_ready),
    .key_valid_o (lane_key_valid),
    .key_ready_i (lane_key_ready),
    .key_done_i  (lane_key_done),
    .wipe_valid_o(lane_wipe_valid),
    .wipe_ready_i(lane_wipe_ready)
  );

  // --- Lanes -------------------------------------------------------------------------------------

  logic                 test_cmd_valid;
  logic [LANES-1:0]     test_cmd_ready;
  suite_t               test_cmd_suite;
  logic                 test_cmd_open;
  logic [95:0]          test_cmd_nonce;
  logic [127:0]         test_cmd_aad;
  logic [15:0]          test_cmd_text_bytes;
  logic                 test_text_valid;
  logic [LANES-1:0]     test_text_ready;
  logic [WordWidth-1:0] test_text_data;
  logic                 test_out_valid[LANES];
  logic                 test_out_ready;
  logic [WordWidth-1:0] test_out_data [LANES];
  logic                 test_tag_valid[LANES];
  logic                 test_tag_ready;
  logic [127:0]         test_tag      [LANES];

  logic [LANES-1:0]        lane_ar_valid;
  logic [LANES-1:0]        lane_ar_ready;
  logic [BusTagWidth-1:0]  lane_ar_tag    [LANES];
  logic [63:0]             lane_ar_address[LANES];
  logic [7:0]              lane_ar_len    [LANES];
  logic [LANES-1:0]        lane_aw_valid;
  logic [LANES-1:0]        lane_aw_ready;
  logic [63:0]             lane_aw_address[LANES];
  logic [7:0]              lane_aw_len    [LANES];
  logic [LANES-1:0]        lane_w_valid;
  logic [LANES-1:0]        lane_w_ready;
  logic [DATA_WIDTH-1:0]   lane_w_data    [LANES];
  logic [DATA_WIDTH/8-1:0] lane_w_strb    [LANES];
  logic [LANES-1:0]        lane_w_last;

  for (genvar l = 0; l < LANES; l++) begin : gen_lane
    logic                 source_span_valid;
    logic                 source_span_ready;
    span_t                source_span;
    logic                 source_word_valid;
    logic                 source_word_ready;
    logic [WordWidth-1:0] source_word;
    logic                 source_error;
    logic                 destination_span_valid;
    logic                 destination_span_ready;
    span_t                destination_span;
    logic                 destination_word_valid;
    logic                 destination_word_ready;
    logic [WordWidth-1:0] destination_word;
    logic                 ack_valid;
    logic                 ack_ready;
    logic                 ack_error;

    sealgate_read_port #(
      .DataWidth(DATA_WIDTH),
      .Tags     (READ_TAGS)
    ) u_read_port (
      .clk_i,
      .rst_ni      (engine_rst_n),
      .span_valid_i(source_span_valid),
      .span_ready_o(source_span_ready),
      .span_i      (source_span),
      .ar_valid_o  (lane_ar_valid[l]),
      .ar_ready_i  (lane_ar_ready[l]),
      .ar_tag_o    (lane_ar_tag[l]),
      .ar_address_o(lane_ar_address[l]),
      .ar_len_o    (lane_ar_len[l]),
      .r_valid_i   (m_axi_rvalid_i && (r_port == BusPortWidth'(l))),
      .r_tag_i     (r_tag),
      .r_data_i    (m_axi_rdata_i),
      .r_error_i   (m_axi_rresp_i[1]),
      .word_valid_o(source_word_valid),
      .word_ready_i(source_word_ready),
      .word_data_o (source_word),
      .word_error_o(source_error),
      .busy_o      (read_busy[l])
    );

    sealgate_lane #(
      .NumContexts(NumContexts),
      .SboxStyle  (SboxStyle),
      .GfMulStyle (GfMulStyle),
      .Chacha     (Chacha),
      .Pipelined  (Pipelined)
    ) u_lane (
      .clk_i,
      .rst_ni                  (engine_rst_n),
      .job_valid_i             (job_valid[l]),
      .job_ready_o             (job_ready[l]),
      .job_i                   (job),
      .source_span_valid_o     (source_span_valid),
      .source_span_ready_i     (source_span_ready),
      .source_span_o           (source_span),
      .source_word_valid_i     (source_word_valid),
      .source_word_ready_o     (source_word_ready),
      .source_word_data_i      (source_word),
      .source_word_error_i     (source_error),
      .destination_span_valid_o(destination_span_valid),
      .destination_span_ready_i(destination_span_ready),
      .destination_span_o      (destination_span),
      .destination_word_valid_o(destination_word_valid),
      .destination_word_ready_i(destination_word_ready),
      .destination_word_data_o (destination_word),
      .ack_valid_i             (ack_valid),
      .ack_ready_o             (ack_ready),
      .ack_error_i             (ack_error),
      .key_valid_i             (lane_key_valid[l]),
      .key_ready_o             (lane_key_ready[l]),
      .key_ctx_i               (key_ctx),
      .key_data_i              (key_data),
      .key_suite_i             (key_suite),
      .key_done_o              (lane_key_done[l]),
      .wipe_valid_i            (lane_wipe_valid[l]),
      .wipe_ready_o            (lane_wipe_ready[l]),
      .wipe_ctx_i              (wipe_ctx),
      .result_valid_o          (result_valid[l]),
      .result_ready_i          (result_ready[l]),
      .result_o                (result[l]),
      .events_o                (lane_events[l]),
      .test_active_i           (selftest_active),
      .test_cmd_valid_i        (test_cmd_valid),
      .test_cmd_ready_o        (test_cmd_ready[l]),
      .test_cmd_suite_i        (test_cmd_suite),
      .test_cmd_open_i         (test_cmd_open),
      .test_cmd_nonce_i        (test_cmd_nonce),
      .test_cmd_aad_i          (test_cmd_aad),
      .test_cmd_text_bytes_i   (test_cmd_text_bytes),
      .test_text_valid_i       (test_text_valid),
      .test_text_ready_o       (test_text_ready[l]),
      .test_text_data_i        (test_text_data),
      .test_out_valid_o        (test_out_valid[l]),
      .test_out_ready_i        (test_out_ready),
      .test_out_data_o         (test_out_data[l]),
      .test_tag_valid_o        (test_tag_valid[l]),
      .test_tag_ready_i        (test_tag_ready),
      .test_tag_o              (test_tag[l])
    );

    sealgate_write_port #(
      .DataWidth(DATA_WIDTH)
    ) u_write_port (
      .clk_i,
      .rst_ni      (engine_rst_n),
      .span_valid_i(destination_span_valid),
      .span_ready_o(destination_span_ready),
      .span_i      (destination_span),
      .word_valid_i(destination_word_valid),
      .word_ready_o(destination_word_ready),
      .word_data_i (destination_word),
      .aw_valid_o  (lane_aw_valid[l]),
      .aw_ready_i  (lane_aw_ready[l]),
      .aw_address_o(lane_aw_address[l]),
      .aw_len_o    (lane_aw_len[l]),
      .w_valid_o   (lane_w_valid[l]),
      .w_ready_i   (lane_w_ready[l]),
      .w_data_o    (lane_w_data[l]),
      .w_strb_o    (lane_w_strb[l]),
      .w_last_o    (lane_w_last[l]),
      .b_valid_i   (m_axi_bvalid_i && (b_port == BusPortWidth'(l))),
      .b_error_i   (m_axi_bresp_i[1]),
      .ack_valid_o (ack_valid),
      .ack_ready_i (ack_ready),
      .ack_error_o (ack_error),
      .busy_o      (write_busy[l])
    );
  end

  sealgate_selftest #(
    .Lanes (LANES),
    .Chacha(Chacha)
  ) u_selftest (
    .clk_i           (control_clk),
    .rst_ni          (engine_rst_n),
    .start_i         (selftest_start),
    .fault_i         (selftest_fault),
    .done_o          (selftest_done),
    .passed_o        (selftest_passed),
    .load_o          (test_load),
    .drop_o          (test_drop),
    .context_o       (test_context),
    .key_o           (test_key),
    .request_done_i  (test_request_done),
    .cmd_valid_o     (test_cmd_valid),
    .cmd_ready_i     (test_cmd_ready[0]),
    .cmd_suite_o     (test_cmd_suite),
    .cmd_open_o      (test_cmd_open),
    .cmd_nonce_o     (test_cmd_nonce),
    .cmd_aad_o       (test_cmd_aad),
    .cmd_text_bytes_o(test_cmd_text_bytes),
    .text_valid_o    (test_text_valid),
    .text_ready_i    (test_text_ready[0]),
    .text_data_o     (test_text_data),
    .text_valid_i    (test_out_valid),
    .text_ready_o    (test_out_ready),
    .text_data_i     (test_out_data),
    .tag_valid_i     (test_tag_valid),
    .tag_ready_o     (test_tag_ready),
    .tag_i           (test_tag)
  );

  // --- Memory bus --------------------------------------------------------------------------------

  sealgate_read_mux #(
    .Lanes(LANES)
  ) u_read_mux (
    .clk_i,
    .rst_ni            (engine_rst_n),
    .entry_ar_valid_i  (entry_ar_valid),
    .entry_ar_ready_o  (entry_ar_ready),
    .entry_ar_tag_i    (entry_ar_tag),
    .entry_ar_address_i(entry_ar_address),
    .entry_ar_len_i    (entry_ar_len),
    .lane_ar_valid_i   (lane_ar_valid),
    .lane_ar_ready_o   (lane_ar_ready),
    .lane_ar_tag_i     (lane_ar_tag),
    .lane_ar_address_i (lane_ar_address),
    .lane_ar_len_i     (lane_ar_len),
    .ar_id_o           (m_axi_arid_o),
    .ar_address_o      (m_axi_araddr_o),
    .ar_len_o          (m_axi_arlen_o),
    .ar_valid_o        (m_axi_arvalid_o),
    .ar_ready_i        (m_axi_arready_i)
  );

  logic                    completion_valid;
  logic                    completion_ready;
  logic [63:0]             completion_address;
  logic [DATA_WIDTH-1:0]   completion_data;
  logic [DATA_WIDTH/8-1:0] completion_strb;

  sealgate_completer #(
    .Lanes    (LANES),
    .DataWidth(DATA_WIDTH)
  ) u_completer (
    .clk_i           (control_clk),
    .rst_ni          (engine_rst_n),
    .opening_valid_i (opening_valid),
    .opening_i       (opening),
    .result_valid_i  (result_valid),
    .result_ready_o  (result_ready),
    .result_i        (result),
    .job_done_o      (job_done),
    .job_done_queue_o(job_done_queue),
    .start_i         (queue_start),
    .cq_base_i       (cq_base),
    .cq_log2_i       (cq_log2),
    .cq_tail_o       (cq_tail),
    .write_valid_o   (completion_valid),
    .write_ready_i   (completion_ready),
    .write_address_o (completion_address),
    .write_data_o    (completion_data),
    .write_strb_o    (completion_strb),
    .b_valid_i       (m_axi_bvalid_i && (b_port == PortQueues)),
    .b_error_i       (m_axi_bresp_i[1]),
    .complete_valid_o(complete_valid),
    .complete_queue_o(complete_queue),
    .complete_count_o(complete_count),
    .complete_error_o(complete_error),
    .stat_valid_o    (stat_valid),
    .stat_o          (stat),
    .busy_o          (completer_busy),
    .active_o        (completer_active)
  );

  sealgate_write_mux #(
    .Lanes    (LANES),
    .DataWidth(DATA_WIDTH)
  ) u_write_mux (
    .clk_i,
    .rst_ni              (engine_rst_n),
    .completion_valid_i  (completion_valid),
    .completion_ready_o  (completion_ready),
    .completion_address_i(completion_address),
    .completion_data_i   (completion_data),
    .completion_strb_i   (completion_strb),
    .lane_aw_valid_i     (lane_aw_valid),
    .lane_aw_ready_o     (lane_aw_ready),
    .lane_aw_address_i   (lane_aw_address),
    .lane_aw_len_i       (lane_aw_len),
    .lane_w_valid_i      (lane_w_valid),
    .lane_w_ready_o      (lane_w_ready),
    .lane_w_data_i       (lane_w_data),
    .lane_w_strb_i       (lane_w_strb),
    .lane_w_last_i       (lane_w_last),
    .aw_id_o             (m_axi_awid_o),
    .aw_address_o        (m_axi_awaddr_o),
    .aw_len_o            (m_axi_awlen_o),
    .aw_valid_o          (m_axi_awvalid_o),
    .aw_ready_i          (m_axi_awready_i),
    .w_data_o            (m_axi_wdata_o),
    .w_strb_o            (m_axi_wstrb_o),
    .w_last_o            (m_axi_wlast_o),
    .w_valid_o           (m_axi_wvalid_o),
    .w_ready_i           (m_axi_wready_i)
  );

  assign m_axi_arsize_o  = 3'($clog2(DATA_WIDTH / 8));
  assign m_axi_arburst_o = 2'b01;
  assign m_axi_rready_o  = 1'b1;
  assign m_axi_awsize_o  = 3'($clog2(DATA_WIDTH / 8));
  assign m_axi_awburst_o = 2'b01;
  assign m_axi_bready_o  = 1'b1;

  // Bursts are counted by those who asked for them; an order within a port needs no tag in B.
  logic unused;
  assign unused = ^{m_axi_rlast_i, m_axi_rresp_i[0], m_axi_bresp_i[0], m_axi_bid_i[BusTagWidth-1:0],
                    test_cmd_ready, test_text_ready};

endmodule

`default_nettype wire
