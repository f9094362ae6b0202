// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Submission queues: the fetch of entries, and the buffer from which decode takes them.
//
// Theory of operation: a visit goes round the queues, one per cycle, through four stages: its
// indices are read, subtracted, made into a number of entries, and judged. A queue with entries
// gets a burst of up to FetchEntries of them: no further than the doorbell, the end of the ring, a
// 4 KiB border, the places free in the completion ring and the rows free in its buffer. As an
// entry is fetched only when its completion has a place, a host that does not reap stops its own
// queue and nothing behind it. A burst that the buffer alone would make short waits until half a
// burst has room, so that a busy queue does not spend the tags on single entries. Where the bus or
// the tags are used up the visit stays with its queue and measures anew. A tail that is more than
// the ring ahead stops the queue until it is enabled anew.
//
// Each burst has a tag, so beats may come in any order between bursts. A beat goes straight to its
// place: entry i of a queue has row i modulo BufferEntries, and a bit that says whether it has
// come. Decode reads the first row of a queue as often as it likes, and uses it up with
// `advance_i`. It sees an entry only while a ticket is free: the entry TicketsPerQueue before it
// has completed.
//
// An entry that decode changes moves to a memory of one row per queue, from which it is read from
// then on, since beats are never held back and the buffer has one write port. The row it leaves is
// erased in the next cycle without a beat; until then the queue shows no further entry, and no
// burst is asked for, so that such a cycle comes. An entry with a key thus leaves no copy: erasing
// also clears the row read last.
//
// A queue starts when its enable was seen low since the last reset, is high, and none of its
// entries is in flight any more.

