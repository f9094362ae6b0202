// SPDX-License-Identifier: Apache-2.0 OR MIT
// Made from hdl/regs/sealgate.rdl by `cargo xtask codegen`; edit that file, not this one.
//
// Where registers and their fields stand, and what reset leaves in them. Offsets count from the
// start of the page, for the registers of a lane from the start of that lane's.

`default_nettype none

package sealgate_regs_pkg;

  // Device.
  localparam logic [15:0] DeviceBase = 16'h0000;
  localparam logic [11:0] MagicOffset = 12'h000;
  localparam logic [31:0] MagicReset = 32'h5ea1_6a7e;
  localparam logic [11:0] VersionOffset = 12'h004;
  localparam int unsigned VersionPatchLsb = 0;
  localparam int unsigned VersionPatchWidth = 8;
  localparam int unsigned VersionMinorLsb = 8;
  localparam int unsigned VersionMinorWidth = 8;
  localparam int unsigned VersionMajorLsb = 16;
  localparam int unsigned VersionMajorWidth = 8;
  localparam logic [31:0] VersionReset = 32'h0000_0200;
  localparam logic [11:0] BuildOffset = 12'h008;
  localparam logic [11:0] ShapeOffset = 12'h010;
  localparam int unsigned ShapeLanesLsb = 0;
  localparam int unsigned ShapeLanesWidth = 8;
  localparam int unsigned ShapeBusBytesLsb = 8;
  localparam int unsigned ShapeBusBytesWidth = 8;
  localparam int unsigned ShapeQueuesLsb = 16;
  localparam int unsigned ShapeQueuesWidth = 8;
  localparam int unsigned ShapeContextsLog2Lsb = 24;
  localparam int unsigned ShapeContextsLog2Width = 4;
  localparam int unsigned ShapeRingLog2MaxLsb = 28;
  localparam int unsigned ShapeRingLog2MaxWidth = 4;
  localparam logic [11:0] FeaturesOffset = 12'h014;
  localparam int unsigned FeaturesAes128GcmLsb = 0;
  localparam int unsigned FeaturesAes256GcmLsb = 1;
  localparam int unsigned FeaturesChacha20Poly1305Lsb = 2;
  localparam int unsigned FeaturesTls12Lsb = 8;
  localparam int unsigned FeaturesTls13Lsb = 9;
  localparam int unsigned FeaturesPaddingLsb = 16;
  localparam int unsigned FeaturesSegmentationLsb = 17;
  localparam int unsigned FeaturesOpenRunLsb = 18;
  localparam logic [11:0] SealMaxOffset = 12'h018;
  localparam logic [11:0] ControlOffset = 12'h020;
  localparam int unsigned ControlEnableLsb = 0;
  localparam int unsigned ControlResetLsb = 1;
  localparam int unsigned ControlZeroizeLsb = 2;
  localparam int unsigned ControlSelftestFaultLsb = 3;
  localparam logic [31:0] ControlReset = 32'h0000_0000;
  localparam logic [11:0] StatusOffset = 12'h024;
  localparam int unsigned StatusSelftestLsb = 0;
  localparam int unsigned StatusSelftestWidth = 2;
  localparam int unsigned StatusReadyLsb = 2;
  localparam int unsigned StatusBusyLsb = 3;
  localparam logic [11:0] ErrorsOffset = 12'h028;
  localparam int unsigned ErrorsSelftestFailedLsb = 0;
  localparam int unsigned ErrorsReadFaultLsb = 1;
  localparam int unsigned ErrorsWriteFaultLsb = 2;
  localparam logic [31:0] ErrorsReset = 32'h0000_0000;
  localparam logic [11:0] IrqStatusOffset = 12'h030;
  localparam int unsigned IrqStatusQueue0Lsb = 0;
  localparam int unsigned IrqStatusQueue1Lsb = 1;
  localparam int unsigned IrqStatusQueue2Lsb = 2;
  localparam int unsigned IrqStatusQueue3Lsb = 3;
  localparam int unsigned IrqStatusQueue4Lsb = 4;
  localparam int unsigned IrqStatusQueue5Lsb = 5;
  localparam int unsigned IrqStatusQueue6Lsb = 6;
  localparam int unsigned IrqStatusQueue7Lsb = 7;
  localparam logic [31:0] IrqStatusReset = 32'h0000_0000;
  localparam logic [11:0] IrqEnableOffset = 12'h034;
  localparam int unsigned IrqEnableQueuesLsb = 0;
  localparam int unsigned IrqEnableQueuesWidth = 8;
  localparam logic [31:0] IrqEnableReset = 32'h0000_0000;
  localparam logic [11:0] IrqModerationOffset = 12'h038;
  localparam int unsigned IrqModerationCountLsb = 0;
  localparam int unsigned IrqModerationCountWidth = 8;
  localparam int unsigned IrqModerationCyclesLsb = 8;
  localparam int unsigned IrqModerationCyclesWidth = 24;
  localparam logic [31:0] IrqModerationReset = 32'h0000_0000;
  localparam logic [11:0] SnapshotOffset = 12'h040;
  localparam int unsigned SnapshotTakeLsb = 0;
  localparam logic [31:0] SnapshotReset = 32'h0000_0000;
  localparam logic [11:0] CyclesLoOffset = 12'h080;
  localparam logic [11:0] CyclesHiOffset = 12'h084;
  localparam logic [11:0] BusyLoOffset = 12'h088;
  localparam logic [11:0] BusyHiOffset = 12'h08c;
  localparam logic [11:0] SealedRecordsLoOffset = 12'h0a8;
  localparam logic [11:0] SealedRecordsHiOffset = 12'h0ac;
  localparam logic [11:0] SealedBytesLoOffset = 12'h0b0;
  localparam logic [11:0] SealedBytesHiOffset = 12'h0b4;
  localparam logic [11:0] OpenedRecordsLoOffset = 12'h0b8;
  localparam logic [11:0] OpenedRecordsHiOffset = 12'h0bc;
  localparam logic [11:0] OpenedBytesLoOffset = 12'h0c0;
  localparam logic [11:0] OpenedBytesHiOffset = 12'h0c4;
  localparam logic [11:0] RejectedRecordsLoOffset = 12'h0c8;
  localparam logic [11:0] RejectedRecordsHiOffset = 12'h0cc;
  localparam logic [11:0] ReadBeatsLoOffset = 12'h0d0;
  localparam logic [11:0] ReadBeatsHiOffset = 12'h0d4;
  localparam logic [11:0] ReadStallLoOffset = 12'h0d8;
  localparam logic [11:0] ReadStallHiOffset = 12'h0dc;
  localparam logic [11:0] WriteBeatsLoOffset = 12'h0e0;
  localparam logic [11:0] WriteBeatsHiOffset = 12'h0e4;
  localparam logic [11:0] WriteStallLoOffset = 12'h0e8;
  localparam logic [11:0] WriteStallHiOffset = 12'h0ec;

  // Lane.
  localparam logic [15:0] LaneBase = 16'h0100;
  localparam int unsigned LaneBlocks = 4;
  localparam int unsigned LaneStride = 32;
  localparam logic [11:0] LaneBusyLoOffset = 12'h000;
  localparam logic [11:0] LaneBusyHiOffset = 12'h004;
  localparam logic [11:0] LaneBeatsLoOffset = 12'h008;
  localparam logic [11:0] LaneBeatsHiOffset = 12'h00c;
  localparam logic [11:0] LaneStallSourceLoOffset = 12'h010;
  localparam logic [11:0] LaneStallSourceHiOffset = 12'h014;
  localparam logic [11:0] LaneStallDestinationLoOffset = 12'h018;
  localparam logic [11:0] LaneStallDestinationHiOffset = 12'h01c;

  // Queue.
  localparam logic [15:0] QueueBase = 16'h1000;
  localparam int unsigned QueueBlocks = 8;
  localparam int unsigned QueueStride = 4096;
  localparam logic [11:0] SqBaseLoOffset = 12'h000;
  localparam int unsigned SqBaseLoAddrLsb = 12;
  localparam int unsigned SqBaseLoAddrWidth = 20;
  localparam logic [31:0] SqBaseLoReset = 32'h0000_0000;
  localparam logic [11:0] SqBaseHiOffset = 12'h004;
  localparam logic [31:0] SqBaseHiReset = 32'h0000_0000;
  localparam logic [11:0] CqBaseLoOffset = 12'h008;
  localparam int unsigned CqBaseLoAddrLsb = 12;
  localparam int unsigned CqBaseLoAddrWidth = 20;
  localparam logic [31:0] CqBaseLoReset = 32'h0000_0000;
  localparam logic [11:0] CqBaseHiOffset = 12'h00c;
  localparam logic [31:0] CqBaseHiReset = 32'h0000_0000;
  localparam logic [11:0] RingSizeOffset = 12'h010;
  localparam int unsigned RingSizeSqLog2Lsb = 0;
  localparam int unsigned RingSizeSqLog2Width = 4;
  localparam int unsigned RingSizeCqLog2Lsb = 8;
  localparam int unsigned RingSizeCqLog2Width = 4;
  localparam logic [31:0] RingSizeReset = 32'h0000_0000;
  localparam logic [11:0] QueueControlOffset = 12'h014;
  localparam int unsigned QueueControlEnableLsb = 0;
  localparam logic [31:0] QueueControlReset = 32'h0000_0000;
  localparam logic [11:0] SqTailOffset = 12'h040;
  localparam int unsigned SqTailIndexLsb = 0;
  localparam int unsigned SqTailIndexWidth = 16;
  localparam logic [31:0] SqTailReset = 32'h0000_0000;
  localparam logic [11:0] CqHeadOffset = 12'h044;
  localparam int unsigned CqHeadIndexLsb = 0;
  localparam int unsigned CqHeadIndexWidth = 16;
  localparam logic [31:0] CqHeadReset = 32'h0000_0000;
  localparam logic [11:0] SqHeadOffset = 12'h048;
  localparam int unsigned SqHeadIndexLsb = 0;
  localparam int unsigned SqHeadIndexWidth = 16;
  localparam logic [11:0] CqTailOffset = 12'h04c;
  localparam int unsigned CqTailIndexLsb = 0;
  localparam int unsigned CqTailIndexWidth = 16;
  localparam logic [11:0] QueueErrorsOffset = 12'h050;
  localparam int unsigned QueueErrorsEntryFaultLsb = 0;
  localparam int unsigned QueueErrorsCompletionFaultLsb = 1;
  localparam int unsigned QueueErrorsBadDoorbellLsb = 2;
  localparam logic [31:0] QueueErrorsReset = 32'h0000_0000;
  localparam logic [11:0] EntriesLoOffset = 12'h080;
  localparam logic [11:0] EntriesHiOffset = 12'h084;
  localparam logic [11:0] RefusedLoOffset = 12'h088;
  localparam logic [11:0] RefusedHiOffset = 12'h08c;
  localparam logic [11:0] WaitCompletionLoOffset = 12'h090;
  localparam logic [11:0] WaitCompletionHiOffset = 12'h094;
  localparam logic [11:0] WaitFetchLoOffset = 12'h098;
  localparam logic [11:0] WaitFetchHiOffset = 12'h09c;
  localparam logic [11:0] WaitLaneLoOffset = 12'h0a0;
  localparam logic [11:0] WaitLaneHiOffset = 12'h0a4;
  localparam logic [11:0] WaitContextLoOffset = 12'h0a8;
  localparam logic [11:0] WaitContextHiOffset = 12'h0ac;

  // There is a register at this offset of the device page.
  function automatic logic device_has(logic [11:0] offset);
    unique case (offset)
      12'h000, 12'h004, 12'h008, 12'h010, 12'h014, 12'h018, 12'h020, 12'h024, 12'h028, 12'h030,
      12'h034, 12'h038, 12'h040, 12'h080, 12'h084, 12'h088, 12'h08c, 12'h0a8, 12'h0ac, 12'h0b0,
      12'h0b4, 12'h0b8, 12'h0bc, 12'h0c0, 12'h0c4, 12'h0c8, 12'h0cc, 12'h0d0, 12'h0d4, 12'h0d8,
      12'h0dc, 12'h0e0, 12'h0e4, 12'h0e8, 12'h0ec, 12'h100, 12'h104, 12'h108, 12'h10c, 12'h110,
      12'h114, 12'h118, 12'h11c, 12'h120, 12'h124, 12'h128, 12'h12c, 12'h130, 12'h134, 12'h138,
      12'h13c, 12'h140, 12'h144, 12'h148, 12'h14c, 12'h150, 12'h154, 12'h158, 12'h15c, 12'h160,
      12'h164, 12'h168, 12'h16c, 12'h170, 12'h174, 12'h178, 12'h17c: return 1'b1;
      default: return 1'b0;
    endcase
  endfunction

  // There is a register at this offset of a queue page.
  function automatic logic queue_has(logic [11:0] offset);
    unique case (offset)
      12'h000, 12'h004, 12'h008, 12'h00c, 12'h010, 12'h014, 12'h040, 12'h044, 12'h048, 12'h04c,
      12'h050, 12'h080, 12'h084, 12'h088, 12'h08c, 12'h090, 12'h094, 12'h098, 12'h09c, 12'h0a0,
      12'h0a4, 12'h0a8, 12'h0ac: return 1'b1;
      default: return 1'b0;
    endcase
  endfunction

endpackage

`default_nettype wire
