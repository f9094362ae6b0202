// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// GF(2^128) as GCM defines it (NIST SP 800-38D section 6.3), on two words of 64 bits.
//
// Theory of operation: GCM reads a block as a polynomial whose coefficient of x^0 is the most
// significant bit of byte 0. An element is therefore held as two big-endian words: `hi` is bytes 0
// to 7 with byte 0 on top, `lo` bytes 8 to 15. Read as one number of 128 bits, that is the
// polynomial bit-reversed. The carry-less product of two reversed polynomials is their product,
// reversed and one place too low, so the product is shifted up by one and then reduced from the low
// end modulo x^128 + x^7 + x^2 + x + 1: shifts by 1, 2 and 7 to the right stand for multiplications
// by x, x^2 and x^7.

`default_nettype none

package sealgate_gf128_pkg;

  // How products are formed. Both give the same bits.
  typedef enum int unsigned {
    // Integer multiplication with gaps between the bits: fast in simulation, of no use in hardware.
    MulInteger = 0,
    // AND and XOR, two look-up tables deep at most: for synthesis.
    MulXor = 1
  } mul_style_e;

  // Cycles from operands to product: also the number of interleaved GHASH sums, and of powers of H
  // in a context. A power of two.
  function automatic int unsigned mul_stages(mul_style_e style);
    return (style == MulInteger) ? 4 : 8;
  endfunction

  // Wide enough for the number of a chain, or of a power less one, in any style.
  localparam int unsigned ChainWidth = 3;

  // Bytes 0 to 7 of half a block in bus order to a big-endian word, and back.
  function automatic logic [63:0] swap_bytes(logic [63:0] x);
    return {x[7:0], x[15:8], x[23:16], x[31:24], x[39:32], x[47:40], x[55:48], x[63:56]};
  endfunction

endpackage

`default_nettype wire
