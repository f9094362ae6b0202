// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What the stages of a lane hand to each other beside the text, and shifts by bytes.

`default_nettype none

package sealgate_record_pkg;

  import sealgate_pkg::*;

  // Bytes of a record besides its text: header, explicit nonce and tag.
  localparam int unsigned ExplicitNonceBytes = 8;
  localparam size_t PlainOverhead = 15'd21;
  localparam size_t ExplicitOverhead = 15'd29;

  localparam logic [7:0] ApplicationData = 8'd23;

  // Cycles from the decision about bytes of a source to the bytes, in hardware.
  localparam int unsigned WindowStages = 2;
  // Cycles from the decision that a chunk leaves to the chunk, in hardware.
  localparam int unsigned ChunkStages = 2;

  // What the AEAD core is told of a record.
  typedef struct packed {
    suite_t       suite;
    ctx_t         ctx;
    logic         open;
    logic [95:0]  nonce;
    logic [127:0] aad;
    logic [4:0]   aad_bytes;
    logic         has_text;
    logic [15:0]  text_bytes;
  } command_t;

  // What the way out has to know of a record, told when the core gets its command; or the end of a
  // run, behind the last of its records.
  typedef struct packed {
    ticket_t     ticket;
    logic        open;
    logic        run;
    logic        run_end;
    logic [6:0]  status;          // end of a run: why there is no further record
    logic        tls12;
    logic        explicit_nonce;
    logic [7:0]  header_type;
    logic [63:0] nonce;           // the explicit one, SEAL
    logic        has_text;
    size_t       text_bytes;
    logic [63:0] destination;
  } op_t;

  // What was received of a record beside its text; one per record that is opened.
  typedef struct packed {
    logic         fault;       // a word of it could not be read
    logic         bad_header;
    logic [127:0] tag;
  } received_t;

  // Where the content of a text ends (RFC 8446, section 5.4).
  typedef struct packed {
    logic       found;  // any byte that is not zero
    logic [7:0] kind;   // the last of them: the content type
    size_t      bytes;  // in front of it: the content
  } content_t;

  // What leaves for a record, for an entry, or for both.
  typedef struct packed {
    logic        write;           // there are bytes for the destination
    logic        finish;          // the entry ends here: a result follows
    logic        seal;
    logic        explicit_nonce;
    logic [7:0]  header_type;
    logic [63:0] nonce;
    logic [63:0] destination;
    size_t       bytes;           // of the span
    logic        has_text;        // SEAL
    size_t       text_bytes;      // of them from the store
    result_t     result;
  } plan_t;

  // The high 64 bits out of 88, shifted up by bytes.
  function automatic logic [63:0] push_bytes(logic [63:0] high, logic [23:0] low,
                                             logic [1:0] bytes);
    unique case (bytes)
      2'd0:    return high;
      2'd1:    return {high[55:0], low[23:16]};
      2'd2:    return {high[47:0], low[23:8]};
      default: return {high[39:0], low};
    endcase
  endfunction

  // The first `bytes` bytes, at most 16, of a word: of its low and of its high half.
  function automatic logic [63:0] keep_low(logic [4:0] bytes);
    if (bytes >= 5'd8) return '1;
    return ~(64'hffff_ffff_ffff_ffff << {bytes[2:0], 3'b000});
  endfunction

  function automatic logic [63:0] keep_high(logic [4:0] bytes);
    if (bytes <= 5'd8) return '0;
    if (bytes[4]) return '1;
    return ~(64'hffff_ffff_ffff_ffff << {bytes[2:0], 3'b000});
  endfunction

  // Bytes in the last word of a text, 16 when it is full, by the length modulo 16.
  function automatic logic [4:0] last_bytes_of(logic [3:0] bytes);
    return (bytes == 4'd0) ? 5'd16 : {1'b0, bytes};
  endfunction

  // Bytes 0 to 7 the other way round: a number in the order of the network.
  function automatic logic [63:0] network_order(logic [63:0] number);
    return {number[7:0], number[15:8], number[23:16], number[31:24],
            number[39:32], number[47:40], number[55:48], number[63:56]};
  endfunction

  // A record's header: type, version 0x0303, bytes that follow.
  function automatic logic [39:0] header_of(logic [7:0] kind, size_t bytes);
    return {bytes[7:0], 1'b0, bytes[14:8], 16'h0303, kind};
  endfunction

endpackage

`default_nettype wire
