// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Multiplier modulo 2^130 - 5, one product per cycle.
//
// Theory of operation: operands, which are registers of the caller, give their product MulStages -
// 1 cycles after a cycle with `valid_i`; nothing ever waits. Stages 1 to 3 are the 25 products of
// limbs (sealgate_poly1305_limb), each as a limb and what exceeds it, which belongs to the next
// weight: so no sum gets long. Stages 4 and 5 add what has the same weight, 2^(26 k) for k from 0
// to 9. Stage 6 adds five times the upper half to the lower one, since 2^130 = 5: limbs are less
// than 2^34 then. In stage 7 every limb hands what exceeds 26 bits to the next, and limb 4, times
// five, to limb 0, which leaves less than 2^26 + 2^11.

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

  // A product, and whether there will be one in the next cycle.
  output      logic    valid_o,
  output      logic    valid_next_o,
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

  assign valid_o      = valid_q[Stages-1];
  assign valid_next_o = valid_q[Stages-2];

  // Stages 1 to 3: products of limbs, of x and of y.
  localparam int unsigned NumLimbs = 5;

  factor_t x[NumLimbs];
  limb_t   y[NumLimbs];

  assign x = '{x_0_i, x_1_i, x_2_i, x_3_i, x_4_i};
  assign y = '{y_0_i, y_1_i, y_2_i, y_3_i, y_4_i};

  for (genvar i = 0; i < NumLimbs; i++) begin : g_x
    for (genvar j = 0; j < NumLimbs; j++) begin : g_y
      logic [LimbWidth-1:0]   low;
      logic [ExcessWidth-1:0] high;

      sealgate_poly1305_limb u_limb (
        .clk_i,
        .valid_i({valid_q[1:0], valid_i}),
        .x_i(x[i]),
        .y_i(y[j]),
        .low_o(low),
        .high_o(high)
      );
    end
  end

  // Stages 4 and 5: sums by weight.
  wide_t part_0a_q;
  wide_t part_1a_q;
  wide_t part_2a_q, part_2b_q;
  wide_t part_3a_q, part_3b_q, part_3c_q;
  wide_t part_4a_q, part_4b_q, part_4c_q;
  wide_t part_5a_q, part_5b_q, part_5c_q;
  wide_t part_6a_q, part_6b_q, part_6c_q;
  wide_t part_7a_q, part_7b_q;
  wide_t part_8a_q;
  wide_t part_9a_q;

  always_ff @(posedge clk_i) begin
    if (valid_q[2]) begin
      part_0a_q <= wide_t'(g_x[0].g_y[0].low);
      part_1a_q <= add_3(wide_t'(g_x[0].g_y[1].low),
                         wide_t'(g_x[1].g_y[0].low),
                         wide_t'(g_x[0].g_y[0].high));
      part_2a_q <= wide_t'(g_x[0].g_y[2].low) + wide_t'(g_x[1].g_y[1].low);
      part_2b_q <= add_3(wide_t'(g_x[2].g_y[0].low),
                         wide_t'(g_x[0].g_y[1].high),
                         wide_t'(g_x[1].g_y[0].high));
      part_3a_q <= wide_t'(g_x[0].g_y[3].low) + wide_t'(g_x[1].g_y[2].low);
      part_3b_q <= wide_t'(g_x[2].g_y[1].low) + wide_t'(g_x[3].g_y[0].low);
      part_3c_q <= add_3(wide_t'(g_x[0].g_y[2].high),
                         wide_t'(g_x[1].g_y[1].high),
                         wide_t'(g_x[2].g_y[0].high));
      part_4a_q <= add_3(wide_t'(g_x[0].g_y[4].low),
                         wide_t'(g_x[1].g_y[3].low),
                         wide_t'(g_x[2].g_y[2].low));
      part_4b_q <= add_3(wide_t'(g_x[3].g_y[1].low),
                         wide_t'(g_x[4].g_y[0].low),
                         wide_t'(g_x[0].g_y[3].high));
      part_4c_q <= add_3(wide_t'(g_x[1].g_y[2].high),
                         wide_t'(g_x[2].g_y[1].high),
                         wide_t'(g_x[3].g_y[0].high));
      part_5a_q <= add_3(wide_t'(g_x[1].g_y[4].low),
                         wide_t'(g_x[2].g_y[3].low),
                         wide_t'(g_x[3].g_y[2].low));
      part_5b_q <= add_3(wide_t'(g_x[4].g_y[1].low),
                         wide_t'(g_x[0].g_y[4].high),
                         wide_t'(g_x[1].g_y[3].high));
      part_5c_q <= add_3(wide_t'(g_x[2].g_y[2].high),
                         wide_t'(g_x[3].g_y[1].high),
                         wide_t'(g_x[4].g_y[0].high));
      part_6a_q <= wide_t'(g_x[2].g_y[4].low) + wide_t'(g_x[3].g_y[3].low);
      part_6b_q <= wide_t'(g_x[4].g_y[2].low) + wide_t'(g_x[1].g_y[4].high);
      part_6c_q <= add_3(wide_t'(g_x[2].g_y[3].high),
                         wide_t'(g_x[3].g_y[2].high),
                         wide_t'(g_x[4].g_y[1].high));
      part_7a_q <= wide_t'(g_x[3].g_y[4].low) + wide_t'(g_x[4].g_y[3].low);
      part_7b_q <= add_3(wide_t'(g_x[2].g_y[4].high),
                         wide_t'(g_x[3].g_y[3].high),
                         wide_t'(g_x[4].g_y[2].high));
      part_8a_q <= add_3(wide_t'(g_x[4].g_y[4].low),
                         wide_t'(g_x[3].g_y[4].high),
                         wide_t'(g_x[4].g_y[3].high));
      part_9a_q <= wide_t'(g_x[4].g_y[4].high);
    end
  end

  wide_t weight_0_q, weight_1_q, weight_2_q, weight_3_q, weight_4_q;
  wide_t weight_5_q, weight_6_q, weight_7_q, weight_8_q, weight_9_q;

  always_ff @(posedge clk_i) begin
    if (valid_q[3]) begin
      weight_0_q <= part_0a_q;
      weight_1_q <= part_1a_q;
      weight_2_q <= part_2a_q + part_2b_q;
      weight_3_q <= add_3(part_3a_q, part_3b_q, part_3c_q);
      weight_4_q <= add_3(part_4a_q, part_4b_q, part_4c_q);
      weight_5_q <= add_3(part_5a_q, part_5b_q, part_5c_q);
      weight_6_q <= add_3(part_6a_q, part_6b_q, part_6c_q);
      weight_7_q <= part_7a_q + part_7b_q;
      weight_8_q <= part_8a_q;
      weight_9_q <= part_9a_q;
    end
  end

  // Stage 6: 2^130 = 5.
  wide_t sum_0_q, sum_1_q, sum_2_q, sum_3_q, sum_4_q;

  function automatic wide_t fold(wide_t low, wide_t high);
    return add_3(low, high, high << 2);
  endfunction

  always_ff @(posedge clk_i) begin
    if (valid_q[4]) begin
      sum_0_q <= fold(weight_0_q, weight_5_q);
      sum_1_q <= fold(weight_1_q, weight_6_q);
      sum_2_q <= fold(weight_2_q, weight_7_q);
      sum_3_q <= fold(weight_3_q, weight_8_q);
      sum_4_q <= fold(weight_4_q, weight_9_q);
    end
  end

  // Stage 7: what exceeds a limb goes to the next.
  function automatic limb_t rest(wide_t sum);
    return limb_t'(sum & wide_t'((1 << LimbWidth) - 1));
  endfunction

  function automatic limb_t carry(wide_t sum);
    return limb_t'(sum >> LimbWidth);
  endfunction

  always_ff @(posedge clk_i) begin
    if (valid_q[5]) begin
      product_0_o <= limb_t'(add_3(wide_t'(rest(sum_0_q)), wide_t'(carry(sum_4_q)),
                                   wide_t'(carry(sum_4_q)) << 2));
      product_1_o <= rest(sum_1_q) + carry(sum_0_q);
      product_2_o <= rest(sum_2_q) + carry(sum_1_q);
      product_3_o <= rest(sum_3_q) + carry(sum_2_q);
      product_4_o <= rest(sum_4_q) + carry(sum_3_q);
    end
  end

endmodule

`default_nettype wire
