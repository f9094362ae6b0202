// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Known-answer self test of the AEAD core, through the same ports that serve records.
//
// Theory of operation: for AES-128-GCM and then AES-256-GCM a key is loaded into context 0, a record
// is sealed and opened again, and each beat of text and each tag is compared with the known answer;
// then the context is dropped. The AES-128 answer is the client's application data record of RFC
// 8448, section 3; the AES-256 one has the same nonce, text and additional data under the key 00 01
// .. 1f. `fault_i` spoils one expected answer, to prove that a failure is noticed.

`default_nettype none

module sealgate_selftest
  import sealgate_pkg::*;
(
  input  wire logic                clk_i,
  input  wire logic                rst_ni,

  input  wire logic                start_i,
  input  wire logic                fault_i,
  output      logic                done_o,    // one cycle
  output      logic                passed_o,  // valid with done_o

  // Context table; context 0.
  output      logic                load_o,
  output      logic                drop_o,
  output      context_t            context_o,
  output      logic [255:0]        key_o,
  input  wire logic                request_done_i,

  // AEAD core.
  output      logic                cmd_valid_o,
  input  wire logic                cmd_ready_i,
  output      logic                cmd_open_o,
  output      logic [95:0]         cmd_nonce_o,
  output      logic [127:0]        cmd_aad_o,
  output      logic [15:0]         cmd_text_bytes_o,
  output      logic                text_valid_o,
  input  wire logic                text_ready_i,
  output      logic [BusWidth-1:0] text_data_o,
  input  wire logic                text_valid_i,
  output      logic                text_ready_o,
  input  wire logic [BusWidth-1:0] text_data_i,
  input  wire logic                tag_valid_i,
  output      logic                tag_ready_o,
  input  wire logic [127:0]        tag_i
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

  localparam logic [255:0] Keys[2] = '{
    256'h0000000000000000000000000000000051503fc6e390d8acd9d56e59da2d4217,
    256'h1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100
  };

  // The beats of AES-128, then those of AES-256.
  localparam logic [127:0] Ciphertext[2*TextBeats] = '{
    128'hcb55ba2882fefaafd0942cb654703fa2,
    128'ha5a819982b3fabbc66aa14f942eaacef,
    128'h5a1f4e97622b1e44209a4ad55b396bb4,
    128'h00000000000000000000000000a29262,
    128'hd8e83b816f4dcf1d72ff27cd2e8c6d12,
    128'hec5f4bc7f5d566de73e81c0b89cf17f2,
    128'hdfc50f97417aefc628f93a94687a637a,
    128'h00000000000000000000000000625e26
  };

  localparam logic [127:0] Tags[2] = '{
    128'he415496921bbee3ae6ea3d1ebd147097,
    128'h3e4e06e34ec407812b129ad6e907ab96
  };

  typedef enum logic [2:0] {
    StIdle,
    StLoad,
    StCommand,
    StText,
    StTag,
    StDrop,
    StDone
  } state_e;

  state_e     state_q;
  logic       aes256_q;
  logic       open_q;
  logic       good_q;
  logic [2:0] sent_q;
  logic [2:0] received_q;

  logic [127:0] text_out;
  logic [127:0] text_expected;
  logic [127:0] tag_expected;
  logic [2:0]   cipher_index;

  assign cipher_index = {aes256_q, received_q[1:0]};

  always_comb begin
    text_out      = open_q ? Ciphertext[{aes256_q, sent_q[1:0]}] : Plaintext[sent_q[1:0]];
    text_expected = open_q ? Plaintext[received_q[1:0]] : Ciphertext[cipher_index];
    tag_expected  = Tags[aes256_q];
    // The last of the four answers is spoiled, so that all of the sequence is seen to run.
    if (fault_i && aes256_q && open_q) tag_expected[77] = !tag_expected[77];
  end

  assign load_o    = state_q == StLoad;
  assign drop_o    = state_q == StDrop;
  assign key_o     = Keys[aes256_q];
  assign context_o = '{loaded: 1'b0, owner: '0, open: 1'b0, aes256: aes256_q, iv: '0};

  assign cmd_valid_o      = state_q == StCommand;
  assign cmd_open_o       = open_q;
  assign cmd_nonce_o      = Nonce;
  assign cmd_aad_o        = Aad;
  assign cmd_text_bytes_o = 16'(TextBytes);
  assign text_valid_o     = (state_q == StText) && (sent_q != 3'(TextBeats));
  assign text_data_o      = text_out;
  assign text_ready_o     = state_q == StText;
  assign tag_ready_o      = state_q == StTag;

  assign done_o   = state_q == StDone;
  assign passed_o = good_q;

  logic beat_received;
  assign beat_received = text_ready_o && text_valid_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q <= StIdle;
    end else begin
      unique case (state_q)
        StIdle: begin
          aes256_q <= 1'b0;
          open_q   <= 1'b0;
          good_q   <= 1'b1;
          if (start_i) state_q <= StLoad;
        end
        StLoad: if (request_done_i) state_q <= StCommand;
        StCommand: begin
          sent_q     <= '0;
          received_q <= '0;
          if (cmd_ready_i) state_q <= StText;
        end
        StText: begin
          if (text_valid_o && text_ready_i) sent_q <= sent_q + 3'd1;
          if (beat_received) begin
            received_q <= received_q + 3'd1;
            if (text_data_i != text_expected) good_q <= 1'b0;
            if (received_q == 3'(TextBeats - 1)) state_q <= StTag;
          end
        end
        StTag: begin
          if (tag_valid_i) begin
            if (tag_i != tag_expected) good_q <= 1'b0;
            open_q  <= !open_q;
            state_q <= open_q ? StDrop : StCommand;
          end
        end
        StDrop: begin
          if (request_done_i) begin
            aes256_q <= 1'b1;
            state_q  <= aes256_q ? StDone : StLoad;
          end
        end
        StDone:  state_q <= StIdle;
        default: state_q <= StIdle;
      endcase
    end
  end

endmodule

`default_nettype wire
