// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Powers of r for the records under way.
//
// Theory of operation: each record brings its own r, of which Poly1305 needs r^1 to r^8, and not
// more powers than it has blocks. A multiplier of its own makes them at fixed times after r came
// in: r^2 = r r, r^3 = r^2 r, r^4 = r^2 r^2, r^5 = r^3 r^2, r^6 = r^3 r^3, r^7 = r^4 r^3, r^8 = r^4
// r^4. Records without text have two blocks at most and get r^2 only. An r comes a multiple of 4
// cycles after the one before it, and 8 or more if that record has text; the times are chosen such
// that at all these distances no two products start in the same cycle: of those that are a multiple
// of 4 apart there are two, and these are just 4 apart. So there is nothing to arbitrate, and the
// table has one write port; r has a memory of its own. All powers can be read 38 cycles after r
// came in, and a cycle before that `ready_o` tells.

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

  // The powers of the next r, in order, can be read from the next cycle on.
  output      logic        ready_o,

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

  // Cycles from the one after r to the one in which the product that makes a power is chosen.
  localparam int unsigned Start2 = 0;
  localparam int unsigned Start3 = 9;
  localparam int unsigned Start4 = 13;
  localparam int unsigned Start5 = 18;
  localparam int unsigned Start6 = 22;
  localparam int unsigned Start7 = 23;
  localparam int unsigned Start8 = 27;
  // And from there to the cycle before the product is there.
  localparam int unsigned BeforeEnd = MulStages;
  localparam int unsigned ReadyCycle = Start8 + BeforeEnd + 1;
  localparam int unsigned NumCycles = ReadyCycle + 1;

  // A count of cycles that tells those of the last NumCycles apart.
  localparam int unsigned TimeWidth = $clog2(NumCycles + 1);
  typedef logic [TimeWidth-1:0] time_t;

  // Bit s: an r came in s + 1 cycles ago; that of a record with text.
  logic [NumCycles-1:0] came_q;
  logic [NumCycles-1:0] came_text_q;
  // When an r comes in, its key is noted at the time.
  key_id_t              id_mem[2**TimeWidth];
  time_t                time_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      came_q      <= '0;
      came_text_q <= '0;
      time_q      <= '0;
    end else begin
      came_q      <= {came_q[NumCycles-2:0], valid_i};
      came_text_q <= {came_text_q[NumCycles-2:0], valid_i && has_text_i};
      time_q      <= time_q + 1'b1;
    end
    if (valid_i) id_mem[time_q] <= id_i;
  end

  assign ready_o = came_q[ReadyCycle];

  // The product that is chosen in this cycle: its operands as powers less one. They are read in the
  // next.
  logic       start;
  time_t      start_age;
  logic [1:0] x_power, y_power;
  logic       start_q;
  key_id_t    start_id_q;
  logic [1:0] x_power_q, y_power_q;

  always_comb begin
    start     = 1'b1;
    start_age = '0;
    x_power   = 2'd0;
    y_power   = 2'd0;
    if (came_q[Start2]) begin
      start_age = time_t'(Start2);
    end else if (came_text_q[Start3]) begin
      start_age = time_t'(Start3);
      x_power   = 2'd1;
    end else if (came_text_q[Start4]) begin
      start_age = time_t'(Start4);
      x_power   = 2'd1;
      y_power   = 2'd1;
    end else if (came_text_q[Start5]) begin
      start_age = time_t'(Start5);
      x_power   = 2'd2;
      y_power   = 2'd1;
    end else if (came_text_q[Start6]) begin
      start_age = time_t'(Start6);
      x_power   = 2'd2;
      y_power   = 2'd2;
    end else if (came_text_q[Start7]) begin
      start_age = time_t'(Start7);
      x_power   = 2'd3;
      y_power   = 2'd2;
    end else if (came_text_q[Start8]) begin
      start_age = time_t'(Start8);
      x_power   = 2'd3;
      y_power   = 2'd3;
    end else begin
      start = 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) start_q <= 1'b0;
    else start_q <= start;
    if (start) begin
      start_id_q <= id_mem[time_q-start_age-time_t'(1)];
      x_power_q  <= x_power;
      y_power_q  <= y_power;
    end
  end

  // The product that is there in the next cycle: the power it is, less one.
  logic       product_valid;
  time_t      end_age;
  logic [2:0] end_power;
  key_id_t    end_id_q;
  logic [2:0] end_power_q;
  limb_t      product_0, product_1, product_2, product_3, product_4;

  always_comb begin
    end_age   = time_t'(Start8 + BeforeEnd);
    end_power = 3'd7;
    if (came_q[Start2+BeforeEnd]) begin
      end_age   = time_t'(Start2 + BeforeEnd);
      end_power = 3'd1;
    end else if (came_text_q[Start3+BeforeEnd]) begin
      end_age   = time_t'(Start3 + BeforeEnd);
      end_power = 3'd2;
    end else if (came_text_q[Start4+BeforeEnd]) begin
      end_age   = time_t'(Start4 + BeforeEnd);
      end_power = 3'd3;
    end else if (came_text_q[Start5+BeforeEnd]) begin
      end_age   = time_t'(Start5 + BeforeEnd);
      end_power = 3'd4;
    end else if (came_text_q[Start6+BeforeEnd]) begin
      end_age   = time_t'(Start6 + BeforeEnd);
      end_power = 3'd5;
    end else if (came_text_q[Start7+BeforeEnd]) begin
      end_age   = time_t'(Start7 + BeforeEnd);
      end_power = 3'd6;
    end
  end

  always_ff @(posedge clk_i) begin
    end_id_q    <= id_mem[time_q-end_age-time_t'(1)];
    end_power_q <= end_power;
  end

  // r, with the bits cleared that RFC 8439 section 2.5 clears.
  logic [63:0] r_lo_mem[NumOneTimeKeys];
  logic [63:0] r_hi_mem[NumOneTimeKeys];

  always_ff @(posedge clk_i) begin
    if (valid_i) begin
      r_lo_mem[id_i] <= r_lo_i & 64'h0fff_fffc_0fff_ffff;
      r_hi_mem[id_i] <= r_hi_i & 64'h0fff_fffc_0fff_fffc;
    end
  end

  // The table of the other powers by {key, power}, and the first three of them once more for the
  // products.
  logic [6:0] write_index;
  logic [5:0] operand_index;
  logic       operand_write;
  logic       operands_q;
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

  assign write_index   = {end_id_q, end_power_q};
  assign operand_write = product_valid && (end_power_q < 3'd4);
  assign operand_index = {end_id_q, end_power_q[1:0]};

  always_ff @(posedge clk_i) begin
    if (product_valid) begin
      power_0_mem[write_index] <= product_0;
      power_1_mem[write_index] <= product_1;
      power_2_mem[write_index] <= product_2;
      power_3_mem[write_index] <= product_3;
      power_4_mem[write_index] <= product_4;
    end
    if (operand_write) begin
      operand_0_mem[operand_index] <= product_0;
      operand_1_mem[operand_index] <= product_1;
      operand_2_mem[operand_index] <= product_2;
      operand_3_mem[operand_index] <= product_3;
      operand_4_mem[operand_index] <= product_4;
    end
  end

  // Operands.
  logic [63:0] start_r_lo, start_r_hi;

  assign start_r_lo = r_lo_mem[start_id_q];
  assign start_r_hi = r_hi_mem[start_id_q];

  always_ff @(posedge clk_i) begin
    if (start_q && (x_power_q == 2'd0)) begin
      x_0_q <= limb_t'(start_r_lo[25:0]);
      x_1_q <= limb_t'(start_r_lo[51:26]);
      x_2_q <= limb_t'({start_r_hi[13:0], start_r_lo[63:52]});
      x_3_q <= limb_t'(start_r_hi[39:14]);
      x_4_q <= limb_t'(start_r_hi[63:40]);
    end else if (start_q) begin
      x_0_q <= operand_0_mem[{start_id_q, x_power_q}];
      x_1_q <= operand_1_mem[{start_id_q, x_power_q}];
      x_2_q <= operand_2_mem[{start_id_q, x_power_q}];
      x_3_q <= operand_3_mem[{start_id_q, x_power_q}];
      x_4_q <= operand_4_mem[{start_id_q, x_power_q}];
    end
    if (start_q && (y_power_q == 2'd0)) begin
      y_0_q <= limb_t'(start_r_lo[25:0]);
      y_1_q <= limb_t'(start_r_lo[51:26]);
      y_2_q <= limb_t'({start_r_hi[13:0], start_r_lo[63:52]});
      y_3_q <= limb_t'(start_r_hi[39:14]);
      y_4_q <= limb_t'(start_r_hi[63:40]);
    end else if (start_q) begin
      y_0_q <= operand_0_mem[{start_id_q, y_power_q}];
      y_1_q <= operand_1_mem[{start_id_q, y_power_q}];
      y_2_q <= operand_2_mem[{start_id_q, y_power_q}];
      y_3_q <= operand_3_mem[{start_id_q, y_power_q}];
      y_4_q <= operand_4_mem[{start_id_q, y_power_q}];
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) operands_q <= 1'b0;
    else operands_q <= start_q;
  end

  logic unused_valid_next;

  sealgate_poly1305_mul u_mul (
    .clk_i,
    .rst_ni,
    .valid_i(operands_q),
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
    .valid_next_o(unused_valid_next),
    .product_0_o(product_0),
    .product_1_o(product_1),
    .product_2_o(product_2),
    .product_3_o(product_3),
    .product_4_o(product_4)
  );

  // Read port.
  logic        read_r_q;
  logic [63:0] read_r_lo_q, read_r_hi_q;
  limb_t       read_0_q, read_1_q, read_2_q, read_3_q, read_4_q;

  always_ff @(posedge clk_i) begin
    if (read_i) begin
      read_r_q    <= read_power_i == 3'd0;
      read_r_lo_q <= r_lo_mem[read_id_i];
      read_r_hi_q <= r_hi_mem[read_id_i];
      read_0_q    <= power_0_mem[{read_id_i, read_power_i}];
      read_1_q    <= power_1_mem[{read_id_i, read_power_i}];
      read_2_q    <= power_2_mem[{read_id_i, read_power_i}];
      read_3_q    <= power_3_mem[{read_id_i, read_power_i}];
      read_4_q    <= power_4_mem[{read_id_i, read_power_i}];
    end
  end

  assign power_0_o = read_r_q ? limb_t'(read_r_lo_q[25:0]) : read_0_q;
  assign power_1_o = read_r_q ? limb_t'(read_r_lo_q[51:26]) : read_1_q;
  assign power_2_o = read_r_q ? limb_t'({read_r_hi_q[13:0], read_r_lo_q[63:52]}) : read_2_q;
  assign power_3_o = read_r_q ? limb_t'(read_r_hi_q[39:14]) : read_3_q;
  assign power_4_o = read_r_q ? limb_t'(read_r_hi_q[63:40]) : read_4_q;

endmodule

`default_nettype wire
