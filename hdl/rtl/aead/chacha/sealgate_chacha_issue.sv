// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Cuts records into blocks of the key stream.
//
// Theory of operation: time is cut into slots of four cycles, in each of which the four columns of
// a block enter the pipe. The block of the next slot is chosen in the last cycle but one of a slot,
// and goes out in the last: the key block of a record, if there is room for its tag, and then its
// text blocks, whether their text has come in or not, as long as the ring behind the pipe has room
// for them (sealgate_chacha_ahead). A command is taken when the last block of the record before it
// has gone out and the last beat of its text has come in. When there is nothing to do, RingBlocks
// blocks of zeros overwrite what earlier blocks left in the pipe and in the ring, and then both
// rest.

`default_nettype none

module sealgate_chacha_issue
  import sealgate_chacha_pkg::*;
#(
  parameter int unsigned NumContexts = 1024,
  localparam int unsigned CtxWidth = $clog2(NumContexts)
) (
  input  wire logic                clk_i,
  input  wire logic                rst_ni,

  // One command per record.
  input  wire logic                cmd_valid_i,
  output      logic                cmd_ready_o,
  input  wire logic [CtxWidth-1:0] cmd_ctx_i,
  input  wire logic                cmd_open_i,
  input  wire logic [95:0]         cmd_nonce_i,
  input  wire logic [127:0]        cmd_aad_i,
  input  wire logic [4:0]          cmd_aad_bytes_i,
  input  wire logic                cmd_has_text_i,
  input  wire logic [15:0]         cmd_text_bytes_i,

  // Beats of text: the data goes elsewhere. `text_room_i`: one more beat can be kept.
  input  wire logic                in_valid_i,
  output      logic                in_ready_o,
  input  wire logic                text_room_i,

  // There is room for one more tag, and for one more block behind the pipe.
  input  wire logic                tag_credit_i,
  input  wire logic                block_room_i,

  // A block goes out; if it is a key block, so does its record.
  output      logic                block_valid_o,
  output      block_t              block_o,
  output      record_t             record_o,
  output      logic [63:0]         aad_lo_o,
  output      logic [63:0]         aad_hi_o,

  // A count of cycles, and a column of a block: its number is in the low bits.
  output      logic [2:0]          cycle_o,
  output      logic                column_valid_o,
  output      logic                column_zero_o,
  output      logic [CtxWidth-1:0] column_ctx_o,
  output      logic [31:0]         column_word_o,

  // A record is open.
  output      logic                busy_o,
  // A record is open or not all of its text has come in, or blocks of zeros are left to send.
  output      logic                working_o,
  // A slot is left empty for want of room for a tag.
  output      logic                stall_o
);

  typedef enum logic [1:0] {
    StIdle,
    StKey,
    StText
  } state_e;

  localparam int unsigned BeatsWidth = HashBlocksWidth;
  localparam int unsigned ScrubWidth = $clog2(RingBlocks + 1);

  state_e                  state_q;
  logic [CtxWidth-1:0]     ctx_q;
  logic                    open_q;
  logic [31:0]             nonce_0_q, nonce_1_q, nonce_2_q;
  logic [63:0]             aad_lo_q, aad_hi_q;
  logic [4:0]              aad_bytes_q;
  logic [15:0]             text_bytes_q;
  logic                    has_text_q;
  logic [BeatsWidth-1:0]   hash_blocks_q;
  logic [31:0]             counter_q;
  // Beats of the record that no block has gone out for, and those that have not come in.
  logic [BeatsWidth-1:0]   beats_q;
  logic [BeatsWidth-1:0]   due_q;  // counts only when text is due
  logic                    text_due_q;
  // Blocks of zeros that are left to send.
  logic [ScrubWidth-1:0]   scrub_q;
  // Cycle of the slot in the low bits.
  logic [2:0]              cycle_q;

  logic       accept;
  logic       take;
  logic       choose;
  // What was chosen goes out in this cycle.
  logic       block_valid_q;
  logic       key_q, text_q, zero_q;
  logic       block_last_q;
  logic [2:0] block_beats_q;
  logic       choose_key, choose_text, choose_zero;

  assign cmd_ready_o = (state_q == StIdle) && !text_due_q;
  assign accept      = cmd_valid_i && cmd_ready_o;
  assign in_ready_o  = text_due_q && text_room_i;
  assign take        = in_valid_i && in_ready_o;
  assign busy_o      = state_q != StIdle;
  assign working_o   = !cmd_ready_o || (scrub_q != '0);

  assign choose      = cycle_q[1:0] == 2'd2;
  assign choose_key  = choose && (state_q == StKey) && block_room_i && tag_credit_i;
  assign choose_text = choose && (state_q == StText) && block_room_i;
  // Slots take turns with the banks of the pipe, and so do the blocks of zeros, however seldom there
  // is room for one: else they might all pass through one bank and leave the other as it was.
  assign choose_zero = choose && cmd_ready_o && block_room_i && (scrub_q != '0) &&
                       (cycle_q[2] == scrub_q[0]);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      block_valid_q <= 1'b0;
      key_q         <= 1'b0;
      text_q        <= 1'b0;
      zero_q        <= 1'b0;
    end else begin
      block_valid_q <= choose_key || choose_text || choose_zero;
      key_q         <= choose_key;
      text_q        <= choose_text;
      zero_q        <= choose_zero;
    end
    block_last_q  <= beats_q <= BeatsWidth'(4);
    block_beats_q <= (beats_q <= BeatsWidth'(4)) ? beats_q[2:0] : 3'd4;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q <= StIdle;
    end else begin
      unique case (state_q)
        StKey:   if (key_q) state_q <= has_text_q ? StText : StIdle;
        StText:  if (text_q && block_last_q) state_q <= StIdle;
        default: if (accept) state_q <= StKey;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      text_due_q <= 1'b0;
      scrub_q    <= ScrubWidth'(RingBlocks);
      cycle_q    <= '0;
    end else begin
      cycle_q <= cycle_q + 3'd1;
      if (accept) text_due_q <= cmd_has_text_i;
      else if (take) text_due_q <= due_q != BeatsWidth'(1);
      if (key_q || text_q) scrub_q <= ScrubWidth'(RingBlocks);
      else if (zero_q) scrub_q <= scrub_q - 1'b1;
    end
  end

  // Words of 16 bytes that so many bytes fill.
  function automatic logic [BeatsWidth-1:0] words(logic [15:0] bytes);
    return BeatsWidth'((17'(bytes) + 17'd15) >> 4);
  endfunction

  // Until a command is taken these follow what is offered: the handshake is late, and has less to
  // reach this way.
  always_ff @(posedge clk_i) begin
    if (!text_due_q) due_q <= words(cmd_text_bytes_i);
    else if (take) due_q <= due_q - 1'b1;
    if (state_q == StIdle) begin
      ctx_q        <= cmd_ctx_i;
      open_q       <= cmd_open_i;
      nonce_0_q    <= cmd_nonce_i[31:0];
      nonce_1_q    <= cmd_nonce_i[63:32];
      nonce_2_q    <= cmd_nonce_i[95:64];
      aad_lo_q     <= cmd_aad_i[63:0];
      aad_hi_q     <= cmd_aad_i[127:64];
      aad_bytes_q  <= cmd_aad_bytes_i;
      text_bytes_q <= cmd_text_bytes_i;
      has_text_q   <= cmd_has_text_i;
      counter_q    <= '0;
      beats_q      <= words(cmd_text_bytes_i);
    end else if (key_q || text_q) begin
      counter_q <= counter_q + 32'd1;
      if (text_q) beats_q <= beats_q - BeatsWidth'(block_beats_q);
    end
    hash_blocks_q <= beats_q + HashBlocksWidth'(aad_bytes_q != '0) + HashBlocksWidth'(1);
  end

  assign block_valid_o = block_valid_q;
  assign aad_lo_o      = aad_lo_q;
  assign aad_hi_o      = aad_hi_q;

  always_comb begin
    block_o.key   = key_q;
    block_o.text  = text_q;
    block_o.last  = block_last_q;
    block_o.beats = block_beats_q;
    block_o.tail  = text_bytes_q[3:0];

    record_o.open        = open_q;
    record_o.hash_blocks = hash_blocks_q;
    record_o.aad_bytes   = aad_bytes_q;
    record_o.text_bytes  = text_bytes_q;
    record_o.has_text    = has_text_q;
  end

  // The slot: what was chosen enters column by column. The word of row 3 is at the end of a shift
  // register.
  logic                valid_q;
  logic                slot_zero_q;
  logic [CtxWidth-1:0] slot_ctx_q;
  logic [31:0]         word_0_q, word_1_q, word_2_q, word_3_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= 1'b0;
    else if (cycle_q[1:0] == 2'd3) valid_q <= block_valid_q;
    if (block_valid_q) begin
      slot_zero_q <= zero_q;
      slot_ctx_q  <= ctx_q;
      word_0_q    <= zero_q ? '0 : counter_q;
      word_1_q    <= zero_q ? '0 : nonce_0_q;
      word_2_q    <= zero_q ? '0 : nonce_1_q;
      word_3_q    <= zero_q ? '0 : nonce_2_q;
    end else if (valid_q) begin
      word_0_q <= word_1_q;
      word_1_q <= word_2_q;
      word_2_q <= word_3_q;
    end
  end

  assign column_valid_o = valid_q;
  assign column_zero_o  = slot_zero_q;
  assign column_ctx_o   = slot_ctx_q;
  assign cycle_o        = cycle_q;
  assign column_word_o  = word_0_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) stall_o <= 1'b0;
    else if (choose) stall_o <= (state_q == StKey) && !tag_credit_i;
  end

endmodule

`default_nettype wire
