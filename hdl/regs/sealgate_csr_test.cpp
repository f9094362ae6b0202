// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Holds sealgate_csr to the description of the registers: every register of the generated table must have a check here,
// and each is held to its reset value, its access and its effect. What the whole device can't show is above all that an
// event in the very cycle of a clear is kept, and that a snapshot is of one cycle. Ends with 0, or says what failed and
// ends with 1; SEALGATE_SEED replays a run.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "Vsealgate_csr.h"
#include "Vsealgate_csr___024root.h"
#include "sealgate_regs.h"
#include "verilated.h"

namespace {

using sealgate::kRegisters;
using sealgate::Register;

// As the module is built for this test.
constexpr unsigned kLanes = 2, kBusBytes = 32, kContextsLog2 = 10, kBuild = 0xC0FFEE01;
constexpr unsigned kQueues = 8, kLaneBlocks = 4, kRingLog2Max = 15, kSealMax = 1 << 20;

constexpr uint32_t kBarBytes = 0x10000;
constexpr unsigned kOkay = 0, kSlvErr = 2;
constexpr unsigned kAllBytes = 0xF;
constexpr int kMaxWait = 200;  // a read of a counter waits for a snapshot

Vsealgate_csr* dut;
std::mt19937_64 rng;
int failures = 0;

// Called in each cycle, when the inputs of the last one have been taken and before those of the next are.
std::function<void()> before_edge = [] {};

uint64_t random_below(uint64_t bound) { return rng() % bound; }

void check(const std::string& what, uint64_t got, uint64_t want) {
  if (got == want) return;
  std::printf("%s: got %#llx, want %#llx\n", what.c_str(), static_cast<unsigned long long>(got),
              static_cast<unsigned long long>(want));
  if (++failures == 20) std::exit(1);
}

void tick() {
  dut->clk_i = 0;
  dut->eval();
  before_edge();
  dut->eval();
  dut->clk_i = 1;
  dut->eval();
}

// --- The bus -------------------------------------------------------------------------------------------------------

// What the channels of one access are late by, in cycles.
struct Delays {
  int address = 0, data = 0, response = 0;
  static Delays random() {
    return {int(random_below(4)), int(random_below(4)), int(random_below(4))};
  }
};

// `in_cycle` is called with the number of each cycle of the access before its inputs are taken.
unsigned write(uint32_t address, uint32_t data, unsigned strobe = kAllBytes, Delays late = {},
               const std::function<void(int)>& in_cycle = [](int) {}) {
  bool addressed = false, given = false;
  dut->s_axil_awaddr_i = address;
  dut->s_axil_wdata_i = data;
  dut->s_axil_wstrb_i = strobe;
  for (int cycle = 0; cycle < kMaxWait; cycle++) {
    dut->s_axil_awvalid_i = !addressed && cycle >= late.address;
    dut->s_axil_wvalid_i = !given && cycle >= late.data;
    in_cycle(cycle);
    dut->eval();
    dut->s_axil_bready_i = dut->s_axil_bvalid_o && late.response-- <= 0;
    addressed |= dut->s_axil_awvalid_i && dut->s_axil_awready_o;
    given |= dut->s_axil_wvalid_i && dut->s_axil_wready_o;
    const bool done = dut->s_axil_bready_i;
    const unsigned response = dut->s_axil_bresp_o;
    tick();
    if (done) {
      dut->s_axil_bready_i = 0;
      return response;
    }
  }
  std::printf("a write of %#x got no response\n", address);
  std::exit(1);
}

uint32_t read(uint32_t address, unsigned want = kOkay, Delays late = {}) {
  bool addressed = false;
  uint32_t held = 0;
  bool offered = false;
  dut->s_axil_araddr_i = address;
  for (int cycle = 0; cycle < kMaxWait; cycle++) {
    dut->s_axil_arvalid_i = !addressed && cycle >= late.address;
    dut->eval();
    if (dut->s_axil_rvalid_o) {
      if (offered) check("data of a read that is not taken yet", dut->s_axil_rdata_o, held);
      held = dut->s_axil_rdata_o;
      offered = true;
    }
    dut->s_axil_rready_i = dut->s_axil_rvalid_o && late.response-- <= 0;
    addressed |= dut->s_axil_arvalid_i && dut->s_axil_arready_o;
    const bool done = dut->s_axil_rready_i;
    const unsigned response = dut->s_axil_rresp_o;
    tick();
    if (done) {
      dut->s_axil_rready_i = 0;
      check("response of a read of " + std::to_string(address), response, want);
      return held;
    }
  }
  std::printf("a read of %#x got no response\n", address);
  std::exit(1);
}

void reset() {
  dut->rst_ni = 0;
  dut->engine_rst_ni = 0;
  for (int i = 0; i < 4; i++) tick();
  dut->rst_ni = 1;
  dut->engine_rst_ni = 1;
  tick();
}

// --- What stands behind each register ------------------------------------------------------------------------------

// The ports that show what the host wrote.
const std::map<std::string, std::function<uint32_t(int)>> kStored = {
    {"CONTROL", [](int) { return dut->enable_o | uint32_t{dut->selftest_fault_o} << 3; }},
    {"IRQ_ENABLE", [](int) { return uint32_t{dut->irq_enable_o}; }},
    {"IRQ_MODERATION", [](int) { return dut->irq_count_o | dut->irq_cycles_o << 8; }},
    {"SQ_BASE_LO", [](int q) { return uint32_t(dut->sq_base_o[q]); }},
    {"SQ_BASE_HI", [](int q) { return uint32_t(dut->sq_base_o[q] >> 32); }},
    {"CQ_BASE_LO", [](int q) { return uint32_t(dut->cq_base_o[q]); }},
    {"CQ_BASE_HI", [](int q) { return uint32_t(dut->cq_base_o[q] >> 32); }},
    {"RING_SIZE", [](int q) { return dut->sq_log2_o[q] | uint32_t{dut->cq_log2_o[q]} << 8; }},
    {"QUEUE_CONTROL", [](int q) { return dut->queue_enable_o >> q & 1u; }},
    {"SQ_TAIL", [](int q) { return uint32_t{dut->sq_tail_o[q]}; }},
    {"CQ_HEAD", [](int q) { return uint32_t{dut->cq_head_o[q]}; }},
};

// The inputs that a register shows: gives them this value, and tells what is to be read.
const std::map<std::string, std::function<uint32_t(int, uint32_t)>> kShown = {
    {"BUILD", [](int, uint32_t) { return kBuild; }},
    {"SHAPE",
     [](int, uint32_t) {
       return kLanes | kBusBytes << 8 | kQueues << 16 | kContextsLog2 << 24 | kRingLog2Max << 28;
     }},
    {"FEATURES", [](int, uint32_t) { return 0x00070303u; }},
    {"SEAL_MAX", [](int, uint32_t) { return kSealMax; }},
    {"STATUS",
     [](int, uint32_t value) {
       dut->selftest_i = value & 3;
       dut->ready_i = value >> 2 & 1;
       dut->busy_i = value >> 3 & 1;
       return value & 0xF;
     }},
    {"SQ_HEAD", [](int q, uint32_t value) { return uint32_t{dut->sq_head_i[q] = uint16_t(value)}; }},
    {"CQ_TAIL", [](int q, uint32_t value) { return uint32_t{dut->cq_tail_i[q] = uint16_t(value)}; }},
};

// The port that is high for one cycle when bit 0, 1, ... of a pulse register is written 1.
const std::map<std::string, std::vector<std::function<bool()>>> kPulses = {
    {"CONTROL",
     {[] { return false; }, [] { return dut->reset_o != 0; }, [] { return dut->zeroize_o != 0; }}},
    {"SNAPSHOT",
     {[] { return dut->rootp->sealgate_csr__DOT__take_q != 0; }}},
};

void complete(int queue, bool valid, bool error) {
  dut->complete_valid_i = valid;
  dut->complete_queue_i = queue;
  dut->complete_error_i = error;
}

// The input that sets bit 0, 1, ... of a sticky register: a completion sets the bit of its queue.
const std::map<std::string, std::function<void(int, int, bool)>> kSticky = {
    {"ERRORS",
     [](int, int bit, bool high) {
       dut->selftest_failed_i = high && bit == 0;
       dut->read_fault_i = high && bit == 1;
       dut->write_fault_i = high && bit == 2;
     }},
    {"IRQ_STATUS", [](int, int bit, bool high) { complete(bit, high, false); }},
    {"QUEUE_ERRORS",
     [](int q, int bit, bool high) {
       dut->entry_fault_i = (high && bit == 0) << q;
       complete(q, high && bit == 1, true);
       dut->bad_doorbell_i = (high && bit == 2) << q;
     }},
};

// --- Counters: a reference ----------------------------------------------------------------------------------------

enum DeviceCounter {
  kCycles, kBusy, kSealedRecords, kSealedBytes, kOpenedRecords, kOpenedBytes, kRejectedRecords,
  kReadBeats, kReadStall, kWriteBeats, kWriteStall, kDeviceCounters
};
constexpr const char* kDeviceNames[] = {
    "CYCLES",        "BUSY",       "SEALED_RECORDS",   "SEALED_BYTES", "OPENED_RECORDS",
    "OPENED_BYTES",  "REJECTED_RECORDS", "READ_BEATS", "READ_STALL",   "WRITE_BEATS", "WRITE_STALL"};
constexpr const char* kLaneNames[] = {"LANE_BUSY", "LANE_BEATS", "LANE_STALL_SOURCE",
                                      "LANE_STALL_DESTINATION"};
constexpr const char* kQueueNames[] = {"ENTRIES",    "REFUSED",   "WAIT_COMPLETION",
                                       "WAIT_FETCH", "WAIT_LANE", "WAIT_CONTEXT"};

struct Counters {
  uint64_t device[kDeviceCounters] = {};
  uint64_t lane[kLaneBlocks][4] = {};
  uint64_t queue[kQueues][6] = {};

