// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Cuts records into slots.
//
// Theory of operation: a record is a first slot (J0 and the additional data), one slot per 16 bytes
// of text and a last slot (the length block), see sealgate_gcm_pkg. A slot is issued in every cycle
// in which it can be: the first slot needs a credit for the tag, a text slot needs its beat and a
// credit for the output, the last slot needs nothing. The next command is taken while the last slot
// leaves, so that records follow each other without a gap. The counter block is the nonce and a
// counter of 32 bits which is 1 for J0 and goes on with 2 for the text (NIST SP 800-38D sections
// 7.1 and 6.5). All that depends on the length of the record is known here: the power of H of each
// block is its distance to the end of the record, the number of GHASH chains at most.

`default_nettype none

module sealgate_gcm_issue
  import sealgate_gcm_pkg::*;
  import sealgate_gf128_pkg::ChainWidth;
#(
  parameter int unsigned NumContexts = 1024,
  // Interleaved chains of GHASH, a power of two.
  parameter int unsigned Chains = 4,
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
  input  wire logic [15:0]         cmd_text_bytes_i,

  // Text, packed.
  input  wire logic                in_valid_i,
  output      logic                in_ready_o,
  input  wire logic [127:0]        in_data_i,
  input  wire logic                in_error_i,

  // There is room for one more tag, and for one more beat of text.
  input  wire logic                tag_credit_i,
  input  wire logic                text_credit_i,

  // A slot, and the block it brings along in bus order: additional data, text or lengths.
  output      logic                slot_valid_o,
  output      slot_t               slot_o,
  output      logic [CtxWidth-1:0] slot_ctx_o,
  output      logic [63:0]         slot_block_lo_o,
  output      logic [63:0]         slot_block_hi_o,

  // The counter block, in slots that need its cipher block.
  output      logic                counter_valid_o,
  output      logic [31:0]         counter_col_0_o,
  output      logic [31:0]         counter_col_1_o,
  output      logic [31:0]         counter_col_2_o,
  output      logic [31:0]         counter_col_3_o,

  // A record is open.
  output      logic                busy_o,
  output      logic                stall_in_o,
  output      logic                stall_out_o
);

  typedef enum logic [1:0] {
    StIdle,
    StFirst,
    StText,
    StLast
  } state_e;

  // Text slots of the longest record.
  localparam int unsigned MaxBlocks = MaxTextBytes / 16;
  localparam int unsigned BlocksWidth = $clog2(MaxBlocks + 1);

  localparam logic [ChainWidth-1:0] LastChain = ChainWidth'(Chains - 1);

  // Lengths in bits as GHASH takes them: a big-endian number of 64 bits, here in bus order.
  function automatic logic [63:0] length_word(logic [15:0] bytes);
    logic [18:0] bits;
    bits = {bytes, 3'b000};
    return {bits[7:0], bits[15:8], 5'd0, bits[18:16], 40'd0};
  endfunction

  state_e                 state_q;
  logic [CtxWidth-1:0]    ctx_q;
  logic                   open_q;
  logic [31:0]            nonce_0_q, nonce_1_q, nonce_2_q;
  logic [63:0]            aad_lo_q, aad_hi_q;
  logic [4:0]             aad_bytes_q;
  logic [15:0]            text_bytes_q;
  // Text slots still to issue.
  logic [BlocksWidth-1:0] blocks_q;
  logic [31:0]            counter_q;
  logic                   error_q;
  // The chain of the next GHASH block, and whether that chain has a block already.
  logic [ChainWidth-1:0]  chain_q;
  logic                   chained_q;

  logic accept;
  logic issue;
  logic first, text, last;
  logic has_aad, has_text, text_last;

  assign first = state_q == StFirst;
  assign text  = state_q == StText;
  assign last  = state_q == StLast;

  assign has_aad   = aad_bytes_q != '0;
  assign has_text  = text_bytes_q != '0;
  assign text_last = blocks_q == BlocksWidth'(1);

  assign in_ready_o  = text && text_credit_i;
  assign cmd_ready_o = (state_q == StIdle) || last;
  assign accept      = cmd_valid_i && cmd_ready_o;
  assign issue       = (first && tag_credit_i) || (in_valid_i && in_ready_o) || last;

  assign busy_o      = state_q != StIdle;
  assign stall_in_o  = in_ready_o && !in_valid_i;
  assign stall_out_o = (first && !tag_credit_i) || (text && !text_credit_i);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q <= StIdle;
    end else begin
      unique case (state_q)
        StFirst: if (issue) state_q <= has_text ? StText : StLast;
        StText:  if (issue && text_last) state_q <= StLast;
        default: state_q <= accept ? StFirst : StIdle;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (accept) begin
      ctx_q        <= cmd_ctx_i;
      open_q       <= cmd_open_i;
      nonce_0_q    <= cmd_nonce_i[31:0];
      nonce_1_q    <= cmd_nonce_i[63:32];
      nonce_2_q    <= cmd_nonce_i[95:64];
      aad_lo_q     <= cmd_aad_i[63:0];
      aad_hi_q     <= cmd_aad_i[127:64];
      aad_bytes_q  <= cmd_aad_bytes_i;
      text_bytes_q <= cmd_text_bytes_i;
      blocks_q     <= BlocksWidth'((17'(cmd_text_bytes_i) + 17'd15) >> 4);
      counter_q    <= 32'd1;
      error_q      <= 1'b0;
      chain_q      <= '0;
      chained_q    <= 1'b0;
    end else if (issue) begin
      counter_q <= counter_q + 32'd1;
      if (text) begin
        blocks_q <= blocks_q - 1'b1;
        if (in_error_i) error_q <= 1'b1;
      end
      if (slot_o.hashed) begin
        chain_q <= (chain_q + 1'b1) & LastChain;
        if (chain_q == LastChain) chained_q <= 1'b1;
      end
    end
  end

  // Blocks of GHASH after this one, up to the end of the record: text and the length block.
  // Only the low bits are added: beyond the number of chains the power does not depend on it.
  localparam int unsigned AfterWidth = $clog2(Chains);

  logic [AfterWidth:0] after;

  assign after = {1'b0, blocks_q[AfterWidth-1:0]} + (AfterWidth + 1)'(first);

  always_comb begin
    slot_o.text      = text;
    slot_o.first     = first;
    slot_o.last      = last;
    slot_o.text_last = text && text_last;
    slot_o.bytes     = 5'd16;
    if (first) slot_o.bytes = aad_bytes_q;
    if (slot_o.text_last && (text_bytes_q[3:0] != '0)) slot_o.bytes = {1'b0, text_bytes_q[3:0]};
    slot_o.open      = open_q;
    slot_o.error     = error_q || (text && in_error_i);
    slot_o.has_text  = has_text;
    slot_o.hashed    = !first || has_aad;

    slot_o.hash.chained     = chained_q;
    slot_o.hash.place.chain = chain_q;
    slot_o.hash.place.last  = last;
    slot_o.hash.place.term  = (blocks_q[BlocksWidth-1:AfterWidth] == '0) && !after[AfterWidth];
    slot_o.hash.power       = LastChain;
    if (slot_o.hash.place.term) slot_o.hash.power = ChainWidth'(after[AfterWidth-1:0]);
  end

  assign slot_valid_o = issue;
  assign slot_ctx_o   = ctx_q;

  always_comb begin
    unique case (state_q)
      StText: begin
        slot_block_lo_o = in_data_i[63:0];
        slot_block_hi_o = in_data_i[127:64];
      end
      StLast: begin
        slot_block_lo_o = length_word({11'd0, aad_bytes_q});
        slot_block_hi_o = length_word(text_bytes_q);
      end
      default: begin
        slot_block_lo_o = aad_lo_q;
        slot_block_hi_o = aad_hi_q;
      end
    endcase
  end

  assign counter_valid_o = issue && !last;
  assign counter_col_0_o = nonce_0_q;
  assign counter_col_1_o = nonce_1_q;
  assign counter_col_2_o = nonce_2_q;
  assign counter_col_3_o = {counter_q[7:0], counter_q[15:8], counter_q[23:16], counter_q[31:24]};

endmodule

`default_nettype wire
