#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Makes what follows from sealgate.rdl: the RTL's package, the table of its test, the Rust API and the register page.

Run it as `cargo xtask codegen`, which provides the pinned Python packages. By hand: generate.py OUTPUT_FOLDER; the
files appear below that folder under their paths in the repository.
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from systemrdl import RDLCompiler
from systemrdl.node import AddrmapNode, FieldNode, RegfileNode, RegNode
from systemrdl.rdltypes import OnWriteType

RDL = Path(__file__).resolve().with_name("sealgate.rdl")
PACKAGE_PATH = "hdl/rtl/csr/sealgate_regs_pkg.sv"
TABLE_PATH = "hdl/regs/sealgate_regs.h"
RUST_PATH = "crates/abi/src/regs/generated.rs"
PAGE_PATH = "docs/registers.md"
SOURCE_NOTE = "Made from hdl/regs/sealgate.rdl by `cargo xtask codegen`; edit that file, not this one."


@dataclass
class Field:
    """A field of a register."""

    name: str
    lsb: int
    width: int
    description: str
    encoding: list  # (name, value, description) of each member, or empty
    encoding_name: str
    writable: bool
    clears: bool
    pulse: bool
    driven: bool  # by the hardware alone: reset leaves nothing in it
    reset: int

    @property
    def mask(self):
        return ((1 << self.width) - 1) << self.lsb

    @property
    def access(self):
        if not self.writable:
            return "ro"
        return "w1c" if self.clears else "pulse" if self.pulse else "rw"

    @property
    def bits(self):
        msb = self.lsb + self.width - 1
        return str(self.lsb) if msb == self.lsb else f"{msb}:{self.lsb}"


@dataclass
class Register:
    """A register at its offset inside its block."""

    name: str
    offset: int
    description: str
    fields: list

    def mask(self, attribute):
        return sum(field.mask for field in self.fields if getattr(field, attribute))

    @property
    def reset(self):
        return sum(field.reset << field.lsb for field in self.fields)

    @property
    def type_name(self):
        return "".join(word.capitalize() for word in self.name.split("_"))

    @property
    def method(self):
        return self.name.lower()


def read_field(node: FieldNode) -> Field:
    encode = node.get_property("encode")
    members = [(m.name, m.value, m.rdl_desc) for m in encode] if encode else []
    return Field(
        name=node.inst_name,
        lsb=node.lsb,
        width=node.width,
        description=node.get_property("desc"),
        encoding=members,
        encoding_name=encode.type_name.removesuffix("_e") if encode else "",
        writable=node.is_sw_writable,
        clears=node.get_property("onwrite") is OnWriteType.woclr,
        pulse=node.get_property("singlepulse"),
        driven=node.is_hw_writable and not node.is_sw_writable,
        reset=node.get_property("reset") or 0,
    )


def read_registers(node: RegfileNode) -> list:
    return [
        Register(
            name=reg.inst_name,
            offset=reg.address_offset,
            description=reg.get_property("desc"),
            fields=[read_field(field) for field in reg.fields()],
        )
        for reg in node.children()
        if isinstance(reg, RegNode)
    ]


@dataclass
class Block:
    """Registers that stand together, and every address where they do."""

    name: str
    bases: list
    registers: list


def read_block(name, nodes) -> Block:
    if any(node.type_name != nodes[0].type_name for node in nodes):
        raise SystemExit(f"{RDL}: every {name.lower()} must have the same registers")
    return Block(name, [node.absolute_address for node in nodes], read_registers(nodes[0]))


@dataclass
class Device:
    """The whole map: the device page, in it the registers of each lane, and a page for each queue."""

    device: Block
    lane: Block
    queue: Block

    @property
    def blocks(self):
        return [self.device, self.lane, self.queue]

    @property
    def registers(self):
        return [register for block in self.blocks for register in block.registers]


def read_device(top: AddrmapNode) -> Device:
    first, *queues = top.children(unroll=True)
    lanes = [child for child in first.children(unroll=True) if isinstance(child, RegfileNode)]
    device = Device(read_block("Device", [first]), read_block("Lane", lanes), read_block("Queue", queues))
    names = [register.name for register in device.registers]
    if len(set(names)) != len(names):
        raise SystemExit(f"{RDL}: two registers have the same name")
    return device


def wide_pairs(registers):
    """(name, low, high) of each 64-bit value."""
    by_name = {register.name: register for register in registers}
    for register in registers:
        name = register.name.removesuffix("_LO")
        if name != register.name:
            yield name, register, by_name[f"{name}_HI"]


# --- The RTL's package ------------------------------------------------------------------------------------------------


def hex_word(value):
    return f"32'h{value >> 16:04x}_{value & 0xFFFF:04x}"


