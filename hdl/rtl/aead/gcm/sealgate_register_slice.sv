// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Two registers with ready/valid on both sides.
//
// Theory of operation: no combinational path leads from one side to the other, and all outputs are
// registers. A word goes to the output register if that is free or being taken, else to the spare
// one, which goes first afterwards.

`default_nettype none

module sealgate_register_slice #(
  parameter int unsigned Width = 128
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

  logic [Width-1:0] spare_q;
  logic             advance;

  assign advance = !valid_o || ready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_o <= 1'b0;
      ready_o <= 1'b1;
    end else begin
      if (advance) valid_o <= valid_i || !ready_o;
      ready_o <= advance || (ready_o && !valid_i);
    end
  end

  // The spare register follows the input until it has to keep a word.
  always_ff @(posedge clk_i) begin
    if (ready_o) spare_q <= data_i;
    if (advance) data_o <= ready_o ? data_i : spare_q;
  end

endmodule

`default_nettype wire
