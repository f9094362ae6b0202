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
// `SboxStyle` and `GfMulStyle` choose between styles for simulation and for synthesis: the same
// records in the same order at the same rate, but other latencies. With composite S-boxes slots and
// what comes out of the pipe have registers of their own as well.
//
// All byte vectors are in bus order: byte 0 in bits [7:0].

`default_nettype none

module sealgate_gcm_core
  import sealgate_aes_pkg::*;
  import sealgate_gcm_pkg::*;
  import sealgate_gf128_pkg::*;
#(
  parameter int unsigned NumContexts = 1024,
  parameter sbox_style_e SboxStyle = SboxTable,
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

  localparam bit Composite = (SboxStyle == SboxComposite);
  localparam int unsigned PipeLatency = pipe_latency(SboxStyle);
  // The writes of a key reach the last table of the composite pipe while the serial multiplier is
  // at work.
  if (Composite && (GfMulStyle != MulXor)) begin : g_styles
    $error("composite S-boxes go with products by XOR");
  end

  // Registers behind the issue of slots, two of which are inside it for blocks; behind the ring of
  // slots, before the masks of bytes and for them; behind the sum of text and cipher block; and on
  // the write port of the tables.
  localparam int unsigned IssueStages = Composite ? 2 : 0;
  localparam int unsigned RingStages = Composite ? 1 : 0;
  localparam int unsigned MaskStages = Composite ? 2 : 0;
  localparam int unsigned SumStages = Composite ? 1 : 0;
  localparam int unsigned WriteStages = Composite ? 1 : 0;

  // Covers the loop from issue to the return of a credit at full rate: PipeLatency + 3 cycles and
  // the registers named above.
  localparam int unsigned TextDepth = Composite ? 128 : 32;
  // Records of two slots each that fit into the loop from first slot to tag.
  localparam int unsigned TagDepth = Composite ? 64 : 16;

  // Tables.
  logic [CtxWidth-1:0]   write_ctx;
  logic [NumRounds:0]    write_round;
  logic                  write_aes256;
  logic [63:0]           write_key_lo, write_key_hi;
  logic [CtxWidth-1:0]   write_power_ctx;
  logic                  write_power;
  logic [ChainWidth-1:0] write_power_index;
  logic [63:0]           write_power_hi, write_power_lo;

  sealgate_gcm_key_unit #(
    .NumContexts(NumContexts),
    .SboxStyle(SboxStyle),
    .GfMulStyle(GfMulStyle),
    .WriteDelay(Composite ? WriteStages + NumRounds + 2 : 0)
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
    .write_power_ctx_o(write_power_ctx),
    .write_power_o(write_power),
    .write_power_index_o(write_power_index),
    .write_power_hi_o(write_power_hi),
    .write_power_lo_o(write_power_lo)
  );

  // Slots enter.
  logic                tag_credit, text_credit;
  logic                issue;
  slot_t               issue_slot;
  logic [CtxWidth-1:0] issue_ctx;
  logic [63:0]         issue_block_lo, issue_block_hi;
  logic                issue_counter;
  logic [31:0]         issue_col_0, issue_col_1, issue_col_2, issue_col_3;
  logic                issue_busy;

  sealgate_gcm_issue #(
    .NumContexts(NumContexts),
    .Chains(mul_stages(GfMulStyle)),
    .Pipelined(Composite)
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
    .slot_valid_o(issue),
    .slot_o(issue_slot),
    .slot_ctx_o(issue_ctx),
    .slot_block_lo_o(issue_block_lo),
    .slot_block_hi_o(issue_block_hi),
    .counter_valid_o(issue_counter),
    .counter_col_0_o(issue_col_0),
    .counter_col_1_o(issue_col_1),
    .counter_col_2_o(issue_col_2),
    .counter_col_3_o(issue_col_3),
    .busy_o(issue_busy),
    .stall_in_o(stat_stall_in_o),
    .stall_out_o(stat_stall_out_o)
  );

  assign stat_beat_o = issue && issue_slot.text;

  logic                slot_valid;
  slot_t               slot;
  logic [CtxWidth-1:0] slot_ctx;
  logic [63:0]         slot_block_lo, slot_block_hi;

  sealgate_delay #(
    .Width(CtxWidth + $bits(slot_t)),
    .Cycles(IssueStages)
  ) u_issue_slot (
    .clk_i,
    .value_i({issue_ctx, issue_slot}),
    .value_o({slot_ctx, slot})
  );

  assign slot_block_lo = issue_block_lo;
  assign slot_block_hi = issue_block_hi;

  // Cipher blocks.
  logic [31:0] cipher_col_0, cipher_col_1, cipher_col_2, cipher_col_3;

  if (Composite) begin : g_composite
    logic [NumRounds:0]  pipe_write_round;
    logic                pipe_write_aes256;
    logic [CtxWidth-1:0] pipe_write_ctx;
    logic [127:0]        pipe_write_key;
    logic                issue_q;
    logic                unused_counter_valid;

    // Without enables the pipe encrypts in every cycle; nobody looks at it where there is no slot.
    assign unused_counter_valid = issue_counter;

    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        issue_q    <= 1'b0;
        slot_valid <= 1'b0;
      end else begin
        issue_q    <= issue;
        slot_valid <= issue_q;
      end
    end

    sealgate_delay #(
      .Width(NumRounds + 1 + 1 + CtxWidth + 128),
      .Cycles(WriteStages)
    ) u_write (
      .clk_i,
      .value_i({write_round, write_aes256, write_ctx, write_key_hi, write_key_lo}),
      .value_o({pipe_write_round, pipe_write_aes256, pipe_write_ctx, pipe_write_key})
    );

    sealgate_aes_pipe_composite #(
      .NumContexts(NumContexts)
    ) u_aes_pipe (
      .clk_i,
      .write_i(pipe_write_round),
      .write_ctx_i(pipe_write_ctx),
      .write_aes256_i(pipe_write_aes256),
      .write_key_i(pipe_write_key),
      .ctx_i(slot_ctx),
      .cols_i({issue_col_3, issue_col_2, issue_col_1, issue_col_0}),
      .cols_o({cipher_col_3, cipher_col_2, cipher_col_1, cipher_col_0})
    );
  end else begin : g_table
    assign slot_valid = issue;

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
      .valid_i(issue_counter),
      .ctx_i(issue_ctx),
      .col_0_i(issue_col_0),
      .col_1_i(issue_col_1),
      .col_2_i(issue_col_2),
      .col_3_i(issue_col_3),
      .col_0_o(cipher_col_0),
      .col_1_o(cipher_col_1),
      .col_2_o(cipher_col_2),
      .col_3_o(cipher_col_3)
    );
  end

  // What waits beside the pipe. A slot is read in time for its registers, so the ring never holds
  // more than PipeLatency - 1 slots.
  localparam int unsigned RingWidth = $clog2(PipeLatency);
  localparam int unsigned RingDepth = 2 ** RingWidth;
  localparam int unsigned DoneIndex = PipeLatency - 1;

  (* ram_style = "block", no_rw_check *)
  slot_t                ring_slot_q[RingDepth];
  (* ram_style = "block", no_rw_check *)
  logic [CtxWidth-1:0]  ring_ctx_q[RingDepth];
  (* ram_style = "block", no_rw_check *)
  logic [63:0]          ring_lo_q[RingDepth];
  (* ram_style = "block", no_rw_check *)
  logic [63:0]          ring_hi_q[RingDepth];
  logic [RingWidth-1:0] ring_write_q;
  logic [RingWidth-1:0] ring_read_q;
  logic                 ring_read;
  // Bit s: a slot entered the pipe s + 1 cycles ago.
  logic [DoneIndex:0]   entered_q;

  assign ring_read = entered_q[DoneIndex-1-RingStages-MaskStages];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      entered_q    <= '0;
      ring_write_q <= '0;
      ring_read_q  <= '0;
    end else begin
      entered_q <= {entered_q[DoneIndex-1:0], slot_valid};
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

  slot_t               read_slot_q;
  logic [CtxWidth-1:0] read_ctx_q;
  logic [63:0]         read_lo_q, read_hi_q;

  always_ff @(posedge clk_i) begin
    if (ring_read) begin
      read_slot_q <= ring_slot_q[ring_read_q];
      read_ctx_q  <= ring_ctx_q[ring_read_q];
      read_lo_q   <= ring_lo_q[ring_read_q];
      read_hi_q   <= ring_hi_q[ring_read_q];
    end
  end

  // Slots leave, together with their cipher block; with registers for it, `masked` is the slot whose
  // masks are made.
  logic                done;
  slot_t               masked_slot, done_slot;
  logic [CtxWidth-1:0] done_ctx;
  logic [63:0]         done_lo, done_hi;
  logic                unused_done_slot;

  assign done             = entered_q[DoneIndex];
  assign unused_done_slot = ^{done_slot.bytes, done_slot.first, done_slot.open};

  sealgate_delay #(
    .Width($bits(slot_t)),
    .Cycles(RingStages)
  ) u_masked_slot (
    .clk_i,
    .value_i(read_slot_q),
    .value_o(masked_slot)
  );

  sealgate_delay #(
    .Width($bits(slot_t)),
    .Cycles(MaskStages)
  ) u_done_slot (
    .clk_i,
    .value_i(masked_slot),
    .value_o(done_slot)
  );

  sealgate_delay #(
    .Width(CtxWidth),
    .Cycles(RingStages + MaskStages)
  ) u_done_ctx (
    .clk_i,
    .value_i(read_ctx_q),
    .value_o(done_ctx)
  );

  sealgate_delay #(
    .Cycles(RingStages + MaskStages)
  ) u_done_lo (
    .clk_i,
    .value_i(read_lo_q),
    .value_o(done_lo)
  );

  sealgate_delay #(
    .Cycles(RingStages + MaskStages)
  ) u_done_hi (
    .clk_i,
    .value_i(read_hi_q),
    .value_o(done_hi)
  );

  // The sum of text and cipher block, and what GHASH takes. The first slot masks the tag; it is
  // known one cycle ahead.
  logic        mask_valid;
  logic [63:0] cipher_lo, cipher_hi;
  logic [63:0] out_lo_d, out_hi_d;
  logic [63:0] hash_lo_d, hash_hi_d;

  assign cipher_lo = {cipher_col_1, cipher_col_0};
  assign cipher_hi = {cipher_col_3, cipher_col_2};

  if (Composite) begin : g_byte_masks
    // A bit per byte: no control net goes to all of a word. Text out, and the parts of what GHASH
    // takes that come from the block and from the cipher block.
    logic [15:0] keep_q;
    logic [15:0] out_keep_q, block_keep_q, cipher_keep_q;
    slot_t       kept_slot_q;
    logic        sealed;
    logic        unused_kept_slot;

    assign sealed           = kept_slot_q.text && !kept_slot_q.open;
    assign unused_kept_slot = ^kept_slot_q;

    always_ff @(posedge clk_i) begin
      for (int unsigned b = 0; b < 16; b++) keep_q[b] <= 5'(b) < masked_slot.bytes;
      kept_slot_q   <= masked_slot;
      mask_valid    <= entered_q[DoneIndex-1] && kept_slot_q.first;
      out_keep_q    <= kept_slot_q.error ? '0 : keep_q;
      block_keep_q  <= (sealed && kept_slot_q.error) ? '0 : keep_q;
      cipher_keep_q <= (sealed && !kept_slot_q.error) ? keep_q : '0;
    end

    always_comb begin
      for (int unsigned b = 0; b < 8; b++) begin
        out_lo_d[8*b+:8]  = (done_lo[8*b+:8] ^ cipher_lo[8*b+:8]) & {8{out_keep_q[b]}};
        out_hi_d[8*b+:8]  = (done_hi[8*b+:8] ^ cipher_hi[8*b+:8]) & {8{out_keep_q[b+8]}};
        hash_lo_d[8*b+:8] = (done_lo[8*b+:8] & {8{block_keep_q[b]}}) ^
                            (cipher_lo[8*b+:8] & {8{cipher_keep_q[b]}});
        hash_hi_d[8*b+:8] = (done_hi[8*b+:8] & {8{block_keep_q[b+8]}}) ^
                            (cipher_hi[8*b+:8] & {8{cipher_keep_q[b+8]}});
      end
    end
  end else begin : g_word_masks
    logic [63:0] mask_lo, mask_hi;
    logic [63:0] in_lo, in_hi;

    assign mask_valid = done && done_slot.first;
    assign mask_lo    = keep_lo(done_slot.bytes);
    assign mask_hi    = keep_hi(done_slot.bytes);

    always_comb begin
      in_lo    = done_lo & mask_lo;
      in_hi    = done_hi & mask_hi;
      out_lo_d = '0;
      out_hi_d = '0;
      if (!done_slot.error) begin
        out_lo_d = (done_lo ^ cipher_lo) & mask_lo;
        out_hi_d = (done_hi ^ cipher_hi) & mask_hi;
      end
      hash_lo_d = (done_slot.text && !done_slot.open) ? out_lo_d : in_lo;
      hash_hi_d = (done_slot.text && !done_slot.open) ? out_hi_d : in_hi;
    end
  end

  logic                sum_text, sum_text_last, sum_hashed;
  hash_t               sum_hash;
  logic [CtxWidth-1:0] sum_ctx;
  logic [63:0]         out_lo, out_hi;
  logic [63:0]         hash_lo, hash_hi;

  sealgate_delay #(
    .Width(2),
    .Cycles(SumStages)
  ) u_sum_valid (
    .clk_i,
    .value_i({done && done_slot.text && rst_ni, done && done_slot.hashed && rst_ni}),
    .value_o({sum_text, sum_hashed})
  );

  sealgate_delay #(
    .Width(CtxWidth + 1 + $bits(hash_t)),
    .Cycles(SumStages)
  ) u_sum_slot (
    .clk_i,
    .value_i({done_ctx, done_slot.text_last, done_slot.hash}),
    .value_o({sum_ctx, sum_text_last, sum_hash})
  );

  sealgate_delay #(
    .Cycles(SumStages)
  ) u_out_lo (
    .clk_i,
    .value_i(out_lo_d),
    .value_o(out_lo)
  );

  sealgate_delay #(
    .Cycles(SumStages)
  ) u_out_hi (
    .clk_i,
    .value_i(out_hi_d),
    .value_o(out_hi)
  );

  sealgate_delay #(
    .Cycles(SumStages)
  ) u_hash_lo (
    .clk_i,
    .value_i(hash_lo_d),
    .value_o(hash_lo)
  );

  sealgate_delay #(
    .Cycles(SumStages)
  ) u_hash_hi (
    .clk_i,
    .value_i(hash_hi_d),
    .value_o(hash_hi)
  );

  logic                  hash_write;
  logic [CtxWidth-1:0]   hash_write_ctx;
  logic [ChainWidth-1:0] hash_write_power;
  logic [63:0]           hash_write_hi, hash_write_lo;
  logic                  hash_done;
  logic [63:0]           hash_done_hi, hash_done_lo;

  sealgate_delay #(
    .Width(1 + CtxWidth + ChainWidth),
    .Cycles(WriteStages)
  ) u_hash_write (
    .clk_i,
    .value_i({write_power, write_power_ctx, write_power_index}),
    .value_o({hash_write, hash_write_ctx, hash_write_power})
  );

  sealgate_delay #(
    .Cycles(WriteStages)
  ) u_hash_write_hi (
    .clk_i,
    .value_i(write_power_hi),
    .value_o(hash_write_hi)
  );

  sealgate_delay #(
    .Cycles(WriteStages)
  ) u_hash_write_lo (
    .clk_i,
    .value_i(write_power_lo),
    .value_o(hash_write_lo)
  );

  sealgate_ghash #(
    .NumContexts(NumContexts),
    .GfMulStyle(GfMulStyle)
  ) u_ghash (
    .clk_i,
    .rst_ni,
    .write_i(hash_write),
    .write_ctx_i(hash_write_ctx),
    .write_power_i(hash_write_power),
    .write_hi_i(hash_write_hi),
    .write_lo_i(hash_write_lo),
    .valid_i(sum_hashed),
    .ctx_i(sum_ctx),
    .hash_i(sum_hash),
    .block_hi_i(swap_bytes(hash_lo)),
    .block_lo_i(swap_bytes(hash_hi)),
    .valid_o(hash_done),
    .hash_hi_o(hash_done_hi),
    .hash_lo_o(hash_done_lo)
  );

  // Text out. Credits keep room: the queue is never full when text comes out. The credit is a
  // register, one cycle behind the count, and leaves one place unused for that; another one where
  // what is counted is registered as well.
  localparam int unsigned CreditWidth = $clog2(TextDepth + 1);
  localparam int unsigned CountStages = Composite ? 1 : 0;

  logic                   out_leaves;
  logic                   beat_counts, leaves_counts;
  logic [CreditWidth-1:0] text_inside_q;
  logic                   unused_out_ready;

  assign out_leaves = out_valid_o && out_ready_i;

  sealgate_delay #(
    .Width(2),
    .Cycles(CountStages)
  ) u_counts (
    .clk_i,
    .value_i({stat_beat_o && rst_ni, out_leaves && rst_ni}),
    .value_o({beat_counts, leaves_counts})
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      text_inside_q <= '0;
      text_credit   <= 1'b0;
    end else begin
      if (beat_counts != leaves_counts) begin
        text_inside_q <= beat_counts ? text_inside_q + 1'b1 : text_inside_q - 1'b1;
      end
      text_credit <= text_inside_q < CreditWidth'(TextDepth - 1 - CountStages);
    end
  end

  if (Composite) begin : g_text_ram
    assign unused_out_ready = 1'b0;

    sealgate_ram_queue #(
      .Width(129),
      .Depth(TextDepth)
    ) u_text_queue (
      .clk_i,
      .rst_ni,
      .valid_i(sum_text),
      .data_i({sum_text_last, out_hi, out_lo}),
      .valid_o(out_valid_o),
      .ready_i(out_ready_i),
      .data_o({out_last_o, out_data_o})
    );
  end else begin : g_text_registers
    sealgate_fifo #(
      .Width(129),
      .Depth(TextDepth)
    ) u_text_fifo (
      .clk_i,
      .rst_ni,
      .clear_i(1'b0),
      .valid_i(sum_text),
      .ready_o(unused_out_ready),
      .data_i({sum_text_last, out_hi, out_lo}),
      .valid_o(out_valid_o),
      .ready_i(out_ready_i),
      .data_o({out_last_o, out_data_o})
    );
  end

  // Tags out.
  logic tags_empty;

  sealgate_gcm_tag #(
    .Depth(TagDepth),
    .Pipelined(Composite)
  ) u_tag (
    .clk_i,
    .rst_ni,
    .issue_i(issue && issue_slot.first),
    .credit_o(tag_credit),
    .empty_o(tags_empty),
    .mask_valid_i(mask_valid),
    .mask_lo_i(cipher_lo),
    .mask_hi_i(cipher_hi),
    .last_valid_i(done && done_slot.last),
    .last_error_i(done_slot.error),
    .last_has_text_i(done_slot.has_text),
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
