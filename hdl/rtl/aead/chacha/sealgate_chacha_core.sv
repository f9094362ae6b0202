// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// ChaCha20-Poly1305 (RFC 8439) for records: seal and open, 16 bytes per cycle, a context per
// record.
//
// Theory of operation: records are cut into blocks of key stream (sealgate_chacha_issue), one block
// per four cycles: a key block with counter 0, which brings the one-time key of Poly1305, and one
// block per 64 bytes of text. Blocks go through the pipe (sealgate_chacha_pipe) ahead of their text
// and wait behind it until that has come in (sealgate_chacha_ahead); then text is combined with the
// key stream, goes to the output queue, and the cipher text side of it goes on to Poly1305
// (sealgate_chacha_combine). The pipe always advances: a block is issued only if the ring behind it
// has room, and released only if the output has, so nothing in between waits or can overflow. Keys
// are in a table in the pipe, indexed by the context of each block; it is filled and wiped by a
// unit apart (sealgate_chacha_key_unit), which the data path never notices.
//
// All but the key unit has a clock of its own, which stands still when nothing is under way; the
// first command after a rest is taken one cycle later for it. All that opens the gate, reset apart,
// is made of registers, so that no path leads from the other ports to the gate.
//
// All byte vectors are in bus order: byte 0 in bits [7:0].

