// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The table of key contexts: who owns each, what it is for, and its static IV.
//
// Theory of operation: round keys and powers of H live in the AEAD core; this table holds the rest,
// in one memory. It carries out three requests, one at a time: load (the core's key unit works out
// the round keys first), drop and sweep; the last two wipe the core's tables and this one. A sweep
// drops every context, one a cycle: at reset, on zeroize and when the self test has failed. A look-up
// takes one cycle.

`default_nettype none

module sealgate_contexts
  import sealgate_pkg::*;
#(
  parameter int unsigned NumContexts = 1024,
  localparam int unsigned ContextWidth = $clog2(NumContexts)
) (
  input  wire logic                    clk_i,
  input  wire logic                    rst_ni,

  // The answer stands in the cycle after.
  input  wire logic                    lookup_i,
  input  wire logic [ContextWidth-1:0] lookup_ctx_i,
  output      context_t                lookup_o,

  // Held until done_o.
  input  wire logic                    load_i,
  input  wire logic                    drop_i,
  input  wire logic                    sweep_i,
  input  wire logic [ContextWidth-1:0] ctx_i,
  input  wire context_t                context_i,
  input  wire logic [255:0]            key_i,
  output      logic                    done_o,

  // To the AEAD core.
  output      logic                    key_valid_o,
  input  wire logic                    key_ready_i,
  output      logic [ContextWidth-1:0] key_ctx_o,
  output      logic [255:0]            key_data_o,
  output      logic                    key_aes256_o,
  input  wire logic                    key_done_i,
  output      logic                    wipe_valid_o,
  input  wire logic                    wipe_ready_i,
  output      logic [ContextWidth-1:0] wipe_ctx_o
);

  typedef enum logic [2:0] {
    StIdle,
    StKey,     // the key unit takes the key
    StExpand,  // and works on it
    StWipe,    // one context, or each in turn
    StDone
  } state_e;

  state_e                  state_q;
  logic                    sweep_q;
  logic [ContextWidth-1:0] wipe_q;
  logic                    wiped;
  logic                    last;

  assign wiped = (state_q == StWipe) && wipe_ready_i;
  assign last  = !sweep_q || (wipe_q == ContextWidth'(NumContexts - 1));

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q <= StIdle;
    end else begin
      unique case (state_q)
        StIdle: begin
          sweep_q <= sweep_i;
          wipe_q  <= sweep_i ? '0 : ctx_i;
          if (sweep_i || drop_i) state_q <= StWipe;
          else if (load_i) state_q <= StKey;
        end
        StKey:    if (key_ready_i) state_q <= StExpand;
        StExpand: if (key_done_i) state_q <= StDone;
        StWipe: begin
          if (wiped) begin
            wipe_q <= wipe_q + 1'b1;
            if (last) state_q <= StDone;
          end
        end
        StDone:  state_q <= StIdle;
        default: state_q <= StIdle;
      endcase
    end
  end

  assign done_o       = state_q == StDone;
  assign key_valid_o  = state_q == StKey;
  assign key_ctx_o    = ctx_i;
  assign key_data_o   = key_i;
  assign key_aes256_o = context_i.aes256;
  assign wipe_valid_o = state_q == StWipe;
  assign wipe_ctx_o   = wipe_q;

  context_t table_q[NumContexts];
  logic     loaded;
  assign loaded = (state_q == StExpand) && key_done_i;

  always_ff @(posedge clk_i) begin
    if (wiped) table_q[wipe_q] <= '0;
    else if (loaded) table_q[ctx_i] <= context_i;
    if (lookup_i) lookup_o <= table_q[lookup_ctx_i];
  end

endmodule

`default_nettype wire
