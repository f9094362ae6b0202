// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// From the sum of a record to its tag: reduction to less than p = 2^130 - 5, then the addition of s
// modulo 2^128 (RFC 8439 section 2.5).
//
// Theory of operation: the limbs of the sum, of up to 30 bits, are carried into a number v of 130
// bits and the small rest c above it, worth 5 c. h = v + 5 c is less than 2 p, so one subtraction
// of p at most is left: h is p or more if h + 5 reaches 2^130, and then h + 5 - 2^130 is the
// result. Both h and h + 5 are made, half by half, and one is chosen. A sum per cycle, seven
// cycles.

`default_nettype none

module sealgate_poly1305_finish
  import sealgate_poly1305_pkg::*;
(
  input  wire logic        clk_i,
  input  wire logic        rst_ni,

  input  wire logic        valid_i,
  input  wire sum_t        sum_0_i,
  input  wire sum_t        sum_1_i,
  input  wire sum_t        sum_2_i,
  input  wire sum_t        sum_3_i,
  input  wire sum_t        sum_4_i,

  // s is needed in the cycle after `read_s_o`.
  output      logic        read_s_o,
  input  wire logic [63:0] s_lo_i,
  input  wire logic [63:0] s_hi_i,

  output      logic        valid_o,
  output      logic [63:0] tag_lo_o,
  output      logic [63:0] tag_hi_o
);

  localparam int unsigned Stages = 7;

  // Bit s: stage s + 1 holds a sum.
  logic [Stages-1:0] valid_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= '0;
    else valid_q <= {valid_q[Stages-2:0], valid_i};
  end

  // Stages 1 and 2: carries.
  logic [LimbWidth-1:0] limb_0_1_q, limb_1_1_q;
  sum_t                 limb_2_1_q, limb_3_1_q, limb_4_1_q;
  logic [LimbWidth-1:0] limb_0_2_q, limb_1_2_q, limb_2_2_q, limb_3_2_q;
  sum_t                 limb_4_2_q;

  always_ff @(posedge clk_i) begin
    if (valid_i) begin
      limb_0_1_q <= LimbWidth'(sum_0_i);
      limb_1_1_q <= LimbWidth'(sum_1_i + carry(sum_0_i));
      limb_2_1_q <= sum_2_i + carry(sum_1_i + carry(sum_0_i));
      limb_3_1_q <= sum_3_i;
      limb_4_1_q <= sum_4_i;
    end
    if (valid_q[0]) begin
      limb_0_2_q <= limb_0_1_q;
      limb_1_2_q <= limb_1_1_q;
      limb_2_2_q <= LimbWidth'(limb_2_1_q);
      limb_3_2_q <= LimbWidth'(limb_3_1_q + carry(limb_2_1_q));
      limb_4_2_q <= limb_4_1_q + carry(limb_3_1_q + carry(limb_2_1_q));
    end
  end

  function automatic sum_t carry(sum_t x);
    return x >> LimbWidth;
  endfunction

  function automatic logic [64:0] five(logic [3:0] c);
    return {59'd0, c, 2'b00} + {61'd0, c};
  endfunction

  // Stages 3 and 4: h and h + 5, low halves of 64 bits, then high ones.
  logic [65:0] v_hi_q;
  logic [64:0] low_q, low_5_q;
  logic [63:0] low_4_q, low_5_4_q;
  logic [63:0] high_4_q, high_5_4_q;
  logic        reaches_q;

  always_ff @(posedge clk_i) begin
    if (valid_q[1]) begin
      v_hi_q  <= {limb_4_2_q[25:0], limb_3_2_q, limb_2_2_q[25:12]};
      low_q   <= {1'b0, limb_2_2_q[11:0], limb_1_2_q, limb_0_2_q} +
                 five(limb_4_2_q[29:26]);
      low_5_q <= {1'b0, limb_2_2_q[11:0], limb_1_2_q, limb_0_2_q} +
                 five(limb_4_2_q[29:26]) + 65'd5;
    end
    if (valid_q[2]) begin
      low_4_q    <= low_q[63:0];
      low_5_4_q  <= low_5_q[63:0];
      high_4_q   <= v_hi_q[63:0] + 64'(low_q[64]);
      high_5_4_q <= v_hi_q[63:0] + 64'(low_5_q[64]);
      reaches_q  <= (&v_hi_q) && low_5_q[64];
    end
  end

  // Stage 5: the one of them that is less than p. Of it, 128 bits count.
  logic [63:0] reduced_lo_q, reduced_hi_q;

  assign read_s_o = valid_q[3];

  always_ff @(posedge clk_i) begin
    if (valid_q[3]) begin
      reduced_lo_q <= reaches_q ? low_5_4_q : low_4_q;
      reduced_hi_q <= reaches_q ? high_5_4_q : high_4_q;
    end
  end

  // Stages 6 and 7: s.
  logic [64:0] tag_lo_q;
  logic [63:0] reduced_hi_6_q, s_hi_6_q;

  always_ff @(posedge clk_i) begin
    if (valid_q[4]) begin
      tag_lo_q       <= {1'b0, reduced_lo_q} + {1'b0, s_lo_i};
      reduced_hi_6_q <= reduced_hi_q;
      s_hi_6_q       <= s_hi_i;
    end
    if (valid_q[5]) begin
      tag_lo_o <= tag_lo_q[63:0];
      tag_hi_o <= reduced_hi_6_q + s_hi_6_q + 64'(tag_lo_q[64]);
    end
  end

  assign valid_o = valid_q[6];

endmodule

`default_nettype wire
