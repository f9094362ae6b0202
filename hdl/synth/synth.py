# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Synthesis of the record engine; `cargo xtask synth` runs this with the pinned tools.

  check    proves the composite S-box, and compares area and depth of each module with ratchet.json
  accept   writes ratchet.json from what is
  route    places and routes the tops, and writes results.json and results.md
"""

import argparse
import datetime
import importlib.metadata
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import flow
from flow import ARTIX7, ECP5, FlowError, Top

SBOX = "SboxStyle=sealgate_aes_pkg::SboxComposite"
MUL = "GfMulStyle=sealgate_gf128_pkg::MulXor"
STYLES = (SBOX, MUL)

# What the ratchet watches: the modules that the AES-GCM core consists of, which take a minute and a half, where the
# core as a whole would take two more.
MODULES = (
    Top("sealgate_aes_sbox_composite"),
    Top("sealgate_aes_round_composite"),
    Top("sealgate_gf128_mul_xor"),
    Top("sealgate_ghash", (MUL,)),
    Top("sealgate_gcm_key_unit", STYLES),
    Top("sealgate_gcm_issue", ("Chains=8",)),
    Top("sealgate_gcm_tag", ("Depth=64", "Pipelined=1")),
)

# What is placed and routed, and the clock that is asked for, by family.
TOPS = (Top("sealgate_gcm_core", STYLES),)
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


def route(families: list[flow.Family], tops: list[Top], seed: int, xilinx: Path | None) -> int:
    """Places and routes, one after the other; each result is written when it is there."""
    for top in tops:
        for family in families:
            print(f"{top.title} on {family.name}: some 10 to 30 minutes", flush=True)
            with tempfile.TemporaryDirectory() as folder:
                figures = flow.synthesise(top, family, Path(folder), pins=True)
                routed = flow.route(family, Path(folder), seed, TARGET_MHZ[family.name], xilinx)
            keep(top, family, seed, figures, routed)
            print(f"{top.title} on {family.name}: {routed.megahertz:.0f} MHz", flush=True)
    return 0


def keep(top: Top, family: flow.Family, seed: int, figures: flow.Figures, routed: flow.Routed) -> None:
    """Puts a result in the place of the one before, and writes the report."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results[f"{top.title} {family.name}"] = {
        "top": top.title,
        "family": family.name,
        "device": family.device,
        **asdict(figures),
        "megahertz": round(routed.megahertz, 1),
        "path": routed.path,
        "seed": seed,
        "yosys": importlib.metadata.version("pyosys"),
        "nextpnr": routed.version,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    REPORT.write_text(report(results))


def report(results: dict[str, dict]) -> str:
    """The results as a page."""
    rows = [
        f"| `{r['top']}` | {r['family']} {r['device']} | {r['luts']:,} | {r['registers']:,} | {r['rams']:g} | "
        f"{r['dsps']} | {r['megahertz']:.0f} | {r['seed']} | yosys {r['yosys']}, nextpnr {r['nextpnr']} | {r['date']} |"
        for r in results.values()
    ]
    paths = [
        f"`{r['top']}` on {r['family']}:\n\n```text\n" + "\n".join(r["path"]) + "\n```\n"
        for r in results.values()
    ]
    return (
        "<!-- Written by cargo xtask synth. -->\n# Placed and routed\n\n"
        "Fmax is nextpnr's and was not validated against the vendors' tools. A top stands in a harness of shift\n"
        "registers, which is counted; block RAM is in units of 36 Kbit (Artix-7) and 18 Kbit (ECP5). A look-up table\n"
        "has six inputs on Artix-7 and four on ECP5; those used as memory are counted.\n\n"
        "| top | device | LUT | FF | BRAM | DSP | Fmax, MHz | seed | tools | date |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        + "\n".join(rows)
        + "\n\n## Worst paths\n\n"
        + "\n".join(paths)
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="cargo xtask synth", description=__doc__.splitlines()[0])
    parser.add_argument("mode", choices=("check", "accept", "route"))
    names = [top.title for top in TOPS]
    parser.add_argument("--top", action="append", choices=names, help="place and route this only")
    parser.add_argument("--family", action="append", choices=("artix7", "ecp5"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--xilinx", type=Path, help="where nextpnr for Artix-7 was unpacked")
    arguments = parser.parse_args()
    if arguments.mode == "check":
        return check()
    if arguments.mode == "accept":
        return accept()
    named = {"artix7": ARTIX7, "ecp5": ECP5}
    families = [named[name] for name in arguments.family or named]
    if arguments.xilinx is None and ARTIX7 in families:
        families.remove(ARTIX7)
        print("Artix-7 is left out: its nextpnr is not there", file=sys.stderr)
    tops = [top for top in TOPS if arguments.top is None or top.title in arguments.top]
    return route(families, tops, arguments.seed, arguments.xilinx)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FlowError as error:
        sys.exit(f"error: {error}")
