"""The print check of models, as the routes and the command line answer it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from orthanc_stl.formats.ply import colored_ply
from orthanc_stl.mesh.solids.print_check import STEEP, PrintCheck, print_check
from orthanc_stl.mesh.triangles import together
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Model, Part

THIN, HANGING, SOUND = (208, 32, 32), (255, 160, 0), (205, 210, 215)
"""Colors of walls that are too thin, of what hangs over, and of the rest."""


def check_parts(
    model: Model, *, wall: float, bed: Sequence[float] | None = None, hollow: float | None = None
) -> list[PrintCheck]:
    """Of each part. Raises InvalidInput for one without triangles and for sizes of 0 or less."""
    return [print_check(part.mesh, wall=wall, bed=bed, shell=hollow) for part in model]


def colored_by_check(model: Model, checks: Sequence[PrintCheck], wall: float) -> bytes:
    """A PLY of all parts, whose triangles have the colors THIN, HANGING and SOUND."""
    mesh = together([part.mesh for part in model])
    thin = np.concatenate([check.thickness < wall for check in checks])
    hanging = np.concatenate([check.overhangs for check in checks])
    kinds = np.where(thin, 0, np.where(hanging, 1, 2))
    # A vertex at the edge of a color is there once for each color.
    split, ends = np.unique(mesh.triangles * 3 + kinds[:, None], return_inverse=True)
    colors = np.array((THIN, HANGING, SOUND), np.uint8)[split % 3]
    colored = Mesh(mesh.vertices[split // 3], ends.reshape(-1, 3).astype(np.int32))
    return colored_ply(colored, colors, [f"walls thinner than {wall:g} mm red, what hangs over orange"])


def print_checks(
    model: Model,
    *,
    wall: float,
    bed: Sequence[float] | None = None,
    hollow: float | None = None,
    checks: Sequence[PrintCheck] | None = None,
) -> dict[str, Any]:
    """What to know of each part before it is printed. `wall`, `bed` (x, y, height) and `hollow` (a shell's wall) in mm;
    `checks`: what check_parts gave for the same sizes, if it is known.

    Lengths in mm, areas in mm², volumes in mL, as the names say; points in LPS mm. `Problems` are sentences; none: it
    can be printed as it is. Raises InvalidInput for a part without triangles and for sizes of 0 or less.
    """
    found = check_parts(model, wall=wall, bed=bed, hollow=hollow) if checks is None else checks
    parts = [_part(part, check, wall, bed) for part, check in zip(model, found, strict=True)]
    told = {"WallMm": wall, "BedMm": list(bed) if bed else None, "HollowMm": hollow, "OverhangDegrees": STEEP}
    return {"Units": {"Length": "mm", "Area": "mm²", "Volume": "mL", "Points": "LPS mm"}} | told | {"Parts": parts}


def _part(part: Part, found: PrintCheck, wall: float, bed: Sequence[float] | None) -> dict[str, Any]:
    return {
        "Number": part.number,
        "Name": part.name,
        "Problems": _problems(found, wall, bed),
        "Closed": found.closed,
        "Pieces": found.pieces,
        "Cavities": found.cavities,
        "SmallestPieceMl": round(found.smallest_piece / 1000, 4),
        "Crossings": found.crossings,
        "SmallestWallMm": None if found.smallest_wall is None else round(found.smallest_wall, 3),
        "ThinAreaMm2": round(found.thin_area, 2),
        "ThinPlaces": [
            {
                "Middle": [round(value, 2) for value in place.middle],
                "AreaMm2": round(place.area, 2),
                "ThicknessMm": round(place.thickness, 3),
            }
            for place in found.thin_places
        ],
        "OverhangAreaMm2": round(found.overhang_area, 2),
        "SizeMm": [round(value, 2) for value in found.size],
        "FitsBed": found.fits,
        "SolidMl": round(found.solid_volume / 1000, 4),
        "HollowMl": None if found.shell_volume is None else round(found.shell_volume / 1000, 4),
    }


def _problems(found: PrintCheck, wall: float, bed: Sequence[float] | None) -> list[str]:
    size = " x ".join(f"{value:.1f}" for value in found.size)
    cavities = "a cavity" if found.cavities == 1 else f"{found.cavities} cavities"
    crossings = "a pair of triangles passes" if found.crossings == 1 else f"{found.crossings} pairs of triangles pass"
    told = {
        "the surface is not closed: slicers guess what is inside": not found.closed,
        f"it has {found.pieces} pieces, which are printed apart": found.pieces > 1,
        f"it has {cavities} without a way out, in which resin or powder stays": found.cavities > 0,
        f"{crossings} through each other": found.crossings > 0,
        f"walls thinner than {wall:g} mm have {found.thin_area:.1f} mm² of surface": found.thin_area > 0,
        f"its {size} mm are larger than the bed": bed is not None and not found.fits,
    }
    return [sentence for sentence, holds in told.items() if holds]
