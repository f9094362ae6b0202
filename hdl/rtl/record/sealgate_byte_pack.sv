// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Packs chunks of 1 to 16 bytes into bus beats, starting at any byte of the first beat.
//
// Theory of operation: a rest of up to 15 bytes is kept; a chunk is shifted behind it, and a full
// beat leaves as soon as there is one. After the last chunk of a span what is left leaves as a beat
// of its own. Bytes of a chunk past its length must be zero. Bytes of beats outside the span are
// undefined: the write engine does not strobe them.

`default_nettype none

module sealgate_byte_pack
  import sealgate_pkg::*;
(
  input  wire logic                clk_i,
  input  wire logic                rst_ni,

  // Opens a span; only between spans.
  input  wire logic                start_i,
  input  wire logic [3:0]          offset_i,

  input  wire logic                chunk_valid_i,
  output      logic                chunk_ready_o,
  input  wire logic [BusWidth-1:0] chunk_data_i,
  input  wire logic [4:0]          chunk_bytes_i,
  input  wire logic                chunk_last_i,

  output      logic                beat_valid_o,
  input  wire logic                beat_ready_i,
  output      logic [BusWidth-1:0] beat_data_o
);

  logic [BusWidth-1:0]   rest_q;
  logic [3:0]            fill_q;
  logic                  flush_q;  // the rest leaves as the last beat
  logic [2*BusWidth-1:0] window;
  logic [5:0]            total;
  logic                  full;
  logic                  taken;

  assign window = {128'b0, rest_q} | ({128'b0, chunk_data_i} << {fill_q, 3'b0});
  assign total  = {2'b0, fill_q} + {1'b0, chunk_bytes_i};
  assign full   = total[5:4] != 2'b0;

  assign beat_valid_o  = flush_q || (chunk_valid_i && full);
  assign beat_data_o   = flush_q ? rest_q : window[BusWidth-1:0];
  assign chunk_ready_o = !flush_q && (!full || beat_ready_i);
  assign taken         = chunk_valid_i && chunk_ready_o;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      fill_q  <= '0;
      flush_q <= 1'b0;
    end else if (start_i) begin
      fill_q <= offset_i;
    end else if (flush_q) begin
      if (beat_ready_i) flush_q <= 1'b0;
    end else if (taken) begin
      fill_q  <= total[3:0];
      flush_q <= chunk_last_i && (total[3:0] != 4'd0);
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) rest_q <= '0;
    else if (taken) rest_q <= full ? window[2*BusWidth-1:BusWidth] : window[BusWidth-1:0];
  end

endmodule

`default_nettype wire
