// SPDX-License-Identifier: Apache-2.0 OR MIT

#include "shim.h"

#include <memory>

#include "Vsealgate_aead.h"
#include "Vsealgate_top_traced.h"
#include "sealgate_models.h"  // Written by build.rs: includes the other models, defines SEALGATE_SHAPES.
#include "verilated.h"
#include "verilated_fst_c.h"

static_assert(sizeof(sealgate_top_inputs) == 104);
static_assert(sizeof(sealgate_top_outputs) == 120);
static_assert(sizeof(sealgate_aead_inputs) == 96);
static_assert(sizeof(sealgate_aead_outputs) == 48);
static_assert(sizeof(sealgate_lane_inputs) == 80);
static_assert(sizeof(sealgate_lane_outputs) == 32);

namespace {

// Verilator keeps vectors of more than 64 bits as words of 32 bits, the lowest first.
template <std::size_t Words, std::size_t Most>
void widen(VlWide<Words>& wide, const uint64_t (&words)[Most]) {
  static_assert(Words <= 2 * Most);
  for (std::size_t word = 0; word < Words; ++word) {
    wide[word] = static_cast<EData>(words[word / 2] >> (32 * (word % 2)));
  }
}

template <std::size_t Words, std::size_t Most>
void narrow(uint64_t (&words)[Most], const VlWide<Words>& wide) {
  static_assert(Words <= 2 * Most);
  for (std::size_t word = 0; word < Words / 2; ++word) {
    words[word] = wide[2 * word] | static_cast<uint64_t>(wide[2 * word + 1]) << 32;
  }
}

// A module with the ports clk_i and rst_ni, in a context of its own.
template <typename Module>
class Clocked {
 public:
  Clocked() : module_(&context_) {}
  ~Clocked() { module_.final(); }

  Module& ports() { return module_; }

  void settle() {
    module_.clk_i = 0;
    eval();
  }

  void edge() {
    module_.clk_i = 1;
    eval();
  }

  void open_trace(const char* path) {
    constexpr int kLevels = 99;
    context_.traceEverOn(true);
    trace_ = std::make_unique<VerilatedFstC>();
    module_.trace(trace_.get(), kLevels);
    trace_->open(path);
  }

  void flush_trace() {
    if (trace_) trace_->flush();
  }

 private:
  void eval() {
    module_.eval();
    context_.timeInc(1);
    if (trace_) trace_->dump(context_.time());
  }

  VerilatedContext context_;
  Module module_;
  std::unique_ptr<VerilatedFstC> trace_;
};

// Inputs, outputs and edge of one cycle, for a model that drives and samples its own ports.
template <typename Model, typename Inputs, typename Outputs>
void run_cycle(Model& model, const Inputs& in, Outputs& out) {
  model.drive(in);
  model.settle();
  model.sample(out);
  model.edge();
}

}  // namespace

struct sealgate_top {
  virtual ~sealgate_top() = default;
  virtual void step(const sealgate_top_inputs& in, sealgate_top_outputs& out) = 0;
  virtual void flush() = 0;
};

namespace {

template <typename Module>
class Top final : public sealgate_top {
 public:
  void step(const sealgate_top_inputs& in, sealgate_top_outputs& out) override {
    drive(in);
    clocked_.settle();
    sample(out);
    clocked_.edge();
  }

  void flush() override { clocked_.flush_trace(); }

  Clocked<Module>& clocked() { return clocked_; }

 private:
  void drive(const sealgate_top_inputs& in) {
    Module& ports = clocked_.ports();
    ports.rst_ni = in.rst_n;
    ports.s_axil_awaddr_i = in.s_axil_awaddr;
    ports.s_axil_awprot_i = in.s_axil_awprot;
    ports.s_axil_awvalid_i = in.s_axil_awvalid;
    ports.s_axil_wdata_i = in.s_axil_wdata;
    ports.s_axil_wstrb_i = in.s_axil_wstrb;
    ports.s_axil_wvalid_i = in.s_axil_wvalid;
    ports.s_axil_bready_i = in.s_axil_bready;
    ports.s_axil_araddr_i = in.s_axil_araddr;
    ports.s_axil_arprot_i = in.s_axil_arprot;
    ports.s_axil_arvalid_i = in.s_axil_arvalid;
    ports.s_axil_rready_i = in.s_axil_rready;
    ports.m_axi_arready_i = in.m_axi_arready;
    ports.m_axi_rid_i = in.m_axi_rid;
    if (in.m_axi_rvalid) widen(ports.m_axi_rdata_i, in.m_axi_rdata);
    ports.m_axi_rresp_i = in.m_axi_rresp;
    ports.m_axi_rlast_i = in.m_axi_rlast;
    ports.m_axi_rvalid_i = in.m_axi_rvalid;
    ports.m_axi_awready_i = in.m_axi_awready;
    ports.m_axi_wready_i = in.m_axi_wready;
    ports.m_axi_bid_i = in.m_axi_bid;
    ports.m_axi_bresp_i = in.m_axi_bresp;
    ports.m_axi_bvalid_i = in.m_axi_bvalid;
    ports.irq_ready_i = in.irq_ready;
  }

