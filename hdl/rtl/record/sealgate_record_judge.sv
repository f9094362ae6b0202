// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Decides what becomes of each record of a lane: what is written, and what the entry is told.
//
// Theory of operation: records come in order. A SEAL is passed on at once: it leaves while it is
// made, and its tag goes with it. A record that is opened is judged when its tag, what was received
// and the end of its content are there: in a first cycle tags are compared, by parts, and all else
// is looked at; in a second the verdict falls, the first that applies of source fault, header, tag,
// length and padding. Only then is its text fetched from the store: the content is kept, the rest,
// or all of a refused record, skipped.
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

  // --- First cycle: compare ----------------------------------------------------------------------

  logic        opened;           // the record at the head is one that is opened
  logic [3:0]  seal_tags_q;      // SEALs passed on that wait for their tag
  logic        tags_due_q;       // there are any
  logic [3:0]  seal_ends_q;      // ends of content of SEALs, to be thrown away
  logic        ends_due_q;       // there are any
  logic        compare;
  logic        compared_q;
  logic [7:0]  tag_same_q;       // by parts
  logic        tag_counts_q;     // nothing comes before it
  logic [6:0]  other_q;          // the verdict, but for the tag
  logic        passes_q;         // delivered, if the tag is good
  logic        too_long;
  content_t    content;
  logic [7:0]  kind_q;
  size_t       bytes_q;          // of the content
  logic        has_content_q;
  logic [10:0] content_words_q;
  logic [10:0] other_words_q;    // of the text, behind the content
  logic [10:0] text_words_q;
  logic        decided;          // second cycle, or the only one of what is not opened

  assign opened  = op_i.open && !op_i.run_end;
  assign compare = op_valid_i && opened && !compared_q && tag_valid_i && received_valid_i &&
                   (content_valid_i || !op_i.has_text) && !tags_due_q && !ends_due_q;

  assign too_long = op_i.text_bytes > (op_i.tls12 ? MaxText : MaxInner);

  always_comb begin
    content = content_i;
    if (op_i.tls12) begin
      content = '{found: 1'b1, kind: op_i.header_type, bytes: op_i.text_bytes};
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) compared_q <= 1'b0;
    else if (compare) compared_q <= 1'b1;
    else if (decided) compared_q <= 1'b0;
  end

  always_ff @(posedge clk_i) begin
    if (compare) begin
      for (int unsigned i = 0; i < 8; i++) begin
        tag_same_q[i] <= received_i.tag[16*i+:16] == tag_i[16*i+:16];
      end
      tag_counts_q    <= !received_i.fault && !received_i.bad_header;
      passes_q        <= !received_i.fault && !received_i.bad_header && !too_long && content.found &&
                         (!op_i.run || (!ended_q && (!any_q || (content.kind == ApplicationData))));
      if (received_i.fault) other_q <= StatusSourceFault;
      else if (received_i.bad_header) other_q <= StatusBadHeader;
      else if (too_long) other_q <= StatusBadLength;
      else if (!content.found) other_q <= StatusPaddingWithoutContent;
      else other_q <= StatusSuccess;
      kind_q          <= content.kind;
      bytes_q         <= content.bytes;
      has_content_q   <= content.bytes != '0;
      content_words_q <= words_of(content.bytes);
      other_words_q   <= words_of(op_i.text_bytes) - words_of(content.bytes);
      text_words_q    <= words_of(op_i.text_bytes);
    end
  end

  // --- Second cycle: verdict ---------------------------------------------------------------------

  logic        tag_good;
  logic [6:0]  verdict;
  logic        deliver;
  logic        ready;         // the verdict, if there is to be one, is known
  size_t       overhead;
  size_t       record_bytes;

  assign tag_good = &tag_same_q;
  assign verdict  = (tag_counts_q && !tag_good) ? StatusBadTag : other_q;
  assign deliver  = tag_good && passes_q;

  assign overhead     = op_i.explicit_nonce ? ExplicitOverhead : PlainOverhead;
  assign record_bytes = op_i.text_bytes + overhead;

  always_comb begin
    plan_o = '0;
    if (ready) begin
      plan_o = '{
        write: 1'b1,
        finish: !op_i.run || op_i.run_end,
        seal: !op_i.open,
        explicit_nonce: op_i.explicit_nonce,
        header_type: op_i.header_type,
        nonce: op_i.nonce,
        destination: op_i.destination,
        bytes: record_bytes,
        has_text: op_i.has_text,
        text_bytes: op_i.text_bytes,
        result: '0
      };
      plan_o.result.ticket = op_i.ticket;
      if (op_i.run_end) begin
        plan_o.write               = 1'b0;
        plan_o.result.status       = any_q ? StatusSuccess : ended_q ? status_q : op_i.status;
        plan_o.result.content_type = content_type_q;
        plan_o.result.written      = written_q;
        plan_o.result.consumed     = consumed_q;
        plan_o.result.records      = records_q;
      end else if (op_i.open) begin
        plan_o.write         = deliver && has_content_q;
        plan_o.destination   = op_i.destination + 64'(written_q);
        plan_o.bytes         = bytes_q;
        plan_o.text_bytes    = bytes_q;
        plan_o.result.status = verdict;
        if (deliver) begin
          plan_o.result.content_type = kind_q;
          plan_o.result.written      = length_t'(bytes_q);
          plan_o.result.consumed     = length_t'(record_bytes);
          plan_o.result.records      = 16'd1;
        end
      end
    end
  end

  always_comb begin
    fetch_keep_o = '0;
    fetch_skip_o = '0;
    if (ready) begin
      if (!op_i.open) begin
        fetch_keep_o = words_of(op_i.text_bytes);
      end else begin
        fetch_keep_o = deliver ? content_words_q : '0;
        fetch_skip_o = deliver ? other_words_q : text_words_q;
      end
    end
  end

  // Plan and fetch are taken in the same cycle.
  assign ready         = op_valid_i && (!opened || compared_q);
  assign decided       = ready && plan_ready_i && fetch_ready_i;
  assign plan_valid_o  = ready && fetch_ready_i && (plan_o.write || plan_o.finish);
  assign fetch_valid_o = ready && plan_ready_i && !op_i.run_end;

  assign op_ready_o       = decided;
  assign received_ready_o = decided && opened;
  assign tag_ready_o      = compare;
  assign content_ready_o  = (compare && op_i.has_text) || ends_due_q;

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
    end else if (decided && op_i.run) begin
      if (op_i.run_end) begin
        ended_q        <= 1'b0;
        any_q          <= 1'b0;
        content_type_q <= '0;
        written_q      <= '0;
        consumed_q     <= '0;
        records_q      <= '0;
      end else if (deliver) begin
        any_q          <= 1'b1;
        ended_q        <= kind_q != ApplicationData;
        content_type_q <= kind_q;
        written_q      <= written_q + length_t'(bytes_q);
        consumed_q     <= consumed_q + length_t'(record_bytes);
        records_q      <= records_q + 16'd1;
      end else begin
        ended_q <= 1'b1;
        if (!ended_q) status_q <= verdict;
      end
    end
  end

  logic sealed;
  logic seal_end;
  logic seal_end_leaves;

  assign sealed          = decided && !op_i.open;
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
