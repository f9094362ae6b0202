// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Shapes that the stages of the record engine hand to each other, in the order of the data.

`default_nettype none

package sealgate_pkg;

  localparam int unsigned QueueCount = 8;
  localparam int unsigned QueueWidth = $clog2(QueueCount);

  // Completions of a queue that may be outstanding: at the target of one record of 64 bytes in five
  // cycles some 110 are under way between fetch and completion.
  localparam int unsigned TicketsPerQueue = 128;
  localparam int unsigned TicketWidth = $clog2(TicketsPerQueue);

  // A lane works on words of 16 bytes, whatever the width of the bus.
  localparam int unsigned WordBytes = 16;
  localparam int unsigned WordWidth = 8 * WordBytes;

  // IDs of the memory bus: who asked, and which of its bursts. Bursts of different IDs may be
  // answered in any order. Ports 0 to LANES - 1 are the lanes.
  localparam int unsigned BusTagWidth = 8;
  localparam int unsigned BusPortWidth = 3;
  localparam int unsigned BusIdWidth = BusPortWidth + BusTagWidth;
  localparam logic [BusPortWidth-1:0] PortQueues = 3'd7;  // entries are read, completions written

  // Longest burst asked for: 1 KiB keeps several bursts of a record under way.
  localparam int unsigned BurstBytes = 1024;

  // Bytes of a record, of its text or of one fragment: at most 5 + 2^14 + 2048 (RFC 5246).
  localparam int unsigned SizeWidth = 15;
  // Bytes at the source or destination of an entry: 0 to 2^20.
  localparam int unsigned LengthWidth = 21;

  // Bytes that all records of an entry fill: padding makes of 2^20 bytes at most 2^14 records of
  // 16,405.
  localparam int unsigned TotalWidth = 29;

  typedef logic [QueueWidth-1:0]   queue_id_t;
  typedef logic [SizeWidth-1:0]    size_t;
  typedef logic [LengthWidth-1:0]  length_t;
  typedef logic [TotalWidth-1:0]   total_t;
  typedef logic [BusIdWidth-1:0]   bus_id_t;
  typedef logic [9:0]              ctx_t;    // number of a context
  typedef logic [1:0]              suite_t;  // low bits of sealgate_abi_pkg::suite_e

  // An entry on its way: the queue, and the free-running index of the entry modulo TicketsPerQueue.
  // A queue completes its entries in order, so the ticket also names the place of the completion.
  typedef struct packed {
    queue_id_t              queue_id;
    logic [TicketWidth-1:0] index;
  } ticket_t;

  // A submission entry as fetched.
  typedef struct packed {
    logic         fault;  // the bus answered with an error
    logic [511:0] bytes;
  } entry_t;

  // A context as the table tells it.
  typedef struct packed {
    logic        loaded;
    queue_id_t   owner;
    logic        open;
    logic        tls12;
    suite_t      suite;
    logic [95:0] iv;
  } context_t;

  // Bytes of host memory.
  typedef struct packed {
    logic [63:0] address;
    length_t     bytes;
  } span_t;

  // What a ticket is opened with: the answer of an entry that needs no lane, or of a SEAL that
  // succeeds, whose sums are known beforehand.
  typedef struct packed {
    ticket_t     ticket;
    logic [15:0] cookie;
    logic [6:0]  status;
    logic [14:0] jobs;          // records (SEAL) or runs (OPEN: 1) that lanes work on; 0: done at once
    logic        open;          // the lane's result tells the rest
    logic [7:0]  content_type;
    total_t      written;
    length_t     consumed;
    logic [15:0] records;
  } opening_t;

  // Work for a lane: one record to be sealed, or one record or a run of records to be opened.
  typedef struct packed {
    ticket_t     ticket;
    logic        open;
    logic        run;
    logic        tls12;
    suite_t      suite;
    ctx_t        ctx;
    logic [95:0] iv;
    logic [63:0] sequence_number;
    logic [7:0]  content_type;   // SEAL
    size_t       inner;          // SEAL: bytes of text: TLSInnerPlaintext, or the fragment in TLS 1.2
    logic [63:0] source;
    length_t     length;         // bytes of the source
    logic [63:0] destination;
  } job_t;

  // What a lane says when all that a job wrote has been acknowledged. SEAL: the status alone counts.
  typedef struct packed {
    ticket_t     ticket;
    logic [6:0]  status;
    logic [7:0]  content_type;
    length_t     written;
    length_t     consumed;
    logic [15:0] records;
  } result_t;

  // An entry that was completed, for the counters.
  typedef struct packed {
    queue_id_t   queue_id;
    logic [6:0]  status;
    logic        record;   // SEAL or OPEN
    logic        open;
    logic [15:0] records;
    total_t      written;
    length_t     consumed;
  } stat_t;

  // One bit per cycle and cause, for the counters of a lane.
  typedef struct packed {
    logic busy;               // a record is inside
    logic beat;               // a word of text is taken
    logic stall_source;       // a record waits for its source
    logic stall_destination;  // a record waits for room on its way out
  } lane_events_t;

  // Words that so many bytes fill.
  function automatic logic [10:0] words_of(size_t bytes);
    return bytes[14:4] + 11'(bytes[3:0] != 4'd0);
  endfunction

  // So many bytes are one word.
  function automatic logic is_one_word(size_t bytes);
    return (bytes[14:5] == '0) && (bytes[4] != (bytes[3:0] != 4'd0));
  endfunction

endpackage

`default_nettype wire
