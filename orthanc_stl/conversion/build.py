"""From an open source to a model: structures are chosen, meshed, cleaned up and made small.

Every way in calls these: a worker, the cluster, the command line and a notebook.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from orthanc_stl.conversion.choose import Choice, Skipped, choice_for
from orthanc_stl.conversion.clean import made_small, without_pieces
from orthanc_stl.conversion.in_voxels import combined_region, notes_on_volume
from orthanc_stl.conversion.left_out import still_in
from orthanc_stl.conversion.operands import Operands, operands_of
from orthanc_stl.conversion.preparation import changes_shape, preparation_of
from orthanc_stl.conversion.prepare import RequestedChange, combined, notes_on, prepared
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.conversion.result import ConversionResult
from orthanc_stl.conversion.unions import found_of, meshed, portion
from orthanc_stl.dicom.text import described
from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.progress import Progress, no_progress
from orthanc_stl.mesh.types import MinorNote, Note, Surface, ranked
from orthanc_stl.model import Color, Model, Part, Structure, palette
from orthanc_stl.sources.base import ContourSource, OpenSource
from orthanc_stl.sources.clean_region import told_once

# The part of a conversion's time that goes into the mesh; making it small is the rest. Measured.
MESHED = 0.85

PALEST = 0.5
"""How far the color of the last half goes towards white."""

OUTLINE_OPACITY = 0.15
OUTLINES = ("EXTERNAL", "BODY")
"""Kinds (and names) of structures that hold all others: they would hide them."""


def build_model(
    source: OpenSource,
    request: ConversionRequest,
    progress: Progress = no_progress,
    *,
    others: Mapping[str, OpenSource] | None = None,
) -> ConversionResult:
    """The model of what `request` chooses: one part for each structure with `separate`, else one of their union; more
    where `cut` divides them.

    `others`: the sources that its `Unite`, `Subtract` and `Intersect` name, by their `Instance`.

    A structure that cannot be meshed is skipped, with its reason, unless it is the only one or `strict` is asked for:
    then it raises InvalidInput.
    """
    preparation_of(request)
    choice = choice_for(source, request)
    numbers = [structure.number for structure in choice.structures]
    operands = operands_of(source, numbers, others or {}, request)
    if request.separate:
        parts, skipped = _separate(source, choice, request, operands, progress)
    else:
        parts = union_parts(source, choice.structures, request, operands, progress)
        skipped = ()
    model = Model(parts, source.title, source.frame_of_reference_uid, parameters(request, source))
    if request.strict:
        _refuse([*choice.notes, *operands.notes, *(note for part in parts for note in part.notes)])
    return ConversionResult(model, (*choice.skipped, *skipped), choice.notes)


def _separate(
    source: OpenSource, choice: Choice, request: ConversionRequest, operands: Operands, progress: Progress
) -> tuple[tuple[Part, ...], tuple[Skipped, ...]]:
    parts: list[Part] = []
    skipped: list[Skipped] = []
    count = len(choice.structures)
    for done, structure in enumerate(choice.structures):
        step = portion(progress, done / count, (done + 1) / count)
        try:
            parts += union_parts(source, [structure], request, operands, step)
        except InvalidInput as error:
            if request.strict or count == 1:
                raise
            skipped.append(Skipped(structure.number, structure.name, str(error)))
    if not parts:
        raise InvalidInput("; ".join(f'"{one.name}": {one.reason}' for one in skipped))
    return tuple(parts), tuple(skipped)


def union_parts(
    source: OpenSource,
    structures: Sequence[Structure],
    request: ConversionRequest,
    operands: Operands,
    progress: Progress = no_progress,
) -> tuple[Part, ...]:
    """One part of all these structures together, or those that it is cut into.

    Raises InvalidInput, with the reason, if no surface can be made.
    """
    found, changes = found_of(source, structures, request), (operands.unite, operands.subtract, operands.intersect)
    notes = found.notes
    if request.strict:
        _refuse(notes)
    (region, fine), step = combined_region(found.shapes, *changes, request), portion(progress, 0, MESHED)
    if region is None or not fine:
        surface = combined(meshed(found, request, step), *changes)
        more = notes_on_volume(region, surface.report.volume) if region else []
    else:
        surface = meshed(replace(found, shapes=[region]), request, step)
        more = notes_on(*changes)
    surface = replace(surface, report=replace(surface.report, notes=ranked([*surface.report.notes, *more])))
    whole, surface = surface, without_pieces(surface, request)
    if surface is not whole:
        structures, missing = still_in(surface, structures, found.shapes)
        notes = [*notes, *missing]
    rest = portion(progress, MESHED, 1)
    pieces = prepared(surface, request, portion(rest, 0, 0.5))
    small = [made_small(piece, request, portion(rest, 0.5, 1)) for piece in pieces]
    notes = [*notes, *operands.notes]
    return tuple(_part(structures, piece, notes, request, place, len(small)) for place, piece in enumerate(small, 1))


def _part(
    structures: Sequence[Structure],
    surface: Surface,
    notes: Sequence[Note],
    request: ConversionRequest,
    place: int,
    count: int,
) -> Part:
    """That at `place` (from 1) of the `count` that the structures were cut into."""
    first = structures[0]
    alone = len(structures) == 1
    given = "" if alone and request.separate else request.name
    name = given or (first.name if alone else described("", [one.name for one in structures]))
    kind = first.kind if alone else ""
    color = _color(structures, request)
    if place > 1:
        color = _shade(color or palette(first.number), place, count)
    which = f", part {place} of {count}" if count > 1 else ", cut" if request.cut else ""
    which = (f" ({request.scale:g}:1)" if request.scale != 1 else "") + which
    which = (" (mirrored)" if request.mirror else "") + which
    return Part(
        number=first.number,
        name=name + which,
        mesh=surface.mesh,
        report=surface.report,
        color=color,
        opacity=_opacity(first, alone) if request.opacity is None else request.opacity,
        kind=kind,
        category=first.category if alone else None,
        anatomy=first.anatomy if alone and not request.mirror else None,  # whose code may name the other side
        notes=ranked(told_once([*notes, *surface.report.notes])),
        structures=tuple(one.number for one in structures),
        names=tuple(one.name + which for one in structures),
        given_name=given and given + which,
        modified=changes_shape(request) or _any_says(structures, "ModelModification"),
        mirrored=bool(request.mirror) != _any_says(structures, "ModelMirroring"),  # twice is its own side
    )


def _any_says(structures: Sequence[Structure], keyword: str) -> bool:
    """Whether one of them is of a stored model that says so of itself."""
    return any(one.facts.get(keyword, False) for one in structures)


def _opacity(structure: Structure, alone: bool) -> float:
    if alone and "Opacity" in structure.facts:
        return float(structure.facts["Opacity"])
    outline = structure.kind.upper() in OUTLINES or structure.name.strip().upper() in OUTLINES
    return OUTLINE_OPACITY if alone and outline else 1.0


def _color(structures: Sequence[Structure], request: ConversionRequest) -> Color | None:
    """None for several of different colors: that of one of them would pass the whole off as that one."""
    if request.color and len(structures) > 1:
        return request.color
    colors = [
        request.colors.get(str(one.number)) or request.colors.get(one.name) or request.color or one.color
        for one in structures
    ]
    different = {_rgb(color) if color else None for color in colors}
    return different.pop() if len(different) == 1 else None


def _shade(color: Color, place: int, count: int) -> Color:
    """Of one that several were cut into, so that they can be told apart where they touch: the last is the palest."""
    share = PALEST * (place - 1) / (count - 1)
    return _rgb([round(value + (255 - value) * share) for value in color])


def _rgb(values: Sequence[int]) -> Color:
    red, green, blue = values
    return red, green, blue


def parameters(request: ConversionRequest, source: OpenSource) -> dict[str, str]:
    """What the object says of its making, under the names of the request's fields."""
    told: dict[str, Any] = {"Resolution": request.resolution, "Smooth": request.smooth}
    if isinstance(source, ContourSource):
        told["EndCaps"] = request.end_caps
    told |= {key: value for key, value in request.as_json().items() if key in _TOLD}
    told |= dict(request.fields)
    return {key: json.dumps(value) for key, value in told.items()}


_TOLD = (
    *("Tolerance", "Triangles", "KeepLargest", "MinVolumeMl", "Unite", "Subtract", "Intersect", "FillCavities"),
    *("SmoothMm", "Margin", "Shell", "Mirror", "MirrorAt", "Label", "Cut", "Scale"),
)


def _refuse(notes: Sequence[Note]) -> None:
    notes = [note for note in notes if not isinstance(note, (RequestedChange, MinorNote))]
    if notes:
        sentences = "; ".join(note.text for note in ranked(notes))
        raise InvalidInput(f"Strict is true, and this would have to be skipped or guessed: {sentences}")
