// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The store that all text of a lane passes, in block RAM.
//
// Theory of operation: a ring of words. Text is written as it comes. It leaves by record: a fetch
// says how many words of a record are kept and how many behind them are skipped; skipping takes one
// cycle, whatever the number. A word may be fetched as soon as it is written, so a record may leave
// while it still comes in; words to be skipped must have been written. After a skip it takes a cycle
// to know whether another word is there; no record is fetched so early. Fetched words pass a
// register behind the RAM into a short queue, which has room for every read under way. With
// `Pipelined` there is one more register, so that no path leads from one memory to the other.

`default_nettype none

module sealgate_record_store
  import sealgate_pkg::*;
#(
  // A power of two; more than the longest record, 1,152 words, so that one can be judged while the
  // one before it leaves.
  parameter int unsigned Words = 2048,
  parameter bit Pipelined = 1'b0
) (
  input  wire logic                 clk_i,
  input  wire logic                 rst_ni,

  // A word, for which room was there in this cycle or in the one before.
  input  wire logic                 text_valid_i,
  output      logic                 text_ready_o,
  input  wire logic [WordWidth-1:0] text_data_i,

  input  wire logic                 fetch_valid_i,
  output      logic                 fetch_ready_o,
  input  wire logic [10:0]          fetch_keep_i,
  input  wire logic [10:0]          fetch_skip_i,

  output      logic                 word_valid_o,
  input  wire logic                 word_ready_i,
  output      logic [WordWidth-1:0] word_data_o
);

  localparam int unsigned IndexWidth = $clog2(Words);
  // Covers the loop from fetch to return of room.
  localparam int unsigned QueueDepth = Pipelined ? 6 : 4;

  logic [WordWidth-1:0] words_q[Words];
  logic [WordWidth-1:0] read_data_q;
  logic                 read_valid_q;
  logic [IndexWidth:0]  write_q;
  logic [IndexWidth:0]  read_q;
  logic [IndexWidth:0]  after_q;     // the one after it
  logic                 there_q;     // a word is there to be read
  logic                 skipped_q;   // whether there is one is not known yet
  logic                 full_q;
  logic [10:0]          keep_q;      // words still to be read
  logic                 keep_any_q;  // there are any
  logic                 keep_one_q;  // there is one
  logic [10:0]          skip_q;      // then to be skipped
  logic                 skip_due_q;  // no word is left in front of them
  logic [2:0]           room_q;
  logic                 room_any_q;

  logic                 write;
  logic                 read;
  logic                 taken;
  logic                 fetch;
  logic [IndexWidth:0]  used_q;

  // Two words may be on their way while the last two are not counted yet.
  assign text_ready_o  = !full_q;
  assign write         = text_valid_i;
  assign fetch_ready_o = !skip_due_q && !keep_any_q;
  assign fetch         = fetch_valid_i && fetch_ready_o;
  assign read          = keep_any_q && there_q && room_any_q;
  assign taken         = word_valid_o && word_ready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      write_q      <= '0;
      read_q       <= '0;
      after_q      <= (IndexWidth + 1)'(1);
      there_q      <= 1'b0;
      skipped_q    <= 1'b0;
      used_q       <= '0;
      full_q       <= 1'b0;
      keep_q       <= '0;
      keep_any_q   <= 1'b0;
      keep_one_q   <= 1'b0;
      skip_due_q   <= 1'b0;
      room_q       <= 3'(QueueDepth);
      room_any_q   <= 1'b1;
      read_valid_q <= 1'b0;
    end else begin
      if (write) write_q <= write_q + 1'b1;
      if (skip_due_q) read_q <= read_q + (IndexWidth + 1)'(skip_q);
      else if (read) read_q <= after_q;
      if (skipped_q) after_q <= read_q + 1'b1;
      else if (read) after_q <= after_q + 1'b1;
      skipped_q <= skip_due_q;
      if (write) there_q <= 1'b1;
      else if (skipped_q) there_q <= read_q != write_q;
      else if (read && (after_q == write_q)) there_q <= 1'b0;
      used_q       <= write_q - read_q;
      full_q       <= used_q >= (IndexWidth + 1)'(Words - 4);
      read_valid_q <= read;
      if (fetch) begin
        keep_q     <= fetch_keep_i;
        keep_any_q <= fetch_keep_i != '0;
        keep_one_q <= fetch_keep_i == 11'd1;
      end else if (read) begin
        keep_q     <= keep_q - 11'd1;
        keep_any_q <= !keep_one_q;
        keep_one_q <= keep_q == 11'd2;
      end
      skip_due_q <= (fetch && (fetch_keep_i == '0)) || (read && keep_one_q);
      if (read != taken) begin
        room_q     <= taken ? room_q + 3'd1 : room_q - 3'd1;
        room_any_q <= taken || (room_q != 3'd1);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (fetch) skip_q <= fetch_skip_i;
    if (write) words_q[write_q[IndexWidth-1:0]] <= text_data_i;
    if (read) read_data_q <= words_q[read_q[IndexWidth-1:0]];
  end

  logic                 queued_valid;
  logic [WordWidth-1:0] queued;

  sealgate_delay #(
    .Width(WordWidth + 1),
    .Cycles(Pipelined ? 1 : 0)
  ) u_queued (
    .clk_i,
    .value_i({read_valid_q && rst_ni, read_data_q}),
    .value_o({queued_valid, queued})
  );

  // Reads are issued only while there is room: the queue is never full when a word comes.
  logic unused_ready;

  sealgate_fifo #(
    .Width(WordWidth),
    .Depth(QueueDepth)
  ) u_queue (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(queued_valid),
    .ready_o(unused_ready),
    .data_i (queued),
    .valid_o(word_valid_o),
    .ready_i(word_ready_i),
    .data_o (word_data_o)
  );

endmodule

`default_nettype wire
