// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The readers of the bus: entries and lanes.
//
// Theory of operation: addresses are taken one a cycle into the register that stands before the
// bus, entries first, for all else waits for them, lanes in turn. The ID names the reader and its
// tag; beats go back by it, and every reader has room for whatever it asked for.

`default_nettype none

module sealgate_read_mux
  import sealgate_pkg::*;
#(
  parameter int unsigned Lanes = 4
) (
  input  wire logic                   clk_i,
  input  wire logic                   rst_ni,

  input  wire logic                   entry_ar_valid_i,
  output      logic                   entry_ar_ready_o,
  input  wire logic [BusTagWidth-1:0] entry_ar_tag_i,
  input  wire logic [63:0]            entry_ar_address_i,
  input  wire logic [7:0]             entry_ar_len_i,

  input  wire logic [Lanes-1:0]       lane_ar_valid_i,
  output      logic [Lanes-1:0]       lane_ar_ready_o,
  input  wire logic [BusTagWidth-1:0] lane_ar_tag_i    [Lanes],
  input  wire logic [63:0]            lane_ar_address_i[Lanes],
  input  wire logic [7:0]             lane_ar_len_i    [Lanes],

  output      bus_id_t                ar_id_o,
  output      logic [63:0]            ar_address_o,
  output      logic [7:0]             ar_len_o,
  output      logic                   ar_valid_o,
  input  wire logic                   ar_ready_i
);

  localparam int unsigned LaneWidth = (Lanes > 1) ? $clog2(Lanes) : 1;

  logic [Lanes-1:0]     grant;
  logic [LaneWidth-1:0] lane;
  logic                 lane_valid;
  logic                 free;

  assign free             = !ar_valid_o || ar_ready_i;
  assign entry_ar_ready_o = free;
  assign lane_ar_ready_o  = (free && !entry_ar_valid_i) ? grant : '0;

  sealgate_arbiter #(
    .Count(Lanes)
  ) u_lanes (
    .clk_i,
    .rst_ni,
    .request_i(lane_ar_valid_i),
    .grant_o  (grant),
    .index_o  (lane),
    .valid_o  (lane_valid),
    .ready_i  (free && !entry_ar_valid_i)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) ar_valid_o <= 1'b0;
    else if (free) ar_valid_o <= entry_ar_valid_i || lane_valid;
  end

  always_ff @(posedge clk_i) begin
    if (free && entry_ar_valid_i) begin
      ar_id_o      <= {PortQueues, entry_ar_tag_i};
      ar_address_o <= entry_ar_address_i;
      ar_len_o     <= entry_ar_len_i;
    end else if (free && lane_valid) begin
      ar_id_o      <= {BusPortWidth'(lane), lane_ar_tag_i[lane]};
      ar_address_o <= lane_ar_address_i[lane];
      ar_len_o     <= lane_ar_len_i[lane];
    end
  end

endmodule

`default_nettype wire
