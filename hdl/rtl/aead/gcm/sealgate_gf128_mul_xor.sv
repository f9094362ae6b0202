// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// GF(2^128) product by AND and XOR, for synthesis.
//
// Theory of operation: eight stages, each two levels of six-input look-up tables at most, and no
// enables. Karatsuba's rule applied twice makes nine products of 32 x 32 bits of one of 128 x 128.
// Such a product is a sum of 32 rows; three rows fit a look-up table, so stage 3 makes eleven sums
// of three rows and stage 4 adds them up. The stages: operands; their halves and sums of halves;
// sums of three rows; products of 32 x 32; of 64 x 64; of 128 x 128, 255 bits; and the reduction in
// two steps (sealgate_gf128_pkg explains shift and direction).

`default_nettype none

module sealgate_gf128_mul_xor (
  input  wire logic        clk_i,

  input  wire logic [63:0] x_hi_i,
  input  wire logic [63:0] x_lo_i,
  input  wire logic [63:0] y_hi_i,
  input  wire logic [63:0] y_lo_i,

  output      logic [63:0] product_hi_o,
  output      logic [63:0] product_lo_o
);

  // Operands of 32 bits, and thirds of their rows.
  localparam int unsigned NumParts = 9;
  localparam int unsigned NumThirds = 11;

  // The operands of the nine products, of one factor: low word, high word and sum of both, each as
  // low half, high half and sum of both.
  function automatic logic [NumParts-1:0][31:0] halves(logic [63:0] hi, logic [63:0] lo);
    logic [63:0] sum;
    sum = hi ^ lo;
    return {
      sum[63:32] ^ sum[31:0], sum[63:32], sum[31:0],
      hi[63:32] ^ hi[31:0], hi[63:32], hi[31:0],
      lo[63:32] ^ lo[31:0], lo[63:32], lo[31:0]
    };
  endfunction

  // x times three bits.
  function automatic logic [33:0] rows(logic [31:0] x, logic [2:0] y);
    return (y[0] ? {2'd0, x} : '0) ^ (y[1] ? {1'd0, x, 1'd0} : '0) ^ (y[2] ? {x, 2'd0} : '0);
  endfunction

  // A product of twice the width from its three parts: low halves, high halves, sums of both.
  function automatic logic [127:0] combine_64(logic [63:0] low, logic [63:0] high,
                                              logic [63:0] mixed);
    return {high, low} ^ {32'd0, mixed ^ low ^ high, 32'd0};
  endfunction

  // A word times 1 + x + x^2 + x^7: the part that stays in its place, and the part that leaves it
  // for the word below.
  function automatic logic [63:0] fold_stay(logic [63:0] x);
    return x ^ (x >> 1) ^ (x >> 2) ^ (x >> 7);
  endfunction

  function automatic logic [63:0] fold_leave(logic [63:0] x);
    return (x << 63) ^ (x << 62) ^ (x << 57);
  endfunction

  logic [63:0]                              x_hi_1_q, x_lo_1_q, y_hi_1_q, y_lo_1_q;
  logic [NumParts-1:0][31:0]                x_2_q, y_2_q;
  logic [NumParts-1:0][NumThirds-1:0][33:0] rows_3_q;
  logic [NumParts-1:0][63:0]                product_4_q;
  logic [127:0]                             low_5_q, high_5_q, mixed_5_q;
  logic [255:0]                             full_6_q;
  logic [127:0]                             sum_7_q;
  logic [63:0]                              second_7_q;

  // Stages 1 and 2.
  always_ff @(posedge clk_i) begin
    x_hi_1_q <= x_hi_i;
    x_lo_1_q <= x_lo_i;
    y_hi_1_q <= y_hi_i;
    y_lo_1_q <= y_lo_i;
    x_2_q    <= halves(x_hi_1_q, x_lo_1_q);
    y_2_q    <= halves(y_hi_1_q, y_lo_1_q);
  end

  // Stages 3 and 4.
  for (genvar p = 0; p < NumParts; p++) begin : g_part
    logic [32:0] factor;
    logic [63:0] product;

    assign factor = {1'b0, y_2_q[p]};

    always_comb begin
      product = '0;
      for (int unsigned t = 0; t < NumThirds; t++) begin
        product ^= {30'd0, rows_3_q[p][t]} << (3 * t);
      end
    end

    always_ff @(posedge clk_i) begin
      for (int unsigned t = 0; t < NumThirds; t++) begin
        rows_3_q[p][t] <= rows(x_2_q[p], factor[3*t+:3]);
      end
      product_4_q[p] <= product;
    end
  end

  // Stages 5 and 6; the product is shifted up by one place on the way.
  always_ff @(posedge clk_i) begin
    low_5_q   <= combine_64(product_4_q[0], product_4_q[1], product_4_q[2]);
    high_5_q  <= combine_64(product_4_q[3], product_4_q[4], product_4_q[5]);
    mixed_5_q <= combine_64(product_4_q[6], product_4_q[7], product_4_q[8]);
    full_6_q  <= ({high_5_q, low_5_q} ^ {64'd0, mixed_5_q ^ low_5_q ^ high_5_q, 64'd0}) << 1;
  end

  // Stages 7 and 8: the low 128 bits are folded onto the high ones, the lowest word first; what
  // that pushes out below is folded with the second word.
  always_ff @(posedge clk_i) begin
    sum_7_q    <= full_6_q[255:128] ^ {64'd0, fold_stay(full_6_q[63:0])};
    second_7_q <= full_6_q[127:64] ^ fold_leave(full_6_q[63:0]);
    {product_hi_o, product_lo_o} <= sum_7_q ^ {fold_stay(second_7_q), fold_leave(second_7_q)};
  end

endmodule

`default_nettype wire
