// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Shapes that the stages of the record engine hand to each other, in the order of the data.

`default_nettype none

package sealgate_pkg;

  localparam int unsigned QueueCount = 4;
  localparam int unsigned QueueWidth = $clog2(QueueCount);

  localparam int unsigned BusBytes = 16;
  localparam int unsigned BusWidth = 8 * BusBytes;
  localparam int unsigned BusIdWidth = 4;

  // Longest burst asked for, in beats: 1 KiB keeps several bursts of a record under way.
  localparam int unsigned BurstBeats = 64;

  // IDs of the memory bus. Order is kept within an ID only.
  localparam logic [BusIdWidth-1:0] IdEntry = 4'd0;
  localparam logic [BusIdWidth-1:0] IdPayload = 4'd1;
  localparam logic [BusIdWidth-1:0] IdCompletion = 4'd2;

  // Bytes of a record, of its plaintext or of its source: at most 5 + 2^14 + 256.
  localparam int unsigned SizeWidth = 15;

  typedef logic [QueueWidth-1:0] queue_id_t;
  typedef logic [SizeWidth-1:0]  size_t;

  // A submission entry as fetched.
  typedef struct packed {
    queue_id_t    queue_id;
    logic [15:0]  sq_head;  // free-running index behind the entry
    logic         fault;    // the bus answered with an error
    logic [511:0] bytes;
  } entry_t;

  // A context as the table tells it.
  typedef struct packed {
    logic        loaded;
    queue_id_t   owner;
    logic        open;
    logic        aes256;
    logic [95:0] iv;
  } context_t;

  // Bytes of host memory.
  typedef struct packed {
    logic [63:0] address;
    size_t       bytes;
  } span_t;

  // An entry behind decode: all that completion needs, and what the outbound side needs of a record.
  typedef struct packed {
    queue_id_t   queue_id;
    logic [15:0] sq_head;
    logic [15:0] cookie;
    logic [6:0]  status;  // not success: decode refused the entry
    logic        record;  // SEAL or OPEN on its way through the lane
    logic        open;
    logic [7:0]  content_type;
    size_t       length;  // bytes of the source
    size_t       inner;   // bytes of TLSInnerPlaintext
    logic [63:0] destination;
  } op_t;

  // What the inbound side needs of a record.
  typedef struct packed {
    logic        open;
    logic [15:0] ctx;
    logic [95:0] nonce;
    logic [7:0]  content_type;
    logic [3:0]  offset;  // of the source within its first beat
    size_t       length;
    size_t       inner;
  } frame_t;

  // What the inbound side found around the text of a record that is opened.
  typedef struct packed {
    logic         fault;
    logic         bad_header;
    logic [127:0] tag;
  } received_t;

  // What completion reports.
  typedef struct packed {
    queue_id_t   queue_id;
    logic [15:0] sq_head;
    logic [15:0] cookie;
    logic [6:0]  status;
    logic        wrote;  // data was written: wait for its acknowledgement
    logic        record;
    logic        open;
    logic [7:0]  content_type;
    size_t       written;
    size_t       consumed;
  } result_t;

  // Beats that so many bytes fill.
  function automatic logic [10:0] beats_of(size_t bytes);
    return bytes[14:4] + 11'(bytes[3:0] != 4'd0);
  endfunction

endpackage

`default_nettype wire
