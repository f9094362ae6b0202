// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Round-robin arbiter.
//
// Theory of operation: the search for a request starts at first_q and goes round. When the grant is
// accepted, the search starts behind it the next time; while it is not, the search starts at it, so
// that a grant once shown stays until it is accepted, whoever else asks meanwhile. A request that
// stays is granted after at most Count - 1 others.

`default_nettype none

module sealgate_arbiter #(
  parameter int unsigned Count = 4,
  localparam int unsigned IndexWidth = (Count > 1) ? $clog2(Count) : 1
) (
  input  wire logic                  clk_i,
  input  wire logic                  rst_ni,

  input  wire logic [Count-1:0]      request_i,  // stays until it is granted and accepted
  output      logic [Count-1:0]      grant_o,    // one bit at most
  output      logic [IndexWidth-1:0] index_o,    // of the grant
  output      logic                  valid_o,    // somebody is granted
  input  wire logic                  ready_i     // the grant is accepted
);

  localparam logic [IndexWidth-1:0] LastIndex = IndexWidth'(Count - 1);

  logic [IndexWidth-1:0] first_q;

  always_comb begin
    index_o = first_q;
    // From the last place to the first: the first request in the order of the search prevails.
    if (request_i != '0) begin
      for (int unsigned i = Count; i > 0; i--) begin
        if (request_i[i-1]) index_o = IndexWidth'(i - 1);
      end
      for (int unsigned i = Count; i > 0; i--) begin
        if (request_i[i-1] && (IndexWidth'(i - 1) >= first_q)) index_o = IndexWidth'(i - 1);
      end
    end
  end

  assign valid_o = request_i != '0;
  assign grant_o = valid_o ? Count'(1) << index_o : '0;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      first_q <= '0;
    end else if (valid_o) begin
      if (!ready_i) first_q <= index_o;
      else first_q <= (index_o == LastIndex) ? '0 : index_o + 1'b1;
    end
  end

endmodule

`default_nettype wire
