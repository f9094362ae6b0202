// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Writes spans of host memory from a stream of words.
//
// Theory of operation: words come aligned as they will stand in memory and fill the rows of a
// buffer, which are as wide as the bus. A burst ends at every multiple of BurstBytes and at the end
// of its span; it is asked for when its last word has come, so W is never held back. What is known
// of a burst goes two ways: its address to AW, its rows and the strobes of the first and the last
// of them to W. Both run apart, and a row leaves in every cycle across the borders of bursts.
//
// Bursts carry one ID, so their acknowledgements come in order. A span is acknowledged when all of
// its bursts are, with the error of any. At a span of 64 bytes in six cycles, 64 bursts under way
// cover a latency of 380 cycles.

`default_nettype none

module sealgate_write_port
  import sealgate_pkg::*;
#(
  parameter int unsigned DataWidth = 512,
  parameter int unsigned BufferBytes = 4096,   // a power of two, at least twice BurstBytes
  parameter int unsigned BurstsReady = 16,     // whose address or data has not left
  parameter int unsigned BurstsUnderWay = 64   // not acknowledged; spans likewise
) (
  input  wire logic                   clk_i,
  input  wire logic                   rst_ni,

  input  wire logic                   span_valid_i,
  output      logic                   span_ready_o,
  input  wire span_t                  span_i,  // at least one byte

  input  wire logic                   word_valid_i,
  output      logic                   word_ready_o,
  input  wire logic [WordWidth-1:0]   word_data_i,

  output      logic                   aw_valid_o,
  input  wire logic                   aw_ready_i,
  output      logic [63:0]            aw_address_o,
  output      logic [7:0]             aw_len_o,

  output      logic                   w_valid_o,
  input  wire logic                   w_ready_i,
  output      logic [DataWidth-1:0]   w_data_o,
  output      logic [DataWidth/8-1:0] w_strb_o,
  output      logic                   w_last_o,

  input  wire logic                   b_valid_i,
  input  wire logic                   b_error_i,

  // One acknowledgement per span, in order.
  output      logic                   ack_valid_o,
  input  wire logic                   ack_ready_i,
  output      logic                   ack_error_o,

  output      logic                   busy_o
);

  localparam int unsigned RowBytes = DataWidth / 8;
  localparam int unsigned OffsetWidth = $clog2(RowBytes);
  localparam int unsigned Rows = BufferBytes / RowBytes;
  localparam int unsigned RowWidth = $clog2(Rows);
  localparam int unsigned BeatWidth = $clog2(BurstBytes / RowBytes);
  localparam int unsigned Banks = RowBytes / WordBytes;
  localparam int unsigned BankWidth = (Banks > 1) ? $clog2(Banks) : 1;
  localparam int unsigned CountWidth = LengthWidth - $clog2(WordBytes);
  localparam int unsigned UnderWayWidth = $clog2(BurstsUnderWay + 1);

  localparam logic [BankWidth-1:0] LastBank = BankWidth'(Banks - 1);

  typedef logic [RowWidth-1:0]    row_t;
  typedef logic [BeatWidth-1:0]   beat_t;
  typedef logic [OffsetWidth-1:0] offset_t;

  typedef struct packed {
    logic [63:OffsetWidth] address;
    beat_t                 last;  // index of the last beat
  } aw_t;

  typedef struct packed {
    beat_t   last;
    offset_t first_byte;  // of the first row that belongs to the burst
    offset_t last_byte;   // of the last row
  } w_t;

  // --- Filling rows ------------------------------------------------------------------------------

  span_t                 next_span;
  logic                  next_valid;
  logic                  next_taken;
  logic [LengthWidth:0]  next_end;  // from the first word's first byte to the last word's end

  logic [UnderWayWidth-1:0] spans_q;  // taken and not acknowledged
  logic                     acked;

  sealgate_fifo #(
    .Width($bits(span_t)),
    .Depth(4)
  ) u_spans (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(span_valid_i),
    .ready_o(span_ready_o),
    .data_i (span_i),
    .valid_o(next_valid),
    .ready_i(next_taken),
    .data_o (next_span)
  );

  logic                  open_q;         // words of a span are still to come
  logic                  first_q;        // the burst is the first of its span
  logic [63:OffsetWidth] address_q;      // of the row that is filled
  beat_t                 start_q;        // low bits of the address of the burst's first row
  offset_t               first_byte_q;   // of the span
  offset_t               last_byte_q;    // of the span
  logic [BankWidth-1:0]  bank_q;
  logic [CountWidth-1:0] words_q;
  row_t                  fill_row_q;
  logic [RowWidth:0]     filled_q;       // rows that were filled and have not left

  logic fill;
  logic last_word;
  logic row_done;
  logic burst_done;
  logic row_leaves;
  logic aws_ready;
  logic ws_ready;
  logic under_way_ready;

  assign word_ready_o = open_q && aws_ready && ws_ready && under_way_ready &&
                        (filled_q != (RowWidth + 1)'(Rows));
  assign fill         = word_valid_i && word_ready_o;
  assign last_word    = words_q == CountWidth'(1);
  assign row_done     = fill && (last_word || (bank_q == LastBank));
  assign burst_done   = row_done && (last_word || (address_q[OffsetWidth+:BeatWidth] == '1));

  assign next_taken = next_valid && (!open_q || (fill && last_word)) &&
                      (spans_q != UnderWayWidth'(BurstsUnderWay));
  assign next_end   = (LengthWidth + 1)'(next_span.bytes) +
                      (LengthWidth + 1)'(next_span.address[3:0]) +
                      (LengthWidth + 1)'(WordBytes - 1);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      open_q     <= 1'b0;
      fill_row_q <= '0;
      filled_q   <= '0;
      spans_q    <= '0;
    end else begin
      if (next_taken) open_q <= 1'b1;
      else if (fill && last_word) open_q <= 1'b0;
      if (row_done) fill_row_q <= fill_row_q + 1'b1;
      if (row_done != row_leaves) filled_q <= row_done ? filled_q + 1'b1 : filled_q - 1'b1;
      if (next_taken != acked) spans_q <= next_taken ? spans_q + 1'b1 : spans_q - 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (next_taken) begin
      first_q      <= 1'b1;
      address_q    <= next_span.address[63:OffsetWidth];
      start_q      <= next_span.address[OffsetWidth+:BeatWidth];
      first_byte_q <= next_span.address[OffsetWidth-1:0];
      last_byte_q  <= OffsetWidth'(next_span.address[OffsetWidth-1:0] +
                                   next_span.bytes[OffsetWidth-1:0] - 1'b1);
      bank_q       <= (Banks > 1) ? next_span.address[4+:BankWidth] : '0;
      words_q      <= next_end[4+:CountWidth];
    end else if (fill) begin
      words_q <= words_q - 1'b1;
      bank_q  <= (bank_q == LastBank) ? '0 : bank_q + 1'b1;
      if (row_done) address_q <= address_q + 1'b1;
      if (burst_done) begin
        first_q <= 1'b0;
        start_q <= '0;
      end
    end
  end

  // --- AW ----------------------------------------------------------------------------------------

  aw_t aw_in;
  aw_t aw;

  assign aw_in = '{
    address: {address_q[63:OffsetWidth+BeatWidth], start_q},
    last: address_q[OffsetWidth+:BeatWidth] - start_q
  };

  sealgate_fifo #(
    .Width($bits(aw_t)),
    .Depth(BurstsReady)
  ) u_aws (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(burst_done),
    .ready_o(aws_ready),
    .data_i (aw_in),
    .valid_o(aw_valid_o),
    .ready_i(aw_ready_i),
    .data_o (aw)
  );

  assign aw_address_o = {aw.address, OffsetWidth'(0)};
  assign aw_len_o     = 8'(aw.last);

  // --- W -----------------------------------------------------------------------------------------

  w_t    w_in;
  w_t    w;
  logic  w_waits;  // a burst is to be sent
  logic  w_done;
  row_t  send_row_q;
  beat_t sent_q;   // of the burst
  logic  w_valid_q;
  logic  first_beat;
  logic  last_beat;

  assign w_in = '{
    last: aw_in.last,
    first_byte: first_q ? first_byte_q : '0,
    last_byte: last_word ? last_byte_q : '1
  };

  sealgate_fifo #(
    .Width($bits(w_t)),
    .Depth(BurstsReady)
  ) u_ws (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(burst_done),
    .ready_o(ws_ready),
    .data_i (w_in),
    .valid_o(w_waits),
    .ready_i(w_done),
    .data_o (w)
  );

  assign row_leaves = w_waits && (!w_valid_q || w_ready_i);
  assign first_beat = sent_q == '0;
  assign last_beat  = sent_q == w.last;
  assign w_done     = row_leaves && last_beat;
  assign w_valid_o  = w_valid_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      w_valid_q  <= 1'b0;
      send_row_q <= '0;
      sent_q     <= '0;
    end else begin
      if (row_leaves) w_valid_q <= 1'b1;
      else if (w_ready_i) w_valid_q <= 1'b0;
      if (row_leaves) begin
        send_row_q <= send_row_q + 1'b1;
        sent_q     <= last_beat ? '0 : sent_q + 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (row_leaves) begin
      w_last_o <= last_beat;
      w_strb_o <= (first_beat ? {RowBytes{1'b1}} << w.first_byte : '1) &
                  (last_beat ? {RowBytes{1'b1}} >> ~w.last_byte : '1);
    end
  end

  for (genvar b = 0; b < Banks; b++) begin : gen_bank
    logic [WordWidth-1:0] rows_q[Rows];

    always_ff @(posedge clk_i) begin
      if (fill && (bank_q == BankWidth'(b))) rows_q[fill_row_q] <= word_data_i;
      if (row_leaves) w_data_o[b*WordWidth+:WordWidth] <= rows_q[send_row_q];
    end
  end

  // --- B -----------------------------------------------------------------------------------------

  logic b_expected;
  logic b_last;   // the burst is the last of its span
  logic b_taken;
  logic error_q;  // of an earlier burst of the span
  logic acks_ready;

  sealgate_fifo #(
    .Width(1),
    .Depth(BurstsUnderWay)
  ) u_under_way (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(burst_done),
    .ready_o(under_way_ready),
    .data_i (last_word),
    .valid_o(b_expected),
    .ready_i(b_valid_i),
    .data_o (b_last)
  );

  assign b_taken = b_valid_i && b_expected;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) error_q <= 1'b0;
    else if (b_taken) error_q <= !b_last && (error_q || b_error_i);
  end

  sealgate_fifo #(
    .Width(1),
    .Depth(BurstsUnderWay)
  ) u_acks (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(b_taken && b_last),
    .ready_o(acks_ready),
    .data_i (error_q || b_error_i),
    .valid_o(ack_valid_o),
    .ready_i(ack_ready_i),
    .data_o (ack_error_o)
  );

  assign acked  = ack_valid_o && ack_ready_i;
  assign busy_o = next_valid || (spans_q != '0);

  // No more spans are taken than acknowledgements have room.
  logic unused;
  assign unused = ^{acks_ready, next_end[LengthWidth], next_end[3:0]};

endmodule

`default_nettype wire
