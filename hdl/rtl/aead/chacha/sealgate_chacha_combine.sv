// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Behind the release of key stream: text meets key stream, and the blocks of Poly1305 are lined up.
//
// Theory of operation: text waits in a ring from the input until its key stream is released, and so
// does what is to be known of each record. Two cycles before a row comes it is announced, so that
// the ring of text can be read in time; row and text meet in a register, from where all goes on.
// Row 0 of a key block is r and row 1 is s. In row 2 Poly1305 takes the additional data, if there
// is any, then the cipher text beat by beat, and the length block (RFC 8439 section 2.8) in the
// cycle after the last beat, or in row 3 of the key block if there is no text. No other block can
// come in that cycle: it is an unused row or row 0 of a key block at most.

`default_nettype none

module sealgate_chacha_combine
  import sealgate_chacha_pkg::*;
  import sealgate_gcm_pkg::keep_hi;
  import sealgate_gcm_pkg::keep_lo;
  import sealgate_poly1305_pkg::hash_t;
  import sealgate_poly1305_pkg::NumChains;
#(
  // Beats of text in the ring; a power of two.
  parameter int unsigned TextDepth = 256
) (
  input  wire logic         clk_i,
  input  wire logic         rst_ni,

  // A beat of text, and room for one.
  input  wire logic         text_valid_i,
  input  wire logic [127:0] text_data_i,
  input  wire logic         text_error_i,
  output      logic         text_room_o,

  // A record whose key block is sent through the pipe.
  input  wire logic         record_valid_i,
  input  wire record_t      record_i,
  input  wire logic [63:0]  aad_lo_i,
  input  wire logic [63:0]  aad_hi_i,

  // A row of the key stream, two cycles after `row_ahead_i`; its block, with the first of them and
  // in the cycle before.
  input  wire logic         row_ahead_i,
  input  wire block_t       block_i,
  input  wire logic [63:0]  row_lo_i,
  input  wire logic [63:0]  row_hi_i,

  // Text out.
  output      logic         out_valid_o,
  output      logic         out_last_o,
  output      logic [63:0]  out_lo_o,
  output      logic [63:0]  out_hi_o,

  // The one-time key: r, then s in the next cycle.
  output      logic         r_valid_o,
  output      logic         s_valid_o,
  output      key_id_t      key_id_o,
  output      logic         has_text_o,
  output      logic [63:0]  key_lo_o,
  output      logic [63:0]  key_hi_o,

  // A block for Poly1305.
  output      logic         hash_valid_o,
  output      key_id_t      hash_id_o,
  output      hash_t        hash_o,
  output      logic [63:0]  hash_lo_o,
  output      logic [63:0]  hash_hi_o,
  // With the last block of a record.
  output      logic         hash_error_o,
  output      logic         hash_has_text_o
);

  localparam int unsigned TextWidth = $clog2(TextDepth);

  // Text by arrival.
  logic [127:0]         text_mem[TextDepth];
  logic                 error_mem[TextDepth];
  logic [TextWidth-1:0] text_write_q;
  logic [TextWidth-1:0] text_read_q;
  logic [TextWidth:0]   text_count_q;
  logic                 text_read;
  logic [127:0]         text_q;
  logic                 text_error_q;

  assign text_room_o = !text_count_q[TextWidth];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      text_write_q <= '0;
      text_read_q  <= '0;
      text_count_q <= '0;
    end else begin
      if (text_valid_i) text_write_q <= text_write_q + 1'b1;
      if (text_read) text_read_q <= text_read_q + 1'b1;
      if (text_valid_i != text_read) begin
        text_count_q <= text_valid_i ? text_count_q + 1'b1 : text_count_q - 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (text_valid_i) begin
      text_mem[text_write_q]  <= text_data_i;
      error_mem[text_write_q] <= text_error_i;
    end
    if (text_read) begin
      text_q       <= text_mem[text_read_q];
      text_error_q <= error_mem[text_read_q];
    end
  end

  // Records by order.
  record_t              record_mem[RingBlocks];
  logic [63:0]          aad_lo_mem[RingBlocks];
  logic [63:0]          aad_hi_mem[RingBlocks];
  logic [RingWidth-1:0] record_write_q;
  logic [RingWidth-1:0] record_read_q;

  always_ff @(posedge clk_i) begin
    if (record_valid_i) begin
      record_mem[record_write_q] <= record_i;
      aad_lo_mem[record_write_q] <= aad_lo_i;
      aad_hi_mem[record_write_q] <= aad_hi_i;
    end
  end

  // The row that will be announced next, the row that is at the input in the next cycle and its
  // block, and the row at the input. The next block is known cycles before its first row.
  logic [1:0]  row_ahead_q;
  logic        row_next_valid_q;
  logic [1:0]  row_next_q;
  logic        block_key_q, block_text_q, block_last_q;
  logic [2:0]  block_beats_q;
  logic        row_last_next;
  logic [63:0] tail_lo_q, tail_hi_q;  // the bytes of text in the last row of the next block,
  logic [63:0] block_tail_lo_q, block_tail_hi_q;  // and of this one
  logic [1:0]  in_row_q;
  logic        in_text_q;
  logic        in_key_q;
  logic        in_last_q;
  logic [63:0] mask_lo_q, mask_hi_q;  // the bytes of the row that are text

  assign text_read     = row_next_valid_q && block_text_q && ({1'b0, row_next_q} < block_beats_q);
  assign row_last_next = block_last_q && ({1'b0, row_next_q} == block_beats_q - 3'd1);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      row_ahead_q      <= '0;
      row_next_valid_q <= 1'b0;
      in_text_q        <= 1'b0;
      in_key_q         <= 1'b0;
    end else begin
      if (row_ahead_i) row_ahead_q <= row_ahead_q + 2'd1;
      row_next_valid_q <= row_ahead_i;
      in_text_q        <= text_read;
      in_key_q         <= row_next_valid_q && block_key_q;
    end
  end

  always_ff @(posedge clk_i) begin
    tail_lo_q <= keep_lo((block_i.tail == '0) ? 5'd16 : {1'b0, block_i.tail});
    tail_hi_q <= keep_hi((block_i.tail == '0) ? 5'd16 : {1'b0, block_i.tail});
    if (row_ahead_i) begin
      row_next_q <= row_ahead_q;
      if (row_ahead_q == 2'd0) begin
        block_key_q     <= block_i.key;
        block_text_q    <= block_i.text;
        block_last_q    <= block_i.last;
        block_beats_q   <= block_i.beats;
        block_tail_lo_q <= tail_lo_q;
        block_tail_hi_q <= tail_hi_q;
      end
    end
    if (row_next_valid_q) begin
      in_row_q  <= row_next_q;
      in_last_q <= row_last_next;
      mask_lo_q <= row_last_next ? block_tail_lo_q : '1;
      mask_hi_q <= row_last_next ? block_tail_hi_q : '1;
    end
  end

  // The row with its text: both sides of a beat, or the row itself, of a key block.
  logic        row_text_q;
  logic        row_last_q;
  logic        row_error_q;
  logic [63:0] row_lo_q, row_hi_q;
  logic [63:0] in_lo_q, in_hi_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      row_text_q  <= 1'b0;
      row_error_q <= 1'b0;
    end else begin
      row_text_q  <= in_text_q;
      row_error_q <= in_text_q && text_error_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (in_text_q) begin
      row_last_q <= in_last_q;
      row_lo_q   <= (text_q[63:0] ^ row_lo_i) & mask_lo_q;
      row_hi_q   <= (text_q[127:64] ^ row_hi_i) & mask_hi_q;
      in_lo_q    <= text_q[63:0] & mask_lo_q;
      in_hi_q    <= text_q[127:64] & mask_hi_q;
    end else if (in_key_q) begin
      row_lo_q <= row_lo_i;
      row_hi_q <= row_hi_i;
    end
  end

  // The record, from row 1 of its key block on. The length block of the record before it may come
  // in row 0.
  logic        open_q;
  logic [4:0]  aad_bytes_q;
  logic [15:0] text_bytes_q;
  logic        has_text_q;
  logic        has_aad_q;
  logic [63:0] aad_lo_q, aad_hi_q;
  logic [63:0] masked_aad_lo_q, masked_aad_hi_q;  // in row 2
  key_id_t     key_id_q;
  logic        error_q;
  record_t     record;
  // What is in this cycle is known from the one before: rows 0 and 1 of a key block, the additional
  // data, the length block, any block of Poly1305.
  logic        first_row_q;
  logic        second_row_q;
  logic        aad_q;
  logic        length_q;
  logic        hash_q;
  logic        aad_d, length_d;

  assign record   = record_mem[record_read_q];
  assign aad_d    = in_key_q && (in_row_q == 2'd2) && has_aad_q;
  assign length_d = (row_text_q && row_last_q) ||
                    (in_key_q && (in_row_q == 2'd3) && !has_text_q);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      record_write_q <= '0;
      record_read_q  <= '0;
      key_id_q       <= '0;
      first_row_q    <= 1'b0;
      second_row_q   <= 1'b0;
      aad_q          <= 1'b0;
      length_q       <= 1'b0;
      hash_q         <= 1'b0;
    end else begin
      if (record_valid_i) record_write_q <= record_write_q + 1'b1;
      if (first_row_q) record_read_q <= record_read_q + 1'b1;
      if (first_row_q) key_id_q <= key_id_o;
      first_row_q  <= in_key_q && (in_row_q == 2'd0);
      second_row_q <= in_key_q && (in_row_q == 2'd1);
      aad_q        <= aad_d;
      length_q     <= length_d;
      hash_q       <= in_text_q || aad_d || length_d;
    end
  end

  always_ff @(posedge clk_i) begin
    if (first_row_q) begin
      open_q       <= record.open;
      aad_bytes_q  <= record.aad_bytes;
      has_aad_q    <= record.aad_bytes != '0;
      text_bytes_q <= record.text_bytes;
      has_text_q   <= record.has_text;
      aad_lo_q     <= aad_lo_mem[record_read_q];
      aad_hi_q     <= aad_hi_mem[record_read_q];
      error_q      <= 1'b0;
    end else if (row_error_q) begin
      error_q <= 1'b1;
    end
    if (second_row_q) begin
      masked_aad_lo_q <= aad_lo_q & keep_lo(aad_bytes_q);
      masked_aad_hi_q <= aad_hi_q & keep_hi(aad_bytes_q);
    end
  end

  assign r_valid_o  = first_row_q;
  assign s_valid_o  = second_row_q;
  assign key_id_o   = first_row_q ? key_id_q + 1'b1 : key_id_q;
  assign has_text_o = record.has_text;
  assign key_lo_o   = row_lo_q;
  assign key_hi_o   = row_hi_q;

  // Text out.
  always_comb begin
    out_lo_o = '0;
    out_hi_o = '0;
    if (row_text_q && !error_q && !row_error_q) begin
      out_lo_o = row_lo_q;
      out_hi_o = row_hi_q;
    end
  end

  assign out_valid_o = row_text_q;
  assign out_last_o  = row_last_q;

  // Blocks of Poly1305: how many are left of the record, and the chain of the next.
  localparam logic [2:0] LastChain = 3'(NumChains - 1);

  logic [HashBlocksWidth-1:0] left_q;
  logic [2:0]                 chain_q;
  logic                       chained_q;

  always_ff @(posedge clk_i) begin
    if (first_row_q) begin
      left_q    <= record.hash_blocks;
      chain_q   <= '0;
      chained_q <= 1'b0;
    end else if (hash_q) begin
      left_q  <= left_q - 1'b1;
      chain_q <= (chain_q == LastChain) ? '0 : chain_q + 3'd1;
      if (chain_q == LastChain) chained_q <= 1'b1;
    end
  end

  logic term;

  assign term = left_q <= HashBlocksWidth'(NumChains);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) hash_valid_o <= 1'b0;
    else hash_valid_o <= hash_q;
    if (hash_q) begin
      hash_id_o       <= key_id_q;
      hash_error_o    <= error_q;
      hash_has_text_o <= has_text_q;
      hash_o.chained  <= chained_q;
      hash_o.power    <= term ? left_q[2:0] - 3'd1 : LastChain;
      hash_o.place    <= '{chain: chain_q, term: term, last: length_q};
      if (length_q) begin
        hash_lo_o <= {59'd0, aad_bytes_q};
        hash_hi_o <= {48'd0, text_bytes_q};
      end else if (aad_q) begin
        hash_lo_o <= masked_aad_lo_q;
        hash_hi_o <= masked_aad_hi_q;
      end else begin
        hash_lo_o <= open_q ? in_lo_q : out_lo_o;
        hash_hi_o <= open_q ? in_hi_q : out_hi_o;
      end
    end
  end

endmodule

`default_nettype wire
