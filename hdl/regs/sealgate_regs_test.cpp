// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Drives the generated register block by itself: what the generator must get right and the whole device can't show,
// above all that an event in the very cycle of a clear is kept. Ends with 0, or says what failed and ends with 1.

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "Vsealgate_regs.h"
#include "verilated.h"

namespace {

constexpr uint32_t kMagic = 0x000, kVersion = 0x004, kControl = 0x020, kErrors = 0x028, kIrqStatus = 0x030;
constexpr uint32_t kQueue2 = 0x3000, kSqBaseLo = 0x00, kSqTail = 0x40, kSqHead = 0x48, kQueueErrors = 0x50;
constexpr unsigned kOkay = 0, kSlvErr = 2;
constexpr int kMaxWait = 16;

Vsealgate_regs* dut;
int failures = 0;
int control_reset_cycles = 0;

void check(const char* what, uint64_t got, uint64_t want) {
  if (got == want) return;
  std::printf("%s: got %#llx, want %#llx\n", what, static_cast<unsigned long long>(got),
              static_cast<unsigned long long>(want));
  failures++;
}

void tick() {
  dut->clk = 0;
  dut->eval();
  control_reset_cycles += dut->hwif_out_device_control_reset;
  dut->clk = 1;
  dut->eval();
}

// Offers address and data together in cycle 0, so that the fields are written in cycle 1; in cycle `event` the event
// inputs are high.
unsigned write(uint32_t address, uint32_t data, unsigned strobe = 0xF, int event = -1) {
  dut->s_axil_awaddr = address;
  dut->s_axil_wdata = data;
  dut->s_axil_wstrb = strobe;
  dut->s_axil_awvalid = dut->s_axil_wvalid = 1;
  dut->s_axil_bready = 1;
  bool done = false;
  unsigned response = 0;
  for (int cycle = 0; cycle < kMaxWait && !(done && cycle > event); cycle++) {
    dut->hwif_in_device_errors_read_fault_hwset = cycle == event;
    dut->hwif_in_device_irq_status_queue1_hwset = cycle == event;
    dut->hwif_in_queue2_queue_errors_bad_doorbell_hwset = cycle == event;
    dut->clk = 0;
    dut->eval();
    if (dut->s_axil_bvalid) {
      done = true;
      response = dut->s_axil_bresp;
    }
    tick();
    dut->s_axil_awvalid = dut->s_axil_wvalid = 0;
  }
  if (done) return response;
  std::printf("a write of %#x got no response\n", address);
  std::exit(1);
}

uint32_t read(uint32_t address, unsigned want = kOkay) {
  dut->s_axil_araddr = address;
  dut->s_axil_arvalid = 1;
  dut->s_axil_rready = 1;
  for (int cycle = 0; cycle < kMaxWait; cycle++) {
    dut->clk = 0;
    dut->eval();
    const bool done = dut->s_axil_rvalid;
    const uint32_t data = dut->s_axil_rdata;
    const unsigned response = dut->s_axil_rresp;
    tick();
    dut->s_axil_arvalid = 0;
    if (done) {
      check("response of a read", response, want);
      return data;
    }
  }
  std::printf("a read of %#x got no response\n", address);
  std::exit(1);
}

void test_plain_fields() {
  check("MAGIC", read(kMagic), 0x5EA16A7E);
  check("response of a write to MAGIC", write(kMagic, 0), kOkay);
  check("MAGIC after a write", read(kMagic), 0x5EA16A7E);
  write(kQueue2 + kSqBaseLo, 0xFFFFFFFF);
  check("bits without a field", read(kQueue2 + kSqBaseLo), 0xFFFFF000);
  check("SQ_BASE_LO at the port", dut->hwif_out_queue2_sq_base_lo_addr, 0xFFFFF);
  write(kQueue2 + kSqTail, 0x1234);
  write(kQueue2 + kSqTail, 0xABCD, 0x2);
  check("a write of byte 1 alone", read(kQueue2 + kSqTail), 0xAB34);
  dut->hwif_in_queue2_sq_head_index = 0x55AA;
  write(kQueue2 + kSqHead, 0);
  check("SQ_HEAD shows its input", read(kQueue2 + kSqHead), 0x55AA);
}

void test_single_pulse() {
  control_reset_cycles = 0;
  write(kControl, 0b0011);
  for (int i = 0; i < 4; i++) tick();
  check("cycles of the reset pulse", control_reset_cycles, 1);
  check("CONTROL after a pulse", read(kControl), 0b0001);
  check("enable at the port", dut->hwif_out_device_control_enable, 1);
}

struct Sticky {
  const char* name;
  uint32_t address;
  uint32_t bit;
};

// The event is moved over the cycles of the write. Before the cycle of the clear it is cleared; in that cycle and after
// it is kept; and writing 0 never clears.
void test_write_one_to_clear(const Sticky& reg) {
  for (int event = 0; event < 6; event++) {
    write(reg.address, reg.bit);
    check(reg.name, read(reg.address), 0);
    write(reg.address, reg.bit, 0xF, event);
    check(reg.name, read(reg.address), event == 0 ? 0 : reg.bit);
    write(reg.address, reg.bit);
    write(reg.address, 0, 0xF, event);
    check(reg.name, read(reg.address), reg.bit);
    write(reg.address, ~reg.bit, 0xF, event);
    check(reg.name, read(reg.address), reg.bit);
  }
}

void test_bad_addresses() {
  for (uint32_t address : {0x00Cu, 0x2000u - 4, kQueue2 + 0x18, 0x5000u, 0x7FFCu}) {
    check("data of a read without a register", read(address, kSlvErr), 0);
    check("response of a write without a register", write(address, 0xFFFFFFFF), kSlvErr);
  }
  check("the block goes on after a bad address", read(kVersion), 0x000100);
}

}  // namespace

int main() {
  VerilatedContext context;
  Vsealgate_regs block(&context);
  dut = &block;
  dut->rst_n = 0;
  for (int i = 0; i < 4; i++) tick();
  dut->rst_n = 1;
  tick();
  test_plain_fields();
  test_single_pulse();
  test_write_one_to_clear({"ERRORS.read_fault", kErrors, 1u << 1});
  test_write_one_to_clear({"IRQ_STATUS.queue1", kIrqStatus, 1u << 1});
  test_write_one_to_clear({"QUEUE_ERRORS.bad_doorbell", kQueue2 + kQueueErrors, 1u << 2});
  test_bad_addresses();
  return failures != 0;
}
