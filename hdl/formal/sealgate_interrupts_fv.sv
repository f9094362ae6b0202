// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// sealgate_interrupts: a message, once offered, stays until it is taken; it is of a queue whose bit
// is set and enabled in the cycle before; a queue has one message for each rise of its bit at most.
//
// Any one queue is watched. Settings, status bits and completions are any.

`default_nettype none

module sealgate_interrupts_fv
  import sealgate_pkg::*;
(
  input wire logic                  clk_i,
  input wire queue_id_t             watched_i,
  input wire logic [QueueCount-1:0] status_i,
  input wire logic [QueueCount-1:0] enable_i,
  input wire logic [QueueCount-1:0] rearm_i,
  input wire logic [7:0]            count_i,
  input wire logic [23:0]           cycles_i,
  input wire logic                  complete_valid_i,
  input wire queue_id_t             complete_queue_i,
  input wire logic [2:0]            complete_count_i,
  input wire logic                  ready_i
);

  logic rst_ni = 1'b0;  // low in the first cycle
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic      valid;
  queue_id_t index;

  sealgate_interrupts dut (
    .clk_i,
    .rst_ni,
    .status_i,
    .enable_i,
    .rearm_i,
    .count_i,
    .cycles_i,
    .complete_valid_i,
    .complete_queue_i,
    .complete_count_i,
    .irq_valid_o(valid),
    .irq_index_o(index),
    .irq_ready_i(ready_i)
  );

  logic                  before_q = 1'b0;  // there was a cycle before this one
  queue_id_t             watched_q;
  logic                  held_q;           // a message was not taken in the last cycle
  queue_id_t             index_q;
  logic [QueueCount-1:0] may_q;            // bits that were set and enabled in the last cycle
  logic                  told_q;           // of the watched queue, since its bit rose
  logic                  waits_q;          // in the last cycle its bit stood, from the same rise on
  logic                  offers;           // a message of it is new
  logic [1:0]            messages_q;       // of it

  assign offers = valid && !held_q && (index == watched_i);

  always_ff @(posedge clk_i) begin
    before_q  <= 1'b1;
    watched_q <= watched_i;
    held_q    <= rst_ni && valid && !ready_i;
    index_q   <= index;
    may_q     <= rst_ni ? status_i & enable_i : '0;
    waits_q   <= rst_ni && status_i[watched_i] && !rearm_i[watched_i];
    told_q    <= rst_ni && waits_q && (told_q || offers);
    if (!rst_ni) messages_q <= '0;
    else if (offers && (messages_q != '1)) messages_q <= messages_q + 2'd1;
  end

  always_comb begin
    m_same: assume (!before_q || (watched_i == watched_q));
    if (rst_ni) begin
      a_stable:  assert (!held_q || (valid && (index == index_q)));
      a_enabled: assert (held_q || !valid || may_q[index]);
      a_once:    assert (!offers || !told_q);

      // What carries the induction.
      a_sent: assert (dut.sent_q[watched_i] == (waits_q && (told_q || offers)));

      c_again: cover (offers && (messages_q == 2'd1));
    end
  end

endmodule

`default_nettype wire
