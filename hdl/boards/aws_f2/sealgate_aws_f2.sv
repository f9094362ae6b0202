// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The record engine in the custom logic of an AWS F2 instance. README.md beside this file tells how
// to connect it; the ports have the shell's names.
//
// Theory of operation: registers are the OCL port (BAR 0 of the application's function), host
// memory is PCIM, interrupts are the first eight of the shell's sixteen lines, a pulse each. PCIM
// takes 32 reads at most, wants a write address to name the first doubleword written, and closes
// for good when a beat keeps it waiting for 8 us; the engine asks only for bursts whose data it has
// and takes R and B in every cycle.

`default_nettype none

module sealgate_aws_f2
  import sealgate_pkg::*;
#(
  parameter int unsigned LANES = 4,
  parameter sealgate_aes_pkg::sbox_style_e SboxStyle = sealgate_aes_pkg::SboxComposite,
  parameter sealgate_gf128_pkg::mul_style_e GfMulStyle = sealgate_gf128_pkg::MulXor,
  parameter logic [31:0] Build = 32'd0
) (
  input  wire logic         clk_main_a0,
  input  wire logic         rst_main_n,

  input  wire logic         ocl_cl_awvalid,
  input  wire logic [31:0]  ocl_cl_awaddr,
  output      logic         cl_ocl_awready,
  input  wire logic         ocl_cl_wvalid,
  input  wire logic [31:0]  ocl_cl_wdata,
  input  wire logic [3:0]   ocl_cl_wstrb,
  output      logic         cl_ocl_wready,
  output      logic         cl_ocl_bvalid,
  output      logic [1:0]   cl_ocl_bresp,
  input  wire logic         ocl_cl_bready,
  input  wire logic         ocl_cl_arvalid,
  input  wire logic [31:0]  ocl_cl_araddr,
  output      logic         cl_ocl_arready,
  output      logic         cl_ocl_rvalid,
  output      logic [31:0]  cl_ocl_rdata,
  output      logic [1:0]   cl_ocl_rresp,
  input  wire logic         ocl_cl_rready,

  output      logic [15:0]  cl_sh_pcim_awid,
  output      logic [63:0]  cl_sh_pcim_awaddr,
  output      logic [7:0]   cl_sh_pcim_awlen,
  output      logic [2:0]   cl_sh_pcim_awsize,
  output      logic [1:0]   cl_sh_pcim_awburst,
  output      logic         cl_sh_pcim_awvalid,
  input  wire logic         sh_cl_pcim_awready,
  output      logic [511:0] cl_sh_pcim_wdata,
  output      logic [63:0]  cl_sh_pcim_wstrb,
  output      logic         cl_sh_pcim_wlast,
  output      logic         cl_sh_pcim_wvalid,
  input  wire logic         sh_cl_pcim_wready,
  input  wire logic [15:0]  sh_cl_pcim_bid,
  input  wire logic [1:0]   sh_cl_pcim_bresp,
  input  wire logic         sh_cl_pcim_bvalid,
  output      logic         cl_sh_pcim_bready,
  output      logic [15:0]  cl_sh_pcim_arid,
  output      logic [63:0]  cl_sh_pcim_araddr,
  output      logic [7:0]   cl_sh_pcim_arlen,
  output      logic [2:0]   cl_sh_pcim_arsize,
  output      logic [1:0]   cl_sh_pcim_arburst,
  output      logic         cl_sh_pcim_arvalid,
  input  wire logic         sh_cl_pcim_arready,
  input  wire logic [15:0]  sh_cl_pcim_rid,
  input  wire logic [511:0] sh_cl_pcim_rdata,
  input  wire logic [1:0]   sh_cl_pcim_rresp,
  input  wire logic         sh_cl_pcim_rlast,
  input  wire logic         sh_cl_pcim_rvalid,
  output      logic         cl_sh_pcim_rready,

  output      logic [15:0]  cl_sh_apppf_irq_req,
  input  wire logic [15:0]  sh_cl_apppf_irq_ack
);

  localparam int unsigned PcimWidth = 512;
  localparam int unsigned PcimReads = 32;
  localparam int unsigned PcimIdWidth = 16;

  logic                    rst_n;
  bus_id_t                 arid;
  logic                    arvalid;
  logic                    arready;
  bus_id_t                 rid;
  bus_id_t                 awid;
  bus_id_t                 bid;
  logic [63:0]             awaddr;
  logic [7:0]              awlen;
  logic                    awvalid;
  logic                    awready;
  logic [PcimWidth-1:0]    wdata;
  logic [PcimWidth/8-1:0]  wstrb;
  logic                    wlast;
  logic                    wvalid;
  logic                    wready;
  logic [BusPortWidth-1:0] shell_awid;
  logic                    irq_valid;
  queue_id_t               irq_index;
  logic                    irq_ready;
  logic [QueueCount-1:0]   irq_request;

  sealgate_board_reset u_reset (
    .clk_i (clk_main_a0),
    .rst_ni(rst_main_n),
    .rst_no(rst_n)
  );

  sealgate_top #(
    .LANES     (LANES),
    .DATA_WIDTH(PcimWidth),
    .SboxStyle (SboxStyle),
    .GfMulStyle(GfMulStyle),
    .Build     (Build)
  ) u_engine (
    .clk_i           (clk_main_a0),
    .rst_ni          (rst_n),
    .s_axil_awaddr_i (ocl_cl_awaddr[15:0]),
    .s_axil_awprot_i ('0),
    .s_axil_awvalid_i(ocl_cl_awvalid),
    .s_axil_awready_o(cl_ocl_awready),
    .s_axil_wdata_i  (ocl_cl_wdata),
    .s_axil_wstrb_i  (ocl_cl_wstrb),
    .s_axil_wvalid_i (ocl_cl_wvalid),
    .s_axil_wready_o (cl_ocl_wready),
    .s_axil_bresp_o  (cl_ocl_bresp),
    .s_axil_bvalid_o (cl_ocl_bvalid),
    .s_axil_bready_i (ocl_cl_bready),
    .s_axil_araddr_i (ocl_cl_araddr[15:0]),
    .s_axil_arprot_i ('0),
    .s_axil_arvalid_i(ocl_cl_arvalid),
    .s_axil_arready_o(cl_ocl_arready),
    .s_axil_rdata_o  (cl_ocl_rdata),
    .s_axil_rresp_o  (cl_ocl_rresp),
    .s_axil_rvalid_o (cl_ocl_rvalid),
    .s_axil_rready_i (ocl_cl_rready),
    .m_axi_arid_o    (arid),
    .m_axi_araddr_o  (cl_sh_pcim_araddr),
    .m_axi_arlen_o   (cl_sh_pcim_arlen),
    .m_axi_arsize_o  (cl_sh_pcim_arsize),
    .m_axi_arburst_o (cl_sh_pcim_arburst),
    .m_axi_arvalid_o (arvalid),
    .m_axi_arready_i (arready),
    .m_axi_rid_i     (rid),
    .m_axi_rdata_i   (sh_cl_pcim_rdata),
    .m_axi_rresp_i   (sh_cl_pcim_rresp),
    .m_axi_rlast_i   (sh_cl_pcim_rlast),
    .m_axi_rvalid_i  (sh_cl_pcim_rvalid),
    .m_axi_rready_o  (cl_sh_pcim_rready),
    .m_axi_awid_o    (awid),
    .m_axi_awaddr_o  (awaddr),
    .m_axi_awlen_o   (awlen),
    .m_axi_awsize_o  (cl_sh_pcim_awsize),
    .m_axi_awburst_o (cl_sh_pcim_awburst),
    .m_axi_awvalid_o (awvalid),
    .m_axi_awready_i (awready),
    .m_axi_wdata_o   (wdata),
    .m_axi_wstrb_o   (wstrb),
    .m_axi_wlast_o   (wlast),
    .m_axi_wvalid_o  (wvalid),
    .m_axi_wready_i  (wready),
    .m_axi_bid_i     (bid),
    .m_axi_bresp_i   (sh_cl_pcim_bresp),
    .m_axi_bvalid_i  (sh_cl_pcim_bvalid),
    .m_axi_bready_o  (cl_sh_pcim_bready),
    .irq_valid_o     (irq_valid),
    .irq_index_o     (irq_index),
    .irq_ready_i     (irq_ready)
  );

  sealgate_board_read_slots #(
    .Slots  (PcimReads),
    .IdWidth(PcimIdWidth)
  ) u_slots (
    .clk_i            (clk_main_a0),
    .rst_ni           (rst_n),
    .engine_ar_id_i   (arid),
    .engine_ar_valid_i(arvalid),
    .engine_ar_ready_o(arready),
    .engine_r_id_o    (rid),
    .shell_ar_id_o    (cl_sh_pcim_arid),
    .shell_ar_valid_o (cl_sh_pcim_arvalid),
    .shell_ar_ready_i (sh_cl_pcim_arready),
    .shell_r_id_i     (sh_cl_pcim_rid),
    .shell_r_valid_i  (sh_cl_pcim_rvalid),
    .shell_r_last_i   (sh_cl_pcim_rlast)
  );

  // The tag of a write is always 0: who asked is all of its ID.
  sealgate_f2_write_start #(
    .DataWidth(PcimWidth),
    .IdWidth  (BusPortWidth)
  ) u_start (
    .clk_i              (clk_main_a0),
    .rst_ni             (rst_n),
    .engine_aw_id_i     (awid[BusIdWidth-1:BusTagWidth]),
    .engine_aw_address_i(awaddr),
    .engine_aw_len_i    (awlen),
    .engine_aw_valid_i  (awvalid),
    .engine_aw_ready_o  (awready),
    .engine_w_data_i    (wdata),
    .engine_w_strb_i    (wstrb),
    .engine_w_last_i    (wlast),
    .engine_w_valid_i   (wvalid),
    .engine_w_ready_o   (wready),
    .shell_aw_id_o      (shell_awid),
    .shell_aw_address_o (cl_sh_pcim_awaddr),
    .shell_aw_len_o     (cl_sh_pcim_awlen),
    .shell_aw_valid_o   (cl_sh_pcim_awvalid),
    .shell_aw_ready_i   (sh_cl_pcim_awready),
    .shell_w_data_o     (cl_sh_pcim_wdata),
    .shell_w_strb_o     (cl_sh_pcim_wstrb),
    .shell_w_last_o     (cl_sh_pcim_wlast),
    .shell_w_valid_o    (cl_sh_pcim_wvalid),
    .shell_w_ready_i    (sh_cl_pcim_wready)
  );

  assign cl_sh_pcim_awid = PcimIdWidth'(shell_awid);
  assign bid             = {sh_cl_pcim_bid[BusPortWidth-1:0], BusTagWidth'(0)};

  sealgate_board_irq_lines #(
    .Style(sealgate_board_pkg::IrqPulseAcknowledged)
  ) u_irq (
    .clk_i        (clk_main_a0),
    .rst_ni       (rst_n),
    .irq_valid_i  (irq_valid),
    .irq_index_i  (irq_index),
    .irq_ready_o  (irq_ready),
    .request_o    (irq_request),
    .acknowledge_i(sh_cl_apppf_irq_ack[QueueCount-1:0]),
    .serviced_i   ('0)
  );

  assign cl_sh_apppf_irq_req = 16'(irq_request);

  logic unused;
  assign unused = ^{ocl_cl_awaddr[31:16], ocl_cl_araddr[31:16], awid[BusTagWidth-1:0],
                    sh_cl_pcim_bid[PcimIdWidth-1:BusPortWidth],
                    sh_cl_apppf_irq_ack[15:QueueCount]};

endmodule

`default_nettype wire
