// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The bench of a board wrapper: the host's memory behind a model of the shell, which holds the wrapper to the shell's
// rules in every cycle, and a host that brings the engine up through the wrapper's register port and has it seal and
// open records. A rule that is broken throws Violation. That each rule can be seen broken is shown by faults, which
// change what the wrapper drives, on its way to the model.
//
// A board's bench is a Board, its rules and its faults, and calls run_board().

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "sealgate_regs.h"

namespace board {

constexpr unsigned kMaxBeatBytes = 64;
constexpr unsigned kQueues = 8;
constexpr uint64_t kPage = 4096;

// --- What a shell asks ---------------------------------------------------------------------------------------------

struct Rules {
  unsigned beat_bytes;
  unsigned address_bits;
  unsigned id_bits;
  unsigned max_burst_bytes;
  unsigned max_reads;             // under way
  bool address_names_dword;       // a write's address is that of the first doubleword written, not of the beat
  bool whole_beats;               // strobes are not looked at
  bool one_at_a_time;             // the shell takes the next read or write when it has done with the one before
  unsigned patience;              // cycles that the shell waits for W, R and B to move; 0: for ever
  unsigned landing_delay;         // most cycles from the acknowledgement of a write until memory shows it
  unsigned register_patience;     // cycles that the shell waits at the register port
  enum Irq { kPulse, kPulseAcknowledged, kHeld } irq;
};

struct Violation : std::runtime_error {
  explicit Violation(const std::string& rule) : std::runtime_error(rule) {}
};

inline void require(bool kept, const char* rule) {
  if (!kept) throw Violation(rule);
}

// --- Pins ----------------------------------------------------------------------------------------------------------

struct Master {  // what the wrapper drives at the memory bus
  bool ar_valid, aw_valid, w_valid, w_last, r_ready, b_ready;
  uint32_t ar_id, aw_id;
  uint64_t ar_address, aw_address;
  unsigned ar_len, ar_size, ar_burst, aw_len, aw_size, aw_burst;
  std::array<uint8_t, kMaxBeatBytes> w_data;
  uint64_t w_strb;
};

struct Slave {  // what the shell drives there
  bool ar_ready, aw_ready, w_ready, r_valid, r_last, b_valid;
  uint32_t r_id, b_id;
  std::array<uint8_t, kMaxBeatBytes> r_data;
  unsigned r_resp, b_resp;
};

struct Lite {  // the register port; the shell is its master
  bool aw_valid, w_valid, b_ready, ar_valid, r_ready;
  uint32_t aw_address, w_data, ar_address;
};

struct LiteAnswer {
  bool aw_ready, w_ready, b_valid, ar_ready, r_valid;
  unsigned b_resp, r_resp;
  uint32_t r_data;
};

class Board {
 public:
  virtual ~Board() = default;
  virtual void clock(bool level) = 0;  // and evaluates
  virtual void reset(bool asserted) = 0;
  virtual Master master() = 0;
  virtual void drive(const Slave& slave) = 0;
  virtual LiteAnswer lite() = 0;
  virtual void drive(const Lite& lite) = 0;
  virtual uint32_t irq() = 0;                   // every line there is
  virtual void acknowledge(uint32_t lines) = 0;
};

struct Fault {
  const char* name;
  const char* rule;  // that must be found broken
  // Changes what the wrapper drives.
  std::function<void(Master&, const Slave&, uint32_t& irq, uint64_t cycle)> change;
  std::function<void(Rules&)> change_rules = [](Rules&) {};
  // Changes what it gets.
  std::function<void(Slave&)> change_answer = [](Slave&) {};
};

inline void no_change(Master&, const Slave&, uint32_t&, uint64_t) {}

// --- Memory --------------------------------------------------------------------------------------------------------

// Host memory. The device may write where that was granted; next to it not a byte may change.
class Memory {
 public:
  uint8_t& at(uint64_t address) { return pages_[address / kPage][address % kPage]; }
  bool mapped(uint64_t address) const { return pages_.count(address / kPage) != 0; }

  void map(uint64_t address, uint64_t bytes) {
    for (uint64_t page = address / kPage; page <= (address + bytes - 1) / kPage; page++) pages_[page];
  }

  void put(uint64_t address, const std::vector<uint8_t>& bytes) {
    for (size_t i = 0; i < bytes.size(); i++) at(address + i) = bytes[i];
  }

  std::vector<uint8_t> get(uint64_t address, size_t bytes) {
    std::vector<uint8_t> result(bytes);
    for (size_t i = 0; i < bytes; i++) result[i] = at(address + i);
    return result;
  }

  void grant(uint64_t address, uint64_t bytes) { granted_.push_back({address, address + bytes}); }

  void device_writes(uint64_t address, uint8_t byte) {
    const bool granted = std::any_of(granted_.begin(), granted_.end(), [&](const auto& range) {
      return range.first <= address && address < range.second;
    });
    // A shell without strobes writes the neighbours too: with what they hold.
    require(granted || (mapped(address) && at(address) == byte), "a write outside of every destination");
    at(address) = byte;
  }

 private:
  std::map<uint64_t, std::array<uint8_t, kPage>> pages_;
  std::vector<std::pair<uint64_t, uint64_t>> granted_;
};

// --- The memory bus ------------------------------------------------------------------------------------------------

class Bus {
 public:
  Bus(const Rules& rules, Memory& memory, std::mt19937_64& rng) : rules_(rules), memory_(memory), rng_(rng) {
    choose_mood();
  }

  // What the shell drives in this cycle.
  const Slave& out() const { return out_; }

