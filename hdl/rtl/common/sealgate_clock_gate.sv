// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Clock gate: stops the clock of logic that has nothing to do.
//
// Theory of operation: the enable passes a latch while the clock is low, so that the gated clock
// has whole pulses only. An edge comes through if `enable_i` was high in the cycle before it.
// Whoever uses the gate works the same with the clock always on: the gate saves power and
// simulation time and changes nothing else. Synthesis passes the clock on, since a gate made of
// FPGA logic would add skew; a technology with a gate of its own puts it here.

`default_nettype none

module sealgate_clock_gate (
  input  wire logic clk_i,
  input  wire logic enable_i,
  output      logic clk_o
);

`ifdef SYNTHESIS
  logic unused_enable;
  assign unused_enable = enable_i;

  assign clk_o = clk_i;
`else
  logic enable_q;

  always_latch begin
    if (!clk_i) enable_q = enable_i;
  end

  assign clk_o = clk_i && enable_q;
`endif

endmodule

`default_nettype wire
