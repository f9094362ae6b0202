// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Reads spans of host memory as a stream of bus beats.
//
// Theory of operation: a span is cut into INCR bursts that never cross 4 KiB and are at most
// BurstBeats long. A burst is asked for only when the beat FIFO has room for all of it, so R is
// always ready and the bus is never held up. All bursts carry one ID: beats arrive in order, and as
// many bursts as fit the FIFO are under way, across the borders of spans. The FIFO holds 512 beats
// (8 KiB) to cover a read latency of some 400 cycles at one beat a cycle. Whoever takes the beats
// knows how many belong to a span; beats are as they stand in memory, not shifted.

`default_nettype none

module sealgate_read_engine
  import sealgate_pkg::*;
(
  input  wire logic                  clk_i,
  input  wire logic                  rst_ni,

  input  wire logic                  span_valid_i,
  output      logic                  span_ready_o,
  input  wire span_t                 span_i,

  output      logic                  ar_valid_o,
  input  wire logic                  ar_ready_i,
  output      logic [63:0]           ar_address_o,
  output      logic [7:0]            ar_len_o,

  input  wire logic                  r_valid_i,
  input  wire logic [BusWidth-1:0]   r_data_i,
  input  wire logic                  r_error_i,

  output      logic                  beat_valid_o,
  input  wire logic                  beat_ready_i,
  output      logic [BusWidth-1:0]   beat_data_o,
  output      logic                  beat_error_o,

  output      logic                  busy_o
);

  localparam int unsigned BufferBeats = 512;
  localparam int unsigned CountWidth = $clog2(BufferBeats) + 1;

  // Beats of the burst that starts at beat_address: up to the 4 KiB border, the limit, the rest.
  function automatic logic [6:0] burst_beats(logic [7:0] page_beat, logic [10:0] rest);
    logic [8:0] to_border;
    logic [8:0] beats;
    to_border = 9'd256 - {1'b0, page_beat};
    beats     = (to_border < 9'(BurstBeats)) ? to_border : 9'(BurstBeats);
    if (rest < {2'b0, beats}) beats = rest[8:0];
    return beats[6:0];
  endfunction

  logic        open_q;  // a span is being cut
  logic [59:0] beat_address_q;
  logic [10:0] rest_q;

  logic [CountWidth-1:0] reserved_q;  // beats asked for and not yet taken
  logic [CountWidth-1:0] count;
  logic                  beat_taken;

  logic [6:0] beats;
  logic       room;
  logic       ar_accepted;

  assign beats       = burst_beats(beat_address_q[7:0], rest_q);
  assign room        = reserved_q <= CountWidth'(BufferBeats - BurstBeats);
  assign ar_accepted = ar_valid_o && ar_ready_i;

  assign ar_address_o = {beat_address_q, 4'b0};
  assign ar_len_o     = {1'b0, beats} - 8'd1;
  assign span_ready_o = !open_q;
  assign beat_taken   = beat_valid_o && beat_ready_i;
  assign busy_o       = open_q || (reserved_q != '0);

  // Once raised, valid stays until it is accepted: room can only grow meanwhile.
  assign ar_valid_o = open_q && room;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      open_q     <= 1'b0;
      reserved_q <= '0;
    end else begin
      if (span_valid_i && span_ready_o) open_q <= 1'b1;
      else if (ar_accepted && (rest_q == {4'b0, beats})) open_q <= 1'b0;

      if (ar_accepted || beat_taken) begin
        reserved_q <= reserved_q + (ar_accepted ? CountWidth'(beats) : '0) - CountWidth'(beat_taken);
      end
    end
  end

  logic [SizeWidth:0] span_end;
  assign span_end = {1'b0, span_i.bytes} + {12'b0, span_i.address[3:0]} + 16'd15;

  always_ff @(posedge clk_i) begin
    if (span_valid_i && span_ready_o) begin
      beat_address_q <= span_i.address[63:4];
      rest_q         <= span_end[14:4];
    end else if (ar_accepted) begin
      beat_address_q <= beat_address_q + 60'(beats);
      rest_q         <= rest_q - 11'(beats);
    end
  end

  logic fifo_ready;
  sealgate_ram_fifo #(
    .Width(BusWidth + 1),
    .Depth(BufferBeats)
  ) u_beats (
    .clk_i,
    .rst_ni,
    .valid_i(r_valid_i),
    .ready_o(fifo_ready),
    .data_i ({r_error_i, r_data_i}),
    .valid_o(beat_valid_o),
    .ready_i(beat_ready_i),
    .data_o ({beat_error_o, beat_data_o}),
    .count_o(count)
  );

  // Room was reserved before the burst was asked for.
  logic unused;
  assign unused = ^{fifo_ready, count, span_end[15], span_end[3:0]};

endmodule

`default_nettype wire
