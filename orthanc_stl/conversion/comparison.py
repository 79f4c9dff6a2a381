"""Two structures, or two sets of them by name: how much they overlap, and how far their surfaces are apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from orthanc_stl.errors import InvalidInput
from orthanc_stl.formats.ply import colored_ply
from orthanc_stl.mesh.compare import compare
from orthanc_stl.mesh.distance import distances
from orthanc_stl.model import Model, Part

COLD, MIDDLE, WARM = np.array([59, 76, 192]), np.array([221, 221, 221]), np.array([180, 4, 38])
"""Colors of A where it lies inside of B, on it, and outside (Moreland's diverging map)."""


def compare_models(a: Model, b: Model) -> dict[str, Any]:
    """Pairs by name: exactly, else without regard to case and blanks, which is told; two single parts in any case.

    `OnlyInA`, `OnlyInB`: names without a partner. Raises InvalidInput if the frames of reference are known and differ,
    or no name is common.
    """
    frames = {one.frame_of_reference_uid for one in (a, b)} - {""}
    if len(frames) > 1:
        raise InvalidInput("A and B lie in different frames of reference, so that their places cannot be compared")
    pairs, notes = _pairs(a, b)
    if not pairs:
        raise InvalidInput(f"no structure of A has a namesake in B; A has {_names(a)}, B has {_names(b)}")
    in_a, in_b = {id(one) for one, _ in pairs}, {id(other) for _, other in pairs}
    return {
        "Pairs": [_compared(one, other) for one, other in pairs],
        "OnlyInA": [part.name for part in a if id(part) not in in_a],
        "OnlyInB": [part.name for part in b if id(part) not in in_b],
        "Warnings": notes,
    }


def colored_by_distance(a: Part, b: Part) -> tuple[bytes, float]:
    """A PLY of `a`, colored by its distance to `b`: blue inside, red outside; and the mm at the ends of the scale."""
    far = distances(a.mesh, b.mesh)
    scale = float(np.abs(far).max()) or 1.0
    share = np.clip(far / scale, -1, 1)[:, None]
    colors = MIDDLE + np.where(share < 0, -share * (COLD - MIDDLE), share * (WARM - MIDDLE))
    comments = [f"{a.name}, by its distance to {b.name}", f"scale {-scale:.4f} to {scale:.4f} mm"]
    return colored_ply(a.mesh, np.rint(colors).astype(np.uint8), comments), scale


def _compared(a: Part, b: Part) -> dict[str, Any]:
    row: dict[str, Any] = {"A": a.name, "B": b.name, "NumberA": a.number, "NumberB": b.number}
    try:
        found = compare(a.mesh, b.mesh)
    except InvalidInput as error:
        return row | {"Reason": str(error)}
    return row | {
        "Dice": round(found.dice, 5),
        "VolumeMlA": round(found.volume_a / 1000, 4),
        "VolumeMlB": round(found.volume_b / 1000, 4),
        "VolumeDifferenceMl": round(found.volume_difference / 1000, 4),
        "MeanSurfaceDistanceMm": round(found.mean_surface_distance, 4),
        "HausdorffMm": round(found.hausdorff, 4),
        "Hausdorff95Mm": round(found.hausdorff95, 4),
        "Reason": "",
    }


def _pairs(a: Model, b: Model) -> tuple[list[tuple[Part, Part]], list[str]]:
    if len(a) == 1 and len(b) == 1:
        return [(a.parts[0], b.parts[0])], []
    pairs, notes = [], []
    left = {part.name: part for part in b}
    folded = {_folded(part.name): part for part in b}
    for part in a:
        other = left.get(part.name) or folded.get(_folded(part.name))
        if other is None:
            continue
        if other.name != part.name:
            notes.append(f'"{part.name}" of A was compared with "{other.name}" of B')
        pairs.append((part, other))
    return pairs, notes


def _folded(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())


def _names(parts: Iterable[Part]) -> str:
    return ", ".join(f'"{part.name}"' for part in list(parts)[:20])
