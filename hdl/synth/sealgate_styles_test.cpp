// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The AES-GCM core in the styles for simulation and in those for synthesis: the same keys and
// records give the same text and the same tags, each core with pauses of its own. The styles for
// simulation are compared with another implementation elsewhere. SEALGATE_SEED replays a run.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <random>
#include <vector>

#include "Vsimulation.h"
#include "Vsynthesis.h"
#include "verilated.h"

namespace {

constexpr unsigned kContexts[] = {0, 1, 700, 1023};
constexpr unsigned kRounds = 4;
constexpr unsigned kRecordsPerRound = 150;
constexpr unsigned kPatience = 200'000;

using Rng = std::mt19937_64;
using Words = std::vector<uint32_t>;

Words random_words(Rng& rng, size_t count) {
  Words words(count);
  for (auto& word : words) word = static_cast<uint32_t>(rng());
  return words;
}

struct Record {
  unsigned context;
  bool open;
  Words nonce, aad;
  unsigned aad_bytes, text_bytes;
  std::vector<Words> beats;
  int error_beat;
};

struct Key {
  bool wipe_first, aes256;
  Words bytes;
};

struct Plan {
  std::vector<Key> keys;
  std::vector<Record> records;
};

// What came out: beats with their last flag, and tags with their error flag.
struct Result {
  std::vector<Words> text, tags;
  bool operator==(const Result&) const = default;
};

unsigned random_length(Rng& rng) {
  switch (rng() % 8) {
    case 0: return 0;
    case 1: return 16 * (rng() % 20);
    case 2: return rng() % 2000;
    default: return rng() % 120;
  }
}

Plan make_plan(Rng& rng) {
  Plan plan;
  for (size_t i = 0; i < std::size(kContexts); i++) {
    plan.keys.push_back({rng() % 2 == 0, rng() % 2 == 0, random_words(rng, 8)});
  }
  for (unsigned i = 0; i < kRecordsPerRound; i++) {
    Record record{};
    record.context = kContexts[rng() % std::size(kContexts)];
    record.open = rng() % 2;
    record.nonce = random_words(rng, 3);
    record.aad = random_words(rng, 4);
    record.aad_bytes = rng() % 17;
    record.text_bytes = random_length(rng);
    for (unsigned at = 0; at < record.text_bytes; at += 16) {
      record.beats.push_back(random_words(rng, 4));
    }
    bool spoiled = !record.beats.empty() && rng() % 12 == 0;
    record.error_beat = spoiled ? static_cast<int>(rng() % record.beats.size()) : -1;
    plan.records.push_back(std::move(record));
  }
  return plan;
}

[[noreturn]] void fail(const char* what, const char* core) {
  std::printf("%s: %s\n", core, what);
  std::exit(1);
}

template <typename Port>
void put(Port& port, const Words& words) {
  for (size_t i = 0; i < words.size(); i++) port[i] = words[i];
}

template <typename Port>
Words get(const Port& port, uint32_t flag) {
  return {port[0], port[1], port[2], port[3], flag};
}

template <typename Model>
class Core {
 public:
  Core(const char* name, uint64_t seed) : name_(name), rng_(seed) {
    model_.rst_ni = 0;
    for (int i = 0; i < 4; i++) edge();
    model_.rst_ni = 1;
  }

  Result run(const Plan& plan) {
    for (size_t i = 0; i < plan.keys.size(); i++) load(kContexts[i], plan.keys[i]);
    return stream(plan.records);
  }

 private:
  void settle() {
    model_.clk_i = 0;
    model_.eval();
  }
  void edge() {
    settle();
    model_.clk_i = 1;
    model_.eval();
  }

