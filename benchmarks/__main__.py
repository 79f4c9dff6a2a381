"""`./orthanc-stl bench [--json FILE] [--only speed,memory,...]`: measures, and prints a table."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path

from benchmarks import rows
from benchmarks.formats import formats
from benchmarks.load import load
from benchmarks.nexus import nexus
from benchmarks.nifti import nifti
from benchmarks.printer import printer
from benchmarks.rows import Row
from benchmarks.segments import segments
from benchmarks.sets import sets

ALL = {
    **rows.ALL, "nifti": nifti, "formats": formats, "nexus": nexus, "printer": printer, "sets": sets,
    "segments": segments, "load": load}  # fmt: skip

HEADINGS = ("what", "the original", "ours", "ratio", "to reach", "met")
WIDTHS = (64, 14, 14, 8, 16, 4)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="orthanc-stl bench", description="Ours against the original's own steps.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--only", metavar="NAMES", help=f"some of {','.join(ALL)}")
    options = parser.parse_args(arguments)
    chosen = options.only.split(",") if options.only else list(ALL)
    if unknown := [name for name in chosen if name not in ALL]:
        parser.error(f"--only takes some of {','.join(ALL)}, not {','.join(unknown)}")
    print(line(HEADINGS), line(["-" * width for width in WIDTHS]), sep="\n", flush=True)
    found: list[Row] = []
    for name in chosen:
        for row in ALL[name]():
            found.append(row)
            print(line(cells(row)), flush=True)
    if options.json:
        machine = {"machine": platform.machine(), "processors": os.cpu_count(), "python": platform.python_version()}
        options.json.write_text(json.dumps({"on": machine, "rows": [row.as_json() for row in found]}, indent=1))
    load = os.getloadavg()[0]
    if load > 1.5 * (os.cpu_count() or 1):
        print(f"\nThe machine is busy (load {load:.1f} on {os.cpu_count()} processors): trust the processor times.")
    missed = [row.what for row in found if row.met is False]
    print(
        f"\n{len(missed)} of {sum(row.met is not None for row in found)} figures to reach were missed",
        *missed,
        sep="\n  ",
    )
    return 1 if missed else 0


def cells(row: Row) -> list[str]:
    theirs = "" if row.original is None else f"{number(row.original)} {row.unit}"
    ratio = f"1/{row.original / row.ours:.1f}" if row.original and row.ours > 0 else ""
    met = {None: "", True: "yes", False: "NO"}[row.met]
    return [row.what, theirs, f"{number(row.ours)} {row.unit}", ratio, row.to_reach, met]


def number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3f}"


def line(texts: list[str] | tuple[str, ...]) -> str:
    return " ".join(text.ljust(width) for text, width in zip(texts, WIDTHS, strict=True)).rstrip()


if __name__ == "__main__":
    sys.exit(main())
