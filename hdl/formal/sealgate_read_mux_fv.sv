// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// sealgate_read_mux: an address offered to the bus stays as it is until it is accepted; every
// address that a reader hands over comes to the bus, under the ID of that reader and unchanged; a
// lane is handed over nothing while an entry waits.
//
// Readers keep their own side of the rule: what they offer stays.

`default_nettype none

module sealgate_read_mux_fv
  import sealgate_pkg::*;
(
  input wire logic        clk_i,
  input wire logic        entry_valid_i,
  input wire logic [15:0] entry_i,  // tag and length; the address stands for both
  input wire logic [1:0]  lane_valid_i,
  input wire logic [15:0] lane_i[2],
  input wire logic        ready_i
);

  localparam int unsigned Lanes = 2;

  logic rst_ni = 1'b0;  // low in the first cycle
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic        entry_ready;
  logic [1:0]  lane_ready;
  logic        valid;
  bus_id_t     id;
  logic [63:0] address;
  logic [7:0]  len;
  logic [7:0]  lane_tag    [Lanes];
  logic [63:0] lane_address[Lanes];
  logic [7:0]  lane_len    [Lanes];

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    assign lane_tag[l]     = lane_i[l][7:0];
    assign lane_len[l]     = lane_i[l][15:8];
    assign lane_address[l] = {48'd0, lane_i[l]};
  end

  sealgate_read_mux #(
    .Lanes(Lanes)
  ) dut (
    .clk_i,
    .rst_ni,
    .entry_ar_valid_i  (entry_valid_i),
    .entry_ar_ready_o  (entry_ready),
    .entry_ar_tag_i    (entry_i[7:0]),
    .entry_ar_address_i({48'd0, entry_i}),
    .entry_ar_len_i    (entry_i[15:8]),
    .lane_ar_valid_i   (lane_valid_i),
    .lane_ar_ready_o   (lane_ready),
    .lane_ar_tag_i     (lane_tag),
    .lane_ar_address_i (lane_address),
    .lane_ar_len_i     (lane_len),
    .ar_id_o           (id),
    .ar_address_o      (address),
    .ar_len_o          (len),
    .ar_valid_o        (valid),
    .ar_ready_i        (ready_i)
  );

  logic [2:0]  taken;      // from lane 0, lane 1, the queues
  logic [2:0]  taken_q;    // in the last cycle
  logic [15:0] what_q;     // was taken
  logic        waits_q;    // an address was offered and not accepted
  logic [82:0] offered_q;
  logic [1:0]  lane_waits_q;
  logic        entry_waits_q;
  logic [15:0] lane_q[2];
  logic [15:0] entry_q;
  logic        both_q;     // both lanes have been taken from

  assign taken = {entry_valid_i && entry_ready, lane_valid_i & lane_ready};

  always_ff @(posedge clk_i) begin
    lane_q        <= lane_i;
    entry_q       <= entry_i;
    offered_q     <= {id, address, len};
    taken_q       <= rst_ni ? taken : '0;
    what_q        <= taken[2] ? entry_i : taken[1] ? lane_i[1] : lane_i[0];
    waits_q       <= rst_ni && valid && !ready_i;
    lane_waits_q  <= rst_ni ? lane_valid_i & ~lane_ready : '0;
    entry_waits_q <= rst_ni && entry_valid_i && !entry_ready;
    both_q        <= rst_ni && (taken_q[1:0] == 2'b10) && taken[0];
  end

  always_comb begin
    m_entry: assume (!rst_ni || !entry_waits_q || (entry_valid_i && (entry_i == entry_q)));
  end

  for (genvar l = 0; l < Lanes; l++) begin : gen_rules
    always_comb begin
      m_lane: assume (!rst_ni || !lane_waits_q[l] || (lane_valid_i[l] && (lane_i[l] == lane_q[l])));
    end
  end

  logic [2:0] port;
  assign port = taken_q[2] ? PortQueues : taken_q[1] ? 3'd1 : 3'd0;

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      a_stable: assert (!waits_q || (valid && ({id, address, len} == offered_q)));
      a_one:    assert ((taken & (taken - 3'd1)) == '0);
      a_first:  assert (!entry_valid_i || (taken[1:0] == '0));
      a_room:   assert ((taken == '0) || !valid || ready_i);
      a_whole:  assert ((taken_q == '0) || (valid && (id == {port, what_q[7:0]}) &&
                                            (len == what_q[15:8]) && (address == {48'd0, what_q})));
      a_none:   assert (!valid || waits_q || (taken_q != '0));

      c_turns: cover (both_q);
      c_entry: cover (taken[2] && (lane_valid_i == '1) && taken_q[1]);
    end
  end

endmodule

`default_nettype wire
