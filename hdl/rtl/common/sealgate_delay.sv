// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A value, so many cycles later; none is a wire.

`default_nettype none

module sealgate_delay #(
  parameter int unsigned Width = 64,
  parameter int unsigned Cycles = 1
) (
  input  wire logic             clk_i,
  input  wire logic [Width-1:0] value_i,
  output      logic [Width-1:0] value_o
);

  if (Cycles == 0) begin : g_wire
    logic unused_clk;

    assign unused_clk = clk_i;
    assign value_o    = value_i;
  end else begin : g_registers
    // The oldest value is on top.
    logic [Cycles*Width-1:0] values_q;

    always_ff @(posedge clk_i) values_q <= (Cycles * Width)'({values_q, value_i});

    assign value_o = values_q[Cycles*Width-1-:Width];
  end

endmodule

`default_nettype wire
