// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Numbers modulo p = 2^130 - 5 as Poly1305 uses them (RFC 8439 section 2.5).
//
// A number is five limbs of 26 bits, least significant first. Limbs may exceed 26 bits a little: a
// product has limbs of less than 2^26 + 2^11, and the multiplier takes the sum of such a limb and
// one of 26 bits. Only the tag needs the one representation less than p.

`default_nettype none

package sealgate_poly1305_pkg;

  // Cycles from operands to product, the register of operands included: also the number of
  // interleaved sums.
  localparam int unsigned MulStages = 8;
  localparam int unsigned NumChains = MulStages;

  localparam int unsigned LimbWidth = 26;
  localparam int unsigned ProductWidth = LimbWidth + 1;
  localparam int unsigned FactorWidth = LimbWidth + 2;
  // What a product of a factor and a limb exceeds a limb by.
  localparam int unsigned ExcessWidth = FactorWidth + ProductWidth - LimbWidth;
  // The sum of NumChains products.
  localparam int unsigned SumWidth = LimbWidth + 4;

  typedef logic [ProductWidth-1:0] limb_t;
  typedef logic [FactorWidth-1:0]  factor_t;
  typedef logic [SumWidth-1:0]     sum_t;

  // Any sum on the way to a product.
  localparam int unsigned WideWidth = LimbWidth + 8;
  typedef logic [WideWidth-1:0] wide_t;

  // The sum of three with one carry chain.
  function automatic wide_t add_3(wide_t a, wide_t b, wide_t c);
    return (a ^ b ^ c) + {(a[WideWidth-2:0] & b[WideWidth-2:0]) |
                          (a[WideWidth-2:0] & c[WideWidth-2:0]) |
                          (b[WideWidth-2:0] & c[WideWidth-2:0]), 1'b0};
  endfunction

  // Where the product of a block belongs: blocks are summed in NumChains interleaved chains.
  typedef struct packed {
    logic [2:0] chain;
    // The last of its chain: the product is a term of the final sum.
    logic       term;
    // The last of its record.
    logic       last;
  } place_t;

  // A block within its record.
  typedef struct packed {
    // The power of r the block is multiplied by, less one.
    logic [2:0] power;
    // Not the first of its chain: the previous product of the chain is added to the block first.
    logic       chained;
    place_t     place;
  } hash_t;

endpackage

`default_nettype wire
