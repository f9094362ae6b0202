// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A FIFO whose word is written a cycle after it was taken, where the decision to take it comes late.
//
// Theory of operation: the decision ends in one register, and no path leads from it to the enable of
// a memory (sealgate_landing). What either side sees of the state is a register as well. In return a
// word is visible two cycles after it was taken, and room is told for as long as two places are
// free beside the one on its way. Without `Registered`, a plain FIFO.

`default_nettype none

module sealgate_posted_fifo #(
  parameter int unsigned Width = 32,
  parameter int unsigned Depth = 4,  // a power of two, with `Registered` at least 4
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
    logic             taken_q;
    logic [Width-1:0] data_q;

    always_ff @(posedge clk_i) begin
      taken_q <= valid_i && ready_o && rst_ni;
      data_q  <= data_i;
    end

    sealgate_landing #(
      .Width(Width),
      .Depth(Depth),
      .Behind(1)
    ) u_landing (
      .clk_i,
      .rst_ni,
      .room_o (ready_o),
      .valid_i(taken_q),
      .data_i (data_q),
      .valid_o,
      .ready_i,
      .data_o
    );
  end else begin : g_fifo
    sealgate_fifo #(
      .Width(Width),
      .Depth(Depth)
    ) u_fifo (
      .clk_i,
      .rst_ni,
      .clear_i(1'b0),
      .valid_i,
      .ready_o,
      .data_i,
      .valid_o,
      .ready_i,
      .data_o
    );
  end

endmodule

`default_nettype wire
