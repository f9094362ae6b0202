// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Packs chunks of 1 to 16 bytes into words, starting at any byte of the first word.
//
// Theory of operation: a rest of up to 15 bytes is kept. A chunk is first turned to where its bytes
// will stand, those behind the end of the word at the begin of the next one; then it is joined to
// the rest, and a full word leaves. After the last chunk of a span what is left leaves as a word of
// its own. Bytes of a chunk past its length must be zero, except in the last of a span. Bytes of
// words outside the span are undefined: the write port does not strobe them.
//
// With `Pipelined` nothing waits on the way. There is room for the words at the end when a chunk is
// taken; the chunk itself comes ChunkStages cycles later, and is turned, by bytes and by quarters,
// and joined in a cycle each, by copies of what tells how. The last word of a span takes the cycle
// behind its last chunk, in which no other comes.

`default_nettype none

module sealgate_byte_pack
  import sealgate_pkg::*;
  import sealgate_record_pkg::*;
#(
  parameter bit Pipelined = 1'b0
) (
  input  wire logic                 clk_i,
  input  wire logic                 rst_ni,

  // The first chunk of a span says where the span begins. At least a cycle is between the last chunk
  // of a span and the first of the next one. With `Pipelined` the data comes ChunkStages cycles
  // later than the rest.
  input  wire logic                 chunk_valid_i,
  output      logic                 chunk_ready_o,
  input  wire logic                 chunk_first_i,
  input  wire logic [3:0]           chunk_offset_i,
  input  wire logic [4:0]           chunk_bytes_i,
  input  wire logic                 chunk_last_i,
  input  wire logic [WordWidth-1:0] chunk_data_i,

  output      logic                 word_valid_o,
  input  wire logic                 word_ready_i,
  output      logic [WordWidth-1:0] word_data_o
);

  // --- Place in the word -------------------------------------------------------------------------

  logic [3:0] fill_q;
  logic [3:0] fill;        // bytes of the word in front of the chunk
  logic [5:0] total;
  logic       taken;
  logic       flushing_q;  // it does

  assign fill  = chunk_first_i ? chunk_offset_i : fill_q;
  assign total = {2'b0, fill} + {1'b0, chunk_bytes_i};
  assign taken = chunk_valid_i && chunk_ready_o;

  always_ff @(posedge clk_i) begin
    if (taken) fill_q <= total[3:0];
  end

  if (Pipelined) begin : g_pipelined
    localparam int unsigned NumQuarters = 4;

    logic                             room;
    logic                             taken_q, first_q, last_q;
    logic [5:0]                       total_q;
    logic                             full, flush;  // as below, of the chunk before
    logic [3:0]                       place_q;
    logic [NumQuarters-1:0][3:0]      by_bytes, by_quarters;
    logic                             turned_valid, turned_full, turned_flush, turned_first;
    logic                             flush_due_q;
    logic [NumQuarters-1:0][2:0]      join_q;
    logic [NumQuarters-1:0][31:0]     bytes_q, turned_q, rest_q, word_q;
    logic [WordBytes-1:0]             front_q;
    logic                             word_valid_q;

    assign chunk_ready_o = room;

    // A cycle behind the decision.
    always_ff @(posedge clk_i) begin
      taken_q <= taken && rst_ni;
      total_q <= total;
      first_q <= chunk_first_i;
      last_q  <= chunk_last_i;
      place_q <= fill;
    end

    assign full  = total_q[5:4] != 2'b0;
    assign flush = last_q && (total_q[3:0] != 4'd0);

    // With the chunk: turned by less than a quarter.
    sealgate_copies #(
      .Width(4),
      .Copies(NumQuarters)
    ) u_by_bytes (
      .clk_i,
      .value_i(place_q),
      .copies_o(by_bytes)
    );

    always_ff @(posedge clk_i) begin
      for (int unsigned i = 0; i < NumQuarters; i++) begin
        unique case (by_bytes[i][1:0])
          2'd0:    bytes_q[i] <= chunk_data_i[32*i+:32];
          2'd1:    bytes_q[i] <= {chunk_data_i[32*i+:24], chunk_data_i[32*((i+3)%4)+24+:8]};
          2'd2:    bytes_q[i] <= {chunk_data_i[32*i+:16], chunk_data_i[32*((i+3)%4)+16+:16]};
          default: bytes_q[i] <= {chunk_data_i[32*i+:8], chunk_data_i[32*((i+3)%4)+8+:24]};
        endcase
      end
    end

    // Then by quarters.
    for (genvar i = 0; i < NumQuarters; i++) begin : g_quarter
      sealgate_copies #(
        .Width(4),
        .Copies(1)
      ) u_by_quarters (
        .clk_i,
        .value_i(by_bytes[i]),
        .copies_o(by_quarters[i])
      );

      always_ff @(posedge clk_i) begin
        turned_q[i] <= bytes_q[2'(i)-by_quarters[i][3:2]];
        for (int unsigned b = 0; b < 4; b++) front_q[4*i+b] <= 4'(4 * i + b) < by_quarters[i];
      end
    end

    sealgate_delay #(
      .Width(4),
      .Cycles(2)
    ) u_turned (
      .clk_i,
      .value_i({taken_q && rst_ni, full, flush, first_q}),
      .value_o({turned_valid, turned_full, turned_flush, turned_first})
    );

    // Then joined.
    sealgate_copies #(
      .Width(3),
      .Copies(NumQuarters)
    ) u_join (
      .clk_i,
      .value_i({turned_valid, turned_full, turned_first}),
      .copies_o(join_q)
    );

    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        flush_due_q  <= 1'b0;
        flushing_q   <= 1'b0;
        word_valid_q <= 1'b0;
      end else begin
        flush_due_q  <= turned_valid && turned_flush;
        flushing_q   <= flush_due_q;
        word_valid_q <= flushing_q || (join_q[0][2] && join_q[0][1]);
      end
    end

    always_ff @(posedge clk_i) begin
      for (int unsigned i = 0; i < NumQuarters; i++) begin
        for (int unsigned b = 0; b < 4; b++) begin
          // A cycle without a chunk has the rest leave, if any.
          word_q[i][8*b+:8] <= ((front_q[4*i+b] || !join_q[i][2]) ? 8'd0 : turned_q[i][8*b+:8]) |
                               ((join_q[i][2] && join_q[i][0]) ? 8'd0 : rest_q[i][8*b+:8]);
          if (join_q[i][2]) begin
            rest_q[i][8*b+:8] <= (join_q[i][1] == front_q[4*i+b]) ? turned_q[i][8*b+:8] : 8'd0;
            if (!join_q[i][1]) begin
              rest_q[i][8*b+:8] <= (front_q[4*i+b] ? 8'd0 : turned_q[i][8*b+:8]) |
                                   (join_q[i][0] ? 8'd0 : rest_q[i][8*b+:8]);
            end
          end
        end
      end
    end

    sealgate_landing #(
      .Width(WordWidth)
    ) u_words (
      .clk_i,
      .rst_ni,
      .room_o (room),
      .valid_i(word_valid_q),
      .data_i (word_q),
      .valid_o(word_valid_o),
      .ready_i(word_ready_i),
      .data_o (word_data_o)
    );
  end else begin : g_direct
    logic [63:0] by_bytes_low, by_bytes_high;  // turned by less than a quarter
    logic [63:0] low, high;
    logic [63:0] rest_low_q;
    logic [63:0] rest_high_q;
    logic [63:0] front_low, front_high;        // bytes of the word in front of the chunk
    logic [63:0] joined_low, joined_high;
    logic        full;                         // there is a word
    logic        flush;                        // the rest leaves as the last word

    assign full  = total[5:4] != 2'b0;
    assign flush = chunk_last_i && (total[3:0] != 4'd0);

    always_comb begin
      by_bytes_low  = push_bytes(chunk_data_i[63:0], chunk_data_i[127:104], fill[1:0]);
      by_bytes_high = push_bytes(chunk_data_i[127:64], chunk_data_i[63:40], fill[1:0]);
      unique case (fill[3:2])
        2'd0:    {high, low} = {by_bytes_high, by_bytes_low};
        2'd1:    {high, low} = {by_bytes_high[31:0], by_bytes_low, by_bytes_high[63:32]};
        2'd2:    {high, low} = {by_bytes_low, by_bytes_high};
        default: {high, low} = {by_bytes_low[31:0], by_bytes_high, by_bytes_low[63:32]};
      endcase
      front_low   = keep_low({1'b0, fill});
      front_high  = keep_high({1'b0, fill});
      joined_low  = low & ~front_low;
      joined_high = high & ~front_high;
      if (!chunk_first_i) begin
        joined_low  = joined_low | rest_low_q;
        joined_high = joined_high | rest_high_q;
      end
    end

    assign word_valid_o  = flushing_q || (chunk_valid_i && full);
    assign word_data_o   = flushing_q ? {rest_high_q, rest_low_q} : {joined_high, joined_low};
    assign chunk_ready_o = !flushing_q && (!full || word_ready_i);

    always_ff @(posedge clk_i) begin
      if (!rst_ni) flushing_q <= 1'b0;
      else if (taken) flushing_q <= flush;
      else if (word_ready_i) flushing_q <= 1'b0;
    end

    always_ff @(posedge clk_i) begin
      if (taken) begin
        rest_low_q  <= full ? low & front_low : joined_low;
        rest_high_q <= full ? high & front_high : joined_high;
      end
    end
  end

endmodule

`default_nettype wire
