// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The S-box of AES (FIPS 197 section 5.1.1) without a table, for synthesis.
//
// Theory of operation: the four steps of sealgate_aes_pkg with a register after each, so a byte is
// substituted sealgate_aes_pkg::SboxStages cycles after it was at the input: into the composite
// field; the norm of the element, which lies in GF(2^4); its inverse, multiplied by the conjugate
// of the element; back, and the affine map. There is no state: what was at the input is gone after
// four cycles. `cargo xtask synth --check` proves it equal to the table.

`default_nettype none

module sealgate_aes_sbox_composite
  import sealgate_aes_pkg::*;
(
  input  wire logic       clk_i,
  input  wire logic [7:0] byte_i,
  output      logic [7:0] byte_o
);

  gf16_t      a_1_q, b_1_q;
  gf16_t      a_2_q, sum_2_q, norm_2_q;
  logic [7:0] inverse_3_q;

  always_ff @(posedge clk_i) begin
    {a_1_q, b_1_q} <= sbox_map(byte_i);
    a_2_q          <= a_1_q;
    sum_2_q        <= a_1_q ^ b_1_q;
    norm_2_q       <= sbox_norm(a_1_q, b_1_q);
    inverse_3_q    <= sbox_invert(a_2_q, sum_2_q, norm_2_q);
    byte_o         <= sbox_affine(inverse_3_q);
  end

endmodule

`default_nettype wire
