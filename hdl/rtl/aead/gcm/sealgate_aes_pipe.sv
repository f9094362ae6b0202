// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// AES-128 and AES-256 encryption (FIPS 197), one block per cycle, a context per block.
//
// Theory of operation: an input register, the addition of the first round key and fourteen rounds
// make sealgate_aes_pkg::PipeLatency cycles from block to cipher block, for both key sizes: an
// AES-128 block passes stages 1 to 4 unchanged, and its round keys 1 to 10 are those of stages 5 to
// 14. The pipe never waits; whoever feeds it knows when a block will come out, so there is no valid
// output. Beside the state only the context, the key size and a valid bit travel. Round keys are in
// the stages (sealgate_aes_round), the key size of each context in a table beside stage 0.

`default_nettype none

module sealgate_aes_pipe
  import sealgate_aes_pkg::*;
#(
  parameter int unsigned NumContexts = 1024,
  localparam int unsigned CtxWidth = $clog2(NumContexts)
) (
  input  wire logic                clk_i,
  input  wire logic                rst_ni,

  // Write port of the tables: one bit per stage that takes this round key.
  input  wire logic [NumRounds:0]  write_i,
  input  wire logic [CtxWidth-1:0] write_ctx_i,
  input  wire logic                write_aes256_i,
  input  wire logic [63:0]         write_key_lo_i,
  input  wire logic [63:0]         write_key_hi_i,

  // A block to encrypt: four columns in bus order.
  input  wire logic                valid_i,
  input  wire logic [CtxWidth-1:0] ctx_i,
  input  wire logic [31:0]         col_0_i,
  input  wire logic [31:0]         col_1_i,
  input  wire logic [31:0]         col_2_i,
  input  wire logic [31:0]         col_3_i,

  // The block that entered PipeLatency cycles ago.
  output      logic [31:0]         col_0_o,
  output      logic [31:0]         col_1_o,
  output      logic [31:0]         col_2_o,
  output      logic [31:0]         col_3_o
);

  // Which contexts hold a key of 256 bits; written with the key of stage 0.
  logic aes256_mem[NumContexts];

  always_ff @(posedge clk_i) begin
    if (write_i[0]) aes256_mem[write_ctx_i] <= write_aes256_i;
  end

  // Registers in front of stage r, but for the columns, which are the registers of stage r - 1.
  for (genvar r = 0; r <= NumRounds; r++) begin : g_enter
    logic                lookup;
    logic [CtxWidth-1:0] lookup_ctx;
    logic                valid_q;
    logic                aes256_q;

    always_ff @(posedge clk_i) begin
      if (!rst_ni) valid_q <= 1'b0;
      else valid_q <= lookup;
    end

    if (r == 0) begin : g_first
      assign lookup     = valid_i;
      assign lookup_ctx = ctx_i;

      always_ff @(posedge clk_i) begin
        if (lookup) aes256_q <= aes256_mem[lookup_ctx];
      end
    end else begin : g_next
      logic [CtxWidth-1:0] ctx_q;

      always_ff @(posedge clk_i) begin
        if (g_enter[r-1].lookup) ctx_q <= g_enter[r-1].lookup_ctx;
        if (lookup) aes256_q <= g_enter[r-1].aes256_q;
      end

      assign lookup     = g_enter[r-1].valid_q;
      assign lookup_ctx = ctx_q;
    end
  end

  // Columns in front of stage 0.
  logic [31:0] col_0_q, col_1_q, col_2_q, col_3_q;

  always_ff @(posedge clk_i) begin
    if (valid_i) begin
      col_0_q <= col_0_i;
      col_1_q <= col_1_i;
      col_2_q <= col_2_i;
      col_3_q <= col_3_i;
    end
  end

  for (genvar r = 0; r <= NumRounds; r++) begin : g_round
    logic [31:0] from_0, from_1, from_2, from_3;
    logic [31:0] col_0, col_1, col_2, col_3;

    if (r == 0) begin : g_first
      assign from_0 = col_0_q;
      assign from_1 = col_1_q;
      assign from_2 = col_2_q;
      assign from_3 = col_3_q;
    end else begin : g_next
      assign from_0 = g_round[r-1].col_0;
      assign from_1 = g_round[r-1].col_1;
      assign from_2 = g_round[r-1].col_2;
      assign from_3 = g_round[r-1].col_3;
    end

    sealgate_aes_round #(
      .Round(r),
      .NumContexts(NumContexts)
    ) u_round (
      .clk_i,
      .write_i(write_i[r]),
      .write_ctx_i,
      .write_key_lo_i,
      .write_key_hi_i,
      .lookup_i(g_enter[r].lookup),
      .lookup_ctx_i(g_enter[r].lookup_ctx),
      .valid_i(g_enter[r].valid_q),
      .aes256_i(g_enter[r].aes256_q),
      .col_0_i(from_0),
      .col_1_i(from_1),
      .col_2_i(from_2),
      .col_3_i(from_3),
      .col_0_o(col_0),
      .col_1_o(col_1),
      .col_2_o(col_2),
      .col_3_o(col_3)
    );
  end

  assign col_0_o = g_round[NumRounds].col_0;
  assign col_1_o = g_round[NumRounds].col_1;
  assign col_2_o = g_round[NumRounds].col_2;
  assign col_3_o = g_round[NumRounds].col_3;

endmodule

`default_nettype wire
