// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A shell's reset, synchronised.
//
// Theory of operation: the engine samples its reset with the clock. It falls here as soon as the
// shell's falls, with or without a clock, and rises some edges after it, so that no flip-flop of
// the engine leaves reset in another cycle than the rest.

`default_nettype none

module sealgate_board_reset #(
  parameter int unsigned Stages = 3
) (
  input  wire logic clk_i,
  input  wire logic rst_ni,  // asynchronous
  output      logic rst_no
);

  (* ASYNC_REG = "TRUE" *) logic [Stages-1:0] stages_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) stages_q <= '0;
    else stages_q <= {stages_q[Stages-2:0], 1'b1};
  end

  assign rst_no = stages_q[Stages-1];

endmodule

`default_nettype wire
