// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Product of two limbs for sealgate_poly1305_mul, as a limb and what exceeds it, in three cycles.
//
// Theory of operation: 28 x 27 bits are more than a DSP block of an FPGA multiplies, which takes
// 24 x 17 without sign. So stage 1 makes four products, each in a register of a block, and stages 2
// and 3 add them up, where they overlap.

`default_nettype none

module sealgate_poly1305_limb
  import sealgate_poly1305_pkg::*;
(
  input  wire logic                   clk_i,

  // Bit s: stage s + 1 takes a product.
  input  wire logic [2:0]             valid_i,
  input  wire factor_t                x_i,
  input  wire limb_t                  y_i,

  output      logic [LimbWidth-1:0]   low_o,
  output      logic [ExcessWidth-1:0] high_o
);

  // Where the operands are cut.
  localparam int unsigned XWidth = 24;
  localparam int unsigned YWidth = 17;
  localparam int unsigned XHighWidth = FactorWidth - XWidth;
  localparam int unsigned YHighWidth = ProductWidth - YWidth;

  logic [XWidth-1:0]     x_low;
  logic [XHighWidth-1:0] x_high;
  logic [YWidth-1:0]     y_low;
  logic [YHighWidth-1:0] y_high;

  assign {x_high, x_low} = x_i;
  assign {y_high, y_low} = y_i;

  // Stage 1.
  logic [XWidth+YWidth-1:0]         low_low_q;
  logic [XWidth+YHighWidth-1:0]     low_high_q;
  logic [XHighWidth+YWidth-1:0]     high_low_q;
  logic [XHighWidth+YHighWidth-1:0] high_high_q;

  always_ff @(posedge clk_i) begin
    if (valid_i[0]) begin
      low_low_q   <= (XWidth + YWidth)'(x_low) * (XWidth + YWidth)'(y_low);
      low_high_q  <= (XWidth + YHighWidth)'(x_low) * (XWidth + YHighWidth)'(y_high);
      high_low_q  <= (XHighWidth + YWidth)'(x_high) * (XHighWidth + YWidth)'(y_low);
      high_high_q <= (XHighWidth + YHighWidth)'(x_high) * (XHighWidth + YHighWidth)'(y_high);
    end
  end

  // Stage 2: the products with each half of x.
  logic [XWidth+ProductWidth-1:0]     x_low_q;
  logic [XHighWidth+ProductWidth-1:0] x_high_q;

  always_ff @(posedge clk_i) begin
    if (valid_i[1]) begin
      x_low_q[YWidth-1:0]  <= low_low_q[YWidth-1:0];
      x_low_q[XWidth+ProductWidth-1:YWidth] <=
          low_high_q + (XWidth + YHighWidth)'(low_low_q[XWidth+YWidth-1:YWidth]);
      x_high_q[YWidth-1:0] <= high_low_q[YWidth-1:0];
      x_high_q[XHighWidth+ProductWidth-1:YWidth] <=
          high_high_q + (XHighWidth + YHighWidth)'(high_low_q[XHighWidth+YWidth-1:YWidth]);
    end
  end

  // Stage 3.
  always_ff @(posedge clk_i) begin
    if (valid_i[2]) begin
      low_o[XWidth-1:0] <= x_low_q[XWidth-1:0];
      {high_o, low_o[LimbWidth-1:XWidth]} <=
          x_high_q + (XHighWidth + ProductWidth)'(x_low_q[XWidth+ProductWidth-1:XWidth]);
    end
  end

endmodule

`default_nettype wire
