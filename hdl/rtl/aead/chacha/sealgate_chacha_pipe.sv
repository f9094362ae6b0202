// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The ChaCha20 block function (RFC 8439 section 2.3): 64 bytes per four cycles, a context per
// block.
//
// Theory of operation: a block enters as its four columns in four consecutive cycles. The key table
// is arranged by column, so that each cycle reads just the two words of the key that its column
// needs. Twenty rounds in a row (sealgate_chacha_round) serve as many blocks as follow each other.
// The words of the start state wait in a ring beside them and are added to the result; a transposer
// of two banks then turns columns into rows of 16 bytes of key stream. The pipe never waits: a
// shift register of valid bits says which stage has something to do. Blocks start at multiples of
// four cycles, so that the place of what is in a stage within its block follows from a count of
// cycles.
//
// The rounds can be run backwards, so what stays in the pipe or in the ring would tell a key: when
// no block is at hand, whoever feeds the pipe sends RingBlocks blocks of zeros through it.

`default_nettype none

module sealgate_chacha_pipe
  import sealgate_chacha_pkg::*;
#(
  parameter int unsigned NumContexts = 1024,
  localparam int unsigned CtxWidth = $clog2(NumContexts)
) (
  input  wire logic                clk_i,
  input  wire logic                rst_ni,

  // Write port of the key table: words 4 + c and c of the key.
  input  wire logic                write_i,
  input  wire logic [CtxWidth-1:0] write_ctx_i,
  input  wire logic [1:0]          write_column_i,
  input  wire logic [63:0]         write_words_i,

  // A count of cycles. A column enters in a cycle with its number in the low bits.
  input  wire logic [2:0]          cycle_i,
  // A column: its word of row 3, the counter or a word of the nonce. `zero_i`: without a key.
  input  wire logic                valid_i,
  input  wire logic                zero_i,
  input  wire logic [CtxWidth-1:0] ctx_i,
  input  wire logic [31:0]         word_i,

  // A row of key stream comes out two cycles later.
  output      logic                ahead_o,
  output      logic [63:0]         row_lo_o,
  output      logic [63:0]         row_hi_o
);

  // Bit s of the words together: stage s has a column, a set or a row. A column's key is read in
  // stage 0; round r has its set in FirstStage + RoundStages r, and gathers its next set in the
  // last stage before the next round.
  localparam int unsigned FirstStage = 1;
  localparam int unsigned FinalStage = FirstStage + RoundStages * (NumRounds - 1);
  localparam int unsigned StartReadStage = FinalStage + 3;
  localparam int unsigned SumStage = FinalStage + 5;
  localparam int unsigned WriteStage = SumStage + 1;
  localparam int unsigned ReadStage = WriteStage + 4;

  if ((ReadStage + 2 != PipeLatency) || (PipeLatency > 4 * RingBlocks)) begin : g_check
    $error("the rings beside the pipe do not fit its latency");
  end

  if (RoundStages != 8) begin : g_check_round
    $error("the count of cycles of a round is not that of the round before it");
  end

  logic [63:0]            valid_lo_q;
  logic [63:0]            valid_mid_q;
  logic [63:0]            valid_hi_q;
  logic [191:0]           valid;
  // A count of cycles for each round, of the set in its first stage: the low bits tell which it is;
  // bit 2 tells the banks apart. A round takes RoundStages = 8 cycles, so that each of these counts
  // is what the one before it will be next.
  logic [3*NumRounds-1:0] cycle_q;
  logic [2:0]             column_q;

  assign valid = {valid_hi_q, valid_mid_q, valid_lo_q};

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_lo_q  <= '0;
      valid_mid_q <= '0;
      valid_hi_q  <= '0;
    end else begin
      valid_lo_q  <= {valid_lo_q[62:0], valid_i};
      valid_mid_q <= {valid_mid_q[62:0], valid_lo_q[63]};
      valid_hi_q  <= {valid_hi_q[62:0], valid_mid_q[63]};
    end
  end

  always_ff @(posedge clk_i) begin
    column_q     <= cycle_i;
    cycle_q[2:0] <= column_q;
    for (int unsigned r = 1; r < NumRounds; r++) begin
      cycle_q[3*r+:3] <= cycle_q[3*r-3+:3] + 3'd1;
    end
  end

  // Keys.
  logic [63:0] key_mem[4*NumContexts];
  logic [63:0] read_words_q, enter_words_q;
  logic [31:0] read_word_q, enter_word_q;
  logic [31:0] enter_constant_q;
  logic        enter;

  assign enter = valid[FirstStage];

  always_ff @(posedge clk_i) begin
    if (write_i) key_mem[{write_ctx_i, write_column_i}] <= write_words_i;
    if (valid_i) begin
      read_words_q <= zero_i ? '0 : key_mem[{ctx_i, cycle_i[1:0]}];
      read_word_q  <= word_i;
    end
    if (valid[0]) begin
      enter_words_q    <= read_words_q;
      enter_word_q     <= read_word_q;
      enter_constant_q <= Constants[column_q[1:0]];
    end
  end

  // Start states, by {block, column}.
  logic [31:0]          start_b_mem[4*RingBlocks];
  logic [31:0]          start_c_mem[4*RingBlocks];
  logic [31:0]          start_d_mem[4*RingBlocks];
  logic [RingWidth+1:0] start_write_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) start_write_q <= '0;
    else if (enter) start_write_q <= start_write_q + 1'b1;
    if (enter) begin
      start_b_mem[start_write_q] <= enter_words_q[31:0];
      start_c_mem[start_write_q] <= enter_words_q[63:32];
      start_d_mem[start_write_q] <= enter_word_q;
    end
  end

  // The rounds.
  logic [2:0] final_cycle;

  assign final_cycle = cycle_q[3*NumRounds-1-:3];

  for (genvar r = 0; r < NumRounds; r++) begin : g_round
    logic [2:0]  cycle;
    logic [31:0] in_a, in_b, in_c, in_d;
    logic [31:0] a, b, c, d;

    assign cycle = cycle_q[3*r+:3];

    if (r == 0) begin : g_first
      assign in_a = enter_constant_q;
      assign in_b = enter_words_q[31:0];
      assign in_c = enter_words_q[63:32];
      assign in_d = enter_word_q;
    end else begin : g_next
      assign in_a = g_round[r-1].a;
      assign in_b = g_round[r-1].b;
      assign in_c = g_round[r-1].c;
      assign in_d = g_round[r-1].d;
    end

    sealgate_chacha_round #(
      .Round(r)
    ) u_round (
      .clk_i,
      .valid_i(valid[FirstStage+RoundStages*r+:5]),
      .write_set_i(cycle - 3'd4),
      .read_i(valid[FirstStage+RoundStages*r+RoundStages-1]),
      .read_set_i(cycle - 3'(RoundStages - 1)),
      .a_i(in_a),
      .b_i(in_b),
      .c_i(in_c),
      .d_i(in_d),
      .a_o(a),
      .b_o(b),
      .c_o(c),
      .d_o(d)
    );
  end

  // Set s of the last round is diagonal s + 2: row 0 of column s + 2, row 1 of column s + 3, row 2
  // of column s and row 3 of column s + 1.
  logic [RingWidth-1:0] start_block_q;
  logic [1:0]           start_set;
  logic [1:0]           start_set_1, start_set_2, start_set_3;
  logic [31:0]          start_a_q, start_b_q, start_c_q, start_d_q;
  logic [31:0]          late_a_q, late_b_q, late_c_q, late_d_q;
  logic [31:0]          sum_0_q, sum_1_q, sum_2_q, sum_3_q;

  assign start_set   = final_cycle[1:0] - 2'(StartReadStage - FinalStage);
  assign start_set_1 = start_set + 2'd1;
  assign start_set_2 = start_set + 2'd2;
  assign start_set_3 = start_set + 2'd3;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) start_block_q <= '0;
    else if (valid[StartReadStage] && (start_set == 2'd3)) start_block_q <= start_block_q + 1'b1;
    if (valid[StartReadStage]) begin
      start_a_q <= Constants[start_set_2];
      start_b_q <= start_b_mem[{start_block_q, start_set_3}];
      start_c_q <= start_c_mem[{start_block_q, start_set}];
      start_d_q <= start_d_mem[{start_block_q, start_set_1}];
    end
    if (valid[StartReadStage+1]) begin
      late_a_q <= start_a_q;
      late_b_q <= start_b_q;
      late_c_q <= start_c_q;
      late_d_q <= start_d_q;
    end
    if (valid[SumStage]) begin
      sum_0_q <= g_round[NumRounds-1].a + late_a_q;
      sum_1_q <= g_round[NumRounds-1].b + late_b_q;
      sum_2_q <= g_round[NumRounds-1].c + late_c_q;
      sum_3_q <= g_round[NumRounds-1].d + late_d_q;
    end
  end

  // The transposer: a memory per column, by {bank, row}. Each set has one word for each column.
  logic [31:0] column_0_mem[8];
  logic [31:0] column_1_mem[8];
  logic [31:0] column_2_mem[8];
  logic [31:0] column_3_mem[8];
  logic [2:0]  write_set;
  logic [2:0]  read_row_q;
  logic [1:0]  row_0, row_1, row_2, row_3;

  assign write_set = final_cycle - 3'(WriteStage - FinalStage);
  assign row_0     = 2'd2 - write_set[1:0];
  assign row_1     = 2'd3 - write_set[1:0];
  assign row_2     = 2'd0 - write_set[1:0];
  assign row_3     = 2'd1 - write_set[1:0];

  function automatic logic [31:0] sum(logic [1:0] row);
    unique case (row)
      2'd0:    return sum_0_q;
      2'd1:    return sum_1_q;
      2'd2:    return sum_2_q;
      default: return sum_3_q;
    endcase
  endfunction

  always_ff @(posedge clk_i) begin
    read_row_q <= final_cycle - 3'(ReadStage - 1 - FinalStage);
    if (valid[WriteStage]) begin
      column_0_mem[{write_set[2], row_0}] <= sum(row_0);
      column_1_mem[{write_set[2], row_1}] <= sum(row_1);
      column_2_mem[{write_set[2], row_2}] <= sum(row_2);
      column_3_mem[{write_set[2], row_3}] <= sum(row_3);
    end
    if (valid[ReadStage]) begin
      row_lo_o <= {column_1_mem[read_row_q], column_0_mem[read_row_q]};
      row_hi_o <= {column_3_mem[read_row_q], column_2_mem[read_row_q]};
    end
  end

  assign ahead_o = valid[ReadStage-1];

endmodule

`default_nettype wire
