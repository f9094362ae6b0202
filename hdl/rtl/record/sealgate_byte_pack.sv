// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Packs chunks of 1 to 16 bytes into words, starting at any byte of the first word.
//
// Theory of operation: a rest of up to 15 bytes is kept; a chunk is shifted behind it, and a full
// word leaves as soon as there is one. After the last chunk of a span what is left leaves as a word
// of its own. Bytes of a chunk past its length must be zero, except in the last of a span. Bytes of
// words outside the span are undefined: the write port does not strobe them.

`default_nettype none

module sealgate_byte_pack
  import sealgate_pkg::*;
  import sealgate_record_pkg::funnel;
(
  input  wire logic                 clk_i,
  input  wire logic                 rst_ni,

  // Opens a span; only while idle.
  input  wire logic                 start_i,
  input  wire logic [3:0]           offset_i,
  output      logic                 idle_o,

  input  wire logic                 chunk_valid_i,
  output      logic                 chunk_ready_o,
  input  wire logic [WordWidth-1:0] chunk_data_i,
  input  wire logic [4:0]           chunk_bytes_i,
  input  wire logic                 chunk_last_i,

  output      logic                 word_valid_o,
  input  wire logic                 word_ready_i,
  output      logic [WordWidth-1:0] word_data_o
);

  logic [63:0] rest_low_q;
  logic [63:0] rest_high_q;
  logic [3:0]  fill_q;
  logic        flush_q;  // the rest leaves as the last word
  logic [5:0]  total;
  logic        full;
  logic        taken;

  // The chunk behind the rest: by bytes within halves of a word, then by a half.
  logic [63:0] shifted_0, shifted_1, shifted_2;
  logic [63:0] packed_0, packed_1, packed_2, packed_3;

  always_comb begin
    shifted_0 = chunk_data_i[63:0] << {fill_q[2:0], 3'b000};
    shifted_1 = chunk_data_i[127:64];
    shifted_2 = '0;
    if (fill_q[2:0] != 3'd0) begin
      shifted_1 = funnel(chunk_data_i[127:64], chunk_data_i[63:0], 3'd0 - fill_q[2:0]);
      shifted_2 = chunk_data_i[127:64] >> {3'd0 - fill_q[2:0], 3'b000};
    end
    if (fill_q[3]) begin
      packed_0 = rest_low_q;
      packed_1 = rest_high_q | shifted_0;
      packed_2 = shifted_1;
      packed_3 = shifted_2;
    end else begin
      packed_0 = rest_low_q | shifted_0;
      packed_1 = rest_high_q | shifted_1;
      packed_2 = shifted_2;
      packed_3 = '0;
    end
  end

  assign total = {2'b0, fill_q} + {1'b0, chunk_bytes_i};
  assign full  = total[5:4] != 2'b0;

  assign idle_o        = !flush_q;
  assign word_valid_o  = flush_q || (chunk_valid_i && full);
  assign word_data_o   = flush_q ? {rest_high_q, rest_low_q} : {packed_1, packed_0};
  assign chunk_ready_o = !flush_q && (!full || word_ready_i);
  assign taken         = chunk_valid_i && chunk_ready_o;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      fill_q  <= '0;
      flush_q <= 1'b0;
    end else if (start_i) begin
      fill_q <= offset_i;
    end else if (flush_q) begin
      if (word_ready_i) flush_q <= 1'b0;
    end else if (taken) begin
      fill_q  <= total[3:0];
      flush_q <= chunk_last_i && (total[3:0] != 4'd0);
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      rest_low_q  <= '0;
      rest_high_q <= '0;
    end else if (taken) begin
      rest_low_q  <= full ? packed_2 : packed_0;
      rest_high_q <= full ? packed_3 : packed_1;
    end
  end

endmodule

`default_nettype wire
