// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Deep FIFO in block RAM.
//
// Theory of operation: a ring of Depth words with a registered read. The read is issued as soon as
// a word is there and the output register is free or being taken, so a word can leave in every
// cycle; a word needs two cycles from an empty FIFO's input to its output. count_o counts the words
// inside, output register included.

`default_nettype none

module sealgate_ram_fifo #(
  parameter int unsigned Width = 128,
  parameter int unsigned Depth = 512,  // a power of two
  localparam int unsigned CountWidth = $clog2(Depth) + 1
) (
  input  wire logic                  clk_i,
  input  wire logic                  rst_ni,

  input  wire logic                  valid_i,
  output      logic                  ready_o,
  input  wire logic [Width-1:0]      data_i,

  output      logic                  valid_o,
  input  wire logic                  ready_i,
  output      logic [Width-1:0]      data_o,

  output      logic [CountWidth-1:0] count_o
);

  localparam int unsigned IndexWidth = $clog2(Depth);

  (* ram_style = "block" *)
  logic [Width-1:0]      words_q[Depth];
  logic [Width-1:0]      data_q;
  logic                  valid_q;
  logic [IndexWidth:0]   read_q;
  logic [IndexWidth:0]   after_q;  // the one after it
  logic [IndexWidth:0]   write_q;
  logic                  waiting_q;  // a word is there to be read
  logic                  last_waits;
  logic [CountWidth-1:0] count_q;

  logic push;
  logic fetch;

  assign ready_o = count_q < CountWidth'(Depth);
  assign valid_o = valid_q;
  assign data_o  = data_q;
  assign count_o = count_q;

  assign push       = valid_i && ready_o;
  assign fetch      = waiting_q && (!valid_q || ready_i);
  assign last_waits = after_q == write_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      read_q    <= '0;
      after_q   <= (IndexWidth + 1)'(1);
      write_q   <= '0;
      waiting_q <= 1'b0;
      count_q   <= '0;
      valid_q   <= 1'b0;
    end else begin
      if (push) waiting_q <= 1'b1;
      else if (fetch && last_waits) waiting_q <= 1'b0;
      if (push) write_q <= write_q + 1'b1;
      if (fetch) read_q <= after_q;
      if (fetch) after_q <= after_q + 1'b1;
      if (fetch) valid_q <= 1'b1;
      else if (ready_i) valid_q <= 1'b0;
      if (push != (valid_q && ready_i)) count_q <= push ? count_q + 1'b1 : count_q - 1'b1;
    end
  end

  logic unused_lap;
  assign unused_lap = read_q[IndexWidth];

  always_ff @(posedge clk_i) begin
    if (push) words_q[write_q[IndexWidth-1:0]] <= data_i;
    if (fetch) data_q <= words_q[read_q[IndexWidth-1:0]];
  end

endmodule

`default_nettype wire
