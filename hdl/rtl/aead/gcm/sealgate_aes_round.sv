// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// One stage of the AES pipe: one round (FIPS 197 section 5.1) with the round keys of all contexts.
//
// Theory of operation: the stage owns the table of this round's key for every context, so that keys
// never travel with the data. The table is a memory with a synchronous read, addressed one cycle
// ahead by the context of the block that is about to enter; in the next cycle block and round key
// meet. Stage 0 only adds the key, stages 1 to 4 let blocks of AES-128 pass, and the last stage is
// the final round. A stage works only when it holds a block: the valid bits are clock enables.

`default_nettype none

module sealgate_aes_round
  import sealgate_aes_pkg::*;
#(
  parameter int unsigned Round = 1,
  parameter int unsigned NumContexts = 1024,
  localparam int unsigned CtxWidth = $clog2(NumContexts)
) (
  input  wire logic                clk_i,

  // Write port of the table of round keys.
  input  wire logic                write_i,
  input  wire logic [CtxWidth-1:0] write_ctx_i,
  input  wire logic [63:0]         write_key_lo_i,
  input  wire logic [63:0]         write_key_hi_i,

  // Context of the block that enters in the next cycle.
  input  wire logic                lookup_i,
  input  wire logic [CtxWidth-1:0] lookup_ctx_i,

  // The block: its columns, and whether its key has 256 bits.
  input  wire logic                valid_i,
  input  wire logic                aes256_i,
  input  wire logic [31:0]         col_0_i,
  input  wire logic [31:0]         col_1_i,
  input  wire logic [31:0]         col_2_i,
  input  wire logic [31:0]         col_3_i,

  // The block one cycle later.
  output      logic [31:0]         col_0_o,
  output      logic [31:0]         col_1_o,
  output      logic [31:0]         col_2_o,
  output      logic [31:0]         col_3_o
);

  localparam bit AddKeyOnly = (Round == 0);
  localparam bit Passes = (Round >= 1) && (Round <= NumPassRounds);
  localparam bit Final = (Round == NumRounds);

  // Bytes 0 to 7 and 8 to 15 of the round key, in bus order.
  logic [63:0] key_lo_mem[NumContexts];
  logic [63:0] key_hi_mem[NumContexts];
  logic [63:0] key_lo_q;
  logic [63:0] key_hi_q;

  always_ff @(posedge clk_i) begin
    if (write_i) begin
      key_lo_mem[write_ctx_i] <= write_key_lo_i;
      key_hi_mem[write_ctx_i] <= write_key_hi_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (lookup_i) begin
      key_lo_q <= key_lo_mem[lookup_ctx_i];
      key_hi_q <= key_hi_mem[lookup_ctx_i];
    end
  end

  if (AddKeyOnly) begin : g_add_key
    always_ff @(posedge clk_i) begin
      if (valid_i) begin
        col_0_o <= col_0_i ^ key_lo_q[31:0];
        col_1_o <= col_1_i ^ key_lo_q[63:32];
        col_2_o <= col_2_i ^ key_hi_q[31:0];
        col_3_o <= col_3_i ^ key_hi_q[63:32];
      end
    end
  end else if (Final) begin : g_final
    always_ff @(posedge clk_i) begin
      if (valid_i) begin
        col_0_o <= final_column(key_lo_q[31:0], col_0_i[7:0], col_1_i[15:8],
                                col_2_i[23:16], col_3_i[31:24]);
        col_1_o <= final_column(key_lo_q[63:32], col_1_i[7:0], col_2_i[15:8],
                                col_3_i[23:16], col_0_i[31:24]);
        col_2_o <= final_column(key_hi_q[31:0], col_2_i[7:0], col_3_i[15:8],
                                col_0_i[23:16], col_1_i[31:24]);
        col_3_o <= final_column(key_hi_q[63:32], col_3_i[7:0], col_0_i[15:8],
                                col_1_i[23:16], col_2_i[31:24]);
      end
    end
  end else begin : g_full
    always_ff @(posedge clk_i) begin
      if (valid_i && (!Passes || aes256_i)) begin
        col_0_o <= round_column(key_lo_q[31:0], col_0_i[7:0], col_1_i[15:8],
                                col_2_i[23:16], col_3_i[31:24]);
        col_1_o <= round_column(key_lo_q[63:32], col_1_i[7:0], col_2_i[15:8],
                                col_3_i[23:16], col_0_i[31:24]);
        col_2_o <= round_column(key_hi_q[31:0], col_2_i[7:0], col_3_i[15:8],
                                col_0_i[23:16], col_1_i[31:24]);
        col_3_o <= round_column(key_hi_q[63:32], col_3_i[7:0], col_0_i[15:8],
                                col_1_i[23:16], col_2_i[31:24]);
      end else if (valid_i) begin
        col_0_o <= col_0_i;
        col_1_o <= col_1_i;
        col_2_o <= col_2_i;
        col_3_o <= col_3_i;
      end
    end
  end

  // Only the stages that AES-128 skips look at the size of the key.
  if (!Passes) begin : g_any_size
    logic unused_aes256;
    assign unused_aes256 = aes256_i;
  end

endmodule

`default_nettype wire
