// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Packs chunks of 1 to 16 bytes into words, starting at any byte of the first word.
//
// Theory of operation: a rest of up to 15 bytes is kept. A chunk is first turned to where its bytes
// will stand, those behind the end of the word at the begin of the next one; then it is joined to
// the rest, and a full word leaves. After the last chunk of a span what is left leaves as a word of
// its own, while the next span may begin. Bytes of a chunk past its length must be zero, except in
// the last of a span. Bytes of words outside the span are undefined: the write port does not strobe
// them.

`default_nettype none

module sealgate_byte_pack
  import sealgate_pkg::*;
  import sealgate_record_pkg::*;
#(
  // A short queue between the turn and the rest.
  parameter bit Pipelined = 1'b0
) (
  input  wire logic                 clk_i,
  input  wire logic                 rst_ni,

  // Opens a span; all chunks of the one before were taken.
  input  wire logic                 start_i,
  input  wire logic [3:0]           offset_i,

  input  wire logic                 chunk_valid_i,
  output      logic                 chunk_ready_o,
  input  wire logic [WordWidth-1:0] chunk_data_i,
  input  wire logic [4:0]           chunk_bytes_i,
  input  wire logic                 chunk_last_i,

  output      logic                 word_valid_o,
  input  wire logic                 word_ready_i,
  output      logic [WordWidth-1:0] word_data_o
);

  typedef struct packed {
    logic        first;  // of the span
    logic        full;   // there is a word
    logic        flush;  // the rest leaves as the last word
    logic [3:0]  fill;   // bytes of the word in front of the chunk
    logic [63:0] high;
    logic [63:0] low;
  } turned_t;

  // --- Turn --------------------------------------------------------------------------------------

  logic [3:0]  fill_q;
  logic        first_q;
  logic [5:0]  total;
  logic [63:0] by_bytes_low, by_bytes_high;  // turned by less than a quarter
  turned_t     made;
  turned_t     turned;
  logic        turned_valid;
  logic        turned_ready;

  assign total = {2'b0, fill_q} + {1'b0, chunk_bytes_i};

  always_comb begin
    by_bytes_low  = push_bytes(chunk_data_i[63:0], chunk_data_i[127:104], fill_q[1:0]);
    by_bytes_high = push_bytes(chunk_data_i[127:64], chunk_data_i[63:40], fill_q[1:0]);
    made.first    = first_q;
    made.full     = total[5:4] != 2'b0;
    made.flush    = chunk_last_i && (total[3:0] != 4'd0);
    made.fill     = fill_q;
    unique case (fill_q[3:2])
      2'd0:    {made.high, made.low} = {by_bytes_high, by_bytes_low};
      2'd1:    {made.high, made.low} = {by_bytes_high[31:0], by_bytes_low, by_bytes_high[63:32]};
      2'd2:    {made.high, made.low} = {by_bytes_low, by_bytes_high};
      default: {made.high, made.low} = {by_bytes_low[31:0], by_bytes_high, by_bytes_low[63:32]};
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      fill_q  <= offset_i;
      first_q <= 1'b1;
    end else if (chunk_valid_i && chunk_ready_o) begin
      fill_q  <= total[3:0];
      first_q <= 1'b0;
    end
  end

  sealgate_stage #(
    .Width($bits(turned_t)),
    .Registered(Pipelined)
  ) u_turned (
    .clk_i,
    .rst_ni,
    .valid_i(chunk_valid_i),
    .ready_o(chunk_ready_o),
    .data_i (made),
    .valid_o(turned_valid),
    .ready_i(turned_ready),
    .data_o (turned)
  );

  // --- Join --------------------------------------------------------------------------------------

  logic [63:0] rest_low_q;
  logic [63:0] rest_high_q;
  logic        flush_q;
  logic [63:0] front_low, front_high;    // bytes of the word in front of the chunk
  logic [63:0] joined_low, joined_high;
  logic        taken;

  always_comb begin
    front_low   = keep_low({1'b0, turned.fill});
    front_high  = keep_high({1'b0, turned.fill});
    joined_low  = turned.low & ~front_low;
    joined_high = turned.high & ~front_high;
    if (!turned.first) begin
      joined_low  = joined_low | rest_low_q;
      joined_high = joined_high | rest_high_q;
    end
  end

  assign word_valid_o = flush_q || (turned_valid && turned.full);
  assign word_data_o  = flush_q ? {rest_high_q, rest_low_q} : {joined_high, joined_low};
  assign turned_ready = !flush_q && (!turned.full || word_ready_i);
  assign taken        = turned_valid && turned_ready;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) flush_q <= 1'b0;
    else if (taken) flush_q <= turned.flush;
    else if (word_ready_i) flush_q <= 1'b0;
  end

  always_ff @(posedge clk_i) begin
    if (taken) begin
      rest_low_q  <= turned.full ? turned.low & front_low : joined_low;
      rest_high_q <= turned.full ? turned.high & front_high : joined_high;
    end
  end

endmodule

`default_nettype wire
