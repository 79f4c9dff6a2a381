"""Models made ready for printing or planning: what the options `Unite` to `Cut` do to a surface.

In this order, whatever that of the request: Unite, Subtract, Intersect; FillCavities, SmoothMm, Margin, Shell with its
Drain, Mirror, Label, Cut, Scale. Pieces are left out after the first three (clean.py), and triangles at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from orthanc_stl.conversion.operand import Operand
from orthanc_stl.conversion.preparation import AXES, MOST_HOLES, CutOptions, LabelOptions, ShellOptions, preparation_of
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.pieces import without_cavities
from orthanc_stl.mesh.progress import Progress, no_progress
from orthanc_stl.mesh.report import area_and_volume, report_of
from orthanc_stl.mesh.solids.booleans import intersected, subtracted, united
from orthanc_stl.mesh.solids.cut import Halves, Pegs, Plane, cut
from orthanc_stl.mesh.solids.label import labelled, place_on
from orthanc_stl.mesh.solids.margin import Margins, with_margin
from orthanc_stl.mesh.solids.shell import drained, lowest_of_hollows, shell
from orthanc_stl.mesh.solids.smooth import mirrored, scaled, without_short_waves
from orthanc_stl.mesh.types import Mesh, Note, Rank, Surface


@dataclass(frozen=True)
class RequestedChange(Note):
    """What was done because it was asked for: `Strict` does not refuse it."""


def combined(surface: Surface, unite: Operand | None, subtract: Operand | None, intersect: Operand | None) -> Surface:
    """`surface` with `unite`, without `subtract`, and of that what lies within `intersect`.

    Raises InvalidInput if one of them is not closed, or if nothing is left.
    """
    mesh, notes = surface.mesh, notes_on(unite, subtract, intersect)
    if unite is not None:
        mesh = united([mesh, unite.mesh])
    if subtract is not None:
        mesh = _left(subtracted(mesh, [subtract.mesh]), f"without {subtract.names}")
    if intersect is not None:
        mesh = _left(intersected([mesh, intersect.mesh]), f"within {intersect.names}")
    return _changed(surface, mesh, notes) if notes else surface


def notes_on(unite: Operand | None, subtract: Operand | None, intersect: Operand | None) -> list[Note]:
    """What is told of a surface that was combined with these."""
    told = (
        (unite, "united with {}"),
        (subtract, "{} taken away"),
        (intersect, "only what lies within {} kept"),
    )
    return [_asked(text.format(operand.names)) for operand, text in told if operand is not None]


def prepared(surface: Surface, request: ConversionRequest, progress: Progress = no_progress) -> list[Surface]:
    """The surface as the request wants it; several where it is cut.

    What was done is told in the notes. Raises InvalidInput with the reason for a surface that is not closed, if nothing
    is left, and for what has no room.
    """
    asked = preparation_of(request)
    mesh, notes = surface.mesh, []
    if request.fill_cavities:
        kept = without_cavities(mesh)
        mesh = kept.mesh
        if kept.removed:
            added = area_and_volume(kept.mesh)[1] - surface.report.volume
            notes.append(_asked(f"{_count(len(kept.removed), 'cavity', 'cavities')} of {_ml(added)} filled"))
    if request.smooth_mm:
        progress(0.1, "smoothing")
        mesh = without_short_waves(mesh, request.smooth_mm)
        notes.append(_asked(f"smoothed: what is shorter than {request.smooth_mm:g} mm is gone, the volume stays"))
    if asked.margin is not None and any(asked.margin):
        progress(0.2, "adding the margin")
        grown = with_margin(mesh, Margins(*asked.margin))
        notes.append(_asked(_margin_text(asked.margin, grown.voxel)))
        mesh = _left(grown.mesh, "with this margin")
    if asked.shell is not None:
        progress(0.4, "making it hollow")
        mesh, found = _hollow(mesh, asked.shell)
        notes += found
    if asked.mirror is not None:
        mesh = mirrored(mesh, asked.mirror, request.mirror_at)
        notes.append(_asked(f"mirrored along {AXES[asked.mirror]}: this is not the patient's own side"))
    if asked.label is not None:
        progress(0.7, "writing the text")
        mesh = _labelled(mesh, asked.label)
        how = "raised on" if asked.label.raised else "engraved in"
        notes.append(_asked(f"the text {asked.label.text!r} is {how} it"))
    parts = [mesh]
    if asked.cuts:
        progress(0.8, "cutting")
        parts, without = _cut(mesh, asked.cuts)
        notes.append(_asked(f"cut by {_count(len(asked.cuts), 'plane', 'planes')}{_kept(asked.cuts, len(parts))}"))
        if without:
            notes.append(_missing(f"{_count(without, 'peg', 'pegs')} left out, for want of room"))
    if request.scale != 1:
        parts = [scaled(part, request.scale) for part in parts]
        notes.append(
            _asked(f"{request.scale:g} times the patient's size, from the origin of the patient's coordinates")
        )
    return [_changed(surface, part, notes, request.scale) for part in parts] if notes else [surface]


def _hollow(mesh: Mesh, asked: ShellOptions) -> tuple[Mesh, list[Note]]:
    found = shell(mesh, asked.wall, outwards=asked.outwards)
    if not found.hollow:
        raise InvalidInput(f"no place is thick enough to be hollow: the wall is to have {asked.wall:g} mm on each side")
    where = "around it" if asked.outwards else "within it"
    text = f"hollow: a wall of {asked.wall:g} mm {where}, {_ml(found.hollow)} of hollow; {_rounded(found.voxel)}"
    notes = [_asked(text)]
    if not asked.diameter:
        return found.mesh, notes
    points: Sequence[Sequence[float]] = (
        lowest_of_hollows(found.mesh, MOST_HOLES).tolist() if asked.holes is None else asked.holes
    )
    open_body = drained(found.mesh, points, asked.diameter, asked.wall)
    if not open_body.opened:
        raise InvalidInput("the holes of Drain reach no hollow: where they are, the body is solid or the wall thicker")
    notes.append(_asked(f"{_count(len(points), 'hole', 'holes')} of {asked.diameter:g} mm to drain"))
    if open_body.blind:
        notes.append(_missing(f"holes to drain that reach no hollow: {open_body.blind} of {len(points)}"))
    if open_body.closed:
        hollows = open_body.closed + open_body.opened
        notes.append(_missing(f"hollows that no hole drains: {open_body.closed} of {hollows}"))
    return open_body.mesh, notes


def _labelled(mesh: Mesh, asked: LabelOptions) -> Mesh:
    at = place_on(mesh, asked.at) if isinstance(asked.at, str) else asked.at
    return labelled(mesh, asked.text, at, asked.height, asked.depth, raised=asked.raised)


def _cut(mesh: Mesh, cuts: Sequence[CutOptions]) -> tuple[list[Mesh], int]:
    """The parts, and how many pegs have no room; a plane that misses one leaves it whole."""
    parts, without = [mesh], 0
    for one in cuts:
        pegs = Pegs(one.pegs.diameter, one.pegs.length, one.pegs.clearance, one.pegs.count) if one.pegs else None
        halves = [cut(part, Plane(one.point, one.normal), pegs) for part in parts]
        divided = [half for half in halves if len(half.front.triangles) and len(half.back.triangles)]
        if not divided:
            raise InvalidInput("Cut misses the model: no plane divides it")
        without += sum(pegs.count - len(half.pegs) for half in divided) if pegs else 0
        kept = [part for half in halves for part in KEPT[one.keep](half)]
        parts = [part for part in kept if len(part.triangles)]
    return parts, without


KEPT: Mapping[str, Callable[[Halves], tuple[Mesh, ...]]] = {
    "both": lambda half: (half.front, half.back),
    "front": lambda half: (half.front,),
    "back": lambda half: (half.back,),
}


def _kept(cuts: Sequence[CutOptions], count: int) -> str:
    """What is left of the halves."""
    if all(one.keep == "both" for one in cuts):
        return f" into {count} parts"
    return f": {_count(count, 'part was', 'parts were')} kept, the rest is gone"


_TOWARDS = ("right", "left", "front", "back", "feet", "head")
"""The patient's, in the order of SIDES."""


