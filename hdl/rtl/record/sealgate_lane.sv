// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A lane: takes jobs, seals or opens their records at 16 bytes a cycle, and tells the results.
//
// Theory of operation: the source of a job is asked for as soon as the job is taken, so that the
// sources of all jobs that wait are under way and the latency of memory is hidden. The inbound side
// (sealgate_record_in) cuts jobs into records and feeds the AEAD; the outbound side
// (sealgate_record_out) judges what comes out of it, writes it and waits for the acknowledgements.
// In between a queue holds what the outbound side has to know of each record. Every stage works on
// the next record while the following one is still busy with the last, so short records are in the
// lane by the dozen. Jobs are finished in the order in which they were taken.
//
// In hardware, that is with composite S-boxes, short queues stand between the parts
// (sealgate_stage): paths end there, at a cycle of latency each. Simulation has none of them, but
// for the model that tests them.
//
// While the self test is active, and no job is inside, the AEAD belongs to the test.
//
// Jobs, their spans and words come in with the reset of the lane; behind them it comes in copies, a
// cycle later, before anything can have got that far. So a reset lasts for two cycles at least.

`default_nettype none

module sealgate_lane
  import sealgate_pkg::*;
  import sealgate_record_pkg::*;
  import sealgate_gf128_pkg::*;
#(
  parameter int unsigned NumContexts = 1024,
  parameter sealgate_aes_pkg::sbox_style_e SboxStyle = sealgate_aes_pkg::SboxTable,
  parameter mul_style_e GfMulStyle = MulInteger,
  parameter bit Chacha = 1'b1,
  // Short queues between the parts.
  parameter bit Pipelined = (SboxStyle == sealgate_aes_pkg::SboxComposite),
  localparam int unsigned CtxWidth = $clog2(NumContexts)
) (
  input  wire logic                 clk_i,
  input  wire logic                 rst_ni,

  input  wire logic                 job_valid_i,
  output      logic                 job_ready_o,
  input  wire job_t                 job_i,

  // Source: a span of at least one byte per job that has any, then its words of memory from the one
  // that holds the first byte to the one that holds the last.
  output      logic                 source_span_valid_o,
  input  wire logic                 source_span_ready_i,
  output      span_t                source_span_o,
  input  wire logic                 source_word_valid_i,
  output      logic                 source_word_ready_o,
  input  wire logic [WordWidth-1:0] source_word_data_i,
  input  wire logic                 source_word_error_i,

  // Destination: a span per record that is written, its words, and one acknowledgement per span in
  // the order of spans.
  output      logic                 destination_span_valid_o,
  input  wire logic                 destination_span_ready_i,
  output      span_t                destination_span_o,
  output      logic                 destination_word_valid_o,
  input  wire logic                 destination_word_ready_i,
  output      logic [WordWidth-1:0] destination_word_data_o,
  input  wire logic                 ack_valid_i,
  output      logic                 ack_ready_o,
  input  wire logic                 ack_error_i,

  // Keys: see sealgate_aead.
  input  wire logic                 key_valid_i,
  output      logic                 key_ready_o,
  input  wire logic [CtxWidth-1:0]  key_ctx_i,
  input  wire logic [255:0]         key_data_i,
  input  wire suite_t               key_suite_i,
  output      logic                 key_done_o,
  input  wire logic                 wipe_valid_i,
  output      logic                 wipe_ready_o,
  input  wire logic [CtxWidth-1:0]  wipe_ctx_i,

  output      logic                 result_valid_o,
  input  wire logic                 result_ready_i,
  output      result_t              result_o,

  output      lane_events_t         events_o,

  // Self test, on context 0 with additional data of five bytes.
  input  wire logic                 test_active_i,
  input  wire logic                 test_cmd_valid_i,
  output      logic                 test_cmd_ready_o,
  input  wire suite_t               test_cmd_suite_i,
  input  wire logic                 test_cmd_open_i,
  input  wire logic [95:0]          test_cmd_nonce_i,
  input  wire logic [127:0]         test_cmd_aad_i,
  input  wire logic [15:0]          test_cmd_text_bytes_i,
  input  wire logic                 test_text_valid_i,
  output      logic                 test_text_ready_o,
  input  wire logic [WordWidth-1:0] test_text_data_i,
  output      logic                 test_out_valid_o,
  input  wire logic                 test_out_ready_i,
  output      logic [WordWidth-1:0] test_out_data_o,
  output      logic                 test_tag_valid_o,
  input  wire logic                 test_tag_ready_i,
  output      logic [127:0]         test_tag_o
);

  // Jobs that wait: enough short ones to have a source of 64 bytes arrive every dozen cycles at a
  // read latency of 300.
  localparam int unsigned JobDepth = 32;

  // Records between command and verdict: twice what the AEAD holds, for those whose text waits.
  localparam int unsigned OpDepth = 32;

  // Resets of the inbound side, the AEAD and the outbound side.
  logic in_rst_n, aead_rst_n, out_rst_n;

  if (Pipelined) begin : g_reset
    sealgate_reset #(
      .Copies(3)
    ) u_reset (
      .clk_i,
      .rst_ni,
      .rst_no({in_rst_n, aead_rst_n, out_rst_n})
    );
  end else begin : g_direct_reset
    assign {in_rst_n, aead_rst_n, out_rst_n} = {3{rst_ni}};
  end

  // --- Jobs and their sources --------------------------------------------------------------------

  logic  job_taken;
  logic  jobs_ready;
  logic  spans_ready;
  logic  queued_job_valid;
  logic  queued_job_ready;
  job_t  queued_job;
  logic  job_valid;
  logic  job_ready;
  job_t  job;

  assign job_ready_o = jobs_ready && spans_ready;
  assign job_taken   = job_valid_i && job_ready_o;

  sealgate_posted_fifo #(
    .Width($bits(job_t)),
    .Depth(JobDepth),
    .Registered(Pipelined)
  ) u_jobs (
    .clk_i,
    .rst_ni,
    .valid_i(job_taken),
    .ready_o(jobs_ready),
    .data_i (job_i),
    .valid_o(queued_job_valid),
    .ready_i(queued_job_ready),
    .data_o (queued_job)
  );

  sealgate_settle #(
    .Width($bits(job_t)),
    .Registered(Pipelined)
  ) u_job (
    .clk_i,
    .rst_ni,
    .valid_i(queued_job_valid),
    .ready_o(queued_job_ready),
    .data_i (queued_job),
    .valid_o(job_valid),
    .ready_i(job_ready),
    .data_o (job)
  );

  sealgate_posted_fifo #(
    .Width($bits(span_t)),
    .Depth(JobDepth),
    .Registered(Pipelined)
  ) u_source_spans (
    .clk_i,
    .rst_ni,
    .valid_i(job_taken && (job_i.length != '0)),
    .ready_o(spans_ready),
    .data_i ({job_i.source, job_i.length}),
    .valid_o(source_span_valid_o),
    .ready_i(source_span_ready_i),
    .data_o (source_span_o)
  );

  // --- Inbound side ------------------------------------------------------------------------------

  logic                 command_valid;
  logic                 command_ready;
  command_t             command;
  logic                 text_valid;
  logic                 text_ready;
  logic [WordWidth-1:0] text;
  logic                 text_error;
  logic                 made_op_valid;
  logic                 made_op_ready;
  op_t                  made_op;
  logic                 queued_op_valid;
  logic                 queued_op_ready;
  op_t                  queued_op;
  logic                 op_valid;
  logic                 op_ready;
  op_t                  op;
  logic                 made_received_valid;
  received_t            made_received;
  logic                 received_valid;
  logic                 received_ready;
  received_t            received;

  logic                 word_valid;
  logic                 word_ready;
  logic [WordWidth-1:0] word;
  logic                 word_error;

  sealgate_stage #(
    .Width(WordWidth + 1),
    .Registered(Pipelined)
  ) u_words (
    .clk_i,
    .rst_ni,
    .valid_i(source_word_valid_i),
    .ready_o(source_word_ready_o),
    .data_i ({source_word_error_i, source_word_data_i}),
    .valid_o(word_valid),
    .ready_i(word_ready),
    .data_o ({word_error, word})
  );

  sealgate_record_in #(
    .Pipelined(Pipelined)
  ) u_record_in (
    .clk_i,
    .rst_ni          (in_rst_n),
    .job_valid_i     (job_valid),
    .job_ready_o     (job_ready),
    .job_i           (job),
    .word_valid_i    (word_valid),
    .word_ready_o    (word_ready),
    .word_data_i     (word),
    .word_error_i    (word_error),
    .command_valid_o (command_valid),
    .command_ready_i (command_ready),
    .command_o       (command),
    .text_valid_o    (text_valid),
    .text_ready_i    (text_ready),
    .text_data_o     (text),
    .text_error_o    (text_error),
    .op_valid_o      (made_op_valid),
    .op_ready_i      (made_op_ready),
    .op_o            (made_op),
    .received_valid_o(made_received_valid),
    .received_o      (made_received),
    .stall_o         (events_o.stall_source)
  );

  sealgate_posted_fifo #(
    .Width($bits(op_t)),
    .Depth(OpDepth),
    .Registered(Pipelined)
  ) u_ops (
    .clk_i,
    .rst_ni(in_rst_n),
    .valid_i(made_op_valid),
    .ready_o(made_op_ready),
    .data_i (made_op),
    .valid_o(queued_op_valid),
    .ready_i(queued_op_ready),
    .data_o (queued_op)
  );

  sealgate_settle #(
    .Width($bits(op_t)),
    .Registered(Pipelined)
  ) u_op (
    .clk_i,
    .rst_ni(out_rst_n),
    .valid_i(queued_op_valid),
    .ready_o(queued_op_ready),
    .data_i (queued_op),
    .valid_o(op_valid),
    .ready_i(op_ready),
    .data_o (op)
  );

  // As deep as u_ops, and never asked to hold more.
  logic unused_received_ready;

  sealgate_fifo #(
    .Width($bits(received_t)),
    .Depth(OpDepth)
  ) u_received (
    .clk_i,
    .rst_ni(in_rst_n),
    .clear_i(1'b0),
    .valid_i(made_received_valid),
    .ready_o(unused_received_ready),
    .data_i (made_received),
    .valid_o(received_valid),
    .ready_i(received_ready),
    .data_o (received)
  );

  // --- AEAD --------------------------------------------------------------------------------------

  logic                 offered_valid;  // to the AEAD: by the inbound side, or the self-test
  logic                 offered_ready;
  command_t             offered;
  logic                 offered_text_valid;
  logic                 offered_text_ready;
  logic [WordWidth-1:0] offered_text;
  logic                 cmd_valid;
  logic                 cmd_ready;
  command_t             cmd;
  logic                 in_valid;
  logic                 in_ready;
  logic [WordWidth-1:0] in_data;
  logic                 in_error;
  logic                 out_valid;
  logic                 out_ready;
  logic [WordWidth-1:0] out_data;
  logic                 out_last;
  logic                 made_tag_valid;
  logic                 made_tag_ready;
  logic [127:0]         made_tag;
  logic                 made_tag_error;
  logic                 tag_valid;
  logic                 tag_ready;
  logic [127:0]         tag;
  logic                 tag_error;
  logic                 store_ready;
  logic                 judge_ready;

  // Whose the AEAD is selects among hundreds of bits: it comes in copies, a cycle later.
  localparam int unsigned TestCopies = 4;

  logic                  test_active, test_command, test_in, test_out;
  logic [TestCopies-1:0] test_text, test_aad, test_nonce;

  if (Pipelined) begin : g_test
    sealgate_copies #(
      .Copies(3 * TestCopies + 4)
    ) u_test_active (
      .clk_i,
      .value_i(test_active_i),
      .copies_o({test_text, test_aad, test_nonce, test_active, test_command, test_in, test_out})
    );
  end else begin : g_direct_test
    assign test_text  = {TestCopies{test_active_i}};
    assign test_aad   = {TestCopies{test_active_i}};
    assign test_nonce = {TestCopies{test_active_i}};
    assign {test_active, test_command, test_in, test_out} = {4{test_active_i}};
  end

  always_comb begin
    offered = command;
    if (test_command) begin
      offered = '{
        suite: test_cmd_suite_i,
        ctx: '0,
        open: test_cmd_open_i,
        nonce: '0,
        aad: '0,
        aad_bytes: 5'd5,
        has_text: test_cmd_text_bytes_i != '0,
        text_bytes: test_cmd_text_bytes_i
      };
    end
    for (int unsigned i = 0; i < TestCopies; i++) begin
      offered.nonce[24*i+:24] = test_nonce[i] ? test_cmd_nonce_i[24*i+:24] : command.nonce[24*i+:24];
      offered.aad[32*i+:32]   = test_aad[i] ? test_cmd_aad_i[32*i+:32] : command.aad[32*i+:32];
      offered_text[32*i+:32]  = test_text[i] ? test_text_data_i[32*i+:32] : text[32*i+:32];
    end
  end

  assign offered_valid      = test_active ? test_cmd_valid_i : command_valid;
  assign command_ready      = offered_ready && !test_active;
  assign test_cmd_ready_o   = offered_ready && test_active;
  assign offered_text_valid = test_in ? test_text_valid_i : text_valid;
  assign text_ready         = offered_text_ready && !test_in;
  assign test_text_ready_o  = offered_text_ready && test_in;
  assign out_ready          = test_out ? test_out_ready_i : store_ready;
  assign test_out_valid_o   = out_valid && test_out;
  assign test_out_data_o    = out_data;
  assign tag_ready          = test_out ? test_tag_ready_i : judge_ready;
  assign test_tag_valid_o   = tag_valid && test_out;
  assign test_tag_o         = tag;

  // What is behind these does not know of the self-test, nor what is in front of it of the AEAD.
  sealgate_posted_fifo #(
    .Width($bits(command_t)),
    .Depth(Pipelined ? 4 : 2),
    .Registered(Pipelined)
  ) u_commands (
    .clk_i,
    .rst_ni(aead_rst_n),
    .valid_i(offered_valid),
    .ready_o(offered_ready),
    .data_i (offered),
    .valid_o(cmd_valid),
    .ready_i(cmd_ready),
    .data_o (cmd)
  );

  sealgate_stage #(
    .Width(WordWidth + 1),
    .Registered(Pipelined)
  ) u_text (
    .clk_i,
    .rst_ni(aead_rst_n),
    .valid_i(offered_text_valid),
    .ready_o(offered_text_ready),
    .data_i ({text_error && !test_in, offered_text}),
    .valid_o(in_valid),
    .ready_i(in_ready),
    .data_o ({in_error, in_data})
  );

  sealgate_stage #(
    .Width(129),
    .Registered(Pipelined)
  ) u_tag (
    .clk_i,
    .rst_ni(out_rst_n),
    .valid_i(made_tag_valid),
    .ready_o(made_tag_ready),
    .data_i ({made_tag_error, made_tag}),
    .valid_o(tag_valid),
    .ready_i(tag_ready),
    .data_o ({tag_error, tag})
  );

  logic unused_aead_busy, unused_stall_in, unused_stall_out;

  sealgate_aead #(
    .NumContexts(NumContexts),
    .SboxStyle  (SboxStyle),
    .GfMulStyle (GfMulStyle),
    .Chacha     (Chacha),
    .Pipelined  (Pipelined)
  ) u_aead (
    .clk_i,
    .rst_ni          (aead_rst_n),
    .key_valid_i,
    .key_ready_o,
    .key_ctx_i,
    .key_data_i,
    .key_suite_i,
    .key_done_o,
    .wipe_valid_i,
    .wipe_ready_o,
    .wipe_ctx_i,
    .cmd_valid_i     (cmd_valid),
    .cmd_ready_o     (cmd_ready),
    .cmd_suite_i     (cmd.suite),
    .cmd_ctx_i       (cmd.ctx[CtxWidth-1:0]),
    .cmd_open_i      (cmd.open),
    .cmd_nonce_i     (cmd.nonce),
    .cmd_aad_i       (cmd.aad),
    .cmd_aad_bytes_i (cmd.aad_bytes),
    .cmd_has_text_i  (cmd.has_text),
    .cmd_text_bytes_i(cmd.text_bytes),
    .in_valid_i      (in_valid),
    .in_ready_o      (in_ready),
    .in_data_i       (in_data),
    .in_error_i      (in_error),
    .out_valid_o     (out_valid),
    .out_ready_i     (out_ready),
    .out_data_o      (out_data),
    .out_last_o      (out_last),
    .tag_valid_o     (made_tag_valid),
    .tag_ready_i     (made_tag_ready),
    .tag_o           (made_tag),
    .tag_error_o     (made_tag_error),
    .busy_o          (unused_aead_busy),
    .stat_beat_o     (events_o.beat),
    .stat_stall_in_o (unused_stall_in),
    .stat_stall_out_o(unused_stall_out)
  );

  // --- Outbound side -----------------------------------------------------------------------------

  sealgate_record_out #(
    .Depth(OpDepth),
    .Pipelined(Pipelined)
  ) u_record_out (
    .clk_i,
    .rst_ni          (out_rst_n),
    .op_valid_i      (op_valid),
    .op_ready_o      (op_ready),
    .op_i            (op),
    .received_valid_i(received_valid),
    .received_ready_o(received_ready),
    .received_i      (received),
    .text_valid_i    (out_valid && !test_out),
    .text_ready_o    (store_ready),
    .text_data_i     (out_data),
    .text_last_i     (out_last),
    .tag_valid_i     (tag_valid),  // of a self-test as well: then no op waits for one
    .tag_ready_o     (judge_ready),
    .tag_i           (tag),
    .tag_error_i     (tag_error),
    .span_valid_o    (destination_span_valid_o),
    .span_ready_i    (destination_span_ready_i),
    .span_o          (destination_span_o),
    .word_valid_o    (destination_word_valid_o),
    .word_ready_i    (destination_word_ready_i),
    .word_data_o     (destination_word_data_o),
    .ack_valid_i,
    .ack_ready_o,
    .ack_error_i,
    .result_valid_o,
    .result_ready_i,
    .result_o
  );

  // --- Events ------------------------------------------------------------------------------------

  localparam int unsigned InsideWidth = 8;  // all queues of the lane together hold less than 256

  logic [InsideWidth-1:0] inside_q;
  logic                   result_taken;

  assign result_taken = result_valid_o && result_ready_i;

  assign events_o.busy              = inside_q != '0;
  assign events_o.stall_destination =
      (destination_span_valid_o && !destination_span_ready_i) ||
      (destination_word_valid_o && !destination_word_ready_i) || (out_valid && !out_ready);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) inside_q <= '0;
    else if (job_taken != result_taken) begin
      inside_q <= job_taken ? inside_q + 1'b1 : inside_q - 1'b1;
    end
  end

  logic unused_ctx;
  assign unused_ctx = ^cmd.ctx;

endmodule

`default_nettype wire
