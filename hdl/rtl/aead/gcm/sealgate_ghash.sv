// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// GHASH (NIST SP 800-38D section 6.4), one block per cycle, a context per block.
//
// Theory of operation: with a multiplier of K stages, Horner's rule would wait for every product.
// Instead the blocks of a record form K interleaved chains: block i of n is multiplied by H^K and
// added to block i + K, except that the last K blocks are multiplied by H^K to H^1, each by its own
// distance to the end, and their products add up to the result. The product of block i emerges in
// the cycle in which block i + K arrives at the earliest; then it is taken on the spot, else it
// waits in a register of its chain, which is read one cycle ahead. So blocks may come in every
// cycle or with any gaps, and records of different contexts may follow each other without any: only
// the last K products of a record meet in the final sum, and they leave the multiplier one after
// the other. The powers of H are in a table for all contexts, read while the block is registered.
// Whoever feeds blocks knows the length of the record and describes the place of each block by
// sealgate_gcm_pkg::hash_t. K is sealgate_gf128_pkg::mul_stages.
//
// In the style for synthesis the powers take three cycles (sealgate_ghash_powers). In the meantime
// all that selects among words of 128 bits is worked out ahead and registered, in a copy for each
// quarter of a word; no word has an enable.

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
  input  wire logic                  clk_i,
  input  wire logic                  rst_ni,

  // Write port of the table of powers: H^(write_power_i + 1).
  input  wire logic                  write_i,
  input  wire logic [CtxWidth-1:0]   write_ctx_i,
  input  wire logic [ChainWidth-1:0] write_power_i,
  input  wire logic [63:0]           write_hi_i,
  input  wire logic [63:0]           write_lo_i,

  // A block, as two big-endian words.
  input  wire logic                  valid_i,
  input  wire logic [CtxWidth-1:0]   ctx_i,
  input  wire hash_t                 hash_i,
  input  wire logic [63:0]           block_hi_i,
  input  wire logic [63:0]           block_lo_i,

  // The hash of a record, one cycle only.
  output      logic                  valid_o,
  output      logic [63:0]           hash_hi_o,
  output      logic [63:0]           hash_lo_o
);

  localparam int unsigned Stages = mul_stages(GfMulStyle);
  localparam int unsigned PowerWidth = $clog2(Stages);
  // The style for synthesis: registers around the powers' block RAM, and no enables of whole words.
  localparam bit FreeRunning = (GfMulStyle == MulXor);

  // Two cycles before the block meets its power; in the style for synthesis only.
  logic        wait_chained;
  place_t      wait_place;
  // One cycle before.
  logic        next_valid;
  logic        next_chained;
  place_t      next_place;
  logic [63:0] next_hi, next_lo;
  // The block and its power.
  logic        block_valid_q;
  place_t      block_place_q;
  logic [63:0] block_hi_q, block_lo_q;
  logic [63:0] power_hi, power_lo;

  // Powers of H, one per chain and context.
  if (FreeRunning) begin : g_pipelined_powers
    logic         wait_valid_q;
    logic [127:0] wait_block;

    sealgate_ghash_powers #(
      .NumEntries(Stages * NumContexts)
    ) u_powers (
      .clk_i,
      .write_i,
      .write_entry_i({write_ctx_i, write_power_i[PowerWidth-1:0]}),
      .write_power_i({write_hi_i, write_lo_i}),
      .entry_i({ctx_i, hash_i.power[PowerWidth-1:0]}),
      .power_o({power_hi, power_lo})
    );

    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        wait_valid_q <= 1'b0;
        next_valid   <= 1'b0;
      end else begin
        wait_valid_q <= valid_i;
        next_valid   <= wait_valid_q;
      end
    end

    sealgate_delay #(
      .Width(1 + $bits(place_t) + 128),
      .Cycles(1)
    ) u_wait (
      .clk_i,
      .value_i({hash_i.chained, hash_i.place, block_hi_i, block_lo_i}),
      .value_o({wait_chained, wait_place, wait_block})
    );

    sealgate_delay #(
      .Width(1 + $bits(place_t) + 128),
      .Cycles(1)
    ) u_next (
      .clk_i,
      .value_i({wait_chained, wait_place, wait_block}),
      .value_o({next_chained, next_place, next_hi, next_lo})
    );
  end else begin : g_direct_powers
    logic [63:0] power_hi_mem[Stages*NumContexts];
    logic [63:0] power_lo_mem[Stages*NumContexts];

    always_ff @(posedge clk_i) begin
      if (write_i) begin
        power_hi_mem[{write_ctx_i, write_power_i[PowerWidth-1:0]}] <= write_hi_i;
        power_lo_mem[{write_ctx_i, write_power_i[PowerWidth-1:0]}] <= write_lo_i;
      end
    end

    always_ff @(posedge clk_i) begin
      if (valid_i) begin
        power_hi <= power_hi_mem[{ctx_i, hash_i.power[PowerWidth-1:0]}];
        power_lo <= power_lo_mem[{ctx_i, hash_i.power[PowerWidth-1:0]}];
      end
    end

    assign wait_chained = 1'b0;
    assign wait_place   = '0;
    assign next_valid   = valid_i;
    assign next_chained = hash_i.chained;
    assign next_place   = hash_i.place;
    assign next_hi      = block_hi_i;
    assign next_lo      = block_lo_i;
  end

  if (PowerWidth < ChainWidth) begin : g_few_powers
    logic [1:0] unused_power;
    assign unused_power = {write_power_i[ChainWidth-1], hash_i.power[ChainWidth-1]};
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) block_valid_q <= 1'b0;
    else block_valid_q <= next_valid;
    if (next_valid || FreeRunning) begin
      block_place_q <= next_place;
      block_hi_q    <= next_hi;
      block_lo_q    <= next_lo;
    end
  end

  logic        product_valid;
  logic [63:0] product_hi, product_lo;
  place_t      product_place;
  logic [63:0] add_hi, add_lo;

  // Blocks inside the multiplier: bit s, and element s, of the one that entered s + 1 cycles ago.
  logic [Stages-1:0] inside_q;
  place_t            place_q[Stages];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) inside_q <= '0;
    else inside_q <= {inside_q[Stages-2:0], block_valid_q};
  end

  always_ff @(posedge clk_i) begin
    place_q[0] <= block_place_q;
    for (int unsigned s = 1; s < Stages; s++) place_q[s] <= place_q[s-1];
  end

  assign product_place = place_q[Stages-1];

  sealgate_gf128_mul #(
    .Style(GfMulStyle)
  ) u_mul (
    .clk_i,
    .rst_ni,
    .valid_i(block_valid_q),
    .x_hi_i(block_hi_q ^ add_hi),
    .x_lo_i(block_lo_q ^ add_lo),
    .y_hi_i(power_hi),
    .y_lo_i(power_lo),
    .valid_o(product_valid),
    .product_hi_o(product_hi),
    .product_lo_o(product_lo)
  );

  if (FreeRunning) begin : g_quarters
    localparam int unsigned NumQuarters = 4;

    logic                                   comes_d, takes_d;
    logic                                   takes_q;
    // The product of the cycle: what becomes of it, and its chain.
    logic [NumQuarters-1:0]                 store_q, term_q, last_q;
    logic [NumQuarters-1:0][ChainWidth-1:0] store_chain_q;
    // The next block: the chain it belongs to; that the product of the cycle belongs to it as well;
    // that nothing kept is added.
    logic [NumQuarters-1:0][ChainWidth-1:0] next_chain_q;
    logic [NumQuarters-1:0]                 comes_q, clear_q;
    // The block: the product of the cycle is added.
    logic [NumQuarters-1:0]                 take_q;
    logic [NumQuarters-1:0][31:0]           product, add, kept_q, sum_q, hash_q;

    assign product = {product_hi, product_lo};
    assign {add_hi, add_lo} = add;
    assign {hash_hi_o, hash_lo_o} = hash_q;

    assign comes_d = inside_q[Stages-2] && (place_q[Stages-2].chain == wait_place.chain);
    assign takes_d = wait_chained && inside_q[Stages-3] &&
                     (place_q[Stages-3].chain == wait_place.chain);

    always_ff @(posedge clk_i) takes_q <= takes_d;

    // Of the product that comes next.
    sealgate_copies #(
      .Copies(NumQuarters)
    ) u_store (
      .clk_i,
      .value_i(inside_q[Stages-2] && !place_q[Stages-2].term),
      .copies_o(store_q)
    );

    sealgate_copies #(
      .Copies(NumQuarters)
    ) u_term (
      .clk_i,
      .value_i(inside_q[Stages-2] && place_q[Stages-2].term),
      .copies_o(term_q)
    );

    // The sum begins with none.
    sealgate_copies #(
      .Copies(NumQuarters)
    ) u_last (
      .clk_i,
      .value_i(!rst_ni || (inside_q[Stages-2] && place_q[Stages-2].last)),
      .copies_o(last_q)
    );

    sealgate_copies #(
      .Width(ChainWidth),
      .Copies(NumQuarters)
    ) u_store_chain (
      .clk_i,
      .value_i(place_q[Stages-2].chain),
      .copies_o(store_chain_q)
    );

    sealgate_copies #(
      .Width(ChainWidth),
      .Copies(NumQuarters)
    ) u_next_chain (
      .clk_i,
      .value_i(wait_place.chain),
      .copies_o(next_chain_q)
    );

    sealgate_copies #(
      .Copies(NumQuarters)
    ) u_comes (
      .clk_i,
      .value_i(comes_d),
      .copies_o(comes_q)
    );

    sealgate_copies #(
      .Copies(NumQuarters)
    ) u_clear (
      .clk_i,
      .value_i(!wait_chained || takes_d),
      .copies_o(clear_q)
    );

    sealgate_copies #(
      .Copies(NumQuarters)
    ) u_take (
      .clk_i,
      .value_i(takes_q),
      .copies_o(take_q)
    );

    for (genvar w = 0; w < NumQuarters; w++) begin : g_quarter
      logic [31:0] chain_mem[Stages];

      always_ff @(posedge clk_i) begin
        if (store_q[w]) chain_mem[store_chain_q[w]] <= product[w];
      end

      always_ff @(posedge clk_i) begin
        kept_q[w] <= clear_q[w] ? '0 : comes_q[w] ? product[w] : chain_mem[next_chain_q[w]];
        sum_q[w]  <= last_q[w] ? '0 : sum_q[w] ^ (term_q[w] ? product[w] : '0);
        hash_q[w] <= sum_q[w] ^ product[w];
      end

      assign add[w] = kept_q[w] ^ (take_q[w] ? product[w] : '0);
    end

    always_ff @(posedge clk_i) begin
      if (!rst_ni) valid_o <= 1'b0;
      else valid_o <= product_valid && product_place.last;
    end

    logic unused_next;
    assign unused_next = ^{next_chained, product_place};
  end else begin : g_words
    // The previous product of the chain: at the multiplier's output together with the block, or kept
    // since, or none.
    logic [63:0] chain_hi_q[Stages];
    logic [63:0] chain_lo_q[Stages];
    logic        kept_chained_q;
    logic        take_product_q;
    logic [63:0] kept_hi_q, kept_lo_q;

    always_ff @(posedge clk_i) begin
      if (next_valid) begin
        take_product_q <= next_chained && inside_q[Stages-2] &&
                          (place_q[Stages-2].chain == next_place.chain);
        kept_chained_q <= next_chained;
        if (product_valid && (product_place.chain == next_place.chain)) begin
          kept_hi_q <= product_hi;
          kept_lo_q <= product_lo;
        end else begin
          kept_hi_q <= chain_hi_q[next_place.chain[PowerWidth-1:0]];
          kept_lo_q <= chain_lo_q[next_place.chain[PowerWidth-1:0]];
        end
      end
    end

    always_comb begin
      add_hi = kept_chained_q ? kept_hi_q : '0;
      add_lo = kept_chained_q ? kept_lo_q : '0;
      if (take_product_q) begin
        add_hi = product_hi;
        add_lo = product_lo;
      end
    end

    always_ff @(posedge clk_i) begin
      if (product_valid && !product_place.term) begin
        chain_hi_q[product_place.chain[PowerWidth-1:0]] <= product_hi;
        chain_lo_q[product_place.chain[PowerWidth-1:0]] <= product_lo;
      end
    end

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

    logic unused_wait;
    assign unused_wait = ^{wait_chained, wait_place};
  end

endmodule

`default_nettype wire
