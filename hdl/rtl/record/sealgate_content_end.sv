// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Finds where the content of a TLSInnerPlaintext ends: in front of its last byte that is not zero,
// which is the content type (RFC 8446, section 5.4).
//
// Theory of operation: while a text passes, its last word with any byte that is not zero is kept,
// and its place. Which byte of it is the last is found out once, in the cycle after the text. One
// answer per text of at least one word.

`default_nettype none

module sealgate_content_end
  import sealgate_pkg::*;
  import sealgate_record_pkg::*;
#(
  // Texts that are not asked about yet.
  parameter int unsigned Depth = 32
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

  logic                 first_q;
  logic                 ended_q;
  logic [10:0]          index_q;
  logic                 found_q;
  logic [10:0]          word_index_q;
  logic [WordWidth-1:0] word_q;
  logic                 any;
  content_t             content;

  assign any = text_data_i != '0;

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

  // As deep as the queue of records it belongs to: there is always room.
  logic unused_ready;

  sealgate_fifo #(
    .Width($bits(content_t)),
    .Depth(Depth)
  ) u_contents (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(ended_q),
    .ready_o(unused_ready),
    .data_i (content),
    .valid_o(content_valid_o),
    .ready_i(content_ready_i),
    .data_o (content_o)
  );

endmodule

`default_nettype wire
