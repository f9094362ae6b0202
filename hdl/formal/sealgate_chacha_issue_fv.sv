// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// sealgate_chacha_issue: before the pipe rests, as many blocks of zeros have gone through each of
// its two banks as a bank holds, with no other block among them.
//
// The bank of a block is bit 2 of the count of cycles as it goes out. Blocks of zeros are counted
// by bank, from the last block of a record on.

`default_nettype none

module sealgate_chacha_issue_fv
  import sealgate_chacha_pkg::*;
(
  input wire logic         clk_i,
  input wire logic         cmd_valid_i,
  input wire logic         cmd_ctx_i,
  input wire logic         cmd_open_i,
  input wire logic [95:0]  cmd_nonce_i,
  input wire logic [127:0] cmd_aad_i,
  input wire logic [4:0]   cmd_aad_bytes_i,
  input wire logic         cmd_has_text_i,
  input wire logic [15:0]  cmd_text_bytes_i,
  input wire logic         in_valid_i,
  input wire logic         text_room_i,
  input wire logic         tag_credit_i,
  input wire logic         block_room_i
);

  localparam int unsigned CountWidth = $clog2(RingBlocks + 1);
  typedef logic [CountWidth-1:0] count_t;

  logic rst_ni = 1'b0;  // low in the first cycle
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic        cmd_ready, in_ready, block_valid, column_valid, column_zero, column_ctx;
  logic        busy, working, stall;
  block_t      block;
  record_t     record;
  logic [63:0] aad_lo, aad_hi;
  logic [2:0]  cycle;
  logic [31:0] column_word;

  sealgate_chacha_issue #(
    .NumContexts(2)
  ) dut (
    .clk_i,
    .rst_ni,
    .cmd_valid_i,
    .cmd_ready_o(cmd_ready),
    .cmd_ctx_i,
    .cmd_open_i,
    .cmd_nonce_i,
    .cmd_aad_i,
    .cmd_aad_bytes_i,
    .cmd_has_text_i,
    .cmd_text_bytes_i,
    .in_valid_i,
    .in_ready_o(in_ready),
    .text_room_i,
    .tag_credit_i,
    .block_room_i,
    .block_valid_o(block_valid),
    .block_o(block),
    .record_o(record),
    .aad_lo_o(aad_lo),
    .aad_hi_o(aad_hi),
    .cycle_o(cycle),
    .column_valid_o(column_valid),
    .column_zero_o(column_zero),
    .column_ctx_o(column_ctx),
    .column_word_o(column_word),
    .busy_o(busy),
    .working_o(working),
    .stall_o(stall)
  );

  count_t zeros_q[2];
  logic   record_q;  // there was a block of a record
  logic   late_q;    // the last slot could have had a block of zeros, and had none
  logic   of_record;

  assign of_record = block.key || block.text;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      zeros_q  <= '{default: '0};
      record_q <= 1'b0;
      late_q   <= 1'b0;
    end else begin
      if (block_valid && of_record) zeros_q <= '{default: '0};
      else if (block_valid) zeros_q[cycle[2]] <= zeros_q[cycle[2]] + 1'b1;
      if (block_valid && of_record) record_q <= 1'b1;
      if (cycle[1:0] == 2'd3) late_q <= !block_valid && record_q && !busy;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      a_rest: assert (working || ((zeros_q[0] == count_t'(RingBlocks / 2)) &&
                                  (zeros_q[1] == count_t'(RingBlocks / 2))));

      // What carries the induction.
      a_valid:  assert (block_valid == (dut.key_q || dut.text_q || dut.zero_q));
      a_one:    assert (!dut.zero_q || !of_record);
      a_last:   assert (!block_valid || (cycle[1:0] == 2'd3));
      a_bank:   assert (!dut.zero_q || ((cycle[2] == dut.scrub_q[0]) && (dut.scrub_q != '0)));
      a_number: assert (dut.scrub_q <= count_t'(RingBlocks));
      a_even:   assert (zeros_q[0] == (count_t'(RingBlocks + 1) - dut.scrub_q) >> 1);
      a_odd:    assert (zeros_q[1] == (count_t'(RingBlocks) - dut.scrub_q) >> 1);

      c_late: cover (late_q && block_valid && !of_record && record_q && (zeros_q[1] == 7'd1));
    end
  end

  logic unused;
  assign unused = cmd_ready ^ in_ready ^ column_valid ^ column_zero ^ column_ctx ^ stall ^
                  (^record) ^ (^aad_lo) ^ (^aad_hi) ^ (^column_word) ^ (^block);

endmodule

`default_nettype wire
