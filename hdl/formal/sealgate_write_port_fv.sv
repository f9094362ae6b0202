// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// sealgate_write_port: what is offered on AW and W stays as it is until it is accepted; no burst
// crosses a multiple of BurstBytes, and so none 4 KiB; a row leaves only after it was filled, and
// the rows of a burst are all there when its address is offered; a burst has as many beats as its
// address says, the last of them marked; strobes are those of the bytes of the span.
//
// Any one burst is marked as its last word comes, and followed to AW and to W. This is bounded: it
// holds for the cycles after reset that write_port.sby tells. Queues are shorter than by default,
// so that they fill in that time.

`default_nettype none

module sealgate_write_port_fv
  import sealgate_pkg::*;
(
  input wire logic        clk_i,
  input wire logic        span_valid_i,
  input wire logic [11:0] address_i,
  input wire length_t     bytes_i,
  input wire logic        word_valid_i,
  input wire logic        aw_ready_i,
  input wire logic        w_ready_i,
  input wire logic        b_valid_i,
  input wire logic        b_error_i,
  input wire logic        ack_ready_i,
  input wire logic        mark_i
);

  localparam int unsigned DataWidth = 128;
  localparam int unsigned RowBytes = DataWidth / 8;
  localparam int unsigned Rows = 128;
  localparam int unsigned BurstRows = BurstBytes / RowBytes;
  localparam int unsigned BurstsReady = 4;

  logic rst_ni = 1'b0;  // low in the first cycle
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  always_comb begin
    m_bytes: assume ((bytes_i != '0) && (bytes_i <= length_t'(3 * BurstBytes)));
  end

  logic                 word_ready;
  logic                 aw_valid;
  logic [63:0]          aw_address;
  logic [7:0]           aw_len;
  logic                 w_valid;
  logic [DataWidth-1:0] w_data;
  logic [RowBytes-1:0]  w_strb;
  logic                 w_last;

  sealgate_write_port #(
    .DataWidth  (DataWidth),
    .BufferBytes(Rows * RowBytes),
    .BurstsReady(BurstsReady),
    .BurstsUnderWay(4)
  ) dut (
    .clk_i,
    .rst_ni,
    .span_valid_i,
    .span_ready_o(),
    .span_i      ('{address: {52'd0, address_i}, bytes: bytes_i}),
    .word_valid_i,
    .word_ready_o(word_ready),
    .word_data_i ('0),
    .aw_valid_o  (aw_valid),
    .aw_ready_i,
    .aw_address_o(aw_address),
    .aw_len_o    (aw_len),
    .w_valid_o   (w_valid),
    .w_ready_i,
    .w_data_o    (w_data),
    .w_strb_o    (w_strb),
    .w_last_o    (w_last),
    .b_valid_i,
    .b_error_i,
    .ack_valid_o (),
    .ack_ready_i,
    .ack_error_o (),
    .busy_o      ()
  );

  // The FIFO of spans hands out what was put in: fifo.sby proves it.
  always_comb begin
    m_next: assume (!dut.next_valid || ((dut.next_span.bytes != '0) &&
                                        (dut.next_span.bytes <= length_t'(3 * BurstBytes))));
  end

  // --- AW and W stay -----------------------------------------------------------------------------

  logic                          aw_held_q;
  logic                          w_held_q;
  logic [71:0]                   aw_was_q;
  logic [DataWidth+RowBytes-1:0] w_was_q;
  logic                          w_last_was_q;

  always_ff @(posedge clk_i) begin
    aw_held_q    <= rst_ni && aw_valid && !aw_ready_i;
    w_held_q     <= rst_ni && w_valid && !w_ready_i;
    aw_was_q     <= {aw_address, aw_len};
    w_was_q      <= {w_strb, w_data};
    w_last_was_q <= w_last;
  end

  always_comb begin
    if (rst_ni) begin
      a_aw_stable: assert (!aw_held_q || (aw_valid && ({aw_address, aw_len} == aw_was_q)));
      a_w_stable:  assert (!w_held_q || (w_valid && ({w_strb, w_data} == w_was_q) &&
                                         (w_last == w_last_was_q)));
    end
  end

  // --- Rows --------------------------------------------------------------------------------------

  logic [5:0] first_row;   // of the burst that is filled, in its BurstBytes
  logic [5:0] row;         // that is filled
  logic [2:0] ws_count;
  logic [2:0] aws_count;
  logic       aws_fit;     // no burst on its way to AW crosses a border
  logic       ws_chained;  // each begins with the row behind the last of the one before it

  // Rows, counted from reset: filled and sent, and of the bursts on their way to W the last ones.
  logic [9:0] filled_q;
  logic [9:0] sent_q;
  logic [9:0] ends_q[BurstsReady];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      filled_q <= '0;
      sent_q   <= '0;
    end else begin
      filled_q <= filled_q + 10'(dut.row_done);
      sent_q   <= sent_q + 10'(dut.row_leaves);
    end
    if (dut.burst_done) ends_q[dut.u_ws.write_q] <= filled_q;
  end

  assign first_row = dut.start_q;
  assign row       = dut.address_q[9:4];
  assign ws_count  = dut.u_ws.count_q;
  assign aws_count = dut.u_aws.count_q;

  // A place of the FIFOs is in use if it is less than count places behind the head.
  function automatic logic in_use(logic [1:0] place, logic [1:0] head, logic [2:0] count);
    logic [1:0] behind;
    behind = place - head;
    return {1'b0, behind} < count;
  endfunction

  function automatic logic aw_fits(logic [65:0] burst);  // {address[63:4], last}
    return {1'b0, burst[11:6]} + {1'b0, burst[5:0]} < 7'(BurstRows);
  endfunction

  always_comb begin
    aws_fit    = 1'b1;
    ws_chained = 1'b1;
    for (int unsigned i = 0; i < BurstsReady; i++) begin
      if (in_use(2'(i), dut.u_ws.read_q, ws_count)) begin
        if (ends_q[i] - ((2'(i) == dut.u_ws.read_q) ? sent_q - 10'(dut.sent_q) - 10'd1 :
                         ends_q[2'(i-1)]) != 10'(dut.u_ws.words_q[i][13:8]) + 10'd1) begin
          ws_chained = 1'b0;
        end
      end
      if (in_use(2'(i), dut.u_aws.read_q, aws_count)) begin
        if (!aw_fits(dut.u_aws.words_q[i])) aws_fit = 1'b0;
      end
    end
  end

  logic [1:0]  tail;  // of the FIFO to W
  assign tail            = dut.u_ws.write_q - 2'd1;

  always_comb begin
    if (rst_ni) begin
      a_border: assert (!aw_valid ||
                        (11'(aw_address[9:0]) + {aw_len[6:0], 4'd0} < 11'(BurstBytes)));
      a_filled: assert (!dut.row_leaves || (dut.filled_q != '0));
      a_room:   assert (dut.filled_q <= 8'(Rows));

      // What ties the queues together.
      a_aws:   assert ((aws_count <= 3'(BurstsReady)) &&
                       (dut.u_aws.write_q == dut.u_aws.read_q + aws_count[1:0]));
      a_ws:    assert ((ws_count <= 3'(BurstsReady)) &&
                       (dut.u_ws.write_q == dut.u_ws.read_q + ws_count[1:0]));
      a_fits:  assert (aws_fit);
      a_rows:  assert (!dut.open_q || (first_row <= row));
      a_rest:  assert (!dut.open_q || (dut.words_q != '0));
      a_owed:  assert (10'(dut.filled_q) == filled_q - sent_q);
      a_chain: assert (ws_chained);
      a_tail:  assert (filled_q - 10'(dut.open_q ? row - first_row : 6'd0) ==
                       ((ws_count == '0) ? sent_q - 10'(dut.sent_q) : ends_q[tail] + 10'd1));
      a_sent:  assert ((dut.sent_q == '0) || (dut.w_waits && (dut.sent_q <= dut.w.last)));
    end
  end

  // --- One burst on both ways --------------------------------------------------------------------

  logic [7:0] bursts_q;     // filled
  logic [7:0] addresses_q;  // accepted on AW
  logic [7:0] ended_q;      // whose last beat was accepted on W
  logic [5:0] beat_q;       // of the burst on W
  logic       to_aw_q;      // the marked burst is on its way to AW
  logic       to_w_q;       // likewise to W
  logic [7:0] marked_q;
  logic [5:0] marked_last_q;
  span_t      span_q;       // whose words come
  logic [3:0] first_byte_q; // of the marked burst, in its first row
  logic [3:0] last_byte_q;  // likewise in its last
  logic       w_taken;
  logic       last_offered;

  assign w_taken      = w_valid && w_ready_i;
  assign last_offered = w_valid && w_last;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      bursts_q    <= '0;
      addresses_q <= '0;
      ended_q     <= '0;
      beat_q      <= '0;
      to_aw_q     <= 1'b0;
      to_w_q      <= 1'b0;
    end else begin
      if (dut.next_taken) span_q <= dut.next_span;
      bursts_q    <= bursts_q + 8'(dut.burst_done);
      addresses_q <= addresses_q + 8'(aw_valid && aw_ready_i);
      ended_q     <= ended_q + 8'(w_taken && w_last);
      if (w_taken) beat_q <= w_last ? '0 : beat_q + 6'd1;
      if (aw_valid && aw_ready_i && (addresses_q == marked_q)) to_aw_q <= 1'b0;
      if (w_taken && w_last && (ended_q == marked_q)) to_w_q <= 1'b0;
      if (dut.burst_done && mark_i && !to_aw_q && !to_w_q) begin
        to_aw_q       <= 1'b1;
        to_w_q        <= 1'b1;
        marked_q      <= bursts_q;
        marked_last_q <= row - first_row;
        first_byte_q  <= dut.first_q ? span_q.address[3:0] : '0;
        last_byte_q   <= dut.last_word ? span_q.address[3:0] + span_q.bytes[3:0] - 4'd1 : '1;
      end
    end
  end

  logic [7:0] aw_ahead;  // bursts before the marked one on its way to AW
  logic [7:0] w_ahead;   // likewise to W
  logic [1:0] aw_place;
  logic [1:0] w_place;
  logic       on_w;      // the marked burst is in the FIFO to W
  logic       at_w;      // a beat of the marked burst is offered

  assign aw_ahead = marked_q - addresses_q;
  assign w_ahead  = marked_q - ended_q - 8'(last_offered);
  assign aw_place = dut.u_aws.read_q + aw_ahead[1:0];
  assign w_place  = dut.u_ws.read_q + w_ahead[1:0];
  assign on_w     = to_w_q && (w_ahead < 8'(ws_count));
  assign at_w     = to_w_q && w_valid && (ended_q == marked_q);

  logic [RowBytes-1:0] strb;  // of the beat that is offered, if its burst is the marked one
  assign strb = ((beat_q == '0) ? {RowBytes{1'b1}} << first_byte_q : '1) &
                ((beat_q == marked_last_q) ? {RowBytes{1'b1}} >> (4'd15 - last_byte_q) : '1);

  always_comb begin
    if (rst_ni) begin
      a_aw_len: assert (!to_aw_q || (aw_ahead != '0) || (aw_len == 8'(marked_last_q)));
      a_w_last: assert (!at_w || (w_last == (beat_q == marked_last_q)));

      a_strb:   assert (!at_w || (w_strb == strb));

      // What ties the queues together.
      a_to_aw:    assert (bursts_q - addresses_q == 8'(aws_count));
      a_to_w:     assert (bursts_q - ended_q == 8'(ws_count) + 8'(last_offered));
      a_on_aw:    assert (!to_aw_q || (aw_ahead < 8'(aws_count)));
      a_left:     assert (!to_w_q || (marked_q - ended_q < bursts_q - ended_q));
      a_aw_place: assert (!to_aw_q || (dut.u_aws.words_q[aw_place][5:0] == marked_last_q));
      a_w_place:  assert (!on_w || (dut.u_ws.words_q[w_place][13:8] == marked_last_q));
      a_begun:    assert (dut.sent_q == ((w_valid && !w_last) ? beat_q + 6'd1 :
                                         last_offered ? 6'd0 : beat_q) ||
                          (last_offered && (dut.sent_q == '0)));
      a_middle_w: assert (!(w_valid && !w_last) || dut.w_waits);

      c_two: cover (at_w && w_taken && w_last && (beat_q == 6'd2) && (ended_q != '0) && !b_error_i);
    end
  end

  logic unused;
  assign unused = ^{word_ready, word_valid_i};

endmodule

`default_nettype wire
