// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The engine's bus on LitePCIe's AXI slave, which takes one read and one write at a time, whole
// beats only, in its own address width, and acknowledges a write before it has left for the host.
//
// Theory of operation:
//
// Reads pass one after the other; the ID stays here. An address that does not fit is answered with
// DECERR, for cut short it would name memory of somebody else.
//
// Writes pass one after the other. A beat that is written in part is read first, the bytes of the
// engine are put into it, and it is written whole. Reads and writes have different ways through
// LitePCIe, and a read may pass a write that was acknowledged before it. So the last such beat of a
// burst, and every completion, is read back until it shows what was written; only then the engine
// gets its acknowledgement. That gives three things: the next burst that meets in the same beat
// reads what this one wrote, whatever lane it comes from; an interrupt, which has a third way, comes
// after the completion it tells of; and an acknowledged write has arrived, as on any other bus. All
// between two completions leaves in the order in which it came and needs no look of its own.
//
// What is read back equals what was written unless the host writes into the same beat meanwhile;
// README.md beside this file forbids that. The looks are bounded: after them the engine hears
// SLVERR.

`default_nettype none

module sealgate_litepcie_bus
  import sealgate_pkg::*;
#(
  parameter int unsigned AddressWidth = 32,
  parameter int unsigned Looks = 65536  // at a beat that was written, before it is given up
) (
  input  wire logic                    clk_i,
  input  wire logic                    rst_ni,

  input  wire bus_id_t                 engine_ar_id_i,
  input  wire logic [63:0]             engine_ar_address_i,
  input  wire logic [7:0]              engine_ar_len_i,
  input  wire logic                    engine_ar_valid_i,
  output      logic                    engine_ar_ready_o,
  output      bus_id_t                 engine_r_id_o,
  output      logic [127:0]            engine_r_data_o,
  output      logic [1:0]              engine_r_resp_o,
  output      logic                    engine_r_last_o,
  output      logic                    engine_r_valid_o,  // R and B are always taken

  input  wire bus_id_t                 engine_aw_id_i,
  input  wire logic [63:0]             engine_aw_address_i,
  input  wire logic [7:0]              engine_aw_len_i,
  input  wire logic                    engine_aw_valid_i,
  output      logic                    engine_aw_ready_o,
  input  wire logic [127:0]            engine_w_data_i,
  input  wire logic [15:0]             engine_w_strb_i,
  input  wire logic                    engine_w_last_i,
  input  wire logic                    engine_w_valid_i,
  output      logic                    engine_w_ready_o,
  output      bus_id_t                 engine_b_id_o,
  output      logic [1:0]              engine_b_resp_o,
  output      logic                    engine_b_valid_o,

  output      logic [AddressWidth-1:0] shell_ar_address_o,
  output      logic [7:0]              shell_ar_len_o,
  output      logic                    shell_ar_valid_o,
  input  wire logic                    shell_ar_ready_i,
  input  wire logic [127:0]            shell_r_data_i,
  input  wire logic [1:0]              shell_r_resp_i,
  input  wire logic                    shell_r_last_i,
  input  wire logic                    shell_r_valid_i,
  output      logic                    shell_r_ready_o,

  output      logic [AddressWidth-1:0] shell_aw_address_o,
  output      logic [7:0]              shell_aw_len_o,
  output      logic                    shell_aw_valid_o,
  input  wire logic                    shell_aw_ready_i,
  output      logic [127:0]            shell_w_data_o,
  output      logic                    shell_w_last_o,
  output      logic                    shell_w_valid_o,
  input  wire logic                    shell_w_ready_i,
  input  wire logic [1:0]              shell_b_resp_i,
  input  wire logic                    shell_b_valid_i,
  output      logic                    shell_b_ready_o
);

  localparam int unsigned BeatBytes = 16;
  localparam int unsigned BeatOffsetWidth = $clog2(BeatBytes);

  localparam logic [1:0] RespOkay = 2'b00;
  localparam logic [1:0] RespSlvErr = 2'b10;
  localparam logic [1:0] RespDecErr = 2'b11;

  typedef logic [AddressWidth-1:BeatOffsetWidth] beat_address_t;

  function automatic logic fits(logic [63:0] address);
    return (address >> AddressWidth) == '0;
  endfunction

  // --- Reads -------------------------------------------------------------------------------------

  typedef enum logic [1:0] {
    ReadIdle,
    ReadAddress,
    ReadData,
    ReadRefused
  } read_state_e;

  read_state_e   read_q;
  logic          read_own_q;     // for the write side
  bus_id_t       read_id_q;
  logic [7:0]    read_left_q;    // beats of a refused read after the next
  logic          own_wanted;
  beat_address_t own_address;
  logic          own_taken;
  logic          own_valid;
  logic          read_last;

  // A read of the write side goes first: a burst waits for it.
  assign own_taken         = (read_q == ReadIdle) && own_wanted;
  assign engine_ar_ready_o = (read_q == ReadIdle) && !own_wanted;
  assign shell_ar_valid_o  = read_q == ReadAddress;
  assign shell_r_ready_o   = read_q == ReadData;
  assign own_valid         = shell_r_valid_i && shell_r_ready_o && read_own_q;
  assign read_last         = shell_r_valid_i && shell_r_last_i;

  assign engine_r_id_o    = read_id_q;
  assign engine_r_data_o  = shell_r_data_i;
  assign engine_r_valid_o = (shell_r_valid_i && shell_r_ready_o && !read_own_q) ||
                            (read_q == ReadRefused);
  assign engine_r_resp_o  = (read_q == ReadRefused) ? RespDecErr : shell_r_resp_i;
  assign engine_r_last_o  = (read_q == ReadRefused) ? read_left_q == '0 : shell_r_last_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      read_q <= ReadIdle;
    end else begin
      unique case (read_q)
        ReadIdle: begin
          if (own_wanted) read_q <= ReadAddress;
          else if (engine_ar_valid_i) read_q <= fits(engine_ar_address_i) ? ReadAddress : ReadRefused;
        end
        ReadAddress: if (shell_ar_ready_i) read_q <= ReadData;
        ReadData:    if (read_last) read_q <= ReadIdle;
        ReadRefused: if (read_left_q == '0) read_q <= ReadIdle;
        default:     read_q <= ReadIdle;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (read_q == ReadIdle) begin
      read_own_q         <= own_wanted;
      read_id_q          <= engine_ar_id_i;
      read_left_q        <= engine_ar_len_i;
      shell_ar_len_o     <= own_wanted ? 8'd0 : engine_ar_len_i;
      shell_ar_address_o <= own_wanted ? {own_address, BeatOffsetWidth'(0)}
                                       : engine_ar_address_i[AddressWidth-1:0];
    end else if (read_q == ReadRefused) begin
      read_left_q <= read_left_q - 1'b1;
    end
  end

  // --- Writes ------------------------------------------------------------------------------------

  typedef enum logic [3:0] {
    WriteIdle,
    WriteBeat,     // whole beats pass
    WriteFetch,    // the rest of a beat is asked for
    WriteFetched,  // and waited for
    WriteMerged,   // and the beat passes
    WriteAnswer,   // the shell's acknowledgement
    WriteLook,     // the beat is asked for again
    WriteLooked,   // and waited for
    WriteRefused,  // beats for an address that does not fit
    WriteDone
  } write_state_e;

  localparam int unsigned LookWidth = $clog2(Looks);

  write_state_e         write_q;
  bus_id_t              write_id_q;
  logic [1:0]           write_resp_q;
  beat_address_t        beat_q;        // of the beat that comes next
  logic [127:0]         merged_q;
  logic                 look_q;        // something is to be looked at
  beat_address_t        look_beat_q;
  logic [127:0]         look_data_q;
  logic [LookWidth-1:0] looks_left_q;
  logic                 completion;
  logic                 whole;
  logic                 beat_passes;
  logic [127:0]         fetched;
  logic                 seen;

  assign completion = write_id_q[BusIdWidth-1:BusTagWidth] == PortQueues;
  assign whole      = engine_w_strb_i == '1;
  assign seen       = (shell_r_data_i == look_data_q) && !shell_r_resp_i[1];

  always_comb begin
    for (int unsigned i = 0; i < BeatBytes; i++) begin
      fetched[8*i+:8] = engine_w_strb_i[i] ? engine_w_data_i[8*i+:8] : shell_r_data_i[8*i+:8];
    end
  end

  assign engine_aw_ready_o = write_q == WriteIdle;
  assign shell_w_valid_o   = ((write_q == WriteBeat) && engine_w_valid_i && whole) ||
                             (write_q == WriteMerged);
  assign shell_w_data_o    = (write_q == WriteMerged) ? merged_q : engine_w_data_i;
  assign shell_w_last_o    = engine_w_last_i;
  assign shell_b_ready_o   = write_q == WriteAnswer;
  assign beat_passes       = shell_w_valid_o && shell_w_ready_i;
  assign engine_w_ready_o  = beat_passes || (write_q == WriteRefused);
  assign engine_b_id_o     = write_id_q;
  assign engine_b_resp_o   = write_resp_q;
  assign engine_b_valid_o  = write_q == WriteDone;
  assign own_wanted        = (write_q == WriteFetch) || (write_q == WriteLook);
  assign own_address       = (write_q == WriteFetch) ? beat_q : look_beat_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      write_q          <= WriteIdle;
      shell_aw_valid_o <= 1'b0;
    end else begin
      if (shell_aw_ready_i) shell_aw_valid_o <= 1'b0;
      unique case (write_q)
        WriteIdle: begin
          if (engine_aw_valid_i) begin
            write_q          <= fits(engine_aw_address_i) ? WriteBeat : WriteRefused;
            shell_aw_valid_o <= fits(engine_aw_address_i);
          end
        end
        WriteBeat: begin
          if (engine_w_valid_i && !whole) write_q <= WriteFetch;
          else if (beat_passes && engine_w_last_i) write_q <= WriteAnswer;
        end
        WriteFetch:   if (own_taken) write_q <= WriteFetched;
        WriteFetched: if (own_valid) write_q <= WriteMerged;
        WriteMerged:  if (beat_passes) write_q <= engine_w_last_i ? WriteAnswer : WriteBeat;
        WriteAnswer: begin
          if (shell_b_valid_i) begin
            write_q <= (look_q && !shell_b_resp_i[1]) ? WriteLook : WriteDone;
          end
        end
        WriteLook: if (own_taken) write_q <= WriteLooked;
        WriteLooked: begin
          if (own_valid) write_q <= (seen || (looks_left_q == '0)) ? WriteDone : WriteLook;
        end
        WriteRefused: if (engine_w_valid_i && engine_w_last_i) write_q <= WriteDone;
        WriteDone:    write_q <= WriteIdle;
        default:      write_q <= WriteIdle;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    unique case (write_q)
      WriteIdle: begin
        write_id_q         <= engine_aw_id_i;
        write_resp_q       <= fits(engine_aw_address_i) ? RespOkay : RespDecErr;
        beat_q             <= engine_aw_address_i[AddressWidth-1:BeatOffsetWidth];
        shell_aw_address_o <= engine_aw_address_i[AddressWidth-1:0];
        shell_aw_len_o     <= engine_aw_len_i;
        look_q             <= 1'b0;
        looks_left_q       <= LookWidth'(Looks - 1);
      end
      WriteBeat, WriteMerged: begin
        if (beat_passes) begin
          beat_q <= beat_q + 1'b1;
          if (completion || (write_q == WriteMerged)) begin
            look_q      <= 1'b1;
            look_beat_q <= beat_q;
            look_data_q <= shell_w_data_o;
          end
        end
      end
      WriteFetched: begin
        merged_q <= fetched;
        if (own_valid && shell_r_resp_i[1]) write_resp_q <= RespSlvErr;
      end
      WriteAnswer: begin
        if (shell_b_valid_i && shell_b_resp_i[1]) write_resp_q <= shell_b_resp_i;
      end
      WriteLooked: begin
        if (own_valid && !seen) begin
          looks_left_q <= looks_left_q - 1'b1;
          if (looks_left_q == '0) write_resp_q <= RespSlvErr;
        end
      end
      default: ;
    endcase
  end

endmodule

`default_nettype wire
