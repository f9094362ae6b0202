// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Deep queue in block RAM, for words whose number the writer keeps count of.
//
// Theory of operation: a ring of Depth words. What block RAM reads comes late in the cycle: it goes
// into a register, and lands in a short queue (sealgate_landing) that has room for what is read. No
// path leads from one memory to the other, and none from the reader to the RAM. The writer knows
// that there is room: it counts the words inside, those in the short queue included.

`default_nettype none

module sealgate_ram_queue #(
  parameter int unsigned Width = 128,
  parameter int unsigned Depth = 128  // a power of two
) (
  input  wire logic             clk_i,
  input  wire logic             rst_ni,

  input  wire logic             valid_i,
  input  wire logic [Width-1:0] data_i,

  output      logic             valid_o,
  input  wire logic             ready_i,
  output      logic [Width-1:0] data_o
);

  localparam int unsigned IndexWidth = $clog2(Depth);

  (* ram_style = "block", no_rw_check *)
  logic [Width-1:0]      words_q[Depth];
  logic [Width-1:0]      read_data_q, data_q;
  logic                  read_valid_q, valid_q;
  logic [IndexWidth-1:0] read_q;
  logic [IndexWidth-1:0] after_q;    // the one after it
  logic [IndexWidth-1:0] write_q;
  logic                  waiting_q;  // a word is there to be read
  logic                  room;
  logic                  read;

  assign read = waiting_q && room;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      read_q       <= '0;
      after_q      <= IndexWidth'(1);
      write_q      <= '0;
      waiting_q    <= 1'b0;
      read_valid_q <= 1'b0;
      valid_q      <= 1'b0;
    end else begin
      if (valid_i) waiting_q <= 1'b1;
      else if (read && (after_q == write_q)) waiting_q <= 1'b0;
      if (valid_i) write_q <= write_q + 1'b1;
      if (read) read_q <= after_q;
      if (read) after_q <= after_q + 1'b1;
      read_valid_q <= read;
      valid_q      <= read_valid_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_i) words_q[write_q] <= data_i;
    read_data_q <= words_q[read_q];
    data_q      <= read_data_q;
  end

  sealgate_landing #(
    .Width(Width),
    .Depth(8)
  ) u_landing (
    .clk_i,
    .rst_ni,
    .room_o (room),
    .valid_i(valid_q),
    .data_i (data_q),
    .valid_o,
    .ready_i,
    .data_o
  );

endmodule

`default_nettype wire
