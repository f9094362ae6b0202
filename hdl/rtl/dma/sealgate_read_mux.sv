// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Two readers on one bus: entries and payload.
//
// Theory of operation: addresses are taken one at a time, entries first, for all else waits for
// them. Beats go back by ID; both readers have room for whatever they asked for.

`default_nettype none

module sealgate_read_mux
  import sealgate_pkg::*;
(
  input  wire logic                  clk_i,
  input  wire logic                  rst_ni,

  input  wire logic                  entry_ar_valid_i,
  output      logic                  entry_ar_ready_o,
  input  wire logic [63:0]           entry_ar_address_i,
  input  wire logic [7:0]            entry_ar_len_i,

  input  wire logic                  payload_ar_valid_i,
  output      logic                  payload_ar_ready_o,
  input  wire logic [63:0]           payload_ar_address_i,
  input  wire logic [7:0]            payload_ar_len_i,

  output      logic [BusIdWidth-1:0] ar_id_o,
  output      logic [63:0]           ar_address_o,
  output      logic [7:0]            ar_len_o,
  output      logic                  ar_valid_o,
  input  wire logic                  ar_ready_i
);

  // An address that was offered stays until it is taken.
  logic held_q;
  logic held_entry_q;
  logic entry;

  assign entry        = held_q ? held_entry_q : entry_ar_valid_i;
  assign ar_valid_o   = entry ? entry_ar_valid_i : payload_ar_valid_i;
  assign ar_id_o      = entry ? IdEntry : IdPayload;
  assign ar_address_o = entry ? entry_ar_address_i : payload_ar_address_i;
  assign ar_len_o     = entry ? entry_ar_len_i : payload_ar_len_i;

  assign entry_ar_ready_o   = entry && ar_ready_i;
  assign payload_ar_ready_o = !entry && ar_ready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      held_q <= 1'b0;
    end else begin
      held_q       <= ar_valid_o && !ar_ready_i;
      held_entry_q <= entry;
    end
  end

endmodule

`default_nettype wire
