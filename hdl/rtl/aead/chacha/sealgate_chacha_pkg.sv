// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What travels through the ChaCha20-Poly1305 core (RFC 8439) besides data.
//
// A key stream block is 64 bytes: four rows of 16 bytes, and four cycles of the core. A record
// takes one block with counter 0, whose first two rows are the one-time key r and s of Poly1305
// (RFC 8439 section 2.6), and one block per 64 bytes of text. Poly1305 takes the additional data in
// row 2 of the key block, the text as it comes, and the length block in the cycle after the last
// beat.

`default_nettype none

package sealgate_chacha_pkg;

  localparam int unsigned NumRounds = 20;
  // Cycles from a set of words at the input of a round to the same set at the input of the next.
  localparam int unsigned RoundStages = 8;
  // Cycles from the first column of a block at the input of the pipe to its first row at the
  // output.
  localparam int unsigned PipeLatency = RoundStages * NumRounds + 5;
  // Blocks that a ring beside the pipe holds, and blocks from the input of the pipe to the release
  // of their key stream: more than fit into the pipe.
  localparam int unsigned RingBlocks = 64;
  localparam int unsigned RingWidth = $clog2(RingBlocks);

  // The constants of row 0 (RFC 8439 section 2.3): "expand 32-byte k".
  localparam logic [31:0] Constants[4] = '{
    32'h61707865, 32'h3320646e, 32'h79622d32, 32'h6b206574
  };

  // Records between their one-time key and their tag.
  localparam int unsigned NumOneTimeKeys = 16;
  localparam int unsigned KeyIdWidth = $clog2(NumOneTimeKeys);
  typedef logic [KeyIdWidth-1:0] key_id_t;

  // A block of the key stream. Neither key nor text: a block of zeros that overwrites the pipe.
  typedef struct packed {
    logic       key;
    logic       text;
    logic       last;   // the last text block of its record
    logic [2:0] beats;  // beats of text, 1 to 4
    logic [3:0] tail;   // bytes of the last beat of the record, 0 standing for 16
  } block_t;

  // Blocks that Poly1305 takes of a record, at most: additional data, text and lengths.
  localparam int unsigned HashBlocksWidth = 11;

  // A record, described when its key block is issued.
  typedef struct packed {
    logic                       open;
    logic [HashBlocksWidth-1:0] hash_blocks;
    logic [4:0]                 aad_bytes;
    logic [15:0]                text_bytes;
    logic                       has_text;
  } record_t;

  // Exclusive or, then rotation to the left: a step of the quarter round (RFC 8439 section 2.1).
  function automatic logic [31:0] mix_16(logic [31:0] x, logic [31:0] sum);
    return ((x ^ sum) << 16) | ((x ^ sum) >> 16);
  endfunction

  function automatic logic [31:0] mix_12(logic [31:0] x, logic [31:0] sum);
    return ((x ^ sum) << 12) | ((x ^ sum) >> 20);
  endfunction

  function automatic logic [31:0] mix_8(logic [31:0] x, logic [31:0] sum);
    return ((x ^ sum) << 8) | ((x ^ sum) >> 24);
  endfunction

  function automatic logic [31:0] mix_7(logic [31:0] x, logic [31:0] sum);
    return ((x ^ sum) << 7) | ((x ^ sum) >> 25);
  endfunction

endpackage

`default_nettype wire
