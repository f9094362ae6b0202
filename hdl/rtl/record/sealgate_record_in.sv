// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The inbound side of a lane: from jobs and the words of their sources to the AEAD's commands and
// text.
//
// Theory of operation: for each record the AEAD is told context, direction, nonce, additional data
// and length; then its text is streamed, 16 bytes a cycle. SEAL: the text of TLS 1.3 is
// TLSInnerPlaintext (RFC 8446, section 5.2), that is the source followed by the content type and
// zeroes; that of TLS 1.2 is the source alone. OPEN: header and, for AES-GCM of TLS 1.2, explicit
// nonce (RFC 5288, section 3) are taken off, the text is streamed, and the tag is kept for the
// outbound side, which judges.
//
// A single record has the length of its entry; its header is compared and a difference reported. In
// a run the header tells the length: records are walked until what is left cannot hold another one,
// or a header cannot be followed. Then the words left at the source are thrown away, and the
// outbound side is told that the run has ended and why. Records behind one that the outbound side
// refuses are walked all the same; it discards them.
//
// With `Pipelined` the words run some cycles behind what is decided about them: bytes are cut out of
// the source, then what is not text is masked, and the queue of text at the end has room for what is
// on its way. A header is waited for.

`default_nettype none

module sealgate_record_in
  import sealgate_pkg::*;
  import sealgate_record_pkg::*;
  import sealgate_abi_pkg::StatusSuccess, sealgate_abi_pkg::StatusSourceFault,
         sealgate_abi_pkg::StatusBadHeader, sealgate_abi_pkg::SuiteAes128Gcm,
         sealgate_abi_pkg::SuiteAes256Gcm;
#(
  // Registers between the words of the source and what is made of them.
  parameter bit Pipelined = 1'b0
) (
  input  wire logic                 clk_i,
  input  wire logic                 rst_ni,

  input  wire logic                 job_valid_i,
  output      logic                 job_ready_o,
  input  wire job_t                 job_i,

  input  wire logic                 word_valid_i,
  output      logic                 word_ready_o,
  input  wire logic [WordWidth-1:0] word_data_i,
  input  wire logic                 word_error_i,

  output      logic                 command_valid_o,
  input  wire logic                 command_ready_i,
  output      command_t             command_o,

  output      logic                 text_valid_o,
  input  wire logic                 text_ready_i,
  output      logic [WordWidth-1:0] text_data_o,
  output      logic                 text_error_o,

  output      logic                 op_valid_o,
  input  wire logic                 op_ready_i,
  output      op_t                  op_o,

  // As many as records that are opened, so there is room for one wherever there was for its op.
  output      logic                 received_valid_o,
  output      received_t            received_o,

  // A record waits for words of its source.
  output      logic                 stall_o
);

  localparam logic [15:0] HeaderBytes = 16'(sealgate_abi_pkg::RecordHeaderBytes);

  // Longest text and tag that a header may announce: RFC 8446, section 5.2; RFC 5246, section
  // 6.2.3.
  localparam logic [15:0] MaxBytesTls13 = 16'd16640;
  localparam logic [15:0] MaxBytesTls12 = 16'd18432;

  typedef enum logic [3:0] {
    StIdle,     // no job
    StHeader,   // OPEN: header, and explicit nonce
    StArrive,   // they are on their way
    StShape,    // lengths are worked out, the header is checked
    StCommand,  // the AEAD takes the command, or the run has ended
    StText,     // words become text
    StTag,      // OPEN: the tag
    StDrain,    // the run has ended: what is left of its source
    StEnd       // the outbound side is told
  } state_e;

  state_e       state_q;
  job_t         job_q;
  length_t      length_q;    // of what is left of a run,
  logic [63:0]  sequence_q;  // and its first sequence number,
  logic         sequence_carry_q;  // whose upper half follows a cycle behind the lower
  logic [103:0] header_q;    // and explicit nonce
  logic         fault_q;
  logic         bad_header_q;
  logic [15:0]  expected_q;  // length in the header of a single record
  logic [6:0]   end_status_q;
  logic         stop_q;    // the header cannot be followed
  size_t        record_bytes_q;
  size_t        text_bytes_q;
  logic         explicit_nonce_q;

  // --- Shape of the record -----------------------------------------------------------------------

  logic        explicit_nonce;  // of the job that is taken
  size_t       overhead;
  length_t     least;          // bytes of the shortest record
  logic [15:0] header_length;  // as received
  logic        header_good;
  length_t     length_room;    // for a header's length in what is left of a run
  logic        length_good;    // in a run
  logic        stop;
  size_t       record_bytes;   // OPEN
  size_t       text_bytes;

  assign explicit_nonce = job_i.tls12 && ((job_i.suite == suite_t'(SuiteAes128Gcm)) ||
                                          (job_i.suite == suite_t'(SuiteAes256Gcm)));
  assign overhead       = explicit_nonce_q ? ExplicitOverhead : PlainOverhead;
  assign least          = job_q.tls12 ? length_t'(overhead)
                                      : length_t'(sealgate_abi_pkg::MinRecordBytes);

  // Stands for some cycles before a header is there.
  sealgate_delay #(
    .Width($bits(length_t)),
    .Cycles(Pipelined ? 1 : 0)
  ) u_length_room (
    .clk_i,
    .value_i(length_q - length_t'(HeaderBytes)),
    .value_o(length_room)
  );

  // In simulation lengths, command and op rest but in their cycle; hardware has no use for that.
  always_comb begin
    header_length = '0;
    header_good   = 1'b0;
    length_good   = 1'b0;
    stop          = 1'b0;
    record_bytes  = '0;
    text_bytes    = '0;
    if (Pipelined || (state_q == StShape)) begin
      header_length = {header_q[31:24], header_q[39:32]};
      header_good   = (job_q.tls12 || (header_q[7:0] == ApplicationData)) &&
                      (header_q[23:8] == 16'h0303);
      length_good   = (header_length <= (job_q.tls12 ? MaxBytesTls12 : MaxBytesTls13)) &&
                      (length_t'(header_length) >= least - length_t'(HeaderBytes)) &&
                      (length_t'(header_length) <= length_room);
      stop          = job_q.run && (fault_q || !header_good || !length_good);
      record_bytes  = job_q.run ? size_t'(header_length + HeaderBytes) : size_t'(length_q);
      // Of the record's length as it is at hand, so that there is one difference alone.
      text_bytes    = !job_q.open ? job_q.inner :
                      job_q.run ? size_t'(header_length) - (overhead - size_t'(HeaderBytes)) :
                      size_t'(length_q) - overhead;
    end
  end

  // --- Command -----------------------------------------------------------------------------------

  logic [63:0] sequence_bytes;
  logic [95:0] nonce;
  logic [7:0]  header_type;

  always_comb begin
    sequence_bytes = '0;
    nonce          = '0;
    header_type    = '0;
    command_o      = '0;
    if (Pipelined || (state_q == StCommand)) begin
      sequence_bytes = network_order(sequence_q);
      nonce          = job_q.iv ^ {sequence_bytes, 32'b0};
      header_type    = job_q.open ? header_q[7:0]
                                  : job_q.tls12 ? job_q.content_type : ApplicationData;

      command_o.suite      = job_q.suite;
      command_o.ctx        = job_q.ctx;
      command_o.open       = job_q.open;
      command_o.has_text   = text_bytes_q != '0;
      command_o.text_bytes = {1'b0, text_bytes_q};
      command_o.nonce      = nonce;
      if (explicit_nonce_q && job_q.open) command_o.nonce = {header_q[103:40], job_q.iv[31:0]};
      // The header that the record must have: when the one received differs, it is refused.
      command_o.aad       = {88'b0, header_of(ApplicationData,
                                              text_bytes_q + 15'(sealgate_abi_pkg::TagBytes))};
      command_o.aad_bytes = 5'd5;
      if (job_q.tls12) begin
        command_o.aad       = {24'b0, header_of(header_type, text_bytes_q), sequence_bytes};
        command_o.aad_bytes = 5'd13;
      end
    end
  end

  always_comb begin
    op_o = '0;
    if (Pipelined || (state_q == StCommand) || (state_q == StEnd)) begin
      op_o = '{
        ticket: job_q.ticket,
        open: job_q.open,
        run: job_q.run,
        run_end: state_q == StEnd,
        status: end_status_q,
        tls12: job_q.tls12,
        explicit_nonce: explicit_nonce_q,
        header_type: header_type,
        nonce: nonce[95:32],
        has_text: text_bytes_q != '0,
        text_bytes: text_bytes_q,
        destination: job_q.destination
      };
    end
  end

  // Both are taken in the same cycle.
  assign command_valid_o = (state_q == StCommand) && !stop_q && op_ready_i;
  assign op_valid_o      = ((state_q == StCommand) && !stop_q && command_ready_i) ||
                           (state_q == StEnd);

  // --- Source ------------------------------------------------------------------------------------

  logic                 start;
  logic [16:0]          source_words;
  length_t              source_reach;  // from the first byte of the first word, rounded up
  logic                 take;
  logic [4:0]           take_bytes_q;  // in this state
  logic                 available;
  logic                 taken;
  logic [WordWidth-1:0] window;
  logic                 window_error;
  logic                 drained;

  assign job_ready_o  = state_q == StIdle;
  assign start        = job_valid_i && job_ready_o;
  assign source_reach = {17'b0, job_i.source[3:0]} + job_i.length + 21'd15;
  assign source_words = (job_i.length == '0) ? '0 : source_reach[20:4];

  sealgate_byte_window #(
    .Pipelined(Pipelined)
  ) u_window (
    .clk_i,
    .rst_ni,
    .start_i     (start),
    .offset_i    (job_i.source[3:0]),
    .words_i     (source_words),
    .any_i       (job_i.length != '0),
    .word_valid_i,
    .word_ready_o,
    .word_data_i,
    .word_error_i,
    .take_i      (take),
    .take_bytes_i(take_bytes_q),
    .available_o (available),
    .data_o      (window),
    .error_o     (window_error),
    .drain_i     (state_q == StDrain),
    .drained_o   (drained)
  );

  // What of the text is still to come from the source: whole words, then a tail.
  logic [10:0] source_words_q;
  logic [3:0]  source_tail_q;
  logic        whole_q;         // a whole word is next,
  logic        whole_last_q;    // and it is the last one
  logic        type_due_q;      // the content type is to follow the source
  logic        text_last_q;     // one word of text is still to be made
  logic [10:0] text_words_q;
  size_t       source_bytes_q;

  // Bytes of a header and, where there is one, an explicit nonce.
  function automatic logic [4:0] header_bytes(logic with_nonce);
    return with_nonce ? 5'd13 : 5'd5;
  endfunction

  logic text_room;
  logic takes;    // this state does,
  logic takes_d;  // and there is room,
  logic settles;  // and it goes on to do so with the same number of bytes

  // With `Pipelined` a take waits for a cycle where the one before it was of other bytes. So the state
  // is the same as in the cycle before, and `take` can be a register.
  assign takes   = (state_q == StHeader) || (state_q == StTag) || (state_q == StText);
  assign takes_d = takes && (text_room || (state_q != StText));
  assign settles = !taken || ((state_q == StText) && whole_q && !whole_last_q && !text_last_q);
  assign taken   = take && available;

  if (Pipelined) begin : g_take
    logic take_q;

    always_ff @(posedge clk_i) take_q <= takes_d && settles && rst_ni;

    assign take = take_q;
  end else begin : g_direct_take
    logic unused;

    assign unused = settles;
    assign take   = takes_d;
  end

  assign stall_o = take && !available;

  // SEAL: cut what the word brought along behind the source, and set the content type. A bit per
  // byte of the text tells if it is of the source, another if it is the type.
  localparam int unsigned Stages = Pipelined ? WindowStages : 0;
  localparam int unsigned MaskStages = Pipelined ? 1 : 0;

  logic                 header_here;
  logic                 tag_here, tag_fault, tag_bad_header;
  logic                 type_here;
  logic [WordBytes-1:0] keep_d, keep;
  logic [WordBytes-1:0] set_d, set;
  logic [7:0]           content_type;
  logic                 text_here, text_error_here;
  logic [WordWidth-1:0] masked;
  logic                 text_valid, text_error;
  logic [WordWidth-1:0] text;

  assign type_here = type_due_q && !take_bytes_q[4];

  always_comb begin
    for (int unsigned i = 0; i < WordBytes; i++) begin
      keep_d[i] = 5'(i) < take_bytes_q;
      set_d[i]  = type_here && (5'(i) == take_bytes_q);
    end
  end

  sealgate_delay #(
    .Width(6),
    .Cycles(Stages)
  ) u_here (
    .clk_i,
    .value_i({rst_ni && (state_q == StHeader) && taken,
              rst_ni && (state_q == StTag) && taken,
              rst_ni && (state_q == StText) && taken,
              fault_q || window_error, bad_header_q, window_error}),
    .value_o({header_here, tag_here, text_here, tag_fault, tag_bad_header, text_error_here})
  );

  sealgate_delay #(
    .Width(2 * WordBytes + 8),
    .Cycles(Stages)
  ) u_masks (
    .clk_i,
    .value_i({keep_d, set_d, job_q.content_type}),
    .value_o({keep, set, content_type})
  );

  always_comb begin
    for (int unsigned i = 0; i < WordBytes; i++) begin
      masked[8*i+:8] = (window[8*i+:8] & {8{keep[i]}}) | (content_type & {8{set[i]}});
    end
  end

  sealgate_delay #(
    .Width(WordWidth + 2),
    .Cycles(MaskStages)
  ) u_masked (
    .clk_i,
    .value_i({text_here && rst_ni, text_error_here, masked}),
    .value_o({text_valid, text_error, text})
  );

  // Deep enough that the cycles a record takes for header and tag are made up for while the AEAD is
  // busy with the blocks that are not text.
  if (Pipelined) begin : g_landing
    sealgate_landing #(
      .Width(WordWidth + 1),
      .Depth(16)
    ) u_texts (
      .clk_i,
      .rst_ni,
      .room_o (text_room),
      .valid_i(text_valid),
      .data_i ({text_error, text}),
      .valid_o(text_valid_o),
      .ready_i(text_ready_i),
      .data_o ({text_error_o, text_data_o})
    );
  end else begin : g_queue
    sealgate_fifo #(
      .Width(WordWidth + 1),
      .Depth(4)
    ) u_texts (
      .clk_i,
      .rst_ni,
      .clear_i(1'b0),
      .valid_i(text_valid),
      .ready_o(text_room),
      .data_i ({text_error, text}),
      .valid_o(text_valid_o),
      .ready_i(text_ready_i),
      .data_o ({text_error_o, text_data_o})
    );
  end

  assign received_valid_o = tag_here;
  assign received_o       = '{fault: tag_fault, bad_header: tag_bad_header, tag: window};

  // --- Walk --------------------------------------------------------------------------------------

  length_t left;      // of a run, behind this record
  logic    run_goes_on_q;
  logic    advance_q;  // it is the next record's turn

  sealgate_delay #(
    .Width($bits(length_t)),
    .Cycles(Pipelined ? 1 : 0)
  ) u_left (
    .clk_i,
    .value_i(length_q - length_t'(record_bytes_q)),
    .value_o(left)
  );

  // Known from the first cycle after StCommand on; with `Pipelined` from the second, and then a tag is
  // taken in its second cycle at the earliest.
  always_ff @(posedge clk_i) run_goes_on_q <= left >= least;

  state_e state_d;

  always_comb begin
    state_d = state_q;
    unique case (state_q)
      StIdle:   if (job_valid_i) state_d = job_i.open ? StHeader : StShape;
      StHeader: if (taken) state_d = Pipelined ? StArrive : StShape;
      StArrive: if (header_here) state_d = StShape;
      StShape:  state_d = StCommand;
      StCommand: begin
        if (stop_q) state_d = StDrain;
        else if (command_ready_i && op_ready_i) begin
          state_d = (text_bytes_q != '0) ? StText : job_q.open ? StTag : StIdle;
        end
      end
      StText: if (taken && text_last_q) state_d = job_q.open ? StTag : StIdle;
      StTag: begin
        if (taken) state_d = !job_q.run ? StIdle : run_goes_on_q ? StHeader : StDrain;
      end
      StDrain: if (drained) state_d = StEnd;
      StEnd:   if (op_ready_i) state_d = StIdle;
      default: state_d = StIdle;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) state_q <= StIdle;
    else state_q <= state_d;
  end

  // A state of its own loads the job, which is wide. It knows of no reset: a cycle after one there
  // is no job yet.
  logic load_job, load_left;

  if (Pipelined) begin : g_load
    sealgate_copies #(
      .Copies(2)
    ) u_load (
      .clk_i,
      .value_i(state_d == StIdle),
      .copies_o({load_job, load_left})
    );
  end else begin : g_direct_load
    assign load_job  = state_q == StIdle;
    assign load_left = state_q == StIdle;
  end

  always_ff @(posedge clk_i) begin
    if (load_job) job_q <= job_i;
  end

  logic unused_of_job;
  assign unused_of_job = ^{job_q.length, job_q.sequence_number};

  always_ff @(posedge clk_i) begin
    if (load_left) begin
      length_q         <= job_i.length;
      sequence_q       <= job_i.sequence_number;
      sequence_carry_q <= 1'b0;
    end else if (advance_q) begin
      length_q                             <= left;
      {sequence_carry_q, sequence_q[31:0]} <= {1'b0, sequence_q[31:0]} + 33'd1;
    end else if (sequence_carry_q) begin
      sequence_q[63:32] <= sequence_q[63:32] + 32'd1;
      sequence_carry_q  <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    unique case (state_q)
      StIdle: begin
        explicit_nonce_q <= explicit_nonce;
        take_bytes_q     <= header_bytes(explicit_nonce);
        fault_q          <= 1'b0;
        advance_q        <= 1'b0;
      end
      StHeader: begin
        expected_q <= {1'b0, size_t'(length_q)} - HeaderBytes;
        if (taken) fault_q <= window_error;
      end
      StShape: begin
        stop_q         <= stop;
        end_status_q   <= fault_q ? StatusSourceFault : StatusBadHeader;
        bad_header_q   <= !header_good || (!job_q.run && (header_length != expected_q));
        record_bytes_q <= record_bytes;
        text_bytes_q   <= text_bytes;
        source_bytes_q <= job_q.open ? text_bytes : size_t'(length_q);
      end
      StCommand: begin
        source_words_q <= source_bytes_q[14:4];
        source_tail_q  <= source_bytes_q[3:0];
        whole_q        <= source_bytes_q[14:4] != '0;
        whole_last_q   <= source_bytes_q[14:4] == 11'd1;
        text_last_q    <= is_one_word(text_bytes_q);
        text_words_q   <= words_of(text_bytes_q);
        type_due_q     <= !job_q.open && !job_q.tls12;
        take_bytes_q   <= (source_bytes_q[14:4] != '0) ? 5'd16 : {1'b0, source_bytes_q[3:0]};
        if (text_bytes_q == '0) take_bytes_q <= 5'(sealgate_abi_pkg::TagBytes);
      end
      StText: begin
        if (taken) begin
          // Whole words, the tail, then nothing but what is made of zeroes.
          source_words_q <= source_words_q - 11'd1;
          if (text_last_q) take_bytes_q <= 5'(sealgate_abi_pkg::TagBytes);
          else if (!take_bytes_q[4]) take_bytes_q <= '0;
          else if (whole_last_q) take_bytes_q <= {1'b0, source_tail_q};
          whole_q      <= whole_q && !whole_last_q;
          whole_last_q <= source_words_q == 11'd2;
          text_last_q  <= text_words_q == 11'd2;
          text_words_q <= text_words_q - 11'd1;
          if (type_here) type_due_q <= 1'b0;
          if (window_error) fault_q <= 1'b1;
        end
      end
      StTag: begin
        end_status_q <= StatusSuccess;
        if (taken) begin
          take_bytes_q <= header_bytes(explicit_nonce_q);
          advance_q    <= job_q.run && run_goes_on_q;
        end
      end
      default: ;
    endcase
    if (header_here) header_q <= window[103:0];
    if (advance_q) advance_q <= 1'b0;
  end

  logic unused;
  assign unused = ^{source_reach[3:0], job_q.source};

endmodule

`default_nettype wire
