// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The engine behind a model of AMD's bridge: its slave, its master and the lines of XDMA. Ends with 0, or says what
// failed and ends with 1.

#include "Vsealgate_amd_bridge.h"
#include "board_bench.h"
#include "verilated.h"

namespace {

using namespace board;

class AmdBridge final : public Board {
 public:
  void clock(bool level) override {
    dut_.aclk = level;
    dut_.eval();
  }

  void reset(bool asserted) override { dut_.aresetn = !asserted; }

  Master master() override {
    Master m = {};
    m.ar_valid = dut_.m_axi_arvalid;
    m.ar_id = dut_.m_axi_arid;
    m.ar_address = dut_.m_axi_araddr;
    m.ar_len = dut_.m_axi_arlen;
    m.ar_size = dut_.m_axi_arsize;
    m.ar_burst = dut_.m_axi_arburst;
    m.r_ready = dut_.m_axi_rready;
    m.aw_valid = dut_.m_axi_awvalid;
    m.aw_id = dut_.m_axi_awid;
    m.aw_address = dut_.m_axi_awaddr;
    m.aw_len = dut_.m_axi_awlen;
    m.aw_size = dut_.m_axi_awsize;
    m.aw_burst = dut_.m_axi_awburst;
    m.w_valid = dut_.m_axi_wvalid;
    m.w_last = dut_.m_axi_wlast;
    m.w_strb = dut_.m_axi_wstrb;
    std::memcpy(m.w_data.data(), dut_.m_axi_wdata.data(), kBeatBytes);
    m.b_ready = dut_.m_axi_bready;
    return m;
  }

  void drive(const Slave& s) override {
    dut_.m_axi_arready = s.ar_ready;
    dut_.m_axi_rvalid = s.r_valid;
    dut_.m_axi_rid = s.r_id;
    dut_.m_axi_rlast = s.r_last;
    dut_.m_axi_rresp = s.r_resp;
    std::memcpy(dut_.m_axi_rdata.data(), s.r_data.data(), kBeatBytes);
    dut_.m_axi_awready = s.aw_ready;
    dut_.m_axi_wready = s.w_ready;
    dut_.m_axi_bvalid = s.b_valid;
    dut_.m_axi_bid = s.b_id;
    dut_.m_axi_bresp = s.b_resp;
  }

  LiteAnswer lite() override {
    LiteAnswer a = {};
    a.aw_ready = dut_.s_axil_awready;
    a.w_ready = dut_.s_axil_wready;
    a.b_valid = dut_.s_axil_bvalid;
    a.b_resp = dut_.s_axil_bresp;
    a.ar_ready = dut_.s_axil_arready;
    a.r_valid = dut_.s_axil_rvalid;
    a.r_resp = dut_.s_axil_rresp;
    a.r_data = dut_.s_axil_rdata;
    return a;
  }

  void drive(const Lite& l) override {
    dut_.s_axil_awvalid = l.aw_valid;
    dut_.s_axil_awaddr = l.aw_address;
    dut_.s_axil_wvalid = l.w_valid;
    dut_.s_axil_wdata = l.w_data;
    dut_.s_axil_wstrb = 0xF;
    dut_.s_axil_bready = l.b_ready;
    dut_.s_axil_arvalid = l.ar_valid;
    dut_.s_axil_araddr = l.ar_address;
    dut_.s_axil_rready = l.r_ready;
  }

  uint32_t irq() override { return dut_.usr_irq_req; }
  void acknowledge(uint32_t lines) override { dut_.usr_irq_ack = lines; }

 private:
  static constexpr unsigned kBeatBytes = 64;

  VerilatedContext context_;
  Vsealgate_amd_bridge dut_{&context_};
};

// Lowers a line some cycles after it rose, and until it falls by itself.
std::function<void(Master&, const Slave&, uint32_t&, uint64_t)> lowered_after(unsigned cycles) {
  return [cycles, age = std::array<unsigned, kQueues>{}](Master&, const Slave&, uint32_t& irq, uint64_t) mutable {
    for (unsigned i = 0; i < kQueues; i++) {
      age[i] = irq >> i & 1 ? age[i] + 1 : 0;
      if (age[i] > cycles) irq &= ~(1u << i);
    }
  };
}

}  // namespace

int main() {
  Rules rules = {};
  rules.beat_bytes = 64;
  rules.address_bits = 64;
  rules.id_bits = 4;
  rules.max_burst_bytes = 4096;
  rules.max_reads = 32;
  rules.register_patience = 2000;
  rules.irq = Rules::kHeld;

  std::vector<Fault> faults = common_faults();
  const std::vector<Fault> more = parallel_faults();
  faults.insert(faults.end(), more.begin(), more.end());
  faults.push_back({"a line lowered at once", "an interrupt line lowered before its acknowledgement", lowered_after(1)});
  faults.push_back({"a line lowered by the acknowledgement", "an interrupt line lowered before its service",
                    lowered_after(Interrupts::kDeliverMost + Interrupts::kAcknowledgeMost)});
  faults.push_back({"a write's address within a beat", "a write that does not begin with a beat",
                    [](Master& m, const Slave&, uint32_t&, uint64_t) { m.aw_address |= 4; }});

  return run_board([] { return std::make_unique<AmdBridge>(); }, rules, faults, [](const Bus& bus) {
    require(bus.most_reads == 16, "not tried: as many reads as there are IDs");
    require(bus.overtaken > 0, "not tried: reads out of order");
    require(bus.unaligned_bursts > 0, "not tried: bursts that begin within a beat");
    require(bus.addresses_after_data > 0, "not tried: an address that waits for data");
  });
}
