// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A short queue where hardware wants the paths on both sides to end, a wire where simulation wants
// none.
//
// Theory of operation: sealgate_posted_fifo, deep enough for a word in every cycle.

`default_nettype none

module sealgate_stage #(
  parameter int unsigned Width = 128,
  parameter bit Registered = 1'b0
) (
  input  wire logic             clk_i,
  input  wire logic             rst_ni,

  input  wire logic             valid_i,
  output      logic             ready_o,
  input  wire logic [Width-1:0] data_i,

  output      logic             valid_o,
  input  wire logic             ready_i,
  output      logic [Width-1:0] data_o
);

  if (Registered) begin : g_registered
    sealgate_posted_fifo #(
      .Width(Width),
      .Depth(4),
      .Registered(1'b1)
    ) u_fifo (
      .clk_i,
      .rst_ni,
      .valid_i,
      .ready_o,
      .data_i,
      .valid_o,
      .ready_i,
      .data_o
    );
  end else begin : g_wire
    logic unused;

    assign unused  = clk_i ^ rst_ni;
    assign ready_o = ready_i;
    assign valid_o = valid_i;
    assign data_o  = data_i;
  end

endmodule

`default_nettype wire
