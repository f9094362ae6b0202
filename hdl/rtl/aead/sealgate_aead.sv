// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The AEAD of a lane: AES-GCM and ChaCha20-Poly1305 behind one set of ports, a suite per record.
//
// Theory of operation: each record goes to the core of its suite. A command is handed on when all
// text of the record before it has entered, so that text always belongs to one core; two records of
// the same core follow each other as they do in the core alone. Records of both cores are under way
// at once: two queues note, in the order of commands, from which core the next text and the next
// tag are due, and what the other core has ready waits at its output. A tag is held until the last
// beat of its record has left or is at the output, as in the cores: `lead_q` counts the last beats
// that have left, less the tags taken of records with text. It is -1 while a tag was taken before
// the beat it belongs to. A key is loaded into the core of its suite; a wipe is taken by both at
// once. The clock of the AES-GCM core stands still when it has nothing to do; the first command,
// load or wipe after a rest is taken one cycle later for it. The ChaCha20-Poly1305 core does so
// itself.
//
// All byte vectors are in bus order: byte 0 in bits [7:0].

`default_nettype none

module sealgate_aead
  import sealgate_abi_pkg::*;
  import sealgate_aes_pkg::*;
  import sealgate_gf128_pkg::*;
  import sealgate_pkg::suite_t;
#(
  parameter int unsigned NumContexts = 1024,
  parameter sbox_style_e SboxStyle = SboxTable,
  parameter mul_style_e GfMulStyle = MulInteger,
  // With ChaCha20-Poly1305. Without, the caller refuses the suite.
  parameter bit Chacha = 1'b1,
  // Short queues between the parts of the lane.
  parameter bit Pipelined = (SboxStyle == SboxComposite),
  localparam int unsigned CtxWidth = $clog2(NumContexts)
) (
  input  wire logic                clk_i,
  input  wire logic                rst_ni,

  // Key load. A key of 128 bits is in the low half. The caller has no record of this context under
  // way and starts none before `key_done_o`, which is high for one cycle per load. It wipes a
  // context before it loads a key of another suite.
  input  wire logic                key_valid_i,
  output      logic                key_ready_o,
  input  wire logic [CtxWidth-1:0] key_ctx_i,
  input  wire logic [255:0]        key_data_i,
  input  wire suite_t              key_suite_i,
  output      logic                key_done_o,

  // Wipe of a context of which no record is under way. Done before the next load or wipe is taken.
  input  wire logic                wipe_valid_i,
  output      logic                wipe_ready_o,
  input  wire logic [CtxWidth-1:0] wipe_ctx_i,

  // One command per record: additional data of 0 to 16 bytes, text of 0 to 18,432 bytes. The suite
  // is that of the context's key.
  input  wire logic                cmd_valid_i,
  output      logic                cmd_ready_o,
  input  wire suite_t              cmd_suite_i,
  input  wire logic [CtxWidth-1:0] cmd_ctx_i,
  input  wire logic                cmd_open_i,
  input  wire logic [95:0]         cmd_nonce_i,
  input  wire logic [127:0]        cmd_aad_i,
  input  wire logic [4:0]          cmd_aad_bytes_i,
  input  wire logic                cmd_has_text_i,
  input  wire logic [15:0]         cmd_text_bytes_i,

  // Text in: packed beats, as many as the text needs; bytes past the end do not matter. From a beat
  // with `in_error_i` on, the output of its record is zero, and so is its tag.
  input  wire logic                in_valid_i,
  output      logic                in_ready_o,
  input  wire logic [127:0]        in_data_i,
  input  wire logic                in_error_i,

  // Text out: packed beats; bytes past the end are zero.
  output      logic                out_valid_o,
  input  wire logic                out_ready_i,
  output      logic [127:0]        out_data_o,
  output      logic                out_last_o,

  // The tag, one per command in the order of commands, once the last beat of text has left or is at
  // the output. Comparison is the caller's.
  output      logic                tag_valid_o,
  input  wire logic                tag_ready_i,
  output      logic [127:0]        tag_o,
  output      logic                tag_error_o,

  // Any record inside.
  output      logic                busy_o,
  // A beat of text was taken; a record waits for text; a record waits for room at the output.
  output      logic                stat_beat_o,
  output      logic                stat_stall_in_o,
  output      logic                stat_stall_out_o
);

  // The cores, as an index.
  localparam int unsigned NumCores = 2;
  localparam int unsigned Gcm = 0;
  localparam int unsigned Chacha20 = 1;

  // Records inside, at most: as many as the cores hold between them.
  localparam int unsigned OrderDepth = 64;

  localparam int unsigned BeatsWidth = 11;

  logic [NumCores-1:0] key_ready, key_done;
  logic [NumCores-1:0] wipe_ready;
  logic [NumCores-1:0] cmd_ready;
  logic [NumCores-1:0] in_ready;
  logic [NumCores-1:0] out_valid, out_ready, out_last;
  logic [127:0]        out_data[NumCores];
  logic [NumCores-1:0] tag_valid, tag_ready, tag_error;
  logic [127:0]        tag[NumCores];
  logic [NumCores-1:0] busy, stat_beat, stall_in, stall_out;

  // Keys: one load at a time.
  logic key_core;
  logic loading_q;
  logic key_valid;
  logic wipe_valid;

  assign key_core     = Chacha && (key_suite_i == suite_t'(SuiteChacha20Poly1305));
  assign key_valid    = key_valid_i && !loading_q && !wipe_valid_i;
  assign key_ready_o  = key_ready[key_core] && !loading_q && !wipe_valid_i;
  assign key_done_o   = |key_done;
  assign wipe_ready_o = &wipe_ready;
  assign wipe_valid   = wipe_valid_i && wipe_ready_o;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) loading_q <= 1'b0;
    else if (key_valid_i && key_ready_o) loading_q <= 1'b1;
    else if (key_done_o) loading_q <= 1'b0;
  end

  // Commands. `text_due_q`: text of the last record has not come in; then `due_q` tells how many beats.
  logic                  cmd_core;
  logic                  text_core_q;
  logic [BeatsWidth-1:0] due_q;
  logic                  text_due_q;
  logic                  text_order_ready, tag_order_ready;
  logic                  cmd_enable;
  logic                  accept;

  assign cmd_core    = Chacha && (cmd_suite_i == suite_t'(SuiteChacha20Poly1305));
  assign cmd_enable  = !text_due_q && text_order_ready && tag_order_ready;
  assign cmd_ready_o = cmd_ready[cmd_core] && cmd_enable;
  assign accept      = cmd_valid_i && cmd_ready_o;
  assign in_ready_o  = text_due_q && in_ready[text_core_q];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) text_due_q <= 1'b0;
    else if (accept) text_due_q <= cmd_has_text_i;
    else if (in_valid_i && in_ready_o) text_due_q <= due_q != BeatsWidth'(1);
  end

  // Counts only when text is due, and until then follows the command that is offered, taken or not: the
  // handshake is late, and selects one bit this way in place of a dozen.
  always_ff @(posedge clk_i) begin
    if (!text_due_q) begin
      due_q       <= BeatsWidth'((17'(cmd_text_bytes_i) + 17'd15) >> 4);
      text_core_q <= cmd_core;
    end else if (in_valid_i && in_ready_o) begin
      due_q <= due_q - 1'b1;
    end
  end

  // The clock of the AES-GCM core: from a command, load or wipe on, while one of them is under way,
  // and for some cycles more, until the last valid bit has left its pipes.
  localparam int unsigned DrainCycles = 63;
  localparam int unsigned DrainWidth = $clog2(DrainCycles + 1);

  logic                  gcm_wake_q;
  logic                  gcm_working;
  logic [DrainWidth-1:0] gcm_drain_q;
  logic                  gcm_active;
  logic                  gcm_clk;
  logic                  gcm_key_ready, gcm_wipe_ready, gcm_cmd_ready;

  assign gcm_working     = busy[Gcm] || !gcm_wipe_ready;
  // In hardware the clock never stands still (sealgate_clock_gate), and nothing waits for it.
  assign gcm_active      = (SboxStyle == SboxComposite) || gcm_wake_q || gcm_working ||
                           (gcm_drain_q != '0);
  assign key_ready[Gcm]  = gcm_key_ready && gcm_active;
  assign wipe_ready[Gcm] = gcm_wipe_ready && gcm_active;
  assign cmd_ready[Gcm]  = gcm_cmd_ready && gcm_active;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) gcm_wake_q <= 1'b0;
    else gcm_wake_q <= key_valid_i || wipe_valid_i || (cmd_valid_i && !cmd_core);
  end

  always_ff @(posedge gcm_clk) begin
    if (!rst_ni || gcm_working) gcm_drain_q <= DrainWidth'(DrainCycles);
    else if (gcm_drain_q != '0) gcm_drain_q <= gcm_drain_q - 1'b1;
  end

  sealgate_clock_gate u_gcm_clock_gate (
    .clk_i,
    .enable_i(!rst_ni || gcm_active),
    .clk_o(gcm_clk)
  );

  sealgate_gcm_core #(
    .NumContexts(NumContexts),
    .SboxStyle(SboxStyle),
    .GfMulStyle(GfMulStyle)
  ) u_gcm_core (
    .clk_i(gcm_clk),
    .rst_ni,
    .key_valid_i(key_valid && !key_core && gcm_active),
    .key_ready_o(gcm_key_ready),
    .key_ctx_i,
    .key_data_i,
    .key_aes256_i(key_suite_i == suite_t'(SuiteAes256Gcm)),
    .key_done_o(key_done[Gcm]),
    .wipe_valid_i(wipe_valid),
    .wipe_ready_o(gcm_wipe_ready),
    .wipe_ctx_i,
    .cmd_valid_i(cmd_valid_i && cmd_enable && !cmd_core && gcm_active),
    .cmd_ready_o(gcm_cmd_ready),
    .cmd_ctx_i,
    .cmd_open_i,
    .cmd_nonce_i,
    .cmd_aad_i,
    .cmd_aad_bytes_i,
    .cmd_text_bytes_i,
    .in_valid_i(in_valid_i && text_due_q && !text_core_q),
    .in_ready_o(in_ready[Gcm]),
    .in_data_i,
    .in_error_i,
    .out_valid_o(out_valid[Gcm]),
    .out_ready_i(out_ready[Gcm]),
    .out_data_o(out_data[Gcm]),
    .out_last_o(out_last[Gcm]),
    .tag_valid_o(tag_valid[Gcm]),
    .tag_ready_i(tag_ready[Gcm]),
    .tag_o(tag[Gcm]),
    .tag_error_o(tag_error[Gcm]),
    .busy_o(busy[Gcm]),
    .stat_beat_o(stat_beat[Gcm]),
    .stat_stall_in_o(stall_in[Gcm]),
    .stat_stall_out_o(stall_out[Gcm])
  );

  if (Chacha) begin : g_chacha
    sealgate_chacha_core #(
      .NumContexts(NumContexts),
      .Pipelined(Pipelined)
    ) u_chacha_core (
      .clk_i,
      .rst_ni,
      .key_valid_i(key_valid && key_core),
      .key_ready_o(key_ready[Chacha20]),
      .key_ctx_i,
      .key_data_i,
      .key_done_o(key_done[Chacha20]),
      .wipe_valid_i(wipe_valid),
      .wipe_ready_o(wipe_ready[Chacha20]),
      .wipe_ctx_i,
      .cmd_valid_i(cmd_valid_i && cmd_enable && cmd_core),
      .cmd_ready_o(cmd_ready[Chacha20]),
      .cmd_ctx_i,
      .cmd_open_i,
      .cmd_nonce_i,
      .cmd_aad_i,
      .cmd_aad_bytes_i,
      .cmd_has_text_i,
      .cmd_text_bytes_i,
      .in_valid_i(in_valid_i && text_due_q && text_core_q),
      .in_ready_o(in_ready[Chacha20]),
      .in_data_i,
      .in_error_i,
      .out_valid_o(out_valid[Chacha20]),
      .out_ready_i(out_ready[Chacha20]),
      .out_data_o(out_data[Chacha20]),
      .out_last_o(out_last[Chacha20]),
      .tag_valid_o(tag_valid[Chacha20]),
      .tag_ready_i(tag_ready[Chacha20]),
      .tag_o(tag[Chacha20]),
      .tag_error_o(tag_error[Chacha20]),
      .busy_o(busy[Chacha20]),
      .stat_beat_o(stat_beat[Chacha20]),
      .stat_stall_in_o(stall_in[Chacha20]),
      .stat_stall_out_o(stall_out[Chacha20])
    );
  end else begin : g_no_chacha
    assign key_ready[Chacha20]  = 1'b0;
    assign key_done[Chacha20]   = 1'b0;
    assign wipe_ready[Chacha20] = 1'b1;
    assign cmd_ready[Chacha20]  = 1'b0;
    assign in_ready[Chacha20]   = 1'b0;
    assign out_valid[Chacha20]  = 1'b0;
    assign out_data[Chacha20]   = '0;
    assign out_last[Chacha20]   = 1'b0;
    assign tag_valid[Chacha20]  = 1'b0;
    assign tag[Chacha20]        = '0;
    assign tag_error[Chacha20]  = 1'b0;
    assign busy[Chacha20]       = 1'b0;
    assign stat_beat[Chacha20]  = 1'b0;
    assign stall_in[Chacha20]   = 1'b0;
    assign stall_out[Chacha20]  = 1'b0;

    logic unused_ready;
    assign unused_ready = out_ready[Chacha20] ^ tag_ready[Chacha20];
  end

  // What leaves, in the order of commands: `text_core` and `tag_core` say from where the next comes.
  logic text_due, tag_due;
  logic text_core, tag_core;
  logic released;
  logic last_leaves;
  logic taken;

  assign out_valid_o = text_due && out_valid[text_core];
  assign out_data_o  = out_data[text_core];
  assign out_last_o  = out_last[text_core];
  assign last_leaves = out_valid_o && out_ready_i && out_last_o;

  assign out_ready[Gcm]      = text_due && !text_core && out_ready_i;
  assign out_ready[Chacha20] = text_due && text_core && out_ready_i;

  assign tag_valid_o = tag_due && tag_valid[tag_core] && released;
  assign tag_o       = tag[tag_core];
  assign tag_error_o = tag_error[tag_core];
  assign taken       = tag_valid_o && tag_ready_i;

  assign tag_ready[Gcm]      = tag_due && !tag_core && released && tag_ready_i;
  assign tag_ready[Chacha20] = tag_due && tag_core && released && tag_ready_i;

  if (Chacha) begin : g_orders
    typedef logic signed [$clog2(OrderDepth+1):0] lead_t;

    logic  tag_has_text;
    logic  tag_of_text_taken;
    logic  last_left;
    lead_t lead_q;

    sealgate_posted_fifo #(
      .Width(1),
      .Depth(OrderDepth),
      .Registered(Pipelined)
    ) u_text_order (
      .clk_i,
      .rst_ni,
      .valid_i(accept && cmd_has_text_i),
      .ready_o(text_order_ready),
      .data_i(cmd_core),
      .valid_o(text_due),
      .ready_i(last_leaves),
      .data_o(text_core)
    );

    sealgate_posted_fifo #(
      .Width(2),
      .Depth(OrderDepth),
      .Registered(Pipelined)
    ) u_tag_order (
      .clk_i,
      .rst_ni,
      .valid_i(accept),
      .ready_o(tag_order_ready),
      .data_i({cmd_has_text_i, cmd_core}),
      .valid_o(tag_due),
      .ready_i(taken),
      .data_o({tag_has_text, tag_core})
    );

    // With queues a beat at the output does not count yet: it decides late whether it leaves, and
    // counts a cycle later.
    sealgate_delay #(
      .Width(1),
      .Cycles(Pipelined ? 1 : 0)
    ) u_last_left (
      .clk_i,
      .value_i(last_leaves && rst_ni),
      .value_o(last_left)
    );

    assign released = !tag_has_text || (lead_q > 0) ||
                      (!Pipelined && (lead_q == 0) && out_valid_o && out_last_o);

    assign tag_of_text_taken = taken && tag_has_text;

    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        lead_q <= '0;
      end else if (last_left != tag_of_text_taken) begin
        lead_q <= lead_q + (last_left ? lead_t'(1) : lead_t'(-1));
      end
    end
  end else begin : g_one_core
    // One core keeps the order by itself.
    logic unused_order;

    assign unused_order     = last_leaves ^ taken;
    assign text_order_ready = 1'b1;
    assign tag_order_ready  = 1'b1;
    assign text_due         = 1'b1;
    assign text_core        = 1'b0;
    assign tag_due          = 1'b1;
    assign tag_core         = 1'b0;
    assign released         = 1'b1;
  end

  assign busy_o           = |busy;
  assign stat_beat_o      = |stat_beat;
  assign stat_stall_in_o  = |stall_in;
  assign stat_stall_out_o = |stall_out;

endmodule

`default_nettype wire
