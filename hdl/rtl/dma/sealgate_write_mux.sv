// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Two writers on one bus: payload and completions.
//
// Theory of operation: addresses are taken one at a time, completions first, for they are short and
// somebody waits for them. AXI4 wants the data in the order of the addresses, so who was taken is
// remembered until the last beat of its burst has passed. Acknowledgements go back by ID.

`default_nettype none

module sealgate_write_mux
  import sealgate_pkg::*;
(
  input  wire logic                  clk_i,
  input  wire logic                  rst_ni,

  input  wire logic                  payload_aw_valid_i,
  output      logic                  payload_aw_ready_o,
  input  wire logic [63:0]           payload_aw_address_i,
  input  wire logic [7:0]            payload_aw_len_i,
  input  wire logic                  payload_w_valid_i,
  output      logic                  payload_w_ready_o,
  input  wire logic [BusWidth-1:0]   payload_w_data_i,
  input  wire logic [BusBytes-1:0]   payload_w_strb_i,
  input  wire logic                  payload_w_last_i,

  input  wire logic                  completion_aw_valid_i,
  output      logic                  completion_aw_ready_o,
  input  wire logic [63:0]           completion_aw_address_i,
  input  wire logic                  completion_w_valid_i,
  output      logic                  completion_w_ready_o,
  input  wire logic [BusWidth-1:0]   completion_w_data_i,

  output      logic [BusIdWidth-1:0] aw_id_o,
  output      logic [63:0]           aw_address_o,
  output      logic [7:0]            aw_len_o,
  output      logic                  aw_valid_o,
  input  wire logic                  aw_ready_i,
  output      logic [BusWidth-1:0]   w_data_o,
  output      logic [BusBytes-1:0]   w_strb_o,
  output      logic                  w_last_o,
  output      logic                  w_valid_o,
  input  wire logic                  w_ready_i
);

  // Bursts whose data is still to come.
  localparam int unsigned OrderDepth = 8;

  // An address that was offered stays until it is taken.
  logic held_q;
  logic held_completion_q;
  logic completion;
  logic order_ready;
  logic accepted;

  assign completion = held_q ? held_completion_q : completion_aw_valid_i;
  assign aw_valid_o = order_ready && (completion ? completion_aw_valid_i : payload_aw_valid_i);
  assign accepted   = aw_valid_o && aw_ready_i;

  assign aw_id_o      = completion ? IdCompletion : IdPayload;
  assign aw_address_o = completion ? completion_aw_address_i : payload_aw_address_i;
  assign aw_len_o     = completion ? 8'd0 : payload_aw_len_i;

  assign completion_aw_ready_o = accepted && completion;
  assign payload_aw_ready_o    = accepted && !completion;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      held_q <= 1'b0;
    end else begin
      held_q            <= aw_valid_o && !aw_ready_i;
      held_completion_q <= completion;
    end
  end

  logic turn_valid;
  logic turn_completion;
  logic turn_done;

  sealgate_fifo #(
    .Width(1),
    .Depth(OrderDepth)
  ) u_order (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(accepted),
    .ready_o(order_ready),
    .data_i (completion),
    .valid_o(turn_valid),
    .ready_i(turn_done),
    .data_o (turn_completion)
  );

  assign w_valid_o = turn_valid && (turn_completion ? completion_w_valid_i : payload_w_valid_i);
  assign w_data_o  = turn_completion ? completion_w_data_i : payload_w_data_i;
  assign w_strb_o  = turn_completion ? '1 : payload_w_strb_i;
  assign w_last_o  = turn_completion || payload_w_last_i;
  assign turn_done = w_valid_o && w_ready_i && w_last_o;

  assign completion_w_ready_o = turn_valid && turn_completion && w_ready_i;
  assign payload_w_ready_o    = turn_valid && !turn_completion && w_ready_i;

endmodule

`default_nettype wire
