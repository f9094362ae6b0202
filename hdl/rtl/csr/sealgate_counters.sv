// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The counters, and the snapshot of them that the host reads.
//
// Theory of operation: a counter has 64 bits, of which registers hold the lowest seven only. Eight
// such lows make a group, a byte each, that changes only in a cycle with one of its events. A
// visitor goes round all counters, one a cycle, with the full values in a RAM: where the low in the
// register is below that in the RAM it has wrapped since the last visit, and the upper part goes up
// by one. A round is shorter than the 128 cycles of a wrap, so none is missed. In the round after a
// reset the RAM counts as zero.
//
// A snapshot copies the lows in one cycle and then lets the visitor extend the copy in the same
// way, so that one more round later a second RAM holds all values as of the cycle of the snapshot.
// Records and bytes go up by more than one: they have whole registers.
//
// The number of a counter follows from its address: bits 6:3 of the offset, in the device page and
// in the lanes. In queue pages these bits tell the kind, and the queue is the place in the group.

`default_nettype none

module sealgate_counters
  import sealgate_pkg::*;
  import sealgate_regs_pkg::CyclesLoOffset, sealgate_regs_pkg::BusyLoOffset,
         sealgate_regs_pkg::RejectedRecordsLoOffset, sealgate_regs_pkg::ReadBeatsLoOffset,
         sealgate_regs_pkg::ReadStallLoOffset, sealgate_regs_pkg::WriteBeatsLoOffset,
         sealgate_regs_pkg::WriteStallLoOffset, sealgate_regs_pkg::LaneBusyLoOffset,
         sealgate_regs_pkg::LaneBeatsLoOffset, sealgate_regs_pkg::LaneStallSourceLoOffset,
         sealgate_regs_pkg::LaneStallDestinationLoOffset, sealgate_regs_pkg::EntriesLoOffset,
         sealgate_regs_pkg::RefusedLoOffset, sealgate_regs_pkg::WaitCompletionLoOffset,
         sealgate_regs_pkg::WaitFetchLoOffset, sealgate_regs_pkg::WaitLaneLoOffset,
         sealgate_regs_pkg::WaitContextLoOffset, sealgate_regs_pkg::SealedRecordsLoOffset,
         sealgate_regs_pkg::SealedBytesLoOffset, sealgate_regs_pkg::OpenedRecordsLoOffset,
         sealgate_regs_pkg::OpenedBytesLoOffset;
#(
  parameter int unsigned Lanes = 1
) (
  input  wire logic                  clk_i,
  input  wire logic                  rst_ni,

  input  wire logic                  busy_i,
  input  wire logic                  read_beat_i,
  input  wire logic                  read_stall_i,
  input  wire logic                  write_beat_i,
  input  wire logic                  write_stall_i,
  input  wire lane_events_t          lane_events_i[Lanes],
  input  wire logic [QueueCount-1:0] wait_completion_i,
  input  wire logic [QueueCount-1:0] wait_fetch_i,
  input  wire logic [QueueCount-1:0] wait_lane_i,
  input  wire logic [QueueCount-1:0] wait_context_i,
  input  wire logic                  stat_valid_i,
  input  wire stat_t                 stat_i,

  input  wire logic                  take_i,    // a snapshot
  output      logic                  ready_o,   // the last snapshot can be read
  input  wire logic                  read_i,
  input  wire logic [11:3]           offset_i,  // of the counter, in the page
  input  wire logic                  queue_page_i,
  input  wire queue_id_t             queue_i,
  output      logic [63:0]           value_o    // in the cycle after
);

  import sealgate_abi_pkg::StatusSuccess, sealgate_abi_pkg::StatusBadHeader,
         sealgate_abi_pkg::StatusBadTag, sealgate_abi_pkg::StatusBadLength,
         sealgate_abi_pkg::StatusPaddingWithoutContent;

  // Groups of eight: two of the device, two of lanes, one per kind of queue counter.
  localparam int unsigned LaneGroup = 2;
  localparam int unsigned QueueGroup = 4;
  localparam int unsigned Groups = QueueGroup + 6;
  localparam int unsigned Counters = 8 * Groups;
  localparam int unsigned LowWidth = 7;
  localparam logic [63:0] LowMask = {8{8'h7f}};

  typedef logic [$clog2(Counters)-1:0] number_t;
  typedef logic [63:0]                 lows_t;  // eight lows

  if (Counters >= 2 ** LowWidth) begin : gen_round_too_long
    $error("a low can wrap twice in a round");
  end

  // The group of a kind of queue counter; the kind is in bits 5:3 of the offset.
  function automatic logic [3:0] queue_group(logic [2:0] kind);
    return 4'(QueueGroup) + 4'(kind);
  endfunction

  // Bits are moved apart by halves, which is wires and simulates faster than bit by bit.
  function automatic lows_t advance(lows_t lows, logic [7:0] event_bits);
    lows_t ones;
    ones = {56'b0, event_bits};
    ones = (ones | (ones << 28)) & 64'h0000_000f_0000_000f;
    ones = (ones | (ones << 14)) & 64'h0003_0003_0003_0003;
    ones = (ones | (ones << 7)) & 64'h0101_0101_0101_0101;
    return (lows + ones) & LowMask;
  endfunction

  // The total that ends in this low and is the next one from `past` on.
  function automatic logic [63:0] extend(logic [63:0] past, lows_t lows, logic [2:0] place);
    logic [LowWidth-1:0] low;
    low = lows[8*place+:LowWidth];
    return {past[63:LowWidth] + (64 - LowWidth)'(low < past[LowWidth-1:0]), low};
  endfunction

  // --- Events ------------------------------------------------------------------------------------

  logic success;
  logic rejected;
  assign success = stat_i.status == StatusSuccess;

  always_comb begin
    rejected = 1'b0;
    if (stat_valid_i) begin
      rejected = stat_i.record && stat_i.open &&
                 ((stat_i.status == StatusBadHeader) || (stat_i.status == StatusBadTag) ||
                  (stat_i.status == StatusBadLength) ||
                  (stat_i.status == StatusPaddingWithoutContent));
    end
  end

  logic [15:0]           device_events;
  logic [15:0]           lane_events;
  logic [QueueCount-1:0] completed;

  always_comb begin
    device_events = '0;
    device_events[CyclesLoOffset[6:3]]          = 1'b1;
    device_events[BusyLoOffset[6:3]]            = busy_i;
    device_events[RejectedRecordsLoOffset[6:3]] = rejected;
    device_events[ReadBeatsLoOffset[6:3]]       = read_beat_i;
    device_events[ReadStallLoOffset[6:3]]       = read_stall_i;
    device_events[WriteBeatsLoOffset[6:3]]      = write_beat_i;
    device_events[WriteStallLoOffset[6:3]]      = write_stall_i;
  end

  always_comb begin
    lane_events = '0;
    for (int unsigned lane = 0; lane < Lanes; lane++) begin
      lane_events[{lane[1:0], LaneBusyLoOffset[4:3]}]             = lane_events_i[lane].busy;
      lane_events[{lane[1:0], LaneBeatsLoOffset[4:3]}]            = lane_events_i[lane].beat;
      lane_events[{lane[1:0], LaneStallSourceLoOffset[4:3]}]      =
          lane_events_i[lane].stall_source;
      lane_events[{lane[1:0], LaneStallDestinationLoOffset[4:3]}] =
          lane_events_i[lane].stall_destination;
    end
  end

  always_comb begin
    completed = '0;
    if (stat_valid_i) completed[stat_i.queue_id] = 1'b1;
  end

  logic [7:0] events[Groups];
  assign events[0]             = device_events[7:0];
  assign events[1]             = device_events[15:8];
  assign events[LaneGroup]     = lane_events[7:0];
  assign events[LaneGroup + 1] = lane_events[15:8];
  assign events[queue_group(EntriesLoOffset[5:3])]        = completed;
  assign events[queue_group(RefusedLoOffset[5:3])]        = success ? '0 : completed;
  assign events[queue_group(WaitCompletionLoOffset[5:3])] = wait_completion_i;
  assign events[queue_group(WaitFetchLoOffset[5:3])]      = wait_fetch_i;
  assign events[queue_group(WaitLaneLoOffset[5:3])]       = wait_lane_i;
  assign events[queue_group(WaitContextLoOffset[5:3])]    = wait_context_i;

  // --- Lows --------------------------------------------------------------------------------------

  lows_t lows_q[Groups];
  lows_t shadow_q[Groups];  // as of the last snapshot

  for (genvar g = 0; g < Groups; g++) begin : gen_group
    always_ff @(posedge clk_i) begin
      if (!rst_ni) lows_q[g] <= '0;
      else if (events[g] != '0) lows_q[g] <= advance(lows_q[g], events[g]);
    end
  end

  always_ff @(posedge clk_i) begin
    if (take_i) shadow_q <= lows_q;
  end

  // --- The visitor -------------------------------------------------------------------------------

  logic [63:0] totals_q[Counters];
  logic [63:0] snapshot_q[Counters];
  number_t     next_q;     // whose total is fetched in this cycle
  number_t     visit_q;    // who is visited: the one before
  logic [63:0] total_q;
  logic        visiting_q;
  logic        counted_q;  // totals_q holds what this reset left and later events
  number_t     left_q;     // visits until the snapshot is complete
  logic        taken_q;    // there was a snapshot since the reset

  logic [63:0] past;
  logic        last;
  assign past    = counted_q ? total_q : '0;
  assign last    = visit_q == number_t'(Counters - 1);
  assign ready_o = left_q == '0;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      next_q     <= '0;
      visiting_q <= 1'b0;
      counted_q  <= 1'b0;
      left_q     <= '0;
      taken_q    <= 1'b0;
    end else begin
      next_q     <= (next_q == number_t'(Counters - 1)) ? '0 : next_q + 1'b1;
      visiting_q <= 1'b1;
      if (visiting_q && last) counted_q <= 1'b1;
      if (take_i) begin
        taken_q <= 1'b1;
        left_q  <= number_t'(Counters);
      end else if (left_q != '0) begin
        left_q <= left_q - 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    total_q <= totals_q[next_q];
    visit_q <= next_q;
    if (visiting_q) totals_q[visit_q] <= extend(past, lows_q[visit_q[6:3]], visit_q[2:0]);
    if (left_q != '0) snapshot_q[visit_q] <= extend(past, shadow_q[visit_q[6:3]], visit_q[2:0]);
  end

  // --- Records and bytes -------------------------------------------------------------------------

  logic [63:0] sealed_records_q;
  logic [63:0] sealed_bytes_q;
  logic [63:0] opened_records_q;
  logic [63:0] opened_bytes_q;
  logic [63:0] sealed_records_taken_q;
  logic [63:0] sealed_bytes_taken_q;
  logic [63:0] opened_records_taken_q;
  logic [63:0] opened_bytes_taken_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      sealed_records_q <= '0;
      sealed_bytes_q   <= '0;
      opened_records_q <= '0;
      opened_bytes_q   <= '0;
    end else if (stat_valid_i && stat_i.record && success) begin
      if (stat_i.open) begin
        opened_records_q <= opened_records_q + 64'(stat_i.records);
        opened_bytes_q   <= opened_bytes_q + 64'(stat_i.written);
      end else begin
        sealed_records_q <= sealed_records_q + 64'(stat_i.records);
        sealed_bytes_q   <= sealed_bytes_q + 64'(stat_i.consumed);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (take_i) begin
      sealed_records_taken_q <= sealed_records_q;
      sealed_bytes_taken_q   <= sealed_bytes_q;
      opened_records_taken_q <= opened_records_q;
      opened_bytes_taken_q   <= opened_bytes_q;
    end
  end

  // --- The host's side ---------------------------------------------------------------------------

  number_t number;
  assign number = queue_page_i ? {queue_group(offset_i[5:3]), queue_i}
                               : {2'b00, offset_i[8], offset_i[6:3]};

  logic [63:0] word_q;
  logic [63:0] sum_q;
  logic        sum_read_q;
  logic        blank_q;

  always_ff @(posedge clk_i) begin
    if (read_i) begin
      blank_q    <= !taken_q;
      word_q     <= snapshot_q[number];
      sum_read_q <= !queue_page_i;
      unique case ({offset_i, 3'b000})
        SealedRecordsLoOffset: sum_q <= sealed_records_taken_q;
        SealedBytesLoOffset:   sum_q <= sealed_bytes_taken_q;
        OpenedRecordsLoOffset: sum_q <= opened_records_taken_q;
        OpenedBytesLoOffset:   sum_q <= opened_bytes_taken_q;
        default:               sum_read_q <= 1'b0;
      endcase
    end
  end

  always_comb begin
    value_o = sum_read_q ? sum_q : word_q;
    if (blank_q) value_o = '0;
  end

endmodule

`default_nettype wire
