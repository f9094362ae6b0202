// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What travels through the AES-GCM core besides data: the description of a slot.
//
// A slot is one cycle of the core's pipe. A record takes one slot for the counter block J0, whose
// cipher block masks the tag, with the additional data for GHASH if there is any; one slot per 16
// bytes of text; and one for the length block of GHASH (NIST SP 800-38D sections 7.1 and 7.2).

`default_nettype none

package sealgate_gcm_pkg;

  import sealgate_gf128_pkg::ChainWidth;

  // Longest text of a record: 2^14 + 2048 bytes, the TLS 1.2 limit (RFC 5246 section 6.2.3).
  localparam int unsigned MaxTextBytes = 18432;

  // Where the product of a GHASH block belongs: blocks are summed in interleaved chains.
  typedef struct packed {
    logic [ChainWidth-1:0] chain;
    // The last of its chain: the product is a term of the final sum.
    logic                  term;
    // The last of its record.
    logic                  last;
  } place_t;

  // A GHASH block within its record.
  typedef struct packed {
    // The power of H the block is multiplied by, less one.
    logic [ChainWidth-1:0] power;
    // Not the first of its chain: the previous product of the chain is added to the block first.
    logic                  chained;
    place_t                place;
  } hash_t;

  typedef struct packed {
    // One of three: text, the first slot of a record, the last slot of a record.
    logic       text;
    logic       first;
    logic       last;
    // The last text slot of its record.
    logic       text_last;
    // Bytes of the block that count: of text 1 to 16, of additional data 0 to 16.
    logic [4:0] bytes;
    // GHASH takes the text that came in (open), not what comes out (seal).
    logic       open;
    // A beat of the record was spoiled, in this slot or before.
    logic       error;
    // The record has text at all.
    logic       has_text;
    // There is a block for GHASH in this slot.
    logic       hashed;
    hash_t      hash;
  } slot_t;

  // The first `bytes` bytes, at most 16, of a block in bus order: of its low and of its high half.
  function automatic logic [63:0] keep_lo(logic [4:0] bytes);
    if (bytes >= 5'd8) return '1;
    return ~(64'hffff_ffff_ffff_ffff << {bytes[2:0], 3'b000});
  endfunction

  function automatic logic [63:0] keep_hi(logic [4:0] bytes);
    if (bytes[4]) return '1;
    return bytes[3] ? ~(64'hffff_ffff_ffff_ffff << {bytes[2:0], 3'b000}) : '0;
  endfunction

endpackage

`default_nettype wire
