// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Decode: what an entry asks for, whether it may, and its cutting into records.
//
// Theory of operation: queues are served in turn, one record a turn. An entry is read, its fields
// are judged while the table of contexts is asked, the answer is judged, and the entry leaves: as
// an opening of its ticket for the completer, and as a job for a lane if there is a record to work
// on. That takes three cycles; the next entry is read in the third, and so that the same queue can
// be next, the queue is told in the second already to go on from an entry that is used up whatever
// the verdict. The verdicts come in the order of docs/device.md.
//
// With `Pipelined` it takes seven: the queue that is next and the entry come into registers, and the
// last judgement has a cycle of its own. While it falls, the next queue is picked among the others;
// its entry is read as this one leaves, which makes five. Where no other has an entry a queue is
// picked when this one has left; one that may stay or change is waited for, which makes eight.
// Openings leave a cycle later. What comes with a request stands for a cycle more, since no entry
// is read behind one.
//
// A SEAL of several records opens its ticket with the sums over all of them, which are known before
// the first leaves: a serial divider tells how many there are (14 cycles, none if the fragment
// limit is a power of two). Each turn cuts off one record and writes the rest of the entry back
// into the queue's buffer. What was accepted once is not judged again: it goes on even when the
// engine is no longer ready, and decode says that it is busy until the last record has left.
//
// Loads and drops go to the unit of contexts and are carried out behind decode's back. Their queue
// is parked until then, so that its order stays; so is a queue whose request finds the unit taken,
// or whose drop finds jobs of the queue in the lanes. A parked queue is not looked at, and no other
// waits for it; when it wakes, its entry is judged anew. Queues that wait for the unit get it in
// turn.
//
// An entry that may hold a key, which is every CTX_LOAD and each that was fetched with an error, is
// overwritten with zeroes when it is used up, whatever its verdict; the queues then keep no copy.

