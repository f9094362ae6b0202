// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Few read IDs in the place of the engine's many.
//
// Theory of operation: every read under way has a slot, whose number is its ID towards the shell; a
// table gives the engine its own ID back. A read waits while no slot is free, so there are never
// more under way than slots, and never two with one ID. The next slot is chosen ahead and kept, for
// an ID must not change while its address waits.

`default_nettype none

module sealgate_board_read_slots
  import sealgate_pkg::*;
#(
  parameter int unsigned Slots = 16,
  parameter int unsigned IdWidth = 4  // of the shell
) (
  input  wire logic               clk_i,
  input  wire logic               rst_ni,

  input  wire bus_id_t            engine_ar_id_i,
  input  wire logic               engine_ar_valid_i,
  output      logic               engine_ar_ready_o,
  output      bus_id_t            engine_r_id_o,

  output      logic [IdWidth-1:0] shell_ar_id_o,
  output      logic               shell_ar_valid_o,
  input  wire logic               shell_ar_ready_i,
  input  wire logic [IdWidth-1:0] shell_r_id_i,
  input  wire logic               shell_r_valid_i,  // R is always taken
  input  wire logic               shell_r_last_i
);

  localparam int unsigned SlotWidth = (Slots > 1) ? $clog2(Slots) : 1;

  if (Slots > 2 ** IdWidth) begin : gen_too_many
    $error("more slots than IDs");
  end

  typedef logic [SlotWidth-1:0] slot_t;

  logic [Slots-1:0] taken_q;
  bus_id_t          ids_q[Slots];
  slot_t            next_q;
  logic             next_valid_q;
  slot_t            free;
  logic             free_valid;
  logic             accepted;
  logic             choose;
  slot_t            returned;
  logic             done;

  // The lowest of those that are free.
  always_comb begin
    free       = '0;
    free_valid = 1'b0;
    for (int unsigned i = 0; i < Slots; i++) begin
      if (!taken_q[i] && !free_valid) begin
        free       = slot_t'(i);
        free_valid = 1'b1;
      end
    end
  end

  assign shell_ar_id_o     = IdWidth'(next_q);
  assign shell_ar_valid_o  = engine_ar_valid_i && next_valid_q;
  assign engine_ar_ready_o = shell_ar_ready_i && next_valid_q;
  assign accepted          = shell_ar_valid_o && shell_ar_ready_i;
  assign choose            = !next_valid_q || accepted;

  assign returned      = slot_t'(shell_r_id_i);
  assign engine_r_id_o = ids_q[returned];
  assign done          = shell_r_valid_i && shell_r_last_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      taken_q      <= '0;
      next_valid_q <= 1'b0;
    end else begin
      if (done) taken_q[returned] <= 1'b0;
      if (choose) next_valid_q <= free_valid;
      if (choose && free_valid) taken_q[free] <= 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (choose) next_q <= free;
    if (accepted) ids_q[next_q] <= engine_ar_id_i;
  end

  if (IdWidth > SlotWidth) begin : gen_id_bits
    logic unused;
    assign unused = ^shell_r_id_i[IdWidth-1:SlotWidth];
  end

endmodule

`default_nettype wire
