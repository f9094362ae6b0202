// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The outbound side of a lane: from the AEAD's text and tags to words for memory, and to results.
//
// Theory of operation: all text goes through the store. The judge (sealgate_record_judge) makes a
// plan of each record. SEAL: header, text and tag leave as they come. OPEN: nothing leaves before
// the whole record is in the store and was found good; then its content leaves. A record that is
// refused is skipped in the store: not one byte of it reaches memory. While a record leaves the
// next ones fill the store.
//
// Each record that is written is a span of its own. What was sent out is kept in a queue until the
// write port acknowledges its span; an entry's result leaves when all its spans were.

`default_nettype none

module sealgate_record_out
  import sealgate_pkg::*;
  import sealgate_record_pkg::*;
  import sealgate_abi_pkg::StatusSuccess, sealgate_abi_pkg::StatusSourceFault,
         sealgate_abi_pkg::StatusDestinationFault;
#(
  // Records between command and verdict.
  parameter int unsigned Depth = 32,
  // Short queues and registers between the parts.
  parameter bit Pipelined = 1'b0
) (
  input  wire logic                 clk_i,
  input  wire logic                 rst_ni,

  input  wire logic                 op_valid_i,
  output      logic                 op_ready_o,
  input  wire op_t                  op_i,
  input  wire logic                 received_valid_i,
  output      logic                 received_ready_o,
  input  wire received_t            received_i,

  // From the AEAD.
  input  wire logic                 text_valid_i,
  output      logic                 text_ready_o,
  input  wire logic [WordWidth-1:0] text_data_i,
  input  wire logic                 text_last_i,
  input  wire logic                 tag_valid_i,
  output      logic                 tag_ready_o,
  input  wire logic [127:0]         tag_i,
  input  wire logic                 tag_error_i,

  // To memory.
  output      logic                 span_valid_o,
  input  wire logic                 span_ready_i,
  output      span_t                span_o,
  output      logic                 word_valid_o,
  input  wire logic                 word_ready_i,
  output      logic [WordWidth-1:0] word_data_o,
  input  wire logic                 ack_valid_i,
  output      logic                 ack_ready_o,
  input  wire logic                 ack_error_i,

  output      logic                 result_valid_o,
  input  wire logic                 result_ready_i,
  output      result_t              result_o
);

  // Spans that wait for their acknowledgement, and results behind them: records of 64 bytes leave
  // every dozen cycles, and an acknowledgement takes a few hundred.
  localparam int unsigned SentDepth = 64;

  // --- Store and verdict -------------------------------------------------------------------------

  logic                 text_accepted;
  logic                 stored_valid;
  logic                 stored_last;
  logic [WordWidth-1:0] stored;
  logic                 fetch_valid;
  logic                 fetch_ready;
  logic [10:0]          fetch_keep;
  logic [10:0]          fetch_skip;
  logic                 store_fetch_valid;
  logic                 store_fetch_ready;
  logic [10:0]          store_fetch_keep;
  logic [10:0]          store_fetch_skip;
  logic                 fetched_valid;
  logic                 fetched_ready;
  logic [WordWidth-1:0] fetched;
  logic                 content_valid;
  logic                 content_ready;
  content_t             content;
  logic                 judge_tag_ready;
  logic                 seal_tag;
  logic                 seal_has_text;
  logic                 judged_valid;
  logic                 judged_ready;
  plan_t                judged;
  logic                 queued_valid;
  logic                 queued_ready;
  plan_t                queued;
  logic                 plan_valid;
  logic                 plan_ready;
  plan_t                plan;

  assign text_accepted = text_valid_i && text_ready_o && rst_ni;
  assign tag_ready_o   = judge_tag_ready || seal_tag;

  // The store says early enough that it is full.
  sealgate_delay #(
    .Width(WordWidth + 2),
    .Cycles(Pipelined ? 1 : 0)
  ) u_text (
    .clk_i,
    .value_i({text_accepted, text_last_i, text_data_i}),
    .value_o({stored_valid, stored_last, stored})
  );

  sealgate_record_store #(
    .Pipelined(Pipelined)
  ) u_store (
    .clk_i,
    .rst_ni,
    .text_valid_i (stored_valid),
    .text_ready_o,
    .text_data_i  (stored),
    .fetch_valid_i(store_fetch_valid),
    .fetch_ready_o(store_fetch_ready),
    .fetch_keep_i (store_fetch_keep),
    .fetch_skip_i (store_fetch_skip),
    .word_valid_o (fetched_valid),
    .word_ready_i (fetched_ready),
    .word_data_o  (fetched)
  );

  sealgate_content_end #(
    .Depth(Depth),
    .Pipelined(Pipelined)
  ) u_content_end (
    .clk_i,
    .rst_ni,
    .text_valid_i   (stored_valid),
    .text_last_i    (stored_last),
    .text_data_i    (stored),
    .content_valid_o(content_valid),
    .content_ready_i(content_ready),
    .content_o      (content)
  );

  sealgate_stage #(
    .Width(22),
    .Registered(Pipelined)
  ) u_fetch (
    .clk_i,
    .rst_ni,
    .valid_i(fetch_valid),
    .ready_o(fetch_ready),
    .data_i ({fetch_keep, fetch_skip}),
    .valid_o(store_fetch_valid),
    .ready_i(store_fetch_ready),
    .data_o ({store_fetch_keep, store_fetch_skip})
  );

  sealgate_record_judge u_judge (
    .clk_i,
    .rst_ni,
    .op_valid_i,
    .op_ready_o,
    .op_i,
    .tag_valid_i,
    .tag_ready_o     (judge_tag_ready),
    .tag_i,
    .received_valid_i,
    .received_ready_o,
    .received_i,
    .content_valid_i (content_valid),
    .content_ready_o (content_ready),
    .content_i       (content),
    .seal_tag_i      (seal_tag),
    .seal_has_text_i (seal_has_text),
    .fetch_valid_o   (fetch_valid),
    .fetch_ready_i   (fetch_ready),
    .fetch_keep_o    (fetch_keep),
    .fetch_skip_o    (fetch_skip),
    .plan_valid_o    (judged_valid),
    .plan_ready_i    (judged_ready),
    .plan_o          (judged)
  );

  sealgate_fifo #(
    .Width($bits(plan_t)),
    .Depth(2)
  ) u_plans (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(judged_valid),
    .ready_o(judged_ready),
    .data_i (judged),
    .valid_o(queued_valid),
    .ready_i(queued_ready),
    .data_o (queued)
  );

  sealgate_settle #(
    .Width($bits(plan_t)),
    .Registered(Pipelined)
  ) u_plan (
    .clk_i,
    .rst_ni,
    .valid_i(queued_valid),
    .ready_o(queued_ready),
    .data_i (queued),
    .valid_o(plan_valid),
    .ready_i(plan_ready),
    .data_o (plan)
  );

  // --- Way out -----------------------------------------------------------------------------------

  typedef enum logic [2:0] {
    StSpan,    // the write port takes the span, if there is one
    StHeader,  // SEAL: header, and explicit nonce
    StText,    // words of the store
    StTag,     // SEAL: the tag
    StSent     // all is under way
  } state_e;

  state_e               state_q;
  logic [10:0]          words_q;      // of text, still to leave
  logic                 last_word_q;  // one of them
  logic                 source_fault_q;
  logic                 span_taken;
  logic                 chunk_valid;
  logic                 chunk_ready;
  logic                 text_leaves;
  logic                 tag_leaves;
  logic [WordWidth-1:0] chunk;
  logic [4:0]           chunk_bytes;
  logic                 chunk_first;
  logic                 chunk_last;
  logic                 first_word_q;  // OPEN: the next one is
  logic                 sent_ready;
  size_t                encrypted_bytes;

  assign span_valid_o = (state_q == StSpan) && plan_valid && plan.write;
  assign span_o       = '{address: plan.destination, bytes: length_t'(plan.bytes)};
  assign span_taken   = span_valid_o && span_ready_i;

  assign fetched_ready   = (state_q == StText) && chunk_ready;
  assign text_leaves     = fetched_valid && chunk_ready;
  assign tag_leaves      = tag_valid_i && chunk_ready;
  assign seal_tag        = (state_q == StTag) && tag_leaves;
  assign seal_has_text   = plan.has_text;
  assign encrypted_bytes = plan.bytes - 15'(sealgate_abi_pkg::RecordHeaderBytes);

  always_comb begin
    unique case (state_q)
      StHeader: begin
        chunk_valid = 1'b1;
        chunk_bytes = plan.explicit_nonce ?
                      5'(sealgate_abi_pkg::RecordHeaderBytes + ExplicitNonceBytes) :
                      5'(sealgate_abi_pkg::RecordHeaderBytes);
        chunk_first = 1'b1;
        chunk_last  = 1'b0;
      end
      StTag: begin
        chunk_valid = tag_valid_i;
        chunk_bytes = 5'(sealgate_abi_pkg::TagBytes);
        chunk_first = 1'b0;
        chunk_last  = 1'b1;
      end
      default: begin
        chunk_valid = (state_q == StText) && fetched_valid;
        chunk_bytes = last_word_q ? last_bytes_of(plan.text_bytes[3:0]) : 5'd16;
        chunk_first = first_word_q;
        chunk_last  = !plan.seal && last_word_q;
      end
    endcase
  end

  // The chunk itself. With `Pipelined` what it may be made of is registered, then it is selected, a
  // quarter by copies of its own.
  logic [WordWidth-1:0] header;

  always_comb begin
    header = {24'b0, plan.nonce, header_of(plan.header_type, encrypted_bytes)};
    if (!plan.explicit_nonce) header[103:40] = '0;
  end

  if (Pipelined) begin : g_chunk
    localparam int unsigned NumQuarters = 4;

    logic [NumQuarters-1:0][1:0]  select;
    logic [NumQuarters-1:0][31:0] header_q, tag_q, text_q, chunk_q;

    sealgate_copies #(
      .Width(2),
      .Copies(NumQuarters)
    ) u_select (
      .clk_i,
      .value_i({state_q == StHeader, state_q == StTag}),
      .copies_o(select)
    );

    always_ff @(posedge clk_i) begin
      header_q <= header;
      tag_q    <= tag_i;
      text_q   <= fetched;
      for (int unsigned i = 0; i < NumQuarters; i++) begin
        chunk_q[i] <= select[i][1] ? header_q[i] : select[i][0] ? tag_q[i] : text_q[i];
      end
    end

    assign chunk = chunk_q;
  end else begin : g_direct_chunk
    assign chunk = (state_q == StHeader) ? header : (state_q == StTag) ? tag_i : fetched;
  end

  sealgate_byte_pack #(
    .Pipelined(Pipelined)
  ) u_byte_pack (
    .clk_i,
    .rst_ni,
    .chunk_valid_i (chunk_valid),
    .chunk_ready_o (chunk_ready),
    .chunk_first_i (chunk_first),
    .chunk_offset_i(plan.destination[3:0]),
    .chunk_bytes_i (chunk_bytes),
    .chunk_last_i  (chunk_last),
    .chunk_data_i  (chunk),
    .word_valid_o,
    .word_ready_i,
    .word_data_o
  );

  assign plan_ready = (state_q == StSent) && sent_ready;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q <= StSpan;
    end else begin
      unique case (state_q)
        StSpan: begin
          if (span_taken) state_q <= plan.seal ? StHeader : StText;
          else if (plan_valid && !plan.write) state_q <= StSent;
        end
        StHeader: if (chunk_ready) state_q <= seal_has_text ? StText : StTag;
        StText:   if (text_leaves && last_word_q) state_q <= plan.seal ? StTag : StSent;
        StTag:    if (tag_leaves) state_q <= StSent;
        StSent:   if (sent_ready) state_q <= StSpan;
        default:  state_q <= StSpan;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    unique case (state_q)
      StSpan: begin
        words_q        <= words_of(plan.text_bytes);
        last_word_q    <= is_one_word(plan.text_bytes);
        source_fault_q <= 1'b0;
        first_word_q   <= !plan.seal;
      end
      StText: begin
        if (text_leaves) begin
          words_q     <= words_q - 11'd1;
          last_word_q <= words_q == 11'd2;
          first_word_q <= 1'b0;
        end
      end
      StTag:   source_fault_q <= tag_error_i;
      default: ;
    endcase
  end

  // --- Acknowledgements and results --------------------------------------------------------------

  typedef struct packed {
    logic    written;  // a span to be acknowledged
    logic    finish;
    result_t result;
  } sent_t;

  sent_t sent;
  sent_t first;
  logic  first_valid;
  logic  first_ready;
  sent_t oldest;
  logic  oldest_valid;
  logic  oldest_done;
  logic  out_ready;
  logic  fault_q;  // a span of the entry could not be written

  always_comb begin
    sent = '{written: plan.write, finish: plan.finish, result: plan.result};
    if (source_fault_q) sent.result.status = StatusSourceFault;
  end

  sealgate_fifo #(
    .Width($bits(sent_t)),
    .Depth(SentDepth)
  ) u_sent (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(state_q == StSent),
    .ready_o(sent_ready),
    .data_i (sent),
    .valid_o(first_valid),
    .ready_i(first_ready),
    .data_o (first)
  );

  sealgate_settle #(
    .Width($bits(sent_t)),
    .Registered(Pipelined)
  ) u_oldest (
    .clk_i,
    .rst_ni,
    .valid_i(first_valid),
    .ready_o(first_ready),
    .data_i (first),
    .valid_o(oldest_valid),
    .ready_i(oldest_done),
    .data_o (oldest)
  );

  logic    finish;
  logic    fault;
  result_t out;

  assign ack_ready_o = oldest_valid && oldest.written && (out_ready || !oldest.finish);
  assign finish      = oldest_valid && oldest.finish && (ack_valid_i || !oldest.written);
  assign oldest_done = oldest.written ? ack_valid_i && ack_ready_o : out_ready;
  assign fault       = fault_q || (oldest.written && ack_error_i);

  always_comb begin
    out = oldest.result;
    if (fault && (oldest.result.status == StatusSuccess)) begin
      out        = '0;
      out.ticket = oldest.result.ticket;
      out.status = StatusDestinationFault;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) fault_q <= 1'b0;
    else if (oldest_valid && oldest_done) fault_q <= fault && !oldest.finish;
  end

  sealgate_fifo #(
    .Width($bits(result_t)),
    .Depth(2)
  ) u_results (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(finish),
    .ready_o(out_ready),
    .data_i (out),
    .valid_o(result_valid_o),
    .ready_i(result_ready_i),
    .data_o (result_o)
  );

endmodule

`default_nettype wire
