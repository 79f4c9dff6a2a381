"""Two structures, or two sets of them by name: how much they overlap, and how far their surfaces are apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from orthanc_stl.conversion.build import build_model
from orthanc_stl.conversion.choose import Skipped, choose
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.conversion.unions import portion
from orthanc_stl.errors import InvalidInput
from orthanc_stl.formats.glb import colored_glb
from orthanc_stl.formats.ply import colored_ply
from orthanc_stl.mesh.compare import compare
from orthanc_stl.mesh.distance import distances
from orthanc_stl.mesh.progress import Progress, no_progress
from orthanc_stl.mesh.solids.booleans import require_closed
from orthanc_stl.mesh.solids.overlaps import sentence_on_overlaps
from orthanc_stl.model import Model, Note, Part, Rank
from orthanc_stl.sources.base import ContourSource, OpenSource

COLD, MIDDLE, WARM = np.array([59, 76, 192]), np.array([221, 221, 221]), np.array([180, 4, 38])
"""Colors of A where it lies inside of B, on it, and outside (Moreland's diverging map)."""


class Side:
    """A or B of a comparison: a model, or what `request` chooses of a source, which is meshed when it has a partner.

    Raises InvalidInput if nothing of the source can be used.
    """

    def __init__(self, of: Model | OpenSource, request: ConversionRequest | None = None) -> None:
        self._of, self._request = of, request or ConversionRequest(all=True, separate=True)
        self._skipped: list[Skipped] = []
        if isinstance(of, Model):
            self._numbers, self.names = [part.number for part in of], [part.name for part in of]
        else:
            choice = choose(of.structures, self._request)
            self._skipped += choice.skipped
            self._numbers = [one.number for one in choice.structures]
            self.names = [one.name for one in choice.structures]

    def frame_of(self, place: int) -> str:
        """The frame of reference of one structure, empty if not known: those of an RT-STRUCT may lie in several."""
        if isinstance(self._of, ContourSource):
            return self._of.frame_of([self._numbers[place]])[0]
        return self._of.frame_of_reference_uid

    @property
    def skipped(self) -> list[dict[str, Any]]:
        """Number, name and reason of what could not be meshed."""
        return [one.as_json() for one in self._skipped]

    def parts(self, places: Sequence[int], progress: Progress = no_progress) -> dict[int, Part]:
        """Of each place in `names` its part; those that cannot be meshed are missing, unless it is a single one."""
        if isinstance(self._of, Model):
            return {place: self._of.parts[place] for place in places}
        numbers = tuple(self._numbers[place] for place in places)
        request = replace(self._request, all=False, exclude=(), structures=numbers, separate=True)
        result = build_model(self._of, request, progress)
        self._skipped += result.skipped
        return {self._numbers.index(part.number): part for part in result.model}


def compared(a: Side, b: Side, progress: Progress = no_progress) -> dict[str, Any]:
    """Pairs by name: exactly, else without regard to case and blanks, which is told; two single parts in any case.

    A frame of reference that is not known is told.

    `OnlyInA`, `OnlyInB`: names without a partner. `SkippedA`, `SkippedB`: what could not be meshed. Raises InvalidInput
    if the frames of reference are known and differ, or no name is common.
    """
    single = len(a.names) == len(b.names) == 1
    places = [(0, 0)] if single else namesakes(a.names, b.names)
    if not places:
        raise InvalidInput(f"no structure of A has a namesake in B; A has {_named(a.names)}, B has {_named(b.names)}")
    told = _frames(a, b, places)
    parts_a = a.parts([one for one, _ in places], portion(progress, 0, 0.4))
    parts_b = b.parts([other for _, other in places], portion(progress, 0.4, 0.7))
    pairs = [(parts_a[one], parts_b[other]) for one, other in places if one in parts_a and other in parts_b]
    rows = []
    for done, (one, other) in enumerate(pairs):
        progress(0.7 + 0.3 * done / len(pairs), "comparing")
        rows.append(_row(one, other))
    in_a, in_b = {one for one, _ in places}, {other for _, other in places}
    return {
        "Pairs": rows,
        "OnlyInA": [name for place, name in enumerate(a.names) if place not in in_a],
        "OnlyInB": [name for place, name in enumerate(b.names) if place not in in_b],
        "SkippedA": a.skipped,
        "SkippedB": b.skipped,
        "Warnings": [note.text for note in told]
        + [
            f'"{one.name}" of A was compared with "{other.name}" of B'
            for one, other in pairs
            if one.name != other.name and not single
        ],
    }


def namesakes(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """Which names of `a` and `b` go together, by their places, each once: those that are equal, then the others
    without regard to case and blanks. Signs count: "GTV+5" and "GTV-5" are different structures.

        >>> namesakes(["heart", "Lung L"], ["lungl", "Heart", "heart"])
        [(0, 2), (1, 0)]
    """
    found: dict[int, int] = {}
    for key in (str, _folded):
        left: dict[str, list[int]] = {}
        for place, name in enumerate(b):
            if place not in found.values():
                left.setdefault(key(name), []).append(place)
        for place, name in enumerate(a):
            if place not in found and left.get(key(name)):
                found[place] = left[key(name)].pop(0)
    return sorted(found.items())


def colored_by_distance(a: Part, b: Part, suffix: str = "ply", told: Sequence[Note] = ()) -> tuple[bytes, float]:
    """A PLY or GLB of `a`, colored by its distance to `b`: blue inside, red outside; and the mm at the scale's ends.

    The GLB has the distances, too, as the attribute `_DISTANCE` (mm) of its vertices. `told` is in the
    PLY as comments, in the GLB as `notes` among the extras of its node. Raises InvalidInput if `a` has no
    triangles, or if `b` is not closed or inside out, so that nothing lies inside of it.
    """
    if not len(a.mesh.triangles):
        raise InvalidInput("got a surface without triangles, expected one that can be colored")
    require_closed(b.mesh)
    far = distances(a.mesh, b.mesh)
    scale = float(np.abs(far).max()) or 1.0
    share = np.clip(far / scale, -1, 1)[:, None]
    colors = MIDDLE + np.where(share < 0, -share * (COLD - MIDDLE), share * (WARM - MIDDLE))
    colors = np.rint(colors).astype(np.uint8)
    if suffix == "glb":
        return colored_glb(a, colors, far, told), scale
    comments = [f"{a.name}, by its distance to {b.name}", f"scale {-scale:.4f} to {scale:.4f} mm"]
    comments += [f"warning: {note.text}" for note in told]
    return colored_ply(a.mesh, colors, comments), scale


def only_parts(a: Side, b: Side, progress: Progress = no_progress) -> tuple[Part, Part, list[Note]]:
    """The one structure of A, the one of B, and a note if a frame of reference is not known. Raises InvalidInput
    for several structures, and for different frames of reference."""
    if len(a.names) != 1 or len(b.names) != 1:
        raise InvalidInput("a file is made of two single structures: Structure names one of A and one of B")
    told = _frames(a, b, [(0, 0)])
    return a.parts([0], portion(progress, 0, 0.5))[0], b.parts([0], portion(progress, 0.5, 0.9))[0], told


def _frames(a: Side, b: Side, places: Sequence[tuple[int, int]]) -> list[Note]:
    """A note if a frame of reference is not known. Raises InvalidInput if both of a pair are and differ."""
    frames = [(a.frame_of(one), b.frame_of(other)) for one, other in places]
    if any(one and other and one != other for one, other in frames):
        raise InvalidInput("A and B lie in different frames of reference, so that their places cannot be compared")
    missing = [name for name, known in zip("AB", zip(*frames, strict=True), strict=True) if not all(known)]
    if not missing:
        return []
    none = f"{' and '.join(missing)} {'name' if len(missing) == 2 else 'names'} no frame of reference"
    return [Note(Rank.GUESSED, "", f"{none}: it was assumed that A and B lie in the same one")]


def _warnings_of(part: Part) -> list[str]:
    """Its warnings, and that its bodies lie in each other, which a stored model does not say of itself."""
    overlaps = sentence_on_overlaps(part.mesh)
    return list(dict.fromkeys([*part.warnings, *([overlaps] if overlaps else [])]))


def _row(a: Part, b: Part) -> dict[str, Any]:
    row: dict[str, Any] = {"A": a.name, "B": b.name, "NumberA": a.number, "NumberB": b.number}
    row |= {"WarningsA": _warnings_of(a), "WarningsB": _warnings_of(b)}
    try:
        found = compare(a.mesh, b.mesh)
    except InvalidInput as error:
        return row | {"Reason": str(error)}
    return row | {
        "Dice": round(found.dice, 5),
        "VolumeMlA": round(found.volume_a / 1000, 4),
        "VolumeMlB": round(found.volume_b / 1000, 4),
        "VolumeDifferenceMl": round(found.volume_difference / 1000, 4) + 0.0,
        "MeanSurfaceDistanceMm": round(found.mean_surface_distance, 4),
        "HausdorffMm": round(found.hausdorff, 4),
        "Hausdorff95Mm": round(found.hausdorff95, 4),
        "Reason": "",
    }


def _folded(name: str) -> str:
    return "".join(name.casefold().split())


def _named(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names[:20])
