// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The polynomial of Poly1305 (RFC 8439 section 2.5), one block per cycle, an r per record.
//
// Theory of operation: with a multiplier of K = 8 stages, Horner's rule would wait for every
// product. Instead the blocks of a record form K interleaved chains: block i of n is multiplied by
// r^K and added to block i + K, except that the last K blocks are multiplied by r^K to r^1, each by
// its own distance to the end, and their products add up to the result. The product of block i
// emerges in the cycle in which block i + K arrives at the earliest; then it is taken on the spot,
// else it waits in a register of its chain. So blocks may come in every cycle or with any gaps, and
// records may follow each other without any. Blocks wait in a ring until the powers of their r are
// made (sealgate_poly1305_powers), which is known by counting, since records come in order; whoever
// comes later goes on at once. Whoever feeds blocks knows the length of the record and describes
// the place of each by sealgate_poly1305_pkg::hash_t.

`default_nettype none

module sealgate_poly1305
  import sealgate_chacha_pkg::key_id_t;
  import sealgate_chacha_pkg::NumOneTimeKeys;
  import sealgate_poly1305_pkg::*;
(
  input  wire logic        clk_i,
  input  wire logic        rst_ni,

  // r of a record, three cycles or more before its first block.
  input  wire logic        r_valid_i,
  input  wire key_id_t     r_id_i,
  input  wire logic        r_has_text_i,
  input  wire logic [63:0] r_lo_i,
  input  wire logic [63:0] r_hi_i,

  // A block of 16 bytes.
  input  wire logic        valid_i,
  input  wire key_id_t     id_i,
  input  wire hash_t       hash_i,
  input  wire logic [63:0] block_lo_i,
  input  wire logic [63:0] block_hi_i,

  // The sum of a record, one cycle only.
  output      logic        valid_o,
  output      sum_t        sum_0_o,
  output      sum_t        sum_1_o,
  output      sum_t        sum_2_o,
  output      sum_t        sum_3_o,
  output      sum_t        sum_4_o
);

  // Blocks wait for the powers of r. The ring cannot overflow: the first block of a record comes
  // three cycles after its r or later, and the powers are there 35 cycles after that.
  localparam int unsigned HoldDepth = 64;

  // The oldest block.
  logic        held_valid;
  logic [63:0] held_lo, held_hi;
  key_id_t     held_id;
  hash_t       held_hash;
  logic        release_block;
  logic        release_last;
  // Records whose powers can be read and whose last block is not released yet, and whether there is
  // one.
  logic        powers_ready;
  key_id_t     ready_q;
  logic        any_ready_q;

  logic                       unused_hold_ready;
  logic [$clog2(HoldDepth):0] unused_hold_count;

  sealgate_ram_fifo #(
    .Width(128 + $bits(key_id_t) + $bits(hash_t)),
    .Depth(HoldDepth)
  ) u_hold (
    .clk_i,
    .rst_ni,
    .valid_i,
    .ready_o(unused_hold_ready),
    .data_i({hash_i, id_i, block_hi_i, block_lo_i}),
    .valid_o(held_valid),
    .ready_i(any_ready_q),
    .data_o({held_hash, held_id, held_hi, held_lo}),
    .count_o(unused_hold_count)
  );

  assign release_block = held_valid && any_ready_q;
  assign release_last  = release_block && held_hash.place.last;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      ready_q     <= '0;
      any_ready_q <= 1'b0;
    end else if (powers_ready != release_last) begin
      ready_q     <= powers_ready ? ready_q + 1'b1 : ready_q - 1'b1;
      any_ready_q <= powers_ready || (ready_q != key_id_t'(1));
    end
  end

  // The block meets its power of r.
  logic        block_valid_q;
  place_t      block_place_q;
  logic [63:0] block_lo_q, block_hi_q;
  limb_t       power_0, power_1, power_2, power_3, power_4;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) block_valid_q <= 1'b0;
    else block_valid_q <= release_block;
    if (release_block) begin
      block_place_q <= held_hash.place;
      block_lo_q    <= held_lo;
      block_hi_q    <= held_hi;
    end
  end

  sealgate_poly1305_powers u_powers (
    .clk_i,
    .rst_ni,
    .valid_i(r_valid_i),
    .id_i(r_id_i),
    .has_text_i(r_has_text_i),
    .r_lo_i,
    .r_hi_i,
    .ready_o(powers_ready),
    .read_i(release_block),
    .read_id_i(held_id),
    .read_power_i(held_hash.power),
    .power_0_o(power_0),
    .power_1_o(power_1),
    .power_2_o(power_2),
    .power_3_o(power_3),
    .power_4_o(power_4)
  );

  // The previous product of the chain is added: the one that the multiplier gives right now, or
  // gave a cycle ago, or else the one that was kept. Which it is, is known a cycle before.
  logic    product_valid;
  limb_t   product_0, product_1, product_2, product_3, product_4;
  place_t  product_place;
  logic [2:0] product_chain_next;
  logic    product_valid_next;
  logic    keep_product;
  limb_t   chain_0_q[NumChains];
  limb_t   chain_1_q[NumChains];
  limb_t   chain_2_q[NumChains];
  limb_t   chain_3_q[NumChains];
  limb_t   chain_4_q[NumChains];
  limb_t   kept_0_q, kept_1_q, kept_2_q, kept_3_q, kept_4_q;
  limb_t   past_0_q, past_1_q, past_2_q, past_3_q, past_4_q;
  logic    take_now_q;
  logic    take_past_q;
  logic    factor_valid_q;
  factor_t factor_0_q, factor_1_q, factor_2_q, factor_3_q, factor_4_q;
  limb_t   power_0_q, power_1_q, power_2_q, power_3_q, power_4_q;

  assign keep_product = product_valid && !product_place.term;

  always_ff @(posedge clk_i) begin
    if (release_block) begin
      take_now_q  <= product_valid_next && held_hash.chained &&
                     (product_chain_next == held_hash.place.chain);
      take_past_q <= product_valid && held_hash.chained &&
                     (product_place.chain == held_hash.place.chain);
      kept_0_q    <= held_hash.chained ? chain_0_q[held_hash.place.chain] : '0;
      kept_1_q    <= held_hash.chained ? chain_1_q[held_hash.place.chain] : '0;
      kept_2_q    <= held_hash.chained ? chain_2_q[held_hash.place.chain] : '0;
      kept_3_q    <= held_hash.chained ? chain_3_q[held_hash.place.chain] : '0;
      kept_4_q    <= held_hash.chained ? chain_4_q[held_hash.place.chain] : '0;
    end
    if (product_valid) begin
      past_0_q <= product_0;
      past_1_q <= product_1;
      past_2_q <= product_2;
      past_3_q <= product_3;
      past_4_q <= product_4;
    end
  end

  function automatic factor_t chosen(logic now, logic past, limb_t product, limb_t product_past,
                                     limb_t kept);
    if (now) return factor_t'(product);
    return past ? factor_t'(product_past) : factor_t'(kept);
  endfunction

  // A whole block has a one behind its last byte, at 2^128.
  always_ff @(posedge clk_i) begin
    if (block_valid_q) begin
      power_0_q <= power_0;
      power_1_q <= power_1;
      power_2_q <= power_2;
      power_3_q <= power_3;
      power_4_q <= power_4;
      factor_0_q <= factor_t'(block_lo_q[25:0]) +
                    chosen(take_now_q, take_past_q, product_0, past_0_q, kept_0_q);
      factor_1_q <= factor_t'(block_lo_q[51:26]) +
                    chosen(take_now_q, take_past_q, product_1, past_1_q, kept_1_q);
      factor_2_q <= factor_t'({block_hi_q[13:0], block_lo_q[63:52]}) +
                    chosen(take_now_q, take_past_q, product_2, past_2_q, kept_2_q);
      factor_3_q <= factor_t'(block_hi_q[39:14]) +
                    chosen(take_now_q, take_past_q, product_3, past_3_q, kept_3_q);
      factor_4_q <= factor_t'({2'b01, block_hi_q[63:40]}) +
                    chosen(take_now_q, take_past_q, product_4, past_4_q, kept_4_q);
    end
  end

  always_ff @(posedge clk_i) begin
    if (keep_product) begin
      chain_0_q[product_place.chain] <= product_0;
      chain_1_q[product_place.chain] <= product_1;
      chain_2_q[product_place.chain] <= product_2;
      chain_3_q[product_place.chain] <= product_3;
      chain_4_q[product_place.chain] <= product_4;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) factor_valid_q <= 1'b0;
    else factor_valid_q <= block_valid_q;
  end

  sealgate_poly1305_mul u_mul (
    .clk_i,
    .rst_ni,
    .valid_i(factor_valid_q),
    .x_0_i(factor_0_q),
    .x_1_i(factor_1_q),
    .x_2_i(factor_2_q),
    .x_3_i(factor_3_q),
    .x_4_i(factor_4_q),
    .y_0_i(power_0_q),
    .y_1_i(power_1_q),
    .y_2_i(power_2_q),
    .y_3_i(power_3_q),
    .y_4_i(power_4_q),
    .valid_o(product_valid),
    .valid_next_o(product_valid_next),
    .product_0_o(product_0),
    .product_1_o(product_1),
    .product_2_o(product_2),
    .product_3_o(product_3),
    .product_4_o(product_4)
  );

  // The description of the block follows it through the multiplier, the first last.
  localparam int unsigned PlaceWidth = $bits(place_t);

  logic [MulStages*PlaceWidth-1:0] places_q;

  always_ff @(posedge clk_i) begin
    places_q <= {places_q[(MulStages-1)*PlaceWidth-1:0], block_place_q};
  end

  assign product_place      = places_q[MulStages*PlaceWidth-1-:PlaceWidth];
  assign product_chain_next = places_q[(MulStages-1)*PlaceWidth-1-:3];

  // The final sum, a cycle behind the products.
  logic  term_q, last_q;
  sum_t  partial_0_q, partial_1_q, partial_2_q, partial_3_q, partial_4_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      term_q <= 1'b0;
      last_q <= 1'b0;
    end else begin
      term_q <= product_valid && product_place.term;
      last_q <= product_valid && product_place.last;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_o     <= 1'b0;
      partial_0_q <= '0;
      partial_1_q <= '0;
      partial_2_q <= '0;
      partial_3_q <= '0;
      partial_4_q <= '0;
    end else begin
      valid_o <= last_q;
      if (last_q) begin
        partial_0_q <= '0;
        partial_1_q <= '0;
        partial_2_q <= '0;
        partial_3_q <= '0;
        partial_4_q <= '0;
      end else if (term_q) begin
        partial_0_q <= partial_0_q + SumWidth'(past_0_q);
        partial_1_q <= partial_1_q + SumWidth'(past_1_q);
        partial_2_q <= partial_2_q + SumWidth'(past_2_q);
        partial_3_q <= partial_3_q + SumWidth'(past_3_q);
        partial_4_q <= partial_4_q + SumWidth'(past_4_q);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (last_q) begin
      sum_0_o <= partial_0_q + SumWidth'(past_0_q);
      sum_1_o <= partial_1_q + SumWidth'(past_1_q);
      sum_2_o <= partial_2_q + SumWidth'(past_2_q);
      sum_3_o <= partial_3_q + SumWidth'(past_3_q);
      sum_4_o <= partial_4_q + SumWidth'(past_4_q);
    end
  end

endmodule

`default_nettype wire
