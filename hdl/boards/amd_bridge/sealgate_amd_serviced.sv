// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Tells when the host has serviced an interrupt: it writes the queue's bit to IRQ_STATUS.
//
// Theory of operation: looks on at the register port. Address and data of a write come in either
// order, but the engine takes no second of one before the first of the other, so each pair is told
// apart.

`default_nettype none

module sealgate_amd_serviced
  import sealgate_pkg::*;
(
  input  wire logic                  clk_i,
  input  wire logic                  rst_ni,

  input  wire logic                  aw_taken_i,
  input  wire logic [15:0]           aw_address_i,
  input  wire logic                  w_taken_i,
  input  wire logic [QueueCount-1:0] w_data_i,
  input  wire logic                  w_strb_i,  // of the lowest byte

  output      logic [QueueCount-1:0] serviced_o
);

  import sealgate_regs_pkg::DeviceBase;
  import sealgate_regs_pkg::IrqStatusOffset;

  localparam logic [15:0] IrqStatusAddress = 16'(DeviceBase) + 16'(IrqStatusOffset);

  logic                  aw_seen_q;
  logic                  aw_hit_q;
  logic                  w_seen_q;
  logic [QueueCount-1:0] w_bits_q;
  logic                  hit;
  logic [QueueCount-1:0] bits;
  logic                  pair;

  assign hit  = aw_seen_q ? aw_hit_q : aw_address_i[15:2] == IrqStatusAddress[15:2];
  assign bits = w_seen_q ? w_bits_q : (w_strb_i ? w_data_i : '0);
  assign pair = (aw_seen_q || aw_taken_i) && (w_seen_q || w_taken_i);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      aw_seen_q  <= 1'b0;
      w_seen_q   <= 1'b0;
      serviced_o <= '0;
    end else begin
      aw_seen_q  <= (aw_seen_q || aw_taken_i) && !pair;
      w_seen_q   <= (w_seen_q || w_taken_i) && !pair;
      serviced_o <= (pair && hit) ? bits : '0;
    end
  end

  always_ff @(posedge clk_i) begin
    aw_hit_q <= hit;
    w_bits_q <= bits;
  end

  logic unused;
  assign unused = ^aw_address_i[1:0];

endmodule

`default_nettype wire
