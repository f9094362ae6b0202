// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Which lane works on which job.
//
// Theory of operation: a job goes to the lane with the least work among those with room. The work
// of a lane is the sum of the weights of its jobs: words of source, and a constant for what a
// record costs beside its words. A lane with enough of it gets no more: what waits elsewhere is not
// held up behind a long entry, and its turn comes. A lane finishes its jobs in the order in which it
// got them, so a ring of weights per lane tells by how much a result lowers the work. One job in two
// cycles: it is taken and a lane chosen from registers, then offered.

`default_nettype none

module sealgate_dispatch
  import sealgate_pkg::*;
#(
  parameter int unsigned Lanes = 4
) (
  input  wire logic             clk_i,
  input  wire logic             rst_ni,

  input  wire logic             job_valid_i,
  output      logic             job_ready_o,
  input  wire job_t             job_i,

  output      logic [Lanes-1:0] job_valid_o,
  input  wire logic [Lanes-1:0] job_ready_i,
  output      job_t             job_o,

  // A result of the lane was taken.
  input  wire logic [Lanes-1:0] result_valid_i
);

  // Words of time that a record takes beside those of its text: header, lengths, tag.
  localparam int unsigned RecordOverhead = 8;

  // Jobs that a lane may hold: with 64 bytes every 20 cycles and some 700 cycles from read to
  // acknowledgement 35 are under way, and as many may wait.
  localparam int unsigned JobsPerLane = 128;
  localparam int unsigned JobsWidth = $clog2(JobsPerLane);

  // Words of text that are enough for a lane, as a power of two: some four full records, which is
  // longer than any memory takes to bring the next.
  localparam int unsigned EnoughWidth = 12;

  // A run has up to 2^16 words.
  localparam int unsigned WeightWidth = LengthWidth - 4 + 1;
  localparam int unsigned WorkWidth = WeightWidth + JobsWidth;

  typedef logic [WeightWidth-1:0] weight_t;
  typedef logic [WorkWidth-1:0]   work_t;

  typedef enum logic [1:0] {
    StEmpty,
    StChoose,
    StOffer
  } state_e;

  state_e           state_q;
  job_t             job_q;
  weight_t          weight_q;
  logic [Lanes-1:0] chosen_q;  // one bit

  logic taken;  // a job comes in
  logic given;  // and goes to its lane
  assign taken = job_valid_i && job_ready_o;
  assign given = (state_q == StOffer) && ((chosen_q & job_ready_i) != '0);

  // --- The work of each lane ---------------------------------------------------------------------

  work_t            work_q[Lanes];
  logic [Lanes-1:0] room;

  for (genvar i = 0; i < int'(Lanes); i++) begin : gen_lane
    weight_t            weights_q[JobsPerLane];
    logic [JobsWidth:0] first_q;  // the job whose result comes next
    logic [JobsWidth:0] next_q;   // place of the next job
    logic               more;
    logic               less;

    assign more    = given && chosen_q[i];
    assign less    = result_valid_i[i];
    assign room[i] = job_ready_i[i] && (next_q - first_q != (JobsWidth + 1)'(JobsPerLane)) &&
                     (work_q[i][WorkWidth-1:EnoughWidth] == '0);

    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        work_q[i] <= '0;
        first_q   <= '0;
        next_q    <= '0;
      end else if (more || less) begin
        work_q[i] <= work_q[i] + (more ? work_t'(weight_q) : '0) -
                     (less ? work_t'(weights_q[first_q[JobsWidth-1:0]]) : '0);
        next_q  <= next_q + (JobsWidth + 1)'(more);
        first_q <= first_q + (JobsWidth + 1)'(less);
      end
    end

    always_ff @(posedge clk_i) begin
      if (more) weights_q[next_q[JobsWidth-1:0]] <= weight_q;
    end
  end

  // --- Choice: all pairs are compared at once; of equals the first is taken ----------------------

  logic [Lanes-1:0] choice;

  always_comb begin
    choice = '0;
    if (state_q == StChoose) begin
      choice = room;
      for (int unsigned i = 0; i < Lanes; i++) begin
        for (int unsigned j = i + 1; j < Lanes; j++) begin
          if (room[i] && room[j]) begin
            if (work_q[j] < work_q[i]) choice[i] = 1'b0;
            else choice[j] = 1'b0;
          end
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q <= StEmpty;
    end else begin
      unique case (state_q)
        StEmpty:  if (taken) state_q <= StChoose;
        StChoose: if (choice != '0) state_q <= StOffer;
        StOffer:  if (given) state_q <= taken ? StChoose : StEmpty;
        default:  state_q <= StEmpty;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (taken) begin
      job_q    <= job_i;
      weight_q <= weight_t'((job_i.length + length_t'(WordBytes - 1)) >> $clog2(WordBytes)) +
                  weight_t'(RecordOverhead);
    end
    if (state_q == StChoose) chosen_q <= choice;
  end

  assign job_ready_o = (state_q == StEmpty) || given;
  assign job_valid_o = (state_q == StOffer) ? chosen_q : '0;
  assign job_o       = job_q;

endmodule

`default_nettype wire
