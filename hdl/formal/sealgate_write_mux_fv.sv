// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// sealgate_write_mux: what is offered on AW and W stays as it is until it is accepted; data comes
// in the order of the addresses, none before its address is offered; every burst has as many
// beats as its address says, the last of them marked.
//
// Writers keep their own side of the rules: what they offer stays, and a lane marks the last beat
// of each of its bursts. Each writer's data is its number, and each lane's bursts have a length of
// its own, so that whose data comes to the bus can be told. Any one burst is marked as its address
// is offered, and followed through the order; as any may be the marked one, all are in order.

`default_nettype none

module sealgate_write_mux_fv
  import sealgate_pkg::*;
(
  input wire logic       clk_i,
  input wire logic       completion_valid_i,
  input wire logic [1:0] aw_valid_i,
  input wire logic [7:0] address_i[2],
  input wire logic [1:0] w_valid_i,
  input wire logic [1:0] len_i[2],
  input wire logic       aw_ready_i,
  input wire logic       w_ready_i,
  input wire logic       mark_i
);

  localparam int unsigned Lanes = 2;
  localparam logic [15:0] Completion = 16'(PortQueues);

  logic rst_ni = 1'b0;  // low in the first cycle
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic              completion_ready;
  logic [Lanes-1:0]  lane_aw_ready;
  logic [Lanes-1:0]  lane_w_ready;
  logic [Lanes-1:0]  lane_w_last;
  logic [63:0]       lane_address[Lanes];
  logic [7:0]        lane_len    [Lanes];
  logic [15:0]       lane_data   [Lanes];
  logic [1:0]        lane_strb   [Lanes];
  logic [1:0]        lane_beat_q [Lanes];  // of the lane's burst

  bus_id_t     aw_id;
  logic [63:0] aw_address;
  logic [7:0]  aw_len;
  logic        aw_valid;
  logic [15:0] w_data;
  logic [1:0]  w_strb;
  logic        w_last;
  logic        w_valid;

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    assign lane_address[l] = {56'd0, address_i[l]};
    assign lane_len[l]     = {6'd0, len_i[l]};
    assign lane_data[l]    = 16'(l);
    assign lane_strb[l]    = 2'(l + 1);
    assign lane_w_last[l]  = lane_beat_q[l] == len_i[l];

    always_ff @(posedge clk_i) begin
      if (!rst_ni) lane_beat_q[l] <= '0;
      else if (w_valid_i[l] && lane_w_ready[l]) begin
        lane_beat_q[l] <= lane_w_last[l] ? '0 : lane_beat_q[l] + 2'd1;
      end
    end
  end

  sealgate_write_mux #(
    .Lanes(Lanes),
    .DataWidth(16)
  ) dut (
    .clk_i,
    .rst_ni,
    .completion_valid_i,
    .completion_ready_o  (completion_ready),
    .completion_address_i(64'd0),
    .completion_data_i   (Completion),
    .completion_strb_i   (2'd3),
    .lane_aw_valid_i     (aw_valid_i),
    .lane_aw_ready_o     (lane_aw_ready),
    .lane_aw_address_i   (lane_address),
    .lane_aw_len_i       (lane_len),
    .lane_w_valid_i      (w_valid_i),
    .lane_w_ready_o      (lane_w_ready),
    .lane_w_data_i       (lane_data),
    .lane_w_strb_i       (lane_strb),
    .lane_w_last_i       (lane_w_last),
    .aw_id_o             (aw_id),
    .aw_address_o        (aw_address),
    .aw_len_o            (aw_len),
    .aw_valid_o          (aw_valid),
    .aw_ready_i,
    .w_data_o            (w_data),
    .w_strb_o            (w_strb),
    .w_last_o            (w_last),
    .w_valid_o           (w_valid),
    .w_ready_i
  );

  // --- The rules of the writers ------------------------------------------------------------------

  logic       before_q = 1'b0;
  logic [1:0] aw_waits_q;
  logic [1:0] w_waits_q;
  logic [7:0] address_q[2];
  logic [1:0] len_q[2];

  always_ff @(posedge clk_i) begin
    before_q   <= 1'b1;
    aw_waits_q <= rst_ni ? aw_valid_i & ~lane_aw_ready : '0;
    w_waits_q  <= rst_ni ? w_valid_i & ~lane_w_ready : '0;
    address_q  <= address_i;
    len_q      <= len_i;
  end

  // The FIFO of kept beats hands out what was put in: fifo.sby proves it.
  always_comb begin
    m_kept: assume (!dut.kept_valid || ({dut.kept_strb, dut.kept_data} == {2'd3, Completion}));
  end

  for (genvar l = 0; l < Lanes; l++) begin : gen_rules
    always_comb begin
      m_len: assume (!before_q || (len_i[l] == len_q[l]));
      m_aw:  assume (!before_q || !aw_waits_q[l] ||
                     (aw_valid_i[l] && (address_i[l] == address_q[l])));
      m_w:   assume (!before_q || !w_waits_q[l] || w_valid_i[l]);
    end
  end

  // --- AW and W stay -----------------------------------------------------------------------------

  logic        aw_held_q;
  logic        w_held_q;
  logic [82:0] aw_was_q;
  logic [18:0] w_was_q;

  always_ff @(posedge clk_i) begin
    aw_held_q <= rst_ni && aw_valid && !aw_ready_i;
    w_held_q  <= rst_ni && w_valid && !w_ready_i;
    aw_was_q  <= {aw_id, aw_address, aw_len};
    w_was_q   <= {w_data, w_strb, w_last};
    if (rst_ni) begin
      a_aw_stable: assert (!aw_held_q || (aw_valid && ({aw_id, aw_address, aw_len} == aw_was_q)));
      a_w_stable:  assert (!w_held_q || (w_valid && ({w_data, w_strb, w_last} == w_was_q)));
    end
  end

  // --- The order ---------------------------------------------------------------------------------

  logic [7:0]  addresses_q;  // offered on the bus
  logic [7:0]  accepted_q;   // of these
  logic [7:0]  bursts_q;     // whose last beat was accepted
  logic [1:0]  beat_q;       // accepted, of the burst under way
  logic        marked_q;
  logic [7:0]  marked_burst_q;
  logic [15:0] marked_writer_q;
  logic        aw_new;       // an address is offered for the first time
  logic        w_taken;

  assign aw_new  = aw_valid && !aw_held_q;
  assign w_taken = w_valid && w_ready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      addresses_q <= '0;
      accepted_q  <= '0;
      bursts_q    <= '0;
      beat_q      <= '0;
      marked_q    <= 1'b0;
    end else begin
      addresses_q <= addresses_q + 8'(aw_new);
      accepted_q  <= accepted_q + 8'(aw_valid && aw_ready_i);
      bursts_q    <= bursts_q + 8'(w_taken && w_last);
      if (w_taken) beat_q <= w_last ? '0 : beat_q + 2'd1;
      if (aw_new && mark_i && !marked_q) begin
        marked_q        <= 1'b1;
        marked_burst_q  <= addresses_q;
        marked_writer_q <= 16'(aw_id[BusIdWidth-1:BusTagWidth]);
      end else if (w_taken && w_last && (bursts_q == marked_burst_q)) begin
        marked_q <= 1'b0;
      end
    end
  end

  logic [7:0]  open_bursts;    // offered on AW, not ended on W
  logic [4:0]  newest_place;   // in the order, of the address that was offered last
  logic [1:0]  len_of_data;    // of the bursts of the writer whose data is offered
  logic [7:0]  marked_ahead;   // bursts before the marked one in the order
  logic [4:0]  marked_place;   // of it there
  logic [15:0] place_writer;
  logic        last_offered;
  logic [1:0]  head_beats;     // of the burst at the head of the order, taken from its writer
  logic        head_valid;

  assign open_bursts  = addresses_q - bursts_q;
  assign newest_place = dut.u_order.write_q - 5'd1;
  assign len_of_data  = w_data[2] ? 2'd0 : len_i[w_data[0]];
  assign last_offered = w_valid && w_last;
  assign marked_ahead = marked_burst_q - bursts_q - 8'(last_offered);
  assign marked_place = dut.u_order.read_q + marked_ahead[4:0];
  assign place_writer = dut.u_order.words_q[marked_place][1] ? Completion :
                        {15'd0, dut.u_order.words_q[marked_place][0]};
  assign head_beats   = (w_valid && !w_last) ? beat_q + 2'd1 : last_offered ? '0 : beat_q;
  assign head_valid   = dut.u_order.count_q != '0;

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      a_order:   assert (!(marked_q && w_valid && (bursts_q == marked_burst_q)) ||
                         (w_data == marked_writer_q));
      a_address: assert (!w_valid || (open_bursts != '0));
      a_last:    assert (!w_valid || (w_last == (beat_q == len_of_data)));
      a_strb:    assert (!w_valid || (w_strb == (w_data[2] ? 2'd3 : w_data[1:0] + 2'd1)));

      // What carries the induction.
      a_writer:  assert (!w_valid || (w_data == Completion) || (w_data < 16'(Lanes)));
      a_count:   assert (open_bursts + 8'(aw_new) ==
                         8'(dut.u_order.count_q) + 8'(last_offered));
      a_depth:   assert (dut.u_order.count_q <= 6'd32);
      a_ring:    assert (dut.u_order.write_q == dut.u_order.read_q + dut.u_order.count_q[4:0]);
      a_marked:  assert (!marked_q || (marked_burst_q - bursts_q < open_bursts));
      a_place:   assert (!marked_q || (last_offered && (bursts_q == marked_burst_q)) ||
                         (place_writer == marked_writer_q));
      a_aw:      assert (!aw_new || (aw_id == {dut.u_order.words_q[newest_place][1] ? PortQueues :
                                           3'(dut.u_order.words_q[newest_place][0]), 8'd0}));
      a_middle:  assert (!(w_valid && !w_last) || (head_valid &&
                         (w_data == (dut.turn.completion ? Completion : {15'd0, dut.turn.lane}))));
      a_started: assert ((head_beats == '0) || (head_valid && !dut.turn.completion));

      c_deep: cover (marked_q && w_taken && (bursts_q == marked_burst_q) && (bursts_q >= 8'd2) &&
                     (marked_writer_q == 16'd1) && w_last && (len_i[1] != '0));
      c_early: cover (w_taken && aw_valid && !aw_ready_i && (accepted_q == bursts_q));
    end
  end

  for (genvar l = 0; l < Lanes; l++) begin : gen_beats
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        a_beats: assert (lane_beat_q[l] ==
                         ((head_valid && !dut.turn.completion && (dut.turn.lane == 1'(l))) ?
                          head_beats : 2'd0));
        a_lens:  assert (lane_beat_q[l] <= len_i[l]);
      end
    end
  end

endmodule

`default_nettype wire
