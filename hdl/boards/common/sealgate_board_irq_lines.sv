// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Interrupt messages to a line per queue, as the shell wants it.
//
// Theory of operation: a message says no more than "look at the ring of this queue", so of several
// that find their line taken one is kept for all. Every message is taken at once: a line whose
// acknowledgement does not come holds up no other queue. A line that is held ends with the service
// of its interrupt. What the host serviced before its line rose needs no interrupt any more; where
// that crosses the rise, the line ends with the next message, for the shell needs an edge to see it.

`default_nettype none

module sealgate_board_irq_lines
  import sealgate_pkg::*;
  import sealgate_board_pkg::*;
#(
  parameter irq_style_e Style = IrqPulse
) (
  input  wire logic                  clk_i,
  input  wire logic                  rst_ni,

  input  wire logic                  irq_valid_i,
  input  wire queue_id_t             irq_index_i,
  output      logic                  irq_ready_o,

  output      logic [QueueCount-1:0] request_o,
  input  wire logic [QueueCount-1:0] acknowledge_i,  // not looked at by IrqPulse
  input  wire logic [QueueCount-1:0] serviced_i      // looked at by IrqHeld only
);

  logic [QueueCount-1:0] message;
  logic [QueueCount-1:0] owed_q;     // messages that no line was raised for
  logic [QueueCount-1:0] waiting_q;  // raised, not acknowledged
  logic [QueueCount-1:0] serviced_q; // since it was raised
  logic [QueueCount-1:0] raise;
  logic [QueueCount-1:0] lower;
  logic [QueueCount-1:0] looked;

  assign irq_ready_o = 1'b1;
  assign message     = irq_valid_i ? QueueCount'(1) << irq_index_i : '0;
  assign raise       = owed_q & ~request_o & ~waiting_q;

  if (Style == IrqHeld) begin : gen_held
    assign looked = serviced_i;
    assign lower  = request_o & (~waiting_q | acknowledge_i) & (serviced_q | serviced_i | owed_q);
  end else begin : gen_pulse
    assign looked = '0;
    assign lower  = request_o;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      owed_q     <= '0;
      request_o  <= '0;
      waiting_q  <= '0;
      serviced_q <= '0;
    end else begin
      owed_q     <= (owed_q & ~raise & ~looked) | message;
      request_o  <= (request_o & ~lower) | raise;
      waiting_q  <= (Style == IrqPulse) ? '0 : (waiting_q & ~acknowledge_i) | raise;
      serviced_q <= (Style == IrqHeld) ? (serviced_q | serviced_i) & ~raise : '0;
    end
  end

  logic unused;
  assign unused = ^{acknowledge_i, serviced_i, serviced_q};

endmodule

`default_nettype wire
