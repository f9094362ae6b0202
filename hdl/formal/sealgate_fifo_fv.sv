// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// sealgate_fifo: words leave in the order they came, unchanged, none lost and none twice.
//
// Any one word is marked as it enters, and how many stand before it is counted; it must be the one
// that leaves when none does. As any word may be the marked one, this holds for all. Depth is no
// power of two, so the indices wrap by comparison.

`default_nettype none

module sealgate_fifo_fv (
  input wire logic       clk_i,
  input wire logic       clear_i,
  input wire logic       valid_i,
  input wire logic       ready_i,
  input wire logic [3:0] data_i,
  input wire logic       mark_i  // the word that enters is the one to follow
);

  localparam int unsigned Depth = 3;

  logic rst_ni = 1'b0;  // low in the first cycle
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic       ready;
  logic       valid;
  logic [3:0] data;

  sealgate_fifo #(
    .Width(4),
    .Depth(Depth)
  ) dut (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i,
    .ready_o(ready),
    .data_i,
    .valid_o(valid),
    .ready_i,
    .data_o(data)
  );

  logic [2:0] inside_q;  // words
  logic       marked_q;
  logic [2:0] ahead_q;   // words before the marked one
  logic [3:0] word_q;
  logic       push;
  logic       pop;
  logic       was_full_q;

  assign push = valid_i && ready;
  assign pop  = valid && ready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      inside_q   <= '0;
      marked_q   <= 1'b0;
      was_full_q <= 1'b0;
    end else begin
      inside_q <= inside_q + 3'(push) - 3'(pop);
      if (inside_q == 3'(Depth)) was_full_q <= 1'b1;
      if (push && mark_i && !marked_q) begin
        marked_q <= 1'b1;
        ahead_q  <= inside_q - 3'(pop);
        word_q   <= data_i;
      end else if (marked_q && pop) begin
        marked_q <= ahead_q != '0;
        ahead_q  <= ahead_q - 3'd1;
      end
    end
  end

  logic [2:0] place;  // of the marked word
  assign place = (3'(dut.read_q) + ahead_q) % 3'(Depth);

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      a_ready: assert (ready == (inside_q != 3'(Depth)));
      a_valid: assert (valid == (inside_q != '0));
      a_order: assert (!(marked_q && (ahead_q == '0)) || (valid && (data == word_q)));

      // What carries the induction.
      a_count: assert (3'(dut.count_q) == inside_q && inside_q <= 3'(Depth));
      a_read:  assert (3'(dut.read_q) < 3'(Depth));
      a_write: assert (3'(dut.write_q) == (3'(dut.read_q) + inside_q) % 3'(Depth));
      a_ahead: assert (!marked_q || (ahead_q < inside_q));
      a_place: assert (!marked_q || (dut.words_q[place[1:0]] == word_q));

      c_drained: cover (was_full_q && marked_q && (ahead_q == '0) && (inside_q == 3'd1));
    end
  end

endmodule

`default_nettype wire
