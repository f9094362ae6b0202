// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What is proved of the composite S-box: `differs_o` is never high, whatever bytes come in.
//
// Theory of operation: the table entry of a byte is delayed as long as the composite S-box takes,
// and compared; so is the byte's entry in the table of the full round, with the composite S-box
// followed by MixColumns. `FaultMask` spoils one table entry, that of byte `FaultAt`: a proof that
// does not fail then would prove nothing.

`default_nettype none

module sealgate_sbox_proof
  import sealgate_aes_pkg::*;
#(
  parameter logic [7:0] FaultAt = 8'h00,
  parameter logic [7:0] FaultMask = 8'h00
) (
  input  wire logic       clk_i,
  input  wire logic [7:0] byte_i,
  output      logic       differs_o
);

  logic [7:0]  composite;
  logic [7:0]  entry, expected;
  logic [31:0] expected_mixed;

  assign entry = Sbox[byte_i] ^ ((byte_i == FaultAt) ? FaultMask : 8'h00);

  sealgate_aes_sbox_composite u_sbox (
    .clk_i,
    .byte_i,
    .byte_o(composite)
  );

  sealgate_delay #(
    .Width(40),
    .Cycles(SboxStages)
  ) u_expected (
    .clk_i,
    .value_i({MixTable[byte_i], entry}),
    .value_o({expected_mixed, expected})
  );

  assign differs_o = (composite != expected) ||
                     (mix_column({24'd0, composite}) != expected_mixed);

endmodule

`default_nettype wire
