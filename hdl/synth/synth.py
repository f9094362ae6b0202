# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Synthesis of the record engine; `cargo xtask synth` runs this with the pinned tools.

  check    proves the composite S-box, and compares area and depth of each module with ratchet.json
  accept   writes ratchet.json from what is
  route    places and routes the tops, and writes results.json and results.md
"""

import argparse
import datetime
import fcntl
import importlib.metadata
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import flow
from flow import ARTIX7, ECP5, ULTRASCALE, FlowError, Top

SBOX = "SboxStyle=sealgate_aes_pkg::SboxComposite"
MUL = "GfMulStyle=sealgate_gf128_pkg::MulXor"
STYLES = (SBOX, MUL)

# What the ratchet watches: nearly every module, by itself or in the one above it, where yosys needs seconds for it. The
# whole AES pipe and the whole ChaCha pipe are the same rounds once more, and the powers of Poly1305 its multiplier.
MODULES = (
    Top("sealgate_aes_sbox_composite"),
    Top("sealgate_aes_round_composite"),
    Top("sealgate_gf128_mul_xor"),
    Top("sealgate_ghash", (MUL,)),
    Top("sealgate_gcm_key_unit", STYLES),
    Top("sealgate_gcm_issue", ("Chains=8", "Pipelined=1")),
    Top("sealgate_gcm_tag", ("Depth=64", "Pipelined=1")),
    Top("sealgate_chacha_round"),
    Top("sealgate_chacha_ahead"),
    Top("sealgate_chacha_issue"),
    Top("sealgate_chacha_key_unit"),
    Top("sealgate_chacha_combine"),
    Top("sealgate_chacha_tag"),
    Top("sealgate_poly1305_mul"),
    Top("sealgate_poly1305_finish"),
    Top("sealgate_record_in", ("Pipelined=1",)),
    Top("sealgate_record_out", ("Pipelined=1",)),
    Top("sealgate_queues"),
    Top("sealgate_completer"),
    Top("sealgate_interrupts"),
    Top("sealgate_read_port"),
    Top("sealgate_write_port"),
    Top("sealgate_contexts", ("Pipelined=1",)),
    Top("sealgate_decode", ("Pipelined=1",)),
    Top("sealgate_dispatch"),
    Top("sealgate_csr"),
    Top("sealgate_counters"),
    Top("sealgate_supervisor"),
)


@dataclass(frozen=True)
class Goal:
    """What is placed and routed on a family."""

    family: flow.Family
    top: Top
    contexts: int = 1024

    @property
    def title(self) -> str:
        return f"{self.top.title} {self.family.name}"

    @property
    def configured(self) -> Top:
        parameters = (*STYLES, *self.top.parameters, f"NumContexts={self.contexts}")
        return Top(self.top.module, parameters, self.top.name)


CORE = Top("sealgate_gcm_core")
GCM_LANE = Top("sealgate_lane", ("Chacha=0",), "sealgate_lane:gcm")
LANE = Top("sealgate_lane")
ONE_LANE = ("LANES=1", "DATA_WIDTH=128")
GCM_DEVICE = Top("sealgate_top", (*ONE_LANE, "Chacha=0"), "sealgate_top:1x128:gcm")
DEVICE = Top("sealgate_top", ONE_LANE, "sealgate_top:1x128")
GOALS = (
    Goal(ARTIX7, CORE),
    Goal(ARTIX7, GCM_LANE),
    Goal(ARTIX7, LANE),
    Goal(ARTIX7, GCM_DEVICE),
    Goal(ARTIX7, DEVICE),
    Goal(ECP5, CORE),
    # Beside the record layer, the tables of 1,024 contexts are more block RAM than this device has.
    Goal(ECP5, GCM_LANE, 512),
    Goal(ECP5, LANE, 512),
    Goal(ECP5, GCM_DEVICE, 512),
    Goal(ECP5, DEVICE, 512),
    Goal(ULTRASCALE, GCM_LANE),
    Goal(ULTRASCALE, LANE),
)
# The clock that is asked for.
TARGET_MHZ = {ARTIX7.name: 250, ECP5.name: 200}

HERE = flow.HERE
RATCHET = HERE / "ratchet.json"
RESULTS = HERE / "results.json"
REPORT = HERE / "results.md"

# Mapping is repeatable, but a change of one module shifts choices in another: so much growth passes.
TOLERANCE_PERCENT = 3
TOLERANCE_CELLS = 8
TOLERANCE_DEPTH = 1
EXACT = ("rams", "dsps")


def measure() -> dict[str, dict[str, float]]:
    """The figures of every module that the ratchet watches."""
    figures = {}
    for top in MODULES:
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            figures[top.title] = asdict(flow.synthesise(top, ARTIX7, Path(folder), pins=False))
        shown = ", ".join(f"{value:g} {name}" for name, value in figures[top.title].items())
        print(f"{top.title}: {shown} ({time.monotonic() - start:.0f} s)", flush=True)
    return figures


def limit(name: str, accepted: float) -> float:
    """The highest value of a figure that passes."""
    if name in EXACT:
        return accepted
    if name == "depth":
        return accepted + TOLERANCE_DEPTH
    return accepted + max(accepted * TOLERANCE_PERCENT / 100, TOLERANCE_CELLS)


def compare(found: dict[str, dict[str, float]], accepted: dict[str, dict[str, float]]) -> list[str]:
    """What has grown, or is not in the ratchet, in words."""
    grown = []
    for module, figures in found.items():
        for name, value in figures.items():
            before = accepted.get(module, {}).get(name)
            if before is None:
                grown.append(f"{module}: no accepted value of {name}; now {value:g}")
            elif value > limit(name, before):
                grown.append(f"{module}: {name} grew from {before:g} to {value:g}")
    grown += [f"{module}: accepted, but no longer there" for module in accepted if module not in found]
    return grown


def prove_sbox() -> None:
    """Proves the composite S-box equal to the table, after showing that the proof finds one wrong bit."""
    source = HERE / "sealgate_sbox_proof.sv"
    for parameters, expected in ((("FaultAt=8'ha7", "FaultMask=8'h10"), False), ((), True)):
        with tempfile.TemporaryDirectory() as folder:
            holds = flow.prove("sealgate_sbox_proof", source, parameters, 5, Path(folder))
        if holds != expected:
            what = "differs from the table" if expected else "was proved equal to a spoiled table"
            raise FlowError(f"the composite S-box {what}")
    print("the composite S-box equals the table for every byte; a spoiled table is found")


def check() -> int:
    """The mode of CI."""
    prove_sbox()
    grown = compare(measure(), json.loads(RATCHET.read_text()))
    if not grown:
        print("no module has grown")
        return 0
    print("\n".join(grown), file=sys.stderr)
    print(
        f"More than {TOLERANCE_PERCENT} % and {TOLERANCE_CELLS} cells, {TOLERANCE_DEPTH} level of depth or any block "
        "RAM. If that is meant: cargo xtask synth --accept, and commit hdl/synth/ratchet.json with the reason.",
        file=sys.stderr,
    )
    return 1


def accept() -> int:
    """Writes the ratchet."""
    prove_sbox()
    RATCHET.write_text(json.dumps(measure(), indent=2) + "\n")
    print(f"{RATCHET.name} written")
    return 0


def route(goals: list[Goal], seed: int, xilinx: Path | None) -> int:
    """Places and routes, one after the other; each result is written when it is there."""
    for goal in goals:
        print(f"{goal.top.title} on {goal.family.name}: minutes to an hour", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            figures = flow.synthesise(goal.configured, goal.family, Path(folder), pins=True)
            routed, why = None, excess(figures, goal.family)
            if goal.family is ULTRASCALE:
                why = "an estimate: synthesis only"
            elif why is None:
                megahertz = TARGET_MHZ[goal.family.name]
                try:
                    routed = flow.route(goal.family, Path(folder), seed, megahertz, xilinx)
                except FlowError as error:
                    why = reason(str(error))
        keep(goal, seed, figures, routed, why)
        print(f"{goal.top.title} on {goal.family.name}: {outcome(routed, why)}", flush=True)
    return 0


def outcome(routed: flow.Routed | None, why: str | None) -> str:
    return f"{routed.megahertz:.0f} MHz" if routed else f"not routed: {why}"


def excess(figures: flow.Figures, family: flow.Family) -> str | None:
    """What the device has too little of, in words."""
    takes = (figures.luts, figures.registers, figures.rams, figures.dsps)
    kinds = ("look-up tables", "registers", "block RAMs", "DSP blocks")
    over = [
        f"{need:,g} {kind}, and the device has {there:,g}"
        for need, there, kind in zip(takes, family.has, kinds, strict=True)
        if need > there
    ]
    return "; ".join(over) or None


def reason(output: str) -> str:
    """The error that nextpnr ended with."""
    errors = [line for line in output.splitlines() if line.startswith("ERROR")]
    return errors[-1][:200] if errors else output.splitlines()[0]


def keep(
    goal: Goal, seed: int, figures: flow.Figures, routed: flow.Routed | None, why: str | None
) -> None:
    """Puts a result in the place of the one before, and writes the report."""
    folder = os.open(HERE, os.O_RDONLY)
    try:
        # Two may route at the same time.
        fcntl.flock(folder, fcntl.LOCK_EX)
        results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        results[goal.title] = {
            "top": goal.top.title,
            "contexts": goal.contexts,
            "family": goal.family.name,
            "device": goal.family.device,
            **asdict(figures),
            "megahertz": round(routed.megahertz, 1) if routed else None,
            "why": why,
            "path": routed.path if routed else [],
            "seed": seed,
            "yosys": importlib.metadata.version("pyosys"),
            "nextpnr": routed.version if routed else None,
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        }
        # What is no goal any more, and rows of an older form, go.
        form = results[goal.title].keys()
        results = {
            each.title: results[each.title]
            for each in GOALS
            if results.get(each.title, {}).keys() == form
        }
        RESULTS.write_text(json.dumps(results, indent=2) + "\n")
        REPORT.write_text(report(results))
    finally:
        os.close(folder)


def row(result: dict) -> str:
    """A line of the table."""
    r = result
    speed = f"{r['megahertz']:.0f}" if r["megahertz"] else "-"
    tools = f"yosys {r['yosys']}" + (f", nextpnr {r['nextpnr']}" if r["nextpnr"] else "")
    return (
        f"| `{r['top']}` | {r['contexts']:,} | {r['family']} {r['device']} | {r['luts']:,} | "
        f"{r['registers']:,} | {r['rams']:g} | {r['dsps']} | {r['depth']} | {speed} | {r['seed']} | {tools} | {r['date']} |"
    )


HEADER = (
    "| top | contexts | device | LUT | FF | BRAM | DSP | depth | Fmax, MHz | seed | tools | date |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
)


def report(results: dict[str, dict]) -> str:
    """The results as a page."""
    estimates = [r for r in results.values() if r["family"] == ULTRASCALE.name]
    rows = [r for r in results.values() if r["family"] != ULTRASCALE.name]
    stopped = [f"- `{r['top']}` on {r['family']}: {r['why']}." for r in rows if r["why"]]
    paths = [
        f"`{r['top']}` on {r['family']}:\n\n```text\n" + "\n".join(r["path"]) + "\n```\n"
        for r in rows
        if r["path"]
    ]
    return (
        "<!-- Written by cargo xtask synth. -->\n# Placed and routed\n\n"
        "Fmax is nextpnr's and was not validated against the vendors' tools. A top stands in a harness of shift\n"
        "registers, which is counted; block RAM is in units of 36 Kbit (AMD) and 18 Kbit (ECP5). A look-up table\n"
        "has six inputs on Artix-7 and UltraScale+ and four on ECP5; those used as memory are counted. Depth is the\n"
        "number of look-up tables in a row. `sealgate_top:1x128` is the whole device with one lane and a bus of\n"
        "128 bits; `:gcm` is without ChaCha20-Poly1305 (`Chacha=0`), which the device says in FEATURES.\n\n"
        + HEADER
        + "\n".join(map(row, rows))
        + ("\n\nNot routed:\n\n" + "\n".join(stopped) if stopped else "")
        + (
            "\n\n## Estimates before placement\n\n"
            "No open tool places and routes for UltraScale+: this is what synthesis alone tells, and no clock.\n\n"
            + HEADER
            + "\n".join(map(row, estimates))
            if estimates
            else ""
        )
        + "\n\n## Worst paths\n\n"
        + "\n".join(paths)
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="cargo xtask synth", description=__doc__.splitlines()[0])
    parser.add_argument("mode", choices=("check", "accept", "route"))
    names = list(dict.fromkeys(goal.top.title for goal in GOALS))
    named = {"artix7": ARTIX7, "ecp5": ECP5, "ultrascale+": ULTRASCALE}
    parser.add_argument("--top", action="append", choices=names, help="place and route this only")
    parser.add_argument("--family", action="append", choices=list(named))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--xilinx", type=Path, help="where nextpnr for Artix-7 was unpacked")
    arguments = parser.parse_args()
    if arguments.mode == "check":
        return check()
    if arguments.mode == "accept":
        return accept()
    families = [named[name] for name in arguments.family or named]
    if arguments.xilinx is None and ARTIX7 in families:
        families.remove(ARTIX7)
        print("Artix-7 is left out: its nextpnr is not there", file=sys.stderr)
    goals = [
        goal
        for goal in GOALS
        if goal.family in families and (arguments.top is None or goal.top.title in arguments.top)
    ]
    return route(goals, arguments.seed, arguments.xilinx)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FlowError as error:
        sys.exit(f"error: {error}")
