// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The outbound side of a record: from the AEAD core's text and tag to chunks of bytes for memory.
//
// Theory of operation: all text of the core goes through the store, a FIFO that holds more than the
// longest record. SEAL: header, text and tag leave as they come. OPEN: nothing leaves before the
// whole record is in the store and its tag, header, length and padding have been found good; then the
// content leaves, and what follows it (content type and padding) is discarded. A record that is
// refused is discarded whole: not one byte of it reaches memory. While one record is drained the
// next ones fill the store.
//
// While a record fills the store the last byte that is not zero is tracked: it is the content type,
// and what stands before it is the content (RFC 8446, section 5.4).
//
// Entries without a record, and those that decode refused, pass through in order.

`default_nettype none

module sealgate_record_out
  import sealgate_pkg::*;
  import sealgate_abi_pkg::StatusSuccess, sealgate_abi_pkg::StatusSourceFault,
         sealgate_abi_pkg::StatusBadHeader, sealgate_abi_pkg::StatusBadTag,
         sealgate_abi_pkg::StatusBadLength, sealgate_abi_pkg::StatusPaddingWithoutContent;
(
  input  wire logic                clk_i,
  input  wire logic                rst_ni,

  input  wire logic                op_valid_i,
  output      logic                op_ready_o,
  input  wire op_t                 op_i,

  // From the AEAD core.
  input  wire logic                text_valid_i,
  output      logic                text_ready_o,
  input  wire logic [BusWidth-1:0] text_data_i,
  input  wire logic                text_last_i,
  input  wire logic                tag_valid_i,
  output      logic                tag_ready_o,
  input  wire logic [127:0]        tag_i,
  input  wire logic                tag_error_i,

  // From the inbound side, for records that are opened.
  input  wire logic                received_valid_i,
  output      logic                received_ready_o,
  input  wire received_t           received_i,

  // To memory.
  output      logic                span_valid_o,
  input  wire logic                span_ready_i,
  output      span_t               span_o,
  output      logic                chunk_valid_o,
  input  wire logic                chunk_ready_i,
  output      logic [BusWidth-1:0] chunk_data_o,
  output      logic [4:0]          chunk_bytes_o,
  output      logic                chunk_last_o,

  output      logic                result_valid_o,
  input  wire logic                result_ready_i,
  output      result_t             result_o
);

  // Two of the longest records: one drains while the next fills.
  localparam int unsigned StoreBeats = 2048;

  // Records whose text may stand in the store at once, short ones.
  localparam int unsigned ContentDepth = 64;

  typedef struct packed {
    logic       found;  // any byte that is not zero
    logic [7:0] kind;
    size_t      bytes;  // in front of it
  } content_t;

  // --- Filling the store --------------------------------------------------------------------------

  logic                store_valid;
  logic                store_pop;
  logic [BusWidth-1:0] store_data;
  logic                store_ready;
  logic                content_fifo_ready;
  logic                text_accepted;

  logic [10:0] fill_beat_q;
  content_t    content_q;
  content_t    content_now;
  logic        beat_found;
  logic [3:0]  beat_index;
  logic [7:0]  beat_kind;

  assign text_ready_o  = store_ready && content_fifo_ready;
  assign text_accepted = text_valid_i && text_ready_o;

  always_comb begin
    beat_found = 1'b0;
    beat_index = '0;
    beat_kind  = '0;
    if (text_valid_i) begin
      for (int unsigned i = 0; i < BusBytes; i++) begin
        if (text_data_i[8*i+:8] != 8'd0) begin
          beat_found = 1'b1;
          beat_index = 4'(i);
          beat_kind  = text_data_i[8*i+:8];
        end
      end
    end
    content_now = content_q;
    if (beat_found) begin
      content_now = '{found: 1'b1, kind: beat_kind, bytes: {fill_beat_q, beat_index}};
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      fill_beat_q <= '0;
      content_q   <= '0;
    end else if (text_accepted) begin
      fill_beat_q <= text_last_i ? '0 : fill_beat_q + 11'd1;
      content_q   <= text_last_i ? '0 : content_now;
    end
  end

  logic     content_valid;
  logic     content_pop;
  content_t content;

  sealgate_fifo #(
    .Width($bits(content_t)),
    .Depth(ContentDepth)
  ) u_content (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(text_accepted && text_last_i),
    .ready_o(content_fifo_ready),
    .data_i (content_now),
    .valid_o(content_valid),
    .ready_i(content_pop),
    .data_o (content)
  );

  logic [$clog2(StoreBeats):0] store_count;
  sealgate_ram_fifo #(
    .Width(BusWidth),
    .Depth(StoreBeats)
  ) u_store (
    .clk_i,
    .rst_ni,
    .valid_i(text_accepted),
    .ready_o(store_ready),
    .data_i (text_data_i),
    .valid_o(store_valid),
    .ready_i(store_pop),
    .data_o (store_data),
    .count_o(store_count)
  );

  // --- Draining it --------------------------------------------------------------------------------

  typedef enum logic [2:0] {
    StIdle,     // no record: look at the next entry
    StVerdict,  // OPEN: wait for tag and header, and judge
    StSpan,     // the write engine takes the span
    StHeader,   // SEAL: five bytes
    StText,     // text from the store, then what is to be discarded
    StTag,      // SEAL: the tag, or its error
    StResult    // hand over to completion
  } state_e;

  state_e      state_q;
  logic [6:0]  status_q;
  logic [10:0] keep_q;      // beats still to be written
  logic [10:0] discard_q;   // beats still to be thrown away
  logic [4:0]  last_bytes_q;
  size_t       written_q;
  logic [7:0]  content_type_q;

  // Bytes in the last beat of a text, 16 when it is full, by the length modulo 16.
  function automatic logic [4:0] last_bytes_of(logic [3:0] bytes);
    return (bytes == 4'd0) ? 5'd16 : {1'b0, bytes};
  endfunction

  logic       inputs_ready;
  logic [6:0] verdict;
  size_t      record_bytes;
  size_t      encrypted_bytes;

  assign inputs_ready    = tag_valid_i && received_valid_i && content_valid;
  assign encrypted_bytes = op_i.inner + 15'(sealgate_abi_pkg::TagBytes);
  assign record_bytes    = encrypted_bytes + 15'(sealgate_abi_pkg::RecordHeaderBytes);

  always_comb begin
    if (received_i.fault || tag_error_i) verdict = StatusSourceFault;
    else if (received_i.bad_header) verdict = StatusBadHeader;
    else if (received_i.tag != tag_i) verdict = StatusBadTag;
    else if (op_i.inner > 15'(sealgate_abi_pkg::MaxInnerPlaintextBytes)) verdict = StatusBadLength;
    else if (!content.found) verdict = StatusPaddingWithoutContent;
    else verdict = StatusSuccess;
  end

  logic take_verdict;
  logic keeping;
  logic chunk_accepted;
  logic store_taken;
  logic text_done;

  assign take_verdict   = (state_q == StVerdict) && inputs_ready;
  assign keeping        = keep_q != '0;
  assign chunk_accepted = chunk_valid_o && chunk_ready_i;
  assign store_pop      = (state_q == StText) && (keeping ? chunk_ready_i : discard_q != '0);
  assign store_taken    = store_valid && store_pop;
  assign text_done      = keep_q + discard_q == 11'(store_taken);

  assign span_valid_o = state_q == StSpan;
  assign span_o = '{address: op_i.destination, bytes: written_q};

  always_comb begin
    chunk_valid_o = 1'b0;
    chunk_data_o  = store_data;
    chunk_bytes_o = (keep_q == 11'd1) ? last_bytes_q : 5'd16;
    chunk_last_o  = op_i.open && (keep_q == 11'd1);
    unique case (state_q)
      StHeader: begin
        chunk_valid_o = 1'b1;
        chunk_data_o  = {88'b0, encrypted_bytes[7:0], 1'b0, encrypted_bytes[14:8], 24'h030317};
        chunk_bytes_o = 5'(sealgate_abi_pkg::RecordHeaderBytes);
        chunk_last_o  = 1'b0;
      end
      StText: chunk_valid_o = store_valid && keeping;
      StTag: begin
        chunk_valid_o = tag_valid_i && content_valid;
        chunk_data_o  = tag_i;
        chunk_bytes_o = 5'(sealgate_abi_pkg::TagBytes);
        chunk_last_o  = 1'b1;
      end
      default: ;
    endcase
  end

  // Both kinds of record use up one tag and one content entry.
  logic seal_tag_done;
  assign seal_tag_done    = (state_q == StTag) && chunk_accepted;
  assign tag_ready_o      = take_verdict || seal_tag_done;
  assign content_pop      = take_verdict || seal_tag_done;
  assign received_ready_o = take_verdict;

  assign result_valid_o = state_q == StResult;
  assign op_ready_o     = (state_q == StResult) && result_ready_i;
  assign result_o = '{
    queue_id: op_i.queue_id,
    sq_head: op_i.sq_head,
    cookie: op_i.cookie,
    status: status_q,
    wrote: op_i.record && (written_q != '0),
    record: op_i.record,
    open: op_i.open,
    content_type: content_type_q,
    written: written_q,
    consumed: op_i.length
  };

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q <= StIdle;
    end else begin
      unique case (state_q)
        StIdle: begin
          if (op_valid_i) state_q <= !op_i.record ? StResult : op_i.open ? StVerdict : StSpan;
        end
        StVerdict: begin
          if (take_verdict) begin
            state_q <= ((verdict == StatusSuccess) && (content.bytes != '0)) ? StSpan : StText;
          end
        end
        StSpan: if (span_ready_i) state_q <= op_i.open ? StText : StHeader;
        StHeader: if (chunk_accepted) state_q <= StText;
        StText: if (text_done) state_q <= op_i.open ? StResult : StTag;
        StTag: if (chunk_accepted) state_q <= StResult;
        StResult: if (result_ready_i) state_q <= StIdle;
        default: state_q <= StIdle;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    unique case (state_q)
      StIdle: begin
        status_q       <= op_i.status;
        content_type_q <= op_i.content_type;
        written_q      <= (op_i.record && !op_i.open) ? record_bytes : '0;
        keep_q         <= beats_of(op_i.inner);
        discard_q      <= '0;
        last_bytes_q   <= last_bytes_of(op_i.inner[3:0]);
      end
      StVerdict: begin
        if (take_verdict) begin
          status_q  <= verdict;
          keep_q    <= '0;
          discard_q <= beats_of(op_i.inner);
          if (verdict == StatusSuccess) begin
            content_type_q <= content.kind;
            written_q      <= content.bytes;
            last_bytes_q   <= last_bytes_of(content.bytes[3:0]);
            keep_q         <= beats_of(content.bytes);
            discard_q      <= beats_of(op_i.inner) - beats_of(content.bytes);
          end
        end
      end
      StText: begin
        if (store_taken) begin
          if (keeping) keep_q <= keep_q - 11'd1;
          else discard_q <= discard_q - 11'd1;
        end
      end
      StTag: if (chunk_accepted && tag_error_i) status_q <= StatusSourceFault;
      default: ;
    endcase
  end

  logic unused;
  assign unused = ^store_count;

endmodule

`default_nettype wire
