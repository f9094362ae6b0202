// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Loads and wipes the table of ChaCha20 keys.
//
// Theory of operation: a key needs no expansion, it is written to the table column by column in
// four cycles, and so are the zeros of a wipe, apart from the data path. After reset every context
// is wiped before the first load or wipe is accepted, so that no key survives a reset. The key in
// the working register is shifted out as it is written.

`default_nettype none

module sealgate_chacha_key_unit #(
  parameter int unsigned NumContexts = 1024,
  localparam int unsigned CtxWidth = $clog2(NumContexts)
) (
  input  wire logic                clk_i,
  input  wire logic                rst_ni,

  input  wire logic                key_valid_i,
  output      logic                key_ready_o,
  input  wire logic [CtxWidth-1:0] key_ctx_i,
  input  wire logic [255:0]        key_data_i,
  // One cycle: the table holds the key.
  output      logic                key_done_o,

  // Wipe; goes before a load that is offered at the same time.
  input  wire logic                wipe_valid_i,
  output      logic                wipe_ready_o,
  input  wire logic [CtxWidth-1:0] wipe_ctx_i,

  // Write port of the table: words 4 + c and c of the key.
  output      logic                write_o,
  output      logic [CtxWidth-1:0] write_ctx_o,
  output      logic [1:0]          write_column_o,
  output      logic [63:0]         write_words_o
);

  localparam logic [CtxWidth-1:0] LastContext = CtxWidth'(NumContexts - 1);

  logic                write_q;
  (* keep *)
  logic                shift_q;  // the same, for the words alone
  logic                load_q;
  // The wipe goes on with the next context, up to the last.
  logic                sweep_q;
  logic [CtxWidth-1:0] ctx_q;
  logic [1:0]          column_q;
  logic [63:0]         words_0_q, words_1_q, words_2_q, words_3_q;
  logic                load;

  assign wipe_ready_o = !write_q;
  assign key_ready_o  = !write_q && !wipe_valid_i;
  assign load         = key_valid_i && key_ready_o;

  assign write_o        = write_q;
  assign write_ctx_o    = ctx_q;
  assign write_column_o = column_q;
  assign write_words_o  = words_0_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      write_q    <= 1'b1;
      shift_q    <= 1'b1;
      load_q     <= 1'b0;
      sweep_q    <= 1'b1;
      ctx_q      <= '0;
      column_q   <= '0;
      key_done_o <= 1'b0;
    end else begin
      key_done_o <= 1'b0;
      if (write_q) begin
        column_q <= column_q + 2'd1;
        if (column_q == 2'd3) begin
          key_done_o <= load_q;
          ctx_q      <= ctx_q + 1'b1;
          sweep_q    <= sweep_q && (ctx_q != LastContext);
          write_q    <= sweep_q && (ctx_q != LastContext);
          shift_q    <= sweep_q && (ctx_q != LastContext);
        end
      end else begin
        write_q <= wipe_valid_i || key_valid_i;
        shift_q <= wipe_valid_i || key_valid_i;
        load_q  <= load;
        ctx_q   <= wipe_valid_i ? wipe_ctx_i : key_ctx_i;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      words_0_q <= '0;
      words_1_q <= '0;
      words_2_q <= '0;
      words_3_q <= '0;
    end else if (load || shift_q) begin
      // Not by `load`, which is late.
      words_0_q <= shift_q ? words_1_q : {key_data_i[159:128], key_data_i[31:0]};
      words_1_q <= shift_q ? words_2_q : {key_data_i[191:160], key_data_i[63:32]};
      words_2_q <= shift_q ? words_3_q : {key_data_i[223:192], key_data_i[95:64]};
      words_3_q <= shift_q ? '0 : {key_data_i[255:224], key_data_i[127:96]};
    end
  end

endmodule

`default_nettype wire
