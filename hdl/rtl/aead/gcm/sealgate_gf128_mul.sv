// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Multiplier in GF(2^128) (NIST SP 800-38D section 6.3), one product per cycle.
//
// Theory of operation: operands in a cycle with `valid_i` give their product, with `valid_o`,
// sealgate_gf128_pkg::mul_stages(Style) cycles later; nothing ever waits. `Style` chooses between
// the implementation for simulation and the one for synthesis, which agree bit by bit. Operands and
// product are in the word order of sealgate_gf128_pkg.

`default_nettype none

module sealgate_gf128_mul
  import sealgate_gf128_pkg::*;
#(
  parameter mul_style_e Style = MulInteger
) (
  input  wire logic        clk_i,
  input  wire logic        rst_ni,

  input  wire logic        valid_i,
  input  wire logic [63:0] x_hi_i,
  input  wire logic [63:0] x_lo_i,
  input  wire logic [63:0] y_hi_i,
  input  wire logic [63:0] y_lo_i,

  output      logic        valid_o,
  output      logic [63:0] product_hi_o,
  output      logic [63:0] product_lo_o
);

  localparam int unsigned Stages = mul_stages(Style);

  // Bit s: stage s + 1 holds a product under way.
  logic [Stages-1:0] valid_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= '0;
    else valid_q <= {valid_q[Stages-2:0], valid_i};
  end

  assign valid_o = valid_q[Stages-1];

  if (Style == MulXor) begin : g_xor
    sealgate_gf128_mul_xor u_mul (
      .clk_i,
      .x_hi_i,
      .x_lo_i,
      .y_hi_i,
      .y_lo_i,
      .product_hi_o,
      .product_lo_o
    );
  end else begin : g_integer
    sealgate_gf128_mul_integer u_mul (
      .clk_i,
      .enable_i({valid_q[Stages-2:0], valid_i}),
      .x_hi_i,
      .x_lo_i,
      .y_hi_i,
      .y_lo_i,
      .product_hi_o,
      .product_lo_o
    );
  end

endmodule

`default_nettype wire