  // Where the value of this name stands; null if it is no counter.
  const uint64_t* find(const std::string& name, int index) const {
    for (int i = 0; i < kDeviceCounters; i++) if (name == kDeviceNames[i]) return &device[i];
    for (int i = 0; i < 4; i++) if (name == kLaneNames[i]) return &lane[index][i];
    for (int i = 0; i < 6; i++) if (name == kQueueNames[i]) return &queue[index][i];
    return nullptr;
  }
};

// Status codes of records that OPEN rejects.
constexpr unsigned kBadLength = 10, kBadHeader = 12, kBadTag = 13, kPaddingWithoutContent = 14;

// What an entry that completes says of itself; the order is that of stat_t.
struct Stat {
  unsigned queue, status;
  bool record, open;
  unsigned records, written, consumed;

  static Stat random() {
    constexpr unsigned kStatuses = 24;
    const unsigned status = random_below(2) ? 0 : random_below(kStatuses);
    return {unsigned(random_below(kQueues)), status, bool(random_below(4)), bool(random_below(2)),
            unsigned(random_below(1 << 16)), unsigned(random_below(1 << 29)),
            unsigned(random_below((1 << 20) + 1))};
  }

  void drive() const {
    unsigned __int128 bits = queue;
    bits = bits << 7 | status;
    bits = bits << 1 | record;
    bits = bits << 1 | open;
    bits = bits << 16 | records;
    bits = bits << 29 | written;
    bits = bits << 21 | consumed;
    for (int word = 0; word < 3; word++) dut->stat_i[word] = uint32_t(bits >> 32 * word);
  }

