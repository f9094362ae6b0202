// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// GF(2^128) product, two bits per cycle: small, for the powers of H of a key load.
//
// Theory of operation: Horner's rule over the coefficients of y, the highest power first, which is
// the least significant bit (sealgate_gf128_pkg). Operand x stays at the port until the product is
// there, 65 cycles after `valid_i`; y is copied. A new `valid_i` abandons the product under way.

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

  // Each quarter of the words has copies of its own of what controls it.
  localparam int unsigned NumQuarters = 4;

  logic [NumQuarters-1:0]                   run_q;
  logic [NumQuarters:0]                     start_q;  // the last is for what is narrow
  // The bits of y under way, highest power of x first, and all that are left.
  logic [NumQuarters-1:0][BitsPerCycle-1:0] bits_q;
  logic [BitsPerCycle-1:0]                  bits_d;
  logic [127:0]                             y_q;
  // Cycles to go.
  logic [CountWidth-1:0]                    count_q;
  logic                                     last;
  logic [127:0]                             step;

  always_comb begin
    step = times_x(times_x(product_o));
    for (int unsigned b = 0; b < 128; b++) begin
      step[b] ^= bits_q[b/32][1] && x_i[b];
      if (b != 127) step[b] ^= bits_q[b/32][0] && x_i[b+1];
    end
    // What leaves the lowest place comes back as 1 + x + x^2 + x^7.
    step[127-:8] ^= (bits_q[3][0] && x_i[0]) ? 8'he1 : 8'h00;
  end

  assign last   = run_q[0] && (count_q == CountWidth'(1));
  assign bits_d = start_q[NumQuarters] ? y_i[BitsPerCycle-1:0] : y_q[2*BitsPerCycle-1-:BitsPerCycle];

  sealgate_copies #(
    .Copies(NumQuarters + 1)
  ) u_start (
    .clk_i,
    .value_i(valid_i && rst_ni),
    .copies_o(start_q)
  );

  sealgate_copies #(
    .Copies(NumQuarters)
  ) u_run (
    .clk_i,
    .value_i((start_q[NumQuarters] || (run_q[0] && !last)) && rst_ni),
    .copies_o(run_q)
  );

  sealgate_copies #(
    .Width(BitsPerCycle),
    .Copies(NumQuarters)
  ) u_bits (
    .clk_i,
    .value_i(bits_d),
    .copies_o(bits_q)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      count_q <= '0;
      valid_o <= 1'b0;
    end else begin
      valid_o <= last && !start_q[NumQuarters];
      if (start_q[NumQuarters]) count_q <= CountWidth'(Cycles);
      else if (run_q[0]) count_q <= count_q - 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    for (int unsigned w = 0; w < NumQuarters; w++) begin
      if (start_q[w]) begin
        y_q[32*w+:32]       <= y_i[32*w+:32];
        product_o[32*w+:32] <= '0;
      end else if (run_q[w]) begin
        y_q[32*w+:32]       <= 32'(y_q >> (32 * w + BitsPerCycle));
        product_o[32*w+:32] <= step[32*w+:32];
      end
    end
  end

endmodule

`default_nettype wire
