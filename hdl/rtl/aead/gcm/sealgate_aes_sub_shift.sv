// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// SubBytes and ShiftRows (FIPS 197 sections 5.1.1 and 5.1.2) of four columns by composite S-boxes,
// SboxStages cycles later.

`default_nettype none

module sealgate_aes_sub_shift
  import sealgate_aes_pkg::*;
(
  input  wire logic             clk_i,
  input  wire logic [3:0][31:0] cols_i,
  output      logic [3:0][31:0] cols_o
);

  for (genvar c = 0; c < 4; c++) begin : g_col
    for (genvar r = 0; r < 4; r++) begin : g_row
      sealgate_aes_sbox_composite u_sbox (
        .clk_i,
        .byte_i(cols_i[(c+r)%4][8*r+:8]),
        .byte_o(cols_o[c][8*r+:8])
      );
    end
  end

endmodule

`default_nettype wire
