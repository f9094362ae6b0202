// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// AES-GCM (NIST SP 800-38D) for records: seal and open, 16 bytes per cycle, a context per record.
//
// Theory of operation: records are cut into slots (sealgate_gcm_issue), one slot per cycle. The
// counter block of a slot enters the AES pipe; the block it brings along (additional data, text or
// lengths) and its description wait in a ring beside it for exactly the latency of the pipe. At its
// end text is combined with the key stream, cut to the length of the record, and goes to the output
// queue; the cipher text side of it, or the block as it came, goes on to GHASH; the cipher block of
// J0 goes to the tag unit. The pipe always advances: a slot is issued only if the output has room
// for what it will bring, so nothing in between waits or can overflow. Gaps are slots without a
// valid bit. Keys are in tables in the AES pipe and in GHASH, indexed by the context of each slot;
// they are filled and wiped by a unit apart (sealgate_gcm_key_unit), which the data path never
// notices.
//
// All byte vectors are in bus order: byte 0 in bits [7:0].

`default_nettype none

module sealgate_gcm_core
  import sealgate_aes_pkg::*;
  import sealgate_gcm_pkg::*;
  import sealgate_gf128_pkg::*;
#(
  parameter int unsigned NumContexts = 1024,
  parameter mul_style_e GfMulStyle = MulInteger,
  localparam int unsigned CtxWidth = $clog2(NumContexts)
) (
  input  wire logic                clk_i,
  input  wire logic                rst_ni,

  // Key load. A key of 128 bits is in the low half. The caller has no record of this context under
  // way and starts none before `key_done_o`, which is high for one cycle per load.
  input  wire logic                key_valid_i,
  output      logic                key_ready_o,
  input  wire logic [CtxWidth-1:0] key_ctx_i,
  input  wire logic [255:0]        key_data_i,
  input  wire logic                key_aes256_i,
  output      logic                key_done_o,

  // Wipe of a context of which no record is under way. Done before the next load or wipe is taken.
  input  wire logic                wipe_valid_i,
  output      logic                wipe_ready_o,
  input  wire logic [CtxWidth-1:0] wipe_ctx_i,

  // One command per record: additional data of 0 to 16 bytes, text of 0 to MaxTextBytes bytes.
  input  wire logic                cmd_valid_i,
  output      logic                cmd_ready_o,
  input  wire logic [CtxWidth-1:0] cmd_ctx_i,
  input  wire logic                cmd_open_i,
  input  wire logic [95:0]         cmd_nonce_i,
  input  wire logic [127:0]        cmd_aad_i,
  input  wire logic [4:0]          cmd_aad_bytes_i,
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
  // A beat of text was taken; a record waits for text; a record waits for room at the output.
  output      logic                stat_beat_o,
  output      logic                stat_stall_in_o,
  output      logic                stat_stall_out_o
);

  // Covers the loop from issue to the return of a credit, PipeLatency + 3 cycles, at full rate.
  localparam int unsigned TextDepth = 32;
  // Records of two slots each that fit into the loop from first slot to tag.
  localparam int unsigned TagDepth = 16;

  // Tables.
  logic [CtxWidth-1:0] write_ctx;
  logic [NumRounds:0]  write_round;
  logic                write_aes256;
  logic [63:0]         write_key_lo, write_key_hi;
  logic                write_power;
  logic [1:0]          write_power_index;
  logic [63:0]         write_power_hi, write_power_lo;

  sealgate_gcm_key_unit #(
    .NumContexts(NumContexts),
    .GfMulStyle(GfMulStyle)
  ) u_key_unit (
    .clk_i,
    .rst_ni,
    .key_valid_i,
    .key_ready_o,
    .key_ctx_i,
    .key_data_i,
    .key_aes256_i,
    .key_done_o,
    .wipe_valid_i,
    .wipe_ready_o,
    .wipe_ctx_i,
    .write_ctx_o(write_ctx),
    .write_round_o(write_round),
    .write_aes256_o(write_aes256),
    .write_key_lo_o(write_key_lo),
    .write_key_hi_o(write_key_hi),
    .write_power_o(write_power),
    .write_power_index_o(write_power_index),
    .write_power_hi_o(write_power_hi),
    .write_power_lo_o(write_power_lo)
  );

  // Slots enter.
  logic                tag_credit, text_credit;
  logic                slot_valid;
  slot_t               slot;
  logic [CtxWidth-1:0] slot_ctx;
  logic [63:0]         slot_block_lo, slot_block_hi;
  logic                counter_valid;
  logic [31:0]         counter_col_0, counter_col_1, counter_col_2, counter_col_3;
  logic                issue_busy;

  sealgate_gcm_issue #(
    .NumContexts(NumContexts)
  ) u_issue (
    .clk_i,
    .rst_ni,
    .cmd_valid_i,
    .cmd_ready_o,
    .cmd_ctx_i,
    .cmd_open_i,
    .cmd_nonce_i,
    .cmd_aad_i,
    .cmd_aad_bytes_i,
    .cmd_text_bytes_i,
    .in_valid_i,
    .in_ready_o,
    .in_data_i,
    .in_error_i,
    .tag_credit_i(tag_credit),
    .text_credit_i(text_credit),
    .slot_valid_o(slot_valid),
    .slot_o(slot),
    .slot_ctx_o(slot_ctx),
    .slot_block_lo_o(slot_block_lo),
    .slot_block_hi_o(slot_block_hi),
    .counter_valid_o(counter_valid),
    .counter_col_0_o(counter_col_0),
    .counter_col_1_o(counter_col_1),
    .counter_col_2_o(counter_col_2),
    .counter_col_3_o(counter_col_3),
    .busy_o(issue_busy),
    .stall_in_o(stat_stall_in_o),
    .stall_out_o(stat_stall_out_o)
  );

  assign stat_beat_o = slot_valid && slot.text;

  // Cipher blocks.
  logic [31:0] cipher_col_0, cipher_col_1, cipher_col_2, cipher_col_3;

  sealgate_aes_pipe #(
    .NumContexts(NumContexts)
  ) u_aes_pipe (
    .clk_i,
    .rst_ni,
    .write_i(write_round),
    .write_ctx_i(write_ctx),
    .write_aes256_i(write_aes256),
    .write_key_lo_i(write_key_lo),
    .write_key_hi_i(write_key_hi),
    .valid_i(counter_valid),
    .ctx_i(slot_ctx),
    .col_0_i(counter_col_0),
    .col_1_i(counter_col_1),
    .col_2_i(counter_col_2),
    .col_3_i(counter_col_3),
    .col_0_o(cipher_col_0),
    .col_1_o(cipher_col_1),
    .col_2_o(cipher_col_2),
    .col_3_o(cipher_col_3)
  );

  // What waits beside the pipe. A slot is read in the cycle before its cipher block comes out, so
  // the ring never holds more than PipeLatency - 1 slots.
  localparam int unsigned RingWidth = $clog2(PipeLatency);
  localparam int unsigned RingDepth = 2 ** RingWidth;

  slot_t                  ring_slot_q[RingDepth];
  logic [CtxWidth-1:0]    ring_ctx_q[RingDepth];
  logic [63:0]            ring_lo_q[RingDepth];
  logic [63:0]            ring_hi_q[RingDepth];
  logic [RingWidth-1:0]   ring_write_q;
  logic [RingWidth-1:0]   ring_read_q;
  // Bit s: a slot was issued s + 1 cycles ago.
  logic [PipeLatency-1:0] issued_q;
  logic                   ring_read;

  assign ring_read = issued_q[PipeLatency-2];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      issued_q     <= '0;
      ring_write_q <= '0;
      ring_read_q  <= '0;
    end else begin
      issued_q <= {issued_q[PipeLatency-2:0], slot_valid};
      if (slot_valid) ring_write_q <= ring_write_q + 1'b1;
      if (ring_read) ring_read_q <= ring_read_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (slot_valid) begin
      ring_slot_q[ring_write_q] <= slot;
      ring_ctx_q[ring_write_q]  <= slot_ctx;
      ring_lo_q[ring_write_q]   <= slot_block_lo;
      ring_hi_q[ring_write_q]   <= slot_block_hi;
    end
  end

  // Slots leave, together with their cipher block.
  logic                done;
  slot_t               done_slot_q;
  logic [CtxWidth-1:0] done_ctx_q;
  logic [63:0]         done_lo_q, done_hi_q;

  assign done = issued_q[PipeLatency-1];

  always_ff @(posedge clk_i) begin
    if (ring_read) begin
      done_slot_q <= ring_slot_q[ring_read_q];
      done_ctx_q  <= ring_ctx_q[ring_read_q];
      done_lo_q   <= ring_lo_q[ring_read_q];
      done_hi_q   <= ring_hi_q[ring_read_q];
    end
  end

  logic [63:0] cipher_lo, cipher_hi;
  logic [63:0] mask_lo, mask_hi;
  logic [63:0] in_lo, in_hi;
  logic [63:0] out_lo, out_hi;
  logic [63:0] hash_lo, hash_hi;

  assign cipher_lo = {cipher_col_1, cipher_col_0};
  assign cipher_hi = {cipher_col_3, cipher_col_2};

  always_comb begin
    mask_lo = keep_lo(done_slot_q.bytes);
    mask_hi = keep_hi(done_slot_q.bytes);
    in_lo   = done_lo_q & mask_lo;
    in_hi   = done_hi_q & mask_hi;
    out_lo  = '0;
    out_hi  = '0;
    if (!done_slot_q.error) begin
      out_lo = (done_lo_q ^ cipher_lo) & mask_lo;
      out_hi = (done_hi_q ^ cipher_hi) & mask_hi;
    end
    hash_lo = (done_slot_q.text && !done_slot_q.open) ? out_lo : in_lo;
    hash_hi = (done_slot_q.text && !done_slot_q.open) ? out_hi : in_hi;
  end

  logic        hash_done;
  logic [63:0] hash_done_hi, hash_done_lo;

  sealgate_ghash #(
    .NumContexts(NumContexts),
    .GfMulStyle(GfMulStyle)
  ) u_ghash (
    .clk_i,
    .rst_ni,
    .write_i(write_power),
    .write_ctx_i(write_ctx),
    .write_power_i(write_power_index),
    .write_hi_i(write_power_hi),
    .write_lo_i(write_power_lo),
    .valid_i(done && done_slot_q.hashed),
    .ctx_i(done_ctx_q),
    .hash_i(done_slot_q.hash),
    .block_hi_i(swap_bytes(hash_lo)),
    .block_lo_i(swap_bytes(hash_hi)),
    .valid_o(hash_done),
    .hash_hi_o(hash_done_hi),
    .hash_lo_o(hash_done_lo)
  );

  // Text out. Credits keep room: the queue is never full when text comes out.
  localparam int unsigned CreditWidth = $clog2(TextDepth + 1);

  logic                   out_leaves;
  logic [CreditWidth-1:0] text_inside_q;
  logic                   unused_out_ready;

  assign out_leaves  = out_valid_o && out_ready_i;
  assign text_credit = text_inside_q != CreditWidth'(TextDepth);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      text_inside_q <= '0;
    end else if (stat_beat_o != out_leaves) begin
      text_inside_q <= stat_beat_o ? text_inside_q + 1'b1 : text_inside_q - 1'b1;
    end
  end

  sealgate_fifo #(
    .Width(129),
    .Depth(TextDepth)
  ) u_text_fifo (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(done && done_slot_q.text),
    .ready_o(unused_out_ready),
    .data_i({done_slot_q.text_last, out_hi, out_lo}),
    .valid_o(out_valid_o),
    .ready_i(out_ready_i),
    .data_o({out_last_o, out_data_o})
  );

  // Tags out.
  logic tags_empty;

  sealgate_gcm_tag #(
    .Depth(TagDepth)
  ) u_tag (
    .clk_i,
    .rst_ni,
    .issue_i(slot_valid && slot.first),
    .credit_o(tag_credit),
    .empty_o(tags_empty),
    .mask_valid_i(done && done_slot_q.first),
    .mask_lo_i(cipher_lo),
    .mask_hi_i(cipher_hi),
    .last_valid_i(done && done_slot_q.last),
    .last_error_i(done_slot_q.error),
    .last_has_text_i(done_slot_q.has_text),
    .hash_valid_i(hash_done),
    .hash_hi_i(hash_done_hi),
    .hash_lo_i(hash_done_lo),
    .text_last_i(out_valid_o && out_last_o),
    .text_leaves_i(out_ready_i),
    .tag_valid_o,
    .tag_ready_i,
    .tag_o,
    .tag_error_o
  );

  assign busy_o = issue_busy || !tags_empty || out_valid_o;

endmodule

`default_nettype wire
