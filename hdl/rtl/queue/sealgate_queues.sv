// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Submission queues: who is served next, and the fetch of entries.
//
// Theory of operation: one queue is looked at per cycle, in turn, so that none waits for another.
// A queue with entries gets a burst of up to FetchEntries of them: no further than the doorbell, the
// end of the ring, a 4 KiB border, and the places free in the completion ring. As an entry is
// fetched only when its completion has a place, a host that does not reap stops its own queue and
// nothing behind it. A tail that is more than the ring ahead stops the queue until it is enabled
// anew. Several fetches are under way; beats come in order, as all carry one ID, and are put
// together to entries.
//
// A queue starts when its enable was seen low since the last reset, is high, and none of its entries
// is in flight any more.

`default_nettype none

module sealgate_queues
  import sealgate_pkg::*;
(
  input  wire logic                clk_i,
  input  wire logic                rst_ni,
  input  wire logic                fetch_enable_i,

  input  wire logic                enable_i      [QueueCount],
  input  wire logic [63:0]         sq_base_i     [QueueCount],
  input  wire logic [3:0]          sq_log2_i     [QueueCount],
  input  wire logic [3:0]          cq_log2_i     [QueueCount],
  input  wire logic [15:0]         sq_tail_i     [QueueCount],
  input  wire logic [15:0]         cq_head_i     [QueueCount],
  output      logic [15:0]         sq_head_o     [QueueCount],
  output      logic                start_o       [QueueCount],  // the queue begins at index 0
  output      logic                bad_doorbell_o[QueueCount],
  output      logic                entry_fault_o [QueueCount],

  output      logic                ar_valid_o,
  input  wire logic                ar_ready_i,
  output      logic [63:0]         ar_address_o,
  output      logic [7:0]          ar_len_o,

  input  wire logic                r_valid_i,
  input  wire logic [BusWidth-1:0] r_data_i,
  input  wire logic                r_error_i,

  output      logic                entry_valid_o,
  input  wire logic                entry_ready_i,
  output      entry_t              entry_o,

  // A completion of this queue is done.
  input  wire logic                complete_i,
  input  wire queue_id_t           complete_queue_i,

  output      logic                busy_o
);

  localparam int unsigned FetchEntries = 8;
  localparam int unsigned EntryBeats = sealgate_abi_pkg::EntryBytes / BusBytes;
  // Four fetches under way: a latency of 250 cycles then costs 8 cycles an entry.
  localparam int unsigned BufferBeats = 4 * FetchEntries * EntryBeats;
  localparam int unsigned ReservedWidth = $clog2(BufferBeats) + 1;

  // --- State of each queue ------------------------------------------------------------------------

  logic        armed_q   [QueueCount];  // enable was seen low since reset
  logic        running_q [QueueCount];
  logic        stopped_q [QueueCount];  // by a bad doorbell
  logic [15:0] head_q    [QueueCount];
  logic [15:0] places_q  [QueueCount];  // completion places given away, free-running
  logic [15:0] inflight_q[QueueCount];  // entries fetched and not completed

  queue_id_t scan_q;

  typedef enum logic {
    StScan,
    StIssue
  } state_e;
  state_e state_q;

  // --- The queue that is looked at ----------------------------------------------------------------

  logic [15:0] pending;
  logic [15:0] sq_size;
  logic [15:0] used;
  logic [15:0] cq_size;
  logic [15:0] room;
  logic [15:0] slot;
  logic [3:0]  count;
  logic        bad_doorbell;
  logic        may_fetch;

  logic [ReservedWidth-1:0] reserved_q;  // beats asked for and not yet taken
  logic                     metas_ready;

  function automatic logic [3:0] min_count(logic [3:0] count_so_far, logic [15:0] limit);
    return (limit < {12'b0, count_so_far}) ? limit[3:0] : count_so_far;
  endfunction

  always_comb begin
    pending = sq_tail_i[scan_q] - head_q[scan_q];
    sq_size = 16'd1 << sq_log2_i[scan_q];
    cq_size = 16'd1 << cq_log2_i[scan_q];
    used    = places_q[scan_q] - cq_head_i[scan_q];
    room    = (used > cq_size) ? 16'd0 : cq_size - used;
    slot    = head_q[scan_q] & (sq_size - 16'd1);
    count   = min_count(4'(FetchEntries), pending);
    count   = min_count(count, room);
    count   = min_count(count, sq_size - slot);
    count   = min_count(count, 16'd64 - {10'b0, slot[5:0]});  // 64 entries in 4 KiB
    bad_doorbell = pending > sq_size;
    may_fetch    = fetch_enable_i && enable_i[scan_q] && running_q[scan_q] && !stopped_q[scan_q] &&
                   metas_ready && (reserved_q <= ReservedWidth'(BufferBeats - FetchEntries * EntryBeats));
  end

  // --- Asking for entries -------------------------------------------------------------------------

  typedef struct packed {
    queue_id_t   queue_id;
    logic [15:0] head;   // index of the first entry
    logic [3:0]  count;
  } fetch_t;

  fetch_t      fetch_q;
  logic [63:0] address_q;
  logic        ar_accepted;
  logic        beat_taken;

  assign ar_valid_o   = state_q == StIssue;
  assign ar_address_o = address_q;
  assign ar_len_o     = {2'b0, fetch_q.count, 2'b0} - 8'd1;
  assign ar_accepted  = ar_valid_o && ar_ready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q    <= StScan;
      scan_q     <= '0;
      reserved_q <= '0;
    end else begin
      unique case (state_q)
        StScan: begin
          if (may_fetch && !bad_doorbell && (count != 4'd0)) state_q <= StIssue;
          else scan_q <= scan_q + 1'b1;
        end
        StIssue: begin
          if (ar_ready_i) begin
            state_q <= StScan;
            scan_q  <= scan_q + 1'b1;
          end
        end
        default: state_q <= StScan;
      endcase
      reserved_q <= reserved_q + (ar_accepted ? ReservedWidth'({fetch_q.count, 2'b0}) : '0) -
                    ReservedWidth'(beat_taken);
    end
  end

  always_ff @(posedge clk_i) begin
    if (state_q == StScan) begin
      fetch_q   <= '{queue_id: scan_q, head: head_q[scan_q], count: count};
      address_q <= sq_base_i[scan_q] + {42'b0, slot, 6'b0};
    end
  end

  for (genvar q = 0; q < QueueCount; q++) begin : gen_queue
    logic asking;  // a fetch of this queue is being offered to the bus
    logic begins;
    logic fetched;
    logic completed;

    assign asking    = (state_q == StIssue) && (fetch_q.queue_id == QueueWidth'(q));
    assign fetched   = asking && ar_accepted;
    assign begins    = armed_q[q] && enable_i[q] && !running_q[q] && !asking &&
                       (inflight_q[q] == '0);
    assign completed = complete_i && (complete_queue_i == QueueWidth'(q));

    assign sq_head_o[q]      = head_q[q];
    assign start_o[q]        = begins;
    assign bad_doorbell_o[q] = (state_q == StScan) && (scan_q == QueueWidth'(q)) && may_fetch &&
                               bad_doorbell;

    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        armed_q[q]    <= 1'b0;
        running_q[q]  <= 1'b0;
        stopped_q[q]  <= 1'b0;
        head_q[q]     <= '0;
        places_q[q]   <= '0;
        inflight_q[q] <= '0;
      end else begin
        if (!enable_i[q]) begin
          armed_q[q]   <= 1'b1;
          running_q[q] <= 1'b0;
        end else if (begins) begin
          running_q[q] <= 1'b1;
        end
        if (begins) begin
          stopped_q[q] <= 1'b0;
          head_q[q]    <= '0;
          places_q[q]  <= '0;
        end else begin
          if (bad_doorbell_o[q]) stopped_q[q] <= 1'b1;
          if (fetched) begin
            head_q[q]   <= head_q[q] + 16'(fetch_q.count);
            places_q[q] <= places_q[q] + 16'(fetch_q.count);
          end
        end
        if (fetched || completed) begin
          inflight_q[q] <= inflight_q[q] + (fetched ? 16'(fetch_q.count) : 16'd0) - 16'(completed);
        end
      end
    end
  end

  // --- Putting entries together -------------------------------------------------------------------

  fetch_t                   meta;
  logic                     meta_valid;
  logic                     meta_done;
  logic                     beat_valid;
  logic                     beat_error;
  logic [BusWidth-1:0]      beat_data;
  logic                     beats_ready;
  logic [ReservedWidth-1:0] beats_count;

  sealgate_fifo #(
    .Width($bits(fetch_t)),
    .Depth(8)
  ) u_metas (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(ar_accepted),
    .ready_o(metas_ready),
    .data_i (fetch_q),
    .valid_o(meta_valid),
    .ready_i(meta_done),
    .data_o (meta)
  );

  sealgate_ram_fifo #(
    .Width(BusWidth + 1),
    .Depth(BufferBeats)
  ) u_beats (
    .clk_i,
    .rst_ni,
    .valid_i(r_valid_i),
    .ready_o(beats_ready),
    .data_i ({r_error_i, r_data_i}),
    .valid_o(beat_valid),
    .ready_i(beat_taken),
    .data_o ({beat_error, beat_data}),
    .count_o(beats_count)
  );

  logic         entry_valid_q;
  logic [1:0]   beat_q;    // of the entry
  logic [3:0]   index_q;   // of the entry in its burst
  logic [511:0] bytes_q;
  logic         fault_q;
  queue_id_t    queue_q;
  logic [15:0]  sq_head_q;
  logic         last_beat;

  assign beat_taken = beat_valid && meta_valid && !entry_valid_q;
  assign last_beat  = beat_taken && (beat_q == 2'(EntryBeats - 1));
  assign meta_done  = last_beat && (index_q + 4'd1 == meta.count);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      entry_valid_q <= 1'b0;
      beat_q        <= '0;
      index_q       <= '0;
    end else begin
      if (last_beat) entry_valid_q <= 1'b1;
      else if (entry_ready_i) entry_valid_q <= 1'b0;
      if (beat_taken) beat_q <= beat_q + 2'd1;
      if (last_beat) index_q <= meta_done ? '0 : index_q + 4'd1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (beat_taken) begin
      bytes_q   <= {beat_data, bytes_q[511:BusWidth]};
      fault_q   <= beat_error || ((beat_q != 2'd0) && fault_q);
      queue_q   <= meta.queue_id;
      sq_head_q <= meta.head + {12'b0, index_q} + 16'd1;
    end
  end

  assign entry_valid_o = entry_valid_q;
  assign entry_o = '{queue_id: queue_q, sq_head: sq_head_q, fault: fault_q, bytes: bytes_q};

  always_comb begin
    busy_o = state_q == StIssue;
    for (int unsigned q = 0; q < QueueCount; q++) begin
      entry_fault_o[q] = entry_valid_q && entry_ready_i && fault_q && (queue_q == QueueWidth'(q));
      if (inflight_q[q] != '0) busy_o = 1'b1;
    end
  end

  // Room was reserved before the entries were asked for.
  logic unused;
  assign unused = ^{beats_ready, beats_count};

endmodule

`default_nettype wire
