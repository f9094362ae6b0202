// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The record engine behind LitePCIe. README.md beside this file tells how to connect it; the ports
// have the names of LitePCIe's standalone core.
//
// Theory of operation: registers are LitePCIe's window (mmap_axi_lite), host memory its AXI slave
// (mmap_slave_axi), interrupts its msi_irqs, a pulse each. sealgate_litepcie_bus makes up for what
// the slave does not do.

`default_nettype none

module sealgate_litepcie
  import sealgate_pkg::*;
#(
  parameter int unsigned LANES = 1,
  parameter int unsigned ADDRESS_WIDTH = 32,  // of LitePCIe's AXI slave
  parameter int unsigned ID_WIDTH = 1,
  parameter sealgate_aes_pkg::sbox_style_e SboxStyle = sealgate_aes_pkg::SboxComposite,
  parameter sealgate_gf128_pkg::mul_style_e GfMulStyle = sealgate_gf128_pkg::MulXor,
  parameter logic [31:0] Build = 32'd0
) (
  input  wire logic                     clk,
  input  wire logic                     rst,  // active high, as LitePCIe's

  input  wire logic                     mmap_axi_lite_awvalid,
  output      logic                     mmap_axi_lite_awready,
  input  wire logic [31:0]              mmap_axi_lite_awaddr,
  input  wire logic                     mmap_axi_lite_wvalid,
  output      logic                     mmap_axi_lite_wready,
  input  wire logic [31:0]              mmap_axi_lite_wdata,
  input  wire logic [3:0]               mmap_axi_lite_wstrb,
  output      logic                     mmap_axi_lite_bvalid,
  input  wire logic                     mmap_axi_lite_bready,
  output      logic [1:0]               mmap_axi_lite_bresp,
  input  wire logic                     mmap_axi_lite_arvalid,
  output      logic                     mmap_axi_lite_arready,
  input  wire logic [31:0]              mmap_axi_lite_araddr,
  output      logic                     mmap_axi_lite_rvalid,
  input  wire logic                     mmap_axi_lite_rready,
  output      logic [31:0]              mmap_axi_lite_rdata,
  output      logic [1:0]               mmap_axi_lite_rresp,

  output      logic                     mmap_slave_axi_awvalid,
  input  wire logic                     mmap_slave_axi_awready,
  output      logic [ADDRESS_WIDTH-1:0] mmap_slave_axi_awaddr,
  output      logic [1:0]               mmap_slave_axi_awburst,
  output      logic [7:0]               mmap_slave_axi_awlen,
  output      logic [2:0]               mmap_slave_axi_awsize,
  output      logic [ID_WIDTH-1:0]      mmap_slave_axi_awid,
  output      logic                     mmap_slave_axi_wvalid,
  input  wire logic                     mmap_slave_axi_wready,
  output      logic                     mmap_slave_axi_wlast,
  output      logic [127:0]             mmap_slave_axi_wdata,
  output      logic [15:0]              mmap_slave_axi_wstrb,
  input  wire logic                     mmap_slave_axi_bvalid,
  output      logic                     mmap_slave_axi_bready,
  input  wire logic [1:0]               mmap_slave_axi_bresp,
  output      logic                     mmap_slave_axi_arvalid,
  input  wire logic                     mmap_slave_axi_arready,
  output      logic [ADDRESS_WIDTH-1:0] mmap_slave_axi_araddr,
  output      logic [1:0]               mmap_slave_axi_arburst,
  output      logic [7:0]               mmap_slave_axi_arlen,
  output      logic [2:0]               mmap_slave_axi_arsize,
  output      logic [ID_WIDTH-1:0]      mmap_slave_axi_arid,
  input  wire logic                     mmap_slave_axi_rvalid,
  output      logic                     mmap_slave_axi_rready,
  input  wire logic                     mmap_slave_axi_rlast,
  input  wire logic [1:0]               mmap_slave_axi_rresp,
  input  wire logic [127:0]             mmap_slave_axi_rdata,

  output      logic [QueueCount-1:0]    msi_irqs
);

  localparam int unsigned SlaveWidth = 128;
  localparam int unsigned WindowWidth = 16;

  logic                    rst_n;
  bus_id_t                 arid;
  logic [63:0]             araddr;
  logic [7:0]              arlen;
  logic [2:0]              arsize;
  logic [1:0]              arburst;
  logic                    arvalid;
  logic                    arready;
  bus_id_t                 rid;
  logic [SlaveWidth-1:0]   rdata;
  logic [1:0]              rresp;
  logic                    rlast;
  logic                    rvalid;
  logic                    rready;
  bus_id_t                 awid;
  logic [63:0]             awaddr;
  logic [7:0]              awlen;
  logic [2:0]              awsize;
  logic [1:0]              awburst;
  logic                    awvalid;
  logic                    awready;
  logic [SlaveWidth-1:0]   wdata;
  logic [SlaveWidth/8-1:0] wstrb;
  logic                    wlast;
  logic                    wvalid;
  logic                    wready;
  bus_id_t                 bid;
  logic [1:0]              bresp;
  logic                    bvalid;
  logic                    bready;
  logic                    irq_valid;
  queue_id_t               irq_index;
  logic                    irq_ready;

  sealgate_board_reset u_reset (
    .clk_i (clk),
    .rst_ni(!rst),
    .rst_no(rst_n)
  );

  sealgate_top #(
    .LANES     (LANES),
    .DATA_WIDTH(SlaveWidth),
    .SboxStyle (SboxStyle),
    .GfMulStyle(GfMulStyle),
    .Build     (Build)
  ) u_engine (
    .clk_i           (clk),
    .rst_ni          (rst_n),
    .s_axil_awaddr_i (mmap_axi_lite_awaddr[WindowWidth-1:0]),
    .s_axil_awprot_i ('0),
    .s_axil_awvalid_i(mmap_axi_lite_awvalid),
    .s_axil_awready_o(mmap_axi_lite_awready),
    .s_axil_wdata_i  (mmap_axi_lite_wdata),
    .s_axil_wstrb_i  (mmap_axi_lite_wstrb),
    .s_axil_wvalid_i (mmap_axi_lite_wvalid),
    .s_axil_wready_o (mmap_axi_lite_wready),
    .s_axil_bresp_o  (mmap_axi_lite_bresp),
    .s_axil_bvalid_o (mmap_axi_lite_bvalid),
    .s_axil_bready_i (mmap_axi_lite_bready),
    .s_axil_araddr_i (mmap_axi_lite_araddr[WindowWidth-1:0]),
    .s_axil_arprot_i ('0),
    .s_axil_arvalid_i(mmap_axi_lite_arvalid),
    .s_axil_arready_o(mmap_axi_lite_arready),
    .s_axil_rdata_o  (mmap_axi_lite_rdata),
    .s_axil_rresp_o  (mmap_axi_lite_rresp),
    .s_axil_rvalid_o (mmap_axi_lite_rvalid),
    .s_axil_rready_i (mmap_axi_lite_rready),
    .m_axi_arid_o    (arid),
    .m_axi_araddr_o  (araddr),
    .m_axi_arlen_o   (arlen),
    .m_axi_arsize_o  (arsize),
    .m_axi_arburst_o (arburst),
    .m_axi_arvalid_o (arvalid),
    .m_axi_arready_i (arready),
    .m_axi_rid_i     (rid),
    .m_axi_rdata_i   (rdata),
    .m_axi_rresp_i   (rresp),
    .m_axi_rlast_i   (rlast),
    .m_axi_rvalid_i  (rvalid),
    .m_axi_rready_o  (rready),
    .m_axi_awid_o    (awid),
    .m_axi_awaddr_o  (awaddr),
    .m_axi_awlen_o   (awlen),
    .m_axi_awsize_o  (awsize),
    .m_axi_awburst_o (awburst),
    .m_axi_awvalid_o (awvalid),
    .m_axi_awready_i (awready),
    .m_axi_wdata_o   (wdata),
    .m_axi_wstrb_o   (wstrb),
    .m_axi_wlast_o   (wlast),
    .m_axi_wvalid_o  (wvalid),
    .m_axi_wready_i  (wready),
    .m_axi_bid_i     (bid),
    .m_axi_bresp_i   (bresp),
    .m_axi_bvalid_i  (bvalid),
    .m_axi_bready_o  (bready),
    .irq_valid_o     (irq_valid),
    .irq_index_o     (irq_index),
    .irq_ready_i     (irq_ready)
  );

  sealgate_litepcie_bus #(
    .AddressWidth(ADDRESS_WIDTH)
  ) u_bus (
    .clk_i              (clk),
    .rst_ni             (rst_n),
    .engine_ar_id_i     (arid),
    .engine_ar_address_i(araddr),
    .engine_ar_len_i    (arlen),
    .engine_ar_valid_i  (arvalid),
    .engine_ar_ready_o  (arready),
    .engine_r_id_o      (rid),
    .engine_r_data_o    (rdata),
    .engine_r_resp_o    (rresp),
    .engine_r_last_o    (rlast),
    .engine_r_valid_o   (rvalid),
    .engine_aw_id_i     (awid),
    .engine_aw_address_i(awaddr),
    .engine_aw_len_i    (awlen),
    .engine_aw_valid_i  (awvalid),
    .engine_aw_ready_o  (awready),
    .engine_w_data_i    (wdata),
    .engine_w_strb_i    (wstrb),
    .engine_w_last_i    (wlast),
    .engine_w_valid_i   (wvalid),
    .engine_w_ready_o   (wready),
    .engine_b_id_o      (bid),
    .engine_b_resp_o    (bresp),
    .engine_b_valid_o   (bvalid),
    .shell_ar_address_o (mmap_slave_axi_araddr),
    .shell_ar_len_o     (mmap_slave_axi_arlen),
    .shell_ar_valid_o   (mmap_slave_axi_arvalid),
    .shell_ar_ready_i   (mmap_slave_axi_arready),
    .shell_r_data_i     (mmap_slave_axi_rdata),
    .shell_r_resp_i     (mmap_slave_axi_rresp),
    .shell_r_last_i     (mmap_slave_axi_rlast),
    .shell_r_valid_i    (mmap_slave_axi_rvalid),
    .shell_r_ready_o    (mmap_slave_axi_rready),
    .shell_aw_address_o (mmap_slave_axi_awaddr),
    .shell_aw_len_o     (mmap_slave_axi_awlen),
    .shell_aw_valid_o   (mmap_slave_axi_awvalid),
    .shell_aw_ready_i   (mmap_slave_axi_awready),
    .shell_w_data_o     (mmap_slave_axi_wdata),
    .shell_w_last_o     (mmap_slave_axi_wlast),
    .shell_w_valid_o    (mmap_slave_axi_wvalid),
    .shell_w_ready_i    (mmap_slave_axi_wready),
    .shell_b_resp_i     (mmap_slave_axi_bresp),
    .shell_b_valid_i    (mmap_slave_axi_bvalid),
    .shell_b_ready_o    (mmap_slave_axi_bready)
  );

  assign mmap_slave_axi_awid    = '0;
  assign mmap_slave_axi_awsize  = awsize;
  assign mmap_slave_axi_awburst = awburst;
  assign mmap_slave_axi_wstrb   = '1;
  assign mmap_slave_axi_arid    = '0;
  assign mmap_slave_axi_arsize  = arsize;
  assign mmap_slave_axi_arburst = arburst;

  sealgate_board_irq_lines #(
    .Style(sealgate_board_pkg::IrqPulse)
  ) u_irq (
    .clk_i        (clk),
    .rst_ni       (rst_n),
    .irq_valid_i  (irq_valid),
    .irq_index_i  (irq_index),
    .irq_ready_o  (irq_ready),
    .request_o    (msi_irqs),
    .acknowledge_i('0),
    .serviced_i   ('0)
  );

  logic unused;
  assign unused = ^{mmap_axi_lite_awaddr[31:WindowWidth], mmap_axi_lite_araddr[31:WindowWidth],
                    rready, bready};

endmodule

`default_nettype wire
