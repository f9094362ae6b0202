// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// sealgate_decode: a job leaves only for a context that is loaded, belongs to the queue of the
// entry and has its direction, and with the IV and suite of that context; a context is dropped only
// by its owner, and only while no job of that queue is under way; a load makes the queue of its
// entry the owner; decode is busy while a job is under way. The bound is too short for the second
// record of a SEAL that is cut.
//
// In the style for hardware also: an entry is read as another leaves only where that one is used up
// and can ask nothing of the contexts, and of another queue; what comes with a request stands for a
// cycle more. The bound ends before an entry read that way leaves.
//
// Two queues hand in any entries of few fields for four contexts. The table of contexts holds
// anything at reset and changes when a request is carried out. This is bounded: it holds for the
// cycles after reset that the .sby files tell.

`default_nettype none

module sealgate_decode_fv
  import sealgate_pkg::*;
  import sealgate_abi_pkg::*;
#(
  parameter bit Pipelined = 1'b0
) (
  input wire logic       clk_i,
  input wire logic       ready_i,
  input wire logic [1:0] present_i,
  input wire logic [7:0] opcode_i,
  input wire logic [7:0] kind_i,       // content type, or suite
  input wire logic [1:0] ctx_i,
  input wire logic [7:0] version_i,    // or padding multiple
  input wire logic [7:0] direction_i,
  input wire logic [7:0] iv_i,         // or sequence number
  input wire logic       cut_i,        // in two records
  input wire logic       fault_i,
  input wire logic       request_ready_i,
  input wire logic       request_done_i,
  input wire logic       job_ready_i,
  input wire logic       job_done_i,
  input wire logic       job_done_queue_i
);

  localparam int unsigned Queues = 2;
  localparam int unsigned Contexts = 4;

  logic rst_ni = 1'b0;  // low in the first cycle
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic         read;
  queue_id_t    read_queue;
  entry_t       entry_q;
  logic         advance;
  logic         rewrite;
  logic [511:0] rewrite_bytes;
  logic         lookup;
  logic [1:0]   lookup_ctx;
  context_t     lookup_q;
  logic         request_valid;
  logic         request_load;
  logic [1:0]   request_ctx;
  context_t     request_context;
  logic [255:0] request_key;
  logic         job_valid;
  job_t         job;
  logic         busy;

  sealgate_decode #(
    .NumContexts(Contexts),
    .Pipelined  (Pipelined)
  ) dut (
    .clk_i,
    .rst_ni,
    .ready_i,
    .present_i        ({6'd0, present_i}),
    .read_o           (read),
    .read_queue_o     (read_queue),
    .entry_i          (entry_q),
    .index_i          ('0),
    .advance_o        (advance),
    .rewrite_o        (rewrite),
    .rewrite_bytes_o  (rewrite_bytes),
    .lookup_o         (lookup),
    .lookup_ctx_o     (lookup_ctx),
    .lookup_i         (lookup_q),
    .request_valid_o  (request_valid),
    .request_ready_i,
    .request_load_o   (request_load),
    .request_ctx_o    (request_ctx),
    .request_context_o(request_context),
    .request_key_o    (request_key),
    .request_done_i,
    .opening_valid_o  (),
    .opening_o        (),
    .job_valid_o      (job_valid),
    .job_ready_i,
    .job_o            (job),
    .job_done_i,
    .job_done_queue_i ({2'd0, job_done_queue_i}),
    .wait_lane_o      (),
    .wait_context_o   (),
    .busy_o           (busy)
  );

  // --- Queues ------------------------------------------------------------------------------------

  entry_t            fresh;
  entry_t            head_q[Queues];  // the first entry, once it was read
  logic [Queues-1:0] headed_q;
  logic              queue_q;         // read last

  always_comb begin
    fresh = '{fault: fault_i, bytes: '0};
    fresh.bytes[EntryOpcodeLsb+:8]         = opcode_i;
    fresh.bytes[EntryContentTypeLsb+:8]    = kind_i;
    fresh.bytes[EntryContextLsb+:2]        = ctx_i;
    fresh.bytes[LoadVersionLsb+:8]         = version_i;
    fresh.bytes[LoadDirectionLsb+:8]       = direction_i;
    fresh.bytes[EntrySequenceLsb+:8]       = iv_i;
    if ((opcode_i == OpcodeSeal) || (opcode_i == OpcodeOpen) || (opcode_i == OpcodeOpenRun)) begin
      fresh.bytes[EntryLengthLsb+:8]       = 8'd70;
      fresh.bytes[EntryCapacityLsb+16]     = 1'b1;
      fresh.bytes[EntryFragmentLimitLsb+6] = cut_i;  // 64 bytes
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      headed_q <= '0;
    end else begin
      if (rewrite) head_q[queue_q].bytes <= rewrite_bytes;
      if (advance) headed_q[queue_q] <= 1'b0;
      if (read) begin
        queue_q                 <= read_queue[0];
        headed_q[read_queue[0]] <= 1'b1;
        if (!headed_q[read_queue[0]] || (advance && (queue_q == read_queue[0]))) begin
          entry_q               <= fresh;
          head_q[read_queue[0]] <= fresh;
        end else begin
          entry_q <= (rewrite && (queue_q == read_queue[0])) ?
                     '{fault: entry_q.fault, bytes: rewrite_bytes} : head_q[read_queue[0]];
        end
      end
    end
  end

  // --- Contexts ----------------------------------------------------------------------------------

  context_t   table_q[Contexts];
  logic       pending_q;          // a request is carried out
  logic       pending_load_q;
  logic [1:0] pending_ctx_q;
  context_t   pending_context_q;
  logic       dropped_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      pending_q <= 1'b0;
      dropped_q <= 1'b0;
    end else begin
      if (lookup) lookup_q <= table_q[lookup_ctx];
      if (request_valid && request_ready_i) begin
        pending_q         <= 1'b1;
        pending_load_q    <= request_load;
        pending_ctx_q     <= request_ctx;
        pending_context_q <= request_context;
      end else if (pending_q && request_done_i) begin
        pending_q              <= 1'b0;
        dropped_q              <= !pending_load_q;
        table_q[pending_ctx_q] <= pending_load_q ? pending_context_q : '0;
      end
    end
  end

  // --- Lanes -------------------------------------------------------------------------------------

  logic [3:0] jobs_q[Queues];  // under way
  logic       job_taken;
  assign job_taken = job_valid && job_ready_i;

  for (genvar q = 0; q < Queues; q++) begin : gen_jobs
    logic given;
    logic done;
    assign given = job_taken && (job.ticket.queue_id == 3'(q));
    assign done  = job_done_i && (job_done_queue_i == 1'(q));
    always_ff @(posedge clk_i) begin
      if (!rst_ni) jobs_q[q] <= '0;
      else jobs_q[q] <= jobs_q[q] + 4'(given) - 4'(done);
    end
  end

  always_comb begin
    m_free: assume (!request_ready_i || !pending_q);
    m_done: assume (!request_done_i || pending_q);
    m_job:  assume (!job_done_i || (rst_ni && (jobs_q[job_done_queue_i] != '0)));
  end

  // --- Ownership ---------------------------------------------------------------------------------

  context_t used;     // of the job
  context_t dropped;  // by the request
  assign used    = table_q[job.ctx[1:0]];
  assign dropped = table_q[request_ctx];

  always_comb begin
    if (rst_ni) begin
      a_queue:  assert (!job_valid || (job.ticket.queue_id == 3'(queue_q)));
      a_range:  assert (!job_valid || (job.ctx < 10'(Contexts)));
      a_loaded: assert (!job_valid || used.loaded);
      a_owner:  assert (!job_valid || (used.owner == job.ticket.queue_id));
      a_open:   assert (!job_valid || (used.open == job.open));
      a_iv:     assert (!job_valid || ((used.iv == job.iv) && (used.suite == job.suite) &&
                                       (used.tls12 == job.tls12)));
      a_busy:   assert (busy || (!job_valid && (jobs_q[0] == '0) && (jobs_q[1] == '0)));
      a_load:   assert (!(request_valid && request_load) ||
                        (request_context.loaded && (request_context.owner == 3'(queue_q)) &&
                         !dropped.loaded));
      a_drop:   assert (!(request_valid && !request_load) ||
                        (dropped.loaded && (dropped.owner == 3'(queue_q)) &&
                         (jobs_q[queue_q] == '0)));

    end
  end

  // --- The style for hardware --------------------------------------------------------------------

  if (Pipelined) begin : gen_pipelined
    logic         ahead;       // an entry is read as another leaves
    logic         ahead_q;
    logic         requested_q;
    logic         load_q;
    logic [1:0]   ctx_q;
    context_t     context_q;
    logic [255:0] key_q;
    logic [4:0]   read_q;      // entries were read, in the cycles before

    assign ahead = read && dut.judged;

    always_ff @(posedge clk_i) begin
      ahead_q     <= rst_ni && ahead;
      requested_q <= rst_ni && request_valid && request_ready_i;
      load_q      <= request_load;
      ctx_q       <= request_ctx;
      context_q   <= request_context;
      key_q       <= request_key;
      read_q      <= rst_ni ? {read_q[3:0], read} : '0;
    end

    always_comb begin
      if (rst_ni) begin
        a_ahead:  assert (!ahead || ((read_queue[0] != queue_q) && !dut.late_q));
        a_used:   assert (!(ahead || ahead_q) || (!advance && !rewrite));
        a_stands: assert (!requested_q ||
                          ((request_load == load_q) && (request_ctx == ctx_q) &&
                           (request_context == context_q) && (request_key == key_q)));

        // Five cycles for an entry: what four lanes need of records of 64 bytes.
        c_rate: cover (ahead && read_q[4]);
      end
    end
  end else begin : gen_reach
    always_comb begin
      if (rst_ni) begin
        c_job:  cover (job_taken && job.open && queue_q);
        c_cut:  cover (job_taken && (job.sequence_number == 64'd5) && dut.cutting);
        c_drop: cover (dropped_q);
      end
    end
  end

endmodule

`default_nettype wire