`default_nettype none

module sealgate_decode
  import sealgate_pkg::*;
  import sealgate_abi_pkg::*;
#(
  parameter int unsigned NumContexts = 1024,
  parameter bit Chacha = 1'b1,  // 0: ChaCha20-Poly1305 is an unknown suite
  parameter bit Pipelined = 1'b0,
  localparam int unsigned ContextWidth = $clog2(NumContexts)
) (
  input  wire logic                    clk_i,
  input  wire logic                    rst_ni,
  input  wire logic                    ready_i,  // entries may be served

  // Queues. In the cycle after advance_o present_i tells of the next entry; after rewrite_o the
  // changed one can be read.
  input  wire logic [QueueCount-1:0]   present_i,
  output      logic                    read_o,
  output      queue_id_t               read_queue_o,
  input  wire entry_t                  entry_i,  // from the cycle after read_o until the next
  input  wire logic [TicketWidth-1:0]  index_i,
  output      logic                    advance_o,
  output      logic                    rewrite_o,
  output      logic [511:0]            rewrite_bytes_o,

  // Contexts.
  output      logic                    lookup_o,
  output      logic [ContextWidth-1:0] lookup_ctx_o,
  input  wire context_t                lookup_i,
  output      logic                    request_valid_o,
  input  wire logic                    request_ready_i,
  output      logic                    request_load_o,
  output      logic [ContextWidth-1:0] request_ctx_o,
  output      context_t                request_context_o,
  output      logic [255:0]            request_key_o,
  input  wire logic                    request_done_i,

  // Completer; always takes.
  output      logic                    opening_valid_o,
  output      opening_t                opening_o,

  // Dispatch.
  output      logic                    job_valid_o,
  input  wire logic                    job_ready_i,
  output      job_t                    job_o,

  // A lane has finished a job.
  input  wire logic                    job_done_i,
  input  wire queue_id_t               job_done_queue_i,

  output      logic [QueueCount-1:0]   wait_lane_o,
  output      logic [QueueCount-1:0]   wait_context_o,
  output      logic                    busy_o,  // a context is in use or may be
  // Something of its state may change; without, its clock may rest.
  output      logic                    active_o
);

  typedef enum logic [3:0] {
    StIdle,
    StRead,      // Pipelined: the entry of the queue that was picked is read,
    StArrive,    // and is on its way
    StFields,    // the entry stands there
    StContext,   // the table of contexts has answered
    StDivide,    // SEAL of several records: how many,
    StMultiply,  // how long all but the last are,
    StSum,       // and the last
    StVerdict,   // Pipelined: the sums are judged
    StEmit
  } state_e;

  // What an entry is, if its opcode is known.
  typedef struct packed {
    logic nop;
    logic load;
    logic drop;
    logic seal;
    logic open;
    logic run;
  } kinds_t;

  localparam suite_e LastSuite = Chacha ? SuiteChacha20Poly1305 : SuiteAes256Gcm;

  // Quotients of 2^20 by 65 and more.
  localparam int unsigned DivideSteps = 14;

  state_e    state_q;
  queue_id_t queue_q;  // whose entry is at work, or was last
  queue_id_t queue_d;

  logic [QueueCount-1:0] cutting_q;  // the first record of the queue's entry has left
  logic                  cutting;
  assign cutting = cutting_q[queue_q];

  // --- Fields ------------------------------------------------------------------------------------

  entry_t                 entry;
  logic [TicketWidth-1:0] index;
  logic [7:0]             opcode_d;
  kinds_t                 kinds_d, kinds;

  assign opcode_d = entry_i.bytes[EntryOpcodeLsb+:EntryOpcodeWidth];
  assign kinds_d  = '{
    nop: opcode_d == OpcodeNop,
    load: opcode_d == OpcodeContextLoad,
    drop: opcode_d == OpcodeContextDrop,
    seal: opcode_d == OpcodeSeal,
    open: opcode_d == OpcodeOpen,
    run: opcode_d == OpcodeOpenRun
  };

  sealgate_delay #(
    .Width($bits(entry_t) + TicketWidth + $bits(kinds_t)),
    .Cycles(Pipelined ? 1 : 0)
  ) u_entry (
    .clk_i,
    .value_i({entry_i, index_i, kinds_d}),
    .value_o({entry, index, kinds})
  );

  logic [511:0] bytes;
  logic [7:0]   opcode;
  logic [7:0]   content_type;
  logic [15:0]  ctx;
  logic [15:0]  cookie;
  logic [15:0]  multiple;
  logic [63:0]  sequence_number;
  logic [63:0]  source;
  logic [63:0]  destination;
  logic [31:0]  length;
  logic [31:0]  capacity;
  logic [15:0]  fragment_limit;
  logic [7:0]   suite;
  logic [7:0]   version;
  logic [7:0]   direction;

  assign bytes           = entry.bytes;
  assign opcode          = bytes[EntryOpcodeLsb+:EntryOpcodeWidth];
  assign content_type    = bytes[EntryContentTypeLsb+:EntryContentTypeWidth];
  assign ctx             = bytes[EntryContextLsb+:EntryContextWidth];
  assign cookie          = bytes[EntryCookieLsb+:EntryCookieWidth];
  assign multiple        = bytes[EntryPaddingMultipleLsb+:EntryPaddingMultipleWidth];
  assign sequence_number = bytes[EntrySequenceLsb+:EntrySequenceWidth];
  assign source          = bytes[EntrySourceLsb+:EntrySourceWidth];
  assign destination     = bytes[EntryDestinationLsb+:EntryDestinationWidth];
  assign length          = bytes[EntryLengthLsb+:EntryLengthWidth];
  assign capacity        = bytes[EntryCapacityLsb+:EntryCapacityWidth];
  assign fragment_limit  = bytes[EntryFragmentLimitLsb+:EntryFragmentLimitWidth];
  assign suite           = bytes[LoadSuiteLsb+:LoadSuiteWidth];
  assign version         = bytes[LoadVersionLsb+:LoadVersionWidth];
  assign direction       = bytes[LoadDirectionLsb+:LoadDirectionWidth];

  // --- First judgement: what the entry alone tells -----------------------------------------------

  logic       record_reserved_zero;
  logic       fields_valid;
  logic       several;     // SEAL: records follow this one
  size_t      limit;
  logic [6:0] status_fields;

  assign record_reserved_zero = bytes[EntryReservedLsb+:EntryReservedWidth] == '0;
  assign limit   = (fragment_limit == '0) ? size_t'(MaxFragmentBytes) : fragment_limit[14:0];
  assign several = kinds.seal && (length > 32'(limit));

  function automatic logic power_of_two(logic [15:0] value);
    return (value & (value - 16'd1)) == 16'd0;
  endfunction

  // In simulation this, and what follows in its way, rests but in its state; hardware has no use for
  // that.
  always_comb begin
    fields_valid = 1'b1;
    if (Pipelined || (state_q == StFields)) begin
      unique case (opcode)
        OpcodeContextLoad:
          fields_valid = (suite != '0) && (suite <= LastSuite) &&
                         ((version == VersionTls12) || (version == VersionTls13)) &&
                         ((direction == DirectionSeal) || (direction == DirectionOpen)) &&
                         (bytes[LoadReservedLsb+:LoadReservedWidth] == '0);
        OpcodeSeal:
          fields_valid = record_reserved_zero && (content_type != '0) &&
                         (multiple <= 16'(MaxFragmentBytes)) && power_of_two(multiple) &&
                         (fragment_limit <= 16'(MaxFragmentBytes)) &&
                         ((fragment_limit == '0) || (fragment_limit >= 16'(MinFragmentLimit)));
        OpcodeOpen, OpcodeOpenRun:
          fields_valid = record_reserved_zero && (content_type == '0) && (multiple == '0) &&
                         (fragment_limit == '0);
        default: ;
      endcase
    end

    status_fields = StatusSuccess;
    if (entry.fault) status_fields = StatusEntryFault;
    else if (!ready_i) status_fields = StatusNotReady;
    else if (kinds == '0) status_fields = StatusUnknownOpcode;
    else if (!fields_valid) status_fields = StatusInvalidField;
  end

  // Records that a SEAL may still make: less than the suite's limit leaves, and no sequence number
  // twice. No entry has more than 2^14, so more need not be told apart.
  localparam int unsigned LimitWidth = $clog2(SealSequenceLimit + 1);

  logic [LimitWidth:0] gcm_left;  // negative: past the limit
  logic [14:0]         gcm_records;
  logic [14:0]         chacha_records;

  always_comb begin
    gcm_left       = '0;
    gcm_records    = '0;
    chacha_records = '0;
    if (Pipelined || (state_q == StFields)) begin
      gcm_left = (LimitWidth + 1)'(SealSequenceLimit) - {1'b0, sequence_number[LimitWidth-1:0]};
      if ((sequence_number[63:LimitWidth] == '0) && !gcm_left[LimitWidth]) begin
        gcm_records = (gcm_left[LimitWidth-1:15] != '0) ? '1 : gcm_left[14:0];
      end
      chacha_records = (sequence_number[63:15] != '1) ? '1 : ~sequence_number[14:0];
    end
  end

  // What of length and sequence number an OPEN may not have, by what its context will turn out to be.
  typedef struct packed {
    logic tls13;
    logic tls12_gcm;
    logic tls12_chacha;
  } short_t;

  typedef struct packed {
    logic tls13;
    logic tls12;
    logic seal;  // a run that is opened, too
  } long_t;

  logic   last_sequence;
  short_t too_short_for;
  long_t  too_long_for;

  always_comb begin
    last_sequence = 1'b0;
    too_short_for = '0;
    too_long_for  = '0;
    if (Pipelined || (state_q == StFields)) begin
      last_sequence = kinds.run ? (sequence_number >= -64'(OpenRunSequenceMargin))
                                : &sequence_number;
      too_short_for = '{
        tls13: length < 32'(MinRecordBytes),
        tls12_gcm: length < 32'(MinTls12GcmRecordBytes),
        tls12_chacha: length < 32'(MinTls12ChachaRecordBytes)
      };
      too_long_for = '{
        tls13: length > 32'(MaxRecordBytes),
        tls12: length > 32'(MaxTls12RecordBytes),
        seal: length > 32'(MaxSealBytes)
      };
    end
  end

  // Content and type, filled up to a multiple (RFC 8446, section 5.4); without one, type alone.
  function automatic logic [15:0] pad(size_t content_bytes, logic [15:0] multiple_bytes);
    logic [15:0] step;
    step = (multiple_bytes == '0) ? 16'd1 : multiple_bytes;
    return ({1'b0, content_bytes} + step) & ~(step - 16'd1);
  endfunction

  logic        erase_q;         // the entry may hold a key
  logic        late_q;          // whether it is used up is known last
  logic        several_q;
  logic        settled_q;       // the table does not change beneath the judgement
  logic        ready_q;         // the engine was ready when the entry was read
  logic [6:0]  status_fields_q;
  size_t       limit_q;
  size_t       fragment_q;      // SEAL: bytes of content of this record
  logic [15:0] padded_q;
  logic [14:0] gcm_records_q;
  logic [14:0] chacha_records_q;
  logic        padding_q;       // there is a multiple to pad to
  logic        last_sequence_q;
  short_t      short_q;
  long_t       long_q;

  logic request_busy_q;

  always_ff @(posedge clk_i) begin
    if (state_q == StFields) begin
      erase_q          <= kinds.load || entry.fault;
      late_q           <= kinds.load || entry.fault || kinds.drop || several;
      several_q        <= several;
      settled_q        <= request_ready_i && !request_busy_q;
      ready_q          <= ready_i;
      status_fields_q  <= status_fields;
      limit_q          <= limit;
      fragment_q       <= several ? limit : length[14:0];
      gcm_records_q    <= gcm_records;
      chacha_records_q <= chacha_records;
      padding_q        <= multiple != '0;
      last_sequence_q  <= last_sequence;
      short_q          <= too_short_for;
      long_q           <= too_long_for;
    end
  end

  assign lookup_o     = state_q == StFields;
  assign lookup_ctx_o = ctx[ContextWidth-1:0];

  // --- Second judgement: with the context --------------------------------------------------------

  // Inner plaintext in TLS 1.3, the content alone in TLS 1.2.
  function automatic size_t inner_bytes(size_t content_bytes, logic [15:0] padded, logic tls12);
    if (tls12) return content_bytes;
    if (padded > 16'(MaxInnerPlaintextBytes)) return size_t'(MaxInnerPlaintextBytes);
    return padded[14:0];
  endfunction

  logic        ctx_in_range;
  logic        ctx_loaded;
  logic        is_gcm;
  logic        tls12;
  size_t       overhead;       // bytes of a record beside those of inner_bytes
  size_t       open_min;
  logic        too_short;      // of an OPEN
  logic        too_long;
  size_t       inner;
  logic [14:0] seal_records;
  logic [6:0]  status_record;  // records alone
  logic [6:0]  status_context;

  assign ctx_in_range = 32'(ctx) < NumContexts;
  assign ctx_loaded   = ctx_in_range && lookup_i.loaded;
  assign is_gcm       = lookup_i.suite != suite_t'(SuiteChacha20Poly1305);
  assign tls12        = lookup_i.tls12;
  assign seal_records = is_gcm ? gcm_records_q : chacha_records_q;
  assign inner        = inner_bytes(fragment_q, padded_q, tls12);

  always_comb begin
    overhead  = size_t'(RecordHeaderBytes + TagBytes);
    open_min  = size_t'(MinRecordBytes);
    too_short = short_q.tls13;
    too_long  = long_q.tls13;
    if (tls12) begin
      if (is_gcm) overhead = size_t'(MinTls12GcmRecordBytes);
      open_min  = is_gcm ? size_t'(MinTls12GcmRecordBytes) : size_t'(MinTls12ChachaRecordBytes);
      too_short = is_gcm ? short_q.tls12_gcm : short_q.tls12_chacha;
      too_long  = long_q.tls12;
    end
    if (kinds.run) too_long = long_q.seal;
  end

  always_comb begin
    status_record = StatusSuccess;
    if (Pipelined || (state_q == StContext)) begin
      if (kinds.seal) begin
        if (tls12 && padding_q) status_record = StatusInvalidField;
        else if (seal_records == '0) status_record = StatusSequenceExhausted;
        else if (long_q.seal) status_record = StatusBadLength;
      end else if (last_sequence_q) begin
        status_record = StatusSequenceExhausted;
      end else if (too_short || too_long) begin
        status_record = StatusBadLength;
      end
    end

    status_context = status_fields_q;
    if (cutting) status_context = StatusSuccess;
    else if ((Pipelined || (state_q == StContext)) && (status_fields_q == StatusSuccess) &&
             !kinds.nop) begin
      if (!ctx_in_range) status_context = StatusContextMissing;
      else if (kinds.load) begin
        if (ctx_loaded) status_context = StatusContextBusy;
      end else if (!ctx_loaded) status_context = StatusContextMissing;
      else if (lookup_i.owner != queue_q) status_context = StatusContextForeign;
      else if (!kinds.drop) begin
        if (lookup_i.open == kinds.seal) status_context = StatusContextDirection;
        else status_context = status_record;
      end
    end
  end

  // --- Several records: how many, how long -------------------------------------------------------

  logic        divide;         // the sums are not known yet
  logic [14:0] quotient_q;     // records of full length; while dividing also what is left to divide
  size_t       remainder_q;
  logic [3:0]  step_q;
  logic        divided;
  logic [14:0] quotient_d;
  size_t       remainder_d;
  size_t       shifted;
  size_t       overhead_q;
  size_t       inner_q;
  size_t       sealed_q;       // bytes of this record
  total_t      written_q;      // of all records; OPEN: the most that it may write
  logic [14:0] records_q;
  logic [14:0] seal_records_q;
  logic [6:0]  status_context_q;

  assign divide = several_q && !cutting && (status_context == StatusSuccess);

  always_comb begin
    divided     = step_q == 4'(DivideSteps - 1);
    shifted     = {remainder_q[13:0], quotient_q[13]};
    remainder_d = (shifted >= limit_q) ? shifted - limit_q : shifted;
    quotient_d  = {1'b0, quotient_q[12:0], shifted >= limit_q};
    if ((Pipelined || (state_q == StDivide)) && power_of_two({1'b0, limit_q})) begin
      divided     = 1'b1;
      remainder_d = length[14:0] & (limit_q - size_t'(1));
      quotient_d  = '0;
      for (int unsigned i = $clog2(MinFragmentLimit); i <= $clog2(MaxFragmentBytes); i++) begin
        if (limit_q[i]) quotient_d = 15'(length[20:0] >> i);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    unique case (state_q)
      StFields: padded_q <= several ? pad(limit, multiple) : pad(length[14:0], multiple);
      StContext: begin
        status_context_q <= status_context;
        seal_records_q   <= seal_records;
        overhead_q       <= overhead;
        inner_q          <= inner;
        sealed_q         <= inner + overhead;
        written_q        <= kinds.seal ? total_t'(inner) + total_t'(overhead) :
                            total_t'(length[20:0]) - total_t'(open_min);
        records_q        <= 15'd1;
        quotient_q       <= {1'b0, length[13:0]};
        remainder_q      <= size_t'(length[20:14]);
        step_q           <= '0;
      end
      StDivide: begin
        quotient_q  <= quotient_d;
        remainder_q <= remainder_d;
        step_q      <= step_q + 4'd1;
      end
      StMultiply: begin
        written_q <= total_t'(quotient_q) * total_t'(sealed_q);
        records_q <= quotient_q + 15'(remainder_q != '0);
        padded_q  <= pad(remainder_q, multiple);
      end
      StSum: begin
        if (remainder_q != '0) begin
          written_q <= written_q +
                       total_t'(inner_bytes(remainder_q, padded_q, tls12)) + total_t'(overhead_q);
        end
      end
      default: ;
    endcase
  end

  // --- Last judgement: the sums ------------------------------------------------------------------

  logic [QueueCount-1:0] has_jobs_q;    // under way
  logic                  turn_valid_q;  // the unit of contexts is kept for a queue that waited for it
  queue_id_t             turn_q;

  logic       is_record;
  logic [6:0] status_d, status;
  logic       accepted;
  logic       is_job;
  logic       is_request;
  logic       drain;     // a drop whose queue has jobs
  logic       unit_free;
  logic       record;   // a job leaves
  logic       request;  // something is to be done in the table

  assign is_record = kinds.seal || kinds.open || kinds.run;

  always_comb begin
    status_d = status_context_q;
    if ((status_context_q == StatusSuccess) && is_record) begin
      if (kinds.seal && (records_q > seal_records_q)) status_d = StatusSequenceExhausted;
      else if (32'(written_q) > capacity) status_d = StatusBadLength;
    end
  end

  // A drop whose queue had jobs, or a request that had to wait for its turn, is parked and wakes at
  // once, should that have changed meanwhile.
  sealgate_delay #(
    .Width(11),
    .Cycles(Pipelined ? 1 : 0)
  ) u_verdict (
    .clk_i,
    .value_i({status_d, accepted && is_record, accepted && (kinds.load || kinds.drop),
              kinds.drop && has_jobs_q[queue_q],
              settled_q && (!turn_valid_q || (turn_q == queue_q))}),
    .value_o({status, is_job, is_request, drain, unit_free})
  );

  assign accepted = status_d == StatusSuccess;
  assign record   = (state_q == StEmit) && is_job;
  assign request  = (state_q == StEmit) && is_request;

  // --- Jobs under way, per queue: until their lane has finished them -------------------------------

  // Bounded by what the lanes and their buffers hold, 128 each.
  localparam int unsigned JobsWidth = 10;

  logic [JobsWidth-1:0]  jobs_q[QueueCount];
  logic                  job_given;
  logic                  job_swapped;  // one goes and one comes

  assign job_given   = job_valid_o && job_ready_i;
  assign job_swapped = job_done_i && (job_done_queue_i == queue_q);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      jobs_q     <= '{default: '0};
      has_jobs_q <= '0;
    end else if (job_given || job_done_i) begin
      if (job_done_i) begin
        jobs_q[job_done_queue_i]     <= jobs_q[job_done_queue_i] - 1'b1;
        has_jobs_q[job_done_queue_i] <= jobs_q[job_done_queue_i] != JobsWidth'(1);
      end
      if (job_given) begin
        jobs_q[queue_q]     <= jobs_q[queue_q] + JobsWidth'(!job_swapped);
        has_jobs_q[queue_q] <= 1'b1;
      end
    end
  end

  // --- Parking, and the unit of contexts ---------------------------------------------------------

  logic [QueueCount-1:0] wait_unit_q;
  logic [QueueCount-1:0] drain_q;          // a drop waits for jobs of its queue
  logic [QueueCount-1:0] loading;          // a request of the queue is under way
  queue_id_t             request_queue_q;  // who had the unit last
  logic                  requested;
  logic                  park;

  assign requested = request_valid_o && request_ready_i;
  assign park      = request && !requested;
  assign loading   = request_busy_q ? QueueCount'(1) << request_queue_q : '0;

  assign request_valid_o   = request && !drain && unit_free;
  assign request_load_o    = kinds.load;
  assign request_ctx_o     = ctx[ContextWidth-1:0];
  assign request_key_o     = bytes[LoadKeyLsb+:LoadKeyWidth];
  assign request_context_o = '{
    loaded: 1'b1,
    owner: queue_q,
    open: direction == DirectionOpen,
    tls12: version == VersionTls12,
    suite: suite_t'(suite),
    iv: bytes[LoadIvLsb+:LoadIvWidth]
  };

  // The first of the queues behind `last` in turn, `last` itself being the last.
  function automatic queue_id_t next_queue(logic [QueueCount-1:0] queues, queue_id_t last);
    queue_id_t next;
    next = last;
    for (int unsigned i = QueueCount - 1; i > 0; i--) begin
      if (queues[last+queue_id_t'(i)]) next = last + queue_id_t'(i);
    end
    return next;
  endfunction

  logic      give_turn;
  queue_id_t turn_next;
  logic      judged;  // the entry leaves StEmit

  assign give_turn = (wait_unit_q != '0) && !turn_valid_q && !request_busy_q && request_ready_i &&
                     !requested;

  always_comb begin
    turn_next = request_queue_q;
    if (give_turn) turn_next = next_queue(wait_unit_q, request_queue_q);
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      wait_unit_q  <= '0;
      drain_q      <= '0;
      turn_valid_q <= 1'b0;
    end else begin
      if (give_turn) begin
        turn_valid_q           <= 1'b1;
        turn_q                 <= turn_next;
        wait_unit_q[turn_next] <= 1'b0;
      end
      if (judged) begin
        if (turn_valid_q && (turn_q == queue_q)) turn_valid_q <= 1'b0;
        drain_q[queue_q]     <= park && drain;
        wait_unit_q[queue_q] <= park && !drain;
      end
    end
  end

  // The request under way; its ticket is opened when it has been carried out.
  ticket_t                ticket;
  ticket_t                request_ticket_q;
  logic [15:0]            request_cookie_q;
  logic                   request_finished_q;
  logic                   opened;  // the entry in StEmit opens its ticket

  assign ticket          = '{queue_id: queue_q, index: index};
  assign request_queue_q = request_ticket_q.queue_id;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      request_busy_q     <= 1'b0;
      request_finished_q <= 1'b0;
      request_ticket_q   <= '0;
    end else if (requested) begin
      request_busy_q   <= 1'b1;
      request_ticket_q <= ticket;
      request_cookie_q <= cookie;
    end else if (request_done_i) begin
      request_finished_q <= 1'b1;
    end else if (request_finished_q && !opened) begin
      request_busy_q     <= 1'b0;
      request_finished_q <= 1'b0;
    end
  end

  // --- Sequence of steps -------------------------------------------------------------------------

  logic                  pick;      // a queue may be picked, to be read next,
  logic                  picked;    // and is
  logic [QueueCount-1:0] eligible;
  state_e                state_d;

  assign judged = (state_q == StEmit) && !(record && !job_ready_i);
  assign pick   = Pipelined ? ((state_q == StIdle) && !advance_o && !rewrite_o) ||
                              ((state_q == StVerdict) && !late_q) :
                              (state_q == StIdle) || judged;
  assign picked = pick && (eligible != '0);

  // What is told of a queue in the midst of its entry is not so when the entry has left.
  always_comb begin
    eligible = present_i & ~wait_unit_q & ~(drain_q & has_jobs_q) & ~loading;
    if (Pipelined ? (state_q == StVerdict) : (state_q == StEmit) && late_q) begin
      eligible[queue_q] = 1'b0;
    end
  end

  // What is ahead stands: only its own queue's entries could park it or take it away.
  logic      ahead;     // the entry to be read as this one leaves is known
  queue_id_t picked_d;  // the queue picked, or else the one that was

  if (Pipelined) begin : g_read
    logic ahead_q;

    always_ff @(posedge clk_i) begin
      if (!rst_ni || judged) ahead_q <= 1'b0;
      else if (state_q == StVerdict) ahead_q <= picked;
    end

    sealgate_copies #(
      .Width($bits(queue_id_t)),
      .Copies(1)
    ) u_read_queue (
      .clk_i,
      .value_i(picked_d),
      .copies_o(read_queue_o)
    );

    assign ahead    = ahead_q;
    assign picked_d = picked ? next_queue(eligible, queue_q) : read_queue_o;
    assign read_o   = (state_q == StRead) || (judged && ahead_q);
    assign queue_d  = (judged && ahead_q) ? read_queue_o :
                      ((state_q == StIdle) && picked) ? picked_d : queue_q;
  end else begin : g_direct_read
    assign ahead        = 1'b0;
    assign picked_d     = picked ? next_queue(eligible, queue_q) : queue_q;
    assign read_o       = picked;
    assign read_queue_o = picked_d;
    assign queue_d      = picked_d;
  end

  always_comb begin
    state_d = state_q;
    unique case (state_q)
      StIdle:     if (picked) state_d = Pipelined ? StRead : StFields;
      StRead:     state_d = StArrive;
      StArrive:   state_d = StFields;
      StFields:   state_d = StContext;
      StContext:  state_d = divide ? StDivide : Pipelined ? StVerdict : StEmit;
      StDivide:   if (divided) state_d = StMultiply;
      StMultiply: state_d = StSum;
      StSum:      state_d = Pipelined ? StVerdict : StEmit;
      StVerdict:  state_d = StEmit;
      StEmit:     if (judged) state_d = ahead ? StArrive : picked ? StFields : StIdle;
      default:    state_d = StIdle;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q   <= StIdle;
      queue_q   <= '0;
      cutting_q <= '0;
    end else begin
      state_q <= state_d;
      queue_q <= queue_d;
      if (job_given) cutting_q[queue_q] <= several_q;
    end
  end

  logic         used_up;  // the entry in StEmit, if that was not known before
  logic         advance;
  logic         rewrite;
  logic [511:0] rewrite_bytes;

  assign used_up   = judged && late_q && !park && !(record && several_q);
  assign advance   = ((state_q == StContext) && !late_q) || used_up;

  // What is left of the entry: nothing, or the records that follow.
  assign rewrite   = (used_up && erase_q) || (job_given && several_q);

  always_comb begin
    rewrite_bytes = '0;
    if ((Pipelined || (state_q == StEmit)) && several_q) begin
      rewrite_bytes = bytes;
      rewrite_bytes[EntrySequenceLsb+:EntrySequenceWidth]       = sequence_number + 64'd1;
      rewrite_bytes[EntrySourceLsb+:EntrySourceWidth]           = source + 64'(limit_q);
      rewrite_bytes[EntryDestinationLsb+:EntryDestinationWidth] = destination + 64'(sealed_q);
      rewrite_bytes[EntryLengthLsb+:EntryLengthWidth]           = length - 32'(limit_q);
    end
    if (erase_q) rewrite_bytes = '0;
  end

  sealgate_delay #(
    .Width(514),
    .Cycles(Pipelined ? 1 : 0)
  ) u_rewrite (
    .clk_i,
    .value_i({advance && rst_ni, rewrite && rst_ni, rewrite_bytes}),
    .value_o({advance_o, rewrite_o, rewrite_bytes_o})
  );

  // --- Handing on --------------------------------------------------------------------------------

  logic sealed;  // the sums of a SEAL are told
  assign sealed = record && kinds.seal;
  assign opened = judged && !cutting && !request;

  logic     opening_valid;
  opening_t opening;

  assign opening_valid = opened || request_finished_q;

  always_comb begin
    opening = '{
      ticket: request_ticket_q,
      cookie: request_cookie_q,
      default: '0
    };
    if (opened) begin
      opening = '{
        ticket: ticket,
        cookie: entry.fault ? 16'd0 : cookie,
        status: status,
        jobs: record ? records_q : 15'd0,
        open: record && !kinds.seal,
        content_type: sealed ? content_type : 8'd0,
        written: sealed ? written_q : '0,
        consumed: sealed ? length[20:0] : '0,
        records: sealed ? 16'(records_q) : 16'd0
      };
    end
  end

  if (Pipelined) begin : g_opening
    logic     opening_valid_q;
    opening_t opening_q;

    always_ff @(posedge clk_i) begin
      opening_valid_q <= opening_valid && rst_ni;
      opening_q       <= opening;
    end

    assign opening_valid_o = opening_valid_q;
    assign opening_o       = opening_q;
  end else begin : g_direct_opening
    assign opening_valid_o = opening_valid;
    assign opening_o       = opening;
  end

  assign job_valid_o = record;

  always_comb begin
    job_o = '0;
    if (Pipelined || (state_q == StEmit)) begin
      job_o = '{
        ticket: ticket,
        open: !kinds.seal,
        run: kinds.run,
        tls12: tls12,
        suite: lookup_i.suite,
        ctx: ctx[9:0],
        iv: lookup_i.iv,
        sequence_number: sequence_number,
        content_type: content_type,
        inner: kinds.seal ? inner_q : '0,
        source: source,
        length: kinds.seal ? length_t'(fragment_q) : length[20:0],
        destination: destination
      };
    end
  end

  assign wait_lane_o    = (record && !job_ready_i) ? QueueCount'(1) << queue_q : '0;
  assign wait_context_o = wait_unit_q | (drain_q & has_jobs_q) | loading;

  // Entries that end in NOT_READY touch nothing: they hold up no zeroize.
  logic reads;  // an entry that may end so

  assign reads  = (state_q == StRead) || (state_q == StArrive) || (state_q == StFields);
  assign busy_o = (cutting_q != '0) || (has_jobs_q != '0) || request_busy_q ||
                  (Pipelined && opening_valid_o) ||
                  (reads ? ready_i : (state_q != StIdle) && ready_q);

  // A job that no lane takes, and no entry, is nothing to do.
  logic held;

  assign held     = record && !job_ready_i;
  assign active_o = Pipelined || job_done_i || request_busy_q || (wait_unit_q != '0) ||
                    ((state_q == StIdle) ? (present_i != '0) : !held);

endmodule

`default_nettype wire
