// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Hands each load and each wipe of a context to all lanes.
//
// Theory of operation: a lane takes a request when it can; a lane that has taken it is offered it no
// more. The request counts as taken when the last lane has, and a load as done when all lanes have
// said so. Lanes need not be in step: one that rests may answer later than one at work.

`default_nettype none

module sealgate_key_fanout #(
  parameter int unsigned Lanes = 1
) (
  input  wire logic             clk_i,
  input  wire logic             rst_ni,

  input  wire logic             key_valid_i,
  output      logic             key_ready_o,
  output      logic             key_done_o,
  input  wire logic             wipe_valid_i,
  output      logic             wipe_ready_o,

  output      logic [Lanes-1:0] key_valid_o,
  input  wire logic [Lanes-1:0] key_ready_i,
  input  wire logic [Lanes-1:0] key_done_i,
  output      logic [Lanes-1:0] wipe_valid_o,
  input  wire logic [Lanes-1:0] wipe_ready_i
);

  logic [Lanes-1:0] key_taken_q;
  logic [Lanes-1:0] key_done_q;
  logic [Lanes-1:0] wipe_taken_q;

  assign key_valid_o  = key_valid_i ? ~key_taken_q : '0;
  assign key_ready_o  = &(key_taken_q | key_ready_i);
  assign key_done_o   = &(key_done_q | key_done_i);
  assign wipe_valid_o = wipe_valid_i ? ~wipe_taken_q : '0;
  assign wipe_ready_o = &(wipe_taken_q | wipe_ready_i);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      key_taken_q  <= '0;
      key_done_q   <= '0;
      wipe_taken_q <= '0;
    end else begin
      if (key_valid_i) key_taken_q <= key_ready_o ? '0 : key_taken_q | key_ready_i;
      if (key_done_i != '0) key_done_q <= key_done_o ? '0 : key_done_q | key_done_i;
      if (wipe_valid_i) wipe_taken_q <= wipe_ready_o ? '0 : wipe_taken_q | wipe_ready_i;
    end
  end

endmodule

`default_nettype wire
