// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// From the sum of a record to its tag: reduction to less than p = 2^130 - 5, then the addition of s
// modulo 2^128 (RFC 8439 section 2.5).
//
// Theory of operation: the limbs of the sum, of up to 30 bits, are carried into a number v of 130
// bits and the small rest c above it, worth 5 c. h = v + 5 c is less than 2 p, so one subtraction
// of p at most is left: h is p or more if h + 5 reaches 2^130, and then h + 5 - 2^130 is the
// result. Both h and h + 5 are made, part by part of 44 bits, and one is chosen. A sum per cycle,
// twelve cycles.

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

  localparam int unsigned Stages = 12;

  // Bit s: stage s + 1 holds a sum.
  logic [Stages-1:0] valid_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= '0;
    else valid_q <= {valid_q[Stages-2:0], valid_i};
  end

  assign valid_o = valid_q[Stages-1];

  // Stages 1 to 4: carries, from limb to limb.
  typedef logic [LimbWidth-1:0] low_t;

  low_t low_0_1_q, low_0_2_q, low_0_3_q, low_0_4_q;
  sum_t limb_1_1_q;
  low_t low_1_2_q, low_1_3_q, low_1_4_q;
  sum_t limb_2_1_q, limb_2_2_q;
  low_t low_2_3_q, low_2_4_q;
  sum_t limb_3_1_q, limb_3_2_q, limb_3_3_q;
  low_t low_3_4_q;
  sum_t limb_4_1_q, limb_4_2_q, limb_4_3_q, limb_4_4_q;

  function automatic sum_t carry(sum_t x);
    return x >> LimbWidth;
  endfunction

  always_ff @(posedge clk_i) begin
    if (valid_i) begin
      low_0_1_q  <= low_t'(sum_0_i);
      limb_1_1_q <= sum_1_i + carry(sum_0_i);
      limb_2_1_q <= sum_2_i;
      limb_3_1_q <= sum_3_i;
      limb_4_1_q <= sum_4_i;
    end
    if (valid_q[0]) begin
      low_0_2_q  <= low_0_1_q;
      low_1_2_q  <= low_t'(limb_1_1_q);
      limb_2_2_q <= limb_2_1_q + carry(limb_1_1_q);
      limb_3_2_q <= limb_3_1_q;
      limb_4_2_q <= limb_4_1_q;
    end
    if (valid_q[1]) begin
      low_0_3_q  <= low_0_2_q;
      low_1_3_q  <= low_1_2_q;
      low_2_3_q  <= low_t'(limb_2_2_q);
      limb_3_3_q <= limb_3_2_q + carry(limb_2_2_q);
      limb_4_3_q <= limb_4_2_q;
    end
    if (valid_q[2]) begin
      low_0_4_q  <= low_0_3_q;
      low_1_4_q  <= low_1_3_q;
      low_2_4_q  <= low_2_3_q;
      low_3_4_q  <= low_t'(limb_3_3_q);
      limb_4_4_q <= limb_4_3_q + carry(limb_3_3_q);
    end
  end

  // Stage 5: v, 5 c and 5 c + 5.
  localparam int unsigned PartWidth = 44;
  localparam int unsigned TopWidth = 5 * LimbWidth - 2 * PartWidth;

  typedef logic [PartWidth-1:0] part_t;
  typedef logic [PartWidth:0]   part_sum_t;  // with its carry
  typedef logic [TopWidth-1:0]  top_t;
  typedef logic [TopWidth:0]    top_sum_t;

  // Of the result, 128 bits count.
  localparam int unsigned TagTopWidth = 128 - 2 * PartWidth;

  typedef logic [TagTopWidth-1:0] tag_top_t;

  part_t      v_0_5_q, v_1_5_q;
  top_t       v_2_5_q;
  logic [6:0] five_q, five_5_q;

  function automatic logic [6:0] five(logic [3:0] c);
    return {1'b0, c, 2'b00} + 7'(c);
  endfunction

  always_ff @(posedge clk_i) begin
    if (valid_q[3]) begin
      {v_2_5_q, v_1_5_q, v_0_5_q} <= {low_t'(limb_4_4_q), low_3_4_q, low_2_4_q, low_1_4_q,
                                      low_0_4_q};
      five_q   <= five(limb_4_4_q[SumWidth-1:LimbWidth]);
      five_5_q <= five(limb_4_4_q[SumWidth-1:LimbWidth]) + 7'd5;
    end
  end

  // Stages 6 to 8: h and h + 5, the latter named g.
  part_sum_t h_0_6_q, g_0_6_q, h_1_7_q, g_1_7_q;
  part_t     v_1_6_q, h_0_7_q, g_0_7_q, h_0_8_q, g_0_8_q, h_1_8_q, g_1_8_q;
  top_t      v_2_6_q, v_2_7_q;
  tag_top_t  h_2_8_q;  // if it is chosen, bits 128 and up are not asked for
  top_sum_t  g_2_8_q;

  always_ff @(posedge clk_i) begin
    if (valid_q[4]) begin
      h_0_6_q <= part_sum_t'(v_0_5_q) + part_sum_t'(five_q);
      g_0_6_q <= part_sum_t'(v_0_5_q) + part_sum_t'(five_5_q);
      v_1_6_q <= v_1_5_q;
      v_2_6_q <= v_2_5_q;
    end
    if (valid_q[5]) begin
      h_0_7_q <= part_t'(h_0_6_q);
      g_0_7_q <= part_t'(g_0_6_q);
      h_1_7_q <= part_sum_t'(v_1_6_q) + part_sum_t'(h_0_6_q[PartWidth]);
      g_1_7_q <= part_sum_t'(v_1_6_q) + part_sum_t'(g_0_6_q[PartWidth]);
      v_2_7_q <= v_2_6_q;
    end
    if (valid_q[6]) begin
      h_0_8_q <= h_0_7_q;
      g_0_8_q <= g_0_7_q;
      h_1_8_q <= part_t'(h_1_7_q);
      g_1_8_q <= part_t'(g_1_7_q);
      h_2_8_q <= tag_top_t'(v_2_7_q) + tag_top_t'(h_1_7_q[PartWidth]);
      g_2_8_q <= top_sum_t'(v_2_7_q) + top_sum_t'(g_1_7_q[PartWidth]);
    end
  end

  // Stage 9: the one of them that is less than p.
  logic     reaches;
  part_t    reduced_0_q, reduced_1_q;
  tag_top_t reduced_2_q;

  assign read_s_o = valid_q[7];
  assign reaches  = g_2_8_q[TopWidth];

  always_ff @(posedge clk_i) begin
    if (valid_q[7]) begin
      reduced_0_q <= reaches ? g_0_8_q : h_0_8_q;
      reduced_1_q <= reaches ? g_1_8_q : h_1_8_q;
      reduced_2_q <= reaches ? tag_top_t'(g_2_8_q) : h_2_8_q;
    end
  end

  // Stages 10 to 12: s.
  part_t     s_0, s_1, s_1_q;
  tag_top_t  s_2, s_2_10_q, s_2_11_q;
  part_sum_t tag_0_10_q, tag_1_11_q;
  part_t     tag_0_11_q, reduced_1_10_q;
  tag_top_t  reduced_2_10_q, reduced_2_11_q;

  assign {s_2, s_1, s_0} = {s_hi_i, s_lo_i};

  always_ff @(posedge clk_i) begin
    if (valid_q[8]) begin
      tag_0_10_q     <= part_sum_t'(reduced_0_q) + part_sum_t'(s_0);
      reduced_1_10_q <= reduced_1_q;
      reduced_2_10_q <= reduced_2_q;
      s_1_q          <= s_1;
      s_2_10_q       <= s_2;
    end
    if (valid_q[9]) begin
      tag_0_11_q     <= part_t'(tag_0_10_q);
      tag_1_11_q     <= part_sum_t'(reduced_1_10_q) + part_sum_t'(s_1_q) +
                        part_sum_t'(tag_0_10_q[PartWidth]);
      reduced_2_11_q <= reduced_2_10_q;
      s_2_11_q       <= s_2_10_q;
    end
    if (valid_q[10]) begin
      {tag_hi_o, tag_lo_o} <= {reduced_2_11_q + s_2_11_q + tag_top_t'(tag_1_11_q[PartWidth]),
                               part_t'(tag_1_11_q), tag_0_11_q};
    end
  end

endmodule

`default_nettype wire