  // The edge: what the wrapper drives, and the answer to what was driven with it.
  void edge(const Master& master) {
    check_stable(master);
    check_patience(master);
    const bool ar = master.ar_valid && out_.ar_ready, aw = master.aw_valid && out_.aw_ready;
    const bool w = master.w_valid && out_.w_ready;
    if (ar) take_read(master);
    if (aw) take_write(master);
    if (w) take_beat(master);
    if (out_.r_valid && master.r_ready) out_.r_valid = false;
    if (out_.b_valid && master.b_ready) out_.b_valid = false;
    land();
    drive(master);
    last_ = master;
    had_ = true;
    ar_waits_ = master.ar_valid && !ar;
    aw_waits_ = master.aw_valid && !aw;
    w_waits_ = master.w_valid && !w;
    cycle_++;
    if (cycle_ % 512 == 0) choose_mood();
  }

  bool quiet() const { return reads_.empty() && writes_.empty() && answers_.empty() && landing_.empty(); }

  unsigned most_reads = 0, overtaken = 0, unaligned_bursts = 0, addresses_after_data = 0;
  uint64_t read_bursts = 0, write_bursts = 0;

 private:
  struct Read {
    uint32_t id;
    uint64_t address;
    unsigned beats, done;
    uint64_t ready;
  };
  struct Write {
    uint32_t id;
    uint64_t address;
    unsigned beats, done;
    bool begun, ended;
    bool fault;
  };
  struct Answer {
    uint32_t id;
    uint64_t ready;
    bool fault;
  };
  struct Landing {
    uint64_t ready, address;
    uint8_t byte;
  };

  uint64_t random_below(uint64_t bound) { return rng_() % bound; }
  bool chance(unsigned of_16) { return random_below(16) < of_16; }

  // Some hundred cycles each with other latencies and another readiness.
  void choose_mood() {
    constexpr unsigned kLatencies[] = {1, 20, 120, 400};
    latency_ = kLatencies[random_below(4)];
    ready_of_16_ = random_below(2) ? 16 : 6;
    data_of_16_ = random_below(2) ? 16 : 8;
    address_waits_ = random_below(2);
  }

  // Whoever offers something neither withdraws nor changes it.
  void check_stable(const Master& now) const {
    if (!had_) return;
    if (ar_waits_) {
      require(now.ar_valid && now.ar_id == last_.ar_id && now.ar_address == last_.ar_address &&
                  now.ar_len == last_.ar_len,
              "AR changed while it waited");
    }
    if (aw_waits_) {
      require(now.aw_valid && now.aw_id == last_.aw_id && now.aw_address == last_.aw_address &&
                  now.aw_len == last_.aw_len,
              "AW changed while it waited");
    }
    if (w_waits_) {
      require(now.w_valid && now.w_data == last_.w_data && now.w_strb == last_.w_strb && now.w_last == last_.w_last,
              "W changed while it waited");
    }
  }

  void check_patience(const Master& now) {
    const bool beat_due = (now.aw_valid || !writes_.empty()) && out_.w_ready && !now.w_valid;
    w_late_ = beat_due ? w_late_ + 1 : 0;
    r_late_ = out_.r_valid && !now.r_ready ? r_late_ + 1 : 0;
    b_late_ = out_.b_valid && !now.b_ready ? b_late_ + 1 : 0;
    if (rules_.patience == 0) return;
    require(w_late_ <= rules_.patience, "W kept the shell waiting");
    require(r_late_ <= rules_.patience, "R kept the shell waiting");
    require(b_late_ <= rules_.patience, "B kept the shell waiting");
  }

  void check_burst(uint64_t address, unsigned len, unsigned size, unsigned burst, uint32_t id) const {
    const uint64_t first = address - address % rules_.beat_bytes, bytes = uint64_t{len + 1} * rules_.beat_bytes;
    require(burst == 1, "a burst that is not INCR");
    require(1u << size == rules_.beat_bytes, "a burst that is not of the full width");
    require(first / kPage == (first + bytes - 1) / kPage, "a burst across 4 KiB");
    require(bytes <= rules_.max_burst_bytes, "a burst that is too long");
    require(id >> rules_.id_bits == 0, "an ID that is too wide");
    require(rules_.address_bits == 64 || address >> rules_.address_bits == 0, "an address that is too wide");
  }

  void take_read(const Master& m) {
    check_burst(m.ar_address, m.ar_len, m.ar_size, m.ar_burst, m.ar_id);
    require(m.ar_address % rules_.beat_bytes == 0, "a read that does not begin with a beat");
    for (const Read& other : reads_) require(other.id != m.ar_id, "two reads under way with one ID");
    reads_.push_back({m.ar_id, m.ar_address, m.ar_len + 1, 0, cycle_ + 1 + random_below(latency_)});
    require(reads_.size() <= rules_.max_reads, "too many reads under way");
    most_reads = std::max<unsigned>(most_reads, reads_.size());
    read_bursts++;
  }

  void take_write(const Master& m) {
    check_burst(m.aw_address, m.aw_len, m.aw_size, m.aw_burst, m.aw_id);
    if (!rules_.address_names_dword) {
      require(m.aw_address % rules_.beat_bytes == 0, "a write that does not begin with a beat");
    }
    writes_.push_back({m.aw_id, m.aw_address, m.aw_len + 1, 0, false, false, false});
    write_bursts++;
  }

  void take_beat(const Master& m) {
    Write& write = writes_.front();
    const unsigned beat_bytes = rules_.beat_bytes;
    const bool first = write.done == 0;
    check_strobes(write, m.w_strb);
    if (first && rules_.address_names_dword) {
      unsigned byte = 0;
      while (byte < beat_bytes && !(m.w_strb >> byte & 1)) byte++;
      require(write.address % beat_bytes == byte / 4 * 4, "an address that is not of the first doubleword");
    }
    write.done++;
    require(m.w_last == (write.done == write.beats), "WLAST out of its place");
    const uint64_t base = write.address - write.address % beat_bytes + uint64_t{write.done - 1} * beat_bytes;
    const uint64_t lands = cycle_ + (rules_.landing_delay ? random_below(rules_.landing_delay) : 0);
    for (unsigned i = 0; i < beat_bytes; i++) {
      if (!(m.w_strb >> i & 1)) continue;
      if (!memory_.mapped(base + i)) {
        write.fault = true;
      } else {
        landing_.push_back({lands, base + i, m.w_data[i]});
      }
    }
    if (m.w_last) {
      answers_.push_back({write.id, cycle_ + 1 + random_below(latency_), write.fault});
      writes_.pop_front();
    }
  }

