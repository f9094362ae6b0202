// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A reset, one cycle later, in copies.
//
// Theory of operation: a reset reaches registers all over a module. Each copy serves one part of it,
// and where a copy is part of a condition it is as near as any other register. All copies begin and
// end in the same cycle; what stands between them and a part with the reset itself is in reset for
// two cycles at least. The name of the output tells hdl/synth/flow.py that it is a reset.

`default_nettype none

module sealgate_reset #(
  parameter int unsigned Copies = 2
) (
  input  wire logic              clk_i,
  input  wire logic              rst_ni,

  output      logic [Copies-1:0] rst_no
);

  for (genvar c = 0; c < Copies; c++) begin : g_copy
    // As the registers of FPGAs want it: nothing stands in the way to theirs.
    (* keep *)
    logic rst_q;

    always_ff @(posedge clk_i) rst_q <= !rst_ni;

    assign rst_no[c] = !rst_q;
  end

endmodule

`default_nettype wire
