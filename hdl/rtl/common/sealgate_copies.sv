// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A value, one cycle later, in copies.
//
// Theory of operation: a register that hundreds of others depend on is far from most of them. Each
// copy serves the few that are placed around it. Copies are marked to be kept, and each is a
// register by itself: synthesis makes one of what is the same, even within a word
// (hdl/synth/flow.py hands the mark on from the name to the register).

`default_nettype none

module sealgate_copies #(
  parameter int unsigned Width = 1,
  parameter int unsigned Copies = 4
) (
  input  wire logic                         clk_i,
  input  wire logic [Width-1:0]             value_i,
  output      logic [Copies-1:0][Width-1:0] copies_o
);

  for (genvar c = 0; c < Copies; c++) begin : g_copy
    (* keep *)
    logic [Width-1:0] copy_q;

    always_ff @(posedge clk_i) copy_q <= value_i;

    assign copies_o[c] = copy_q;
  end

endmodule

`default_nettype wire
