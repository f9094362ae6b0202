// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// sealgate_queues: entries are asked for in the order of their ring, each once, at their own
// address, and never past the ring's end or 4 KiB; never past the tail and never more than the
// completion ring has places, by the doorbells of three cycles before; decode sees each unchanged,
// once it has come and not again when it is used up; no more than TicketsPerQueue are taken and not
// completed. By a tail more than the ring ahead nothing is asked for, and when it was looked at
// nothing more until the queue starts anew; a disabled queue asks for nothing.
//
// Any one queue is watched; nothing is assumed of the doorbells of the others, nor of its own. Of
// these three rules follows what a host may rely on: a tail that only grows is never passed, and
// places that are only given back are never overrun.
//
// An entry of the watched queue is known by its index, which memory answers with. As long as a row
// of its buffer is given away, it is owed by exactly one burst, or about to land, or has landed; no
// other row is. A row here has one beat.

`default_nettype none

module sealgate_queues_fv
  import sealgate_pkg::*;
(
  input wire logic                  clk_i,
  input wire queue_id_t             watched_i,
  input wire logic                  fetch_enable_i,
  input wire logic [QueueCount-1:0] enable_i,
  input wire logic [51:0]           page_i,       // where the watched ring begins
  input wire logic [3:0]            sq_log2_i,
  input wire logic [3:0]            cq_log2_i,
  input wire logic [15:0]           tail_i,
  input wire logic [15:0]           cq_head_i,
  input wire logic [51:0]           other_page_i,
  input wire logic [3:0]            other_sq_log2_i,
  input wire logic [3:0]            other_cq_log2_i,
  input wire logic [15:0]           other_tail_i,
  input wire logic [15:0]           other_cq_head_i,
  input wire logic                  ar_ready_i,
  input wire logic                  r_valid_i,
  input wire logic                  r_tag_i,
  input wire logic [7:0]            r_data_i,
  input wire logic                  r_error_i,
  input wire logic                  read_i,
  input wire queue_id_t             read_queue_i,
  input wire logic                  advance_i,
  input wire logic                  rewrite_i,
  input wire logic [7:0]            rewrite_byte_i,
  input wire logic                  complete_valid_i,
  input wire queue_id_t             complete_queue_i,
  input wire logic [2:0]            complete_count_i
);

  localparam int unsigned Tags = 2;
  localparam int unsigned Rows = 8;

  logic rst_ni = 1'b0;  // low in the first cycle
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic [63:0]           sq_base[QueueCount];
  logic [3:0]            sq_log2[QueueCount];
  logic [3:0]            cq_log2[QueueCount];
  logic [15:0]           sq_tail[QueueCount];
  logic [15:0]           cq_head[QueueCount];
  logic [15:0]           sq_head[QueueCount];
  logic [QueueCount-1:0] start;
  logic [QueueCount-1:0] bad_doorbell;
  logic [QueueCount-1:0] present;
  logic                  ar_valid;
  logic [7:0]            ar_tag;
  logic [63:0]           ar_address;
  logic [7:0]            ar_len;
  entry_t                entry;
  logic [6:0]            index;

  // One queue is looked at in a cycle, so the others may share what they are told.
  for (genvar q = 0; q < QueueCount; q++) begin : gen_queue
    logic watched;
    assign watched    = watched_i == QueueWidth'(q);
    assign sq_base[q] = {watched ? page_i : other_page_i, 12'd0};
    assign sq_log2[q] = watched ? sq_log2_i : other_sq_log2_i;
    assign cq_log2[q] = watched ? cq_log2_i : other_cq_log2_i;
    assign sq_tail[q] = watched ? tail_i : other_tail_i;
    assign cq_head[q] = watched ? cq_head_i : other_cq_head_i;
  end

  sealgate_queues #(
    .DataWidth    (512),
    .FetchTags    (Tags),
    .BufferEntries(Rows)
  ) dut (
    .clk_i,
    .rst_ni,
    .written_i(1'b0),  // of active_o alone
    .fetch_enable_i,
    .enable_i,
    .sq_base_i        (sq_base),
    .sq_log2_i        (sq_log2),
    .cq_log2_i        (cq_log2),
    .sq_tail_i        (sq_tail),
    .cq_head_i        (cq_head),
    .sq_head_o        (sq_head),
    .start_o          (start),
    .bad_doorbell_o   (bad_doorbell),
    .entry_fault_o    (),
    .ar_valid_o       (ar_valid),
    .ar_ready_i,
    .ar_tag_o         (ar_tag),
    .ar_address_o     (ar_address),
    .ar_len_o         (ar_len),
    .r_valid_i,
    .r_tag_i          ({7'd0, r_tag_i}),
    .r_data_i         ({504'd0, r_data_i}),
    .r_error_i,
    .present_o        (present),
    .read_i,
    .read_queue_i,
    .entry_o          (entry),
    .index_o          (index),
    .advance_i,
    .rewrite_i,
    .rewrite_bytes_i  ({504'd0, rewrite_byte_i}),
    .complete_valid_i,
    .complete_queue_i,
    .complete_count_i,
    .wait_completion_o(),
    .wait_fetch_o     (),
    .busy_o           ()
  );

  // --- Host --------------------------------------------------------------------------------------

  logic        before_q = 1'b0;  // there was a cycle before this one
  queue_id_t   watched_q;
  logic        enabled_q;
  logic [59:0] ring_q;
  logic [15:0] tail_q, tail2_q, tail3_q;
  logic [15:0] cq_head_q, cq_head2_q, cq_head3_q;

  always_ff @(posedge clk_i) begin
    before_q   <= 1'b1;
    watched_q  <= watched_i;
    enabled_q  <= enable_i[watched_i];
    ring_q     <= {page_i, sq_log2_i, cq_log2_i};
    tail_q     <= tail_i;
    tail2_q    <= tail_q;
    tail3_q    <= tail2_q;
    cq_head_q  <= cq_head_i;
    cq_head2_q <= cq_head_q;
    cq_head3_q <= cq_head2_q;
  end

  // A ring stands still from the cycle in which it is enabled to that after the last.
  always_comb begin
    m_same: assume (!before_q || (watched_i == watched_q));
    m_ring: assume (!before_q || !enabled_q || (ring_q == {page_i, sq_log2_i, cq_log2_i}));
  end

  logic [15:0] sq_size;
  logic [15:0] cq_size;
  assign sq_size = 16'd1 << sq_log2_i;
  assign cq_size = 16'd1 << cq_log2_i;

  // --- What was asked for, used up and completed, by the ports -----------------------------------

  logic [15:0] asked_q;
  logic [15:0] read_q;
  logic [15:0] done_q;
  logic        stopped_q;
  logic        restarted_q;
  logic        asks;       // for entries of the watched queue
  logic [3:0]  count;      // of them
  logic        advances;
  logic        completes;
  logic        shown_q;    // an entry was read that is neither used up nor changed
  queue_id_t   last_q;     // its queue
  logic        changed_q;  // the first entry
  logic [7:0]  byte_q;     // of the changed entry

  assign asks      = dut.fetches && (dut.judged_queue == watched_i);
  assign count     = dut.count;
  assign advances  = advance_i && (last_q == watched_i);
  assign completes = complete_valid_i && (complete_queue_i == watched_i);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      asked_q     <= '0;
      read_q      <= '0;
      done_q      <= '0;
      stopped_q   <= 1'b0;
      restarted_q <= 1'b0;
      shown_q     <= 1'b0;
      changed_q   <= 1'b0;
    end else begin
      asked_q <= asked_q + (asks ? 16'(count) : 16'd0);
      read_q  <= read_q + 16'(advances);
      done_q  <= done_q + (completes ? 16'(complete_count_i) : 16'd0);
      if (bad_doorbell[watched_i]) stopped_q <= 1'b1;
      if (start[watched_i]) begin
        asked_q     <= '0;
        read_q      <= '0;
        done_q      <= '0;
        stopped_q   <= 1'b0;
        restarted_q <= asked_q != '0;
      end
      if (advance_i || rewrite_i) shown_q <= 1'b0;
      if (read_i) begin
        shown_q <= 1'b1;
        last_q  <= read_queue_i;
      end
      if (rewrite_i && (last_q == watched_i)) begin
        changed_q <= 1'b1;
        byte_q    <= rewrite_byte_i;
      end
      if (advances) changed_q <= 1'b0;
    end
  end

  logic [15:0] buffered;  // entries in the buffer or on their way there
  logic [15:0] taken;     // and not completed
  assign buffered = asked_q - read_q;
  assign taken    = read_q - done_q;

  // Decode reads what is on show, and uses up or changes what it read last.
  always_comb begin
    m_read:     assume (!read_i || (rst_ni && present[read_queue_i]));
    m_advance:  assume (!advance_i || shown_q);
    m_rewrite:  assume (!rewrite_i || shown_q);
    m_apart:    assume (!read_i || !(advance_i || rewrite_i) || (read_queue_i != last_q));
    m_complete: assume (!completes || (16'(complete_count_i) <= taken));
  end

  // --- Memory ------------------------------------------------------------------------------------

  logic [Tags-1:0] owed_q;         // bursts accepted and not answered in full
  logic [3:0]      left_q [Tags];  // beats of them
  logic [15:0]     next_q [Tags];  // index of the next entry, if of the watched queue
  logic            mine_q [Tags];  // of the watched queue
  logic            reordered_q;    // a later burst has overtaken the other

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      owed_q      <= '0;
      reordered_q <= 1'b0;
    end else begin
      if (ar_valid && ar_ready_i) begin
        owed_q[ar_tag[0]] <= 1'b1;
        left_q[ar_tag[0]] <= ar_len[3:0] + 4'd1;
      end
      if (r_valid_i) begin
        left_q[r_tag_i] <= left_q[r_tag_i] - 4'd1;
        next_q[r_tag_i] <= next_q[r_tag_i] + 16'd1;
        if (left_q[r_tag_i] == 4'd1) owed_q[r_tag_i] <= 1'b0;
        if (r_tag_i && owed_q[0] && mine_q[0] && mine_q[1]) reordered_q <= 1'b1;
      end
      if (dut.fetches) begin
        next_q[dut.tag_q] <= asked_q;
        mine_q[dut.tag_q] <= asks;
      end
    end
  end

  // An entry's byte is its index, and each second one is answered with an error.
  function automatic logic [8:0] entry_of(logic [15:0] entry_index);
    return {entry_index[0], entry_index[7:0]};
  endfunction

  always_comb begin
    m_beat: assume (!r_valid_i || owed_q[r_tag_i]);
    m_data: assume (!r_valid_i || !mine_q[r_tag_i] ||
                    ({r_error_i, r_data_i} == entry_of(next_q[r_tag_i])));
  end

  // --- Asking ------------------------------------------------------------------------------------

  logic        offered_q;   // a burst of the watched queue was put to the port
  logic [3:0]  entries_q;   // of it
  logic [15:0] slot_q;      // of its first entry
  logic [15:0] size_q;      // of the ring
  logic [51:0] page_q;
  logic        ar_held_q;
  logic [79:0] ar_was_q;
  logic [15:0] pending;     // by the tail of three cycles before
  logic [15:0] used;        // places, by the head of three cycles before

  assign pending = tail3_q - asked_q;
  assign used    = asked_q - cq_head3_q;

  always_ff @(posedge clk_i) begin
    offered_q <= rst_ni && asks;
    entries_q <= count;
    slot_q    <= asked_q & (sq_size - 16'd1);
    size_q    <= sq_size;
    page_q    <= page_i;
    ar_held_q <= rst_ni && ar_valid && !ar_ready_i;
    ar_was_q  <= {ar_tag, ar_address, ar_len};
  end

  always_comb begin
    if (rst_ni) begin
      a_stable:  assert (!ar_held_q || (ar_valid && ({ar_tag, ar_address, ar_len} == ar_was_q)));
      a_free:    assert (!ar_valid || ((ar_tag < 8'(Tags)) && !owed_q[ar_tag[0]]));
      a_offered: assert (!offered_q || (ar_valid && (ar_len + 8'd1 == 8'(entries_q))));
      a_address: assert (!offered_q || (ar_address == {page_q, 12'd0} + {42'd0, slot_q, 6'd0}));
      a_ring:    assert (!offered_q || (17'(slot_q) + 17'(entries_q) <= 17'(size_q)));
      a_page:    assert (!offered_q || (7'(ar_address[11:6]) + 7'(entries_q) <= 7'd64));

      a_some:    assert (!asks || (count != '0));
      a_tail:    assert (!asks || ((16'(count) <= pending) && (pending <= sq_size)));
      a_place:   assert (!asks || (17'(used) + 17'(count) <= 17'(cq_size)));
      a_room:    assert (buffered <= 16'(Rows));
      a_enabled: assert (!asks || (fetch_enable_i && enable_i[watched_i] && !stopped_q));
      a_bad:     assert (!bad_doorbell[watched_i] || (pending > sq_size));
      a_tickets: assert (taken <= 16'(TicketsPerQueue));
      a_start:   assert (!start[watched_i] || ((buffered == '0) && (taken == '0)));
      a_head:    assert (sq_head[watched_i] == read_q);

      c_stop:    cover (bad_doorbell[watched_i] && (read_q != '0));
    end
  end

  // --- To decode ---------------------------------------------------------------------------------

  always_comb begin
    if (rst_ni && shown_q && (last_q == watched_i)) begin
      a_entry:  assert (entry.bytes[7:0] == (changed_q ? byte_q : read_q[7:0]));
      a_fault:  assert (entry.fault == read_q[0]);
      a_index:  assert (index == read_q[6:0]);
      a_come:   assert ((buffered != '0) && (taken < 16'(TicketsPerQueue)));
    end
  end

  // --- What carries the induction: visits --------------------------------------------------------

  logic [15:0] slot;      // of the next entry in its ring
  logic        look;      // the watched queue is in this stage of a visit
  logic        gap;
  logic        measure;
  logic        running;
  logic [15:0] look_buffered;
  logic [15:0] straight;  // entries up to the end of the ring or of 4 KiB

  assign slot          = asked_q & (sq_size - 16'd1);
  assign look          = dut.look_valid_q && (dut.look_q.queue_id == watched_i);
  assign gap           = dut.gap_valid_q && (dut.gap_q.queue_id == watched_i);
  assign measure       = dut.measure_valid_q && (dut.measure_q.queue_id == watched_i);
  assign running       = dut.running_q[watched_i];
  assign look_buffered = dut.look_q.fetch - dut.look_q.read;
  assign straight      = ((sq_size < 16'd64) ? sq_size : 16'd64) -
                         (slot & 16'd63 & (sq_size - 16'd1));

  queue_id_t look_behind;
  queue_id_t gap_behind;
  queue_id_t measure_behind;
  assign look_behind    = dut.visit_q - dut.look_q.queue_id;
  assign gap_behind     = dut.visit_q - dut.gap_q.queue_id;
  assign measure_behind = dut.visit_q - dut.measure_q.queue_id;

  always_comb begin
    if (rst_ni) begin
      // Each stage has a queue of its own, so what it measured is true until it is judged.
      a_look_behind:    assert (!dut.look_valid_q || (look_behind == 3'd1));
      a_gap_behind:     assert (!dut.gap_valid_q || (gap_behind == 3'd2));
      a_measure_behind: assert (!dut.measure_valid_q || (measure_behind == 3'd3));
      a_wanted:         assert (!dut.measure_valid_q || (dut.measure_q.wanted <= 4'd8));

      a_fetch:   assert (dut.fetch_q[watched_i] == asked_q);
      a_done:    assert (dut.done_q[watched_i] == done_q);
      a_stopped: assert (dut.stopped_q[watched_i] == stopped_q);
      a_running: assert (!running || enabled_q);

      if (look) begin
        a_look_fetch: assert (dut.look_q.fetch == asked_q);
        a_look_read:  assert ((look_buffered <= 16'(Rows)) && (look_buffered >= buffered));
        a_look_done:  assert ((dut.look_q.done != asked_q) || (done_q == asked_q));
        a_look_tail:  assert ((dut.look_q.tail == tail_q) && (dut.look_q.cq_head == cq_head_q));
        a_look_ring:  assert (!running || ((dut.look_q.base == {page_i, 12'd0}) &&
                              (dut.look_q.sq_log2 == sq_log2_i) &&
                              (dut.look_q.cq_log2 == cq_log2_i)));
      end
      if (gap) begin
        a_gap_row:  assert (dut.gap_q.row == asked_q[2:0]);
        a_gap_tail: assert ((dut.gap_q.pending == tail2_q - asked_q) &&
                            (dut.gap_q.used == asked_q - cq_head2_q));
        a_gap_room: assert ((dut.gap_q.buffered <= 7'(Rows)) &&
                            (16'(dut.gap_q.buffered) >= buffered));
        a_gap_idle: assert (!dut.gap_q.idle || ((buffered == '0) && (taken == '0)));
        a_gap_ring: assert (!running || ((dut.gap_q.base == {page_i, 12'd0}) &&
                            (dut.gap_q.slot == slot) && (dut.gap_q.sq_size == sq_size) &&
                            (dut.gap_q.cq_size == cq_size)));
      end
      if (measure) begin
        a_measure_row:  assert (dut.measure_q.row == asked_q[2:0]);
        a_measure_room: assert (16'(dut.measure_q.room) + buffered <= 16'(Rows));
        a_measure_idle: assert (!dut.measure_q.idle || ((buffered == '0) && (taken == '0)));
        a_measure_tail: assert (!running || (dut.measure_q.bad_doorbell == (pending > sq_size)));
        a_measure_most: assert (!running || (dut.measure_q.wanted == '0) ||
                                ((16'(dut.measure_q.wanted) <= pending) &&
                                 (16'(dut.measure_q.wanted) <= straight) &&
                                 (17'(used) + 17'(dut.measure_q.wanted) <= 17'(cq_size))));
        a_measure_ring: assert (!running ||
                                (dut.measure_q.address == {page_i, 12'd0} + {42'd0, slot, 6'd0}));
      end
    end
  end

  // --- What carries the induction: buffer --------------------------------------------------------

  logic                  erases;   // the row before the first is to be erased
  logic [QueueCount-1:0] unchanged_erase;
  logic                  landing;  // a beat of the watched queue
  logic [2:0]            head;     // row of the first entry

  assign unchanged_erase = dut.erase_q & ~dut.rewritten_q;
  assign erases  = unchanged_erase[watched_i];
  assign landing = dut.beat_valid_q && (dut.beat_place_q[5:3] == watched_i);
  assign head    = read_q[2:0];

  for (genvar t = 0; t < Tags; t++) begin : gen_tag
    logic       offered;
    logic       mine;    // under way, of the watched queue
    logic [3:0] last;
    logic [3:0] beat;    // next
    logic [3:0] more;    // beats behind it
    assign offered = ar_valid && (ar_tag[0] == 1'(t));
    assign mine    = dut.tag_used_q[t] && mine_q[t];
    assign last    = dut.burst_q[t].last_beat[3:0];
    assign beat    = dut.beat_q[t][3:0];
    assign more    = last - beat;

    always_comb begin
      if (rst_ni) begin
        a_used:  assert (dut.tag_used_q[t] == (owed_q[t] || offered));
        a_apart: assert (!(owed_q[t] && offered));
        a_beat:  assert ((dut.beat_q[t] < 5'd8) && (owed_q[t] || (beat == '0)));
        a_mine:  assert (!dut.tag_used_q[t] ||
                         (mine_q[t] == (dut.burst_q[t].queue_id == watched_i)));
        a_last:  assert (!dut.tag_used_q[t] || ((dut.burst_q[t].last_beat < 5'd8) &&
                                                (beat <= last)));
        a_left:  assert (!owed_q[t] || (left_q[t] == more + 4'd1));
        a_len:   assert (!offered || (ar_len == 8'(last)));
        a_next:  assert (!mine || (dut.burst_q[t].row + beat[2:0] == next_q[t][2:0]));
        a_given: assert (!mine || (next_q[t] - read_q + 16'(more) < buffered));
        a_order: assert (!mine || (next_q[t] - read_q < buffered));
      end
    end
  end

  for (genvar r = 0; r < Rows; r++) begin : gen_row
    logic [2:0]  place;     // in the order of leaving
    logic [15:0] holds;     // index of the entry
    logic        given;
    logic        lands;
    logic        come;
    logic [1:0]  owed;
    logic [2:0]  holders;

    assign place   = 3'(r) - head;
    assign holds   = read_q + 16'(place);
    assign given   = 16'(place) < buffered;
    assign lands   = landing && (dut.beat_place_q[2:0] == 3'(r));
    assign come    = dut.present_q[watched_i][r];
    assign owed[0] = gen_tag[0].mine && (4'(3'(3'(r) - next_q[0][2:0])) <= gen_tag[0].more);
    assign owed[1] = gen_tag[1].mine && (4'(3'(3'(r) - next_q[1][2:0])) <= gen_tag[1].more);
    assign holders = 3'(owed[0]) + 3'(owed[1]) + 3'(lands) + 3'(come);

    always_comb begin
      if (rst_ni) begin
        a_one:   assert (holders == 3'(given));
        a_lands: assert (!lands || ({dut.beat_error_q, dut.beat_data_q[7:0]} == entry_of(holds)));
        a_holds: assert (!come || (changed_q && (head == 3'(r))) ||
                         (dut.gen_word[0].words_q[{watched_i, 3'(r)}][7:0] == holds[7:0]));
        a_error: assert (!come || (dut.fault_q[{watched_i, 3'(r)}] == holds[0]));
      end
    end
  end

  always_comb begin
    if (rst_ni) begin
      a_shown:       assert (!shown_q || (dut.last_queue_q == last_q));
      a_present:     assert (dut.head_present_q[watched_i] == dut.present_q[watched_i][head]);
      a_no_ticket:   assert (dut.no_ticket_q[watched_i] == (taken == 16'(TicketsPerQueue)));
      a_changed:     assert (dut.rewritten_q[watched_i] == changed_q);
      a_changed_row: assert (!changed_q || ((dut.changed_q[watched_i][7:0] == byte_q) &&
                                            (buffered != '0) && (taken < 16'(TicketsPerQueue))));
      a_erase_room:  assert (!erases || (buffered < 16'(Rows)));
      a_show_present: assert (!(shown_q && (last_q == watched_i)) ||
                              (dut.head_present_q[watched_i] && !erases));
    end
  end

endmodule

`default_nettype wire
