// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// One round of the composite pipe (FIPS 197 section 5.1) with its round key of all contexts.
//
// Theory of operation: four stages of S-box and one for MixColumns and the round key, which is
// looked up two cycles before it is needed. No stage has an enable: a control net to every register
// of a round would be slower than all of its logic.

`default_nettype none

module sealgate_aes_round_composite
  import sealgate_aes_pkg::*;
#(
  parameter bit Final = 1'b0,
  parameter int unsigned NumContexts = 1024,
  localparam int unsigned CtxWidth = $clog2(NumContexts)
) (
  input  wire logic                clk_i,

  // Write port of the table of round keys.
  input  wire logic                write_i,
  input  wire logic [CtxWidth-1:0] write_ctx_i,
  input  wire logic [127:0]        write_key_i,

  // The block and its context.
  input  wire logic [CtxWidth-1:0] ctx_i,
  input  wire logic [3:0][31:0]    cols_i,

  // CompositeRoundStages cycles later.
  output      logic [CtxWidth-1:0] ctx_o,
  output      logic [3:0][31:0]    cols_o
);

  logic [CtxWidth-1:0] lookup_ctx;
  logic [3:0][31:0]    key;
  logic [3:0][31:0]    substituted;

  sealgate_delay #(
    .Width(CtxWidth),
    .Cycles(SboxStages - 2)
  ) u_lookup_ctx (
    .clk_i,
    .value_i(ctx_i),
    .value_o(lookup_ctx)
  );

  sealgate_delay #(
    .Width(CtxWidth),
    .Cycles(CompositeRoundStages - (SboxStages - 2))
  ) u_ctx (
    .clk_i,
    .value_i(lookup_ctx),
    .value_o(ctx_o)
  );

  sealgate_aes_key_table #(
    .NumContexts(NumContexts)
  ) u_key_table (
    .clk_i,
    .write_i,
    .write_ctx_i,
    .write_key_i,
    .ctx_i(lookup_ctx),
    .key_o(key)
  );

  sealgate_aes_sub_shift u_sub_shift (
    .clk_i,
    .cols_i,
    .cols_o(substituted)
  );

  always_ff @(posedge clk_i) begin
    for (int unsigned c = 0; c < 4; c++) begin
      cols_o[c] <= key[c] ^ (Final ? substituted[c] : mix_column(substituted[c]));
    end
  end

endmodule

`default_nettype wire