def package_register(register):
    """Where the register stands, where its fields stand if it is not one whole, and what reset leaves in it."""
    lines = [f"  localparam logic [11:0] {register.type_name}Offset = 12'h{register.offset:03x};\n"]
    for field in register.fields:
        if field.width < 32:
            name = register.type_name + "".join(word.capitalize() for word in field.name.split("_"))
            lines.append(f"  localparam int unsigned {name}Lsb = {field.lsb};\n")
            if field.width > 1:
                lines.append(f"  localparam int unsigned {name}Width = {field.width};\n")
    if not all(field.driven for field in register.fields):
        lines.append(f"  localparam logic [31:0] {register.type_name}Reset = {hex_word(register.reset)};\n")
    return "".join(lines)


def package_function(name, what, offsets):
    offsets = [f"12'h{offset:03x}" for offset in offsets]
    rows = [", ".join(offsets[start : start + 10]) for start in range(0, len(offsets), 10)]
    items = ",\n      ".join(rows)
    return (
        f"\n  // There is a register at this offset of {what}.\n"
        + f"  function automatic logic {name}(logic [11:0] offset);\n"
        + f"    unique case (offset)\n      {items}: return 1'b1;\n      default: return 1'b0;\n    endcase\n"
        + "  endfunction\n"
    )


def rtl_package(device) -> str:
    text = (
        f"// SPDX-License-Identifier: Apache-2.0 OR MIT\n// {SOURCE_NOTE}\n//\n"
        + "// Where registers and their fields stand, and what reset leaves in them. Offsets count from the\n"
        + "// start of the page, for the registers of a lane from the start of that lane's.\n\n"
        + "`default_nettype none\n\npackage sealgate_regs_pkg;\n"
    )
    for block in device.blocks:
        text += f"\n  // {block.name}.\n"
        text += f"  localparam logic [15:0] {block.name}Base = 16'h{block.bases[0]:04x};\n"
        if len(block.bases) > 1:
            text += f"  localparam int unsigned {block.name}Blocks = {len(block.bases)};\n"
            text += f"  localparam int unsigned {block.name}Stride = {block.bases[1] - block.bases[0]};\n"
        text += "".join(package_register(register) for register in block.registers)
    page = device.device.bases[0]
    lanes = [base - page + register.offset for base in device.lane.bases for register in device.lane.registers]
    text += package_function("device_has", "the device page", [r.offset for r in device.device.registers] + lanes)
    text += package_function("queue_has", "a queue page", [r.offset for r in device.queue.registers])
    return text + "\nendpackage\n\n`default_nettype wire\n"


# --- The table of the test --------------------------------------------------------------------------------------------


def test_table(device) -> str:
    rows = ""
    for block in device.blocks:
        for index, base in enumerate(block.bases):
            for register in block.registers:
                masks = ", ".join(f"{register.mask(kind):#x}" for kind in ("writable", "clears", "pulse", "driven"))
                place = f"{index}, {base + register.offset:#06x}"
                rows += f'    {{"{register.name}", {place}, {masks}, {register.reset:#x}}},\n'
    return (
        f"// SPDX-License-Identifier: Apache-2.0 OR MIT\n// {SOURCE_NOTE}\n\n"
        + "#pragma once\n\n#include <cstdint>\n\nnamespace sealgate {\n\n"
        + "// A register; the masks are those of the fields that the host writes, of those among them that writing 1\n"
        + "// clears, of those that are a pulse, and of the fields that the hardware drives.\n"
        + "struct Register {\n  const char* name;\n  int index;  // of the lane or queue\n  uint32_t address;\n"
        + "  uint32_t writable;\n  uint32_t clears;\n  uint32_t pulse;\n  uint32_t driven;\n  uint32_t reset;\n};\n\n"
        + f"constexpr Register kRegisters[] = {{\n{rows}}};\n\n}}  // namespace sealgate\n"
    )


# --- The Rust API -----------------------------------------------------------------------------------------------------


