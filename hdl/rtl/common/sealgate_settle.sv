// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The head of a queue in registers of its own, where much depends on it.
//
// Theory of operation: the registers follow the head in every cycle, without an enable. So for a
// cycle after a word was taken they still show it, and nothing is there: a word leaves in every
// other cycle at most. Without `Registered`, a wire.

`default_nettype none

module sealgate_settle #(
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
    logic             valid_q;
    logic [Width-1:0] data_q;

    always_ff @(posedge clk_i) begin
      valid_q <= valid_i && !ready_o && rst_ni;
      data_q  <= data_i;
    end

    assign ready_o = valid_q && ready_i;
    assign valid_o = valid_q;
    assign data_o  = data_q;
  end else begin : g_wire
    logic unused;

    assign unused  = clk_i ^ rst_ni;
    assign ready_o = ready_i;
    assign valid_o = valid_i;
    assign data_o  = data_i;
  end

endmodule

`default_nettype wire