  void load(unsigned context, const Key& key) {
    if (key.wipe_first) {
      model_.wipe_valid_i = 1;
      model_.wipe_ctx_i = context;
      handshake(model_.wipe_ready_o);
      model_.wipe_valid_i = 0;
    }
    model_.key_valid_i = 1;
    model_.key_ctx_i = context;
    model_.key_aes256_i = key.aes256;
    put(model_.key_data_i, key.bytes);
    handshake(model_.key_ready_o);
    model_.key_valid_i = 0;
    handshake(model_.key_done_o);
  }

  // Goes on until the signal is high at an edge.
  void handshake(const uint8_t& signal) {
    for (unsigned waited = 0; waited < kPatience; waited++) {
      settle();
      bool high = signal;
      edge();
      if (high) return;
    }
    fail("a key or a wipe is not taken", name_);
  }

  Result stream(const std::vector<Record>& records) {
    Result result;
    size_t commands = 0, reading = 0, beat = 0, beats = 0;
    unsigned quiet = 0;
    for (const Record& record : records) beats += record.beats.size();
    // A tag may be taken before the last beat of its record.
    while (result.tags.size() < records.size() || result.text.size() < beats) {
      if (quiet++ > kPatience) fail("a record does not come out", name_);
      while (reading < commands && beat == records[reading].beats.size()) reading++, beat = 0;
      offer_command(records, commands);
      offer_beat(records, commands, reading, beat);
      model_.out_ready_i = rng_() % 4 != 0;
      model_.tag_ready_i = rng_() % 4 != 0;
      settle();
      bool taken = model_.cmd_valid_i && model_.cmd_ready_o;
      bool read = model_.in_valid_i && model_.in_ready_o;
      if (model_.out_valid_o && model_.out_ready_i) {
        result.text.push_back(get(model_.out_data_o, model_.out_last_o));
        quiet = 0;
      }
      if (model_.tag_valid_o && model_.tag_ready_i) {
        result.tags.push_back(get(model_.tag_o, model_.tag_error_o));
      }
      edge();
      commands += taken;
      beat += read;
      command_held_ = model_.cmd_valid_i && !taken;
      beat_held_ = model_.in_valid_i && !read;
    }
    model_.cmd_valid_i = model_.in_valid_i = 0;
    return result;
  }

  void offer_command(const std::vector<Record>& records, size_t at) {
    model_.cmd_valid_i = at < records.size() && (command_held_ || rng_() % 8 != 0);
    if (!model_.cmd_valid_i) return;
    const Record& record = records[at];
    model_.cmd_ctx_i = record.context;
    model_.cmd_open_i = record.open;
    model_.cmd_aad_bytes_i = record.aad_bytes;
    model_.cmd_text_bytes_i = record.text_bytes;
    put(model_.cmd_nonce_i, record.nonce);
    put(model_.cmd_aad_i, record.aad);
  }

  void offer_beat(const std::vector<Record>& records, size_t commands, size_t at, size_t beat) {
    model_.in_valid_i = at < commands && (beat_held_ || rng_() % 8 != 0);
    if (!model_.in_valid_i) return;
    put(model_.in_data_i, records[at].beats[beat]);
    model_.in_error_i = records[at].error_beat == static_cast<int>(beat);
  }

  const char* name_;
  Rng rng_;
  Model model_;
  bool command_held_ = false, beat_held_ = false;
};

}  // namespace

int main() {
  const char* chosen = std::getenv("SEALGATE_SEED");
  uint64_t seed = chosen ? std::strtoull(chosen, nullptr, 0) : std::random_device{}();
  std::printf("seed: %llu\n", static_cast<unsigned long long>(seed));
  Rng rng(seed);
  Core<Vsimulation> simulation("simulation", rng());
  Core<Vsynthesis> synthesis("synthesis", rng());
  for (unsigned round = 0; round < kRounds; round++) {
    Plan plan = make_plan(rng);
    Result expected = simulation.run(plan), found = synthesis.run(plan);
    if (!(found == expected)) fail("text or tags differ", "synthesis");
  }
  std::printf("%u records alike\n", kRounds * kRecordsPerRound);
  return 0;
}
