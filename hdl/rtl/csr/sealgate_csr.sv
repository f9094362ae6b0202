// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Registers: an AXI4-Lite slave, what the host wrote, and the sticky bits.
//
// Theory of operation: offsets and fields come from the package that is made of the description in
// hdl/regs. Address and data of a write are taken as they come; when both are there the write is
// carried out, and answered in the next cycle. A read is looked up in the cycle after its address
// and answered in the second; the read of a counter waits for a snapshot under way. An access where
// no register stands is answered with SLVERR.
//
// What the host wrote survives the engine's reset; counters don't. A sticky bit that is set in the
// cycle in which the host clears it stays set.

`default_nettype none

module sealgate_csr
  import sealgate_pkg::*;
#(
  parameter int unsigned NumContexts = 1024,
  parameter int unsigned Lanes = 1,
  parameter int unsigned DataWidth = 128,
  parameter bit Chacha = 1'b1,
  parameter logic [31:0] Build = 32'd0
) (
  input  wire logic                  clk_i,
  input  wire logic                  rst_ni,
  input  wire logic                  engine_rst_ni,

  input  wire logic [15:0]           s_axil_awaddr_i,
  input  wire logic [2:0]            s_axil_awprot_i,
  input  wire logic                  s_axil_awvalid_i,
  output      logic                  s_axil_awready_o,
  input  wire logic [31:0]           s_axil_wdata_i,
  input  wire logic [3:0]            s_axil_wstrb_i,
  input  wire logic                  s_axil_wvalid_i,
  output      logic                  s_axil_wready_o,
  output      logic [1:0]            s_axil_bresp_o,
  output      logic                  s_axil_bvalid_o,
  input  wire logic                  s_axil_bready_i,
  input  wire logic [15:0]           s_axil_araddr_i,
  input  wire logic [2:0]            s_axil_arprot_i,
  input  wire logic                  s_axil_arvalid_i,
  output      logic                  s_axil_arready_o,
  output      logic [31:0]           s_axil_rdata_o,
  output      logic [1:0]            s_axil_rresp_o,
  output      logic                  s_axil_rvalid_o,
  input  wire logic                  s_axil_rready_i,

  output      logic                  written_o,  // a register is being written
  output      logic                  enable_o,
  output      logic                  reset_o,
  output      logic                  zeroize_o,
  output      logic                  selftest_fault_o,
  input  wire logic [1:0]            selftest_i,
  input  wire logic                  ready_i,
  input  wire logic                  busy_i,
  input  wire logic                  selftest_failed_i,
  input  wire logic                  read_fault_i,
  input  wire logic                  write_fault_i,

  output      logic [QueueCount-1:0] irq_status_o,
  output      logic [QueueCount-1:0] irq_enable_o,
  output      logic [QueueCount-1:0] irq_rearm_o,  // cleared and set in the same cycle
  output      logic [7:0]            irq_count_o,
  output      logic [23:0]           irq_cycles_o,

  output      logic [QueueCount-1:0] queue_enable_o,
  output      logic [63:0]           sq_base_o[QueueCount],
  output      logic [63:0]           cq_base_o[QueueCount],
  output      logic [3:0]            sq_log2_o[QueueCount],
  output      logic [3:0]            cq_log2_o[QueueCount],
  output      logic [15:0]           sq_tail_o[QueueCount],
  output      logic [15:0]           cq_head_o[QueueCount],
  input  wire logic [15:0]           sq_head_i[QueueCount],
  input  wire logic [15:0]           cq_tail_i[QueueCount],
  input  wire logic [QueueCount-1:0] entry_fault_i,
  input  wire logic [QueueCount-1:0] bad_doorbell_i,
  input  wire logic                  complete_valid_i,
  input  wire queue_id_t             complete_queue_i,
  input  wire logic                  complete_error_i,

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
  input  wire stat_t                 stat_i
);

  import sealgate_regs_pkg::*;

  // The largest ring, 2^15 entries: indices of 16 bits tell full from empty.
  localparam logic [3:0] RingLog2Max = 4'd15;

  localparam logic [1:0] RespOkay = 2'b00;
  localparam logic [1:0] RespSlvErr = 2'b10;

  if ((QueueBlocks != QueueCount) || (Lanes > LaneBlocks)) begin : gen_map_too_small
    $error("the register map has no place for a queue or a lane");
  end

  // A word of BAR 0.
  typedef struct packed {
    logic        in_device;  // the page of the device
    logic        in_queue;   // the page of a queue
    queue_id_t   queue_id;
    logic [11:0] offset;
    logic        exists;     // a register stands there
  } place_t;

  function automatic place_t place_of(logic [13:0] word);
    logic [3:0] page;
    place_t     place;
    page            = word[13:10];
    place.in_device = page == DeviceBase[15:12];
    place.in_queue  = (page >= QueueBase[15:12]) && (page < QueueBase[15:12] + 4'(QueueCount));
    place.queue_id  = QueueWidth'(page - QueueBase[15:12]);
    place.offset    = {word[9:0], 2'b00};
    place.exists    = (place.in_device && device_has(place.offset)) ||
                      (place.in_queue && queue_has(place.offset));
    return place;
  endfunction

  // --- Writes ------------------------------------------------------------------------------------

  logic        aw_held_q;
  logic        w_held_q;
  place_t      aw_place_q;
  logic [31:0] w_data_q;
  logic [31:0] w_mask_q;  // bits of the bytes that are written
  logic        b_valid_q;
  logic [1:0]  b_resp_q;
  logic        write;

  assign s_axil_awready_o = !aw_held_q;
  assign s_axil_wready_o  = !w_held_q;
  assign s_axil_bvalid_o  = b_valid_q;
  assign s_axil_bresp_o   = b_resp_q;
  assign write            = aw_held_q && w_held_q && !b_valid_q;
  assign written_o        = write;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      aw_held_q <= 1'b0;
      w_held_q  <= 1'b0;
      b_valid_q <= 1'b0;
    end else begin
      if (s_axil_awvalid_i) aw_held_q <= 1'b1;
      if (s_axil_wvalid_i) w_held_q <= 1'b1;
      if (s_axil_bready_i) b_valid_q <= 1'b0;
      if (write) begin
        aw_held_q <= 1'b0;
        w_held_q  <= 1'b0;
        b_valid_q <= 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (s_axil_awvalid_i && !aw_held_q) aw_place_q <= place_of(s_axil_awaddr_i[15:2]);
    if (s_axil_wvalid_i && !w_held_q) begin
      w_data_q <= s_axil_wdata_i;
      w_mask_q <= {{8{s_axil_wstrb_i[3]}}, {8{s_axil_wstrb_i[2]}},
                   {8{s_axil_wstrb_i[1]}}, {8{s_axil_wstrb_i[0]}}};
    end
    if (write) b_resp_q <= aw_place_q.exists ? RespOkay : RespSlvErr;
  end

  // A register's bits after the write.
  function automatic logic [31:0] merged(logic [31:0] present);
    return (present & ~w_mask_q) | (w_data_q & w_mask_q);
  endfunction

  // --- Registers of the device -------------------------------------------------------------------

  logic                  enable_q;
  logic                  reset_q;
  logic                  zeroize_q;
  logic                  selftest_fault_q;
  logic                  take_q;
  logic [QueueCount-1:0] irq_enable_q;
  logic [7:0]            irq_count_q;
  logic [23:0]           irq_cycles_q;

  assign enable_o         = enable_q;
  assign reset_o          = reset_q;
  assign zeroize_o        = zeroize_q;
  assign selftest_fault_o = selftest_fault_q;
  assign irq_enable_o     = irq_enable_q;
  assign irq_count_o      = irq_count_q;
  assign irq_cycles_o     = irq_cycles_q;

  logic [31:0] ones;  // bits that are written 1
  assign ones = w_data_q & w_mask_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      enable_q                    <= ControlReset[ControlEnableLsb];
      reset_q                     <= 1'b0;
      zeroize_q                   <= 1'b0;
      selftest_fault_q            <= ControlReset[ControlSelftestFaultLsb];
      take_q                      <= 1'b0;
      irq_enable_q                <= IrqEnableReset[IrqEnableQueuesLsb+:QueueCount];
      {irq_cycles_q, irq_count_q} <= IrqModerationReset;
    end else begin
      reset_q   <= 1'b0;
      zeroize_q <= 1'b0;
      take_q    <= 1'b0;
      if (write && aw_place_q.in_device) begin
        unique case (aw_place_q.offset)
          ControlOffset: begin
            if (w_mask_q[0]) begin
              enable_q         <= w_data_q[ControlEnableLsb];
              reset_q          <= w_data_q[ControlResetLsb];
              zeroize_q        <= w_data_q[ControlZeroizeLsb];
              selftest_fault_q <= w_data_q[ControlSelftestFaultLsb];
            end
          end
          IrqEnableOffset:
            if (w_mask_q[0]) irq_enable_q <= w_data_q[IrqEnableQueuesLsb+:QueueCount];
          IrqModerationOffset:
            {irq_cycles_q, irq_count_q} <= merged({irq_cycles_q, irq_count_q});
          SnapshotOffset: take_q <= ones[SnapshotTakeLsb];
          default: ;
        endcase
      end
    end
  end

  // --- Registers of the queues -------------------------------------------------------------------

  logic [QueueCount-1:0] queue_enable_q;
  logic [63:0]           sq_base_q[QueueCount];
  logic [63:0]           cq_base_q[QueueCount];
  logic [3:0]            sq_log2_q[QueueCount];
  logic [3:0]            cq_log2_q[QueueCount];
  logic [15:0]           sq_tail_q[QueueCount];
  logic [15:0]           cq_head_q[QueueCount];

  assign queue_enable_o = queue_enable_q;
  assign sq_base_o      = sq_base_q;
  assign cq_base_o      = cq_base_q;
  assign sq_log2_o      = sq_log2_q;
  assign cq_log2_o      = cq_log2_q;
  assign sq_tail_o      = sq_tail_q;
  assign cq_head_o      = cq_head_q;

  queue_id_t write_queue;
  assign write_queue = aw_place_q.queue_id;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      queue_enable_q <= {QueueCount{QueueControlReset[QueueControlEnableLsb]}};
      sq_base_q      <= '{default: {SqBaseHiReset, SqBaseLoReset}};
      cq_base_q      <= '{default: {CqBaseHiReset, CqBaseLoReset}};
      sq_log2_q      <= '{default: RingSizeReset[RingSizeSqLog2Lsb+:RingSizeSqLog2Width]};
      cq_log2_q      <= '{default: RingSizeReset[RingSizeCqLog2Lsb+:RingSizeCqLog2Width]};
      sq_tail_q      <= '{default: SqTailReset[SqTailIndexLsb+:SqTailIndexWidth]};
      cq_head_q      <= '{default: CqHeadReset[CqHeadIndexLsb+:CqHeadIndexWidth]};
    end else if (write && aw_place_q.in_queue) begin
      unique case (aw_place_q.offset)
        SqBaseLoOffset:
          sq_base_q[write_queue][31:SqBaseLoAddrLsb] <=
              SqBaseLoAddrWidth'(merged(sq_base_q[write_queue][31:0]) >> SqBaseLoAddrLsb);
        SqBaseHiOffset: sq_base_q[write_queue][63:32] <= merged(sq_base_q[write_queue][63:32]);
        CqBaseLoOffset:
          cq_base_q[write_queue][31:CqBaseLoAddrLsb] <=
              CqBaseLoAddrWidth'(merged(cq_base_q[write_queue][31:0]) >> CqBaseLoAddrLsb);
        CqBaseHiOffset: cq_base_q[write_queue][63:32] <= merged(cq_base_q[write_queue][63:32]);
        RingSizeOffset: begin
          if (w_mask_q[RingSizeSqLog2Lsb]) begin
            sq_log2_q[write_queue] <= w_data_q[RingSizeSqLog2Lsb+:RingSizeSqLog2Width];
          end
          if (w_mask_q[RingSizeCqLog2Lsb]) begin
            cq_log2_q[write_queue] <= w_data_q[RingSizeCqLog2Lsb+:RingSizeCqLog2Width];
          end
        end
        QueueControlOffset: begin
          if (w_mask_q[QueueControlEnableLsb]) begin
            queue_enable_q[write_queue] <= w_data_q[QueueControlEnableLsb];
          end
        end
        SqTailOffset:
          sq_tail_q[write_queue] <= SqTailIndexWidth'(merged(32'(sq_tail_q[write_queue])));
        CqHeadOffset:
          cq_head_q[write_queue] <= CqHeadIndexWidth'(merged(32'(cq_head_q[write_queue])));
        default: ;
      endcase
    end
  end

  // --- Sticky bits -------------------------------------------------------------------------------

  logic [2:0]            errors_q;
  logic [QueueCount-1:0] irq_status_q;
  logic [QueueCount-1:0] entry_fault_q;
  logic [QueueCount-1:0] completion_fault_q;
  logic [QueueCount-1:0] bad_doorbell_q;

  logic [2:0]            errors_set;
  logic [2:0]            errors_clear;
  logic [QueueCount-1:0] irq_clear;
  logic [QueueCount-1:0] entry_fault_clear;
  logic [QueueCount-1:0] completion_fault_clear;
  logic [QueueCount-1:0] bad_doorbell_clear;
  logic [QueueCount-1:0] completed;

  always_comb begin
    errors_set = '0;
    if (selftest_failed_i) errors_set[ErrorsSelftestFailedLsb] = 1'b1;
    if (read_fault_i) errors_set[ErrorsReadFaultLsb] = 1'b1;
    if (write_fault_i) errors_set[ErrorsWriteFaultLsb] = 1'b1;
    completed = '0;
    if (complete_valid_i) completed[complete_queue_i] = 1'b1;
  end

  always_comb begin
    errors_clear           = '0;
    irq_clear              = '0;
    entry_fault_clear      = '0;
    completion_fault_clear = '0;
    bad_doorbell_clear     = '0;
    if (write) begin
      if (aw_place_q.in_device && (aw_place_q.offset == ErrorsOffset)) errors_clear = ones[2:0];
      if (aw_place_q.in_device && (aw_place_q.offset == IrqStatusOffset)) begin
        irq_clear = ones[IrqStatusQueue0Lsb+:QueueCount];
      end
      if (aw_place_q.in_queue && (aw_place_q.offset == QueueErrorsOffset)) begin
        entry_fault_clear[write_queue]      = ones[QueueErrorsEntryFaultLsb];
        completion_fault_clear[write_queue] = ones[QueueErrorsCompletionFaultLsb];
        bad_doorbell_clear[write_queue]     = ones[QueueErrorsBadDoorbellLsb];
      end
    end
  end

  assign irq_status_o = irq_status_q;
  assign irq_rearm_o  = irq_clear & completed;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      errors_q           <= '0;
      irq_status_q       <= '0;
      entry_fault_q      <= '0;
      completion_fault_q <= '0;
      bad_doorbell_q     <= '0;
    end else begin
      errors_q           <= (errors_q & ~errors_clear) | errors_set;
      irq_status_q       <= (irq_status_q & ~irq_clear) | completed;
      entry_fault_q      <= (entry_fault_q & ~entry_fault_clear) | entry_fault_i;
      completion_fault_q <= (completion_fault_q & ~completion_fault_clear) |
                            (complete_error_i ? completed : '0);
      bad_doorbell_q     <= (bad_doorbell_q & ~bad_doorbell_clear) | bad_doorbell_i;
    end
  end

  // --- Reads -------------------------------------------------------------------------------------

  logic        ar_held_q;
  place_t      ar_place_q;
  logic        read;
  logic        read_counter;  // the place is that of a counter
  logic        r_valid_q;
  logic [1:0]  r_resp_q;
  logic [31:0] r_data_q;
  logic        r_counter_q;
  logic        r_high_q;
  logic        counters_ready;
  logic [63:0] counter;

  assign s_axil_arready_o = !ar_held_q;
  assign s_axil_rvalid_o  = r_valid_q;
  assign s_axil_rresp_o   = r_resp_q;

  always_comb begin
    s_axil_rdata_o = r_data_q;
    if (r_counter_q) s_axil_rdata_o = r_high_q ? counter[63:32] : counter[31:0];
  end

  // From there on all registers of both kinds of page are counters.
  assign read_counter = ar_place_q.in_device ? (ar_place_q.offset >= CyclesLoOffset)
                                          : (ar_place_q.offset >= EntriesLoOffset);
  assign read = ar_held_q && !r_valid_q && (counters_ready || !read_counter);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      ar_held_q <= 1'b0;
      r_valid_q <= 1'b0;
    end else begin
      if (s_axil_arvalid_i) ar_held_q <= 1'b1;
      if (s_axil_rready_i) r_valid_q <= 1'b0;
      if (read) begin
        ar_held_q <= 1'b0;
        r_valid_q <= 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (s_axil_arvalid_i && !ar_held_q) ar_place_q <= place_of(s_axil_araddr_i[15:2]);
    if (read) begin
      r_resp_q    <= ar_place_q.exists ? RespOkay : RespSlvErr;
      r_counter_q <= ar_place_q.exists && read_counter;
      r_high_q    <= ar_place_q.offset[2];
      r_data_q    <= ar_place_q.in_device ? device_word(ar_place_q.offset)
                                       : queue_word(ar_place_q.offset, ar_place_q.queue_id);
      if (!ar_place_q.in_device && !ar_place_q.in_queue) r_data_q <= '0;
    end
  end

  function automatic logic [31:0] device_word(logic [11:0] offset);
    logic [31:0] word;
    word = '0;
    unique case (offset)
      MagicOffset:   word = MagicReset;
      VersionOffset: word = VersionReset;
      BuildOffset:   word = Build;
      ShapeOffset: begin
        word[ShapeLanesLsb+:ShapeLanesWidth]               = ShapeLanesWidth'(Lanes);
        word[ShapeBusBytesLsb+:ShapeBusBytesWidth]         = ShapeBusBytesWidth'(DataWidth / 8);
        word[ShapeQueuesLsb+:ShapeQueuesWidth]             = ShapeQueuesWidth'(QueueCount);
        word[ShapeContextsLog2Lsb+:ShapeContextsLog2Width] =
            ShapeContextsLog2Width'($clog2(NumContexts));
        word[ShapeRingLog2MaxLsb+:ShapeRingLog2MaxWidth]   = RingLog2Max;
      end
      FeaturesOffset: begin
        word[FeaturesAes128GcmLsb]        = 1'b1;
        word[FeaturesAes256GcmLsb]        = 1'b1;
        word[FeaturesChacha20Poly1305Lsb] = Chacha;
        word[FeaturesTls12Lsb]            = 1'b1;
        word[FeaturesTls13Lsb]            = 1'b1;
        word[FeaturesPaddingLsb]          = 1'b1;
        word[FeaturesSegmentationLsb]     = 1'b1;
        word[FeaturesOpenRunLsb]          = 1'b1;
      end
      SealMaxOffset: word = 32'(sealgate_abi_pkg::MaxSealBytes);
      ControlOffset: begin
        word[ControlEnableLsb]        = enable_q;
        word[ControlSelftestFaultLsb] = selftest_fault_q;
      end
      StatusOffset: begin
        word[StatusSelftestLsb+:StatusSelftestWidth] = selftest_i;
        word[StatusReadyLsb]                         = ready_i;
        word[StatusBusyLsb]                          = busy_i;
      end
      ErrorsOffset:        word[2:0] = errors_q;
      IrqStatusOffset:     word[IrqStatusQueue0Lsb+:QueueCount] = irq_status_q;
      IrqEnableOffset:     word[IrqEnableQueuesLsb+:QueueCount] = irq_enable_q;
      IrqModerationOffset: word = {irq_cycles_q, irq_count_q};
      default: ;
    endcase
    return word;
  endfunction

  function automatic logic [31:0] queue_word(logic [11:0] offset, queue_id_t queue_id);
    logic [31:0] word;
    word = '0;
    unique case (offset)
      SqBaseLoOffset: word = sq_base_q[queue_id][31:0];
      SqBaseHiOffset: word = sq_base_q[queue_id][63:32];
      CqBaseLoOffset: word = cq_base_q[queue_id][31:0];
      CqBaseHiOffset: word = cq_base_q[queue_id][63:32];
      RingSizeOffset: begin
        word[RingSizeSqLog2Lsb+:RingSizeSqLog2Width] = sq_log2_q[queue_id];
        word[RingSizeCqLog2Lsb+:RingSizeCqLog2Width] = cq_log2_q[queue_id];
      end
      QueueControlOffset: word[QueueControlEnableLsb] = queue_enable_q[queue_id];
      SqTailOffset:       word[SqTailIndexLsb+:SqTailIndexWidth] = sq_tail_q[queue_id];
      CqHeadOffset:       word[CqHeadIndexLsb+:CqHeadIndexWidth] = cq_head_q[queue_id];
      SqHeadOffset:       word[SqHeadIndexLsb+:SqHeadIndexWidth] = sq_head_i[queue_id];
      CqTailOffset:       word[CqTailIndexLsb+:CqTailIndexWidth] = cq_tail_i[queue_id];
      QueueErrorsOffset: begin
        word[QueueErrorsEntryFaultLsb]      = entry_fault_q[queue_id];
        word[QueueErrorsCompletionFaultLsb] = completion_fault_q[queue_id];
        word[QueueErrorsBadDoorbellLsb]     = bad_doorbell_q[queue_id];
      end
      default: ;
    endcase
    return word;
  endfunction

  // --- Counters ----------------------------------------------------------------------------------

  sealgate_counters #(
    .Lanes(Lanes)
  ) u_counters (
    .clk_i,
    .rst_ni      (engine_rst_ni),
    .busy_i,
    .read_beat_i,
    .read_stall_i,
    .write_beat_i,
    .write_stall_i,
    .lane_events_i,
    .wait_completion_i,
    .wait_fetch_i,
    .wait_lane_i,
    .wait_context_i,
    .stat_valid_i,
    .stat_i,
    .take_i      (take_q),
    .ready_o     (counters_ready),
    .read_i      (read && read_counter),
    .offset_i    (ar_place_q.offset[11:3]),
    .queue_page_i(ar_place_q.in_queue),
    .queue_i     (ar_place_q.queue_id),
    .value_o     (counter)
  );

  // Every access is allowed, and a register is one word.
  logic unused;
  assign unused = ^{s_axil_awprot_i, s_axil_arprot_i, s_axil_awaddr_i[1:0], s_axil_araddr_i[1:0]};

endmodule

`default_nettype wire
