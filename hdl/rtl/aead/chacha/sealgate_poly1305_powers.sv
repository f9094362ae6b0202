// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Powers of r for the records under way.
//
// Theory of operation: each record brings its own r, of which Poly1305 needs r^1 to r^6, and not
// more powers than it has blocks. A multiplier of its own makes them at fixed times after r came
// in: r^2 = r r, r^3 = r^2 r, r^4 = r^2 r^2, r^5 = r^3 r^2, r^6 = r^3 r^3. Records without text
// have two blocks at most and get r^2 only. An r comes a multiple of 4 cycles after the one before
// it, and 8 or more if that record has text; the times are chosen such that at all these distances
// no two products start in the same cycle, and none ends in one in which an r comes in. So there is
// nothing to arbitrate, and the table has one write port. All powers can be read 26 cycles after r
// came in, and two cycles before that `ready_o` tells.

`default_nettype none

module sealgate_poly1305_powers
  import sealgate_chacha_pkg::key_id_t;
  import sealgate_chacha_pkg::NumOneTimeKeys;
  import sealgate_poly1305_pkg::*;
(
  input  wire logic        clk_i,
  input  wire logic        rst_ni,

  // r as it comes out of the key stream, and whether its record has text.
  input  wire logic        valid_i,
  input  wire key_id_t     id_i,
  input  wire logic        has_text_i,
  input  wire logic [63:0] r_lo_i,
  input  wire logic [63:0] r_hi_i,

  // The powers of this key can be read in two cycles.
  output      logic        ready_o,
  output      key_id_t     ready_id_o,

  // Read port of the table: r^(read_power_i + 1), in the next cycle.
  input  wire logic        read_i,
  input  wire key_id_t     read_id_i,
  input  wire logic [2:0]  read_power_i,
  output      limb_t       power_0_o,
  output      limb_t       power_1_o,
  output      limb_t       power_2_o,
  output      limb_t       power_3_o,
  output      limb_t       power_4_o
);

  // Cycles from the one after r to the start of the product that makes a power, and to its end.
  localparam int unsigned Start2 = 0;
  localparam int unsigned Start3 = 7;
  localparam int unsigned Start4 = 11;
  localparam int unsigned Start5 = 14;
  localparam int unsigned Start6 = 18;
  localparam int unsigned LastCycle = Start6 + MulStages;
  localparam int unsigned ReadyCycle = LastCycle - 1;

  // Bit s: an r came in s + 1 cycles ago; that of a record with text.
  logic [31:0] came_q;
  logic [31:0] came_text_q;
  // When an r comes in, its key is noted at the time, a count of cycles.
  key_id_t     id_mem[32];
  logic [4:0]  time_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      came_q      <= '0;
      came_text_q <= '0;
      time_q      <= '0;
    end else begin
      came_q      <= {came_q[30:0], valid_i};
      came_text_q <= {came_text_q[30:0], valid_i && has_text_i};
      time_q      <= time_q + 5'd1;
    end
    if (valid_i) id_mem[time_q] <= id_i;
  end

  // The product that starts in this cycle: its operands as powers less one.
  logic       start;
  logic [4:0] start_age;
  logic [1:0] x_power, y_power;
  key_id_t    start_id;

  always_comb begin
    start     = 1'b1;
    start_age = '0;
    x_power   = 2'd0;
    y_power   = 2'd0;
    if (came_q[Start2]) begin
      start_age = 5'(Start2);
    end else if (came_text_q[Start3]) begin
      start_age = 5'(Start3);
      x_power   = 2'd1;
    end else if (came_text_q[Start4]) begin
      start_age = 5'(Start4);
      x_power   = 2'd1;
      y_power   = 2'd1;
    end else if (came_text_q[Start5]) begin
      start_age = 5'(Start5);
      x_power   = 2'd2;
      y_power   = 2'd1;
    end else if (came_text_q[Start6]) begin
      start_age = 5'(Start6);
      x_power   = 2'd2;
      y_power   = 2'd2;
    end else begin
      start = 1'b0;
    end
  end

  assign start_id = id_mem[time_q-start_age-5'd1];

  // The product that ends in this cycle: the power it is, less one.
  logic       product_valid;
  logic [4:0] end_age;
  logic [2:0] end_power;
  key_id_t    end_id;
  limb_t      product_0, product_1, product_2, product_3, product_4;

  always_comb begin
    end_age   = 5'(LastCycle);
    end_power = 3'd5;
    if (came_q[Start2+MulStages]) begin
      end_age   = 5'(Start2 + MulStages);
      end_power = 3'd1;
    end else if (came_text_q[Start3+MulStages]) begin
      end_age   = 5'(Start3 + MulStages);
      end_power = 3'd2;
    end else if (came_text_q[Start4+MulStages]) begin
      end_age   = 5'(Start4 + MulStages);
      end_power = 3'd3;
    end else if (came_text_q[Start5+MulStages]) begin
      end_age   = 5'(Start5 + MulStages);
      end_power = 3'd4;
    end
  end

  assign end_id = id_mem[time_q-end_age-5'd1];

  assign ready_o    = came_q[ReadyCycle];
  assign ready_id_o = id_mem[time_q-5'(ReadyCycle)-5'd1];

  // r, with the bits cleared that RFC 8439 section 2.5 clears.
  logic [63:0] r_lo, r_hi;

  assign r_lo = r_lo_i & 64'h0fff_fffc_0fff_ffff;
  assign r_hi = r_hi_i & 64'h0fff_fffc_0fff_fffc;

  // The table by {key, power}, and the first three powers once more for the products.
  logic       write;
  logic [6:0] write_index;
  logic [5:0] operand_index;
  logic       operand_write;
  logic       start_q;
  limb_t      power_0_mem[8*NumOneTimeKeys];
  limb_t      power_1_mem[8*NumOneTimeKeys];
  limb_t      power_2_mem[8*NumOneTimeKeys];
  limb_t      power_3_mem[8*NumOneTimeKeys];
  limb_t      power_4_mem[8*NumOneTimeKeys];
  limb_t      operand_0_mem[4*NumOneTimeKeys];
  limb_t      operand_1_mem[4*NumOneTimeKeys];
  limb_t      operand_2_mem[4*NumOneTimeKeys];
  limb_t      operand_3_mem[4*NumOneTimeKeys];
  limb_t      operand_4_mem[4*NumOneTimeKeys];
  limb_t      x_0_q, x_1_q, x_2_q, x_3_q, x_4_q;
  limb_t      y_0_q, y_1_q, y_2_q, y_3_q, y_4_q;

  assign write         = valid_i || product_valid;
  assign write_index   = valid_i ? {id_i, 3'd0} : {end_id, end_power};
  assign operand_write = write && (write_index[2:0] < 3'd3);
  assign operand_index = {write_index[6:3], write_index[1:0]};

  always_ff @(posedge clk_i) begin
    if (write) begin
      power_0_mem[write_index] <= valid_i ? {1'b0, r_lo[25:0]} : product_0;
      power_1_mem[write_index] <= valid_i ? {1'b0, r_lo[51:26]} : product_1;
      power_2_mem[write_index] <= valid_i ? {1'b0, r_hi[13:0], r_lo[63:52]} : product_2;
      power_3_mem[write_index] <= valid_i ? {1'b0, r_hi[39:14]} : product_3;
      power_4_mem[write_index] <= valid_i ? {3'b000, r_hi[63:40]} : product_4;
    end
    if (operand_write) begin
      operand_0_mem[operand_index] <= valid_i ? {1'b0, r_lo[25:0]} : product_0;
      operand_1_mem[operand_index] <= valid_i ? {1'b0, r_lo[51:26]} : product_1;
      operand_2_mem[operand_index] <= valid_i ? {1'b0, r_hi[13:0], r_lo[63:52]} : product_2;
      operand_3_mem[operand_index] <= valid_i ? {1'b0, r_hi[39:14]} : product_3;
      operand_4_mem[operand_index] <= valid_i ? {3'b000, r_hi[63:40]} : product_4;
    end
  end

  always_ff @(posedge clk_i) begin
    if (read_i) begin
      power_0_o <= power_0_mem[{read_id_i, read_power_i}];
      power_1_o <= power_1_mem[{read_id_i, read_power_i}];
      power_2_o <= power_2_mem[{read_id_i, read_power_i}];
      power_3_o <= power_3_mem[{read_id_i, read_power_i}];
      power_4_o <= power_4_mem[{read_id_i, read_power_i}];
    end
    if (start) begin
      x_0_q <= operand_0_mem[{start_id, x_power}];
      x_1_q <= operand_1_mem[{start_id, x_power}];
      x_2_q <= operand_2_mem[{start_id, x_power}];
      x_3_q <= operand_3_mem[{start_id, x_power}];
      x_4_q <= operand_4_mem[{start_id, x_power}];
      y_0_q <= operand_0_mem[{start_id, y_power}];
      y_1_q <= operand_1_mem[{start_id, y_power}];
      y_2_q <= operand_2_mem[{start_id, y_power}];
      y_3_q <= operand_3_mem[{start_id, y_power}];
      y_4_q <= operand_4_mem[{start_id, y_power}];
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) start_q <= 1'b0;
    else start_q <= start;
  end

  sealgate_poly1305_mul u_mul (
    .clk_i,
    .rst_ni,
    .valid_i(start_q),
    .x_0_i({1'b0, x_0_q}),
    .x_1_i({1'b0, x_1_q}),
    .x_2_i({1'b0, x_2_q}),
    .x_3_i({1'b0, x_3_q}),
    .x_4_i({1'b0, x_4_q}),
    .y_0_i(y_0_q),
    .y_1_i(y_1_q),
    .y_2_i(y_2_q),
    .y_3_i(y_3_q),
    .y_4_i(y_4_q),
    .valid_o(product_valid),
    .product_0_o(product_0),
    .product_1_o(product_1),
    .product_2_o(product_2),
    .product_3_o(product_3),
    .product_4_o(product_4)
  );

endmodule

`default_nettype wire
