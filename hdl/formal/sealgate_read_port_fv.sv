// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// sealgate_read_port: what is offered on AR stays as it is until it is accepted; no burst crosses a
// multiple of BurstBytes, and so none 4 KiB; no tag is given to two bursts at a time; no more rows
// are asked for than the buffer has, and no beat falls on a row whose words have not left, in
// whatever order and however interleaved beats come.
//
// Memory answers every burst it accepted with as many beats as were asked for. As long as a row of
// the buffer is given away it is owed by exactly one burst, or has landed, or is about to; no other
// row is. Rows are wider than those of any bus, so that there are few of them and the buffer is
// soon full.

`default_nettype none

module sealgate_read_port_fv
  import sealgate_pkg::*;
(
  input wire logic        clk_i,
  input wire logic        span_valid_i,
  input wire logic [11:0] address_i,
  input wire length_t     bytes_i,
  input wire logic        ar_ready_i,
  input wire logic        r_valid_i,
  input wire logic        r_tag_i,
  input wire logic        word_ready_i
);

  localparam int unsigned DataWidth = 2048;
  localparam int unsigned Tags = 2;
  localparam int unsigned RowBytes = DataWidth / 8;
  localparam int unsigned Rows = 8;
  localparam int unsigned BurstRows = BurstBytes / RowBytes;

  logic rst_ni = 1'b0;  // low in the first cycle
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic        ar_valid;
  logic [7:0]  ar_tag;
  logic [63:0] ar_address;
  logic [7:0]  ar_len;
  logic        word_valid;

  sealgate_read_port #(
    .DataWidth  (DataWidth),
    .Tags       (Tags),
    .BufferBytes(Rows * RowBytes)
  ) dut (
    .clk_i,
    .rst_ni,
    .span_valid_i,
    .span_ready_o(),
    .span_i      ('{address: {52'd0, address_i}, bytes: bytes_i}),
    .ar_valid_o  (ar_valid),
    .ar_ready_i,
    .ar_tag_o    (ar_tag),
    .ar_address_o(ar_address),
    .ar_len_o    (ar_len),
    .r_valid_i,
    .r_tag_i     ({7'd0, r_tag_i}),
    .r_data_i    ('0),
    .r_error_i   (1'b0),
    .word_valid_o(word_valid),
    .word_ready_i,
    .word_data_o (),
    .word_error_o(),
    .busy_o      ()
  );

  // --- Memory ------------------------------------------------------------------------------------

  logic [Tags-1:0] asked_q;       // bursts accepted and not answered in full
  logic [2:0]      left_q[Tags];  // beats of them
  logic            reordered_q;   // a later burst has overtaken the oldest

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      asked_q     <= '0;
      reordered_q <= 1'b0;
    end else begin
      if (ar_valid && ar_ready_i) begin
        asked_q[ar_tag[0]] <= 1'b1;
        left_q[ar_tag[0]]  <= ar_len[2:0] + 3'd1;
      end
      if (r_valid_i) begin
        left_q[r_tag_i] <= left_q[r_tag_i] - 3'd1;
        if (left_q[r_tag_i] == 3'd1) asked_q[r_tag_i] <= 1'b0;
        if ((r_tag_i) && asked_q[0]) reordered_q <= 1'b1;
      end
    end
  end

  always_comb begin
    m_bytes: assume ((bytes_i != '0) && (bytes_i <= length_t'(1 << 20)));
    m_beat:  assume (!r_valid_i || asked_q[r_tag_i]);
  end

  // --- AR ----------------------------------------------------------------------------------------

  logic        ar_held_q;
  logic [79:0] ar_was_q;

  always_ff @(posedge clk_i) begin
    ar_held_q <= rst_ni && ar_valid && !ar_ready_i;
    ar_was_q  <= {ar_tag, ar_address, ar_len};
  end

  always_comb begin
    if (rst_ni) begin
      a_stable: assert (!ar_held_q || (ar_valid && ({ar_tag, ar_address, ar_len} == ar_was_q)));
      a_border: assert (!ar_valid || (3'(ar_address[9:8]) + 3'(ar_len[1:0]) < 3'(BurstRows)));
      a_length: assert (!ar_valid || (ar_len < 8'(BurstRows)));
      a_tag:    assert (!ar_valid || ((ar_tag < 8'(Tags)) && !asked_q[ar_tag[0]]));

      // What ties the rows together.
      a_rest: assert (!dut.open_q || (dut.rest_q != '0));
    end
  end

  // --- Tags --------------------------------------------------------------------------------------

  logic [2:0] next[Tags];  // row that the tag's next beat falls on
  logic [1:0] more[Tags];  // beats behind it

  for (genvar t = 0; t < Tags; t++) begin : gen_tag
    logic [1:0] beat;  // index of the next
    logic [1:0] last;
    logic       offered;

    assign offered = ar_valid && (ar_tag[0] == 1'(t));
    assign last    = dut.bursts_q[t][1:0];
    assign beat    = dut.fresh_q[t] ? 2'd0 : dut.beats_q[t];
    assign next[t] = dut.bursts_q[t][4:2] + 3'(beat);
    assign more[t] = last - beat;

    always_comb begin
      if (rst_ni) begin
        a_owed:    assert (dut.under_way_q[t] == (asked_q[t] || offered));
        a_left:    assert (!asked_q[t] || ((beat <= last) && (left_q[t] == 3'(more[t]) + 3'd1)));
        a_offered: assert (!offered || (dut.fresh_q[t] && (ar_len == 8'(last))));
        a_fresh:   assert (!dut.fresh_q[t] || dut.under_way_q[t]);
      end
    end
  end

  // --- Rows --------------------------------------------------------------------------------------

  for (genvar r = 0; r < Rows; r++) begin : gen_row
    logic [2:0]      place;    // in the order of leaving
    logic            given;
    logic            landing;
    logic            landed;
    logic [Tags-1:0] owed;     // by the tag's burst
    logic [2:0]      holders;

    for (genvar t = 0; t < Tags; t++) begin : gen_owed
      assign owed[t] = dut.under_way_q[t] && (3'(r) - next[t] <= 3'(more[t]));
    end

    assign place   = 3'(r) - dut.read_row_q;
    assign given   = {1'b0, place} < dut.reserved_q;
    assign landing = dut.landing_q && (dut.landing_row_q == 3'(r));
    assign landed  = dut.landed_q[r];
    assign holders = 3'(owed[0]) + 3'(owed[1]) + 3'(landing) + 3'(landed);

    always_comb begin
      if (rst_ni) begin
        a_empty: assert (!landing || !landed);
        a_one:   assert (holders == 3'(given));
      end
    end
  end

  always_comb begin
    if (rst_ni) begin
      a_room:  assert (dut.reserved_q <= 4'(Rows));
      a_leave: assert (!dut.row_leaves || (dut.reserved_q != '0));
      a_here:  assert (!dut.landed_here_q || dut.landed_q[dut.read_row_q]);
      a_after: assert (dut.after_row_q == dut.read_row_q + 3'd1);

      // What ties the rows together.
      a_ring:  assert (dut.row_q == dut.read_row_q + dut.reserved_q[2:0]);

      c_reordered: cover (reordered_q && word_valid && (dut.reserved_q > 4'd4));
      c_full:      cover (dut.open_q && (dut.reserved_q == 4'(Rows)) && (asked_q == '1));
    end
  end

endmodule

`default_nettype wire
