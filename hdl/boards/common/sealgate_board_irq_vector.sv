// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Interrupt messages to a shell that takes one MSI-X vector at a time.
//
// Theory of operation: messages are kept as one bit per queue, for each says no more than "look at
// the ring", and are served in turn. A vector stays on the port until the shell has sent it. One
// that the shell could not send (its function may be masked) is owed again, after a pause, for
// asking in every cycle would keep the shell from its work.

`default_nettype none

module sealgate_board_irq_vector
  import sealgate_pkg::*;
#(
  parameter int unsigned RetryCycles = 1024
) (
  input  wire logic      clk_i,
  input  wire logic      rst_ni,

  input  wire logic      irq_valid_i,
  input  wire queue_id_t irq_index_i,
  output      logic      irq_ready_o,

  output      logic      vector_valid_o,  // until acknowledged or failed
  output      queue_id_t vector_o,
  input  wire logic      acknowledge_i,
  input  wire logic      fail_i
);

  localparam int unsigned PauseWidth = $clog2(RetryCycles + 1);

  logic [QueueCount-1:0] message;
  logic [QueueCount-1:0] sent_for;
  logic [QueueCount-1:0] owed_q;
  logic [QueueCount-1:0] grant;
  queue_id_t             index;
  logic                  any;
  logic                  start;
  logic                  ended;
  logic [PauseWidth-1:0] pause_q;

  assign irq_ready_o = 1'b1;
  assign message     = irq_valid_i ? QueueCount'(1) << irq_index_i : '0;
  assign start       = any && !vector_valid_o && (pause_q == '0);
  assign ended       = vector_valid_o && (acknowledge_i || fail_i);
  assign sent_for    = start ? grant : '0;

  sealgate_arbiter #(
    .Count(QueueCount)
  ) u_turn (
    .clk_i,
    .rst_ni,
    .request_i(owed_q),
    .grant_o  (grant),
    .index_o  (index),
    .valid_o  (any),
    .ready_i  (start)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      owed_q         <= '0;
      vector_valid_o <= 1'b0;
      pause_q        <= '0;
    end else begin
      owed_q <= (owed_q & ~sent_for) | message |
                ((ended && fail_i) ? QueueCount'(1) << vector_o : '0);
      if (start) vector_valid_o <= 1'b1;
      else if (ended) vector_valid_o <= 1'b0;
      if (ended && fail_i) pause_q <= PauseWidth'(RetryCycles);
      else if (pause_q != '0) pause_q <= pause_q - 1'b1;
    end
  end

  always_ff @(posedge clk_i) if (start) vector_o <= index;

endmodule

`default_nettype wire
