// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The table of key contexts: who owns each, what it is for, and its static IV.
//
// Theory of operation: round keys and powers of H live in the lanes; this table holds the rest, in
// one memory. One request is carried out at a time: load (the lanes work out the round keys first),
// drop or sweep; the last two wipe the lanes' tables and this one. A sweep drops every context, one
// a cycle: at reset, on zeroize and when the self test has failed. Requests of decode are taken
// with their key, so that the entry can be erased at once; the key held here is erased when the
// lanes have done with it. Requests of the self test go before those of decode and are held until
// they are done; a sweep goes before both. The table changes only between the taking of a request
// and its done: what was looked up while request_ready_o was 1 is still so when a request is
// offered.
//
// In hardware what comes with a request is registered a cycle after the request is taken, and has to
// stand until then: whether it is taken is the end of a long path, and this is hundreds of bits.

`default_nettype none

module sealgate_contexts
  import sealgate_pkg::*;
#(
  parameter int unsigned NumContexts = 1024,
  parameter bit Pipelined = 1'b0,
  localparam int unsigned ContextWidth = $clog2(NumContexts)
) (
  input  wire logic                    clk_i,
  input  wire logic                    rst_ni,

  // The answer stands from the cycle after until the next look-up.
  input  wire logic                    lookup_i,
  input  wire logic [ContextWidth-1:0] lookup_ctx_i,
  output      context_t                lookup_o,

  // Requests of decode.
  input  wire logic                    request_valid_i,
  output      logic                    request_ready_o,
  input  wire logic                    request_load_i,  // 1: load, 0: drop
  input  wire logic [ContextWidth-1:0] request_ctx_i,
  input  wire context_t                request_context_i,
  input  wire logic [255:0]            request_key_i,
  output      logic                    request_done_o,  // one cycle

  // Of the supervisor; held until done.
  input  wire logic                    sweep_i,
  output      logic                    sweep_done_o,

  // Of the self test, for context 0; held until done.
  input  wire logic                    test_load_i,
  input  wire logic                    test_drop_i,
  input  wire context_t                test_context_i,
  input  wire logic [255:0]            test_key_i,
  output      logic                    test_done_o,

  // To the lanes.
  output      logic                    key_valid_o,
  input  wire logic                    key_ready_i,
  output      logic [ContextWidth-1:0] key_ctx_o,
  output      logic [255:0]            key_data_o,
  output      suite_t                  key_suite_o,
  input  wire logic                    key_done_i,
  output      logic                    wipe_valid_o,
  input  wire logic                    wipe_ready_i,
  output      logic [ContextWidth-1:0] wipe_ctx_o
);

  localparam logic [ContextWidth-1:0] LastContext = ContextWidth'(NumContexts - 1);

  typedef enum logic [2:0] {
    StIdle,
    StTake,    // what comes with the request; in hardware alone
    StKey,     // the lanes take the key
    StExpand,  // and work on it
    StWipe,    // one context, or each in turn
    StDone
  } state_e;

  typedef enum logic [1:0] {
    Decode,
    Test,
    Sweep
  } requester_e;

  state_e                  state_q;
  requester_e              requester_q;
  logic [ContextWidth-1:0] ctx_q;      // of the request; a sweep counts it up
  context_t                context_q;
  logic [255:0]            key_q;

  logic wiped;
  logic loaded;
  logic last;

  assign wiped  = (state_q == StWipe) && wipe_ready_i;
  assign loaded = (state_q == StExpand) && key_done_i;
  assign last   = (requester_q != Sweep) || (ctx_q == LastContext);

  // --- Steps of a request ------------------------------------------------------------------------

  requester_e requester;
  requester_e taken_from;
  logic       start;
  logic       take;  // what comes with the request is registered
  logic       load;

  always_comb begin
    requester = Decode;
    if (sweep_i) requester = Sweep;
    else if (test_load_i || test_drop_i) requester = Test;

    start = (state_q == StIdle) && ((requester != Decode) || request_valid_i);
  end

  assign take       = Pipelined ? (state_q == StTake) : start;
  assign taken_from = Pipelined ? requester_q : requester;

  always_comb begin
    unique case (taken_from)
      Sweep:   load = 1'b0;
      Test:    load = test_load_i;
      default: load = request_load_i;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q <= StIdle;
    end else begin
      unique case (state_q)
        StIdle:   if (start) state_q <= Pipelined ? StTake : load ? StKey : StWipe;
        StTake:   state_q <= load ? StKey : StWipe;
        StKey:    if (key_ready_i) state_q <= StExpand;
        StExpand: if (key_done_i) state_q <= StDone;
        StWipe:   if (wiped && last) state_q <= StDone;
        StDone:   state_q <= StIdle;
        default:  state_q <= StIdle;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (start) requester_q <= requester;
    if (take) ctx_q <= (taken_from == Decode) ? request_ctx_i : '0;
    else if (wiped) ctx_q <= ctx_q + 1'b1;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni || (state_q == StDone)) begin
      context_q <= '0;
      key_q     <= '0;
    end else if (take && load) begin
      context_q <= (taken_from == Test) ? test_context_i : request_context_i;
      key_q     <= (taken_from == Test) ? test_key_i : request_key_i;
    end
  end

  assign request_ready_o = (state_q == StIdle) && (requester == Decode);
  assign request_done_o  = (state_q == StDone) && (requester_q == Decode);
  assign test_done_o     = (state_q == StDone) && (requester_q == Test);
  assign sweep_done_o    = (state_q == StDone) && (requester_q == Sweep);

  assign key_valid_o  = state_q == StKey;
  assign key_ctx_o    = ctx_q;
  assign key_data_o   = key_q;
  assign key_suite_o  = context_q.suite;
  assign wipe_valid_o = state_q == StWipe;
  assign wipe_ctx_o   = ctx_q;

  // --- The table ---------------------------------------------------------------------------------

  context_t table_q[NumContexts];

  always_ff @(posedge clk_i) begin
    if (wiped || loaded) table_q[ctx_q] <= loaded ? context_q : '0;
  end

  always_ff @(posedge clk_i) begin
    if (lookup_i) lookup_o <= table_q[lookup_ctx_i];
  end

endmodule

`default_nettype wire
