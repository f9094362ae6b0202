// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// One round of ChaCha20 (RFC 8439 sections 2.1 and 2.3): four quarter rounds in four cycles.
//
// Theory of operation: a block enters as four consecutive sets of words a, b, c, d. One quarter
// round of four stages, an addition each, serves them in turn. A column round is followed by a
// diagonal round and the reverse, which take their words from different sets: the results are kept
// by set, and each next set is gathered as soon as its last word is there. Sets 0 to 3 of a
// diagonal round are diagonals 0 to 3 if those of the column round before it were columns 0 to 3;
// the next column round begins with column 2. In this order it is always word d of set 3 that is
// missing for the next set 0, and it is taken on the spot, from behind the last addition. So a
// round takes eight cycles from set 0 to the next set 0, and a block may follow every four. Two
// banks keep a block apart from the next. Which stage has a set, and which, is known to the pipe.

`default_nettype none

module sealgate_chacha_round
  import sealgate_chacha_pkg::*;
#(
  parameter int unsigned Round = 0
) (
  input  wire logic        clk_i,

  // Bit s: a set is in stage s of the quarter round, the first being the input.
  input  wire logic [4:0]  valid_i,
  // {bank, set} of the set behind the quarter round; a set for the next round is gathered, and
  // {bank, set}.
  input  wire logic [2:0]  write_set_i,
  input  wire logic        read_i,
  input  wire logic [2:0]  read_set_i,

  input  wire logic [31:0] a_i,
  input  wire logic [31:0] b_i,
  input  wire logic [31:0] c_i,
  input  wire logic [31:0] d_i,

  // A set for the next round, behind `read_i`; of the last round, the results of a set, behind the
  // last bit of `valid_i`.
  output      logic [31:0] a_o,
  output      logic [31:0] b_o,
  output      logic [31:0] c_o,
  output      logic [31:0] d_o
);

  // The quarter round. The exclusive or and the rotation behind an addition go with the next one.
  logic [31:0] a_1_q, b_1_q, c_1_q, d_1_q;
  logic [31:0] a_2_q, b_2_q, c_2_q, d_2_q;
  logic [31:0] a_3_q, b_3_q, c_3_q, d_3_q;
  logic [31:0] a_4_q, b_4_q, c_4_q, d_4_q;

  always_ff @(posedge clk_i) begin
    if (valid_i[0]) begin
      a_1_q <= a_i + b_i;
      b_1_q <= b_i;
      c_1_q <= c_i;
      d_1_q <= d_i;
    end
    if (valid_i[1]) begin
      a_2_q <= a_1_q;
      b_2_q <= b_1_q;
      c_2_q <= c_1_q + mix_16(d_1_q, a_1_q);
      d_2_q <= mix_16(d_1_q, a_1_q);
    end
    if (valid_i[2]) begin
      a_3_q <= a_2_q + mix_12(b_2_q, c_2_q);
      b_3_q <= mix_12(b_2_q, c_2_q);
      c_3_q <= c_2_q;
      d_3_q <= d_2_q;
    end
    if (valid_i[3]) begin
      a_4_q <= a_3_q;
      b_4_q <= b_3_q;
      c_4_q <= c_3_q + mix_8(d_3_q, a_3_q);
      d_4_q <= mix_8(d_3_q, a_3_q);
    end
  end

  // The results.
  if (Round == NumRounds - 1) begin : g_last
    always_ff @(posedge clk_i) begin
      if (valid_i[4]) begin
        a_o <= a_4_q;
        b_o <= mix_7(b_4_q, c_4_q);
        c_o <= c_4_q;
        d_o <= d_4_q;
      end
    end

    logic unused_sets;
    assign unused_sets = read_i ^ (^write_set_i) ^ (^read_set_i);
  end else begin : g_gather
    localparam bit Diagonal = (Round % 2) == 1;

    logic [31:0] a_mem[8];
    logic [31:0] b_mem[8];
    logic [31:0] c_mem[8];
    logic [31:0] d_mem[8];

    always_ff @(posedge clk_i) begin
      if (valid_i[4]) begin
        a_mem[write_set_i] <= a_4_q;
        b_mem[write_set_i] <= mix_7(b_4_q, c_4_q);
        c_mem[write_set_i] <= c_4_q;
        d_mem[write_set_i] <= d_4_q;
      end
    end

    logic [2:0] first, second, third;

    assign first  = {read_set_i[2], read_set_i[1:0] + 2'd1};
    assign second = {read_set_i[2], read_set_i[1:0] + 2'd2};
    assign third  = {read_set_i[2], read_set_i[1:0] + 2'd3};

    always_ff @(posedge clk_i) begin
      if (read_i) begin
        a_o <= a_mem[Diagonal ? second : read_set_i];
        b_o <= b_mem[first];
        c_o <= c_mem[Diagonal ? read_set_i : second];
        d_o <= (read_set_i[1:0] == 2'd0) ? d_4_q : d_mem[third];
      end
    end
  end

endmodule

`default_nettype wire