`default_nettype none

module sealgate_chacha_core
  import sealgate_chacha_pkg::*;
  import sealgate_poly1305_pkg::hash_t;
  import sealgate_poly1305_pkg::sum_t;
#(
  parameter int unsigned NumContexts = 1024,
  // As hardware has it: the clock never rests, and short queues stand behind.
  parameter bit Pipelined = 1'b0,
  localparam int unsigned CtxWidth = $clog2(NumContexts)
) (
  input  wire logic                clk_i,
  input  wire logic                rst_ni,

  // Key load. The caller has no record of this context under way and starts none before
  // `key_done_o`, which is high for one cycle per load.
  input  wire logic                key_valid_i,
  output      logic                key_ready_o,
  input  wire logic [CtxWidth-1:0] key_ctx_i,
  input  wire logic [255:0]        key_data_i,
  output      logic                key_done_o,

  // Wipe of a context of which no record is under way. Done before the next load or wipe is taken.
  // What its key left in the pipe is overwritten by later records, or by zeros when the core is
  // idle for some hundred cycles.
  input  wire logic                wipe_valid_i,
  output      logic                wipe_ready_o,
  input  wire logic [CtxWidth-1:0] wipe_ctx_i,

  // One command per record: additional data of 0 to 16 bytes, text of 0 to 18,432 bytes.
  input  wire logic                cmd_valid_i,
  output      logic                cmd_ready_o,
  input  wire logic [CtxWidth-1:0] cmd_ctx_i,
  input  wire logic                cmd_open_i,
  input  wire logic [95:0]         cmd_nonce_i,
  input  wire logic [127:0]        cmd_aad_i,
  input  wire logic [4:0]          cmd_aad_bytes_i,
  input  wire logic                cmd_has_text_i,
  input  wire logic [15:0]         cmd_text_bytes_i,

  // Text in: packed beats, as many as the text needs; bytes past the end do not matter. From a beat
  // with `in_error_i` on, the output of its record is zero, and so is its tag.
  input  wire logic                in_valid_i,
  output      logic                in_ready_o,
  input  wire logic [127:0]        in_data_i,
  input  wire logic                in_error_i,

  // Text out: packed beats; bytes past the end are zero.
  output      logic                out_valid_o,
  input  wire logic                out_ready_i,
  output      logic [127:0]        out_data_o,
  output      logic                out_last_o,

  // The tag, one per command in the order of commands, once the last beat of text has left or is at
  // the output. Comparison is the caller's.
  output      logic                tag_valid_o,
  input  wire logic                tag_ready_i,
  output      logic [127:0]        tag_o,
  output      logic                tag_error_o,

  // Any record inside.
  output      logic                busy_o,
  // A beat of text was taken; a slot stays empty for want of text, or of room at the output.
  output      logic                stat_beat_o,
  output      logic                stat_stall_in_o,
  output      logic                stat_stall_out_o
);

  // Beats of text, at the input and at the output: covers the time from a command to its first key
  // stream, PipeLatency + 16 cycles, at full rate.
  localparam int unsigned TextDepth = 256;
  // Records of one beat, eight cycles each, that fit into the loop from key block to tag.
  localparam int unsigned TagDepth = 32;

  // The clock of the data path: from a command on, while `working`, and some cycles for the last
  // block of zeros to pass. Everything else has passed before the blocks of zeros have.
  localparam int unsigned DrainCycles = 31;
  localparam int unsigned DrainWidth = $clog2(DrainCycles + 1);

  logic                  wake_q;
  logic                  working;
  logic [DrainWidth-1:0] drain_q;
  logic                  active;
  logic                  clk_active;

  assign active = Pipelined || wake_q || working || (drain_q != '0);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) wake_q <= 1'b0;
    else wake_q <= cmd_valid_i;
  end

  always_ff @(posedge clk_active) begin
    if (!rst_ni || working) drain_q <= DrainWidth'(DrainCycles);
    else if (drain_q != '0) drain_q <= drain_q - 1'b1;
  end

  sealgate_clock_gate u_clock_gate (
    .clk_i,
    .enable_i(!rst_ni || active),
    .clk_o(clk_active)
  );

  // Key table.
  logic                write;
  logic [CtxWidth-1:0] write_ctx;
  logic [1:0]          write_column;
  logic [63:0]         write_words;

  sealgate_chacha_key_unit #(
    .NumContexts(NumContexts)
  ) u_key_unit (
    .clk_i,
    .rst_ni,
    .key_valid_i,
    .key_ready_o,
    .key_ctx_i,
    .key_data_i,
    .key_done_o,
    .wipe_valid_i,
    .wipe_ready_o,
    .wipe_ctx_i,
    .write_o(write),
    .write_ctx_o(write_ctx),
    .write_column_o(write_column),
    .write_words_o(write_words)
  );

  // Blocks enter.
  logic                text_room, text_credit, tag_credit, block_room;
  logic                block_valid;
  block_t              block;
  record_t             record;
  logic [63:0]         aad_lo, aad_hi;
  logic                column_valid, column_zero;
  logic [CtxWidth-1:0] column_ctx;
  logic [2:0]          cycle;
  logic [31:0]         column_word;
  logic                issue_ready, issue_busy, issue_working;
  logic                issue_stall, text_stall;

  sealgate_chacha_issue #(
    .NumContexts(NumContexts)
  ) u_issue (
    .clk_i(clk_active),
    .rst_ni,
    .cmd_valid_i(cmd_valid_i && active),
    .cmd_ready_o(issue_ready),
    .cmd_ctx_i,
    .cmd_open_i,
    .cmd_nonce_i,
    .cmd_aad_i,
    .cmd_aad_bytes_i,
    .cmd_has_text_i,
    .cmd_text_bytes_i,
    .in_valid_i,
    .in_ready_o,
    .text_room_i(text_room),
    .tag_credit_i(tag_credit),
    .block_room_i(block_room),
    .block_valid_o(block_valid),
    .block_o(block),
    .record_o(record),
    .aad_lo_o(aad_lo),
    .aad_hi_o(aad_hi),
    .column_valid_o(column_valid),
    .column_zero_o(column_zero),
    .column_ctx_o(column_ctx),
    .cycle_o(cycle),
    .column_word_o(column_word),
    .busy_o(issue_busy),
    .working_o(issue_working),
    .stall_o(issue_stall)
  );

  assign cmd_ready_o      = issue_ready && active;
  assign stat_beat_o      = in_valid_i && in_ready_o;
  assign stat_stall_out_o = issue_stall || text_stall;

  // Key stream.
  logic        made_ahead;
  logic [63:0] made_lo, made_hi;

  sealgate_chacha_pipe #(
    .NumContexts(NumContexts)
  ) u_pipe (
    .clk_i(clk_active),
    .rst_ni,
    .write_i(write),
    .write_ctx_i(write_ctx),
    .write_column_i(write_column),
    .write_words_i(write_words),
    .cycle_i(cycle),
    .valid_i(column_valid),
    .zero_i(column_zero),
    .ctx_i(column_ctx),
    .word_i(column_word),
    .ahead_o(made_ahead),
    .row_lo_o(made_lo),
    .row_hi_o(made_hi)
  );

  logic        row_ahead;
  block_t      row_block;
  logic [63:0] row_lo, row_hi;
  logic [2:0]  text_beats;
  logic        ahead_empty;

  sealgate_chacha_ahead #(
    .TextDepth(TextDepth)
  ) u_ahead (
    .clk_i(clk_active),
    .rst_ni,
    .cycle_i(cycle[1:0]),
    .block_valid_i(block_valid),
    .block_i(block),
    .room_o(block_room),
    .empty_o(ahead_empty),
    .row_ahead_i(made_ahead),
    .row_lo_i(made_lo),
    .row_hi_i(made_hi),
    .text_valid_i(stat_beat_o),
    .text_credit_i(text_credit),
    .text_beats_o(text_beats),
    .row_ahead_o(row_ahead),
    .block_o(row_block),
    .row_lo_o(row_lo),
    .row_hi_o(row_hi),
    .stall_in_o(stat_stall_in_o),
    .stall_out_o(text_stall)
  );

  // Text and key stream.
  logic        done, done_last;
  logic [63:0] done_lo, done_hi;
  logic        r_valid, s_valid;
  key_id_t     key_id;
  logic        has_text;
  logic [63:0] key_lo, key_hi;
  logic        hash_valid;
  key_id_t     hash_id;
  hash_t       hash;
  logic [63:0] hash_lo, hash_hi;
  logic        hash_error, hash_has_text;

  sealgate_chacha_combine #(
    .TextDepth(TextDepth)
  ) u_combine (
    .clk_i(clk_active),
    .rst_ni,
    .text_valid_i(stat_beat_o),
    .text_data_i(in_data_i),
    .text_error_i(in_error_i),
    .text_room_o(text_room),
    .record_valid_i(block_valid && block.key),
    .record_i(record),
    .aad_lo_i(aad_lo),
    .aad_hi_i(aad_hi),
    .row_ahead_i(row_ahead),
    .block_i(row_block),
    .row_lo_i(row_lo),
    .row_hi_i(row_hi),
    .out_valid_o(done),
    .out_last_o(done_last),
    .out_lo_o(done_lo),
    .out_hi_o(done_hi),
    .r_valid_o(r_valid),
    .s_valid_o(s_valid),
    .key_id_o(key_id),
    .has_text_o(has_text),
    .key_lo_o(key_lo),
    .key_hi_o(key_hi),
    .hash_valid_o(hash_valid),
    .hash_id_o(hash_id),
    .hash_o(hash),
    .hash_lo_o(hash_lo),
    .hash_hi_o(hash_hi),
    .hash_error_o(hash_error),
    .hash_has_text_o(hash_has_text)
  );

  logic sum_valid;
  sum_t sum_0, sum_1, sum_2, sum_3, sum_4;

  sealgate_poly1305 u_poly1305 (
    .clk_i(clk_active),
    .rst_ni,
    .r_valid_i(r_valid),
    .r_id_i(key_id),
    .r_has_text_i(has_text),
    .r_lo_i(key_lo),
    .r_hi_i(key_hi),
    .valid_i(hash_valid),
    .id_i(hash_id),
    .hash_i(hash),
    .block_lo_i(hash_lo),
    .block_hi_i(hash_hi),
    .valid_o(sum_valid),
    .sum_0_o(sum_0),
    .sum_1_o(sum_1),
    .sum_2_o(sum_2),
    .sum_3_o(sum_3),
    .sum_4_o(sum_4)
  );

  // Text out. Credits keep room: the queue is never full when text comes out.
  localparam int unsigned CreditWidth = $clog2(TextDepth + 1);

  logic                   out_leaves_q;
  logic [CreditWidth-1:0] text_inside_q;

  assign text_credit = text_inside_q <= CreditWidth'(TextDepth - 4);

  // A beat that leaves counts a cycle later.
  always_ff @(posedge clk_active) begin
    if (!rst_ni) begin
      out_leaves_q  <= 1'b0;
      text_inside_q <= '0;
    end else begin
      out_leaves_q <= out_valid_o && out_ready_i;
      if (out_leaves_q || (text_beats != '0)) begin
        text_inside_q <= text_inside_q + CreditWidth'(text_beats) - CreditWidth'(out_leaves_q);
      end
    end
  end

  if (Pipelined) begin : g_text_queue
    sealgate_ram_queue #(
      .Width(129),
      .Depth(TextDepth)
    ) u_text_queue (
      .clk_i(clk_active),
      .rst_ni,
      .valid_i(done),
      .data_i({done_last, done_hi, done_lo}),
      .valid_o(out_valid_o),
      .ready_i(out_ready_i),
      .data_o({out_last_o, out_data_o})
    );
  end else begin : g_text_fifo
    logic                   unused_out_ready;
    logic [CreditWidth-1:0] unused_out_count;

    sealgate_ram_fifo #(
      .Width(129),
      .Depth(TextDepth)
    ) u_text_fifo (
      .clk_i(clk_active),
      .rst_ni,
      .valid_i(done),
      .ready_o(unused_out_ready),
      .data_i({done_last, done_hi, done_lo}),
      .valid_o(out_valid_o),
      .ready_i(out_ready_i),
      .data_o({out_last_o, out_data_o}),
      .count_o(unused_out_count)
    );
  end

  // Tags out.
  logic tags_empty;

  sealgate_chacha_tag #(
    .Depth(TagDepth),
    .Pipelined(Pipelined)
  ) u_tag (
    .clk_i(clk_active),
    .rst_ni,
    .issue_i(block_valid && block.key),
    .credit_o(tag_credit),
    .empty_o(tags_empty),
    .s_valid_i(s_valid),
    .s_id_i(key_id),
    .s_lo_i(key_lo),
    .s_hi_i(key_hi),
    .last_valid_i(hash_valid && hash.place.last),
    .last_id_i(hash_id),
    .last_error_i(hash_error),
    .last_has_text_i(hash_has_text),
    .sum_valid_i(sum_valid),
    .sum_0_i(sum_0),
    .sum_1_i(sum_1),
    .sum_2_i(sum_2),
    .sum_3_i(sum_3),
    .sum_4_i(sum_4),
    .text_last_i(out_valid_o && out_last_o),
    .text_leaves_i(out_ready_i),
    .tag_valid_o,
    .tag_ready_i,
    .tag_o,
    .tag_error_o
  );

  assign busy_o  = issue_busy || !tags_empty || out_valid_o;
  assign working = busy_o || issue_working || !ahead_empty || write;

endmodule

`default_nettype wire
