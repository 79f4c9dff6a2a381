"""A table of the parts of a model: what a physicist copies into a report."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from orthanc_stl.conversion.choose import Skipped
from orthanc_stl.conversion.meshing import BOTH_WAYS, INSIDE_OUT, OPEN
from orthanc_stl.mesh.contours.contour import RoiContours
from orthanc_stl.mesh.contours.frame import area_vector
from orthanc_stl.mesh.measures import Measures, measures_of
from orthanc_stl.mesh.solids.overlaps import sentence_on_overlaps
from orthanc_stl.mesh.volumes.inside import find_inside, values
from orthanc_stl.model import Model, Part
from orthanc_stl.sources.base import OpenSource, Region, Shape
from orthanc_stl.spreadsheet import spreadsheet_text

COLUMNS = {
    "Number": "Number",
    "Name": "Name",
    "Type": "Type",
    "Color": "Color (RGB)",
    "ContoursMl": "Volume of contours or voxels (mL)",
    "VolumeMl": "Volume of mesh (mL)",
    "AreaMm2": "Area (mm2)",
    "Centroid": "Centroid x y z (mm, LPS)",
    "Extent": "Extent x y z (mm)",
    "Slices": "Slices",
    "SpacingMm": "Spacing (mm)",
    "Pieces": "Pieces",
    "Closed": "Closed",
    "Warnings": "Warnings",
}
"""Key in JSON to the header in CSV, which has the units."""

_SAME_PLANE = 0.25
"""A fraction of the usual step: planes nearer to each other count as one."""

_NO_STEP = 0.003
"""A fraction of the largest step, which may be a gap: smaller ones are between contours of one plane."""


def statistics(model: Model, source: OpenSource | None = None, skipped: Sequence[Skipped] = ()) -> list[dict[str, Any]]:
    """A row for each part, by the keys of `COLUMNS`. `source`: what the parts were made of; None for stored models.
    What was `skipped` has rows, too, in the order of the numbers: without figures, and with the reason as warning."""
    rows = [_row(part, source) for part in model]
    rows += [
        dict.fromkeys(COLUMNS) | {"Number": one.number, "Name": one.name, "Warnings": [one.reason]} for one in skipped
    ]
    return sorted(rows, key=lambda row: row["Number"]) if skipped else rows


def _row(part: Part, source: OpenSource | None) -> dict[str, Any]:
    measures = measures_of(part.mesh)
    slices, spacing, counted = _slices(source.shape(part.number)[0]) if source else (None, None, None)
    own = part.report.contours_volume
    known = round(own / 1000, 4) if own is not None else _voxels_ml(part, source)
    return {
        "Number": part.number,
        "Name": part.name,
        "Type": part.kind,
        "Color": list(part.color) if part.color else None,
        "ContoursMl": counted if known is None else known,
        "VolumeMl": round(measures.volume / 1000, 4),
        "AreaMm2": round(measures.area, 2),
        "Centroid": [round(value, 3) for value in measures.centroid],
        "Extent": [round(value, 3) for value in measures.extent],
        "Slices": slices,
        "SpacingMm": spacing,
        "Pieces": measures.pieces,
        "Closed": measures.closed,
        "Warnings": [*part.warnings, *_warnings_of_surface(part, measures)],
    }


def _warnings_of_surface(part: Part, measures: Measures) -> list[str]:
    """Why the figures are none to rely on, unless the part says so itself."""
    if not {OPEN, BOTH_WAYS, INSIDE_OUT}.isdisjoint(part.warnings):
        return []
    if not len(part.mesh.triangles):
        return ["there are no triangles"]
    if not measures.closed:
        return ["the surface is not closed: its volume is a rough figure"]
    if measures.volume < 0:
        return ["the surface is inside out: its volume counts as negative"]
    overlaps = sentence_on_overlaps(part.mesh) if measures.pieces > 1 else ""
    return [overlaps] if overlaps and overlaps not in part.warnings else []


def _voxels_ml(part: Part, source: OpenSource | None) -> float | None:
    """The volume of the voxels of a mask, as the source knows it."""
    found = next((one for one in source.structures if one.number == part.number), None) if source else None
    return found.facts.get("VolumeMl") if found else None


def _slices(shape: Shape) -> tuple[int | None, float | None, float | None]:
    """How many planes a structure has, not the empty ones of a grid, how far they usually are apart (mm), and the
    volume of its voxels (mL)."""
    if isinstance(shape, RoiContours):
        return *_planes([contour.points for contour in shape.contours]), None
    if isinstance(shape, Region):
        return _used_planes(shape)
    return None, None, None


def _used_planes(region: Region) -> tuple[int, float, float]:
    """The planes of the grid that have a voxel of the region, the usual step of the grid, and the voxels' volume."""
    volume = region.volume
    inside = find_inside(volume, region.labels, region.threshold, region.upper)
    planes, rows, columns = inside.box
    counts = np.array(
        [
            np.count_nonzero(inside.test(values(volume, (slice(k, k + 1), rows, columns))))
            for k in range(planes.start, planes.stop)
        ]
    )
    voxels_ml = float(counts @ volume.thickness()[planes]) * volume.voxel_volume / 1000
    steps = np.diff(volume.plane_index(np.arange(volume.stored.shape[2], dtype=float)))
    usual = float(np.median(steps)) if len(steps) else 1.0
    step = round(usual * float(np.linalg.norm(volume.affine[:3, 2])), 4)
    return int(np.count_nonzero(counts)), step, round(voxels_ml, 4)


def _planes(contours: Iterable[np.ndarray]) -> tuple[int, float | None]:
    contours = list(contours)
    areas = np.array([area_vector(points) for points in contours])
    normal = areas[np.argmax(np.linalg.norm(areas, axis=1))]
    normal = normal / max(float(np.linalg.norm(normal)), 1e-30)
    places = np.sort([float((points @ normal).mean()) for points in contours])
    steps = np.diff(places)
    steps = steps[steps > _NO_STEP * steps.max(initial=0)]
    if not len(steps):
        return 1, None
    usual = float(np.median(steps[steps > _SAME_PLANE * np.median(steps)]))
    return int((steps > _SAME_PLANE * usual).sum()) + 1, round(usual, 4)


def as_csv(rows: Sequence[dict[str, Any]]) -> bytes:
    """UTF-8 with a byte order mark, which spreadsheets need; what would be a formula begins with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS.values())
    writer.writerows([_cell(row[key]) for key in COLUMNS] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, list):
        value = ("; " if value and isinstance(value[0], str) else " ").join(map(str, value))
    if isinstance(value, str):
        value = " ".join(value.split())
        return value if _is_number(value) else spreadsheet_text(value)
    return value


def _is_number(text: str) -> bool:
    """Whether a list of numbers, whose first may have a minus."""
    try:
        return all(np.isfinite(float(part)) for part in text.split())
    except ValueError:
        return False
