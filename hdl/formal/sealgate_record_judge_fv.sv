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
  logic        content_ready;
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
    .content_ready_o (content_ready),
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

  logic         op_waits_q;
  op_t          op_q;
  logic         received_waits_q;
  received_t    received_q;
  logic         tag_waits_q;  // but for those that a SEAL takes
  logic [127:0] tag_q;
  logic         content_waits_q;
  content_t     content_q;

  always_ff @(posedge clk_i) begin
    op_waits_q       <= rst_ni && op_valid_i && !op_ready;
    op_q             <= op_i;
    received_waits_q <= rst_ni && received_valid_i && !received_ready;
    received_q       <= received_i;
    tag_waits_q      <= rst_ni && tag_valid_i && !tag_ready && !seal_tag_i;
    tag_q            <= tag_i;
    content_waits_q  <= rst_ni && content_valid_i && !content_ready;
    content_q        <= content_i;
  end

  always_comb begin
    m_op:       assume (!rst_ni || !op_waits_q || (op_valid_i && (op_i == op_q)));
    m_received: assume (!rst_ni || !received_waits_q ||
                        (received_valid_i && (received_i == received_q)));
    m_tag:      assume (!rst_ni || !tag_waits_q || (tag_valid_i && (tag_i == tag_q)));
    m_content:  assume (!rst_ni || !content_waits_q ||
                        (content_valid_i && (content_i == content_q)));
    m_seal:     assume (!seal_tag_i || (dut.seal_tags_q != '0));
    m_seals:    assume (!rst_ni || (dut.seal_tags_q != '1) || seal_tag_i || !dut.sealed);
    m_ends:     assume (!rst_ni || (dut.seal_ends_q != '1) || !dut.seal_end || dut.seal_end_leaves);
    m_run_end:  assume (!op_i.run_end || op_i.run);
    m_run:      assume (!op_i.run || op_i.open);
  end

  // --- What was seen -----------------------------------------------------------------------------

  logic stopped_q;    // a record of the run under way was not delivered
  logic opened;
  logic taken;
  logic delivers;
  logic offered_q;    // the record at the head was, and delivers
  logic good;         // it may be

  assign opened   = op_i.open && !op_i.run_end;
  assign taken    = op_valid_i && op_ready;
  assign delivers = fetch_valid && fetch_ready_i && (fetch_keep != '0);
  assign good     = received_valid_i && !received_i.fault && !received_i.bad_header &&
                    tag_valid_i && (tag_i == received_i.tag);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      stopped_q <= 1'b0;
      offered_q <= 1'b0;
    end else begin
      if (taken && op_i.run) begin
        if (op_i.run_end) stopped_q <= 1'b0;
        else if (plan.result.records == '0) stopped_q <= 1'b1;
      end
      if (taken) offered_q <= 1'b0;
      else if (plan_valid && plan_ready_i && opened && plan.write && delivers) offered_q <= 1'b1;
    end
  end

  // Which of the judge's registers hold what of the record at the head.
  logic seen, compared, judged, built;

  // The states behind StWait, in their order.
  localparam logic [2:0] Compare = 3'd1;
  localparam logic [2:0] Verdict = 3'd2;
  localparam logic [2:0] Build = 3'd3;
  localparam logic [2:0] Offer = 3'd4;
  localparam logic [2:0] Take = 3'd5;

  assign built    = (dut.state_q == Offer) || (dut.state_q == Take);
  assign judged   = built || (dut.state_q == Build);
  assign compared = judged || (dut.state_q == Verdict);
  assign seen     = compared || (dut.state_q == Compare);

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      a_write: assert (!(plan_valid && opened && plan.write) || good);
      a_keep:  assert (!(delivers && opened) || good);
      a_end:   assert (!(plan_valid && op_i.run_end) || !plan.write);
      a_run:   assert (!(op_valid_i && opened && op_i.run && stopped_q) ||
                       (!(plan_valid && plan.write) && !delivers));
      a_tag:   assert (!tag_ready || (op_valid_i && op_ready && opened && tag_valid_i));
      a_none:  assert (!(plan_valid && opened && !good) ||
                       ((plan.result.status != '0) && (plan.result.written == '0)));

      // What carries the induction.
      a_state:   assert (dut.state_q <= Take);
      a_due:     assert (dut.tags_due_q == (dut.seal_tags_q != '0));
      a_ends:    assert (dut.ends_due_q == (dut.seal_ends_q != '0));
      a_seen:    assert (!seen || (op_valid_i && (dut.op_q == op_i)));
      a_opened:  assert (!(seen && opened) ||
                         (tag_valid_i && (dut.tag_q == tag_i) && received_valid_i &&
                          (dut.received_q == received_i) && !dut.tags_due_q && !dut.ends_due_q));
      a_content: assert (!(seen && opened && op_i.has_text && !op_i.tls12) ||
                         (content_valid_i && (dut.content_q == content_i)));
      a_fixed:   assert (!(seen && op_i.tls12) || (dut.content_q.found &&
                                                   (dut.content_q.kind == op_i.header_type) &&
                                                   (dut.content_q.bytes == op_i.text_bytes)));
      a_empty:   assert (!(seen && !op_i.has_text && !op_i.tls12) || (dut.content_q == '0));
      a_equal:   assert (!(compared && opened) || (dut.tag_good == (tag_i == received_i.tag)));
      a_counts:  assert (!(compared && opened) ||
                         (dut.tag_counts_q == (!received_i.fault && !received_i.bad_header)));
      a_other:   assert (!(compared && opened) || dut.tag_counts_q || (dut.other_q != '0));
      a_passes:  assert (!(compared && opened) || !dut.passes_q ||
                         (dut.tag_counts_q && !(op_i.run && dut.ended_q)));
      a_kind:    assert (!judged || ((dut.end_plan == op_i.run_end) && (dut.end_rest == op_i.run_end) &&
                                    (dut.end_result == op_i.run_end) &&
                                    (dut.opened_plan == opened) && (dut.opened_rest == opened) &&
                                    (dut.opened_result == opened)));
      a_deliver: assert (!(judged && opened) || ((dut.deliver_q == (dut.tag_good && dut.passes_q)) &&
                                                 (!dut.write_q || dut.deliver_q)));
      a_verdict: assert (!(judged && opened) || good || (dut.verdict_q != '0));
      a_built:   assert (!(built && opened) ||
                         ((dut.plan_q.write == dut.write_q) &&
                          (dut.deliver_q || ((dut.keep_q == '0) && (dut.plan_q.result.records == '0) &&
                                             (dut.plan_q.result.written == '0))) &&
                          (dut.plan_q.result.status == dut.verdict_q)));
      a_nothing: assert (!(built && op_i.run_end) || !dut.plan_q.write);
      a_stopped: assert (!stopped_q || dut.ended_q);

      c_refused:   cover (taken && op_i.run && stopped_q && good);
      c_delivered: cover (taken && offered_q);
    end
  end

endmodule

`default_nettype wire
