// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Finds where the content of a TLSInnerPlaintext ends: in front of its last byte that is not zero,
// which is the content type (RFC 8446, section 5.4).
//
// Theory of operation: while a text passes, its last word with any byte that is not zero is kept,
// and its place. Which byte of it is the last is found out once, in the cycle after the text. One
// answer per text of at least one word. With `Pipelined` the last such byte of each word is found as
// it passes, first in each quarter of it; that needs no register for a whole word, and is two cycles
// later.

`default_nettype none

module sealgate_content_end
  import sealgate_pkg::*;
  import sealgate_record_pkg::*;
#(
  // Texts that are not asked about yet.
  parameter int unsigned Depth = 32,
  parameter bit Pipelined = 1'b0
) (
  input  wire logic                 clk_i,
  input  wire logic                 rst_ni,

  input  wire logic                 text_valid_i,
  input  wire logic                 text_last_i,
  input  wire logic [WordWidth-1:0] text_data_i,

  output      logic                 content_valid_o,
  input  wire logic                 content_ready_i,
  output      content_t             content_o
);

  logic     content_valid;
  content_t content;

  if (Pipelined) begin : g_quarters
    // The last byte of each quarter of the word that is not zero,
    logic            valid_q;
    logic            last_q;
    logic [3:0]      any_d, any_q;
    logic [3:0][7:0] kind_d, kind_q;
    logic [3:0][1:0] place_d, place_q;
    // then of the word,
    logic            word_valid_q;
    logic            word_last_q;
    logic            word_any_q;
    logic [7:0]      word_kind_q;
    logic [3:0]      word_place_q;
    // then of the text.
    logic            first_q;
    logic [10:0]     index_q;

    always_comb begin
      any_d   = '0;
      kind_d  = '0;
      place_d = '0;
      for (int unsigned i = 0; i < WordBytes; i++) begin
        if (text_data_i[8*i+:8] != 8'd0) begin
          any_d[i/4]   = 1'b1;
          kind_d[i/4]  = text_data_i[8*i+:8];
          place_d[i/4] = 2'(i);
        end
      end
    end

    always_ff @(posedge clk_i) begin
      last_q      <= text_last_i;
      any_q       <= any_d;
      kind_q      <= kind_d;
      place_q     <= place_d;
      word_last_q <= last_q;
      word_any_q  <= any_q != '0;
      for (int unsigned q = 0; q < 4; q++) begin
        if (any_q[q]) begin
          word_kind_q  <= kind_q[q];
          word_place_q <= {2'(q), place_q[q]};
        end
      end
      if (word_valid_q) begin
        index_q <= word_last_q ? '0 : index_q + 11'd1;
        if (first_q) index_q <= word_last_q ? '0 : 11'd1;
        if (word_any_q) begin
          content.kind  <= word_kind_q;
          content.bytes <= {first_q ? 11'd0 : index_q, word_place_q};
        end
        content.found <= word_any_q || (!first_q && content.found);
      end
    end

    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        valid_q       <= 1'b0;
        word_valid_q  <= 1'b0;
        first_q       <= 1'b1;
        content_valid <= 1'b0;
      end else begin
        valid_q       <= text_valid_i;
        word_valid_q  <= valid_q;
        content_valid <= word_valid_q && word_last_q;
        if (word_valid_q) first_q <= word_last_q;
      end
    end
  end else begin : g_word
    logic                 first_q;
    logic                 ended_q;
    logic [10:0]          index_q;
    logic                 found_q;
    logic [10:0]          word_index_q;
    logic [WordWidth-1:0] word_q;
    logic                 any;

    assign any           = text_data_i != '0;
    assign content_valid = ended_q;

    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        first_q <= 1'b1;
        ended_q <= 1'b0;
      end else begin
        if (text_valid_i) first_q <= text_last_i;
        ended_q <= text_valid_i && text_last_i;
      end
    end

    always_ff @(posedge clk_i) begin
      if (text_valid_i) begin
        index_q <= text_last_i ? '0 : index_q + 11'd1;
        if (first_q) begin
          index_q <= text_last_i ? '0 : 11'd1;
          found_q <= any;
        end else if (any) begin
          found_q <= 1'b1;
        end
        if (any) begin
          word_index_q <= first_q ? '0 : index_q;
          word_q       <= text_data_i;
        end
      end
    end

    always_comb begin
      content = '{found: found_q, kind: '0, bytes: '0};
      if (ended_q) begin
        for (int unsigned i = 0; i < WordBytes; i++) begin
          if (word_q[8*i+:8] != 8'd0) begin
            content.kind  = word_q[8*i+:8];
            content.bytes = {word_index_q, 4'(i)};
          end
        end
      end
    end
  end

  // As deep as the queue of records it belongs to: there is always room.
  logic unused_ready;

  sealgate_fifo #(
    .Width($bits(content_t)),
    .Depth(Depth)
  ) u_contents (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(content_valid),
    .ready_o(unused_ready),
    .data_i (content),
    .valid_o(content_valid_o),
    .ready_i(content_ready_i),
    .data_o (content_o)
  );

endmodule

`default_nettype wire
