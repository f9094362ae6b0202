// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// sealgate_landing: behind a pipeline of the longest that is allowed words leave in the order they
// entered it, unchanged, none lost and none twice.
//
// As for sealgate_fifo, any one word is marked as it enters and followed to the output.

`default_nettype none

module sealgate_landing_fv (
  input wire logic       clk_i,
  input wire logic       valid_i,
  input wire logic       ready_i,
  input wire logic [3:0] data_i,
  input wire logic       mark_i  // the word that enters is the one to follow
);

  localparam int unsigned Depth = 8;

  logic rst_ni = 1'b0;  // low in the first cycle
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  // The pipeline: Depth / 2 - 2 cycles.
  logic       first_valid_q, second_valid_q;
  logic [3:0] first_q, second_q;
  logic       room;
  logic       valid;
  logic [3:0] data;
  logic       enter;
  logic       pop;

  assign enter = valid_i && room;
  assign pop   = valid && ready_i;

  always_ff @(posedge clk_i) begin
    first_valid_q  <= enter && rst_ni;
    second_valid_q <= first_valid_q && rst_ni;
    first_q        <= data_i;
    second_q       <= first_q;
  end

  sealgate_landing #(
    .Width(4),
    .Depth(Depth)
  ) dut (
    .clk_i,
    .rst_ni,
    .room_o (room),
    .valid_i(second_valid_q && rst_ni),
    .data_i (second_q),
    .valid_o(valid),
    .ready_i,
    .data_o (data)
  );

  logic [3:0] inside_q;   // words, those in the pipeline included
  logic       marked_q;
  logic [3:0] ahead_q;    // words before the marked one
  logic [3:0] word_q;
  logic       was_full_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      inside_q   <= '0;
      marked_q   <= 1'b0;
      was_full_q <= 1'b0;
    end else begin
      inside_q <= inside_q + 4'(enter) - 4'(pop);
      if (dut.count_q == 4'(Depth)) was_full_q <= 1'b1;
      if (enter && mark_i && !marked_q) begin
        marked_q <= 1'b1;
        ahead_q  <= inside_q - 4'(pop);
        word_q   <= data_i;
      end else if (marked_q && pop) begin
        marked_q <= ahead_q != '0;
        ahead_q  <= ahead_q - 4'd1;
      end
    end
  end

  logic [2:0] place;   // of the marked word in the memory
  logic       stored;  // it is there

  assign place  = dut.read_q + ahead_q[2:0];
  assign stored = ahead_q < dut.count_q;

  logic [3:0] flying;
  assign flying = 4'(first_valid_q) + 4'(second_valid_q);

  logic [3:0] before_q;  // words in the memory, a cycle ago
  logic       push_q;
  always_ff @(posedge clk_i) begin
    before_q <= rst_ni ? dut.count_q : '0;
    push_q   <= rst_ni && second_valid_q;
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      a_order: assert (!(marked_q && valid && (ahead_q == '0)) || (data == word_q));
      a_room:  assert (inside_q <= 4'(Depth));
      a_valid: assert (valid == (dut.count_q != '0));

      // What carries the induction.
      a_count: assert (4'(dut.count_q) + flying == inside_q);
      a_index: assert (dut.write_q == 3'(dut.read_q + dut.count_q[2:0]));
      a_early: assert (!room || (before_q <= 4'(Depth / 2)));
      a_step:  assert (4'(dut.count_q) <= before_q + 4'(push_q));
      a_ahead: assert (!marked_q || (ahead_q < inside_q));
      a_place: assert (!(marked_q && stored) || (dut.words_q[place] == word_q));
      a_next:  assert (!(marked_q && second_valid_q && (ahead_q == dut.count_q)) ||
                       (second_q == word_q));
      a_last:  assert (!(marked_q && first_valid_q &&
                         (ahead_q == dut.count_q + 4'(second_valid_q))) || (first_q == word_q));

      c_drained: cover (was_full_q && marked_q && valid && (inside_q == 4'd1));
    end
  end

endmodule

`default_nettype wire
