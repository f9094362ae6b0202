// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Interrupt messages: one per rise of an enabled status bit, held back as the host asks.
//
// Theory of operation: a queue waits while its status bit is set and no message was sent since it
// rose. A waiting queue is ripe when count_i completions were written since the rise, or the first
// of them is cycles_i cycles old; with a count of 0 or 1, or with 0 cycles, at once. When the queue
// is also enabled its message leaves.
//
// One queue is looked at in each cycle, in turn, so a message may leave QueueCount cycles later
// than it could; one that is due waits for the port. The age of a queue is the time since its bit
// rose, kept one bit wider than cycles_i: it is looked at often enough that it can't go round, and
// what was found is kept while the queue is not enabled.
//
// A completion that sets the bit in the very cycle in which the host clears it keeps the bit set;
// rearm_i tells so, and the queue waits again from that completion on. So a host that clears the
// bit, looks at the ring and then sleeps is woken for every completion that it did not see.

`default_nettype none

module sealgate_interrupts
  import sealgate_pkg::*;
(
  input  wire logic                  clk_i,
  input  wire logic                  rst_ni,

  input  wire logic [QueueCount-1:0] status_i,
  input  wire logic [QueueCount-1:0] enable_i,
  input  wire logic [QueueCount-1:0] rearm_i,
  input  wire logic [7:0]            count_i,
  input  wire logic [23:0]           cycles_i,

  input  wire logic                  complete_valid_i,
  input  wire queue_id_t             complete_queue_i,
  input  wire logic [2:0]            complete_count_i,

  output      logic                  irq_valid_o,
  output      queue_id_t             irq_index_o,
  input  wire logic                  irq_ready_i
);

  typedef logic [24:0] time_t;

  logic [QueueCount-1:0] sent_q;  // since the bit rose
  logic [QueueCount-1:0] aged_q;  // was seen to be old enough
  logic [QueueCount-1:0] waiting;
  assign waiting = status_i & ~sent_q;

  // --- Completions since the rise ----------------------------------------------------------------

  time_t      now_q;
  time_t      since_q[QueueCount];
  logic [7:0] written_q[QueueCount];

  logic       first;
  logic [8:0] written;

  always_comb begin
    first   = 1'b0;
    written = '0;
    if (complete_valid_i) begin
      first   = !status_i[complete_queue_i] || rearm_i[complete_queue_i];
      written = (first ? 9'd0 : {1'b0, written_q[complete_queue_i]}) + 9'(complete_count_i);
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) now_q <= '0;
    else if (waiting != '0) now_q <= now_q + 1'b1;
  end

  always_ff @(posedge clk_i) begin
    if (complete_valid_i) begin
      written_q[complete_queue_i] <= written[8] ? '1 : written[7:0];
      if (first) since_q[complete_queue_i] <= now_q;
    end
  end

  // --- One queue a cycle -------------------------------------------------------------------------

  queue_id_t             look_q;
  logic [QueueCount-1:0] aged;
  logic [QueueCount-1:0] sent;
  logic                  due;
  logic                  free;  // a message can be put to the port
  logic                  valid_q;
  queue_id_t             index_q;

  assign irq_valid_o = valid_q;
  assign irq_index_o = index_q;
  assign free        = !valid_q || irq_ready_i;

  always_comb begin
    aged = '0;
    due  = 1'b0;
    if (waiting[look_q]) begin
      aged[look_q] = aged_q[look_q] || (now_q - since_q[look_q] >= {1'b0, cycles_i});
      due          = enable_i[look_q] &&
                     (aged[look_q] || (count_i <= 8'd1) || (written_q[look_q] >= count_i));
    end
  end

  assign sent = (due && free) ? QueueCount'(1) << look_q : '0;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      look_q  <= '0;
      valid_q <= 1'b0;
      sent_q  <= '0;
      aged_q  <= '0;
    end else begin
      if ((waiting != '0) && (!due || free)) look_q <= look_q + 1'b1;
      if (free) valid_q <= due;
      sent_q <= (sent_q | sent) & status_i & ~rearm_i;
      aged_q <= (aged_q | aged) & status_i & ~rearm_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (due && free) index_q <= look_q;
  end

endmodule

`default_nettype wire
