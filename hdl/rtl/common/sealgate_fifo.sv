// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Synchronous FIFO with ready/valid on both sides.
//
// Theory of operation: a ring of Depth words with a read index, a write index and a count. The head
// word is read combinationally (distributed RAM), so that a word can leave in every cycle and the
// FIFO runs at full rate without a bubble for any Depth of at least 2. A word written into an empty
// FIFO is visible one cycle later: no combinational path leads from either side to the other, which
// also makes the FIFO with Depth = 2 a register slice. Depth need not be a power of two. `clear_i`
// empties the FIFO; a word offered in the same cycle is dropped, and the words themselves are not
// erased.

`default_nettype none

module sealgate_fifo #(
  parameter int unsigned Width = 32,
  parameter int unsigned Depth = 4
) (
  input  wire logic             clk_i,
  input  wire logic             rst_ni,
  input  wire logic             clear_i,

  input  wire logic             valid_i,
  output      logic             ready_o,
  input  wire logic [Width-1:0] data_i,

  output      logic             valid_o,
  input  wire logic             ready_i,
  output      logic [Width-1:0] data_o
);

  localparam int unsigned IndexWidth = (Depth > 1) ? $clog2(Depth) : 1;
  localparam int unsigned CountWidth = $clog2(Depth + 1);

  localparam logic [IndexWidth-1:0] LastIndex = IndexWidth'(Depth - 1);
  localparam logic [CountWidth-1:0] FullCount = CountWidth'(Depth);

  // With a register behind data_o, this would do as block RAM, which reads late in the cycle.
  (* ram_style = "distributed" *)
  logic [Width-1:0]      words_q[Depth];
  logic [IndexWidth-1:0] read_q;
  logic [IndexWidth-1:0] write_q;
  logic [CountWidth-1:0] count_q;

  logic push;
  logic pop;

  assign ready_o = count_q != FullCount;
  assign valid_o = count_q != '0;
  assign data_o  = words_q[read_q];

  assign push = valid_i && ready_o;
  assign pop  = valid_o && ready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      read_q  <= '0;
      write_q <= '0;
      count_q <= '0;
    end else if (push || pop) begin
      if (push) write_q <= (write_q == LastIndex) ? '0 : write_q + 1'b1;
      if (pop) read_q <= (read_q == LastIndex) ? '0 : read_q + 1'b1;
      if (push != pop) count_q <= push ? count_q + 1'b1 : count_q - 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (push) words_q[write_q] <= data_i;
  end

endmodule

`default_nettype wire