  void count(Counters& counters) const {
    counters.queue[queue][0]++;
    if (status != 0) counters.queue[queue][1]++;
    if (!record) return;
    if (status == 0) {
      counters.device[open ? kOpenedRecords : kSealedRecords] += records;
      counters.device[open ? kOpenedBytes : kSealedBytes] += open ? written : consumed;
    } else if (open && (status == kBadLength || status == kBadHeader || status == kBadTag ||
                        status == kPaddingWithoutContent)) {
      counters.device[kRejectedRecords]++;
    }
  }
};

// The counters as they should be, and as they were in each of the last cycles, by the value of CYCLES.
class Reference {
 public:
  // Chooses the events of one cycle, and counts them.
  void drive(unsigned density) {
    auto bits = [density](unsigned width) {
      uint64_t value = 0;
      for (unsigned i = 0; i < width; i++) value |= uint64_t{random_below(8) < density} << i;
      return value;
    };
    past_.push_back(now_);
    if (past_.size() > kRemembered) past_.pop_front();
    now_.device[kCycles]++;
    now_.device[kBusy] += dut->busy_i = bits(1);
    now_.device[kReadBeats] += dut->read_beat_i = bits(1);
    now_.device[kReadStall] += dut->read_stall_i = bits(1);
    now_.device[kWriteBeats] += dut->write_beat_i = bits(1);
    now_.device[kWriteStall] += dut->write_stall_i = bits(1);
    for (unsigned lane = 0; lane < kLanes; lane++) {
      const uint64_t events = bits(4);
      dut->lane_events_i[lane] = events;
      for (int i = 0; i < 4; i++) now_.lane[lane][i] += events >> (3 - i) & 1;
    }
    dut->wait_completion_i = bits(kQueues);
    dut->wait_fetch_i = bits(kQueues);
    dut->wait_lane_i = bits(kQueues);
    dut->wait_context_i = bits(kQueues);
    for (unsigned q = 0; q < kQueues; q++) {
      now_.queue[q][2] += dut->wait_completion_i >> q & 1;
      now_.queue[q][3] += dut->wait_fetch_i >> q & 1;
      now_.queue[q][4] += dut->wait_lane_i >> q & 1;
      now_.queue[q][5] += dut->wait_context_i >> q & 1;
    }
    dut->stat_valid_i = bits(1);
    const Stat stat = Stat::random();
    stat.drive();
    if (dut->stat_valid_i) stat.count(now_);
  }