`default_nettype none

module sealgate_queues
  import sealgate_pkg::*;
#(
  parameter int unsigned DataWidth = 128,  // 128, 256 or 512
  parameter int unsigned FetchTags = 16,   // bursts under way, 2 to 256
  // Rows of a queue, a power of two from 8 to 64. At a latency of 250 cycles and an entry in five,
  // 50 are under way.
  parameter int unsigned BufferEntries = 64
) (
  input  wire logic                   clk_i,
  input  wire logic                   rst_ni,
  input  wire logic                   written_i,  // the host changes something of what follows
  input  wire logic                   fetch_enable_i,

  input  wire logic [QueueCount-1:0]  enable_i,
  input  wire logic [63:0]            sq_base_i[QueueCount],
  input  wire logic [3:0]             sq_log2_i[QueueCount],
  input  wire logic [3:0]             cq_log2_i[QueueCount],
  input  wire logic [15:0]            sq_tail_i[QueueCount],
  input  wire logic [15:0]            cq_head_i[QueueCount],
  output      logic [15:0]            sq_head_o[QueueCount],  // entries before it are used up
  output      logic [QueueCount-1:0]  start_o,                // the queue begins at index 0
  output      logic [QueueCount-1:0]  bad_doorbell_o,
  output      logic [QueueCount-1:0]  entry_fault_o,

  output      logic                   ar_valid_o,
  input  wire logic                   ar_ready_i,
  output      logic [BusTagWidth-1:0] ar_tag_o,
  output      logic [63:0]            ar_address_o,
  output      logic [7:0]             ar_len_o,

  input  wire logic                   r_valid_i,
  input  wire logic [BusTagWidth-1:0] r_tag_i,
  input  wire logic [DataWidth-1:0]   r_data_i,
  input  wire logic                   r_error_i,

  // Entry and index stand from the cycle after the read to the next read, or until the entry is
  // both rewritten and used up. A queue is not read in the cycle of its own advance or rewrite.
  output      logic [QueueCount-1:0]  present_o,
  input  wire logic                   read_i,
  input  wire queue_id_t              read_queue_i,
  output      entry_t                 entry_o,
  output      logic [TicketWidth-1:0] index_o,
  input  wire logic                   advance_i,  // the entry read last is used up
  input  wire logic                   rewrite_i,  // the entry read last changes
  input  wire logic [511:0]           rewrite_bytes_i,

  // Completions of a queue that were acknowledged.
  input  wire logic                   complete_valid_i,
  input  wire queue_id_t              complete_queue_i,
  input  wire logic [2:0]             complete_count_i,

  // As of the last visit: entries wait for a place in the completion ring or a ticket; for the bus.
  output      logic [QueueCount-1:0]  wait_completion_o,
  output      logic [QueueCount-1:0]  wait_fetch_o,

  output      logic                   busy_o,

  // Something of its state may change; without, its clock may rest.
  output      logic                   active_o
);

  localparam int unsigned FetchEntries = 8;
  localparam int unsigned RowWidth = $clog2(BufferEntries);
  localparam int unsigned Rows = QueueCount * BufferEntries;
  localparam int unsigned EntryBits = 8 * sealgate_abi_pkg::EntryBytes;
  localparam int unsigned EntryBeats = EntryBits / DataWidth;
  localparam int unsigned BeatShift = $clog2(EntryBeats);
  localparam int unsigned TagWidth = $clog2(FetchTags);
  localparam logic [TagWidth-1:0] LastTag = TagWidth'(FetchTags - 1);
  // Entries of all queues between their fetch and the acknowledgement of their completion.
  localparam int unsigned MaxInflight = QueueCount * (BufferEntries + TicketsPerQueue);
  localparam int unsigned InflightWidth = $clog2(MaxInflight + 1);

  typedef logic [RowWidth-1:0]            row_t;
  typedef logic [QueueWidth+RowWidth-1:0] place_t;  // of a row among those of all queues
  typedef logic [TicketWidth:0]           tickets_t;
  typedef logic [3:0]                     count_t;  // of entries, 0 to FetchEntries

  // --- State of each queue -----------------------------------------------------------------------

  logic [QueueCount-1:0] armed_q;      // enable was seen low since reset
  logic [QueueCount-1:0] running_q;
  logic [QueueCount-1:0] stopped_q;    // by a bad doorbell
  logic [QueueCount-1:0] rewritten_q;  // the first entry stands in the memory of changed entries
  logic [QueueCount-1:0] erase_q;      // the first row, or if not rewritten the one before, goes

  // Indices, free-running modulo 2^16: entries before it were asked for, used up, completed.
  logic [15:0] fetch_q[QueueCount];
  logic [15:0] read_q [QueueCount];
  logic [15:0] done_q [QueueCount];

  logic [BufferEntries-1:0] present_q[QueueCount];

  // --- Visit: read -------------------------------------------------------------------------------

  typedef struct {
    queue_id_t   queue_id;
    logic [63:0] base;
    logic [3:0]  sq_log2;
    logic [3:0]  cq_log2;
    logic [15:0] tail;
    logic [15:0] cq_head;
    logic [15:0] fetch;
    logic [15:0] read;
    logic [15:0] done;
  } look_t;

  queue_id_t visit_q;
  logic      look_valid_q;
  look_t     look_q;
  logic      again;  // the queue that is judged has to be measured anew, and the visits behind it

  queue_id_t judged_queue;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      visit_q      <= '0;
      look_valid_q <= 1'b0;
    end else begin
      visit_q      <= again ? judged_queue : visit_q + 1'b1;
      look_valid_q <= enable_i[visit_q] && !again;
    end
  end

  always_ff @(posedge clk_i) begin
    if (enable_i[visit_q]) begin
      look_q.queue_id <= visit_q;
      look_q.base     <= sq_base_i[visit_q];
      look_q.sq_log2  <= sq_log2_i[visit_q];
      look_q.cq_log2  <= cq_log2_i[visit_q];
      look_q.tail     <= sq_tail_i[visit_q];
      look_q.cq_head  <= cq_head_i[visit_q];
      look_q.fetch    <= fetch_q[visit_q];
      look_q.read     <= read_q[visit_q];
      look_q.done     <= done_q[visit_q];
    end
  end

  // --- Visit: subtract ---------------------------------------------------------------------------

  typedef struct {
    queue_id_t   queue_id;
    logic [63:0] base;
    logic [15:0] sq_size;
    logic [15:0] cq_size;
    logic [15:0] slot;       // of the next entry in its ring
    row_t        row;        // of the next entry in the buffer
    logic [15:0] pending;    // entries not asked for
    logic [6:0]  buffered;   // entries in the buffer or on their way there
    logic [15:0] used;       // places of the completion ring
    logic        idle;       // nothing is in flight
    logic        no_ticket;
  } gap_t;

  logic        gap_valid_q;
  gap_t        gap_q;
  logic [15:0] look_sq_size;
  tickets_t    look_tickets;

  assign look_sq_size = 16'd1 << look_q.sq_log2;
  assign look_tickets = look_q.read[TicketWidth:0] - look_q.done[TicketWidth:0];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) gap_valid_q <= 1'b0;
    else gap_valid_q <= look_valid_q && !again;
  end

  always_ff @(posedge clk_i) begin
    if (look_valid_q) begin
      gap_q.queue_id  <= look_q.queue_id;
      gap_q.base      <= look_q.base;
      gap_q.sq_size   <= look_sq_size;
      gap_q.cq_size   <= 16'd1 << look_q.cq_log2;
      gap_q.slot      <= look_q.fetch & (look_sq_size - 16'd1);
      gap_q.row       <= look_q.fetch[RowWidth-1:0];
      gap_q.pending   <= look_q.tail - look_q.fetch;
      gap_q.buffered  <= look_q.fetch[6:0] - look_q.read[6:0];
      gap_q.used      <= look_q.fetch - look_q.cq_head;
      gap_q.idle      <= (look_q.fetch == look_q.done) && (look_q.fetch == look_q.read);
      gap_q.no_ticket <= look_tickets == tickets_t'(TicketsPerQueue);
    end
  end

  // --- Visit: count ------------------------------------------------------------------------------

  function automatic count_t clip(logic [15:0] value);
    return (value >= 16'(FetchEntries)) ? count_t'(FetchEntries) : value[3:0];
  endfunction

  function automatic count_t least(count_t a, count_t b);
    return (a < b) ? a : b;
  endfunction

  typedef struct {
    queue_id_t   queue_id;
    logic [63:0] address;
    row_t        row;
    count_t      wanted;        // entries that could be asked for if the buffer had room
    count_t      room;          // rows of the buffer
    logic        pending;
    logic        buffered;
    logic        place;         // the completion ring has one
    logic        no_ticket;
    logic        idle;
    logic        bad_doorbell;
  } measure_t;

  logic       measure_valid_q;
  measure_t   measure_q;
  count_t     gap_places;
  logic [5:0] gap_window;    // entries of the ring that share 4 KiB, less one
  count_t     gap_straight;  // entries up to the end of the ring or of the 4 KiB

  always_comb begin
    gap_places   = '0;
    gap_window   = '0;
    gap_straight = '0;
    if (gap_valid_q) begin
      if (gap_q.used <= gap_q.cq_size) gap_places = clip(gap_q.cq_size - gap_q.used);
      gap_window   = (gap_q.sq_size >= 16'd64) ? 6'd63 : gap_q.sq_size[5:0] - 6'd1;
      gap_straight = clip({10'b0, gap_window & ~gap_q.slot[5:0]} + 16'd1);
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) measure_valid_q <= 1'b0;
    else measure_valid_q <= gap_valid_q && !again;
  end

  always_ff @(posedge clk_i) begin
    if (gap_valid_q) begin
      measure_q.queue_id     <= gap_q.queue_id;
      measure_q.address      <= gap_q.base + {42'b0, gap_q.slot, 6'b0};
      measure_q.row          <= gap_q.row;
      measure_q.wanted       <= least(least(clip(gap_q.pending), gap_places), gap_straight);
      measure_q.room         <= clip(16'(BufferEntries) - 16'(gap_q.buffered));
      measure_q.pending      <= gap_q.pending != '0;
      measure_q.buffered     <= gap_q.buffered != '0;
      measure_q.place        <= gap_places != '0;
      measure_q.no_ticket    <= gap_q.no_ticket;
      measure_q.idle         <= gap_q.idle;
      measure_q.bad_doorbell <= gap_q.pending > gap_q.sq_size;
    end
  end

  // --- Visit: judge ------------------------------------------------------------------------------

  logic                  judged;    // an enabled queue
  logic                  serves;    // it may fetch
  logic                  begins;
  logic                  bad_doorbell;
  logic                  enough;
  logic                  wants;
  logic                  fetches;
  count_t                count;
  logic                  ar_valid_q;
  logic                  ar_free;
  logic [TagWidth-1:0]   tag_q;     // of the next burst
  logic [FetchTags-1:0]  tag_used_q;
  logic [QueueCount-1:0] head_present_q;  // the next entry to be read is in the buffer

  assign judged_queue = measure_q.queue_id;
  assign judged       = measure_valid_q && enable_i[judged_queue];

  always_comb begin
    serves       = 1'b0;
    begins       = 1'b0;
    bad_doorbell = 1'b0;
    enough       = 1'b0;
    wants        = 1'b0;
    count        = '0;
    if (judged) begin
      serves       = fetch_enable_i && running_q[judged_queue] && !stopped_q[judged_queue];
      // `running` is set here alone: what was measured of a running queue is of its present run.
      begins       = armed_q[judged_queue] && !running_q[judged_queue] && measure_q.idle &&
                     !erase_q[judged_queue];
      bad_doorbell = serves && measure_q.bad_doorbell;
      enough       = measure_q.room >= least(measure_q.wanted, count_t'(FetchEntries / 2));
      wants        = serves && !measure_q.bad_doorbell && (measure_q.wanted != '0) && enough &&
                     (erase_q == '0);
      count        = least(measure_q.wanted, measure_q.room);
    end
  end

  assign ar_free = (!ar_valid_q || ar_ready_i) && !tag_used_q[tag_q];
  assign fetches = wants && ar_free;
  assign again   = wants && !ar_free;

  assign start_o        = begins ? QueueCount'(1) << judged_queue : '0;
  assign bad_doorbell_o = bad_doorbell ? QueueCount'(1) << judged_queue : '0;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      armed_q   <= '0;
      running_q <= '0;
      stopped_q <= '0;
    end else begin
      armed_q   <= armed_q | ~enable_i;
      running_q <= (running_q | start_o) & enable_i;
      stopped_q <= (stopped_q | bad_doorbell_o) & ~start_o;
    end
  end

  queue_id_t last_queue_q;  // the queue read last

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      for (int unsigned q = 0; q < QueueCount; q++) begin
        fetch_q[q] <= '0;
        read_q[q]  <= '0;
        done_q[q]  <= '0;
      end
    end else begin
      if (fetches) fetch_q[judged_queue] <= fetch_q[judged_queue] + 16'(count);
      if (advance_i) read_q[last_queue_q] <= read_q[last_queue_q] + 16'd1;
      if (complete_valid_i) begin
        done_q[complete_queue_i] <= done_q[complete_queue_i] + 16'(complete_count_i);
      end
      if (begins) begin
        fetch_q[judged_queue] <= '0;
        read_q[judged_queue]  <= '0;
        done_q[judged_queue]  <= '0;
      end
    end
  end

  assign sq_head_o = read_q;

  logic [QueueCount-1:0] wait_completion_d, wait_completion_q;
  logic [QueueCount-1:0] wait_fetch_d, wait_fetch_q;

  always_comb begin
    wait_completion_d = wait_completion_q & enable_i;
    wait_fetch_d      = wait_fetch_q & enable_i;
    if (judged) begin
      wait_completion_d[judged_queue] = serves &&
          ((measure_q.pending && !measure_q.place) || (measure_q.buffered && measure_q.no_ticket));
      wait_fetch_d[judged_queue] = serves && !head_present_q[judged_queue] &&
          (measure_q.buffered || (measure_q.pending && measure_q.place));
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      wait_completion_q <= '0;
      wait_fetch_q      <= '0;
    end else begin
      wait_completion_q <= wait_completion_d;
      wait_fetch_q      <= wait_fetch_d;
    end
  end

  assign wait_completion_o = wait_completion_q;
  assign wait_fetch_o      = wait_fetch_q;

  // --- Asking for entries ------------------------------------------------------------------------

  typedef struct packed {
    queue_id_t  queue_id;
    row_t       row;        // of its first entry
    logic [4:0] last_beat;  // at most FetchEntries of four beats
  } burst_t;

  burst_t      burst_q[FetchTags];
  burst_t      burst_d;
  logic [63:0] address_q;
  logic [7:0]  ar_tag_q;
  logic [4:0]  len_q;
  logic        burst_done;

  assign burst_d = '{
      queue_id: judged_queue,
      row: measure_q.row,
      last_beat: 5'((8'(count) << BeatShift) - 8'd1)
  };

  assign ar_valid_o   = ar_valid_q;
  assign ar_tag_o     = ar_tag_q;
  assign ar_address_o = address_q;
  assign ar_len_o     = 8'(len_q);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      ar_valid_q <= 1'b0;
      tag_q      <= '0;
    end else begin
      if (fetches) begin
        ar_valid_q <= 1'b1;
        tag_q      <= (tag_q == LastTag) ? '0 : tag_q + 1'b1;
      end else if (ar_ready_i) begin
        ar_valid_q <= 1'b0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (fetches) begin
      burst_q[tag_q] <= burst_d;
      address_q      <= measure_q.address;
      ar_tag_q       <= BusTagWidth'(tag_q);
      len_q          <= burst_d.last_beat;
    end
  end

  // --- Beats -------------------------------------------------------------------------------------

  localparam int unsigned WordIndexWidth = (EntryBeats > 1) ? BeatShift : 1;

  logic [4:0]                beat_q[FetchTags];  // next of the burst
  logic [TagWidth-1:0]       r_tag;
  burst_t                    r_burst;
  logic [4:0]                r_beat;
  logic                      beat_valid_q;
  place_t                    beat_place_q;
  logic [WordIndexWidth-1:0] beat_word_q;  // of the entry
  logic [DataWidth-1:0]      beat_data_q;
  logic                      beat_error_q;
  logic                      beat_first;
  logic                      beat_last;

  assign r_tag      = r_tag_i[TagWidth-1:0];
  assign r_burst    = burst_q[r_tag];
  assign r_beat     = beat_q[r_tag];
  assign burst_done = r_valid_i && (r_beat == r_burst.last_beat);
  assign beat_first = (EntryBeats == 1) || (beat_word_q == '0);
  assign beat_last  = (EntryBeats == 1) || (beat_word_q == WordIndexWidth'(EntryBeats - 1));

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      tag_used_q   <= '0;
      beat_valid_q <= 1'b0;
      for (int unsigned t = 0; t < FetchTags; t++) beat_q[t] <= '0;
    end else begin
      beat_valid_q <= r_valid_i;
      if (r_valid_i) beat_q[r_tag] <= burst_done ? '0 : r_beat + 5'd1;
      if (burst_done) tag_used_q[r_tag] <= 1'b0;
      if (fetches) tag_used_q[tag_q] <= 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (r_valid_i) begin
      beat_place_q <= {r_burst.queue_id, r_burst.row + row_t'({1'b0, r_beat} >> BeatShift)};
      beat_word_q  <= WordIndexWidth'(r_beat & 5'(EntryBeats - 1));
      beat_data_q  <= r_data_i;
      beat_error_q <= r_error_i;
    end
  end

  // --- Buffer ------------------------------------------------------------------------------------

  queue_id_t            erase_queue;
  logic                 erase;
  logic                 write;
  place_t               write_place;
  place_t               read_place;
  logic [EntryBits-1:0] buffer_row;    // as read last
  logic                 buffer_clear;
  logic                 fault_q[Rows];
  logic                 read_fault_q;
  logic                 read_rewritten_q;

  always_comb begin
    erase_queue = '0;
    if (erase_q != '0) begin
      for (int unsigned q = QueueCount; q > 0; q--) begin
        if (erase_q[q-1]) erase_queue = QueueWidth'(q - 1);
      end
    end
  end

  assign erase       = (erase_q != '0) && !beat_valid_q;
  assign write       = beat_valid_q || erase;
  assign write_place = beat_valid_q ? beat_place_q :
      {erase_queue, read_q[erase_queue][RowWidth-1:0] - row_t'(!rewritten_q[erase_queue])};
  assign read_place  = {read_queue_i, read_q[read_queue_i][RowWidth-1:0]};

  // The entry on show goes with its row once it is used up.
  assign buffer_clear = erase && (erase_queue == last_queue_q) && !rewritten_q[erase_queue];

  for (genvar w = 0; w < EntryBeats; w++) begin : gen_word
    // A row that is read in the cycle in which it is written is not looked at: an entry is read once
    // it has landed, and one whose row is being erased stands elsewhere.
    (* ram_style = "block", no_rw_check *)
    logic [DataWidth-1:0] words_q[Rows];
    logic [DataWidth-1:0] word_q;

    always_ff @(posedge clk_i) begin
      if (write && (erase || beat_word_q == WordIndexWidth'(w))) begin
        words_q[write_place] <= erase ? '0 : beat_data_q;
      end
    end

    always_ff @(posedge clk_i) begin
      if (buffer_clear && !read_i) word_q <= '0;
      else if (read_i) word_q <= words_q[read_place];
    end

    assign buffer_row[w*DataWidth+:DataWidth] = word_q;
  end

  always_ff @(posedge clk_i) begin
    if (beat_valid_q) begin
      fault_q[beat_place_q] <= beat_error_q || (!beat_first && fault_q[beat_place_q]);
    end
  end

  // --- Changed entries ---------------------------------------------------------------------------

  logic [EntryBits-1:0] changed_q[QueueCount];
  logic [EntryBits-1:0] changed_row_q;

  always_ff @(posedge clk_i) begin
    if (rewrite_i) changed_q[last_queue_q] <= rewrite_bytes_i;
    if (read_i && rewritten_q[read_queue_i]) changed_row_q <= changed_q[read_queue_i];
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      rewritten_q <= '0;
      erase_q     <= '0;
    end else begin
      if (erase) erase_q[erase_queue] <= 1'b0;
      if (rewrite_i && !rewritten_q[last_queue_q]) erase_q[last_queue_q] <= 1'b1;
      if (rewrite_i) rewritten_q[last_queue_q] <= 1'b1;
      if (advance_i) rewritten_q[last_queue_q] <= 1'b0;
    end
  end

  // --- To decode ---------------------------------------------------------------------------------

  logic [TicketWidth-1:0] index_q;

  always_ff @(posedge clk_i) begin
    if (read_i) begin
      last_queue_q     <= read_queue_i;
      read_rewritten_q <= rewritten_q[read_queue_i];
      read_fault_q     <= fault_q[read_place];
      index_q          <= read_q[read_queue_i][TicketWidth-1:0];
    end
  end

  assign index_o = index_q;
  assign entry_o = '{
      fault: read_fault_q,
      bytes: read_rewritten_q ? changed_row_q : buffer_row
  };
  assign entry_fault_o = (advance_i && read_fault_q) ? QueueCount'(1) << last_queue_q : '0;

  logic      landed;  // the last beat of an entry
  queue_id_t landed_queue;
  row_t      landed_row;
  row_t      head_row;  // of the entry read last
  row_t      next_row;

  assign landed                     = beat_valid_q && beat_last;
  assign {landed_queue, landed_row} = beat_place_q;
  assign head_row                   = read_q[last_queue_q][RowWidth-1:0];
  assign next_row                   = head_row + 1'b1;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      head_present_q <= '0;
      for (int unsigned q = 0; q < QueueCount; q++) present_q[q] <= '0;
    end else begin
      if (landed) begin
        present_q[landed_queue][landed_row] <= 1'b1;
        if (landed_row == read_q[landed_queue][RowWidth-1:0]) head_present_q[landed_queue] <= 1'b1;
      end
      if (advance_i) begin
        present_q[last_queue_q][head_row] <= 1'b0;
        head_present_q[last_queue_q]      <= present_q[last_queue_q][next_row] ||
            (landed && (landed_queue == last_queue_q) && (landed_row == next_row));
      end
      // Nothing of the queue is in the buffer.
      if (begins) head_present_q[judged_queue] <= 1'b0;
    end
  end

  logic [QueueCount-1:0] no_ticket_q;
  tickets_t              freed;             // tickets of the queue that completes
  tickets_t              tickets_complete;  // of that queue, without them
  tickets_t              tickets_advance;   // of the queue read last, with one more

  assign freed            = tickets_t'(complete_count_i);
  assign tickets_complete = read_q[complete_queue_i][TicketWidth:0] -
                            done_q[complete_queue_i][TicketWidth:0] - freed;
  assign tickets_advance  = read_q[last_queue_q][TicketWidth:0] + tickets_t'(1) -
                            done_q[last_queue_q][TicketWidth:0] -
                            ((complete_valid_i && (complete_queue_i == last_queue_q)) ? freed : '0);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      no_ticket_q <= '0;
    end else begin
      if (complete_valid_i) begin
        no_ticket_q[complete_queue_i] <= tickets_complete == tickets_t'(TicketsPerQueue);
      end
      if (advance_i) no_ticket_q[last_queue_q] <= tickets_advance == tickets_t'(TicketsPerQueue);
      if (begins) no_ticket_q[judged_queue] <= 1'b0;
    end
  end

  assign present_o = head_present_q & ~no_ticket_q & ~(erase_q & ~rewritten_q);

  // --- In flight ---------------------------------------------------------------------------------

  logic [InflightWidth-1:0] inflight_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      inflight_q <= '0;
    end else if (fetches || complete_valid_i) begin
      inflight_q <= inflight_q + (fetches ? InflightWidth'(count) : '0) -
                    (complete_valid_i ? InflightWidth'(complete_count_i) : '0);
    end
  end

  assign busy_o = (inflight_q != '0) || (erase_q != '0);

  // --- Rest --------------------------------------------------------------------------------------

  // Visits find nothing new once every queue was visited behind the last that happened: some turns
  // more than the way from a visit to its judgement.
  localparam logic [4:0] RestCycles = 5'd31;

  logic [4:0] rest_q;
  logic       fetch_enable_q;
  logic       happens;

  assign happens = written_i || (fetch_enable_i != fetch_enable_q) || r_valid_i || beat_valid_q ||
                   read_i || advance_i || rewrite_i || complete_valid_i || (erase_q != '0) ||
                   ar_valid_q || wants || begins || bad_doorbell;

  always_ff @(posedge clk_i) begin
    fetch_enable_q <= fetch_enable_i;
    if (!rst_ni || happens) rest_q <= RestCycles;
    else if (rest_q != '0) rest_q <= rest_q - 1'b1;
  end

  assign active_o = happens || (rest_q != '0);

  logic unused;
  assign unused = ^{r_tag_i, look_q.read};

endmodule

`default_nettype wire
