// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Decode and sealgate_completer: while a module says that it is not active, an edge of its clock
// changes nothing, whatever its inputs are. So sealgate_top may leave the edge out.
//
// Inputs and state are anything. What is compared is the state that steers. The registers of data
// change with it only, and indices and counts with what `moves` lists. Ticks of the completer count
// what waits, and nothing does.

`default_nettype none

module sealgate_rest_fv
  import sealgate_pkg::*;
#(
  parameter bit OfDecode = 1'b1  // or of the completer
) (
  input wire logic                  clk_i,
  input wire logic                  ready_i,
  input wire logic [QueueCount-1:0] present_i,
  input wire entry_t                entry_i,
  input wire context_t              lookup_i,
  input wire logic                  request_ready_i,
  input wire logic                  request_done_i,
  input wire logic                  job_ready_i,
  input wire logic                  job_done_i,
  input wire queue_id_t             job_done_queue_i,
  input wire logic                  opening_valid_i,
  input wire opening_t              opening_i,
  input wire logic                  result_valid_i,
  input wire result_t               result_i,
  input wire logic [QueueCount-1:0] start_i,
  input wire logic                  write_ready_i,
  input wire logic                  b_valid_i,
  input wire logic                  b_error_i
);

  logic rst_ni = 1'b0;  // low in the first cycle
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic active;
  logic was_active_q = 1'b1;

  always_ff @(posedge clk_i) was_active_q <= !rst_ni || active;

  if (OfDecode) begin : g_decode
    sealgate_decode #(
      .NumContexts(4)
    ) dut (
      .clk_i,
      .rst_ni,
      .ready_i,
      .present_i,
      .read_o           (),
      .read_queue_o     (),
      .entry_i,
      .index_i          ('0),
      .advance_o        (),
      .rewrite_o        (),
      .rewrite_bytes_o  (),
      .lookup_o         (),
      .lookup_ctx_o     (),
      .lookup_i,
      .request_valid_o  (),
      .request_ready_i,
      .request_load_o   (),
      .request_ctx_o    (),
      .request_context_o(),
      .request_key_o    (),
      .request_done_i,
      .opening_valid_o  (),
      .opening_o        (),
      .job_valid_o      (),
      .job_ready_i,
      .job_o            (),
      .job_done_i,
      .job_done_queue_i,
      .wait_lane_o      (),
      .wait_context_o   (),
      .busy_o           (),
      .active_o         (active)
    );

    typedef struct packed {
      logic [3:0]            step;
      queue_id_t             queue_id;
      logic [QueueCount-1:0] cutting;
      logic [QueueCount-1:0] has_jobs;
      logic [QueueCount-1:0] wait_unit;
      logic [QueueCount-1:0] drain;
      logic                  turn_valid;
      queue_id_t             turn;
      logic                  request_busy;
      logic                  request_finished;
      ticket_t               request_ticket;
    } state_t;

    state_t state, state_q;
    logic   moves;  // something leaves, or is taken off

    assign state = '{
      step: 4'(dut.state_q),
      queue_id: dut.queue_q,
      cutting: dut.cutting_q,
      has_jobs: dut.has_jobs_q,
      wait_unit: dut.wait_unit_q,
      drain: dut.drain_q,
      turn_valid: dut.turn_valid_q,
      turn: dut.turn_q,
      request_busy: dut.request_busy_q,
      request_finished: dut.request_finished_q,
      request_ticket: dut.request_ticket_q
    };
    assign moves = dut.read_o || dut.advance_o || dut.rewrite_o || dut.lookup_o ||
                   dut.requested || dut.opening_valid_o || dut.job_given;

    always_ff @(posedge clk_i) state_q <= state;

    always_comb begin
      // Contexts tell of a request's end while it is under way.
      m_done:     assume (!request_done_i || dut.request_busy_q);
      a_finished: assert (!rst_ni || !dut.request_finished_q || dut.request_busy_q);
      a_state:    assert (was_active_q || (state == state_q));
      a_moves:    assert (!rst_ni || active || !moves);
    end
  end else begin : g_completer
    logic [63:0] cq_base[QueueCount];
    logic [3:0]  cq_log2[QueueCount];
    logic [15:0] cq_tail[QueueCount];
    result_t     result[1];

    always_comb begin
      for (int unsigned q = 0; q < QueueCount; q++) begin
        cq_base[q] = '0;
        cq_log2[q] = 4'd4;
      end
      result[0] = result_i;
    end

    sealgate_completer dut (
      .clk_i,
      .rst_ni,
      .opening_valid_i,
      .opening_i,
      .result_valid_i,
      .result_ready_o  (),
      .result_i        (result),
      .job_done_o      (),
      .job_done_queue_o(),
      .start_i,
      .cq_base_i       (cq_base),
      .cq_log2_i       (cq_log2),
      .cq_tail_o       (cq_tail),
      .write_valid_o   (),
      .write_ready_i,
      .write_address_o (),
      .write_data_o    (),
      .write_strb_o    (),
      .b_valid_i,
      .b_error_i,
      .complete_valid_o(),
      .complete_queue_o(),
      .complete_count_o(),
      .complete_error_o(),
      .stat_valid_o    (),
      .stat_o          (),
      .busy_o          (),
      .active_o        (active)
    );

    typedef struct packed {
      logic                  result;
      logic                  merge;
      logic                  look;
      logic                  eval;
      logic                  gather;
      logic                  place;
      logic                  write;
      logic [QueueCount-1:0] looks;
      logic [QueueCount-1:0] waiting;
      logic [QueueCount-1:0] aged;
      logic [QueueCount-1:0] older;
      logic [QueueCount-1:0] due;
    } state_t;

    state_t state, state_q;
    logic   moves;  // something is noted, comes or leaves

    assign state = '{
      result: dut.result_valid_q,
      merge: dut.merge_valid_q,
      look: dut.look_valid_q,
      eval: dut.eval_valid_q,
      gather: dut.gather_valid_q,
      place: dut.place_valid_q,
      write: dut.write_valid_q,
      looks: dut.look_q,
      waiting: dut.waiting_q,
      aged: dut.aged_q,
      older: dut.older_q,
      due: dut.due_q
    };
    assign moves = (start_i != '0) || dut.update || dut.job_done_o || (dut.left != '0) ||
                   (dut.picked != '0) || dut.gather_moves || dut.stat_valid_o ||
                   dut.write_valid_o || dut.complete_valid_o;

    always_ff @(posedge clk_i) state_q <= state;

    always_comb begin
      a_state: assert (was_active_q || (state == state_q));
      a_moves: assert (!rst_ni || active || !moves);
    end
  end

  always_comb c_rest: cover (rst_ni && !active && !was_active_q);

endmodule

`default_nettype wire
