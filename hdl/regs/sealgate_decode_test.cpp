// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Hands sealgate_decode a CTX_LOAD of each suite: one that the build knows becomes a request and SUCCESS, any other
// INVALID_FIELD and nothing else. The one argument is the highest suite that the build knows. Ends with 0, or says what
// failed and ends with 1.

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "Vsealgate_decode.h"
#include "verilated.h"

namespace {

// As in docs/device.md; the places of opening_t are those of sealgate_pkg.
constexpr unsigned kOpcodeLoad = 2, kVersionTls13 = 4, kDirectionSeal = 1;
constexpr unsigned kSuccess = 0, kInvalidField = 4;
constexpr unsigned kStatusLsb = 90, kStatusBits = 7;
// Longer than any judgement takes.
constexpr int kMaxCycles = 64;

struct Outcome {
  bool opened = false;
  bool requested = false;
  unsigned status = 0;
};

class Bench {
 public:
  explicit Bench(VerilatedContext* context) : dut_(context) {
    dut_.rst_ni = 0;
    for (int i = 0; i < 4; i++) edge();
    dut_.rst_ni = 1;
    dut_.ready_i = 1;
    dut_.request_ready_i = 1;
    dut_.job_ready_i = 1;
  }

  // What becomes of a load; the table answers that no context is loaded.
  Outcome load(unsigned suite) {
    Outcome outcome;
    dut_.present_i = 1;
    for (int i = 0; i < kMaxCycles; i++) {
      dut_.clk_i = 0;
      dut_.eval();
      const bool read = dut_.read_o, advance = dut_.advance_o, request = dut_.request_valid_o;
      if (dut_.opening_valid_o) {
        outcome.opened = true;
        outcome.status = (dut_.opening_o[kStatusLsb / 32] >> kStatusLsb % 32 |
                          dut_.opening_o[kStatusLsb / 32 + 1] << (32 - kStatusLsb % 32)) &
                         ((1u << kStatusBits) - 1);
      }
      dut_.clk_i = 1;
      dut_.eval();
      if (read) put_entry(suite);
      if (advance) dut_.present_i = 0;
      dut_.request_done_i = request;
      outcome.requested |= request;
    }
    return outcome;
  }

 private:
  void edge() {
    dut_.clk_i = 0;
    dut_.eval();
    dut_.clk_i = 1;
    dut_.eval();
  }

  void put_entry(unsigned suite) {
    for (unsigned i = 0; i < 17; i++) dut_.entry_i[i] = 0;
    dut_.entry_i[0] = kOpcodeLoad | suite << 8;
    dut_.entry_i[1] = kVersionTls13 << 16 | kDirectionSeal << 24;
  }

  Vsealgate_decode dut_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const unsigned highest = std::strtoul(argv[1], nullptr, 10);
  VerilatedContext context;
  Bench bench(&context);
  for (unsigned suite = 0; suite < 256; suite++) {
    const bool known = suite >= 1 && suite <= highest;
    const Outcome outcome = bench.load(suite);
    if (!outcome.opened || outcome.requested != known || outcome.status != (known ? kSuccess : kInvalidField)) {
      std::printf("suite %u: opened %d, requested %d, status %u\n", suite, outcome.opened, outcome.requested,
                  outcome.status);
      return 1;
    }
  }
  return 0;
}