  void sample(sealgate_top_outputs& out) {
    const Module& ports = clocked_.ports();
    out.s_axil_awready = ports.s_axil_awready_o;
    out.s_axil_wready = ports.s_axil_wready_o;
    out.s_axil_bresp = ports.s_axil_bresp_o;
    out.s_axil_bvalid = ports.s_axil_bvalid_o;
    out.s_axil_arready = ports.s_axil_arready_o;
    out.s_axil_rdata = ports.s_axil_rdata_o;
    out.s_axil_rresp = ports.s_axil_rresp_o;
    out.s_axil_rvalid = ports.s_axil_rvalid_o;
    out.m_axi_arid = ports.m_axi_arid_o;
    out.m_axi_araddr = ports.m_axi_araddr_o;
    out.m_axi_arlen = ports.m_axi_arlen_o;
    out.m_axi_arsize = ports.m_axi_arsize_o;
    out.m_axi_arburst = ports.m_axi_arburst_o;
    out.m_axi_arvalid = ports.m_axi_arvalid_o;
    out.m_axi_rready = ports.m_axi_rready_o;
    out.m_axi_awid = ports.m_axi_awid_o;
    out.m_axi_awaddr = ports.m_axi_awaddr_o;
    out.m_axi_awlen = ports.m_axi_awlen_o;
    out.m_axi_awsize = ports.m_axi_awsize_o;
    out.m_axi_awburst = ports.m_axi_awburst_o;
    out.m_axi_awvalid = ports.m_axi_awvalid_o;
    if (ports.m_axi_wvalid_o) narrow(out.m_axi_wdata, ports.m_axi_wdata_o);
    out.m_axi_wstrb = ports.m_axi_wstrb_o;
    out.m_axi_wlast = ports.m_axi_wlast_o;
    out.m_axi_wvalid = ports.m_axi_wvalid_o;
    out.m_axi_bready = ports.m_axi_bready_o;
    out.irq_valid = ports.irq_valid_o;
    out.irq_index = ports.irq_index_o;
  }

  Clocked<Module> clocked_;
};

}  // namespace

const sealgate_shape* sealgate_top_shapes() {
#define SEALGATE_SHAPE(Lanes, Width) {Lanes, Width},
  static const sealgate_shape kShapes[] = {SEALGATE_SHAPES(SEALGATE_SHAPE){0, 0}};
#undef SEALGATE_SHAPE
  return kShapes;
}

sealgate_top* sealgate_top_new(sealgate_shape shape, const char* trace) {
  if (trace != nullptr) {
    if (shape.lanes != 1 || shape.data_width != 128) return nullptr;
    auto* top = new Top<Vsealgate_top_traced>();
    top->clocked().open_trace(trace);
    return top;
  }
#define SEALGATE_SHAPE(Lanes, Width)                        \
  if (shape.lanes == Lanes && shape.data_width == Width) {  \
    return new Top<Vsealgate_top_##Lanes##x##Width>();      \
  }
  SEALGATE_SHAPES(SEALGATE_SHAPE)
#undef SEALGATE_SHAPE
  return nullptr;
}

sealgate_top* sealgate_top_pipelined_new() {
#ifdef SEALGATE_PIPELINED
  return new Top<Vsealgate_top_pipelined>();
#else
  return nullptr;
#endif
}

void sealgate_top_step(sealgate_top* top, const sealgate_top_inputs* in,
                       sealgate_top_outputs* out) {
  top->step(*in, *out);
}

void sealgate_top_flush(sealgate_top* top) { top->flush(); }

void sealgate_top_delete(sealgate_top* top) { delete top; }

