// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// GF(2^128) product by integer multiplication, for simulation only.
//
// Theory of operation: carry-less multiplication "with holes", as in BearSSL's ghash_ctmul64. Every
// fourth bit of each operand is kept, so that the sums of an ordinary product have three bits of
// room for carries, which a mask then removes; sixteen such products make the low 64 bits of a
// carry-less one. The high bits are the low bits of the product of the reversed operands, and
// Karatsuba's rule saves one of four multiplications: 96 integer multiplications in all, against
// thousands of bit operations of the XOR form, on a computer that multiplies in one cycle. The
// stages are four, so that few values are copied in a cycle.

`default_nettype none

module sealgate_gf128_mul_integer
  import sealgate_gf128_pkg::*;
(
  input  wire logic                 clk_i,
  // Bit s: stage s takes a value at the end of this cycle.
  input  wire logic [3:0]           enable_i,

  input  wire logic [63:0]          x_hi_i,
  input  wire logic [63:0]          x_lo_i,
  input  wire logic [63:0]          y_hi_i,
  input  wire logic [63:0]          y_lo_i,

  output      logic [63:0]          product_hi_o,
  output      logic [63:0]          product_lo_o
);

  localparam logic [63:0] Holes0 = 64'h1111_1111_1111_1111;
  localparam logic [63:0] Holes1 = 64'h2222_2222_2222_2222;
  localparam logic [63:0] Holes2 = 64'h4444_4444_4444_4444;
  localparam logic [63:0] Holes3 = 64'h8888_8888_8888_8888;

  // The low 64 bits of the carry-less product.
  function automatic logic [63:0] mul_low(logic [63:0] x, logic [63:0] y);
    logic [63:0] x0, x1, x2, x3, y0, y1, y2, y3;
    x0 = x & Holes0;
    x1 = x & Holes1;
    x2 = x & Holes2;
    x3 = x & Holes3;
    y0 = y & Holes0;
    y1 = y & Holes1;
    y2 = y & Holes2;
    y3 = y & Holes3;
    return (((x0 * y0) ^ (x1 * y3) ^ (x2 * y2) ^ (x3 * y1)) & Holes0) |
           (((x0 * y1) ^ (x1 * y0) ^ (x2 * y3) ^ (x3 * y2)) & Holes1) |
           (((x0 * y2) ^ (x1 * y1) ^ (x2 * y0) ^ (x3 * y3)) & Holes2) |
           (((x0 * y3) ^ (x1 * y2) ^ (x2 * y1) ^ (x3 * y0)) & Holes3);
  endfunction

  // The bits of a word in reverse order.
  function automatic logic [63:0] reverse(logic [63:0] x);
    logic [63:0] r;
    r = ((x & 64'h5555_5555_5555_5555) << 1) | ((x >> 1) & 64'h5555_5555_5555_5555);
    r = ((r & 64'h3333_3333_3333_3333) << 2) | ((r >> 2) & 64'h3333_3333_3333_3333);
    r = ((r & 64'h0f0f_0f0f_0f0f_0f0f) << 4) | ((r >> 4) & 64'h0f0f_0f0f_0f0f_0f0f);
    return swap_bytes(r);
  endfunction

  // A word times 1 + x + x^2 + x^7: the part that stays in its place, and the part that leaves it
  // for the word below.
  function automatic logic [63:0] fold_stay(logic [63:0] x);
    return x ^ (x >> 1) ^ (x >> 2) ^ (x >> 7);
  endfunction

  function automatic logic [63:0] fold_leave(logic [63:0] x);
    return (x << 63) ^ (x << 62) ^ (x << 57);
  endfunction

  // Stage 1: operands, and operands reversed.
  logic [63:0] x_hi_q, x_lo_q, y_hi_q, y_lo_q;
  logic [63:0] x_hi_rev_q, x_lo_rev_q, y_hi_rev_q, y_lo_rev_q;

  always_ff @(posedge clk_i) begin
    if (enable_i[0]) begin
      x_hi_q     <= x_hi_i;
      x_lo_q     <= x_lo_i;
      y_hi_q     <= y_hi_i;
      y_lo_q     <= y_lo_i;
      x_hi_rev_q <= reverse(x_hi_i);
      x_lo_rev_q <= reverse(x_lo_i);
      y_hi_rev_q <= reverse(y_hi_i);
      y_lo_rev_q <= reverse(y_lo_i);
    end
  end

  // Stage 2: low half and reversed high half of the products of low words, of high words and of
  // their sums.
  logic [63:0] low_low_q, high_low_q, sum_low_q;
  logic [63:0] low_high_rev_q, high_high_rev_q, sum_high_rev_q;

  always_ff @(posedge clk_i) begin
    if (enable_i[1]) begin
      low_low_q       <= mul_low(x_lo_q, y_lo_q);
      high_low_q      <= mul_low(x_hi_q, y_hi_q);
      sum_low_q       <= mul_low(x_lo_q ^ x_hi_q, y_lo_q ^ y_hi_q);
      low_high_rev_q  <= mul_low(x_lo_rev_q, y_lo_rev_q);
      high_high_rev_q <= mul_low(x_hi_rev_q, y_hi_rev_q);
      sum_high_rev_q  <= mul_low(x_lo_rev_q ^ x_hi_rev_q, y_lo_rev_q ^ y_hi_rev_q);
    end
  end

  // Stage 3: the product of 255 bits, least significant word first. The low half of a product has
  // 64 bits and the reversed high half 63 that count, so the latter comes out one place too high.
  logic [63:0] word_0_q, word_1_q, word_2_q;
  logic [62:0] word_3_q;

  always_ff @(posedge clk_i) begin
    if (enable_i[2]) begin
      word_0_q <= low_low_q;
      word_1_q <= (reverse(low_high_rev_q) >> 1) ^ sum_low_q ^ low_low_q ^ high_low_q;
      word_2_q <= (reverse(sum_high_rev_q ^ low_high_rev_q ^ high_high_rev_q) >> 1) ^ high_low_q;
      word_3_q <= 63'(reverse(high_high_rev_q) >> 1);
    end
  end

  // Stage 4: shift up by one place and reduction.
  logic [63:0] first, second;

  assign first  = word_0_q << 1;
  assign second = {word_1_q[62:0], word_0_q[63]} ^ fold_leave(first);

  always_ff @(posedge clk_i) begin
    if (enable_i[3]) begin
      product_lo_o <= {word_2_q[62:0], word_1_q[63]} ^ fold_stay(first) ^ fold_leave(second);
      product_hi_o <= {word_3_q, word_2_q[63]} ^ fold_stay(second);
    end
  end

endmodule

`default_nettype wire
