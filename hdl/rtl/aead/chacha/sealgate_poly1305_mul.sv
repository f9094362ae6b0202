// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Multiplier modulo 2^130 - 5, one product per cycle.
//
// Theory of operation: operands, which are registers of the caller, give their product MulStages -
// 1 cycles after a cycle with `valid_i`; nothing ever waits. The stages: the 25 products of limbs,
// each of 28 x 27 bits; their sums by weight, those of weight 2^130 and more apart; five times the
// latter added to the former, since 2^130 = 5; then two steps in which every limb hands what
// exceeds 26 bits to the next and limb 4, times five, to limb 0. Two steps do: sums have less than
// 60 bits, so that limbs have less than 2^37 after the first and less than 2^26 + 2^11 after the
// second.

`default_nettype none

module sealgate_poly1305_mul
  import sealgate_poly1305_pkg::*;
(
  input  wire logic    clk_i,
  input  wire logic    rst_ni,

  input  wire logic    valid_i,
  input  wire factor_t x_0_i,
  input  wire factor_t x_1_i,
  input  wire factor_t x_2_i,
  input  wire factor_t x_3_i,
  input  wire factor_t x_4_i,
  input  wire limb_t   y_0_i,
  input  wire limb_t   y_1_i,
  input  wire limb_t   y_2_i,
  input  wire limb_t   y_3_i,
  input  wire limb_t   y_4_i,

  output      logic    valid_o,
  output      limb_t   product_0_o,
  output      limb_t   product_1_o,
  output      limb_t   product_2_o,
  output      limb_t   product_3_o,
  output      limb_t   product_4_o
);

  localparam int unsigned Stages = MulStages - 1;

  // Bit s: stage s + 1 holds a product under way.
  logic [Stages-1:0] valid_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= '0;
    else valid_q <= {valid_q[Stages-2:0], valid_i};
  end

  assign valid_o = valid_q[Stages-1];

  // Stage 1: products of limbs, of x and of y.
  logic [63:0] limb_00_q, limb_01_q, limb_02_q, limb_03_q, limb_04_q;
  logic [63:0] limb_10_q, limb_11_q, limb_12_q, limb_13_q, limb_14_q;
  logic [63:0] limb_20_q, limb_21_q, limb_22_q, limb_23_q, limb_24_q;
  logic [63:0] limb_30_q, limb_31_q, limb_32_q, limb_33_q, limb_34_q;
  logic [63:0] limb_40_q, limb_41_q, limb_42_q, limb_43_q, limb_44_q;

  always_ff @(posedge clk_i) begin
    if (valid_i) begin
      limb_00_q <= 64'(x_0_i) * 64'(y_0_i);
      limb_01_q <= 64'(x_0_i) * 64'(y_1_i);
      limb_02_q <= 64'(x_0_i) * 64'(y_2_i);
      limb_03_q <= 64'(x_0_i) * 64'(y_3_i);
      limb_04_q <= 64'(x_0_i) * 64'(y_4_i);
      limb_10_q <= 64'(x_1_i) * 64'(y_0_i);
      limb_11_q <= 64'(x_1_i) * 64'(y_1_i);
      limb_12_q <= 64'(x_1_i) * 64'(y_2_i);
      limb_13_q <= 64'(x_1_i) * 64'(y_3_i);
      limb_14_q <= 64'(x_1_i) * 64'(y_4_i);
      limb_20_q <= 64'(x_2_i) * 64'(y_0_i);
      limb_21_q <= 64'(x_2_i) * 64'(y_1_i);
      limb_22_q <= 64'(x_2_i) * 64'(y_2_i);
      limb_23_q <= 64'(x_2_i) * 64'(y_3_i);
      limb_24_q <= 64'(x_2_i) * 64'(y_4_i);
      limb_30_q <= 64'(x_3_i) * 64'(y_0_i);
      limb_31_q <= 64'(x_3_i) * 64'(y_1_i);
      limb_32_q <= 64'(x_3_i) * 64'(y_2_i);
      limb_33_q <= 64'(x_3_i) * 64'(y_3_i);
      limb_34_q <= 64'(x_3_i) * 64'(y_4_i);
      limb_40_q <= 64'(x_4_i) * 64'(y_0_i);
      limb_41_q <= 64'(x_4_i) * 64'(y_1_i);
      limb_42_q <= 64'(x_4_i) * 64'(y_2_i);
      limb_43_q <= 64'(x_4_i) * 64'(y_3_i);
      limb_44_q <= 64'(x_4_i) * 64'(y_4_i);
    end
  end

  // Stage 2: sums by weight.
  logic [63:0] low_0_q, low_1_q, low_2_q, low_3_q, low_4_q;
  logic [63:0] high_0_q, high_1_q, high_2_q, high_3_q;

  always_ff @(posedge clk_i) begin
    if (valid_q[0]) begin
      low_0_q <= limb_00_q;
      low_1_q <= limb_01_q + limb_10_q;
      low_2_q <= limb_02_q + limb_11_q + limb_20_q;
      low_3_q <= (limb_03_q + limb_12_q) + (limb_21_q + limb_30_q);
      low_4_q <= (limb_04_q + limb_13_q) + (limb_22_q + limb_31_q) + limb_40_q;

      high_0_q <= (limb_14_q + limb_23_q) + (limb_32_q + limb_41_q);
      high_1_q <= limb_24_q + limb_33_q + limb_42_q;
      high_2_q <= limb_34_q + limb_43_q;
      high_3_q <= limb_44_q;
    end
  end

  // Stage 3: 2^130 = 5.
  logic [63:0] sum_0_q, sum_1_q, sum_2_q, sum_3_q, sum_4_q;

  always_ff @(posedge clk_i) begin
    if (valid_q[1]) begin
      sum_0_q <= low_0_q + high_0_q + (high_0_q << 2);
      sum_1_q <= low_1_q + high_1_q + (high_1_q << 2);
      sum_2_q <= low_2_q + high_2_q + (high_2_q << 2);
      sum_3_q <= low_3_q + high_3_q + (high_3_q << 2);
      sum_4_q <= low_4_q;
    end
  end

  // Stages 4 and 5: what exceeds a limb goes to the next.
  logic [63:0] carried_0_q, carried_1_q, carried_2_q, carried_3_q, carried_4_q;

  function automatic logic [63:0] rest(logic [63:0] x);
    return x & 64'h03ff_ffff;
  endfunction

  function automatic logic [63:0] carry(logic [63:0] x);
    return x >> LimbWidth;
  endfunction

  always_ff @(posedge clk_i) begin
    if (valid_q[2]) begin
      carried_0_q <= rest(sum_0_q) + carry(sum_4_q) + (carry(sum_4_q) << 2);
      carried_1_q <= rest(sum_1_q) + carry(sum_0_q);
      carried_2_q <= rest(sum_2_q) + carry(sum_1_q);
      carried_3_q <= rest(sum_3_q) + carry(sum_2_q);
      carried_4_q <= rest(sum_4_q) + carry(sum_3_q);
    end
    if (valid_q[3]) begin
      product_0_o <= ProductWidth'(rest(carried_0_q) + carry(carried_4_q) +
                                   (carry(carried_4_q) << 2));
      product_1_o <= ProductWidth'(rest(carried_1_q) + carry(carried_0_q));
      product_2_o <= ProductWidth'(rest(carried_2_q) + carry(carried_1_q));
      product_3_o <= ProductWidth'(rest(carried_3_q) + carry(carried_2_q));
      product_4_o <= ProductWidth'(rest(carried_4_q) + carry(carried_3_q));
    end
  end

endmodule

`default_nettype wire
