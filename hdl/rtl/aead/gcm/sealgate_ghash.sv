// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// GHASH (NIST SP 800-38D section 6.4), one block per cycle, a context per block.
//
// Theory of operation: with a multiplier of K = 4 stages, Horner's rule would wait for every
// product. Instead the blocks of a record form K interleaved chains: block i of n is multiplied by
// H^K and added to block i + K, except that the last K blocks are multiplied by H^K to H^1, each by
// its own distance to the end, and their products add up to the result. The product of block i
// emerges in the cycle in which block i + K arrives at the earliest; then it is taken on the spot,
// else it waits in a register of its chain. So blocks may come in every cycle or with any gaps, and
// records of different contexts may follow each other without any: only the last K products of a
// record meet in the final sum, and they leave the multiplier one after the other. The powers of H
// are in a table for all contexts, read while the block is registered. Whoever feeds blocks knows
// the length of the record and describes the place of each block by sealgate_gcm_pkg::hash_t.

`default_nettype none

module sealgate_ghash
  import sealgate_gcm_pkg::hash_t;
  import sealgate_gcm_pkg::place_t;
  import sealgate_gf128_pkg::*;
#(
  parameter int unsigned NumContexts = 1024,
  parameter mul_style_e GfMulStyle = MulInteger,
  localparam int unsigned CtxWidth = $clog2(NumContexts)
) (
  input  wire logic                clk_i,
  input  wire logic                rst_ni,

  // Write port of the table of powers: H^(write_power_i + 1).
  input  wire logic                write_i,
  input  wire logic [CtxWidth-1:0] write_ctx_i,
  input  wire logic [1:0]          write_power_i,
  input  wire logic [63:0]         write_hi_i,
  input  wire logic [63:0]         write_lo_i,

  // A block, as two big-endian words.
  input  wire logic                valid_i,
  input  wire logic [CtxWidth-1:0] ctx_i,
  input  wire hash_t               hash_i,
  input  wire logic [63:0]         block_hi_i,
  input  wire logic [63:0]         block_lo_i,

  // The hash of a record, one cycle only.
  output      logic                valid_o,
  output      logic [63:0]         hash_hi_o,
  output      logic [63:0]         hash_lo_o
);

  // Powers of H, four per context.
  logic [63:0] power_hi_mem[4*NumContexts];
  logic [63:0] power_lo_mem[4*NumContexts];

  always_ff @(posedge clk_i) begin
    if (write_i) begin
      power_hi_mem[{write_ctx_i, write_power_i}] <= write_hi_i;
      power_lo_mem[{write_ctx_i, write_power_i}] <= write_lo_i;
    end
  end

  // The block meets its power of H.
  logic        block_valid_q;
  logic        block_chained_q;
  place_t      block_place_q;
  logic [63:0] block_hi_q, block_lo_q;
  logic [63:0] power_hi_q, power_lo_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) block_valid_q <= 1'b0;
    else block_valid_q <= valid_i;
    if (valid_i) begin
      block_chained_q <= hash_i.chained;
      block_place_q   <= hash_i.place;
      block_hi_q      <= block_hi_i;
      block_lo_q      <= block_lo_i;
      power_hi_q      <= power_hi_mem[{ctx_i, hash_i.power}];
      power_lo_q      <= power_lo_mem[{ctx_i, hash_i.power}];
    end
  end

  // The previous product of the chain: at the multiplier's output right now, or kept.
  logic        product_valid;
  logic [63:0] product_hi, product_lo;
  place_t      product_place;
  logic [63:0] chain_hi_q[MulStages];
  logic [63:0] chain_lo_q[MulStages];
  logic [63:0] add_hi, add_lo;

  always_comb begin
    add_hi = '0;
    add_lo = '0;
    if (block_chained_q) begin
      if (product_valid && (product_place.chain == block_place_q.chain)) begin
        add_hi = product_hi;
        add_lo = product_lo;
      end else begin
        add_hi = chain_hi_q[block_place_q.chain];
        add_lo = chain_lo_q[block_place_q.chain];
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (product_valid && !product_place.term) begin
      chain_hi_q[product_place.chain] <= product_hi;
      chain_lo_q[product_place.chain] <= product_lo;
    end
  end

  sealgate_gf128_mul #(
    .Style(GfMulStyle)
  ) u_mul (
    .clk_i,
    .rst_ni,
    .valid_i(block_valid_q),
    .x_hi_i(block_hi_q ^ add_hi),
    .x_lo_i(block_lo_q ^ add_lo),
    .y_hi_i(power_hi_q),
    .y_lo_i(power_lo_q),
    .valid_o(product_valid),
    .product_hi_o(product_hi),
    .product_lo_o(product_lo)
  );

  // The description of the block follows it through the multiplier.
  place_t place_1_q, place_2_q, place_3_q, place_4_q;

  always_ff @(posedge clk_i) begin
    place_1_q <= block_place_q;
    place_2_q <= place_1_q;
    place_3_q <= place_2_q;
    place_4_q <= place_3_q;
  end

  assign product_place = place_4_q;

  // The final sum.
  logic [63:0] sum_hi_q, sum_lo_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_o  <= 1'b0;
      sum_hi_q <= '0;
      sum_lo_q <= '0;
    end else begin
      valid_o <= product_valid && product_place.last;
      if (product_valid && product_place.term) begin
        sum_hi_q <= product_place.last ? '0 : sum_hi_q ^ product_hi;
        sum_lo_q <= product_place.last ? '0 : sum_lo_q ^ product_lo;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (product_valid && product_place.last) begin
      hash_hi_o <= sum_hi_q ^ product_hi;
      hash_lo_o <= sum_lo_q ^ product_lo;
    end
  end

endmodule

`default_nettype wire
