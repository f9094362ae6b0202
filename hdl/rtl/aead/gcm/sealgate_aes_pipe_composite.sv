// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// sealgate_aes_pipe for synthesis: composite S-boxes, five cycles per round, no enables.
//
// Theory of operation: the round keys lie as they do in the other pipe: those of AES-128 belong to
// stage 0 and rounds 5 to 14. Its blocks do not pass through rounds 1 to 4: every block is delayed
// beside them, and a multiplexer of one stage takes either the delayed block or that of round 4.
// Writes of the tables go from round to round with a register at each, so that the key unit does
// not drive block RAM all over the device: a write is in the last table sealgate_aes_pkg::NumRounds
// + 1 cycles after it was at the port.

`default_nettype none

module sealgate_aes_pipe_composite
  import sealgate_aes_pkg::*;
#(
  parameter int unsigned NumContexts = 1024,
  localparam int unsigned CtxWidth = $clog2(NumContexts)
) (
  input  wire logic                clk_i,

  // Write port of the tables: one bit per stage that takes this round key.
  input  wire logic [NumRounds:0]  write_i,
  input  wire logic [CtxWidth-1:0] write_ctx_i,
  input  wire logic                write_aes256_i,
  input  wire logic [127:0]        write_key_i,

  // A block to encrypt: four columns in bus order.
  input  wire logic [CtxWidth-1:0] ctx_i,
  input  wire logic [3:0][31:0]    cols_i,

  // The block that entered pipe_latency(SboxComposite) cycles ago.
  output      logic [3:0][31:0]    cols_o
);

  // Writes, stage by stage.
  for (genvar r = 0; r <= NumRounds; r++) begin : g_write
    logic [NumRounds:r]  write_q;
    logic [CtxWidth-1:0] ctx_q;
    logic [127:0]        key_q;

    if (r == 0) begin : g_first
      always_ff @(posedge clk_i) begin
        write_q <= write_i;
        ctx_q   <= write_ctx_i;
        key_q   <= write_key_i;
      end
    end else begin : g_next
      always_ff @(posedge clk_i) begin
        write_q <= g_write[r-1].write_q[NumRounds:r];
        ctx_q   <= g_write[r-1].ctx_q;
        key_q   <= g_write[r-1].key_q;
      end
    end
  end

  // Entry: the first round key is looked up, then added.
  logic [CtxWidth-1:0] ctx_q;
  logic [CtxWidth-1:0] entered_ctx;
  logic [3:0][31:0]    waiting, key, entered_q;

  always_ff @(posedge clk_i) ctx_q <= ctx_i;

  sealgate_delay #(
    .Width(128),
    .Cycles(CompositeEntryStages - 1)
  ) u_waiting (
    .clk_i,
    .value_i(cols_i),
    .value_o(waiting)
  );

  sealgate_delay #(
    .Width(CtxWidth),
    .Cycles(CompositeEntryStages - 1)
  ) u_entered_ctx (
    .clk_i,
    .value_i(ctx_q),
    .value_o(entered_ctx)
  );

  sealgate_aes_key_table #(
    .NumContexts(NumContexts)
  ) u_key_table (
    .clk_i,
    .write_i(g_write[0].write_q[0]),
    .write_ctx_i(g_write[0].ctx_q),
    .write_key_i(g_write[0].key_q),
    .ctx_i(ctx_q),
    .key_o(key)
  );

  always_ff @(posedge clk_i) entered_q <= waiting ^ key;

  // The way past rounds 1 to 4, and where it ends: the key size of each context, read two rounds
  // ahead, one copy per column.
  (* ram_style = "block", no_rw_check *)
  logic                aes256_mem[NumContexts];
  logic                aes256_read_q;
  logic                aes256;
  logic [3:0]          aes256_q;
  logic [3:0][31:0]    passed;
  logic [3:0][31:0]    joined_q;
  logic [CtxWidth-1:0] joined_ctx_q;

  always_ff @(posedge clk_i) begin
    if (write_i[0]) aes256_mem[write_ctx_i] <= write_aes256_i;
  end

  always_ff @(posedge clk_i) aes256_read_q <= aes256_mem[g_round[NumPassRounds-1].ctx];

  sealgate_delay #(
    .Width(1),
    .Cycles(CompositeRoundStages - 2)
  ) u_aes256 (
    .clk_i,
    .value_i(aes256_read_q),
    .value_o(aes256)
  );

  sealgate_delay #(
    .Width(128),
    .Cycles(NumPassRounds * CompositeRoundStages)
  ) u_passed (
    .clk_i,
    .value_i(entered_q),
    .value_o(passed)
  );

  sealgate_copies #(
    .Copies(4)
  ) u_aes256_copies (
    .clk_i,
    .value_i(aes256),
    .copies_o(aes256_q)
  );

  always_ff @(posedge clk_i) begin
    joined_ctx_q <= g_round[NumPassRounds].ctx;
    for (int unsigned c = 0; c < 4; c++) begin
      joined_q[c] <= aes256_q[c] ? g_round[NumPassRounds].cols[c] : passed[c];
    end
  end

  // Rounds; `ctx` and `cols` of round r are those at its end.
  for (genvar r = 0; r <= NumRounds; r++) begin : g_round
    logic [CtxWidth-1:0] ctx;
    logic [3:0][31:0]    cols;

    if (r == 0) begin : g_entry
      assign ctx  = entered_ctx;
      assign cols = entered_q;
    end else begin : g_full
      logic [CtxWidth-1:0] from_ctx;
      logic [3:0][31:0]    from_cols;

      assign from_ctx  = (r == NumPassRounds + 1) ? joined_ctx_q : g_round[r-1].ctx;
      assign from_cols = (r == NumPassRounds + 1) ? joined_q : g_round[r-1].cols;

      sealgate_aes_round_composite #(
        .Final(r == NumRounds),
        .NumContexts(NumContexts)
      ) u_round (
        .clk_i,
        .write_i(g_write[r].write_q[r]),
        .write_ctx_i(g_write[r].ctx_q),
        .write_key_i(g_write[r].key_q),
        .ctx_i(from_ctx),
        .cols_i(from_cols),
        .ctx_o(ctx),
        .cols_o(cols)
      );
    end
  end

  logic [CtxWidth-1:0] unused_ctx;

  assign cols_o     = g_round[NumRounds].cols;
  assign unused_ctx = g_round[NumRounds].ctx;

endmodule

`default_nettype wire
