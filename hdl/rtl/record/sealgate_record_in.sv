// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The inbound side of a record: from bus beats to the AEAD core's command and text.
//
// Theory of operation: for each record the core is told context, direction, nonce (RFC 8446, section
// 5.3), additional data and length; then its text is streamed. SEAL: the text is TLSInnerPlaintext
// (section 5.2), that is the source followed by the content type and zeroes. OPEN: the text is the
// encrypted record without header and tag; the header is checked and the tag kept for the outbound
// side. The additional data is always the header that the record must have: when the one received
// differs the record is refused for its header, whatever the tag.
//
// The source starts at any byte of its first beat. Text beats are cut out of a window of two
// neighbouring beats; the same shift serves a whole record.

`default_nettype none

module sealgate_record_in
  import sealgate_pkg::*;
#(
  parameter int unsigned ContextWidth = 10
) (
  input  wire logic                    clk_i,
  input  wire logic                    rst_ni,

  input  wire logic                    frame_valid_i,
  output      logic                    frame_ready_o,
  input  wire frame_t                  frame_i,

  input  wire logic                    beat_valid_i,
  output      logic                    beat_ready_o,
  input  wire logic [BusWidth-1:0]     beat_data_i,
  input  wire logic                    beat_error_i,

  output      logic                    cmd_valid_o,
  input  wire logic                    cmd_ready_i,
  output      logic [ContextWidth-1:0] cmd_ctx_o,
  output      logic                    cmd_open_o,
  output      logic [95:0]             cmd_nonce_o,
  output      logic [127:0]            cmd_aad_o,
  output      logic [15:0]             cmd_text_bytes_o,

  output      logic                    text_valid_o,
  input  wire logic                    text_ready_i,
  output      logic [BusWidth-1:0]     text_data_o,
  output      logic                    text_error_o,

  // One per record that is opened.
  output      logic                    received_valid_o,
  input  wire logic                    received_ready_i,
  output      received_t               received_o
);

  localparam int unsigned HeaderBits = 8 * sealgate_abi_pkg::RecordHeaderBytes;

  // type 23, version 0x0303, length; bus order
  function automatic logic [HeaderBits-1:0] header(size_t encrypted_bytes);
    return {encrypted_bytes[7:0], 1'b0, encrypted_bytes[14:8], 24'h030317};
  endfunction

  typedef enum logic [1:0] {
    StIdle,     // no record
    StCommand,  // the core takes the command
    StText,     // beats become text
    StReceived  // the outbound side takes what was received
  } state_e;

  state_e state_q;
  frame_t frame_q;

  assign frame_ready_o = state_q == StIdle;

  // Shape of the record, fixed while it is under way.
  logic [4:0]  text_offset;
  logic        skip_first;      // the first beat holds header only
  logic [3:0]  shift;
  size_t       payload_bytes;   // source without header
  size_t       text_bytes;
  logic [10:0] source_beats;
  logic [10:0] payload_beats;
  logic [10:0] text_beats;
  logic [10:0] out_beats;
  size_t       span_bytes;

  assign text_offset   = {1'b0, frame_q.offset} + (frame_q.open ? 5'd5 : 5'd0);
  assign skip_first    = text_offset[4];
  assign shift         = text_offset[3:0];
  assign payload_bytes = frame_q.open ? frame_q.length - 15'd5 : frame_q.length;
  assign text_bytes    = frame_q.open ? frame_q.length - 15'd21 : frame_q.inner;
  assign span_bytes    = {11'b0, frame_q.offset} + frame_q.length + 15'd15;
  assign source_beats  = (frame_q.length == '0) ? 11'd0 : span_bytes[14:4];
  assign payload_beats = beats_of(payload_bytes);
  assign text_beats    = beats_of(text_bytes);
  // The beat behind the text of an opened record holds the end of its tag.
  assign out_beats     = frame_q.open ? text_beats + 11'd1 : text_beats;

  assign cmd_valid_o      = state_q == StCommand;
  assign cmd_ctx_o        = frame_q.ctx[ContextWidth-1:0];
  assign cmd_open_o       = frame_q.open;
  assign cmd_nonce_o      = frame_q.nonce;
  assign cmd_aad_o        = {88'b0, header(text_bytes + 15'(sealgate_abi_pkg::TagBytes))};
  assign cmd_text_bytes_o = {1'b0, text_bytes};

  // Window of two beats over the source.
  logic [10:0]         taken_q;  // source beats taken
  logic [10:0]         out_q;    // text beats made
  logic [BusWidth-1:0] previous_q;
  logic                previous_error_q;
  logic [BusWidth-1:0] payload;
  logic                payload_error;
  logic                priming;     // this beat only fills the window
  logic                from_source; // the next text beat needs a new source beat
  logic                from_rest;   // it needs only what the window holds
  logic                out_valid;
  logic                out_ready;
  logic                out_accepted;
  logic                beat_accepted;

  always_comb begin
    priming = (taken_q == 11'd0) && (skip_first || (shift != 4'd0));
    // With a skipped first beat and a shift the window is primed with the second.
    if ((taken_q == 11'd1) && skip_first && (shift != 4'd0)) priming = 1'b1;
    from_source = (out_q < payload_beats) && (taken_q < source_beats);
    from_rest   = !from_source;
  end

  logic [2*BusWidth-1:0] window;
  assign window = {beat_data_i, previous_q};

  always_comb begin
    if (out_q >= payload_beats) begin
      payload       = '0;
      payload_error = 1'b0;
    end else if (shift == 4'd0) begin
      payload       = beat_data_i;
      payload_error = beat_error_i;
    end else if (from_source) begin
      payload       = BusWidth'(window >> {shift, 3'b0});
      payload_error = beat_error_i || previous_error_q;
    end else begin
      payload       = previous_q >> {shift, 3'b0};
      payload_error = previous_error_q;
    end
  end

  assign out_valid     = (state_q == StText) && (out_q < out_beats) &&
                         (from_rest || (beat_valid_i && !priming));
  assign out_accepted  = out_valid && out_ready;
  assign beat_ready_o  = (state_q == StText) && (priming ? taken_q < source_beats
                                                         : from_source && out_ready);
  assign beat_accepted = beat_valid_i && beat_ready_o;

  // SEAL: cut what the bus brought along behind the source, and set the content type.
  logic [10:0]         type_beat;
  logic [BusWidth-1:0] sealed_text;
  assign type_beat = frame_q.length[14:4];

  always_comb begin
    sealed_text = payload;
    if (out_q == type_beat) begin
      sealed_text = (payload & ~({BusWidth{1'b1}} << {frame_q.length[3:0], 3'b0})) |
                    ({120'b0, frame_q.content_type} << {frame_q.length[3:0], 3'b0});
    end
  end

  // OPEN: the tag stands in the last two payload beats.
  logic                is_text;
  logic [3:0]          tag_shift;
  logic [BusWidth-1:0] tail_q;
  logic [BusWidth-1:0] tag_q;
  assign is_text   = out_q < text_beats;
  assign tag_shift = text_bytes[3:0];

  logic slice_ready;
  assign out_ready = !is_text || slice_ready;

  sealgate_fifo #(
    .Width(BusWidth + 1),
    .Depth(2)
  ) u_text_slice (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(out_valid && is_text),
    .ready_o(slice_ready),
    .data_i ({payload_error, frame_q.open ? payload : sealed_text}),
    .valid_o(text_valid_o),
    .ready_i(text_ready_i),
    .data_o ({text_error_o, text_data_o})
  );

  logic [HeaderBits-1:0] header_q;
  logic                  fault_q;

  assign received_valid_o = state_q == StReceived;
  assign received_o = '{
    fault: fault_q,
    bad_header: header_q != header(payload_bytes),
    tag: tag_q
  };

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q <= StIdle;
    end else begin
      unique case (state_q)
        StIdle:     if (frame_valid_i) state_q <= StCommand;
        StCommand:  if (cmd_ready_i) state_q <= StText;
        StText: begin
          if (out_accepted && (out_q + 11'd1 == out_beats)) begin
            state_q <= frame_q.open ? StReceived : StIdle;
          end
        end
        StReceived: if (received_ready_i) state_q <= StIdle;
        default:    state_q <= StIdle;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (frame_valid_i && frame_ready_o) begin
      frame_q          <= frame_i;
      taken_q          <= '0;
      out_q            <= '0;
      previous_error_q <= 1'b0;
      fault_q          <= 1'b0;
    end else begin
      if (beat_accepted) begin
        taken_q          <= taken_q + 11'd1;
        previous_q       <= beat_data_i;
        previous_error_q <= beat_error_i;
        fault_q          <= fault_q || beat_error_i;
        if (taken_q == 11'd0) header_q <= HeaderBits'(beat_data_i >> {frame_q.offset, 3'b0});
        if ((taken_q == 11'd1) && (frame_q.offset > 4'd11)) begin
          header_q <= header_q | HeaderBits'({beat_data_i, 128'b0} >> {frame_q.offset, 3'b0});
        end
      end
      if (out_accepted) begin
        out_q <= out_q + 11'd1;
        if (frame_q.open) begin
          tail_q <= payload;
          if (!is_text) begin
            tag_q <= BusWidth'({payload, tail_q} >> {tag_shift, 3'b0});
            if (tag_shift == 4'd0) tag_q <= payload;
          end
        end
      end
    end
  end

  logic unused;
  assign unused = ^{frame_q.ctx, span_bytes[3:0]};

endmodule

`default_nettype wire
