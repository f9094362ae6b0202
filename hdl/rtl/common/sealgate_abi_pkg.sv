// SPDX-License-Identifier: Apache-2.0 OR MIT
// Made from crates/abi/src/layout.rs by `cargo xtask codegen`; edit that file, not this one.
//
// What host and device agree on besides the registers: entries of the rings, their codes, limits.
// Places are counted in bits from bit 0 of byte 0.

`default_nettype none

package sealgate_abi_pkg;

  // Records, NOP and CTX_DROP; opcode, context and cookie stand there in every entry.
  localparam int unsigned EntryOpcodeLsb = 0;
  localparam int unsigned EntryOpcodeWidth = 8;
  localparam int unsigned EntryContentTypeLsb = 8;
  localparam int unsigned EntryContentTypeWidth = 8;
  localparam int unsigned EntryContextLsb = 16;
  localparam int unsigned EntryContextWidth = 16;
  localparam int unsigned EntryCookieLsb = 32;
  localparam int unsigned EntryCookieWidth = 16;
  localparam int unsigned EntryPaddingMultipleLsb = 48;
  localparam int unsigned EntryPaddingMultipleWidth = 16;
  localparam int unsigned EntrySequenceLsb = 64;
  localparam int unsigned EntrySequenceWidth = 64;
  localparam int unsigned EntrySourceLsb = 128;
  localparam int unsigned EntrySourceWidth = 64;
  localparam int unsigned EntryDestinationLsb = 192;
  localparam int unsigned EntryDestinationWidth = 64;
  localparam int unsigned EntryLengthLsb = 256;
  localparam int unsigned EntryLengthWidth = 32;
  localparam int unsigned EntryCapacityLsb = 288;
  localparam int unsigned EntryCapacityWidth = 32;
  localparam int unsigned EntryFragmentLimitLsb = 320;
  localparam int unsigned EntryFragmentLimitWidth = 16;
  localparam int unsigned EntryReservedLsb = 336;
  localparam int unsigned EntryReservedWidth = 176;

  // CTX_LOAD.
  localparam int unsigned LoadSuiteLsb = 8;
  localparam int unsigned LoadSuiteWidth = 8;
  localparam int unsigned LoadVersionLsb = 48;
  localparam int unsigned LoadVersionWidth = 8;
  localparam int unsigned LoadDirectionLsb = 56;
  localparam int unsigned LoadDirectionWidth = 8;
  localparam int unsigned LoadIvLsb = 64;
  localparam int unsigned LoadIvWidth = 96;
  localparam int unsigned LoadReservedLsb = 160;
  localparam int unsigned LoadReservedWidth = 96;
  localparam int unsigned LoadKeyLsb = 256;
  localparam int unsigned LoadKeyWidth = 256;

  // Completions.
  localparam int unsigned CompletionCookieLsb = 0;
  localparam int unsigned CompletionCookieWidth = 16;
  localparam int unsigned CompletionSqHeadLsb = 16;
  localparam int unsigned CompletionSqHeadWidth = 16;
  localparam int unsigned CompletionWrittenLsb = 32;
  localparam int unsigned CompletionWrittenWidth = 32;
  localparam int unsigned CompletionConsumedLsb = 64;
  localparam int unsigned CompletionConsumedWidth = 32;
  localparam int unsigned CompletionRecordsLsb = 96;
  localparam int unsigned CompletionRecordsWidth = 16;
  localparam int unsigned CompletionContentTypeLsb = 112;
  localparam int unsigned CompletionContentTypeWidth = 8;
  localparam int unsigned CompletionStatusLsb = 120;
  localparam int unsigned CompletionStatusWidth = 7;
  localparam int unsigned CompletionPhaseLsb = 127;
  localparam int unsigned CompletionPhaseWidth = 1;

  typedef enum logic [7:0] {
    OpcodeNop = 8'd1,
    OpcodeContextLoad = 8'd2,
    OpcodeContextDrop = 8'd3,
    OpcodeSeal = 8'd4,
    OpcodeOpen = 8'd5,
    OpcodeOpenRun = 8'd6
  } opcode_e;

  typedef enum logic [7:0] {
    SuiteAes128Gcm = 8'd1,
    SuiteAes256Gcm = 8'd2,
    SuiteChacha20Poly1305 = 8'd3
  } suite_e;

  typedef enum logic [7:0] {
    VersionTls12 = 8'd3,
    VersionTls13 = 8'd4
  } version_e;

  typedef enum logic [7:0] {
    DirectionSeal = 8'd1,
    DirectionOpen = 8'd2
  } direction_e;

  typedef enum logic [6:0] {
    StatusSuccess = 7'd0,
    StatusEntryFault = 7'd1,
    StatusNotReady = 7'd2,
    StatusUnknownOpcode = 7'd3,
    StatusInvalidField = 7'd4,
    StatusContextMissing = 7'd5,
    StatusContextBusy = 7'd6,
    StatusContextForeign = 7'd7,
    StatusContextDirection = 7'd8,
    StatusSequenceExhausted = 7'd9,
    StatusBadLength = 7'd10,
    StatusSourceFault = 7'd11,
    StatusBadHeader = 7'd12,
    StatusBadTag = 7'd13,
    StatusPaddingWithoutContent = 7'd14,
    StatusDestinationFault = 7'd15,
    StatusInternalParity = 7'd16
  } status_e;

  // Limits.
  localparam int unsigned MaxFragmentBytes = 16384;
  localparam int unsigned MaxInnerPlaintextBytes = 16385;
  localparam int unsigned MaxEncryptedRecordBytes = 16640;
  localparam int unsigned MinRecordBytes = 22;
  localparam int unsigned MaxRecordBytes = 16645;
  localparam int unsigned MaxTls12RecordBytes = 18437;
  localparam int unsigned MinTls12GcmRecordBytes = 29;
  localparam int unsigned MinTls12ChachaRecordBytes = 21;
  localparam int unsigned MaxSealBytes = 1048576;
  localparam int unsigned MinFragmentLimit = 64;
  localparam int unsigned RecordHeaderBytes = 5;
  localparam int unsigned TagBytes = 16;
  localparam int unsigned EntryBytes = 64;
  localparam int unsigned CompletionBytes = 16;
  localparam int unsigned SealSequenceLimit = 23726566;
  localparam int unsigned OpenRunSequenceMargin = 65536;

endpackage

`default_nettype wire
