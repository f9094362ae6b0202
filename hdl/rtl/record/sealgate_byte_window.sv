// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Takes 0 to 16 bytes at a time out of the words of a span, which starts at any byte of its first.
//
// Theory of operation: one word is held, and a position in it. What is taken is cut out of this
// word and the one at the input; when the last byte of the held word goes, the one at the input
// takes its place. So 16 bytes leave in every cycle at any position, and no word is asked for that
// the span does not have. The held word is given up with the start of the next span; words of a
// span that are still at the input when no more of it is wanted are thrown away by `drain_i`.
//
// With `Pipelined` the bytes come WindowStages cycles after it was said that they go: what decides
// about them is registered, in copies, before it meets the words.

`default_nettype none

module sealgate_byte_window
  import sealgate_pkg::*;
  import sealgate_record_pkg::*;
#(
  parameter bit Pipelined = 1'b0
) (
  input  wire logic                 clk_i,
  input  wire logic                 rst_ni,

  // Opens a span of so many words, when none of the last one is left at the input.
  input  wire logic                 start_i,
  input  wire logic [3:0]           offset_i,
  input  wire logic [16:0]          words_i,
  input  wire logic                 any_i,  // there are any

  input  wire logic                 word_valid_i,
  output      logic                 word_ready_o,
  input  wire logic [WordWidth-1:0] word_data_i,
  input  wire logic                 word_error_i,

  // Takes bytes that the span still has; they go in the cycle in which `available_o` is high. Bytes
  // of the data past them are undefined. With `Pipelined` take_bytes_i has to be the same for a cycle
  // before anything is taken, and again after a take that was not of 16 bytes; and the data, but not
  // the error, comes WindowStages cycles later.
  input  wire logic                 take_i,
  input  wire logic [4:0]           take_bytes_i,
  output      logic                 available_o,
  output      logic [WordWidth-1:0] data_o,
  output      logic                 error_o,

  // Throws away the words at the input that belong to the span, one per cycle.
  input  wire logic                 drain_i,
  output      logic                 drained_o
);

  logic        held_q;
  logic        error_q;
  logic [3:0]  position_q;
  logic [16:0] words_q;  // at the input
  logic        more_q;   // there are any

  logic [5:0] end_position;
  logic       used_up_d, used_up;        // the held word is
  logic       needs_next_d, needs_next;  // bytes of the word at the input are taken
  logic       any_d, any;                // any are
  logic       taken;
  logic       load;

  assign end_position = {2'b0, position_q} + {1'b0, take_bytes_i};
  assign used_up_d    = end_position[5:4] != 2'b00;
  assign needs_next_d = end_position > 6'd16;
  assign any_d        = take_bytes_i != 5'd0;
  assign available_o  = !any || (held_q && (!needs_next || word_valid_i));
  assign error_o      = any && (error_q || (needs_next && word_error_i));
  assign taken        = take_i && available_o && any;

  sealgate_delay #(
    .Width(3),
    .Cycles(Pipelined ? 1 : 0)
  ) u_shape (
    .clk_i,
    .value_i({used_up_d, needs_next_d, any_d}),
    .value_o({used_up, needs_next, any})
  );

  assign word_ready_o = more_q && (!held_q || drain_i || (take_i && used_up));
  assign load         = word_valid_i && word_ready_o;
  assign drained_o    = !more_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      held_q  <= 1'b0;
      words_q <= '0;
      more_q  <= 1'b0;
    end else begin
      if (load) held_q <= 1'b1;
      else if (start_i || (taken && used_up)) held_q <= 1'b0;
      if (start_i) begin
        words_q <= words_i;
        more_q  <= any_i;
      end else if (load) begin
        words_q <= words_q - 17'd1;
        more_q  <= words_q != 17'd1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) position_q <= offset_i;
    else if (taken) position_q <= end_position[3:0];
    if (load) error_q <= word_error_i;
  end

  // The words: the one at the input, and the one held. From here on a cycle later with `Pipelined`,
  // and a quarter of the data has copies of its own of what selects it.
  localparam int unsigned NumQuarters = 4;
  localparam int unsigned Stages = Pipelined ? 1 : 0;

  logic [WordWidth-1:0]        next;
  logic [WordWidth-1:0]        held_word_q;
  logic [NumQuarters-1:0]      load_held;
  logic [NumQuarters-1:0][3:0] position;

  sealgate_delay #(
    .Width(WordWidth),
    .Cycles(Stages)
  ) u_next (
    .clk_i,
    .value_i(word_data_i),
    .value_o(next)
  );

  if (Pipelined) begin : g_copies
    sealgate_copies #(
      .Width(1),
      .Copies(NumQuarters)
    ) u_load (
      .clk_i,
      .value_i(load),
      .copies_o(load_held)
    );

    sealgate_copies #(
      .Width(4),
      .Copies(NumQuarters)
    ) u_position (
      .clk_i,
      .value_i(position_q),
      .copies_o(position)
    );
  end else begin : g_direct
    assign load_held = {NumQuarters{load}};
    assign position  = {NumQuarters{position_q}};
  end

  always_ff @(posedge clk_i) begin
    for (int unsigned i = 0; i < NumQuarters; i++) begin
      if (load_held[i]) held_word_q[32*i+:32] <= next[32*i+:32];
    end
  end

  // From the position's quarter of a word on, then from its byte. A quarter takes bytes of the one
  // behind it.
  logic [NumQuarters:0][31:0]  from, from_byte;
  logic [NumQuarters-1:0][1:0] byte_position;
  logic [NumQuarters-1:0][1:0] turn;

  always_comb begin
    for (int unsigned i = 0; i <= NumQuarters; i++) begin
      unique case (position[(i<NumQuarters)?i:NumQuarters-1][3:2])
        2'd0:    from[i] = (i < 4) ? held_word_q[32*(i%4)+:32] : next[31:0];
        2'd1:    from[i] = (i < 3) ? held_word_q[32*((i+1)%4)+:32] : next[32*((i+1)%4)+:32];
        2'd2:    from[i] = (i < 2) ? held_word_q[32*((i+2)%4)+:32] : next[32*((i+2)%4)+:32];
        default: from[i] = (i < 1) ? held_word_q[32*((i+3)%4)+:32] : next[32*((i+3)%4)+:32];
      endcase
    end
    for (int unsigned i = 0; i < NumQuarters; i++) byte_position[i] = position[i][1:0];
  end

  sealgate_delay #(
    .Width(NumQuarters * 2 + (NumQuarters + 1) * 32),
    .Cycles(Stages)
  ) u_from (
    .clk_i,
    .value_i({byte_position, from}),
    .value_o({turn, from_byte})
  );

  always_comb begin
    for (int unsigned i = 0; i < NumQuarters; i++) begin
      unique case (turn[i])
        2'd0:    data_o[32*i+:32] = from_byte[i];
        2'd1:    data_o[32*i+:32] = {from_byte[i+1][7:0], from_byte[i][31:8]};
        2'd2:    data_o[32*i+:32] = {from_byte[i+1][15:0], from_byte[i][31:16]};
        default: data_o[32*i+:32] = {from_byte[i+1][23:0], from_byte[i][31:24]};
      endcase
    end
  end

  logic unused;
  assign unused = ^from_byte[NumQuarters][31:24];

endmodule

`default_nettype wire
