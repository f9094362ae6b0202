// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Decode and check: what an entry asks for, and whether it may.
//
// Theory of operation: one entry at a time is looked up, judged in the order of docs/device.md, and
// handed on. A record goes three ways at once: its frame to the inbound side, its source to the read
// engine, its operation to the outbound side. Everything else only becomes an operation with a
// status, which passes through the outbound side in order. Loads and drops are done here; a drop
// waits until no record is under way, so that no key changes beneath one.

`default_nettype none

module sealgate_decode
  import sealgate_pkg::*;
  import sealgate_abi_pkg::*;
#(
  parameter int unsigned NumContexts = 1024,
  localparam int unsigned ContextWidth = $clog2(NumContexts)
) (
  input  wire logic                    clk_i,
  input  wire logic                    rst_ni,
  input  wire logic                    ready_i,  // entries may be served

  input  wire logic                    entry_valid_i,
  output      logic                    entry_ready_o,
  input  wire entry_t                  entry_i,

  // Context table.
  output      logic                    lookup_o,
  output      logic [ContextWidth-1:0] ctx_o,
  input  wire context_t                lookup_i,
  output      logic                    load_o,
  output      logic                    drop_o,
  output      context_t                context_o,
  output      logic [255:0]            key_o,
  input  wire logic                    done_i,

  output      logic                    op_valid_o,
  input  wire logic                    op_ready_i,
  output      op_t                     op_o,

  output      logic                    frame_valid_o,
  input  wire logic                    frame_ready_i,
  output      frame_t                  frame_o,

  output      logic                    span_valid_o,
  input  wire logic                    span_ready_i,
  output      span_t                   span_o,

  // A record has left the outbound side.
  input  wire logic                    record_done_i,
  output      logic                    busy_o
);

  typedef enum logic [2:0] {
    StIdle,
    StLookup,  // the table answers
    StJudge,
    StLoad,
    StDrain,   // a drop waits for the records under way
    StDrop,
    StEmit
  } state_e;

  state_e state_q;

  // --- Fields ---------------------------------------------------------------------------------------

  logic [511:0] bytes;
  logic [7:0]   opcode;
  logic [15:0]  ctx;
  logic [63:0]  sequence_number;
  logic [31:0]  length;
  logic [31:0]  capacity;
  logic [15:0]  multiple;
  logic [7:0]   content_type;
  logic [7:0]   suite;
  logic [7:0]   direction;
  logic         is_nop;
  logic         is_load;
  logic         is_drop;
  logic         is_seal;
  logic         is_open;

  assign bytes           = entry_i.bytes;
  assign opcode          = bytes[EntryOpcodeLsb+:EntryOpcodeWidth];
  assign content_type    = bytes[EntryContentTypeLsb+:EntryContentTypeWidth];
  assign ctx             = bytes[EntryContextLsb+:EntryContextWidth];
  assign multiple        = bytes[EntryPaddingMultipleLsb+:EntryPaddingMultipleWidth];
  assign sequence_number = bytes[EntrySequenceLsb+:EntrySequenceWidth];
  assign length          = bytes[EntryLengthLsb+:EntryLengthWidth];
  assign capacity        = bytes[EntryCapacityLsb+:EntryCapacityWidth];
  assign suite           = bytes[LoadSuiteLsb+:LoadSuiteWidth];
  assign direction       = bytes[LoadDirectionLsb+:LoadDirectionWidth];

  assign is_nop  = opcode == OpcodeNop;
  assign is_load = opcode == OpcodeContextLoad;
  assign is_drop = opcode == OpcodeContextDrop;
  assign is_seal = opcode == OpcodeSeal;
  assign is_open = opcode == OpcodeOpen;

  // --- Verdict --------------------------------------------------------------------------------------

  logic        reserved_zero;
  logic        load_valid;
  logic        multiple_valid;
  logic        fields_valid;
  logic        ctx_in_range;
  logic        ctx_loaded;
  logic        exhausted;
  logic [15:0] inner;          // SEAL: bytes of TLSInnerPlaintext
  logic [15:0] padded;
  logic        length_valid;
  logic [6:0]  status_d;
  logic [6:0]  status_q;
  logic        record_q;
  size_t       inner_q;

  assign reserved_zero  = bytes[EntryReservedLsb+:EntryReservedWidth] == '0;
  assign multiple_valid = (multiple <= 16'd16384) && ((multiple & (multiple - 16'd1)) == 16'd0);
  assign load_valid = ((suite == SuiteAes128Gcm) || (suite == SuiteAes256Gcm)) &&
                      (bytes[LoadVersionLsb+:LoadVersionWidth] == VersionTls13) &&
                      ((direction == DirectionSeal) || (direction == DirectionOpen)) &&
                      (bytes[LoadReservedLsb+:LoadReservedWidth] == '0);
  assign fields_valid = is_seal ? reserved_zero && (content_type != 8'd0) && multiple_valid :
                        is_open ? reserved_zero && (content_type == 8'd0) && (multiple == 16'd0) :
                        !is_load || load_valid;

  assign ctx_in_range = ctx < 16'(NumContexts);
  assign ctx_loaded   = ctx_in_range && lookup_i.loaded;
  assign exhausted = is_seal ? sequence_number >= 64'(SealSequenceLimit) : &sequence_number;

  // Padding fills a multiple, but no more than RFC 8446, section 5.4 allows.
  always_comb begin
    padded = length[15:0] + 16'd1;
    if (multiple > 16'd1) padded = (length[15:0] + multiple) & ~(multiple - 16'd1);
    inner = (padded > 16'(MaxInnerPlaintextBytes)) ? 16'(MaxInnerPlaintextBytes) : padded;
    if (is_seal) begin
      length_valid = (length <= 32'(MaxFragmentBytes)) &&
                     (32'(inner) + 32'(RecordHeaderBytes + TagBytes) <= capacity);
    end else begin
      length_valid = (length >= 32'(MinRecordBytes)) && (length <= 32'(MaxRecordBytes)) &&
                     (length - 32'(MinRecordBytes) <= capacity);
    end
  end

  always_comb begin
    status_d = StatusSuccess;
    if (entry_i.fault) status_d = StatusEntryFault;
    else if (!ready_i) status_d = StatusNotReady;
    else if (!(is_nop || is_load || is_drop || is_seal || is_open)) status_d = StatusUnknownOpcode;
    else if (!fields_valid) status_d = StatusInvalidField;
    else if (is_load) begin
      if (!ctx_in_range) status_d = StatusContextMissing;
      else if (ctx_loaded) status_d = StatusContextBusy;
    end else if (!is_nop) begin
      if (!ctx_loaded) status_d = StatusContextMissing;
      else if (lookup_i.owner != entry_i.queue_id) status_d = StatusContextForeign;
      else if (!is_drop) begin
        if (lookup_i.open != is_open) status_d = StatusContextDirection;
        else if (exhausted) status_d = StatusSequenceExhausted;
        else if (!length_valid) status_d = StatusBadLength;
      end
    end
  end

  // --- Sequence of steps ----------------------------------------------------------------------------

  logic [7:0] records_q;  // records between here and the end of the outbound side
  logic       emit;
  logic       accepted;

  assign emit     = state_q == StEmit;
  assign accepted = op_valid_o && op_ready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q   <= StIdle;
      records_q <= '0;
    end else begin
      unique case (state_q)
        StIdle:   if (entry_valid_i) state_q <= StLookup;
        StLookup: state_q <= StJudge;
        StJudge: begin
          if ((status_d == StatusSuccess) && is_load) state_q <= StLoad;
          else if ((status_d == StatusSuccess) && is_drop) state_q <= StDrain;
          else state_q <= StEmit;
        end
        StLoad:   if (done_i) state_q <= StEmit;
        StDrain:  if (records_q == '0) state_q <= StDrop;
        StDrop:   if (done_i) state_q <= StEmit;
        StEmit:   if (accepted) state_q <= StIdle;
        default:  state_q <= StIdle;
      endcase
      records_q <= records_q + 8'(accepted && record_q) - 8'(record_done_i);
    end
  end

  always_ff @(posedge clk_i) begin
    if (state_q == StJudge) begin
      status_q <= status_d;
      record_q <= (status_d == StatusSuccess) && (is_seal || is_open);
      inner_q  <= is_open ? length[14:0] - 15'd21 : inner[14:0];
    end
  end

  // The table is asked in StIdle already: the entry stands there.
  assign lookup_o  = entry_valid_i && ((state_q == StIdle) || (state_q == StLookup));
  assign ctx_o     = ctx[ContextWidth-1:0];
  assign load_o    = state_q == StLoad;
  assign drop_o    = state_q == StDrop;
  assign key_o     = bytes[LoadKeyLsb+:LoadKeyWidth];
  assign context_o = '{
    loaded: 1'b1,
    owner: entry_i.queue_id,
    open: direction == DirectionOpen,
    aes256: suite == SuiteAes256Gcm,
    iv: bytes[LoadIvLsb+:LoadIvWidth]
  };

  // --- Handing on -----------------------------------------------------------------------------------

  // The sequence number in network order, XORed into the last eight bytes of the IV.
  logic [95:0] nonce;
  always_comb begin
    nonce = lookup_i.iv;
    for (int unsigned i = 0; i < 8; i++) begin
      nonce[8*(4+i)+:8] = lookup_i.iv[8*(4+i)+:8] ^ sequence_number[8*(7-i)+:8];
    end
  end

  // An entry moves on only when all of its ways are free.
  logic ways_free;
  assign ways_free     = op_ready_i && (!record_q || (frame_ready_i && span_ready_i));
  assign op_valid_o    = emit && ways_free;
  assign frame_valid_o = emit && ways_free && record_q;
  assign span_valid_o  = emit && ways_free && record_q && (length[14:0] != '0);
  assign entry_ready_o = emit && accepted;

  assign op_o = '{
    queue_id: entry_i.queue_id,
    sq_head: entry_i.sq_head,
    cookie: entry_i.fault ? 16'd0 : bytes[EntryCookieLsb+:EntryCookieWidth],
    status: status_q,
    record: record_q,
    open: is_open,
    content_type: content_type,
    length: length[14:0],
    inner: inner_q,
    destination: bytes[EntryDestinationLsb+:EntryDestinationWidth]
  };

  assign frame_o = '{
    open: is_open,
    ctx: ctx,
    nonce: nonce,
    content_type: content_type,
    offset: bytes[EntrySourceLsb+:4],
    length: length[14:0],
    inner: inner_q
  };

  assign span_o = '{address: bytes[EntrySourceLsb+:EntrySourceWidth], bytes: length[14:0]};

  assign busy_o = (records_q != '0) || (state_q != StIdle);

  logic unused;
  assign unused = ^lookup_i;

endmodule

`default_nettype wire
