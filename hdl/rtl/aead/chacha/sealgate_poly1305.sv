// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The polynomial of Poly1305 (RFC 8439 section 2.5), one block per cycle, an r per record.
//
// Theory of operation: with a multiplier of K = 6 stages, Horner's rule would wait for every
// product. Instead the blocks of a record form K interleaved chains: block i of n is multiplied by
// r^K and added to block i + K, except that the last K blocks are multiplied by r^K to r^1, each by
// its own distance to the end, and their products add up to the result. The product of block i
// emerges in the cycle in which block i + K arrives at the earliest; then it is taken on the spot,
// else it waits in a register of its chain. So blocks may come in every cycle or with any gaps, and
// records may follow each other without any. Blocks wait in a ring until the powers of their r are
// made (sealgate_poly1305_powers); whoever comes later goes on at once. Whoever feeds blocks knows
// the length of the record and describes the place of each by sealgate_poly1305_pkg::hash_t.

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
  // three cycles after its r or later, and the powers are there 22 cycles after that, so that each
  // block is released 22 cycles after it came in at the latest.
  localparam int unsigned HoldDepth = 32;
  localparam int unsigned HoldWidth = $clog2(HoldDepth);

  logic [63:0]               hold_lo_mem[HoldDepth];
  logic [63:0]               hold_hi_mem[HoldDepth];
  key_id_t                   hold_id_mem[HoldDepth];
  hash_t                     hold_hash_mem[HoldDepth];
  logic [HoldWidth-1:0]      hold_write_q;
  logic [HoldWidth-1:0]      hold_read_q;
  // Bit k: the powers of key k can be read two cycles from now.
  logic [NumOneTimeKeys-1:0] powers_ready_q;
  logic                      powers_ready;
  key_id_t                   powers_ready_id;
  key_id_t                   hold_id;
  logic                      release_block;

  assign hold_id       = hold_id_mem[hold_read_q];
  assign release_block = (hold_read_q != hold_write_q) && powers_ready_q[hold_id];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      hold_write_q   <= '0;
      hold_read_q    <= '0;
      powers_ready_q <= '0;
    end else begin
      if (valid_i) hold_write_q <= hold_write_q + 1'b1;
      if (release_block) hold_read_q <= hold_read_q + 1'b1;
      if (r_valid_i) powers_ready_q[r_id_i] <= 1'b0;
      if (powers_ready) powers_ready_q[powers_ready_id] <= 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_i) begin
      hold_lo_mem[hold_write_q]   <= block_lo_i;
      hold_hi_mem[hold_write_q]   <= block_hi_i;
      hold_id_mem[hold_write_q]   <= id_i;
      hold_hash_mem[hold_write_q] <= hash_i;
    end
  end

  // The block leaves the ring, and then meets its power of r.
  logic        held_valid_q;
  logic [63:0] held_lo_q, held_hi_q;
  key_id_t     held_id_q;
  hash_t       held_hash_q;
  logic        block_valid_q;
  logic        block_chained_q;
  place_t      block_place_q;
  logic [63:0] block_lo_q, block_hi_q;
  limb_t       power_0, power_1, power_2, power_3, power_4;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      held_valid_q  <= 1'b0;
      block_valid_q <= 1'b0;
    end else begin
      held_valid_q  <= release_block;
      block_valid_q <= held_valid_q;
    end
    if (release_block) begin
      held_lo_q   <= hold_lo_mem[hold_read_q];
      held_hi_q   <= hold_hi_mem[hold_read_q];
      held_id_q   <= hold_id;
      held_hash_q <= hold_hash_mem[hold_read_q];
    end
    if (held_valid_q) begin
      block_chained_q <= held_hash_q.chained;
      block_place_q   <= held_hash_q.place;
      block_lo_q      <= held_lo_q;
      block_hi_q      <= held_hi_q;
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
    .ready_id_o(powers_ready_id),
    .read_i(held_valid_q),
    .read_id_i(held_id_q),
    .read_power_i(held_hash_q.power),
    .power_0_o(power_0),
    .power_1_o(power_1),
    .power_2_o(power_2),
    .power_3_o(power_3),
    .power_4_o(power_4)
  );

  // The previous product of the chain is added: from the multiplier's output if it is there right
  // now, else from where it was kept.
  logic    product_valid;
  limb_t   product_0, product_1, product_2, product_3, product_4;
  place_t  product_place;
  logic    keep_product;
  logic    take_product;
  limb_t   chain_0_q[NumChains];
  limb_t   chain_1_q[NumChains];
  limb_t   chain_2_q[NumChains];
  limb_t   chain_3_q[NumChains];
  limb_t   chain_4_q[NumChains];
  logic    factor_valid_q;
  factor_t factor_0_q, factor_1_q, factor_2_q, factor_3_q, factor_4_q;
  limb_t   power_0_q, power_1_q, power_2_q, power_3_q, power_4_q;

  assign keep_product = product_valid && !product_place.term;
  assign take_product = product_valid && (product_place.chain == block_place_q.chain);

  // A whole block has a one behind its last byte, at 2^128.
  always_ff @(posedge clk_i) begin
    if (block_valid_q) begin
      power_0_q <= power_0;
      power_1_q <= power_1;
      power_2_q <= power_2;
      power_3_q <= power_3;
      power_4_q <= power_4;
      if (!block_chained_q) begin
        factor_0_q <= FactorWidth'(block_lo_q[25:0]);
        factor_1_q <= FactorWidth'(block_lo_q[51:26]);
        factor_2_q <= FactorWidth'({block_hi_q[13:0], block_lo_q[63:52]});
        factor_3_q <= FactorWidth'(block_hi_q[39:14]);
        factor_4_q <= FactorWidth'({2'b01, block_hi_q[63:40]});
      end else if (take_product) begin
        factor_0_q <= FactorWidth'(block_lo_q[25:0]) + FactorWidth'(product_0);
        factor_1_q <= FactorWidth'(block_lo_q[51:26]) + FactorWidth'(product_1);
        factor_2_q <= FactorWidth'({block_hi_q[13:0], block_lo_q[63:52]}) + FactorWidth'(product_2);
        factor_3_q <= FactorWidth'(block_hi_q[39:14]) + FactorWidth'(product_3);
        factor_4_q <= FactorWidth'({2'b01, block_hi_q[63:40]}) + FactorWidth'(product_4);
      end else begin
        factor_0_q <= FactorWidth'(block_lo_q[25:0]) + FactorWidth'(chain_0_q[block_place_q.chain]);
        factor_1_q <= FactorWidth'(block_lo_q[51:26]) +
                      FactorWidth'(chain_1_q[block_place_q.chain]);
        factor_2_q <= FactorWidth'({block_hi_q[13:0], block_lo_q[63:52]}) +
                      FactorWidth'(chain_2_q[block_place_q.chain]);
        factor_3_q <= FactorWidth'(block_hi_q[39:14]) +
                      FactorWidth'(chain_3_q[block_place_q.chain]);
        factor_4_q <= FactorWidth'({2'b01, block_hi_q[63:40]}) +
                      FactorWidth'(chain_4_q[block_place_q.chain]);
      end
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

  assign product_place = places_q[MulStages*PlaceWidth-1-:PlaceWidth];

  // The final sum.
  sum_t partial_0_q, partial_1_q, partial_2_q, partial_3_q, partial_4_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_o     <= 1'b0;
      partial_0_q <= '0;
      partial_1_q <= '0;
      partial_2_q <= '0;
      partial_3_q <= '0;
      partial_4_q <= '0;
    end else begin
      valid_o <= product_valid && product_place.last;
      if (product_valid && product_place.last) begin
        partial_0_q <= '0;
        partial_1_q <= '0;
        partial_2_q <= '0;
        partial_3_q <= '0;
        partial_4_q <= '0;
      end else if (product_valid && product_place.term) begin
        partial_0_q <= partial_0_q + SumWidth'(product_0);
        partial_1_q <= partial_1_q + SumWidth'(product_1);
        partial_2_q <= partial_2_q + SumWidth'(product_2);
        partial_3_q <= partial_3_q + SumWidth'(product_3);
        partial_4_q <= partial_4_q + SumWidth'(product_4);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (product_valid && product_place.last) begin
      sum_0_o <= partial_0_q + SumWidth'(product_0);
      sum_1_o <= partial_1_q + SumWidth'(product_1);
      sum_2_o <= partial_2_q + SumWidth'(product_2);
      sum_3_o <= partial_3_q + SumWidth'(product_3);
      sum_4_o <= partial_4_q + SumWidth'(product_4);
    end
  end

endmodule

`default_nettype wire
