// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Interrupt messages, one per rise of an enabled status bit.
//
// Theory of operation: a message is owed while a queue's status bit is set and enabled and none was
// sent since the host last wrote the bit. A completion that sets the bit in the very cycle in which
// the host clears it keeps it set; as the write arms the queue again, its message is sent all the
// same.

`default_nettype none

module sealgate_interrupts
  import sealgate_pkg::*;
(
  input  wire logic      clk_i,
  input  wire logic      rst_ni,

  input  wire logic      status_i [QueueCount],
  input  wire logic      enable_i [QueueCount],
  input  wire logic      written_i[QueueCount],  // the host writes the status bit

  output      logic      irq_valid_o,
  output      queue_id_t irq_index_o,
  input  wire logic      irq_ready_i
);

  logic      sent_q[QueueCount];
  logic      valid_q;
  queue_id_t index_q;
  logic      owed;
  queue_id_t next;

  always_comb begin
    owed = 1'b0;
    next = '0;
    for (int unsigned q = 0; q < QueueCount; q++) begin
      if (status_i[q] && enable_i[q] && !sent_q[q]) begin
        owed = 1'b1;
        next = QueueWidth'(q);
      end
    end
  end

  assign irq_valid_o = valid_q;
  assign irq_index_o = index_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_q <= 1'b0;
    end else if (!valid_q || irq_ready_i) begin
      valid_q <= owed;
      index_q <= next;
    end
  end

  for (genvar q = 0; q < QueueCount; q++) begin : gen_queue
    always_ff @(posedge clk_i) begin
      if (!rst_ni || written_i[q] || !status_i[q]) begin
        sent_q[q] <= 1'b0;
      end else if ((!valid_q || irq_ready_i) && owed && (next == QueueWidth'(q))) begin
        sent_q[q] <= 1'b1;
      end
    end
  end

endmodule

`default_nettype wire