  // Bytes of a burst are without gaps.
  void check_strobes(Write& write, uint64_t strb) {
    for (unsigned i = 0; i < rules_.beat_bytes; i++) {
      const bool written = strb >> i & 1;
      if (rules_.whole_beats) require(written, "a beat that is not written as a whole");
      require(!(written && write.ended), "strobes with a gap");
      if (!written && write.begun) write.ended = true;
      if (written && !write.begun) {
        write.begun = true;
        require(write.done == 0, "a first beat without a byte");
        unaligned_bursts += i != 0;
      }
    }
  }

  // Writes reach memory in their order.
  void land() {
    while (!landing_.empty() && landing_.front().ready <= cycle_) {
      memory_.device_writes(landing_.front().address, landing_.front().byte);
      landing_.pop_front();
    }
  }

  void drive(const Master& m) {
    const bool reads_free = rules_.one_at_a_time ? reads_.empty() : true;
    const bool writes_free = rules_.one_at_a_time ? writes_.empty() && answers_.empty() && !out_.b_valid : writes_.size() < 32;
    out_.ar_ready = reads_free && chance(ready_of_16_);
    // AXI4 lets a slave wait for the data before it takes the address.
    const bool see_data = address_waits_ && writes_.empty();
    out_.aw_ready = writes_free && (!see_data || m.w_valid) && chance(ready_of_16_);
    addresses_after_data += see_data && out_.aw_ready && m.aw_valid;
    // One of several addresses may be taken in this very cycle: data follows its address.
    out_.w_ready = !writes_.empty() && chance(ready_of_16_);
    if (!out_.r_valid && chance(data_of_16_)) drive_read();
    if (!out_.b_valid) drive_answer();
  }

  void drive_read() {
    std::vector<size_t> ready;
    for (size_t i = 0; i < reads_.size(); i++) {
      if (reads_[i].ready <= cycle_) ready.push_back(i);
    }
    if (ready.empty()) return;
    const size_t chosen = ready[random_below(ready.size())];
    Read& read = reads_[chosen];
    overtaken += chosen != 0;
    const uint64_t base = read.address + uint64_t{read.done} * rules_.beat_bytes;
    const bool mapped = memory_.mapped(base);
    for (unsigned i = 0; i < rules_.beat_bytes; i++) out_.r_data[i] = mapped ? memory_.at(base + i) : 0xFF;
    out_.r_valid = true;
    out_.r_id = read.id;
    out_.r_resp = mapped ? 0 : 2;
    out_.r_last = ++read.done == read.beats;
    if (out_.r_last) reads_.erase(reads_.begin() + chosen);
  }

  void drive_answer() {
    std::vector<size_t> ready;
    for (size_t i = 0; i < answers_.size(); i++) {
      const bool in_turn = std::none_of(answers_.begin(), answers_.begin() + i,
                                        [&](const Answer& before) { return before.id == answers_[i].id; });
      if (in_turn && answers_[i].ready <= cycle_) ready.push_back(i);
    }
    if (ready.empty()) return;
    const size_t chosen = ready[random_below(ready.size())];
    out_.b_valid = true;
    out_.b_id = answers_[chosen].id;
    out_.b_resp = answers_[chosen].fault ? 2 : 0;
    answers_.erase(answers_.begin() + chosen);
  }

  Rules rules_;
  Memory& memory_;
  std::mt19937_64& rng_;
  uint64_t cycle_ = 0;
  Slave out_ = {};
  Master last_ = {};
  bool had_ = false, ar_waits_ = false, aw_waits_ = false, w_waits_ = false, address_waits_ = false;
  unsigned latency_ = 1, ready_of_16_ = 16, data_of_16_ = 16;
  unsigned w_late_ = 0, r_late_ = 0, b_late_ = 0;
  std::vector<Read> reads_;
  std::deque<Write> writes_;
  std::vector<Answer> answers_;
  std::deque<Landing> landing_;
};

// --- Interrupts ----------------------------------------------------------------------------------------------------

class Interrupts {
 public:
  // Cycles from a request until the host has the interrupt, and from then to the acknowledgement.
  static constexpr unsigned kDeliverLeast = 3, kDeliverMost = 100, kAcknowledgeMost = 100;

  Interrupts(Rules::Irq style, std::mt19937_64& rng) : style_(style), rng_(rng) {}

  uint32_t acknowledged() const { return acknowledged_; }

  // The host wrote the queue's bit to IRQ_STATUS.
  void serviced(uint32_t lines) {
    serviced_ |= lines;
    for (unsigned i = 0; i < kQueues; i++) {
      if (lines >> i & 1) last_service_[i] = cycle_;
    }
  }

  void edge(uint32_t lines) {
    require(lines >> kQueues == 0, "an interrupt line without a queue");
    uint32_t acknowledge = 0;
    for (unsigned i = 0; i < kQueues; i++) {
      const uint32_t bit = 1u << i;
      const bool now = lines & bit, before = last_ & bit;
      if (now && !before) raised(i);
      if (now && before) require(style_ == Rules::kHeld, "an interrupt pulse longer than a cycle");
      if (!now && before && style_ == Rules::kHeld) {
        require(!(waiting_ & bit), "an interrupt line lowered before its acknowledgement");
        require(serviced_ & bit, "an interrupt line lowered before its service");
      }
      if (delay_[i] && --delay_[i] == 0) {
        delivered_[i]++;
        acknowledge_delay_[i] = 1 + rng_() % kAcknowledgeMost;
      }
      // The shell may tell late that it has sent an interrupt.
      if (acknowledge_delay_[i] && --acknowledge_delay_[i] == 0 && style_ != Rules::kPulse) {
        acknowledge |= bit;
        waiting_ &= ~bit;
      }
    }
    last_ = lines;
    acknowledged_ = acknowledge;
    cycle_++;
  }

