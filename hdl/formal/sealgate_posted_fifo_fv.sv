// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// sealgate_posted_fifo with `Registered`: words leave in the order they came, unchanged, none lost
// and none twice, and room is there again when all have left.
//
// Any one word is marked as it enters, and how many stand before it is counted, as for sealgate_fifo.

`default_nettype none

module sealgate_posted_fifo_fv (
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
  logic       enter;
  logic       pop;

  assign enter = valid_i && ready;
  assign pop   = valid && ready_i;

  sealgate_posted_fifo #(
    .Width(4),
    .Depth(Depth),
    .Registered(1'b1)
  ) dut (
    .clk_i,
    .rst_ni,
    .valid_i,
    .ready_o(ready),
    .data_i,
    .valid_o(valid),
    .ready_i,
    .data_o (data)
  );

  // Inside it.
  logic [2:0] count;
  logic       flying;
  assign count  = dut.g_registered.u_landing.count_q;
  assign flying = dut.g_registered.taken_q;

  logic [2:0] inside_q;  // words, the one on its way included
  logic       marked_q;
  logic [2:0] ahead_q;   // words before the marked one
  logic [3:0] word_q;
  logic       was_full_q;
  logic       was_empty_q;  // for a cycle

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      inside_q    <= '0;
      marked_q    <= 1'b0;
      was_full_q  <= 1'b0;
      was_empty_q <= 1'b0;
    end else begin
      inside_q    <= inside_q + 3'(enter) - 3'(pop);
      was_empty_q <= (inside_q == '0) && !enter;
      if (count == 3'(Depth - 1)) was_full_q <= 1'b1;
      if (enter && mark_i && !marked_q) begin
        marked_q <= 1'b1;
        ahead_q  <= inside_q - 3'(pop);
        word_q   <= data_i;
      end else if (marked_q && pop) begin
        marked_q <= ahead_q != '0;
        ahead_q  <= ahead_q - 3'd1;
      end
    end
  end

  logic [1:0] place;  // of the marked word in the memory
  assign place = dut.g_registered.u_landing.read_q + ahead_q[1:0];

  logic [2:0] before_q;  // words in the memory, a cycle ago
  logic       push_q;
  always_ff @(posedge clk_i) begin
    before_q <= rst_ni ? count : '0;
    push_q   <= rst_ni && flying;
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      a_order: assert (!(marked_q && valid && (ahead_q == '0)) || (data == word_q));
      a_inside: assert (inside_q <= 3'(Depth));
      a_valid: assert (valid == (count != '0));
      a_room:  assert (ready || !was_empty_q);

      // What carries the induction.
      a_count: assert (count + 3'(flying) == inside_q);
      a_index: assert (dut.g_registered.u_landing.write_q ==
                       2'(dut.g_registered.u_landing.read_q + count[1:0]));
      a_early: assert (!ready || (before_q <= 3'd1));
      a_step:  assert (count <= before_q + 3'(push_q));
      a_ahead: assert (!marked_q || (ahead_q < inside_q));
      a_place: assert (!(marked_q && (ahead_q < count)) ||
                       (dut.g_registered.u_landing.words_q[place] == word_q));
      a_next:  assert (!(marked_q && flying && (ahead_q == count)) ||
                       (dut.g_registered.data_q == word_q));

      c_drained: cover (was_full_q && marked_q && valid && (inside_q == 3'd1));
    end
  end

endmodule

`default_nettype wire
