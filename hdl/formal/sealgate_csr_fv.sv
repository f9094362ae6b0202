// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// sealgate_csr: the AXI4-Lite slave's side of the bus. B and R, once offered, stay as they are until
// they are taken; each write and each read is answered once, and none that was not asked for; an
// answer comes in the cycle after the slave has all it needs, but for counters, which may wait for a
// snapshot.
//
// The master does what it likes; the counters count cycles, and hold anything in the memories of
// their totals.

`default_nettype none

module sealgate_csr_fv
  import sealgate_pkg::*;
(
  input wire logic        clk_i,
  input wire logic        engine_rst_ni,
  input wire logic [15:0] awaddr_i,
  input wire logic        awvalid_i,
  input wire logic [31:0] wdata_i,
  input wire logic [3:0]  wstrb_i,
  input wire logic        wvalid_i,
  input wire logic        bready_i,
  input wire logic [15:0] araddr_i,
  input wire logic        arvalid_i,
  input wire logic        rready_i,
  input wire logic        busy_i,
  input wire logic [15:0] sq_head_i
);

  logic rst_ni = 1'b0;  // low in the first cycle
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic         awready;
  logic         wready;
  logic [1:0]   bresp;
  logic         bvalid;
  logic         arready;
  logic [31:0]  rdata;
  logic [1:0]   rresp;
  logic         rvalid;
  logic [15:0]  heads[QueueCount];
  lane_events_t lane_events[1];

  for (genvar q = 0; q < QueueCount; q++) begin : gen_queue
    assign heads[q] = sq_head_i;
  end
  assign lane_events[0] = '0;

  sealgate_csr dut (
    .clk_i,
    .rst_ni,
    .engine_rst_ni,
    .s_axil_awaddr_i  (awaddr_i),
    .s_axil_awprot_i  ('0),
    .s_axil_awvalid_i (awvalid_i),
    .s_axil_awready_o (awready),
    .s_axil_wdata_i   (wdata_i),
    .s_axil_wstrb_i   (wstrb_i),
    .s_axil_wvalid_i  (wvalid_i),
    .s_axil_wready_o  (wready),
    .s_axil_bresp_o   (bresp),
    .s_axil_bvalid_o  (bvalid),
    .s_axil_bready_i  (bready_i),
    .s_axil_araddr_i  (araddr_i),
    .s_axil_arprot_i  ('0),
    .s_axil_arvalid_i (arvalid_i),
    .s_axil_arready_o (arready),
    .s_axil_rdata_o   (rdata),
    .s_axil_rresp_o   (rresp),
    .s_axil_rvalid_o  (rvalid),
    .s_axil_rready_i  (rready_i),
    .enable_o         (),
    .reset_o          (),
    .zeroize_o        (),
    .selftest_fault_o (),
    .selftest_i       ('0),
    .ready_i          (1'b0),
    .busy_i,
    .selftest_failed_i(1'b0),
    .read_fault_i     (1'b0),
    .write_fault_i    (1'b0),
    .irq_status_o     (),
    .irq_enable_o     (),
    .irq_rearm_o      (),
    .irq_count_o      (),
    .irq_cycles_o     (),
    .queue_enable_o   (),
    .sq_base_o        (),
    .cq_base_o        (),
    .sq_log2_o        (),
    .cq_log2_o        (),
    .sq_tail_o        (),
    .cq_head_o        (),
    .sq_head_i        (heads),
    .cq_tail_i        (heads),
    .entry_fault_i    ('0),
    .bad_doorbell_i   ('0),
    .complete_valid_i (1'b0),
    .complete_queue_i ('0),
    .complete_error_i (1'b0),
    .read_beat_i      (1'b0),
    .read_stall_i     (1'b0),
    .write_beat_i     (1'b0),
    .write_stall_i    (1'b0),
    .lane_events_i    (lane_events),
    .wait_completion_i('0),
    .wait_fetch_i     ('0),
    .wait_lane_i      ('0),
    .wait_context_i   ('0),
    .stat_valid_i     (1'b0),
    .stat_i           ('0)
  );

  logic [1:0]  addresses_q;  // of writes that were taken and not answered
  logic [1:0]  words_q;      // likewise
  logic [1:0]  reads_q;
  logic [1:0]  offered;      // answers
  logic        b_held_q;
  logic [1:0]  bresp_q;
  logic        r_held_q;
  logic [33:0] r_q;
  logic        b_due_q;      // in the last cycle all was there, and no answer stood in the way
  logic        r_due_q;
  logic        answered_q;   // a write was

  always_ff @(posedge clk_i) begin
    b_held_q <= rst_ni && bvalid && !bready_i;
    bresp_q  <= bresp;
    r_held_q <= rst_ni && rvalid && !rready_i;
    r_q      <= {rresp, rdata};
    b_due_q  <= rst_ni && (addresses_q != '0) && (words_q != '0) && !bvalid;
    r_due_q  <= rst_ni && (reads_q != '0) && !rvalid && !dut.read_counter;
    if (!rst_ni) begin
      addresses_q <= '0;
      words_q     <= '0;
      reads_q     <= '0;
      answered_q  <= 1'b0;
    end else begin
      addresses_q <= addresses_q + 2'(awvalid_i && awready) - 2'(bvalid && bready_i);
      words_q     <= words_q + 2'(wvalid_i && wready) - 2'(bvalid && bready_i);
      reads_q     <= reads_q + 2'(arvalid_i && arready) - 2'(rvalid && rready_i);
      if (bvalid && bready_i) answered_q <= 1'b1;
    end
  end

  assign offered = {rvalid, bvalid};

  always_comb begin
    if (rst_ni) begin
      a_b_stable: assert (!b_held_q || (bvalid && (bresp == bresp_q)));
      a_r_stable: assert (!r_held_q || (rvalid && ({rresp, rdata} == r_q)));
      a_b_asked:  assert (!bvalid || ((addresses_q != '0) && (words_q != '0)));
      a_r_asked:  assert (!rvalid || (reads_q != '0));
      a_b_due:    assert (!b_due_q || bvalid);
      a_r_due:    assert (!r_due_q || rvalid);

      // What carries the induction.
      a_addresses: assert (addresses_q == 2'(dut.aw_held_q) + 2'(bvalid));
      a_words:     assert (words_q == 2'(dut.w_held_q) + 2'(bvalid));
      a_reads:     assert (reads_q == 2'(dut.ar_held_q) + 2'(rvalid));

      // Two answers stand, a second request of each kind behind them.
      c_busy: cover (answered_q && (offered == '1) && (addresses_q == 2'd2) && (words_q == 2'd2) &&
                     (reads_q == 2'd2) && (bresp != '0) && (rresp == '0));
    end
  end

endmodule

`default_nettype wire
