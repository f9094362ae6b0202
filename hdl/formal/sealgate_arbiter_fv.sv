// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// sealgate_arbiter: one grant at most, to somebody who asks; a grant stays until it is accepted; a
// request is passed over by Count - 1 accepted grants at most.
//
// Any one requester is watched. Count is no power of two, so the search wraps by comparison.

`default_nettype none

module sealgate_arbiter_fv (
  input wire logic       clk_i,
  input wire logic [2:0] request_i,
  input wire logic       ready_i,
  input wire logic [1:0] watched_i
);

  localparam int unsigned Count = 3;

  logic rst_ni = 1'b0;  // low in the first cycle
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic [Count-1:0] grant;
  logic [1:0]       index;
  logic             valid;

  sealgate_arbiter #(
    .Count(Count)
  ) dut (
    .clk_i,
    .rst_ni,
    .request_i,
    .grant_o(grant),
    .index_o(index),
    .valid_o(valid),
    .ready_i
  );

  logic             before_q = 1'b0;  // there was a cycle before this one
  logic [1:0]       watched_q;
  logic [Count-1:0] stays_q;          // requests of the last cycle that were not accepted
  logic [Count-1:0] held_q;           // the grant of the last cycle, if it was not accepted
  logic [1:0]       passed_q;         // grants accepted since the watched requester asks
  logic             others_q;         // everybody asked ever since

  always_ff @(posedge clk_i) begin
    before_q  <= 1'b1;
    watched_q <= watched_i;
    stays_q   <= rst_ni ? request_i & ~(ready_i ? grant : '0) : '0;
    held_q    <= (rst_ni && !ready_i) ? grant : '0;
    if (!rst_ni || !request_i[watched_i] || (ready_i && grant[watched_i])) begin
      passed_q <= '0;
      others_q <= 1'b1;
    end else begin
      passed_q <= passed_q + 2'(valid && ready_i);
      others_q <= others_q && (request_i == '1);
    end
  end

  always_comb begin
    m_watched: assume (watched_i < 2'(Count));
    m_same:    assume (!before_q || (watched_i == watched_q));
    m_stays:   assume (!before_q || ((stays_q & ~request_i) == '0));
  end

  logic [1:0] distance;  // from the start of the search to the watched requester
  assign distance = (watched_i >= dut.first_q) ? watched_i - dut.first_q :
                                                 watched_i + 2'(Count) - dut.first_q;

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      a_one:   assert ((grant & (grant - 1'b1)) == '0);
      a_asked: assert ((grant & ~request_i) == '0);
      a_valid: assert ((valid == (request_i != '0)) && (valid == (grant != '0)));
      a_index: assert (!valid || grant[index]);
      a_held:  assert ((held_q & ~grant) == '0);
      a_fair:  assert (passed_q < 2'(Count));

      // What carries the induction.
      a_first:  assert (dut.first_q < 2'(Count));
      a_start:  assert ((held_q == '0) || held_q[dut.first_q]);
      a_nearer: assert ((passed_q == '0) || (32'(passed_q) + 32'(distance) < Count));

      c_longest: cover (others_q && (passed_q == 2'(Count - 1)) && grant[watched_i] && ready_i);
    end
  end

endmodule

`default_nettype wire
