// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What state the engine is in: reset, self test, ready, zeroize.
//
// Theory of operation: after a reset every context is swept, then the self test runs, and if it
// passes the engine is ready; if it fails all is swept once more and the engine stays refused. A
// reset that the host asks for waits until no entry is in flight and the bus is quiet; no further
// entry is fetched meanwhile. A zeroize waits until no record is under way.

`default_nettype none

module sealgate_supervisor (
  input  wire logic       clk_i,
  input  wire logic       rst_ni,

  input  wire logic       reset_i,    // the host asks for a reset, one cycle
  input  wire logic       zeroize_i,  // or for a zeroize
  input  wire logic       busy_i,     // entries in flight or the bus not quiet
  input  wire logic       decode_busy_i,

  output      logic       engine_rst_no,
  output      logic       fetch_o,
  output      logic       ready_o,
  output      logic [1:0] selftest_o,  // as STATUS.selftest
  output      logic       selftest_failed_o,  // one cycle

  output      logic       sweep_o,
  input  wire logic       sweep_done_i,
  output      logic       selftest_start_o,
  output      logic       selftest_active_o,
  input  wire logic       selftest_done_i,
  input  wire logic       selftest_passed_i
);

  typedef enum logic [2:0] {
    StReset,
    StSweep,
    StTest,
    StFail,     // sweep after a failure
    StFailed,
    StReady,
    StZeroize,  // wait for the records under way
    StWipe
  } state_e;

  localparam logic [1:0] Running = 2'd0;
  localparam logic [1:0] Passed = 2'd1;
  localparam logic [1:0] Failed = 2'd2;

  // Cycles that the engine is held in reset.
  localparam logic [2:0] ResetCycles = 3'd7;

  state_e     state_q;
  logic [2:0] count_q;
  logic       reset_owed_q;
  logic       zeroize_owed_q;
  logic       started_q;

  // A register, as much depends on it, of the sense that registers of FPGAs want.
  logic engine_rst_q;

  always_ff @(posedge clk_i) engine_rst_q <= !rst_ni || (state_q == StReset);

  assign engine_rst_no     = !engine_rst_q;

  assign fetch_o           = !reset_owed_q && (state_q != StReset);
  assign ready_o           = (state_q == StReady) && !zeroize_owed_q && !reset_owed_q;
  assign sweep_o           = (state_q == StSweep) || (state_q == StFail) || (state_q == StWipe);
  assign selftest_active_o = state_q == StTest;
  assign selftest_start_o  = (state_q == StTest) && !started_q;
  assign selftest_failed_o = (state_q == StTest) && selftest_done_i && !selftest_passed_i;

  always_comb begin
    unique case (state_q)
      StReady, StZeroize, StWipe: selftest_o = Passed;
      StFail, StFailed: selftest_o = Failed;
      default: selftest_o = Running;
    endcase
    if (reset_owed_q) selftest_o = Running;
  end

  logic settled;  // a reset may begin
  assign settled = (state_q == StReady) || (state_q == StFailed);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q        <= StReset;
      count_q        <= '0;
      reset_owed_q   <= 1'b0;
      zeroize_owed_q <= 1'b0;
      started_q      <= 1'b0;
    end else begin
      if (reset_i) reset_owed_q <= 1'b1;
      if (zeroize_i) zeroize_owed_q <= 1'b1;
      started_q <= state_q == StTest;

      unique case (state_q)
        StReset: begin
          zeroize_owed_q <= 1'b0;
          count_q        <= count_q + 3'd1;
          if (count_q == ResetCycles) state_q <= StSweep;
        end
        StSweep: if (sweep_done_i) state_q <= StTest;
        StTest:  if (selftest_done_i) state_q <= selftest_passed_i ? StReady : StFail;
        StFail:  if (sweep_done_i) state_q <= StFailed;
        StReady: if (zeroize_owed_q) state_q <= StZeroize;
        StZeroize: if (!decode_busy_i) state_q <= StWipe;
        StWipe: begin
          if (sweep_done_i) begin
            state_q        <= StReady;
            zeroize_owed_q <= 1'b0;
          end
        end
        StFailed: zeroize_owed_q <= 1'b0;
        default: state_q <= StReset;
      endcase

      if (reset_owed_q && settled && !busy_i) begin
        state_q      <= StReset;
        count_q      <= '0;
        reset_owed_q <= 1'b0;
      end
    end
  end

endmodule

`default_nettype wire
