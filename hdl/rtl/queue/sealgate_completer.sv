// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Writes completions.
//
// Theory of operation: results come in the order of the entries. One that wrote data waits until the
// write engine says that all of it was acknowledged. Then the completion leaves as a single beat,
// with the phase of its pass through the ring. When the bus has acknowledged the completion itself
// the queue is told: its interrupt rises only when the host can see what it is for. Several
// completions are under way; one ID keeps them in order.

`default_nettype none

module sealgate_completer
  import sealgate_pkg::*;
  import sealgate_abi_pkg::StatusSuccess, sealgate_abi_pkg::StatusDestinationFault;
(
  input  wire logic                clk_i,
  input  wire logic                rst_ni,

  input  wire logic                result_valid_i,
  output      logic                result_ready_o,
  input  wire result_t             result_i,

  input  wire logic                ack_valid_i,
  output      logic                ack_ready_o,
  input  wire logic                ack_error_i,

  input  wire logic                start_i  [QueueCount],
  input  wire logic [63:0]         cq_base_i[QueueCount],
  input  wire logic [3:0]          cq_log2_i[QueueCount],
  output      logic [15:0]         cq_tail_o[QueueCount],

  output      logic                aw_valid_o,
  input  wire logic                aw_ready_i,
  output      logic [63:0]         aw_address_o,
  output      logic                w_valid_o,
  input  wire logic                w_ready_i,
  output      logic [BusWidth-1:0] w_data_o,
  input  wire logic                b_valid_i,
  input  wire logic                b_error_i,

  output      logic                complete_o,
  output      queue_id_t           complete_queue_o,
  output      logic                complete_error_o,

  // What was completed, for the counters; one cycle per entry.
  output      logic                stat_valid_o,
  output      result_t             stat_o,

  output      logic                busy_o
);

  localparam int unsigned UnderWay = 16;

  typedef enum logic [1:0] {
    StIdle,  // wait for a result and, if it wrote, for its acknowledgement
    StAddress,
    StData
  } state_e;

  state_e      state_q;
  result_t     result_q;
  logic [15:0] tail_q[QueueCount];
  logic        take;
  logic        queues_ready;
  logic        aw_accepted;

  assign take           = (state_q == StIdle) && result_valid_i && queues_ready &&
                          (!result_i.wrote || ack_valid_i);
  assign result_ready_o = take;
  assign ack_ready_o    = take && result_i.wrote;
  assign aw_accepted    = aw_valid_o && aw_ready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q <= StIdle;
    end else begin
      unique case (state_q)
        StIdle:    if (take) state_q <= StAddress;
        StAddress: if (aw_ready_i) state_q <= StData;
        StData:    if (w_ready_i) state_q <= StIdle;
        default:   state_q <= StIdle;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (take) begin
      result_q <= result_i;
      if (result_i.wrote && ack_error_i && (result_i.status == StatusSuccess)) begin
        result_q.status <= StatusDestinationFault;
      end
    end
  end

  logic        success;
  logic [15:0] tail;
  logic [15:0] slot;

  assign success = result_q.status == StatusSuccess;
  assign tail    = tail_q[result_q.queue_id];
  assign slot    = tail & ((16'd1 << cq_log2_i[result_q.queue_id]) - 16'd1);

  assign aw_valid_o   = state_q == StAddress;
  assign aw_address_o = cq_base_i[result_q.queue_id] + {44'b0, slot, 4'b0};
  assign w_valid_o    = state_q == StData;

  // The bit of the index above the slot counts the passes; the first pass has phase 1.
  logic tail_phase;
  assign tail_phase = tail[cq_log2_i[result_q.queue_id]];

  logic done;
  assign done = success && result_q.record;

  always_comb begin
    w_data_o = '0;
    w_data_o[sealgate_abi_pkg::CompletionCookieLsb+:16] = result_q.cookie;
    w_data_o[sealgate_abi_pkg::CompletionSqHeadLsb+:16] = result_q.sq_head;
    w_data_o[sealgate_abi_pkg::CompletionStatusLsb+:7]  = result_q.status;
    w_data_o[sealgate_abi_pkg::CompletionPhaseLsb]      = !tail_phase;
    if (done) begin
      w_data_o[sealgate_abi_pkg::CompletionWrittenLsb+:SizeWidth]  = result_q.written;
      w_data_o[sealgate_abi_pkg::CompletionConsumedLsb+:SizeWidth] = result_q.consumed;
      w_data_o[sealgate_abi_pkg::CompletionRecordsLsb]             = 1'b1;
      w_data_o[sealgate_abi_pkg::CompletionContentTypeLsb+:8]      = result_q.content_type;
    end
  end

  assign stat_valid_o = (state_q == StData) && w_ready_i;
  assign stat_o       = result_q;

  for (genvar q = 0; q < QueueCount; q++) begin : gen_queue
    assign cq_tail_o[q] = tail_q[q];
    always_ff @(posedge clk_i) begin
      if (!rst_ni || start_i[q]) tail_q[q] <= '0;
      else if (stat_valid_o && (result_q.queue_id == QueueWidth'(q))) tail_q[q] <= tail_q[q] + 16'd1;
    end
  end

  logic queue_valid;
  sealgate_fifo #(
    .Width(QueueWidth),
    .Depth(UnderWay)
  ) u_queues (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(aw_accepted),
    .ready_o(queues_ready),
    .data_i (result_q.queue_id),
    .valid_o(queue_valid),
    .ready_i(b_valid_i),
    .data_o (complete_queue_o)
  );

  assign complete_o       = b_valid_i && queue_valid;
  assign complete_error_o = complete_o && b_error_i;
  assign busy_o           = (state_q != StIdle) || queue_valid;

endmodule

`default_nettype wire
