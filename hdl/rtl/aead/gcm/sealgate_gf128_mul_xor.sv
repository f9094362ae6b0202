// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// GF(2^128) product by AND and XOR, for synthesis.
//
// Theory of operation: four stages. The first registers the operands, so that the XOR in front of
// the multiplier has a cycle of its own; the second forms nine carry-less products of 32 x 32 bits,
// Karatsuba's rule applied twice; the third adds them up to the product of 255 bits; the fourth
// reduces it (sealgate_gf128_pkg explains shift and direction). Each stage is at most some four
// levels of six-input look-up tables.

`default_nettype none

module sealgate_gf128_mul_xor
  import sealgate_gf128_pkg::*;
(
  input  wire logic                 clk_i,
  // Bit s: stage s takes a value at the end of this cycle.
  input  wire logic [MulStages-1:0] enable_i,

  input  wire logic [63:0]          x_hi_i,
  input  wire logic [63:0]          x_lo_i,
  input  wire logic [63:0]          y_hi_i,
  input  wire logic [63:0]          y_lo_i,

  output      logic [63:0]          product_hi_o,
  output      logic [63:0]          product_lo_o
);

  // The carry-less product of two words of 32 bits.
  function automatic logic [63:0] mul_32(logic [31:0] x, logic [31:0] y);
    logic [63:0] sum;
    sum = '0;
    for (int unsigned i = 0; i < 32; i++) begin
      if (y[i]) sum ^= {32'd0, x} << i;
    end
    return sum;
  endfunction

  // The product of 128 bits from its three parts: low halves, high halves, sums of both halves.
  function automatic logic [127:0] combine_64(logic [63:0] low, logic [63:0] high,
                                              logic [63:0] mixed);
    logic [63:0] middle;
    middle = mixed ^ low ^ high;
    return {high ^ {32'd0, middle[63:32]}, low ^ {middle[31:0], 32'd0}};
  endfunction

  // Stage 1: operands.
  logic [63:0] x_hi_q, x_lo_q, y_hi_q, y_lo_q;

  always_ff @(posedge clk_i) begin
    if (enable_i[0]) begin
      x_hi_q <= x_hi_i;
      x_lo_q <= x_lo_i;
      y_hi_q <= y_hi_i;
      y_lo_q <= y_lo_i;
    end
  end

  // Stage 2: the products of low words, of high words and of their sums, each in three parts.
  logic [63:0] x_sum, y_sum;
  logic [63:0] low_low_q, low_high_q, low_mixed_q;
  logic [63:0] high_low_q, high_high_q, high_mixed_q;
  logic [63:0] sum_low_q, sum_high_q, sum_mixed_q;

  assign x_sum = x_hi_q ^ x_lo_q;
  assign y_sum = y_hi_q ^ y_lo_q;

  always_ff @(posedge clk_i) begin
    if (enable_i[1]) begin
      low_low_q    <= mul_32(x_lo_q[31:0], y_lo_q[31:0]);
      low_high_q   <= mul_32(x_lo_q[63:32], y_lo_q[63:32]);
      low_mixed_q  <= mul_32(x_lo_q[31:0] ^ x_lo_q[63:32], y_lo_q[31:0] ^ y_lo_q[63:32]);
      high_low_q   <= mul_32(x_hi_q[31:0], y_hi_q[31:0]);
      high_high_q  <= mul_32(x_hi_q[63:32], y_hi_q[63:32]);
      high_mixed_q <= mul_32(x_hi_q[31:0] ^ x_hi_q[63:32], y_hi_q[31:0] ^ y_hi_q[63:32]);
      sum_low_q    <= mul_32(x_sum[31:0], y_sum[31:0]);
      sum_high_q   <= mul_32(x_sum[63:32], y_sum[63:32]);
      sum_mixed_q  <= mul_32(x_sum[31:0] ^ x_sum[63:32], y_sum[31:0] ^ y_sum[63:32]);
    end
  end

  // Stage 3: the product, shifted up by one place.
  logic [127:0] low, high, middle;
  logic [255:0] full_q;

  assign low    = combine_64(low_low_q, low_high_q, low_mixed_q);
  assign high   = combine_64(high_low_q, high_high_q, high_mixed_q);
  assign middle = combine_64(sum_low_q, sum_high_q, sum_mixed_q) ^ low ^ high;

  always_ff @(posedge clk_i) begin
    if (enable_i[2]) begin
      full_q <= {high ^ {64'd0, middle[127:64]}, low ^ {middle[63:0], 64'd0}} << 1;
    end
  end

  // Stage 4: the low 128 bits, folded onto the high ones; what the fold pushes out below is folded
  // once more.
  logic [127:0] fold_once;
  logic [127:0] fold_again;
  logic [63:0]  first, second;

  assign first  = full_q[63:0];
  assign second = full_q[127:64] ^ (first << 63) ^ (first << 62) ^ (first << 57);

  assign fold_once  = {64'd0, first ^ (first >> 1) ^ (first >> 2) ^ (first >> 7)};
  assign fold_again = {second ^ (second >> 1) ^ (second >> 2) ^ (second >> 7),
                       (second << 63) ^ (second << 62) ^ (second << 57)};

  always_ff @(posedge clk_i) begin
    if (enable_i[3]) begin
      {product_hi_o, product_lo_o} <= full_q[255:128] ^ fold_once ^ fold_again;
    end
  end

endmodule

`default_nettype wire
