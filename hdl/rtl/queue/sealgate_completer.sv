// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Holds a ticket for each entry, puts the results of the lanes back into the order of each queue,
// and writes the completions.
//
// Theory of operation: decode opens a ticket with the entry's answer as far as it is known, and
// with the number of jobs. Each result of a lane takes one job off; that of an OPEN replaces the
// answer, those of a SEAL only lower the status to the least code that is not zero. The ticket
// without jobs left is done. Results are merged one every other cycle: what the ticket has got to is
// read, registered once more, since memories are slow to tell, and written. A result waits for an
// opening, which uses the same ports of the memories and is always taken; so does the second of two
// results of one ticket.
//
// A queue is looked at when something happened to it: a ticket became done, a completion left, or
// one has waited long enough. What it has is read in one cycle and judged in the next. As many done
// tickets in a row as share a beat of its completion ring are written together: at once if the beat
// is full or nothing else of the queue is in flight, and after 9 to 12 cycles if the next ticket is
// not done by then. The answers are read one per cycle, gathered into a beat, and leave with the
// phase of their pass through the ring. When the bus has acknowledged the beat the queue is told:
// its interrupt rises only when the host can see what it is for. Writes are acknowledged in order.

`default_nettype none

module sealgate_completer
  import sealgate_pkg::*;
  import sealgate_abi_pkg::StatusSuccess, sealgate_abi_pkg::CompletionBytes;
#(
  parameter int unsigned Lanes = 1,
  parameter int unsigned DataWidth = 128  // 128, 256 or 512
) (
  input  wire logic                   clk_i,
  input  wire logic                   rst_ni,

  input  wire logic                   opening_valid_i,  // always taken
  input  wire opening_t               opening_i,

  input  wire logic [Lanes-1:0]       result_valid_i,
  output      logic [Lanes-1:0]       result_ready_o,
  input  wire result_t                result_i[Lanes],

  // A lane has finished a job.
  output      logic                   job_done_o,
  output      queue_id_t              job_done_queue_o,

  input  wire logic [QueueCount-1:0]  start_i,
  input  wire logic [63:0]            cq_base_i[QueueCount],
  input  wire logic [3:0]             cq_log2_i[QueueCount],
  output      logic [15:0]            cq_tail_o[QueueCount],  // completions before it are written

  output      logic                   write_valid_o,
  input  wire logic                   write_ready_i,
  output      logic [63:0]            write_address_o,
  output      logic [DataWidth-1:0]   write_data_o,
  output      logic [DataWidth/8-1:0] write_strb_o,
  input  wire logic                   b_valid_i,
  input  wire logic                   b_error_i,

  // Completions of a queue that were acknowledged: one write.
  output      logic                   complete_valid_o,
  output      queue_id_t              complete_queue_o,
  output      logic [2:0]             complete_count_o,
  output      logic                   complete_error_o,

  // What was completed, for the counters; one entry a cycle.
  output      logic                   stat_valid_o,
  output      stat_t                  stat_o,

  output      logic                   busy_o,
  // Something of its state may change; without, its clock may rest.
  output      logic                   active_o
);

  localparam int unsigned CompletionBits = 8 * CompletionBytes;
  localparam int unsigned BeatSlots = DataWidth / CompletionBits;
  localparam int unsigned Tickets = QueueCount * TicketsPerQueue;
  // Writes without acknowledgement: one every other cycle at a latency of 250.
  localparam int unsigned UnderWay = 128;

  typedef logic [1:0] slot_t;  // of a completion in its beat

  // --- Memories, one row per ticket --------------------------------------------------------------

  typedef struct packed {
    logic [15:0] cookie;
    logic        record;
    logic        open;
  } entry_info_t;

  typedef struct packed {
    logic [7:0]  content_type;
    total_t      written;
    length_t     consumed;
    logic [15:0] records;
  } answer_t;

  typedef struct packed {
    logic        open;
    logic [14:0] jobs;    // without a result
    logic [6:0]  status;
  } progress_t;

  entry_info_t infos_q   [Tickets];
  answer_t     answers_q [Tickets];
  progress_t   progress_q[Tickets];
  logic [6:0]  statuses_q[Tickets];  // as in progress_q, for the reader at the other end

  // --- Results -----------------------------------------------------------------------------------

  localparam int unsigned LaneWidth = (Lanes > 1) ? $clog2(Lanes) : 1;

  logic [LaneWidth-1:0] lane;
  logic                 lane_valid;
  logic                 lane_ready;
  logic [Lanes-1:0]     lane_grant;
  logic                 result_valid_q;
  result_t              result_q;
  logic                 result_moves;
  logic                 merge_valid_q;
  result_t              merge_q;
  progress_t            read_progress_q;
  progress_t            merge_progress_q;
  logic                 merge_settled_q;  // merge_progress_q is that of merge_q
  logic                 merges;

  sealgate_arbiter #(
    .Count(Lanes)
  ) u_lanes (
    .clk_i,
    .rst_ni,
    .request_i(result_valid_i),
    .grant_o  (lane_grant),
    .index_o  (lane),
    .valid_o  (lane_valid),
    .ready_i  (lane_ready)
  );

  assign lane_ready       = !result_valid_q || result_moves;
  assign result_ready_o   = lane_ready ? lane_grant : '0;
  assign job_done_o       = lane_valid && lane_ready;
  assign job_done_queue_o = result_i[lane].ticket.queue_id;

  assign merges       = merge_valid_q && merge_settled_q && !opening_valid_i;
  assign result_moves = result_valid_q && (!merge_valid_q ||
                        (merges && (result_q.ticket != merge_q.ticket)));

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      result_valid_q <= 1'b0;
      merge_valid_q  <= 1'b0;
    end else begin
      if (lane_ready) result_valid_q <= lane_valid;
      if (result_moves) merge_valid_q <= 1'b1;
      else if (merges) merge_valid_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (lane_valid && lane_ready) result_q <= result_i[lane];
    if (result_moves) begin
      merge_q         <= result_q;
      read_progress_q <= progress_q[result_q.ticket];
    end
    merge_settled_q  <= !result_moves;
    merge_progress_q <= read_progress_q;
  end

  // --- Openings and merged results into the memories ---------------------------------------------

  logic      lowers;  // the status of the result takes the place of what stands there
  progress_t progress_d;
  answer_t   answer_d;
  ticket_t   update_ticket;
  logic      update;
  logic      done;

  assign lowers = (merge_q.status != StatusSuccess) &&
                  ((merge_progress_q.status == StatusSuccess) ||
                   (merge_q.status < merge_progress_q.status));
  assign update = opening_valid_i || merges;
  assign done   = update && (progress_d.jobs == '0);

  always_comb begin
    update_ticket = '0;
    progress_d    = '0;
    answer_d      = '0;
    if (opening_valid_i) begin
      update_ticket = opening_i.ticket;
      progress_d = '{open: opening_i.open, jobs: opening_i.jobs, status: opening_i.status};
      answer_d = '{
        content_type: opening_i.content_type,
        written: opening_i.written,
        consumed: opening_i.consumed,
        records: opening_i.records
      };
    end else if (merges) begin
      update_ticket = merge_q.ticket;
      progress_d = '{
        open: merge_progress_q.open,
        jobs: merge_progress_q.jobs - 15'd1,
        status: lowers ? merge_q.status : merge_progress_q.status
      };
      answer_d = '{
        content_type: merge_q.content_type,
        written: total_t'(merge_q.written),
        consumed: merge_q.consumed,
        records: merge_q.records
      };
    end
  end

  always_ff @(posedge clk_i) begin
    if (update) begin
      progress_q[update_ticket] <= progress_d;
      statuses_q[update_ticket] <= progress_d.status;
    end
    if (opening_valid_i || (merges && merge_progress_q.open)) begin
      answers_q[update_ticket] <= answer_d;
    end
    if (opening_valid_i) begin
      infos_q[opening_i.ticket] <= '{
        cookie: opening_i.cookie,
        record: opening_i.jobs != '0,
        open: opening_i.open
      };
    end
  end

  // --- State of each queue -----------------------------------------------------------------------

  // Indices, free-running modulo 2^16: entries before it were opened (low bits), left from here,
  // and were acknowledged.
  logic [TicketWidth:0] opened_q[QueueCount];
  logic [15:0]          next_q  [QueueCount];
  logic [15:0]          tail_q  [QueueCount];

  // A bit per ticket, 64 to a row.
  logic [63:0] done_q[Tickets/64];

  logic [QueueCount-1:0] look_q;     // something happened
  logic [QueueCount-1:0] waiting_q;  // done tickets wait for others to fill their beat
  logic [QueueCount-1:0] aged_q;     // for a tick at least
  logic [QueueCount-1:0] older_q;    // for two
  logic [QueueCount-1:0] due_q;      // for three

  // --- Which queue to look at --------------------------------------------------------------------

  queue_id_t             pick;
  logic                  pick_valid;
  logic                  pick_ready;
  logic [QueueCount-1:0] picks;
  logic [QueueCount-1:0] picked;
  logic                  look_valid_q;
  logic                  look_moves;
  queue_id_t             look_queue_q;
  logic [15:0]           look_index_q;
  logic [QueueCount-1:0] look_queue_bit;
  logic                  eval_valid_q;
  queue_id_t             eval_queue_q;
  logic [15:0]           eval_index_q;
  logic [QueueCount-1:0] eval_queue_bit;
  logic                  eval_leaves;

  sealgate_arbiter #(
    .Count(QueueCount)
  ) u_pick (
    .clk_i,
    .rst_ni,
    .request_i(look_q & ~look_queue_bit & ~eval_queue_bit),
    .grant_o  (picks),
    .index_o  (pick),
    .valid_o  (pick_valid),
    .ready_i  (pick_ready)
  );

  assign look_queue_bit = look_valid_q ? QueueCount'(1) << look_queue_q : '0;
  assign eval_queue_bit = eval_valid_q ? QueueCount'(1) << eval_queue_q : '0;
  assign look_moves     = !eval_valid_q || eval_leaves;
  assign pick_ready     = !look_valid_q || look_moves;
  assign picked         = pick_ready ? picks : '0;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) look_valid_q <= 1'b0;
    else if (pick_ready) look_valid_q <= pick_valid;
  end

  always_ff @(posedge clk_i) begin
    if (pick_ready && pick_valid) begin
      look_queue_q <= pick;
      look_index_q <= next_q[pick];
    end
  end

  // --- What the queue has ------------------------------------------------------------------------

  // A ticket that is done meanwhile has its queue looked at again.
  slot_t                slot_mask;       // the beat, or a ring shorter than one
  slot_t                slot;
  logic [3:0]           done_bits_q;     // from the first ticket on
  logic [2:0]           room_q;          // in the beat
  logic [TicketWidth:0] open_tickets_q;

  assign slot = look_index_q[1:0];

  always_comb begin
    slot_mask = slot_t'(BeatSlots - 1);
    if (look_valid_q) begin
      if (cq_log2_i[look_queue_q] == 4'd0) slot_mask = 2'd0;
      else if (cq_log2_i[look_queue_q] == 4'd1) slot_mask = slot_mask & 2'd1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) eval_valid_q <= 1'b0;
    else if (look_moves) eval_valid_q <= look_valid_q;
  end

  always_ff @(posedge clk_i) begin
    if (look_valid_q && look_moves) begin
      eval_queue_q   <= look_queue_q;
      eval_index_q   <= look_index_q;
      done_bits_q    <= done_q[{look_queue_q, look_index_q[6]}][{look_index_q[5:2], 2'b00}+:4] >> slot;
      room_q         <= {1'b0, slot_mask & ~slot} + 3'd1;
      open_tickets_q <= opened_q[look_queue_q] - look_index_q[TicketWidth:0];
    end
  end

  // --- How many leave together -------------------------------------------------------------------

  logic [2:0] run;  // done tickets that share the beat
  logic       leaves;
  logic       gather_ready;

  // Unrolled count of leading ones, no more than fit.
  always_comb begin
    if (!done_bits_q[0]) run = 3'd0;
    else if ((room_q == 3'd1) || !done_bits_q[1]) run = 3'd1;
    else if ((room_q == 3'd2) || !done_bits_q[2]) run = 3'd2;
    else if ((room_q == 3'd3) || !done_bits_q[3]) run = 3'd3;
    else run = 3'd4;
  end

  assign leaves = eval_valid_q && (run != '0) &&
                  ((run == room_q) || (8'(run) == open_tickets_q) || due_q[eval_queue_q]);
  assign eval_leaves = !leaves || gather_ready;

  logic [QueueCount-1:0] left;     // the queue whose completions leave
  logic [QueueCount-1:0] keeps;    // the queue that waits for others
  logic [QueueCount-1:0] became_done;
  logic [1:0]            tick_q;
  logic                  tick;
  logic                  moves;  // of what is noted of the queues something may change

  assign left        = (leaves && gather_ready) ? eval_queue_bit : '0;
  assign keeps       = (!leaves && (run != '0)) ? eval_queue_bit : '0;
  assign became_done = done ? QueueCount'(1) << update_ticket.queue_id : '0;
  assign tick        = tick_q == '1;
  assign moves       = look_valid_q || eval_valid_q || done ||
                       ((look_q | waiting_q | aged_q | older_q | due_q) != '0);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      tick_q    <= '0;
      look_q    <= '0;
      waiting_q <= '0;
      aged_q    <= '0;
      older_q   <= '0;
      due_q     <= '0;
    end else begin
      tick_q <= tick_q + 1'b1;
      if (moves) begin
        look_q    <= (look_q & ~picked) | became_done | left | (tick ? older_q : '0);
        waiting_q <= (waiting_q | keeps) & ~left;
        if (tick) begin
          aged_q  <= waiting_q & ~left;
          older_q <= aged_q & ~left;
          due_q   <= (due_q | older_q) & ~left;
        end else begin
          aged_q  <= aged_q & ~left;
          older_q <= older_q & ~left;
          due_q   <= due_q & ~left;
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      for (int unsigned row = 0; row < Tickets / 64; row++) done_q[row] <= '0;
    end else begin
      if (done) done_q[update_ticket[TicketWidth+QueueWidth-1:6]][update_ticket.index[5:0]] <= 1'b1;
      if (leaves && gather_ready) begin
        for (int unsigned i = 0; i < 4; i++) begin
          if ((2'(i) >= eval_index_q[1:0]) && (3'(i) - 3'(eval_index_q[1:0]) < run)) begin
            done_q[{eval_queue_q, eval_index_q[6]}][{eval_index_q[5:2], 2'(i)}] <= 1'b0;
          end
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      for (int unsigned q = 0; q < QueueCount; q++) begin
        opened_q[q] <= '0;
        next_q[q]   <= '0;
        tail_q[q]   <= '0;
      end
    end else begin
      if (opening_valid_i) begin
        opened_q[opening_i.ticket.queue_id] <= opened_q[opening_i.ticket.queue_id] + 1'b1;
      end
      if (leaves && gather_ready) next_q[eval_queue_q] <= eval_index_q + 16'(run);
      if (complete_valid_o) begin
        tail_q[complete_queue_o] <= tail_q[complete_queue_o] + 16'(complete_count_o);
      end
      if (start_i != '0) begin
        for (int unsigned q = 0; q < QueueCount; q++) begin
          if (start_i[q]) begin
            opened_q[q] <= '0;
            next_q[q]   <= '0;
            tail_q[q]   <= '0;
          end
        end
      end
    end
  end

  assign cq_tail_o = tail_q;

  // --- Gathering: read the answers ---------------------------------------------------------------

  logic        gather_valid_q;
  queue_id_t   gather_queue_q;
  logic [15:0] gather_index_q;
  logic [2:0]  gather_left_q;
  logic [2:0]  gather_count_q;  // of the beat
  logic        gather_first_q;
  logic        gather_moves;
  logic        place_valid_q;
  logic        place_moves;

  assign gather_moves = gather_valid_q && (!place_valid_q || place_moves);
  assign gather_ready = !gather_valid_q || (gather_moves && (gather_left_q == 3'd1));

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      gather_valid_q <= 1'b0;
    end else begin
      if (gather_ready) gather_valid_q <= leaves;
    end
  end

  always_ff @(posedge clk_i) begin
    if (leaves && gather_ready) begin
      gather_queue_q <= eval_queue_q;
      gather_index_q <= eval_index_q;
      gather_left_q  <= run;
      gather_count_q <= run;
      gather_first_q <= 1'b1;
    end else if (gather_moves) begin
      gather_index_q <= gather_index_q + 16'd1;
      gather_left_q  <= gather_left_q - 3'd1;
      gather_first_q <= 1'b0;
    end
  end

  // --- Gathering: place in the beat --------------------------------------------------------------

  ticket_t     gather_ticket;
  queue_id_t   place_queue_q;
  logic [15:0] place_index_q;
  logic [2:0]  place_count_q;
  logic        place_first_q;
  logic        place_last_q;
  entry_info_t info_q;
  answer_t     answer_q;
  logic [6:0]  status_q;

  assign gather_ticket = '{
    queue_id: gather_queue_q,
    index: gather_index_q[TicketWidth-1:0]
  };

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      place_valid_q <= 1'b0;
    end else if (gather_moves) begin
      place_valid_q <= 1'b1;
    end else if (place_moves) begin
      place_valid_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (gather_moves) begin
      place_queue_q <= gather_queue_q;
      place_index_q <= gather_index_q;
      place_count_q <= gather_count_q;
      place_first_q <= gather_first_q;
      place_last_q  <= gather_left_q == 3'd1;
      info_q        <= infos_q[gather_ticket];
      answer_q      <= answers_q[gather_ticket];
      status_q      <= statuses_q[gather_ticket];
    end
  end

  logic [CompletionBits-1:0] completion;
  logic                      success;
  logic [3:0]                cq_log2;
  logic [63:0]               address;     // of the beat
  logic [15:0]               place_slot;  // of the completion in its ring
  logic                      phase;
  answer_t                   answer;

  assign success = status_q == StatusSuccess;
  assign answer  = success ? answer_q : '0;
  assign cq_log2 = cq_log2_i[place_queue_q];
  // The bit of the index above the slot counts the passes; the first pass has phase 1.
  assign phase   = !place_index_q[cq_log2];
  assign place_slot = place_index_q & ((16'd1 << cq_log2) - 16'd1);
  assign address    = cq_base_i[place_queue_q] + {44'b0, place_slot & ~16'(BeatSlots - 1), 4'b0};

  always_comb begin
    completion = '0;
    completion[sealgate_abi_pkg::CompletionCookieLsb+:16]      = info_q.cookie;
    completion[sealgate_abi_pkg::CompletionSqHeadLsb+:16]      = place_index_q + 16'd1;
    completion[sealgate_abi_pkg::CompletionStatusLsb+:7]       = status_q;
    completion[sealgate_abi_pkg::CompletionPhaseLsb]           = phase;
    completion[sealgate_abi_pkg::CompletionWrittenLsb+:32]     = 32'(answer.written);
    completion[sealgate_abi_pkg::CompletionConsumedLsb+:32]    = 32'(answer.consumed);
    completion[sealgate_abi_pkg::CompletionRecordsLsb+:16]     = answer.records;
    completion[sealgate_abi_pkg::CompletionContentTypeLsb+:8]  = answer.content_type;
  end

  assign stat_valid_o = place_moves;

  always_comb begin
    stat_o = '0;
    if (place_valid_q) begin
      stat_o = '{
        queue_id: place_queue_q,
        status: status_q,
        record: info_q.record,
        open: info_q.open,
        records: answer.records,
        written: answer.written,
        consumed: answer.consumed
      };
    end
  end

  // --- The beat ----------------------------------------------------------------------------------

  logic                 write_valid_q;
  logic [63:0]          write_address_q;
  queue_id_t            write_queue_q;
  logic [2:0]           write_count_q;
  logic [BeatSlots-1:0] write_slots_q;
  logic                 under_way_ready;
  logic                 under_way_valid;

  assign place_moves   = place_valid_q && (!write_valid_q || (write_ready_i && under_way_ready));
  assign write_valid_o = write_valid_q && under_way_ready;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      write_valid_q <= 1'b0;
    end else if (!write_valid_q || (write_ready_i && under_way_ready)) begin
      write_valid_q <= place_moves && place_last_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (place_moves) begin
      write_address_q <= address;
      write_queue_q   <= place_queue_q;
      write_count_q   <= place_count_q;
    end
  end

  for (genvar s = 0; s < BeatSlots; s++) begin : gen_slot
    logic                      here;
    logic [CompletionBits-1:0] completion_q;

    assign here = (place_slot[1:0] & slot_t'(BeatSlots - 1)) == slot_t'(s);

    always_ff @(posedge clk_i) begin
      if (place_moves) begin
        // What other queues left here does not go out, not even without a strobe.
        if (here) completion_q <= completion;
        else if (place_first_q) completion_q <= '0;
        write_slots_q[s] <= here || (write_slots_q[s] && !place_first_q);
      end
    end

    assign write_data_o[s*CompletionBits+:CompletionBits]   = completion_q;
    assign write_strb_o[s*CompletionBytes+:CompletionBytes] = {CompletionBytes{write_slots_q[s]}};
  end

  assign write_address_o = write_address_q;

  // --- Acknowledgement ---------------------------------------------------------------------------

  sealgate_fifo #(
    .Width(QueueWidth + 3),
    .Depth(UnderWay)
  ) u_under_way (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(write_valid_q && write_ready_i),
    .ready_o(under_way_ready),
    .data_i ({write_queue_q, write_count_q}),
    .valid_o(under_way_valid),
    .ready_i(b_valid_i),
    .data_o ({complete_queue_o, complete_count_o})
  );

  assign complete_valid_o = b_valid_i && under_way_valid;
  assign complete_error_o = complete_valid_o && b_error_i;

  // --- In flight ---------------------------------------------------------------------------------

  localparam int unsigned InflightWidth = $clog2(Tickets + 1);

  logic [InflightWidth-1:0] inflight_q;  // tickets opened whose completion is not acknowledged

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      inflight_q <= '0;
    end else if (opening_valid_i || complete_valid_o) begin
      inflight_q <= inflight_q + InflightWidth'(opening_valid_i) -
                    (complete_valid_o ? InflightWidth'(complete_count_o) : '0);
    end
  end

  assign busy_o = inflight_q != '0;

  // The ticks are counted while a queue waits for them alone.
  assign active_o = opening_valid_i || (result_valid_i != '0) || b_valid_i || (start_i != '0) ||
                    result_valid_q || merge_valid_q || moves || gather_valid_q || place_valid_q ||
                    write_valid_q;

endmodule

`default_nettype wire
