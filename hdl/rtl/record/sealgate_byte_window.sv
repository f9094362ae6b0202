// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Takes 0 to 16 bytes at a time out of the words of a span, which starts at any byte of its first.
//
// Theory of operation: one word is held, and a position in it. What is taken is cut out of this
// word and the one at the input; when the last byte of the held word goes, the one at the input
// takes its place. So 16 bytes leave in every cycle at any position, and no word is asked for that
// the span does not have. The held word is given up with the start of the next span; words of a
// span that are still at the input when no more of it is wanted are thrown away by `drain_i`.

`default_nettype none

module sealgate_byte_window
  import sealgate_pkg::*;
  import sealgate_record_pkg::pull_bytes;
(
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
  // of the data past them are undefined.
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
  logic [63:0] low_q;
  logic [63:0] high_q;
  logic        error_q;
  logic [3:0]  position_q;
  logic [16:0] words_q;  // at the input
  logic        more_q;   // there are any

  logic [5:0] end_position;
  logic       used_up;     // the held word is
  logic       needs_next;  // bytes of the word at the input are taken
  logic       taken;
  logic       load;

  assign end_position = {2'b0, position_q} + {1'b0, take_bytes_i};
  assign used_up      = end_position[5:4] != 2'b00;
  assign needs_next   = used_up && (end_position != 6'd16);
  assign available_o  = (take_bytes_i == 5'd0) || (held_q && (!needs_next || word_valid_i));
  assign error_o      = (take_bytes_i != 5'd0) && (error_q || (needs_next && word_error_i));
  assign taken        = take_i && available_o && (take_bytes_i != 5'd0);

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
    if (load) begin
      low_q   <= word_data_i[63:0];
      high_q  <= word_data_i[127:64];
      error_q <= word_error_i;
    end
  end

  // From the position's quarter of a word on, then from its byte.
  logic [63:0] from_0, from_1;
  logic [23:0] from_2;

  always_comb begin
    unique case (position_q[3:2])
      2'd0: begin
        from_0 = low_q;
        from_1 = high_q;
        from_2 = word_data_i[23:0];
      end
      2'd1: begin
        from_0 = {high_q[31:0], low_q[63:32]};
        from_1 = {word_data_i[31:0], high_q[63:32]};
        from_2 = word_data_i[55:32];
      end
      2'd2: begin
        from_0 = high_q;
        from_1 = word_data_i[63:0];
        from_2 = word_data_i[87:64];
      end
      default: begin
        from_0 = {word_data_i[31:0], high_q[63:32]};
        from_1 = word_data_i[95:32];
        from_2 = word_data_i[119:96];
      end
    endcase
    data_o = {pull_bytes(from_2, from_1, position_q[1:0]),
              pull_bytes(from_1[23:0], from_0, position_q[1:0])};
  end

endmodule

`default_nettype wire
