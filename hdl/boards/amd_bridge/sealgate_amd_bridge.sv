// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The record engine behind AMD's XDMA or QDMA subsystem in bridge mode. README.md beside this file
// tells how to connect it; ports are named so that Vivado takes them for AXI interfaces.
//
// Theory of operation: registers are a BAR, seen through the bridge's master; host memory is the
// bridge's slave, which takes what the engine sends as it is, except that its IDs are fewer. Write
// addresses have a queue: the engine offers data when its address was taken, and a slave may want
// to see the data before it takes the address.
// Interrupts leave on the lines of XDMA (usr_irq_req, held until the host has serviced them) or on
// the vector port of QDMA (usr_irq_in_vld), whichever Vectors says; the other is idle.

`default_nettype none

module sealgate_amd_bridge
  import sealgate_pkg::*;
#(
  parameter int unsigned LANES = 4,
  parameter int unsigned DATA_WIDTH = 512,
  parameter int unsigned ID_WIDTH = 4,   // of the bridge's slave: at least 3
  parameter bit VECTORS = 1'b0,          // 0: usr_irq_req, 1: usr_irq_in_vld
  parameter sealgate_aes_pkg::sbox_style_e SboxStyle = sealgate_aes_pkg::SboxComposite,
  parameter sealgate_gf128_pkg::mul_style_e GfMulStyle = sealgate_gf128_pkg::MulXor,
  parameter logic [31:0] Build = 32'd0
) (
  input  wire logic                    aclk,
  input  wire logic                    aresetn,

  input  wire logic [15:0]             s_axil_awaddr,
  input  wire logic [2:0]              s_axil_awprot,
  input  wire logic                    s_axil_awvalid,
  output      logic                    s_axil_awready,
  input  wire logic [31:0]             s_axil_wdata,
  input  wire logic [3:0]              s_axil_wstrb,
  input  wire logic                    s_axil_wvalid,
  output      logic                    s_axil_wready,
  output      logic [1:0]              s_axil_bresp,
  output      logic                    s_axil_bvalid,
  input  wire logic                    s_axil_bready,
  input  wire logic [15:0]             s_axil_araddr,
  input  wire logic [2:0]              s_axil_arprot,
  input  wire logic                    s_axil_arvalid,
  output      logic                    s_axil_arready,
  output      logic [31:0]             s_axil_rdata,
  output      logic [1:0]              s_axil_rresp,
  output      logic                    s_axil_rvalid,
  input  wire logic                    s_axil_rready,

  output      logic [ID_WIDTH-1:0]     m_axi_arid,
  output      logic [63:0]             m_axi_araddr,
  output      logic [7:0]              m_axi_arlen,
  output      logic [2:0]              m_axi_arsize,
  output      logic [1:0]              m_axi_arburst,
  output      logic                    m_axi_arvalid,
  input  wire logic                    m_axi_arready,
  input  wire logic [ID_WIDTH-1:0]     m_axi_rid,
  input  wire logic [DATA_WIDTH-1:0]   m_axi_rdata,
  input  wire logic [1:0]              m_axi_rresp,
  input  wire logic                    m_axi_rlast,
  input  wire logic                    m_axi_rvalid,
  output      logic                    m_axi_rready,
  output      logic [ID_WIDTH-1:0]     m_axi_awid,
  output      logic [63:0]             m_axi_awaddr,
  output      logic [7:0]              m_axi_awlen,
  output      logic [2:0]              m_axi_awsize,
  output      logic [1:0]              m_axi_awburst,
  output      logic                    m_axi_awvalid,
  input  wire logic                    m_axi_awready,
  output      logic [DATA_WIDTH-1:0]   m_axi_wdata,
  output      logic [DATA_WIDTH/8-1:0] m_axi_wstrb,
  output      logic                    m_axi_wlast,
  output      logic                    m_axi_wvalid,
  input  wire logic                    m_axi_wready,
  input  wire logic [ID_WIDTH-1:0]     m_axi_bid,
  input  wire logic [1:0]              m_axi_bresp,
  input  wire logic                    m_axi_bvalid,
  output      logic                    m_axi_bready,

  output      logic [QueueCount-1:0]   usr_irq_req,
  input  wire logic [QueueCount-1:0]   usr_irq_ack,

  output      logic                    usr_irq_in_vld,
  output      logic [11:0]             usr_irq_in_vec,
  output      logic [7:0]              usr_irq_in_fnc,
  input  wire logic                    usr_irq_out_ack,
  input  wire logic                    usr_irq_out_fail
);

  // The bridge has at most 32 reads under way.
  localparam int unsigned BridgeReads = 32;
  localparam int unsigned Slots = (2 ** ID_WIDTH < BridgeReads) ? 2 ** ID_WIDTH : BridgeReads;

  logic                     rst_n;
  bus_id_t                  arid;
  logic                     arvalid;
  logic                     arready;
  bus_id_t                  rid;
  bus_id_t                  awid;
  logic [63:0]              awaddr;
  logic [7:0]               awlen;
  logic                     awvalid;
  logic                     awready;
  logic [BusPortWidth-1:0]  shell_awid;
  bus_id_t                  bid;
  logic                     irq_valid;
  queue_id_t                irq_index;
  logic                     irq_ready;

  sealgate_board_reset u_reset (
    .clk_i (aclk),
    .rst_ni(aresetn),
    .rst_no(rst_n)
  );

  sealgate_top #(
    .LANES     (LANES),
    .DATA_WIDTH(DATA_WIDTH),
    .SboxStyle (SboxStyle),
    .GfMulStyle(GfMulStyle),
    .Build     (Build)
  ) u_engine (
    .clk_i           (aclk),
    .rst_ni          (rst_n),
    .s_axil_awaddr_i (s_axil_awaddr),
    .s_axil_awprot_i (s_axil_awprot),
    .s_axil_awvalid_i(s_axil_awvalid),
    .s_axil_awready_o(s_axil_awready),
    .s_axil_wdata_i  (s_axil_wdata),
    .s_axil_wstrb_i  (s_axil_wstrb),
    .s_axil_wvalid_i (s_axil_wvalid),
    .s_axil_wready_o (s_axil_wready),
    .s_axil_bresp_o  (s_axil_bresp),
    .s_axil_bvalid_o (s_axil_bvalid),
    .s_axil_bready_i (s_axil_bready),
    .s_axil_araddr_i (s_axil_araddr),
    .s_axil_arprot_i (s_axil_arprot),
    .s_axil_arvalid_i(s_axil_arvalid),
    .s_axil_arready_o(s_axil_arready),
    .s_axil_rdata_o  (s_axil_rdata),
    .s_axil_rresp_o  (s_axil_rresp),
    .s_axil_rvalid_o (s_axil_rvalid),
    .s_axil_rready_i (s_axil_rready),
    .m_axi_arid_o    (arid),
    .m_axi_araddr_o  (m_axi_araddr),
    .m_axi_arlen_o   (m_axi_arlen),
    .m_axi_arsize_o  (m_axi_arsize),
    .m_axi_arburst_o (m_axi_arburst),
    .m_axi_arvalid_o (arvalid),
    .m_axi_arready_i (arready),
    .m_axi_rid_i     (rid),
    .m_axi_rdata_i   (m_axi_rdata),
    .m_axi_rresp_i   (m_axi_rresp),
    .m_axi_rlast_i   (m_axi_rlast),
    .m_axi_rvalid_i  (m_axi_rvalid),
    .m_axi_rready_o  (m_axi_rready),
    .m_axi_awid_o    (awid),
    .m_axi_awaddr_o  (awaddr),
    .m_axi_awlen_o   (awlen),
    .m_axi_awsize_o  (m_axi_awsize),
    .m_axi_awburst_o (m_axi_awburst),
    .m_axi_awvalid_o (awvalid),
    .m_axi_awready_i (awready),
    .m_axi_wdata_o   (m_axi_wdata),
    .m_axi_wstrb_o   (m_axi_wstrb),
    .m_axi_wlast_o   (m_axi_wlast),
    .m_axi_wvalid_o  (m_axi_wvalid),
    .m_axi_wready_i  (m_axi_wready),
    .m_axi_bid_i     (bid),
    .m_axi_bresp_i   (m_axi_bresp),
    .m_axi_bvalid_i  (m_axi_bvalid),
    .m_axi_bready_o  (m_axi_bready),
    .irq_valid_o     (irq_valid),
    .irq_index_o     (irq_index),
    .irq_ready_i     (irq_ready)
  );

  sealgate_board_read_slots #(
    .Slots  (Slots),
    .IdWidth(ID_WIDTH)
  ) u_slots (
    .clk_i            (aclk),
    .rst_ni           (rst_n),
    .engine_ar_id_i   (arid),
    .engine_ar_valid_i(arvalid),
    .engine_ar_ready_o(arready),
    .engine_r_id_o    (rid),
    .shell_ar_id_o    (m_axi_arid),
    .shell_ar_valid_o (m_axi_arvalid),
    .shell_ar_ready_i (m_axi_arready),
    .shell_r_id_i     (m_axi_rid),
    .shell_r_valid_i  (m_axi_rvalid),
    .shell_r_last_i   (m_axi_rlast)
  );

  // The tag of a write is always 0: who asked is all of its ID.
  sealgate_fifo #(
    .Width(BusPortWidth + 64 + 8),
    .Depth(2)
  ) u_write_addresses (
    .clk_i  (aclk),
    .rst_ni (rst_n),
    .clear_i(1'b0),
    .valid_i(awvalid),
    .ready_o(awready),
    .data_i ({awid[BusIdWidth-1:BusTagWidth], awaddr, awlen}),
    .valid_o(m_axi_awvalid),
    .ready_i(m_axi_awready),
    .data_o ({shell_awid, m_axi_awaddr, m_axi_awlen})
  );

  assign m_axi_awid = ID_WIDTH'(shell_awid);
  assign bid        = {BusPortWidth'(m_axi_bid), BusTagWidth'(0)};

  if (VECTORS) begin : gen_vectors
    queue_id_t vector;

    sealgate_board_irq_vector u_irq (
      .clk_i         (aclk),
      .rst_ni        (rst_n),
      .irq_valid_i   (irq_valid),
      .irq_index_i   (irq_index),
      .irq_ready_o   (irq_ready),
      .vector_valid_o(usr_irq_in_vld),
      .vector_o      (vector),
      .acknowledge_i (usr_irq_out_ack),
      .fail_i        (usr_irq_out_fail)
    );

    assign usr_irq_in_vec = 12'(vector);
    assign usr_irq_req    = '0;

    logic unused;
    assign unused = ^usr_irq_ack;
  end else begin : gen_lines
    logic [QueueCount-1:0] serviced;

    sealgate_amd_serviced u_serviced (
      .clk_i       (aclk),
      .rst_ni      (rst_n),
      .aw_taken_i  (s_axil_awvalid && s_axil_awready),
      .aw_address_i(s_axil_awaddr),
      .w_taken_i   (s_axil_wvalid && s_axil_wready),
      .w_data_i    (s_axil_wdata[QueueCount-1:0]),
      .w_strb_i    (s_axil_wstrb[0]),
      .serviced_o  (serviced)
    );

    sealgate_board_irq_lines #(
      .Style(sealgate_board_pkg::IrqHeld)
    ) u_irq (
      .clk_i        (aclk),
      .rst_ni       (rst_n),
      .irq_valid_i  (irq_valid),
      .irq_index_i  (irq_index),
      .irq_ready_o  (irq_ready),
      .request_o    (usr_irq_req),
      .acknowledge_i(usr_irq_ack),
      .serviced_i   (serviced)
    );

    assign usr_irq_in_vld = 1'b0;
    assign usr_irq_in_vec = '0;

    logic unused;
    assign unused = ^{usr_irq_out_ack, usr_irq_out_fail};
  end

  assign usr_irq_in_fnc = '0;  // there is one function

  logic unused_id;
  assign unused_id = ^{awid[BusTagWidth-1:0], m_axi_bid};

endmodule

`default_nettype wire
