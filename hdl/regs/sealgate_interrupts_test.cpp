// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Holds sealgate_interrupts to its rules over random completions, clears, enables and settings: a message leaves in
// time and not before it is due, there is one per rise, and a host that clears the bit, looks at the ring and sleeps is
// woken for everything it did not see. Ends with 0, or says what failed and ends with 1; SEALGATE_SEED replays a run.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "Vsealgate_interrupts.h"
#include "verilated.h"

namespace {

constexpr unsigned kQueues = 8;
// A queue is looked at once in a round; its age may be told one cycle late.
constexpr unsigned kMaxLate = kQueues + 1;

std::mt19937_64 rng;
uint64_t cycle = 0;

uint64_t random_below(uint64_t bound) { return rng() % bound; }

[[noreturn]] void fail(const char* what, unsigned queue) {
  std::printf("cycle %llu, queue %u: %s\n", static_cast<unsigned long long>(cycle), queue, what);
  std::exit(1);
}

struct Settings {
  unsigned count;
  uint64_t cycles;

  static Settings random() {
    constexpr unsigned kCounts[] = {0, 1, 2, 3, 7, 32, 255};
    constexpr uint64_t kCycles[] = {0, 1, 5, 40, 300, 0xFFFFFF};
    return {kCounts[random_below(7)], kCycles[random_below(6)]};
  }
};

// The registers of one queue as the csr keeps them, and what the rules say of its message.
struct Queue {
  bool status = false;
  bool enabled = false;
  bool sent = false;        // since the bit rose
  uint64_t written = 0;     // completions since then
  uint64_t risen = 0;       // cycle of the first of them
  bool due = false;         // the message may leave when the queue is enabled
  uint64_t late = 0;        // cycles that it could have left in

  void settle(const Settings& settings) {
    const bool ripe = settings.count <= 1 || written >= settings.count || cycle - risen >= settings.cycles;
    due = status && !sent && (due || ripe);
    if (!due || !enabled) late = 0;
  }
};

class Bench {
 public:
  explicit Bench(VerilatedContext* context) : dut_(context) {}

  void reset() {
    dut_.rst_ni = 0;
    for (int i = 0; i < 4; i++) edge();
    dut_.rst_ni = 1;
    edge();
  }

  // Runs with one setting: the host changes enables, clears, and sometimes holds the port.
  void run(int cycles, unsigned density, unsigned clear_rate) {
    const Settings settings = Settings::random();
    dut_.count_i = settings.count;
    dut_.cycles_i = settings.cycles;
    clear_all();
    for (int i = 0; i < cycles; i++) step(settings, density, clear_rate);
  }

  uint64_t messages() const { return messages_; }

 private:
  void edge() {
    dut_.clk_i = 0;
    dut_.eval();
    dut_.clk_i = 1;
    dut_.eval();
  }

  // A new setting holds for what comes after it.
  void clear_all() {
    for (Queue& queue : queues_) queue = {false, queue.enabled};
    drive_registers(0);
    dut_.complete_valid_i = 0;
    dut_.irq_ready_i = 1;
    for (unsigned i = 0; i < 2; i++) edge(), cycle++;
  }

  void drive_registers(unsigned rearm) {
    unsigned status = 0, enable = 0;
    for (unsigned q = 0; q < kQueues; q++) {
      status |= queues_[q].status << q;
      enable |= queues_[q].enabled << q;
    }
    dut_.status_i = status;
    dut_.enable_i = enable;
    dut_.rearm_i = rearm;
  }

  void step(const Settings& settings, unsigned density, unsigned clear_rate) {
    const unsigned clears = random_below(1024) >= clear_rate ? 0 : 1u << random_below(kQueues);
    const bool valid = random_below(64) < density;
    const unsigned target = random_below(kQueues), count = 1 + random_below(4);
    if (random_below(256) == 0) queues_[random_below(kQueues)].enabled ^= true;
    drive_registers(valid ? clears & 1u << target : 0);
    dut_.complete_valid_i = valid;
    dut_.complete_queue_i = target;
    dut_.complete_count_i = count;
    dut_.irq_ready_i = random_below(4) != 0;
    dut_.clk_i = 0;
    dut_.eval();
    const bool free = !dut_.irq_valid_o || dut_.irq_ready_i;
    bool may_leave[kQueues];
    for (unsigned q = 0; q < kQueues; q++) {
      Queue& queue = queues_[q];
      queue.settle(settings);
      may_leave[q] = queue.due && queue.enabled && free;
      if (may_leave[q] && ++queue.late > kMaxLate) fail("a message is late", q);
    }
    dut_.clk_i = 1;
    dut_.eval();
    if (free && dut_.irq_valid_o) {
      const unsigned q = dut_.irq_index_o;
      if (!may_leave[q]) fail("a message that is not due", q);
      queues_[q].sent = true;
      messages_++;
    }
    change_status(clears, valid, target, count);
    cycle++;
  }

  void change_status(unsigned clears, bool valid, unsigned target, unsigned count) {
    for (unsigned q = 0; q < kQueues; q++) {
      if (clears >> q & 1) queues_[q] = {false, queues_[q].enabled};
    }
    if (!valid) return;
    Queue& queue = queues_[target];
    if (!queue.status) queue = {true, queue.enabled, false, 0, cycle};
    queue.written += count;
  }

  Vsealgate_interrupts dut_;
  Queue queues_[kQueues];
  uint64_t messages_ = 0;
};

}  // namespace

int main() {
  const char* given = std::getenv("SEALGATE_SEED");
  const uint64_t seed = given ? std::strtoull(given, nullptr, 0) : std::random_device()();
  std::printf("SEALGATE_SEED=%llu\n", static_cast<unsigned long long>(seed));
  rng.seed(seed);
  VerilatedContext context;
  Bench bench(&context);
  bench.reset();
  for (int round = 0; round < 400; round++) {
    constexpr unsigned kDensities[] = {1, 4, 16, 60};
    constexpr unsigned kClearRates[] = {2, 16, 64};
    bench.run(2000, kDensities[random_below(4)], kClearRates[random_below(3)]);
  }
  if (bench.messages() < 1000) fail("hardly a message was sent", 0);
  return 0;
}
