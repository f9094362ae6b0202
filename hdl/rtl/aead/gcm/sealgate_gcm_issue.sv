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
//
// With `Pipelined`, blocks come two cycles after their slot. What decides about a slot would
// otherwise select among hundreds of bits in the same cycle, all over the device: here decisions are
// registered, in copies, before they meet anything wide.

`default_nettype none

module sealgate_gcm_issue
  import sealgate_gcm_pkg::*;
  import sealgate_gf128_pkg::ChainWidth;
#(
  parameter int unsigned NumContexts = 1024,
  // Interleaved chains of GHASH, a power of two.
  parameter int unsigned Chains = 4,
  // Blocks and counter blocks two cycles after their slot.
  parameter bit Pipelined = 1'b0,
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
  // With `Pipelined` the block comes two cycles later.
  output      logic                slot_valid_o,
  output      slot_t               slot_o,
  output      logic [CtxWidth-1:0] slot_ctx_o,
  output      logic [63:0]         slot_block_lo_o,
  output      logic [63:0]         slot_block_hi_o,

  // The counter block, in slots that need its cipher block. With `Pipelined` the columns come two
  // cycles later.
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
  logic [4:0]             aad_bytes_q;
  logic [15:0]            text_bytes_q;
  // Text slots still to issue, and whether it is one; the latter counts in StText only, behind at
  // least one cycle of StFirst.
  logic [BlocksWidth-1:0] blocks_q;
  logic                   text_last_q;
  logic                   error_q;
  // The chain of the next GHASH block, and whether that chain has a block already.
  logic [ChainWidth-1:0]  chain_q;
  logic                   chained_q;

  logic accept;
  logic take;
  logic issue;
  logic first, text, last;
  logic has_aad, has_text;

  assign first = state_q == StFirst;
  assign text  = state_q == StText;
  assign last  = state_q == StLast;

  assign has_aad  = aad_bytes_q != '0;
  assign has_text = text_bytes_q != '0;
  assign in_ready_o  = text && text_credit_i;
  assign cmd_ready_o = (state_q == StIdle) || last;
  assign accept      = cmd_valid_i && cmd_ready_o;
  assign take        = in_valid_i && in_ready_o;
  assign issue       = (first && tag_credit_i) || take || last;

  assign busy_o      = state_q != StIdle;
  assign stall_in_o  = in_ready_o && !in_valid_i;
  assign stall_out_o = (first && !tag_credit_i) || (text && !text_credit_i);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q <= StIdle;
    end else begin
      unique case (state_q)
        StFirst: if (tag_credit_i) state_q <= has_text ? StText : StLast;
        StText:  if (take && text_last_q) state_q <= StLast;
        default: state_q <= accept ? StFirst : StIdle;
      endcase
    end
  end

  // The command that is offered, taken or not: without one, what it says counts nowhere.
  always_ff @(posedge clk_i) begin
    if (cmd_ready_o) begin
      ctx_q        <= cmd_ctx_i;
      open_q       <= cmd_open_i;
      aad_bytes_q  <= cmd_aad_bytes_i;
      text_bytes_q <= cmd_text_bytes_i;
      blocks_q     <= BlocksWidth'((17'(cmd_text_bytes_i) + 17'd15) >> 4);
      error_q      <= 1'b0;
      chain_q      <= '0;
      chained_q    <= 1'b0;
    end else begin
      if (take) begin
        blocks_q <= blocks_q - 1'b1;
        if (in_error_i) error_q <= 1'b1;
      end
      if (issue && slot_o.hashed) begin
        chain_q <= (chain_q + 1'b1) & LastChain;
        if (chain_q == LastChain) chained_q <= 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    text_last_q <= blocks_q == (take ? BlocksWidth'(2) : BlocksWidth'(1));
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
    slot_o.text_last = text && text_last_q;
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

  assign slot_valid_o    = issue;
  assign slot_ctx_o      = ctx_q;
  assign counter_valid_o = issue && !last;

  // What is wide.
  logic [63:0] aad_length, text_length;

  assign aad_length  = length_word({11'd0, aad_bytes_q});
  assign text_length = length_word(text_bytes_q);

  function automatic logic [31:0] swap_word(logic [31:0] x);
    return {x[7:0], x[15:8], x[23:16], x[31:24]};
  endfunction

  if (Pipelined) begin : g_pipelined
    // A quarter of a block has copies of its own of what selects it. What selects is a register, so
    // the command itself is kept for the cycle in which it becomes known that it was taken.
    localparam int unsigned NumQuarters = 4;

    logic [NumQuarters-1:0]       text_q, last_q, accept_q;
    logic                         issue_q;
    logic [NumQuarters-1:0][31:0] cmd_aad_q, aad_q;
    logic [NumQuarters-1:0][31:0] in_data_q;
    logic [NumQuarters-1:0][31:0] lengths_q;
    logic [NumQuarters-1:0][31:0] block_q;
    logic [2:0][31:0]             cmd_nonce_q, nonce_q;
    logic [31:0]                  counter_q;
    logic [NumQuarters-1:0][31:0] cols_q;

    sealgate_copies #(
      .Copies(NumQuarters)
    ) u_text (
      .clk_i,
      .value_i(text),
      .copies_o(text_q)
    );

    sealgate_copies #(
      .Copies(NumQuarters)
    ) u_last (
      .clk_i,
      .value_i(last),
      .copies_o(last_q)
    );

    sealgate_copies #(
      .Copies(NumQuarters)
    ) u_accept (
      .clk_i,
      .value_i(accept),
      .copies_o(accept_q)
    );

    always_ff @(posedge clk_i) begin
      issue_q     <= issue;
      cmd_aad_q   <= cmd_aad_i;
      cmd_nonce_q <= cmd_nonce_i;
      in_data_q   <= in_data_i;
      lengths_q   <= {text_length, aad_length};
    end

    always_ff @(posedge clk_i) begin
      for (int unsigned w = 0; w < NumQuarters; w++) begin
        if (accept_q[w]) aad_q[w] <= cmd_aad_q[w];
        block_q[w] <= text_q[w] ? in_data_q[w] : last_q[w] ? lengths_q[w] : aad_q[w];
      end
      for (int unsigned w = 0; w < 3; w++) begin
        if (accept_q[w]) nonce_q[w] <= cmd_nonce_q[w];
      end
      if (accept_q[3]) counter_q <= 32'd1;
      else if (issue_q) counter_q <= counter_q + 32'd1;
      cols_q <= {swap_word(counter_q), nonce_q};
    end

    assign {slot_block_hi_o, slot_block_lo_o} = block_q;
    assign {counter_col_3_o, counter_col_2_o, counter_col_1_o, counter_col_0_o} = cols_q;
  end else begin : g_direct
    logic [31:0] nonce_0_q, nonce_1_q, nonce_2_q;
    logic [31:0] counter_q;
    logic [63:0] aad_lo_q, aad_hi_q;

    always_ff @(posedge clk_i) begin
      if (accept) begin
        nonce_0_q <= cmd_nonce_i[31:0];
        nonce_1_q <= cmd_nonce_i[63:32];
        nonce_2_q <= cmd_nonce_i[95:64];
        aad_lo_q  <= cmd_aad_i[63:0];
        aad_hi_q  <= cmd_aad_i[127:64];
        counter_q <= 32'd1;
      end else if (issue) begin
        counter_q <= counter_q + 32'd1;
      end
    end

    always_comb begin
      unique case (state_q)
        StText: begin
          slot_block_lo_o = in_data_i[63:0];
          slot_block_hi_o = in_data_i[127:64];
        end
        StLast: begin
          slot_block_lo_o = aad_length;
          slot_block_hi_o = text_length;
        end
        default: begin
          slot_block_lo_o = aad_lo_q;
          slot_block_hi_o = aad_hi_q;
        end
      endcase
    end

    assign counter_col_0_o = nonce_0_q;
    assign counter_col_1_o = nonce_1_q;
    assign counter_col_2_o = nonce_2_q;
    assign counter_col_3_o = swap_word(counter_q);
  end

endmodule

`default_nettype wire
