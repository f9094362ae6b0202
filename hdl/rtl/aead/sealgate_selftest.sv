// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Known-answer self test of the AEAD of all lanes, through the same ports that serve records.
//
// Theory of operation: for AES-128-GCM, AES-256-GCM and ChaCha20-Poly1305 in turn a key is loaded
// into context 0, a record is sealed and opened again, and each beat of text and each tag is
// compared with the known answer; then the context is dropped. All lanes get the same at the same
// time and run in step, so lane 0 speaks for all when it is ready; a lane that answers otherwise,
// or at another time, has failed. A step that takes too long is a failure as well and ends the
// test: what is loaded is dropped still, if that can be done. The AES-128 answer is the client's
// application data record of RFC 8448, section 3; the others have the same nonce, text and
// additional data under the key 00 01 .. 1f. `fault_i` spoils one expected answer, to prove that a
// failure is noticed.

`default_nettype none

module sealgate_selftest
  import sealgate_abi_pkg::*;
  import sealgate_pkg::*;
#(
  parameter int unsigned Lanes = 1,
  // The lanes have ChaCha20-Poly1305.
  parameter bit Chacha = 1'b1
) (
  input  wire logic                 clk_i,
  input  wire logic                 rst_ni,

  input  wire logic                 start_i,
  input  wire logic                 fault_i,
  output      logic                 done_o,    // one cycle
  output      logic                 passed_o,  // valid with done_o

  // Context table; context 0.
  output      logic                 load_o,
  output      logic                 drop_o,
  output      context_t             context_o,
  output      logic [255:0]         key_o,
  input  wire logic                 request_done_i,

  // To the AEAD of all lanes; ready is that of lane 0. Additional data of five bytes.
  output      logic                 cmd_valid_o,
  input  wire logic                 cmd_ready_i,
  output      suite_t               cmd_suite_o,
  output      logic                 cmd_open_o,
  output      logic [95:0]          cmd_nonce_o,
  output      logic [127:0]         cmd_aad_o,
  output      logic [15:0]          cmd_text_bytes_o,
  output      logic                 text_valid_o,
  input  wire logic                 text_ready_i,
  output      logic [WordWidth-1:0] text_data_o,

  // From the AEAD of each lane.
  input  wire logic                 text_valid_i[Lanes],
  output      logic                 text_ready_o,
  input  wire logic [WordWidth-1:0] text_data_i[Lanes],
  input  wire logic                 tag_valid_i[Lanes],
  output      logic                 tag_ready_o,
  input  wire logic [127:0]         tag_i[Lanes]
);

  localparam int unsigned TextBytes = 51;
  localparam int unsigned TextBeats = 4;

  localparam logic [95:0]  Nonce = 96'hd923e533905708ee3d92785b;
  localparam logic [127:0] Aad = 128'h00000000000000000000004300030317;

  localparam logic [127:0] Plaintext[TextBeats] = '{
    128'h0f0e0d0c0b0a09080706050403020100,
    128'h1f1e1d1c1b1a19181716151413121110,
    128'h2f2e2d2c2b2a29282726252423222120,
    128'h00000000000000000000000000173130
  };

  // The answers: one per suite, in the order of the suites' codes.
  localparam int unsigned NumAnswers = 3;
  localparam logic [1:0] Aes128 = 2'd0;
  localparam logic [1:0] LastAnswer = Chacha ? 2'(NumAnswers - 1) : 2'(NumAnswers - 2);

  localparam logic [255:0] KeyAes128 =
      256'h0000000000000000000000000000000051503fc6e390d8acd9d56e59da2d4217;
  localparam logic [255:0] KeyOthers =
      256'h1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100;

  localparam logic [127:0] Ciphertext[NumAnswers*TextBeats] = '{
    128'hcb55ba2882fefaafd0942cb654703fa2,
    128'ha5a819982b3fabbc66aa14f942eaacef,
    128'h5a1f4e97622b1e44209a4ad55b396bb4,
    128'h00000000000000000000000000a29262,
    128'hd8e83b816f4dcf1d72ff27cd2e8c6d12,
    128'hec5f4bc7f5d566de73e81c0b89cf17f2,
    128'hdfc50f97417aefc628f93a94687a637a,
    128'h00000000000000000000000000625e26,
    128'h15c95bdd890a9ef82a762138d37b30c3,
    128'hda3ee7a41728cb7e3f0b8586cf9681fa,
    128'h8ec2d45fddd6e88077aff85032d89986,
    128'h0000000000000000000000000031bde0
  };

  localparam logic [127:0] Tags[NumAnswers] = '{
    128'he415496921bbee3ae6ea3d1ebd147097,
    128'h3e4e06e34ec407812b129ad6e907ab96,
    128'h46281c9f1170818b2a77f83698960e72
  };

  // Cycles that a step may take: the longest is the first load, which waits until the lanes have
  // wiped all contexts, four cycles each.
  localparam int unsigned PatienceWidth = 16;

  typedef enum logic [2:0] {
    StIdle,
    StLoad,
    StCommand,
    StText,
    StTag,
    StDrop,
    StDone
  } state_e;

  state_e                   state_q, state_d;
  logic [1:0]               answer_q;
  logic                     open_q;
  logic                     good_q;
  logic [2:0]               sent_q;
  logic [2:0]               received_q;
  logic [PatienceWidth-1:0] patience_q;
  logic                     expired;

  // Expected: what a lane gives now, and whether all lanes do.
  logic [3:0]   beat_sent, beat_received;
  logic [127:0] text_expected;
  logic [127:0] tag_expected;
  logic         text_received, tag_received;
  logic         text_good, tag_good;

  assign beat_sent     = {answer_q, sent_q[1:0]};
  assign beat_received = {answer_q, received_q[1:0]};
  assign text_received = (state_q == StText) && text_valid_i[0];
  assign tag_received  = (state_q == StTag) && tag_valid_i[0];

  always_comb begin
    text_expected = open_q ? Plaintext[received_q[1:0]] : Ciphertext[beat_received];
    tag_expected  = Tags[answer_q];
    // The last of the answers is spoiled, so that all of the sequence is seen to run.
    if (fault_i && (answer_q == LastAnswer) && open_q) tag_expected[77] = !tag_expected[77];

    text_good = 1'b1;
    tag_good  = 1'b1;
    if (state_q == StText) begin
      for (int unsigned lane = 0; lane < Lanes; lane++) begin
        if (text_valid_i[lane] != text_valid_i[0]) text_good = 1'b0;
        if (text_valid_i[0] && (text_data_i[lane] != text_expected)) text_good = 1'b0;
      end
    end
    if (state_q == StTag) begin
      for (int unsigned lane = 0; lane < Lanes; lane++) begin
        if (tag_valid_i[lane] != tag_valid_i[0]) tag_good = 1'b0;
        if (tag_valid_i[0] && (tag_i[lane] != tag_expected)) tag_good = 1'b0;
      end
    end
  end

  // Steps.
  logic request_over;
  logic text_over;

  assign request_over = request_done_i || expired;
  assign text_over    = text_received && (received_q == 3'(TextBeats - 1));
  assign expired      = &patience_q;

  always_comb begin
    state_d = state_q;
    unique case (state_q)
      StIdle:    if (start_i) state_d = StLoad;
      StLoad:    if (request_over) state_d = expired ? StDrop : StCommand;
      StCommand: if (cmd_ready_i || expired) state_d = expired ? StDrop : StText;
      StText:    if (text_over || expired) state_d = expired ? StDrop : StTag;
      StTag:     if (tag_received || expired) state_d = (expired || open_q) ? StDrop : StCommand;
      StDrop: begin
        if (request_over) begin
          state_d = (expired || !good_q || (answer_q == LastAnswer)) ? StDone : StLoad;
        end
      end
      default:   state_d = StIdle;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) state_q <= StIdle;
    else state_q <= state_d;
  end

  always_ff @(posedge clk_i) begin
    if (state_q == StIdle) begin
      answer_q   <= Aes128;
      open_q     <= 1'b0;
      good_q     <= 1'b1;
      patience_q <= '0;
    end else begin
      patience_q <= (state_d == state_q) ? patience_q + 1'b1 : '0;
      if (expired || !text_good || !tag_good) good_q <= 1'b0;
      if (tag_received) open_q <= !open_q;
      if ((state_q == StDrop) && request_done_i) answer_q <= answer_q + 2'd1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (state_q == StCommand) begin
      sent_q     <= '0;
      received_q <= '0;
    end else if (state_q == StText) begin
      if (text_valid_o && text_ready_i) sent_q <= sent_q + 3'd1;
      if (text_received) received_q <= received_q + 3'd1;
    end
  end

  assign load_o = state_q == StLoad;
  assign drop_o = state_q == StDrop;
  assign key_o  = (answer_q == Aes128) ? KeyAes128 : KeyOthers;

  always_comb begin
    context_o       = '0;
    context_o.suite = cmd_suite_o;
  end

  assign cmd_valid_o      = state_q == StCommand;
  assign cmd_suite_o      = answer_q + suite_t'(SuiteAes128Gcm);
  assign cmd_open_o       = open_q;
  assign cmd_nonce_o      = Nonce;
  assign cmd_aad_o        = Aad;
  assign cmd_text_bytes_o = 16'(TextBytes);
  assign text_valid_o     = (state_q == StText) && (sent_q != 3'(TextBeats));
  assign text_data_o      = open_q ? Ciphertext[beat_sent] : Plaintext[sent_q[1:0]];
  assign text_ready_o     = state_q == StText;
  assign tag_ready_o      = state_q == StTag;

  assign done_o   = state_q == StDone;
  assign passed_o = good_q;

endmodule

`default_nettype wire
