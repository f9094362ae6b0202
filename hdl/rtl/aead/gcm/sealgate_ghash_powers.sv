// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The powers of H of all contexts, for synthesis.
//
// Theory of operation: as many entries as this take block RAM in many places of the device, which
// one register cannot reach in a cycle. So the table is cut into slices of 32 bits, each with
// registers of its own for address and write port, and a register behind the block RAM: three
// cycles from entry to power. An entry is never read while it is written.

`default_nettype none

module sealgate_ghash_powers #(
  parameter int unsigned NumEntries = 8192,
  localparam int unsigned EntryWidth = $clog2(NumEntries)
) (
  input  wire logic                  clk_i,

  input  wire logic                  write_i,
  input  wire logic [EntryWidth-1:0] write_entry_i,
  input  wire logic [127:0]          write_power_i,

  input  wire logic [EntryWidth-1:0] entry_i,
  // Three cycles later.
  output      logic [127:0]          power_o
);

  for (genvar s = 0; s < 4; s++) begin : g_slice
    (* no_rw_check *)
    logic [31:0]           power_mem[NumEntries];
    // Kept: these are the same in every slice, and would be made one register.
    (* keep *)
    logic                  write_q;
    (* keep *)
    logic [EntryWidth-1:0] write_entry_q;
    (* keep *)
    logic [EntryWidth-1:0] entry_q;
    logic [31:0]           write_power_q;
    logic [31:0]           read_q;

    always_ff @(posedge clk_i) begin
      write_q       <= write_i;
      write_entry_q <= write_entry_i;
      write_power_q <= write_power_i[32*s+:32];
      entry_q       <= entry_i;
    end

    always_ff @(posedge clk_i) begin
      if (write_q) power_mem[write_entry_q] <= write_power_q;
    end

    always_ff @(posedge clk_i) begin
      read_q            <= power_mem[entry_q];
      power_o[32*s+:32] <= read_q;
    end
  end

endmodule

`default_nettype wire
