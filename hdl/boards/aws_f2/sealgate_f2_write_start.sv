// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Write addresses that name the doubleword of the first byte written.
//
// Theory of operation: the engine's addresses are those of whole beats, and strobes say where in the
// first beat the data begins; the shell wants the address to say so too. An address waits until the
// first beat of its burst is here and gets the place from its strobes. Beats wait in a queue deep
// enough that none of this shows in the rate, and are offered from the cycle on in which their
// address is, for the shell may want to see a beat before it takes the address. All beats of a burst
// follow its first without help from the shell, so that none keeps the shell waiting.

`default_nettype none

module sealgate_f2_write_start #(
  parameter int unsigned DataWidth = 512,
  parameter int unsigned IdWidth = 3
) (
  input  wire logic                   clk_i,
  input  wire logic                   rst_ni,

  input  wire logic [IdWidth-1:0]     engine_aw_id_i,
  input  wire logic [63:0]            engine_aw_address_i,
  input  wire logic [7:0]             engine_aw_len_i,
  input  wire logic                   engine_aw_valid_i,
  output      logic                   engine_aw_ready_o,
  input  wire logic [DataWidth-1:0]   engine_w_data_i,
  input  wire logic [DataWidth/8-1:0] engine_w_strb_i,
  input  wire logic                   engine_w_last_i,
  input  wire logic                   engine_w_valid_i,
  output      logic                   engine_w_ready_o,

  output      logic [IdWidth-1:0]     shell_aw_id_o,
  output      logic [63:0]            shell_aw_address_o,
  output      logic [7:0]             shell_aw_len_o,
  output      logic                   shell_aw_valid_o,
  input  wire logic                   shell_aw_ready_i,
  output      logic [DataWidth-1:0]   shell_w_data_o,
  output      logic [DataWidth/8-1:0] shell_w_strb_o,
  output      logic                   shell_w_last_o,
  output      logic                   shell_w_valid_o,
  input  wire logic                   shell_w_ready_i
);

  localparam int unsigned BeatBytes = DataWidth / 8;
  localparam int unsigned Dwords = BeatBytes / 4;
  localparam int unsigned DwordWidth = $clog2(Dwords);
  localparam int unsigned OffsetWidth = $clog2(BeatBytes);

  // Bursts whose address waits, and beats: more of them than it takes for an address to pass.
  localparam int unsigned BurstDepth = 8;
  localparam int unsigned BeatDepth = 8;

  typedef struct packed {
    logic [IdWidth-1:0] id;
    logic [63:0]        address;
    logic [7:0]         len;
  } burst_t;

  typedef struct packed {
    logic                 last;
    logic [BeatBytes-1:0] strb;
    logic [DataWidth-1:0] data;
  } beat_t;

  typedef logic [DwordWidth-1:0] dword_t;

  // --- What comes --------------------------------------------------------------------------------

  burst_t burst;
  logic   burst_valid;
  dword_t start;
  logic   start_valid;
  logic   starts_ready;
  logic   beats_ready;
  logic   beat_taken;
  logic   first_q;
  dword_t first_dword;
  logic   address_free;
  logic   address_start;

  assign engine_w_ready_o = beats_ready && starts_ready;
  assign beat_taken       = engine_w_valid_i && engine_w_ready_o;

  always_comb begin
    first_dword = '0;
    for (int unsigned i = Dwords; i > 0; i--) begin
      if (engine_w_strb_i[4*(i-1)+:4] != '0) first_dword = dword_t'(i - 1);
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) first_q <= 1'b1;
    else if (beat_taken) first_q <= engine_w_last_i;
  end

  sealgate_fifo #(
    .Width($bits(burst_t)),
    .Depth(BurstDepth)
  ) u_bursts (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(engine_aw_valid_i),
    .ready_o(engine_aw_ready_o),
    .data_i ({engine_aw_id_i, engine_aw_address_i, engine_aw_len_i}),
    .valid_o(burst_valid),
    .ready_i(address_start),
    .data_o (burst)
  );

  sealgate_fifo #(
    .Width(DwordWidth),
    .Depth(BurstDepth)
  ) u_starts (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(beat_taken && first_q),
    .ready_o(starts_ready),
    .data_i (first_dword),
    .valid_o(start_valid),
    .ready_i(address_start),
    .data_o (start)
  );

  // --- What leaves -------------------------------------------------------------------------------

  beat_t beat;
  logic  beat_valid;
  logic  beat_leaves;

  localparam int unsigned OpenWidth = $clog2(BurstDepth + 1);
  logic [OpenWidth-1:0] open_q;  // bursts whose address is offered and whose last beat has not left

  assign address_free  = (!shell_aw_valid_o || shell_aw_ready_i) &&
                         (open_q != OpenWidth'(BurstDepth));
  assign address_start = burst_valid && start_valid && address_free;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) shell_aw_valid_o <= 1'b0;
    else if (address_start) shell_aw_valid_o <= 1'b1;
    else if (shell_aw_ready_i) shell_aw_valid_o <= 1'b0;
  end

  always_ff @(posedge clk_i) begin
    if (address_start) begin
      shell_aw_id_o      <= burst.id;
      shell_aw_address_o <= {burst.address[63:OffsetWidth], start, 2'b00};
      shell_aw_len_o     <= burst.len;
    end
  end

  sealgate_fifo #(
    .Width($bits(beat_t)),
    .Depth(BeatDepth)
  ) u_beats (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(engine_w_valid_i && starts_ready),
    .ready_o(beats_ready),
    .data_i ({engine_w_last_i, engine_w_strb_i, engine_w_data_i}),
    .valid_o(beat_valid),
    .ready_i(shell_w_ready_i && (open_q != '0)),
    .data_o (beat)
  );

  assign shell_w_valid_o = beat_valid && (open_q != '0);
  assign shell_w_data_o  = beat.data;
  assign shell_w_strb_o  = beat.strb;
  assign shell_w_last_o  = beat.last;
  assign beat_leaves     = shell_w_valid_o && shell_w_ready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) open_q <= '0;
    else open_q <= open_q + OpenWidth'(address_start) - OpenWidth'(beat_leaves && beat.last);
  end

  logic unused;
  assign unused = ^burst.address[OffsetWidth-1:0];

endmodule

`default_nettype wire
