// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The writers of the bus: completions and lanes.
//
// Theory of operation: addresses are taken one a cycle into the register that stands before the
// bus, completions first, for they are short and somebody waits for them, lanes in turn. AXI4 wants
// the data in the order of the addresses, so who was taken is remembered from then on until the last
// beat of its burst has passed; as lanes ask only for bursts whose data they hold, and the beat of a
// completion is kept here, a beat leaves in every cycle. Data follows as soon as its address is
// offered: a memory may wait for it before it accepts the address. Acknowledgements go back by ID.

`default_nettype none

module sealgate_write_mux
  import sealgate_pkg::*;
#(
  parameter int unsigned Lanes = 4,
  parameter int unsigned DataWidth = 512
) (
  input  wire logic                   clk_i,
  input  wire logic                   rst_ni,

  input  wire logic                   completion_valid_i,
  output      logic                   completion_ready_o,
  input  wire logic [63:0]            completion_address_i,
  input  wire logic [DataWidth-1:0]   completion_data_i,
  input  wire logic [DataWidth/8-1:0] completion_strb_i,

  input  wire logic [Lanes-1:0]       lane_aw_valid_i,
  output      logic [Lanes-1:0]       lane_aw_ready_o,
  input  wire logic [63:0]            lane_aw_address_i[Lanes],
  input  wire logic [7:0]             lane_aw_len_i    [Lanes],
  input  wire logic [Lanes-1:0]       lane_w_valid_i,
  output      logic [Lanes-1:0]       lane_w_ready_o,
  input  wire logic [DataWidth-1:0]   lane_w_data_i    [Lanes],
  input  wire logic [DataWidth/8-1:0] lane_w_strb_i    [Lanes],
  input  wire logic [Lanes-1:0]       lane_w_last_i,

  output      bus_id_t                aw_id_o,
  output      logic [63:0]            aw_address_o,
  output      logic [7:0]             aw_len_o,
  output      logic                   aw_valid_o,
  input  wire logic                   aw_ready_i,
  output      logic [DataWidth-1:0]   w_data_o,
  output      logic [DataWidth/8-1:0] w_strb_o,
  output      logic                   w_last_o,
  output      logic                   w_valid_o,
  input  wire logic                   w_ready_i
);

  // Bursts whose data is still to come, and completions among them.
  localparam int unsigned OrderDepth = 32;
  localparam int unsigned CompletionDepth = 8;

  localparam int unsigned LaneWidth = (Lanes > 1) ? $clog2(Lanes) : 1;

  typedef struct packed {
    logic                 completion;
    logic [LaneWidth-1:0] lane;
  } writer_t;

  // --- AW ----------------------------------------------------------------------------------------

  logic [Lanes-1:0]     grant;
  logic [LaneWidth-1:0] lane;
  logic                 lane_valid;
  logic                 completion_valid;
  logic                 completions_ready;
  logic                 order_ready;

  logic    aw_free;
  logic    aw_load;  // an address enters the register, and its writer the order
  writer_t writer;

  assign completion_valid = completion_valid_i && completions_ready;

  assign aw_free = (!aw_valid_o || aw_ready_i) && order_ready;
  assign aw_load = aw_free && (completion_valid || lane_valid);
  assign writer  = '{completion: completion_valid, lane: completion_valid ? '0 : lane};

  assign completion_ready_o = aw_free && completions_ready;
  assign lane_aw_ready_o    = (aw_free && !completion_valid) ? grant : '0;

  sealgate_arbiter #(
    .Count(Lanes)
  ) u_lanes (
    .clk_i,
    .rst_ni,
    .request_i(lane_aw_valid_i),
    .grant_o  (grant),
    .index_o  (lane),
    .valid_o  (lane_valid),
    .ready_i  (aw_free && !completion_valid)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) aw_valid_o <= 1'b0;
    else if (aw_load) aw_valid_o <= 1'b1;
    else if (aw_ready_i) aw_valid_o <= 1'b0;
  end

  always_ff @(posedge clk_i) begin
    if (aw_free && completion_valid) begin
      aw_id_o      <= {PortQueues, BusTagWidth'(0)};
      aw_address_o <= completion_address_i;
      aw_len_o     <= 8'd0;
    end else if (aw_free && lane_valid) begin
      aw_id_o      <= {BusPortWidth'(lane), BusTagWidth'(0)};
      aw_address_o <= lane_aw_address_i[lane];
      aw_len_o     <= lane_aw_len_i[lane];
    end
  end

  // --- W -----------------------------------------------------------------------------------------

  writer_t                turn;
  logic                   turn_valid;
  logic                   turn_done;
  logic                   w_free;
  logic                   lane_turn;
  logic                   completion_turn;
  logic                   beat_taken;
  logic                   beat_last;
  logic                   kept_valid;
  logic [DataWidth-1:0]   kept_data;
  logic [DataWidth/8-1:0] kept_strb;

  sealgate_fifo #(
    .Width($bits(writer_t)),
    .Depth(OrderDepth)
  ) u_order (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(aw_load),
    .ready_o(order_ready),
    .data_i (writer),
    .valid_o(turn_valid),
    .ready_i(turn_done),
    .data_o (turn)
  );

  sealgate_fifo #(
    .Width(DataWidth + DataWidth / 8),
    .Depth(CompletionDepth)
  ) u_completions (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(completion_valid_i && aw_free),
    .ready_o(completions_ready),
    .data_i ({completion_strb_i, completion_data_i}),
    .valid_o(kept_valid),
    .ready_i(completion_turn),
    .data_o ({kept_strb, kept_data})
  );

  assign w_free          = !w_valid_o || w_ready_i;
  assign completion_turn = turn_valid && turn.completion && w_free;
  assign lane_turn       = turn_valid && !turn.completion && w_free;
  assign lane_w_ready_o  = lane_turn ? Lanes'(1) << turn.lane : '0;

  assign beat_taken = (completion_turn && kept_valid) || (lane_turn && lane_w_valid_i[turn.lane]);
  assign beat_last  = turn.completion || lane_w_last_i[turn.lane];
  assign turn_done  = beat_taken && beat_last;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) w_valid_o <= 1'b0;
    else if (w_free) w_valid_o <= beat_taken;
  end

  always_ff @(posedge clk_i) begin
    if (beat_taken) begin
      w_data_o <= turn.completion ? kept_data : lane_w_data_i[turn.lane];
      w_strb_o <= turn.completion ? kept_strb : lane_w_strb_i[turn.lane];
      w_last_o <= beat_last;
    end
  end

endmodule

`default_nettype wire
