// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The verilated engine between its bus models.

use std::mem;
use std::path::Path;
use std::sync::Arc;

use sealgate_abi::regs::{IrqModeration, Page, QUEUES, Register};

use crate::bus::{
    Address, AxiLiteMaster, AxiSlave, LiteMasterSignals, LiteSlaveSignals, MasterSignals, Monitor,
    SlaveSignals, WriteBeat,
};
use crate::config::SimConfig;
use crate::device::{Activity, Device, InterruptCounts};
use crate::iommu::HostMemory;

use super::RtlError;
use super::ffi::{Top, TopInputs, TopOutputs};

/// Cycles between two looks at what the host wants; a few microseconds.
const SLICE_CYCLES: u64 = 32;

/// After this many cycles without anything on any bus the clock may stop. Whatever the engine does without a bus (the
/// self test, a sweep over the contexts) goes on when the host looks at a register.
const QUIET_CYCLES: u32 = 4096;

/// A register read takes some ten cycles; a block that needs this many is broken.
const MAX_ACCESS_CYCLES: u32 = 10_000;

/// Where the host says how long interrupt messages may be held back.
const MODERATION: u32 = Page::Device.base() + IrqModeration::OFFSET;

const RESET_CYCLES: u32 = 8;

/// WSTRB of a register write.
const ALL_BYTES: u8 = 0xF;

/// What a register reads that never answers.
const NO_ANSWER: u32 = u32::MAX;

/// The verilated record engine, its memory bus and its register bus.
pub(crate) struct RtlDevice {
    top: Top,
    inputs: TopInputs,
    outputs: TopOutputs,
    axi: AxiSlave,
    registers: AxiLiteMaster,
    monitor: Monitor,
    /// The interrupt message that was offered and not taken.
    irq_held: Option<u8>,
    interrupts: InterruptCounts,
    frozen: bool,
    cycle: u64,
    /// Cycles since something was last seen on a bus.
    quiet: u32,
    /// The longest that an interrupt message may be held back, in cycles: the host has set it.
    message_age: u32,
}

impl RtlDevice {
    /// An engine of the shape in `config`; its waveform goes to `trace`, if named.
    pub(crate) fn new(
        memory: Arc<HostMemory>,
        config: &SimConfig,
        trace: Option<&Path>,
    ) -> Result<Self, RtlError> {
        let (shape, bus, seed) = (config.shape()?, &config.bus, config.seed);
        // Streams of their own, so that a register access does not change what the memory bus does next.
        let (memory_seed, register_seed) = (seed.wrapping_add(1), seed.wrapping_add(2));
        let mut device = Self {
            top: if config.pipelined {
                Top::pipelined(shape, trace)?
            } else {
                Top::new(shape, trace)?
            },
            inputs: TopInputs::default(),
            outputs: TopOutputs::default(),
            axi: AxiSlave::new(memory, bus.clone(), shape.bus_bytes(), memory_seed),
            registers: AxiLiteMaster::new(register_seed, bus.back_pressure),
            monitor: Monitor::default(),
            irq_held: None,
            interrupts: InterruptCounts::default(),
            frozen: false,
            cycle: 0,
            quiet: 0,
            message_age: 0,
        };
        device.reset();
        Ok(device)
    }

    /// Runs the clock for so many cycles.
    pub(crate) fn run_cycles(&mut self, cycles: u64) {
        for _ in 0..cycles {
            self.step();
        }
    }

    /// One clock cycle.
    fn step(&mut self) {
        let host = self.registers.drive();
        drive_memory(&mut self.inputs, self.axi.drive());
        drive_host(&mut self.inputs, &host);
        self.inputs.irq_ready = !self.frozen;
        self.top.step(&self.inputs, &mut self.outputs);
        self.cycle += 1;

        let master = master_signals(&self.outputs);
        self.axi.observe(&master, &mut self.monitor);
        self.registers.observe(&lite_signals(&self.outputs), &mut self.monitor);
        self.observe_interrupts();

        let bus_is_quiet = master.ar.is_none()
            && master.aw.is_none()
            && master.w.is_none()
            && self.outputs.irq_valid == 0
            && self.axi.is_idle()
            && self.registers.is_idle();
        self.quiet = if bus_is_quiet { self.quiet.saturating_add(1) } else { 0 };
    }

    fn observe_interrupts(&mut self) {
        let offered = (self.outputs.irq_valid != 0).then_some(self.outputs.irq_index);
        let (before, cycle) = (self.irq_held, self.cycle);
        if before.is_some() && before != offered {
            let what = format_args!("offered {before:?}, then {offered:?} before it was taken");
            self.monitor.note(cycle, "IRQ", what);
        }
        self.irq_held = offered.filter(|_| !self.inputs.irq_ready);
        if let Some(queue) = offered.filter(|_| self.inputs.irq_ready) {
            // The index has as many bits as there are queues to name.
            self.interrupts[usize::from(queue) % QUEUES] += 1;
        }
    }

