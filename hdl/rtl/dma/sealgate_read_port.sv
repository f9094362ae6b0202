// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Reads spans of host memory as a stream of words.
//
// Theory of operation: a span is cut into INCR bursts that end at every multiple of BurstBytes, so
// that none crosses 4 KiB. A burst gets its rows of the buffer, one behind the other in the order of
// asking, and a tag; it is asked for only when the buffer has rows for a longest burst, so R is
// always ready. Beats may come in any order and interleaved: the tag tells where the next row of its
// burst stands. A bit per row says that the row has landed. Words leave in the order of asking, as
// soon as their row is there, one a cycle across the borders of bursts and spans.
//
// Tags are given in turn. A tag is free again when the last beat of its burst has landed; a burst
// whose turn falls to a tag that is still under way waits for it.
//
// A buffer of 8 KiB covers a latency of some 440 cycles at one word a cycle. It stands in banks of
// one word: all banks are written by a beat, one is read for a word.

`default_nettype none

module sealgate_read_port
  import sealgate_pkg::*;
#(
  parameter int unsigned DataWidth = 512,
  parameter int unsigned Tags = 32,          // a power of two from 2 to 256
  parameter int unsigned BufferBytes = 8192  // a power of two, at least twice BurstBytes
) (
  input  wire logic                   clk_i,
  input  wire logic                   rst_ni,

  input  wire logic                   span_valid_i,
  output      logic                   span_ready_o,
  input  wire span_t                  span_i,  // at least one byte

  output      logic                   ar_valid_o,
  input  wire logic                   ar_ready_i,
  output      logic [BusTagWidth-1:0] ar_tag_o,
  output      logic [63:0]            ar_address_o,
  output      logic [7:0]             ar_len_o,

  input  wire logic                   r_valid_i,
  input  wire logic [BusTagWidth-1:0] r_tag_i,
  input  wire logic [DataWidth-1:0]   r_data_i,
  input  wire logic                   r_error_i,

  output      logic                   word_valid_o,
  input  wire logic                   word_ready_i,
  output      logic [WordWidth-1:0]   word_data_o,
  output      logic                   word_error_o,

  output      logic                   busy_o
);

  localparam int unsigned RowBytes = DataWidth / 8;
  localparam int unsigned OffsetWidth = $clog2(RowBytes);
  localparam int unsigned Rows = BufferBytes / RowBytes;
  localparam int unsigned RowWidth = $clog2(Rows);
  localparam int unsigned BurstRows = BurstBytes / RowBytes;
  localparam int unsigned BeatWidth = $clog2(BurstRows);
  localparam int unsigned Banks = RowBytes / WordBytes;
  localparam int unsigned BankWidth = (Banks > 1) ? $clog2(Banks) : 1;
  localparam int unsigned TagWidth = $clog2(Tags);
  // Words or rows of a span: one more than its bytes fill, if it stands across a border.
  localparam int unsigned CountWidth = LengthWidth - $clog2(WordBytes);

  localparam logic [BankWidth-1:0] LastBank = BankWidth'(Banks - 1);

  typedef logic [RowWidth-1:0]   row_t;
  typedef logic [BeatWidth-1:0]  beat_t;
  typedef logic [BankWidth-1:0]  bank_t;
  typedef logic [CountWidth-1:0] count_t;

  // Where the words of a span stand in its rows.
  typedef struct packed {
    bank_t  first;
    count_t words;
  } extent_t;

  typedef struct packed {
    row_t  row;   // of the first beat
    beat_t last;  // index of the last beat
  } burst_t;

  // --- Cutting spans into bursts ------------------------------------------------------------------

  logic [LengthWidth:0] row_end;   // bytes from the first row's first byte to the last row's end
  logic [LengthWidth:0] word_end;  // likewise of words
  extent_t              extent;
  logic                 extents_ready;
  logic                 span_taken;

  assign row_end  = (LengthWidth + 1)'(span_i.bytes) +
                    (LengthWidth + 1)'(span_i.address[OffsetWidth-1:0]) +
                    (LengthWidth + 1)'(RowBytes - 1);
  assign word_end = (LengthWidth + 1)'(span_i.bytes) + (LengthWidth + 1)'(span_i.address[3:0]) +
                    (LengthWidth + 1)'(WordBytes - 1);
  assign extent   = '{
    first: (Banks > 1) ? span_i.address[4+:BankWidth] : '0,
    words: word_end[4+:CountWidth]
  };

  logic                   open_q;  // a span is being cut
  logic [63:OffsetWidth]  address_q;
  count_t                 rest_q;  // rows
  logic [BeatWidth:0]     to_border;
  logic [BeatWidth:0]     burst_rows;
  logic                   last_burst;
  logic                   issue;

  assign to_border  = (BeatWidth + 1)'(BurstRows) - {1'b0, address_q[OffsetWidth+:BeatWidth]};
  assign last_burst = rest_q <= CountWidth'(to_border);
  assign burst_rows = last_burst ? rest_q[BeatWidth:0] : to_border;

  assign span_ready_o = extents_ready && (!open_q || (issue && last_burst));
  assign span_taken   = span_valid_i && span_ready_o;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) open_q <= 1'b0;
    else if (span_taken) open_q <= 1'b1;
    else if (issue && last_burst) open_q <= 1'b0;
  end

  always_ff @(posedge clk_i) begin
    if (span_taken) begin
      address_q <= span_i.address[63:OffsetWidth];
      rest_q    <= CountWidth'(row_end[LengthWidth:OffsetWidth]);
    end else if (issue) begin
      address_q <= address_q + (64 - OffsetWidth)'(burst_rows);
      rest_q    <= rest_q - CountWidth'(burst_rows);
    end
  end

  // --- Asking for bursts --------------------------------------------------------------------------

  burst_t                bursts_q[Tags];
  logic [Tags-1:0]       under_way_q;  // beats of the tag's burst are still to land
  logic [Tags-1:0]       fresh_q;      // none of them has landed
  logic [TagWidth-1:0]   tag_q;
  row_t                  row_q;
  logic [RowWidth:0]     reserved_q;   // rows given to bursts whose words have not left
  logic                  row_leaves;
  logic                  ar_valid_q;

  assign issue = open_q && (!ar_valid_q || ar_ready_i) && !under_way_q[tag_q] &&
                 (reserved_q <= (RowWidth + 1)'(Rows - BurstRows));

  assign ar_valid_o = ar_valid_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      ar_valid_q <= 1'b0;
      tag_q      <= '0;
      row_q      <= '0;
      reserved_q <= '0;
    end else begin
      if (issue) ar_valid_q <= 1'b1;
      else if (ar_ready_i) ar_valid_q <= 1'b0;
      if (issue) begin
        tag_q <= tag_q + 1'b1;
        row_q <= row_q + RowWidth'(burst_rows);
      end
      if (issue || row_leaves) begin
        reserved_q <= reserved_q + (issue ? (RowWidth + 1)'(burst_rows) : '0) -
                      (RowWidth + 1)'(row_leaves);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (issue) begin
      ar_tag_o        <= BusTagWidth'(tag_q);
      ar_address_o    <= {address_q, OffsetWidth'(0)};
      ar_len_o        <= 8'(burst_rows) - 8'd1;
      bursts_q[tag_q] <= '{row: row_q, last: BeatWidth'(burst_rows - 1'b1)};
    end
  end

  // --- Landing ------------------------------------------------------------------------------------

  beat_t               beats_q[Tags];  // index of the next beat, unless the burst is fresh
  logic [TagWidth-1:0] r_tag;
  burst_t              r_burst;
  beat_t               r_beat;

  logic                 landing_q;
  row_t                 landing_row_q;
  logic [DataWidth-1:0] landing_data_q;
  logic                 landing_error_q;

  assign r_tag   = r_tag_i[TagWidth-1:0];
  assign r_burst = bursts_q[r_tag];
  assign r_beat  = fresh_q[r_tag] ? '0 : beats_q[r_tag];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      landing_q   <= 1'b0;
      under_way_q <= '0;
      fresh_q     <= '0;
    end else begin
      landing_q <= r_valid_i;
      if (issue) begin
        under_way_q[tag_q] <= 1'b1;
        fresh_q[tag_q]     <= 1'b1;
      end
      if (r_valid_i) begin
        fresh_q[r_tag] <= 1'b0;
        if (r_beat == r_burst.last) under_way_q[r_tag] <= 1'b0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (r_valid_i) begin
      beats_q[r_tag]  <= r_beat + 1'b1;
      landing_row_q   <= r_burst.row + RowWidth'(r_beat);
      landing_data_q  <= r_data_i;
      landing_error_q <= r_error_i;
    end
  end

  // --- Taking words out ---------------------------------------------------------------------------

  extent_t         next_extent;
  logic            next_valid;
  logic            next_taken;

  logic [Rows-1:0] landed_q;
  logic            reading_q;  // words of a span are still to be read
  row_t            read_row_q;
  row_t            after_row_q;    // the one behind it
  logic            landed_here_q;  // a cycle ago read_row_q was there
  bank_t           bank_q;
  count_t          words_q;
  logic            last_word;
  logic            read;

  sealgate_fifo #(
    .Width($bits(extent_t)),
    .Depth(Tags)
  ) u_extents (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(span_taken),
    .ready_o(extents_ready),
    .data_i (extent),
    .valid_o(next_valid),
    .ready_i(next_taken),
    .data_o (next_extent)
  );

  // Two stages stand behind the banks: their outputs, and the word chosen from them.
  logic                 fetched_q;
  bank_t                fetched_bank_q;
  logic [WordWidth:0]   fetched[Banks];
  logic                 fetched_moves;
  logic                 word_valid_q;

  assign fetched_moves = !word_valid_q || word_ready_i;

  assign last_word  = words_q == CountWidth'(1);
  assign read       = reading_q && landed_here_q && (!fetched_q || fetched_moves);
  assign row_leaves = read && (last_word || (bank_q == LastBank));
  assign next_taken = next_valid && (!reading_q || (read && last_word));

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      reading_q     <= 1'b0;
      read_row_q    <= '0;
      after_row_q   <= row_t'(1);
      landed_here_q <= 1'b0;
      landed_q      <= '0;
    end else begin
      if (next_taken) reading_q <= 1'b1;
      else if (read && last_word) reading_q <= 1'b0;
      if (row_leaves) begin
        read_row_q  <= after_row_q;
        after_row_q <= after_row_q + 1'b1;
      end
      landed_here_q <= row_leaves ? landed_q[after_row_q] : landed_q[read_row_q];
      if (landing_q) landed_q[landing_row_q] <= 1'b1;
      if (row_leaves) landed_q[read_row_q] <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (next_taken) begin
      bank_q  <= next_extent.first;
      words_q <= next_extent.words;
    end else if (read) begin
      bank_q  <= (bank_q == LastBank) ? '0 : bank_q + 1'b1;
      words_q <= words_q - 1'b1;
    end
  end

  for (genvar b = 0; b < Banks; b++) begin : gen_bank
    logic [WordWidth:0] rows_q[Rows];  // the error of the beat stands beside each of its words
    logic [WordWidth:0] data_q;

    always_ff @(posedge clk_i) begin
      if (landing_q) begin
        rows_q[landing_row_q] <= {landing_error_q, landing_data_q[b*WordWidth+:WordWidth]};
      end
      if (read && (bank_q == BankWidth'(b))) data_q <= rows_q[read_row_q];
    end

    assign fetched[b] = data_q;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      fetched_q    <= 1'b0;
      word_valid_q <= 1'b0;
    end else begin
      if (read) fetched_q <= 1'b1;
      else if (fetched_moves) fetched_q <= 1'b0;
      if (fetched_moves) word_valid_q <= fetched_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (read) fetched_bank_q <= bank_q;
    if (fetched_q && fetched_moves) {word_error_o, word_data_o} <= fetched[fetched_bank_q];
  end

  assign word_valid_o = word_valid_q;
  assign busy_o       = open_q || (reserved_q != '0) || fetched_q || word_valid_q;

  logic unused;
  assign unused = ^{row_end[OffsetWidth-1:0], word_end[LengthWidth], word_end[3:0], r_tag_i};

endmodule

`default_nettype wire
