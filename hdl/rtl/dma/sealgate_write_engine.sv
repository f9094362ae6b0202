// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Writes spans of host memory from a stream of bus beats.
//
// Theory of operation: beats come aligned as they will stand in memory; the strobes of the first and
// the last beat of a span follow from its address and length. A burst (never across 4 KiB, at most
// BurstBeats) is asked for only when all its beats are in the FIFO, so W is never held back. AW and W
// run apart: the lengths of the bursts asked for wait in a small FIFO. Bursts carry one ID, so their
// acknowledgements come in order; a span is acknowledged when all of its bursts are, with the error
// of any.

`default_nettype none

module sealgate_write_engine
  import sealgate_pkg::*;
(
  input  wire logic                  clk_i,
  input  wire logic                  rst_ni,

  input  wire logic                  span_valid_i,
  output      logic                  span_ready_o,
  input  wire span_t                 span_i,

  input  wire logic                  beat_valid_i,
  output      logic                  beat_ready_o,
  input  wire logic [BusWidth-1:0]   beat_data_i,

  output      logic                  aw_valid_o,
  input  wire logic                  aw_ready_i,
  output      logic [63:0]           aw_address_o,
  output      logic [7:0]            aw_len_o,

  output      logic                  w_valid_o,
  input  wire logic                  w_ready_i,
  output      logic [BusWidth-1:0]   w_data_o,
  output      logic [BusBytes-1:0]   w_strb_o,
  output      logic                  w_last_o,

  input  wire logic                  b_valid_i,
  input  wire logic                  b_error_i,

  // One acknowledgement per span, in order.
  output      logic                  ack_valid_o,
  input  wire logic                  ack_ready_i,
  output      logic                  ack_error_o,

  output      logic                  busy_o
);

  localparam int unsigned BufferBeats = 256;
  localparam int unsigned CountWidth = $clog2(BufferBeats) + 1;
  localparam int unsigned BurstsUnderWay = 32;

  typedef struct packed {
    logic [6:0] beats;
    logic       first;        // of the span: the first strobe is cut
    logic       last;         // of the span: the last strobe is cut
    logic [3:0] first_byte;
    logic [3:0] last_byte;
  } burst_t;

  // AW: cut the span into bursts as its beats arrive.
  logic        open_q;
  logic        first_q;
  logic [59:0] beat_address_q;
  logic [10:0] rest_q;
  logic [3:0]  first_byte_q;
  logic [3:0]  last_byte_q;
  logic [7:0]  bursts_q;     // of this span, asked for so far

  logic [CountWidth-1:0] claimed_q;  // beats in the FIFO that belong to bursts asked for
  logic [CountWidth-1:0] count;
  logic [CountWidth-1:0] free_beats;

  logic [8:0] to_border;
  logic [8:0] limit;
  logic [6:0] beats;
  logic       aw_accepted;
  logic       w_accepted;
  logic       bursts_ready;
  logic       pending_ready;
  logic       span_done;

  assign to_border = 9'd256 - {1'b0, beat_address_q[7:0]};
  assign limit     = (to_border < 9'(BurstBeats)) ? to_border : 9'(BurstBeats);
  assign beats     = (rest_q < {2'b0, limit}) ? rest_q[6:0] : limit[6:0];

  assign free_beats = count - claimed_q;
  assign aw_valid_o = open_q && bursts_ready && pending_ready && (free_beats >= CountWidth'(beats));
  assign aw_address_o = {beat_address_q, 4'b0};
  assign aw_len_o     = {1'b0, beats} - 8'd1;
  assign aw_accepted  = aw_valid_o && aw_ready_i;
  assign w_accepted   = w_valid_o && w_ready_i;
  assign span_done    = aw_accepted && (rest_q == {4'b0, beats});
  assign span_ready_o = !open_q;

  logic [SizeWidth:0] span_end;
  assign span_end = {1'b0, span_i.bytes} + {12'b0, span_i.address[3:0]} + 16'd15;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      open_q    <= 1'b0;
      claimed_q <= '0;
    end else begin
      if (span_valid_i && span_ready_o) open_q <= 1'b1;
      else if (span_done) open_q <= 1'b0;
      if (aw_accepted || w_accepted) begin
        claimed_q <= claimed_q + (aw_accepted ? CountWidth'(beats) : '0) - CountWidth'(w_accepted);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (span_valid_i && span_ready_o) begin
      beat_address_q <= span_i.address[63:4];
      rest_q         <= span_end[14:4];
      first_q        <= 1'b1;
      first_byte_q   <= span_i.address[3:0];
      last_byte_q    <= span_end[3:0];  // (address + bytes - 1) modulo 16
      bursts_q       <= 8'd1;
    end else if (aw_accepted) begin
      beat_address_q <= beat_address_q + 60'(beats);
      rest_q         <= rest_q - 11'(beats);
      first_q        <= 1'b0;
      bursts_q       <= bursts_q + 8'd1;
    end
  end

  // W: stream the beats of the bursts asked for.
  burst_t     burst_in;
  burst_t     burst;
  logic       burst_valid;
  logic       burst_done;
  logic [6:0] sent_q;
  logic       first_beat;
  logic       last_beat;
  logic       w_beat_valid;

  assign burst_in = '{
    beats: beats,
    first: first_q,
    last: rest_q == {4'b0, beats},
    first_byte: first_byte_q,
    last_byte: last_byte_q
  };

  sealgate_fifo #(
    .Width($bits(burst_t)),
    .Depth(4)
  ) u_bursts (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(aw_accepted),
    .ready_o(bursts_ready),
    .data_i (burst_in),
    .valid_o(burst_valid),
    .ready_i(burst_done),
    .data_o (burst)
  );

  sealgate_ram_fifo #(
    .Width(BusWidth),
    .Depth(BufferBeats)
  ) u_beats (
    .clk_i,
    .rst_ni,
    .valid_i(beat_valid_i),
    .ready_o(beat_ready_o),
    .data_i (beat_data_i),
    .valid_o(w_beat_valid),
    .ready_i(w_accepted),
    .data_o (w_data_o),
    .count_o(count)
  );

  assign first_beat = burst.first && (sent_q == 7'd0);
  assign w_last_o   = sent_q + 7'd1 == burst.beats;
  assign last_beat  = burst.last && w_last_o;
  assign w_valid_o  = burst_valid && w_beat_valid;
  assign burst_done = w_accepted && w_last_o;
  assign w_strb_o   = (first_beat ? 16'hFFFF << burst.first_byte : 16'hFFFF) &
                      (last_beat ? 16'hFFFF >> (4'd15 - burst.last_byte) : 16'hFFFF);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) sent_q <= '0;
    else if (w_accepted) sent_q <= w_last_o ? '0 : sent_q + 7'd1;
  end

  // B: count the bursts of the oldest span that is not acknowledged.
  logic       pending_valid;
  logic [7:0] pending_bursts;
  logic       acked;
  logic [7:0] acked_q;
  logic       error_q;
  logic [7:0] under_way_q;
  logic       ack_ready;
  logic       ack_valid;

  sealgate_fifo #(
    .Width(8),
    .Depth(BurstsUnderWay)
  ) u_pending (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(span_done),
    .ready_o(pending_ready),
    .data_i (bursts_q),
    .valid_o(pending_valid),
    .ready_i(acked),
    .data_o (pending_bursts)
  );

  assign ack_valid = pending_valid && (acked_q == pending_bursts);
  assign acked     = ack_valid && ack_ready;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      acked_q     <= '0;
      error_q     <= 1'b0;
      under_way_q <= '0;
    end else begin
      acked_q     <= (acked ? 8'd0 : acked_q) + 8'(b_valid_i);
      error_q     <= (!acked && error_q) || (b_valid_i && b_error_i);
      under_way_q <= under_way_q + 8'(aw_accepted) - 8'(b_valid_i);
    end
  end

  sealgate_fifo #(
    .Width(1),
    .Depth(BurstsUnderWay)
  ) u_acks (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(ack_valid),
    .ready_o(ack_ready),
    .data_i (error_q),
    .valid_o(ack_valid_o),
    .ready_i(ack_ready_i),
    .data_o (ack_error_o)
  );

  assign busy_o = open_q || (under_way_q != '0);

  logic unused;
  assign unused = ^{span_end[15]};

endmodule

`default_nettype wire