  // The counters when CYCLES was `cycles`; null if that is too long ago.
  const Counters* at(uint64_t cycles) const {
    for (const Counters& counters : past_) {
      if (counters.device[kCycles] == cycles) return &counters;
    }
    return nullptr;
  }

  uint64_t cycles() const { return now_.device[kCycles]; }
  Counters& now() { return now_; }

 private:
  static constexpr size_t kRemembered = 4096;
  Counters now_;
  std::deque<Counters> past_;
};

// --- Tests --------------------------------------------------------------------------------------------------------

std::string full_name(const Register& reg) {
  return std::string(reg.name) + " at " + std::to_string(reg.address);
}

// The name of the counter of which this is a half, or an empty one.
std::string counter_name(const Register& reg) {
  const std::string name = reg.name;
  const std::string base = name.size() > 3 ? name.substr(0, name.size() - 3) : "";
  return Counters().find(base, 0) ? base : "";
}

uint32_t stored(const Register& reg) { return reg.writable & ~reg.clears & ~reg.pulse; }

void test_no_register_is_forgotten() {
  for (const Register& reg : kRegisters) {
    const bool counter = !counter_name(reg).empty();
    check(full_name(reg) + " shows its inputs", kShown.count(reg.name) + counter, reg.driven != 0);
    check(full_name(reg) + " has a port", kStored.count(reg.name), stored(reg) != 0);
    check(full_name(reg) + " has a pulse", kPulses.count(reg.name), reg.pulse != 0);
    check(full_name(reg) + " is sticky", kSticky.count(reg.name), reg.clears != 0);
  }
}

void test_reset_values() {
  for (const Register& reg : kRegisters) {
    const uint32_t value = read(reg.address, kOkay, Delays::random());
    check(full_name(reg) + " after reset", value & ~reg.driven, reg.reset);
    if (!counter_name(reg).empty()) check(full_name(reg) + " before a snapshot", value, 0);
    if (kStored.count(reg.name)) check(full_name(reg) + " at its port", kStored.at(reg.name)(reg.index), reg.reset);
  }
}

void test_shown() {
  std::vector<uint32_t> wanted;
  for (const Register& reg : kRegisters) {
    wanted.push_back(kShown.count(reg.name) ? kShown.at(reg.name)(reg.index, rng()) : 0);
  }
  size_t i = 0;
  for (const Register& reg : kRegisters) {
    const uint32_t want = wanted[i++];
    if (!kShown.count(reg.name)) continue;
    check(full_name(reg), read(reg.address, kOkay, Delays::random()), want);
    check(full_name(reg) + ": response of a write", write(reg.address, ~want), kOkay);
    check(full_name(reg) + " after a write", read(reg.address), want);
  }
}

// Every register is written; then every one holds its own value, at its port and when it is read, and reading changes
// nothing.
void test_stored() {
  std::map<uint32_t, uint32_t> wanted;
  for (int round = 0; round < 3; round++) {
    for (const Register& reg : kRegisters) {
      if (stored(reg) == 0) continue;
      const uint32_t value = rng();
      const unsigned strobe = round == 0 ? kAllBytes : random_below(16);
      check(full_name(reg) + ": response of a write",
            write(reg.address + random_below(4), value & ~reg.pulse, strobe, Delays::random()), kOkay);
      uint32_t mask = 0;
      for (int byte = 0; byte < 4; byte++) mask |= strobe >> byte & 1 ? 0xFFu << 8 * byte : 0;
      uint32_t& want = wanted[reg.address];
      want = (want & ~mask) | (value & mask & stored(reg));
    }
    for (int again = 0; again < 2; again++) {
      for (const Register& reg : kRegisters) {
        if (stored(reg) == 0) continue;
        check(full_name(reg), read(reg.address, kOkay, Delays::random()), wanted[reg.address]);
        check(full_name(reg) + " at its port", kStored.at(reg.name)(reg.index), wanted[reg.address]);
      }
    }
  }
}

void test_pulses() {
  for (const Register& reg : kRegisters) {
    for (unsigned bit = 0; bit < 32; bit++) {
      if (!(reg.pulse >> bit & 1)) continue;
      const auto& port = kPulses.at(reg.name).at(bit);
      for (const unsigned strobe : {kAllBytes, 0u}) {
        int high = 0;
        before_edge = [&] { high += port(); };
        write(reg.address, 1u << bit, strobe);
        for (int i = 0; i < 4; i++) tick();
        before_edge = [] {};
        check(full_name(reg) + ": cycles of a pulse", high, strobe != 0);
        check(full_name(reg) + " after a pulse", read(reg.address) & reg.pulse, 0);
      }
    }
  }
}

// Gives the event in a cycle before, in or after that in which a write of `data` is carried out. The answer is taken
// late, so that the event can come after the write.
void write_around(const Register& reg, int bit, uint32_t data, int distance, bool* rearm) {
  constexpr int kLate = 4;
  int cycle_of_write = -1;
  write(reg.address, data, kAllBytes, {0, 0, kLate}, [&](int cycle) {
    if (dut->rootp->sealgate_csr__DOT__write) cycle_of_write = cycle;
  });
  write(reg.address, reg.clears);
  before_edge = [&] { *rearm |= dut->irq_rearm_o != 0; };
  write(reg.address, data, kAllBytes, {0, 0, kLate}, [&](int cycle) {
    kSticky.at(reg.name)(reg.index, bit, cycle == cycle_of_write + distance);
  });
  before_edge = [] {};
  check(full_name(reg) + ": the cycle of a write is found", cycle_of_write > 0, true);
}

// An event sets its own bit alone; a completion that could not be written counts as one too.
void check_alone(const Register& reg, int bit, bool set) {
  const bool completion = !std::strcmp(reg.name, "QUEUE_ERRORS") && bit == 1;
  for (const Register& other : kRegisters) {
    if (other.clears == 0) continue;
    uint32_t want = other.address == reg.address ? uint32_t{set} << bit : 0;
    if (completion && !std::strcmp(other.name, "IRQ_STATUS")) want = 1u << reg.index;
    check(full_name(other) + " after an event of " + full_name(reg), read(other.address), want);
  }
}

// An event before the clear is cleared, in the cycle of the clear and after it is kept. Writing 0 never clears.
void test_sticky_bit(const Register& reg, int bit) {
  const uint32_t one = 1u << bit;
  const std::string what = full_name(reg) + " bit " + std::to_string(bit);
  const bool is_irq = !std::strcmp(reg.name, "IRQ_STATUS");
  for (const int distance : {-1, 0, 1}) {
    bool rearm = false;
    write_around(reg, bit, one, distance, &rearm);
    check_alone(reg, bit, distance >= 0);
    check(what + " told as rearmed", rearm, is_irq && distance == 0);
    if (is_irq) check(what + " at its port", dut->irq_status_o >> bit & 1, distance >= 0);
    rearm = false;
    write_around(reg, bit, ~one & reg.clears, distance, &rearm);
    check(what + " told as rearmed by another bit", rearm, false);
    write(reg.address, one, 0);
    check(what + " after other bits are cleared", read(reg.address) & one, one);
    for (const Register& other : kRegisters) {
      if (other.clears != 0) write(other.address, ~0u);
    }
    check(what + " cleared", read(reg.address), 0);
  }
}

void test_sticky() {
  for (const Register& reg : kRegisters) {
    for (int bit = 0; bit < 32; bit++) {
      if (reg.clears >> bit & 1) test_sticky_bit(reg, bit);
    }
  }
}

// An access where no register stands is refused and changes nothing.
void test_holes() {
  std::map<uint32_t, uint32_t> held;
  for (const Register& reg : kRegisters) held[reg.address] = read(reg.address);
  for (uint32_t address = 0; address < kBarBytes; address += 4) {
    if (held.count(address)) continue;
    check("data of a read without a register", read(address, kSlvErr), 0);
    check("response of a write without a register", write(address, rng()), kSlvErr);
  }
  for (const Register& reg : kRegisters) {
    check(full_name(reg) + " after writes elsewhere", read(reg.address), held[reg.address]);
  }
}

uint32_t address_of(const char* name) {
  for (const Register& reg : kRegisters) {
    if (!std::strcmp(reg.name, name)) return reg.address;
  }
  std::printf("no register %s\n", name);
  std::exit(1);
}

// The registers hold what all counters were in one cycle between the start and the end of the write.
void test_snapshot(Reference& reference) {
  const uint64_t start = reference.cycles();
  write(address_of("SNAPSHOT"), 1, kAllBytes, Delays::random());
  if (random_below(4) == 0) write(address_of("SNAPSHOT"), 1, kAllBytes, Delays::random());
  const uint64_t end = reference.cycles();
  std::map<std::string, uint64_t> values;
  for (const Register& reg : kRegisters) {
    const std::string name = counter_name(reg);
    if (name.empty()) continue;
    const uint64_t half = read(reg.address);
    values[name + " " + std::to_string(reg.index)] |= reg.address & 4 ? half << 32 : half;
  }
  const uint64_t cycles = values["CYCLES 0"];
  check("a snapshot is of a cycle of its write", cycles >= start && cycles <= end, true);
  const Counters* want = reference.at(cycles);
  if (want == nullptr) return check("CYCLES", cycles, end);
  for (const Register& reg : kRegisters) {
    const std::string name = counter_name(reg);
    if (name.empty()) continue;
    check(full_name(reg), values[name + " " + std::to_string(reg.index)], *want->find(name, reg.index));
  }
}

void engine_reset() {
  dut->engine_rst_ni = 0;
  for (int i = 0; i < 4; i++) tick();
  dut->engine_rst_ni = 1;
}

// Puts the totals just below a carry into the high half.
void lift(Counters& counters) {
  constexpr uint64_t kLift = 0xFFFFFE00;  // keeps the bits that are not in the RAM
  auto& root = *dut->rootp;
  for (auto& total : root.sealgate_csr__DOT__u_counters__DOT__totals_q.m_storage) total += kLift;
  root.sealgate_csr__DOT__u_counters__DOT__total_q += kLift;  // is on its way back to the RAM
  for (int i = 0; i < kDeviceCounters; i++) {
    if (i < kSealedRecords || i > kOpenedBytes) counters.device[i] += kLift;
  }
  for (unsigned lane = 0; lane < kLaneBlocks; lane++) {
    for (auto& value : counters.lane[lane]) value += kLift;
  }
  for (auto& queue : counters.queue) {
    for (auto& value : queue) value += kLift;
  }
}

void test_counters() {
  for (unsigned density = 0; density <= 8; density++) {
    engine_reset();
    for (const Register& reg : kRegisters) {
      if (!counter_name(reg).empty()) check(full_name(reg) + " after the engine's reset", read(reg.address), 0);
    }
    engine_reset();
    Reference reference;
    before_edge = [&] { reference.drive(density); };
    for (int i = random_below(300); i > 0; i--) tick();
    for (int snapshot = 0; snapshot < 4; snapshot++) {
      test_snapshot(reference);
      for (int i = random_below(500); i > 0; i--) tick();
    }
    for (int i = 0; i < 100; i++) tick();
    lift(reference.now());
    for (int i = 0; i < 1200; i++) tick();
    test_snapshot(reference);
    before_edge = [] {};
  }
}

}  // namespace

int main() {
  const char* given = std::getenv("SEALGATE_SEED");
  const uint64_t seed = given ? std::strtoull(given, nullptr, 0) : std::random_device()();
  std::printf("SEALGATE_SEED=%llu\n", static_cast<unsigned long long>(seed));
  rng.seed(seed);
  VerilatedContext context;
  Vsealgate_csr csr(&context);
  dut = &csr;
  reset();
  test_no_register_is_forgotten();
  test_reset_values();
  test_shown();
  test_stored();
  test_pulses();
  test_sticky();
  test_holes();
  test_counters();
  reset();
  test_reset_values();
  return failures != 0;
}
