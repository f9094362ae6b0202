// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Holds sealgate_read_port to its rules over random spans, with a memory that answers its bursts in any order and
// interleaved, and a reader that stops: words come in the order of the spans, each what stands at its address, its
// error beside it; no tag is given to two bursts at a time. The one argument is the number of tags, all of which have to
// be under way once. Ends with 0, or says what failed and ends with 1; SEALGATE_SEED replays a run.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <random>

#include "Vsealgate_read_port.h"
#include "verilated.h"

namespace {

// Of the bus, which has one word a row: so there are as many bursts as can be.
constexpr uint64_t kRowBytes = 16;
constexpr uint64_t kBurstBytes = 1024;
constexpr unsigned kSpans = 20000;

std::mt19937_64 rng;
uint64_t cycle = 0;

uint64_t random_below(uint64_t bound) { return rng() % bound; }

[[noreturn]] void fail(const char* what) {
  std::printf("cycle %llu: %s\n", static_cast<unsigned long long>(cycle), what);
  std::exit(1);
}

// Memory is so large that no two rows are the same.
uint64_t content_of(uint64_t row) { return row * 0x9E3779B97F4A7C15; }
bool is_bad(uint64_t row) { return content_of(row) >> 60 == 0; }

struct Burst {
  uint64_t row;
  unsigned rest;
};

class Bench {
 public:
  Bench(VerilatedContext* context, unsigned tags) : dut_(context), tags_(tags) {
    dut_.rst_ni = 0;
    for (int i = 0; i < 4; i++) {
      dut_.clk_i = 0;
      dut_.eval();
      dut_.clk_i = 1;
      dut_.eval();
    }
    dut_.rst_ni = 1;
    offer();
  }

  // A phase with some speeds of memory and reader; in the end everything has come.
  void run(unsigned spans, unsigned answers, unsigned reads, bool is_short) {
    is_short_ = is_short;
    for (unsigned end = taken_ + spans; taken_ < end;) step(answers, reads, true);
    for (unsigned i = 0; !expected_.empty(); i++) {
      if (i == 1000000) fail("words do not come");
      step(64, 64, false);
    }
  }

  // A memory that answers nothing until every tag is under way.
  void use_all_tags() {
    is_short_ = true;
    offer();
    for (unsigned i = 0; bursts_.size() < tags_; i++) {
      if (i == 1000000) fail("the tags are never all under way");
      step(0, 64, true);
    }
    run(0, 64, 64, true);
  }

 private:
  // The next span. Where all are short, tags run out before rows do.
  void offer() {
    address_ = rng();
    bytes_ = 1 + random_below(is_short_ || random_below(4) != 0 ? 16 : 5000);
    dut_.span_i[0] = uint32_t(bytes_ | address_ << 21);
    dut_.span_i[1] = uint32_t(address_ >> 11);
    dut_.span_i[2] = uint32_t(address_ >> 43);
  }

  void step(unsigned answers, unsigned reads, bool offers) {
    dut_.span_valid_i = offers && random_below(8) != 0;
    dut_.ar_ready_i = random_below(4) != 0;
    dut_.word_ready_i = random_below(64) < reads;
    const bool answered = !bursts_.empty() && random_below(64) < answers;
    dut_.r_valid_i = answered;
    if (answered) answer();
    dut_.clk_i = 0;
    dut_.eval();
    if (dut_.word_valid_o && dut_.word_ready_i) take_word();
    if (dut_.ar_valid_o && dut_.ar_ready_i) take_burst();
    const bool span = dut_.span_valid_i && dut_.span_ready_o;
    if (span) {
      for (uint64_t row = address_ / kRowBytes; row <= (address_ + bytes_ - 1) / kRowBytes; row++) {
        expected_.push_back(row);
      }
      taken_++;
    }
    dut_.clk_i = 1;
    dut_.eval();
    if (span) offer();
    cycle++;
  }

  // A beat of any burst under way.
  void answer() {
    auto burst = bursts_.lower_bound(random_below(tags_));
    if (burst == bursts_.end()) burst = bursts_.begin();
    const uint64_t row = burst->second.row++;
    dut_.r_tag_i = burst->first;
    dut_.r_error_i = is_bad(row);
    for (unsigned i = 0; i < 4; i++) dut_.r_data_i[i] = uint32_t(content_of(row) >> i);
    if (--burst->second.rest == 0) bursts_.erase(burst);
  }

  void take_burst() {
    const unsigned beats = dut_.ar_len_o + 1;
    if (dut_.ar_tag_o >= tags_) fail("a tag that there is not");
    if (dut_.ar_address_o % kBurstBytes + beats * kRowBytes > kBurstBytes) fail("a burst across a border");
    if (!bursts_.insert({dut_.ar_tag_o, {dut_.ar_address_o / kRowBytes, beats}}).second) fail("a tag is given twice");
  }

  void take_word() {
    if (expected_.empty()) fail("a word that nobody asked for");
    const uint64_t row = expected_.front();
    expected_.pop_front();
    for (unsigned i = 0; i < 4; i++) {
      if (dut_.word_data_o[i] != uint32_t(content_of(row) >> i)) fail("a wrong word");
    }
    if (bool(dut_.word_error_o) != is_bad(row)) fail("a wrong error");
  }

  Vsealgate_read_port dut_;
  const unsigned tags_;
  bool is_short_ = false;
  uint64_t address_ = 0;
  uint64_t bytes_ = 0;
  unsigned taken_ = 0;             // spans
  std::deque<uint64_t> expected_;  // rows whose words have not come
  std::map<unsigned, Burst> bursts_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const unsigned tags = std::strtoul(argv[1], nullptr, 10);
  const char* given = std::getenv("SEALGATE_SEED");
  const uint64_t seed = given ? std::strtoull(given, nullptr, 0) : std::random_device()();
  std::printf("SEALGATE_SEED=%llu\n", static_cast<unsigned long long>(seed));
  rng.seed(seed);
  VerilatedContext context;
  Bench bench(&context, tags);
  constexpr unsigned kRates[] = {1, 8, 32, 64};  // of 64 cycles
  for (unsigned round = 0; round < 40; round++) {
    bench.run(kSpans / 40, kRates[round % 4], kRates[1 + random_below(3)], round % 8 < 4);
  }
  bench.use_all_tags();
  return 0;
}
