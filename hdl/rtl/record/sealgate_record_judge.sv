// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Decides what becomes of each record of a lane: what is written, and what the entry is told.
//
// Theory of operation: records come in order. A SEAL is passed on at once: it leaves while it is
// made, and its tag goes with it. A record that is opened is judged when its tag, what was received
// and the end of its content are there: tags are compared, by parts, and all else is looked at; then
// the verdict falls, the first that applies of source fault, header, tag, length and padding. Only
// then is its text fetched from the store: the content is kept, the rest, or all of a refused
// record, skipped.
//
// A record takes some cycles, fewer than any record takes to enter the lane: what came for it is
// registered, compared, judged, made a plan of and offered, and only then taken. All of it stays at
// the inputs in the meantime, so that no register on the way needs an enable: what would decide
// about one would decide about hundreds.
//
// A run delivers records as long as each is good and application data; its first record may be of
// any type, but then is the only one. The first refused record ends the run; if there is none
// before it, its verdict is that of the entry. What the run brought is summed up here and told with
// its end.
//
// Tags and ends of content come in the order of records. While a SEAL that was passed on has not
// taken its tag, none is compared; the end of its content, which nobody asks for, is thrown away.

`default_nettype none

module sealgate_record_judge
  import sealgate_pkg::*;
  import sealgate_record_pkg::*;
  import sealgate_abi_pkg::StatusSuccess, sealgate_abi_pkg::StatusSourceFault,
         sealgate_abi_pkg::StatusBadHeader, sealgate_abi_pkg::StatusBadTag,
         sealgate_abi_pkg::StatusBadLength, sealgate_abi_pkg::StatusPaddingWithoutContent;
(
  input  wire logic         clk_i,
  input  wire logic         rst_ni,

  input  wire logic         op_valid_i,
  output      logic         op_ready_o,
  input  wire op_t          op_i,
  input  wire logic         tag_valid_i,
  output      logic         tag_ready_o,
  input  wire logic [127:0] tag_i,
  input  wire logic         received_valid_i,
  output      logic         received_ready_o,
  input  wire received_t    received_i,
  input  wire logic         content_valid_i,
  output      logic         content_ready_o,
  input  wire content_t     content_i,

  // A SEAL took its tag, of a record that has text.
  input  wire logic         seal_tag_i,
  input  wire logic         seal_has_text_i,

  output      logic         fetch_valid_o,
  input  wire logic         fetch_ready_i,
  output      logic [10:0]  fetch_keep_o,
  output      logic [10:0]  fetch_skip_o,

  output      logic         plan_valid_o,
  input  wire logic         plan_ready_i,
  output      plan_t        plan_o
);

  localparam size_t MaxText = 15'(sealgate_abi_pkg::MaxFragmentBytes);
  localparam size_t MaxInner = 15'(sealgate_abi_pkg::MaxInnerPlaintextBytes);

  // The run under way, so far.
  logic        ended_q;
  logic        any_q;
  logic [6:0]  status_q;
  logic [7:0]  content_type_q;
  length_t     written_q;
  length_t     consumed_q;
  logic [15:0] records_q;

  typedef enum logic [2:0] {
    StWait,     // until there is all that the record is judged by
    StCompare,
    StVerdict,
    StBuild,    // the plan
    StOffer,    // plan and fetch
    StTake      // what was judged leaves the inputs
  } state_e;

  state_e      state_q;
  logic        opened;           // the record at the head is one that is opened
  logic [3:0]  seal_tags_q;      // SEALs passed on that wait for their tag
  logic        tags_due_q;       // there are any
  logic [3:0]  seal_ends_q;      // ends of content of SEALs, to be thrown away
  logic        ends_due_q;       // there are any
  logic        complete;
  logic        offered;          // plan and fetch are taken, in the same cycle
  logic        take;

  assign opened   = op_i.open && !op_i.run_end;
  assign complete = tag_valid_i && received_valid_i && (content_valid_i || !op_i.has_text) &&
                    !tags_due_q && !ends_due_q;
  assign offered  = (state_q == StOffer) && plan_ready_i && fetch_ready_i;
  assign take     = state_q == StTake;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q <= StWait;
    end else begin
      unique case (state_q)
        StWait: begin
          if (op_valid_i && !opened) state_q <= StVerdict;
          else if (op_valid_i && complete) state_q <= StCompare;
        end
        StCompare: state_q <= StVerdict;
        StVerdict: state_q <= StBuild;
        StBuild:   state_q <= StOffer;
        StOffer:   if (offered) state_q <= StTake;
        default:   state_q <= StWait;
      endcase
    end
  end

  // What is at the inputs.
  op_t          op_q;
  logic [127:0] tag_q;
  received_t    received_q;
  content_t     content_q;

  always_ff @(posedge clk_i) begin
    op_q       <= op_i;
    tag_q      <= tag_i;
    received_q <= received_i;
    content_q  <= op_i.has_text ? content_i : '0;
    if (op_i.tls12) begin
      content_q <= '{found: 1'b1, kind: op_i.header_type, bytes: op_i.text_bytes};
    end
  end

  // --- Compare -----------------------------------------------------------------------------------

  logic [7:0]  tag_same_q;       // by parts
  logic        tag_counts_q;     // nothing comes before it
  logic [6:0]  other_q;          // the verdict, but for the tag
  logic        passes_q;         // delivered, if the tag is good
  logic        too_long;
  logic [10:0] content_words_q;
  logic [10:0] other_words_q;    // of the text, behind the content
  logic [10:0] text_words_q;
  logic [63:0] destination_q;    // OPEN; the lower half is added up a cycle before the upper
  logic [31:0] destination_low_q;
  logic        destination_carry_q;

  assign too_long = op_q.text_bytes > (op_q.tls12 ? MaxText : MaxInner);

  always_ff @(posedge clk_i) begin
    for (int unsigned i = 0; i < 8; i++) begin
      tag_same_q[i] <= received_q.tag[16*i+:16] == tag_q[16*i+:16];
    end
    tag_counts_q    <= !received_q.fault && !received_q.bad_header;
    passes_q        <= !received_q.fault && !received_q.bad_header && !too_long && content_q.found &&
                       (!op_q.run || (!ended_q && (!any_q || (content_q.kind == ApplicationData))));
    if (received_q.fault) other_q <= StatusSourceFault;
    else if (received_q.bad_header) other_q <= StatusBadHeader;
    else if (too_long) other_q <= StatusBadLength;
    else if (!content_q.found) other_q <= StatusPaddingWithoutContent;
    else other_q <= StatusSuccess;
    content_words_q <= words_of(content_q.bytes);
    other_words_q   <= text_words_q - content_words_q;
    text_words_q    <= words_of(op_q.text_bytes);
    {destination_carry_q, destination_low_q} <= {1'b0, op_q.destination[31:0]} + 33'(written_q);
    destination_q <= {op_q.destination[63:32] + 32'(destination_carry_q), destination_low_q};
  end

  // --- Verdict -----------------------------------------------------------------------------------

  logic        tag_good;
  logic        deliver_q;
  logic        write_q;          // there is something to be delivered
  // The end of a run, and a record that is opened: for the plan, its result, and the rest.
  logic        end_plan, end_result, end_rest;
  logic        opened_plan, opened_result, opened_rest;
  logic [6:0]  verdict_q;

  assign tag_good = &tag_same_q;

  sealgate_copies #(
    .Width(2),
    .Copies(3)
  ) u_kind (
    .clk_i,
    .value_i({op_q.run_end, op_q.open && !op_q.run_end}),
    .copies_o({end_plan, opened_plan, end_result, opened_result, end_rest, opened_rest})
  );

  always_ff @(posedge clk_i) begin
    deliver_q <= tag_good && passes_q;
    write_q   <= tag_good && passes_q && (content_q.bytes != '0);
    verdict_q <= (tag_counts_q && !tag_good) ? StatusBadTag : other_q;
  end

  // --- Plan --------------------------------------------------------------------------------------

  size_t       record_bytes_q;
  plan_t       plan_d, plan_q;
  logic [10:0] keep_q, skip_q;

  always_ff @(posedge clk_i) begin
    record_bytes_q <= op_q.text_bytes + (op_q.explicit_nonce ? ExplicitOverhead : PlainOverhead);
  end

  always_comb begin
    plan_d = '{
      write: 1'b1,
      finish: !op_q.run || op_q.run_end,
      seal: !op_q.open,
      explicit_nonce: op_q.explicit_nonce,
      header_type: op_q.header_type,
      nonce: op_q.nonce,
      destination: op_q.destination,
      bytes: record_bytes_q,
      has_text: op_q.has_text,
      text_bytes: op_q.text_bytes,
      result: '0
    };
    plan_d.result.ticket = op_q.ticket;
    if (opened_plan) begin
      plan_d.write       = write_q;
      plan_d.destination = destination_q;
      plan_d.bytes       = content_q.bytes;
      plan_d.text_bytes  = content_q.bytes;
    end
    if (end_plan) plan_d.write = 1'b0;
    if (end_result) begin
      plan_d.result.status       = any_q ? StatusSuccess : ended_q ? status_q : op_q.status;
      plan_d.result.content_type = content_type_q;
      plan_d.result.written      = written_q;
      plan_d.result.consumed     = consumed_q;
      plan_d.result.records      = records_q;
    end else if (opened_result) begin
      plan_d.result.status = verdict_q;
      if (deliver_q) begin
        plan_d.result.content_type = content_q.kind;
        plan_d.result.written      = length_t'(content_q.bytes);
        plan_d.result.consumed     = length_t'(record_bytes_q);
        plan_d.result.records      = 16'd1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    plan_q <= plan_d;
    if (!opened_plan) begin
      keep_q <= text_words_q;
      skip_q <= '0;
    end else begin
      keep_q <= deliver_q ? content_words_q : '0;
      skip_q <= deliver_q ? other_words_q : text_words_q;
    end
  end

  assign plan_o        = plan_q;
  assign plan_valid_o  = (state_q == StOffer) && fetch_ready_i && (plan_q.write || plan_q.finish);
  assign fetch_keep_o  = keep_q;
  assign fetch_skip_o  = skip_q;
  assign fetch_valid_o = (state_q == StOffer) && plan_ready_i && !end_rest;

  assign op_ready_o       = take;
  assign received_ready_o = take && opened_rest;
  assign tag_ready_o      = take && opened_rest;
  assign content_ready_o  = (take && opened_rest && op_q.has_text) || ends_due_q;

  // --- Sums of a run -----------------------------------------------------------------------------

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      ended_q        <= 1'b0;
      any_q          <= 1'b0;
      status_q       <= StatusSuccess;
      content_type_q <= '0;
      written_q      <= '0;
      consumed_q     <= '0;
      records_q      <= '0;
    end else if (take && op_q.run) begin
      if (end_rest) begin
        ended_q        <= 1'b0;
        any_q          <= 1'b0;
        content_type_q <= '0;
        written_q      <= '0;
        consumed_q     <= '0;
        records_q      <= '0;
      end else if (deliver_q) begin
        any_q          <= 1'b1;
        ended_q        <= content_q.kind != ApplicationData;
        content_type_q <= content_q.kind;
        written_q      <= written_q + length_t'(content_q.bytes);
        consumed_q     <= consumed_q + length_t'(record_bytes_q);
        records_q      <= records_q + 16'd1;
      end else begin
        ended_q <= 1'b1;
        if (!ended_q) status_q <= verdict_q;
      end
    end
  end

  logic sealed;
  logic seal_end;
  logic seal_end_leaves;

  assign sealed          = offered && !op_q.open;
  assign seal_end        = seal_tag_i && seal_has_text_i;
  assign seal_end_leaves = content_valid_i && ends_due_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      seal_tags_q <= '0;
      tags_due_q  <= 1'b0;
      seal_ends_q <= '0;
      ends_due_q  <= 1'b0;
    end else begin
      tags_due_q <= sealed || (seal_tags_q > (seal_tag_i ? 4'd1 : 4'd0));
      ends_due_q <= seal_end || (seal_ends_q > (seal_end_leaves ? 4'd1 : 4'd0));
      if (sealed != seal_tag_i) seal_tags_q <= sealed ? seal_tags_q + 4'd1 : seal_tags_q - 4'd1;
      if (seal_end != seal_end_leaves) begin
        seal_ends_q <= seal_end ? seal_ends_q + 4'd1 : seal_ends_q - 4'd1;
      end
    end
  end

endmodule

`default_nettype wire
