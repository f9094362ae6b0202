// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A queue at the end of a pipeline that never waits.
//
// Theory of operation: what enters such a pipeline comes out whatever happens at its end, and is
// written without a question. `room_o` is asked at the begin of the pipeline instead: it is a
// register, high if a cycle ago there were places for all that may be on its way, and two more.

`default_nettype none

module sealgate_landing #(
  parameter int unsigned Width = 128,
  parameter int unsigned Depth = 32,             // a power of two
  parameter int unsigned Behind = Depth / 2 - 2  // cycles the pipeline is long, at most
) (
  input  wire logic             clk_i,
  input  wire logic             rst_ni,

  output      logic             room_o,

  input  wire logic             valid_i,
  input  wire logic [Width-1:0] data_i,

  output      logic             valid_o,
  input  wire logic             ready_i,
  output      logic [Width-1:0] data_o
);

  localparam int unsigned IndexWidth = $clog2(Depth);

  logic [Width-1:0]      words_q[Depth];
  logic [IndexWidth-1:0] read_q;
  logic [IndexWidth-1:0] write_q;
  logic [IndexWidth:0]   count_q;
  logic                  any_q;  // there are any
  logic                  pop;

  assign valid_o = any_q;
  assign data_o  = words_q[read_q];
  assign pop     = any_q && ready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      read_q  <= '0;
      write_q <= '0;
      count_q <= '0;
      any_q   <= 1'b0;
      room_o  <= 1'b0;
    end else begin
      if (valid_i) write_q <= write_q + 1'b1;
      if (pop) read_q <= read_q + 1'b1;
      if (valid_i != pop) count_q <= valid_i ? count_q + 1'b1 : count_q - 1'b1;
      any_q  <= valid_i || (count_q > (pop ? (IndexWidth + 1)'(1) : (IndexWidth + 1)'(0)));
      room_o <= count_q <= (IndexWidth + 1)'(Depth - Behind - 2);
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_i) words_q[write_q] <= data_i;
  end

endmodule

`default_nettype wire
