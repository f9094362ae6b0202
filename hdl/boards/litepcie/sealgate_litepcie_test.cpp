// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The engine behind a model of LitePCIe's AXI slave, window and interrupts. Ends with 0, or says what failed and ends
// with 1.

#include "Vsealgate_litepcie.h"
#include "board_bench.h"
#include "verilated.h"

namespace {

using namespace board;

class LitePcie final : public Board {
 public:
  void clock(bool level) override {
    dut_.clk = level;
    dut_.eval();
  }

  void reset(bool asserted) override { dut_.rst = asserted; }

  Master master() override {
    Master m = {};
    m.ar_valid = dut_.mmap_slave_axi_arvalid;
    m.ar_id = dut_.mmap_slave_axi_arid;
    m.ar_address = dut_.mmap_slave_axi_araddr;
    m.ar_len = dut_.mmap_slave_axi_arlen;
    m.ar_size = dut_.mmap_slave_axi_arsize;
    m.ar_burst = dut_.mmap_slave_axi_arburst;
    m.r_ready = dut_.mmap_slave_axi_rready;
    m.aw_valid = dut_.mmap_slave_axi_awvalid;
    m.aw_id = dut_.mmap_slave_axi_awid;
    m.aw_address = dut_.mmap_slave_axi_awaddr;
    m.aw_len = dut_.mmap_slave_axi_awlen;
    m.aw_size = dut_.mmap_slave_axi_awsize;
    m.aw_burst = dut_.mmap_slave_axi_awburst;
    m.w_valid = dut_.mmap_slave_axi_wvalid;
    m.w_last = dut_.mmap_slave_axi_wlast;
    m.w_strb = dut_.mmap_slave_axi_wstrb;
    std::memcpy(m.w_data.data(), dut_.mmap_slave_axi_wdata.data(), kBeatBytes);
    m.b_ready = dut_.mmap_slave_axi_bready;
    return m;
  }

  void drive(const Slave& s) override {
    dut_.mmap_slave_axi_arready = s.ar_ready;
    dut_.mmap_slave_axi_rvalid = s.r_valid;
    dut_.mmap_slave_axi_rlast = s.r_last;
    dut_.mmap_slave_axi_rresp = s.r_resp;
    std::memcpy(dut_.mmap_slave_axi_rdata.data(), s.r_data.data(), kBeatBytes);
    dut_.mmap_slave_axi_awready = s.aw_ready;
    dut_.mmap_slave_axi_wready = s.w_ready;
    dut_.mmap_slave_axi_bvalid = s.b_valid;
    dut_.mmap_slave_axi_bresp = s.b_resp;
  }

  LiteAnswer lite() override {
    return {bool(dut_.mmap_axi_lite_awready), bool(dut_.mmap_axi_lite_wready), bool(dut_.mmap_axi_lite_bvalid),
            bool(dut_.mmap_axi_lite_arready), bool(dut_.mmap_axi_lite_rvalid), dut_.mmap_axi_lite_bresp,
            dut_.mmap_axi_lite_rresp,         dut_.mmap_axi_lite_rdata};
  }

  void drive(const Lite& l) override {
    dut_.mmap_axi_lite_awvalid = l.aw_valid;
    dut_.mmap_axi_lite_awaddr = kWindow + l.aw_address;
    dut_.mmap_axi_lite_wvalid = l.w_valid;
    dut_.mmap_axi_lite_wdata = l.w_data;
    dut_.mmap_axi_lite_wstrb = 0xF;
    dut_.mmap_axi_lite_bready = l.b_ready;
    dut_.mmap_axi_lite_arvalid = l.ar_valid;
    dut_.mmap_axi_lite_araddr = kWindow + l.ar_address;
    dut_.mmap_axi_lite_rready = l.r_ready;
  }

  uint32_t irq() override { return dut_.msi_irqs; }
  void acknowledge(uint32_t) override {}

 private:
  static constexpr unsigned kBeatBytes = 16;
  static constexpr uint32_t kWindow = 0x2'0000;

  VerilatedContext context_;
  Vsealgate_litepcie dut_{&context_};
};

}  // namespace

int main() {
  Rules rules = {};
  rules.beat_bytes = 16;
  rules.address_bits = 32;
  rules.id_bits = 1;
  rules.max_burst_bytes = 4096;
  rules.max_reads = 1;
  rules.whole_beats = true;
  rules.one_at_a_time = true;
  rules.landing_delay = 300;
  rules.register_patience = 2000;
  rules.irq = Rules::kPulse;

  std::vector<Fault> faults = common_faults();
  faults.push_back({"strobes in part", "a beat that is not written as a whole",
                    [](Master& m, const Slave&, uint32_t&, uint64_t) { m.w_strb &= ~uint64_t{1}; }});
  faults.push_back(long_pulse());
  return run_board([] { return std::make_unique<LitePcie>(); }, rules, faults, [](const Bus& bus) {
    require(bus.addresses_after_data > 0, "not tried: an address that waits for data");
  });
}