    /// Runs until every register access that was asked for is done.
    fn finish_accesses(&mut self) {
        for _ in 0..MAX_ACCESS_CYCLES {
            if self.registers.is_idle() {
                return;
            }
            self.step();
        }
        self.monitor.note(self.cycle, "AXI4-Lite", format_args!("an access was never answered"));
        self.registers.reset();
    }
}

impl Device for RtlDevice {
    fn read(&mut self, offset: u32) -> u32 {
        self.registers.read(offset);
        self.finish_accesses();
        self.quiet = 0;
        self.registers.take_answer().unwrap_or(NO_ANSWER)
    }

    fn write(&mut self, offset: u32, value: u32) {
        self.registers.write(offset, value);
        if offset == MODERATION {
            self.message_age = IrqModeration::from_bits(value).cycles();
        }
        self.quiet = 0;
        if self.frozen {
            // Nobody runs a frozen device.
            self.finish_accesses();
        }
    }

    fn run(&mut self) -> Activity {
        if self.quiet >= QUIET_CYCLES.saturating_add(self.message_age) || self.frozen {
            self.top.flush();
            return Activity::Quiet;
        }
        self.run_cycles(SLICE_CYCLES);
        Activity::Busy
    }

    fn take_interrupts(&mut self) -> InterruptCounts {
        mem::take(&mut self.interrupts)
    }

    fn reset(&mut self) {
        self.axi.reset();
        self.registers.reset();
        self.irq_held = None;
        self.interrupts = InterruptCounts::default();
        self.message_age = 0;
        for _ in 0..RESET_CYCLES {
            self.inputs = TopInputs::default();
            self.top.step(&self.inputs, &mut self.outputs);
            self.cycle += 1;
        }
        self.inputs.rst_n = true;
        self.inputs.s_axil_wstrb = ALL_BYTES;
        self.quiet = 0;
    }

    fn freeze(&mut self, frozen: bool) {
        self.frozen = frozen;
        self.axi.freeze(frozen);
        self.quiet = 0;
    }

    fn cycles(&self) -> u64 {
        self.cycle
    }

    fn protocol_errors(&self) -> Vec<String> {
        self.monitor.errors().to_vec()
    }
}

fn drive_memory(inputs: &mut TopInputs, memory: &SlaveSignals) {
    inputs.m_axi_arready = memory.ar_ready;
    inputs.m_axi_awready = memory.aw_ready;
    inputs.m_axi_wready = memory.w_ready;
    inputs.m_axi_rvalid = memory.r.is_some();
    if let Some(beat) = &memory.r {
        inputs.m_axi_rid = beat.id;
        inputs.m_axi_rdata = bytemuck::cast(beat.data);
        inputs.m_axi_rresp = beat.response;
        inputs.m_axi_rlast = beat.last;
    }
    inputs.m_axi_bvalid = memory.b.is_some();
    if let Some(answer) = memory.b {
        inputs.m_axi_bid = answer.id;
        inputs.m_axi_bresp = answer.response;
    }
}

fn drive_host(inputs: &mut TopInputs, host: &LiteMasterSignals) {
    inputs.s_axil_awvalid = host.aw.is_some();
    inputs.s_axil_awaddr = host.aw.unwrap_or(0) as u16;
    inputs.s_axil_wvalid = host.w.is_some();
    inputs.s_axil_wdata = host.w.unwrap_or(0);
    inputs.s_axil_bready = host.b_ready;
    inputs.s_axil_arvalid = host.ar.is_some();
    inputs.s_axil_araddr = host.ar.unwrap_or(0) as u16;
    inputs.s_axil_rready = host.r_ready;
}

fn master_signals(outputs: &TopOutputs) -> MasterSignals {
    MasterSignals {
        ar: (outputs.m_axi_arvalid != 0).then_some(Address {
            id: outputs.m_axi_arid,
            address: outputs.m_axi_araddr,
            len: outputs.m_axi_arlen,
            size: outputs.m_axi_arsize,
            burst: outputs.m_axi_arburst,
        }),
        aw: (outputs.m_axi_awvalid != 0).then_some(Address {
            id: outputs.m_axi_awid,
            address: outputs.m_axi_awaddr,
            len: outputs.m_axi_awlen,
            size: outputs.m_axi_awsize,
            burst: outputs.m_axi_awburst,
        }),
        w: (outputs.m_axi_wvalid != 0).then_some(WriteBeat {
            data: bytemuck::cast(outputs.m_axi_wdata),
            strobes: outputs.m_axi_wstrb,
            last: outputs.m_axi_wlast != 0,
        }),
        r_ready: outputs.m_axi_rready != 0,
        b_ready: outputs.m_axi_bready != 0,
    }
}

fn lite_signals(outputs: &TopOutputs) -> LiteSlaveSignals {
    LiteSlaveSignals {
        aw_ready: outputs.s_axil_awready != 0,
        w_ready: outputs.s_axil_wready != 0,
        b: (outputs.s_axil_bvalid != 0).then_some(outputs.s_axil_bresp),
        ar_ready: outputs.s_axil_arready != 0,
        r: (outputs.s_axil_rvalid != 0).then_some((outputs.s_axil_rdata, outputs.s_axil_rresp)),
    }
}
