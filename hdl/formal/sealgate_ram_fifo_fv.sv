// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// sealgate_ram_fifo: words leave in the order they came, unchanged, none lost and none twice, and
// the output stands empty for one cycle at most while there is a word.
//
// As for sealgate_fifo, any one word is marked as it enters and followed to the output.

`default_nettype none

module sealgate_ram_fifo_fv (
  input wire logic       clk_i,
  input wire logic       valid_i,
  input wire logic       ready_i,
  input wire logic [3:0] data_i,
  input wire logic       mark_i  // the word that enters is the one to follow
);

  localparam int unsigned Depth = 4;

  logic rst_ni = 1'b0;  // low in the first cycle
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic       ready;
  logic       valid;
  logic [3:0] data;
  logic [2:0] count;

  sealgate_ram_fifo #(
    .Width(4),
    .Depth(Depth)
  ) dut (
    .clk_i,
    .rst_ni,
    .valid_i,
    .ready_o(ready),
    .data_i,
    .valid_o(valid),
    .ready_i,
    .data_o(data),
    .count_o(count)
  );

  logic [2:0] inside_q;   // words
  logic       marked_q;
  logic [2:0] ahead_q;    // words before the marked one
  logic [3:0] word_q;
  logic       waited_q;   // a word was inside in the last cycle, and none at the output
  logic       was_full_q;
  logic       push;
  logic       pop;

  assign push = valid_i && ready;
  assign pop  = valid && ready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      inside_q   <= '0;
      marked_q   <= 1'b0;
      waited_q   <= 1'b0;
      was_full_q <= 1'b0;
    end else begin
      inside_q <= inside_q + 3'(push) - 3'(pop);
      waited_q <= (inside_q != '0) && !valid;
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

  logic       at_output;  // the marked word
  logic [2:0] place;      // of it in the memory, otherwise
  logic [2:0] stored;     // words in the memory

  assign at_output = valid && (ahead_q == '0);
  assign place     = dut.read_q + ahead_q - 3'(valid);
  assign stored    = dut.write_q - dut.read_q;

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      a_ready:  assert (ready == (inside_q != 3'(Depth)));
      a_order:  assert (!(marked_q && at_output) || (data == word_q));
      a_count:  assert ((count == inside_q) && (inside_q <= 3'(Depth)));
      a_prompt: assert (!waited_q || valid);
      a_full:   assert ((inside_q <= 3'd1) || valid);

      // What carries the induction.
      a_after:  assert (dut.after_q == dut.read_q + 3'd1);
      a_waits:  assert (dut.waiting_q == (stored != '0));
      a_stored: assert (4'(stored) + 4'(valid) == 4'(inside_q));
      a_ahead:  assert (!marked_q || (ahead_q < inside_q));
      a_place:  assert (!marked_q || at_output || (dut.words_q[place[1:0]] == word_q));

      c_drained: cover (was_full_q && marked_q && at_output && (inside_q == 3'd1));
    end
  end

endmodule

`default_nettype wire
