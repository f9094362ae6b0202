// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Key stream ahead of the text it is for.
//
// Theory of operation: key stream needs no text, and a command is there long before its text has
// been read from memory. So blocks go through the pipe as soon as their record is known, and wait
// here, in a ring of rows of RingBlocks blocks, which counts those in the pipe too. Time is cut
// into slots of four cycles as at the input of the pipe. In the last cycle but one of a slot it is
// found whether the oldest block may be released for the next, which it is in the last: a key block
// at once, a text block if its beats have come in and have room at the output. Nothing behind the
// release ever waits. Blocks of zeros pass like key blocks, so that they overwrite the ring as well.

`default_nettype none

module sealgate_chacha_ahead
  import sealgate_chacha_pkg::*;
#(
  // Beats of text that may wait for their block, at most.
  parameter int unsigned TextDepth = 256
) (
  input  wire logic        clk_i,
  input  wire logic        rst_ni,

  // Cycle of the slot.
  input  wire logic [1:0]  cycle_i,

  // A block enters the pipe, and room for one more until its release.
  input  wire logic        block_valid_i,
  input  wire block_t      block_i,
  output      logic        room_o,
  // No block is between entry and release.
  output      logic        empty_o,

  // A row of key stream, two cycles after `row_ahead_i`.
  input  wire logic        row_ahead_i,
  input  wire logic [63:0] row_lo_i,
  input  wire logic [63:0] row_hi_i,

  // A beat of text came in. There is room for four more beats at the output.
  input  wire logic        text_valid_i,
  input  wire logic        text_credit_i,
  // Beats of text that are released.
  output      logic [2:0]  text_beats_o,

  // A row of a released block comes out two cycles later; its block, with the first of them and in
  // the cycle before.
  output      logic        row_ahead_o,
  output      block_t      block_o,
  output      logic [63:0] row_lo_o,
  output      logic [63:0] row_hi_o,

  // A slot is left empty for want of text; for want of room at the output.
  output      logic        stall_in_o,
  output      logic        stall_out_o
);

  localparam int unsigned CountWidth = $clog2(RingBlocks + 1);
  localparam int unsigned WaitingWidth = $clog2(TextDepth + 1);

  // Blocks in the pipe and in the ring, those whose first row has come out of the pipe, and beats
  // of text that no block has been released for.
  logic [CountWidth-1:0]   inside_q;
  logic [CountWidth-1:0]   ready_q;
  logic [WaitingWidth-1:0] waiting_q;

  logic [1:0] row_q;
  logic       choose;
  logic       text_there;
  logic       text_valid_q;
  logic       release_d;
  logic       release_q;
  logic [2:0] release_beats_q;
  logic       first_row;
  block_t     head_q;

  assign room_o       = inside_q != CountWidth'(RingBlocks);
  assign empty_o      = inside_q == '0;
  assign choose       = (cycle_i == 2'd2) && (ready_q != '0);
  assign text_there   = waiting_q >= WaitingWidth'(head_q.beats);
  assign release_d    = choose && (!head_q.text || (text_there && text_credit_i));
  assign text_beats_o = release_beats_q;
  assign first_row    = row_ahead_i && (row_q == 2'd0);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      release_q       <= 1'b0;
      release_beats_q <= '0;
      text_valid_q    <= 1'b0;
    end else begin
      release_q       <= release_d;
      release_beats_q <= (release_d && head_q.text) ? head_q.beats : 3'd0;
      text_valid_q    <= text_valid_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      inside_q  <= '0;
      ready_q   <= '0;
      waiting_q <= '0;
      row_q     <= '0;
    end else begin
      if (block_valid_i != release_q) begin
        inside_q <= block_valid_i ? inside_q + 1'b1 : inside_q - 1'b1;
      end
      if (first_row != release_q) begin
        ready_q <= first_row ? ready_q + 1'b1 : ready_q - 1'b1;
      end
      if (text_valid_q || release_q) begin
        waiting_q <= waiting_q + WaitingWidth'(text_valid_q) - WaitingWidth'(release_beats_q);
      end
      if (row_ahead_i) row_q <= row_q + 2'd1;
    end
  end

  // What each block is for, in order. The oldest is looked up in time for the next choice.
  block_t               block_mem[RingBlocks];
  logic [RingWidth-1:0] block_write_q;
  logic [RingWidth-1:0] block_read_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      block_write_q <= '0;
      block_read_q  <= '0;
    end else begin
      if (block_valid_i) block_write_q <= block_write_q + 1'b1;
      if (release_q) block_read_q <= block_read_q + 1'b1;
    end
    if (block_valid_i) block_mem[block_write_q] <= block_i;
    if ((cycle_i == 2'd1) && (inside_q != '0)) head_q <= block_mem[block_read_q];
  end

  // The rows. The first row of a block is written four cycles before it is read at the earliest.
  logic [63:0]          row_lo_mem[4*RingBlocks];
  logic [63:0]          row_hi_mem[4*RingBlocks];
  logic [RingWidth+1:0] row_write_q;
  logic [RingWidth+1:0] row_read_q;
  logic                 write_next_q;
  logic                 write_q;
  logic                 slot_q;
  logic                 read_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      row_write_q  <= '0;
      row_read_q   <= '0;
      write_next_q <= 1'b0;
      write_q      <= 1'b0;
      slot_q       <= 1'b0;
      read_q       <= 1'b0;
    end else begin
      write_next_q <= row_ahead_i;
      write_q      <= write_next_q;
      read_q       <= slot_q;
      if (cycle_i == 2'd3) slot_q <= release_q;
      if (write_q) row_write_q <= row_write_q + 1'b1;
      if (read_q) row_read_q <= row_read_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (write_q) begin
      row_lo_mem[row_write_q] <= row_lo_i;
      row_hi_mem[row_write_q] <= row_hi_i;
    end
    if (read_q) begin
      row_lo_o <= row_lo_mem[row_read_q];
      row_hi_o <= row_hi_mem[row_read_q];
    end
  end

  assign row_ahead_o = slot_q;
  assign block_o     = head_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      stall_in_o  <= 1'b0;
      stall_out_o <= 1'b0;
    end else if (cycle_i == 2'd2) begin
      stall_in_o  <= choose && head_q.text && !text_there;
      stall_out_o <= choose && head_q.text && text_there && !text_credit_i;
    end
  end

endmodule

`default_nettype wire
