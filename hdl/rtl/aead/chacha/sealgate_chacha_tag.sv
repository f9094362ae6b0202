// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Makes tags, and hands each out after the text of its record.
//
// Theory of operation: s comes out of the pipe with the key block of a record, the sum of Poly1305
// some cycles after its last block, and short records follow each other faster than that: s waits
// in a ring, written by the number of the one-time key and read in the order of records. Credits
// bound the records between the issue of their key block and the moment their tag is taken. Text
// and tags leave through queues of their own, so a tag is held until the last beat of its record
// has left or is at the output: `lead_q` counts the last beats that have left, less the tags handed
// out of records with text. It is -1 while a tag went before the beat it belongs to. With
// `Pipelined` a beat at the output does not count yet, since it decides late whether it leaves, and
// one that has left counts a cycle later.

`default_nettype none

module sealgate_chacha_tag
  import sealgate_chacha_pkg::*;
  import sealgate_poly1305_pkg::sum_t;
#(
  // Records between issue and tag taken.
  parameter int unsigned Depth = 32,
  parameter bit Pipelined = 1'b0
) (
  input  wire logic         clk_i,
  input  wire logic         rst_ni,

  // A record is issued, if there is room for its tag.
  input  wire logic         issue_i,
  output      logic         credit_o,
  // No record is between issue and tag taken.
  output      logic         empty_o,

  // s leaves the pipe.
  input  wire logic         s_valid_i,
  input  wire key_id_t      s_id_i,
  input  wire logic [63:0]  s_lo_i,
  input  wire logic [63:0]  s_hi_i,

  // The last block of a record goes to Poly1305.
  input  wire logic         last_valid_i,
  input  wire key_id_t      last_id_i,
  input  wire logic         last_error_i,
  input  wire logic         last_has_text_i,

  // The sum of a record.
  input  wire logic         sum_valid_i,
  input  wire sum_t         sum_0_i,
  input  wire sum_t         sum_1_i,
  input  wire sum_t         sum_2_i,
  input  wire sum_t         sum_3_i,
  input  wire sum_t         sum_4_i,

  // The last beat of a record is at the output of the core, and whether it leaves.
  input  wire logic         text_last_i,
  input  wire logic         text_leaves_i,

  output      logic         tag_valid_o,
  input  wire logic         tag_ready_i,
  output      logic [127:0] tag_o,
  output      logic         tag_error_o
);

  localparam int unsigned CountWidth = $clog2(Depth + 1);

  // Credits.
  logic [CountWidth-1:0] open_q;
  logic                  taken;

  assign credit_o = open_q != CountWidth'(Depth);
  assign empty_o  = open_q == '0;
  assign taken    = tag_valid_o && tag_ready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) open_q <= '0;
    else if (issue_i != taken) open_q <= issue_i ? open_q + 1'b1 : open_q - 1'b1;
  end

  // What waits for the sum of a record. The first key after reset has the number 1.
  logic [63:0] s_lo_mem[NumOneTimeKeys];
  logic [63:0] s_hi_mem[NumOneTimeKeys];
  logic [1:0]  flags_mem[NumOneTimeKeys];
  logic [63:0] s_lo_q, s_hi_q;
  key_id_t     read_q;
  logic        read;
  logic        made;

  always_ff @(posedge clk_i) begin
    if (s_valid_i) begin
      s_lo_mem[s_id_i] <= s_lo_i;
      s_hi_mem[s_id_i] <= s_hi_i;
    end
    if (last_valid_i) flags_mem[last_id_i] <= {last_has_text_i, last_error_i};
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) read_q <= key_id_t'(1);
    else if (read) read_q <= read_q + 1'b1;
    if (read) begin
      s_lo_q <= s_lo_mem[read_q];
      s_hi_q <= s_hi_mem[read_q];
    end
  end

  // Flags go along with s for the four cycles until the tag is made.
  logic [1:0] flags_0_q, flags_1_q, flags_2_q, flags_3_q;

  always_ff @(posedge clk_i) begin
    if (read) flags_0_q <= flags_mem[read_q];
    flags_1_q <= flags_0_q;
    flags_2_q <= flags_1_q;
    flags_3_q <= flags_2_q;
  end

  logic [63:0] made_lo, made_hi;
  logic        made_has_text, made_error;

  sealgate_poly1305_finish u_finish (
    .clk_i,
    .rst_ni,
    .valid_i(sum_valid_i),
    .sum_0_i,
    .sum_1_i,
    .sum_2_i,
    .sum_3_i,
    .sum_4_i,
    .read_s_o(read),
    .s_lo_i(s_lo_q),
    .s_hi_i(s_hi_q),
    .valid_o(made),
    .tag_lo_o(made_lo),
    .tag_hi_o(made_hi)
  );

  assign {made_has_text, made_error} = flags_3_q;

  // Tags, zero for a record with an error. Credits keep room: the queue is never full when a tag is
  // made.
  logic         fifo_valid;
  logic         fifo_ready;
  logic         has_text;
  logic         error;
  logic [127:0] tag;
  logic released;
  logic unused_ready;

  sealgate_fifo #(
    .Width(130),
    .Depth(Depth)
  ) u_fifo (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(made),
    .ready_o(unused_ready),
    .data_i({made_has_text, made_error, made_error ? 128'd0 : {made_hi, made_lo}}),
    .valid_o(fifo_valid),
    .ready_i(fifo_ready),
    .data_o({has_text, error, tag})
  );

  // Order against text, and behind it a short queue.
  typedef logic signed [CountWidth:0] lead_t;

  lead_t lead_q;
  logic  text_left;
  logic  text_passed;  // the tag of a record with text
  logic  stage_ready;

  assign released    = !has_text || (lead_q > 0) ||
                       (!Pipelined && (lead_q == 0) && text_last_i);
  assign fifo_ready  = stage_ready && released;
  assign text_passed = fifo_valid && fifo_ready && has_text;

  sealgate_stage #(
    .Width(129),
    .Registered(Pipelined)
  ) u_stage (
    .clk_i,
    .rst_ni,
    .valid_i(fifo_valid && released),
    .ready_o(stage_ready),
    .data_i({error, tag}),
    .valid_o(tag_valid_o),
    .ready_i(tag_ready_i),
    .data_o({tag_error_o, tag_o})
  );

  sealgate_delay #(
    .Width(1),
    .Cycles(Pipelined ? 1 : 0)
  ) u_text_left (
    .clk_i,
    .value_i(text_last_i && text_leaves_i && rst_ni),
    .value_o(text_left)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) lead_q <= '0;
    else if (text_left != text_passed) lead_q <= lead_q + (text_left ? lead_t'(1) : lead_t'(-1));
  end

endmodule

`default_nettype wire
