// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// sealgate_record_judge: of a record that is opened nothing is written and no word kept unless its
// source and header were good and the very tag that came for it is the one received; and nothing of
// a run behind the first record that was not delivered.
//
// Whatever comes from the stages around it, as long as what they offer stays until it is taken.

`default_nettype none

module sealgate_record_judge_fv
  import sealgate_pkg::*;
  import sealgate_record_pkg::*;
(
  input wire logic         clk_i,
  input wire logic         op_valid_i,
  input wire op_t          op_i,
  input wire logic         tag_valid_i,
  input wire logic [127:0] tag_i,
  input wire logic         received_valid_i,
  input wire received_t    received_i,
  input wire logic         content_valid_i,
  input wire content_t     content_i,
  input wire logic         seal_tag_i,
  input wire logic         seal_has_text_i,
  input wire logic         fetch_ready_i,
  input wire logic         plan_ready_i
);

  logic rst_ni = 1'b0;  // low in the first cycle
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic        op_ready;
  logic        tag_ready;
  logic        received_ready;
  logic        fetch_valid;
  logic [10:0] fetch_keep;
  logic        plan_valid;
  plan_t       plan;

  sealgate_record_judge dut (
    .clk_i,
    .rst_ni,
    .op_valid_i,
    .op_ready_o      (op_ready),
    .op_i,
    .tag_valid_i,
    .tag_ready_o     (tag_ready),
    .tag_i,
    .received_valid_i,
    .received_ready_o(received_ready),
    .received_i,
    .content_valid_i,
    .content_ready_o (),
    .content_i,
    .seal_tag_i,
    .seal_has_text_i,
    .fetch_valid_o   (fetch_valid),
    .fetch_ready_i,
    .fetch_keep_o    (fetch_keep),
    .fetch_skip_o    (),
    .plan_valid_o    (plan_valid),
    .plan_ready_i,
    .plan_o          (plan)
  );

  // --- What is offered stays ---------------------------------------------------------------------

  logic      op_waits_q;
  op_t       op_q;
  logic      received_waits_q;
  received_t received_q;

  always_ff @(posedge clk_i) begin
    op_waits_q       <= rst_ni && op_valid_i && !op_ready;
    op_q             <= op_i;
    received_waits_q <= rst_ni && received_valid_i && !received_ready;
    received_q       <= received_i;
  end

  always_comb begin
    m_op:       assume (!rst_ni || !op_waits_q || (op_valid_i && (op_i == op_q)));
    m_received: assume (!rst_ni || !received_waits_q ||
                        (received_valid_i && (received_i == received_q)));
    m_run_end:  assume (!op_i.run_end || op_i.run);
    m_run:      assume (!op_i.run || op_i.open);
  end

  // --- What was seen -----------------------------------------------------------------------------

  logic tag_seen_q;   // the tag of the record at the head has come,
  logic tag_equal_q;  // and is the one received
  logic stopped_q;    // a record of the run under way was not delivered
  logic opened;
  logic taken;
  logic delivers;

  assign opened   = op_i.open && !op_i.run_end;
  assign taken    = op_valid_i && op_ready;
  assign delivers = fetch_valid && fetch_ready_i && (fetch_keep != '0);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      tag_seen_q <= 1'b0;
      stopped_q  <= 1'b0;
    end else begin
      if (tag_valid_i && tag_ready) begin
        tag_seen_q  <= 1'b1;
        tag_equal_q <= tag_i == received_i.tag;
      end else if (taken) begin
        tag_seen_q <= 1'b0;
      end
      if (taken && op_i.run) begin
        if (op_i.run_end) stopped_q <= 1'b0;
        else if (plan.result.records == '0) stopped_q <= 1'b1;
      end
    end
  end

  logic good;
  assign good = received_valid_i && !received_i.fault && !received_i.bad_header && tag_seen_q &&
                tag_equal_q;

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      a_write: assert (!(plan_valid && opened && plan.write) || good);
      a_keep:  assert (!(delivers && opened) || good);
      a_end:   assert (!(plan_valid && op_i.run_end) || !plan.write);
      a_run:   assert (!(op_valid_i && opened && op_i.run && stopped_q) ||
                       (!(plan_valid && plan.write) && !delivers));
      a_tag:   assert (!(tag_valid_i && tag_ready) || (op_valid_i && opened && !tag_seen_q));
      a_none:  assert (!(plan_valid && opened && !good) ||
                       ((plan.result.status != '0) && (plan.result.written == '0)));

      // What carries the induction.
      a_seen:    assert (tag_seen_q == dut.compared_q);
      a_equal:   assert (!tag_seen_q || (op_valid_i && opened && received_valid_i &&
                                         (dut.tag_good == tag_equal_q)));
      a_counts:  assert (!tag_seen_q || (dut.tag_counts_q ==
                                         (!received_i.fault && !received_i.bad_header)));
      a_other:   assert (!tag_seen_q || dut.tag_counts_q || (dut.other_q != '0));
      a_passes:  assert (!tag_seen_q || !dut.passes_q ||
                         (dut.tag_counts_q && !(op_i.run && dut.ended_q)));
      a_stopped: assert (!stopped_q || dut.ended_q);

      c_refused:   cover (taken && op_i.run && stopped_q && good);
      c_delivered: cover (taken && plan_valid && opened && plan.write && delivers);
    end
  end

endmodule

`default_nettype wire