def rust_doc(text, indent=""):
    """A doc comment; names in capitals are set as code."""
    text = re.sub(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b", r"`\g<0>`", text)
    return f"{indent}/// {text}\n"


def rust_type(field):
    if field.encoding:
        return field.encoding_name.title().replace("_", "")
    return "bool" if field.width == 1 else "u8" if field.width <= 8 else "u16" if field.width <= 16 else "u32"


def rust_enum(field):
    name = rust_type(field)
    variants = "".join(
        rust_doc(description) + f"{member.title().replace('_', '')} = {value},\n"
        for member, value, description in field.encoding
    )
    arms = "".join(
        f"{value} => Ok(Self::{member.title().replace('_', '')}),\n" for member, value, _ in field.encoding
    )
    return (
        rust_doc(field.description)
        + f"#[derive(Clone, Copy, Debug, PartialEq, Eq)]\n#[repr(u32)]\npub enum {name} {{\n{variants}}}\n\n"
        + f"impl {name} {{\nconst fn decode(value: u32) -> Result<Self, UnknownEncoding> {{\n"
        + f'match value {{\n{arms}_ => Err(UnknownEncoding {{ field: "{field.name}", value }}),\n}}\n}}\n}}\n\n'
    )


def rust_accessors(register, field):
    """The getter and the setter of one field."""
    kind = rust_type(field)
    cut = f"bits::get(self.0, {field.lsb}, {field.width})"
    if field.encoding:
        result, value, put = f"Result<{kind}, UnknownEncoding>", f"{kind}::decode({cut})", "value as u32"
    elif kind == "bool":
        result, value, put = "bool", f"{cut} != 0", "value as u32"
    elif kind == "u32":
        result, value, put = kind, cut, "value"
    else:
        result, value, put = kind, f"{cut} as {kind}", "value as u32"
    note = "\n///\n/// Bits of `value` above the field are dropped.\n" if field.width not in (1, 8, 16, 32) else "\n"
    if field.encoding:
        note = "\n"
    must_use = "" if field.encoding else "#[must_use]\n"
    return (
        rust_doc(field.description)
        + f"{must_use}pub const fn {field.name}(self) -> {result} {{\n{value}\n}}\n\n"
        + f"/// The register with [`Self::{field.name}`] set to `value`."
        + note
        + f"#[must_use]\npub const fn with_{field.name}(self, value: {kind}) -> Self {{\n"
        + f"Self(bits::set(self.0, {field.lsb}, {field.width}, {put}))\n}}\n\n"
    )


def rust_register(register):
    name = register.type_name
    accessors = "".join(rust_accessors(register, field) for field in register.fields)
    shown = "".join(f'.field("{field.name}", &self.{field.name}())' for field in register.fields)
    markers = ""
    if register.mask("writable"):
        markers += f"impl Writable for {name} {{}}\n\n"
        if not register.mask("clears"):
            markers += f"impl Modifiable for {name} {{}}\n\n"
    return (
        rust_doc(register.description)
        + f"#[derive(Clone, Copy, PartialEq, Eq)]\npub struct {name}(u32);\n\n"
        + f"impl {name} {{\n{accessors}}}\n\n"
        + f'impl Register for {name} {{\nconst NAME: &\'static str = "{register.name}";\n'
        + f"const OFFSET: u32 = {register.offset:#04x};\nconst RESET: u32 = {register.reset:#_x};\n\n"
        + "fn from_bits(bits: u32) -> Self {\nSelf(bits)\n}\n\nfn bits(self) -> u32 {\nself.0\n}\n}\n\n"
        + f"impl Default for {name} {{\nfn default() -> Self {{\nSelf(Self::RESET)\n}}\n}}\n\n"
        + f"impl fmt::Debug for {name} {{\nfn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {{\n"
        + f'f.debug_struct("{name}"){shown}.finish()\n}}\n}}\n\n'
        + markers
    )


def rust_page(name, registers, doc):
    methods = ""
    for register in registers:
        methods += rust_doc(register.description)
        methods += f"pub fn {register.method}(&self) -> Access<'a, IO, {register.type_name}> {{\n"
        methods += "Access::new(self.io, self.base)\n}\n\n"
    for value, low, high in wide_pairs(registers):
        arguments = f"(self.{low.method}(), self.{high.method}())"
        summary = low.description.split(", low half")[0]
        belong = "" if low.mask("writable") else "; they belong together until the next snapshot"
        methods += rust_doc(f"{summary}: both halves, low one read first{belong}.")
        methods += f"pub fn {value.lower()}_u64(&self) -> u64 {{\nread_wide{arguments}\n}}\n\n"
        if low.mask("writable"):
            methods += rust_doc(f"{summary}: writes both halves, high one first. Bits that no field names are lost.")
            methods += f"pub fn write_{value.lower()}_u64(&self, value: u64) {{\n"
            methods += f"write_wide{arguments[:-1]}, value);\n}}\n\n"
    return f"/// {doc}\n#[derive(Debug)]\npub struct {name}<'a, IO: ?Sized> {{\nio: &'a IO,\nbase: u32,\n}}\n\n" + (
        f"impl<'a, IO: RegisterIo + ?Sized> {name}<'a, IO> {{\n"
        + f"pub(super) const fn new(io: &'a IO, base: u32) -> Self {{\nSelf {{ io, base }}\n}}\n\n{methods}}}\n\n"
    )


def rust_rows(device):
    """The rows of REGISTERS, in the order of their addresses."""

    def row(page, register):
        masks = ", ".join(f"{register.mask(kind):#_x}" for kind in ("writable", "clears", "pulse"))
        return f'row({page}, "{register.name}", {register.offset:#04x}, [{masks}], {register.reset:#_x}),\n'

    rows = "".join(row("Page::Device", register) for register in device.device.registers)
    for block in (device.lane, device.queue):
        for index in range(len(block.bases)):
            rows += "".join(row(f"Page::{block.name}({index})", register) for register in block.registers)
    return rows


def rust_api(device) -> str:
    enums = "".join(rust_enum(field) for r in device.registers for field in r.fields if field.encoding)
    lanes, queues = (", ".join(f"{base:#06x}" for base in block.bases) for block in (device.lane, device.queue))
    text = (
        f"// SPDX-License-Identifier: Apache-2.0 OR MIT\n// {SOURCE_NOTE}\n\n"
        + "use core::fmt;\n\nuse super::{Access, Modifiable, Page, Register, RegisterInfo, RegisterIo, "
        + "UnknownEncoding, Writable, bits, read_wide, row, write_wide};\n\n"
        + f"/// Number of queue pages.\npub const QUEUES: usize = {len(device.queue.bases)};\n\n"
        + "/// Number of lanes that the device page has registers for.\n"
        + f"pub const LANES: usize = {len(device.lane.bases)};\n\n"
        + "/// Offset of the device page in BAR 0.\n"
        + f"pub const DEVICE_PAGE: u32 = {device.device.bases[0]:#06x};\n\n"
        + "/// Offset of each lane's registers in BAR 0.\n"
        + f"pub const LANE_REGISTERS: [u32; LANES] = [{lanes}];\n\n"
        + f"/// Offset of each queue's page in BAR 0.\npub const QUEUE_PAGES: [u32; QUEUES] = [{queues}];\n\n"
        + "/// Every register of every page, in the order of their addresses.\n"
        + f"pub const REGISTERS: &[RegisterInfo] = &[\n{rust_rows(device)}];\n\n"
        + rust_page("DevicePage", device.device.registers, "The registers of the device itself.")
        + rust_page("LaneRegisters", device.lane.registers, "The registers of one lane.")
        + rust_page("QueuePage", device.queue.registers, "The registers of one queue.")
        + enums
        + "".join(rust_register(register) for register in device.registers)
    )
    command = ["rustfmt", "--edition", "2024", "--config-path", str(RDL.parents[2])]
    return subprocess.run(command, input=text, capture_output=True, check=True, text=True).stdout


# --- The page ---------------------------------------------------------------------------------------------------------


def table(registers):
    lines = ["| Offset | Register | Field | Bits | Access | Reset | Meaning |", "|---|---|---|---|---|---|---|"]
    for register in registers:
        lines.append(f"| {register.offset:#05x} | **{register.name}** | | | | | {register.description} |")
        for field in register.fields:
            meaning = field.description
            if field.encoding:
                meaning += " " + " ".join(f"{value} {name}: {text}" for name, value, text in field.encoding)
            reset = "" if field.driven else f"{field.reset:#x}"
            lines.append(f"| | | {field.name} | {field.bits} | {field.access} | {reset} | {meaning} |")
    return "\n".join(lines)


def register_page(device) -> str:
    lanes, queues = (", ".join(f"{base:#06x}" for base in block.bases) for block in (device.lane, device.queue))
    return f"""<!-- {SOURCE_NOTE} -->

# Registers

BAR 0 of the device, in pages of 4 KiB. All registers are 32 bits wide and little-endian. Reads have no side effects.
Bits that no field names read 0 and ignore writes. An access to an address without a register is answered with an AXI
SLVERR; a read then carries 0.

Access: `ro` read only, writes are ignored; `rw` read and write; `w1c` reads the state, writing 1 clears the bit, and an
event in the cycle of the clear is kept; `pulse` writing 1 starts something, reads 0. Fields without a reset value show
what the hardware says at the time.

64-bit values are a `_LO` and a `_HI` register. Those of counters hold the last snapshot (SNAPSHOT), so the halves
belong together; they read 0 from a reset to the first snapshot after it. A read that comes while a snapshot is being
taken waits for it: some 80 cycles.

## Device page, at {device.device.bases[0]:#06x}

{table(device.device.registers)}

## Lanes, at {lanes}

All counters; those of lanes that the device does not have read 0.

{table(device.lane.registers)}

## Queue pages, at {queues}

{table(device.queue.registers)}
"""


def main():
    if len(sys.argv) != 2:
        raise SystemExit("usage: generate.py OUTPUT_FOLDER")
    compiler = RDLCompiler()
    compiler.compile_file(str(RDL))
    top = compiler.elaborate().top
    device = read_device(top)
    for path, text in (
        (PACKAGE_PATH, rtl_package(device)),
        (TABLE_PATH, test_table(device)),
        (RUST_PATH, rust_api(device)),
        (PAGE_PATH, register_page(device)),
    ):
        target = Path(sys.argv[1], path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


if __name__ == "__main__":
    main()