  // Whether an interrupt has reached the host since the last call.
  bool take(unsigned queue) {
    if (delivered_[queue] == 0) return false;
    delivered_[queue]--;
    count++;
    return true;
  }

  uint64_t count = 0;

 private:
  void raised(unsigned line) {
    const uint32_t bit = 1u << line;
    if (style_ != Rules::kPulse) require(!(waiting_ & bit), "an interrupt before the one before was acknowledged");
    waiting_ |= bit;
    // What the host wrote while the request was on its way to the line was for this one; the way is as long as the line
    // was taken by the one before.
    constexpr uint64_t kOnItsWay = kDeliverMost + kAcknowledgeMost + 8;
    if (cycle_ - last_service_[line] > kOnItsWay) serviced_ &= ~bit;
    if (delay_[line] == 0) delay_[line] = kDeliverLeast + rng_() % (kDeliverMost - kDeliverLeast);
  }

  Rules::Irq style_;
  std::mt19937_64& rng_;
  uint64_t cycle_ = 0;
  uint32_t last_ = 0, waiting_ = 0, serviced_ = 0, acknowledged_ = 0;
  std::array<uint64_t, kQueues> last_service_ = {};
  std::array<unsigned, kQueues> delay_ = {}, acknowledge_delay_ = {}, delivered_ = {};
};

using Bytes = std::vector<uint8_t>;

// --- The host ------------------------------------------------------------------------------------------------------

inline uint32_t register_address(const char* name, int index = 0) {
  for (const auto& entry : sealgate::kRegisters) {
    if (std::strcmp(entry.name, name) == 0 && entry.index == index) return entry.address;
  }
  throw std::logic_error(name);
}

// A submission entry; places as in crates/abi.
struct Entry {
  std::array<uint8_t, 64> bytes = {};

  template <class T>
  Entry& put(size_t offset, T value) {
    std::memcpy(&bytes[offset], &value, sizeof value);
    return *this;
  }

  static Entry load(uint16_t context, uint8_t suite, uint8_t direction, const Bytes& key, const Bytes& iv) {
    Entry entry;
    entry.put<uint8_t>(0, 2).put<uint8_t>(1, suite).put(2, context).put<uint8_t>(6, 4).put(7, direction);
    std::copy(iv.begin(), iv.end(), entry.bytes.begin() + 8);
    std::copy(key.begin(), key.end(), entry.bytes.begin() + 32);
    return entry;
  }

  static Entry record(uint8_t opcode, uint16_t context, uint64_t sequence, uint64_t source, uint32_t length,
                      uint64_t destination, uint32_t capacity) {
    Entry entry;
    entry.put(0, opcode).put<uint8_t>(1, opcode == kSeal ? 23 : 0).put(2, context).put(8, sequence);
    entry.put(16, source).put(24, destination).put(32, length).put(36, capacity);
    return entry;
  }

