// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Loads and wipes the tables of round keys and of powers of H.
//
// Theory of operation: a load expands the key round key by round key (FIPS 197 section 5.2) and
// writes each into the table of its stage. The same round keys drive an iterative encryption of the
// zero block on the way, which yields the hash key H (NIST SP 800-38D section 7.1, step 1); a
// multiplier then makes the other powers of H, one after the other. All this is apart from the data
// path, so that records of other contexts are not disturbed. In the styles for simulation a round
// takes one cycle and a product four: it is 28 cycles for AES-128 and 32 for AES-256 from the
// acceptance of a key to `key_done_o`. In those for synthesis a round takes seven cycles, because
// the S-boxes and the key schedule are pipelined, and a product 68 (sealgate_gf128_mul_serial): some
// 580 cycles. There a key is taken in a state of its own, and what loads, moves and clears the words
// of the key is a register in a copy for each, so that no decision has to reach all of them in the
// cycle in which it falls. A wipe writes zeros over all round keys and powers, and waits until the writes have
// reached the last table. After reset every context is wiped before the first load or wipe is
// accepted, so that no key survives a reset. The working registers are cleared when a load is done.

`default_nettype none

module sealgate_gcm_key_unit
  import sealgate_aes_pkg::*;
  import sealgate_gf128_pkg::*;
#(
  parameter int unsigned NumContexts = 1024,
  parameter sbox_style_e SboxStyle = SboxTable,
  parameter mul_style_e GfMulStyle = MulInteger,
  // Cycles from a write at the port of this unit to the last table.
  parameter int unsigned WriteDelay = 0,
  localparam int unsigned CtxWidth = $clog2(NumContexts)
) (
  input  wire logic                  clk_i,
  input  wire logic                  rst_ni,

  // Key load. A key of 128 bits is in the low half.
  input  wire logic                  key_valid_i,
  output      logic                  key_ready_o,
  input  wire logic [CtxWidth-1:0]   key_ctx_i,
  input  wire logic [255:0]          key_data_i,
  input  wire logic                  key_aes256_i,
  // One cycle: the tables hold the key.
  output      logic                  key_done_o,

  // Wipe; goes before a load that is offered at the same time.
  input  wire logic                  wipe_valid_i,
  output      logic                  wipe_ready_o,
  input  wire logic [CtxWidth-1:0]   wipe_ctx_i,

  // Write port of all tables.
  output      logic [CtxWidth-1:0]   write_ctx_o,
  // Round keys: one bit per stage of the pipe.
  output      logic [NumRounds:0]    write_round_o,
  output      logic                  write_aes256_o,
  output      logic [63:0]           write_key_lo_o,
  output      logic [63:0]           write_key_hi_o,
  // Powers of H.
  output      logic [CtxWidth-1:0]   write_power_ctx_o,
  output      logic                  write_power_o,
  output      logic [ChainWidth-1:0] write_power_index_o,
  output      logic [63:0]           write_power_hi_o,
  output      logic [63:0]           write_power_lo_o
);

  typedef enum logic [2:0] {
    StIdle,
    // Take the key, in the style for synthesis.
    StLoad,
    // Expand the key and encrypt the zero block.
    StExpand,
    // Write a power of H and wait for the next.
    StPower,
    StWipe,
    // Wait for the last write of a wipe.
    StSettle
  } state_e;

  localparam logic [3:0] LastRound128 = 4'(NumRounds - NumPassRounds);
  localparam logic [3:0] LastRound256 = 4'(NumRounds);
  localparam logic [ChainWidth-1:0] LastPower = ChainWidth'(mul_stages(GfMulStyle) - 1);
  // Cycles of a round, or of settling, less one.
  localparam int unsigned StepWidth = 5;
  localparam logic [StepWidth-1:0] LastStep =
      StepWidth'((SboxStyle == SboxTable) ? 0 : SboxStages + 2);
  localparam bit Composite = (SboxStyle == SboxComposite);
  // Registers behind what depends on the number of the round only.
  localparam int unsigned RoundFlagStages = Composite ? 1 : 0;
  localparam logic [CtxWidth-1:0] LastContext = CtxWidth'(NumContexts - 1);

  state_e                state_q;
  logic [CtxWidth-1:0]   ctx_q;
  logic                  aes256_q;
  // The wipe goes on with the next context, up to the last.
  logic                  sweep_q;
  // Round under way.
  logic [3:0]            round_q;
  // Cycle of the round or of settling under way.
  logic [StepWidth-1:0]  step_q;
  // Power of H under way, less one; counts the writes of a wipe as well.
  logic [ChainWidth-1:0] power_q;
  logic                  power_ready;
  // The round ends in this cycle.
  logic                  round_ends;
  logic                  first_round;
  logic                  last_round_d, last_round;
  // The table that takes the round key, one bit per stage.
  logic [NumRounds:0]    stage_d, stage;

  assign wipe_ready_o = state_q == StIdle;
  assign key_ready_o  = Composite ? (state_q == StLoad) : ((state_q == StIdle) && !wipe_valid_i);
  assign last_round_d = round_q == (aes256_q ? LastRound256 : LastRound128);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q    <= StWipe;
      sweep_q    <= 1'b1;
      ctx_q      <= '0;
      round_q    <= '0;
      step_q     <= '0;
      power_q    <= '0;
      key_done_o <= 1'b0;
    end else begin
      key_done_o <= 1'b0;
      unique case (state_q)
        StIdle: begin
          if (wipe_valid_i) begin
            state_q <= StWipe;
            ctx_q   <= wipe_ctx_i;
          end else if (key_valid_i) begin
            state_q  <= Composite ? StLoad : StExpand;
            ctx_q    <= key_ctx_i;
            aes256_q <= key_aes256_i;
          end
        end
        StLoad: begin
          state_q  <= key_valid_i ? StExpand : StIdle;
          ctx_q    <= key_ctx_i;
          aes256_q <= key_aes256_i;
        end
        StExpand: begin
          step_q <= step_q + 1'b1;
          if (round_ends) begin
            step_q  <= '0;
            round_q <= round_q + 4'd1;
            if (last_round) begin
              round_q <= '0;
              state_q <= StPower;
            end
          end
        end
        StPower: begin
          if (power_ready) begin
            power_q <= power_q + 1'b1;
            if (power_q == LastPower) begin
              power_q    <= '0;
              state_q    <= StIdle;
              key_done_o <= 1'b1;
            end
          end
        end
        StWipe: begin
          power_q <= power_q + 1'b1;
          if (power_q == LastPower) begin
            power_q <= '0;
            ctx_q   <= ctx_q + 1'b1;
            sweep_q <= sweep_q && (ctx_q != LastContext);
            if (!sweep_q || (ctx_q == LastContext)) begin
              state_q <= (WriteDelay == 0) ? StIdle : StSettle;
            end
          end
        end
        default: begin
          step_q <= step_q + 1'b1;
          if (step_q == StepWidth'(WriteDelay)) begin
            step_q  <= '0;
            state_q <= StIdle;
          end
        end
      endcase
    end
  end

  // The end of a round; where a round takes many cycles, foreseen in the one before.
  if (LastStep == '0) begin : g_round_ends
    assign round_ends = state_q == StExpand;
  end else begin : g_round_ends_next
    always_ff @(posedge clk_i) begin
      round_ends <= (state_q == StExpand) && (step_q == LastStep - 1'b1);
    end
  end

  // The key schedule: the window holds the round key of this cycle in words 0 to 3 and, for
  // AES-256, the one after it in words 4 to 7.
  logic [31:0] window_q[8];
  logic [31:0] next_key[4];
  logic [7:0]  rcon_q;
  logic        rotates;
  logic [31:0] last_word, substituted;
  // SubWord, and RotWord and Rcon where they belong.
  logic [31:0] schedule_d, schedule;

  always_comb begin
    stage_d = '0;
    if (aes256_q || (round_q == '0)) stage_d[round_q] = 1'b1;
    else stage_d[round_q+4'(NumPassRounds)] = 1'b1;
  end

  sealgate_delay #(
    .Width(NumRounds + 3),
    .Cycles(RoundFlagStages)
  ) u_round_flags (
    .clk_i,
    .value_i({stage_d, last_round_d, round_q == '0}),
    .value_o({stage, last_round, first_round})
  );

  // FIPS 197 section 5.2: RotWord and Rcon for each key of AES-128 and every other one of AES-256.
  sealgate_delay #(
    .Width(1),
    .Cycles(RoundFlagStages)
  ) u_rotates (
    .clk_i,
    .value_i(!aes256_q || !round_q[0]),
    .value_o(rotates)
  );

  assign last_word = aes256_q ? window_q[7] : window_q[3];

  // Columns of the encryption, and the next ones.
  logic [3:0][31:0] col_q;
  logic [3:0][31:0] col_d;

  always_comb begin
    schedule_d = substituted;
    if (rotates) schedule_d = {substituted[7:0], substituted[31:8]} ^ {24'd0, rcon_q};
  end

  sealgate_delay #(
    .Width(32),
    .Cycles(RoundFlagStages)
  ) u_schedule (
    .clk_i,
    .value_i(schedule_d),
    .value_o(schedule)
  );

  always_comb begin
    next_key = '{default: '0};
    if (round_ends || Composite) begin
      next_key[0] = window_q[0] ^ schedule;
      next_key[1] = window_q[1] ^ next_key[0];
      next_key[2] = window_q[2] ^ next_key[1];
      next_key[3] = window_q[3] ^ next_key[2];
    end
  end

  if (Composite) begin : g_window_copies
    // Clearing may come a cycle late: nothing is written from the window then.
    logic [7:0]  load_q, move_q, clear_q;
    logic [3:0]  far_q;  // from four words on, where the key has eight
    logic [31:0] next_key_q[4];

    always_ff @(posedge clk_i) next_key_q <= next_key;

    sealgate_copies #(
      .Copies(8)
    ) u_load (
      .clk_i,
      .value_i((state_q == StIdle) && key_valid_i && !wipe_valid_i),
      .copies_o(load_q)
    );

    sealgate_copies #(
      .Copies(8)
    ) u_move (
      .clk_i,
      .value_i((state_q == StExpand) && (step_q == LastStep - 1'b1)),
      .copies_o(move_q)
    );

    sealgate_copies #(
      .Copies(8)
    ) u_clear (
      .clk_i,
      .value_i((state_q != StLoad) && (state_q != StExpand)),
      .copies_o(clear_q)
    );

    sealgate_copies #(
      .Copies(4)
    ) u_far (
      .clk_i,
      .value_i(aes256_q),
      .copies_o(far_q)
    );

    always_ff @(posedge clk_i) begin
      for (int unsigned w = 0; w < 8; w++) begin
        if (load_q[w]) window_q[w] <= key_data_i[32*w+:32];
        else if (!move_q[w]) window_q[w] <= clear_q[w] ? '0 : window_q[w];
        else window_q[w] <= ((w < 4) && far_q[w%4]) ? window_q[(w+4)%8] : next_key_q[w%4];
      end
    end

    always_ff @(posedge clk_i) begin
      if (load_q[0]) rcon_q <= 8'h01;
      else if (move_q[0] && rotates) rcon_q <= times_2(rcon_q);
    end
  end else begin : g_window
    always_ff @(posedge clk_i) begin
      unique case (state_q)
        StIdle: begin
          rcon_q <= 8'h01;
          if (key_valid_i && key_ready_o) begin
            for (int unsigned w = 0; w < 8; w++) window_q[w] <= key_data_i[32*w+:32];
          end
        end
        StExpand: begin
          if (round_ends) begin
            if (rotates) rcon_q <= times_2(rcon_q);
            for (int unsigned w = 0; w < 4; w++) begin
              window_q[w]   <= aes256_q ? window_q[w+4] : next_key[w];
              window_q[w+4] <= next_key[w];
            end
          end
        end
        default: window_q <= '{default: '0};
      endcase
    end
  end

  // The cipher block of zero, with the round key of the window; and SubWord of the key schedule.
  if (SboxStyle == SboxTable) begin : g_table
    always_comb begin
      substituted = '0;
      col_d       = '0;
      if (round_ends) begin
        substituted = final_column('0, last_word[7:0], last_word[15:8], last_word[23:16],
                                   last_word[31:24]);
        for (int unsigned c = 0; c < 4; c++) begin
          if (first_round) begin
            col_d[c] = window_q[c];
          end else if (last_round) begin
            col_d[c] = final_column(window_q[c], col_q[c][7:0], col_q[(c+1)%4][15:8],
                                    col_q[(c+2)%4][23:16], col_q[(c+3)%4][31:24]);
          end else begin
            col_d[c] = round_column(window_q[c], col_q[c][7:0], col_q[(c+1)%4][15:8],
                                    col_q[(c+2)%4][23:16], col_q[(c+3)%4][31:24]);
          end
        end
      end
    end

    always_ff @(posedge clk_i) begin
      if (round_ends) col_q <= col_d;
      else if (state_q == StIdle) col_q <= '0;
    end
  end else begin : g_composite
    logic [3:0]       first_q, last_q, move_q, clear_q;
    logic [3:0][31:0] sub_cols;
    logic [3:0][31:0] mixed_q;

    for (genvar b = 0; b < 4; b++) begin : g_sub_word
      sealgate_aes_sbox_composite u_sbox (
        .clk_i,
        .byte_i(last_word[8*b+:8]),
        .byte_o(substituted[8*b+:8])
      );
    end

    sealgate_aes_sub_shift u_sub_shift (
      .clk_i,
      .cols_i(col_q),
      .cols_o(sub_cols)
    );

    // Flags of a round are there long before its end.
    sealgate_copies #(
      .Copies(4)
    ) u_first (
      .clk_i,
      .value_i(first_round),
      .copies_o(first_q)
    );

    sealgate_copies #(
      .Copies(4)
    ) u_last (
      .clk_i,
      .value_i(last_round),
      .copies_o(last_q)
    );

    sealgate_copies #(
      .Copies(4)
    ) u_move (
      .clk_i,
      .value_i((state_q == StExpand) && (step_q == LastStep - 1'b1)),
      .copies_o(move_q)
    );

    sealgate_copies #(
      .Copies(4)
    ) u_clear (
      .clk_i,
      .value_i(state_q == StIdle),
      .copies_o(clear_q)
    );

    always_ff @(posedge clk_i) begin
      for (int unsigned c = 0; c < 4; c++) begin
        mixed_q[c] <= first_q[c] ? '0 : last_q[c] ? sub_cols[c] : mix_column(sub_cols[c]);
        if (move_q[c]) col_q[c] <= col_d[c];
        else if (clear_q[c]) col_q[c] <= '0;
      end
    end

    assign col_d = mixed_q ^ {window_q[3], window_q[2], window_q[1], window_q[0]};
  end

  // Powers of H: H itself is there when the encryption is done, each further one is the product of
  // the one before and H. After the load a product of zeros clears the multiplier.
  logic        next_power;
  logic        mul_valid_d, mul_valid_q;
  logic        product_valid;
  logic [63:0] hash_key_hi, hash_key_lo;
  logic [63:0] product_hi, product_lo;
  logic [63:0] power_hi_q, power_lo_q;

  assign hash_key_hi = swap_bytes({col_q[1], col_q[0]});
  assign hash_key_lo = swap_bytes({col_q[3], col_q[2]});

  assign power_ready = (power_q == '0) || (product_valid && !mul_valid_q);
  assign next_power  = (state_q == StPower) && power_ready;
  assign mul_valid_d = (next_power && (power_q != LastPower)) || key_done_o;

  if (Composite) begin : g_power_copies
    // A power is registered a cycle after it is there, and written from this register.
    logic [3:0]            take_q, first_q, clear_q;
    logic [3:0][31:0]      kept_q;
    logic                  mul_early_q;
    logic                  write_early_q;
    logic [CtxWidth-1:0]   ctx_early_q;
    logic [ChainWidth-1:0] index_early_q;

    sealgate_copies #(
      .Copies(4)
    ) u_take (
      .clk_i,
      .value_i(next_power),
      .copies_o(take_q)
    );

    sealgate_copies #(
      .Copies(4)
    ) u_first (
      .clk_i,
      .value_i(power_q == '0),
      .copies_o(first_q)
    );

    sealgate_copies #(
      .Copies(4)
    ) u_clear (
      .clk_i,
      .value_i((state_q == StIdle) || (state_q == StWipe)),
      .copies_o(clear_q)
    );

    for (genvar w = 0; w < 4; w++) begin : g_quarter
      logic [31:0] hash_key, product;

      assign hash_key = 32'({hash_key_hi, hash_key_lo} >> (32 * w));
      assign product  = 32'({product_hi, product_lo} >> (32 * w));

      always_ff @(posedge clk_i) begin
        if (take_q[w]) kept_q[w] <= first_q[w] ? hash_key : product;
        else if (clear_q[w]) kept_q[w] <= '0;
      end
    end

    assign {power_hi_q, power_lo_q} = kept_q;

    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        mul_early_q   <= 1'b0;
        mul_valid_q   <= 1'b0;
        write_early_q <= 1'b0;
        write_power_o <= 1'b0;
      end else begin
        mul_early_q   <= mul_valid_d;
        mul_valid_q   <= mul_early_q;
        write_early_q <= next_power || (state_q == StWipe);
        write_power_o <= write_early_q;
      end
      ctx_early_q         <= ctx_q;
      index_early_q       <= power_q;
      write_power_ctx_o   <= ctx_early_q;
      write_power_index_o <= index_early_q;
    end

    assign write_power_hi_o = power_hi_q;
    assign write_power_lo_o = power_lo_q;
  end else begin : g_power
    logic [63:0] power_hi, power_lo;

    assign power_hi = (power_q == '0) ? hash_key_hi : product_hi;
    assign power_lo = (power_q == '0) ? hash_key_lo : product_lo;

    always_ff @(posedge clk_i) begin
      if (!rst_ni) mul_valid_q <= 1'b0;
      else mul_valid_q <= mul_valid_d;

      if (next_power) begin
        power_hi_q <= power_hi;
        power_lo_q <= power_lo;
      end else if (state_q == StIdle) begin
        power_hi_q <= '0;
        power_lo_q <= '0;
      end
    end

    assign write_power_ctx_o   = ctx_q;
    assign write_power_index_o = power_q;

    always_comb begin
      write_power_o    = next_power || (state_q == StWipe);
      write_power_hi_o = '0;
      write_power_lo_o = '0;
      if (state_q == StPower) begin
        write_power_hi_o = power_hi;
        write_power_lo_o = power_lo;
      end
    end
  end

  if (GfMulStyle == MulInteger) begin : g_mul
    sealgate_gf128_mul #(
      .Style(GfMulStyle)
    ) u_mul (
      .clk_i,
      .rst_ni,
      .valid_i(mul_valid_q),
      .x_hi_i(power_hi_q),
      .x_lo_i(power_lo_q),
      .y_hi_i(hash_key_hi),
      .y_lo_i(hash_key_lo),
      .valid_o(product_valid),
      .product_hi_o(product_hi),
      .product_lo_o(product_lo)
    );
  end else begin : g_mul_serial
    sealgate_gf128_mul_serial u_mul (
      .clk_i,
      .rst_ni,
      .valid_i(mul_valid_q),
      .x_i({power_hi_q, power_lo_q}),
      .y_i({hash_key_hi, hash_key_lo}),
      .valid_o(product_valid),
      .product_o({product_hi, product_lo})
    );
  end

  // Writes of round keys. A wipe clears the key size as well. In the style for synthesis the window
  // is written as it is: it is zero during a wipe, from the third write at the latest.
  assign write_ctx_o = ctx_q;

  always_comb begin
    write_round_o  = '0;
    write_aes256_o = 1'b0;
    write_key_lo_o = Composite ? {window_q[1], window_q[0]} : '0;
    write_key_hi_o = Composite ? {window_q[3], window_q[2]} : '0;
    unique case (state_q)
      StExpand: begin
        write_round_o  = round_ends ? stage : '0;
        write_aes256_o = aes256_q;
        write_key_lo_o = {window_q[1], window_q[0]};
        write_key_hi_o = {window_q[3], window_q[2]};
      end
      StWipe:  write_round_o = '1;
      default: ;
    endcase
  end

endmodule

`default_nettype wire
