// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Registers: the generated block, the counters behind it, and arrays instead of names in front.
//
// Theory of operation: counters run in 64 bits; a write to SNAPSHOT copies all of them in one cycle
// into the registers that the host reads, so that a set is consistent. Counters are cleared by the
// engine's reset; registers that the host wrote are not.

`default_nettype none

module sealgate_csr
  import sealgate_pkg::*;
#(
  parameter int unsigned NumContexts = 1024,
  parameter logic [31:0] Build = 32'd0
) (
  input  wire logic        clk_i,
  input  wire logic        rst_ni,
  input  wire logic        engine_rst_ni,

  input  wire logic [14:0] s_axil_awaddr_i,
  input  wire logic [2:0]  s_axil_awprot_i,
  input  wire logic        s_axil_awvalid_i,
  output      logic        s_axil_awready_o,
  input  wire logic [31:0] s_axil_wdata_i,
  input  wire logic [3:0]  s_axil_wstrb_i,
  input  wire logic        s_axil_wvalid_i,
  output      logic        s_axil_wready_o,
  output      logic [1:0]  s_axil_bresp_o,
  output      logic        s_axil_bvalid_o,
  input  wire logic        s_axil_bready_i,
  input  wire logic [14:0] s_axil_araddr_i,
  input  wire logic [2:0]  s_axil_arprot_i,
  input  wire logic        s_axil_arvalid_i,
  output      logic        s_axil_arready_o,
  output      logic [31:0] s_axil_rdata_o,
  output      logic [1:0]  s_axil_rresp_o,
  output      logic        s_axil_rvalid_o,
  input  wire logic        s_axil_rready_i,

  output      logic        enable_o,
  output      logic        reset_o,
  output      logic        zeroize_o,
  output      logic        selftest_fault_o,
  input  wire logic [1:0]  selftest_i,
  input  wire logic        ready_i,
  input  wire logic        busy_i,
  input  wire logic        selftest_failed_i,
  input  wire logic        read_fault_i,
  input  wire logic        write_fault_i,

  output      logic        irq_status_o [QueueCount],
  output      logic        irq_written_o[QueueCount],
  output      logic        irq_enable_o [QueueCount],

  output      logic        queue_enable_o    [QueueCount],
  output      logic [63:0] sq_base_o         [QueueCount],
  output      logic [63:0] cq_base_o         [QueueCount],
  output      logic [3:0]  sq_log2_o         [QueueCount],
  output      logic [3:0]  cq_log2_o         [QueueCount],
  output      logic [15:0] sq_tail_o         [QueueCount],
  output      logic [15:0] cq_head_o         [QueueCount],
  input  wire logic [15:0] sq_head_i         [QueueCount],
  input  wire logic [15:0] cq_tail_i         [QueueCount],
  input  wire logic        entry_fault_i     [QueueCount],
  input  wire logic        bad_doorbell_i    [QueueCount],
  input  wire logic        complete_i,
  input  wire queue_id_t   complete_queue_i,
  input  wire logic        complete_error_i,

  input  wire logic        stat_beat_i,
  input  wire logic        stat_stall_in_i,
  input  wire logic        stat_stall_out_i,
  input  wire logic        stat_valid_i,
  input  wire result_t     stat_i
);

  import sealgate_abi_pkg::StatusSuccess, sealgate_abi_pkg::StatusBadHeader,
         sealgate_abi_pkg::StatusBadTag, sealgate_abi_pkg::StatusBadLength,
         sealgate_abi_pkg::StatusPaddingWithoutContent;

  // The largest ring, 2^15 entries: indices of 16 bits tell full from empty.
  localparam logic [3:0] RingLog2Max = 4'd15;

  // --- Counters -------------------------------------------------------------------------------------

  logic take;  // a snapshot
  logic success;
  logic sealed;
  logic opened;
  logic rejected;

    logic unused;
  assign unused = ^stat_i;

  assign success  = stat_i.status == StatusSuccess;
  assign sealed   = stat_valid_i && stat_i.record && !stat_i.open && success;
  assign opened   = stat_valid_i && stat_i.record && stat_i.open && success;
  assign rejected = stat_valid_i && stat_i.record && stat_i.open &&
                    ((stat_i.status == StatusBadHeader) || (stat_i.status == StatusBadTag) ||
                     (stat_i.status == StatusBadLength) ||
                     (stat_i.status == StatusPaddingWithoutContent));

  logic [63:0] cycles_q;
  logic [63:0] cycles_snap_q;
  logic [63:0] busy_q;
  logic [63:0] busy_snap_q;
  logic [63:0] lane_beats_q;
  logic [63:0] lane_beats_snap_q;
  logic [63:0] lane_stall_in_q;
  logic [63:0] lane_stall_in_snap_q;
  logic [63:0] lane_stall_out_q;
  logic [63:0] lane_stall_out_snap_q;
  logic [63:0] sealed_records_q;
  logic [63:0] sealed_records_snap_q;
  logic [63:0] sealed_bytes_q;
  logic [63:0] sealed_bytes_snap_q;
  logic [63:0] opened_records_q;
  logic [63:0] opened_records_snap_q;
  logic [63:0] opened_bytes_q;
  logic [63:0] opened_bytes_snap_q;
  logic [63:0] rejected_records_q;
  logic [63:0] rejected_records_snap_q;
  logic [63:0] entries_q[QueueCount];
  logic [63:0] entries_snap_q[QueueCount];
  logic [63:0] refused_q[QueueCount];
  logic [63:0] refused_snap_q[QueueCount];

  always_ff @(posedge clk_i) begin
    if (!engine_rst_ni) begin
      cycles_q <= '0;
      busy_q <= '0;
      lane_beats_q <= '0;
      lane_stall_in_q <= '0;
      lane_stall_out_q <= '0;
      sealed_records_q <= '0;
      sealed_bytes_q <= '0;
      opened_records_q <= '0;
      opened_bytes_q <= '0;
      rejected_records_q <= '0;
    end else begin
      cycles_q <= cycles_q + 64'd1;
      if (busy_i) busy_q <= busy_q + 64'd1;
      if (stat_beat_i) lane_beats_q <= lane_beats_q + 64'd1;
      if (stat_stall_in_i) lane_stall_in_q <= lane_stall_in_q + 64'd1;
      if (stat_stall_out_i) lane_stall_out_q <= lane_stall_out_q + 64'd1;
      if (sealed) begin
        sealed_records_q <= sealed_records_q + 64'd1;
        sealed_bytes_q   <= sealed_bytes_q + 64'(stat_i.consumed);
      end
      if (opened) begin
        opened_records_q <= opened_records_q + 64'd1;
        opened_bytes_q   <= opened_bytes_q + 64'(stat_i.written);
      end
      if (rejected) rejected_records_q <= rejected_records_q + 64'd1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (take) begin
      cycles_snap_q <= cycles_q;
      busy_snap_q <= busy_q;
      lane_beats_snap_q <= lane_beats_q;
      lane_stall_in_snap_q <= lane_stall_in_q;
      lane_stall_out_snap_q <= lane_stall_out_q;
      sealed_records_snap_q <= sealed_records_q;
      sealed_bytes_snap_q <= sealed_bytes_q;
      opened_records_snap_q <= opened_records_q;
      opened_bytes_snap_q <= opened_bytes_q;
      rejected_records_snap_q <= rejected_records_q;
    end
  end

  for (genvar q = 0; q < QueueCount; q++) begin : gen_queue
    always_ff @(posedge clk_i) begin
      if (!engine_rst_ni) begin
        entries_q[q] <= '0;
        refused_q[q] <= '0;
      end else if (stat_valid_i && (stat_i.queue_id == QueueWidth'(q))) begin
        entries_q[q] <= entries_q[q] + 64'd1;
        if (!success) refused_q[q] <= refused_q[q] + 64'd1;
      end
      if (take) begin
        entries_snap_q[q] <= entries_q[q];
        refused_snap_q[q] <= refused_q[q];
      end
    end
  end

  // --- Registers ------------------------------------------------------------------------------------

  logic [3:0]  irq_enable;
  logic [19:0] sq_base_lo[QueueCount];
  logic [31:0] sq_base_hi[QueueCount];
  logic [19:0] cq_base_lo[QueueCount];
  logic [31:0] cq_base_hi[QueueCount];
  logic        completed [QueueCount];
  logic        irq_written[QueueCount];
  logic        complete_fault[QueueCount];

  always_comb begin
    for (int unsigned q = 0; q < QueueCount; q++) begin
      irq_enable_o[q]   = irq_enable[q];
      sq_base_o[q]      = {sq_base_hi[q], sq_base_lo[q], 12'b0};
      cq_base_o[q]      = {cq_base_hi[q], cq_base_lo[q], 12'b0};
      completed[q]      = complete_i && (complete_queue_i == QueueWidth'(q));
      complete_fault[q] = completed[q] && complete_error_i;
      irq_written_o[q]  = irq_written[q] && completed[q];
    end
  end

  sealgate_regs u_regs (
    .clk(clk_i),
    .rst_n(rst_ni),
    .s_axil_awready(s_axil_awready_o),
    .s_axil_awvalid(s_axil_awvalid_i),
    .s_axil_awaddr(s_axil_awaddr_i),
    .s_axil_awprot(s_axil_awprot_i),
    .s_axil_wready(s_axil_wready_o),
    .s_axil_wvalid(s_axil_wvalid_i),
    .s_axil_wdata(s_axil_wdata_i),
    .s_axil_wstrb(s_axil_wstrb_i),
    .s_axil_bready(s_axil_bready_i),
    .s_axil_bvalid(s_axil_bvalid_o),
    .s_axil_bresp(s_axil_bresp_o),
    .s_axil_arready(s_axil_arready_o),
    .s_axil_arvalid(s_axil_arvalid_i),
    .s_axil_araddr(s_axil_araddr_i),
    .s_axil_arprot(s_axil_arprot_i),
    .s_axil_rready(s_axil_rready_i),
    .s_axil_rvalid(s_axil_rvalid_o),
    .s_axil_rdata(s_axil_rdata_o),
    .s_axil_rresp(s_axil_rresp_o),
    .hwif_in_device_build_value(Build),
    .hwif_in_device_shape_lanes(8'd1),
    .hwif_in_device_shape_bus_bytes(8'(BusBytes)),
    .hwif_in_device_shape_queues(8'(QueueCount)),
    .hwif_in_device_shape_contexts_log2(4'($clog2(NumContexts))),
    .hwif_in_device_shape_ring_log2_max(RingLog2Max),
    .hwif_in_device_features_aes_128_gcm(1'b1),
    .hwif_in_device_features_aes_256_gcm(1'b1),
    .hwif_in_device_features_chacha20_poly1305(1'b0),
    .hwif_in_device_features_tls12(1'b0),
    .hwif_in_device_features_tls13(1'b1),
    .hwif_in_device_features_padding(1'b1),
    .hwif_in_device_features_segmentation(1'b0),
    .hwif_in_device_seal_max_bytes(32'(sealgate_abi_pkg::MaxFragmentBytes)),
    .hwif_out_device_control_enable(enable_o),
    .hwif_out_device_control_reset(reset_o),
    .hwif_out_device_control_zeroize(zeroize_o),
    .hwif_out_device_control_selftest_fault(selftest_fault_o),
    .hwif_in_device_status_selftest(selftest_i),
    .hwif_in_device_status_ready(ready_i),
    .hwif_in_device_status_busy(busy_i),
    .hwif_in_device_errors_selftest_failed_hwset(selftest_failed_i),
    .hwif_in_device_errors_read_fault_hwset(read_fault_i),
    .hwif_in_device_errors_write_fault_hwset(write_fault_i),
    .hwif_out_device_irq_status_queue0(irq_status_o[0]),
    .hwif_out_device_irq_status_queue0_swmod(irq_written[0]),
    .hwif_in_device_irq_status_queue0_hwset(completed[0]),
    .hwif_out_device_irq_status_queue1(irq_status_o[1]),
    .hwif_out_device_irq_status_queue1_swmod(irq_written[1]),
    .hwif_in_device_irq_status_queue1_hwset(completed[1]),
    .hwif_out_device_irq_status_queue2(irq_status_o[2]),
    .hwif_out_device_irq_status_queue2_swmod(irq_written[2]),
    .hwif_in_device_irq_status_queue2_hwset(completed[2]),
    .hwif_out_device_irq_status_queue3(irq_status_o[3]),
    .hwif_out_device_irq_status_queue3_swmod(irq_written[3]),
    .hwif_in_device_irq_status_queue3_hwset(completed[3]),
    .hwif_out_device_irq_enable_queues(irq_enable),
    .hwif_out_device_snapshot_take(take),
    .hwif_in_device_cycles_lo_value(cycles_snap_q[31:0]),
    .hwif_in_device_cycles_hi_value(cycles_snap_q[63:32]),
    .hwif_in_device_busy_lo_value(busy_snap_q[31:0]),
    .hwif_in_device_busy_hi_value(busy_snap_q[63:32]),
    .hwif_in_device_lane_beats_lo_value(lane_beats_snap_q[31:0]),
    .hwif_in_device_lane_beats_hi_value(lane_beats_snap_q[63:32]),
    .hwif_in_device_lane_stall_in_lo_value(lane_stall_in_snap_q[31:0]),
    .hwif_in_device_lane_stall_in_hi_value(lane_stall_in_snap_q[63:32]),
    .hwif_in_device_lane_stall_out_lo_value(lane_stall_out_snap_q[31:0]),
    .hwif_in_device_lane_stall_out_hi_value(lane_stall_out_snap_q[63:32]),
    .hwif_in_device_sealed_records_lo_value(sealed_records_snap_q[31:0]),
    .hwif_in_device_sealed_records_hi_value(sealed_records_snap_q[63:32]),
    .hwif_in_device_sealed_bytes_lo_value(sealed_bytes_snap_q[31:0]),
    .hwif_in_device_sealed_bytes_hi_value(sealed_bytes_snap_q[63:32]),
    .hwif_in_device_opened_records_lo_value(opened_records_snap_q[31:0]),
    .hwif_in_device_opened_records_hi_value(opened_records_snap_q[63:32]),
    .hwif_in_device_opened_bytes_lo_value(opened_bytes_snap_q[31:0]),
    .hwif_in_device_opened_bytes_hi_value(opened_bytes_snap_q[63:32]),
    .hwif_in_device_rejected_records_lo_value(rejected_records_snap_q[31:0]),
    .hwif_in_device_rejected_records_hi_value(rejected_records_snap_q[63:32]),
    .hwif_out_queue0_sq_base_lo_addr(sq_base_lo[0]),
    .hwif_out_queue0_sq_base_hi_addr(sq_base_hi[0]),
    .hwif_out_queue0_cq_base_lo_addr(cq_base_lo[0]),
    .hwif_out_queue0_cq_base_hi_addr(cq_base_hi[0]),
    .hwif_out_queue0_ring_size_sq_log2(sq_log2_o[0]),
    .hwif_out_queue0_ring_size_cq_log2(cq_log2_o[0]),
    .hwif_out_queue0_queue_control_enable(queue_enable_o[0]),
    .hwif_out_queue0_sq_tail_index(sq_tail_o[0]),
    .hwif_out_queue0_cq_head_index(cq_head_o[0]),
    .hwif_in_queue0_sq_head_index(sq_head_i[0]),
    .hwif_in_queue0_cq_tail_index(cq_tail_i[0]),
    .hwif_in_queue0_queue_errors_entry_fault_hwset(entry_fault_i[0]),
    .hwif_in_queue0_queue_errors_completion_fault_hwset(complete_fault[0]),
    .hwif_in_queue0_queue_errors_bad_doorbell_hwset(bad_doorbell_i[0]),
    .hwif_in_queue0_entries_lo_value(entries_snap_q[0][31:0]),
    .hwif_in_queue0_entries_hi_value(entries_snap_q[0][63:32]),
    .hwif_in_queue0_refused_lo_value(refused_snap_q[0][31:0]),
    .hwif_in_queue0_refused_hi_value(refused_snap_q[0][63:32]),
    .hwif_out_queue1_sq_base_lo_addr(sq_base_lo[1]),
    .hwif_out_queue1_sq_base_hi_addr(sq_base_hi[1]),
    .hwif_out_queue1_cq_base_lo_addr(cq_base_lo[1]),
    .hwif_out_queue1_cq_base_hi_addr(cq_base_hi[1]),
    .hwif_out_queue1_ring_size_sq_log2(sq_log2_o[1]),
    .hwif_out_queue1_ring_size_cq_log2(cq_log2_o[1]),
    .hwif_out_queue1_queue_control_enable(queue_enable_o[1]),
    .hwif_out_queue1_sq_tail_index(sq_tail_o[1]),
    .hwif_out_queue1_cq_head_index(cq_head_o[1]),
    .hwif_in_queue1_sq_head_index(sq_head_i[1]),
    .hwif_in_queue1_cq_tail_index(cq_tail_i[1]),
    .hwif_in_queue1_queue_errors_entry_fault_hwset(entry_fault_i[1]),
    .hwif_in_queue1_queue_errors_completion_fault_hwset(complete_fault[1]),
    .hwif_in_queue1_queue_errors_bad_doorbell_hwset(bad_doorbell_i[1]),
    .hwif_in_queue1_entries_lo_value(entries_snap_q[1][31:0]),
    .hwif_in_queue1_entries_hi_value(entries_snap_q[1][63:32]),
    .hwif_in_queue1_refused_lo_value(refused_snap_q[1][31:0]),
    .hwif_in_queue1_refused_hi_value(refused_snap_q[1][63:32]),
    .hwif_out_queue2_sq_base_lo_addr(sq_base_lo[2]),
    .hwif_out_queue2_sq_base_hi_addr(sq_base_hi[2]),
    .hwif_out_queue2_cq_base_lo_addr(cq_base_lo[2]),
    .hwif_out_queue2_cq_base_hi_addr(cq_base_hi[2]),
    .hwif_out_queue2_ring_size_sq_log2(sq_log2_o[2]),
    .hwif_out_queue2_ring_size_cq_log2(cq_log2_o[2]),
    .hwif_out_queue2_queue_control_enable(queue_enable_o[2]),
    .hwif_out_queue2_sq_tail_index(sq_tail_o[2]),
    .hwif_out_queue2_cq_head_index(cq_head_o[2]),
    .hwif_in_queue2_sq_head_index(sq_head_i[2]),
    .hwif_in_queue2_cq_tail_index(cq_tail_i[2]),
    .hwif_in_queue2_queue_errors_entry_fault_hwset(entry_fault_i[2]),
    .hwif_in_queue2_queue_errors_completion_fault_hwset(complete_fault[2]),
    .hwif_in_queue2_queue_errors_bad_doorbell_hwset(bad_doorbell_i[2]),
    .hwif_in_queue2_entries_lo_value(entries_snap_q[2][31:0]),
    .hwif_in_queue2_entries_hi_value(entries_snap_q[2][63:32]),
    .hwif_in_queue2_refused_lo_value(refused_snap_q[2][31:0]),
    .hwif_in_queue2_refused_hi_value(refused_snap_q[2][63:32]),
    .hwif_out_queue3_sq_base_lo_addr(sq_base_lo[3]),
    .hwif_out_queue3_sq_base_hi_addr(sq_base_hi[3]),
    .hwif_out_queue3_cq_base_lo_addr(cq_base_lo[3]),
    .hwif_out_queue3_cq_base_hi_addr(cq_base_hi[3]),
    .hwif_out_queue3_ring_size_sq_log2(sq_log2_o[3]),
    .hwif_out_queue3_ring_size_cq_log2(cq_log2_o[3]),
    .hwif_out_queue3_queue_control_enable(queue_enable_o[3]),
    .hwif_out_queue3_sq_tail_index(sq_tail_o[3]),
    .hwif_out_queue3_cq_head_index(cq_head_o[3]),
    .hwif_in_queue3_sq_head_index(sq_head_i[3]),
    .hwif_in_queue3_cq_tail_index(cq_tail_i[3]),
    .hwif_in_queue3_queue_errors_entry_fault_hwset(entry_fault_i[3]),
    .hwif_in_queue3_queue_errors_completion_fault_hwset(complete_fault[3]),
    .hwif_in_queue3_queue_errors_bad_doorbell_hwset(bad_doorbell_i[3]),
    .hwif_in_queue3_entries_lo_value(entries_snap_q[3][31:0]),
    .hwif_in_queue3_entries_hi_value(entries_snap_q[3][63:32]),
    .hwif_in_queue3_refused_lo_value(refused_snap_q[3][31:0]),
    .hwif_in_queue3_refused_hi_value(refused_snap_q[3][63:32])
  );

endmodule

`default_nettype wire