def _margin_text(margin: Sequence[float], voxel: float | None) -> str:
    if len(set(margin)) == 1:
        done = f"{'grown' if margin[0] > 0 else 'shrunk'} by {abs(margin[0]):g} mm"
        return f"{done}, {_rounded(voxel)}" if voxel else f"{done}, within 0.1 mm"
    sides = list(zip(_TOWARDS, margin, strict=True))
    grown = ", ".join(f"{value:g} mm to the {side}" for side, value in sides if value > 0)
    shrunk = ", ".join(f"{-value:g} mm from the {side}" for side, value in sides if value < 0)
    told = ", then ".join([f"grown by {grown}"] * bool(grown) + [f"shrunk by {shrunk}"] * bool(shrunk))
    if voxel is None:
        return f"{told}; it is exact to 0.1 mm"
    return (
        f"{told}; it was worked out in voxels of {voxel:.2g} mm: sharp edges may be "
        "rounded by up to one, and what is thinner than one may lose some of its volume"
    )


def _rounded(voxel: float) -> str:
    return (
        f"worked out in voxels of {voxel:.2g} mm: sharp edges may be rounded by up to half of one, tips by up to two, "
        "and what is smaller than one is left out"
    )


def _changed(surface: Surface, mesh: Mesh, notes: Sequence[Note], scale: float = 1.0) -> Surface:
    """With the figures of `mesh`. The volume of the contours is none to compare with any more."""
    old = surface.report
    voxel = None
    if old.voxel is not None:
        x, y, z = old.voxel
        voxel = x * scale, y * scale, z * scale
    report = report_of(mesh, voxel, (*old.notes, *notes))
    return Surface(mesh, replace(report, distance=None if old.distance is None else old.distance * scale))


def _left(mesh: Mesh, what: str) -> Mesh:
    require_left(bool(len(mesh.triangles)) and bool(np.isfinite(mesh.vertices).all()), what)
    return mesh


def require_left(left: bool, what: str) -> None:
    """Raises InvalidInput if nothing is `left` after `what` was done."""
    if not left:
        raise InvalidInput(f"nothing is left {what}")


def _asked(text: str) -> Note:
    return RequestedChange(Rank.CHANGED_SHAPE, "", text)


def _missing(text: str) -> Note:
    return Note(Rank.LEFT_OUT, "", text)


def _count(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def _ml(volume: float) -> str:
    return f"{volume / 1000:.3g} mL"
