// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Makes tags, and hands each out after the text of its record.
//
// Theory of operation: the tag is GHASH of the record, masked by the cipher block of J0 (NIST SP
// 800-38D section 7.1, steps 5 and 6). The mask leaves the AES pipe first, the result of GHASH some
// cycles after the last slot, and short records follow each other faster than that: masks wait in a
// ring of one place per tag credit, written in the order of records and read in the same order.
// Credits bound the records between their first slot and the moment their tag is taken; a credit is
// a register, one cycle behind the count, and leaves one place unused for that; with `Pipelined`,
// what is counted is a register too, and another place is unused. Text and tags leave through queues of their own, so a tag is held until the last beat of its record has
// left or is at the output: `lead_q` counts the last beats that have left, less the tags taken of
// records with text. It is -1 while a tag was taken before the beat it belongs to.

`default_nettype none

module sealgate_gcm_tag
  import sealgate_gf128_pkg::swap_bytes;
#(
  // Records between first slot and tag taken.
  parameter int unsigned Depth = 16,
  // Registers in front of the queue of tags and behind it.
  parameter bit Pipelined = 1'b0
) (
  input  wire logic         clk_i,
  input  wire logic         rst_ni,

  // A record is issued, if there is room for its tag.
  input  wire logic         issue_i,
  output      logic         credit_o,
  // No record is between first slot and tag taken.
  output      logic         empty_o,

  // The first slot leaves the AES pipe: the mask, in bus order.
  input  wire logic         mask_valid_i,
  input  wire logic [63:0]  mask_lo_i,
  input  wire logic [63:0]  mask_hi_i,

  // The last slot leaves the AES pipe, at least one cycle before the hash of its record.
  input  wire logic         last_valid_i,
  input  wire logic         last_error_i,
  input  wire logic         last_has_text_i,

  // The hash of a record, as big-endian words.
  input  wire logic         hash_valid_i,
  input  wire logic [63:0]  hash_hi_i,
  input  wire logic [63:0]  hash_lo_i,

  // The last beat of a record is at the output of the core, and whether it leaves.
  input  wire logic         text_last_i,
  input  wire logic         text_leaves_i,

  output      logic         tag_valid_o,
  input  wire logic         tag_ready_i,
  output      logic [127:0] tag_o,
  output      logic         tag_error_o
);

  localparam int unsigned IndexWidth = $clog2(Depth);
  localparam int unsigned CountWidth = $clog2(Depth + 1);

  // Credits.
  logic [CountWidth-1:0] open_q;
  logic                  taken;

  localparam int unsigned CountStages = Pipelined ? 1 : 0;

  logic                  issue_counts, taken_counts;

  assign empty_o = open_q == '0;
  assign taken   = tag_valid_o && tag_ready_i;

  sealgate_delay #(
    .Width(2),
    .Cycles(CountStages)
  ) u_counts (
    .clk_i,
    .value_i({issue_i && rst_ni, taken && rst_ni}),
    .value_o({issue_counts, taken_counts})
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      open_q   <= '0;
      credit_o <= 1'b0;
    end else begin
      if (issue_counts != taken_counts) open_q <= issue_counts ? open_q + 1'b1 : open_q - 1'b1;
      credit_o <= open_q < CountWidth'(Depth - 1 - CountStages);
    end
  end

  // What waits for the hash of a record.
  logic [63:0]           mask_lo_q[Depth];
  logic [63:0]           mask_hi_q[Depth];
  logic [1:0]            flags_q[Depth];
  logic [IndexWidth-1:0] write_q;
  logic [IndexWidth-1:0] read_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      write_q <= '0;
      read_q  <= '0;
    end else begin
      if (last_valid_i) write_q <= (write_q == IndexWidth'(Depth - 1)) ? '0 : write_q + 1'b1;
      if (hash_valid_i) read_q <= (read_q == IndexWidth'(Depth - 1)) ? '0 : read_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (mask_valid_i) begin
      mask_lo_q[write_q] <= mask_lo_i;
      mask_hi_q[write_q] <= mask_hi_i;
    end
    if (last_valid_i) flags_q[write_q] <= {last_has_text_i, last_error_i};
  end

  // Tags, zero for a record with an error.
  logic         made_has_text, made_error;

  assign {made_has_text, made_error} = flags_q[read_q];

  logic         sum_valid;
  logic [129:0] sum;
  logic         queued_valid, queued_ready;
  logic [129:0] queued;
  logic         fifo_valid;
  logic         fifo_ready;
  logic         has_text;
  logic         released;

  // Credits keep room: the queue is never full when a tag is made.
  logic unused_ready;

  if (Pipelined) begin : g_pipelined
    // First what was waiting leaves its memory; an error then empties the tag, a quarter each.
    logic                  waiting_valid_q;
    logic                  waiting_has_text_q;
    logic [3:0]            waiting_error_q;
    logic [3:0][31:0]      waiting_q, hash_q;
    logic [3:0][31:0]      tag_q;
    logic                  has_text_q, error_q;

    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        waiting_valid_q <= 1'b0;
        sum_valid       <= 1'b0;
      end else begin
        waiting_valid_q <= hash_valid_i;
        sum_valid       <= waiting_valid_q;
      end
    end

    sealgate_copies #(
      .Copies(4)
    ) u_waiting_error (
      .clk_i,
      .value_i(made_error),
      .copies_o(waiting_error_q)
    );

    always_ff @(posedge clk_i) begin
      waiting_has_text_q <= made_has_text;
      waiting_q          <= {mask_hi_q[read_q], mask_lo_q[read_q]};
      hash_q             <= {swap_bytes(hash_lo_i), swap_bytes(hash_hi_i)};
      has_text_q         <= waiting_has_text_q;
      error_q            <= waiting_error_q[0];
      for (int unsigned w = 0; w < 4; w++) begin
        tag_q[w] <= waiting_error_q[w] ? '0 : waiting_q[w] ^ hash_q[w];
      end
    end

    assign sum = {has_text_q, error_q, tag_q};

    assign unused_ready = 1'b0;

    sealgate_ram_queue #(
      .Width(130),
      .Depth(Depth)
    ) u_queue (
      .clk_i,
      .rst_ni,
      .valid_i(sum_valid),
      .data_i(sum),
      .valid_o(queued_valid),
      .ready_i(queued_ready),
      .data_o(queued)
    );

    // A tag in every other cycle at most: the lead is known again in between.
    sealgate_settle #(
      .Width(130),
      .Registered(1'b1)
    ) u_head (
      .clk_i,
      .rst_ni,
      .valid_i(queued_valid),
      .ready_o(queued_ready),
      .data_i(queued),
      .valid_o(fifo_valid),
      .ready_i(fifo_ready),
      .data_o({has_text, tag_error_o, tag_o})
    );
  end else begin : g_direct
    logic [63:0] made_lo, made_hi;

    assign made_lo = made_error ? '0 : mask_lo_q[read_q] ^ swap_bytes(hash_hi_i);
    assign made_hi = made_error ? '0 : mask_hi_q[read_q] ^ swap_bytes(hash_lo_i);

    assign sum_valid    = hash_valid_i;
    assign sum          = {made_has_text, made_error, made_hi, made_lo};
    assign queued_ready = fifo_ready;
    assign fifo_valid   = queued_valid;

    assign {has_text, tag_error_o, tag_o} = queued;

    sealgate_fifo #(
      .Width(130),
      .Depth(Depth)
    ) u_fifo (
      .clk_i,
      .rst_ni,
      .clear_i(1'b0),
      .valid_i(sum_valid),
      .ready_o(unused_ready),
      .data_i(sum),
      .valid_o(queued_valid),
      .ready_i(queued_ready),
      .data_o(queued)
    );
  end

  // Order against text.
  typedef logic signed [CountWidth:0] lead_t;

  lead_t lead_q, lead_d;
  logic  ahead_q;  // lead_q > 0
  logic  text_left;
  logic  text_taken;

  // With `Pipelined` a beat at the output does not count yet: it decides late whether it leaves.
  assign released    = !has_text || ahead_q ||
                       (!Pipelined && (lead_q == 0) && text_last_i);
  assign tag_valid_o = fifo_valid && released;
  assign fifo_ready  = tag_ready_i && released;

  sealgate_delay #(
    .Width(2),
    .Cycles(CountStages)
  ) u_text_counts (
    .clk_i,
    .value_i({text_last_i && text_leaves_i && rst_ni, taken && has_text && rst_ni}),
    .value_o({text_left, text_taken})
  );

  always_comb begin
    lead_d = lead_q;
    if (text_left != text_taken) lead_d = lead_q + (text_left ? lead_t'(1) : lead_t'(-1));
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      lead_q  <= '0;
      ahead_q <= 1'b0;
    end else begin
      lead_q  <= lead_d;
      // That is lead_d > 0, without the sum.
      ahead_q <= (lead_q > 1) || ((lead_q == 1) && (text_left || !text_taken)) ||
                 ((lead_q == 0) && text_left && !text_taken);
    end
  end

endmodule

`default_nettype wire
