// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// One round's key of all contexts, for the composite pipe.
//
// Theory of operation: block RAM followed by a register of its own, because the way out of a block
// RAM takes half a cycle at the clock that the rounds reach: two cycles from context to round key.
// A context is never looked up while it is written: no record of it is under way.

`default_nettype none

module sealgate_aes_key_table #(
  parameter int unsigned NumContexts = 1024,
  localparam int unsigned CtxWidth = $clog2(NumContexts)
) (
  input  wire logic                clk_i,

  input  wire logic                write_i,
  input  wire logic [CtxWidth-1:0] write_ctx_i,
  input  wire logic [127:0]        write_key_i,

  input  wire logic [CtxWidth-1:0] ctx_i,
  // The four columns, two cycles later.
  output      logic [3:0][31:0]    key_o
);

  (* no_rw_check *)
  logic [127:0] key_mem[NumContexts];
  logic [127:0] read_q;

  always_ff @(posedge clk_i) begin
    if (write_i) key_mem[write_ctx_i] <= write_key_i;
  end

  always_ff @(posedge clk_i) begin
    read_q <= key_mem[ctx_i];
    key_o  <= read_q;
  end

endmodule

`default_nettype wire
