// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// GF(2^128) product, two bits per cycle: small, for the powers of H of a key load.
//
// Theory of operation: Horner's rule over the coefficients of y, the highest power first, which is
// the least significant bit (sealgate_gf128_pkg). Operand x stays at the port until the product is
// there, 64 cycles after `valid_i`; y is copied. A new `valid_i` abandons the product under way.

`default_nettype none

module sealgate_gf128_mul_serial (
  input  wire logic         clk_i,
  input  wire logic         rst_ni,

  input  wire logic         valid_i,
  input  wire logic [127:0] x_i,
  input  wire logic [127:0] y_i,

  // One cycle; the product stays until the next `valid_i`.
  output      logic         valid_o,
  output      logic [127:0] product_o
);

  localparam int unsigned BitsPerCycle = 2;
  localparam int unsigned Cycles = 128 / BitsPerCycle;
  localparam int unsigned CountWidth = $clog2(Cycles + 1);

  // An element times x: one place down, and x^128 is 1 + x + x^2 + x^7.
  function automatic logic [127:0] times_x(logic [127:0] v);
    return {1'b0, v[127:1]} ^ (v[0] ? {8'he1, 120'd0} : '0);
  endfunction

  logic [127:0]          y_q;
  // Cycles to go.
  logic [CountWidth-1:0] count_q;
  logic [127:0]          step;

  assign step = times_x(times_x(product_o)) ^ times_x(y_q[0] ? x_i : '0) ^ (y_q[1] ? x_i : '0);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      count_q <= '0;
      valid_o <= 1'b0;
    end else begin
      valid_o <= (count_q == CountWidth'(1)) && !valid_i;
      if (valid_i) count_q <= CountWidth'(Cycles);
      else if (count_q != '0) count_q <= count_q - 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_i) begin
      y_q       <= y_i;
      product_o <= '0;
    end else if (count_q != '0) begin
      y_q       <= y_q >> BitsPerCycle;
      product_o <= step;
    end
  end

endmodule

`default_nettype wire