struct sealgate_aead : Clocked<Vsealgate_aead> {
  void drive(const sealgate_aead_inputs& in) {
    Vsealgate_aead& ports = this->ports();
    ports.rst_ni = in.rst_n;
    ports.key_valid_i = in.key_valid;
    ports.key_ctx_i = in.key_ctx;
    widen(ports.key_data_i, in.key_data);
    ports.key_suite_i = in.key_suite;
    ports.wipe_valid_i = in.wipe_valid;
    ports.wipe_ctx_i = in.wipe_ctx;
    ports.cmd_valid_i = in.cmd_valid;
    ports.cmd_ctx_i = in.cmd_ctx;
    ports.cmd_suite_i = in.cmd_suite;
    ports.cmd_open_i = in.cmd_open;
    for (std::size_t word = 0; word < 3; ++word) ports.cmd_nonce_i[word] = in.cmd_nonce[word];
    widen(ports.cmd_aad_i, in.cmd_aad);
    ports.cmd_aad_bytes_i = in.cmd_aad_bytes;
    ports.cmd_has_text_i = in.cmd_text_bytes != 0;
    ports.cmd_text_bytes_i = in.cmd_text_bytes;
    ports.in_valid_i = in.in_valid;
    widen(ports.in_data_i, in.in_data);
    ports.in_error_i = in.in_error;
    ports.out_ready_i = in.out_ready;
    ports.tag_ready_i = in.tag_ready;
  }

  void sample(sealgate_aead_outputs& out) {
    const Vsealgate_aead& ports = this->ports();
    out.key_ready = ports.key_ready_o;
    out.key_done = ports.key_done_o;
    out.wipe_ready = ports.wipe_ready_o;
    out.cmd_ready = ports.cmd_ready_o;
    out.in_ready = ports.in_ready_o;
    out.out_valid = ports.out_valid_o;
    narrow(out.out_data, ports.out_data_o);
    out.out_last = ports.out_last_o;
    out.tag_valid = ports.tag_valid_o;
    narrow(out.tag, ports.tag_o);
    out.tag_error = ports.tag_error_o;
    out.busy = ports.busy_o;
    out.stat_beat = ports.stat_beat_o;
    out.stat_stall_in = ports.stat_stall_in_o;
    out.stat_stall_out = ports.stat_stall_out_o;
  }
};

sealgate_aead* sealgate_aead_new() { return new sealgate_aead(); }

void sealgate_aead_step(sealgate_aead* core, const sealgate_aead_inputs* in,
                            sealgate_aead_outputs* out) {
  run_cycle(*core, *in, *out);
}

void sealgate_aead_delete(sealgate_aead* core) { delete core; }

#ifdef SEALGATE_LANE

struct sealgate_lane : Clocked<Vsealgate_bare_lane> {
  void drive(const sealgate_lane_inputs& in) {
    Vsealgate_bare_lane& ports = this->ports();
    ports.rst_ni = in.rst_n;
    ports.key_valid_i = in.key_valid;
    widen(ports.key_data_i, in.key_data);
    ports.context_i = in.context;
    ports.suite_i = in.suite;
    ports.job_valid_i = in.job_valid;
    for (std::size_t word = 0; word < 3; ++word) ports.job_iv_i[word] = in.job_iv[word];
    ports.job_sequence_number_i = in.job_sequence_number;
    ports.job_length_i = in.job_length;
    ports.source_word_valid_i = in.source_word_valid;
    widen(ports.source_word_data_i, in.source_word_data);
    ports.ack_valid_i = in.ack_valid;
  }

  void sample(sealgate_lane_outputs& out) {
    const Vsealgate_bare_lane& ports = this->ports();
    out.key_ready = ports.key_ready_o;
    out.key_done = ports.key_done_o;
    out.job_ready = ports.job_ready_o;
    out.source_span_valid = ports.source_span_valid_o;
    out.source_word_ready = ports.source_word_ready_o;
    out.destination_span_valid = ports.destination_span_valid_o;
    out.destination_span_bytes = ports.destination_span_bytes_o;
    out.destination_word_valid = ports.destination_word_valid_o;
    narrow(out.destination_word_data, ports.destination_word_data_o);
    out.ack_ready = ports.ack_ready_o;
    out.result_valid = ports.result_valid_o;
    out.result_status = ports.result_status_o;
  }
};

sealgate_lane* sealgate_lane_new() { return new sealgate_lane(); }

void sealgate_lane_step(sealgate_lane* lane, const sealgate_lane_inputs* in,
                        sealgate_lane_outputs* out) {
  run_cycle(*lane, *in, *out);
}

void sealgate_lane_delete(sealgate_lane* lane) { delete lane; }

#endif
