"""Operations for the printer on a ball of radius 60 mm, of 113,064 triangles, each within 3 s."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

import orthanc_stl
from benchmarks.measure import seconds
from benchmarks.rows import Row
from orthanc_stl.mesh.decimation import decimated
from orthanc_stl.mesh.solids.booleans import intersected, subtracted, united
from orthanc_stl.mesh.solids.cut import Pegs, Plane, cut
from orthanc_stl.mesh.solids.label import labelled
from orthanc_stl.mesh.solids.margin import Margins, with_margin
from orthanc_stl.mesh.solids.print_check import print_check
from orthanc_stl.mesh.solids.shell import drained, shell
from orthanc_stl.mesh.solids.smooth import without_short_waves
from orthanc_stl.mesh.types import Mesh
from testing import phantoms

SECONDS = 3.0


def printer() -> Iterator[Row]:
    file = phantoms.structure_set([phantoms.ball("Ball", 60, (0, 0, 0), 2.0)])
    ball = orthanc_stl.read(file).mesh(1, resolution=160, tolerance=0).parts[0].mesh
    for name, operation in operations(ball).items():
        (time,) = seconds(operation, runs=2)
        yield Row(f"{name}, {len(ball.triangles):,} triangles", None, time, "s", f"{SECONDS:g} s", time <= SECONDS)


def operations(ball: Mesh) -> dict[str, Callable[[], object]]:
    other = Mesh(ball.vertices + np.array([40, 3, 1], np.float32), ball.triangles)
    return {
        "Unite": lambda: united([ball, other]),
        "Subtract": lambda: subtracted(ball, [other]),
        "Intersect": lambda: intersected([ball, other]),
        "Cut with two pegs": lambda: cut(ball, Plane((0, 0, 0), (1, 2, 3)), Pegs(6, 8)),
        "Shell of 2 mm": lambda: shell(ball, 2),
        "Shell of 2 mm with a drain": lambda: drained(shell(ball, 2).mesh, [(0, 0, -60)], 5, 2),
        "Margin of 5 mm": lambda: with_margin(ball, 5),
        "Margin of -5 mm": lambda: with_margin(ball, -5),
        "Margins of 5, 7, 5, 6, 8 and 3 mm": lambda: with_margin(ball, Margins(5, 7, 5, 6, 8, 3)),
        "Margins of 10 beside 1 mm": lambda: with_margin(ball, Margins(10, 1, 10, 1, 10, 1)),
        "Margin of 5 mm to the left only": lambda: with_margin(ball, Margins(x_plus=5)),
        "SmoothMm 4": lambda: without_short_waves(ball, 4),
        "Label of 10 mm": lambda: labelled(ball, "Left", (0, -60, 0), 10, 1),
        "Tolerance 0.1": lambda: decimated(ball, tolerance=0.1),
        "Triangles 20,000": lambda: decimated(ball, triangles=20_000),
        "Print check": lambda: print_check(ball),
    }
