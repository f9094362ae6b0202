// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The engine behind a model of the F2 shell: PCIM, OCL and the user interrupts. Ends with 0, or says what failed and
// ends with 1.

#include "Vsealgate_aws_f2.h"
#include "board_bench.h"
#include "verilated.h"

namespace {

using namespace board;

class AwsF2 final : public Board {
 public:
  void clock(bool level) override {
    dut_.clk_main_a0 = level;
    dut_.eval();
  }

  void reset(bool asserted) override { dut_.rst_main_n = !asserted; }

  Master master() override {
    Master m = {};
    m.ar_valid = dut_.cl_sh_pcim_arvalid;
    m.ar_id = dut_.cl_sh_pcim_arid;
    m.ar_address = dut_.cl_sh_pcim_araddr;
    m.ar_len = dut_.cl_sh_pcim_arlen;
    m.ar_size = dut_.cl_sh_pcim_arsize;
    m.ar_burst = dut_.cl_sh_pcim_arburst;
    m.r_ready = dut_.cl_sh_pcim_rready;
    m.aw_valid = dut_.cl_sh_pcim_awvalid;
    m.aw_id = dut_.cl_sh_pcim_awid;
    m.aw_address = dut_.cl_sh_pcim_awaddr;
    m.aw_len = dut_.cl_sh_pcim_awlen;
    m.aw_size = dut_.cl_sh_pcim_awsize;
    m.aw_burst = dut_.cl_sh_pcim_awburst;
    m.w_valid = dut_.cl_sh_pcim_wvalid;
    m.w_last = dut_.cl_sh_pcim_wlast;
    m.w_strb = dut_.cl_sh_pcim_wstrb;
    std::memcpy(m.w_data.data(), dut_.cl_sh_pcim_wdata.data(), kBeatBytes);
    m.b_ready = dut_.cl_sh_pcim_bready;
    return m;
  }

  void drive(const Slave& s) override {
    dut_.sh_cl_pcim_arready = s.ar_ready;
    dut_.sh_cl_pcim_rvalid = s.r_valid;
    dut_.sh_cl_pcim_rid = s.r_id;
    dut_.sh_cl_pcim_rlast = s.r_last;
    dut_.sh_cl_pcim_rresp = s.r_resp;
    std::memcpy(dut_.sh_cl_pcim_rdata.data(), s.r_data.data(), kBeatBytes);
    dut_.sh_cl_pcim_awready = s.aw_ready;
    dut_.sh_cl_pcim_wready = s.w_ready;
    dut_.sh_cl_pcim_bvalid = s.b_valid;
    dut_.sh_cl_pcim_bid = s.b_id;
    dut_.sh_cl_pcim_bresp = s.b_resp;
  }

  LiteAnswer lite() override {
    LiteAnswer a = {};
    a.aw_ready = dut_.cl_ocl_awready;
    a.w_ready = dut_.cl_ocl_wready;
    a.b_valid = dut_.cl_ocl_bvalid;
    a.b_resp = dut_.cl_ocl_bresp;
    a.ar_ready = dut_.cl_ocl_arready;
    a.r_valid = dut_.cl_ocl_rvalid;
    a.r_resp = dut_.cl_ocl_rresp;
    a.r_data = dut_.cl_ocl_rdata;
    return a;
  }

  void drive(const Lite& l) override {
    dut_.ocl_cl_awvalid = l.aw_valid;
    dut_.ocl_cl_awaddr = l.aw_address;
    dut_.ocl_cl_wvalid = l.w_valid;
    dut_.ocl_cl_wdata = l.w_data;
    dut_.ocl_cl_wstrb = 0xF;
    dut_.ocl_cl_bready = l.b_ready;
    dut_.ocl_cl_arvalid = l.ar_valid;
    dut_.ocl_cl_araddr = l.ar_address;
    dut_.ocl_cl_rready = l.r_ready;
  }

  uint32_t irq() override { return dut_.cl_sh_apppf_irq_req; }
  void acknowledge(uint32_t lines) override { dut_.sh_cl_apppf_irq_ack = lines; }

 private:
  static constexpr unsigned kBeatBytes = 64;

  VerilatedContext context_;
  Vsealgate_aws_f2 dut_{&context_};
};

// 8 us at 250 MHz.
constexpr unsigned kPatience = 2000;

// Raises a line again two cycles after it rose.
std::function<void(Master&, const Slave&, uint32_t&, uint64_t)> second_pulse() {
  return [past = std::array<uint32_t, 2>{}](Master&, const Slave&, uint32_t& irq, uint64_t cycle) mutable {
    const uint32_t now = irq;
    irq |= past[cycle % 2];
    past[cycle % 2] = now;
  };
}

}  // namespace

int main() {
  Rules rules = {};
  rules.beat_bytes = 64;
  rules.address_bits = 64;
  rules.id_bits = 16;
  rules.max_burst_bytes = 4096;
  rules.max_reads = 32;
  rules.address_names_dword = true;
  rules.patience = kPatience;
  rules.register_patience = kPatience;
  rules.irq = Rules::kPulseAcknowledged;

  std::vector<Fault> faults = common_faults();
  const std::vector<Fault> more = parallel_faults();
  faults.insert(faults.end(), more.begin(), more.end());
  faults.push_back(long_pulse());
  faults.push_back({"a second pulse", "an interrupt before the one before was acknowledged", second_pulse()});
  faults.push_back({"addresses of whole beats", "an address that is not of the first doubleword",
                    [](Master& m, const Slave&, uint32_t&, uint64_t) { m.aw_address &= ~uint64_t{63}; }});
  faults.push_back({"data that does not come", "W kept the shell waiting",
                    [](Master& m, const Slave&, uint32_t&, uint64_t) { m.w_valid = false; }, [](Rules&) {},
                    [](Slave& s) { s.w_ready = false; }});
  faults.push_back({"read data that is not taken", "R kept the shell waiting",
                    [](Master& m, const Slave&, uint32_t&, uint64_t) { m.r_ready = false; }, [](Rules&) {},
                    [](Slave& s) { s.r_valid = false; }});
  faults.push_back({"acknowledgements that are not taken", "B kept the shell waiting",
                    [](Master& m, const Slave&, uint32_t&, uint64_t) { m.b_ready = false; }, [](Rules&) {},
                    [](Slave& s) { s.b_valid = false; }});

  return run_board([] { return std::make_unique<AwsF2>(); }, rules, faults, [](const Bus& bus) {
    require(bus.overtaken > 0, "not tried: reads out of order");
    require(bus.unaligned_bursts > 0, "not tried: bursts that begin within a beat");
    require(bus.addresses_after_data > 0, "not tried: an address that waits for data");
  });
}
