// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Holds sealgate_board_irq_vector to the vector port's rules over random messages, acknowledgements and failures: a
// vector stays until the shell has done with it, the next comes after a gap, after a failure not before the pause, and
// every message is followed by an acknowledged vector of its queue. Ends with 0, or says what failed and ends with 1;
// SEALGATE_SEED replays a run. With an argument it spoils the port, and has to fail.

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "Vsealgate_board_irq_vector.h"
#include "verilated.h"

namespace {

constexpr unsigned kQueues = 8;
constexpr unsigned kPause = 40;      // as the test is verilated with
constexpr uint64_t kPatience = 10'000;
constexpr int kCycles = 300'000;

uint64_t cycle = 0;

[[noreturn]] void fail(const char* what, unsigned queue) {
  std::printf("cycle %llu, queue %u: %s\n", static_cast<unsigned long long>(cycle), queue, what);
  std::exit(1);
}

}  // namespace

int main(int arguments, char**) {
  const char* given = std::getenv("SEALGATE_SEED");
  const uint64_t seed = given ? std::strtoull(given, nullptr, 0) : std::random_device()();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 rng(seed);
  const bool spoil = arguments > 1;

  VerilatedContext context;
  Vsealgate_board_irq_vector dut{&context};
  std::array<uint64_t, kQueues> owed_since = {};  // 0: nothing is owed
  bool busy = false, gap = true, message_before = false;
  unsigned queue_before = 0;
  unsigned vector = 0;
  uint64_t failed = 0, sent = 0, failures = 0;

  dut.rst_ni = 0;
  for (int i = 0; i < 4; i++) {
    dut.clk_i = 0, dut.eval();
    dut.clk_i = 1, dut.eval();
  }
  dut.rst_ni = 1;
  for (cycle = 1; cycle < kCycles; cycle++) {
    const bool message = rng() % 64 == 0;
    const unsigned queue = rng() % kQueues;
    dut.irq_valid_i = message;
    dut.irq_index_i = queue;
    const bool done = busy && rng() % 8 == 0;
    const bool failure = done && rng() % 4 == 0;
    dut.acknowledge_i = done && !failure;
    dut.fail_i = failure;
    dut.clk_i = 0;
    dut.eval();
    if (!dut.irq_ready_o) fail("a message is not taken", queue);
    const bool valid = dut.vector_valid_o && !(spoil && cycle % 1000 == 0);
    if (busy && (!valid || dut.vector_o != vector)) fail("a vector is withdrawn", vector);
    if (valid && !busy) {
      if (!gap) fail("no gap between two vectors", dut.vector_o);
      if (failed && cycle - failed < kPause) fail("asked again too soon", dut.vector_o);
      if (!owed_since[dut.vector_o]) fail("a vector without a message", dut.vector_o);
      vector = dut.vector_o;
      // A message of the cycle in which the vector was chosen is owed another.
      owed_since[vector] = message_before && queue_before == vector ? cycle : 0;
      failed = 0;
    }
    busy = valid && !done;
    gap = !valid;
    if (done && !failure) sent++;
    if (failure) {
      failed = cycle;
      failures++;
      if (!owed_since[vector]) owed_since[vector] = cycle;
    }
    if (message && !owed_since[queue]) owed_since[queue] = cycle;
    for (unsigned i = 0; i < kQueues; i++) {
      if (owed_since[i] && cycle - owed_since[i] > kPatience) fail("a message is forgotten", i);
    }
    message_before = message;
    queue_before = queue;
    dut.clk_i = 1;
    dut.eval();
  }
  std::printf("%llu vectors, %llu failures\n", static_cast<unsigned long long>(sent),
              static_cast<unsigned long long>(failures));
  return sent > 1000 && failures > 100 ? 0 : 1;
}
