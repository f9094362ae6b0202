// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A lane alone, for measuring it: its structs as ports, and nothing of the device around it.
//
// Theory of operation: jobs seal one record of TLS 1.3 each, application data without padding, from
// and to address 0. Spans, results and what goes to memory are always taken; keys, words of the
// source and acknowledgements come from whoever drives the ports. There is no self-test.

`default_nettype none

module sealgate_bare_lane
  import sealgate_pkg::*;
(
  input  wire logic                 clk_i,
  input  wire logic                 rst_ni,

  input  wire logic                 key_valid_i,
  output      logic                 key_ready_o,
  input  wire logic [255:0]         key_data_i,
  output      logic                 key_done_o,

  // Of the key and of the jobs.
  input  wire ctx_t                 context_i,
  input  wire suite_t               suite_i,

  input  wire logic                 job_valid_i,
  output      logic                 job_ready_o,
  input  wire logic [95:0]          job_iv_i,
  input  wire logic [63:0]          job_sequence_number_i,
  input  wire length_t              job_length_i,

  output      logic                 source_span_valid_o,
  input  wire logic                 source_word_valid_i,
  output      logic                 source_word_ready_o,
  input  wire logic [WordWidth-1:0] source_word_data_i,

  output      logic                 destination_span_valid_o,
  output      length_t              destination_span_bytes_o,
  output      logic                 destination_word_valid_o,
  output      logic [WordWidth-1:0] destination_word_data_o,
  input  wire logic                 ack_valid_i,
  output      logic                 ack_ready_o,

  output      logic                 result_valid_o,
  output      logic [6:0]           result_status_o
);

  job_t    job;
  span_t   source_span;
  span_t   destination_span;
  result_t result;

  assign job = '{
    suite: suite_i,
    ctx: context_i,
    iv: job_iv_i,
    sequence_number: job_sequence_number_i,
    content_type: sealgate_record_pkg::ApplicationData,
    inner: size_t'(job_length_i) + size_t'(1),
    length: job_length_i,
    default: '0
  };

  assign destination_span_bytes_o = destination_span.bytes;
  assign result_status_o          = result.status;

  lane_events_t events;
  logic         wipe_ready;
  logic         test_cmd_ready, test_text_ready, test_out_valid, test_tag_valid;
  logic [127:0] test_out_data, test_tag;

  sealgate_lane u_lane (
    .clk_i,
    .rst_ni,
    .job_valid_i,
    .job_ready_o,
    .job_i                   (job),
    .source_span_valid_o,
    .source_span_ready_i     (1'b1),
    .source_span_o           (source_span),
    .source_word_valid_i,
    .source_word_ready_o,
    .source_word_data_i,
    .source_word_error_i     (1'b0),
    .destination_span_valid_o,
    .destination_span_ready_i(1'b1),
    .destination_span_o      (destination_span),
    .destination_word_valid_o,
    .destination_word_ready_i(1'b1),
    .destination_word_data_o,
    .ack_valid_i,
    .ack_ready_o,
    .ack_error_i             (1'b0),
    .key_valid_i,
    .key_ready_o,
    .key_ctx_i               (context_i),
    .key_data_i,
    .key_suite_i             (suite_i),
    .key_done_o,
    .wipe_valid_i            (1'b0),
    .wipe_ready_o            (wipe_ready),
    .wipe_ctx_i              ('0),
    .result_valid_o,
    .result_ready_i          (1'b1),
    .result_o                (result),
    .events_o                (events),
    .test_active_i           (1'b0),
    .test_cmd_valid_i        (1'b0),
    .test_cmd_ready_o        (test_cmd_ready),
    .test_cmd_suite_i        ('0),
    .test_cmd_open_i         (1'b0),
    .test_cmd_nonce_i        ('0),
    .test_cmd_aad_i          ('0),
    .test_cmd_text_bytes_i   ('0),
    .test_text_valid_i       (1'b0),
    .test_text_ready_o       (test_text_ready),
    .test_text_data_i        ('0),
    .test_out_valid_o        (test_out_valid),
    .test_out_ready_i        (1'b0),
    .test_out_data_o         (test_out_data),
    .test_tag_valid_o        (test_tag_valid),
    .test_tag_ready_i        (1'b0),
    .test_tag_o              (test_tag)
  );

  logic unused;
  assign unused = ^{source_span, destination_span.address, result, events, wipe_ready, test_cmd_ready,
                    test_text_ready, test_out_valid, test_out_data, test_tag_valid, test_tag};

endmodule

`default_nettype wire
