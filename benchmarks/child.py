"""One conversion in a process of its own, for its peak memory: prints the megabytes above idle."""

from __future__ import annotations

import sys

from benchmarks import inputs
from benchmarks.measure import forget_peak, resident_megabytes
from testing.original import original_stl, slices_of


def main(what: str, resolution: int) -> None:
    file = inputs.rt60()
    if what == "ours":
        inputs.stl_of(file.data, ["Ball"], 16)
    outlines, everything = inputs.outlines_of(file.data, "Ball")
    slices = slices_of(outlines, everything, file.spacing, resolution) if what == "original" else None
    forget_peak()
    idle = resident_megabytes("VmRSS")
    if slices is None:
        inputs.stl_of(file.data, ["Ball"], resolution)
    else:
        original_stl(slices, resolution, True)
    print(resident_megabytes("VmHWM") - idle)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