  static constexpr uint8_t kSeal = 4, kOpen = 5, kOpenRun = 6;
};

struct Completion {
  uint16_t cookie;
  uint32_t written, consumed;
  uint16_t records;
  uint8_t status;
};

class Host {
 public:
  Host(Board& board, Rules rules, const Fault* fault, uint64_t seed)
      : rules_(with(rules, fault)), board_(board), fault_(fault), rng_(seed), bus_(rules_, memory, rng_),
        irq_(rules.irq, rng_), base_(rules.address_bits > 32 ? 0x1234'5678'0000 : 0x1234'0000) {}

  void bring_up() {
    board_.drive(Lite{});
    board_.drive(Slave{});
    board_.acknowledge(0);
    board_.reset(true);
    for (int i = 0; i < 8; i++) bare_edge();
    board_.reset(false);
    for (int i = 0; i < 8; i++) bare_edge();
    require(read("MAGIC") == 0x5EA16A7E, "a register that reads wrong");
    for (unsigned q : kUsed) {
      memory.map(sq(q), kPage);
      memory.map(cq(q), kPage);
      memory.grant(cq(q), kPage);
    }
    set_up();
  }

  // From a reset, by the pin or by CONTROL, to entries.
  void set_up() {
    uint32_t status;
    for (unsigned tries = 0; ((status = read("STATUS")) & 3) == kSelfTestRunning; tries++) {
      require(tries < 10'000, "the self test does not end");
    }
    require((status & 3) == kSelfTestPassed, "the self test failed");
    for (unsigned q : kUsed) {
      memory.put(cq(q), Bytes(kPage));
      rings_[q] = {};
      write("SQ_BASE_LO", uint32_t(sq(q)), q);
      write("SQ_BASE_HI", uint32_t(sq(q) >> 32), q);
      write("CQ_BASE_LO", uint32_t(cq(q)), q);
      write("CQ_BASE_HI", uint32_t(cq(q) >> 32), q);
      write("RING_SIZE", kRingLog2 | kRingLog2 << 8, q);
      write("SQ_TAIL", 0, q);
      write("CQ_HEAD", 0, q);
      write("QUEUE_CONTROL", 0, q);
      write("QUEUE_CONTROL", 1, q);
      require(read("SQ_BASE_LO", q) == uint32_t(sq(q)), "a register that reads wrong");
    }
    write("IRQ_STATUS", 0xFF);
    write("IRQ_ENABLE", 1u << kUsed[0] | 1u << kUsed[1]);
    write("CONTROL", 1);
  }

  // A region of its own for each buffer; `offset` is the place in its first page.
  uint64_t buffer(uint64_t offset, uint64_t bytes) {
    const uint64_t address = base_ + next_buffer_ + offset;
    next_buffer_ += (offset + bytes + 3 * kPage) / kPage * kPage;
    memory.map(address - 64, bytes + 128);
    for (uint64_t i = 0; i < bytes + 128; i++) memory.at(address - 64 + i) = uint8_t(rng_());
    return address;
  }

  void submit(unsigned queue, Entry entry) {
    auto& ring = rings_[queue];
    entry.put<uint16_t>(4, ring.tail);
    for (unsigned i = 0; i < 64; i++) memory.at(sq(queue) + ring.tail % kRing * 64 + i) = entry.bytes[i];
    ring.tail++;
  }

  void doorbell(unsigned queue) { write("SQ_TAIL", rings_[queue].tail, queue); }

  void sleep(unsigned queue) {
    for (unsigned slept = 0; !irq_.take(queue); slept++) {
      require(slept < 200'000, "no interrupt for a completion");
      edge();
    }
  }

  // Sleeps until the interrupt, and looks; when nobody has looked since the entry went, the first interrupt comes after
  // its completion.
  std::vector<Completion> wait(unsigned queue, size_t count, bool first_brings = true) {
    std::vector<Completion> result;
    while (result.size() < count) {
      sleep(queue);
      write("IRQ_STATUS", 1u << queue);
      read("IRQ_STATUS");
      const size_t before = result.size();
      reap(queue, result);
      if (first_brings) require(result.size() > before, "an interrupt before its completion");
    }
    write("CQ_HEAD", rings_[queue].head, queue);
    return result;
  }

  // Looks without sleeping, until there is one.
  void reap_one(unsigned queue) {
    std::vector<Completion> result;
    for (unsigned cycles = 0; result.empty(); cycles++) {
      require(cycles < 200'000, "no completion");
      edge();
      reap(queue, result);
    }
    write("CQ_HEAD", rings_[queue].head, queue);
  }

  // One entry from the doorbell to its completion.
  Completion run(unsigned queue, const Entry& entry) {
    submit(queue, entry);
    doorbell(queue);
    return wait(queue, 1).front();
  }

  uint32_t read(const char* name, int index = 0) {
    Lite lite = {};
    lite.ar_address = register_address(name, index);
    bool asked = false, answered = false;
    uint32_t value = 0;
    for (unsigned cycles = 0; !answered; cycles++) {
      require(cycles < rules_.register_patience, "a register access that is not answered");
      if (!asked && rng_() % 4) lite.ar_valid = true;
      if (rng_() % 4) lite.r_ready = true;
      const LiteAnswer answer = edge(lite);
      if (lite.ar_valid && answer.ar_ready) lite.ar_valid = false, asked = true;
      if (answer.r_valid && lite.r_ready) {
        require(answer.r_resp == 0, "a register access that is refused");
        value = answer.r_data;
        answered = true;
      }
    }
    return value;
  }

  // Address and data come in either order.
  void write(const char* name, uint32_t value, int index = 0) {
    Lite lite = {};
    lite.aw_address = register_address(name, index);
    lite.w_data = value;
    bool address_taken = false, data_taken = false, answered = false;
    for (unsigned cycles = 0; !answered; cycles++) {
      require(cycles < rules_.register_patience, "a register access that is not answered");
      if (!address_taken && rng_() % 4 == 0) lite.aw_valid = true;
      if (!data_taken && rng_() % 4 == 0) lite.w_valid = true;
      if (rng_() % 4 == 0) lite.b_ready = true;
      const LiteAnswer answer = edge(lite);
      if (lite.aw_valid && answer.aw_ready) lite.aw_valid = false, address_taken = true;
      if (lite.w_valid && answer.w_ready) lite.w_valid = false, data_taken = true;
      // From now on the wrapper may know.
      if (address_taken && data_taken && std::strcmp(name, "IRQ_STATUS") == 0) irq_.serviced(value);
      if (answer.b_valid && lite.b_ready) {
        require(answer.b_resp == 0, "a register access that is refused");
        answered = true;
      }
    }
  }

  void idle(unsigned cycles) {
    for (unsigned i = 0; i < cycles; i++) edge();
  }

  bool interrupted(unsigned queue) { return irq_.take(queue); }

  Bytes random_bytes(size_t count) {
    Bytes bytes(count);
    for (uint8_t& byte : bytes) byte = uint8_t(rng_());
    return bytes;
  }

  uint64_t random_below(uint64_t bound) { return rng_() % bound; }
  const Bus& bus() const { return bus_; }
  const Rules& rules() const { return rules_; }
  uint64_t cycles() const { return cycle_; }
  uint64_t interrupts() const { return irq_.count; }

  Memory memory;

  static constexpr unsigned kUsed[] = {0, 5};
  static constexpr unsigned kRingLog2 = 4, kRing = 1 << kRingLog2;

 private:
  static constexpr unsigned kSelfTestRunning = 0, kSelfTestPassed = 1;

  struct Ring {
    uint16_t tail = 0, head = 0;
  };

  static Rules with(Rules rules, const Fault* fault) {
    if (fault) fault->change_rules(rules);
    return rules;
  }

  uint64_t sq(unsigned queue) const { return base_ - 0x20000 + queue * 2 * kPage; }
  uint64_t cq(unsigned queue) const { return sq(queue) + kPage; }

  void reap(unsigned queue, std::vector<Completion>& result) {
    auto& ring = rings_[queue];
    for (;;) {
      const Bytes bytes = memory.get(cq(queue) + ring.head % kRing * 16, 16);
      const bool phase = bytes[15] >> 7, expected = (ring.head / kRing) % 2 == 0;
      if (phase != expected) return;
      Completion completion = {};
      std::memcpy(&completion.cookie, &bytes[0], 2);
      std::memcpy(&completion.written, &bytes[4], 4);
      std::memcpy(&completion.consumed, &bytes[8], 4);
      std::memcpy(&completion.records, &bytes[12], 2);
      completion.status = bytes[15] & 0x7F;
      require(completion.cookie == ring.head, "a completion out of order");
      ring.head++;
      result.push_back(completion);
    }
  }

  void bare_edge() {
    board_.clock(false);
    board_.clock(true);
  }

  LiteAnswer edge(const Lite& lite = {}) {
    Slave slave = bus_.out();
    if (fault_) fault_->change_answer(slave);
    board_.drive(slave);
    board_.drive(lite);
    board_.acknowledge(irq_.acknowledged());
    board_.clock(false);
    Master master = board_.master();
    uint32_t lines = board_.irq();
    const LiteAnswer answer = board_.lite();
    if (fault_) fault_->change(master, bus_.out(), lines, cycle_);
    bus_.edge(master);
    irq_.edge(lines);
    board_.clock(true);
    cycle_++;
    return answer;
  }

  Rules rules_;
  Board& board_;
  const Fault* fault_;
  std::mt19937_64 rng_;
  Bus bus_;
  Interrupts irq_;
  uint64_t base_, next_buffer_ = 0, cycle_ = 0;
  std::array<Ring, kQueues> rings_;
};

// --- What the host does ----------------------------------------------------------------------------------------------

inline Bytes from_hex(const char* text) {
  Bytes bytes;
  for (; text[0]; text += 2) bytes.push_back(uint8_t(std::stoul(std::string(text, 2), nullptr, 16)));
  return bytes;
}

inline Bytes consecutive(uint8_t first, size_t count) {
  Bytes bytes(count);
  for (size_t i = 0; i < count; i++) bytes[i] = uint8_t(first + i);
  return bytes;
}

struct KnownRecord {
  uint8_t suite;
  Bytes key, iv;
  uint64_t sequence;
  bool seals;    // the sequence number is one that AES-GCM seals with
  Bytes record;  // of the content 00 01 02 ... 31 (hexadecimal), 50 bytes
};

// The client's first application record of RFC 8448, section 3, and two calculated with OpenSSL.
inline std::vector<KnownRecord> known_records() {
  return {
      {1, from_hex("17422dda596ed5d9acd890e3c63f5051"), from_hex("5b78923dee08579033e523d9"), 0, true,
       from_hex("1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b62974e"
                "1f5a6292a2977014bd1e3deae63aeebb21694915e4")},
      {2, consecutive(0, 32), consecutive(0xA0, 12), 0x1'0000'0001, false,
       from_hex("170303004378745999839051d911c6ab9a8df2b1038997b88842dcf1f64005d5fc8f46c3f6c3eae24a857547639bb453e368"
                "8c06e103c651328a28a9cd96f3ccaa1f95f8879ca02e")},
      {3, consecutive(0x80, 32), consecutive(0xC0, 12), 0x1'0000'0002, true,
       from_hex("17030300439d7cb04d470f6d4a6f83f1fdd6a9b700ca3848e0ac8c7df8ba1591cec99ff8ca714ed019020f7e2a209726c0ce59"
                "f835630c0fbd9c2cf80000539888a8dffcf7fd8a8f")},
  };
}

constexpr uint8_t kSealing = 1, kOpening = 2;
constexpr uint8_t kSuccess = 0, kSourceFault = 11, kBadTag = 13, kDestinationFault = 15;

inline void expect(Host& host, uint64_t address, const Bytes& bytes, const char* what) {
  require(host.memory.get(address, bytes.size()) == bytes, what);
}

inline uint16_t load(Host& host, unsigned queue, uint8_t suite, uint8_t direction, const Bytes& key, const Bytes& iv) {
  static uint16_t next = 0;
  const uint16_t context = next++ % 512;
  require(host.run(queue, Entry::load(context, suite, direction, key, iv)).status == kSuccess, "a key is not loaded");
  return context;
}

// Records whose bytes are known, at every kind of place.
inline void known_answers(Host& host) {
  constexpr unsigned kQueue = 5;
  const Bytes content = consecutive(0, 50);
  for (const KnownRecord& known : known_records()) {
    const uint16_t sealing = load(host, kQueue, known.suite, kSealing, known.key, known.iv);
    const uint16_t opening = load(host, kQueue, known.suite, kOpening, known.key, known.iv);
    for (unsigned round = 0; round < 4; round++) {
      const uint32_t bytes = uint32_t(known.record.size());
      const uint64_t plain = host.buffer(host.random_below(kPage), content.size());
      const uint64_t sealed = host.buffer(host.random_below(kPage), bytes);
      const uint64_t opened = host.buffer(host.random_below(kPage), content.size());
      host.memory.put(plain, content);
      if (known.seals) {
        host.memory.grant(sealed, bytes);
        const Completion seal = host.run(
            kQueue, Entry::record(Entry::kSeal, sealing, known.sequence, plain, 50, sealed, bytes));
        require(seal.status == kSuccess && seal.written == bytes && seal.records == 1, "a SEAL that fails");
        expect(host, sealed, known.record, "a record that is not the known one");
      } else {
        host.memory.put(sealed, known.record);
      }
      host.memory.grant(opened, content.size());
      const Completion open = host.run(
          kQueue, Entry::record(Entry::kOpen, opening, known.sequence, sealed, bytes, opened, 50));
      require(open.status == kSuccess && open.written == content.size(), "an OPEN that fails");
      expect(host, opened, content, "content that is not the known one");
      // Nothing was granted for this one: unverified content must not leave.
      host.memory.at(sealed + bytes - 1) ^= 1;
      const uint64_t nowhere = host.buffer(host.random_below(kPage), 50);
      require(host.run(kQueue, Entry::record(Entry::kOpen, opening, known.sequence, sealed, bytes, nowhere, 50)).status ==
                  kBadTag,
              "a forged record that is not refused");
    }
  }
}

// Several records at a time on two queues, there and back.
inline void much(Host& host) {
  struct Job {
    unsigned queue;
    Bytes content;
    uint64_t plain, sealed, opened;
    uint32_t sealed_bytes;
    uint16_t sealing, opening;
  };
  for (unsigned round = 0; round < 3; round++) {
    std::vector<Job> jobs;
    for (unsigned queue : Host::kUsed) {
      Job job = {queue, host.random_bytes(20'000 + host.random_below(30'000)), 0, 0, 0, 0, 0, 0};
      const uint32_t bytes = uint32_t(job.content.size()), records = (bytes + 16'383) / 16'384;
      const Bytes key = host.random_bytes(32), iv = host.random_bytes(12);
      const uint8_t suite = uint8_t(2 + (round + queue) % 2);
      job.sealed_bytes = bytes + records * 22;
      job.plain = host.buffer(host.random_below(kPage), bytes);
      job.sealed = host.buffer(host.random_below(kPage), job.sealed_bytes);
      job.opened = host.buffer(host.random_below(kPage), bytes);
      host.memory.put(job.plain, job.content);
      host.memory.grant(job.sealed, job.sealed_bytes);
      host.memory.grant(job.opened, bytes);
      job.sealing = load(host, queue, suite, kSealing, key, iv);
      job.opening = load(host, queue, suite, kOpening, key, iv);
      jobs.push_back(job);
    }
    for (const uint8_t opcode : {Entry::kSeal, Entry::kOpenRun}) {
      const bool seal = opcode == Entry::kSeal;
      for (const Job& job : jobs) {
        const uint32_t bytes = uint32_t(job.content.size());
        host.submit(job.queue, seal ? Entry::record(opcode, job.sealing, 7, job.plain, bytes, job.sealed, job.sealed_bytes)
                                    : Entry::record(opcode, job.opening, 7, job.sealed, job.sealed_bytes, job.opened, job.sealed_bytes));
        host.doorbell(job.queue);
      }
      for (const Job& job : jobs) {
        const Completion done = host.wait(job.queue, 1).front();
        require(done.status == kSuccess, "a long entry that fails");
        require(done.written == (seal ? job.sealed_bytes : job.content.size()), "a long entry cut short");
      }
    }
    for (const Job& job : jobs) expect(host, job.opened, job.content, "content that is not what was sealed");
  }
}

// Cycles in which everything that is under way ends.
constexpr unsigned kLong = 2000;

inline Entry nop() { return Entry().put<uint8_t>(0, 1); }

// A bit that rose while it was not enabled brings its interrupt when it is.
inline void enabled_late(Host& host) {
  constexpr unsigned kQueue = 5;
  host.write("IRQ_ENABLE", 0);
  host.submit(kQueue, nop());
  host.doorbell(kQueue);
  host.reap_one(kQueue);
  host.idle(kLong);
  require(!host.interrupted(kQueue), "an interrupt that is not enabled");
  host.write("IRQ_ENABLE", 1u << kQueue);
  host.sleep(kQueue);
  host.idle(kLong);  // a host that takes its time to service it
  host.write("IRQ_STATUS", 1u << kQueue);
}

// A reset by the register leaves the bus and the interrupts in order.
inline void after_a_reset(Host& host) {
  constexpr unsigned kQueue = 5;
  host.submit(kQueue, nop());
  host.doorbell(kQueue);
  host.sleep(kQueue);
  host.write("CONTROL", 2);
  host.set_up();
  host.run(kQueue, nop());
}

// A host that clears faster than the shell acknowledges is woken whenever it sleeps.
inline void in_quick_succession(Host& host) {
  constexpr unsigned kQueue = 0, kTimes = 60;
  for (unsigned times = 0; times < kTimes; times++) {
    host.write("IRQ_STATUS", 1u << kQueue);
    while (host.interrupted(kQueue)) {
    }
    host.submit(kQueue, nop());
    host.doorbell(kQueue);
    if (host.random_below(2)) {
      host.reap_one(kQueue);
    } else {
      host.wait(kQueue, 1, false);
    }
  }
  // The bit rises with the acknowledgement of a completion, which may come long after the completion was seen.
  host.idle(kLong);
  host.write("IRQ_STATUS", 1u << kQueue);
  host.idle(kLong);
  while (host.interrupted(kQueue)) {
  }
}

// Addresses that the shell has no bits for: refused, not cut short.
inline void out_of_reach(Host& host) {
  constexpr unsigned kQueue = 5;
  const KnownRecord known = known_records().front();
  const uint16_t sealing = load(host, kQueue, known.suite, kSealing, known.key, known.iv);
  const uint64_t near = host.buffer(0, 4096), far = near + (1ull << host.rules().address_bits);
  host.memory.grant(near, 4096);  // what a SEAL without a source leaves there is not defined
  require(host.run(kQueue, Entry::record(Entry::kSeal, sealing, 0, far, 2000, near, 4096)).status == kSourceFault,
          "a source out of reach that is read");
  require(host.run(kQueue, Entry::record(Entry::kSeal, sealing, 0, near, 2000, far, 4096)).status == kDestinationFault,
          "a destination out of reach that is written");
  require(host.read("ERRORS") == 6, "a fault that no error tells of");
  host.write("ERRORS", 6);
}

inline void everything(Host& host) {
  host.bring_up();
  known_answers(host);
  enabled_late(host);
  after_a_reset(host);
  in_quick_succession(host);
  if (host.rules().address_bits < 64) out_of_reach(host);
  much(host);
  host.idle(kLong);
  require(host.bus().quiet(), "a bus that does not come to rest");
  require(host.read("ERRORS") == 0, "an error of the device");
}

// --- Faults ----------------------------------------------------------------------------------------------------------

// Those that every shell's rules must find.
inline std::vector<Fault> common_faults() {
  return {
      {"a burst that stays at one address", "a burst that is not INCR",
       [](Master& m, const Slave&, uint32_t&, uint64_t) { m.ar_burst = 0; }},
      {"a narrow burst", "a burst that is not of the full width",
       [](Master& m, const Slave&, uint32_t&, uint64_t) { m.aw_size--; }},
      {"a burst that goes on behind the page", "a burst across 4 KiB",
       [](Master& m, const Slave&, uint32_t&, uint64_t) {
         m.ar_address |= 0xFC0;
         m.ar_len += 4;
       }},
      {"bursts longer than a shell with shorter ones takes", "a burst that is too long", no_change,
       [](Rules& rules) { rules.max_burst_bytes = 512; }},
      {"an ID of too many bits", "an ID that is too wide",
       [](Master& m, const Slave&, uint32_t&, uint64_t) { m.ar_id |= 1u << 17; }},
      {"a read's address that changes", "AR changed while it waited",
       [](Master& m, const Slave& s, uint32_t&, uint64_t cycle) { m.ar_address ^= s.ar_ready ? 0 : (cycle & 1) << 12; }},
      {"a write's address that changes", "AW changed while it waited",
       [](Master& m, const Slave& s, uint32_t&, uint64_t cycle) { m.aw_address ^= s.aw_ready ? 0 : (cycle & 1) << 12; }},
      {"data that changes", "W changed while it waited",
       [](Master& m, const Slave& s, uint32_t&, uint64_t cycle) { m.w_data[0] ^= s.w_ready ? 0 : cycle & 1; }},
      {"a last beat that does not say so", "WLAST out of its place",
       [](Master& m, const Slave&, uint32_t&, uint64_t) { m.w_last = false; }},
      {"interrupts that get lost", "no interrupt for a completion",
       [](Master&, const Slave&, uint32_t& irq, uint64_t) { irq = 0; }},
      {"a line of no queue", "an interrupt line without a queue",
       [](Master&, const Slave&, uint32_t& irq, uint64_t) { irq |= irq << 8; }},
      {"a register port that is slower than the shell is patient", "a register access that is not answered", no_change,
       [](Rules& rules) { rules.register_patience = 3; }},
  };
}

// Those of shells that have several reads under way and look at strobes.
inline std::vector<Fault> parallel_faults() {
  // A read that follows right behind another of several beats takes its ID.
  const auto same_id = [last = uint64_t{0}, id = 0u](Master& m, const Slave& s, uint32_t&, uint64_t cycle) mutable {
    if (!m.ar_valid || !s.ar_ready) return;
    if (cycle == last + 1) m.ar_id = id;
    id = m.ar_id;
    last = m.ar_len ? cycle : 0;
  };
  return {
      {"one ID for two reads", "two reads under way with one ID", same_id},
      {"more reads than a narrower shell takes", "too many reads under way", no_change,
       [](Rules& rules) { rules.max_reads = 2; }},
      {"a byte that is left out", "strobes with a gap",
       [](Master& m, const Slave&, uint32_t&, uint64_t) { m.w_strb &= ~(uint64_t{1} << 13); }},
      {"a long burst in the wrong place", "a write outside of every destination",
       [](Master& m, const Slave&, uint32_t&, uint64_t) {
         if (m.aw_len && m.aw_address % kPage >= 64) m.aw_address -= 64;
       }},
      {"a wrong bit", "a record that is not the known one",
       [](Master& m, const Slave&, uint32_t&, uint64_t) {
         unsigned byte = 20;  // behind the first: no completion is so long
         while (byte < kMaxBeatBytes && !(m.w_strb >> (byte - 20) & 1)) byte++;
         if (byte < kMaxBeatBytes && m.w_strb >> byte & 1) m.w_data[byte] ^= 1;
       }},
  };
}

// A pulse that lasts, for shells that want one.
inline Fault long_pulse() {
  return {"a long pulse", "an interrupt pulse longer than a cycle",
          [before = uint32_t{0}](Master&, const Slave&, uint32_t& irq, uint64_t) mutable {
            const uint32_t now = irq;
            irq |= before;
            before = now;
          }};
}

// --- The program -----------------------------------------------------------------------------------------------------

// Runs without a fault, then with each; the result is the program's. SEALGATE_SEED replays a run.
inline int run_board(const std::function<std::unique_ptr<Board>()>& make, const Rules& rules,
                     const std::vector<Fault>& faults, const std::function<void(const Bus&)>& covered) {
  const char* given = std::getenv("SEALGATE_SEED");
  const uint64_t seed = given ? std::strtoull(given, nullptr, 0) : std::random_device()();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  try {
    const auto board = make();
    Host host(*board, rules, nullptr, seed);
    try {
      everything(host);
      covered(host.bus());
    } catch (const Violation& violation) {
      std::printf("cycle %llu: %s\n", static_cast<unsigned long long>(host.cycles()), violation.what());
      return 1;
    }
    std::printf("%llu cycles, %llu read bursts (up to %u under way, %u overtaken), %llu write bursts, %llu interrupts\n",
                static_cast<unsigned long long>(host.cycles()), static_cast<unsigned long long>(host.bus().read_bursts),
                host.bus().most_reads, host.bus().overtaken, static_cast<unsigned long long>(host.bus().write_bursts),
                static_cast<unsigned long long>(host.interrupts()));
  } catch (const std::logic_error& error) {
    std::printf("%s\n", error.what());
    return 1;
  }
  for (const Fault& fault : faults) {
    const auto board = make();
    Host host(*board, rules, &fault, seed);
    std::string found = "nothing";
    try {
      everything(host);
    } catch (const Violation& violation) {
      found = violation.what();
    }
    if (found != fault.rule) {
      std::printf("fault '%s': found was '%s', not '%s'\n", fault.name, found.c_str(), fault.rule);
      return 1;
    }
    std::printf("found: %s\n", fault.name);
  }
  return 0;
}

}  // namespace board
